/* cmocka.h - the part of cmocka's interface that weir's tests use, in one header, for where cmocka is not packaged.
 *
 * Used for cross targets (32-bit, big-endian) and for MSan, which must see every line instrumented. It prints what
 * cmocka prints, so that ci/test counts cases in one way everywhere. Natively the tests run under cmocka itself,
 * which keeps this header honest: what passes here and fails there is a defect of this file. It knows no mocks.
 */
#ifndef WEIR_PORTABLE_CMOCKA_H
#define WEIR_PORTABLE_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uintmax_t LargestIntegralType;
typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func, teardown_func;
    void *initial_state;
};

/* One for the whole program, however many files include this header. */
struct portable_run {
    jmp_buf out;
    int verdict; /* of the test that is running: enum portable_verdict */
};
enum portable_verdict { PORTABLE_OK, PORTABLE_FAILED, PORTABLE_SKIPPED };
extern struct portable_run portable_run;
__attribute__((weak)) struct portable_run portable_run;

__attribute__((format(printf, 1, 2), unused)) static void print_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

__attribute__((format(printf, 1, 2), unused)) static void print_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

__attribute__((noreturn, unused)) static void portable_stop(int verdict, const char *file, int line)
{
    fprintf(stderr, "[   LINE   ] --- %s:%d: %s\n", file, line, verdict == PORTABLE_SKIPPED ? "skipped" : "error: Failure!");
    portable_run.verdict = verdict;
    longjmp(portable_run.out, 1);
}

__attribute__((unused)) static void portable_true(int holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        portable_stop(PORTABLE_FAILED, file, line);
    }
}

__attribute__((unused)) static void portable_same(uintmax_t a, uintmax_t b, int wanted, const char *file, int line)
{
    if ((a == b) != wanted) {
        fprintf(stderr, "%#jx %s %#jx\n", a, wanted ? "!=" : "==", b);
        portable_stop(PORTABLE_FAILED, file, line);
    }
}

__attribute__((unused)) static void portable_range(uintmax_t v, uintmax_t low, uintmax_t high, int wanted, const char *file,
                                                   int line)
{
    if ((v >= low && v <= high) != wanted) {
        fprintf(stderr, "%ju is %s the range %ju-%ju\n", v, wanted ? "not within" : "within", low, high);
        portable_stop(PORTABLE_FAILED, file, line);
    }
}

__attribute__((unused)) static void portable_string(const char *a, const char *b, int wanted, const char *file, int line)
{
    if ((strcmp(a, b) == 0) != wanted) {
        fprintf(stderr, "\"%s\" %s \"%s\"\n", a, wanted ? "!=" : "==", b);
        portable_stop(PORTABLE_FAILED, file, line);
    }
}

__attribute__((unused)) static void portable_memory(const void *a, const void *b, size_t len, int wanted, const char *file,
                                                    int line)
{
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    size_t differ = 0;
    for (size_t i = 0; i < len; i++) {
        if (x[i] == y[i]) {
            continue;
        }
        differ++;
        if (wanted && differ <= 16) {
            fprintf(stderr, "difference at offset %zu 0x%02x 0x%02x\n", i, x[i], y[i]);
        }
    }
    if ((differ == 0) != wanted) {
        fprintf(stderr, "%zu octets of %zu differ\n", differ, len);
        portable_stop(PORTABLE_FAILED, file, line);
    }
}

#define assert_true(c) portable_true(!!(c), #c, __FILE__, __LINE__)
#define assert_false(c) portable_true(!(c), "!(" #c ")", __FILE__, __LINE__)
#define assert_non_null(p) portable_true((p) != NULL, #p " != NULL", __FILE__, __LINE__)
#define assert_null(p) portable_true((p) == NULL, #p " == NULL", __FILE__, __LINE__)
#define assert_ptr_equal(a, b) portable_true((const void *)(a) == (const void *)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b) portable_true((const void *)(a) != (const void *)(b), #a " != " #b, __FILE__, __LINE__)
#define assert_int_equal(a, b) portable_same((uintmax_t)(a), (uintmax_t)(b), 1, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) portable_same((uintmax_t)(a), (uintmax_t)(b), 0, __FILE__, __LINE__)
#define assert_in_range(v, low, high) \
    portable_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 1, __FILE__, __LINE__)
