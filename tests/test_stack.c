/* test_stack.c - the stack as its user and the network see it: two stacks back to back, and one with a peer played by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "patience.h"
#include "stack_world.h"

#ifndef STORMS
#define STORMS 20 /* seeds; more by hand */
#endif

static struct world world_of(const weir_stack_config *a, const weir_stack_config *b)
{
    struct world w;
    memset(&w, 0, sizeof w);
    w.now = 1000000;
    w.a = world_stack(a, w.now);
    w.b = world_stack(b, w.now);
    return w;
}

static struct world world_plain(void)
{
    const weir_stack_config a = world_config(1), b = world_config(2);
    return world_of(&a, &b);
}

static weir_tuple tuple_of(uint16_t local_port, uint16_t remote_port)
{
    weir_tuple t;
    t.local = world_host(false, 1);
    t.remote = world_host(false, 2);
    t.local_port = local_port;
    t.remote_port = remote_port;
    return t;
}

static struct world_segment segment_of(uint16_t local_port, uint16_t remote_port, uint16_t flags)
{
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    seg.tuple = tuple_of(local_port, remote_port);
    seg.flags = flags;
    seg.seq = 1000;
    return seg;
}

static uint8_t text_at(uint32_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

/* ---- configuration ---- */

static void test_configuration(void **state)
{
    weir_stack_config good = world_config(1), c;
    weir_err err;
    (void)state;
    weir_stack_config_init(&c);
    assert_int_equal(weir_stack_size(&c), 0); /* no secret */
    assert_null(weir_stack_init(NULL, 0, &c, 0, &err));
    assert_int_equal(err, WEIR_ERR_SECRET);
    assert_true(weir_stack_size(&good) > 0);
#define REFUSED(change)                                          \
    do {                                                         \
        c = good;                                                \
        change;                                                  \
        assert_int_equal(weir_stack_size(&c), 0);                \
        assert_null(weir_stack_init(NULL, 0, &c, 0, &err));      \
        assert_int_equal(err, WEIR_ERR_INVALID);                 \
    } while (0)
    REFUSED(c.connections_max = 0);
    REFUSED(c.connections_max = (1u << 24) + 1);
    REFUSED(c.time_wait_max = 1u << 23);
    REFUSED(c.listeners_max = UINT32_MAX);
    REFUSED(c.port_first = 0);
    REFUSED(c.port_last = (uint16_t)(c.port_first - 1));
    REFUSED(c.rings.rx = 5000);
    REFUSED(c.rings.tx = 0);
    REFUSED(c.addr_count = WEIR_STACK_ADDRS_MAX + 1);
    REFUSED(c.addrs[0] = weir_addr_v4(224, 0, 0, 1));
    REFUSED(c.addrs[0] = weir_addr_v4(127, 0, 0, 1));
    REFUSED(c.prefix_len[0] = 33);
    REFUSED(c.tcp.mtu = 0);
#undef REFUSED
    guard_free_all();
}

static void test_documented_defaults(void **state)
{
    weir_stack_config c;
    (void)state;
    weir_stack_config_init(&c);
    assert_int_equal(c.connections_max, 1024);
    assert_int_equal(c.listeners_max, 64);
    assert_int_equal(c.time_wait_max, 4096);
    assert_int_equal(c.half_open_max, 256);
    assert_int_equal(c.replies_per_second, 10000);
    assert_int_equal(c.port_first, 49152);
    assert_int_equal(c.port_last, 65535);
    assert_true(c.rings.rx == 65536 && c.rings.tx == 65536 && c.tcp.mtu == 1500);
    assert_true(c.echo_reply && !c.any_destination && !c.checksum_trusted && !c.accept_martians && c.addr_count == 0);
}

/* What lies just inside the limits is taken. */
static void test_limits(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.prefix_len[0] = 32;
    c.prefix_len[1] = 128;
    c.port_first = c.port_last = 1;
    c.listeners_max = c.time_wait_max = c.half_open_max = 0;
    c.connections_max = 1;
    const size_t least = weir_stack_size(&c);
    assert_true(least > 0);
    c.connections_max = 2;
    assert_true(weir_stack_size(&c) - least >= 2 * 4096 + sizeof(weir_conn));
    c.connections_max = 1u << 24;
    c.time_wait_max = (1u << 23) - 1;
    c.rings.rx = c.rings.tx = 256;
    assert_true(sizeof(size_t) == 4 || weir_stack_size(&c) > ((size_t)1 << 24) * sizeof(weir_conn));
    c.rings.rx = c.rings.tx = 1u << 30;
    assert_true(sizeof(size_t) == 4 ? weir_stack_size(&c) == 0 : weir_stack_size(&c) / 2 > ((size_t)1 << 30 << 23));
}

static void test_memory(void **state)
{
    const weir_stack_config c = world_config(1);
    const size_t len = weir_stack_size(&c);
    weir_err err;
    (void)state;
    uint8_t *memory = guard_room(len + 64);
    assert_null(weir_stack_init(memory, len - 1, &c, 0, &err));
    assert_int_equal(err, WEIR_ERR_RESOURCES);
    assert_null(weir_stack_init(memory + 32, len, &c, 0, &err));
    assert_int_equal(err, WEIR_ERR_INVALID);
    memset(memory, 0xa5, len + 64); /* whatever was there before */
    weir_stack *s = weir_stack_init(memory, len, &c, 0, &err);
    assert_non_null(s);
    assert_int_equal(err, WEIR_ERR_NONE);
    world_expect_empty(s);
    assert_true(weir_stack_deadline(s) == WEIR_FOREVER);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(memory[len + i], 0xa5);
    }
    guard_free_all();
}

/* ---- the whole way ---- */

/* A sends `len` octets to B, which sends as many back; both read, then both close. */
static void exchange(struct world *w, weir_handle ca, weir_handle cb, uint32_t len)
{
    uint32_t sent[2] = {0, 0}, got[2] = {0, 0};
    for (unsigned turn = 0; got[0] < len || got[1] < len; turn++) {
        assert_true(turn < 20000);
        for (unsigned side = 0; side < 2; side++) {
            weir_conn *c = side ? weir_stack_conn(w->b, cb) : weir_stack_conn(w->a, ca);
            size_t count;
            const uint8_t *from = weir_rx_peek(c, &count);
            for (size_t i = 0; i < count; i++) {
                assert_int_equal(from[i], text_at(got[side] + (uint32_t)i));
            }
            WORLD_OK(weir_rx_consume(c, count, w->now));
            got[side] += (uint32_t)count;
            uint8_t *to = weir_tx_reserve(c, &count);
            count = count < len - sent[side] ? count : len - sent[side];
            for (size_t i = 0; i < count; i++) {
                to[i] = text_at(sent[side] + (uint32_t)i);
            }
            if (count > 0) {
                WORLD_OK(weir_tx_commit(c, count, WEIR_SEND_PUSH, w->now));
            }
            sent[side] += (uint32_t)count;
        }
        world_pass(w, 10000);
    }
}

static void test_connect_exchange_close(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct world w = world_plain();
        const weir_addr remote = world_host(v6, 2), local = world_host(v6, 1);
        const weir_handle listener = world_listen(w.b, 80);
        const weir_handle ca = world_connect(&w, &remote, 80);
        world_run(&w);
        weir_ready r;
        assert_true(weir_stack_ready(w.b, &r));
        assert_true(r.listener == listener && r.tag == 0);
        assert_int_equal(r.events & WEIR_EV_CONNECTED, WEIR_EV_CONNECTED);
        assert_true(weir_addr_equal(&weir_sockets(weir_stack_peek(w.b, r.conn))->remote, &local));
        assert_int_equal(weir_stack_stats(w.b)->half_open, 0);
        assert_int_equal(weir_stack_stats(w.b)->established, 1);
        assert_int_equal(weir_stack_stats(w.a)->established, 1);
        exchange(&w, ca, r.conn, 50000);
        WORLD_OK(weir_stack_release(w.a, ca, WEIR_FOREVER, w.now));
        world_pass(&w, 100000);
        world_end_round(w.b);
        assert_true(world_ready(w.b, WEIR_EV_PEER_FIN) == r.conn);
        WORLD_OK(weir_stack_release(w.b, r.conn, WEIR_FOREVER, w.now));
        world_pass(&w, 100000);
        assert_int_equal(weir_stack_stats(w.a)->time_wait, 1);
        assert_int_equal(weir_stack_stats(w.a)->connections, 0);
        world_expect_empty(w.b);
        world_pass(&w, 61000000);
        world_expect_empty(w.a);
        assert_int_equal(weir_stack_stats(w.a)->resets_out + weir_stack_stats(w.b)->resets_out, 0);
        assert_int_equal(weir_stack_stats(w.a)->packets_out, weir_stack_stats(w.b)->packets_in);
        assert_int_equal(weir_stack_stats(w.a)->octets_out, weir_stack_stats(w.b)->octets_in);
        assert_int_equal(weir_stack_stats(w.b)->verdicts[WEIR_OK], weir_stack_stats(w.b)->packets_in);
        guard_free_all();
    }
}

static void test_both_close_at_once(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    const weir_handle cb = world_ready(w.b, WEIR_EV_CONNECTED);
    WORLD_OK(weir_stack_release(w.a, ca, WEIR_FOREVER, w.now));
    WORLD_OK(weir_stack_release(w.b, cb, WEIR_FOREVER, w.now));
    world_pass(&w, 1000000);
    assert_int_equal(weir_stack_stats(w.a)->time_wait, 1);
    assert_int_equal(weir_stack_stats(w.b)->time_wait, 1);
    const uint64_t packets = weir_stack_stats(w.a)->packets_out + weir_stack_stats(w.b)->packets_out;
    world_pass(&w, 30000000);
    assert_true(weir_stack_stats(w.a)->packets_out + weir_stack_stats(w.b)->packets_out == packets); /* they do not talk on */
    world_pass(&w, 61000000);
    world_expect_empty(w.a);
    world_expect_empty(w.b);
    guard_free_all();
}

/* Everything is lost for a while: it is sent again, and counted. */
static void test_retransmission(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    (void)state;
    (void)world_listen(w.b, 80);
    (void)world_connect(&w, &remote, 80);
    assert_int_equal(world_drop_all(w.a, w.now), 1);
    world_pass(&w, 999999);
    assert_int_equal(weir_stack_stats(w.a)->established, 0);
    world_pass(&w, 1);
    assert_int_equal(weir_stack_stats(w.a)->established, 1);
    assert_int_equal(weir_stack_stats(w.a)->retransmitted, 1);
    guard_free_all();
}

/* ---- hold ---- */

