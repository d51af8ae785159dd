/* cc_newreno.c - slow start, congestion avoidance and the halving of the window: RFC 5681 3, RFC 6582 3.2.
 *
 * Knows octets acknowledged and octets in flight. Does not know which octets: what is sent again and when recovery begins
 * and ends is decided by the connection over its scoreboard, which also counts what is in flight (RFC 6675), so that
 * nothing here inflates the window for duplicate acknowledgments.
 */
#include "recovery/recovery.h"

static bool newreno_halves_cwnd(const struct weiri_cc_event *e)
{
    return WEIR_WITH_HALVE_CWND && e->halve_cwnd;
}

/* What is halved: FlightSize (RFC 5681 3.1 equation 4), or with config.halve_cwnd the window as far as it was used. */
static uint32_t newreno_window(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    return newreno_halves_cwnd(e) ? weiri_cc_used(cc, e) : e->flight;
}

/* ssthresh upon loss (RFC 5681 3.1 equation 4; RFC 5681 4.3). */
static uint32_t newreno_half(const struct weir_cc *cc, const struct weiri_cc_event *e, uint32_t mss)
{
    return base_min32(base_max32(newreno_window(cc, e) / 2, 2 * mss), WEIRI_CWND_MAX);
}

static void newreno_grow(struct weir_cc *cc, uint32_t octets)
{
    cc->cwnd = base_min32(cc->cwnd + octets, WEIRI_CWND_MAX);
}

/* As many octets are acknowledged in a round trip in which all of cwnd is used: cwnd, or with config.halve_cwnd its whole segments, for the
 * rest lets nothing go. A window of 3.9 segments would otherwise take a third longer to grow. */
static uint32_t newreno_round(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t text = base_max32(base_min32(e->text, cc->cwnd), 1);
    return newreno_halves_cwnd(e) ? cc->cwnd - cc->cwnd % text : cc->cwnd;
}

/* Congestion avoidance by counting octets (RFC 5681 3.1, recommended): one SMSS for each cwnd of octets acknowledged, thus
 * at most one in a round trip. `acked` < cwnd before and after, whatever one acknowledgment covers. */
static void newreno_avoid(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t round = newreno_round(cc, e);
    cc->acked = base_min32(cc->acked, cc->cwnd - 1) + base_min32(e->acked, round);
    if (cc->acked >= round) {
        cc->acked -= round;
        newreno_grow(cc, weiri_cc_mss(e));
    }
}

WEIR_PRIVATE void weiri_newreno_acked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    /* A window that was not used says nothing of the path (RFC 7661 3). */
    if (!e->limited) {
        return;
    }
    if (cc->cwnd < cc->ssthresh) {
        weiri_cc_slow_start(cc, e);
    } else {
        newreno_avoid(cc, e);
    }
}

/* RFC 5681 3.2 steps 2 and 3 without the inflation: pipe is counted instead (RFC 6675 5 step 4.2). Loss never widens the
 * window, even where much more was in flight than it now allows (after a timeout, or a smaller path MTU). */
WEIR_PRIVATE void weiri_newreno_loss(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e);
    cc->ssthresh = newreno_half(cc, e, mss);
    cc->cwnd = base_min32(base_max32(cc->cwnd, mss), cc->ssthresh);
    cc->acked = 0;
}

/* RFC 3168 6.1.2, or with four fifths RFC 8511 3. ssthresh is two segments at least, cwnd one: below two the window still follows. */
WEIR_PRIVATE void weiri_newreno_marked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e), part = e->abe ? 8 : 5;
    cc->ssthresh = base_max32(base_muldiv(base_min32(newreno_window(cc, e), WEIRI_CWND_MAX), part, 10, 0), 2 * mss);
    cc->cwnd = base_min32(base_max32(base_muldiv(cc->cwnd, part, 10, 0), mss), cc->ssthresh);
    cc->acked = 0;
}

/* RFC 6582 3.2 step 3, the first choice: no burst where little is outstanding. */
WEIR_PRIVATE void weiri_newreno_recovered(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e);
    uint32_t flight = base_min32(e->flight, WEIRI_CWND_MAX);
    cc->cwnd = base_min32(base_min32(cc->ssthresh, base_max32(flight, mss) + mss), WEIRI_CWND_MAX);
    cc->acked = 0;
}

/* RFC 5681 3.1: the loss window is one segment; ssthresh falls at the first timeout of a segment only. */
WEIR_PRIVATE void weiri_newreno_timeout(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e);
    if (!e->repeated) {
        cc->ssthresh = newreno_half(cc, e, mss);
    }
    cc->cwnd = mss;
    cc->acked = 0;
}
