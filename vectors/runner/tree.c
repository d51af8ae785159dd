/* tree.c - finds vectors: files below a folder, the heads of scenarios, the vectors in files of JSON. Runs nothing. */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner.h"

static bool tree_ends(const char *text, const char *end)
{
    size_t len = strlen(text), tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

static bool tree_is_script(const char *path) { return tree_ends(path, ".pkt"); }
static bool tree_is_data(const char *path) { return tree_ends(path, ".json") && !tree_ends(path, "schema.json"); }

char *tree_file_text(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    struct stat is;
    if (file == NULL || fstat(fileno(file), &is) != 0 || S_ISDIR(is.st_mode)) {
        int why = file == NULL ? errno : EISDIR;
        if (file != NULL) {
            fclose(file);
        }
        errno = why;
        return NULL;
    }
    size_t cap = is.st_size > 0 ? (size_t)is.st_size : 4096, got = 0, now;
    char *text = malloc(cap + 1);
    while (text != NULL && (now = fread(text + got, 1, cap - got, file)) > 0) {
        got += now;
        if (got == cap) {
            char *more = realloc(text, cap * 2 + 1);
            if (more == NULL) {
                free(text);
            }
            text = more;
            cap *= 2;
        }
    }
    fclose(file);
    if (text == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    text[got] = '\0';
    *len = got;
    return text;
}

static char *tree_read_text(const char *path, size_t *len, char *error, size_t cap)
{
    char *text = tree_file_text(path, len);
    if (text == NULL) {
        snprintf(error, cap, "%s: %s", path, strerror(errno));
    }
    return text;
}

static const char *tree_text(struct tree *t, const char *text, size_t len)
{
    char **list = realloc(t->texts, ((size_t)t->text_count + 1) * sizeof *list);
    if (list == NULL) {
        abort();
    }
    t->texts = list;
    list[t->text_count] = strndup(text, len);
    if (list[t->text_count] == NULL) {
        abort();
    }
    return list[t->text_count++];
}

static struct tree_vector *tree_add(struct tree *t)
{
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 256 : t->cap * 2;
        struct tree_vector *more = realloc(t->vectors, (size_t)t->cap * sizeof *more);
        if (more == NULL) {
            abort();
        }
        t->vectors = more;
    }
    t->vectors[t->count] = (struct tree_vector){0};
    return &t->vectors[t->count++];
}

static bool tree_script(struct tree *t, const char *path, char *error, size_t cap)
{
    size_t len;
    char *text = tree_read_text(path, &len, error, cap);
    if (text == NULL) {
        return false;
    }
    struct script_error why = {0};
    const char *file = tree_text(t, path, strlen(path));
    struct script *head = script_parse_head(file, text, len, &why);
    free(text);
    if (head == NULL) {
        snprintf(error, cap, "%s", why.text);
        return false;
    }
    for (const char **s = head->head.settings; s != NULL && *s != NULL; s++) {
        if (!options_setting(*s, strcspn(*s, "="))) { /* a slip here would count as something that stacks lack */
            snprintf(error, cap, "%s:1: error: setting '%s' is not of FORMAT.md's list", file, *s);
            script_free(head);
            return false;
        }
    }
    struct tree_vector *v = tree_add(t);
    v->kind = VECTOR_SCENARIO;
    v->file = file;
    v->head = head;
    v->id = head->head.present ? head->head.id : tree_text(t, path, strlen(path) - strlen(".pkt"));
    return true;
}

/* Its "format" says which kind it is; the reader of that kind judges the rest. */
static struct vector_file *tree_read_data(const char *path, char *error, size_t cap)
{
    size_t len;
    char *text = tree_read_text(path, &len, error, cap);
    if (text == NULL) {
        return NULL;
    }
    bool function = strstr(text, "\"function-vectors-") != NULL;
    free(text);
    return function ? function_read(path, error, cap) : segment_read(path, error, cap);
}

static bool tree_data(struct tree *t, const char *path, char *error, size_t cap)
{
    struct vector_file *file = tree_read_data(path, error, cap);
    if (file == NULL) {
        return false;
    }
    struct vector_file **list = realloc(t->files, ((size_t)t->file_count + 1) * sizeof *list);
    if (list == NULL) {
        abort();
    }
    t->files = list;
    list[t->file_count++] = file;
    for (int i = 0, n = vector_count(file); i < n; i++) {
        struct report_case c = {0};
        vector_describe(file, i, &c);
        struct tree_vector *v = tree_add(t);
        v->kind = file->kind;
        v->id = c.id;
        v->file = file->path;
        v->data = file;
        v->index = i;
    }
    return true;
}

static bool tree_folder(struct tree *t, const char *path, char *error, size_t cap)
{
    char *folder = strdup(path);
    char *roots[] = {folder, NULL};
    FTS *walk = folder == NULL ? NULL : fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    bool good = walk != NULL;
    if (!good) {
        snprintf(error, cap, "%s: %s", path, strerror(errno));
    }
    for (FTSENT *at; good && (at = fts_read(walk)) != NULL;) {
        if (at->fts_info == FTS_DNR || at->fts_info == FTS_ERR) {
            snprintf(error, cap, "%s: %s", at->fts_path, strerror(at->fts_errno));
            good = false;
        } else if (at->fts_info == FTS_F && (tree_is_script(at->fts_path) || tree_is_data(at->fts_path))) {
            good = tree_is_script(at->fts_path) ? tree_script(t, at->fts_path, error, cap) : tree_data(t, at->fts_path, error, cap);
        }
    }
    if (walk != NULL) {
        fts_close(walk);
    }
    free(folder);
    return good;
}

/* A folder that holds kinds is read kind by kind: what else lies there (the runner's own tests, say) is no vector. */
static bool tree_kinds(struct tree *t, const char *path, bool *any, char *error, size_t cap)
{
    static const char *const kinds[] = {"segment", "function", "scenario"};
    *any = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char below[4096];
        struct stat is;
        if (snprintf(below, sizeof below, "%s/%s", path, kinds[i]) >= (int)sizeof below || stat(below, &is) != 0 || !S_ISDIR(is.st_mode)) {
            continue;
        }
        *any = true;
        if (!tree_folder(t, below, error, cap)) {
            return false;
        }
    }
    return true;
}

