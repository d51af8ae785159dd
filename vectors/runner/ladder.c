/* ladder.c - a ladder as text for a terminal: time, the stack's state, the segments, the peer's state. */
#include "ladder.h"

#include <stdlib.h>
#include <string.h>

#include "packet_parts.h"

enum { TEXT_TIME = 12, TEXT_STATE = 13, TEXT_MIN = 72, TEXT_MAX = 160 };

struct text {
    FILE *out;
    int middle;      /* columns between the two lifelines */
    bool colour;
};

static void text_colour(const struct text *t, const char *code)
{
    if (t->colour)
        fprintf(t->out, "\x1b[%sm", code);
}

/* One row: what is not told is left blank; `middle` is at most as wide as there is room. */
static void text_row(const struct text *t, const char *time, const char *state, const char *middle, const char *colour, const char *peer)
{
    fprintf(t->out, "%*s  ", TEXT_TIME - 2, time);
    text_colour(t, "1");
    fprintf(t->out, "%-*.*s", TEXT_STATE, TEXT_STATE, state);
    text_colour(t, "0");
    fputc('|', t->out);
    if (*colour != 0)
        text_colour(t, colour);
    fprintf(t->out, "%-*.*s", t->middle, t->middle, middle);
    if (*colour != 0)
        text_colour(t, "0");
    fputc('|', t->out);
    if (*peer != 0) {
        text_colour(t, "1");
        fprintf(t->out, " %s", peer);
        text_colour(t, "0");
    }
    fputc('\n', t->out);
}

/* A text of any length over as many rows as it needs, broken at blanks or commas, `indent` columns in. */
static void text_wrapped(const struct text *t, const char *text, int indent, const char *colour)
{
    size_t room = (size_t)(t->middle - indent - 1), len = strlen(text);
    char row[TEXT_MAX + 1];

    while (len > 0) { /* ends: every turn takes an octet at least */
        size_t take = ladder_break(text, len, room);
        snprintf(row, sizeof row, "%*s%.*s", indent, "", (int)take, text);
        text_row(t, "", "", row, colour, "");
        text += take;
        len -= take;
    }
}

/* The line of a segment: dashes with the words in them, a head at the end that it reaches, X where it is lost. */
static void text_arrow(const struct text *t, char *row, const char *label, bool outbound, enum ladder_course course, bool missing)
{
    int width = t->middle, from = 0, to = width, len = (int)strlen(label);
    char dash = missing ? '.' : '-';

    memset(row, ' ', (size_t)width);
    row[width] = 0;
    if (course == LADDER_LOST)
        *(outbound ? &to : &from) = outbound ? width * 5 / 6 : width / 6;
    else if (course == LADDER_STRAY)
        *(outbound ? &from : &to) = outbound ? width / 6 : width * 5 / 6;
    memset(row + from, dash, (size_t)(to - from));
    if (outbound)
        row[to - 1] = course == LADDER_LOST ? 'X' : missing ? '?' : '>';
    else
        row[from] = course == LADDER_LOST ? 'X' : missing ? '?' : '<';
    if (len + 8 <= to - from) {
        int at = from + (to - from - len) / 2;
        memcpy(row + at, label, (size_t)len);
        row[at - 1] = row[at + len] = ' ';
    }
}

static void text_segment(const struct text *t, const struct ladder_step *step, const char *time)
{
    bool outbound = step->line->kind == RECORD_OUT;
    char row[TEXT_MAX + 1];
    bool fits = (int)strlen(step->label) + 8 <= t->middle * 5 / 6;

    if (!fits)
        text_wrapped(t, step->label, 2, "");
    text_arrow(t, row, fits ? step->label : "", outbound, step->course, false);
    text_row(t, time, step->state != NULL ? step->state : "", row, step->course == LADDER_LOST ? "31" : outbound ? "32" : "36",
             step->peer != NULL ? step->peer : "");
    if (step->options[0] != 0)
        text_wrapped(t, step->options, 4, "2");
}

