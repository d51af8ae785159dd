/* parse.h - what lex.c and the parse*.c share: a cursor over the text, the arena, and the first error. */
#ifndef WEIR_VECTORS_PARSE_H
#define WEIR_VECTORS_PARSE_H

#include "script.h"

/* Limits: no script comes near them, and memory stays bounded whatever is read. */
#define LEX_TEXT_MAX (4u << 20)
#define LEX_EVENTS_MAX 50000
#define LEX_DEPTH_MAX 64

struct lex_chunk;
struct lex {
    const char *file;
    const char *text, *at, *end; /* *end is 0, and no octet before it is */
    const char *line_start;
    int line;
    bool failed;                 /* the first error stays; `at` is `end` from then on, so every loop ends */
    const char *ifdef;           /* where the #ifdef that is open stands; NULL */
    const struct script_define *defines;
    int define_count;
    struct lex_chunk *arena;
    struct script_error *error;
};

/* A piece of the text, not ended by 0. len 0: there was none. */
struct lex_word {
    const char *text;
    size_t len;
};

/* False (and an error) if it cannot be a script at all. */
bool lex_open(struct lex *x, const char *file, const char *text, size_t len, struct script_error *error);
void *lex_take(struct lex *x, size_t size); /* zeroed memory of the arena; never NULL */
char *lex_copy(struct lex *x, struct lex_word w);
void lex_free(struct lex_chunk *arena);

/* printf's words after "error: "; the place is `at`. Only the first call counts. */
void lex_fail(struct lex *x, const char *at, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct script_pos lex_pos(const struct lex *x);

void lex_space(struct lex *x); /* blanks, comments, #ifdef */
/* The functions below skip blanks first, except lex_here. */
bool lex_is(struct lex *x, const char *sign);     /* takes `sign` if it stands there */
bool lex_here(struct lex *x, const char *sign);   /* the same without skipping blanks */
void lex_need(struct lex *x, const char *sign, const char *where);
struct lex_word lex_name(struct lex *x);          /* letters, digits, _ (not a digit first); len 0 if there is none */
bool lex_same(struct lex_word w, const char *text);
bool lex_word_is(struct lex *x, const char *text); /* takes the name `text` if it stands there */
const char *lex_defined(const struct lex *x, struct lex_word w); /* its value by -D; NULL: not defined or without one */
/* Digits at `at`, a number of up to `most`; where they end, or NULL if there are none or the number is larger. */
const char *lex_digits(const char *at, uint64_t most, uint64_t *value);
uint64_t lex_number(struct lex *x, uint64_t most, const char *what); /* 123, 0x7b, or a symbol of -D */
int64_t lex_time(struct lex *x);                  /* 1, .5, 1.000001 seconds -> microseconds */
int lex_hex(struct lex *x, uint8_t *octets, int most, const char *what); /* pairs of hexadecimal digits, or a symbol; may be none */
struct lex_word lex_until(struct lex *x, const char *close, const char *what); /* raw text up to `close`, which is taken */
struct lex_word lex_string(struct lex *x);        /* between quotes, escapes replaced, in the arena */

void parse_head(struct lex *x, struct script_head *head);
/* After "<" or ">" has been seen but not taken. */
struct script_packet *parse_packet(struct lex *x);

#endif
