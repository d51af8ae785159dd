/* record.c - keeps what happened in a scenario, line by line, for ladders. Decides nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "line.h"

static struct record_line *record_add(struct course *c, enum record_kind kind, int64_t when, int script_line)
{
    struct record *r = c->record;
    if (r == NULL) {
        return NULL;
    }
    if (r->count == r->cap) {
        const int cap = r->cap == 0 ? 32 : r->cap * 2;
        struct record_line *lines = realloc(r->lines, (size_t)cap * sizeof *lines);
        if (lines == NULL) {
            return NULL;
        }
        r->lines = lines;
        r->cap = cap;
    }
    struct record_line *line = &r->lines[r->count++];
    memset(line, 0, sizeof *line);
    line->kind = kind;
    line->time = when;
    line->script_line = script_line;
    line->timer = -1;
    return line;
}

/* The rows that were told last belong to one line only. */
static void record_rows(struct course *c, struct record_line *line)
{
    memcpy(line->rows, c->rows, sizeof line->rows);
    c->rows[0] = 0;
    line->state = c->state;
}

void record_take_octets(struct course *c, struct course_seen *seen, const uint8_t *octets, size_t len)
{
    seen->octets = c->record == NULL ? NULL : malloc(len);
    if (seen->octets != NULL) {
        memcpy(seen->octets, octets, len);
    }
}

void record_packet(struct course *c, const struct packet *p, const uint8_t *octets, uint32_t len, int64_t when, int line)
{
    struct record_line *l = record_add(c, p->outbound ? RECORD_OUT : RECORD_IN, when, line);
    uint8_t *copy = l == NULL || octets == NULL ? NULL : malloc(len);
    if (l == NULL) {
        return;
    }
    packet_print(p, &c->space, l->text, sizeof l->text);
    l->packet = *p;
    if (copy != NULL) {
        memcpy(copy, octets, len);
        l->octets = copy;
        l->len = len;
    }
    l->state = c->state;
}

static size_t record_value(const struct script_value *v, char *text, size_t cap, size_t at);

static size_t record_put(char *text, size_t cap, size_t at, const char *word)
{
    if (at < cap) {
        const int n = snprintf(text + at, cap - at, "%s", word);
        at += n > 0 ? (size_t)n : 0;
    }
    return at;
}

static size_t record_items(const struct script_value *v, char *text, size_t cap, size_t at, const char *between)
{
    for (int i = 0; i < v->item_count && at < cap; i++) {
        at = record_put(text, cap, at, i > 0 ? between : "");
        at = record_value(&v->items[i], text, cap, at);
    }
    return at;
}

/* As the script writes it, as far as there is room; nesting is bounded by the parser. */
static size_t record_value(const struct script_value *v, char *text, size_t cap, size_t at)
{
    char number[32];
    if (v->name != NULL) {
        at = record_put(text, cap, at, v->name);
        at = record_put(text, cap, at, "=");
    }
    switch (v->kind) {
    case SCRIPT_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)v->number);
        return record_put(text, cap, at, number);
    case SCRIPT_SYMBOL: return record_put(text, cap, at, v->text);
    case SCRIPT_STRING:
        at = record_put(text, cap, at, "\"");
        at = record_put(text, cap, at, v->text);
        return record_put(text, cap, at, "\"");
    case SCRIPT_ELLIPSIS: return record_put(text, cap, at, "...");
    case SCRIPT_OR: return record_items(v, text, cap, at, "|");
    case SCRIPT_LIST: return record_put(text, cap, record_items(v, text, cap, record_put(text, cap, at, "["), ", "), "]");
    case SCRIPT_STRUCT: return record_put(text, cap, record_items(v, text, cap, record_put(text, cap, at, "{"), ", "), "}");
    case SCRIPT_CALLED:
        at = record_put(text, cap, record_put(text, cap, at, v->text), "(");
        return record_put(text, cap, record_items(v, text, cap, at, ", "), ")");
    }
    return at;
}

void record_call(struct course *c, const struct script_event *event, answer a, bool begun)
{
    const struct script_call *call = event->call;
    struct record_line *l = record_add(c, RECORD_CALL, course_now(c), event->pos.line);
    char end[64];
    if (l == NULL) {
        return;
    }
    const char *name = a < 0 ? line_errno_name((int)-a) : NULL;
    size_t at = record_put(l->text, sizeof l->text, 0, call->name);
    at = record_put(l->text, sizeof l->text, at, "(");
    for (int i = 0; i < call->arg_count; i++) {
        at = record_put(l->text, sizeof l->text, at, i > 0 ? ", " : "");
        at = record_value(&call->args[i], l->text, sizeof l->text, at);
    }
    if (begun) {
        (void)snprintf(end, sizeof end, ")");
    } else if (a < 0) {
        (void)snprintf(end, sizeof end, ") = -1 %s", name == NULL ? "" : name);
    } else {
        (void)snprintf(end, sizeof end, ") = %lld", (long long)a);
    }
    if (call->result.kind == SCRIPT_STRING && a >= 0 && !begun) {
        (void)snprintf(end, sizeof end, ") = \"%.40s\"", call->result.text);
    }
    (void)record_put(l->text, sizeof l->text, at, end);
    record_rows(c, l);
}

void record_text(struct course *c, enum record_kind kind, const char *text, int line)
{
    struct record_line *l = record_add(c, kind, course_now(c), line);
    if (l != NULL) {
        (void)snprintf(l->text, sizeof l->text, "%s", text);
        record_rows(c, l);
    }
}

void record_miss(struct course *c, const char *expected, const char *seen, int line)
{
    struct record_line *l = record_add(c, RECORD_MISS, course_now(c), line);
    if (l != NULL) {
        (void)snprintf(l->expected, sizeof l->expected, "%.*s", (int)sizeof l->expected - 1, expected);
        (void)snprintf(l->text, sizeof l->text, "%.*s", (int)sizeof l->text - 1, seen);
    }
}

/* The line before it: where it took the state machine. */
void record_state(struct course *c)
{
    if (c->record != NULL && c->record->count > 0) {
        struct record_line *l = &c->record->lines[c->record->count - 1];
        if (l->rows[0] == 0) {
            record_rows(c, l);
        }
        l->state = c->state;
    }
}

void record_free(struct record *r)
{
    for (int i = 0; i < r->count; i++) {
        free((void *)(uintptr_t)r->lines[i].octets);
    }
    free(r->lines);
    memset(r, 0, sizeof *r);
}
