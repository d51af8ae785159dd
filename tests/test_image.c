/* test_image.c - a connection that was kept and comes back: weir_check refuses one in which a field has been changed to what cannot be (V39).
 *
 * A connection is a value, so an image of it is its octets. Each change here is of one field; the image as it was is taken before and after.
 * Places and sizes of lent memory are the keeper's to guard: weir_check follows them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

struct change {
    const char *field;
    size_t offset, size;
    uint64_t value;
    bool flip; /* the value is added to what is there, modulo its size */
};

#define SET(field, value) {#field " = " #value, offsetof(weir_conn, field), sizeof(((weir_conn *)0)->field), (uint64_t)(value), false}
#define ADD(field, value) {#field " += " #value, offsetof(weir_conn, field), sizeof(((weir_conn *)0)->field), (uint64_t)(value), true}

/* Of a connection with text in flight, text to read, and a run out of order. */
static const struct change changes[] = {
    SET(state, WEIR_STATE_COUNT), SET(state, 255), SET(state, WEIR_SYN_SENT), SET(state, WEIR_SYN_RECEIVED), SET(state, WEIR_FIN_WAIT_1),
    SET(state, WEIR_FIN_WAIT_2), SET(state, WEIR_CLOSE_WAIT), SET(state, WEIR_CLOSING), SET(state, WEIR_LAST_ACK), SET(state, WEIR_TIME_WAIT),
    SET(state, WEIR_CLOSED), SET(state, WEIR_LISTEN),
    ADD(snd.una, 0x40000000), ADD(snd.una, -100000), ADD(snd.nxt, 100000), ADD(snd.nxt, -100000), ADD(snd.nxt, 0x80000000), ADD(snd.end, 100000),
    ADD(snd.end, -100000), SET(snd.wnd, UINT32_MAX), SET(snd.max_wnd, UINT32_MAX),
    SET(shift_snd, 15), SET(shift_rcv, 15), SET(shift_snd, 255), SET(mss_snd, 1), SET(mss_snd, 63),
    ADD(rcv.nxt, 100000), ADD(rcv.nxt, -100000), ADD(rcv.usr, 100000), ADD(rcv.usr, -100000), ADD(rcv.adv, 0x60000000), ADD(rcv.adv, -100000),
    ADD(rcv.acked, 100000), SET(rx_size, 256), SET(tx_size, 0), SET(rx_size, 0),
    SET(span_count, 65535), SET(span_count, 0x100), SET(span_head, 65535), SET(span_cap, 0), SET(stamp, 0),
    SET(board.count, 0), SET(board.octets, 0), SET(board.sacked, 1), SET(board.lost, 1), SET(board.resent, 1),
    SET(cc.cwnd, 0), SET(cc.cwnd, UINT32_MAX), SET(cc.hystart.phase, 255), SET(timer, 0), SET(rexmt_at, UINT64_MAX), SET(rack.timer, 1),
    SET(ack_at, UINT64_MAX - 1), SET(challenges, 255), SET(undo.step, 1), SET(ecn, 255),
};

static struct conn_fixture *image_begin(void)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    conn_take(f, WEIR_ACK, 0, 0, 500);
    conn_take(f, WEIR_ACK, 100, 0, 50);
    (void)conn_send(f, 300, WEIR_SEND_PUSH);
    conn_drain(f);
    return f;
}

static void image_change(weir_conn *c, const struct change *k)
{
    uint8_t *at = (uint8_t *)c + k->offset;
    uint64_t value = k->value;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (k->size) {
    case 1: u8 = (uint8_t)value; memcpy(at, &u8, 1); break;
    case 2: u16 = (uint16_t)value; memcpy(at, &u16, 2); break;
    case 4:
        memcpy(&u32, at, 4);
        u32 = (uint32_t)value + (k->flip ? u32 : 0);
        memcpy(at, &u32, 4);
        break;
    default: memcpy(at, &value, 8); break;
    }
}

