/* test_recovery.c - proportional rate reduction by the figures of RFC 9937, HyStart++ round by round, RACK over a board of ten records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "recovery/recovery.h"

/* ---- prr.c ------------------------------------------------------------------------------------------------------- */

struct prr_run {
    struct weir_prr p;
    uint32_t cwnd, inflight, sacked, lost; /* segments: a segment has one octet here */
    bool recovering;
};

/* One ACK that SACKs one segment of a flight of 20 of which `lost` were lost; the third of them begins recovery. */
static char prr_step(struct prr_run *r, unsigned ack, unsigned lost)
{
    bool limited = r->sacked < 2;
    r->sacked++;
    r->inflight--;
    if (r->sacked == 3) {
        weiri_prr_begin(&r->p, 20 + 2 - r->sacked + 1);
        r->inflight -= lost;
        r->lost = lost;
        r->recovering = true;
    }
    if (r->recovering && ack < 22) {
        struct weiri_prr_ack a = {.delivered = 1, .inflight = r->inflight, .ssthresh = 10, .cwnd = r->cwnd, .mss = 1, .safe = false};
        r->cwnd = weiri_prr_acked(&r->p, &a);
    } else if (r->recovering) {
        r->cwnd = 10;
    }
    bool sends = limited || r->inflight < r->cwnd;
    char what = !sends ? '-' : r->lost > 0 ? 'R' : 'N';
    r->lost -= what == 'R';
    return what;
}

/* RFC 9937 8, figures 1 and 2: vectors/function/rfc9937_prr_traces.txt. */
static void test_prr_figure(const char *title, unsigned lost, unsigned wanted)
{
    char line[256];
    unsigned ack, cwnd, inflight, rows = 0;
    bool in = false;
    struct prr_run r = {.cwnd = 20, .inflight = 20};
    FILE *f = fopen(WEIR_VECTORS_DIR "/function/rfc9937_prr_traces.txt", "r");
    assert_non_null(f);
    while (fgets(line, (int)sizeof line, f) != NULL) {
        char sent;
        in = line[0] == '[' ? strncmp(line, title, strlen(title)) == 0 : in;
        if (!in || sscanf(line, "%u %u %u %c", &ack, &cwnd, &inflight, &sent) != 4) {
            continue;
        }
        char what = prr_step(&r, ack, lost);
        if (r.cwnd != cwnd || r.inflight != inflight || what != sent) {
            fail_msg("%s ack %u: %u %u %c, wanted %u %u %c", title, ack, r.cwnd, r.inflight, what, cwnd, inflight, sent);
        }
        r.inflight += what != '-';
        weiri_prr_sent(&r.p, r.recovering && what != '-');
        rows++;
    }
    fclose(f);
    assert_int_equal(rows, wanted);
}

static void test_prr_figures(void **state)
{
    (void)state;
    test_prr_figure("[figure1 PRR:", 1, 22);
    test_prr_figure("[figure2 PRR:", 15, 5);
}

