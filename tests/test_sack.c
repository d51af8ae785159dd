/* test_sack.c - the scoreboard: rows with known answers, the grid of hostile blocks, and long random lives beside a
 * model that keeps one state for each octet and knows nothing of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/recovery.h"

#define CAP_MAX 4096
#define CANARY 0xa5

/* Records, and some more that nobody may touch. */
#define BEYOND 20
static struct weir_sent storage[2][WEIRI_BOARD_MEMORY(CAP_MAX) + BEYOND];

/* Where sequence numbers begin: at zero, and around both places where signed and unsigned arithmetic turn over. */
static const uint32_t origins[] = {0,          1,          1000,       0x7fffff00u,
                                   0x7fffffffu, 0x80000000u, 0xffffff00u, UINT32_MAX};
#define ORIGINS (sizeof origins / sizeof origins[0])

static weir_block block_of(uint32_t origin, uint32_t from, uint32_t to)
{
    weir_block b;
    b.from = seq_of(origin + from);
    b.to = seq_of(origin + to);
    return b;
}

/* The records behind a board, each unlike the next: what is moved in there, or from there, is seen. */
static void board_new(struct weir_board *b, uint16_t cap)
{
    for (uint32_t i = 0; i < WEIRI_BOARD_MEMORY((uint32_t)cap) + BEYOND; i++) {
        memset(&storage[0][i], (int)(CANARY + i % 61), sizeof storage[0][i]);
        memset(&storage[1][i], (int)(CANARY + i % 61), sizeof storage[1][i]);
    }
    weiri_board_init(b, storage[0], cap);
}

static void assert_canary(const struct weir_board *b)
{
    struct weir_sent untouched;
    uint32_t beyond = WEIRI_BOARD_MEMORY((uint32_t)b->cap);
    memset(&untouched, (int)(CANARY + beyond % 61u), sizeof untouched);
    assert_memory_equal(&b->sent[beyond], &untouched, sizeof untouched);
}

static char letter(uint8_t state)
{
    return state <= WEIRI_SENT_RESENT ? "fslr"[state] : '?';
}

/* The board in words: "f10 s5 l3" from `origin` on, which must be its left edge. What is SACKED is told run by run. */
static void assert_board(const struct weir_board *b, uint32_t origin, const char *wanted)
{
    char text[512] = "", *end = text;
    uint32_t at = origin;
    for (uint32_t i = 0; i < b->count && end < text + sizeof text - 16; i++) {
        const struct weir_sent *r = weiri_board_record(b, i);
        uint32_t len = seq_diff(r->from, r->to), digit = 1;
        while (r->state == WEIRI_SENT_SACKED && i + 1 < b->count && weiri_board_record(b, i + 1)->state == WEIRI_SENT_SACKED) {
            r = weiri_board_record(b, ++i);
            len += seq_diff(r->from, r->to);
        }
        *end++ = letter(r->state);
        while (len / digit >= 10) {
            digit *= 10;
        }
        for (; digit > 0; digit /= 10) {
            *end++ = (char)('0' + len / digit % 10);
        }
        *end++ = ' ';
        at = r->to.v;
    }
    if (end > text) {
        end[-1] = '\0';
    }
    assert_string_equal(text, wanted);
    const char *wrong = weiri_board_check(b, seq_of(origin), seq_of(at));
    assert_string_equal(wrong == NULL ? "" : wrong, "");
    assert_canary(b);
}

/* `count` runs of `len` octets, each a microsecond after the one before, from time 1000. */
static void push_runs(struct weir_board *b, uint32_t origin, uint32_t count, uint32_t len)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_true(weiri_board_push(b, block_of(origin, i * len, (i + 1) * len), 1000 + i));
    }
}

static void test_empty(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block run;
    board_new(&b, 8);
    assert_int_equal(weiri_board_ack(&b, seq_of(5), 1).octets, 0);
    assert_int_equal(weiri_board_sack(&b, block_of(0, 1, 2)), 0);
    assert_int_equal(weiri_board_detect(&b, 100), 0);
    assert_int_equal(weiri_board_lose_head(&b, 100), 0);
    weiri_board_lose_all(&b);
    weiri_board_resent(&b, block_of(0, 0, 1), 1);
    assert_false(weiri_board_next_lost(&b, 100, &run));
    assert_int_equal(weiri_board_pipe(&b), 0);
    assert_int_equal(b.resent, 0);
    assert_true(weiri_board_push(&b, block_of(0, 7, 7), 1)); /* nothing sent, nothing to record */
    assert_board(&b, 0, "");
    weiri_board_move(&b, storage[1], 16);
    assert_int_equal(b.cap, 16);
    assert_board(&b, 0, "");
    weiri_board_init(&b, NULL, 0);
    assert_false(weiri_board_push(&b, block_of(0, 0, 1), 1));
    assert_null(weiri_board_check(&b, seq_of(3), seq_of(3)));
}

/* A record a segment, also of one microsecond. */
static void test_push(void **state)
{
    (void)state;
    for (size_t o = 0; o < ORIGINS; o++) {
        struct weir_board b;
        board_new(&b, 16);
        assert_true(weiri_board_push(&b, block_of(origins[o], 0, 10), 5));
        assert_true(weiri_board_push(&b, block_of(origins[o], 10, 20), 5));
        assert_true(weiri_board_push(&b, block_of(origins[o], 20, 30), 6));
        assert_board(&b, origins[o], "f10 f10 f10");
        assert_int_equal(weiri_board_sack(&b, block_of(origins[o], 25, 30)), 5);
        assert_true(weiri_board_push(&b, block_of(origins[o], 30, 40), 6));
        assert_board(&b, origins[o], "f10 f10 f5 s5 f10");
        assert_int_equal(weiri_board_pipe(&b), 35);
    }
}

/* The board never holds half the sequence space: beyond that no comparison could order it. */
static void test_push_limit(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 16);
    assert_false(weiri_board_push(&b, block_of(9, 0, UINT32_C(1) << 31), 1));
    assert_true(weiri_board_push(&b, block_of(9, 0, (UINT32_C(1) << 31) - 2), 1));
    assert_false(weiri_board_push(&b, block_of(9, (UINT32_C(1) << 31) - 2, UINT32_C(1) << 31), 1));
    assert_true(weiri_board_push(&b, block_of(9, (UINT32_C(1) << 31) - 2, (UINT32_C(1) << 31) - 1), 1));
    assert_board(&b, 9, "f2147483646 f1");
    assert_int_equal(weiri_board_sack(&b, block_of(9, 1, (UINT32_C(1) << 31) - 1)), (UINT32_C(1) << 31) - 2);
    assert_int_equal(weiri_board_ack(&b, seq_of(9 + (UINT32_C(1) << 31) - 1), 1).octets, (UINT32_C(1) << 31) - 1);
    assert_board(&b, 0, "");
}

static void test_sack_splits_and_joins(void **state)
{
    (void)state;
    static const struct {
        uint32_t from, to, newly;
        const char *after;
    } rows[] = {
        {40, 50, 10, "f10 f10 f10 f10 s10 f10 f10 f10"},
        {40, 50, 0, "f10 f10 f10 f10 s10 f10 f10 f10"}, /* again */
        {45, 55, 5, "f10 f10 f10 f10 s15 f5 f10 f10"},
        {35, 41, 5, "f10 f10 f10 f5 s20 f5 f10 f10"},
        {12, 18, 6, "f10 f2 s6 f2 f10 f5 s20 f5 f10 f10"}, /* three out of one */
        {13, 14, 0, "f10 f2 s6 f2 f10 f5 s20 f5 f10 f10"},
        {18, 35, 17, "f10 f2 s43 f5 f10 f10"}, /* a bridge */
        {1, 80, 36, "f1 s79"},
        {1, 80, 0, "f1 s79"},
    };
    for (size_t o = 0; o < ORIGINS; o++) {
        struct weir_board b;
        board_new(&b, 64);
        push_runs(&b, origins[o], 8, 10);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            assert_int_equal(weiri_board_sack(&b, block_of(origins[o], rows[i].from, rows[i].to)), rows[i].newly);
            assert_board(&b, origins[o], rows[i].after);
        }
    }
}

