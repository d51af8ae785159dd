/* sack_check.c - the invariants of the scoreboard, for weir_check and the tests. Looks at every record. */
#include "recovery/recovery.h"

#if WEIR_WITH_LARGE_BOARD

#include "recovery/board.h"

/* NULL, or what is wrong with one record by itself. */
static const char *sack_check_record(const struct weir_sent *r)
{
    if (board_len(r) == 0 || board_len(r) >= WEIRI_BOARD_OCTETS_MAX) {
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

/* Each record, and that they cover [una, nxt). */
static const char *sack_check_records(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    weir_seq at = una;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = board_at(b, i);
        const char *wrong = sack_check_record(r);
        if (wrong != NULL) {
            return wrong;
        }
        if (!seq_eq(r->from, at)) {
            return "board: records are not contiguous from SND.UNA on";
        }
        at = r->to;
    }
    bool ends = seq_eq(at, nxt) && b->octets == seq_diff(una, nxt) && b->octets < WEIRI_BOARD_OCTETS_MAX;
    return ends ? NULL : "board: records do not end at SND.NXT";
}

static bool sack_check_bit(const uint32_t *set, uint32_t i)
{
    return set[i / 32] >> i % 32 & 1;
}

/* Places that are not in the set of those that may be sent again. It is counted after every call: words, and of them what is not there. */
static uint32_t sack_check_closed(const struct weir_board *b)
{
    uint32_t closed = 0;
    for (uint32_t i = 0; i < b->cap; i += 32) {
        uint32_t mask = b->cap - i < 32 ? (UINT32_C(1) << (b->cap - i)) - 1 : UINT32_MAX;
        for (uint32_t shut = ~board_open(b)[i / 32] & mask; shut != 0; shut &= shut - 1) {
            closed++;
        }
    }
    return closed;
}

static const char *sack_check_counts(const struct weir_board *b)
{
    struct weir_board fresh;
    memset(&fresh, 0, sizeof fresh);
    bool above = false;
    uint32_t closed = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = board_at(b, i);
        uint16_t place = board_place(b, i);
        bool sacked = r->state == (uint8_t)WEIRI_SENT_SACKED, lost = r->state == (uint8_t)WEIRI_SENT_LOST;
        above = above || b->edge == place;
        fresh.sacked += sacked ? board_len(r) : 0;
        fresh.lost += lost ? board_len(r) : 0;
        fresh.resent += r->state == (uint8_t)WEIRI_SENT_RESENT ? board_len(r) : 0;
        fresh.above += above && sacked ? board_len(r) : 0;
        fresh.above_runs += above && sacked && !board_is(b, i + 1, WEIRI_SENT_SACKED);
        if (!above && r->state == (uint8_t)WEIRI_SENT_FLYING) {
            return "board: something flies below the edge";
        }
        closed += sacked;
        if (sack_check_bit(board_open(b), place) == sacked || sack_check_bit(board_lost(b), place) != lost) {
            return "board: bits differ from the records";
        }
    }
    if (closed != sack_check_closed(b)) {
        return "board: bits differ from the records";
    }
    bool same = fresh.sacked == b->sacked && fresh.lost == b->lost && fresh.resent == b->resent;
    same = same && fresh.above == b->above && fresh.above_runs == b->above_runs;
    return same ? NULL : "board: counters differ from the records";
}

static const char *sack_check_order(const struct weir_board *b)
{
    uint32_t left = b->count;
    uint16_t older = WEIRI_BOARD_NONE;
    bool late = false, marked = false;
    for (uint16_t place = b->first; place != WEIRI_BOARD_NONE; place = board_in(b, place)->newer) {
        if (left-- == 0 || place >= b->cap || board_in(b, place)->older != older || !sack_check_bit(board_open(b), place)) {
            return "board: the order of transmission is broken";
        }
        late = late || place == b->late;
        marked = marked || place == b->ahead;
        if ((marked && !late) || (!late && board_in(b, place)->state != (uint8_t)WEIRI_SENT_LOST)) {
            return "board: marks in the order of transmission are misplaced";
        }
        older = place;
    }
    for (uint32_t i = 0; i < b->count; i++) {
        left -= board_is(b, i, WEIRI_SENT_SACKED);
    }
    return left == 0 && older == b->last ? NULL : "board: the order of transmission lacks a record";
}

WEIR_PRIVATE const char *weiri_board_check(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    if (b->count > b->cap || b->head > b->cap) {
        return "board: records pass the end of their memory";
    }
    const char *wrong = sack_check_records(b, una, nxt);
    wrong = wrong != NULL ? wrong : sack_check_counts(b);
    return wrong != NULL ? wrong : sack_check_order(b);
}

#endif /* WEIR_WITH_LARGE_BOARD */
