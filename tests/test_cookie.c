/* test_cookie.c - SYN cookies: what the number holds, when it counts, and that a flood does not keep honest peers out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

#define PERIOD ((weir_us)1 << 26)

static weir_tuple sockets(uint16_t port, uint16_t remote_port)
{
    weir_tuple t;
    memset(&t, 0, sizeof t);
    t.local = world_host(false, 1);
    t.remote = world_host(false, 9);
    t.local_port = port;
    t.remote_port = remote_port;
    return t;
}

/* A stack whose listener on port 80 has room for one half-open connection, which is taken. */
static weir_stack *full_stack(weir_handle *listener)
{
    weir_stack_config c = world_config(1);
    c.half_open_max = 1;
    weir_stack *s = world_stack(&c, 0);
    struct world_segment syn = {sockets(80, 1), 5, 0, WEIR_SYN, false, 0, 0, 0, 0, 0, 0, false};
    *listener = world_listen(s, 80);
    assert_int_equal(world_inject(s, &syn, 0), WEIR_OK);
    assert_int_equal(world_drop_all(s, 0), 1);
    return s;
}

/* A SYN with these options; true: the stack has answered. */
static bool ask(weir_stack *s, const weir_fields *syn, struct world_seen *seen, weir_us now)
{
    uint8_t packet[256], *tcp = packet + WEIR_IP_HEADER_MAX;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = world_host(false, 9);
    ip.addrs.destination = world_host(false, 1);
    ip.protocol = WEIRI_PROTO_TCP;
    ip.ttl = 64;
    ip.payload_len = (uint32_t)weir_emit_header(tcp, syn);
    weir_emit_checksum(tcp, ip.payload_len, &ip.addrs);
    const size_t header = weiri_ip_emit(tcp, &ip);
    (void)world_put(s, tcp - header, header + ip.payload_len, now);
    return world_next(s, seen, now);
}

static weir_fields syn_of(uint16_t remote_port)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    f.source_port = remote_port;
    f.destination_port = 80;
    f.seq.v = 0xfffffff0u;
    f.flags = WEIR_SYN;
    f.window = 1000;
    f.options = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS;
    f.mss = 1410;
    f.wscale = 7;
    f.ts_value = 77;
    return f;
}

/* The acknowledgment of a SYN,ACK, with `len` octets of text. */
static struct world_segment ack_of(const struct world_seen *seen, uint32_t len)
{
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    seg.tuple = seen->tuple;
    seg.seq = seen->view.ack.v;
    seg.ack = seen->view.seq.v + 1;
    seg.flags = WEIR_ACK;
    seg.stamped = (seen->view.options & WEIR_OPT_TIMESTAMPS) != 0;
    seg.ts_value = 78;
    seg.ts_echo = seen->view.ts_value;
    seg.len = len;
    return seg;
}

/* ---- the number ------------------------------------------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    static const uint16_t told[][2] = {{88, 88}, {535, 88}, {536, 536}, {1219, 536}, {1220, 1220}, {1299, 1220}, {1300, 1300},
                                       {1360, 1360}, {1399, 1360}, {1400, 1400}, {1440, 1440}, {1460, 1460}, {8960, 1460}, {65535, 1460}};
    weir_handle l;
    weir_stack *s = full_stack(&l);
    weir_tuple t = sockets(80, 7);
    (void)state;
    for (unsigned i = 0; i < sizeof told / sizeof *told; i++) {
        struct weiri_cookie k = {&t, {i}, told[i][0]}, back = {&t, {i}, 0};
        assert_true(weiri_cookie_read(s, weiri_cookie_make(s, &k), &back));
        assert_int_equal(back.mss, told[i][1]);
    }
    guard_free_all();
}

/* Every input counts, and so does every bit: 28 of them are the hash. */
static void test_bits(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    weir_tuple t = sockets(80, 7), other[4] = {t, t, t, t};
    struct weiri_cookie k = {&t, {1000}, 1460};
    const weir_seq cookie = weiri_cookie_make(s, &k);
    (void)state;
    other[0].local_port = 81;
    other[1].remote_port = 8;
    other[2].remote.octets[15]++;
    other[3].local.octets[15]++;
    for (unsigned i = 0; i < 4; i++) {
        struct weiri_cookie wrong = {&other[i], {1000}, 0};
        assert_false(weiri_cookie_read(s, cookie, &wrong));
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        struct weiri_cookie back = {&t, {1000}, 0}, isn = {&t, {1000u ^ 1u << bit}, 0};
        const weir_seq flipped = {cookie.v ^ 1u << bit};
        assert_false(weiri_cookie_read(s, flipped, &back));
        assert_false(weiri_cookie_read(s, cookie, &isn));
    }
    unsigned hits = 0;
    for (uint32_t i = 0; i < 1u << 20; i++) { /* 2^20 guesses at odds of 2^-28 */
        struct weiri_cookie back = {&t, {1000}, 0};
        const weir_seq guess = {i * 2654435761u};
        hits += guess.v != cookie.v && weiri_cookie_read(s, guess, &back);
    }
    assert_true(hits <= 1);
    guard_free_all();
}