bool tree_read(struct tree *t, const char *path, char *error, size_t cap)
{
    struct stat is;
    if (stat(path, &is) != 0) {
        snprintf(error, cap, "%s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(is.st_mode)) {
        bool any;
        if (!tree_kinds(t, path, &any, error, cap)) {
            return false;
        }
        return any || tree_folder(t, path, error, cap);
    }
    if (tree_ends(path, ".json")) {
        return tree_data(t, path, error, cap);
    }
    if (tree_is_script(path)) {
        return tree_script(t, path, error, cap);
    }
    snprintf(error, cap, "%s: a vector is a .pkt or a .json file", path);
    return false;
}

static int tree_by_id(const void *a, const void *b)
{
    const struct tree_vector *x = a, *y = b;
    int by_id = strcmp(x->id, y->id);
    return by_id != 0 ? by_id : strcmp(x->file, y->file);
}

bool tree_sort(struct tree *t, char *error, size_t cap)
{
    if (t->count > 0) {
        qsort(t->vectors, (size_t)t->count, sizeof *t->vectors, tree_by_id);
    }
    for (int i = 1; i < t->count; i++) {
        if (strcmp(t->vectors[i - 1].id, t->vectors[i].id) == 0) {
            snprintf(error, cap, "%s: the id '%s' is also in %s", t->vectors[i].file, t->vectors[i].id, t->vectors[i - 1].file);
            return false;
        }
    }
    return true;
}

void tree_describe(const struct tree *t, int index, struct report_case *c)
{
    const struct tree_vector *v = &t->vectors[index];
    c->kind = v->kind;
    if (v->data != NULL) {
        vector_describe(v->data, v->index, c);
    } else {
        const struct script_head *h = &v->head->head;
        c->title = h->title;
        c->level = h->level;
        c->section = h->section;
        c->family = h->family;
        c->covers = h->covers;
        c->rows = h->rows;
        c->needs = h->needs;
        c->line = 1;
    }
    c->id = v->id;
    c->file = v->file;
}

void tree_free(struct tree *t)
{
    for (int i = 0; i < t->count; i++) {
        if (t->vectors[i].head != NULL) {
            script_free(t->vectors[i].head);
        }
    }
    for (int i = 0; i < t->file_count; i++) {
        vector_file_free(t->files[i]);
    }
    for (int i = 0; i < t->text_count; i++) {
        free(t->texts[i]);
    }
    free(t->vectors);
    free(t->files);
    free(t->texts);
    *t = (struct tree){0};
}

bool tree_check(const char *path, const struct script_define *defines, int define_count, char *error, size_t cap)
{
    if (tree_ends(path, ".json")) {
        struct vector_file *file = tree_read_data(path, error, cap);
        if (file != NULL) {
            vector_file_free(file);
        }
        return file != NULL;
    }
    size_t len;
    char *text = tree_read_text(path, &len, error, cap);
    if (text == NULL) {
        return false;
    }
    struct script_error why = {0};
    struct script *script = script_parse(path, text, len, defines, define_count, &why);
    free(text);
    if (script == NULL) {
        snprintf(error, cap, "%s", why.text);
        return false;
    }
    script_free(script);
    return true;
}
