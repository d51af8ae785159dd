/* test_repair.c - a connection's recovery with RACK-TLP, PRR and undo: RFC 8985, RFC 9937, RFC 5682, RFC 3522, RFC 4015. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

enum { MSS = 388, COUNT = 10, RTT = 10000 };

struct repair_options {
    bool sack, stamps, rack, prr, undo;
};
static const struct repair_options all_of_it = {true, false, true, true, true};
static const struct repair_options counts_sacks = {true, false, false, false, false};
static uint32_t repair_iss; /* of the next connection, if not 0 */

/* The size of a full segment. */
static uint32_t repair_full(const struct conn_fixture *f)
{
    return MSS - (f->cfg.timestamps ? 12u : 0u);
}

/* `count` full segments in flight, cwnd at the limit, sent half a round trip ago. */
static struct conn_fixture *repair_flying(const struct repair_options *o, unsigned count)
{
    struct conn_fixture *f = conn_new();
    weir_view v;
    f->cfg.mtu = MSS + 40;
    f->cfg.sack = o->sack;
    f->cfg.timestamps = o->stamps;
    f->cfg.rack = o->rack;
    f->cfg.prr = o->prr;
    f->cfg.undo = o->undo;
    if (repair_iss != 0) {
        conn_set_iss(f, repair_iss);
        repair_iss = 0;
    }
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | WEIR_ACK, 0, 0);
    g.options |= (uint16_t)((o->sack ? WEIR_OPT_SACK_OK : 0) | (o->stamps ? WEIR_OPT_TIMESTAMPS : 0));
    g.ts_echo = weiri_ts_now(&f->c);
    conn_later(f, RTT);
    conn_input(f, &g, 0);
    conn_drain(f);
    f->c.cc.cwnd = count * repair_full(f);
    f->c.cc.ssthresh = 65535;
    assert_int_equal(conn_send(f, count * repair_full(f), 0), WEIR_ERR_NONE);
    for (unsigned i = 0; i < count; i++) {
        assert_true(conn_poll(f, &v));
        assert_int_equal(v.payload_len, repair_full(f));
    }
    conn_drain(f);
    conn_later(f, RTT / 2);
    return f;
}

/* What a segment of the peer says: it acknowledges `acked` segments, holds [from, to) besides, had [twice, twice + 1) twice. */
struct repair_ack {
    unsigned acked, from, to;
    int twice;          /* -1: nothing */
    uint32_t echo_ms;   /* with timestamps: how old the one is that it echoes */
    unsigned flags;
};

static void repair_take(struct conn_fixture *f, const struct repair_ack *a)
{
    weir_fields g = conn_fields(f, WEIR_ACK | a->flags, 0, 0);
    weir_seq first = seq_add(f->c.snd.iss, 1);
    uint32_t full = repair_full(f);
    g.ack = seq_add(first, a->acked * full);
    if (a->twice >= 0) {
        g.sack[g.sack_count].from = seq_add(first, (unsigned)a->twice * full);
        g.sack[g.sack_count++].to = seq_add(first, ((unsigned)a->twice + 1) * full);
    }
    if (a->from < a->to) {
        g.sack[g.sack_count].from = seq_add(first, a->from * full);
        g.sack[g.sack_count++].to = seq_add(first, a->to * full);
    }
    g.options |= (uint16_t)((g.sack_count > 0 ? WEIR_OPT_SACK : 0) | (f->cfg.timestamps ? WEIR_OPT_TIMESTAMPS : 0));
    g.ts_value = 1;
    g.ts_echo = weiri_ts_now(&f->c) - a->echo_ms;
    conn_input(f, &g, 0);
}

static void repair_ack(struct conn_fixture *f, unsigned acked, unsigned from, unsigned to)
{
    struct repair_ack a = {acked, from, to, -1, 0, 0};
    repair_take(f, &a);
}

/* Which segment goes out next; -1: nothing. */
static int repair_next(struct conn_fixture *f)
{
    weir_view v;
    if (!conn_poll(f, &v) || v.payload_len == 0) {
        return -1;
    }
    return (int)(seq_diff(seq_add(f->c.snd.iss, 1), v.seq) / repair_full(f));
}

static const char *repair_timer(struct conn_fixture *f)
{
    weir_info info;
    weir_info_get(&f->c, &info);
    return weir_timer_name(info.timer);
}

/* ---- RACK -------------------------------------------------------------------------------------------------------- */

