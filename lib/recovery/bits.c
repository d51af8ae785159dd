/* bits.c - a set of numbers below a bound, in memory that the caller lent: put in, take out, find the next.
 *
 * Knows nothing of what the numbers mean. A word holds 32 of them; above each layer of words lies one that says which of them are not
 * empty, up to a single word. So each call looks at one word of a layer, or two, and there are at most four layers: a set of thousands
 * costs hardly more than a set of ten, whatever was put in. */
#include "recovery/recovery.h"

#if WEIR_WITH_LARGE_BOARD

#define BITS_LAYERS 4 /* 32^4 is more than any `bound` */

static uint32_t bits_layer(uint32_t bound)
{
    return (bound + 31) / 32;
}

WEIR_PRIVATE uint32_t weiri_bits_words(uint32_t bound)
{
    uint32_t words = 0, size = bound;
    do {
        size = bits_layer(size);
        words += size;
    } while (size > 1);
    return words;
}

WEIR_PRIVATE void weiri_bits_fill(uint32_t *set, uint32_t bound)
{
    for (uint32_t size = bound; size > 0; size = size > 32 ? bits_layer(size) : 0) { /* a layer each */
        memset(set, 0xff, size / 32 * sizeof *set);
        set += size / 32;
        if (size % 32 > 0) {
            *set++ = (UINT32_C(1) << size % 32) - 1;
        }
    }
}

WEIR_PRIVATE void weiri_bits_put(uint32_t *set, uint32_t bound, uint32_t i)
{
    bool empty = true;
    for (uint32_t size = bound; empty; i /= 32) { /* a layer each */
        empty = set[i / 32] == 0 && size > 32;
        set[i / 32] |= UINT32_C(1) << i % 32;
        size = bits_layer(size);
        set += size;
    }
}

WEIR_PRIVATE void weiri_bits_take(uint32_t *set, uint32_t bound, uint32_t i)
{
    bool empty = true;
    for (uint32_t size = bound; empty; i /= 32) { /* a layer each */
        set[i / 32] &= ~(UINT32_C(1) << i % 32);
        empty = set[i / 32] == 0 && size > 32;
        size = bits_layer(size);
        set += size;
    }
}

WEIR_PRIVATE uint32_t weiri_bits_next(const uint32_t *set, uint32_t bound, uint32_t i)
{
    const uint32_t *layers[BITS_LAYERS];
    unsigned layer = 0;
    uint32_t size = bound;
    while (i >= size || set[i / 32] >> i % 32 == 0) { /* nothing more in this word: the next that is not empty, a layer up */
        if (size <= 32) {
            return WEIRI_BITS_NONE;
        }
        layers[layer++] = set;
        i = i / 32 + 1;
        size = bits_layer(size);
        set += size;
    }
    i += (unsigned)__builtin_ctz(set[i / 32] >> i % 32);
    while (layer > 0) {
        set = layers[--layer];
        i = i * 32 + (unsigned)__builtin_ctz(set[i]);
    }
    return i;
}

#undef BITS_LAYERS

#endif /* WEIR_WITH_LARGE_BOARD */
