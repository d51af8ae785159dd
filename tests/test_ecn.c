/* test_ecn.c - explicit congestion notification: RFC 3168 6.1, RFC 8311, RFC 8511. What vectors cannot see or set: windows in octets, with
 * every recovery; probes of the tail; what is taken back; IP headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"
#include "stack_world.h"

enum { MSS = 388, RTT = 10000, ECT0 = 2, CE = 3, BOTH = WEIR_ECE | WEIR_CWR };

static const weir_block nothing_held;

static struct conn_fixture *ecn_new(void)
{
    struct conn_fixture *f = conn_new();
    f->cfg.mtu = MSS + 40;
    f->cfg.ecn = WEIR_ECN_OFFER;
    return f;
}

/* The SYN goes, and is answered with these bits. */
static unsigned ecn_open(struct conn_fixture *f, unsigned answer)
{
    weir_view v;
    assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    unsigned offered = 0;
    while (conn_poll(f, &v)) {
        offered = v.flags & (unsigned)BOTH;
    }
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK | answer, 0, 0);
    g.options |= (uint16_t)(f->cfg.sack ? WEIR_OPT_SACK_OK : 0);
    conn_later(f, RTT);
    conn_input(f, &g, 0);
    conn_drain(f);
    return offered;
}

/* `count` segments in flight, cwnd just that. */
static void ecn_fly(struct conn_fixture *f, unsigned count)
{
    weir_view v;
    f->c.cc.cwnd = count * MSS;
    f->c.cc.ssthresh = 65535;
    assert_int_equal(conn_send(f, count * MSS, 0), WEIR_ERR_NONE);
    for (unsigned i = 0; i < count; i++) {
        assert_true(conn_poll(f, &v));
        assert_int_equal(f->marked, ECT0);
    }
    conn_drain(f);
    conn_later(f, RTT / 2);
}

static struct conn_fixture *ecn_flying(unsigned count)
{
    struct conn_fixture *f = ecn_new();
    (void)ecn_open(f, WEIR_ECE);
    ecn_fly(f, count);
    return f;
}

/* `acked` segments of all that were sent are acknowledged, `held` besides. */
static void ecn_take(struct conn_fixture *f, unsigned acked, unsigned flags, weir_block held)
{
    weir_fields g = conn_fields(f, WEIR_ACK | flags, 0, 0);
    g.ack = seq_add(f->c.snd.iss, 1 + acked * MSS);
    if (held.to.v > 0) {
        g.options = WEIR_OPT_SACK;
        g.sack[0].from = seq_add(f->c.snd.iss, 1 + held.from.v * MSS);
        g.sack[0].to = seq_add(f->c.snd.iss, 1 + held.to.v * MSS);
        g.sack_count = 1;
    }
    conn_input(f, &g, 0);
}

static void ecn_ack(struct conn_fixture *f, unsigned acked, unsigned flags)
{
    ecn_take(f, acked, flags, nothing_held);
}

/* The control bits of what it says next, ECN's only. */
static unsigned ecn_next(struct conn_fixture *f)
{
    weir_view v;
    assert_true(conn_poll(f, &v));
    return v.flags & (unsigned)BOTH;
}

/* ---- 6.1.1 ------------------------------------------------------------------------------------------------------- */

static void who_asks_and_who_is_answered(void **state)
{
    const unsigned answers[] = {0, WEIR_ECE, WEIR_CWR, BOTH, WEIR_ECE | WEIR_AE};
    (void)state;
    for (unsigned use = 0; use < WEIR_ECN_COUNT; use++) {
        for (unsigned i = 0; i < sizeof answers / sizeof answers[0]; i++) {
            struct conn_fixture *f = ecn_new();
            f->cfg.ecn = (uint8_t)use;
            unsigned offered = ecn_open(f, answers[i]);
            bool agreed = use == WEIR_ECN_OFFER && (answers[i] & (unsigned)BOTH) == WEIR_ECE;
            weir_info info;
            assert_int_equal(offered, use == WEIR_ECN_OFFER ? (unsigned)BOTH : 0);
            weir_info_get(&f->c, &info);
            assert_int_equal(info.ecn, agreed);
            assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
            assert_int_equal(ecn_next(f), 0);
            assert_int_equal(f->marked, agreed ? ECT0 : 0);
        }
    }
}

