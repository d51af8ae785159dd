/* vector_json.c - a file of JSON vectors: read whole, its heads checked, each vector's line found, answers compared. */
#include "vector_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool vector_bad(const struct vector_place *place, const char *member, const char *what)
{
    if (place->index < 0) {
        snprintf(place->error, place->cap, "%s: $%s%s: %s", place->file, member[0] != '\0' ? "." : "", member, what);
    } else {
        snprintf(place->error, place->cap, "%s:%d: $.vectors[%d]%s%s: %s", place->file, place->line, place->index,
                 member[0] != '\0' ? "." : "", member, what);
    }
    return false;
}

/* ---- reading ---- */

static char *json_text(const char *path, char *error, size_t cap)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t len = 0, got = 1;
    while (file != NULL && got > 0) {
        char *more = realloc(text, len + 65537);
        if (more == NULL) {
            break;
        }
        text = more;
        got = fread(text + len, 1, 65536, file);
        len += got;
        text[len] = '\0';
    }
    bool ok = file != NULL && got == 0 && !ferror(file) && strlen(text) == len;
    if (!ok) {
        snprintf(error, cap, "%s: %s", path, file == NULL || ferror(file) ? strerror(errno) : "a 0 octet, or no memory");
        free(text);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return ok ? text : NULL;
}

static const char *json_word(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return json_is_string(value) && json_string_length(value) > 0 ? json_string_value(value) : NULL;
}

static bool json_level(const char *level)
{
    return strcmp(level, "MUST") == 0 || strcmp(level, "SHOULD") == 0 || strcmp(level, "MAY") == 0 || strcmp(level, "practice") == 0;
}

static bool json_covers(struct vector_item *item, const struct vector_place *place)
{
    const json_t *covers = json_object_get(item->body, "covers");
    size_t count = json_array_size(covers);
    if (!json_is_array(covers)) {
        return vector_bad(place, "covers", "is not a list");
    }
    item->covers = calloc(count + 1, sizeof *item->covers);
    if (item->covers == NULL) {
        return vector_bad(place, "covers", "no memory");
    }
    for (size_t i = 0; i < count; i++) {
        item->covers[i] = json_string_value(json_array_get(covers, i));
        if (item->covers[i] == NULL) {
            return vector_bad(place, "covers", "has something that is not a word");
        }
    }
    return true;
}

static bool json_head(struct vector_item *item, const struct vector_place *place)
{
    static const char *const members[] = {"id", "comment", "level", "section"};
    const char **fields[] = {&item->id, &item->comment, &item->level, &item->section};
    for (size_t i = 0; i < 4; i++) {
        *fields[i] = json_word(item->body, members[i]);
        if (*fields[i] == NULL) {
            return vector_bad(place, members[i], "is missing, empty, or no text");
        }
    }
    if (!json_level(item->level)) {
        return vector_bad(place, "level", "is none of MUST, SHOULD, MAY, practice");
    }
    if (json_object_get(item->body, "family") != NULL && json_word(item->body, "family") == NULL) {
        return vector_bad(place, "family", "is empty, or no text");
    }
    item->family = json_word(item->body, "family");
    return json_covers(item, place);
}

/* Lines are found by the texts of the ids, in their order: jansson does not keep them. */
struct json_lines {
    const char *at;
    int line;
};

static int json_line(struct json_lines *lines, const char *id)
{
    char quoted[300];
    snprintf(quoted, sizeof quoted, "\"%.290s\"", id);
    const char *found = strstr(lines->at, quoted);
    for (; found != NULL && lines->at < found; lines->at++) {
        lines->line += *lines->at == '\n';
    }
    return lines->line;
}

static bool json_item(struct vector_data *data, int index, struct json_lines *lines, vector_shape *shape, struct vector_place *place)
{
    struct vector_item *item = &data->items[index];
    item->body = json_array_get(json_object_get(data->root, "vectors"), (size_t)index);
    const char *id = json_word(item->body, "id");
    place->index = index;
    place->line = item->line = id != NULL ? json_line(lines, id) : lines->line;
    if (!json_is_object(item->body)) {
        return vector_bad(place, "", "is not an object");
    }
    return json_head(item, place) && shape(item->body, place);
}

static bool json_items(struct vector_data *data, const char *text, const char *format, vector_shape *shape, struct vector_place *place)
{
    struct json_lines lines = {text, 1};
    const json_t *vectors = json_object_get(data->root, "vectors");
    const char *is = json_word(data->root, "format");
    if (is == NULL || strcmp(is, format) != 0) {
        char what[200];
        snprintf(what, sizeof what, "is %.80s, not %s", is != NULL ? is : "missing or no text", format);
        return vector_bad(place, "format", what);
    }
    if (!json_is_array(vectors) || json_array_size(vectors) == 0) {
        return vector_bad(place, "vectors", "is not a list, or an empty one");
    }
    data->count = (int)json_array_size(vectors);
    data->items = calloc((size_t)data->count, sizeof *data->items);
    if (data->items == NULL) {
        return vector_bad(place, "vectors", "no memory");
    }
    for (int i = 0; i < data->count; i++) {
        if (!json_item(data, i, &lines, shape, place)) {
            return false;
        }
    }
    return true;
}

