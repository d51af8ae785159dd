/* cc_cubic.c - CUBIC: the window as a cubic function of the time since it was last reduced. RFC 9438.
 *
 * Windows are octets; time is counted in 1/1024 s, the cube in 64 bits. No floating point, no 64-bit division. As in cc_newreno.c
 * nothing is inflated for duplicate acknowledgments, and slow start is the one all algorithms share.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_CUBIC

/* C = 0.4 segments a cubic second, beta = 0.7, and alpha = 3 * (1 - beta) / (1 + beta) = 9 / 17 of the Reno-friendly region. */
#define CUBIC_SECOND 10          /* 2^10 units of time are a second */
#define CUBIC_TIME_MAX (1u << 18) /* 256 s: by then the window is beyond any limit */
#define CUBIC_EXACT (1u << 15)    /* below it the cube times a segment fits in 64 bits */
#define CUBIC_OCTETS_MAX (UINT64_C(5) << 29) /* 0.4 of it is WEIRI_CWND_MAX */

enum { CUBIC_BETA = 70, CUBIC_BETA_ECN = 85 }; /* percent; the other is RFC 8511's */

/* Microseconds to units of 1/1024 s: a multiplication by 2^40 * 1024 / 10^6. */
static uint32_t cubic_time(weir_us span)
{
    weir_us most = (weir_us)CUBIC_TIME_MAX << CUBIC_SECOND;
    return (uint32_t)((base_min_us(span, most) * UINT64_C(1125899907)) >> 40);
}

/* C * t^3 in octets, t in units. */
static uint32_t cubic_cube(uint32_t t, uint32_t mss)
{
    uint64_t octets;
    t = base_min32(t, CUBIC_TIME_MAX);
    if (t < CUBIC_EXACT) {
        octets = ((uint64_t)t * t * t * mss) >> (3 * CUBIC_SECOND);
    } else {
        octets = (((((uint64_t)t * t) >> CUBIC_SECOND) * t >> CUBIC_SECOND) * mss) >> CUBIC_SECOND;
    }
    octets = octets < CUBIC_OCTETS_MAX ? octets : CUBIC_OCTETS_MAX;
    return (uint32_t)((octets * 26214) >> 16); /* 0.4 */
}

/* The cube root, bit by bit: 22 steps. */
static uint32_t cubic_root(uint64_t x)
{
    uint64_t root = 0;
    for (unsigned shift = 66; shift > 0;) {
        shift -= 3;
        root <<= 1;
        uint64_t step = 3 * root * (root + 1) + 1;
        if ((x >> shift) >= step) {
            x -= step << shift;
            root++;
        }
    }
    return (uint32_t)root;
}

/* K: how long from here to the plateau, cbrt((W_max - cwnd) / C), in units. */
static uint32_t cubic_k(uint32_t below, uint32_t mss)
{
    uint64_t segments = (uint64_t)(below / mss) << 16 | ((below % mss) << 16) / mss;
    return cubic_root(segments * 5 << (3 * CUBIC_SECOND - 16 - 1)); /* times 2.5 */
}

/* W_cubic(t), t in units since the epoch began. */
static uint32_t cubic_window(const struct weir_cubic *q, uint32_t t, uint32_t mss)
{
    if (t < q->k) {
        uint32_t below = cubic_cube(q->k - t, mss);
        return q->origin > below ? q->origin - below : 0;
    }
    return base_min32(q->origin + cubic_cube(t - q->k, mss), WEIRI_CWND_MAX);
}

static void cubic_begin(struct weir_cc *cc, const struct weiri_cc_event *e, uint32_t mss)
{
    struct weir_cubic *q = &cc->cubic;
    q->epoch_at = e->now > 0 ? e->now : 1;
    q->k = cc->cwnd < q->w_max ? cubic_k(q->w_max - cc->cwnd, mss) : 0;
    q->origin = base_max32(cc->cwnd, q->w_max);
    q->w_est = cc->cwnd;
    q->acked = 0;
    cc->acked = 0;
}

/* W_est: what Reno would have come to; alpha is 1 once it has passed the window before the loss (RFC 9438 4.3). */
static void cubic_estimate(struct weir_cc *cc, uint32_t acked, uint32_t mss)
{
    struct weir_cubic *q = &cc->cubic;
    q->acked += base_min32(acked, cc->cwnd);
    if (q->acked >= cc->cwnd) {
        q->acked -= cc->cwnd;
        q->w_est = base_min32(q->w_est + (q->w_est < q->cwnd_prior ? base_muldiv(mss, 9, 17, 0) : mss), WEIRI_CWND_MAX);
    }
}