static void who_is_asked_and_what_it_answers(void **state)
{
    const unsigned asked[] = {0, WEIR_ECE, WEIR_CWR, BOTH, BOTH | WEIR_AE};
    (void)state;
    for (unsigned use = 0; use < WEIR_ECN_COUNT; use++) {
        for (unsigned i = 0; i < sizeof asked / sizeof asked[0]; i++) {
            struct conn_fixture *f = ecn_new();
            f->cfg.ecn = (uint8_t)use;
            conn_listen(f);
            conn_seg(f, WEIR_SYN | asked[i], 0, 0, 0);
            bool agreed = use != WEIR_ECN_OFF && (asked[i] & (unsigned)BOTH) == (unsigned)BOTH;
            assert_int_equal(ecn_next(f), agreed ? WEIR_ECE : 0);
            assert_int_equal(f->marked, 0);
            assert_int_equal(weiri_ecn_ok(&f->c), agreed);
        }
    }
}

static void what_was_agreed_ends_with_the_connection(void **state)
{
    struct conn_fixture *f = ecn_flying(1);
    (void)state;
    f->mark = CE;
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    f->mark = 0;
    assert_true(f->c.ecn & WEIRI_ECN_ECHO);
    conn_seg(f, WEIR_RST, 0, 0, 0);
    assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
    assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    assert_int_equal(f->c.ecn, 0);
}

/* ---- 6.1.3 ------------------------------------------------------------------------------------------------------- */

static void marks_are_counted_and_echoed(void **state)
{
    struct conn_fixture *f = ecn_flying(1);
    weir_info info;
    (void)state;
    ecn_ack(f, 1, 0);
    f->cfg.quick_acks = f->c.quick_acks = 0;
    f->mark = CE;
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    assert_int_equal(ecn_next(f), WEIR_ECE); /* at once, though it is a small segment */
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    assert_false(weir_has_output(&f->c)); /* a second mark changes nothing */
    f->mark = ECT0;
    conn_seg(f, WEIR_ACK | WEIR_CWR, 0, 0, 10);
    assert_int_equal(ecn_next(f), 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.received_ce, 2);
    conn_seg(f, WEIR_ACK | WEIR_CWR, 0, 0, 10);
    assert_false(weir_has_output(&f->c)); /* nor does CWR that ends nothing */
}

/* ---- 6.1.2 ------------------------------------------------------------------------------------------------------- */

static void an_echo_takes_its_part(void **state)
{
    static const struct {
        enum weir_cc_kind kind;
        bool abe;
        unsigned percent;
    } cases[] = {{WEIR_CC_NEWRENO, false, 50}, {WEIR_CC_NEWRENO, true, 80}, {WEIR_CC_CUBIC, false, 70}, {WEIR_CC_CUBIC, true, 85}};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct conn_fixture *f = ecn_new();
        f->cfg.cc = (uint8_t)cases[i].kind;
        f->cfg.abe = cases[i].abe;
        (void)ecn_open(f, WEIR_ECE);
        ecn_fly(f, 10);
        ecn_ack(f, 1, WEIR_ECE);
        uint32_t left = 10 * MSS * cases[i].percent / 100;
        assert_int_equal(f->c.cc.cwnd, left);
        assert_int_equal(f->c.cc.ssthresh, left);
        ecn_ack(f, 2, WEIR_ECE);
        ecn_ack(f, 2, WEIR_ECE);
        assert_int_equal(f->c.cc.cwnd, left); /* neither less nor more */
        assert_int_equal(f->c.count.delivered_ce, 3); /* without SACK a duplicate stands for a segment */
        assert_int_equal(f->c.count.retrans, 0);
    }
}

