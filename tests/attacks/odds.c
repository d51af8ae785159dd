/* odds.c - what a forger must hit, and how much more comes out than goes in, for each profile: the tables of SECURITY.md, made from the
 * configuration and counted from what a connection sends. Exit 1 if more comes out than is promised. */
#include <stdio.h>
#include <string.h>

#include "weir.c"

enum { ODDS_IP = 20, ODDS_RING = 65536 };

static const struct {
    const char *name;
    void (*fill)(weir_config *config);
} odds_profiles[] = {{"internet", weir_config_internet}, {"rfc", weir_config_rfc}, {"tiny", weir_config_tiny}};

struct odds {
    weir_config cfg;
    weir_conn c;
    weir_us now;
    uint64_t in, out, segments; /* octets, IP header included; segments out */
    uint64_t memory[(2 * ODDS_RING + 65536) / 8];
};

static void odds_fetch(struct odds *o)
{
    weir_out out;
    for (size_t len; (len = weir_poll(&o->c, &out, o->now)) > 0; o->segments++) {
        o->out += len + ODDS_IP;
    }
}

static void odds_send(struct odds *o, unsigned flags, uint32_t seq, uint32_t ack, uint32_t text)
{
    static const uint8_t octets[1460] = {0};
    weir_view v;
    memset(&v, 0, sizeof v);
    v.seq = seq_of(seq);
    v.ack = seq_of(ack);
    v.flags = (uint16_t)flags;
    v.window = 65535;
    v.options = flags & WEIR_SYN ? (uint16_t)WEIR_OPT_MSS : 0;
    v.mss = 1460;
    v.payload = octets;
    v.payload_len = text;
    (void)weir_input(&o->c, &v, o->now);
    o->in += ODDS_IP + 20 + (flags & WEIR_SYN ? 4 : 0) + text;
    odds_fetch(o);
}

static void odds_listen(struct odds *o, unsigned profile)
{
    const weir_sizes sizes = {ODDS_RING, ODDS_RING};
    weir_buffers b;
    weir_tuple t = {weir_addr_v4(192, 0, 2, 1), weir_addr_v4(198, 51, 100, 2), 80, 40000};
    memset(o, 0, sizeof *o);
    odds_profiles[profile].fill(&o->cfg);
    memset(o->cfg.secret, 9, sizeof o->cfg.secret);
    o->now = 1000000;
    (void)weir_buffers_carve(&b, o->memory, sizeof o->memory, sizes);
    (void)weir_init(&o->c, &o->cfg, &b, o->now);
    (void)weir_listen(&o->c, &t, o->now);
}

static void odds_wait(struct odds *o, weir_us span)
{
    const weir_us end = o->now + span;
    for (weir_us at = weir_deadline(&o->c); at <= end; at = weir_deadline(&o->c)) {
        o->now = at > o->now ? at : o->now + 1;
        weir_expire(&o->c, o->now);
        odds_fetch(o);
    }
    o->now = end;
}

static void odds_open(struct odds *o, unsigned profile)
{
    odds_listen(o, profile);
    odds_send(o, WEIR_SYN, 1000, 0, 0);
    odds_send(o, WEIR_ACK, 1001, o->c.snd.nxt.v, 0);
    o->in = o->out = o->segments = 0;
}

static void odds_one_syn(struct odds *o, unsigned profile)
{
    odds_listen(o, profile);
    odds_send(o, WEIR_SYN, 1000, 0, 0);
    odds_wait(o, (weir_us)3600 * 1000000);
}

static void odds_same_syn(struct odds *o, unsigned profile)
{
    odds_listen(o, profile);
    for (unsigned i = 0; i < 1000; i++) {
        odds_send(o, WEIR_SYN, 1000, 0, 0);
    }
}

static void odds_resets(struct odds *o, unsigned profile)
{
    odds_open(o, profile);
    for (unsigned i = 0; i < 1000; i++) {
        odds_send(o, WEIR_RST, 1001 + 2 + i, 0, 0);
    }
}

static void odds_old_acks(struct odds *o, unsigned profile)
{
    odds_open(o, profile);
    for (unsigned i = 0; i < 1000; i++) {
        odds_send(o, WEIR_ACK, 1001, o->c.snd.una.v - 100000, 0);
    }
}

static void odds_text_beyond(struct odds *o, unsigned profile)
{
    odds_open(o, profile);
    for (unsigned i = 0; i < 1000; i++) {
        odds_send(o, WEIR_ACK, 1001 + 1000000, o->c.snd.nxt.v, 1);
    }
}

static const struct {
    const char *name;
    void (*attack)(struct odds *o, unsigned profile);
    unsigned most; /* octets out for a hundred in */
} odds_rows[] = {
    {"one SYN, nobody answers", odds_one_syn, 1000},
    {"the same SYN, a thousand times at once", odds_same_syn, 100},
    {"a thousand RST in the window", odds_resets, 100},
    {"a thousand acknowledgments too old", odds_old_acks, 100},
    {"a thousand segments of text out of the window", odds_text_beyond, 140},
};

int main(void)
{
    static struct odds o;
    int bad = 0;
    printf("odds of one forged segment, both sockets known:\n");
    for (unsigned p = 0; p < sizeof odds_profiles / sizeof *odds_profiles; p++) {
        odds_open(&o, p);
        const uint64_t window = seq_diff(o.c.rcv.nxt, o.c.rcv.adv), acks = o.c.snd.max_wnd;
        printf("  %-8s RST 1 in 2^32; SYN none; text 1 in %llu (window %llu, acknowledgments %llu%s)\n", odds_profiles[p].name,
               (unsigned long long)(UINT64_MAX / window / acks), (unsigned long long)window, (unsigned long long)acks,
               o.cfg.ack_check ? "" : ", not checked");
    }
    printf("  SYN cookie: 1 in %llu an acknowledgment; %u s old at most\n", (unsigned long long)COOKIE_HASH_MASK_VALUE + 1,
           (unsigned)(2 * ((UINT64_C(1) << COOKIE_PERIOD_SHIFT_VALUE) / 1000000)));
    printf("octets out for one in:\n");
    for (unsigned r = 0; r < sizeof odds_rows / sizeof *odds_rows; r++) {
        for (unsigned p = 0; p < sizeof odds_profiles / sizeof *odds_profiles; p++) {
            odds_rows[r].attack(&o, p);
            const bool more = o.out * 100 > o.in * odds_rows[r].most;
            bad += more;
            printf("  %-46s %-8s %6llu / %6llu = %llu.%02llu%s\n", odds_rows[r].name, odds_profiles[p].name, (unsigned long long)o.out,
                   (unsigned long long)o.in, (unsigned long long)(o.out / o.in), (unsigned long long)(o.out % o.in * 100 / o.in),
                   more ? "  MORE THAN PROMISED" : "");
        }
    }
    return bad != 0;
}
