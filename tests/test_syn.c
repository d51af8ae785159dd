/* test_syn.c - half-open connections in small records: whoever was in one answers as one that never was, octet for octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

enum { SYN_PEERS = 20, SYN_KEPT = 16 /* syn_whole */, SYN_PACKETS = 128, SYN_TICK = 4096, SYN_ISS = 1000 };
#define SYN_START ((weir_us)1000 * SYN_TICK)

/* Timers that are whole ticks, so that records are due when connections are. */
static weir_stack_config syn_config(uint32_t records)
{
    weir_stack_config c = world_config(1);
    c.syn_records_max = records;
    c.half_open_max = 64;
    c.tcp.rto_initial_us = 250 * SYN_TICK;
    c.tcp.rto_max_us = 15000 * SYN_TICK;
    c.tcp.ecn = WEIR_ECN_ACCEPT;
    return c;
}

static struct world_segment syn_segment(bool v6, unsigned peer, uint16_t flags)
{
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    seg.tuple.local = world_host(v6, 1);
    seg.tuple.remote = world_host(v6, 2);
    seg.tuple.local_port = 80;
    seg.tuple.remote_port = (uint16_t)(2000 + peer);
    seg.flags = flags;
    seg.seq = SYN_ISS + !(flags & WEIR_SYN);
    return seg;
}

/* What a SYN offers differs from peer to peer: each kind of bits that a record has. */
static struct world_segment syn_first(bool v6, unsigned peer)
{
    struct world_segment seg = syn_segment(v6, peer, WEIR_SYN);
    seg.options = (uint16_t)((peer & 1 ? WEIR_OPT_MSS : 0) | (peer & 2 ? WEIR_OPT_WSCALE : 0) | (peer & 4 ? WEIR_OPT_SACK_OK : 0));
    seg.mss = 1200;
    seg.wscale = 7;
    seg.stamped = peer % 3 == 0;
    seg.ts_value = 70000 + peer;
    seg.flags = (uint16_t)(WEIR_SYN | (peer % 5 == 1 ? WEIR_ECE | WEIR_CWR : 0));
    return seg;
}

/* ---- two stacks that hear the same: one has records, one has none ------------------------------------------------------------------ */

struct syn_packet {
    uint32_t len;
    uint8_t octets[1500];
};

struct syn_twins {
    weir_stack *s[2];
    weir_us now;
    weir_seq iss[SYN_PEERS];
    bool v6;
    struct syn_packet out[2][SYN_PACKETS];
};

static int syn_compare(const void *a, const void *b)
{
    const struct syn_packet *x = a, *y = b;
    return x->len != y->len ? (x->len > y->len) - (x->len < y->len) : memcmp(x->octets, y->octets, x->len);
}

/* Both send the same packets now, in whatever order; how many. */
static unsigned twins_out(struct syn_twins *t)
{
    unsigned count[2] = {0, 0};
    memset(t->out, 0, sizeof t->out);
    for (unsigned k = 0; k < 2; k++) {
        uint8_t packet[2048];
        size_t len;
        while ((len = world_poll(t->s[k], packet, t->now)) > 0) {
            assert_true(count[k] < SYN_PACKETS);
            t->out[k][count[k]].len = (uint32_t)len;
            memcpy(t->out[k][count[k]++].octets, packet, len);
        }
        qsort(t->out[k], count[k], sizeof t->out[k][0], syn_compare);
    }
    assert_int_equal(count[0], count[1]);
    for (unsigned i = 0; i < count[0]; i++) {
        assert_int_equal(syn_compare(&t->out[0][i], &t->out[1][i]), 0);
    }
    const weir_stats *a = weir_stack_stats(t->s[0]), *b = weir_stack_stats(t->s[1]);
    assert_int_equal(a->half_open, b->half_open);
    assert_true(a->established == b->established);
    assert_int_equal(a->connections + a->syn_records, b->connections);
    return count[0];
}

static void twins_in(struct syn_twins *t, const struct world_segment *seg)
{
    const enum weir_verdict verdict = world_inject(t->s[0], seg, t->now);
    assert_int_equal(world_inject(t->s[1], seg, t->now), verdict);
}

