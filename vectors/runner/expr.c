/* expr.c - the code of %{ }% in scripts: the small part of Python that their assertions are made of.
 *
 * A block is run straight from its text, statement by statement; there is no tree. What Python has and this has not is named
 * (EXPR_UNSUPPORTED); what is no Python, or would stop it, is EXPR_BROKEN. The first error stays and moves the cursor to the end. */
#include "expr.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- variables ------------------------------------------------------------------------------------------------------------------- */

struct expr_variable {
    uint32_t hash;
    char *name;
    char *text; /* of a text: its own copy */
    struct expr_value value;
};
struct expr {
    struct expr_variable *variables;
    int count, cap;
};

struct expr *expr_new(void)
{
    return calloc(1, sizeof(struct expr));
}

void expr_free(struct expr *e)
{
    if (e == NULL) {
        return;
    }
    for (int i = 0; i < e->count; i++) {
        free(e->variables[i].name);
        free(e->variables[i].text);
    }
    free(e->variables);
    free(e);
}

static uint32_t expr_hash(const char *name, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    }
    return h;
}

static struct expr_variable *expr_find(const struct expr *e, const char *name, size_t len)
{
    uint32_t hash = expr_hash(name, len);
    for (int i = 0; i < e->count; i++) {
        struct expr_variable *v = &e->variables[i];
        if (v->hash == hash && strncmp(v->name, name, len) == 0 && v->name[len] == 0) {
            return v;
        }
    }
    return NULL;
}

