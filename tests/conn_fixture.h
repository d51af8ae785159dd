/* conn_fixture.h - a connection in any state, in one line: built by real segments through the public calls, headers and checksums included.
 *
 *     struct conn_fixture *f = conn_in(WEIR_FIN_WAIT_2);
 *     conn_seg(f, WEIR_FIN | WEIR_ACK, 0, 0, 10);        SEG.SEQ = RCV.NXT + 0, SEG.ACK = SND.NXT + 0, ten octets
 *     conn_expect(f, "ACK +0 +11", WEIR_TIME_WAIT);      what it answered, and where it is now
 *
 * Numbers stand as offsets, from what SND.NXT and RCV.NXT were before the segment; where there is no connection yet they count from
 * CONN_OURS and the peer's ISS. For tests only; one thread. */
#ifndef WEIR_TESTS_CONN_FIXTURE_H
#define WEIR_TESTS_CONN_FIXTURE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "conn/conn.h"
#include "guard.h"

enum {
    CONN_RX = 4096,
    CONN_TX = 4096,
    CONN_OURS = 5000,   /* what a segment acknowledges where we have sent nothing */
    CONN_PEERS = 70000, /* the peer's ISS, unless f->peer_iss says otherwise */
    CONN_WINDOW = 8000, /* what the peer announces */
    CONN_FIXTURES = 4   /* so many live at once: the oldest is used again */
};
#define CONN_SECOND ((weir_us)1000000)

struct conn_fixture {
    weir_conn c;
    weir_config cfg;
    weir_us now;
    weir_tuple tuple;
    uint32_t peer_iss;
    uint8_t mark, marked;  /* the ECN bits of the IP header: of what conn_input gives it, of what it sent last */
    uint16_t joined;       /* what conn_input gives it came in segments of so much text; 0: as one */
    enum weir_input taken; /* what weir_input said of the last segment */
    weir_seq ours, peers; /* bases of offsets: SND.NXT and RCV.NXT before the last event */
    uint64_t memory[(CONN_RX + CONN_TX) / 8 + 256];
};

__attribute__((unused)) static weir_tuple conn_tuple(void)
{
    weir_tuple t;
    t.local = weir_addr_v4(192, 0, 2, 1);
    t.remote = weir_addr_v4(198, 51, 100, 2);
    t.local_port = 80;
    t.remote_port = 40000;
    return t;
}

/* A connection in CLOSED. Its configuration: today's practice with no option but MSS and with the recovery of RFC 5681
 * alone, so that tables stay readable; change f->cfg before the first call for more. Rings of at most CONN_RX and CONN_TX. */
__attribute__((unused)) static struct conn_fixture *conn_new_sized(weir_sizes sizes)
{
    static struct conn_fixture all[CONN_FIXTURES];
    static unsigned turn;
    struct conn_fixture *f = &all[turn++ % CONN_FIXTURES];
    weir_buffers b;
    memset(f, 0, sizeof *f);
    weir_config_internet(&f->cfg);
    memset(f->cfg.secret, 0x5a, sizeof f->cfg.secret);
    f->cfg.timestamps = false;
    f->cfg.window_scale = false;
    f->cfg.sack = false;
    f->cfg.cc = WEIR_CC_NEWRENO;
    f->cfg.ecn = WEIR_ECN_OFF;
    f->cfg.hystart = f->cfg.rack = f->cfg.prr = f->cfg.undo = f->cfg.halve_cwnd = false;
    f->cfg.pacing = WEIR_PACING_OFF;
    f->now = CONN_SECOND;
    f->peer_iss = CONN_PEERS;
    f->tuple = conn_tuple();
    assert_true(weir_buffers_carve(&b, f->memory, sizeof f->memory, sizes));
    assert_int_equal(weir_init(&f->c, &f->cfg, &b, f->now), WEIR_ERR_NONE);
    return f;
}

__attribute__((unused)) static struct conn_fixture *conn_new(void)
{
    weir_sizes sizes = {CONN_RX, CONN_TX};
    return conn_new_sized(sizes);
}

/* Sets the clock so that a connection opened now has this ISS (RFC 9293 3.4.1: the clock is part of it). */
__attribute__((unused)) static void conn_set_iss(struct conn_fixture *f, uint32_t iss)
{
    uint32_t ahead = iss - weiri_iss(&f->cfg, &f->tuple, f->now).v;
    f->now += (weir_us)ahead * 4;
}

static void conn_mark(struct conn_fixture *f)
{
    bool sent = f->c.state > WEIR_LISTEN, heard = f->c.state > WEIR_SYN_SENT;
    f->ours = sent ? f->c.snd.nxt : seq_of(CONN_OURS);
    f->peers = heard ? f->c.rcv.nxt : seq_of(f->peer_iss);
}

/* ---- segments to the connection ---------------------------------------------------------------------------------- */

/* Octet number n of any stream of these tests. */
static uint8_t conn_octet(uint32_t n)
{
    return (uint8_t)(n * 7 + (n >> 8));
}

