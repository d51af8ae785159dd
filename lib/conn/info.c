/* info.c - a connection as numbers and words for people: weir_info, names of states and errors. Changes nothing. */
#include "conn/conn.h"

static void info_sizes(const weir_conn *c, weir_info *info)
{
    info->snd_mss = c->mss_snd;
    info->rcv_mss = c->rcv_mss;
    info->adv_mss = c->mss_adv;
    info->pmtu = c->pmtu;
    info->snd_cwnd = c->cc.cwnd;
    info->snd_ssthresh = c->cc.ssthresh;
    info->unacked = conn_flight(c);
    info->sacked = c->board.sacked;
    info->lost = c->board.lost;
    info->retrans = c->board.resent;
    info->snd_wnd = c->snd.wnd;
    info->rcv_wnd = conn_rcv_wnd(c);
    info->snd_queued = c->tx_size - weiri_ring_room(c);
    info->snd_unsent = conn_unsent(c);
    info->rcv_queued = weiri_ring_readable(c);
    info->rcv_spans = c->span_count;
    info->snd_ring = c->tx_size;
    info->rcv_ring = c->rx_size;
}

static void info_counts(const weir_conn *c, weir_info *info)
{
    info->octets_acked = c->octets_acked;
    info->delivered = c->octets_acked + c->board.sacked;
    info->octets_received = c->octets_received;
#if WEIR_WITH_COUNTERS
    info->segments_in = c->count.in;
    info->segments_out = c->count.out;
    info->data_segments_in = c->count.data_in;
    info->data_segments_out = c->count.data_out;
    info->total_retrans = c->count.retrans;
    info->timeouts = c->count.timeouts;
    info->fast_recoveries = c->count.recoveries;
    info->dup_in = c->count.dup_in;
    info->out_of_order_in = c->count.ooo_in;
    info->challenge_acks = c->count.challenge;
    info->dsack_in = c->count.dsack_in;
    info->paws_dropped = c->count.paws;
    info->tail_probes = c->count.tail_probes;
    info->undone = c->count.undone;
    info->received_ce = c->count.received_ce;
    info->delivered_ce = c->count.delivered_ce;
#endif
}

static void info_rates(const weir_conn *c, weir_info *info)
{
#if WEIR_WITH_RATE
    uint32_t now = c->hold.why == (uint8_t)WEIRI_HOLD_IDLE ? 0 : (uint32_t)c->now - c->hold.since; /* not counted yet */
    uint64_t rwnd = (uint64_t)c->hold.ticks[WEIRI_HOLD_RWND - 1] << 10, sndbuf = (uint64_t)c->hold.ticks[WEIRI_HOLD_SNDBUF - 1] << 10;
    info->rwnd_limited = rwnd + (c->hold.why == (uint8_t)WEIRI_HOLD_RWND ? now : 0);
    info->sndbuf_limited = sndbuf + (c->hold.why == (uint8_t)WEIRI_HOLD_SNDBUF ? now : 0);
    info->busy_time = ((uint64_t)c->hold.ticks[WEIRI_HOLD_BUSY - 1] << 10) + rwnd + sndbuf + now;
    info->delivery_rate = weiri_rate_of(c->rate.delivered, c->rate.interval);
    info->app_limited = c->rate.limited == (uint8_t)WEIRI_LIMITED_APP;
#endif
    info->pacing_rate = weiri_pace_rate(c);
#if WEIR_WITH_BBR
    if (c->cfg->cc == WEIR_CC_BBR && c->cc.bbr.phase != (uint8_t)WEIRI_BBR_UNSET) {
        info->bbr_bw = weiri_bbr_bandwidth(&c->cc);
        info->bbr_min_rtt = c->cc.bbr.min_rtt;
    }
#endif
}

/* The first of the two timers of the send side to fire. */
static uint8_t info_timer(const weir_conn *c)
{
    uint8_t rack = c->rack.timer == WEIRI_RACK_REORDER ? (uint8_t)WEIRI_TIMER_REORDER : (uint8_t)WEIRI_TIMER_PROBE;
    return WEIR_WITH_RACK && c->rack.at < WEIR_FOREVER && c->rack.at <= c->rexmt_at ? rack : c->timer;
}

WEIR_API const char *weir_timer_name(unsigned timer)
{
    static const char *const names[] = {"none", "resend", "persist", "sws", "reorder", "probe"};
    return timer < sizeof names / sizeof names[0] ? names[timer] : "?";
}

WEIR_API void weir_info_get(const weir_conn *c, weir_info *info)
{
    struct weiri_rto_bounds bounds = weiri_timer_bounds(c);
    memset(info, 0, sizeof *info);
    info->state = c->state;
    info->options = (uint8_t)((conn_has(c, WEIRI_WS_OK) ? WEIR_OPT_WSCALE : 0) | (conn_has(c, WEIRI_SACK_OK) ? WEIR_OPT_SACK_OK : 0) |
                              (conn_has(c, WEIRI_TS_OK) ? WEIR_OPT_TIMESTAMPS : 0));
    info->wscale_snd = c->shift_snd;
    info->wscale_rcv = c->shift_rcv;
    info->backoff = c->backoff;
    info->probes = c->timer == WEIRI_TIMER_PERSIST ? c->probes : c->keep_probes;
    info->retransmits = c->retries;
    info->in_recovery = conn_has(c, WEIRI_RECOVERY | WEIRI_LOSS);
    info->rto = weiri_rtt_rto(&c->rtt, c->backoff, &bounds);
    info->rtt = c->rtt.srtt8 >> 3;
    info->rttvar = c->rtt.rttvar4 >> 2;
    info->min_rtt = c->rtt.min;
    info->ato = (uint32_t)c->cfg->ack_delay_us;
    info->reo_wnd = c->rack.reo_wnd;
    info->reordering = c->rack.reordered;
    info->timer = info_timer(c);
    info_rates(c, info);
    info->ecn = weiri_ecn_ok(c);
    info_sizes(c, info);
    info_counts(c, info);
}

WEIR_API const char *weir_state_name(enum weir_state state)
{
    static const char *const names[] = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"};
    return (unsigned)state < WEIR_STATE_COUNT ? names[state] : "?";
}

WEIR_API const char *weir_err_name(weir_err err)
{
    static const char *const names[] = {
        "no error", "connection does not exist", "connection already exists", "remote socket unspecified", "connection closing",
        "insufficient resources", "connection reset", "connection refused", "connection aborted due to user timeout",
        "destination unreachable", "connection aborted", "argument out of range", "address cannot be used",
        "the secret is all zero: draw 16 random octets", "the configuration asks for a feature that was left out"};
    return (unsigned)err < WEIR_ERR_COUNT ? names[err] : "?";
}
