/* sack_small.c - the scoreboard in little code, for some dozens of records: what sack.c is where there are thousands.
 *
 * Records lie in order of sequence from the first place on; each question walks over them, each change counts all anew, and nothing is
 * joined. Where memory is full the last record grows, and a block that would need a split is taken for the whole records it covers. There
 * is no order of transmission, which only RACK asks for. RFC 2018 5, RFC 6675 4. */
#include "recovery/recovery.h"

#if !WEIR_WITH_LARGE_BOARD

#define SMALL_OCTETS_MAX (UINT32_C(1) << 31) /* the board holds fewer */

static uint32_t small_len(const struct weir_sent *r)
{
    return seq_diff(r->from, r->to);
}

static bool small_is(const struct weir_board *b, uint32_t i, enum weiri_sent_state state)
{
    return i < b->count && b->sent[i].state == (uint8_t)state;
}

static uint32_t small_offset(const struct weir_board *b, weir_seq s)
{
    return b->count > 0 ? seq_diff(b->sent[0].from, s) : UINT32_MAX;
}

/* `above`: octets SACKED above the lowest that is FLYING. */
static void small_count(struct weir_board *b)
{
    bool flying = false;
    b->octets = b->sacked = b->lost = b->resent = b->above = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t len = small_len(&b->sent[i]);
        b->octets += len;
        switch (b->sent[i].state) {
        case WEIRI_SENT_SACKED:
            b->sacked += len;
            b->above += flying ? len : 0;
            break;
        case WEIRI_SENT_LOST: b->lost += len; break;
        case WEIRI_SENT_RESENT: b->resent += len; break;
        default: flying = true; break;
        }
    }
}

/* Pushes and SACK blocks leave two free: retransmission splits records too and must not fail. */
static uint32_t small_limit(const struct weir_board *b)
{
    return b->cap - base_min32(2, b->cap / 4u);
}

/* The record that begins at `at`, after a split if need be. Where there is no room for that: the one around it, or the one after it. */
static uint32_t small_cut(struct weir_board *b, weir_seq at, uint32_t limit, bool up)
{
    uint32_t i = 0;
    while (i < b->count && seq_leq(b->sent[i].to, at)) {
        i++;
    }
    if (i == b->count || seq_leq(at, b->sent[i].from)) {
        return i;
    }
    if (b->count < limit) {
        memmove(&b->sent[i + 1], &b->sent[i], (b->count - i) * sizeof *b->sent);
        b->count = (uint16_t)(b->count + 1);
        b->sent[i].to = at;
        b->sent[++i].from = at;
        return i;
    }
    return up ? i + 1 : i;
}

/* What is in the run and not SACKED gets this state; what goes again is stamped. Without room for a split it is a few octets less that are
 * SACKED, a few more that are LOST or RESENT. */
static void small_mark(struct weir_board *b, weir_block run, enum weiri_sent_state state, weir_us now)
{
    bool inwards = state == WEIRI_SENT_SACKED;
    uint32_t limit = inwards ? small_limit(b) : b->cap;
    uint32_t i = small_cut(b, run.from, limit, inwards), last = small_cut(b, run.to, limit, !inwards);
    for (; i < last; i++) {
        struct weir_sent *r = &b->sent[i];
        if (state == WEIRI_SENT_RESENT) {
            r->tries = (uint8_t)(r->tries + (r->tries < UINT8_MAX));
            recovery_stamp(b, r, now);
        }
        r->state = r->state == (uint8_t)WEIRI_SENT_SACKED ? r->state : (uint8_t)state;
    }
    small_count(b);
}

static uint32_t small_lose(struct weir_board *b, weir_block run)
{
    uint32_t before = b->lost;
    small_mark(b, run, WEIRI_SENT_LOST, 0);
    return b->lost - before;
}

WEIR_PRIVATE void weiri_board_init(struct weir_board *b, struct weir_sent *memory, uint16_t cap)
{
    memset(b, 0, sizeof *b);
    b->sent = memory;
    b->cap = cap;
}

WEIR_PRIVATE bool weiri_board_has_room(const struct weir_board *b)
{
    return b->count < small_limit(b) || small_is(b, b->count - 1u, WEIRI_SENT_FLYING);
}

