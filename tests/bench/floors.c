/* floors.c - what nobody can do without: the octets of each segment are moved and summed as often as a stack must, over windows of the same
 * size, with headers written and read, and no protocol.
 *
 * B: a copying API, copy and sum in one pass on both sides. C: the copies of B without sums. D: no copies at the ends. F: headers only.
 * Written apart from lib/wire, so that a slow checksum there is no excuse for a slow floor. */
#include <string.h>

#include "bench.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FLOOR_TARGET __attribute__((target("avx2")))
#else
#define FLOOR_TARGET
#endif

enum { FLOOR_WINDOW = 1 << 18, FLOOR_APP = 1 << 16, FLOOR_HEADER = 40 };

struct floor {
    uint8_t *sent, *received, *app, *user, *slots;
    size_t mss, slot, count;
    uint64_t sink;
    char kind;
};

#if defined(__x86_64__)
struct floor_lanes {
    __m256i low, high;
};

FLOOR_TARGET static inline void floor_take(struct floor_lanes *l, __m256i v)
{
    l->low = _mm256_add_epi64(l->low, v);
    l->high = _mm256_add_epi64(l->high, _mm256_srli_epi64(v, 32));
}

FLOOR_TARGET static uint64_t floor_fold(const struct floor_lanes *a, const struct floor_lanes *b)
{
    uint64_t low[4], high[4], sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)low, _mm256_add_epi64(a->low, b->low));
    _mm256_storeu_si256((__m256i *)(void *)high, _mm256_add_epi64(a->high, b->high));
    for (unsigned i = 0; i < 4; i++) {
        sum += low[i] - (high[i] << 32) + high[i];
    }
    return sum;
}

FLOOR_TARGET static uint64_t floor_sum(const uint8_t *from, uint8_t *to, size_t len)
{
    struct floor_lanes a = {_mm256_setzero_si256(), _mm256_setzero_si256()}, b = a;
    size_t at = 0;
    for (; at + 64 <= len; at += 64) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(from + at));
        __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(from + at + 32));
        if (to != NULL) {
            _mm256_storeu_si256((__m256i *)(void *)(to + at), x);
            _mm256_storeu_si256((__m256i *)(void *)(to + at + 32), y);
        }
        floor_take(&a, x);
        floor_take(&b, y);
    }
    uint64_t sum = floor_fold(&a, &b);
    for (; at + 4 <= len; at += 4) { /* every length here is a multiple */
        uint32_t word;
        memcpy(&word, from + at, 4);
        if (to != NULL) {
            memcpy(to + at, &word, 4);
        }
        sum += word;
    }
    return sum;
}
#else
static uint64_t floor_sum(const uint8_t *from, uint8_t *to, size_t len)
{
    uint64_t sum = 0;
    for (size_t at = 0; at + 4 <= len; at += 4) {
        uint32_t word;
        memcpy(&word, from + at, 4);
        sum += word;
    }
    if (to != NULL) {
        memcpy(to, from, len);
    }
    return sum;
}
#endif

static void floor_header(struct floor *f, uint8_t *header, uint32_t seq)
{
    memset(header, 0, FLOOR_HEADER);
    header[0] = 0x45;
    memcpy(header + 24, &seq, sizeof seq);
    uint64_t sum = floor_sum(header, NULL, 20);
    memcpy(header + 10, &sum, 2);
    f->sink += sum;
}

static void floor_send(struct floor *f, size_t i)
{
    uint8_t *slot = f->slots + i * f->slot, *app = f->app + i * f->mss % FLOOR_APP;
    floor_header(f, slot, (uint32_t)(i * f->mss));
    if (f->kind == 'B') {
        memcpy(f->sent + i * f->mss, app, f->mss);
        f->sink += floor_sum(f->sent + i * f->mss, slot + FLOOR_HEADER, f->mss) + floor_sum(slot + 20, NULL, 20);
    } else if (f->kind == 'D') {
        f->sink += floor_sum(app, slot + FLOOR_HEADER, f->mss) + floor_sum(slot + 20, NULL, 20);
    } else if (f->kind == 'C') {
        memcpy(f->sent + i * f->mss, app, f->mss);
        memcpy(slot + FLOOR_HEADER, f->sent + i * f->mss, f->mss);
    }
}

static void floor_receive(struct floor *f, size_t i)
{
    uint8_t *slot = f->slots + i * f->slot;
    uint32_t seq;
    memcpy(&seq, slot + 24, sizeof seq);
    f->sink += seq + floor_sum(slot, NULL, 20);
    if (f->kind == 'B') {
        f->sink += floor_sum(slot + FLOOR_HEADER, f->received + i * f->mss, f->mss) + floor_sum(slot + 20, NULL, 20);
        memcpy(f->user + i * f->mss % FLOOR_APP, f->received + i * f->mss, f->mss);
    } else if (f->kind == 'D') {
        f->sink += floor_sum(slot + 20, NULL, 20 + f->mss);
    } else if (f->kind == 'C') {
        memcpy(f->received + i * f->mss, slot + FLOOR_HEADER, f->mss);
        memcpy(f->user + i * f->mss % FLOOR_APP, f->received + i * f->mss, f->mss);
    }
}

static unsigned long floor_run(void *state, unsigned long count)
{
    struct floor *f = state;
    unsigned long done = 0;
    while (done < count) {
        for (size_t i = 0; i < f->count; i++) {
            floor_send(f, i);
        }
        for (size_t i = 0; i < f->count; i++) {
            floor_receive(f, i);
        }
        done += f->count;
    }
    return done;
}

static void *floor_open(char kind, size_t mss)
{
    struct floor *f = bench_memory(sizeof *f);
    f->kind = kind;
    f->mss = mss;
    f->slot = (mss + FLOOR_HEADER + 127) & ~(size_t)63;
    f->count = FLOOR_WINDOW / mss < 179 ? FLOOR_WINDOW / mss : 179;
    f->sent = bench_memory(FLOOR_WINDOW + mss);
    f->received = bench_memory(FLOOR_WINDOW + mss);
    f->app = bench_memory(FLOOR_APP + mss);
    f->user = bench_memory(FLOOR_APP + mss);
    f->slots = bench_memory(f->slot * f->count);
    memset(f->app, 3, FLOOR_APP);
    return f;
}

static void *floor_open_b(unsigned long mss)
{
    return floor_open('B', mss);
}

static void *floor_open_c(unsigned long mss)
{
    return floor_open('C', mss);
}

static void *floor_open_d(unsigned long mss)
{
    return floor_open('D', mss);
}

static void *floor_open_f(unsigned long mss)
{
    return floor_open('F', mss);
}

const struct bench_case bench_floors[] = {
    {"floor B 1460", "segment", NULL, floor_open_b, floor_run, 1460, 20000, 716, 1},
    {"floor D 1460", "segment", NULL, floor_open_d, floor_run, 1460, 20000, 716, 1},
    {"floor B 8960", "segment", NULL, floor_open_b, floor_run, 8960, 4000, 0, 1},
    {"floor D 8960", "segment", NULL, floor_open_d, floor_run, 8960, 4000, 0, 1},
    {"floor C 64240", "1460 octets", NULL, floor_open_c, floor_run, 64240, 1000, 0, 44},
    {"floor F", "segment", NULL, floor_open_f, floor_run, 1460, 100000, 716, 1},
    {0}};
