/* test_timewait.c - connections in TIME-WAIT as small records: RFC 9293 3.10.7.4, RFC 6191, RFC 5961, and what gives way when full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

#define MSL 30000000u
#define TICK 65536u /* a record may last so much longer */

/* One connection that has come to TIME-WAIT by our side closing first: what a peer played by hand knows of it. */
struct past {
    weir_tuple tuple;
    uint32_t snd_nxt, rcv_nxt; /* of the stack */
    uint32_t ts_value;         /* the last that the peer sent */
    uint32_t ts_seen;          /* the last that the stack sent */
};

static struct world_segment segment_of(const weir_tuple *tuple, uint16_t flags)
{
    struct world_segment seg;
    memset(&seg, 0, sizeof seg);
    seg.tuple = *tuple;
    seg.flags = flags;
    return seg;
}

static weir_tuple tuple_of(uint16_t remote_port)
{
    weir_tuple t;
    t.local = world_host(false, 1);
    t.remote = world_host(false, 2);
    t.local_port = 80;
    t.remote_port = remote_port;
    return t;
}

static weir_stack *stack_new(uint32_t time_wait_max, weir_us now)
{
    weir_stack_config c = world_config(1);
    c.time_wait_max = time_wait_max;
    weir_stack *s = world_stack(&c, now);
    world_listen(s, 80);
    return s;
}

/* Opens from `remote_port`, closes from our side, and leaves a record behind. The peer's ISN is 1000, so its FIN is 1001. */
static struct past past_new(weir_stack *s, uint16_t remote_port, bool stamped, weir_us now)
{
    struct past p;
    struct world_seen seen;
    memset(&p, 0, sizeof p);
    p.tuple = tuple_of(remote_port);
    struct world_segment seg = segment_of(&p.tuple, WEIR_SYN);
    seg.stamped = stamped;
    seg.seq = 1000;
    seg.ts_value = 5000;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags, WEIR_SYN | WEIR_ACK);
    seg.flags = WEIR_ACK;
    seg.seq = 1001;
    seg.ack = seen.view.seq.v + 1;
    seg.ts_echo = seen.view.ts_value;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    WORLD_OK(weir_stack_release(s, world_ready(s, WEIR_EV_CONNECTED), WEIR_FOREVER, now));
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags & (WEIR_FIN | WEIR_ACK), WEIR_FIN | WEIR_ACK);
    seg.flags = WEIR_FIN | WEIR_ACK;
    seg.ack = seen.view.seq.v + 1;
    seg.ts_value = 6000;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    assert_int_equal(weir_stack_stats(s)->connections, 1); /* its last acknowledgment has not been sent yet */
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags, WEIR_ACK);
    assert_int_equal(weir_stack_stats(s)->connections, 0);
    p.snd_nxt = seen.view.seq.v;
    p.rcv_nxt = seen.view.ack.v;
    p.ts_value = 6000;
    p.ts_seen = seen.view.ts_value;
    assert_int_equal(p.rcv_nxt, 1002);
    return p;
}

static struct world_segment past_segment(const struct past *p, uint16_t flags, bool stamped)
{
    struct world_segment seg = segment_of(&p->tuple, flags);
    seg.seq = p->rcv_nxt;
    seg.ack = p->snd_nxt;
    seg.stamped = stamped;
    seg.ts_value = p->ts_value;
    seg.ts_echo = p->ts_seen;
    return seg;
}

/* The stack acknowledges, with the numbers of the connection that was. */
static void expect_ack(weir_stack *s, const struct past *p, bool stamped, weir_us now)
{
    struct world_seen seen;
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags, WEIR_ACK);
    assert_int_equal(seen.view.seq.v, p->snd_nxt);
    assert_int_equal(seen.view.ack.v, p->rcv_nxt);
    assert_int_equal((seen.view.options & WEIR_OPT_TIMESTAMPS) != 0, stamped);
    if (stamped) {
        assert_true(seen.view.ts_value - p->ts_seen < 100000); /* milliseconds: our clock goes on (RFC 7323 5.4) */
        assert_int_equal(seen.view.ts_echo, p->ts_value);
    }
    assert_int_equal(world_drop_all(s, now), 0);
}

