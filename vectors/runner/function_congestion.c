/* function_congestion.c - CUBIC's window and its reductions, and proportional rate reduction, in the segments that the RFCs count. */
#include <string.h>

#include "function.h"

#if WEIR_WITH_EVERYTHING

/* ---- CUBIC: a segment has 1000 octets ---- */

enum { CONGESTION_MSS = 1000, CONGESTION_SEGMENTS_MAX = 1000000 };
#define CONGESTION_START UINT64_C(1000000) /* of the clock, microseconds */

static double congestion_number(struct function_input *in, const char *name, double max)
{
    const json_t *value = json_object_get(in->object, name);
    double number = json_number_value(value);
    if (!json_is_number(value) || number < 0 || number > max) {
        function_bad(in, name, "is missing, no number, or out of range");
        return 0;
    }
    return number;
}

static uint32_t congestion_octets(struct function_input *in, const char *name)
{
    return (uint32_t)(congestion_number(in, name, CONGESTION_SEGMENTS_MAX) * CONGESTION_MSS + 0.5);
}

static json_t *congestion_segments(uint32_t octets)
{
    return json_real((double)octets / CONGESTION_MSS);
}

/* What RFC 9438 recommends is what weir has. */
static void congestion_constant(struct function_input *in, const char *name, double value)
{
    double number = congestion_number(in, name, 1);
    if (number < value || number > value) {
        function_bad(in, name, "is not the one that RFC 9438 recommends");
    }
}

/* An epoch begins: a first acknowledgment, of nothing, in congestion avoidance. */
static struct weiri_cc_event congestion_epoch(struct weir_cc *cc, uint32_t cwnd, uint32_t w_max)
{
    struct weiri_cc_event e = {.mss = CONGESTION_MSS, .limited = true, .now = CONGESTION_START};
    weiri_cc_init(cc, cwnd, seq_of(0));
    cc->ssthresh = cwnd;
    cc->cubic.w_max = cc->cubic.cwnd_prior = w_max;
    weiri_cc_acked(cc, WEIR_CC_CUBIC, &e);
    return e;
}

/* An acknowledgment of a whole window takes cwnd to W_cubic, by no more than half of cwnd at a time. The Reno-friendly window is kept out
 * of the way: it has a function of its own. */
json_t *function_cubic_window(struct function_input *in)
{
    struct weir_cc cc;
    struct weiri_cc_event e = congestion_epoch(&cc, congestion_octets(in, "cwnd-epoch"), congestion_octets(in, "w-max"));
    congestion_constant(in, "c", 0.4);
    e.now += (weir_us)(congestion_number(in, "t", 100) * 1e6);
    for (int i = 0; i < 64; i++) {
        cc.cubic.w_est = 0;
        e.acked = cc.cwnd;
        weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
    }
    return json_pack("{sf so}", "k", cc.cubic.k / 1024.0, "w-cubic", congestion_segments(cc.cwnd));
}

/* One acknowledgment, so long after the epoch began. */
json_t *function_cubic_step(struct function_input *in)
{
    struct weir_cc cc;
    struct weiri_cc_event e = congestion_epoch(&cc, congestion_octets(in, "cwnd"), congestion_octets(in, "w-max"));
    congestion_constant(in, "c", 0.4);
    e.now += (weir_us)(congestion_number(in, "t", 1000) * 1e6);
    e.rtt_us = (uint32_t)(congestion_number(in, "rtt", 100) * 1e6);
    e.acked = congestion_octets(in, "acked");
    weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
    return json_pack("{so}", "cwnd", congestion_segments(cc.cwnd));
}

/* From a loss on, round trip after round trip; each acknowledgment is of two segments. */
json_t *function_cubic_growth(struct function_input *in)
{
    struct weir_cc cc;
    double rtt = congestion_number(in, "rtt", 10), time = congestion_number(in, "t", 100);
    struct weiri_cc_event e = {.mss = CONGESTION_MSS, .limited = true, .rtt_us = (uint32_t)(rtt * 1e6)};
    weir_us end = CONGESTION_START + (weir_us)(time * 1e6 + 0.5);
    weiri_cc_init(&cc, congestion_octets(in, "w-max"), seq_of(0));
    e.flight = cc.cwnd;
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    if (e.rtt_us < 1000) {
        function_bad(in, "rtt", "is less than a millisecond");
        end = 0;
    }
    for (weir_us from = CONGESTION_START; from + e.rtt_us <= end; from += e.rtt_us) {
        uint32_t left = cc.cwnd, acks = (left + 2 * CONGESTION_MSS - 1) / (2 * CONGESTION_MSS);
        for (uint32_t i = 1; i <= acks; i++, left -= e.acked) {
            e.now = from + (weir_us)e.rtt_us * i / acks;
            e.acked = left < 2 * CONGESTION_MSS ? left : 2 * CONGESTION_MSS;
            weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
        }
    }
    return json_pack("{so}", "cwnd", congestion_segments(cc.cwnd));
}

