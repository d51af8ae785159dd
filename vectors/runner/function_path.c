/* function_path.c - what acknowledgments tell of a path: samples of the delivery rate, and the model that BBR makes of them. */
#include <string.h>

#include "function.h"

#if WEIR_WITH_EVERYTHING

/* ---- samples of the delivery rate ---- */

enum { PATH_SEGMENTS_MAX = 128 };

struct path_tape {
    struct weir_sent records[WEIRI_BOARD_MEMORY(PATH_SEGMENTS_MAX)];
    struct weir_board board;
    struct weir_rate rate;
    weir_seq una, nxt;
    uint32_t min_rtt;
    bool begun;
};

static weir_block path_run(struct function_input *in, const json_t *edges)
{
    json_int_t from = json_integer_value(json_array_get(edges, 0)), to = json_integer_value(json_array_get(edges, 1));
    weir_block run = {seq_of((uint32_t)from), seq_of((uint32_t)to)};
    bool numbers = from >= 0 && from <= UINT32_MAX && to >= 0 && to <= UINT32_MAX;
    if (json_array_size(edges) != 2 || !numbers || seq_diff(run.from, run.to) - 1 >= 1u << 24) {
        function_bad(in, "events", "has what is no run of octets");
        run = (weir_block){seq_of(0), seq_of(1)};
    }
    return run;
}

static void path_send(struct function_input *in, struct path_tape *t, const json_t *event, weir_us at)
{
    weir_block run = path_run(in, json_object_get(event, "send"));
    if (t->begun && !seq_eq(run.from, t->nxt)) {
        function_bad(in, "send", "does not begin where the run before it ended");
        return;
    }
    t->una = t->begun ? t->una : run.from;
    t->begun = true;
    weiri_rate_sending(&t->board, seq_eq(t->una, run.from), at);
    if (!weiri_board_push(&t->board, run, at)) {
        function_bad(in, "events", "are too many");
    }
    t->nxt = run.to;
}

/* The first that is outstanding goes again. */
static void path_resend(struct function_input *in, struct path_tape *t, const json_t *event, weir_us at)
{
    weir_block run = path_run(in, json_object_get(event, "resend"));
    if (!seq_eq(run.from, t->una) || weiri_board_lose_head(&t->board, seq_diff(run.from, run.to)) == 0) {
        function_bad(in, "resend", "is not the first that is outstanding");
        return;
    }
    weiri_board_resent(&t->board, run, at);
}

static void path_limit(struct function_input *in, struct path_tape *t, const json_t *event)
{
    bool window = strcmp(function_text(in, event, "limited"), "window") == 0;
    weiri_rate_limit(&t->rate, &t->board, window ? WEIRI_LIMITED_WINDOW : WEIRI_LIMITED_APP);
}

static const char *path_limited(unsigned limited)
{
    return limited == WEIRI_LIMITED_APP ? "application" : limited == WEIRI_LIMITED_WINDOW ? "window" : "";
}

static void path_deliver(struct path_tape *t, struct weiri_rate_sample *s, weir_block run, weir_us at)
{
    struct weir_sent part;
    uint32_t i = 0;
    while (weiri_board_walk(&t->board, run, &i, &part)) {
        weiri_rate_delivered(&t->board, s, &part, at);
    }
}

static json_t *path_ack(struct function_input *in, struct path_tape *t, const json_t *event, weir_us at)
{
    weir_block run = {t->una, seq_of((uint32_t)function_number(in, event, "ack", UINT32_MAX))};
    const json_t *blocks = function_list(in, event, "sack");
    struct weiri_rate_sample s;
    memset(&s, 0, sizeof s);
    if (seq_diff(run.from, run.to) > seq_diff(t->una, t->nxt)) {
        function_bad(in, "ack", "is of what was never sent");
        return json_null();
    }
    if (!seq_eq(run.from, run.to)) {
        path_deliver(t, &s, run, at);
        (void)weiri_board_ack(&t->board, run.to, at);
        t->una = run.to;
    }
    for (size_t i = 0; i < json_array_size(blocks); i++) {
        weir_block block = path_run(in, json_array_get(blocks, i));
        path_deliver(t, &s, block, at);
        (void)weiri_board_sack(&t->board, block);
    }
    weiri_rate_finish(&t->rate, &t->board, &s, t->min_rtt);
    return json_pack("{sI sI sI sI sI sI ss}", "acked", (json_int_t)s.acked, "delivered", (json_int_t)s.delivered, "interval",
                     (json_int_t)s.interval, "prior", (json_int_t)s.prior, "rtt", (json_int_t)s.rtt_us, "rate",
                     (json_int_t)weiri_rate_of(s.delivered, s.interval), "limited", path_limited(s.limited));
}

