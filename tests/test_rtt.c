/* test_rtt.c - smoothing and the timeout: RFC 6298 in known answers, against exact arithmetic, and at its ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/recovery.h"

#define SAMPLE_MAX_US (UINT32_C(1) << 28) /* where lib/recovery/rtt.c clamps */

static const struct weiri_rto_bounds bounds_rfc = {1000000, 1000000, 60000000, 1000};
static const struct weiri_rto_bounds bounds_none = {1000000, 0, UINT32_MAX, 1000};

/* Each step rounds by half a unit at most; an error e of SRTT * 8 shrinks to 7/8 e a sample, so it stays below half / (1 / 8)
 * = 4 units, half a microsecond. RTTVAR * 4 gathers half a unit of its own and an eighth of those four: below 4 units of
 * a quarter microsecond. RTO has both, RTTVAR's four times, and is rounded up. */
static const uint64_t srtt_error_ns = 500, rttvar_error_ns = 1000, rto_error_ns = 5500;

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* "250.000000" in milliseconds becomes nanoseconds; *text is left behind the number. */
static uint64_t field_ns(char **text)
{
    uint64_t whole = strtoull(*text, text, 10), fraction = 0;
    unsigned digits = 0;
    if (**text == '.') {
        for (++*text; **text >= '0' && **text <= '9'; ++*text, digits++) {
            fraction = fraction * 10 + (uint64_t)(**text - '0');
        }
    }
    for (; digits < 6; digits++) {
        fraction *= 10;
    }
    *text += **text == ',';
    return whole * 1000000 + fraction;
}

static void check_row(char *line, struct weir_rtt *bare, struct weir_rtt *floored)
{
    char *text = line;
    uint32_t sample_us = (uint32_t)(field_ns(&text) / 1000);
    uint64_t srtt = field_ns(&text), rttvar = field_ns(&text), rto = field_ns(&text), rto_floor = field_ns(&text);
    weiri_rtt_sample(bare, sample_us, &bounds_none);
    weiri_rtt_sample(floored, sample_us, &bounds_rfc);
    assert_int_equal(bare->srtt8, floored->srtt8);
    assert_int_equal(bare->rttvar4, floored->rttvar4);
    if (apart(srtt, (uint64_t)bare->srtt8 * 125) > srtt_error_ns ||
        apart(rttvar, (uint64_t)bare->rttvar4 * 250) > rttvar_error_ns ||
        apart(rto, (uint64_t)bare->rto * 1000) > rto_error_ns ||
        apart(rto_floor, (uint64_t)floored->rto * 1000) > rto_error_ns) {
        fail_msg("%s gave srtt8 %u rttvar4 %u rto %u floored %u", line, bare->srtt8, bare->rttvar4, bare->rto,
                 floored->rto);
    }
}

/* RFC6298-2-3 to 2-8, RFC6298-4-1: vectors/function/derived_rto_rfc6298.csv; a blank line begins a connection. */
static void test_vectors(void **state)
{
    (void)state;
    char line[256];
    unsigned rows = 0, connections = 1;
    struct weir_rtt bare, floored;
    FILE *f = fopen(WEIR_VECTORS_DIR "/function/derived_rto_rfc6298.csv", "r");
    assert_non_null(f);
    weiri_rtt_init(&bare, &bounds_none);
    weiri_rtt_init(&floored, &bounds_rfc);
    while (fgets(line, (int)sizeof line, f) != NULL) {
        if (line[0] == '\n') {
            connections++;
            weiri_rtt_init(&bare, &bounds_none);
            weiri_rtt_init(&floored, &bounds_rfc);
        } else if (line[0] != '#') {
            check_row(line, &bare, &floored);
            rows++;
        }
    }
    fclose(f);
    assert_int_equal(rows, 26);
    assert_int_equal(connections, 6); /* a blank line ends the file too */
}

/* RFC6298-2-1. */
static void test_before_any_sample(void **state)
{
    (void)state;
    struct weir_rtt r;
    memset(&r, 0xa5, sizeof r);
    weiri_rtt_init(&r, &bounds_rfc);
    assert_int_equal(r.srtt8, 0);
    assert_int_equal(r.rttvar4, 0);
    assert_int_equal(r.min, 0);
    assert_int_equal(r.rto, 1000000);
    assert_int_equal(weiri_rtt_rto(&r, 0, &bounds_rfc), 1000000);
}

