/* repair.c - losses: how they are noticed, when recovery begins and ends, how much goes in it; the congestion window from one
 * acknowledgment to the next.
 *
 * Brings the algorithms of lib/recovery to the connection. Knows what an acknowledgment told, not how: that is ack.c's affair. RFC 5681,
 * RFC 6582, RFC 6675, RFC 8985, RFC 9937. */
#include "conn/conn.h"

#define REPAIR_DUP_THRESHOLD 3 /* RFC 5681 3.2 */

static enum weir_cc_kind repair_kind(const weir_conn *c)
{
    return WEIR_WITH_CUBIC || WEIR_WITH_BBR ? (enum weir_cc_kind)c->cfg->cc : WEIR_CC_NEWRENO;
}

static struct weiri_cc_event repair_event(const weir_conn *c, uint32_t acked, uint32_t flight)
{
    struct weiri_cc_event e;
    memset(&e, 0, sizeof e);
    e.acked = acked;
    e.flight = flight;
    e.mss = c->mss_snd;
    if (WEIR_WITH_CUBIC || WEIR_WITH_BBR) {
        e.rtt_us = c->rtt.srtt8 >> 3;
        e.now = c->now;
    }
    if (WEIR_WITH_HYSTART) {
        e.una = c->snd.una;
        e.nxt = c->snd.nxt;
        e.hystart = c->cfg->hystart;
    }
    e.abc = c->cfg->abc;
    e.paced = weiri_pace_mode(c) != WEIR_PACING_OFF;
    if (WEIR_WITH_HALVE_CWND) {
        e.halve_cwnd = c->cfg->halve_cwnd;
        e.text = conn_full_text(c);
    }
    e.limited = !WEIR_WITH_CWV || conn_has(c, WEIRI_CWND_LIMITED | WEIRI_LOSS);
    return e;
}

static struct weiri_cwv_event repair_cwv_event(const weir_conn *c, uint32_t acked, uint32_t flight)
{
    struct weiri_cwv_event e;
    e.now = c->now;
    e.rtt_us = c->rtt.srtt8 >> 3;
    e.before = seq_sub(c->snd.una, acked);
    e.una = c->snd.una;
    e.flight = flight;
    e.mss = c->mss_snd;
    e.initial = weiri_cc_initial_window(c->mss_snd, c->cfg->iw10);
    return e;
}

/* RACK-TLP needs SACK, and takes the place of RFC 6675 (RFC 8985 9.2). */
static bool repair_by_time(const weir_conn *c)
{
    return WEIR_WITH_RACK && c->cfg->rack && conn_has(c, WEIRI_SACK_OK);
}

/* An algorithm with a model of the path has its own window in recovery. */
static bool repair_by_prr(const weir_conn *c)
{
    return WEIR_WITH_PRR && c->cfg->prr && !weiri_cc_has_model(repair_kind(c));
}

/* ---- recovery begins and ends ---------------------------------------------------------------------------------------- */

/* FlightSize when the first sign of the loss came: what limited transmit added since does not count (RFC 5681 3.2). */
static uint32_t repair_flight(const weir_conn *c)
{
    return c->dupacks > 0 ? base_min32(conn_flight(c), c->dup_flight) : conn_flight(c);
}

/* What was in flight when recovery began, with what this acknowledgment delivers of it (RFC 9937 6.1). Without SACK each duplicate
 * stands for a segment. */
static void repair_begin_prr(weir_conn *c, const struct weiri_news *n)
{
    uint32_t sacked = conn_has(c, WEIRI_SACK_OK) ? c->board.sacked : (uint32_t)c->dupacks * c->mss_snd;
    uint32_t before = conn_flight(c) + n->delivered;
    weiri_prr_begin(&c->prr, before > sacked ? before - sacked : 1);
}

static void repair_respond(weir_conn *c, uint32_t flight)
{
    struct weiri_cc_event e = repair_event(c, 0, flight);
    struct weiri_cwv_event v = repair_cwv_event(c, 0, flight);
    weiri_cc_loss(&c->cc, repair_kind(c), &e);
    weiri_cwv_congested(&c->cwv, &c->cc, &v);
    weiri_ecn_reduced(c);
}

