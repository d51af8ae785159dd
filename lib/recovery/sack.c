/* sack.c - the scoreboard: what was sent, and what is known of each octet. RFC 2018 5, RFC 6675 4.
 *
 * Knows runs of sequence numbers, their states, and when each was last sent. Does not know the connection, the window, or
 * when recovery begins and ends; the records lie in memory that the caller lent.
 *
 * A window may hold tens of thousands of segments, and each acknowledgment asks several questions about all of them, so that no question
 * may look at each. One record stands for one segment: then what a peer reports ends where records end, and nothing has to be split or
 * joined. The records are a ring in order of sequence: a place in it is found by halving. Two sets of bits, by place in memory, say what
 * is LOST and what is open, that is, not SACKED: a block that repeats what is known, and the next to be sent again, cost a look each. The
 * open ones are linked in order of transmission too, which is what RACK asks for: it looks at the oldest, and at no more of them than
 * become LOST. What RFC 6675 asks is counted above an edge that only moves up.
 *
 * So each call costs the logarithm of the records, or is paid for by the transmission of those that it changes. Two things cost more,
 * since records have to move. A split does: where a retransmission is shorter than the segment was, which happens once to a record for
 * each MSS; and where a peer's block ends inside a segment, which it may do as long as there is credit. Pushes give credit; without it the
 * block is taken for the whole records that it covers. And to join records when memory is full, which needs credit too.
 */
#include "recovery/recovery.h"

#if WEIR_WITH_LARGE_BOARD

#include "recovery/board.h"

#define SACK_PAY 8 /* moves that a push pays for: joining all of a board that has no holes costs two */

/* Records [first, last), counted from the first in order of sequence. */
struct sack_range {
    uint32_t first, last;
};

/* ---- what is open, what is LOST --------------------------------------------------------------------------------------------- */

static void sack_put_bits(const struct weir_board *b, uint32_t place, uint8_t state)
{
    if (state == (uint8_t)WEIRI_SENT_SACKED) {
        weiri_bits_take(board_open(b), b->cap, place);
    } else if (state == (uint8_t)WEIRI_SENT_LOST) {
        weiri_bits_put(board_lost(b), b->cap, place);
    }
}

static void sack_take_bits(const struct weir_board *b, uint32_t place, uint8_t state)
{
    if (state == (uint8_t)WEIRI_SENT_SACKED) {
        weiri_bits_put(board_open(b), b->cap, place);
    } else if (state == (uint8_t)WEIRI_SENT_LOST) {
        weiri_bits_take(board_lost(b), b->cap, place);
    }
}

/* ---- RFC 6675's count ------------------------------------------------------------------------------------------------------------ */

/* A record from the edge on has become SACKED: a run more, or one longer, or one where there were two. */
static void sack_count_above(struct weir_board *b, uint16_t place)
{
    uint32_t i = board_index(b, place), edge = b->edge == WEIRI_BOARD_NONE ? b->count : board_index(b, b->edge);
    if (i >= edge) {
        b->above += board_len(board_in(b, place));
        b->above_runs += 1;
        b->above_runs -= i > edge && board_is(b, i - 1, WEIRI_SENT_SACKED);
        b->above_runs -= board_is(b, i + 1, WEIRI_SENT_SACKED);
    }
}

/* The edge moves up by one record. */
static void sack_pass_edge(struct weir_board *b)
{
    uint32_t i = board_index(b, b->edge);
    if (b->above > 0 && board_is(b, i, WEIRI_SENT_SACKED)) {
        b->above -= board_len(board_at(b, i));
        b->above_runs -= !board_is(b, i + 1, WEIRI_SENT_SACKED);
    }
    b->edge = i + 1 < b->count ? board_place(b, i + 1) : WEIRI_BOARD_NONE;
}

