/* test_stack_check.c - the stack's checker sees damage: every word of its bookkeeping, spoilt once, is missed by somebody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

/* With one more of `what` than there is. */
#define WORLD_DAMAGE_2(what, says)                         \
    do {                                                   \
        (what)++;                                          \
        assert_string_equal(weir_stack_check(s), (says));  \
        (what)--;                                          \
    } while (0)

static weir_tuple tuple_of(uint16_t local_port, uint16_t remote_port)
{
    weir_tuple t;
    t.local = world_host(false, 1);
    t.remote = world_host(false, 2);
    t.local_port = local_port;
    t.remote_port = remote_port;
    return t;
}

/* Slots 0 and 1: connecting, their SYN sent; 2: connecting, its SYN not yet sent; 3: half-open; 4: free, once used. Two TIME-WAIT
 * records and two listeners. */
static weir_stack *stack_with_everything(void)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 1000000);
    weir_tuple t = tuple_of(0, 80);
    struct world_segment seg;
    weir_handle conn;
    WORLD_OK(weir_stack_connect(s, &t, &conn, 1000000));
    WORLD_OK(weir_stack_connect(s, &t, &conn, 1000500));
    (void)world_drop_all(s, 1000500);
    (void)world_listen(s, 80);
    (void)world_listen(s, 81);
    WORLD_OK(weir_stack_connect(s, &t, &conn, 1000500));
    memset(&seg, 0, sizeof seg);
    seg.tuple = tuple_of(80, 4000);
    seg.flags = WEIR_SYN;
    assert_int_equal(world_inject(s, &seg, 1000500), WEIR_OK);
    t.remote_port = 90;
    WORLD_OK(weir_stack_connect(s, &t, &conn, 1000500));
    for (uint16_t port = 5000; port < 5002; port++) {
        weir_conn old = s->works[0].conn;
        old.tuple = tuple_of(80, port);
        old.life_at = 31000000;
        assert_true(weiri_wait_add(s, &old));
    }
    WORLD_OK(weir_stack_release(s, conn, 0, 1000500));
    WORLD_CHECK(s);
    assert_int_equal(weir_stack_stats(s)->connections, 4);
    return s;
}


