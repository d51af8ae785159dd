/* test_view.c - octets to a checked segment: named cases, and sweeps of the option list, the header's geometry and the
 * control bits against a parser written a second time, slowly and another way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/weir.h"

#include "guard.h"
#include "naive.h"

/* ---- a segment in one line ---- */

enum { SEGMENT_MAX = 128 };

struct segment {
    uint8_t octets[SEGMENT_MAX];
    size_t len;
};

/* Ports 1000 and 80, seq 0x01020304, ack 0x0a0b0c0d if ACK, window 0x1234, the option list as it is (a multiple of 4). */
static struct segment segment_with(unsigned flags, const uint8_t *list, size_t list_len, size_t payload_len)
{
    static const uint8_t fixed[20] = {0x03, 0xe8, 0, 80, 1, 2, 3, 4, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0x12, 0x34, 0, 0, 0, 0};
    struct segment s;

    memset(&s, 0, sizeof s);
    assert_true(list_len % 4 == 0 && 20 + list_len + payload_len <= SEGMENT_MAX);
    memcpy(s.octets, fixed, 20);
    if ((flags & WEIR_ACK) == 0)
        memset(s.octets + 8, 0, 4);
    s.octets[12] = (uint8_t)((20 + list_len) / 4 << 4 | flags >> 8);
    s.octets[13] = (uint8_t)flags;
    if (list_len > 0)
        memcpy(s.octets + 20, list, list_len);
    for (size_t i = 0; i < payload_len; i++)
        s.octets[20 + list_len + i] = (uint8_t)(i + 1);
    s.len = 20 + list_len + payload_len;
    return s;
}

static weir_view untouched(void)
{
    weir_view v;
    memset(&v, 0xa5, sizeof v);
    return v;
}

static bool is_untouched(const weir_view *v)
{
    weir_view same = untouched();
    return memcmp(v, &same, sizeof same) == 0;
}

/* ---- named cases of option lists ---- */

#define SYN_ONLY WEIR_SYN
#define ACK_ONLY WEIR_ACK

struct list_case {
    const char *name;
    const char *list; /* hexadecimal; padded with 01 in front to a multiple of 4 */
    unsigned flags;
    enum weir_verdict verdict;
    unsigned options, odd;
};

