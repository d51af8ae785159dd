/* act.c - one function for each action that a row names. Each does one thing to the connection; none changes its state.
 *
 * Knows what the RFC's phrases mean ("send ACK", "enter 2MSL wait", "flush the queues"); not when they apply (rows.h). RFC 9293 3.10. */
#include "conn/conn.h"

/* ---- answers --------------------------------------------------------------------------------------------------------------------- */

/* A RST for a segment that has no place here. Its timestamps: RFC 7323 5.2. */
static void act_reply_rst(struct weiri_step *s, weir_seq seq, weir_seq ack, unsigned flags)
{
    weir_conn *c = s->c;
    if (!(s->facts & WEIRI_F_REMOTE)) {
        return; /* nobody to send it to */
    }
    c->reply.seq = seq;
    c->reply.ack = ack;
    c->reply.flags = (uint16_t)flags;
    bool stamped = WEIR_WITH_TIMESTAMPS && s->v != NULL && (s->v->options & WEIR_OPT_TIMESTAMPS);
    c->reply.with_ts = (uint16_t)(stamped ? WEIRI_REPLY_ECHO : WEIRI_REPLY_PLAIN);
    c->reply.ts_echo = s->v != NULL ? s->v->ts_value : 0;
}

static void act_RST_FROM_ACK(struct weiri_step *s)
{
    act_reply_rst(s, s->v->ack, seq_of(0), WEIR_RST);
}

static void act_RST_FROM_SEQ(struct weiri_step *s)
{
    act_reply_rst(s, seq_of(0), seq_add(s->v->seq, weir_view_len(s->v)), WEIR_RST | WEIR_ACK);
}

/* RFC 5961 7: a budget for each connection by itself, so that nobody learns of another's (CVE-2016-5696). */
static bool act_budget(weir_conn *c)
{
    if (c->now - c->challenge_at >= c->cfg->challenge_interval_us) {
        c->challenge_at = c->now;
        c->challenges = 0;
    }
    if (c->challenges >= c->cfg->challenge_count) {
        return false;
    }
    c->challenges++;
    WEIRI_COUNT(c, challenge, 1);
    return true;
}

static void act_CHALLENGE_ACK(struct weiri_step *s)
{
    if (act_budget(s->c)) {
        conn_set(s->c, WEIRI_ACK_NOW, true);
    }
}

/* An ACK of where we stand. Two ends that disagree could answer each other's empty segments for ever: those have the budget of
 * challenge ACKs. A segment with text or FIN costs its sender something, and it waits for this answer. */
static void act_SEND_ACK(struct weiri_step *s)
{
    const weir_view *v = s->v;
    uint32_t len = weir_view_len(v);
    if (s->facts & WEIRI_F_STALE) {
        WEIRI_COUNT(s->c, paws, 1);
    }
    if (len == 0 || (v->flags & WEIR_SYN)) {
        act_CHALLENGE_ACK(s);
        return;
    }
    weir_block run;
    run.from = v->seq;
    run.to = seq_add(v->seq, v->payload_len);
    if (seq_leq(run.to, s->c->rcv.nxt)) {
        weiri_ring_note_duplicate(s->c, run);
    }
    if ((s->facts & (WEIRI_F_SEQ_PROBE | WEIRI_F_STALE)) == WEIRI_F_SEQ_PROBE) {
        weiri_ecn_take_text(s->c, v); /* RFC 3168 6.1.6 */
    }
    conn_set(s->c, WEIRI_ACK_NOW, true);
}

