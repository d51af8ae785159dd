/* sack.c - the scoreboard: what was sent, and what is known of each octet. RFC 2018 5, RFC 6675 4.
 *
 * Knows runs of sequence numbers, their states, and when each was last sent. Does not know the connection, the window, or
 * when recovery begins and ends; the records lie in memory that the caller lent.
 *
 * The records are an array without gaps, in order, from `head` on. An acknowledgment moves `head`; a split moves the records
 * above it up by one; when the end of the memory is reached all move down to its beginning. A place is found by halving.
 * Each call is linear in `cap` at the worst, and nothing that a peer reports makes more than two records out of one.
 *
 * Places are counted in octets from the first record's `from`, modulo 2^32, and the board never holds 2^31 of them: one
 * unsigned comparison tells what is inside, and no pair of signed ones can be true both ways.
 */
#include "recovery/recovery.h"

#define SACK_OCTETS_MAX (UINT32_C(1) << 31) /* the board holds fewer */

/* Records [first, last). */
struct sack_range {
    uint32_t first, last;
};

static struct weir_sent *sack_at(const struct weir_board *b, uint32_t i)
{
    WEIR_ASSERT(i < b->count);
    return &b->sent[b->head + i];
}

static uint32_t sack_len(const struct weir_sent *r)
{
    return seq_diff(r->from, r->to);
}

static uint32_t sack_offset(const struct weir_board *b, weir_seq s)
{
    return seq_diff(sack_at(b, 0)->from, s);
}

/* Octets on the board. */
static uint32_t sack_total(const struct weir_board *b)
{
    return b->count == 0 ? 0 : sack_offset(b, sack_at(b, b->count - 1u)->to);
}

/* Records that pushes and SACK blocks may use. The rest is kept for the splits that retransmission needs: without them a board
 * which the peer's reports have filled could not say which part of a long run was sent again. */
static uint32_t sack_limit(const struct weir_board *b)
{
    return b->cap - base_min32(2, b->cap / 4u);
}

/* Changes a state, and the counters with it. */
static void sack_mark(struct weir_board *b, struct weir_sent *r, enum weiri_sent_state state)
{
    uint32_t len = sack_len(r);
    if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
        b->sacked -= len;
    } else if (r->state == (uint8_t)WEIRI_SENT_LOST) {
        b->lost -= len;
    }
    if (state == WEIRI_SENT_SACKED) {
        b->sacked += len;
    } else if (state == WEIRI_SENT_LOST) {
        b->lost += len;
    }
    r->state = (uint8_t)state;
}

/* The record with the octet at this place, which must be on the board. At most 16 steps. */
static uint32_t sack_find(const struct weir_board *b, uint32_t offset)
{
    uint32_t low = 0, high = b->count - 1u;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sack_offset(b, sack_at(b, middle)->to) > offset) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Is this place within a record, not between two? */
static bool sack_within(const struct weir_board *b, uint32_t offset)
{
    return offset < sack_total(b) && sack_offset(b, sack_at(b, sack_find(b, offset))->from) != offset;
}

/* The neighbour above becomes part of `r`: of the two times the later stays, of the two counts the greater. Both err towards
 * too few samples of the round-trip time, never towards false ones. */
static void sack_fold(struct weir_sent *r, const struct weir_sent *next)
{
    r->to = next->to;
    if ((int32_t)(next->sent_at - r->sent_at) > 0) {
        r->sent_at = next->sent_at;
        r->limited = next->limited;
        r->mark = next->mark;
    }
    r->tries = next->tries > r->tries ? next->tries : r->tries;
}

/* One pass that makes one record out of every two like neighbours. Pairs, not whole runs: times stay as fine as memory allows,
 * and half of it is free again, so that a pass is rare. False: there were none. */
static bool sack_pair(struct weir_board *b)
{
    uint32_t kept = 0, i = 0;
    while (i < b->count) {
        struct weir_sent *r = sack_at(b, kept++);
        *r = *sack_at(b, i++);
        if (i < b->count && sack_at(b, i)->state == r->state) {
            sack_fold(r, sack_at(b, i++));
        }
    }
    bool joined = kept < b->count;
    b->count = (uint16_t)kept;
    return joined;
}

