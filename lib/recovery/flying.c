/* flying.c - records of which nothing is known but that they were sent: many leave the scoreboard at once, with no look at each.
 *
 * What is neither SACKED nor LOST nor sent again stands in no set, was sent in order of sequence, and the edge is where it begins; but not
 * where a peer took back what it had reported, and that was no loss after all: then the two orders are mixed until the board is empty. */
#include "recovery/recovery.h"

#if WEIR_WITH_LARGE_BOARD

#include "recovery/board.h"

/* How many records lie whole before this place. Mostly one or two, or else many. */
static uint32_t flying_before(const struct weir_board *b, uint32_t offset)
{
    uint32_t i = 0;
    while (i < 3 && i < b->count && board_offset(b, board_at(b, i)->to) <= offset) { /* 3 */
        i++;
    }
    return i < 3 ? i : offset >= b->octets ? b->count : board_find(b, offset);
}

static bool flying_alone(const struct weir_board *b)
{
    return (b->sacked | b->lost | b->resent | b->mixed) == 0;
}

WEIR_PRIVATE uint32_t weiri_board_leave(struct weir_board *b, weir_seq ack, const struct weir_sent **first, const struct weir_sent **last)
{
    if (b->count == 0 || !flying_alone(b) || board_offset(b, ack) > b->octets) {
        return 0;
    }
    uint32_t gone = flying_before(b, board_offset(b, ack));
    if (gone == 0) {
        return 0;
    }
    *first = board_at(b, 0);
    *last = board_at(b, gone - 1);
    WEIR_ASSERT(b->first == b->head);
    uint32_t octets = seq_diff((*first)->from, (*last)->to);
    uint16_t next = gone < b->count ? board_place(b, gone) : WEIRI_BOARD_NONE;
    b->late = b->late != WEIRI_BOARD_NONE && board_index(b, b->late) < gone ? next : b->late;
    b->ahead = b->ahead != WEIRI_BOARD_NONE && board_index(b, b->ahead) < gone ? next : b->ahead;
    b->first = next;
    *board_older(b, next) = WEIRI_BOARD_NONE;
    b->edge = next;
    b->octets -= octets;
    b->count = (uint16_t)(b->count - gone);
    b->head = next == WEIRI_BOARD_NONE ? (uint16_t)0 : next;
    return octets;
}

#if WEIRI_WITH_CALM
WEIR_PRIVATE const struct weir_sent *weiri_board_leave_only(struct weir_board *b)
{
    const struct weir_sent *only = board_in(b, b->head);
    WEIR_ASSERT(b->count == 1 && (b->sacked | b->lost | b->resent) == 0);
    b->octets = 0;
    b->count = 0;
    b->head = 0;
    b->mixed = 0;
    b->first = b->last = b->late = b->ahead = b->edge = WEIRI_BOARD_NONE;
    return only;
}
#endif

#endif /* WEIR_WITH_LARGE_BOARD */