/* Many send a SYN and are answered: the oldest are in records then, where there are any. */
static void twins_begin(struct syn_twins *t, bool v6, bool any_destination)
{
    t->now = SYN_START;
    t->v6 = v6;
    for (unsigned k = 0; k < 2; k++) {
        weir_stack_config c = syn_config(k == 0 ? SYN_PEERS : 0);
        c.any_destination = any_destination;
        t->s[k] = world_stack(&c, t->now);
        (void)world_listen(t->s[k], 80);
    }
    for (unsigned peer = 0; peer < SYN_PEERS; peer++) {
        const struct world_segment seg = syn_first(v6, peer);
        twins_in(t, &seg);
        assert_int_equal(twins_out(t), 1);
        const uint8_t *tcp = t->out[0][0].octets + (v6 ? WEIRI_IP6_HEADER : WEIRI_IP4_HEADER);
        t->iss[peer] = seq_of(base_get32(tcp + 4));
        t->now += SYN_TICK;
    }
    assert_int_equal(weir_stack_stats(t->s[0])->syn_records, SYN_PEERS - SYN_KEPT);
    assert_int_equal(weir_stack_stats(t->s[1])->syn_records, 0);
}

static void twins_pass(struct syn_twins *t, weir_us span)
{
    const weir_us until = t->now + span;
    for (;;) {
        const weir_us at = base_min_us(weir_stack_deadline(t->s[0]), weir_stack_deadline(t->s[1]));
        t->now = at < until ? base_min_us(at > t->now ? at : t->now + 1, until) : until;
        for (unsigned k = 0; k < 2; k++) {
            weir_stack_expire(t->s[k], t->now);
            WORLD_CHECK(t->s[k]);
        }
        (void)twins_out(t);
        if (t->now == until) {
            return;
        }
    }
}

static struct world_segment twins_ack(const struct syn_twins *t, unsigned peer)
{
    struct world_segment seg = syn_segment(t->v6, peer, WEIR_ACK);
    seg.ack = t->iss[peer].v + 1;
    seg.stamped = peer % 3 == 0;
    seg.ts_value = 70100;
    return seg;
}

static weir_stack *syn_flood(const weir_stack_config *c, unsigned peers)
{
    weir_stack *s = world_stack(c, SYN_START);
    (void)world_listen(s, 80);
    for (unsigned peer = 0; peer < peers; peer++) {
        const struct world_segment seg = syn_first(false, peer);
        assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
        (void)world_drop_all(s, SYN_START);
    }
    return s;
}

/* ---- segments ---------------------------------------------------------------------------------------------------------------------- */

/* Each of them for a peer in a record, and then the acknowledgment that ends the handshake, and text: if there still is one. */
static void twins_try(struct syn_twins *t, unsigned peer, const struct world_segment *seg)
{
    twins_in(t, seg);
    (void)twins_out(t);
    t->now += SYN_TICK;
    struct world_segment ack = twins_ack(t, peer);
    twins_in(t, &ack);
    (void)twins_out(t);
    ack.len = 10;
    ack.flags = WEIR_ACK | WEIR_FIN;
    twins_in(t, &ack);
    (void)twins_out(t);
    twins_pass(t, 250 * SYN_TICK);
}

static struct world_segment twins_segment(const struct syn_twins *t, unsigned peer, unsigned kind)
{
    struct world_segment seg = twins_ack(t, peer);
    switch (kind) {
    case 0: break;
    case 1: seg.len = 100; break;
    case 2: seg.len = 100; seg.flags = WEIR_ACK | WEIR_FIN; break;
    case 3: return syn_first(t->v6, peer);
    case 4: seg = syn_first(t->v6, peer); seg.seq += 50; break;
    case 5: seg = syn_first(t->v6, peer); seg.seq -= 50; break;
    case 6: seg.flags = WEIR_RST; break;
    case 7: seg.flags = WEIR_RST; seg.seq += 5; break;
    case 8: seg.flags = WEIR_RST; seg.seq -= 5; break;
    case 9: seg.ack += 1; break;
    case 10: seg.ack -= 1; break;
    case 11: seg.seq -= 1; break;
    case 12: seg.ts_value = 60000; break;
    case 13: seg.flags = 0; break;
    case 14: seg.flags = WEIR_ACK | WEIR_SYN; break;
    default: seg.flags = WEIR_ACK | WEIR_URG; seg.len = 3; break;
    }
    return seg;
}

