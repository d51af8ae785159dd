/* test_report.c - what a case counts as, the forms for machines to the letter, and the lists of known failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <unistd.h>

#include "runner.h"
#include "weir/weir.h"

static const char *covers[] = {"MUST-1", "MUST-2", NULL};
static const char *rows[] = {"A6@FIN-WAIT-1", "R3", NULL};

/* One case of each verdict, in the order of enum report_verdict. */
static struct report example(void)
{
    static const struct { enum outcome_verdict strict, semantic; bool known; } of[] = {
        {OUTCOME_PASS, OUTCOME_PASS, false},   {OUTCOME_FAIL, OUTCOME_FAIL, false}, {OUTCOME_UNSUPPORTED, OUTCOME_UNSUPPORTED, false},
        {OUTCOME_BROKEN, OUTCOME_BROKEN, false}, {OUTCOME_DEAD, OUTCOME_DEAD, false}, {OUTCOME_FAIL, OUTCOME_FAIL, true},
        {OUTCOME_PASS, OUTCOME_PASS, true},
    };
    static const char *const ids[] = {"a/pass", "a/fail", "a/unsupported", "a/broken", "a/dead", "a/known", "a/unexpected"};
    struct report r = {.target = "weir", .command = "weir-vectors --ipv6", .seconds = 1.5};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct report_case *c = report_add(&r);
        c->kind = VECTOR_SCENARIO;
        c->id = ids[i];
        c->title = "what <is> \"shown\" & said";
        c->level = i % 2 == 0 ? "MUST" : "SHOULD";
        c->section = i < 4 ? "RFC 9293 3.10.1" : "RFC 9293 3.9; RFC 5961 3";
        c->family = i < 3 ? "some" : NULL;
        c->file = "x.pkt";
        c->line = (int)i + 1;
        c->covers = covers;
        c->rows = rows;
        c->known = of[i].known;
        c->known_reason = of[i].known ? "it has its #reasons" : NULL;
        c->outcome.strict = of[i].strict;
        c->outcome.semantic = of[i].semantic;
        if (of[i].strict != OUTCOME_PASS) {
            snprintf(c->outcome.reason, sizeof c->outcome.reason, "x.pkt:%d: needs #%s", (int)i, ids[i] + 2);
        }
        snprintf(c->outcome.rows, sizeof c->outcome.rows, "P3 R3");
        c->seconds = 0.25;
    }
    return r;
}

static const char *told(void (*tell)(const struct report *r, FILE *out), const struct report *r)
{
    static char said[65536];
    FILE *out = fmemopen(said, sizeof said, "w");
    assert_non_null(out);
    tell(r, out);
    fclose(out);
    return said;
}

static void test_verdicts(void **state)
{
    (void)state;
    struct report r = example();
    for (int i = 0; i < r.count; i++) {
        assert_int_equal(report_verdict(&r.cases[i]), i);
        assert_string_equal(report_verdict_name(report_verdict(&r.cases[i])), r.cases[i].id + 2);
    }
    struct report_case taste = {.outcome = {.strict = OUTCOME_FAIL, .semantic = OUTCOME_PASS}};
    assert_int_equal(report_verdict(&taste), REPORT_PASS);
    taste.strict = true;
    assert_int_equal(report_verdict(&taste), REPORT_FAIL);
    taste.known = true;
    assert_int_equal(report_verdict(&taste), REPORT_KNOWN);
    taste.outcome.strict = OUTCOME_UNSUPPORTED;
    assert_int_equal(report_verdict(&taste), REPORT_UNSUPPORTED);
    taste.outcome.strict = OUTCOME_BROKEN; /* a list excuses no broken vector */
    assert_int_equal(report_verdict(&taste), REPORT_BROKEN);
    report_free(&r);
}

static void test_tap(void **state)
{
    (void)state;
    struct report r = example();
    const char **unknown = calloc(1, sizeof *unknown);
    unknown[0] = "gone";
    r.unknown_known = unknown;
    r.unknown_known_count = 1;
    const char *text = told(report_tap, &r);
    assert_string_equal(text,
        "TAP version 13\n1..8\n"
        "ok 1 - a/pass\n"
        "not ok 2 - a/fail\n  ---\n  verdict: fail\n  section: |\n    RFC 9293 3.10.1\n  what: |\n    x.pkt:1: needs #fail\n  ...\n"
        "ok 3 - a/unsupported # SKIP x.pkt:2: needs \\#unsupported\n"
        "not ok 4 - a/broken\n  ---\n  verdict: broken\n  section: |\n    RFC 9293 3.10.1\n  what: |\n    x.pkt:3: needs #broken\n  ...\n"
        "not ok 5 - a/dead\n  ---\n  verdict: dead\n  section: |\n    RFC 9293 3.9; RFC 5961 3\n  what: |\n    x.pkt:4: needs #dead\n  ...\n"
        "not ok 6 - a/known # TO" "DO it has its \\#reasons\n"
        "not ok 7 - a/unexpected\n  ---\n  verdict: unexpected\n  section: |\n    RFC 9293 3.9; RFC 5961 3\n"
        "  what: |\n    it has its #reasons\n  ...\n"
        "not ok 8 - known failure that is no vector: gone\n");
    report_free(&r);
}

