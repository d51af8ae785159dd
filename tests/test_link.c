/* test_link.c - the impaired link in virtual time: nominal rates, exact times, bounds, and the same again from the same seed. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "tun/link.c"

#define TRIALS 100000u

static weir_link *made;
static void *memory;

static weir_link *link_made(const weir_link_config *config, size_t len)
{
    free(memory);
    memory = malloc(len);
    assert_non_null(memory);
    memset(memory, 0xa5, len); /* memory need not be clean */
    made = weir_link_init(memory, len, config);
    return made;
}

static int link_freed(void **state)
{
    (void)state;
    free(memory);
    memory = NULL;
    return 0;
}

static weir_link_config clean(void)
{
    weir_link_config config;

    weir_link_config_init(&config);
    return config;
}

/* A packet that says which it is: a number and a pattern that depends on it. */
static void packet_fill(uint8_t *packet, size_t len, uint32_t number)
{
    uint64_t pattern = weiri_mix(number, 1);

    for (size_t i = 0; i < len; i++)
        packet[i] = (uint8_t)((pattern >> 8 * (i % 8)) + i * 7);
    for (size_t i = 0; i < 4 && i < len; i++)
        packet[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t packet_number(const uint8_t *packet)
{
    return packet[0] | (uint32_t)packet[1] << 8 | (uint32_t)packet[2] << 16 | (uint32_t)packet[3] << 24;
}

static bool near(uint64_t counted, uint64_t trials, uint32_t ppm, uint32_t spread)
{
    double expected = (double)trials * ppm / 1e6, allowed = (double)spread * (1 + (expected > 0 ? expected / 10 : 0));
    double off = (double)counted - expected;

    return off * off <= 25.0 * expected || off * off <= allowed * allowed; /* five standard deviations of a Poisson count */
}

/* ---- passing ---- */

static void test_perfect_link_passes_everything(void **state)
{
    static const size_t lens[] = {1, 2, 3, 40, 507, 508, 509, 1016, 1017, 1500, 9000, 65535};
    static uint8_t sent[WEIR_LINK_PACKET_MAX], got[WEIR_LINK_PACKET_MAX + 1];
    weir_link_config config = clean();
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);

    (void)state;
    assert_non_null(link);
    assert_true(weir_link_config_idle(&config));
    assert_true(weir_link_deadline(link) == WEIR_FOREVER);
    for (uint32_t i = 0; i < 12 * 20; i++) {
        size_t len = lens[i % 12];
        packet_fill(sent, len, i);
        assert_int_equal(weir_link_push(link, guard_put(sent, len), len, 1000 + i), 0);
        guard_free_all();
        assert_true(weir_link_deadline(link) == 1000 + i);
        memset(got, 0, sizeof got);
        assert_int_equal(weir_link_pop(link, got, WEIR_LINK_PACKET_MAX, 1000 + i), len);
        assert_memory_equal(got, sent, len);
        assert_int_equal(got[len], 0);
        assert_int_equal(weir_link_pop(link, got, WEIR_LINK_PACKET_MAX, 1000 + i), 0);
    }
    assert_int_equal(weir_link_get_stats(link)->popped, 240);
    assert_int_equal(weir_link_get_stats(link)->queued, 0);
    assert_int_equal(weir_link_get_stats(link)->octets_popped, weir_link_get_stats(link)->octets_pushed);
}

/* ---- nominal rates ---- */

struct rate_row {
    const char *name;
    uint32_t loss, burst, dup, reorder, corrupt;
};

static const struct rate_row rate_rows[] = {
    {"nothing", 0, 0, 0, 0, 0},
    {"loss 0.1%", 1000, 0, 0, 0, 0},
    {"loss 2%", 20000, 0, 0, 0, 0},
    {"loss 50%", 500000, 0, 0, 0, 0},
    {"loss 100%", 1000000, 0, 0, 0, 0},
    {"loss 5% in runs of 10", 50000, 10, 0, 0, 0},
    {"dup 1%", 0, 0, 10000, 0, 0},
    {"dup 100%", 0, 0, 1000000, 0, 0},
    {"reorder 2%", 0, 0, 0, 20000, 0},
    {"corrupt 0.5%", 0, 0, 0, 0, 5000},
    {"corrupt 100%", 0, 0, 0, 0, 1000000},
    {"a bad link", 20000, 0, 10000, 20000, 5000},
};

struct tally {
    uint32_t arrived, changed, late;
    uint64_t hash;
};

/* Takes what is due; counts changed octets (never two in one packet) and packets that come after a later one. */
static void tally_drain(weir_link *link, struct tally *tally, weir_us now, uint32_t *highest)
{
    uint8_t got[256], want[256];
    size_t len;

    while ((len = weir_link_pop(link, got, sizeof got, now)) != 0) {
        unsigned differ = 0;
        packet_fill(want, len, packet_number(got));
        for (size_t i = 4; i < len; i++)
            differ += got[i] != want[i];
        if (differ <= 1 && packet_number(got) < TRIALS) {
            tally->changed += differ;
            tally->late += packet_number(got) < *highest;
            *highest = packet_number(got) > *highest ? packet_number(got) : *highest;
        } else {
            tally->changed++; /* the number itself was hit */
        }
        for (size_t i = 0; i < len; i++)
            tally->hash = weiri_mix(tally->hash, got[i]);
        tally->hash = weiri_mix(tally->hash, now);
        tally->arrived++;
    }
}

static struct tally tally_run(const weir_link_config *config, uint32_t trials)
{
    struct tally tally = {0, 0, 0, 0};
    weir_link *link = link_made(config, 1u << 20);
    uint32_t highest = 0;
    uint8_t packet[100];
    weir_us now = 5;

    assert_non_null(link);
    for (uint32_t i = 0; i < trials; i++, now += 100) {
        packet_fill(packet, sizeof packet, i);
        (void)weir_link_push(link, packet, sizeof packet, now);
        tally_drain(link, &tally, now, &highest);
    }
    while (weir_link_deadline(link) != WEIR_FOREVER)
        tally_drain(link, &tally, weir_link_deadline(link), &highest);
    assert_int_equal(weir_link_get_stats(link)->queued, 0);
    assert_int_equal(link->cells_left, link->cell_count); /* no cell was lost on the way */
    return tally;
}

static void rate_check(const struct rate_row *row)
{
    weir_link_config config = clean();
    struct tally tally;
    const weir_link_stats *stats;
    uint64_t passed;

    config.loss_ppm = row->loss;
    config.loss_burst = row->burst;
    config.dup_ppm = row->dup;
    config.reorder_ppm = row->reorder;
    config.corrupt_ppm = row->corrupt;
    tally = tally_run(&config, TRIALS);
    stats = weir_link_get_stats(made);
    passed = TRIALS - stats->lost;
    if (!near(stats->lost, TRIALS, row->loss, row->burst > 1 ? 5 * row->burst : 1))
        fail_msg("%s: %u lost", row->name, (unsigned)stats->lost);
    if (!near(stats->duplicated, passed, row->dup, 1))
        fail_msg("%s: %u twice", row->name, (unsigned)stats->duplicated);
    if (!near(stats->reordered, passed, row->reorder, 1))
        fail_msg("%s: %u held back", row->name, (unsigned)stats->reordered);
    if (!near(stats->corrupted, passed, row->corrupt, 1))
        fail_msg("%s: %u corrupt", row->name, (unsigned)stats->corrupted);
    assert_int_equal(stats->pushed, TRIALS);
    assert_int_equal(stats->tail_dropped + stats->no_memory, 0);
    assert_int_equal(tally.arrived, passed + stats->duplicated);
    assert_int_equal(stats->popped, tally.arrived);
    assert_int_equal(tally.changed, stats->corrupted);
    if (row->corrupt == 0 && row->dup == 0)
        assert_int_equal(tally.late, stats->reordered); /* each is overtaken, none else is */
    if (row->loss == 1000000)
        assert_int_equal(tally.arrived, 0);
}

static void test_rates_are_near_nominal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rate_rows / sizeof rate_rows[0]; i++)
        rate_check(&rate_rows[i]);
}

