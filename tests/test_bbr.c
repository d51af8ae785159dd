/* test_bbr.c - BBR alive over a bottleneck: its phases, what it finds, noise, company; and what hostile acknowledgments cannot do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "patience.h"
#include "path_world.h"

#define BBR_TEN_MBIT 1250000u
#define BBR_HUNDRED_MBIT 12500000u

static struct path path;

static weir_config bbr_config(void)
{
    weir_config cfg;
    weir_config_internet(&cfg);
    memset(cfg.secret, 0x5a, sizeof cfg.secret);
    cfg.cc = WEIR_CC_BBR;
    return cfg;
}

static void bbr_path(uint32_t rate, uint32_t delay, uint32_t queue, uint32_t flows)
{
    weir_config cfg = bbr_config();
    path_open(&path, rate, delay, queue);
    for (uint32_t i = 0; i < flows; i++) {
        path_flow(&path, &cfg);
    }
}

/* Octets a second that the receiver of a flow read in so long. */
static uint64_t bbr_goodput(uint32_t flow, weir_us span)
{
    uint64_t before = path.flow[flow].received;
    path_run(&path, span);
    return (path.flow[flow].received - before) * 1000000 / span;
}

/* When each phase was entered last, and how often. */
struct phases {
    unsigned count[WEIRI_BBR_PROBE_RTT + 1];
    weir_us longest, probe_rtt_at; /* the longest time between two ProbeRTT */
    uint8_t last;
};

static void see_phase(struct path *p, uint32_t flow, const weir_out *out)
{
    struct phases *seen = p->seen_by;
    uint8_t phase = p->flow[flow].c[0].cc.bbr.phase;
    (void)out;
    if (phase == seen->last) {
        return;
    }
    seen->last = phase;
    seen->count[phase]++;
    if (phase == WEIRI_BBR_PROBE_RTT) {
        weir_us since = p->now - seen->probe_rtt_at;
        seen->longest = since > seen->longest ? since : seen->longest;
        seen->probe_rtt_at = p->now;
    }
}

/* 10 Mbit/s, 40 ms: the bandwidth within a tenth, less the headers; the round-trip time; every phase, ProbeRTT each ten seconds or so. */
static void test_finds_the_path(void **state)
{
    (void)state;
    struct phases seen;
    memset(&seen, 0, sizeof seen);
    bbr_path(BBR_TEN_MBIT, 20000, 50000, 1);
    path.seen = see_phase;
    path.seen_by = &seen;
    seen.probe_rtt_at = path.now;
    path_run(&path, 3 * CONN_SECOND);
    const weir_conn *c = &path.flow[0].c[0];
    uint32_t text = (uint32_t)((uint64_t)BBR_TEN_MBIT * 1448 / 1500);
    assert_in_range(weiri_bbr_bandwidth(&c->cc), text * 9 / 10, text * 11 / 10);
    assert_in_range(c->cc.bbr.min_rtt, 40000, 44000);
    assert_true(bbr_goodput(0, 30 * CONN_SECOND) > text * 93 / 100);
    for (unsigned i = WEIRI_BBR_STARTUP; i <= WEIRI_BBR_PROBE_RTT; i++) {
        assert_true(seen.count[i] > 0);
    }
    assert_int_equal(seen.count[WEIRI_BBR_STARTUP], 1);
    assert_int_equal(seen.count[WEIRI_BBR_DRAIN], 1);
    assert_in_range(seen.count[WEIRI_BBR_PROBE_RTT], 2, 3);
    assert_true(seen.longest <= 11 * CONN_SECOND);
    weir_info info;
    weir_info_get(c, &info);
    assert_int_equal(info.bbr_bw, weiri_bbr_bandwidth(&c->cc));
    assert_int_equal(info.bbr_min_rtt, c->cc.bbr.min_rtt);
    assert_in_range(info.pacing_rate, text / 2, text * 3 / 2);
    path_close(&path);
}

