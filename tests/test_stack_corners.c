/* test_stack_corners.c - a stack where packets hardly ever lead: everything taken, calls at odd moments, records damaged one word at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

#define CORNER_NOW 1000000u

static weir_tuple corner_tuple(uint16_t remote_port)
{
    weir_tuple t;
    memset(&t, 0, sizeof t);
    t.local = world_host(false, 1);
    t.remote = world_host(false, 9);
    t.local_port = 80;
    t.remote_port = remote_port;
    return t;
}

static struct world_segment corner_segment(uint16_t remote_port, uint16_t flags)
{
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    seg.tuple = corner_tuple(remote_port);
    seg.flags = flags;
    seg.seq = 1000;
    return seg;
}

/* A peer at this port opens a connection; what it would send next. */
static struct world_segment corner_open(weir_stack *s, uint16_t remote_port, weir_handle *conn, weir_us now)
{
    struct world_segment seg = corner_segment(remote_port, WEIR_SYN);
    struct world_seen seen;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    assert_true(world_next(s, &seen, now));
    seg.flags = WEIR_ACK;
    seg.seq = 1001;
    seg.ack = seen.view.seq.v + 1;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    *conn = world_ready(s, WEIR_EV_CONNECTED);
    WORLD_OK(weir_stack_want(s, *conn, WEIR_EV_READABLE));
    world_end_round(s);
    return seg;
}

/* A stack that listens at port 80 with so many working records. */
static weir_stack *corner_stack(uint32_t connections, uint32_t busy)
{
    weir_stack_config c = world_config(1);
    c.connections_max = c.half_open_max = connections;
    c.busy_max = busy;
    weir_stack *s = world_stack(&c, CORNER_NOW);
    (void)world_listen(s, 80);
    return s;
}

/* `count` connections, the first `unread` of which hold octets that nobody reads; the others are idle. */
static void corner_fill(weir_stack *s, unsigned count, unsigned unread, weir_handle *conn, struct world_segment *next)
{
    for (unsigned i = 0; i < count; i++) {
        next[i] = corner_open(s, (uint16_t)(2000 + i), &conn[i], CORNER_NOW + i);
    }
    for (unsigned i = 0; i < unread; i++) {
        next[i].len = 10;
        assert_int_equal(world_inject(s, &next[i], CORNER_NOW + 100), WEIR_OK);
        next[i].len = 0;
        next[i].seq += 10;
    }
    (void)world_drop_all(s, CORNER_NOW + 100);
}

/* ---- half-open connections give way -------------------------------------------------------------------------------------------------- */

enum { CORNER_HALF = 12 };

/* So many peers send a SYN each and get their answer; there are four working records. */
static weir_stack *corner_half_open(weir_seq iss[CORNER_HALF])
{
    weir_stack *s = corner_stack(32, 4);
    for (unsigned i = 0; i < CORNER_HALF; i++) {
        struct world_segment syn = corner_segment((uint16_t)(2000 + i), WEIR_SYN);
        struct world_seen seen;
        assert_int_equal(world_inject(s, &syn, CORNER_NOW + i), WEIR_OK);
        assert_true(world_next(s, &seen, CORNER_NOW + i));
        assert_int_equal(seen.view.flags & (WEIR_SYN | WEIR_ACK), WEIR_SYN | WEIR_ACK);
        iss[i] = seen.view.seq;
        assert_int_equal(world_drop_all(s, CORNER_NOW + i), 0);
    }
    assert_int_equal(weir_stack_stats(s)->half_open, CORNER_HALF);
    assert_true(slot_is_packed(s, 0));
    return s;
}

/* The SYN,ACK of each goes again when its time has come, the same as before; and who was packed meanwhile becomes established, its first
 * octets taken. */
