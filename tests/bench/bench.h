/* bench.h - what the parts of weir-bench offer each other: cases, each of them some work in units that can be counted. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/stack.h"

/* `open` prepares everything that is not to be measured, `run` then does at least `count` units and answers how many. */
struct bench_case {
    const char *name, *unit;
    const char *beside;                    /* the case that it is set beside; NULL: none */
    void *(*open)(unsigned long param);
    unsigned long (*run)(void *state, unsigned long count);
    unsigned long param, count;            /* units a round */
    unsigned long counted;                 /* units under callgrind; 0: not one of those that CI watches */
    double scale;                          /* units are multiplied by this before they are shown: octets differ */
};

/* The cases of each part; the list ends with a name of NULL. */
extern const struct bench_case bench_floors[], bench_world[], bench_crowd[], bench_wire[], bench_lwip[], bench_loopback[],
    bench_super[];

/* What memory a connection takes, by what it does. */
void bench_memory_tell(bool json);
/* Says what is wrong and ends the program. */
_Noreturn void bench_fail(const char *what);
void *bench_memory(size_t len); /* aligned to a cache line, zero */
uint64_t bench_random(uint64_t *state);
weir_stack *bench_stack(const weir_stack_config *cfg); /* one that listens on port 80; what cannot be made ends the program */

/* A packet without text and options of peer number i, at an address and a port of its own, to 10.0.0.1 port 80. */
enum { BENCH_PACKET = 40, BENCH_PORTS = 50000, BENCH_BATCH = 64 }; /* 64 packets at once: as weir-tun moves them */
void bench_packet(uint8_t *packet, unsigned long i, uint8_t flags, uint32_t seq, uint32_t ack);
/* Its handshake with that stack, and then it is idle; the stack's next octet. */
uint32_t bench_idle(weir_stack *s, unsigned long i, weir_us now);

#endif
