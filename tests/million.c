/* million.c - very many connections between two stacks in one process: opened by handshakes, each exchanging text, most of them idle.
 *
 *     weir-million [CONNECTIONS [BUSY]]     20000, 4096
 *
 * Says what a connection costs and how long things took; checks every octet, every invariant, and that nothing is left at the end. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "weir/stack.h"

enum { WAVE = 1000, TEXT = 64, PORTS = 64, ADDRS = 8 };

struct million {
    weir_stack *client, *server;
    weir_us now;
    weir_handle *conn;  /* of the client, by number */
    uint32_t count, busy;
    uint64_t heard;     /* texts that were what they must be */
    size_t size;        /* octets of one stack */
};

static void million_fail(const char *what)
{
    fprintf(stderr, "weir-million: %s\n", what);
    exit(1);
}

static void million_expect(bool holds, const char *what)
{
    if (!holds) {
        million_fail(what);
    }
}

static double million_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a connection says, and is answered in another voice. */
static void million_text(uint8_t text[TEXT], uint32_t number, uint8_t voice)
{
    for (uint32_t i = 0; i < TEXT; i++) {
        text[i] = (uint8_t)((number * 2654435761u + i * 97u) >> 13 ^ voice);
    }
    memcpy(text, &number, sizeof number);
}

static weir_stack *million_stack(struct million *m, uint8_t net)
{
    weir_stack_config c;
    weir_err err;
    weir_stack_config_init(&c);
    memset(c.tcp.secret, 0x30 + net, sizeof c.tcp.secret);
    for (uint8_t i = 0; i < ADDRS; i++) {
        c.addrs[i] = weir_addr_v4(10, net, 0, (uint8_t)(i + 1));
    }
    c.addr_count = ADDRS;
    c.connections_max = m->count;
    c.busy_max = m->busy;
    c.half_open_max = 2 * WAVE;
    c.time_wait_max = 10000;
    c.rings.rx = c.rings.tx = 1024;
    c.ring_memory = (uint64_t)m->busy * (weir_buffers_size(c.rings) + 64);
    m->size = weir_stack_size(&c);
    void *memory = m->size == 0 ? MAP_FAILED
                                : mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    million_expect(memory != MAP_FAILED, "no memory");
    weir_stack *s = weir_stack_init(memory, m->size, &c, m->now, &err);
    million_expect(s != NULL, weir_err_name(err));
    return s;
}

static uint32_t million_carry(struct million *m, weir_stack *from, weir_stack *to)
{
    uint8_t packet[2048];
    uint32_t count = 0;
    for (size_t len; (len = weir_stack_poll_copy(from, packet, sizeof packet, m->now)) != 0; count++) {
        million_expect(weir_stack_input(to, packet, len, m->now) == WEIR_OK, "a packet was refused");
    }
    return count;
}

/* Who is heard for the first time is no longer asked whether it is connected; who says something is answered. */
static void million_serve(struct million *m)
{
    uint8_t text[TEXT], right[TEXT];
    weir_ready r;
    while (weir_stack_ready(m->server, &r)) {
        (void)weir_stack_want(m->server, r.conn, WEIR_EV_READABLE);
        weir_conn *c = r.events & WEIR_EV_READABLE ? weir_stack_conn(m->server, r.conn) : NULL;
        size_t len;
        uint32_t number;
        if (c == NULL || weir_recv(c, text, sizeof text, &len, m->now) != WEIR_ERR_NONE || len == 0) {
            continue;
        }
        memcpy(&number, text, sizeof number);
        million_text(right, number, 0);
        million_expect(len == TEXT && memcmp(text, right, TEXT) == 0, "the server heard another text");
        million_text(right, number, 1);
        const weir_slice answer = {right, TEXT};
        million_expect(weir_send(c, answer, 0, &len, m->now) == WEIR_ERR_NONE && len == TEXT, "no answer could be sent");
    }
}

static void million_run(struct million *m)
{
    do {
        million_serve(m);
    } while (million_carry(m, m->client, m->server) + million_carry(m, m->server, m->client) != 0);
    m->now += 100;
    weir_stack_expire(m->client, m->now);
    weir_stack_expire(m->server, m->now);
}

static void million_open(struct million *m, uint32_t number)
{
    weir_tuple t;
    memset(&t, 0, sizeof t);
    t.local = weir_addr_v4(10, 1, 0, (uint8_t)(number % ADDRS + 1));
    t.remote = weir_addr_v4(10, 2, 0, (uint8_t)(number / ADDRS % ADDRS + 1));
    t.remote_port = (uint16_t)(1 + number / ADDRS / ADDRS % PORTS);
    million_expect(weir_stack_connect(m->client, &t, &m->conn[number], m->now) == WEIR_ERR_NONE, "a connection was refused");
    (void)weir_stack_want(m->client, m->conn[number], 0);
}

static void million_say(struct million *m, uint32_t number)
{
    uint8_t text[TEXT];
    size_t len;
    const weir_slice said = {text, TEXT};
    million_text(text, number, 0);
    weir_conn *c = weir_stack_conn(m->client, m->conn[number]);
    million_expect(c != NULL && weir_send(c, said, 0, &len, m->now) == WEIR_ERR_NONE && len == TEXT, "nothing could be sent");
}

static void million_hear(struct million *m, uint32_t number)
{
    uint8_t text[TEXT + 1], right[TEXT];
    size_t len = 0;
    million_text(right, number, 1);
    weir_conn *c = weir_stack_conn(m->client, m->conn[number]);
    million_expect(c != NULL && weir_recv(c, text, sizeof text, &len, m->now) == WEIR_ERR_NONE, "nothing could be read");
    million_expect(len == TEXT && memcmp(text, right, TEXT) == 0, "the client heard another text");
    m->heard++;
}

