/* test_iss.c - initial sequence numbers and timestamp offsets: the clock, the key, and that nothing of one connection tells of another.
 *
 * RFC 9293 3.4.1 (MUST-8, SHLD-1), RFC 6528 3, RFC 7323 5.4 and 7.1. Statistics are over fixed inputs: a verdict never changes by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "conn/conn.h"

static weir_config config_of(uint8_t first_octet)
{
    weir_config cfg;
    weir_config_internet(&cfg);
    for (unsigned i = 0; i < sizeof cfg.secret; i++) {
        cfg.secret[i] = (uint8_t)(first_octet + 17 * i);
    }
    return cfg;
}

/* Tuple number n: one client after the other, as a scanner or a proxy would open them. */
static weir_tuple tuple_of(uint32_t n)
{
    weir_tuple t;
    t.local = weir_addr_v4(192, 0, 2, 1);
    t.remote = weir_addr_v4(198, 51, (uint8_t)(n >> 24), (uint8_t)(n >> 16));
    t.local_port = 443;
    t.remote_port = (uint16_t)n;
    return t;
}

static void test_same_inputs_give_the_same_number(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 100; n++) {
        weir_config a = config_of(1), b = config_of(1);
        weir_tuple t = tuple_of(n), u = tuple_of(n);
        assert_int_equal(weiri_iss(&a, &t, 12345 * n).v, weiri_iss(&b, &u, 12345 * n).v);
        assert_int_equal(weiri_ts_offset(&a, &t), weiri_ts_offset(&b, &u));
    }
}

/* SipHash-2-4 of addresses and ports, of IPv4 addresses four octets each, written down here once more: what a snapshot or another build must
 * reproduce. The lower half is the ISS, the upper one the timestamp offset. */
static void test_the_number_is_the_documented_one(void **state)
{
    (void)state;
    weir_config cfg = config_of(9);
    for (unsigned v4 = 0; v4 < 2; v4++) {
        weir_tuple t = tuple_of(0xc0ffee);
        if (!v4) {
            memset(t.local.octets, 0x20, 16);
            memset(t.remote.octets, 0x21, 16);
        }
        uint8_t in[36];
        const size_t from = v4 ? 12 : 0, len = 16 - from;
        memcpy(in, t.local.octets + from, len);
        memcpy(in + len, t.remote.octets + from, len);
        in[2 * len] = 443 >> 8;
        in[2 * len + 1] = 443 & 0xff;
        in[2 * len + 2] = (uint8_t)(t.remote_port >> 8);
        in[2 * len + 3] = (uint8_t)t.remote_port;
        const uint64_t hash = weir_siphash(cfg.secret, in, 2 * len + 4);
        assert_int_equal(weiri_iss(&cfg, &t, 4000000).v, (uint32_t)hash + 1000000);
        assert_int_equal(weiri_ts_offset(&cfg, &t), (uint32_t)(hash >> 32));
    }
}

/* M: one step each 4 microseconds, modulo 2^32 (RFC 9293 3.4.1). */
static void test_the_clock_steps_every_4_microseconds(void **state)
{
    (void)state;
    static const weir_us times[] = {0, 3999996, (weir_us)1 << 33, ((weir_us)1 << 34) - 4, ((weir_us)1 << 34), (weir_us)1 << 62};
    weir_config cfg = config_of(1);
    weir_tuple t = tuple_of(1);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        uint32_t base = weiri_iss(&cfg, &t, times[i]).v;
        for (unsigned us = 0; us < 4; us++) {
            assert_int_equal(weiri_iss(&cfg, &t, times[i] + us).v, base);
        }
        assert_int_equal(weiri_iss(&cfg, &t, times[i] + 4).v, base + 1);
        assert_int_equal(weiri_iss(&cfg, &t, times[i] + 1000000).v, base + 250000);
    }
    /* A cycle takes 4.77 hours. */
    assert_int_equal(weiri_iss(&cfg, &t, (weir_us)1 << 34).v, weiri_iss(&cfg, &t, 0).v);
    assert_int_not_equal(weiri_iss(&cfg, &t, (weir_us)1 << 33).v, weiri_iss(&cfg, &t, 0).v);
}

static unsigned bits_of(uint32_t x)
{
    unsigned count = 0;
    for (; x != 0; x &= x - 1) {
        count++;
    }
    return count;
}

/* One bit of an input is another: both numbers must be other ones, by about half of their bits. */
static void check_sensitive(const weir_config *a, const weir_tuple *t, const weir_config *b, const weir_tuple *u, unsigned *sum)
{
    uint32_t iss = weiri_iss(a, t, 0).v ^ weiri_iss(b, u, 0).v, ts = weiri_ts_offset(a, t) ^ weiri_ts_offset(b, u);
    assert_int_not_equal(iss, 0);
    assert_int_not_equal(ts, 0);
    *sum += bits_of(iss) + bits_of(ts);
}

static void test_every_bit_of_secret_and_sockets_counts(void **state)
{
    (void)state;
    weir_config cfg = config_of(1);
    weir_tuple t = tuple_of(77);
    unsigned sum = 0, trials = 0;
    memset(t.local.octets, 0x20, 16); /* of IPv4 addresses not all bits do */
    memset(t.remote.octets, 0x21, 16);
    for (unsigned bit = 0; bit < 128; bit++, trials += 3) {
        weir_config other = cfg;
        weir_tuple local = t, remote = t;
        other.secret[bit / 8] ^= (uint8_t)(1u << bit % 8);
        local.local.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        remote.remote.octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        check_sensitive(&cfg, &t, &other, &t, &sum);
        check_sensitive(&cfg, &t, &cfg, &local, &sum);
        check_sensitive(&cfg, &t, &cfg, &remote, &sum);
    }
    for (unsigned bit = 0; bit < 16; bit++, trials += 2) {
        weir_tuple local = t, remote = t;
        local.local_port ^= (uint16_t)(1u << bit);
        remote.remote_port ^= (uint16_t)(1u << bit);
        check_sensitive(&cfg, &t, &cfg, &local, &sum);
        check_sensitive(&cfg, &t, &cfg, &remote, &sum);
    }
    /* 32 of 64 bits on the average; ten standard deviations are about 2. */
    assert_in_range(sum, 30 * trials, 34 * trials);
}

