/* conn.c - one connection as a value: how it begins, how each public call begins and ends, what is true of it.
 *
 * Knows all the rooms of a connection and owns none of their rules. RFC 9293 3.3.1, 3.9.1, 3.10.6, 3.10.7. */
#include "conn/conn.h"

/* ---- life ---------------------------------------------------------------------------------------------------------------------------- */

/* MSS = MTU less fixed headers, options left out of account (RFC 6691 2, MUST-67, SHLD-6); what we send is bound by the path and the peer
 * (MUST-16), and before its SYN by what everyone may assume (MUST-15). */
WEIR_PRIVATE void weiri_conn_set_mss(weir_conn *c)
{
    uint32_t headers = conn_ip_header(c) + 20;
    uint32_t peer = c->mss_peer > 0 ? c->mss_peer : headers == 40 ? 536 : 1220;
    c->mss_adv = (uint16_t)(c->cfg->mtu - headers);
    c->mss_snd = (uint16_t)base_min32(peer, c->pmtu - headers);
}

/* What is not 0 before an OPEN. */
static void conn_fresh(weir_conn *c)
{
    c->pmtu = c->cfg->mtu;
    c->quick_acks = c->cfg->quick_acks;
    c->snd.end = seq_of(1); /* with ISS 0: the place of the first octet, for a SEND before the ISS is chosen */
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    weiri_board_init(&c->board, c->board.sent, c->board.cap);
    weiri_rtt_init(&c->rtt, &bounds);
    weiri_cc_init(&c->cc, weiri_cc_initial_window(536, c->cfg->iw10), c->snd.nxt);
    weiri_rack_init(&c->rack, c->snd.una);
    weiri_timer_stop_all(c);
}

WEIR_PRIVATE void weiri_conn_clear(weir_conn *c)
{
    const uint32_t flags = c->flags & (uint32_t)(WEIRI_NAGLE | WEIRI_KEEPALIVE), rx_size = c->rx_size, tx_size = c->tx_size;
    const uint16_t span_cap = c->span_cap, sent_cap = c->board.cap;
    const weir_us now = c->now, r2_us = c->r2_us;
    struct weir_sent *sent = c->board.sent;
#if WEIR_WITH_COUNTERS
    const weir_path path = c->path;
#endif
    if (WEIR_WITH_LARGE_BOARD) {
        c->spans = span_cap > 0 ? c->spans - c->span_head : NULL; /* back to the first place */
    }
    memset((uint8_t *)c + offsetof(weir_conn, err), 0, sizeof *c - offsetof(weir_conn, err)); /* the state stays too: fsm.c changes it */
    c->flags = flags;
    c->rx_size = rx_size;
    c->tx_size = tx_size;
    c->span_cap = span_cap;
    c->board.sent = sent;
    c->board.cap = sent_cap;
    c->now = now;
    c->r2_us = r2_us;
#if WEIR_WITH_COUNTERS
    c->path = path;
#endif
    conn_fresh(c);
}

WEIR_PRIVATE void weiri_conn_set_iss_floor(weir_conn *c, weir_seq floor)
{
    c->iss_floor = floor;
    conn_set(c, WEIRI_ISS_FLOOR, true);
}

static void conn_lend(weir_conn *c, const weir_buffers *buffers)
{
    c->rx_ring = buffers->rx;
    c->tx_ring = buffers->tx;
    c->spans = buffers->spans;
    c->rx_size = buffers->rx_size;
    c->tx_size = buffers->tx_size;
    c->span_cap = buffers->span_cap;
}

WEIR_PRIVATE void weiri_conn_init(weir_conn *c, const weir_config *config, const weir_buffers *buffers, weir_us now)
{
    memset(c, 0, sizeof *c);
    c->cfg = config;
    c->now = now;
    conn_lend(c, buffers);
    c->board.sent = buffers->sent;
    c->board.cap = buffers->sent_cap;
    c->r2_us = config->r2_us;
    c->dscp = config->dscp;
    conn_set(c, WEIRI_NAGLE, config->nagle);
    conn_set(c, WEIRI_KEEPALIVE, config->keepalive_idle_us > 0);
    conn_fresh(c);
}

#if WEIR_WITH_PREDICTION
WEIR_PRIVATE void weiri_conn_copy(weir_conn *c, const weir_conn *blank, const weir_buffers *buffers, weir_us now)
{
    memcpy(c, blank, sizeof *c);
    c->now = now;
    conn_lend(c, buffers);
    weiri_board_init(&c->board, buffers->sent, buffers->sent_cap);
}
#endif

