/* function_conn.c - functions that only a connection can show: what is acceptable, what is answered, what is echoed. */
#include <string.h>

#include "function.h"

/* A connection as facts.c sees one: made of numbers, not of segments. */
static weir_conn conn_of_numbers(const weir_config *cfg)
{
    weir_conn c;
    memset(&c, 0, sizeof c);
    c.cfg = cfg;
    c.state = WEIR_ESTABLISHED;
    c.rcv.adv = seq_of(1000);
    return c;
}

json_t *function_acceptable(struct function_input *in)
{
    weir_seq nxt = function_seq(in, "rcv-nxt");
    weir_block window = {nxt, seq_add(nxt, function_u32(in, "rcv-wnd"))};
    return json_pack("{sb}", "acceptable", weiri_acceptable(window, function_seq(in, "seg-seq"), function_u32(in, "seg-len")));
}

json_t *function_acknowledgment(struct function_input *in)
{
    weir_config cfg;
    weir_view v = {.flags = WEIR_ACK, .ack = function_seq(in, "seg-ack")};
    weir_config_rfc(&cfg);
    cfg.ack_check = true;
    weir_conn c = conn_of_numbers(&cfg);
    c.snd.una = function_seq(in, "snd-una");
    c.snd.nxt = c.snd.end = function_seq(in, "snd-nxt");
    c.snd.iss = seq_sub(c.snd.una, 1000000);
    c.snd.max_wnd = function_u32(in, "max-snd-wnd");
    c.octets_acked = 1 << 30; /* no young connection: RFC 5961's bound is the window */
    uint32_t facts = weiri_facts_segment(&c, &v) & ((uint32_t)WEIRI_F_ACK_NEW | WEIRI_F_ACK_OLD | WEIRI_F_ACK_FUTURE);
    const char *kind = facts == WEIRI_F_ACK_NEW      ? "new"
                       : facts == WEIRI_F_ACK_OLD    ? "old"
                       : facts == WEIRI_F_ACK_FUTURE ? "future"
                       : facts == 0                  ? "duplicate"
                                                     : "two at once";
    return json_pack("{ss}", "kind", kind);
}

json_t *function_paws(struct function_input *in)
{
    weir_config cfg;
    weir_view v = {.flags = WEIR_ACK, .options = WEIR_OPT_TIMESTAMPS, .ts_value = function_u32(in, "tsval")};
    weir_config_rfc(&cfg);
    weir_conn c = conn_of_numbers(&cfg);
    conn_set(&c, WEIRI_TS_OK, true);
    c.ts.recent = function_u32(in, "ts-recent");
    c.ts.recent_at = 1000000;
    c.now = c.ts.recent_at + function_number(in, NULL, "idle", INT64_MAX / 2);
    v.flags = function_bool(in, NULL, "rst") ? WEIR_RST | WEIR_ACK : WEIR_ACK;
    return json_pack("{sb}", "accept", (weiri_facts_segment(&c, &v) & WEIRI_F_STALE) == 0);
}

json_t *function_time_wait_syn(struct function_input *in)
{
    struct weiri_reuse r = {.old_ts = function_bool(in, NULL, "old-timestamps"),
                            .new_ts = function_bool(in, NULL, "new-timestamps"),
                            .recent = function_u32(in, "ts-recent"),
                            .ts_value = function_u32(in, "tsval"),
                            .last = function_seq(in, "last-seq"),
                            .isn = function_seq(in, "isn")};
    return json_pack("{sb}", "accept", weiri_reuse_allowed(&r));
}

/* ---- RFC 5961 ---- */

