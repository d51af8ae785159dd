/* rows.c - which rows of weir's state table are named by vectors, and fired by those that name them. */
#include <string.h>
#include <weir/weir.h>

#include "runner.h"

/* The row of "A6" or "A6@FIN-WAIT-1" is `name`. */
static bool rows_same(const char *word, const char *name)
{
    size_t len = strcspn(word, "@ ");
    return len == strlen(name) && strncmp(word, name, len) == 0;
}

static bool rows_named(const struct report_case *c, const char *name)
{
    for (const char **word = c->rows; word != NULL && *word != NULL; word++) {
        if (rows_same(*word, name)) {
            return true;
        }
    }
    return false;
}

static bool rows_fired(const struct report_case *c, const char *name)
{
    for (const char *at = c->outcome.rows; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (rows_same(at, name)) {
            return true;
        }
    }
    return false;
}

int rows_report(const struct report *r, FILE *out, bool only_open)
{
    int open = 0;
    for (unsigned row = 0; row < weir_row_count(); row++) {
        const char *name = weir_row_name(row);
        int named = 0, shown = 0, fired = 0;
        for (int i = 0; i < r->count; i++) {
            bool says = rows_named(&r->cases[i], name), does = rows_fired(&r->cases[i], name);
            named += says;
            fired += does;
            shown += says && does && report_verdict(&r->cases[i]) == REPORT_PASS;
        }
        open += shown == 0;
        if (shown == 0 || !only_open) {
            fprintf(out, "%-4s named by %d, fired by %d of them that pass, fired by %d in all%s (%s)\n", name, named, shown, fired,
                    shown > 0 ? "" : named == 0 ? "  NOT NAMED" : "  NOT FIRED", weir_row_section(row));
        }
    }
    return open;
}
