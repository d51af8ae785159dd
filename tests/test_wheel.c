/* test_wheel.c - the timer wheel beside a model that looks through everything: every order, every deadline, at every scale of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/room.h"

enum { NODES = 64, STEPS = 60000 };

/* The model: what is armed, for when, and the order of arming, which breaks ties. */
struct model {
    weir_us now;
    weir_us at[NODES];
    uint64_t order[NODES];
    uint64_t orders;
    uint32_t armed;
};

struct both {
    struct weiri_wheel wheel;
    struct weiri_wheel_node nodes[NODES];
    struct model model;
    uint64_t random;
};

static uint64_t next_random(struct both *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

static void both_init(struct both *b, weir_us now, uint64_t seed)
{
    b->random = seed * 0x9e3779b97f4a7c15u + 1;
    b->model.now = now;
    b->model.orders = 0;
    b->model.armed = 0;
    for (unsigned i = 0; i < NODES; i++) {
        b->model.at[i] = WEIR_FOREVER;
    }
    weiri_wheel_init(&b->wheel, b->nodes, NODES, now);
}

static uint32_t model_earliest(const struct model *m)
{
    uint32_t best = WEIRI_NONE;
    for (uint32_t i = 0; i < NODES; i++) {
        if (m->at[i] == WEIR_FOREVER) {
            continue;
        }
        if (best == WEIRI_NONE || m->at[i] < m->at[best] || (m->at[i] == m->at[best] && m->order[i] < m->order[best])) {
            best = i;
        }
    }
    return best;
}

static void both_arm(struct both *b, uint32_t i, weir_us at)
{
    struct model *m = &b->model;
    weiri_wheel_arm(&b->wheel, i, at);
    if (at == WEIR_FOREVER) {
        return;
    }
    at = at < m->now ? m->now : at;
    if (at < m->at[i]) {
        m->armed += m->at[i] == WEIR_FOREVER;
        m->at[i] = at;
        m->order[i] = m->orders++;
    }
}

static void both_cancel(struct both *b, uint32_t i)
{
    weiri_wheel_cancel(&b->wheel, i);
    b->model.armed -= b->model.at[i] != WEIR_FOREVER;
    b->model.at[i] = WEIR_FOREVER;
}

/* Takes out all that is due; both must say the same, in the same order. */
static void both_advance(struct both *b, weir_us now)
{
    struct model *m = &b->model;
    now = base_min_us(now, WEIR_FOREVER - 1);
    if (now > m->now) {
        m->now = now;
    }
    for (;;) {
        uint32_t expected = model_earliest(m);
        if (expected != WEIRI_NONE && m->at[expected] > m->now) {
            expected = WEIRI_NONE;
        }
        assert_int_equal(weiri_wheel_due(&b->wheel, now), expected);
        if (expected == WEIRI_NONE) {
            return;
        }
        m->at[expected] = WEIR_FOREVER;
        m->armed--;
    }
}

static void both_compare(const struct both *b)
{
    const struct model *m = &b->model;
    const weir_us deadline = weiri_wheel_deadline(&b->wheel);
    const uint32_t first = model_earliest(m);
    const char *broken = weiri_wheel_check(&b->wheel, NODES);
    assert_string_equal(broken ? broken : "", "");
    assert_int_equal(b->wheel.armed, m->armed);
    if (first == WEIRI_NONE) {
        assert_true(deadline == WEIR_FOREVER);
        return;
    }
    assert_true(deadline <= m->at[first]);
    assert_true(deadline >= b->wheel.now);
    if (m->armed <= 8) {
        assert_true(deadline == m->at[first]);
    }
}

/* A span of any magnitude up to 2^bits. */
static weir_us some_span(struct both *b, unsigned bits)
{
    const unsigned magnitude = (unsigned)(next_random(b) % bits);
    return next_random(b) & (((uint64_t)2 << magnitude) - 1);
}

static void random_step(struct both *b, unsigned bits)
{
    const uint32_t i = (uint32_t)(next_random(b) % NODES);
    const uint64_t kind = next_random(b) % 16;
    if (kind < 8) {
        const weir_us now = b->model.now;
        both_arm(b, i, base_after(now, some_span(b, bits)));
    } else if (kind < 10) {
        both_arm(b, i, b->model.now - base_min_us(b->model.now, some_span(b, bits))); /* in the past: now */
    } else if (kind < 12) {
        both_cancel(b, i);
    } else if (kind == 12) {
        both_advance(b, b->model.now - base_min_us(b->model.now, 1000)); /* backwards: as if no time had passed */
    } else if (kind < 15) {
        both_advance(b, base_after(b->model.now, some_span(b, bits / 2 + 1)));
    } else {
        both_advance(b, weiri_wheel_deadline(&b->wheel) == WEIR_FOREVER ? b->model.now : weiri_wheel_deadline(&b->wheel));
    }
    both_compare(b);
}

static void test_random_operations(void **state)
{
    static const struct {
        weir_us epoch;
        unsigned bits; /* of the largest span */
    } scales[] = {
        {0, 12}, {0, 30}, {0, 44}, {1, 63}, {0x7fffffffu - 5, 20}, {0xffffffffu - 100, 24}, {0xffffffffu - 100, 40},
        {(weir_us)1 << 62, 50}, {UINT64_MAX - 1000000, 16}, {UINT64_MAX - 100, 6}, {UINT64_MAX - ((weir_us)1 << 40), 38},
    };
    static struct both b;
    (void)state;
    for (unsigned i = 0; i < sizeof scales / sizeof *scales; i++) {
        for (uint64_t seed = 1; seed <= 3; seed++) {
            both_init(&b, scales[i].epoch, seed + 100 * i);
            for (unsigned step = 0; step < STEPS / 30; step++) {
                random_step(&b, scales[i].bits);
            }
        }
    }
}

/* Sleeping until each deadline in turn wakes everything, in few turns. */
static void test_deadlines_make_progress(void **state)
{
    static struct both b;
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        both_init(&b, seed * 1000003, seed);
        for (uint32_t i = 0; i < NODES; i++) {
            both_arm(&b, i, b.model.now + 1 + some_span(&b, 45));
        }
        unsigned turns = 0;
        for (weir_us at; (at = weiri_wheel_deadline(&b.wheel)) != WEIR_FOREVER; turns++) {
            assert_true(turns <= NODES * WEIRI_WHEEL_LEVELS);
            assert_true(at >= b.model.now);
            both_advance(&b, at);
            assert_true(weiri_wheel_deadline(&b.wheel) > at);
        }
        assert_int_equal(b.model.armed, 0);
    }
}