WEIR_API weir_err weir_init(weir_conn *c, const weir_config *config, const weir_buffers *buffers, weir_us now)
{
    weir_err err = weir_config_check(config, NULL);
    if (err == WEIR_ERR_NONE) {
        weiri_conn_init(c, config, buffers, now);
    }
    return err;
}

/* ---- every call -------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_conn_begin(weir_conn *c, weir_us now)
{
    c->now = c->now > now ? c->now : now;
    weiri_fsm_begin(c);
}

WEIR_PRIVATE void weiri_conn_finish(weir_conn *c)
{
    weiri_timer_update(c);
    WEIR_HOLDS(weir_check(c));
}

WEIR_API enum weir_input weir_input(weir_conn *c, const weir_view *view, weir_us now)
{
    struct weiri_step s;
    if (weiri_predict_listening(c, view)) {
        weiri_ring_put(c, view->payload, view->payload_len);
        weiri_predict_heard(c, view, now);
        return WEIR_TAKEN;
    }
    weiri_conn_begin(c, now);
    memset(&s, 0, sizeof s);
    s.c = c;
    s.v = view;
    WEIRI_COUNT(c, in, conn_segments(view));
    if (weiri_predict(c, view)) {
        weiri_predicted(&s);
    } else {
        s.facts = weiri_facts_segment(c, view);
        weiri_fsm_segment(&s);
    }
    weiri_conn_finish(c);
    return s.reuse ? WEIR_REUSE : WEIR_TAKEN;
}

/* When the SYN,ACK was sent is not known: no RTT sample. */
WEIR_PRIVATE void weiri_conn_recall(weir_conn *c, const weir_view *syn, weir_seq iss, weir_us now)
{
    (void)weir_input(c, syn, now);
    weiri_conn_begin(c, now);
    c->snd.iss = iss;
    c->snd.una = iss;
    c->snd.wl2 = iss;
    c->snd.nxt = seq_add(iss, 1);
    c->snd.end = c->snd.nxt;
    c->recover = iss;
    c->rcv.acked = c->rcv.nxt;
    c->spoke_at = c->now;
    conn_set(c, WEIRI_SYN_DUE, false);
    conn_set(c, WEIRI_SYN_TWICE, true);
    weiri_conn_finish(c);
}

/* ---- what is true ------------------------------------------------------------------------------------------------ */

#define CONN_IN(c, states) (((states) >> (c)->state & 1u) != 0)
#define CONN_SYNCHRONIZED (~0u << WEIR_ESTABLISHED)

static unsigned conn_event(bool is, unsigned event)
{
    return is ? event : 0;
}

/* Text and FIN, and our SYN: the first octet not acknowledged is one past the last that there is. */
static bool conn_all_acked(const weir_conn *c)
{
    uint32_t fin = conn_has(c, WEIRI_FIN_QUEUED);
    return seq_leq(seq_add(c->snd.end, fin), c->snd.una) && !conn_opening(c);
}

/* What the flags say. */
static unsigned conn_flag_events(const weir_conn *c)
{
    const uint32_t told = WEIRI_FIN_TAKEN | WEIRI_URG_RCV | WEIRI_HELD | WEIRI_SUSPECT;
    if (!conn_has(c, told)) { /* nearly always */
        return 0;
    }
    return conn_event(conn_has(c, WEIRI_FIN_TAKEN), WEIR_EV_PEER_FIN) | conn_event(conn_has(c, WEIRI_URG_RCV), WEIR_EV_URGENT) |
           conn_event(conn_has(c, WEIRI_HELD) && c->state == WEIR_SYN_RECEIVED, WEIR_EV_HELD) |
           conn_event(conn_has(c, WEIRI_SUSPECT), WEIR_EV_SUSPECT);
}

WEIR_API unsigned weir_events(const weir_conn *c)
{
    return conn_event(weiri_ring_to_read(c) > 0, WEIR_EV_READABLE) | conn_event(weiri_ring_to_write(c) > 0, WEIR_EV_WRITABLE) |
           conn_event(CONN_IN(c, CONN_SYNCHRONIZED), WEIR_EV_CONNECTED) | conn_event(c->state == WEIR_CLOSED, WEIR_EV_CLOSED) |
           conn_flag_events(c) | conn_event(conn_all_acked(c), WEIR_EV_SENT) | conn_event(weiri_tune_growing(c), WEIR_EV_GROW);
}

#undef CONN_IN
#undef CONN_SYNCHRONIZED

WEIR_API weir_err weir_error(const weir_conn *c)
{
    return (weir_err)c->err;
}

WEIR_API enum weir_state weir_state(const weir_conn *c)
{
    return (enum weir_state)c->state;
}

WEIR_API const weir_tuple *weir_sockets(const weir_conn *c)
{
    return &c->tuple;
}
