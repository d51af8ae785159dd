/* test_expr.c - the code of %{ }%: what holds, what does not and how it is said, what is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"

static struct expr *facts(void)
{
    struct expr *e = expr_new();
    assert_non_null(e);
    expr_set_int(e, "tcpi_snd_cwnd", 4);
    expr_set_int(e, "tcpi_state", 1);
    expr_set_int(e, "tcpi_options", 7);
    expr_set_int(e, "zero", 0);
    expr_set_text(e, "name", "cubic");
    return e;
}

struct row {
    const char *code;
    enum expr_result result;
    const char *why; /* the whole message; NULL: none */
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char why[300];
        struct expr *e = facts();
        enum expr_result result = expr_run(e, rows[i].code, why, sizeof why);
        expr_free(e);
        if (result != rows[i].result || strcmp(why, rows[i].why != NULL ? rows[i].why : "") != 0) {
            fail_msg("%s\ngave %d \"%s\"\nwanted %d \"%s\"", rows[i].code, result, why, rows[i].result, rows[i].why);
        }
    }
}
#define CHECK(ROWS) check_rows(ROWS, sizeof(ROWS) / sizeof((ROWS)[0]))

static void test_what_holds(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"", EXPR_OK, NULL},
        {" assert tcpi_snd_cwnd == 4 ", EXPR_OK, NULL},
        {"assert tcpi_snd_cwnd == 4, 'cwnd=%d' % tcpi_snd_cwnd", EXPR_OK, NULL},
        {"assert tcpi_snd_cwnd == 4, tcpi_unknown", EXPR_OK, NULL},
        {"\n  # a comment\n  assert 1 < 2 <= 2 != 3; assert 3 > 2 >= 2 # after it\n\n", EXPR_OK, NULL},
        {"assert (tcpi_snd_cwnd\n == 4 and\n tcpi_state == TCP_ESTABLISHED)", EXPR_OK, NULL},
        {"assert tcpi_state == \\\n 1", EXPR_OK, NULL},
        {"assert (tcpi_options & TCPI_OPT_SACK) != 0 and not tcpi_options & TCPI_OPT_ECN", EXPR_OK, NULL},
        {"assert tcpi_state in (7, 1) and tcpi_state not in [2, 3] and tcpi_state in (1,)", EXPR_OK, NULL},
        {"assert name == 'cubic' and \"ub\" in name and name + '2' == \"cubic2\"", EXPR_OK, NULL},
        {"assert 2 + 3 * 4 == 14 and (2 + 3) * 4 == 20 and 2 ** 3 ** 2 == 512 and -2 ** 2 == -4", EXPR_OK, NULL},
        {"assert 7 // 2 == 3 and -7 // 2 == -4 and -7 % 3 == 2 and 7 / 2 == 3.5 and 7.5 // 2 == 3", EXPR_OK, NULL},
        {"assert 1 << 4 | 1 == 17 and 6 ^ 3 == 5 and ~5 == -6 and 0xFF >> 4 == 15", EXPR_OK, NULL},
        {"assert abs(-3) == 3 and min(3, 1, 2) == 1 and max((3, 1)) == 3 and int(3.9) == 3 and round(2.6) == 3", EXPR_OK, NULL},
        {"assert 1e3 == 1000 and .5 + .5 == 1 and 1.5 < 2", EXPR_OK, NULL},
        {"x = 4\nx += 2; x *= 3; x -= 1; x //= 2; x %= 5; x <<= 2; x |= 1\nassert x == 13", EXPR_OK, NULL},
        {"assert zero == 0 or no_such_name", EXPR_OK, NULL},
        {"assert not (zero and no_such_name)", EXPR_OK, NULL},
        {"assert zero is not None and None is None", EXPR_OK, NULL},
        {"print 'cwnd', tcpi_snd_cwnd\nprint('%d' % 3)\npass", EXPR_OK, NULL},
        {"assert True and not False, 'fine'", EXPR_OK, NULL},
        {"assert -9223372036854775807 - 1 < 0 and (-9223372036854775807 - 1) % -1 == 0", EXPR_OK, NULL},
    };
    CHECK(rows);
}