static void test_an_image_with_one_field_changed(void **state)
{
    struct conn_fixture *f = image_begin();
    const weir_conn kept = f->c;
    unsigned passed = 0;
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        f->c = kept;
        assert_null(weir_check(&f->c));
        image_change(&f->c, &changes[i]);
        if (weir_check(&f->c) == NULL) {
            print_error("%s: nobody notices\n", changes[i].field);
            passed++;
        }
    }
    assert_int_equal(passed, 0);
}

/* The spans are outside the value, in memory that comes back with it. */
static void test_an_image_with_a_span_changed(void **state)
{
    struct conn_fixture *f = image_begin();
    struct weir_span kept;
    (void)state;
    assert_int_equal(f->c.span_count, 1);
    kept = f->c.spans[0];
    for (unsigned i = 0; i < 5; i++) {
        struct weir_span s = kept;
        switch (i) {
        case 0: s.from = f->c.rcv.nxt; break;
        case 1: s.to = s.from; break;
        case 2: s.to = seq_add(f->c.rcv.adv, 1); break;
        case 3: s.stamp = 0; break;
        default: s.stamp = f->c.stamp + 1; break;
        }
        f->c.spans[0] = s;
        assert_non_null(weir_check(&f->c));
        f->c.spans[0] = kept;
        assert_null(weir_check(&f->c));
    }
}

/* ---- each invariant by its words ---------------------------------------------------------------------------------------------------- */

/* The change is seen for what it is; and when it is undone, nothing is. */
#define BROKEN(f, change, says)                                          \
    do {                                                                 \
        static weir_conn kept;                                           \
        weir_conn *c = &(f)->c;                                          \
        kept = *c;                                                       \
        change;                                                          \
        const char *broken = weir_check(c);                              \
        assert_string_equal(broken != NULL ? broken : "nothing", (says)); \
        *c = kept;                                                       \
        assert_null(weir_check(c));                                      \
    } while (0)

static void test_what_is_sent(void **state)
{
    struct conn_fixture *f = image_begin();
    (void)state;
    BROKEN(f, c->snd.una = seq_add(c->snd.nxt, 1), "SND.UNA passes SND.NXT");
    BROKEN(f, c->snd.nxt = seq_add(c->snd.end, 1), "SND.NXT passes what was committed");
    BROKEN(f, c->tx_size = 256, "more committed than the send ring holds");
    BROKEN(f, c->snd.wnd = c->snd.max_wnd + 1, "SND.WND above its maximum");
    BROKEN(f, c->snd.max_wnd = (65535u << 14) + 1, "MAX.SND.WND above 2^30 (RFC 7323 2.3)");
    BROKEN(f, c->shift_snd = 15, "a window shift above 14");
    BROKEN(f, c->shift_rcv = 15, "a window shift above 14");
    BROKEN(f, c->mss_snd = 63, "a send MSS that options would eat up");
    BROKEN(f, c->cc.cwnd = 0, "a congestion window of nothing");
    BROKEN(f, c->cc.cwnd = WEIRI_CWND_MAX + 1, "a congestion window above 2^30");
    BROKEN(f, c->cc.hystart.phase = 255, "HyStart++ in no phase");
    BROKEN(f, c->cwv.since = 1, "a window is not validated and nobody asked");
    BROKEN(f, c->undo.step = WEIRI_FRTO_WAIT, "F-RTO runs and no timeout is being recovered from");
    BROKEN(f, conn_set(c, WEIRI_RECOVERY | WEIRI_LOSS, true), "fast recovery and timeout recovery at once");
    BROKEN(f, c->state = WEIR_CLOSED, "records of sent text without a connection");
    BROKEN(f, c->board.count = c->board.cap + 1, "board: records pass the end of their memory");
    BROKEN(f, c->pace.next = WEIR_FOREVER, "the next segment is paced further away than a round trip");
    BROKEN(f, c->pace.waits = 1, "text waits for its time, which has come");
    f->cfg.cwv = true;
    BROKEN(f, (c->cwv.since = 1, c->cwv.from = seq_add(c->snd.nxt, 1)), "a sample of octets never sent");
    f->cfg.cc = WEIR_CC_BBR;
    BROKEN(f, c->cc.bbr.phase = 255, "BBR in no phase");
}

