/* lend.c - which connection has which rings: lent at open, larger ones when the path asks, taken back from whoever is idle.
 *
 * All rings of a stack come from one store of fixed size. When it gets scarce: first rings go before larger ones, for which memory is
 * kept back; nobody gets more than half of what is free, so that who comes late gets less, but not nothing; and rings with nothing in
 * them go back, those first whose connection was quiet longest. Knows no segments; how large rings should be is conn/tune.c's affair. */
#include "stack/room.h"

#define LEND_TURNS 8u              /* rings taken back for one loan at most */
#define LEND_QUIET_US 1000000u     /* for larger rings only of connections that have been quiet so long */

static uint32_t lend_free(const weir_stack *s)
{
    return s->store.units - s->store.used;
}

static void lend_count(weir_stack *s)
{
    s->stats.ring_octets = (uint64_t)s->store.used * s->store.unit;
    s->stats.ring_octets_peak = s->stats.ring_octets > s->stats.ring_octets_peak ? s->stats.ring_octets : s->stats.ring_octets_peak;
}

static void lend_give(weir_stack *s, uint32_t block)
{
    weiri_store_give(&s->store, block);
    lend_count(s);
}

/* The block is large enough for them. */
static void lend_carve(weir_stack *s, uint32_t block, weir_sizes sizes, weir_buffers *b)
{
    const size_t len = s->store.unit << s->store.tag[block];
    lend_count(s);
    const bool carved = weir_buffers_carve(b, s->store.octets + (size_t)block * s->store.unit, len, sizes);
    WEIR_ASSERT(carved);
    (void)carved;
}

/* Do its rings lie in the store? */
static bool lend_is_here(const weir_stack *s, const struct weiri_work *work)
{
    const uintptr_t at = (uintptr_t)work->conn.rx_ring, from = (uintptr_t)s->store.octets;
    return at >= from && at - from < (uintptr_t)s->store.units * s->store.unit;
}

WEIR_PRIVATE bool weiri_lend_holds(const weir_stack *s, uint32_t i)
{
    const struct weiri_work *work = slot_work(s, i);
    return work->block != WEIRI_NONE && lend_is_here(s, work);
}

/* ---- taking back ----------------------------------------------------------------------------------------------------------------- */

static void lend_end(weir_stack *s, uint32_t i)
{
    struct weiri_work *work = slot_work(s, i);
    if (work->block != WEIRI_NONE) {
        lend_give(s, work->block);
        work->block = WEIRI_NONE;
        s->holders--;
    }
}

/* The rings of whoever has been quiet longest, if since before `until`. */
static bool lend_reclaim(weir_stack *s, weir_us until)
{
    const uint32_t i = s->spare.head;
    if (i == WEIRI_NONE || slot_work(s, i)->quiet_at > until) {
        return false;
    }
    weir_buffers none;
    memset(&none, 0, sizeof none);
    const weir_err err = weir_set_buffers(slot_conn(s, i), &none, s->now);
    WEIR_ASSERT(err == WEIR_ERR_NONE); /* nothing is in them */
    (void)err;
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i);
    lend_end(s, i);
    s->stats.rings_reclaimed++;
    weiri_slot_tell(s, i, weir_events(slot_conn(s, i)));
    weiri_rest_settle(s, i);
    return true;
}

WEIR_PRIVATE bool weiri_lend_reclaim(weir_stack *s)
{
    return lend_reclaim(s, s->now);
}

WEIR_PRIVATE void weiri_lend_return(weir_stack *s, uint32_t i)
{
    lend_end(s, i);
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i);
    weiri_list_remove(s, &s->needy, WEIRI_LIST_NEEDY, i);
}

/* ---- first rings ----------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE bool weiri_lend_possible(const weir_stack *s)
{
    return lend_free(s) > 0 || s->spare.count > 0;
}

WEIR_PRIVATE bool weiri_lend_first(weir_stack *s, uint32_t i, weir_buffers *b)
{
    uint32_t block = weiri_store_take(&s->store, 0);
    if (block == WEIRI_NONE && lend_reclaim(s, s->now)) {
        block = weiri_store_take(&s->store, 0);
    }
    if (block == WEIRI_NONE) {
        return false;
    }
    slot_work(s, i)->block = block;
    s->holders++;
    lend_carve(s, block, s->cfg.rings, b);
    return true;
}

static bool lend_sends(const weir_conn *c)
{
    const bool open = c->state == WEIR_ESTABLISHED || c->state == WEIR_CLOSE_WAIT || conn_opening(c);
    return open && !conn_has(c, WEIRI_FIN_QUEUED) && c->state != WEIR_CLOSED && c->state != WEIR_LISTEN;
}

WEIR_PRIVATE void weiri_lend_ensure(weir_stack *s, uint32_t i)
{
    const struct weiri_work *work = slot_work(s, i);
    weir_buffers b;
    if (work->block != WEIRI_NONE || work->conn.tx_size > 0) {
        return;
    }
    if (weiri_lend_first(s, i, &b)) {
        (void)weir_set_buffers(slot_conn(s, i), &b, s->now);
        weiri_list_remove(s, &s->needy, WEIRI_LIST_NEEDY, i);
    } else if (!slot_in(&s->slots[i], WEIRI_LIST_NEEDY)) {
        weiri_list_push(s, &s->needy, WEIRI_LIST_NEEDY, i);
        s->stats.rings_missing++;
    }
}

WEIR_PRIVATE void weiri_lend_in_hand(weir_stack *s, uint32_t i)
{
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i); /* the user may hold pointers into them */
    if (lend_sends(slot_conn(s, i))) {
        weiri_lend_ensure(s, i);
    }
}

