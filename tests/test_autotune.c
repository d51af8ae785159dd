/* test_autotune.c - rings that grow when the path asks and the caller grants, and rings that are taken away: one connection by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { TUNE_RTT = 20000, TUNE_MOST = 1 << 20 };

static uint64_t tune_memory[2][(2 * TUNE_MOST + (1 << 16)) / 8];
static unsigned tune_turn;

/* An active open with Window Scale over a path of TUNE_RTT, rings of 4096. */
static struct conn_fixture *tune_open(void)
{
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    f->cfg.rx_max = f->cfg.tx_max = TUNE_MOST;
    conn_connect(f);
    conn_later(f, TUNE_RTT);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    g.wscale = 7;
    conn_input(f, &g, 0);
    conn_drain(f);
    return f;
}

static void tune_lend(struct conn_fixture *f, weir_sizes sizes)
{
    weir_buffers b;
    assert_true(weir_buffers_carve(&b, tune_memory[tune_turn], sizeof tune_memory[0], sizes));
    assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
    tune_turn ^= 1;
    memset(tune_memory[tune_turn], 0xee, sizeof tune_memory[0]); /* what is there no more is not read */
    conn_mark(f);
    assert_null(weir_check(&f->c));
}

static bool tune_grows(const struct conn_fixture *f)
{
    weir_sizes wanted = weir_wanted(&f->c);
    bool more = wanted.rx > f->c.rx_size || wanted.tx > f->c.tx_size;
    assert_true(wanted.rx >= f->c.rx_size && wanted.tx >= f->c.tx_size);
    assert_int_equal(more, (weir_events(&f->c) & WEIR_EV_GROW) != 0);
    return more;
}

/* The peer sends `len` octets, in order. */
static void tune_arrive(struct conn_fixture *f, uint32_t len)
{
    while (len > 0) {
        uint32_t part = len < 1460 ? len : 1460;
        conn_seg(f, WEIR_ACK, 0, 0, part);
        conn_drain(f);
        len -= part;
    }
}

static uint32_t tune_read(struct conn_fixture *f, uint32_t most)
{
    static uint8_t octets[TUNE_MOST];
    size_t got;
    weir_seq from = f->c.rcv.usr;
    assert_int_equal(weir_recv(&f->c, octets, most < sizeof octets ? most : sizeof octets, &got, f->now), WEIR_ERR_NONE);
    for (uint32_t i = 0; i < got; i++) {
        assert_int_equal(octets[i], conn_octet(from.v + i));
    }
    conn_drain(f);
    return (uint32_t)got;
}

/* ---- the receive ring ------------------------------------------------------------------------------------------- */

/* A peer that fills every window, as in slow start, and a user that reads at once: doubled each round trip, up to the configured most. */
static void a_fast_reader_makes_the_ring_grow(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    unsigned rounds = 0;
    for (; f->c.rx_size < TUNE_MOST; rounds++) {
        assert_in_range(rounds, 0, 10); /* eight doublings */
        uint32_t window = conn_rcv_wnd(&f->c);
        for (unsigned part = 0; part < 8; part++) { /* spread over the round trip */
            tune_arrive(f, window / 8);
            tune_read(f, UINT32_MAX);
            conn_later(f, TUNE_RTT / 8);
        }
        if (tune_grows(f)) {
            tune_lend(f, weir_wanted(&f->c));
            conn_drain(f);
        }
    }
    assert_int_equal(f->c.tx_size, CONN_TX); /* nothing was sent */
    for (unsigned i = 0; i < 5; i++) {
        tune_arrive(f, conn_rcv_wnd(&f->c));
        tune_read(f, UINT32_MAX);
        conn_later(f, TUNE_RTT);
        assert_false(tune_grows(f)); /* rx_max is the most */
    }
}

/* A ring holds twice what is read in a round trip and does not grow beyond that. */
static void a_steady_reader_gets_twice_what_it_reads(void **state)
{
    (void)state;
    static const struct {
        uint32_t octets, ring; /* read in each round trip, wanted in the end */
    } rows[] = {{100, 4096}, {2000, 4096}, {2100, 8192}, {4000, 8192}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conn_fixture *f = tune_open();
        for (unsigned round = 0; round < 50; round++) {
            tune_arrive(f, rows[i].octets);
            assert_int_equal(tune_read(f, UINT32_MAX), rows[i].octets);
            conn_later(f, TUNE_RTT);
            if (tune_grows(f) && round > 1) { /* the first rounds are growth */
                tune_lend(f, weir_wanted(&f->c));
            }
        }
        assert_in_range(f->c.rx_size, rows[i].ring, 4 * rows[i].ring);
        assert_true(rows[i].octets > 2048 || f->c.rx_size == CONN_RX);
    }
}

/* Whoever sends what nobody reads gets no memory for it: in order, with gaps, twice, and probing a window of zero. */
static void what_is_not_read_asks_for_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    for (unsigned round = 0; round < 200; round++) {
        conn_seg(f, WEIR_ACK, (int32_t)(round % 3) * 500, 0, 1460);
        conn_drain(f);
        conn_later(f, round % 2 ? TUNE_RTT : 1000);
        assert_false(tune_grows(f));
    }
    assert_int_equal(conn_rcv_wnd(&f->c), 0);
}