json_t *function_cubic_reduce(struct function_input *in)
{
    struct weir_cc cc;
    struct weiri_cc_event e = {.mss = CONGESTION_MSS, .limited = true, .now = CONGESTION_START, .flight = congestion_octets(in, "flight")};
    weiri_cc_init(&cc, congestion_octets(in, "cwnd"), seq_of(0));
    cc.cubic.w_max = congestion_octets(in, "w-max");
    congestion_constant(in, "beta", 0.7);
    if (!function_bool(in, NULL, "fast-convergence")) {
        function_bad(in, "fast-convergence", "is false: weir has it always");
    }
    weiri_cc_loss(&cc, WEIR_CC_CUBIC, &e);
    return json_pack("{so so so}", "ssthresh", congestion_segments(cc.ssthresh), "cwnd", congestion_segments(cc.cwnd), "w-max",
                     congestion_segments(cc.cubic.w_max));
}

json_t *function_cubic_estimate(struct function_input *in)
{
    struct weir_cc cc;
    uint32_t cwnd = congestion_octets(in, "cwnd");
    struct weiri_cc_event e = congestion_epoch(&cc, cwnd, congestion_octets(in, "cwnd-prior"));
    const json_t *acked = function_list(in, NULL, "acked");
    json_t *states = json_array();
    congestion_constant(in, "beta", 0.7);
    for (size_t i = 0; i < json_array_size(acked); i++) {
        double segments = json_number_value(json_array_get(acked, i));
        if (segments <= 0 || segments > CONGESTION_SEGMENTS_MAX) {
            function_bad(in, "acked", "has what is no number of segments");
            break;
        }
        e.acked = (uint32_t)(segments * CONGESTION_MSS + 0.5);
        cc.cwnd = cwnd;
        weiri_cc_acked(&cc, WEIR_CC_CUBIC, &e);
        json_array_append_new(states, congestion_segments(cc.cubic.w_est));
    }
    return json_pack("{so}", "w-est", states);
}

/* ---- PRR, one acknowledgment ---- */

json_t *function_prr_step(struct function_input *in)
{
    struct weir_prr p;
    struct weiri_prr_ack a = {.delivered = function_u32(in, "delivered"),
                              .inflight = (uint32_t)function_number(in, NULL, "inflight", WEIRI_CWND_MAX),
                              .ssthresh = function_u32(in, "ssthresh"),
                              .mss = function_u32(in, "mss"),
                              .safe = function_bool(in, NULL, "safe")};
    a.cwnd = a.inflight;
    weiri_prr_begin(&p, function_u32(in, "recover-fs"));
    p.delivered = function_u32(in, "prr-delivered");
    weiri_prr_sent(&p, function_u32(in, "prr-out"));
    uint32_t cwnd = weiri_prr_acked(&p, &a);
    return json_pack("{sI}", "send-count", (json_int_t)cwnd - (json_int_t)a.inflight);
}

/* ---- PRR, a recovery as the figures draw it: a segment is an octet ---- */

enum { TRACE_MAX = 256 };

struct congestion_trace {
    struct weir_sent records[WEIRI_BOARD_MEMORY(TRACE_MAX)];
    struct weir_board board;
    struct weir_prr prr;
    uint32_t cwnd, ssthresh;
    uint32_t una, nxt, recover;
    uint32_t way[2 * TRACE_MAX]; /* what is under way and will arrive, in order */
    uint32_t first, last;        /* of them */
    bool has[TRACE_MAX + 1];     /* the receiver */
    bool lost[TRACE_MAX];        /* the first transmission is */
    bool recovering, limited_transmit;
};

static weir_block trace_run(uint32_t segment)
{
    return (weir_block){seq_of(segment), seq_of(segment + 1)};
}

