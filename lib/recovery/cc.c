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

WEIR_PRIVATE void weiri_cc_init(struct weir_cc *cc, uint32_t window)
{
    cc->cwnd = base_min32(window, WEIRI_CWND_MAX);
    cc->ssthresh = WEIRI_SSTHRESH_UNSET;
    cc->acked = 0;
}

WEIR_PRIVATE void weiri_cc_acked(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_acked(cc, e);
        break;
    }
}

WEIR_PRIVATE void weiri_cc_loss(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_loss(cc, e);
        break;
    }
}

WEIR_PRIVATE void weiri_cc_recovered(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e)
{
    switch (kind) {
    case WEIR_CC_NEWRENO:
    case WEIR_CC_COUNT:
        weiri_newreno_recovered(cc, e);
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
    }
}

/* RW = min(IW, cwnd). ssthresh stays: it remembers what the path once bore. */
WEIR_PRIVATE void weiri_cc_idle(struct weir_cc *cc, uint32_t initial_window)
{
    cc->cwnd = base_min32(cc->cwnd, initial_window);
    cc->acked = 0;
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