static void act_RESEND_SYN_ACK(struct weiri_step *s)
{
    if (act_budget(s->c)) {
        weiri_ecn_take_syn(s->c, s->v); /* it may have come back without its offer */
        conn_set(s->c, WEIRI_SYN_DUE, true);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------------------------- */

/* What the peer's SYN says of it: RFC 9293 3.7.1, RFC 7323 2.3 and 3.2, RFC 2018 2. An option takes effect
 * only where both ends send it (MUST-14). */
static void act_take_options(weir_conn *c, const weir_view *v)
{
    const weir_config *cfg = c->cfg;
    uint16_t standard = weir_addr_is_v4(&c->tuple.local) ? 536 : 1220; /* MUST-15 */
    c->mss_peer = v->options & WEIR_OPT_MSS ? v->mss : standard;
    if (c->mss_peer < cfg->mss_min) {
        c->mss_peer = cfg->mss_min;
    }
    weiri_conn_set_mss(c);
    conn_set(c, WEIRI_WS_OK, WEIR_WITH_WINDOW_SCALE && cfg->window_scale && (v->options & WEIR_OPT_WSCALE));
    conn_set(c, WEIRI_SACK_OK, cfg->sack && (v->options & WEIR_OPT_SACK_OK));
    conn_set(c, WEIRI_TS_OK, WEIR_WITH_TIMESTAMPS && cfg->timestamps && (v->options & WEIR_OPT_TIMESTAMPS));
    if (WEIR_WITH_WINDOW_SCALE) {
        c->shift_snd = conn_has(c, WEIRI_WS_OK) ? v->wscale : 0;
        c->shift_rcv = conn_has(c, WEIRI_WS_OK) ? c->shift_rcv : 0;
    }
    if (conn_has(c, WEIRI_TS_OK)) {
        c->ts.recent = v->ts_value;
        c->ts.recent_at = c->now;
    }
}

/* IRS, RCV.NXT and the send window from a SYN, whose window is never scaled (RFC 7323 2.2). */
static void act_take_syn(weir_conn *c, const weir_view *v)
{
    c->rcv.irs = v->seq;
    c->rcv.nxt = seq_add(v->seq, 1);
    c->rcv.usr = c->rcv.nxt;
    c->rcv.acked = v->seq;
    c->rcv.adv = seq_add(c->rcv.nxt, base_min32(c->rx_size, 65535));
    c->snd.wnd = v->window;
    c->snd.max_wnd = v->window;
    c->snd.wl1 = v->seq;
    c->snd.wl2 = c->snd.una;
    act_take_options(c, v);
    weiri_ecn_take_syn(c, v);
    c->progress_at = c->now;
    weiri_tune_begin(c);
}

#define ACT_ISS_STEP 65537u

static void act_choose_iss(weir_conn *c)
{
    const uint64_t numbers = weiri_numbers(c->cfg, &c->tuple);
    c->snd.iss = conn_iss_of(numbers, c->now);
    if (conn_has(c, WEIRI_ISS_FLOOR) && seq_leq(c->snd.iss, c->iss_floor)) {
        c->snd.iss = seq_add(c->iss_floor, ACT_ISS_STEP); /* the old connection was faster than the clock (MAY-2) */
    }
    c->ts.offset = WEIR_WITH_TIMESTAMPS ? conn_ts_offset_of(numbers) : 0;
    c->snd.una = c->snd.iss;
    c->snd.nxt = c->snd.iss; /* SND.NXT = ISS + 1 from the moment the SYN is sent: before that nothing can be acknowledged */
    c->snd.end = seq_add(c->snd.iss, 1);
    c->recover = c->snd.iss;
    c->progress_at = c->now;
    /* Chosen once: the ring may grow before, or between, the SYNs that tell it */
    if (WEIR_WITH_WINDOW_SCALE) {
        c->shift_rcv = weiri_window_shift(c->cfg, c->rx_size);
    }
    conn_set(c, WEIRI_SYN_DUE, true);
}

static void act_clear(const struct weiri_step *s)
{
    if (!s->fresh) {
        weiri_conn_clear(s->c);
    }
}

static void act_START_LISTEN(struct weiri_step *s)
{
    weir_conn *c = s->c;
    act_clear(s);
    c->tuple = *s->tuple;
    bool any = c->tuple.remote_port == 0 || weir_addr_is_unspecified(&c->tuple.remote);
    conn_set(c, WEIRI_PASSIVE, true);
    conn_set(c, WEIRI_ANY_REMOTE, any);
    weiri_conn_set_mss(c);
}

static void act_RETURN_TO_LISTEN(struct weiri_step *s)
{
    weir_conn *c = s->c;
    weir_tuple tuple = c->tuple;
    bool held = conn_has(c, WEIRI_HELD);
    if (conn_has(c, WEIRI_ANY_REMOTE)) {
        memset(&tuple.remote, 0, sizeof tuple.remote);
        tuple.remote_port = 0;
    }
    s->tuple = &tuple;
    act_START_LISTEN(s);
    conn_set(c, WEIRI_HELD, held); /* nobody was admitted: whoever could take its SYN back would open the door for the next */
}

static void act_START_SYN(struct weiri_step *s)
{
    weir_conn *c = s->c;
    weir_tuple tuple = *s->tuple;
    act_clear(s);
    c->tuple = tuple;
    weiri_conn_set_mss(c);
    act_choose_iss(c);
}

static void act_TAKE_SYN(struct weiri_step *s)
{
    act_choose_iss(s->c);
    act_take_syn(s->c, s->v);
}

/* Simultaneous open (RFC 9293 figure 7): the SYN,ACK carries the ISS of the SYN sent before. */
static void act_CROSS_SYN(struct weiri_step *s)
{
    act_take_syn(s->c, s->v);
    conn_set(s->c, WEIRI_SYN_DUE, true);
}

/* The printed steps of 3.10.7.3 never set SND.WND here: it is taken from the SYN,ACK. */
static void act_TAKE_SYN_ACK(struct weiri_step *s)
{
    weir_conn *c = s->c;
    act_take_syn(c, s->v);
    conn_set(c, WEIRI_SYN_DUE, false);
    weiri_ack_accept(c, s->v);
    conn_set(c, WEIRI_ACK_NOW, true);
    s->facts |= s->v->payload_len > 0 ? (uint32_t)WEIRI_F_TEXT : 0; /* only now is it known where its text begins */
}

/* ---- a segment's contents ------------------------------------------------------------------------------------------------------------ */

static void act_ACCEPT_ACK(struct weiri_step *s)
{
    weiri_ack_accept(s->c, s->v);
    weir_conn *c = s->c;
    if ((s->facts & WEIRI_F_ACK_FIN) && conn_has(c, WEIRI_RELEASED)) { /* FIN-WAIT-2 comes next (row A7) */
        c->life_at = base_after(c->now, c->cfg->fin_wait_us);
    }
}

static void act_start_2msl(weir_conn *c)
{
    weiri_timer_stop_all(c);
    c->life_at = base_after(c->now, 2 * c->cfg->msl_us);
}

static void act_ACCEPT_LAST_ACK(struct weiri_step *s)
{
    weiri_ack_accept(s->c, s->v);
    act_start_2msl(s->c);
}

static void act_RESTART_2MSL(struct weiri_step *s)
{
    act_start_2msl(s->c);
    conn_set(s->c, WEIRI_ACK_NOW, true);
}

/* RCV.UP moves forward only (3.10.7.4 sixth); the pointer names the octet after the last urgent one (MUST-30, MUST-62, RFC 6093 4). */
static void act_TAKE_URGENT(struct weiri_step *s)
{
    weir_conn *c = s->c;
    weir_seq up = seq_add(s->v->seq, s->v->urgent);
    bool ahead = conn_has(c, WEIRI_URG_RCV) ? seq_lt(c->rcv.up, up) : seq_lt(c->rcv.usr, up);
    if (ahead) {
        c->rcv.up = up;
        conn_set(c, WEIRI_URG_RCV, true);
    }
}

/* The peer's FIN has a place: the first one seen stands, and no text can lie beyond it. */
static void act_note_fin(weir_conn *c, weir_seq fin)
{
    WEIR_ASSERT(seq_leq(c->rcv.nxt, fin)); /* or there would be no TEXT */
    bool after_all = c->span_count == 0 || seq_leq(c->spans[c->span_count - 1].to, fin);
    if (seq_lt(fin, c->rcv.adv) && after_all && !conn_has(c, WEIRI_FIN_KNOWN)) {
        c->rcv.fin = fin;
        conn_set(c, WEIRI_FIN_KNOWN, true);
    }
}

/* A FIN alone that came before its turn: it is an octet of sequence space, and reported like one (RFC 2018 3). */
static bool act_fin_waits(const weir_conn *c, const weir_view *v, weir_seq from, weir_seq to)
{
    bool known = conn_has(c, WEIRI_FIN_KNOWN) && (v->flags & WEIR_FIN) != 0;
    return known && !seq_eq(from, c->rcv.nxt) && seq_eq(from, to) && seq_eq(from, c->rcv.fin);
}

static void act_TAKE_TEXT(struct weiri_step *s)
{
    weir_conn *c = s->c;
    const weir_view *v = s->v;
    weir_seq first = seq_add(v->seq, v->flags & WEIR_SYN ? 1 : 0), last = seq_add(first, v->payload_len);
    if ((v->flags & (WEIR_FIN | WEIR_SYN)) == WEIR_FIN) {
        act_note_fin(c, last);
    }
    weir_seq limit = conn_has(c, WEIRI_FIN_KNOWN) ? c->rcv.fin : c->rcv.adv;
    weir_seq from = seq_max(first, c->rcv.nxt), wanted = seq_min(last, limit), to = seq_min(wanted, weiri_ring_end(c));
    weir_block all;
    all.from = first;
    all.to = wanted;
    weiri_ring_note_duplicate(c, all);
    bool at_once = weiri_ring_duplicate(c) || seq_lt(to, wanted); /* what has no place must come again */
    if (seq_lt(from, to) || act_fin_waits(c, v, from, to)) {
        struct weiri_text text;
        text.from = from;
        text.octets = v->payload + seq_diff(first, from);
        text.len = seq_diff(from, to);
        at_once = weiri_ring_receive(c, &text) || at_once;
    }
    if (at_once || !seq_lt(from, to)) {
        conn_set(c, WEIRI_ACK_NOW, true);
    }
    weiri_ecn_take_text(c, v);
    weiri_ack_due(c, v);
    weiri_tune_arrived(c, v);
    if (conn_has(c, WEIRI_FIN_KNOWN) && seq_eq(c->rcv.nxt, c->rcv.fin)) {
        s->facts |= (uint32_t)WEIRI_F_FIN_REACHED;
    }
}

static void act_TAKE_FIN(struct weiri_step *s)
{
    weir_conn *c = s->c;
    c->rcv.nxt = seq_add(c->rcv.fin, 1);
    c->rcv.adv = seq_max(c->rcv.adv, c->rcv.nxt);
    conn_set(c, WEIRI_FIN_TAKEN | WEIRI_ACK_NOW, true);
}

static void act_TAKE_LAST_FIN(struct weiri_step *s)
{
    act_TAKE_FIN(s);
    act_start_2msl(s->c);
}

/* ---- endings ----------------------------------------------------------------------------------------------------- */

/* Flushes what was to be sent; what has come and was not read stays to be read. */
static void act_end(weir_conn *c, weir_err err)
{
    if (c->err == WEIR_ERR_NONE) {
        c->err = (uint8_t)err;
    }
    weiri_timer_stop_all(c);
    weiri_board_init(&c->board, c->board.sent, c->board.cap);
    c->flags &= ~(uint32_t)(WEIRI_ACK_NOW | WEIRI_SYN_DUE | WEIRI_PROBE_DUE | WEIRI_KEEP_DUE | WEIRI_RESEND_NOW | WEIRI_HELD |
                            WEIRI_RECOVERY | WEIRI_LOSS | WEIRI_SWS_OVERRIDE);
    weiri_undo_forget(c);
    c->span_count = 0;
}

static void act_END_REFUSED(struct weiri_step *s)
{
    act_end(s->c, WEIR_ERR_REFUSED);
}

static void act_END_RESET(struct weiri_step *s)
{
    act_end(s->c, WEIR_ERR_RESET);
}

/* Both sides had said FIN: a reset takes nothing away unless octets of ours were still on their way. */
static void act_END_RESET_LATE(struct weiri_step *s)
{
    act_end(s->c, seq_lt(s->c->snd.una, s->c->snd.end) ? WEIR_ERR_RESET : WEIR_ERR_NONE);
}

/* SEQ is SND.NXT; towards a peer that may still be in SYN-SENT only an ACK of its SYN makes a RST count (3.10.7.3 second). */
static void act_abort(struct weiri_step *s, weir_err err)
{
    weir_conn *c = s->c;
    bool opening = c->state == WEIR_SYN_RECEIVED;
    act_reply_rst(s, c->snd.nxt, c->rcv.nxt, opening ? WEIR_RST | WEIR_ACK : WEIR_RST);
    if (conn_has(c, WEIRI_HELD)) {
        c->reply.seq = seq_of(0); /* the ISS was never told */
    }
    c->reply.with_ts = (uint16_t)(conn_has(c, WEIRI_TS_OK) ? WEIRI_REPLY_STAMPED : WEIRI_REPLY_PLAIN);
    c->reply.ts_echo = opening ? c->ts.recent : 0; /* without ACK it would mean nothing (RFC 7323 3.2) */
    act_end(c, err);
}

static void act_END_UNREAD(struct weiri_step *s)
{
    act_abort(s, WEIR_ERR_ABORTED);
}

static void act_END_ABORT(struct weiri_step *s)
{
    act_abort(s, WEIR_ERR_ABORTED);
}

/* Our FIN is acknowledged and the peer's is taken. */
static void act_END_DONE(struct weiri_step *s)
{
    weiri_ack_accept(s->c, s->v);
    act_end(s->c, WEIR_ERR_NONE);
}

static void act_END_DELETE(struct weiri_step *s)
{
    weir_conn *c = s->c;
    bool cut = c->state == WEIR_CLOSING || c->state == WEIR_LAST_ACK || c->state == WEIR_SYN_SENT;
    act_end(c, cut ? WEIR_ERR_ABORTED : WEIR_ERR_NONE);
}

static void act_END_TIMEOUT(struct weiri_step *s)
{
    act_end(s->c, WEIR_ERR_TIMEOUT);
}

static void act_END_UNREACHABLE(struct weiri_step *s)
{
    act_end(s->c, WEIR_ERR_UNREACHABLE);
}

static void act_REOPEN(struct weiri_step *s)
{
    s->reuse = true;
    act_end(s->c, WEIR_ERR_NONE);
}

/* ---- user calls, timeouts ---------------------------------------------------------------------------------------- */

static void act_QUEUE_TEXT(struct weiri_step *s)
{
    weir_conn *c = s->c;
    if (s->count == 0) {
        conn_set(c, WEIRI_MORE, (s->send_flags & WEIR_SEND_MORE) != 0);
        return;
    }
    c->snd.end = seq_add(c->snd.end, s->count);
    conn_set(c, WEIRI_MORE, (s->send_flags & WEIR_SEND_MORE) && !(s->send_flags & WEIR_SEND_PUSH));
    if (s->send_flags & WEIR_SEND_URGENT) {
        c->snd.up = c->snd.end;
        conn_set(c, WEIRI_URG_SND, true);
    }
}

/* SEND in LISTEN opens actively (3.10.2); the octets already stand at the beginning of the ring. */
static void act_OPEN_AND_QUEUE(struct weiri_step *s)
{
    s->tuple = &s->c->tuple;
    act_START_SYN(s);
    act_QUEUE_TEXT(s);
}

static void act_QUEUE_FIN(struct weiri_step *s)
{
    conn_set(s->c, WEIRI_FIN_QUEUED, true);
    conn_set(s->c, WEIRI_MORE, false);
}

static void act_SOFT_ERROR(struct weiri_step *s)
{
    conn_set(s->c, WEIRI_SUSPECT, true);
}

static void act_FAIL_NOT_EXIST(struct weiri_step *s)
{
    s->result = WEIR_ERR_NOT_EXIST;
}

static void act_FAIL_EXISTS(struct weiri_step *s)
{
    s->result = WEIR_ERR_EXISTS;
}

static void act_FAIL_UNSPECIFIED(struct weiri_step *s)
{
    s->result = WEIR_ERR_UNSPECIFIED;
}

static void act_FAIL_CLOSING(struct weiri_step *s)
{
    s->result = WEIR_ERR_CLOSING;
}

static void act_NONE(struct weiri_step *s)
{
    (void)s;
}

static void act_RESEND(struct weiri_step *s)
{
    weiri_ack_timeout(s->c);
}

WEIR_PRIVATE void weiri_act(struct weiri_step *s, enum weiri_action action)
{
    switch (action) {
    default: /* there is no other: as the first of them, which is NONE */
#define X(name)                                                                                                          \
    case WEIRI_ACT_##name: act_##name(s); return;
        WEIRI_ACTIONS(X)
#undef X
    }
}

#undef ACT_ISS_STEP