static bool trace_new(struct congestion_trace *t)
{
    if (t->nxt == TRACE_MAX || !weiri_board_push(&t->board, trace_run(t->nxt), t->nxt)) {
        return false;
    }
    if (!t->lost[t->nxt]) {
        t->way[t->last++] = t->nxt;
    }
    t->nxt++;
    return true;
}

/* What cwnd lets go: lost segments first. As letters. */
static json_t *trace_send(struct congestion_trace *t, bool may)
{
    char letters[TRACE_MAX + 1];
    size_t count = 0;
    while (may && weiri_board_pipe(&t->board) < t->cwnd && count < TRACE_MAX && t->last < 2 * TRACE_MAX) {
        weir_block run;
        bool again = weiri_board_next_lost(&t->board, 1, &run);
        if (again) {
            weiri_board_resent(&t->board, run, TRACE_MAX + t->last);
            t->way[t->last++] = run.from.v;
        } else if (!trace_new(t)) {
            break;
        }
        if (t->recovering) {
            weiri_prr_sent(&t->prr, 1);
        }
        letters[count++] = again ? 'R' : 'N';
    }
    return json_stringn(letters, count);
}

/* cwnd after an acknowledgment that delivers one segment. */
static void trace_window(struct congestion_trace *t, uint32_t newly, uint32_t lost, bool advanced)
{
    if (!t->recovering && lost > 0) {
        t->recovering = true;
        t->recover = t->nxt;
        weiri_prr_begin(&t->prr, t->nxt - t->una - (t->board.sacked - newly));
    } else if (t->recovering && t->una >= t->recover) {
        t->recovering = false;
        t->cwnd = t->ssthresh;
    }
    if (t->recovering) {
        struct weiri_prr_ack a = {newly, weiri_board_pipe(&t->board), t->ssthresh, t->cwnd, 1, advanced && lost == 0};
        t->cwnd = weiri_prr_acked(&t->prr, &a);
    }
}

static json_t *trace_step(struct congestion_trace *t, uint32_t label)
{
    uint32_t segment = t->way[t->first++], before = t->una, newly;
    t->has[segment] = true;
    while (t->has[t->una]) {
        t->una++;
    }
    bool advanced = t->una != before;
    if (advanced) {
        struct weiri_acked a = weiri_board_ack(&t->board, seq_of(t->una), TRACE_MAX + t->last);
        newly = a.octets - a.sacked;
    } else {
        newly = weiri_board_sack(&t->board, trace_run(segment));
    }
    trace_window(t, newly, weiri_board_detect(&t->board, 1), advanced);
    json_t *step = json_pack("{sI sI sI}", "ack", (json_int_t)label, "cwnd", (json_int_t)t->cwnd, "inflight",
                             (json_int_t)weiri_board_pipe(&t->board));
    json_object_set_new(step, "sent", trace_send(t, t->recovering || advanced || t->limited_transmit));
    return step;
}

static void trace_begin(struct function_input *in, struct congestion_trace *t)
{
    const json_t *lost = function_list(in, NULL, "lost");
    uint32_t flight = (uint32_t)function_number(in, NULL, "flight", TRACE_MAX / 2);
    memset(t, 0, sizeof *t);
    weiri_board_init(&t->board, t->records, TRACE_MAX);
    t->cwnd = (uint32_t)function_number(in, NULL, "cwnd", TRACE_MAX / 2);
    t->ssthresh = (uint32_t)function_number(in, NULL, "ssthresh", TRACE_MAX / 2);
    t->limited_transmit = function_bool(in, NULL, "limited-transmit");
    for (size_t i = 0; i < json_array_size(lost); i++) {
        json_int_t segment = json_integer_value(json_array_get(lost, i));
        if (!json_is_integer(json_array_get(lost, i)) || segment < 0 || segment >= flight) {
            function_bad(in, "lost", "has what is no segment of the flight");
            continue;
        }
        t->lost[segment] = true;
    }
    while (t->nxt < flight && trace_new(t)) {
    }
}

/* Acknowledgments are numbered on from the first segment that arrives. */
json_t *function_prr_trace(struct function_input *in)
{
    struct congestion_trace t;
    uint32_t acks = (uint32_t)function_number(in, NULL, "acks", TRACE_MAX / 2);
    json_t *steps = json_array();
    trace_begin(in, &t);
    for (uint32_t i = 0, label = t.way[0]; i < acks && t.first < t.last; i++) {
        json_array_append_new(steps, trace_step(&t, label + i));
    }
    return json_pack("{so}", "steps", steps);
}

#endif /* WEIR_WITH_EVERYTHING */