/* The queue of a deep buffer stays near empty: the round-trip time is that of the path and not of the buffer. */
static void test_leaves_no_queue(void **state)
{
    (void)state;
    bbr_path(BBR_TEN_MBIT, 20000, 500000, 1);
    path_run(&path, 5 * CONN_SECOND);
    assert_true(path.flow[0].c[0].rtt.srtt8 >> 3 < 40000 * 3 / 2); /* a loss-based control fills it: 440 ms */
    path_close(&path);
}

/* The path gets slower, then faster again: both are found within a few cycles. */
static void test_follows_the_path(void **state)
{
    (void)state;
    bbr_path(BBR_TEN_MBIT, 10000, 50000, 1);
    path_run(&path, 4 * CONN_SECOND);
    path.rate = BBR_TEN_MBIT / 4;
    path_run(&path, 6 * CONN_SECOND);
    assert_in_range(weiri_bbr_bandwidth(&path.flow[0].c[0].cc), BBR_TEN_MBIT / 5, BBR_TEN_MBIT * 3 / 10);
    path.rate = BBR_TEN_MBIT;
    path_run(&path, 12 * CONN_SECOND);
    assert_true(bbr_goodput(0, 2 * CONN_SECOND) > BBR_TEN_MBIT * 85 / 100);
    path_close(&path);
}

/* The narrowest and the widest window that a segment left in while a loss was being repaired. */
static void see_window(struct path *p, uint32_t flow, const weir_out *out)
{
    uint32_t *window = p->seen_by;
    (void)out;
    if (conn_has(&p->flow[flow].c[0], WEIRI_RECOVERY)) {
        window[0] = base_min32(window[0], p->flow[flow].c[0].cc.cwnd);
        window[1] = base_max32(window[1], p->flow[flow].c[0].cc.cwnd);
    }
}

/* Loss that no queue goes with: at 3 % more than four fifths of 100 Mbit/s x 20 ms. */
static void test_noise(void **state)
{
    (void)state;
    static const struct {
        uint32_t ppm, percent;
    } rows[] = {{10000, 90}, {30000, 85}};
    for (unsigned i = 0; i < patience(2, 1); i++) {
        bbr_path(BBR_HUNDRED_MBIT, 10000, 250000, 1);
        path.loss = rows[i].ppm;
        path_run(&path, CONN_SECOND);
        uint32_t window[2] = {UINT32_MAX, 0}, bdp = BBR_HUNDRED_MBIT / 50;
        path.seen = see_window;
        path.seen_by = window;
        assert_true(bbr_goodput(0, 6 * CONN_SECOND) > (uint64_t)BBR_HUNDRED_MBIT * rows[i].percent / 100);
        assert_true(window[0] > bdp && window[1] < bdp * 3); /* recovery has no window of its own: no ssthresh, no PRR */
        assert_true(weiri_bbr_bandwidth(&path.flow[0].c[0].cc) > BBR_HUNDRED_MBIT / 100 * 85); /* the model has not taken it for congestion */
        path_close(&path);
    }
}

/* A queue of ten packets: what UP sends too much is lost there, and is taken for what it is. */
static void test_short_queue(void **state)
{
    (void)state;
    bbr_path(BBR_HUNDRED_MBIT, 10000, 15000, 1);
    path_run(&path, 2 * CONN_SECOND);
    uint32_t before = path.flow[0].c[0].count.retrans;
    assert_true(bbr_goodput(0, 5 * CONN_SECOND) > (uint64_t)BBR_HUNDRED_MBIT * 9 / 10);
    assert_int_not_equal(path.flow[0].c[0].cc.bbr.inflight_hi, UINT32_MAX);
    assert_true(path.flow[0].c[0].count.retrans - before < 5 * BBR_HUNDRED_MBIT / 1500 / 100); /* less than 1 % */
    path_close(&path);
}

