/* test_timer.c - deadlines: retransmission and its backoff, R1 and R2, delayed ACK, keepalive, 2MSL, linger. RFC 9293 3.8, 3.10.8, RFC 6298 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

static weir_us timer_gap(struct conn_fixture *f)
{
    weir_us before = f->now;
    assert_true(conn_wait(f));
    return f->now - before;
}

/* ---- retransmission ------------------------------------------------------------------------------------------------------------------- */

/* RFC 6298 2.1, 5.5, 2.5: 1 s, doubled each time, capped; R2 for a SYN is at least three minutes (MUST-23). */
static void syn_is_sent_again_with_backoff_for_three_minutes(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_SYN_SENT);
    weir_us expected = 1 * CONN_SECOND, start = f->now;
    while (start + f->cfg.r2_syn_us > f->now + expected) {
        assert_int_equal(timer_gap(f), expected);
        conn_expect(f, "SYN ISS", WEIR_SYN_SENT);
        expected = expected * 2 < f->cfg.rto_max_us ? expected * 2 : f->cfg.rto_max_us;
    }
    timer_gap(f);
    conn_expect(f, "", WEIR_CLOSED);
    assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
    assert_int_equal(f->now - start, 180 * CONN_SECOND);
}

/* RFC 6298 5.7: a SYN that timed out leaves 3 s for the data; RFC 5681 3.1: and a window of one segment. */
static void a_lost_syn_makes_the_start_careful(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_SYN_SENT);
    timer_gap(f);
    conn_drain(f);
    conn_seg(f, WEIR_SYN | WEIR_ACK, 0, 0, 0);
    conn_expect(f, "ACK +0 +1", WEIR_ESTABLISHED);
    assert_int_equal(f->c.cc.cwnd, 1460);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(timer_gap(f), 3 * CONN_SECOND);
}

static void text_is_sent_again_until_r2(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_set_user_timeout(&f->c, 300 * CONN_SECOND);
    weir_us start = f->now, expected = f->c.rtt.rto;
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_expect(f, "ACK +0 +0 len 100", WEIR_ESTABLISHED);
    for (unsigned i = 0; start + 300 * CONN_SECOND > f->now + expected; i++) {
        assert_int_equal(timer_gap(f), expected);
        conn_expect(f, "ACK -100 +0 len 100", WEIR_ESTABLISHED);
        expected = expected * 2 < f->cfg.rto_max_us ? expected * 2 : f->cfg.rto_max_us;
        assert_int_equal((weir_events(&f->c) & WEIR_EV_SUSPECT) != 0, i + 1 > f->cfg.retries_r1); /* SHLD-9 */
    }
    timer_gap(f);
    conn_expect(f, "", WEIR_CLOSED);
    assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
    assert_int_equal(f->now - start, 300 * CONN_SECOND);
}

/* 0 gives back what the configuration says. */
static void a_user_timeout_of_0_is_the_configured_one(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_us start = f->now;
    weir_set_user_timeout(&f->c, 300 * CONN_SECOND);
    weir_set_user_timeout(&f->c, 0);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    for (unsigned i = 0; i < 100 && weir_state(&f->c) != WEIR_CLOSED; i++) {
        conn_drain(f);
        assert_true(conn_wait(f));
    }
    assert_int_equal(f->now - start, f->cfg.r2_us);
}

/* MUST-21: R2 may be for ever. */
static void r2_may_be_unlimited(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_set_user_timeout(&f->c, WEIR_FOREVER);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(timer_gap(f) <= f->cfg.rto_max_us);
        conn_expect(f, "ACK -100 +0 len 100", WEIR_ESTABLISHED);
    }
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    assert_false(weir_events(&f->c) & WEIR_EV_SUSPECT);
    assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER); /* RFC 6298 5.2 */
    assert_int_equal(f->c.backoff, 31); /* it was sent twice: no sample, and the path may be as slow as it seemed (Karn) */
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    assert_int_equal(f->c.backoff, 0);
}

/* RFC 6298 5.3: an acknowledgment of new data starts the timer anew. */
static void progress_restarts_the_timer(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_set_nagle(&f->c, false);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_later(f, f->c.rtt.rto - 1);
    conn_seg(f, WEIR_ACK, 0, -100, 0);
    assert_int_equal(f->c.rexmt_at, f->now + f->c.rtt.rto);
    conn_expect(f, "", WEIR_ESTABLISHED);
}

