/* test_cc.c - the congestion window: RFC 5681, RFC 6582, RFC 6928 in known answers, rows and properties. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/recovery.h"

#define MSS 1000
#define UNSET WEIRI_SSTHRESH_UNSET
#define CWND_MAX WEIRI_CWND_MAX

static const weir_seq zero = {0};

static struct weiri_cc_event event_of(uint32_t acked, uint32_t flight)
{
    struct weiri_cc_event e;
    memset(&e, 0, sizeof e);
    e.acked = acked;
    e.flight = flight;
    e.mss = MSS;
    e.limited = true;
    return e;
}

static struct weir_cc cc_of(uint32_t cwnd, uint32_t ssthresh, uint32_t acked)
{
    struct weir_cc cc;
    memset(&cc, 0, sizeof cc);
    cc.cwnd = cwnd;
    cc.ssthresh = ssthresh;
    cc.acked = acked;
    return cc;
}

static void assert_cc(const struct weir_cc *cc, uint32_t cwnd, uint32_t ssthresh, uint32_t acked)
{
    if (cc->cwnd != cwnd || cc->ssthresh != ssthresh || cc->acked != acked) {
        fail_msg("cwnd %u ssthresh %u acked %u, wanted %u %u %u", cc->cwnd, cc->ssthresh, cc->acked, cwnd, ssthresh,
                 acked);
    }
}

/* RFC5681-3.1-2, RFC6928-2-1: vectors/function/derived_initial_window.csv. */
static void test_initial_window_vectors(void **state)
{
    (void)state;
    char line[128];
    unsigned rows = 0;
    FILE *f = fopen(WEIR_VECTORS_DIR "/function/derived_initial_window.csv", "r");
    assert_non_null(f);
    while (fgets(line, (int)sizeof line, f) != NULL) {
        unsigned mss, rfc5681, rfc6928;
        if (sscanf(line, "%u,%u,%u", &mss, &rfc5681, &rfc6928) == 3) {
            assert_int_equal(weiri_cc_initial_window(mss, false), rfc5681);
            assert_int_equal(weiri_cc_initial_window(mss, true), rfc6928);
            rows++;
        }
    }
    fclose(f);
    assert_int_equal(rows, 13);
}

static void test_initial_window_range(void **state)
{
    (void)state;
    for (uint32_t mss = 1; mss <= 65535; mss++) {
        assert_in_range(weiri_cc_initial_window(mss, false), 2 * mss, 4 * mss);
        assert_in_range(weiri_cc_initial_window(mss, true), 2 * mss, 10 * mss);
    }
    assert_int_equal(weiri_cc_initial_window(UINT32_MAX, true), 2 * 65535);
    assert_int_equal(weiri_cc_initial_window(UINT32_MAX, false), 2 * 65535);
}

/* RFC5681-3.1-6. */
static void test_init(void **state)
{
    (void)state;
    struct weir_cc cc;
    memset(&cc, 0xa5, sizeof cc);
    weiri_cc_init(&cc, 14600, zero);
    assert_cc(&cc, 14600, UNSET, 0);
    weiri_cc_init(&cc, UINT32_MAX, zero);
    assert_cc(&cc, CWND_MAX, UNSET, 0);
    assert_string_equal(weir_cc_name(WEIR_CC_NEWRENO), "newreno");
    assert_string_equal(weir_cc_name(WEIR_CC_COUNT), "unknown");
}

