/* siphash.c - SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): the keyed function that
 * RFC 6528 3, RFC 7323 7.1 and RFC 6056 3.3.4 ask for. Knows octets and a key, nothing of what they stand for. */
#include "wire/wire.h"

struct siphash_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* Little-endian whatever the machine is, so that a trace is the same everywhere. */
static inline uint64_t siphash_get64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t siphash_get32(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24;
}

static inline void siphash_round(struct siphash_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
    s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
    s->v0 = siphash_rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
    s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
    s->v2 = siphash_rotate(s->v2, 32);
}

static inline void siphash_absorb(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    siphash_round(s);
    siphash_round(s);
    s->v0 ^= word;
}

WEIR_API uint64_t weir_siphash(const uint8_t key[16], const uint8_t *octets, size_t len)
{
    uint64_t k0 = siphash_get64(key), k1 = siphash_get64(key + 8);
    uint64_t last = (uint64_t)(len & 0xff) << 56;
    struct siphash_state s;
    size_t at = 0;

    /* "somepseudorandomlygeneratedbytes" */
    s.v0 = k0 ^ 0x736f6d6570736575u;
    s.v1 = k1 ^ 0x646f72616e646f6du;
    s.v2 = k0 ^ 0x6c7967656e657261u;
    s.v3 = k1 ^ 0x7465646279746573u;
    for (; len - at >= 8; at += 8)
        siphash_absorb(&s, siphash_get64(octets + at));
    unsigned shift = 0;
    if (WEIR_WITH_PREDICTION && (len & 4)) { /* sockets are 12 octets, or 36 */
        last |= siphash_get32(octets + at);
        at += 4;
        shift = 32;
    }
    for (; at < len; at++, shift += 8)
        last |= (uint64_t)octets[at] << shift;
    siphash_absorb(&s, last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        siphash_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