/* RFC9937-6.2-1, -9, -10: nothing delivered changes nothing; SafeACK adds a segment, up to ssthresh; the first retransmission goes. */
static void test_prr_rows(void **state)
{
    (void)state;
    static const struct {
        struct weir_prr p;
        struct weiri_prr_ack a;
        uint32_t cwnd;
    } rows[] = {
        {{0, 0, 20000}, {0, 5000, 10000, 7777, 1000, true}, 7777},
        {{0, 1000, 20000}, {1000, 5000, 10000, 7777, 1000, false}, 6000},
        {{0, 1000, 20000}, {1000, 5000, 10000, 7777, 1000, true}, 7000},
        {{0, 1000, 20000}, {1000, 9500, 10000, 7777, 1000, true}, 10000},
        {{9000, 1000, 20000}, {1000, 2000, 10000, 7777, 1000, false}, 10000},
        {{0, 0, 20000}, {100, 10000, 10000, 7777, 1000, false}, 10050},
        {{0, 0, UINT32_MAX}, {1, 20000, 1, 7777, 1000, false}, 20001},
        {{0, 5, 20000}, {1000, 20000, 10000, 7777, 1000, false}, 20495},
        {{9, 1000, 20000}, {1000, 20000, 10000, 7777, 1000, false}, 20000},
        {{0, 0, 20000}, {1000, 20000, 0, 7777, 1000, false}, 21000},
        {{UINT32_MAX, 0, 1}, {UINT32_MAX, UINT32_MAX, UINT32_MAX, 1, 1, true}, 2u * WEIRI_CWND_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_prr p = rows[i].p;
        uint32_t cwnd = weiri_prr_acked(&p, &rows[i].a);
        if (cwnd != rows[i].cwnd) {
            fail_msg("row %zu: %u, wanted %u", i, cwnd, rows[i].cwnd);
        }
    }
}

/* RFC 9937 6.1: nothing of an earlier recovery is left. */
static void test_prr_begins_anew(void **state)
{
    (void)state;
    struct weir_prr p = {3000, 2000, 9000};
    weiri_prr_begin(&p, 5000);
    assert_int_equal(p.delivered, 0);
    assert_int_equal(p.out, 0);
    assert_int_equal(p.recover_fs, 5000);
}

/* Whatever comes: what went in a recovery is no more than ssthresh's share of what was delivered, or than what was delivered and a segment
 * for each safe acknowledgment. */
static void test_prr_conserves(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (unsigned run = 0; run < 2000; run++) {
        struct weir_prr p;
        uint32_t inflight = 20000, cwnd = 20000, total = 0, safe = 0;
        weiri_prr_begin(&p, 20000);
        for (unsigned n = 0; n < 40 && inflight > 0; n++) {
            x = x * 1664525 + 1013904223;
            struct weiri_prr_ack a = {.delivered = base_min32(inflight, 1 + (x >> 21)), .ssthresh = 10000, .cwnd = cwnd, .mss = 1000};
            a.safe = (x >> 8) % 4 == 0;
            inflight -= a.delivered;
            inflight -= base_min32(inflight, (x >> 12) % 8 == 0 ? 1500 : 0);
            a.inflight = inflight;
            total += a.delivered;
            safe += a.safe;
            cwnd = weiri_prr_acked(&p, &a);
            weiri_prr_sent(&p, cwnd > inflight ? cwnd - inflight : 0);
            inflight = base_max32(cwnd, inflight);
            assert_true(p.out <= total + (safe + 1) * 1000);
        }
    }
}

/* ---- hystart.c --------------------------------------------------------------------------------------------------- */

/* A round of `count` samples; true if slow start is over at its end. */
static bool hystart_round(struct weir_hystart *h, uint32_t *at, unsigned count, uint32_t rtt_us)
{
    bool over = false;
    for (unsigned i = 0; i < count; i++) {
        *at += 100;
        over = weiri_hystart_acked(h, rtt_us, seq_of(*at), seq_of(*at + 100 * count)) || over;
    }
    return over;
}

static void test_hystart_leaves_after_five_rounds(void **state)
{
    (void)state;
    struct weir_hystart h;
    uint32_t at = UINT32_MAX - 5000;
    weiri_hystart_init(&h, seq_of(at + 1000));
    assert_false(hystart_round(&h, &at, 10, 20000));
    assert_false(hystart_round(&h, &at, 10, 23999)); /* a rise of less than 4 ms */
    assert_int_equal(h.phase, WEIRI_HYSTART_SLOW);
    assert_false(hystart_round(&h, &at, 10, 28000));
    assert_int_equal(h.phase, WEIRI_HYSTART_CONSERVATIVE);
    for (unsigned i = 1; i < 4; i++) { /* the round in which it began counts (RFC 9406 4.2) */
        assert_int_equal(h.css_rounds, i);
        assert_false(hystart_round(&h, &at, 10, 28000));
    }
    assert_true(hystart_round(&h, &at, 10, 28000));
    assert_int_equal(h.phase, WEIRI_HYSTART_DONE);
    assert_false(hystart_round(&h, &at, 10, 90000));
}

static void test_hystart_takes_jitter_back(void **state)
{
    (void)state;
    struct weir_hystart h;
    uint32_t at = 1;
    weiri_hystart_init(&h, seq_of(1001));
    (void)hystart_round(&h, &at, 10, 20000);
    (void)hystart_round(&h, &at, 10, 30000);
    assert_int_equal(h.phase, WEIRI_HYSTART_CONSERVATIVE);
    (void)hystart_round(&h, &at, 7, 20000);
    assert_int_equal(h.phase, WEIRI_HYSTART_CONSERVATIVE); /* seven samples say nothing */
    (void)hystart_round(&h, &at, 10, 20000);
    assert_int_equal(h.phase, WEIRI_HYSTART_SLOW);
}

/* RFC 9406 4.2: the rise that counts is an eighth, between 4 and 16 ms; eight samples at least; none at all is no sample. */
static void test_hystart_thresholds(void **state)
{
    (void)state;
    static const struct {
        uint32_t first, second;
        unsigned count;
        bool conservative;
    } rows[] = {
        {8000, 11999, 10, false}, {8000, 12000, 10, true},   {80000, 89999, 10, false}, {80000, 90000, 10, true},
        {400000, 415999, 10, false}, {400000, 416000, 10, true}, {80000, 90000, 7, false}, {80000, 90000, 8, true},
        {80000, 0, 10, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct weir_hystart h;
        uint32_t at = 1;
        weiri_hystart_init(&h, seq_of(1001));
        (void)hystart_round(&h, &at, 10, rows[i].first);
        (void)hystart_round(&h, &at, rows[i].count, rows[i].second);
        if ((h.phase == WEIRI_HYSTART_CONSERVATIVE) != rows[i].conservative) {
            fail_msg("row %zu", i);
        }
    }
}

/* ---- rack.c ------------------------------------------------------------------------------------------------------ */

enum { COUNT = 10, OCTETS = 1000 };

/* Ten segments, a millisecond apart, the first at 1 s. */
struct rack_world {
    struct weir_rack r;
    struct weir_board b;
    struct weir_sent records[WEIRI_BOARD_MEMORY(32)];
    struct weiri_rack_ack a;
};

static weir_block rack_run(unsigned from, unsigned to)
{
    weir_block run = {{from * OCTETS}, {to * OCTETS}};
    return run;
}

static void rack_setup(struct rack_world *w)
{
    memset(w, 0, sizeof *w);
    weiri_rack_init(&w->r, seq_of(0));
    weiri_board_init(&w->b, w->records, 32);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(weiri_board_push(&w->b, rack_run(i, i + 1), 1000000 + 1000 * i));
    }
    weiri_rack_sample(&w->r, 20000, 1000000);
}

/* At `now` the peer says it holds these segments. */
static void rack_sack(struct rack_world *w, weir_us now, unsigned from, unsigned to)
{
    struct weir_sent part;
    uint32_t i = 0;
    w->a.now = now;
    w->a.rtt = UINT32_MAX;
    w->a.srtt = 20000;
    w->a.nxt = seq_of(COUNT * OCTETS);
    w->a.fack = w->r.fack;
    while (weiri_board_walk(&w->b, rack_run(from, to), &i, &part)) {
        weiri_rack_delivered(&w->r, &part, &w->a);
    }
    if (from == 0) {
        (void)weiri_board_ack(&w->b, seq_of(to * OCTETS), now);
    } else {
        (void)weiri_board_sack(&w->b, rack_run(from, to));
    }
    weiri_rack_adapt(&w->r, &w->a);
}

/* One acknowledgment may stand for many segments, its newest block first: that is no reordering. An older segment in a later one is. */
static void test_rack_sees_no_reordering_within_an_acknowledgment(void **state)
{
    (void)state;
    struct rack_world w;
    struct weir_sent part;
    rack_setup(&w);
    rack_sack(&w, 1025000, 1, 2);
    w.a.fack = w.r.fack;
    for (unsigned block = 0; block < 2; block++) { /* 5 to 7, then 2 and 3 */
        weir_block run = block == 0 ? rack_run(5, 8) : rack_run(2, 4);
        uint32_t i = 0;
        while (weiri_board_walk(&w.b, run, &i, &part)) {
            weiri_rack_delivered(&w.r, &part, &w.a);
        }
        (void)weiri_board_sack(&w.b, run);
    }
    assert_false(w.r.reordered);
    rack_sack(&w, 1026000, 4, 5);
    assert_true(w.r.reordered);
}

/* RFC 8985 6.2: what was sent before what arrived is lost, a quarter of the least round trip later; what was sent after is not. */
static void test_rack_waits_for_the_reordering_window(void **state)
{
    (void)state;
    struct rack_world w;
    uint32_t wait;
    rack_setup(&w);
    rack_sack(&w, 1025000, 5, 6);
    assert_int_equal(w.r.rtt, 20000);
    assert_int_equal(w.r.reo_wnd, 5000);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1025000, &wait), OCTETS); /* the first was sent 25 ms ago */
    assert_int_equal(wait, 4000);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1028999, &wait), 3 * OCTETS);
    assert_int_equal(wait, 1);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1029000, &wait), OCTETS);
    assert_int_equal(wait, 0);
    assert_int_equal(w.b.lost, 5 * OCTETS);
}

