/* test_scenario.c - scripts against weir, each with the verdict it must get: what passes, and every way in which it can fail.
 *
 * For each thing that the engine judges there is a script that is right and one that differs from it in that thing alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define HEAD "// id: test/one\n// title: t\n// level: MUST\n// section: RFC 9293 3.5\n"
#define LISTEN "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
#define SYN "+0 < S 0:0(0) win 65535 <mss 1460>\n"
#define OPEN LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n"
#define CONNECT                                                                                                     \
    "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"                       \
    "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
#define PLAIN "// settings: timestamps=0 sack=0 window-scale=0\n"

/* A script, what it runs on, and what must come of it. */
struct row {
    const char *name, *text;
    bool connection;
    enum outcome_verdict strict, semantic;
    const char *reason; /* a part of it; "" for a strict pass */
};
#define PASS OUTCOME_PASS, OUTCOME_PASS, ""
#define FAIL(reason) OUTCOME_FAIL, OUTCOME_FAIL, reason
#define TASTE(reason) OUTCOME_FAIL, OUTCOME_PASS, reason
#define REFUSED(reason) OUTCOME_UNSUPPORTED, OUTCOME_UNSUPPORTED, reason
#define BROKEN(reason) OUTCOME_BROKEN, OUTCOME_BROKEN, reason

static struct script *parse(const char *text)
{
    struct script_error error;
    struct script *script = script_parse("x.pkt", text, strlen(text), NULL, 0, &error);
    if (script == NULL) {
        print_error("%s\n", error.text);
    }
    assert_non_null(script);
    return script;
}

static const struct scenario_options plain_options = {.tolerance_us = -1};

static void run_one(const struct row *r, struct target *t, struct record *record)
{
    struct script *script = parse(r->text);
    struct outcome outcome;
    scenario_run(script, t, &plain_options, &outcome, record);
    if (outcome.strict != r->strict || outcome.semantic != r->semantic || strstr(outcome.reason, r->reason) == NULL ||
        (r->reason[0] == 0 && outcome.reason[0] != 0)) {
        fail_msg("%s: verdicts %d %d, reason \"%s\" (wanted %d %d \"%s\")", r->name, (int)outcome.strict, (int)outcome.semantic,
                 outcome.reason, (int)r->strict, (int)r->semantic, r->reason);
    }
    script_free(script);
}

/* Twice each: without a record and with one; the outcome is the same. */
static void run_all(const struct row *rows, size_t count)
{
    char why[200];
    struct target *weir = target_weir_new(why, sizeof why), *conn = target_conn_new(why, sizeof why);
    assert_non_null(weir);
    assert_non_null(conn);
    for (size_t i = 0; i < count; i++) {
        struct record record = {0};
        struct target *t = rows[i].connection ? conn : weir;
        run_one(&rows[i], t, NULL);
        run_one(&rows[i], t, &record);
        record_free(&record);
    }
    weir->ops->free(weir);
    conn->ops->free(conn);
}

/* ---- segments ---- */