/* RFC 8985 6.2: one SACK, and a quarter of the round trip later what was sent before is lost. */
static void a_hole_is_lost_when_the_reordering_timer_fires(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 1, 2);
    assert_int_equal(repair_next(f), -1);
    assert_string_equal(repair_timer(f), "reorder");
    weir_us at = weir_deadline(&f->c);
    assert_int_equal(at, f->now + RTT / 4);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(repair_next(f), -1);
    assert_int_equal(f->c.count.recoveries, 1);
    repair_ack(f, COUNT, 0, 0);
    assert_int_equal(f->c.count.timeouts, 0);
    assert_int_equal(f->c.cc.cwnd, f->c.cc.ssthresh);
}

/* RFC 6675 6: when the head goes again the timer that ran for it begins anew; when another segment does it goes on. */
static void the_timer_begins_anew_with_the_head(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 2, 5);
    weir_us at = f->c.rexmt_at;
    assert_true(at < f->now + f->cfg.rto_min_us);
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(f->c.rexmt_at, at + RTT);
    conn_later(f, 1000);
    repair_ack(f, 0, 2, 7);
    assert_int_equal(repair_next(f), 1);
    assert_int_equal(f->c.rexmt_at, at + RTT);
}

/* As many as three SACKed: at once; but not where the path was seen to reorder. */
static void three_segments_above_a_hole(void **state)
{
    (void)state;
    for (unsigned reordered = 0; reordered < 2; reordered++) {
        struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
        conn_later(f, RTT / 2);
        f->c.rack.reordered = (uint8_t)reordered;
        repair_ack(f, 0, 1, 4);
        assert_int_equal(repair_next(f), reordered ? -1 : 0);
        assert_string_equal(repair_timer(f), reordered ? "reorder" : "resend");
    }
}

/* RFC 8985 9.3: without PRR a retransmission that is lost reduces the window once more; others of the same round do not, the next round's
 * does. With PRR none does. */
static void a_lost_retransmission_is_congestion_again(void **state)
{
    (void)state;
    for (unsigned prr = 0; prr < 2; prr++) {
        struct repair_options o = all_of_it;
        o.prr = prr > 0;
        struct conn_fixture *f = repair_flying(&o, COUNT);
        conn_later(f, RTT / 2);
        repair_ack(f, 0, 4, COUNT - 1);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(repair_next(f), i);
            conn_later(f, 1000);
        }
        assert_int_equal(f->c.cc.ssthresh, 5 * MSS);
        conn_later(f, RTT);
        repair_ack(f, 0, 1, 2);
        assert_int_equal(f->c.cc.ssthresh, prr > 0 ? 5 * MSS : 5 * MSS / 2);
        conn_later(f, 1000);
        repair_ack(f, 0, 3, 4);
        assert_int_equal(f->c.cc.ssthresh, prr > 0 ? 5 * MSS : 5 * MSS / 2);
        assert_int_equal(repair_next(f), 0);
        conn_later(f, 1000);
        assert_int_equal(repair_next(f), 2);
        conn_later(f, RTT);
        repair_ack(f, 0, 2, 3);
        assert_int_equal(f->c.cc.ssthresh, (prr > 0 ? 5 : 2) * MSS);
        repair_ack(f, COUNT, 0, 0);
        assert_int_equal(f->c.rack.tries, 0);
    }
}

/* What SACK shows to have been late is no loss, and is remembered. */
static void reordering_is_no_loss(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    weir_info info;
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 1, 2);
    conn_later(f, RTT / 8);
    repair_ack(f, 2, 0, 0);
    assert_string_equal(repair_timer(f), "probe");
    assert_int_equal(f->c.count.retrans, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.reordering, 1);
    assert_int_equal(info.reo_wnd, RTT / 4);
}

/* A lost retransmission is found by what was sent after it, without a timeout. */
static void a_lost_retransmission_goes_again(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 4, 8);
    assert_int_equal(repair_next(f), 0);
    conn_later(f, 100);
    for (unsigned i = 1; i < 4; i++) {
        repair_ack(f, 0, 4, 8 + (i < 3 ? i : 2));
        (void)repair_next(f);
    }
    assert_true(f->c.board.lost < 4 * MSS);
    conn_later(f, RTT);
    repair_ack(f, 0, 1, 2); /* the second arrived, and the first, sent again before it, did not */
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(f->c.count.timeouts, 0);
    assert_int_equal(f->c.count.recoveries, 1);
}

/* Losses in RFC 6675's way where RACK is off, never both (RFC 8985 9.2). */
static void without_rack_sack_counts(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&counts_sacks, COUNT);
    repair_ack(f, 0, 1, 2);
    assert_string_equal(repair_timer(f), "resend");
    repair_ack(f, 0, 1, 4);
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(f->c.rack.at, WEIR_FOREVER);
}

