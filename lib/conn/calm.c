/* calm.c - segments that open, close, or carry a little text, of a connection to which nothing has happened: what weir_poll gives then,
 * in a straight line.
 *
 * SYN and SYN,ACK for the first time; text and FIN that go together where nothing is outstanding. What they look like, and what they
 * change, is known beforehand. The effect is that of out.c to the last bit: tests/test_predict.c polls both ways and compares.
 * RFC 9293 3.8. */
#include "conn/conn.h"

#if WEIRI_WITH_CALM

/* ---- the handshake ----------------------------------------------------------------------------------------------------------------- */

/* It goes for the first time, with all options that an end of today has. */
static bool calm_is_first_syn(const weir_conn *c)
{
    const uint32_t other = WEIRI_HELD | WEIRI_SYN_RESENT | WEIRI_PROBE_DUE | WEIRI_KEEP_DUE;
    const uint32_t ours = WEIRI_TS_OK | WEIRI_WS_OK | WEIRI_SACK_OK;
    bool first = seq_eq(c->snd.nxt, c->snd.iss) && c->reply.flags == 0 && c->board.count == 0 && !c->pace.held;
    if ((c->flags & (other | WEIRI_SYN_DUE)) != WEIRI_SYN_DUE || !first || c->timer != WEIRI_TIMER_NONE) {
        return false;
    }
    if (c->state == WEIR_SYN_RECEIVED) {
        return (c->flags & ours) == ours;
    }
    return c->state == WEIR_SYN_SENT && c->cfg->timestamps && c->cfg->window_scale && c->cfg->sack;
}

/* RFC 9293 3.1; MSS, SACK-permitted, Timestamps, Window Scale: its length. */
static uint32_t calm_syn_header(weir_conn *c, uint8_t *tcp)
{
    enum { LEN = 40 };
    bool answer = c->state == WEIR_SYN_RECEIVED;
    uint32_t flags = (answer ? WEIR_SYN | WEIR_ACK : WEIR_SYN) | weiri_ecn_syn_flags(c);
    base_put32(tcp, (uint32_t)c->tuple.local_port << 16 | c->tuple.remote_port);
    base_put32(tcp + 4, c->snd.iss.v);
    base_put32(tcp + 8, answer ? c->rcv.nxt.v : 0);
    base_put16(tcp + 12, LEN << 10 | flags);
    base_put16(tcp + 14, base_min32(answer ? conn_rcv_wnd(c) : c->rx_size, 65535));
    base_put32(tcp + 16, 0);
    base_put32(tcp + 20, 0x02040000u | c->mss_adv);
    base_put32(tcp + 24, 0x0402080au);
    base_put32(tcp + 28, weiri_ts_now(c));
    base_put32(tcp + 32, answer ? c->ts.recent : 0);
    base_put32(tcp + 36, 0x01030300u | c->shift_rcv);
    return LEN;
}

/* ---- text and FIN ------------------------------------------------------------------------------------------------------------------ */

/* All that there is goes in one segment, which is not a full one, and nothing else is due but an acknowledgment. */
static bool calm_is_last_text(const weir_conn *c)
{
    const uint32_t other = WEIRI_SYN_DUE | WEIRI_PROBE_DUE | WEIRI_KEEP_DUE | WEIRI_URG_SND | WEIRI_MORE | WEIRI_RECOVERY | WEIRI_LOSS;
    uint32_t len = seq_diff(c->snd.nxt, c->snd.end);
    bool some = len > 0 || conn_has(c, WEIRI_FIN_QUEUED), fits = len < conn_full_text(c) && len < c->snd.wnd; /* not where FIN has gone */
    bool idle = seq_eq(c->snd.una, c->snd.nxt) && c->board.count == 0 && c->board.cap > 0 && !conn_tail_due(c) && !c->pace.held;
    bool plain = c->span_count == 0 && !weiri_ring_duplicate(c) && c->reply.flags == 0 && !weiri_ecn_ok(c);
    return c->state >= WEIR_ESTABLISHED && (c->flags & other) == 0 && some && fits && idle && plain;
}

/* All of it, or a full segment, into an open window. */
WEIR_PRIVATE bool weiri_calm_starts(const weir_conn *c)
{
    uint32_t unsent = conn_unsent(c);
    bool fits = unsent <= c->snd.wnd && !conn_has(c, WEIRI_MORE), full = base_min32(unsent, c->snd.wnd) >= conn_full_text(c);
    return unsent > 0 && (fits || full);
}

/* The scoreboard, the rate and the windows know of it. */
static void calm_note_text(weir_conn *c, bool fin)
{
    weir_block run = {c->snd.nxt, seq_add(c->snd.end, fin ? 1 : 0)};
    c->progress_at = conn_has(c, WEIRI_RELEASED) ? c->progress_at : c->now;
    weiri_repair_idle(c);
    weiri_rate_sending(&c->board, true, c->now);
    (void)weiri_board_push(&c->board, run, c->now); /* it is empty */
    c->snd.nxt = run.to;
    c->rack.restart = 1;
    c->spoke_at = c->now;
    conn_set(c, WEIRI_SWS_OVERRIDE, false);
    conn_set(c, WEIRI_CWND_LIMITED, weiri_out_fills_cwnd(c));
}

static weir_us calm_text(weir_conn *c, weir_out *out)
{
    bool fin = conn_has(c, WEIRI_FIN_QUEUED);
    uint32_t len = seq_diff(c->snd.nxt, c->snd.end);
    unsigned flags = WEIR_ACK | (len > 0 ? (unsigned)WEIR_PSH : 0) | (fin ? (unsigned)WEIR_FIN : 0);
    out->header_len = (uint16_t)weiri_predict_header(c, out->room + WEIR_IP_HEADER_MAX, flags);
    out->len = out->header_len + len;
    weiri_ring_slices(c, c->snd.nxt, len, out->body);
    weiri_out_acked(c);
    calm_note_text(c, fin);
    weir_us at = len > 0 ? weiri_pace_depart(c, len) : 0;
    WEIRI_COUNT(c, data_out, len > 0);
    return at;
}

/* ---- either ------------------------------------------------------------------------------------------------------------------------ */

static void calm_syn(weir_conn *c, weir_out *out)
{
    out->header_len = (uint16_t)calm_syn_header(c, out->room + WEIR_IP_HEADER_MAX);
    out->len = out->header_len;
    weiri_ring_slices(c, c->snd.nxt, 0, out->body);
    conn_set(c, WEIRI_SYN_DUE, false);
    if (c->state == WEIR_SYN_RECEIVED) {
        weiri_out_acked(c);
    }
    c->spoke_at = c->now;
    c->snd.nxt = seq_add(c->snd.iss, 1);
}

WEIR_PRIVATE bool weiri_calm_speaks(weir_conn *c, weir_out *out)
{
    out->depart_at = 0;
    if (calm_is_last_text(c)) {
        out->depart_at = calm_text(c, out);
    } else if (calm_is_first_syn(c)) {
        calm_syn(c, out);
    } else {
        return false;
    }
    out->header_at = WEIR_IP_HEADER_MAX;
    out->ecn = 0;
    out->gso_size = 0;
    WEIRI_COUNT(c, out, 1);
    weiri_out_open_checksum(c, out);
    weiri_timer_sent(c);
    WEIR_HOLDS(weir_check(c));
    return true;
}

#endif /* WEIRI_WITH_CALM */
