/* demux.c - from the two sockets of a segment to its connection or small record; which addresses are ours, which can be a peer.
 *
 * A hash table with chains, keyed by the secret so that a peer cannot aim at one chain. A match is a match of all four
 * fields. RFC 9293 3.3.1; addresses: RFC 1122 3.2.1.3, RFC 9293 3.9.2 (MUST-57, MUST-63). */
#include "stack/room.h"

WEIR_PRIVATE void weiri_key_derive(uint8_t key[16], const uint8_t secret[16], const char *label)
{
    uint8_t text[16];
    for (unsigned half = 0; half < 2; half++) {
        size_t len = 0;
        for (; label[len] != '\0'; len++) {
            WEIR_ASSERT(len < sizeof text - 1);
            text[len] = (uint8_t)label[len];
        }
        text[len++] = (uint8_t)('1' + half);
        const uint64_t hash = weir_siphash(secret, text, len);
        base_put32(key + half * 8, (uint32_t)(hash >> 32));
        base_put32(key + half * 8 + 4, (uint32_t)hash);
    }
}

WEIR_PRIVATE void weiri_demux_init(weir_stack *s, uint32_t *heads, uint32_t size, struct weiri_demux_node *nodes)
{
    struct weiri_demux *d = &s->demux;
    d->heads = heads;
    d->nodes = nodes;
    d->size = size;
    d->count = 0;
    d->last = 0;
    for (uint32_t i = 0; i < size; i++) {
        heads[i] = WEIRI_NONE;
    }
    weiri_key_derive(d->key, s->cfg.tcp.secret, "weir sockets");
    memset(&d->asked, 0, sizeof d->asked);
    d->asked_hash = weiri_demux_hash(s, &d->asked);
}

WEIR_PRIVATE uint32_t weiri_demux_hash(const weir_stack *s, const weir_tuple *tuple)
{
    uint8_t text[WEIRI_SOCKETS_TEXT];
    const size_t len = weiri_sockets_text(text, tuple);
    return (uint32_t)weir_siphash(s->demux.key, text, len);
}

static bool demux_same(const weir_tuple *a, const weir_tuple *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port && weir_addr_equal(&a->remote, &b->remote) &&
           weir_addr_equal(&a->local, &b->local);
}

static weir_tuple demux_tuple(const weir_stack *s, uint32_t index)
{
    const uint32_t slots = s->cfg.connections_max;
    return index < slots ? *weiri_rest_tuple(s, index) : weiri_wait_tuple(s, index - slots);
}

static bool demux_has(const weir_stack *s, uint32_t index, const weir_tuple *tuple, uint32_t hash)
{
    const uint32_t slots = s->cfg.connections_max;
    if (index < slots) {
        if (s->demux.nodes[index].hash != hash) {
            return false;
        }
        if (!slot_rests(s, index)) {
            slot_fetch_record(s, index);
        }
        return demux_same(weiri_rest_tuple(s, index), tuple);
    }
    if (s->waits[index - slots].remote_port != tuple->remote_port) { /* nearly always, where it is another */
        return false;
    }
    const weir_tuple wait = weiri_wait_tuple(s, index - slots);
    return demux_same(&wait, tuple);
}

/* Whoever comes after it in its chain. */
static uint32_t demux_next(const weir_stack *s, uint32_t index)
{
    const uint32_t slots = s->cfg.connections_max;
    if (index < slots) {
        return s->demux.nodes[index].next;
    }
    const uint32_t next = s->waits[index - slots].chain;
    return next == WEIRI_WAIT_CHAIN ? WEIRI_NONE : next;
}

static void demux_set_next(weir_stack *s, uint32_t index, uint32_t next)
{
    const uint32_t slots = s->cfg.connections_max;
    if (index < slots) {
        s->demux.nodes[index].next = next;
    } else {
        s->waits[index - slots].chain = next & WEIRI_WAIT_CHAIN;
    }
}

/* A TIME-WAIT record does not keep its hash: it is needed once more at most. */
static uint32_t demux_hash_of(const weir_stack *s, uint32_t index)
{
    const weir_tuple tuple = demux_tuple(s, index);
    return index < s->cfg.connections_max ? s->demux.nodes[index].hash : weiri_demux_hash(s, &tuple);
}

static uint32_t demux_look(const weir_stack *s, const weir_tuple *tuple, uint32_t hash)
{
    for (uint32_t i = *weiri_demux_head(&s->demux, hash); i != WEIRI_NONE; i = demux_next(s, i)) { /* a chain: 2 on average at most */
        if (demux_has(s, i, tuple, hash)) {
            return i;
        }
    }
    const uint32_t half = stack_has_syns(s) ? weiri_syn_find(s, tuple, hash) : WEIRI_NONE;
    return half == WEIRI_NONE ? WEIRI_NONE : weiri_syn_number(s, half);
}

WEIR_PRIVATE uint32_t weiri_demux_find(const weir_stack *s, const weir_tuple *tuple)
{
    return demux_look(s, tuple, weiri_demux_hash(s, tuple));
}

WEIR_PRIVATE uint32_t weiri_demux_meet(weir_stack *s, const weir_tuple *tuple)
{
    const uint32_t last = s->demux.last;
    const bool linked = last < s->slot_pool.fresh && (slot_rests(s, last) || slot_is(&s->slots[last], WEIRI_SLOT_LINKED));
    if (linked && demux_same(weiri_rest_tuple(s, last), tuple)) {
        return last;
    }
    s->demux.asked = *tuple;
    s->demux.asked_hash = weiri_demux_hash(s, tuple);
    const uint32_t likely = *weiri_demux_head(&s->demux, s->demux.asked_hash);
    if (likely < s->cfg.connections_max) {
        slot_fetch_sockets(s, likely);
        if (!s->rests) {
            slot_fetch(s, likely);
        }
    }
    const uint32_t i = demux_look(s, tuple, s->demux.asked_hash);
    s->demux.last = i < s->cfg.connections_max ? i : s->demux.last;
    return i;
}

