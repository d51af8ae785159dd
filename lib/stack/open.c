/* open.c - active OPEN: which local address, which local port. RFC 9293 3.10.1 (MUST-44, MUST-46); RFC 6056 3.3.4. */
#include "stack/room.h"

#define OPEN_TRIES 4096u /* ports looked at by one call; the next call goes on from there */

static bool open_same_family(const weir_addr *a, const weir_addr *b)
{
    return weir_addr_is_v4(a) == weir_addr_is_v4(b);
}

/* The first address of the family (MUST-44); false if there is none. */
static bool open_choose_local(const weir_stack *s, weir_tuple *tuple)
{
    for (unsigned i = 0; i < s->cfg.addr_count; i++) { /* WEIR_STACK_ADDRS_MAX */
        if (open_same_family(&s->cfg.addrs[i], &tuple->remote)) {
            tuple->local = s->cfg.addrs[i];
            return true;
        }
    }
    return false;
}

static bool open_local_ok(const weir_stack *s, const weir_tuple *tuple)
{
    if (!open_same_family(&tuple->local, &tuple->remote)) {
        return false;
    }
    return weiri_addr_is_ours(s, &tuple->local) || (s->cfg.any_destination && weiri_addr_is_peer(s, &tuple->local));
}

/* A peer of ours that is ourselves could only be reached where packets may come from our own address, and never at one socket. */
static bool open_remote_ok(const weir_stack *s, const weir_addr *remote)
{
    return weiri_addr_is_peer(s, remote) && (s->cfg.accept_martians || !weiri_addr_is_ours(s, remote));
}

static weir_err open_judge(const weir_stack *s, weir_tuple *tuple)
{
    if (weir_addr_is_unspecified(&tuple->remote) || tuple->remote_port == 0) {
        return WEIR_ERR_UNSPECIFIED;
    }
    if (!open_remote_ok(s, &tuple->remote)) {
        return WEIR_ERR_ADDRESS;
    }
    if (weir_addr_is_unspecified(&tuple->local)) {
        return open_choose_local(s, tuple) ? WEIR_ERR_NONE : WEIR_ERR_ADDRESS;
    }
    return open_local_ok(s, tuple) ? WEIR_ERR_NONE : WEIR_ERR_ADDRESS;
}

static bool open_is_self(const weir_tuple *tuple)
{
    return tuple->local_port == tuple->remote_port && weir_addr_equal(&tuple->local, &tuple->remote);
}

/* How far a counter moves: 1 to 8, by chance (RFC 6056 3.3.5), so that who shares it cannot count what others have opened. */
static uint32_t open_step(const weir_stack *s, uint32_t counter, uint32_t value)
{
    uint8_t text[9] = {'s'};
    base_put32(text + 1, counter);
    base_put32(text + 5, value);
    return 1u + (uint32_t)(weir_siphash(s->port_key, text, sizeof text) & 7u);
}

/* RFC 6056 3.3.4, algorithm 4, double-hash: where to begin and which counter to use depend, by two keyed hashes, on whom it is for;
 * so ports to one destination follow each other, and say nothing about those to another. */
static bool open_choose_port(weir_stack *s, weir_tuple *tuple)
{
    uint8_t text[WEIRI_SOCKETS_TEXT];
    const size_t len = weiri_sockets_text(text, tuple); /* its own port is 0 yet */
    const uint64_t hash = weir_siphash(s->port_key, text, len);
    const uint32_t which = (uint32_t)(hash >> 32) & s->port_mask;
    uint16_t *counter = &s->port_next[which];
    const uint32_t ports = 1u + s->cfg.port_last - s->cfg.port_first;
    for (uint32_t tries = base_min32(ports, OPEN_TRIES); tries > 0; tries--) {
        tuple->local_port = (uint16_t)(s->cfg.port_first + ((uint32_t)hash % ports + *counter) % ports);
        if (!open_is_self(tuple) && weiri_demux_meet(s, tuple) == WEIRI_NONE) {
            *counter = (uint16_t)((*counter + open_step(s, which, *counter)) % ports);
            return true;
        }
        *counter = (uint16_t)((*counter + 1u) % ports); /* none is passed over while others are taken */
    }
    return false;
}

static weir_err open_port(weir_stack *s, weir_tuple *tuple)
{
    if (tuple->local_port == 0) {
        return open_choose_port(s, tuple) ? WEIR_ERR_NONE : WEIR_ERR_RESOURCES;
    }
    if (open_is_self(tuple)) {
        return WEIR_ERR_ADDRESS;
    }
    return weiri_demux_meet(s, tuple) == WEIRI_NONE ? WEIR_ERR_NONE : WEIR_ERR_EXISTS;
}

WEIR_API weir_err weir_stack_connect(weir_stack *s, const weir_tuple *wanted, weir_handle *conn, weir_us now)
{
    weiri_stack_begin(s, now);
    weir_tuple tuple = *wanted;
    weir_err err = open_judge(s, &tuple);
    if (err == WEIR_ERR_NONE) {
        err = open_port(s, &tuple);
    }
    if (err != WEIR_ERR_NONE) {
        return err;
    }
    const uint32_t i = weiri_slot_open(s, false);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_RESOURCES;
    }
    err = weiri_conn_open(slot_conn(s, i), &tuple, WEIRI_STAGE_OPEN_ACTIVE, s->now);
    if (WEIR_NEVER(err != WEIR_ERR_NONE)) { /* the tuple has been judged */
        weiri_slot_free(s, i);
        return err;
    }
    s->slots[i].flags = (uint8_t)(s->slots[i].flags | WEIRI_SLOT_SHOWN);
    weiri_slot_link(s, i);
    weiri_slot_touch(s, i);
    s->stats.active_opens++;
    *conn = weiri_slot_handle(s, i);
    return WEIR_ERR_NONE;
}

#undef OPEN_TRIES
