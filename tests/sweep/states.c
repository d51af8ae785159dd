/* states.c - every mix of the nine control bits, in every state, with sequence numbers, acknowledgments and lengths at every edge (V21);
 * every urgent pointer with every short text (V20).
 *
 * What must happen is worked out here from whole numbers that do not wrap, and from the switch of fsm_reference.h: which state follows, and
 * what is answered. Nothing of lib/conn/facts.c or rows.h is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "conn_fixture.h"
#include "fsm_reference.h"

enum { MIXES = 512, PEER_WINDOW = CONN_WINDOW, IN_FLIGHT = 10 };

/* What the sweep knows of a connection that it has built: numbers count from RCV.NXT and from SND.NXT. */
struct start {
    const char *name;
    struct conn_fixture *f;
    unsigned state;
    int64_t window;          /* RCV.WND */
    int64_t flight, acked;   /* SND.NXT - SND.UNA; numbers after the SYN that were ever acknowledged */
    int64_t irs;             /* IRS - RCV.NXT */
    bool passive, closed, fin_taken, fin_sent;
};

struct segment {
    unsigned flags;
    int64_t seq, ack, len;
};

static struct start starts[32];
static unsigned start_count;
static struct conn_fixture saved;
static uint64_t tried;

/* ---- what must happen ------------------------------------------------------------------------------------------------ */

static bool sweep_within(int64_t at, int64_t window)
{
    return at >= 0 && at < window;
}

/* Table 6 of RFC 9293 3.10.7.4. A bare ACK may stand at the edge (ARCHITECTURE.md). */
static bool sweep_acceptable(int64_t seq, int64_t len, int64_t window, bool ack)
{
    if (len == 0) {
        return sweep_within(seq, window) || (seq == window && (window == 0 || ack));
    }
    return window > 0 && (sweep_within(seq, window) || sweep_within(seq + len - 1, window));
}

#define FACT(name, holds) facts |= (holds) ? (uint32_t)WEIRI_F_##name : 0

static uint32_t sweep_receive_facts(const struct start *s, const struct segment *g)
{
    const bool syn = g->flags & WEIR_SYN, fin = g->flags & WEIR_FIN, rst = g->flags & WEIR_RST;
    const int64_t all = g->len + syn + fin, text_end = g->seq + syn + g->len, end = g->seq + all;
    const bool ok = sweep_acceptable(g->seq, rst ? 0 : all, s->window, (g->flags & (WEIR_ACK | WEIR_RST)) == WEIR_ACK);
    uint32_t facts = 0;
    FACT(SEQ_OK, ok);
    FACT(SEQ_NEXT, g->seq == 0);
    FACT(SEQ_PROBE, !ok && g->seq == 0 && s->window == 0);
    FACT(TEXT, ok && (g->len > 0 || fin) && end > 0);
    FACT(OCTETS, ok && g->len > 0 && text_end > 0);
    FACT(FIN_REACHED, ok && fin && !syn && g->seq <= 0 && end > 0 && end <= s->window);
    FACT(FIN_AGAIN, fin && s->fin_taken && end == 0);
    FACT(SYN_AGAIN, syn && !(g->flags & WEIR_ACK) && g->seq == s->irs);
    return facts;
}

static uint32_t sweep_ack_facts(const struct start *s, const struct segment *g)
{
    const int64_t age = -s->flight - g->ack; /* how far before SND.UNA */
    const int64_t most = s->state < WEIR_ESTABLISHED ? 0 : PEER_WINDOW;
    uint32_t facts = 0;
    if (g->flags & WEIR_ACK) {
        FACT(ACK_FUTURE, g->ack > 0);
        FACT(ACK_NEW, g->ack <= 0 && age < 0);
        FACT(ACK_FIN, s->fin_sent && s->flight > 0 && g->ack == 0);
        FACT(ACK_OLD, age >= 0 && (age > s->acked || age > most));
    }
    return facts;
}

