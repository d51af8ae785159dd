/* runner.h - the program itself: what was asked for, which vectors there are, and who runs them. */
#ifndef WEIR_VECTORS_RUNNER_H
#define WEIR_VECTORS_RUNNER_H

#include "vectors.h"

/* ---- options.c ---- */
struct runner_options {
    const char *target;    /* "weir" "weir-conn" "kernel", or "exec:COMMAND" */
    const char *profile;   /* NULL: as the vector wants it */
    const char *vectors;   /* the folder of all vectors */
    const char **globs;
    int glob_count;
    char **wanted;         /* PATH or ID */
    int wanted_count;
    bool kinds[3];         /* enum vector_kind */
    bool list, list_json, tap, strict, verbose, v6, rows, rows_gate;
    const char *junit, *json, *html, *known;
    int shard, shards;     /* i of n, from 1; 0 of 0: all */
    int jobs, repeat;
    struct script_setting *settings;
    int setting_count;
    struct script_define *defines;
    int define_count;
};
enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD }; /* DONE: help or version was asked for and given */
enum options_result options_parse(struct runner_options *o, int argc, char **argv);
void options_free(struct runner_options *o);
/* A setting of FORMAT.md's list, by its name (`len` octets of it). */
bool options_setting(const char *name, size_t len);
/* The command that runs one vector again as these options did: "weir-vectors --target kernel --ipv6". To be freed. */
char *options_command(const struct runner_options *o);

/* ---- tree.c: the vectors of a folder or a file, in the order of their ids ---- */
struct tree_vector {
    enum vector_kind kind;
    const char *id, *file;          /* texts of the tree, of the head or of the file of JSON */
    struct script *head;            /* of a scenario */
    const struct vector_file *data; /* of the others */
    int index;
    bool chosen;
};
struct tree {
    struct tree_vector *vectors;
    int count, cap;
    struct vector_file **files;
    int file_count;
    char **texts;
    int text_count;
};
/* False with a whole message in `error`. A folder is read with all below it: scenario/, segment/, function/ of it if they are there. */
bool tree_read(struct tree *t, const char *path, char *error, size_t cap);
bool tree_sort(struct tree *t, char *error, size_t cap); /* by id; false: an id twice */
void tree_describe(const struct tree *t, int index, struct report_case *c);
void tree_free(struct tree *t);
/* A whole file with a 0 behind it; NULL with errno. To be freed. */
char *tree_file_text(const char *path, size_t *len);
/* Reads one file of any kind in full and throws it away: its syntax. */
bool tree_check(const char *path, const struct script_define *defines, int define_count, char *error, size_t cap);

/* ---- known.c: a list of known failures: "ID reason" a line, comments after # ---- */
struct known_entry {
    const char *id, *reason;
    int line;
};
struct known {
    struct known_entry *entries; /* in the order of their ids */
    int count;
    char *text;
};
bool known_read(struct known *k, const char *path, char *error, size_t cap);
const struct known_entry *known_find(const struct known *k, const char *id);
void known_free(struct known *k);

/* ---- jobs.c: many pieces of work in processes of their own; one that dies takes only its piece with it ---- */
struct jobs_bytes {
    uint8_t *data;
    size_t len, cap;
};
void jobs_put(struct jobs_bytes *b, const void *data, size_t len);
struct jobs {
    int count, workers;    /* 0 workers: in this process */
    int limit_seconds;     /* of one piece; then its worker is killed */
    void *self;
    /* In the worker: before its first piece (false with a reason: nothing can be run, all ends); one piece; after the last. */
    bool (*begin)(void *self, char *why, size_t cap);
    void (*work)(void *self, int index, struct jobs_bytes *result);
    void (*end)(void *self);
    /* In this process: a result; a piece whose worker died; whenever time has passed. */
    void (*collect)(void *self, int index, const uint8_t *data, size_t len);
    void (*dead)(void *self, int index, const char *how);
    void (*tick)(void *self);
};
bool jobs_run(const struct jobs *j, char *why, size_t cap);

/* ---- run.c: runs what is chosen and fills the report; false with a reason: the target cannot start ---- */
bool run_vectors(const struct runner_options *o, const struct tree *t, const struct known *known, struct report *report,
                 char *why, size_t cap);

/* ---- rows.c: rows of weir's state table that are named by vectors and fired by them ---- */
/* Prints a line for each row; the number of rows that no vector names, or that none fires that names it. */
int rows_report(const struct report *r, FILE *out, bool only_open);

#endif