/* A loss is congestion: once for each window of data, whether marks or losses told of it first (RFC 3168 6.1.2). */
static void repair_congested(weir_conn *c, uint32_t flight)
{
    if (!weiri_ecn_answered(c)) {
        repair_respond(c, flight);
    }
}

/* RFC 8985 9.3: without PRR the loss of a retransmission is congestion of its own. All that was lost in its round is one response. */
static void repair_lost_again(weir_conn *c, unsigned tries)
{
    if (tries > 0 && c->rack.tries > tries && conn_has(c, WEIRI_RECOVERY) && !repair_by_prr(c) && !weiri_cc_has_model(repair_kind(c))) {
        repair_respond(c, base_min32(conn_flight(c), c->cc.cwnd));
    }
}

static void repair_enter(weir_conn *c, const struct weiri_news *n)
{
    if (c->board.lost == 0 && weiri_board_lose_head(&c->board, c->mss_snd) == 0) {
        return;
    }
    weiri_undo_begin(c, WEIRI_UNDO_FAST);
    repair_congested(c, repair_flight(c));
    repair_begin_prr(c, n);
    c->recover = c->snd.nxt;
    if (WEIR_WITH_LAST_RESORT) {
        c->rescue = seq_min(weiri_board_record(&c->board, 0)->to, seq_add(c->snd.una, c->mss_snd));
    }
    conn_end_probe(c);
    conn_set(c, WEIRI_RECOVERY | WEIRI_RESEND_NOW, true);
    WEIRI_COUNT(c, recoveries, 1);
}

/* What either recovery leaves behind. A D-SACK may come a round trip later. */
static void repair_done(weir_conn *c)
{
    struct weiri_cwv_event v = repair_cwv_event(c, 0, 0);
    weiri_cwv_recovered(&c->cwv, &c->cc, &v);
    conn_set(c, WEIRI_RECOVERY | WEIRI_LOSS | WEIRI_PARTIAL, false);
    weiri_rack_recovered(&c->rack);
    weiri_undo_leave(c);
    c->dupacks = 0;
}

/* The window is ssthresh, however much the acknowledgment covers (RFC 9937 6.4); what that newly delivers may count for the next one. */
static void repair_leave(weir_conn *c, const struct weiri_news *n)
{
    struct weiri_cc_event e = repair_event(c, n->acked, conn_flight(c));
    if (repair_by_prr(c)) {
        c->cc.cwnd = base_min32(c->cc.ssthresh, WEIRI_CWND_MAX);
        c->cc.acked = WEIR_WITH_HALVE_CWND && c->cfg->halve_cwnd ? base_min32(n->delivered, c->cc.cwnd - 1) : 0;
    } else {
        weiri_cc_recovered(&c->cc, repair_kind(c), &e);
    }
    repair_done(c);
}

/* RFC 6582 3.2: without SACK a partial acknowledgment says that the next segment is lost too. Of the duplicates counted so far those that
 * stood for segments which it covers are taken back: all of these but the retransmission. */
static void repair_partial(weir_conn *c, uint32_t acked)
{
    if (!conn_has(c, WEIRI_SACK_OK)) {
        uint32_t covered = base_max32(acked / c->mss_snd, 1) - 1;
        c->dupacks = (uint8_t)(c->dupacks > covered ? c->dupacks - covered : 0);
        weiri_board_lose_head(&c->board, c->mss_snd);
        conn_set(c, WEIRI_RESEND_NOW, true);
    }
}