/* RFC 6191: without timestamps a later number. */
static bool sweep_reuse(const struct start *s, const struct segment *g)
{
    return s->state == WEIR_TIME_WAIT && (g->flags & WEIR_SYN) && g->seq > -1;
}

static uint32_t sweep_facts(const struct start *s, const struct segment *g)
{
    const bool synced = s->state >= WEIR_SYN_RECEIVED;
    uint32_t facts = 0;
    FACT(SYN, g->flags & WEIR_SYN);
    FACT(FIN, g->flags & WEIR_FIN);
    FACT(RST, g->flags & WEIR_RST);
    FACT(ACK, g->flags & WEIR_ACK);
    FACT(URG, g->flags & WEIR_URG);
    FACT(PASSIVE, s->passive);
    FACT(CLOSED, s->closed);
    FACT(REMOTE, true);
    FACT(REUSE, sweep_reuse(s, g));
    facts |= s->state >= WEIR_SYN_SENT ? sweep_ack_facts(s, g) : 0;
    facts |= synced ? sweep_receive_facts(s, g) : 0;
    return facts;
}

/* The one segment that an action asks for; 0: none. */
static unsigned sweep_answer_of(enum weiri_action action)
{
    switch (action) {
    case WEIRI_ACT_SEND_ACK:
    case WEIRI_ACT_CHALLENGE_ACK:
    case WEIRI_ACT_RESTART_2MSL:
    case WEIRI_ACT_TAKE_SYN_ACK:
    case WEIRI_ACT_TAKE_TEXT:
    case WEIRI_ACT_TAKE_FIN:
    case WEIRI_ACT_TAKE_LAST_FIN: return WEIR_ACK;
    case WEIRI_ACT_RST_FROM_ACK: return WEIR_RST;
    case WEIRI_ACT_RST_FROM_SEQ: return WEIR_RST | WEIR_ACK;
    case WEIRI_ACT_TAKE_SYN:
    case WEIRI_ACT_CROSS_SYN:
    case WEIRI_ACT_RESEND_SYN_ACK: return WEIR_SYN | WEIR_ACK;
    default: return 0;
    }
}

static unsigned sweep_answer(const struct reference *r)
{
    unsigned answer = 0;
    for (unsigned i = 0; i < r->count; i++) {
        const unsigned one = sweep_answer_of(r->did[i]);
        answer = one != 0 ? one : answer;
    }
    return answer;
}

/* ---- what happens --------------------------------------------------------------------------------------------------------- */

static void sweep_fail(const struct start *s, const struct segment *g, const char *what)
{
    fail_msg("%s, flags %03x, SEG.SEQ = RCV.NXT %+lld, SEG.ACK = SND.NXT %+lld, %lld octets: %s", s->name, g->flags, (long long)g->seq,
             (long long)g->ack, (long long)g->len, what);
}

/* Control bits of all that is said now, PSH aside; 0: nothing. More than one segment is a fault. */
static unsigned sweep_says(const struct start *s, const struct segment *g)
{
    weir_out out;
    unsigned said = 0;
    for (unsigned count = 0; weir_poll(&s->f->c, &out, s->f->now) > 0; count++) {
        said = out.room[out.header_at + 13] & ~(unsigned)WEIR_PSH;
        if (count > 0) {
            sweep_fail(s, g, "more than one segment in answer");
        }
    }
    return said;
}