/* ssthresh is two segments at least; the window itself goes down to one. */
static void a_small_window_still_follows(void **state)
{
    struct conn_fixture *f = ecn_flying(2);
    (void)state;
    f->cfg.abe = false;
    ecn_ack(f, 1, WEIR_ECE);
    assert_int_equal(f->c.cc.cwnd, MSS);
    assert_int_equal(f->c.cc.ssthresh, 2 * MSS);
    assert_false(f->c.ecn & WEIRI_ECN_WAIT);
}

static void at_one_segment_the_timer_is_waited_for(void **state)
{
    struct conn_fixture *f = ecn_flying(1);
    (void)state;
    assert_int_equal(conn_send(f, 2 * MSS, 0), WEIR_ERR_NONE);
    ecn_ack(f, 1, WEIR_ECE);
    assert_int_equal(f->c.cc.cwnd, MSS);
    assert_false(weir_has_output(&f->c));
    weir_us began = f->now;
    assert_true(conn_wait(f));
    assert_true(f->now - began >= f->c.rtt.rto);
    assert_int_equal(f->c.count.timeouts, 0); /* nothing was lost */
    assert_int_equal(ecn_next(f), WEIR_CWR);
    assert_int_equal(f->marked, ECT0);
    assert_false(weir_has_output(&f->c)); /* one */
}

/* The echo came with nothing new: the timer begins anew all the same. */
static void the_timer_begins_anew(void **state)
{
    struct conn_fixture *f = ecn_flying(1);
    (void)state;
    weir_us before = f->c.rexmt_at;
    ecn_ack(f, 0, WEIR_ECE);
    assert_true(f->c.ecn & WEIRI_ECN_WAIT);
    assert_int_equal(f->c.rexmt_at - before, RTT / 2);
}

/* Something is in flight still: the timer waits for that too, and fires for it. No probe of the tail goes meanwhile. */
static void the_timer_that_is_waited_for_is_the_one(void **state)
{
    struct conn_fixture *f = ecn_new();
    weir_view v;
    (void)state;
    f->cfg.sack = f->cfg.rack = true;
    (void)ecn_open(f, WEIR_ECE);
    ecn_fly(f, 2);
    f->c.cc.cwnd = MSS;
    ecn_ack(f, 1, WEIR_ECE);
    assert_true(f->c.ecn & WEIRI_ECN_WAIT);
    assert_true(conn_wait(f));
    assert_int_equal(f->c.count.tail_probes, 0);
    assert_int_equal(f->c.count.timeouts, 1);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.flags & (unsigned)BOTH, 0);
    assert_int_equal(f->marked, 0); /* it goes again */
    assert_true(seq_eq(v.seq, f->c.snd.una));
}

static void a_window_of_data_costs_once(void **state)
{
    struct conn_fixture *f = ecn_new();
    const weir_block held = {{2}, {6}};
    (void)state;
    f->cfg.sack = f->cfg.prr = true;
    (void)ecn_open(f, WEIR_ECE);
    ecn_fly(f, 10);
    ecn_ack(f, 1, WEIR_ECE);
    uint32_t left = f->c.cc.ssthresh;
    assert_int_equal(left, 8 * MSS);
    ecn_take(f, 1, 0, held); /* the second is lost */
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.cc.ssthresh, left);
    assert_int_equal(ecn_next(f), 0);
    assert_int_equal(f->marked, 0);
    ecn_ack(f, 10, 0);
    assert_int_equal(f->c.cc.cwnd, left);
    assert_int_equal(conn_send(f, MSS, 0), WEIR_ERR_NONE);
    assert_int_equal(ecn_next(f), WEIR_CWR);
    ecn_ack(f, 11, 0);
    ecn_fly(f, 10); /* a new window: what is lost of it counts */
    ecn_take(f, 12, 0, (weir_block){{13}, {17}});
    assert_int_equal(f->c.cc.ssthresh, 9 * MSS / 2);
}

