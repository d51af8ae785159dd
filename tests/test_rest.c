/* test_rest.c - connections that are packed while they are idle: what they cost, that nothing is lost, and what happens when all are busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "repack.h"
#include "stack_world.h"

/* Host 2 listens at port 80 and has few working records. */
static struct world rest_world(uint32_t connections, uint32_t busy)
{
    struct world w;
    memset(&w, 0, sizeof w);
    w.now = 1000000;
    weir_stack_config a = world_config(1), b = world_config(2);
    a.connections_max = b.connections_max = connections;
    a.half_open_max = b.half_open_max = connections;
    b.busy_max = busy;
    w.a = world_stack(&a, w.now);
    w.b = world_stack(&b, w.now);
    world_listen(w.b, 80);
    return w;
}

static weir_handle rest_find(const struct world *w, weir_handle conn)
{
    const uint16_t port = weir_sockets(weir_stack_peek(w->a, conn))->local_port;
    for (weir_handle h = weir_stack_next(w->b, 0); h != 0; h = weir_stack_next(w->b, h)) {
        if (weir_sockets(weir_stack_peek(w->b, h))->remote_port == port) {
            return h;
        }
    }
    return 0;
}

static weir_handle rest_open(struct world *w, weir_handle *there)
{
    const weir_addr to = world_host(false, 2);
    const weir_handle conn = world_connect(w, &to, 80);
    world_run(w);
    world_end_round(w->b);
    *there = rest_find(w, conn);
    WORLD_OK(weir_stack_want(w->b, *there, WEIR_EV_READABLE));
    w->now += 1000;
    return conn;
}

static void rest_say(struct world *w, weir_stack *s, weir_handle conn, const char *text)
{
    const weir_slice octets = {(const uint8_t *)text, strlen(text)};
    size_t len;
    WORLD_OK(weir_send(weir_stack_conn(s, conn), octets, 0, &len, w->now));
    assert_int_equal(len, strlen(text));
    world_run(w);
}

static void rest_hear(struct world *w, weir_stack *s, weir_handle conn, const char *text)
{
    uint8_t octets[64];
    size_t len;
    WORLD_OK(weir_recv(weir_stack_conn(s, conn), octets, sizeof octets, &len, w->now));
    assert_int_equal(len, strlen(text));
    assert_memory_equal(octets, text, len);
    world_run(w);
}

/* ---- what it costs ------------------------------------------------------------------------------------------------ */

/* With twice the connections, all else equal, so much more memory: all that an idle connection costs. */
static void an_idle_connection_costs_384_octets(void **state)
{
    (void)state;
    weir_stack_config c = world_config(1);
    c.time_wait_max = 0;
    c.busy_max = 1000;
    c.ring_memory = 1 << 24;
    c.connections_max = 1000000;
    const size_t million = weir_stack_size(&c);
    c.connections_max = 1000;
    const size_t thousand = weir_stack_size(&c);
    assert_true(thousand > 0 && million > thousand);
    assert_true((million - thousand) / 999000 <= 384);
    assert_true((million - thousand) / 999000 >= sizeof(struct weiri_slot) + sizeof(struct weiri_rest) + sizeof(struct weiri_cold));
}

/* The same in TIME-WAIT: the record, its hash entry and its places in tables. */
static void a_record_of_time_wait_is_small(void **state)
{
    (void)state;
    weir_stack_config c = world_config(1);
    c.connections_max = 1000;
    c.time_wait_max = 1 << 20;
    const size_t many = weir_stack_size(&c);
    c.time_wait_max = 1 << 10;
    const size_t few = weir_stack_size(&c);
    assert_int_equal(sizeof(struct weiri_wait), 44);
    assert_int_equal((many - few) / ((1 << 20) - (1 << 10)), 46);
}

/* ---- nothing is lost ---------------------------------------------------------------------------------------------- */

