/* test_seq.c - arithmetic modulo 2^32 (lib/wire/seq.h, lib/wire/base.h) against a model on a ring of 256 places: 256 of them,
 * 2^24 apart, behave as an 8-bit sequence space does, and there every case can be tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/seq.h"

/* The places around which sums wrap or signs change. */
static const uint32_t edges[] = {0, 1, 0x7ffffffeu, 0x7fffffffu, 0x80000000u, 0x80000001u, 0xfffffffeu, 0xffffffffu};
enum { EDGES = sizeof edges / sizeof edges[0] };

static weir_seq place(unsigned idx, uint32_t base)
{
    return seq_of(((uint32_t)idx << 24) + base);
}

/* a < b if b is met within half the ring when walking up from a. The place just opposite counts as after, seen from both:
 * half the space is more than any window (RFC 7323 2.3), so nothing that is compared lies there. */
static bool model_lt(unsigned a, unsigned b)
{
    for (unsigned steps = 1; steps <= 128; steps++)
        if ((a + steps) % 256 == b)
            return true;
    return false;
}

static void every_pair_on_the_small_ring(void **state)
{
    (void)state;
    for (unsigned e = 0; e < EDGES; e++)
        for (unsigned a = 0; a < 256; a++)
            for (unsigned b = 0; b < 256; b++) {
                weir_seq x = place(a, edges[e]), y = place(b, edges[e]);
                bool lt = model_lt(a, b);

                if (weir_seq_lt(x, y) != lt || weir_seq_leq(x, y) != (lt || a == b) || seq_lt(x, y) != lt ||
                    seq_leq(x, y) != (lt || a == b) || seq_eq(x, y) != (a == b))
                    fail_msg("base %#x, places %u and %u", (unsigned)edges[e], a, b);
            }
}

/* The same at the full grain: differences next to the edges, from places next to the edges. */
static void neighbours_of_the_edges(void **state)
{
    (void)state;
    for (unsigned e = 0; e < EDGES; e++)
        for (unsigned d = 0; d < EDGES; d++) {
            weir_seq a = seq_of(edges[e]), b = seq_add(a, edges[d]);
            bool lt = edges[d] >= 1 && edges[d] <= 0x80000000u;

            assert_int_equal(weir_seq_lt(a, b), lt);
            assert_int_equal(weir_seq_leq(a, b), lt || edges[d] == 0);
            assert_int_equal(seq_diff(a, b), edges[d]);
            assert_true(seq_eq(seq_sub(b, edges[d]), a));
            if (edges[d] < 0x80000000u) {
                assert_true(seq_eq(seq_min(a, b), a) && seq_eq(seq_min(b, a), a));
                assert_true(seq_eq(seq_max(a, b), b) && seq_eq(seq_max(b, a), b));
            }
        }
}

/* from =< s < from + len, by walking; len up to the whole ring but one place. */
static void every_window_on_the_small_ring(void **state)
{
    static const unsigned froms[] = {0, 1, 127, 128, 255};

    (void)state;
    for (unsigned f = 0; f < sizeof froms / sizeof froms[0]; f++)
        for (unsigned s = 0; s < 256; s++) {
            bool inside = false;
            for (unsigned len = 0; len < 256; len++) {
                weir_seq from = place(froms[f], 5), at = place(s, 5);
                /* `inside` is true once the walk of `len` steps has passed s */
                if (len > 0 && (froms[f] + len - 1) % 256 == s)
                    inside = true;
                if (seq_in(at, from, (uint32_t)len << 24) != inside)
                    fail_msg("from %u, s %u, len %u", froms[f], s, len);
            }
        }
}

static void windows_end_where_they_say(void **state)
{
    static const uint32_t lens[] = {0, 1, 2, 0xffff, 0x40000000u, 0x7fffffffu, 0x80000000u, 0x80000001u, 0xffffffffu};

    (void)state;
    for (unsigned e = 0; e < EDGES; e++)
        for (unsigned l = 0; l < sizeof lens / sizeof lens[0]; l++) {
            weir_seq from = seq_of(edges[e]);
            assert_int_equal(seq_in(from, from, lens[l]), lens[l] > 0);
            assert_int_equal(seq_in(seq_add(from, lens[l]), from, lens[l]), false);
            assert_int_equal(seq_in(seq_sub(from, 1), from, lens[l]), false);
            if (lens[l] > 0)
                assert_true(seq_in(seq_add(from, lens[l] - 1), from, lens[l]));
        }
}

static void octets_in_network_order(void **state)
{
    uint8_t octets[5] = {0, 0, 0, 0, 0x77};

    (void)state;
    base_put32(octets, 0x01fe80ffu);
    assert_memory_equal(octets, "\x01\xfe\x80\xff\x77", 5);
    assert_int_equal(base_get32(octets), 0x01fe80ffu);
    assert_int_equal(base_get16(octets), 0x01fe);
    assert_int_equal(base_get16(octets + 2), 0x80ff);
    base_put16(octets, 0xabcd1234u);
    assert_memory_equal(octets, "\x12\x34\x80\xff\x77", 5);
    assert_int_equal(base_get32(octets), 0x123480ffu);
}

static void smaller_larger_and_later(void **state)
{
    (void)state;
    assert_int_equal(base_min32(3, 0xffffffffu), 3);
    assert_int_equal(base_min32(0xffffffffu, 3), 3);
    assert_int_equal(base_max32(3, 0xffffffffu), 0xffffffffu);
    assert_int_equal(base_max32(0xffffffffu, 3), 0xffffffffu);
    assert_true(base_min_us(1, WEIR_FOREVER) == 1 && base_min_us(WEIR_FOREVER, 1) == 1);
    assert_true(base_after(10, 5) == 15);
    assert_true(base_after(10, 0) == 10);
    assert_true(base_after(10, WEIR_FOREVER) == WEIR_FOREVER);
    assert_true(base_after(WEIR_FOREVER - 1, 0) == WEIR_FOREVER - 1);
    assert_true(base_after(WEIR_FOREVER - 2, 1) == WEIR_FOREVER - 1);
    assert_true(base_after(WEIR_FOREVER - 2, 2) == WEIR_FOREVER);
    assert_true(base_after(WEIR_FOREVER - 2, 3) == WEIR_FOREVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_on_the_small_ring), cmocka_unit_test(neighbours_of_the_edges),
        cmocka_unit_test(every_window_on_the_small_ring), cmocka_unit_test(windows_end_where_they_say),
        cmocka_unit_test(octets_in_network_order), cmocka_unit_test(smaller_larger_and_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