/* SACKed octets leave LOST and RESENT too; a repeated block may end inside what is known. */
static void test_sack_over_every_state(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 64);
    push_runs(&b, 50, 6, 10);
    assert_int_equal(weiri_board_sack(&b, block_of(50, 40, 50)), 10);
    assert_int_equal(weiri_board_lose_head(&b, 25), 25);
    weiri_board_resent(&b, block_of(50, 0, 15), 2000);
    assert_board(&b, 50, "r10 r5 l5 l5 f5 f10 s10 f10");
    assert_int_equal(b.resent, 15);
    assert_int_equal(weiri_board_sack(&b, block_of(50, 12, 45)), 28);
    assert_board(&b, 50, "r10 r2 s38 f10");
    assert_int_equal(b.lost, 0);
    assert_int_equal(weiri_board_pipe(&b), 22);
}

/* Of joined records the later time stays, also across the end of the clock's 32 bits, and the greater count. */
static void test_join_keeps_the_later_time(void **state)
{
    (void)state;
    static const uint32_t rows[][3] = {{1000, 1001, 1001},
                                       {UINT32_MAX - 1, 3, 3},
                                       {0x7ffffff0, 0x80000010, 0x80000010},
                                       {0xc0000000, 0xd0000000, 0xd0000000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned again = 0; again < 2; again++) {
            struct weir_board b;
            board_new(&b, 4); /* it may use three: full, and what is SACKED is joined */
            assert_true(weiri_board_push(&b, block_of(0, 0, 10), 1));
            assert_true(weiri_board_push(&b, block_of(0, 10, 20), rows[i][again]));
            assert_true(weiri_board_push(&b, block_of(0, 20, 30), rows[i][1 - again]));
            weiri_board_resent(&b, block_of(0, 10, 20), rows[i][again]);
            assert_int_equal(weiri_board_sack(&b, block_of(0, 10, 30)), 20);
            assert_board(&b, 0, "f10 s20");
            assert_int_equal(b.count, 2);
            assert_int_equal(weiri_board_record(&b, 1)->sent_at, rows[i][2]);
            assert_int_equal(weiri_board_record(&b, 1)->tries, 2);
        }
    }
}

/* The head itself may be SACKED, if the peer acknowledges less than it reported: it joins like any other. */
static void test_sack_beside_a_sacked_head(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 16);
    push_runs(&b, 0, 4, 10);
    (void)weiri_board_sack(&b, block_of(0, 10, 20));
    (void)weiri_board_ack(&b, seq_of(15), 2000);
    assert_board(&b, 15, "s5 f10 f10");
    assert_int_equal(weiri_board_sack(&b, block_of(0, 20, 30)), 10);
    assert_board(&b, 15, "s15 f10");
}

/* RFC 6675 4 IsLost, both of its halves at their edges (RFC6675-4-3). */
static void test_detect_rows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t blocks[4][2], mss, newly;
        const char *after;
    } rows[] = {
        {"nothing known", {{0, 0}}, 10, 0, "f10 f10 f10 f10 f10 f10 f10 f10 f10 f10"},
        {"two runs, 20 octets, segments of 10", {{20, 30}, {40, 50}}, 10, 0, "f10 f10 s10 f10 s10 f10 f10 f10 f10 f10"},
        {"21 octets above", {{20, 30}, {40, 51}}, 10, 20, "l10 l10 s10 f10 s11 f9 f10 f10 f10 f10"},
        {"one run of 21", {{20, 41}}, 10, 20, "l10 l10 s21 f9 f10 f10 f10 f10 f10"},
        {"three runs of one octet", {{20, 21}, {22, 23}, {24, 25}}, 1000, 20,
         "l10 l10 s1 f1 s1 f1 s1 f5 f10 f10 f10 f10 f10 f10 f10"},
        {"four runs: what is below the third from above", {{5, 6}, {20, 21}, {30, 31}, {40, 41}}, 1000, 19,
         "l5 s1 l4 l10 s1 f9 s1 f9 s1 f9 f10 f10 f10 f10 f10"},
        {"a run is one, however it was reported", {{20, 21}, {21, 22}, {22, 23}}, 1000, 0,
         "f10 f10 s3 f7 f10 f10 f10 f10 f10 f10 f10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_board b;
        board_new(&b, 64);
        push_runs(&b, UINT32_MAX - 30, 10, 10);
        for (size_t k = 0; k < 4; k++) {
            (void)weiri_board_sack(&b, block_of(UINT32_MAX - 30, rows[i].blocks[k][0], rows[i].blocks[k][1]));
        }
        if (weiri_board_detect(&b, rows[i].mss) != rows[i].newly) {
            fail_msg("%s: lost %u", rows[i].name, b.lost);
        }
        assert_board(&b, UINT32_MAX - 30, rows[i].after);
        assert_int_equal(weiri_board_detect(&b, rows[i].mss), 0);
    }
}

/* What was sent again is not taken for lost a second time by what lies above it. */
static void test_detect_leaves_resent(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 64);
    push_runs(&b, 0, 4, 10);
    (void)weiri_board_sack(&b, block_of(0, 10, 40));
    assert_int_equal(weiri_board_detect(&b, 10), 10);
    weiri_board_resent(&b, block_of(0, 0, 10), 2000);
    assert_int_equal(weiri_board_detect(&b, 10), 0);
    assert_board(&b, 0, "r10 s30");
}

static void test_lose_head_rows(void **state)
{
    (void)state;
    static const struct {
        uint32_t sack[2], again[2], mss, newly;
        const char *after;
    } rows[] = {
        {{0, 0}, {0, 0}, 10, 10, "l10 f10 f10"},
        {{0, 0}, {0, 0}, 7, 7, "l7 f3 f10 f10"},
        {{0, 0}, {0, 0}, 13, 13, "l10 l3 f7 f10"},
        {{0, 0}, {0, 0}, 1000, 30, "l10 l10 l10"},
        {{0, 0}, {0, 0}, UINT32_MAX, 30, "l10 l10 l10"},
        {{0, 0}, {0, 0}, 0, 0, "f10 f10 f10"},
        {{0, 0}, {0, 10}, 15, 15, "l10 l5 f5 f10"}, /* RESENT: the retransmission was lost (RFC 6582) */
        {{4, 6}, {0, 0}, 10, 4, "l4 s2 f4 f10 f10"}, /* only as far as what is known */
        {{10, 20}, {0, 0}, 25, 10, "l10 s10 f10"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_board b;
        board_new(&b, 64);
        push_runs(&b, 0x7ffffff0, 3, 10);
        (void)weiri_board_sack(&b, block_of(0x7ffffff0, rows[i].sack[0], rows[i].sack[1]));
        weiri_board_resent(&b, block_of(0x7ffffff0, rows[i].again[0], rows[i].again[1]), 2000);
        assert_int_equal(weiri_board_lose_head(&b, rows[i].mss), rows[i].newly);
        assert_board(&b, 0x7ffffff0, rows[i].after);
        assert_int_equal(weiri_board_lose_head(&b, rows[i].mss), 0);
    }
}

/* RFC6675-5.1-1: what is known survives a timeout. RFC2018-5-4, RFC2018-8-1: unless the peer has taken it back. */
static void test_lose_all(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 64);
    push_runs(&b, 0, 4, 10);
    (void)weiri_board_sack(&b, block_of(0, 10, 25));
    weiri_board_resent(&b, block_of(0, 0, 10), 2000);
    weiri_board_lose_all(&b);
    assert_board(&b, 0, "l10 s15 l5 l10");
    assert_int_equal(weiri_board_pipe(&b), 0);
    assert_int_equal(weiri_board_ack(&b, seq_of(12), 3000).octets, 12); /* SACKed to 25, but acknowledged to 12 only */
    assert_int_equal(weiri_board_lose_head(&b, 10), 0);
    weiri_board_lose_all(&b);
    assert_board(&b, 12, "l8 l5 l5 l10");
    assert_int_equal(b.sacked, 0);
}

