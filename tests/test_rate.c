/* test_rate.c - samples of the delivery rate: what they tell on a steady path, of bunched acknowledgments, after silence, of what was sent
 * again, and that nothing a peer can do divides by 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conn_fixture.h"

#define RATE_MSS 1000u
#define RATE_RECORDS 64

/* A scoreboard and a rate, driven by hand. */
struct meter {
    struct weir_sent records[WEIRI_BOARD_MEMORY(RATE_RECORDS)];
    struct weir_board board;
    struct weir_rate rate;
    uint32_t una, nxt;
    weir_us now;
};

static void meter_start(struct meter *m, uint32_t first)
{
    memset(m, 0, sizeof *m);
    weiri_board_init(&m->board, m->records, RATE_RECORDS);
    m->una = m->nxt = first;
    m->now = 5000000;
}

static void meter_send(struct meter *m, uint32_t segments)
{
    for (uint32_t i = 0; i < segments; i++) {
        weir_block run = {seq_of(m->nxt), seq_of(m->nxt + RATE_MSS)};
        weiri_rate_sending(&m->board, m->una == m->nxt, m->now);
        assert_true(weiri_board_push(&m->board, run, m->now));
        m->nxt += RATE_MSS;
    }
}

static struct weiri_rate_sample meter_block(struct meter *m, weir_block run, bool sack, uint32_t min_rtt)
{
    struct weiri_rate_sample s;
    struct weir_sent part;
    uint32_t i = 0;
    memset(&s, 0, sizeof s);
    while (weiri_board_walk(&m->board, run, &i, &part)) {
        weiri_rate_delivered(&m->board, &s, &part, m->now);
    }
    if (sack) {
        (void)weiri_board_sack(&m->board, run);
    } else {
        (void)weiri_board_ack(&m->board, run.to, m->now);
        m->una = run.to.v;
    }
    weiri_rate_finish(&m->rate, &m->board, &s, min_rtt);
    return s;
}

static struct weiri_rate_sample meter_ack(struct meter *m, uint32_t segments)
{
    weir_block run = {seq_of(m->una), seq_of(m->una + segments * RATE_MSS)};
    return meter_block(m, run, false, 1);
}

/* A segment each millisecond, acknowledged ten later: 1000 octets a millisecond, whatever came before, and across the wrap. */
static void test_steady(void **state)
{
    (void)state;
    struct meter m;
    struct weiri_rate_sample s;
    meter_start(&m, 0xffffff00u - 20 * RATE_MSS);
    m.board.mark.delivered = 0xffffd000u;
    for (unsigned i = 0; i < 200; i++) {
        m.now += 1000;
        if (i >= 10) {
            s = meter_ack(&m, 1);
            assert_int_equal(s.acked, RATE_MSS);
            assert_int_equal(s.rtt_us, 10000);
            if (i >= 20) {
                assert_int_equal(s.interval, 10000);
                assert_int_equal(weiri_rate_of(s.delivered, s.interval), 1000000);
            }
        }
        meter_send(&m, 1);
    }
    assert_int_equal(m.rate.delivered, 10 * RATE_MSS);
}

/* A segment each millisecond; acknowledgments stop for eight milliseconds and then come in a bunch. What is sent in the midst of it sees
 * more arrive in its round trip than the path carries: the time in which those were sent counts. */
static void test_bunched_acknowledgments(void **state)
{
    (void)state;
    struct meter m;
    unsigned samples = 0;
    meter_start(&m, 1);
    for (unsigned i = 0; i < 100; i++) {
        m.now += 1000;
        if (i == 48) {
            for (unsigned k = 0; k < 8; k++) {
                m.now += 10;
                (void)meter_ack(&m, 1);
                meter_send(&m, k == 3);
            }
        }
        if (i >= 10 && (i < 40 || i > 48)) {
            struct weiri_rate_sample s = meter_ack(&m, 1);
            samples += s.interval > 0;
            assert_true(weiri_rate_of(s.delivered, s.interval) <= 1110000); /* the one sent in between is beyond the pace */
        }
        meter_send(&m, 1);
    }
    assert_true(samples > 70);
}