static void test_every_segment_finds_the_same(void **state)
{
    static struct syn_twins t;
    (void)state;
    for (unsigned kind = 0; kind < 16; kind++) {
        for (unsigned peer = 0; peer < SYN_PEERS - SYN_KEPT; peer++) {
            twins_begin(&t, kind & 1, peer == 2);
            const struct world_segment seg = twins_segment(&t, peer, kind);
            twins_try(&t, peer, &seg);
            guard_free_all();
        }
    }
}

/* A segment that nobody sent like this wakes nobody. */
static void test_a_bad_checksum_wakes_nobody(void **state)
{
    static struct syn_twins t;
    (void)state;
    twins_begin(&t, false, false);
    struct world_segment seg = twins_ack(&t, 0);
    seg.bad_checksum = true;
    twins_in(&t, &seg);
    assert_int_equal(weir_stack_stats(t.s[0])->syn_records, SYN_PEERS - SYN_KEPT);
    guard_free_all();
}

/* ---- time -------------------------------------------------------------------------------------------------------------------------- */

/* The SYN,ACK goes again when it would have, ever more slowly, and after three minutes nobody is left. Meanwhile some of those that were
 * asked again go on. */
static void test_time_passes_alike(void **state)
{
    static struct syn_twins t;
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        twins_begin(&t, v6, false);
        for (unsigned turn = 0; turn < 40; turn++) {
            twins_pass(&t, 1220 * SYN_TICK);
            if (turn < SYN_PEERS && turn % 4 == 0) {
                const struct world_segment ack = twins_ack(&t, turn);
                twins_in(&t, &ack);
                (void)twins_out(&t);
            }
        }
        assert_true(weir_stack_stats(t.s[0])->syn_recorded > SYN_PEERS);
        assert_int_equal(weir_stack_stats(t.s[0])->syn_missed, 0);
        assert_int_equal(weir_stack_stats(t.s[0])->half_open, 0);
        guard_free_all();
    }
}

/* New ones come all the time, and find those that have been records already: who is put behind one due later is due with it, and no timer of
 * a record is forgotten. */
static void test_records_come_and_go(void **state)
{
    const weir_stack_config c = syn_config(SYN_PEERS);
    weir_stack *s = syn_flood(&c, SYN_PEERS);
    unsigned answers = 0;
    weir_us now = SYN_START;
    (void)state;
    for (unsigned turn = 0; turn < 400; turn++) {
        if (turn < 30) {
            const struct world_segment seg = syn_first(false, 40 + turn);
            assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
        }
        for (const weir_us until = now + 1000000; now < until; answers += world_drop_all(s, now)) {
            now = base_min_us(until, base_after(now, 1) > weir_stack_deadline(s) ? now + 1 : weir_stack_deadline(s));
            weir_stack_expire(s, now);
            WORLD_CHECK(s);
        }
    }
    assert_int_equal(answers, 30 + (SYN_PEERS + 30) * 7); /* after 1, 3, 7, 15, 31, 63 and 124 s; then three minutes are over */
    assert_int_equal(weir_stack_stats(s)->half_open, 0);
    assert_true(weir_stack_stats(s)->syn_recorded > 50);
    guard_free_all();
}

/* Nobody looks at the clock for an hour: whoever comes then is whole, for nothing in a record could tell so long a time apart; and the
 * others end. */
