/* parse.c - a packetdrill script as data: head, options, events, system calls. Packets are in parse_packet.c. */
#include "parse.h"

#include <string.h>

struct parse {
    struct lex x;
    struct script *script;
    struct script_value *stack; /* values that are not yet in their list */
    int stack_len, stack_cap;
    int event_cap, setting_cap;
};

/* The array with room for one more: twice as large when it is full. */
static void *parse_grow(struct lex *x, const void *old, int count, int *cap, size_t size)
{
    if (count < *cap) {
        return NULL;
    }
    *cap = *cap == 0 ? 32 : *cap * 2;
    void *bigger = lex_take(x, (size_t)*cap * size);
    if (count > 0) {
        memcpy(bigger, old, (size_t)count * size);
    }
    return bigger;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------------- */

static struct script_value parse_value(struct parse *p, int depth);

static void parse_push(struct parse *p, struct script_value v)
{
    struct script_value *bigger = parse_grow(&p->x, p->stack, p->stack_len, &p->stack_cap, sizeof v);
    p->stack = bigger != NULL ? bigger : p->stack;
    p->stack[p->stack_len++] = v;
}

/* What was pushed since `mark`, as items in the arena. */
static struct script_value *parse_items(struct parse *p, int mark, int *count)
{
    *count = p->stack_len - mark;
    p->stack_len = mark;
    if (*count == 0) {
        return NULL;
    }
    struct script_value *items = lex_take(&p->x, (size_t)*count * sizeof *items);
    memcpy(items, p->stack + mark, (size_t)*count * sizeof *items);
    return items;
}

/* name=value or name(count)=value: what came before "=" is the name. */
static struct script_value parse_member(struct parse *p, int depth)
{
    struct script_value v = parse_value(p, depth);
    if ((v.kind != SCRIPT_SYMBOL && v.kind != SCRIPT_CALLED) || !lex_is(&p->x, "=")) {
        return v;
    }
    struct script_value named = parse_value(p, depth);
    named.name = v.text;
    if (v.kind == SCRIPT_CALLED && v.item_count == 1 && v.items[0].kind == SCRIPT_INT &&
        (named.kind == SCRIPT_LIST || named.kind == SCRIPT_STRUCT)) {
        named.number = v.items[0].number;
    }
    return named;
}

static void parse_list(struct parse *p, struct script_value *v, const char *close, bool members, int depth)
{
    const char *from = p->x.at - 1;
    int mark = p->stack_len;
    if (depth >= LEX_DEPTH_MAX) {
        lex_fail(&p->x, from, "more than %d lists inside each other", LEX_DEPTH_MAX);
        return;
    }
    bool more = !lex_is(&p->x, close);
    while (more && !p->x.failed) {
        parse_push(p, members ? parse_member(p, depth + 1) : parse_value(p, depth + 1));
        more = lex_is(&p->x, ",");
        if (!more) {
            lex_need(&p->x, close, "or a comma, after a value");
        }
    }
    v->items = parse_items(p, mark, &v->item_count);
}

static struct script_value parse_number(struct parse *p)
{
    struct script_value v = {.kind = SCRIPT_INT};
    bool minus = lex_here(&p->x, "-");
    uint64_t n = lex_number(&p->x, minus ? (uint64_t)INT64_MAX : UINT64_MAX, "number");
    /* 0xffffffffffffffff is a u64 of the script; it is kept in 64 bits. */
    v.number = minus ? -(int64_t)n : n <= INT64_MAX ? (int64_t)n : -(int64_t)(UINT64_MAX - n) - 1;
    return v;
}

/* A symbol's value by -D: a number, or another word. */
static struct script_value parse_symbol(struct parse *p, struct lex_word w)
{
    struct script_value v = {.kind = SCRIPT_SYMBOL};
    const char *value = lex_defined(&p->x, w);
    if (value != NULL && value[0] >= '0' && value[0] <= '9') {
        uint64_t n = 0;
        const char *after = lex_digits(value, INT64_MAX, &n);
        if (after == NULL || *after != 0) {
            lex_fail(&p->x, w.text, "%.*s is defined as %.40s, which is no number", (int)(w.len < 40 ? w.len : 40), w.text, value);
        }
        v.kind = SCRIPT_INT;
        v.number = (int64_t)n;
    } else {
        v.text = lex_copy(&p->x, value != NULL ? (struct lex_word){value, strlen(value)} : w);
    }
    return v;
}

static struct script_value parse_word(struct parse *p, int depth)
{
    struct script_value v = {.kind = SCRIPT_CALLED};
    const char *at = p->x.at;
    lex_here(&p->x, "."); /* .member= of C */
    struct lex_word w = lex_name(&p->x);
    if (w.len == 0) {
        lex_fail(&p->x, at, "a value expected: a number, a name, \"text\", [list], {members} or ...");
        return v;
    }
    if (!lex_is(&p->x, "(")) {
        return parse_symbol(p, w);
    }
    v.text = lex_copy(&p->x, w);
    parse_list(p, &v, ")", false, depth);
    return v;
}

static struct script_value parse_one(struct parse *p, int depth)
{
    struct lex *x = &p->x;
    lex_space(x);
    struct script_pos pos = lex_pos(x);
    struct script_value v = {.kind = SCRIPT_ELLIPSIS};
    char c = *x->at;
    if (c == '"') {
        struct lex_word w = lex_string(x);
        v = (struct script_value){.kind = SCRIPT_STRING, .text = w.text, .octet_count = (int)w.len};
    } else if (c == '[' || c == '{') {
        v.kind = c == '[' ? SCRIPT_LIST : SCRIPT_STRUCT;
        x->at++;
        parse_list(p, &v, c == '[' ? "]" : "}", c == '{', depth);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        v = parse_number(p);
    } else if (!lex_here(x, "...")) {
        v = parse_word(p, depth);
    }
    v.pos = pos;
    return v;
}

static struct script_value parse_value(struct parse *p, int depth)
{
    struct script_value v = parse_one(p, depth);
    if (!lex_is(&p->x, "|")) {
        return v;
    }
    struct script_value either = {.kind = SCRIPT_OR, .pos = v.pos};
    int mark = p->stack_len;
    parse_push(p, v);
    do {
        parse_push(p, parse_one(p, depth));
    } while (lex_is(&p->x, "|"));
    either.items = parse_items(p, mark, &either.item_count);
    return either;
}

/* ---- events ---------------------------------------------------------------------------------------------------------------------- */

static struct script_time parse_time(struct lex *x)
{
    struct script_time t = {.when = SCRIPT_AT};
    if (lex_is(x, "*")) {
        t.when = SCRIPT_ANY;
        return t;
    }
    if (lex_is(x, "+")) {
        t.when = SCRIPT_AFTER;
    }
    t.from = t.to = lex_time(x);
    if ((t.range = lex_is(x, "~"))) {
        const char *at = x->at;
        if (lex_is(x, "+") != (t.when == SCRIPT_AFTER)) {
            lex_fail(x, at, "the two ends of a range of times must both have a + or both have none");
        }
        t.to = lex_time(x);
        if (t.to < t.from) {
            lex_fail(x, at, "a range of times that ends before it begins");
        }
    }
    return t;
}

/* "..." and when the call returns: counted as its beginning is. */
static void parse_call_end(struct lex *x, struct script_call *call, const struct script_time *begin)
{
    if (!(call->blocking = lex_is(x, "..."))) {
        return;
    }
    lex_space(x);
    const char *at = x->at;
    lex_is(x, "+");
    call->end.when = begin->when;
    call->end.from = call->end.to = lex_time(x);
    if (begin->when == SCRIPT_ANY || begin->range) {
        lex_fail(x, at, "a call that blocks needs one time at which it begins");
    } else if (call->end.to < begin->from) {
        lex_fail(x, at, "a call that returns before it is made");
    }
}

/* EAGAIN (Resource temporarily unavailable), both optional. */
static void parse_call_error(struct lex *x, struct script_call *call)
{
    struct lex_word w = lex_name(x);
    if (w.len > 0) {
        call->error = lex_copy(x, w);
    }
    if (lex_is(x, "(")) {
        call->note = lex_copy(x, lex_until(x, ")", "a note"));
    }
}

static struct script_call *parse_call(struct parse *p, const struct script_time *begin)
{
    struct lex *x = &p->x;
    struct script_call *call = lex_take(x, sizeof *call);
    parse_call_end(x, call, begin);
    lex_space(x);
    const char *at = x->at;
    struct lex_word w = lex_name(x);
    if (w.len == 0) {
        lex_fail(x, at, "an action expected: < or > and a packet, a system call, `command` or %%{ code }%%");
        return call;
    }
    call->name = lex_copy(x, w);
    lex_need(x, "(", "after the name of a system call");
    struct script_value args = {.kind = SCRIPT_LIST};
    parse_list(p, &args, ")", false, 0);
    call->args = args.items;
    call->arg_count = args.item_count;
    lex_need(x, "=", "after a system call, and what it returns");
    call->result = parse_value(p, 0);
    parse_call_error(x, call);
    return call;
}

static void parse_action(struct parse *p, struct script_event *e)
{
    struct lex *x = &p->x;
    lex_space(x);
    e->pos = lex_pos(x);
    if (*x->at == '<' || *x->at == '>') {
        e->kind = SCRIPT_PACKET;
        e->packet = parse_packet(x);
    } else if (lex_here(x, "`")) {
        e->kind = SCRIPT_SHELL;
        e->text = lex_copy(x, lex_until(x, "`", "a command"));
    } else if (lex_here(x, "%{")) {
        e->kind = SCRIPT_CODE;
        e->text = lex_copy(x, lex_until(x, "}%", "code"));
    } else {
        e->kind = SCRIPT_CALL;
        e->call = parse_call(p, &e->time);
    }
}

static void parse_event(struct parse *p)
{
    struct script *s = p->script;
    const char *at = p->x.at;
    struct script_event e;
    memset(&e, 0, sizeof e);
    e.time = parse_time(&p->x);
    parse_action(p, &e);
    if (s->event_count == LEX_EVENTS_MAX) {
        lex_fail(&p->x, at, "more than %d events", LEX_EVENTS_MAX);
        return;
    }
    struct script_event *bigger = parse_grow(&p->x, s->events, s->event_count, &p->event_cap, sizeof e);
    s->events = bigger != NULL ? bigger : s->events;
    s->events[s->event_count++] = e;
}

/* ---- the rest -------------------------------------------------------------------------------------------------------------------- */

/* --name=value: a value is quoted, or goes on to the next blank. */
static void parse_setting(struct parse *p)
{
    struct lex *x = &p->x;
    struct script *s = p->script;
    struct script_setting set = {.pos = lex_pos(x)};
    x->at += 2;
    struct lex_word w = {x->at, strspn(x->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")};
    if (w.len == 0 || *w.text == '-') {
        lex_fail(x, x->at, "the name of an option expected after --");
        return;
    }
    set.name = lex_copy(x, w);
    x->at += w.len;
    if (lex_here(x, "=")) {
        w = (struct lex_word){x->at, strcspn(x->at, " \t\r\n\v\f")};
        if (*x->at == '"') {
            set.value = lex_string(x).text;
        } else if (w.len == 0) {
            lex_fail(x, x->at, "the value of an option expected after =");
        } else {
            set.value = lex_copy(x, w);
            x->at += w.len;
        }
    }
    struct script_setting *bigger = parse_grow(x, s->settings, s->setting_count, &p->setting_cap, sizeof set);
    s->settings = bigger != NULL ? bigger : s->settings;
    s->settings[s->setting_count++] = set;
}

static bool parse_command(struct lex *x, const char **text)
{
    if (!lex_is(x, "`")) {
        return false;
    }
    *text = lex_copy(x, lex_until(x, "`", "a command"));
    return true;
}

static void parse_script(struct parse *p)
{
    struct lex *x = &p->x;
    struct script *s = p->script;
    for (lex_space(x); x->at[0] == '-' && x->at[1] == '-'; lex_space(x)) {
        parse_setting(p);
    }
    parse_command(x, &s->init);
    for (lex_space(x); *x->at != 0 && *x->at != '`'; lex_space(x)) { /* an error moves to the end */
        parse_event(p);
    }
    if (parse_command(x, &s->cleanup)) {
        lex_space(x);
        if (*x->at != 0) {
            lex_fail(x, x->at, "nothing may follow the command without a time that ends a script");
        }
    }
}

static struct script *parse_start(struct parse *p, const char *file, const char *text, size_t len, struct script_error *error)
{
    memset(p, 0, sizeof *p);
    bool open = lex_open(&p->x, file, text, len, error);
    p->script = lex_take(&p->x, sizeof *p->script);
    p->script->file = lex_copy(&p->x, (struct lex_word){file, strlen(file)});
    if (open) {
        parse_head(&p->x, &p->script->head);
    }
    return p->script;
}

static struct script *parse_done(struct parse *p)
{
    p->script->arena = p->x.arena;
    if (p->x.failed) {
        script_free(p->script);
        return NULL;
    }
    return p->script;
}

struct script *script_parse(const char *file, const char *text, size_t len, const struct script_define *defines,
                            int define_count, struct script_error *error)
{
    struct parse p;
    parse_start(&p, file, text, len, error);
    p.x.defines = defines;
    p.x.define_count = define_count;
    if (!p.x.failed) {
        parse_script(&p);
    }
    return parse_done(&p);
}

struct script *script_parse_head(const char *file, const char *text, size_t len, struct script_error *error)
{
    struct parse p;
    parse_start(&p, file, text, len, error);
    return parse_done(&p);
}

void script_free(struct script *script)
{
    if (script != NULL) {
        lex_free(script->arena);
    }
}
