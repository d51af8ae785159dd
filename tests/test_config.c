/* test_config.c - profiles, and every range of the configuration at both of its ends; calls with arguments that cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

static weir_config config_good(void)
{
    weir_config c;
    weir_config_init(&c);
    c.secret[15] = 1;
    return c;
}

static void profiles_are_sound_once_they_have_a_secret(void **state)
{
    (void)state;
    void (*const profiles[])(weir_config *) = {weir_config_init, weir_config_internet, weir_config_rfc, weir_config_tiny};
    for (unsigned i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        weir_config c;
        const char *field = "";
        memset(&c, 0xa5, sizeof c);
        profiles[i](&c);
        assert_int_equal(weir_config_check(&c, &field), WEIR_ERR_SECRET);
        assert_string_equal(field, "secret");
        c.secret[i] = 1;
        assert_int_equal(weir_config_check(&c, &field), WEIR_ERR_NONE);
        assert_null(field);
        assert_true(c.r2_us >= 100 * CONN_SECOND);       /* SHLD-11 */
        assert_true(c.r2_syn_us >= 180 * CONN_SECOND);   /* MUST-23 */
        assert_true(c.retries_r1 >= 3);                  /* SHLD-10 */
        assert_int_equal(c.keepalive_idle_us, 0);        /* MUST-25 */
        assert_true(c.rto_max_us >= 60 * CONN_SECOND);   /* RFC 6298 2.5 */
    }
    weir_config rfc;
    weir_config_rfc(&rfc);
    assert_int_equal(rfc.rto_min_us, CONN_SECOND);
    assert_int_equal(rfc.msl_us, 120 * CONN_SECOND);
    assert_int_equal(rfc.cc, WEIR_CC_NEWRENO);
    assert_false(rfc.rack || rfc.prr || rfc.undo || rfc.hystart || rfc.abe || rfc.abc || rfc.halve_cwnd);
    assert_int_equal(rfc.pacing, WEIR_PACING_OFF);
    assert_int_equal(rfc.ecn, WEIR_ECN_OFF);
    weir_config internet = config_good();
    assert_int_equal(internet.cc, WEIR_CC_CUBIC);
    assert_true(internet.rack && internet.prr && internet.undo && internet.hystart && internet.abe && internet.abc && internet.halve_cwnd);
    assert_int_equal(internet.pacing, WEIR_PACING_START);
    assert_int_equal(internet.ecn, WEIR_ECN_ACCEPT);
}

