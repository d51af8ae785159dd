/* test_checksum.c - every form of the Internet checksum against the naive one and the numbers of RFC 1071 and RFC 1624. The
 * module is included whole, so that each form can be called whatever this machine would choose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/checksum.c"

#include "guard.h"
#include "naive.h"

enum { ALIGNMENTS = 64, LENGTH_MAX = 4200, LARGE_MAX = 70000, CANARY = 0x5c };

/* ---- the forms ---- */

static uint64_t portable_sum(const uint8_t *octets, size_t len)
{
    return checksum_portable(NULL, octets, len);
}

static uint64_t portable_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    return checksum_portable(to, from, len);
}

static uint64_t chosen_sum(const uint8_t *octets, size_t len)
{
    return weiri_sum(octets, len, 0);
}

static uint64_t chosen_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    return weiri_sum_copy(to, from, len, 0);
}

#if defined(__SSE2__) && !defined(WEIR_NO_SIMD)
static uint64_t sse2_sum(const uint8_t *octets, size_t len)
{
    return checksum_sse2(NULL, octets, len);
}

static uint64_t sse2_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    return checksum_sse2(to, from, len);
}
#endif

#if defined(__SSE2__) && !defined(WEIR_NO_SIMD) && defined(WEIR_HOSTED)
/* It is made for 64 octets and more. */
static uint64_t avx2_sum(const uint8_t *octets, size_t len)
{
    return len < 64 ? portable_sum(octets, len) : checksum_avx2(octets, len, 0);
}

static uint64_t avx2_copy(uint8_t *to, const uint8_t *from, size_t len)
{
    return len < 64 ? portable_copy(to, from, len) : checksum_avx2_copy(to, from, len, 0);
}
#endif

struct form {
    const char *name;
    uint64_t (*sum)(const uint8_t *octets, size_t len);
    uint64_t (*copy)(uint8_t *to, const uint8_t *from, size_t len);
};

static const struct form forms[] = {
    {"portable", portable_sum, portable_copy},
    {"chosen", chosen_sum, chosen_copy},
#if defined(__SSE2__) && !defined(WEIR_NO_SIMD)
    {"sse2", sse2_sum, sse2_copy},
#if defined(WEIR_HOSTED)
    {"avx2", avx2_sum, avx2_copy},
#endif
#endif
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static bool runs_here(const struct form *form)
{
#if defined(__SSE2__) && !defined(WEIR_NO_SIMD) && defined(WEIR_HOSTED)
    return strcmp(form->name, "avx2") != 0 || __builtin_cpu_supports("avx2") != 0;
#else
    (void)form;
    return true;
#endif
}

/* ---- content, and what its beginnings sum to ---- */

static uint8_t content[LARGE_MAX];
static uint16_t expected[LARGE_MAX + 1]; /* checksum of the first n octets */

static int make_content(void **state)
{
    uint64_t seed = 1;
    uint32_t sum = 0;

    (void)state;
    for (size_t i = 0; i < LARGE_MAX; i++)
        content[i] = (uint8_t)naive_random(&seed);
    /* stretches of 0xff and of 0, where carries pile up or never come */
    memset(content + 500, 0xff, 700);
    memset(content + 2000, 0, 300);
    memset(content + 30000, 0xff, 30000);
    for (size_t n = 0; n <= LARGE_MAX; n++) {
        expected[n] = (uint16_t)~sum;
        if (n < LARGE_MAX)
            sum += n % 2 == 0 ? (uint32_t)content[n] * 256 : content[n];
        sum = sum % 65536 + sum / 65536;
    }
    return 0;
}

static void check_sum(const struct form *form, const uint8_t *at, size_t len)
{
    uint16_t got = weiri_sum_finish(form->sum(at, len));
    if (got != expected[len])
        fail_msg("%s: length %zu at alignment %zu: %04x, not %04x", form->name, len, (size_t)((uintptr_t)at % 64), got,
                 expected[len]);
}

/* `to` has room for one canary before and one after. */
static void check_copy(const struct form *form, uint8_t *to, const uint8_t *from, size_t len)
{
    uint16_t got;

    memset(to - 1, CANARY, len + 2);
    got = weiri_sum_finish(form->copy(to, from, len));
    if (got != expected[len] || memcmp(to, content, len) != 0 || to[-1] != CANARY || to[len] != CANARY)
        fail_msg("%s copy: length %zu from alignment %zu: %04x, not %04x, or the octets differ", form->name, len,
                 (size_t)((uintptr_t)from % 64), got, expected[len]);
}

/* ---- tests ---- */

static void sums_at_every_alignment_and_length(void **state)
{
    static uint8_t room[LENGTH_MAX + 2 * ALIGNMENTS];
    uint8_t *base = room + (ALIGNMENTS - (uintptr_t)room % ALIGNMENTS);

    (void)state;
    for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
        memset(room, 0xff, sizeof room);
        memcpy(base + alignment, content, LENGTH_MAX);
        for (unsigned f = 0; f < FORMS; f++)
            for (size_t len = 0; runs_here(&forms[f]) && len <= LENGTH_MAX; len++)
                check_sum(&forms[f], base + alignment, len);
    }
}