static struct world world_holding(weir_handle *ca, weir_handle *held)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    weir_listen_spec spec;
    weir_handle listener;
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    spec.hold = true;
    WORLD_OK(weir_stack_listen(w.b, &spec, &listener));
    *ca = world_connect(&w, &remote, 80);
    world_run(&w);
    *held = world_ready(w.b, WEIR_EV_HELD);
    assert_int_equal(weir_stack_stats(w.b)->packets_out, 0);
    assert_int_equal(weir_stack_stats(w.b)->half_open, 1);
    return w;
}

static void test_hold_and_admit(void **state)
{
    weir_handle ca, held;
    struct world w = world_holding(&ca, &held);
    (void)state;
    world_pass(&w, 500000);
    assert_int_equal(weir_stack_stats(w.b)->packets_out, 0);
    WORLD_OK(weir_admit(weir_stack_conn(w.b, held), w.now));
    world_run(&w);
    assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_ESTABLISHED);
    assert_int_equal(weir_state(weir_stack_peek(w.b, held)), WEIR_ESTABLISHED);
    assert_int_equal(weir_stack_stats(w.b)->half_open, 0);
    world_end_round(w.b);
    assert_true(world_ready(w.b, WEIR_EV_CONNECTED) == held);
    exchange(&w, ca, held, 1000);
    guard_free_all();
}

static void test_hold_and_refuse(void **state)
{
    (void)state;
    for (int release = 0; release < 2; release++) {
        weir_handle ca, held;
        struct world w = world_holding(&ca, &held);
        if (release) {
            WORLD_OK(weir_stack_release(w.b, held, 0, w.now));
            assert_null(weir_stack_conn(w.b, held));
        } else {
            WORLD_OK(weir_abort(weir_stack_conn(w.b, held), w.now));
        }
        assert_int_equal(weir_stack_stats(w.b)->connections, 1); /* the RST has not gone out yet */
        world_run(&w);
        assert_int_equal(weir_stack_stats(w.b)->resets_out, 1);
        assert_int_equal(weir_stack_stats(w.a)->resets_in, 1);
        assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_CLOSED);
        assert_int_equal(weir_error(weir_stack_peek(w.a, ca)), WEIR_ERR_REFUSED);
        if (!release) {
            world_end_round(w.b);
            assert_true(world_ready(w.b, WEIR_EV_CLOSED) == held);
            WORLD_OK(weir_stack_release(w.b, held, 0, w.now));
        }
        world_expect_empty(w.b);
        WORLD_OK(weir_stack_release(w.a, ca, 0, w.now));
        world_expect_empty(w.a);
        guard_free_all();
    }
}

/* The peer takes its SYN back while the user thinks: what the user holds becomes CLOSED, with a reason. */
static void test_held_and_reset_by_the_peer(void **state)
{
    weir_handle ca, held;
    struct world w = world_holding(&ca, &held);
    struct world_segment seg;
    const weir_tuple *t = weir_sockets(weir_stack_peek(w.b, held));
    (void)state;
    memset(&seg, 0, sizeof seg);
    seg.tuple = *t;
    seg.flags = WEIR_RST;
    seg.seq = weir_stack_peek(w.a, ca)->snd.nxt.v;
    assert_int_equal(world_inject(w.b, &seg, w.now), WEIR_OK);
    world_end_round(w.b);
    assert_true(world_ready(w.b, WEIR_EV_CLOSED) == held);
    assert_int_equal(weir_error(weir_stack_peek(w.b, held)), WEIR_ERR_RESET);
    assert_int_equal(weir_stack_stats(w.b)->half_open, 0);
    WORLD_OK(weir_stack_release(w.b, held, 0, w.now));
    world_expect_empty(w.b);
    guard_free_all();
}

/* ---- half-open connections ---- */

static void test_backlog(void **state)
{
    weir_stack_config c = world_config(1);
    weir_listen_spec spec;
    weir_handle first, second;
    (void)state;
    c.half_open_max = 5; /* the fifth may be refused already, by chance */
    c.syn_cookies = false;
    weir_stack *s = world_stack(&c, 0);
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    spec.backlog = 3;
    WORLD_OK(weir_stack_listen(s, &spec, &first));
    spec.port = 81;
    WORLD_OK(weir_stack_listen(s, &spec, &second));
    for (unsigned i = 0; i < 5; i++) {
        struct world_segment seg = segment_of(80, (uint16_t)(4000 + i), WEIR_SYN);
        assert_int_equal(world_inject(s, &seg, 0), i < 3 ? WEIR_OK : WEIR_BACKLOG_FULL);
    }
    unsigned refused = 0;
    for (unsigned i = 0; i < 64 + 4; i++) { /* the other listener has room, the stack soon has not */
        struct world_segment seg = segment_of(81, (uint16_t)(4000 + i), WEIR_SYN);
        const uint32_t half_open = weir_stack_stats(s)->half_open;
        const bool taken = world_inject(s, &seg, 0) == WEIR_OK;
        assert_true(taken ? half_open < 5 : half_open >= 4);
        refused += !taken;
    }
    assert_true(refused >= 64 + 4 - 2);
    assert_int_equal(weir_stack_stats(s)->half_open, 5);
    assert_int_equal(world_drop_all(s, 0), 5); /* a SYN that finds no room is dropped silently */
    struct world_segment again = segment_of(80, 4000, WEIR_SYN); /* the same SYN again is no other connection */
    assert_int_equal(world_inject(s, &again, 0), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->half_open, 5);
    guard_free_all();
}

/* SYNs from everywhere: the bound holds, a live connection goes on, and when it is over nothing is left (V05). */
static void test_flood(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    const weir_handle cb = world_ready(w.b, WEIR_EV_CONNECTED);
    for (unsigned i = 0; i < 3000; i++) {
        struct world_segment seg = segment_of(80, (uint16_t)(1024 + i), WEIR_SYN);
        seg.tuple.local = remote;
        seg.tuple.remote = weir_addr_v4(192, 0, (uint8_t)(i >> 8), (uint8_t)i);
        const enum weir_verdict verdict = world_inject(w.b, &seg, w.now);
        assert_true(verdict == WEIR_OK || verdict == WEIR_BACKLOG_FULL);
        assert_true(weir_stack_stats(w.b)->connections <= 1 + 16);
        if (i % 500 == 0) {
            exchange(&w, ca, cb, 3000);
        }
    }
    assert_int_equal(weir_stack_stats(w.b)->half_open_peak, 16);
    world_pass(&w, (weir_us)200 * 1000000);
    assert_int_equal(weir_stack_stats(w.b)->half_open, 0);
    assert_int_equal(weir_stack_stats(w.b)->connections, 1);
    exchange(&w, ca, cb, 3000);
    guard_free_all();
}

static void test_no_room(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.connections_max = 2;
    weir_stack *s = world_stack(&c, 0);
    weir_tuple t = tuple_of(0, 80);
    weir_handle conn;
    (void)world_listen(s, 80);
    for (unsigned i = 0; i < 3; i++) {
        struct world_segment seg = segment_of(80, (uint16_t)(4000 + i), WEIR_SYN);
        assert_int_equal(world_inject(s, &seg, 0), i < 2 ? WEIR_OK : WEIR_NO_ROOM);
    }
    assert_int_equal(weir_stack_connect(s, &t, &conn, 0), WEIR_ERR_RESOURCES);
    WORLD_CHECK(s);
    guard_free_all();
}

/* MUST-42: a port can be listened on while a connection from it is in SYN-SENT or SYN-RECEIVED; each goes its own way. */
static void test_listening_beside_an_open(void **state)
{
    (void)state;
    for (unsigned received = 0; received < 2; received++) {
        weir_stack_config c = world_config(1);
        weir_stack *s = world_stack(&c, 0);
        const weir_tuple t = tuple_of(5000, 80);
        weir_handle conn;
        WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
        struct world_segment crossing = segment_of(5000, 80, WEIR_SYN), other = segment_of(5000, 81, WEIR_SYN);
        assert_int_equal(world_drop_all(s, 0), 1);
        if (received) {
            assert_int_equal(world_inject(s, &crossing, 0), WEIR_OK);
            assert_int_equal(world_drop_all(s, 0), 1);
        }
        const enum weir_state before = weir_state(weir_stack_peek(s, conn));
        assert_int_equal(before, received ? WEIR_SYN_RECEIVED : WEIR_SYN_SENT);
        (void)world_listen(s, 5000);
        assert_int_equal(world_inject(s, &other, 0), WEIR_OK);
        assert_int_equal(weir_stack_stats(s)->passive_opens, 1);
        assert_int_equal(world_drop_all(s, 0), 1); /* its SYN,ACK */
        assert_int_equal(weir_state(weir_stack_peek(s, conn)), before);
        struct world_segment answer = segment_of(5000, 80, WEIR_SYN | WEIR_ACK);
        answer.ack = weir_stack_peek(s, conn)->snd.nxt.v;
        if (!received) {
            assert_int_equal(world_inject(s, &answer, 0), WEIR_OK);
            assert_int_equal(weir_state(weir_stack_peek(s, conn)), WEIR_ESTABLISHED);
        }
        WORLD_CHECK(s);
    }
    guard_free_all();
}

static void test_unlisten(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    (void)state;
    const weir_handle listener = world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    const weir_handle cb = world_ready(w.b, WEIR_EV_CONNECTED);
    for (unsigned i = 0; i < 3; i++) {
        struct world_segment seg = segment_of(80, (uint16_t)(4000 + i), WEIR_SYN);
        seg.tuple.local = remote;
        seg.tuple.remote = world_host(false, 3);
        assert_int_equal(world_inject(w.b, &seg, w.now), WEIR_OK);
    }
    (void)world_drop_all(w.b, w.now);
    WORLD_OK(weir_stack_unlisten(w.b, listener, w.now));
    assert_int_equal(weir_stack_stats(w.b)->half_open, 0);
    assert_int_equal(weir_stack_stats(w.b)->listeners, 0);
    assert_int_equal(world_drop_all(w.b, w.now), 3);
    assert_int_equal(weir_stack_stats(w.b)->resets_out, 3);
    assert_int_equal(weir_stack_stats(w.b)->connections, 1);
    exchange(&w, ca, cb, 1000); /* what came through it lives on */
    const weir_handle refused = world_connect(&w, &remote, 80);
    world_run(&w);
    assert_int_equal(weir_error(weir_stack_peek(w.a, refused)), WEIR_ERR_REFUSED);
    guard_free_all();
}

/* ---- nobody's segments: RFC 9293 3.10.7.1, 3.10.7.2 ---- */