static void test_a_long_pause(void **state)
{
    static struct syn_twins t;
    (void)state;
    twins_begin(&t, false, false);
    t.now += (weir_us)3600 * 1000000;
    const weir_us hour = t.now;
    for (unsigned peer = 30; peer < 34; peer++) {
        const struct world_segment seg = syn_first(false, peer);
        assert_int_equal(world_inject(t.s[0], &seg, t.now), WEIR_OK);
        (void)world_drop_all(t.s[0], t.now);
    }
    assert_int_equal(weir_stack_stats(t.s[0])->syn_records, SYN_PEERS - SYN_KEPT);
    assert_true(weir_stack_deadline(t.s[0]) < hour);
    weir_stack_expire(t.s[0], hour);
    WORLD_CHECK(t.s[0]);
    assert_int_equal(weir_stack_stats(t.s[0])->half_open, 4);
    guard_free_all();
}

/* ---- ICMP -------------------------------------------------------------------------------------------------------------------------- */

static void test_icmp_finds_the_same(void **state)
{
    static const uint8_t codes[] = {0, 3, 4};
    static struct syn_twins t;
    (void)state;
    for (unsigned k = 0; k < sizeof codes; k++) {
        for (unsigned wrong = 0; wrong < 2; wrong++) {
            uint8_t packet[256];
            twins_begin(&t, false, false);
            const struct world_segment quoted = syn_segment(false, 1, 0);
            const size_t len = world_icmp(packet, &quoted.tuple, codes[k], t.iss[1].v + wrong * 7);
            const enum weir_verdict verdict = world_put(t.s[0], packet, len, t.now);
            assert_int_equal(verdict, wrong ? WEIR_ICMP_UNMATCHED : WEIR_OK);
            assert_int_equal(world_put(t.s[1], packet, len, t.now), verdict);
            (void)twins_out(&t);
            const struct world_segment ack = twins_ack(&t, 1);
            twins_try(&t, 1, &ack);
            guard_free_all();
        }
    }
}

/* ---- who stays whole --------------------------------------------------------------------------------------------------------------- */

/* Peers 0 .. 15 wait; `what` is done to the first. Then others come: is it whole still? */
static bool syn_stays(void (*what)(weir_stack *s, weir_handle h), weir_us later)
{
    const weir_stack_config c = syn_config(SYN_PEERS);
    weir_stack *s = world_stack(&c, SYN_START);
    (void)world_listen(s, 80);
    for (unsigned peer = 0; peer < SYN_PEERS; peer++) {
        const weir_us now = SYN_START + (peer < SYN_KEPT ? 0 : later);
        const struct world_segment seg = syn_first(false, peer);
        if (peer == SYN_KEPT && what != NULL) {
            what(s, weiri_slot_handle(s, 0));
        }
        assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
        if (later == 0 || peer >= SYN_KEPT) {
            (void)world_drop_all(s, now);
        }
    }
    const struct world_segment first = syn_first(false, 0);
    const bool stays = weiri_demux_find(s, &first.tuple) < c.connections_max;
    guard_free_all();
    return stays;
}

static void syn_tagged(weir_stack *s, weir_handle h)
{
    WORLD_OK(weir_stack_set_tag(s, h, 9));
}

static void syn_wanted(weir_stack *s, weir_handle h)
{
    WORLD_OK(weir_stack_want(s, h, WEIR_EV_WRITABLE));
}

static void syn_text(weir_stack *s, weir_handle h)
{
    weir_slice text = {(const uint8_t *)"x", 1};
    size_t done;
    WORLD_OK(weir_send(weir_stack_conn(s, h), text, 0, &done, SYN_START));
    world_end_round(s);
}

static void syn_marked(weir_stack *s, weir_handle h)
{
    WORLD_OK(weir_set_dscp(weir_stack_conn(s, h), 3));
    world_end_round(s);
}

static void syn_impatient(weir_stack *s, weir_handle h)
{
    weir_set_user_timeout(weir_stack_conn(s, h), 5000000);
    world_end_round(s);
}

static void syn_nagle(weir_stack *s, weir_handle h)
{
    weir_conn *c = weir_stack_conn(s, h);
    weir_set_nagle(c, !weir_stack_get_config(s)->tcp.nagle);
    world_end_round(s);
}

static void syn_alive(weir_stack *s, weir_handle h)
{
    weir_conn *c = weir_stack_conn(s, h);
    weir_set_keepalive(c, weir_stack_get_config(s)->tcp.keepalive_idle_us == 0, SYN_START);
    world_end_round(s);
}