/* An acknowledgment that took a reduction back is counted in the window already (RFC 4015 3.1 step 9). */
static void repair_advanced(weir_conn *c, const struct weiri_news *n, bool undone)
{
    struct weiri_cc_event e = repair_event(c, n->acked, n->flight);
    bool whole = !seq_lt(c->snd.una, c->recover);
    e.sample_us = n->sample_us;
    if (conn_has(c, WEIRI_RECOVERY)) {
        if (whole) {
            repair_leave(c, n);
        } else {
            repair_partial(c, n->acked);
        }
    } else if (n->acked > 0 && !undone) { /* after a timeout too: that is slow start like any other (RFC 5681 3.1) */
        if (WEIR_WITH_CWV && c->cfg->cwv && !conn_has(c, WEIRI_LOSS) && !weiri_cc_has_model(repair_kind(c))) {
            struct weiri_cwv_event v = repair_cwv_event(c, n->acked, 0);
            weiri_cwv_acked(&c->cwv, &c->cc, &v);
        }
        if (!n->echo) {
            weiri_cc_acked(&c->cc, repair_kind(c), &e);
        }
        if (conn_has(c, WEIRI_LOSS) && whole) {
            repair_done(c);
        }
    }
    if (!conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS)) {
        c->dupacks = 0;
        c->recover = seq_max(c->recover, seq_sub(c->snd.una, 1)); /* RFC 6582 6: kept close, so that it never seems ahead */
    }
}

/* RFC 6298 5.2, 5.3 (MUST-18); of the partial acknowledgments of one recovery without SACK only the first (RFC 6582 3.2). */
static void repair_restart_timer(weir_conn *c)
{
    conn_restart_probe(c);
    if (!conn_has(c, WEIRI_RECOVERY) || conn_has(c, WEIRI_SACK_OK) || !conn_has(c, WEIRI_PARTIAL)) {
        weiri_timer_stop(c);
    }
    conn_set(c, WEIRI_PARTIAL, conn_has(c, WEIRI_RECOVERY));
}

/* ---- losses ------------------------------------------------------------------------------------------------------------ */

static void repair_stop_timer(weir_conn *c)
{
    if (!WEIR_WITH_RACK) {
        return;
    }
    c->rack.timer = WEIRI_RACK_IDLE;
    c->rack.at = WEIR_FOREVER;
}

/* By the time they were sent at. The timer says when the rest would be lost (RFC 8985 6.2 step 5). */
static uint32_t repair_detect_by_time(weir_conn *c)
{
    unsigned tries = c->rack.tries;
    uint32_t wait, lost = weiri_rack_detect(&c->rack, &c->board, c->now, &wait);
    repair_lost_again(c, tries);
    if (wait > 0) {
        c->rack.timer = WEIRI_RACK_REORDER;
        c->rack.at = base_after(c->now, wait);
    } else if (c->rack.timer == WEIRI_RACK_REORDER) {
        repair_stop_timer(c);
    }
    return lost;
}

/* In duplicate acknowledgments, or in what SACK tells of the octets above (RFC 5681 3.2, RFC 6675 5). After a timeout all is taken for
 * lost already. */
static uint32_t repair_detect_by_count(weir_conn *c)
{
    bool board = conn_has(c, WEIRI_SACK_OK) && !conn_has(c, WEIRI_LOSS);
    return board ? weiri_board_detect(&c->board, c->mss_snd) : 0;
}

/* RFC 6675 NextSeg, rules 3 and 4: in recovery, where nothing is known lost and there is nothing new to send, one thing more goes for each
 * acknowledgment: what has SACKED octets above it, and once a recovery the tail, after the first retransmission has arrived. */
static uint32_t repair_guess(weir_conn *c)
{
    bool by_sack = conn_has(c, WEIRI_RECOVERY) && conn_has(c, WEIRI_SACK_OK) && !repair_by_time(c);
    if (!WEIR_WITH_LAST_RESORT || !by_sack || c->board.lost > 0 || weiri_out_may_new(c)) {
        return 0;
    }
    bool tail = c->board.above == 0;
    uint32_t lost = weiri_board_guess(&c->board, c->mss_snd, seq_lt(c->rescue, c->snd.una));
    c->rescue = tail && lost > 0 ? c->recover : c->rescue;
    return lost;
}

