/* shards.c - one stack a core: four server stacks in four threads share an address, and nothing else; no locks.
 *
 * The main thread plays the network card and the clients. It steers: a packet to a port from which a shard opens goes to that shard, any
 * other by the hash of its flow, which is the same for all packets of a connection. Queues are rings with one writer and one reader,
 * and what does not fit is lost, as on a card. Ends with 0 if every connection was served and none met the wrong shard. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir/stack.h"

enum { SHARDS = 4, CONNECTIONS = 400, OPENED = 20, QUEUE = 256, PACKET = 1500, PORTS = 4096, PORT_FIRST = 49152 };

struct shards_queue {
    _Atomic uint32_t head, tail; /* of the reader, of the writer */
    uint32_t len[QUEUE];
    uint8_t octets[QUEUE][PACKET];
};

struct shards_shard {
    weir_stack *stack;
    pthread_t thread;
    struct shards_queue in, out;
    _Atomic uint32_t answered; /* connections that it opened and that said what they must */
};

static struct shards_shard shard[SHARDS];
static _Atomic bool shards_over;

static void shards_fail(const char *what)
{
    fprintf(stderr, "weir-shards: %s\n", what);
    exit(1);
}

static weir_us shards_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_us)t.tv_sec * 1000000 + (weir_us)t.tv_nsec / 1000;
}

static void shards_push(struct shards_queue *q, const uint8_t *packet, size_t len)
{
    const uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&q->head, memory_order_acquire) == QUEUE) {
        return;
    }
    memcpy(q->octets[tail % QUEUE], packet, len);
    q->len[tail % QUEUE] = (uint32_t)len;
    atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
}

/* All that is there goes into the stack. */
static void shards_drain(struct shards_queue *q, weir_stack *s)
{
    uint32_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
    for (; head != atomic_load_explicit(&q->tail, memory_order_acquire); head++) {
        (void)weir_stack_input(s, q->octets[head % QUEUE], q->len[head % QUEUE], shards_now());
        atomic_store_explicit(&q->head, head + 1, memory_order_release);
    }
}

/* ---- stacks ---- */

static weir_stack *shards_stack(weir_addr addr, uint8_t secret, uint16_t port_first, uint32_t ports)
{
    weir_stack_config c;
    weir_err err;
    weir_stack_config_init(&c);
    memset(c.tcp.secret, secret, sizeof c.tcp.secret);
    c.addrs[0] = addr;
    c.addr_count = 1;
    c.connections_max = 2 * CONNECTIONS;
    c.half_open_max = CONNECTIONS;
    c.port_first = port_first;
    c.port_last = (uint16_t)(port_first + ports - 1);
    c.rings.rx = c.rings.tx = 4096;
    const size_t len = (weir_stack_size(&c) + 63) / 64 * 64;
    weir_stack *s = weir_stack_init(aligned_alloc(64, len), len, &c, shards_now(), &err);
    weir_listen_spec spec;
    weir_handle listener;
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    if (s == NULL || weir_stack_listen(s, &spec, &listener) != WEIR_ERR_NONE) {
        shards_fail("no stack");
    }
    return s;
}

/* Says back what it hears on connections that came to it; counts what it hears on its own (tag 1). */
static uint32_t shards_serve(weir_stack *s)
{
    uint8_t text[64];
    uint32_t heard = 0;
    size_t len;
    weir_ready r;
    while (weir_stack_ready(s, &r)) {
        weir_conn *c = weir_stack_conn(s, r.conn);
        (void)weir_stack_want(s, r.conn, WEIR_EV_READABLE);
        while (weir_recv(c, text, sizeof text, &len, shards_now()) == WEIR_ERR_NONE && len > 0) {
            const weir_slice answer = {text, len};
            heard += r.tag == 1 && len == 8;
            if (r.tag != 1 && (weir_send(c, answer, 0, &len, shards_now()) != WEIR_ERR_NONE || len != answer.len)) {
                shards_fail("no answer could be sent");
            }
        }
    }
    return heard;
}