/* Losses first: echoes of what was sent before they were noticed cost no more. */
static void nor_does_an_echo_after_a_loss(void **state)
{
    struct conn_fixture *f = ecn_flying(10);
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        ecn_ack(f, 0, i == 2 ? WEIR_ECE : 0);
    }
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    uint32_t left = f->c.cc.ssthresh;
    ecn_ack(f, 10, WEIR_ECE);
    assert_int_equal(f->c.cc.ssthresh, left);
    assert_int_equal(conn_send(f, MSS, 0), WEIR_ERR_NONE);
    conn_drain(f);
    ecn_ack(f, 11, WEIR_ECE); /* this one was sent after */
    assert_true(f->c.cc.ssthresh < left);
}

/* Nor in recovery, whatever was sent when; and what a mark found out about the window (RFC 7661 4.4) counts once, now. */
static void one_answer_at_a_time(void **state)
{
    struct conn_fixture *f = ecn_flying(10);
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        ecn_ack(f, 0, 0);
    }
    uint32_t left = f->c.cc.ssthresh;
    f->c.ecn &= (uint8_t)~(unsigned)WEIRI_ECN_REDUCED;
    ecn_ack(f, 1, WEIR_ECE);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.cc.ssthresh, left);
    f = ecn_flying(10);
    f->cfg.cwv = true;
    f->c.cwv.since = (uint32_t)(f->now >> 20) + 1;
    ecn_ack(f, 1, WEIR_ECE);
    assert_true(f->c.cc.ssthresh < 65535);
    assert_int_equal(f->c.cwv.loss, 0);
}

/* A retransmission that was not needed is taken back, and with it the word that the window was reduced; a mark is not. */
static void what_is_taken_back_is_not_told(void **state)
{
    const weir_block twice = {{0}, {1}}, held = {{1}, {5}};
    (void)state;
    for (unsigned marked = 0; marked < 2; marked++) {
        struct conn_fixture *f = ecn_new();
        f->cfg.sack = f->cfg.undo = true;
        (void)ecn_open(f, WEIR_ECE);
        ecn_fly(f, 10);
        ecn_take(f, 0, 0, held);
        assert_true(conn_has(&f->c, WEIRI_RECOVERY));
        assert_true(f->c.ecn & WEIRI_ECN_CWR);
        conn_drain(f);
        if (marked) { /* after recovery, before the D-SACK */
            ecn_ack(f, 10, 0);
            ecn_fly(f, 4);
            f->c.undo.until = f->c.snd.nxt;
            ecn_ack(f, 11, WEIR_ECE);
            ecn_ack(f, 14, 0);
        }
        uint32_t before = f->c.cc.ssthresh;
        ecn_take(f, marked ? 14 : 10, 0, twice);
        assert_int_equal(f->c.count.undone, marked ? 0 : 1);
        assert_int_equal(f->c.cc.ssthresh, marked ? before : 65535);
        assert_int_equal(conn_send(f, MSS, 0), WEIR_ERR_NONE);
        assert_int_equal(ecn_next(f), marked ? WEIR_CWR : 0);
    }
}

/* ---- what carries ECT: 6.1.4 to 6.1.6 ---------------------------------------------------------------------------- */

static void probes_of_the_tail_carry_it_with_new_text(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        struct conn_fixture *f = ecn_new();
        weir_view v;
        f->cfg.sack = f->cfg.rack = true;
        (void)ecn_open(f, WEIR_ECE);
        ecn_fly(f, 4);
        if (more) {
            assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE); /* the window is full */
        }
        assert_true(conn_wait(f));
        assert_true(conn_poll(f, &v));
        assert_int_equal(f->c.count.tail_probes, 1);
        assert_int_equal(v.payload_len, more ? 100 : MSS);
        assert_int_equal(f->marked, more ? ECT0 : 0);
    }
}

