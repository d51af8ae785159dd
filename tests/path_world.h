/* path_world.h - flows of real connections over one bottleneck in virtual time: enough of a network to see a congestion control live.
 *
 *     path_open(&p, 12500000, 10000, 250000);   octets a second, one-way delay in us, octets that may wait
 *     path_flow(&p, &cfg);                      a sender that has always more to send, and its receiver
 *     path_run(&p, 5 * CONN_SECOND);            p.seen is called with each segment of text that leaves
 *
 * Not weir-sim: no stacks, no reports, one kind of queue. For tests only; one thread. */
#ifndef WEIR_TESTS_PATH_WORLD_H
#define WEIR_TESTS_PATH_WORLD_H

#include "conn_fixture.h"

enum { PATH_FLOWS = 2, PATH_RING = 1 << 20, PATH_PACKETS = 4096, PATH_OCTETS = 1600 };

struct path_packet {
    weir_us at;
    uint32_t flow, len;
    uint8_t ecn;
    uint8_t octets[PATH_OCTETS];
};

/* Packets arrive in the order in which they left. */
struct path_way {
    struct path_packet packets[PATH_PACKETS];
    uint32_t head, count;
};

struct path_ends {
    weir_conn c[2];
    weir_config cfg[2];
    uint64_t received;
    void *memory[2];
};

struct path {
    struct path_way way[2]; /* of text, of acknowledgments */
    struct path_ends flow[PATH_FLOWS];
    uint32_t flows, rate, delay, queue, loss; /* loss: of so many a million */
    uint32_t mark;       /* with so many octets waiting, what may be marked is (RFC 3168); 0: never */
    uint32_t chunk;      /* the user writes at most so much at once; 0: all that fits */
    uint64_t random, free_ns;
    weir_pseudo pseudo[2]; /* by way */
    uint64_t digest, cut; /* of all that was sent: when, and which octets; segments that came in packets of several */
    weir_us now;
    void (*seen)(struct path *p, uint32_t flow, const weir_out *out);
    void *seen_by;
};

__attribute__((unused)) static void path_open(struct path *p, uint32_t rate, uint32_t delay, uint32_t queue)
{
    memset(p, 0, sizeof *p);
    p->rate = rate;
    p->delay = delay;
    p->queue = queue;
    p->random = 1;
    p->now = CONN_SECOND;
}

static uint32_t path_random(struct path *p, uint32_t below)
{
    p->random = p->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(p->random >> 33) % below;
}

__attribute__((unused)) static void path_flow(struct path *p, const weir_config *cfg)
{
    weir_tuple t = conn_tuple(), back;
    struct path_ends *f = &p->flow[p->flows];
    t.local_port = (uint16_t)(t.local_port + p->flows++);
    p->pseudo[0].source = p->pseudo[1].destination = t.local;
    p->pseudo[0].destination = p->pseudo[1].source = t.remote;
    back.local = t.remote;
    back.remote = t.local;
    back.local_port = t.remote_port;
    back.remote_port = t.local_port;
    for (unsigned end = 0; end < 2; end++) {
        weir_sizes sizes = {end == 0 ? 4096u : (uint32_t)PATH_RING, end == 0 ? (uint32_t)PATH_RING : 4096u};
        weir_buffers b;
        size_t len = weir_buffers_size(sizes);
        f->cfg[end] = *cfg;
        f->cfg[end].secret[0] = (uint8_t)(17 + 2 * p->flows + end);
        f->memory[end] = malloc(len);
        assert_true(weir_buffers_carve(&b, f->memory[end], len, sizes));
        assert_int_equal(weir_init(&f->c[end], &f->cfg[end], &b, p->now), WEIR_ERR_NONE);
    }
    assert_int_equal(weir_listen(&f->c[1], &back, p->now), WEIR_ERR_NONE);
    assert_int_equal(weir_connect(&f->c[0], &t, p->now), WEIR_ERR_NONE);
}

__attribute__((unused)) static void path_close(struct path *p)
{
    for (uint32_t i = 0; i < p->flows; i++) {
        free(p->flow[i].memory[0]);
        free(p->flow[i].memory[1]);
    }
}

static void path_put(struct path *p, uint32_t end, const struct path_packet *packet, weir_us at)
{
    struct path_way *way = &p->way[end];
    struct path_packet *k = &way->packets[(way->head + way->count) % PATH_PACKETS];
    assert_true(way->count < PATH_PACKETS);
    way->count++;
    *k = *packet;
    k->at = at;
}

/* The way of text has the bottleneck; a packet there is 20 octets of IP longer. */
static void path_send_one(struct path *p, uint32_t end, struct path_packet *k)
{
    if (end == 1) {
        path_put(p, end, k, p->now + p->delay);
        return;
    }
    uint64_t at = 1000 * k->at, start = p->free_ns > at ? p->free_ns : at, waiting = (start - at) / 1000 * p->rate / 1000000;
    if (waiting > p->queue || path_random(p, 1000000) < p->loss) {
        return;
    }
    if (p->mark > 0 && waiting > p->mark && k->ecn != 0) {
        k->ecn = 3;
    }
    p->free_ns = start + (uint64_t)(k->len + 20) * 1000000000 / p->rate;
    path_put(p, end, k, p->free_ns / 1000 + p->delay);
}