/* `count` connections, each with eight octets to say at once. */
static void shards_open(weir_stack *s, weir_addr to, uint32_t count)
{
    const weir_slice text = {(const uint8_t *)"question", 8};
    weir_tuple t;
    weir_handle conn;
    size_t len;
    memset(&t, 0, sizeof t);
    t.remote = to;
    t.remote_port = 80;
    for (uint32_t i = 0; i < count; i++) {
        if (weir_stack_connect(s, &t, &conn, shards_now()) != WEIR_ERR_NONE || weir_stack_set_tag(s, conn, 1) != WEIR_ERR_NONE ||
            weir_send(weir_stack_conn(s, conn), text, 0, &len, shards_now()) != WEIR_ERR_NONE || len != 8) {
            shards_fail("a connection was refused");
        }
    }
}

/* ---- threads ---- */

/* The loop of stack.h, and a pause in place of waiting for packets. */
static void *shards_run(void *which)
{
    struct shards_shard *self = which;
    uint8_t packet[PACKET];
    const struct timespec pause = {0, 200000};
    shards_open(self->stack, weir_addr_v4(10, 1, 0, 1), OPENED);
    while (!atomic_load(&shards_over)) {
        shards_drain(&self->in, self->stack);
        weir_stack_expire(self->stack, shards_now());
        self->answered += shards_serve(self->stack);
        for (size_t len; (len = weir_stack_poll_copy(self->stack, packet, sizeof packet, shards_now())) > 0;) {
            shards_push(&self->out, packet, len);
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Which shard an IPv4 packet without options is for. */
static uint32_t shards_steer(const uint8_t *packet)
{
    const uint32_t port = (uint32_t)packet[22] << 8 | packet[23];
    if (port >= PORT_FIRST && port < PORT_FIRST + SHARDS * PORTS) {
        return (port - PORT_FIRST) / PORTS;
    }
    uint32_t hash = 2166136261u;
    for (unsigned i = 12; i < 24; i++) { /* addresses and ports */
        hash = (hash ^ packet[i]) * 16777619u;
    }
    return (hash >> 8) % SHARDS;
}

static uint32_t shards_judge(void)
{
    uint32_t served = 0;
    for (unsigned i = 0; i < SHARDS; i++) {
        const weir_stats *s = weir_stack_stats(shard[i].stack);
        printf("shard %u: %u connections, %llu of them came, %llu packets in\n", i, s->connections, (unsigned long long)s->passive_opens,
               (unsigned long long)s->packets_in);
        if (s->verdicts[WEIR_NO_CONNECTION] != 0 || s->passive_opens == 0 || shard[i].answered != OPENED) {
            shards_fail("packets met the wrong shard");
        }
        served += (uint32_t)s->passive_opens;
    }
    return served;
}

static bool shards_all_answered(void)
{
    bool all = true;
    for (unsigned i = 0; i < SHARDS; i++) {
        all = all && shard[i].answered == OPENED;
    }
    return all;
}

int main(void)
{
    uint8_t packet[PACKET];
    uint32_t answered = 0;
    const weir_us begun = shards_now();
    const weir_addr servers = weir_addr_v4(10, 2, 0, 1);
    static weir_stack *clients; /* it lives as long as the process, and a leak checker sees it */
    clients = shards_stack(weir_addr_v4(10, 1, 0, 1), 1, 1024, 16384);
    for (uint8_t i = 0; i < SHARDS; i++) {
        shard[i].stack = shards_stack(servers, (uint8_t)(2 + i), (uint16_t)(PORT_FIRST + i * PORTS), PORTS);
        if (pthread_create(&shard[i].thread, NULL, shards_run, &shard[i]) != 0) {
            shards_fail("no thread");
        }
    }
    shards_open(clients, servers, CONNECTIONS);
    while (answered < CONNECTIONS || !shards_all_answered()) {
        for (unsigned i = 0; i < SHARDS; i++) {
            shards_drain(&shard[i].out, clients);
        }
        weir_stack_expire(clients, shards_now());
        answered += shards_serve(clients);
        for (size_t len; (len = weir_stack_poll_copy(clients, packet, sizeof packet, shards_now())) > 0;) {
            shards_push(&shard[shards_steer(packet)].in, packet, len);
        }
        if (shards_now() - begun > 60000000) {
            shards_fail("not all were served in a minute");
        }
    }
    atomic_store(&shards_over, true);
    for (unsigned i = 0; i < SHARDS; i++) {
        pthread_join(shard[i].thread, NULL);
    }
    if (shards_judge() != CONNECTIONS) {
        shards_fail("a connection was opened twice, or not");
    }
    printf("%u connections served by %u stacks, and %u opened by them\n", answered, SHARDS, SHARDS * OPENED);
    return 0;
}
