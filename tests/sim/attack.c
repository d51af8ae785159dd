/* attack.c - an attacker who is not on the path, with more luck than any: it knows the sockets and every sequence number of a
 * connection, and sends whatever cannot be told from the real thing by one field only (RFC 5961, RFC 5927, RFC 9293 3.10.7).
 *
 * Each packet is wrong in just one way, so that a stack which checks that one thing loses nothing. Reads the connection it aims at;
 * what it knows of it is what the peer could know. */
#include <string.h>

#include "sim.h"

enum attack_kind {
    ATTACK_RESET_INSIDE,   /* RST in the window, not at RCV.NXT */
    ATTACK_RESET_OUTSIDE,
    ATTACK_SYN,
    ATTACK_ACK_UNSENT,     /* text with an ACK of what was never sent */
    ATTACK_ACK_OLD,        /* text with an ACK older than any window */
    ATTACK_TEXT_OLD,       /* other text where ours has arrived already */
    ATTACK_TEXT_BEYOND,    /* text right of the window */
    ATTACK_FIN_BEYOND,
    ATTACK_TEXT_STALE,     /* text in its place with a timestamp older than TS.Recent (PAWS) */
    ATTACK_NO_ACK,         /* text in the window without the ACK bit */
    ATTACK_OPTION,         /* text in the window with an option that cannot be */
    ATTACK_ICMP_HARD,
    ATTACK_ICMP_SMALL,     /* packet too big, with a size that would hurt */
    ATTACK_ICMP_STRANGE,   /* quoting what is not in flight */
    ATTACK_GARBAGE,
    ATTACK_KINDS
};

struct attack { /* one segment in the making, as its target will see it */
    struct sim_rng *r;
    const weir_conn *c;
    weir_fields f;
    uint32_t text_len;
};

static const weir_conn *attack_target(struct sim_world *w, uint32_t host)
{
    uint32_t from = sim_below(&w->rng, 2u * w->scenario.plan_count), i, at;

    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        const struct sim_end *end;

        at = (from + i) % (2u * w->scenario.plan_count);
        end = &w->conn[at / 2].end[at % 2];
        if (w->scenario.plan[at / 2].host[at % 2] == host && end->life == SIM_END_OPEN) {
            return weir_stack_peek(w->host[host].stack, end->handle);
        }
    }
    return NULL;
}

/* The packet around a segment: an attacker uses its own code for everything but TCP's header. */
static struct sim_packet *attack_packet(const struct attack *a, uint32_t host, const uint8_t *options, uint32_t options_len)
{
    const weir_tuple *t = weir_sockets(a->c);
    struct sim_packet *p = sim_packet_new(SIM_HOSTS_MAX, host, 2048);
    uint8_t header[WEIR_TCP_HEADER_MAX];
    bool v4 = weir_addr_is_v4(&t->local);
    uint32_t at = v4 ? 20 : 40, address = v4 ? 4 : 16, len = (uint32_t)weir_emit_header(header, &a->f);

    p->octets[0] = v4 ? 0x45 : 0x60;
    p->octets[v4 ? 9 : 6] = 6;
    p->octets[v4 ? 8 : 7] = 55;
    memcpy(p->octets + at - 2 * address, t->remote.octets + 16 - address, address);
    memcpy(p->octets + at - address, t->local.octets + 16 - address, address);
    memcpy(p->octets + at, header, len);
    if (options_len != 0) {
        memcpy(p->octets + at + len, options, options_len);
    }
    len += options_len;
    p->octets[at + 12] = (uint8_t)(len / 4 << 4);
    memset(p->octets + at + len, 0xee, a->text_len);
    p->len = at + len + a->text_len;
    sim_packet_seal(p);
    return p;
}

