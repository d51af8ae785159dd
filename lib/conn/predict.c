/* predict.c - header prediction: the segment that nearly all are, and what the table would do with it, in a straight line.
 *
 * In ESTABLISHED, next in order, an ACK (and PSH) and no other control bit, acknowledging what is or was outstanding, its text inside the
 * window: the rows that such a segment goes through are known beforehand, and so is most of what their actions look at. The effect is that
 * of the table to the last bit: tests/test_predict.c sends the same segments both ways and compares. RFC 9293 3.10.7.4. */
#include "conn/conn.h"

#if WEIR_WITH_PREDICTION

static const uint8_t predict_rows[] = {WEIRI_ROW_P3, WEIRI_ROW_Q1, WEIRI_ROW_R6, WEIRI_ROW_Y3,
                                       WEIRI_ROW_A10, WEIRI_ROW_U2, WEIRI_ROW_T2, WEIRI_ROW_F1};
static const uint8_t predict_rows_empty[] = {WEIRI_ROW_P3, WEIRI_ROW_Q1, WEIRI_ROW_R6, WEIRI_ROW_Y3,
                                             WEIRI_ROW_A10, WEIRI_ROW_U2, WEIRI_ROW_T3};

static bool predict_stamp(const weir_conn *c, const weir_view *v)
{
    if (!conn_has(c, WEIRI_TS_OK)) {
        return true;
    }
    return (v->options & WEIR_OPT_TIMESTAMPS) && (int32_t)(v->ts_value - c->ts.recent) >= 0;
}

/* Text that goes behind what has come, into room that was promised and is there, and owes no answer at once. */
static bool predict_text(const weir_conn *c, const weir_view *v)
{
    weir_seq end = seq_add(v->seq, v->payload_len);
    bool in_order = c->span_count == 0 && !weiri_ring_duplicate(c) && !conn_has(c, WEIRI_FIN_KNOWN) && v->ecn != 3;
    return in_order && v->payload_len < 65536 && seq_leq(end, c->rcv.adv) && seq_leq(end, weiri_ring_end(c));
}

WEIR_PRIVATE bool weiri_predict(const weir_conn *c, const weir_view *v)
{
    bool usual = c->state == WEIR_ESTABLISHED && (v->flags & ~(unsigned)WEIR_PSH) == WEIR_ACK && seq_eq(v->seq, c->rcv.nxt);
    bool acks = seq_diff(c->snd.una, v->ack) <= conn_flight(c); /* one comparison: 2^31 away is both before and after */
    return usual && acks && predict_stamp(c, v) && (v->payload_len == 0 || predict_text(c, v));
}

/* What follows its acknowledgment. */
static void predict_rest(weir_conn *c, const weir_view *v)
{
    if (v->payload_len == 0) {
        weiri_fsm_went(c, predict_rows_empty, sizeof predict_rows_empty);
        return;
    }
    weiri_ring_append(c, v->payload, v->payload_len);
    weiri_ack_due(c, v);
    weiri_tune_arrived(c, v);
    weiri_fsm_went(c, predict_rows, sizeof predict_rows);
}

WEIR_PRIVATE void weiri_predicted(struct weiri_step *s)
{
    weiri_ack_accept(s->c, s->v);
    predict_rest(s->c, s->v);
}

/* ---- a stream that comes, and none that goes --------------------------------------------------------------------------------------- */

/* Nothing is outstanding, nothing is to be sent, and nothing is left of losses or of waiting: no timer of the send side runs or will.
 * Of all that an acknowledgment does little is left, and of weiri_timer_update nothing. */
static bool predict_listens(const weir_conn *c)
{
    bool said = ((c->snd.una.v ^ c->snd.nxt.v) | (c->snd.nxt.v ^ c->snd.end.v)) == 0 && c->timer == WEIRI_TIMER_NONE;
    bool calm = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS | WEIRI_PROBE_DUE | WEIRI_ANSWERED) && !conn_marked_wait(c);
    bool still = weiri_undo_idle(c) && (c->rack.timer | c->rack.tlp | c->rack.restart | c->rack.dsack_round) == 0;
    return said && calm && still && !conn_paced(c) && !weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc);
}

WEIR_PRIVATE bool weiri_predict_listening(weir_conn *c, const weir_view *v, weir_us now)
{
    if (!predict_listens(c) || (v->options & WEIR_OPT_SACK) || !weiri_predict(c, v)) {
        return false;
    }
    weiri_conn_begin(c, now);
    WEIRI_COUNT(c, in, conn_segments(v));
    weiri_ack_listening(c, v);
    predict_rest(c, v);
    WEIR_HOLDS(weir_check(c));
    return true;
}

#endif /* WEIR_WITH_PREDICTION */