/* As many as RFC 6675 asks: at once. Not where reordering was seen. */
static void test_rack_does_not_wait_in_vain(void **state)
{
    (void)state;
    struct rack_world w;
    uint32_t wait;
    for (unsigned reordered = 0; reordered < 2; reordered++) {
        rack_setup(&w);
        w.r.reordered = (uint8_t)reordered;
        w.a.many = true;
        rack_sack(&w, 1023000, 3, 4);
        assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1023000, &wait), reordered ? 0 : 3 * OCTETS);
        assert_int_equal(wait, reordered ? 4000 : 0);
    }
}

/* Step 3, and what is not reordering: the arrival of what was sent again. */
static void test_rack_sees_reordering(void **state)
{
    (void)state;
    struct rack_world w;
    rack_setup(&w);
    rack_sack(&w, 1025000, 5, 6);
    assert_int_equal(w.r.reordered, 0);
    weiri_board_resent(&w.b, rack_run(3, 4), 1026000);
    rack_sack(&w, 1046000, 3, 4);
    assert_int_equal(w.r.reordered, 0);
    rack_sack(&w, 1046000, 2, 3);
    assert_int_equal(w.r.reordered, 1);
}

/* A retransmission is lost like anything else; one that is acknowledged too soon says nothing. */
static void test_rack_finds_lost_retransmissions(void **state)
{
    (void)state;
    struct rack_world w;
    uint32_t wait;
    rack_setup(&w);
    w.a.recovering = true;
    rack_sack(&w, 1025000, 5, 6);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1025000, &wait), 5 * OCTETS);
    weiri_board_resent(&w.b, rack_run(0, 1), 1025000);
    weiri_board_resent(&w.b, rack_run(1, 2), 1025001);
    rack_sack(&w, 1030000, 6, 7); /* sent before them */
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1030000, &wait), 0);
    rack_sack(&w, 1044000, 1, 2); /* the second one, 18.999 ms after it was sent again: less than any round trip */
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1044000, &wait), 0);
    weiri_board_resent(&w.b, rack_run(2, 3), 1044000);
    w.a.stamped = true;
    w.a.echo_us = 42000; /* the first transmission is what is answered */
    rack_sack(&w, 1065000, 2, 3);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1065000, &wait), 0);
    weiri_board_resent(&w.b, rack_run(3, 4), 1065000);
    w.a.echo_us = 21000;
    rack_sack(&w, 1086000, 3, 4);
    assert_int_equal(weiri_rack_detect(&w.r, &w.b, 1086000, &wait), 4 * OCTETS); /* the head again, and 7 to 9 */
}