static const struct row segment_rows[] = {
    {"passive open", HEAD PLAIN OPEN "+0 status(4) = \"ESTABLISHED\"\n", false, PASS},
    {"active open", HEAD PLAIN CONNECT "+0 > S 0:0(0) <mss 1460>\n+.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>\n+0 > . 1:1(0) ack 1\n"
     "+0 connect(3, ..., ...) = 0\n", false, PASS},
    {"other ISNs", HEAD PLAIN LISTEN "+0 < S 777:777(0) win 65535 <mss 1460>\n+0 > S. 100:100(0) ack 778 <mss 1460>\n"
     "+.1 < . 778:778(0) ack 101 win 65535\n+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n+0 > P. 101:111(10) ack 778\n", false, PASS},
    {"ack differs", HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 2 <mss 1460>\n", false,
     FAIL("x.pkt:10: expected > S. 0:0(0) ack 2 <mss 1460>; seen > S. 0:0(0) ack 1")},
    {"sequence number differs", HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n+0 > P. 2:12(10) ack 1\n", false, FAIL("seq")},
    {"length differs", HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n+0 > P. 1:10(9) ack 1\n", false, FAIL("10 seen")},
    {"PSH is taste", HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1\n", false, TASTE("x.pkt:14: ")},
    {"order of options is taste", HEAD "// settings: timestamps=0 window-scale=0\n" LISTEN
     "+0 < S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop>\n+0 > S. 0:0(0) ack 1 <sackOK,nop,nop,mss 1460>\n", false, TASTE("options")},
    {"an option that is missing is not", HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,nop,nop>\n", false, FAIL("options")},
    {"window where written", HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 1 win 65534 <mss 1460>\n", false, FAIL("win")},
    {"nothing comes", HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 > . 1:1(0) ack 1\n", false, FAIL("expected > . 1:1(0) ack 1; ")},
    {"a segment too many at the end", HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n", false,
     FAIL("at the end of the script: nothing more was expected; seen > P. 1:11(10)")},
    {"the same without a head", OPEN "+0 write(4, ..., 10) = 10\n", false, PASS},
    {"a segment too many in between", HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n+.01 < R. 1:1(0) ack 1 win 0\n+0 > R 1:1(0)\n", false, FAIL("expected > R")},
    {"a new connection has a new ISN", HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < R 1:1(0) win 0\n+.1 < S 0:0(0) win 65535 <mss 1460>\n"
     "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n", false, PASS},
    {"a literal SYN", HEAD PLAIN LISTEN "+0 < S 4294967290!:4294967290!(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <mss 1460>\n"
     "+.1 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n+0 < P. 1:101(100) ack 1 win 65535\n+0~+.5 > . 1:1(0) ack 101\n", false, PASS},
    {"the ISS that was set", HEAD "// settings: timestamps=0 sack=0 window-scale=0 iss=4294967295\n" LISTEN SYN
     "+0 > S. 4294967295!:4294967295!(0) ack 1 <mss 1460>\n", false, PASS},
    {"not another ISS", HEAD "// settings: timestamps=0 sack=0 window-scale=0 iss=4294967294\n" LISTEN SYN
     "+0 > S. 4294967295!:4294967295!(0) ack 1 <mss 1460>\n", false, FAIL("seq: 4294967295 expected, 4294967294 seen")},
    {"the ISS of an active open", HEAD "// settings: timestamps=0 sack=0 window-scale=0 iss=7\n" CONNECT "+0 > S 7!:7!(0) <mss 1460>\n", false, PASS},
    {"of the first connection only", HEAD "// settings: timestamps=0 sack=0 window-scale=0 iss=7\n" CONNECT "+0 > S 7!:7!(0) <mss 1460>\n"
     "+.1 < R. 0:0(0) ack 1 win 0\n+0 close(3) = 0\n" CONNECT "+0 > S 7!:7!(0) <mss 1460>\n", false, FAIL("seq: 7 expected")},
    {"timestamps", HEAD "// settings: sack=0 window-scale=0\n" LISTEN "+0 < S 0:0(0) win 65535 <mss 1460,nop,nop,TS val 5 ecr 0>\n"
     "+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 100 ecr 5>\n+.1 < . 1:1(0) ack 1 win 65535 <nop,nop,TS val 6 ecr 100>\n"
     "+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,TS val 200 ecr 6>\n", false, PASS},
    {"ICMP", HEAD "// settings: timestamps=0 sack=0 window-scale=0\n" CONNECT "+0 > S 0:0(0) <mss 1460>\n"
     "+.1 < icmp unreachable port_unreachable [0:0(0)]\n+0 connect(3, ..., ...) = -1 EHOSTUNREACH\n", false, PASS},
};

static void test_segments(void **state)
{
    (void)state;
    run_all(segment_rows, sizeof segment_rows / sizeof segment_rows[0]);
}

/* ---- joining ---- */

#define LONG "+0 write(4, ..., 2920) = 2920\n+0 > P. 1:2921(2920) ack 1\n"

static const struct row join_rows[] = {
    {"two live segments are one of the script", OPEN LONG, false, PASS},
    {"not with --strict_segments", "--strict_segments\n" OPEN LONG, false, FAIL("payload octets")},
    {"not with a head", HEAD PLAIN OPEN LONG, false, FAIL("payload octets")},
    {"one live segment is not two", OPEN "+0 write(4, ..., 1000) = 1000\n+0 > . 1:501(500) ack 1\n", false, FAIL("1000 seen")},
    {"what is missing at the end", OPEN "+0 write(4, ..., 2920) = 2920\n+0 > P. 1:4381(4380) ack 1\n", false, FAIL("seq: 2921 expected")},
};

static void test_join(void **state)
{
    (void)state;
    run_all(join_rows, sizeof join_rows / sizeof join_rows[0]);
}

/* ---- time ---- */

#define LOST HEAD "// settings: timestamps=0 sack=0 window-scale=0 rto-initial=1s\n" CONNECT "0 > S 0:0(0) <mss 1460>\n"
#define RFC_HEAD "--tolerance_usecs=1000\n--tolerance_percent=0\n"
#define LOST_SHARP HEAD "// settings: timestamps=0 sack=0 window-scale=0 rto-initial=1s\n" RFC_HEAD CONNECT "0 > S 0:0(0) <mss 1460>\n"

static const struct row time_rows[] = {
    {"absolute", LOST "1.0 > S 0:0(0) <mss 1460>\n3.0 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"relative", LOST "+1.0 > S 0:0(0) <mss 1460>\n+2.0 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"any time", LOST "* > S 0:0(0) <mss 1460>\n+2 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"a range", LOST "+.5~+1.2 > S 0:0(0) <mss 1460>\n2.9~3.1 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"an eighth of the gap early", LOST "+1.1 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"more than that", LOST "+1.15 > S 0:0(0) <mss 1460>\n", false, FAIL("came at 1.000000 s, expected 1.150000 s +- 0.143")},
    {"late", LOST "+0.8 > S 0:0(0) <mss 1460>\n", false, FAIL("came at 1.000000 s, expected 0.800000 s +- 0.100000")},
    {"before a range", LOST "+1.2~+1.3 > S 0:0(0) <mss 1460>\n", false, FAIL("expected 1.200000 s to 1.300000 s")},
    {"after a range", LOST "+.2~+.5 > S 0:0(0) <mss 1460>\n", false, FAIL("came at 1.000000 s, expected 0.200000 s to 0.500000 s")},
    {"a sharp tolerance that is kept", LOST_SHARP "+1.001 > S 0:0(0) <mss 1460>\n", false, PASS},
    {"and one that is not", LOST_SHARP "+1.002 > S 0:0(0) <mss 1460>\n", false, FAIL("+- 0.001000")},
    {"a wide tolerance", "--tolerance_usecs=500000\n" CONNECT "0 > S 0:0(0) <...>\n+1.4 > S 0:0(0) <...>\n", false, PASS},
    {"time runs backwards", LOST "0.5 status(3) = \"SYN-SENT\"\n0.4 status(3) = \"SYN-SENT\"\n", false, BROKEN("is before the event")},
    {"an event that comes too late after any time", LOST "* > S 0:0(0) <mss 1460>\n0.5 status(3) = \"SYN-SENT\"\n", false, FAIL("came at 1.000000 s")},
    {"hours", LOST "+1 > S 0:0(0) <mss 1460>\n+2 > S 0:0(0) <mss 1460>\n+1 < S. 0:0(0) ack 1 win 65535 <mss 1460>\n+0 > . 1:1(0) ack 1\n"
     "+86400 status(3) = \"ESTABLISHED\"\n", false, PASS},
};

static void test_time(void **state)
{
    (void)state;
    run_all(time_rows, sizeof time_rows / sizeof time_rows[0]);
}

/* ---- calls ---- */

static const struct row call_rows[] = {
    {"read", OPEN "+0 < P. 1:101(100) ack 1 win 65535\n+0 ioctl(4, SIOCINQ, [100]) = 0\n+0 unread(4) = 100\n+0 read(4, ..., 60) = 60\n"
     "+0 recv(4, ..., 1000, MSG_PEEK) = 40\n+0 recv(4, ..., 1000, 0) = 40\n+0 read(4, ..., 1) = -1 EAGAIN\n", false, PASS},
    {"a result that differs", OPEN "+0 < P. 1:101(100) ack 1 win 65535\n+0 read(4, ..., 60) = 61\n", false, FAIL("read gave 60, expected 61")},
    {"an error that differs", OPEN "+0 read(4, ..., 60) = -1 ECONNRESET\n", false, FAIL("read gave -1 EAGAIN, expected -1 ECONNRESET")},
    {"an error instead of a number", OPEN "+0 read(4, ..., 60) = 60\n", false, FAIL("read gave -1 EAGAIN, expected 60")},
    {"SIOCINQ differs", OPEN "+0 ioctl(4, SIOCINQ, [1]) = 0\n", false, FAIL("SIOCINQ is 0, expected 1")},
    {"vectors and messages", OPEN "+0 writev(4, [{..., 100}, {..., 200}], 2) = 300\n+0 > P. 1:301(300) ack 1\n"
     "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0}, 0) = 100\n+0 sendto(4, ..., 50, MSG_MORE, ..., ...) = 50\n"
     "+.1 < P. 1:31(30) ack 301 win 65535\n+0 readv(4, [{..., 10}, {..., 10}], 2) = 20\n"
     "+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=0}, 0) = 10\n", false, PASS},
    {"unacked", OPEN "+0 write(4, ..., 100) = 100\n+0 unacked(4) = 100\n+0 ioctl(4, SIOCOUTQ, [100]) = 0\n", false, PASS},
    {"end of stream", OPEN "+0 < F. 1:1(0) ack 1 win 65535\n+0 read(4, ..., 10) = 0\n+0 status(4) = \"CLOSE-WAIT\"\n", false, PASS},
    {"a state that differs", OPEN "+0 status(4) = \"CLOSE-WAIT\"\n", false, FAIL("status is ESTABLISHED, expected CLOSE-WAIT")},
    {"reset", OPEN "+0 < R. 1:1(0) ack 1 win 0\n+0 read(4, ..., 10) = -1 ECONNRESET\n+0 read(4, ..., 10) = -1 ENOTCONN\n"
     "+0 write(4, ..., 10) = -1 ENOTCONN\n", false, PASS},
    {"SO_ERROR", OPEN "+0 < R. 1:1(0) ack 1 win 0\n+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n"
     "+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n", false, PASS},
    {"SO_ERROR differs", OPEN "+0 getsockopt(4, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0\n", false, FAIL("SO_ERROR is 0, expected 104")},
    {"options", OPEN "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n"
     "+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1460], [4]) = 0\n", false, PASS},
    {"a send buffer within the ring", HEAD OPEN "+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [65536], 4) = 0\n", false, PASS},
    {"a send buffer beyond the ring", HEAD OPEN "+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [65537], 4) = 0\n", false,
     REFUSED("setsockopt SOL_SOCKET SO_SNDBUF")},
    {"linger 0 aborts", HEAD PLAIN OPEN "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0 close(4) = 0\n+0 > R 1:1(0)\n", false, PASS},
    {"close", HEAD PLAIN OPEN "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+0 status(4) = \"FIN-WAIT-1\"\n+0 read(4, ..., 1) = -1 EBADF\n", false, PASS},
    {"abort", HEAD PLAIN OPEN "+0 abort(4) = 0\n+0 > R 1:1(0)\n+0 status(4) = \"CLOSED\"\n", false, PASS},
    {"shutdown", HEAD PLAIN OPEN "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n"
     "+0 write(4, ..., 1) = -1 EPIPE\n+0 shutdown(4, SHUT_WR) = -1 EPIPE\n", false, PASS},
    {"fcntl", OPEN "+0 fcntl(4, F_GETFL) = 0x2\n+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 fcntl(4, F_GETFL) = 0x802\n", false, PASS},
    {"poll", OPEN "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}], 1, 0) = 1\n+0 poll([{fd=3, events=POLLIN}], 1, 0) = 0\n"
     "+0 < P. 1:11(10) ack 1 win 65535\n+0 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 0) = 1\n", false, PASS},
    {"poll differs", OPEN "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, 0) = 1\n", false, FAIL("revents of 4 are 0x4, expected 0x1")},
    {"epoll", OPEN "+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0\n"
     "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0\n+0 < P. 1:11(10) ack 1 win 65535\n+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1\n"
     "+0 epoll_ctl(5, EPOLL_CTL_DEL, 4, ...) = 0\n+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0\n", false, PASS},
    {"epoll differs", OPEN "+0 epoll_create(1) = 5\n+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLOUT, fd=4}) = 0\n"
     "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1\n", false, FAIL("epoll_wait: events 0x4 of 4, expected 0x1 of 4")},
    {"options of a listener are its connections' too", HEAD PLAIN LISTEN "+0 setsockopt(3, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n" SYN
     "+0 > S. 0:0(0) ack 1 <mss 1460>\n+.1 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n"
     "+0 > P. 1:11(10) ack 1\n+0 write(4, ..., 10) = 10\n+0 > P. 11:21(10) ack 1\n", false, PASS},
    {"after an abort", OPEN "+0 abort(4) = 0\n+0 > R 1:1(0)\n+0 read(4, ..., 1) = -1 ENOTCONN\n", false, PASS},
    {"nobody opened it", OPEN "+0 read(9, ..., 10) = 10\n", false, BROKEN("no socket 9 was opened")},
    {"opened twice", "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", false, BROKEN("open already")},
    {"an argument is missing", OPEN "+0 read(4, ...) = 10\n", false, BROKEN("read: argument 3 is missing")},
    {"an unknown call", OPEN "+0 splice(4, 5) = 0\n", false, REFUSED("call splice")},
    {"an unknown option", OPEN "+0 setsockopt(4, SOL_TCP, TCP_ULP, [1], 4) = 0\n", false, REFUSED("setsockopt SOL_TCP TCP_ULP")},
    {"an unknown flag", OPEN "+0 send(4, ..., 10, MSG_CONFUSED) = 10\n", false, REFUSED("MSG_CONFUSED")},
    {"another kind of socket", "+0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n", false, REFUSED("SOCK_STREAM")},
};

static void test_calls(void **state)
{
    (void)state;
    run_all(call_rows, sizeof call_rows / sizeof call_rows[0]);
}

/* ---- calls that block ---- */

static const struct row block_rows[] = {
    {"accept", LISTEN "+0...0.2 accept(3, ..., ...) = 4\n+.1 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <...>\n"
     "+.1 < . 1:1(0) ack 1 win 65535\n", false, PASS},
    {"accept ends early", LISTEN "+0...0.3 accept(3, ..., ...) = 4\n+.1 < S 0:0(0) win 65535 <mss 1460>\n+0 > S. 0:0(0) ack 1 <...>\n"
     "+.1 < . 1:1(0) ack 1 win 65535\n", false, FAIL("the end of this call came at 0.200000 s, expected 0.300000 s")},
    {"connect", "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+.1...0.2 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <...>\n"
     "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>\n+0 > . 1:1(0) ack 1\n", false, PASS},
    {"connect is refused", "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+.1...0.2 connect(3, ..., ...) = -1 ECONNREFUSED\n+0 > S 0:0(0) <...>\n"
     "+.1 < R. 0:0(0) ack 1 win 0\n", false, PASS},
    {"read", OPEN "+0...0.1 read(4, ..., 1000) = 100\n+.1 < P. 1:101(100) ack 1 win 65535\n+0 > . 1:1(0) ack 101\n", false, PASS},
    {"read of another number", OPEN "+0...0.1 read(4, ..., 1000) = 99\n+.1 < P. 1:101(100) ack 1 win 65535\n", false, FAIL("read gave 100, expected 99")},
    {"read never ends", OPEN "+0...0.1 read(4, ..., 1000) = 100\n", false, FAIL("read still blocks")},
    {"what ends at once ends too early", OPEN "+0 < P. 1:101(100) ack 1 win 65535\n+0...0.1 read(4, ..., 1000) = 100\n", false,
     FAIL("the end of this call came at 0.100000 s, expected 0.200000 s")},
    {"write", HEAD "// settings: timestamps=0 sack=0 window-scale=0 send-buffer=2048 nagle=0\n" OPEN
     "+0...0.1 write(4, ..., 3000) = 3000\n+0 > . 1:1461(1460) ack 1\n+0 > P. 1461:2049(588) ack 1\n"
     "+.1 < . 1:1(0) ack 2049 win 65535\n+0 > P. 2049:3001(952) ack 1\n", false, PASS},
    {"poll until its time", OPEN "+0...0.05 poll([{fd=4, events=POLLIN}], 1, 50) = 0\n", false, PASS},
    {"poll until text comes", OPEN "+0...0.1 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, 500) = 1\n+.1 < P. 1:101(100) ack 1 win 65535\n"
     "+0 > . 1:1(0) ack 101\n", false, PASS},
};

static void test_blocking(void **state)
{
    (void)state;
    run_all(block_rows, sizeof block_rows / sizeof block_rows[0]);
}

/* ---- heads, settings, code ---- */

static const struct row head_rows[] = {
    {"rows that fired", HEAD PLAIN "// rows: L4 A3@SYN-RECEIVED\n" OPEN, false, PASS},
    {"a row that did not", HEAD PLAIN "// rows: L4 A6\n" OPEN, false, FAIL("row A6 did not fire")},
    {"a row in another state", HEAD PLAIN "// rows: A3@ESTABLISHED\n" OPEN, false, FAIL("row A3@ESTABLISHED did not fire")},
    {"a need that is met", HEAD PLAIN "// needs: timestamps virtual-time\n" OPEN, false, PASS},
    {"a need that is not", HEAD PLAIN "// needs: fast-open\n" OPEN, false, REFUSED("needs: fast-open")},
    {"another api", HEAD "// api: connection\n" OPEN, false, REFUSED("api: connection")},
    {"an unknown setting", HEAD "// settings: colour=1\n" OPEN, false, REFUSED("setting colour=1")},
    {"a value out of range", HEAD "// settings: ttl=256\n" OPEN, false, BROKEN("setting ttl: \"256\"")},
    {"no value at all", HEAD "// settings: ack-delay=soon\n" OPEN, false, BROKEN("setting ack-delay")},
    {"a setting that counts", HEAD "// settings: timestamps=0 sack=0 window-scale=0 mtu=1000\n" LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 960>\n", false, PASS},
    {"an option of packetdrill", "--mss=900\n" LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 900>\n", false, PASS},
    {"an unknown option", "--colour_of_packets=red\n" LISTEN, false, REFUSED("option --colour_of_packets")},
    {"an option without its number", "--tolerance_usecs=wide\n" LISTEN, false, BROKEN("option --tolerance_usecs")},
    {"IPv6", "--ip_version=ipv6\n" LISTEN "+0 < S 0:0(0) win 65535 <mss 1440>\n+0 > S. 0:0(0) ack 1 <mss 1440>\n", false, PASS},
    {"code", OPEN "+0 %{ assert tcpi_snd_mss == 1460; assert tcpi_state == TCP_ESTABLISHED; x = tcpi_unacked }%\n"
     "+0 write(4, ..., 1000) = 1000\n+0 %{ assert tcpi_unacked == x + 1 }%\n", false, PASS},
    {"code that does not hold", OPEN "+0 %{ assert tcpi_unacked == 1 }%\n", false, FAIL("x.pkt:8: assert")},
    {"a broken row of numbers", OPEN "+0 %{ assert tcpi_snd_mss == }%\n", false, BROKEN("x.pkt:8: ")},
};

static void test_heads(void **state)
{
    (void)state;
    run_all(head_rows, sizeof head_rows / sizeof head_rows[0]);
}

/* ---- a bare connection ---- */

#define BARE_HEAD HEAD "// api: connection\n" PLAIN
#define SOCKET "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

static const struct row conn_rows[] = {
    {"passive open", BARE_HEAD "// rows: OP1 L4@LISTEN A3\n" OPEN "+0 status(3) = \"ESTABLISHED\"\n", true, PASS},
    {"closed", BARE_HEAD "// rows: C1 C2 C3\n" SOCKET "+0 < R 5:5(0) win 0\n+0 < S 5:5(0) win 0\n+0 > R. 0:0(0) ack 6\n+0 < . 5:5(0) ack 9 win 0\n"
     "+0 > R 9:9(0)\n", true, PASS},
    {"every call in CLOSED", BARE_HEAD "// rows: SE1 RE2 CL1 AB1 OA2\n" SOCKET "+0 write(3, ..., 1) = -1 ENOTCONN\n+0 read(3, ..., 1) = -1 ENOTCONN\n"
     "+0 shutdown(3, SHUT_WR) = -1 ENOTCONN\n+0 abort(3) = -1 ENOTCONN\n"
     "+0 connect(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"0.0.0.0\")}, ...) = -1 EDESTADDRREQ\n", true, PASS},
    {"listen twice", BARE_HEAD "// rows: OP2\n" SOCKET "+0 listen(3, 1) = 0\n+0 listen(3, 1) = -1 EISCONN\n", true, PASS},
    {"SEND in LISTEN", BARE_HEAD "// rows: SE3 SE2\n" SOCKET "+0 listen(3, 1) = 0\n+0 write(3, ..., 10) = -1 EDESTADDRREQ\n+0 remote(3) = 0\n"
     "+0 write(3, ..., 10) = 10\n+0 > S 0:0(0) <mss 1460>\n", true, PASS},
    {"a SYN from nobody", BARE_HEAD "// rows: L3\n" SOCKET "+0 listen(3, 1) = 0\n+0 unnamed(3) = 0\n"
     "+0 < S 0:0(0) win 1000\n+0 status(3) = \"LISTEN\"\n", true, PASS},
    {"a stray segment leaves LISTEN as it was", BARE_HEAD "// rows: L2 SE3\n" SOCKET "+0 listen(3, 1) = 0\n+0 < . 1:1(0) ack 5 win 1000\n"
     "+0 > R 5:5(0)\n+0 write(3, ..., 10) = -1 EDESTADDRREQ\n", true, PASS},
    {"OPEN in LISTEN", BARE_HEAD "// rows: OA1@LISTEN\n" SOCKET "+0 listen(3, 1) = 0\n+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <mss 1460>\n"
     "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1460>\n+0 > . 1:1(0) ack 1\n+0 connect(3, ..., ...) = -1 EISCONN\n", true, PASS},
    {"timeouts that no timer makes", BARE_HEAD "// rows: TU1@CLOSED TR1@LISTEN TL3@LISTEN\n" SOCKET "+0 timeout(3, \"user\") = 0\n+0 listen(3, 1) = 0\n"
     "+0 timeout(3, \"resend\") = 0\n+0 timeout(3, \"life\") = 0\n+0 timeout(3, \"tea\") = -1 EINVAL\n", true, PASS},
    {"hold and admit", BARE_HEAD SOCKET "+0 listen(3, 1) = 0\n+0 hold(3) = 0\n" SYN "+1 admit(3) = 0\n+0 > S. 0:0(0) ack 1 <mss 1460>\n", true, PASS},
    {"and above all that the old connection used", HEAD "// api: connection\n// settings: timestamps=0 sack=0 window-scale=0 iss=1000\n" LISTEN
     SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n+0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n+0 shutdown(4, SHUT_WR) = 0\n"
     "+0 > F. 1:1(0) ack 1\n+0 < F. 1:1(0) ack 2 win 65535\n+0 > . 2:2(0) ack 2\n+0 < S 9000:9000(0) win 65535 <mss 1460>\n"
     "+0 > S. 66539!:66539!(0) ack 9001 <mss 1460>\n", true, PASS},
    {"TIME-WAIT is reopened", HEAD "// api: connection\n// settings: timestamps=0 sack=0 window-scale=0 iss=1000\n// rows: W1 L4\n" OPEN
     "+0 shutdown(3, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n+.1 < F. 1:1(0) ack 2 win 65535\n+0 > . 2:2(0) ack 2\n+.1 < S 9000:9000(0) win 65535 <mss 1460>\n"
     "+0 > S. 0:0(0) ack 9001 <mss 1460>\n", true, PASS},
};

static void test_connection(void **state)
{
    (void)state;
    run_all(conn_rows, sizeof conn_rows / sizeof conn_rows[0]);
}

/* ---- the record ---- */

static int lines_of(const struct record *r, enum record_kind kind)
{
    int count = 0;
    for (int i = 0; i < r->count; i++) {
        count += r->lines[i].kind == kind;
    }
    return count;
}

static void test_record(void **state)
{
    char why[200];
    struct target *weir = target_weir_new(why, sizeof why);
    struct record record = {0};
    struct outcome outcome;
    int calls = 0;
    struct script *script = parse(HEAD PLAIN OPEN "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n* > P. 1:11(10) ack 9\n");
    (void)state;
    scenario_run(script, weir, &plain_options, &outcome, &record);
    assert_int_equal(outcome.packets_in, 2);
    assert_int_equal(outcome.calls, 5);
    assert_int_equal(lines_of(&record, RECORD_IN), 2);
    assert_int_equal(lines_of(&record, RECORD_OUT), 3);
    assert_int_equal(lines_of(&record, RECORD_CALL), 5);
    assert_int_equal(lines_of(&record, RECORD_MISS), 1);
    assert_true(lines_of(&record, RECORD_TIMER) >= 1);
    for (int i = 0; i < record.count; i++) {
        const struct record_line *l = &record.lines[i];
        if (l->kind == RECORD_IN && strchr(l->text, 'S') != NULL) {
            assert_string_equal(l->state, "SYN-RECEIVED");
            assert_non_null(strstr(l->rows, "L4"));
            assert_non_null(l->octets);
        }
        if (l->kind == RECORD_CALL && strstr(l->text, "write(4, ..., 10) = 10") != NULL) {
            assert_string_equal(l->rows, "SE4");
            calls++;
        }
    }
    assert_int_equal(calls, 1);
    record_free(&record);
    script_free(script);
    weir->ops->free(weir);
}

/* ---- targets that do not behave ---- */

static struct target_ops bad_ops;
static answer bad_answer;

static answer bad_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    (void)t;
    (void)octets;
    (void)len;
    return bad_answer;
}

static const char *bad_why(struct target *t)
{
    (void)t;
    return "it fell over";
}

static void bad_run(const char *text, const struct scenario_options *options, struct outcome *outcome)
{
    char why[200];
    struct target *weir = target_weir_new(why, sizeof why);
    const struct target_ops *own = weir->ops;
    struct script *script = parse(text);
    struct target_ops ops = *own;
    ops.packet_in = bad_ops.packet_in != NULL ? bad_ops.packet_in : own->packet_in;
    ops.why = bad_why;
    ops.option = NULL;
    ops.call = NULL;
    weir->ops = &ops;
    scenario_run(script, weir, options, outcome, NULL);
    weir->ops = own;
    weir->ops->free(weir);
    script_free(script);
}

static void test_bad_targets(void **state)
{
    struct outcome outcome;
    (void)state;
    bad_ops.packet_in = bad_packet_in;
    bad_answer = ANSWER_DEAD;
    bad_run(OPEN, &plain_options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_DEAD);
    assert_non_null(strstr(outcome.reason, "x.pkt:4: it fell over"));
    bad_answer = ANSWER_WRONG;
    bad_run(OPEN, &plain_options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_FAIL);
    assert_non_null(strstr(outcome.reason, "it fell over"));
    bad_ops.packet_in = NULL;
    bad_run(OPEN "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n", &plain_options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_UNSUPPORTED);
    bad_run(OPEN "+0 urgent(4) = 0\n", &plain_options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_UNSUPPORTED);
    assert_non_null(strstr(outcome.reason, "call urgent"));
}

static void test_options(void **state)
{
    struct outcome outcome;
    struct scenario_options options = plain_options;
    const struct script_setting overrides[] = {{.name = "mtu", .value = "1000"}};
    (void)state;
    options.overrides = overrides;
    options.override_count = 1;
    bad_run(HEAD "// settings: timestamps=0 sack=0 window-scale=0 mtu=1400\n--mtu=small\n" LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 960>\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_PASS);
    options = plain_options;
    options.v6 = true;
    bad_run(HEAD PLAIN LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1460>\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_PASS); /* the same sizes: the MTU is 20 more */
    bad_run(HEAD PLAIN "--ip_version=ipv6\n" LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 1440>\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_PASS);
    bad_run(HEAD "// settings: timestamps=0 sack=0 window-scale=0 mtu=1000\n" LISTEN SYN "+0 > S. 0:0(0) ack 1 <mss 960>\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_PASS);
    options = plain_options;
    options.quiet_end = true;
    bad_run(OPEN "+0 write(4, ..., 10) = 10\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_FAIL);
    options = plain_options;
    options.tolerance_us = 300000;
    bad_run(LOST "+1.25 > S 0:0(0) <mss 1460>\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_PASS);
    options = plain_options;
    options.real_time_limit = true;
    options.limit_us = 5000000;
    bad_run(OPEN "+6 status(4) = \"ESTABLISHED\"\n", &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_UNSUPPORTED);
    assert_non_null(strstr(outcome.reason, "takes 6 s"));
    options = plain_options;
    options.profile = "no such";
    bad_run(OPEN, &options, &outcome);
    assert_int_equal(outcome.strict, OUTCOME_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments), cmocka_unit_test(test_join), cmocka_unit_test(test_time), cmocka_unit_test(test_calls),
        cmocka_unit_test(test_blocking), cmocka_unit_test(test_heads), cmocka_unit_test(test_connection), cmocka_unit_test(test_record),
        cmocka_unit_test(test_bad_targets), cmocka_unit_test(test_options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