static void test_record_lasts_2msl(void **state)
{
    const weir_us start = 1000000;
    weir_stack *s = stack_new(16, start);
    (void)state;
    (void)past_new(s, 4000, true, start);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    const weir_us due = weir_stack_deadline(s);
    weir_stack_expire(s, start + 2 * (weir_us)MSL - 1);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    const weir_us ends = weir_stack_deadline(s);
    assert_true(due <= ends && ends >= start + 2 * (weir_us)MSL && ends <= start + 2 * (weir_us)MSL + TICK);
    weir_stack_expire(s, ends - 1);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    weir_stack_expire(s, ends);
    world_expect_empty(s);
    assert_true(weir_stack_deadline(s) == WEIR_FOREVER);
    guard_free_all();
}

static void test_fin_again(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) { /* without timestamps, with them, and with them but stripped on the path */
        const bool stamped = way > 0;
        weir_us now = 1000000;
        weir_stack *s = stack_new(16, now);
        struct past p = past_new(s, 4000, stamped, now);
        now += 40000000;
        struct world_segment seg = past_segment(&p, WEIR_FIN | WEIR_ACK, stamped);
        seg.seq = p.rcv_nxt - 1;
        seg.stamped = way == 1;
        if (seg.stamped) {
            seg.ts_value = p.ts_value += 40000;
        }
        assert_int_equal(world_inject(s, &seg, now), WEIR_IN_TIME_WAIT);
        expect_ack(s, &p, stamped, now);
        weir_stack_expire(s, now + 2 * (weir_us)MSL - 1); /* 2MSL began again */
        assert_int_equal(weir_stack_stats(s)->time_wait, 1);
        weir_stack_expire(s, now + 2 * (weir_us)MSL + TICK);
        world_expect_empty(s);
    }
    guard_free_all();
}

static void test_reset(void **state)
{
    static const int offsets[] = {-1, 1, 1000, -1000, INT32_MAX, INT32_MIN};
    const weir_us now = 1000000;
    weir_stack *s = stack_new(16, now);
    (void)state;
    struct past p = past_new(s, 4000, true, now);
    struct world_segment seg = past_segment(&p, WEIR_RST, false);
    for (unsigned i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        seg.seq = p.rcv_nxt + (uint32_t)offsets[i];
        assert_int_equal(world_inject(s, &seg, now), WEIR_IN_TIME_WAIT);
        assert_int_equal(world_drop_all(s, now), 0);
        assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    }
    seg.seq = p.rcv_nxt;
    assert_int_equal(world_inject(s, &seg, now), WEIR_IN_TIME_WAIT);
    assert_int_equal(world_drop_all(s, now), 0);
    world_expect_empty(s);
    assert_int_equal(weir_stack_stats(s)->resets_in, 1);
    guard_free_all();
}

/* Where RFC 1337 is asked for, none does. */
static void test_no_reset_with_rfc1337(void **state)
{
    const weir_us now = 1000000;
    weir_stack *s = stack_new(16, now);
    (void)state;
    struct past p = past_new(s, 4000, true, now);
    struct world_segment seg = past_segment(&p, WEIR_RST, false);
    s->cfg.tcp.rfc1337 = true;
    seg.seq = p.rcv_nxt;
    assert_int_equal(world_inject(s, &seg, now), WEIR_IN_TIME_WAIT);
    assert_int_equal(world_drop_all(s, now), 0);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    guard_free_all();
}

