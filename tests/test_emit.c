/* test_emit.c - fields to octets: known layouts to the octet, every subset of options there and back through the view, and
 * every bit that must be 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/wire.h"

#include "guard.h"
#include "naive.h"

enum { CANARY = 0x5c };

static weir_fields fields_with(unsigned flags, unsigned options)
{
    weir_fields f;

    memset(&f, 0, sizeof f);
    f.source_port = 0x1122;
    f.destination_port = 0x3344;
    f.seq = seq_of(0x55667788u);
    f.ack = seq_of(0x99aabbccu);
    f.flags = (uint16_t)flags;
    f.window = 0xddee;
    f.urgent = 0x0102;
    f.options = (uint16_t)options;
    f.mss = 1460;
    f.wscale = 7;
    f.ts_value = 0xa1a2a3a4u;
    f.ts_echo = 0xb1b2b3b4u;
    f.sack_count = 4;
    for (uint32_t i = 0; i < WEIR_SACK_BLOCKS_MAX; i++) {
        f.sack[i].from = seq_of(0x10000000u * (i + 1));
        f.sack[i].to = seq_of(0x10000000u * (i + 1) + 0x100);
    }
    return f;
}

/* ---- layouts to the octet ---- */

struct layout {
    const char *name;
    unsigned flags, options;
    uint8_t sack_count;
    const char *octets; /* hexadecimal; from octet 12 on, without window, checksum and urgent pointer */
};

#define ALL (WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK | WEIR_OPT_SACK | WEIR_OPT_TIMESTAMPS)
#define TS "a1a2a3a4b1b2b3b4"

static const struct layout layouts[] = {
    {"SYN, all", WEIR_SYN, ALL, 4, "a002 020405b4 0402080a" TS "01030307"},
    {"SYN, no timestamps", WEIR_SYN, ALL & ~(unsigned)WEIR_OPT_TIMESTAMPS, 4, "8002 020405b4 01010402 01030307"},
    {"SYN, no SACK", WEIR_SYN, WEIR_OPT_MSS | WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE, 0, "a002 020405b4 0101080a" TS "01030307"},
    {"SYN, MSS", WEIR_SYN, WEIR_OPT_MSS, 0, "6002 020405b4"},
    {"SYN,ACK, MSS and SACK", WEIR_SYN | WEIR_ACK, WEIR_OPT_MSS | WEIR_OPT_SACK_OK, 0, "7012 020405b4 01010402"},
    {"SYN, none", WEIR_SYN, 0, 4, "5002"},
    {"ACK, none", WEIR_ACK, 0, 4, "5010"},
    {"ACK, timestamps", WEIR_ACK, ALL & ~(unsigned)WEIR_OPT_SACK, 0, "8010 0101080a" TS},
    {"ACK, timestamps and a block", WEIR_ACK, ALL, 1, "b010 0101080a" TS "0101050a 10000000 10000100"},
    {"ACK, timestamps and four blocks: three fit", WEIR_ACK, ALL, 4,
     "f010 0101080a" TS "0101051a 10000000 10000100 20000000 20000100 30000000 30000100"},
    {"ACK, four blocks", WEIR_ACK, WEIR_OPT_SACK, 4,
     "e010 01010522 10000000 10000100 20000000 20000100 30000000 30000100 40000000 40000100"},
    {"ACK, more blocks than there are", WEIR_ACK, WEIR_OPT_SACK, 255,
     "e010 01010522 10000000 10000100 20000000 20000100 30000000 30000100 40000000 40000100"},
    {"ACK, SACK without a block", WEIR_ACK, WEIR_OPT_SACK, 0, "5010"},
    {"AE, CWR and ECE", WEIR_ACK | WEIR_AE | WEIR_CWR | WEIR_ECE, 0, 0, "51d0"},
};

/* Hexadecimal digits with spaces between. */
static size_t layout_octets(const char *text, uint8_t *octets)
{
    char hex[160];
    size_t len = 0;

    for (; *text != '\0'; text++)
        if (*text != ' ')
            hex[len++] = *text;
    hex[len] = '\0';
    return naive_octets(hex, octets, 64);
}

