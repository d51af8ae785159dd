/* out.c - what to send next, and the segment itself.
 *
 * Two halves: out_decide looks and changes nothing, so that weir_has_output is the same judgment; out_send writes the header and keeps
 * the books. Knows windows, Nagle and silly windows; not why a flag was set. RFC 9293 3.8, RFC 5681, RFC 6675. */
#include "conn/conn.h"

enum out_kind { OUT_NONE, OUT_REPLY, OUT_SYN, OUT_RESEND, OUT_PROBE, OUT_TAIL, OUT_TEXT, OUT_KEEP, OUT_ACK };

struct out_plan {
    enum out_kind kind;
    weir_seq from;
    uint32_t len; /* of text; FIN comes after it */
    bool fin;
    bool fresh;   /* text that was never sent before, and no probe of a closed window */
    uint32_t segment; /* of a super-segment, each but the last has so much text; else len */
};

/* ---- deciding -------------------------------------------------------------------------------------------------------------------- */

static uint32_t out_sack_count(const weir_conn *c)
{
    uint32_t most = conn_has(c, WEIRI_TS_OK) ? 3 : 4;
    uint32_t have = c->span_count + (weiri_ring_duplicate(c) ? 1u : 0u);
    return conn_has(c, WEIRI_SACK_OK) ? base_min32(have, most) : 0;
}

/* The text that fits into one segment beside the options it will carry (MUST-16, RFC 6691 2). */
static uint32_t out_full_size(const weir_conn *c)
{
    uint32_t blocks = out_sack_count(c);
    return conn_full_text(c) - (blocks > 0 ? 4 + 8 * blocks : 0);
}

/* Without SACK each duplicate ACK says that one segment has left the network: in recovery all count (RFC 5681 3.2), though no more than
 * there were segments (RFC 5681 5: who forges them would open the window), before it two at most (RFC 3042 2), and after a timeout none,
 * for what was on its way then is counted as lost already. */
static uint32_t out_left(const weir_conn *c)
{
    if (conn_has(c, WEIRI_SACK_OK | WEIRI_LOSS)) {
        return 0;
    }
    uint32_t limited = 2u * c->mss_snd; /* what limited transmit has added is in flight too */
    uint32_t most = conn_has(c, WEIRI_RECOVERY) ? c->dup_flight + limited : limited;
    return base_min32((uint32_t)c->mss_snd * c->dupacks, most);
}

WEIR_PRIVATE uint32_t weiri_out_pipe(const weir_conn *c)
{
    uint32_t pipe = weiri_board_pipe(&c->board), left = out_left(c);
    return pipe > left ? pipe - left : 0;
}

/* Octets from `from` to the right edge of the peer's window. A window may have shrunk: then none (MUST-34, SHLD-15). */
static uint32_t out_room(const weir_conn *c, weir_seq from)
{
    weir_seq edge = seq_add(c->snd.una, c->snd.wnd);
    return seq_lt(from, edge) ? seq_diff(from, edge) : 0;
}

/* RFC 7323 2.4: rounding to whole units may seem to take a window back by less than one. What was sent inside it goes again anyway. */
static uint32_t out_rounding(const weir_conn *c)
{
    return (1u << conn_shift_snd(c)) - 1;
}

static bool out_fin_due(const weir_conn *c)
{
    return conn_has(c, WEIRI_FIN_QUEUED) && !conn_fin_sent(c);
}

/* After a timeout that may be spurious new text goes first, while there is some (RFC 5682 2.1 and 3.1 step 2). */
static bool out_held(const weir_conn *c)
{
    bool asked = weiri_undo_asks_new(c) && !conn_has(c, WEIRI_RESEND_NOW);
    return asked && (weiri_out_pipe(c) > 0 || weiri_out_has_new(c));
}

