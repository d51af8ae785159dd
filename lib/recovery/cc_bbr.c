/* cc_bbr.c - BBR: a model of the path, its bandwidth and its round-trip time, says how fast to send and how much may be in flight.
 *
 * After the description of BBR version 3 in draft-ietf-ccwg-bbr. The bandwidth is the greatest delivery rate of the last two cycles of
 * probing, the round-trip time the least of the last ten seconds. Startup doubles until the rate grows no more; Drain empties the queue
 * that made; then cycles: DOWN leaves room, CRUISE keeps to the model, REFILL fills the path, UP asks for more. ProbeRTT halves what is in
 * flight for a moment so that the least round-trip time shows. What loss says is kept as bounds: long-term (inflight_hi), found while
 * asking for more, and short-term (bw_lo, inflight_lo), found in between and forgotten at the next REFILL.
 *
 * Where this differs from the description, and why:
 * - Loss of more than 2 % in a round counts as the path's word only if the round-trip time says the same, that is, has risen by an eighth;
 *   without that from 10 % on. Loss that no queue goes with is mostly noise of the medium; a queue too short to show in the round-trip time
 *   loses a fifth of what UP sends, which is more than 10 %. The description's bounds would shrink without end on 3 % of noise.
 * - The wait between probes varies by up to a second with the sequence number reached, which starts at the keyed ISS: nothing is random.
 * - One clock of ten seconds for the least round-trip time and ProbeRTT, as version 1 had it; the old one counts until ProbeRTT has
 *   found the new, for what comes before is the length of this sender's queue.
 * - A probe that the long-term bound holds back goes on only while no queue shows. The description's goes on until it loses, and leaves
 *   CUBIC a sixth of a deep queue.
 * - Silence has no pace of its own, and ends ProbeRTT: what goes after it finds no queue of this sender's.
 * - What was sent while the peer's window or the send ring held the sender back can raise the estimate and not lower it.
 *
 * Knows samples of the delivery rate, octets in flight and lost. Does not know which octets; does not hold a segment back: pace.c does, at
 * the rate found here. Rates are octets a second in 32 bits and saturate at 34 Gbit/s; times are the low 32 bits of microseconds.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_BBR

#define BBR_NONE UINT32_MAX
#define BBR_MIN_RTT_US 10000000u  /* how long a least round-trip time is believed */
#define BBR_PROBE_RTT_US 200000u
#define BBR_PROBE_WAIT_US 2000000u
#define BBR_PROBE_ROUNDS 63u      /* as long as Reno takes to grow by its loss on a path of so many segments */
#define BBR_FULL_ROUNDS 3
#define BBR_STARTUP_LOSSES 6
#define BBR_EXTRA_ROUNDS 5
#define BBR_EXTRA_US 100000u      /* acknowledgments are not held back for longer than so */
#define BBR_SEGMENTS_MIN 4u

/* Gains in percent, by phase. */
static uint32_t bbr_pacing_gain(const struct weir_bbr *b)
{
    static const uint16_t gains[] = {277, 277, 35, 90, 100, 100, 125, 100};
    return gains[b->phase];
}

static uint32_t bbr_cwnd_gain(const struct weir_bbr *b)
{
    return b->phase == (uint8_t)WEIRI_BBR_UP ? 225 : b->phase == (uint8_t)WEIRI_BBR_PROBE_RTT ? 50 : 200;
}

static uint32_t bbr_percent(uint32_t x, uint32_t percent)
{
    return base_muldiv(x, percent, 100, 0);
}

static bool bbr_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

WEIR_PRIVATE uint32_t weiri_bbr_bandwidth(const struct weir_cc *cc)
{
    return base_min32(base_max32(cc->bbr.max_bw[0], cc->bbr.max_bw[1]), cc->bbr.bw_lo);
}

WEIR_PRIVATE uint32_t weiri_bbr_rate(const struct weir_cc *cc)
{
    return cc->bbr.rate;
}

/* What the path holds, and no more than any window. Before there is a model: all. */
static uint32_t bbr_bdp(const struct weir_cc *cc)
{
    const struct weir_bbr *b = &cc->bbr;
    uint32_t bw = weiri_bbr_bandwidth(cc);
    uint32_t bdp = base_muldiv(bw, b->min_rtt, 1000000, 0);
    return base_min32(bw == 0 || b->min_rtt == 0 ? UINT32_MAX : bdp, WEIRI_CWND_MAX);
}