#define assert_not_in_range(v, low, high) \
    portable_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 0, __FILE__, __LINE__)
#define assert_string_equal(a, b) portable_string((a), (b), 1, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) portable_string((a), (b), 0, __FILE__, __LINE__)
#define assert_memory_equal(a, b, len) portable_memory((a), (b), (len), 1, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, len) portable_memory((a), (b), (len), 0, __FILE__, __LINE__)
#define fail() portable_stop(PORTABLE_FAILED, __FILE__, __LINE__)
#define fail_msg(...)                                       \
    do {                                                    \
        print_error("ERROR: " __VA_ARGS__);                 \
        print_error("\n");                                  \
        portable_stop(PORTABLE_FAILED, __FILE__, __LINE__); \
    } while (0)
#define skip() portable_stop(PORTABLE_SKIPPED, __FILE__, __LINE__)

#define cmocka_unit_test(f) \
    {                       \
        #f, f, NULL, NULL, NULL }
#define cmocka_unit_test_setup(f, setup) \
    {                                    \
        #f, f, setup, NULL, NULL }
#define cmocka_unit_test_teardown(f, teardown) \
    {                                          \
        #f, f, NULL, teardown, NULL }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    {                                                       \
        #f, f, setup, teardown, NULL }
#define cmocka_unit_test_prestate(f, state) \
    {                                       \
        #f, f, NULL, NULL, state }
#define cmocka_unit_test_prestate_setup_teardown(f, setup, teardown, state) \
    {                                                                       \
        #f, f, setup, teardown, state }

/* What runs between setjmp and longjmp; no local of it lives across the jump. */
__attribute__((unused)) static int portable_one(const struct CMUnitTest *t, void *group_state)
{
    void *state = t->initial_state != NULL ? t->initial_state : group_state;
    portable_run.verdict = PORTABLE_OK;
    if (setjmp(portable_run.out) == 0) {
        if (t->setup_func != NULL && t->setup_func(&state) != 0) {
            fprintf(stderr, "%s: the setup failed\n", t->name);
            return PORTABLE_FAILED;
        }
        t->test_func(&state);
        if (t->teardown_func != NULL && t->teardown_func(&state) != 0) {
            fprintf(stderr, "%s: the teardown failed\n", t->name);
            return PORTABLE_FAILED;
        }
    }
    return portable_run.verdict;
}

__attribute__((unused)) static int portable_group(const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
                                                  CMFixtureFunction teardown)
{
    static const char *const words[] = {"[       OK ]", "[  FAILED  ]", "[  SKIPPED ]"};
    size_t by_verdict[3] = {0, 0, 0};
    void *state = NULL;
    if (setup != NULL && setup(&state) != 0) {
        fprintf(stderr, "[  FAILED  ] GROUP SETUP\n");
        return 1;
    }
    fprintf(stderr, "[==========] Running %zu test(s).\n", count);
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "[ RUN      ] %s\n", tests[i].name);
        int verdict = portable_one(&tests[i], state);
        by_verdict[verdict]++;
        fprintf(stderr, "%s %s\n", words[verdict], tests[i].name);
    }
    if (teardown != NULL && teardown(&state) != 0) {
        fprintf(stderr, "[  FAILED  ] GROUP TEARDOWN\n");
        by_verdict[PORTABLE_FAILED]++;
    }
    fprintf(stderr, "[==========] %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", count, by_verdict[PORTABLE_OK]);
    return (int)by_verdict[PORTABLE_FAILED];
}

#define cmocka_run_group_tests(tests, setup, teardown) \
    portable_group(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) cmocka_run_group_tests(tests, setup, teardown)

#endif /* WEIR_PORTABLE_CMOCKA_H */
