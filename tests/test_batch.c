/* test_batch.c - packets given together do what they do one by one: two stacks of one configuration get the same, one each way, and must say
 * the same in every octet. And asked in batches they say what they would say one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

enum { PACKETS = 20, ROUNDS = 300 };

static uint32_t draw(uint64_t *random, uint32_t below)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return (uint32_t)(*random * 2685821657736338717u >> 33) % below;
}

/* SYN, then acknowledgments of whatever was said last, with text now and then; some of it damaged, cut short, or for nobody. */
static size_t some_packet(uint64_t *random, uint8_t *packet, const uint32_t *iss, const uint32_t *next)
{
    struct world_segment seg;
    uint32_t peer = draw(random, 12);
    memset(&seg, 0, sizeof seg);
    seg.tuple.local = world_host(peer & 1, 1);
    seg.tuple.remote = world_host(peer & 1, 2);
    seg.tuple.local_port = draw(random, 20) == 0 ? 81 : 80;
    seg.tuple.remote_port = (uint16_t)(1000 + peer);
    seg.flags = iss[peer] == 0 || draw(random, 30) == 0 ? WEIR_SYN : WEIR_ACK;
    seg.seq = seg.flags == WEIR_SYN ? 100 : next[peer];
    seg.ack = seg.flags == WEIR_ACK ? iss[peer] + 1 : 0;
    seg.len = seg.flags == WEIR_ACK && draw(random, 3) == 0 ? draw(random, 200) : 0;
    seg.bad_checksum = draw(random, 40) == 0;
    size_t len = world_packet(packet, &seg);
    return draw(random, 40) == 0 ? draw(random, (uint32_t)len) : len;
}

/* Both stacks say the same; what they say is noted. */
static void hear(weir_stack *a, weir_stack *b, uint32_t *iss, uint32_t *next, weir_us now)
{
    uint8_t one[2048], other[2048];
    struct weiri_ip ip;
    weir_view v;
    size_t len;
    while ((len = world_poll(a, one, now)) > 0) {
        assert_int_equal(world_poll(b, other, now), len);
        assert_memory_equal(one, other, len);
        assert_int_equal(weiri_ip_view(&ip, one, len), WEIR_OK);
        assert_int_equal(weir_view_segment(&v, ip.payload, ip.payload_len, &ip.addrs), WEIR_OK);
        unsigned peer = v.destination_port - 1000u;
        assert_true(peer < 12);
        iss[peer] = v.flags & WEIR_SYN ? v.seq.v : v.flags & WEIR_RST ? 0 : iss[peer];
        next[peer] = v.flags & WEIR_ACK ? v.ack.v : next[peer];
    }
    assert_int_equal(world_poll(b, other, now), 0);
}

static void a_batch_is_its_packets_one_by_one(void **state)
{
    static uint8_t packets[PACKETS][2048];
    uint32_t iss[12] = {0}, next[12] = {0};
    uint64_t random = 4711;
    weir_stack_config cfg = world_config(1);
    weir_stack *a = world_stack(&cfg, 0), *b = world_stack(&cfg, 0);
    unsigned taken = 0;
    (void)state;
    (void)world_listen(a, 80);
    (void)world_listen(b, 80);
    for (unsigned round = 0; round < ROUNDS; round++) {
        weir_slice slices[PACKETS];
        enum weir_verdict verdicts[PACKETS];
        weir_us now = round * 1000;
        uint32_t count = draw(&random, PACKETS + 1);
        for (uint32_t k = 0; k < count; k++) {
            slices[k].len = some_packet(&random, packets[k], iss, next);
            slices[k].octets = packets[k];
        }
        weir_stack_input_batch(b, slices, count, verdicts, now);
        WORLD_CHECK(b);
        for (uint32_t k = 0; k < count; k++) {
            a->train.on = false; /* each is read by itself */
            assert_int_equal(world_put(a, slices[k].octets, slices[k].len, now), verdicts[k]);
            taken += verdicts[k] == WEIR_OK;
        }
        assert_memory_equal(weir_stack_stats(a), weir_stack_stats(b), sizeof(weir_stats));
        hear(a, b, iss, next, now);
        weir_stack_expire(a, now);
        weir_stack_expire(b, now);
    }
    assert_true(taken > 1000 && weir_stack_stats(a)->established == 12);
    guard_free_all();
}