/* Room for `want` more records below `limit`. Every pass but the last frees a record at least, and `want` is at most 2. */
static bool sack_room(struct weir_board *b, uint32_t want, uint32_t limit)
{
    while (b->count + want > limit && sack_pair(b)) {
    }
    return b->count + want <= limit;
}

/* One more place in memory behind the last record. */
static void sack_grow(struct weir_board *b)
{
    WEIR_ASSERT(b->count < b->cap);
    if ((uint32_t)b->head + b->count == b->cap) {
        memmove(b->sent, b->sent + b->head, b->count * sizeof *b->sent);
        b->head = 0;
    }
    b->count = (uint16_t)(b->count + 1);
}

/* The record at i becomes two that meet at this place, inside it. */
static void sack_split(struct weir_board *b, uint32_t i, uint32_t offset)
{
    sack_grow(b);
    struct weir_sent *r = sack_at(b, i);
    memmove(r + 1, r, (b->count - 1u - i) * sizeof *r);
    r[0].to = seq_add(sack_at(b, 0)->from, offset);
    r[1].from = r[0].to;
}

/* The index of the record that begins at this place. Where that needs a split and there is no room, the one around the place
 * (`up` false) or the one after it (`up` true). */
static uint32_t sack_cut(struct weir_board *b, uint32_t offset, uint32_t limit, bool up)
{
    if (offset >= sack_total(b)) {
        return b->count;
    }
    uint32_t i = sack_find(b, offset);
    if (sack_offset(b, sack_at(b, i)->from) == offset) {
        return i;
    }
    if (b->count < limit) {
        sack_split(b, i, offset);
        return i + 1;
    }
    return up ? i + 1 : i;
}

/* The records that make up the places [from, to). On a board without room for splits: a few more octets on either side
 * (`outward`), or fewer, or none. */
static struct sack_range sack_carve(struct weir_board *b, uint32_t from, uint32_t to, uint32_t limit, bool outward)
{
    /* Joining may remove a boundary that stood where it is wanted: so both splits are provided for at once. */
    if (sack_within(b, from) || sack_within(b, to)) {
        (void)sack_room(b, 2, limit);
    }
    struct sack_range range;
    range.first = sack_cut(b, from, limit, !outward);
    range.last = sack_cut(b, to, limit, outward);
    return range;
}

/* Like records [first, last) become one. */
static void sack_join(struct weir_board *b, struct sack_range range)
{
    struct weir_sent *r = sack_at(b, range.first);
    for (uint32_t i = range.first + 1; i < range.last; i++) {
        sack_fold(r, sack_at(b, i));
    }
    memmove(r + 1, r + (range.last - range.first), (b->count - range.last) * sizeof *r);
    b->count = (uint16_t)(b->count - (range.last - range.first - 1));
}

static bool sack_is(const struct weir_board *b, uint32_t i, enum weiri_sent_state state)
{
    return i < b->count && sack_at(b, i)->state == (uint8_t)state;
}

WEIR_PRIVATE void weiri_board_init(struct weir_board *b, struct weir_sent *records, uint16_t cap)
{
    b->sent = records;
    b->head = 0;
    b->count = 0;
    b->cap = cap;
    b->sacked = 0;
    b->lost = 0;
    b->limited = 0;
    memset(&b->mark, 0, sizeof b->mark);
}

/* The record goes, or goes again, now. */
static void sack_stamp(const struct weir_board *b, struct weir_sent *r, weir_us now)
{
    r->sent_at = (uint32_t)now;
    r->limited = b->limited;
    r->mark = b->mark;
}

/* A new record behind the last one; the caller has seen to the room. */
static void sack_append(struct weir_board *b, weir_block run, weir_us now)
{
    sack_grow(b);
    struct weir_sent *r = sack_at(b, b->count - 1u);
    r->from = run.from;
    r->to = run.to;
    r->state = (uint8_t)WEIRI_SENT_FLYING;
    r->tries = 1;
    r->reserved = 0;
    sack_stamp(b, r, now);
}