static uint32_t bbr_least(const struct weiri_cc_event *e)
{
    return BBR_SEGMENTS_MIN * weiri_cc_mss(e);
}

/* The long-term bound less a seventh: others find room there. */
static uint32_t bbr_headroom(const struct weir_bbr *b, const struct weiri_cc_event *e)
{
    return b->inflight_hi == BBR_NONE ? BBR_NONE : base_max32(bbr_percent(b->inflight_hi, 85), bbr_least(e));
}

static bool bbr_probing(const struct weir_bbr *b)
{
    return b->phase == (uint8_t)WEIRI_BBR_STARTUP || b->phase == (uint8_t)WEIRI_BBR_REFILL || b->phase == (uint8_t)WEIRI_BBR_UP;
}

/* ---- rounds and samples ------------------------------------------------------------------------------------------------------------- */

static void bbr_start_round(struct weir_bbr *b, const struct weiri_cc_event *e)
{
    b->round_end = e->delivered;
    b->round_lost = 0;
    b->losses = 0;
    b->round_rtt = BBR_NONE;
    b->bw_latest = 0;
    b->inflight_latest = 0;
}

static void bbr_reset_lower(struct weir_bbr *b)
{
    b->bw_lo = BBR_NONE;
    b->inflight_lo = BBR_NONE;
}

static void bbr_begin(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    struct weir_bbr *b = &cc->bbr;
    memset(b, 0, sizeof *b);
    b->phase = (uint8_t)WEIRI_BBR_STARTUP;
    b->inflight_hi = BBR_NONE;
    b->extra_at = (uint32_t)e->now;
    bbr_reset_lower(b);
    bbr_start_round(b, e);
}

static void bbr_sample(struct weir_bbr *b, const struct weiri_cc_event *e)
{
    const struct weiri_rate_sample *s = e->rate;
    uint32_t bw = weiri_rate_of(s->delivered, s->interval);
    if (s->limited == (uint8_t)WEIRI_LIMITED_NOT || bw >= base_max32(b->max_bw[0], b->max_bw[1])) {
        b->max_bw[0] = base_max32(b->max_bw[0], bw);
    }
    b->bw_latest = base_max32(b->bw_latest, bw);
    b->inflight_latest = base_max32(b->inflight_latest, s->delivered);
    if (s->rtt_us > 0) {
        b->round_rtt = base_min32(b->round_rtt, s->rtt_us);
    }
}

/* What was in flight when the segment was sent that this acknowledgment is about: since then all of it arrived or was lost. */
static uint32_t bbr_flight_then(const struct weir_bbr *b, const struct weiri_cc_event *e)
{
    return base_min32(e->rate->delivered, WEIRI_CWND_MAX) + base_min32(b->round_lost, WEIRI_CWND_MAX);
}

/* Was all that the window allows in flight before this acknowledgment? */
static bool bbr_window_used(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    return e->inflight + base_min32(e->rate->acked, WEIRI_CWND_MAX) + weiri_cc_mss(e) >= cc->cwnd;
}

/* Does this round's round-trip time tell of a queue? */
static bool bbr_queue(const struct weir_bbr *b)
{
    return b->round_rtt != BBR_NONE && b->round_rtt > b->min_rtt && b->round_rtt - b->min_rtt > b->min_rtt / 8;
}

/* Is this round's loss the path's word that there is too much? Where the peer's window was waited for it is held against what the path
 * holds, if less was in flight: it may tell of two rounds. */
static bool bbr_congested(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    const struct weir_bbr *b = &cc->bbr;
    uint32_t flight = bbr_flight_then(b, e), waited = e->rate->limited != (uint8_t)WEIRI_LIMITED_NOT ? bbr_bdp(cc) : 0;
    return b->round_lost > (bbr_queue(b) ? flight / 50 : base_max32(flight, waited) / 10);
}

/* ---- cwnd's allowance for acknowledgments that come in bunches ---------------------------------------------------------------------- */