static void syn_own_rings(weir_stack *s, weir_handle h)
{
    static uint8_t memory[65536];
    const weir_sizes sizes = {8192, 8192};
    weir_buffers b;
    assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
    WORLD_OK(weir_set_buffers(weir_stack_conn(s, h), &b, SYN_START));
    world_end_round(s);
}

static void syn_challenged(weir_stack *s, weir_handle h)
{
    struct world_segment seg = syn_segment(false, 0, WEIR_RST);
    (void)h;
    seg.seq += 5;
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    (void)world_drop_all(s, SYN_START);
}

static void syn_plain_again(weir_stack *s, weir_handle h)
{
    struct world_segment seg = syn_segment(false, 0, WEIR_SYN | WEIR_ECE | WEIR_CWR);
    (void)h;
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    (void)world_drop_all(s, SYN_START);
    slot_conn(s, 0)->challenges = 0;
}

static void test_who_stays_whole(void **state)
{
    (void)state;
    assert_false(syn_stays(NULL, 0));
    assert_true(syn_stays(syn_tagged, 0));
    assert_true(syn_stays(syn_wanted, 0));
    assert_true(syn_stays(syn_text, 0));
    assert_true(syn_stays(syn_marked, 0));
    assert_true(syn_stays(syn_impatient, 0));
    assert_true(syn_stays(syn_nagle, 0));
    assert_true(syn_stays(syn_alive, 0));
    assert_true(syn_stays(syn_own_rings, 0));
    assert_true(syn_stays(syn_challenged, 0));
    assert_true(syn_stays(syn_plain_again, 0));
    assert_true(syn_stays(NULL, 1)); /* its SYN,ACK has not been polled */
}

/* Whom a listener holds the user knows of: none is in a record. */
static void test_held_ones_stay_whole(void **state)
{
    const weir_stack_config c = syn_config(SYN_PEERS);
    weir_stack *s = world_stack(&c, SYN_START);
    weir_listen_spec spec;
    weir_handle listener;
    (void)state;
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    spec.hold = true;
    WORLD_OK(weir_stack_listen(s, &spec, &listener));
    for (unsigned peer = 0; peer < SYN_PEERS; peer++) {
        const struct world_segment seg = syn_first(false, peer);
        assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    }
    assert_int_equal(weir_stack_stats(s)->syn_records, 0);
    guard_free_all();
}

/* ---- room -------------------------------------------------------------------------------------------------------------------------- */

/* Four connections, thirty half-open ones: the others need none. Records end, and then places do. */
static void test_records_need_no_connection(void **state)
{
    weir_stack_config c = syn_config(26);
    (void)state;
    c.connections_max = 4;
    weir_stack *s = syn_flood(&c, 30);
    assert_int_equal(weir_stack_stats(s)->half_open, 30);
    assert_int_equal(weir_stack_stats(s)->syn_records, 26);
    for (uint32_t i = 0; i < 4; i++) { /* the user has them in mind */
        WORLD_OK(weir_stack_set_tag(s, weiri_slot_handle(s, i), 1));
    }
    const struct world_segment more = syn_first(false, 30);
    assert_int_equal(world_inject(s, &more, SYN_START), WEIR_NO_ROOM);
    /* One in a record is heard of, and nobody gives way. */
    struct world_segment seg = syn_segment(false, 0, WEIR_ACK);
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_NO_ROOM);
    assert_int_equal(weir_stack_stats(s)->syn_missed, 1);
    uint8_t packet[256];
    const weir_tuple tuple = seg.tuple;
    const uint32_t r = weiri_demux_find(s, &tuple) - weiri_syn_number(s, 0);
    const size_t len = world_icmp(packet, &tuple, 0, base_get32(s->syns.records[r].iss));
    assert_int_equal(world_put(s, packet, len, SYN_START), WEIR_NO_ROOM);
    /* One goes: there is room. */
    seg = syn_segment(false, 29, WEIR_RST);
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    seg = syn_segment(false, 0, WEIR_RST);
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->half_open, 28);
    guard_free_all();
}

