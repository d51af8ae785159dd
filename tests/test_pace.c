/* test_pace.c - when segments leave: held by weir, or stamped for a queue that holds them; what never waits; what held the sender back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "path_world.h"

#define PACE_RATE 12500000u /* 100 Mbit/s */
#define PACE_LEAD 500u      /* what lib/conn/pace.c lets go at once, us */
#define PACE_STAMP 4000u

static struct path path;

/* What left, and when. */
struct departures {
    uint32_t count, octets, burst, most; /* octets that left in this microsecond; the most in any */
    weir_us last, stamp, least, far;    /* the last time and the last stamp; the least time between two stamps; how far ahead at most */
    bool back;                           /* a stamp came before the one in front */
};

static void see_departure(struct path *p, uint32_t flow, const weir_out *out)
{
    struct departures *d = p->seen_by;
    uint32_t len = (uint32_t)(out->body[0].len + out->body[1].len);
    (void)flow;
    d->burst = p->now == d->last ? d->burst + len : len;
    d->most = d->burst > d->most ? d->burst : d->most;
    d->last = p->now;
    d->count++;
    d->octets += len;
    if (out->depart_at > 0) {
        d->back = d->back || out->depart_at < d->stamp || out->depart_at <= p->now;
        d->least = d->stamp > 0 && out->depart_at - d->stamp < d->least ? out->depart_at - d->stamp : d->least;
        d->far = out->depart_at - p->now > d->far ? out->depart_at - p->now : d->far;
        d->stamp = out->depart_at;
    }
}

static weir_config pace_config(enum weir_pacing pacing)
{
    weir_config cfg;
    weir_config_internet(&cfg);
    memset(cfg.secret, 0x5a, sizeof cfg.secret);
    cfg.pacing = (uint8_t)pacing;
    cfg.quick_acks = 0;
    cfg.ack_every = 32; /* a path that thins acknowledgments: without pacing each lets a burst go */
    return cfg;
}

static struct departures pace_run(enum weir_pacing pacing, weir_us warm, weir_us span)
{
    struct departures d;
    weir_config cfg = pace_config(pacing);
    path_open(&path, PACE_RATE, 10000, 250000);
    path_flow(&path, &cfg);
    path_run(&path, warm);
    memset(&d, 0, sizeof d);
    d.least = WEIR_FOREVER;
    path.seen = see_departure;
    path.seen_by = &d;
    path_run(&path, span);
    path.seen = NULL;
    return d;
}

/* Each acknowledgment of 32 segments lets as many go; paced they leave evenly. What leaves at once is what the pace allows in half a
 * millisecond, and a segment. */
static void test_hold(void **state)
{
    (void)state;
    struct departures off = pace_run(WEIR_PACING_OFF, 0, 2 * CONN_SECOND);
    path_close(&path);
    struct departures on = pace_run(WEIR_PACING_HOLD, 50000, 2 * CONN_SECOND);
    uint32_t srtt = path.flow[0].c[0].rtt.srtt8 >> 3;
    assert_true(off.most >= 30 * 1448);
    assert_true(on.most <= 6 * (PACE_RATE / 1000) * PACE_LEAD / 1000 + 2 * 1448); /* slow start: twice a window thrice the path's */
    assert_int_equal(on.stamp, 0);
    assert_true(on.octets > (off.octets / 10) * 9);
    assert_true(srtt >= 20000);
    path_close(&path);
}

/* In the first slow start only: then as if there were none, in bursts of what is acknowledged. */
static void test_start(void **state)
{
    (void)state;
    struct departures d = pace_run(WEIR_PACING_START, 50000, 150000);
    weir_conn *c = &path.flow[0].c[0];
    assert_int_equal(c->cc.ssthresh, WEIRI_SSTHRESH_UNSET);
    assert_true(d.most <= 6 * (PACE_RATE / 1000) * PACE_LEAD / 1000 + 2 * 1448);
    c->cc.ssthresh = c->cc.cwnd;
    memset(&d, 0, sizeof d);
    path.seen = see_departure;
    path.seen_by = &d;
    path_run(&path, 200000);
    path.seen = NULL;
    assert_true(d.most >= 30 * 1448);
    path_close(&path);
}

