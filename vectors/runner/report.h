/* report.h - the outcomes of a run, and the forms in which they are told. */
#ifndef WEIR_VECTORS_REPORT_H
#define WEIR_VECTORS_REPORT_H

#include <stdio.h>

#include "scenario.h"

enum vector_kind { VECTOR_SEGMENT, VECTOR_FUNCTION, VECTOR_SCENARIO };

/* One vector and what became of it. Text is owned by the report. */
struct report_case {
    enum vector_kind kind;
    const char *id, *title, *level, *section, *family, *file; /* family NULL: by itself */
    int line;                    /* of the vector in its file */
    const char **covers, **rows, **needs; /* end with NULL; may be NULL */
    struct outcome outcome;
    bool known;                  /* stands in the list of known failures, with this reason */
    const char *known_reason;
    bool strict;                 /* only what is the same to the letter passes */
    const char *facts;           /* of a failure: what the target says about its connections, one line each; NULL */
    struct record *record;       /* of a scenario that failed, or of all with --html; NULL otherwise */
    double seconds;
};
struct report {
    struct report_case *cases;
    int count, cap;
    const char *target, *target_detail, *profile;
    const char *command;         /* "weir-vectors --target kernel": with an id behind it, it runs that one again */
    double seconds;
    const char **unknown_known;  /* ids in the list of known failures that are no vector */
    int unknown_known_count;
};

/* What a case counts as: a known failure that failed as listed is KNOWN, one that passed is UNEXPECTED. */
enum report_verdict { REPORT_PASS, REPORT_FAIL, REPORT_UNSUPPORTED, REPORT_BROKEN, REPORT_DEAD, REPORT_KNOWN, REPORT_UNEXPECTED };
enum report_verdict report_verdict(const struct report_case *c);
const char *report_verdict_name(enum report_verdict v);

struct report_case *report_add(struct report *r);
/* A copy of `text` (NULL: "") that any form can hold: good UTF-8 without control characters but newline. To be freed. */
char *report_clean(const char *text);
extern const char *const report_kind_names[3];
void report_free(struct report *r);

/* The forms. report_table is for people: by RFC section and level, families counted once besides, failures last with their ladders. */
void report_table(const struct report *r, FILE *out, bool colour, bool verbose);
void report_tap(const struct report *r, FILE *out);
bool report_junit(const struct report *r, const char *path);
bool report_json(const struct report *r, const char *path);
/* index.html, a page for each scenario (ladder as SVG) and a pcapng for each beside it, in folder `path`. */
bool report_html(const struct report *r, const char *path);

/* ladder.c: a scenario as a ladder. `title` NULL: none. Text for a terminal `width` columns wide, or SVG. */
void ladder_text(const struct record *record, const char *title, FILE *out, int width, bool colour);
void ladder_svg(const struct record *record, const char *title, FILE *out);

#endif
