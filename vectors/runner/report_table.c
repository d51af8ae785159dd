/* report_table.c - the report for people: by RFC section and level, what is not supported and why, then each failure with its ladder. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

#include "report.h"

#define TABLE_LADDERS 10 /* failures that are drawn; the rest are one line each, unless all is wanted */
#define TABLE_REASONS 25 /* reasons of what is not supported */
#define TABLE_SECTION 44

/* A row of the table, or the sum of all. */
struct table_row {
    char section[TABLE_SECTION + 1];
    const char *level;
    int vectors, strict, meaning, failed, unsupported, known;
};
/* Something that several cases have in common, and how many. */
struct table_reason {
    char text[200];
    int count;
};

static bool table_is_bad(enum report_verdict v)
{
    return v == REPORT_FAIL || v == REPORT_BROKEN || v == REPORT_DEAD || v == REPORT_UNEXPECTED;
}

static void table_count(struct table_row *row, const struct report_case *c)
{
    enum report_verdict v = report_verdict(c);
    row->vectors++;
    row->strict += v == REPORT_PASS && c->outcome.strict == OUTCOME_PASS;
    row->meaning += v == REPORT_PASS && c->outcome.strict != OUTCOME_PASS;
    row->failed += table_is_bad(v);
    row->unsupported += v == REPORT_UNSUPPORTED;
    row->known += v == REPORT_KNOWN;
}

/* "3.10" comes after "3.9", and MUST before SHOULD before MAY. */
static int table_natural(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *a_end, *b_end;
            unsigned long x = strtoul(a, &a_end, 10), y = strtoul(b, &b_end, 10);
            if (x != y) {
                return x < y ? -1 : 1;
            }
            a = a_end;
            b = b_end;
        } else if (*a != *b) {
            break;
        } else {
            a++;
            b++;
        }
    }
    return (unsigned char)*a - (unsigned char)*b;
}

static int table_level(const char *level)
{
    static const char *const levels[] = {"MUST", "SHOULD", "MAY", "practice"};
    int i = 0;
    while (i < 4 && strcmp(level, levels[i]) != 0) {
        i++;
    }
    return i;
}

static int table_order(const void *a, const void *b)
{
    const struct table_row *x = a, *y = b;
    int by_section = table_natural(x->section, y->section);
    return by_section != 0 ? by_section : table_level(x->level) - table_level(y->level);
}

/* The first section that a case names. */
static void table_section(const struct report_case *c, char *text)
{
    const char *section = c->section != NULL && c->section[0] != '\0' ? c->section : "(no section)";
    size_t len = strcspn(section, ";,(\n");
    len = len == 0 ? strlen(section) : len;
    while (len > 0 && section[len - 1] == ' ') {
        len--;
    }
    snprintf(text, TABLE_SECTION + 1, "%.*s", (int)len, section);
}

static void table_add(struct table_row *rows, int *count, const struct report_case *c)
{
    char section[TABLE_SECTION + 1];
    const char *level = c->level != NULL ? c->level : "-";
    table_section(c, section);
    int i = 0;
    while (i < *count && (strcmp(rows[i].section, section) != 0 || strcmp(rows[i].level, level) != 0)) {
        i++;
    }
    if (i == *count) {
        rows[i] = (struct table_row){.level = level};
        memcpy(rows[i].section, section, sizeof section);
        (*count)++;
    }
    table_count(&rows[i], c);
}

static void table_print_row(FILE *out, const struct table_row *row)
{
    fprintf(out, "%-*s %-9s %7d %7d %8d %7d %12d %6d\n", TABLE_SECTION, row->section, row->level, row->vectors, row->strict,
            row->meaning, row->failed, row->unsupported, row->known);
}