/* Karn: what was sent twice gives no sample (RFC 6298 3); the backoff stays until something that was sent once is acknowledged. */
static void karn(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    uint32_t srtt = f->c.rtt.srtt8;
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    timer_gap(f);
    conn_drain(f);
    conn_later(f, 50000);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    assert_int_equal(f->c.rtt.srtt8, srtt);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_later(f, 80000);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    assert_int_not_equal(f->c.rtt.srtt8, srtt);
}

/* ---- delayed ACK ------------------------------------------------------------------------------------------------------------------------ */

static void acks_wait_for_the_second_segment_or_the_delay(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->c.quick_acks = 1;
    conn_seg(f, WEIR_ACK, 0, 0, 500); /* at first at once */
    conn_expect(f, "ACK +0 +500", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 500);
    conn_expect(f, "", WEIR_ESTABLISHED);
    assert_int_equal(timer_gap(f), f->cfg.ack_delay_us);
    conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 500);
    conn_expect(f, "", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 500); /* SHLD-19 */
    conn_expect(f, "ACK +0 +500", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 500);
    assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE); /* text carries it */
    conn_expect(f, "ACK +0 +0 len 10", WEIR_ESTABLISHED);
    assert_int_equal(f->c.ack_at, WEIR_FOREVER);
}

/* RFC 5681 4.2: a segment above a gap, and one that fills it, at once. */
static void acks_around_a_gap_do_not_wait(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->c.quick_acks = 0;
    conn_seg(f, WEIR_ACK, 100, 0, 100);
    conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 300, 0, 100);
    conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 100);
    conn_expect(f, "ACK +0 +200", WEIR_ESTABLISHED);
    conn_seg(f, WEIR_ACK, 0, 0, 100);
    conn_expect(f, "ACK +0 +200", WEIR_ESTABLISHED);
}

/* MUST-58, MUST-59: several segments, one ACK. */
static void one_ack_for_all_that_came(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    for (unsigned i = 0; i < 6; i++) {
        conn_seg(f, WEIR_ACK, 0, 0, 500);
    }
    conn_expect(f, "ACK +0 +500", WEIR_ESTABLISHED);
}

/* ---- keepalive ---------------------------------------------------------------------------------------------------------------------------- */

static void keepalive_is_off_unless_asked_for(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER); /* MUST-25 */
    weir_set_keepalive(&f->c, true, f->now);
    assert_int_equal(weir_deadline(&f->c), f->now + 7200 * CONN_SECOND); /* MUST-28 */
    weir_set_keepalive(&f->c, false, f->now);
    assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER); /* MUST-24 */
}

static void keepalive_probes_and_gives_up(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.keepalive_idle_us = 100 * CONN_SECOND;
    f->cfg.keepalive_interval_us = 7 * CONN_SECOND;
    f->cfg.keepalive_count = 3;
    weir_set_keepalive(&f->c, true, f->now);
    conn_go(f, WEIR_ESTABLISHED);
    assert_int_equal(timer_gap(f), 100 * CONN_SECOND);
    conn_expect(f, "ACK -1 +0", WEIR_ESTABLISHED); /* SHLD-12: no text */
    conn_seg(f, WEIR_ACK, 0, 0, 0);                /* answered: from the beginning */
    assert_int_equal(timer_gap(f), 100 * CONN_SECOND);
    for (unsigned i = 0; i < 3; i++) {
        conn_expect(f, "ACK -1 +0", WEIR_ESTABLISHED);
        assert_int_equal(timer_gap(f), 7 * CONN_SECOND);
    }
    conn_expect(f, "", WEIR_CLOSED);
    assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
}

/* MUST-26: not while something of ours is out. */
static void keepalive_leaves_retransmission_alone(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    f->cfg.keepalive_idle_us = 2 * CONN_SECOND;
    weir_set_keepalive(&f->c, true, f->now);
    conn_go(f, WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 10, 0), WEIR_ERR_NONE);
    conn_drain(f);
    for (unsigned i = 0; i < 12; i++) {
        conn_wait(f);
        const char *said = conn_says(f);
        assert_true(said[0] == '\0' || strcmp(said, "ACK -10 +0 len 10") == 0);
    }
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
}

/* ---- the end of life ------------------------------------------------------------------------------------------------------------------------ */

static void time_wait_lasts_twice_the_msl(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_TIME_WAIT);
    weir_us start = f->now;
    conn_later(f, f->cfg.msl_us);
    conn_seg(f, WEIR_FIN | WEIR_ACK, -1, 0, 0); /* the peer's FIN again: our last ACK was lost */
    conn_expect(f, "ACK +0 +0", WEIR_TIME_WAIT);
    conn_later(f, 2 * f->cfg.msl_us - 1);
    conn_expect(f, "", WEIR_TIME_WAIT);
    conn_later(f, 1);
    conn_expect(f, "", WEIR_CLOSED);
    assert_int_equal(f->now - start, 3 * f->cfg.msl_us);
    assert_int_equal(weir_error(&f->c), WEIR_ERR_NONE);
}