/* The pace is 1.2 times cwnd a round trip when slow start is over, twice before; weir_info tells it. */
static void test_rate(void **state)
{
    (void)state;
    weir_info info;
    (void)pace_run(WEIR_PACING_HOLD, 0, 60000);
    weir_conn *c = &path.flow[0].c[0];
    weir_info_get(c, &info);
    assert_int_equal(info.pacing_rate, (uint64_t)base_max32(c->cc.cwnd, conn_flight(c)) * 2000000 / (c->rtt.srtt8 >> 3));
    c->cc.ssthresh = c->cc.cwnd;
    weir_info_get(c, &info);
    uint64_t window = base_max32(c->cc.cwnd, conn_flight(c));
    assert_int_equal(info.pacing_rate, (window + window / 5) * 1000000 / (c->rtt.srtt8 >> 3));
    path_close(&path);
}

/* Stamped: in order, as far apart as the pace wants, none further ahead than the horizon and one gap. */
static void test_stamp(void **state)
{
    (void)state;
    struct departures d = pace_run(WEIR_PACING_STAMP, CONN_SECOND, CONN_SECOND);
    const weir_conn *c = &path.flow[0].c[0];
    assert_true(d.stamp > 0);
    assert_false(d.back);
    assert_in_range(d.far, PACE_LEAD, PACE_STAMP);
    uint64_t gap = (uint64_t)1448 * 1000000 / weiri_pace_rate(c);
    assert_in_range(d.least, gap / 2, gap + 1);
    path_close(&path);
}

/* Nothing but the pace, of 100 Mbit/s, and nothing is acknowledged: time alone makes it send. */
static weir_conn *pace_alone(void)
{
    (void)pace_run(WEIR_PACING_HOLD, CONN_SECOND, 0);
    weir_conn *c = &path.flow[0].c[0];
    c->cc.cwnd = 1u << 29;
    c->cc.ssthresh = 1u << 28;
    c->snd.wnd = c->snd.max_wnd = 1u << 29;
    c->rtt.srtt8 = (1u << 29) / (PACE_RATE / 8) * 1200000u;
    return c;
}

static uint32_t pace_burst(weir_conn *c)
{
    weir_out out;
    uint32_t before = c->count.data_out;
    while (weir_poll(c, &out, path.now) > 0) {
    }
    return c->count.data_out - before;
}

/* A busy machine wakes each time 3 ms late: the rate is kept. Once it is kept too: what comes 200 ms late is not made up for at once. */
static void test_late_wakes(void **state)
{
    (void)state;
    weir_conn *c = pace_alone();
    (void)pace_burst(c);
    uint32_t from = c->count.data_out;
    weir_us began = path.now;
    for (unsigned i = 0; i < 10; i++) {
        path.now = weir_deadline(c) + 3000;
        if (i % 2 == 0) {
            weir_expire(c, path.now); /* whether told of the time by itself, or by the poll */
        }
        assert_true(pace_burst(c) > 0);
    }
    uint64_t sent = (uint64_t)(c->count.data_out - from) * 1448, fair = (path.now - began) * PACE_RATE / 1000000;
    assert_true(sent > fair * 9 / 10);
    assert_true(sent < fair * 11 / 10 + 2 * 1448);
    path.now = weir_deadline(c) + 200000;
    weir_expire(c, path.now);
    assert_true((uint64_t)pace_burst(c) * 1448 < PACE_RATE / 1000 * 10);
    path_close(&path);
}

/* Silence is not lateness: after it no more goes at once than ever. */
static void test_silence_is_not_made_up(void **state)
{
    (void)state;
    weir_conn *c = pace_alone();
    (void)pace_burst(c);
    uint32_t wnd = c->snd.wnd;
    c->snd.wnd = 0; /* nothing may go, and so it does not wait for its time */
    path.now += 6000;
    weir_expire(c, path.now);
    assert_int_equal(pace_burst(c), 0);
    c->snd.wnd = wnd;
    path.now += 1;
    assert_in_range(pace_burst(c), 1, PACE_RATE / 1000 * PACE_LEAD / 1000 / 1448 + 2);
    path_close(&path);
}

