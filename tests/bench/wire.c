/* wire.c - headers alone: octets to fields, without a checksum. */
#include <string.h>

#include "bench.h"
#include "weir/weir.h"

struct wire {
    uint8_t octets[64];
    size_t len;
    weir_view view;
};

static void *wire_open(unsigned long options)
{
    static const uint8_t list[32] = {1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4};
    struct wire *w = bench_memory(sizeof *w);
    w->len = 20 + options;
    w->octets[1] = w->octets[3] = 80;
    w->octets[12] = (uint8_t)(w->len / 4 << 4);
    w->octets[13] = 0x10;
    memcpy(w->octets + 20, list, options);
    return w;
}

static unsigned long wire_run(void *state, unsigned long count)
{
    struct wire *w = state;
    for (unsigned long i = 0; i < count; i++) {
        __asm__ volatile("" ::"r"(w) : "memory");
        if (weir_view_segment(&w->view, w->octets, w->len, NULL) != WEIR_OK) {
            bench_fail("a header does not read");
        }
    }
    return count;
}

const struct bench_case bench_wire[] = {
    {"parse timestamps, 2 SACK", "header", NULL, wire_open, wire_run, 32, 300000, 1000, 1},
    {"parse timestamps", "header", NULL, wire_open, wire_run, 12, 300000, 1000, 1},
    {"parse no options", "header", NULL, wire_open, wire_run, 0, 300000, 0, 1},
    {0}};
