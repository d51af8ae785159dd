/* rtt.c - the round-trip time, smoothed, and the retransmission timeout made of it: RFC 6298.
 *
 * Knows samples and bounds. Does not know which segments may be sampled (Karn's rule, RFC 6298 3), nor when the timer
 * runs (RFC 6298 5): those are its callers' affairs.
 *
 * SRTT is kept times 8 and RTTVAR times 4, in microseconds, so that alpha = 1/8 and beta = 1/4 lose nothing but a
 * rounding of less than a microsecond. There is no float and no 64-bit division.
 */
#include "recovery/recovery.h"

/* A longer sample counts as this one, 268 s: no timeout in use waits so long (RFC 6298 2.5 asks for 60 s at least), and
 * below it SRTT * 8 and RTTVAR * 4 and their sum stay within 32 bits. */
#define RTT_SAMPLE_MAX_US (UINT32_C(1) << 28)

/* An eighth of the way, rounded to the nearest; modulo 2^32, for the way may lead down. */
static uint32_t rtt_eighth(uint32_t from, uint32_t to)
{
    return to >= from ? (to - from + 4) >> 3 : 0u - ((from - to + 3) >> 3);
}

/* Rule 2.4's floor and rule 2.5's ceiling. Should they cross, the ceiling holds; a timeout of 0 would spin. */
static uint32_t rtt_bounded(uint32_t rto_us, const struct weiri_rto_bounds *bounds)
{
    return base_max32(base_min32(base_max32(rto_us, bounds->min), bounds->max), 1);
}

/* RFC 6298 2, rule 2.1. */
WEIR_PRIVATE void weiri_rtt_init(struct weir_rtt *r, const struct weiri_rto_bounds *bounds)
{
    r->srtt8 = 0;
    r->rttvar4 = 0;
    r->min = 0;
    r->rto = base_max32(base_min32(bounds->initial, bounds->max), 1);
}

/* RTO = SRTT + max(G, 4 * RTTVAR), rounded up: later is allowed, earlier is not (RFC 6298 1). */
static void rtt_set_rto(struct weir_rtt *r, const struct weiri_rto_bounds *bounds)
{
    uint32_t spread_us = base_max32(base_min32(bounds->granularity, RTT_SAMPLE_MAX_US), r->rttvar4);
    r->rto = rtt_bounded(((r->srtt8 + 7) >> 3) + spread_us, bounds);
}

WEIR_PRIVATE void weiri_rtt_sample(struct weir_rtt *r, uint32_t sample_us, const struct weiri_rto_bounds *bounds)
{
    uint32_t sample8 = base_min32(sample_us, RTT_SAMPLE_MAX_US) << 3;
    if (r->srtt8 == 0) {
        /* Rule 2.2: SRTT = R, RTTVAR = R / 2. */
        r->srtt8 = sample8;
        r->rttvar4 = sample8 >> 2;
        r->min = sample8 >> 3;
    } else {
        /* Rule 2.3, RTTVAR before SRTT. The deviation is times 8; a quarter of it goes to RTTVAR, which is times 4. */
        uint32_t deviation8 = r->srtt8 > sample8 ? r->srtt8 - sample8 : sample8 - r->srtt8;
        r->rttvar4 += rtt_eighth(2 * r->rttvar4, deviation8);
        r->srtt8 += rtt_eighth(r->srtt8, sample8);
        r->min = base_min32(r->min, sample8 >> 3);
    }
    /* A link may be faster than the clock. An eighth of a microsecond stands for none, since 0 is `no sample yet`. */
    r->srtt8 = base_max32(r->srtt8, 1);
    WEIR_ASSERT(r->srtt8 <= RTT_SAMPLE_MAX_US << 3 && r->rttvar4 <= RTT_SAMPLE_MAX_US << 2);
    rtt_set_rto(r, bounds);
}

WEIR_PRIVATE void weiri_rtt_adapt(struct weir_rtt *r, const struct weir_rtt *before, uint32_t sample_us,
                                  const struct weiri_rto_bounds *bounds)
{
    uint32_t ticks8 = 2 * 8 * base_min32(bounds->granularity, RTT_SAMPLE_MAX_US >> 5);
    uint32_t sample8 = base_min32(sample_us, RTT_SAMPLE_MAX_US) << 3;
    r->srtt8 = base_min32(base_max32(sample8, before->srtt8 + ticks8), RTT_SAMPLE_MAX_US << 3);
    r->srtt8 = base_max32(r->srtt8, 1);
    r->rttvar4 = base_max32(sample8 >> 2, before->rttvar4);
    r->min = base_min32(r->min, sample8 >> 3);
    rtt_set_rto(r, bounds);
}

WEIR_PRIVATE uint32_t weiri_rtt_rto(const struct weir_rtt *r, unsigned backoff, const struct weiri_rto_bounds *bounds)
{
    if (backoff > 31 || r->rto > bounds->max >> backoff) {
        return base_max32(bounds->max, 1);
    }
    return r->rto << backoff;
}

#undef RTT_SAMPLE_MAX_US