static void test_jump_of_days(void **state)
{
    static struct both b;
    const weir_us day = (weir_us)86400 * 1000000;
    (void)state;
    both_init(&b, 5, 7);
    for (uint32_t i = 0; i < NODES; i++) {
        both_arm(&b, i, 5 + i * day);
    }
    both_advance(&b, 5 + 25 * day);
    assert_int_equal(b.model.armed, NODES - 26);
    both_advance(&b, 5 + 50 * day);
    assert_int_equal(b.model.armed, NODES - 51);
    both_advance(&b, WEIR_FOREVER);
    assert_int_equal(b.model.armed, 0);
    both_compare(&b);
}

static void test_the_last_microseconds(void **state)
{
    static struct both b;
    (void)state;
    both_init(&b, 0, 1);
    both_arm(&b, 0, WEIR_FOREVER); /* never */
    assert_int_equal(b.wheel.armed, 0);
    both_arm(&b, 1, WEIR_FOREVER - 1);
    both_arm(&b, 2, (weir_us)1 << 63);
    both_compare(&b);
    both_advance(&b, WEIR_FOREVER - 2);
    assert_int_equal(b.wheel.armed, 1);
    both_advance(&b, WEIR_FOREVER - 1);
    assert_int_equal(b.wheel.armed, 0);
}

static void test_rearming_later_costs_nothing(void **state)
{
    static struct both b;
    (void)state;
    both_init(&b, 1000, 1);
    weiri_wheel_arm(&b.wheel, 3, 2000);
    weiri_wheel_arm(&b.wheel, 3, 900000);
    assert_true(b.nodes[3].at == 2000);
    weiri_wheel_arm(&b.wheel, 3, 1500);
    assert_true(b.nodes[3].at == 1500);
    assert_int_equal(b.wheel.armed, 1);
    assert_int_equal(weiri_wheel_due(&b.wheel, 1499), WEIRI_NONE);
    assert_int_equal(weiri_wheel_due(&b.wheel, 1500), 3);
    assert_int_equal(weiri_wheel_due(&b.wheel, 1500), WEIRI_NONE);
}

/* Many timers in one slot far ahead: the deadline is the beginning of their slot, found without looking at all of them. */
static void test_deadline_does_not_search(void **state)
{
    static struct both b;
    (void)state;
    both_init(&b, 0, 1);
    for (uint32_t i = 0; i < NODES; i++) {
        weiri_wheel_arm(&b.wheel, i, ((weir_us)5 << 36) + 1000 + i);
    }
    assert_true(weiri_wheel_deadline(&b.wheel) == (weir_us)5 << 36);
    assert_int_equal(weiri_wheel_due(&b.wheel, (weir_us)5 << 36), WEIRI_NONE);
    assert_true(weiri_wheel_deadline(&b.wheel) > (weir_us)5 << 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations),
        cmocka_unit_test(test_deadlines_make_progress),
        cmocka_unit_test(test_jump_of_days),
        cmocka_unit_test(test_the_last_microseconds),
        cmocka_unit_test(test_deadline_does_not_search),
        cmocka_unit_test(test_rearming_later_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
