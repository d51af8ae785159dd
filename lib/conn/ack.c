/* ack.c - what an acceptable acknowledgment does: SND.UNA, round-trip time, scoreboard, send window; when our own ACK is due; what a
 * retransmission timeout does.
 *
 * Gathers what an acknowledgment tells; what follows of losses and for the congestion window is repair.c's affair. RFC 9293 3.10.7.4
 * fifth, RFC 5681 4.2, RFC 6298, RFC 7323 4. */
#include "conn/conn.h"

#define ACK_STEP_MIN 64
#define ACK_DATA_RTO_US 3000000u /* RFC 6298 5.7 */

/* RFC 7323 4.3: TS.Recent follows segments that begin at or before the last acknowledgment sent. It never goes back: what is older was
 * refused (row P1), unless TS.Recent itself had become too old to compare with. */
static void ack_note_stamp(weir_conn *c, const weir_view *v)
{
    if (conn_has(c, WEIRI_TS_OK) && (v->options & WEIR_OPT_TIMESTAMPS) && seq_leq(v->seq, c->rcv.acked)) {
        c->ts.recent = v->ts_value;
        c->ts.recent_at = c->now;
    }
}

/* Our SYN is acknowledged: the path has answered for the first time. */
static void ack_syn(weir_conn *c)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    bool resent = conn_has(c, WEIRI_SYN_RESENT);
    uint32_t window = resent ? c->mss_snd : weiri_cc_initial_window(c->mss_snd, c->cfg->iw10); /* RFC 5681 3.1 */
    c->snd.una = seq_add(c->snd.iss, 1);
    c->snd.nxt = seq_max(c->snd.nxt, c->snd.una);
    conn_set(c, WEIRI_SYN_DUE, false);
    weiri_cc_init(&c->cc, window, c->snd.nxt);
    weiri_rack_init(&c->rack, c->snd.una);
    weiri_cwv_init(&c->cwv, c->snd.una, c->now);
    if (!conn_has(c, WEIRI_SYN_TWICE)) {
        uint32_t rtt_us = (uint32_t)base_min_us(c->now - c->spoke_at, UINT32_MAX);
        weiri_rtt_sample(&c->rtt, rtt_us, &bounds);
        weiri_repair_sample(c, rtt_us);
    }
    if (resent) {
        c->rtt.rto = base_max32(c->rtt.rto, ACK_DATA_RTO_US);
    }
    c->backoff = 0;
    c->timer = WEIRI_TIMER_NONE; /* the SYN's; weiri_timer_update starts what is needed now */
    c->rexmt_at = WEIR_FOREVER;
}

/* Karn: a record sent once gives its own time; where it was sent again, a timestamp says which of the two was answered. Only a sample
 * ends the backoff (RFC 6298 5): on a path that has become slower than the RTO every segment would be sent again, and none be measured. */
static void ack_sample(weir_conn *c, struct weiri_news *n, const struct weiri_acked *a)
{
    uint32_t ms;
    bool stamped = conn_echo_age(c, n->v, &ms) && a->octets > 0;
    if (a->sampled || stamped) {
        uint32_t rtt_us = a->sampled ? a->rtt_us : base_max32(ms, 1) * 1000;
        weiri_undo_sample(c, rtt_us);
        weiri_repair_sample(c, rtt_us);
        n->sample_us = base_max32(rtt_us, 1);
        c->backoff = 0;
    }
}

/* R2 counts from the last progress. When the user has walked away, little steps are none: a peer that takes an octet at a time would keep
 * the connection for ever (RFC 9293 3.8.3; config.orphan_us). What is little follows from the window the peer once had. */
static void ack_note_progress(weir_conn *c, uint32_t octets)
{
    uint32_t step = base_min32(c->mss_snd, base_max32(c->snd.max_wnd / 2, ACK_STEP_MIN));
    bool all = conn_unsent(c) == 0 && seq_eq(c->snd.una, c->snd.nxt);
    if (!conn_has(c, WEIRI_RELEASED) || octets >= step || all) {
        c->progress_at = c->now;
    }
}