/* One acknowledgment: slow start (RFC5681-3.1-9, RFC 3465 2.3) and congestion avoidance (RFC5681-3.1-11 to 13). */
static void test_acked_rows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t before[3];
        uint32_t acked;
        bool limited;
        uint32_t after[3];
        bool abc, hystart;
    } rows[] = {
        {"first slow start: what was acknowledged", {10000, UNSET, 0}, 700, true, {10700, UNSET, 0}, true, false},
        {"first slow start: a delayed ACK", {10000, UNSET, 0}, 2000, true, {12000, UNSET, 0}, true, false},
        {"first slow start: never more than two", {10000, UNSET, 0}, 64000, true, {12000, UNSET, 0}, true, false},
        {"first slow start: with HyStart++ what was acknowledged", {10000, UNSET, 0}, 7999, true, {17999, UNSET, 0}, true, true},
        {"first slow start: but never more than eight", {10000, UNSET, 0}, 64000, true, {18000, UNSET, 0}, true, true},
        {"first slow start by the letter: one", {10000, UNSET, 0}, 2000, true, {11000, UNSET, 0}, false, false},
        {"first slow start by the letter: one with HyStart++ too", {10000, UNSET, 0}, 2000, true, {11000, UNSET, 0}, false, true},
        {"slow start after loss: never more than one", {1000, 50000, 0}, 64000, true, {2000, 50000, 0}, true, true},
        {"slow start after loss: ACK division", {1000, 50000, 0}, 1, true, {1001, 50000, 0}, false, false},
        {"slow start ends at ssthresh", {9500, 10000, 0}, 1000, true, {10000, 10000, 0}, false, false},
        {"the window was not what held back", {10000, UNSET, 0}, 1000, false, {10000, UNSET, 0}, false, false},
        {"nor here", {10000, 10000, 9999}, 1000, false, {10000, 10000, 9999}, false, false},
        {"avoidance counts", {10000, 10000, 0}, 1000, true, {10000, 10000, 1000}, false, false},
        {"avoidance: one octet short", {10000, 10000, 8999}, 1000, true, {10000, 10000, 9999}, false, false},
        {"avoidance: a window's worth", {10000, 10000, 9000}, 1000, true, {11000, 10000, 0}, false, false},
        {"avoidance: the rest counts on", {10000, 10000, 9500}, 1000, true, {11000, 10000, 500}, false, false},
        {"avoidance: one ACK for many windows", {2000, 2000, 1999}, 1000000, true, {3000, 2000, 1999}, false, false},
        {"nothing acknowledged", {10000, 10000, 500}, 0, true, {10000, 10000, 500}, false, false},
        {"the largest window, slow start", {CWND_MAX - 5, UNSET, 0}, 1000, true, {CWND_MAX, UNSET, 0}, false, false},
        {"the largest window, avoidance", {CWND_MAX, 10000, CWND_MAX - 1}, 1, true, {CWND_MAX, 10000, 0}, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint32_t *before = rows[i].before, *after = rows[i].after;
        struct weir_cc cc = cc_of(before[0], before[1], before[2]);
        struct weiri_cc_event e = event_of(rows[i].acked, cc.cwnd);
        e.limited = rows[i].limited;
        e.abc = rows[i].abc;
        e.hystart = rows[i].hystart;
        weiri_cc_acked(&cc, WEIR_CC_NEWRENO, &e);
        if (cc.cwnd != after[0] || cc.ssthresh != after[1] || cc.acked != after[2]) {
            fail_msg("%s: cwnd %u ssthresh %u acked %u", rows[i].name, cc.cwnd, cc.ssthresh, cc.acked);
        }
    }
}

/* RFC5681-3.1-12: however a window is cut into acknowledgments, a round trip of them adds one SMSS at most, and about one. */
static void test_avoidance_adds_one_a_round_trip(void **state)
{
    (void)state;
    static const uint32_t steps[] = {1, 7, 536, 999, 1000, 1001, 2000, 9999, 65535};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct weir_cc cc = cc_of(20000, 20000, 0);
        for (unsigned trip = 0; trip < 50; trip++) {
            uint32_t before = cc.cwnd;
            for (uint32_t left = before; left > 0;) {
                struct weiri_cc_event e = event_of(steps[i] < left ? steps[i] : left, left);
                weiri_cc_acked(&cc, WEIR_CC_NEWRENO, &e);
                left -= e.acked;
            }
            assert_in_range(cc.cwnd, before, before + MSS);
        }
        assert_in_range(cc.cwnd, 20000 + 48 * MSS, 20000 + 50 * MSS);
    }
}