/* A word of a connection may be anything: it comes back. But for what is void while it is idle. */
static void every_word_comes_back(void **state)
{
    (void)state;
    struct world w = rest_world(4, 0);
    weir_handle there;
    (void)rest_open(&w, &there);
    weir_conn c = *weir_stack_peek(w.b, there), back, blank = *w.b->blank;
    uint32_t words[sizeof c / 4], random = 1, changed = 0;
    uint8_t octets[2048];
    repack_without_rings(&c);
    memset(&c.tuple, 0, sizeof c.tuple);
    memset(&c.undo, 0, sizeof c.undo);
    c.rescue = seq_of(0);
    memset(&c.path, 0, sizeof c.path);
    for (unsigned i = sizeof(void *) / 4; i < sizeof words / 4; i++) {
        const size_t at = i * sizeof(uint32_t);
        const bool pointer = at >= offsetof(weir_conn, rx_ring) && at + 3 < offsetof(weir_conn, state);
        const bool board = at >= offsetof(weir_conn, board.sent) && at < offsetof(weir_conn, board.sent) + sizeof(void *);
        const bool undo = at >= offsetof(weir_conn, undo) && at < offsetof(weir_conn, undo) + sizeof c.undo;
        const bool prr = at >= offsetof(weir_conn, prr) && at < offsetof(weir_conn, prr) + sizeof c.prr;
        const bool tuple = at + 3 >= offsetof(weir_conn, tuple) && at < offsetof(weir_conn, tuple) + sizeof c.tuple;
        const bool recent = at >= offsetof(weir_conn, recent) && at < offsetof(weir_conn, recent) + sizeof c.recent;
        const bool path = at + 3 >= offsetof(weir_conn, path) && at < offsetof(weir_conn, path) + sizeof c.path;
        const bool rescue = at == offsetof(weir_conn, rescue);
        if (pointer || board || undo || prr || rescue || tuple || recent || path) {
            continue;
        }
        weir_conn odd = c;
        memcpy(words, &odd, sizeof words);
        random = random * 1103515245u + 12345u;
        words[i] ^= random;
        memcpy(&odd, words, sizeof odd);
        odd.flags &= ~(uint32_t)(WEIRI_RECOVERY | WEIRI_LOSS);
        odd.shift_snd &= 31; /* the gist shifts by it */
        struct weiri_gist gist;
        assert_true(weiri_pack(octets, sizeof octets, &odd, &blank) > 0);
        weiri_gist_take(&gist, &odd);
        memset(&back, 0x5a, sizeof back);
        weiri_unpack(&back, octets, &blank, &gist);
        assert_memory_equal(&back, &odd, sizeof odd);
        changed++;
    }
    assert_true(changed > 150);
    guard_free_all();
}

/* In recovery, and with a timeout that was spurious, less is void. */
static void what_is_not_void_comes_back_too(void **state)
{
    (void)state;
    struct world w = rest_world(4, 0);
    weir_handle there;
    (void)rest_open(&w, &there);
    weir_conn c = *weir_stack_peek(w.b, there), back, blank = *w.b->blank;
    uint8_t octets[2048];
    repack_without_rings(&c);
    c.undo.adapt = 1;
    c.undo.rtt.srtt8 = 12345;
    c.prr.out = 77;
    c.rescue = seq_of(78);
    c.flags |= WEIRI_RECOVERY;
    c.path.row[c.path.count - 1] = 99;
    struct weiri_gist gist;
    assert_true(weiri_pack(octets, sizeof octets, &c, &blank) > 0);
    weiri_gist_take(&gist, &c);
    weiri_unpack(&back, octets, &blank, &gist);
    assert_memory_equal(&back.undo, &c.undo, sizeof c.undo);
    assert_memory_equal(&back.prr, &c.prr, sizeof c.prr);
    assert_int_equal(back.rescue.v, 78);
    assert_memory_equal(back.path.row, c.path.row, c.path.count);
    guard_free_all();
}

