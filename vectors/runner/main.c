/* main.c - weir-vectors: chooses vectors, has them run, has it told, and ends with 0, 1 or 2. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "explain.h"
#include "runner.h"

enum { MAIN_FINE, MAIN_FAILURES, MAIN_BAD };

static int main_say(const char *what)
{
    fprintf(stderr, "weir-vectors: %s\n", what);
    return MAIN_BAD;
}

/* ---- which vectors ---- */

/* The id itself, or a folder of ids. */
static bool main_below(const char *id, const char *wanted)
{
    size_t len = strlen(wanted);
    return strncmp(id, wanted, len) == 0 && (id[len] == '\0' || id[len] == '/' || (len > 0 && wanted[len - 1] == '/'));
}

static bool main_globs(const struct runner_options *o, const char *id)
{
    for (int i = 0; i < o->glob_count; i++) {
        if (fnmatch(o->globs[i], id, 0) == 0) {
            return true;
        }
    }
    return o->glob_count == 0;
}

/* Words that are files or folders are read; the others are ids, for which everything is. */
static bool main_read(const struct runner_options *o, struct tree *t, bool *whole, char *error, size_t cap)
{
    *whole = o->wanted_count == 0;
    for (int i = 0; i < o->wanted_count; i++) {
        if (access(o->wanted[i], F_OK) != 0) {
            *whole = true;
        } else if (!tree_read(t, o->wanted[i], error, cap)) {
            return false;
        }
    }
    for (int i = 0; i < t->count; i++) {
        t->vectors[i].chosen = true;
    }
    return !*whole || tree_read(t, o->vectors, error, cap);
}

static bool main_ids(const struct runner_options *o, struct tree *t)
{
    for (int i = 0; i < o->wanted_count; i++) {
        int found = 0;
        if (access(o->wanted[i], F_OK) == 0) {
            continue;
        }
        for (int v = 0; v < t->count; v++) {
            if (main_below(t->vectors[v].id, o->wanted[i])) {
                t->vectors[v].chosen = true;
                found++;
            }
        }
        if (found == 0) {
            fprintf(stderr, "weir-vectors: '%s' is neither a file nor the id of a vector in %s (weir-vectors --list)\n", o->wanted[i],
                    o->vectors);
            return false;
        }
    }
    return true;
}

/* Leaves in `chosen` what kind, globs and shard want; how many these are. */
static int main_narrow(const struct runner_options *o, struct tree *t)
{
    int nth = 0, left = 0;
    for (int i = 0; i < t->count; i++) {
        struct tree_vector *v = &t->vectors[i];
        v->chosen = (v->chosen || o->wanted_count == 0) && o->kinds[v->kind] && main_globs(o, v->id);
        if (v->chosen && o->shards > 0) {
            v->chosen = nth++ % o->shards == o->shard - 1;
        }
        left += v->chosen;
    }
    return left;
}

/* ---- --list ---- */

static int main_list_json(const struct tree *t)
{
    json_t *list = json_array();
    for (int i = 0; i < t->count; i++) {
        struct report_case c = {0};
        tree_describe(t, i, &c);
        if (t->vectors[i].chosen) {
            json_array_append_new(list, json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s, s:i}", "id", c.id, "kind",
                report_kind_names[c.kind], "title", c.title, "level", c.level, "section", c.section, "family", c.family, "file", c.file,
                "line", c.line));
        }
    }
    bool good = json_dumpf(list, stdout, JSON_INDENT(1)) == 0 && putchar('\n') != EOF;
    json_decref(list);
    return good ? MAIN_FINE : main_say("the list cannot be written");
}

static int main_list(const struct runner_options *o, const struct tree *t)
{
    if (o->list_json) {
        return main_list_json(t);
    }
    for (int i = 0; i < t->count; i++) {
        struct report_case c = {0};
        tree_describe(t, i, &c);
        if (t->vectors[i].chosen) {
            printf("%-8s  %s  %s\n", report_kind_names[c.kind], c.id, c.title != NULL ? c.title : "");
        }
    }
    return MAIN_FINE;
}

/* ---- run ---- */

/* Ids in the list of known failures that no vector has; judged only where all vectors were read. */
static void main_unknown(const struct known *known, const struct tree *t, struct report *r)
{
    r->unknown_known = calloc((size_t)known->count + 1, sizeof *r->unknown_known);
    for (int k = 0; k < known->count && r->unknown_known != NULL; k++) {
        int i = 0;
        while (i < t->count && strcmp(t->vectors[i].id, known->entries[k].id) != 0) {
            i++;
        }
        if (i == t->count) {
            r->unknown_known[r->unknown_known_count++] = known->entries[k].id;
        }
    }
}

