/* test_lend.c - the rings of a stack: the store that they come from, who gets larger ones, and from whom they are taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

/* ---- the store --------------------------------------------------------------------------------------------------- */

enum { LEND_UNITS = 1000 };

/* Against a map of units: pieces are aligned, do not overlap, and everything becomes one again. */
static void pieces_never_overlap_and_join_again(void **state)
{
    (void)state;
    static uint32_t next[LEND_UNITS], prev[LEND_UNITS];
    static uint8_t tag[LEND_UNITS], taken[LEND_UNITS];
    struct {
        uint32_t at;
        unsigned order;
    } held[64];
    struct weiri_store m;
    memset(&m, 0, sizeof m);
    memset(tag, 0xa5, sizeof tag); /* nothing need be prepared */
    m.next = next;
    m.prev = prev;
    m.tag = tag;
    m.unit = 1;
    m.units = LEND_UNITS;
    weiri_store_init(&m);
    uint32_t random = 7, count = 0, refused = 0;
    for (unsigned step = 0; step < 20000; step++) {
        random = random * 1103515245u + 12345u;
        if (count < 64 && random >> 31) {
            unsigned order = (random >> 16) % 9;
            uint32_t at = weiri_store_take(&m, order);
            if (at == WEIRI_NONE) {
                assert_true(order > 0 || m.used == LEND_UNITS); /* a unit there is while any is free */
                refused++;
                continue;
            }
            assert_int_equal(at & ((1u << order) - 1), 0);
            assert_true(at + (1u << order) <= LEND_UNITS);
            for (uint32_t i = at; i < at + (1u << order); i++) {
                assert_int_equal(taken[i], 0);
                taken[i] = 1;
            }
            held[count].order = order;
            held[count++].at = at;
        } else if (count > 0) {
            uint32_t which = (random >> 8) % count;
            memset(taken + held[which].at, 0, 1u << held[which].order);
            weiri_store_give(&m, held[which].at);
            held[which] = held[--count];
        }
        assert_true(weiri_store_check(&m));
    }
    assert_true(refused > 0);
    while (count > 0) {
        weiri_store_give(&m, held[--count].at);
    }
    assert_int_equal(m.used, 0);
    assert_true(weiri_store_check(&m));
    assert_true(weiri_store_take(&m, 9) == 0); /* half of it is whole again */
    for (unsigned i = 0; i < LEND_UNITS - 512; i++) {
        assert_true(weiri_store_take(&m, 0) != WEIRI_NONE);
    }
    assert_true(weiri_store_take(&m, 0) == WEIRI_NONE);
}

static void the_order_is_the_smallest_that_fits(void **state)
{
    (void)state;
    struct weiri_store m;
    m.unit = 1000;
    assert_int_equal(weiri_store_order(&m, 1), 0);
    assert_int_equal(weiri_store_order(&m, 1000), 0);
    assert_int_equal(weiri_store_order(&m, 1001), 1);
    assert_int_equal(weiri_store_order(&m, 8000), 3);
    assert_int_equal(weiri_store_order(&m, (uint64_t)1000 << 24), 24);
    assert_int_equal(weiri_store_order(&m, ((uint64_t)1000 << 24) + 1), WEIRI_STORE_ORDERS);
}

/* ---- two stacks -------------------------------------------------------------------------------------------------- */

enum { LEND_RTT = 10000 };

static uint64_t lend_unit(const weir_stack_config *c)
{
    return (weir_buffers_size(c->rings) + 63) & ~(uint64_t)63;
}

/* Host 2 listens at port 80 with memory for so many first rings. */
static struct world lend_world(uint64_t units, uint32_t connections, uint32_t most)
{
    struct world w;
    memset(&w, 0, sizeof w);
    w.now = 1000000;
    weir_stack_config a = world_config(1), b = world_config(2);
    a.connections_max = b.connections_max = connections;
    a.half_open_max = b.half_open_max = connections;
    a.tcp.tx_max = b.tcp.rx_max = b.tcp.tx_max = most;
    a.tcp.pacing = b.tcp.pacing = WEIR_PACING_OFF; /* a round trip is one step of time */
    a.ring_memory = 64 * (uint64_t)connections * lend_unit(&a);
    b.ring_memory = units * lend_unit(&b);
    w.a = world_stack(&a, w.now);
    w.b = world_stack(&b, w.now);
    world_listen(w.b, 80);
    return w;
}

static weir_addr lend_there(void)
{
    return world_host(false, 2);
}

