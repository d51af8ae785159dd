/* test_verdict.c - every verdict has a name of its own and a sentence; numbers that are no verdict have words too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/weir.h"

static void names_are_distinct_and_plain(void **state)
{
    (void)state;
    for (int i = 0; i < WEIR_VERDICT_COUNT; i++) {
        const char *name = weir_verdict_name((enum weir_verdict)i);

        assert_true(strlen(name) >= 2 && strlen(name) <= 20);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        assert_string_not_equal(name, "unknown");
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, weir_verdict_name((enum weir_verdict)j));
    }
}

static void reasons_are_distinct_sentences(void **state)
{
    (void)state;
    for (int i = 0; i < WEIR_VERDICT_COUNT; i++) {
        const char *reason = weir_verdict_reason((enum weir_verdict)i);

        assert_true(strlen(reason) >= 9);
        assert_true(reason[0] >= 'A' && reason[0] <= 'Z');
        assert_int_equal(reason[strlen(reason) - 1], '.');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(reason, weir_verdict_reason((enum weir_verdict)j));
    }
}

static void some_by_name(void **state)
{
    (void)state;
    assert_string_equal(weir_verdict_name(WEIR_OK), "ok");
    assert_string_equal(weir_verdict_name(WEIR_TCP_CHECKSUM), "tcp-checksum");
    assert_string_equal(weir_verdict_name(WEIR_IN_TIME_WAIT), "in-time-wait");
    assert_non_null(strstr(weir_verdict_reason(WEIR_TCP_CHECKSUM), "MUST-3"));
}

static void no_verdict(void **state)
{
    (void)state;
    assert_string_equal(weir_verdict_name(WEIR_VERDICT_COUNT), "unknown");
    assert_string_equal(weir_verdict_reason(WEIR_VERDICT_COUNT), "No verdict has this number.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_distinct_and_plain),
        cmocka_unit_test(reasons_are_distinct_sentences),
        cmocka_unit_test(some_by_name),
        cmocka_unit_test(no_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