static void test_next_lost(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block run;
    board_new(&b, 64);
    push_runs(&b, UINT32_MAX - 4, 6, 10);
    (void)weiri_board_sack(&b, block_of(UINT32_MAX - 4, 10, 20));
    assert_false(weiri_board_next_lost(&b, 100, &run));
    weiri_board_lose_all(&b);
    static const uint32_t rows[][3] = {{4, 0, 4}, {100, 4, 10}, {25, 20, 40}, {13, 40, 50}, {7, 50, 57}, {100, 57, 60}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(weiri_board_next_lost(&b, 0, &run));
        assert_true(weiri_board_next_lost(&b, rows[i][0], &run));
        assert_int_equal(run.from.v, UINT32_MAX - 4 + rows[i][1]);
        assert_int_equal(run.to.v, UINT32_MAX - 4 + rows[i][2]);
        weiri_board_resent(&b, run, 2000 + i);
    }
    assert_false(weiri_board_next_lost(&b, 100, &run));
    assert_board(&b, UINT32_MAX - 4, "r4 r6 s10 r10 r10 r10 r7 r3");
}

/* A run that is not on the board, or not a run, changes nothing. */
static void test_resent_elsewhere(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{0, 0},   {5, 5},          {10, 5},  {0, 21},
                                       {20, 21}, {UINT32_MAX, 5}, {20, 30}, {5, UINT32_C(1) << 31}};
    struct weir_board b;
    board_new(&b, 64);
    push_runs(&b, 0, 2, 10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weiri_board_resent(&b, block_of(0, rows[i][0], rows[i][1]), 2000);
        assert_board(&b, 0, "f10 f10");
    }
}

static void test_tries_saturate(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 8);
    push_runs(&b, 0, 1, 10);
    for (unsigned i = 0; i < 1000; i++) {
        weiri_board_resent(&b, block_of(0, 0, 10), 2000 + i);
        assert_int_equal(weiri_board_record(&b, 0)->tries, i + 2 < 255 ? i + 2 : 255);
        assert_int_equal(weiri_board_record(&b, 0)->sent_at, 2000 + i);
    }
}

/* Karn's rule (RFC6298-3-1, RFC6298-3-2), and whose time it is. Runs of 10 sent at 1000, 1001, ... */
static void test_samples(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t sack[2], again[2], ack;
        bool lose_all, sampled;
        uint32_t rtt_us, octets, sacked;
    } rows[] = {
        {"the first", {0, 0}, {0, 0}, 10, false, true, 5000, 10, 0},
        {"the newest of three", {0, 0}, {0, 0}, 30, false, true, 4998, 30, 0},
        {"the newest that is whole", {0, 0}, {0, 0}, 25, false, true, 4999, 25, 0},
        {"none is whole", {0, 0}, {0, 0}, 7, false, false, 0, 7, 0},
        {"sent twice", {0, 0}, {0, 10}, 10, false, false, 0, 10, 0},
        {"sent twice, below others", {0, 0}, {0, 10}, 30, false, false, 0, 30, 0},
        {"sent twice, in part", {0, 0}, {20, 30}, 25, false, false, 0, 25, 0},
        {"taken for lost, not sent again", {0, 0}, {0, 0}, 10, true, true, 5000, 10, 0},
        {"the newest was known before", {10, 30}, {0, 0}, 30, false, true, 5000, 30, 20},
        {"all were known but the repaired hole", {10, 30}, {0, 10}, 30, false, false, 0, 30, 20},
        {"sent twice, but known before", {10, 20}, {10, 20}, 30, false, true, 4998, 30, 10},
        {"known in part", {15, 30}, {0, 0}, 20, false, true, 4999, 20, 5},
        {"nothing new", {0, 0}, {0, 0}, 0, false, false, 0, 0, 0},
        {"beyond the end", {0, 0}, {0, 0}, 41, false, false, 0, 0, 0},
        {"before the beginning", {0, 0}, {0, 0}, UINT32_MAX, false, false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_board b;
        board_new(&b, 64);
        push_runs(&b, 0xfffffff0, 4, 10);
        (void)weiri_board_sack(&b, block_of(0xfffffff0, rows[i].sack[0], rows[i].sack[1]));
        weiri_board_resent(&b, block_of(0xfffffff0, rows[i].again[0], rows[i].again[1]), 5900);
        if (rows[i].lose_all) {
            weiri_board_lose_all(&b);
        }
        struct weiri_acked a = weiri_board_ack(&b, seq_of(0xfffffff0 + rows[i].ack), 6000);
        if (a.sampled != rows[i].sampled || a.rtt_us != rows[i].rtt_us || a.octets != rows[i].octets ||
            a.sacked != rows[i].sacked) {
            fail_msg("%s: sampled %d rtt %u octets %u sacked %u", rows[i].name, a.sampled, a.rtt_us, a.octets,
                     a.sacked);
        }
        assert_null(weiri_board_check(&b, seq_of(0xfffffff0 + a.octets), seq_of(0xfffffff0 + 40)));
    }
}

/* Times are kept in 32 bits: a sample across their end is right, and one of 0 is a sample (V16). */
static void test_sample_over_the_clocks_end(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 8);
    assert_true(weiri_board_push(&b, block_of(0, 0, 10), UINT64_C(0x1fffffffe)));
    struct weiri_acked a = weiri_board_ack(&b, seq_of(10), UINT64_C(0x200000005));
    assert_true(a.sampled);
    assert_int_equal(a.rtt_us, 7);
    assert_true(weiri_board_push(&b, block_of(0, 10, 20), 77));
    a = weiri_board_ack(&b, seq_of(20), 77);
    assert_true(a.sampled);
    assert_int_equal(a.rtt_us, 0);
}

/* ---- a full board ---- */

/* Pushes on a full board join pairs of like neighbours, keep the later time, and go on for ever. */
static void test_full_of_flying(void **state)
{
    (void)state;
    for (uint16_t cap = 1; cap <= 16; cap++) {
        struct weir_board b;
        board_new(&b, cap);
        for (uint32_t i = 0; i < 200; i++) {
            assert_true(weiri_board_push(&b, block_of(0, i * 10, i * 10 + 10), 1000 + i));
            assert_null(weiri_board_check(&b, seq_of(0), seq_of(i * 10 + 10)));
            assert_canary(&b);
            assert_int_equal(weiri_board_record(&b, b.count - 1u)->sent_at, 1000 + i);
            assert_true(cap < 4 || b.count < cap);
        }
        assert_int_equal(weiri_board_ack(&b, seq_of(2000), 2000).rtt_us, 801);
    }
    struct weir_board b;
    board_new(&b, 8);
    push_runs(&b, 0, 6, 10);
    assert_true(weiri_board_push(&b, block_of(0, 60, 70), 1010));
    assert_board(&b, 0, "f20 f20 f20 f10");
    assert_int_equal(weiri_board_record(&b, 0)->sent_at, 1001);
    assert_int_equal(weiri_board_record(&b, 2)->sent_at, 1005);
}

/* Fills a board of `cap` so that no two neighbours are alike, by single octets known at odd places. */
static uint32_t fill_with_holes(struct weir_board *b, uint16_t cap)
{
    board_new(b, cap);
    assert_true(weiri_board_push(b, block_of(7, 0, 1000), 1000));
    uint32_t at = 100;
    while (weiri_board_sack(b, block_of(7, at, at + 1)) > 0) {
        at += 100;
    }
    return at;
}

/* RFC 2018 5: where there is no room less is known, and nothing is wrong. */
static void test_full_of_holes(void **state)
{
    (void)state;
    for (uint16_t cap = 1; cap <= 16; cap++) {
        struct weir_board b;
        weir_block run;
        uint32_t at = fill_with_holes(&b, cap), sacked = b.sacked, kept = cap < 4 ? 0u : cap < 8 ? 1u : 2u;
        assert_int_equal(sacked, at / 100 - 1);
        assert_in_range(b.count, cap - kept - 1, cap - kept);
        assert_int_equal(weiri_board_sack(&b, block_of(7, at, at + 1)), 0);
        /* Each hole took two records; a block that reaches the end needs but one, if one is left. */
        assert_int_equal(weiri_board_sack(&b, block_of(7, at + 1, 1000)) > 0, (cap - kept) % 2 == 0);
        assert_canary(&b);
        weiri_board_lose_all(&b);
        /* Retransmission by segments of 30 takes the room kept for it, and each run is sent once. */
        for (unsigned n = 0; n < 1000 && weiri_board_next_lost(&b, 30, &run); n++) {
            uint32_t lost = b.lost, len = seq_diff(run.from, run.to);
            weiri_board_resent(&b, run, 2000 + n);
            assert_true(kept < 2 ? lost - b.lost >= len : lost - b.lost == len);
            assert_null(weiri_board_check(&b, seq_of(7), seq_of(1007)));
            assert_canary(&b);
        }
        assert_int_equal(b.lost, 0);
        assert_int_equal(weiri_board_ack(&b, seq_of(1007), 9000).octets, 1000);
    }
}

