/* lex.c - the text of a packetdrill script, piece by piece: blanks, comments, #ifdef, names, numbers, times, strings. Knows no grammar.
 *
 * There is no list of tokens: what a piece is depends on where it stands ("." is a flag, ".1" a time, "1..." two things), so the
 * parser asks for what it wants. The first error stays and moves the cursor to the end. */
#include "parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEX_CHUNK 32768u
#define LEX_TIME_MAX 1000000000 /* seconds: thirty years */

struct lex_chunk {
    struct lex_chunk *next;
    size_t used, size;
    max_align_t room[];
};

/* ---- memory ---------------------------------------------------------------------------------------------------------------------- */

static struct lex_chunk *lex_chunk_new(size_t size, struct lex_chunk *next)
{
    struct lex_chunk *c = malloc(sizeof *c + size);
    if (c == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    c->next = next;
    c->used = 0;
    c->size = size;
    return c;
}

void *lex_take(struct lex *x, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (x->arena == NULL || size > x->arena->size - x->arena->used) {
        x->arena = lex_chunk_new(size > LEX_CHUNK ? size : LEX_CHUNK, x->arena);
    }
    void *p = (char *)x->arena->room + x->arena->used;
    x->arena->used += size;
    return memset(p, 0, size);
}

char *lex_copy(struct lex *x, struct lex_word w)
{
    char *copy = lex_take(x, w.len + 1);
    memcpy(copy, w.text, w.len);
    return copy;
}

void lex_free(struct lex_chunk *arena)
{
    while (arena != NULL) {
        struct lex_chunk *next = arena->next;
        free(arena);
        arena = next;
    }
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------------- */

/* The line and a caret under the place; of a long line only the part around it. */
static void lex_show(struct lex *x, const char *at, const char *start, size_t used)
{
    enum { BEFORE = 90, WIDTH = 130 };
    char line[WIDTH + 1], mark[WIDTH + 2];
    if (at - start > BEFORE) {
        start = at - BEFORE;
    }
    int n = 0;
    for (; n < WIDTH && start[n] != 0 && start[n] != '\n'; n++) {
        line[n] = start[n] == '\t' || isprint((unsigned char)start[n]) ? start[n] : '?';
    }
    int caret = (int)(at - start);
    for (int i = 0; i < caret; i++) {
        mark[i] = line[i] == '\t' ? '\t' : ' ';
    }
    mark[caret] = '^';
    snprintf(x->error->text + used, sizeof x->error->text - used, "\n%.*s\n%.*s", n, line, caret + 1, mark);
}

void lex_fail(struct lex *x, const char *at, const char *format, ...)
{
    if (x->failed) {
        return;
    }
    const char *start = x->text;
    int line = 1;
    for (const char *p = x->text; p < at; p++) {
        if (*p == '\n') {
            start = p + 1;
            line++;
        }
    }
    x->failed = true;
    x->at = x->end;
    x->error->pos.line = line;
    x->error->pos.column = (int)(at - start) + 1;
    char words[400];
    va_list list;
    va_start(list, format);
    vsnprintf(words, sizeof words, format, list);
    va_end(list);
    int used = snprintf(x->error->text, sizeof x->error->text, "%.200s:%d:%d: error: %s", x->file, line, x->error->pos.column, words);
    lex_show(x, at, start, (size_t)used);
}

struct script_pos lex_pos(const struct lex *x)
{
    return (struct script_pos){x->line, (int)(x->at - x->line_start) + 1};
}

bool lex_open(struct lex *x, const char *file, const char *text, size_t len, struct script_error *error)
{
    memset(x, 0, sizeof *x);
    memset(error, 0, sizeof *error);
    x->file = file;
    x->error = error;
    x->line = 1;
    const char *zero = memchr(text, 0, len);
    bool large = len > LEX_TEXT_MAX;
    size_t keep = zero != NULL ? (size_t)(zero - text) : large ? 0 : len;
    keep = keep > LEX_TEXT_MAX ? LEX_TEXT_MAX : keep;
    char *copy = lex_take(x, keep + 1);
    memcpy(copy, text, keep);
    x->text = x->at = x->line_start = copy;
    x->end = copy + keep;
    if (large) {
        lex_fail(x, x->text, "the file has %zu octets, more than the %u that a script may have", len, LEX_TEXT_MAX);
    } else if (zero != NULL) {
        lex_fail(x, x->end, "an octet of 0: this is no text");
    }
    return !x->failed;
}

/* ---- blanks ---------------------------------------------------------------------------------------------------------------------- */

static bool lex_starts(const char *at, const char *sign)
{
    while (*sign != 0 && *at == *sign) {
        at++;
        sign++;
    }
    return *sign == 0;
}

static void lex_newline(struct lex *x)
{
    x->line++;
    x->line_start = ++x->at;
}

static void lex_line(struct lex *x)
{
    while (*x->at != 0 && *x->at != '\n') {
        x->at++;
    }
}

static void lex_comment(struct lex *x)
{
    const char *from = x->at;
    x->at += 2;
    while (!lex_starts(x->at, "*/")) {
        if (*x->at == 0) {
            lex_fail(x, from, "a comment that does not end: */ is missing");
            return;
        }
        if (*x->at == '\n') {
            lex_newline(x);
        } else {
            x->at++;
        }
    }
    x->at += 2;
}

static bool lex_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct lex_word lex_name_here(struct lex *x)
{
    struct lex_word w = {x->at, 0};
    if (!isdigit((unsigned char)*x->at)) {
        while (lex_name_char(x->at[0])) {
            x->at++;
        }
    }
    w.len = (size_t)(x->at - w.text);
    return w;
}

static void lex_blanks(struct lex *x)
{
    while (*x->at == ' ' || *x->at == '\t') {
        x->at++;
    }
}

/* Past the lines that do not count, to the #endif. */
static void lex_skip_to_endif(struct lex *x)
{
    for (;;) {
        lex_line(x);
        if (*x->at == 0) {
            return;
        }
        lex_newline(x);
        const char *line = x->at;
        lex_blanks(x);
        if (*x->at == '#') {
            x->at = line;
            return;
        }
    }
}

static void lex_ifdef(struct lex *x, const char *from)
{
    if (x->ifdef != NULL) {
        lex_fail(x, from, "an #ifdef inside another: they do not nest");
        return;
    }
    lex_blanks(x);
    struct lex_word w = lex_name_here(x);
    if (w.len == 0) {
        lex_fail(x, x->at, "#ifdef without a name");
        return;
    }
    x->ifdef = from;
    for (int i = 0; i < x->define_count; i++) {
        if (lex_same(w, x->defines[i].name)) {
            return;
        }
    }
    lex_skip_to_endif(x);
}

static void lex_directive(struct lex *x)
{
    const char *from = x->at++;
    lex_blanks(x);
    struct lex_word w = lex_name_here(x);
    if (lex_same(w, "ifdef")) {
        lex_ifdef(x, from);
    } else if (!lex_same(w, "endif")) {
        lex_fail(x, from, "#%.*s is not known: #ifdef NAME and #endif are", (int)(w.len < 40 ? w.len : 40), w.text);
    } else if (x->ifdef == NULL) {
        lex_fail(x, from, "#endif without #ifdef");
    } else {
        x->ifdef = NULL;
    }
}

void lex_space(struct lex *x)
{
    for (;;) {
        switch (*x->at) {
        case '\n':
            lex_newline(x);
            break;
        case ' ': case '\t': case '\r': case '\f': case '\v':
            x->at++;
            break;
        case '/':
            if (x->at[1] == '/') {
                lex_line(x);
                break;
            }
            if (x->at[1] == '*') {
                lex_comment(x);
                break;
            }
            return;
        case '#':
            lex_directive(x);
            break;
        case 0:
            if (x->ifdef != NULL) {
                lex_fail(x, x->ifdef, "an #ifdef without its #endif");
            }
            return;
        default:
            return;
        }
    }
}

/* ---- pieces ---------------------------------------------------------------------------------------------------------------------- */

bool lex_here(struct lex *x, const char *sign)
{
    if (!lex_starts(x->at, sign)) {
        return false;
    }
    x->at += strlen(sign);
    return true;
}

bool lex_is(struct lex *x, const char *sign)
{
    lex_space(x);
    return lex_here(x, sign);
}

void lex_need(struct lex *x, const char *sign, const char *where)
{
    if (!lex_is(x, sign)) {
        lex_fail(x, x->at, "%s expected %s", sign, where);
    }
}

struct lex_word lex_name(struct lex *x)
{
    lex_space(x);
    return lex_name_here(x);
}

bool lex_same(struct lex_word w, const char *text)
{
    return strncmp(w.text, text, w.len) == 0 && text[w.len] == 0;
}

bool lex_word_is(struct lex *x, const char *text)
{
    lex_space(x);
    const char *from = x->at;
    if (lex_same(lex_name_here(x), text)) {
        return true;
    }
    x->at = from;
    return false;
}

/* What the runners of the public suites define for every script, unless -D says otherwise. */
static const struct script_define lex_usual[] = {
    {"TFO_COOKIE", "3021b9d889017eeb"},
    {"TFO_COOKIE_ZERO", "b7c12350a90dc8f5"},
    {"CMSG_LEVEL_IP", "SOL_IP"},
    {"CMSG_TYPE_RECVERR", "IP_RECVERR"},
};

const char *lex_defined(const struct lex *x, struct lex_word w)
{
    for (int i = 0; i < x->define_count; i++) {
        if (lex_same(w, x->defines[i].name)) {
            return x->defines[i].value;
        }
    }
    for (size_t i = 0; i < sizeof lex_usual / sizeof lex_usual[0]; i++) {
        if (lex_same(w, lex_usual[i].name)) {
            return lex_usual[i].value;
        }
    }
    return NULL;
}

static int lex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char low = (char)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
}

const char *lex_digits(const char *at, uint64_t most, uint64_t *value)
{
    int base = 10;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        base = 16;
        at += 2;
    }
    if (lex_digit(*at) >= base) {
        return NULL;
    }
    uint64_t n = 0;
    for (; lex_digit(*at) < base; at++) {
        uint64_t digit = (uint64_t)lex_digit(*at);
        if (n > (most - digit) / (uint64_t)base) {
            return NULL;
        }
        n = n * (uint64_t)base + digit;
    }
    *value = n;
    return at;
}