/* RFC 6675 NextSeg rules 3 and 4: with nothing known lost and nothing new, what has SACKED octets above it goes, or the tail, once. */
static void one_thing_more_goes(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&counts_sacks, COUNT);
    repair_ack(f, 0, 1, 4);
    assert_int_equal(repair_next(f), 0);
    repair_ack(f, 0, 5, 7);
    assert_int_equal(repair_next(f), 4);
    assert_false(seq_eq(f->c.rescue, f->c.recover));
    repair_ack(f, 7, 0, 0);
    assert_int_equal(repair_next(f), COUNT - 1);
    assert_true(seq_eq(f->c.rescue, f->c.recover));
    repair_ack(f, 8, 0, 0);
    assert_int_equal(repair_next(f), -1);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
}

/* A segment without a timestamp says nothing of which time it answers, whatever our clock shows: it is the retransmission, an RTT later. */
static void no_timestamp_is_no_echo(void **state)
{
    (void)state;
    struct repair_options o = all_of_it;
    o.stamps = true;
    struct conn_fixture *f = repair_flying(&o, COUNT);
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 4, COUNT - 1);
    assert_int_equal(repair_next(f), 0);
    weir_us sent = f->now;
    conn_later(f, RTT);
    f->c.ts.offset += 1000 - weiri_ts_now(&f->c);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.ack = seq_add(f->c.snd.una, repair_full(f));
    conn_input(f, &g, 0);
    assert_true(f->c.rack.xmit_at == sent);
}

/* RFC 8985 9.3 is of fast recovery: after a timeout there is no less to send with, and the loss of what went again costs nothing more. */
static void after_a_timeout_there_is_no_less(void **state)
{
    (void)state;
    struct repair_options o = all_of_it;
    o.prr = o.undo = false;
    struct conn_fixture *f = repair_flying(&o, COUNT);
    repair_ack(f, 0, 4, COUNT - 1);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY) && f->c.rack.tries == 1);
    assert_int_equal(repair_next(f), 0);
    while (f->c.count.timeouts == 0) {
        assert_true(conn_wait(f));
    }
    assert_int_equal(repair_next(f), 0);
    conn_later(f, RTT);
    repair_ack(f, 1, 4, COUNT - 1);
    assert_int_equal(repair_next(f), 1);
    conn_later(f, 1000);
    assert_int_equal(repair_next(f), 2);
    assert_true(conn_has(&f->c, WEIRI_LOSS) && f->c.rack.tries > 0);
    unsigned tries = f->c.rack.tries;
    uint32_t ssthresh = f->c.cc.ssthresh, cwnd = f->c.cc.cwnd;
    conn_later(f, 2 * RTT);
    repair_ack(f, 1, 2, 3);
    assert_int_equal(repair_next(f), 1);
    assert_true(f->c.rack.tries > tries);
    assert_int_equal(f->c.cc.ssthresh, ssthresh);
    assert_true(f->c.cc.cwnd >= cwnd);
}

/* RFC 7661 4.4: what is known of the window is forgotten with it. */
static void a_timeout_validates_anew(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    f->c.rack.sampled = 0; /* no probe */
    f->cfg.cwv = true;
    f->c.cwv.since = (uint32_t)(f->now >> 20) + 1;
    f->c.cwv.pipe[0] = 0;
    while (f->c.count.timeouts == 0) {
        assert_false(weiri_cwv_valid(&f->c.cwv));
        assert_true(conn_wait(f));
    }
    assert_true(weiri_cwv_valid(&f->c.cwv));
    assert_true(seq_eq(f->c.cwv.from, f->c.snd.una) && f->c.cwv.from_at == (uint32_t)f->now);
}

/* ---- TLP --------------------------------------------------------------------------------------------------------- */

/* RFC 8985 7.2, 7.3: two round trips, then the last segment again; its SACK shows what was lost. */
static void a_lost_tail_costs_a_probe(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    assert_string_equal(repair_timer(f), "probe");
    assert_int_equal(weir_deadline(&f->c), f->now - RTT / 2 + 2 * RTT);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 1);
    assert_int_equal(repair_next(f), -1);
    assert_string_equal(repair_timer(f), "resend");
    conn_later(f, RTT);
    repair_ack(f, 0, COUNT - 1, COUNT);
    for (int i = 0; f->c.board.lost == 0 && i < 2; i++) {
        assert_true(conn_wait(f));
    }
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(f->c.count.timeouts, 0);
    assert_int_equal(f->c.count.tail_probes, 1);
}

/* What arrives out of order is acknowledged with the timestamp of what was in order (RFC 7323 4.3). That does not make the SACK of a
 * probe one of the first transmission: what was before it is lost. */