static void test_slots_and_lists(void **state)
{
    weir_stack *s = stack_with_everything();
    (void)state;
    WORLD_DAMAGE(s->slot_pool.used, 5, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.used, 3, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.fresh, 65, "stack: a pool is not in order");
    WORLD_DAMAGE(s->slot_pool.fresh, 65, "stack: a pool is not in order");
    WORLD_DAMAGE(s->slot_pool.free, 63, "stack: a pool is not in order");
    WORLD_DAMAGE(s->slot_pool.next[4], 4, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.heads[1], 1, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.heads[0], 60, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.tag[s->store.heads[0]], 0, "stack: a pool is not in order");
    WORLD_DAMAGE(s->store.prev[s->store.heads[0]], 1, "stack: a pool is not in order");
    WORLD_DAMAGE(s->answers.echo_count, WEIRI_ECHOES + 1, "stack: more replies than there is room");
    WORLD_DAMAGE(s->out.head, 0, "stack: a list is broken");
    WORLD_DAMAGE(s->out.count, 1, "stack: a list is broken");
    WORLD_DAMAGE(s->out.tail, 2, "stack: a list is broken");
    WORLD_DAMAGE(s->slots[3].link[WEIRI_LIST_OUT].prev, 0, "stack: a list is broken");
    WORLD_DAMAGE(s->answers.count, WEIRI_ANSWERS + 1, "stack: more replies than there is room");
    WORLD_DAMAGE(s->stats.half_open, 17, "stack: too many half-open connections");
    WORLD_DAMAGE(s->slots[4].flags, WEIRI_SLOT_SHOWN, "slot: free, and still in a list or armed");
    WORLD_DAMAGE(s->slots[4].lists, 1, "slot: free, and still in a list or armed");
    WORLD_DAMAGE(s->wheel.nodes[4].next, 4, "slot: free, and still in a list or armed");
    WORLD_DAMAGE(s->works[0].block, 60, "slot: rings that were not lent to it, or another's configuration");
    WORLD_DAMAGE(s->works[0].block, 1, "slot: rings that were not lent to it, or another's configuration");
    WORLD_DAMAGE(s->works[0].block, WEIRI_NONE, "slot: rings that were not lent to it, or another's configuration");
    WORLD_DAMAGE(s->works[0].conn.cfg, NULL, "slot: rings that were not lent to it, or another's configuration");
    WORLD_DAMAGE(s->spare.count, 9, "stack: a list is broken");
    WORLD_DAMAGE(s->needy.head, 0, "stack: a list is broken");
    WORLD_DAMAGE(s->stats.ring_octets, s->stats.ring_octets + 1, "stack: the rings lent and the memory they take do not add up");
    WORLD_DAMAGE(s->stats.busy, 5, "stack: connections and records do not add up");
    WORLD_DAMAGE(s->work_pool.used, 3, "stack: a pool is not in order");
    WORLD_DAMAGE(s->holders, 1, "stack: the rings lent and the memory they take do not add up");
    WORLD_DAMAGE(s->stats.ring_octets, 1, "stack: the rings lent and the memory they take do not add up");
    WORLD_DAMAGE(s->works[0].conn.tuple.local_port, 1, "demux: a record is in the wrong chain");
    WORLD_DAMAGE(s->slots[3].flags, (uint8_t)(s->slots[3].flags & ~WEIRI_SLOT_HALF), "slot: half-open and the listener does not know it");
    WORLD_DAMAGE(s->slots[0].flags, (uint8_t)(s->slots[0].flags & ~WEIRI_SLOT_LINKED), "demux: a slot in a chain does not know it");
    WORLD_DAMAGE(s->works[0].conn.rexmt_at, 1500000, "slot: its timer would come too late");
    WORLD_DAMAGE(s->slots[2].want, 0x7fff, "slot: on the ready list without news, or the other way round");
    WORLD_DAMAGE(s->works[3].conn.state, WEIR_ESTABLISHED, "slot: what it last told is not what is true");
    WORLD_DAMAGE(s->slots[3].events, 0x7fff, "slot: what it last told is not what is true");
    WORLD_DAMAGE(s->works[0].conn.flags, s->works[0].conn.flags | WEIRI_SYN_DUE, "slot: not queued with output, or queued without");
    WORLD_DAMAGE(s->works[2].conn.flags, s->works[2].conn.flags & ~(uint32_t)WEIRI_SYN_DUE, "slot: not queued with output, or queued without");
    WORLD_DAMAGE(s->works[0].conn.state, WEIR_LISTEN, "slot: found by its sockets when CLOSED, or not found when open");
    WORLD_DAMAGE(s->works[3].conn.state, WEIR_SYN_SENT, "slot: half-open in another state");
    WORLD_DAMAGE(s->stats.connections, 5, "stack: connections and records do not add up");
    WORLD_DAMAGE(s->stats.half_open, 2, "stack: timers or half-open connections do not add up");
    guard_free_all();
}

/* Each of a sum's two sides is right by itself, and they are not the same. */
static void test_sums(void **state)
{
    weir_stack *s = stack_with_everything();
    (void)state;
    memset(&s->slots[s->slot_pool.fresh], 0, sizeof s->slots[0]); /* which nobody has had yet */
    s->slot_pool.used++;
    WORLD_DAMAGE_2(s->slot_pool.fresh, "stack: connections and records do not add up");
    s->slot_pool.used--;
    s->work_pool.used++;
    WORLD_DAMAGE_2(s->work_pool.fresh, "stack: connections and records do not add up");
    s->work_pool.used--;
    s->store.used++;
    WORLD_DAMAGE_2(s->store.fresh, "stack: the rings lent and the memory they take do not add up");
    s->store.used--;
    weiri_wheel_arm(&s->wheel, 40, 5000000);
    assert_string_equal(weir_stack_check(s), "stack: timers or half-open connections do not add up");
    weiri_wheel_cancel(&s->wheel, 40);
    const weir_us at = s->wheel.nodes[0].at;
    weiri_wheel_cancel(&s->wheel, 0);
    assert_string_equal(weir_stack_check(s), "slot: its timer would come too late");
    weiri_wheel_arm(&s->wheel, 0, at);
    WORLD_CHECK(s);
    guard_free_all();
}