/* A lost run goes before anything new, inside the window only (SHLD-16). */
static bool out_resend(const weir_conn *c, struct out_plan *p)
{
    weir_block run;
    if (c->board.lost == 0) {
        return false;
    }
    uint32_t full = out_full_size(c);
    if (out_held(c) || !weiri_board_next_lost(&c->board, full + 1, &run)) {
        return false;
    }
    p->from = run.from;
    p->fin = conn_fin_sent(c) && seq_lt(c->snd.end, run.to);
    p->len = base_min32(seq_diff(run.from, run.to) - (p->fin ? 1 : 0), full);
    uint32_t room = c->snd.wnd > 0 ? out_room(c, seq_sub(p->from, out_rounding(c))) : 0;
    if (p->len >= room) {
        p->len = room;
        p->fin = false;
    }
    uint32_t pipe = weiri_out_pipe(c);
    bool may = conn_has(c, WEIRI_RESEND_NOW) || pipe == 0 || pipe + p->len <= c->cc.cwnd;
    return may && p->len + (p->fin ? 1u : 0u) > 0;
}

/* The zero-window probe: one octet, or FIN where nothing else is left (RFC 9293 3.8.6.1, MUST-36). Of what was sent before, a segment, as
 * far as rounding may hide it: a lost one would otherwise go octet by octet. */
static bool out_probe(const weir_conn *c, struct out_plan *p)
{
    if (!conn_has(c, WEIRI_PROBE_DUE) || c->snd.wnd > 0) {
        return false;
    }
    p->from = c->board.count > 0 ? c->snd.una : c->snd.nxt;
    p->fin = seq_eq(p->from, c->snd.end);
    uint32_t sent = conn_flight(c) - (conn_fin_sent(c) ? 1 : 0);
    uint32_t again = base_min32(base_min32(sent, out_rounding(c)), out_full_size(c));
    p->len = p->fin ? 0 : base_max32(again, 1);
    return c->board.count > 0 || weiri_board_has_room(&c->board); /* without rings there is no place for a record, even of FIN */
}

/* Sender's silly-window avoidance (MUST-38) with Nagle (SHLD-7): RFC 9293 3.8.6.2.1 (1)-(4), 3.7.4; nothing waits for ever (MUST-60).
 * `len` is what windows allow now. */
static bool out_worth_sending(const weir_conn *c, uint32_t len, uint32_t full)
{
    bool all = len == conn_unsent(c);
    bool idle = conn_flight(c) == 0 || !conn_has(c, WEIRI_NAGLE);
    if (len >= full || conn_has(c, WEIRI_SWS_OVERRIDE)) {
        return true;
    }
    if (all && out_fin_due(c)) {
        return true;
    }
    bool pushed = !conn_has(c, WEIRI_MORE) || weiri_ring_room(c) == 0; /* into a full ring no more can follow */
    return idle && ((pushed && all) || len >= c->snd.max_wnd / 2);
}

/* New text, as much as a segment holds whoever queued it (SHLD-27, SHLD-28), and FIN after the last of it. */
static bool out_text(const weir_conn *c, struct out_plan *p)
{
    uint32_t unsent = conn_unsent(c), full, room;
    p->from = c->snd.nxt;
    p->len = 0;
    p->fin = out_fin_due(c);
    if (unsent == 0 && !p->fin) {
        return false;
    }
    full = out_full_size(c);
    room = out_room(c, c->snd.nxt);
    bool wait = conn_marked_wait(c) || (conn_opening(c) && unsent > 0); /* FIN alone may go with the SYN on its way */
    if (room == 0 || wait) {
        return false;
    }
    p->len = base_min32(base_min32(unsent, full), room);
    p->fin = p->fin && p->len == unsent && p->len < room;
    uint32_t pipe = weiri_out_pipe(c);
    bool may = unsent == 0 || ((pipe == 0 || pipe + p->len <= c->cc.cwnd) && out_worth_sending(c, p->len, full));
    return may && weiri_board_has_room(&c->board); /* or it waits until something is acknowledged */
}

WEIR_PRIVATE bool weiri_out_may_new(const weir_conn *c)
{
    return (conn_unsent(c) > 0 || out_fin_due(c)) && out_room(c, c->snd.nxt) > 0;
}

WEIR_PRIVATE bool weiri_out_has_new(const weir_conn *c)
{
    uint32_t full = out_full_size(c);
    bool windows = out_room(c, c->snd.nxt) >= full && weiri_out_pipe(c) < base_max32(c->cc.cwnd, 1);
    return windows && conn_unsent(c) >= full && weiri_board_has_room(&c->board);
}

/* The probe for a lost tail, whatever cwnd and Nagle say: new text, or else the last segment again (RFC 8985 7.3). Where one record holds
 * many segments all but the last were full ones. */
