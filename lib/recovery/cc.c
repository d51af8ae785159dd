/* cc.c - congestion control: which algorithm answers, and what all of them share. RFC 5681.
 *
 * Knows octets, events and a window. Does not know what was lost or when to send; recovery, pacing and the scoreboard are
 * elsewhere. The dispatch is a switch, not a table of pointers: a connection is a value, and the packet path calls
 * nothing it cannot name.
 */
#include "recovery/recovery.h"

WEIR_API const char *weir_cc_name(enum weir_cc_kind kind)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
        return "newreno";
    case WEIR_CC_CUBIC:
        return "cubic";
    case WEIR_CC_BBR:
        return "bbr";
    case WEIR_CC_COUNT:
        break;
    }
    return "unknown";
}

/* RFC 5681 3.1 and RFC 6928 2. No segment is longer than an IP packet, whose length has 16 bits. */
WEIR_PRIVATE uint32_t weiri_cc_initial_window(uint32_t mss, bool iw10)
{
    mss = base_min32(mss, 65535);
    if (iw10) {
        return base_min32(10 * mss, base_max32(2 * mss, 14600));
    }
    if (mss > 2190) {
        return 2 * mss;
    }
    return mss > 1095 ? 3 * mss : 4 * mss;
}

WEIR_PRIVATE void weiri_cc_init(struct weir_cc *cc, uint32_t window, weir_seq nxt)
{
    memset(cc, 0, sizeof *cc);
#if WEIR_WITH_HYSTART
    weiri_hystart_init(&cc->hystart, nxt);
#else
    (void)nxt;
#endif
    cc->cwnd = base_min32(window, WEIRI_CWND_MAX);
    cc->ssthresh = WEIRI_SSTHRESH_UNSET;
}

/* A segment has one octet at least, and no more than an IP packet. */
WEIR_PRIVATE uint32_t weiri_cc_mss(const struct weiri_cc_event *e)
{
    return base_min32(base_max32(e->mss, 1), 65535);
}

/* Segments that one acknowledgment may add. RFC 5681 3.1 lets it add one, however much it covers. Acknowledgments of merged segments
 * (GRO) cover many, and such a window would hardly grow; so, in the first slow start only, config.abc makes the limit two, as RFC 3465 2.3
 * allows, or eight with HyStart++, and with pacing any number (RFC 9406 4.3). After a timeout it is one, as RFC 3465 2.3 demands: what
 * such an acknowledgment covers did not leave the network just now. */
static uint32_t cc_slow_limit(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    if (cc->ssthresh != WEIRI_SSTHRESH_UNSET || !e->abc) {
        return 1;
    }
    return !e->hystart ? 2 : e->paced ? UINT16_MAX : 8;
}

/* HyStart++ watches the first slow start: what of a step it lets go, and whether that was the last. RFC 9406 4.2: first the window,
 * then the phase. */
static uint32_t cc_watched_step(const struct weir_cc *cc, uint32_t step)
{
#if WEIR_WITH_HYSTART
    return cc->hystart.phase != WEIRI_HYSTART_SLOW ? step / 4 : step;
#else
    (void)cc;
    return step;
#endif
}

static bool cc_watched_end(struct weir_cc *cc, const struct weiri_cc_event *e)
{
#if WEIR_WITH_HYSTART
    return weiri_hystart_acked(&cc->hystart, e->sample_us, e->una, e->nxt);
#else
    (void)cc;
    (void)e;
    return false;
#endif
}

/* The step ends at ssthresh: beyond it the rules are others. */
WEIR_PRIVATE void weiri_cc_slow_start(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    bool watched = WEIR_WITH_HYSTART && e->hystart && cc->ssthresh == WEIRI_SSTHRESH_UNSET;
    uint32_t step = base_min32(e->acked, cc_slow_limit(cc, e) * weiri_cc_mss(e));
    step = watched ? cc_watched_step(cc, step) : step;
    cc->cwnd = base_min32(cc->cwnd + base_min32(step, cc->ssthresh - cc->cwnd), WEIRI_CWND_MAX);
    if (watched && cc_watched_end(cc, e)) {
        cc->ssthresh = cc->cwnd;
    }
}

