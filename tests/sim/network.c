/* network.c - what becomes of a packet between two hosts: lost, doubled, overtaken, damaged, late, too big.
 *
 * The network reads IP addresses, the DF bit and, for two of its deeds, the TCP header; it never asks weir, so that a fault
 * in weir's parsers cannot excuse itself. Damage is always of a kind that the Internet checksum must see (one bit, one
 * octet, octets cut off): then every octet that a user reads wrong is weir's fault. */
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

static struct sim_packet *network_packet(uint32_t from, uint32_t to, const uint8_t *octets, uint32_t len)
{
    struct sim_packet *p = (struct sim_packet *)malloc(sizeof *p + len + 64);

    if (p == NULL) {
        abort();
    }
    p->octets = (uint8_t *)(p + 1);
    p->from = (uint8_t)from;
    p->to = (uint8_t)to;
    p->len = len;
    p->at = p->order = 0;
    memcpy(p->octets, octets, len);
    memset(p->octets + len, 0, 64); /* room for padding */
    return p;
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

/* ---- checksums, independent of weir's ---- */

static uint32_t network_sum(const uint8_t *octets, uint32_t len, uint32_t sum)
{
    uint32_t i;

    for (i = 0; i < len; i++) {
        sum += (i & 1) != 0 ? octets[i] : (uint32_t)octets[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static void network_put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static uint32_t network_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* Where TCP begins in a packet that weir has sent (it sends no options and no extension headers), 0 if it is not TCP. */
static uint32_t network_tcp_at(const struct sim_packet *p)
{
    if (p->len >= 40 && p->octets[0] == 0x45 && p->octets[9] == 6) {
        return 20;
    }
    return p->len >= 60 && p->octets[0] >> 4 == 6 && p->octets[6] == 6 ? 40 : 0;
}

/* Adds what a change of one octet at `at` (from the start of TCP) means to the checksum (RFC 1624 eqn. 3). */
static void network_change(uint8_t *tcp, uint32_t at, uint8_t to)
{
    uint32_t shift = (at & 1) != 0 ? 0 : 8;
    uint32_t sum = (~network_get16(tcp + 16) & 0xffff) + (~((uint32_t)tcp[at] << shift) & 0xffff) + ((uint32_t)to << shift);

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    tcp[at] = to;
    network_put16(tcp + 16, ~sum);
}

/* ---- damage ---- */

/* IPv6 has no header checksum and the length is the one field there that decides what TCP's checksum covers: one shortened packet
 * in 65536 would pass with its end cut off. Our own sum says whether this is that one. */
static bool network_damage_passes(const struct sim_packet *p)
{
    uint32_t len = network_get16(p->octets + 4);

    if (p->octets[0] >> 4 != 6 || p->octets[6] != 6 || len < 20 || len + 40 > p->len) {
        return false;
    }
    return network_sum(p->octets + 8, 32 + len, len + 6) == 0xffff;
}

static void network_damage(struct sim_rng *r, struct sim_packet *p)
{
    uint32_t at = sim_below(r, sim_percent(r, 30) && p->len > 60 ? 60 : p->len);
    uint32_t how = sim_below(r, 10);

    if (how == 0) {
        p->len -= sim_range(r, 1, p->len < 40 ? p->len - 1 : 40 - 1);
    } else if (how < 4) {
        p->octets[at] = (uint8_t)(p->octets[at] + sim_range(r, 1, 255));
    } else {
        p->octets[at] = (uint8_t)(p->octets[at] ^ (1u << sim_below(r, 8)));
    }
}

/* Damages a packet; false if it is better lost (see network_damage_passes). The octets of IPv6 that no checksum covers
 * (traffic class, flow label, hop limit) may change without harm. */
static bool network_corrupt(struct sim_rng *r, struct sim_packet *p)
{
    uint32_t before = network_get16(p->octets + 4), len = p->len;

    network_damage(r, p);
    if (p->octets[0] >> 4 == 6 && p->len >= 40 && (before != network_get16(p->octets + 4) || len != p->len)) {
        return !network_damage_passes(p);
    }
    return true;
}

/* Middleboxes that blot out the timestamps of some segments: two octets of the option's place become NOPs each. */
static void network_strip(struct sim_packet *p)
{
    uint32_t at = network_tcp_at(p), i, end;
    uint8_t *tcp = p->octets + at;

    if (at == 0 || (tcp[13] & 2) != 0) {
        return;
    }
    end = (tcp[12] >> 4) * 4u;
    for (i = 20; i + 10 <= end && tcp[i] != 0; i += tcp[i] == 1 || tcp[i + 1] < 2 ? 1 : tcp[i + 1]) {
        if (tcp[i] == 8 && tcp[i + 1] == 10) {
            for (end = i + 10; i < end; i++) {
                network_change(tcp, i, 1);
            }
            return;
        }
    }
}

/* ---- planted faults ---- */

static void network_plant(struct sim_world *w, struct sim_packet *p)
{
    uint32_t at = network_tcp_at(p), header = at != 0 ? (p->octets[at + 12] >> 4) * 4u : 0;

    if (at == 0 || p->len <= at + header) {
        return;
    }
    if (w->options->plant == SIM_PLANT_CORRUPT_FIXED) {
        network_change(p->octets + at, header, (uint8_t)~p->octets[at + header]);
    } else if (w->options->plant == SIM_PLANT_RESET) {
        network_change(p->octets + at, 13, 4);
    }
}

/* ---- too big for the path ---- */

static uint32_t network_mtu(const struct sim_world *w, uint32_t path)
{
    const struct sim_path *p = &w->scenario.path[path];

    return p->mtu_at <= w->now ? p->mtu_later : p->mtu;
}

static uint32_t network_too_big_v4(const struct sim_packet *big, uint32_t mtu, uint32_t quote, uint8_t *out)
{
    static const uint8_t router[4] = {10, 0, 255, 1};
    uint32_t len = 28 + (big->len < quote ? big->len : quote);

    memset(out, 0, 28);
    out[0] = 0x45;
    network_put16(out + 2, len);
    out[8] = 60;
    out[9] = 1;
    memcpy(out + 12, router, 4);
    memcpy(out + 16, big->octets + 12, 4);
    network_put16(out + 10, ~network_sum(out, 20, 0));
    out[20] = 3;
    out[21] = 4;
    network_put16(out + 26, mtu);
    memcpy(out + 28, big->octets, len - 28);
    network_put16(out + 22, ~network_sum(out + 20, len - 20, 0));
    return len;
}

static uint32_t network_too_big_v6(const struct sim_packet *big, uint32_t mtu, uint8_t *out)
{
    uint32_t len = 48 + (big->len < 1232 ? big->len : 1232);
    weir_addr router = sim_host_addr(255, true);

    memset(out, 0, 48);
    out[0] = 0x60;
    network_put16(out + 4, len - 40);
    out[6] = 58;
    out[7] = 60;
    memcpy(out + 8, router.octets, 16);
    memcpy(out + 24, big->octets + 8, 16);
    out[40] = 2;
    network_put16(out + 46, mtu);
    memcpy(out + 48, big->octets, len - 48);
    network_put16(out + 42, ~network_sum(out + 8, len - 8, len - 40 + 58));
    return len;
}

static uint32_t network_is_icmp(const struct sim_packet *p)
{
    return p->octets[0] >> 4 == 4 ? p->octets[9] == 1 : p->octets[6] == 58;
}

static void network_onwards(struct sim_world *w, struct sim_packet *p);

/* RFC 1191 and RFC 8201: the router drops the packet and says so, unless it was itself such a message. */
static void network_refuse(struct sim_world *w, struct sim_packet *big, uint32_t mtu)
{
    uint8_t out[1280];
    uint32_t len, quote = sim_percent(&w->network.rng, 50) ? 28 : sim_range(&w->network.rng, 28, 548);
    bool v4 = big->octets[0] >> 4 == 4;

    sim_trace_packet(w, big, "too big");
    if (v4 && (big->octets[6] & 0x40) == 0) {
        sim_fail(w, "a packet larger than the path's MTU without DF");
    }
    if (network_is_icmp(big)) {
        return;
    }
    len = v4 ? network_too_big_v4(big, mtu, quote, out) : network_too_big_v6(big, mtu, out);
    network_onwards(w, network_packet(big->to, big->from, out, len));
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

/* A packet on the link towards p->to; takes it over. */
static void network_onwards(struct sim_world *w, struct sim_packet *p)
{
    uint32_t path = p->to != 0 ? p->to : p->from, copies = 1, i;
    const struct sim_link *l = &w->scenario.path[path].link[p->to != 0];
    struct sim_link_state *state = &w->network.link[path][p->to != 0];
    struct sim_rng *r = &w->network.rng;
    weir_us departed = network_bottleneck(w, l, state, p->len);

    if (departed == WEIR_FOREVER) {
        network_lose(w, p, "queue full");
        return;
    }
    if (network_outage(w, path)) {
        network_lose(w, p, "outage");
        return;
    }
    if (network_burst(w, l, state) || sim_happens(r, l->loss)) {
        network_lose(w, p, "lost");
        return;
    }
    if (sim_happens(r, l->strip)) {
        network_strip(p);
    }
    if (sim_happens(r, l->pad)) {
        p->len += sim_range(r, 1, 46);
    }
    network_plant(w, p);
    if (sim_happens(r, l->dup)) {
        copies = sim_range(r, 2, 4);
    }
    copies = w->options->plant == SIM_PLANT_STORM ? 100 : copies;
    for (i = 1; i < copies; i++) {
        network_deliver(w, network_packet(p->from, p->to, p->octets, p->len), network_arrival(w, l, state, departed));
    }
    if (sim_happens(r, l->corrupt) && !network_corrupt(r, p)) {
        network_lose(w, p, "damaged");
        return;
    }
    network_deliver(w, p, network_arrival(w, l, state, departed));
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
    p = network_packet(from, to, octets, len);
    mtu = network_mtu(w, to != 0 ? to : from);
    if (len > mtu) {
        network_refuse(w, p, mtu);
        sim_packet_free(p);
        return;
    }
    network_onwards(w, p);
}