static const struct list_case list_cases[] = {
    {"no options", "", ACK_ONLY, WEIR_OK, 0, 0},
    {"what Linux sends on SYN", "020405b40402080a000000010000000001030307", SYN_ONLY, WEIR_OK,
     WEIR_OPT_MSS | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE, 0},
    {"the same with an MSS of 0", "020400000402080a000000010000000001030307", SYN_ONLY, WEIR_OK,
     WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE, WEIR_ODD_OPTION_VALUE},
    {"the same with a shift of 15", "020405b40402080a00000001000000000103030f", SYN_ONLY, WEIR_OK,
     WEIR_OPT_MSS | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE, WEIR_ODD_OPTION_VALUE},
    {"the same without SYN", "020405b40402080a000000010000000001030307", ACK_ONLY, WEIR_OK, WEIR_OPT_TIMESTAMPS,
     WEIR_ODD_OPTION_PLACE},
    {"the usual timestamps", "0101080a0000000100000002", ACK_ONLY, WEIR_OK, WEIR_OPT_TIMESTAMPS, 0},
    {"the usual timestamps with SYN", "0101080a0000000100000002", SYN_ONLY, WEIR_OK, WEIR_OPT_TIMESTAMPS, 0},
    {"the usual beginning, then more", "0101080a000000010000000202040400", SYN_ONLY, WEIR_OK,
     WEIR_OPT_TIMESTAMPS | WEIR_OPT_MSS, 0},
    {"timestamps and SACK", "0101080a00000001000000020101050a0000001000000020", ACK_ONLY, WEIR_OK,
     WEIR_OPT_TIMESTAMPS | WEIR_OPT_SACK, 0},
    {"MSS of 0", "02040000", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"MSS without SYN", "020405b4", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"MSS twice", "020405b402040001", SYN_ONLY, WEIR_OK, WEIR_OPT_MSS, WEIR_ODD_OPTION_TWICE},
    {"MSS of 0, then another", "02040000020405b4", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE | WEIR_ODD_OPTION_TWICE},
    {"MSS of 3 octets", "020305", SYN_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"MSS of 5 octets, the second time", "020405b4020505b400", SYN_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"MSS without SYN and of a wrong size", "02060000000000", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"window scale 14", "03030e", SYN_ONLY, WEIR_OK, WEIR_OPT_WSCALE, 0},
    {"window scale 15 counts as 14", "03030f", SYN_ONLY, WEIR_OK, WEIR_OPT_WSCALE, WEIR_ODD_OPTION_VALUE},
    {"window scale without SYN", "030302", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"SACK-permitted on SYN,ACK", "0402", WEIR_SYN | WEIR_ACK, WEIR_OK, WEIR_OPT_SACK_OK, 0},
    {"SACK-permitted without SYN", "0402", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"SACK with SYN", "050a0000001000000020", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"SACK without a block", "0502", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"SACK of a block and a half", "050e000000100000002000000030", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"SACK block that is empty", "050a0000001000000010", ACK_ONLY, WEIR_OK, WEIR_OPT_SACK, WEIR_ODD_SACK_BLOCK},
    {"SACK block that runs backwards", "050a0000002000000010", ACK_ONLY, WEIR_OK, WEIR_OPT_SACK, WEIR_ODD_SACK_BLOCK},
    {"SACK block of 2^31", "050a0000001080000010", ACK_ONLY, WEIR_OK, WEIR_OPT_SACK, WEIR_ODD_SACK_BLOCK},
    {"SACK block of 2^31 - 1", "050a000000108000000f", ACK_ONLY, WEIR_OK, WEIR_OPT_SACK, 0},
    {"SACK block over the wrap", "050afffffff000000010", ACK_ONLY, WEIR_OK, WEIR_OPT_SACK, 0},
    {"timestamps of 9 octets", "080900000001000000", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"timestamps twice", "080a0000000100000002080a0000000300000004", ACK_ONLY, WEIR_OK, WEIR_OPT_TIMESTAMPS,
     WEIR_ODD_OPTION_TWICE},
    {"MD5 signature", "131200112233445566778899aabbccddeeff", ACK_ONLY, WEIR_OK, WEIR_OPT_MD5, 0},
    {"MD5 signature of 17 octets", "131100112233445566778899aabbccddee", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"user timeout", "1c048001", ACK_ONLY, WEIR_OK, WEIR_OPT_UTO, 0},
    {"user timeout of 5 octets is ignored", "1c05800100", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"TCP-AO without a MAC", "1d040102", ACK_ONLY, WEIR_OK, WEIR_OPT_AO, 0},
    {"TCP-AO of 3 octets", "1d0301", ACK_ONLY, WEIR_TCP_OPTION_SIZE, 0, 0},
    {"Multipath TCP twice is no oddity", "1e0420001e042000", ACK_ONLY, WEIR_OK, WEIR_OPT_MPTCP, 0},
    {"Multipath TCP without a subtype", "1e02", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"Fast Open request", "2202", SYN_ONLY, WEIR_OK, WEIR_OPT_TFO, 0},
    {"Fast Open cookie of 4", "2206aabbccdd", SYN_ONLY, WEIR_OK, WEIR_OPT_TFO, 0},
    {"Fast Open cookie of 2", "2204aabb", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"Fast Open cookie of 5", "2207aabbccddee", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"Fast Open without SYN", "2206aabbccdd", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"TCP-ENO", "450221", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0}, /* its last octet is the kind of one without a length */
    {"TCP-ENO with a suboption", "45032101", SYN_ONLY, WEIR_OK, WEIR_OPT_ENO, 0},
    {"AccECN in either order", "ac0b000001000002000003ae05000001", ACK_ONLY, WEIR_OK, WEIR_OPT_ACCECN, 0},
    {"AccECN on SYN", "ac02", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_PLACE},
    {"AccECN on SYN,ACK", "ac02", WEIR_SYN | WEIR_ACK, WEIR_OK, WEIR_OPT_ACCECN, 0},
    {"AccECN with padding", "ac0600000100", ACK_ONLY, WEIR_OK, WEIR_OPT_ACCECN, WEIR_ODD_OPTION_VALUE},
    {"experiments", "fd04f989fe0400010101", ACK_ONLY, WEIR_OK, WEIR_OPT_EXPERIMENT, 0},
    {"experiment without an identifier", "fd03f9", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_OPTION_VALUE},
    {"unknown kinds are skipped", "0602aa05010203fc04000001", ACK_ONLY, WEIR_OK, WEIR_OPT_UNKNOWN, 0},
    {"unknown kind, then a known one", "4d03aa020405b4", SYN_ONLY, WEIR_OK, WEIR_OPT_UNKNOWN | WEIR_OPT_MSS, 0},
    {"length 0", "0200", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"length 1", "0201", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"length 0 of an unknown kind", "4d00", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"a kind and no length", "02", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"past the header by one", "02040504020405", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"length 255", "4dff0000", SYN_ONLY, WEIR_TCP_OPTION_LENGTH, 0, 0},
    {"end of list, zeros", "00000000", ACK_ONLY, WEIR_OK, 0, 0},
    {"end of list, not zeros", "00000001", ACK_ONLY, WEIR_OK, 0, WEIR_ODD_PADDING},
    {"end of list, then what would be malformed", "00020000", SYN_ONLY, WEIR_OK, 0, WEIR_ODD_PADDING},
    {"end of list is the last octet", "020405b4010100", SYN_ONLY, WEIR_OK, WEIR_OPT_MSS, 0},
    {"forty NOPs", "01010101010101010101010101010101010101010101010101010101010101010101010101010101", ACK_ONLY, WEIR_OK, 0,
     0},
};