/* Step 4: one more quarter for each round trip with a D-SACK, the smoothed round trip at most, for sixteen recoveries. */
static void test_rack_adapts_to_duplicates(void **state)
{
    (void)state;
    struct rack_world w;
    rack_setup(&w);
    w.a.srtt = 20000;
    w.a.dsack = true;
    static const uint32_t wanted[] = {10000, 15000, 20000, 20000};
    for (unsigned i = 0; i < 4; i++) {
        w.a.una = seq_of(1000 * i);
        w.a.nxt = seq_of(1000 * i + 1000);
        weiri_rack_adapt(&w.r, &w.a);
        assert_int_equal(w.r.reo_wnd, wanted[i]);
        w.a.una = seq_of(1000 * i + 999); /* the same round trip */
        weiri_rack_adapt(&w.r, &w.a);
        assert_int_equal(w.r.reo_wnd, wanted[i]);
    }
    w.a.many = true; /* three duplicates do not take it back to 0: what was late has shown that there is reordering */
    weiri_rack_adapt(&w.r, &w.a);
    assert_int_equal(w.r.reo_wnd, 20000);
    w.a.dsack = false;
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(w.r.mult, 5);
        weiri_rack_recovered(&w.r);
    }
    weiri_rack_adapt(&w.r, &w.a);
    assert_int_equal(w.r.reo_wnd, 5000);
}