static void test_losses_come_in_runs(void **state)
{
    static const uint32_t bursts[] = {0, 1, 2, 10, 50};
    uint8_t packet[20] = {0};

    (void)state;
    for (size_t b = 0; b < 5; b++) {
        weir_link_config config = clean();
        uint32_t lost = 0, runs = 0;
        bool before = false;
        double mean, want = bursts[b] <= 1 ? 1.0 / 0.9 : bursts[b];
        config.loss_ppm = 100000;
        config.loss_burst = bursts[b];
        weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
        for (uint32_t i = 0; i < TRIALS; i++) {
            bool now = weir_link_push(link, packet, sizeof packet, i) == WEIR_LINK_LOST;
            lost += now;
            runs += now && !before;
            before = now;
            (void)weir_link_pop(link, packet, sizeof packet, i);
        }
        mean = (double)lost / runs;
        if (mean < want * 0.8 || mean > want * 1.2)
            fail_msg("burst %u: mean run %u.%02u", bursts[b], (unsigned)mean, (unsigned)(mean * 100) % 100);
    }
}

/* ---- time ---- */

static void test_delay_is_exact(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[100] = {0};

    (void)state;
    config.delay_us = 20000;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    assert_int_equal(weir_link_push(link, packet, 100, 7), 0);
    assert_int_equal(weir_link_push(link, packet, 50, 9), 0);
    assert_true(weir_link_deadline(link) == 20007);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 20006), 0);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 20007), 100);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 20008), 0);
    assert_true(weir_link_deadline(link) == 20009);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 90000), 50);
    assert_int_equal(weir_link_push(link, packet, 10, 5), 0); /* time does not go back */
    assert_true(weir_link_deadline(link) == 110000);
}

