/* cwv.c - congestion window validation: has the path lately borne what cwnd allows? RFC 7661.
 *
 * Knows octets acknowledged, time and a window. What is measured is pipeACK, the most that was acknowledged in a round-trip time of the
 * last three, or of the last second; it is kept in two halves of that period. The window of a sender that has used less than half of it is
 * not validated: it is kept, for five minutes, and congestion then costs more.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_CWV

#define CWV_PERIOD_MIN_US 1000000u
#define CWV_UNDEFINED UINT32_MAX  /* of pipe[0]: no sample yet */
#define CWV_UNIT 20               /* weir_cwv.since counts 2^20 microseconds */
#define CWV_KEPT 286u             /* five minutes of them */

WEIR_PRIVATE void weiri_cwv_init(struct weir_cwv *v, weir_seq una, weir_us now)
{
    memset(v, 0, sizeof *v);
    v->from = una;
    v->from_at = (uint32_t)now;
    v->pipe[0] = CWV_UNDEFINED;
}

static uint32_t cwv_half(const struct weiri_cwv_event *e)
{
    return base_max32(base_min32(e->rtt_us, UINT32_MAX / 4) * 3, CWV_PERIOD_MIN_US) / 2;
}

/* The newer half ends: it is the older one now, or forgotten too. */
static void cwv_age(struct weir_cwv *v, const struct weiri_cwv_event *e)
{
    uint32_t half = cwv_half(e), age = (uint32_t)e->now - v->half_at;
    if (v->pipe[0] == CWV_UNDEFINED || age < half) {
        return;
    }
    v->pipe[1] = age < 2 * half ? v->pipe[0] : 0;
    v->pipe[0] = 0;
    v->half_at = age < 2 * half ? v->half_at + half : (uint32_t)e->now;
}

/* A sample is over a round trip after it began, whenever the next acknowledgment comes. */
static void cwv_sample(struct weir_cwv *v, const struct weiri_cwv_event *e)
{
    uint32_t octets = seq_diff(v->from, e->before), ended = v->from_at + e->rtt_us;
    if (e->rtt_us == 0 || (uint32_t)e->now - v->from_at < e->rtt_us) {
        return;
    }
    if (v->pipe[0] == CWV_UNDEFINED) {
        v->pipe[0] = v->pipe[1] = 0;
        v->half_at = ended;
    }
    cwv_age(v, e);
    uint32_t early = v->half_at - ended; /* how long before the newer half it was; "negative": within */
    if ((int32_t)early <= 0) {
        v->pipe[0] = base_max32(v->pipe[0], octets);
    } else if (early <= cwv_half(e)) {
        v->pipe[1] = base_max32(v->pipe[1], octets);
    }
    v->from = e->before;
    v->from_at = (uint32_t)e->now;
}

/* pipeACK, the sample that is being taken included: it can only grow. */
static uint32_t cwv_pipe(const struct weir_cwv *v, weir_seq una)
{
    return base_max32(base_max32(v->pipe[0], v->pipe[1]), seq_diff(v->from, una));
}

/* The period is over (4.4.3); another begins, and after a long silence they are all over. */
static void cwv_expire(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    uint32_t now = (uint32_t)(e->now >> CWV_UNIT) + 1;
    while (v->since > 0 && now - v->since >= CWV_KEPT && cc->cwnd > e->initial) { /* each halves the window */
        cc->ssthresh = base_max32(cc->ssthresh, cc->cwnd / 4 * 3);
        cc->cwnd = base_max32(cc->cwnd / 2, e->initial);
        v->since += CWV_KEPT;
    }
}

/* Which phase it is (4.3). */
static void cwv_judge(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e, weir_us began)
{
    bool valid = v->pipe[0] == CWV_UNDEFINED || cwv_pipe(v, e->una) >= cc->cwnd / 2;
    if (!valid && v->since == 0) {
        v->since = (uint32_t)(began >> CWV_UNIT) + 1;
    }
    cwv_expire(v, cc, e);
    v->since = valid ? 0 : v->since;
}

WEIR_PRIVATE void weiri_cwv_acked(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    cwv_sample(v, e);
    cwv_age(v, e);
    cwv_judge(v, cc, e, e->now);
}

WEIR_PRIVATE void weiri_cwv_idle(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e, weir_us quiet_at)
{
    if (e->now - quiet_at >= 2 * (weir_us)cwv_half(e)) {
        v->pipe[0] = v->pipe[1] = 0; /* nothing in all the period */
        v->from = e->una;
        v->from_at = v->half_at = (uint32_t)e->now;
        cwv_judge(v, cc, e, quiet_at);
    }
}

WEIR_PRIVATE void weiri_cwv_congested(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    v->loss = 0;
    if (v->since == 0) {
        return;
    }
    v->loss = base_max32(base_max32(cwv_pipe(v, e->una), base_min32(e->flight, WEIRI_CWND_MAX)), 1);
    v->resent = 0;
    v->from = e->una;
    v->since = 0;
    cc->cwnd = base_min32(cc->cwnd, base_max32(v->loss / 2, e->mss));
    cc->ssthresh = base_max32(cc->cwnd, 2 * e->mss);
}

WEIR_PRIVATE void weiri_cwv_resent(struct weir_cwv *v, weir_block run)
{
    if (v->loss > 0 && seq_lt(v->from, run.to)) {
        v->resent += seq_diff(seq_max(v->from, run.from), run.to);
        v->from = run.to;
    }
}

WEIR_PRIVATE void weiri_cwv_recovered(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e)
{
    if (v->loss > 0) {
        cc->cwnd = base_max32((v->loss - base_min32(v->resent, v->loss)) / 2, e->mss);
        cc->ssthresh = base_max32(cc->cwnd, 2 * e->mss);
    }
    weiri_cwv_init(v, e->una, e->now);
}

WEIR_PRIVATE bool weiri_cwv_valid(const struct weir_cwv *v)
{
    return v->since == 0;
}

#undef CWV_PERIOD_MIN_US
#undef CWV_UNDEFINED
#undef CWV_UNIT
#undef CWV_KEPT

#endif /* WEIR_WITH_CWV */