/* The edge goes back to the bottom. There are records. */
static void sack_recount(struct weir_board *b)
{
    b->edge = b->head;
    b->above = b->sacked;
    b->above_runs = 0;
    for (uint32_t i = 0; i < b->count && b->sacked > 0; i++) {
        b->above_runs += board_is(b, i, WEIRI_SENT_SACKED) && !board_is(b, i + 1, WEIRI_SENT_SACKED);
    }
}

/* ---- states ----------------------------------------------------------------------------------------------------------------------- */

static void sack_count(struct weir_board *b, uint8_t state, uint32_t octets)
{
    b->sacked += state == (uint8_t)WEIRI_SENT_SACKED ? octets : 0;
    b->lost += state == (uint8_t)WEIRI_SENT_LOST ? octets : 0;
    b->resent += state == (uint8_t)WEIRI_SENT_RESENT ? octets : 0;
}

/* Changes a state, and what is kept of it elsewhere. What was SACKED comes first in order of transmission: it is LOST then. */
static void sack_mark(struct weir_board *b, uint16_t place, enum weiri_sent_state state)
{
    struct weir_sent *r = board_in(b, place);
    uint8_t was = r->state;
    sack_count(b, was, 0u - board_len(r));
    sack_count(b, (uint8_t)state, board_len(r));
    sack_take_bits(b, place, was);
    sack_put_bits(b, place, (uint8_t)state);
    r->state = (uint8_t)state;
    if (was == (uint8_t)WEIRI_SENT_SACKED) {
        board_link(b, place, WEIRI_BOARD_NONE);
        b->mixed = 1;
    } else if (state == WEIRI_SENT_SACKED) {
        board_unlink(b, place);
        sack_count_above(b, place);
    }
}

/* Nothing is kept of the record any more but its counts. */
static void sack_forget(struct weir_board *b, uint16_t place)
{
    uint8_t state = board_in(b, place)->state;
    sack_take_bits(b, place, state);
    if (state != (uint8_t)WEIRI_SENT_SACKED) {
        board_unlink(b, place);
    }
}

/* A record goes to a place that is free. */
static void sack_carry(struct weir_board *b, uint16_t from, uint16_t to)
{
    struct weir_sent *r = board_in(b, to);
    *r = *board_in(b, from);
    sack_take_bits(b, from, r->state);
    sack_put_bits(b, to, r->state);
    if (r->state != (uint8_t)WEIRI_SENT_SACKED) {
        *board_newer(b, r->older) = to;
        *board_older(b, r->newer) = to;
    }
    b->late = b->late == from ? to : b->late;
    b->ahead = b->ahead == from ? to : b->ahead;
    b->edge = b->edge == from ? to : b->edge;
}

/* ---- room -------------------------------------------------------------------------------------------------------------------------- */

static bool sack_spend(struct weir_board *b, uint32_t moves)
{
    bool may = moves <= b->credit;
    b->credit -= may ? moves : 0;
    return may;
}

/* What a board begins with, and never exceeds: it could join all once, and split in the middle twice; more where that is little. */
static uint32_t sack_credit_max(const struct weir_board *b)
{
    return 2u * b->cap + 1024;
}

/* The neighbour above becomes part of the record at `place`. Of the two times the later stays, of the two counts the greater: both err
 * towards too few samples of the round-trip time, never towards false ones. */
static void sack_fold(struct weir_board *b, uint16_t place, uint16_t above)
{
    struct weir_sent *r = board_in(b, place);
    weir_seq from = r->from, to = board_in(b, above)->to;
    uint8_t tries = r->tries > board_in(b, above)->tries ? r->tries : board_in(b, above)->tries;
    bool later = (int32_t)(board_in(b, above)->sent_at - r->sent_at) > 0;
    sack_forget(b, later ? place : above);
    if (later) {
        sack_carry(b, above, place);
    }
    r->from = from;
    r->to = to;
    r->tries = tries;
}

/* One pass that makes one record out of every two like neighbours. Pairs, not whole runs: times stay as fine as memory allows,
 * and half of it is free again, so that a pass is rare. False: there were none. */