static void test_jitter_spreads_and_keeps_order(void **state)
{
    weir_link_config config = clean();
    uint32_t low = 0, high = 0, number = 0;
    uint8_t packet[8];

    (void)state;
    config.delay_us = 1000;
    config.jitter_us = 400;
    weir_link *link = link_made(&config, 1u << 20);
    for (uint32_t i = 0; i < 10000; i++) {
        weir_us now = (weir_us)i * 2000;
        packet_fill(packet, sizeof packet, i);
        assert_int_equal(weir_link_push(link, packet, sizeof packet, now), 0);
        assert_in_range(weir_link_deadline(link), now + 1000, now + 1400);
        low += weir_link_deadline(link) < now + 1040;
        high += weir_link_deadline(link) > now + 1360;
        assert_int_equal(weir_link_pop(link, packet, sizeof packet, now + 1400), sizeof packet);
    }
    assert_in_range(low, 800, 1200); /* a tenth each */
    assert_in_range(high, 800, 1200);
    for (uint32_t i = 0; i < 1000; i++) { /* closer together than the jitter: none passes another */
        packet_fill(packet, sizeof packet, i);
        (void)weir_link_push(link, packet, sizeof packet, 50000000 + i);
    }
    while (weir_link_pop(link, packet, sizeof packet, 60000000) != 0)
        assert_int_equal(packet_number(packet), number++);
    assert_int_equal(number, 1000);
}

