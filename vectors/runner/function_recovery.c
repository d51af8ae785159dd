/* function_recovery.c - round-trip times, timeouts and congestion windows. */
#include <string.h>

#include "function.h"

static json_t *recovery_rto_state(const struct weir_rtt *r, unsigned backoff, const struct weiri_rto_bounds *bounds)
{
    json_t *state = json_pack("{sI}", "rto", (json_int_t)weiri_rtt_rto(r, backoff, bounds));
    if (r->srtt8 != 0) {
        json_object_set_new(state, "srtt", json_real(r->srtt8 / 8.0));
        json_object_set_new(state, "rttvar", json_real(r->rttvar4 / 4.0));
    }
    return state;
}

json_t *function_rto(struct function_input *in)
{
    struct weiri_rto_bounds bounds = {function_u32(in, "initial"), function_u32(in, "min"), function_u32(in, "max"),
                                      function_u32(in, "granularity")};
    const json_t *events = function_list(in, NULL, "events");
    json_t *states = json_array();
    struct weir_rtt r;
    unsigned backoff = 0;
    weiri_rtt_init(&r, &bounds);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (json_object_get(event, "timeout") != NULL) {
            backoff++;
        } else {
            weiri_rtt_sample(&r, (uint32_t)function_number(in, event, "sample", UINT32_MAX), &bounds);
            backoff = 0;
        }
        json_array_append_new(states, recovery_rto_state(&r, backoff, &bounds));
    }
    return json_pack("{so}", "states", states);
}

/* ---- Karn's rule ---- */

/* A run of 1 to 2^24 octets. */
static weir_block recovery_run(struct function_input *in, const json_t *event, const char *name)
{
    const json_t *edges = function_list(in, event, name);
    json_int_t from = json_integer_value(json_array_get(edges, 0)), to = json_integer_value(json_array_get(edges, 1));
    weir_block run = {seq_of((uint32_t)from), seq_of((uint32_t)to)};
    if (json_array_size(edges) != 2 || from < 0 || from > UINT32_MAX || to < 0 || to > UINT32_MAX ||
        seq_diff(run.from, run.to) - 1 >= 1u << 24) {
        function_bad(in, name, "is not the two edges of a run of octets");
        run = (weir_block){seq_of(0), seq_of(1)};
    }
    return run;
}

/* Octets go out in order: each run begins where the one before it ended. */
static void recovery_send(struct function_input *in, const json_t *event, struct weir_board *board, weir_us at)
{
    weir_block run = recovery_run(in, event, "send");
    const struct weir_sent *last = board->count > 0 ? weiri_board_record(board, board->count - 1u) : NULL;
    if (last != NULL && !seq_eq(last->to, run.from)) {
        function_bad(in, "send", "does not begin where the run before it ended");
    } else if (!weiri_board_push(board, run, at)) {
        function_bad(in, "events", "are too many");
    }
}

json_t *function_karn(struct function_input *in)
{
    struct weir_sent records[WEIRI_BOARD_MEMORY(16)];
    struct weir_board board;
    const json_t *events = function_list(in, NULL, "events");
    json_t *samples = json_array();
    weiri_board_init(&board, records, 16);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        weir_us at = function_number(in, event, "at", UINT32_MAX);
        if (json_object_get(event, "send") != NULL) {
            recovery_send(in, event, &board, at);
        } else if (json_object_get(event, "resend") != NULL) {
            weiri_board_lose_all(&board);
            weiri_board_resent(&board, recovery_run(in, event, "resend"), at);
        } else {
            struct weiri_acked a = weiri_board_ack(&board, seq_of((uint32_t)function_number(in, event, "ack", UINT32_MAX)), at);
            json_array_append_new(samples, a.sampled ? json_integer(a.rtt_us) : json_null());
        }
    }
    return json_pack("{so}", "samples", samples);
}

/* ---- the scoreboard ---- */

static json_t *recovery_board_state(const struct weir_board *board, uint32_t mss)
{
    weir_block run;
    bool lost = weiri_board_next_lost(board, mss, &run);
    json_t *next = lost ? json_pack("[II]", (json_int_t)run.from.v, (json_int_t)run.to.v) : json_null();
    return json_pack("{sI sI so}", "pipe", (json_int_t)weiri_board_pipe(board), "lost", (json_int_t)board->lost, "next", next);
}

