/* test_target_exec.c - both ends of the line protocol: every call there and back, and every way in which a program can be wrong,
 * slow or gone. Started with an argument, this program is itself an adapter for a stack that is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "serve.h"

static const char *self;
static const struct target_world world = {.local = {192, 168, 0, 1}, .remote = {192, 0, 2, 1}, .listen_port = 8080, .remote_port = 4242};

/* ---- a stack that remembers what it was asked, in globals as careless stacks do ---- */

static struct {
    int resets, packets;
    int64_t now;
} made_up;

static bool fake_reset(struct target *t, const struct target_world *w)
{
    (void)t;
    made_up.resets++;
    return w->local[0] == 192 && w->remote[3] == 1 && w->listen_port == 8080 && w->remote_port == 4242 && !w->v6;
}

static answer fake_set(struct target *t, const char *name, const char *value)
{
    (void)t;
    if (strcmp(name, "mtu") == 0)
        return strcmp(value, "1500") == 0 ? 0 : ANSWER_ERRNO(EINVAL);
    return ANSWER_UNIMPLEMENTED;
}

static answer fake_socket(struct target *t)
{
    (void)t;
    return made_up.resets; /* 1, unless the process lived on */
}

static answer fake_listen(struct target *t, int s, uint16_t port, int backlog)
{
    (void)t;
    return s == 0 && port == 8080 && backlog == -5 ? 0 : ANSWER_ERRNO(EIO);
}

static answer fake_connect(struct target *t, int s, uint16_t port)
{
    (void)t;
    return ANSWER_ERRNO(s == 0 && port == 65535 ? EINPROGRESS : EIO);
}

static answer fake_accept(struct target *t, int s)
{
    (void)t;
    return s == 1 ? 7 : ANSWER_ERRNO(EAGAIN);
}

static answer fake_send(struct target *t, int s, const uint8_t *octets, size_t len, int flags)
{
    (void)t;
    (void)s;
    for (size_t i = 0; i < len; i++)
        if (octets[i] != (uint8_t)(i * 7))
            return ANSWER_ERRNO(EIO);
    return flags == MSG_MORE ? (answer)len : (answer)len - 1;
}

static answer fake_recv(struct target *t, int s, uint8_t *octets, size_t cap, int flags)
{
    (void)t;
    if (s == 9)
        return 0;
    for (size_t i = 0; i < cap && i < 300; i++)
        octets[i] = (uint8_t)i;
    return flags == (MSG_PEEK | MSG_DONTWAIT) ? (answer)(cap < 300 ? cap : 300) : ANSWER_ERRNO(ECONNRESET);
}

static answer fake_shutdown(struct target *t, int s, int how)
{
    (void)t;
    return how == SHUT_WR && s == 3 ? 0 : ANSWER_ERRNO(ENOTCONN);
}

static answer fake_close(struct target *t, int s)
{
    (void)t;
    if (s == 13) {
        (void)fprintf(stderr, "the stack\nis broken\n");
        abort();
    }
    return ANSWER_ERRNO(EBADF);
}

static answer fake_abort(struct target *t, int s)
{
    (void)t;
    return s == 13 ? ANSWER_DEAD : 0;
}

static answer fake_option(struct target *t, int s, const char *name, int64_t value)
{
    (void)t;
    return s == 2 && strcmp(name, "nodelay") == 0 && value == -5000000000ll ? 0 : ANSWER_UNIMPLEMENTED;
}

static answer fake_ready(struct target *t, int s)
{
    (void)t;
    return s == 0 ? 0 : POLLIN | POLLOUT | POLLRDHUP | POLLHUP;
}

static answer fake_error(struct target *t, int s)
{
    (void)t;
    return s == 0 ? 0 : ETIMEDOUT;
}

static answer fake_queued(struct target *t, int s, bool sent)
{
    (void)t;
    (void)s;
    return sent ? 5000000000ll : 3;
}

static answer fake_info(struct target *t, int s, struct target_info *info)
{
    (void)t;
    info->state = s == 0 ? "FIN-WAIT-2" : NULL;
    info->snd_cwnd = 10;
    info->bytes_received = 0;
    return 0;
}