static void test_what_does_not(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"assert tcpi_snd_cwnd == 10", EXPR_ASSERTION, "assert tcpi_snd_cwnd == 10: 10 expected, 4 seen"},
        {"assert  tcpi_snd_cwnd\t>=  10 ", EXPR_ASSERTION, "assert tcpi_snd_cwnd >= 10: 4 seen, not >= 10"},
        {"assert tcpi_snd_cwnd == 10, 'cwnd=%d' % tcpi_snd_cwnd", EXPR_ASSERTION,
         "assert tcpi_snd_cwnd == 10: 10 expected, 4 seen (cwnd=4)"},
        {"assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd", EXPR_ASSERTION, "assert tcpi_snd_cwnd == 10: 10 expected, 4 seen"},
        {"assert 0, '%d%% of %s' % (7, name)", EXPR_ASSERTION, "assert 0: it is 0 (7% of cubic)"},
        {"assert 1 < 3 < 2", EXPR_ASSERTION, "assert 1 < 3 < 2: 3 seen, not < 2"},
        {"assert tcpi_state in (7, 8)", EXPR_ASSERTION, "assert tcpi_state in (7, 8): 1 seen, not in (7, 8)"},
        {"assert name != 'cubic'", EXPR_ASSERTION, "assert name != 'cubic': cubic seen, not != cubic"},
        {"assert not tcpi_state", EXPR_ASSERTION, "assert not tcpi_state: it is 0"},
        {"assert tcpi_state == 1 and tcpi_snd_cwnd / 8 == 1", EXPR_ASSERTION,
         "assert tcpi_state == 1 and tcpi_snd_cwnd / 8 == 1: 1 expected, 0.5 seen"},
        {"x = 1\nassert x == 2\nassert no_such_name", EXPR_ASSERTION, "assert x == 2: 2 expected, 1 seen"},
    };
    CHECK(rows);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"assert tcpi_pacing_rate == 1", EXPR_UNSUPPORTED, "tcpi_pacing_rate: the target does not tell it"},
        {"assert bbr_mode == 1", EXPR_UNSUPPORTED, "bbr_mode: the target does not tell it"},
        {"if tcpi_state: pass", EXPR_UNSUPPORTED, "Python's \"if\""},
        {"import os", EXPR_UNSUPPORTED, "Python's \"import\""},
        {"x = 1 if zero else 2", EXPR_UNSUPPORTED, "Python's \"if\" in an expression"},
        {"x = name.upper()", EXPR_UNSUPPORTED, "Python's \".\" after a value"},
        {"x = name[0]", EXPR_UNSUPPORTED, "Python's \"[\" after a value"},
        {"x = len(name)", EXPR_UNSUPPORTED, "the function len of these arguments"},
        {"x = (1, 2)", EXPR_UNSUPPORTED, "a tuple or list kept in a variable"},
        {"x = 9223372036854775807 + 1", EXPR_UNSUPPORTED, "a number of more than 64 bits"},
        {"x = 99999999999999999999", EXPR_UNSUPPORTED, "a number of more than 64 bits"},
        {"x = (-9223372036854775807 - 1) // -1", EXPR_UNSUPPORTED, "a number of more than 64 bits"},
        {"x = 3 ** 99", EXPR_UNSUPPORTED, "a number of more than 64 bits"},
        {"x = int(1e30)", EXPR_UNSUPPORTED, "a number of more than 64 bits"},
        {"assert no_such_name == 1", EXPR_BROKEN, "no_such_name is not defined"},
        {"x += 1", EXPR_BROKEN, "x is not defined"},
        {"assert", EXPR_BROKEN, "a value is missing"},
        {"assert 1 +", EXPR_BROKEN, "a value is missing"},
        {"assert 1 ==== 1", EXPR_BROKEN, "a value expected at \"== 1\""},
        {"assert (1", EXPR_BROKEN, ") is missing"},
        {"assert (1 2)", EXPR_BROKEN, ") is missing"},
        {"assert 1 2", EXPR_BROKEN, "assert 1: \"2\" is not understood"},
        {"assert 'open", EXPR_BROKEN, "a text that does not end"},
        {"assert 12abc", EXPR_BROKEN, "a number that goes on as a word: 12abc"},
        {"assert 0x", EXPR_BROKEN, "a number without digits"},
        {"assert 1 / zero", EXPR_BROKEN, "a division by 0"},
        {"assert 1 % 0", EXPR_BROKEN, "a division by 0"},
        {"assert 1.0 / 0", EXPR_BROKEN, "a division by 0"},
        {"assert 1 << 63", EXPR_BROKEN, "a shift by 63"},
        {"assert 1 in 2", EXPR_BROKEN, "\"in\" what is no list"},
        {"assert 'a' < 1", EXPR_BROKEN, "< between what has no order"},
        {"assert 'a' * 2", EXPR_BROKEN, "* of what is no number"},
    };
    CHECK(rows);
}

/* Variables live on from block to block; facts are renewed. */
static void test_kept(void **state)
{
    (void)state;
    char why[100];
    struct expr *e = facts();
    assert_int_equal(expr_run(e, "before = tcpi_snd_cwnd; said = name", why, sizeof why), EXPR_OK);
    expr_set_int(e, "tcpi_snd_cwnd", 6);
    expr_set_text(e, "name", "reno");
    assert_int_equal(expr_run(e, "assert tcpi_snd_cwnd == before + 2 and said == 'cubic' and name == 'reno'", why, sizeof why), EXPR_OK);
    assert_int_equal(expr_run(e, "assert before == 6", why, sizeof why), EXPR_ASSERTION);
    expr_free(e);
}

/* However deep or long: an answer. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const units[] = {"(", "-", "not ", "[", "1+(", "1**", "a=", "abs(", "x and ", "'x'+", "1,", "~", "\\\n", "#", "0.", "9"};
    char *code = malloc(100001);
    assert_non_null(code);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t n = 0, unit = strlen(units[i]);
        for (; n + unit <= 100000; n += unit) {
            memcpy(code + n, units[i], unit);
        }
        code[n] = 0;
        char why[40];
        struct expr *e = facts();
        memset(why, 'x', sizeof why);
        expr_run(e, code, why, sizeof why);
        assert_non_null(memchr(why, 0, sizeof why));
        expr_free(e);
    }
    free(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_holds),   cmocka_unit_test(test_what_does_not), cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_kept),         cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