#define BAD(name, value)                                                 \
    do {                                                                 \
        weir_config c = config_good();                                   \
        const char *field = NULL;                                        \
        c.name = (value);                                                \
        assert_int_equal(weir_config_check(&c, &field), WEIR_ERR_INVALID); \
        assert_string_equal(field, #name);                               \
        assert_int_equal(weir_config_check(&c, NULL), WEIR_ERR_INVALID); \
    } while (0)
#define GOOD(name, value)                                                \
    do {                                                                 \
        weir_config c = config_good();                                   \
        c.name = (value);                                                \
        assert_int_equal(weir_config_check(&c, NULL), WEIR_ERR_NONE);    \
    } while (0)

static void every_range_has_two_ends(void **state)
{
    (void)state;
    BAD(mtu, 427);
    GOOD(mtu, 428);
    GOOD(mtu, 65535);
    BAD(mss_min, 63);
    GOOD(mss_min, 64);
    GOOD(mss_min, 536);
    BAD(mss_min, 537);
    BAD(cc, WEIR_CC_COUNT);
    GOOD(rx_max, 1u << 30);
    BAD(rx_max, (1u << 30) + 1);
    GOOD(tx_max, 1u << 30);
    BAD(tx_max, (1u << 30) + 1);
    BAD(ack_every, 0);
    BAD(ttl, 0);
    GOOD(dscp, 63);
    BAD(dscp, 64);
    GOOD(ecn, WEIR_ECN_ACCEPT);
    BAD(ecn, WEIR_ECN_COUNT);
    BAD(keepalive_count, 0);
    BAD(rto_initial_us, 999);
    GOOD(rto_initial_us, 1000);
    BAD(rto_min_us, 999);
    BAD(rto_max_us, 199999);
    GOOD(rto_max_us, 200000);
    GOOD(rto_max_us, 3600 * CONN_SECOND);
    BAD(rto_max_us, 3600 * CONN_SECOND + 1);
    GOOD(ack_delay_us, 499999);
    BAD(ack_delay_us, 500000);
    BAD(r2_us, 999);
    GOOD(r2_us, WEIR_FOREVER);
    BAD(r2_syn_us, 999);
    BAD(keepalive_interval_us, 999);
    BAD(persist_max_us, 999);
    BAD(sws_override_us, 999);
    GOOD(sws_override_us, CONN_SECOND);
    BAD(sws_override_us, CONN_SECOND + 1);
    GOOD(msl_us, 600 * CONN_SECOND);
    BAD(msl_us, 600 * CONN_SECOND + 1);
    BAD(fin_wait_us, WEIR_FOREVER);
    BAD(orphan_us, WEIR_FOREVER);
}

static void a_connection_needs_a_good_configuration(void **state)
{
    (void)state;
    weir_config c = config_good();
    weir_conn conn;
    weir_buffers b;
    memset(&b, 0, sizeof b);
    c.secret[15] = 0;
    assert_int_equal(weir_init(&conn, &c, &b, 0), WEIR_ERR_SECRET);
    c.secret[0] = 1;
    c.ttl = 0;
    assert_int_equal(weir_init(&conn, &c, &b, 0), WEIR_ERR_INVALID);
}

/* MUST-46, and the rest of what cannot be a socket. */
static void sockets_that_cannot_be_are_refused(void **state)
{
    (void)state;
    const weir_addr v6 = {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, none = {{0}};
    const weir_addr multicast6 = {{0xff, 2}};
    const struct {
        weir_addr local, remote;
        uint16_t local_port, remote_port;
        weir_err err;
    } cases[] = {
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(10, 0, 0, 2), 1, 2, WEIR_ERR_NONE},
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(127, 0, 0, 1), 1, 2, WEIR_ERR_NONE},
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(10, 0, 0, 2), 0, 2, WEIR_ERR_INVALID},
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(10, 0, 0, 2), 1, 0, WEIR_ERR_UNSPECIFIED},
        {weir_addr_v4(10, 0, 0, 1), none, 1, 2, WEIR_ERR_UNSPECIFIED},
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(255, 255, 255, 255), 1, 2, WEIR_ERR_ADDRESS},
        {weir_addr_v4(10, 0, 0, 1), weir_addr_v4(224, 0, 0, 1), 1, 2, WEIR_ERR_ADDRESS},
        {weir_addr_v4(224, 0, 0, 1), weir_addr_v4(10, 0, 0, 1), 1, 2, WEIR_ERR_ADDRESS},
        {weir_addr_v4(10, 0, 0, 1), v6, 1, 2, WEIR_ERR_ADDRESS},
        {v6, multicast6, 1, 2, WEIR_ERR_ADDRESS},
        {none, v6, 1, 2, WEIR_ERR_ADDRESS},
        {v6, v6, 1, 2, WEIR_ERR_NONE},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conn_fixture *f = conn_new();
        weir_tuple t = {cases[i].local, cases[i].remote, cases[i].local_port, cases[i].remote_port};
        assert_int_equal(weir_connect(&f->c, &t, f->now), cases[i].err);
        assert_int_equal(weir_state(&f->c), cases[i].err == WEIR_ERR_NONE ? WEIR_SYN_SENT : WEIR_CLOSED);
    }
}

