/* stack.c - many connections in one piece of memory: its configuration, its layout, its time.
 *
 * The packet's way in is arrive.c, its way out depart.c; the user's calls are open.c, listen.c and handle.c. Knows no segments. */
#include "stack/room.h"

#define STACK_CONNECTIONS_MAX (1u << 24)
#define STACK_SYNS_MAX (WEIR_WITH_SYN_RECORDS ? 65534u : 0u) /* their links have 16 bits */
#define STACK_WAITS_MAX ((1u << 23) - 1) /* their links have 23 bits */
#define STACK_LISTENERS_MAX (1u << 16)
#define STACK_UNITS_MAX (1u << 28)
#define STACK_ALIGN 64u
#define STACK_COUNTERS_MIN 64u
#define STACK_COUNTERS_MAX (1u << 16)

WEIR_API void weir_stack_config_init(weir_stack_config *config)
{
    memset(config, 0, sizeof *config);
    weir_config_init(&config->tcp);
    config->echo_reply = true;
    config->connections_max = 1024;
    config->listeners_max = 64;
    config->time_wait_max = 4096;
    config->half_open_max = 256;
    config->syn_records_max = WEIR_WITH_SYN_RECORDS ? 256 : 0;
    config->syn_whole = 16;
    config->syn_cookies = true;
    config->replies_per_second = 10000;
    config->port_first = 49152;
    config->port_last = 65535;
    config->rings.rx = 65536;
    config->rings.tx = 65536;
}

/* ---- layout ---- */

/* Where the parts begin, counted from the beginning of the memory. */
struct stack_layout {
    uint64_t slots, works, rests, cold, listeners, waits, wheel, demux_nodes, demux_heads, listener_heads, cookies, ports, echoes, blocks;
    uint64_t wait_locals, syns, syn_heads, syn_locals;
    uint64_t blank, slot_next, work_next, store_next, store_prev, store_tag, listener_next;
    uint64_t total;
    uint32_t demux_size, listener_size, echo_size, cookie_size, port_size;
    uint64_t unit, units; /* of the store */
};

static uint64_t stack_round_up(uint64_t octets)
{
    return (octets + (STACK_ALIGN - 1)) & ~(uint64_t)(STACK_ALIGN - 1);
}

/* Room for `count` things of `each` octets; where it begins. */
static uint64_t stack_place(struct stack_layout *l, uint64_t count, uint64_t each)
{
    const uint64_t at = l->total;
    l->total = stack_round_up(at + count * each);
    return at;
}

/* A power of two, at least as large. */
static uint32_t stack_table_size(uint32_t count)
{
    uint32_t size = 4;
    while (size < count) { /* 2^25 at most */
        size *= 2;
    }
    return size;
}

/* How many first rings the memory for rings is; 0: not one. */
static uint64_t stack_units(const weir_stack_config *c, uint64_t unit)
{
    return c->ring_memory == 0 ? c->connections_max : c->ring_memory / unit;
}

static uint32_t stack_busy(const weir_stack_config *c)
{
    return c->busy_max == 0 ? c->connections_max : c->busy_max;
}

static bool stack_packs(const weir_stack_config *c)
{
    return stack_busy(c) < c->connections_max;
}

