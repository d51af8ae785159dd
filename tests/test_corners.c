/* test_corners.c - a connection where traffic hardly ever leads: calls in odd orders, fields at their ends, peers that acknowledge what no
 * peer would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

/* Established with what both have agreed on, by an MSS of 388 and with `count` segments in flight. */
static struct conn_fixture *corner_flying(bool sack, bool rack, unsigned count)
{
    struct conn_fixture *f = conn_new();
    f->cfg.mtu = 428;
    f->cfg.sack = sack;
    f->cfg.rack = rack;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= (uint16_t)(sack ? WEIR_OPT_SACK_OK : 0);
    conn_later(f, 10000);
    conn_input(f, &g, 0);
    conn_drain(f);
    f->c.cc.cwnd = 388 * count;
    assert_int_equal(conn_send(f, 388 * count, 0), WEIR_ERR_NONE);
    conn_drain(f);
    return f;
}

/* An acknowledgment of SND.UNA that reports the segments [from, to) of those in flight. */
static void corner_sack(struct conn_fixture *f, unsigned from, unsigned to, unsigned flags)
{
    weir_fields g = conn_fields(f, WEIR_ACK | flags, 0, 0);
    weir_seq first = f->c.snd.una;
    g.ack = first;
    g.options |= WEIR_OPT_SACK;
    g.sack_count = 1;
    g.sack[0].from = seq_add(first, 388 * from);
    g.sack[0].to = seq_add(first, 388 * to);
    conn_input(f, &g, 0);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------------ */

static void test_actions_that_do_nothing(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    static weir_conn before;
    struct weiri_step s;
    (void)state;
    before = f->c;
    memset(&s, 0, sizeof s);
    s.c = &f->c;
    weiri_act(&s, WEIRI_ACT_NONE);
    assert_memory_equal(&f->c, &before, sizeof before);
}

/* LISTEN for whoever comes from one port: the address alone is open. It is learnt, and forgotten again by a reset. */
static void test_listen_for_a_port_of_anybody(void **state)
{
    struct conn_fixture *f = conn_new();
    weir_tuple t = f->tuple;
    (void)state;
    memset(&t.remote, 0, sizeof t.remote);
    assert_int_equal(weir_listen(&f->c, &t, f->now), WEIR_ERR_NONE);
    assert_int_equal(conn_send(f, 1, 0), WEIR_ERR_UNSPECIFIED);
    assert_true(conn_has(&f->c, WEIRI_ANY_REMOTE));
    assert_int_equal(weir_set_remote(&f->c, &f->tuple.remote, 0), WEIR_ERR_ADDRESS);
    assert_int_equal(weir_set_remote(&f->c, &t.remote, 7), WEIR_ERR_ADDRESS);
    assert_int_equal(weir_set_remote(&f->c, &f->tuple.remote, f->tuple.remote_port), WEIR_ERR_NONE);
    conn_take(f, WEIR_SYN, 0, 0, 0);
    assert_int_equal(weir_state(&f->c), WEIR_SYN_RECEIVED);
    conn_take(f, WEIR_RST, 0, 0, 0);
    assert_int_equal(weir_state(&f->c), WEIR_LISTEN);
    assert_true(weir_addr_is_unspecified(&weir_sockets(&f->c)->remote));
    assert_int_equal(weir_set_remote(&f->c, &f->tuple.remote, 7), WEIR_ERR_NONE);
}

static void test_nobody_is_everybody(void **state)
{
    struct conn_fixture *f = conn_new();
    weir_tuple t = f->tuple;
    (void)state;
    t.local = weir_addr_v4(255, 255, 255, 255);
    assert_int_equal(weir_connect(&f->c, &t, f->now), WEIR_ERR_ADDRESS);
    assert_int_equal(weir_listen(&f->c, &t, f->now), WEIR_ERR_ADDRESS);
    t.local = weir_addr_v4(224, 0, 0, 1);
    assert_int_equal(weir_connect(&f->c, &t, f->now), WEIR_ERR_ADDRESS);
}

static void test_super_segments_hold_one_packet_at_least(void **state)
{
    weir_config c;
    const char *field = NULL;
    (void)state;
    weir_config_internet(&c);
    memset(c.secret, 1, sizeof c.secret);
    c.gso_max = (uint16_t)(c.mtu - 1);
    assert_int_equal(weir_config_check(&c, &field), WEIR_ERR_INVALID);
    assert_string_equal(field, "gso_max");
    c.gso_max = c.mtu;
    assert_int_equal(weir_config_check(&c, NULL), WEIR_ERR_NONE);
}

/* What is told of BBR before it has a model, and of two timers the one that comes first. */
static void test_info_at_its_ends(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_info info;
    (void)state;
    f->cfg.cc = WEIR_CC_BBR;
    weir_info_get(&f->c, &info);
    assert_true(info.bbr_bw == 0 && info.bbr_min_rtt == 0);
    assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE);
    conn_drain(f);
    f->c.rack.timer = WEIRI_RACK_REORDER;
    f->c.rack.at = f->c.rexmt_at + 1;
    weir_info_get(&f->c, &info);
    assert_int_equal(info.timer, WEIRI_TIMER_RESEND);
    f->c.rack.at = f->c.rexmt_at;
    weir_info_get(&f->c, &info);
    assert_int_equal(info.timer, WEIRI_TIMER_REORDER);
}

