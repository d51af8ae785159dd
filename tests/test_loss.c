/* test_loss.c - fast retransmit and recovery with and without SACK, timeouts, the send side's answers to strange acknowledgments; ICMP.
 * RFC 5681 3.2, RFC 6582, RFC 6675, RFC 5961 5, RFC 5927. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { MSS = 388, COUNT = 10 }; /* the smallest MTU allowed: ten segments fit in the fixture's ring */

/* Ten full segments in flight, cwnd at the limit. */
static struct conn_fixture *loss_flight(bool sack, bool stamps)
{
    struct conn_fixture *f = conn_new();
    f->cfg.mtu = MSS + 40;
    f->cfg.sack = sack;
    f->cfg.timestamps = stamps;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= (uint16_t)((sack ? WEIR_OPT_SACK_OK : 0) | (stamps ? WEIR_OPT_TIMESTAMPS : 0));
    conn_later(f, 10000);
    conn_input(f, &g, 0);
    conn_drain(f);
    f->c.cc.cwnd = COUNT * MSS;
    f->c.cc.ssthresh = 65535;
    assert_int_equal(conn_send(f, COUNT * MSS, 0), WEIR_ERR_NONE);
    weir_view v;
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(conn_poll(f, &v));
        assert_int_equal(v.payload_len, MSS - (stamps ? 12 : 0));
    }
    conn_drain(f);
    conn_later(f, 10000);
    return f;
}

/* An ACK of the first `acked` segments, with SACK of segments [from, to) of the ten. */
static void loss_ack(struct conn_fixture *f, unsigned acked, unsigned from, unsigned to)
{
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    weir_seq first = seq_add(f->c.snd.iss, 1);
    g.ack = seq_add(first, acked * MSS);
    g.options = from < to ? WEIR_OPT_SACK : 0;
    g.sack_count = from < to;
    g.sack[0].from = seq_add(first, from * MSS);
    g.sack[0].to = seq_add(first, to * MSS);
    conn_input(f, &g, 0);
}

/* Which of the ten segments goes out next; -1: nothing, COUNT or more: new text. */
static int loss_next(struct conn_fixture *f)
{
    weir_view v;
    if (!conn_poll(f, &v) || v.payload_len == 0) {
        return -1;
    }
    return (int)(seq_diff(seq_add(f->c.snd.iss, 1), v.seq) / MSS);
}

/* RFC 5681 3.2: the third duplicate, not the second; ssthresh is half of what was in flight. */
static void the_third_duplicate_ack_resends_the_first_segment(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    for (unsigned i = 0; i < 2; i++) {
        loss_ack(f, 0, 0, 0);
        assert_int_equal(loss_next(f), -1);
    }
    loss_ack(f, 0, 0, 0);
    assert_int_equal(loss_next(f), 0);
    assert_int_equal(loss_next(f), -1);
    assert_int_equal(f->c.cc.ssthresh, COUNT * MSS / 2);
    assert_int_equal(f->c.count.recoveries, 1);
    loss_ack(f, COUNT, 0, 0);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    assert_true(f->c.cc.cwnd <= COUNT * MSS / 2);
}

/* RFC 5681 2: what is not a duplicate ACK. */
static void other_segments_are_no_duplicate_acks(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    for (unsigned i = 0; i < 5; i++) {
        weir_fields g = conn_fields(f, WEIR_ACK, 0, -(int32_t)(COUNT * MSS));
        g.window = (uint16_t)(CONN_WINDOW + 100 * (i + 1)); /* a window update */
        conn_input(f, &g, 0);
        conn_seg(f, WEIR_ACK, 0, -(int32_t)(COUNT * MSS), 10); /* text */
    }
    assert_int_equal(f->c.dupacks, 0);
    assert_int_equal(f->c.count.recoveries, 0);
}

/* RFC 3042, RFC 5681 3.2: each of the first two duplicates releases one new segment; cwnd stays, and what they released does not count. */
static void limited_transmit(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    loss_ack(f, 4, 0, 0);
    f->c.cc.cwnd = 6 * MSS; /* six are out */
    assert_int_equal(conn_send(f, 4 * MSS, 0), WEIR_ERR_NONE);
    assert_int_equal(loss_next(f), -1);
    for (int i = 0; i < 2; i++) {
        loss_ack(f, 4, 0, 0);
        assert_int_equal(loss_next(f), COUNT + i);
        assert_int_equal(loss_next(f), -1);
        assert_int_equal(f->c.cc.cwnd, 6 * MSS);
    }
    loss_ack(f, 4, 0, 0);
    assert_int_equal(loss_next(f), 4);
    assert_int_equal(f->c.cc.ssthresh, 3 * MSS); /* half of six, not of eight */
}