/* Two flows, the second a second later: neither gets less than two fifths. */
static void test_fairness(void **state)
{
    (void)state;
    weir_config cfg = bbr_config();
    bbr_path(BBR_TEN_MBIT * 2, 10000, 50000, 1);
    path_run(&path, CONN_SECOND);
    path_flow(&path, &cfg);
    path_run(&path, 30 * CONN_SECOND);
    uint64_t other = path.flow[1].received, mine = bbr_goodput(0, 15 * CONN_SECOND);
    other = (path.flow[1].received - other) / 15;
    assert_true(mine + other > (uint64_t)BBR_TEN_MBIT * 2 * 9 / 10);
    assert_true(mine * 10 > (mine + other) * 4);
    assert_true(other * 10 > (mine + other) * 4);
    path_close(&path);
}

/* ---- the model by itself ------------------------------------------------------------------------------------------------------------ */

static struct weiri_cc_event bbr_event(const struct weiri_rate_sample *s, uint32_t delivered, weir_us now)
{
    struct weiri_cc_event e;
    memset(&e, 0, sizeof e);
    e.mss = 1000;
    e.rate = s;
    e.now = now;
    e.delivered = delivered;
    e.acked = s->acked;
    return e;
}

/* 100,000 octets in 20 ms: 5 MB/s. */
static struct weiri_rate_sample bbr_sample_of_path(void)
{
    struct weiri_rate_sample s;
    memset(&s, 0, sizeof s);
    s.acked = s.delivered = 100000;
    s.interval = s.rtt_us = 20000;
    s.any = true;
    return s;
}

/* Any numbers at all: no window of nothing or beyond the limit, no phase that is none, no division by 0. */
static void test_any_numbers(void **state)
{
    (void)state;
    static const uint32_t edges[] = {0, 1, 2, 1000, 65535, 1u << 20, 1u << 30, (1u << 31) - 1, 1u << 31, UINT32_MAX - 1, UINT32_MAX};
    path.random = 7;
    for (unsigned run = 0; run < 300; run++) {
        struct weir_cc cc;
        weir_us now = 1000;
        weiri_cc_init(&cc, 14600, seq_of(path_random(&path, UINT32_MAX)));
        for (unsigned i = 0; i < 300; i++) {
            uint32_t x[9];
            for (unsigned k = 0; k < 9; k++) {
                x[k] = path_random(&path, 3) == 0 ? edges[path_random(&path, 11)] : path_random(&path, 3000000);
            }
            struct weiri_rate_sample s;
            memset(&s, 0, sizeof s);
            s.acked = x[0];
            s.delivered = x[1];
            s.interval = x[2];
            s.prior = x[3];
            s.rtt_us = x[4];
            s.limited = (uint8_t)path_random(&path, 3);
            s.any = path_random(&path, 8) > 0;
            now += x[5] % 4000000;
            struct weiri_cc_event e = bbr_event(&s, x[6], now);
            e.lost = x[7];
            e.inflight = x[8];
            e.mss = edges[path_random(&path, 5)];
            e.timeout = path_random(&path, 4) == 0;
            weiri_cc_model(&cc, WEIR_CC_BBR, &e);
            if (path_random(&path, 50) == 0) {
                weiri_cc_timeout(&cc, WEIR_CC_BBR, &e);
            }
            assert_in_range(cc.cwnd, 1, WEIRI_CWND_MAX);
            assert_in_range(cc.bbr.phase, WEIRI_BBR_STARTUP, WEIRI_BBR_PROBE_RTT);
        }
    }
}

