/* facts.c - turns a segment and a connection into fact bits, before the table runs. Changes nothing.
 *
 * Knows what each fact means; not what follows from it (rows.h). RFC 9293 3.10.7.4, RFC 5961 5, RFC 7323 5.3, RFC 6191. */
#include "conn/conn.h"

#define FACTS_24_DAYS_US ((weir_us)24 * 24 * 3600 * 1000000) /* RFC 7323 5.5: TS.Recent is too old to compare with */

WEIR_PRIVATE bool weiri_acceptable(weir_block window, weir_seq seq, uint32_t len)
{
    uint32_t wnd = seq_diff(window.from, window.to);
    if (len == 0) {
        return wnd == 0 ? seq_eq(seq, window.from) : seq_in(seq, window.from, wnd);
    }
    return wnd > 0 && (seq_in(seq, window.from, wnd) || seq_in(seq_add(seq, len - 1), window.from, wnd));
}

WEIR_PRIVATE bool weiri_reuse_allowed(const struct weiri_reuse *r)
{
    bool later = seq_lt(r->last, r->isn);
    if (!r->old_ts) {
        return r->new_ts || later;
    }
    if (!r->new_ts) {
        return later;
    }
    int32_t newer = (int32_t)(r->ts_value - r->recent);
    return newer > 0 || (newer == 0 && later);
}

static uint32_t facts_flags(const weir_view *v)
{
    return (v->flags & WEIR_SYN ? (uint32_t)WEIRI_F_SYN : 0) | (v->flags & WEIR_FIN ? (uint32_t)WEIRI_F_FIN : 0) |
           (v->flags & WEIR_RST ? (uint32_t)WEIRI_F_RST : 0) | (v->flags & WEIR_ACK ? (uint32_t)WEIRI_F_ACK : 0) |
           (v->flags & WEIR_URG ? (uint32_t)WEIRI_F_URG : 0);
}

/* PAWS (RFC 7323 5.3 R1). A RST is never judged by its timestamp (5.2). */
static uint32_t facts_stamp(const weir_conn *c, const weir_view *v)
{
    if (!conn_has(c, WEIRI_TS_OK) || (v->flags & WEIR_RST)) {
        return 0;
    }
    if (!(v->options & WEIR_OPT_TIMESTAMPS)) {
        return c->cfg->require_timestamps ? (uint32_t)WEIRI_F_NO_STAMP : 0;
    }
    bool fresh = c->now - c->ts.recent_at < FACTS_24_DAYS_US;
    return fresh && (int32_t)(v->ts_value - c->ts.recent) < 0 ? (uint32_t)WEIRI_F_STALE : 0;
}

/* A bare acknowledgment exactly at the edge of the window: what an end says that has filled it. Table 6 refuses it. If both ends have
 * filled the other's window, and some of both was lost, neither would take the other's acknowledgments ever again; so it is taken. */
static bool facts_at_edge(const weir_conn *c, const weir_view *v, uint32_t len)
{
    return len == 0 && (v->flags & (WEIR_RST | WEIR_ACK)) == WEIR_ACK && seq_eq(v->seq, c->rcv.adv);
}

static uint32_t facts_sequence(const weir_conn *c, const weir_view *v)
{
    weir_block window = {c->rcv.nxt, c->rcv.adv};
    uint32_t len = weir_view_len(v), facts = 0;
    /* A reset is judged by where it stands, not by what it carries (RFC 9293 3.5.3 (SHLD-2), 3.10.7.4 second). */
    bool next = seq_eq(v->seq, c->rcv.nxt);
    bool ok = weiri_acceptable(window, v->seq, v->flags & WEIR_RST ? 0 : len) || facts_at_edge(c, v, len);
    facts |= next ? (uint32_t)WEIRI_F_SEQ_NEXT : 0;
    if (ok) {
        /* The octet past the text is where FIN stands: a segment whose last octet is before RCV.NXT was refused by `ok`. */
        weir_seq last = seq_add(v->seq, len);
        bool news = seq_lt(c->rcv.nxt, last) && (v->payload_len > 0 || (v->flags & WEIR_FIN));
        bool octets = v->payload_len > 0 && seq_lt(c->rcv.nxt, v->flags & WEIR_FIN ? seq_sub(last, 1) : last);
        facts |= (uint32_t)WEIRI_F_SEQ_OK | (news ? (uint32_t)WEIRI_F_TEXT : 0) | (octets ? (uint32_t)WEIRI_F_OCTETS : 0);
    } else if (next) { /* and the window is zero: else it would be acceptable */
        facts |= (uint32_t)WEIRI_F_SEQ_PROBE;
    }
    if ((v->flags & WEIR_FIN) && conn_has(c, WEIRI_FIN_TAKEN) && seq_eq(seq_add(v->seq, len), c->rcv.nxt)) {
        facts |= (uint32_t)WEIRI_F_FIN_AGAIN;
    }
    if ((v->flags & (WEIR_SYN | WEIR_ACK)) == WEIR_SYN && seq_eq(v->seq, c->rcv.irs)) {
        facts |= (uint32_t)WEIRI_F_SYN_AGAIN;
    }
    return facts;
}

