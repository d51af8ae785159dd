/* listen.c - listeners, found by what they cover: an address or any, a port or any. RFC 9293 3.10.1, 3.9.1.1 (MUST-41, MUST-42).
 *
 * A destination is looked for in six ways, the most specific first, each one probe of a keyed table: never more, however many
 * listeners there are. Knows nothing of segments. */
#include "stack/room.h"

/* How far a listener reaches; the order is that of preference. */
enum listen_reach {
    LISTEN_ADDR_PORT,
    LISTEN_OURS_PORT, /* any address of the stack */
    LISTEN_ALL_PORT,  /* any destination at all */
    LISTEN_ADDR,      /* the same with any port */
    LISTEN_OURS,
    LISTEN_ALL,
    LISTEN_REACHES
};
#define LISTEN_BIT 0x80000000u /* of a handle: a listener, not a connection */

static enum listen_reach listen_reach_of(const weir_listen_spec *spec)
{
    unsigned reach = spec->port ? LISTEN_ADDR_PORT : LISTEN_ADDR;
    if (weir_addr_is_unspecified(&spec->local)) {
        reach += spec->any_destination ? 2 : 1;
    }
    return (enum listen_reach)reach;
}

static uint32_t listen_hash(const weir_stack *s, enum listen_reach reach, const weir_addr *local, uint16_t port)
{
    uint8_t text[19] = {0};
    text[0] = (uint8_t)reach;
    if (reach <= LISTEN_ALL_PORT) {
        base_put16(text + 1, port);
    }
    if (reach != LISTEN_ADDR_PORT && reach != LISTEN_ADDR) {
        return (uint32_t)weir_siphash(s->demux.key, text, 3);
    }
    memcpy(text + 3, local->octets, 16);
    return (uint32_t)weir_siphash(s->demux.key, text, sizeof text);
}

/* Does this listener cover a destination, given that it has the reach of the probe? */
static bool listen_covers(const weir_listen_spec *spec, enum listen_reach reach, const weir_addr *local, uint16_t port)
{
    if (reach <= LISTEN_ALL_PORT && spec->port != port) {
        return false;
    }
    if ((reach == LISTEN_ADDR_PORT || reach == LISTEN_ADDR) && !weir_addr_equal(&spec->local, local)) {
        return false;
    }
    return weir_addr_is_v4(local) ? !spec->v6_only : !spec->v4_only;
}

/* In one chain: a listener for the one family is preferred to one for both. */
static uint32_t listen_probe(const weir_stack *s, enum listen_reach reach, const weir_addr *local, uint16_t port)
{
    const uint32_t hash = listen_hash(s, reach, local, port);
    uint32_t found = WEIRI_NONE;
    for (uint32_t i = s->listener_heads[hash & s->listener_mask]; i != WEIRI_NONE; i = s->listeners[i].chain) {
        const struct weiri_listener *l = &s->listeners[i];
        if (l->hash == hash && l->reach == reach && listen_covers(&l->spec, reach, local, port)) {
            if (l->spec.v4_only || l->spec.v6_only) {
                return i;
            }
            found = i;
        }
    }
    return found;
}

WEIR_PRIVATE uint32_t weiri_listen_find(const weir_stack *s, const weir_addr *local, uint16_t port)
{
    const bool ours = weiri_addr_is_ours(s, local);
    for (unsigned reach = 0; reach < LISTEN_REACHES; reach++) {
        if (s->listener_reach[reach] == 0 || (!ours && reach % 3 == LISTEN_OURS_PORT)) {
            continue;
        }
        const uint32_t found = listen_probe(s, (enum listen_reach)reach, local, port);
        if (found != WEIRI_NONE) {
            return found;
        }
    }
    return WEIRI_NONE;
}

WEIR_PRIVATE weir_handle weiri_listener_handle(const weir_stack *s, uint32_t listener)
{
    return (weir_handle)s->listeners[listener].generation << 32 | LISTEN_BIT | (listener + 1);
}

static uint32_t listen_of_handle(const weir_stack *s, weir_handle handle)
{
    const uint32_t low = (uint32_t)handle, i = (low & ~LISTEN_BIT) - 1;
    if (!(low & LISTEN_BIT) || i >= s->listener_pool.fresh || !s->listeners[i].live) {
        return WEIRI_NONE;
    }
    return s->listeners[i].generation == (uint32_t)(handle >> 32) ? i : WEIRI_NONE;
}

static weir_err listen_judge(const weir_stack *s, const weir_listen_spec *spec)
{
    const bool named = !weir_addr_is_unspecified(&spec->local);
    if (spec->v4_only && spec->v6_only) {
        return WEIR_ERR_INVALID;
    }
    if (spec->any_destination && !s->cfg.any_destination) {
        return WEIR_ERR_ADDRESS;
    }
    if (named && !weiri_addr_is_ours(s, &spec->local) && !(spec->any_destination && weiri_addr_is_peer(s, &spec->local))) {
        return WEIR_ERR_ADDRESS;
    }
    return WEIR_ERR_NONE;
}