static size_t case_list(const struct list_case *c, uint8_t *list)
{
    size_t len = strlen(c->list) / 2, front = (4 - len % 4) % 4;

    memset(list, 1, front);
    assert_int_equal(naive_octets(c->list, list + front, 40 - front), len);
    return front + len;
}

static void named_option_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof list_cases[0]; i++) {
        const struct list_case *c = &list_cases[i];
        weir_view v = untouched();
        uint8_t list[40];
        struct segment s = segment_with(c->flags, list, case_list(c, list), 3);
        enum weir_verdict verdict = weir_view_segment(&v, guard_put(s.octets, s.len), s.len, NULL);

        if (verdict != c->verdict)
            fail_msg("%s: %s", c->name, weir_verdict_name(verdict));
        if (verdict != WEIR_OK && !is_untouched(&v))
            fail_msg("%s: the output was touched", c->name);
        if (verdict == WEIR_OK && (v.options != c->options || v.odd != c->odd || v.payload_len != 3))
            fail_msg("%s: options %#x, odd %#x", c->name, v.options, v.odd);
        guard_free_all();
    }
}

/* ---- the second parser: option lists by the letter, one kind at a time ---- */

struct oracle {
    enum weir_verdict verdict;
    unsigned options, odd;
    uint16_t mss;
    uint8_t wscale, sack_count;
    uint32_t ts_value, ts_echo;
    uint32_t sack[4][2];
};

static uint32_t oracle_number(const uint8_t *octets, unsigned count)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < count; i++)
        number = number * 256 + octets[i];
    return number;
}

/* Sizes a kind may have; those whose RFC says what to do with others are in oracle_ignores. */
static bool oracle_size_right(unsigned kind, unsigned size)
{
    switch (kind) {
    case 2: case 28:
        return size == 4;
    case 3:
        return size == 3;
    case 4:
        return size == 2;
    case 5:
        return size == 10 || size == 18 || size == 26 || size == 34;
    case 8:
        return size == 10;
    case 19:
        return size == 18;
    case 29: case 253: case 254:
        return size >= 4;
    case 30:
        return size >= 3;
    case 34:
        return size == 2 || size == 6 || size == 8 || size == 10 || size == 12 || size == 14 || size == 16 || size == 18;
    case 172: case 174:
        return size == 2 || size == 5 || size == 8 || size == 11;
    default:
        return true;
    }
}