/* With no like neighbours left and the last run not flying, there is no room for more: send nothing. */
static void test_full_refuses(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 6);
    push_runs(&b, 0, 5, 10);
    (void)weiri_board_sack(&b, block_of(0, 10, 20));
    (void)weiri_board_sack(&b, block_of(0, 30, 50));
    assert_board(&b, 0, "f10 s10 f10 s20");
    assert_true(weiri_board_push(&b, block_of(0, 50, 60), 2000));
    assert_true(weiri_board_push(&b, block_of(0, 60, 70), 2001)); /* full, but the last is flying: it grows */
    assert_board(&b, 0, "f10 s10 f10 s20 f20");
    assert_int_equal(weiri_board_record(&b, 4)->sent_at, 2001);
    (void)weiri_board_sack(&b, block_of(0, 69, 70)); /* one record is left, and that is not for SACK */
    assert_board(&b, 0, "f10 s10 f10 s20 f20");
    weiri_board_lose_all(&b);
    assert_false(weiri_board_push(&b, block_of(0, 70, 80), 2002));
    assert_board(&b, 0, "l10 s10 l10 s20 l20");
    assert_int_equal(weiri_board_ack(&b, seq_of(20), 3000).octets, 20);
    assert_true(weiri_board_push(&b, block_of(0, 70, 80), 2002));
    assert_board(&b, 20, "l10 s20 l20 f10");
}

/* Two edges inside records, room for one split: what lies between is still found. */
static void test_full_rounds_inwards(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 10);
    push_runs(&b, 0, 7, 10);
    (void)weiri_board_sack(&b, block_of(0, 10, 20));
    (void)weiri_board_sack(&b, block_of(0, 30, 40));
    (void)weiri_board_sack(&b, block_of(0, 50, 60));
    assert_board(&b, 0, "f10 s10 f10 s10 f10 s10 f10");
    assert_int_equal(weiri_board_sack(&b, block_of(0, 5, 65)), 20 + 5); /* the second split would be the ninth record */
    assert_board(&b, 0, "f5 s55 f10");
}

/* Nothing is joined that need not be: times of the round-trip are worth keeping. Boards of 6 may use 5 records. */
static void test_full_joins_no_more_than_needed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t runs, first[2], then[2], newly;
        const char *before, *after;
    } rows[] = {
        {"a repeated block", 5, {10, 20}, {12, 18}, 0, "f10 s10 f10 f10 f10", "f10 s10 f10 f10 f10"},
        {"it begins in what is known", 5, {10, 20}, {15, 30}, 10, "f10 s10 f10 f10 f10", "f10 s20 f10 f10"},
        {"it ends in what is known", 5, {20, 30}, {10, 25}, 10, "f10 f10 s10 f10 f10", "f10 s20 f10 f10"},
        {"it ends with the board", 5, {20, 30}, {40, 50}, 10, "f10 f10 s10 f10 f10", "f20 s10 f10 s10"},
        {"two splits, room for two", 3, {0, 0}, {12, 18}, 6, "f10 f10 f10", "f10 f2 s6 f2 f10"},
        {"two splits of three like ones: two passes", 5, {10, 20}, {32, 38}, 6, "f10 s10 f10 f10 f10", "f10 s10 f12 s6 f12"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_board b;
        board_new(&b, 6);
        push_runs(&b, 0, rows[i].runs, 10);
        (void)weiri_board_sack(&b, block_of(0, rows[i].first[0], rows[i].first[1]));
        assert_board(&b, 0, rows[i].before);
        if (weiri_board_sack(&b, block_of(0, rows[i].then[0], rows[i].then[1])) != rows[i].newly) {
            fail_msg("%s: not %u octets", rows[i].name, rows[i].newly);
        }
        assert_board(&b, 0, rows[i].after);
    }
}

/* Where not even the head can be split, all of its run is taken for lost, or sent again: recovery goes on. */
static void test_full_loses_a_whole_head(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block run;
    board_new(&b, 1);
    push_runs(&b, 0, 3, 10);
    assert_board(&b, 0, "f30");
    assert_int_equal(weiri_board_lose_head(&b, 10), 30);
    assert_true(weiri_board_next_lost(&b, 10, &run));
    assert_int_equal(run.to.v, 10);
    weiri_board_resent(&b, run, 2000);
    assert_board(&b, 0, "r30");
    assert_int_equal(weiri_board_lose_head(&b, 10), 30);
    weiri_board_resent(&b, block_of(0, 20, 30), 2001); /* and outwards to the left */
    assert_board(&b, 0, "r30");
}

/* ---- storage ---- */

static void test_move(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 16);
    push_runs(&b, 0, 8, 10);
    (void)weiri_board_sack(&b, block_of(0, 40, 50));
    (void)weiri_board_lose_head(&b, 35);
    assert_int_equal(weiri_board_ack(&b, seq_of(25), 2000).octets, 25);
    assert_int_not_equal(b.head, 0);
    weiri_board_move(&b, storage[1], 32);
    assert_ptr_equal(b.sent, storage[1]);
    assert_int_equal(b.head, 0);
    assert_int_equal(b.cap, 32);
    assert_board(&b, 25, "l5 l5 f5 s10 f10 f10 f10");
    memset(storage[0], 0, sizeof storage[0]);
    assert_board(&b, 25, "l5 l5 f5 s10 f10 f10 f10");
}

/* The memory behind the records wraps round many times while some are in flight. */
static void test_rolls_on(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 8);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(weiri_board_push(&b, block_of(0xfffff000, i * 10, i * 10 + 10), i));
        if (i >= 3) {
            struct weiri_acked a = weiri_board_ack(&b, seq_of(0xfffff000 + (i - 2) * 10), i);
            assert_int_equal(a.octets, 10);
            assert_true(a.sampled);
            assert_int_equal(a.rtt_us, 3);
            assert_board(&b, 0xfffff000 + (i - 2) * 10, "f10 f10 f10");
        }
    }
    assert_int_equal(weiri_board_ack(&b, seq_of(0xfffff000 + 10000), 2000).octets, 30);
    assert_int_equal(b.head, 0); /* an empty board begins at the beginning */
}

/* ---- the checker itself ---- */