/* ---- out -------------------------------------------------------------------------------------------------------------------------- */

enum { PLACES = 40, CONNS = 3 };

/* Two stacks of one configuration, to which the same happens: what one says is asked for one by one, what the other says in batches. */
struct twins {
    weir_stack *s[2], *peer;
    weir_handle conn[2][CONNS];
    weir_us now;
    uint64_t random;
    uint8_t packets[PLACES][2048], batch[PLACES][2048];
    unsigned batched, followers, trains;
};

static void twins_open(struct twins *t, unsigned seed)
{
    weir_stack_config cfg = world_config(1), peer = world_config(2);
    memset(t, 0, sizeof *t);
    t->random = 0x9e3779b97f4a7c15u + seed;
    cfg.rings.rx = cfg.rings.tx = 32768;
    cfg.tcp.timestamps = seed & 1;
    cfg.tcp.pacing = (uint8_t)(seed / 2 % WEIR_PACING_COUNT);
    cfg.tcp.cc = (uint8_t)(seed / 2 % WEIR_CC_COUNT);
    cfg.tcp.nagle = (seed & 4) != 0;
    cfg.tcp.ecn = seed & 2 ? WEIR_ECN_OFFER : WEIR_ECN_OFF;
    cfg.tcp.mtu = seed & 8 ? 1500 : 600;
    cfg.checksum_trusted = seed >= 32;
    peer.rings.rx = seed & 16 ? 32768 : 8192;
    t->s[0] = world_stack(&cfg, 0);
    t->s[1] = world_stack(&cfg, 0);
    t->peer = world_stack(&peer, 0);
    (void)world_listen(t->peer, 80);
    for (unsigned k = 0; k < CONNS; k++) {
        weir_tuple tuple = {0};
        tuple.remote = world_host(seed & 1 && k == 0, 2);
        tuple.remote_port = 80;
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(weir_stack_connect(t->s[i], &tuple, &t->conn[i][k], 0), WEIR_ERR_NONE);
        }
    }
}

/* The user of the peer reads, of the others writes; now and then one closes. */
static void twins_use(struct twins *t)
{
    uint8_t octets[20000];
    uint32_t len = draw(&t->random, sizeof octets), k = draw(&t->random, CONNS), how = draw(&t->random, 400);
    unsigned flags = draw(&t->random, 10) == 0 ? (unsigned)WEIR_SEND_MORE : draw(&t->random, 30) == 0 ? (unsigned)WEIR_SEND_URGENT : 0;
    size_t done;
    weir_ready r;
    memset(octets, (int)len, sizeof octets);
    for (unsigned i = 0; i < 2; i++) {
        weir_conn *c = weir_stack_conn(t->s[i], t->conn[i][k]);
        weir_slice s = {octets, len};
        if (c != NULL && how < 200) {
            (void)weir_send(c, s, flags, &done, t->now);
        } else if (c != NULL && how == 399) {
            (void)weir_close(c, t->now);
        }
    }
    while (draw(&t->random, 3) > 0 && weir_stack_ready(t->peer, &r)) {
        weir_conn *c = weir_stack_conn(t->peer, r.conn);
        (void)weir_recv(c, octets, len, &done, t->now);
        (void)weir_send(c, (weir_slice){octets, draw(&t->random, 3) == 0 ? len : len / 50}, 0, &done, t->now);
    }
}

/* Either way of asking for one. */
static size_t twins_poll(struct twins *t, uint8_t *packet)
{
    return draw(&t->random, 8) == 0 ? world_poll(t->s[0], packet, t->now) : weir_stack_poll_copy(t->s[0], packet, 2048, t->now);
}

/* And so are their books: what is sent later may tell of a difference too late. */
static void twins_compare(const struct twins *t)
{
    for (unsigned k = 0; k < CONNS; k++) {
        const weir_conn *a = weir_stack_peek(t->s[0], t->conn[0][k]), *b = weir_stack_peek(t->s[1], t->conn[1][k]);
        if (a != NULL && b != NULL) {
            assert_memory_equal(&a->snd, &b->snd, sizeof a->snd);
            assert_memory_equal(&a->rcv, &b->rcv, sizeof a->rcv);
            assert_memory_equal(&a->cc, &b->cc, sizeof a->cc);
            assert_memory_equal(&a->rack, &b->rack, sizeof a->rack);
            assert_memory_equal(&a->pace, &b->pace, sizeof a->pace);
            assert_memory_equal(&a->count, &b->count, sizeof a->count);
            assert_true(a->flags == b->flags && a->spoke_at == b->spoke_at && a->rexmt_at == b->rexmt_at);
            assert_true(a->progress_at == b->progress_at && weir_deadline(a) == weir_deadline(b));
        }
    }
}