WEIR_PRIVATE bool weiri_board_push(struct weir_board *b, weir_block run, weir_us now)
{
    uint32_t len = seq_diff(run.from, run.to), total = sack_total(b);
    if (len == 0) {
        return true;
    }
    if (len >= SACK_OCTETS_MAX - total) {
        return false;
    }
    struct weir_sent *last = b->count == 0 ? NULL : sack_at(b, b->count - 1u);
    if (WEIR_NEVER(last != NULL && !seq_eq(last->to, run.from))) {
        return false;
    }
    bool joins = last != NULL && last->state == (uint8_t)WEIRI_SENT_FLYING && last->sent_at == (uint32_t)now;
    if (!joins && sack_room(b, 1, sack_limit(b))) {
        sack_append(b, run, now);
        return true;
    }
    /* At this microsecond, or on a full board: the last record grows, if it is of this kind. */
    if (!sack_is(b, b->count - 1u, WEIRI_SENT_FLYING)) {
        return false;
    }
    last = sack_at(b, b->count - 1u);
    last->to = run.to;
    sack_stamp(b, last, now);
    return true;
}

/* Joining leaves one record of every run of like neighbours. */
WEIR_PRIVATE bool weiri_board_has_room(const struct weir_board *b)
{
    if (b->count < sack_limit(b) || sack_is(b, b->count - 1u, WEIRI_SENT_FLYING)) {
        return true;
    }
    uint32_t runs = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        runs += i == 0 || sack_at(b, i)->state != sack_at(b, i - 1)->state;
    }
    return runs < sack_limit(b);
}

/* Takes the record's first `len` octets off the counters and notes what their acknowledgment tells. */
static void sack_leave(struct weir_board *b, const struct weir_sent *r, uint32_t len, struct weiri_acked *acked)
{
    acked->octets += len;
    if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
        acked->sacked += len;
        b->sacked -= len;
    } else if (r->state == (uint8_t)WEIRI_SENT_LOST) {
        b->lost -= len;
    }
}

WEIR_PRIVATE struct weiri_acked weiri_board_ack(struct weir_board *b, weir_seq ack, weir_us now)
{
    struct weiri_acked acked = {0, 0, false, 0};
    if (b->count == 0 || sack_offset(b, ack) > sack_total(b)) {
        return acked;
    }
    uint32_t left = sack_offset(b, ack);
    bool again = false; /* octets sent more than once are among them: what time they took is not known (RFC 6298 3) */
    while (left > 0) {  /* at most `count` records */
        struct weir_sent *r = sack_at(b, 0);
        uint32_t len = base_min32(left, sack_len(r));
        bool whole = len == sack_len(r);
        sack_leave(b, r, len, &acked);
        left -= len;
        if (r->state != (uint8_t)WEIRI_SENT_SACKED) {
            again = again || r->tries > 1;
            acked.sampled = acked.sampled || whole;
            acked.rtt_us = whole ? (uint32_t)now - r->sent_at : acked.rtt_us;
        }
        r->from = seq_add(r->from, len);
        b->head = (uint16_t)(b->head + whole);
        b->count = (uint16_t)(b->count - whole);
    }
    b->head = b->count == 0 ? (uint16_t)0 : b->head;
    if (again) {
        acked.sampled = false;
        acked.rtt_us = 0;
    }
    return acked;
}

WEIR_PRIVATE uint32_t weiri_board_sack(struct weir_board *b, weir_block block)
{
    if (b->count == 0) {
        return 0;
    }
    uint32_t from = sack_offset(b, block.from), to = sack_offset(b, block.to);
    if (from == 0 || from >= to || to > sack_total(b)) {
        return 0;
    }
    /* What is known at either end needs no splitting; most blocks only repeat. */
    const struct weir_sent *end = sack_at(b, sack_find(b, from));
    from = end->state == (uint8_t)WEIRI_SENT_SACKED ? sack_offset(b, end->to) : from;
    end = sack_at(b, sack_find(b, to - 1));
    to = end->state == (uint8_t)WEIRI_SENT_SACKED ? sack_offset(b, end->from) : to;
    if (from >= to) {
        return 0;
    }
    struct sack_range range = sack_carve(b, from, to, sack_limit(b), false);
    if (range.first >= range.last) {
        return 0;
    }
    uint32_t before = b->sacked;
    for (uint32_t i = range.first; i < range.last; i++) {
        sack_mark(b, sack_at(b, i), WEIRI_SENT_SACKED);
    }
    WEIR_ASSERT(range.first > 0); /* una < from: something lies below */
    range.first -= sack_is(b, range.first - 1, WEIRI_SENT_SACKED);
    range.last += sack_is(b, range.last, WEIRI_SENT_SACKED);
    sack_join(b, range);
    return b->sacked - before;
}