static void spoil(struct weir_board *b, unsigned way)
{
    struct weir_sent *r = b->sent + b->head;
    switch (way) {
    case 0: b->count = (uint16_t)(b->cap + 1); break;
    case 1: r[1].to = r[1].from; break;
    case 2: r[1].to = seq_sub(r[1].from, 1); break;
    case 3: r[1].state = 4; break;
    case 4: r[1].reserved = 1; break;
    case 5: r[0].tries = 0; break;
    case 6: r[2].tries = 2; break; /* FLYING */
    case 7: r[3].tries = 1; break; /* RESENT */
    case 8: r[1].from = seq_add(r[1].from, 1); break;
    case 9: r[0].from = seq_add(r[0].from, 1); break;
    case 10: r[3].to = seq_add(r[3].to, 1); break;
    case 11: b->sacked++; break;
    case 12: b->lost--; break;
    case 13: b->count = 0; break;
    case 14: r[3].to = seq_add(r[3].from, UINT32_C(1) << 31); break;
    case 15: b->resent++; break;
    case 16: b->above--; break;
    case 17: b->above_runs++; break;
    case 18: ((uint32_t *)(void *)(b->sent + b->cap))[0] ^= 2; break; /* SACKED, and open */
    case 19: ((uint32_t *)(void *)(b->sent + b->cap))[1] ^= 1; break; /* LOST */
    case 20: b->edge = 3; break;
    case 21: b->first = 2; break;
    case 22: b->first = 9; break;
    case 23: r[3].newer = 0; break;
    case 24: r[2].newer = UINT16_MAX; break;
    case 25: b->late = 3; break;
    case 26: b->late = 2; b->ahead = 0; break;
    case 27: b->octets++; break;
    case 28: ((uint32_t *)(void *)(b->sent + b->cap))[0] ^= 64; break; /* no record, and not open */
    case 29: b->head = 9; break;
    case 30: /* more in the order than there are */
        r[3].newer = 5;
        r[5].older = 3;
        r[5].newer = 6;
        r[6].older = 5;
        r[6].newer = UINT16_MAX;
        b->last = 6;
        break;
    case 31: /* SACKED, and in the order */
        r[0].newer = r[2].older = 1;
        r[1].older = 0;
        r[1].newer = 2;
        break;
    case 32: b->late = b->ahead = 3; break;
    case 33: b->last = 2; break;
    case 34: /* the order ends before the last */
        r[2].newer = UINT16_MAX;
        b->last = 2;
        break;
    default: fail();
    }
}

static void test_check_sees(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "board: records pass the end of their memory",           "board: a record is empty or reversed",
        "board: a record is empty or reversed",                  "board: a record's state is none of the four",
        "board: a record's state is none of the four",           "board: a record's state and its transmissions disagree",
        "board: a record's state and its transmissions disagree", "board: a record's state and its transmissions disagree",
        "board: records are not contiguous from SND.UNA on",     "board: records are not contiguous from SND.UNA on",
        "board: records do not end at SND.NXT",                  "board: counters differ from the records",
        "board: counters differ from the records",               "board: records do not end at SND.NXT",
        "board: a record is empty or reversed",                  "board: counters differ from the records",
        "board: counters differ from the records",               "board: counters differ from the records",
        "board: bits differ from the records",                   "board: bits differ from the records",
        "board: something flies below the edge",                 "board: the order of transmission is broken",
        "board: the order of transmission is broken",            "board: the order of transmission is broken",
        "board: the order of transmission lacks a record",       "board: marks in the order of transmission are misplaced",
        "board: marks in the order of transmission are misplaced", "board: records do not end at SND.NXT",
        "board: bits differ from the records",                   "board: records pass the end of their memory",
        "board: the order of transmission is broken",            "board: the order of transmission is broken",
        "board: marks in the order of transmission are misplaced", "board: the order of transmission lacks a record",
        "board: the order of transmission lacks a record",
    };
    for (unsigned way = 0; way < sizeof wanted / sizeof wanted[0]; way++) {
        struct weir_board b;
        board_new(&b, 8);
        push_runs(&b, 0, 4, 10);
        (void)weiri_board_sack(&b, block_of(0, 10, 20));
        weiri_board_resent(&b, block_of(0, 30, 40), 2000);
        weiri_board_pass(&b);
        weiri_board_lose(&b);
        assert_board(&b, 0, "l10 s10 f10 r10");
        spoil(&b, way);
        const char *wrong = weiri_board_check(&b, seq_of(0), seq_of(40));
        assert_non_null(wrong);
        assert_string_equal(wrong, wanted[way]);
    }
}

/* What flies alone was sent in order of sequence; where that is not sure, the board says so until it is empty. */
static void test_check_sees_what_is_mixed(void **state)
{
    (void)state;
    struct weir_board b;
    const struct weir_sent *first, *last;
    board_new(&b, 8);
    push_runs(&b, 0, 3, 10);
    assert_null(weiri_board_check(&b, seq_of(0), seq_of(30)));
    b.first = 1; /* 1, 0, 2 */
    b.sent[1].older = UINT16_MAX;
    b.sent[1].newer = 0;
    b.sent[0].older = 1;
    b.sent[0].newer = 2;
    b.sent[2].older = 0;
    b.late = b.ahead = 1;
    const char *wrong = weiri_board_check(&b, seq_of(0), seq_of(30));
    assert_string_equal(wrong != NULL ? wrong : "", "board: what flies was not sent in order of sequence");
    b.mixed = 1;
    assert_null(weiri_board_check(&b, seq_of(0), seq_of(30)));
    board_new(&b, 8);
    b.mixed = 1;
    wrong = weiri_board_check(&b, seq_of(0), seq_of(0));
    assert_string_equal(wrong != NULL ? wrong : "", "board: nothing is mixed where nothing is");

    board_new(&b, 8);
    push_runs(&b, 0, 3, 10);
    assert_int_equal(weiri_board_sack(&b, block_of(0, 20, 30)), 10);
    assert_int_equal(weiri_board_ack(&b, seq_of(20), 2000).octets, 20);
    weiri_board_lose_all(&b); /* the first one SACKED: the peer has taken it back */
    weiri_board_unlose(&b);
    assert_board(&b, 20, "f10");
    assert_true(b.mixed);
    struct weir_board empty = b;
    assert_int_equal(weiri_board_leave_only(&empty)->from.v, 20);
    assert_null(weiri_board_check(&empty, seq_of(30), seq_of(30)));
    assert_true(weiri_board_push(&b, block_of(0, 30, 40), 3000));
    assert_int_equal(weiri_board_leave(&b, seq_of(40), &first, &last), 0);
    assert_int_equal(weiri_board_ack(&b, seq_of(40), 4000).octets, 20);
    assert_int_equal(b.mixed, 0);
    push_runs(&b, 40, 6, 10);
    assert_int_equal(weiri_board_leave(&b, seq_of(40 + 57), &first, &last), 50);
    assert_true(first->from.v == 40 && last->to.v == 90);
    assert_null(weiri_board_check(&b, seq_of(90), seq_of(100)));
}

/* Two records of 2^30 each are one octet too many. */
static void test_check_sees_half_the_space(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 8);
    assert_true(weiri_board_push(&b, block_of(0, 0, UINT32_C(1) << 30), 1));
    assert_true(weiri_board_push(&b, block_of(0, UINT32_C(1) << 30, (UINT32_C(1) << 31) - 1), 2));
    assert_null(weiri_board_check(&b, seq_of(0), seq_of((UINT32_C(1) << 31) - 1)));
    b.sent[1].to = seq_of(UINT32_C(1) << 31);
    const char *wrong = weiri_board_check(&b, seq_of(0), seq_of(UINT32_C(1) << 31));
    assert_non_null(wrong);
    assert_string_equal(wrong, "board: records do not end at SND.NXT");
    b.octets = UINT32_C(1) << 31;
    wrong = weiri_board_check(&b, seq_of(0), seq_of(UINT32_C(1) << 31));
    assert_string_equal(wrong != NULL ? wrong : "", "board: records do not end at SND.NXT");
}

/* A peer that has used up its credit: of its blocks whole records count. */
static void test_blocks_without_credit(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 16);
    push_runs(&b, 0, 4, 10);
    b.credit = 0;
    assert_int_equal(weiri_board_sack(&b, block_of(0, 12, 18)), 0);
    assert_int_equal(weiri_board_sack(&b, block_of(0, 15, 35)), 10);
    assert_board(&b, 0, "f10 f10 s10 f10");
    b.credit = 2;
    assert_int_equal(weiri_board_sack(&b, block_of(0, 15, 35)), 10);
    assert_board(&b, 0, "f10 f5 s20 f5");
}

/* Asked to lose what there is not, or what has arrived, it loses nothing. */
static void test_nothing_to_lose(void **state)
{
    (void)state;
    struct weir_board b;
    board_new(&b, 16);
    weiri_board_lose(&b);
    weiri_board_lose_first(&b);
    assert_board(&b, 0, "");
    push_runs(&b, 0, 3, 10);
    weiri_board_lose(&b); /* nobody was passed yet */
    assert_int_equal(weiri_board_sack(&b, block_of(0, 10, 20)), 10);
    (void)weiri_board_ack(&b, seq_of(10), 2000);
    weiri_board_lose_first(&b);
    assert_board(&b, 10, "s10 f10");
}