/* What is acknowledged leaves the scoreboard: first whole segments of which nothing was known, then whatever there is. */
static struct weiri_acked ack_leave(weir_conn *c, struct weiri_news *n)
{
    struct weiri_acked a = {0, 0, false, 0};
    if (WEIR_WITH_LARGE_BOARD) {
        a = weiri_repair_in_order(c, n);
    }
    weir_block run = {seq_add(c->snd.una, a.octets), n->v->ack};
    if (!seq_eq(run.from, run.to)) {
        weiri_repair_delivered(c, run, n);
        struct weiri_acked rest = weiri_board_ack(&c->board, run.to, c->now);
        a.octets += rest.octets;
        a.sacked = rest.sacked;
        a.rtt_us = rest.sampled ? rest.rtt_us : a.rtt_us;
        a.sampled = a.sampled || rest.sampled;
    }
    return a;
}

static void ack_new(weir_conn *c, struct weiri_news *n)
{
    const weir_view *v = n->v;
    if (conn_opening(c)) {
        ack_syn(c);
    }
    n->advanced = true;
    n->flight = conn_flight(c);
    struct weiri_acked a = ack_leave(c, n);
    bool fin = conn_fin_sent(c) && seq_eq(v->ack, seq_add(c->snd.end, 1));
    c->snd.una = v->ack;
    n->acked = a.octets;
    n->delivered = a.octets - a.sacked;
    c->octets_acked += a.octets - (fin ? 1 : 0);
    weiri_icmp_acked(c, a.octets);
    ack_sample(c, n, &a);
    c->retries = 0;
    ack_note_progress(c, a.octets);
    conn_set(c, WEIRI_SUSPECT, false);
    if (conn_has(c, WEIRI_URG_SND) && seq_leq(c->snd.up, c->snd.una)) {
        conn_set(c, WEIRI_URG_SND, false);
    }
}

/* A first block at or below SEG.ACK, or inside the second, is a D-SACK (RFC 2883 5): it tells of a duplicate and of nothing held. */
static void ack_dsack(weir_conn *c, struct weiri_news *n)
{
    const weir_block *b = n->v->sack;
    if (n->v->sack_count > 0) {
        bool below = seq_leq(b[0].to, n->v->ack);
        bool inside = n->v->sack_count > 1 && seq_leq(b[1].from, b[0].from) && seq_leq(b[0].to, b[1].to);
        if (below || inside) {
            WEIRI_COUNT(c, dsack_in, 1);
            n->dsack = b[0];
        }
    }
}

/* The octets the peer says it holds; true if that is news. */
static bool ack_sack(weir_conn *c, struct weiri_news *n)
{
    uint32_t news = 0;
    if (!conn_has(c, WEIRI_SACK_OK) || !(n->v->options & WEIR_OPT_SACK)) {
        return false;
    }
    ack_dsack(c, n);
    for (unsigned i = 0; i < n->v->sack_count; i++) { /* 4 */
        weiri_repair_delivered(c, n->v->sack[i], n);
        news += weiri_board_sack(&c->board, n->v->sack[i]);
    }
    n->delivered += news;
    return news > 0;
}

/* RFC 5681 2: nothing but the acknowledgment number, the one we have, the window we know, while something is outstanding. With SACK it
 * counts only if it brings news (RFC 6675 2). Before a window of zero it answers a probe and tells of no loss. */
static bool ack_is_duplicate(const weir_conn *c, const weir_view *v, bool sack_news)
{
    if (!seq_eq(v->ack, c->snd.una) || conn_flight(c) == 0 || (v->flags & (WEIR_SYN | WEIR_FIN))) {
        return false;
    }
    if (conn_has(c, WEIRI_SACK_OK)) {
        return sack_news;
    }
    return v->payload_len == 0 && c->snd.wnd > 0 && (uint32_t)v->window << conn_shift_snd(c) == c->snd.wnd;
}

/* What was sent into a window that closed met nobody: it goes again, and it is not congestion. */
static void ack_window_opened(weir_conn *c)
{
    if (conn_flight(c) > 0 && !conn_opening(c)) {
        weiri_board_lose_all(&c->board);
        conn_set(c, WEIRI_RESEND_NOW, true);
    }
    c->probes = 0;
    ack_note_progress(c, 0);
}