/* The window is small and the user reads a little of it each round trip: the ring is not what limits. */
static void a_slow_reader_asks_for_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    for (unsigned round = 0; round < 200; round++) {
        tune_arrive(f, conn_rcv_wnd(&f->c));
        tune_read(f, 1000);
        conn_later(f, TUNE_RTT);
        assert_false(tune_grows(f));
    }
}

/* After a stall what had waited comes at once: that is not the path's rate. */
static void a_burst_after_a_stall_is_no_rate(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    for (unsigned round = 0; round < 40; round++) {
        tune_arrive(f, round % 8 == 7 ? 4000 : 500);
        tune_read(f, UINT32_MAX);
        conn_later(f, TUNE_RTT);
        assert_false(tune_grows(f));
    }
}

/* The caller says no: the wish stays, the stream goes on, and no window passes the ring. */
static void refusal_is_harmless(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    uint32_t read = 0;
    for (unsigned round = 0; round < 50; round++) {
        assert_in_range(conn_rcv_wnd(&f->c), CONN_RX / 2, CONN_RX);
        tune_arrive(f, conn_rcv_wnd(&f->c));
        read += tune_read(f, UINT32_MAX);
        conn_later(f, TUNE_RTT);
        assert_true(round < 2 || tune_grows(f));
    }
    assert_in_range(read, 50 * CONN_RX / 2, 50 * CONN_RX);
}

/* The receiver's round trip by its own timestamps, echoed: what is read in one of them counts, however long the handshake took. */
static void an_echoed_timestamp_tells_the_round_trip(void **state)
{
    (void)state;
    static const uint32_t rtt_ms[2] = {2, 80};
    uint32_t wanted[2];
    for (unsigned i = 0; i < 2; i++) {
        struct conn_fixture *f = conn_new();
        f->cfg.timestamps = f->cfg.window_scale = true;
        f->cfg.rx_max = TUNE_MOST;
        conn_connect(f);
        conn_later(f, TUNE_RTT);
        weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
        g.options |= WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE;
        g.ts_value = 1;
        g.ts_echo = weiri_ts_now(&f->c);
        conn_input(f, &g, 0);
        conn_drain(f);
        for (unsigned round = 0; round < 200; round++) {
            conn_later(f, 2000);
            g = conn_fields(f, WEIR_ACK, 0, 0);
            g.options = WEIR_OPT_TIMESTAMPS;
            g.ts_value = 2 + round;
            g.ts_echo = weiri_ts_now(&f->c) - rtt_ms[i];
            conn_input(f, &g, 1000); /* 500 octets a millisecond */
            conn_drain(f);
            tune_read(f, UINT32_MAX);
        }
        wanted[i] = weir_wanted(&f->c).rx;
    }
    assert_int_equal(wanted[0], CONN_RX);              /* a thousand octets a round trip */
    assert_in_range(wanted[1], 2 * 40 * 1000, 262144); /* forty times as many */
}

