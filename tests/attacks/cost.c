/* cost.c - what one packet of an attack costs, to be counted under callgrind by ci/attack-cost: cost WHAT COUNT sends COUNT of them.
 *
 * All that is done before the first of them costs the same for every COUNT, so the difference of two runs is the price of the packets.
 * Includes the unit, so that packets can be written with the library's own headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir.c"

enum { COST_PORT = 80, COST_RING = 32 << 20 };

struct cost {
    weir_stack_config cfg;
    weir_stack *s;
    weir_us now;
    unsigned holes;
    bool only_written;   /* packets are not given to the stack: what it costs to write them */
    uint32_t seq, ack; /* of the connection that was opened: what comes next of the peer, and what it acknowledges */
};

static weir_addr cost_peer(unsigned n)
{
    return weir_addr_v4(198, 51, (uint8_t)(n >> 8), (uint8_t)n);
}

static void cost_put(struct cost *k, const weir_fields *f, const weir_addr *source, size_t text)
{
    static uint8_t room[2048];
    struct weiri_ip_fields ip;
    uint8_t *tcp = room + WEIR_IP_HEADER_MAX;
    size_t len = weir_emit_header(tcp, f) + text;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = *source;
    ip.addrs.destination = k->cfg.addrs[0];
    ip.ttl = 64;
    ip.protocol = WEIRI_PROTO_TCP;
    weir_emit_checksum(tcp, len, &ip.addrs);
    ip.payload_len = (uint32_t)len;
    const size_t header = weiri_ip_emit(tcp, &ip);
    if (!k->only_written) {
        (void)weir_stack_input(k->s, tcp - header, header + len, k->now);
    }
}

static void cost_fetch(struct cost *k, weir_view *last)
{
    weir_out out;
    while (weir_stack_poll(k->s, &out, k->now) > 0) {
        if (last != NULL) {
            (void)weir_view_segment(last, out.room + out.header_at + WEIRI_IP4_HEADER, out.header_len - WEIRI_IP4_HEADER, NULL);
        }
    }
}

static weir_fields cost_segment(unsigned n, uint16_t flags)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    f.seq = seq_of(n * 77777u);
    f.source_port = (uint16_t)(1024 + n % 60000);
    f.destination_port = COST_PORT;
    f.window = 65535;
    f.flags = flags;
    return f;
}

static void cost_syn(struct cost *k, unsigned n)
{
    weir_fields f = cost_segment(n, WEIR_SYN);
    weir_addr peer = cost_peer(n);
    f.options = WEIR_OPT_MSS;
    f.mss = 1460;
    cost_put(k, &f, &peer, 0);
    cost_fetch(k, NULL);
}

/* So many that a table of 256 is full. */
static void cost_fill(struct cost *k)
{
    for (unsigned n = 0; n < 4000; n++) {
        cost_syn(k, 70000 + n);
    }
}

/* One of those again: it is in a record, if there are any. */
static void cost_syn_again(struct cost *k, unsigned n)
{
    cost_syn(k, 70000 + n % 4000);
}

static void cost_written(struct cost *k, unsigned n)
{
    k->only_written = true;
    cost_syn(k, n);
}

static void cost_ack(struct cost *k, unsigned n)
{
    weir_fields f = cost_segment(n, WEIR_ACK);
    weir_addr peer = cost_peer(n);
    cost_put(k, &f, &peer, 0);
    cost_fetch(k, NULL);
}

/* A connection of one peer, with SACK, and window enough. */
static void cost_open(struct cost *k)
{
    weir_fields f = cost_segment(7, WEIR_SYN);
    weir_addr peer = cost_peer(7);
    weir_view answer;
    memset(&answer, 0, sizeof answer);
    f.options = WEIR_OPT_MSS | WEIR_OPT_SACK_OK | WEIR_OPT_WSCALE;
    f.mss = 1460;
    f.wscale = 14;
    cost_put(k, &f, &peer, 0);
    cost_fetch(k, &answer);
    f = cost_segment(7, WEIR_ACK);
    k->seq = f.seq.v + 1;
    k->ack = answer.seq.v + 1;
    f.seq.v = k->seq;
    f.ack.v = k->ack;
    cost_put(k, &f, &peer, 0);
    cost_fetch(k, NULL);
}

/* One octet out of order: hole number `place`. */
static void cost_hole(struct cost *k, unsigned place)
{
    weir_fields f = cost_segment(7, WEIR_ACK);
    weir_addr peer = cost_peer(7);
    f.seq.v = k->seq + 1000 + 2 * place;
    f.ack.v = k->ack;
    cost_put(k, &f, &peer, 1);
    cost_fetch(k, NULL);
}