static bool out_tail(const weir_conn *c, struct out_plan *p)
{
    if (!conn_tail_due(c) || c->board.count == 0) {
        return false;
    }
    uint32_t full = out_full_size(c), unsent = conn_unsent(c), room = out_room(c, c->snd.nxt);
    p->from = c->snd.nxt;
    p->len = base_min32(base_min32(unsent, full), room);
    p->fin = out_fin_due(c) && p->len == unsent && p->len < room;
    if ((p->len > 0 || p->fin) && weiri_board_has_room(&c->board)) {
        return true;
    }
    const struct weir_sent *last = weiri_board_record(&c->board, c->board.count - 1u);
    p->fin = conn_fin_sent(c);
    uint32_t text = seq_diff(last->from, last->to) - (p->fin ? 1 : 0);
    p->len = text % full > 0 || text == 0 ? text % full : full;
    p->from = seq_sub(c->snd.nxt, p->len + (p->fin ? 1 : 0));
    return out_room(c, p->from) >= p->len + (p->fin ? 1 : 0);
}

/* Nothing of the stream can go: an ACK that is due, or a probe that asks for one and carries no octet (SHLD-12). */
static void out_no_stream(const weir_conn *c, struct out_plan *p)
{
    p->kind = conn_has(c, WEIRI_ACK_NOW) ? OUT_ACK : conn_has(c, WEIRI_KEEP_DUE) ? OUT_KEEP : OUT_NONE;
    p->from = c->snd.nxt;
    p->len = 0;
    p->fin = false;
}

static void out_decide_stream(const weir_conn *c, struct out_plan *p)
{
    if (out_resend(c, p)) {
        p->kind = OUT_RESEND;
    } else if (out_probe(c, p)) {
        p->kind = OUT_PROBE;
    } else if (out_tail(c, p)) {
        p->kind = OUT_TAIL;
    } else if (out_text(c, p)) {
        p->kind = OUT_TEXT;
    } else {
        out_no_stream(c, p);
    }
}

static struct out_plan out_plan_next(const weir_conn *c)
{
    struct out_plan p;
    memset(&p, 0, sizeof p);
    p.from = c->snd.nxt;
    if (c->reply.flags != 0) {
        p.kind = OUT_REPLY;
    } else if (c->state == WEIR_CLOSED || c->state == WEIR_LISTEN || (conn_has(c, WEIRI_HELD) && c->state == WEIR_SYN_RECEIVED)) {
        p.kind = OUT_NONE; /* a held connection that was closed is let go on: it has something to end */
    } else if (conn_has(c, WEIRI_SYN_DUE)) {
        p.kind = OUT_SYN;
    } else if (c->state != WEIR_SYN_SENT) {
        out_decide_stream(c, &p);
    }
    return p;
}

/* Zero-window probes have a timer of their own. */
static bool out_is_paced(const struct out_plan *p)
{
    return p->len > 0 && (p->kind == OUT_RESEND || p->kind == OUT_TAIL || p->kind == OUT_TEXT);
}

static struct out_plan out_decide(const weir_conn *c)
{
    struct out_plan p = out_plan_next(c);
    if (weiri_pace_blocks(c) && out_is_paced(&p)) {
        out_no_stream(c, &p);
    }
    return p;
}

WEIR_PRIVATE bool weiri_out_waits(const weir_conn *c)
{
    if (!weiri_pace_blocks(c)) {
        return false;
    }
    struct out_plan p = out_plan_next(c);
    return out_is_paced(&p);
}

/* Nothing to be sent for the first time or again, and nothing else due. */
static bool out_silent(const weir_conn *c)
{
    uint32_t due = WEIRI_ACK_NOW | WEIRI_SYN_DUE | WEIRI_PROBE_DUE | WEIRI_KEEP_DUE;
    bool said = conn_has(c, WEIRI_FIN_QUEUED) ? seq_lt(c->snd.end, c->snd.nxt) : seq_eq(c->snd.nxt, c->snd.end);
    return c->state >= WEIR_SYN_SENT && !conn_has(c, due) && c->reply.flags == 0 && said && c->board.lost == 0 && !conn_tail_due(c);
}

