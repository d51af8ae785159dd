/* test_sack_small.c - the small scoreboard of a device beside the map of octets that the fuzz target keeps, for seeded lives; and what its
 * checker sees. Compiled with WEIR_TINY, beside sack_small.c alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/fuzz_board.c"
#include "naive.h"
#include "patience.h"

enum { LIVES = 2000, LIFE_MAX = 700 };

/* Octets of an input: operations that there are, mostly small numbers. */
static void test_lives_beside_a_map(void **state)
{
    (void)state;
    uint64_t seed = 20;
    for (unsigned life = 0, lives = patience(LIVES, LIVES / 8); life < lives; life++) {
        uint8_t input[LIFE_MAX];
        size_t len = naive_random(&seed) % LIFE_MAX;
        for (size_t i = 0; i < len; i++) {
            uint32_t x = naive_random(&seed);
            input[i] = (uint8_t)(x & 0x100 ? x : x & 0x200 ? x & 15 : x & 127);
        }
        (void)LLVMFuzzerTestOneInput(input, len);
    }
}

static const char *told_of(const struct weir_board *b)
{
    const char *wrong = weiri_board_check(b, seq_of(0), seq_of(30));
    return wrong != NULL ? wrong : "";
}

static void test_check_sees(void **state)
{
    (void)state;
    struct weir_board b;
    weiri_board_init(&b, board_memory[0], 8);
    for (uint32_t at = 0; at < 30; at += 10) {
        weir_block run = {seq_of(at), seq_of(at + 10)};
        assert_true(weiri_board_push(&b, run, 1));
    }
    assert_null(weiri_board_check(&b, seq_of(0), seq_of(30)));
    struct weir_sent *r = &b.sent[1], kept = *r;
    r->state = WEIRI_SENT_RESENT + 1;
    assert_string_equal(told_of(&b), "board: records are not in order, or empty, or in no state");
    *r = kept;
    r->tries = 0;
    assert_string_equal(told_of(&b), "board: records are not in order, or empty, or in no state");
    *r = kept;
    r->from = seq_of(11);
    assert_string_equal(told_of(&b), "board: records are not in order, or empty, or in no state");
    *r = kept;
    r->to = r->from;
    assert_string_equal(told_of(&b), "board: records are not in order, or empty, or in no state");
    *r = kept;
    uint32_t *counters[4] = {&b.sacked, &b.octets, &b.lost, &b.resent};
    for (unsigned i = 0; i < 4; i++) {
        (*counters[i])++;
        assert_string_equal(told_of(&b), "board: counters differ from the records");
        (*counters[i])--;
    }
    b.above++;
    assert_string_equal(told_of(&b), "board: counters differ from the records");
    b.above--;
    b.cap = 2;
    assert_string_equal(told_of(&b), "board: records do not cover what is outstanding");
    b.cap = 8;
    assert_string_equal(weiri_board_check(&b, seq_of(0), seq_of(31)), "board: records do not cover what is outstanding");
}

/* As fuzz_board asks, and as it does not: more memory, not less. */
static void test_moves(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block run = {seq_of(0), seq_of(UINT32_C(1) << 31)};
    weiri_board_init(&b, board_memory[0], 4);
    assert_false(weiri_board_push(&b, run, 1)); /* no window is so large */
    run.to = seq_of(30);
    assert_true(weiri_board_push(&b, run, 1));
    weiri_board_move(&b, board_memory[1], 16);
    assert_ptr_equal(b.sent, board_memory[1]);
    assert_int_equal(b.cap, 16);
    assert_null(weiri_board_check(&b, seq_of(0), seq_of(30)));
    run.from = seq_of(31);
    run.to = seq_of(35);
    weiri_board_resent(&b, run, 2); /* nothing of it is outstanding */
    assert_int_equal(weiri_board_record(&b, 0)->tries, 1);
    run.from = seq_of(20);
    run.to = seq_of(10);
    weiri_board_resent(&b, run, 2); /* nor of a run that ends before it begins */
    assert_int_equal(weiri_board_record(&b, 0)->tries, 1);
}

/* Karn's rule asks for 1, however often it went. */
static void test_tries_saturate(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block run = {seq_of(0), seq_of(10)};
    weiri_board_init(&b, board_memory[0], 8);
    assert_true(weiri_board_push(&b, run, 1));
    for (unsigned i = 0; i < 300; i++) {
        weiri_board_resent(&b, run, 2);
        assert_int_equal(weiri_board_record(&b, 0)->tries, i < 253 ? i + 2 : 255);
    }
}

/* However many holes a peer tells of: what goes again finds a record to split. */
static void test_blocks_leave_two_records(void **state)
{
    (void)state;
    struct weir_board b;
    weir_block all = {seq_of(0), seq_of(100)}, run = {seq_of(5), seq_of(7)};
    weiri_board_init(&b, board_memory[0], 8);
    assert_true(weiri_board_push(&b, all, 1));
    for (uint32_t at = 20; at < 90; at += 2) {
        weir_block hole = {seq_of(at), seq_of(at + 1)};
        (void)weiri_board_sack(&b, hole);
    }
    assert_int_equal(b.count, 6);
    weiri_board_resent(&b, run, 2);
    assert_int_equal(b.count, 8);
    assert_int_equal(b.resent, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives_beside_a_map),
        cmocka_unit_test(test_check_sees),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_tries_saturate),
        cmocka_unit_test(test_blocks_leave_two_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
