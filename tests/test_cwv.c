/* test_cwv.c - congestion window validation, RFC 7661: lib/recovery/cwv.c by itself, where scripts cannot look, and on a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { MSS = 1000, RTT = 20000, SECOND = 1000000, UNDEFINED = 0x7fffffff };

/* A window, what is known of it, and the last event. */
struct cwv_world {
    struct weir_cwv v;
    struct weir_cc cc;
    struct weiri_cwv_event e;
};

static struct cwv_world cwv_begin(uint32_t segments, weir_us now)
{
    struct cwv_world w;
    memset(&w, 0, sizeof w);
    w.e.rtt_us = RTT;
    w.e.mss = MSS;
    w.e.initial = 3 * MSS;
    w.e.now = now;
    w.e.una = w.e.before = seq_of(4294960000u); /* the numbers wrap on the way */
    w.cc.cwnd = segments * MSS;
    w.cc.ssthresh = UNDEFINED;
    weiri_cwv_init(&w.v, w.e.una, now);
    return w;
}

/* So much later an acknowledgment of so many segments. */
static void cwv_take(struct cwv_world *w, weir_us later, uint32_t segments)
{
    w->e.now += later;
    w->e.before = w->e.una;
    w->e.una = seq_add(w->e.una, segments * MSS);
    weiri_cwv_acked(&w->v, &w->cc, &w->e);
}

static void cwv_quiet(struct cwv_world *w, weir_us span)
{
    weir_us from = w->e.now;
    w->e.now += span;
    w->e.before = w->e.una;
    weiri_cwv_idle(&w->v, &w->cc, &w->e, from);
}

/* Twenty acknowledged, then `span` of silence: a window of twenty that is not validated. */
static struct cwv_world cwv_unused(weir_us span)
{
    struct cwv_world w = cwv_begin(20, SECOND);
    cwv_take(&w, RTT, 20);
    assert_int_equal(w.v.since, 0);
    cwv_quiet(&w, span);
    return w;
}

static void nothing_is_known_before_a_sample(void **state)
{
    struct cwv_world w = cwv_begin(20, SECOND);
    (void)state;
    cwv_take(&w, RTT / 2, 1);
    assert_int_equal(w.v.since, 0); /* one segment of twenty, but no round trip has passed */
    cwv_take(&w, RTT / 2 + 1, 1);
    assert_true(w.v.since > 0);
}

static void half_of_it_validates(void **state)
{
    (void)state;
    for (uint32_t used = 9; used <= 10; used++) {
        struct cwv_world w = cwv_unused(10 * SECOND);
        assert_true(w.v.since > 0);
        cwv_take(&w, RTT, used);
        assert_int_equal(w.v.since == 0, used == 10);
        assert_int_equal(w.cc.cwnd, 20 * MSS);
    }
}

/* The largest sample of the last second, and no older one, wherever the clock's 32 bits stand. */
static void samples_grow_old(void **state)
{
    const weir_us starts[] = {SECOND, UINT32_MAX - 100000u, UINT32_MAX - RTT};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct cwv_world w = cwv_begin(20, starts[i]);
        cwv_take(&w, RTT, 12);
        for (unsigned at = 1; at <= 70; at++) { /* one segment each round trip */
            cwv_take(&w, RTT, 1);
            if (at * RTT < SECOND / 2) {
                assert_int_equal(w.v.since, 0);
            }
        }
        assert_true(w.v.since > 0);
    }
}

/* Both halves of the period are over when the next acknowledgment comes. */
static void a_gap_forgets_all(void **state)
{
    struct cwv_world w = cwv_begin(20, SECOND);
    (void)state;
    cwv_take(&w, RTT, 12);
    cwv_take(&w, RTT, 1);
    assert_int_equal(w.v.since, 0);
    cwv_take(&w, 5 * SECOND, 1);
    assert_true(w.v.since > 0);
}

static void five_minutes_and_no_more(void **state)
{
    struct cwv_world w = cwv_unused(298 * (weir_us)SECOND);
    (void)state;
    assert_int_equal(w.cc.cwnd, 20 * MSS);
    w = cwv_unused(302 * (weir_us)SECOND);
    assert_int_equal(w.cc.cwnd, 10 * MSS);
    w = cwv_begin(20, SECOND);
    w.cc.ssthresh = 4 * MSS;
    cwv_take(&w, RTT, 20);
    cwv_quiet(&w, 302 * (weir_us)SECOND);
    assert_int_equal(w.cc.ssthresh, 15 * MSS); /* it was borne */
    w = cwv_unused(3600 * (weir_us)SECOND);
    assert_int_equal(w.cc.cwnd, 3 * MSS);
    w = cwv_begin(2, SECOND);
    cwv_take(&w, RTT, 2);
    cwv_quiet(&w, 3600 * (weir_us)SECOND);
    assert_int_equal(w.cc.cwnd, 2 * MSS); /* no larger for it */
}

/* Little by little is not unused for ever: the phase goes on though acknowledgments come. */
static void a_trickle_is_no_use(void **state)
{
    struct cwv_world w = cwv_unused(2 * SECOND);
    (void)state;
    for (unsigned i = 0; i < 290; i++) {
        cwv_take(&w, SECOND, 1);
    }
    assert_int_equal(w.cc.cwnd, 20 * MSS);
    for (unsigned i = 0; i < 12; i++) {
        cwv_take(&w, SECOND, 1);
    }
    assert_int_equal(w.cc.cwnd, 10 * MSS);
}

static void cwv_lose(struct cwv_world *w, uint32_t flight)
{
    w->e.flight = flight * MSS;
    weiri_cwv_congested(&w->v, &w->cc, &w->e);
}