/* Rings may be lent by halves: the one that is missing is asked for. */
static void test_one_ring_of_two(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    static uint64_t memory[2048];
    weir_sizes sizes = {4096, 4096}, wanted;
    weir_buffers b;
    (void)state;
    assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
    b.tx_size = 0;
    b.sent_cap = 0;
    assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
    wanted = weir_wanted(&f->c);
    assert_int_equal(wanted.rx, 4096);
    assert_true(wanted.tx >= 256);
    assert_true(weir_events(&f->c) & WEIR_EV_GROW);
    assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE);
    assert_false(weir_has_output(&f->c));
}

/* A ring that is large enough with too few records behind it is refused. */
static void test_records_must_fit_too(void **state)
{
    struct conn_fixture *f = corner_flying(false, false, 4);
    static uint64_t memory[2048];
    weir_sizes sizes = {4096, 4096};
    weir_buffers b;
    (void)state;
    assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
    b.sent_cap = 3;
    assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_INVALID);
    b.sent_cap = 16;
    assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
    assert_int_equal(f->c.board.count, 4);
}

/* A bound that 32 bits have no room for is the largest they have. */
static void test_a_bound_of_days(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    (void)state;
    f->cfg.rto_max_us = (weir_us)1 << 40;
    assert_int_equal(weiri_timer_bounds(&f->c).max, UINT32_MAX);
}

/* ---- the handshake ------------------------------------------------------------------------------------------------------------------ */

/* Text on a SYN,ACK that agrees to ECN: a mark on it is none, for it could not be marked (RFC 3168 6.1.1). */
static void test_marked_text_on_a_syn_ack(void **state)
{
    struct conn_fixture *f = conn_new();
    weir_fields g;
    (void)state;
    f->cfg.ecn = WEIR_ECN_OFFER;
    conn_connect(f);
    g = conn_fields(f, WEIR_SYN | WEIR_ACK | WEIR_ECE, 0, 0);
    f->mark = 3;
    conn_input(f, &g, 10);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    assert_true(weiri_ecn_ok(&f->c));
    assert_false(f->c.ecn & WEIRI_ECN_ECHO);
    assert_int_equal(weiri_ring_readable(&f->c), 10);
    f->mark = 3;
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    assert_true(f->c.ecn & WEIRI_ECN_ECHO);
}

/* ---- losses ------------------------------------------------------------------------------------------------------------------------- */

/* The peer takes back what it had reported and reports what comes after, piece by piece: three times news, and nothing that could be lost is
 * below any of it. */