static void table_sections(const struct report *r, FILE *out)
{
    struct table_row all = {.section = "all", .level = ""}, *rows = calloc((size_t)r->count + 1, sizeof *rows);
    int count = 0;
    for (int i = 0; i < r->count && rows != NULL; i++) {
        table_add(rows, &count, &r->cases[i]);
        table_count(&all, &r->cases[i]);
    }
    if (rows != NULL) {
        qsort(rows, (size_t)count, sizeof *rows, table_order);
    }
    fprintf(out, "%-*s %-9s %7s %7s %8s %7s %12s %6s\n", TABLE_SECTION, "section", "level", "vectors", "strict", "meaning", "failed",
            "unsupported", "known");
    for (int i = 0; i < count; i++) {
        table_print_row(out, &rows[i]);
    }
    table_print_row(out, &all);
    free(rows);
}

static int table_text_order(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* How many different families there are among the cases, and how many cases have one. */
static int table_families(const struct report *r, int *with_family)
{
    const char **names = calloc((size_t)r->count + 1, sizeof *names);
    int count = 0, different = 0;
    for (int i = 0; i < r->count && names != NULL; i++) {
        if (r->cases[i].family != NULL && r->cases[i].family[0] != '\0') {
            names[count++] = r->cases[i].family;
        }
    }
    if (count > 0) {
        qsort(names, (size_t)count, sizeof *names, table_text_order);
    }
    for (int i = 0; i < count; i++) {
        different += i == 0 || strcmp(names[i - 1], names[i]) != 0;
    }
    *with_family = count;
    free(names);
    return different;
}

static void table_head(const struct report *r, FILE *out)
{
    int kinds[3] = {0}, with_family, families = table_families(r, &with_family);
    for (int i = 0; i < r->count; i++) {
        kinds[r->cases[i].kind]++;
    }
    fprintf(out, "%d vectors (%d segments, %d functions, %d scenarios) on %s%s%s, %d with families counted once, in %.1f s\n\n", r->count,
            kinds[VECTOR_SEGMENT], kinds[VECTOR_FUNCTION], kinds[VECTOR_SCENARIO], r->target, r->profile != NULL ? ", profile " : "",
            r->profile != NULL ? r->profile : "", r->count - with_family + families, r->seconds);
}

/* The reason without the place where the script needed it. */
static void table_bare(const struct report_case *c, char *text, size_t cap)
{
    const char *reason = c->outcome.reason;
    size_t file = c->file != NULL ? strlen(c->file) : 0;
    if (file > 0 && strncmp(reason, c->file, file) == 0 && reason[file] == ':') {
        reason += file;
        while (*reason == ':' || isdigit((unsigned char)*reason)) {
            reason++;
        }
        reason += *reason == ' ';
    }
    snprintf(text, cap, "%.*s", (int)strcspn(reason, "\n"), reason);
}

static int table_most(const void *a, const void *b)
{
    const struct table_reason *x = a, *y = b;
    return x->count != y->count ? y->count - x->count : strcmp(x->text, y->text);
}

static void table_unsupported(const struct report *r, FILE *out, bool all)
{
    struct table_reason *reasons = calloc((size_t)r->count + 1, sizeof *reasons);
    int count = 0;
    for (int i = 0; i < r->count && reasons != NULL; i++) {
        if (report_verdict(&r->cases[i]) != REPORT_UNSUPPORTED) {
            continue;
        }
        char text[sizeof reasons->text];
        table_bare(&r->cases[i], text, sizeof text);
        int at = 0;
        while (at < count && strcmp(reasons[at].text, text) != 0) {
            at++;
        }
        if (at == count) {
            memcpy(reasons[count++].text, text, sizeof text);
        }
        reasons[at].count++;
    }
    if (count > 0) {
        qsort(reasons, (size_t)count, sizeof *reasons, table_most);
        fputs("\nnot supported:\n", out);
    }
    for (int i = 0; i < count && (all || i < TABLE_REASONS); i++) {
        fprintf(out, "%7d  %s\n", reasons[i].count, reasons[i].text);
    }
    if (count > TABLE_REASONS && !all) {
        fprintf(out, "         and %d other reasons (--verbose)\n", count - TABLE_REASONS);
    }
    free(reasons);
}

static void table_row_source(const char *row, FILE *out)
{
    for (unsigned i = 0; i < weir_row_count(); i++) {
        if (strcmp(weir_row_name(i), row) == 0) {
            fprintf(out, "  row:   %s (%s)\n", row, weir_row_section(i));
        }
    }
}

static void table_words(FILE *out, const char *name, const char **words)
{
    if (words != NULL && words[0] != NULL) {
        fprintf(out, "  %s", name);
        for (; *words != NULL; words++) {
            fprintf(out, " %s", *words);
        }
        fputc('\n', out);
    }
}

/* Lines of a text, each a little to the right. */
static void table_lines(FILE *out, const char *name, const char *text)
{
    for (bool first = true; text != NULL && *text != '\0'; first = false) {
        size_t len = strcspn(text, "\n");
        fprintf(out, "  %-6s %.*s\n", first ? name : "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void table_failure(const struct report *r, const struct report_case *c, FILE *out, bool colour, bool draw)
{
    enum report_verdict v = report_verdict(c);
    fprintf(out, "\n%s%s%s %s\n", colour ? "\033[1;31m" : "", v == REPORT_UNEXPECTED ? "PASSES THOUGH LISTED" : report_verdict_name(v),
            colour ? "\033[0m" : "", c->id);
    if (v == REPORT_UNEXPECTED) {
        fprintf(out, "  listed as a known failure: %s\n", c->known_reason);
        return;
    }
    if (c->title != NULL) {
        fprintf(out, "  %s\n", c->title);
    }
    if (c->section != NULL) {
        fprintf(out, "  %s, %s\n", c->level != NULL ? c->level : "no level", c->section);
    }
    table_words(out, "covers", c->covers);
    bool taste = c->outcome.semantic == OUTCOME_PASS;
    table_lines(out, "what:", c->outcome.reason[0] == '\0' && taste ? c->outcome.taste : c->outcome.reason);
    if (draw && c->record != NULL) {
        fputc('\n', out);
        ladder_text(c->record, NULL, out, 110, colour);
        fputc('\n', out);
    }
    if (draw) {
        table_row_source(c->outcome.row, out);
        table_lines(out, "facts:", c->facts);
    }
    fprintf(out, "  again: %s %s\n", r->command != NULL ? r->command : "weir-vectors",
            c->kind == VECTOR_SCENARIO && c->level == NULL ? c->file : c->id);
}

static void table_each(const struct report *r, FILE *out)
{
    fputc('\n', out);
    for (int i = 0; i < r->count; i++) {
        const struct report_case *c = &r->cases[i];
        enum report_verdict v = report_verdict(c);
        bool taste = v == REPORT_PASS && c->outcome.strict != OUTCOME_PASS;
        const char *why = taste ? c->outcome.taste : v == REPORT_KNOWN ? c->known_reason : v == REPORT_UNSUPPORTED ? c->outcome.reason : "";
        fprintf(out, "%-11s %8.3f ms  %s%s%s\n", taste ? "meaning" : report_verdict_name(v), c->seconds * 1e3, c->id,
                *why != '\0' ? ": " : "", why);
    }
}

void report_table(const struct report *r, FILE *out, bool colour, bool verbose)
{
    table_head(r, out);
    table_sections(r, out);
    table_unsupported(r, out, verbose);
    if (verbose) {
        table_each(r, out);
    }
    int drawn = 0;
    for (int i = 0; i < r->count; i++) {
        if (table_is_bad(report_verdict(&r->cases[i]))) {
            table_failure(r, &r->cases[i], out, colour, verbose || drawn < TABLE_LADDERS);
            drawn++;
        }
    }
    for (int i = 0; i < r->unknown_known_count; i++) {
        fprintf(out, "\nknown failure that is no vector: %s\n", r->unknown_known[i]);
    }
    if (drawn > 0 || r->unknown_known_count > 0) {
        fprintf(out, "\n%d of %d vectors failed\n", drawn, r->count);
    }
}