/* Once the user has walked away every state ends, whatever the peer does or does not. */
static void a_released_connection_ends_in_bounded_time(void **state)
{
    (void)state;
    for (unsigned s = WEIR_LISTEN; s < WEIR_STATE_COUNT; s++) {
        for (unsigned zero_window = 0; zero_window < 2; zero_window++) {
            struct conn_fixture *f = conn_in((enum weir_state)s);
            weir_us start = f->now;
            (void)conn_send(f, 50, 0);
            if (zero_window) {
                f->c.snd.wnd = 0;
            }
            (void)weir_release(&f->c, WEIR_FOREVER, f->now);
            for (unsigned i = 0; i < 1000 && weir_state(&f->c) != WEIR_CLOSED; i++) {
                conn_drain(f);
                assert_true(conn_wait(f));
                if (zero_window && f->c.timer == WEIRI_TIMER_PERSIST) { /* a peer that answers probes for ever */
                    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
                    g.window = 0;
                    conn_input(f, &g, 0);
                }
            }
            assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
            assert_true(f->now - start <= f->cfg.orphan_us + f->cfg.fin_wait_us + 2 * f->cfg.msl_us + 300 * CONN_SECOND);
            assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER);
        }
    }
}

/* Text of a released connection may wait for its time, or to be polled, longer than R2: then it ends there, and not in the past. */
static void what_a_release_leaves_does_not_stop_r2(void **state)
{
    (void)state;
    for (unsigned paced = 0; paced < 2; paced++) {
        struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
        weir_set_user_timeout(&f->c, CONN_SECOND / 10);
        f->cfg.pacing = paced ? WEIR_PACING_HOLD : WEIR_PACING_OFF;
        f->c.pace.held = 1;
        f->c.pace.next = f->now + CONN_SECOND / 4;
        assert_int_equal(conn_send(f, paced ? 50 : 0, 0), WEIR_ERR_NONE);
        assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
        if (paced) {
            conn_mark(f);
            conn_expect(f, "", WEIR_FIN_WAIT_1);
        }
        assert_int_equal(weir_deadline(&f->c), f->now + CONN_SECOND / 10);
        f->now += CONN_SECOND / 10;
        weir_expire(&f->c, f->now);
        assert_int_equal(weir_state(&f->c), WEIR_CLOSED);
        assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
        assert_int_equal(weir_deadline(&f->c), WEIR_FOREVER);
    }
}

/* R2 counts from when something begins to be waited for: until the window shrinks it is the user who waits, and does not poll. */
static void r2_counts_from_when_something_is_waited_for(void **state)
{
    (void)state;
    static const uint16_t windows[2] = {0, 100}; /* the persist timer, the override of 3.8.6.2.1 */
    const weir_us limit = CONN_SECOND / 10;
    for (unsigned i = 0; i < 2; i++) {
        struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
        weir_set_user_timeout(&f->c, limit);
        assert_int_equal(conn_send(f, 500, 0), WEIR_ERR_NONE);
        f->now += 10 * limit;
        weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
        g.window = windows[i];
        conn_input(f, &g, 0);
        assert_int_equal(f->c.timer, i == 0 ? WEIRI_TIMER_PERSIST : WEIRI_TIMER_SWS);
        assert_int_equal(weir_deadline(&f->c), f->now + limit);
        conn_later(f, limit);
        assert_int_equal(weir_error(&f->c), WEIR_ERR_TIMEOUT);
    }
}

static void linger(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 50, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(weir_release(&f->c, 5 * CONN_SECOND, f->now), WEIR_ERR_NONE);
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
    conn_later(f, 5 * CONN_SECOND);
    conn_expect(f, "RST +0", WEIR_CLOSED); /* from SND.NXT, the FIN counted */
    assert_int_equal(weir_error(&f->c), WEIR_ERR_ABORTED);

    f = conn_in(WEIR_ESTABLISHED);
    conn_mark(f);
    assert_int_equal(weir_release(&f->c, 0, f->now), WEIR_ERR_NONE);
    conn_expect(f, "RST +0", WEIR_CLOSED);

    f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(weir_release(&f->c, 5 * CONN_SECOND, f->now), WEIR_ERR_NONE);
    conn_drain(f);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    conn_later(f, 5 * CONN_SECOND); /* all was acknowledged: nothing to abort */
    conn_expect(f, "", WEIR_FIN_WAIT_2);
}

