/* report_tap.c - the report as TAP 13. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* One line of text in which # has no meaning; at most to the first newline. */
static void tap_text(FILE *out, const char *text)
{
    char *clean = report_clean(text);
    for (const char *at = clean; *at != '\0' && *at != '\n'; at++) {
        if (*at == '#' || *at == '\\') {
            fputc('\\', out);
        }
        fputc(*at, out);
    }
    free(clean);
}

/* A YAML block; a text of several lines stands as it is. */
static void tap_detail(FILE *out, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    char *clean = report_clean(text);
    fprintf(out, "  %s: |\n", name);
    for (const char *at = clean; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        fprintf(out, "    %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
    free(clean);
}

static void tap_case(const struct report_case *c, int number, FILE *out)
{
    enum report_verdict v = report_verdict(c);
    bool good = v == REPORT_PASS || v == REPORT_UNSUPPORTED;
    fprintf(out, "%s %d - ", good ? "ok" : "not ok", number);
    tap_text(out, c->id);
    if (v == REPORT_UNSUPPORTED || v == REPORT_KNOWN) {
        fputs(v == REPORT_KNOWN ? " # TO" "DO " : " # SKIP ", out);
        tap_text(out, v == REPORT_KNOWN ? c->known_reason : c->outcome.reason);
    }
    fputc('\n', out);
    if (good || v == REPORT_KNOWN) {
        return;
    }
    fprintf(out, "  ---\n  verdict: %s\n", report_verdict_name(v));
    tap_detail(out, "section", c->section);
    tap_detail(out, "what", v == REPORT_UNEXPECTED ? c->known_reason : c->outcome.reason[0] != '\0' ? c->outcome.reason : c->outcome.taste);
    tap_detail(out, "facts", c->facts);
    fputs("  ...\n", out);
}

void report_tap(const struct report *r, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%d\n", r->count + r->unknown_known_count);
    for (int i = 0; i < r->count; i++) {
        tap_case(&r->cases[i], i + 1, out);
    }
    for (int i = 0; i < r->unknown_known_count; i++) {
        fprintf(out, "not ok %d - known failure that is no vector: ", r->count + i + 1);
        tap_text(out, r->unknown_known[i]);
        fputc('\n', out);
    }
}