static void attack_begin(struct attack *a)
{
    const weir_tuple *t = weir_sockets(a->c);

    memset(&a->f, 0, sizeof a->f);
    a->f.source_port = t->remote_port;
    a->f.destination_port = t->local_port;
    a->f.seq = a->c->rcv.nxt;
    a->f.ack = a->c->snd.una;
    a->f.window = (uint16_t)sim_below(a->r, 65536);
    a->f.flags = WEIR_ACK;
    if (sim_percent(a->r, 50)) {
        a->f.options = WEIR_OPT_TIMESTAMPS;
        a->f.ts_value = a->c->ts.recent + (sim_percent(a->r, 50) ? 0 : sim_below(a->r, UINT32_MAX));
        a->f.ts_echo = sim_below(a->r, UINT32_MAX);
    }
    a->text_len = sim_range(a->r, 1, 600);
}

/* One past the right edge, and some: at the edge itself a closed window's probe would be in order. */
static uint32_t attack_beyond(const struct attack *a)
{
    return a->c->rcv.adv.v + 1 + sim_log(a->r, 1, 1000000);
}

/* Resets, SYN and FIN; false: this connection offers no place for it. */
static bool attack_control(struct attack *a, enum attack_kind kind)
{
    uint32_t window = a->c->rcv.adv.v - a->c->rcv.nxt.v;

    a->text_len = kind == ATTACK_FIN_BEYOND ? a->text_len : 0;
    if (kind == ATTACK_RESET_INSIDE) {
        a->f.flags = WEIR_RST | (sim_percent(a->r, 50) ? (unsigned)WEIR_ACK : 0);
        a->f.seq.v += 1 + sim_below(a->r, window > 1 ? window - 1 : 0);
        return window > 1;
    }
    if (kind == ATTACK_RESET_OUTSIDE) {
        a->f.flags = WEIR_RST;
        a->f.seq.v = sim_percent(a->r, 50) ? attack_beyond(a) : a->f.seq.v - sim_log(a->r, 1, 100000);
    } else if (kind == ATTACK_SYN) {
        a->f.flags = WEIR_SYN | (sim_percent(a->r, 50) ? (unsigned)WEIR_ACK : 0);
        a->f.seq.v += sim_below(a->r, 140000) - 70000;
        return weir_state(a->c) != WEIR_TIME_WAIT; /* there it may be a new connection */
    } else {
        a->f.flags |= WEIR_FIN;
        a->f.seq.v = attack_beyond(a);
    }
    return true;
}

static bool attack_text(struct attack *a, enum attack_kind kind, const weir_config *config)
{
    uint32_t received = a->c->rcv.nxt.v - a->c->rcv.irs.v - 1;
    weir_info info;

    switch (kind) {
    case ATTACK_ACK_UNSENT:
        a->f.ack.v = a->c->snd.nxt.v + sim_log(a->r, 1, 1000000);
        return true;
    case ATTACK_ACK_OLD:
        a->f.ack.v = a->c->snd.una.v - a->c->snd.max_wnd - sim_log(a->r, 1, 1000000);
        return config->ack_check;
    case ATTACK_TEXT_OLD:
        a->text_len = a->text_len < received ? a->text_len : received;
        a->f.seq.v -= a->text_len;
        return a->text_len != 0;
    case ATTACK_TEXT_STALE:
        weir_info_get(a->c, &info);
        a->f.options = WEIR_OPT_TIMESTAMPS;
        a->f.ts_value = a->c->ts.recent - sim_log(a->r, 1, INT32_MAX);
        return (info.options & WEIR_OPT_TIMESTAMPS) != 0;
    case ATTACK_TEXT_BEYOND:
        a->f.seq.v = attack_beyond(a);
        return true;
    default: /* ATTACK_NO_ACK */
        a->f.flags = (uint16_t)(sim_below(a->r, 4) == 0 ? 0 : WEIR_PSH | (sim_percent(a->r, 50) ? (unsigned)WEIR_FIN : 0));
        return true;
    }
}

/* Kinds and lengths that no option may have (RFC 9293 3.1 MUST-7, RFC 7323, RFC 2018). */
static struct sim_packet *attack_option(struct attack *a, uint32_t host)
{
    static const uint8_t bad[][4] = {{8, 0, 1, 1}, {8, 1, 1, 1}, {8, 3, 0, 1}, {254, 40, 1, 1}, {3, 4, 1, 1}, {1, 1, 1, 5}, {5, 3, 1, 1}};