static void test_the_head_was_reported(void **state)
{
    struct conn_fixture *f = corner_flying(true, false, 6);
    (void)state;
    corner_sack(f, 1, 2, 0);
    conn_take(f, WEIR_ACK, 0, -5 * 388, 0);
    assert_int_equal(weiri_board_record(&f->c.board, 0)->state, WEIRI_SENT_SACKED);
    for (unsigned i = 1; i < 4; i++) {
        corner_sack(f, i, i + 1, 0);
        conn_drain(f);
        assert_int_equal(f->c.dupacks, i);
    }
    assert_int_equal(f->c.board.lost, 0);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    conn_take(f, WEIR_ACK, 0, 0, 0);
    assert_int_equal(f->c.board.count, 0);
}

/* A probe for a lost tail that nobody polls for is void when the retransmission timer fires. */
static void test_a_probe_that_is_overtaken(void **state)
{
    struct conn_fixture *f = corner_flying(true, true, 2);
    (void)state;
    assert_int_equal(f->c.rack.timer, WEIRI_RACK_PROBE);
    conn_later(f, f->c.rack.at - f->now);
    assert_true(f->c.rack.due);
    conn_later(f, f->c.rexmt_at - f->now);
    assert_false(f->c.rack.due);
    assert_true(conn_has(&f->c, WEIRI_LOSS));
    conn_drain(f);
    assert_int_equal(f->c.count.tail_probes, 0);
    assert_int_equal(f->c.rack.tlp, WEIRI_TLP_NONE);
    conn_take(f, WEIR_ACK, 0, 0, 0);
    assert_null(weir_check(&f->c));
}

/* Closed in fast recovery: FIN is new, so nothing is guessed lost although nothing else can go. */
static void test_fin_goes_before_guesses(void **state)
{
    struct conn_fixture *f = corner_flying(true, false, 6);
    (void)state;
    for (unsigned i = 1; i < 5; i++) {
        corner_sack(f, i, i + 1, 0);
    }
    conn_drain(f);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.board.lost, 0);
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    assert_true(weiri_out_may_new(&f->c));
    corner_sack(f, 5, 6, 0);
    assert_int_equal(f->c.board.lost, 0);
    conn_mark(f);
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
}

/* Duplicates are told of with ECE: congestion stands. Told once more of octets that have all been counted, nothing is taken back. */
static void test_duplicates_with_congestion(void **state)
{
    struct conn_fixture *f = corner_flying(true, true, 4);
    weir_seq first = f->c.snd.una;
    (void)state;
    f->cfg.undo = true;
    conn_later(f, f->c.rexmt_at - f->now);
    conn_later(f, f->c.rexmt_at - f->now);
    assert_true(conn_has(&f->c, WEIRI_LOSS));
    conn_drain(f);
    for (unsigned again = 0; again < 2; again++) {
        weir_fields g = conn_fields(f, WEIR_ACK | (again == 0 ? WEIR_ECE : 0), 0, 0);
        g.ack = seq_add(first, 388);
        g.options |= WEIR_OPT_SACK;
        g.sack_count = 1;
        g.sack[0].from = first;
        g.sack[0].to = g.ack;
        conn_input(f, &g, 0);
        assert_int_equal(f->c.count.undone, 0);
    }
}

/* A router's word in the middle of F-RTO: what was too big goes again at once, before anything new. */
static void test_too_big_while_new_text_is_awaited(void **state)
{
    struct conn_fixture *f = corner_flying(false, false, 4);
    weir_icmp icmp = {WEIR_ICMP_TOO_BIG, f->c.snd.una, 0};
    weir_view v;
    (void)state;
    f->cfg.undo = true;
    f->cfg.mtu = 1500;
    f->c.pmtu = 1500;
    f->c.cc.cwnd = 8 * 388;
    assert_int_equal(conn_send(f, 1200, 0), WEIR_ERR_NONE);
    f->c.cc.cwnd = 4 * 388;
    conn_later(f, f->c.rexmt_at - f->now);
    assert_true(conn_poll(f, &v));
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.ack = seq_add(f->c.snd.una, 388);
    conn_input(f, &g, 0);
    assert_int_equal(f->c.undo.step, WEIRI_FRTO_NEW);
    icmp.seq = f->c.snd.una;
    icmp.mtu = 1000;
    assert_true(weir_input_icmp(&f->c, &icmp, f->now));
    assert_true(conn_has(&f->c, WEIRI_RESEND_NOW));
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.seq.v, f->c.snd.una.v);
}