static void million_close(struct million *m, uint32_t number)
{
    million_expect(weir_stack_release(m->client, m->conn[number], WEIR_FOREVER, m->now) == WEIR_ERR_NONE, "it cannot be closed");
}

/* Numbers in order, or scattered: a prime walks through all of them. */
static void million_waves(struct million *m, bool scattered, void (*before)(struct million *, uint32_t),
                          void (*after)(struct million *, uint32_t))
{
    for (uint32_t from = 0; from < m->count; from += WAVE) {
        const uint32_t to = m->count - from < WAVE ? m->count : from + WAVE;
        for (uint32_t i = from; i < to; i++) {
            before(m, scattered ? (uint32_t)((uint64_t)i * 7919 % m->count) : i);
        }
        million_run(m);
        for (uint32_t i = from; after != NULL && i < to; i++) {
            after(m, scattered ? (uint32_t)((uint64_t)i * 7919 % m->count) : i);
        }
    }
}

static void million_told(const struct million *m, const char *what, double from)
{
    const double took = million_seconds() - from;
    printf("%-34s %10.3f s  %8.0f a second\n", what, took, (double)m->count / took);
}

static void million_check(const struct million *m)
{
    const char *broken = weir_stack_check(m->client);
    broken = broken ? broken : weir_stack_check(m->server);
    million_expect(broken == NULL, broken ? broken : "");
}

static void million_listen(const struct million *m)
{
    for (uint16_t port = 1; port <= PORTS; port++) {
        weir_listen_spec spec;
        weir_handle listener;
        memset(&spec, 0, sizeof spec);
        spec.port = port;
        million_expect(weir_stack_listen(m->server, &spec, &listener) == WEIR_ERR_NONE, "no listener");
    }
}

/* The server closes when it has heard that the client did. */
static void million_end(struct million *m)
{
    weir_handle next;
    for (weir_handle h = weir_stack_next(m->server, 0); h != 0; h = next) {
        next = weir_stack_next(m->server, h);
        million_expect(weir_stack_release(m->server, h, WEIR_FOREVER, m->now) == WEIR_ERR_NONE, "the server cannot close");
        if ((uint32_t)h % WAVE == 0) {
            million_run(m);
        }
    }
    for (unsigned i = 0; i < 10; i++) {
        million_run(m);
        m->now += 30000000;
    }
    million_run(m);
    million_expect(weir_stack_stats(m->client)->connections + weir_stack_stats(m->server)->connections == 0, "a connection is left");
    million_expect(weir_stack_stats(m->client)->time_wait + weir_stack_stats(m->server)->time_wait == 0, "a record of TIME-WAIT is left");
}

static void million_memory(const struct million *m)
{
    struct rusage usage;
    const weir_stats *s = weir_stack_stats(m->server);
    const weir_stack_config *c = weir_stack_get_config(m->server);
    weir_stack_config less = *c;
    less.connections_max = m->busy + 1; /* so that it packs too */
    const double each = (double)(m->size - weir_stack_size(&less)) / (m->count - m->busy - 1);
    getrusage(RUSAGE_SELF, &usage);
    printf("%u connections, %u at work at most (%u), packed %llu times, unpacked %llu, all busy %llu\n", s->connections, s->busy_peak, c->busy_max,
           (unsigned long long)s->packed, (unsigned long long)s->unpacked, (unsigned long long)s->busy_missed);
    printf("a stack: %zu octets; of these for each connection that is idle %.1f, working records and rings and all else %.1f MB\n", m->size,
           each, (double)weir_stack_size(&less) / 1e6);
    printf("resident, both stacks and the handles: %.1f MB, %.1f octets a connection and end\n", (double)usage.ru_maxrss / 1024,
           (double)usage.ru_maxrss * 1024 / m->count / 2);
    million_expect(each <= (m->count < 100000 ? 400 : 384), "an idle connection costs more than it may"); /* tables are powers of two */
    million_expect(s->connections == m->count && s->half_open == 0, "not all are open");
    million_expect(s->busy_missed + s->retransmitted + weir_stack_stats(m->client)->retransmitted == 0, "something had to be repeated");
}

int main(int argc, char **argv)
{
    static struct million m;
    m.count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 20000;
    m.busy = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 4 * WAVE;
    m.now = 1000000;
    million_expect(m.count > m.busy && m.busy >= 2 * WAVE && m.count <= 4000000 && m.count % 7919 != 0, "2000 <= BUSY < CONNECTIONS <= 4000000");
    m.conn = calloc(m.count, sizeof *m.conn);
    million_expect(m.conn != NULL, "no memory");
    m.client = million_stack(&m, 1);
    m.server = million_stack(&m, 2);
    million_listen(&m);
    double from = million_seconds();
    million_waves(&m, false, million_open, NULL);
    million_told(&m, "handshakes", from);
    from = million_seconds();
    million_waves(&m, false, million_say, million_hear);
    million_told(&m, "64 octets and an answer, in order", from);
    from = million_seconds();
    million_waves(&m, true, million_say, million_hear);
    million_told(&m, "the same, scattered", from);
    million_expect(m.heard == 2 * (uint64_t)m.count, "a text is missing");
    million_memory(&m);
    million_check(&m);
    from = million_seconds();
    million_waves(&m, false, million_close, NULL);
    million_end(&m);
    million_told(&m, "closed", from);
    printf("every text was right, every invariant holds, nothing is left\n");
    return 0;
}