static void test_reset_for_no_match(void **state)
{
    static const struct {
        const char *name;
        uint16_t port; /* 80 has a listener */
        uint16_t flags;
        uint32_t len;
        bool stamped, answered;
        uint16_t answer;
        uint32_t seq, ack;
    } cases[] = {
        {"SYN for nobody", 81, WEIR_SYN, 0, false, true, WEIR_RST | WEIR_ACK, 0, 1001},
        {"SYN with text for nobody", 81, WEIR_SYN, 10, true, true, WEIR_RST | WEIR_ACK, 0, 1011},
        {"ACK for nobody", 81, WEIR_ACK, 0, false, true, WEIR_RST, 7777, 0},
        {"text for nobody", 81, WEIR_ACK | WEIR_PSH, 10, true, true, WEIR_RST, 7777, 0},
        {"FIN without ACK", 81, WEIR_FIN, 5, false, true, WEIR_RST | WEIR_ACK, 0, 1006},
        {"no flag at all", 81, 0, 5, false, true, WEIR_RST | WEIR_ACK, 0, 1005},
        {"SYN,ACK for nobody", 81, WEIR_SYN | WEIR_ACK, 0, false, true, WEIR_RST, 7777, 0},
        {"RST is never answered", 81, WEIR_RST, 0, false, false, 0, 0, 0},
        {"nor is RST,ACK", 81, WEIR_RST | WEIR_ACK, 0, true, false, 0, 0, 0},
        {"nor RST with SYN", 81, WEIR_RST | WEIR_SYN, 0, false, false, 0, 0, 0},
        {"ACK in LISTEN", 80, WEIR_ACK, 0, true, true, WEIR_RST, 7777, 0},
        {"SYN,ACK in LISTEN", 80, WEIR_SYN | WEIR_ACK, 0, false, true, WEIR_RST, 7777, 0},
        {"RST in LISTEN", 80, WEIR_RST, 0, false, false, 0, 0, 0},
        {"SYN and RST in LISTEN", 80, WEIR_SYN | WEIR_RST, 0, false, false, 0, 0, 0},
        {"neither SYN nor ACK in LISTEN", 80, WEIR_FIN, 0, false, false, 0, 0, 0},
    };
    weir_stack_config c = world_config(1);
    (void)state;
    c.tcp.dscp = 10;
    weir_stack *s = world_stack(&c, 0);
    (void)world_listen(s, 80);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world_segment seg = segment_of(cases[i].port, 4000, cases[i].flags);
        struct world_seen seen;
        seg.len = cases[i].len;
        seg.stamped = cases[i].stamped;
        seg.ts_value = 4242;
        seg.ack = cases[i].flags & WEIR_ACK ? 7777 : 0;
        assert_int_equal(world_inject(s, &seg, 0), WEIR_NO_CONNECTION);
        assert_int_equal(world_next(s, &seen, 0), cases[i].answered);
        if (cases[i].answered) {
            assert_int_equal(seen.view.flags, cases[i].answer);
            assert_int_equal(seen.view.seq.v, cases[i].seq);
            assert_int_equal(seen.view.ack.v, cases[i].ack);
            assert_int_equal((seen.view.options & WEIR_OPT_TIMESTAMPS) != 0, cases[i].stamped); /* RFC 7323 5.2 */
            assert_true(!cases[i].stamped || (seen.view.ts_value == 0 && seen.view.ts_echo == 4242));
            assert_memory_equal(&seen.tuple.local, &seg.tuple.local, 16);
            assert_int_equal(seen.tuple.remote_port, 4000);
            assert_true(seen.ip.ttl == 64 && seen.ip.traffic_class == 10 << 2);
        }
        assert_int_equal(world_drop_all(s, 0), 0);
    }
    assert_int_equal(weir_stack_stats(s)->connections_peak, 0);
    guard_free_all();
}

/* One text for nobody from this host; was it answered? */
static bool nobody_answers(weir_stack *s, const weir_addr *remote, weir_us now)
{
    struct world_segment seg = segment_of(99, 4000, WEIR_ACK);
    seg.tuple.remote = *remote;
    assert_int_equal(world_inject(s, &seg, now), WEIR_NO_CONNECTION);
    return world_drop_all(s, now) == 1;
}

/* Who has used up his share of the replies: for all but the few that share his group this second, nothing is different; the next second
 * it is others. So neither can he learn what was sent to them (V28). */
static void test_a_drained_share_tells_nothing(void **state)
{
    enum { HOSTS = 256, SECONDS = 40 };
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    const weir_addr drainer = weir_addr_v4(198, 51, 100, 1);
    unsigned touched = 0, hit[HOSTS] = {0}, most = 0, share = 0;
    (void)state;
    for (unsigned second = 0; second < SECONDS; second++) {
        const weir_us now = (weir_us)(second + 1) << 20;
        for (share = 0; share <= c.replies_per_second && nobody_answers(s, &drainer, now); share++) {
        }
        assert_int_equal(share, c.replies_per_second / WEIRI_REPLY_GROUPS); /* whatever others did */
        for (unsigned i = 0; i < HOSTS; i++) {
            const weir_addr other = weir_addr_v4(203, 0, 113, (uint8_t)i);
            const bool answered = nobody_answers(s, &other, now);
            touched += !answered;
            hit[i] += !answered;
            most = hit[i] > most ? hit[i] : most;
        }
    }
    assert_in_range(touched, 1, 3 * SECONDS); /* one in 256, each second */
    assert_true(most <= 3);
    guard_free_all();
}

/* One IPv6 network is one remote, and its addresses have one share. */
static void test_a_network_has_one_share(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    unsigned answered = 0;
    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        struct world_segment seg = segment_of(99, 4000, WEIR_ACK);
        seg.tuple.local = world_host(true, 1);
        seg.tuple.remote = world_host(true, 7);
        seg.tuple.remote.octets[13] = (uint8_t)i;
        seg.tuple.remote.octets[12] = (uint8_t)(i >> 8);
        assert_int_equal(world_inject(s, &seg, 1), WEIR_NO_CONNECTION);
        answered += world_drop_all(s, 1);
    }
    assert_int_equal(answered, c.replies_per_second / WEIRI_REPLY_GROUPS);
    guard_free_all();
}

/* Where a queue of half-open connections ends is not to be counted from outside: refusals begin by chance. */
static void test_a_full_backlog_refuses_by_chance(void **state)
{
    weir_stack_config c = world_config(1);
    unsigned first_least = UINT32_MAX, first_most = 0;
    (void)state;
    const unsigned runs = patience(20, 5);
    c.half_open_max = 64;
    c.syn_cookies = false;
    for (unsigned run = 0; run < runs; run++) {
        c.tcp.secret[3] = (uint8_t)(run + 1);
        weir_stack *s = world_stack(&c, 0);
        unsigned first = UINT32_MAX;
        (void)world_listen(s, 80);
        for (unsigned i = 0; i < 2000; i++) {
            struct world_segment seg = segment_of(80, (uint16_t)(4000 + i), WEIR_SYN);
            if (world_inject(s, &seg, 0) != WEIR_OK && first == UINT32_MAX) {
                first = i;
            }
            (void)world_drop_all(s, 0);
        }
        assert_int_equal(weir_stack_stats(s)->half_open, 64); /* and never more */
        first_least = first < first_least ? first : first_least;
        first_most = first > first_most ? first : first_most;
    }
    assert_true(first_least >= 48 && first_most < 64 && first_most > first_least + 2);
    guard_free_all();
}

/* A flood of segments for nobody is answered at the rate that was set, and no faster; a live connection does not notice. */
static void test_replies_are_bounded(void **state)
{
    weir_stack_config a = world_config(1), b = world_config(2);
    const weir_addr remote = world_host(false, 2);
    (void)state;
    b.replies_per_second = 20;
    struct world w = world_of(&a, &b);
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    const weir_handle cb = world_ready(w.b, WEIR_EV_CONNECTED);
    const uint64_t before = weir_stack_stats(w.b)->resets_out;
    for (unsigned i = 0; i < 2000; i++) {
        struct world_segment seg = segment_of(99, (uint16_t)(1024 + i), WEIR_ACK);
        seg.tuple.local = remote;
        seg.tuple.remote = weir_addr_v4(203, 0, 113, (uint8_t)i);
        assert_int_equal(world_inject(w.b, &seg, w.now + i * 1000), WEIR_NO_CONNECTION);
        if (i % 2) {
            (void)world_drop_all(w.b, w.now + i * 1000);
        }
    }
    assert_in_range(weir_stack_stats(w.b)->resets_out - before, 2 * 16, 3 * 16); /* 16 groups of one each; parts of three seconds */
    assert_int_equal(weir_stack_stats(w.b)->resets_out - before + weir_stack_stats(w.b)->replies_dropped, 2000);
    w.now += 2000000;
    exchange(&w, ca, cb, 20000);
    b.replies_per_second = 0;
    weir_stack *mute = world_stack(&b, 0);
    struct world_segment seg = segment_of(99, 4000, WEIR_ACK);
    seg.tuple.local = remote;
    (void)world_inject(mute, &seg, (weir_us)3600 * 1000000);
    assert_int_equal(world_drop_all(mute, (weir_us)3600 * 1000000), 0);
    guard_free_all();
}

/* Answers nobody fetches do not pile up. */
static void test_replies_have_bounded_room(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.replies_per_second = UINT32_MAX;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned i = 0; i < 500; i++) {
        struct world_segment seg = segment_of(99, (uint16_t)(1024 + i), WEIR_ACK);
        (void)world_inject(s, &seg, 0);
    }
    assert_in_range(world_drop_all(s, 0), 1, WEIRI_ANSWERS);
    guard_free_all();
}

/* Answers go out in the order of what they answer, around the ring and around again. */
static void test_answers_keep_their_order(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    uint16_t next_in = 1024, next_out = 1024;
    struct world_seen seen;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < 1 + round % 7; i++) {
            struct world_segment seg = segment_of(99, next_in++, WEIR_ACK);
            assert_int_equal(world_inject(s, &seg, round * 1000000u), WEIR_NO_CONNECTION);
        }
        for (unsigned i = 0; i < 1 + round % 3 && world_next(s, &seen, round * 1000000u); i++) {
            assert_int_equal(seen.tuple.remote_port, next_out++);
        }
        while (round % 5 == 4 && world_next(s, &seen, round * 1000000u)) {
            assert_int_equal(seen.tuple.remote_port, next_out++);
        }
    }
    assert_int_equal(next_in, next_out);
    guard_free_all();
}

/* ---- addresses ---- */