/* A listener that anyone may meet: who, is said before the SYN is given. */
static void a_listener_without_a_remote_socket(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    weir_tuple t = conn_tuple(), open = t;
    const weir_addr multicast = weir_addr_v4(224, 0, 0, 9);
    memset(&open.remote, 0, sizeof open.remote);
    open.remote_port = 0;
    assert_int_equal(weir_set_remote(&f->c, &t.remote, t.remote_port), WEIR_ERR_EXISTS); /* not in LISTEN */
    assert_int_equal(weir_listen(&f->c, &open, f->now), WEIR_ERR_NONE);
    conn_seg(f, WEIR_SYN, 0, 0, 0);
    conn_expect(f, "", WEIR_LISTEN);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    conn_expect(f, "", WEIR_LISTEN);
    assert_int_equal(weir_set_remote(&f->c, &multicast, 5), WEIR_ERR_ADDRESS);
    assert_int_equal(weir_set_remote(&f->c, &t.remote, t.remote_port), WEIR_ERR_NONE);
    conn_seg(f, WEIR_SYN, 0, 0, 0);
    conn_expect(f, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED);
    conn_seg(f, WEIR_RST, 0, 0, 0); /* back to LISTEN, and anyone may come again */
    conn_expect(f, "", WEIR_LISTEN);
    assert_int_equal(weir_sockets(&f->c)->remote_port, 0);
}

/* MAY-2 (1): where TIME-WAIT is ended early, the new ISS lies above all that the old connection used, fast as it may have been. */
static void a_reopened_connection_begins_above_the_old_one(void **state)
{
    (void)state;
    for (int32_t ahead = -1000; ahead <= 1000; ahead += 500) {
        struct conn_fixture *f = conn_new();
        weir_tuple t = conn_tuple();
        weir_seq natural = weiri_iss(&f->cfg, &t, f->now), old = seq_add(natural, (uint32_t)ahead);
        conn_listen(f);
        weiri_conn_set_iss_floor(&f->c, old);
        conn_seg(f, WEIR_SYN, 0, 0, 0);
        assert_true(seq_lt(old, f->c.snd.iss));
        assert_true(ahead >= 0 || seq_eq(f->c.snd.iss, natural));
        conn_expect(f, "SYN,ACK ISS +1", WEIR_SYN_RECEIVED);
    }
}

static void held_connections(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_new();
    conn_listen(f);
    weir_hold(&f->c);
    assert_int_equal(weir_admit(&f->c, f->now), WEIR_ERR_NOT_EXIST);
    conn_seg(f, WEIR_SYN, 0, 0, 0);
    conn_expect(f, "", WEIR_SYN_RECEIVED);
    assert_true(weir_events(&f->c) & WEIR_EV_HELD);
    conn_later(f, 10 * CONN_SECOND);
    conn_expect(f, "", WEIR_SYN_RECEIVED);
    assert_int_equal(weir_admit(&f->c, f->now), WEIR_ERR_NONE);
    conn_expect(f, "SYN,ACK ISS +0", WEIR_SYN_RECEIVED);
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    struct conn_fixture *g = conn_new();
    conn_listen(g);
    weir_hold(&g->c);
    conn_seg(g, WEIR_SYN, 0, 0, 0);
    assert_int_equal(weir_abort(&g->c, g->now), WEIR_ERR_NONE);
    conn_expect(g, "RST,ACK 0 +1", WEIR_CLOSED); /* counts for a peer in SYN-SENT, and tells no ISS */
}

static void counts_beyond_what_was_shown_are_refused(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    size_t len;
    weir_tx_reserve(&f->c, &len);
    assert_int_equal(weir_tx_commit(&f->c, len + 1, 0, f->now), WEIR_ERR_INVALID);
    assert_int_equal(weir_rx_consume(&f->c, 1, f->now), WEIR_ERR_INVALID);
    assert_int_equal(weir_set_dscp(&f->c, 64), WEIR_ERR_INVALID);
    assert_int_equal(weir_set_dscp(&f->c, 63), WEIR_ERR_NONE);
    conn_expect(f, "", WEIR_ESTABLISHED);
    weir_out out;
    uint8_t small[10];
    assert_int_equal(conn_send(f, 100, 0), WEIR_ERR_NONE);
    assert_true(weir_poll(&f->c, &out, f->now) > 0);
    assert_int_equal(weir_out_copy(&out, small, sizeof small), 0);
}

