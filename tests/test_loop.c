/* test_loop.c - the adapter over a socket pair instead of a device: packets in and out, waiting, signals, backpressure, the end. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "weir/tun.h"

static weir_tun *tun;
static int far_end = -1;

static void pair_open(weir_tun_config *config)
{
    weir_stack_config stack;
    weir_fault fault;
    int ends[2];

    fault.text[0] = '\0';
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    config->fd = ends[0];
    far_end = ends[1];
    tun = weir_tun_open(config, &fault);
    if (tun == NULL)
        fail_msg("%s", fault.text);
    weir_tun_stack_config(tun, &stack);
    stack.connections_max = 4;
    if (!weir_tun_start(tun, &stack, &fault))
        fail_msg("%s", fault.text);
}

static int pair_made(void **state)
{
    weir_tun_config config;

    (void)state;
    weir_tun_config_init(&config);
    config.seed = 9;
    pair_open(&config);
    return 0;
}

static int pair_gone(void **state)
{
    (void)state;
    assert_true(weir_tun_close(tun, NULL));
    tun = NULL;
    if (far_end >= 0)
        (void)close(far_end);
    far_end = -1;
    return 0;
}

static uint16_t sum16(const uint8_t *octets, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (uint32_t)octets[i] << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An ICMP echo request from 10.77.0.1 to 10.77.0.2 of 28 + data octets. */
static size_t echo_request(uint8_t *packet, uint8_t number, size_t data)
{
    static const uint8_t head[28] = {0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2, 8, 0, 0, 0, 0, 1, 0, 0};
    size_t len = sizeof head + data;
    uint16_t sum;

    memcpy(packet, head, sizeof head);
    memset(packet + sizeof head, number, data);
    packet[2] = (uint8_t)(len >> 8);
    packet[3] = (uint8_t)len;
    packet[27] = number;
    sum = sum16(packet, 20);
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    sum = sum16(packet + 20, len - 20);
    packet[22] = (uint8_t)(sum >> 8);
    packet[23] = (uint8_t)sum;
    return len;
}

static void ping(uint8_t number, size_t data)
{
    uint8_t packet[2000];
    size_t len = echo_request(packet, number, data);

    assert_int_equal(send(far_end, packet, len, 0), len);
}

/* The number of the echo reply that came back, -1 if there is none. */
static int pong(void)
{
    uint8_t packet[2000];
    ssize_t len = recv(far_end, packet, sizeof packet, 0);

    if (len < 0)
        return -1;
    assert_true(len >= 28 && packet[20] == 0 && packet[19] == 1);
    assert_int_equal(sum16(packet + 20, (size_t)len - 20), 0);
    return packet[27];
}

static void test_a_ping_is_answered(void **state)
{
    weir_tun_stats stats;

    (void)state;
    assert_int_equal(weir_tun_step(tun, NULL, 0, 0), 0 | WEIR_TUN_UNTIL);
    ping(7, 100);
    assert_true((weir_tun_step(tun, NULL, 0, WEIR_FOREVER) & WEIR_TUN_PACKETS) != 0);
    assert_int_equal(pong(), -1);
    assert_true(weir_tun_flush(tun));
    assert_int_equal(pong(), 7);
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.packets_in, 1);
    assert_int_equal(stats.octets_in, 128);
    assert_int_equal(stats.packets_out, 1);
    assert_int_equal(stats.octets_out, 128);
}

static void test_waiting_ends_in_time(void **state)
{
    weir_us before = weir_tun_now();

    (void)state;
    assert_int_equal(weir_tun_step(tun, NULL, 0, before + 30000), WEIR_TUN_UNTIL);
    assert_in_range(weir_tun_now() - before, 30000, 3000000);
}