static bool oracle_malforms(unsigned kind)
{
    return kind == 2 || kind == 3 || kind == 4 || kind == 5 || kind == 8 || kind == 19 || kind == 29;
}

static unsigned oracle_bit(unsigned kind)
{
    switch (kind) {
    case 2: return WEIR_OPT_MSS;
    case 3: return WEIR_OPT_WSCALE;
    case 4: return WEIR_OPT_SACK_OK;
    case 5: return WEIR_OPT_SACK;
    case 8: return WEIR_OPT_TIMESTAMPS;
    case 19: return WEIR_OPT_MD5;
    case 28: return WEIR_OPT_UTO;
    case 29: return WEIR_OPT_AO;
    case 30: return WEIR_OPT_MPTCP;
    case 34: return WEIR_OPT_TFO;
    case 69: return WEIR_OPT_ENO;
    case 172: case 174: return WEIR_OPT_ACCECN;
    case 253: case 254: return WEIR_OPT_EXPERIMENT;
    default: return WEIR_OPT_UNKNOWN;
    }
}

static void oracle_values(struct oracle *o, const uint8_t *option, unsigned size)
{
    if (option[0] == 2) {
        o->mss = (uint16_t)oracle_number(option + 2, 2);
        if (o->mss == 0) {
            o->options &= ~(unsigned)WEIR_OPT_MSS;
            o->odd |= WEIR_ODD_OPTION_VALUE;
        }
    }
    if (option[0] == 3) {
        o->wscale = option[2] > 14 ? 14 : option[2];
        o->odd |= option[2] > 14 ? WEIR_ODD_OPTION_VALUE : 0;
    }
    if (option[0] == 8) {
        o->ts_value = oracle_number(option + 2, 4);
        o->ts_echo = oracle_number(option + 6, 4);
    }
    for (unsigned block = 0; option[0] == 5 && block < (size - 2) / 8; block++) {
        uint32_t from = oracle_number(option + 2 + 8 * block, 4), to = oracle_number(option + 6 + 8 * block, 4);
        uint32_t octets = to - from;
        if (octets == 0 || octets > 0x7fffffffu) {
            o->odd |= WEIR_ODD_SACK_BLOCK;
        } else {
            o->sack[o->sack_count][0] = from;
            o->sack[o->sack_count][1] = to;
            o->sack_count++;
        }
    }
}

/* What becomes of one option with a length that fits. */
static void oracle_option(struct oracle *o, const uint8_t *option, unsigned size, unsigned flags, bool seen[256])
{
    unsigned kind = option[0];
    bool syn = (flags & WEIR_SYN) != 0, misplaced = false, known = oracle_bit(kind) != WEIR_OPT_UNKNOWN;
    bool many = kind == 30 || kind == 253 || kind == 254;

    if (!oracle_size_right(kind, size) && oracle_malforms(kind)) {
        o->verdict = WEIR_TCP_OPTION_SIZE;
        return;
    }
    if (known && !many && seen[kind]) {
        o->odd |= WEIR_ODD_OPTION_TWICE;
        return;
    }
    seen[kind] = true;
    if (kind == 2 || kind == 3 || kind == 4 || kind == 34)
        misplaced = !syn;
    if (kind == 5)
        misplaced = syn;
    if (kind == 172 || kind == 174)
        misplaced = syn && (flags & WEIR_ACK) == 0;
    if (misplaced)
        o->odd |= WEIR_ODD_OPTION_PLACE;
    if (!oracle_size_right(kind, size))
        o->odd |= WEIR_ODD_OPTION_VALUE;
    if (misplaced || (!oracle_size_right(kind, size) && kind != 172 && kind != 174))
        return;
    o->options |= oracle_bit(kind);
    oracle_values(o, option, size);
}

static struct oracle oracle_list(const uint8_t *list, unsigned len, unsigned flags)
{
    struct oracle o;
    bool seen[256] = {false}, ended = false;
    unsigned at = 0, size;

