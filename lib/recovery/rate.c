/* rate.c - how fast octets are delivered: a sample of the delivery rate with each acknowledgment.
 *
 * Each transmission takes along how much had been delivered when it went, and when (struct weir_mark); its acknowledgment then tells how
 * much has been delivered since, and in what time. The time is the longer of that in which as much was sent and that in which it was
 * acknowledged: acknowledgments that come in a bunch would otherwise tell of a rate that no path has. The method is that of
 * draft-ietf-ccwg-bbr, 4.1. Knows records of the scoreboard and time; does not know the window, nor who uses the rate.
 *
 * Times are 32 bits of microseconds: a record older than 71 minutes tells a wrong rate once. Nothing is divided by but the interval.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_RATE

WEIR_PRIVATE void weiri_rate_sending(struct weir_board *b, bool idle, weir_us now)
{
    if (idle) { /* silence is no part of any rate */
        b->mark.first_at = (uint32_t)now;
        b->mark.delivered_at = (uint32_t)now;
    }
}

/* The newest tells: it was sent last, and of one microsecond has the highest numbers. Of one acknowledgment parts come in any order. */
static bool rate_newer(const struct weiri_rate_sample *s, const struct weir_sent *part)
{
    return !s->any || (int32_t)(part->sent_at - s->sent_at) >= 0;
}

WEIR_PRIVATE void weiri_rate_delivered(struct weir_board *b, struct weiri_rate_sample *s, const struct weir_sent *part, weir_us now)
{
    uint32_t len = seq_diff(part->from, part->to);
    if (rate_newer(s, part)) {
        s->prior = part->mark.delivered;
        s->sent_at = part->sent_at;
        s->first_at = part->mark.first_at;
        s->delivered_at = part->mark.delivered_at;
        s->rtt_us = part->tries > 1 ? 0 : base_max32((uint32_t)now - part->sent_at, 1);
        s->limited = part->limited;
        s->any = true;
    }
    s->acked += len;
    b->mark.delivered += len;
    b->mark.delivered_at = (uint32_t)now;
}

WEIR_PRIVATE void weiri_rate_expire(const struct weir_rate *r, struct weir_board *b)
{
    if (b->limited != (uint8_t)WEIRI_LIMITED_NOT && (int32_t)(b->mark.delivered - r->until) > 0) {
        b->limited = (uint8_t)WEIRI_LIMITED_NOT;
    }
}

WEIR_PRIVATE void weiri_rate_finish(struct weir_rate *r, struct weir_board *b, struct weiri_rate_sample *s, uint32_t min_rtt_us)
{
    weiri_rate_expire(r, b);
    if (!s->any) {
        return;
    }
    b->mark.first_at = s->sent_at;
    s->delivered = b->mark.delivered - s->prior;
    s->interval = base_max32(s->sent_at - s->first_at, b->mark.delivered_at - s->delivered_at);
    if (s->interval < base_max32(min_rtt_us, 1)) {
        s->interval = 0;
        return;
    }
    r->delivered = s->delivered;
    r->interval = s->interval;
    r->limited = s->limited;
}

WEIR_PRIVATE void weiri_rate_limit(struct weir_rate *r, struct weir_board *b, enum weiri_limited why)
{
    b->limited = (uint8_t)why;
    r->until = b->mark.delivered + weiri_board_pipe(b);
}

WEIR_PRIVATE uint32_t weiri_rate_of(uint32_t delivered, uint32_t interval_us)
{
    return interval_us > 0 ? base_muldiv(delivered, 1000000, interval_us, 0) : 0;
}

#endif /* WEIR_WITH_RATE */
