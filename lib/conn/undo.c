/* undo.c - what a retransmission cost that was not needed is taken back.
 *
 * Told by timestamps (Eifel, RFC 3522), by D-SACK (RFC 2883 4), after a timeout by what arrives of octets sent once (F-RTO,
 * RFC 5682 2.1 and, with SACK, 3.1), and by what arrives before it goes again. The answer is that of RFC 4015. Knows nothing of how losses
 * are found. */
#include "conn/conn.h"

#if WEIR_WITH_UNDO

/* Not in a recovery; again, where the first acknowledgment has not come yet (RFC 5682 2.1 and 3.1, step 1). */
static void undo_start_frto(weir_conn *c, bool first)
{
    bool may = first || c->undo.step == WEIRI_FRTO_WAIT;
    c->undo.step = may ? (uint8_t)WEIRI_FRTO_WAIT : (uint8_t)WEIRI_FRTO_OFF;
}

WEIR_PRIVATE void weiri_undo_begin(weir_conn *c, enum weiri_undo kind)
{
    struct weir_undo *u = &c->undo;
    bool first = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS); /* a timeout in a recovery: what was before both is kept */
    if (!c->cfg->undo) {
        return;
    }
    if (first) {
        memset(u, 0, sizeof *u);
        u->cc = c->cc;
        u->rtt = c->rtt;
        u->from = c->snd.una;
        u->until = c->snd.nxt;
        u->flight = conn_flight(c);
        u->kind = (uint8_t)kind;
        /* What went again before this recovery may be acknowledged first, and its echo says nothing of this one. */
        u->answered = c->board.resent > 0;
    }
    if (kind == WEIRI_UNDO_TIMEOUT) {
        undo_start_frto(c, first);
    }
}

WEIR_PRIVATE void weiri_undo_sent(weir_conn *c, uint32_t octets)
{
    struct weir_undo *u = &c->undo;
    if (u->kind != WEIRI_UNDO_NONE) {
        u->stamp = u->sent ? u->stamp : weiri_ts_now(c);
        u->sent = 1;
        u->resent = base_min32(u->resent, UINT32_MAX - octets) + octets;
    }
    if (u->step == WEIRI_FRTO_NEW) { /* no new text could go after all */
        u->step = WEIRI_FRTO_OFF;
    }
}

/* RFC 3522 3.2: the first acknowledgment of what was sent again echoes a timestamp older than its retransmission. */
static bool undo_by_stamp(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (!n->advanced || u->answered) {
        return false;
    }
    u->answered = 1;
    return conn_has(c, WEIRI_TS_OK) && (n->v->options & WEIR_OPT_TIMESTAMPS) && (int32_t)(n->v->ts_echo - u->stamp) < 0;
}

/* As many octets are told to be duplicates as were sent again. */
static bool undo_by_dsack(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    bool ours = seq_leq(u->from, n->dsack.from) && seq_lt(n->dsack.from, n->dsack.to) && seq_leq(n->dsack.to, c->snd.nxt);
    if (!ours || u->resent == 0) {
        return false;
    }
    u->resent -= base_min32(u->resent, seq_diff(n->dsack.from, n->dsack.to));
    return u->resent == 0;
}

/* RFC 5682 step 2: the first acknowledgment of what the timeout sent again. New text goes next instead of what is taken for lost, so that
 * the second one tells; where there is none, or all is acknowledged, or not all that went again, losses are repaired as ever. Without SACK
 * a duplicate ends it too. */
static void undo_frto_first(weir_conn *c, const struct weiri_news *n)
{
    if (n->advanced) {
        bool rest = seq_lt(c->snd.una, c->recover) && weiri_board_record(&c->board, 0)->tries == 1;
        c->undo.step = rest && weiri_out_has_new(c) ? (uint8_t)WEIRI_FRTO_NEW : (uint8_t)WEIRI_FRTO_OFF;
    } else if (n->duplicate && !conn_has(c, WEIRI_SACK_OK)) {
        c->undo.step = WEIRI_FRTO_OFF;
    }
}

/* Does it speak of octets that were sent after the timeout? */
static bool undo_beyond(const weir_conn *c, const weir_view *v)
{
    bool beyond = seq_lt(c->recover, v->ack);
    for (unsigned i = 0; i < v->sack_count; i++) { /* 4 */
        beyond = beyond || seq_lt(c->recover, v->sack[i].to);
    }
    return beyond;
}

