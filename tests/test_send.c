/* test_send.c - what goes next and what stays: sizes, Nagle, silly windows on both sides, PSH, URG, options, probes. RFC 9293 3.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

static void send_octets(struct conn_fixture *f, uint32_t len, unsigned flags)
{
    assert_int_equal(conn_send(f, len, flags), WEIR_ERR_NONE);
}

/* The peer acknowledges all and announces this window, unscaled. */
static void send_acked(struct conn_fixture *f, uint32_t window)
{
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.window = (uint16_t)window;
    conn_input(f, &g, 0);
}

static struct conn_fixture *send_open(uint32_t window)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    send_acked(f, window);
    conn_drain(f);
    f->c.snd.max_wnd = window;
    f->c.cc.cwnd = 100000;
    return f;
}

/* ---- sizes -------------------------------------------------------------------------------------------------------------------------- */

static void the_lesser_of_peer_and_path_bounds_a_segment(void **state)
{
    (void)state;
    static const struct {
        uint16_t mtu, option; /* option 0: none sent */
        uint32_t expected;
    } cases[] = {
        {1500, 1460, 1460}, {1500, 9000, 1460}, {1500, 1000, 1000}, {1500, 0, 536}, {1500, 1, 88}, {576, 1460, 536}, {428, 1460, 388},
        {9000, 1460, 1460}, {9000, 65535, 8960 > CONN_TX ? CONN_TX : 8960},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = conn_new();
        f->cfg.mtu = cases[i].mtu;
        f->cfg.iw10 = true;
        conn_connect(f);
        weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
        g.options = cases[i].option ? WEIR_OPT_MSS : 0;
        g.mss = cases[i].option;
        conn_input(f, &g, 0);
        conn_drain(f);
        send_octets(f, CONN_TX, 0);
        weir_view v;
        assert_true(conn_poll(f, &v));
        assert_int_equal(v.payload_len, cases[i].expected);
    }
}