/* Whatever else goes, or does not: an ACK does. */
static bool out_owes_ack(const weir_conn *c)
{
    return c->state >= WEIR_ESTABLISHED && conn_has(c, WEIRI_ACK_NOW);
}

WEIR_API bool weir_has_output(const weir_conn *c)
{
    return !out_silent(c) && (out_owes_ack(c) || out_decide(c).kind != OUT_NONE);
}

/* ---- the header ------------------------------------------------------------------------------------------------------------------- */

static void out_fields_start(const weir_conn *c, weir_fields *f)
{
    memset(f, 0, sizeof *f);
    f->source_port = c->tuple.local_port;
    f->destination_port = c->tuple.remote_port;
}

static void out_fields_reply(weir_conn *c, weir_fields *f)
{
    f->seq = c->reply.seq;
    f->ack = c->reply.ack;
    f->flags = c->reply.flags;
    if (WEIR_WITH_TIMESTAMPS && c->reply.with_ts != WEIRI_REPLY_PLAIN) {
        f->options = WEIR_OPT_TIMESTAMPS;
        f->ts_value = c->reply.with_ts == WEIRI_REPLY_STAMPED ? weiri_ts_now(c) : 0;
        f->ts_echo = c->reply.ts_echo;
    }
    c->reply.flags = 0;
}

/* SYN offers what the configuration has, SYN,ACK only what the peer offered too (RFC 7323 2.2, 3.2; RFC 2018 2); MSS always
 * (SHLD-5, MAY-3). */
static void out_fields_syn(weir_conn *c, weir_fields *f)
{
    bool answer = c->state != WEIR_SYN_SENT;
    bool ws = answer ? conn_has(c, WEIRI_WS_OK) : WEIR_WITH_WINDOW_SCALE && c->cfg->window_scale;
    bool sack = answer ? conn_has(c, WEIRI_SACK_OK) : c->cfg->sack;
    bool ts = answer ? conn_has(c, WEIRI_TS_OK) : WEIR_WITH_TIMESTAMPS && c->cfg->timestamps;
    f->seq = c->snd.iss;
    f->ack = answer ? c->rcv.nxt : seq_of(0);
    f->flags = (uint16_t)((answer ? WEIR_SYN | WEIR_ACK : WEIR_SYN) | weiri_ecn_syn_flags(c));
    f->window = (uint16_t)base_min32(c->rx_size, 65535);
    if (answer) {
        f->window = (uint16_t)base_min32(seq_diff(c->rcv.nxt, c->rcv.adv), 65535); /* text on the SYN has taken some */
    }
    f->mss = c->mss_adv;
    f->wscale = (uint8_t)conn_shift_rcv(c);
    f->options = (uint16_t)(WEIR_OPT_MSS | (ws ? WEIR_OPT_WSCALE : 0) | (sack ? WEIR_OPT_SACK_OK : 0) |
                            (ts ? WEIR_OPT_TIMESTAMPS : 0));
    f->ts_value = ts ? weiri_ts_now(c) : 0;
    f->ts_echo = ts && answer ? c->ts.recent : 0;
}

static void out_fields_options(weir_conn *c, weir_fields *f)
{
    if (conn_has(c, WEIRI_TS_OK)) {
        f->options |= WEIR_OPT_TIMESTAMPS;
        f->ts_value = weiri_ts_now(c);
        f->ts_echo = c->ts.recent;
    }
    uint32_t blocks = out_sack_count(c);
    if (blocks > 0) {
        f->options |= WEIR_OPT_SACK;
        f->sack_count = weiri_ring_sack(c, f->sack, blocks);
        weiri_ring_forget_duplicate(c); /* it is reported once (RFC 2883 4) */
    }
}

static void out_fields_plain(weir_conn *c, weir_fields *f, const struct out_plan *p)
{
    f->seq = p->kind == OUT_KEEP ? seq_sub(c->snd.nxt, 1) : p->from;
    f->ack = c->rcv.nxt;
    f->flags = (uint16_t)(WEIR_ACK | weiri_ecn_flags(c, p->fresh));
    if (p->fin) {
        f->flags |= WEIR_FIN;
    }
    if (p->len > 0 && seq_eq(seq_add(p->from, p->len), c->snd.end)) {
        f->flags |= WEIR_PSH; /* it empties the queue (MUST-61) */
    }
    if (conn_has(c, WEIRI_URG_SND) && seq_lt(f->seq, c->snd.up)) {
        f->flags |= WEIR_URG;
        f->urgent = (uint16_t)base_min32(seq_diff(f->seq, c->snd.up), 65535); /* RFC 7323 A (MUST-31) */
    }
    out_fields_options(c, f);
    f->window = weiri_window_announce(c);
}

