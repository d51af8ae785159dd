/* report_junit.c - the report as JUnit's XML. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static void junit_text(FILE *out, const char *text)
{
    char *clean = report_clean(text);
    for (const char *at = clean; *at != '\0'; at++) {
        switch (*at) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\n': fputs("&#10;", out); break;
        default: fputc(*at, out);
        }
    }
    free(clean);
}

static void junit_attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    junit_text(out, value);
    fputc('"', out);
}

/* What a case has inside, if it did not simply pass. */
static void junit_inside(FILE *out, const struct report_case *c, enum report_verdict v)
{
    static const char *const elements[] = {NULL, "failure", "skipped", "error", "error", "skipped", "failure"};
    const char *what = v == REPORT_KNOWN || v == REPORT_UNEXPECTED ? c->known_reason :
                       c->outcome.reason[0] != '\0' ? c->outcome.reason : c->outcome.taste;
    fprintf(out, "   <%s", elements[v]);
    if (v != REPORT_UNSUPPORTED && v != REPORT_KNOWN) {
        junit_attribute(out, "type", report_verdict_name(v));
    }
    junit_attribute(out, "message", what);
    if (v == REPORT_UNSUPPORTED || v == REPORT_KNOWN || c->facts == NULL) {
        fputs("/>\n", out);
        return;
    }
    fputc('>', out);
    junit_text(out, c->facts);
    fprintf(out, "</%s>\n", elements[v]);
}

static void junit_case(FILE *out, const struct report_case *c)
{
    enum report_verdict v = report_verdict(c);
    fputs("  <testcase", out);
    junit_attribute(out, "classname", c->section != NULL ? c->section : report_kind_names[c->kind]);
    junit_attribute(out, "name", c->id);
    junit_attribute(out, "file", c->file);
    fprintf(out, " line=\"%d\" time=\"%.6f\"", c->line, c->seconds);
    if (v == REPORT_PASS) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n", out);
    junit_inside(out, c, v);
    fputs("  </testcase>\n", out);
}

static void junit_counts(FILE *out, const struct report *r)
{
    int failures = r->unknown_known_count, errors = 0, skipped = 0;
    for (int i = 0; i < r->count; i++) {
        enum report_verdict v = report_verdict(&r->cases[i]);
        failures += v == REPORT_FAIL || v == REPORT_UNEXPECTED;
        errors += v == REPORT_BROKEN || v == REPORT_DEAD;
        skipped += v == REPORT_UNSUPPORTED || v == REPORT_KNOWN;
    }
    fprintf(out, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" time=\"%.3f\"", r->count + r->unknown_known_count, failures,
            errors, skipped, r->seconds);
}

bool report_junit(const struct report *r, const char *path)
{
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
        return false;
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite", out);
    junit_attribute(out, "name", r->target);
    junit_counts(out, r);
    fputs(">\n", out);
    for (int i = 0; i < r->count; i++) {
        junit_case(out, &r->cases[i]);
    }
    for (int i = 0; i < r->unknown_known_count; i++) {
        fputs("  <testcase classname=\"known failures\"", out);
        junit_attribute(out, "name", r->unknown_known[i]);
        fputs(">\n   <failure type=\"unknown\" message=\"listed as a known failure, but no vector has this id\"/>\n  </testcase>\n", out);
    }
    fputs(" </testsuite>\n</testsuites>\n", out);
    bool good = !ferror(out);
    good = fclose(out) == 0 && good;
    if (!good) {
        fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
    }
    return good;
}