    memset(&o, 0, sizeof o);
    while (at < len && o.verdict == WEIR_OK) {
        if (ended && list[at] != 0)
            o.odd |= WEIR_ODD_PADDING;
        if (ended || list[at] <= 1) {
            ended = ended || list[at] == 0;
            at++;
            continue;
        }
        size = at + 1 < len ? list[at + 1] : 0;
        if (size < 2 || at + size > len) {
            o.verdict = WEIR_TCP_OPTION_LENGTH;
            return o;
        }
        oracle_option(&o, list + at, size, flags, seen);
        at += size;
    }
    return o;
}

static bool oracle_agrees(const struct oracle *o, const weir_view *v)
{
    bool same = v->options == o->options && v->odd == o->odd && v->ts_value == o->ts_value && v->ts_echo == o->ts_echo &&
                v->sack_count == o->sack_count;

    if ((o->options & WEIR_OPT_MSS) != 0)
        same = same && v->mss == o->mss;
    if ((o->options & WEIR_OPT_WSCALE) != 0)
        same = same && v->wscale == o->wscale;
    for (unsigned i = 0; i < o->sack_count; i++)
        same = same && v->sack[i].from.v == o->sack[i][0] && v->sack[i].to.v == o->sack[i][1];
    return same;
}

static void print_list(const uint8_t *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        print_error("%02x", list[i]);
    print_error("\n");
}

/* A segment whose option list is the last thing before a guard page; both parsers must agree on it. */
static enum weir_verdict compare(uint8_t *end, const uint8_t *list, unsigned list_len, unsigned flags)
{
    static const uint8_t fixed[12] = {0x03, 0xe8, 0, 80, 1, 2, 3, 4, 0, 0, 0, 0};
    struct oracle o = oracle_list(list, list_len, flags);
    uint8_t *octets = end - 20 - list_len;
    weir_view v = untouched();
    enum weir_verdict verdict;

    memcpy(octets, fixed, 12);
    octets[12] = (uint8_t)((20 + list_len) * 4);
    octets[13] = (uint8_t)flags;
    memset(octets + 14, 0, 6);
    memcpy(octets + 20, list, list_len);
    verdict = weir_view_segment(&v, octets, 20 + list_len, NULL);
    if (verdict != o.verdict || (verdict == WEIR_OK ? !oracle_agrees(&o, &v) : !is_untouched(&v))) {
        print_list(list, list_len);
        fail_msg("flags %#x: %s, options %#x, odd %#x; should be %s, %#x, %#x", flags, weir_verdict_name(verdict), v.options,
                 v.odd, weir_verdict_name(o.verdict), o.options, o.odd);
    }
    return verdict;
}

/* Every kind with every length in every space: 256 * 256 * 41 cases for each of two segments. What lies before the option is
 * NOP; its value and what follows come from a pattern in which the two blocks of a SACK run both ways. */
static void every_kind_length_and_space(void **state)
{
    static const unsigned flags[] = {WEIR_SYN, WEIR_ACK};
    uint8_t *end = guard_room(60) + 60;
    unsigned long accepted = 0, refused = 0;

    (void)state;
    for (unsigned space = 0; space <= 40; space++) {
        unsigned front = (4 - space % 4) % 4;
        uint8_t list[44];

        memset(list, 1, front);
        for (unsigned i = 2; i < space; i++)
            list[front + i] = (uint8_t)(i * 37 + 11);
        for (unsigned kind = 0; kind < 256; kind++)
            for (unsigned len = 0; len < 256; len++)
                for (unsigned f = 0; f < 2; f++) {
                    if (space > 0)
                        list[front] = (uint8_t)kind;
                    if (space > 1)
                        list[front + 1] = (uint8_t)len;
                    /* after the option NOPs, so that its own fate shows */
                    for (unsigned i = len; i >= 2 && i < space; i++)
                        list[front + i] = 1;
                    if (compare(end, list, front + space, flags[f]) == WEIR_OK)
                        accepted++;
                    else
                        refused++;
                    for (unsigned i = len; i >= 2 && i < space; i++)
                        list[front + i] = (uint8_t)(i * 37 + 11);
                }
    }
    assert_int_equal(accepted + refused, 2ul * 256 * 256 * 41);
    assert_true(accepted > 100000 && refused > 1000000);
    guard_free_all();
}