/* Both ends at every alignment; all lengths up to several turns of the widest loop, and a sparse choice beyond. */
static void copies_at_every_alignment(void **state)
{
    static uint8_t from_room[LENGTH_MAX + 2 * ALIGNMENTS], to_room[LENGTH_MAX + 3 * ALIGNMENTS];
    uint8_t *from = from_room + (ALIGNMENTS - (uintptr_t)from_room % ALIGNMENTS);
    uint8_t *to = to_room + (ALIGNMENTS - (uintptr_t)to_room % ALIGNMENTS) + ALIGNMENTS;

    (void)state;
    for (size_t alignment = 0; alignment < ALIGNMENTS; alignment++) {
        memcpy(from + alignment, content, LENGTH_MAX);
        for (unsigned f = 0; f < FORMS; f++)
            for (size_t len = 0; runs_here(&forms[f]) && len <= LENGTH_MAX; len += len < 300 ? 1 : 61)
                check_copy(&forms[f], to - ALIGNMENTS / 2 + (alignment * 7 + len) % ALIGNMENTS, from + alignment, len);
    }
}

static void copies_at_every_length(void **state)
{
    static uint8_t to[LENGTH_MAX + 2];

    (void)state;
    for (unsigned f = 0; f < FORMS; f++)
        for (size_t len = 0; runs_here(&forms[f]) && len <= LENGTH_MAX; len++)
            check_copy(&forms[f], to + 1, content, len);
}

/* Not an octet is read or written outside: both ends of source and destination lie at guard pages in turn. */
static void nothing_outside_is_touched(void **state)
{
    uint8_t *from_end = guard_room(LENGTH_MAX) + LENGTH_MAX, *from_front = guard_room_front(LENGTH_MAX);
    uint8_t *to_end = guard_room(LENGTH_MAX) + LENGTH_MAX, *to_front = guard_room_front(LENGTH_MAX);

    (void)state;
    memcpy(from_front, content, LENGTH_MAX);
    for (size_t len = 0; len <= LENGTH_MAX; len += len < 600 ? 1 : 67) {
        memcpy(from_end - len, content, len);
        for (unsigned f = 0; f < FORMS; f++) {
            if (!runs_here(&forms[f]))
                continue;
            check_sum(&forms[f], from_end - len, len);
            check_sum(&forms[f], from_front, len);
            assert_int_equal(weiri_sum_finish(forms[f].copy(to_end - len, from_end - len, len)), expected[len]);
            assert_int_equal(weiri_sum_finish(forms[f].copy(to_front, from_end - len, len)), expected[len]);
            assert_memory_equal(to_end - len, content, len);
            assert_memory_equal(to_front, content, len);
        }
    }
    guard_free_all();
}

static void large_ones(void **state)
{
    static uint8_t to[LARGE_MAX + 2];
    static const size_t lens[] = {8191, 8192, 9000, 16384, 32768, 65535, 65536, 69999, 70000};

    (void)state;
    for (unsigned f = 0; f < FORMS; f++)
        for (unsigned l = 0; runs_here(&forms[f]) && l < sizeof lens / sizeof lens[0]; l++) {
            check_sum(&forms[f], content, lens[l]);
            check_copy(&forms[f], to + 1, content, lens[l]);
        }
}

/* Where every mean is rounded up, where all that is cut off is as much as can be, and where each addition carries: up to a length at which
 * whoever tells carries by such means would tell them wrong. */
