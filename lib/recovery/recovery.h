/* recovery.h - when to send again and how much. Small structs in, numbers out; knows no connection. */
#ifndef WEIRI_RECOVERY_H
#define WEIRI_RECOVERY_H

#include "wire/seq.h"

/* Short ways for segments that open or close a connection to which nothing has happened; the same effect without. */
#define WEIRI_WITH_CALM                                                                                                  \
    (WEIR_WITH_PREDICTION && WEIR_WITH_RACK && WEIR_WITH_RATE && WEIR_WITH_UNDO && WEIR_WITH_CWV && WEIR_WITH_PACING &&     \
     WEIR_WITH_TIMESTAMPS && WEIR_WITH_WINDOW_SCALE)

/* ---- rtt.c: RFC 6298 ---- */

struct weiri_rto_bounds {
    uint32_t initial, min, max, granularity; /* microseconds */
};
WEIR_PRIVATE void weiri_rtt_init(struct weir_rtt *r, const struct weiri_rto_bounds *bounds);
/* Rules 2.2 and 2.3; Karn's rule is the caller's: no sample from a segment sent twice. */
WEIR_PRIVATE void weiri_rtt_sample(struct weir_rtt *r, uint32_t sample_us, const struct weiri_rto_bounds *bounds);
/* The first sample after a spurious timeout begins anew, but no less patient than before it, and by two ticks more (RFC 4015 3.1 steps 0
 * and 11). */
WEIR_PRIVATE void weiri_rtt_adapt(struct weir_rtt *r, const struct weir_rtt *before, uint32_t sample_us,
                                  const struct weiri_rto_bounds *bounds);
/* Rule 5.5: the timeout after `backoff` doublings, never above bounds->max. */
WEIR_PRIVATE uint32_t weiri_rtt_rto(const struct weir_rtt *r, unsigned backoff, const struct weiri_rto_bounds *bounds);

#if WEIR_WITH_LARGE_BOARD
/* ---- bits.c: a set of numbers below `bound`, at most 2^20; `set` has weiri_bits_words(bound) words, 0 at first ---- */

#define WEIRI_BITS_NONE UINT32_MAX
WEIR_PRIVATE uint32_t weiri_bits_words(uint32_t bound);
/* All of them. */
WEIR_PRIVATE void weiri_bits_fill(uint32_t *set, uint32_t bound);
WEIR_PRIVATE void weiri_bits_put(uint32_t *set, uint32_t bound, uint32_t i);
WEIR_PRIVATE void weiri_bits_take(uint32_t *set, uint32_t bound, uint32_t i);
/* The least that is `i` or more. */
WEIR_PRIVATE uint32_t weiri_bits_next(const uint32_t *set, uint32_t bound, uint32_t i);
#endif

/* ---- sack.c: the scoreboard. RFC 2018 5, RFC 6675 ---- */

enum weiri_sent_state {
    WEIRI_SENT_FLYING, /* sent once, nothing known */
    WEIRI_SENT_SACKED, /* the peer holds it */
    WEIRI_SENT_LOST,   /* taken for lost, to be sent again */
    WEIRI_SENT_RESENT  /* sent again, nothing known */
};

/* Records are contiguous and in order: each begins where the one before ended; together they are [SND.UNA, SND.NXT). One stands for one
 * segment as it was sent, as long as there is memory. SYN and FIN count as an octet each (SYN is not kept here). */
struct weir_sent {
    weir_seq from, to;
    uint32_t sent_at;      /* low 32 bits of the time of the last transmission, microseconds */
    uint8_t state;         /* enum weiri_sent_state */
    uint8_t tries;         /* transmissions, saturating: Karn's rule asks for 1 */
    uint8_t limited;       /* enum weiri_limited: what held the sender back then */
    uint8_t reserved;      /* 0 */
#if WEIR_WITH_LARGE_BOARD
    uint16_t older, newer; /* places of its neighbours in order of transmission; what is SACKED has none */
#endif
#if WEIR_WITH_RATE
    struct weir_mark mark; /* with sent_at: of the same transmission */
#endif
};

struct weiri_acked {
    uint32_t octets;   /* that left the board */
    uint32_t sacked;   /* of them, known to be received before */
    bool sampled;      /* rtt_us is a sample Karn's rule allows: from the newest record fully acknowledged that was not SACKED
                          before (its time would count the repair of holes below it); none where this acknowledgment is the
                          first word of octets sent twice, since it may answer those */
    uint32_t rtt_us;
};