static char *file_of(bool (*tell)(const struct report *r, const char *path), const struct report *r)
{
    char path[] = "/tmp/weir-test-report-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(tell(r, path));
    size_t len;
    char *text = tree_file_text(path, &len);
    assert_non_null(text);
    unlink(path);
    return text;
}

static void test_junit(void **state)
{
    (void)state;
    struct report r = example();
    char *text = file_of(report_junit, &r);
    assert_non_null(strstr(text, "<testsuite name=\"weir\" tests=\"7\" failures=\"2\" errors=\"2\" skipped=\"2\" time=\"1.500\">"));
    assert_non_null(strstr(text, "name=\"a/pass\" file=\"x.pkt\" line=\"1\" time=\"0.250000\"/>"));
    assert_non_null(strstr(text, "<failure type=\"fail\" message=\"x.pkt:1: needs #fail\"/>"));
    assert_non_null(strstr(text, "<skipped message=\"x.pkt:2: needs #unsupported\"/>"));
    assert_non_null(strstr(text, "<error type=\"broken\" message=\"x.pkt:3: needs #broken\"/>"));
    assert_non_null(strstr(text, "<error type=\"dead\" message=\"x.pkt:4: needs #dead\"/>"));
    assert_non_null(strstr(text, "<skipped message=\"it has its #reasons\"/>"));
    assert_non_null(strstr(text, "<failure type=\"unexpected\" message=\"it has its #reasons\"/>"));
    free(text);
    snprintf(r.cases[1].outcome.reason, sizeof r.cases[1].outcome.reason, "<a href=\"x\">&\n\033\xff");
    text = file_of(report_junit, &r);
    assert_non_null(strstr(text, "message=\"&lt;a href=&quot;x&quot;&gt;&amp;&#10;??\"/>"));
    free(text);
    assert_false(report_junit(&r, "/nonexistent/x"));
    report_free(&r);
}

static void test_json(void **state)
{
    (void)state;
    struct report r = example();
    char *text = file_of(report_json, &r);
    json_t *all = json_loads(text, 0, NULL);
    assert_non_null(all);
    for (enum report_verdict v = REPORT_PASS; v <= REPORT_UNEXPECTED; v++) {
        assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "counts"), report_verdict_name(v))), 1);
    }
    json_t *cases = json_object_get(all, "cases"), *one = json_array_get(cases, 1);
    assert_int_equal(json_array_size(cases), 7);
    const char *id, *kind, *title, *level, *section, *family, *file, *verdict, *strict, *semantic, *reason, *cover, *named, *fired;
    int line;
    double seconds;
    assert_int_equal(json_unpack(one, "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[s,s!], s:[s,s!], s:[s,s!], s:s, s:s, s:s, s:s, s:f}", "id", &id,
        "kind", &kind, "title", &title, "level", &level, "section", &section, "family", &family, "file", &file, "line", &line, "covers", &cover,
        &cover, "rows_named", &named, &cover, "rows_fired", &fired, &fired, "verdict", &verdict, "strict", &strict, "semantic", &semantic,
        "reason", &reason, "seconds", &seconds), 0);
    assert_string_equal(id, "a/fail");
    assert_string_equal(kind, "scenario");
    assert_string_equal(title, "what <is> \"shown\" & said");
    assert_string_equal(level, "SHOULD");
    assert_string_equal(family, "some");
    assert_int_equal(line, 2);
    assert_string_equal(named, "A6@FIN-WAIT-1");
    assert_string_equal(fired, "R3");
    assert_string_equal(verdict, "fail");
    assert_string_equal(reason, "x.pkt:1: needs #fail");
    json_decref(all);
    free(text);
    assert_false(report_json(&r, "/nonexistent/x"));
    report_free(&r);
}

static void table_of(const struct report *r, FILE *out) { report_table(r, out, false, false); }