/* A record too short is refused whole, at any length. */
static void what_does_not_fit_is_not_packed(void **state)
{
    (void)state;
    struct world w = rest_world(4, 0);
    weir_handle there;
    (void)rest_open(&w, &there);
    weir_conn c = *weir_stack_peek(w.b, there);
    uint8_t octets[1024];
    repack_without_rings(&c);
    const size_t len = weiri_pack(octets, sizeof octets, &c, w.b->blank);
    assert_true(len > 64 && len <= WEIRI_COLD_OCTETS);
    for (size_t cap = 16; cap < len; cap++) {
        memset(octets, 0xa5, sizeof octets);
        assert_int_equal(weiri_pack(octets, cap, &c, w.b->blank), 0);
        assert_int_equal(octets[cap], 0xa5);
    }
    assert_int_equal(weiri_pack(octets, len, &c, w.b->blank), len);
    guard_free_all();
}

/* Forty connections on four working records: each is asked and answers, again and again; nothing goes twice and nothing is refused. */
static void forty_live_on_four_records(void **state)
{
    (void)state;
    enum { MANY = 40 };
    struct world w = rest_world(MANY, 4);
    weir_handle conn[MANY], there[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        conn[i] = rest_open(&w, &there[i]);
        assert_true(there[i] != 0);
        WORLD_OK(weir_stack_set_tag(w.b, there[i], i));
    }
    assert_true(weir_stack_stats(w.b)->busy <= 4);
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < MANY; i++) {
            rest_say(&w, w.a, conn[i], "question");
            weir_ready r;
            assert_true(weir_stack_ready(w.b, &r));
            assert_true(r.conn == there[i]);
            assert_int_equal(r.tag, i);
            assert_int_equal(r.events & WEIR_EV_READABLE, WEIR_EV_READABLE);
            rest_hear(&w, w.b, there[i], "question");
            rest_say(&w, w.b, there[i], "answer");
            rest_hear(&w, w.a, conn[i], "answer");
            world_end_round(w.b);
            w.now += 1000;
        }
    }
    const weir_stats *s = weir_stack_stats(w.b);
    assert_int_equal(s->busy_peak, 4);
    assert_true(s->unpacked >= 3 * (MANY - 4));
    assert_int_equal(s->busy_missed, 0);
    assert_int_equal(s->retransmitted + weir_stack_stats(w.a)->retransmitted, 0);
    for (unsigned i = 0; i < MANY; i++) {
        WORLD_OK(weir_stack_release(w.b, there[i], WEIR_FOREVER, w.now));
        world_run(&w);
        WORLD_OK(weir_stack_release(w.a, conn[i], WEIR_FOREVER, w.now));
        world_run(&w);
        w.now += 1000;
    }
    world_pass(&w, 120000000);
    world_expect_empty(w.a);
    world_expect_empty(w.b);
    guard_free_all();
}

/* Keepalive goes on while a connection is packed, and finds out that the peer is gone. */
static void a_packed_connection_keeps_its_timers(void **state)
{
    (void)state;
    struct world w = rest_world(8, 4);
    weir_handle conn[6], there[6];
    for (unsigned i = 0; i < 6; i++) {
        conn[i] = rest_open(&w, &there[i]);
        weir_set_keepalive(weir_stack_conn(w.b, there[i]), true, w.now);
    }
    world_run(&w);
    (void)conn;
    assert_true(slot_is_packed(w.b, 0));
    const uint64_t sent = weir_stack_stats(w.b)->packets_out;
    world_pass(&w, WEIRI_KEEPALIVE_IDLE_US + 10000000);
    assert_true(weir_stack_stats(w.b)->packets_out >= sent + 6);
    assert_int_equal(weir_state(weir_stack_peek(w.b, there[0])), WEIR_ESTABLISHED);
    for (weir_us hours = 0; hours < 4; hours++) { /* nobody carries packets any more */
        w.now += (weir_us)3600 * 1000000;
        for (unsigned again = 0; again < 20; again++) {
            weir_stack_expire(w.b, w.now);
            (void)world_drop_all(w.b, w.now);
            w.now += 76000000;
        }
    }
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(weir_error(weir_stack_peek(w.b, there[i])), WEIR_ERR_TIMEOUT);
    }
    WORLD_CHECK(w.b);
    guard_free_all();
}

/* ---- all are busy ------------------------------------------------------------------------------------------------- */

