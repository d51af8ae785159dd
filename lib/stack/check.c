/* check.c - every invariant of a stack, for tests. Linear in everything, the only such function of this room. */
#include "stack/room.h"

/* A timer that is due now may be armed for the next microsecond: see weir_stack_expire. */
static bool check_is_late(const weir_stack *s, uint32_t i, const weir_conn *c)
{
    const struct weiri_wheel_node *node = &s->wheel.nodes[i];
    const weir_us due = weir_deadline(c);
    const weir_us late = slot_is_packed(s, i) ? WEIRI_RETRY_US : 1; /* who is packed may have to wait for a record */
    return due != WEIR_FOREVER && (node->next == WEIRI_NONE || (node->at > due && node->at > s->now + late));
}

/* What settling promises; a slot that the user has in hand is exempt until it is settled again, and so is the one that a train goes to. */
static const char *check_settled(const weir_stack *s, uint32_t i, const weir_conn *c)
{
    const struct weiri_slot *slot = &s->slots[i];
    const bool may = weir_state(c) == WEIR_ESTABLISHED; /* then its turn tells */
    if (weir_has_output(c) ? !slot_in(slot, WEIRI_LIST_OUT) : slot_in(slot, WEIRI_LIST_OUT) && !may) {
        return "slot: not queued with output, or queued without";
    }
    if (slot->events != weir_events(c)) {
        return "slot: what it last told is not what is true";
    }
    if (slot_in(slot, WEIRI_LIST_READY) != weiri_slot_is_ready(slot)) {
        return "slot: on the ready list without news, or the other way round";
    }
    if (check_is_late(s, i, c)) {
        return "slot: its timer would come too late";
    }
    if (slot_is(slot, WEIRI_SLOT_LINKED) != (weir_state(c) != WEIR_CLOSED && weir_state(c) != WEIR_LISTEN)) {
        return "slot: found by its sockets when CLOSED, or not found when open";
    }
    return slot_is(slot, WEIRI_SLOT_HALF) && weir_state(c) != WEIR_SYN_RECEIVED ? "slot: half-open in another state" : NULL;
}

/* The one that was left: what is noted of it so that it need not be asked again. */
static const char *check_left(const weir_stack *s, uint32_t i, const weir_conn *c)
{
    const struct weiri_slot *slot = &s->slots[i];
    if (s->told && (slot->events != weir_events(c) || slot_in(slot, WEIRI_LIST_READY) != weiri_slot_is_ready(slot))) {
        return "slot: left as told, and it was told something else";
    }
    return s->hushed && weir_has_output(c) ? "slot: left as silent, with something to send" : NULL;
}

static uint32_t check_block(const weir_stack *s, uint32_t i)
{
    return slot_is_packed(s, i) ? WEIRI_NONE : slot_work(s, i)->block;
}

/* Its rings lie in its piece of the store, or it has neither. */
static bool check_rings(const weir_stack *s, uint32_t i, const weir_conn *c)
{
    const struct weiri_slot *slot = &s->slots[i];
    const struct weiri_store *m = &s->store;
    const uint32_t block = check_block(s, i);
    if (block == WEIRI_NONE) {
        const uintptr_t at = (uintptr_t)c->rx_ring - (uintptr_t)m->octets; /* the user may have given it rings of its own */
        return at >= (uintptr_t)m->units * m->unit && !slot_in(slot, WEIRI_LIST_SPARE);
    }
    if (slot_in(slot, WEIRI_LIST_DIRTY)) {
        return block < m->fresh; /* the user has it in hand */
    }
    if (block >= m->fresh || m->tag[block] >= WEIRI_STORE_ORDERS || slot_in(slot, WEIRI_LIST_NEEDY)) {
        return false;
    }
    const uint8_t *from = m->octets + (size_t)block * m->unit, *to = from + (m->unit << m->tag[block]);
    return from <= c->rx_ring && c->rx_ring + c->rx_size <= to && from <= c->tx_ring && c->tx_ring + c->tx_size <= to;
}

/* Who is packed has nothing to do but to wait. */
static bool check_packed(const weir_stack *s, uint32_t i, const weir_conn *c)
{
    const struct weiri_slot *slot = &s->slots[i];
    const bool busy = slot_in(slot, WEIRI_LIST_OUT) || slot_in(slot, WEIRI_LIST_SPARE);
    return slot_is_packed(s, i) ? !busy && weiri_packable(c) : !slot_rests(s, i);
}