static void test_table(void **state)
{
    (void)state;
    struct report r = example();
    const char *text = told(table_of, &r);
    assert_non_null(strstr(text, "7 vectors (0 segments, 0 functions, 7 scenarios) on weir, 5 with families counted once, in 1.5 s\n"));
    assert_non_null(strstr(text, "RFC 9293 3.9 "));
    assert_non_null(strstr(strstr(text, "RFC 9293 3.9 "), "RFC 9293 3.10.1 ")); /* 3.10 comes after 3.9 */
    assert_non_null(strstr(text, "      1  needs #unsupported\n"));
    assert_non_null(strstr(text, "\nPASSES THOUGH LISTED a/unexpected\n"));
    assert_non_null(strstr(text, "\nfail a/fail\n  what <is>"));
    assert_non_null(strstr(text, "  again: weir-vectors --ipv6 a/fail\n"));
    assert_non_null(strstr(text, "\n4 of 7 vectors failed\n"));
    assert_null(strstr(text, "fail a/known"));
    char all[200];
    snprintf(all, sizeof all, "%-44s %-9s %7d %7d %8d %7d %12d %6d\n", "all", "", 7, 1, 0, 4, 1, 1);
    assert_non_null(strstr(text, all));
    report_free(&r);
}

static void test_clean(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"plain", "plain"}, {"a\nb", "a\nb"}, {"a\tb\r", "a b?"}, {"\033[1m\x7f", "?[1m?"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc3", "?"}, {"\xc0\x80", "??"}, {"\xe0\x80\x80", "???"}, {"\xed\xa0\x80", "???"}, {"\xf4\x90\x80\x80", "????"}, {"\xff\xfe", "??"},
        {"\xef\xbf\xbf", "???"}, {"\xe2\x82", "??"}, {"\xe2\x82x", "??x"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *clean = report_clean(pairs[i][0]);
        assert_string_equal(clean, pairs[i][1]);
        free(clean);
    }
    char *none = report_clean(NULL);
    assert_string_equal(none, "");
    free(none);
}

static bool known_of(struct known *k, const char *text, char *error, size_t cap)
{
    char path[] = "/tmp/weir-test-known-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    bool good = known_read(k, path, error, cap);
    unlink(path);
    return good;
}

static void test_known(void **state)
{
    (void)state;
    struct known k;
    char error[400];
    assert_true(known_of(&k, "# a comment\n\n b/two \t for a reason \r\na/one because # of it", error, sizeof error));
    assert_int_equal(k.count, 2);
    assert_string_equal(known_find(&k, "b/two")->reason, "for a reason");
    assert_string_equal(known_find(&k, "a/one")->reason, "because # of it");
    assert_int_equal(known_find(&k, "a/one")->line, 4);
    assert_null(known_find(&k, "a"));
    known_free(&k);
    assert_true(known_of(&k, "", error, sizeof error));
    assert_null(known_find(&k, "a"));
    known_free(&k);
    static const char *const bad[][2] = {
        {"a/one\n", ":1:1: 'a/one' has no reason"}, {"x y\na/one # a comment is no reason", ":2:1: 'a/one' has no reason"},
        {"a x\nb x\na x\n", ":3:1: 'a' stands in line 1 too"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(known_of(&k, bad[i][0], error, sizeof error));
        assert_non_null(strstr(error, bad[i][1]));
        known_free(&k);
    }
    assert_false(known_read(&k, "/nonexistent/list", error, sizeof error));
    assert_string_equal(error, "/nonexistent/list: No such file or directory");
    known_free(&k);
}

/* Every row of the table shown by one passing case; then one row named and not fired, one fired and not named. */
static void test_rows(void **state)
{
    (void)state;
    struct report r = {0};
    unsigned count = weir_row_count();
    const char *(*names)[2] = calloc(count, sizeof *names);
    for (unsigned i = 0; i < count; i++) {
        struct report_case *c = report_add(&r);
        names[i][0] = weir_row_name(i);
        c->rows = names[i];
        c->id = names[i][0];
        snprintf(c->outcome.rows, sizeof c->outcome.rows, "%s", names[i][0]);
    }
    FILE *out = fopen("/dev/null", "w");
    assert_int_equal(rows_report(&r, out, false), 0);
    r.cases[3].outcome.rows[0] = '\0';
    assert_int_equal(rows_report(&r, out, false), 1);
    names[5][0] = NULL;
    assert_int_equal(rows_report(&r, out, false), 2);
    r.cases[7].outcome.strict = r.cases[7].outcome.semantic = OUTCOME_FAIL; /* what fails shows nothing */
    assert_int_equal(rows_report(&r, out, false), 3);
    fclose(out);
    report_free(&r);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_junit),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