static void test_what_has_come(void **state)
{
    struct conn_fixture *f = image_begin(), *empty = conn_in(WEIR_ESTABLISHED), *closed = conn_in(WEIR_CLOSE_WAIT);
    (void)state;
    BROKEN(f, c->rcv.usr = seq_add(c->rcv.nxt, 1), "the user read past RCV.NXT");
    BROKEN(f, c->rcv.adv = seq_sub(c->rcv.nxt, 1), "RCV.NXT passes the edge that was promised");
    BROKEN(f, c->span_count = (uint16_t)(c->span_cap + 1), "more spans than there is memory for");
    BROKEN(f, c->rx_size = 512, "the receive ring holds more than it has places");
    BROKEN(f, c->rcv.adv = seq_add(c->rcv.usr, (1u << 30) + 2), "a promise beyond the largest window");
    BROKEN(f, c->rcv.acked = seq_add(c->rcv.nxt, 1), "acknowledged what did not come");
    BROKEN(f, c->rcv.adv = c->spans[0].from, "a span beyond the promised edge");
    BROKEN(f, (c->rcv.up = c->rcv.usr, conn_set(c, WEIRI_URG_RCV, true)), "urgent data ahead that was read");
    BROKEN(empty, c->rx_size = 0, "spans without a ring");
    BROKEN(closed, conn_set(c, WEIRI_FIN_KNOWN, false), "FIN taken and not known");
    BROKEN(closed, c->rcv.fin = c->rcv.nxt, "RCV.NXT is not past the FIN that was taken");
    closed->c.spans[0].from = closed->c.spans[0].to = closed->c.rcv.nxt;
    BROKEN(closed, c->span_count = 1, "text beyond the peer's FIN");
}

/* A connection that is said to be in another state than the one it is in. */
static void test_what_a_state_means(void **state)
{
    static const struct {
        enum weir_state in, said;
        const char *says;
    } rows[] = {
        {WEIR_ESTABLISHED, WEIR_STATE_COUNT, "no such state"},
        {WEIR_CLOSE_WAIT, WEIR_ESTABLISHED, "ESTABLISHED with a FIN"},
        {WEIR_FIN_WAIT_1, WEIR_ESTABLISHED, "ESTABLISHED with a FIN"},
        {WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, "FIN-WAIT-1 means: closed here, not acknowledged, not closed there"},
        {WEIR_FIN_WAIT_2, WEIR_FIN_WAIT_1, "FIN-WAIT-1 means: closed here, not acknowledged, not closed there"},
        {WEIR_CLOSING, WEIR_FIN_WAIT_1, "FIN-WAIT-1 means: closed here, not acknowledged, not closed there"},
        {WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, "FIN-WAIT-2 means: our FIN acknowledged, none from the peer"},
        {WEIR_TIME_WAIT, WEIR_FIN_WAIT_2, "FIN-WAIT-2 means: our FIN acknowledged, none from the peer"},
        {WEIR_ESTABLISHED, WEIR_CLOSE_WAIT, "CLOSE-WAIT means: closed there, not here"},
        {WEIR_LAST_ACK, WEIR_CLOSE_WAIT, "CLOSE-WAIT means: closed there, not here"},
        {WEIR_FIN_WAIT_1, WEIR_CLOSING, "CLOSING means: both closed, ours not acknowledged"},
        {WEIR_CLOSE_WAIT, WEIR_CLOSING, "CLOSING means: both closed, ours not acknowledged"},
        {WEIR_TIME_WAIT, WEIR_CLOSING, "CLOSING means: both closed, ours not acknowledged"},
        {WEIR_FIN_WAIT_1, WEIR_LAST_ACK, "LAST-ACK means: both closed, ours not acknowledged"},
        {WEIR_CLOSE_WAIT, WEIR_LAST_ACK, "LAST-ACK means: both closed, ours not acknowledged"},
        {WEIR_TIME_WAIT, WEIR_LAST_ACK, "LAST-ACK means: both closed, ours not acknowledged"},
        {WEIR_CLOSING, WEIR_TIME_WAIT, "TIME-WAIT means: both closed, ours acknowledged"},
        {WEIR_FIN_WAIT_2, WEIR_TIME_WAIT, "TIME-WAIT means: both closed, ours acknowledged"},
        {WEIR_ESTABLISHED, WEIR_SYN_SENT, "SYN-SENT with the SYN acknowledged"},
        {WEIR_ESTABLISHED, WEIR_SYN_RECEIVED, "SYN-RECEIVED with the SYN acknowledged"},
        {WEIR_ESTABLISHED, WEIR_CLOSED, "nothing"}, /* as if it was reset */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct conn_fixture *f = conn_in(rows[i].in);
        f->c.state = (uint8_t)rows[i].said;
        const char *broken = weir_check(&f->c);
        assert_string_equal(broken != NULL ? broken : "nothing", rows[i].says);
    }
    BROKEN(conn_in(WEIR_TIME_WAIT), c->life_at = WEIR_FOREVER, "TIME-WAIT without an end");
    BROKEN(conn_in(WEIR_FIN_WAIT_2), conn_set(c, WEIRI_RELEASED, true), "released in FIN-WAIT-2 without an end");
}