static void test_addresses(void **state)
{
    static const struct {
        const char *name;
        uint8_t source[4], destination[4];
        uint16_t source_port;
        enum weir_verdict plain, martians;
    } cases[] = {
        {"plain", {10, 0, 0, 2}, {10, 0, 0, 1}, 4000, WEIR_NO_CONNECTION, WEIR_NO_CONNECTION},
        {"from nowhere", {0, 0, 0, 0}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_IP_SOURCE},
        {"from multicast", {224, 0, 0, 5}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_IP_SOURCE},
        {"from broadcast", {255, 255, 255, 255}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_IP_SOURCE},
        {"from our subnet's broadcast", {10, 0, 0, 255}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_IP_SOURCE},
        {"from loopback", {127, 0, 0, 1}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_NO_CONNECTION},
        {"from class E", {250, 0, 0, 1}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_IP_SOURCE},
        {"from ourselves", {10, 0, 0, 1}, {10, 0, 0, 1}, 4000, WEIR_IP_SOURCE, WEIR_NO_CONNECTION},
        {"LAND", {10, 0, 0, 1}, {10, 0, 0, 1}, 80, WEIR_LAND, WEIR_LAND},
        {"to another", {10, 0, 0, 2}, {10, 0, 0, 3}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
        {"to broadcast", {10, 0, 0, 2}, {255, 255, 255, 255}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
        {"to our subnet", {10, 0, 0, 2}, {10, 0, 0, 255}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
        {"to multicast", {10, 0, 0, 2}, {224, 0, 0, 1}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
        {"to nowhere", {10, 0, 0, 2}, {0, 0, 0, 0}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
        {"to loopback", {10, 0, 0, 2}, {127, 0, 0, 1}, 4000, WEIR_IP_DESTINATION, WEIR_IP_DESTINATION},
    };
    weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    (void)state;
    c.accept_martians = true;
    weir_stack *m = world_stack(&c, 0);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t *from = cases[i].source, *to = cases[i].destination;
        struct world_segment seg = segment_of(80, cases[i].source_port, WEIR_SYN);
        seg.tuple.remote = weir_addr_v4(from[0], from[1], from[2], from[3]);
        seg.tuple.local = weir_addr_v4(to[0], to[1], to[2], to[3]);
        assert_int_equal(world_inject(s, &seg, 0), cases[i].plain);
        assert_int_equal(world_drop_all(s, 0), cases[i].plain == WEIR_NO_CONNECTION); /* refused in silence */
        assert_int_equal(world_inject(m, &seg, 0), cases[i].martians);
        assert_int_equal(world_drop_all(m, 0), cases[i].martians == WEIR_NO_CONNECTION);
    }
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_IP_SOURCE], 7);
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_LAND], 1);
    guard_free_all();
}

/* None at all, if so wanted. */
static void test_no_replies(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.replies_per_second = 0;
    weir_stack *s = world_stack(&c, 0);
    const struct world_segment seg = segment_of(80, 4000, WEIR_SYN);
    assert_int_equal(world_inject(s, &seg, 0), WEIR_NO_CONNECTION);
    assert_int_equal(world_drop_all(s, 0), 0);
    guard_free_all();
}

/* Four octets of TCP are two ports: that is enough to know it. Of three nothing is read. */
static void test_land_in_four_octets(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    (void)state;
    for (unsigned len = 3; len <= 4; len++) {
        uint8_t raw[24] = {0x45, 0, 0, (uint8_t)(20 + len), 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 1, 0, 80, 0, 80};
        base_put16(raw + 10, weiri_sum_finish(weiri_sum(raw, 20, 0)));
        assert_int_equal(weir_stack_input(s, guard_put(raw, 20 + len), 20 + len, 0), len == 4 ? WEIR_LAND : WEIR_IP_SOURCE);
    }
    guard_free_all();
}

static void test_any_destination(void **state)
{
    weir_stack_config a = world_config(1), b = world_config(2);
    weir_listen_spec spec;
    weir_handle listener;
    const weir_addr far = weir_addr_v4(93, 184, 216, 34);
    (void)state;
    b.any_destination = true;
    struct world w = world_of(&a, &b);
    memset(&spec, 0, sizeof spec);
    spec.any_destination = true;
    WORLD_OK(weir_stack_listen(w.b, &spec, &listener));
    const weir_handle ca = world_connect(&w, &far, 443);
    world_run(&w);
    const weir_handle cb = world_ready(w.b, WEIR_EV_CONNECTED);
    assert_true(weir_addr_equal(&weir_sockets(weir_stack_peek(w.b, cb))->local, &far));
    assert_int_equal(weir_sockets(weir_stack_peek(w.b, cb))->local_port, 443);
    exchange(&w, ca, cb, 5000);
    const weir_addr group = weir_addr_v4(224, 0, 0, 1);
    struct world_segment seg = segment_of(80, 4000, WEIR_SYN);
    seg.tuple.local = group;
    assert_int_equal(world_inject(w.b, &seg, w.now), WEIR_IP_DESTINATION);
    guard_free_all();
}

static void test_bad_packets_change_nothing(void **state)
{
    weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    struct world_segment seg = segment_of(80, 4000, WEIR_SYN);
    uint8_t packet[256];
    (void)state;
    (void)world_listen(s, 80);
    seg.bad_checksum = true;
    assert_int_equal(world_inject(s, &seg, 0), WEIR_TCP_CHECKSUM);
    seg.bad_checksum = false;
    const size_t len = world_packet(packet, &seg);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(world_put(s, packet, cut, 0), WEIR_IP_TRUNCATED);
    }
    packet[8] ^= 1; /* TTL, and the header's checksum no longer fits */
    assert_int_equal(world_put(s, packet, len, 0), WEIR_IP_CHECKSUM);
    assert_int_equal(weir_stack_stats(s)->connections, 0);
    assert_int_equal(world_drop_all(s, 0), 0);
    c.checksum_trusted = true; /* hardware has looked already */
    weir_stack *trusting = world_stack(&c, 0);
    seg.bad_checksum = true;
    (void)world_listen(trusting, 80);
    assert_int_equal(world_inject(trusting, &seg, 0), WEIR_OK);
    assert_int_equal(weir_stack_stats(trusting)->odd_segments, 0);
    seg.flags = WEIR_SYN | WEIR_FIN; /* legal, but strange */
    seg.tuple.remote_port++;
    assert_int_equal(world_inject(trusting, &seg, 0), WEIR_OK);
    assert_int_equal(weir_stack_stats(trusting)->odd_segments, 1);
    guard_free_all();
}

/* ---- ICMP ---- */

static size_t echo_request(uint8_t *packet, bool v6, uint32_t len, uint8_t destination)
{
    uint8_t *icmp = packet + WEIR_IP_HEADER_MAX;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = world_host(v6, 2);
    ip.addrs.destination = world_host(v6, destination);
    ip.protocol = v6 ? WEIRI_PROTO_ICMP6 : WEIRI_PROTO_ICMP;
    ip.ttl = 3;
    ip.traffic_class = 0xbb;
    ip.payload_len = 8 + len;
    memset(icmp, 0, 8);
    icmp[0] = v6 ? 128 : 8;
    base_put16(icmp + 4, 0x1234);
    base_put16(icmp + 6, 7);
    for (uint32_t i = 0; i < len; i++) {
        icmp[8 + i] = text_at(i);
    }
    const uint64_t pseudo = v6 ? weiri_sum_pseudo(&ip.addrs, 8 + len, WEIRI_PROTO_ICMP6) : 0;
    base_put16(icmp + 2, weiri_sum_finish(weiri_sum(icmp, 8 + len, pseudo)));
    const size_t header = weiri_ip_emit(icmp, &ip);
    memmove(packet, icmp - header, header + 8 + len);
    return header + 8 + len;
}

static void test_echo(void **state)
{
    static const uint32_t lengths[] = {0, 1, 56, 1000, 1452};
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    uint8_t packet[2048], reply[2048];
    (void)state;
    for (unsigned i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        struct weiri_ip ip;
        const bool v6 = i % 2;
        const size_t len = echo_request(packet, v6, lengths[i / 2], 1);
        assert_int_equal(world_put(s, packet, len, 0), WEIR_OK);
        assert_int_equal(world_poll(s, reply, 0), len);
        assert_int_equal(weiri_ip_view(&ip, reply, len), WEIR_OK);
        assert_int_equal(ip.payload[0], v6 ? 129 : 0);
        assert_memory_equal(ip.payload + 4, packet + len - ip.payload_len + 4, ip.payload_len - 4);
        const uint64_t pseudo = v6 ? weiri_sum_pseudo(&ip.addrs, ip.payload_len, WEIRI_PROTO_ICMP6) : 0;
        assert_int_equal(weiri_sum_finish(weiri_sum(ip.payload, ip.payload_len, pseudo)), 0);
        const weir_addr us = world_host(v6, 1), peer = world_host(v6, 2);
        assert_true(weir_addr_equal(&ip.addrs.source, &us) && weir_addr_equal(&ip.addrs.destination, &peer));
        assert_int_equal(ip.traffic_class, 0xb8);
        assert_int_equal(ip.ttl, 64);
    }
    assert_int_equal(weir_stack_stats(s)->echo_replies, 10);
    guard_free_all();
}

static void test_echoes_keep_their_order(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    uint8_t packet[2048];
    uint32_t in = 0, out = 0;
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(world_put(s, packet, echo_request(packet, false, in++, 1), round * 100000u), WEIR_OK);
        }
        for (unsigned i = 0; i < (round % 2 ? 4 : 2); i++) {
            assert_int_equal(world_poll(s, packet, round * 100000u), 28 + out++);
        }
    }
    assert_int_equal(in, out);
    assert_int_equal(weir_stack_stats(s)->replies_dropped, 0);
    guard_free_all();
}

static void test_echo_that_is_not_answered(void **state)
{
    weir_stack_config c = world_config(1);
    uint8_t packet[4096];
    (void)state;
    weir_stack *s = world_stack(&c, 0);
    assert_int_equal(world_put(s, packet, echo_request(packet, false, 1600, 1), 0), WEIR_OK); /* larger than our MTU */
    assert_int_equal(world_put(s, packet, echo_request(packet, false, 8, 255), 0), WEIR_IP_DESTINATION);
    size_t len = echo_request(packet, false, 8, 1);
    packet[len - 1] ^= 1;
    assert_int_equal(world_put(s, packet, len, 0), WEIR_ICMP_CHECKSUM);
    assert_int_equal(world_drop_all(s, 0), 0);
    for (unsigned i = 0; i < 100; i++) { /* nobody fetches them */
        assert_int_equal(world_put(s, packet, echo_request(packet, false, 8, 1), 0), WEIR_OK);
    }
    assert_int_equal(world_drop_all(s, 0), WEIRI_ECHOES);
    assert_int_equal(weir_stack_stats(s)->replies_dropped, 1 + 100 - WEIRI_ECHOES);
    c.any_destination = true;
    s = world_stack(&c, 0);
    assert_int_equal(world_put(s, packet, echo_request(packet, false, 8, 9), 0), WEIR_ICMP_UNKNOWN); /* not our address */
    c.echo_reply = false;
    s = world_stack(&c, 0);
    assert_int_equal(world_put(s, packet, echo_request(packet, true, 8, 1), 0), WEIR_ICMP_UNKNOWN);
    assert_int_equal(world_drop_all(s, 0), 0);
    guard_free_all();
}

