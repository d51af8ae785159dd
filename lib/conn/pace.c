/* pace.c - when segments go: the earliest departure time of each, so that a window leaves over a round trip and not in one burst.
 *
 * Knows a rate and a clock. What is paced is text, whether new or again; acknowledgments, SYN, RST and a FIN by itself never wait. Segments
 * may go ahead of their times by a little, then all wait until time has caught up: a device need not be woken for each of them. Also counts
 * how long which limit held the sender back. */
#include "conn/conn.h"

#if WEIR_WITH_PACING

#define PACE_HOLD_LEAD_US 500u  /* held by weir: so far ahead of its time may text go; then nothing until it has caught up */
#define PACE_STAMP_LEAD_US 4000u /* stamped: so far ahead may it be handed out */
#define PACE_LATE_US 8000u       /* a wake that comes late is made up for by so much at once: a busy machine keeps the rate */
#define PACE_FREE_SEGMENTS 10u   /* the first go at once, as the initial window may (RFC 6928) */

/* Is it the first slow start? Where the peer's window or the send ring is the limit, cwnd is not what fills queues. */
static bool pace_starting(const weir_conn *c)
{
    return c->cc.ssthresh == WEIRI_SSTHRESH_UNSET && c->cc.cwnd < base_min32(c->snd.wnd, c->tx_size);
}

WEIR_PRIVATE enum weir_pacing weiri_pace_mode(const weir_conn *c)
{
    enum weir_pacing mode = (enum weir_pacing)c->cfg->pacing;
    bool model = weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc);
    if (mode == WEIR_PACING_START) {
        mode = pace_starting(c) ? WEIR_PACING_HOLD : WEIR_PACING_OFF;
    }
    return model && mode == WEIR_PACING_OFF ? WEIR_PACING_HOLD : mode;
}

static weir_us pace_lead(const weir_conn *c)
{
    return weiri_pace_mode(c) == WEIR_PACING_STAMP ? PACE_STAMP_LEAD_US : PACE_HOLD_LEAD_US;
}

/* When what waits may go on. */
static weir_us pace_until(const weir_conn *c)
{
    return weiri_pace_mode(c) == WEIR_PACING_STAMP ? c->pace.next - PACE_STAMP_LEAD_US / 2 : c->pace.next;
}

WEIR_PRIVATE bool weiri_pace_blocks(const weir_conn *c)
{
    return c->pace.held && weiri_pace_mode(c) != WEIR_PACING_OFF && pace_until(c) > c->now; /* off: slow start has ended since */
}

/* What a model of the path says, octets a second; 0: there is none, or not yet. */
static uint32_t pace_of_model(const weir_conn *c)
{
    return weiri_cc_has_model((enum weir_cc_kind)c->cfg->cc) ? weiri_bbr_rate(&c->cc) : 0;
}

/* The window that leaves in one smoothed round-trip time: twice cwnd in slow start, which doubles; then a fifth more than cwnd, so that the
 * pace is not what limits. */
static uint32_t pace_window(const weir_conn *c)
{
    uint32_t window = base_min32(base_max32(c->cc.cwnd, conn_flight(c)), WEIRI_CWND_MAX);
    return c->cc.cwnd < c->cc.ssthresh / 2 ? 2 * window : window + window / 5;
}

WEIR_PRIVATE uint32_t weiri_pace_rate(const weir_conn *c)
{
    uint32_t srtt = c->rtt.srtt8 >> 3;
    if (pace_of_model(c) > 0) {
        return pace_of_model(c);
    }
    return srtt > 0 ? base_muldiv(pace_window(c), 1000000, srtt, 0) : UINT32_MAX;
}

/* How long so many octets take; never more than a round trip, or a path that has become faster would not be found out. */
static uint32_t pace_gap(const weir_conn *c, uint32_t len)
{
    uint32_t srtt = c->rtt.srtt8 >> 3;
    if (pace_of_model(c) > 0) {
        return base_min32(base_muldiv(len, 1000000, pace_of_model(c), 0), srtt);
    }
    return base_min32(base_muldiv(len, srtt, pace_window(c), 0), srtt);
}

