/* threads.c - stacks in two threads share nothing but what nobody writes: each thread makes two stacks that talk to each other, and two
 * bare connections, from one configuration that is read-only memory, under a race detector.
 *
 * Built by ci/attack-threads with -fsanitize=thread: whatever the core had in common between two stacks, or wrote to a configuration, would
 * be a race, for the threads begin together and do the same. In one of them a flood fills what there is to fill; the other must not notice.
 * Ends with "threads: equal", or tells what differs. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weir/stack.h"

enum { THREADS = 2, PORT = 80, OCTETS = 400000, FLOOD = 3000, BARE = 100 };

struct world {
    weir_stack *s[2];
    void *memory[2];
    weir_us now;
    bool flooded, alone;
    const char *fault;
    uint64_t hash, octets, refused; /* of the packets that went */
};

static const weir_config *shared; /* of all bare connections, and what those of all stacks begin with: nobody can write to it */
static pthread_barrier_t together;

static weir_addr host(unsigned n)
{
    return weir_addr_v4(10, 0, 0, (uint8_t)(n + 1));
}

static weir_stack *stack_new(struct world *w, unsigned n)
{
    weir_stack_config c;
    weir_err err;
    weir_stack_config_init(&c);
    c.tcp = *shared;
    memset(c.tcp.secret, 0x33 + (int)n, sizeof c.tcp.secret);
    c.addrs[0] = host(n);
    c.addr_count = 1;
    c.connections_max = 64;
    c.half_open_max = 8;
    c.syn_cookies = false;
    c.tcp.cc = n == 0 ? WEIR_CC_CUBIC : WEIR_CC_BBR;
    size_t size = weir_stack_size(&c);
    w->memory[n] = aligned_alloc(64, (size + 63) & ~(size_t)63);
    return w->memory[n] != NULL ? weir_stack_init(w->memory[n], size, &c, w->now, &err) : NULL;
}

/* All that one stack has to say goes to the other. */
static unsigned carry(struct world *w, unsigned from)
{
    static _Thread_local uint8_t packet[2048];
    unsigned carried = 0;
    size_t len;
    while ((len = weir_stack_poll_copy(w->s[from], packet, sizeof packet, w->now)) > 0) {
        for (size_t i = 0; i < len; i++) {
            w->hash = (w->hash ^ packet[i]) * UINT64_C(1099511628211);
        }
        (void)weir_stack_input(w->s[!from], packet, len, w->now);
        carried++;
    }
    return carried;
}

/* A SYN from nowhere, written by hand: the checksum is left wrong for every second, which must cost nothing either. */
static void flood(struct world *w, unsigned n)
{
    uint8_t packet[40] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 198, 51, (uint8_t)(n >> 8), (uint8_t)n, 10, 0, 0, 2};
    weir_pseudo pseudo = {weir_addr_v4(198, 51, (uint8_t)(n >> 8), (uint8_t)n), host(1)};
    weir_fields f;
    uint32_t sum = 0;
    memset(&f, 0, sizeof f);
    f.seq.v = n;
    f.source_port = (uint16_t)(1024 + n);
    f.destination_port = PORT;
    f.flags = WEIR_SYN;
    (void)weir_emit_header(packet + 20, &f);
    if (n % 2 == 0) {
        weir_emit_checksum(packet + 20, 20, &pseudo);
    }
    for (unsigned i = 0; i < 20; i += 2) {
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
    w->refused += weir_stack_input(w->s[1], packet, sizeof packet, w->now) != WEIR_OK;
}

static void serve(struct world *w, unsigned n, weir_handle conn)
{
    weir_conn *c = weir_stack_conn(w->s[n], conn);
    uint8_t room[4096];
    size_t count = 0;
    if (c == NULL) {
        w->fault = "the connection is gone";
    } else if (n == 0) {
        weir_slice text = {room, sizeof room};
        memset(room, 0x61, sizeof room);
        (void)weir_send(c, text, 0, &count, w->now);
    } else {
        while (weir_recv(c, room, sizeof room, &count, w->now) == WEIR_ERR_NONE && count > 0) {
            w->octets += count;
        }
    }
}

/* What one bare connection has to say goes to the other. */
static unsigned pass(weir_conn *from, weir_conn *to, weir_us now)
{
    uint8_t octets[2048];
    weir_out out;
    weir_view v;
    unsigned passed = 0;
    weir_expire(from, now);
    while (weir_poll(from, &out, now) > 0) {
        size_t len = weir_out_copy(&out, octets, sizeof octets);
        if (weir_view_segment(&v, octets, len, NULL) == WEIR_OK) {
            (void)weir_input(to, &v, now);
        }
        passed++;
    }
    return passed;
}

