/* report.c - the outcomes of a run: what each counts as. The forms are in report_*.c. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

const char *const report_kind_names[3] = {"segment", "function", "scenario"};

enum report_verdict report_verdict(const struct report_case *c)
{
    switch (c->strict ? c->outcome.strict : c->outcome.semantic) {
    case OUTCOME_PASS: return c->known ? REPORT_UNEXPECTED : REPORT_PASS;
    case OUTCOME_FAIL: return c->known ? REPORT_KNOWN : REPORT_FAIL;
    case OUTCOME_DEAD: return c->known ? REPORT_KNOWN : REPORT_DEAD;
    case OUTCOME_UNSUPPORTED: return REPORT_UNSUPPORTED;
    case OUTCOME_BROKEN: break;
    }
    return REPORT_BROKEN;
}

const char *report_verdict_name(enum report_verdict v)
{
    static const char *const names[] = {"pass", "fail", "unsupported", "broken", "dead", "known", "unexpected"};
    return names[v];
}

struct report_case *report_add(struct report *r)
{
    if (r->count == r->cap) {
        int cap = r->cap == 0 ? 256 : r->cap * 2;
        struct report_case *more = realloc(r->cases, (size_t)cap * sizeof *more);
        if (more == NULL) {
            abort();
        }
        r->cases = more;
        r->cap = cap;
    }
    struct report_case *c = &r->cases[r->count++];
    *c = (struct report_case){0};
    return c;
}

static void report_forget(const char *text)
{
    union { const char *in; char *out; } text_of = {text};
    free(text_of.out);
}

void report_free(struct report *r)
{
    for (int i = 0; i < r->count; i++) {
        report_forget(r->cases[i].facts);
        if (r->cases[i].record != NULL) {
            record_free(r->cases[i].record);
            free(r->cases[i].record);
        }
    }
    free(r->cases);
    free(r->unknown_known);
    *r = (struct report){0};
}

/* The length of the good UTF-8 sequence at `at`, of a character that XML may hold too; 0: none. */
static size_t report_character(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return at[0] >= 0x20 || at[0] == '\n' ? at[0] != 0x7f : 0;
    }
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t code = at[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool good = at[0] >= 0xc2 && at[0] <= 0xf4 && code >= least[len] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return good && code != 0xfffe && code != 0xffff ? len : 0;
}

char *report_clean(const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text), used = 0;
    char *clean = malloc(len + 1);
    if (clean == NULL) {
        abort();
    }
    for (size_t at = 0; at < len;) {
        size_t n = report_character((const unsigned char *)text + at);
        if (n == 0) {
            clean[used++] = text[at] == '\t' ? ' ' : '?';
            at++;
        }
        for (; n > 0; n--) {
            clean[used++] = text[at++];
        }
    }
    clean[used] = '\0';
    return clean;
}