static void layouts_to_the_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        weir_fields f = fields_with(layouts[i].flags, layouts[i].options);
        uint8_t right[64], *out = guard_room(WEIR_TCP_HEADER_MAX);
        size_t right_len, len;

        f.sack_count = layouts[i].sack_count;
        right_len = layout_octets(layouts[i].octets, right);
        len = weir_emit_header(out, &f);
        if (len != right_len + 18 || memcmp(out + 12, right, 2) != 0 || memcmp(out + 20, right + 2, right_len - 2) != 0)
            fail_msg("%s: %zu octets, not %zu, or others", layouts[i].name, len, right_len + 18);
        guard_free_all();
    }
}

static void the_fixed_part(void **state)
{
    weir_fields f = fields_with(WEIR_ACK | WEIR_URG, 0);
    uint8_t out[WEIR_TCP_HEADER_MAX];

    (void)state;
    assert_int_equal(weir_emit_header(out, &f), 20);
    assert_memory_equal(out, "\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\x50\x30\xdd\xee\0\0\x01\x02", 20);
    f.flags = WEIR_RST; /* no ACK, no URG: their fields are 0 */
    assert_int_equal(weir_emit_header(out, &f), 20);
    assert_memory_equal(out, "\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\0\x50\x04\xdd\xee\0\0\0\0", 20);
}

static void shifts_above_fourteen_are_never_sent(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 256; shift++) {
        weir_fields f = fields_with(WEIR_SYN, WEIR_OPT_WSCALE);
        uint8_t out[WEIR_TCP_HEADER_MAX];

        f.wscale = (uint8_t)shift;
        assert_int_equal(weir_emit_header(out, &f), 24);
        assert_int_equal(base_get32(out + 20), 0x01030300u + (shift < 14 ? shift : 14));
    }
}

/* ---- there and back ---- */

/* What of `f` a reader should find again. */
static unsigned options_that_go(const weir_fields *f)
{
    unsigned with_syn = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK, without = WEIR_OPT_SACK;
    unsigned options = f->options & ALL & ~((f->flags & WEIR_SYN) != 0 ? without : with_syn);

    if (f->sack_count == 0)
        options &= ~(unsigned)WEIR_OPT_SACK;
    return options;
}

static unsigned blocks_that_fit(const weir_fields *f)
{
    unsigned room = (options_that_go(f) & WEIR_OPT_TIMESTAMPS) != 0 ? 3 : 4;

    if ((options_that_go(f) & WEIR_OPT_SACK) == 0)
        return 0;
    return f->sack_count < room ? f->sack_count : room;
}

static void check_there_and_back(const weir_fields *f, uint8_t *room)
{
    weir_view v;
    size_t len;
    unsigned ones = 0, options = options_that_go(f);

    memset(room, CANARY, WEIR_TCP_HEADER_MAX);
    len = weir_emit_header(room, f);
    assert_true(len >= 20 && len <= WEIR_TCP_HEADER_MAX && len % 4 == 0);
    assert_int_equal(len, 20 + weiri_emit_options_len(f));
    for (size_t i = len; i < WEIR_TCP_HEADER_MAX; i++)
        assert_int_equal(room[i], CANARY);
    for (size_t i = 0; i < len; i++) /* reads every octet: none may be undefined */
        ones += room[i] & 1u;
    assert_true(ones <= 60);
    assert_int_equal(weir_view_segment(&v, room, len, NULL), WEIR_OK);
    assert_int_equal(v.header_len, len);
    assert_int_equal(v.flags, f->flags & 0x1ff);
    assert_int_equal(v.odd & ~(unsigned)WEIR_ODD_FLAGS, 0);
    assert_int_equal(v.options, options);
    assert_true(v.source_port == f->source_port && v.destination_port == f->destination_port && v.window == f->window);
    assert_true(seq_eq(v.seq, f->seq) && seq_eq(v.ack, (f->flags & WEIR_ACK) != 0 ? f->ack : seq_of(0)));
    assert_int_equal(v.urgent, (f->flags & WEIR_URG) != 0 ? f->urgent : 0);
    if ((options & WEIR_OPT_MSS) != 0)
        assert_int_equal(v.mss, f->mss);
    if ((options & WEIR_OPT_WSCALE) != 0)
        assert_int_equal(v.wscale, f->wscale);
    if ((options & WEIR_OPT_TIMESTAMPS) != 0)
        assert_true(v.ts_value == f->ts_value && v.ts_echo == f->ts_echo);
    assert_int_equal(v.sack_count, blocks_that_fit(f));
    for (unsigned i = 0; i < v.sack_count; i++)
        assert_true(seq_eq(v.sack[i].from, f->sack[i].from) && seq_eq(v.sack[i].to, f->sack[i].to));
}