/* SEG.ACK against SND.UNA and SND.NXT. The oldest acknowledgment that can still be on its way is one window ago (RFC 5961 5.2), and on
 * a young connection not before its first octet: what was never sent cannot be acknowledged. */
static uint32_t facts_ack(const weir_conn *c, const weir_view *v)
{
    if (!(v->flags & WEIR_ACK)) {
        return 0;
    }
    if (seq_lt(c->snd.nxt, v->ack)) {
        return WEIRI_F_ACK_FUTURE;
    }
    if (seq_lt(c->snd.una, v->ack)) {
        bool fin = conn_fin_sent(c) && seq_eq(v->ack, seq_add(c->snd.end, 1));
        return (uint32_t)WEIRI_F_ACK_NEW | (fin ? (uint32_t)WEIRI_F_ACK_FIN : 0);
    }
    uint64_t age = seq_diff(v->ack, c->snd.una);
    uint64_t acked = c->octets_acked + (conn_has(c, WEIRI_FIN_QUEUED) && seq_lt(c->snd.end, c->snd.una) ? 1 : 0);
    return c->cfg->ack_check && (age > acked || age > c->snd.max_wnd) ? (uint32_t)WEIRI_F_ACK_OLD : 0;
}

static uint32_t facts_time_wait(const weir_conn *c, const weir_view *v)
{
    return c->state == WEIR_TIME_WAIT && c->cfg->rfc1337 && (v->flags & WEIR_RST) ? (uint32_t)WEIRI_F_STAY : 0;
}

static uint32_t facts_reuse(const weir_conn *c, const weir_view *v)
{
    if (c->state != WEIR_TIME_WAIT || !(v->flags & WEIR_SYN)) {
        return 0;
    }
    struct weiri_reuse r;
    r.old_ts = conn_has(c, WEIRI_TS_OK);
    r.new_ts = WEIR_WITH_TIMESTAMPS && c->cfg->timestamps && (v->options & WEIR_OPT_TIMESTAMPS);
    r.recent = c->ts.recent;
    r.ts_value = v->ts_value;
    r.last = seq_sub(c->rcv.nxt, 1);
    r.isn = v->seq;
    return weiri_reuse_allowed(&r) ? (uint32_t)WEIRI_F_REUSE : 0;
}

WEIR_PRIVATE uint32_t weiri_facts_call(const weir_conn *c)
{
    bool named = WEIR_WITH_PREDICTION && c->state >= WEIR_SYN_SENT; /* no other gets so far */
    bool remote = named || (c->tuple.remote_port != 0 && !weir_addr_is_unspecified(&c->tuple.remote));
    return (conn_has(c, WEIRI_PASSIVE) ? (uint32_t)WEIRI_F_PASSIVE : 0) |
           (conn_has(c, WEIRI_RELEASED) ? (uint32_t)WEIRI_F_RELEASED : 0) |
           (conn_has(c, WEIRI_FIN_QUEUED) ? (uint32_t)WEIRI_F_CLOSED : 0) |
           (conn_unsent(c) > 0 ? (uint32_t)WEIRI_F_QUEUED : 0) |
           (weiri_ring_readable(c) > 0 ? (uint32_t)WEIRI_F_UNREAD : 0) | (remote ? (uint32_t)WEIRI_F_REMOTE : 0);
}

/* The next segment, with ACK, perhaps PSH and FIN: of its place all is known at once. */
static bool facts_is_next(const weir_conn *c, const weir_view *v)
{
    return (v->flags & ~(unsigned)(WEIR_PSH | WEIR_FIN)) == WEIR_ACK && seq_eq(v->seq, c->rcv.nxt) && !seq_eq(c->rcv.nxt, c->rcv.adv);
}

static uint32_t facts_of_next(const weir_view *v)
{
    uint32_t text = v->payload_len > 0 ? (uint32_t)(WEIRI_F_TEXT | WEIRI_F_OCTETS) : 0, fin = WEIRI_F_FIN | WEIRI_F_TEXT;
    return (uint32_t)(WEIRI_F_ACK | WEIRI_F_SEQ_OK | WEIRI_F_SEQ_NEXT) | text | (v->flags & WEIR_FIN ? fin : 0);
}

WEIR_PRIVATE uint32_t weiri_facts_segment(const weir_conn *c, const weir_view *v)
{
    if (WEIR_WITH_PREDICTION && c->state > WEIR_SYN_SENT && facts_is_next(c, v)) {
        return facts_of_next(v) | facts_ack(c, v) | facts_stamp(c, v) | weiri_facts_call(c);
    }
    uint32_t facts = facts_flags(v) | weiri_facts_call(c);
    if (c->state == WEIR_CLOSED || c->state == WEIR_LISTEN) {
        return facts;
    }
    facts |= facts_ack(c, v);
    if (c->state != WEIR_SYN_SENT) {
        facts |= facts_stamp(c, v) | facts_sequence(c, v) | facts_reuse(c, v) | facts_time_wait(c, v);
    }
    return facts;
}

#undef FACTS_24_DAYS_US