/* A sample of 0 is a sample: the next one is blended in by rule 2.3, not taken whole by rule 2.2. */
static void test_zero_is_a_sample(void **state)
{
    (void)state;
    struct weir_rtt r;
    weiri_rtt_init(&r, &bounds_none);
    weiri_rtt_sample(&r, 0, &bounds_none);
    assert_int_not_equal(r.srtt8, 0);
    assert_in_range(r.rto, 1000, 1001);
    weiri_rtt_sample(&r, 8000, &bounds_none);
    assert_in_range(r.srtt8, 8 * 1000, 8 * 1000 + 1);
    assert_in_range(r.rttvar4, 4 * 2000 - 1, 4 * 2000);
    assert_int_equal(r.min, 0);
    for (unsigned i = 0; i < 1000; i++) {
        weiri_rtt_sample(&r, 0, &bounds_none);
        assert_int_not_equal(r.srtt8, 0);
    }
    assert_in_range(r.srtt8, 1, 4);
    assert_in_range(r.rto, 1000, 1001);
    struct weir_rtt none = r;
    none.srtt8 = 0;
    const struct weiri_rto_bounds exact = {1000000, 0, UINT32_MAX, 0};
    weiri_rtt_adapt(&r, &none, 0, &exact); /* after a timeout that was none, too */
    assert_int_not_equal(r.srtt8, 0);
}

static void test_minimum(void **state)
{
    (void)state;
    static const uint32_t samples[][2] = {{500, 500}, {700, 500}, {499, 499}, {UINT32_MAX, 499}, {0, 0}, {1, 0}};
    struct weir_rtt r;
    weiri_rtt_init(&r, &bounds_rfc);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        weiri_rtt_sample(&r, samples[i][0], &bounds_rfc);
        assert_int_equal(r.min, samples[i][1]);
    }
}

/* The variance term is never below the clock's grain (RFC6298-4-1), however coarse that is said to be. */
static void test_granularity(void **state)
{
    (void)state;
    static const uint32_t grains[][2] = {{0, 10001}, {1, 10001}, {20000, 30001}, {UINT32_MAX, SAMPLE_MAX_US + 10001}};
    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        struct weiri_rto_bounds bounds = {1000000, 0, UINT32_MAX, grains[i][0]};
        struct weir_rtt r;
        weiri_rtt_init(&r, &bounds);
        for (unsigned n = 0; n < 200; n++) {
            weiri_rtt_sample(&r, 10000, &bounds);
        }
        assert_in_range(r.rto, grains[i][1] - 1, grains[i][1] + 2);
    }
}