static bool sack_pair(struct weir_board *b)
{
    uint32_t kept = 0, i = 0;
    for (; i < b->count; kept++) {
        uint16_t place = board_place(b, i++), to = board_place(b, kept);
        if (i < b->count && board_at(b, i)->state == board_in(b, place)->state) {
            sack_fold(b, place, board_place(b, i++));
        }
        if (to != place) {
            sack_carry(b, place, to);
        }
    }
    bool joined = kept < b->count;
    b->count = (uint16_t)kept;
    sack_recount(b);
    return joined;
}

/* Room for `want` more records below `limit`. Every pass but the last frees a record at least, and `want` is at most 2. */
static bool sack_room(struct weir_board *b, uint32_t want, uint32_t limit)
{
    while (b->count + want > limit && sack_spend(b, b->count) && sack_pair(b)) {
    }
    return b->count + want <= limit;
}

/* A free place before the record at i, or behind it: the fewer records move, down or up. */
static void sack_make_place(struct weir_board *b, uint32_t i)
{
    WEIR_ASSERT(b->count < b->cap);
    b->count = (uint16_t)(b->count + 1);
    if (i < b->count / 2u) {
        b->head = (uint16_t)(b->head > 0 ? b->head - 1 : b->cap - 1);
        for (uint32_t k = 0; k <= i; k++) {
            sack_carry(b, board_place(b, k + 1), board_place(b, k));
        }
    } else {
        for (uint32_t k = b->count - 1u; k > i + 1; k--) {
            sack_carry(b, board_place(b, k - 1), board_place(b, k));
        }
    }
}

/* The record at i becomes two that meet at this place, inside it. */
static void sack_split(struct weir_board *b, uint32_t i, uint32_t offset)
{
    weir_seq cut = seq_add(board_at(b, 0)->from, offset);
    sack_make_place(b, i);
    struct weir_sent *r = board_at(b, i), *above = board_at(b, i + 1);
    *above = *r;
    r->to = cut;
    above->from = cut;
    sack_put_bits(b, board_place(b, i + 1), above->state);
    if (above->state != (uint8_t)WEIRI_SENT_SACKED) {
        board_link(b, board_place(b, i + 1), board_place(b, i));
    }
}

/* The index of the record that begins at this place. Where that needs a split, which there is no room or no credit for, the one around the
 * place (`up` false) or the one after it (`up` true). Only a peer's blocks need credit. */
static uint32_t sack_cut(struct weir_board *b, uint32_t offset, uint32_t limit, bool up)
{
    if (offset >= b->octets) {
        return b->count;
    }
    uint32_t i = board_find(b, offset);
    if (board_offset(b, board_at(b, i)->from) == offset) {
        return i;
    }
    if (b->count < limit && (limit == b->cap || sack_spend(b, base_min32(i, b->count - i)))) {
        sack_split(b, i, offset);
        return i + 1;
    }
    return up ? i + 1 : i;
}

/* Is this place within a record, not between two? */
static bool sack_within(const struct weir_board *b, uint32_t offset)
{
    return offset < b->octets && board_offset(b, board_at(b, board_find(b, offset))->from) != offset;
}

/* The records that make up the places [from, to). On a board without room for splits: a few more octets on either side
 * (`outward`), or fewer, or none. */
static struct sack_range sack_carve(struct weir_board *b, uint32_t from, uint32_t to, uint32_t limit, bool outward)
{
    /* Joining may remove a boundary that stood where it is wanted: so both splits are provided for at once. */
    if (b->count + 2u > limit && (sack_within(b, from) || sack_within(b, to))) {
        (void)sack_room(b, 2, limit);
    }
    struct sack_range range;
    range.first = sack_cut(b, from, limit, !outward);
    range.last = sack_cut(b, to, limit, outward);
    return range;
}

/* ---- what others call -------------------------------------------------------------------------------------------------------------- */