static void *expr_memory(void *p)
{
    if (p == NULL) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static char *expr_copy(const char *text, size_t len)
{
    char *copy = expr_memory(malloc(len + 1));
    memcpy(copy, text, len);
    copy[len] = 0;
    return copy;
}

static void expr_set(struct expr *e, const char *name, size_t len, struct expr_value value)
{
    struct expr_variable *v = expr_find(e, name, len);
    if (v == NULL) {
        if (e->count == e->cap) {
            e->cap = e->cap == 0 ? 64 : e->cap * 2;
            e->variables = expr_memory(realloc(e->variables, (size_t)e->cap * sizeof *e->variables));
        }
        v = &e->variables[e->count++];
        *v = (struct expr_variable){.hash = expr_hash(name, len), .name = expr_copy(name, len)};
    }
    char *text = value.kind == EXPR_TEXT ? expr_copy(value.text, strlen(value.text)) : NULL;
    free(v->text);
    v->text = text;
    v->value = value;
    v->value.text = text;
}

void expr_set_int(struct expr *e, const char *name, int64_t value)
{
    expr_set(e, name, strlen(name), (struct expr_value){.kind = EXPR_INT, .number = value});
}

void expr_set_text(struct expr *e, const char *name, const char *value)
{
    expr_set(e, name, strlen(name), (struct expr_value){.kind = EXPR_TEXT, .text = value});
}

/* What scripts compare facts with. */
static const struct {
    const char *name;
    int64_t number;
} expr_constants[] = {
    {"TCP_ESTABLISHED", 1}, {"TCP_SYN_SENT", 2}, {"TCP_SYN_RECV", 3}, {"TCP_FIN_WAIT1", 4}, {"TCP_FIN_WAIT2", 5}, {"TCP_TIME_WAIT", 6},
    {"TCP_CLOSE", 7}, {"TCP_CLOSE_WAIT", 8}, {"TCP_LAST_ACK", 9}, {"TCP_LISTEN", 10}, {"TCP_CLOSING", 11},
    {"TCP_CA_Open", 0}, {"TCP_CA_Disorder", 1}, {"TCP_CA_CWR", 2}, {"TCP_CA_Recovery", 3}, {"TCP_CA_Loss", 4},
    {"TCPI_OPT_TIMESTAMPS", 1}, {"TCPI_OPT_SACK", 2}, {"TCPI_OPT_WSCALE", 4}, {"TCPI_OPT_ECN", 8}, {"TCPI_OPT_ECN_SEEN", 16},
    {"TCPI_OPT_SYN_DATA", 32}, {"TCPI_OPT_USEC_TS", 64}, {"TCP_INFINITE_SSTHRESH", 0x7fffffff}, {"True", 1}, {"False", 0},
};

/* ---- the text -------------------------------------------------------------------------------------------------------------------- */

void expr_fail(struct expr_run *r, enum expr_result result, const char *format, ...)
{
    if (r->result != EXPR_OK) {
        return;
    }
    r->result = result;
    va_list list;
    va_start(list, format);
    vsnprintf(r->why, r->cap, format, list);
    va_end(list);
    r->at += strlen(r->at);
}

void expr_space(struct expr_run *r)
{
    for (;;) {
        if (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || (*r->at == '\n' && r->parens > 0)) {
            r->at++;
        } else if (r->at[0] == '\\' && r->at[1] == '\n') {
            r->at += 2;
        } else if (*r->at == '#') {
            r->at += strcspn(r->at, "\n");
        } else {
            return;
        }
    }
}

size_t expr_name_len(const char *at)
{
    size_t n = 0;
    while (isalpha((unsigned char)at[n]) || at[n] == '_' || (n > 0 && isdigit((unsigned char)at[n]))) {
        n++;
    }
    return n;
}

bool expr_word(struct expr_run *r, const char *word)
{
    expr_space(r);
    size_t n = strlen(word);
    if (expr_name_len(r->at) != n || strncmp(r->at, word, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

bool expr_sign(struct expr_run *r, const char *sign)
{
    expr_space(r);
    size_t n = strlen(sign);
    if (strncmp(r->at, sign, n) != 0) {
        return false;
    }
    r->at += n;
    return true;
}

/* A name's value: a variable, a constant, or an error that says which kind of unknown it is. */
struct expr_value expr_lookup(struct expr_run *r, const char *name, size_t len)
{
    static const char *const facts[] = {"tcpi_", "tcpv_", "dctcp_", "bbr_", "SK_MEMINFO_", "TCPI_", "TCP_"};
    const struct expr_variable *v = expr_find(r->e, name, len);
    if (v != NULL) {
        return v->value;
    }
    for (size_t i = 0; i < sizeof expr_constants / sizeof expr_constants[0]; i++) {
        if (strncmp(expr_constants[i].name, name, len) == 0 && expr_constants[i].name[len] == 0) {
            return (struct expr_value){.kind = EXPR_INT, .number = expr_constants[i].number};
        }
    }
    if (r->skip == 0 && !(len == 4 && strncmp(name, "None", 4) == 0)) {
        enum expr_result result = EXPR_BROKEN;
        for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
            result = strncmp(name, facts[i], strlen(facts[i])) == 0 ? EXPR_UNSUPPORTED : result;
        }
        int shown = (int)(len < 60 ? len : 60);
        if (result == EXPR_UNSUPPORTED) {
            expr_fail(r, result, "%.*s: the target does not tell it", shown, name);
        } else {
            expr_fail(r, result, "%.*s is not defined", shown, name);
        }
    }
    return (struct expr_value){.kind = EXPR_NONE};
}

/* ---- statements ------------------------------------------------------------------------------------------------------------------ */

/* The statement so far, blanks drawn together, for messages. */
static void expr_source(const struct expr_run *r, const char *end, char *text, size_t cap)
{
    size_t n = 0;
    bool blank = false;
    for (const char *p = r->statement; p < end && n + 2 < cap; p++) {
        if (isspace((unsigned char)*p)) {
            blank = n > 0;
            continue;
        }
        if (blank) {
            text[n++] = ' ';
        }
        blank = false;
        text[n++] = *p;
    }
    text[n] = 0;
}

static void expr_assert(struct expr_run *r)
{
    char source[200], value[80], message[160] = "";
    struct expr_value v = expr_value_of(r);
    expr_source(r, r->at, source, sizeof source);
    if (expr_sign(r, ",")) {
        r->skip += expr_true(v);
        struct expr_value said = expr_value_of(r);
        r->skip -= expr_true(v);
        if (said.kind == EXPR_TEXT) {
            expr_print(said, message, sizeof message);
        }
    }
    if (r->result != EXPR_OK || expr_true(v)) {
        return;
    }
    expr_print(v, value, sizeof value);
    expr_fail(r, EXPR_ASSERTION, "%s: %s%s%s%s%s", source, r->compared[0] != 0 ? "" : "it is ",
              r->compared[0] != 0 ? r->compared : value, message[0] != 0 ? " (" : "", message, message[0] != 0 ? ")" : "");
}

/* name = value, or name += value and so on. False if it is no assignment. */
static bool expr_assign(struct expr_run *r)
{
    static const char *const signs[] = {"+", "-", "**", "*", "//", "/", "%", "&", "|", "^", "<<", ">>"};
    const char *name = r->at;
    size_t len = expr_name_len(name);
    if (len == 0) {
        return false;
    }
    r->at += len;
    expr_space(r);
    const char *sign = NULL;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0] && sign == NULL; i++) {
        size_t n = strlen(signs[i]);
        if (strncmp(r->at, signs[i], n) == 0 && r->at[n] == '=') {
            sign = signs[i];
            r->at += n;
        }
    }
    if (*r->at != '=' || r->at[1] == '=') {
        r->at = name;
        return false;
    }
    r->at++;
    struct expr_value v = expr_value_of(r);
    if (sign != NULL && r->result == EXPR_OK) {
        v = expr_arithmetic(r, sign, expr_lookup(r, name, len), v);
    }
    if (v.kind == EXPR_TUPLE) {
        expr_fail(r, EXPR_UNSUPPORTED, "a tuple or list kept in a variable");
    }
    if (r->result == EXPR_OK) {
        expr_set(r->e, name, len, v);
    }
    return true;
}

static void expr_print_statement(struct expr_run *r)
{
    expr_space(r);
    while (r->result == EXPR_OK && *r->at != 0 && *r->at != '\n' && *r->at != ';') {
        expr_value_of(r);
        if (!expr_sign(r, ",")) {
            break;
        }
        expr_space(r);
    }
}

static void expr_statement(struct expr_run *r)
{
    static const char *const others[] = {"if", "elif", "else", "for", "while", "def", "import", "from", "try", "with", "class", "return",
                                         "del", "global", "lambda", "raise", "exec", "yield"};
    r->compared[0] = 0;
    r->statement = r->at;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (expr_word(r, others[i])) {
            expr_fail(r, EXPR_UNSUPPORTED, "Python's \"%s\"", others[i]);
            return;
        }
    }
    if (expr_word(r, "assert")) {
        expr_assert(r);
    } else if (expr_word(r, "print")) {
        expr_print_statement(r);
    } else if (!expr_word(r, "pass") && !expr_assign(r)) {
        expr_value_of(r);
    }
    expr_space(r);
    if (*r->at != 0 && *r->at != '\n' && *r->at != ';') {
        char source[200];
        expr_source(r, r->at, source, sizeof source);
        expr_fail(r, EXPR_BROKEN, "%s: \"%.20s\" is not understood", source, r->at);
    }
}

enum expr_result expr_run(struct expr *e, const char *code, char *why, size_t cap)
{
    struct expr_run r = {.e = e, .at = code, .result = EXPR_OK, .why = why, .cap = cap};
    if (cap > 0) {
        why[0] = 0;
    }
    for (;;) {
        expr_space(&r);
        if (*r.at == '\n' || *r.at == ';') {
            r.at++;
        } else if (*r.at == 0) {
            return r.result;
        } else {
            r.text_used = 0;
            r.item_count = 0;
            expr_statement(&r);
        }
    }
}