/* A connection of host 1, and what host 2 calls it. */
static weir_handle lend_open(struct world *w, weir_handle *there)
{
    weir_addr to = lend_there();
    weir_handle conn = world_connect(w, &to, 80);
    world_run(w);
    world_end_round(w->b);
    *there = 0;
    for (weir_handle h = weir_stack_next(w->b, 0); h != 0; h = weir_stack_next(w->b, h)) {
        const weir_conn *c = weir_stack_peek(w->b, h);
        if (weir_sockets(c)->remote_port == weir_sockets(weir_stack_peek(w->a, conn))->local_port) {
            *there = h;
        }
    }
    return conn;
}

/* One round trip of a transfer: host 1 writes what fits, host 2 reads it if it shall. */
static void lend_round(struct world *w, weir_handle from, weir_handle to, bool read)
{
    static uint8_t octets[1 << 16];
    weir_conn *c = weir_stack_conn(w->a, from);
    size_t len;
    if (c != NULL) {
        for (uint8_t *room = weir_tx_reserve(c, &len); len > 0; room = weir_tx_reserve(c, &len)) {
            memset(room, 'y', len);
            WORLD_OK(weir_tx_commit(c, len, 0, w->now));
        }
    }
    world_carry(w, w->a, w->b);
    c = read ? weir_stack_conn(w->b, to) : NULL;
    for (size_t got = 1; c != NULL && got > 0;) {
        WORLD_OK(weir_recv(c, octets, sizeof octets, &got, w->now));
    }
    w->now += LEND_RTT;
    world_carry(w, w->b, w->a);
    weir_stack_expire(w->a, w->now);
    weir_stack_expire(w->b, w->now);
}

/* A fast transfer gets larger rings at both ends; when both have gone, all is as it was. */
static void the_busy_get_larger_rings(void **state)
{
    (void)state;
    struct world w = lend_world(1024, 16, 1 << 20);
    weir_handle there, conn = lend_open(&w, &there);
    for (unsigned round = 0; round < 60; round++) {
        lend_round(&w, conn, there, true);
    }
    assert_true(weir_stack_peek(w.b, there)->rx_size >= 1 << 18);
    assert_true(weir_stack_peek(w.a, conn)->tx_size >= 1 << 16);
    assert_int_equal(weir_stack_peek(w.b, there)->tx_size, 4096);
    assert_true(weir_stack_stats(w.b)->rings_grown >= 4);
    assert_true(weir_stack_stats(w.b)->ring_octets_peak <= weir_stack_get_config(w.b)->ring_memory);
    WORLD_OK(weir_stack_release(w.a, conn, 0, w.now));
    WORLD_OK(weir_stack_release(w.b, there, 0, w.now));
    world_run(&w);
    world_expect_empty(w.a);
    world_expect_empty(w.b);
    assert_int_equal(weir_stack_stats(w.b)->ring_octets, 0);
    guard_free_all();
}

/* Who sends what nobody reads gets nothing more. */
static void the_unread_get_no_larger_rings(void **state)
{
    (void)state;
    struct world w = lend_world(1024, 16, 1 << 20);
    weir_handle there, conn = lend_open(&w, &there);
    for (unsigned round = 0; round < 60; round++) {
        lend_round(&w, conn, there, false);
    }
    assert_int_equal(weir_stack_peek(w.b, there)->rx_size, 4096);
    assert_int_equal(weir_stack_stats(w.b)->rings_grown, 0);
    guard_free_all();
}

/* A thousand connections that all ask for as much as they can: what is configured is what is used, and a newcomer still gets in. */
static void a_thousand_that_want_all_get_what_is_there(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static weir_handle conn[MANY], there[MANY];
    struct world w = lend_world(2 * (MANY + 1), MANY + 1, 1 << 20);
    w.quick = true;
    for (unsigned i = 0; i < MANY; i++) {
        conn[i] = lend_open(&w, &there[i]);
        assert_true(there[i] != 0);
    }
    const uint64_t memory = weir_stack_get_config(w.b)->ring_memory;
    for (unsigned round = 0; round < 12; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            lend_round(&w, conn[i], there[i], true);
            w.now -= i + 1 < MANY ? LEND_RTT - 5 : 0; /* all within one round trip */
        }
        WORLD_CHECK(w.b);
    }
    const weir_stats *s = weir_stack_stats(w.b);
    assert_true(s->rings_grown > 0 && s->rings_refused > 0);
    assert_true(s->ring_octets <= memory && s->ring_octets_peak <= memory);
    weir_handle late;
    lend_open(&w, &late);
    assert_true(late != 0 && weir_stack_peek(w.b, late)->rx_size == 4096);
    assert_int_equal(s->verdicts[WEIR_NO_ROOM], 0);
    guard_free_all();
}