/* 3.10.7.4 fifth: only from a segment that is not older than the one that gave the window we have (SND.WL1, SND.WL2). */
static void ack_window(weir_conn *c, const weir_view *v)
{
    bool newer = seq_lt(c->snd.wl1, v->seq) || (seq_eq(c->snd.wl1, v->seq) && seq_leq(c->snd.wl2, v->ack));
    if (!newer || seq_lt(v->ack, c->snd.una)) {
        return;
    }
    uint32_t before = c->snd.wnd;
    c->snd.wnd = v->flags & WEIR_SYN ? v->window : (uint32_t)v->window << conn_shift_snd(c);
    c->snd.max_wnd = base_max32(c->snd.max_wnd, c->snd.wnd);
    c->snd.wl1 = v->seq;
    c->snd.wl2 = v->ack;
    if (before == 0 && c->snd.wnd > 0) {
        ack_window_opened(c);
    }
}

static void ack_whole(weir_conn *c, const weir_view *v)
{
    weiri_timer_heard(c);
    ack_note_stamp(c, v);
    if (c->timer == WEIRI_TIMER_PERSIST) {
        ack_note_progress(c, 0); /* MUST-37, SHLD-17: a peer that answers probes keeps the connection, however long its window is zero */
        conn_set(c, WEIRI_ANSWERED, true);
    }
    struct weiri_news n;
    memset(&n, 0, sizeof n);
    n.v = v;
    weiri_repair_begin(c, &n);
    if (seq_lt(c->snd.una, v->ack)) {
        ack_new(c, &n);
    }
    bool news = ack_sack(c, &n);
    n.duplicate = !n.advanced && ack_is_duplicate(c, v, news);
    weiri_repair_acked(c, &n);
    ack_window(c, v);
    weiri_tune_acked(c, n.acked);
}

/* ---- where nothing is out of the ordinary ------------------------------------------------------------------------------------------ */

#if WEIRI_WITH_CALM

/* Nothing is missing, suspected or to be taken back, and cwnd was not the limit. */
static bool ack_is_calm(const weir_conn *c)
{
    const uint32_t odd = WEIRI_RECOVERY | WEIRI_LOSS | WEIRI_CWND_LIMITED | WEIRI_URG_SND;
    const struct weir_rack *r = &c->rack;
    bool flags = (c->flags & (odd | WEIRI_SACK_OK)) == WEIRI_SACK_OK && c->timer != WEIRI_TIMER_PERSIST;
    bool board = (c->board.lost | c->board.sacked | c->board.resent) == 0 && c->board.count <= 1;
    bool time = (r->tlp | r->dsack_round) == 0 && r->timer != WEIRI_RACK_REORDER;
    return flags && board && time && (c->undo.kind | c->undo.adapt) == 0 && !weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc);
}

/* All that is outstanding, one segment or our SYN, is acknowledged for the first time, and nothing else is told. */
static bool ack_ends_all(const weir_conn *c, const weir_view *v)
{
    return seq_eq(v->ack, c->snd.nxt) && seq_lt(c->snd.una, v->ack) && !(v->options & WEIR_OPT_SACK) && !(v->flags & WEIR_ECE);
}

/* The segment leaves the scoreboard, and has measured the round trip: its octets. */
static uint32_t ack_calm_leave(weir_conn *c, struct weiri_rack_ack *a)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    struct weiri_rate_sample rate;
    const struct weir_sent *sent = weiri_board_leave_only(&c->board);
    uint32_t rtt_us = (uint32_t)c->now - sent->sent_at;
    memset(&rate, 0, sizeof rate);
    weiri_rack_delivered(&c->rack, sent, a);
    weiri_rate_delivered(&c->board, &rate, sent, c->now);
    weiri_rtt_sample(&c->rtt, rtt_us, &bounds);
    weiri_repair_sample(c, rtt_us);
    c->backoff = 0;
    weiri_rate_finish(&c->rate, &c->board, &rate, c->rack.min_rtt);
    return rate.acked;
}

/* cwnd was not used up: it stays; what it is worth is judged. */
static void ack_calm_window(weir_conn *c, uint32_t octets)
{
    struct weiri_cwv_event e;
    e.now = c->now;
    e.rtt_us = c->rtt.srtt8 >> 3;
    e.before = seq_sub(c->snd.una, octets);
    e.una = c->snd.una;
    e.flight = 0;
    e.mss = c->mss_snd;
    e.initial = weiri_cc_initial_window(c->mss_snd, c->cfg->iw10);
    if (c->cfg->cwv) {
        weiri_cwv_acked(&c->cwv, &c->cc, &e);
    }
    weiri_cc_unused(&c->cc, (enum weir_cc_kind)c->cfg->cc, c->now);
}