static void test_what_is_acknowledged(void **state)
{
    static const struct {
        const char *name;
        uint16_t flags;
        int32_t seq, ack; /* from what is expected */
        uint32_t len;
        int32_t ts;
        bool answered;
    } cases[] = {
        {"the acknowledgment that was expected", WEIR_ACK, 0, 0, 0, 0, false},
        {"an acknowledgment of less", WEIR_ACK, 0, -1, 0, 0, false},
        {"an acknowledgment of what was never sent", WEIR_ACK, 0, 1, 0, 0, true},
        {"old data", WEIR_ACK, -100, 0, 50, 0, true},
        {"data after the FIN", WEIR_ACK, 0, 0, 10, 0, true},
        {"data far ahead", WEIR_ACK, 100000, 0, 10, 0, true},
        {"no data, old number", WEIR_ACK, -2, 0, 0, 0, true},
        {"an old timestamp", WEIR_ACK, 0, 0, 0, -1, true},
        {"a FIN with an old timestamp", WEIR_ACK | WEIR_FIN, -1, 0, 0, -1, true},
        {"another FIN", WEIR_ACK | WEIR_FIN, 5, 0, 0, 0, true},
        {"a SYN,ACK: no request for a connection", WEIR_SYN | WEIR_ACK, 100, 0, 0, 0, true},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const weir_us now = 1000000;
        weir_stack *s = stack_new(16, now);
        struct past p = past_new(s, 4000, true, now);
        const weir_us ends = weir_stack_deadline(s);
        struct world_segment seg = past_segment(&p, cases[i].flags, true);
        seg.seq += (uint32_t)cases[i].seq;
        seg.ack += (uint32_t)cases[i].ack;
        seg.len = cases[i].len;
        seg.ts_value += (uint32_t)cases[i].ts;
        assert_int_equal(world_inject(s, &seg, now + 5000000), WEIR_IN_TIME_WAIT);
        if (cases[i].answered) {
            expect_ack(s, &p, true, now + 5000000);
        } else {
            assert_int_equal(world_drop_all(s, now + 5000000), 0);
        }
        assert_true(weir_stack_deadline(s) == ends || weir_stack_deadline(s) <= now + 5000000); /* 2MSL goes on */
        weir_stack_expire(s, now + 5000000);
        assert_true(weir_stack_deadline(s) <= now + 2 * (weir_us)MSL + TICK);
        guard_free_all();
    }
}

static void test_acknowledgments_are_bounded(void **state)
{
    const weir_us now = 1000000;
    unsigned answers = 0;
    weir_stack *s = stack_new(16, now);
    (void)state;
    struct past p = past_new(s, 4000, false, now), other = past_new(s, 4001, false, now);
    struct world_segment seg = past_segment(&p, WEIR_ACK, false);
    seg.len = 10;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(world_inject(s, &seg, now + i * 40000), WEIR_IN_TIME_WAIT);
        answers += world_drop_all(s, now + i * 40000);
    }
    assert_in_range(answers, 4, 15); /* in 4 seconds */
    seg = past_segment(&other, WEIR_ACK, false); /* and another record is not concerned */
    seg.len = 10;
    (void)world_inject(s, &seg, now + 99 * 40000);
    expect_ack(s, &other, false, now + 99 * 40000);
    guard_free_all();
}

/* More records than heads of chains: each is found among the others, and goes without them. */
static void test_records_share_chains(void **state)
{
    enum { MANY = 16 };
    const weir_us now = 1000000;
    weir_stack_config c = world_config(1);
    struct past p[MANY];
    (void)state;
    c.connections_max = 2;
    c.time_wait_max = MANY;
    weir_stack *s = world_stack(&c, now);
    world_listen(s, 80);
    for (unsigned i = 0; i < MANY; i++) {
        p[i] = past_new(s, (uint16_t)(4000 + i), false, now + i);
    }
    assert_in_range(s->demux.size, 1, MANY - 1);
    for (unsigned i = 0; i < MANY; i++) {
        const unsigned k = (i * 7 + 3) % MANY; /* from the middle first */
        struct world_segment seg = past_segment(&p[k], WEIR_RST, false);
        assert_int_equal(weiri_demux_find(s, &p[k].tuple), c.connections_max + k);
        assert_int_equal(world_inject(s, &seg, now + MANY), WEIR_IN_TIME_WAIT);
        assert_int_equal(weiri_demux_find(s, &p[k].tuple), WEIRI_NONE);
        assert_int_equal(weir_stack_stats(s)->time_wait, MANY - 1 - i);
    }
    world_expect_empty(s);
    guard_free_all();
}

