/* test_timestamps.c - timestamps and scaled windows on connections: the examples of RFC 7323 from vectors/function/rfc7323_examples.txt,
 * negotiation, what is echoed, and what a window that is counted in units of 128 may promise.
 *
 * Which segments are stale is in test_facts.c, what becomes of them in test_conn.c. RFC 7323 2, 3, 4, appendix F. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conn_fixture.h"

#define ACK WEIR_ACK
#define SYN WEIR_SYN
#define TS WEIR_OPT_TIMESTAMPS

enum { SEGMENT = 100, START = 5000 /* RCV.NXT of the examples */ };

static void input_stamped(struct conn_fixture *f, weir_fields g, uint32_t value, uint32_t echo, uint32_t len)
{
    g.options |= TS;
    g.ts_value = value;
    g.ts_echo = echo;
    conn_input(f, &g, len);
}

/* ESTABLISHED by an active open; both sides stamp. */
static struct conn_fixture *stamping(uint32_t peers_first)
{
    struct conn_fixture *f = conn_new();
    f->cfg.timestamps = true;
    f->peer_iss = START - 1;
    conn_connect(f);
    input_stamped(f, conn_fields(f, SYN | ACK, 0, 0), peers_first, weiri_ts_now(&f->c), 0);
    conn_drain(f);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
    return f;
}

/* ---- RFC 7323 4.3 ------------------------------------------------------------------------------------------------ */

/* "ack C tsecr=1": the next segment acknowledges all up to the end of C and echoes 1. */
static void expect_ack(struct conn_fixture *f, const char *line)
{
    char letter;
    unsigned long echo;
    weir_view v;
    assert_int_equal(sscanf(line, "ack %c tsecr=%lu", &letter, &echo), 2);
    assert_true(conn_poll(f, &v) || (conn_wait(f) && conn_poll(f, &v)));
    assert_int_equal(v.ack.v, START + SEGMENT * (uint32_t)(letter - 'A' + 1));
    assert_true(v.options & TS);
    assert_int_equal(v.ts_echo, echo);
}

/* "recv B 2 -> 1 ; ack C tsecr=2": segment B with timestamp 2 arrives, TS.Recent is 1 then, and so on. */
static void play_line(struct conn_fixture *f, const char *line)
{
    char letter;
    unsigned long value, recent;
    if (sscanf(line, "recv %c %lu -> %lu", &letter, &value, &recent) == 3) {
        weir_fields g = conn_fields(f, ACK, 0, 0);
        g.seq = seq_of(START + SEGMENT * (uint32_t)(letter - 'A'));
        input_stamped(f, g, (uint32_t)value, 0, SEGMENT);
        assert_int_equal(f->c.ts.recent, recent);
    }
    const char *ack = strstr(line, "ack ");
    if (ack != NULL) {
        expect_ack(f, ack);
    }
}

/* The file after the head of a section, which is left in `line`. */
static FILE *examples_at(const char *section, char *line, int cap)
{
    FILE *file = fopen(WEIR_VECTORS_DIR "/function/rfc7323_examples.txt", "r");
    assert_non_null(file);
    while (fgets(line, cap, file) != NULL) {
        if (strncmp(line, section, strlen(section)) == 0) {
            return file;
        }
    }
    fail_msg("no section %s", section);
    return NULL;
}

static unsigned play(struct conn_fixture *f, const char *section)
{
    char line[256];
    unsigned lines = 0;
    FILE *file = examples_at(section, line, sizeof line);
    while (fgets(line, sizeof line, file) != NULL && line[0] != '[') {
        play_line(f, line);
        lines++;
    }
    (void)fclose(file);
    return lines;
}

static void test_echo_under_delayed_acks(void **state)
{
    (void)state;
    struct conn_fixture *f = stamping(0);
    f->c.quick_acks = 0;
    f->cfg.ack_every = 4;
    assert_int_equal(play(f, "[section 4.3 delayed"), 4);
}

static void test_echo_out_of_order(void **state)
{
    (void)state;
    assert_int_equal(play(stamping(0), "[section 4.3 out of order"), 5);
}

