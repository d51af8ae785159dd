/* handle.c - what the user does with a connection of the stack: names it, is told of it, takes it in hand, walks away.
 *
 * A handle is a generation and an index; whoever keeps one too long finds nothing, never somebody else's connection. */
#include "stack/room.h"

/* The slot that a handle names, released or not, or WEIRI_NONE. */
static uint32_t handle_slot(const weir_stack *s, weir_handle handle)
{
    const uint32_t i = (uint32_t)handle - 1; /* a listener's bit, or 0, is past every slot */
    if (i >= s->slot_pool.fresh || !slot_is(&s->slots[i], WEIRI_SLOT_LIVE)) {
        return WEIRI_NONE;
    }
    return s->slots[i].generation == (uint32_t)(handle >> 32) ? i : WEIRI_NONE;
}

/* The same for calls that a released handle is too old for. */
static uint32_t handle_user_slot(const weir_stack *s, weir_handle handle)
{
    const uint32_t i = handle_slot(s, handle);
    return i == WEIRI_NONE || slot_is(&s->slots[i], WEIRI_SLOT_RELEASED) ? WEIRI_NONE : i;
}

/* Rounds: whoever is shown goes to the end of the list; meeting one already shown in this round ends it. */
WEIR_API bool weir_stack_ready(weir_stack *s, weir_ready *ready)
{
    weiri_stack_tell(s);
    const uint32_t i = s->ready.head;
    if (i == WEIRI_NONE || s->slots[i].round == s->round) {
        s->round++;
        return false;
    }
    struct weiri_slot *slot = &s->slots[i];
    weiri_list_remove(s, &s->ready, WEIRI_LIST_READY, i);
    weiri_list_push(s, &s->ready, WEIRI_LIST_READY, i);
    slot->round = s->round;
    slot->flags = (uint8_t)(slot->flags | WEIRI_SLOT_SHOWN);
    ready->conn = weiri_slot_handle(s, i);
    ready->listener = slot->listener;
    ready->tag = slot->tag;
    ready->events = slot->events;
    return true;
}

WEIR_API weir_err weir_stack_want(weir_stack *s, weir_handle conn, unsigned events)
{
    const uint32_t i = handle_user_slot(s, conn);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_NOT_EXIST;
    }
    s->slots[i].want = (uint16_t)events;
    weiri_list_push(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    return WEIR_ERR_NONE;
}

WEIR_API weir_err weir_stack_set_tag(weir_stack *s, weir_handle conn, uint64_t tag)
{
    const uint32_t i = handle_user_slot(s, conn);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_NOT_EXIST;
    }
    s->slots[i].tag = tag;
    return WEIR_ERR_NONE;
}

WEIR_API weir_err weir_stack_direct(weir_stack *s, weir_handle conn, bool direct)
{
    const uint32_t i = handle_user_slot(s, conn);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_NOT_EXIST;
    }
    const unsigned others = s->slots[i].flags & ~(unsigned)WEIRI_SLOT_DIRECT;
    s->slots[i].flags = (uint8_t)(others | (direct ? (unsigned)WEIRI_SLOT_DIRECT : 0));
    return WEIR_ERR_NONE;
}

/* Those in hand may rest if need be: what was handed out is good until the next call only. */
static weir_conn *handle_wake(weir_stack *s, uint32_t i)
{
    if (slot_is_packed(s, i) && s->work_pool.used == s->work_pool.cap) {
        weiri_stack_settle(s);
    }
    return weiri_rest_wake(s, i);
}

WEIR_API weir_conn *weir_stack_conn(weir_stack *s, weir_handle conn)
{
    const uint32_t i = handle_user_slot(s, conn);
    if (i != s->touched) { /* it may have what this one needs */
        weiri_slot_untouch(s);
    }
    weir_conn *c = i == WEIRI_NONE ? NULL : handle_wake(s, i);
    if (c) {
        weiri_lend_in_hand(s, i);
        weiri_list_push(s, &s->dirty, WEIRI_LIST_DIRTY, i);
    }
    return c;
}

WEIR_API const weir_conn *weir_stack_peek(const weir_stack *s, weir_handle conn)
{
    const uint32_t i = handle_slot(s, conn);
    return i == WEIRI_NONE ? NULL : weiri_rest_look(s, i);
}

/* All but slot i is settled: what the user has just done to it is looked at when this call ends. */
static void handle_begin(weir_stack *s, uint32_t i, weir_us now)
{
    const bool only = s->dirty.count == 1 && s->dirty.head == i && s->needy.count == 0;
    if (i != s->touched) {
        weiri_slot_untouch(s);
    }
    if (only) {
        s->now = now > s->now ? now : s->now;
        return;
    }
    stack_begin_packet(s, now);
    if (i != s->touched) {
        weiri_slot_untouch(s);
    }
}

WEIR_API weir_err weir_stack_release(weir_stack *s, weir_handle conn, weir_us linger_us, weir_us now)
{
    const uint32_t i = handle_user_slot(s, conn);
    handle_begin(s, i, now);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_NOT_EXIST;
    }
    weir_conn *c = weiri_rest_wake(s, i);
    if (!c) {
        return WEIR_ERR_RESOURCES;
    }
    (void)weir_release(c, linger_us, s->now); /* one that is CLOSED already is left as it is */
    s->slots[i].flags = (uint8_t)(s->slots[i].flags | WEIRI_SLOT_RELEASED);
    weiri_slot_used(s, i);
    return WEIR_ERR_NONE;
}

WEIR_API weir_handle weir_stack_next(const weir_stack *s, weir_handle conn)
{
    for (uint32_t i = (uint32_t)conn; i < s->slot_pool.fresh; i++) { /* index + 1 of the last one shown is the next index */
        if (slot_is(&s->slots[i], WEIRI_SLOT_LIVE)) {
            return weiri_slot_handle(s, i);
        }
    }
    return 0;
}

WEIR_API weir_handle weir_stack_last(const weir_stack *s)
{
    return s->last != WEIRI_NONE ? weiri_slot_handle(s, s->last) : s->last_gone;
}
