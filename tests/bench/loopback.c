/* loopback.c - Linux over its loopback device, as a program meets it: sockets, system calls, and segments as large as the kernel likes,
 * without checksums. One thread drives both ends; what the kernel does for them is on its clock too. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

enum { LOOPBACK_APP = 1 << 16 };

struct loopback {
    int from, to;
    uint8_t *app, *user;
};

static int loopback_listener(struct sockaddr_in *at)
{
    socklen_t len = sizeof *at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)at, sizeof *at) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)at, &len) != 0) {
        bench_fail("no socket on the loopback device");
    }
    return listener;
}

static void *loopback_open(unsigned long mss)
{
    struct loopback *l = bench_memory(sizeof *l);
    struct sockaddr_in at;
    int listener = loopback_listener(&at), segment = (int)mss;
    l->from = socket(AF_INET, SOCK_STREAM, 0);
    if (mss > 0) {
        (void)setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    }
    if (connect(l->from, (struct sockaddr *)&at, sizeof at) != 0 || (l->to = accept(listener, NULL, NULL)) < 0) {
        bench_fail("no connection over the loopback device");
    }
    (void)close(listener);
    (void)fcntl(l->from, F_SETFL, O_NONBLOCK);
    (void)fcntl(l->to, F_SETFL, O_NONBLOCK);
    l->app = bench_memory(LOOPBACK_APP);
    l->user = bench_memory(LOOPBACK_APP);
    return l;
}

static unsigned long loopback_run(void *state, unsigned long count)
{
    struct loopback *l = state;
    size_t want = count * 1460, got = 0;
    while (got < want) {
        ssize_t done;
        (void)!write(l->from, l->app, LOOPBACK_APP);
        while ((done = read(l->to, l->user, LOOPBACK_APP)) > 0) {
            got += (size_t)done;
        }
    }
    return (unsigned long)(got / 1460);
}

static unsigned long loopback_connections(void *state, unsigned long count)
{
    struct sockaddr_in at;
    int listener = loopback_listener(&at);
    (void)state;
    for (unsigned long i = 0; i < count; i++) {
        struct linger hard = {1, 0};
        uint8_t octet[1] = {1};
        int to, from = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(from, (struct sockaddr *)&at, sizeof at) != 0 || (to = accept(listener, NULL, NULL)) < 0) {
            bench_fail("no connection over the loopback device");
        }
        (void)!write(from, octet, 1);
        (void)!read(to, octet, 1);
        (void)!write(to, octet, 1);
        (void)!read(from, octet, 1);
        (void)shutdown(from, SHUT_WR);
        (void)shutdown(to, SHUT_WR);
        (void)setsockopt(from, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); /* TIME-WAIT would run out of ports */
        (void)close(to);
        (void)close(from);
    }
    (void)close(listener);
    return count;
}

static void *loopback_nothing(unsigned long param)
{
    (void)param;
    return NULL;
}

const struct bench_case bench_loopback[] = {
    {"Linux, loopback", "1460 octets", "super-segments", loopback_open, loopback_run, 0, 40000, 0, 1},
    {"Linux, connection", "connection", "connection", loopback_nothing, loopback_connections, 0, 500, 0, 1},
    {0}};