static answer fake_call(struct target *t, int s, const char *name, const char *word)
{
    (void)t;
    if (strcmp(name, "urgent") == 0)
        return s;
    return strcmp(name, "hold") == 0 && word != NULL && strcmp(word, "x") == 0 ? 1 : ANSWER_UNIMPLEMENTED;
}

static answer fake_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    (void)t;
    made_up.packets = len == 3 && octets[2] == 0xab ? 2 : 0;
    return 0;
}

static answer fake_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    (void)t;
    if (made_up.packets == 0)
        return 0;
    made_up.packets--;
    *when = made_up.now;
    memset(octets, 0x40 + made_up.packets, 4);
    return cap < 4 ? 0 : 4;
}

static int64_t fake_now(struct target *t)
{
    (void)t;
    return made_up.now;
}

static answer fake_advance(struct target *t, int64_t until)
{
    (void)t;
    made_up.now = until < 5000 ? until : 5000;
    made_up.packets = 1;
    return 0;
}

static void fake_trace(struct target *t, struct target_trace *trace)
{
    (void)t;
    *trace = (struct target_trace){.state = "CLOSING", .count = 2, .fired = {{"A6", "FIN-WAIT-1"}, {"T1", NULL}}};
}

static const char *fake_why(struct target *t)
{
    (void)t;
    return "it fell apart";
}

static bool fake_has(struct target *t, const char *need)
{
    (void)t;
    return strcmp(need, "sack") == 0 || strcmp(need, "time-wait") == 0;
}

static void fake_free(struct target *t)
{
    (void)t;
}

static const struct target_ops fake_ops = {
    .name = "fake", .reset = fake_reset, .set = fake_set, .socket = fake_socket, .listen = fake_listen, .connect = fake_connect,
    .accept = fake_accept, .send = fake_send, .recv = fake_recv, .shutdown = fake_shutdown, .close = fake_close, .abort = fake_abort,
    .option = fake_option, .ready = fake_ready, .error = fake_error, .queued = fake_queued, .info = fake_info, .call = fake_call,
    .packet_in = fake_packet_in, .packet_out = fake_packet_out, .now = fake_now, .advance = fake_advance, .trace = fake_trace,
    .why = fake_why, .has = fake_has, .free = fake_free,
};
static struct target fake = {&fake_ops};

static struct target *fake_new(char *why, size_t cap)
{
    (void)why;
    (void)cap;
    return &fake;
}

/* ---- the tests ---- */

static struct target *start(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
static struct target *start(const char *format, ...)
{
    char command[1000], why[2000] = "";
    struct target *t;
    va_list list;

    va_start(list, format);
    (void)vsnprintf(command, sizeof command, format, list);
    va_end(list);
    t = target_exec_new(command, why, sizeof why);
    if (t == NULL)
        fail_msg("%s", why);
    return t;
}

static void test_calls(void **state)
{
    struct target *t = start("exec %s --adapter", self);
    const struct target_ops *o = t->ops;
    uint8_t octets[400];

    (void)state;
    assert_true(o->has(t, "sack"));
    assert_true(o->has(t, "time-wait"));
    assert_false(o->has(t, "time"));
    assert_false(o->has(t, "ecn"));
    assert_true(o->reset(t, &world));
    assert_int_equal(o->set(t, "mtu", "1500"), 0);
    assert_int_equal(o->set(t, "mtu", "x"), ANSWER_ERRNO(EINVAL));
    assert_int_equal(o->set(t, "mtu", "1500\nquit"), ANSWER_ERRNO(EINVAL));
    assert_true(o->set(t, "iss", "1") == ANSWER_UNIMPLEMENTED);
    assert_int_equal(o->listen(t, 0, 8080, -5), 0);
    assert_int_equal(o->connect(t, 0, 65535), ANSWER_ERRNO(EINPROGRESS));
    assert_int_equal(o->accept(t, 1), 7);
    assert_int_equal(o->accept(t, 0), ANSWER_ERRNO(EAGAIN));
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 7);
    assert_int_equal(o->send(t, 0, octets, 300, MSG_MORE), 300);
    assert_int_equal(o->send(t, 0, octets, 0, MSG_MORE), 0);
    assert_true(o->send(t, 0, octets, 1, 0x4000000) == ANSWER_UNIMPLEMENTED);
    assert_int_equal(o->recv(t, 0, octets, 200, MSG_PEEK | MSG_DONTWAIT), 200);
    assert_int_equal(octets[199], 199);
    assert_int_equal(o->recv(t, 0, octets, 200, 0), ANSWER_ERRNO(ECONNRESET));
    assert_int_equal(o->recv(t, 9, octets, 200, 0), 0);
    assert_int_equal(o->shutdown(t, 3, SHUT_WR), 0);
    assert_int_equal(o->shutdown(t, 3, SHUT_RD), ANSWER_ERRNO(ENOTCONN));
    assert_int_equal(o->close(t, 0), ANSWER_ERRNO(EBADF));
    assert_int_equal(o->abort(t, 0), 0);
    assert_int_equal(o->option(t, 2, "nodelay", -5000000000ll), 0);
    assert_true(o->option(t, 2, "nodelay", 1) == ANSWER_UNIMPLEMENTED);
    o->free(t);
}

