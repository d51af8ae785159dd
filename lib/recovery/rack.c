/* rack.c - what is lost, told by time: a segment is, when one sent after it has arrived and it is late by more than reordering explains.
 * When to probe for a lost tail. RFC 8985.
 *
 * Knows the records of the scoreboard and when each was sent last. Does not know the window, nor what recovery does about a loss.
 * A record keeps 32 bits of its time: its age is known for 71 minutes. One that is older seems younger than it is, which makes nothing
 * lost; the retransmission timer has dealt with it long before.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_RACK

#define RACK_MIN_RTT_US 300000000u /* the least round-trip time is forgotten after five minutes */
#define RACK_STAMP_US 1000u        /* the tick of our timestamp clock */
#define RACK_PERSIST 16
#define RACK_FIRST_PTO_US 1000000u
#define RACK_PTO_MAX_US (1u << 29)
#define RACK_RTT_MAX_US (1u << 29)

WEIR_PRIVATE void weiri_rack_init(struct weir_rack *r, weir_seq una)
{
    memset(r, 0, sizeof *r);
    r->at = WEIR_FOREVER;
    r->end = una;
    r->fack = una;
    r->mult = 1;
}

static uint32_t rack_age(const struct weir_sent *record, weir_us now)
{
    return (uint32_t)now - record->sent_at;
}

/* Was the segment that arrived sent after the record? Of one microsecond the higher numbers were. */
static bool rack_sent_after(const struct weir_rack *r, const struct weir_sent *record, weir_us now)
{
    uint32_t age = rack_age(record, now);
    weir_us latest = now - r->xmit_at;
    return age > latest || (age == latest && seq_lt(record->to, r->end));
}

WEIR_PRIVATE void weiri_rack_sample(struct weir_rack *r, uint32_t rtt_us, weir_us now)
{
    if (r->min_rtt == 0 || rtt_us <= r->min_rtt || (uint32_t)now - r->min_rtt_at > RACK_MIN_RTT_US) {
        r->min_rtt = base_max32(rtt_us, 1);
        r->min_rtt_at = (uint32_t)now;
    }
}

/* Only what was sent once tells of reordering (6.2 step 3), and only what an earlier acknowledgment could have told of: one may stand for
 * many segments, and its first block is the newest (RFC 2018 4), so their order within it says nothing. */
static void rack_note_order(struct weir_rack *r, const struct weir_sent *record, const struct weiri_rack_ack *a)
{
    r->fack = seq_max(r->fack, record->to);
    if (seq_lt(record->to, a->fack) && record->tries == 1) {
        r->reordered = 1;
    }
}

/* What was sent again may be acknowledged for the first time it was sent: then its time is worth nothing (6.2 step 2). */
static bool rack_ambiguous(const struct weir_rack *r, const struct weir_sent *record, uint32_t rtt, const struct weiri_rack_ack *a)
{
    bool older = a->stamped && a->echo_us >= RACK_STAMP_US && a->echo_us - RACK_STAMP_US >= rtt;
    return record->tries > 1 && (older || rtt < r->min_rtt);
}

WEIR_PRIVATE void weiri_rack_delivered(struct weir_rack *r, const struct weir_sent *record, struct weiri_rack_ack *a)
{
    uint32_t age = rack_age(record, a->now), rtt = base_min32(age, RACK_RTT_MAX_US);
    rack_note_order(r, record, a);
    if (rack_ambiguous(r, record, rtt, a)) {
        return;
    }
    a->rtt = base_min32(a->rtt, base_max32(rtt, 1)); /* of the segment sent last */
    bool first = r->rtt == 0;
    r->rtt = a->rtt;
    if (first || !rack_sent_after(r, record, a->now)) {
        r->xmit_at = a->now - base_min_us(age, a->now);
        r->end = record->to;
    }
}