/* Another listener with the very same sockets and families. */
static bool listen_exists(const weir_stack *s, const struct weiri_listener *new_one)
{
    const weir_listen_spec *spec = &new_one->spec;
    for (uint32_t i = s->listener_heads[new_one->hash & s->listener_mask]; i != WEIRI_NONE; i = s->listeners[i].chain) {
        const struct weiri_listener *l = &s->listeners[i];
        const bool same_address = new_one->reach % 3 != LISTEN_ADDR_PORT || weir_addr_equal(&l->spec.local, &spec->local);
        if (l->hash == new_one->hash && l->reach == new_one->reach && l->spec.port == spec->port && same_address &&
            l->spec.v4_only == spec->v4_only && l->spec.v6_only == spec->v6_only) {
            return true;
        }
    }
    return false;
}

WEIR_API weir_err weir_stack_listen(weir_stack *s, const weir_listen_spec *spec, weir_handle *listener)
{
    const weir_err err = listen_judge(s, spec);
    if (err != WEIR_ERR_NONE) {
        return err;
    }
    struct weiri_listener l;
    memset(&l, 0, sizeof l);
    l.spec = *spec;
    l.spec.backlog = spec->backlog ? spec->backlog : s->cfg.half_open_max;
    l.reach = (uint8_t)listen_reach_of(spec);
    l.hash = listen_hash(s, (enum listen_reach)l.reach, &spec->local, spec->port);
    l.live = true;
    weiri_list_init(&l.half);
    if (listen_exists(s, &l)) {
        return WEIR_ERR_EXISTS;
    }
    const bool fresh = s->listener_pool.free == WEIRI_NONE;
    const uint32_t i = weiri_pool_take(&s->listener_pool);
    if (i == WEIRI_NONE) {
        return WEIR_ERR_RESOURCES;
    }
    uint32_t *head = &s->listener_heads[l.hash & s->listener_mask];
    l.generation = fresh ? 0 : s->listeners[i].generation;
    l.chain = *head;
    *head = i;
    s->listeners[i] = l;
    s->listener_reach[l.reach]++;
    s->stats.listeners++;
    *listener = weiri_listener_handle(s, i);
    return WEIR_ERR_NONE;
}

static void listen_unlink(weir_stack *s, uint32_t listener)
{
    uint32_t *at = &s->listener_heads[s->listeners[listener].hash & s->listener_mask];
    while (*at != listener) { /* the chain that it is in */
        if (WEIR_NEVER(*at == WEIRI_NONE)) {
            return;
        }
        at = &s->listeners[*at].chain;
    }
    *at = s->listeners[listener].chain;
}

WEIR_API weir_err weir_stack_unlisten(weir_stack *s, weir_handle handle, weir_us now)
{
    weiri_stack_begin(s, now);
    const uint32_t listener = listen_of_handle(s, handle);
    if (listener == WEIRI_NONE) {
        return WEIR_ERR_NOT_EXIST;
    }
    struct weiri_listener *l = &s->listeners[listener];
    while (l->half.head != WEIRI_NONE) { /* half_open_max: settling takes each out of this list */
        const uint32_t i = l->half.head;
        weir_conn *c = weiri_rest_wake(s, i);
        if (c) {
            (void)weir_abort(c, s->now);
            weiri_slot_settle(s, i);
        } else { /* all records are busy: its peer will hear of it when it speaks */
            weiri_slot_free(s, i);
        }
    }
    weiri_syn_end(s, listener);
    listen_unlink(s, listener);
    s->listener_reach[l->reach]--;
    s->stats.listeners--;
    l->live = false;
    l->generation++;
    weiri_pool_give(&s->listener_pool, listener);
    return WEIR_ERR_NONE;
}

WEIR_PRIVATE const char *weiri_listen_check(const weir_stack *s)
{
    uint32_t seen = 0, half = 0;
    for (uint32_t bucket = 0; bucket <= s->listener_mask; bucket++) {
        for (uint32_t i = s->listener_heads[bucket]; i != WEIRI_NONE; i = s->listeners[i].chain) {
            const struct weiri_listener *l = &s->listeners[i];
            if (i >= s->listener_pool.fresh || !l->live || ++seen > s->listener_pool.used) {
                return "listen: a chain holds what is no listener, or does not end";
            }
            if ((l->hash & s->listener_mask) != bucket || l->reach != listen_reach_of(&l->spec)) {
                return "listen: a listener is in the wrong chain";
            }
            if (!weiri_list_check(s, &l->half, WEIRI_LIST_HALF) || l->half.count + l->recorded > l->spec.backlog) {
                return "listen: half-open connections are not in order";
            }
            half += l->half.count + l->recorded;
        }
    }
    if (seen != s->listener_pool.used || seen != s->stats.listeners || half != s->stats.half_open) {
        return "listen: a count is wrong";
    }
    return weiri_pool_check(&s->listener_pool) ? NULL : "listen: the pool is not in order";
}

#undef LISTEN_BIT
