/* line.h - the words of the line protocol (FORMAT.md), for both of its ends: target_exec.c asks, serve.c answers. */
#ifndef WEIR_VECTORS_LINE_H
#define WEIR_VECTORS_LINE_H

#include "target.h"

#define LINE_VERSION 1
/* The longest line: a send of 16 MiB. A line that does not end before that breaks the protocol. */
#define LINE_MAX_OCTETS ((size_t)32 * 1024 * 1024 + 4096)

/* A text that grows. Once memory has run out it stays empty and `failed`. */
struct line_text {
    char *text; /* ends with 0; NULL before the first word */
    size_t len, cap;
    bool failed;
};
void line_clear(struct line_text *t);
void line_free(struct line_text *t);
void line_printf(struct line_text *t, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
void line_hex(struct line_text *t, const uint8_t *octets, size_t len); /* "-" for none */

/* The next word of *at, cut off in place; NULL at the end. */
char *line_word(char **at);
bool line_number(const char *word, int64_t *number); /* decimal, all of it */
/* "-" or pairs of hexadecimal digits into `octets`; -1 if it is not that or longer than cap. */
int64_t line_octets(const char *word, uint8_t *octets, size_t cap);

/* Errors by name: "EAGAIN". NULL and 0 for what is none. */
const char *line_errno_name(int error);
int line_errno(const char *name);

/* Names of bits, joined with commas; "-" for none. */
struct line_bit {
    const char *name;
    int bit;
};
extern const struct line_bit line_flags[]; /* of send and recv; the end has no name */
extern const struct line_bit line_ready[]; /* of ready */
void line_bits(struct line_text *t, const struct line_bit *names, int bits);
bool line_bits_read(const char *word, const struct line_bit *names, int *bits);
int line_bits_unknown(const struct line_bit *names, int bits); /* those that have no name */

/* struct target_info by the names of its numbers. */
struct line_field {
    const char *name;
    size_t offset;
};
extern const struct line_field line_fields[]; /* the end has no name */
void line_info_clear(struct target_info *info); /* says nothing: all -1 */
int64_t *line_info_number(struct target_info *info, const struct line_field *field);
const char *line_state(const char *word); /* a state in the RFC's words, with a life of its own; NULL: none */

/* An address as IPv4 or IPv6 text. */
bool line_address(const char *word, bool v6, uint8_t octets[16]);
void line_address_print(struct line_text *t, bool v6, const uint8_t octets[16]);

#endif
