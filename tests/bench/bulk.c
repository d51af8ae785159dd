/* bulk.c - one connection, both ends in one thread, everything in memory: what a full segment costs, beside a floor that only copies and
 * sums the same octets as often. Ratios count: the two are run by turns, and the median is printed. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir.c"

enum { BULK_ROUNDS = 9, BULK_MSS = 1460, BULK_SEGMENTS = 40000 };

struct bulk {
    weir_conn end[2];
    weir_config cfg;
    weir_tuple tuple[2];
    weir_us now;
    uint8_t packet[2048];
    unsigned long segments;
};

static uint64_t bulk_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void bulk_open(struct bulk *b)
{
    const weir_sizes sizes = {1u << 18, 1u << 18};
    memset(b, 0, sizeof *b);
    weir_config_init(&b->cfg);
    b->cfg.secret[0] = 1;
    b->cfg.nagle = false;
    b->tuple[0].local = b->tuple[1].remote = weir_addr_v4(10, 0, 0, 1);
    b->tuple[0].remote = b->tuple[1].local = weir_addr_v4(10, 0, 0, 2);
    b->tuple[0].local_port = b->tuple[1].remote_port = 1000;
    b->tuple[0].remote_port = b->tuple[1].local_port = 80;
    for (unsigned i = 0; i < 2; i++) {
        weir_buffers buffers;
        size_t len = weir_buffers_size(sizes);
        if (!weir_buffers_carve(&buffers, malloc(len), len, sizes) ||
            weir_init(&b->end[i], &b->cfg, &buffers, b->now) != WEIR_ERR_NONE) {
            fprintf(stderr, "bulk: no connection\n");
            exit(1);
        }
    }
    (void)weir_listen(&b->end[1], &b->tuple[1], b->now);
    (void)weir_connect(&b->end[0], &b->tuple[0], b->now);
}

/* Everything one end has to say reaches the other. */
static bool bulk_move(struct bulk *b, unsigned from)
{
    weir_pseudo pseudo = {b->tuple[from].local, b->tuple[from].remote};
    weir_out out;
    weir_view view;
    bool any = false;
    while (weiri_out_open(&b->end[from], &out, b->now) > 0) {
        size_t len = weiri_out_copy_closed(&out, b->packet + WEIR_IP_HEADER_MAX);
        if (weir_view_segment(&view, b->packet + WEIR_IP_HEADER_MAX, len, &pseudo) != WEIR_OK) {
            fprintf(stderr, "bulk: a segment does not read\n");
            exit(1);
        }
        b->segments += view.payload_len > 0;
        (void)weir_input(&b->end[1 - from], &view, b->now);
        any = true;
    }
    return any;
}

static double bulk_weir(struct bulk *b)
{
    static uint8_t data[65536];
    unsigned long until = b->segments + BULK_SEGMENTS;
    uint64_t start = bulk_ns(), first = b->segments;
    while (b->segments < until) {
        size_t done;
        weir_slice s = {data, sizeof data};
        (void)weir_send(&b->end[0], s, 0, &done, b->now);
        bool moved = bulk_move(b, 0);
        while (weir_recv(&b->end[1], data, sizeof data, &done, b->now) == WEIR_ERR_NONE && done > 0) {
        }
        if (!bulk_move(b, 1) && !moved) {
            b->now += 1000;
            weir_expire(&b->end[0], b->now);
            weir_expire(&b->end[1], b->now);
        }
    }
    return (double)(bulk_ns() - start) / (double)(b->segments - first);
}

/* In: a copy with its sum. Out: a sum, then a copy. As often as above, over a window of the same size. */
static double bulk_floor(void)
{
    static uint8_t from[1 << 18], wire[2048], to[1 << 18];
    volatile uint64_t sum = 0;
    uint64_t start = bulk_ns();
    for (unsigned i = 0; i < BULK_SEGMENTS; i++) {
        size_t at = (size_t)i * BULK_MSS % (sizeof from - BULK_MSS);
        memcpy(from + at, wire, BULK_MSS); /* SEND */
        sum += weiri_sum_copy(wire, from + at, BULK_MSS, 0);
        sum += weiri_sum(wire, BULK_MSS, 0);
        memcpy(to + at, wire, BULK_MSS);   /* the receive ring */
        memcpy(wire, to + at, BULK_MSS);   /* RECEIVE */
    }
    (void)sum;
    return (double)(bulk_ns() - start) / BULK_SEGMENTS;
}

static int bulk_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void)
{
    static struct bulk b;
    double weir[BULK_ROUNDS], bare[BULK_ROUNDS], ratio[BULK_ROUNDS];
    bulk_open(&b);
    while (weir_state(&b.end[0]) != WEIR_ESTABLISHED || weir_state(&b.end[1]) != WEIR_ESTABLISHED) {
        (void)bulk_move(&b, 0);
        (void)bulk_move(&b, 1);
    }
    (void)bulk_weir(&b); /* slow start is over */
    for (unsigned i = 0; i < BULK_ROUNDS; i++) {
        weir[i] = bulk_weir(&b);
        bare[i] = bulk_floor();
        ratio[i] = weir[i] / bare[i];
    }
    qsort(weir, BULK_ROUNDS, sizeof *weir, bulk_order);
    qsort(bare, BULK_ROUNDS, sizeof *bare, bulk_order);
    qsort(ratio, BULK_ROUNDS, sizeof *ratio, bulk_order);
    printf("bulk, both ends, copying, MSS %d: ratio to the floor %.2f; median %.0f and %.0f ns a segment\n", BULK_MSS,
           ratio[BULK_ROUNDS / 2], weir[BULK_ROUNDS / 2], bare[BULK_ROUNDS / 2]);
    return 0;
}