/* RFC 6191 2, row by row. */
static void test_rfc6191_table(void **state)
{
    static const struct {
        bool old_ts, new_ts;
        int32_t tsval; /* against the last */
        int32_t isn;   /* against the last sequence number used, the FIN's */
        bool accept;
    } rows[] = {
        {true, true, 1, -5, true},    {true, true, 1000000, 0, true}, {true, true, 0, 1, true},    {true, true, 0, 0, false},
        {true, true, 0, -1, false},   {true, true, -1, 1, false},     {true, true, -1, 100, false}, {true, false, 0, 1, true},
        {true, false, 0, 0, false},   {true, false, 0, -1, false},    {false, true, 0, -1, true},  {false, true, 0, 1, true},
        {false, false, 0, 1, true},   {false, false, 0, 0, false},    {false, false, 0, -1, false},
        {false, false, 0, INT32_MAX, true},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const weir_us now = 1000000;
        struct world_seen seen;
        weir_stack *s = stack_new(16, now);
        struct past p = past_new(s, 4000, rows[i].old_ts, now);
        struct world_segment seg = segment_of(&p.tuple, WEIR_SYN);
        seg.seq = p.rcv_nxt - 1 + (uint32_t)rows[i].isn;
        seg.stamped = rows[i].new_ts;
        seg.ts_value = p.ts_value + (uint32_t)rows[i].tsval;
        const weir_us later = now + (i % 2 ? 1000 : 0); /* in the same instant too: the clock of the ISS has not moved */
        const enum weir_verdict verdict = world_inject(s, &seg, later);
        assert_int_equal(verdict, rows[i].accept ? WEIR_OK : WEIR_IN_TIME_WAIT);
        assert_int_equal(world_next(s, &seen, later), rows[i].accept);
        if (rows[i].accept) {
            assert_int_equal(seen.view.flags, WEIR_SYN | WEIR_ACK);
            assert_int_equal(seen.view.ack.v, seg.seq + 1);
            assert_true((int32_t)(seen.view.seq.v - p.snd_nxt) > 0); /* MAY-2 (1): beyond the old connection's numbers */
        }
        assert_int_equal(weir_stack_stats(s)->time_wait, rows[i].accept ? 0 : 1);
        assert_int_equal(weir_stack_stats(s)->time_wait_reused, rows[i].accept ? 1 : 0);
        guard_free_all();
    }
}

/* A SYN that could reopen it finds no room, or no listener: TIME-WAIT stands. */
static void test_reuse_needs_a_listener_with_room(void **state)
{
    const weir_us now = 1000000;
    weir_stack_config c = world_config(1);
    weir_listen_spec spec;
    weir_handle listener;
    struct world_seen seen;
    (void)state;
    weir_stack *s = world_stack(&c, now);
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    spec.backlog = 1;
    WORLD_OK(weir_stack_listen(s, &spec, &listener));
    struct past p = past_new(s, 4000, false, now);
    weir_tuple t = tuple_of(4001);
    struct world_segment filler = segment_of(&t, WEIR_SYN), seg = segment_of(&p.tuple, WEIR_SYN);
    seg.seq = p.rcv_nxt + 100;
    assert_int_equal(world_inject(s, &filler, now), WEIR_OK);
    assert_int_equal(world_inject(s, &seg, now), WEIR_BACKLOG_FULL);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    assert_int_equal(world_drop_all(s, now), 1); /* the other's SYN,ACK */
    WORLD_OK(weir_stack_unlisten(s, listener, now));
    assert_int_equal(world_drop_all(s, now), 1); /* and its RST */
    assert_int_equal(world_inject(s, &seg, now), WEIR_NO_CONNECTION);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags, WEIR_RST | WEIR_ACK);
    assert_int_equal(weir_stack_stats(s)->time_wait_reused, 0);
    guard_free_all();
}