/* The path is measured before it was ever full: afterwards Startup goes on where it was. */
static void test_startup_goes_on_after_probe_rtt(void **state)
{
    (void)state;
    struct weir_cc cc;
    struct weiri_rate_sample s = bbr_sample_of_path();
    weir_us now = 1000000;
    uint32_t delivered = 100000;
    s.first_at = 1; /* something was in flight all the time */
    weiri_cc_init(&cc, 14600, seq_of(1));
    struct weiri_cc_event e = bbr_event(&s, delivered, now);
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    s.limited = WEIRI_LIMITED_APP;
    for (unsigned phase = 0; phase < 3;) { /* Startup, ProbeRTT, Startup */
        static const uint8_t expected[] = {WEIRI_BBR_STARTUP, WEIRI_BBR_PROBE_RTT, WEIRI_BBR_STARTUP};
        assert_true(now < 14000000);
        now += 100000;
        s.prior = delivered;
        s.rtt_us = 20001; /* never as short as the first */
        e = bbr_event(&s, delivered += 100000, now);
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        phase += cc.bbr.phase == expected[phase];
        assert_true(phase > 0 && (cc.bbr.phase == WEIRI_BBR_STARTUP || cc.bbr.phase == WEIRI_BBR_PROBE_RTT));
    }
    assert_int_equal(cc.bbr.full, 0);
    assert_int_equal(cc.bbr.min_rtt, 20001);
}

/* Loss with a queue binds at 2 %, without one at 10 %; only between probes is it the short-term bounds that fall. */
static void test_what_loss_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t lost, rtt, all;
        bool bound;
        uint8_t limited;
    } rows[] = {{1900, 30000, 100000, false, 0}, {2300, 30000, 100000, true, 0},  {2300, 20000, 100000, false, 0},
                {9900, 20000, 100000, false, 0}, {12000, 20000, 100000, true, 0}, {12000, 22400, 100000, true, 0},
                {5000, 20000, 30000, true, 0}, /* of little in flight, as much as the path took; then because the peer's window was small */
                {5000, 20000, 30000, false, WEIRI_LIMITED_WINDOW}, {12000, 20000, 30000, true, WEIRI_LIMITED_WINDOW}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc;
        struct weiri_rate_sample s = bbr_sample_of_path();
        weiri_cc_init(&cc, 14600, seq_of(1));
        struct weiri_cc_event e = bbr_event(&s, 100000, 1000000);
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        cc.bbr.phase = WEIRI_BBR_CRUISE;
        cc.bbr.probe_at = 3000000;
        cc.bbr.round_end = 200000;
        cc.bbr.round_rtt = UINT32_MAX;
        s.rtt_us = rows[i].rtt;
        s.delivered = rows[i].all - rows[i].lost;
        s.limited = rows[i].limited;
        e = bbr_event(&s, 300000, 1020000);
        e.lost = rows[i].lost;
        s.prior = 200000;
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        assert_int_equal(cc.bbr.bw_lo != UINT32_MAX, rows[i].bound);
        assert_int_equal(cc.bbr.inflight_lo != UINT32_MAX, rows[i].bound);
        if (rows[i].bound) {
            assert_true(weiri_bbr_bandwidth(&cc) >= 5000000 * 7 / 10);
        }
    }
}

/* The loss of a probe is answered once: the bound falls to what was in flight, and what its last round brings neither lowers nor raises it. */
static void test_a_probe_is_answered_once(void **state)
{
    (void)state;
    struct weir_cc cc;
    struct weiri_rate_sample s = bbr_sample_of_path();
    weiri_cc_init(&cc, 14600, seq_of(1));
    struct weiri_cc_event e = bbr_event(&s, 100000, 1000000);
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    cc.cwnd = 200000;
    cc.bbr.full = 1;
    cc.bbr.phase = WEIRI_BBR_UP;
    cc.bbr.feedback = WEIRI_BBR_FEEDBACK_ON;
    cc.bbr.round_end = 150000; /* no round ends meanwhile */
    e = bbr_event(&s, 200000, 1010000);
    e.lost = 20000;
    e.inflight = 180000;
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.phase, WEIRI_BBR_DOWN);
    assert_int_equal(cc.bbr.inflight_hi, 120000);
    for (unsigned i = 0; i < 2; i++) {
        s.delivered = i == 0 ? 50000 : 180000;
        e = bbr_event(&s, 210000, 1020000);
        e.lost = i == 0 ? 30000 : 0;
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        assert_int_equal(cc.bbr.inflight_hi, 120000);
    }
}