static uint32_t repair_detect(weir_conn *c, const struct weiri_news *n)
{
    bool timed = repair_by_time(c), sack = conn_has(c, WEIRI_SACK_OK);
    uint32_t lost = timed ? repair_detect_by_time(c) : repair_detect_by_count(c);
    bool third = !timed && n->duplicate && c->dupacks == REPAIR_DUP_THRESHOLD;
    bool recovering = conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS);
    if (!recovering && (lost > 0 || third) && (sack || seq_lt(c->recover, c->snd.una))) {
        repair_enter(c, n);
        return lost;
    }
    return lost + repair_guess(c);
}

/* ---- the window in recovery -------------------------------------------------------------------------------------------- */

/* RFC 9937 6.2. */
static void repair_reduce(weir_conn *c, const struct weiri_news *n, uint32_t lost)
{
    struct weiri_prr_ack a;
    if (!conn_has(c, WEIRI_RECOVERY) || !repair_by_prr(c)) {
        return;
    }
    a.delivered = n->delivered;
    if (!conn_has(c, WEIRI_SACK_OK)) { /* duplicates may be anything: no more than there was */
        a.delivered = base_min32(a.delivered, c->prr.recover_fs - base_min32(c->prr.delivered, c->prr.recover_fs));
    }
    a.inflight = weiri_out_pipe(c);
    a.ssthresh = c->cc.ssthresh;
    a.cwnd = c->cc.cwnd;
    a.mss = c->mss_snd;
    a.safe = n->advanced && lost == 0;
    c->cc.cwnd = base_min32(base_max32(weiri_prr_acked(&c->prr, &a), 1), WEIRI_CWND_MAX);
}

static void repair_model(weir_conn *c, const struct weiri_rate_sample *rate, uint32_t lost)
{
    if (weiri_cc_has_model(repair_kind(c))) {
        struct weiri_cc_event e = repair_event(c, rate->acked, conn_flight(c));
        e.rate = rate;
        e.inflight = weiri_out_pipe(c);
        e.lost = lost;
#if WEIR_WITH_RATE
        e.delivered = c->board.mark.delivered;
#endif
        e.timeout = conn_has(c, WEIRI_LOSS);
        weiri_cc_model(&c->cc, repair_kind(c), &e);
    }
}

/* Without SACK each duplicate delivers a segment, and an advance what duplicates have not counted (RFC 9937 6.2). */
static void repair_count_delivered(const weir_conn *c, struct weiri_news *n)
{
    if (!conn_has(c, WEIRI_SACK_OK)) {
        uint32_t counted = (uint32_t)c->dupacks * c->mss_snd;
        n->delivered = n->duplicate ? c->mss_snd : n->acked > counted ? n->acked - counted : 0;
    }
}

/* ---- the probe for a lost tail (RFC 8985 7) ------------------------------------------------------------------------------ */

static bool repair_same_window(const weir_conn *c, const weir_view *v)
{
    return (uint32_t)v->window << conn_shift_snd(c) == c->snd.wnd;
}

/* 7.4.2: is the probe's episode over, and did the probe repair a loss? That is congestion too. */
static void repair_end_probe(weir_conn *c, const struct weiri_news *n)
{
    struct weir_rack *r = &c->rack;
    if (!WEIR_WITH_RACK || r->tlp == WEIRI_TLP_NONE || seq_lt(n->v->ack, r->tlp_end)) {
        return;
    }
    bool twice = seq_lt(n->dsack.from, n->dsack.to) && seq_eq(n->dsack.to, r->tlp_end);
    bool beyond = seq_lt(r->tlp_end, n->v->ack);
    bool plain = !n->advanced && n->v->payload_len == 0 && !(n->v->options & WEIR_OPT_SACK) && repair_same_window(c, n->v);
    if (r->tlp == WEIRI_TLP_AGAIN && !twice && beyond) { /* outside of any recovery: one that begins ends the episode */
        repair_congested(c, n->flight);
        weiri_cwv_init(&c->cwv, c->snd.una, c->now);
    }
    if (r->tlp == WEIRI_TLP_NEW || twice || beyond || plain) {
        r->tlp = WEIRI_TLP_NONE;
    }
}

static bool repair_may_probe(const weir_conn *c)
{
    bool calm = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS) && c->board.sacked == 0 && c->board.lost == 0 && !(c->ecn & WEIRI_ECN_WAIT);
    return repair_by_time(c) && calm && c->timer == WEIRI_TIMER_RESEND && !conn_opening(c);
}