/* Did text wait, and longer than it should have? */
static bool pace_is_late(const weir_conn *c)
{
    return (c->pace.waits || c->pace.owed) && c->pace.next < c->now;
}

WEIR_PRIVATE void weiri_pace_update(weir_conn *c, bool waits)
{
    c->pace.owed = !waits && pace_is_late(c);
    c->pace.waits = waits;
}

/* When the next segment's turn is, or was. Silence is not made up for. */
static weir_us pace_turn(const weir_conn *c)
{
    weir_us least = pace_is_late(c) ? c->now - base_min_us(c->now, PACE_LATE_US) : c->now;
    return c->pace.next > least ? c->pace.next : least;
}

static weir_us pace_book(weir_conn *c, uint32_t gap)
{
    weir_us at = pace_turn(c);
    c->pace.next = base_after(at, gap);
    c->pace.held = c->pace.next >= base_after(c->now, pace_lead(c));
    return at;
}

WEIR_PRIVATE weir_us weiri_pace_depart(weir_conn *c, uint32_t len)
{
    if (weiri_pace_mode(c) == WEIR_PACING_OFF || c->count.data_out < PACE_FREE_SEGMENTS) {
        return 0;
    }
    weir_us at = pace_book(c, pace_gap(c, len));
    return weiri_pace_mode(c) == WEIR_PACING_STAMP && at > c->now ? at : 0;
}

WEIR_PRIVATE uint32_t weiri_pace_ahead(weir_conn *c, uint32_t len, uint32_t count)
{
    uint32_t gone = 0;
    if (weiri_pace_mode(c) == WEIR_PACING_OFF) {
        return count;
    }
    if (c->board.sacked > 0) { /* more may be in flight than cwnd: each has a pace of its own */
        return 0;
    }
    const uint32_t gap = pace_gap(c, len);
    for (; gone < count && !weiri_pace_blocks(c); gone++) {
        if (c->count.data_out + gone >= PACE_FREE_SEGMENTS) {
            (void)pace_book(c, gap);
        }
    }
    return gone;
}

WEIR_PRIVATE weir_us weiri_pace_deadline(const weir_conn *c)
{
    return c->pace.waits ? pace_until(c) : WEIR_FOREVER;
}

WEIR_PRIVATE const char *weiri_pace_check(const weir_conn *c)
{
    weir_us most = (weir_us)PACE_STAMP_LEAD_US + (UINT32_C(1) << 29); /* a gap is a round trip at most */
    if (c->pace.next > base_after(c->now, most)) {
        return "the next segment is paced further away than a round trip";
    }
    return !c->pace.waits || weiri_pace_blocks(c) ? NULL : "text waits for its time, which has come";
}

/* Nothing more goes. */
WEIR_PRIVATE void weiri_pace_quiet(weir_conn *c)
{
    c->pace.owed = 0;
}

#undef PACE_HOLD_LEAD_US
#undef PACE_STAMP_LEAD_US
#undef PACE_LATE_US
#undef PACE_FREE_SEGMENTS

#endif /* WEIR_WITH_PACING */

#if WEIR_WITH_RATE

/* ---- what holds the sender back ------------------------------------------------------------------------------------------------------ */

/* Times are kept in 1/1024 s; what is less goes to the next. */
WEIR_PRIVATE void weiri_pace_limited(weir_conn *c, enum weiri_hold why)
{
    uint32_t ticks = ((uint32_t)c->now - c->hold.since) >> 10;
    if (c->hold.why == (uint8_t)WEIRI_HOLD_IDLE) {
        c->hold.since = (uint32_t)c->now;
    } else {
        c->hold.ticks[c->hold.why - 1] += ticks;
        c->hold.since += ticks << 10;
    }
    c->hold.why = (uint8_t)why;
}

#endif /* WEIR_WITH_RATE */