WEIR_PRIVATE void weiri_demux_insert(weir_stack *s, uint32_t index)
{
    struct weiri_demux *d = &s->demux;
    const weir_tuple tuple = demux_tuple(s, index);
    const uint32_t hash = demux_same(&tuple, &d->asked) ? d->asked_hash : weiri_demux_hash(s, &tuple);
    uint32_t *head = weiri_demux_head(d, hash);
    if (index < s->cfg.connections_max) {
        d->last = index;
        d->nodes[index].hash = hash;
    }
    demux_set_next(s, index, *head);
    *head = index;
    d->count++;
}

WEIR_PRIVATE void weiri_demux_remove(weir_stack *s, uint32_t index)
{
    uint32_t *head = weiri_demux_head(&s->demux, demux_hash_of(s, index));
    uint32_t before = WEIRI_NONE;
    for (uint32_t i = *head; i != index; i = demux_next(s, i)) { /* the chain that index is in */
        if (WEIR_NEVER(i == WEIRI_NONE)) {
            return;
        }
        before = i;
    }
    if (before == WEIRI_NONE) {
        *head = demux_next(s, index);
    } else {
        demux_set_next(s, before, demux_next(s, index));
    }
    s->demux.count--;
}

static const char *demux_check_chain(const weir_stack *s, uint32_t bucket, uint32_t *seen)
{
    const struct weiri_demux *d = &s->demux;
    const uint32_t cap = s->cfg.connections_max + s->cfg.time_wait_max;
    for (uint32_t i = d->heads[bucket]; i != WEIRI_NONE; i = demux_next(s, i)) {
        if (i >= cap || ++*seen > d->count) {
            return "demux: a chain leaves the records or does not end";
        }
        const weir_tuple tuple = demux_tuple(s, i);
        const uint32_t hash = weiri_demux_hash(s, &tuple);
        if (demux_hash_of(s, i) != hash || weiri_demux_head(d, hash) != &d->heads[bucket]) {
            return "demux: a record is in the wrong chain";
        }
        if (i < s->cfg.connections_max && !slot_is(&s->slots[i], WEIRI_SLOT_LINKED)) {
            return "demux: a slot in a chain does not know it";
        }
    }
    return NULL;
}

/* Who is found by sockets that are in the table is whoever has them: nobody else has the same. */
static bool demux_check_unique(const weir_stack *s, uint32_t bucket)
{
    for (uint32_t i = s->demux.heads[bucket]; i != WEIRI_NONE; i = demux_next(s, i)) {
        const weir_tuple tuple = demux_tuple(s, i);
        if (weiri_demux_find(s, &tuple) != i) {
            return false;
        }
    }
    return true;
}

WEIR_PRIVATE const char *weiri_demux_check(const weir_stack *s)
{
    uint32_t seen = 0;
    for (uint32_t bucket = 0; bucket < s->demux.size; bucket++) {
        const char *broken = demux_check_chain(s, bucket, &seen);
        if (broken) {
            return broken;
        }
        if (!demux_check_unique(s, bucket)) {
            return "demux: two records have the same sockets";
        }
    }
    return seen == s->demux.count ? NULL : "demux: the count is wrong";
}

WEIR_PRIVATE bool weiri_addr_is_ours(const weir_stack *s, const weir_addr *a)
{
    for (unsigned i = 0; i < s->cfg.addr_count; i++) { /* WEIR_STACK_ADDRS_MAX */
        if (weir_addr_equal(a, &s->cfg.addrs[i])) {
            return true;
        }
    }
    return false;
}

WEIR_PRIVATE uint32_t weiri_addr_number(const weir_stack *s, const weir_addr *a)
{
    uint32_t i = 0;
    while (i + 1u < s->cfg.addr_count && !weir_addr_equal(a, &s->cfg.addrs[i])) { /* WEIR_STACK_ADDRS_MAX */
        i++;
    }
    return i;
}

/* The address of a subnet of ours with all ones, or all zeros, for a host (RFC 1122 3.3.6). /31 and /32 have neither (RFC 3021). */
static bool demux_is_subnet_broadcast(const weir_stack *s, const weir_addr *a)
{
    if (!weir_addr_is_v4(a)) {
        return false;
    }
    const uint32_t address = base_get32(a->octets + 12);
    for (unsigned i = 0; i < s->cfg.addr_count; i++) { /* WEIR_STACK_ADDRS_MAX */
        const unsigned prefix = s->cfg.prefix_len[i];
        if (prefix == 0 || prefix > 30 || !weir_addr_is_v4(&s->cfg.addrs[i])) {
            continue;
        }
        const uint32_t host = UINT32_MAX >> prefix;
        const uint32_t ours = base_get32(s->cfg.addrs[i].octets + 12);
        if (((address ^ ours) & ~host) == 0 && ((address & host) == host || (address & host) == 0)) {
            return true;
        }
    }
    return false;
}

WEIR_PRIVATE bool weiri_addr_is_peer(const weir_stack *s, const weir_addr *a)
{
    switch (weiri_addr_classify(a)) {
    case WEIRI_ADDR_UNICAST: return !demux_is_subnet_broadcast(s, a);
    case WEIRI_ADDR_LOOPBACK: return s->cfg.accept_martians;
    default: return false;
    }
}
