/* function_exchange.c - the figures of RFC 9293: two connections, and what passes between them. FORMAT.md has the steps. */
#include <stdlib.h>
#include <string.h>

#include "function.h"

enum { EXCHANGE_DELAYED = 4 };

struct exchange_segment {
    uint8_t octets[WEIR_TCP_HEADER_MAX + 64];
    size_t len;
    weir_view v; /* over `octets` */
};
struct exchange_end {
    struct bench *b;
    const json_t *iss; /* of its opens, in order */
    size_t opened;
    struct exchange_segment delayed[EXCHANGE_DELAYED];
    unsigned delayed_count;
};
struct exchange {
    struct exchange_end end[2]; /* A, B */
    struct function_input *in;
    char problem[300];
    size_t step;
};

static bool exchange_problem(struct exchange *x, const char *what)
{
    if (x->problem[0] == '\0') {
        snprintf(x->problem, sizeof x->problem, "step %zu: %s", x->step, what);
    }
    return false;
}

/* 0 for "A", 1 for "B". */
static unsigned exchange_who(struct exchange *x, const json_t *step, const char *member)
{
    const char *name = function_text(x->in, step, member);
    if (strcmp(name, "A") != 0 && strcmp(name, "B") != 0) {
        function_bad(x->in, member, "is neither A nor B");
    }
    return name[0] == 'B';
}

static unsigned exchange_flags(const json_t *step)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {{"SYN", WEIR_SYN}, {"ACK", WEIR_ACK}, {"FIN", WEIR_FIN}, {"RST", WEIR_RST}};
    const json_t *flags = json_object_get(step, "flags");
    unsigned bits = 0;
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *flag = json_string_value(json_array_get(flags, i));
        for (size_t k = 0; k < 4; k++) {
            bits |= flag != NULL && strcmp(flag, names[k].name) == 0 ? names[k].bit : 0;
        }
    }
    return bits;
}

static void exchange_next_iss(struct exchange_end *e)
{
    const json_t *iss = json_array_get(e->iss, e->opened++);
    if (iss != NULL) {
        bench_iss(e->b, (uint32_t)json_integer_value(iss));
    }
}

/* ---- passing segments ---- */

static void exchange_deliver(struct exchange *x, unsigned to, const weir_view *v)
{
    struct exchange_end *e = &x->end[to];
    if (weir_state(&e->b->c) == WEIR_LISTEN && (v->flags & (WEIR_SYN | WEIR_ACK | WEIR_RST)) == WEIR_SYN) {
        exchange_next_iss(e);
    }
    (void)weir_input(&e->b->c, v, e->b->now);
    const char *broken = weir_check(&e->b->c);
    if (broken != NULL) {
        (void)exchange_problem(x, broken);
    }
}

/* The numbers of a step against a segment. */
static bool exchange_matches(struct exchange *x, const json_t *step, const weir_view *v)
{
    const json_t *ack = json_object_get(step, "ack"), *len = json_object_get(step, "len");
    bool numbers = v->seq.v == (uint32_t)function_number(x->in, step, "seq", UINT32_MAX) &&
                   (ack == NULL || v->ack.v == (uint32_t)json_integer_value(ack)) && v->payload_len == (uint32_t)json_integer_value(len);
    return numbers && (v->flags & ~(unsigned)WEIR_PSH) == exchange_flags(step);
}

static bool exchange_poll(struct exchange *x, unsigned who, struct exchange_segment *s)
{
    struct bench *b = x->end[who].b;
    weir_view v;
    if (!bench_poll(b, &v)) {
        return false;
    }
    s->len = v.header_len + v.payload_len;
    if (s->len > sizeof s->octets) {
        return exchange_problem(x, "a longer segment than any figure has");
    }
    memcpy(s->octets, b->octets, s->len);
    s->v = v;
    s->v.payload = s->octets + v.header_len;
    return true;
}

/* An active OPEN where the figure shows a SYN out of CLOSED; text where it shows text. */
static void exchange_prepare(struct exchange *x, unsigned who, const json_t *step)
{
    struct exchange_end *e = &x->end[who];
    json_int_t len = json_integer_value(json_object_get(step, "len"));
    if (weir_state(&e->b->c) == WEIR_CLOSED && exchange_flags(step) == WEIR_SYN) {
        exchange_next_iss(e);
        if (weir_connect(&e->b->c, &e->b->tuple, e->b->now) != WEIR_ERR_NONE) {
            (void)exchange_problem(x, "weir_connect refuses");
        }
    }
    if (len > 0) {
        bench_send(e->b, (uint32_t)len);
    }
}

static void exchange_say(struct exchange *x, const json_t *step)
{
    unsigned who = exchange_who(x, step, "from");
    struct exchange_end *e = &x->end[who];
    struct exchange_segment said;
    exchange_prepare(x, who, step);
    if (!exchange_poll(x, who, &said)) {
        (void)exchange_problem(x, "it says nothing");
    } else if (!exchange_matches(x, step, &said.v)) {
        char what[160];
        snprintf(what, sizeof what, "it says flags %#x SEQ %lu ACK %lu and %lu octets", said.v.flags, (unsigned long)said.v.seq.v,
                 (unsigned long)said.v.ack.v, (unsigned long)said.v.payload_len);
        (void)exchange_problem(x, what);
    } else if (!function_bool(x->in, step, "delayed")) {
        exchange_deliver(x, 1 - who, &said.v);
    } else if (e->delayed_count == EXCHANGE_DELAYED) {
        function_bad(x->in, "steps", "delay too many segments");
    } else {
        e->delayed[e->delayed_count] = said;
        e->delayed[e->delayed_count].v.payload = e->delayed[e->delayed_count].octets + said.v.header_len;
        e->delayed_count++;
    }
}