/* ---- V12: the grid of hostile blocks ---- */

#define GRID_LEN 100

/* A board of 100 octets in one of five arrangements. */
static void grid_board(struct weir_board *b, uint32_t origin, unsigned arrangement, uint16_t cap)
{
    board_new(b, cap);
    push_runs(b, origin, arrangement == 0 ? 1 : 10, arrangement == 0 ? GRID_LEN : GRID_LEN / 10);
    if (arrangement >= 2) {
        (void)weiri_board_sack(b, block_of(origin, 30, 45));
        (void)weiri_board_sack(b, block_of(origin, 90, GRID_LEN));
    }
    if (arrangement >= 3) {
        (void)weiri_board_lose_head(b, 25);
        weiri_board_resent(b, block_of(origin, 5, 15), 3000);
    }
    if (arrangement == 4) {
        (void)weiri_board_sack(b, block_of(origin, 1, GRID_LEN));
    }
}

/* Octets in [from, to) of the board that are not SACKED: counted over the records one octet at a time. */
static uint32_t grid_unknown(const struct weir_board *b, uint32_t origin, int64_t from, int64_t to)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = weiri_board_record(b, i);
        for (uint32_t s = r->from.v; s != r->to.v; s++) {
            int64_t at = (int64_t)(uint32_t)(s - origin);
            unknown += at >= from && at < to && r->state != WEIRI_SENT_SACKED;
        }
    }
    return unknown;
}

static void grid_pair(uint32_t origin, unsigned arrangement, int64_t from, int64_t to)
{
    struct weir_board b, before;
    struct weir_sent records[64];
    weir_block run;
    run.from = seq_of(origin + (uint32_t)from);
    run.to = seq_of(origin + (uint32_t)to);
    grid_board(&b, origin, arrangement, 63);
    before = b;
    memcpy(records, storage[0], sizeof records);
    /* The rule in plain integers: una < from < to =< nxt. */
    bool believed = from > 0 && from < to && to <= GRID_LEN;
    uint32_t wanted = believed ? grid_unknown(&b, origin, from, to) : 0;
    uint32_t newly = weiri_board_sack(&b, run);
    if (newly != wanted || weiri_board_check(&b, seq_of(origin), seq_of(origin + GRID_LEN)) != NULL) {
        fail_msg("origin %u arrangement %u [%lld, %lld): %u, wanted %u", origin, arrangement, (long long)from,
                 (long long)to, newly, wanted);
    }
    if (wanted == 0) {
        assert_true(b.head == before.head && b.count == before.count && b.sacked == before.sacked && b.lost == before.lost);
        assert_memory_equal(records, storage[0], sizeof records);
    } else {
        assert_int_equal(grid_unknown(&b, origin, from, to), 0);
        assert_int_equal(b.sacked, before.sacked + wanted);
    }
}

static const int64_t grid_places[] = {
    -INT64_C(0x80000001), -INT64_C(0x80000000), -INT64_C(0x7fffffff), -101, -100, -99, -1, 0, 1, 2, 9, 10, 11, 29, 30,
    31, 44, 45, 46, 89, 90, 91, 98, 99, 100, 101, 102, 199, 200, INT64_C(0x7fffffff), INT64_C(0x80000000), INT64_C(0x80000001),
    INT64_C(0x80000000) + 99, INT64_C(0x80000000) + 100, INT64_C(0x80000000) + 101, INT64_C(0xffffff9c)};
#define GRID_PLACES (sizeof grid_places / sizeof grid_places[0])

static void test_hostile_grid(void **state)
{
    (void)state;
    for (size_t o = 0; o < ORIGINS; o++) {
        for (unsigned arrangement = 0; arrangement < 5; arrangement++) {
            for (size_t i = 0; i < GRID_PLACES * GRID_PLACES; i++) {
                grid_pair(origins[o], arrangement, grid_places[i / GRID_PLACES], grid_places[i % GRID_PLACES]);
            }
        }
    }
}

/* The same blocks one after another on one board, roomy or full: never a wrong counter, never the first octet. */
static void test_hostile_grid_in_sequence(void **state)
{
    (void)state;
    static const uint16_t caps[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 63};
    for (size_t o = 0; o < ORIGINS * (sizeof caps / sizeof caps[0]); o++) {
        struct weir_board b;
        uint32_t origin = origins[o % ORIGINS];
        grid_board(&b, origin, 3, caps[o / ORIGINS]);
        for (size_t i = 0; i < GRID_PLACES * GRID_PLACES; i++) {
            size_t k = i * 577 % (GRID_PLACES * GRID_PLACES); /* in another order: 577 is prime */
            weir_block run;
            run.from = seq_of(origin + (uint32_t)grid_places[k / GRID_PLACES]);
            run.to = seq_of(origin + (uint32_t)grid_places[k % GRID_PLACES]);
            uint32_t before = b.sacked, newly = weiri_board_sack(&b, run);
            assert_int_equal(b.sacked, before + newly);
            assert_null(weiri_board_check(&b, seq_of(origin), seq_of(origin + GRID_LEN)));
            assert_int_not_equal(weiri_board_record(&b, 0)->state, WEIRI_SENT_SACKED);
            (void)weiri_board_detect(&b, 10);
            assert_canary(&b);
        }
    }
}

/* ---- random lives beside a model of octets ---- */

#define SPAN 512       /* octets in flight at most */
#define OCTETS 1024    /* of the model's circle */

struct model {
    uint32_t x;               /* xorshift */
    uint32_t origin;          /* sequence number of octet 0 */
    uint32_t una, nxt;        /* octets from there */
    weir_us now;
    uint8_t state[OCTETS];    /* enum weiri_sent_state, by octet modulo OCTETS */
    uint8_t known[OCTETS];    /* reported by SACK, ever */
    uint32_t sent_at[OCTETS];
    uint32_t tries[OCTETS];
    bool exact;               /* the board cannot be full: it must agree octet for octet */
    struct weir_rack rack;    /* what arrived last was sent at rack.xmit_at */
    uint32_t reneged;         /* octets before this were SACKED once, then not: joined, and their times with them */
};

static uint32_t roll(struct model *m, uint32_t below)
{
    m->x ^= m->x << 13;
    m->x ^= m->x >> 17;
    m->x ^= m->x << 5;
    return m->x % below;
}

static uint32_t model_count(const struct model *m, uint8_t state)
{
    uint32_t count = 0;
    for (uint32_t i = m->una; i != m->nxt; i++) {
        count += m->state[i % OCTETS] == state;
    }
    return count;
}

static void live_push(struct model *m, struct weir_board *b)
{
    uint32_t len = 1 + roll(m, 60);
    if (m->nxt - m->una + len > SPAN) {
        return;
    }
    bool pushed = weiri_board_push(b, block_of(m->origin, m->nxt, m->nxt + len), m->now);
    assert_true(pushed || !m->exact);
    for (uint32_t i = m->nxt; pushed && i != m->nxt + len; i++) {
        m->state[i % OCTETS] = WEIRI_SENT_FLYING;
        m->known[i % OCTETS] = 0;
        m->sent_at[i % OCTETS] = (uint32_t)m->now;
        m->tries[i % OCTETS] = 1;
    }
    m->nxt += pushed ? len : 0;
}

/* If there is a sample, octets that this acknowledgment is the first word of went out so long ago, and none twice. */
static void live_ack_sample(const struct model *m, uint32_t ack, const struct weiri_acked *a)
{
    bool again = false, found = (int32_t)(m->reneged - m->una) > 0;
    for (uint32_t i = m->una; i != ack; i++) {
        if (m->state[i % OCTETS] != WEIRI_SENT_SACKED) {
            again = again || m->tries[i % OCTETS] > 1;
            found = found || a->rtt_us == (uint32_t)m->now - m->sent_at[i % OCTETS];
        }
    }
    if (a->sampled) {
        assert_false(again);
        assert_true(found);
    }
}