/* UP ends when the rate has not grown for three rounds, but not where the long-term bound held it back with no queue to be seen. */
static void test_what_holds_a_probe_back(void **state)
{
    (void)state;
    for (unsigned queue = 0; queue < 2; queue++) {
        struct weir_cc cc;
        struct weiri_rate_sample s = bbr_sample_of_path();
        weiri_cc_init(&cc, 14600, seq_of(1));
        struct weiri_cc_event e = bbr_event(&s, 100000, 1000000);
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        cc.bbr.full = 1;
        cc.bbr.phase = WEIRI_BBR_UP;
        cc.bbr.full_bw = 5000000;
        cc.bbr.inflight_hi = 60000;
        s.rtt_us = queue > 0 ? 30000 : 20000;
        for (uint32_t i = 0; i < 6 && cc.bbr.phase == WEIRI_BBR_UP; i++) {
            cc.cwnd = cc.bbr.inflight_hi;
            cc.bbr.round_rtt = s.rtt_us;
            s.prior = cc.bbr.round_end;
            e = bbr_event(&s, cc.bbr.round_end + 100000, 1020000 + 20000 * i);
            weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        }
        assert_int_equal(cc.bbr.phase, queue > 0 ? WEIRI_BBR_DOWN : WEIRI_BBR_UP);
    }
}

/* A connection in a phase, that nothing about the next acknowledgment ends: 5 MB/s, 100,000 octets in the path. */
static struct weiri_cc_event bbr_stand(struct weir_cc *cc, struct weiri_rate_sample *s, enum weiri_bbr_phase phase)
{
    *s = bbr_sample_of_path();
    weiri_cc_init(cc, 14600, seq_of(1));
    struct weiri_cc_event e = bbr_event(s, 100000, 1000000);
    weiri_cc_model(cc, WEIR_CC_BBR, &e);
    cc->bbr.full = phase > WEIRI_BBR_STARTUP;
    cc->bbr.phase = (uint8_t)phase;
    cc->bbr.probe_at = 3000000;
    cc->bbr.round_end = 900000;
    s->first_at = 1; /* something was in flight all the time */
    e = bbr_event(s, 200000, 1010000);
    e.inflight = 150000;
    return e;
}

/* In hundredths of the bandwidth, less one of them: faster to find more, slower to empty a queue. */
static void test_pace_of_each_phase(void **state)
{
    (void)state;
    static const struct {
        uint8_t phase;
        uint16_t hundredths;
    } rows[] = {{WEIRI_BBR_STARTUP, 277}, {WEIRI_BBR_DRAIN, 35}, {WEIRI_BBR_DOWN, 90},      {WEIRI_BBR_CRUISE, 100},
                {WEIRI_BBR_REFILL, 100},  {WEIRI_BBR_UP, 125},   {WEIRI_BBR_PROBE_RTT, 100}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_cc cc;
        struct weiri_rate_sample s;
        struct weiri_cc_event e = bbr_stand(&cc, &s, (enum weiri_bbr_phase)rows[i].phase);
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        assert_int_equal(cc.bbr.phase, rows[i].phase);
        assert_int_equal(weiri_bbr_rate(&cc), 500 * rows[i].hundredths * 99);
    }
}

/* The 200 ms of ProbeRTT are counted from when no more is in flight than half of what the path holds. */
static void test_probe_rtt_begins_at_half(void **state)
{
    (void)state;
    for (uint32_t more = 0; more < 2; more++) {
        struct weir_cc cc;
        struct weiri_rate_sample s;
        struct weiri_cc_event e = bbr_stand(&cc, &s, WEIRI_BBR_PROBE_RTT);
        e.inflight = 50000 + more;
        weiri_cc_model(&cc, WEIR_CC_BBR, &e);
        assert_int_equal(cc.bbr.phase, WEIRI_BBR_PROBE_RTT);
        assert_int_equal(cc.bbr.rounds, more > 0 ? 0 : 1);
        assert_int_equal(cc.bbr.probe_at, more > 0 ? 3000000 : 1210000);
    }
}

