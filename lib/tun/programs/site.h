/* site.h - what `weir-tun http` serves: files beneath one folder, or made-up octets. Knows no connection. */
#ifndef WEIR_TUN_SITE_H
#define WEIR_TUN_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_site {
    int folder; /* -1: synthetic */
    uint64_t synthetic_len, seed;
    uint64_t serial; /* of the next upload */
};

/* An upload on its way: a file with a name of its own that takes its real name when it is whole. */
struct site_part {
    int folder, file; /* -1: none */
    char name[64], target[256];
    bool replaces;
};

/* For reading. Returns the descriptor, or the HTTP status negated. Symbolic links are not followed. */
int site_open(const struct http_site *site, const char *path, uint64_t *len);
/* Begins an upload; 200 or an HTTP status. */
int site_part_begin(struct http_site *site, const char *path, struct site_part *part);
/* 200, or 507 and its like. */
int site_part_write(struct site_part *part, const uint8_t *octets, size_t len);
/* Gives the file its name: 201, 204 if it took another's place, or 500. */
int site_part_finish(struct site_part *part);
void site_part_drop(struct site_part *part);

/* The octets [at, at + len) of the endless stream of a seed: any part of it can be made by itself. */
void site_synthetic(uint64_t seed, uint64_t at, uint8_t *octets, size_t len);

#endif
