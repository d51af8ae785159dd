/* vectors.h - the kinds of vectors: finding them, reading them, running them. main.c chooses, report.c tells. */
#ifndef WEIR_VECTORS_VECTORS_H
#define WEIR_VECTORS_VECTORS_H

#include "report.h"

/* What runs a kind of JSON vectors: weir's own functions, or the `segment` and `function` commands of an exec target. */
struct vector_file {
    const char *path;
    enum vector_kind kind;
    void *data;          /* of segment.c or function.c */
};

/* segment.c and function.c: read a file (NULL with a whole message in `error`), list its vectors, run one. */
struct vector_file *segment_read(const char *path, char *error, size_t cap);
struct vector_file *function_read(const char *path, char *error, size_t cap);
int vector_count(const struct vector_file *file);
/* Fills id, title, level, section, family, covers, line of a case; the text lives as long as the file. */
void vector_describe(const struct vector_file *file, int index, struct report_case *c);
/* Runs it on weir in this process when `target` is NULL. */
void vector_run(const struct vector_file *file, int index, struct target *target, struct outcome *outcome);
void vector_file_free(struct vector_file *file);

#endif