/* RFC 5681 5: duplicates that were never caused by segments do not open the window: two are in flight and two by limited transmit, so four
 * count, and a window of two goes beside them. */
static void forged_duplicates_open_no_more_than_was_in_flight(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    loss_ack(f, 8, 0, 0);
    f->c.cc.cwnd = 2 * MSS;
    assert_int_equal(conn_send(f, 8 * MSS, 0), WEIR_ERR_NONE);
    unsigned sent = 0;
    for (int i = 0; i < 40; i++) {
        loss_ack(f, 8, 0, 0);
        while (loss_next(f) >= 0) {
            sent++;
        }
    }
    assert_int_equal(sent, 2 + 1 + 2); /* by limited transmit; what was called lost; the window */
}

/* RFC 6582: each partial acknowledgment resends the next hole at once; nothing is reduced again. */
static void partial_acks_without_sack(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    for (unsigned i = 0; i < 3; i++) {
        loss_ack(f, 0, 0, 0);
    }
    assert_int_equal(loss_next(f), 0);
    uint32_t ssthresh = f->c.cc.ssthresh;
    loss_ack(f, 3, 0, 0);
    assert_int_equal(loss_next(f), 3);
    loss_ack(f, 7, 0, 0);
    assert_int_equal(loss_next(f), 7);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.cc.ssthresh, ssthresh);
    loss_ack(f, COUNT, 0, 0);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.count.recoveries, 1);
    assert_int_equal(f->c.count.timeouts, 0);
}

/* RFC 6675: SACK names the holes; all of them are repaired in one recovery. */
static void sack_repairs_every_hole_in_one_recovery(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(true, false);
    loss_ack(f, 0, 1, 2);
    loss_ack(f, 0, 3, 4);
    assert_int_equal(loss_next(f), -1);
    loss_ack(f, 0, 5, 6);
    assert_int_equal(loss_next(f), 0); /* three separate runs above it */
    loss_ack(f, 0, 5, 8);
    int next = loss_next(f);
    assert_true(next == 2 || next == -1);
    loss_ack(f, 0, 5, 10);
    for (unsigned i = 0; i < 6; i++) {
        (void)loss_next(f);
    }
    loss_ack(f, 2, 5, 10);
    for (unsigned i = 0; i < 6 && f->c.board.lost > 0; i++) {
        loss_ack(f, 2, 5, 10);
        (void)loss_next(f);
    }
    assert_int_equal(f->c.board.lost, 0);
    loss_ack(f, COUNT, 0, 0);
    assert_int_equal(f->c.count.recoveries, 1);
    assert_int_equal(f->c.count.timeouts, 0);
    assert_int_equal(f->c.count.retrans, 3);
}

/* RFC 6298 5.4-5.6, RFC 5681 3.1: the first segment, a window of one, then slow start; SACKed octets are not sent again. */
static void a_timeout_resends_from_the_left_edge_in_slow_start(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(true, false);
    loss_ack(f, 0, 1, 2);
    assert_true(conn_wait(f));
    assert_int_equal(f->c.cc.cwnd, MSS);
    assert_int_equal(f->c.cc.ssthresh, COUNT * MSS / 2);
    assert_int_equal(loss_next(f), 0);
    assert_int_equal(loss_next(f), -1);
    loss_ack(f, 2, 0, 0);
    assert_int_equal(loss_next(f), 2);
    assert_int_equal(loss_next(f), 3);
    assert_int_equal(loss_next(f), -1);
    uint32_t ssthresh = f->c.cc.ssthresh;
    assert_true(conn_wait(f)); /* of another segment: it goes down once more, not below two segments */
    assert_true(f->c.cc.ssthresh <= ssthresh && f->c.cc.ssthresh >= 2 * MSS);
    assert_int_equal(f->c.backoff, 2); /* nothing that was sent once has been acknowledged since: no sample, so no end of it */
}