/* Two bare connections open, pass a text and close; the octets that arrived. */
static size_t bare(weir_us now)
{
    static _Thread_local uint64_t memory[2][4096];
    uint8_t room[1000] = {0};
    weir_slice text = {room, sizeof room};
    weir_sizes sizes = {4096, 4096};
    weir_conn c[2];
    size_t count = 0;
    for (unsigned n = 0; n < 2; n++) {
        weir_tuple tuple = {host(n), host(!n), (uint16_t)(PORT + n), (uint16_t)(PORT + !n)};
        weir_buffers b;
        if (!weir_buffers_carve(&b, memory[n], sizeof memory[n], sizes) || weir_init(&c[n], shared, &b, now) != WEIR_ERR_NONE ||
            (n == 0 ? weir_connect(&c[n], &tuple, now) : weir_listen(&c[n], &tuple, now)) != WEIR_ERR_NONE) {
            return 0;
        }
    }
    (void)weir_send(&c[0], text, 0, &count, now);
    for (unsigned turn = 0; turn < 2; turn++) {
        while (pass(&c[0], &c[1], now) + pass(&c[1], &c[0], now) > 0) {
        }
        (void)weir_close(&c[0], now);
    }
    (void)weir_recv(&c[1], room, sizeof room, &count, now);
    return count;
}

static void *run(void *argument)
{
    struct world *w = argument;
    weir_listen_spec spec;
    weir_handle listener, conn;
    weir_ready ready;
    weir_tuple tuple;
    memset(&spec, 0, sizeof spec);
    memset(&tuple, 0, sizeof tuple);
    spec.port = PORT;
    tuple.remote = host(1);
    tuple.remote_port = PORT;
    for (unsigned turn = 0; turn < BARE; turn++) { /* side by side, and often: the detector remembers few accesses of a word */
        if (!w->alone) {
            (void)pthread_barrier_wait(&together);
        }
        w->fault = bare(w->now) == 1000 ? w->fault : "the bare connections came to nothing";
    }
    w->s[0] = stack_new(w, 0);
    w->s[1] = stack_new(w, 1);
    if (w->s[0] == NULL || w->s[1] == NULL || weir_stack_listen(w->s[1], &spec, &listener) != WEIR_ERR_NONE ||
        weir_stack_connect(w->s[0], &tuple, &conn, w->now) != WEIR_ERR_NONE) {
        w->fault = "it did not begin";
        return NULL;
    }
    for (unsigned turn = 0; turn < 20000 && w->octets < OCTETS && w->fault == NULL; turn++) {
        w->now += 1000;
        weir_stack_expire(w->s[0], w->now);
        weir_stack_expire(w->s[1], w->now);
        while (carry(w, 0) + carry(w, 1) > 0) {
        }
        if (w->flooded && turn > 10 && turn < 10 + FLOOD) {
            flood(w, turn);
        }
        serve(w, 0, conn);
        while (weir_stack_ready(w->s[1], &ready)) {
            serve(w, 1, ready.conn);
        }
    }
    if (w->octets < OCTETS && w->fault == NULL) {
        w->fault = "the text did not arrive";
    }
    return NULL;
}

static int judge(const struct world *w)
{
    for (unsigned i = 0; i < THREADS; i++) {
        if (w[i].fault != NULL) {
            printf("threads: thread %u: %s\n", i, w[i].fault);
            return 1;
        }
    }
    if (w[0].hash != w[THREADS].hash) {
        printf("threads: what a stack said depends on what another thread did\n");
        return 1;
    }
    if (w[1].refused == 0) {
        printf("threads: the flood filled nothing\n");
        return 1;
    }
    printf("threads: equal, %llu octets each, %llu segments of the flood refused\n", (unsigned long long)w[0].octets,
           (unsigned long long)w[1].refused);
    return 0;
}

/* Two worlds at once, one of them flooded; then the calm one again, alone. */
int main(void)
{
    static struct world w[THREADS + 1];
    pthread_t thread[THREADS];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (sizeof *shared + page - 1) / page * page;
    weir_config *config = aligned_alloc(page, size);
    if (config == NULL) {
        return 2;
    }
    weir_config_internet(config);
    memset(config->secret, 0x44, sizeof config->secret);
    shared = config;
    if (mprotect(config, size, PROT_READ) != 0 || pthread_barrier_init(&together, NULL, THREADS) != 0) {
        return 2;
    }
    for (unsigned i = 0; i <= THREADS; i++) {
        w[i].now = 1000000;
        w[i].flooded = i == 1;
        w[i].hash = UINT64_C(14695981039346656037);
        w[i].alone = i == THREADS;
    }
    for (unsigned i = 0; i < THREADS; i++) {
        if (pthread_create(&thread[i], NULL, run, &w[i]) != 0) {
            return 2;
        }
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    (void)run(&w[THREADS]);
    int bad = judge(w);
    for (unsigned i = 0; i <= THREADS; i++) {
        free(w[i].memory[0]);
        free(w[i].memory[1]);
    }
    return bad;
}