/* All are due at once and there is room for four at a time: the others are tried again 10 ms later, until all have gone. */
static void test_timers_wait_for_room(void **state)
{
    weir_stack_config c = syn_config(26);
    (void)state;
    c.connections_max = 4;
    weir_stack *s = syn_flood(&c, 30);
    weir_us now = weir_stack_deadline(s);
    assert_true(now == SYN_START + c.tcp.rto_initial_us);
    weir_stack_expire(s, now);
    WORLD_CHECK(s);
    assert_int_equal(world_drop_all(s, now), 4);
    assert_true(weir_stack_deadline(s) == now + WEIRI_RETRY_US);
    weir_stack_expire(s, now + 1);
    assert_int_equal(world_drop_all(s, now + 1), 0);
    unsigned again = 4;
    for (unsigned turn = 0; turn < 40; turn++) {
        now += WEIRI_RETRY_US;
        weir_stack_expire(s, now);
        WORLD_CHECK(s);
        again += world_drop_all(s, now);
    }
    assert_int_equal(again, 30);
    guard_free_all();
}

/* When the listener goes each is reset as long as there is a place to do so; the others are forgotten. One of another listener stays. */
static void test_records_go_with_their_listener(void **state)
{
    weir_stack_config c = syn_config(SYN_PEERS);
    (void)state;
    c.syn_whole = 4;
    for (unsigned places = 24; places <= 64; places += 40) {
        c.connections_max = places;
        weir_stack *s = syn_flood(&c, 1);
        const weir_handle other = world_listen(s, 81);
        (void)other;
        for (unsigned peer = 1; peer < SYN_PEERS + 6; peer++) {
            struct world_segment seg = syn_first(false, peer);
            seg.tuple.local_port = peer > SYN_PEERS ? 81 : 80;
            assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
            (void)world_drop_all(s, SYN_START);
        }
        const uint32_t before = weir_stack_stats(s)->syn_records;
        assert_true(before > 0);
        WORLD_OK(weir_stack_unlisten(s, weiri_listener_handle(s, 0), SYN_START));
        WORLD_CHECK(s);
        assert_int_equal(weir_stack_stats(s)->half_open, 5);
        const unsigned resets = world_drop_all(s, SYN_START);
        assert_true(places == 64 ? resets == SYN_PEERS + 1 : resets > 0);
        WORLD_OK(weir_stack_unlisten(s, weiri_listener_handle(s, 1), SYN_START));
        (void)world_drop_all(s, SYN_START);
        world_expect_empty(s);
        assert_int_equal(weir_stack_stats(s)->syn_records, 0);
        guard_free_all();
    }
}

/* Those that are packed become records too; and all come back from there. */
static void test_packed_ones_become_records(void **state)
{
    weir_stack_config c = syn_config(SYN_PEERS);
    (void)state;
    c.busy_max = 4;
    weir_stack *s = syn_flood(&c, SYN_PEERS);
    assert_true(weir_stack_stats(s)->packed > 0);
    assert_true(weir_stack_stats(s)->syn_records > 0);
    for (unsigned peer = 0; peer < SYN_PEERS; peer++) {
        struct world_segment seg = syn_segment(false, peer, WEIR_RST);
        assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
        (void)world_drop_all(s, SYN_START);
    }
    world_expect_empty(s);
    assert_int_equal(weir_stack_stats(s)->syn_records, 0);
    guard_free_all();
}

/* The sockets of a record are in use. */
static void test_its_sockets_are_taken(void **state)
{
    const weir_stack_config c = syn_config(SYN_PEERS);
    weir_stack *s = syn_flood(&c, SYN_PEERS);
    const struct world_segment seg = syn_first(false, 0);
    weir_handle conn;
    (void)state;
    assert_true(weiri_demux_find(s, &seg.tuple) >= weiri_syn_number(s, 0));
    assert_int_equal(weir_stack_connect(s, &seg.tuple, &conn, SYN_START), WEIR_ERR_EXISTS);
    guard_free_all();
}

