/* slot.c - the life of a record that holds a connection: opened, settled after whatever has touched it, freed.
 *
 * "Settled" means: what the stack keeps about a connection (the queue of those with something to send, the timer, the list of those
 * with news for the user, the counts, the table of sockets) says what the connection itself says. It is computed from the
 * connection every time, never carried along, so there is one place to look at. Knows no packets. */
#include "stack/room.h"

#define SLOT_WANT_DEFAULT \
    ((uint32_t)WEIR_EV_READABLE | (uint32_t)WEIR_EV_PEER_FIN | (uint32_t)WEIR_EV_CLOSED | (uint32_t)WEIR_EV_HELD | \
     (uint32_t)WEIR_EV_CONNECTED)

WEIR_PRIVATE weir_handle weiri_slot_handle(const weir_stack *s, uint32_t i)
{
    return (weir_handle)s->slots[i].generation << 32 | (i + 1);
}

static bool slot_begin(weir_stack *s, uint32_t i)
{
    struct weiri_work *work = slot_work(s, i);
    weir_buffers buffers;
    work->quiet_at = 0;
    work->refused.rx = work->refused.tx = 0;
    work->block = WEIRI_NONE;
    const bool lent = weiri_lend_first(s, i, &buffers);
    if (lent) {
        weiri_conn_copy(&work->conn, s->blank, &buffers, s->now);
    }
    return lent;
}

/* Its record and rings go back to where they came from. */
static void slot_end(weir_stack *s, uint32_t i)
{
    if (!slot_is_packed(s, i)) {
        weiri_lend_return(s, i);
        weiri_pool_give(&s->work_pool, s->slots[i].work);
        s->stats.busy = s->work_pool.used;
    } else if (s->rests) {
        s->rests[i].gist.bits = 0;
    }
    weiri_list_remove(s, &s->needy, WEIRI_LIST_NEEDY, i);
    weiri_pool_give(&s->slot_pool, i);
}

WEIR_PRIVATE uint32_t weiri_slot_open(weir_stack *s, bool exists)
{
    const bool fresh = s->slot_pool.free == WEIRI_NONE;
    const uint32_t i = weiri_pool_take(&s->slot_pool);
    if (i == WEIRI_NONE) {
        return WEIRI_NONE;
    }
    struct weiri_slot *slot = &s->slots[i];
    const uint32_t generation = fresh ? 0 : slot->generation;
    if (fresh && s->rests) {
        s->rests[i].gist.bits = 0;
    }
    memset(slot, 0, sizeof *slot);
    slot->generation = generation;
    slot->want = SLOT_WANT_DEFAULT;
    slot->round = s->round - 1;
    slot->work = weiri_rest_take(s, !exists);
    if (slot->work == WEIRI_NONE || !slot_begin(s, i)) { /* all are busy, or there is no memory for its rings */
        slot_end(s, i);
        return WEIRI_NONE;
    }
    slot->flags = WEIRI_SLOT_LIVE;
    s->stats.connections++;
    s->stats.connections_peak = base_max32(s->stats.connections_peak, s->stats.connections);
    return i;
}

static void slot_set(struct weiri_slot *slot, unsigned flag)
{
    slot->flags = (uint8_t)(slot->flags | flag);
}

static void slot_clear(struct weiri_slot *slot, unsigned flag)
{
    slot->flags = (uint8_t)(slot->flags & ~flag);
}

WEIR_PRIVATE void weiri_slot_link(weir_stack *s, uint32_t i)
{
    WEIR_ASSERT(!slot_is(&s->slots[i], WEIRI_SLOT_LINKED));
    weiri_demux_insert(s, i);
    slot_set(&s->slots[i], WEIRI_SLOT_LINKED);
}

static void slot_unlink(weir_stack *s, uint32_t i)
{
    if (slot_is(&s->slots[i], WEIRI_SLOT_LINKED)) {
        weiri_demux_remove(s, i);
        slot_clear(&s->slots[i], WEIRI_SLOT_LINKED);
    }
}

WEIR_PRIVATE void weiri_slot_passive(weir_stack *s, uint32_t i, uint32_t listener)
{
    slot_set(&s->slots[i], WEIRI_SLOT_PASSIVE);
    s->slots[i].listener = weiri_listener_handle(s, listener);
}