/* RFC 5681 3.1: the acknowledgment that ends what a timeout began counts in slow start like any other. */
static void the_last_acknowledgment_after_a_timeout_opens_the_window(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, false);
    assert_true(conn_wait(f));
    assert_int_equal(loss_next(f), 0);
    assert_int_equal(f->c.cc.cwnd, MSS);
    loss_ack(f, COUNT, 0, 0);
    assert_false(conn_has(&f->c, WEIRI_LOSS));
    assert_int_equal(f->c.cc.cwnd, 2 * MSS);
}

/* RFC 2018 5.1, 8: the peer may take back what it has SACKed; after a timeout the left edge goes again all the same. */
static void a_peer_that_reneges_gets_everything_again(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(true, false);
    loss_ack(f, 0, 1, 10);
    while (loss_next(f) >= 0) {
    }
    loss_ack(f, 1, 0, 0); /* only the first after all */
    for (unsigned acked = 1, rounds = 0; acked < COUNT && rounds < 60; rounds++) {
        int next = loss_next(f);
        if (next < 0) {
            assert_true(conn_wait(f));
        } else if ((unsigned)next == acked) {
            acked++;
            loss_ack(f, acked, 0, 0);
        }
    }
    assert_int_equal(conn_flight(&f->c), 0);
}

/* RFC 7323 4: where a segment was sent twice, the timestamp says which one was answered. */
static void timestamps_give_samples_where_karn_forbids_them(void **state)
{
    (void)state;
    struct conn_fixture *f = loss_flight(false, true);
    uint32_t srtt = f->c.rtt.srtt8;
    assert_true(conn_wait(f));
    weir_view v;
    assert_true(conn_poll(f, &v));
    conn_later(f, 123000);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.options = WEIR_OPT_TIMESTAMPS;
    g.ts_value = 5;
    g.ts_echo = v.ts_value;
    conn_input(f, &g, 0);
    uint32_t expected = srtt - srtt / 8 + 123000;
    assert_true(f->c.rtt.srtt8 + 8 >= expected && f->c.rtt.srtt8 <= expected + 8);
}

/* ---- acknowledgments that cannot be ------------------------------------------------------------------------------ */

/* RFC 5961 5.2, and on a young connection nothing below its first octet (CVE-2023-52881). */
static void acknowledgments_out_of_range_change_nothing(void **state)
{
    (void)state;
    static const struct {
        int32_t ack;
        bool taken;
    } cases[] = {{1, false}, {100000, false}, {INT32_MAX, false}, {0, true}, {-10, true}, {-11, false}, {-5000, false}, {-60000, false}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
        assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        conn_seg(f, WEIR_ACK, 0, cases[i].ack, 20); /* ten octets were ever acknowledged */
        assert_int_equal(weiri_ring_readable(&f->c), cases[i].taken ? 20 : 0);
        if (!cases[i].taken) {
            conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
        }
        conn_drain(f);
    }
}

/* An old acknowledgment does not make in-window text worthless: reordering is no loss. */
static void text_with_an_old_ack_is_taken(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 500, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    uint32_t window = f->c.snd.wnd;
    weir_fields g = conn_fields(f, WEIR_ACK, 0, -500);
    g.window = 1;
    conn_input(f, &g, 30);
    assert_int_equal(weiri_ring_readable(&f->c), 30);
    assert_int_equal(f->c.snd.wnd, window); /* and its window is not believed (SND.WL2) */
}

/* RFC 5961 7: challenge ACKs have a budget, for each connection by itself. */
static void challenges_are_counted(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    unsigned answers = 0;
    for (unsigned i = 0; i < 100; i++) {
        conn_seg(f, i % 2 ? WEIR_SYN : WEIR_RST, 10, 0, 0);
        answers += conn_says(f)[0] != '\0';
    }
    assert_int_equal(answers, f->cfg.challenge_count);
    conn_later(f, f->cfg.challenge_interval_us);
    conn_seg(f, WEIR_RST, 10, 0, 0);
    conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
}

/* ---- ICMP -------------------------------------------------------------------------------------------------------- */