/* ---- the books ---------------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_out_acked(weir_conn *c)
{
    conn_set(c, WEIRI_ACK_NOW, false);
    c->ack_at = WEIR_FOREVER;
    c->rcv.acked = c->rcv.nxt;
}

static void out_note_syn(weir_conn *c)
{
    conn_set(c, WEIRI_SYN_DUE, false);
    if (seq_eq(c->snd.nxt, c->snd.iss)) {
        c->spoke_at = c->now;
    } else { /* it timed out, or the peer's SYN came again or crossed it: which one is answered will not be known */
        conn_set(c, WEIRI_SYN_TWICE, true);
        WEIRI_COUNT(c, retrans, 1);
    }
    c->snd.nxt = seq_max(c->snd.nxt, seq_add(c->snd.iss, 1));
}

static void out_note_resent(weir_conn *c, const struct out_plan *p)
{
    weir_block run;
    run.from = p->from;
    run.to = seq_add(p->from, p->len + (p->fin ? 1 : 0));
    weiri_board_resent(&c->board, run, c->now);
    weiri_repair_sent(c, run, true);
    conn_set(c, WEIRI_RESEND_NOW, false);
    WEIRI_COUNT(c, retrans, 1);
}

/* Was it cwnd that this transmission went up to? Only then do acknowledgments say that it may grow (RFC 7661 4.3). Slow start doubles, so
 * half of it is enough there, unless it may be that the window is too large already (4.4). */
WEIR_PRIVATE bool weiri_out_fills_cwnd(const weir_conn *c)
{
    uint32_t pipe = weiri_out_pipe(c);
    return c->cc.cwnd < c->cc.ssthresh && weiri_cwv_valid(&c->cwv) ? pipe >= c->cc.cwnd / 2 : pipe + c->mss_snd > c->cc.cwnd;
}

static void out_note_text(weir_conn *c, const struct out_plan *p)
{
    weir_block run;
    run.from = p->from;
    run.to = seq_add(p->from, p->len + (p->fin ? 1 : 0));
    if (conn_flight(c) == 0 && p->kind == OUT_TEXT) {
        c->progress_at = conn_has(c, WEIRI_RELEASED) ? c->progress_at : c->now;
        weiri_repair_idle(c);
    }
    weiri_rate_sending(&c->board, conn_flight(c) == 0, c->now);
    bool noted = weiri_board_push(&c->board, run, c->now);
    WEIR_ASSERT(noted); /* out_text asked for room; a probe of new text goes where nothing is outstanding */
    (void)noted;
    c->snd.nxt = run.to;
    weiri_repair_sent(c, run, false);
    c->spoke_at = c->now;
    conn_set(c, WEIRI_SWS_OVERRIDE, false);
    conn_set(c, WEIRI_CWND_LIMITED, WEIR_WITH_CWV && weiri_out_fills_cwnd(c));
}

/* Nothing more goes. If that is not for want of cwnd, samples of the delivery rate tell what was asked of the path and not what it can do.
 * A send ring that is mostly in flight is as much a limit as the peer's window. */
static void out_note_limit(weir_conn *c)
{
    uint32_t full, unsent = conn_unsent(c), flight = conn_flight(c);
    if (!WEIR_WITH_RATE || c->state < WEIR_ESTABLISHED) {
        return;
    }
    if (unsent == 0 && flight == 0 && c->tx_size > 0 && c->cc.cwnd >= c->mss_snd) { /* nearly always; the same as below */
        weiri_pace_limited(c, WEIRI_HOLD_IDLE);
        weiri_rate_limit(&c->rate, &c->board, WEIRI_LIMITED_APP);
        return;
    }
    full = out_full_size(c);
    bool cwnd = c->board.lost > 0 || weiri_out_pipe(c) + full > c->cc.cwnd;
    bool window = unsent >= full && out_room(c, c->snd.nxt) < full, ring = unsent < full && flight >= c->tx_size / 2;
    enum weiri_hold held = cwnd ? WEIRI_HOLD_BUSY : window ? WEIRI_HOLD_RWND : ring ? WEIRI_HOLD_SNDBUF : WEIRI_HOLD_BUSY;
    weiri_pace_limited(c, unsent == 0 && flight == 0 ? WEIRI_HOLD_IDLE : held);
    if (!cwnd && (window || ring || unsent < full)) {
        weiri_rate_limit(&c->rate, &c->board, window || ring ? WEIRI_LIMITED_WINDOW : WEIRI_LIMITED_APP);
    }
}

