/* test_cubic.c - CUBIC against its formula in floating point, and whatever else may come. RFC 9438. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/recovery.h"

#define UNSET WEIRI_SSTHRESH_UNSET

static double cubic_root_of(double x)
{
    double y = x > 1 ? x : 1;
    for (unsigned i = 0; i < 200; i++) {
        y = (2 * y + x / (y * y)) / 3;
    }
    return x > 0 ? y : 0;
}

static struct weiri_cc_event cubic_event(uint32_t mss, uint32_t rtt_us)
{
    struct weiri_cc_event e;
    memset(&e, 0, sizeof e);
    e.mss = mss;
    e.rtt_us = rtt_us;
    e.limited = true;
    return e;
}

/* A loss at this window, and recovery at once: congestion avoidance begins at ssthresh. */
static struct weir_cc cubic_after_loss(uint32_t cwnd, uint32_t mss)
{
    struct weir_cc cc;
    struct weiri_cc_event e = cubic_event(mss, 0);
    weiri_cc_init(&cc, cwnd, seq_of(0));
    e.flight = cwnd;
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    cc.cwnd = cc.ssthresh;
    return cc;
}

/* One round trip: the whole window is acknowledged, two segments at a time. */
static void cubic_round(struct weir_cc *cc, weir_us *now, uint32_t mss, uint32_t rtt_us)
{
    struct weiri_cc_event e = cubic_event(mss, rtt_us);
    uint32_t left = cc->cwnd, acks = (left + 2 * mss - 1) / (2 * mss);
    weir_us from = *now;
    for (uint32_t i = 1; i <= acks; i++) {
        e.now = from + (weir_us)rtt_us * i / acks;
        e.acked = base_min32(left, 2 * mss);
        e.flight = cc->cwnd;
        left -= e.acked;
        weiri_cc_acked(cc, WEIR_CC_CUBIC, &e);
    }
    *now = from + rtt_us;
}

/* What RFC 9438 4.2 and 4.3 have the window be, in segments: the cubic, or Reno's where that is more. */
struct cubic_reference {
    double w_max, epoch, estimate;
};

static double cubic_wanted(const struct cubic_reference *r, double t)
{
    double k = cubic_root_of((r->w_max - r->epoch) / 0.4), cubic = 0.4 * (t - k) * (t - k) * (t - k) + r->w_max;
    return cubic > r->estimate ? cubic : r->estimate;
}

static void cubic_compare(uint32_t segments, uint32_t mss, uint32_t rtt_us)
{
    struct weir_cc cc = cubic_after_loss(segments * mss, mss);
    weir_us now = 1000000, begun = now;
    double rtt = rtt_us / 1e6;
    struct cubic_reference r = {segments, cc.ssthresh / (double)mss, cc.ssthresh / (double)mss};
    for (unsigned n = 1; (double)n * rtt < 30; n++) {
        cubic_round(&cc, &now, mss, rtt_us);
        r.estimate += r.estimate < segments ? 9.0 / 17 : 1; /* alpha each round trip of Reno's own window; it is never more than cwnd */
        double wanted = cubic_wanted(&r, (double)(now - begun) / 1e6), got = cc.cwnd / (double)mss;
        if (wanted * mss > 0.9 * WEIRI_CWND_MAX) {
            return;
        }
        double slack = 0.01 * wanted + 1; /* a segment: the last acknowledgment of a round trip */
        if (got > wanted + slack || got < wanted - slack) {
            fail_msg("W_max %u mss %u rtt %u ms, %.2f s: %.2f segments, wanted %.2f", segments, mss, rtt_us / 1000,
                     (double)(now - begun) / 1e6, got, wanted);
        }
    }
}

static void test_window_follows_the_formula(void **state)
{
    (void)state;
    static const uint32_t mss[] = {536, 1220, 1460, 8960, 65495};
    static const uint32_t segments[] = {100, 333, 1000, 3000, 10000};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            if ((uint64_t)mss[i] * segments[j] < WEIRI_CWND_MAX) {
                cubic_compare(segments[j], mss[i], 100000);
                cubic_compare(segments[j], mss[i], 50000);
            }
        }
    }
}

/* RFC 9438 4.3: with a short round trip Reno is faster, and CUBIC keeps up with it: alpha each round trip, then one. */
static void test_reno_friendly_region(void **state)
{
    (void)state;
    struct weir_cc cc = cubic_after_loss(20 * 1460, 1460);
    weir_us now = 1000000;
    double reno = 14;
    for (unsigned n = 0; n < 60; n++) {
        cubic_round(&cc, &now, 1460, 5000);
        reno += reno < 20 ? 9.0 / 17 : 1;
        double got = cc.cwnd / 1460.0;
        if (got < reno - 1.6 || got > reno + 1) {
            fail_msg("round %u: %.2f segments, wanted %.2f", n, got, reno);
        }
    }
}

/* RFC 9438 4.6, 4.7, 4.8: beta; a plateau lowered where the last one was not reached; what was in flight bounds what is reduced. */
static void test_reductions(void **state)
{
    (void)state;
    struct weir_cc cc = cubic_after_loss(100000, 1000);
    struct weiri_cc_event e = cubic_event(1000, 20000);
    assert_int_equal(cc.ssthresh, 70000);
    assert_int_equal(cc.cubic.w_max, 100000);
    cc.cwnd = 90000;
    e.flight = 90000;
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.ssthresh, 63000);
    assert_int_equal(cc.cubic.w_max, 76500); /* 90000 * (1 + beta) / 2 */
    cc.cwnd = 100000;
    e.flight = 60000; /* a peer's window was in the way */
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.ssthresh, 70000);
    cc.cwnd = 100000;
    e.flight = 10000; /* most of it was not used */
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.ssthresh, 14000);
    e.flight = 0;
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.ssthresh, 2000);
}

