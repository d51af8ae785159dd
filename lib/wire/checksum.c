/* checksum.c - the Internet checksum (RFC 1071), alone or fused with a copy. Knows octets, and the pseudo-headers of
 * IPv4 and IPv6 (RFC 9293 3.1, RFC 8200 8.1). Does not know where a checksum stands in a packet.
 *
 * All sums are residues modulo 2^16 - 1 carried in a wider word in the machine's own octet order. 2^16 - 1 divides
 * 2^32 - 1 and 2^64 - 1, so wide words may be added with their carries brought round (RFC 1071 2(C)), folded as late
 * as possible, and octet order matters only once, in weiri_sum_finish (RFC 1071 2(B)).
 *
 * Three forms of one loop. Portable: words of the machine, carries counted apart. SSE2: of every 64-bit lane, the sum
 * modulo 2^64 and the exact sum of the upper halves; the exact sum of the lower halves follows from the two, so that one
 * shift and two additions do for a vector. Exact for up to 2^32 octets. AVX2: the sum modulo 2^64 and about how large it
 * really is, from which follows how many carries were lost: an addition and a mean do for a vector. */
#include "wire/wire.h"

#if defined(__SSE2__) && !defined(WEIR_NO_SIMD) && WEIR_WITH_FAST_CHECKSUM
#define CHECKSUM_SSE2 1
#include <emmintrin.h>
#else
#define CHECKSUM_SSE2 0
#endif

/* The choice at run time needs the compiler's support library, which a freestanding object does not have. */
#if CHECKSUM_SSE2 && defined(WEIR_HOSTED)
#define CHECKSUM_AVX2 1
#include <immintrin.h>
#else
#define CHECKSUM_AVX2 0
#endif

/* `to` is a constant NULL where there is no copy: inlining takes the branch out of the loop. A build may use some forms only. Where
 * coverage is measured each stands once: in a copy with a constant one side of the branch could not be taken. */
#ifdef WEIR_COVERAGE
#define CHECKSUM_ALWAYS
#else
#define CHECKSUM_ALWAYS always_inline,
#endif
#define CHECKSUM_INLINE static inline __attribute__((CHECKSUM_ALWAYS unused))

#if UINTPTR_MAX > 0xffffffffu
typedef uint64_t checksum_word;
#else
typedef uint32_t checksum_word;
#endif

struct checksum_lane {
    checksum_word sum, carries;
};

CHECKSUM_INLINE uint8_t *checksum_at(uint8_t *to, size_t at)
{
    return to != NULL ? to + at : NULL;
}

/* One's complement addition: the carry comes round. */
CHECKSUM_INLINE uint64_t checksum_add(uint64_t a, uint64_t b)
{
    uint64_t sum = a + b;
    return sum + (sum < b ? 1u : 0u);
}

CHECKSUM_INLINE void checksum_lane_add(struct checksum_lane *lane, checksum_word word)
{
    lane->sum += word;
    lane->carries += lane->sum < word ? 1u : 0u;
}

/* The last len & 7 octets. A single octet at the end is the first of a 16-bit word whose second is 0. */
CHECKSUM_INLINE uint64_t checksum_tail(uint8_t *to, const uint8_t *from, size_t len)
{
    uint64_t sum = 0;
    size_t at = 0;

    if (len & 4) {
        uint32_t word;
        memcpy(&word, from, 4);
        if (to != NULL)
            memcpy(to, &word, 4);
        sum += word;
        at = 4;
    }
    if (len & 2) {
        uint16_t word;
        memcpy(&word, from + at, 2);
        if (to != NULL)
            memcpy(to + at, &word, 2);
        sum += word;
        at += 2;
    }
    if (len & 1) {
        uint16_t word = 0;
        memcpy(&word, from + at, 1);
        if (to != NULL)
            to[at] = from[at];
        sum += word;
    }
    return sum;
}

CHECKSUM_INLINE uint64_t checksum_get64(const uint8_t *octets)
{
    uint64_t word;
    memcpy(&word, octets, sizeof word);
    return word;
}

/* What a wide loop has left over: some words of eight octets, and the tail. */
CHECKSUM_INLINE uint64_t checksum_rest(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum)
{
    size_t at = 0;

    for (; len - at >= 8; at += 8) {
        uint64_t word = checksum_get64(from + at);
        if (to != NULL)
            memcpy(to + at, &word, sizeof word);
        sum = checksum_add(sum, word);
    }
    return checksum_add(sum, checksum_tail(checksum_at(to, at), from + at, len - at));
}

