/* test_gist.c - an acknowledgment that brings nothing new is taken by a packed connection without waking it: two stacks get the same, one of
 * them wakes for every segment, and they must say the same in every octet, and know the same in every field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

enum { GIST_PEERS = 8, GIST_TURNS = 6000, GIST_KINDS = 40, GIST_SAID = 4096 };

/* A segment, and what only these tests need. */
struct gist_segment {
    struct world_segment seg;
    uint16_t window;
    uint8_t ecn, sacks; /* codepoint; how many SACK blocks, the first a D-SACK */
};

struct gist_peer {
    weir_tuple tuple;
    uint32_t seq, ack, stamp;
    bool stamped;
};

/* The second wakes for everything. */
struct gist_twins {
    weir_stack *s[2];
    struct gist_peer peers[GIST_PEERS];
    weir_us now;
    uint64_t random;
    unsigned kinds[GIST_KINDS];
};

static uint32_t gist_draw(struct gist_twins *t, uint32_t below)
{
    t->random ^= t->random >> 12;
    t->random ^= t->random << 25;
    t->random ^= t->random >> 27;
    return (uint32_t)(t->random * 2685821657736338717u >> 33) % below;
}

static void gist_shut(weir_stack *s)
{
    for (uint32_t i = 0; i < s->slot_pool.fresh; i++) {
        s->rests[i].gist.bits = (uint8_t)(s->rests[i].gist.bits & ~(unsigned)WEIRI_GIST_OPEN);
    }
}

/* What one says, by the port that it goes to: one connection after another, for whoever wakes late may speak after others. */
static size_t gist_listen(struct gist_twins *t, unsigned k, uint8_t said[GIST_PEERS][GIST_SAID])
{
    size_t at[GIST_PEERS] = {0}, all = 0, len;
    uint8_t packet[2048];
    struct weiri_ip ip;
    weir_view v;
    while ((len = world_poll(t->s[k], packet, t->now)) > 0) {
        assert_int_equal(weiri_ip_view(&ip, packet, len), WEIR_OK);
        assert_int_equal(weir_view_segment(&v, ip.payload, ip.payload_len, &ip.addrs), WEIR_OK);
        const unsigned i = v.destination_port - 1000u;
        const uint32_t end = v.seq.v + weir_view_len(&v);
        t->peers[i].ack = (v.flags & WEIR_SYN) || (int32_t)(end - t->peers[i].ack) > 0 ? end : t->peers[i].ack;
        assert_true(i < GIST_PEERS && at[i] + len <= GIST_SAID);
        memcpy(said[i] + at[i], packet, len);
        at[i] += len;
        all += len;
    }
    return all;
}

/* What they say is the same, and the peers take it: acknowledged is what was sent. */
static void gist_hear(struct gist_twins *t)
{
    static uint8_t said[2][GIST_PEERS][GIST_SAID];
    memset(said, 0, sizeof said);
    const size_t one = gist_listen(t, 0, said[0]), other = gist_listen(t, 1, said[1]);
    assert_int_equal(one, other);
    assert_memory_equal(said[0], said[1], sizeof said[0]);
}

static size_t gist_packet(uint8_t *packet, const struct gist_segment *g)
{
    weir_fields f;
    world_fields(&f, &g->seg);
    f.window = g->window;
    f.options = (uint16_t)(f.options | (g->sacks > 0 ? WEIR_OPT_SACK : 0));
    for (; f.sack_count < g->sacks; f.sack_count++) {
        f.sack[f.sack_count].from.v = f.ack.v - 200 - 200u * f.sack_count;
        f.sack[f.sack_count].to.v = f.sack[f.sack_count].from.v + 100;
    }
    return world_emit(packet, &g->seg, &f, g->ecn);
}