/* It is good in its own period of 67 s and the one after, wherever in the period it was made. */
static void test_time(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        weir_handle l;
        weir_stack *s = full_stack(&l);
        weir_tuple t = sockets(80, 7);
        struct weiri_cookie k = {&t, {9}, 1460}, back = k;
        s->now = late ? 4 * PERIOD - 1 : 3 * PERIOD;
        const weir_seq cookie = weiri_cookie_make(s, &k);
        s->now = 5 * PERIOD - 1;
        assert_true(weiri_cookie_read(s, cookie, &back));
        s->now = 5 * PERIOD;
        assert_false(weiri_cookie_read(s, cookie, &back));
        guard_free_all();
    }
}

/* ---- handshakes ------------------------------------------------------------------------------------------------------------------- */

static void test_handshake(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    const weir_fields syn = syn_of(7);
    struct world_seen seen;
    weir_info info;
    (void)state;
    assert_true(ask(s, &syn, &seen, 1000));
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_BACKLOG_FULL], 1);
    assert_int_equal(weir_stack_stats(s)->connections, 1); /* nothing was kept */
    assert_int_equal(seen.view.flags, WEIR_SYN | WEIR_ACK);
    assert_int_equal(seen.view.ack.v, syn.seq.v + 1);
    assert_int_equal(seen.view.mss, 1460);
    assert_int_equal(seen.view.window, 4096);
    assert_int_equal(seen.view.options, syn.options);
    assert_int_equal(seen.view.ts_echo, 77);
    struct world_segment ack = ack_of(&seen, 100);
    assert_int_equal(world_inject(s, &ack, 2000), WEIR_OK);
    const weir_handle conn = world_ready(s, WEIR_EV_CONNECTED | WEIR_EV_READABLE);
    weir_info_get(weir_stack_peek(s, conn), &info);
    assert_int_equal(info.state, WEIR_ESTABLISHED);
    assert_int_equal(info.snd_mss, 1400); /* 1410 rounded down */
    assert_int_equal(info.wscale_snd, 7);
    assert_int_equal(info.snd_wnd, 65535u << 7);
    assert_int_equal(info.rtt, 0); /* when the SYN,ACK went nobody knows */
    assert_int_equal(info.rcv_queued, 100);
    assert_true(conn_has(weir_stack_peek(s, conn), WEIRI_SACK_OK));
    assert_int_equal(weir_stack_stats(s)->half_open, 1);
    assert_int_equal(weir_stack_stats(s)->cookies_in, 1);
    assert_int_equal(world_inject(s, &ack, 2500), WEIR_OK); /* once more, it belongs to the connection */
    assert_int_equal(weir_stack_stats(s)->connections, 2);
    assert_int_equal(weir_stack_stats(s)->cookies_in, 1);
    guard_free_all();
}