/* Many pushes at once leave what they leave one by one; joining, and what no board holds, they leave to those. */
static void test_push_many(void **state)
{
    enum { CAP = 12, LIMIT = CAP - 2, SIZE = 100 };
    static struct weir_sent memory[2][WEIRI_BOARD_MEMORY(CAP)];
    struct weir_board one, many;
    (void)state;
    for (uint32_t count = 0; count < CAP + 2; count++) {
        uint32_t begun = count / 3, done = count < LIMIT ? count : LIMIT;
        memset(memory, 0, sizeof memory);
        weiri_board_init(&one, memory[0], CAP);
        weiri_board_init(&many, memory[1], CAP);
        for (uint32_t i = 0; i < done; i++) {
            weir_block run = {seq_of(i * SIZE), seq_of((i + 1) * SIZE)};
            assert_true(weiri_board_push(&one, run, 77));
            assert_true(i >= begun || weiri_board_push(&many, run, 77));
        }
        assert_int_equal(weiri_board_push_many(&many, seq_of(begun * SIZE), SIZE, count - begun, 77), (done - begun) * SIZE);
        assert_null(weiri_board_check(&many, seq_of(0), seq_of(done * SIZE)));
        many.sent = one.sent;
        assert_memory_equal(&one, &many, sizeof one);
        assert_memory_equal(memory[0], memory[1], sizeof memory[0]);
    }
    weiri_board_init(&many, memory[1], CAP);
    assert_int_equal(weiri_board_push_many(&many, seq_of(0), UINT32_C(1) << 30, 2, 77), 0);
    assert_int_equal(weiri_board_push_many(&many, seq_of(0), UINT32_MAX, 2, 77), 0);
    assert_int_equal(many.count, 0);
}

/* As connections do: first whole records that only fly, then the rest. */
static struct weiri_acked live_leave(const struct model *m, struct weir_board *b, weir_seq ack)
{
    struct weiri_acked a = {0, 0, false, 0}, rest;
    const struct weir_sent *first, *last;
    a.octets = weiri_board_leave(b, ack, &first, &last);
    if (a.octets > 0) {
        a.rtt_us = (uint32_t)m->now - last->sent_at;
        a.sampled = true;
        assert_true(first->tries == 1 && last->tries == 1 && (int32_t)(last->sent_at - first->sent_at) >= 0);
        assert_int_equal(seq_diff(first->from, last->to), a.octets);
    }
    rest = weiri_board_ack(b, ack, m->now);
    assert_true(a.octets == 0 || !rest.sampled); /* at most a part of a record is left */
    a.octets += rest.octets;
    a.sacked = rest.sacked;
    a.rtt_us = rest.sampled ? rest.rtt_us : a.rtt_us;
    a.sampled = a.sampled || rest.sampled;
    return a;
}

static void live_ack(struct model *m, struct weir_board *b)
{
    uint32_t total = m->nxt - m->una, kind = roll(m, 8);
    uint32_t ack = m->una + roll(m, 80);
    ack = kind == 0 ? m->nxt : kind == 1 ? m->nxt + 1 + roll(m, 5) : kind == 2 ? m->una - 1 - roll(m, 5) : ack;
    bool moves = ack - m->una <= total;
    uint32_t sacked = 0;
    weir_seq number = seq_of(m->origin + ack);
    struct weiri_acked a = roll(m, 2) == 0 ? weiri_board_ack(b, number, m->now) : live_leave(m, b, number);
    assert_int_equal(a.octets, moves ? ack - m->una : 0);
    if (!moves) {
        assert_false(a.sampled);
        return;
    }
    for (uint32_t i = m->una; i != ack; i++) {
        sacked += m->state[i % OCTETS] == WEIRI_SENT_SACKED;
    }
    if (m->exact) {
        assert_int_equal(a.sacked, sacked);
        live_ack_sample(m, ack, &a);
    }
    m->una = ack;
}

static void live_sack(struct model *m, struct weir_board *b)
{
    uint32_t total = m->nxt - m->una, newly = 0;
    uint32_t from = m->una + roll(m, total + 12) - 6, to = from + roll(m, 60) - 3;
    to = roll(m, 8) == 0 ? m->nxt : to;
    uint32_t got = weiri_board_sack(b, block_of(m->origin, from, to));
    if (from - m->una == 0 || from - m->una >= to - m->una || to - m->una > total) {
        assert_int_equal(got, 0);
        return;
    }
    for (uint32_t i = from; i != to; i++) {
        newly += m->state[i % OCTETS] != WEIRI_SENT_SACKED;
        m->state[i % OCTETS] = WEIRI_SENT_SACKED;
        m->known[i % OCTETS] = 1;
    }
    assert_true(m->exact ? got == newly : got <= to - from);
}

static void live_detect(struct model *m, struct weir_board *b)
{
    uint32_t mss = 1 + roll(m, 60), newly = 0, above = 0, runs = 0;
    bool in_run = false;
    for (uint32_t i = m->nxt; i-- != m->una;) {
        uint8_t *s = &m->state[i % OCTETS];
        runs += *s == WEIRI_SENT_SACKED && !in_run;
        in_run = *s == WEIRI_SENT_SACKED;
        above += in_run;
        if (*s == WEIRI_SENT_FLYING && (runs >= 3 || above > 2 * mss)) {
            *s = WEIRI_SENT_LOST;
            newly++;
        }
    }
    uint32_t got = weiri_board_detect(b, mss);
    assert_true(!m->exact || got == newly);
}

static void live_lose_head(struct model *m, struct weir_board *b)
{
    uint32_t mss = roll(m, 60), newly = 0, got = weiri_board_lose_head(b, mss);
    for (uint32_t i = m->una; i != m->nxt && i - m->una < mss && m->state[i % OCTETS] != WEIRI_SENT_SACKED; i++) {
        newly += m->state[i % OCTETS] != WEIRI_SENT_LOST;
        m->state[i % OCTETS] = WEIRI_SENT_LOST;
    }
    assert_true(!m->exact || got == newly);
}

static void live_lose_all(struct model *m, struct weir_board *b)
{
    bool reneged = m->una != m->nxt && m->state[m->una % OCTETS] == WEIRI_SENT_SACKED;
    weiri_board_lose_all(b);
    m->reneged = reneged ? m->nxt : m->reneged;
    for (uint32_t i = m->una; i != m->nxt; i++) {
        if (reneged || m->state[i % OCTETS] != WEIRI_SENT_SACKED) {
            m->state[i % OCTETS] = WEIRI_SENT_LOST;
        }
    }
}

static void model_resent(struct model *m, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i != to; i++) {
        m->state[i % OCTETS] = m->state[i % OCTETS] == WEIRI_SENT_SACKED ? WEIRI_SENT_SACKED : WEIRI_SENT_RESENT;
        m->sent_at[i % OCTETS] = (uint32_t)m->now;
        m->tries[i % OCTETS]++;
    }
}

/* What a sender does: the first lost run, some of it, again. */
static void live_repair(struct model *m, struct weir_board *b)
{
    uint32_t max = 1 + roll(m, 60), from = m->una, to;
    weir_block run;
    while (from != m->nxt && m->state[from % OCTETS] != WEIRI_SENT_LOST) {
        from++;
    }
    for (to = from; to != m->nxt && to - from < max && m->state[to % OCTETS] == WEIRI_SENT_LOST; to++) {
    }
    bool got = weiri_board_next_lost(b, max, &run);
    if (m->exact) { /* all that may go, or three quarters of it */
        assert_int_equal(got, from != to);
        assert_true(!got || (run.from.v == m->origin + from && run.to.v - m->origin - from <= to - from));
        assert_true(!got || run.to.v == m->origin + to || run.to.v - run.from.v >= max - max / 4);
    }
    if (got) {
        uint32_t lost = b->lost, len = seq_diff(run.from, run.to);
        assert_in_range(len, 1, max);
        weiri_board_resent(b, run, m->now);
        assert_true(m->exact ? lost - b->lost == len : lost - b->lost >= len);
        model_resent(m, run.from.v - m->origin, run.to.v - m->origin);
    }
}