/* No product overflows: counts stay below 2^26, sizes below 2^33. */
static void stack_lay_out(struct stack_layout *l, const weir_stack_config *c)
{
    const uint64_t word = sizeof(uint32_t);
    memset(l, 0, sizeof *l);
    l->demux_size = c->connections_max + c->time_wait_max / 2; /* chains of two where all is in TIME-WAIT */
    l->listener_size = stack_table_size(2 * c->listeners_max);
    l->echo_size = c->echo_reply ? c->tcp.mtu : 0;
    l->port_size = base_min32(base_max32(stack_table_size(c->connections_max), STACK_COUNTERS_MIN), STACK_COUNTERS_MAX);
    l->cookie_size = c->syn_cookies ? base_min32(stack_table_size(c->connections_max), STACK_COUNTERS_MAX) : 1;
    l->unit = stack_round_up(weir_buffers_size(c->rings));
    l->units = stack_units(c, l->unit);
    (void)stack_place(l, 1, sizeof(struct weir_stack));
    l->blank = stack_place(l, 2, sizeof(weir_conn));
    l->wheel = stack_place(l, c->connections_max, sizeof(struct weiri_wheel_node));
    l->demux_nodes = stack_place(l, c->connections_max, sizeof(struct weiri_demux_node));
    l->demux_heads = stack_place(l, l->demux_size, word);
    l->listener_heads = stack_place(l, l->listener_size, word);
    l->ports = stack_place(l, l->port_size, sizeof(uint16_t));
    l->cookies = stack_place(l, l->cookie_size, word);
    l->slot_next = stack_place(l, c->connections_max, word);
    l->work_next = stack_place(l, stack_busy(c), word);
    l->store_next = stack_place(l, l->units, word);
    l->store_prev = stack_place(l, l->units, word);
    l->store_tag = stack_place(l, l->units, 1);
    l->listener_next = stack_place(l, c->listeners_max, word);
    l->listeners = stack_place(l, c->listeners_max, sizeof(struct weiri_listener));
    l->waits = stack_place(l, c->time_wait_max, sizeof(struct weiri_wait));
    l->wait_locals = stack_place(l, c->any_destination ? c->time_wait_max : 0, sizeof(weir_addr));
    l->syns = stack_place(l, weiri_syn_cap(c), sizeof(struct weiri_syn));
    l->syn_heads = stack_place(l, weiri_syn_cap(c), sizeof(uint16_t));
    l->syn_locals = stack_place(l, c->any_destination ? weiri_syn_cap(c) : 0, sizeof(weir_addr));
    l->slots = stack_place(l, c->connections_max, sizeof(struct weiri_slot));
    l->rests = stack_place(l, stack_packs(c) ? c->connections_max : 0, sizeof(struct weiri_rest));
    l->cold = stack_place(l, stack_packs(c) ? c->connections_max : 0, sizeof(struct weiri_cold));
    l->works = stack_place(l, stack_busy(c), sizeof(struct weiri_work));
    l->echoes = stack_place(l, WEIRI_ECHOES, l->echo_size);
    l->blocks = stack_place(l, l->units, l->unit);
}

/* ---- configuration ---- */

static bool stack_addrs_ok(const weir_stack_config *c)
{
    if (c->addr_count > WEIR_STACK_ADDRS_MAX) {
        return false;
    }
    for (unsigned i = 0; i < c->addr_count; i++) { /* WEIR_STACK_ADDRS_MAX */
        const enum weiri_addr_class class_of = weiri_addr_classify(&c->addrs[i]);
        if (class_of != WEIRI_ADDR_UNICAST && !(class_of == WEIRI_ADDR_LOOPBACK && c->accept_martians)) {
            return false;
        }
        if (c->prefix_len[i] > (weir_addr_is_v4(&c->addrs[i]) ? 32 : 128)) {
            return false;
        }
    }
    return true;
}

static bool stack_rings_ok(const weir_stack_config *c)
{
    const uint64_t unit = stack_round_up(weir_buffers_size(c->rings));
    return unit > 0 && stack_units(c, unit) >= 1 && stack_units(c, unit) <= STACK_UNITS_MAX;
}

static weir_err stack_judge(const weir_stack_config *c)
{
    const weir_err err = weir_config_check(&c->tcp, NULL);
    if (err != WEIR_ERR_NONE) {
        return err;
    }
    const bool records_ok = c->time_wait_max <= STACK_WAITS_MAX && c->syn_records_max <= STACK_SYNS_MAX;
    const bool counts_ok = c->connections_max >= 1 && c->connections_max <= STACK_CONNECTIONS_MAX && c->busy_max <= c->connections_max &&
                           records_ok && c->listeners_max <= STACK_LISTENERS_MAX;
    const bool ports_ok = c->port_first != 0 && c->port_first <= c->port_last;
    return counts_ok && ports_ok && stack_rings_ok(c) && stack_addrs_ok(c) ? WEIR_ERR_NONE : WEIR_ERR_INVALID;
}

WEIR_API size_t weir_stack_size(const weir_stack_config *config)
{
    if (stack_judge(config) != WEIR_ERR_NONE) {
        return 0;
    }
    struct stack_layout l;
    stack_lay_out(&l, config);
    return l.total > SIZE_MAX ? 0 : (size_t)l.total;
}

/* ---- building ---- */