json_t *function_scoreboard(struct function_input *in)
{
    struct weir_sent records[WEIRI_BOARD_MEMORY(64)];
    struct weir_board board;
    uint32_t mss = (uint32_t)function_number(in, NULL, "mss", UINT16_MAX);
    const json_t *events = function_list(in, NULL, "events");
    json_t *states = json_array();
    weiri_board_init(&board, records, 64);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (json_object_get(event, "send") != NULL) {
            recovery_send(in, event, &board, i);
        } else if (json_object_get(event, "sack") != NULL) {
            (void)weiri_board_sack(&board, recovery_run(in, event, "sack"));
        } else if (json_object_get(event, "resend") != NULL) {
            weiri_board_resent(&board, recovery_run(in, event, "resend"), i);
        } else {
            (void)weiri_board_ack(&board, seq_of((uint32_t)function_number(in, event, "ack", UINT32_MAX)), i);
        }
        (void)weiri_board_detect(&board, mss);
        json_array_append_new(states, recovery_board_state(&board, mss));
    }
    return json_pack("{so}", "states", states);
}

/* ---- congestion windows ---- */

json_t *function_initial_window(struct function_input *in)
{
    const char *rule = function_text(in, NULL, "rule");
    if (strcmp(rule, "RFC 5681") != 0 && strcmp(rule, "RFC 6928") != 0) {
        function_bad(in, "rule", "is neither RFC 5681 nor RFC 6928");
    }
    return json_pack("{sI}", "window", (json_int_t)weiri_cc_initial_window(function_u32(in, "mss"), strcmp(rule, "RFC 6928") == 0));
}

static bool recovery_event(struct function_input *in, const json_t *event, const char *name, uint32_t *value)
{
    if (json_object_get(event, name) == NULL) {
        return false;
    }
    *value = (uint32_t)function_number(in, event, name, UINT32_MAX);
    return true;
}

static void recovery_step(struct function_input *in, const json_t *event, uint32_t mss, struct weir_cc *cc)
{
    struct weiri_cc_event e = {.mss = mss, .limited = true, .repeated = json_is_true(json_object_get(event, "again"))};
    uint32_t value;
    if (recovery_event(in, event, "acked", &e.acked)) {
        weiri_cc_acked(cc, WEIR_CC_NEWRENO, &e);
    } else if (recovery_event(in, event, "loss", &e.flight)) {
        weiri_cc_loss(cc, WEIR_CC_NEWRENO, &e);
    } else if (recovery_event(in, event, "timeout", &e.flight)) {
        weiri_cc_timeout(cc, WEIR_CC_NEWRENO, &e);
    } else if (recovery_event(in, event, "recovered", &e.flight)) {
        weiri_cc_recovered(cc, WEIR_CC_NEWRENO, &e);
    } else if (recovery_event(in, event, "idle", &value)) {
        weiri_cc_idle(cc, value);
    } else if (recovery_event(in, event, "new-mss", &value)) {
        weiri_cc_new_mss(cc, mss, value);
    } else {
        function_bad(in, "events", "has one that is none of acked, loss, timeout, recovered, idle, new-mss");
    }
}

json_t *function_newreno(struct function_input *in)
{
    uint32_t mss = (uint32_t)function_number(in, NULL, "mss", UINT16_MAX);
    const json_t *events = function_list(in, NULL, "events");
    json_t *states = json_array();
    struct weir_cc cc;
    weiri_cc_init(&cc, function_u32(in, "cwnd"), seq_of(0));
    cc.ssthresh = function_u32(in, "ssthresh");
    for (size_t i = 0; i < json_array_size(events); i++) {
        recovery_step(in, json_array_get(events, i), mss, &cc);
        json_array_append_new(states, json_pack("{sI sI}", "cwnd", (json_int_t)cc.cwnd, "ssthresh", (json_int_t)cc.ssthresh));
    }
    return json_pack("{so}", "states", states);
}
