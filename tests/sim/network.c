/* network.c - when and whether a packet arrives: lost, doubled, overtaken, late, held up by a bottleneck, too big.
 *
 * Reads IP addresses and the DF bit; what happens to a packet's octets is in damage.c. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"


/* ---- the heap of packets in flight ---- */

static bool network_before(const struct sim_packet *a, const struct sim_packet *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void network_swap(struct sim_network *n, uint32_t i, uint32_t j)
{
    struct sim_packet *p = n->flight[i];

    n->flight[i] = n->flight[j];
    n->flight[j] = p;
}

static void network_put(struct sim_network *n, struct sim_packet *p)
{
    uint32_t i = n->flight_count++;

    n->flight[i] = p;
    while (i > 0 && network_before(n->flight[i], n->flight[(i - 1) / 2])) {
        network_swap(n, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

weir_us sim_network_next(const struct sim_network *n)
{
    return n->flight_count != 0 ? n->flight[0]->at : WEIR_FOREVER;
}

struct sim_packet *sim_network_take(struct sim_network *n)
{
    struct sim_packet *p = n->flight[0];
    uint32_t i = 0, child;

    n->flight[0] = n->flight[--n->flight_count];
    for (child = 1; child < n->flight_count; child = 2 * i + 1) {
        if (child + 1 < n->flight_count && network_before(n->flight[child + 1], n->flight[child])) {
            child++;
        }
        if (!network_before(n->flight[child], n->flight[i])) {
            break;
        }
        network_swap(n, i, child);
        i = child;
    }
    return p;
}

void sim_packet_free(struct sim_packet *p)
{
    free(p);
}

struct sim_packet *sim_packet_new(uint32_t from, uint32_t to, uint32_t len)
{
    struct sim_packet *p = (struct sim_packet *)malloc(sizeof *p + len + 64); /* with room for padding */

    if (p == NULL) {
        abort();
    }
    p->octets = (uint8_t *)(p + 1);
    p->from = (uint8_t)from;
    p->to = (uint8_t)to;
    p->len = len;
    p->at = p->order = 0;
    memset(p->octets, 0, len + 64);
    return p;
}

static struct sim_packet *network_copy(const struct sim_packet *p)
{
    struct sim_packet *copy = sim_packet_new(p->from, p->to, p->len);

    memcpy(copy->octets, p->octets, p->len);
    return copy;
}

void sim_network_init(struct sim_world *w)
{
    memset(&w->network, 0, sizeof w->network);
    w->network.rng = sim_rng_for(w->scenario.seed, 0x4e4554);
}

void sim_network_clear(struct sim_world *w)
{
    while (w->network.flight_count != 0) {
        sim_packet_free(sim_network_take(&w->network));
    }
}

/* ---- too big for the path ---- */

static uint32_t network_mtu(const struct sim_world *w, uint32_t path)
{
    const struct sim_path *p = &w->scenario.path[path];

    return p->mtu_at <= w->now ? p->mtu_later : p->mtu;
}

static void network_onwards(struct sim_world *w, struct sim_packet *p);

/* RFC 1191 and RFC 8201: the router drops the packet and says so, unless it was itself such a message. */
static void network_refuse(struct sim_world *w, struct sim_packet *big, uint32_t mtu)
{
    bool v4 = big->octets[0] >> 4 == 4;
    struct sim_icmp_spec spec = {(uint8_t)(v4 ? 3 : 2), (uint8_t)(v4 ? 4 : 0), mtu, 1232};
    struct sim_packet *message;

    sim_trace_packet(w, big, "too big");
    if (v4 && (big->octets[6] & 0x40) == 0) {
        sim_fail(w, "a packet larger than the path's MTU without DF");
    }
    if (sim_is_icmp(big)) {
        return;
    }
    if (v4) {
        spec.quote = sim_percent(&w->network.rng, 50) ? 28 : sim_range(&w->network.rng, 28, 548);
    }
    message = sim_packet_new(big->to, big->from, SIM_PACKET_MAX);
    sim_icmp(message, big, &spec);
    network_onwards(w, message);
}

/* ---- loss and time ---- */

/* Good and bad periods follow each other by time (Gilbert, Elliott). */
static bool network_burst(struct sim_world *w, const struct sim_link *l, struct sim_link_state *state)
{
    struct sim_rng *r = &w->network.rng;
    uint32_t i;

    if (l->good_us == 0) {
        return false;
    }
    for (i = 0; i < 1000 && state->period_ends_at <= w->now; i++) {
        state->bad = !state->bad && state->period_ends_at != 0;
        state->period_ends_at += sim_range(r, 1, state->bad ? l->bad_us : l->good_us);
    }
    if (i == 1000) { /* nobody has looked for long */
        state->bad = false;
        state->period_ends_at = w->now + l->good_us;
    }
    return state->bad && sim_happens(r, l->burst_loss);
}

static bool network_outage(const struct sim_world *w, uint32_t path)
{
    const struct sim_path *p = &w->scenario.path[path];

    if (w->options->plant == SIM_PLANT_STALL && w->now > 100000) {
        return true;
    }
    return w->now >= p->outage_at && (p->dead || w->now - p->outage_at < p->outage_us);
}

/* The bottleneck: octets wait their turn; WEIR_FOREVER if the queue is full. */
static weir_us network_bottleneck(const struct sim_world *w, const struct sim_link *l, struct sim_link_state *state, uint32_t len)
{
    weir_us start = state->free_at > w->now ? state->free_at : w->now;

    if (l->rate == 0) {
        return w->now;
    }
    if ((start - w->now) * l->rate / SIM_SECOND + len > l->queue) {
        return WEIR_FOREVER;
    }
    state->free_at = start + (weir_us)len * SIM_SECOND / l->rate;
    return state->free_at;
}

static weir_us network_arrival(struct sim_world *w, const struct sim_link *l, struct sim_link_state *state, weir_us departed)
{
    struct sim_rng *r = &w->network.rng;
    weir_us at = departed + l->delay_us + sim_below(r, l->jitter_us + 1);

    if (sim_happens(r, l->reorder)) {
        return at + sim_below(r, l->reorder_us + 1);
    }
    if (!l->jitter_reorders && at < state->last_at) {
        at = state->last_at;
    }
    state->last_at = at;
    return at;
}

static void network_deliver(struct sim_world *w, struct sim_packet *p, weir_us at)
{
    struct sim_network *n = &w->network;

    if (n->flight_count == SIM_FLIGHT_MAX) {
        sim_trace_packet(w, p, "overflow");
        sim_packet_free(p);
        return;
    }
    p->at = at;
    p->order = n->order++;
    sim_trace_packet(w, p, "sent");
    network_put(n, p);
}

static void network_lose(struct sim_world *w, struct sim_packet *p, const char *how)
{
    sim_trace_packet(w, p, how);
    sim_packet_free(p);
}

/* Copies, some of them much later, though not later than a segment may live. */
static void network_duplicate(struct sim_world *w, const struct sim_link *l, struct sim_link_state *state, const struct sim_packet *p,
                              weir_us departed)
{
    struct sim_rng *r = &w->network.rng;
    uint32_t copies = sim_happens(r, l->dup) ? sim_range(r, 1, 3) : 0;

    for (; copies > 0; copies--) {
        network_deliver(w, network_copy(p), network_arrival(w, l, state, departed));
    }
    if (sim_happens(r, l->late_dup)) {
        network_deliver(w, network_copy(p), departed + l->delay_us + sim_log(r, 1, 15000000));
    }
}

static void network_travel(struct sim_world *w, struct sim_packet *p, const struct sim_link *l, struct sim_link_state *state,
                           weir_us departed)
{
    struct sim_rng *r = &w->network.rng;

    sim_middlebox(r, l, p);
    if (sim_happens(r, l->pad)) {
        p->len += sim_range(r, 1, 46);
    }
    sim_damage_plant(w->options->plant, p);
    network_duplicate(w, l, state, p, departed);
    if (sim_happens(r, l->corrupt) && !sim_damage(r, p)) {
        network_lose(w, p, "damaged");
        return;
    }
    network_deliver(w, p, network_arrival(w, l, state, departed));
}

/* A packet on the link towards p->to; takes it over. */
static void network_onwards(struct sim_world *w, struct sim_packet *p)
{
    uint32_t path = p->to != 0 ? p->to : p->from;
    const struct sim_link *l = &w->scenario.path[path].link[p->to != 0];
    struct sim_link_state *state = &w->network.link[path][p->to != 0];
    struct sim_rng *r = &w->network.rng;
    weir_us departed = network_bottleneck(w, l, state, p->len);
    struct sim_packet *second;

    if (departed == WEIR_FOREVER) {
        network_lose(w, p, "queue full");
    } else if (network_outage(w, path)) {
        network_lose(w, p, "outage");
    } else if (network_burst(w, l, state) || sim_happens(r, l->loss)) {
        network_lose(w, p, "lost");
    } else if (sim_happens(r, l->split)) {
        second = sim_packet_new(p->from, p->to, p->len);
        if (sim_split(r, p, second) != 0) {
            network_travel(w, second, l, state, departed);
        } else {
            sim_packet_free(second);
        }
        network_travel(w, p, l, state, departed);
    } else {
        network_travel(w, p, l, state, departed);
    }
}

/* Host 0 is in the middle: others reach only it, and it reaches them by the third octet or the fourth group of the address. */
static uint32_t network_route(const struct sim_world *w, uint32_t from, const uint8_t *octets, uint32_t len)
{
    weir_addr to;
    uint32_t h;
    bool v6 = octets[0] >> 4 == 6;

    if (from != 0) {
        return 0;
    }
    for (h = 1; h < w->scenario.host_count && len >= 40; h++) {
        to = sim_host_addr(h, v6);
        if (v6 ? memcmp(octets + 24, to.octets, 16) == 0 : memcmp(octets + 16, to.octets + 12, 4) == 0) {
            return h;
        }
    }
    return SIM_HOSTS_MAX;
}

void sim_network_send(struct sim_world *w, uint32_t from, const uint8_t *octets, uint32_t len)
{
    uint32_t to = network_route(w, from, octets, len), mtu;
    struct sim_packet *p;

    w->result->packets++;
    w->result->octets += len;
    if (to == SIM_HOSTS_MAX) {
        sim_fail(w, "host %u sent a packet to an address that nobody has", from);
        return;
    }
    p = sim_packet_new(from, to, len);
    memcpy(p->octets, octets, len);
    mtu = network_mtu(w, to != 0 ? to : from);
    if (len > mtu) {
        network_refuse(w, p, mtu);
        sim_packet_free(p);
        return;
    }
    network_onwards(w, p);
}