/* What a careless sender might do: any run again. */
static void live_resent(struct model *m, struct weir_board *b)
{
    uint32_t total = m->nxt - m->una;
    uint32_t from = m->una + roll(m, total + 12) - 6, to = from + roll(m, 60) - 3;
    weiri_board_resent(b, block_of(m->origin, from, to), m->now);
    if (from - m->una < to - m->una && to - m->una <= total) {
        model_resent(m, from, to);
    }
}

/* What was SACKED once and then not has no place in the order of transmission until it is sent again. */
static bool live_in_order(const struct model *m)
{
    return (int32_t)(m->reneged - m->una) <= 0;
}

/* RFC 8985 6.2 step 5, octet by octet: what was sent before rack.xmit_at is LOST when it is old enough. At a timeout (6.3) the first
 * record is too, and all that is old enough. */
static uint32_t model_detect_by_time(struct model *m, uint32_t first, bool timeout, uint32_t *wait)
{
    uint32_t newly = 0, limit = m->rack.rtt + m->rack.reo_wnd;
    *wait = 0;
    for (uint32_t i = m->una; i != m->nxt; i++) {
        uint32_t age = (uint32_t)m->now - m->sent_at[i % OCTETS], latest = (uint32_t)(m->now - m->rack.xmit_at);
        uint8_t *s = &m->state[i % OCTETS];
        if ((*s != WEIRI_SENT_FLYING && *s != WEIRI_SENT_RESENT) || (!timeout && age <= latest)) {
            continue;
        }
        if (age >= limit || (timeout && i - m->una < first)) {
            *s = WEIRI_SENT_LOST;
            newly++;
        } else {
            *wait = limit - age > *wait ? limit - age : *wait;
        }
    }
    return newly;
}

static void live_by_time(struct model *m, struct weir_board *b, bool timeout)
{
    weir_us sent = m->now - roll(m, 40);
    uint32_t wait = 0, wanted_wait, before = b->lost;
    m->rack.xmit_at = sent > m->rack.xmit_at ? sent : m->rack.xmit_at;
    m->rack.end = seq_of(m->origin + m->una); /* of one microsecond none was sent before it */
    m->rack.rtt = 1 + roll(m, 40);
    m->rack.reo_wnd = roll(m, 10);
    if (!live_in_order(m)) {
        return;
    }
    bool sacked = b->count > 0 && weiri_board_record(b, 0)->state == WEIRI_SENT_SACKED;
    uint32_t first = b->count > 0 ? seq_diff(weiri_board_record(b, 0)->from, weiri_board_record(b, 0)->to) : 0;
    if (!timeout) {
        uint32_t got = weiri_rack_detect(&m->rack, b, m->now, &wait), newly = model_detect_by_time(m, 0, false, &wanted_wait);
        assert_true(!m->exact || (got == newly && wait == wanted_wait));
    } else if (!sacked) {
        weiri_rack_timeout(&m->rack, b, m->now);
        uint32_t newly = model_detect_by_time(m, first, true, &wanted_wait);
        assert_true(!m->exact || b->lost - before == newly);
    }
}

static void live_unlose(struct model *m, struct weir_board *b)
{
    if (!live_in_order(m)) {
        return;
    }
    weiri_board_unlose(b);
    for (uint32_t i = m->una; i != m->nxt; i++) {
        uint8_t *s = &m->state[i % OCTETS];
        *s = *s != WEIRI_SENT_LOST ? *s : m->tries[i % OCTETS] > 1 ? WEIRI_SENT_RESENT : WEIRI_SENT_FLYING;
    }
}

static void live_step(struct model *m, struct weir_board *b)
{
    uint32_t what = roll(m, 100);
    m->now += roll(m, 3);
    if (what < 34) {
        live_push(m, b);
    } else if (what < 50) {
        live_ack(m, b);
    } else if (what < 72) {
        live_sack(m, b);
    } else if (what < 76) {
        live_detect(m, b);
    } else if (what < 79) {
        live_by_time(m, b, what == 78 && roll(m, 4) == 0);
    } else if (what < 80) {
        live_unlose(m, b);
    } else if (what < 85) {
        live_lose_head(m, b);
    } else if (what < 86) {
        live_lose_all(m, b);
    } else if (what < 97) {
        live_repair(m, b);
    } else if (what < 99) {
        live_resent(m, b);
    } else {
        weiri_board_move(b, b->sent == storage[0] ? storage[1] : storage[0], b->cap);
    }
}

/* Octet for octet; on a board that may be full: what it calls SACKED was reported, and the rest it may not know. */
static bool live_agrees(const struct model *m, const struct weir_board *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = weiri_board_record(b, i);
        for (uint32_t s = r->from.v - m->origin; s != r->to.v - m->origin; s++) {
            if (m->exact ? r->state != m->state[s % OCTETS] : r->state == WEIRI_SENT_SACKED && !m->known[s % OCTETS]) {
                return false;
            }
        }
    }
    return !m->exact || (b->sacked == model_count(m, WEIRI_SENT_SACKED) && b->lost == model_count(m, WEIRI_SENT_LOST) &&
                         b->resent == model_count(m, WEIRI_SENT_RESENT) &&
                         weiri_board_pipe(b) == model_count(m, WEIRI_SENT_FLYING) + model_count(m, WEIRI_SENT_RESENT));
}

static void live(uint32_t seed, uint16_t cap, uint32_t origin, unsigned steps)
{
    static struct model m;
    struct weir_board b;
    memset(&m, 0, sizeof m);
    m.x = seed;
    m.origin = origin;
    m.now = UINT32_MAX - 1000; /* the clock's 32 bits end early in each life */
    m.exact = cap > SPAN + 4;
    board_new(&b, cap);
    for (unsigned step = 0; step < steps; step++) {
        live_step(&m, &b);
        const char *wrong = weiri_board_check(&b, seq_of(m.origin + m.una), seq_of(m.origin + m.nxt));
        if (wrong != NULL || !live_agrees(&m, &b)) {
            fail_msg("seed %u cap %u origin %u step %u: %s", seed, cap, origin, step,
                     wrong == NULL ? "not the model" : wrong);
        }
        assert_canary(&b);
    }
}

/* Room for a record an octet: exact. The records' memory wraps round, the sequence numbers pass 2^31 and 2^32. */
static void test_lives_with_room(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        uint32_t origin = seed % 3 == 0 ? seed * 2654435761u : (seed % 3 << 31) - seed * 97;
        live(seed * 7919, seed % 2 == 0 ? SPAN + 5 : CAP_MAX, origin, 2000);
    }
}

static void test_lives_on_full_boards(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 120; seed++) {
        uint32_t origin = (seed % 2 << 31) - seed * 53;
        live(seed * 104729, (uint16_t)(seed % 20), origin, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_many),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_push_limit),
        cmocka_unit_test(test_sack_splits_and_joins),
        cmocka_unit_test(test_sack_over_every_state),
        cmocka_unit_test(test_join_keeps_the_later_time),
        cmocka_unit_test(test_sack_beside_a_sacked_head),
        cmocka_unit_test(test_detect_rows),
        cmocka_unit_test(test_detect_leaves_resent),
        cmocka_unit_test(test_lose_head_rows),
        cmocka_unit_test(test_lose_all),
        cmocka_unit_test(test_next_lost),
        cmocka_unit_test(test_resent_elsewhere),
        cmocka_unit_test(test_tries_saturate),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_sample_over_the_clocks_end),
        cmocka_unit_test(test_full_of_flying),
        cmocka_unit_test(test_full_of_holes),
        cmocka_unit_test(test_full_refuses),
        cmocka_unit_test(test_full_rounds_inwards),
        cmocka_unit_test(test_full_joins_no_more_than_needed),
        cmocka_unit_test(test_full_loses_a_whole_head),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_rolls_on),
        cmocka_unit_test(test_check_sees),
        cmocka_unit_test(test_check_sees_what_is_mixed),
        cmocka_unit_test(test_check_sees_half_the_space),
        cmocka_unit_test(test_blocks_without_credit),
        cmocka_unit_test(test_nothing_to_lose),
        cmocka_unit_test(test_hostile_grid),
        cmocka_unit_test(test_hostile_grid_in_sequence),
        cmocka_unit_test(test_lives_with_room),
        cmocka_unit_test(test_lives_on_full_boards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