static void test_what_is_waited_for(void **state)
{
    struct conn_fixture *f = image_begin(), *idle = conn_in(WEIR_ESTABLISHED), *last = conn_in(WEIR_TIME_WAIT), *none = conn_in(WEIR_CLOSED);
    const unsigned agreed = WEIRI_ECN_ASKED | WEIRI_ECN_HEARD;
    (void)state;
    BROKEN(f, c->ecn = WEIRI_ECN_ECHO, "congestion is echoed to a peer that was not asked");
    BROKEN(f, c->ecn = WEIRI_ECN_CWR, "an echo was answered that nobody has agreed to");
    BROKEN(f, (c->ecn = (uint8_t)(agreed | WEIRI_ECN_REDUCED), c->ecn_end = seq_add(c->snd.nxt, 1)),
           "the window was reduced for octets never sent");
    BROKEN(idle, c->ecn = (uint8_t)(agreed | WEIRI_ECN_WAIT), "a mark is waited out and no timer runs");
    BROKEN(f, c->timer = WEIRI_TIMER_NONE, "the send timer runs without a purpose, or has one and does not run");
    BROKEN(f, c->rexmt_at = WEIR_FOREVER, "the send timer runs without a purpose, or has one and does not run");
    BROKEN(f, (c->timer = WEIRI_TIMER_NONE, c->rexmt_at = WEIR_FOREVER), "something is outstanding and no timer runs");
    BROKEN(idle, (c->snd.wnd = 0, c->snd.end = seq_add(c->snd.end, 1)), "something is outstanding and no timer runs");
    BROKEN(f, c->rack.timer = WEIRI_RACK_PROBE, "RACK-TLP's timer runs without a purpose, or has one");
    BROKEN(idle, (c->rack.timer = WEIRI_RACK_PROBE, c->rack.at = 0), "RACK-TLP's timer runs and the retransmission timer does not");
    BROKEN(idle, c->rack.due = 1, "a probe for a lost tail is due and nothing is outstanding");
    BROKEN(last, (c->timer = WEIRI_TIMER_RESEND, c->rexmt_at = 0), "the send timer runs and nothing can be outstanding");
    BROKEN(none, c->keep_at = 0, "CLOSED waits for something");
    BROKEN(f, c->ack_at = WEIR_FOREVER - 1, "an ACK held longer than configured");
    BROKEN(f, c->challenges = (uint8_t)(c->cfg->challenge_count + 1), "more challenge ACKs than the budget");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image_with_one_field_changed),
        cmocka_unit_test(test_an_image_with_a_span_changed),
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_what_has_come),
        cmocka_unit_test(test_what_a_state_means),
        cmocka_unit_test(test_what_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