/* A new probe raises the long-term bound slowly again, whatever the one before had come to. */
static void test_a_probe_begins_slowly(void **state)
{
    (void)state;
    struct weir_cc cc;
    struct weiri_rate_sample s;
    struct weiri_cc_event e = bbr_stand(&cc, &s, WEIRI_BBR_CRUISE);
    cc.bbr.probe_at = 1000000;
    cc.bbr.up_rounds = 5;
    cc.bbr.up_acked = 900;
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.phase, WEIRI_BBR_REFILL);
    assert_int_equal(cc.bbr.up_rounds, 0);
    assert_int_equal(cc.bbr.up_acked, 0);
}

/* A timeout leaves one segment and the model; if it was not needed the window and the bounds come back. */
static void test_timeout_and_undo(void **state)
{
    (void)state;
    struct weir_cc cc, before;
    struct weiri_rate_sample s = bbr_sample_of_path();
    weiri_cc_init(&cc, 14600, seq_of(1));
    struct weiri_cc_event e = bbr_event(&s, 100000, 1000000);
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    before = cc;
    weiri_cc_timeout(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.cwnd, 1000);
    assert_int_equal(weiri_bbr_bandwidth(&cc), 5000000);
    cc.bbr.bw_lo = cc.bbr.inflight_lo = cc.bbr.inflight_hi = 12345;
    weiri_bbr_undo(&cc, &before);
    assert_int_equal(cc.cwnd, before.cwnd);
    assert_int_equal(cc.bbr.bw_lo & cc.bbr.inflight_lo & cc.bbr.inflight_hi, UINT32_MAX);
}

/* A mark is answered as a loss with a queue is: both short-term bounds, and Startup is over. */
static void test_mark(void **state)
{
    (void)state;
    struct weir_cc cc;
    struct weiri_rate_sample s = bbr_sample_of_path();
    weiri_cc_init(&cc, 14600, seq_of(1));
    struct weiri_cc_event e = bbr_event(&s, 100000, 1000000);
    weiri_cc_marked(&cc, WEIR_CC_BBR, &e); /* before there is a model: nothing to lower */
    assert_int_equal(cc.cwnd, 14600);
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    cc.bbr.bw_latest = cc.bbr.inflight_latest = 0;
    uint32_t cwnd = cc.cwnd;
    weiri_cc_marked(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(weiri_bbr_bandwidth(&cc), 5000000 / 10 * 7);
    assert_int_equal(cc.cwnd, cwnd / 10 * 7);
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.full, 1);
    assert_true(cc.cwnd <= cwnd / 10 * 7);
    for (unsigned i = 0; i < 50; i++) { /* whatever the marks: one segment goes */
        cc.bbr.bw_latest = cc.bbr.inflight_latest = 0;
        weiri_cc_marked(&cc, WEIR_CC_BBR, &e);
    }
    assert_int_equal(cc.cwnd, 1000);
}

/* ---- hostile acknowledgments ---------------------------------------------------------------------------------------------------------- */

/* Divided, doubled, optimistic and selective ones, at any time: every invariant holds, weir_deadline moves on, and what is outstanding
 * stays within cwnd and a segment. */