static void a_probe_tells_with_timestamps_too(void **state)
{
    (void)state;
    const struct repair_options stamped = {true, true, true, true, true};
    struct conn_fixture *f = repair_flying(&stamped, COUNT);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 1);
    conn_later(f, RTT);
    struct repair_ack probed = {0, COUNT - 1, COUNT, -1, 4 * RTT / 1000, 0};
    weir_us before = f->now;
    repair_take(f, &probed);
    for (int i = 0; f->c.board.lost == 0 && i < 2; i++) {
        assert_true(conn_wait(f));
    }
    assert_int_equal(repair_next(f), 0);
    assert_true(f->now - before <= RTT / 4);
    assert_int_equal(f->c.count.timeouts, 0);
}

/* New text goes before old, whatever cwnd says. */
static void a_probe_takes_new_text_first(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT - 2);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    assert_int_equal(repair_next(f), -1); /* cwnd */
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 2);
    assert_int_equal(f->c.rack.tlp, WEIRI_TLP_NEW);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    conn_later(f, RTT);
    g.ack = f->c.snd.nxt;
    uint32_t cwnd = f->c.cc.cwnd;
    conn_input(f, &g, 0);
    assert_int_equal(f->c.rack.tlp, WEIRI_TLP_NONE);
    assert_true(f->c.cc.cwnd >= cwnd);
}

/* 7.3: no second probe before a round trip was measured: the retransmission timer. */
static void one_probe_at_a_time(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 1);
    weir_us probed = f->now;
    assert_true(conn_wait(f));
    assert_true(f->now - probed >= f->cfg.rto_min_us);
    assert_int_equal(f->c.count.timeouts, 1);
    assert_int_equal(f->c.count.tail_probes, 1);
    assert_int_equal(repair_next(f), 0);
}

/* Either reason by itself is enough. */
static void no_probe_while_one_is_out_or_unmeasured(void **state)
{
    (void)state;
    for (unsigned out = 0; out < 2; out++) {
        struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
        f->c.rack.tlp = out ? (uint8_t)WEIRI_TLP_AGAIN : (uint8_t)WEIRI_TLP_NONE;
        f->c.rack.tlp_end = f->c.snd.nxt;
        f->c.rack.sampled = out ? 1 : 0;
        assert_true(conn_wait(f));
        assert_int_equal(repair_next(f), -1);
        assert_int_equal(weir_deadline(&f->c), f->now + f->c.rtt.rto); /* it begins anew all the same */
    }
}

/* 7.4.2: a probe that repaired a loss is answered by less; one that was needless is not. */
static void what_a_probe_repaired_is_congestion(void **state)
{
    (void)state;
    for (unsigned needless = 0; needless < 2; needless++) {
        struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
        conn_later(f, RTT / 2);
        repair_ack(f, COUNT - 1, 0, 0);
        uint32_t cwnd = f->c.cc.cwnd;
        assert_true(conn_wait(f));
        assert_int_equal(repair_next(f), COUNT - 1);
        conn_later(f, RTT);
        repair_ack(f, COUNT, 0, 0);
        struct repair_ack twice = {COUNT, 0, 0, COUNT - 1, 0, 0};
        if (needless) {
            repair_take(f, &twice);
        }
        assert_int_equal(f->c.rack.tlp, needless ? WEIRI_TLP_NONE : WEIRI_TLP_AGAIN);
        assert_int_equal(conn_send(f, 4 * MSS, 0), WEIR_ERR_NONE);
        conn_drain(f);
        conn_later(f, RTT);
        repair_ack(f, COUNT + 2, 0, 0);
        assert_true(needless ? f->c.cc.cwnd >= cwnd : f->c.cc.cwnd < cwnd);
        assert_int_equal(f->c.rack.tlp, WEIRI_TLP_NONE);
    }
}

/* No D-SACK is no D-SACK, where numbers begin anew too: the one that would end the probe would end at 0. */
static void a_probe_that_ends_at_zero(void **state)
{
    (void)state;
    repair_iss = 0u - 1 - COUNT * MSS;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    assert_int_equal(f->c.snd.nxt.v, 0);
    conn_later(f, RTT / 2);
    repair_ack(f, COUNT - 1, 0, 0);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 1);
    assert_int_equal(f->c.rack.tlp_end.v, 0);
    conn_later(f, RTT);
    repair_ack(f, COUNT, 0, 0);
    assert_int_equal(f->c.rack.tlp, WEIRI_TLP_AGAIN);
}