/* Whatever is sampled: no overflow, the smoothed values within the clamp, the timeout within its bounds. */
static void test_extremes(void **state)
{
    (void)state;
    static const uint32_t ends[] = {0, 1, SAMPLE_MAX_US - 1, SAMPLE_MAX_US, SAMPLE_MAX_US + 1, INT32_MAX,
                                    UINT32_C(1) << 31, UINT32_MAX};
    size_t count = sizeof ends / sizeof ends[0];
    for (size_t first = 0; first < count; first++) {
        for (size_t second = 0; second < count; second++) {
            struct weir_rtt r;
            weiri_rtt_init(&r, &bounds_none);
            for (unsigned n = 0; n < 400; n++) {
                weiri_rtt_sample(&r, ends[n % 3 == 0 ? first : second], &bounds_none);
                assert_in_range(r.srtt8, 1, SAMPLE_MAX_US << 3);
                assert_in_range(r.rttvar4, 0, SAMPLE_MAX_US << 2);
                assert_in_range(r.rto, r.srtt8 >> 3, SAMPLE_MAX_US * 5u);
            }
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

/* A long life against the same rules in double arithmetic: rounding never adds up past the stated error. */
static void test_against_exact_arithmetic(void **state)
{
    (void)state;
    uint32_t x = 0x2545f491;
    for (unsigned shift = 4; shift < 32; shift += 3) {
        struct weir_rtt r;
        double srtt = 0, rttvar = 0;
        weiri_rtt_init(&r, &bounds_none);
        for (unsigned n = 0; n < 5000; n++) {
            uint32_t sample = (next_random(&x) >> shift) % SAMPLE_MAX_US;
            double error = srtt > sample ? srtt - sample : sample - srtt;
            rttvar = n == 0 ? sample / 2.0 : 0.75 * rttvar + 0.25 * error;
            srtt = n == 0 ? sample : 0.875 * srtt + 0.125 * sample;
            weiri_rtt_sample(&r, sample, &bounds_none);
            assert_true(apart((uint64_t)(srtt * 1000), (uint64_t)r.srtt8 * 125) <= srtt_error_ns);
            assert_true(apart((uint64_t)(rttvar * 1000), (uint64_t)r.rttvar4 * 250) <= rttvar_error_ns);
            double rto = srtt + (4 * rttvar > 1000 ? 4 * rttvar : 1000);
            assert_true(apart((uint64_t)(rto * 1000), (uint64_t)r.rto * 1000) <= rto_error_ns);
        }
    }
}

/* RFC6298-5-7, RFC6298-2-9, V43: doubling, the cap, and no shift past the width for 1000 timeouts. */
static void test_backoff(void **state)
{
    (void)state;
    static const struct {
        struct weiri_rto_bounds bounds;
        unsigned backoff;
        uint32_t rto;
    } rows[] = {
        {{1000000, 1000000, 60000000, 1000}, 0, 1000000},
        {{1000000, 1000000, 60000000, 1000}, 1, 2000000},
        {{1000000, 1000000, 60000000, 1000}, 5, 32000000},
        {{1000000, 1000000, 60000000, 1000}, 6, 60000000},
        {{1000000, 1000000, 60000000, 1000}, 31, 60000000},
        {{1000000, 1000000, 60000000, 1000}, 32, 60000000},
        {{1000000, 1000000, 60000000, 1000}, UINT32_MAX, 60000000},
        {{1, 0, UINT32_MAX, 0}, 31, UINT32_C(1) << 31},
        {{1, 0, UINT32_MAX, 0}, 32, UINT32_MAX},
        {{3, 0, UINT32_MAX, 0}, 30, UINT32_C(3) << 30},
        {{3, 0, UINT32_MAX, 0}, 31, UINT32_MAX},
        {{5000000, 0, 2000000, 0}, 0, 2000000}, /* the ceiling holds for the start too */
        {{0, 0, 100, 0}, 0, 1},                 /* never a timeout of 0 */
        {{0, 0, 0, 0}, 40, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_rtt r;
        weiri_rtt_init(&r, &rows[i].bounds);
        assert_int_equal(weiri_rtt_rto(&r, rows[i].backoff, &rows[i].bounds), rows[i].rto);
    }
    for (uint32_t sample = 1; sample < UINT32_C(1) << 30; sample *= 3) {
        struct weir_rtt r;
        uint32_t last = 0;
        weiri_rtt_init(&r, &bounds_rfc);
        weiri_rtt_sample(&r, sample, &bounds_rfc);
        for (unsigned backoff = 0; backoff < 1000; backoff++) {
            uint32_t rto = weiri_rtt_rto(&r, backoff, &bounds_rfc);
            assert_in_range(rto, last < bounds_rfc.min ? bounds_rfc.min : last, bounds_rfc.max);
            last = rto;
        }
        assert_int_equal(last, bounds_rfc.max);
    }
}

/* Rules 2.4 and 2.5; where a configuration crosses them the ceiling holds. */
static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        uint32_t min, max, sample, rto;
    } rows[] = {
        {200000, 120000000, 1000, 200000},
        {200000, 120000000, 100000, 300000},
        {200000, 120000000, 100000000, 120000000},
        {5000000, 1000000, 1000, 1000000},
        {0, 0, 1000, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weiri_rto_bounds bounds = {1000000, rows[i].min, rows[i].max, 1};
        struct weir_rtt r;
        weiri_rtt_init(&r, &bounds);
        weiri_rtt_sample(&r, rows[i].sample, &bounds);
        assert_int_equal(r.rto, rows[i].rto);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_before_any_sample),
        cmocka_unit_test(test_zero_is_a_sample),
        cmocka_unit_test(test_minimum),
        cmocka_unit_test(test_granularity),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_against_exact_arithmetic),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