static void test_echoes_are_bounded(void **state)
{
    weir_stack_config c = world_config(1);
    uint8_t packet[256];
    (void)state;
    c.replies_per_second = 1;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned i = 0; i < 20; i++) { /* in two seconds */
        assert_int_equal(world_put(s, packet, echo_request(packet, true, 8, 1), i * 100000), WEIR_OK);
        (void)world_drop_all(s, i * 100000);
    }
    assert_int_equal(weir_stack_stats(s)->echo_replies, 2);
    assert_int_equal(weir_stack_stats(s)->replies_dropped, 18); /* the two began in two seconds of 2^20 us */
    guard_free_all();
}

/* An ICMPv4 error about a packet that stack A sent, from a router. */
static size_t icmp_error(uint8_t *packet, uint8_t type, uint8_t code, uint16_t mtu, const uint8_t *quoted)
{
    uint8_t *icmp = packet + WEIR_IP_HEADER_MAX;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = weir_addr_v4(10, 0, 7, 1);
    ip.addrs.destination = world_host(false, 1);
    ip.protocol = WEIRI_PROTO_ICMP;
    ip.ttl = 60;
    ip.payload_len = 8 + 28;
    memset(icmp, 0, 8);
    icmp[0] = type;
    icmp[1] = code;
    base_put16(icmp + 6, mtu);
    memcpy(icmp + 8, quoted, 28);
    base_put16(icmp + 2, weiri_sum_finish(weiri_sum(icmp, 36, 0)));
    const size_t header = weiri_ip_emit(icmp, &ip);
    memmove(packet, icmp - header, header + 36);
    return header + 36;
}

static void test_icmp_errors(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    uint8_t syn[2048], packet[256];
    (void)state;
    const weir_handle ca = world_connect(&w, &remote, 80);
    assert_true(world_poll(w.a, syn, w.now) > 0);
    uint8_t other[2048];
    memcpy(other, syn, sizeof other);
    other[21] ^= 1; /* another port */
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 3, 0, other), w.now), WEIR_ICMP_UNMATCHED);
    memcpy(other, syn, sizeof other);
    other[24] ^= 1; /* a sequence number that is not in flight */
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 3, 0, other), w.now), WEIR_ICMP_UNMATCHED);
    memcpy(other, syn, sizeof other);
    other[15] ^= 4; /* somebody else's packet */
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 3, 0, other), w.now), WEIR_ICMP_UNMATCHED);
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 4, 0, 0, syn), w.now), WEIR_ICMP_UNKNOWN); /* Source Quench */
    assert_int_equal(weir_stack_stats(w.a)->icmp_taken, 0);
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 1, 0, syn), w.now), WEIR_OK); /* soft: it goes on (MUST-56) */
    assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_SYN_SENT);
    weir_ready r;
    assert_false(weir_stack_ready(w.a, &r)); /* the user hears of it .. */
    WORLD_OK(weir_stack_want(w.a, ca, WEIR_EV_SUSPECT | WEIR_EV_CLOSED));
    assert_true(weir_stack_ready(w.a, &r)); /* .. only when he asks to (SHLD-20, MUST-47) */
    assert_true(r.conn == ca && r.events & WEIR_EV_SUSPECT);
    assert_false(weir_stack_ready(w.a, &r));
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 3, 0, syn), w.now), WEIR_OK); /* hard while opening */
    assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_CLOSED);
    assert_int_equal(weir_error(weir_stack_peek(w.a, ca)), WEIR_ERR_UNREACHABLE);
    assert_int_equal(weir_stack_stats(w.a)->icmp_taken, 2);
    assert_true(world_ready(w.a, WEIR_EV_CLOSED) == ca);
    guard_free_all();
}

static void test_path_mtu(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    uint8_t text[3000] = {0}, large[2048], packet[256];
    size_t sent;
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    const weir_slice slice = {text, sizeof text};
    WORLD_OK(weir_send(weir_stack_conn(w.a, ca), slice, 0, &sent, w.now));
    assert_int_equal(world_poll(w.a, large, w.now), 1500);
    (void)world_drop_all(w.a, w.now); /* both segments met a narrow link */
    assert_int_equal(large[6] & 0x40, 0x40); /* DF */
    assert_int_equal(world_put(w.a, packet, icmp_error(packet, 3, 4, 1000, large), w.now), WEIR_OK);
    uint64_t largest = 0;
    for (unsigned turn = 0; turn < 40; turn++) {
        const size_t len = world_poll(w.a, large, w.now);
        if (len == 0) {
            const weir_us due = weir_stack_deadline(w.a);
            w.now = due > w.now && due != WEIR_FOREVER ? due : w.now;
            weir_stack_expire(w.a, w.now);
            (void)world_carry(&w, w.b, w.a);
        } else {
            largest = len > largest ? len : largest;
            (void)world_put(w.b, large, len, w.now);
        }
    }
    assert_in_range(largest, 900, 1000);
    guard_free_all();
}

/* ---- opening ---- */

static void test_connect_faults(void **state)
{
    weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    weir_handle conn;
    weir_tuple t, plain = tuple_of(0, 80);
    (void)state;
    memset(&plain.local, 0, sizeof plain.local);
#define FAULT(expected, change)                                        \
    do {                                                               \
        t = plain;                                                     \
        change;                                                        \
        assert_int_equal(weir_stack_connect(s, &t, &conn, 0), expected); \
        WORLD_CHECK(s);                                                \
    } while (0)
    FAULT(WEIR_ERR_UNSPECIFIED, memset(&t.remote, 0, 16));
    FAULT(WEIR_ERR_UNSPECIFIED, t.remote_port = 0);
    FAULT(WEIR_ERR_ADDRESS, t.remote = weir_addr_v4(224, 0, 0, 1)); /* MUST-46 */
    FAULT(WEIR_ERR_ADDRESS, t.remote = weir_addr_v4(255, 255, 255, 255));
    FAULT(WEIR_ERR_ADDRESS, t.remote = weir_addr_v4(10, 0, 0, 255));
    FAULT(WEIR_ERR_ADDRESS, t.remote = weir_addr_v4(127, 0, 0, 1));
    FAULT(WEIR_ERR_ADDRESS, t.remote = world_host(false, 1));   /* ourselves */
    FAULT(WEIR_ERR_ADDRESS, t.local = world_host(false, 9));    /* not ours */
    FAULT(WEIR_ERR_ADDRESS, t.local = world_host(true, 1));     /* the other family */
    FAULT(WEIR_ERR_NONE, t.local_port = 5000);
    FAULT(WEIR_ERR_EXISTS, t.local_port = 5000);
    FAULT(WEIR_ERR_EXISTS, (t.local_port = 5000, t.local = world_host(false, 1)));
    FAULT(WEIR_ERR_NONE, (t.local_port = 5000, t.remote_port = 81)); /* the same port to another socket */
#undef FAULT
    assert_int_equal(weir_stack_stats(s)->active_opens, 2);
    c.addr_count = 1;
    s = world_stack(&c, 0);
    t = plain;
    t.remote = world_host(true, 2);
    assert_int_equal(weir_stack_connect(s, &t, &conn, 0), WEIR_ERR_ADDRESS); /* we have no address of this family */
    guard_free_all();
}

static void test_a_connection_to_oneself(void **state)
{
    weir_stack_config c = world_config(1);
    weir_handle conn;
    (void)state;
    c.accept_martians = true;
    c.port_first = 80;
    c.port_last = 81;
    weir_stack *s = world_stack(&c, 0);
    weir_tuple t = tuple_of(80, 80);
    t.remote = t.local;
    assert_int_equal(weir_stack_connect(s, &t, &conn, 0), WEIR_ERR_ADDRESS); /* one socket at both ends */
    t.local_port = 0;
    WORLD_OK(weir_stack_connect(s, &t, &conn, 0)); /* finds the other port */
    assert_int_equal(weir_sockets(weir_stack_peek(s, conn))->local_port, 81);
    struct world w = {s, s, 0, false};
    (void)world_listen(s, 80);
    world_run(&w);
    assert_int_equal(weir_state(weir_stack_peek(s, conn)), WEIR_ESTABLISHED);
    guard_free_all();
}

static void test_ports_run_out(void **state)
{
    enum { PORTS = 10 };
    weir_stack_config c = world_config(1);
    weir_handle conn[PORTS], more;
    weir_tuple t = tuple_of(0, 80);
    unsigned seen = 0;
    (void)state;
    c.port_first = 60000;
    c.port_last = 60000 + PORTS - 1;
    weir_stack *s = world_stack(&c, 0);
    for (unsigned i = 0; i < PORTS; i++) {
        WORLD_OK(weir_stack_connect(s, &t, &conn[i], 0));
        const unsigned port = weir_sockets(weir_stack_peek(s, conn[i]))->local_port;
        assert_in_range(port, 60000, 60009);
        assert_false(seen >> (port - 60000) & 1u);
        seen |= 1u << (port - 60000);
    }
    assert_int_equal(weir_stack_connect(s, &t, &more, 0), WEIR_ERR_RESOURCES);
    t.remote_port = 81; /* another socket has all of them to itself */
    WORLD_OK(weir_stack_connect(s, &t, &more, 0));
    t.remote_port = 80;
    WORLD_OK(weir_stack_release(s, conn[4], 0, 0));
    WORLD_OK(weir_stack_connect(s, &t, &more, 0));
    WORLD_CHECK(s);
    guard_free_all();
}

/* RFC 6056: the port to one destination says nothing about that to another, nor about that of another secret. */
static void test_ports_are_not_in_a_row(void **state)
{
    weir_stack_config c = world_config(1), d = world_config(2);
    unsigned rows = 0, same = 0;
    uint16_t last = 0;
    (void)state;
    memcpy(d.addrs, c.addrs, sizeof d.addrs); /* they differ in the secret only */
    weir_stack *s = world_stack(&c, 0), *r = world_stack(&d, 0);
    for (unsigned i = 0; i < 60; i++) {
        weir_handle conn, other;
        weir_tuple t = tuple_of(0, (uint16_t)(80 + i));
        WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
        WORLD_OK(weir_stack_connect(r, &t, &other, 0));
        const uint16_t port = weir_sockets(weir_stack_peek(s, conn))->local_port;
        rows += (uint16_t)(port - last + 4) < 8;
        same += port == weir_sockets(weir_stack_peek(r, other))->local_port;
        last = port;
    }
    assert_true(rows <= 2 && same <= 2);
    guard_free_all();
}

