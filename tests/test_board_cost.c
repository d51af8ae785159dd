/* test_board_cost.c - what an acknowledgment costs, in looks at records: on a board of twenty and on one of twenty thousand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WEIR_STEP_HOOK
#include "weir.c"

enum { MSS = 1000, FEW = 10, MANY = 10000, RATIO = 4 };

static uint64_t steps;

void weir_step_hook(void)
{
    steps++;
}

/* A sender's board, and what RACK knows. */
struct cost {
    struct weir_board b;
    struct weir_sent *memory;
    struct weir_rack rack;
    uint32_t holes, nxt, una;
    weir_us now;
    bool timed;
    uint64_t begun, worst, sum, acks;
};

static weir_block cost_run(uint32_t from, uint32_t to)
{
    weir_block run = {seq_of(from), seq_of(to)};
    return run;
}

/* `holes` segments to be lost, each with one behind it that is not. */
static void cost_begin(struct cost *k, uint32_t holes, bool timed)
{
    uint32_t cap = 2 * holes + 4;
    memset(k, 0, sizeof *k);
    k->memory = malloc(WEIRI_BOARD_MEMORY(cap) * sizeof *k->memory);
    assert_non_null(k->memory);
    weiri_board_init(&k->b, k->memory, (uint16_t)cap);
    weiri_rack_init(&k->rack, seq_of(0));
    k->holes = holes;
    k->timed = timed;
    k->now = 1000000;
    for (uint32_t i = 0; i < 2 * holes; i++) {
        assert_true(weiri_board_push(&k->b, cost_run(k->nxt, k->nxt + MSS), k->now++));
        k->nxt += MSS;
    }
    k->now += 20000;
}

static void cost_end(struct cost *k)
{
    free(k->memory);
}

static void cost_deliver(struct cost *k, weir_block run, struct weiri_rack_ack *a)
{
    struct weir_sent part;
    uint32_t i = 0;
    while (weiri_board_walk(&k->b, run, &i, &part)) {
        weiri_rack_delivered(&k->rack, &part, a);
    }
}

/* What a connection does for one acknowledgment; and it sends one segment again. */
static void cost_ack(struct cost *k, uint32_t ack, const weir_block *blocks, unsigned count)
{
    struct weiri_rack_ack a = {.now = k->now, .rtt = UINT32_MAX, .recovering = true, .fack = k->rack.fack};
    uint32_t wait;
    weir_block run;
    steps = 0;
    cost_deliver(k, cost_run(k->una, ack), &a);
    (void)weiri_board_ack(&k->b, seq_of(ack), k->now);
    for (unsigned i = 0; i < count; i++) {
        cost_deliver(k, blocks[i], &a);
        (void)weiri_board_sack(&k->b, blocks[i]);
    }
    (void)(k->timed ? weiri_rack_detect(&k->rack, &k->b, k->now, &wait) : weiri_board_detect(&k->b, MSS));
    if (weiri_board_next_lost(&k->b, MSS + 1, &run)) {
        weiri_board_resent(&k->b, run, k->now);
    }
    (void)weiri_board_pipe(&k->b);
    (void)weiri_board_has_room(&k->b);
    k->una = ack;
    k->now += 7;
    k->worst = steps > k->worst ? steps : k->worst;
    k->sum += steps;
    k->acks++;
}

/* Every second segment is lost. The peer reports each that arrives with the three before it, then acknowledges what is repaired. */
static uint64_t cost_of_holes(uint32_t holes, bool timed)
{
    struct cost k;
    cost_begin(&k, holes, timed);
    for (uint32_t i = 0; i < holes; i++) {
        weir_block blocks[4];
        unsigned count = 0;
        for (; count < 4 && count <= i; count++) {
            blocks[count] = cost_run((2 * (i - count) + 1) * MSS, (2 * (i - count) + 2) * MSS);
        }
        cost_ack(&k, k.una, blocks, count);
    }
    assert_int_equal(k.b.sacked, holes * MSS);
    assert_true(k.b.resent > 0 && k.b.resent / MSS + 4 > holes / 2);
    for (uint32_t i = 1; i <= holes; i++) {
        weir_block rest = cost_run((2 * i + 1) * MSS, (2 * i + 2) * MSS);
        cost_ack(&k, 2 * i * MSS, &rest, i < holes);
    }
    assert_int_equal(k.b.count, 0);
    cost_end(&k);
    return k.worst;
}