/* ---- far ends of numbers ---------------------------------------------------------------------------------------------------------------- */

/* After a gigabyte a run that begins further back than any window is nothing that was sent before. */
static void test_no_duplicate_is_a_gigabyte_old(void **state)
{
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_block run;
    (void)state;
    conn_set(&f->c, WEIRI_SACK_OK, true);
    f->c.octets_received = (uint64_t)3 << 30;
    run.from = seq_sub(f->c.rcv.nxt, (1u << 30) + 1);
    run.to = seq_add(run.from, 100);
    weiri_ring_note_duplicate(&f->c, run);
    assert_int_equal(f->c.count.dup_in, 0);
    run.from = seq_add(run.from, 1);
    weiri_ring_note_duplicate(&f->c, run);
    assert_int_equal(f->c.count.dup_in, 1);
}

/* A peer that ends twice: the place of the FIN that came first stands, though nothing says that the other is not the right one. */
static void test_the_first_fin_stands(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    const weir_seq fin = seq_add(f->c.rcv.nxt, 100);
    conn_seg(f, WEIR_FIN | WEIR_ACK, 100, 0, 0);
    conn_seg(f, WEIR_FIN | WEIR_ACK, 150, 0, 0);
    assert_int_equal(f->c.rcv.fin.v, fin.v);
}

/* To read is a call that tells the time, as every other. */
static void test_reading_tells_the_time(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    assert_int_equal(weir_rx_consume(&f->c, 10, f->now + CONN_SECOND), WEIR_ERR_NONE);
    assert_true(f->c.now == f->now + CONN_SECOND);
}

/* A FIN that waits for text stands behind a run, if an empty one: the text goes by the table, and the FIN is reached. */
static void test_text_before_a_fin(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    conn_take(f, WEIR_FIN | WEIR_ACK, 10, 0, 0);
    assert_int_equal(f->c.span_count, 1);
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    assert_int_equal(weir_state(&f->c), WEIR_CLOSE_WAIT);
}

/* ---- windows ---------------------------------------------------------------------------------------------------------------------- */

/* RFC 7661 4.3: half of cwnd is all of it in slow start, which is over when cwnd is ssthresh. */
static void test_half_a_window(void **state)
{
    (void)state;
    for (unsigned slow = 0; slow < 2; slow++) {
        struct conn_fixture *f = corner_flying(false, false, 1);
        f->c.cc.cwnd = 8 * 388;
        f->c.cc.ssthresh = 8 * 388 + slow;
        assert_int_equal(conn_send(f, 4 * 388, 0), WEIR_ERR_NONE);
        conn_drain(f);
        assert_int_equal(conn_has(&f->c, WEIRI_CWND_LIMITED), slow > 0);
    }
}