static void test_half_open_ones_are_packed(void **state)
{
    weir_seq iss[CORNER_HALF];
    weir_stack *s = corner_half_open(iss);
    unsigned again = 0;
    weir_us now = CORNER_NOW + 1000000;
    size_t len;
    (void)state;
    for (unsigned turn = 0; turn < 10; turn++, now += WEIRI_RETRY_US) {
        struct world_seen seen;
        weir_stack_expire(s, now);
        while (world_next(s, &seen, now)) {
            assert_true(seq_eq(seen.view.seq, iss[seen.tuple.remote_port - 2000]));
            again++;
        }
    }
    assert_int_equal(again, CORNER_HALF);
    assert_true(slot_is_packed(s, 1));
    struct world_segment ack = corner_segment(2001, WEIR_ACK);
    ack.seq = 1001;
    ack.ack = iss[1].v + 1;
    ack.len = 10;
    assert_int_equal(world_inject(s, &ack, now), WEIR_OK);
    const weir_handle conn = world_ready(s, WEIR_EV_CONNECTED | WEIR_EV_READABLE);
    (void)weir_rx_peek(weir_stack_conn(s, conn), &len);
    assert_int_equal(len, 10);
    assert_int_equal(weir_stack_stats(s)->half_open, CORNER_HALF - 1);
    WORLD_CHECK(s);
    guard_free_all();
}

/* When the listener goes each is reset as long as there are records to do so; the others are forgotten. */
static void test_half_open_ones_go_with_their_listener(void **state)
{
    weir_seq iss[CORNER_HALF];
    weir_stack *s = corner_half_open(iss);
    (void)state;
    WORLD_OK(weir_stack_unlisten(s, weiri_listener_handle(s, 0), CORNER_NOW + 100));
    assert_int_equal(weir_stack_stats(s)->half_open, 0);
    WORLD_CHECK(s);
    assert_int_equal(world_drop_all(s, CORNER_NOW + 100), 4);
    world_expect_empty(s);
    guard_free_all();
}

/* Rings for one, and whoever has them was heard of a moment ago, with nothing in it: who is taken in hand gets them all the same. */
static void test_rings_of_whoever_was_heard_last(void **state)
{
    weir_stack_config c = world_config(1);
    weir_handle conn[2];
    size_t room;
    (void)state;
    c.connections_max = c.half_open_max = 4;
    c.ring_memory = (weir_buffers_size(c.rings) + 63) & ~(uint64_t)63;
    weir_stack *s = world_stack(&c, CORNER_NOW);
    (void)world_listen(s, 80);
    (void)corner_open(s, 2000, &conn[0], CORNER_NOW);
    const struct world_segment ack = corner_open(s, 2001, &conn[1], CORNER_NOW + 1);
    assert_int_equal(world_inject(s, &ack, CORNER_NOW + 2), WEIR_OK);
    assert_int_not_equal(s->touched, WEIRI_NONE);
    (void)weir_tx_reserve(weir_stack_conn(s, conn[0]), &room);
    assert_int_equal(room, c.rings.tx);
    WORLD_CHECK(s);
    guard_free_all();
}

/* ---- no record is free ------------------------------------------------------------------------------------------------------------- */

/* Whoever is packed cannot be told of an ICMP error, nobody can be connected to, and what was wanted in vain is wanted still. */
static void test_all_records_are_busy(void **state)
{
    weir_stack *s = corner_stack(8, 4);
    struct world_segment next[6];
    weir_handle conn[6], other = 0;
    uint8_t packet[128];
    weir_tuple to = corner_tuple(80);
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        next[i] = corner_open(s, (uint16_t)(2000 + i), &conn[i], CORNER_NOW + i);
    }
    for (unsigned i = 2; i < 6; i++) {
        next[i].len = 10;
        assert_int_equal(world_inject(s, &next[i], CORNER_NOW + 100), WEIR_OK);
    }
    (void)world_drop_all(s, CORNER_NOW + 100);
    assert_true(slot_is_packed(s, 0) && slot_is_packed(s, 1));
    const size_t len = world_icmp(packet, &next[0].tuple, 3, next[0].ack);
    assert_int_equal(world_put(s, packet, len, CORNER_NOW + 200), WEIR_NO_ROOM);
    to.local_port = 0;
    assert_int_equal(weir_stack_connect(s, &to, &other, CORNER_NOW + 200), WEIR_ERR_RESOURCES);
    WORLD_CHECK(s);
    WORLD_OK(weir_stack_want(s, conn[0], WEIR_EV_READABLE)); /* which needs no record */
    assert_true(weir_stack_deadline(s) > 0);
    assert_true(slot_is_packed(s, 0));
    guard_free_all();
}