static enum weir_verdict gist_put(struct gist_twins *t, const struct gist_segment *g)
{
    uint8_t packet[2048];
    const size_t len = gist_packet(packet, g);
    gist_shut(t->s[1]);
    const enum weir_verdict verdict = world_put(t->s[0], packet, len, t->now);
    assert_int_equal(world_put(t->s[1], packet, len, t->now), verdict);
    assert_true(weir_stack_last(t->s[0]) == weir_stack_last(t->s[1]));
    weiri_stack_settle(t->s[0]);
    weiri_stack_settle(t->s[1]); /* who is not packed yet is asked for output, for nothing, and notes that */
    return verdict;
}

static struct gist_segment gist_segment(const struct gist_peer *p, uint16_t flags)
{
    struct gist_segment g;
    memset(&g, 0, sizeof g);
    g.seg.tuple = p->tuple;
    g.seg.flags = flags;
    g.seg.seq = p->seq;
    g.seg.ack = flags & WEIR_ACK ? p->ack : 0;
    g.seg.stamped = p->stamped;
    g.seg.ts_value = p->stamp;
    g.window = 65535;
    return g;
}

/* The same time passes, timers and users alike. What was read is the same. */
static void gist_read(struct gist_twins *t)
{
    weir_ready ready;
    for (unsigned k = 0; k < 2; k++) {
        while (weir_stack_ready(t->s[k], &ready)) {
            uint8_t octets[64];
            size_t len;
            (void)weir_stack_want(t->s[k], ready.conn, WEIR_EV_READABLE);
            if (ready.events & WEIR_EV_READABLE) {
                WORLD_OK(weir_recv(weir_stack_conn(t->s[k], ready.conn), octets, sizeof octets, &len, t->now));
            }
        }
    }
    gist_hear(t);
}

static void gist_open(struct gist_twins *t)
{
    weir_stack_config c = world_config(1);
    c.busy_max = 32; /* enough for all: what the second has more at work takes nothing from anybody */
    c.ring_memory = 4 * (weir_buffers_size(c.rings) + 64);
    c.tcp.ecn = true;
    c.tcp.keepalive_idle_us = 2000000; /* less than a probe waits for its answer */
    for (unsigned k = 0; k < 2; k++) {
        t->s[k] = world_stack(&c, t->now);
        (void)world_listen(t->s[k], 80);
    }
    for (uint16_t i = 0; i < GIST_PEERS; i++) {
        struct gist_peer *p = &t->peers[i];
        p->tuple.local = world_host(i & 1, 1);
        p->tuple.remote = world_host(i & 1, 2);
        p->tuple.local_port = 80;
        p->tuple.remote_port = (uint16_t)(1000 + i);
        p->stamped = i & 2;
        p->seq = 0xfffffff0u * i;
        p->stamp = 5000u * i;
        struct gist_segment syn = gist_segment(p, WEIR_SYN);
        syn.seg.options = (uint16_t)(WEIR_OPT_SACK_OK | (i & 4 ? WEIR_OPT_WSCALE : 0));
        syn.seg.wscale = i & 4 ? 3 : 0;
        assert_int_equal(gist_put(t, &syn), WEIR_OK);
        gist_hear(t);
        p->seq++;
        const struct gist_segment ack = gist_segment(p, WEIR_ACK);
        assert_int_equal(gist_put(t, &ack), WEIR_OK);
        gist_read(t);
    }
}

/* One connection as both stacks know it: the same. */
static void gist_compare(const struct gist_twins *t, uint32_t i)
{
    static weir_conn one, other;
    one = *weiri_rest_look(t->s[0], i);
    other = *weiri_rest_look(t->s[1], i);
    assert_int_equal(one.rx_size, other.rx_size);
    assert_int_equal(one.path.count, other.path.count);
    one.cfg = other.cfg = NULL;
    one.rx_ring = other.rx_ring = one.tx_ring = other.tx_ring = NULL;
    one.spans = other.spans = NULL;
    one.board.sent = other.board.sent = NULL;
    memset(one.path.row + one.path.count, 0, sizeof one.path.row - one.path.count); /* void */
    memset(other.path.row + other.path.count, 0, sizeof other.path.row - other.path.count);
    assert_memory_equal(&one, &other, sizeof one);
}

