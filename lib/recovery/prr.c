/* prr.c - proportional rate reduction: how much goes for each acknowledgment of a recovery. RFC 9937.
 *
 * Knows octets delivered, sent and in flight, and the ssthresh that congestion control chose. Does not know what was lost, nor
 * when recovery begins and ends.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_PRR

WEIR_PRIVATE void weiri_prr_begin(struct weir_prr *p, uint32_t recover_fs)
{
    p->delivered = 0;
    p->out = 0;
    p->recover_fs = base_max32(recover_fs, 1);
}

/* Sending follows delivery in the ratio of ssthresh to what was in flight when recovery began: the window comes down as evenly as
 * acknowledgments come. */
static uint32_t prr_proportional(const struct weir_prr *p, uint32_t ssthresh)
{
    uint32_t whole = base_muldiv(p->delivered, ssthresh, p->recover_fs, p->recover_fs - 1); /* rounded up */
    return whole > p->out ? whole - p->out : 0;
}

/* Below ssthresh: as much as was delivered, and a segment more where nothing speaks against it, up to ssthresh. */
static uint32_t prr_slow_start(const struct weir_prr *p, const struct weiri_prr_ack *a)
{
    uint32_t behind = p->delivered > p->out ? p->delivered - p->out : 0;
    uint32_t count = base_max32(behind, a->delivered) + (a->safe ? a->mss : 0);
    return base_min32(count, a->ssthresh - a->inflight);
}

/* The test is `>=` as figure 1 of RFC 9937 needs it; with the printed `>` one segment of the figure goes an acknowledgment later. */
WEIR_PRIVATE uint32_t weiri_prr_acked(struct weir_prr *p, const struct weiri_prr_ack *a)
{
    if (a->delivered == 0) {
        return a->cwnd;
    }
    p->delivered = base_min32(p->delivered, UINT32_MAX - a->delivered) + a->delivered;
    uint32_t count = a->inflight >= a->ssthresh ? prr_proportional(p, a->ssthresh) : prr_slow_start(p, a);
    if (p->out == 0 && count == 0) {
        count = a->mss; /* the fast retransmission itself */
    }
    return base_min32(a->inflight, WEIRI_CWND_MAX) + base_min32(count, WEIRI_CWND_MAX);
}

WEIR_PRIVATE void weiri_prr_sent(struct weir_prr *p, uint32_t octets)
{
    p->out = base_min32(p->out, UINT32_MAX - octets) + octets;
}

#endif /* WEIR_WITH_PRR */