/* Lists of several options, mostly well formed, of a generator that likes known kinds and their sizes. */
static void lists_by_the_hundred_thousand(void **state)
{
    static const uint8_t kinds[][2] = {{0, 1}, {1, 1}, {2, 4}, {3, 3}, {4, 2}, {5, 10}, {5, 18}, {5, 34}, {8, 10}, {19, 18},
                                       {28, 4}, {29, 16}, {30, 8}, {34, 2}, {34, 10}, {69, 3}, {172, 5}, {174, 11}, {253, 4},
                                       {254, 6}, {77, 5}};
    enum { KINDS = sizeof kinds / sizeof kinds[0] };
    static const unsigned flags[] = {WEIR_SYN, WEIR_ACK, WEIR_SYN | WEIR_ACK, WEIR_ACK | WEIR_PSH};
    uint8_t *end = guard_room(60) + 60;
    unsigned accepted = 0, rounds = 300000;
    uint64_t seed = 20;

    (void)state;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned len = naive_random(&seed) % 11 * 4, at = 0;
        uint8_t list[80];

        for (unsigned i = 0; i < sizeof list; i++)
            list[i] = (uint8_t)(naive_random(&seed) % 5 == 0 ? naive_random(&seed) : 0);
        while (at < len) {
            unsigned pick = naive_random(&seed) % KINDS;
            list[at] = kinds[pick][0];
            if (kinds[pick][1] > 1)
                list[at + 1] = (uint8_t)(kinds[pick][1] + (naive_random(&seed) % 16 == 0 ? naive_random(&seed) % 5 - 2 : 0));
            at += kinds[pick][1];
        }
        if (compare(end, list, len, flags[round % 4]) == WEIR_OK)
            accepted++;
    }
    assert_true(accepted > rounds / 10 && accepted < rounds);
    guard_free_all();
}

/* ---- geometry, fixed fields, checksum ---- */

/* Every length 0..60 with every data offset, at a guard page. */
static void every_length_and_data_offset(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 60; len++)
        for (unsigned offset = 0; offset < 16; offset++) {
            uint8_t octets[60];
            weir_view v = untouched();
            enum weir_verdict verdict, right = WEIR_OK;

            memset(octets, 1, sizeof octets);
            octets[12] = (uint8_t)(offset << 4);
            if (len < 20)
                right = WEIR_TCP_TRUNCATED;
            else if (offset < 5 || offset * 4 > len)
                right = WEIR_TCP_DATA_OFFSET;
            verdict = weir_view_segment(&v, guard_put(octets, len), len, NULL);
            if (verdict != right || (verdict != WEIR_OK && !is_untouched(&v)))
                fail_msg("length %zu, offset %u: %s", len, offset, weir_verdict_name(verdict));
            if (verdict == WEIR_OK)
                assert_true(v.header_len == offset * 4 && v.payload_len == len - offset * 4);
            guard_free_all();
        }
}

/* A length of 2^32 or more is no segment; below that any length is, and the payload is never read. */
static void lengths_beyond_any_packet(void **state)
{
    struct segment s = segment_with(WEIR_ACK, NULL, 0, 0);
    const uint8_t *octets = guard_put(s.octets, s.len);
    weir_view v = untouched();

    (void)state;
#if SIZE_MAX > UINT32_MAX
    assert_int_equal(weir_view_segment(&v, octets, (size_t)UINT32_MAX + 1, NULL), WEIR_TCP_TRUNCATED);
    assert_int_equal(weir_view_segment(&v, octets, SIZE_MAX, NULL), WEIR_TCP_TRUNCATED);
    assert_true(is_untouched(&v));
#endif
    assert_int_equal(weir_view_segment(&v, octets, UINT32_MAX, NULL), WEIR_OK);
    assert_int_equal(v.payload_len, UINT32_MAX - 20);
    guard_free_all();
}