/* Segment `n` from SND.UNA goes again. */
static void cwv_again(struct cwv_world *w, uint32_t n)
{
    weir_block run;
    run.from = seq_add(w->e.una, n * MSS);
    run.to = seq_add(run.from, MSS);
    weiri_cwv_resent(&w->v, run);
}

static void congestion_costs_more(void **state)
{
    struct cwv_world w = cwv_unused(2 * SECOND);
    (void)state;
    cwv_lose(&w, 8);
    assert_int_equal(w.cc.cwnd, 4 * MSS);
    assert_int_equal(w.v.since, 0);
    cwv_again(&w, 0);
    cwv_again(&w, 3);
    cwv_again(&w, 0); /* a second time costs nothing more */
    weiri_cwv_recovered(&w.v, &w.cc, &w.e);
    assert_int_equal(w.cc.cwnd, 3 * MSS);
    assert_int_equal(w.cc.ssthresh, 3 * MSS);
    w.e.una = seq_add(w.e.una, MSS);
    cwv_take(&w, RTT / 2, 0);
    assert_int_equal(w.v.since, 0); /* pipeACK is undefined again */
    assert_true(w.v.pipe[0] == UINT32_MAX && w.v.loss == 0);
    cwv_take(&w, RTT, 0);
    assert_true(w.v.since > 0);
}

static void one_segment_is_left(void **state)
{
    struct cwv_world w = cwv_unused(2 * SECOND);
    (void)state;
    cwv_lose(&w, 1);
    assert_int_equal(w.cc.cwnd, MSS);
    w = cwv_unused(2 * SECOND);
    cwv_lose(&w, 3);
    for (uint32_t n = 0; n < 3; n++) {
        cwv_again(&w, n);
    }
    weiri_cwv_recovered(&w.v, &w.cc, &w.e);
    assert_int_equal(w.cc.cwnd, MSS);
    assert_int_equal(w.cc.ssthresh, 2 * MSS);
}

static void a_validated_window_is_left_alone(void **state)
{
    struct cwv_world w = cwv_begin(20, SECOND);
    (void)state;
    cwv_take(&w, RTT, 20);
    cwv_lose(&w, 8);
    cwv_again(&w, 0);
    weiri_cwv_recovered(&w.v, &w.cc, &w.e);
    assert_int_equal(w.cc.cwnd, 20 * MSS);
    assert_int_equal(w.cc.ssthresh, UNDEFINED);
    w.v.loss = 8 * MSS; /* of a recovery that another one interrupts */
    cwv_lose(&w, 8);
    assert_int_equal(w.v.loss, 0);
}

/* The period is over when all of it has passed, not a microsecond before. */
static void silence_is_all_of_the_period(void **state)
{
    (void)state;
    for (unsigned less = 0; less < 2; less++) {
        struct cwv_world w = cwv_begin(20, SECOND);
        cwv_take(&w, RTT, 20);
        cwv_quiet(&w, SECOND - less);
        assert_int_equal(w.v.from_at == (uint32_t)w.e.now, !less);
    }
}

/* On a connection: ten seconds after the open, with a window of `segments` of 388 octets, `count` go. */
static struct conn_fixture *cwv_flying(bool on, uint32_t segments, uint32_t count)
{
    struct conn_fixture *f = conn_new();
    f->cfg.mtu = 428;
    f->cfg.cwv = on;
    f->cfg.ecn = WEIR_ECN_OFFER;
    assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    conn_drain(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK | WEIR_ECE, 0, 0);
    conn_later(f, RTT);
    conn_input(f, &g, 0);
    conn_drain(f);
    f->c.cc.cwnd = segments * 388;
    conn_later(f, 10 * SECOND);
    assert_int_equal(conn_send(f, count * 388, 0), WEIR_ERR_NONE);
    conn_drain(f);
    return f;
}

/* Slow start doubles, so that half of a window is use enough; not of one that may be too large already. */
static void half_of_it_opens_nothing(void **state)
{
    struct conn_fixture *f = cwv_flying(true, 10, 6);
    (void)state;
    conn_later(f, RTT);
    conn_seg(f, WEIR_ACK, 0, -5 * 388, 0);
    assert_int_equal(f->c.cc.cwnd, 10 * 388);
    assert_true(f->c.cwv.since > 0);
    while (f->c.count.timeouts == 0) {
        assert_true(conn_wait(f));
    }
    assert_int_equal(f->c.cwv.since, 0); /* the phase is over */
}

/* A mark is congestion too. */
static void a_mark_costs_more_too(void **state)
{
    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        struct conn_fixture *f = cwv_flying(on, 20, 4);
        assert_int_equal(f->c.cc.cwnd, on ? 20 * 388 : 10 * 388); /* RFC 5681 4.1 without it */
        assert_int_equal(f->c.cwv.since > 0, on);
        conn_later(f, RTT);
        conn_seg(f, WEIR_ACK | WEIR_ECE, 0, -3 * 388, 0);
        assert_int_equal(f->c.cc.cwnd, on ? 2 * 388 : 4 * 388 * 8 / 10);
        assert_int_equal(f->c.cwv.since, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_before_a_sample),
        cmocka_unit_test(half_of_it_validates),
        cmocka_unit_test(samples_grow_old),
        cmocka_unit_test(a_gap_forgets_all),
        cmocka_unit_test(five_minutes_and_no_more),
        cmocka_unit_test(a_trickle_is_no_use),
        cmocka_unit_test(congestion_costs_more),
        cmocka_unit_test(one_segment_is_left),
        cmocka_unit_test(a_validated_window_is_left_alone),
        cmocka_unit_test(silence_is_all_of_the_period),
        cmocka_unit_test(half_of_it_opens_nothing),
        cmocka_unit_test(a_mark_costs_more_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