/* Does what ack_whole does, in a straight line. */
static void ack_calm(weir_conn *c, const weir_view *v)
{
    struct weiri_rack_ack a;
    memset(&a, 0, sizeof a);
    a.now = c->now;
    a.rtt = UINT32_MAX;
    a.fack = c->rack.fack;
    weiri_timer_heard(c);
    ack_note_stamp(c, v);
    if (conn_opening(c)) {
        ack_syn(c);
    }
    uint32_t octets = c->board.count > 0 ? ack_calm_leave(c, &a) : 0; /* none: a SYN alone */
    bool fin = conn_fin_sent(c) && seq_eq(v->ack, seq_add(c->snd.end, 1));
    c->snd.una = v->ack;
    c->octets_acked += octets - (fin ? 1 : 0);
    weiri_icmp_acked(c, octets);
    c->retries = 0;
    c->dupacks = 0;
    ack_note_progress(c, octets);
    conn_set(c, WEIRI_SUSPECT | WEIRI_PARTIAL, false);
    conn_forget_probe(c);
    weiri_ecn_advanced(c);
    if (octets > 0) {
        ack_calm_window(c, octets);
    }
    c->recover = seq_max(c->recover, seq_sub(c->snd.una, 1));
    conn_restart_probe(c);
    weiri_timer_stop(c);
    a.srtt = c->rtt.srtt8 >> 3;
    weiri_rack_adapt(&c->rack, &a);
    ack_window(c, v);
    weiri_tune_acked(c, octets);
}

#endif

WEIR_PRIVATE void weiri_ack_accept(weir_conn *c, const weir_view *v)
{
#if WEIRI_WITH_CALM
    if (ack_ends_all(c, v) && ack_is_calm(c)) {
        ack_calm(c, v);
        return;
    }
#endif
    ack_whole(c, v);
}

/* The text of one segment. Where several were joined and nobody says how long each was: as much as fits beside the options. */
static uint32_t ack_segment_size(const weir_conn *c, const weir_view *v)
{
    uint32_t options = v->header_len > 20 ? v->header_len - 20u : 0;
    uint32_t most = v->gso_size > 0 ? base_min32(v->gso_size, c->mss_adv) : c->mss_adv - options;
    return base_min32(v->payload_len, most);
}

WEIR_PRIVATE void weiri_ack_listening(weir_conn *c, const weir_view *v)
{
    weiri_timer_heard(c);
    ack_note_stamp(c, v);
    weiri_rate_expire(&c->rate, &c->board);
    conn_forget_probe(c);
    ack_window(c, v);
}

WEIR_PRIVATE void weiri_ack_due(weir_conn *c, const weir_view *v)
{
    WEIRI_COUNT(c, data_in, conn_segments(v));
    c->rcv_mss = (uint16_t)base_max32(c->rcv_mss, ack_segment_size(c, v));
    if (conn_has(c, WEIRI_ACK_NOW)) {
        return;
    }
    uint32_t waiting = seq_diff(c->rcv.acked, c->rcv.nxt);
    if (c->quick_acks > 0) {
        c->quick_acks--;
        conn_set(c, WEIRI_ACK_NOW, true);
    } else if (waiting >= (uint32_t)c->cfg->ack_every * c->rcv_mss) { /* SHLD-19 */
        conn_set(c, WEIRI_ACK_NOW, true);
    } else if (c->ack_at == WEIR_FOREVER) {
        c->ack_at = base_after(c->now, c->cfg->ack_delay_us); /* SHLD-18, MUST-40 */
    }
}

WEIR_PRIVATE void weiri_ack_timeout(weir_conn *c)
{
    if (conn_opening(c)) {
        conn_set(c, WEIRI_SYN_DUE | WEIRI_SYN_RESENT, true);
    } else {
        weiri_icmp_timeout(c);
        weiri_repair_timeout(c);
    }
    WEIRI_COUNT(c, timeouts, 1);
    c->retries = (uint8_t)base_min32(c->retries + 1u, UINT8_MAX);
    c->backoff = (uint8_t)base_min32(c->backoff + 1u, 31);
    if (c->retries > c->cfg->retries_r1) {
        conn_set(c, WEIRI_SUSPECT, true); /* R1 (SHLD-9) */
    }
    weiri_timer_restart(c);
}

#undef ACK_STEP_MIN
#undef ACK_DATA_RTO_US