WEIR_PRIVATE bool weiri_board_push(struct weir_board *b, weir_block run, weir_us now)
{
    uint32_t len = seq_diff(run.from, run.to);
    if (len == 0) {
        return true;
    }
    bool gap = b->count > 0 && !seq_eq(b->sent[b->count - 1].to, run.from);
    if (len >= SMALL_OCTETS_MAX - b->octets || !weiri_board_has_room(b) || WEIR_NEVER(gap)) {
        return false;
    }
    if (b->count < small_limit(b)) {
        memset(&b->sent[b->count], 0, sizeof *b->sent); /* FLYING */
        b->sent[b->count].from = run.from;
        b->sent[b->count].tries = 1;
        b->count = (uint16_t)(b->count + 1);
    }
    struct weir_sent *r = &b->sent[b->count - 1];
    r->to = run.to;
    recovery_stamp(b, r, now);
    small_count(b);
    return true;
}

WEIR_PRIVATE struct weiri_acked weiri_board_ack(struct weir_board *b, weir_seq ack, weir_us now)
{
    struct weiri_acked acked = {0, 0, false, 0};
    uint32_t left = small_offset(b, ack), gone = 0;
    bool again = false; /* octets sent more than once are among them: what time they took is not known (RFC 6298 3) */
    if (left > b->octets) {
        return acked;
    }
    acked.octets = left;
    while (left > 0) { /* at most `count` records */
        struct weir_sent *r = &b->sent[gone];
        uint32_t len = base_min32(left, small_len(r));
        bool whole = len == small_len(r);
        if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
            acked.sacked += len;
        } else {
            again = again || r->tries > 1;
            acked.sampled = acked.sampled || whole;
            acked.rtt_us = whole ? (uint32_t)now - r->sent_at : acked.rtt_us;
        }
        r->from = seq_add(r->from, len);
        gone += whole;
        left -= len;
    }
    acked.sampled = acked.sampled && !again;
    acked.rtt_us = acked.sampled ? acked.rtt_us : 0;
    b->count = (uint16_t)(b->count - gone);
    if (gone > 0) {
        memmove(b->sent, b->sent + gone, b->count * sizeof *b->sent);
    }
    small_count(b);
    return acked;
}

WEIR_PRIVATE uint32_t weiri_board_sack(struct weir_board *b, weir_block block)
{
    uint32_t from = small_offset(b, block.from), to = small_offset(b, block.to), before = b->sacked;
    if (from == 0 || from >= to || to > b->octets) {
        return 0;
    }
    small_mark(b, block, WEIRI_SENT_SACKED, 0);
    return b->sacked - before;
}

WEIR_PRIVATE uint32_t weiri_board_detect(struct weir_board *b, uint32_t mss)
{
    uint32_t before = b->lost, octets = 0, runs = 0;
    for (uint32_t i = b->count; i-- > 0;) {
        struct weir_sent *r = &b->sent[i];
        if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
            octets += small_len(r);
            runs += !small_is(b, i + 1, WEIRI_SENT_SACKED);
        } else if (r->state == (uint8_t)WEIRI_SENT_FLYING && (runs >= 3 || octets > 2 * mss)) {
            r->state = (uint8_t)WEIRI_SENT_LOST;
        }
    }
    small_count(b);
    return b->lost - before;
}

#if WEIR_WITH_LAST_RESORT
WEIR_PRIVATE uint32_t weiri_board_guess(struct weir_board *b, uint32_t mss, bool rescue)
{
    uint32_t i = 0;
    if (b->above == 0) {
        uint32_t last = b->count - 1u;
        weir_seq end = small_is(b, last, WEIRI_SENT_FLYING) ? b->sent[last].to : seq_of(0);
        weir_block tail = {seq_sub(end, mss), end};
        if (!rescue || !small_is(b, last, WEIRI_SENT_FLYING)) {
            return 0;
        }
        tail.from = seq_max(tail.from, b->sent[last].from);
        return small_lose(b, tail);
    }
    while (!small_is(b, i, WEIRI_SENT_FLYING)) { /* there is one */
        i++;
    }
    weir_block run = {b->sent[i].from, b->sent[i].to};
    return small_lose(b, run);
}
#endif