static void sack_begin(struct weir_board *b, struct weir_sent *memory, uint16_t cap)
{
    b->sent = memory;
    b->head = 0;
    b->cap = cap;
    if (cap > 0) {
        weiri_bits_fill(board_open(b), cap);
        memset(board_lost(b), 0, weiri_bits_words(cap) * sizeof(uint32_t));
    }
}

WEIR_PRIVATE void weiri_board_init(struct weir_board *b, struct weir_sent *memory, uint16_t cap)
{
    memset(b, 0, sizeof *b);
    sack_begin(b, memory, cap);
    b->first = b->last = b->late = b->ahead = b->edge = WEIRI_BOARD_NONE;
    b->credit = sack_credit_max(b);
}

/* A new record behind the last one; the caller has seen to the room. */
static void sack_append(struct weir_board *b, weir_block run, weir_us now)
{
    uint16_t place = board_place(b, b->count);
    b->count = (uint16_t)(b->count + 1);
    struct weir_sent *r = board_in(b, place);
    r->from = run.from;
    r->to = run.to;
    recovery_stamp(b, r, now);
    r->state = (uint8_t)WEIRI_SENT_FLYING;
    r->tries = 1;
    r->reserved = 0;
    board_link_last(b, place);
    b->edge = b->edge == WEIRI_BOARD_NONE ? place : b->edge;
}

/* `count` more that go with the last, of `size` octets each. */
static void sack_append_like(struct weir_board *b, uint32_t count, uint32_t size)
{
    uint32_t place = b->last;
    struct weir_sent like = *board_in(b, place);
    b->count = (uint16_t)(b->count + count);
    for (; count > 0; count--) {
        like.older = (uint16_t)place;
        place = place + 1 < b->cap ? place + 1 : 0;
        board_in(b, like.older)->newer = (uint16_t)place;
        like.from = like.to;
        like.to = seq_add(like.to, size);
        *board_in(b, place) = like;
    }
    b->last = (uint16_t)place;
}

/* It goes to the end of the order of transmission. */
static void sack_sent_now(struct weir_board *b, uint16_t place, weir_us now)
{
    recovery_stamp(b, board_in(b, place), now);
    board_unlink(b, place);
    board_link_last(b, place);
}

WEIR_PRIVATE bool weiri_board_push(struct weir_board *b, weir_block run, weir_us now)
{
    uint32_t len = seq_diff(run.from, run.to);
    if (len == 0) {
        return true;
    }
    bool room = b->count < board_limit(b);
    if (len >= WEIRI_BOARD_OCTETS_MAX - b->octets || !(room || weiri_board_has_room(b))) {
        return false;
    }
    if (WEIR_NEVER(b->count > 0 && !seq_eq(board_at(b, b->count - 1u)->to, run.from))) {
        return false;
    }
    b->credit = base_min32(b->credit + SACK_PAY, sack_credit_max(b));
    if (room || sack_room(b, 1, board_limit(b))) {
        sack_append(b, run, now);
    } else { /* the last is FLYING, and grows */
        board_at(b, b->count - 1u)->to = run.to;
        sack_sent_now(b, board_place(b, b->count - 1u), now);
    }
    b->octets += len;
    return true;
}

WEIR_PRIVATE uint32_t weiri_board_push_many(struct weir_board *b, weir_seq from, uint32_t size, uint32_t count, weir_us now)
{
    uint32_t limit = board_limit(b), most = b->count < limit ? base_min32(count, limit - b->count) : 0;
    if (most == 0 || (uint64_t)count * size >= WEIRI_BOARD_OCTETS_MAX - b->octets) {
        return 0;
    }
    weir_block first = {from, seq_add(from, size)};
    sack_append(b, first, now);
    sack_append_like(b, most - 1, size);
    b->credit = base_min32(b->credit + most * SACK_PAY, sack_credit_max(b));
    b->octets += most * size;
    return most * size;
}