/* Memory for four connections, and eight of them: the idle hold none, and get some again when they are spoken to. */
static void the_idle_lend_their_rings_to_others(void **state)
{
    (void)state;
    struct world w = lend_world(4, 8, 0);
    weir_handle conn[8], there[8];
    for (unsigned i = 0; i < 8; i++) {
        conn[i] = lend_open(&w, &there[i]);
        assert_true(there[i] != 0);
        assert_int_equal(weir_state(weir_stack_peek(w.a, conn[i])), WEIR_ESTABLISHED);
        w.now += 1000;
    }
    assert_int_equal(weir_stack_stats(w.b)->rings_reclaimed, 4);
    assert_int_equal(weir_stack_peek(w.b, there[0])->rx_size, 0); /* quiet for longest */
    assert_int_equal(weir_stack_peek(w.b, there[7])->rx_size, 4096);
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < 8; i++) { /* one after the other asks and is answered */
            size_t len, got = 0;
            uint8_t text[64];
            weir_slice question = {(const uint8_t *)"question", 8}, answer = {(const uint8_t *)"answer", 6};
            WORLD_OK(weir_send(weir_stack_conn(w.a, conn[i]), question, 0, &len, w.now));
            world_run(&w);
            WORLD_OK(weir_recv(weir_stack_conn(w.b, there[i]), text, sizeof text, &got, w.now));
            assert_int_equal(got, 8);
            WORLD_OK(weir_send(weir_stack_conn(w.b, there[i]), answer, 0, &len, w.now));
            assert_int_equal(len, 6);
            world_run(&w);
            WORLD_OK(weir_recv(weir_stack_conn(w.a, conn[i]), text, sizeof text, &got, w.now));
            assert_int_equal(got, 6);
            w.now += 1000;
        }
    }
    assert_int_equal(weir_stack_stats(w.b)->rings_missing, 0);
    assert_int_equal(weir_stack_stats(w.b)->retransmitted + weir_stack_stats(w.a)->retransmitted, 0);
    assert_int_equal(weir_stack_peek(w.b, there[0])->tx_size, 0);
    WORLD_OK(weir_stack_release(w.b, there[0], WEIR_FOREVER, w.now)); /* FIN too needs a ring for a while */
    world_run(&w);
    assert_int_equal(weir_state(weir_stack_peek(w.a, conn[0])), WEIR_CLOSE_WAIT);
    for (unsigned i = 1; i < 8; i++) {
        WORLD_OK(weir_close(weir_stack_conn(w.b, there[i]), w.now));
        world_run(&w);
        assert_int_equal(weir_state(weir_stack_peek(w.b, there[i])), WEIR_FIN_WAIT_2);
    }
    guard_free_all();
}

/* All memory holds text that is not read: others wait, are not forgotten, and nothing is lost for good. */
static void who_finds_none_waits(void **state)
{
    (void)state;
    struct world w = lend_world(2, 4, 0);
    weir_handle conn[3], there[3];
    weir_slice text = {(const uint8_t *)"text", 4};
    uint8_t octets[64];
    size_t len, got;
    for (unsigned i = 0; i < 3; i++) {
        conn[i] = lend_open(&w, &there[i]);
        w.now += 1000;
    }
    for (unsigned i = 1; i < 3; i++) { /* both rings hold something now */
        WORLD_OK(weir_send(weir_stack_conn(w.a, conn[i]), text, 0, &len, w.now));
    }
    world_run(&w);
    WORLD_OK(weir_send(weir_stack_conn(w.a, conn[0]), text, 0, &len, w.now));
    world_run(&w);
    assert_int_equal(weir_stack_stats(w.b)->rings_missing, 1);
    assert_int_equal(weir_stack_peek(w.b, there[0])->rx_size, 0);
    WORLD_OK(weir_stack_want(w.b, there[0], WEIR_EV_WRITABLE));
    weir_tx_reserve(weir_stack_conn(w.b, there[0]), &len);
    assert_int_equal(len, 0);
    world_end_round(w.b);
    weir_addr to = lend_there();
    (void)world_connect(&w, &to, 80); /* not answered: no room */
    world_run(&w);
    assert_int_equal(weir_stack_stats(w.b)->verdicts[WEIR_NO_ROOM], 1);
    WORLD_OK(weir_recv(weir_stack_conn(w.b, there[1]), octets, sizeof octets, &got, w.now));
    assert_int_equal(got, 4);
    w.now += 1000;
    weir_stack_expire(w.b, w.now); /* now there is one for it */
    weir_ready r;
    bool told = false;
    while (weir_stack_ready(w.b, &r)) {
        told = told || (r.conn == there[0] && (r.events & WEIR_EV_WRITABLE) != 0);
    }
    assert_true(told);
    WORLD_CHECK(w.b);
    world_pass(&w, 5000000); /* the text comes again */
    WORLD_OK(weir_recv(weir_stack_conn(w.b, there[0]), octets, sizeof octets, &got, w.now));
    assert_int_equal(got, 4);
    guard_free_all();
}