/* The memory of a board with room for `cap` records, counted in records: two sets of bits go with them. */
#if WEIR_WITH_LARGE_BOARD
#define WEIRI_BOARD_MEMORY(cap) ((cap) + (cap) / 64u + 2u)
#else
#define WEIRI_BOARD_MEMORY(cap) (cap)
#endif
WEIR_PRIVATE void weiri_board_init(struct weir_board *b, struct weir_sent *memory, uint16_t cap);
/* Appends [from, to) as sent now. When full: like neighbours are joined (the later time stays) until there is room; where that has been
 * done too often, or is of no use, the last record grows if it is FLYING. False: no room, send nothing now. Pushes and SACK blocks leave
 * two records free (one where cap < 8, none where cap < 4): retransmission splits records too and must not fail. */
WEIR_PRIVATE bool weiri_board_push(struct weir_board *b, weir_block run, weir_us now);
#if WEIR_WITH_LARGE_BOARD
/* Its usual case: `count` records of `size` octets each, or as many as need no joining. How many octets they are. */
WEIR_PRIVATE uint32_t weiri_board_push_many(struct weir_board *b, weir_seq from, uint32_t size, uint32_t count, weir_us now);
#endif
/* Would a push succeed? */
WEIR_PRIVATE bool weiri_board_has_room(const struct weir_board *b);
/* The cumulative acknowledgment: everything before `ack` leaves. Time to subtract from is now. An `ack` outside [una, nxt]
 * changes nothing. */
WEIR_PRIVATE struct weiri_acked weiri_board_ack(struct weir_board *b, weir_seq ack, weir_us now);
#if WEIR_WITH_LARGE_BOARD
/* Its usual case: where nothing is SACKED, LOST or RESENT, the records that `ack` covers whole leave. How many octets they are; if any, the
 * first and the last of these records, which can be read until the next push. */
WEIR_PRIVATE uint32_t weiri_board_leave(struct weir_board *b, weir_seq ack, const struct weir_sent **first, const struct weir_sent **last);
#if WEIRI_WITH_CALM
/* The same where there is one record, and all of it is covered. */
WEIR_PRIVATE const struct weir_sent *weiri_board_leave_only(struct weir_board *b);
#endif
#endif
/* One SACK block; only una < from < to =< nxt is believed, anything else changes nothing (RFC 2018, CVE grid V12: una is the
 * first record's from, nxt the last one's to). Returns octets newly known to be received. Splits records; where the board is
 * full even after joining, or blocks have split more than pushes pay for, the part that would need a split is left as it was: less is
 * known, nothing is wrong. */
WEIR_PRIVATE uint32_t weiri_board_sack(struct weir_board *b, weir_block block);
/* RFC 6675 IsLost: FLYING records with at least 3 separate SACKed runs above, or more than 2 * mss SACKed octets above,
 * become LOST. Returns octets newly lost. */
WEIR_PRIVATE uint32_t weiri_board_detect(struct weir_board *b, uint32_t mss);
/* At once after weiri_board_detect, RFC 6675 NextSeg: by rule 3 the lowest FLYING record becomes LOST if octets above it are SACKED; else,
 * where a `rescue` is allowed, by rule 4 the last `mss` octets, if they are FLYING. Returns octets newly lost. */
#if WEIR_WITH_LAST_RESORT
WEIR_PRIVATE uint32_t weiri_board_guess(struct weir_board *b, uint32_t mss, bool rescue);
#endif
/* RFC 6582: of the first `mss` octets, as far as the first SACKED one, those FLYING or RESENT become LOST (partial or third
 * duplicate ACK). Returns octets newly lost. */
WEIR_PRIVATE uint32_t weiri_board_lose_head(struct weir_board *b, uint32_t mss);
/* A retransmission timeout: all but SACKED becomes LOST. If even the head was SACKED the peer reneged: all becomes LOST
 * (RFC 2018 5.1, 8). */
WEIR_PRIVATE void weiri_board_lose_all(struct weir_board *b);
/* The first LOST run, over as many records as it has, at most `max` octets of it; false if none. It ends where a record ends, if that
 * leaves it three quarters of what it may be: a retransmission that is cut otherwise splits one record after another. */
WEIR_PRIVATE bool weiri_board_next_lost(const struct weir_board *b, uint32_t max, weir_block *run);
/* The run has been sent again now: RESENT, tries + 1; what is SACKED stays so. A run that no record covers changes nothing. On
 * a board without room for a split whole records count as sent again: pipe errs upwards, and next_lost never repeats itself. */