/* Step 3: the second one. Of octets that were sent once, before the timeout, and of none after it: it was spurious. With a duplicate that
 * is without SACK two new segments count as in flight still: a window of three lets a lost one go (2.1 step 3a). */
static bool undo_by_frto(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (!conn_has(c, WEIRI_LOSS) || u->step == WEIRI_FRTO_OFF) {
        return false;
    }
    if (u->step == WEIRI_FRTO_WAIT) {
        undo_frto_first(c, n);
        return false;
    }
    if (n->advanced || n->duplicate) {
        u->step = WEIRI_FRTO_OFF;
    }
    if (n->duplicate && !conn_has(c, WEIRI_SACK_OK)) {
        c->cc.cwnd = 3u * c->mss_snd;
    }
    return n->original && !undo_beyond(c, n->v);
}

/* RFC 4015 3.1: what is in flight and what was just acknowledged, without a burst; slow start leads to where it was before. A fast
 * recovery, of which that RFC does not speak, gives back no more than the window before it: FlightSize counts what SACK has reported. */
static void undo_restore_window(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc)) {
        weiri_bbr_undo(&c->cc, &u->cc);
        return;
    }
    uint32_t window = base_min32(n->acked, weiri_cc_initial_window(c->mss_snd, c->cfg->iw10)) + conn_flight(c);
    window = base_max32(c->cc.cwnd, u->kind == WEIRI_UNDO_TIMEOUT ? window : base_min32(window, u->cc.cwnd));
    c->cc = u->cc;
    c->cc.cwnd = base_min32(base_max32(window, c->mss_snd), WEIRI_CWND_MAX);
    c->cc.ssthresh = base_max32(u->cc.ssthresh, base_min32(u->flight, WEIRI_CWND_MAX));
}

static void undo_restore(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    undo_restore_window(c, n);
    u->adapt = u->kind == WEIRI_UNDO_TIMEOUT;
    u->from = c->recover;
}

WEIR_PRIVATE void weiri_undo_sample(weir_conn *c, uint32_t rtt_us)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    bool adapt = c->undo.adapt && seq_lt(c->undo.from, c->snd.una);
    if (adapt) {
        c->undo.adapt = 0;
        weiri_rtt_adapt(&c->rtt, &c->undo.rtt, rtt_us, &bounds);
    } else {
        weiri_rtt_sample(&c->rtt, rtt_us, &bounds);
    }
}

/* What goes again may have to wait for its turn (pacing): if all of it arrives meanwhile, nothing was lost. */
static bool undo_before_sending(const weir_conn *c)
{
    return c->board.lost == 0 && conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS);
}

static bool undo_found(weir_conn *c, const struct weiri_news *n)
{
    if (!c->undo.sent) {
        return undo_before_sending(c);
    }
    bool stamp = undo_by_stamp(c, n), dsack = undo_by_dsack(c, n), frto = undo_by_frto(c, n);
    return stamp || dsack || frto;
}

WEIR_PRIVATE bool weiri_undo_acked(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (u->kind == WEIRI_UNDO_NONE) {
        return false;
    }
    bool found = undo_found(c, n);
    bool late = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS) && seq_lt(u->until, c->snd.una);
    if (late) {
        u->kind = WEIRI_UNDO_NONE;
    }
    if (late || !found || (n->v->flags & WEIR_ECE)) { /* congestion was told all the same (RFC 4015 3.4) */
        return false;
    }
    undo_restore(c, n);
    weiri_ecn_restored(c);
    u->kind = WEIRI_UNDO_NONE;
    u->step = WEIRI_FRTO_OFF;
    weiri_board_unlose(&c->board);
    conn_set(c, WEIRI_RECOVERY | WEIRI_LOSS | WEIRI_PARTIAL | WEIRI_RESEND_NOW, false);
    c->dupacks = 0;
    c->recover = seq_sub(c->snd.una, 1);
    WEIRI_COUNT(c, undone, 1);
    return true;
}

WEIR_PRIVATE void weiri_undo_leave(weir_conn *c)
{
    c->undo.until = c->snd.nxt;
    c->undo.step = WEIRI_FRTO_OFF;
}

WEIR_PRIVATE void weiri_undo_forget(weir_conn *c)
{
    c->undo.kind = WEIRI_UNDO_NONE;
    c->undo.step = WEIRI_FRTO_OFF;
}

WEIR_PRIVATE bool weiri_undo_asks_new(const weir_conn *c)
{
    return c->undo.step == WEIRI_FRTO_NEW;
}

#endif /* WEIR_WITH_UNDO */