static void test_timeout(void **state)
{
    (void)state;
    struct weir_cc cc = cubic_after_loss(100000, 1000);
    struct weiri_cc_event e = cubic_event(1000, 20000);
    cc.cwnd = 100000;
    e.flight = 100000;
    weiri_cc_timeout(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.cwnd, 1000);
    assert_int_equal(cc.ssthresh, 70000);
    e.repeated = true;
    e.flight = 1000;
    weiri_cc_timeout(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.ssthresh, 70000);
    cc.cwnd = cc.ssthresh; /* slow start has led here: K = 0 */
    e.now = 5000000;
    e.acked = 1000;
    weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
    assert_int_equal(cc.cubic.k, 0);
    assert_int_equal(cc.cubic.origin, 70000);
}

/* RFC 9438 4.2: time in which the window was not the limit does not count. */
static void test_idle_time_does_not_count(void **state)
{
    (void)state;
    struct weir_cc cc = cubic_after_loss(1000000, 1000);
    weir_us now = 1000000;
    for (unsigned n = 0; n < 10; n++) {
        cubic_round(&cc, &now, 1000, 50000);
    }
    struct weir_cc idle = cc;
    struct weiri_cc_event e = cubic_event(1000, 50000);
    e.acked = 1000;
    e.limited = false;
    e.now = now + 60000000;
    weiri_cc_acked(&idle, WEIR_CC_CUBIC, &e);
    assert_int_equal(idle.cwnd, cc.cwnd);
    weir_us later = now + 60000000;
    cubic_round(&cc, &now, 1000, 50000);
    cubic_round(&idle, &later, 1000, 50000);
    assert_in_range(idle.cwnd, cc.cwnd - 100, cc.cwnd + 100);
}

/* RFC 9406 in the first slow start: a quarter of the step in the conservative phase, then ssthresh. */
static void test_hystart_in_slow_start(void **state)
{
    (void)state;
    struct weir_cc cc;
    struct weiri_cc_event e = cubic_event(1000, 20000);
    weiri_cc_init(&cc, 10000, seq_of(10000));
    e.hystart = true;
    e.acked = 1000;
    e.flight = 10000;
    uint32_t una = 0;
    for (unsigned n = 0; n < 2000 && cc.ssthresh == UNSET; n++) {
        uint32_t before = cc.cwnd, step = cc.hystart.phase == WEIRI_HYSTART_SLOW ? 1000 : 250;
        una += 1000;
        e.sample_us = una < 30000 ? 20000 : 40000;
        e.una = seq_of(una);
        e.nxt = seq_of(una + cc.cwnd);
        weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
        assert_int_equal(cc.cwnd - before, step);
    }
    assert_int_equal(cc.ssthresh, cc.cwnd);
}

static uint32_t cubic_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x >> (*x % 31);
}

/* Hostile numbers: never 0, never above 2^30, and a loss never widens the window. */
static void test_any_order(void **state)
{
    (void)state;
    uint32_t x = 0x2545f491;
    struct weir_cc cc;
    weiri_cc_init(&cc, 14600, seq_of(0));
    for (unsigned n = 0; n < 300000; n++) {
        struct weiri_cc_event e = cubic_event(cubic_random(&x), cubic_random(&x));
        struct weir_cc before = cc;
        e.acked = cubic_random(&x);
        e.flight = cubic_random(&x);
        e.now = (weir_us)cubic_random(&x) << cubic_random(&x) % 33;
        e.sample_us = cubic_random(&x);
        e.una.v = cubic_random(&x);
        e.nxt.v = cubic_random(&x);
        e.limited = cubic_random(&x) % 4 != 0;
        e.hystart = cubic_random(&x) % 2 != 0;
        e.repeated = cubic_random(&x) % 2 != 0;
        switch (cubic_random(&x) % 12) {
        case 0:
            weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
            assert_true(cc.cwnd <= base_max32(before.cwnd, base_min32(base_max32(e.mss, 1), 65535)));
            break;
        case 1: weiri_cc_timeout(&cc, WEIR_CC_CUBIC, &e); break;
        case 2: weiri_cc_recovered(&cc, WEIR_CC_CUBIC, &e); break;
        case 3: weiri_cc_idle(&cc, 14600); break;
        default:
            weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
            assert_true(cc.cwnd >= before.cwnd);
            break;
        }
        assert_in_range(cc.cwnd, 1, WEIRI_CWND_MAX);
        assert_in_range(cc.ssthresh, 2, UNSET);
        assert_in_range(cc.cubic.w_max, 0, WEIRI_CWND_MAX);
        assert_in_range(cc.cubic.w_est, 0, WEIRI_CWND_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window_follows_the_formula),
        cmocka_unit_test(test_reno_friendly_region),
        cmocka_unit_test(test_reductions),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_idle_time_does_not_count),
        cmocka_unit_test(test_hystart_in_slow_start),
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
