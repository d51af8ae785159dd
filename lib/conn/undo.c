/* undo.c - what a retransmission cost that was not needed is taken back.
 *
 * Told by timestamps (Eifel, RFC 3522), by D-SACK (RFC 2883 4), and after a timeout by what arrives of octets sent once (F-RTO,
 * RFC 5682 3.1). The answer is that of RFC 4015. Knows nothing of how losses are found. */
#include "conn/conn.h"

static void undo_start_frto(weir_conn *c, bool first)
{
    bool may = conn_has(c, WEIRI_SACK_OK) && (first || c->undo.step != WEIRI_FRTO_OFF); /* not in a recovery (RFC 5682 3.1) */
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

/* RFC 5682 3.1. After the first acknowledgment new text goes instead of what is taken for lost, so that the next one tells. */
static bool undo_by_frto(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (u->step == WEIRI_FRTO_OFF || !conn_has(c, WEIRI_LOSS)) {
        return false;
    }
    if (n->original) {
        return true;
    }
    if (n->advanced && u->step == WEIRI_FRTO_WAIT && seq_lt(c->snd.una, c->recover) && weiri_out_has_new(c)) {
        u->step = WEIRI_FRTO_NEW;
    } else if (n->advanced || n->delivered > 0) {
        u->step = WEIRI_FRTO_OFF;
    }
    return false;
}

/* RFC 4015 3.1: the window before, without a burst; slow start leads there. */
static void undo_restore(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    uint32_t window = base_min32(n->acked, weiri_cc_initial_window(c->mss_snd, c->cfg->iw10)) + conn_flight(c);
    window = base_max32(c->cc.cwnd, base_min32(window, u->cc.cwnd));
    c->cc = u->cc;
    c->cc.cwnd = base_min32(base_max32(window, c->mss_snd), WEIRI_CWND_MAX);
    c->cc.ssthresh = base_max32(u->cc.ssthresh, base_min32(u->flight, WEIRI_CWND_MAX));
    if (u->kind == WEIRI_UNDO_TIMEOUT) {
        struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
        weiri_rtt_adapt(&c->rtt, &u->rtt, &bounds);
        c->backoff = 0;
    }
}

WEIR_PRIVATE bool weiri_undo_acked(weir_conn *c, const struct weiri_news *n)
{
    struct weir_undo *u = &c->undo;
    if (u->kind == WEIRI_UNDO_NONE || !u->sent) {
        return false;
    }
    bool stamp = undo_by_stamp(c, n), dsack = undo_by_dsack(c, n), frto = undo_by_frto(c, n);
    bool late = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS) && seq_lt(u->until, c->snd.una);
    if (late) {
        u->kind = WEIRI_UNDO_NONE;
    }
    if (late || (!stamp && !dsack && !frto) || (n->v->flags & WEIR_ECE)) { /* congestion was told all the same (RFC 4015 3.4) */
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
    c->count.undone++;
    return true;
}