uint64_t lex_number(struct lex *x, uint64_t most, const char *what)
{
    lex_space(x);
    const char *from = x->at, *digits = x->at;
    struct lex_word w = lex_name_here(x);
    if (w.len > 0) {
        digits = lex_defined(x, w);
    }
    if (digits == NULL || !isdigit((unsigned char)*digits)) {
        lex_fail(x, from, "%s: a number expected", what);
        return 0;
    }
    uint64_t value = 0;
    const char *after = lex_digits(digits, most, &value);
    if (after == NULL) {
        lex_fail(x, from, "%s: not a number of 0 to %llu", what, (unsigned long long)most);
        return 0;
    }
    if (lex_name_char(*after)) {
        lex_fail(x, w.len > 0 ? from : after, "%s: a number that goes on as a word", what);
        return 0;
    }
    if (w.len == 0) {
        x->at = after;
    }
    return value;
}

int64_t lex_time(struct lex *x)
{
    lex_space(x);
    const char *from = x->at;
    int64_t us = 0;
    bool any = false;
    for (; isdigit((unsigned char)*x->at); x->at++, any = true) {
        us = us * 10 + (*x->at - '0');
        if (us > LEX_TIME_MAX) {
            lex_fail(x, from, "a time of more than %d seconds", LEX_TIME_MAX);
            return 0;
        }
    }
    us *= 1000000;
    if (x->at[0] == '.' && x->at[1] != '.') {
        x->at++;
        int64_t unit = 100000;
        for (; isdigit((unsigned char)*x->at); x->at++, any = true) {
            us += unit > 0 ? (*x->at - '0') * unit : 0;
            unit /= 10;
        }
    }
    if (!any) {
        lex_fail(x, from, "a time in seconds expected");
    } else if (lex_name_char(*x->at)) {
        lex_fail(x, x->at, "a time that goes on as a word");
    }
    return us;
}

