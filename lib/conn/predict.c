/* predict.c - header prediction: the segment that nearly all are, and what the table would do with it, in a straight line; and the segment
 * that nearly all are where nothing but acknowledgments is said.
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

/* What follows its acknowledgment; its text lies in the ring. */
static void predict_rest(weir_conn *c, const weir_view *v)
{
    if (v->payload_len == 0) {
        weiri_fsm_went(c, predict_rows_empty, sizeof predict_rows_empty);
        return;
    }
    weiri_ring_append(c, v->payload_len);
    weiri_ack_due(c, v);
    weiri_tune_arrived(c, v);
    weiri_fsm_went(c, predict_rows, sizeof predict_rows);
}

WEIR_PRIVATE void weiri_predicted(struct weiri_step *s)
{
    weiri_ack_accept(s->c, s->v);
    weiri_ring_put(s->c, s->v->payload, s->v->payload_len);
    predict_rest(s->c, s->v);
}

/* ---- a stream that comes, and none that goes --------------------------------------------------------------------------------------- */

/* Nothing is outstanding, nothing is to be sent, and nothing is left of losses or of waiting: no timer of the send side runs or will.
 * Of all that an acknowledgment does little is left, and of weiri_timer_update nothing. */
static bool predict_listens(const weir_conn *c)
{
    bool said = ((c->snd.una.v ^ c->snd.nxt.v) | (c->snd.nxt.v ^ c->snd.end.v)) == 0 && c->timer == WEIRI_TIMER_NONE;
    bool calm = !conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS) && !conn_marked_wait(c) && (c->rack.tlp | c->rack.dsack_round) == 0;
    return said && calm && !weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc);
}

WEIR_PRIVATE bool weiri_predict_listening(const weir_conn *c, const weir_view *v)
{
    return predict_listens(c) && !(v->options & WEIR_OPT_SACK) && weiri_predict(c, v);
}

WEIR_PRIVATE void weiri_predict_heard(weir_conn *c, const weir_view *v, weir_us now)
{
    weiri_conn_begin(c, now);
    WEIRI_COUNT(c, in, conn_segments(v));
    weiri_ack_listening(c, v);
    predict_rest(c, v);
    WEIR_HOLDS(weir_check(c));
}

/* An acknowledgment is due, and no other segment makes it more so. Of what may end this, RCV.NXT alone moves. */
WEIR_PRIVATE uint32_t weiri_predict_more(const weir_conn *c)
{
    if (!conn_has(c, WEIRI_ACK_NOW)) {
        return 0;
    }
    uint32_t place = base_min32(conn_rcv_wnd(c), seq_diff(c->rcv.nxt, weiri_ring_end(c)));
    return base_min32(place, weiri_tune_quiet(c));
}

WEIR_PRIVATE void weiri_predict_heard_more(weir_conn *c, const weir_view *v, uint32_t count, uint32_t text)
{
    WEIRI_COUNT(c, in, count);
    WEIRI_COUNT(c, data_in, count);
    weiri_ack_listening(c, v);
    weiri_ring_append(c, text);
    WEIR_HOLDS(weir_check(c));
}

/* ---- an acknowledgment that goes, and nothing else ----------------------------------------------------------------------------------- */

/* Nothing of the stream can go, and the header has nothing but what each acknowledgment has. */
static bool predict_only_acks(const weir_conn *c)
{
    uint32_t other = WEIRI_SYN_DUE | WEIRI_PROBE_DUE | WEIRI_KEEP_DUE | WEIRI_URG_SND;
    bool due = c->state >= WEIR_ESTABLISHED && (c->flags & (other | WEIRI_ACK_NOW)) == WEIRI_ACK_NOW;
    bool end = conn_has(c, WEIRI_FIN_QUEUED) ? seq_lt(c->snd.end, c->snd.nxt) : seq_eq(c->snd.nxt, c->snd.end);
    bool said = end && c->board.lost == 0 && !conn_tail_due(c) && c->reply.flags == 0;
    return due && said && c->span_count == 0 && !weiri_ring_duplicate(c) && !(c->ecn & WEIRI_ECN_ECHO);
}

/* RFC 9293 3.1, RFC 7323 appendix A. */
WEIR_PRIVATE uint32_t weiri_predict_header(weir_conn *c, uint8_t *tcp, unsigned flags)
{
    uint32_t len = conn_has(c, WEIRI_TS_OK) ? 32 : 20;
    base_put16(tcp, c->tuple.local_port);
    base_put16(tcp + 2, c->tuple.remote_port);
    base_put32(tcp + 4, c->snd.nxt.v);
    base_put32(tcp + 8, c->rcv.nxt.v);
    base_put16(tcp + 12, (uint16_t)(len << 10 | flags));
    base_put16(tcp + 14, weiri_window_announce(c));
    base_put32(tcp + 16, 0);
    if (len > 20) {
        base_put32(tcp + 20, WEIRI_STAMPS);
        base_put32(tcp + 24, weiri_ts_now(c));
        base_put32(tcp + 28, c->ts.recent);
    }
    return len;
}

WEIR_PRIVATE bool weiri_predict_ack(weir_conn *c, weir_out *out)
{
    if (!predict_only_acks(c)) {
        return false;
    }
    out->header_at = WEIR_IP_HEADER_MAX;
    out->len = weiri_predict_header(c, out->room + WEIR_IP_HEADER_MAX, WEIR_ACK);
    out->header_len = (uint16_t)out->len;
    out->ecn = 0;
    out->gso_size = 0;
    out->depart_at = 0;
    out->body[0].len = out->body[1].len = 0;
    out->body[0].octets = out->body[1].octets = c->tx_ring;
    weiri_out_open_checksum(c, out);
    weiri_out_acked(c);
    WEIRI_COUNT(c, out, 1);
    WEIR_HOLDS(weir_check(c));
    return true;
}

#endif /* WEIR_WITH_PREDICTION */
