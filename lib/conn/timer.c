/* timer.c - deadlines of one connection, and what happens at each.
 *
 * One timer serves retransmission, zero-window probes and the silly-window override: never two of them are wanted at once. The others
 * are delayed ACK, R2, keepalive, and the end of a state's life. RFC 9293 3.8 and 3.10.8, RFC 6298 5. */
#include "conn/conn.h"

#define TIMER_GRANULARITY_US 1000u /* G of RFC 6298: the timestamp clock's tick */

static uint32_t timer_us32(weir_us us)
{
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

WEIR_PRIVATE struct weiri_rto_bounds weiri_timer_bounds(const weir_conn *c)
{
    struct weiri_rto_bounds b;
    b.initial = timer_us32(c->cfg->rto_initial_us);
    b.min = timer_us32(c->cfg->rto_min_us);
    b.max = timer_us32(c->cfg->rto_max_us);
    b.granularity = TIMER_GRANULARITY_US;
    return b;
}

/* ---- the one timer of the send side ------------------------------------------------------------------------------------------------- */

static enum weiri_timer timer_wanted(const weir_conn *c)
{
    if (c->state == WEIR_ESTABLISHED && c->board.count == 0 && seq_eq(c->snd.nxt, c->snd.end) && !conn_marked_wait(c)) {
        return WEIRI_TIMER_NONE; /* nothing on its way and nothing to send: FIN would be another state */
    }
    if (c->state == WEIR_CLOSED || c->state == WEIR_LISTEN || c->state == WEIR_TIME_WAIT) {
        return WEIRI_TIMER_NONE;
    }
    if (conn_opening(c)) {
        return conn_flight(c) > 0 ? WEIRI_TIMER_RESEND : WEIRI_TIMER_NONE;
    }
    if (conn_marked_wait(c) && c->snd.wnd > 0) {
        return WEIRI_TIMER_RESEND; /* it is what is waited for (RFC 3168 6.1.2) */
    }
    bool flying = c->board.count > 0;
    bool waiting = conn_unsent(c) > 0 || (conn_has(c, WEIRI_FIN_QUEUED) && !conn_fin_sent(c));
    if (!flying && !waiting) {
        return WEIRI_TIMER_NONE;
    }
    if (c->snd.wnd == 0) {
        return WEIRI_TIMER_PERSIST;
    }
    if (flying) {
        return WEIRI_TIMER_RESEND;
    }
    /* Nothing on its way and nothing to be sent: held back by 3.8.6.2.1. */
    return weiri_calm_starts(c) || weir_has_output(c) || weiri_out_waits(c) ? WEIRI_TIMER_NONE : WEIRI_TIMER_SWS;
}

static weir_us timer_interval(const weir_conn *c)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    switch (c->timer) {
    case WEIRI_TIMER_RESEND: return weiri_rtt_rto(&c->rtt, c->backoff, &bounds);
    case WEIRI_TIMER_PERSIST: /* MUST-35; SHLD-29: the first after one RTO; SHLD-30: then ever further apart */
        return base_min_us(weiri_rtt_rto(&c->rtt, c->probes, &bounds), c->cfg->persist_max_us);
    case WEIRI_TIMER_SWS: return c->cfg->sws_override_us;
    default: return WEIR_FOREVER;
    }
}

/* A peer that has answered every probe so far is not waited for in vain, however far away the next one is. */
static bool timer_answered(const weir_conn *c)
{
    return c->timer == WEIRI_TIMER_PERSIST && conn_has(c, WEIRI_ANSWERED) && !conn_has(c, WEIRI_RELEASED);
}

/* Has whoever walked away left something to send? R2 runs on while that waits for its time or to be polled: to send it is no progress. */
static bool timer_left(const weir_conn *c)
{
    return conn_has(c, WEIRI_RELEASED) && c->state != WEIR_CLOSED && !conn_fin_sent(c);
}

