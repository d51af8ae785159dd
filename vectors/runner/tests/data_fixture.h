/* data_fixture.h - a file of JSON vectors, changed in one place and read again. For tests only. */
#ifndef WEIR_VECTORS_DATA_FIXTURE_H
#define WEIR_VECTORS_DATA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

#include "vector_json.h"

typedef struct vector_file *data_reader(const char *path, char *error, size_t cap);

/* Reads text as a file would be; NULL with the message in `error`. */
__attribute__((unused)) static struct vector_file *data_of_text(data_reader *read, const char *text, size_t len, char *error, size_t cap)
{
    char path[] = "/tmp/weir-vectors-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
    struct vector_file *file = read(path, error, cap);
    assert_int_equal(unlink(path), 0);
    return file;
}

__attribute__((unused)) static struct vector_file *data_of_json(data_reader *read, const json_t *root, char *error, size_t cap)
{
    char *text = json_dumps(root, JSON_COMPACT);
    assert_non_null(text);
    struct vector_file *file = data_of_text(read, text, strlen(text), error, cap);
    free(text);
    return file;
}

/* The text is refused, and the message holds `what`. */
__attribute__((unused)) static void data_refused(data_reader *read, const char *text, const char *what)
{
    char error[1000] = "";
    struct vector_file *file = data_of_text(read, text, strlen(text), error, sizeof error);
    if (file != NULL || strstr(error, what) == NULL) {
        fail_msg("expected a message with `%s`, got `%s` for %s", what, file != NULL ? "a file" : error, text);
    }
}

/* One vector of a file of this tree, in a file of its own. */
__attribute__((unused)) static json_t *data_alone(const char *path, const char *id)
{
    json_error_t syntax;
    json_t *root = json_load_file(path, 0, &syntax), *found = NULL;
    size_t i;
    json_t *v;
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "vectors"), i, v)
    {
        if (strcmp(json_string_value(json_object_get(v, "id")), id) == 0) {
            found = v;
        }
    }
    if (found == NULL) {
        fail_msg("%s has no %s", path, id);
    }
    json_t *list = json_pack("[O]", found);
    assert_int_equal(json_object_set_new(root, "vectors", list), 0);
    return root;
}

__attribute__((unused)) static json_t *data_vector(json_t *root)
{
    return json_array_get(json_object_get(root, "vectors"), 0);
}

__attribute__((unused)) static enum outcome_verdict data_run(data_reader *read, json_t *root, char *reason, size_t cap)
{
    char error[1000] = "";
    struct outcome outcome;
    struct vector_file *file = data_of_json(read, root, error, sizeof error);
    if (file == NULL) {
        fail_msg("%s", error);
    }
    vector_run(file, 0, NULL, &outcome);
    snprintf(reason, cap, "%s", outcome.reason);
    vector_file_free(file);
    assert_int_equal(outcome.strict, outcome.semantic);
    return outcome.strict;
}

/* The text of a file of this tree; to be freed. */
__attribute__((unused)) static char *data_text(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    text[size] = '\0';
    (void)fclose(file);
    *len = (size_t)size;
    return text;
}

/* Every beginning of a text is refused; octets changed at random never end the program. */
__attribute__((unused)) static void data_broken(data_reader *read, const char *path)
{
    char error[1000];
    size_t len;
    char *text = data_text(path, &len);
    size_t step = len / 300 + 1;
    for (size_t cut = 0; cut + 3 < len; cut += step) {
        assert_null(data_of_text(read, text, cut, error, sizeof error));
        assert_true(strlen(error) > 0);
    }
    uint64_t seed = 1;
    for (int turn = 0; turn < 300; turn++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(seed >> 33) % len;
        char before = text[at];
        text[at] = "x{\"0[,-\0"[(seed >> 20) % 8];
        struct vector_file *file = data_of_text(read, text, len, error, sizeof error);
        for (int i = 0; file != NULL && i < vector_count(file); i++) {
            struct outcome outcome;
            vector_run(file, i, NULL, &outcome);
        }
        vector_file_free(file);
        text[at] = before;
    }
    free(text);
}

typedef void data_visit(const struct vector_file *file, int index, const struct report_case *c, const struct outcome *outcome);

/* Runs every vector of a folder; how many. */
__attribute__((unused)) static int data_run_folder(data_reader *read, const char *folder, data_visit *visit)
{
    DIR *dir = opendir(folder);
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[600], error[1000];
        size_t len = strlen(entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0 || strcmp(entry->d_name, "schema.json") == 0) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct vector_file *file = read(path, error, sizeof error);
        if (file == NULL) {
            fail_msg("%s", error);
        }
        for (int i = 0; i < vector_count(file); i++, count++) {
            struct report_case c = {0};
            struct outcome outcome;
            vector_describe(file, i, &c);
            vector_run(file, i, NULL, &outcome);
            assert_string_equal(c.file, path);
            assert_true(c.line > 1 && c.covers != NULL && c.title != NULL && c.level != NULL && c.section != NULL);
            visit(file, i, &c, &outcome);
        }
        vector_file_free(file);
    }
    (void)closedir(dir);
    return count;
}

/* One vector of this tree on a program that answers `question` with what the shell makes of `words`. */
__attribute__((unused)) static void data_ask(data_reader *read, const char *question, const char *words, json_t *root, enum outcome_verdict verdict,
                                             const char *says)
{
    char command[700], why[300], error[300];
    struct outcome outcome;
    int len = snprintf(command, sizeof command,
                       "while read -r c r; do case $c in hello) echo 'ok 1 name=t clock=virtual features=';; %s) %s;; *) echo "
                       "unimplemented;; esac; done",
                       question, words);
    assert_true(len > 0 && len < (int)sizeof command);
    struct target *target = target_exec_new(command, why, sizeof why);
    assert_non_null(target);
    struct vector_file *file = data_of_json(read, root, error, sizeof error);
    assert_non_null(file);
    vector_run(file, 0, target, &outcome);
    if (outcome.strict != verdict || strstr(outcome.reason, says) == NULL) {
        fail_msg("%s: verdict %d: %s", words, (int)outcome.strict, outcome.reason);
    }
    vector_file_free(file);
    json_decref(root);
    target->ops->free(target);
}

#endif