/* Without timestamps there is no place for the rest; so nothing else is offered. */
static void test_plain(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    weir_fields syn = syn_of(7);
    struct world_seen seen;
    (void)state;
    syn.options = WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK;
    assert_true(ask(s, &syn, &seen, 1000));
    assert_int_equal(seen.view.options, WEIR_OPT_MSS);
    struct world_segment ack = ack_of(&seen, 1);
    assert_int_equal(world_inject(s, &ack, 2000), WEIR_OK);
    const weir_conn *c = weir_stack_peek(s, world_ready(s, WEIR_EV_CONNECTED));
    assert_int_equal(c->mss_peer, 536);
    assert_int_equal(c->shift_snd + c->shift_rcv, 0);
    assert_false(conn_has(c, WEIRI_SACK_OK));
    assert_false(conn_has(c, WEIRI_TS_OK));
    guard_free_all();
}

/* What this end is not to use is not offered, whatever the SYN has; and stamps that come all the same mean nothing. */
static void test_what_is_not_configured(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        weir_stack_config cfg = world_config(1);
        struct world_segment first = {sockets(80, 1), 5, 0, WEIR_SYN, false, 0, 0, 0, 0, 0, 0, false};
        const weir_fields syn = syn_of(7);
        struct world_seen seen;
        cfg.half_open_max = 1;
        cfg.tcp.window_scale = i != 0;
        cfg.tcp.sack = i != 1;
        cfg.tcp.timestamps = i != 2;
        weir_stack *s = world_stack(&cfg, 0);
        (void)world_listen(s, 80);
        assert_int_equal(world_inject(s, &first, 0), WEIR_OK);
        (void)world_drop_all(s, 0);
        assert_true(ask(s, &syn, &seen, 1000));
        const unsigned all = syn.options, none = WEIR_OPT_MSS;
        assert_int_equal(seen.view.options, i == 0 ? all & ~(unsigned)WEIR_OPT_WSCALE : i == 1 ? all & ~(unsigned)WEIR_OPT_SACK_OK : none);
        struct world_segment ack = ack_of(&seen, 1);
        ack.stamped = true;
        assert_int_equal(world_inject(s, &ack, 2000), WEIR_OK);
        const weir_conn *c = weir_stack_peek(s, world_ready(s, WEIR_EV_CONNECTED));
        assert_int_equal(conn_has(c, WEIRI_WS_OK), i == 1);
        assert_int_equal(conn_has(c, WEIRI_SACK_OK), i == 0);
        assert_int_equal(conn_has(c, WEIRI_TS_OK), i != 2);
        guard_free_all();
    }
}

/* Whatever of it the SYN has comes back: shifts and SACK, beside every position of the clock. */
static void test_options_survive(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16 * 2 * 4; i++) {
        weir_handle l;
        weir_stack *s = full_stack(&l);
        weir_fields syn = syn_of(7);
        struct world_seen seen;
        const bool scaled = i % 16 < 15, sack = i / 16 % 2;
        const weir_us now = 1000 + 7777 * i;
        syn.options = (uint16_t)(WEIR_OPT_MSS | WEIR_OPT_TIMESTAMPS | (scaled ? WEIR_OPT_WSCALE : 0) | (sack ? WEIR_OPT_SACK_OK : 0));
        syn.wscale = (uint8_t)(scaled ? i % 16 : 0);
        assert_true(ask(s, &syn, &seen, now));
        const uint32_t clock = (uint32_t)(now / 1000) + weiri_ts_offset(&s->cfg.tcp, &seen.tuple);
        assert_in_range(clock - seen.view.ts_value, 0, 31); /* as near to it as what it carries allows */
        struct world_segment ack = ack_of(&seen, 1);
        assert_int_equal(world_inject(s, &ack, now + 1), WEIR_OK);
        const weir_conn *c = weir_stack_peek(s, world_ready(s, WEIR_EV_CONNECTED));
        assert_int_equal(conn_has(c, WEIRI_WS_OK), scaled);
        assert_int_equal(conn_has(c, WEIRI_SACK_OK), sack);
        assert_int_equal(c->shift_snd, syn.wscale);
        assert_true((int32_t)(weiri_ts_now(c) - seen.view.ts_value) >= 0); /* no later timestamp is older */
        guard_free_all();
    }
}