/* The same two with the peer's clock about to pass 2^31 and 2^32: values are shifted, the echo with them. */
static void test_echo_over_the_wrap_of_the_clock(void **state)
{
    (void)state;
    static const uint32_t places[] = {0x7ffffffeu, 0xfffffffeu};
    static const struct {
        unsigned segment;
        uint32_t value, recent;
    } steps[] = {{0, 1, 1}, {2, 3, 1}, {1, 2, 2}, {4, 5, 2}, {3, 4, 4}};
    for (size_t p = 0; p < 2; p++) {
        struct conn_fixture *f = stamping(places[p]);
        for (size_t i = 0; i < 5; i++) {
            weir_view v;
            weir_fields g = conn_fields(f, ACK, 0, 0);
            g.seq = seq_of(START + SEGMENT * steps[i].segment);
            input_stamped(f, g, places[p] + steps[i].value, 0, SEGMENT);
            assert_true(conn_poll(f, &v));
            assert_int_equal(v.ts_echo, places[p] + steps[i].recent);
        }
    }
}

/* ---- RFC 7323 4.1 ------------------------------------------------------------------------------------------------ */

static unsigned long number_after(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    assert_non_null(at);
    return strtoul(at + strlen(key), NULL, 10);
}

/* What host A sends next: its timestamp at time `value`, its echo. */
static void host_a_sends(struct conn_fixture *f, const char *part)
{
    weir_view v;
    uint32_t value = (uint32_t)number_after(part, "TSval=");
    f->now += (weir_us)(value - weiri_ts_now(&f->c)) * 1000;
    assert_int_equal(conn_send(f, SEGMENT, 0), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_int_equal(v.payload_len, SEGMENT);
    assert_int_equal(v.ts_value, value);
    assert_int_equal(v.ts_echo, number_after(part, "TSecr="));
}

static void test_each_side_echoes_the_other(void **state)
{
    (void)state;
    char line[512] = "";
    (void)fclose(examples_at("[section 4.1", line, sizeof line)); /* its one line is the head itself */
    struct conn_fixture *f = stamping(120);
    f->c.ts.offset = 0u - (uint32_t)(f->now / 1000); /* host A's clock shows 0 */
    unsigned sent = 0;
    for (char *part = strtok(strchr(line, ']'), ";"); part != NULL; part = strtok(NULL, ";")) {
        if (strstr(part, "A>B") != NULL) {
            host_a_sends(f, part);
            sent++;
        } else {
            f->now += 3000;
            input_stamped(f, conn_fields(f, ACK, 0, 0), (uint32_t)number_after(part, "TSval="),
                          (uint32_t)number_after(part, "TSecr="), 0);
        }
    }
    assert_int_equal(sent, 2);
    weir_info info;
    weir_info_get(&f->c, &info);
    assert_in_range(info.rtt, 1, 3000); /* each round took 3 ms; the pause between them is no round trip */
}

/* An echo on a segment that acknowledges nothing new is no sample (4.1): after a long silence it would be a very old one. */
static void test_no_sample_without_progress(void **state)
{
    (void)state;
    weir_info before, after;
    struct conn_fixture *f = stamping(1);
    assert_int_equal(conn_send(f, SEGMENT, 0), WEIR_ERR_NONE);
    conn_drain(f);
    f->now += 5000;
    input_stamped(f, conn_fields(f, ACK, 0, 0), 2, weiri_ts_now(&f->c) - 5, 0);
    weir_info_get(&f->c, &before);
    f->now += 100 * CONN_SECOND;
    input_stamped(f, conn_fields(f, ACK, 0, 0), 3, weiri_ts_now(&f->c) - 100000, SEGMENT);
    weir_info_get(&f->c, &after);
    assert_int_equal(before.rtt, after.rtt);
    assert_int_equal(before.rto, after.rto);
}

/* A SYN that was sent twice: text begins with an RTO of 3 s at least, whatever the echo could tell (RFC 6298 5.7). */
static void test_a_syn_sent_twice(void **state)
{
    (void)state;
    for (unsigned stamps = 0; stamps < 2; stamps++) {
        weir_info info;
        struct conn_fixture *f = conn_new();
        f->cfg.timestamps = stamps;
        conn_connect(f);
        assert_true(conn_wait(f));
        conn_drain(f);
        f->now += 20000;
        input_stamped(f, conn_fields(f, SYN | ACK, 0, 0), 1, weiri_ts_now(&f->c), 0);
        weir_info_get(&f->c, &info);
        assert_int_equal(info.state, WEIR_ESTABLISHED);
        assert_in_range(info.rto, 3000000, 10000000);
    }
}

/* ---- negotiation (RFC 7323 2.2, 3.2) ----------------------------------------------------------------------------- */

/* Offered or not, on each side: in use only where both did. */
static void check_negotiation(bool active, bool ours, bool theirs)
{
    weir_view v;
    struct conn_fixture *f = conn_new();
    f->cfg.timestamps = ours;
    if (active) {
        assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
        assert_true(conn_poll(f, &v));
        assert_int_equal(!!(v.options & TS), ours);
        assert_int_equal(v.ts_echo, 0);
    } else {
        conn_listen(f);
    }
    weir_fields g = conn_fields(f, active ? SYN | ACK : SYN, 0, 0);
    g.options |= theirs ? TS : 0;
    g.ts_value = 777;
    conn_input(f, &g, 0);
    assert_true(conn_poll(f, &v)); /* the ACK, or the SYN,ACK */
    assert_int_equal(!!(v.options & TS), ours && theirs);
    assert_int_equal(v.ts_echo, ours && theirs ? 777 : 0);
    if (!active) {
        conn_take(f, ACK, 0, 0, 0);
    }
    for (unsigned i = 0; i < 3; i++) { /* then in every segment, or in none */
        assert_int_equal(conn_send(f, SEGMENT, 0), WEIR_ERR_NONE);
        assert_true(conn_poll(f, &v));
        assert_int_equal(!!(v.options & TS), ours && theirs);
        conn_take(f, ACK, 0, 0, 0);
    }
}

static void test_timestamps_are_negotiated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        check_negotiation(i & 1, i & 2, i & 4);
    }
}

