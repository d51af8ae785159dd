/* check.c - every invariant of a connection. Debug, test and fuzz builds hold it after each public call. Changes nothing.
 *
 * An invariant is what must be true whatever the peer sends and the user calls, as long as the user keeps to the header. */
#include "conn/conn.h"

/* Written out, not a table that is walked: it runs after each call under every fuzzer. */
#define CHECK(condition, words) \
    if (!(condition)) {         \
        return (words);         \
    }

static const char *check_send(const weir_conn *c)
{
    weir_seq first = conn_first(c), limit = seq_add(c->snd.end, conn_has(c, WEIRI_FIN_QUEUED) ? 1 : 0);
    CHECK(seq_leq(c->snd.una, c->snd.nxt), "SND.UNA passes SND.NXT")
    CHECK(seq_leq(c->snd.nxt, limit), "SND.NXT passes what was committed")
    CHECK(seq_diff(seq_min(first, c->snd.end), c->snd.end) <= c->tx_size, "more committed than the send ring holds")
    CHECK(c->snd.wnd <= c->snd.max_wnd, "SND.WND above its maximum")
    CHECK(c->snd.max_wnd <= 65535u << 14, "MAX.SND.WND above 2^30 (RFC 7323 2.3)")
    CHECK(c->shift_snd <= 14 && c->shift_rcv <= 14, "a window shift above 14")
    CHECK(c->mss_snd == 0 || c->mss_snd >= 64, "a send MSS that options would eat up")
    CHECK(c->cc.cwnd > 0, "a congestion window of nothing")
    CHECK(c->cc.cwnd <= WEIRI_CWND_MAX, "a congestion window above 2^30")
    CHECK(!conn_has(c, WEIRI_RECOVERY) || !conn_has(c, WEIRI_LOSS), "fast recovery and timeout recovery at once")
    return NULL;
}

/* What belongs to features. */
static const char *check_features(const weir_conn *c)
{
#if WEIR_WITH_BBR
    CHECK(c->cfg->cc != WEIR_CC_BBR || c->cc.bbr.phase <= WEIRI_BBR_PROBE_RTT, "BBR in no phase")
#endif
#if WEIR_WITH_HYSTART
    CHECK(c->cc.hystart.phase <= WEIRI_HYSTART_DONE, "HyStart++ in no phase")
#endif
#if WEIR_WITH_CWV
    CHECK(c->cwv.since == 0 || c->cfg->cwv, "a window is not validated and nobody asked")
    CHECK(c->cwv.since == 0 || seq_leq(c->cwv.from, c->snd.nxt), "a sample of octets never sent")
#endif
#if WEIR_WITH_UNDO
    CHECK(c->undo.step == WEIRI_FRTO_OFF || conn_has(c, WEIRI_LOSS), "F-RTO runs and no timeout is being recovered from")
#endif
    CHECK((c->flags & WEIRI_FLAGS_LEFT_OUT) == 0, "something was agreed to that was left out")
    return NULL;
}

static const char *check_board(const weir_conn *c)
{
    if (c->state == WEIR_CLOSED || c->state == WEIR_LISTEN) {
        return c->board.count == 0 ? NULL : "records of sent text without a connection";
    }
    weir_seq una = conn_first(c);
    return weiri_board_check(&c->board, una, seq_max(c->snd.nxt, una));
}