/* A wake serves a batch: at 100 Mbit/s eight segments a millisecond, fewer than one wake for three of them. */
static void test_few_wakes(void **state)
{
    (void)state;
    weir_conn *c = pace_alone();
    uint32_t wakes = 0, before = c->count.data_out;
    while (path.now < 4 * CONN_SECOND && conn_unsent(c) > 100000) {
        weir_out out;
        while (weir_poll(c, &out, path.now) > 0) {
        }
        assert_false(weir_has_output(c));
        path.now = weir_deadline(c);
        assert_int_equal(path.now, c->pace.next);
        weir_expire(c, path.now);
        assert_true(weir_has_output(c));
        wakes++;
    }
    assert_true(c->count.data_out - before > 100);
    assert_true(wakes * 3 < c->count.data_out - before);
    path_close(&path);
}

/* A connection whose text is held, with more to say. */
static weir_conn *pace_held(enum weir_pacing pacing)
{
    (void)pace_run(pacing, 0, 50000);
    weir_conn *c = &path.flow[0].c[0];
    for (unsigned i = 0; i < 20000 && !c->pace.waits; i++) {
        path_run(&path, 50);
    }
    assert_true(c->pace.waits);
    assert_false(weir_has_output(c));
    return c;
}

/* While text waits for its time an acknowledgment, a RST and a FIN by itself do not. */
static void test_what_never_waits(void **state)
{
    (void)state;
    weir_conn *c = pace_held(WEIR_PACING_HOLD);
    weir_out out;
    weir_view v, got;
    memset(&v, 0, sizeof v);
    v.flags = WEIR_ACK;
    v.seq = seq_add(c->rcv.nxt, 10);
    v.ack = c->snd.una;
    v.window = 65535;
    v.options = WEIR_OPT_TIMESTAMPS;
    v.ts_value = c->ts.recent;
    v.payload = (const uint8_t *)"x";
    v.payload_len = 1; /* out of order: its ACK is due at once */
    (void)weir_input(c, &v, path.now);
    uint8_t octets[1600];
    assert_true(weir_poll(c, &out, path.now) > 0);
    assert_int_equal(weir_view_segment(&got, octets, weir_out_copy(&out, octets, sizeof octets), NULL), WEIR_OK);
    assert_int_equal(got.payload_len, 0);
    assert_int_equal(out.depart_at, 0);
    assert_int_equal(weir_poll(c, &out, path.now), 0);
    assert_int_equal(weir_deadline(c), c->pace.next);
    assert_int_equal(weir_abort(c, path.now), WEIR_ERR_NONE);
    assert_true(weir_poll(c, &out, path.now) > 0);
    assert_int_equal(weir_deadline(c), WEIR_FOREVER);
    path_close(&path);
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->cfg.pacing = WEIR_PACING_HOLD;
    f->c.pace.next = f->now + 500000;
    f->c.pace.held = 1;
    (void)weir_close(&f->c, f->now);
    conn_expect(f, "FIN,ACK +0 +0", WEIR_FIN_WAIT_1);
}

/* A retransmission and a probe for the tail wait like new text, and go when the time has come; weir_deadline says when. */
static void test_every_call_brings_its_time(void **state)
{
    (void)state;
    weir_tuple nobody;
    memset(&nobody, 0, sizeof nobody);
    weir_conn *c = pace_held(WEIR_PACING_HOLD);
    weir_set_keepalive(c, true, weir_deadline(c)); /* the time that the text waits for */
    assert_null(weir_check(c));
    assert_true(weir_has_output(c));
    path_close(&path);
    c = pace_held(WEIR_PACING_HOLD);
    assert_int_equal(weir_connect(c, &nobody, weir_deadline(c)), WEIR_ERR_INVALID); /* refused, and late all the same */
    assert_null(weir_check(c));
    assert_true(weir_has_output(c));
    path_close(&path);
}

static void test_retransmissions_wait(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_view v;
    f->cfg.pacing = WEIR_PACING_HOLD;
    (void)conn_send(f, 1460, 0);
    conn_drain(f);
    f->c.pace.next = f->c.rexmt_at + 3000;
    f->c.pace.held = 1;
    conn_later(f, f->c.rexmt_at - f->now);
    assert_false(conn_poll(f, &v));
    assert_int_equal(weir_deadline(&f->c), f->c.pace.next);
    conn_later(f, 3000);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.payload_len, 1460);
    assert_int_equal(f->c.count.retrans, 1);
}