static void carries_are_told_right(void **state)
{
    static const uint64_t words[][8] = {
        {0, UINT64_C(1) << 48, UINT64_C(1) << 48, UINT64_C(2) << 48, 0, UINT64_C(1) << 48, UINT64_C(1) << 48, UINT64_C(3) << 48},
        {0xffffffffffff, 0xffffffffffff, 0xffffffffffff, 0xffffffffffff, 0xffffffffffff, 0xffffffffffff, 0xffffffffffff, 0xffffffffffff},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
        {UINT64_MAX, 0, UINT64_MAX, 1, 0, UINT64_MAX, UINT64_C(1) << 63, 0xffffffffffff}};
    static const size_t lens[] = {256, 1460, 65534, 1 << 18, (1 << 18) + 2, 1 << 21};
    static uint64_t room[1 << 18], to[1 << 18];

    (void)state;
    for (unsigned w = 0; w < sizeof words / sizeof words[0]; w++) {
        for (size_t i = 0; i < 1 << 18; i++)
            room[i] = words[w][i / 4 % 8];
        for (unsigned l = 0; l < sizeof lens / sizeof lens[0]; l++) {
            uint16_t sum = (uint16_t)~naive_sum(0, (const uint8_t *)room, lens[l]);
            assert_int_equal(weiri_sum_finish(weiri_sum((const uint8_t *)room, lens[l], 0)), sum);
            assert_int_equal(weiri_sum_finish(weiri_sum_copy((uint8_t *)to, (const uint8_t *)room, lens[l], 0)), sum);
            assert_memory_equal(to, room, lens[l]);
        }
    }
}

/* The sum that comes in may be anything; carries out of 64 bits come round. */
static void sums_go_on_from_any_sum(void **state)
{
    static const uint64_t starts[] = {0, 1, 0xffff, 0xffffffffu, 0xffffffff00000000u, UINT64_MAX - 1, UINT64_MAX};
    uint8_t copy[300];

    (void)state;
    for (unsigned s = 0; s < sizeof starts / sizeof starts[0]; s++)
        for (size_t len = 0; len <= sizeof copy; len += 13) {
            /* Modulo 2^16 - 1 the start is a number of its own; as octets it stands in front of the rest. */
            uint8_t front[8];
            uint32_t sum;
            memcpy(front, &starts[s], 8);
            sum = naive_sum(naive_sum(0, front, 8), content, len);
            assert_int_equal(weiri_sum_finish(weiri_sum(content, len, starts[s])), (uint16_t)~sum);
            assert_int_equal(weiri_sum_finish(weiri_sum_copy(copy, content, len, starts[s])), (uint16_t)~sum);
        }
    assert_true(weiri_sum_copy(NULL, NULL, 0, 77) == 77);
}

/* Every carry of the folding, by every mix of the words at which carries turn. */
static void folding_to_sixteen_bits(void **state)
{
    static const uint64_t words[] = {0, 1, 2, 0x8000, 0xfffe, 0xffff};

    (void)state;
    for (unsigned mix = 0; mix < 6 * 6 * 6 * 6; mix++) {
        uint64_t sum = words[mix % 6] | words[mix / 6 % 6] << 16 | words[mix / 36 % 6] << 32 | words[mix / 216] << 48;
        uint8_t octets[8];

        memcpy(octets, &sum, 8);
        assert_int_equal(weiri_sum_finish(sum), (uint16_t)~naive_sum(0, octets, 8));
    }
}

static void parts_join_at_every_offset(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 200; len++)
        for (size_t at = 0; at <= len; at++) {
            uint64_t sum = weiri_sum(content + 480, at, 0), part = weiri_sum(content + 480 + at, len - at, 0);
            assert_int_equal(weiri_sum_finish(weiri_sum_join(sum, part, at)),
                             (uint16_t)~naive_sum(0, content + 480, len));
        }
}

static void numbers_of_rfc1071(void **state)
{
    static const char file[] = "rfc1071_checksum.txt";
    uint8_t data[32], first[16], second[16];
    char hex[80];
    size_t len, first_len, second_len;
    uint64_t sum;

    (void)state;
    naive_value(file, "data", hex, sizeof hex);
    len = naive_octets(hex, data, sizeof data);
    assert_int_equal(len, 8);
    assert_int_equal(naive_sum(0, data, len), naive_number(file, "sum16"));
    for (unsigned f = 0; f < FORMS; f++)
        if (runs_here(&forms[f]))
            assert_int_equal(weiri_sum_finish(forms[f].sum(data, len)), naive_number(file, "checksum"));

    naive_value(file, "split1", hex, sizeof hex);
    first_len = naive_octets(hex, first, sizeof first);
    naive_value(file, "split2", hex, sizeof hex);
    second_len = naive_octets(hex, second, sizeof second);
    assert_int_equal(first_len, 3);
    assert_int_equal(second_len, 5);
    sum = weiri_sum_join(weiri_sum(first, first_len, 0), weiri_sum(second, second_len, 0), first_len);
    assert_int_equal((uint16_t)~weiri_sum_finish(sum), naive_number(file, "total"));
}

