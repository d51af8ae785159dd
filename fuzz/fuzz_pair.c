/* fuzz_pair.c - two connections and an adversary between them.
 *
 * Input: configuration, then events: the users write, read and close; the network delivers any packet of those under way, loses it, doubles
 * it, holds it back or flips a bit of it; time passes. Checks: what is read is what was written there, never more; a flipped bit is
 * refused; nobody gives up, for R2 is off. Then (fuzz_ends) the network is kind, both users close and read on: all that was written arrives,
 * and both ends are CLOSED without an error, in bounded time. */
#include "fuzz.h"

enum {
    PAIR_QUEUE = 24,       /* packets under way in one direction; when full the oldest is lost */
    PAIR_PACKET = 1500,
    PAIR_RING_MAX = 4096,
    PAIR_STEPS = 600,
    PAIR_END_STEPS = 4000,
    PAIR_TURNS = 150       /* of loops of the library, that a call may take */
};

struct pair_packet {
    uint32_t len;
    uint8_t octets[PAIR_PACKET];
};

struct pair_end {
    weir_conn c;
    weir_config cfg;
    weir_tuple tuple;
    uint32_t written, read; /* octets of its stream out, of the other's stream in */
    bool closed, saw_fin;
    struct pair_packet packets[PAIR_QUEUE];
    uint8_t order[PAIR_QUEUE]; /* the first `count` of them are under way from here; the rest is free */
    unsigned count;
    uint64_t memory[(2 * PAIR_RING_MAX + 2048) / 8];
};

struct pair_world {
    struct pair_end end[2];
    struct fuzz_bytes in;
    weir_us now;
};

/* Text of a side from this offset of its stream on, as much as a ring holds; it repeats after 64 KiB. */
static const uint8_t *pair_text(unsigned side, uint32_t offset)
{
    static uint8_t text[2][(1 << 16) + PAIR_RING_MAX];
    if (text[1][0] == 0) {
        for (uint32_t i = 0; i < sizeof text[0]; i++) {
            text[0][i] = (uint8_t)(i * 17 + (i >> 8) * 3);
            text[1][i] = (uint8_t)(text[0][i] + 97);
        }
    }
    return text[side] + (offset & 0xffff);
}

/* What is true beside the invariants, which the library looks after in each call. */
static void pair_check(const struct pair_world *w, unsigned side)
{
    const struct pair_end *e = &w->end[side];
    weir_err err = weir_error(&e->c);
    const weir_conn *peer = &w->end[side ^ 1].c;
    /* A network that loses every acknowledgment until the peer has left TIME-WAIT: nothing is lost but the word that all has arrived. */
    bool all_there = peer->state == WEIR_CLOSED && conn_has(peer, WEIRI_FIN_TAKEN) && seq_eq(peer->rcv.nxt, seq_add(e->c.snd.end, 1));
    FUZZ_CHECK(err == WEIR_ERR_NONE || (err == WEIR_ERR_RESET && all_there), "a connection failed although nobody ended it and nothing was forged");
}

/* What a call that moves so much text may cost, as fuzz_conn.c has it. */
static void pair_allow(const struct pair_world *w, size_t octets)
{
    fuzz_allow(PAIR_TURNS + octets / 2 + 8u * (w->end[0].c.board.count + w->end[1].c.board.count));
}

/* ---- the network --------------------------------------------------------------------------------------------------------------------- */

static void pair_lose(struct pair_end *e, unsigned i)
{
    uint8_t freed = e->order[i];
    e->count--;
    memmove(&e->order[i], &e->order[i + 1], e->count - i);
    e->order[e->count] = freed;
}

/* A packet, or the segments of a super-segment. */
static void pair_send(struct pair_end *e, const weir_out *out)
{
    uint8_t octets[PAIR_PACKET];
    uint32_t i = 0, text = 0;
    for (size_t len; (len = weir_out_cut(out, i, octets, sizeof octets)) > 0; i++) {
        if (e->count == PAIR_QUEUE) {
            pair_lose(e, 0);
        }
        struct pair_packet *p = &e->packets[e->order[e->count++]];
        memcpy(p->octets, octets, len);
        p->len = (uint32_t)len;
        text += (uint32_t)len - out->header_len;
    }
    FUZZ_CHECK(i > 0 && text == out->len - out->header_len, "a segment larger than the MTU, or text that is in none");
}