/* V33: an acknowledgment of each octet by itself opens the window no faster than one of all. */
static void test_ack_division_gains_nothing(void **state)
{
    (void)state;
    struct weir_cc whole = cc_of(10000, UNSET, 0), divided = whole;
    for (unsigned i = 0; i < 20; i++) {
        struct weiri_cc_event e = event_of(MSS, 10000);
        weiri_cc_acked(&whole, WEIR_CC_NEWRENO, &e);
    }
    for (unsigned i = 0; i < 20 * MSS; i++) {
        struct weiri_cc_event e = event_of(1, 10000);
        weiri_cc_acked(&divided, WEIR_CC_NEWRENO, &e);
    }
    assert_int_equal(whole.cwnd, 30000);
    assert_int_equal(divided.cwnd, whole.cwnd);
}

/* RFC5681-3.2-7, RFC5681-4.3-1: half of what was in flight, two segments at least; a loss never widens the window. */
static void test_loss_rows(void **state)
{
    (void)state;
    static const uint32_t rows[][4] = {
        /* cwnd, flight -> cwnd, ssthresh */
        {20000, 20000, 10000, 10000},
        {20000, 13001, 6500, 6500},
        {20000, 3000, 2000, 2000},
        {20000, 0, 2000, 2000},
        {1000, 50000, 1000, 25000}, /* after a timeout much is still outstanding */
        {500, 50000, 1000, 25000},  /* never below one segment */
        {CWND_MAX, UINT32_MAX, CWND_MAX, CWND_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc = cc_of(rows[i][0], UNSET, 77);
        struct weiri_cc_event e = event_of(0, rows[i][1]);
        weiri_cc_loss(&cc, WEIR_CC_NEWRENO, &e);
        assert_cc(&cc, rows[i][2], rows[i][3], 0);
    }
}

/* Halving cwnd: as far as it was used, by loss, timeout and mark; never less than FlightSize would leave. */
static void test_used_rows(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = {
        /* cwnd, flight -> ssthresh */
        {20000, 20000, 10000},
        {20000, 15000, 10000},
        {20000, 10000, 10000},
        {20000, 9000, 9000},
        {20000, 0, 2000},
        {1000, 50000, 25000},
        {CWND_MAX, UINT32_MAX, CWND_MAX / 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc lost = cc_of(rows[i][0], UNSET, 77), late = lost, marked = lost;
        struct weiri_cc_event e = event_of(0, rows[i][1]);
        e.halve_cwnd = true;
        weiri_cc_loss(&lost, WEIR_CC_NEWRENO, &e);
        assert_int_equal(lost.ssthresh, rows[i][2]);
        weiri_cc_timeout(&late, WEIR_CC_NEWRENO, &e);
        assert_cc(&late, MSS, rows[i][2], 0);
        weiri_cc_marked(&marked, WEIR_CC_NEWRENO, &e);
        assert_int_equal(marked.ssthresh, rows[i][2]);
    }
}

/* Part of a segment lets nothing go: a round trip that delivers all whole segments of cwnd is enough for one more. */
static void test_whole_segments(void **state)
{
    (void)state;
    static const uint32_t rows[][4] = {
        /* cwnd, text, acknowledged -> grown by the letter, grown */
        {3900, 1000, 3000, 0}, {3900, 1000, 3900, 1}, {3900, 990, 2969, 0}, {4000, 990, 3960, 0}, {900, 1000, 899, 0}, {900, 0, 899, 0},
    };
    static const bool grown[] = {true, true, false, true, false, false};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned whole = 0; whole < 2; whole++) {
            struct weir_cc cc = cc_of(rows[i][0], 500, 0);
            struct weiri_cc_event e = event_of(rows[i][2], rows[i][0]);
            e.text = rows[i][1];
            e.halve_cwnd = whole;
            weiri_cc_acked(&cc, WEIR_CC_NEWRENO, &e);
            assert_int_equal(cc.cwnd - rows[i][0], (whole ? grown[i] : rows[i][3]) * MSS);
        }
    }
}