struct vector_file *vector_json_read(const char *path, enum vector_kind kind, const char *format, vector_shape *shape, char *error,
                                     size_t cap)
{
    json_error_t syntax;
    struct vector_place place = {path, 0, -1, error, cap};
    char *text = json_text(path, error, cap);
    if (text == NULL) {
        return NULL;
    }
    struct vector_file *file = calloc(1, sizeof *file);
    struct vector_data *data = calloc(1, sizeof *data);
    char *name = strdup(path);
    if (file == NULL || data == NULL || name == NULL) {
        snprintf(error, cap, "%s: no memory", path);
        free(text);
        free(file);
        free(data);
        free(name);
        return NULL;
    }
    *file = (struct vector_file){name, kind, data};
    data->root = json_loads(text, JSON_REJECT_DUPLICATES, &syntax);
    bool ok = data->root != NULL && json_items(data, text, format, shape, &place);
    if (data->root == NULL) {
        snprintf(error, cap, "%s:%d:%d: %s", path, syntax.line, syntax.column, syntax.text);
    }
    free(text);
    if (!ok) {
        vector_file_free(file);
    }
    return ok ? file : NULL;
}

/* ---- the contract of vectors.h ---- */

static struct vector_data *json_data(const struct vector_file *file)
{
    return file->data;
}

int vector_count(const struct vector_file *file)
{
    return json_data(file)->count;
}

void vector_describe(const struct vector_file *file, int index, struct report_case *c)
{
    const struct vector_item *item = &json_data(file)->items[index];
    c->kind = file->kind;
    c->id = item->id;
    c->title = item->comment;
    c->level = item->level;
    c->section = item->section;
    c->family = item->family;
    c->file = file->path;
    c->line = item->line;
    c->covers = item->covers;
}

void vector_run(const struct vector_file *file, int index, struct target *target, struct outcome *outcome)
{
    const struct vector_item *item = &json_data(file)->items[index];
    memset(outcome, 0, sizeof *outcome);
    (file->kind == VECTOR_SEGMENT ? segment_run : function_run)(file, item, target, outcome);
    if (outcome->strict != OUTCOME_PASS) {
        outcome->line = item->line;
    }
}

void vector_file_free(struct vector_file *file)
{
    if (file == NULL) {
        return;
    }
    struct vector_data *data = json_data(file);
    for (int i = 0; i < data->count; i++) {
        free(data->items[i].covers);
    }
    free(data->items);
    json_decref(data->root);
    free(data);
    free((void *)(uintptr_t)file->path);
    free(file);
}

/* ---- values ---- */

static int json_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long vector_octets(const json_t *hex, uint8_t *octets, size_t cap)
{
    const char *text = json_string_value(hex);
    size_t len = json_string_length(hex);
    if (text == NULL || len % 2 != 0 || len / 2 > cap) {
        return -1;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = json_digit(text[2 * i]), low = json_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return -1;
        }
        octets[i] = (uint8_t)(high << 4 | low);
    }
    return (long)(len / 2);
}

json_t *vector_hex(const uint8_t *octets, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * len + 1);
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[octets[i] >> 4];
        text[2 * i + 1] = digits[octets[i] & 15];
    }
    json_t *hex = json_stringn(text, 2 * len);
    free(text);
    return hex;
}

/* ---- comparison ---- */

struct json_comparison {
    const struct vector_leeway *leeway;
    char path[300];
    char *why;
    size_t cap;
};

static bool json_same(struct json_comparison *c, const json_t *want, const json_t *got);

static bool json_differ(const struct json_comparison *c, const json_t *want, const json_t *got)
{
    char *wanted = json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT),
         *came = got != NULL ? json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    snprintf(c->why, c->cap, "%s: expected %.300s, got %.300s", c->path[0] != '\0' ? c->path : "answer", wanted != NULL ? wanted : "?",
             got == NULL    ? "nothing"
             : came != NULL ? came
                            : "?");
    free(wanted);
    free(came);
    return false;
}

