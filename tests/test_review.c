/* test_review.c - corners in which two rules meet: windows of rings that grow, timers of states that end, Karn's rule where a segment
 * went twice for another reason than its timer, a scoreboard that its peer has filled. RFC 9293 3.8, 3.10; RFC 5681, 6298, 7323. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"
#include "recovery/recovery.h"

/* ---- windows --------------------------------------------------------------------------------------------------- */

/* A handshake as the active side with Window Scale from both ends; returns the shift that the SYN told the peer. */
static uint8_t scaled_open(struct conn_fixture *f, const weir_buffers *larger)
{
    weir_view v;
    assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    uint8_t told = v.wscale;
    if (larger != NULL) {
        assert_int_equal(weir_set_buffers(&f->c, larger, f->now), WEIR_ERR_NONE);
    }
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    conn_input(f, &g, 0);
    return told;
}

static weir_buffers carve(weir_sizes sizes)
{
    static uint64_t memory[(1 << 20) / 8];
    weir_buffers b;
    assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
    return b;
}

/* RFC 7323 2.3: the shift that was told is the shift that is used, even if the ring grew in between (RFC7323-2.3-2). */
static void the_shift_of_the_syn_is_the_shift_of_the_connection(void **state)
{
    (void)state;
    weir_sizes sizes = {512 * 1024, 4096};
    weir_buffers larger = carve(sizes);
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    uint8_t told = scaled_open(f, &larger);
    assert_int_equal(f->c.shift_rcv, told);
}