static const char *check_receive(const weir_conn *c)
{
    CHECK(seq_leq(c->rcv.usr, c->rcv.nxt), "the user read past RCV.NXT")
    CHECK(seq_leq(c->rcv.nxt, c->rcv.adv), "RCV.NXT passes the edge that was promised")
    CHECK((uint32_t)c->span_head + c->span_count <= c->span_cap, "more spans than there is memory for")
    CHECK(weiri_ring_held(c) <= c->rx_size, "the receive ring holds more than it has places")
    CHECK(seq_diff(c->rcv.usr, c->rcv.adv) <= (1u << 30) + 1, "a promise beyond the largest window")
    CHECK(c->rx_size > 0 || c->span_cap == 0, "spans without a ring")
    CHECK(seq_leq(c->rcv.acked, c->rcv.nxt), "acknowledged what did not come")
    CHECK(!conn_has(c, WEIRI_FIN_TAKEN) || conn_has(c, WEIRI_FIN_KNOWN), "FIN taken and not known")
    CHECK(!conn_has(c, WEIRI_FIN_TAKEN) || c->span_count == 0, "text beyond the peer's FIN")
    CHECK(!conn_has(c, WEIRI_FIN_TAKEN) || seq_eq(c->rcv.nxt, seq_add(c->rcv.fin, 1)), "RCV.NXT is not past the FIN that was taken")
    CHECK(!conn_has(c, WEIRI_URG_RCV) || seq_lt(c->rcv.usr, c->rcv.up), "urgent data ahead that was read")
    return NULL;
}

static const char *check_spans(const weir_conn *c)
{
    weir_seq last = c->rcv.nxt;
    for (unsigned i = 0; i < c->span_count; i++) { /* span_cap */
        const struct weir_span *s = &c->spans[i];
        bool fin = conn_has(c, WEIRI_FIN_KNOWN) && seq_eq(s->from, c->rcv.fin); /* alone: no text */
        if (!seq_lt(last, s->from) || !seq_lt(s->from, seq_add(s->to, fin ? 1 : 0))) {
            return "spans out of order, empty or touching";
        }
        if (s->stamp == 0 || s->stamp > c->stamp) {
            return "a span's age is not one that was given";
        }
        last = s->to;
    }
    return seq_leq(last, c->rcv.adv) ? NULL : "a span beyond the promised edge";
}

/* What a state implies (RFC 9293 3.3.2). */
static const char *check_state(const weir_conn *c)
{
    enum weir_state s = (enum weir_state)c->state;
    bool fin_in = conn_has(c, WEIRI_FIN_TAKEN), fin_out = conn_has(c, WEIRI_FIN_QUEUED);
    bool fin_acked = conn_fin_sent(c) && seq_lt(c->snd.end, c->snd.una);
    CHECK(s < WEIR_STATE_COUNT, "no such state")
    CHECK(s != WEIR_ESTABLISHED || (!fin_in && !fin_out), "ESTABLISHED with a FIN")
    CHECK(s != WEIR_FIN_WAIT_1 || (!fin_in && fin_out && !fin_acked), "FIN-WAIT-1 means: closed here, not acknowledged, not closed there")
    CHECK(s != WEIR_FIN_WAIT_2 || (!fin_in && fin_acked), "FIN-WAIT-2 means: our FIN acknowledged, none from the peer")
    CHECK(s != WEIR_CLOSE_WAIT || (fin_in && !fin_out), "CLOSE-WAIT means: closed there, not here")
    CHECK(s != WEIR_CLOSING || (fin_in && fin_out && !fin_acked), "CLOSING means: both closed, ours not acknowledged")
    CHECK(s != WEIR_LAST_ACK || (fin_in && fin_out && !fin_acked), "LAST-ACK means: both closed, ours not acknowledged")
    CHECK(s != WEIR_TIME_WAIT || (fin_in && fin_acked), "TIME-WAIT means: both closed, ours acknowledged")
    CHECK(s != WEIR_TIME_WAIT || c->life_at != WEIR_FOREVER, "TIME-WAIT without an end")
    CHECK(s != WEIR_SYN_SENT || conn_opening(c), "SYN-SENT with the SYN acknowledged")
    CHECK(s != WEIR_SYN_RECEIVED || conn_opening(c), "SYN-RECEIVED with the SYN acknowledged")
    CHECK(s != WEIR_FIN_WAIT_2 || !conn_has(c, WEIRI_RELEASED) || c->life_at != WEIR_FOREVER, "released in FIN-WAIT-2 without an end")
    return NULL;
}