/* MUST-14, MUST-65, MUST-67: MSS is told on SYN and SYN,ACK, from the MTU, without options taken off. */
static void syn_tells_what_we_can_receive(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    weir_view v;
    weir_tuple t = conn_tuple();
    f->cfg.timestamps = f->cfg.sack = f->cfg.window_scale = true;
    f->cfg.rx_max = 1 << 20;
    assert_int_equal(weir_connect(&f->c, &t, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.options, WEIR_OPT_MSS | WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS | WEIR_OPT_WSCALE);
    assert_int_equal(v.mss, 1460);
    assert_int_equal(v.wscale, 5); /* 2^20 >> 5 fits in 16 bits, >> 4 does not */
    assert_int_equal(v.window, CONN_RX);
    assert_int_equal(v.ts_echo, 0);
}

/* Every combination of what the two ends offer: an option is in use only where both had it. */
static void options_take_effect_where_both_offer_them(void **state)
{
    (void)state;
    const uint16_t kinds[] = {WEIR_OPT_WSCALE, WEIR_OPT_SACK_OK, WEIR_OPT_TIMESTAMPS};
    for (unsigned ours = 0; ours < 8; ours++) {
        for (unsigned theirs = 0; theirs < 8; theirs++) {
            for (unsigned passive = 0; passive < 2; passive++) {
                struct conn_fixture *f = conn_new();
                weir_view v;
                weir_info info;
                unsigned in_use = 0;
                f->cfg.window_scale = ours & 1;
                f->cfg.sack = ours & 2;
                f->cfg.timestamps = ours & 4;
                if (passive) {
                    conn_listen(f);
                } else {
                    conn_connect(f);
                }
                weir_fields g = conn_fields(f, passive ? WEIR_SYN : WEIR_SYN | WEIR_ACK, 0, 0);
                for (unsigned k = 0; k < 3; k++) {
                    g.options |= theirs >> k & 1 ? kinds[k] : 0;
                    in_use |= (ours & theirs) >> k & 1 ? kinds[k] : 0;
                }
                g.wscale = 3;
                g.ts_value = 77;
                conn_input(f, &g, 0);
                assert_true(conn_poll(f, &v));
                if (passive) {
                    assert_int_equal(v.options & ~(unsigned)WEIR_OPT_MSS, in_use);
                } else {
                    assert_int_equal(v.options, in_use & WEIR_OPT_TIMESTAMPS);
                }
                weir_info_get(&f->c, &info);
                assert_int_equal(info.options, in_use);
                assert_int_equal(info.wscale_snd, in_use & WEIR_OPT_WSCALE ? 3 : 0);
                if (in_use & WEIR_OPT_TIMESTAMPS) {
                    assert_int_equal(v.ts_echo, 77);
                }
            }
        }
    }
}

/* ---- Nagle, silly windows, PSH ------------------------------------------------------------------------------------------------------ */

static void nagle_holds_a_small_segment_while_one_is_out(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    send_octets(f, 10, 0);
    conn_expect(f, "ACK +0 +0 len 10", WEIR_ESTABLISHED);
    send_octets(f, 10, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    send_octets(f, 1450, 0); /* a full one may go; the rest is held */
    conn_expect(f, "ACK +0 +0 len 1460", WEIR_ESTABLISHED);
    send_octets(f, 5, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    weir_set_nagle(&f->c, false);
    conn_expect(f, "ACK +0 +0 len 5", WEIR_ESTABLISHED);
}

/* What is held back goes with the acknowledgment, or with FIN. */
static void nagle_lets_go(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    send_octets(f, 10, 0);
    conn_drain(f);
    send_octets(f, 7, 0);
    send_acked(f, 8000);
    conn_expect(f, "ACK +0 +0 len 7", WEIR_ESTABLISHED);
    send_octets(f, 3, 0);
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    conn_expect(f, "FIN,ACK +0 +0 len 3", WEIR_FIN_WAIT_1);
}

static void more_collects_until_push_or_the_override(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    send_octets(f, 10, WEIR_SEND_MORE);
    conn_expect(f, "", WEIR_ESTABLISHED);
    send_octets(f, 10, WEIR_SEND_PUSH);
    conn_expect(f, "ACK +0 +0 len 20", WEIR_ESTABLISHED);
    send_acked(f, 8000);
    send_octets(f, 10, WEIR_SEND_MORE);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_later(f, f->cfg.sws_override_us - 1);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_later(f, 1);
    conn_expect(f, "ACK +0 +0 len 10", WEIR_ESTABLISHED);
}

/* RFC 9293 3.8.6.2.1: a usable window too small for a full segment and for half the largest is waited out. */
static void a_silly_window_is_not_used(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    send_acked(f, 600);
    send_octets(f, 2000, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_later(f, f->cfg.sws_override_us);
    conn_expect(f, "ACK +0 +0 len 600", WEIR_ESTABLISHED);
    struct conn_fixture *g = send_open(1000); /* half of the largest window ever seen is enough */
    send_acked(g, 500);
    send_octets(g, 2000, 0);
    conn_expect(g, "ACK +0 +0 len 500", WEIR_ESTABLISHED);
}

static void push_marks_the_segment_that_empties_the_queue(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    weir_view v;
    send_octets(f, 3000, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(conn_poll(f, &v), i < 2);
        assert_false(i < 2 && (v.flags & WEIR_PSH));
    }
    send_acked(f, 8000);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.payload_len, 80);
    assert_true(v.flags & WEIR_PSH);
}

/* ---- the peer's window ---------------------------------------------------------------------------------------------------------------- */

static void nothing_new_goes_beyond_a_shrunken_window(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(4000);
    send_octets(f, 4000, 0);
    conn_drain(f); /* two full segments; the third is held by Nagle */
    weir_fields g = conn_fields(f, WEIR_ACK, 0, -2920);
    g.window = 1000; /* the edge moves left, past what is out */
    conn_input(f, &g, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_later(f, f->c.rexmt_at - f->now); /* and what lies within it is sent again (SHLD-16) */
    conn_expect(f, "ACK -2920 +0 len 1000", WEIR_ESTABLISHED);
}

/* MUST-36, SHLD-29, SHLD-30, MUST-37: first probe after one RTO, then twice as long each time, for ever while the peer answers. */
static void a_zero_window_is_probed_without_end(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(4000);
    send_acked(f, 0);
    send_octets(f, 100, 0);
    weir_us gap = f->c.rtt.rto, last = f->now;
    for (unsigned i = 0; i < 200; i++) {
        assert_true(conn_wait(f));
        conn_expect(f, i == 0 ? "ACK +0 +0 len 1" : "ACK -1 +0 len 1", WEIR_ESTABLISHED);
        assert_int_equal(f->now - last, gap);
        last = f->now;
        gap = gap * 2 < f->cfg.persist_max_us ? gap * 2 : f->cfg.persist_max_us;
        weir_fields g = conn_fields(f, WEIR_ACK, 0, -1);
        g.window = 0;
        conn_input(f, &g, 0);
    }
    assert_true(f->now > f->cfg.r2_us);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, -1);
    g.window = 4000;
    conn_input(f, &g, 0); /* it opens: what the probe carried goes again at once, then the rest */
    conn_expect(f, "ACK -1 +0 len 1", WEIR_ESTABLISHED);
    send_acked(f, 4000);
    conn_expect(f, "ACK +0 +0 len 99", WEIR_ESTABLISHED);
}

/* A peer that does not answer probes either is given up after R2. */
/* MUST-37: probes may be further apart than the user timeout; who answers each keeps the connection, who leaves one unanswered so long does not. */
static void a_short_user_timeout_spares_who_answers_probes(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(4000);
    const weir_us limit = 10 * CONN_SECOND;
    weir_set_user_timeout(&f->c, limit);
    send_acked(f, 0);
    send_octets(f, 100, 0);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(conn_wait(f));
        conn_expect(f, i == 0 ? "ACK +0 +0 len 1" : "ACK -1 +0 len 1", WEIR_ESTABLISHED);
        weir_fields g = conn_fields(f, WEIR_ACK, 0, -1);
        g.window = 0;
        conn_later(f, 1000);
        conn_input(f, &g, 0);
    }
    assert_true(conn_wait(f));
    conn_expect(f, "ACK -1 +0 len 1", WEIR_ESTABLISHED);
    weir_us start = f->now;
    while (weir_state(&f->c) != WEIR_CLOSED) {
        assert_true(conn_wait(f));
        conn_drain(f);
    }
    assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
    assert_int_equal(f->now - start, limit);
}

static void probes_that_nobody_answers_end(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(4000);
    send_acked(f, 0);
    send_octets(f, 100, 0);
    weir_us start = f->now;
    for (unsigned i = 0; i < 100 && weir_state(&f->c) != WEIR_CLOSED; i++) {
        assert_true(conn_wait(f));
        conn_drain(f);
    }
    assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
    assert_int_equal(f->now - start, f->cfg.r2_us);
}

static void a_zero_window_is_probed_with_fin_when_nothing_else_is_left(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(4000);
    send_acked(f, 0);
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    conn_expect(f, "", WEIR_FIN_WAIT_1);
    assert_true(conn_wait(f));
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
}

/* ---- our window ------------------------------------------------------------------------------------------------------------------------ */

/* RFC 9293 3.8.6.2.2: the right edge stands until it can move by min(RCV.BUFF/2, MSS). */
static void the_right_edge_moves_in_worthwhile_steps_only(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    uint8_t sink[CONN_RX];
    size_t got;
    weir_view v;
    f->c.quick_acks = 255;
    for (unsigned i = 0; i < CONN_RX / 1024; i++) {
        conn_seg(f, WEIR_ACK, 0, 0, 1024);
        assert_true(conn_poll(f, &v));
        assert_int_equal(v.window, CONN_RX - 1024 * (i + 1));
    }
    assert_int_equal(weir_recv(&f->c, sink, 1000, &got, f->now), WEIR_ERR_NONE);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 1);
    assert_true(conn_poll(f, &v)); /* text into a zero window is answered, with the same window */
    assert_int_equal(v.window, 0);
    assert_int_equal(weir_recv(&f->c, sink, 1100, &got, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v)); /* half of the ring is free: the peer hears of it at once */
    assert_int_equal(v.window, 2100);
}

/* The promised edge never moves left, whatever the shift cuts off (SHLD-14, RFC 7323 2.4). */
static void a_scaled_window_takes_nothing_back(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    weir_view v;
    f->cfg.window_scale = true;
    f->cfg.rx_max = 1u << 30;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(f->c.shift_rcv, 10); /* not 14: a ring smaller than one unit of the window could not be announced at all */
    f->c.shift_rcv = 6;
    f->c.quick_acks = 255;
    weir_seq edge = f->c.rcv.adv;
    for (unsigned i = 0; i < 300; i++) {
        conn_seg(f, WEIR_ACK, 0, 0, 1 + i % 13);
        while (conn_poll(f, &v)) {
            weir_seq told = seq_add(v.ack, (uint32_t)v.window << 6);
            assert_true(seq_leq(told, seq_add(f->c.rcv.usr, CONN_RX)));
            assert_true(seq_leq(edge, f->c.rcv.adv));
            edge = f->c.rcv.adv;
        }
    }
}

/* ---- urgent --------------------------------------------------------------------------------------------------------------------------- */

/* MUST-62: the pointer names the octet after the last urgent one; RFC 7323 A: far ones are told as 65535 away. */
static void urgent_is_pointed_at_until_acknowledged(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    weir_view v;
    send_octets(f, 2000, WEIR_SEND_URGENT);
    assert_true(conn_poll(f, &v));
    assert_true(v.flags & WEIR_URG);
    assert_int_equal(v.urgent, 2000);
    send_acked(f, 8000);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.urgent, 540);
    send_acked(f, 8000);
    send_octets(f, 5, 0);
    assert_true(conn_poll(f, &v));
    assert_false(v.flags & WEIR_URG);
}