/* Either probe, new text or again. */
static void out_note_probe(weir_conn *c, const struct out_plan *p)
{
    conn_set(c, WEIRI_PROBE_DUE, false);
    if (seq_eq(p->from, c->snd.nxt)) {
        out_note_text(c, p);
    } else {
        out_note_resent(c, p);
    }
}

static void out_note(weir_conn *c, const struct out_plan *p)
{
    switch (p->kind) {
    case OUT_SYN: out_note_syn(c); return;
    case OUT_RESEND: out_note_resent(c, p); return;
    case OUT_TEXT: out_note_text(c, p); return;
    case OUT_TAIL:
    case OUT_PROBE: out_note_probe(c, p); return;
    case OUT_KEEP: conn_set(c, WEIRI_KEEP_DUE, false); return;
    case OUT_NONE:
    case OUT_REPLY:
    case OUT_ACK: return;
    }
}

/* ---- the segment --------------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_out_open_checksum(const weir_conn *c, weir_out *out)
{
    out->partial = true;
    uint16_t part = weiri_sum_finish(weiri_sum_sockets(&c->tuple.local, &c->tuple.remote, out->len, WEIRI_PROTO_TCP));
    base_put16(out->room + WEIR_IP_HEADER_MAX + 16, (uint16_t)~part);
}

WEIR_PRIVATE void weiri_out_close(weir_out *out)
{
    uint8_t *header = out->room + WEIR_IP_HEADER_MAX;
    uint64_t sum = wire_sum_header(header, out->header_len);
    if (out->body[0].len > 0) { /* an empty slice may point nowhere */
        sum = weiri_sum(out->body[0].octets, out->body[0].len, sum);
    }
    if (out->body[1].len > 0) {
        sum = weiri_sum_join(sum, weiri_sum(out->body[1].octets, out->body[1].len, 0), out->body[0].len);
    }
    base_put16(header + 16, weiri_sum_finish(sum));
    out->partial = false;
}

WEIR_PRIVATE size_t weiri_out_copy_closed(const weir_out *out, uint8_t *octets)
{
    uint32_t ip_len = WEIR_IP_HEADER_MAX - out->header_at, tcp_len = out->header_len - ip_len;
    uint8_t *header = octets + ip_len, *body = header + tcp_len;
    memcpy(octets, out->room + out->header_at, out->header_len);
    uint64_t sum = wire_sum_header(header, tcp_len);
    if (out->body[0].len > 0) { /* an empty slice may point nowhere */
        sum = weiri_sum_copy(body, out->body[0].octets, out->body[0].len, sum);
    }
    if (out->body[1].len > 0) {
        uint64_t rest = weiri_sum_copy(body + out->body[0].len, out->body[1].octets, out->body[1].len, 0);
        sum = weiri_sum_join(sum, rest, out->body[0].len);
    }
    base_put16(header + 16, weiri_sum_finish(sum));
    return out->len;
}

static void out_emit(weir_conn *c, const struct out_plan *p, weir_out *out)
{
    weir_fields f;
    out_fields_start(c, &f);
    if (p->kind == OUT_REPLY) {
        out_fields_reply(c, &f);
    } else if (p->kind == OUT_SYN) {
        out_fields_syn(c, &f);
    } else {
        out_fields_plain(c, &f, p);
    }
    if (f.flags & WEIR_ACK && p->kind != OUT_REPLY) {
        weiri_out_acked(c);
    }
    out->ecn = weiri_ecn_codepoint(c, p->fresh);
    out->header_at = WEIR_IP_HEADER_MAX;
    out->header_len = (uint16_t)weir_emit_header(out->room + WEIR_IP_HEADER_MAX, &f);
    weiri_ring_slices(c, p->from, p->len, out->body);
    out->len = out->header_len + p->len;
    out->gso_size = (uint16_t)(p->len > p->segment ? p->segment : 0);
    weiri_out_open_checksum(c, out);
}