static void fields_as_they_stand(void **state)
{
    struct segment s = segment_with(WEIR_ACK | WEIR_URG | WEIR_PSH | WEIR_ECE | WEIR_AE, NULL, 0, 5);
    weir_view v = untouched();
    const uint8_t *octets;

    (void)state;
    s.octets[18] = 0x43;
    s.octets[19] = 0x21;
    octets = guard_put(s.octets, s.len);
    assert_int_equal(weir_view_segment(&v, octets, s.len, NULL), WEIR_OK);
    assert_int_equal(v.source_port, 1000);
    assert_int_equal(v.destination_port, 80);
    assert_int_equal(v.seq.v, 0x01020304);
    assert_int_equal(v.ack.v, 0x0a0b0c0d);
    assert_int_equal(v.flags, WEIR_ACK | WEIR_URG | WEIR_PSH | WEIR_ECE | WEIR_AE);
    assert_int_equal(v.window, 0x1234);
    assert_int_equal(v.urgent, 0x4321);
    assert_int_equal(v.odd, 0);
    assert_int_equal(v.options, 0);
    assert_int_equal(v.ecn, 0);
    assert_int_equal(v.sack_count, 0);
    assert_int_equal(v.header_len, 20);
    assert_int_equal(v.payload_len, 5);
    assert_ptr_equal(v.payload, octets + 20);
    guard_free_all();
}

/* All twelve bits beside the data offset: which are reserved, which mixes are odd, and what SEG.LEN they give. */
static void every_mix_of_control_bits(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4096; bits++) {
        struct segment s = segment_with(WEIR_ACK, NULL, 0, 7);
        bool fin = (bits & 1) != 0, syn = (bits & 2) != 0, rst = (bits & 4) != 0, ack = (bits & 16) != 0, urg = (bits & 32) != 0;
        unsigned odd = 0;
        weir_view v;

        s.octets[12] = (uint8_t)(5 << 4 | bits >> 8);
        s.octets[13] = (uint8_t)bits;
        s.octets[19] = 9;
        assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_OK);
        odd |= bits >= 512 ? WEIR_ODD_RESERVED : 0;
        odd |= (syn && fin) || (syn && rst) || (fin && !ack) || bits % 512 == 0 ? WEIR_ODD_FLAGS : 0;
        odd |= urg ? 0 : WEIR_ODD_URGENT;
        odd |= ack ? 0 : WEIR_ODD_ACK;
        if (v.flags != bits % 512 || v.odd != odd || v.urgent != (urg ? 9 : 0) || v.ack.v != (ack ? 0x0a0b0c0du : 0) ||
            weir_view_len(&v) != 7u + syn + fin)
            fail_msg("bits %#x: flags %#x, odd %#x", bits, v.flags, v.odd);
    }
}

static void port_zero(void **state)
{
    struct segment s = segment_with(WEIR_ACK, NULL, 0, 0);
    weir_view v = untouched();

    (void)state;
    s.octets[0] = s.octets[1] = 0;
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_TCP_PORT);
    s = segment_with(WEIR_ACK, NULL, 0, 0);
    s.octets[3] = 0;
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_TCP_PORT);
    assert_true(is_untouched(&v));
    s.octets[2] = 1; /* port 256: only one octet is 0 */
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_OK);
}

static void values_of_options(void **state)
{
    static const uint8_t syn[20] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0, 7, 1, 3, 3, 9};
    static const uint8_t sack[36] = {5, 34, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3,
                                     0, 0, 0, 5, 0x80, 0, 0, 4, 1, 1};
    struct segment s = segment_with(WEIR_SYN, syn, sizeof syn, 0);
    weir_view v;

    (void)state;
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_OK);
    assert_int_equal(v.mss, 1460);
    assert_int_equal(v.wscale, 9);
    assert_int_equal(v.ts_value, 0xdeadbeefu);
    assert_int_equal(v.ts_echo, 7);
    /* Of four blocks the second is empty; the others close up. */
    s = segment_with(WEIR_ACK, sack, sizeof sack, 0);
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, NULL), WEIR_OK);
    assert_int_equal(v.sack_count, 3);
    assert_int_equal(v.odd, WEIR_ODD_SACK_BLOCK);
    assert_true(v.sack[0].from.v == 1 && v.sack[0].to.v == 2);
    assert_true(v.sack[1].from.v == 0xffffffffu && v.sack[1].to.v == 3);
    assert_true(v.sack[2].from.v == 5 && v.sack[2].to.v == 0x80000004u);
}

