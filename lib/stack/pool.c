/* pool.c - which of a fixed number of equal things are free.
 *
 * Knows how many there are; knows nothing of what they are for. */
#include "stack/room.h"

WEIR_PRIVATE void weiri_pool_init(struct weiri_pool *p, uint32_t *next, uint32_t cap)
{
    p->next = next;
    p->free = WEIRI_NONE;
    p->fresh = 0;
    p->used = 0;
    p->cap = cap;
}

WEIR_PRIVATE uint32_t weiri_pool_take(struct weiri_pool *p)
{
    uint32_t i = p->free;
    if (i != WEIRI_NONE) {
        p->free = p->next[i];
    } else if (p->fresh < p->cap) {
        i = p->fresh++;
    } else {
        return WEIRI_NONE;
    }
    p->used++;
    return i;
}

WEIR_PRIVATE void weiri_pool_give(struct weiri_pool *p, uint32_t i)
{
    WEIR_ASSERT(i < p->fresh && p->used > 0);
    p->next[i] = p->free;
    p->free = i;
    p->used--;
}

WEIR_PRIVATE bool weiri_pool_check(const struct weiri_pool *p)
{
    uint32_t free = 0;
    for (uint32_t i = p->free; i != WEIRI_NONE && free <= p->cap; i = p->next[i]) {
        if (i >= p->fresh) {
            return false;
        }
        free++;
    }
    return p->fresh <= p->cap && free + p->used == p->fresh;
}