/* What the other end said and was delayed, or a SYN of a former life. */
static void exchange_hear(struct exchange *x, const json_t *step)
{
    unsigned who = exchange_who(x, step, "to");
    struct exchange_end *from = &x->end[1 - who];
    for (unsigned i = 0; i < from->delayed_count; i++) {
        if (exchange_matches(x, step, &from->delayed[i].v)) {
            exchange_deliver(x, who, &from->delayed[i].v);
            return;
        }
    }
    weir_view old = {.seq = seq_of((uint32_t)function_number(x->in, step, "seq", UINT32_MAX)),
                     .flags = WEIR_SYN,
                     .window = BENCH_WINDOW,
                     .header_len = 20,
                     .source_port = x->end[who].b->tuple.remote_port,
                     .destination_port = x->end[who].b->tuple.local_port};
    if (exchange_flags(step) != WEIR_SYN) {
        function_bad(x->in, "steps", "deliver what nobody said and is no old SYN");
    }
    exchange_deliver(x, who, &old);
}

/* Whatever is still to be said is said and heard; nobody resets. */
static void exchange_settle(struct exchange *x)
{
    for (unsigned turn = 0; turn < 20; turn++) {
        struct exchange_segment said;
        while (exchange_poll(x, turn % 2, &said)) {
            if ((said.v.flags & WEIR_RST) != 0) {
                (void)exchange_problem(x, "a RST");
            }
            exchange_deliver(x, 1 - turn % 2, &said.v);
        }
    }
}

static void exchange_time_wait(struct exchange *x, const char *who)
{
    for (const char *at = who; *at != '\0'; at++) {
        struct bench *b = x->end[*at == 'B'].b;
        b->now += 2 * b->cfg.msl_us - 1;
        weir_expire(&b->c, b->now);
        if (weir_state(&b->c) != WEIR_TIME_WAIT) {
            (void)exchange_problem(x, "TIME-WAIT ended before 2 MSL");
        }
        b->now++;
        weir_expire(&b->c, b->now);
    }
}

static void exchange_step(struct exchange *x, const json_t *step)
{
    if (json_object_get(step, "from") != NULL) {
        exchange_say(x, step);
    } else if (json_object_get(step, "to") != NULL) {
        exchange_hear(x, step);
    } else if (json_object_get(step, "close") != NULL) {
        struct bench *b = x->end[exchange_who(x, step, "close")].b;
        if (weir_close(&b->c, b->now) != WEIR_ERR_NONE) {
            (void)exchange_problem(x, "weir_close refuses");
        }
    } else if (json_object_get(step, "settle") != NULL) {
        exchange_settle(x);
    } else {
        exchange_time_wait(x, function_text(x->in, step, "time-wait-ends"));
    }
}

/* ---- beginnings ---- */

static void exchange_established(struct exchange *x, unsigned who)
{
    struct bench *b = x->end[who].b;
    const json_t *numbers = json_object_get(json_object_get(x->in->object, "numbers"), who == 0 ? "A" : "B");
    weir_fields syn_ack = {.seq = seq_of((uint32_t)function_number(x->in, numbers, "rcv-nxt", UINT32_MAX) - 1)};
    bench_iss(b, (uint32_t)function_number(x->in, numbers, "snd-nxt", UINT32_MAX) - 1);
    bench_establish(b, syn_ack);
}

static bool exchange_begin(struct exchange *x, unsigned who)
{
    struct exchange_end *e = &x->end[who];
    const char *name = who == 0 ? "A" : "B", *state = function_text(x->in, json_object_get(x->in->object, "states"), name);
    e->b = bench_new();
    if (e->b == NULL) {
        return false;
    }
    if (who == 1) {
        weir_tuple t = e->b->tuple;
        e->b->tuple = (weir_tuple){t.remote, t.local, t.remote_port, t.local_port};
    }
    e->iss = json_object_get(json_object_get(x->in->object, "iss"), name);
    if (strcmp(state, "ESTABLISHED") == 0) {
        exchange_established(x, who);
    } else if (strcmp(state, "LISTEN") == 0) {
        (void)weir_listen(&e->b->c, &e->b->tuple, e->b->now);
    } else if (json_array_size(e->iss) == 0) { /* a host that came up again: it knows the sockets, not the connection */
        (void)weir_connect(&e->b->c, &e->b->tuple, e->b->now);
        bench_drain(e->b);
        (void)weir_abort(&e->b->c, e->b->now);
        bench_drain(e->b);
    }
    return true;
}

static json_t *exchange_run(struct exchange *x)
{
    const json_t *steps = function_list(x->in, NULL, "steps");
    json_t *states = json_array();
    for (; x->step < json_array_size(steps); x->step++) {
        exchange_step(x, json_array_get(steps, x->step));
        json_array_append_new(states, json_pack("{ss ss}", "A", weir_state_name(weir_state(&x->end[0].b->c)), "B",
                                                weir_state_name(weir_state(&x->end[1].b->c))));
    }
    return json_pack("{so}", "states", states);
}

json_t *function_exchange(struct function_input *in)
{
    struct exchange *x = calloc(1, sizeof *x);
    json_t *told = NULL;
    if (x == NULL) {
        return NULL;
    }
    x->in = in;
    if (exchange_begin(x, 0) && exchange_begin(x, 1)) {
        told = exchange_run(x);
        const char *problem = x->end[0].b->problem != NULL ? x->end[0].b->problem : x->end[1].b->problem;
        if (x->problem[0] != '\0' || problem != NULL) {
            json_object_set_new(told, "problem", json_string(x->problem[0] != '\0' ? x->problem : problem));
        }
    }
    free(x->end[0].b);
    free(x->end[1].b);
    free(x);
    return told;
}