/* With a record free it is unpacked for the error, and for whoever takes it in hand. */
static void test_some_records_are_free(void **state)
{
    weir_stack *s = corner_stack(8, 4);
    struct world_segment next[5];
    weir_handle conn[5];
    uint8_t packet[128];
    (void)state;
    corner_fill(s, 5, 0, conn, next);
    WORLD_OK(weir_stack_release(s, conn[4], 0, CORNER_NOW + 100));
    WORLD_OK(weir_stack_release(s, conn[3], 0, CORNER_NOW + 100));
    (void)world_drop_all(s, CORNER_NOW + 100);
    assert_true(slot_is_packed(s, 0));
    assert_int_equal(world_put(s, packet, world_icmp(packet, &next[0].tuple, 3, next[0].ack), CORNER_NOW + 200), WEIR_ICMP_UNMATCHED);
    WORLD_OK(weir_stack_want(s, conn[0], WEIR_EV_WRITABLE));
    weir_stack_expire(s, CORNER_NOW + 300);
    assert_false(slot_is_packed(s, 0));
    assert_non_null(weir_stack_conn(s, conn[1]));
    WORLD_CHECK(s);
    guard_free_all();
}

/* Nine that are idle and cannot be packed, for what they would have to remember: no more than eight are asked for one record. */
static void test_who_does_not_fit_keeps_its_record(void **state)
{
    weir_stack *s = corner_stack(24, 12);
    struct world_segment next[12], late = corner_segment(3000, WEIR_SYN);
    weir_handle conn[12];
    (void)state;
    corner_fill(s, 12, 3, conn, next);
    for (unsigned i = 3; i < 12; i++) {
        struct weir_undo *u = &slot_conn(s, i)->undo;
        u->adapt = 1;
        memset(&u->cc, 0x7b, sizeof u->cc); /* no two words alike in what they are near to */
        memset(&u->rtt, 0x7b, sizeof u->rtt);
        for (unsigned k = 0; k < sizeof u->cc / 4; k++) {
            ((uint8_t *)&u->cc)[4 * k] = (uint8_t)k;
        }
    }
    const uint64_t before = weir_stack_stats(s)->rings_reclaimed;
    assert_int_equal(weir_stack_stats(s)->busy, 12);
    assert_int_equal(world_inject(s, &late, CORNER_NOW + 200), WEIR_NO_ROOM);
    assert_int_equal(weir_stack_stats(s)->rings_reclaimed, before + 8);
    assert_int_equal(weir_stack_stats(s)->busy, 12);
    assert_int_equal(weir_stack_stats(s)->connections, 12);
    guard_free_all();
}

/* Packets given together to connections that are packed, and such as nobody can look at beforehand; nobody asks for verdicts. */
static void test_a_batch_for_the_packed(void **state)
{
    weir_stack *s = corner_stack(8, 4);
    struct world_segment next[6];
    static uint8_t packets[8][128];
    weir_slice slices[8];
    weir_handle conn[6];
    (void)state;
    corner_fill(s, 6, 0, conn, next);
    assert_true(slot_is_packed(s, 0));
    for (unsigned i = 0; i < 6; i++) {
        next[i].len = 20;
        slices[i].octets = packets[i];
        slices[i].len = world_packet(packets[i], &next[i]);
    }
    for (unsigned i = 6; i < 8; i++) {
        memset(packets[i], i == 6 ? 0x46 : 0x55, sizeof packets[i]);
        slices[i].octets = packets[i];
        slices[i].len = 100;
    }
    weir_stack_input_batch(s, slices, 8, NULL, CORNER_NOW + 200);
    WORLD_CHECK(s);
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_OK], 12 + 4); /* two found all records busy */
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_NO_ROOM], 2);
    assert_int_equal(weir_stack_stats(s)->verdicts[WEIR_IP_VERSION], 1);
    guard_free_all();
}