static void test_facts(void **state)
{
    struct target *t = start("exec %s --adapter", self);
    const struct target_ops *o = t->ops;
    struct target_info info;
    struct target_trace trace, again;

    (void)state;
    assert_true(o->reset(t, &world));
    assert_int_equal(o->ready(t, 0), 0);
    assert_int_equal(o->ready(t, 1), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
    assert_int_equal(o->error(t, 0), 0);
    assert_int_equal(o->error(t, 1), ETIMEDOUT);
    assert_true(o->queued(t, 0, true) == 5000000000ll);
    assert_int_equal(o->queued(t, 0, false), 3);
    assert_int_equal(o->info(t, 0, &info), 0);
    assert_string_equal(info.state, "FIN-WAIT-2");
    assert_int_equal(info.snd_cwnd, 10);
    assert_int_equal(info.bytes_received, 0);
    assert_int_equal(info.rto, -1);
    assert_int_equal(o->info(t, 1, &info), 0);
    assert_null(info.state);
    assert_int_equal(o->call(t, 4, "urgent", NULL), 4);
    assert_int_equal(o->call(t, 4, "hold", "x"), 1);
    assert_true(o->call(t, 4, "hold", "x y") == ANSWER_UNIMPLEMENTED);
    o->trace(t, &trace);
    assert_string_equal(trace.state, "CLOSING");
    assert_string_equal(trace.text, "A6 T1");
    assert_int_equal(trace.count, 2);
    assert_string_equal(trace.fired[0].row, "A6");
    assert_string_equal(trace.fired[0].state, "FIN-WAIT-1");
    assert_null(trace.fired[1].state);
    o->trace(t, &again);
    assert_ptr_equal(trace.fired[1].row, again.fired[1].row); /* a name is one pointer for good */
    assert_ptr_not_equal(trace.fired[0].row, trace.fired[1].row);
    o->free(t);
}

static void test_packets_and_time(void **state)
{
    struct target *t = start("exec %s --adapter", self);
    const struct target_ops *o = t->ops;
    uint8_t packet[TARGET_PACKET_MAX] = {1, 2, 0xab};
    int64_t when = -1;

    (void)state;
    assert_true(o->reset(t, &world));
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 0);
    assert_int_equal(o->packet_in(t, packet, 3), 0);
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 4);
    assert_int_equal(packet[3], 0x41);
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 4);
    assert_int_equal(packet[3], 0x40);
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 0);
    assert_int_equal(o->advance(t, 4000), 0);
    assert_int_equal(o->now(t), 4000);
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 4);
    assert_int_equal(when, 4000);
    assert_int_equal(o->advance(t, 1000000), 0);
    assert_int_equal(o->now(t), 5000);
    assert_true(o->reset(t, &world)); /* what came and was not asked for belongs to the past */
    assert_int_equal(o->packet_out(t, packet, sizeof packet, &when), 0);
    assert_int_equal(o->now(t), 0);
    o->free(t);
}