/* SHLD-3: octets that nobody will read are answered with RST. */
static void unread_octets_make_a_release_a_reset(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    conn_take(f, WEIR_ACK, 0, 0, 10);
    conn_mark(f);
    assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
    conn_expect(f, "RST +0", WEIR_CLOSED);
    f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(weir_release(&f->c, WEIR_FOREVER, f->now), WEIR_ERR_NONE);
    conn_drain(f);
    conn_seg(f, WEIR_ACK, 0, 0, 10);
    conn_expect(f, "RST +0", WEIR_CLOSED);
    assert_int_equal(weir_error(&f->c), WEIR_ERR_ABORTED);
}

/* ---- the clock ------------------------------------------------------------------------------------------------------------------------------ */

static void expire_is_harmless_at_any_time(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    conn_drain(f);
    weir_us due = weir_deadline(&f->c);
    for (unsigned i = 0; i < 5; i++) {
        weir_expire(&f->c, f->now + i);
        conn_expect(f, "", WEIR_ESTABLISHED);
    }
    weir_expire(&f->c, 1); /* earlier than what was seen: taken as now */
    assert_int_equal(weir_deadline(&f->c), due);
    f->now = due + 3600 * CONN_SECOND / 10; /* late: once, not as often as it was missed */
    weir_expire(&f->c, f->now);
    conn_expect(f, "ACK -100 +0 len 100", WEIR_ESTABLISHED);
    weir_expire(&f->c, f->now);
    conn_expect(f, "", WEIR_ESTABLISHED);
}

/* The clock may begin anywhere; near its end nothing wraps. */
static void any_origin_of_time(void **state)
{
    (void)state;
    static const weir_us origins[] = {0, (1u << 31) - 5, UINT32_MAX - 5ull, 1ull << 52, WEIR_FOREVER - 400 * CONN_SECOND};
    for (unsigned i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        struct conn_fixture *f = conn_new();
        weir_buffers b;
        weir_sizes sizes = {CONN_RX, CONN_TX};
        f->now = origins[i];
        assert_true(weir_buffers_carve(&b, f->memory, sizeof f->memory, sizes));
        assert_int_equal(weir_init(&f->c, &f->cfg, &b, f->now), WEIR_ERR_NONE);
        conn_go(f, WEIR_ESTABLISHED);
        assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
        conn_drain(f);
        for (unsigned n = 0; n < 4; n++) {
            assert_int_equal(timer_gap(f), (weir_us)f->c.rtt.rto << n);
            conn_expect(f, "ACK -100 +0 len 100", WEIR_ESTABLISHED);
        }
    }
}

/* A life that ends where there is no end to it (row TL3) is over: it is not due again and again. */
static void a_life_ends_once(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->c.life_at = f->now;
    conn_later(f, 0);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    assert_true(weir_deadline(&f->c) == WEIR_FOREVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syn_is_sent_again_with_backoff_for_three_minutes),
        cmocka_unit_test(a_lost_syn_makes_the_start_careful),
        cmocka_unit_test(text_is_sent_again_until_r2),
        cmocka_unit_test(a_user_timeout_of_0_is_the_configured_one),
        cmocka_unit_test(r2_may_be_unlimited),
        cmocka_unit_test(progress_restarts_the_timer),
        cmocka_unit_test(karn),
        cmocka_unit_test(acks_wait_for_the_second_segment_or_the_delay),
        cmocka_unit_test(acks_around_a_gap_do_not_wait),
        cmocka_unit_test(one_ack_for_all_that_came),
        cmocka_unit_test(keepalive_is_off_unless_asked_for),
        cmocka_unit_test(keepalive_probes_and_gives_up),
        cmocka_unit_test(keepalive_leaves_retransmission_alone),
        cmocka_unit_test(time_wait_lasts_twice_the_msl),
        cmocka_unit_test(a_released_connection_ends_in_bounded_time),
        cmocka_unit_test(what_a_release_leaves_does_not_stop_r2),
        cmocka_unit_test(r2_counts_from_when_something_is_waited_for),
        cmocka_unit_test(linger),
        cmocka_unit_test(unread_octets_make_a_release_a_reset),
        cmocka_unit_test(expire_is_harmless_at_any_time),
        cmocka_unit_test(any_origin_of_time),
        cmocka_unit_test(a_life_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
