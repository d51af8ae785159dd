/* expr.h - what expr.c (variables and statements) and expr_value.c (values and operators) share. */
#ifndef WEIR_VECTORS_EXPR_H
#define WEIR_VECTORS_EXPR_H

#include "script.h"

#define EXPR_DEPTH_MAX 64

enum expr_kind { EXPR_NONE, EXPR_INT, EXPR_FLOAT, EXPR_TEXT, EXPR_TUPLE };
struct expr_value {
    enum expr_kind kind;
    int64_t number;
    double real;
    const char *text;               /* of a variable, or in the room of the run */
    const struct expr_value *items; /* of a tuple, in the run */
    int count;
};

/* A block being run. */
struct expr_run {
    struct expr *e;
    const char *at, *statement;
    int depth, parens;
    int skip;               /* above 0: read, do not mean it, as the right side of `and` after what is false */
    enum expr_result result;
    char *why;
    size_t cap;
    char compared[200];     /* the last comparison that was false, for the message of an assertion */
    char text[4096];        /* texts of this statement */
    size_t text_used;
    struct expr_value items[64]; /* of this statement's tuples */
    int item_count;
};

/* expr.c */
void expr_fail(struct expr_run *r, enum expr_result result, const char *format, ...) __attribute__((format(printf, 3, 4)));
void expr_space(struct expr_run *r);
size_t expr_name_len(const char *at);
bool expr_word(struct expr_run *r, const char *word);
bool expr_sign(struct expr_run *r, const char *sign);
struct expr_value expr_lookup(struct expr_run *r, const char *name, size_t len);

/* expr_value.c */
struct expr_value expr_value_of(struct expr_run *r); /* reads an expression */
struct expr_value expr_arithmetic(struct expr_run *r, const char *sign, struct expr_value a, struct expr_value b);
bool expr_true(struct expr_value v);
void expr_print(struct expr_value v, char *text, size_t cap);

#endif