/* State in globals: a new process at each reset wipes it; without that it stays. */
static void test_fresh_process(void **state)
{
    struct target *t = start("exec %s --adapter-forked", self);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(t->ops->reset(t, &world));
        assert_int_equal(t->ops->socket(t), 1);
    }
    t->ops->free(t);
    t = start("exec %s --adapter", self);
    assert_true(t->ops->reset(t, &world));
    assert_true(t->ops->reset(t, &world));
    assert_int_equal(t->ops->socket(t), 2);
    t->ops->free(t);
}

/* It dies: the verdict says on what, how, and its last words; the next reset starts it again. */
static void test_death(void **state)
{
    static const char *const kinds[] = {"--adapter", "--adapter-forked"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct target *t = start("exec %s %s", self, kinds[i]);
        uint8_t packet[100];
        int64_t when;

        assert_true(t->ops->reset(t, &world));
        assert_true(t->ops->close(t, 13) == ANSWER_DEAD);
        assert_string_equal(t->ops->why(t), "the adapter died, asked 'close 13'; killed by signal 6 (Aborted); its last words: "
                                            "the stack | is broken");
        assert_true(t->ops->socket(t) == ANSWER_DEAD); /* and stays so */
        assert_true(t->ops->packet_out(t, packet, sizeof packet, &when) == ANSWER_DEAD);
        assert_true(t->ops->reset(t, &world));
        assert_int_equal(t->ops->socket(t), 1);
        assert_true(t->ops->abort(t, 13) == ANSWER_DEAD);
        assert_string_equal(t->ops->why(t), "the adapter died, asked 'abort 13'; exit status 1; its last words: it fell apart");
        assert_true(t->ops->reset(t, &world));
        t->ops->free(t);
    }
}

static void test_cannot_start(void **state)
{
    static const struct { const char *command, *why; } rows[] = {
        {"/no/such/adapter", "the adapter died, asked 'hello 1'; exit status 127; its last words: sh: 1: /no/such/adapter: not found"},
        {"exit 3", "the adapter died, asked 'hello 1'; exit status 3"},
        {"echo usage: give a file >&2; exit 2", "the adapter died, asked 'hello 1'; exit status 2; its last words: usage: give a file"},
        {"kill -9 $$", "the adapter died, asked 'hello 1'; killed by signal 9 (Killed)"},
        {"echo ok 2; cat", "the adapter broke the protocol: it answered 'ok 2', expected 'ok 1 name=... clock=virtual "
                           "features=a,b,c', asked 'hello 1'"},
        {"echo unimplemented; cat", "the adapter broke the protocol: it answered 'unimplemented', expected 'ok 1 name=... "
                                    "clock=virtual features=a,b,c', asked 'hello 1'"},
        {"echo ok 1 virtual; cat", "the adapter broke the protocol: it answered 'ok 1 virtual', expected words 'name=...', "
                                   "'clock=...', 'features=a,b,c' in the answer, asked 'hello 1'"},
        {"printf '\\033[31mBoo\\n'; cat", "the adapter broke the protocol: it answered '?[31mBoo', expected 'ok ...', 'error NAME' "
                                         "or 'unimplemented', and 'out TIME HEX' before it, asked 'hello 1'"},
    };
    char why[2000];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(target_exec_new(rows[i].command, why, sizeof why));
        if (strcmp(why, rows[i].why) != 0)
            fail_msg("%s:\n  %s\n  expected\n  %s", rows[i].command, why, rows[i].why);
    }
}

/* A program that says a good hello and a good reset, then `said` whatever it is asked. */
static struct target *start_saying(const char *said)
{
    struct target *t = start("read l; echo 'ok 1 name=x clock=virtual features='; read l; echo ok; "
                             "while read l; do printf '%s\\n'; done", said);

    assert_true(t->ops->reset(t, &world));
    return t;
}

static answer ask_socket(struct target *t)
{
    return t->ops->socket(t);
}

static answer ask_packet(struct target *t)
{
    return t->ops->packet_in(t, (const uint8_t *)"abcd", 4);
}

static answer ask_recv(struct target *t)
{
    uint8_t octets[4];

    return t->ops->recv(t, 0, octets, sizeof octets, 0);
}

