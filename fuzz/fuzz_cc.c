/* fuzz_cc.c - the numbers of congestion control and of the retransmission timer: all algorithms, any events in any order, any values.
 *
 * Input: an octet that names the algorithm, then events. Checks: a window is never nothing nor above 2^30; an acknowledgment adds no more
 * than it covers and takes nothing away (RFC 5681 3.1); a timeout leaves one segment at most; a loss and a mark never widen a window of
 * more than two segments; ssthresh is two segments at least; the RTO stays inside its bounds, doubles upward only, and the least sample is
 * remembered. No sum overflows: UBSan sees to that. */
#include "fuzz.h"

struct cc_world {
    struct weir_cc cc;
    struct weir_rtt rtt;
    enum weir_cc_kind kind;
    struct weiri_rto_bounds bounds;
    struct weiri_cc_event e;
    struct weiri_rate_sample sample;
    struct fuzz_bytes in;
    uint32_t least;
};

/* All sizes: small ones, large ones, and what lies at the ends. */
static uint32_t cc_number(struct cc_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    uint32_t n = (uint32_t)fuzz_u8(&w->in) << (how & 31);
    return how & 32 ? n - 1 : how & 64 ? n + fuzz_u8(&w->in) : n;
}

static void cc_event(struct cc_world *w)
{
    struct weiri_cc_event *e = &w->e;
    unsigned how = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    e->hystart = (how & 1) != 0;
    e->abc = (how & 2) != 0;
    e->limited = (how & 4) != 0;
    e->abe = (how & 8) != 0;
    e->repeated = (how & 16) != 0;
    e->timeout = (how & 32) != 0;
    e->now += more & 1 ? cc_number(w) : (weir_us)fuzz_u8(&w->in) * 1000;
    e->acked = (more & 2 ? cc_number(w) : e->mss) & 0x3fffffff;
    e->flight = (more & 4 ? cc_number(w) : w->cc.cwnd) & 0x3fffffff;
    e->sample_us = more & 8 ? cc_number(w) : 20000;
    e->rtt_us = w->rtt.srtt8 / 8;
    e->una = seq_add(e->una, e->acked);
    e->nxt = seq_add(e->una, e->flight);
    e->inflight = e->flight;
    e->lost = how & 64 ? e->mss : 0;
    e->delivered += e->acked;
    w->sample.any = e->acked > 0;
    w->sample.acked = e->acked;
    w->sample.delivered = more & 16 ? cc_number(w) : e->acked;
    w->sample.interval = more & 32 ? cc_number(w) : 20000;
    w->sample.prior = e->delivered - w->sample.delivered;
    w->sample.rtt_us = e->sample_us;
    w->sample.limited = (uint8_t)(how % 3);
    e->rate = &w->sample;
}

static void cc_acked(struct cc_world *w)
{
    uint32_t before = w->cc.cwnd;
    cc_event(w);
    weiri_cc_acked(&w->cc, w->kind, &w->e);
    FUZZ_CHECK(w->cc.cwnd >= before, "an acknowledgment made the window smaller");
    bool as_reno = w->kind == WEIR_CC_CUBIC && w->cc.cwnd == w->cc.cubic.w_est; /* RFC 9438 4.3: at once as far as Reno would be */
    FUZZ_CHECK(as_reno || w->cc.cwnd - before <= w->e.acked + w->e.mss, "an acknowledgment added more than it covers");
    weiri_cc_model(&w->cc, w->kind, &w->e);
}

static void cc_reduced(struct cc_world *w, bool marked)
{
    uint32_t before = w->cc.cwnd;
    cc_event(w);
    if (marked) {
        weiri_cc_marked(&w->cc, w->kind, &w->e);
    } else {
        weiri_cc_loss(&w->cc, w->kind, &w->e);
    }
    uint32_t least = 2 * w->e.mss, most = before > least ? before : least;
    FUZZ_CHECK(w->cc.cwnd <= most || w->e.flight > before, "congestion made the window wider");
    FUZZ_CHECK(weiri_cc_has_model(w->kind) || w->cc.ssthresh >= (marked ? w->e.mss : least), "ssthresh is less than RFC 5681 (4) allows");
}