/* A shift counts only where both offered one, and never on a SYN's own window. */
static void check_scaling(bool active, bool ours, bool theirs)
{
    weir_view v;
    weir_info info;
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = ours;
    f->cfg.rx_max = 65535u << 7;
    if (active) {
        assert_int_equal(weir_connect(&f->c, &f->tuple, f->now), WEIR_ERR_NONE);
        assert_true(conn_poll(f, &v));
        assert_int_equal(!!(v.options & WEIR_OPT_WSCALE), ours);
        assert_int_equal(ours ? v.wscale : 7, 7);
    } else {
        conn_listen(f);
    }
    weir_fields g = conn_fields(f, active ? SYN | ACK : SYN, 0, 0);
    g.options |= theirs ? WEIR_OPT_WSCALE : 0;
    g.wscale = 3;
    g.window = 1000;
    conn_input(f, &g, 0);
    assert_true(conn_poll(f, &v));
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, 1000);
    if (!active) {
        assert_int_equal(!!(v.options & WEIR_OPT_WSCALE), ours && theirs);
        assert_int_equal(v.window, CONN_RX);
    } else {
        assert_int_equal(v.window, ours && theirs ? CONN_RX >> 7 : CONN_RX);
    }
    g = conn_fields(f, ACK, 0, 0);
    g.window = 1000;
    conn_input(f, &g, 0);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.snd_wnd, ours && theirs ? 8000 : 1000);
    assert_int_equal(info.wscale_rcv, ours && theirs ? 7 : 0);
}

static void test_window_scales_are_negotiated(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        check_scaling(i & 1, i & 2, i & 4);
    }
}

/* RFC 7323 5.2: a RST that answers a segment echoes its timestamp; TSval then is of no connection. */
static void test_resets_echo(void **state)
{
    (void)state;
    weir_view v;
    struct conn_fixture *f = conn_in(WEIR_LISTEN);
    input_stamped(f, conn_fields(f, ACK, 0, 0), 4242, 1, 0);
    assert_true(conn_poll(f, &v));
    assert_true(v.flags & WEIR_RST);
    assert_true(v.options & TS);
    assert_int_equal(v.ts_echo, 4242);
    conn_seg(f, ACK, 0, 0, 0);
    assert_true(conn_poll(f, &v));
    assert_false(v.options & TS);
    f = stamping(4243);
    assert_int_equal(weir_abort(&f->c, f->now), WEIR_ERR_NONE);
    assert_true(conn_poll(f, &v));
    assert_true(v.options & TS);
    assert_int_equal(v.ts_value, weiri_ts_now(&f->c));
    assert_int_equal(v.ts_echo, 0); /* without ACK there is nothing to echo (3.2) */
}