static void text_missing(const struct text *t, const struct ladder_step *step, const char *time)
{
    char row[TEXT_MAX + 1];

    text_arrow(t, row, "expected, and did not come", true, LADDER_ARRIVES, true);
    text_row(t, time, step->state != NULL ? step->state : "", row, "31", "");
    if (step->line->expected[0] != 0)
        text_wrapped(t, step->line->expected, 2, "31");
    if (step->line->text[0] != 0)
        text_wrapped(t, step->line->text, 2, "31");
}

/* What the stack did by itself or was told to do: words behind its lifeline. */
static void text_other(const struct text *t, const struct ladder_step *step, const char *time)
{
    const struct record_line *line = step->line;
    char text[300], when[32], row[TEXT_MAX + 1];
    struct packet_text words = {text, sizeof text, 0};

    text[0] = 0;
    packet_text_add(&words, "%s%s%s%s", line->kind == RECORD_CALL ? "* " : "", line->timer_name, line->timer_name[0] != 0 ? " " : "",
                    line->text);
    if (line->kind == RECORD_TIMER && line->timer >= line->time)
        packet_text_add(&words, " (next in %s)", ladder_time(line->timer - line->time, when));
    if (strlen(text) + 2 <= (size_t)t->middle) {
        snprintf(row, sizeof row, " %.*s", t->middle - 1, text);
        text_row(t, time, step->state != NULL ? step->state : "", row, line->kind == RECORD_NOTE ? "33" : "", "");
    } else {
        text_row(t, time, step->state != NULL ? step->state : "", "", "", "");
        text_wrapped(t, text, 1, line->kind == RECORD_NOTE ? "33" : "");
    }
}

static void text_step(const struct text *t, const struct ladder_step *step)
{
    const struct record_line *line = step->line;
    char time[32] = "", wait[48], text[300];

    if (step->gap >= 10000) {
        snprintf(wait, sizeof wait, "%*s%s later", 2, "", ladder_time(step->gap, text));
        text_row(t, "", "", "", "", "");
        text_row(t, ":", "", wait, "2", "");
    }
    snprintf(time, sizeof time, "%lld.%06lld", (long long)(line->time / 1000000), (long long)(line->time % 1000000));
    if (line->kind == RECORD_MISS)
        text_missing(t, step, time);
    else if ((line->kind == RECORD_IN || line->kind == RECORD_OUT) && line->octets != NULL)
        text_segment(t, step, time);
    else
        text_other(t, step, time);
    if (line->remark[0] != 0) {
        snprintf(text, sizeof text, "// %s", line->remark);
        text_wrapped(t, text, 4, "33");
    }
    if (step->rows[0] != 0) {
        snprintf(text, sizeof text, "rows %s", step->rows);
        text_wrapped(t, text, 4, "2");
    }
}

void ladder_text(const struct record *record, const char *title, FILE *out, int width, bool colour)
{
    struct text t = {out, 0, colour};
    struct ladder ladder;

    width = width < TEXT_MIN ? TEXT_MIN : width > TEXT_MAX ? TEXT_MAX : width;
    t.middle = width - TEXT_TIME - 2 * TEXT_STATE - 3;
    if (!ladder_make(&ladder, record)) {
        fprintf(out, "(no memory for the ladder)\n");
        return;
    }
    if (title != NULL)
        fprintf(out, "%s\n\n", title);
    fprintf(out, "%*s  %-*s%*s %s\n", TEXT_TIME - 2, "s", TEXT_STATE, "stack", t.middle + 2, "", "peer");
    text_row(&t, "", ladder.state != NULL ? ladder.state : "", "", "", ladder.peer);
    for (int i = 0; i < ladder.count; i++)
        text_step(&t, &ladder.steps[i]);
    if (record->count == 0)
        text_row(&t, "", "", " (nothing happened)", "", "");
    ladder_free(&ladder);
}