/* What one segment changes; when it may leave. */
static weir_us out_book(weir_conn *c, const struct out_plan *p)
{
    out_note(c, p);
    weir_us at = out_is_paced(p) ? weiri_pace_depart(c, p->len) : 0;
    WEIRI_COUNT(c, out, 1);
    WEIRI_COUNT(c, data_out, p->len > 0);
    return at;
}

/* May the next segment have the same header but for its number? A duplicate is reported once, CWR said once, the urgent pointer counts from
 * the number; and stamps differ. */
static bool out_repeats(const weir_conn *c, const struct out_plan *p)
{
    bool text = p->kind == OUT_TEXT && p->fresh && !p->fin && p->len == out_full_size(c);
    bool plain = out_sack_count(c) == 0 && !conn_has(c, WEIRI_URG_SND) && !(c->ecn & WEIRI_ECN_CWR);
    return text && plain && weiri_pace_mode(c) != WEIR_PACING_STAMP;
}

/* The octets of full segments that would come next with nothing to be decided but whether the windows, and the pace, let them; never the
 * last octet, with which FIN may go. */
static uint32_t out_ahead(const weir_conn *c, uint32_t full, uint32_t most)
{
    uint32_t pipe = weiri_out_pipe(c), unsent = conn_unsent(c);
    bool plain = c->board.lost == 0 && !conn_tail_due(c) && out_left(c) == 0;
    if (!plain || pipe >= c->cc.cwnd || unsent == 0) {
        return 0;
    }
    uint32_t windows = base_min32(c->cc.cwnd - pipe, out_room(c, c->snd.nxt)), octets = base_min32(windows, base_min32(unsent - 1, most));
    return octets - octets % full;
}

/* They go into the books: a record for each, the rest at once. */
static uint32_t out_book_ahead(weir_conn *c, uint32_t full, uint32_t count)
{
    uint32_t many = weiri_board_push_many(&c->board, c->snd.nxt, full, count, c->now);
    weir_block run = {c->snd.nxt, seq_add(c->snd.nxt, many)}, part = run;
    for (; seq_diff(run.from, run.to) < count * full; run.to = part.to) { /* memory is nearly full */
        part.from = run.to;
        part.to = seq_add(run.to, full);
        bool noted = weiri_board_push(&c->board, part, c->now);
        if (WEIR_NEVER(!noted)) { /* behind what flies there is room: at worst that record grows */
            break;
        }
    }
    uint32_t len = seq_diff(run.from, run.to);
    if (len > 0) {
        c->snd.nxt = run.to;
        weiri_repair_sent(c, run, false);
        c->spoke_at = c->now; /* what went before may have gone again */
        conn_set(c, WEIRI_SWS_OVERRIDE, false);
        conn_set(c, WEIRI_CWND_LIMITED, weiri_out_fills_cwnd(c));
    }
    return len;
}

/* Looks at what has gone out as it stands there: new text, up to SND.NXT, with no flag but ACK and no SACK block. What would change that
 * comes from outside, or was said by now. */
WEIR_PRIVATE uint32_t weiri_out_ahead(const weir_conn *c, const weir_out *out)
{
    const uint8_t *tcp = out->room + WEIR_IP_HEADER_MAX;
    uint32_t full = conn_full_text(c), words = (20u + c->mss_snd - full) / 4;
    bool last = out->body[0].len + out->body[1].len == full && base_get32(tcp + 4) + full == c->snd.nxt.v;
    bool plain = last && base_get16(tcp + 12) == (words << 12 | WEIR_ACK) && out->ecn == weiri_ecn_codepoint(c, true);
    return plain && weiri_pace_mode(c) != WEIR_PACING_STAMP ? out_ahead(c, full, UINT32_MAX) : 0;
}