/* Only a listener that has given one takes any; nobody takes one that was given for another, or twice, or too late. */
static void test_when(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    const weir_fields syn = syn_of(7);
    struct world_seen seen;
    weir_tuple t = sockets(80, 7);
    struct weiri_cookie k = {&t, syn.seq, 1400};
    (void)state;
    struct world_segment early = {t, syn.seq.v + 1, weiri_cookie_make(s, &k).v + 1, WEIR_ACK, false, 0, 0, 0, 0, 0, 0, false};
    assert_int_equal(world_inject(s, &early, 0), WEIR_NO_CONNECTION); /* the very number, but none was given */
    assert_int_equal(world_drop_all(s, 0), 1);                         /* RST */
    assert_true(ask(s, &syn, &seen, 0));
    struct world_segment ack = ack_of(&seen, 0), wrong = ack;
    wrong.ack ^= 1;
    assert_int_equal(world_inject(s, &wrong, 1), WEIR_NO_CONNECTION);
    assert_int_equal(world_drop_all(s, 1), 0);
    assert_int_equal(weir_stack_stats(s)->cookies_refused, 1);
    (void)world_listen(s, 81);
    wrong = ack;
    wrong.tuple.local_port = 81;
    assert_int_equal(world_inject(s, &wrong, 2), WEIR_NO_CONNECTION);
    assert_int_equal(world_drop_all(s, 2), 1); /* that one has given none */
    assert_int_equal(world_inject(s, &ack, 3), WEIR_OK);
    WORLD_OK(weir_stack_release(s, world_ready(s, WEIR_EV_CONNECTED), 0, 3));
    assert_int_equal(world_drop_all(s, 3), 1);
    assert_int_equal(weir_stack_stats(s)->connections, 1);
    assert_int_equal(world_inject(s, &ack, 4), WEIR_NO_CONNECTION); /* the same acknowledgment again */
    assert_int_equal(weir_stack_stats(s)->connections, 1);
    assert_true(ask(s, &syn, &seen, 5));
    ack = ack_of(&seen, 0);
    WORLD_OK(weir_stack_unlisten(s, l, 6));
    (void)world_drop_all(s, 6);
    assert_int_equal(world_inject(s, &ack, 7), WEIR_NO_CONNECTION); /* nobody listens any more */
    (void)world_listen(s, 80);
    assert_int_equal(world_inject(s, &ack, 8), WEIR_NO_CONNECTION); /* and another listener is another */
    guard_free_all();
}

static void test_too_late(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    const weir_fields syn = syn_of(7);
    struct world_seen seen;
    (void)state;
    assert_true(ask(s, &syn, &seen, 0));
    struct world_segment ack = ack_of(&seen, 0);
    assert_int_equal(world_inject(s, &ack, 2 * PERIOD), WEIR_NO_CONNECTION);
    assert_int_equal(world_drop_all(s, 2 * PERIOD), 1); /* RST, as from any listener */
    guard_free_all();
}

/* The SYN comes again when there is room: the acknowledgment tells which of the two answers the peer has taken. */
static void test_both(void **state)
{
    weir_handle l;
    weir_stack *s = full_stack(&l);
    weir_fields syn = syn_of(7);
    struct world_seen first, second;
    (void)state;
    assert_true(ask(s, &syn, &first, 0));
    struct world_segment reset = {sockets(80, 1), 6, 0, WEIR_RST, false, 0, 0, 0, 0, 0, 0, false};
    assert_int_equal(world_inject(s, &reset, 1), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->half_open, 0);
    assert_true(ask(s, &syn, &second, 2));
    assert_int_equal(weir_stack_stats(s)->half_open, 1);
    assert_int_not_equal(first.view.seq.v, second.view.seq.v);
    struct world_segment ack = ack_of(&first, 10);
    assert_int_equal(world_inject(s, &ack, 3), WEIR_OK);
    const weir_conn *c = weir_stack_peek(s, world_ready(s, WEIR_EV_CONNECTED | WEIR_EV_READABLE));
    assert_int_equal(c->snd.iss.v, first.view.seq.v);
    assert_int_equal(weir_stack_stats(s)->connections, 1);
    assert_int_equal(weir_stack_stats(s)->half_open, 0);
    guard_free_all();
}