static void test_hostile_acknowledgments(void **state)
{
    (void)state;
    weir_config cfg = bbr_config();
    path_open(&path, BBR_HUNDRED_MBIT, 100, 1u << 20);
    path_flow(&path, &cfg);
    path_run(&path, 20000);
    weir_conn *c = &path.flow[0].c[0];
    path.way[0].count = path.way[1].count = 0; /* from here on the peer is another */
    for (unsigned i = 0; i < 30000; i++) {
        weir_view v;
        weir_out out;
        memset(&v, 0, sizeof v);
        v.flags = WEIR_ACK;
        v.seq = c->rcv.nxt;
        v.window = 65535;
        v.options = WEIR_OPT_SACK | (path_random(&path, 4) > 0 ? (unsigned)WEIR_OPT_TIMESTAMPS : 0);
        v.ts_value = c->ts.recent;
        v.ts_echo = weiri_ts_now(c) - path_random(&path, 50);
        v.header_len = 20;
        uint32_t flight = conn_flight(c) + 1;
        v.ack = seq_add(c->snd.una, path_random(&path, 3) == 0 ? 0 : path_random(&path, path_random(&path, 2) ? flight : 100));
        for (v.sack_count = 0; v.sack_count < path_random(&path, 4); v.sack_count++) {
            weir_block *b = &v.sack[v.sack_count];
            b->from = seq_add(v.ack, path_random(&path, flight));
            b->to = seq_add(b->from, 1 + path_random(&path, 5000));
        }
        path.now += path_random(&path, 3) == 0 ? path_random(&path, 30000) : path_random(&path, 100);
        (void)weir_input(c, &v, path.now);
        path_turn(&path, 0, 0);
        path.way[0].count = 0;
        weir_expire(c, path.now);
        while (weir_poll(c, &out, path.now) > 0) {
        }
        assert_null(weir_check(c));
        assert_true(weir_deadline(c) > path.now);
        assert_in_range(c->cc.cwnd, 1, WEIRI_CWND_MAX);
    }
    assert_int_equal(weir_state(c), WEIR_ESTABLISHED);
    path_close(&path);
}

/* Counts of eight bits stop at their end; none begins anew. */
static void test_counts_saturate(void **state)
{
    struct weiri_rate_sample s;
    struct weiri_cc_event e;
    struct weir_cc cc;
    (void)state;
    memset(&s, 0, sizeof s);
    memset(&e, 0, sizeof e);
    e.rate = &s;
    e.mss = 1000;
    e.now = 10000000;
    weiri_cc_init(&cc, 10000, seq_of(0));
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    cc.bbr.losses = UINT8_MAX;
    e.lost = 1;
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.losses, UINT8_MAX);
    e.lost = 0;
    s.any = true;
    s.acked = s.delivered = 10000;
    s.interval = s.rtt_us = 10000;
    cc.bbr.full = 1;
    cc.bbr.phase = WEIRI_BBR_CRUISE;
    cc.bbr.rounds = UINT8_MAX;
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.rounds, UINT8_MAX);
    cc.bbr.phase = WEIRI_BBR_UP;
    cc.bbr.feedback = WEIRI_BBR_FEEDBACK_ON;
    cc.bbr.inflight_hi = 20000;
    cc.bbr.up_rounds = 30;
    cc.bbr.round_lost = 0;
    weiri_cc_model(&cc, WEIR_CC_BBR, &e);
    assert_int_equal(cc.bbr.up_rounds, 30);
    assert_true(cc.bbr.inflight_hi >= 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_path), cmocka_unit_test(test_leaves_no_queue),  cmocka_unit_test(test_follows_the_path),
        cmocka_unit_test(test_noise),          cmocka_unit_test(test_short_queue),      cmocka_unit_test(test_fairness),
        cmocka_unit_test(test_any_numbers),
        cmocka_unit_test(test_startup_goes_on_after_probe_rtt),
        cmocka_unit_test(test_what_loss_says),
        cmocka_unit_test(test_a_probe_is_answered_once), cmocka_unit_test(test_what_holds_a_probe_back), cmocka_unit_test(test_timeout_and_undo),
        cmocka_unit_test(test_mark),           cmocka_unit_test(test_hostile_acknowledgments),
        cmocka_unit_test(test_counts_saturate),          cmocka_unit_test(test_pace_of_each_phase),
        cmocka_unit_test(test_probe_rtt_begins_at_half), cmocka_unit_test(test_a_probe_begins_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