/* Its time has come, and with it the end of the connection: there is nothing to probe for. */
static void a_probe_and_the_last_of_patience(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    assert_string_equal(repair_timer(f), "probe");
    f->c.r2_us = weir_deadline(&f->c) - f->c.progress_at;
    assert_true(conn_wait(f));
    assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
    assert_int_equal(f->c.rack.due, 0);
    assert_int_equal(repair_next(f), -1);
}

/* ---- PRR --------------------------------------------------------------------------------------------------------- */

/* RFC 9937: the first retransmission at once, then one segment for every two that arrive; at the end cwnd is ssthresh. */
static void the_window_comes_down_evenly(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT - 2);
    uint32_t sent = 0;
    assert_int_equal(conn_send(f, 2 * MSS, 0), WEIR_ERR_NONE);
    conn_later(f, RTT / 2);
    for (unsigned i = 2; i <= COUNT - 2; i++) {
        repair_ack(f, 0, 1, i);
        while (repair_next(f) >= 0) {
            sent++;
        }
    }
    assert_int_equal(f->c.cc.ssthresh, (COUNT - 2) / 2 * MSS);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(sent, 3); /* two of new text by limited transmit, and the lost one */
    assert_true(f->c.cc.cwnd <= (COUNT - 2) / 2 * MSS + MSS);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.ack = f->c.snd.nxt;
    conn_input(f, &g, 0);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    assert_int_equal(f->c.cc.cwnd, f->c.cc.ssthresh);
}

/* RFC 9937 6.4: where recovery ends early the window is ssthresh all the same. */
static void the_window_at_the_end_is_ssthresh(void **state)
{
    (void)state;
    for (unsigned count = 0; count < 2; count++) { /* what is delivered then may count for the next segment */
        struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
        f->cfg.halve_cwnd = count;
        conn_later(f, RTT / 2);
        repair_ack(f, 0, 1, 4);
        assert_int_equal(repair_next(f), 0);
        assert_true(f->c.cc.cwnd > f->c.cc.ssthresh);
        repair_ack(f, COUNT, 0, 0);
        assert_int_equal(f->c.cc.cwnd, f->c.cc.ssthresh);
        assert_int_equal(f->c.cc.acked, count ? base_min32((COUNT - 3) * repair_full(f), f->c.cc.cwnd - 1) : 0);
    }
}

/* What of the window lets no segment go is no part of it, where the window is halved as far as it was used: with options in each segment too. */
static void a_round_is_whole_segments(void **state)
{
    (void)state;
    const struct repair_options stamped = {true, true, true, true, true};
    for (unsigned halves = 0; halves < 2; halves++) {
        struct conn_fixture *f = repair_flying(&stamped, 4);
        const uint32_t cwnd = 3 * repair_full(f) + 100;
        f->cfg.halve_cwnd = halves;
        f->c.cc.cwnd = f->c.cc.ssthresh = cwnd;
        f->c.cc.acked = 0;
        conn_set(&f->c, WEIRI_CWND_LIMITED, true);
        repair_ack(f, 3, 0, 0);
        assert_int_equal(f->c.cc.cwnd, halves ? cwnd + f->c.mss_snd : cwnd);
    }
}

/* A probe for the tail is due, and the user gives up before it is sent: nothing is due any more. */
static void a_probe_ends_with_its_connection(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, 2);
    assert_int_equal(f->c.rack.timer, WEIRI_RACK_PROBE);
    f->now = f->c.rack.at;
    weir_expire(&f->c, f->now);
    assert_int_equal(f->c.rack.due, 1);
    weir_abort(&f->c, f->now);
    assert_int_equal(f->c.state, WEIR_CLOSED);
    assert_int_equal(f->c.rack.due, 0);
}

/* The same without SACK: duplicates count, and no more of them than there was in flight. */
static void prr_without_sack(void **state)
{
    (void)state;
    const struct repair_options plain = {false, false, true, true, true};
    struct conn_fixture *f = repair_flying(&plain, COUNT);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(repair_next(f), -1);
        repair_ack(f, 0, 0, 0);
    }
    assert_int_equal(repair_next(f), 0);
    for (unsigned i = 0; i < 200; i++) {
        repair_ack(f, 0, 0, 0);
        (void)repair_next(f);
        assert_true(f->c.prr.delivered <= f->c.prr.recover_fs);
    }
    assert_int_equal(f->c.count.retrans, 1);
    repair_ack(f, COUNT, 0, 0);
    assert_int_equal(f->c.cc.cwnd, f->c.cc.ssthresh);
}

/* ---- undo -------------------------------------------------------------------------------------------------------- */