/* Silence belongs to no rate: a flight of ten after a second tells of its own round trip only. */
static void test_silence(void **state)
{
    (void)state;
    struct meter m;
    meter_start(&m, 1);
    meter_send(&m, 10);
    m.now += 10000;
    (void)meter_ack(&m, 10);
    m.now += 1000000;
    meter_send(&m, 10);
    m.now += 10000;
    struct weiri_rate_sample s = meter_ack(&m, 10);
    assert_int_equal(s.interval, 10000);
    assert_int_equal(s.delivered, 10 * RATE_MSS);
}

/* A hole: what is SACKED above it counts when it is SACKED, the hole when it is filled, nothing twice; what was sent again gives no time. */
static void test_holes(void **state)
{
    (void)state;
    struct meter m;
    meter_start(&m, 1);
    for (unsigned i = 0; i < 4; i++) {
        m.now += 1000;
        meter_send(&m, 1);
    }
    m.now += 7000;
    weir_block above = {seq_of(1 + RATE_MSS), seq_of(1 + 4 * RATE_MSS)}, hole = {seq_of(1), seq_of(1 + RATE_MSS)};
    struct weiri_rate_sample s = meter_block(&m, above, true, 1);
    assert_int_equal(s.acked, 3 * RATE_MSS);
    assert_int_equal(s.rtt_us, 7000);
    s = meter_block(&m, above, true, 1);
    assert_false(s.any);
    assert_int_equal(s.acked, 0);
    assert_int_equal(s.interval, 0);
    weiri_board_resent(&m.board, hole, m.now);
    m.now += 10000;
    s = meter_ack(&m, 4);
    assert_int_equal(s.acked, RATE_MSS);
    assert_int_equal(s.delivered, RATE_MSS);
    assert_int_equal(s.rtt_us, 0);
    assert_int_equal(m.board.mark.delivered, 4 * RATE_MSS);
}

/* What is sent while something else limits is marked so, until all of that time is delivered. */
static void test_limited(void **state)
{
    (void)state;
    struct meter m;
    meter_start(&m, 1);
    meter_send(&m, 2);
    weiri_rate_limit(&m.rate, &m.board, WEIRI_LIMITED_APP);
    m.now += 1000;
    meter_send(&m, 1);
    m.now += 9000;
    assert_int_equal(meter_ack(&m, 2).limited, WEIRI_LIMITED_NOT);
    assert_int_equal(m.board.limited, WEIRI_LIMITED_APP);
    m.now += 1000;
    struct weiri_rate_sample s = meter_ack(&m, 1);
    assert_int_equal(s.limited, WEIRI_LIMITED_APP);
    assert_int_equal(m.rate.limited, WEIRI_LIMITED_APP);
    assert_int_equal(m.board.limited, WEIRI_LIMITED_NOT);
}

/* Less time than the path needs is a bunch, and no time at all is no divisor. */
static void test_too_short(void **state)
{
    (void)state;
    struct meter m;
    meter_start(&m, 1);
    meter_send(&m, 2);
    assert_int_equal(meter_ack(&m, 1).interval, 0);
    m.now += 999;
    weir_block run = {seq_of(m.una), seq_of(m.nxt)};
    assert_int_equal(meter_block(&m, run, false, 1000).interval, 0);
    assert_int_equal(m.rate.interval, 0);
    assert_int_equal(weiri_rate_of(5, 0), 0);
    assert_int_equal(weiri_rate_of(UINT32_MAX, 1), UINT32_MAX);
}

/* The connection: its user has no more to send, or the peer's window is full; and what it tells of itself. */
static void test_connection(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_info info;
    (void)conn_send(f, 1460, 0);
    conn_drain(f);
    f->now += 10000;
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    conn_drain(f);
    assert_int_equal(f->c.board.limited, WEIRI_LIMITED_APP);
    (void)conn_send(f, 1460, 0);
    conn_drain(f);
    f->now += 10000;
    conn_seg(f, WEIR_ACK, 0, 0, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.app_limited, 1);
    assert_int_equal(info.delivered, 2920);
    assert_int_equal(info.delivery_rate, 146000);
    (void)conn_send(f, CONN_TX, 0);
    conn_drain(f);
    assert_int_equal(f->c.board.limited, WEIRI_LIMITED_WINDOW); /* the ring is in flight */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steady), cmocka_unit_test(test_bunched_acknowledgments), cmocka_unit_test(test_silence),
        cmocka_unit_test(test_holes),  cmocka_unit_test(test_limited),                 cmocka_unit_test(test_too_short),
        cmocka_unit_test(test_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