/* ---- checksum ---- */

static const weir_pseudo addrs_v4 = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}},
                                     {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7}}};
static const weir_pseudo addrs_v6 = {{{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
                                     {{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}}};

static uint32_t segment_sum(const struct segment *s, const weir_pseudo *addrs, bool v6)
{
    size_t skip = v6 ? 0 : 12;
    uint32_t sum = naive_pseudo(addrs->source.octets + skip, addrs->destination.octets + skip, 16 - skip, (uint32_t)s->len, 6);
    return naive_sum(sum, s->octets, s->len);
}

static void set_checksum(struct segment *s, const weir_pseudo *addrs, bool v6)
{
    uint32_t sum;
    s->octets[16] = s->octets[17] = 0;
    sum = ~segment_sum(s, addrs, v6);
    s->octets[16] = (uint8_t)(sum >> 8);
    s->octets[17] = (uint8_t)sum;
}

/* For both families and every payload length: right is taken; any one bit turned, in segment or addresses, is refused, and
 * before anything else is looked at. */
static void checksum_comes_first(void **state)
{
    (void)state;
    for (size_t payload = 0; payload <= 33; payload++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            weir_pseudo addrs = v6 ? addrs_v6 : addrs_v4;
            struct segment s = segment_with(WEIR_ACK, NULL, 0, payload);
            weir_view v = untouched();

            set_checksum(&s, &addrs, v6 != 0);
            for (size_t bit = 0; bit < 8 * s.len; bit++) {
                s.octets[bit / 8] = (uint8_t)(s.octets[bit / 8] ^ 1u << bit % 8);
                assert_int_equal(weir_view_segment(&v, s.octets, s.len, &addrs), WEIR_TCP_CHECKSUM);
                s.octets[bit / 8] = (uint8_t)(s.octets[bit / 8] ^ 1u << bit % 8);
            }
            for (size_t bit = 8 * 12; bit < 8 * 16; bit++) {
                addrs.destination.octets[bit / 8] = (uint8_t)(addrs.destination.octets[bit / 8] ^ 1u << bit % 8);
                assert_int_equal(weir_view_segment(&v, s.octets, s.len, &addrs), WEIR_TCP_CHECKSUM);
                addrs.destination.octets[bit / 8] = (uint8_t)(addrs.destination.octets[bit / 8] ^ 1u << bit % 8);
            }
            assert_true(is_untouched(&v));
            assert_int_equal(weir_view_segment(&v, guard_put(s.octets, s.len), s.len, &addrs), WEIR_OK);
            guard_free_all();
        }
}

/* Where the rest sums to 0xffff, the field may be either zero (RFC 1624 3). */
static void both_zeros_are_right(void **state)
{
    struct segment s = segment_with(WEIR_ACK, NULL, 0, 2);
    uint32_t rest;
    weir_view v;

    (void)state;
    s.octets[20] = s.octets[21] = 0;
    rest = 0xffff - segment_sum(&s, &addrs_v4, false);
    s.octets[20] = (uint8_t)(rest >> 8);
    s.octets[21] = (uint8_t)rest;
    assert_int_equal(segment_sum(&s, &addrs_v4, false), 0xffff);
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, &addrs_v4), WEIR_OK);
    s.octets[16] = s.octets[17] = 0xff;
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, &addrs_v4), WEIR_OK);
    s.octets[17] = 0xfe;
    assert_int_equal(weir_view_segment(&v, s.octets, s.len, &addrs_v4), WEIR_TCP_CHECKSUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_option_lists),
        cmocka_unit_test(every_kind_length_and_space),
        cmocka_unit_test(lists_by_the_hundred_thousand),
        cmocka_unit_test(every_length_and_data_offset),
        cmocka_unit_test(lengths_beyond_any_packet),
        cmocka_unit_test(fields_as_they_stand),
        cmocka_unit_test(every_mix_of_control_bits),
        cmocka_unit_test(port_zero),
        cmocka_unit_test(values_of_options),
        cmocka_unit_test(checksum_comes_first),
        cmocka_unit_test(both_zeros_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
