/* hystart.c - leaving slow start when the round-trip time begins to rise, before the queue overflows: HyStart++, RFC 9406.
 *
 * Knows rounds and samples of the round-trip time. Does not know the window: whoever calls grows it by a quarter in the conservative
 * phase, and sets ssthresh when told that slow start is over.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_HYSTART

/* RFC 9406 4.3; microseconds. */
#define HYSTART_RISE_MIN 4000u
#define HYSTART_RISE_MAX 16000u
#define HYSTART_SAMPLES 8
#define HYSTART_ROUNDS 5
#define HYSTART_NONE UINT32_MAX

WEIR_PRIVATE void weiri_hystart_init(struct weir_hystart *h, weir_seq nxt)
{
    h->window_end = nxt;
    h->last_min = HYSTART_NONE;
    h->round_min = HYSTART_NONE;
    h->baseline = HYSTART_NONE;
    h->samples = 0;
    h->css_rounds = 0;
    h->phase = WEIRI_HYSTART_SLOW;
}

static void hystart_sample(struct weir_hystart *h, uint32_t rtt_us)
{
    h->round_min = base_min32(h->round_min, rtt_us);
    h->samples = (uint8_t)(h->samples + (h->samples < UINT8_MAX));
}

/* Has this round's minimum risen by an eighth of the last one's? */
static bool hystart_rises(const struct weir_hystart *h)
{
    if (h->samples < HYSTART_SAMPLES || h->last_min == HYSTART_NONE) {
        return false;
    }
    uint32_t rise = base_min32(base_max32(h->last_min / 8, HYSTART_RISE_MIN), HYSTART_RISE_MAX);
    return h->round_min >= h->last_min && h->round_min - h->last_min >= rise;
}

static void hystart_judge(struct weir_hystart *h)
{
    if (h->phase == WEIRI_HYSTART_SLOW && hystart_rises(h)) {
        h->baseline = h->round_min;
        h->phase = WEIRI_HYSTART_CONSERVATIVE;
        h->css_rounds = 0;
    } else if (h->phase == WEIRI_HYSTART_CONSERVATIVE && h->samples >= HYSTART_SAMPLES && h->round_min < h->baseline) {
        h->baseline = HYSTART_NONE; /* it was jitter */
        h->phase = WEIRI_HYSTART_SLOW;
    }
}

static void hystart_next_round(struct weir_hystart *h, weir_seq nxt)
{
    h->window_end = nxt;
    h->last_min = h->round_min;
    h->round_min = HYSTART_NONE;
    h->samples = 0;
    h->css_rounds = (uint8_t)(h->css_rounds + (h->phase == WEIRI_HYSTART_CONSERVATIVE));
}

WEIR_PRIVATE bool weiri_hystart_acked(struct weir_hystart *h, uint32_t rtt_us, weir_seq una, weir_seq nxt)
{
    if (h->phase == WEIRI_HYSTART_DONE) {
        return false;
    }
    if (rtt_us > 0) {
        hystart_sample(h, rtt_us);
        hystart_judge(h);
    }
    if (seq_leq(h->window_end, una)) {
        hystart_next_round(h, nxt);
    }
    if (h->css_rounds < HYSTART_ROUNDS) {
        return false;
    }
    h->phase = WEIRI_HYSTART_DONE;
    return true;
}

#undef HYSTART_RISE_MIN
#undef HYSTART_RISE_MAX
#undef HYSTART_SAMPLES
#undef HYSTART_ROUNDS
#undef HYSTART_NONE

#endif /* WEIR_WITH_HYSTART */