/* A free record of TIME-WAIT that comes before itself. */
static void test_free_waits(void **state)
{
    weir_stack *s = stack_with_everything();
    (void)state;
    weiri_wait_remove(s, 1);
    WORLD_CHECK(s);
    assert_int_equal(s->wait_free, 1);
    s->waits[1].next = 1;
    assert_string_equal(weir_stack_check(s), "timewait: the free records are not in order");
    guard_free_all();
}

static void test_wheel(void **state)
{
    weir_stack *s = stack_with_everything();
    struct weiri_wheel *w = &s->wheel;
    unsigned level = 0, slot = 0;
    (void)state;
    while (w->slots[level] == 0) {
        level++;
    }
    while (w->heads[level][slot] == WEIRI_NONE) {
        slot++;
    }
    const uint32_t head = w->heads[level][slot];
    WORLD_DAMAGE(w->levels, 0, "wheel: a level and its bit disagree");
    WORLD_DAMAGE(w->heads[level][slot], WEIRI_NONE, "wheel: a slot and its bit disagree");
    WORLD_DAMAGE(w->heads[level][slot], 64, "wheel: a ring leaves the nodes");
    WORLD_DAMAGE(w->nodes[head].at, w->nodes[head].at + ((weir_us)1 << (6 * level)), "wheel: a node is in the wrong slot");
    WORLD_DAMAGE(w->nodes[head].at, w->nodes[head].at + ((weir_us)1 << 40), "wheel: a node is in the wrong slot");
    WORLD_DAMAGE(w->nodes[head].at, 0, "wheel: a node is in the wrong slot");
    WORLD_DAMAGE(w->nodes[head].prev, 63, "wheel: a ring is broken");
    WORLD_DAMAGE(w->armed, w->armed + 1, "wheel: the count of armed timers is wrong");
    guard_free_all();
}

static void test_demux_and_listeners(void **state)
{
    weir_stack *s = stack_with_everything();
    uint32_t bucket = 0;
    (void)state;
    while (s->listener_heads[bucket] != 0) {
        bucket++;
    }
    WORLD_DAMAGE(*weiri_demux_head(&s->demux, s->demux.nodes[0].hash), 1000, "demux: a chain leaves the records or does not end");
    WORLD_DAMAGE(s->demux.nodes[0].next, 0, "demux: a chain leaves the records or does not end");
    WORLD_DAMAGE(s->demux.count, 7, "demux: the count is wrong");
    WORLD_DAMAGE(s->listeners[0].live, false, "listen: a chain holds what is no listener, or does not end");
    WORLD_DAMAGE(s->listeners[0].reach, 5, "listen: a listener is in the wrong chain");
    WORLD_DAMAGE(s->listeners[0].half.count, 2, "listen: half-open connections are not in order");
    WORLD_DAMAGE(s->listeners[0].spec.backlog, 0, "listen: half-open connections are not in order");
    WORLD_DAMAGE(s->stats.listeners, 3, "listen: a count is wrong");
    WORLD_DAMAGE(s->listener_pool.used, 3, "listen: a count is wrong");
    WORLD_DAMAGE(s->listener_pool.fresh, 3, "listen: the pool is not in order");
    guard_free_all();
}

/* A slot in the table that does not know it, and a record in the wrong chain. */
static void test_demux_nodes(void **state)
{
    weir_stack *s = stack_with_everything();
    (void)state;
    weiri_demux_insert(s, 4);
    assert_string_equal(weir_stack_check(s), "demux: a slot in a chain does not know it");
    weiri_demux_remove(s, 4);
    WORLD_CHECK(s);
    weiri_demux_remove(s, 0);
    assert_string_equal(weir_stack_check(s), "slot: cannot be found by its sockets");
    s->slots[0].flags = (uint8_t)(s->slots[0].flags & ~WEIRI_SLOT_LINKED);
    assert_string_equal(weir_stack_check(s), "slot: found by its sockets when CLOSED, or not found when open");
    s->slots[0].flags = (uint8_t)(s->slots[0].flags | WEIRI_SLOT_LINKED);
    weiri_demux_insert(s, 0);
    WORLD_CHECK(s);
    s->demux.key[0] ^= 1;
    assert_non_null(weir_stack_check(s));
    s->demux.key[0] ^= 1;
    WORLD_CHECK(s);
    const uint32_t w = s->cfg.connections_max;
    WORLD_DAMAGE(s->demux.nodes[0].hash, s->demux.nodes[0].hash ^ 0x80000000u, "demux: a record is in the wrong chain");
    uint16_t port = s->waits[0].remote_port;
    s->waits[0].remote_port = s->waits[1].remote_port;
    assert_string_equal(weir_stack_check(s), "demux: a record is in the wrong chain");
    s->waits[0].remote_port = port;
    weiri_demux_remove(s, w);
    s->waits[0].remote_port = s->waits[1].remote_port;
    weiri_demux_insert(s, w);
    assert_string_equal(weir_stack_check(s), "demux: two records have the same sockets");
    weiri_demux_remove(s, w);
    s->waits[0].remote_port = port;
    weiri_demux_insert(s, w);
    WORLD_CHECK(s);
    guard_free_all();
}