/* 6.3; all where there is no sample; all where the peer threw away what it held. */
static void test_rack_timeout(void **state)
{
    (void)state;
    struct rack_world w;
    rack_setup(&w);
    rack_sack(&w, 1025000, 5, 6);
    weiri_rack_timeout(&w.r, &w.b, 1027500); /* 20 ms and 5 ms */
    assert_int_equal(w.b.lost, 3 * OCTETS);
    rack_setup(&w);
    rack_sack(&w, 1025000, 5, 6);
    weiri_rack_timeout(&w.r, &w.b, 1010000); /* the first, however young */
    assert_int_equal(w.b.lost, OCTETS);
    rack_setup(&w);
    weiri_rack_timeout(&w.r, &w.b, 1009000);
    assert_int_equal(w.b.lost, COUNT * OCTETS);
    rack_setup(&w);
    rack_sack(&w, 1025000, 5, 6);
    rack_sack(&w, 1025000, 0, 5);
    weiri_rack_timeout(&w.r, &w.b, 1025000);
    assert_int_equal(w.b.lost, 5 * OCTETS);
    assert_int_equal(w.b.sacked, 0);
    weiri_board_unlose(&w.b);
    assert_int_equal(w.b.lost, 0);
    assert_null(weiri_board_check(&w.b, seq_of(5000), seq_of(10000)));
}

/* A segment that arrived an hour ago says nothing of what was sent since, however the 32 bits of a time compare. */
static void test_rack_after_a_long_silence(void **state)
{
    (void)state;
    static const uint32_t hours[] = {1u << 31, (1u << 31) + 5000000, UINT32_MAX - 5000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        struct rack_world w;
        uint32_t wait;
        rack_setup(&w);
        w.a.recovering = true;
        rack_sack(&w, 1025000, 5, 6);
        weir_us now = 1025000 + (weir_us)hours[i];
        weiri_board_resent(&w.b, rack_run(0, 5), now);
        assert_int_equal(weiri_rack_detect(&w.r, &w.b, now + 100000, &wait), 0);
        assert_int_equal(wait, 0);
    }
}

static void test_rack_pto(void **state)
{
    (void)state;
    assert_int_equal(weiri_rack_pto(0, 40000), 1000000);
    assert_int_equal(weiri_rack_pto(20000, 0), 40000);
    assert_int_equal(weiri_rack_pto(20000, 25000), 65000);
    assert_true(weiri_rack_pto(UINT32_MAX, UINT32_MAX) >= 1u << 30);
}

/* The least round-trip time follows a path that has become longer, after five minutes. */
static void test_rack_forgets_the_least(void **state)
{
    (void)state;
    struct weir_rack r;
    weiri_rack_init(&r, seq_of(0));
    weiri_rack_sample(&r, 20000, 1000);
    weiri_rack_sample(&r, 50000, 300001000);
    assert_int_equal(r.min_rtt, 20000);
    weiri_rack_sample(&r, 50000, 300001001);
    assert_int_equal(r.min_rtt, 50000);
    weiri_rack_sample(&r, 0, 300001002);
    assert_int_equal(r.min_rtt, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prr_figures),
        cmocka_unit_test(test_prr_rows),
        cmocka_unit_test(test_prr_begins_anew),
        cmocka_unit_test(test_prr_conserves),
        cmocka_unit_test(test_hystart_leaves_after_five_rounds),
        cmocka_unit_test(test_hystart_takes_jitter_back),
        cmocka_unit_test(test_hystart_thresholds),
        cmocka_unit_test(test_rack_sees_no_reordering_within_an_acknowledgment),
        cmocka_unit_test(test_rack_waits_for_the_reordering_window),
        cmocka_unit_test(test_rack_does_not_wait_in_vain),
        cmocka_unit_test(test_rack_sees_reordering),
        cmocka_unit_test(test_rack_finds_lost_retransmissions),
        cmocka_unit_test(test_rack_adapts_to_duplicates),
        cmocka_unit_test(test_rack_timeout),
        cmocka_unit_test(test_rack_after_a_long_silence),
        cmocka_unit_test(test_rack_pto),
        cmocka_unit_test(test_rack_forgets_the_least),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