/* ---- appendix F: windows in units -------------------------------------------------------------------------------- */

/* As the sender: the edge of each line is believed, also when it moves left (RFC 7323 2.4, MUST-34), and nothing is sent past it. */
static void test_a_window_that_is_taken_back(void **state)
{
    (void)state;
    char line[256];
    unsigned lines = 0;
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    f->cfg.nagle = false;
    conn_set_iss(f, 999);
    conn_connect(f);
    weir_fields g = conn_fields(f, SYN | ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    g.wscale = 7;
    g.window = 256;
    conn_input(f, &g, 0);
    assert_int_equal(conn_send(f, 2000, 0), WEIR_ERR_NONE);
    conn_drain(f);
    assert_int_equal(f->c.snd.nxt.v, 1256);
    FILE *file = examples_at("[appendix F", line, sizeof line);
    uint32_t farthest = 1256;
    while (fgets(line, sizeof line, file) != NULL && line[0] != '[') {
        unsigned long ack, window, edge;
        if (sscanf(line, "%lu %lu %lu", &ack, &window, &edge) != 3) {
            continue;
        }
        g = conn_fields(f, ACK, 0, 0);
        g.ack = seq_of((uint32_t)ack);
        g.window = (uint16_t)window;
        conn_input(f, &g, 0);
        conn_drain(f);
        assert_int_equal(f->c.snd.una.v + f->c.snd.wnd, edge);
        farthest = edge > farthest ? (uint32_t)edge : farthest;
        assert_in_range(f->c.snd.nxt.v, 1256, farthest);
        lines++;
    }
    (void)fclose(file);
    assert_int_equal(lines, 4);
    assert_int_equal(weir_state(&f->c), WEIR_ESTABLISHED);
}

/* As the receiver, with units of 128 and octets that come in odd numbers and are read in others: no promise passes the ring, and whatever
 * was promised is taken, even where the unit made the announcement shrink. */
static void test_promises_are_kept(void **state)
{
    (void)state;
    uint32_t random = 12345, promised = 1 + CONN_RX; /* by the SYN; from IRS */
    uint8_t octets[CONN_RX];
    size_t got;
    struct conn_fixture *f = conn_new();
    f->cfg.window_scale = true;
    f->cfg.rx_max = 65535u << 7;
    conn_connect(f);
    weir_fields g = conn_fields(f, SYN | ACK, 0, 0);
    g.options |= WEIR_OPT_WSCALE;
    g.wscale = 0;
    conn_input(f, &g, 0);
    for (unsigned i = 0; i < 20000; i++) {
        weir_view v;
        while (conn_poll(f, &v)) {
            uint32_t window = (uint32_t)v.window << 7, ring = CONN_RX - (f->c.rcv.nxt.v - f->c.rcv.usr.v);
            assert_in_range(window, 0, ring);
            uint32_t left = promised - (v.ack.v - f->c.rcv.irs.v); /* of what was promised before */
            promised = window > left ? v.ack.v - f->c.rcv.irs.v + window : promised;
        }
        random = random * 1103515245u + 12345u;
        uint32_t left = promised - (f->c.rcv.nxt.v - f->c.rcv.irs.v), len = (random >> 16) % 97;
        len = (random >> 8) % 5 == 0 ? left : len < left ? len : left; /* now and then to the very edge */
        weir_seq before = f->c.rcv.nxt;
        conn_seg(f, ACK, 0, 0, len);
        assert_int_equal(f->c.rcv.nxt.v - before.v, len);
        assert_int_equal(weir_recv(&f->c, octets, (random >> 4) % 131, &got, f->now), WEIR_ERR_NONE);
    }
    assert_true(promised > 300000); /* the stream went on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_under_delayed_acks),
        cmocka_unit_test(test_echo_out_of_order),
        cmocka_unit_test(test_echo_over_the_wrap_of_the_clock),
        cmocka_unit_test(test_each_side_echoes_the_other),
        cmocka_unit_test(test_no_sample_without_progress),
        cmocka_unit_test(test_a_syn_sent_twice),
        cmocka_unit_test(test_timestamps_are_negotiated),
        cmocka_unit_test(test_window_scales_are_negotiated),
        cmocka_unit_test(test_resets_echo),
        cmocka_unit_test(test_a_window_that_is_taken_back),
        cmocka_unit_test(test_promises_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