static void test_rate_is_exact(void **state)
{
    static const struct {
        uint64_t bps;
        size_t len;
        uint32_t count;
        weir_us first, last; /* when they have passed: times rounded up */
    } rows[] = {
        {10000000, 1250, 20, 1000, 20000},
        {8000, 10, 6, 10000, 60000},
        {3000000, 1000, 30, 2667, 80000},     /* 2666.67 us each: thirds add up */
        {7000000, 100, 700, 115, 80000},
        {1000000000000, 1000, 125, 1, 1},     /* 8 ns each */
        {999999937, 1500, 40, 13, 481},
    };
    uint8_t packet[1500] = {0};

    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        weir_link_config config = clean();
        weir_us due = 0;
        config.rate_bps = rows[r].bps;
        config.queue_octets = 1u << 20;
        weir_link *link = link_made(&config, 1u << 20);
        for (uint32_t i = 0; i < rows[r].count; i++)
            assert_int_equal(weir_link_push(link, packet, rows[r].len, 100000), 0);
        assert_true(weir_link_deadline(link) == 100000 + rows[r].first);
        for (uint32_t i = 0; i < rows[r].count; i++) {
            due = weir_link_deadline(link);
            assert_int_equal(weir_link_pop(link, packet, sizeof packet, due), rows[r].len);
        }
        assert_true(due == 100000 + rows[r].last);
    }
}

static void test_queue_is_bounded(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[1000] = {0};
    unsigned taken = 0, got = 0;

    (void)state;
    config.rate_bps = 8000000; /* an octet a microsecond */
    config.queue_octets = 10000;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (unsigned i = 0; i < 50; i++)
        taken += weir_link_push(link, packet, sizeof packet, 0) == 0;
    assert_int_equal(taken, 10);
    assert_int_equal(weir_link_get_stats(link)->tail_dropped, 40);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 999), WEIR_LINK_TAIL);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 1000), 0); /* one has left */
    assert_int_equal(weir_link_push(link, packet, 1, 1000), WEIR_LINK_TAIL);
    while (weir_link_pop(link, packet, sizeof packet, 11000) != 0)
        got++;
    assert_int_equal(got, 11);
    config.queue_octets = 100; /* less than one packet: an empty queue still takes it */
    link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), 0);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), WEIR_LINK_TAIL);
}

static void test_rate_can_change_while_running(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[1000] = {0};

    (void)state;
    config.rate_bps = 8000000;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (unsigned i = 0; i < 4; i++)
        (void)weir_link_push(link, packet, sizeof packet, 0);
    config.rate_bps = 16000000; /* what waits, 4000 octets, goes at the new rate */
    assert_true(weir_link_change(link, &config));
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), 0);
    for (unsigned i = 0; i < 4 + 4; i++) /* the new ones at 2500, 3000, ..., but not before those due at 4000 */
        assert_int_equal(weir_link_pop(link, packet, sizeof packet, 4000), sizeof packet);
    assert_true(weir_link_deadline(link) == 4500);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 4999), sizeof packet);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 4999), 0);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 5000), sizeof packet);
    config.rate_bps = 0;
    assert_true(weir_link_change(link, &config));
    (void)weir_link_push(link, packet, sizeof packet, 9000);
    assert_true(weir_link_deadline(link) == 9000);
    config.loss_ppm = 1000001;
    assert_false(weir_link_change(link, &config));
}

/* ---- reordering ---- */

static void test_a_held_packet_is_overtaken_within_its_gap(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[8];
    uint32_t order[12], count = 0;

    (void)state;
    config.reorder_ppm = 1000000;
    config.reorder_gap = 3;
    config.reorder_us = 500000;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    packet_fill(packet, sizeof packet, 0);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 10), WEIR_LINK_HELD);
    assert_true(weir_link_deadline(link) == 500010);
    config.reorder_ppm = 0;
    assert_true(weir_link_change(link, &config));
    for (uint32_t i = 1; i <= 3; i++) {
        packet_fill(packet, sizeof packet, i);
        assert_int_equal(weir_link_push(link, packet, sizeof packet, 20), 0);
    }
    while (count < 12 && weir_link_pop(link, packet, sizeof packet, 20) != 0)
        order[count++] = packet_number(packet);
    assert_int_equal(count, 4);
    assert_int_equal(order[0], 1);
    assert_true(order[1] == 0 || order[2] == 0 || order[3] == 0);
}