WEIR_PRIVATE uint32_t weiri_board_detect(struct weir_board *b, uint32_t mss)
{
    uint32_t before = b->lost, above = 0, runs = 0, enough = 2 * base_min32(mss, 65535);
    if (b->sacked == 0) {
        return 0;
    }
    for (uint32_t i = b->count; i-- > 0;) {
        struct weir_sent *r = sack_at(b, i);
        if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
            runs += !sack_is(b, i + 1, WEIRI_SENT_SACKED);
            above += sack_len(r);
        } else if (r->state == (uint8_t)WEIRI_SENT_FLYING && (runs >= 3 || above > enough)) {
            sack_mark(b, r, WEIRI_SENT_LOST);
        }
    }
    return b->lost - before;
}

WEIR_PRIVATE uint32_t weiri_board_lose_head(struct weir_board *b, uint32_t mss)
{
    uint32_t before = b->lost, end = base_min32(mss, sack_total(b));
    for (uint32_t i = 0; i < b->count && sack_offset(b, sack_at(b, i)->from) < end; i++) {
        if (sack_is(b, i, WEIRI_SENT_SACKED)) {
            end = sack_offset(b, sack_at(b, i)->from);
        }
    }
    if (end == 0) {
        return 0;
    }
    struct sack_range range = sack_carve(b, 0, end, b->cap, true);
    for (uint32_t i = range.first; i < range.last; i++) {
        sack_mark(b, sack_at(b, i), WEIRI_SENT_LOST);
    }
    return b->lost - before;
}

WEIR_PRIVATE void weiri_board_lose_all(struct weir_board *b)
{
    bool reneged = sack_is(b, 0, WEIRI_SENT_SACKED);
    for (uint32_t i = 0; i < b->count; i++) {
        if (reneged || !sack_is(b, i, WEIRI_SENT_SACKED)) {
            sack_mark(b, sack_at(b, i), WEIRI_SENT_LOST);
        }
    }
}

WEIR_PRIVATE bool weiri_board_next_lost(const struct weir_board *b, uint32_t max, weir_block *run)
{
    if (b->lost == 0 || max == 0) {
        return false;
    }
    uint32_t i = 0;
    while (i < b->count && !sack_is(b, i, WEIRI_SENT_LOST)) {
        i++;
    }
    if (WEIR_NEVER(i == b->count)) {
        return false;
    }
    run->from = sack_at(b, i)->from;
    uint32_t len = 0;
    for (; len < max && sack_is(b, i, WEIRI_SENT_LOST); i++) {
        len += sack_len(sack_at(b, i));
    }
    run->to = seq_add(run->from, base_min32(len, max));
    return true;
}

WEIR_PRIVATE void weiri_board_resent(struct weir_board *b, weir_block run, weir_us now)
{
    if (b->count == 0) {
        return;
    }
    uint32_t from = sack_offset(b, run.from), to = sack_offset(b, run.to);
    if (from >= to || to > sack_total(b)) {
        return;
    }
    struct sack_range range = sack_carve(b, from, to, b->cap, true);
    for (uint32_t i = range.first; i < range.last; i++) {
        struct weir_sent *r = sack_at(b, i);
        r->tries = (uint8_t)(r->tries + (r->tries < UINT8_MAX));
        sack_stamp(b, r, now);
        if (r->state != (uint8_t)WEIRI_SENT_SACKED) {
            sack_mark(b, r, WEIRI_SENT_RESENT);
        }
    }
}