static bool loss_icmp(struct conn_fixture *f, enum weir_icmp_kind kind, int32_t seq, uint32_t mtu)
{
    weir_icmp icmp;
    icmp.kind = kind;
    icmp.seq = seq_add(f->c.snd.una, (uint32_t)seq);
    icmp.mtu = mtu;
    bool taken = weir_input_icmp(&f->c, &icmp, f->now);
    assert_null(weir_check(&f->c));
    return taken;
}

static void icmp_counts_only_for_octets_in_flight(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_false(loss_icmp(f, WEIR_ICMP_SOFT, 0, 0)); /* nothing is */
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_false(loss_icmp(f, WEIR_ICMP_SOFT, -1, 0));
    assert_false(loss_icmp(f, WEIR_ICMP_SOFT, 100, 0));
    assert_false(weir_events(&f->c) & WEIR_EV_SUSPECT);
    assert_true(loss_icmp(f, WEIR_ICMP_SOFT, 99, 0));
    assert_true(weir_events(&f->c) & WEIR_EV_SUSPECT);
    assert_true(loss_icmp(f, WEIR_ICMP_HARD, 0, 0)); /* synchronized: as soft (RFC 5927 5.2) */
    conn_expect(f, "", WEIR_ESTABLISHED);
    struct conn_fixture *g = conn_in(WEIR_SYN_SENT);
    assert_true(loss_icmp(g, WEIR_ICMP_SOFT, 0, 0)); /* MUST-56 */
    conn_expect(g, "", WEIR_SYN_SENT);
    assert_true(loss_icmp(g, WEIR_ICMP_HARD, 0, 0)); /* SHLD-26 */
    conn_expect(g, "", WEIR_CLOSED);
    assert_int_equal(weir_error(&g->c), WEIR_ERR_UNREACHABLE);
}

static void too_big_makes_segments_smaller_and_sends_them_again(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    uint32_t cwnd = f->c.cc.cwnd;
    assert_int_equal(conn_send(f, 2920, 0), WEIR_ERR_NONE);
    conn_expect(f, "ACK +0 +0 len 1460; ACK +1460 +0 len 1460", WEIR_ESTABLISHED);
    assert_true(loss_icmp(f, WEIR_ICMP_TOO_BIG, 0, 1500)); /* not smaller than what was sent: nothing */
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_mark(f);
    assert_true(loss_icmp(f, WEIR_ICMP_TOO_BIG, 0, 1000));
    conn_expect(f, "ACK -2920 +0 len 960; ACK -1960 +0 len 960; ACK -1000 +0 len 960; ACK -40 +0 len 40", WEIR_ESTABLISHED);
    assert_true(f->c.cc.cwnd < cwnd); /* by the ratio of the sizes only (RFC 5681 3.1) */
    assert_int_equal(f->c.count.timeouts, 0);
}