/* The silly-window timer is for text that windows hold back, not for text that waits for its time. */
static void test_waiting_is_no_silly_window(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->cfg.pacing = WEIR_PACING_HOLD;
    f->c.pace.next = f->now + 700000;
    f->c.pace.held = 1;
    (void)conn_send(f, 1460, 0);
    conn_expect(f, "", WEIR_ESTABLISHED);
    assert_int_equal(f->c.timer, WEIRI_TIMER_NONE);
    assert_int_equal(weir_deadline(&f->c), f->now + 700000);
    conn_later(f, 700000);
    conn_expect(f, "ACK +0 +0 len 1460", WEIR_ESTABLISHED);
}

/* However small the window and long the round trip, no gap is longer than the round trip. */
static void test_gap_bounded(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->cfg.pacing = WEIR_PACING_HOLD;
    f->c.count.data_out = 100;
    f->c.rtt.srtt8 = 8 * 300000;
    f->c.cc.cwnd = 100;
    assert_int_equal(weiri_pace_depart(&f->c, 1460), 0);
    assert_int_equal(f->c.pace.next, f->now + 300000);
    f->cfg.cc = WEIR_CC_BBR;
    memset(&f->c.cc.bbr, 0, sizeof f->c.cc.bbr);
    f->c.cc.bbr.rate = 1;
    f->c.pace.next = 0;
    (void)weiri_pace_depart(&f->c, 1460);
    assert_int_equal(f->c.pace.next, f->now + 300000);
}

/* BBR is paced whatever the configuration says; the others are when asked; the first ten segments are free. */
static void test_mode(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    f->cfg.pacing = WEIR_PACING_OFF;
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_OFF);
    f->cfg.pacing = WEIR_PACING_START;
    f->c.cc.cwnd = CONN_TX - 1;
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_HOLD);
    f->c.cc.cwnd = CONN_TX; /* the ring is the limit */
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_OFF);
    f->c.cc.cwnd = 10;
    f->c.pace.held = true;
    f->c.pace.next = f->c.now + 1000;
    assert_true(weiri_pace_blocks(&f->c));
    f->c.cc.ssthresh = 20; /* a loss: its repair does not wait for what slow start held */
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_OFF);
    assert_false(weiri_pace_blocks(&f->c));
    f->c.pace.held = false;
    f->c.pace.next = 0;
    f->cfg.cc = WEIR_CC_BBR;
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_HOLD);
    f->cfg.pacing = WEIR_PACING_OFF;
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_HOLD);
    f->cfg.pacing = WEIR_PACING_STAMP;
    assert_int_equal(weiri_pace_mode(&f->c), WEIR_PACING_STAMP);
    f->c.rtt.srtt8 = 8 * 300000;
    f->c.count.data_out = 9;
    (void)weiri_pace_depart(&f->c, 1460);
    assert_int_equal(f->c.pace.next, 0);
    f->cfg.pacing = WEIR_PACING_COUNT;
    const char *field = NULL;
    assert_int_equal(weir_config_check(&f->cfg, &field), WEIR_ERR_INVALID);
    assert_string_equal(field, "pacing");
}

/* Ten seconds with an empty send ring, with a full one, before a closed window; the times are told apart and add up. */
static void test_what_held_it_back(void **state)
{
    (void)state;
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_info info;
    conn_drain(f);
    f->now += 3 * CONN_SECOND;
    (void)conn_send(f, CONN_TX, 0); /* all of it goes: the ring is what limits */
    conn_drain(f);
    conn_later(f, 100000);
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.window = 100;
    conn_input(f, &g, 0);
    conn_drain(f);
    (void)conn_send(f, CONN_TX, 0);
    conn_drain(f);
    conn_later(f, 50000);
    conn_drain(f);
    weir_info_get(&f->c, &info);
    assert_in_range(info.sndbuf_limited, 98000, 101000);
    assert_in_range(info.rwnd_limited, 48000, 52000);
    assert_in_range(info.busy_time, 148000, 152000); /* and not the three seconds before */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hold),        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_every_call_brings_its_time),
        cmocka_unit_test(test_late_wakes),  cmocka_unit_test(test_silence_is_not_made_up),
        cmocka_unit_test(test_stamp),       cmocka_unit_test(test_few_wakes),
        cmocka_unit_test(test_gap_bounded), cmocka_unit_test(test_what_never_waits),
        cmocka_unit_test(test_mode),        cmocka_unit_test(test_retransmissions_wait),
        cmocka_unit_test(test_waiting_is_no_silly_window), cmocka_unit_test(test_what_held_it_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