/* 7.2. Less than two full segments need not be acknowledged at once; what this end does itself is the best guess of how long the other
 * waits then. */
static void repair_start_probe(weir_conn *c)
{
    uint32_t delay = conn_flight(c) < 2u * c->mss_snd ? (uint32_t)c->cfg->ack_delay_us : 0;
    c->rack.timer = WEIRI_RACK_PROBE;
    c->rack.at = base_min_us(base_after(c->now, weiri_rack_pto(c->rtt.srtt8 >> 3, delay)), c->rexmt_at);
}

WEIR_PRIVATE void weiri_repair_update(weir_conn *c)
{
    struct weir_rack *r = &c->rack;
    if (!WEIR_WITH_RACK || (r->timer == (uint8_t)WEIRI_RACK_IDLE && !r->restart && !r->due)) {
        return;
    }
    bool may = repair_may_probe(c);
    if (c->timer != WEIRI_TIMER_RESEND || (r->timer == WEIRI_RACK_PROBE && !may)) {
        repair_stop_timer(c);
    }
    r->due = r->due && may;
    if (may && r->restart && r->timer == WEIRI_RACK_REORDER) {
        return; /* this acknowledgment may yet stop it */
    }
    if (may && r->restart) {
        repair_start_probe(c);
    }
    r->restart = 0;
}

/* ---- marks (RFC 3168 6.1.2) ---------------------------------------------------------------------------------------------- */

/* The window is what it shall be at once: so small a reduction is over before PRR (RFC 9937) would have spread it, and it needs no recovery
 * of its own. In recovery the window is reduced already; and what was answered for costs nothing more. */
static void repair_marked(weir_conn *c, const struct weiri_news *n)
{
    uint32_t flight = base_max32(n->flight, conn_flight(c));
    if (!WEIR_WITH_ECN || !n->echo || flight == 0 || (c->ecn & WEIRI_ECN_REDUCED) || conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS)) {
        return;
    }
    struct weiri_cc_event e = repair_event(c, n->acked, flight);
    bool least = c->cc.cwnd < 2u * c->mss_snd;
    e.abe = c->cfg->abe;
    struct weiri_cwv_event v = repair_cwv_event(c, 0, e.flight);
    weiri_cc_marked(&c->cc, repair_kind(c), &e);
    weiri_cwv_congested(&c->cwv, &c->cc, &v);
    weiri_cwv_init(&c->cwv, c->snd.una, c->now);
    weiri_ecn_reduced(c);
    weiri_undo_forget(c); /* congestion is no error of judgment */
    if (least) {
        c->ecn |= (uint8_t)WEIRI_ECN_WAIT;
        weiri_timer_restart(c);
    }
}

/* What delivered text was told of, as tcp_info counts it: in segments. */
static void repair_count_marks(weir_conn *c, const struct weiri_news *n)
{
    if (WEIR_WITH_ECN && n->echo) {
        WEIRI_COUNT(c, delivered_ce, base_min32(n->delivered, WEIRI_CWND_MAX) / c->mss_snd + (n->delivered % c->mss_snd > 0));
    }
}

