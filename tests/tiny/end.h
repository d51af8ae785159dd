/* end.h - one end of a connection as octets in, octets out: so that ends of different builds of weir meet in one program (pair.c). */
#ifndef TINY_END_H
#define TINY_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct end_ops {
    size_t size; /* of the memory that `begin` is given, aligned to 8 */
    bool (*begin)(void *memory, bool active, uint32_t seed);
    void (*input)(void *memory, const uint8_t *segment, size_t len, uint64_t now);
    size_t (*poll)(void *memory, uint8_t *segment, size_t cap, uint64_t now);
    uint64_t (*deadline)(const void *memory);
    size_t (*write)(void *memory, const uint8_t *octets, size_t len, uint64_t now); /* how many were taken */
    size_t (*read)(void *memory, uint8_t *octets, size_t cap, bool *over, uint64_t now);
    void (*close)(void *memory, uint64_t now);
    bool (*done)(const void *memory, bool *well); /* CLOSED, or in TIME-WAIT */
};

extern const struct end_ops end_whole, end_tiny;

#endif /* TINY_END_H */
