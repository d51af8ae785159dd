/* test_target_weir.c - the two targets inside the runner, by their own functions: what no script can ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "target.h"
#include "weir/weir.h"

static const struct target_world world = {.local = {192, 168, 0, 1}, .remote = {192, 0, 2, 1}, .listen_port = 8080, .remote_port = 40000};

static struct target *make(bool connection)
{
    char why[200];
    struct target *t = connection ? target_conn_new(why, sizeof why) : target_weir_new(why, sizeof why);
    assert_non_null(t);
    assert_true(t->ops->reset(t, &world));
    return t;
}

/* The SYN of an active open. */
static size_t syn_of(struct target *t, uint8_t *octets, size_t cap)
{
    int64_t when = -1;
    const answer socket = t->ops->socket(t);
    assert_int_equal(t->ops->connect(t, (int)socket, 80), ANSWER_ERRNO(EINPROGRESS));
    const answer len = t->ops->packet_out(t, octets, cap, &when);
    assert_true(len > 40);
    assert_int_equal(when, t->ops->now(t));
    return (size_t)len;
}

/* After a reset the same calls give the same octets, whatever was before. */
static void test_reset(void **state)
{
    (void)state;
    for (int connection = 0; connection < 2; connection++) {
        struct target *t = make(connection);
        uint8_t first[2000], second[2000];
        const size_t len = syn_of(t, first, sizeof first);
        assert_int_equal(t->ops->advance(t, 5000000), 0);
        assert_true(t->ops->now(t) > 0);
        assert_true(t->ops->reset(t, &world));
        assert_int_equal(t->ops->now(t), 0);
        assert_int_equal(syn_of(t, second, sizeof second), len);
        assert_memory_equal(first, second, len);
        t->ops->free(t);
    }
}

static void test_settings(void **state)
{
    static const struct { const char *name, *value; answer wanted; } rows[] = {
        {"mtu", "1400", 0}, {"mtu", "20", ANSWER_ERRNO(EINVAL)}, {"mtu", "70000", ANSWER_ERRNO(EINVAL)}, {"mtu", "many", ANSWER_ERRNO(EINVAL)},
        {"mtu", "-1", ANSWER_ERRNO(EINVAL)}, {"mtu", "1400s", ANSWER_ERRNO(EINVAL)}, {"timestamps", "2", ANSWER_ERRNO(EINVAL)},
        {"ack-delay", "40ms", 0}, {"ack-delay", "100000", 0}, {"ack-delay", "1s", ANSWER_ERRNO(EINVAL)},
        {"ack-delay", "99999999999999999999s", ANSWER_ERRNO(EINVAL)}, {"r2", "never", 0}, {"receive-buffer", "3000", 0},
        {"receive-buffer", "2147483648", ANSWER_ERRNO(EINVAL)}, {"congestion", "reno", 0}, {"congestion", "vegas", ANSWER_UNIMPLEMENTED},
        {"initial-window", "10", 0}, {"initial-window", "7", ANSWER_UNIMPLEMENTED}, {"ecn", "0", 0}, {"colour", "1", ANSWER_UNIMPLEMENTED}};
    (void)state;
    for (int connection = 0; connection < 2; connection++) {
        struct target *t = make(connection);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            assert_true(t->ops->set(t, rows[i].name, rows[i].value) == rows[i].wanted);
        }
        uint8_t octets[2000];
        (void)syn_of(t, octets, sizeof octets);
        assert_true(t->ops->set(t, "ttl", "3") == ANSWER_UNIMPLEMENTED); /* it is built by now */
        t->ops->free(t);
    }
}

/* A socket that was never made, or is gone. */
static void test_nobody(void **state)
{
    (void)state;
    for (int connection = 0; connection < 2; connection++) {
        struct target *t = make(connection);
        struct target_info info;
        uint8_t octets[10];
        for (int socket = -1; socket <= 66; socket += 67) {
            assert_int_equal(t->ops->listen(t, socket, 80, 1), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->connect(t, socket, 80), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->accept(t, socket), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->send(t, socket, octets, 1, 0), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->recv(t, socket, octets, 1, 0), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->shutdown(t, socket, 1), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->close(t, socket), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->abort(t, socket), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->option(t, socket, "nodelay", 1), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->ready(t, socket), POLLNVAL);
            assert_int_equal(t->ops->error(t, socket), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->queued(t, socket, true), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->info(t, socket, &info), ANSWER_ERRNO(EBADF));
            assert_int_equal(t->ops->call(t, socket, "urgent", NULL), ANSWER_ERRNO(EBADF));
        }
        t->ops->free(t);
    }
}

/* Rows are told with the states they fired in, once; and counted for ever. */
static void test_rows(void **state)
{
    struct target *t = make(true);
    struct target_trace trace;
    (void)state;
    target_weir_rows_clear();
    const answer socket = t->ops->socket(t);
    assert_int_equal(t->ops->listen(t, (int)socket, 8080, 1), 0);
    assert_int_equal(t->ops->listen(t, (int)socket, 8080, 1), ANSWER_ERRNO(EISCONN));
    t->ops->trace(t, &trace);
    assert_string_equal(trace.text, "OP1 OP2");
    assert_int_equal(trace.count, 2);
    assert_string_equal(trace.fired[0].state, "CLOSED");
    assert_string_equal(trace.fired[1].state, "LISTEN");
    assert_string_equal(trace.state, "LISTEN");
    t->ops->trace(t, &trace);
    assert_int_equal(trace.count, 0);
    int fired = 0;
    for (unsigned row = 0; row < weir_row_count(); row++) {
        fired += target_weir_row_fired(row);
    }
    assert_int_equal(fired, 2);
    t->ops->free(t);
}

/* Whatever comes from the wire, no invariant breaks: octets that are no packet, and pieces of one. */
static void test_noise(void **state)
{
    (void)state;
    for (int connection = 0; connection < 2; connection++) {
        struct target *t = make(connection);
        uint8_t syn[2000];
        int64_t when;
        const size_t len = syn_of(t, syn, sizeof syn);
        for (size_t cut = 0; cut <= len; cut++) {
            assert_int_equal(t->ops->packet_in(t, syn, cut), 0);
        }
        for (size_t at = 0; at < len; at++) {
            syn[at] ^= 0x55;
            assert_int_equal(t->ops->packet_in(t, syn, len), 0);
            syn[at] ^= 0x55;
        }
        assert_true(t->ops->packet_out(t, syn, sizeof syn, &when) == 0);
        t->ops->free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reset), cmocka_unit_test(test_settings), cmocka_unit_test(test_nobody),
                                       cmocka_unit_test(test_rows), cmocka_unit_test(test_noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