/* RFC 5927 7.2: less than what has arrived is believed when the segment has timed out, and not if it is acknowledged. */
static void too_big_that_claims_less_than_what_arrived_waits(void **state)
{
    (void)state;
    for (unsigned progress = 0; progress < 2; progress++) {
        struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
        assert_int_equal(conn_send(f, 1460, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        assert_int_equal(conn_send(f, 1460, 0), WEIR_ERR_NONE);
        conn_drain(f);
        assert_true(loss_icmp(f, WEIR_ICMP_TOO_BIG, 0, 600));
        assert_int_equal(f->c.pmtu, 1500);
        if (progress) {
            conn_seg(f, WEIR_ACK, 0, 0, 0);
            assert_int_equal(conn_send(f, 1460, 0), WEIR_ERR_NONE);
            conn_drain(f);
        }
        assert_true(conn_wait(f));
        assert_int_equal(f->c.pmtu, progress ? 1500 : 600);
    }
}

static void too_big_has_a_floor(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 1460, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_true(loss_icmp(f, WEIR_ICMP_TOO_BIG, 0, 0)); /* a router that does not say */
    assert_int_equal(f->c.pmtu, 552);
    assert_int_equal(f->c.mss_snd, 512);
}

/* RFC 8201 4: what claims less than every IPv6 link carries is discarded, not taken for the least. */
static void too_big_for_no_ipv6_link_is_discarded(void **state)
{
    (void)state;
    static const struct {
        uint32_t claimed;
        uint16_t pmtu;
    } cases[] = {{0, 1500}, {68, 1500}, {1279, 1500}, {1280, 1280}, {1281, 1281}, {1499, 1499}, {1500, 1500}, {UINT32_MAX, 1500}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = conn_new();
        f->tuple.local = (weir_addr){{0x20, 1, 0xd, 0xb8, [15] = 1}};
        f->tuple.remote = (weir_addr){{0x20, 1, 0xd, 0xb8, [15] = 2}};
        conn_go(f, WEIR_ESTABLISHED);
        assert_int_equal(conn_send(f, 1440, 0), WEIR_ERR_NONE);
        conn_drain(f);
        assert_true(loss_icmp(f, WEIR_ICMP_TOO_BIG, 0, cases[i].claimed));
        assert_int_equal(f->c.pmtu, cases[i].pmtu);
        assert_int_equal(weir_has_output(&f->c), cases[i].pmtu < 1500);
    }
}

/* RFC 2883 5: a first block is a D-SACK if it lies below the ACK of its own segment, or inside the second block; never by SND.UNA. */
static void duplicates_that_the_peer_reports_are_counted(void **state)
{
    (void)state;
    static const struct {
        unsigned acked, blocks[2][2]; /* in segments, block [from, to) */
        unsigned counted;
    } cases[] = {
        {6, {{2, 3}, {0, 0}}, 1}, {6, {{4, 6}, {0, 0}}, 1}, {6, {{7, 8}, {0, 0}}, 0}, {6, {{7, 8}, {7, 9}}, 1},
        {6, {{7, 9}, {7, 9}}, 1}, {6, {{7, 9}, {8, 9}}, 0}, {4, {{4, 5}, {0, 0}}, 0}, {4, {{3, 4}, {0, 0}}, 1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = loss_flight(true, false);
        loss_ack(f, 6, 0, 0);
        weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
        weir_seq first = seq_add(f->c.snd.iss, 1);
        g.ack = seq_add(first, cases[i].acked * MSS);
        g.options = WEIR_OPT_SACK;
        for (unsigned b = 0; b < 2 && cases[i].blocks[b][0] < cases[i].blocks[b][1]; b++) {
            g.sack[b].from = seq_add(first, cases[i].blocks[b][0] * MSS);
            g.sack[b].to = seq_add(first, cases[i].blocks[b][1] * MSS);
            g.sack_count++;
        }
        conn_input(f, &g, 0);
        assert_int_equal(f->c.count.dsack_in, cases[i].counted);
    }
}

/* RFC 6582 6: `recover` is taken along, or after 2^31 octets it would seem to lie ahead and keep fast retransmit from beginning. */
static void recover_follows_the_acknowledgments(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(conn_send(f, 1000, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_seg(f, WEIR_ACK, 0, 0, 0);
        assert_int_equal(seq_diff(f->c.recover, f->c.snd.una), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_third_duplicate_ack_resends_the_first_segment),
        cmocka_unit_test(other_segments_are_no_duplicate_acks),
        cmocka_unit_test(limited_transmit),
        cmocka_unit_test(forged_duplicates_open_no_more_than_was_in_flight),
        cmocka_unit_test(partial_acks_without_sack),
        cmocka_unit_test(sack_repairs_every_hole_in_one_recovery),
        cmocka_unit_test(a_timeout_resends_from_the_left_edge_in_slow_start),
        cmocka_unit_test(the_last_acknowledgment_after_a_timeout_opens_the_window),
        cmocka_unit_test(a_peer_that_reneges_gets_everything_again),
        cmocka_unit_test(timestamps_give_samples_where_karn_forbids_them),
        cmocka_unit_test(acknowledgments_out_of_range_change_nothing),
        cmocka_unit_test(text_with_an_old_ack_is_taken),
        cmocka_unit_test(challenges_are_counted),
        cmocka_unit_test(icmp_counts_only_for_octets_in_flight),
        cmocka_unit_test(too_big_makes_segments_smaller_and_sends_them_again),
        cmocka_unit_test(too_big_that_claims_less_than_what_arrived_waits),
        cmocka_unit_test(too_big_has_a_floor),
        cmocka_unit_test(too_big_for_no_ipv6_link_is_discarded),
        cmocka_unit_test(duplicates_that_the_peer_reports_are_counted),
        cmocka_unit_test(recover_follows_the_acknowledgments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