/* Sockets exchanged are other sockets; and neither number tells the other. */
static void test_directions_and_purposes_are_apart(void **state)
{
    (void)state;
    weir_config cfg = config_of(1);
    weir_tuple t = tuple_of(5), u = t;
    u.local = t.remote;
    u.remote = t.local;
    u.local_port = t.remote_port;
    u.remote_port = t.local_port;
    assert_int_not_equal(weiri_iss(&cfg, &t, 0).v, weiri_iss(&cfg, &u, 0).v);
    assert_int_not_equal(weiri_ts_offset(&cfg, &t), weiri_ts_offset(&cfg, &u));
    assert_int_not_equal(weiri_ts_offset(&cfg, &t), weiri_iss(&cfg, &t, 0).v);
}

enum { TUPLES = 100000, BUCKETS = 256 };

/* Chi-square over 256 buckets of 8 bits at `shift`: 255 degrees of freedom; 180 and 350 are 3.3 and 4.2 standard deviations away. */
static void check_even(const uint32_t *values, unsigned shift)
{
    uint32_t count[BUCKETS];
    memset(count, 0, sizeof count);
    for (unsigned i = 0; i < TUPLES; i++) {
        count[values[i] >> shift & (BUCKETS - 1)]++;
    }
    uint64_t sum = 0; /* of squares: chi-square = sum * BUCKETS / TUPLES - TUPLES */
    for (unsigned b = 0; b < BUCKETS; b++) {
        sum += (uint64_t)count[b] * count[b];
    }
    uint64_t chi = sum * BUCKETS / TUPLES - TUPLES;
    assert_in_range(chi, 180, 350);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* 10^5 draws of 2^32 give 1.16 equal pairs on the average. */
static void check_few_equal(uint32_t *values)
{
    unsigned equal = 0;
    qsort(values, TUPLES, sizeof values[0], compare_u32);
    for (unsigned i = 1; i < TUPLES; i++) {
        equal += values[i - 1] == values[i];
    }
    assert_in_range(equal, 0, 8);
}

static void fill(uint32_t *values, bool of_stamps, bool differences)
{
    weir_config cfg = config_of(1);
    uint32_t last = 0;
    for (uint32_t n = 0; n < TUPLES; n++) {
        weir_tuple t = tuple_of(n * 7);
        uint32_t v = of_stamps ? weiri_ts_offset(&cfg, &t) : weiri_iss(&cfg, &t, n * 100).v;
        values[n] = differences ? v - last : v;
        last = v;
    }
}

/* Connections opened one after the other from neighbouring ports: numbers, and steps from one to the next, look like chance. A listener
 * that adds a constant for each connection, or a clock only, fails here. */
static void test_numbers_of_neighbours_look_like_chance(void **state)
{
    (void)state;
    static uint32_t values[TUPLES];
    for (unsigned kind = 0; kind < 4; kind++) {
        fill(values, kind & 1, kind & 2);
        for (unsigned shift = 0; shift < 32; shift += 8) {
            check_even(values, shift);
        }
        check_few_equal(values);
    }
}

/* One 4-tuple over and over: its numbers only go up, by the time between, so that old duplicates stay behind (RFC 6528 3, RFC 6191). */
static void test_one_tuple_goes_up_with_time(void **state)
{
    (void)state;
    weir_config cfg = config_of(1);
    weir_tuple t = tuple_of(3);
    for (weir_us now = 0; now < 100 * (weir_us)1000000; now += 999983) {
        uint32_t step = weiri_iss(&cfg, &t, now + 999983).v - weiri_iss(&cfg, &t, now).v;
        assert_in_range(step, 999983 / 4, 999983 / 4 + 1);
    }
}

/* The timestamp clock: milliseconds, from an offset of its own for each connection, through the wrap of 32 bits. */
static void test_timestamp_clock(void **state)
{
    (void)state;
    weir_conn c;
    memset(&c, 0, sizeof c);
    assert_int_equal(weiri_ts_now(&c), 0);
    c.now = 999;
    assert_int_equal(weiri_ts_now(&c), 0);
    c.now = 1000;
    assert_int_equal(weiri_ts_now(&c), 1);
    c.ts.offset = 0xfffffffeu;
    assert_int_equal(weiri_ts_now(&c), 0xffffffffu);
    c.now = 2000;
    assert_int_equal(weiri_ts_now(&c), 0);
    c.ts.offset = 5;
    c.now = ((weir_us)UINT32_MAX + 1) * 1000 + 7999;
    assert_int_equal(weiri_ts_now(&c), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_inputs_give_the_same_number),
        cmocka_unit_test(test_the_number_is_the_documented_one),
        cmocka_unit_test(test_the_clock_steps_every_4_microseconds),
        cmocka_unit_test(test_every_bit_of_secret_and_sockets_counts),
        cmocka_unit_test(test_directions_and_purposes_are_apart),
        cmocka_unit_test(test_numbers_of_neighbours_look_like_chance),
        cmocka_unit_test(test_one_tuple_goes_up_with_time),
        cmocka_unit_test(test_timestamp_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