/* V02: who shares a counter with others sees steps of 1 to 8 by chance, and few share one: there are as many as connections. */
static void test_ports_step_by_chance(void **state)
{
    enum { TIMES = 400 };
    weir_stack_config c = world_config(1);
    unsigned steps[9] = {0}, moved = 0;
    uint16_t last = 0;
    (void)state;
    c.connections_max = 1024;
    weir_stack *s = world_stack(&c, 0);
    uint16_t before[1024];
    for (unsigned i = 0; i < TIMES; i++) {
        weir_handle conn;
        const weir_tuple t = tuple_of(0, 80);
        WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
        const uint16_t port = weir_sockets(weir_stack_peek(s, conn))->local_port;
        const uint32_t step = (uint32_t)(port + 16384 - last) % 16384;
        assert_true(i == 0 || (step >= 1 && step <= 8));
        steps[i ? step : 0]++;
        last = port;
    }
    for (unsigned i = 1; i <= 8; i++) {
        assert_in_range(steps[i], TIMES / 16, TIMES / 4);
    }
    assert_int_equal(s->port_mask, 1023);
    memcpy(before, s->port_next, sizeof before);
    for (unsigned i = 0; i < 256; i++) {
        weir_handle conn;
        const weir_tuple t = tuple_of(0, (uint16_t)(1000 + i));
        WORLD_OK(weir_stack_connect(s, &t, &conn, 0));
    }
    for (unsigned i = 0; i < 1024; i++) {
        moved += before[i] != s->port_next[i];
    }
    assert_in_range(moved, 200, 256);
    guard_free_all();
}

/* ---- handles, readiness ---- */

static void test_stale_handles(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    weir_handle old = 0;
    weir_tuple t = tuple_of(0, 80);
    (void)state;
    assert_null(weir_stack_conn(s, 0));
    assert_null(weir_stack_conn(s, 1));
    assert_null(weir_stack_peek(s, UINT64_MAX));
    for (unsigned i = 0; i < 100; i++) {
        weir_handle conn;
        WORLD_OK(weir_stack_connect(s, &t, &conn, i));
        assert_true(conn != old);
        assert_int_equal((uint32_t)conn, 1); /* the same record every time */
        assert_non_null(weir_stack_conn(s, conn));
        if (old) {
            assert_null(weir_stack_conn(s, old));
            assert_null(weir_stack_peek(s, old));
            assert_int_equal(weir_stack_want(s, old, 0), WEIR_ERR_NOT_EXIST);
            assert_int_equal(weir_stack_set_tag(s, old, 0), WEIR_ERR_NOT_EXIST);
            assert_int_equal(weir_stack_direct(s, old, true), WEIR_ERR_NOT_EXIST);
            assert_int_equal(weir_stack_release(s, old, 0, i), WEIR_ERR_NOT_EXIST);
        }
        WORLD_OK(weir_stack_release(s, conn, 0, i));
        assert_int_equal(weir_stack_release(s, conn, 0, i), WEIR_ERR_NOT_EXIST);
        old = conn;
    }
    world_expect_empty(s);
    guard_free_all();
}

/* A released connection is nobody's, but it is there until it has ended. */
static void test_released_but_not_over(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    weir_ready r;
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    world_end_round(w.a);
    WORLD_OK(weir_stack_release(w.a, ca, WEIR_FOREVER, w.now));
    assert_null(weir_stack_conn(w.a, ca));
    assert_non_null(weir_stack_peek(w.a, ca));
    assert_true(weir_stack_next(w.a, 0) == ca && weir_stack_next(w.a, ca) == 0);
    assert_false(weir_stack_ready(w.a, &r));
    world_run(&w);
    assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_FIN_WAIT_2);
    world_pass(&w, 61000000); /* the other never closes: it ends all the same */
    world_expect_empty(w.a);
    guard_free_all();
}

static void test_rounds_of_ready(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    weir_handle conn[5];
    weir_ready r;
    (void)state;
    (void)world_listen(w.b, 80);
    for (unsigned i = 0; i < 5; i++) {
        conn[i] = world_connect(&w, &remote, 80);
        WORLD_OK(weir_stack_set_tag(w.a, conn[i], 100 + i));
    }
    assert_false(weir_stack_ready(w.a, &r)); /* nothing yet */
    world_run(&w);
    for (unsigned round = 0; round < 3; round++) { /* level-triggered: the same news every round, each once */
        unsigned seen = 0;
        while (weir_stack_ready(w.a, &r)) {
            assert_in_range(r.tag, 100, 104);
            assert_true(conn[r.tag - 100] == r.conn && r.listener == 0);
            assert_false(seen >> (r.tag - 100) & 1u);
            seen |= 1u << (r.tag - 100);
        }
        assert_int_equal(seen, 0x1f);
        WORLD_CHECK(w.a);
    }
    WORLD_OK(weir_stack_want(w.a, conn[2], WEIR_EV_READABLE));
    unsigned count = 0;
    while (weir_stack_ready(w.a, &r)) {
        assert_true(r.conn != conn[2]);
        count++;
    }
    assert_int_equal(count, 4);
    for (unsigned i = 0; i < 5; i++) {
        WORLD_OK(weir_stack_want(w.a, conn[i], WEIR_EV_WRITABLE));
    }
    assert_true(weir_stack_ready(w.a, &r)); /* in the middle of a round one of them goes */
    WORLD_OK(weir_stack_release(w.a, r.conn, 0, w.now));
    for (count = 0; weir_stack_ready(w.a, &r); count++) {
        assert_true(count < 5);
    }
    assert_int_equal(count, 4);
    guard_free_all();
}

/* The peer opens, sends and resets before the user has looked: nobody hears of it, nothing stays behind. */
static void test_gone_before_it_was_shown(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    struct world_segment seg = segment_of(80, 4000, WEIR_SYN);
    struct world_seen seen;
    weir_ready r;
    (void)state;
    (void)world_listen(s, 80);
    (void)world_inject(s, &seg, 0);
    assert_true(world_next(s, &seen, 0));
    assert_false(weir_stack_ready(s, &r)); /* half-open: not the user's business */
    seg.flags = WEIR_ACK;
    seg.seq = 1001;
    seg.ack = seen.view.seq.v + 1;
    (void)world_inject(s, &seg, 0);
    seg.flags = WEIR_RST;
    assert_int_equal(world_inject(s, &seg, 0), WEIR_OK);
    world_expect_empty(s);
    assert_false(weir_stack_ready(s, &r));
    seg = segment_of(80, 4001, WEIR_SYN); /* and once more while half-open */
    (void)world_inject(s, &seg, 0);
    (void)world_drop_all(s, 0);
    seg.flags = WEIR_RST;
    seg.seq = 1001;
    assert_int_equal(world_inject(s, &seg, 0), WEIR_OK);
    world_expect_empty(s);
    guard_free_all();
}

/* What the user does to a connection in hand is seen by the next call, whichever it is. */
static void test_what_the_user_did(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 4; way++) {
        struct world w = world_plain();
        const weir_addr remote = world_host(false, 2);
        weir_ready r;
        (void)world_listen(w.b, 80);
        const weir_handle ca = world_connect(&w, &remote, 80);
        world_run(&w);
        world_end_round(w.a);
        const weir_us before = weir_stack_deadline(w.a);
        WORLD_OK(weir_close(weir_stack_conn(w.a, ca), w.now));
        assert_true(w.a->dirty.count == 1);
        switch (way) {
        case 0: assert_int_equal(world_carry(&w, w.a, w.b), 1); break;
        case 1: weir_stack_expire(w.a, w.now); break;
        case 2: (void)weir_stack_ready(w.a, &r); break;
        default: assert_true(weir_stack_deadline(w.a) <= before); break;
        }
        assert_true(w.a->dirty.count == 0);
        world_run(&w);
        assert_int_equal(weir_state(weir_stack_peek(w.a, ca)), WEIR_FIN_WAIT_2);
        guard_free_all();
    }
}

/* ---- sending ---- */

enum { TURN = 8, TURN_FULL = TURN + 2, TURN_CONNS = 3 };

/* Asked for one by one or many at once: who says what is next, as `how` asks. */
static unsigned turns_poll(weir_stack *s, unsigned how, uint16_t *ports, weir_us now)
{
    static uint8_t packets[TURN_CONNS * TURN_FULL][2048];
    weir_place places[TURN_CONNS * TURN_FULL];
    size_t count = 0;
    if (how < 2) {
        while (count < TURN_CONNS * TURN_FULL &&
               (places[count].len = how ? weir_stack_poll_copy(s, packets[count], 2048, now) : world_poll(s, packets[count], now)) > 0) {
            count++;
        }
    } else {
        for (size_t done = 1; done > 0 && count < TURN_CONNS * TURN_FULL; count += done) { /* 3 or 29 at once */
            const size_t most = how == 2 ? 3 : TURN_CONNS * TURN_FULL - 1, left = TURN_CONNS * TURN_FULL - count;
            for (size_t k = count; k < TURN_CONNS * TURN_FULL; k++) {
                places[k].octets = packets[k];
                places[k].cap = 2048;
            }
            done = weir_stack_poll_batch(s, places + count, most < left ? most : left, now);
        }
    }
    for (size_t k = 0; k < count; k++) {
        struct weiri_ip ip;
        assert_int_equal(weiri_ip_view(&ip, packets[k], places[k].len), WEIR_OK);
        ports[k] = base_get16(ip.payload);
    }
    return (unsigned)count;
}

/* Each connection with something to send has its turn: so many segments, or fewer if it has no more. */
static void test_turns(void **state)
{
    static const uint8_t text[TURN_FULL * 1448];
    const weir_slice slice = {text, sizeof text};
    const weir_addr remote = world_host(false, 2);
    (void)state;
    for (unsigned how = 0; how < 4; how++) {
        weir_stack_config a = world_config(1), b = world_config(2);
        a.rings.tx = b.rings.rx = 32768;
        struct world w = world_of(&a, &b);
        weir_handle conn[TURN_CONNS];
        uint16_t ports[TURN_CONNS * TURN_FULL];
        size_t sent;
        (void)world_listen(w.b, 80);
        for (unsigned i = 0; i < TURN_CONNS; i++) {
            conn[i] = world_connect(&w, &remote, 80);
        }
        world_run(&w);
        for (unsigned i = 0; i < TURN_CONNS; i++) {
            WORLD_OK(weir_send(weir_stack_conn(w.a, conn[i]), slice, WEIR_SEND_PUSH, &sent, w.now));
            assert_int_equal(sent, sizeof text);
        }
        assert_int_equal(turns_poll(w.a, how, ports, w.now), TURN_CONNS * TURN_FULL);
        for (unsigned k = 0; k < TURN_CONNS * TURN_FULL; k++) {
            const unsigned last = TURN_CONNS * TURN, who = k < last ? k / TURN : (k - last) / (TURN_FULL - TURN);
            assert_int_equal(ports[k], ports[who * TURN]);
        }
        assert_true(ports[0] != ports[TURN] && ports[TURN] != ports[2 * TURN] && ports[0] != ports[2 * TURN]);
        guard_free_all();
    }
}