/* ---- larger rings ---------------------------------------------------------------------------------------------------------------- */

/* Memory that larger rings may not take: as much as the connections without rings could need, but not more than half of all. */
static bool lend_may_grow(const weir_stack *s, unsigned order)
{
    const uint32_t size = 1u << order, free = lend_free(s);
    const uint32_t reserve = base_min32(s->cfg.connections_max - s->holders, s->store.units / 2);
    return size <= free / 2 && free - size >= reserve;
}

static uint32_t lend_take_larger(weir_stack *s, unsigned order)
{
    const weir_us until = s->now > LEND_QUIET_US ? s->now - LEND_QUIET_US : 0;
    for (unsigned turn = 0; turn < LEND_TURNS; turn++) {
        const uint32_t block = lend_may_grow(s, order) ? weiri_store_take(&s->store, order) : WEIRI_NONE;
        if (block != WEIRI_NONE || !lend_reclaim(s, until)) {
            return block;
        }
    }
    return WEIRI_NONE;
}

static bool lend_larger(weir_stack *s, uint32_t i, weir_sizes sizes)
{
    struct weiri_work *work = slot_work(s, i);
    const unsigned order = weiri_store_order(&s->store, weir_buffers_size(sizes));
    WEIR_ASSERT(order < WEIRI_STORE_ORDERS); /* from the smallest to the largest there are fewer doublings */
    const uint32_t block = lend_take_larger(s, order);
    weir_buffers b;
    if (block == WEIRI_NONE) {
        return false;
    }
    lend_carve(s, block, sizes, &b);
    (void)weir_set_buffers(&work->conn, &b, s->now); /* none is smaller */
    lend_give(s, work->block);
    work->block = block;
    s->stats.rings_grown++;
    return true;
}

/* What is wanted, or as much of it as there is. */
WEIR_PRIVATE void weiri_lend_grow(weir_stack *s, uint32_t i)
{
    struct weiri_work *work = slot_work(s, i);
    const weir_conn *c = &work->conn;
    if (work->block == WEIRI_NONE || !weiri_tune_growing(c) || !lend_is_here(s, work)) {
        return;
    }
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i);
    weir_sizes sizes = weir_wanted(c);
    const weir_sizes wanted = sizes;
    bool lent = false;
    while (!lent && (sizes.rx > c->rx_size || sizes.tx > c->tx_size)) { /* halves each turn: at most 23 */
        lent = lend_larger(s, i, sizes);
        if (!lent) {
            sizes.rx = base_max32(sizes.rx / 2, c->rx_size);
            sizes.tx = base_max32(sizes.tx / 2, c->tx_size);
        }
    }
    if (sizes.rx != wanted.rx || sizes.tx != wanted.tx) {
        s->stats.rings_refused += work->refused.rx != wanted.rx || work->refused.tx != wanted.tx;
        work->refused = wanted;
    }
}

/* ---- settling -------------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_lend_settle(weir_stack *s, uint32_t i)
{
    const struct weiri_slot *slot = &s->slots[i];
    struct weiri_work *work = slot_work(s, i);
    const weir_conn *c = &work->conn;
    const bool awaited = (slot->want & (unsigned)WEIR_EV_WRITABLE) && !slot_is(slot, WEIRI_SLOT_RELEASED) && lend_sends(c);
    const bool idle = !awaited && weiri_tune_idle(c);
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i);
    if (!lend_is_here(s, work)) {
        lend_end(s, i); /* the user has given it rings of its own */
    }
    if (work->block == WEIRI_NONE && !idle) {
        weiri_lend_ensure(s, i);
    } else if (work->block == WEIRI_NONE) {
        weiri_list_remove(s, &s->needy, WEIRI_LIST_NEEDY, i); /* not needed any more */
    } else if (idle && !weir_has_output(c)) { /* a larger window shall be told first */
        work->quiet_at = s->now;
        weiri_list_push(s, &s->spare, WEIRI_LIST_SPARE, i);
    }
}

#undef LEND_TURNS
#undef LEND_QUIET_US