static const char *check_slot(const weir_stack *s, uint32_t i)
{
    const struct weiri_slot *slot = &s->slots[i];
    const weir_conn *c = weiri_rest_look(s, i);
    if (!check_packed(s, i, c)) {
        return "slot: packed, and there is something to do, or taken for packed";
    }
    if (!check_rings(s, i, c) || c->cfg != &s->cfg.tcp) {
        return "slot: rings that were not lent to it, or another's configuration";
    }
    if (slot_in(slot, WEIRI_LIST_SPARE) && !slot_in(slot, WEIRI_LIST_DIRTY) && !weiri_tune_idle(c)) {
        return "slot: rings with something in them among the spare ones";
    }
    if (slot_is(slot, WEIRI_SLOT_LINKED) && weiri_demux_find(s, &c->tuple) != i) {
        return "slot: cannot be found by its sockets";
    }
    if (slot_in(slot, WEIRI_LIST_HALF) != slot_is(slot, WEIRI_SLOT_HALF)) {
        return "slot: half-open and the listener does not know it";
    }
    const char *broken = NULL;
    if (!slot_in(slot, WEIRI_LIST_DIRTY)) {
        broken = s->touched == i ? check_left(s, i, c) : check_settled(s, i, c);
    }
    return broken ? broken : weir_check(c);
}

static const char *check_slots(const weir_stack *s)
{
    uint32_t live = 0, timers = 0, half = 0, holders = 0, busy = 0;
    uint64_t lent = 0;
    for (uint32_t i = 0; i < s->slot_pool.fresh; i++) {
        const struct weiri_slot *slot = &s->slots[i];
        if (!slot_is(slot, WEIRI_SLOT_LIVE)) {
            if (slot->lists || slot->flags || slot_rests(s, i) || s->wheel.nodes[i].next != WEIRI_NONE) {
                return "slot: free, and still in a list or armed";
            }
            continue;
        }
        const char *broken = check_slot(s, i);
        if (broken) {
            return broken;
        }
        live++;
        timers += s->wheel.nodes[i].next != WEIRI_NONE;
        half += slot_is(slot, WEIRI_SLOT_HALF);
        const uint32_t block = check_block(s, i);
        busy += !slot_is_packed(s, i);
        holders += block != WEIRI_NONE;
        lent += block != WEIRI_NONE ? 1u << s->store.tag[block] : 0;
    }
    if (live != s->slot_pool.used || live != s->stats.connections || busy != s->work_pool.used || busy != s->stats.busy) {
        return "stack: connections and records do not add up";
    }
    if (holders != s->holders || lent != s->store.used || lent * s->store.unit != s->stats.ring_octets) {
        return "stack: the rings lent and the memory they take do not add up";
    }
    half += s->stats.syn_records;
    return timers == s->wheel.armed && half == s->stats.half_open ? NULL : "stack: timers or half-open connections do not add up";
}

static const char *check_lists(const weir_stack *s)
{
    if (!weiri_pool_check(&s->slot_pool) || !weiri_pool_check(&s->work_pool) || !weiri_store_check(&s->store)) {
        return "stack: a pool is not in order";
    }
    if (!weiri_list_check(s, &s->out, WEIRI_LIST_OUT) || !weiri_list_check(s, &s->ready, WEIRI_LIST_READY) ||
        !weiri_list_check(s, &s->dirty, WEIRI_LIST_DIRTY) || !weiri_list_check(s, &s->spare, WEIRI_LIST_SPARE) ||
        !weiri_list_check(s, &s->needy, WEIRI_LIST_NEEDY)) {
        return "stack: a list is broken";
    }
    if (s->answers.count > WEIRI_ANSWERS || s->answers.echo_count > WEIRI_ECHOES) {
        return "stack: more replies than there is room";
    }
    return s->stats.half_open <= s->cfg.half_open_max ? NULL : "stack: too many half-open connections";
}

/* What is walked along is checked before whoever walks along it. */
WEIR_API const char *weir_stack_check(const weir_stack *s)
{
    const char *broken = check_lists(s);
    if (!broken) {
        broken = weiri_wheel_check(&s->wheel, s->cfg.connections_max);
    }
    if (!broken) {
        broken = weiri_syn_check(s);
    }
    if (!broken) {
        broken = weiri_demux_check(s);
    }
    if (!broken) {
        broken = check_slots(s);
    }
    if (!broken) {
        broken = weiri_listen_check(s);
    }
    return broken ? broken : weiri_wait_check(s);
}