/* RFC 3522: the answer to what was sent again echoes a timestamp from before; then the window is as it was. */
static void a_timestamp_takes_back_a_fast_recovery(void **state)
{
    (void)state;
    const struct repair_options stamped = {true, true, true, true, true};
    for (unsigned ece = 0; ece < 4; ece++) {
        struct conn_fixture *f = repair_flying(&stamped, COUNT);
        uint32_t cwnd = f->c.cc.cwnd;
        conn_later(f, RTT / 2);
        struct repair_ack hole = {0, 1, 4, -1, 10, 0}, late = {4, 0, 0, -1, 15, ece == 1 ? WEIR_ECE : 0};
        late.echo_ms = ece == 2 ? 4 : ece == 3 ? 5 : late.echo_ms; /* the retransmission itself is answered */
        repair_take(f, &hole);
        assert_int_equal(repair_next(f), 0);
        assert_true(f->c.cc.ssthresh < cwnd);
        conn_later(f, 5000);
        repair_take(f, &late);
        assert_int_equal(f->c.count.undone, ece == 0);
        assert_int_equal(conn_has(&f->c, WEIRI_RECOVERY), ece != 0);
        assert_int_equal(f->c.cc.ssthresh == 65535, ece == 0);
        assert_true(ece != 0 || f->c.cc.cwnd >= cwnd);
    }
}

/* What a recovery sent again beyond its end may be acknowledged first in the next one: the echo is older than that one's own
 * retransmission, and takes nothing back. */
static void an_echo_of_the_recovery_before(void **state)
{
    (void)state;
    const struct repair_options stamped = {true, true, true, false, true};
    struct conn_fixture *f = repair_flying(&stamped, 4);
    const struct repair_ack acks[] = {{0, 1, 4, -1, 10, 0}, {0, 5, 8, -1, 10, 0}, {4, 5, 8, -1, 10, 0}, {4, 9, 10, -1, 10, 0},
                                      {8, 9, 10, -1, 5, 0}};
    uint32_t full = repair_full(f);
    conn_later(f, RTT / 2);
    repair_take(f, &acks[0]);
    assert_int_equal(repair_next(f), 0);
    f->c.cc.cwnd = 4 * COUNT * full;
    assert_int_equal(conn_send(f, 6 * full, 0), WEIR_ERR_NONE); /* beyond the end of the recovery */
    conn_drain(f);
    conn_later(f, RTT);
    repair_take(f, &acks[1]);
    while (repair_next(f) >= 0) { /* 0 once more, and 4 again in the first recovery */
    }
    repair_take(f, &acks[2]);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    assert_true(f->c.board.resent > 0);
    conn_later(f, 4000);
    repair_take(f, &acks[3]);
    assert_int_equal(f->c.count.recoveries, 2);
    assert_int_equal(repair_next(f), 8);
    conn_later(f, 1000);
    repair_take(f, &acks[4]); /* it echoes the retransmission of 4 */
    assert_int_equal(f->c.count.undone, 0);
    assert_true(conn_has(&f->c, WEIRI_RECOVERY));
}

/* RFC 2883: all that was sent again is told to be twice there, a little after recovery has ended. */
static void d_sacks_take_back_a_fast_recovery(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT);
    conn_later(f, RTT / 2);
    repair_ack(f, 0, 2, 6);
    assert_int_equal(repair_next(f), 0);
    repair_ack(f, 0, 2, 8);
    assert_int_equal(repair_next(f), 1);
    repair_ack(f, COUNT, 0, 0);
    assert_false(conn_has(&f->c, WEIRI_RECOVERY));
    struct repair_ack first = {COUNT, 0, 0, 0, 0, 0}, second = {COUNT, 0, 0, 1, 0, 0};
    repair_take(f, &first);
    assert_int_equal(f->c.count.undone, 0);
    repair_take(f, &second);
    assert_int_equal(f->c.count.undone, 1);
    assert_int_equal(f->c.cc.ssthresh, 65535);
    assert_int_equal(f->c.rack.mult, 3); /* nothing is in flight: each begins a round */
    repair_take(f, &second); /* nothing is left to take back */
    assert_int_equal(f->c.count.undone, 1);
}

/* A timeout of ten segments whose acknowledgments were only late; new text waits. */
static struct conn_fixture *repair_timed_out(bool undo)
{
    struct repair_options o = all_of_it;
    o.undo = undo;
    struct conn_fixture *f = repair_flying(&o, COUNT - 2);
    f->cfg.rto_min_us = 1000;
    f->c.rack.sampled = 0; /* no probe */
    for (unsigned i = 0; i < 5 && f->c.count.timeouts == 0; i++) {
        assert_true(conn_wait(f));
    }
    assert_int_equal(f->c.count.timeouts, 1);
    assert_int_equal(f->c.cc.cwnd, MSS);
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(repair_next(f), -1);
    assert_int_equal(conn_send(f, 2 * MSS, 0), WEIR_ERR_NONE);
    conn_later(f, 1000);
    return f;
}