static void gist_compare_all(const struct gist_twins *t)
{
    weir_stats one = *weir_stack_stats(t->s[0]), other = *weir_stack_stats(t->s[1]);
    one.packed = other.packed = one.unpacked = other.unpacked = 0; /* which is what differs */
    one.busy = other.busy = one.busy_peak = other.busy_peak = 0;
    assert_memory_equal(&one, &other, sizeof one);
    for (uint32_t i = 0; i < GIST_PEERS; i++) {
        gist_compare(t, i);
    }
}

/* Kinds of segments from 20 on are acknowledgments with nothing new. */
static struct gist_segment gist_choose(struct gist_twins *t, struct gist_peer *p)
{
    const unsigned kind = gist_draw(t, GIST_KINDS);
    struct gist_segment g = gist_segment(p, WEIR_ACK);
    t->kinds[kind]++;
    switch (kind) {
    case 0: g.seg.ts_value--; break;
    case 1: g.window = (uint16_t)(40000 + gist_draw(t, 2)); break;
    case 2: g.seg.seq--; break;
    case 3: g.seg.seq++; break;
    case 4: g.seg.ack++; break;
    case 5: g.seg.ack--; break;
    case 6: g.seg.bad_checksum = true; break;
    case 7: g.sacks = 2; break;
    case 8: g.seg.stamped = !g.seg.stamped; break;
    case 9: g.seg.flags = WEIR_ACK | WEIR_URG; break;
    case 10: g.seg.len = 1 + gist_draw(t, 60); break;
    case 11: g.seg.flags = WEIR_ACK | WEIR_ECE; break;
    case 12: g.seg.flags = 0; break;
    case 20: g.seg.flags = WEIR_ACK | WEIR_PSH; break;
    case 21: g.ecn = 3; break;
    case 22:
    case 23: p->stamp += gist_draw(t, 3); g.seg.ts_value = p->stamp; break;
    default: break;
    }
    return g;
}

static void gist_segments(struct gist_twins *t)
{
    for (unsigned n = gist_draw(t, 4); n > 0; n--) {
        struct gist_peer *p = &t->peers[gist_draw(t, GIST_PEERS)];
        const struct gist_segment g = gist_choose(t, p);
        if (gist_put(t, &g) == WEIR_OK) {
            p->seq += g.seg.len; /* its rings are empty, so there is room */
        }
        t->now += gist_draw(t, 3000);
    }
    gist_hear(t);
    gist_read(t);
}

static void gist_say(struct gist_twins *t)
{
    static const uint8_t text[] = "something";
    const weir_slice octets = {text, sizeof text};
    const uint32_t i = gist_draw(t, GIST_PEERS), probes = gist_draw(t, 2);
    size_t len;
    for (unsigned k = 0; k < 2; k++) {
        weir_conn *c = weir_stack_conn(t->s[k], weiri_slot_handle(t->s[k], i));
        WORLD_OK(weir_send(c, octets, 0, &len, t->now));
        weir_set_keepalive(c, probes != 0, t->now);
    }
    gist_hear(t);
}

static void gist_hear_all(struct gist_twins *t)
{
    for (unsigned i = 0; i < GIST_PEERS; i++) {
        const struct gist_segment ack = gist_segment(&t->peers[i], WEIR_ACK);
        assert_int_equal(gist_put(t, &ack), WEIR_OK);
    }
    gist_hear(t);
}

/* Nothing is outstanding, so nobody gives up. Whoever wakes early because its keepalive was put off has seen that time: so everybody hears
 * something after that. */