static bool timer_opening(const weir_conn *c)
{
    return c->state == WEIR_SYN_SENT || c->state == WEIR_SYN_RECEIVED;
}

/* Does R2 run? Only while something is waited for. */
static bool timer_r2_runs(const weir_conn *c)
{
    return (c->timer != WEIRI_TIMER_NONE || timer_opening(c) || timer_left(c)) && !timer_answered(c);
}

static void timer_start(weir_conn *c, enum weiri_timer wanted)
{
    if (!timer_r2_runs(c) && !conn_has(c, WEIRI_RELEASED)) {
        c->progress_at = c->now; /* R2 counts from here: nothing was waited for before */
    }
    c->timer = (uint8_t)wanted;
    c->rexmt_at = base_after(c->now, timer_interval(c));
}

WEIR_PRIVATE void weiri_timer_update(weir_conn *c)
{
    enum weiri_timer wanted = timer_wanted(c);
    if ((enum weiri_timer)c->timer != wanted) {
        timer_start(c, wanted);
    }
    if (wanted != WEIRI_TIMER_PERSIST) {
        conn_set(c, WEIRI_PROBE_DUE | WEIRI_ANSWERED, false); /* there is nothing left to probe for */
    }
    weiri_repair_update(c);
    weiri_pace_update(c, weiri_out_waits(c));
}

#if WEIRI_WITH_CALM
WEIR_PRIVATE void weiri_timer_sent(weir_conn *c)
{
    if (c->timer != WEIRI_TIMER_RESEND) {
        timer_start(c, WEIRI_TIMER_RESEND);
    }
    conn_set(c, WEIRI_PROBE_DUE | WEIRI_ANSWERED, false);
    weiri_repair_update(c);
    weiri_pace_update(c, false);
}
#endif

WEIR_PRIVATE void weiri_timer_stop(weir_conn *c)
{
    c->timer = WEIRI_TIMER_NONE;
    c->rexmt_at = WEIR_FOREVER;
}

WEIR_PRIVATE void weiri_timer_restart(weir_conn *c)
{
    timer_start(c, timer_wanted(c));
    weiri_timer_update(c);
}

WEIR_PRIVATE void weiri_timer_stop_all(weir_conn *c)
{
    weiri_timer_stop(c);
    c->ack_at = WEIR_FOREVER;
    c->life_at = WEIR_FOREVER;
    conn_set_keep_at(c, WEIR_FOREVER);
    c->linger_at = WEIR_FOREVER;
    if (WEIR_WITH_RACK) {
        c->rack.timer = WEIRI_RACK_IDLE;
        c->rack.at = WEIR_FOREVER;
    }
}

WEIR_PRIVATE void weiri_timer_heard(weir_conn *c)
{
    weir_us idle = c->cfg->keepalive_idle_us > 0 ? c->cfg->keepalive_idle_us : WEIRI_KEEPALIVE_IDLE_US;
    bool wanted = conn_has(c, WEIRI_KEEPALIVE) && c->state != WEIR_TIME_WAIT; /* which ends by itself */
    c->keep_probes = 0;
    conn_set_keep_at(c, wanted ? base_after(c->now, idle) : WEIR_FOREVER);
}

/* ---- R2 ---------------------------------------------------------------------------------------------------------- */

/* When waiting in vain ends (RFC 9293 3.8.3 (MUST-20, MUST-22, SHLD-11), 3.10.8). */
static weir_us timer_r2_at(const weir_conn *c)
{
    if (!timer_r2_runs(c)) {
        return WEIR_FOREVER;
    }
    weir_us limit = timer_opening(c) ? c->cfg->r2_syn_us : c->r2_us;
    if (conn_has(c, WEIRI_RELEASED)) {
        limit = base_min_us(limit, c->cfg->orphan_us);
    }
    return base_after(c->progress_at, limit);
}