/* A full segment that waits for the peer's window waits for nothing else. */
static void test_a_segment_waits_for_the_window(void **state)
{
    (void)state;
    struct conn_fixture *f = corner_flying(false, false, 1);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.window = 388;
    f->c.cc.cwnd = 8 * 388;
    conn_input(f, &g, 0);
    assert_int_equal(conn_send(f, 2 * 388, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(conn_unsent(&f->c), 388);
    assert_int_equal(f->c.hold.why, WEIRI_HOLD_RWND);
}

/* A small segment that Nagle holds does so for nobody's window, and for no ring that is full. */
static void test_a_segment_waits_for_an_acknowledgment(void **state)
{
    (void)state;
    struct conn_fixture *f = corner_flying(false, false, 1);
    f->c.cc.cwnd = 8 * 388;
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(conn_unsent(&f->c), 100);
    assert_int_equal(f->c.hold.why, WEIRI_HOLD_BUSY);
}

/* With nothing to send: is it for the user, or is there no window for one segment (a path whose packets have become larger)? */
static void test_a_window_below_a_segment(void **state)
{
    (void)state;
    for (unsigned less = 0; less < 2; less++) {
        struct conn_fixture *f = corner_flying(false, false, 1);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        f->c.board.limited = WEIRI_LIMITED_NOT;
        f->c.cc.cwnd = 388 - less;
        conn_drain(f);
        assert_int_equal(f->c.board.limited, less ? WEIRI_LIMITED_NOT : WEIRI_LIMITED_APP);
    }
}

/* What would come next is not decided ahead where a probe of the tail is to go first. */
static void test_nothing_ahead_of_a_probe(void **state)
{
    (void)state;
    struct conn_fixture *f = corner_flying(true, true, 1);
    static weir_out out;
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    f->c.cc.cwnd = 8 * 388;
    assert_int_equal(conn_send(f, 4 * 388, 0), WEIR_ERR_NONE);
    assert_true(weir_poll(&f->c, &out, f->now) > 0);
    assert_int_equal(weiri_out_ahead(&f->c, &out), 2 * 388);
    f->c.rack.due = 1;
    assert_int_equal(weiri_out_ahead(&f->c, &out), 0);
}

/* A super-segment that IP cannot carry is not taken by the short way, whatever the window is. */
static void test_text_beyond_a_packet(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_view v;
    memset(&v, 0, sizeof v);
    v.seq = f->c.rcv.nxt;
    v.ack = f->c.snd.una;
    v.flags = WEIR_ACK;
    f->c.rx_size = 1u << 17;
    f->c.rcv.adv = seq_add(f->c.rcv.nxt, 1u << 17);
    for (v.payload_len = 65535; v.payload_len <= 65536; v.payload_len++) {
        assert_int_equal(weiri_predict(&f->c, &v), v.payload_len == 65535);
    }
}

/* Who can be packed has no rings, and nothing to say, each by itself. */
static void test_what_is_not_packed(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_false(weiri_packable(&f->c));
    f->c.rx_size = 0;
    assert_false(weiri_packable(&f->c));
    f->c.tx_size = 0;
    assert_true(weiri_packable(&f->c));
    f->c.state = WEIR_SYN_SENT;
    assert_false(weiri_packable(&f->c));
    f->c.state = WEIR_ESTABLISHED;
    f->c.reply.flags = WEIR_ACK;
    assert_false(weiri_packable(&f->c));
    f->c.reply.flags = 0;
    conn_set(&f->c, WEIRI_ACK_NOW, true);
    assert_false(weiri_packable(&f->c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_fin_stands),
        cmocka_unit_test(test_actions_that_do_nothing),
        cmocka_unit_test(test_listen_for_a_port_of_anybody),
        cmocka_unit_test(test_nobody_is_everybody),
        cmocka_unit_test(test_super_segments_hold_one_packet_at_least),
        cmocka_unit_test(test_info_at_its_ends),
        cmocka_unit_test(test_one_ring_of_two),
        cmocka_unit_test(test_records_must_fit_too),
        cmocka_unit_test(test_a_bound_of_days),
        cmocka_unit_test(test_marked_text_on_a_syn_ack),
        cmocka_unit_test(test_the_head_was_reported),
        cmocka_unit_test(test_a_probe_that_is_overtaken),
        cmocka_unit_test(test_fin_goes_before_guesses),
        cmocka_unit_test(test_duplicates_with_congestion),
        cmocka_unit_test(test_too_big_while_new_text_is_awaited),
        cmocka_unit_test(test_no_duplicate_is_a_gigabyte_old),
        cmocka_unit_test(test_reading_tells_the_time),
        cmocka_unit_test(test_text_before_a_fin),
        cmocka_unit_test(test_half_a_window),
        cmocka_unit_test(test_a_segment_waits_for_the_window),
        cmocka_unit_test(test_a_segment_waits_for_an_acknowledgment),
        cmocka_unit_test(test_a_window_below_a_segment),
        cmocka_unit_test(test_nothing_ahead_of_a_probe),
        cmocka_unit_test(test_text_beyond_a_packet),
        cmocka_unit_test(test_what_is_not_packed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