/* A segment as it would come from the wire; payload octets follow from their sequence number. */
__attribute__((unused)) static void conn_input(struct conn_fixture *f, const weir_fields *fields, uint32_t len)
{
    uint8_t raw[WEIR_TCP_HEADER_MAX + 65535];
    weir_pseudo pseudo = {f->tuple.remote, f->tuple.local};
    weir_fields g = *fields;
    weir_view v;
    g.source_port = f->tuple.remote_port;
    g.destination_port = f->tuple.local_port;
    size_t header = weir_emit_header(raw, &g);
    uint32_t first = g.seq.v + (g.flags & WEIR_SYN ? 1 : 0);
    for (uint32_t i = 0; i < len; i++) {
        raw[header + i] = conn_octet(first + i);
    }
    weir_emit_checksum(raw, header + len, &pseudo);
    uint8_t *octets = guard_put(raw, header + len);
    assert_int_equal(weir_view_segment(&v, octets, header + len, &pseudo), WEIR_OK);
    v.ecn = f->mark;
    v.gso_size = f->joined;
    conn_mark(f);
    f->taken = weir_input(&f->c, &v, f->now);
    guard_free_all();
    assert_null(weir_check(&f->c));
}

/* The fields of a plain segment; flags of enum weir_flag. */
__attribute__((unused)) static weir_fields conn_fields(struct conn_fixture *f, unsigned flags, int32_t seq, int32_t ack)
{
    weir_fields g;
    memset(&g, 0, sizeof g);
    conn_mark(f);
    g.seq = seq_add(f->peers, (uint32_t)seq);
    g.ack = flags & WEIR_ACK ? seq_add(f->ours, (uint32_t)ack) : seq_of(0);
    g.flags = (uint16_t)flags;
    g.window = CONN_WINDOW;
    g.urgent = flags & WEIR_URG ? 1 : 0;
    if (flags & WEIR_SYN) {
        g.options = WEIR_OPT_MSS;
        g.mss = 1460;
    }
    return g;
}

/* SEG.SEQ = RCV.NXT + seq, SEG.ACK = SND.NXT + ack. */
__attribute__((unused)) static void conn_seg(struct conn_fixture *f, unsigned flags, int32_t seq, int32_t ack, uint32_t len)
{
    weir_fields g = conn_fields(f, flags, seq, ack);
    conn_input(f, &g, len);
}

/* ---- segments from the connection -------------------------------------------------------------------------------- */

/* The next segment that the connection sends, read again by the strict parser; false: it has nothing to say. `v->payload` is good until
 * the next call. */
__attribute__((unused)) static bool conn_poll(struct conn_fixture *f, weir_view *v)
{
    static uint8_t octets[65600];
    weir_out out;
    const weir_tuple *t = weir_sockets(&f->c);
    weir_pseudo pseudo = {t->local, t->remote};
    bool promised = weir_has_output(&f->c);
    size_t len = weir_poll(&f->c, &out, f->now);
    assert_int_equal(promised, len > 0);
    assert_null(weir_check(&f->c));
    if (len == 0) {
        return false;
    }
    f->marked = out.ecn;
    assert_int_equal(weir_out_copy(&out, octets, sizeof octets), len);
    assert_int_equal(weir_view_segment(v, octets, len, &pseudo), WEIR_OK);
    return true;
}

static void conn_write(char *text, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void conn_write(char *text, size_t cap, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + used, cap - used, format, args);
    va_end(args);
}

/* "FIN,ACK +0 +1 len 10": control bits without PSH, SEQ from what SND.NXT was, ACK from what RCV.NXT was. A SYN's SEQ is written ISS, and
 * the SEQ of a RST that answers a segment without ACK is 0. */
__attribute__((unused)) static void conn_describe(const struct conn_fixture *f, const weir_view *v, char *text, size_t cap)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {{WEIR_URG, "URG"}, {WEIR_SYN, "SYN"}, {WEIR_FIN, "FIN"}, {WEIR_RST, "RST"}, {WEIR_ACK, "ACK"}};
    const char *comma = "";
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        if (v->flags & bits[i].bit) {
            conn_write(text, cap, "%s%s", comma, bits[i].name);
            comma = ",";
        }
    }
    if (v->flags & WEIR_SYN) {
        conn_write(text, cap, seq_eq(v->seq, f->c.snd.iss) ? " ISS" : " not the ISS");
    } else if ((v->flags & (WEIR_RST | WEIR_ACK)) == (WEIR_RST | WEIR_ACK) && v->seq.v == 0) {
        conn_write(text, cap, " 0");
    } else {
        conn_write(text, cap, " %+ld", (long)(int32_t)(v->seq.v - f->ours.v));
    }
    if (v->flags & WEIR_ACK) {
        conn_write(text, cap, " %+ld", (long)(int32_t)(v->ack.v - f->peers.v));
    }
    if (v->payload_len > 0) {
        conn_write(text, cap, " len %lu", (unsigned long)v->payload_len);
    }
}

