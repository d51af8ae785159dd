/* crowd.c - a stack with many idle connections: what a packet to one of them costs, and asking for the next deadline, and time that passes.
 *
 * The other ends are a few words each, and packets are made here: all that is measured is the stack. Connections are opened by real
 * handshakes; the packets, pure acknowledgments of what was acknowledged before, are made beforehand. Where there are more connections than
 * working records, who is idle is packed. */
#include <string.h>

#include "bench.h"
#include "weir/stack.h"

enum { CROWD_BUSY = 4096, CROWD_PACKETS = 1 << 17, CROWD_SLOT = 64, CROWD_RINGS = 4096 };

struct crowd {
    weir_stack *s;
    weir_us now;
    unsigned long connections, at, packets;
    uint32_t *seq;       /* of each connection: what the stack's next octet is */
    uint8_t *octets;     /* of the packets */
    uint64_t sink;
};

static void crowd_take(struct crowd *w, const uint8_t *packet)
{
    if (weir_stack_input(w->s, packet, BENCH_PACKET, w->now) != WEIR_OK) {
        bench_fail("a packet was refused");
    }
}

uint32_t bench_idle(weir_stack *s, unsigned long i, weir_us now)
{
    uint8_t packet[128];
    weir_ready ready;
    bench_packet(packet, i, WEIR_SYN, 0, 0);
    if (weir_stack_input(s, packet, BENCH_PACKET, now) != WEIR_OK || weir_stack_poll_copy(s, packet, 1500, now) == 0) {
        bench_fail("no answer to a SYN");
    }
    uint32_t seq = ((uint32_t)packet[24] << 24 | (uint32_t)packet[25] << 16 | (uint32_t)packet[26] << 8 | packet[27]) + 1;
    bench_packet(packet, i, WEIR_ACK, 1, seq);
    if (weir_stack_input(s, packet, BENCH_PACKET, now) != WEIR_OK) {
        bench_fail("no handshake");
    }
    while (weir_stack_ready(s, &ready)) {
        (void)weir_stack_want(s, ready.conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED);
    }
    return seq;
}

static void crowd_stack(struct crowd *w)
{
    weir_stack_config cfg;
    weir_err err;
    weir_listen_spec listener = {0};
    weir_handle ignored;
    weir_stack_config_init(&cfg);
    cfg.tcp.secret[0] = 1;
    cfg.addrs[0] = weir_addr_v4(10, 0, 0, 1);
    cfg.addr_count = 1;
    cfg.connections_max = (uint32_t)w->connections;
    cfg.busy_max = w->connections > CROWD_BUSY ? CROWD_BUSY : 0; /* who is idle is packed */
    cfg.time_wait_max = 0;
    cfg.rings.rx = cfg.rings.tx = CROWD_RINGS;
    cfg.ring_memory = 256 * 16384;
    size_t len = weir_stack_size(&cfg);
    w->s = weir_stack_init(bench_memory(len), len, &cfg, 0, &err);
    listener.port = 80;
    if (w->s == NULL || weir_stack_listen(w->s, &listener, &ignored) != WEIR_ERR_NONE) {
        bench_fail("no stack");
    }
}

static struct crowd *crowd_new(unsigned long connections)
{
    struct crowd *w = bench_memory(sizeof *w);
    uint64_t random = 88172645463325252u;
    w->connections = connections;
    w->packets = connections < CROWD_PACKETS ? connections : CROWD_PACKETS;
    w->seq = bench_memory(connections * sizeof *w->seq);
    w->octets = bench_memory(w->packets * CROWD_SLOT);
    crowd_stack(w);
    for (unsigned long i = 0; i < connections; i++) {
        w->now++;
        w->seq[i] = bench_idle(w->s, i, w->now);
    }
    for (unsigned long k = 0; k < w->packets; k++) {
        unsigned long i = bench_random(&random) % connections;
        bench_packet(w->octets + k * CROWD_SLOT, i, WEIR_ACK, 1, w->seq[i]);
    }
    w->now += 3000000; /* what had been begun is over */
    weir_stack_expire(w->s, w->now);
    return w;
}

/* One stack for all the cases of a size. */
static void *crowd_open(unsigned long connections)
{
    static struct crowd *opened[16];
    unsigned k = 0;
    while (k < 15 && opened[k] != NULL && opened[k]->connections != connections) {
        k++;
    }
    opened[k] = opened[k] != NULL ? opened[k] : crowd_new(connections);
    return opened[k];
}