/* MUST-31, MUST-32, MUST-33: told once it is ahead, and how much is left; the octets stay in line (RFC 6093). */
static void urgent_is_told_and_stays_in_line(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    uint8_t octets[64];
    size_t got;
    weir_fields g = conn_fields(f, WEIR_ACK | WEIR_URG, 0, 0);
    uint32_t first = g.seq.v;
    g.urgent = 30; /* beyond this segment */
    conn_input(f, &g, 20);
    assert_true(weir_events(&f->c) & WEIR_EV_URGENT);
    assert_int_equal(weir_urgent(&f->c), 30);
    conn_seg(f, WEIR_ACK, 0, 0, 20);
    assert_int_equal(weir_recv(&f->c, octets, 25, &got, f->now), WEIR_ERR_NONE);
    assert_int_equal(weir_urgent(&f->c), 5);
    g = conn_fields(f, WEIR_ACK | WEIR_URG, -20, 0);
    g.urgent = 1; /* an older pointer moves nothing back */
    conn_input(f, &g, 20);
    assert_int_equal(weir_urgent(&f->c), 5);
    assert_int_equal(weir_recv(&f->c, octets + 25, sizeof octets - 25, &got, f->now), WEIR_ERR_NONE);
    assert_int_equal(got, 15);
    assert_int_equal(weir_urgent(&f->c), 0);
    assert_false(weir_events(&f->c) & WEIR_EV_URGENT);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(octets[i], conn_octet(first + i));
    }
}