static void test_a_held_packet_leaves_when_its_time_is_up(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[8];

    (void)state;
    config.reorder_ppm = 1000000;
    config.reorder_us = 700;
    config.delay_us = 100;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (uint32_t i = 0; i < LINK_HELD_MAX; i++) { /* nothing passes them: all are held */
        packet_fill(packet, sizeof packet, i);
        assert_int_equal(weir_link_push(link, packet, sizeof packet, i), WEIR_LINK_HELD);
    }
    assert_true(weir_link_deadline(link) == 800);
    assert_int_equal(weir_link_pop(link, packet, sizeof packet, 799), 0);
    for (uint32_t i = 0; i < LINK_HELD_MAX; i++) {
        assert_int_equal(weir_link_pop(link, packet, sizeof packet, 800 + i), sizeof packet);
        assert_int_equal(packet_number(packet), i);
    }
    assert_true(weir_link_deadline(link) == WEIR_FOREVER);
}

static void test_only_so_many_are_held(void **state)
{
    weir_link_config config = clean();
    uint8_t packet[8] = {0};

    (void)state;
    config.reorder_ppm = 1000000;
    config.reorder_gap = 1000;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (uint32_t i = 0; i < LINK_HELD_MAX; i++)
        assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), WEIR_LINK_HELD);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), 0);
}

/* ---- seeds ---- */

static void test_a_seed_repeats_a_run(void **state)
{
    weir_link_config config = clean();
    struct tally first, again, other;

    (void)state;
    config.loss_ppm = 50000;
    config.dup_ppm = 30000;
    config.reorder_ppm = 40000;
    config.corrupt_ppm = 20000;
    config.delay_us = 3000;
    config.jitter_us = 1000;
    config.rate_bps = 10000000;
    config.seed = 77;
    first = tally_run(&config, 20000);
    again = tally_run(&config, 20000);
    config.seed = 78;
    other = tally_run(&config, 20000);
    assert_true(first.hash == again.hash && first.arrived == again.arrived);
    assert_true(first.hash != other.hash);
    /* The same on every machine: the figure is of this very run. */
    assert_int_equal(first.arrived, 19496);
}

static void test_knobs_do_not_disturb_each_other(void **state)
{
    static bool lost[2][5000];
    uint8_t packet[64] = {0};

    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        weir_link_config config = clean();
        config.loss_ppm = 100000;
        config.corrupt_ppm = with ? 300000 : 0;
        config.dup_ppm = with ? 200000 : 0;
        config.reorder_ppm = with ? 100000 : 0;
        config.jitter_us = with ? 50 : 0;
        weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
        for (unsigned i = 0; i < 5000; i++) {
            lost[with][i] = weir_link_push(link, packet, sizeof packet, i * 1000) == WEIR_LINK_LOST;
            while (weir_link_pop(link, packet, sizeof packet, i * 1000) != 0)
                continue;
        }
    }
    assert_memory_equal(lost[0], lost[1], sizeof lost[0]);
}

/* ---- bounds ---- */

static void test_full_memory_drops_and_recovers(void **state)
{
    static uint8_t packet[WEIR_LINK_PACKET_MAX];
    weir_link_config config = clean();
    unsigned taken[3] = {0, 0, 0};

    (void)state;
    config.delay_us = 10;
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (unsigned round = 0; round < 3; round++) {
        weir_us now = round * 1000;
        for (unsigned i = 0; i < 1000; i++)
            taken[round] += weir_link_push(link, packet, 1500, now) == 0;
        assert_int_equal(weir_link_push(link, packet, 1500, now), WEIR_LINK_NO_MEMORY);
        while (weir_link_pop(link, packet, sizeof packet, now + 10) != 0)
            continue;
    }
    assert_in_range(taken[0], 150, 175); /* 256 KiB in packets of 1500 */
    assert_int_equal(taken[1], taken[0]);
    assert_int_equal(taken[2], taken[0]);
    assert_int_equal(weir_link_get_stats(link)->queued_peak, taken[0]);
}