CHECKSUM_INLINE uint64_t checksum_portable(uint8_t *to, const uint8_t *from, size_t len)
{
    struct checksum_lane a = {0, 0}, b = {0, 0};
    checksum_word words[4];
    uint64_t sum;
    size_t at = 0;

    for (; len - at >= sizeof words; at += sizeof words) {
        memcpy(words, from + at, sizeof words);
        if (to != NULL)
            memcpy(to + at, words, sizeof words);
        checksum_lane_add(&a, words[0]);
        checksum_lane_add(&b, words[1]);
        checksum_lane_add(&a, words[2]);
        checksum_lane_add(&b, words[3]);
    }
    sum = checksum_add(checksum_add(a.sum, b.sum), (uint64_t)a.carries + b.carries);
    return checksum_rest(checksum_at(to, at), from + at, len - at, sum);
}

#if CHECKSUM_SSE2
/* From the sum of a lane modulo 2^64 and the exact sum of its upper halves. */
CHECKSUM_INLINE uint64_t checksum_halves(uint64_t all, uint64_t upper)
{
    return checksum_add(all - (upper << 32), upper);
}

CHECKSUM_INLINE __m128i checksum_sse2_next(uint8_t *to, const uint8_t *from, size_t at, __m128i *upper)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(from + at));
    if (to != NULL)
        _mm_storeu_si128((__m128i *)(void *)(to + at), v);
    *upper = _mm_add_epi64(*upper, _mm_srli_epi64(v, 32));
    return v;
}

CHECKSUM_INLINE uint64_t checksum_sse2(uint8_t *to, const uint8_t *from, size_t len)
{
    __m128i all = _mm_setzero_si128(), all_2 = all, upper = all, upper_2 = all;
    uint64_t lanes[2], uppers[2], sum;
    size_t at = 0;

    for (; len - at >= 64; at += 64) {
        all = _mm_add_epi64(all, checksum_sse2_next(to, from, at, &upper));
        all_2 = _mm_add_epi64(all_2, checksum_sse2_next(to, from, at + 16, &upper_2));
        all = _mm_add_epi64(all, checksum_sse2_next(to, from, at + 32, &upper));
        all_2 = _mm_add_epi64(all_2, checksum_sse2_next(to, from, at + 48, &upper_2));
    }
    for (; len - at >= 16; at += 16)
        all = _mm_add_epi64(all, checksum_sse2_next(to, from, at, &upper));
    _mm_storeu_si128((__m128i *)(void *)lanes, _mm_add_epi64(all, all_2));
    _mm_storeu_si128((__m128i *)(void *)uppers, _mm_add_epi64(upper, upper_2));
    sum = checksum_add(checksum_halves(lanes[0], uppers[0]), checksum_halves(lanes[1], uppers[1]));
    return checksum_rest(checksum_at(to, at), from + at, len - at, sum);
}
#endif

#if CHECKSUM_AVX2
#define CHECKSUM_AVX2_INLINE static inline __attribute__((CHECKSUM_ALWAYS unused, target("avx2")))
#define CHECKSUM_AVX2_CODE static __attribute__((noinline, target("avx2")))

/* Every lane of `all` is a sum modulo 2^64. What it lost is told by `tops`, about the sum of what stood in the upper 16 bits: it is right
 * to within 2 a vector, and 2^15 of it are half of what one carry is. */
struct checksum_avx2 {
    __m256i all, tops;
};

CHECKSUM_AVX2_INLINE __m256i checksum_avx2_next(struct checksum_avx2 *k, uint8_t *to, const uint8_t *from)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
    if (to != NULL)
        _mm256_storeu_si256((__m256i *)(void *)to, v);
    k->all = _mm256_add_epi64(k->all, v);
    return v;
}

/* The upper 16 bits of two vectors in the mean, rounded: one instruction for each. */
CHECKSUM_AVX2_INLINE __m256i checksum_avx2_two(struct checksum_avx2 *k, uint8_t *to, const uint8_t *from)
{
    __m256i a = checksum_avx2_next(k, to, from);
    return _mm256_avg_epu16(a, checksum_avx2_next(k, checksum_at(to, 32), from + 32));
}

CHECKSUM_AVX2_INLINE __m256i checksum_avx2_four(struct checksum_avx2 *k, uint8_t *to, const uint8_t *from)
{
    __m256i two = checksum_avx2_two(k, to, from);
    return _mm256_avg_epu16(two, checksum_avx2_two(k, checksum_at(to, 64), from + 64));
}

CHECKSUM_AVX2_INLINE void checksum_avx2_note(struct checksum_avx2 *k, __m256i v)
{
    k->tops = _mm256_add_epi64(k->tops, _mm256_srli_epi64(v, 48));
}

