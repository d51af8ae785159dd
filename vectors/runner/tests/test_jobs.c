/* test_jobs.c - work in processes of its own: everything comes home once, and what dies is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "runner.h"

#define PIECES 300

struct seen {
    int collected[PIECES], dead[PIECES];
    char how[PIECES][160];
    size_t size;                 /* of each result */
    int kill_at, end_at, hang_at, cannot; /* pieces: i % 100 */
    int ticks;
};

static bool begin(void *self, char *why, size_t cap)
{
    struct seen *s = self;
    snprintf(why, cap, "nothing to begin with");
    return !s->cannot;
}

static void work(void *self, int index, struct jobs_bytes *result)
{
    struct seen *s = self;
    if (s->kill_at >= 0 && index % 100 == s->kill_at) {
        raise(SIGKILL);
    }
    if (s->end_at >= 0 && index % 100 == s->end_at) {
        _exit(3);
    }
    while (s->hang_at >= 0 && index == s->hang_at) {
        pause();
    }
    for (size_t i = 0; i < s->size; i++) {
        uint8_t octet = (uint8_t)(index + (int)i);
        jobs_put(result, &octet, 1);
    }
}

static void collect(void *self, int index, const uint8_t *data, size_t len)
{
    struct seen *s = self;
    assert_in_range(index, 0, PIECES - 1);
    assert_int_equal(len, s->size);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], (uint8_t)(index + (int)i));
    }
    s->collected[index]++;
}

static void dead(void *self, int index, const char *how)
{
    struct seen *s = self;
    assert_in_range(index, 0, PIECES - 1);
    s->dead[index]++;
    snprintf(s->how[index], sizeof s->how[index], "%s", how);
}

static void tick(void *self) { ((struct seen *)self)->ticks++; }

static bool run(struct seen *s, int count, int workers, char *why, size_t cap)
{
    struct jobs jobs = {.count = count, .workers = workers, .limit_seconds = 1, .self = s, .begin = begin, .work = work,
                        .collect = collect, .dead = dead, .tick = tick};
    return jobs_run(&jobs, why, cap);
}

static struct seen *fresh(void)
{
    static struct seen s;
    memset(&s, 0, sizeof s);
    s.size = 10;
    s.kill_at = s.end_at = s.hang_at = -1;
    return &s;
}

static void test_everything_once(void **state)
{
    (void)state;
    static const int workers[] = {0, 1, 2, 7};
    static const int counts[] = {0, 1, 2, PIECES};
    for (size_t w = 0; w < 4; w++) {
        for (size_t c = 0; c < 4; c++) {
            struct seen *s = fresh();
            char why[100];
            assert_true(run(s, counts[c], workers[w], why, sizeof why));
            for (int i = 0; i < PIECES; i++) {
                assert_int_equal(s->collected[i], i < counts[c]);
                assert_int_equal(s->dead[i], 0);
            }
        }
    }
}

static void test_big_results(void **state)
{
    (void)state;
    struct seen *s = fresh();
    char why[100];
    s->size = 300000;
    assert_true(run(s, 20, 3, why, sizeof why));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(s->collected[i], 1);
    }
}

static void test_the_dead_are_named(void **state)
{
    (void)state;
    for (int workers = 1; workers <= 3; workers++) {
        struct seen *s = fresh();
        char why[100];
        s->kill_at = 7;
        s->end_at = 99;
        assert_true(run(s, PIECES, workers, why, sizeof why));
        for (int i = 0; i < PIECES; i++) {
            bool dies = i % 100 == 7 || i % 100 == 99;
            assert_int_equal(s->collected[i], !dies);
            assert_int_equal(s->dead[i], dies);
        }
        assert_non_null(strstr(s->how[107], "signal 9"));
        assert_non_null(strstr(s->how[199], "ended with 3"));
    }
}

static void test_a_piece_without_end(void **state)
{
    (void)state;
    struct seen *s = fresh();
    char why[100];
    s->hang_at = 5;
    assert_true(run(s, 20, 2, why, sizeof why));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(s->collected[i], i != 5);
        assert_int_equal(s->dead[i], i == 5);
    }
    assert_string_equal(s->how[5], "no end after 1 s");
    assert_true(s->ticks > 0);
}

static void test_that_cannot_begin(void **state)
{
    (void)state;
    for (int workers = 0; workers <= 2; workers++) {
        struct seen *s = fresh();
        char why[100] = "";
        s->cannot = 1;
        assert_false(run(s, 20, workers, why, sizeof why));
        assert_string_equal(why, "nothing to begin with");
        for (int i = 0; i < 20; i++) {
            assert_int_equal(s->collected[i] + s->dead[i], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_once),
        cmocka_unit_test(test_big_results),
        cmocka_unit_test(test_the_dead_are_named),
        cmocka_unit_test(test_a_piece_without_end),
        cmocka_unit_test(test_that_cannot_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