static void sweep_one(const struct start *s, const struct segment *g)
{
    static uint8_t octets[64];
    struct conn_fixture *f = s->f;
    struct reference r;
    weir_view v;
    memset(&r, 0, sizeof r);
    r.state = s->state;
    r.facts = sweep_facts(s, g);
    reference_segment(&r);
    memset(&v, 0, sizeof v);
    v.seq = seq_add(s->state < WEIR_SYN_RECEIVED ? seq_of((uint32_t)CONN_PEERS) : f->c.rcv.nxt, (uint32_t)g->seq);
    v.ack = g->flags & WEIR_ACK ? seq_add(s->state < WEIR_SYN_SENT ? seq_of((uint32_t)CONN_OURS) : f->c.snd.nxt, (uint32_t)g->ack) : seq_of(0);
    v.flags = (uint16_t)g->flags;
    v.window = PEER_WINDOW;
    v.urgent = g->flags & WEIR_URG ? 1 : 0;
    v.header_len = 20;
    v.payload = octets;
    v.payload_len = (uint32_t)g->len;
    f->taken = weir_input(&f->c, &v, f->now);
    tried++;
    if (f->c.state != r.state) {
        sweep_fail(s, g, weir_state_name(weir_state(&f->c)));
    }
    if (sweep_says(s, g) != sweep_answer(&r)) {
        sweep_fail(s, g, "this is not the answer");
    }
    if (weir_check(&f->c) != NULL) {
        sweep_fail(s, g, weir_check(&f->c));
    }
}

/* ---- where it begins ------------------------------------------------------------------------------------------------------- */

static struct start *sweep_start(const char *name, struct conn_fixture *f)
{
    struct start *s = &starts[start_count++];
    const unsigned state = f->c.state;
    s->name = name;
    s->f = f;
    s->state = state;
    s->window = state >= WEIR_SYN_RECEIVED ? CONN_RX : 0;
    s->irs = -1;
    s->flight = state == WEIR_SYN_SENT || state == WEIR_SYN_RECEIVED ? 1 : 0;
    s->passive = state == WEIR_LISTEN || state == WEIR_SYN_RECEIVED;
    s->fin_taken = state == WEIR_CLOSE_WAIT || state == WEIR_CLOSING || state == WEIR_LAST_ACK || state == WEIR_TIME_WAIT;
    s->closed = state > WEIR_ESTABLISHED && state != WEIR_CLOSE_WAIT;
    s->fin_sent = s->closed;
    s->flight += state == WEIR_FIN_WAIT_1 || state == WEIR_CLOSING || state == WEIR_LAST_ACK;
    s->acked = s->closed && s->flight == 0 ? 1 : 0;
    s->irs -= s->fin_taken;
    s->window -= s->fin_taken;
    return s;
}

/* Each edge of the window, of what is in flight, and of the space itself. */
static void sweep_segments(const struct start *s)
{
    const int64_t half = INT64_C(1) << 31, w = s->window, fl = s->flight;
    const int64_t seqs[] = {0, 1, -1, -2, -10, -11, w - 10, w - 1, w, w + 1, half - 20, -half, s->irs};
    const int64_t acks[] = {0, 1, -fl, -fl - 1, -fl - 2, -fl + 1, -fl - PEER_WINDOW, -fl - PEER_WINDOW - 1, half - 20, -half + 20};
    static const int64_t lens[] = {0, 1, 10, 11};
    saved = *s->f;
    for (unsigned flags = 0; flags < MIXES; flags++) {
        for (size_t q = 0; q < sizeof seqs / sizeof *seqs; q++) {
            for (size_t a = 0; a < (flags & WEIR_ACK ? sizeof acks / sizeof *acks : 1); a++) {
                for (size_t n = 0; n < sizeof lens / sizeof *lens; n++) {
                    const struct segment g = {flags, seqs[q], acks[a], lens[n]};
                    *s->f = saved;
                    sweep_one(s, &g);
                }
            }
        }
    }
    *s->f = saved;
}

static struct conn_fixture *sweep_in(enum weir_state state)
{
    struct conn_fixture *f = conn_in(state == WEIR_CLOSED ? WEIR_SYN_SENT : state);
    if (state == WEIR_CLOSED) { /* with a peer, who may be answered */
        (void)weir_abort(&f->c, f->now);
        conn_drain(f);
    }
    return f;
}