/* Every second octet of a long stretch, each in turn taken with its neighbour and with the next hole far away: so many are there. */
static void cost_make_holes(struct cost *k)
{
    cost_open(k);
    for (unsigned i = 0; i < k->holes; i++) {
        cost_hole(k, 4 * i);
    }
}

/* By chance a new hole among the others, or an old one again. */
static void cost_holes_by_chance(struct cost *k, unsigned n)
{
    uint32_t place = (n * 2654435761u >> 8) % (4 * k->holes);
    cost_hole(k, place);
}

/* Always a new one before all others. */
static void cost_holes_in_front(struct cost *k, unsigned n)
{
    weir_fields f = cost_segment(7, WEIR_ACK);
    weir_addr peer = cost_peer(7);
    f.seq.v = k->seq + 990 - 2 * (n % 490);
    f.ack.v = k->ack;
    cost_put(k, &f, &peer, 1);
    cost_fetch(k, NULL);
}

struct cost_what {
    const char *name;
    void (*before)(struct cost *k);
    void (*one)(struct cost *k, unsigned n);
    uint32_t half_open;
    bool cookies;
    unsigned holes;
    uint32_t records;   /* of half-open connections; they may be as many */
};

static const struct cost_what cost_whats[] = {
    {"syn-taken", NULL, cost_syn, 100000, false, 0, 0},    {"syn-refused", NULL, cost_syn, 256, false, 0, 0},
    {"syn-cookie", NULL, cost_syn, 256, true, 0, 0},       {"ack-nobody", NULL, cost_ack, 256, false, 0, 0},
    {"syn-written", NULL, cost_written, 1, true, 0, 0},    {"syn-recorded", NULL, cost_syn, 100000, false, 0, 60000},
    {"syn-again", NULL, cost_syn_again, 100000, false, 0, 60000},
    {"holes-10", cost_make_holes, cost_holes_by_chance, 16, false, 10, 0},
    {"holes-10000", cost_make_holes, cost_holes_by_chance, 16, false, 10000, 0},
    {"front-10", cost_make_holes, cost_holes_in_front, 16, false, 10, 0},
    {"front-10000", cost_make_holes, cost_holes_in_front, 16, false, 10000, 0},
};

static void cost_begin(struct cost *k, const struct cost_what *w)
{
    weir_listen_spec spec;
    weir_handle listener;
    weir_err err;
    memset(k, 0, sizeof *k);
    weir_stack_config_init(&k->cfg);
    memset(k->cfg.tcp.secret, 7, sizeof k->cfg.tcp.secret);
    k->cfg.addrs[0] = weir_addr_v4(192, 0, 2, 1);
    k->cfg.addr_count = 1;
    k->cfg.half_open_max = w->half_open;
    k->cfg.syn_records_max = w->records;
    k->cfg.syn_cookies = w->cookies;
    k->cfg.connections_max = w->half_open < 16 ? 16 : w->half_open;
    k->cfg.tcp.timestamps = false;
    k->cfg.rings.rx = w->holes > 0 ? (uint32_t)COST_RING : 256;
    k->cfg.rings.tx = 256;
    k->holes = w->holes;
    k->now = 1000000;
    size_t size = weir_stack_size(&k->cfg);
    void *memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
    k->s = memory != NULL ? weir_stack_init(memory, size, &k->cfg, k->now, &err) : NULL;
    memset(&spec, 0, sizeof spec);
    spec.port = COST_PORT;
    if (k->s == NULL || weir_stack_listen(k->s, &spec, &listener) != WEIR_ERR_NONE) {
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct cost k;
    for (size_t i = 0; argc == 3 && i < sizeof cost_whats / sizeof *cost_whats; i++) {
        const struct cost_what *w = &cost_whats[i];
        if (strcmp(w->name, argv[1]) == 0) {
            cost_begin(&k, w);
            if (w->before != NULL) {
                w->before(&k);
            } else {
                cost_fill(&k);
            }
            unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
            for (unsigned n = 0; n < count; n++) {
                w->one(&k, n);
            }
            const weir_stats *stats = weir_stack_stats(k.s);
            printf("%s: %u packets; %u half-open, %llu cookies, %llu resets\n", w->name, count, (unsigned)stats->half_open,
                   (unsigned long long)stats->cookies_out, (unsigned long long)stats->resets_out);
            return 0;
        }
    }
    (void)fprintf(stderr, "cost WHAT COUNT\n");
    return 2;
}