WEIR_PRIVATE bool weiri_board_has_room(const struct weir_board *b)
{
    return b->count < board_limit(b) || board_is(b, b->count - 1u, WEIRI_SENT_FLYING);
}

/* The first record leaves, or the first `len` octets of it. */
static void sack_leave(struct weir_board *b, uint32_t len)
{
    struct weir_sent *r = board_at(b, 0);
    bool edge = b->edge == b->head, sacked = r->state == (uint8_t)WEIRI_SENT_SACKED;
    sack_count(b, r->state, 0u - len);
    b->octets -= len;
    if (len < board_len(r)) {
        b->above -= edge && sacked ? len : 0;
        r->from = seq_add(r->from, len);
        return;
    }
    if (edge) {
        sack_pass_edge(b);
    }
    sack_forget(b, b->head);
    b->head = board_place(b, 1);
    b->count = (uint16_t)(b->count - 1);
    if (b->count == 0) {
        b->head = 0;
        b->mixed = 0;
    }
}

WEIR_PRIVATE struct weiri_acked weiri_board_ack(struct weir_board *b, weir_seq ack, weir_us now)
{
    struct weiri_acked acked = {0, 0, false, 0};
    if (b->count == 0 || board_offset(b, ack) > b->octets) {
        return acked;
    }
    uint32_t left = board_offset(b, ack);
    bool again = false; /* octets sent more than once are among them: what time they took is not known (RFC 6298 3) */
    while (left > 0) {  /* at most `count` records */
        const struct weir_sent *r = board_at(b, 0);
        uint32_t len = base_min32(left, board_len(r));
        bool whole = len == board_len(r), sacked = r->state == (uint8_t)WEIRI_SENT_SACKED;
        acked.octets += len;
        acked.sacked += sacked ? len : 0;
        if (!sacked) {
            again = again || r->tries > 1;
            acked.sampled = acked.sampled || whole;
            acked.rtt_us = whole ? (uint32_t)now - r->sent_at : acked.rtt_us;
        }
        sack_leave(b, len);
        left -= len;
    }
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
    uint32_t from = board_offset(b, block.from), to = board_offset(b, block.to);
    if (from == 0 || from >= to || to > b->octets) {
        return 0;
    }
    /* Most blocks only repeat; and what is known at either end needs no splitting. */
    uint32_t first = board_find(b, from), last = board_find(b, to - 1);
    if (board_next(b, board_open(b), first) > last) {
        return 0;
    }
    from = board_is(b, first, WEIRI_SENT_SACKED) ? board_offset(b, board_at(b, first)->to) : from;
    to = board_is(b, last, WEIRI_SENT_SACKED) ? board_offset(b, board_at(b, last)->from) : to;
    struct sack_range range = sack_carve(b, from, to, board_limit(b), false);
    uint32_t before = b->sacked, i = board_next(b, board_open(b), range.first);
    for (; i < range.last; i = board_next(b, board_open(b), i + 1)) { /* each of them once until it leaves */
        sack_mark(b, board_place(b, i), WEIRI_SENT_SACKED);
    }
    if (b->sacked > before && !weiri_board_has_room(b)) {
        (void)sack_room(b, 1, board_limit(b));
    }
    return b->sacked - before;
}

WEIR_PRIVATE uint32_t weiri_board_detect(struct weir_board *b, uint32_t mss)
{
    uint32_t before = b->lost, enough = 2 * base_min32(mss, 65535);
    while (b->edge != WEIRI_BOARD_NONE) { /* it only moves up */
        if (board_in(b, b->edge)->state == (uint8_t)WEIRI_SENT_FLYING) {
            if (b->above_runs < 3 && b->above <= enough) {
                break; /* those above it have no more above them */
            }
            sack_mark(b, b->edge, WEIRI_SENT_LOST);
        }
        sack_pass_edge(b);
    }
    return b->lost - before;
}