static void corner_of_rfc1624(void **state)
{
    static const char file[] = "rfc1624_incremental.txt";
    uint16_t before = (uint16_t)naive_number(file, "m"), after = (uint16_t)naive_number(file, "m_new");
    uint16_t old = (uint16_t)naive_number(file, "HC_old");

    (void)state;
    assert_int_equal(weiri_checksum_update(old, before, after), naive_number(file, "HC_new_eqn3"));
    assert_int_equal(weiri_checksum_update(old, before, after), naive_number(file, "HC_new_recomputed"));
    assert_int_not_equal(weiri_checksum_update(old, before, after), naive_number(file, "HC_new_eqn2_rfc1141"));
}

/* Changing one word and updating is the same as summing again, for every checksum and the words where carries turn. */
static void updates_equal_recomputation(void **state)
{
    static const uint16_t words[] = {0, 1, 0x00ff, 0x5555, 0x7fff, 0x8000, 0xaaaa, 0xfffe, 0xffff};
    enum { WORDS = sizeof words / sizeof words[0] };

    (void)state;
    for (uint32_t rest = 1; rest <= 0xffff; rest++) /* the rest of a packet never sums to 0: some word of it is not 0 */
        for (unsigned m = 0; m < WORDS * WORDS; m++) {
            uint32_t before = rest + words[m % WORDS], after = rest + words[m / WORDS];
            uint16_t old = (uint16_t)~(before % 65536 + before / 65536), now = (uint16_t)~(after % 65536 + after / 65536);

            if (weiri_checksum_update(old, words[m % WORDS], words[m / WORDS]) != now)
                fail_msg("rest %04x, %04x becomes %04x", (unsigned)rest, words[m % WORDS], words[m / WORDS]);
        }
}

static void pseudo_headers_of_both_families(void **state)
{
    static const uint32_t lens[] = {0, 1, 20, 1460, 65515, 65535};
    uint64_t seed = 7;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t len = lens[round % 6], len6 = round % 12 == 11 ? 0x12345678u : len;
        uint8_t protocol = (uint8_t)(round % 3 == 0 ? 6 : 1 + naive_random(&seed) % 255);
        weir_pseudo v4, v6;

        for (unsigned i = 0; i < 16; i++) {
            v6.source.octets[i] = (uint8_t)(round % 7 == 0 ? 0xff : naive_random(&seed));
            v6.destination.octets[i] = (uint8_t)(round % 5 == 0 ? 0 : naive_random(&seed));
        }
        v4 = v6;
        memcpy(v4.source.octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
        memcpy(v4.destination.octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
        assert_int_equal(weiri_sum_finish(weiri_sum_pseudo(&v6, len6, protocol)),
                         (uint16_t)~naive_pseudo(v6.source.octets, v6.destination.octets, 16, len6, protocol));
        assert_int_equal(weiri_sum_finish(weiri_sum_pseudo(&v4, len, protocol)),
                         (uint16_t)~naive_pseudo(v4.source.octets + 12, v4.destination.octets + 12, 4, len, protocol));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_at_every_alignment_and_length),
        cmocka_unit_test(copies_at_every_alignment),
        cmocka_unit_test(copies_at_every_length),
        cmocka_unit_test(nothing_outside_is_touched),
        cmocka_unit_test(large_ones),
        cmocka_unit_test(carries_are_told_right),
        cmocka_unit_test(sums_go_on_from_any_sum),
        cmocka_unit_test(folding_to_sixteen_bits),
        cmocka_unit_test(parts_join_at_every_offset),
        cmocka_unit_test(numbers_of_rfc1071),
        cmocka_unit_test(corner_of_rfc1624),
        cmocka_unit_test(updates_equal_recomputation),
        cmocka_unit_test(pseudo_headers_of_both_families),
    };
    return cmocka_run_group_tests(tests, make_content, NULL);
}