/* ---- what the connection calls --------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_repair_begin(const weir_conn *c, struct weiri_news *n)
{
    uint32_t ms = weiri_ts_now(c) - n->v->ts_echo;
    n->echo = weiri_ecn_is_echo(c, n->v);
    if (!WEIR_WITH_RACK) {
        return;
    }
    n->rack.now = c->now;
    n->rack.rtt = UINT32_MAX;
    n->rack.fack = c->rack.fack;
    n->rack.stamped = conn_has(c, WEIRI_TS_OK) && (n->v->options & WEIR_OPT_TIMESTAMPS) && ms < UINT32_MAX / 1000;
    n->rack.echo_us = n->rack.stamped ? ms * 1000 : 0;
}

/* Of segments that were sent once the later is the one sent later: that one tells all, but that the first may have come out of order. */
WEIR_PRIVATE struct weiri_acked weiri_repair_in_order(weir_conn *c, struct weiri_news *n)
{
    const struct weir_sent *first = NULL, *last = NULL;
    struct weiri_acked a = {0, 0, false, 0};
    a.octets = weiri_board_leave(&c->board, n->v->ack, &first, &last);
    if (a.octets == 0) {
        return a;
    }
    struct weir_sent whole = *last;
    if (conn_has(c, WEIRI_SACK_OK) && first != last) {
        weiri_rack_delivered(&c->rack, first, &n->rack);
    }
    if (conn_has(c, WEIRI_SACK_OK)) {
        weiri_rack_delivered(&c->rack, last, &n->rack);
    }
    whole.from = first->from;
    weiri_rate_delivered(&c->board, &n->rate, &whole, c->now);
    n->original = true;
    a.sampled = true;
    a.rtt_us = (uint32_t)c->now - last->sent_at;
    return a;
}

/* The echo tells which transmission is acknowledged only where the acknowledgment moves: on one out of order it is that of the last
 * segment in order, however new the octets of its SACK blocks are (RFC 7323 4.3). RFC 8985 6.2 step 2 asks for what it indicates. */
WEIR_PRIVATE void weiri_repair_delivered(weir_conn *c, weir_block run, struct weiri_news *n)
{
    struct weir_sent part;
    struct weiri_rack_ack a = n->rack;
    uint32_t i = 0;
    if (!WEIR_WITH_RACK && !WEIR_WITH_RATE && !WEIR_WITH_UNDO) {
        return; /* nobody asks */
    }
    a.stamped = a.stamped && seq_leq(run.to, n->v->ack);
    while (weiri_board_walk(&c->board, run, &i, &part)) { /* what is newly delivered; no record is that twice */
        weiri_rate_delivered(&c->board, &n->rate, &part, c->now);
        n->original = n->original || part.tries == 1;
        if (conn_has(c, WEIRI_SACK_OK)) {
            weiri_rack_delivered(&c->rack, &part, &a);
        }
    }
    n->rack.rtt = a.rtt;
}

/* After more than an RTO of silence the window is the initial one (RFC 5681 4.1), or judged by what was used of it. */
WEIR_PRIVATE void weiri_repair_idle(weir_conn *c)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    if (c->now - c->spoke_at <= weiri_rtt_rto(&c->rtt, 0, &bounds)) {
        return;
    }
    if (weiri_cc_has_model(repair_kind(c))) {
        return; /* which paces what follows */
    }
    struct weiri_cwv_event v = repair_cwv_event(c, 0, 0);
    bool kept = WEIR_WITH_CWV && c->cfg->cwv;
    weiri_cc_idle(&c->cc, kept ? c->cc.cwnd : v.initial);
    if (kept) {
        weiri_cwv_idle(&c->cwv, &c->cc, &v, c->spoke_at);
    }
}

WEIR_PRIVATE void weiri_repair_sample(weir_conn *c, uint32_t rtt_us)
{
    weiri_rack_sample(&c->rack, rtt_us, c->now);
    if (WEIR_WITH_RACK) {
        c->rack.sampled = 1;
    }
}

static void repair_note_duplicate(weir_conn *c, const struct weiri_news *n)
{
    if (n->duplicate && c->dupacks < UINT8_MAX) {
        c->dup_flight = c->dupacks++ == 0 ? conn_flight(c) : c->dup_flight;
    }
}

static void repair_adapt(weir_conn *c, struct weiri_news *n)
{
    if (!WEIR_WITH_RACK) {
        return;
    }
    n->rack.srtt = c->rtt.srtt8 >> 3;
    n->rack.dsack = seq_lt(n->dsack.from, n->dsack.to);
    n->rack.recovering = conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS);
    n->rack.many = c->dupacks >= REPAIR_DUP_THRESHOLD || c->board.sacked > 2u * c->mss_snd;
    n->rack.una = c->snd.una;
    n->rack.nxt = c->snd.nxt;
    weiri_rack_adapt(&c->rack, &n->rack);
}