/* ---- the checksum -------------------------------------------------------------------------------------------------------------------- */

/* Summed while it is copied, wherever the text lies in the ring and however it is cut: the strict parser verifies it, and the octets. */
static void a_copy_closes_the_checksum(void **state)
{
    (void)state;
    struct conn_fixture *f = send_open(8000);
    weir_tuple t = conn_tuple();
    weir_pseudo pseudo = {t.local, t.remote};
    unsigned cut = 0;
    for (uint32_t len = 1; len < 1400; len += 7) {
        weir_out out;
        weir_view v;
        uint8_t octets[1600];
        uint32_t first = f->c.snd.nxt.v;
        send_octets(f, len, 0);
        assert_int_equal(weiri_out_open(&f->c, &out, 0, f->now), 20 + len);
        cut += out.body[1].len > 0;
        assert_int_equal(weiri_out_copy_closed(&out, octets), 20 + len);
        assert_int_equal(weir_view_segment(&v, octets, 20 + len, &pseudo), WEIR_OK);
        assert_int_equal(v.payload_len, len);
        for (uint32_t i = 0; i < len; i++) {
            assert_int_equal(v.payload[i], conn_octet(first + i));
        }
        octets[20 + len / 2] ^= 1;
        assert_int_equal(weir_view_segment(&v, octets, 20 + len, &pseudo), WEIR_TCP_CHECKSUM);
        send_acked(f, 8000);
    }
    assert_true(cut > 10); /* over the ring's end, odd lengths among them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lesser_of_peer_and_path_bounds_a_segment),
        cmocka_unit_test(syn_tells_what_we_can_receive),
        cmocka_unit_test(options_take_effect_where_both_offer_them),
        cmocka_unit_test(nagle_holds_a_small_segment_while_one_is_out),
        cmocka_unit_test(nagle_lets_go),
        cmocka_unit_test(more_collects_until_push_or_the_override),
        cmocka_unit_test(a_silly_window_is_not_used),
        cmocka_unit_test(push_marks_the_segment_that_empties_the_queue),
        cmocka_unit_test(nothing_new_goes_beyond_a_shrunken_window),
        cmocka_unit_test(a_zero_window_is_probed_without_end),
        cmocka_unit_test(a_short_user_timeout_spares_who_answers_probes),
        cmocka_unit_test(probes_that_nobody_answers_end),
        cmocka_unit_test(a_zero_window_is_probed_with_fin_when_nothing_else_is_left),
        cmocka_unit_test(the_right_edge_moves_in_worthwhile_steps_only),
        cmocka_unit_test(a_scaled_window_takes_nothing_back),
        cmocka_unit_test(urgent_is_pointed_at_until_acknowledged),
        cmocka_unit_test(urgent_is_told_and_stays_in_line),
        cmocka_unit_test(a_copy_closes_the_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