/* Who may write and has not yet is not idle: its rings stay. */
static void who_waits_to_write_keeps_its_rings(void **state)
{
    (void)state;
    struct world w = lend_world(2, 4, 0);
    weir_handle conn, there[3];
    (void)lend_open(&w, &there[0]);
    WORLD_OK(weir_stack_want(w.b, there[0], WEIR_EV_WRITABLE));
    w.now += 1000;
    for (unsigned i = 1; i < 3; i++) {
        conn = lend_open(&w, &there[i]);
        assert_int_equal(weir_state(weir_stack_peek(w.a, conn)), WEIR_ESTABLISHED);
        w.now += 1000;
    }
    assert_int_equal(weir_stack_peek(w.b, there[0])->rx_size, 4096);
    assert_int_equal(weir_stack_peek(w.b, there[1])->rx_size, 0);
    guard_free_all();
}

/* One path asks for more than half of what is free, and gets as much as there is. */
static void a_large_wish_is_granted_in_part(void **state)
{
    (void)state;
    struct world w = lend_world(64, 4, 1 << 20);
    weir_handle there, conn = lend_open(&w, &there);
    for (unsigned round = 0; round < 80; round++) {
        lend_round(&w, conn, there, true);
    }
    assert_in_range(weir_stack_peek(w.b, there)->rx_size, 1 << 16, 1 << 18);
    assert_int_equal(w.b->store.used, 16); /* of 64: twice that would be more than half of what is free */
    assert_true(weir_stack_stats(w.b)->rings_refused > 0);
    assert_true(weir_stack_stats(w.b)->ring_octets <= weir_stack_get_config(w.b)->ring_memory);
    guard_free_all();
}

/* Twice the memory of all first rings: whatever four of them have grown to, the others get theirs, and nobody's are taken for it. */
static void first_rings_are_kept_back(void **state)
{
    (void)state;
    struct world w = lend_world(64, 32, 1 << 20);
    weir_handle conn[4], there[4], late;
    for (unsigned i = 0; i < 4; i++) {
        conn[i] = lend_open(&w, &there[i]);
        for (unsigned round = 0; round < 40; round++) {
            lend_round(&w, conn[i], there[i], true);
        }
    }
    assert_true(weir_stack_stats(w.b)->rings_refused > 0);
    const uint64_t before = weir_stack_stats(w.b)->rings_reclaimed;
    for (unsigned i = 4; i < 32; i++) {
        (void)lend_open(&w, &late);
        assert_true(late != 0 && weir_stack_peek(w.b, late)->rx_size == 4096);
    }
    assert_int_equal(weir_stack_stats(w.b)->rings_reclaimed, before);
    guard_free_all();
}

static void memory_for_rings_is_what_is_configured(void **state)
{
    (void)state;
    weir_stack_config c = world_config(1);
    const uint64_t unit = lend_unit(&c);
    const size_t plain = weir_stack_size(&c);
    c.ring_memory = c.connections_max * unit;
    assert_int_equal(weir_stack_size(&c), plain);
    c.ring_memory = 4 * unit;
    assert_true(weir_stack_size(&c) < plain - 59 * unit && weir_stack_size(&c) > 4 * unit);
    c.ring_memory = unit;
    assert_true(weir_stack_size(&c) > 0);
    c.ring_memory = unit - 1;
    assert_int_equal(weir_stack_size(&c), 0);
    c.ring_memory = UINT64_MAX;
    assert_int_equal(weir_stack_size(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_never_overlap_and_join_again),
        cmocka_unit_test(the_order_is_the_smallest_that_fits),
        cmocka_unit_test(the_busy_get_larger_rings),
        cmocka_unit_test(the_unread_get_no_larger_rings),
        cmocka_unit_test(a_thousand_that_want_all_get_what_is_there),
        cmocka_unit_test(the_idle_lend_their_rings_to_others),
        cmocka_unit_test(who_finds_none_waits),
        cmocka_unit_test(who_waits_to_write_keeps_its_rings),
        cmocka_unit_test(a_large_wish_is_granted_in_part),
        cmocka_unit_test(first_rings_are_kept_back),
        cmocka_unit_test(memory_for_rings_is_what_is_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
