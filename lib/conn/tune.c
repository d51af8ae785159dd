/* tune.c - how large the rings should be: what the path asks for. Measures and tells; whoever owns memory grants, or does not.
 *
 * The receive ring follows the user, not the peer: twice the octets that were read in one round-trip time, and more while that number
 * grows, so that slow start never meets the window (dynamic right-sizing, Fisk and Feng). Octets that nobody reads ask for nothing.
 * The send ring follows the congestion window, where the user keeps the ring filled. RFC 9293 3.8.6.2.2, RFC 7323 1.1. */
#include "conn/conn.h"

#define TUNE_RING_MIN 256u
#define TUNE_RING_MAX (1u << 30)

/* The smallest ring that holds `octets`, within what the configuration lets it grow to. */
static uint32_t tune_ring(uint64_t octets, uint32_t most)
{
    uint32_t size = TUNE_RING_MIN;
    while (size < octets && size <= most / 2) { /* 22: most is 2^30 */
        size *= 2;
    }
    return size;
}

#if WEIR_WITH_GROWTH

/* ---- the receive ring ------------------------------------------------------------------------------------------------------------ */

WEIR_PRIVATE void weiri_tune_begin(weir_conn *c)
{
    c->tune.read_at = c->now;
    c->tune.read_from = c->rcv.usr;
    c->tune.read_last = c->rx_size / 2; /* as if it had been just enough: less is no growth */
    c->tune.edge = c->rcv.adv;
    c->tune.edge_at = c->now;
}

static void tune_sample(weir_conn *c, weir_us us)
{
    uint32_t sample = (uint32_t)base_min_us(us, UINT32_MAX);
    c->tune.rtt_round = c->tune.rtt_round == 0 ? sample : base_min32(c->tune.rtt_round, sample);
}

/* A receiver sends nothing that would be acknowledged, and knows the round trip all the same: by its own clock, echoed, or else by the
 * time in which the peer has used up a whole window. */
WEIR_PRIVATE void weiri_tune_arrived(weir_conn *c, const weir_view *v)
{
    if (conn_has(c, WEIRI_TS_OK)) {
        uint32_t ms;
        bool fresh = v->ts_echo != c->tune.echo; /* the first to bring it: others waited longer */
        if (conn_echo_age(c, v, &ms) && fresh && v->payload_len > 0) {
            c->tune.echo = v->ts_echo;
            tune_sample(c, (weir_us)base_max32(ms, 1) * 1000);
        }
    } else if (seq_leq(c->tune.edge, c->rcv.nxt)) {
        tune_sample(c, c->now - c->tune.edge_at);
        c->tune.edge = c->rcv.adv;
        c->tune.edge_at = c->now;
    }
}

WEIR_PRIVATE uint32_t weiri_tune_quiet(const weir_conn *c)
{
    if (conn_has(c, WEIRI_TS_OK)) {
        return UINT32_MAX;
    }
    return seq_lt(c->rcv.nxt, c->tune.edge) ? seq_diff(c->rcv.nxt, c->tune.edge) - 1 : 0;
}

/* The shortest of this round, else of the round before, else what our own segments have shown. */
static uint32_t tune_rtt(const weir_conn *c)
{
    if (!conn_has(c, WEIRI_TS_OK) && c->rtt.min > 0) {
        return c->rtt.min; /* a window may take the peer many round trips */
    }
    return c->tune.rtt_round > 0 ? c->tune.rtt_round : c->tune.rtt > 0 ? c->tune.rtt : c->rtt.min;
}

WEIR_PRIVATE void weiri_tune_read(weir_conn *c)
{
    uint32_t rtt = tune_rtt(c);
    if (rtt == 0 || c->now - c->tune.read_at < rtt) {
        return;
    }
    uint32_t octets = seq_diff(c->tune.read_from, c->rcv.usr);
    /* Slow start doubles at most: what comes beyond that had waited for a hole to be filled, or for the user. */
    uint64_t steady = base_min_us(octets, 2 * (uint64_t)c->tune.read_last);
    uint64_t more = steady > c->tune.read_last ? steady - c->tune.read_last : 0;
    uint64_t want = 2 * steady + 4 * more; /* where it has doubled, two more doublings */
    c->tune.rx_want = base_max32(c->tune.rx_want, (uint32_t)base_min_us(want, TUNE_RING_MAX));
    c->tune.read_last = octets;
    c->tune.read_from = c->rcv.usr;
    c->tune.read_at = c->now;
    c->tune.rtt = rtt;
    c->tune.rtt_round = 0;
}