/* ---- rings ---------------------------------------------------------------------------------------------------------------------------- */

/* Rings of the user's own: none of the stack's are lent beside them, nor larger ones in their place. */
static void test_rings_of_the_users_own(void **state)
{
    uint64_t memory[1024]; /* above the stack's memory, where the program's own is below */
    static uint64_t below[1024];
    weir_sizes sizes = {1024, 1024};
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        weir_stack *s = corner_stack(8, 0);
        struct world_segment next;
        weir_handle conn;
        weir_buffers b;
        corner_fill(s, 1, 0, &conn, &next);
        assert_true(weir_buffers_carve(&b, turn == 0 ? memory : below, sizeof memory, sizes));
        WORLD_OK(weir_set_buffers(weir_stack_conn(s, conn), &b, CORNER_NOW + 100));
        slot_conn(s, 0)->tune.rx_want = 1 << 16;
        next.len = 100;
        assert_int_equal(world_inject(s, &next, CORNER_NOW + 200), WEIR_OK);
        assert_int_equal(weir_stack_stats(s)->ring_octets, 0);
        assert_int_equal(slot_conn(s, 0)->rx_size, 1024);
        assert_int_equal(weiri_ring_readable(slot_conn(s, 0)), 100);
        guard_free_all();
    }
}

/* Much is wanted and everybody else is idle: eight are asked to give their rings back, and then it is enough. */
static void test_a_wish_asks_eight_at_most(void **state)
{
    weir_stack_config c = world_config(1);
    struct world_segment next[30];
    weir_handle conn[30];
    (void)state;
    c.connections_max = c.half_open_max = 32;
    c.tcp.rx_max = c.tcp.tx_max = 1 << 20;
    weir_stack *s = world_stack(&c, CORNER_NOW);
    (void)world_listen(s, 80);
    corner_fill(s, 30, 0, conn, next);
    slot_conn(s, 0)->tune.rx_want = 1 << 13;
    slot_conn(s, 0)->tune.tx_want = 1 << 13;
    next[0].len = 10;
    assert_int_equal(world_inject(s, &next[0], CORNER_NOW + 5000000), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->rings_grown, 0);
    assert_true(weir_stack_stats(s)->rings_reclaimed >= 8 && weir_stack_stats(s)->rings_reclaimed % 8 == 0);
    assert_int_equal(weir_stack_stats(s)->rings_refused, 1);
    slot_conn(s, 0)->tune.tx_want = 1 << 14; /* another wish: refused for itself */
    next[0].seq += 10;
    assert_int_equal(world_inject(s, &next[0], CORNER_NOW + 5000001), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->rings_refused, 2);
    WORLD_CHECK(s);
    guard_free_all();
}

/* Whoever waits to write to a peer that never finished its handshake, and is reset, gets nothing: there is nobody to write to. */
static void test_nothing_is_lent_to_who_listens_again(void **state)
{
    weir_stack *s = corner_stack(4, 0);
    struct world_segment seg = corner_segment(2000, WEIR_SYN);
    struct world_seen seen;
    (void)state;
    assert_int_equal(world_inject(s, &seg, CORNER_NOW), WEIR_OK);
    WORLD_OK(weir_stack_want(s, weir_stack_last(s), WEIR_EV_WRITABLE));
    assert_true(world_next(s, &seen, CORNER_NOW));
    seg = corner_segment(2000, WEIR_RST);
    seg.seq = 1001;
    assert_int_equal(world_inject(s, &seg, CORNER_NOW), WEIR_OK);
    world_expect_empty(s);
    guard_free_all();
}

/* ---- addresses, ports, listeners ------------------------------------------------------------------------------------------------------- */

static void test_configurations_at_their_ends(void **state)
{
    weir_stack_config c = world_config(1);
    (void)state;
    c.connections_max = 0;
    assert_int_equal(weir_stack_size(&c), 0);
    c.connections_max = (1u << 24) + 1;
    assert_int_equal(weir_stack_size(&c), 0);
    c = world_config(1);
    c.addrs[0] = weir_addr_v4(127, 0, 0, 1);
    assert_int_equal(weir_stack_size(&c), 0);
    c.accept_martians = true;
    assert_true(weir_stack_size(&c) > 0);
    c.addrs[0] = weir_addr_v4(224, 0, 0, 1);
    assert_int_equal(weir_stack_size(&c), 0);
}