/* RFC 5682 3.1: after the first acknowledgment new text goes; what was sent once is acknowledged: the timeout was spurious. */
static void f_rto_takes_back_a_timeout(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_timed_out(true);
    uint32_t srtt8 = f->c.rtt.srtt8, rttvar4 = f->c.rtt.rttvar4;
    repair_ack(f, 1, 0, 0);
    assert_int_equal(f->c.undo.step, WEIRI_FRTO_NEW);
    assert_int_equal(repair_next(f), COUNT - 2);
    assert_true(f->c.board.lost > 0);
    repair_ack(f, 2, 0, 0);
    assert_int_equal(f->c.count.undone, 1);
    assert_int_equal(f->c.board.lost, 0);
    assert_false(conn_has(&f->c, WEIRI_LOSS));
    assert_int_equal(f->c.cc.ssthresh, 65535);
    assert_true(f->c.cc.cwnd >= (COUNT - 3) * MSS);
    assert_int_equal(f->c.count.retrans, 1);
    repair_ack(f, COUNT - 2, 0, 0);
    assert_true(f->c.rtt.srtt8 > srtt8 + 2 * 8 * 1000); /* a long sample, of what was sent before the timeout */
    conn_later(f, 1000);
    repair_ack(f, COUNT - 1, 0, 0);
    assert_int_equal(f->c.backoff, 0);
    assert_int_equal(f->c.rtt.srtt8, srtt8 + 2 * 8 * 1000); /* RFC 4015 3.1 step 11: a sample of 1 ms is less */
    assert_int_equal(f->c.rtt.rttvar4, rttvar4);
}

/* Where only what was sent again, or new text, arrives, the losses were real: they go again. */
static void f_rto_believes_in_real_losses(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_timed_out(true);
    repair_ack(f, 1, 0, 0);
    assert_int_equal(repair_next(f), COUNT - 2);
    (void)repair_next(f);
    conn_later(f, 1000);
    repair_ack(f, 1, COUNT - 2, COUNT - 1);
    assert_int_equal(f->c.count.undone, 0);
    assert_int_equal(f->c.undo.step, WEIRI_FRTO_OFF);
    assert_int_equal(repair_next(f), 1);
    f = repair_timed_out(false);
    repair_ack(f, 1, 0, 0);
    assert_int_equal(repair_next(f), 1);
    repair_ack(f, 3, 0, 0);
    assert_int_equal(f->c.count.undone, 0);
}

/* The tail went as a probe too: which of the two arrived is not known. */
static void f_rto_does_not_ask_what_went_twice(void **state)
{
    (void)state;
    struct conn_fixture *f = repair_flying(&all_of_it, COUNT - 2);
    assert_true(conn_wait(f));
    assert_int_equal(repair_next(f), COUNT - 3);
    assert_true(conn_wait(f));
    assert_int_equal(f->c.count.timeouts, 1);
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(conn_send(f, 2 * MSS, 0), WEIR_ERR_NONE);
    repair_ack(f, 1, 0, 0);
    assert_int_equal(f->c.undo.step, WEIRI_FRTO_NEW);
    assert_int_equal(repair_next(f), COUNT - 2);
    repair_ack(f, 1, COUNT - 3, COUNT - 2);
    assert_int_equal(f->c.undo.step, WEIRI_FRTO_OFF);
    assert_int_equal(f->c.count.undone, 0);
}

/* RFC 9438 4.9.2: all that CUBIC knew is kept before the reduction, and comes back. */
static void what_cubic_knew_comes_back(void **state)
{
    (void)state;
    const struct repair_options stamped = {true, true, true, true, true};
    struct conn_fixture *f = repair_flying(&stamped, COUNT);
    struct repair_ack hole = {0, 1, 4, -1, 10, 0}, late = {4, 0, 0, -1, 15, 0};
    f->cfg.cc = WEIR_CC_CUBIC;
    f->c.cc.ssthresh = f->c.cc.cwnd;
    f->c.cc.cubic.epoch_at = f->now - RTT;
    f->c.cc.cubic.seen_at = f->now;
    f->c.cc.cubic.w_max = f->c.cc.cubic.origin = 2 * f->c.cc.cwnd;
    f->c.cc.cubic.cwnd_prior = f->c.cc.cubic.w_max;
    f->c.cc.cubic.w_est = f->c.cc.cwnd;
    f->c.cc.cubic.k = 1000;
    struct weir_cc before = f->c.cc;
    conn_later(f, RTT / 2);
    repair_take(f, &hole);
    assert_int_equal(repair_next(f), 0);
    assert_int_equal(f->c.cc.cubic.cwnd_prior, before.cwnd);
    assert_memory_not_equal(&f->c.cc.cubic, &before.cubic, sizeof before.cubic);
    conn_later(f, 5000);
    repair_take(f, &late);
    assert_int_equal(f->c.count.undone, 1);
    assert_int_equal(f->c.cc.cwnd, before.cwnd);
    assert_int_equal(f->c.cc.ssthresh, before.ssthresh);
    assert_memory_equal(&f->c.cc.cubic, &before.cubic, sizeof before.cubic);
}