WEIR_PRIVATE void weiri_slot_half_open(weir_stack *s, uint32_t i, uint32_t listener)
{
    weiri_slot_passive(s, i, listener);
    slot_set(&s->slots[i], WEIRI_SLOT_HALF);
    weiri_list_push(s, &s->listeners[listener].half, WEIRI_LIST_HALF, i);
    s->stats.half_open++;
    s->stats.half_open_peak = base_max32(s->stats.half_open_peak, s->stats.half_open);
}

WEIR_PRIVATE bool weiri_slot_possible(const weir_stack *s)
{
    return s->slot_pool.used < s->slot_pool.cap && weiri_rest_possible(s) && weiri_lend_possible(s);
}

WEIR_PRIVATE bool weiri_slot_is_unknown(const weir_stack *s, uint32_t i)
{
    const struct weiri_slot *slot = &s->slots[i];
    const unsigned lists = 1u << WEIRI_LIST_HALF | 1u << WEIRI_LIST_SPARE;
    /* not the user's rings */
    const bool own = slot_is_packed(s, i) || slot_work(s, i)->block != WEIRI_NONE || slot_conn(s, i)->rx_size == 0;
    return slot->flags == (WEIRI_SLOT_LIVE | WEIRI_SLOT_LINKED | WEIRI_SLOT_PASSIVE | WEIRI_SLOT_HALF) && slot->tag == 0 &&
           slot->want == SLOT_WANT_DEFAULT && (slot->lists & ~lists) == 0 && s->touched != i && own;
}

/* Half-open connections go before their listener does, so its index is good. */
static void slot_leave_half_open(weir_stack *s, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    const uint32_t listener = ((uint32_t)slot->listener & 0x7fffffffu) - 1;
    weiri_list_remove(s, &s->listeners[listener].half, WEIRI_LIST_HALF, i);
    slot_clear(slot, WEIRI_SLOT_HALF);
    s->stats.half_open--;
}

WEIR_PRIVATE void weiri_slot_free(weir_stack *s, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    WEIR_ASSERT(slot_is(slot, WEIRI_SLOT_LIVE));
    if (slot_is(slot, WEIRI_SLOT_HALF)) {
        slot_leave_half_open(s, i);
    }
    slot_unlink(s, i);
    weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, i);
    weiri_list_remove(s, &s->ready, WEIRI_LIST_READY, i);
    weiri_list_remove(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    weiri_wheel_cancel(&s->wheel, i);
    WEIR_ASSERT(s->touched != i); /* who is, is established, and settled before it goes */
    if (s->last == i) {
        s->last_gone = weiri_slot_handle(s, i);
        s->last = WEIRI_NONE;
    }
    slot->flags = 0;
    slot->generation++;
    slot_end(s, i);
    s->stats.connections--;
}

/* A connection that came through a listener and fell back to LISTEN (3.10.7.4 second and fourth, 3.10.8) has no listener to fall back
 * to: the stack's listener never was this record. If the user knows of it, it becomes CLOSED with a reason. */
static void slot_end_fallen(const struct weiri_slot *slot, weir_conn *c, weir_us now)
{
    if (slot_is(slot, WEIRI_SLOT_PASSIVE) && slot_is(slot, WEIRI_SLOT_SHOWN) && weir_state(c) == WEIR_LISTEN) {
        c->err = (uint8_t)WEIR_ERR_RESET;
        (void)weir_abort(c, now);
    }
}

static void slot_count(weir_stack *s, uint32_t i, unsigned state)
{
    struct weiri_slot *slot = &s->slots[i];
    if (slot_is(slot, WEIRI_SLOT_HALF) && state != WEIR_SYN_RECEIVED) {
        slot_leave_half_open(s, i);
    }
    if (state >= WEIR_ESTABLISHED && !slot_is(slot, WEIRI_SLOT_OPENED)) {
        slot_set(slot, WEIRI_SLOT_OPENED);
        s->stats.established++;
    }
}