/* The prefix of an IPv6 address says nothing of IPv4. */
static void test_no_broadcast_by_the_other_family(void **state)
{
    weir_stack_config c = world_config(1);
    weir_addr to;
    (void)state;
    c.prefix_len[0] = 32;
    c.prefix_len[1] = 24;
    weir_stack *s = world_stack(&c, 0);
    to = weir_addr_v4(10, 0, 0, 255);
    assert_true(weiri_addr_is_peer(s, &to));
    c.prefix_len[0] = 24;
    s = world_stack(&c, 0);
    assert_false(weiri_addr_is_peer(s, &to));
    guard_free_all();
}

/* To ourselves: of two ports one would be the socket itself, so it is the other; of one there is none. */
static void test_ports_to_ourselves(void **state)
{
    (void)state;
    for (uint16_t ports = 1; ports <= 2; ports++) {
        for (uint16_t to = 5000; to < 5002; to++) {
            weir_stack_config c = world_config(1);
            weir_tuple t = corner_tuple(to);
            weir_handle conn;
            c.accept_martians = true;
            c.port_first = 5000;
            c.port_last = (uint16_t)(5000 + ports - 1);
            t.remote = c.addrs[0];
            t.local_port = 0;
            weir_stack *s = world_stack(&c, 0);
            const weir_err want = ports == 1 && to == 5000 ? WEIR_ERR_RESOURCES : WEIR_ERR_NONE;
            assert_int_equal(weir_stack_connect(s, &t, &conn, 0), want);
            if (want == WEIR_ERR_NONE) {
                assert_int_not_equal(weir_sockets(weir_stack_peek(s, conn))->local_port, to);
            }
            guard_free_all();
        }
    }
}

/* Two listeners whose keys collide, which takes 2^32 tries, are two all the same: each difference is looked at. */
static void test_listeners_of_one_hash(void **state)
{
    weir_stack *s = corner_stack(4, 0);
    weir_listen_spec spec;
    weir_handle l;
    (void)state;
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    assert_int_equal(weir_stack_listen(s, &spec, &l), WEIR_ERR_EXISTS);
    for (unsigned i = 0; i < 5; i++) {
        struct weiri_listener *old = &s->listeners[0];
        const struct weiri_listener kept = *old;
        switch (i) {
        case 0: old->reach++; break;
        case 1: old->spec.port = 81; break;
        case 2: old->spec.v4_only = true; break;
        case 3: old->spec.v6_only = true; break;
        default: old->hash += s->listener_mask + 1; break;
        }
        assert_int_equal(weir_stack_listen(s, &spec, &l), WEIR_ERR_NONE);
        *old = kept;
        WORLD_OK(weir_stack_unlisten(s, l, CORNER_NOW));
        WORLD_CHECK(s);
    }
    guard_free_all();
}

/* ---- TIME-WAIT -------------------------------------------------------------------------------------------------------------------------- */

/* A record whose numbers these are: SND.NXT 500, RCV.NXT 1000. */
static weir_stack *corner_waiting(bool timestamps)
{
    weir_stack_config c = world_config(1);
    static weir_conn old;
    c.tcp.timestamps = timestamps;
    weir_stack *s = world_stack(&c, CORNER_NOW);
    (void)world_listen(s, 80);
    memset(&old, 0, sizeof old);
    old.cfg = &s->cfg.tcp;
    old.tuple = corner_tuple(2000);
    old.snd.nxt = seq_of(500);
    old.rcv.nxt = seq_of(1000);
    old.life_at = CORNER_NOW + 60000000;
    assert_true(weiri_wait_add(s, &old));
    return s;
}