static void stack_init_ports(weir_stack *s, uint8_t *memory, const struct stack_layout *l)
{
    const uint32_t ports = 1u + s->cfg.port_last - s->cfg.port_first;
    s->port_next = (uint16_t *)(void *)(memory + l->ports);
    s->port_mask = l->port_size - 1;
    weiri_key_derive(s->port_key, s->cfg.tcp.secret, "weir ports");
    weiri_key_derive(s->cookie_key, s->cfg.tcp.secret, "weir cookies");
    for (uint32_t i = 0; i <= s->port_mask; i++) { /* STACK_COUNTERS_MAX */
        uint8_t text[5] = {'t'};
        base_put32(text + 1, i);
        s->port_next[i] = (uint16_t)(weir_siphash(s->port_key, text, sizeof text) % ports);
    }
}

static uint32_t *stack_words(uint8_t *memory, uint64_t at)
{
    return (uint32_t *)(void *)(memory + at);
}

static void stack_init_store(struct weiri_store *m, uint8_t *memory, const struct stack_layout *l)
{
    m->octets = memory + l->blocks;
    m->next = stack_words(memory, l->store_next);
    m->prev = stack_words(memory, l->store_prev);
    m->tag = memory + l->store_tag;
    m->unit = (size_t)l->unit;
    m->units = (uint32_t)l->units;
    weiri_store_init(m);
}

static void stack_init_tables(weir_stack *s, uint8_t *memory, const struct stack_layout *l)
{
    s->slots = (struct weiri_slot *)(void *)(memory + l->slots);
    s->wait_locals = s->cfg.any_destination ? (weir_addr *)(void *)(memory + l->wait_locals) : NULL;
    s->works = (struct weiri_work *)(void *)(memory + l->works);
    s->rests = stack_packs(&s->cfg) ? (struct weiri_rest *)(void *)(memory + l->rests) : NULL;
    s->cold = stack_packs(&s->cfg) ? (struct weiri_cold *)(void *)(memory + l->cold) : NULL;
    s->listeners = (struct weiri_listener *)(void *)(memory + l->listeners);
    s->waits = (struct weiri_wait *)(void *)(memory + l->waits);
    stack_init_store(&s->store, memory, l);
    s->listener_heads = stack_words(memory, l->listener_heads);
    s->listener_mask = l->listener_size - 1;
    s->cookies_spent = stack_words(memory, l->cookies);
    s->cookie_mask = l->cookie_size - 1;
    memset(s->cookies_spent, 0, l->cookie_size * sizeof *s->cookies_spent);
    for (uint32_t i = 0; i < l->listener_size; i++) {
        s->listener_heads[i] = WEIRI_NONE;
    }
    weiri_pool_init(&s->slot_pool, stack_words(memory, l->slot_next), s->cfg.connections_max);
    weiri_pool_init(&s->work_pool, stack_words(memory, l->work_next), stack_busy(&s->cfg));
    weiri_pool_init(&s->listener_pool, stack_words(memory, l->listener_next), s->cfg.listeners_max);
    weiri_demux_init(s, stack_words(memory, l->demux_heads), l->demux_size,
                     (struct weiri_demux_node *)(void *)(memory + l->demux_nodes));
    weiri_syn_init(s, (struct weiri_syn *)(void *)(memory + l->syns), (uint16_t *)(void *)(memory + l->syn_heads),
                   s->cfg.any_destination ? (weir_addr *)(void *)(memory + l->syn_locals) : NULL);
    weiri_wheel_init(&s->wheel, (struct weiri_wheel_node *)(void *)(memory + l->wheel), s->cfg.connections_max, s->now);
}

static void stack_init_blank(weir_stack *s, weir_conn *two)
{
    weir_buffers none;
    memset(&none, 0, sizeof none);
    s->blank = two;
    s->scratch = two + 1;
    (void)weir_init(s->blank, &s->cfg.tcp, &none, 0); /* the configuration has been judged */
}

