/* super.c - super-segments: bulk transfer in packets of up to 64 KiB without checksums, as over a device that cuts, joins and sums; and what
 * memory a connection takes.
 *
 * One piece of 64 KiB at a time is written, sent, taken and read, so that all of it stays near, as for a program over Linux' loopback device. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "weir/stack.h"

enum { SUPER_APP = 1 << 16, SUPER_RING = 1 << 18, SUPER_PACKET = 1 << 17, SUPER_TURN_US = 100, SUPER_MANY = 1 << 20 };

struct super {
    weir_stack *end[2];
    weir_handle conn[2];
    weir_us now;
    uint8_t *app, *user, *packet;
    unsigned long octets;
};

static weir_stack *super_stack(unsigned end)
{
    weir_stack_config cfg;
    weir_stack_config_init(&cfg);
    cfg.tcp.secret[0] = (uint8_t)(1 + end);
    cfg.tcp.gso_max = 65535;
    cfg.tcp.partial_checksum = true;
    cfg.tcp.rx_max = cfg.tcp.tx_max = 0;
    cfg.tcp.nagle = false;
    cfg.addrs[0] = weir_addr_v4(10, 0, 0, (uint8_t)(1 + end));
    cfg.addr_count = 1;
    cfg.connections_max = 4;
    cfg.rings.rx = cfg.rings.tx = SUPER_RING;
    return bench_stack(&cfg);
}

/* All that an end has to say, in one copy each, goes to the other. */
static void super_carry(struct super *w, unsigned from)
{
    weir_out out;
    while (weir_stack_poll(w->end[from], &out, w->now) > 0) {
        weir_offload offload = {true, out.gso_size};
        size_t len = weir_out_copy(&out, w->packet, SUPER_PACKET);
        if (weir_stack_input_offload(w->end[1 - from], w->packet, len, &offload, w->now) != WEIR_OK) {
            bench_fail("a packet was refused");
        }
    }
}

static void super_turn(struct super *w)
{
    weir_slice s = {w->app, SUPER_APP};
    size_t done;
    w->now += SUPER_TURN_US;
    (void)weir_send(weir_stack_conn(w->end[0], w->conn[0]), s, 0, &done, w->now);
    super_carry(w, 0);
    while (weir_recv(weir_stack_conn(w->end[1], w->conn[1]), w->user, SUPER_APP, &done, w->now) == WEIR_ERR_NONE && done > 0) {
        w->octets += done;
    }
    super_carry(w, 1);
    weir_stack_expire(w->end[0], w->now);
    weir_stack_expire(w->end[1], w->now);
}

static unsigned long super_run(void *state, unsigned long count)
{
    struct super *w = state;
    unsigned long first = w->octets;
    while (w->octets - first < count * 1460) {
        super_turn(w);
    }
    return (w->octets - first) / 1460;
}

static void *super_open(unsigned long param)
{
    struct super *w = bench_memory(sizeof *w);
    weir_tuple tuple = {0};
    weir_ready ready;
    (void)param;
    w->app = bench_memory(SUPER_APP);
    w->user = bench_memory(SUPER_APP);
    w->packet = bench_memory(SUPER_PACKET);
    w->end[0] = super_stack(0);
    w->end[1] = super_stack(1);
    tuple.remote = weir_addr_v4(10, 0, 0, 2);
    tuple.remote_port = 80;
    if (weir_stack_connect(w->end[0], &tuple, &w->conn[0], w->now) != WEIR_ERR_NONE) {
        bench_fail("no connection can be opened");
    }
    super_carry(w, 0);
    super_carry(w, 1);
    super_carry(w, 0);
    if (!weir_stack_ready(w->end[1], &ready)) {
        bench_fail("no handshake");
    }
    w->conn[1] = ready.conn;
    (void)super_run(w, 5000); /* slow start is over */
    return w;
}

/* ---- memory ---- */

/* What a stack takes more for each, where `field` is twice a large number instead of once: tables are powers of two. */
static double super_each(weir_stack_config *c, uint32_t *field)
{
    uint32_t before = *field;
    *field = SUPER_MANY;
    size_t less = weir_stack_size(c);
    *field = 2 * SUPER_MANY;
    double each = ((double)weir_stack_size(c) - (double)less) / SUPER_MANY;
    *field = before;
    return each;
}

/* There are fewer of these at most. */
static double super_half(weir_stack_config *c)
{
    c->syn_records_max = 32000;
    size_t less = weir_stack_size(c);
    c->syn_records_max = 64000;
    double each = ((double)weir_stack_size(c) - (double)less) / 32000;
    c->syn_records_max = 0;
    return each;
}

/* The configured maximum is the actual one: there is no other memory. `rings`: of a connection that holds something. */
void bench_memory_tell(bool json)
{
    weir_stack_config c;
    weir_stack_config_init(&c);
    c.tcp.secret[0] = 1;
    c.addrs[0] = weir_addr_v4(10, 0, 0, 1);
    c.addr_count = 1;
    c.connections_max = 4;
    c.time_wait_max = 0;
    c.busy_max = 2;
    c.rings.rx = c.rings.tx = 4096;
    c.ring_memory = (uint64_t)64 * weir_buffers_size(c.rings);
    double idle = super_each(&c, &c.connections_max), wait = super_each(&c, &c.time_wait_max), half = super_half(&c);
    c.connections_max = 4 * SUPER_MANY;
    double busy = super_each(&c, &c.busy_max);
    const char *row = json ? "%s  {\"case\": \"memory, %s\", \"unit\": \"octets\", \"octets\": %.1f}" : "%s%-32s %10.1f octets";
    const char *next = json ? ",\n" : "\n";
    printf(row, json ? "[\n" : "", "idle", idle);
    printf(row, next, "in TIME-WAIT", wait);
    printf(row, next, "half open, a cookie", 0.0);
    printf(row, next, "half open, of many", half);
    printf(row, next, "half open, of few, packed", idle);
    printf(row, next, "at work", idle + busy);
    printf(row, next, "the same with rings of 4 KiB", idle + busy + (double)weir_buffers_size(c.rings));
    printf("%s", json ? "\n]\n" : "\n");
}

const struct bench_case bench_super[] = {
    {"super-segments", "1460 octets", "floor C 64240", super_open, super_run, 65535, 40000, 8000, 1},
    {0}};