/* Without timestamps of our own a SYN's say nothing: it must be later by its number (RFC 6191 2). */
static void test_stamps_that_are_not_ours(void **state)
{
    weir_stack *s = corner_waiting(false);
    struct world_segment syn = corner_segment(2000, WEIR_SYN);
    (void)state;
    syn.stamped = true;
    syn.ts_value = 12345;
    syn.seq = 900;
    assert_int_equal(world_inject(s, &syn, CORNER_NOW + 1), WEIR_IN_TIME_WAIT);
    syn.seq = 1001;
    assert_int_equal(world_inject(s, &syn, CORNER_NOW + 2), WEIR_OK);
    guard_free_all();
    s = corner_waiting(true); /* with ours they do */
    syn.seq = 900;
    assert_int_equal(world_inject(s, &syn, CORNER_NOW + 1), WEIR_OK);
    guard_free_all();
}

/* In its place and without ACK it is dropped; acknowledging what was never sent it is answered. */
static void test_segments_without_ack(void **state)
{
    weir_stack *s = corner_waiting(true);
    struct world_segment seg = corner_segment(2000, WEIR_PSH);
    struct world_seen seen;
    (void)state;
    seg.ack = 0;
    assert_int_equal(world_inject(s, &seg, CORNER_NOW + 1), WEIR_IN_TIME_WAIT);
    assert_false(world_next(s, &seen, CORNER_NOW + 1));
    seg.flags = WEIR_ACK;
    seg.ack = 501;
    assert_int_equal(world_inject(s, &seg, CORNER_NOW + 1), WEIR_IN_TIME_WAIT);
    assert_true(world_next(s, &seen, CORNER_NOW + 1));
    guard_free_all();
}

/* ---- damage ------------------------------------------------------------------------------------------------------------------------------ */

#define DAMAGED(change, undo, says)                              \
    do {                                                         \
        change;                                                  \
        const char *broken = weir_stack_check(s);                \
        assert_string_equal(broken ? broken : "nothing", (says)); \
        undo;                                                    \
        WORLD_CHECK(s);                                          \
    } while (0)
#define DAMAGE(what, value, says)                                \
    do {                                                         \
        const __typeof__(what) was = what;                       \
        DAMAGED(what = value, what = was, says);                 \
    } while (0)

/* Slot 0 is packed, 3 and later at work: 3 is idle, the last three have something to read. */
static void test_damage_of_the_packed(void **state)
{
    weir_stack *s = corner_stack(8, 5);
    struct world_segment next[8];
    weir_handle conn[8];
    (void)state;
    corner_fill(s, 7, 3, conn, next);
    (void)weir_stack_deadline(s); /* all are settled */
    unsigned packed = 0, idle = 0, full = 0;
    for (unsigned i = 0; i < 7; i++) {
        packed = slot_is_packed(s, i) ? i : packed;
        idle = !slot_is_packed(s, i) && slot_in(&s->slots[i], WEIRI_LIST_SPARE) ? i : idle;
        full = !slot_is_packed(s, i) && weiri_ring_held(slot_conn(s, i)) > 0 ? i : full;
    }
    assert_true(slot_is_packed(s, packed) && slot_in(&s->slots[idle], WEIRI_LIST_SPARE) && weiri_ring_held(slot_conn(s, full)) > 0);
    const char *busy = "slot: packed, and there is something to do, or taken for packed";
    const char *rings = "slot: rings that were not lent to it, or another's configuration";
    DAMAGED(weiri_list_push(s, &s->out, WEIRI_LIST_OUT, packed), weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, packed), busy);
    DAMAGED(weiri_list_push(s, &s->spare, WEIRI_LIST_SPARE, packed), weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, packed), busy);
    struct weiri_cold kept = s->cold[packed];
    static weir_conn sends;
    weiri_unpack(&sends, kept.octets, s->blank, &s->rests[packed].gist);
    conn_set(&sends, WEIRI_ACK_NOW, true);
    DAMAGED((void)weiri_pack(s->cold[packed].octets, WEIRI_COLD_OCTETS, &sends, s->blank), s->cold[packed] = kept, busy);
    weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, idle);
    DAMAGED(weiri_list_push(s, &s->spare, WEIRI_LIST_SPARE, full), weiri_list_remove(s, &s->spare, WEIRI_LIST_SPARE, full),
            "slot: rings with something in them among the spare ones");
    DAMAGED(weiri_list_push(s, &s->needy, WEIRI_LIST_NEEDY, full), weiri_list_remove(s, &s->needy, WEIRI_LIST_NEEDY, full), rings);
    weiri_list_push(s, &s->spare, WEIRI_LIST_SPARE, idle);
    struct weiri_work *w = slot_work(s, full);
    DAMAGE(w->conn.rx_ring, w->conn.rx_ring + s->store.unit, rings);
    DAMAGE(w->conn.tx_ring, w->conn.tx_ring + s->store.unit, rings);
    DAMAGE(w->conn.tx_ring, s->store.octets - 64, rings);
    DAMAGE(s->store.tag[w->block], WEIRI_STORE_ORDERS, rings);
    DAMAGE(s->work_pool.used, s->work_pool.used - 1, "stack: a pool is not in order");
    DAMAGE(s->stats.busy, 4, "stack: connections and records do not add up");
    DAMAGE(s->stats.connections, 6, "stack: connections and records do not add up");
    DAMAGE(s->holders, s->holders + 1, "stack: the rings lent and the memory they take do not add up");
    DAMAGE(s->slots[full].events, 0, "slot: what it last told is not what is true");
    guard_free_all();
}