static bool json_is_open(const struct vector_leeway *leeway, const char *name)
{
    for (size_t i = 0; name != NULL && i < json_array_size(leeway->open); i++) {
        const char *open = json_string_value(json_array_get(leeway->open, i));
        if (open != NULL && strcmp(open, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool json_is_silent(const struct vector_leeway *leeway, const char *name)
{
    for (const char *const *silent = leeway->silent; silent != NULL && *silent != NULL; silent++) {
        if (strcmp(*silent, name) == 0) {
            return true;
        }
    }
    return leeway->any_silent;
}

/* The element of a list at or after *at that is compared; NULL at its end. */
static const json_t *json_next(const struct json_comparison *c, const json_t *list, size_t *at)
{
    while (*at < json_array_size(list)) {
        const json_t *value = json_array_get(list, (*at)++);
        if (!json_is_open(c->leeway, json_string_value(value))) {
            return value;
        }
    }
    return NULL;
}

static bool json_same_list(struct json_comparison *c, const json_t *want, const json_t *got)
{
    size_t wanted = 0, came = 0, base = strlen(c->path);
    for (int i = 0;; i++) {
        const json_t *a = json_next(c, want, &wanted), *b = json_next(c, got, &came);
        if (a == NULL && b == NULL) {
            return true;
        }
        if (a == NULL || b == NULL) {
            return json_differ(c, want, got);
        }
        snprintf(c->path + base, sizeof c->path - base, "[%d]", i);
        if (!json_same(c, a, b)) {
            return false;
        }
        c->path[base] = '\0';
    }
}

static bool json_same_object(struct json_comparison *c, const json_t *want, const json_t *got)
{
    size_t base = strlen(c->path);
    for (void *at = json_object_iter((json_t *)(uintptr_t)want); at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)want, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at), *came = json_object_get(got, name);
        if (json_is_open(c->leeway, name) || (came == NULL && json_is_silent(c->leeway, name))) {
            continue;
        }
        snprintf(c->path + base, sizeof c->path - base, "%s%s", base > 0 ? "." : "", name);
        if (!json_same(c, value, came)) {
            return false;
        }
        c->path[base] = '\0';
    }
    return true;
}

static bool json_same(struct json_comparison *c, const json_t *want, const json_t *got)
{
    if (json_is_number(want) && json_is_number(got)) {
        return fabs(json_number_value(want) - json_number_value(got)) <= c->leeway->tolerance || json_differ(c, want, got);
    }
    if (json_is_array(want) && json_is_array(got)) {
        return json_same_list(c, want, got);
    }
    if (json_is_object(want) && json_is_object(got)) {
        return json_same_object(c, want, got);
    }
    return (got != NULL && json_equal(want, got)) || json_differ(c, want, got);
}

bool vector_same(const json_t *want, const json_t *got, const struct vector_leeway *leeway, char *why, size_t cap)
{
    struct json_comparison c = {leeway, "", why, cap};
    return json_same(&c, want, got);
}

/* ---- running ---- */

void vector_outcome(struct outcome *outcome, enum outcome_verdict verdict, const char *reason)
{
    outcome->strict = outcome->semantic = verdict;
    snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
}

static json_t *json_answer(const char *reply, const char *command, struct outcome *outcome)
{
    json_error_t syntax;
    char why[400];
    json_t *told = json_loads(reply, JSON_REJECT_DUPLICATES, &syntax);
    if (!json_is_object(told)) {
        snprintf(why, sizeof why, "the answer to `%s` is no JSON object: %s: %.100s", command, syntax.text, reply);
        vector_outcome(outcome, OUTCOME_FAIL, why);
        json_decref(told);
        return NULL;
    }
    return told;
}

json_t *vector_ask(struct target *target, const char *command, const json_t *input, struct outcome *outcome)
{
    enum { REPLY_CAP = 1 << 18 };
    char why[400];
    char *text = json_dumps(input, JSON_COMPACT), *reply = malloc(REPLY_CAP), *line = NULL;
    size_t cap = text != NULL ? strlen(text) + strlen(command) + 2 : 0;
    json_t *answer_json = NULL;
    if (text != NULL && reply != NULL && (line = malloc(cap)) != NULL) {
        snprintf(line, cap, "%s %s", command, text);
        answer a = target_exec_ask(target, line, reply, REPLY_CAP);
        if (a == 0) {
            answer_json = json_answer(reply, command, outcome);
        } else if (a == ANSWER_DEAD) {
            vector_outcome(outcome, OUTCOME_DEAD, target->ops->why(target));
        } else if (a == ANSWER_UNIMPLEMENTED) {
            snprintf(why, sizeof why, "the target does not know `%s`", command);
            vector_outcome(outcome, OUTCOME_UNSUPPORTED, why);
        } else {
            snprintf(why, sizeof why, "`%s` answered error %lld", command, (long long)a);
            vector_outcome(outcome, OUTCOME_FAIL, why);
        }
    } else {
        vector_outcome(outcome, OUTCOME_BROKEN, "no memory");
    }
    free(text);
    free(reply);
    free(line);
    return answer_json;
}