static bool main_tell(const struct runner_options *o, const struct report *r)
{
    if (o->tap) {
        report_tap(r, stdout);
    } else {
        report_table(r, stdout, isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL, o->verbose);
    }
    bool good = fflush(stdout) == 0;
    good = (o->junit == NULL || report_junit(r, o->junit)) && good;
    good = (o->json == NULL || report_json(r, o->json)) && good;
    return (o->html == NULL || report_html(r, o->html)) && good;
}

static int main_exit(const struct report *r)
{
    int status = r->unknown_known_count > 0 ? MAIN_FAILURES : MAIN_FINE;
    for (int i = 0; i < r->count && status != MAIN_BAD; i++) {
        switch (report_verdict(&r->cases[i])) {
        case REPORT_BROKEN: status = MAIN_BAD; break;
        case REPORT_FAIL: case REPORT_DEAD: case REPORT_UNEXPECTED: status = MAIN_FAILURES; break;
        case REPORT_PASS: case REPORT_UNSUPPORTED: case REPORT_KNOWN: break;
        }
    }
    return status;
}

static int main_rows(const struct runner_options *o, const struct report *r)
{
    FILE *out = o->tap ? stderr : stdout;
    int open = rows_report(r, out, !o->rows);
    fprintf(out, "rows: %d not shown\n", open);
    return o->rows_gate && open > 0 ? MAIN_FAILURES : MAIN_FINE;
}

/* The speed of repeated runs: the time that the vectors took, not that of reading and telling. */
static void main_speed(const struct report *r)
{
    double seconds = 0;
    for (int i = 0; i < r->count; i++) {
        seconds += r->cases[i].seconds;
    }
    fprintf(stderr, "%.0f vectors a second on one core\n", seconds > 0 ? r->count / seconds : 0);
}

static int main_report(const struct runner_options *o, const struct tree *t, const struct known *known, struct report *r, bool whole)
{
    char error[4096] = "";
    if (whole) {
        main_unknown(known, t, r);
    }
    if (!run_vectors(o, t, known, r, error, sizeof error)) {
        fprintf(stderr, "weir-vectors: target %s: %s\n", o->target, error);
        return MAIN_BAD;
    }
    bool told = main_tell(o, r);
    int rows = o->rows || o->rows_gate ? main_rows(o, r) : MAIN_FINE;
    if (o->repeat > 1) {
        main_speed(r);
    }
    int status = main_exit(r);
    return !told ? MAIN_BAD : status > rows ? status : rows;
}

static int main_chosen(const struct runner_options *o, struct tree *t, const struct known *known, bool whole)
{
    int count = main_narrow(o, t);
    if (count == 0 && o->shards == 0) {
        return main_say("no vector is chosen (weir-vectors --list shows which there are)");
    }
    if (o->list) {
        return main_list(o, t);
    }
    char *command = options_command(o);
    struct report report = {.target = o->target, .profile = o->profile, .command = command};
    int status = main_report(o, t, known, &report, whole);
    report_free(&report);
    free(command);
    return status;
}

static int main_run(const struct runner_options *o)
{
    char error[4096] = "";
    struct tree tree = {0};
    struct known known = {0};
    bool whole, good = o->known == NULL || known_read(&known, o->known, error, sizeof error);
    good = good && main_read(o, &tree, &whole, error, sizeof error) && tree_sort(&tree, error, sizeof error);
    int status = MAIN_BAD;
    if (!good) {
        fprintf(stderr, "weir-vectors: %s\n", error);
    } else if (main_ids(o, &tree)) {
        status = main_chosen(o, &tree, &known, whole);
    }
    tree_free(&tree);
    known_free(&known);
    return status;
}

/* ---- check ---- */

static int main_check(const struct runner_options *o)
{
    int status = MAIN_FINE;
    for (int i = 0; i < o->wanted_count; i++) {
        char error[4096] = "";
        if (!tree_check(o->wanted[i], o->defines, o->define_count, error, sizeof error)) {
            fprintf(stderr, "%s\n", error);
            status = MAIN_BAD;
        }
    }
    return o->wanted_count == 0 ? main_say("check: which files?") : status;
}

int main(int argc, char **argv)
{
    static const char *const commands[] = {"run", "check", "rows", "explain"};
    size_t command = 0;
    bool named = false;
    for (size_t i = 0; i < sizeof commands / sizeof *commands && argc > 1 && !named; i++) {
        named = strcmp(argv[1], commands[i]) == 0;
        command = named ? i : 0;
    }
    if (command == 3) {
        return explain_main(argc - 1, argv + 1);
    }
    struct runner_options options;
    enum options_result read = options_parse(&options, argc - named, argv + named);
    int status = read == OPTIONS_DONE ? MAIN_FINE : MAIN_BAD;
    if (read == OPTIONS_RUN) {
        options.rows = options.rows || command == 2;
        status = command == 1 ? main_check(&options) : main_run(&options);
    }
    options_free(&options);
    return status;
}