/* Fowler, Noll, Vo. Of the text the checksum tells. */
static void path_digest(struct path *p, const struct path_packet *k)
{
    const uint64_t prime = UINT64_C(1099511628211);
    p->digest = (p->digest ^ p->now) * prime;
    p->digest = (p->digest ^ k->len << 2 ^ k->ecn) * prime;
    for (uint32_t i = 0; i < k->len && i < 60; i++) {
        p->digest = (p->digest ^ k->octets[i]) * prime;
    }
}

/* What leaves is cut before it meets the network. */
static void path_send(struct path *p, uint32_t flow, uint32_t end, const weir_out *out)
{
    struct path_packet k;
    if (p->seen != NULL && end == 0 && out->body[0].len > 0) {
        p->seen(p, flow, out);
    }
    for (uint32_t i = 0; (k.len = (uint32_t)weir_out_cut(out, i, k.octets, sizeof k.octets)) > 0; i++) {
        k.flow = flow;
        k.ecn = out->ecn;
        k.at = out->depart_at > p->now ? out->depart_at : p->now;
        p->cut += out->gso_size > 0;
        path_digest(p, &k);
        path_send_one(p, end, &k);
    }
}

/* The users: one writes all it may, one reads all that came; then what the connection has to say. */
static void path_turn(struct path *p, uint32_t flow, uint32_t end)
{
    struct path_ends *f = &p->flow[flow];
    weir_conn *c = &f->c[end];
    weir_out out;
    size_t len;
    if (end == 0 && (weir_events(c) & WEIR_EV_CONNECTED)) {
        for (uint8_t *room = weir_tx_reserve(c, &len); len > 0; room = weir_tx_reserve(c, &len)) {
            size_t some = p->chunk > 0 ? 1 + path_random(p, p->chunk) : len;
            some = some < len ? some : len;
            memset(room, (int)(0x33 + (p->chunk > 0 ? path_random(p, 64) : 0)), some);
            assert_int_equal(weir_tx_commit(c, some, 0, p->now), WEIR_ERR_NONE);
            if (p->chunk > 0) {
                break;
            }
        }
    }
    while (end == 1 && weir_rx_peek(c, &len) != NULL && len > 0) {
        f->received += len;
        (void)weir_rx_consume(c, len, p->now);
    }
    for (bool more = weir_has_output(c); more; more = weir_has_output(c)) {
        assert_true(weir_poll(c, &out, p->now) > 0);
        path_send(p, flow, end, &out);
    }
    assert_int_equal(weir_poll(c, &out, p->now), 0);
}

static void path_arrive(struct path *p, uint32_t end)
{
    struct path_way *way = &p->way[end];
    struct path_packet *k = &way->packets[way->head];
    weir_view v;
    assert_int_equal(weir_view_segment(&v, k->octets, k->len, &p->pseudo[end]), WEIR_OK);
    v.ecn = k->ecn;
    way->head = (way->head + 1) % PATH_PACKETS;
    way->count--;
    (void)weir_input(&p->flow[k->flow].c[1 - end], &v, p->now);
    path_turn(p, k->flow, 1 - end);
}

__attribute__((unused)) static void path_run(struct path *p, weir_us span)
{
    weir_us until = p->now + span, at = p->now;
    for (uint32_t i = 0; i < p->flows; i++) {
        path_turn(p, i, 0);
    }
    for (; at <= until; p->now = at > p->now ? at : p->now) {
        uint32_t due = 2 * PATH_FLOWS;
        for (uint32_t end = 0; end < 2; end++) {
            while (p->way[end].count > 0 && p->way[end].packets[p->way[end].head].at <= p->now) {
                path_arrive(p, end);
            }
        }
        at = WEIR_FOREVER;
        for (uint32_t i = 0; i < 2 * p->flows; i++) {
            weir_us deadline = weir_deadline(&p->flow[i / 2].c[i % 2]);
            due = deadline < at ? i : due;
            at = base_min_us(at, deadline);
        }
        if (at <= p->now) {
            weir_expire(&p->flow[due / 2].c[due % 2], p->now);
            path_turn(p, due / 2, due % 2);
            assert_true(weir_deadline(&p->flow[due / 2].c[due % 2]) > p->now);
            continue;
        }
        for (uint32_t end = 0; end < 2; end++) {
            at = p->way[end].count > 0 ? base_min_us(at, p->way[end].packets[p->way[end].head].at) : at;
        }
    }
    p->now = until;
}

#endif /* WEIR_TESTS_PATH_WORLD_H */