/* All that this end has to say goes on its way. */
static void pair_drain(struct pair_world *w, unsigned side)
{
    struct pair_end *e = &w->end[side];
    weir_out out;
    for (unsigned i = 0;; i++) {
        bool promised = weir_has_output(&e->c);
        size_t len = weir_poll(&e->c, &out, w->now);
        pair_allow(w, len);
        FUZZ_CHECK(promised == (len > 0), "weir_has_output said otherwise");
        if (len == 0) {
            break;
        }
        FUZZ_CHECK(i < 1024, "polling does not end");
        pair_send(e, &out);
    }
    pair_check(w, side);
}

static void pair_deliver(struct pair_world *w, unsigned side, unsigned i, uint32_t flip)
{
    struct pair_end *from = &w->end[side], *to = &w->end[side ^ 1];
    struct pair_packet *p = &from->packets[from->order[i]];
    weir_pseudo pseudo = {from->tuple.local, from->tuple.remote};
    weir_view v;
    uint8_t *octets = fuzz_put(p->octets, p->len);
    fuzz_packet(side == 0 ? "out" : "in", w->now, &pseudo, octets, p->len);
    pair_allow(w, p->len);
    if (flip > 0) {
        octets[flip % p->len] ^= (uint8_t)(1u << (flip & 7));
        FUZZ_CHECK(weir_view_segment(&v, octets, p->len, &pseudo) == WEIR_TCP_CHECKSUM, "a flipped bit went unseen");
        return;
    }
    FUZZ_CHECK(weir_view_segment(&v, octets, p->len, &pseudo) == WEIR_OK && v.odd == 0, "sent a segment that is malformed or odd");
    (void)weir_input(&to->c, &v, w->now);
    pair_check(w, side ^ 1);
}

/* ---- the users ----------------------------------------------------------------------------------------------------------------------- */

static void pair_write(struct pair_world *w, unsigned side, uint32_t want, unsigned flags)
{
    struct pair_end *e = &w->end[side];
    size_t room;
    uint8_t *to = weir_tx_reserve(&e->c, &room);
    want = want < room ? want : (uint32_t)room;
    if (want > 0) {
        memcpy(to, pair_text(side, e->written), want);
    }
    if (weir_tx_commit(&e->c, want, flags, w->now) == WEIR_ERR_NONE) {
        e->written += want;
    }
}

static void pair_read(struct pair_world *w, unsigned side, uint32_t want)
{
    struct pair_end *e = &w->end[side], *peer = &w->end[side ^ 1];
    size_t len;
    const uint8_t *at = weir_rx_peek(&e->c, &len);
    len = want < len ? want : len;
    FUZZ_CHECK(e->read + len <= peer->written, "more can be read than was written");
    FUZZ_CHECK(len <= PAIR_RING_MAX && (len == 0 || memcmp(at, pair_text(side ^ 1, e->read), len) == 0),
               "what is read is not what was written there");
    e->read += (uint32_t)len;
    FUZZ_CHECK(weir_rx_consume(&e->c, len, w->now) == WEIR_ERR_NONE, "cannot consume what peek shows");
    (void)weir_rx_peek(&e->c, &len);
    if (len == 0 && (weir_events(&e->c) & WEIR_EV_PEER_FIN)) {
        FUZZ_CHECK(peer->closed && e->read == peer->written, "the end of the stream came early");
        e->saw_fin = true;
    }
}

static void pair_close(struct pair_world *w, unsigned side)
{
    struct pair_end *e = &w->end[side];
    if (e->c.state == WEIR_LISTEN || e->c.state == WEIR_SYN_SENT || e->closed) {
        return; /* it would be the end before the beginning */
    }
    FUZZ_CHECK(weir_close(&e->c, w->now) == WEIR_ERR_NONE, "cannot close");
    e->closed = true;
}

/* ---- time ---------------------------------------------------------------------------------------------------------------------------- */

static weir_us pair_deadline(const struct pair_world *w)
{
    return base_min_us(weir_deadline(&w->end[0].c), weir_deadline(&w->end[1].c));
}

static void pair_expire(struct pair_world *w)
{
    for (unsigned side = 0; side < 2; side++) {
        pair_allow(w, 0);
        weir_expire(&w->end[side].c, w->now);
        pair_check(w, side);
        pair_drain(w, side);
        FUZZ_CHECK(weir_deadline(&w->end[side].c) > w->now, "a deadline in the past after expire and poll");
    }
}