/* A listener that holds cannot answer before its user has; and what cannot take the least segment gets none. */
static void test_none(void **state)
{
    weir_stack_config c = world_config(1);
    weir_listen_spec spec;
    weir_handle l;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        weir_fields syn = syn_of(7);
        struct world_seen seen;
        c.half_open_max = 1;
        c.syn_cookies = i != 2;
        weir_stack *s = world_stack(&c, 0);
        memset(&spec, 0, sizeof spec);
        spec.port = 80;
        spec.hold = i == 0;
        syn.mss = i == 1 ? 87 : 1460;
        WORLD_OK(weir_stack_listen(s, &spec, &l));
        struct world_segment first = {sockets(80, 1), 5, 0, WEIR_SYN, false, 0, 0, 0, 0, 0, 0, false};
        assert_int_equal(world_inject(s, &first, 0), WEIR_OK);
        (void)world_drop_all(s, 0);
        assert_false(ask(s, &syn, &seen, 0));
        assert_int_equal(weir_stack_stats(s)->cookies_out, 0);
        guard_free_all();
    }
}

/* V05, V06: SYNs from everywhere keep the table full; honest clients connect all the same, each at once, and exchange text. */
static void test_flood_of_syns(void **state)
{
    weir_stack_config ca = world_config(1), cb = world_config(2);
    const weir_addr remote = world_host(false, 2);
    struct world w;
    uint8_t text[2048];
    size_t got;
    (void)state;
    memset(&w, 0, sizeof w);
    w.a = world_stack(&ca, 0);
    w.b = world_stack(&cb, 0);
    w.quick = true;
    (void)world_listen(w.b, 80);
    for (unsigned i = 0; i < 40000; i++) {
        struct world_segment seg = {sockets(80, (uint16_t)(1024 + i)), i, 0, WEIR_SYN, false, 0, 0, 0, 0, 0, 0, false};
        uint8_t packet[128];
        seg.tuple.local = remote;
        seg.tuple.remote = weir_addr_v4(192, 0, (uint8_t)(i >> 8), (uint8_t)i);
        (void)weir_stack_input(w.b, packet, world_packet(packet, &seg), w.now);
        while (weir_stack_poll_copy(w.b, text, sizeof text, w.now) != 0) { /* into the void; cookies are as short as SYN,ACKs */
        }
        if (i % 2000 == 1999) {
            const weir_handle a = world_connect(&w, &remote, 80);
            world_run(&w);
            assert_int_equal(weir_state(weir_stack_peek(w.a, a)), WEIR_ESTABLISHED);
            const weir_slice hello = {(const uint8_t *)"hello", 5};
            WORLD_OK(weir_send(weir_stack_conn(w.a, a), hello, WEIR_SEND_PUSH, &got, w.now));
            world_run(&w);
            const weir_handle b = world_ready(w.b, WEIR_EV_READABLE);
            WORLD_OK(weir_recv(weir_stack_conn(w.b, b), text, sizeof text, &got, w.now));
            assert_int_equal(got, 5);
            WORLD_OK(weir_stack_release(w.b, b, 0, w.now));
            WORLD_OK(weir_stack_release(w.a, a, 0, w.now));
            world_run(&w);
            world_end_round(w.b);
        }
    }
    assert_int_equal(weir_stack_stats(w.b)->half_open_peak, 16);
    assert_int_equal(weir_stack_stats(w.b)->connections_peak, 17);
    assert_int_equal(weir_stack_stats(w.b)->cookies_in, 20);
    WORLD_CHECK(w.b);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),       cmocka_unit_test(test_bits),           cmocka_unit_test(test_time),
        cmocka_unit_test(test_handshake),   cmocka_unit_test(test_plain),          cmocka_unit_test(test_options_survive),
        cmocka_unit_test(test_when),        cmocka_unit_test(test_too_late),       cmocka_unit_test(test_both),
        cmocka_unit_test(test_none),        cmocka_unit_test(test_flood_of_syns),  cmocka_unit_test(test_what_is_not_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