/* Where no connection can be had the old one's record stands: it is not given up for nothing (V38). */
static void test_reuse_needs_a_free_connection(void **state)
{
    const weir_us now = 1000000;
    weir_stack_config c = world_config(1);
    (void)state;
    c.connections_max = 1;
    weir_stack *s = world_stack(&c, now);
    (void)world_listen(s, 80);
    struct past p = past_new(s, 4000, false, now);
    weir_tuple t = tuple_of(4001);
    struct world_segment filler = segment_of(&t, WEIR_SYN), seg = segment_of(&p.tuple, WEIR_SYN);
    seg.seq = p.rcv_nxt + 100;
    assert_int_equal(world_inject(s, &filler, now), WEIR_OK);
    assert_int_equal(world_inject(s, &seg, now), WEIR_NO_ROOM);
    assert_int_equal(weir_stack_stats(s)->time_wait, 1);
    assert_int_equal(weir_stack_stats(s)->time_wait_reused, 0);
    guard_free_all();
}

/* The connection is still the user's when the SYN comes: it ends, and the SYN goes to the listener. */
static void test_reuse_of_a_connection_in_hand(void **state)
{
    const weir_us now = 1000000;
    struct world_seen seen;
    weir_stack *s = stack_new(16, now);
    weir_tuple t = tuple_of(4000);
    struct world_segment seg = segment_of(&t, WEIR_SYN);
    (void)state;
    seg.seq = 1000;
    (void)world_inject(s, &seg, now);
    assert_true(world_next(s, &seen, now));
    seg.flags = WEIR_ACK;
    seg.seq = 1001;
    seg.ack = seen.view.seq.v + 1;
    (void)world_inject(s, &seg, now);
    const weir_handle old = world_ready(s, WEIR_EV_CONNECTED);
    WORLD_OK(weir_close(weir_stack_conn(s, old), now));
    assert_true(world_next(s, &seen, now));
    const uint32_t old_nxt = seen.view.seq.v + 1;
    seg.flags = WEIR_FIN | WEIR_ACK;
    seg.ack = old_nxt;
    (void)world_inject(s, &seg, now);
    assert_int_equal(world_drop_all(s, now), 1);
    assert_int_equal(weir_state(weir_stack_peek(s, old)), WEIR_TIME_WAIT);
    assert_int_equal(weir_stack_stats(s)->time_wait, 0);
    seg.flags = WEIR_SYN;
    seg.seq = 9000;
    assert_int_equal(world_inject(s, &seg, now), WEIR_OK);
    assert_int_equal(weir_state(weir_stack_peek(s, old)), WEIR_CLOSED);
    assert_int_equal(weir_stack_stats(s)->connections, 2);
    assert_int_equal(weir_stack_stats(s)->time_wait_reused, 1);
    assert_true(world_next(s, &seen, now));
    assert_int_equal(seen.view.flags, WEIR_SYN | WEIR_ACK);
    assert_true((int32_t)(seen.view.seq.v - old_nxt) > 0); /* MAY-2 (1) */
    WORLD_OK(weir_stack_release(s, old, 0, now));
    assert_int_equal(weir_stack_stats(s)->connections, 1);
    guard_free_all();
}

static void test_the_oldest_gives_way(void **state)
{
    weir_us now = 1000000;
    struct past p[6];
    weir_stack *s = stack_new(4, now);
    (void)state;
    for (unsigned i = 0; i < 6; i++, now += 1000000) {
        p[i] = past_new(s, (uint16_t)(4000 + i), true, now);
    }
    assert_int_equal(weir_stack_stats(s)->time_wait, 4);
    assert_int_equal(weir_stack_stats(s)->time_wait_peak, 4);
    assert_int_equal(weir_stack_stats(s)->time_wait_evicted, 2);
    for (unsigned i = 0; i < 6; i++) {
        struct world_segment seg = past_segment(&p[i], WEIR_ACK, true);
        assert_int_equal(world_inject(s, &seg, now), i < 2 ? WEIR_NO_CONNECTION : WEIR_IN_TIME_WAIT);
    }
    (void)world_drop_all(s, now);
    weir_stack_expire(s, now + 2 * (weir_us)MSL + TICK);
    world_expect_empty(s);
    guard_free_all();
}