int lex_hex(struct lex *x, uint8_t *octets, int most, const char *what)
{
    lex_space(x);
    struct lex_word w = {x->at, 0};
    while (lex_name_char(*x->at)) {
        x->at++;
    }
    w.len = (size_t)(x->at - w.text);
    const char *at = lex_defined(x, w);
    size_t left = w.len;
    if (at != NULL) {
        left = strlen(at);
    } else {
        at = w.text;
    }
    if (left > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        at += 2;
        left -= 2;
    }
    int count = 0;
    for (; left >= 2 && lex_digit(at[0]) < 16 && lex_digit(at[1]) < 16 && count < most; at += 2, left -= 2) {
        octets[count++] = (uint8_t)(lex_digit(at[0]) * 16 + lex_digit(at[1]));
    }
    if (left > 0 && count == most) {
        lex_fail(x, w.text, "%s: more than %d octets", what, most);
    } else if (left > 0) {
        lex_fail(x, w.text, "%s: pairs of hexadecimal digits expected, or a symbol that -D gives a value", what);
    }
    return count;
}

struct lex_word lex_until(struct lex *x, const char *close, const char *what)
{
    struct lex_word w = {x->at, 0};
    while (!lex_starts(x->at, close)) {
        if (*x->at == 0) {
            lex_fail(x, w.text, "%s that does not end: %s is missing", what, close);
            return w;
        }
        if (*x->at == '\n') {
            lex_newline(x);
        } else {
            x->at++;
        }
    }
    w.len = (size_t)(x->at - w.text);
    x->at += strlen(close);
    return w;
}