/* A duplicate that we caused says that something was late, not lost. What was sent again can never show that itself (6.2 step 3 asks for
 * segments sent once), so it counts as reordering seen: otherwise the window would stay 0 and every late segment be sent twice. */
static void rack_note_dsack(struct weir_rack *r, const struct weiri_rack_ack *a)
{
    if (r->dsack_round && seq_leq(r->round, a->una)) {
        r->dsack_round = 0;
    }
    if (a->dsack && !r->dsack_round) {
        r->dsack_round = 1;
        r->round = a->nxt;
        r->mult = (uint8_t)(r->mult + (r->mult < UINT8_MAX));
        r->persist = RACK_PERSIST;
        r->reordered = 1;
    }
}

WEIR_PRIVATE void weiri_rack_adapt(struct weir_rack *r, const struct weiri_rack_ack *a)
{
    rack_note_dsack(r, a);
    uint32_t most = base_muldiv(r->min_rtt, r->mult, 4, 0);
    r->reo_wnd = !r->reordered && (a->recovering || a->many) ? 0 : base_min32(most, a->srtt);
}

WEIR_PRIVATE void weiri_rack_recovered(struct weir_rack *r)
{
    r->persist = (uint8_t)(r->persist - (r->persist > 0));
    r->mult = r->persist > 0 ? r->mult : 1;
    r->tries = 0;
}

/* How long until the record is lost; 0: it is. */
static uint32_t rack_remaining(const struct weir_rack *r, const struct weir_sent *record, weir_us now)
{
    uint32_t limit = r->rtt + r->reo_wnd, age = rack_age(record, now);
    return limit > age ? limit - age : 0;
}

/* The board has what is in flight in order of transmission: those that are late are the first. */
WEIR_PRIVATE uint32_t weiri_rack_detect(struct weir_rack *r, struct weir_board *b, weir_us now, uint32_t *wait)
{
    uint32_t before = b->lost;
    const struct weir_sent *record;
    *wait = 0;
    if (r->rtt == 0) {
        return 0;
    }
    while ((record = weiri_board_next(b)) != NULL && rack_sent_after(r, record, now)) {
        weiri_board_pass(b);
    }
    while ((record = weiri_board_oldest(b)) != NULL && rack_remaining(r, record, now) == 0) {
        r->tries = record->tries > r->tries ? record->tries : r->tries;
        weiri_board_lose(b);
    }
    record = weiri_board_newest(b);
    *wait = record != NULL ? rack_remaining(r, record, now) : 0;
    return b->lost - before;
}

/* If even the head was SACKED the peer has thrown away what it had: all is lost (RFC 2018 8). */
WEIR_PRIVATE void weiri_rack_timeout(const struct weir_rack *r, struct weir_board *b, weir_us now)
{
    const struct weir_sent *record;
    if (b->count == 0 || weiri_board_record(b, 0)->state == (uint8_t)WEIRI_SENT_SACKED) {
        weiri_board_lose_all(b);
        return;
    }
    weiri_board_lose_first(b);
    while ((record = weiri_board_next(b)) != NULL && rack_remaining(r, record, now) == 0) {
        weiri_board_pass(b);
    }
    while ((record = weiri_board_oldest(b)) != NULL && rack_remaining(r, record, now) == 0) {
        weiri_board_lose(b);
    }
}

WEIR_PRIVATE uint32_t weiri_rack_pto(uint32_t srtt_us, uint32_t ack_delay_us)
{
    if (srtt_us == 0) {
        return RACK_FIRST_PTO_US;
    }
    return 2 * base_min32(srtt_us, RACK_PTO_MAX_US) + base_min32(ack_delay_us, RACK_PTO_MAX_US);
}

#undef RACK_MIN_RTT_US
#undef RACK_STAMP_US
#undef RACK_PERSIST
#undef RACK_FIRST_PTO_US
#undef RACK_PTO_MAX_US
#undef RACK_RTT_MAX_US

#endif /* WEIR_WITH_RACK */
