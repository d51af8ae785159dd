/* parse_head.c - the head of a vector: the lines "// key: value" above everything else, as FORMAT.md lists them.
 *
 * A block of comments without an id is no head, and says whatever it likes. With one it is exact: every line has a key that is known. */
#include "parse.h"

#include <string.h>

enum head_form { HEAD_TEXT, HEAD_WORDS, HEAD_PROSE };
struct head_key {
    const char *name;
    enum head_form form;
    size_t field; /* of struct script_head: a text, or a list */
};
static const struct head_key head_keys[] = {
    {"id", HEAD_TEXT, offsetof(struct script_head, id)},
    {"title", HEAD_TEXT, offsetof(struct script_head, title)},
    {"level", HEAD_TEXT, offsetof(struct script_head, level)},
    {"section", HEAD_TEXT, offsetof(struct script_head, section)},
    {"family", HEAD_TEXT, offsetof(struct script_head, family)},
    {"api", HEAD_TEXT, offsetof(struct script_head, api)},
    {"covers", HEAD_WORDS, offsetof(struct script_head, covers)},
    {"rows", HEAD_WORDS, offsetof(struct script_head, rows)},
    {"needs", HEAD_WORDS, offsetof(struct script_head, needs)},
    {"settings", HEAD_WORDS, offsetof(struct script_head, settings)},
    {"note", HEAD_PROSE, offsetof(struct script_head, why)},
};
#define HEAD_KEYS ((int)(sizeof head_keys / sizeof head_keys[0]))

static const char *const head_levels[] = {"MUST", "SHOULD", "MAY", "practice", NULL};
static const char *const head_apis[] = {"sockets", "connection", NULL};
static const char *const head_needs[] = {
    "timestamps", "sack", "dsack", "window-scale", "paws", "rfc5961", "limited-transmit", "last-resort", "unused-window", "keepalive",
    "user-timeout", "urgent", "icmp", "pmtud", "rfc5927", "time-wait", "half-close", "iss", "msl", "hold", "virtual-time", "ipv6", "ecn",
    "rfc6675", "rack", "tlp", "prr", "cubic", "f-rto", "cwv", "pacing", "delivery-rate", "bbr", "fast-open", "md5", "ao", "accecn", NULL};

/* One line of the block: its key and its value, both may be empty. */
struct head_line {
    struct lex_word key, value;
};

static bool head_one_of(const char *const *list, struct lex_word w)
{
    for (; *list != NULL; list++) {
        if (lex_same(w, *list)) {
            return true;
        }
    }
    return false;
}

static bool head_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Splits the line at `at`, which begins with two slashes; where the next line begins. */
static const char *head_split(const char *at, struct head_line *line)
{
    const char *end = at + strcspn(at, "\n");
    const char *next = *end == '\n' ? end + 1 : end;
    at += 2;
    while (at < end && head_blank(*at)) {
        at++;
    }
    while (end > at && head_blank(end[-1])) {
        end--;
    }
    size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    bool keyed = n > 0 && at[n] == ':' && (at + n + 1 == end || head_blank(at[n + 1]));
    line->key = (struct lex_word){at, keyed ? n : 0};
    at += keyed ? n + 1 : 0;
    while (at < end && head_blank(*at)) {
        at++;
    }
    line->value = (struct lex_word){at, (size_t)(end - at)};
    return next;
}

static const struct head_key *head_find(struct lex_word w)
{
    for (int i = 0; i < HEAD_KEYS; i++) {
        if (lex_same(w, head_keys[i].name)) {
            return &head_keys[i];
        }
    }
    return NULL;
}

static bool head_has_id(const char *at)
{
    struct head_line line;
    while (at[0] == '/' && at[1] == '/') {
        at = head_split(at, &line);
        if (lex_same(line.key, "id")) {
            return true;
        }
    }
    return false;
}

/* The next word of `rest`, taken off. */
static struct lex_word head_word(struct lex_word *rest)
{
    struct lex_word w = {rest->text, 0};
    while (w.len < rest->len && !head_blank(w.text[w.len])) {
        w.len++;
    }
    size_t n = w.len;
    while (n < rest->len && head_blank(rest->text[n])) {
        n++;
    }
    rest->text += n;
    rest->len -= n;
    return w;
}

