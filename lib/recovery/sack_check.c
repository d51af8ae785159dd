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

/* What the board keeps count of, counted anew in one walk: this runs after every call under every fuzzer. */
struct sack_counts {
    uint32_t octets[4]; /* by state */
    uint32_t above, above_runs, closed;
    bool past, run; /* the edge is passed; the record before this one is SACKed above it */
};

static const char *sack_check_count(struct sack_counts *n, const struct weir_board *b, const struct weir_sent *r, uint16_t place)
{
    bool sacked = r->state == (uint8_t)WEIRI_SENT_SACKED, lost = r->state == (uint8_t)WEIRI_SENT_LOST;
    n->past = n->past || b->edge == place;
    bool above = n->past && sacked;
    n->octets[r->state] += board_len(r);
    n->closed += sacked;
    n->above += above ? board_len(r) : 0;
    n->above_runs += above && !n->run;
    n->run = above;
    if (!n->past && r->state == (uint8_t)WEIRI_SENT_FLYING) {
        return "board: something flies below the edge";
    }
    bool same = sack_check_bit(board_open(b), place) != sacked && sack_check_bit(board_lost(b), place) == lost;
    return same ? NULL : "board: bits differ from the records";
}

static bool sack_check_same(const struct sack_counts *n, const struct weir_board *b)
{
    bool same = n->octets[WEIRI_SENT_SACKED] == b->sacked && n->octets[WEIRI_SENT_LOST] == b->lost;
    same = same && n->octets[WEIRI_SENT_RESENT] == b->resent;
    return same && n->above == b->above && n->above_runs == b->above_runs;
}

/* Each record, that they cover [una, nxt), and the counts. */
static const char *sack_check_records(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    struct sack_counts n;
    memset(&n, 0, sizeof n);
    weir_seq at = una;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct weir_sent *r = board_at(b, i);
        const char *wrong = sack_check_record(r);
        if (wrong == NULL && !seq_eq(r->from, at)) {
            wrong = "board: records are not contiguous from SND.UNA on";
        }
        wrong = wrong != NULL ? wrong : sack_check_count(&n, b, r, board_place(b, i));
        if (wrong != NULL) {
            return wrong;
        }
        at = r->to;
    }
    if (!seq_eq(at, nxt) || b->octets != seq_diff(una, nxt) || b->octets >= WEIRI_BOARD_OCTETS_MAX) {
        return "board: records do not end at SND.NXT";
    }
    if (n.closed != sack_check_closed(b)) {
        return "board: bits differ from the records";
    }
    return sack_check_same(&n, b) ? NULL : "board: counters differ from the records";
}

static const char *sack_check_order(const struct weir_board *b)
{
    uint32_t left = b->count;
    uint16_t older = WEIRI_BOARD_NONE;
    bool late = false, marked = false, flying = (b->sacked | b->lost | b->resent | b->mixed) == 0;
    for (uint16_t place = b->first; place != WEIRI_BOARD_NONE; place = board_in(b, place)->newer) {
        if (left-- == 0 || place >= b->cap || board_in(b, place)->older != older || !sack_check_bit(board_open(b), place)) {
            return "board: the order of transmission is broken";
        }
        if (flying && place != board_place(b, b->count - 1 - left)) {
            return "board: what flies was not sent in order of sequence";
        }
        late = late || place == b->late;
        marked = marked || place == b->ahead;
        if ((marked && !late) || (!late && board_in(b, place)->state != (uint8_t)WEIRI_SENT_LOST)) {
            return "board: marks in the order of transmission are misplaced";
        }
        older = place;
    }
    if (b->count == 0 && b->mixed) {
        return "board: nothing is mixed where nothing is";
    }
    return left == sack_check_closed(b) && older == b->last ? NULL : "board: the order of transmission lacks a record";
}

WEIR_PRIVATE const char *weiri_board_check(const struct weir_board *b, weir_seq una, weir_seq nxt)
{
    if (b->count > b->cap || b->head > b->cap) {
        return "board: records pass the end of their memory";
    }
    const char *wrong = sack_check_records(b, una, nxt);
    return wrong != NULL ? wrong : sack_check_order(b);
}

#endif /* WEIR_WITH_LARGE_BOARD */