static void cc_timeout(struct cc_world *w)
{
    cc_event(w);
    weiri_cc_timeout(&w->cc, w->kind, &w->e);
    FUZZ_CHECK(weiri_cc_has_model(w->kind) || w->cc.cwnd <= w->e.mss, "more than one segment after a timeout");
}

static void cc_sample(struct cc_world *w)
{
    uint32_t sample = cc_number(w);
    weiri_rtt_sample(&w->rtt, sample, &w->bounds);
    w->least = sample < w->least ? sample : w->least;
    FUZZ_CHECK(w->rtt.rto >= w->bounds.min && w->rtt.rto <= w->bounds.max, "an RTO outside of its bounds");
    FUZZ_CHECK(w->rtt.min <= sample || sample == 0, "the least sample is not the least");
    for (unsigned backoff = 0; backoff < 40; backoff++) {
        uint32_t rto = weiri_rtt_rto(&w->rtt, backoff, &w->bounds);
        FUZZ_CHECK(rto <= w->bounds.max && rto >= w->rtt.rto, "a timeout that was doubled is outside of its bounds");
        FUZZ_CHECK(weiri_rtt_rto(&w->rtt, backoff + 1, &w->bounds) >= rto, "a timeout became shorter");
    }
}

static void cc_step(struct cc_world *w)
{
    unsigned op = fuzz_u8(&w->in);
    switch (op & 7) {
    case 0: case 1: cc_acked(w); break;
    case 2: cc_reduced(w, false); break;
    case 3: cc_reduced(w, true); break;
    case 4: cc_timeout(w); break;
    case 5: cc_event(w); weiri_cc_recovered(&w->cc, w->kind, &w->e); break;
    case 6: cc_sample(w); break;
    default:
        if (op & 8) {
            weiri_cc_idle(&w->cc, weiri_cc_initial_window(w->e.mss, (op & 16) != 0));
        } else {
            uint32_t mss = w->e.mss > 128 && (op & 16) ? w->e.mss / 2 : w->e.mss;
            weiri_cc_new_mss(&w->cc, w->e.mss, mss);
            w->e.mss = mss;
        }
        break;
    }
    FUZZ_CHECK(w->cc.cwnd > 0 && w->cc.cwnd <= WEIRI_CWND_MAX, "a window of nothing, or above 2^30");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t sizes[4] = {1460, 536, 88, 65495};
    struct cc_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    unsigned how = fuzz_u8(&w.in);
    w.kind = (enum weir_cc_kind)(how % WEIR_CC_COUNT);
    w.e.mss = sizes[how >> 2 & 3];
    w.e.now = how & 16 ? UINT32_MAX - 1000 : 1000000;
    w.e.una = seq_of(how & 32 ? 0xfffff000u : 1);
    w.least = UINT32_MAX;
    w.bounds.initial = 1000000;
    w.bounds.min = how & 64 ? 1000 : 1000000;
    w.bounds.max = 60000000;
    w.bounds.granularity = 1000;
    weiri_rtt_init(&w.rtt, &w.bounds);
    weiri_cc_init(&w.cc, weiri_cc_initial_window(w.e.mss, (how & 128) != 0), w.e.una);
    for (unsigned i = 0; i < 400 && w.in.left > 0; i++) {
        fuzz_event(&w.in);
        cc_step(&w);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x00\x00\x0a"), FUZZ_PHRASE("\x00\x05\x00\x14"), FUZZ_PHRASE("\x00\x04\x02\x14\x0b\x40"), FUZZ_PHRASE("\x00\x04\x01\x14\xff"),
    FUZZ_PHRASE("\x00\x04\x38\x0a\x0a\x10\x08\x08\x10\x20"), FUZZ_PHRASE("\x02\x04\x00\x01"), FUZZ_PHRASE("\x02\x0c\x04\x01\x10\x20"),
    FUZZ_PHRASE("\x03\x08\x00\x01"), FUZZ_PHRASE("\x04\x00\x00\x10"), FUZZ_PHRASE("\x04\x10\x00\x10"), FUZZ_PHRASE("\x05\x00\x00\x10"),
    FUZZ_PHRASE("\x06\x0a\x20"), FUZZ_PHRASE("\x06\x1f\x01"), FUZZ_PHRASE("\x06\x3f\x00"), FUZZ_PHRASE("\x07"), FUZZ_PHRASE("\x0f"), FUZZ_PHRASE("\x17"),
};
#include "mutate.h"
#endif