/* The window as far as it was used: cwnd, and at most twice what was in flight. That is the bound of RFC 7661 4.2, up to which cwnd counts
 * as tried, and which RFC 9438 4.6 names: slow start goes on only while half of cwnd is used, congestion avoidance while all of it is.
 * FlightSize is less than was tried where the application or the peer's window was the limit in the last round trip. There a first loss
 * may leave more than is in flight, the next one less, for cwnd does not grow. */
WEIR_PRIVATE uint32_t weiri_cc_used(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    uint32_t flight = base_min32(e->flight, WEIRI_CWND_MAX);
    return base_min32(base_max32(flight, base_min32(cc->cwnd, 2 * flight)), WEIRI_CWND_MAX);
}

WEIR_PRIVATE void weiri_cc_acked(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_acked(cc, e);
        break;
    case WEIR_CC_CUBIC:
        weiri_cubic_acked(cc, e);
        break;
    case WEIR_CC_BBR: /* weiri_cc_model */
        break;
    }
}

#if WEIRI_WITH_CALM
WEIR_PRIVATE void weiri_cc_unused(struct weir_cc *cc, enum weir_cc_kind kind, weir_us now)
{
    if (kind == WEIR_CC_CUBIC) { /* the others do not count time */
        weiri_cubic_unused(cc, now);
    }
}
#endif

WEIR_PRIVATE void weiri_cc_loss(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_loss(cc, e);
        break;
    case WEIR_CC_CUBIC:
        weiri_cubic_loss(cc, e);
        break;
    case WEIR_CC_BBR: /* weiri_cc_model */
        break;
    }
}

WEIR_PRIVATE void weiri_cc_marked(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_marked(cc, e);
        break;
    case WEIR_CC_CUBIC:
        weiri_cubic_marked(cc, e);
        break;
    case WEIR_CC_BBR:
        weiri_bbr_marked(cc, e);
        break;
    }
}

WEIR_PRIVATE void weiri_cc_recovered(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_CUBIC:
    case WEIR_CC_COUNT:
        weiri_newreno_recovered(cc, e);
        break;
    case WEIR_CC_BBR:
        break;
    }
}

WEIR_PRIVATE void weiri_cc_timeout(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_timeout(cc, e);
        break;
    case WEIR_CC_CUBIC:
        weiri_cubic_timeout(cc, e);
        break;
    case WEIR_CC_BBR:
        weiri_bbr_timeout(cc, e);
        break;
    }
}

WEIR_PRIVATE bool weiri_cc_has_model(enum weir_cc_kind kind)
{
    return WEIR_WITH_BBR && kind == WEIR_CC_BBR;
}

WEIR_PRIVATE void weiri_cc_model(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    if (weiri_cc_has_model(kind)) {
        weiri_bbr_model(cc, e);
    }
}

/* RW = min(IW, cwnd). ssthresh stays: it remembers what the path once bore. */
WEIR_PRIVATE void weiri_cc_idle(struct weir_cc *cc, uint32_t initial_window)
{
    cc->cwnd = base_min32(cc->cwnd, initial_window);
    cc->acked = 0;
    weiri_cubic_restart(cc);
}

/* cwnd shrinks by the ratio of the new to the old size, so that it stays as many segments; a larger MSS earns nothing. The
 * product of two 16-bit sizes fits in 32 bits: cwnd = quotient * before + remainder, and each part is scaled by itself. */
WEIR_PRIVATE void weiri_cc_new_mss(struct weir_cc *cc, uint32_t before, uint32_t after)
{
    if (after == 0 || after >= before || before > 65535) {
        return;
    }
    uint32_t scaled = (cc->cwnd / before) * after + (cc->cwnd % before) * after / before;
    cc->cwnd = base_max32(scaled, after);
    cc->acked = 0;
}