static void bbr_note_extra(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    uint32_t expected = base_muldiv(weiri_bbr_bandwidth(cc), (uint32_t)e->now - b->extra_at, 1000000, 0);
    if (b->extra_octets <= expected) {
        b->extra_octets = 0;
        b->extra_at = (uint32_t)e->now;
        expected = 0;
    }
    b->extra_octets = base_min32(b->extra_octets + base_min32(e->rate->acked, WEIRI_CWND_MAX), WEIRI_CWND_MAX);
    if (round && ++b->extra_rounds >= BBR_EXTRA_ROUNDS) {
        b->extra_rounds = 0;
        b->extra[1] = b->extra[0];
        b->extra[0] = 0;
    }
    uint32_t most = base_muldiv(weiri_bbr_bandwidth(cc), BBR_EXTRA_US, 1000000, 0);
    b->extra[0] = base_max32(b->extra[0], base_min32(b->extra_octets - expected, base_min32(cc->cwnd, most)));
}

/* ---- phases ------------------------------------------------------------------------------------------------------------------------- */

static void bbr_enter(struct weir_bbr *b, enum weiri_bbr_phase phase, const struct weiri_cc_event *e)
{
    b->phase = (uint8_t)phase;
    b->phase_at = (uint32_t)e->now;
}

static void bbr_enter_down(struct weir_bbr *b, const struct weiri_cc_event *e)
{
    bbr_enter(b, WEIRI_BBR_DOWN, e);
    if (b->feedback == (uint8_t)WEIRI_BBR_FEEDBACK_ON) {
        b->feedback = (uint8_t)WEIRI_BBR_FEEDBACK_ENDS;
    }
    b->rounds = 0;
    b->probe_at = (uint32_t)e->now + BBR_PROBE_WAIT_US + (e->nxt.v * 2654435761u >> 12); /* up to 1.05 s more */
    bbr_start_round(b, e);
}