/* What they say is the same, packet for packet, and goes to the peer, unless it is lost. */
static void twins_say(struct twins *t)
{
    weir_place places[PLACES];
    size_t len[PLACES], want = draw(&t->random, PLACES + 1), count = 0, got;
    bool each = draw(&t->random, 2) == 0; /* is decided by itself, none taken for like the one before it */
    while (count < want && (len[count] = twins_poll(t, t->packets[count])) > 0) {
        t->s[0]->going.left = each ? 0 : t->s[0]->going.left;
        t->trains += t->s[0]->going.left > 0;
        count++;
    }
    for (size_t k = 0; k < want; k++) {
        places[k].octets = t->batch[k];
        places[k].cap = weir_stack_get_config(t->s[1])->tcp.mtu;
    }
    got = weir_stack_poll_batch(t->s[1], places, want, t->now);
    assert_int_equal(got, count);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(places[k].len, len[k]);
        assert_memory_equal(t->batch[k], t->packets[k], len[k]);
        if (draw(&t->random, 100) > 0) {
            (void)world_put(t->peer, t->packets[k], len[k], t->now);
        }
    }
    twins_compare(t);
    t->batched += (unsigned)count;
    WORLD_CHECK(t->s[1]);
    assert_memory_equal(weir_stack_stats(t->s[0]), weir_stack_stats(t->s[1]), sizeof(weir_stats));
}

/* An octet of the headers, or of the text, is another one, with checksums that fit or do not; or the packet is cut short, or longer. */
static size_t twins_damage(struct twins *t, uint8_t *packet, size_t len)
{
    uint32_t at = draw(&t->random, draw(&t->random, 2) == 0 ? (uint32_t)len : 40);
    if (draw(&t->random, 4) == 0) {
        return draw(&t->random, 2) == 0 ? draw(&t->random, (uint32_t)len) : len + draw(&t->random, 30);
    }
    if (at < len) {
        packet[at] ^= (uint8_t)(1u << draw(&t->random, 8));
    }
    if (packet[0] == 0x45 && draw(&t->random, 2) == 0) {
        struct weiri_ip ip;
        memset(packet + 10, 0, 2);
        base_put16(packet + 10, weiri_sum_finish(wire_sum_header(packet, WEIRI_IP4_HEADER)));
        if (weiri_ip_view(&ip, packet, len) == WEIR_OK && ip.payload_len >= 20) {
            weir_emit_checksum(packet + WEIRI_IP4_HEADER, ip.payload_len, &ip.addrs);
        }
    }
    return len;
}

/* Congestion on the way (RFC 3168 5): whatever may be marked is. */
static void twins_mark(uint8_t *packet)
{
    if (packet[0] == 0x45 && (packet[1] & 3) != 0) {
        packet[1] |= 3;
        memset(packet + 10, 0, 2);
        base_put16(packet + 10, weiri_sum_finish(wire_sum_header(packet, WEIRI_IP4_HEADER)));
    }
}

/* What the peer says comes one by one, and in batches; some of it is lost, damaged or marked on the way. */
static void twins_hear(struct twins *t)
{
    weir_slice slices[PLACES];
    enum weir_verdict verdicts[PLACES];
    size_t len, count = 0;
    while (count < PLACES && (len = world_poll(t->peer, t->packets[count], t->now)) > 0) {
        if (draw(&t->random, 10) == 0) {
            twins_mark(t->packets[count]);
        }
        len = draw(&t->random, 12) == 0 ? twins_damage(t, t->packets[count], len) : len;
        slices[count].octets = t->packets[count];
        slices[count].len = len;
        count += draw(&t->random, 100) > 0;
    }
    weir_stack_input_batch(t->s[1], slices, count, verdicts, t->now);
    WORLD_CHECK(t->s[1]);
    for (size_t k = 0; k < count; k++) {
        t->s[0]->train.on = false; /* each is read by itself */
        assert_int_equal(world_put(t->s[0], slices[k].octets, slices[k].len, t->now), verdicts[k]);
        t->followers += k > 0 && slices[k].len > 200 && slices[k].len == slices[k - 1].len;
    }
    assert_memory_equal(weir_stack_stats(t->s[0]), weir_stack_stats(t->s[1]), sizeof(weir_stats));
}