/* RFC9406-4.3-6: no more than it covers, and without pacing eight segments. */
static void test_stretch_when_paced(void **state)
{
    (void)state;
    for (unsigned paced = 0; paced < 2; paced++) {
        struct weir_cc cc;
        struct weiri_cc_event e = event_of(44 * MSS, 100 * MSS);
        weiri_cc_init(&cc, 100 * MSS, zero);
        e.hystart = e.abc = true;
        e.paced = paced;
        weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
        assert_int_equal(cc.cwnd, (paced ? 144 : 108) * MSS);
    }
}

/* RFC6582-3.2-4, first choice. */
static void test_recovered_rows(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = {
        /* ssthresh, flight -> cwnd */
        {10000, 20000, 10000},
        {10000, 9000, 10000},
        {10000, 8999, 9999},
        {10000, 3000, 4000},
        {10000, 1, 2000},
        {10000, 0, 2000},
        {UNSET, UINT32_MAX, CWND_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc = cc_of(10000, rows[i][0], 77);
        struct weiri_cc_event e = event_of(0, rows[i][1]);
        weiri_cc_recovered(&cc, WEIR_CC_NEWRENO, &e);
        assert_cc(&cc, rows[i][2], rows[i][0], 0);
    }
}

/* RFC5681-3.1-16 to 18. */
static void test_timeout(void **state)
{
    (void)state;
    struct weir_cc cc = cc_of(20000, UNSET, 77);
    struct weiri_cc_event e = event_of(0, 18000);
    weiri_cc_timeout(&cc, WEIR_CC_NEWRENO, &e);
    assert_cc(&cc, MSS, 9000, 0);
    e.repeated = true;
    e.flight = 1000;
    cc.acked = 5;
    weiri_cc_timeout(&cc, WEIR_CC_NEWRENO, &e);
    assert_cc(&cc, MSS, 9000, 0);
    e.repeated = false;
    weiri_cc_timeout(&cc, WEIR_CC_NEWRENO, &e);
    assert_cc(&cc, MSS, 2 * MSS, 0);
}

/* The window is never 0, whatever the segment size is said to be: nothing would ever be sent again. */
static void test_smallest_segment(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{0, 1}, {1, 1}, {2, 2}, {65535, 65535}, {65536, 65535}, {UINT32_MAX, 65535}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc = cc_of(20000, UNSET, 0);
        struct weiri_cc_event e = event_of(0, 0);
        e.mss = rows[i][0];
        weiri_cc_timeout(&cc, WEIR_CC_NEWRENO, &e);
        assert_cc(&cc, rows[i][1], 2 * rows[i][1], 0);
    }
}

/* RFC5681-4.1-1. */
static void test_idle(void **state)
{
    (void)state;
    struct weir_cc cc = cc_of(50000, 30000, 77);
    weiri_cc_idle(&cc, 14600);
    assert_cc(&cc, 14600, 30000, 0);
    cc = cc_of(3000, 30000, 77);
    weiri_cc_idle(&cc, 14600);
    assert_cc(&cc, 3000, 30000, 0);
}