WEIR_PRIVATE void weiri_repair_acked(weir_conn *c, struct weiri_news *n)
{
    repair_count_delivered(c, n);
    weiri_rate_finish(&c->rate, &c->board, &n->rate, c->rack.min_rtt);
    bool undone = weiri_undo_acked(c, n);
    repair_end_probe(c, n);
    conn_forget_probe(c);
    if (n->advanced) {
        weiri_ecn_advanced(c);
        repair_advanced(c, n, undone);
    }
    if (undone) {
        weiri_cwv_init(&c->cwv, c->snd.una, c->now);
    }
    if (n->advanced || undone) {
        repair_restart_timer(c);
    }
    repair_note_duplicate(c, n);
    repair_adapt(c, n);
    uint32_t lost = repair_detect(c, n);
    repair_reduce(c, n, lost);
    repair_marked(c, n);
    repair_count_marks(c, n);
    repair_model(c, &n->rate, lost);
}

WEIR_PRIVATE void weiri_repair_timeout(weir_conn *c)
{
    struct weiri_cc_event e = repair_event(c, 0, conn_flight(c));
    e.repeated = c->retries > 0;
    weiri_undo_begin(c, WEIRI_UNDO_TIMEOUT);
    weiri_cc_timeout(&c->cc, repair_kind(c), &e);
    weiri_cwv_init(&c->cwv, c->snd.una, c->now); /* the standard answer alone (RFC 7661 4.4) */
    weiri_ecn_reduced(c);
    if (repair_by_time(c)) {
        weiri_rack_timeout(&c->rack, &c->board, c->now);
    } else {
        weiri_board_lose_all(&c->board);
    }
    repair_stop_timer(c);
    conn_forget_probe(c); /* nobody has polled for it */
    conn_end_probe(c);
    c->recover = c->snd.nxt;
    conn_set(c, WEIRI_RECOVERY | WEIRI_PARTIAL, false);
    conn_set(c, WEIRI_LOSS | WEIRI_RESEND_NOW, true);
    c->dupacks = 0;
}

/* 7.3: one probe at a time, and a round trip measured between two; the retransmission timer begins anew whether one goes or not. */
static void repair_expire_probe(weir_conn *c)
{
    struct weir_rack *r = &c->rack;
    r->due = repair_may_probe(c) && r->tlp == WEIRI_TLP_NONE && r->sampled;
    weiri_timer_restart(c);
}

WEIR_PRIVATE void weiri_repair_expire(weir_conn *c)
{
    bool probe = c->rack.timer == WEIRI_RACK_PROBE;
    struct weiri_news none;
    repair_stop_timer(c);
    if (probe) {
        repair_expire_probe(c);
    } else {
        memset(&none, 0, sizeof none);
        repair_model(c, &none.rate, repair_detect(c, &none));
    }
}

WEIR_PRIVATE void weiri_repair_sent(weir_conn *c, weir_block run, bool again)
{
    struct weir_rack *r = &c->rack;
    uint32_t octets = seq_diff(run.from, run.to);
    if (WEIR_WITH_PRR && conn_has(c, WEIRI_RECOVERY)) {
        weiri_prr_sent(&c->prr, octets);
    }
    if (again) {
        weiri_cwv_resent(&c->cwv, run);
        weiri_undo_sent(c, octets);
    }
    if (again && conn_has(c, WEIRI_RECOVERY) && conn_has(c, WEIRI_SACK_OK) && seq_eq(run.from, c->snd.una)) {
        weiri_timer_restart(c); /* the head has gone just now: the timer that ran for it is of no use any more (RFC 6675 6, MAY) */
    }
    if (WEIR_WITH_RACK && r->due) {
        r->due = 0;
        r->sampled = 0;
        r->tlp = again ? (uint8_t)WEIRI_TLP_AGAIN : (uint8_t)WEIRI_TLP_NEW;
        r->tlp_end = c->snd.nxt;
        WEIRI_COUNT(c, tail_probes, 1);
    } else if (WEIR_WITH_RACK) {
        r->restart = r->restart || !again;
    }
}

#undef REPAIR_DUP_THRESHOLD
