/* report_json.c - the report as JSON: what ci/trace.py and other machines read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "report.h"

static json_t *json_text(const char *text)
{
    if (text == NULL) {
        return json_null();
    }
    char *clean = report_clean(text);
    json_t *value = json_string(clean);
    free(clean);
    return value;
}

static json_t *json_words(const char **words)
{
    json_t *list = json_array();
    for (; words != NULL && *words != NULL; words++) {
        json_array_append_new(list, json_text(*words));
    }
    return list;
}

static json_t *json_split(const char *text)
{
    json_t *list = json_array();
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        json_array_append_new(list, json_stringn(text, len));
        text += len;
    }
    return list;
}

static const char *json_outcome(enum outcome_verdict v)
{
    static const char *const names[] = {"pass", "fail", "unsupported", "broken", "dead"};
    return names[v];
}

static json_t *json_case(const struct report_case *c)
{
    const struct outcome *o = &c->outcome;
    json_t *one = json_object();
    json_object_set_new(one, "id", json_text(c->id));
    json_object_set_new(one, "kind", json_text(report_kind_names[c->kind]));
    json_object_set_new(one, "title", json_text(c->title));
    json_object_set_new(one, "level", json_text(c->level));
    json_object_set_new(one, "section", json_text(c->section));
    json_object_set_new(one, "family", json_text(c->family));
    json_object_set_new(one, "file", json_text(c->file));
    json_object_set_new(one, "line", json_integer(c->line));
    json_object_set_new(one, "covers", json_words(c->covers));
    json_object_set_new(one, "needs", json_words(c->needs));
    json_object_set_new(one, "rows_named", json_words(c->rows));
    json_object_set_new(one, "rows_fired", json_split(o->rows));
    json_object_set_new(one, "verdict", json_text(report_verdict_name(report_verdict(c))));
    json_object_set_new(one, "strict", json_text(json_outcome(o->strict)));
    json_object_set_new(one, "semantic", json_text(json_outcome(o->semantic)));
    json_object_set_new(one, "reason", json_text(o->reason));
    json_object_set_new(one, "taste", json_text(o->taste));
    json_object_set_new(one, "row", json_text(o->row));
    json_object_set_new(one, "script_line", json_integer(o->line));
    json_object_set_new(one, "known_reason", json_text(c->known_reason));
    json_object_set_new(one, "facts", json_text(c->facts));
    json_object_set_new(one, "packets_in", json_integer(o->packets_in));
    json_object_set_new(one, "packets_out", json_integer(o->packets_out));
    json_object_set_new(one, "calls", json_integer(o->calls));
    json_object_set_new(one, "virtual_us", json_integer(o->virtual_us));
    json_object_set_new(one, "seconds", json_real(c->seconds));
    return one;
}

static json_t *json_counts(const struct report *r)
{
    json_t *counts = json_object();
    for (enum report_verdict v = REPORT_PASS; v <= REPORT_UNEXPECTED; v++) {
        int count = 0;
        for (int i = 0; i < r->count; i++) {
            count += report_verdict(&r->cases[i]) == v;
        }
        json_object_set_new(counts, report_verdict_name(v), json_integer(count));
    }
    return counts;
}

bool report_json(const struct report *r, const char *path)
{
    json_t *all = json_object(), *cases = json_array(), *unknown = json_array();
    for (int i = 0; i < r->count; i++) {
        json_array_append_new(cases, json_case(&r->cases[i]));
    }
    for (int i = 0; i < r->unknown_known_count; i++) {
        json_array_append_new(unknown, json_text(r->unknown_known[i]));
    }
    json_object_set_new(all, "format", json_integer(1));
    json_object_set_new(all, "target", json_text(r->target));
    json_object_set_new(all, "profile", json_text(r->profile));
    json_object_set_new(all, "seconds", json_real(r->seconds));
    json_object_set_new(all, "counts", json_counts(r));
    json_object_set_new(all, "unknown_known_failures", unknown);
    json_object_set_new(all, "cases", cases);
    bool to_stdout = strcmp(path, "-") == 0;
    int bad = to_stdout ? json_dumpf(all, stdout, JSON_INDENT(1)) : json_dump_file(all, path, JSON_INDENT(1));
    json_decref(all);
    if (bad != 0) {
        fprintf(stderr, "weir-vectors: %s: %s\n", path, strerror(errno));
    }
    return bad == 0;
}