/* One escape after the backslash: the octet, `at` past it. */
static char lex_escape(struct lex *x)
{
    static const char from[] = "abfnrtv0\\\"'", to[] = "\a\b\f\n\r\t\v\0\\\"'";
    char c = *x->at;
    const char *place = c != 0 ? strchr(from, c) : NULL;
    if (place != NULL) {
        x->at++;
        return to[place - from];
    }
    if (c == 'x' && lex_digit(x->at[1]) < 16 && lex_digit(x->at[2]) < 16) {
        c = (char)(lex_digit(x->at[1]) * 16 + lex_digit(x->at[2]));
        x->at += 3;
        return c;
    }
    lex_fail(x, x->at - 1, "an escape that is not known: \\n \\t \\r \\0 \\\\ \\\" \\xHH and the like are");
    return 0;
}

struct lex_word lex_string(struct lex *x)
{
    const char *from = x->at++;
    const char *close = x->at;
    while (*close != 0 && *close != '\n' && *close != '"') {
        close += *close == '\\' && close[1] != 0 ? 2 : 1;
    }
    if (*close != '"') {
        lex_fail(x, from, "a string that does not end: a quote is missing");
        return (struct lex_word){"", 0};
    }
    char *copy = lex_take(x, (size_t)(close - from));
    struct lex_word w = {copy, 0};
    while (*x->at != '"' && !x->failed) {
        char c = *x->at++;
        copy[w.len++] = c == '\\' ? lex_escape(x) : c;
    }
    lex_here(x, "\"");
    return w;
}