static void test_holes_cost_no_more_where_there_are_many(void **state)
{
    (void)state;
    for (unsigned timed = 0; timed < 2; timed++) {
        uint64_t few = cost_of_holes(FEW, timed), many = cost_of_holes(MANY, timed);
        if (few == 0 || many > RATIO * few) {
            fail_msg("%s: %u looks with %d holes, %u with %d", timed ? "by time" : "by count", (unsigned)many, MANY, (unsigned)few, FEW);
        }
    }
}

/* Blocks over everything again and again; then such as begin and end inside segments, no two alike. */
static uint64_t cost_of_malice(uint32_t holes, bool timed)
{
    struct cost k;
    uint32_t seed = 1;
    cost_begin(&k, holes, timed);
    for (uint32_t i = 0; i < holes; i++) {
        weir_block one = cost_run((2 * i + 1) * MSS, (2 * i + 2) * MSS);
        (void)weiri_board_sack(&k.b, one);
    }
    for (uint32_t i = 0; i < 4 * holes; i++) {
        weir_block blocks[4];
        for (unsigned n = 0; n < 4; n++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t at = 1 + (seed >> 4) % (k.nxt - 2);
            blocks[n] = i % 2 == 0 ? cost_run((2 * (at / MSS / 2) + 1) * MSS, (2 * (at / MSS / 2) + 2) * MSS) : cost_run(at, at + 1);
        }
        cost_ack(&k, 0, blocks, 4);
        assert_true(i % 1000 != 0 || weiri_board_check(&k.b, seq_of(0), seq_of(k.nxt)) == NULL);
    }
    uint64_t mean = k.sum / k.acks;
    cost_end(&k);
    return mean;
}

/* On the average: what a peer may make us move at once is bounded, and soon used up. */
static void test_malice_costs_no_more_where_there_is_much(void **state)
{
    (void)state;
    for (unsigned timed = 0; timed < 2; timed++) {
        uint64_t few = cost_of_malice(FEW, timed), many = cost_of_malice(MANY, timed);
        if (few == 0 || many > RATIO * few) {
            fail_msg("%s: %u looks with %d holes, %u with %d", timed ? "by time" : "by count", (unsigned)many, MANY, (unsigned)few, FEW);
        }
    }
}

/* Without loss: an acknowledgment of every second segment, and two pushes. */
static uint64_t cost_of_calm(uint32_t holes)
{
    struct cost k;
    cost_begin(&k, holes, true);
    for (uint32_t i = 0; i < 3 * holes; i++) {
        cost_ack(&k, k.una + 2 * MSS, NULL, 0);
        for (unsigned n = 0; n < 2; n++) {
            assert_true(weiri_board_push(&k.b, cost_run(k.nxt, k.nxt + MSS), k.now));
            k.nxt += MSS;
        }
    }
    cost_end(&k);
    return k.worst;
}

static void test_calm_costs_no_more_where_much_flies(void **state)
{
    (void)state;
    uint64_t few = cost_of_calm(FEW), many = cost_of_calm(MANY);
    assert_true(few > 0 && many <= 2 * few);
}

/* A window so small that segments are tiny: the board is always full, and records are joined. The pushes pay for that. */
static void test_a_full_board_costs_no_more_than_pushes_pay_for(void **state)
{
    (void)state;
    struct cost k;
    cost_begin(&k, MANY, true);
    steps = 0;
    for (uint32_t i = 0; i < 20 * MANY; i++) {
        assert_true(weiri_board_push(&k.b, cost_run(k.nxt, k.nxt + 1), k.now++));
        k.nxt++;
    }
    assert_true(steps > 20 * MANY && steps < 40 * 20 * (uint64_t)MANY);
    assert_null(weiri_board_check(&k.b, seq_of(0), seq_of(k.nxt)));
    cost_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holes_cost_no_more_where_there_are_many),
        cmocka_unit_test(test_malice_costs_no_more_where_there_is_much),
        cmocka_unit_test(test_calm_costs_no_more_where_much_flies),
        cmocka_unit_test(test_a_full_board_costs_no_more_than_pushes_pay_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