#if WEIR_WITH_LAST_RESORT
WEIR_PRIVATE uint32_t weiri_board_guess(struct weir_board *b, uint32_t mss, bool rescue)
{
    uint32_t before = b->lost;
    if (b->above > 0) {
        sack_mark(b, b->edge, WEIRI_SENT_LOST);
    } else if (rescue && board_is(b, b->count - 1u, WEIRI_SENT_FLYING)) {
        uint32_t len = base_min32(mss, board_len(board_at(b, b->count - 1u)));
        sack_mark(b, board_place(b, sack_carve(b, b->octets - len, b->octets, b->cap, true).first), WEIRI_SENT_LOST);
    }
    return b->lost - before;
}
#endif

WEIR_PRIVATE uint32_t weiri_board_lose_head(struct weir_board *b, uint32_t mss)
{
    uint32_t before = b->lost, end = base_min32(mss, b->octets);
    for (uint32_t i = 0; i < b->count && board_offset(b, board_at(b, i)->from) < end; i++) { /* mss: a record has an octet at least */
        if (board_is(b, i, WEIRI_SENT_SACKED)) {
            end = board_offset(b, board_at(b, i)->from);
        }
    }
    if (end == 0) {
        return 0;
    }
    struct sack_range range = sack_carve(b, 0, end, b->cap, true);
    for (uint32_t i = range.first; i < range.last; i++) {
        sack_mark(b, board_place(b, i), WEIRI_SENT_LOST);
    }
    return b->lost - before;
}

WEIR_PRIVATE void weiri_board_lose_all(struct weir_board *b)
{
    bool reneged = board_is(b, 0, WEIRI_SENT_SACKED);
    for (uint32_t i = 0; i < b->count; i++) {
        if (reneged || !board_is(b, i, WEIRI_SENT_SACKED)) {
            sack_mark(b, board_place(b, i), WEIRI_SENT_LOST);
        }
    }
    if (reneged) {
        sack_recount(b);
    }
}

WEIR_PRIVATE bool weiri_board_next_lost(const struct weir_board *b, uint32_t max, weir_block *run)
{
    if (b->lost == 0 || max == 0) {
        return false;
    }
    uint32_t i = board_next(b, board_lost(b), 0), len = 0;
    if (WEIR_NEVER(i == b->count)) {
        return false;
    }
    run->from = board_at(b, i)->from;
    while (len < max && board_is(b, i, WEIRI_SENT_LOST) && recovery_join(&len, board_len(board_at(b, i)), max)) {
        i++; /* max: a record has an octet at least */
    }
    run->to = seq_add(run->from, len);
    return true;
}

WEIR_PRIVATE void weiri_board_resent(struct weir_board *b, weir_block run, weir_us now)
{
    if (b->count == 0) {
        return;
    }
    uint32_t from = board_offset(b, run.from), to = board_offset(b, run.to);
    if (from >= to || to > b->octets) {
        return;
    }
    struct sack_range range = sack_carve(b, from, to, b->cap, true);
    for (uint32_t i = range.first; i < range.last; i++) {
        struct weir_sent *r = board_at(b, i);
        r->tries = (uint8_t)(r->tries + (r->tries < UINT8_MAX));
        if (r->state == (uint8_t)WEIRI_SENT_SACKED) {
            recovery_stamp(b, r, now);
        } else {
            sack_mark(b, board_place(b, i), WEIRI_SENT_RESENT);
            sack_sent_now(b, board_place(b, i), now);
        }
    }
}

WEIR_PRIVATE uint32_t weiri_board_pipe(const struct weir_board *b)
{
    return b->octets - b->sacked - b->lost;
}

