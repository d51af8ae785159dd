/* board.h - places on the scoreboard, for sack.c and its checker.
 *
 * A record has an index in order of sequence, from 0, and a place in memory, which is a ring. Offsets are counted in octets from the first
 * record's `from`, modulo 2^32, and the board never holds 2^31 of them: one unsigned comparison tells what is inside, and no pair of signed
 * ones can be true both ways.
 */
#ifndef WEIRI_BOARD_H
#define WEIRI_BOARD_H

#include "recovery/recovery.h"

#define WEIRI_BOARD_OCTETS_MAX (UINT32_C(1) << 31) /* the board holds fewer */
#define WEIRI_BOARD_NONE UINT16_MAX                /* no place */

#ifdef WEIR_STEP_HOOK /* for the tests: each look at a record */
void weir_step_hook(void);
#endif

static inline struct weir_sent *board_in(const struct weir_board *b, uint32_t place)
{
#ifdef WEIR_STEP_HOOK
    weir_step_hook();
#endif
    WEIR_ASSERT(place < b->cap);
    return &b->sent[place];
}

static inline uint16_t board_place(const struct weir_board *b, uint32_t i)
{
    uint32_t place = b->head + i;
    return (uint16_t)(place < b->cap ? place : place - b->cap);
}

static inline uint32_t board_index(const struct weir_board *b, uint32_t place)
{
    return place >= b->head ? place - b->head : place + b->cap - b->head;
}

static inline struct weir_sent *board_at(const struct weir_board *b, uint32_t i)
{
    WEIR_ASSERT(i < b->count);
    return board_in(b, board_place(b, i));
}

static inline bool board_is(const struct weir_board *b, uint32_t i, enum weiri_sent_state state)
{
    return i < b->count && board_at(b, i)->state == (uint8_t)state;
}

static inline uint32_t board_len(const struct weir_sent *r)
{
    return seq_diff(r->from, r->to);
}

static inline uint32_t board_offset(const struct weir_board *b, weir_seq s)
{
    return seq_diff(board_at(b, 0)->from, s);
}

/* The record with the octet at this place, which must be on the board: mostly the first, else at most 16 steps. */
static inline uint32_t board_find(const struct weir_board *b, uint32_t offset)
{
    const struct weir_sent *head = board_at(b, 0);
    weir_seq first = head->from;
    uint32_t low = 0, high = b->count - 1u;
    if (offset < board_len(head)) {
        return 0;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seq_diff(first, board_at(b, middle)->to) > offset) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* Behind the records. A place that is free counts as open: what comes and goes without ever being SACKED need not touch the set. */
static inline uint32_t *board_open(const struct weir_board *b)
{
    return (uint32_t *)(void *)(b->sent + b->cap);
}

static inline uint32_t *board_lost(const struct weir_board *b)
{
    return board_open(b) + weiri_bits_words(b->cap);
}

/* Records that pushes and SACK blocks may use. The rest is kept for the splits that retransmission needs: without them a board
 * which the peer's reports have filled could not say which part of a long run was sent again. */
static inline uint32_t board_limit(const struct weir_board *b)
{
    return b->cap - base_min32(2, b->cap / 4u);
}

/* The first record from i on whose bit is set; b->count: none. */
static inline uint32_t board_next(const struct weir_board *b, const uint32_t *set, uint32_t i)
{
    if (i >= b->count) {
        return b->count;
    }
    uint32_t place = board_place(b, i), found = weiri_bits_next(set, b->cap, place);
    if (found == WEIRI_BITS_NONE && place >= b->head) {
        found = weiri_bits_next(set, b->cap, 0);
    }
    uint32_t next = found != WEIRI_BITS_NONE ? board_index(b, found) : b->count;
    return next >= i && next < b->count ? next : b->count;
}

/* The link to the record behind `place`; WEIRI_BOARD_NONE: to the first. */
static inline uint16_t *board_newer(struct weir_board *b, uint16_t place)
{
    return place == WEIRI_BOARD_NONE ? &b->first : &board_in(b, place)->newer;
}

/* The link to the record before `place`; WEIRI_BOARD_NONE: to the last. */
static inline uint16_t *board_older(struct weir_board *b, uint16_t place)
{
    return place == WEIRI_BOARD_NONE ? &b->last : &board_in(b, place)->older;
}

/* ---- the order of transmission ------------------------------------------------------------------------------------------------ */

/* Puts it behind `older`. */
static inline void board_link(struct weir_board *b, uint16_t place, uint16_t older)
{
    uint16_t newer = *board_newer(b, older);
    board_in(b, place)->older = older;
    board_in(b, place)->newer = newer;
    *board_newer(b, older) = place;
    *board_older(b, newer) = place;
}

static inline void board_link_last(struct weir_board *b, uint16_t place)
{
    board_in(b, place)->older = b->last;
    board_in(b, place)->newer = WEIRI_BOARD_NONE;
    *board_newer(b, b->last) = place;
    b->last = place;
    b->late = b->late == WEIRI_BOARD_NONE ? place : b->late;
    b->ahead = b->ahead == WEIRI_BOARD_NONE ? place : b->ahead;
}

static inline void board_unlink(struct weir_board *b, uint16_t place)
{
    struct weir_sent *r = board_in(b, place);
    *board_newer(b, r->older) = r->newer;
    *board_older(b, r->newer) = r->older;
    b->late = b->late == place ? r->newer : b->late;
    b->ahead = b->ahead == place ? r->newer : b->ahead;
    r->older = r->newer = WEIRI_BOARD_NONE;
}

#endif /* WEIRI_BOARD_H */
