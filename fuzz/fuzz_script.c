/* fuzz_script.c - scripts of the runner: the parser, the code of %{ }%, the commands. Text in, a script or a well-placed error out.
 *
 * Input: a script. Checks: an error names a place inside the text; what is accepted keeps its own rules (numbers that agree, options that
 * fit, times in order); the head read alone is the same; a comment more changes nothing; every command and every code block is answered. */
#include "fuzz.h"

#include "../vectors/runner/expr.c"
#include "../vectors/runner/expr_value.c"
#include "../vectors/runner/lex.c"
#include "../vectors/runner/parse.c"
#include "../vectors/runner/parse_head.c"
#include "../vectors/runner/parse_packet.c"
#include "../vectors/runner/settings.c"

static const struct script_define script_defines[] = {{"A", NULL}, {"N", "17"}, {"HEX", "0a0b"}};

static struct script *script_read(const uint8_t *data, size_t size, struct script_error *error)
{
    return script_parse("x", (const char *)data, size, script_defines, 3, error);
}

static void script_check_error(const struct script_error *error, const uint8_t *data, size_t size)
{
    int lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    FUZZ_CHECK(error->pos.line >= 1 && error->pos.line <= lines, "an error on a line that is not there");
    FUZZ_CHECK(error->pos.column >= 1 && (size_t)error->pos.column <= size + 1, "an error in a column that is not there");
    FUZZ_CHECK(memchr(error->text, 0, sizeof error->text) != NULL, "a message without an end");
    const char *caret = strrchr(error->text, '\n');
    FUZZ_CHECK(strstr(error->text, ": error: ") != NULL && caret != NULL && strchr(caret, '^') != NULL, "a message without its parts");
}

static void script_check_packet(const struct script_packet *p)
{
    int octets = 0;
    FUZZ_CHECK(p->proto != SCRIPT_TCP || p->seq + p->len == p->seq_end, "sequence numbers that contradict each other");
    FUZZ_CHECK(p->win <= 65535 && p->urg <= 65535 && (p->flags & ~0x1ffu) == 0, "fields that do not fit a header");
    FUZZ_CHECK(p->option_count >= 0 && p->option_count <= SCRIPT_OPTIONS_MAX, "too many options");
    for (int i = 0; i < p->option_count; i++) {
        const struct script_option *o = &p->options[i];
        FUZZ_CHECK(o->sack_count <= SCRIPT_SACK_MAX && o->octet_count <= 38, "an option that does not fit");
        octets += 1 + o->octet_count + 8 * o->sack_count;
    }
    FUZZ_CHECK(octets <= 40, "options that do not fit");
}

static void script_check_value(const struct script_value *v)
{
    bool texts = v->kind == SCRIPT_SYMBOL || v->kind == SCRIPT_STRING || v->kind == SCRIPT_CALLED;
    FUZZ_CHECK(!texts || v->text != NULL, "a name without text");
    FUZZ_CHECK(v->kind != SCRIPT_STRING || v->text[v->octet_count] == 0, "a text without an end");
    FUZZ_CHECK(v->item_count == 0 || v->items != NULL, "a list of nothing");
    for (int i = 0; i < v->item_count; i++) {
        script_check_value(&v->items[i]);
    }
}

static bool script_apply(void *self, const char *name, const char *value)
{
    unsigned *count = self;
    FUZZ_CHECK(name[0] != 0 && value != NULL, "a setting without a name");
    return ++*count % 7 != 0;
}

static void script_check_text(const char *text)
{
    char why[120] = "";
    unsigned count = 0;
    if (text != NULL && !settings_shell(text, script_apply, &count, why, sizeof why)) {
        FUZZ_CHECK(strstr(why, "not supported") != NULL || strlen(why) == sizeof why - 1, "a refusal without words");
    }
}

static void script_check_code(struct expr *e, const char *text)
{
    char why[120];
    enum expr_result result = expr_run(e, text, why, sizeof why);
    FUZZ_CHECK(result >= EXPR_OK && result <= EXPR_BROKEN && (result == EXPR_OK) == (why[0] == 0), "an answer without words");
}

static void script_check_event(const struct script_event *event, struct expr *e)
{
    FUZZ_CHECK(event->time.from >= 0 && event->time.to >= event->time.from, "a time that ends before it begins");
    switch (event->kind) {
    case SCRIPT_PACKET:
        script_check_packet(event->packet);
        break;
    case SCRIPT_CALL:
        for (int i = 0; i < event->call->arg_count; i++) {
            script_check_value(&event->call->args[i]);
        }
        script_check_value(&event->call->result);
        FUZZ_CHECK(!event->call->blocking || event->call->end.to >= event->time.from, "a call that ends before it begins");
        break;
    case SCRIPT_SHELL:
        script_check_text(event->text);
        break;
    case SCRIPT_CODE:
        script_check_code(e, event->text);
        break;
    }
}

/* The same with a comment behind it. */
static void script_check_comment(const struct script *s, const uint8_t *data, size_t size)
{
    static const char comment[] = "\n// end";
    struct script_error error;
    uint8_t *longer = malloc(size + sizeof comment);
    FUZZ_CHECK(longer != NULL, "no memory");
    memcpy(longer, data, size);
    memcpy(longer + size, comment, sizeof comment - 1);
    struct script *again = script_read(longer, size + sizeof comment - 1, &error);
    FUZZ_CHECK(again != NULL || s->head.present, "a comment made it no script");
    FUZZ_CHECK(again == NULL || again->event_count == s->event_count, "a comment changed the events");
    script_free(again);
    free(longer);
}

static void script_check(const struct script *s, const uint8_t *data, size_t size)
{
    struct script_error error;
    struct script *head = script_parse_head("x", (const char *)data, size, &error);
    FUZZ_CHECK(head != NULL && head->head.present == s->head.present, "the head alone is another");
    script_free(head);
    script_check_comment(s, data, size);
    script_check_text(s->init);
    script_check_text(s->cleanup);
    struct expr *e = expr_new();
    FUZZ_CHECK(e != NULL, "no memory");
    expr_set_int(e, "tcpi_snd_cwnd", 10);
    expr_set_text(e, "name", "cubic");
    for (int i = 0; i < s->event_count; i++) {
        script_check_event(&s->events[i], e);
    }
    expr_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > FUZZ_ROOM) {
        return 0;
    }
    struct script_error error;
    const uint8_t *guarded = fuzz_put(data, size);
    struct script *s = script_read(guarded, size, &error);
    if (s == NULL) {
        script_check_error(&error, guarded, size);
    } else {
        script_check(s, guarded, size);
    }
    script_free(s);
    return 0;
}