static answer ask_ready(struct target *t)
{
    return t->ops->ready(t, 0);
}

static answer ask_error(struct target *t)
{
    return t->ops->error(t, 0);
}

static answer ask_info(struct target *t)
{
    struct target_info info;

    return t->ops->info(t, 0, &info);
}

static answer ask_advance(struct target *t)
{
    return t->ops->advance(t, 1000);
}

static void test_violations(void **state)
{
    static const struct {
        answer (*ask)(struct target *t);
        const char *said, *why; /* the beginning after "broke the protocol: it answered '...', " */
    } rows[] = {
        {ask_socket, "okay", "expected 'ok ...', 'error NAME' or"}, {ask_socket, "", "expected 'ok ...', 'error NAME' or"},
        {ask_socket, "ok", "expected 'ok' and a number"},           {ask_socket, "ok three", "expected 'ok' and a number"},
        {ask_socket, "ok -1", "expected 'ok' and a number"},        {ask_socket, "ok 99999999999999999999", "expected 'ok' and a number"},
        {ask_socket, "error", "expected 'ok ...', 'error NAME' or"}, {ask_socket, "error EWHAT", "expected 'error' and the name of"},
        {ask_socket, "error 5", "expected 'error' and the name of"}, {ask_socket, "OK 1", "expected 'ok ...', 'error NAME' or"},
        {ask_packet, "out 0 4", "expected 'out MICROSECONDS HEX'"}, {ask_packet, "out x 45", "expected 'out MICROSECONDS HEX'"},
        {ask_packet, "out 5", "expected 'out MICROSECONDS HEX'"},   {ask_packet, "out 0 45g0", "expected pairs of hexadecimal"},
        {ask_packet, "out -1 45", "expected 'out MICROSECONDS HEX'"},
        {ask_recv, "ok", "expected 'ok HEX'"},                      {ask_recv, "ok 0011223344", "expected 'ok HEX'"},
        {ask_recv, "ok 0x00", "expected 'ok HEX'"},                 {ask_ready, "ok in,both", "expected 'ok' and some of in,out"},
        {ask_ready, "ok", "expected 'ok' and some of in,out"},      {ask_error, "ok 104", "expected 'ok' and the name of an errno"},
        {ask_info, "ok DEAD", "expected a state"},                  {ask_info, "ok", "expected a state"},
        {ask_info, "ok CLOSED rto", "expected 'name=number'"},      {ask_info, "ok CLOSED rto=x", "expected 'name=number'"},
        {ask_advance, "ok 1001", "expected 'ok TIME', not before"}, {ask_advance, "ok", "expected 'ok' and a number"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct target *t = start_saying(rows[i].said);
        char why[200];

        assert_true(rows[i].ask(t) == ANSWER_DEAD);
        (void)snprintf(why, sizeof why, "the adapter broke the protocol: it answered '%s', %s", rows[i].said, rows[i].why);
        if (strncmp(t->ops->why(t), why, strlen(why)) != 0)
            fail_msg("'%s':\n  %s\n  expected\n  %s", rows[i].said, t->ops->why(t), why);
        t->ops->free(t);
    }
}

/* What is odd and allowed. */
static void test_tolerated(void **state)
{
    struct target *t = start_saying("ok CLOSED colour=3\r");

    (void)state;
    assert_int_equal(ask_info(t), 0);
    t->ops->free(t);
    t = start_saying("out 7 4500\nok");
    assert_int_equal(ask_packet(t), 0);
    t->ops->free(t);
    t = start_saying("ok 0 and more");
    assert_int_equal(ask_socket(t), 0);
    t->ops->free(t);
}

static int64_t seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Slow, silent, deaf, or without an end: never longer than the limit. */
static void test_limits(void **state)
{
    static const char hello[] = "read l; echo 'ok 1 name=x'; read l; echo ok";
    struct target *t = start("%s; sleep 100", hello);
    uint8_t *octets = calloc(1, 4000000);
    int64_t from = seconds();

    (void)state;
    target_exec_limit(t, 200);
    assert_true(t->ops->reset(t, &world));
    assert_true(ask_socket(t) == ANSWER_DEAD);
    assert_string_equal(t->ops->why(t), "the adapter gave no answer within 0.200 s, asked 'socket'");
    assert_true(t->ops->reset(t, &world));
    assert_true(t->ops->send(t, 0, octets, 4000000, 0) == ANSWER_DEAD);
    assert_non_null(strstr(t->ops->why(t), "gave no answer within 0.200 s, asked 'send 0 - 0000"));
    assert_non_null(strstr(t->ops->why(t), "0...'"));
    t->ops->free(t);
    t = start("%s; tr '\\0' x < /dev/zero", hello);
    target_exec_limit(t, 60000);
    assert_true(t->ops->reset(t, &world));
    assert_true(ask_socket(t) == ANSWER_DEAD);
    assert_non_null(strstr(t->ops->why(t), "wrote a line without an end"));
    t->ops->free(t);
    t = start("%s; yes out 1 45", hello);
    target_exec_limit(t, 60000);
    assert_true(t->ops->reset(t, &world));
    assert_true(ask_socket(t) == ANSWER_DEAD);
    assert_non_null(strstr(t->ops->why(t), "it sent more than 100000 packets instead"));
    t->ops->free(t);
    t = start("%s; while read l; do head -c 300000 /dev/zero | tr '\\0' e >&2; echo ok 4; done", hello); /* talks a lot */
    assert_true(t->ops->reset(t, &world));
    assert_int_equal(ask_socket(t), 4);
    t->ops->free(t);
    free(octets);
    assert_true(seconds() - from < 60);
}

/* The line of others: "segment", "function". */
static void test_other_lines(void **state)
{
    struct target *t = start("read l; echo 'ok 1 name=x'; while read l; do echo ok \"$l\"; done");
    char reply[20];

    (void)state;
    assert_int_equal(target_exec_ask(t, "function seq_lt 1", reply, sizeof reply), 0);
    assert_string_equal(reply, "function seq_lt 1");
    assert_true(target_exec_ask(t, "function seq_lt 1 22", reply, sizeof reply) == ANSWER_DEAD);
    assert_int_equal(target_exec_ask(t, "x", reply, sizeof reply), 0); /* started again */
    assert_true(target_exec_ask(&fake, "x", reply, sizeof reply) == ANSWER_UNIMPLEMENTED);
    t->ops->free(t);
}

/* Many commands at once, bad ones, and a reset in their middle: the answering end by itself. */
static void test_serve_by_hand(void **state)
{
    static const char *const kinds[] = {"--adapter", "--adapter-forked"};
    char command[600], said[600];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        FILE *pipe;
        size_t len;

        (void)snprintf(command, sizeof command,
                       "printf 'socket\\nreset 192.168.0.1 192.0.2.1 8080 4242\\nsocket\\r\\n\\nfly\\nlisten 0\\n"
                       "set mtu\\nlisten 0 70000 1\\n"
                       "recv 0 x 1\\nreset 192.168.0.1 192.0.2.1 8080 4242\\r\\nnow\\nquit\\nnow\\n' | %s %s", self, kinds[i]);
        pipe = popen(command, "r");
        assert_non_null(pipe);
        len = fread(said, 1, sizeof said - 1, pipe);
        said[len] = '\0';
        assert_int_equal(pclose(pipe), 0);
        assert_string_equal(said, "error EINVAL\nok\nok 1\nunimplemented\nunimplemented\nerror EINVAL\nerror EINVAL\nerror EINVAL\n"
                                  "error EINVAL\nok\nok 0\nok\n");
    }
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),         cmocka_unit_test(test_facts),        cmocka_unit_test(test_packets_and_time),
        cmocka_unit_test(test_fresh_process), cmocka_unit_test(test_death),        cmocka_unit_test(test_cannot_start),
        cmocka_unit_test(test_violations),    cmocka_unit_test(test_tolerated),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_other_lines),   cmocka_unit_test(test_serve_by_hand),
    };

    if (argc > 1 && strcmp(argv[1], "--adapter") == 0)
        return serve(&fake, 0, 1);
    if (argc > 1 && strcmp(argv[1], "--adapter-forked") == 0)
        return serve_forked(fake_new, 0, 1);
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