/* Whatever blocks come: no invariant breaks, nothing stands still. */
static void hostile_acknowledgments(void **state)
{
    (void)state;
    uint32_t x = 0x51ed270b;
    for (unsigned run = 0; run < 400; run++) {
        struct repair_options o = {run % 4 != 0, run % 3 == 0, run % 5 != 0, run % 7 != 0, run % 2 == 0};
        struct conn_fixture *f = repair_flying(&o, COUNT);
        f->cfg.cc = run % 2 ? WEIR_CC_CUBIC : WEIR_CC_NEWRENO;
        for (unsigned n = 0; n < 120; n++) {
            x = x * 1664525 + 1013904223;
            unsigned reach = seq_diff(seq_add(f->c.snd.iss, 1), f->c.snd.nxt) / repair_full(f);
            unsigned una = seq_diff(seq_add(f->c.snd.iss, 1), f->c.snd.una) / repair_full(f);
            struct repair_ack a = {una + (x >> 28) % 3, una + (x >> 24) % 12, una + (x >> 20) % 12, (int)((x >> 12) % 16) - 8, (x >> 4) % 64, 0};
            a.acked = a.acked < reach ? a.acked : reach;
            if (x % 3 == 0) {
                (void)conn_wait(f);
            } else {
                repair_take(f, &a);
            }
            (void)conn_send(f, MSS * (x % 2), 0);
            conn_drain(f);
        }
        weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
        g.ack = f->c.snd.nxt;
        conn_input(f, &g, 0);
        conn_drain(f);
        if (weir_state(&f->c) == WEIR_CLOSED) { /* R2 */
            continue;
        }
        assert_int_equal(conn_send(f, MSS, 0), WEIR_ERR_NONE);
        conn_drain(f);
        assert_true(f->c.snd.nxt.v != g.ack.v || weir_deadline(&f->c) != WEIR_FOREVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hole_is_lost_when_the_reordering_timer_fires),
        cmocka_unit_test(the_timer_begins_anew_with_the_head),
        cmocka_unit_test(a_lost_retransmission_is_congestion_again),
        cmocka_unit_test(three_segments_above_a_hole),
        cmocka_unit_test(reordering_is_no_loss),
        cmocka_unit_test(a_lost_retransmission_goes_again),
        cmocka_unit_test(without_rack_sack_counts),
        cmocka_unit_test(one_thing_more_goes),
        cmocka_unit_test(no_timestamp_is_no_echo),
        cmocka_unit_test(after_a_timeout_there_is_no_less),
        cmocka_unit_test(a_timeout_validates_anew),
        cmocka_unit_test(a_lost_tail_costs_a_probe),
        cmocka_unit_test(a_probe_tells_with_timestamps_too),
        cmocka_unit_test(a_probe_takes_new_text_first),
        cmocka_unit_test(one_probe_at_a_time),
        cmocka_unit_test(no_probe_while_one_is_out_or_unmeasured),
        cmocka_unit_test(what_a_probe_repaired_is_congestion),
        cmocka_unit_test(a_probe_that_ends_at_zero),
        cmocka_unit_test(a_probe_and_the_last_of_patience),
        cmocka_unit_test(the_window_comes_down_evenly),
        cmocka_unit_test(the_window_at_the_end_is_ssthresh),
        cmocka_unit_test(a_round_is_whole_segments),
        cmocka_unit_test(a_probe_ends_with_its_connection),
        cmocka_unit_test(prr_without_sack),
        cmocka_unit_test(a_timestamp_takes_back_a_fast_recovery),
        cmocka_unit_test(an_echo_of_the_recovery_before),
        cmocka_unit_test(d_sacks_take_back_a_fast_recovery),
        cmocka_unit_test(f_rto_takes_back_a_timeout),
        cmocka_unit_test(f_rto_believes_in_real_losses),
        cmocka_unit_test(f_rto_does_not_ask_what_went_twice),
        cmocka_unit_test(what_cubic_knew_comes_back),
        cmocka_unit_test(hostile_acknowledgments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