static void test_every_mix_in_every_state(void **unused)
{
    (void)unused;
    for (unsigned state = 0; state < WEIR_STATE_COUNT; state++) {
        start_count = 0;
        sweep_segments(sweep_start(weir_state_name((enum weir_state)state), sweep_in((enum weir_state)state)));
    }
}

static void test_text_in_flight(void **unused)
{
    static const enum weir_state states[] = {WEIR_ESTABLISHED, WEIR_CLOSE_WAIT};
    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        start_count = 0;
        struct conn_fixture *f = sweep_in(states[i]);
        (void)conn_send(f, IN_FLIGHT, WEIR_SEND_PUSH);
        conn_drain(f);
        struct start *s = sweep_start(i == 0 ? "ESTABLISHED, text in flight" : "CLOSE-WAIT, text in flight", f);
        s->flight = IN_FLIGHT;
        sweep_segments(s);
    }
}

static void test_a_window_of_zero(void **unused)
{
    (void)unused;
    start_count = 0;
    struct conn_fixture *f = sweep_in(WEIR_ESTABLISHED);
    conn_take(f, WEIR_ACK, 0, 0, CONN_RX);
    struct start *s = sweep_start("ESTABLISHED, our window is 0", f);
    s->window = 0;
    s->irs = -1 - (int64_t)CONN_RX;
    sweep_segments(s);
}

static void test_a_crossed_open(void **unused)
{
    (void)unused;
    start_count = 0;
    struct conn_fixture *f = sweep_in(WEIR_SYN_SENT);
    conn_take(f, WEIR_SYN, 0, 0, 0);
    struct start *s = sweep_start("SYN-RECEIVED by a crossed open", f);
    s->passive = false;
    sweep_segments(s);
}

/* ---- V20 ------------------------------------------------------------------------------------------------------------------- */

/* The urgent pointer names the octet after the urgent text (RFC 9293 3.8.5): what is ahead of the user is as much as it says, in states
 * that receive; text stays in line (RFC 6093). */
static void test_every_urgent_pointer(void **unused)
{
    static const uint8_t octets[8] = {0};
    (void)unused;
    for (unsigned state = WEIR_SYN_RECEIVED; state < WEIR_STATE_COUNT; state++) {
        struct conn_fixture *f = sweep_in((enum weir_state)state);
        const bool receiving = state == WEIR_SYN_RECEIVED || state == WEIR_ESTABLISHED || state == WEIR_FIN_WAIT_1 || state == WEIR_FIN_WAIT_2;
        saved = *f;
        for (uint32_t urgent = 0; urgent < 65536; urgent++) {
            for (uint32_t len = 0; len <= 8; len++) {
                weir_view v;
                size_t readable;
                *f = saved;
                memset(&v, 0, sizeof v);
                v.seq = f->c.rcv.nxt;
                v.ack = f->c.snd.nxt;
                v.flags = WEIR_ACK | WEIR_URG;
                v.window = PEER_WINDOW;
                v.urgent = (uint16_t)urgent;
                v.payload = octets;
                v.payload_len = len;
                (void)weir_input(&f->c, &v, f->now);
                (void)weir_rx_peek(&f->c, &readable);
                tried++;
                if (weir_urgent(&f->c) != (receiving ? urgent : 0) || (f->c.state != WEIR_CLOSED && readable != (receiving ? len : 0))) {
                    fail_msg("%s, urgent %u, %u octets: %u ahead, %u to read", weir_state_name((enum weir_state)state), (unsigned)urgent,
                             (unsigned)len, (unsigned)weir_urgent(&f->c), (unsigned)readable);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_mix_in_every_state), cmocka_unit_test(test_text_in_flight),
        cmocka_unit_test(test_a_window_of_zero),         cmocka_unit_test(test_a_crossed_open),
        cmocka_unit_test(test_every_urgent_pointer),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    printf("swept: %llu cases of states, control bits and urgent pointers\n", (unsigned long long)tried);
    return failed;
}