/* The users of both read. */
static void twins_read(struct twins *t)
{
    uint8_t octets[2][8000];
    size_t got[2] = {0, 0};
    uint32_t k = draw(&t->random, CONNS), len = draw(&t->random, sizeof octets[0]);
    for (unsigned i = 0; i < 2; i++) {
        weir_conn *c = weir_stack_conn(t->s[i], t->conn[i][k]);
        if (c != NULL) {
            (void)weir_recv(c, octets[i], len, &got[i], t->now);
        }
    }
    assert_int_equal(got[0], got[1]);
    assert_memory_equal(octets[0], octets[1], got[0]);
}

static void a_batch_says_what_one_by_one_is_said(void **state)
{
    static struct twins t;
    unsigned batched = 0, followers = 0, trains = 0;
    (void)state;
    for (unsigned seed = 0; seed < 36; seed++) {
        twins_open(&t, seed);
        for (unsigned turn = 0; turn < 250; turn++) {
            t.now += draw(&t.random, 40) == 0 ? 1000000 : draw(&t.random, 3000);
            twins_use(&t);
            twins_say(&t);
            twins_hear(&t);
            twins_read(&t);
            twins_say(&t); /* of the same time */
            for (unsigned i = 0; i < 2; i++) {
                weir_stack_expire(t.s[i], t.now);
            }
            weir_stack_expire(t.peer, t.now);
        }
        batched += t.batched;
        followers += t.followers;
        trains += t.trains;
        guard_free_all();
    }
    assert_true(batched > 40000 && followers > 5000 && trains > 1000);
}

/* What is like the segment before it tells its own time, where that has gone on. */
static void a_later_segment_tells_a_later_time(void **state)
{
    static struct twins t;
    static uint8_t octets[20000];
    weir_view v[2];
    size_t done, len;
    (void)state;
    twins_open(&t, 1);
    for (unsigned turn = 0; turn < 20; turn++) {
        t.now += 1000;
        twins_say(&t);
        twins_hear(&t);
    }
    weir_slice s = {octets, sizeof octets};
    assert_int_equal(weir_send(weir_stack_conn(t.s[0], t.conn[0][1]), s, 0, &done, t.now), WEIR_ERR_NONE);
    for (unsigned k = 0; k < 2; k++) {
        struct weiri_ip ip;
        t.now += 5000;
        len = weir_stack_poll_copy(t.s[0], t.packets[k], 2048, t.now);
        assert_int_equal(weiri_ip_view(&ip, t.packets[k], len), WEIR_OK);
        assert_int_equal(weir_view_segment(&v[k], ip.payload, ip.payload_len, &ip.addrs), WEIR_OK);
        assert_true(t.s[0]->going.left > 0);
    }
    assert_int_equal(v[1].seq.v, v[0].seq.v + v[0].payload_len);
    assert_int_equal(v[1].ts_value, v[0].ts_value + 5);
    guard_free_all();
}

/* A place that is too small ends the batch, and nothing is lost. */
static void a_batch_ends_at_a_place_that_is_too_small(void **state)
{
    static struct twins t;
    weir_place places[3];
    (void)state;
    twins_open(&t, 0);
    for (unsigned k = 0; k < 3; k++) {
        places[k].octets = t.batch[k];
        places[k].cap = weir_stack_get_config(t.s[0])->tcp.mtu - (k == 1 ? 1u : 0u);
    }
    assert_int_equal(weir_stack_poll_batch(t.s[0], places, 3, 0), 1);
    assert_int_equal(weir_stack_poll_batch(t.s[0], places + 1, 2, 0), 0);
    places[1].cap++;
    assert_int_equal(weir_stack_poll_batch(t.s[0], places + 1, 2, 0), 2);
    assert_int_equal(weir_stack_poll_batch(t.s[0], places, 3, 0), 0);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_its_packets_one_by_one),
        cmocka_unit_test(a_batch_says_what_one_by_one_is_said),
        cmocka_unit_test(a_later_segment_tells_a_later_time),
        cmocka_unit_test(a_batch_ends_at_a_place_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