static unsigned long crowd_acks(void *state, unsigned long count)
{
    struct crowd *w = state;
    for (unsigned long k = 0; k < count; k++) {
        crowd_take(w, w->octets + w->at * CROWD_SLOT);
        w->at = w->at + 1 < w->packets ? w->at + 1 : 0;
    }
    return count;
}

static unsigned long crowd_batches(void *state, unsigned long count)
{
    struct crowd *w = state;
    weir_slice packets[BENCH_BATCH];
    enum weir_verdict verdicts[BENCH_BATCH];
    for (unsigned long done = 0; done < count; done += BENCH_BATCH) {
        for (unsigned k = 0; k < BENCH_BATCH; k++) {
            packets[k].octets = w->octets + w->at * CROWD_SLOT;
            packets[k].len = BENCH_PACKET;
            w->at = w->at + 1 < w->packets ? w->at + 1 : 0;
        }
        weir_stack_input_batch(w->s, packets, BENCH_BATCH, verdicts, w->now);
        for (unsigned k = 0; k < BENCH_BATCH; k++) {
            if (verdicts[k] != WEIR_OK) {
                bench_fail("a packet was refused");
            }
        }
    }
    return (count + BENCH_BATCH - 1) / BENCH_BATCH * BENCH_BATCH;
}

static unsigned long crowd_deadlines(void *state, unsigned long count)
{
    struct crowd *w = state;
    for (unsigned long k = 0; k < count; k++) {
        w->sink += weir_stack_deadline(w->s);
    }
    return count;
}

static unsigned long crowd_ticks(void *state, unsigned long count)
{
    struct crowd *w = state;
    for (unsigned long k = 0; k < count; k++) {
        weir_stack_expire(w->s, ++w->now);
    }
    return count;
}

/* ---- the floor: what memory alone takes of that ------------------------------------------------------------------------------------- */

struct crowd_lines {
    uint8_t *octets; /* a cache line each */
    unsigned long count;
    uint32_t turn, sink;
};

static void *crowd_lines_open(unsigned long count)
{
    struct crowd_lines *w = bench_memory(sizeof *w);
    w->count = count;
    w->octets = bench_memory(count * CROWD_SLOT);
    return w;
}

static const uint8_t *crowd_line(struct crowd_lines *w, uint32_t add)
{
    const uint32_t random = (w->turn++ + add) * 2654435761u;
    return w->octets + ((uint64_t)random * w->count >> 32) * CROWD_SLOT;
}

/* Two lines, of which the second is known by the first: a table and a record. */
static unsigned long crowd_two_lines(void *state, unsigned long count)
{
    struct crowd_lines *w = state;
    for (unsigned long k = 0; k < 2 * count; k++) {
        w->sink = *crowd_line(w, w->sink);
    }
    return count;
}

/* Four lines a packet, of as many packets as a batch has, all known beforehand. */
static unsigned long crowd_four_lines(void *state, unsigned long count)
{
    struct crowd_lines *w = state;
    for (unsigned long done = 0; done < count; done += BENCH_BATCH) {
        const uint8_t *lines[4 * BENCH_BATCH];
        for (unsigned k = 0; k < 4 * BENCH_BATCH; k++) {
            lines[k] = crowd_line(w, 0);
            __builtin_prefetch(lines[k]);
        }
        for (unsigned k = 0; k < 4 * BENCH_BATCH; k++) {
            w->sink += *lines[k];
        }
    }
    return (count + BENCH_BATCH - 1) / BENCH_BATCH * BENCH_BATCH;
}

#define CROWD_ROWS(n, counted)                                                                                                  \
    {"ACK, " #n " idle", "packet", "ACK, 1 idle", crowd_open, crowd_acks, n, 100000, counted, 1},                                \
    {"ACK in batches, " #n " idle", "packet", "ACK, " #n " idle", crowd_open, crowd_batches, n, 100000, 0, 1},                   \
    {"deadline, " #n " idle", "query", "deadline, 1 idle", crowd_open, crowd_deadlines, n, 100000, 0, 1},                        \
    {"tick, " #n " idle", "call", "tick, 1 idle", crowd_open, crowd_ticks, n, 100000, 0, 1}

const struct bench_case bench_crowd[] = {
    CROWD_ROWS(1, 5000), CROWD_ROWS(100, 5000), CROWD_ROWS(10000, 5000), CROWD_ROWS(100000, 0), CROWD_ROWS(1000000, 0),
    {"floor, 2 lines of 1000000", "packet", NULL, crowd_lines_open, crowd_two_lines, 1000000, 100000, 0, 1},
    {"floor in batches, 4 of 1000000", "packet", NULL, crowd_lines_open, crowd_four_lines, 1000000, 100000, 0, 1},
    {0}};

#undef CROWD_ROWS