/* Everything it has to say now, as conn_describe words it, joined by "; ". Good until the next call but one. */
__attribute__((unused)) static const char *conn_says(struct conn_fixture *f)
{
    static char texts[2][512];
    static unsigned turn;
    char *text = texts[turn++ % 2];
    weir_view v;
    text[0] = '\0';
    for (unsigned i = 0; i < 32 && conn_poll(f, &v); i++) {
        conn_write(text, sizeof texts[0], i > 0 ? "; " : "%s", "");
        conn_describe(f, &v, text, sizeof texts[0]);
    }
    return text;
}

/* The answer, and the state after it. */
#define conn_expect(f, answer, state) conn_expect_at((f), (answer), (state), __FILE__, __LINE__)
__attribute__((unused)) static void conn_expect_at(struct conn_fixture *f, const char *answer, enum weir_state state, const char *file,
                                                   int line)
{
    const char *got = conn_says(f);
    if (strcmp(got, answer) != 0 || weir_state(&f->c) != state) {
        fail_msg("%s:%d: expected \"%s\" and %s, got \"%s\" and %s", file, line, answer, weir_state_name(state), got,
                 weir_state_name(weir_state(&f->c)));
    }
}

/* Nothing more is said; what was said before is of no interest. */
__attribute__((unused)) static void conn_drain(struct conn_fixture *f)
{
    (void)conn_says(f);
    conn_mark(f);
}

/* ---- time, and the user ------------------------------------------------------------------------------------------ */

__attribute__((unused)) static void conn_later(struct conn_fixture *f, weir_us span)
{
    f->now += span;
    conn_mark(f);
    weir_expire(&f->c, f->now);
    assert_null(weir_check(&f->c));
}

/* Goes on to the next deadline; false if there is none. */
__attribute__((unused)) static bool conn_wait(struct conn_fixture *f)
{
    weir_us due = weir_deadline(&f->c);
    if (due == WEIR_FOREVER) {
        return false;
    }
    conn_later(f, due > f->now ? due - f->now : 0);
    return true;
}

/* SEND of octets that follow from their sequence numbers. */
__attribute__((unused)) static weir_err conn_send(struct conn_fixture *f, uint32_t len, unsigned flags)
{
    static uint8_t octets[65536];
    weir_slice s = {octets, len};
    size_t sent;
    conn_mark(f);
    for (uint32_t i = 0; i < len; i++) {
        octets[i] = conn_octet(f->c.snd.end.v + i);
    }
    return weir_send(&f->c, s, flags, &sent, f->now);
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

__attribute__((unused)) static void conn_listen(struct conn_fixture *f)
{
    assert_int_equal(weir_listen(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
}

__attribute__((unused)) static void conn_connect(struct conn_fixture *f)
{
    assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    conn_drain(f);
}

__attribute__((unused)) static void conn_close(struct conn_fixture *f)
{
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    conn_drain(f);
}

__attribute__((unused)) static void conn_take(struct conn_fixture *f, unsigned flags, int32_t seq, int32_t ack, uint32_t len)
{
    conn_seg(f, flags, seq, ack, len);
    conn_drain(f);
}

/* From CLOSED, over the states on the way, by one active open (SYN-RECEIVED: by a passive one); nothing waits to be sent. */
__attribute__((unused)) static void conn_go(struct conn_fixture *f, enum weir_state state)
{
    const unsigned ack = WEIR_ACK, fin = WEIR_FIN | WEIR_ACK;
    if (state == WEIR_CLOSED) {
        conn_mark(f);
        return;
    }
    if (state == WEIR_LISTEN || state == WEIR_SYN_RECEIVED) {
        conn_listen(f);
        conn_mark(f);
        if (state == WEIR_SYN_RECEIVED) {
            conn_take(f, WEIR_SYN, 0, 0, 0);
        }
        return;
    }
    conn_connect(f);
    if (state == WEIR_SYN_SENT) {
        return;
    }
    conn_take(f, WEIR_SYN | WEIR_ACK, 0, 0, 0);
    if (state == WEIR_ESTABLISHED) {
        return;
    }
    if (state == WEIR_CLOSE_WAIT || state == WEIR_LAST_ACK) {
        conn_take(f, fin, 0, 0, 0);
        if (state == WEIR_LAST_ACK) {
            conn_close(f);
        }
        return;
    }
    conn_close(f);
    if (state == WEIR_CLOSING) {
        conn_take(f, fin, 0, -1, 0);
    } else if (state != WEIR_FIN_WAIT_1) {
        conn_take(f, ack, 0, 0, 0);
        if (state == WEIR_TIME_WAIT) {
            conn_take(f, fin, 0, 0, 0);
        }
    }
}

/* A connection in this state. */
__attribute__((unused)) static struct conn_fixture *conn_in(enum weir_state state)
{
    struct conn_fixture *f = conn_new();
    conn_go(f, state);
    assert_string_equal(weir_state_name(weir_state(&f->c)), weir_state_name(state));
    return f;
}

#endif /* WEIR_TESTS_CONN_FIXTURE_H */