/* The last `left` octets of what ends at `end`, fewer than 64, of which those before are known to be there too. */
CHECKSUM_AVX2_INLINE void checksum_avx2_last(struct checksum_avx2 *k, uint8_t *to_end, const uint8_t *end, size_t left)
{
    static const uint64_t keep[16] = {[8] = UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                      UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    const uint8_t *mask = (const uint8_t *)keep + left;
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(end - 64));
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(end - 32));
    if (to_end != NULL) {
        _mm256_storeu_si256((__m256i *)(void *)(to_end - 64), a);
        _mm256_storeu_si256((__m256i *)(void *)(to_end - 32), b);
    }
    a = _mm256_and_si256(a, _mm256_loadu_si256((const __m256i *)(const void *)mask));
    b = _mm256_and_si256(b, _mm256_loadu_si256((const __m256i *)(const void *)(mask + 32)));
    k->all = _mm256_add_epi64(k->all, _mm256_add_epi64(a, b));
    checksum_avx2_note(k, _mm256_avg_epu16(a, b));
}

/* The carries are what tops has more than the lanes. All halves in one word: none of theirs is lost. */
CHECKSUM_AVX2_INLINE uint64_t checksum_avx2_fold(const struct checksum_avx2 *k)
{
    __m256i more = _mm256_add_epi64(_mm256_sub_epi64(k->tops, _mm256_srli_epi64(k->all, 48)), _mm256_set1_epi64x(1 << 15));
    __m256i low = _mm256_blend_epi32(k->all, _mm256_setzero_si256(), 0xaa);
    __m256i sums = _mm256_add_epi64(_mm256_add_epi64(low, _mm256_srli_epi64(k->all, 32)), _mm256_srli_epi64(more, 16));
    uint64_t two[2];
    _mm_storeu_si128((__m128i *)(void *)two, _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)));
    return two[0] + two[1];
}

/* Of 64 octets at least. */
CHECKSUM_AVX2_INLINE uint64_t checksum_avx2_either(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum)
{
    struct checksum_avx2 k = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t left = len & ~(size_t)1;

    for (; left >= 256; left -= 256, from += 256, to = checksum_at(to, 256)) {
        __m256i four = checksum_avx2_four(&k, to, from);
        checksum_avx2_note(&k, _mm256_avg_epu16(four, checksum_avx2_four(&k, checksum_at(to, 128), from + 128)));
    }
    k.tops = _mm256_slli_epi64(k.tops, 1);
    if (left >= 128) {
        checksum_avx2_note(&k, checksum_avx2_four(&k, to, from));
        left -= 128;
        from += 128;
        to = checksum_at(to, 128);
    }
    k.tops = _mm256_slli_epi64(k.tops, 1);
    if (left >= 64) {
        checksum_avx2_note(&k, checksum_avx2_two(&k, to, from));
        left -= 64;
        from += 64;
        to = checksum_at(to, 64);
    }
    if (left > 0)
        checksum_avx2_last(&k, checksum_at(to, left), from + left, left);
    k.tops = _mm256_slli_epi64(k.tops, 1);
    sum = checksum_add(sum, checksum_avx2_fold(&k));
    return len & 1 ? checksum_add(sum, checksum_tail(checksum_at(to, left), from + left, 1)) : sum;
}

CHECKSUM_AVX2_CODE uint64_t checksum_avx2(const uint8_t *from, size_t len, uint64_t sum)
{
    return checksum_avx2_either(NULL, from, len, sum);
}

/* Said, or each step would ask whether there is a copy. */
__attribute__((nonnull)) CHECKSUM_AVX2_CODE uint64_t checksum_avx2_copy(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum)
{
    return checksum_avx2_either(to, from, len, sum);
}

/* Below this length the choice costs more than the wider loop saves. */
#define CHECKSUM_AVX2_FROM 256
#define CHECKSUM_AVX2_MAX ((size_t)1 << 18) /* so many carries can be told for certain */

static bool checksum_avx2_here(size_t len)
{
    return len - CHECKSUM_AVX2_FROM <= CHECKSUM_AVX2_MAX - CHECKSUM_AVX2_FROM && __builtin_cpu_supports("avx2") != 0;
}
#endif

#if WEIR_WITH_FAST_CHECKSUM

WEIR_PRIVATE uint64_t weiri_sum(const uint8_t *octets, size_t len, uint64_t sum)
{
#if CHECKSUM_AVX2
    if (checksum_avx2_here(len))
        return checksum_avx2(octets, len, sum);
#endif
#if CHECKSUM_SSE2
    return checksum_add(sum, checksum_sse2(NULL, octets, len));
#else
    return checksum_add(sum, checksum_portable(NULL, octets, len));
#endif
}