WEIR_PRIVATE void weiri_board_resent(struct weir_board *b, weir_block run, weir_us now);
/* RFC 6675 pipe: octets sent, neither SACKED nor LOST. */
WEIR_PRIVATE uint32_t weiri_board_pipe(const struct weir_board *b);
/* The next record with octets in `run` that are not SACKED, cut to the run; false: none. *i is 0 at first, then left alone. */
WEIR_PRIVATE bool weiri_board_walk(const struct weir_board *b, weir_block run, uint32_t *i, struct weir_sent *part);
/* Record i of b->count, in order of sequence. */
WEIR_PRIVATE const struct weir_sent *weiri_board_record(const struct weir_board *b, uint32_t i);
#if WEIR_WITH_LARGE_BOARD
/* What is not SACKED, in order of its last transmission, with a mark in it that only moves on: `next` is the first record behind the
 * mark, NULL at the end; `pass` moves the mark behind it. Before the mark, of what is neither SACKED nor LOST: `oldest` and `newest`, NULL
 * if there is none; `lose` makes the oldest LOST. */
WEIR_PRIVATE const struct weir_sent *weiri_board_next(const struct weir_board *b);
WEIR_PRIVATE void weiri_board_pass(struct weir_board *b);
WEIR_PRIVATE const struct weir_sent *weiri_board_oldest(struct weir_board *b);
WEIR_PRIVATE const struct weir_sent *weiri_board_newest(struct weir_board *b);
WEIR_PRIVATE void weiri_board_lose(struct weir_board *b);
/* The first record in order of sequence becomes LOST, unless it is SACKED. */
WEIR_PRIVATE void weiri_board_lose_first(struct weir_board *b);
#endif
/* Nothing is LOST after all: what was becomes what it was before. */
WEIR_PRIVATE void weiri_board_unlose(struct weir_board *b);
/* Moves to larger storage. */
WEIR_PRIVATE void weiri_board_move(struct weir_board *b, struct weir_sent *memory, uint16_t cap);
/* NULL, or the invariant that is broken; [una, nxt) is what the records must cover. */
WEIR_PRIVATE const char *weiri_board_check(const struct weir_board *b, weir_seq una, weir_seq nxt);

/* What goes again takes whole records, and a part of one only where it would else be short by more than a quarter. False: no more. */
static inline bool recovery_join(uint32_t *len, uint32_t more, uint32_t max)
{
    bool whole = more <= max - *len;
    uint32_t cut = *len < max - max / 4 ? max : *len;
    *len = whole ? *len + more : cut;
    return whole;
}

/* The record goes, or goes again, now. */
static inline void recovery_stamp(const struct weir_board *b, struct weir_sent *r, weir_us now)
{
    r->sent_at = (uint32_t)now;
#if WEIR_WITH_RATE
    r->limited = b->limited;
    r->mark = b->mark;
#else
    (void)b;
#endif
}

/* ---- cc.c and cc_<name>.c: how much may be in flight. RFC 5681 ---- */

