/* test_sack_vectors.c - what a receiver says of octets beyond a gap and of duplicates: the examples of RFC 2018 7 and RFC 2883 4 and 5,
 * from vectors/function, through a real connection; and the rules of RFC 2018 3 and 4 that the examples do not show.
 *
 * The sender's side of SACK is in test_sack.c and test_loss.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

#define ACK WEIR_ACK

/* ESTABLISHED, RCV.NXT as asked, with the options both sides offered. */
static struct conn_fixture *receiver(uint32_t rcv_nxt, unsigned options)
{
    struct conn_fixture *f = conn_new();
    f->cfg.sack = true;
    f->cfg.timestamps = true;
    f->peer_iss = rcv_nxt - 1;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | ACK, 0, 0);
    g.options |= (uint16_t)options;
    g.ts_value = 1;
    conn_input(f, &g, 0);
    conn_drain(f);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    assert_int_equal(f->c.rcv.nxt.v, rcv_nxt);
    return f;
}

/* Octets [from, to) arrive; the one segment that answers them. */
static weir_view answer_to(struct conn_fixture *f, uint32_t from, uint32_t to)
{
    weir_view v, more;
    weir_fields g = conn_fields(f, ACK, 0, 0);
    g.seq = seq_of(from);
    if (conn_has(&f->c, WEIRI_TS_OK)) {
        g.options = WEIR_OPT_TIMESTAMPS;
        g.ts_value = 1;
    }
    conn_input(f, &g, to - from);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.payload_len, 0);
    assert_false(conn_poll(f, &more));
    return v;
}

/* "ack 5000 sack 5500-6000 ...", in the file's notation; numbers less `shift`. */
static void describe(const weir_view *v, uint32_t shift, char *text, size_t cap)
{
    text[0] = '\0';
    conn_write(text, cap, "ack %lu", (unsigned long)(uint32_t)(v->ack.v - shift));
    for (unsigned i = 0; i < v->sack_count; i++) {
        conn_write(text, cap, "%s %lu-%lu", i == 0 ? " sack" : "", (unsigned long)(uint32_t)(v->sack[i].from.v - shift),
                   (unsigned long)(uint32_t)(v->sack[i].to.v - shift));
    }
}

static void run_file(const char *name, uint32_t shift, unsigned cases, unsigned steps)
{
    char line[256], example[256] = "", got[256];
    struct conn_fixture *f = NULL;
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        unsigned long from, to;
        line[strcspn(line, "\n")] = '\0';
        const char *start = strstr(line, "rcv_nxt="), *arrow = strstr(line, "-> ");
        if (line[0] == '[') {
            assert_non_null(start);
            memcpy(example, line, sizeof example);
            f = receiver((uint32_t)strtoul(start + 8, NULL, 10) + shift, WEIR_OPT_SACK_OK);
            cases--;
        } else if (sscanf(line, "recv %lu %lu", &from, &to) == 2) {
            assert_non_null(f);
            assert_non_null(arrow);
            weir_view v = answer_to(f, (uint32_t)from + shift, (uint32_t)to + shift);
            describe(&v, shift, got, sizeof got);
            if (strcmp(got, arrow + 3) != 0) {
                fail_msg("%s\n  %s\n  got: %s", example, line, got);
            }
            steps--;
        }
    }
    (void)fclose(file);
    assert_int_equal(cases, 0);
    assert_int_equal(steps, 0);
}

/* The numbers as printed, and moved so that they pass 2^31 and 2^32 on the way. */
static const uint32_t shifts[] = {0, 0u - 6500, 0u - 1700, 0u - 800, 0x80000000u - 6500, 0x80000000u - 1700};
#define SHIFTS (sizeof shifts / sizeof shifts[0])

static void test_rfc2018_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIFTS; i++) {
        run_file(WEIR_VECTORS_DIR "/function/rfc2018_sack_generation.txt", shifts[i], 3, 17);
    }
}

static void test_rfc2883_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHIFTS; i++) {
        run_file(WEIR_VECTORS_DIR "/function/rfc2883_dsack.txt", shifts[i], 10, 45);
    }
}