/* Records leave from the middle, the beginning and the end of the queue. */
static void test_records_leave_in_any_order(void **state)
{
    static const unsigned order[] = {2, 0, 4, 1, 3};
    const weir_us now = 1000000;
    struct past p[5];
    weir_stack *s = stack_new(16, now);
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        p[i] = past_new(s, (uint16_t)(4000 + i), false, now + i * 1000000);
    }
    for (unsigned i = 0; i < 5; i++) {
        struct world_segment seg = past_segment(&p[order[i]], WEIR_RST, false);
        assert_int_equal(world_inject(s, &seg, now + 5000000), WEIR_IN_TIME_WAIT);
        assert_int_equal(weir_stack_stats(s)->time_wait, 4 - i);
    }
    world_expect_empty(s);
    guard_free_all();
}

/* Without records TIME-WAIT is spent in the connection itself. */
static void test_without_records(void **state)
{
    const weir_us now = 1000000;
    struct world_seen seen;
    weir_stack *s = stack_new(0, now);
    weir_tuple t = tuple_of(4000);
    struct world_segment seg = segment_of(&t, WEIR_SYN);
    (void)state;
    (void)world_inject(s, &seg, now);
    assert_true(world_next(s, &seen, now));
    seg.flags = WEIR_ACK;
    seg.seq = 1;
    seg.ack = seen.view.seq.v + 1;
    (void)world_inject(s, &seg, now);
    WORLD_OK(weir_stack_release(s, world_ready(s, WEIR_EV_CONNECTED), WEIR_FOREVER, now));
    assert_true(world_next(s, &seen, now));
    seg.flags = WEIR_FIN | WEIR_ACK;
    seg.ack = seen.view.seq.v + 1;
    (void)world_inject(s, &seg, now);
    assert_int_equal(world_drop_all(s, now), 1);
    assert_int_equal(weir_stack_stats(s)->connections, 1);
    weir_stack_expire(s, now + 2 * (weir_us)MSL);
    world_expect_empty(s);
    guard_free_all();
}

/* Nobody looks for weeks: what has ended has ended, to the last record, and new ones live as long as they should. */
static void test_jump_of_weeks(void **state)
{
    const weir_us start = 1000000, week = (weir_us)7 * 86400 * 1000000;
    static const unsigned weeks[] = {1, 2, 4, 8, 52, 1000};
    (void)state;
    for (unsigned i = 0; i < sizeof weeks / sizeof *weeks; i++) {
        const weir_us now = start + weeks[i] * week;
        weir_stack *s = stack_new(16, start);
        (void)past_new(s, 4000, true, start);
        struct past p = past_new(s, 4001, true, now);
        assert_int_equal(weir_stack_stats(s)->time_wait, 1);
        weir_stack_expire(s, now + 2 * (weir_us)MSL - 1);
        assert_int_equal(weir_stack_stats(s)->time_wait, 1);
        struct world_segment seg = past_segment(&p, WEIR_ACK, true);
        assert_int_equal(world_inject(s, &seg, now + 2 * (weir_us)MSL - 1), WEIR_IN_TIME_WAIT);
        weir_stack_expire(s, now + 2 * (weir_us)MSL + TICK);
        world_expect_empty(s);
        guard_free_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_lasts_2msl),
        cmocka_unit_test(test_fin_again),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_no_reset_with_rfc1337),
        cmocka_unit_test(test_what_is_acknowledged),
        cmocka_unit_test(test_acknowledgments_are_bounded),
        cmocka_unit_test(test_records_share_chains),
        cmocka_unit_test(test_rfc6191_table),
        cmocka_unit_test(test_reuse_needs_a_listener_with_room),
        cmocka_unit_test(test_reuse_needs_a_free_connection),
        cmocka_unit_test(test_reuse_of_a_connection_in_hand),
        cmocka_unit_test(test_the_oldest_gives_way),
        cmocka_unit_test(test_records_leave_in_any_order),
        cmocka_unit_test(test_without_records),
        cmocka_unit_test(test_jump_of_weeks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#undef MSL