static const char *conn_reaction(struct bench *b, weir_seq nxt, weir_seq una)
{
    weir_view v, more;
    if (weir_state(&b->c) != WEIR_ESTABLISHED) {
        return weir_state(&b->c) == WEIR_CLOSED && weir_error(&b->c) == WEIR_ERR_RESET ? "reset" : "another state";
    }
    if (!bench_poll(b, &v)) {
        return "drop";
    }
    bool challenge = v.flags == WEIR_ACK && seq_eq(v.seq, una) && seq_eq(v.ack, nxt) && v.payload_len == 0;
    return challenge && !bench_poll(b, &more) ? "challenge-ack" : "another answer";
}

json_t *function_reset(struct function_input *in)
{
    struct bench *b = bench_new();
    const char *flags = function_text(in, NULL, "flags");
    weir_seq nxt = function_seq(in, "rcv-nxt");
    weir_fields syn_ack = {.seq = seq_sub(nxt, 1)}, segment;
    if (b == NULL) {
        return NULL;
    }
    if (strcmp(flags, "RST") != 0 && strcmp(flags, "SYN") != 0) {
        function_bad(in, "flags", "is neither RST nor SYN");
    }
    bench_establish(b, syn_ack);
    b->c.rcv.adv = seq_add(nxt, (uint32_t)function_number(in, NULL, "rcv-wnd", BENCH_RING));
    weir_seq una = b->c.snd.nxt;
    segment = bench_ack(b);
    segment.flags = strcmp(flags, "RST") == 0 ? WEIR_RST : WEIR_SYN;
    segment.seq = function_seq(in, "seg-seq");
    bool text = json_object_get(in->object, "seg-len") != NULL;
    bench_input(b, &segment, text ? (uint32_t)function_number(in, NULL, "seg-len", 4096) : 0);
    json_t *told = json_pack("{ss}", "reaction", conn_reaction(b, nxt, una));
    return bench_done(b, told);
}

/* ---- the receiver's side ---- */

static json_t *conn_sack_answer(const weir_view *v)
{
    json_t *blocks = json_array();
    for (unsigned i = 0; i < v->sack_count; i++) {
        json_array_append_new(blocks, json_pack("[II]", (json_int_t)v->sack[i].from.v, (json_int_t)v->sack[i].to.v));
    }
    return json_pack("{sI so}", "ack", (json_int_t)v->ack.v, "sack", blocks);
}

json_t *function_sack_receiver(struct function_input *in)
{
    struct bench *b = bench_new();
    const json_t *segments = function_list(in, NULL, "segments");
    json_t *answers = json_array();
    weir_fields syn_ack = {.seq = seq_sub(function_seq(in, "rcv-nxt"), 1), .options = WEIR_OPT_SACK_OK};
    if (b == NULL) {
        json_decref(answers);
        return NULL;
    }
    b->cfg.sack = true;
    bench_establish(b, syn_ack);
    for (size_t i = 0; i < json_array_size(segments); i++) {
        const json_t *edges = json_array_get(segments, i);
        uint32_t from = (uint32_t)json_integer_value(json_array_get(edges, 0)), to = (uint32_t)json_integer_value(json_array_get(edges, 1));
        weir_fields text = bench_ack(b);
        weir_view v, more;
        text.seq = seq_of(from);
        bench_input(b, &text, to - from);
        bool said = bench_poll(b, &v);
        json_array_append_new(answers, said ? conn_sack_answer(&v) : json_null());
        if (bench_poll(b, &more)) {
            json_array_append_new(answers, json_string("a second segment"));
        }
    }
    return bench_done(b, json_pack("{so}", "answers", answers));
}

/* ---- timestamps ---- */

#define CONN_START 100000u
#define CONN_SEGMENT 100u

static void conn_stamp(struct bench *b, uint32_t before)
{
    weir_fields syn_ack = {.seq = seq_of(CONN_START - 1), .options = WEIR_OPT_TIMESTAMPS, .ts_value = before};
    b->cfg.timestamps = true;
    syn_ack.ts_echo = weiri_ts_offset(&b->cfg, &b->tuple) + (uint32_t)(b->now / 1000);
    bench_establish(b, syn_ack);
}