static void expect_words(struct conn_fixture *f, uint32_t from, uint32_t to, const char *words)
{
    char got[256];
    weir_view v = answer_to(f, from, to);
    describe(&v, 0, got, sizeof got);
    assert_string_equal(got, words);
}

/* RFC 2018 2: not without the other side's consent. */
static void test_no_blocks_unless_negotiated(void **state)
{
    (void)state;
    struct conn_fixture *f = receiver(1000, 0);
    expect_words(f, 1100, 1200, "ack 1000");
    expect_words(f, 1100, 1200, "ack 1000");
    expect_words(f, 1000, 1100, "ack 1200");
    f = conn_new();
    f->cfg.sack = false;
    f->peer_iss = 999;
    conn_connect(f);
    weir_fields g = conn_fields(f, WEIR_SYN | ACK, 0, 0);
    g.options |= WEIR_OPT_SACK_OK;
    conn_input(f, &g, 0);
    conn_drain(f);
    expect_words(f, 1100, 1200, "ack 1000");
}

/* RFC 2018 4: the newest first, then those most recently reported; four fit, three beside timestamps (3). */
static void test_as_many_blocks_as_fit(void **state)
{
    (void)state;
    struct conn_fixture *f = receiver(1000, WEIR_OPT_SACK_OK);
    expect_words(f, 1100, 1110, "ack 1000 sack 1100-1110");
    expect_words(f, 1200, 1210, "ack 1000 sack 1200-1210 1100-1110");
    expect_words(f, 1300, 1310, "ack 1000 sack 1300-1310 1200-1210 1100-1110");
    expect_words(f, 1400, 1410, "ack 1000 sack 1400-1410 1300-1310 1200-1210 1100-1110");
    expect_words(f, 1500, 1510, "ack 1000 sack 1500-1510 1400-1410 1300-1310 1200-1210");
    expect_words(f, 1110, 1120, "ack 1000 sack 1100-1120 1500-1510 1400-1410 1300-1310");
    expect_words(f, 1000, 1100, "ack 1120 sack 1500-1510 1400-1410 1300-1310 1200-1210");
    f = receiver(1000, WEIR_OPT_SACK_OK | WEIR_OPT_TIMESTAMPS);
    expect_words(f, 1100, 1110, "ack 1000 sack 1100-1110");
    expect_words(f, 1200, 1210, "ack 1000 sack 1200-1210 1100-1110");
    expect_words(f, 1300, 1310, "ack 1000 sack 1300-1310 1200-1210 1100-1110");
    expect_words(f, 1400, 1410, "ack 1000 sack 1400-1410 1300-1310 1200-1210");
    expect_words(f, 1400, 1410, "ack 1000 sack 1400-1410 1400-1410 1300-1310");
}

/* RFC 2883 4: each duplicate is reported once, in the first block; then as RFC 2018 says. */
static void test_a_duplicate_is_reported_once(void **state)
{
    (void)state;
    struct conn_fixture *f = receiver(1000, WEIR_OPT_SACK_OK);
    expect_words(f, 1000, 1100, "ack 1100");
    expect_words(f, 1000, 1050, "ack 1100 sack 1000-1050");
    expect_words(f, 1100, 1200, "ack 1200");
    expect_words(f, 1300, 1400, "ack 1200 sack 1300-1400");
    expect_words(f, 1150, 1200, "ack 1200 sack 1150-1200 1300-1400");
    expect_words(f, 1320, 1330, "ack 1200 sack 1320-1330 1300-1400");
    expect_words(f, 1500, 1600, "ack 1200 sack 1500-1600 1300-1400");
    expect_words(f, 1350, 1450, "ack 1200 sack 1350-1400 1300-1450 1500-1600"); /* a part of it was a duplicate */
    expect_words(f, 1200, 1300, "ack 1450 sack 1500-1600");
}

/* As many runs of 50 octets, 100 apart, as there are records for; returns how many. */
static uint32_t fill_records(struct conn_fixture *f)
{
    uint32_t runs = f->c.span_cap;
    assert_in_range(runs, 8, 35);
    for (uint32_t n = 1; n <= runs; n++) {
        (void)answer_to(f, 1000 + 100 * n, 1050 + 100 * n);
    }
    assert_int_equal(f->c.span_count, runs);
    return runs;
}