/* The same on the passive side, where a held connection may be given larger rings before its SYN,ACK goes. */
static void the_shift_of_the_syn_ack_is_the_shift_of_the_connection(void **state)
{
    (void)state;
    weir_sizes sizes = {512 * 1024, 4096};
    weir_buffers larger = carve(sizes);
    struct conn_fixture *f = conn_new();
    weir_view v;
    f->cfg.window_scale = true;
    conn_listen(f);
    weir_hold(&f->c);
    weir_fields g = conn_fields(f, WEIR_SYN, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    conn_input(f, &g, 0);
    assert_int_equal(weir_set_buffers(&f->c, &larger, f->now), WEIR_ERR_NONE);
    assert_int_equal(weir_admit(&f->c, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.flags, WEIR_SYN | WEIR_ACK);
    assert_int_equal(v.wscale, f->c.shift_rcv);
}

/* However large the ring that might be lent one day: a window of the ring that is lent now can be told. Everything that arrives is read at
 * once, and the peer sends all it may: it must never be left before a window of zero (RFC 9293 3.8.6). */
static void a_small_ring_under_a_large_rx_max_still_has_a_window(void **state)
{
    (void)state;
    static const struct {
        uint32_t ring, rx_max;
    } rows[] = {{4096, 1u << 30}, {256, 1u << 30}, {4096, 1u << 24}, {1024, 1u << 26}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_sizes sizes = {rows[i].ring, 4096};
        struct conn_fixture *f = conn_new_sized(sizes);
        weir_view v;
        f->cfg.window_scale = true;
        f->cfg.rx_max = rows[i].rx_max;
        uint8_t told = scaled_open(f, NULL);
        uint32_t window = rows[i].ring;
        conn_drain(f);
        for (unsigned turn = 0; turn < 50; turn++) {
            assert_true(window > 0);
            conn_seg(f, WEIR_ACK, 0, 0, window < 1460 ? window : 1460);
            size_t len;
            for (weir_rx_peek(&f->c, &len); len > 0; weir_rx_peek(&f->c, &len)) {
                assert_int_equal(weir_rx_consume(&f->c, len, f->now), WEIR_ERR_NONE);
            }
            if (!weir_has_output(&f->c)) {
                conn_later(f, f->cfg.ack_delay_us);
            }
            while (conn_poll(f, &v)) {
                window = (uint32_t)v.window << told;
            }
        }
    }
}

/* Reading makes room, and room is told when it makes a difference to the peer: an ACK that repeats number and window is nothing but a
 * duplicate, and three of them are taken for a loss (RFC 5681 2, RFC 9293 3.8.6.2.2). */
static void reading_never_repeats_an_ack(void **state)
{
    (void)state;
    static const struct {
        uint32_t rx, rx_max;
        uint16_t mtu;
        bool scale;
    } rows[] = {
        {512 * 1024, 0, 1500, false},      {512 * 1024, 0, 65535, false},    {512 * 1024, 0, 65535, true},
        {512 * 1024, 1u << 30, 1500, true}, {64 * 1024, 1u << 30, 1500, true}, {4096, 0, 1500, false}, {65536, 0, 1500, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_sizes sizes = {rows[i].rx, 4096};
        weir_buffers b = carve(sizes);
        struct conn_fixture *f = conn_new();
        weir_view v;
        f->cfg.window_scale = rows[i].scale;
        f->cfg.rx_max = rows[i].rx_max;
        f->cfg.mtu = rows[i].mtu;
        assert_int_equal(weir_init(&f->c, &f->cfg, &b, f->now), WEIR_ERR_NONE);
        scaled_open(f, NULL);
        conn_drain(f);
        while (conn_rcv_wnd(&f->c) >= 1460) {
            conn_take(f, WEIR_ACK, 0, 0, 1460);
        }
        conn_later(f, CONN_SECOND);
        conn_drain(f);
        weir_seq ack = f->c.rcv.nxt;
        uint32_t window = UINT32_MAX;
        size_t len;
        for (weir_rx_peek(&f->c, &len); len > 0; weir_rx_peek(&f->c, &len)) {
            assert_int_equal(weir_rx_consume(&f->c, len < 700 ? len : 700, f->now), WEIR_ERR_NONE);
            while (conn_poll(f, &v)) {
                assert_int_equal(v.ack.v, ack.v);
                assert_int_not_equal(v.window, window);
                window = v.window;
            }
        }
        assert_true(window != UINT32_MAX && window > 0);
        assert_true((uint32_t)window << f->c.shift_rcv >= (rows[i].rx < 65535 ? rows[i].rx : 65535) / 2);
    }
}

/* A larger ring is room as well as reading is: a peer that stands before a window of zero hears of it at once. */
static void a_larger_ring_opens_the_window(void **state)
{
    (void)state;
    weir_sizes sizes = {65536, 4096};
    weir_buffers larger = carve(sizes);
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_view v;
    conn_take(f, WEIR_ACK, 0, 0, 2048);
    conn_take(f, WEIR_ACK, 0, 0, 2048);
    conn_later(f, CONN_SECOND);
    conn_drain(f);
    assert_int_equal(conn_rcv_wnd(&f->c), 0);
    assert_int_equal(weir_set_buffers(&f->c, &larger, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_true(v.window >= 32768);
    conn_expect(f, "", WEIR_ESTABLISHED);
}

/* ---- timers --------------------------------------------------------------------------------------------------- */

/* TIME-WAIT probes nobody, whatever still arrives, and no deadline of it lies in the past (RFC 9293 3.8.4, 3.10.8). */
static void time_wait_keeps_no_connection_alive(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.keepalive_idle_us = CONN_SECOND;
    f->cfg.keepalive_interval_us = CONN_SECOND;
    weir_set_keepalive(&f->c, true, f->now);
    conn_go(f, WEIR_TIME_WAIT);
    weir_us end = weir_deadline(&f->c);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    assert_int_equal(weir_deadline(&f->c), end);
    assert_true(conn_wait(f));
    conn_expect(f, "", WEIR_CLOSED);
}

/* A SYN,ACK that went twice because the SYN came twice: which of the two is acknowledged nobody knows (RFC 6298 3, Karn). */
static void a_syn_ack_that_went_twice_gives_no_sample(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_LISTEN);
    conn_take(f, WEIR_SYN, 0, 0, 0);
    conn_later(f, 500000);
    conn_seg(f, WEIR_SYN, -1, 0, 0);
    conn_expect(f, "SYN,ACK ISS +0", WEIR_SYN_RECEIVED);
    conn_later(f, 1000);
    conn_seg(f, WEIR_ACK, 0, 0, 0); /* of the first, most likely: a round trip of 501 ms, not of 1 */
    conn_expect(f, "", WEIR_ESTABLISHED);
    assert_int_equal(f->c.rtt.srtt8, 0);
    assert_int_equal(f->c.rtt.rto, f->cfg.rto_initial_us);
}

/* RFC 6298 5.5 and its note, Karn: a timeout that was doubled stays until there is a sample. A path that has become slower than the
 * timeout would otherwise have every segment sent again, for ever, and never be measured. */
static void backoff_lasts_until_there_is_a_sample(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    const weir_us path = 3 * CONN_SECOND;
    unsigned resent = 0;
    for (unsigned i = 0; i < 6; i++) { /* one segment a round trip of three seconds */
        weir_us arrives = f->now + path;
        assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
        conn_drain(f);
        resent = 0;
        while (weir_deadline(&f->c) < arrives) {
            assert_true(conn_wait(f));
            resent += conn_says(f)[0] != '\0';
        }
        f->now = arrives;
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        conn_drain(f);
    }
    assert_int_equal(resent, 0);
    assert_true(f->c.rtt.srtt8 >> 3 > 1000000);
}

/* ---- loss --------------------------------------------------------------------------------------------------- */

static struct conn_fixture *flight(unsigned segments, bool sack)
{
    struct conn_fixture *f = conn_new();
    f->cfg.sack = sack;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.mss = 100;
    g.options |= sack ? WEIR_OPT_SACK_OK : 0;
    conn_input(f, &g, 0);
    conn_drain(f);
    weir_set_nagle(&f->c, false);
    f->c.cc.cwnd = segments * 100;
    for (unsigned i = 0; i < segments; i++) {
        f->now += 10;
        assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
        conn_drain(f);
    }
    return f;
}

/* RFC 5681 3.1: after a timeout the window is one segment. Duplicates of what was on its way before do not widen it: what they stand for
 * is no longer counted as in flight. */
static void after_a_timeout_duplicates_send_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = flight(10, false);
    assert_true(conn_wait(f));
    conn_expect(f, "ACK -1000 +0 len 100", WEIR_ESTABLISHED);
    for (unsigned i = 0; i < 6; i++) {
        conn_seg(f, WEIR_ACK, 0, -1000, 0);
        conn_expect(f, "", WEIR_ESTABLISHED);
    }
}

/* RFC 3042 2, RFC 5681 3.2 step 1: outside recovery two duplicates at most let new segments out, also where recovery may not begin
 * (RFC 6582 3.2 step 1). */
static void two_duplicates_at_most_extend_the_flight(void **state)
{
    (void)state;
    struct conn_fixture *f = flight(10, false);
    f->c.recover = f->c.snd.una; /* as after a timeout whose octets were all acknowledged */
    f->c.snd.wnd = 4000;
    for (unsigned i = 0; i < 8; i++) {
        weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
        assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
        g.ack = f->c.snd.una;
        g.window = 4000;
        conn_input(f, &g, 0);
        conn_drain(f);
    }
    assert_int_equal(conn_flight(&f->c), 1200);
}

/* A peer may report in such a way that every record is taken and none can be joined, the last octet included. Then nothing new goes, and
 * the connection says so instead of promising a segment. */
static void a_full_scoreboard_promises_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = flight(30, true);
    weir_seq una = f->c.snd.una;
    for (unsigned i = 1; i < 30; i += 2) {
        weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
        g.ack = una;
        g.options = WEIR_OPT_SACK;
        g.sack_count = 1;
        g.sack[0].from = seq_add(una, 100 * (30 - i));
        g.sack[0].to = seq_add(una, 100 * (31 - i));
        conn_input(f, &g, 0);
        conn_drain(f);
    }
    f->c.cc.cwnd = 1 << 20;
    assert_int_equal(conn_send(f, 500, 0), WEIR_ERR_NONE);
    conn_drain(f); /* conn_poll holds weir_has_output against what weir_poll does */
    assert_int_not_equal(weir_deadline(&f->c), WEIR_FOREVER);
}

/* A peer that answers the probes of its closed window repeats itself; that is no sign of loss, and cwnd stays (RFC 5681 2). */
static void answers_to_probes_are_no_duplicates(void **state)
{
    (void)state;
    struct conn_fixture *f = flight(10, false);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.window = 0;
    conn_input(f, &g, 0);
    uint32_t cwnd = f->c.cc.cwnd;
    assert_int_equal(conn_send(f, 500, 0), WEIR_ERR_NONE);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(conn_wait(f));
        conn_drain(f);
        g = conn_fields(f, WEIR_ACK, 0, -1);
        g.window = 0;
        conn_input(f, &g, 0);
    }
    assert_int_equal(f->c.count.recoveries, 0);
    assert_int_equal(f->c.cc.cwnd, cwnd);
    g = conn_fields(f, WEIR_ACK, 0, -1);
    conn_input(f, &g, 0);
    conn_expect(f, "ACK -1 +0 len 1; ACK +0 +0 len 100; ACK +100 +0 len 100; ACK +200 +0 len 100; ACK +300 +0 len 100; ACK +400 +0 len 99",
                WEIR_ESTABLISHED);
}

/* RFC 7323 2.4: in whole units a window may seem to go back by less than one. What was sent inside it before goes again as a segment, not
 * octet by octet as probes at ever longer intervals. */
static void what_rounding_hides_is_sent_again_whole(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.mss = 100;
    g.options |= WEIR_OPT_WSCALE;
    g.wscale = 10;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(conn_send(f, 300, 0), WEIR_ERR_NONE);
    conn_drain(f);
    g = conn_fields(f, WEIR_ACK, 0, -200); /* the second segment is lost, and less than 1024 octets of the window are left */
    g.window = 0;
    conn_input(f, &g, 0);
    assert_true(conn_wait(f));
    conn_expect(f, "ACK -200 +0 len 100", WEIR_ESTABLISHED);
}

/* What weiri_board_has_room says is what weiri_board_push then does, on boards that were filled, reported, lost and sent again. */
static void room_on_the_board_is_what_a_push_finds(void **state)
{
    (void)state;
    struct weir_sent records[WEIRI_BOARD_MEMORY(12)], copies[WEIRI_BOARD_MEMORY(12)];
    uint32_t seed = 12345, refused = 0;
    for (unsigned run = 0; run < 3000; run++) {
        struct weir_board b;
        uint32_t nxt = 0;
        weiri_board_init(&b, records, (uint16_t)(2 + run % 11));
        for (unsigned step = 0; step < 60; step++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t at = nxt > 0 ? (seed >> 8) % nxt : 0, dice = seed >> 29;
            weir_block one = {seq_of(at), seq_of(at + 1)}, next = {seq_of(nxt), seq_of(nxt + 1)};
            if (dice < 3) {
                struct weir_board copy = b;
                memcpy(copies, records, sizeof records);
                copy.sent = copies;
                bool room = weiri_board_has_room(&b);
                assert_int_equal(weiri_board_push(&copy, next, step), room);
                refused += !room;
                nxt += room && weiri_board_push(&b, next, step);
            } else if (dice < 6) {
                (void)weiri_board_sack(&b, one);
            } else if (dice == 6) {
                weiri_board_resent(&b, one, step);
            } else {
                (void)weiri_board_lose_head(&b, 2);
            }
        }
    }
    assert_true(refused > 100);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* RFC 5961 5.2: SND.UNA - MAX.SND.WND =< SEG.ACK. The first octet's number is not too old because our FIN was acknowledged since. */
static void an_old_ack_counts_although_our_fin_is_acknowledged(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_close(f);
    conn_take(f, WEIR_ACK, 0, 0, 0);
    assert_int_equal(weir_state(&f->c), WEIR_FIN_WAIT_2);
    conn_seg(f, WEIR_ACK, 0, -11, 20); /* sent before our text had arrived, and late */
    assert_int_equal(weiri_ring_readable(&f->c), 20);
}

/* A SYN that is taken back does not open the door for the next: the connection stays held. */
static void a_reset_does_not_end_the_hold(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_LISTEN);
    weir_hold(&f->c);
    conn_take(f, WEIR_SYN, 0, 0, 0);
    conn_seg(f, WEIR_RST, 0, 0, 0);
    conn_expect(f, "", WEIR_LISTEN);
    conn_seg(f, WEIR_SYN, 0, 0, 0);
    conn_expect(f, "", WEIR_SYN_RECEIVED);
    assert_true(weir_events(&f->c) & WEIR_EV_HELD);
}

/* RFC 7323 3.2, 5.2: the RST of an ABORT has timestamps, but nothing to echo where it has no ACK. */
static void a_reset_without_ack_echoes_nothing(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    weir_view v;
    f->cfg.timestamps = true;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_TIMESTAMPS;
    g.ts_value = 1000;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(weir_abort(&f->c, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.flags, WEIR_RST);
    assert_true(v.options & WEIR_OPT_TIMESTAMPS);
    assert_int_equal(v.ts_value, weiri_ts_now(&f->c));
    assert_int_equal(v.ts_echo, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shift_of_the_syn_is_the_shift_of_the_connection),
        cmocka_unit_test(the_shift_of_the_syn_ack_is_the_shift_of_the_connection),
        cmocka_unit_test(a_small_ring_under_a_large_rx_max_still_has_a_window),
        cmocka_unit_test(reading_never_repeats_an_ack),
        cmocka_unit_test(a_larger_ring_opens_the_window),
        cmocka_unit_test(time_wait_keeps_no_connection_alive),
        cmocka_unit_test(a_syn_ack_that_went_twice_gives_no_sample),
        cmocka_unit_test(backoff_lasts_until_there_is_a_sample),
        cmocka_unit_test(after_a_timeout_duplicates_send_nothing),
        cmocka_unit_test(two_duplicates_at_most_extend_the_flight),
        cmocka_unit_test(a_full_scoreboard_promises_nothing),
        cmocka_unit_test(answers_to_probes_are_no_duplicates),
        cmocka_unit_test(what_rounding_hides_is_sent_again_whole),
        cmocka_unit_test(room_on_the_board_is_what_a_push_finds),
        cmocka_unit_test(an_old_ack_counts_although_our_fin_is_acknowledged),
        cmocka_unit_test(a_reset_does_not_end_the_hold),
        cmocka_unit_test(a_reset_without_ack_echoes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