WEIR_PRIVATE uint32_t weiri_board_pipe(const struct weir_board *b)
{
    return sack_total(b) - b->sacked - b->lost;
}

WEIR_PRIVATE uint32_t weiri_board_resent_octets(const struct weir_board *b)
{
    uint32_t octets = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        octets += sack_is(b, i, WEIRI_SENT_RESENT) ? sack_len(sack_at(b, i)) : 0;
    }
    return octets;
}

/* Runs that are SACKED are one record each, so that a block which only repeats costs a search. */
WEIR_PRIVATE bool weiri_board_walk(const struct weir_board *b, weir_block run, uint32_t *i, struct weir_sent *part)
{
    uint32_t total = sack_total(b);
    if (b->count == 0 || sack_offset(b, run.from) >= total || sack_offset(b, run.to) > total) {
        return false;
    }
    *i = *i > 0 ? *i : sack_find(b, sack_offset(b, run.from));
    while (sack_is(b, *i, WEIRI_SENT_SACKED)) {
        ++*i;
    }
    if (*i >= b->count || sack_offset(b, sack_at(b, *i)->from) >= sack_offset(b, run.to)) {
        return false;
    }
    *part = *sack_at(b, (*i)++);
    part->from = seq_max(part->from, run.from);
    part->to = seq_min(part->to, run.to);
    return true;
}

WEIR_PRIVATE const struct weir_sent *weiri_board_record(const struct weir_board *b, uint32_t i)
{
    return sack_at(b, i);
}

WEIR_PRIVATE void weiri_board_lose(struct weir_board *b, uint32_t i)
{
    sack_mark(b, sack_at(b, i), WEIRI_SENT_LOST);
}

WEIR_PRIVATE void weiri_board_unlose(struct weir_board *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        if (sack_is(b, i, WEIRI_SENT_LOST)) {
            sack_mark(b, sack_at(b, i), sack_at(b, i)->tries > 1 ? WEIRI_SENT_RESENT : WEIRI_SENT_FLYING);
        }
    }
}

WEIR_PRIVATE void weiri_board_move(struct weir_board *b, struct weir_sent *records, uint16_t cap)
{
    if (WEIR_NEVER(cap < b->count)) {
        return;
    }
    if (b->count > 0) {
        memmove(records, b->sent + b->head, b->count * sizeof *records);
    }
    b->sent = records;
    b->head = 0;
    b->cap = cap;
}

/* NULL, or what is wrong with one record by itself. */
static const char *sack_check_record(const struct weir_sent *r)
{
    if (sack_len(r) == 0 || sack_len(r) >= SACK_OCTETS_MAX) {
        return "board: a record is empty or reversed";
    }
    if (r->state > (uint8_t)WEIRI_SENT_RESENT || r->reserved != 0) {
        return "board: a record's state is none of the four";
    }
    if (r->tries == 0 || (r->state == (uint8_t)WEIRI_SENT_FLYING && r->tries != 1) ||
        (r->state == (uint8_t)WEIRI_SENT_RESENT && r->tries < 2)) {
        return "board: a record's state and its transmissions disagree";
    }
    return NULL;
}

WEIR_PRIVATE const char *weiri_board_check(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    uint32_t sacked = 0, lost = 0;
    weir_seq at = una;
    if ((uint32_t)b->head + b->count > b->cap) {
        return "board: records pass the end of their memory";
    }
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = sack_at(b, i);
        const char *wrong = sack_check_record(r);
        if (wrong != NULL) {
            return wrong;
        }
        if (!seq_eq(r->from, at)) {
            return "board: records are not contiguous from SND.UNA on";
        }
        at = r->to;
        sacked += sack_is(b, i, WEIRI_SENT_SACKED) ? sack_len(r) : 0;
        lost += sack_is(b, i, WEIRI_SENT_LOST) ? sack_len(r) : 0;
    }
    if (!seq_eq(at, nxt) || sack_total(b) >= SACK_OCTETS_MAX) {
        return "board: records do not end at SND.NXT";
    }
    return sacked == b->sacked && lost == b->lost ? NULL : "board: counters differ from the records";
}

#undef SACK_OCTETS_MAX