/* Without timestamps and with a SYN that went twice there is no sample at all: the time for a whole window tells. */
static void the_time_for_a_window_tells_where_nothing_else_does(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    f->cfg.rx_max = TUNE_MOST;
    conn_connect(f);
    assert_true(conn_wait(f));
    conn_drain(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(f->c.rtt.min, 0);
    for (unsigned round = 0; round < 10; round++) {
        conn_later(f, TUNE_RTT);
        tune_arrive(f, conn_rcv_wnd(&f->c));
        tune_read(f, UINT32_MAX);
    }
    assert_in_range(f->c.tune.rtt, TUNE_RTT / 2, 2 * TUNE_RTT);
    assert_true(tune_grows(f));
}

/* ---- the send ring ---------------------------------------------------------------------------------------------- */

/* The user keeps the ring filled, the peer acknowledges all: twice the congestion window, as far as the peer's window makes use of it. */
static void a_filled_send_ring_follows_the_congestion_window(void **state)
{
    (void)state;
    static const struct {
        uint32_t most, window, ring;
    } rows[] = {{1 << 16, 65535 << 7, 1 << 16}, {TUNE_MOST, 10000, 32768}, {TUNE_MOST, 65535 << 7, TUNE_MOST}, {0, 65535 << 7, CONN_TX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conn_fixture *f = tune_open();
        f->cfg.tx_max = rows[i].most;
        for (unsigned round = 0; round < 20; round++) {
            while ((weir_events(&f->c) & WEIR_EV_WRITABLE) != 0) {
                assert_int_equal(conn_send(f, 60000, 0), WEIR_ERR_NONE);
            }
            while (weir_has_output(&f->c)) {
                conn_drain(f);
            }
            conn_later(f, TUNE_RTT);
            while (conn_flight(&f->c) > 0) { /* segment by segment, so that slow start counts them */
                uint32_t left = conn_flight(&f->c), step = left < 1460 ? left : 1460;
                weir_fields g = conn_fields(f, WEIR_ACK, 0, -(int32_t)(left - step));
                g.window = (uint16_t)(rows[i].window >> 7);
                conn_input(f, &g, 0);
            }
            if (tune_grows(f)) {
                weir_sizes wanted = weir_wanted(&f->c);
                assert_true(wanted.tx <= 4 * f->c.cc.cwnd);
                tune_lend(f, wanted);
            }
        }
        assert_int_equal(f->c.tx_size, rows[i].ring);
        assert_int_equal(f->c.rx_size, CONN_RX);
    }
}

/* Who writes little, or waits for the peer's window, needs no larger ring. */
static void who_does_not_fill_the_send_ring_asks_for_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    for (unsigned round = 0; round < 100; round++) {
        assert_int_equal(conn_send(f, 1460, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_later(f, TUNE_RTT);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        assert_false(tune_grows(f));
    }
}

/* ---- no rings, and smaller ones --------------------------------------------------------------------------------- */

static void rings_can_be_taken_away_and_lent_again(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    weir_buffers none;
    weir_sizes sizes = {1024, 1024};
    size_t len;
    weir_view v;
    memset(&none, 0, sizeof none);
    weir_seq edge = f->c.rcv.adv;
    assert_int_equal(weir_set_buffers(&f->c, &none, f->now), WEIR_ERR_NONE);
    memset(f->memory, 0xee, sizeof f->memory);
    assert_null(weir_check(&f->c));
    assert_true(tune_grows(f));
    weir_rx_peek(&f->c, &len);
    assert_int_equal(len, 0);
    weir_tx_reserve(&f->c, &len);
    assert_int_equal(len, 0);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE); /* of which nothing was taken */
    conn_expect(f, "", WEIR_ESTABLISHED);
    /* Text is as if lost, in order and not; the answer tells where we stand and takes no promise back. */
    for (unsigned gap = 0; gap < 2; gap++) {
        conn_seg(f, WEIR_ACK, (int32_t)gap * 100, 0, 700);
        assert_true(conn_poll(f, &v));
        assert_true(seq_eq(v.ack, f->peers));
        assert_true(seq_leq(edge, seq_add(v.ack, ((uint32_t)v.window + 1) << f->c.shift_rcv)));
        assert_int_equal(f->c.span_count, 0);
    }
    /* FIN needs a record. */
    tune_lend(f, sizes);
    conn_seg(f, WEIR_ACK, 0, 0, 700);
    conn_drain(f);
    assert_int_equal(weir_set_buffers(&f->c, &none, f->now), WEIR_ERR_INVALID); /* there is something in it */
    assert_int_equal(tune_read(f, UINT32_MAX), 700);
    assert_int_equal(weir_set_buffers(&f->c, &none, f->now), WEIR_ERR_NONE);
    conn_close(f);
    assert_int_equal(conn_flight(&f->c), 0);
    tune_lend(f, sizes);
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
}

/* A smaller ring than was promised: the edge stands, what has a place is taken, the rest comes again. */
static void a_smaller_ring_keeps_the_promise(void **state)
{
    (void)state;
    struct conn_fixture *f = tune_open();
    weir_sizes sizes = {512, 512};
    weir_seq edge = f->c.rcv.adv, first = f->c.rcv.nxt;
    weir_view v;
    tune_lend(f, sizes);
    for (unsigned turn = 1; turn <= 20; turn++) {
        conn_seg(f, WEIR_ACK, 0, 0, 1460);
        assert_true(conn_poll(f, &v));
        assert_int_equal(seq_diff(first, v.ack), 512 * turn);
        weir_seq told = seq_add(v.ack, (uint32_t)v.window << f->c.shift_rcv);
        assert_true(seq_lt(edge, seq_add(told, 1u << f->c.shift_rcv))); /* never left by a unit or more (RFC 7323 2.4) */
        edge = seq_max(edge, told);
        assert_int_equal(tune_read(f, UINT32_MAX), 512);
        while (conn_poll(f, &v)) {
            edge = seq_max(edge, seq_add(v.ack, (uint32_t)v.window << f->c.shift_rcv));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_reader_makes_the_ring_grow),
        cmocka_unit_test(a_steady_reader_gets_twice_what_it_reads),
        cmocka_unit_test(what_is_not_read_asks_for_nothing),
        cmocka_unit_test(a_slow_reader_asks_for_nothing),
        cmocka_unit_test(a_burst_after_a_stall_is_no_rate),
        cmocka_unit_test(refusal_is_harmless),
        cmocka_unit_test(an_echoed_timestamp_tells_the_round_trip),
        cmocka_unit_test(the_time_for_a_window_tells_where_nothing_else_does),
        cmocka_unit_test(a_filled_send_ring_follows_the_congestion_window),
        cmocka_unit_test(who_does_not_fill_the_send_ring_asks_for_nothing),
        cmocka_unit_test(rings_can_be_taken_away_and_lent_again),
        cmocka_unit_test(a_smaller_ring_keeps_the_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