WEIR_API weir_us weir_deadline(const weir_conn *c)
{
    weir_us at = base_min_us(base_min_us(c->rexmt_at, c->ack_at), c->life_at);
    at = WEIR_WITH_KEEPALIVE ? base_min_us(at, conn_keep_at(c)) : at;
    at = base_min_us(at, weiri_pace_deadline(c));
    at = WEIR_WITH_RACK ? base_min_us(at, c->rack.at) : at;
    return base_min_us(at, base_min_us(c->linger_at, timer_r2_at(c)));
}

/* ---- what happens ------------------------------------------------------------------------------------------------ */

static void timer_event(weir_conn *c, enum weiri_stage event)
{
    struct weiri_step s;
    memset(&s, 0, sizeof s);
    s.c = c;
    s.facts = weiri_facts_call(c);
    weiri_fsm_call(&s, event);
}

static void timer_send_side(weir_conn *c)
{
    bool waited = conn_marked_wait(c) && c->board.count == 0;
    if (WEIR_WITH_ECN) {
        c->ecn &= (uint8_t)~(unsigned)WEIRI_ECN_WAIT;
    }
    if (waited) { /* nothing is missing: the next segment may go */
        weiri_timer_restart(c);
        return;
    }
    if (c->timer == WEIRI_TIMER_RESEND) {
        timer_event(c, WEIRI_STAGE_TIMEOUT_RESEND);
        return;
    }
    if (c->timer == WEIRI_TIMER_PERSIST) {
        c->progress_at = timer_answered(c) ? c->now : c->progress_at;
        conn_set(c, WEIRI_ANSWERED, false);
        conn_set(c, WEIRI_PROBE_DUE, true);
        c->probes = (uint8_t)base_min32(c->probes + 1u, 31);
    } else {
        conn_set(c, WEIRI_SWS_OVERRIDE, true);
    }
    c->rexmt_at = base_after(c->now, timer_interval(c));
}

/* Keepalive (MAY-5). A probe only when nothing of ours is outstanding (MUST-26); one that stays unanswered condemns nobody (MUST-29). */
static void timer_keepalive(weir_conn *c)
{
    if (c->timer != WEIRI_TIMER_NONE || conn_opening(c)) {
        weiri_timer_heard(c);
    } else if (c->keep_probes >= c->cfg->keepalive_count) {
        timer_event(c, WEIRI_STAGE_TIMEOUT_USER);
    } else {
        c->keep_probes++;
        conn_set(c, WEIRI_KEEP_DUE, true);
        conn_set_keep_at(c, base_after(c->now, c->cfg->keepalive_interval_us));
    }
}

static void timer_linger(weir_conn *c)
{
    c->linger_at = WEIR_FOREVER;
    bool unacked = seq_lt(c->snd.una, c->snd.end) || !conn_fin_sent(c) || seq_lt(c->snd.una, c->snd.nxt);
    if (unacked) {
        timer_event(c, WEIRI_STAGE_ABORT);
    }
}

WEIR_API void weir_expire(weir_conn *c, weir_us now)
{
    weiri_conn_begin(c, now);
    if (c->life_at <= c->now) {
        c->life_at = WEIR_FOREVER;
        timer_event(c, WEIRI_STAGE_TIMEOUT_LIFE);
    }
    if (c->linger_at <= c->now) {
        timer_linger(c);
    }
    if (timer_r2_at(c) <= c->now) {
        timer_event(c, WEIRI_STAGE_TIMEOUT_USER);
    }
    if (WEIR_WITH_RACK && c->rack.at <= c->now) {
        weiri_repair_expire(c); /* before the retransmission timer, which a probe starts anew */
    }
    if (c->rexmt_at <= c->now) {
        timer_send_side(c);
    }
    if (c->ack_at <= c->now) {
        c->ack_at = WEIR_FOREVER;
        conn_set(c, WEIRI_ACK_NOW, true);
    }
    if (WEIR_WITH_KEEPALIVE && conn_keep_at(c) <= c->now) {
        timer_keepalive(c);
    }
    weiri_conn_finish(c);
}

#undef TIMER_GRANULARITY_US