/* RFC 3168 6.1.1: nothing is done that was not agreed to. */
static const char *check_ecn(const weir_conn *c)
{
    bool asked = (c->ecn & WEIRI_ECN_ASKED) != 0, ok = weiri_ecn_ok(c);
    bool live = c->state >= WEIR_ESTABLISHED && c->state != WEIR_TIME_WAIT && c->snd.wnd > 0;
    CHECK(asked || !(c->ecn & WEIRI_ECN_ECHO), "congestion is echoed to a peer that was not asked")
    CHECK(ok || !(c->ecn & (WEIRI_ECN_CWR | WEIRI_ECN_REDUCED | WEIRI_ECN_WAIT)), "an echo was answered that nobody has agreed to")
    CHECK(!(c->ecn & WEIRI_ECN_REDUCED) || seq_leq(c->ecn_end, c->snd.nxt), "the window was reduced for octets never sent")
    CHECK(!live || !(c->ecn & WEIRI_ECN_WAIT) || c->timer == WEIRI_TIMER_RESEND, "a mark is waited out and no timer runs")
    return NULL;
}

/* Whatever is waited for has a deadline: nothing can hang (RFC 6298 5.1, RFC 9293 3.8.6.1). */
static const char *check_timers(const weir_conn *c)
{
    bool live = c->state != WEIR_CLOSED && c->state != WEIR_LISTEN && c->state != WEIR_TIME_WAIT;
    bool waiting = c->board.count > 0 || (c->snd.wnd == 0 && conn_unsent(c) > 0 && !conn_opening(c));
    CHECK((c->timer == WEIRI_TIMER_NONE) == (c->rexmt_at == WEIR_FOREVER),
          "the send timer runs without a purpose, or has one and does not run")
    CHECK(!live || !waiting || c->timer != WEIRI_TIMER_NONE, "something is outstanding and no timer runs")
    CHECK(!WEIR_WITH_RACK || (c->rack.timer == WEIRI_RACK_IDLE) == (c->rack.at == WEIR_FOREVER),
          "RACK-TLP's timer runs without a purpose, or has one")
    CHECK(c->rack.timer == WEIRI_RACK_IDLE || c->timer == WEIRI_TIMER_RESEND, "RACK-TLP's timer runs and the retransmission timer does not")
    CHECK(!c->rack.due || c->timer == WEIRI_TIMER_RESEND, "a probe for a lost tail is due and nothing is outstanding")
    CHECK(!c->rack.restart || c->timer == WEIRI_TIMER_RESEND, "a probe's timer is to begin anew and nothing is outstanding")
    CHECK(c->timer == WEIRI_TIMER_PERSIST || !conn_has(c, WEIRI_PROBE_DUE | WEIRI_ANSWERED), "a probe of a window that nobody waits for")
    CHECK(live || c->timer == WEIRI_TIMER_NONE, "the send timer runs and nothing can be outstanding")
    CHECK(c->state != WEIR_CLOSED || weir_deadline(c) == WEIR_FOREVER, "CLOSED waits for something")
    CHECK(c->ack_at == WEIR_FOREVER || c->ack_at <= base_after(c->now, c->cfg->ack_delay_us), "an ACK held longer than configured")
    CHECK(c->challenges <= c->cfg->challenge_count, "more challenge ACKs than the budget")
    return NULL;
}

WEIR_API const char *weir_check(const weir_conn *c)
{
    const char *broken = check_send(c);
    broken = broken != NULL ? broken : check_features(c);
    broken = broken != NULL ? broken : check_board(c);
    broken = broken != NULL ? broken : check_receive(c);
    broken = broken != NULL ? broken : check_spans(c);
    broken = broken != NULL ? broken : check_state(c);
    broken = broken != NULL ? broken : weiri_pace_check(c);
    broken = broken != NULL ? broken : check_ecn(c);
    return broken != NULL ? broken : check_timers(c);
}

#undef CHECK