static void test_odd_lengths(void **state)
{
    static uint8_t packet[WEIR_LINK_PACKET_MAX + 1];
    weir_link_config config = clean();
    weir_link *link = link_made(&config, WEIR_LINK_MEMORY_MIN);

    (void)state;
    assert_int_equal(weir_link_push(link, packet, 0, 0), WEIR_LINK_NO_MEMORY);
    assert_int_equal(weir_link_push(link, packet, sizeof packet, 0), WEIR_LINK_NO_MEMORY);
    assert_int_equal(weir_link_push(link, packet, 600, 0), 0);
    assert_int_equal(weir_link_push(link, packet, 500, 0), 0);
    assert_int_equal(weir_link_pop(link, packet, 500, 0), 500); /* the longer one does not fit, and is gone */
    assert_int_equal(weir_link_get_stats(link)->no_memory, 3);
    assert_int_equal(weir_link_get_stats(link)->queued, 0);
}

/* ---- patterns ---- */

/* The fates of `count` packets of 100 octets, one a millisecond: which of them a pattern struck. */
static void pattern_run(const weir_link_config *config, char *struck, unsigned count)
{
    weir_link *link = link_made(config, WEIR_LINK_MEMORY_MIN);
    uint8_t packet[100] = {0}, got[100];

    assert_non_null(link);
    assert_false(weir_link_config_idle(config));
    for (unsigned i = 0; i < count; i++) {
        weir_us now = 5000000 + (weir_us)i * 1000;
        unsigned fate = weir_link_push(link, packet, sizeof packet, now);
        assert_true(fate == 0 || fate == WEIR_LINK_PATTERN);
        struck[i] = fate != 0 ? 'x' : '.';
        assert_true(weir_link_pop(link, got, sizeof got, now) == (fate == 0 ? sizeof got : 0));
    }
    struck[count] = '\0';
}