static void in_the_ip_header(void **state)
{
    weir_stack_config c = world_config(1);
    struct world_segment seg;
    struct world_seen seen;
    weir_out out;
    weir_ready r;
    size_t sent = 0;
    (void)state;
    memset(&seg, 0, sizeof seg);
    seg.tuple.local = world_host(false, 1);
    seg.tuple.remote = world_host(false, 2);
    seg.tuple.local_port = 80;
    seg.tuple.remote_port = 4000;
    seg.flags = WEIR_SYN | BOTH;
    c.tcp.dscp = 10;
    weir_stack *s = world_stack(&c, 0);
    (void)world_listen(s, 80);
    assert_int_equal(world_inject(s, &seg, 0), WEIR_OK);
    assert_true(world_next(s, &seen, 0));
    assert_int_equal(seen.view.flags & (unsigned)BOTH, WEIR_ECE);
    assert_int_equal(seen.ip.traffic_class, 10 << 2);
    seg.flags = WEIR_ACK;
    seg.seq++;
    seg.ack = seen.view.seq.v + 1;
    assert_int_equal(world_inject(s, &seg, 0), WEIR_OK);
    assert_true(weir_stack_ready(s, &r));
    weir_slice text = {(const uint8_t *)"text", 4};
    assert_int_equal(weir_send(weir_stack_conn(s, r.conn), text, 0, &sent, 0), WEIR_ERR_NONE);
    assert_true(weir_stack_poll(s, &out, 0) > 0);
    assert_int_equal(out.ecn, ECT0);
    assert_int_equal(out.room[out.header_at + 1], 10 << 2 | ECT0);
    assert_int_equal(out.room[out.header_at + 6], 0x40); /* DF (RFC 3168 5.3) */
    guard_free_all();
}

/* ---- accidents ----------------------------------------------------------------------------------------------------- */

/* Whatever bits and marks come: conn_input holds weir_check after each. */
static void any_bits_in_any_order(void **state)
{
    uint32_t x = 12345, waits = 0;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct conn_fixture *f = ecn_new();
        f->cfg.sack = round & 1;
        f->cfg.rack = f->cfg.undo = round & 2;
        f->cfg.prr = round & 4;
        (void)ecn_open(f, WEIR_ECE);
        for (unsigned i = 0; i < 300; i++) {
            x = x * 1664525u + 1013904223u;
            unsigned what = x >> 24;
            f->mark = (uint8_t)(what & 3u);
            if (what < 60) {
                (void)conn_send(f, 1 + what * 20, 0);
            } else if (what < 90) {
                (void)conn_wait(f);
            } else {
                uint32_t flight = conn_flight(&f->c), share = flight * (what % 5) / 4;
                weir_fields g = conn_fields(f, WEIR_ACK | (what & 1 ? WEIR_ECE : 0) | (what & 2 ? WEIR_CWR : 0), 0, 0);
                g.ack = seq_add(f->c.snd.una, share);
                g.window = what == 200 ? 0 : CONN_WINDOW;
                conn_input(f, &g, what & 4 ? 20 : 0);
            }
            weir_view v;
            for (unsigned out = 0; out < 3 && conn_poll(f, &v); out++) {
                assert_true(f->marked == 0 || (f->marked == ECT0 && v.payload_len > 0));
            }
            waits += (f->c.ecn & WEIRI_ECN_WAIT) != 0;
            size_t len;
            (void)weir_rx_peek(&f->c, &len);
            (void)weir_rx_consume(&f->c, len, f->now);
        }
    }
    assert_true(waits > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_asks_and_who_is_answered),
        cmocka_unit_test(who_is_asked_and_what_it_answers),
        cmocka_unit_test(what_was_agreed_ends_with_the_connection),
        cmocka_unit_test(marks_are_counted_and_echoed),
        cmocka_unit_test(an_echo_takes_its_part),
        cmocka_unit_test(a_small_window_still_follows),
        cmocka_unit_test(at_one_segment_the_timer_is_waited_for),
        cmocka_unit_test(the_timer_begins_anew),
        cmocka_unit_test(the_timer_that_is_waited_for_is_the_one),
        cmocka_unit_test(a_window_of_data_costs_once),
        cmocka_unit_test(nor_does_an_echo_after_a_loss),
        cmocka_unit_test(one_answer_at_a_time),
        cmocka_unit_test(what_is_taken_back_is_not_told),
        cmocka_unit_test(probes_of_the_tail_carry_it_with_new_text),
        cmocka_unit_test(in_the_ip_header),
        cmocka_unit_test(any_bits_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