/* True if nobody needs the slot any more; what TIME-WAIT needs has moved to a record then. Asked when nothing is left to send. */
static bool slot_finish(weir_stack *s, const struct weiri_slot *slot, const weir_conn *c)
{
    const enum weir_state state = weir_state(c);
    const bool released = slot_is(slot, WEIRI_SLOT_RELEASED);
    if (state == WEIR_CLOSED || state == WEIR_LISTEN) {
        return released || !slot_is(slot, WEIRI_SLOT_SHOWN);
    }
    return state == WEIR_TIME_WAIT && released && weiri_wait_add(s, c);
}

/* The user hears of a connection from a listener when the handshake is done, or at the SYN if the listener holds. */
static bool slot_has_news(const struct weiri_slot *slot, unsigned events)
{
    if (slot_is(slot, WEIRI_SLOT_RELEASED)) {
        return false;
    }
    if (!slot_is(slot, WEIRI_SLOT_SHOWN) && !(events & ((unsigned)WEIR_EV_CONNECTED | (unsigned)WEIR_EV_HELD))) {
        return false;
    }
    return (events & slot->want) != 0;
}

WEIR_PRIVATE bool weiri_slot_is_ready(const struct weiri_slot *slot)
{
    return slot_has_news(slot, slot->events);
}

static void slot_list(weir_stack *s, struct weiri_list *list, enum weiri_list_kind kind, uint32_t i, bool in)
{
    if (in) {
        weiri_list_push(s, list, kind, i);
    } else {
        weiri_list_remove(s, list, kind, i);
    }
}

WEIR_PRIVATE void weiri_slot_tell(weir_stack *s, uint32_t i, unsigned events)
{
    s->slots[i].events = (uint16_t)events;
    slot_list(s, &s->ready, WEIRI_LIST_READY, i, weiri_slot_is_ready(&s->slots[i]));
}

/* Nothing has changed but what the user wants: without WRITABLE it can rest on. */
static bool slot_settle_packed(weir_stack *s, uint32_t i)
{
    const struct weiri_slot *slot = &s->slots[i];
    const bool awaited = (slot->want & (unsigned)WEIR_EV_WRITABLE) && !slot_is(slot, WEIRI_SLOT_RELEASED);
    if (awaited && weiri_rest_wake(s, i)) {
        return false;
    }
    weiri_list_remove(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    weiri_slot_tell(s, i, slot->events);
    slot_list(s, &s->needy, WEIRI_LIST_NEEDY, i, awaited);
    return true;
}

#define SLOT_IN(state, states) (((states) >> (state) & 1u) != 0)
#define SLOT_OPENING (1u << WEIR_SYN_SENT | 1u << WEIR_SYN_RECEIVED)
#define SLOT_OPEN ((1u << WEIR_TIME_WAIT) - (1u << WEIR_ESTABLISHED))

/* Counted as what it is: opening, or established and not yet in TIME-WAIT. */
static inline bool slot_is_counted(const struct weiri_slot *slot, unsigned state)
{
    const unsigned counted = slot->flags & (WEIRI_SLOT_LINKED | WEIRI_SLOT_OPENED | WEIRI_SLOT_HALF);
    if (counted == (WEIRI_SLOT_LINKED | WEIRI_SLOT_OPENED)) {
        return SLOT_IN(state, SLOT_OPEN);
    }
    return (counted & ~(unsigned)WEIRI_SLOT_HALF) == WEIRI_SLOT_LINKED && SLOT_IN(state, SLOT_OPENING);
}

/* And in no list but of those that may send, have news or are half-open: a segment more or less changes little. */
static inline bool slot_is_plain(const struct weiri_slot *slot, unsigned state)
{
    const unsigned settled = 1u << WEIRI_LIST_OUT | 1u << WEIRI_LIST_READY | 1u << WEIRI_LIST_HALF;
    return (slot->lists & ~settled) == 0 && !(slot->want & WEIR_EV_WRITABLE) && slot_is_counted(slot, state);
}

/* Left, and asked only in its turn; or, where it is `asked` now, not if it has nothing to send. */
static void slot_leave(weir_stack *s, uint32_t i, bool asked)
{
    s->touched = i;
    s->told = false;
    s->hushed = asked && !weir_has_output(slot_conn(s, i));
}

WEIR_PRIVATE void weiri_slot_touch(weir_stack *s, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    const unsigned state = slot_conn(s, i)->state, counted = slot->flags & (WEIRI_SLOT_OPENED | WEIRI_SLOT_HALF);
    const bool opened = SLOT_IN(state, SLOT_OPEN) && counted != WEIRI_SLOT_OPENED;
    s->touched = WEIRI_NONE;
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, i); /* its rings may be in use now */
    if (opened) {
        slot_count(s, i, state);
    }
    if (slot_is_plain(slot, state)) {
        slot_leave(s, i, opened);
    } else {
        weiri_slot_settle(s, i);
    }
}