#endif

/* What the connection has learnt to want. */
static weir_sizes tune_learnt(const weir_conn *c)
{
    weir_sizes learnt = {0, 0};
#if WEIR_WITH_GROWTH
    learnt.rx = c->tune.rx_want;
    learnt.tx = c->tune.tx_want;
#else
    (void)c;
#endif
    return learnt;
}

/* More than the header has words for would never be announced. */
static uint32_t tune_rx_most(const weir_conn *c)
{
    return tune_ring(65535u << c->shift_rcv, c->cfg->rx_max);
}

#if WEIR_WITH_GROWTH

/* ---- the send ring --------------------------------------------------------------------------------------------------------------- */

/* `acked` octets have left the ring. It was what limits if the user had filled it, and the windows let go as much as half of it: the
 * other half waits for the acknowledgments. */
WEIR_PRIVATE void weiri_tune_acked(weir_conn *c, uint32_t acked)
{
    uint32_t room = weiri_ring_room(c), before = room - base_min32(room, acked);
    uint64_t want = 2 * (uint64_t)base_min32(c->cc.cwnd, c->snd.max_wnd);
    if (before < c->tx_size / 4 && want > c->tx_size) {
        c->tune.tx_want = base_max32(c->tune.tx_want, (uint32_t)base_min_us(want, TUNE_RING_MAX));
    }
}

/* Who was idle begins small again. */
WEIR_PRIVATE void weiri_tune_moved(weir_conn *c, const weir_buffers *b)
{
    c->tune.rx_want = b->rx_size > 0 ? c->tune.rx_want : 0;
    c->tune.tx_want = b->tx_size > 0 ? c->tune.tx_want : 0;
}

#endif

/* ---- what is asked for ----------------------------------------------------------------------------------------------------------- */

/* What is lent, or more; of nothing the smallest ring. */
static uint32_t tune_wanted(uint32_t lent, uint32_t want, uint32_t most)
{
    return want > lent ? base_max32(base_max32(lent, TUNE_RING_MIN), tune_ring(want, most)) : lent;
}

WEIR_API weir_sizes weir_wanted(const weir_conn *c)
{
    bool open = c->state >= WEIR_SYN_SENT && c->state != WEIR_TIME_WAIT;
    bool receiving = open && !conn_has(c, WEIRI_FIN_TAKEN);
    bool sending = open && !conn_has(c, WEIRI_FIN_QUEUED);
    weir_sizes wanted = {c->rx_size, c->tx_size}, learnt = tune_learnt(c);
    if (receiving) {
        wanted.rx = tune_wanted(c->rx_size, base_max32(learnt.rx, 1), tune_rx_most(c));
    }
    if (sending || (open && c->tx_size == 0)) { /* of FIN too a record is kept */
        wanted.tx = tune_wanted(c->tx_size, base_max32(learnt.tx, 1), c->cfg->tx_max);
    }
    return wanted;
}

WEIR_PRIVATE bool weiri_tune_growing(const weir_conn *c)
{
    if (conn_content(c) && c->rx_size > 0 && c->tx_size > 0) { /* nearly always */
        return false;
    }
    weir_sizes wanted = weir_wanted(c);
    return wanted.rx > c->rx_size || wanted.tx > c->tx_size;
}

WEIR_PRIVATE bool weiri_tune_idle(const weir_conn *c)
{
    /* A SYN tells of the ring there is; a SYN,ACK of what was promised, and a ring that is larger than that would tell it later. */
    bool told = c->state == WEIR_SYN_RECEIVED && conn_has(c, WEIRI_PASSIVE) && c->rx_size / 2 <= conn_rcv_wnd(c);
    bool settled = c->state == WEIR_CLOSED || c->state >= WEIR_ESTABLISHED || told;
    bool fin = conn_has(c, WEIRI_FIN_QUEUED) && !conn_fin_sent(c) && c->state != WEIR_CLOSED;
    bool sent = c->board.count > 0 || weiri_ring_room(c) < c->tx_size || fin;
    return settled && weiri_ring_held(c) == 0 && !sent;
}

#undef TUNE_RING_MIN
#undef TUNE_RING_MAX