WEIR_PRIVATE uint32_t weiri_board_lose_head(struct weir_board *b, uint32_t mss)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < b->count && len < mss && !small_is(b, i, WEIRI_SENT_SACKED); i++) {
        len += small_len(&b->sent[i]);
    }
    if (len == 0) {
        return 0;
    }
    weir_block head = {b->sent[0].from, seq_add(b->sent[0].from, base_min32(len, mss))};
    return small_lose(b, head);
}

WEIR_PRIVATE void weiri_board_lose_all(struct weir_board *b)
{
    bool reneged = small_is(b, 0, WEIRI_SENT_SACKED);
    for (uint32_t i = 0; i < b->count; i++) {
        if (reneged || !small_is(b, i, WEIRI_SENT_SACKED)) {
            b->sent[i].state = (uint8_t)WEIRI_SENT_LOST;
        }
    }
    small_count(b);
}

WEIR_PRIVATE bool weiri_board_next_lost(const struct weir_board *b, uint32_t max, weir_block *run)
{
    uint32_t i = 0, len = 0;
    while (i < b->count && !small_is(b, i, WEIRI_SENT_LOST)) {
        i++;
    }
    if (i == b->count || max == 0) {
        return false;
    }
    run->from = b->sent[i].from;
    while (len < max && small_is(b, i, WEIRI_SENT_LOST) && recovery_join(&len, small_len(&b->sent[i]), max)) {
        i++;
    }
    run->to = seq_add(run->from, len);
    return true;
}

WEIR_PRIVATE void weiri_board_resent(struct weir_board *b, weir_block run, weir_us now)
{
    uint32_t from = small_offset(b, run.from), to = small_offset(b, run.to);
    if (from < to && to <= b->octets) {
        small_mark(b, run, WEIRI_SENT_RESENT, now);
    }
}

WEIR_PRIVATE uint32_t weiri_board_pipe(const struct weir_board *b)
{
    return b->octets - b->sacked - b->lost;
}

WEIR_PRIVATE bool weiri_board_walk(const struct weir_board *b, weir_block run, uint32_t *i, struct weir_sent *part)
{
    bool inside = small_offset(b, run.from) < b->octets && small_offset(b, run.to) <= b->octets;
    for (; inside && *i < b->count && seq_lt(b->sent[*i].from, run.to); (*i)++) {
        if (!small_is(b, *i, WEIRI_SENT_SACKED) && seq_lt(run.from, b->sent[*i].to)) {
            *part = b->sent[(*i)++];
            part->from = seq_max(part->from, run.from);
            part->to = seq_min(part->to, run.to);
            return true;
        }
    }
    return false;
}

WEIR_PRIVATE const struct weir_sent *weiri_board_record(const struct weir_board *b, uint32_t i)
{
    return &b->sent[i];
}

WEIR_PRIVATE void weiri_board_unlose(struct weir_board *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (small_is(b, i, WEIRI_SENT_LOST)) {
            b->sent[i].state = b->sent[i].tries > 1 ? (uint8_t)WEIRI_SENT_RESENT : (uint8_t)WEIRI_SENT_FLYING;
        }
    }
    small_count(b);
}

WEIR_PRIVATE void weiri_board_move(struct weir_board *b, struct weir_sent *memory, uint16_t cap)
{
    if (WEIR_NEVER(cap < b->count)) {
        return;
    }
    if (b->count > 0) {
        memmove(memory, b->sent, b->count * sizeof *memory);
    }
    b->sent = memory;
    b->cap = cap;
}

WEIR_PRIVATE const char *weiri_board_check(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    struct weir_board fresh = *b;
    weir_seq at = una;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = &b->sent[i];
        if (!seq_eq(r->from, at) || !seq_lt(r->from, r->to) || r->state > (uint8_t)WEIRI_SENT_RESENT || r->tries == 0) {
            return "board: records are not in order, or empty, or in no state";
        }
        at = r->to;
    }
    small_count(&fresh);
    bool same = fresh.octets == b->octets && fresh.sacked == b->sacked && fresh.lost == b->lost && fresh.resent == b->resent;
    if (b->count > b->cap || !seq_eq(at, nxt)) {
        return "board: records do not cover what is outstanding";
    }
    return same && fresh.above == b->above ? NULL : "board: counters differ from the records";
}

#undef SMALL_OCTETS_MAX

#endif /* !WEIR_WITH_LARGE_BOARD */