static void test_waits(void **state)
{
    weir_stack *s = stack_with_everything();
    (void)state;
    WORLD_DAMAGE(s->wait_queue.head, 1, "timewait: the queue is broken");
    const struct weiri_wait before = s->waits[0];
    s->waits[0].next = 5;
    assert_string_equal(weir_stack_check(s), "timewait: the queue is broken");
    s->waits[0] = before;
    WORLD_DAMAGE(s->wait_queue.tail, 0, "timewait: a count is wrong");
    WORLD_DAMAGE(s->wait_queue.count, 1, "timewait: a count is wrong");
    WORLD_DAMAGE(s->wait_queue.count, 3, "timewait: a count is wrong");
    WORLD_DAMAGE(s->stats.time_wait, 1, "timewait: a count is wrong");
    s->waits[0].ends_low++;
    assert_string_equal(weir_stack_check(s), "timewait: the queue is out of order");
    s->waits[0].ends_low -= 2; /* earlier than the second */
    WORLD_CHECK(s);
    s->waits[1].ends_low -= 3;
    assert_string_equal(weir_stack_check(s), "timewait: the queue is out of order");
    s->waits[1].ends_low += 3;
    s->waits[0] = before;
    WORLD_DAMAGE(s->wait_fresh, 17, "timewait: the free records are not in order");
    WORLD_DAMAGE(s->wait_free, 0, "timewait: the free records are not in order");
    WORLD_DAMAGE(s->wait_free, 7, "timewait: the free records are not in order");
    weiri_demux_remove(s, s->cfg.connections_max);
    assert_string_equal(weir_stack_check(s), "timewait: a record cannot be found by its sockets");
    weiri_demux_insert(s, s->cfg.connections_max);
    WORLD_CHECK(s);
    guard_free_all();
}

/* The slot that was left unsettled: what is noted of it must be so. */
static void test_what_is_noted_of_the_one_left(void **state)
{
    const weir_stack_config c = world_config(1);
    weir_stack *s = world_stack(&c, 1000000);
    const weir_tuple t = tuple_of(0, 80);
    weir_ready ready;
    weir_handle conn;
    (void)state;
    WORLD_OK(weir_stack_connect(s, &t, &conn, 1000000));
    assert_int_equal(s->touched, 0);
    WORLD_DAMAGE(s->hushed, true, "slot: left as silent, with something to send");
    assert_false(weir_stack_ready(s, &ready));
    assert_true(s->told);
    WORLD_CHECK(s);
    WORLD_DAMAGE(s->slots[0].events, 0xffff, "slot: left as told, and it was told something else");
    WORLD_DAMAGE(s->slots[0].want, WEIR_EV_WRITABLE, "slot: left as told, and it was told something else");
    assert_int_equal(world_drop_all(s, 1000000), 1);
    assert_true(s->hushed);
    WORLD_CHECK(s);
    assert_true(weir_stack_deadline(s) < WEIR_FOREVER);
    assert_int_equal(s->touched, WEIRI_NONE);
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_and_lists),
        cmocka_unit_test(test_what_is_noted_of_the_one_left),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_free_waits),
        cmocka_unit_test(test_wheel),
        cmocka_unit_test(test_demux_and_listeners),
        cmocka_unit_test(test_demux_nodes),
        cmocka_unit_test(test_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