/* Octets once reported are never taken back: what they fill is read as it came first (RFC 2018 8: reneging is for lack of memory). */
static void test_nothing_reported_is_lost(void **state)
{
    (void)state;
    uint8_t got[CONN_RX];
    size_t len;
    struct conn_fixture *f = receiver(1000, WEIR_OPT_SACK_OK);
    uint32_t runs = fill_records(f), end = 1050 + 100 * runs;
    (void)answer_to(f, 1000, 1100);
    for (uint32_t n = 1; n < runs; n++) {
        weir_view v = answer_to(f, 1050 + 100 * n, 1100 + 100 * n);
        assert_int_equal(v.ack.v, 1150 + 100 * n);
    }
    assert_int_equal(weir_recv(&f->c, got, sizeof got, &len, f->now), WEIR_ERR_NONE);
    assert_int_equal(len, end - 1000);
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(got[i], conn_octet(1000 + i));
    }
}

/* A block starts with `from`. */
static bool reports(const weir_view *v, uint32_t from)
{
    bool found = false;
    for (unsigned i = 0; i < v->sack_count; i++) {
        found = found || v->sack[i].from.v == from;
    }
    return found;
}

/* More runs than there are records for: what is not remembered is not reported, and is taken when it comes again. */
static void test_runs_beyond_memory(void **state)
{
    (void)state;
    struct conn_fixture *f = receiver(1000, WEIR_OPT_SACK_OK);
    uint32_t runs = fill_records(f), beyond = 1000 + 100 * (runs + 1);
    weir_view v = answer_to(f, beyond, beyond + 50);
    assert_int_equal(v.ack.v, 1000);
    assert_false(reports(&v, beyond));
    v = answer_to(f, beyond - 50, beyond + 50); /* it meets the last run: no new record is needed */
    assert_true(v.sack[0].from.v == beyond - 100 && v.sack[0].to.v == beyond + 50);
    v = answer_to(f, 1000, 1100); /* the first run is done with, its record is free */
    assert_int_equal(v.ack.v, 1150);
    v = answer_to(f, beyond + 100, beyond + 150);
    assert_true(v.sack[0].from.v == beyond + 100 && v.sack[0].to.v == beyond + 150);
}

/* Text beside blocks: together they are one full segment, no more and no less (RFC 6691 2; RFC 9293 3.7.1). */
static void test_text_leaves_room_for_blocks(void **state)
{
    (void)state;
    for (unsigned options = 0; options < 2; options++) {
        struct conn_fixture *f = receiver(1000, WEIR_OPT_SACK_OK | (options ? WEIR_OPT_TIMESTAMPS : 0));
        for (uint32_t runs = 1; runs < 7; runs++) {
            weir_view v;
            (void)answer_to(f, 1000 + 100 * runs, 1050 + 100 * runs);
            assert_int_equal(conn_send(f, 2000, 0), WEIR_ERR_NONE);
            assert_true(conn_poll(f, &v));
            assert_int_equal(v.sack_count, runs < (options ? 3u : 4u) ? runs : (options ? 3u : 4u));
            assert_int_equal(v.payload_len + v.header_len, 1480);
            conn_drain(f);
            weir_fields g = conn_fields(f, ACK, 0, 0);
            g.options = options ? WEIR_OPT_TIMESTAMPS : 0;
            g.ts_value = 1;
            g.ts_echo = weiri_ts_now(&f->c);
            conn_input(f, &g, 0);
            conn_drain(f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc2018_examples),
        cmocka_unit_test(test_rfc2883_examples),
        cmocka_unit_test(test_no_blocks_unless_negotiated),
        cmocka_unit_test(test_as_many_blocks_as_fit),
        cmocka_unit_test(test_a_duplicate_is_reported_once),
        cmocka_unit_test(test_nothing_reported_is_lost),
        cmocka_unit_test(test_runs_beyond_memory),
        cmocka_unit_test(test_text_leaves_room_for_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