WEIR_PRIVATE void weiri_slot_used(weir_stack *s, uint32_t i)
{
    if (!weiri_lend_holds(s, i)) {
        weiri_slot_settle(s, i);
        return;
    }
    weiri_list_remove(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    weiri_slot_touch(s, i);
    if (s->touched == i) {
        slot_leave(s, i, true);
    }
}

WEIR_PRIVATE void weiri_slot_untouch(weir_stack *s)
{
    if (s->touched != WEIRI_NONE) {
        weiri_slot_settle(s, s->touched);
    }
}

static void slot_arm(weir_stack *s, uint32_t i, const weir_conn *c)
{
    const weir_us at = weir_deadline(c);
    weiri_wheel_arm(&s->wheel, i, at < s->rearm_from ? s->rearm_from : at);
}

/* Its rings are in use, or it has none, needs none and is not to be packed. */
static bool slot_is_steady(const weir_stack *s, const struct weiri_work *work)
{
    return weiri_tune_idle(&work->conn) ? work->block == WEIRI_NONE && !s->cold : work->block != WEIRI_NONE;
}

static void slot_settle_steady(weir_stack *s, uint32_t i, const bool *known)
{
    const weir_conn *c = slot_conn(s, i);
    slot_list(s, &s->out, WEIRI_LIST_OUT, i, known != NULL ? *known : weir_has_output(c));
    weiri_slot_tell(s, i, weir_events(c));
    slot_arm(s, i, c);
}

/* `known`: whether it has something to send, or may have; NULL: that is to be asked. */
static void slot_settle_all(weir_stack *s, uint32_t i, const bool *known)
{
    const struct weiri_slot *slot = &s->slots[i];
    WEIR_ASSERT(slot_is(slot, WEIRI_SLOT_LIVE));
    s->touched = s->touched == i ? WEIRI_NONE : s->touched;
    if (slot_is_packed(s, i) && slot_settle_packed(s, i)) {
        return;
    }
    struct weiri_work *work = slot_work(s, i);
    weir_conn *c = &work->conn;
    if (slot_is_plain(slot, c->state) && slot_is_steady(s, work)) {
        slot_settle_steady(s, i, known);
        return;
    }
    slot_end_fallen(slot, c, s->now);
    weiri_lend_settle(s, i);
    const unsigned events = weir_events(c), state = c->state;
    const bool output = known != NULL ? *known : weir_has_output(c);
    slot_count(s, i, state);
    if (state == WEIR_CLOSED || state == WEIR_LISTEN) {
        slot_unlink(s, i); /* its sockets are free for another connection */
    }
    if (!output && slot_finish(s, slot, c)) {
        weiri_slot_free(s, i);
        return;
    }
    weiri_list_remove(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    slot_list(s, &s->out, WEIRI_LIST_OUT, i, output);
    weiri_slot_tell(s, i, events);
    slot_arm(s, i, c);
    if (s->cold) {
        weiri_rest_settle(s, i);
    }
}

/* Whether an established connection that is queued already has something to send need not be asked: its turn will tell. */
WEIR_PRIVATE void weiri_slot_settle(weir_stack *s, uint32_t i)
{
    const bool queued = true;
    slot_settle_all(s, i, slot_in(&s->slots[i], WEIRI_LIST_OUT) && slot_conn(s, i)->state == WEIR_ESTABLISHED ? &queued : NULL);
}

WEIR_PRIVATE void weiri_slot_settle_silent(weir_stack *s, uint32_t i)
{
    const bool silent = false;
    slot_settle_all(s, i, slot_work(s, i)->block != WEIRI_NONE ? &silent : NULL); /* first rings may let it speak */
}

#undef SLOT_WANT_DEFAULT
#undef SLOT_IN
#undef SLOT_OPENING
#undef SLOT_OPEN