/* Whom the user takes in hand meanwhile does not get the rest of another's turn. */
static void test_turns_are_not_handed_on(void **state)
{
    static const uint8_t text[2 * 1448];
    const weir_addr remote = world_host(false, 2);
    struct world w = world_plain();
    weir_handle conn[TURN_CONNS];
    uint16_t ports[TURN_CONNS];
    struct world_seen seen;
    size_t sent;
    (void)state;
    (void)world_listen(w.b, 80);
    for (unsigned i = 0; i < TURN_CONNS; i++) {
        conn[i] = world_connect(&w, &remote, 80);
    }
    world_run(&w);
    for (unsigned i = 0; i < TURN_CONNS; i++) {
        weir_conn *c = weir_stack_conn(w.a, conn[i]);
        WORLD_OK(weir_send(c, (weir_slice){text, sizeof text}, 0, &sent, w.now));
        ports[i] = weir_sockets(c)->local_port;
    }
    assert_true(world_next(w.a, &seen, w.now));
    assert_int_equal(seen.tuple.local_port, ports[0]);
    WORLD_OK(weir_send(weir_stack_conn(w.a, conn[2]), (weir_slice){text, 100}, 0, &sent, w.now));
    assert_true(world_next(w.a, &seen, w.now));
    assert_int_equal(seen.tuple.local_port, ports[1]);
    guard_free_all();
}

static void test_headers(void **state)
{
    weir_stack_config a = world_config(1), b = world_config(2);
    const weir_addr remote = world_host(false, 2);
    uint8_t packet[2048], copy[2048];
    weir_out out;
    (void)state;
    a.tcp.ttl = 7;
    a.tcp.dscp = 46;
    struct world w = world_of(&a, &b);
    const weir_handle ca = world_connect(&w, &remote, 80);
    assert_int_equal(weir_stack_poll_copy(w.a, copy, 1499, w.now), 0); /* room for less than the MTU: nothing is lost */
    const size_t len = weir_stack_poll(w.a, &out, w.now);
    assert_true(len > 0 && out.len == len && out.header_at + out.header_len <= WEIR_HEADER_MAX);
    assert_int_equal(weir_out_copy(&out, packet, sizeof packet), len);
    assert_int_equal(packet[8], 7);
    assert_int_equal(packet[1], 46 << 2);
    assert_int_equal(packet[6] & 0x40, 0x40);
    assert_int_equal(base_get16(packet + 4), 0); /* RFC 6864 4.1 */
    WORLD_OK(weir_set_dscp(weir_stack_conn(w.a, ca), 10));
    w.now += 1000000;
    weir_stack_expire(w.a, w.now);
    assert_int_equal(weir_stack_poll_copy(w.a, copy, 1500, w.now), len);
    assert_int_equal(copy[1], 10 << 2);
    guard_free_all();
}

static void test_time_does_not_go_back(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    world_run(&w);
    w.now -= 500000;
    exchange(&w, ca, world_ready(w.b, WEIR_EV_CONNECTED), 10000);
    w.now = 0;
    weir_stack_expire(w.a, 0);
    WORLD_OK(weir_stack_release(w.a, ca, 0, 0));
    world_run(&w);
    world_expect_empty(w.a);
    guard_free_all();
}

/* Every call that is given the time goes by it, and looks first at what the user has in hand. */
static void test_every_call_brings_the_time(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 0);
    weir_tuple t = tuple_of(0, 80);
    weir_handle conn, listener = world_listen(s, 80);
    const weir_us late = 3600000000u;
    (void)state;
    WORLD_OK(weir_stack_connect(s, &t, &conn, late));
    assert_int_equal(world_drop_all(s, late), 1);
    assert_true(weir_stack_deadline(s) == late + 1000000);
    assert_non_null(weir_stack_conn(s, conn));
    WORLD_OK(weir_stack_unlisten(s, listener, 2 * late));
    assert_true(s->dirty.count == 0 && s->now == 2 * late);
    assert_non_null(weir_stack_conn(s, conn));
    WORLD_OK(weir_stack_release(s, conn, 0, 3 * late));
    assert_true(s->dirty.count == 0 && s->now == 3 * late);
    WORLD_OK(weir_stack_connect(s, &t, &conn, 3 * late));
    assert_non_null(weir_stack_conn(s, conn));
    t.remote_port = 81;
    WORLD_OK(weir_stack_connect(s, &t, &conn, 4 * late));
    assert_true(s->dirty.count == 0 && s->now == 4 * late);
    guard_free_all();
}

/* For tracers: which connection the last packet was about. */
static void test_last(void **state)
{
    struct world w = world_plain();
    const weir_addr remote = world_host(false, 2);
    uint8_t packet[2048], request[256];
    (void)state;
    (void)world_listen(w.b, 80);
    const weir_handle ca = world_connect(&w, &remote, 80);
    assert_true(weir_stack_last(w.a) == 0);
    const size_t len = world_poll(w.a, packet, w.now);
    assert_true(weir_stack_last(w.a) == ca);
    assert_int_equal(world_put(w.b, packet, len, w.now), WEIR_OK);
    const weir_handle cb = weir_stack_last(w.b);
    assert_true(cb != 0 && cb == weir_stack_next(w.b, 0));
    assert_int_equal(world_put(w.b, request, echo_request(request, false, 8, 2), w.now), WEIR_IP_SOURCE);
    assert_true(weir_stack_last(w.b) == 0);
    assert_true(world_poll(w.b, packet, w.now) > 0);
    assert_true(weir_stack_last(w.b) == cb);
    assert_int_equal(world_poll(w.b, packet, w.now), 0);
    assert_true(weir_stack_last(w.b) == 0);
    guard_free_all();
}

/* ---- many ---- */

struct tally {
    uint64_t hash;
    uint64_t packets;
};

/* One packet's octets into a hash, so that two runs can be compared. */
static void tally_add(struct tally *t, const uint8_t *packet, size_t len)
{
    static const uint8_t key[16] = {1};
    t->hash = t->hash * 31 + weir_siphash(key, packet, len);
    t->packets++;
}

/* The server of the crowd: answers what it reads with the same octets, and closes when the peer has. */
static void crowd_serve(weir_stack *s, weir_us now)
{
    weir_ready r;
    while (weir_stack_ready(s, &r)) {
        weir_conn *c = weir_stack_conn(s, r.conn);
        uint8_t text[64];
        size_t got, sent;
        const weir_err err = weir_recv(c, text, sizeof text, &got, now);
        if (got > 0) {
            const weir_slice slice = {text, got};
            WORLD_OK(weir_send(c, slice, WEIR_SEND_PUSH, &sent, now));
        }
        WORLD_OK(weir_stack_want(s, r.conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED));
        if (err == WEIR_ERR_CLOSING || (r.events & WEIR_EV_CLOSED)) {
            WORLD_OK(weir_stack_release(s, r.conn, WEIR_FOREVER, now));
        }
    }
}

static uint32_t crowd_reap(weir_stack *s, weir_us now)
{
    weir_ready r;
    uint32_t done = 0;
    while (weir_stack_ready(s, &r)) {
        weir_conn *c = weir_stack_conn(s, r.conn);
        uint8_t text[64];
        size_t got;
        WORLD_OK(weir_stack_want(s, r.conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED));
        (void)weir_recv(c, text, sizeof text, &got, now);
        if (got > 0) {
            assert_int_equal(got, 8);
            assert_true(base_get32(text) == (uint32_t)r.tag && base_get32(text + 4) == ~(uint32_t)r.tag);
            WORLD_OK(weir_stack_release(s, r.conn, WEIR_FOREVER, now));
            done++;
        }
    }
    return done;
}

static void crowd_carry(struct world *w, struct tally *t)
{
    uint8_t packet[2048];
    size_t len;
    while ((len = weir_stack_poll_copy(w->a, packet, sizeof packet, w->now)) != 0) {
        tally_add(t, packet, len);
        assert_int_not_equal(weir_stack_input(w->b, packet, len, w->now), WEIR_NO_ROOM);
    }
    while ((len = weir_stack_poll_copy(w->b, packet, sizeof packet, w->now)) != 0) {
        tally_add(t, packet, len);
        (void)weir_stack_input(w->a, packet, len, w->now);
    }
}

/* `total` connections, at most `at_once` of them at a time, each with a question and its answer. */
static struct tally crowd_run(uint32_t total, uint32_t at_once)
{
    weir_stack_config a = world_config(1), b = world_config(2);
    struct tally t = {0, 0};
    uint32_t begun = 0, done = 0;
    const weir_addr remote[2] = {world_host(false, 2), world_host(true, 2)};
    a.connections_max = b.connections_max = at_once + 200;
    a.half_open_max = b.half_open_max = at_once + 200;
    a.rings.rx = a.rings.tx = b.rings.rx = b.rings.tx = 256;
    a.time_wait_max = 512;
    struct world w = world_of(&a, &b);
    (void)world_listen(w.b, 80);
    for (uint32_t turn = 0; done < total; turn++) {
        assert_true(turn < 40 * total / at_once + 1000);
        for (; begun < total && begun - done < at_once; begun++) {
            const weir_handle conn = world_connect(&w, &remote[begun % 2], 80);
            uint8_t text[8];
            size_t sent;
            const weir_slice slice = {text, sizeof text};
            base_put32(text, begun);
            base_put32(text + 4, ~begun);
            WORLD_OK(weir_stack_set_tag(w.a, conn, begun));
            WORLD_OK(weir_send(weir_stack_conn(w.a, conn), slice, WEIR_SEND_PUSH, &sent, w.now));
        }
        crowd_carry(&w, &t);
        crowd_serve(w.b, w.now);
        done += crowd_reap(w.a, w.now);
        w.now += 1000;
        weir_stack_expire(w.a, w.now);
        weir_stack_expire(w.b, w.now);
        if (turn % 64 == 0) {
            WORLD_CHECK(w.a);
            WORLD_CHECK(w.b);
        }
    }
    for (unsigned i = 0; i < 100; i++) { /* the last farewells, then 2MSL */
        crowd_carry(&w, &t);
        crowd_serve(w.b, w.now);
        w.now += 1000000;
        weir_stack_expire(w.a, w.now);
        weir_stack_expire(w.b, w.now);
    }
    world_expect_empty(w.a);
    world_expect_empty(w.b);
    assert_int_equal(weir_stack_stats(w.a)->active_opens, total);
    assert_int_equal(weir_stack_stats(w.b)->passive_opens, total);
    assert_int_equal(weir_stack_stats(w.b)->established, total);
    assert_int_equal(weir_stack_stats(w.a)->resets_out + weir_stack_stats(w.b)->resets_out, 0);
    assert_true(weir_stack_stats(w.a)->connections_peak >= at_once);
    assert_true(weir_stack_stats(w.a)->connections_peak <= at_once + 200);
    guard_free_all();
    return t;
}