/* Four records, all with octets that nobody has read: who is packed is not lost, only late, and newcomers wait. */
static void when_all_are_busy_the_others_wait(void **state)
{
    (void)state;
    struct world w = rest_world(8, 4);
    weir_handle conn[6], there[6];
    for (unsigned i = 0; i < 6; i++) {
        conn[i] = rest_open(&w, &there[i]);
    }
    for (unsigned i = 2; i < 6; i++) {
        rest_say(&w, w.a, conn[i], "text");
    }
    assert_int_equal(weir_stack_stats(w.b)->busy, 4);
    rest_say(&w, w.a, conn[0], "text"); /* as if lost */
    assert_true(slot_is_packed(w.b, 0));
    assert_int_equal(weir_stack_stats(w.b)->verdicts[WEIR_NO_ROOM], 1);
    assert_null(weir_stack_conn(w.b, there[1]));
    assert_non_null(weir_stack_peek(w.b, there[1]));
    assert_int_equal(weir_stack_release(w.b, there[1], 0, w.now), WEIR_ERR_RESOURCES);
    WORLD_OK(weir_stack_want(w.b, there[1], WEIR_EV_WRITABLE));
    const weir_addr to = world_host(false, 2);
    (void)world_connect(&w, &to, 80);
    world_run(&w);
    assert_int_equal(weir_stack_stats(w.b)->verdicts[WEIR_NO_ROOM], 2);
    assert_true(weir_stack_stats(w.b)->busy_missed >= 3);
    rest_hear(&w, w.b, there[2], "text");
    rest_hear(&w, w.b, there[3], "text");
    world_end_round(w.b);
    world_pass(&w, 5000000); /* the text comes again, and the user may write */
    rest_hear(&w, w.b, there[0], "text");
    assert_non_null(weir_stack_conn(w.b, there[1]));
    WORLD_CHECK(w.b);
    guard_free_all();
}

/* Newcomers leave a quarter of the records to those that exist. */
static void newcomers_do_not_take_all_records(void **state)
{
    (void)state;
    struct world w = rest_world(16, 8);
    struct world_segment syn;
    memset(&syn, 0, sizeof syn);
    syn.tuple.local = world_host(false, 2);
    syn.tuple.remote = world_host(false, 1);
    syn.tuple.local_port = 80;
    syn.flags = WEIR_SYN;
    for (uint16_t i = 0; i < 12; i++) {
        syn.tuple.remote_port = (uint16_t)(1000 + i);
        (void)world_inject(w.b, &syn, w.now);
    }
    assert_int_equal(weir_stack_stats(w.b)->busy, 6);
    assert_int_equal(weir_stack_stats(w.b)->verdicts[WEIR_NO_ROOM], 6);
    guard_free_all();
}

/* The user may take in hand more connections than there are records: what was handed out before is settled then. */
static void the_user_may_look_at_them_all(void **state)
{
    (void)state;
    struct world w = rest_world(16, 4);
    weir_handle conn[12], there[12];
    for (unsigned i = 0; i < 12; i++) {
        conn[i] = rest_open(&w, &there[i]);
    }
    for (unsigned i = 0; i < 12; i++) {
        const weir_conn *c = weir_stack_conn(w.b, there[i]);
        assert_non_null(c);
        assert_int_equal(weir_sockets(c)->remote_port, weir_sockets(weir_stack_peek(w.a, conn[i]))->local_port);
    }
    assert_int_equal(weir_stack_stats(w.b)->busy_missed, 0);
    WORLD_CHECK(w.b);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_costs_384_octets),
        cmocka_unit_test(a_record_of_time_wait_is_small),
        cmocka_unit_test(every_word_comes_back),
        cmocka_unit_test(what_is_not_void_comes_back_too),
        cmocka_unit_test(what_does_not_fit_is_not_packed),
        cmocka_unit_test(forty_live_on_four_records),
        cmocka_unit_test(a_packed_connection_keeps_its_timers),
        cmocka_unit_test(when_all_are_busy_the_others_wait),
        cmocka_unit_test(newcomers_do_not_take_all_records),
        cmocka_unit_test(the_user_may_look_at_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