/* Only the tables are written; records and buffers when they are first used, so that a large stack costs its memory as it fills. */
WEIR_API weir_stack *weir_stack_init(void *memory, size_t len, const weir_stack_config *config, weir_us now, weir_err *err)
{
    struct stack_layout l;
    *err = stack_judge(config);
    if (*err != WEIR_ERR_NONE) {
        return NULL;
    }
    stack_lay_out(&l, config);
    if (len < l.total) {
        *err = WEIR_ERR_RESOURCES;
        return NULL;
    }
    if (((uintptr_t)memory & (STACK_ALIGN - 1)) != 0) {
        *err = WEIR_ERR_INVALID;
        return NULL;
    }
    weir_stack *s = (weir_stack *)memory;
    memset(s, 0, sizeof *s);
    s->cfg = *config;
    s->now = now;
    s->touched = WEIRI_NONE;
    s->last = WEIRI_NONE;
    weiri_list_init(&s->out);
    weiri_list_init(&s->ready);
    weiri_list_init(&s->dirty);
    weiri_list_init(&s->spare);
    weiri_list_init(&s->needy);
    weiri_list_init(&s->wait_queue);
    s->wait_free = WEIRI_NONE;
    stack_init_tables(s, (uint8_t *)memory, &l);
    stack_init_ports(s, (uint8_t *)memory, &l);
    stack_init_blank(s, (weir_conn *)(void *)((uint8_t *)memory + l.blank));
    weiri_answer_init(s, (uint8_t *)memory + l.echoes, l.echo_size);
    return s;
}

/* ---- time ---- */

/* Those taken in hand since the last call. Of one alone more may follow: it may be left unsettled, if nobody waits for its rings. */
static void stack_settle_dirty(weir_stack *s)
{
    while (s->dirty.count != 0) { /* settling takes each off the list */
        const uint32_t i = s->dirty.head;
        const bool packed = slot_is_packed(s, i), free = s->touched == WEIRI_NONE || s->touched == i;
        const bool alone = s->dirty.count == 1 && free && s->needy.count == 0;
        if (!packed) {
            weiri_lend_grow(s, i);
        }
        if (alone && !packed) {
            weiri_slot_used(s, i);
        } else {
            weiri_slot_settle(s, i);
        }
    }
}

WEIR_PRIVATE void weiri_stack_settle(weir_stack *s)
{
    weiri_slot_untouch(s);
    stack_settle_dirty(s);
    weiri_slot_untouch(s);
}

WEIR_PRIVATE void weiri_stack_tell(weir_stack *s)
{
    if (s->dirty.count > 0 && s->dirty.head != s->touched) {
        weiri_slot_untouch(s);
    }
    stack_settle_dirty(s);
    if (s->touched != WEIRI_NONE && !s->told) {
        weiri_slot_tell(s, s->touched, weir_events(slot_conn(s, s->touched)));
        s->told = true;
    }
}

WEIR_PRIVATE void weiri_stack_begin(weir_stack *s, weir_us now)
{
    weiri_slot_untouch(s);
    stack_begin_packet(s, now);
    weiri_slot_untouch(s);
}

WEIR_PRIVATE void weiri_stack_settle_listed(weir_stack *s)
{
    stack_settle_dirty(s);
    if (s->needy.count > 0) { /* one a call: there may be memory again */
        weiri_slot_settle(s, s->needy.head);
    }
}

WEIR_API void weir_stack_expire(weir_stack *s, weir_us now)
{
    weiri_stack_begin(s, now);
    s->rearm_from = base_after(s->now, 1); /* so that a connection is woken once at most by one call */
    for (;;) {                             /* ends with the last timer that is due: none can be armed for now again */
        const uint32_t i = weiri_wheel_due(&s->wheel, s->now);
        if (i == WEIRI_NONE) {
            break;
        }
        weir_conn *c = weiri_rest_wake(s, i);
        if (!c) {
            weiri_wheel_arm(&s->wheel, i, base_after(s->now, WEIRI_RETRY_US));
            continue;
        }
        weir_expire(c, s->now);
        weiri_slot_settle(s, i);
    }
    weiri_syn_expire(s);
    s->rearm_from = 0;
    weiri_wait_expire(s);
}

WEIR_API weir_us weir_stack_deadline(weir_stack *s)
{
    weiri_stack_settle(s);
    return base_min_us(weiri_wheel_deadline(&s->wheel), base_min_us(weiri_wait_deadline(s), weiri_syn_deadline(s)));
}

WEIR_API const weir_stats *weir_stack_stats(const weir_stack *s)
{
    return &s->stats;
}

WEIR_API const weir_stack_config *weir_stack_get_config(const weir_stack *s)
{
    return &s->cfg;
}

#undef STACK_CONNECTIONS_MAX
#undef STACK_SYNS_MAX
#undef STACK_WAITS_MAX
#undef STACK_LISTENERS_MAX
#undef STACK_UNITS_MAX
#undef STACK_ALIGN
#undef STACK_COUNTERS_MIN
#undef STACK_COUNTERS_MAX
