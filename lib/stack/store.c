/* store.c - memory lent in pieces: a buddy allocator over units, for buffers of connections.
 *
 * A piece is 2^order units and begins at a multiple of that; so its neighbour, its "buddy", always begins a piece too, and two that are
 * free become one again. Units that were never lent lie beyond `fresh` and cost nothing. What is known of a piece stands apart from
 * its octets: those stay as they are until somebody else writes there. Knuth, The Art of Computer Programming 1, 2.5. */
#include "stack/room.h"

#define STORE_FREE 0x80u /* beside the order */

WEIR_PRIVATE void weiri_store_init(struct weiri_store *m)
{
    m->fresh = 0;
    m->used = 0;
    for (unsigned order = 0; order < WEIRI_STORE_ORDERS; order++) { /* the table */
        m->heads[order] = WEIRI_NONE;
    }
}

static void store_link(struct weiri_store *m, uint32_t i, unsigned order)
{
    m->tag[i] = (uint8_t)(order | STORE_FREE);
    m->prev[i] = WEIRI_NONE;
    m->next[i] = m->heads[order];
    if (m->next[i] != WEIRI_NONE) {
        m->prev[m->next[i]] = i;
    }
    m->heads[order] = i;
}

static void store_unlink(struct weiri_store *m, uint32_t i, unsigned order)
{
    if (m->prev[i] == WEIRI_NONE) {
        m->heads[order] = m->next[i];
    } else {
        m->next[m->prev[i]] = m->next[i];
    }
    if (m->next[i] != WEIRI_NONE) {
        m->prev[m->next[i]] = m->prev[i];
    }
}

/* A piece is free: with its buddy it is one of twice the size, if that is free too. */
static void store_join(struct weiri_store *m, uint32_t i, unsigned order)
{
    for (; order + 1 < WEIRI_STORE_ORDERS; order++) { /* the orders */
        const uint32_t size = 1u << order, buddy = i ^ size;
        if (buddy + size > m->fresh || m->tag[buddy] != (order | STORE_FREE)) {
            break;
        }
        store_unlink(m, buddy, order);
        i &= ~size;
    }
    store_link(m, i, order);
}

/* A piece of what was never lent; what is left out for its alignment is free now. */
static uint32_t store_take_fresh(struct weiri_store *m, unsigned order)
{
    const uint32_t size = 1u << order, start = (m->fresh + (size - 1)) & ~(size - 1);
    if (start > m->units || m->units - start < size) {
        return WEIRI_NONE;
    }
    for (unsigned small = 0; m->fresh < start; small++) { /* the orders: each piece is larger than the one before */
        if (m->fresh >> small & 1u) {
            const uint32_t i = m->fresh;
            m->fresh += 1u << small;
            store_join(m, i, small);
        }
    }
    m->fresh = start + size;
    return start;
}

WEIR_PRIVATE uint32_t weiri_store_take(struct weiri_store *m, unsigned order)
{
    unsigned from = order;
    while (from < WEIRI_STORE_ORDERS && m->heads[from] == WEIRI_NONE) { /* the orders */
        from++;
    }
    const uint32_t i = from < WEIRI_STORE_ORDERS ? m->heads[from] : store_take_fresh(m, order);
    if (i == WEIRI_NONE) {
        return WEIRI_NONE;
    }
    if (from < WEIRI_STORE_ORDERS) {
        store_unlink(m, i, from);
        while (from > order) { /* the orders: the upper half stays */
            from--;
            store_link(m, i + (1u << from), from);
        }
    }
    m->tag[i] = (uint8_t)order;
    m->used += 1u << order;
    return i;
}

WEIR_PRIVATE void weiri_store_give(struct weiri_store *m, uint32_t i)
{
    const unsigned order = m->tag[i];
    WEIR_ASSERT(i < m->fresh && order < WEIRI_STORE_ORDERS && m->used >= 1u << order);
    m->used -= 1u << order;
    store_join(m, i, order);
}

WEIR_PRIVATE unsigned weiri_store_order(const struct weiri_store *m, uint64_t octets)
{
    unsigned order = 0;
    while (order < WEIRI_STORE_ORDERS && (uint64_t)m->unit << order < octets) { /* the orders */
        order++;
    }
    return order;
}

static bool store_check_free(const struct weiri_store *m, unsigned order, uint32_t *free)
{
    uint32_t prev = WEIRI_NONE;
    for (uint32_t i = m->heads[order]; i != WEIRI_NONE; i = m->next[i]) { /* ends: nobody has two before it */
        const bool placed = i < m->fresh && (i & ((1u << order) - 1)) == 0;
        if (!placed || m->tag[i] != (order | STORE_FREE) || m->prev[i] != prev) {
            return false;
        }
        prev = i;
        *free += 1u << order;
    }
    return true;
}

WEIR_PRIVATE bool weiri_store_check(const struct weiri_store *m)
{
    uint32_t free = 0;
    for (unsigned order = 0; order < WEIRI_STORE_ORDERS; order++) { /* the table */
        if (!store_check_free(m, order, &free)) {
            return false;
        }
    }
    return m->fresh <= m->units && free + m->used == m->fresh;
}

#undef STORE_FREE