/* Every subset of the five options, with every count of blocks, with every mix of the nine control bits. */
static void every_subset_there_and_back(void **state)
{
    static const unsigned bits[] = {WEIR_OPT_MSS, WEIR_OPT_WSCALE, WEIR_OPT_SACK_OK, WEIR_OPT_SACK, WEIR_OPT_TIMESTAMPS};
    uint8_t *room = guard_room(WEIR_TCP_HEADER_MAX);

    (void)state;
    for (unsigned subset = 0; subset < 32; subset++)
        for (unsigned flags = 0; flags < 512; flags++)
            for (uint8_t count = 0; count <= 5; count++) {
                unsigned options = 0;
                weir_fields f;

                for (unsigned i = 0; i < 5; i++)
                    options |= (subset >> i & 1) != 0 ? bits[i] : 0;
                f = fields_with(flags, options);
                f.sack_count = count;
                check_there_and_back(&f, room);
            }
    guard_free_all();
}

/* Bits of `options` and `flags` that mean nothing to the writer are disregarded. */
static void bits_without_meaning(void **state)
{
    uint8_t room[WEIR_TCP_HEADER_MAX];

    (void)state;
    for (unsigned bits = 0; bits < 65536; bits++) {
        weir_fields f = fields_with((bits & 0xfe00) | (bits % 2 != 0 ? WEIR_SYN : WEIR_ACK), bits);
        check_there_and_back(&f, room);
    }
}

static void the_length_is_known_before(void **state)
{
    weir_fields f = fields_with(WEIR_ACK, ALL);

    (void)state;
    assert_int_equal(weiri_emit_options_len(&f), 40);
    f.sack_count = 2;
    assert_int_equal(weiri_emit_options_len(&f), 12 + 4 + 16);
    f.flags = WEIR_SYN;
    assert_int_equal(weiri_emit_options_len(&f), 20);
    f.options = 0;
    assert_int_equal(weiri_emit_options_len(&f), 0);
}

/* ---- checksum ---- */

static void checksums_of_every_length(void **state)
{
    static const weir_pseudo addrs[2] = {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}},
                                          {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7}}},
                                         {{{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
                                          {{0x20, 1, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}}};
    uint64_t seed = 3;

    (void)state;
    for (size_t len = 20; len < 400; len++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            size_t skip = v6 ? 0 : 12;
            uint8_t segment[400], *guarded;
            uint32_t sum;

            for (size_t i = 0; i < len; i++)
                segment[i] = (uint8_t)naive_random(&seed);
            segment[0] = 1; /* not port 0 */
            segment[2] = 1;
            segment[12] = 0x50;
            guarded = guard_put(segment, len);
            weir_emit_checksum(guarded, len, &addrs[v6]);
            segment[16] = segment[17] = 0;
            sum = naive_pseudo(addrs[v6].source.octets + skip, addrs[v6].destination.octets + skip, 16 - skip, (uint32_t)len, 6);
            sum = 0xffff - naive_sum(sum, segment, len);
            segment[16] = (uint8_t)(sum >> 8);
            segment[17] = (uint8_t)sum;
            assert_memory_equal(guarded, segment, len);
            guard_free_all();
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_to_the_octet),
        cmocka_unit_test(the_fixed_part),
        cmocka_unit_test(shifts_above_fourteen_are_never_sent),
        cmocka_unit_test(every_subset_there_and_back),
        cmocka_unit_test(bits_without_meaning),
        cmocka_unit_test(the_length_is_known_before),
        cmocka_unit_test(checksums_of_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