WEIR_PRIVATE bool weiri_board_walk(const struct weir_board *b, weir_block run, uint32_t *i, struct weir_sent *part)
{
    if (*i == 0 && (b->count == 0 || board_offset(b, run.from) >= b->octets || board_offset(b, run.to) > b->octets)) {
        return false;
    }
    *i = *i > 0 ? *i : board_find(b, board_offset(b, run.from));
    *i = board_is(b, *i, WEIRI_SENT_SACKED) ? board_next(b, board_open(b), *i) : *i;
    if (*i >= b->count || board_offset(b, board_at(b, *i)->from) >= board_offset(b, run.to)) {
        return false;
    }
    *part = *board_at(b, (*i)++);
    part->from = seq_max(part->from, run.from);
    part->to = seq_min(part->to, run.to);
    return true;
}

WEIR_PRIVATE const struct weir_sent *weiri_board_record(const struct weir_board *b, uint32_t i)
{
    return board_at(b, i);
}

WEIR_PRIVATE const struct weir_sent *weiri_board_next(const struct weir_board *b)
{
    return b->ahead == WEIRI_BOARD_NONE ? NULL : board_in(b, b->ahead);
}

WEIR_PRIVATE void weiri_board_pass(struct weir_board *b)
{
    b->ahead = board_in(b, b->ahead)->newer;
}

WEIR_PRIVATE const struct weir_sent *weiri_board_oldest(struct weir_board *b)
{
    while (b->late != b->ahead && board_in(b, b->late)->state == (uint8_t)WEIRI_SENT_LOST) { /* it only moves on */
        b->late = board_in(b, b->late)->newer;
    }
    return b->late == b->ahead ? NULL : board_in(b, b->late);
}

/* Little is LOST out of turn: the first record at a timeout. */
WEIR_PRIVATE const struct weir_sent *weiri_board_newest(struct weir_board *b)
{
    if (weiri_board_oldest(b) == NULL) {
        return NULL;
    }
    uint16_t place = *board_older(b, b->ahead);
    while (board_in(b, place)->state == (uint8_t)WEIRI_SENT_LOST) {
        place = board_in(b, place)->older;
    }
    return board_in(b, place);
}

WEIR_PRIVATE void weiri_board_lose(struct weir_board *b)
{
    if (weiri_board_oldest(b) != NULL) {
        sack_mark(b, b->late, WEIRI_SENT_LOST);
    }
}

WEIR_PRIVATE void weiri_board_lose_first(struct weir_board *b)
{
    if (b->count > 0 && !board_is(b, 0, WEIRI_SENT_SACKED)) {
        sack_mark(b, b->head, WEIRI_SENT_LOST);
    }
}

WEIR_PRIVATE void weiri_board_unlose(struct weir_board *b)
{
    if (b->count == 0) {
        return; /* there may be no memory at all */
    }
    uint32_t i = board_next(b, board_lost(b), 0);
    for (; i < b->count; i = board_next(b, board_lost(b), i + 1)) {
        sack_mark(b, board_place(b, i), board_at(b, i)->tries > 1 ? WEIRI_SENT_RESENT : WEIRI_SENT_FLYING);
    }
    b->late = b->ahead = b->first;
    sack_recount(b);
}

static uint16_t sack_renamed(const struct weir_board *b, uint16_t place)
{
    return place == WEIRI_BOARD_NONE ? WEIRI_BOARD_NONE : (uint16_t)board_index(b, place);
}

WEIR_PRIVATE void weiri_board_move(struct weir_board *b, struct weir_sent *memory, uint16_t cap)
{
    if (WEIR_NEVER(cap < b->count)) {
        return;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        memory[i] = *board_at(b, i);
        memory[i].older = sack_renamed(b, memory[i].older);
        memory[i].newer = sack_renamed(b, memory[i].newer);
    }
    b->first = sack_renamed(b, b->first);
    b->last = sack_renamed(b, b->last);
    b->late = sack_renamed(b, b->late);
    b->ahead = sack_renamed(b, b->ahead);
    b->edge = sack_renamed(b, b->edge);
    sack_begin(b, memory, cap);
    for (uint32_t i = 0; i < b->count; i++) {
        sack_put_bits(b, i, memory[i].state);
    }
}

#undef SACK_PAY

#endif /* WEIR_WITH_LARGE_BOARD */