json_t *function_delivery_rate(struct function_input *in)
{
    struct path_tape t;
    const json_t *events = function_list(in, NULL, "events");
    json_t *samples = json_array();
    memset(&t, 0, sizeof t);
    weiri_board_init(&t.board, t.records, PATH_SEGMENTS_MAX);
    t.min_rtt = function_u32(in, "min-rtt");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        weir_us at = function_number(in, event, "at", UINT32_MAX);
        if (json_object_get(event, "send") != NULL) {
            path_send(in, &t, event, at);
        } else if (json_object_get(event, "resend") != NULL) {
            path_resend(in, &t, event, at);
        } else if (json_object_get(event, "limited") != NULL) {
            path_limit(in, &t, event);
        } else {
            json_array_append_new(samples, path_ack(in, &t, event, at));
        }
    }
    return json_pack("{so}", "samples", samples);
}

/* ---- BBR ---- */

/* An acknowledgment, as FORMAT.md has its columns. */
enum path_column {
    PATH_AT, PATH_ACKED, PATH_DELIVERED, PATH_INTERVAL, PATH_PRIOR, PATH_RTT, PATH_LIMITED, PATH_FRESH, PATH_INFLIGHT, PATH_LOST,
    PATH_TOTAL, PATH_REPAIRING, PATH_COLUMNS
};

static bool path_row(struct function_input *in, const json_t *row, uint32_t *columns)
{
    for (size_t i = 0; i < PATH_COLUMNS; i++) {
        json_int_t number = json_integer_value(json_array_get(row, i));
        if (json_array_size(row) != PATH_COLUMNS || number < 0 || number > UINT32_MAX) {
            function_bad(in, "events", "has what is no acknowledgment");
            return false;
        }
        columns[i] = (uint32_t)number;
    }
    return true;
}

static void path_model(struct function_input *in, struct weir_cc *cc, struct weiri_cc_event *e, const json_t *row)
{
    uint32_t x[PATH_COLUMNS];
    struct weiri_rate_sample s;
    if (!path_row(in, row, x)) {
        return;
    }
    memset(&s, 0, sizeof s);
    s.acked = x[PATH_ACKED];
    s.delivered = x[PATH_DELIVERED];
    s.interval = x[PATH_INTERVAL];
    s.prior = x[PATH_PRIOR];
    s.rtt_us = x[PATH_RTT];
    s.limited = (uint8_t)x[PATH_LIMITED];
    s.first_at = 1;
    s.delivered_at = x[PATH_FRESH] != 0 ? 1 : 2; /* what goes after silence begins both at once */
    s.any = s.acked > 0;
    e->now = x[PATH_AT];
    e->rate = &s;
    e->acked = s.acked;
    e->inflight = x[PATH_INFLIGHT];
    e->lost = x[PATH_LOST];
    e->delivered = x[PATH_TOTAL];
    e->timeout = x[PATH_REPAIRING] != 0;
    weiri_cc_model(cc, WEIR_CC_BBR, e);
    e->rate = NULL;
}

static json_t *path_bound(uint32_t bound)
{
    return bound == UINT32_MAX ? json_null() : json_integer(bound);
}

static json_t *path_state(const struct weir_cc *cc)
{
    static const char *const phases[] = {"", "Startup", "Drain", "Down", "Cruise", "Refill", "Up", "ProbeRTT"};
    const struct weir_bbr *b = &cc->bbr;
    return json_pack("{ss sI sI sI sI so so so}", "phase", phases[b->phase], "cwnd", (json_int_t)cc->cwnd, "rate", (json_int_t)b->rate,
                     "bandwidth", (json_int_t)weiri_bbr_bandwidth(cc), "min-rtt", (json_int_t)b->min_rtt, "bandwidth-lower",
                     path_bound(b->bw_lo), "inflight-lower", path_bound(b->inflight_lo), "inflight-upper", path_bound(b->inflight_hi));
}

json_t *function_bbr(struct function_input *in)
{
    struct weir_cc cc, saved;
    struct weiri_cc_event e;
    const json_t *events = function_list(in, NULL, "events");
    json_t *states = json_array();
    memset(&e, 0, sizeof e);
    e.mss = (uint32_t)function_number(in, NULL, "mss", UINT16_MAX);
    e.nxt = function_seq(in, "drawn");
    weiri_cc_init(&cc, function_u32(in, "cwnd"), e.nxt);
    saved = cc;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        const char *word = json_string_value(event);
        if (word == NULL) {
            path_model(in, &cc, &e, event);
        } else if (strcmp(word, "tell") == 0) {
            json_array_append_new(states, path_state(&cc));
        } else if (strcmp(word, "timeout") == 0) {
            weiri_cc_timeout(&cc, WEIR_CC_BBR, &e);
        } else if (strcmp(word, "mark") == 0) {
            weiri_cc_marked(&cc, WEIR_CC_BBR, &e);
        } else if (strcmp(word, "save") == 0) {
            saved = cc;
        } else if (strcmp(word, "undo") == 0) {
            weiri_bbr_undo(&cc, &saved);
        } else {
            function_bad(in, "events", "has a word that is none");
        }
    }
    return json_pack("{so}", "states", states);
}

#endif /* WEIR_WITH_EVERYTHING */