static void gist_pass(struct gist_twins *t)
{
    gist_hear_all(t);
    t->now += (weir_us)gist_draw(t, 5000) * 1000000;
    for (unsigned turn = 0; turn < 3; turn++, t->now += 10000) {
        weir_stack_expire(t->s[0], t->now);
        weir_stack_expire(t->s[1], t->now);
        gist_hear(t);
    }
    gist_hear_all(t);
}

static void whoever_sleeps_on_knows_as_much(void **state)
{
    (void)state;
    struct gist_twins t;
    memset(&t, 0, sizeof t);
    t.now = 1000000;
    t.random = 4711;
    gist_open(&t);
    for (unsigned turn = 0; turn < GIST_TURNS; turn++) {
        const uint32_t what = gist_draw(&t, 60);
        if (what == 0) {
            gist_say(&t);
        } else if (what == 1) {
            gist_pass(&t);
        } else {
            gist_segments(&t);
        }
        gist_compare_all(&t);
    }
    for (unsigned kind = 0; kind < GIST_KINDS; kind++) {
        assert_true(t.kinds[kind] > 50);
    }
    const weir_stats *one = weir_stack_stats(t.s[0]), *other = weir_stack_stats(t.s[1]);
    assert_true(one->unpacked * 2 < other->unpacked && one->packed > 100);
    guard_free_all();
}

/* A connection that sleeps on has taken the last packet, and is still called so when it is gone. */
static void who_took_the_last_one_has_a_name(void **state)
{
    (void)state;
    struct gist_twins t;
    memset(&t, 0, sizeof t);
    t.now = 1000000;
    gist_open(&t);
    const struct gist_segment ack = gist_segment(&t.peers[0], WEIR_ACK);
    assert_true(slot_is_packed(t.s[0], 0));
    assert_int_equal(gist_put(&t, &ack), WEIR_OK);
    assert_true(slot_is_packed(t.s[0], 0));
    const weir_handle name = weir_stack_last(t.s[0]);
    assert_true(name == weiri_slot_handle(t.s[0], 0));
    WORLD_OK(weir_stack_release(t.s[0], name, 0, t.now));
    uint8_t packet[2048];
    assert_true(world_poll(t.s[0], packet, t.now) > 0); /* a RST, and nobody is left */
    assert_null(weir_stack_peek(t.s[0], name));
    assert_true(weir_stack_last(t.s[0]) == name && name != weiri_slot_handle(t.s[0], 0));
    guard_free_all();
}

/* A window that no segment could say exactly is none that one could repeat. */
static void what_cannot_be_repeated_wakes(void **state)
{
    (void)state;
    struct gist_twins t;
    struct weiri_gist gist;
    static weir_conn c;
    memset(&t, 0, sizeof t);
    t.now = 1000000;
    gist_open(&t);
    c = *weiri_rest_look(t.s[0], 2);
    c.shift_snd = 3;
    c.snd.wnd = 80;
    weiri_gist_take(&gist, &c);
    assert_int_equal(gist.bits, WEIRI_GIST_OPEN | WEIRI_GIST_STAMPED);
    assert_int_equal(gist.window, 10);
    c.snd.wnd = 81;
    weiri_gist_take(&gist, &c);
    assert_int_equal(gist.bits, WEIRI_GIST_STAMPED);
    c.snd.wnd = 80;
    c.rcv.acked = seq_sub(c.rcv.nxt, 1); /* its timestamp would not be kept */
    weiri_gist_take(&gist, &c);
    assert_int_equal(gist.bits, WEIRI_GIST_STAMPED);
    c.flags &= ~(uint32_t)WEIRI_TS_OK;
    weiri_gist_take(&gist, &c);
    assert_int_equal(gist.bits, WEIRI_GIST_OPEN);
    c.state = WEIR_CLOSE_WAIT; /* where other rows are for it */
    weiri_gist_take(&gist, &c);
    assert_int_equal(gist.bits, 0);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_took_the_last_one_has_a_name),
        cmocka_unit_test(what_cannot_be_repeated_wakes),
        cmocka_unit_test(whoever_sleeps_on_knows_as_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