json_t *function_timestamp_echo(struct function_input *in)
{
    struct bench *b = bench_new();
    const json_t *segments = function_list(in, NULL, "segments");
    bool delayed = function_bool(in, NULL, "delayed");
    json_t *answers = json_array();
    if (b == NULL) {
        json_decref(answers);
        return NULL;
    }
    conn_stamp(b, function_u32(in, "before"));
    b->c.quick_acks = delayed ? 0 : 255;
    b->cfg.ack_every = delayed ? 100 : 1;
    for (size_t i = 0; i < json_array_size(segments); i++) {
        const json_t *segment = json_array_get(segments, i);
        weir_fields text = bench_ack(b);
        weir_view v;
        text.seq = seq_of(CONN_START + CONN_SEGMENT * (uint32_t)function_number(in, segment, "segment", 100));
        text.options = WEIR_OPT_TIMESTAMPS;
        text.ts_value = (uint32_t)function_number(in, segment, "tsval", UINT32_MAX);
        bench_input(b, &text, CONN_SEGMENT);
        json_t *told = json_pack("{sI}", "recent", (json_int_t)b->c.ts.recent);
        bool last = i + 1 == json_array_size(segments);
        if (bench_poll(b, &v) || (delayed && last && bench_wait(b) && bench_poll(b, &v))) {
            json_object_set_new(told, "ack", json_integer((json_int_t)((v.ack.v - CONN_START) / CONN_SEGMENT)));
            json_object_set_new(told, "echo", v.options & WEIR_OPT_TIMESTAMPS ? json_integer(v.ts_echo) : json_null());
        }
        json_array_append_new(answers, told);
    }
    return bench_done(b, json_pack("{so}", "answers", answers));
}

json_t *function_timestamp_echo_sent(struct function_input *in)
{
    struct bench *b = bench_new();
    const json_t *heard = function_list(in, NULL, "heard");
    json_t *echoes = json_array();
    if (b == NULL) {
        json_decref(echoes);
        return NULL;
    }
    conn_stamp(b, function_u32(in, "before"));
    for (size_t i = 0; i <= json_array_size(heard); i++) {
        weir_view v;
        if (i > 0) {
            weir_fields ack = bench_ack(b);
            ack.options = WEIR_OPT_TIMESTAMPS;
            ack.ts_value = (uint32_t)json_integer_value(json_array_get(heard, i - 1));
            ack.ts_echo = weiri_ts_now(&b->c);
            bench_input(b, &ack, 0);
        }
        bench_send(b, CONN_SEGMENT);
        bool sent = bench_poll(b, &v) && v.payload_len == CONN_SEGMENT && (v.options & WEIR_OPT_TIMESTAMPS) != 0;
        json_array_append_new(echoes, sent ? json_integer(v.ts_echo) : json_null());
    }
    return bench_done(b, json_pack("{so}", "echoes", echoes));
}

/* ---- windows ---- */

json_t *function_window(struct function_input *in)
{
    struct bench *b = bench_new();
    uint8_t shift = (uint8_t)function_number(in, NULL, "shift", 255);
    weir_fields syn_ack = {.seq = seq_of(CONN_START - 1), .options = WEIR_OPT_WSCALE, .wscale = shift}, ack;
    if (b == NULL) {
        return NULL;
    }
    b->cfg.window_scale = true;
    bench_iss(b, function_u32(in, "snd-una") - 1);
    bench_establish(b, syn_ack);
    bench_send(b, 2000);
    bench_drain(b);
    ack = bench_ack(b);
    ack.ack = function_seq(in, "seg-ack");
    ack.window = (uint16_t)function_number(in, NULL, "seg-wnd", UINT16_MAX);
    bench_input(b, &ack, 0);
    return bench_done(b, json_pack("{sI}", "right-edge", (json_int_t)(b->c.snd.una.v + b->c.snd.wnd)));
}