WEIR_PRIVATE uint64_t weiri_sum_copy(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum)
{
    if (len == 0) /* an empty slice may be a null pointer */
        return sum;
#if CHECKSUM_AVX2
    if (checksum_avx2_here(len))
        return checksum_avx2_copy(to, from, len, sum);
#endif
#if CHECKSUM_SSE2
    return checksum_add(sum, checksum_sse2(to, from, len));
#else
    return checksum_add(sum, checksum_portable(to, from, len));
#endif
}

#else

/* No carry is lost below 2^48 octets. */
WEIR_PRIVATE uint64_t weiri_sum(const uint8_t *octets, size_t len, uint64_t sum)
{
    for (; len > 1; len -= 2, octets += 2) {
        uint16_t word;
        memcpy(&word, octets, sizeof word);
        sum += word;
    }
    return checksum_add(sum, checksum_tail(NULL, octets, len));
}

WEIR_PRIVATE uint64_t weiri_sum_copy(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum)
{
    if (len == 0) /* an empty slice may be a null pointer */
        return sum;
    memcpy(to, from, len);
    return weiri_sum(to, len, sum);
}

#endif /* WEIR_WITH_FAST_CHECKSUM */

/* A part that begins at an odd offset has its octets in the other halves of the 16-bit words: RFC 1071 2(B) swaps them
 * back, which in a 64-bit one's complement sum is a rotation by eight bits. */
WEIR_PRIVATE uint64_t weiri_sum_join(uint64_t sum, uint64_t part, size_t offset)
{
    if (offset & 1)
        part = (part << 8) | (part >> 56);
    return checksum_add(sum, part);
}

/* A number as the octets of a header, in the machine's order. */
static uint32_t checksum_word32(uint32_t number)
{
    uint8_t octets[4];
    uint32_t word;
    base_put32(octets, number);
    memcpy(&word, octets, sizeof word);
    return word;
}

/* The mapped form of an IPv4 address differs from the address by ten octets of 0 and one word of 0xffff, which is a zero
 * of this arithmetic, and the 32-bit length of IPv6 by a word of 0: one sum serves both families. The result is never
 * the all-zero sum, because the protocol is not 0. */
WEIR_PRIVATE uint64_t weiri_sum_sockets(const weir_addr *one, const weir_addr *other, uint32_t len, uint8_t protocol)
{
    uint64_t sum;

#if WEIR_WITH_FAST_CHECKSUM
    sum = checksum_add(checksum_get64(one->octets), checksum_get64(one->octets + 8));
    sum = checksum_add(sum, checksum_get64(other->octets));
    sum = checksum_add(sum, checksum_get64(other->octets + 8));
#else
    sum = weiri_sum(other->octets, sizeof other->octets, weiri_sum(one->octets, sizeof one->octets, 0));
#endif
    return checksum_add(sum, (uint64_t)checksum_word32(len) + checksum_word32(protocol));
}

WEIR_PRIVATE uint64_t weiri_sum_word(uint32_t number)
{
    return checksum_word32(number);
}

WEIR_PRIVATE uint64_t weiri_sum_tcp(uint32_t len)
{
    return (uint64_t)checksum_word32(len) + checksum_word32(WEIRI_PROTO_TCP);
}

WEIR_PRIVATE uint64_t weiri_sum_pseudo(const weir_pseudo *pseudo, uint32_t len, uint8_t protocol)
{
    return weiri_sum_sockets(&pseudo->source, &pseudo->destination, len, protocol);
}

WEIR_PRIVATE uint16_t weiri_sum_finish(uint64_t sum)
{
    uint8_t octets[2];
    uint16_t folded;
    uint32_t word = (uint32_t)sum, upper = (uint32_t)(sum >> 32);

    word += upper;
    word += word < upper ? 1u : 0u;           /* the carry comes round */
    word = (word & 0xffffu) + (word >> 16);   /* at most 2^17 - 2 */
    folded = (uint16_t)~(word + (word >> 16));
    memcpy(octets, &folded, sizeof octets);
    return base_get16(octets);
}

/* RFC 1624 3 eqn. 3: HC' = ~(~HC + ~m + m'). RFC 1141's form gives the other zero where the sum comes to 0xffff. */
WEIR_PRIVATE uint16_t weiri_checksum_update(uint16_t checksum, uint16_t before, uint16_t after)
{
    uint32_t sum = (uint32_t)(uint16_t)~checksum + (uint16_t)~before + after;

    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)~sum;
}

#undef CHECKSUM_SSE2
#undef CHECKSUM_AVX2
#undef CHECKSUM_INLINE
#undef CHECKSUM_ALWAYS
#undef CHECKSUM_AVX2_INLINE
#undef CHECKSUM_AVX2_CODE
#undef CHECKSUM_AVX2_FROM
#undef CHECKSUM_AVX2_MAX