static void test_a_turn_is_bounded(void **state)
{
    weir_tun_stats stats;
    int count = 0;

    (void)state;
    for (uint8_t i = 0; i < 150; i++)
        ping(i, 0);
    (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.packets_in, 64);
    for (unsigned turn = 0; turn < 20; turn++) {
        while (!weir_tun_flush(tun))
            continue;
        (void)weir_tun_step(tun, NULL, 0, 0);
    }
    for (int number = pong(), last = -1; number >= 0; number = pong()) {
        assert_true(number > last); /* the stack may answer less than it was asked, but in order */
        last = number;
        count++;
    }
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.packets_in, 150);
    assert_int_equal(stats.packets_out, count);
    assert_true(count > 0);
}

static void test_the_callers_descriptors_wake_it(void **state)
{
    struct pollfd fds[3];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    memset(fds, 0, sizeof fds);
    fds[0].fd = -1;
    fds[1].fd = ends[0];
    fds[1].events = POLLIN;
    fds[2].fd = ends[1];
    assert_int_equal(weir_tun_step(tun, fds, 3, 0), WEIR_TUN_UNTIL);
    assert_int_equal(fds[1].revents, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(weir_tun_step(tun, fds, 3, WEIR_FOREVER), WEIR_TUN_FDS);
    assert_int_equal(fds[1].revents, POLLIN);
    assert_int_equal(fds[0].revents | fds[2].revents, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_signals_arrive_as_bits(void **state)
{
    weir_fault fault;

    (void)state;
    assert_true(weir_tun_signals(tun, &fault));
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(weir_tun_step(tun, NULL, 0, WEIR_FOREVER), WEIR_TUN_DUMP);
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(weir_tun_step(tun, NULL, 0, WEIR_FOREVER), WEIR_TUN_DUMP | WEIR_TUN_QUIT);
    assert_int_equal(weir_tun_step(tun, NULL, 0, 0), WEIR_TUN_UNTIL);
    weir_tun_signals_restore();
}

static void test_the_end_of_the_device_is_told_once(void **state)
{
    weir_fault fault;

    (void)state;
    assert_false(weir_tun_trouble(tun, &fault));
    ping(3, 10);
    (void)close(far_end);
    far_end = -1;
    for (unsigned i = 0; i < 5 && (weir_tun_step(tun, NULL, 0, WEIR_FOREVER) & WEIR_TUN_GONE) == 0; i++)
        continue;
    assert_true((weir_tun_step(tun, NULL, 0, 0) & WEIR_TUN_GONE) != 0);
    (void)weir_tun_flush(tun);
    assert_true(weir_tun_trouble(tun, &fault));
    assert_int_equal(fault.kind, WEIR_FAULT_FAILED);
    assert_non_null(strstr(fault.text, "is gone"));
    assert_false(weir_tun_trouble(tun, &fault));
}

static void test_a_full_device_keeps_its_packet(void **state)
{
    uint8_t filler[500] = {0x60};
    weir_tun_stats stats;
    int replies = 0;

    (void)state;
    while (send(weir_tun_fd(tun), filler, sizeof filler, 0) > 0) /* from our own side: the queue to the far end is full */
        continue;
    ping(1, 400);
    ping(2, 400);
    (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
    assert_false(weir_tun_flush(tun));
    assert_false(weir_tun_flush(tun));
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.packets_out, 0);
    assert_true(stats.write_again >= 1);
    assert_int_equal(weir_tun_step(tun, NULL, 0, weir_tun_now() + 1000), WEIR_TUN_UNTIL); /* it waits, and does not spin */
    while (recv(far_end, filler, sizeof filler, 0) > 0)
        assert_int_equal(filler[0], 0x60);
    assert_int_equal(weir_tun_step(tun, NULL, 0, weir_tun_now() + 2000000), 0); /* room at the device wakes it */
    assert_true(weir_tun_flush(tun));
    for (int number = pong(); number >= 0; number = pong())
        assert_int_equal(number, ++replies); /* both, once, in order */
    assert_int_equal(replies, 2);
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.packets_out, 2);
    assert_int_equal(stats.write_dropped, 0);
}

static void test_a_slow_link_delays_both_ways(void **state)
{
    weir_tun_config config;
    weir_tun_stats stats;
    weir_us before;
    int got = -1;

    (void)state;
    (void)pair_gone(state);
    weir_tun_config_init(&config);
    config.in.delay_us = 20000;
    config.out.delay_us = 10000;
    pair_open(&config);
    before = weir_tun_now();
    ping(5, 8);
    for (unsigned i = 0; i < 100 && got < 0; i++) {
        (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
        (void)weir_tun_flush(tun);
        got = pong();
    }
    assert_int_equal(got, 5);
    assert_in_range(weir_tun_now() - before, 30000, 3000000);
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.in.popped, 1);
    assert_int_equal(stats.out.popped, 1);
    assert_true(stats.polls < 20); /* it slept */
}

static void test_a_lost_packet_is_lost(void **state)
{
    weir_link_config bad, good;
    weir_tun_stats stats;
    weir_fault fault;

    (void)state;
    weir_link_config_init(&bad);
    weir_link_config_init(&good);
    bad.loss_ppm = 1000000;
    assert_true(weir_tun_impair(tun, &good, &bad, &fault));
    ping(1, 8);
    (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
    assert_true(weir_tun_flush(tun));
    assert_int_equal(pong(), -1);
    assert_true(weir_tun_impair(tun, &good, &good, &fault));
    ping(2, 8);
    (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
    assert_true(weir_tun_flush(tun));
    assert_int_equal(pong(), 2);
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.out.lost, 1);
    bad.loss_ppm = 1000001;
    assert_false(weir_tun_impair(tun, &bad, &bad, &fault));
    assert_int_equal(fault.kind, WEIR_FAULT_USAGE);
}

static void test_a_capture_holds_both_directions(void **state)
{
    static uint8_t octets[4096];
    char path[] = "/tmp/test_loop.XXXXXX";
    int fd = mkstemp(path);
    weir_tun_config config;
    weir_tun_stats stats;
    ssize_t len;

    (void)state;
    assert_true(fd >= 0);
    (void)pair_gone(state);
    weir_tun_config_init(&config);
    config.pcapng = path;
    pair_open(&config);
    ping(5, 8);
    (void)weir_tun_step(tun, NULL, 0, WEIR_FOREVER);
    assert_true(weir_tun_flush(tun));
    weir_tun_get_stats(tun, &stats);
    assert_int_equal(stats.captured, 2);
    assert_int_equal(pong(), 5);
    assert_true(weir_tun_close(tun, NULL));
    len = read(fd, octets, sizeof octets);
    assert_true(len > 0 && (size_t)len < sizeof octets);
    assert_non_null(memmem(octets, (size_t)len, "\x45\x00\x00\x24", 4)); /* a packet of 36 octets */
    assert_int_equal(unlink(path), 0);
    (void)close(fd);
    (void)close(far_end);
    assert_int_equal(pair_made(state), 0);
}

static void test_a_seed_gives_the_same_secret(void **state)
{
    weir_stack_config first, second;

    (void)state;
    assert_true(weir_tun_seed(tun) == 9);
    weir_tun_stack_config(tun, &first);
    weir_tun_stack_config(tun, &second);
    assert_memory_equal(first.tcp.secret, second.tcp.secret, 16);
    assert_int_equal(first.addr_count, 2);
    assert_int_equal(first.prefix_len[0], 24);
    assert_int_equal(first.tcp.mtu, 1500);
    (void)pair_gone(state);
    {
        weir_tun_config config;
        weir_tun_config_init(&config);
        pair_open(&config);
    }
    weir_tun_stack_config(tun, &first);
    weir_tun_stack_config(tun, &second);
    assert_memory_not_equal(first.tcp.secret, second.tcp.secret, 16); /* without a seed it is fresh each time */
    assert_true(weir_tun_seed(tun) != 0);
}

/* ---- refusals ---- */

static void refused(const weir_tun_config *config, const char *says)
{
    weir_fault fault;

    memset(&fault, 0, sizeof fault);
    assert_null(weir_tun_open(config, &fault));
    assert_int_equal(fault.kind, WEIR_FAULT_USAGE);
    if (strstr(fault.text, says) == NULL)
        fail_msg("'%s' does not say '%s'", fault.text, says);
    assert_null(strchr(fault.text, '\n'));
    assert_null(weir_tun_open(config, NULL));
}

static void test_bad_requests_are_refused(void **state)
{
    weir_tun_config good, bad;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    weir_tun_config_init(&good);
    good.fd = ends[0];
    refused(&good, "boundaries");
    assert_true(fcntl(ends[0], F_GETFD) >= 0); /* it is still the caller's */
    bad = good;
    bad.fd = 999;
    refused(&bad, "descriptor 999");
    bad = good;
    bad.mtu = 67;
    refused(&bad, "MTU of 67");
    bad = good;
    bad.mtu = 1279;
    refused(&bad, "IPv6");
    bad = good;
    bad.unshare = true;
    refused(&bad, "namespace");
    bad = good;
    bad.addr4.len = bad.addr6.len = 0;
    refused(&bad, "no address");
    bad = good;
    bad.addr4 = good.addr6;
    refused(&bad, "no IPv4 address");
    bad = good;
    bad.peer6 = weir_addr_v4(10, 77, 0, 1);
    refused(&bad, "different families");
    bad = good;
    bad.peer4 = good.addr4.addr;
    refused(&bad, "the same");
    bad = good;
    bad.route_count = WEIR_TUN_ROUTES_MAX + 1;
    refused(&bad, "routes");
    bad = good;
    bad.in.rate_bps = UINT64_MAX;
    refused(&bad, "out of range");
    bad = good;
    bad.fd = -1;
    bad.name = "far/too/long/a/name";
    refused(&bad, "no name for an interface");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void test_the_peer_is_the_other_end(void **state)
{
    static const struct {
        const char *own, *peer;
    } rows[] = {
        {"10.77.0.2/24", "10.77.0.1"}, {"10.77.0.1/24", "10.77.0.2"}, {"10.77.3.9/16", "10.77.0.1"}, {"192.0.2.6/31", "192.0.2.7"},
        {"192.0.2.7/32", "192.0.2.6"}, {"fd77::2/64", "fd77::1"}, {"fd77::1/64", "fd77::2"}, {"fd77::5/127", "fd77::4"},
        {"fd77:0:0:1:2:3:4:5/60", "fd77::1"},
    };
    char text[WEIR_ADDR_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_tun_config config;
        weir_prefix own;
        weir_addr peer;
        assert_null(weir_parse_prefix(rows[i].own, &own));
        weir_tun_config_init(&config);
        if (weir_addr_is_v4(&own.addr))
            config.addr4 = own;
        else
            config.addr6 = own;
        (void)pair_gone(state);
        pair_open(&config);
        peer = weir_addr_is_v4(&own.addr) ? weir_tun_peer4(tun) : weir_tun_peer6(tun);
        assert_string_equal(weir_format_addr(text, &peer), rows[i].peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_ping_is_answered, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_waiting_ends_in_time, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_turn_is_bounded, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_the_callers_descriptors_wake_it, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_signals_arrive_as_bits, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_the_end_of_the_device_is_told_once, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_full_device_keeps_its_packet, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_slow_link_delays_both_ways, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_lost_packet_is_lost, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_capture_holds_both_directions, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_a_seed_gives_the_same_secret, pair_made, pair_gone),
        cmocka_unit_test_setup_teardown(test_the_peer_is_the_other_end, pair_made, pair_gone),
        cmocka_unit_test(test_bad_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