/* Names exist for everything that is counted, and none for what is not. */
static void everything_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < WEIR_STATE_COUNT; i++) {
        assert_true(strlen(weir_state_name((enum weir_state)i)) > 3);
    }
    for (int i = 0; i < WEIR_ERR_COUNT; i++) {
        assert_true(strlen(weir_err_name((weir_err)i)) > 3);
    }
    assert_string_equal(weir_state_name(WEIR_STATE_COUNT), "?");
    assert_string_equal(weir_err_name(WEIR_ERR_COUNT), "?");
    assert_string_equal(weir_cc_name(WEIR_CC_NEWRENO), "newreno");
    assert_string_equal(weir_cc_name(WEIR_CC_CUBIC), "cubic");
    assert_string_equal(weir_timer_name(5), "probe");
    assert_string_equal(weir_timer_name(6), "?");
    assert_string_equal(weir_row_name(weir_row_count()), "?");
    assert_string_equal(weir_row_section(weir_row_count()), "?");
    assert_string_equal(weir_row_name(0), "C1");
    assert_string_equal(weir_row_section(0), "RFC 9293 3.10.7.1");
    assert_string_not_equal(weir_row_name(weir_row_count() - 1), "?");
    assert_string_not_equal(weir_row_section(weir_row_count() - 1), "?");
}

/* A snapshot in numbers: what is in flight, what waits, and in which state. */
static void info_says_what_is(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_info info;
    f->c.cc.cwnd = 1460;
    assert_int_equal(conn_send(f, 2000, 0), WEIR_ERR_NONE);
    conn_drain(f);
    conn_take(f, WEIR_ACK, 5, -1460, 7);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.state, WEIR_ESTABLISHED);
    assert_int_equal(info.snd_mss, 1460);
    assert_int_equal(info.snd_queued, 2000);
    assert_int_equal(info.unacked + info.snd_unsent, info.snd_queued);
    assert_int_equal(info.rcv_spans, 1);
    assert_int_equal(info.out_of_order_in, 1);
    assert_int_equal(info.snd_cwnd, f->c.cc.cwnd);
    assert_int_equal(info.rto, f->c.rtt.rto);
}

/* A stack begins its connections as copies of one. */
static void a_copy_of_a_blank_one_begins_like_any(void **state)
{
    static weir_conn blank, whole, copy;
    static uint64_t memory[2048];
    const weir_sizes sizes = {4096, 2048};
    weir_buffers none, lent;
    weir_config cfg;
    (void)state;
    weir_config_init(&cfg);
    cfg.secret[0] = 1;
    cfg.nagle = false;
    cfg.keepalive_idle_us = 1000000;
    cfg.dscp = 10;
    cfg.quick_acks = 3;
    memset(&none, 0, sizeof none);
    assert_int_equal(weir_init(&blank, &cfg, &none, 0), WEIR_ERR_NONE);
    assert_true(weir_buffers_carve(&lent, memory, sizeof memory, sizes));
    assert_int_equal(weir_init(&whole, &cfg, &lent, 1234567), WEIR_ERR_NONE);
    memset(&copy, 0xa5, sizeof copy);
    weiri_conn_copy(&copy, &blank, &lent, 1234567);
    assert_memory_equal(&copy, &whole, sizeof whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_are_sound_once_they_have_a_secret),
        cmocka_unit_test(every_range_has_two_ends),
        cmocka_unit_test(a_connection_needs_a_good_configuration),
        cmocka_unit_test(sockets_that_cannot_be_are_refused),
        cmocka_unit_test(a_listener_without_a_remote_socket),
        cmocka_unit_test(a_reopened_connection_begins_above_the_old_one),
        cmocka_unit_test(held_connections),
        cmocka_unit_test(counts_beyond_what_was_shown_are_refused),
        cmocka_unit_test(everything_has_a_name),
        cmocka_unit_test(info_says_what_is),
        cmocka_unit_test(a_copy_of_a_blank_one_begins_like_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