static void test_patterns_strike_what_they_say(void **state)
{
    static const struct {
        weir_link_drop drops[2];
        unsigned count;
        const char *struck;
    } rows[] = {
        {{{3, 1, 4000, 0}}, 1, "....xxx........."},
        {{{3, 0, 0, 0}}, 1, "xxx............."},
        {{{4, 2, 2000, 0}}, 1, "..x.x.x.x......."},
        {{{2, 5, 0, 300}}, 1, "...x....x......."},
        {{{2, 1, 1000, 600}}, 1, "......xx........"},
        {{{2, 1, 2000, 0}, {2, 3, 3000, 0}}, 2, "..xx..x........."},
        {{{100, 3, 0, 0}}, 1, "x..x..x..x..x..x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_link_config config = clean();
        char struck[17];
        unsigned expected = 0;
        memcpy(config.drops, rows[i].drops, sizeof rows[i].drops);
        config.drop_count = rows[i].count;
        pattern_run(&config, struck, 16);
        if (strcmp(struck, rows[i].struck) != 0)
            fail_msg("row %u: %s, not %s", (unsigned)i, struck, rows[i].struck);
        for (const char *p = struck; *p != '\0'; p++)
            expected += *p == 'x';
        assert_true(weir_link_get_stats(made)->pattern_dropped == expected && weir_link_get_stats(made)->lost == 0);
        assert_true(weir_link_get_stats(made)->pattern_at == 5000000 + 1000 * (weir_us)(strchr(struck, 'x') - struck));
    }
}

/* One packet is being sent, three may wait, the rest goes; as each leaves, one more may come. */
static void test_a_queue_of_packets(void **state)
{
    weir_link_config config = clean();
    weir_link *link;
    uint8_t packet[1000] = {0}, got[1000];

    (void)state;
    config.rate_bps = 8000000; /* a packet a millisecond */
    config.queue_octets = UINT32_MAX;
    config.queue_packets = 3;
    config.delay_us = 10000; /* under way is not waiting */
    link = link_made(&config, WEIR_LINK_MEMORY_MIN);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(weir_link_push(link, packet, i % 2 == 0 ? 1000 : 1, 0), i < 4 ? 0 : WEIR_LINK_TAIL);
    assert_int_equal(weir_link_push(link, packet, 1000, 999), WEIR_LINK_TAIL);
    assert_int_equal(weir_link_push(link, packet, 1000, 1000), 0);
    assert_int_equal(weir_link_push(link, packet, 1000, 1000), WEIR_LINK_TAIL);
    assert_true(weir_link_get_stats(link)->tail_dropped == 5);
    assert_true(weir_link_pop(link, got, sizeof got, 60000000) == 1000);
    for (unsigned i = 0; i < 100000; i++) { /* the ring of times goes round */
        weir_us now = 60000000 + (weir_us)i * 1000;
        assert_int_equal(weir_link_push(link, packet, 1000, now), 0);
        while (weir_link_pop(link, got, sizeof got, now) != 0)
            continue;
    }
}

static void test_configurations_out_of_range_are_refused(void **state)
{
    weir_link_config good = clean(), bad[10];

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].loss_ppm = bad[1].dup_ppm = bad[2].reorder_ppm = bad[3].corrupt_ppm = 1000001;
    bad[4].delay_us = bad[5].jitter_us = bad[6].reorder_us = 86400000001u;
    bad[7].rate_bps = 1000000000001u;
    bad[8].loss_burst = 1001;
    bad[9].drop_count = WEIR_LINK_DROPS_MAX + 1;
    assert_non_null(link_made(&good, WEIR_LINK_MEMORY_MIN));
    assert_null(link_made(&good, WEIR_LINK_MEMORY_MIN - 1));
    for (unsigned i = 0; i < 10; i++)
        assert_null(link_made(&bad[i], WEIR_LINK_MEMORY_MIN));
}

static void test_fates_have_words(void **state)
{
    char text[WEIR_AMOUNT_TEXT];

    (void)state;
    assert_string_equal(weir_link_fate_text(0, text), "");
    assert_string_equal(weir_link_fate_text(WEIR_LINK_LOST, text), "lost");
    assert_string_equal(weir_link_fate_text(WEIR_LINK_TWICE | WEIR_LINK_CORRUPT | WEIR_LINK_HELD, text), "twice corrupt held");
    assert_true(strlen(weir_link_fate_text(~0u, text)) < sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_strike_what_they_say),
        cmocka_unit_test(test_a_queue_of_packets),
        cmocka_unit_test(test_perfect_link_passes_everything),
        cmocka_unit_test(test_rates_are_near_nominal),
        cmocka_unit_test(test_losses_come_in_runs),
        cmocka_unit_test(test_delay_is_exact),
        cmocka_unit_test(test_jitter_spreads_and_keeps_order),
        cmocka_unit_test(test_rate_is_exact),
        cmocka_unit_test(test_queue_is_bounded),
        cmocka_unit_test(test_rate_can_change_while_running),
        cmocka_unit_test(test_a_held_packet_is_overtaken_within_its_gap),
        cmocka_unit_test(test_a_held_packet_leaves_when_its_time_is_up),
        cmocka_unit_test(test_only_so_many_are_held),
        cmocka_unit_test(test_a_seed_repeats_a_run),
        cmocka_unit_test(test_knobs_do_not_disturb_each_other),
        cmocka_unit_test(test_full_memory_drops_and_recovers),
        cmocka_unit_test(test_odd_lengths),
        cmocka_unit_test(test_configurations_out_of_range_are_refused),
        cmocka_unit_test(test_fates_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, link_freed);
}