/* Of all that weiri_timer_update does little is left: the retransmission timer runs already. */
WEIR_PRIVATE uint32_t weiri_out_repeat(weir_conn *c, weir_out *out)
{
    weir_seq from = c->snd.nxt;
    bool paced = weiri_pace_mode(c) != WEIR_PACING_OFF;
    uint32_t full = conn_full_text(c), len = paced && weiri_pace_blocks(c) ? 0 : out_book_ahead(c, full, 1);
    if (len == 0) {
        return 0;
    }
    if (paced) {
        (void)weiri_pace_depart(c, len);
        weiri_pace_update(c, weiri_out_waits(c));
    }
    WEIRI_COUNT(c, out, 1);
    WEIRI_COUNT(c, data_out, 1);
    base_put32(out->room + WEIR_IP_HEADER_MAX + 4, from.v);
    weiri_ring_slices(c, from, len, out->body);
    if (c->rack.timer == WEIRI_RACK_PROBE && conn_flight(c) >= 3u * c->mss_snd) {
        c->rack.restart = 0; /* the time of the probe was set at this moment, for two full segments or more */
    } else {
        weiri_repair_update(c);
    }
    WEIR_ASSERT(weir_check(c) == NULL);
    return len;
}

/* A super-segment: what would be polled next goes with it, as far as `most` octets of text. */
static void out_extend(weir_conn *c, struct out_plan *p, uint32_t most)
{
    uint32_t count = weiri_pace_ahead(c, p->segment, out_ahead(c, p->segment, most - p->len) / p->segment);
    p->len += out_book_ahead(c, p->segment, count);
    WEIRI_COUNT(c, out, count);
    WEIRI_COUNT(c, data_out, count);
    while (p->len % p->segment == 0 && !p->fin) { /* most: a segment has an octet at least */
        struct out_plan next = out_decide(c);
        if (next.kind != OUT_TEXT || p->len + next.len > most) {
            return;
        }
        (void)out_book(c, &next);
        p->len += next.len;
        p->fin = next.fin;
    }
}

WEIR_PRIVATE bool weiri_out_hush(weir_conn *c)
{
    bool silent = out_silent(c);
    if (silent) {
        out_note_limit(c);
        weiri_pace_quiet(c);
    }
    return silent;
}

WEIR_PRIVATE size_t weiri_out_open(weir_conn *c, weir_out *out, uint32_t most, weir_us now)
{
    c->now = c->now > now ? c->now : now;
    if (weiri_out_hush(c)) { /* all but the time is as it was: no timer is to be set */
        return 0;
    }
    if (weiri_predict_ack(c, out) || weiri_calm_speaks(c, out)) {
        return out->len;
    }
    struct out_plan p = out_decide(c);
    if (p.kind == OUT_NONE) {
        out_note_limit(c);
        weiri_pace_quiet(c);
        weiri_timer_update(c);
        return 0;
    }
    uint32_t headers = conn_ip_header(c) + WEIR_TCP_HEADER_MAX;
    p.fresh = p.len > 0 && (p.kind == OUT_TEXT || p.kind == OUT_TAIL) && seq_eq(p.from, c->snd.nxt);
    p.segment = p.len;
    bool repeats = WEIR_WITH_GSO && most > headers && out_repeats(c, &p);
    out->depart_at = out_book(c, &p);
    if (repeats) {
        out_extend(c, &p, most - headers);
    }
    out_emit(c, &p, out);
    weiri_conn_finish(c);
    return out->len;
}

WEIR_API size_t weir_poll(weir_conn *c, weir_out *out, weir_us now)
{
    size_t len = weiri_out_open(c, out, c->cfg->gso_max, now);
    if (len > 0 && (!WEIR_WITH_GSO || (out->gso_size == 0 && !c->cfg->partial_checksum))) {
        weiri_out_close(out);
    }
    return len;
}

WEIR_API size_t weir_out_copy(const weir_out *out, uint8_t *octets, size_t cap)
{
    if (cap < out->len) {
        return 0;
    }
    memcpy(octets, out->room + out->header_at, out->header_len);
    octets += out->header_len;
    for (unsigned part = 0; part < 2; part++) {
        if (out->body[part].len > 0) { /* an empty slice may point nowhere, which memcpy must not be given */
            memcpy(octets, out->body[part].octets, out->body[part].len);
            octets += out->body[part].len;
        }
    }
    return out->len;
}