static void pair_time(struct pair_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_us due = pair_deadline(w);
    if (how & 1) {
        w->now += how < 128 ? (weir_us)how * 100 : (weir_us)(how - 127) * 10000;
    } else {
        w->now = due != WEIR_FOREVER && due > w->now ? due : w->now;
    }
    pair_expire(w);
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

static void pair_configure(struct pair_world *w, unsigned side)
{
    struct pair_end *e = &w->end[side];
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    weir_config *g = &e->cfg;
    weir_buffers buffers;
    e->written = e->read = e->count = 0;
    e->closed = e->saw_fin = false;
    for (unsigned i = 0; i < PAIR_QUEUE; i++) {
        e->order[i] = (uint8_t)i;
    }
    switch (a & 3) {
    case 1: weir_config_rfc(g); break;
    case 2: weir_config_tiny(g); break;
    default: weir_config_internet(g); break;
    }
    g->gso_max = (a & 3) == 3 ? 65535 : 0;
    memset(g->secret, 0x33 + (int)side, sizeof g->secret);
    g->r2_us = g->r2_syn_us = WEIR_FOREVER;
    g->msl_us = 600 * (weir_us)1000000; /* an ACK that came with a FIN sent again is not seen (RFC 9293 A.2), so the RTO has to fit in 2MSL */
    g->timestamps = g->timestamps != ((a & 4) != 0);
    g->window_scale = g->window_scale != ((a & 8) != 0);
    g->sack = g->sack != ((a & 16) != 0);
    g->nagle = (a & 32) == 0;
    g->quick_acks = a & 64 ? 0 : g->quick_acks;
    g->rx_max = a & 128 ? 1u << 24 : 0;
    g->mtu = (uint16_t)(b & 64 ? 428 : b & 128 ? 576 : 1500);
    g->cc = more & 3 ? (uint8_t)((more & 3) - 1) : g->cc;
    g->pacing = more & 12 ? (uint8_t)(more >> 2 & 3) : g->pacing;
    g->ecn = more & 16 ? WEIR_ECN_OFFER : g->ecn;
    g->cwv = (more & 32) != 0;
    g->partial_checksum = (more & 64) != 0;
    g->rack = g->rack != ((more & 128) != 0);
    weir_sizes sizes = {256u << (b & 7) % 5, 256u << (b >> 3 & 7) % 5};
    FUZZ_CHECK(weir_buffers_carve(&buffers, e->memory, sizeof e->memory, sizes), "rings of these sizes are refused");
    FUZZ_CHECK(weir_init(&e->c, g, &buffers, w->now) == WEIR_ERR_NONE, "this configuration is refused");
}

static void pair_start(struct pair_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    w->now = how & 1 ? 0xfffff000u : 1000000;
    weir_addr a = weir_addr_v4(192, 0, 2, 1), b = weir_addr_v4(192, 0, 2, 2);
    weir_tuple tuple = {a, b, 40000, 80}, turned = {b, a, 80, 40000};
    w->end[0].tuple = tuple;
    w->end[1].tuple = turned;
    pair_configure(w, 0);
    pair_configure(w, 1);
    FUZZ_CHECK(weir_connect(&w->end[0].c, &tuple, w->now) == WEIR_ERR_NONE, "cannot connect");
    weir_err err = how & 2 ? weir_connect(&w->end[1].c, &turned, w->now) : weir_listen(&w->end[1].c, &turned, w->now);
    FUZZ_CHECK(err == WEIR_ERR_NONE, "cannot open");
    pair_drain(w, 0);
    pair_drain(w, 1);
}

/* The kind network: everything under way arrives, in order. */
static bool pair_flush(struct pair_world *w)
{
    bool any = false;
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < 4096 && w->end[side].count > 0; i++, any = true) {
            pair_deliver(w, side, 0, 0);
            pair_lose(&w->end[side], 0);
            pair_drain(w, side ^ 1);
        }
    }
    return any;
}