static void head_check_word(struct lex *x, const struct head_key *key, struct lex_word w)
{
    int n = (int)(w.len < 60 ? w.len : 60);
    if (strcmp(key->name, "needs") == 0 && !head_one_of(head_needs, w)) {
        lex_fail(x, w.text, "%.*s is no feature of FORMAT.md's list", n, w.text);
    } else if (strcmp(key->name, "settings") == 0 && (memchr(w.text, '=', w.len) == NULL || w.text[0] == '=')) {
        lex_fail(x, w.text, "a setting is name=value");
    }
}

/* A list in the making: how many lines or words each key has, counted first. */
static void head_list(struct lex *x, struct script_head *head, const struct head_key *key, struct lex_word value, int *counts, bool store)
{
    const char ***field = (const char ***)(void *)((char *)head + key->field);
    int *count = &counts[key - head_keys];
    while (value.len > 0) {
        struct lex_word w = key->form == HEAD_PROSE ? value : head_word(&value);
        if (key->form == HEAD_PROSE) {
            value.len = 0;
        }
        if (store) {
            (*field)[*count] = lex_copy(x, w);
        } else {
            head_check_word(x, key, w);
        }
        ++*count;
    }
}

static void head_text(struct lex *x, struct script_head *head, const struct head_key *key, struct lex_word value)
{
    const char **field = (const char **)(void *)((char *)head + key->field);
    if (*field != NULL) {
        lex_fail(x, value.text, "%s stands twice: it has one value", key->name);
    } else if (strcmp(key->name, "level") == 0 && !head_one_of(head_levels, value)) {
        lex_fail(x, value.text, "a level is MUST, SHOULD, MAY or practice");
    } else if (strcmp(key->name, "api") == 0 && !head_one_of(head_apis, value)) {
        lex_fail(x, value.text, "an api is sockets or connection");
    } else if (strcmp(key->name, "id") == 0 && strcspn(value.text, " \t") < value.len) {
        lex_fail(x, value.text, "an id is one word");
    } else {
        *field = lex_copy(x, value);
    }
}

static void head_line(struct lex *x, struct script_head *head, const char *from, const struct head_line *line, int *counts, bool store)
{
    if ((line->key.len == 0 && line->value.len == 0) || strncmp(line->key.text, "SPDX-", 5) == 0) {
        return;
    }
    const struct head_key *key = head_find(line->key);
    if (line->key.len == 0) {
        lex_fail(x, from, "a line without a key in the head of a vector: prose is \"// note: ...\"");
    } else if (key == NULL) {
        lex_fail(x, line->key.text, "%.*s is no key of a vector's head", (int)(line->key.len < 40 ? line->key.len : 40), line->key.text);
    } else if (line->value.len == 0) {
        lex_fail(x, line->key.text, "%s without a value", key->name);
    } else if (key->form != HEAD_TEXT) {
        head_list(x, head, key, line->value, counts, store);
    } else if (store) {
        head_text(x, head, key, line->value);
    }
}

static void head_pass(struct lex *x, struct script_head *head, bool store)
{
    int counts[HEAD_KEYS] = {0};
    struct head_line line;
    for (const char *at = x->text; !x->failed && at[0] == '/' && at[1] == '/';) {
        const char *from = at;
        at = head_split(at, &line);
        head_line(x, head, from, &line, counts, store);
    }
    for (int i = 0; !store && i < HEAD_KEYS; i++) {
        if (head_keys[i].form != HEAD_TEXT) {
            const char ***field = (const char ***)(void *)((char *)head + head_keys[i].field);
            *field = lex_take(x, (size_t)(counts[i] + 1) * sizeof **field);
        }
    }
}

void parse_head(struct lex *x, struct script_head *head)
{
    head->present = head_has_id(x->text);
    if (!head->present) {
        static const char *none[] = {NULL};
        head->covers = head->rows = head->needs = head->settings = head->why = none;
        return;
    }
    head_pass(x, head, false);
    head_pass(x, head, true);
    if (!x->failed && (head->title == NULL || head->level == NULL)) {
        lex_fail(x, x->text, "a vector needs a %s", head->title == NULL ? "title" : "level");
    }
}
