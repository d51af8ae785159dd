/* seq.h - arithmetic modulo 2^32 on sequence numbers (RFC 9293 3.4). Knows nothing else. */
#ifndef WEIRI_SEQ_H
#define WEIRI_SEQ_H

#include "wire/base.h"

static inline weir_seq seq_of(uint32_t v)
{
    weir_seq s;
    s.v = v;
    return s;
}

static inline weir_seq seq_add(weir_seq a, uint32_t n)
{
    return seq_of(a.v + n);
}

static inline weir_seq seq_sub(weir_seq a, uint32_t n)
{
    return seq_of(a.v - n);
}

/* How far b lies beyond a, modulo 2^32. */
static inline uint32_t seq_diff(weir_seq a, weir_seq b)
{
    return b.v - a.v;
}

static inline bool seq_eq(weir_seq a, weir_seq b)
{
    return a.v == b.v;
}

static inline bool seq_lt(weir_seq a, weir_seq b)
{
    return (int32_t)(a.v - b.v) < 0;
}

static inline bool seq_leq(weir_seq a, weir_seq b)
{
    return (int32_t)(a.v - b.v) <= 0;
}

static inline weir_seq seq_min(weir_seq a, weir_seq b)
{
    return seq_lt(a, b) ? a : b;
}

static inline weir_seq seq_max(weir_seq a, weir_seq b)
{
    return seq_lt(a, b) ? b : a;
}

/* from =< s < from + len: exact for every len up to 2^32 - 1, unlike two signed comparisons. */
static inline bool seq_in(weir_seq s, weir_seq from, uint32_t len)
{
    return s.v - from.v < len;
}

#endif /* WEIRI_SEQ_H */