static void pair_step(struct pair_world *w)
{
    fuzz_event(&w->in);
    pair_allow(w, 0);
    unsigned op = fuzz_u8(&w->in), side = op >> 7, which = op >> 4 & 7;
    struct pair_end *e = &w->end[side];
    unsigned i = e->count > 0 ? which % e->count : 0;
    switch (op & 15) {
    case 0: case 1: case 2: case 3: /* deliver and forget; the oldest, or another */
    case 4: case 5:                 /* deliver, and it is still under way: doubled, or merely late */
        if (e->count > 0) {
            pair_deliver(w, side, i, 0);
            if ((op & 15) < 4) {
                pair_lose(e, i);
            }
        }
        break;
    case 6: case 7: if (e->count > 0) { pair_lose(e, i); } break;
    case 8: if (e->count > 0) { pair_deliver(w, side, i, 1u + fuzz_u16(&w->in)); } break;
    case 9: case 10: pair_write(w, side, fuzz_len(&w->in, PAIR_RING_MAX), which); break;
    case 11: pair_read(w, side, which == 7 ? fuzz_u8(&w->in) : PAIR_RING_MAX); break;
    case 12: case 13: pair_time(w); break;
    case 14: if (which == 7) { pair_close(w, side); } else { (void)pair_flush(w); } break;
    default: pair_read(w, side, which); break;
    }
    pair_drain(w, 0);
    pair_drain(w, 1);
    FUZZ_HELD(weir_check(&w->end[0].c));
    FUZZ_HELD(weir_check(&w->end[1].c));
    fuzz_worked();
}

/* Both close, read on, and time goes from deadline to deadline until both are CLOSED. */
static void pair_end(struct pair_world *w)
{
    for (unsigned i = 0; i < PAIR_END_STEPS; i++) {
        for (unsigned side = 0; side < 2; side++) {
            pair_read(w, side, PAIR_RING_MAX);
            pair_read(w, side, PAIR_RING_MAX);
            pair_close(w, side);
            pair_drain(w, side);
        }
        fuzz_worked();
        if (pair_flush(w)) {
            continue;
        }
        if (w->end[0].c.state == WEIR_CLOSED && w->end[1].c.state == WEIR_CLOSED) {
            for (unsigned side = 0; side < 2; side++) {
                FUZZ_CHECK(w->end[side].saw_fin && w->end[side].read == w->end[side ^ 1].written, "CLOSED, and not all has arrived");
            }
            return;
        }
        weir_us due = pair_deadline(w);
        FUZZ_CHECK(due != WEIR_FOREVER, "nothing is under way, nothing is waited for, and it is not over");
        w->now = due > w->now ? due : w->now;
        pair_expire(w);
    }
    fuzz_fail("two ends do not come to an end over a network without fault", __FILE__, __LINE__);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pair_world w; /* what a run begins with is written by pair_configure; packets need no clearing */
    w.in = fuzz_begin(data, size);
    pair_start(&w);
    for (unsigned i = 0; i < PAIR_STEPS && w.in.left > 0; i++) {
        pair_step(&w);
    }
    if (fuzz_ends()) {
        pair_end(&w);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
/* Side 1 is 0x80; the packet is 0x70. */
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00"), FUZZ_PHRASE("\x80"), FUZZ_PHRASE("\x70"), FUZZ_PHRASE("\xf0"),   /* deliver the oldest, another */
    FUZZ_PHRASE("\x04"), FUZZ_PHRASE("\x84"), FUZZ_PHRASE("\x06"), FUZZ_PHRASE("\x86"),   /* double, lose */
    FUZZ_PHRASE("\x08\x00\x63"), FUZZ_PHRASE("\x88\x01\x00"),                             /* damage */
    FUZZ_PHRASE("\x09\x40"), FUZZ_PHRASE("\x89\xa0"), FUZZ_PHRASE("\x19\xe8\x02\x00"), FUZZ_PHRASE("\x49\x20"), /* write */
    FUZZ_PHRASE("\x0b"), FUZZ_PHRASE("\x8b"), FUZZ_PHRASE("\x7b\x03"), FUZZ_PHRASE("\xfb\x01"), /* read */
    FUZZ_PHRASE("\x0c\x00"), FUZZ_PHRASE("\x0c\x85"), FUZZ_PHRASE("\x0c\x07"),            /* time */
    FUZZ_PHRASE("\x0e"), FUZZ_PHRASE("\x8e"), FUZZ_PHRASE("\x7e"), FUZZ_PHRASE("\xfe"),   /* all arrives; close */
    FUZZ_PHRASE("\x09\xc0\x06\x00\x00\x00\x80\x80\x80"),                                  /* a loss with three segments behind it */
};
#include "mutate.h"
#endif