struct weiri_rate_sample;
struct weiri_cc_event {
    uint32_t acked;    /* octets newly acknowledged, cumulatively or by SACK */
    uint32_t flight;   /* octets outstanding before the event (FlightSize); recovered: after it (RFC 6582 3.2 step 3) */
    uint32_t mss;
    uint32_t text;     /* of it, beside the options that all segments carry */
    uint32_t rtt_us;   /* smoothed; 0: none yet */
    weir_us now;
    uint32_t sample_us; /* a round-trip time that this acknowledgment measured; 0: none */
    weir_seq una, nxt; /* after it */
    bool hystart;      /* RFC 9406 in slow start */
    bool abc;          /* RFC 3465 in slow start */
    bool paced;        /* what slow start adds leaves in no burst */
    bool limited;      /* cwnd was what held the sender back: only then may it grow (RFC 7661) */
    bool abe;          /* RFC 8511 */
    bool halve_cwnd;   /* of config: NewReno halves weiri_cc_used, not FlightSize */
    bool repeated;     /* a timeout of the same segment again: ssthresh stays (RFC 5681 3.1) */
    /* With weiri_cc_model only: */
    const struct weiri_rate_sample *rate;
    uint32_t inflight, lost, delivered; /* octets in flight after it; newly lost; the count of those delivered */
    bool timeout;      /* a timeout is being recovered from */
};
/* The window at the start: RFC 6928 with iw10, else RFC 5681 3.1; one segment if the SYN had to be sent again. */
WEIR_PRIVATE uint32_t weiri_cc_initial_window(uint32_t mss, bool iw10);
WEIR_PRIVATE void weiri_cc_init(struct weir_cc *cc, uint32_t window, weir_seq nxt);
/* An acknowledgment of new data outside recovery. */
WEIR_PRIVATE void weiri_cc_acked(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
#if WEIRI_WITH_CALM
/* The same where cwnd was not the limit. */
WEIR_PRIVATE void weiri_cc_unused(struct weir_cc *cc, enum weir_cc_kind kind, weir_us now);
#endif
/* Loss found by duplicate acknowledgments or SACK: recovery begins; cwnd = ssthresh, what is in flight being counted by pipe. */
WEIR_PRIVATE void weiri_cc_loss(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
/* The peer echoes a mark (RFC 3168 6.1.2): as a loss, but nothing goes again, and down to one segment. */
WEIR_PRIVATE void weiri_cc_marked(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
/* Recovery ended by a full acknowledgment. */
WEIR_PRIVATE void weiri_cc_recovered(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
/* A retransmission timeout. */
WEIR_PRIVATE void weiri_cc_timeout(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
/* Every acknowledgment, in recovery too, when losses have been looked for: for algorithms that keep a model of the path. */
WEIR_PRIVATE void weiri_cc_model(struct weir_cc *cc, enum weir_cc_kind kind, const struct weiri_cc_event *e);
/* Does it set the window in recovery by itself? Then neither PRR nor ssthresh does. */
WEIR_PRIVATE bool weiri_cc_has_model(enum weir_cc_kind kind);
/* Sending again after more than an RTO of silence: restart window (RFC 5681 4.1). */
WEIR_PRIVATE void weiri_cc_idle(struct weir_cc *cc, uint32_t initial_window);
/* The path MTU took the MSS from `before` to `after` (RFC 5681 3.1). */
WEIR_PRIVATE void weiri_cc_new_mss(struct weir_cc *cc, uint32_t before, uint32_t after);

enum {
    WEIRI_CWND_MAX = 1 << 30,          /* no window is larger (RFC 7323 2.3) */
    WEIRI_SSTHRESH_UNSET = 0x7fffffff  /* no loss yet: "arbitrarily high" (RFC 5681 3.1) */
};
/* What the algorithms share: slow start with or without HyStart++, a segment size that is sane, and what a loss is a share of. */
WEIR_PRIVATE void weiri_cc_slow_start(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE uint32_t weiri_cc_mss(const struct weiri_cc_event *e);
WEIR_PRIVATE uint32_t weiri_cc_used(const struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_newreno_acked(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_newreno_loss(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_newreno_marked(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_newreno_recovered(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_newreno_timeout(struct weir_cc *cc, const struct weiri_cc_event *e);

/* ---- cc_cubic.c: RFC 9438, in octets and microseconds, fixed point only ---- */
#if WEIR_WITH_CUBIC
WEIR_PRIVATE void weiri_cubic_acked(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_cubic_unused(struct weir_cc *cc, weir_us now);
WEIR_PRIVATE void weiri_cubic_loss(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_cubic_marked(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_cubic_timeout(struct weir_cc *cc, const struct weiri_cc_event *e);
/* After silence congestion avoidance begins anew. */
WEIR_PRIVATE void weiri_cubic_restart(struct weir_cc *cc);
#endif

/* ---- cc_bbr.c ---- */
enum weiri_bbr_phase {
    WEIRI_BBR_UNSET, WEIRI_BBR_STARTUP, WEIRI_BBR_DRAIN, WEIRI_BBR_DOWN, WEIRI_BBR_CRUISE, WEIRI_BBR_REFILL, WEIRI_BBR_UP,
    WEIRI_BBR_PROBE_RTT
};
/* Do acknowledgments tell of a probe for bandwidth? No; yes; the probe is over, and this is the last round of it; the same, and the answer
 * to its loss was given. */
enum weiri_bbr_feedback { WEIRI_BBR_FEEDBACK_OFF, WEIRI_BBR_FEEDBACK_ON, WEIRI_BBR_FEEDBACK_ENDS, WEIRI_BBR_FEEDBACK_HEARD };
#if WEIR_WITH_BBR
WEIR_PRIVATE void weiri_bbr_model(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_bbr_marked(struct weir_cc *cc, const struct weiri_cc_event *e);
WEIR_PRIVATE void weiri_bbr_timeout(struct weir_cc *cc, const struct weiri_cc_event *e);
/* A reduction was not needed; `before`: what stood before it. */
WEIR_PRIVATE void weiri_bbr_undo(struct weir_cc *cc, const struct weir_cc *before);
/* The bandwidth of the model, octets a second. */
WEIR_PRIVATE uint32_t weiri_bbr_bandwidth(const struct weir_cc *cc);
/* Its rate of pacing, octets a second; 0: none yet. */
WEIR_PRIVATE uint32_t weiri_bbr_rate(const struct weir_cc *cc);
#endif

/* ---- hystart.c: RFC 9406 ---- */
enum weiri_hystart_phase { WEIRI_HYSTART_SLOW, WEIRI_HYSTART_CONSERVATIVE, WEIRI_HYSTART_DONE };
#if WEIR_WITH_HYSTART
WEIR_PRIVATE void weiri_hystart_init(struct weir_hystart *h, weir_seq nxt);
/* One acknowledgment in slow start: what it measured (0: nothing), SND.UNA after it, SND.NXT now. True: slow start is over,
 * ssthresh = cwnd. */
WEIR_PRIVATE bool weiri_hystart_acked(struct weir_hystart *h, uint32_t rtt_us, weir_seq una, weir_seq nxt);
#endif

/* ---- rack.c: RFC 8985, over the records of the scoreboard ---- */

enum weiri_rack_timer { WEIRI_RACK_IDLE, WEIRI_RACK_REORDER, WEIRI_RACK_PROBE };
enum weiri_tlp { WEIRI_TLP_NONE, WEIRI_TLP_NEW, WEIRI_TLP_AGAIN };

/* One acknowledgment. */
struct weiri_rack_ack {
    weir_us now;
    uint32_t srtt;           /* microseconds, 0: none */
    uint32_t rtt;            /* the shortest of what it delivers: in and out of weiri_rack_delivered, first UINT32_MAX */
    uint32_t echo_us;        /* with stamped: it echoes a timestamp so old */
    weir_seq fack;           /* the highest number delivered before it */
    bool stamped;
    bool dsack;              /* it tells of a duplicate */
    bool recovering;         /* in fast recovery or after a timeout */
    bool many;               /* as much is SACKed as RFC 6675 asks before a loss */
    weir_seq una, nxt;       /* after it */
};
#if WEIR_WITH_RACK
WEIR_PRIVATE void weiri_rack_init(struct weir_rack *r, weir_seq una);
/* Step 1: a sample of the round-trip time; the least of the last minutes is kept. */
WEIR_PRIVATE void weiri_rack_sample(struct weir_rack *r, uint32_t rtt_us, weir_us now);
/* Steps 2 and 3, before the board takes the acknowledgment: a record, or a part of one, that it newly delivers. */
WEIR_PRIVATE void weiri_rack_delivered(struct weir_rack *r, const struct weir_sent *record, struct weiri_rack_ack *a);
/* Step 4: the reordering window. */
WEIR_PRIVATE void weiri_rack_adapt(struct weir_rack *r, const struct weiri_rack_ack *a);
/* A recovery has ended. */
WEIR_PRIVATE void weiri_rack_recovered(struct weir_rack *r);
/* Step 5: what is lost by now becomes LOST, retransmissions too, and r->tries tells of those. Octets newly lost; *wait is how long until
 * the rest would be, 0: none. */
WEIR_PRIVATE uint32_t weiri_rack_detect(struct weir_rack *r, struct weir_board *b, weir_us now, uint32_t *wait);
/* 6.3: a retransmission timeout takes the first record for lost, and those that are old enough. */
WEIR_PRIVATE void weiri_rack_timeout(const struct weir_rack *r, struct weir_board *b, weir_us now);
/* 7.2: how long until the probe; `ack_delay_us` is what the peer may wait with one segment in flight, else 0. */
WEIR_PRIVATE uint32_t weiri_rack_pto(uint32_t srtt_us, uint32_t ack_delay_us);
#endif

/* ---- rate.c: how fast octets are delivered ---- */

enum weiri_limited {
    WEIRI_LIMITED_NOT,    /* congestion control, or pacing, holds the sender back */
    WEIRI_LIMITED_WINDOW, /* the peer's window, or the send ring, does */
    WEIRI_LIMITED_APP     /* there is nothing to send */
};

/* What one acknowledgment tells. All 0 before it is looked at. */
struct weiri_rate_sample {
    uint32_t acked;       /* octets newly delivered */
    uint32_t delivered;   /* octets delivered since the segment sent last of these was sent .. */
    uint32_t interval;    /* .. in so many microseconds; 0: no rate can be told */
    uint32_t prior;       /* the count of octets delivered when that segment was sent */
    uint32_t rtt_us;      /* of that segment; 0: none, or it was sent more than once */
    uint32_t sent_at, first_at, delivered_at; /* of that segment */
    uint8_t limited;      /* enum weiri_limited when it was sent */
    bool any;             /* something was delivered */
};
#if WEIR_WITH_RATE
/* Something is about to be sent; `idle`: nothing is outstanding. */
WEIR_PRIVATE void weiri_rate_sending(struct weir_board *b, bool idle, weir_us now);
/* A record, or a part of one, that is newly delivered. */
WEIR_PRIVATE void weiri_rate_delivered(struct weir_board *b, struct weiri_rate_sample *s, const struct weir_sent *part, weir_us now);
/* What was in flight when something else than congestion control was the limit has been delivered: it is so no more. */
WEIR_PRIVATE void weiri_rate_expire(const struct weir_rate *r, struct weir_board *b);
/* The acknowledgment has been looked at. A sample taken over less than `min_rtt_us` tells of a burst of acknowledgments and of no rate. */
WEIR_PRIVATE void weiri_rate_finish(struct weir_rate *r, struct weir_board *b, struct weiri_rate_sample *s, uint32_t min_rtt_us);
/* All that may be sent has been; this is why there is not more. It is so until what is in flight now has been delivered. */
WEIR_PRIVATE void weiri_rate_limit(struct weir_rate *r, struct weir_board *b, enum weiri_limited why);
/* Octets a second: of one sample, whatever limited it. 0: none; saturates. */
WEIR_PRIVATE uint32_t weiri_rate_of(uint32_t delivered, uint32_t interval_us);
#endif

/* ---- cwv.c: RFC 7661 ---- */
struct weiri_cwv_event {
    weir_us now;
    uint32_t rtt_us;         /* smoothed; 0: none yet */
    weir_seq before, una;    /* SND.UNA before an acknowledgment and after it */
    uint32_t flight, mss;
    uint32_t initial;        /* the initial window */
};
#if WEIR_WITH_CWV
/* pipeACK is undefined: at the start, and after each recovery. */
WEIR_PRIVATE void weiri_cwv_init(struct weir_cwv *v, weir_seq una, weir_us now);
/* An acknowledgment outside recovery: pipeACK, and which phase it is. */
WEIR_PRIVATE void weiri_cwv_acked(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e);
/* Something is sent while nothing is outstanding; the last text before it went at quiet_at. */
WEIR_PRIVATE void weiri_cwv_idle(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e, weir_us quiet_at);
/* Congestion was told, and congestion control has answered: in the non-validated phase that is not enough (4.4.1). */
WEIR_PRIVATE void weiri_cwv_congested(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e);
/* Octets go again. */
WEIR_PRIVATE void weiri_cwv_resent(struct weir_cwv *v, weir_block run);
/* Recovery is over. */
WEIR_PRIVATE void weiri_cwv_recovered(struct weir_cwv *v, struct weir_cc *cc, const struct weiri_cwv_event *e);
/* Is it the validated phase? */
WEIR_PRIVATE bool weiri_cwv_valid(const struct weir_cwv *v);
#endif

/* ---- prr.c: RFC 9937 ---- */
#if WEIR_WITH_PRR
WEIR_PRIVATE void weiri_prr_begin(struct weir_prr *p, uint32_t recover_fs);
#endif
/* One acknowledgment in recovery; the window that follows: inflight + SndCnt, or cwnd where nothing was delivered. */
struct weiri_prr_ack {
    uint32_t delivered, inflight, ssthresh, cwnd, mss;
    bool safe;               /* SafeACK: it moved SND.UNA and showed no further loss */
};
#if WEIR_WITH_PRR
WEIR_PRIVATE uint32_t weiri_prr_acked(struct weir_prr *p, const struct weiri_prr_ack *a);
WEIR_PRIVATE void weiri_prr_sent(struct weir_prr *p, uint32_t octets);
#endif

#include "recovery/left_out.h"

#endif /* WEIRI_RECOVERY_H */
