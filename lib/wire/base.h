/* base.h - octet access and the assertion forms. Knows nothing of TCP. */
#ifndef WEIRI_BASE_H
#define WEIRI_BASE_H

#include <string.h>

#include "weir/weir.h"

/* Functions that cross files but not the library: static in the one-unit build (lib/weir.c, the single header). */
#ifndef WEIR_PRIVATE
#define WEIR_PRIVATE extern
#endif

/* WEIR_ASSERT: proven to hold; checked in debug, test and fuzz builds. Octets from the network never reach one.
 * WEIR_HOLDS:  an invariant's words, NULL while it holds; the same. Who wants to read the words, as fuzz/fuzz.h does, brings a form.
 * WEIR_NEVER:  believed impossible, handled all the same in one line; constant in the coverage build.
 * WEIR_COVER:  nothing in production; in the coverage build both outcomes must be exercised by the tests. */
#if defined(WEIR_DEBUG) && !defined(WEIR_COVERAGE)
#define WEIR_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define WEIR_ASSERT(condition) ((void)(0 && (condition))) /* compiled, never run: what it calls is not left unused */
#endif
#ifndef WEIR_HOLDS
#define WEIR_HOLDS(words) WEIR_ASSERT((words) == NULL)
#endif
#ifdef WEIR_COVERAGE
#define WEIR_NEVER(condition) (0 && (condition))
#define WEIR_COVER(condition) ((condition) ? (void)weiri_cover : (void)0)
static volatile int weiri_cover = 0;
#elif defined(WEIR_DEBUG)
#define WEIR_NEVER(condition) ((condition) ? (__builtin_trap(), 1) : 0)
#define WEIR_COVER(condition) ((void)0)
#else
#define WEIR_NEVER(condition) (condition)
#define WEIR_COVER(condition) ((void)0)
#endif

static inline uint16_t base_get16(const uint8_t *p)
{
    return (uint16_t)(((unsigned)p[0] << 8) | p[1]);
}

static inline uint32_t base_get32(const uint8_t *p)
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline void base_put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void base_put32(uint8_t *p, uint32_t v)
{
    base_put16(p, v >> 16);
    base_put16(p + 2, v);
}

static inline uint32_t base_min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t base_max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline weir_us base_min_us(weir_us a, weir_us b)
{
    return a < b ? a : b;
}

/* (a * b + plus) / c with the product in 64 bits; UINT32_MAX where it does not fit. c > 0. A machine of 32 bits has no such division, and
 * its compiler must not call for one. */
static inline uint32_t base_muldiv(uint32_t a, uint32_t b, uint32_t c, uint32_t plus)
{
    uint64_t product = (uint64_t)a * b + plus;
    uint64_t rest = product >> 32;
    uint32_t low = (uint32_t)product;
    if (rest >= c) {
        return UINT32_MAX;
    }
#if UINTPTR_MAX > 0xffffffffu
    low = (uint32_t)(product / c);
#else
    for (unsigned bit = 0; bit < 32; bit++) { /* one of the quotient each */
        rest = rest << 1 | low >> 31;
        low <<= 1;
        if (rest >= c) {
            rest -= c;
            low |= 1;
        }
    }
#endif
    return low;
}

/* Where code shall be small a call is shorter than what it does. */
#ifdef __OPTIMIZE_SIZE__
#define BASE_CALL static __attribute__((noinline, unused))
#else
#define BASE_CALL static inline
#endif

/* now + span without passing WEIR_FOREVER. */
BASE_CALL weir_us base_after(weir_us now, weir_us span)
{
    return span >= WEIR_FOREVER - now ? WEIR_FOREVER : now + span;
}

#undef BASE_CALL

#endif /* WEIRI_BASE_H */