static void cubic_avoid(struct weir_cc *cc, const struct weiri_cc_event *e, uint32_t mss)
{
    struct weir_cubic *q = &cc->cubic;
    if (q->epoch_at == 0) {
        cubic_begin(cc, e, mss);
    }
    weir_us since = e->now > q->epoch_at ? e->now - q->epoch_at : 0;
    cubic_estimate(cc, e->acked, mss);
    if (cubic_window(q, cubic_time(since), mss) < q->w_est) {
        cc->cwnd = base_max32(cc->cwnd, q->w_est); /* the Reno-friendly region */
        return;
    }
    uint32_t target = cubic_window(q, cubic_time(since + e->rtt_us), mss);
    target = base_min32(target, cc->cwnd + cc->cwnd / 2);
    if (target > cc->cwnd) {
        uint32_t step = base_muldiv(target - cc->cwnd, base_min32(e->acked, cc->cwnd), cc->cwnd, 0);
        cc->cwnd = base_min32(cc->cwnd + step, WEIRI_CWND_MAX);
    }
}

/* Time in which the window was not the limit does not count (RFC 9438 4.2). */
WEIR_PRIVATE void weiri_cubic_unused(struct weir_cc *cc, weir_us now)
{
    struct weir_cubic *q = &cc->cubic;
    q->epoch_at = q->epoch_at > 0 ? q->epoch_at + (now - q->seen_at) : 0;
    q->seen_at = now;
}

WEIR_PRIVATE void weiri_cubic_acked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    if (!e->limited) {
        weiri_cubic_unused(cc, e->now);
        return;
    }
    if (cc->cwnd < cc->ssthresh) {
        weiri_cc_slow_start(cc, e);
    } else {
        cubic_avoid(cc, e, weiri_cc_mss(e));
    }
    cc->cubic.seen_at = e->now;
}

/* It is cwnd that is reduced, which RFC 9438 4.6 lets those do who keep it from growing unused: weiri_cc_used.
 * Where the window was below the last plateau another flow has come: the plateau is lowered to make room (RFC 9438 4.7). */
static void cubic_reduce(struct weir_cc *cc, const struct weiri_cc_event *e, uint32_t mss, uint32_t beta)
{
    struct weir_cubic *q = &cc->cubic;
    q->w_max = cc->cwnd < q->w_max ? base_muldiv(cc->cwnd, 17, 20, 0) : cc->cwnd;
    q->cwnd_prior = cc->cwnd;
    q->epoch_at = 0;
    cc->ssthresh = base_min32(base_max32(base_muldiv(weiri_cc_used(cc, e), beta, 100, 0), 2 * mss), WEIRI_CWND_MAX);
}

WEIR_PRIVATE void weiri_cubic_loss(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e);
    cubic_reduce(cc, e, mss, CUBIC_BETA);
    cc->cwnd = base_min32(base_max32(cc->cwnd, mss), cc->ssthresh);
}

/* Below two segments, which ssthresh never is, the window still follows. */
WEIR_PRIVATE void weiri_cubic_marked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e), beta = e->abe ? CUBIC_BETA_ECN : CUBIC_BETA;
    cubic_reduce(cc, e, mss, beta);
    cc->cwnd = base_min32(base_max32(base_muldiv(cc->cwnd, beta, 100, 0), mss), cc->ssthresh);
}

/* As Reno does, but for beta; the next stage begins at its own window: K = 0 (RFC 9438 4.8). */
WEIR_PRIVATE void weiri_cubic_timeout(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t mss = weiri_cc_mss(e);
    if (!e->repeated) {
        cubic_reduce(cc, e, mss, CUBIC_BETA);
    }
    cc->cubic.w_max = 0;
    cc->cubic.epoch_at = 0;
    cc->cwnd = mss;
}

WEIR_PRIVATE void weiri_cubic_restart(struct weir_cc *cc)
{
    cc->cubic.epoch_at = 0;
}

#undef CUBIC_SECOND
#undef CUBIC_TIME_MAX
#undef CUBIC_EXACT
#undef CUBIC_OCTETS_MAX

#endif /* WEIR_WITH_CUBIC */
