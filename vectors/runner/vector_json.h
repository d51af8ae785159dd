/* vector_json.h - what segment and function vectors have in common: a file of JSON, the head of a vector, comparison of what came with
 * what should. Knows neither segments nor functions. */
#ifndef WEIR_VECTORS_VECTOR_JSON_H
#define WEIR_VECTORS_VECTOR_JSON_H

#include <jansson.h>

#include "vectors.h"

/* A vector: its head, and all of it. */
struct vector_item {
    const char *id, *comment, *level, *section, *family;
    const char **covers; /* ends with NULL */
    int line;
    const json_t *body;
};
/* What vector_file.data points to. */
struct vector_data {
    json_t *root;
    struct vector_item *items;
    int count;
};

/* A place in a file, for messages: "file:line: $.vectors[3].octets: what is wrong". */
struct vector_place {
    const char *file;
    int line, index;
    char *error;
    size_t cap;
};
/* Writes the message; always false. */
bool vector_bad(const struct vector_place *place, const char *member, const char *what);
/* The shape of what is a kind's own in a vector; false with a message through vector_bad. */
typedef bool vector_shape(const json_t *vector, const struct vector_place *place);

/* NULL with a whole message in `error`. `format` is what the file must say it is. */
struct vector_file *vector_json_read(const char *path, enum vector_kind kind, const char *format, vector_shape *shape, char *error,
                                     size_t cap);

/* Pairs of hexadecimal digits to octets; how many, or -1 where they are none or more than `cap`. */
long vector_octets(const json_t *hex, uint8_t *octets, size_t cap);
json_t *vector_hex(const uint8_t *octets, size_t len);

/* How an answer may differ from what is wanted. */
struct vector_leeway {
    double tolerance;          /* of every number */
    const json_t *open;        /* array of names: members of an object, and words of a list, that are not compared; NULL: none */
    const char *const *silent; /* members that may be missing in the answer; ends with NULL. NULL: none */
    bool any_silent;           /* any may be */
};
/* True if `got` has all that `want` has; else the first difference, with its path, in `why`. */
bool vector_same(const json_t *want, const json_t *got, const struct vector_leeway *leeway, char *why, size_t cap);

/* An outcome of one word, strict and semantic alike. */
void vector_outcome(struct outcome *outcome, enum outcome_verdict verdict, const char *reason);
/* Asks an exec target: "segment {...}", "function NAME {...}"; its answer as JSON, or NULL and the outcome is written. */
json_t *vector_ask(struct target *target, const char *command, const json_t *input, struct outcome *outcome);

/* segment.c, function.c */
void segment_run(const struct vector_file *file, const struct vector_item *item, struct target *target, struct outcome *outcome);
void function_run(const struct vector_file *file, const struct vector_item *item, struct target *target, struct outcome *outcome);
/* segment_weir.c: {"result", "verdict", "fields", "odd"}, as weir reads these octets; `emitted` what it writes from the fields, empty if
 * it cannot write all of them. */
json_t *segment_weir(const json_t *vector, const char **problem);

#endif