static void test_two_thousand_at_once(void **state)
{
    (void)state;
    (void)crowd_run(2000, 2000);
}

static void test_twenty_thousand_in_turn(void **state)
{
    (void)state;
    (void)crowd_run(20000, 50);
}

static void test_the_same_again(void **state)
{
    (void)state;
    const struct tally once = crowd_run(300, 20), again = crowd_run(300, 20);
    assert_true(once.packets > 300 && once.packets == again.packets && once.hash == again.hash);
}

/* ---- anything, in any order ---- */

struct storm {
    struct world w;
    uint64_t random;
    weir_handle handle[2][24]; /* some alive, some long stale */
    weir_handle listener[2];
};

static uint32_t storm_random(struct storm *m, uint32_t below)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(m->random >> 33) % below;
}

/* A packet is lost, doubled, or has an octet changed; the rest arrive. */
static void storm_carry(struct storm *m, weir_stack *from, weir_stack *to)
{
    uint8_t packet[2048];
    const uint32_t most = storm_random(m, 12);
    for (uint32_t i = 0; i < most; i++) {
        const size_t len = world_poll(from, packet, m->w.now);
        const uint32_t fate = storm_random(m, 16);
        if (len == 0) {
            return;
        }
        if (fate == 0) {
            continue;
        }
        if (fate == 1) {
            packet[storm_random(m, (uint32_t)len)] ^= (uint8_t)(1 + storm_random(m, 255));
        }
        (void)world_put(to, packet, len, m->w.now);
        if (fate == 2) {
            (void)world_put(to, packet, len, m->w.now);
        }
    }
}

/* A segment near the middle of a connection, whatever its state, from a peer who knows the numbers. */
static void storm_forge(struct storm *m, weir_stack *s, weir_handle handle)
{
    static const uint16_t flags[] = {WEIR_ACK, WEIR_RST, WEIR_SYN, WEIR_FIN | WEIR_ACK, WEIR_SYN | WEIR_ACK, WEIR_RST | WEIR_ACK, 0};
    const weir_conn *c = weir_stack_peek(s, handle);
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    if (!c || weir_state(c) == WEIR_CLOSED || weir_state(c) == WEIR_LISTEN) {
        return;
    }
    seg.tuple = *weir_sockets(c);
    seg.flags = flags[storm_random(m, 7)];
    seg.seq = c->rcv.nxt.v + storm_random(m, 3) - 1 + (storm_random(m, 8) ? 0 : storm_random(m, 100000));
    seg.ack = c->snd.nxt.v + storm_random(m, 3) - 1;
    seg.stamped = storm_random(m, 2) != 0;
    seg.ts_value = c->ts.recent + storm_random(m, 3) - 1;
    seg.len = storm_random(m, 4) ? 0 : storm_random(m, 600);
    (void)world_inject(s, &seg, m->w.now);
}

static void storm_talk(struct storm *m, weir_conn *c)
{
    uint8_t text[700] = {0};
    size_t count;
    const weir_slice slice = {text, storm_random(m, sizeof text)};
    switch (storm_random(m, 6)) {
    case 0: (void)weir_recv(c, text, sizeof text, &count, m->w.now); break;
    case 1: (void)weir_close(c, m->w.now); break;
    case 2: (void)weir_admit(c, m->w.now); break;
    case 3:
        if (storm_random(m, 4) == 0) {
            (void)weir_abort(c, m->w.now);
        }
        break;
    default: (void)weir_send(c, slice, storm_random(m, 2), &count, m->w.now); break;
    }
}

static void storm_listen(struct storm *m, unsigned side)
{
    weir_stack *s = side ? m->w.b : m->w.a;
    weir_listen_spec spec;
    if (m->listener[side]) {
        WORLD_OK(weir_stack_unlisten(s, m->listener[side], m->w.now));
        m->listener[side] = 0;
        return;
    }
    memset(&spec, 0, sizeof spec);
    spec.port = storm_random(m, 2) ? 80 : 0;
    spec.hold = storm_random(m, 2) != 0;
    spec.backlog = storm_random(m, 6);
    WORLD_OK(weir_stack_listen(s, &spec, &m->listener[side]));
}

static void storm_connect(struct storm *m, unsigned side, weir_handle *handle)
{
    weir_tuple t;
    memset(&t, 0, sizeof t);
    t.remote = world_host(storm_random(m, 2) != 0, side ? 1 : 2);
    t.remote_port = 80;
    t.local_port = storm_random(m, 3) ? 0 : (uint16_t)(79 + storm_random(m, 3)); /* now and then both connect to each other */
    (void)weir_stack_connect(side ? m->w.b : m->w.a, &t, handle, m->w.now);
}

static void storm_step(struct storm *m)
{
    const unsigned side = storm_random(m, 2);
    weir_stack *s = side ? m->w.b : m->w.a, *other = side ? m->w.a : m->w.b;
    weir_handle *handle = &m->handle[side][storm_random(m, 24)];
    weir_conn *c = weir_stack_conn(s, *handle);
    weir_ready r;
    switch (storm_random(m, 16)) {
    case 0: storm_connect(m, side, handle); break;
    case 1: (void)weir_stack_release(s, *handle, storm_random(m, 3) ? WEIR_FOREVER : 0, m->w.now); break;
    case 2:
        if (storm_random(m, 8) == 0) {
            storm_listen(m, side);
        }
        break;
    case 3: (void)weir_stack_want(s, *handle, storm_random(m, 512)); break;
    case 4: m->w.now += storm_random(m, 10) ? storm_random(m, 300000) : storm_random(m, 200000000); break;
    case 5: m->w.now = base_min_us(weir_stack_deadline(s) > m->w.now ? weir_stack_deadline(s) : m->w.now, m->w.now + 1000000000); break;
    case 6: weir_stack_expire(s, m->w.now); break;
    case 7: storm_forge(m, s, *handle); break;
    case 8:
    case 9:
        if (weir_stack_ready(s, &r)) {
            *handle = r.conn;
        }
        break;
    case 10:
    case 11:
    case 12:
        if (c) {
            storm_talk(m, c);
        }
        break;
    default: storm_carry(m, s, other); break;
    }
    WORLD_CHECK(s);
}

/* Users who call anything in any order, a network that damages packets, peers that lie, clocks that jump, few records: every invariant
 * holds at every step, and when all walk away all comes back (V37). */
static void test_storms(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= STORMS; seed++) {
        weir_stack_config a = world_config(1), b = world_config(2);
        struct storm m;
        memset(&m, 0, sizeof m);
        m.random = seed;
        a.connections_max = b.connections_max = 12;
        a.half_open_max = 3;
        a.time_wait_max = 3;
        b.time_wait_max = 0;
        a.rings.rx = a.rings.tx = b.rings.rx = b.rings.tx = 512;
        m.w = world_of(&a, &b);
        for (unsigned step = 0; step < 4000; step++) {
            storm_step(&m);
        }
        for (unsigned side = 0; side < 2; side++) {
            weir_stack *s = side ? m.w.b : m.w.a;
            for (weir_handle h = weir_stack_next(s, 0), next; h != 0; h = next) {
                next = weir_stack_next(s, h);
                (void)weir_stack_release(s, h, WEIR_FOREVER, m.w.now);
            }
            if (m.listener[side]) {
                WORLD_OK(weir_stack_unlisten(s, m.listener[side], m.w.now));
            }
        }
        world_pass(&m.w, (weir_us)2000 * 1000000);
        world_expect_empty(m.w.a);
        world_expect_empty(m.w.b);
        guard_free_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_documented_defaults),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_connect_exchange_close),
        cmocka_unit_test(test_both_close_at_once),
        cmocka_unit_test(test_retransmission),
        cmocka_unit_test(test_hold_and_admit),
        cmocka_unit_test(test_hold_and_refuse),
        cmocka_unit_test(test_held_and_reset_by_the_peer),
        cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_listening_beside_an_open),
        cmocka_unit_test(test_unlisten),
        cmocka_unit_test(test_reset_for_no_match),
        cmocka_unit_test(test_a_drained_share_tells_nothing),
        cmocka_unit_test(test_a_network_has_one_share),
        cmocka_unit_test(test_a_full_backlog_refuses_by_chance),
        cmocka_unit_test(test_replies_are_bounded),
        cmocka_unit_test(test_replies_have_bounded_room),
        cmocka_unit_test(test_answers_keep_their_order),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_land_in_four_octets),
        cmocka_unit_test(test_no_replies),
        cmocka_unit_test(test_any_destination),
        cmocka_unit_test(test_bad_packets_change_nothing),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echoes_keep_their_order),
        cmocka_unit_test(test_echoes_are_bounded),
        cmocka_unit_test(test_echo_that_is_not_answered),
        cmocka_unit_test(test_icmp_errors),
        cmocka_unit_test(test_path_mtu),
        cmocka_unit_test(test_connect_faults),
        cmocka_unit_test(test_a_connection_to_oneself),
        cmocka_unit_test(test_ports_run_out),
        cmocka_unit_test(test_ports_are_not_in_a_row),
        cmocka_unit_test(test_ports_step_by_chance),
        cmocka_unit_test(test_stale_handles),
        cmocka_unit_test(test_released_but_not_over),
        cmocka_unit_test(test_rounds_of_ready),
        cmocka_unit_test(test_gone_before_it_was_shown),
        cmocka_unit_test(test_what_the_user_did),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_turns_are_not_handed_on),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_time_does_not_go_back),
        cmocka_unit_test(test_every_call_brings_the_time),
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_storms),
        cmocka_unit_test(test_two_thousand_at_once),
        cmocka_unit_test(test_twenty_thousand_in_turn),
        cmocka_unit_test(test_the_same_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