/* RFC5681-3.1-5. */
static void test_new_mss_rows(void **state)
{
    (void)state;
    static const uint32_t rows[][5] = {
        /* cwnd, before, after -> cwnd, count */
        {14600, 1460, 536, 5360, 0},
        {14600, 1460, 1459, 14590, 0},
        {14999, 1460, 536, 5506, 0},
        {1460, 1460, 88, 88, 0},
        {100, 1460, 88, 88, 0},        /* one segment at least */
        {14600, 1460, 1460, 14600, 7}, /* not smaller: nothing */
        {14600, 536, 1460, 14600, 7},
        {14600, 1460, 0, 14600, 7},
        {14600, 70000, 536, 14600, 7},
        {CWND_MAX, 65535, 65534, 1073725439, 0},
        {CWND_MAX, 65535, 1, 16384, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc = cc_of(rows[i][0], 30000, 7);
        weiri_cc_new_mss(&cc, rows[i][1], rows[i][2]);
        assert_cc(&cc, rows[i][3], 30000, rows[i][4]);
    }
    for (uint32_t cwnd = 1; cwnd < CWND_MAX / 3; cwnd = cwnd * 3 + 1) {
        for (uint32_t before = 89; before <= 65535; before += 911) {
            struct weir_cc cc = cc_of(cwnd, 30000, 0);
            uint64_t exact = (uint64_t)cwnd * 88 / before;
            weiri_cc_new_mss(&cc, before, 88);
            assert_int_equal(cc.cwnd, exact < 88 ? 88 : exact);
        }
    }
}

static uint32_t next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

static void random_event(struct weir_cc *cc, uint32_t *x)
{
    uint32_t acked = next_random(x) >> (next_random(x) % 32), flight = next_random(x) >> (next_random(x) % 32);
    struct weiri_cc_event e = event_of(acked, flight);
    enum weir_cc_kind kind = next_random(x) % 2 != 0 ? WEIR_CC_NEWRENO : WEIR_CC_COUNT;
    struct weir_cc before = *cc;
    e.mss = next_random(x) % 100 == 0 ? next_random(x) : 88 + next_random(x) % 1400;
    e.limited = next_random(x) % 4 != 0;
    e.repeated = next_random(x) % 2 != 0;
    e.halve_cwnd = next_random(x) % 2 != 0;
    e.text = e.mss - (next_random(x) % 2 != 0 ? 12 : 0);
    switch (next_random(x) % 16) {
    case 0:
        weiri_cc_loss(cc, kind, &e);
        assert_true(cc->cwnd <= before.cwnd || cc->cwnd <= e.mss);
        break;
    case 1:
        weiri_cc_recovered(cc, kind, &e);
        assert_true(cc->cwnd <= before.ssthresh);
        break;
    case 2:
        weiri_cc_timeout(cc, kind, &e);
        assert_true(cc->cwnd <= e.mss || e.mss == 0);
        break;
    case 3:
        weiri_cc_idle(cc, 14600);
        assert_true(cc->cwnd <= before.cwnd);
        break;
    case 4:
        weiri_cc_new_mss(cc, next_random(x) % 70000, next_random(x) % 70000);
        break;
    default:
        weiri_cc_acked(cc, kind, &e);
        assert_true(cc->cwnd >= before.cwnd && cc->cwnd - before.cwnd <= 2 * 65535);
        assert_true(e.limited || memcmp(cc, &before, sizeof *cc) == 0);
        break;
    }
}

/* Whatever comes in whatever order: a window of one octet to 1 GiB, a threshold above 0, a count below the window. */
static void test_any_order(void **state)
{
    (void)state;
    uint32_t x = 0x9e3779b9;
    struct weir_cc cc;
    weiri_cc_init(&cc, 14600, zero);
    for (unsigned n = 0; n < 200000; n++) {
        random_event(&cc, &x);
        assert_in_range(cc.cwnd, 1, CWND_MAX);
        assert_in_range(cc.ssthresh, 2, UNSET);
        assert_true(cc.acked < cc.cwnd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_window_vectors),
        cmocka_unit_test(test_initial_window_range),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_acked_rows),
        cmocka_unit_test(test_avoidance_adds_one_a_round_trip),
        cmocka_unit_test(test_ack_division_gains_nothing),
        cmocka_unit_test(test_loss_rows),
        cmocka_unit_test(test_used_rows),
        cmocka_unit_test(test_whole_segments),
        cmocka_unit_test(test_stretch_when_paced),
        cmocka_unit_test(test_recovered_rows),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_smallest_segment),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_new_mss_rows),
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