    return attack_packet(a, host, bad[sim_below(a->r, sizeof bad / sizeof bad[0])], 4);
}

/* A router's word about a segment of the target's own. */
static struct sim_packet *attack_icmp(struct attack *a, uint32_t host, enum attack_kind kind)
{
    bool v4 = weir_addr_is_v4(&weir_sockets(a->c)->local);
    struct sim_icmp_spec spec = {(uint8_t)(v4 ? 3 : 1), (uint8_t)(v4 ? 2 + sim_below(a->r, 2) : 4), 0, 1232};
    uint32_t flight = a->c->snd.nxt.v - a->c->snd.una.v;
    struct sim_packet *quoted, *message = sim_packet_new(SIM_HOSTS_MAX, host, 2048);
    uint8_t swap[16];
    uint32_t at, address;

    a->f.seq.v = kind == ATTACK_ICMP_STRANGE ? a->c->snd.nxt.v + sim_log(a->r, 1, 1000000) : a->c->snd.una.v + sim_below(a->r, flight);
    a->f.source_port = weir_sockets(a->c)->local_port;
    a->f.destination_port = weir_sockets(a->c)->remote_port;
    if (kind != ATTACK_ICMP_HARD) {
        spec.type = v4 ? 3 : 2;
        spec.code = v4 ? 4 : 0;
        spec.mtu = kind == ATTACK_ICMP_STRANGE ? sim_below(a->r, 1500) : (v4 ? 552 : 1280) + sim_below(a->r, 1000);
    }
    quoted = attack_packet(a, host, swap, 0);
    at = v4 ? 20 : 40;
    address = v4 ? 4 : 16;
    memcpy(swap, quoted->octets + at - 2 * address, address); /* it was made to come; now it shall have gone */
    memmove(quoted->octets + at - 2 * address, quoted->octets + at - address, address);
    memcpy(quoted->octets + at - address, swap, address);
    sim_packet_seal(quoted);
    sim_icmp(message, quoted, &spec);
    sim_packet_free(quoted);
    return message;
}

static struct sim_packet *attack_garbage(struct attack *a, uint32_t host)
{
    struct sim_packet *p = attack_packet(a, host, NULL, 0);
    uint32_t from = sim_below(a->r, p->len), i;

    for (i = from; i < p->len; i++) {
        p->octets[i] = (uint8_t)sim_below(a->r, 256);
    }
    p->len = sim_range(a->r, 1, p->len);
    p->octets[p->len - 1] ^= 0x5a;
    return p;
}

struct sim_packet *sim_attack(struct sim_world *w, uint32_t host, bool *must_be_refused)
{
    enum attack_kind kind = (enum attack_kind)sim_below(&w->rng, ATTACK_KINDS);
    struct attack a;

    a.r = &w->rng;
    a.c = attack_target(w, host);
    if (a.c == NULL || weir_state(a.c) < WEIR_ESTABLISHED) {
        return NULL;
    }
    attack_begin(&a);
    *must_be_refused = kind == ATTACK_OPTION || kind == ATTACK_ICMP_STRANGE;
    if (kind == ATTACK_GARBAGE) {
        return attack_garbage(&a, host);
    }
    if (kind >= ATTACK_ICMP_HARD) {
        return attack_icmp(&a, host, kind);
    }
    if (kind == ATTACK_OPTION) {
        return attack_option(&a, host);
    }
    if (kind == ATTACK_RESET_INSIDE || kind == ATTACK_RESET_OUTSIDE || kind == ATTACK_SYN || kind == ATTACK_FIN_BEYOND) {
        return attack_control(&a, kind) ? attack_packet(&a, host, NULL, 0) : NULL;
    }
    return attack_text(&a, kind, &w->scenario.host[host].config.tcp) ? attack_packet(&a, host, NULL, 0) : NULL;
}