static void bbr_enter_refill(struct weir_bbr *b, const struct weiri_cc_event *e)
{
    bbr_enter(b, WEIRI_BBR_REFILL, e);
    bbr_reset_lower(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    bbr_start_round(b, e);
}

static void bbr_enter_up(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    struct weir_bbr *b = &cc->bbr;
    bbr_enter(b, WEIRI_BBR_UP, e);
    b->feedback = (uint8_t)WEIRI_BBR_FEEDBACK_ON;
    b->full_bw = weiri_bbr_bandwidth(cc);
    b->full_count = 0;
    bbr_start_round(b, e);
}

/* Where it is the long-term bound that holds the rate back, and not the path, no growth tells nothing. */
static bool bbr_held_back(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    return cc->cwnd >= cc->bbr.inflight_hi && bbr_window_used(cc, e) && !bbr_queue(&cc->bbr);
}

/* A round has ended: did the rate still grow by a quarter? */
static void bbr_note_growth(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    struct weir_bbr *b = &cc->bbr;
    if (e->rate->limited == (uint8_t)WEIRI_LIMITED_APP || !bbr_probing(b)) {
        return;
    }
    bool held = b->phase == (uint8_t)WEIRI_BBR_UP && bbr_held_back(cc, e);
    if (held || (b->bw_latest > b->full_bw && b->bw_latest - b->full_bw >= b->full_bw / 4)) {
        b->full_bw = b->bw_latest;
        b->full_count = 0;
    } else {
        b->full_count = (uint8_t)(b->full_count + (b->full_count < UINT8_MAX));
    }
}

static void bbr_startup(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    if (round && b->losses >= BBR_STARTUP_LOSSES && bbr_congested(cc, e)) {
        b->inflight_hi = base_max32(bbr_bdp(cc), b->inflight_latest);
        b->full_count = BBR_FULL_ROUNDS;
    }
    if (b->full_count >= BBR_FULL_ROUNDS) {
        b->full = 1;
        bbr_enter(b, WEIRI_BBR_DRAIN, e);
    }
}

/* Is it time to ask for more again? On short paths as soon as Reno would have grown back. */
static bool bbr_probe_due(const struct weir_cc *cc, const struct weiri_cc_event *e)
{
    const struct weir_bbr *b = &cc->bbr;
    return bbr_after((uint32_t)e->now, b->probe_at) || b->rounds >= base_min32(bbr_bdp(cc) / weiri_cc_mss(e), BBR_PROBE_ROUNDS);
}

static void bbr_probe_bw(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    switch ((enum weiri_bbr_phase)b->phase) {
    case WEIRI_BBR_DOWN:
    case WEIRI_BBR_CRUISE:
        if (bbr_probe_due(cc, e)) {
            bbr_enter_refill(b, e);
        } else if (b->phase == (uint8_t)WEIRI_BBR_DOWN && e->inflight <= base_min32(bbr_headroom(b, e), bbr_bdp(cc))) {
            bbr_enter(b, WEIRI_BBR_CRUISE, e);
        }
        break;
    case WEIRI_BBR_REFILL:
        if (round) {
            bbr_enter_up(cc, e);
        }
        break;
    case WEIRI_BBR_UP:
        if (b->full_count >= BBR_FULL_ROUNDS) {
            bbr_enter_down(b, e);
        }
        break;
    default: break;
    }
}

static void bbr_update_phase(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    if (b->phase == (uint8_t)WEIRI_BBR_STARTUP) {
        bbr_startup(cc, e, round);
    } else if (b->phase == (uint8_t)WEIRI_BBR_DRAIN && e->inflight <= bbr_bdp(cc)) {
        bbr_enter_down(b, e);
    } else {
        bbr_probe_bw(cc, e, round);
    }
}

/* ---- what loss says ----------------------------------------------------------------------------------------------------------------- */

/* Down to what got through, at most by three tenths. */
static void bbr_lower(struct weir_cc *cc)
{
    struct weir_bbr *b = &cc->bbr;
    uint32_t bw = weiri_bbr_bandwidth(cc), inflight = b->inflight_lo == BBR_NONE ? cc->cwnd : b->inflight_lo;
    b->bw_lo = base_max32(b->bw_latest, bbr_percent(bw, 70));
    b->inflight_lo = base_max32(b->inflight_latest, bbr_percent(inflight, 70));
}

/* In between probes. */
static void bbr_adapt_lower(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    if (!bbr_probing(&cc->bbr) && bbr_congested(cc, e)) {
        bbr_lower(cc);
    }
}

/* UP, with the long-term bound in the way: it rises by one segment a round trip, then two, then four. */
static void bbr_raise(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    uint32_t mss = weiri_cc_mss(e), acked = base_min32(e->rate->acked, WEIRI_CWND_MAX);
    b->up_rounds = (uint8_t)(b->up_rounds + (round && b->up_rounds < 30));
    if (!bbr_window_used(cc, e)) {
        return;
    }
    uint32_t step = base_max32(cc->cwnd >> b->up_rounds, mss);
    b->up_acked = base_min32(b->up_acked + acked, WEIRI_CWND_MAX);
    uint32_t times = base_min32(b->up_acked / step, WEIRI_CWND_MAX / mss);
    b->up_acked -= times * step;
    b->inflight_hi = base_min32(b->inflight_hi + times * mss, WEIRI_CWND_MAX);
}

/* What probing finds comes back a round later: what was asked for still counts then. */
static void bbr_adapt_upper(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    if (b->feedback == (uint8_t)WEIRI_BBR_FEEDBACK_OFF || b->feedback == (uint8_t)WEIRI_BBR_FEEDBACK_HEARD) {
        return;
    }
    if (bbr_congested(cc, e)) {
        uint32_t target = base_min32(bbr_bdp(cc), cc->cwnd);
        b->inflight_hi = base_min32(base_max32(bbr_flight_then(b, e), bbr_percent(target, 70)), WEIRI_CWND_MAX);
        b->feedback = (uint8_t)WEIRI_BBR_FEEDBACK_HEARD;
        if (b->phase == (uint8_t)WEIRI_BBR_UP) {
            bbr_enter_down(b, e);
        }
    } else if (b->inflight_hi != BBR_NONE) {
        b->inflight_hi = base_min32(base_max32(b->inflight_hi, bbr_flight_then(b, e)), WEIRI_CWND_MAX);
        if (b->phase == (uint8_t)WEIRI_BBR_UP) {
            bbr_raise(cc, e, round);
        }
    }
}

/* The round after a probe is over: its bandwidth stands beside that of the probe before. */
static void bbr_end_feedback(struct weir_bbr *b)
{
    if (b->feedback >= (uint8_t)WEIRI_BBR_FEEDBACK_ENDS) {
        b->feedback = (uint8_t)WEIRI_BBR_FEEDBACK_OFF;
        if (b->max_bw[0] > 0) {
            b->max_bw[1] = b->max_bw[0];
            b->max_bw[0] = 0;
        }
    }
}

/* ---- the least round-trip time ------------------------------------------------------------------------------------------------------ */

/* Is the least round-trip time too old to be believed? */
static bool bbr_expired(const struct weir_bbr *b, const struct weiri_cc_event *e)
{
    return b->min_rtt > 0 && (uint32_t)e->now - b->min_rtt_at > BBR_MIN_RTT_US;
}

/* What the last round found takes the place of what was too old, unless something shorter already has. */
static void bbr_leave_probe_rtt(struct weir_bbr *b, const struct weiri_cc_event *e)
{
    b->min_rtt = bbr_expired(b, e) && b->round_rtt != BBR_NONE ? b->round_rtt : b->min_rtt;
    b->min_rtt_at = (uint32_t)e->now;
    if (b->full) {
        bbr_reset_lower(b);
        bbr_enter_down(b, e);
        bbr_enter(b, WEIRI_BBR_CRUISE, e);
    } else {
        bbr_enter(b, WEIRI_BBR_STARTUP, e);
    }
}

/* Was what this tells of sent when nothing was in flight? Then it found no queue of ours: the path need not be emptied to be measured. */
static bool bbr_after_silence(const struct weiri_cc_event *e)
{
    return e->rate->first_at == e->rate->delivered_at;
}

/* For 200 ms and a round, from when no more is in flight than half of what the path holds, by the round-trip time that was: the one that is
 * has this sender's queue in it. */
static void bbr_probe_rtt(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    if (bbr_after_silence(e)) {
        bbr_leave_probe_rtt(b, e);
    } else if (b->rounds == 0) {
        if (e->inflight <= base_max32(bbr_percent(bbr_bdp(cc), 50), bbr_least(e))) {
            b->probe_at = (uint32_t)e->now + BBR_PROBE_RTT_US;
            b->rounds = 1;
            bbr_start_round(b, e);
        }
    } else {
        b->rounds = round ? 2 : b->rounds;
        if (b->rounds == 2 && bbr_after((uint32_t)e->now, b->probe_at)) {
            bbr_leave_probe_rtt(b, e);
        }
    }
}

static void bbr_update_min_rtt(struct weir_cc *cc, const struct weiri_cc_event *e, bool round)
{
    struct weir_bbr *b = &cc->bbr;
    uint32_t rtt = e->rate->rtt_us;
    bool expired = bbr_expired(b, e), silence = bbr_after_silence(e);
    /* As short again is no news: so all flows of a path come to probe, and those that meet there see the path without a queue. */
    if (rtt > 0 && (b->min_rtt == 0 || rtt < b->min_rtt || (expired && silence))) {
        b->min_rtt = rtt;
        b->min_rtt_at = (uint32_t)e->now;
    }
    if (b->phase == (uint8_t)WEIRI_BBR_PROBE_RTT) {
        bbr_probe_rtt(cc, e, round);
    } else if (expired && !silence) {
        bbr_enter(b, WEIRI_BBR_PROBE_RTT, e);
        b->feedback = (uint8_t)WEIRI_BBR_FEEDBACK_OFF;
        b->rounds = 0;
    }
}

/* ---- what follows ------------------------------------------------------------------------------------------------------------------- */

/* A hundredth less than the model says, so that a queue in the path empties. Startup never slows down. */
static void bbr_set_rate(struct weir_cc *cc)
{
    struct weir_bbr *b = &cc->bbr;
    uint32_t rate = base_muldiv(weiri_bbr_bandwidth(cc), bbr_pacing_gain(b) * 99, 10000, 0);
    if (b->full || rate > b->rate) {
        b->rate = rate;
    }
}

static uint32_t bbr_cap(const struct weir_bbr *b, const struct weiri_cc_event *e)
{
    bool room = b->phase == (uint8_t)WEIRI_BBR_CRUISE || b->phase == (uint8_t)WEIRI_BBR_PROBE_RTT;
    uint32_t cap = room ? bbr_headroom(b, e) : b->phase > (uint8_t)WEIRI_BBR_DRAIN ? b->inflight_hi : BBR_NONE;
    return base_max32(base_min32(cap, b->inflight_lo), bbr_least(e));
}

/* Two segments more than the model's window: an acknowledgment may wait for a second one. */
static void bbr_set_cwnd(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    const struct weir_bbr *b = &cc->bbr;
    uint32_t acked = base_min32(e->rate->acked, WEIRI_CWND_MAX);
    uint32_t most = base_max32(bbr_percent(bbr_bdp(cc), bbr_cwnd_gain(b)), bbr_least(e));
    if (b->phase != (uint8_t)WEIRI_BBR_PROBE_RTT) {
        most = base_min32(most, WEIRI_CWND_MAX) + base_max32(b->extra[0], b->extra[1]) + 2 * weiri_cc_mss(e);
    }
    if (b->full || b->phase == (uint8_t)WEIRI_BBR_PROBE_RTT) {
        cc->cwnd = base_min32(cc->cwnd + acked, most);
    } else if (cc->cwnd < most) {
        cc->cwnd += acked;
    }
    cc->cwnd = base_max32(base_min32(base_min32(cc->cwnd, bbr_cap(b, e)), WEIRI_CWND_MAX), e->timeout ? weiri_cc_mss(e) : bbr_least(e));
}

WEIR_PRIVATE void weiri_bbr_model(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    struct weir_bbr *b = &cc->bbr;
    if (b->phase == (uint8_t)WEIRI_BBR_UNSET) {
        bbr_begin(cc, e);
    }
    b->round_lost = base_min32(b->round_lost, WEIRI_CWND_MAX) + base_min32(e->lost, WEIRI_CWND_MAX);
    b->losses = (uint8_t)(b->losses + (e->lost > 0 && b->losses < UINT8_MAX));
    if (!e->rate->any) {
        return;
    }
    bool round = !bbr_after(b->round_end, e->rate->prior);
    bbr_sample(b, e);
    if (round) {
        b->rounds = (uint8_t)(b->rounds + (b->rounds < UINT8_MAX && b->phase != (uint8_t)WEIRI_BBR_PROBE_RTT));
        bbr_note_growth(cc, e);
        bbr_adapt_lower(cc, e);
        bbr_end_feedback(b);
    }
    if (b->full) {
        bbr_note_extra(cc, e, round);
    }
    bbr_adapt_upper(cc, e, round);
    bbr_update_phase(cc, e, round);
    bbr_update_min_rtt(cc, e, round);
    if (round) {
        bbr_start_round(b, e);
    }
    bbr_set_rate(cc);
    bbr_set_cwnd(cc, e);
}

/* RFC 3168 asks for the answer to a loss: the short-term bounds fall whatever the phase, and Startup or a probe is over.
 * One segment is always left (6.1.2): from a window of nothing no acknowledgment would lead back. */
WEIR_PRIVATE void weiri_bbr_marked(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    if (cc->bbr.phase != (uint8_t)WEIRI_BBR_UNSET) {
        bbr_lower(cc);
        cc->bbr.full_count = BBR_FULL_ROUNDS;
        cc->cwnd = base_max32(base_min32(cc->cwnd, cc->bbr.inflight_lo), weiri_cc_mss(e));
    }
}

/* A timeout: what the path holds is not known to be there any more; the model stays, and the window grows back to it by what arrives. */
WEIR_PRIVATE void weiri_bbr_timeout(struct weir_cc *cc, const struct weiri_cc_event *e)
{
    cc->cwnd = weiri_cc_mss(e);
}

/* It was not needed: what loss has said since is forgotten, the model is not. */
WEIR_PRIVATE void weiri_bbr_undo(struct weir_cc *cc, const struct weir_cc *before)
{
    struct weir_bbr *b = &cc->bbr;
    cc->cwnd = base_max32(cc->cwnd, before->cwnd);
    b->bw_lo = base_max32(b->bw_lo, before->bbr.bw_lo);
    b->inflight_lo = base_max32(b->inflight_lo, before->bbr.inflight_lo);
    b->inflight_hi = base_max32(b->inflight_hi, before->bbr.inflight_hi);
}

#undef BBR_NONE
#undef BBR_MIN_RTT_US
#undef BBR_PROBE_RTT_US
#undef BBR_PROBE_WAIT_US
#undef BBR_PROBE_ROUNDS
#undef BBR_FULL_ROUNDS
#undef BBR_STARTUP_LOSSES
#undef BBR_EXTRA_ROUNDS
#undef BBR_EXTRA_US
#undef BBR_SEGMENTS_MIN

#endif /* WEIR_WITH_BBR */