/* All included, a half-open connection is 48 octets, and 16 more with any_destination; no more of them than the links can name. */
static void test_the_size_of_a_record(void **state)
{
    weir_stack_config c = syn_config(0);
    (void)state;
    assert_int_equal(sizeof(struct weiri_syn), 46);
    for (unsigned any = 0; any < 2; any++) {
        c.any_destination = any;
        c.syn_records_max = 6400;
        const size_t some = weir_stack_size(&c);
        c.syn_records_max = 12800;
        assert_int_equal(weir_stack_size(&c) - some, 6400 * (any ? 64 : 48));
    }
    c.syn_records_max = 65534;
    assert_true(weir_stack_size(&c) > 0);
    c.syn_records_max = 65535;
    assert_int_equal(weir_stack_size(&c), 0);
}

/* ---- the checker ------------------------------------------------------------------------------------------------------------------- */

static void test_damage_is_seen(void **state)
{
    const weir_stack_config c = syn_config(SYN_PEERS);
    weir_stack *s = syn_flood(&c, SYN_PEERS + 2);
    struct world_segment seg = syn_segment(false, 1, WEIR_RST);
    (void)state;
    assert_int_equal(world_inject(s, &seg, SYN_START), WEIR_OK);
    struct weiri_syn *y = s->syns.records;
    WORLD_DAMAGE(s->syns.queues[0].tail, 2, "syn: a queue is broken");
    WORLD_DAMAGE(s->syns.queues[0].head, 30, "syn: a queue is broken");
    WORLD_DAMAGE(y[3].prev, 0, "syn: a queue is broken");
    WORLD_DAMAGE(y[5].next, 0, "syn: a queue is broken");
    WORLD_DAMAGE(y[3].due, (uint16_t)(y[3].due - 1), "syn: a queue is out of order");
    WORLD_DAMAGE(y[3].bits, (uint16_t)(y[3].bits ^ 0x800), "syn: a queue is out of order");
    WORLD_DAMAGE(y[3].remote_port, 9, "syn: a record cannot be found by its sockets");
    WORLD_DAMAGE(y[3].local_port, 9, "syn: a record cannot be found by its sockets");
    WORLD_DAMAGE(y[3].listener, 1, "syn: a record of no listener, or of one that holds");
    WORLD_DAMAGE(s->listeners[0].spec.hold, true, "syn: a record of no listener, or of one that holds");
    WORLD_DAMAGE(s->listeners[0].live, false, "syn: a record of no listener, or of one that holds");
    WORLD_DAMAGE(s->syns.free, 30, "syn: the free records are not in order");
    WORLD_DAMAGE(y[1].next, 1, "syn: the free records are not in order");
    WORLD_DAMAGE(s->syns.fresh, s->syns.fresh + 1, "syn: a count is wrong");
    WORLD_DAMAGE(s->stats.syn_records, s->stats.syn_records + 1, "syn: a count is wrong");
    WORLD_DAMAGE(s->syns.queues[0].last, s->syns.queues[0].last - SYN_TICK, "syn: a queue is out of order");
    WORLD_DAMAGE(s->listeners[0].recorded, 1, "listen: a count is wrong");
    WORLD_DAMAGE(s->listeners[0].recorded, 64, "listen: half-open connections are not in order");
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_segment_finds_the_same),
        cmocka_unit_test(test_a_bad_checksum_wakes_nobody),
        cmocka_unit_test(test_time_passes_alike),
        cmocka_unit_test(test_records_come_and_go),
        cmocka_unit_test(test_a_long_pause),
        cmocka_unit_test(test_icmp_finds_the_same),
        cmocka_unit_test(test_who_stays_whole),
        cmocka_unit_test(test_held_ones_stay_whole),
        cmocka_unit_test(test_records_need_no_connection),
        cmocka_unit_test(test_timers_wait_for_room),
        cmocka_unit_test(test_records_go_with_their_listener),
        cmocka_unit_test(test_packed_ones_become_records),
        cmocka_unit_test(test_its_sockets_are_taken),
        cmocka_unit_test(test_the_size_of_a_record),
        cmocka_unit_test(test_damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