static void test_damage_of_lists(void **state)
{
    weir_stack *s = corner_stack(8, 0);
    struct world_segment next[3], syn = corner_segment(3000, WEIR_SYN);
    weir_handle conn[3];
    const char *list = "stack: a list is broken";
    (void)state;
    corner_fill(s, 3, 1, conn, next);
    assert_int_equal(world_inject(s, &syn, CORNER_NOW + 200), WEIR_OK);
    DAMAGE(s->out.head, 63, list);
    DAMAGE(s->dirty.head, 0, list);
    DAMAGE(s->ready.head, 63, list);
    DAMAGE(s->spare.head, 63, list);
    DAMAGE(s->needy.count, 1, list);
    DAMAGE(s->slot_pool.fresh, 5, "stack: a pool is not in order");
    DAMAGE(s->wait_queue.head, 0, "timewait: the queue is broken");
    DAMAGE(s->wait_fresh, 1, "timewait: the free records are not in order");
    DAMAGE(s->listener_heads[s->listeners[0].hash & s->listener_mask], 5, "listen: a chain holds what is no listener, or does not end");
    DAMAGE(s->listeners[0].chain, 0, "listen: a chain holds what is no listener, or does not end");
    DAMAGE(s->listeners[0].hash, s->listeners[0].hash + 1, "listen: a listener is in the wrong chain");
    DAMAGE(s->listener_pool.used, 2, "listen: a count is wrong");
    DAMAGE(s->slots[0].flags, (uint8_t)(s->slots[0].flags | WEIRI_SLOT_RELEASED), "slot: on the ready list without news, or the other way round");
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_open_ones_are_packed),
        cmocka_unit_test(test_half_open_ones_go_with_their_listener),
        cmocka_unit_test(test_rings_of_whoever_was_heard_last),
        cmocka_unit_test(test_all_records_are_busy),
        cmocka_unit_test(test_some_records_are_free),
        cmocka_unit_test(test_who_does_not_fit_keeps_its_record),
        cmocka_unit_test(test_a_batch_for_the_packed),
        cmocka_unit_test(test_rings_of_the_users_own),
        cmocka_unit_test(test_a_wish_asks_eight_at_most),
        cmocka_unit_test(test_nothing_is_lent_to_who_listens_again),
        cmocka_unit_test(test_configurations_at_their_ends),
        cmocka_unit_test(test_no_broadcast_by_the_other_family),
        cmocka_unit_test(test_ports_to_ourselves),
        cmocka_unit_test(test_listeners_of_one_hash),
        cmocka_unit_test(test_stamps_that_are_not_ours),
        cmocka_unit_test(test_segments_without_ack),
        cmocka_unit_test(test_damage_of_the_packed),
        cmocka_unit_test(test_damage_of_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#undef CORNER_NOW
#undef DAMAGED
#undef DAMAGE
