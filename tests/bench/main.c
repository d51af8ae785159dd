/* main.c - weir-bench: what segments, connections and headers cost, all in memory, in one thread; beside floors that only move the same
 * octets, and beside other stacks.
 *
 * The cases run by turns, so that a slow moment of the machine meets all of them; what counts are ratios, of one turn each, and their
 * median. Time is that of this thread. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

enum { CASES_MAX = 64, ROUNDS_MAX = 99 };

struct running {
    const struct bench_case *c;
    void *state;
    double ns[ROUNDS_MAX];
};

static struct {
    struct running list[CASES_MAX];
    unsigned count, rounds;
    double scale;
    bool json;
} bench = {.rounds = 9, .scale = 1};

_Noreturn void bench_fail(const char *what)
{
    fprintf(stderr, "weir-bench: %s\n", what);
    exit(1);
}

void *bench_memory(size_t len)
{
    const size_t page = len < 1u << 22 ? 4096 : 1u << 21;
    void *memory = NULL;
    if (posix_memalign(&memory, page, len) != 0) {
        bench_fail("no memory");
    }
    (void)madvise(memory, len, MADV_HUGEPAGE); /* large pages, where there are any: as whoever has a million connections would */
    memset(memory, 0, len);
    return memory;
}

/* xorshift64* */
uint64_t bench_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

static void bench_put(uint8_t *at, unsigned octets, uint32_t value)
{
    while (octets-- > 0) {
        at[octets] = (uint8_t)value;
        value >>= 8;
    }
}

static uint32_t bench_sum(const uint8_t *octets, unsigned len, uint32_t sum)
{
    for (unsigned i = 0; i < len; i += 2) {
        sum += (uint32_t)octets[i] << 8 | octets[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* A packet of peer i, without text and options. */
void bench_packet(uint8_t *p, unsigned long i, uint8_t flags, uint32_t seq, uint32_t ack)
{
    memset(p, 0, BENCH_PACKET);
    p[0] = 0x45;
    p[3] = BENCH_PACKET;
    p[8] = 64;
    p[9] = 6;
    bench_put(p + 12, 4, 0x0a010001 + (uint32_t)(i / BENCH_PORTS));
    bench_put(p + 16, 4, 0x0a000001);
    bench_put(p + 10, 2, ~bench_sum(p, 20, 0));
    bench_put(p + 20, 2, 1024 + (uint32_t)(i % BENCH_PORTS));
    bench_put(p + 22, 2, 80);
    bench_put(p + 24, 4, seq);
    bench_put(p + 28, 4, ack);
    p[32] = 0x50;
    p[33] = flags;
    bench_put(p + 34, 2, 65000);
    bench_put(p + 36, 2, ~bench_sum(p + 12, 28, 6 + 20));
}

static uint64_t bench_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* By its name callgrind is told what to count: what happens in here. */
__attribute__((noinline)) unsigned long bench_measured(const struct bench_case *c, void *state, unsigned long count);
unsigned long bench_measured(const struct bench_case *c, void *state, unsigned long count)
{
    return c->run(state, count);
}

static double bench_once(struct running *r)
{
    unsigned long want = (unsigned long)((double)r->c->count * bench.scale);
    uint64_t start = bench_ns();
    unsigned long done = bench_measured(r->c, r->state, want > 0 ? want : 1);
    return (double)(bench_ns() - start) / ((double)done * r->c->scale);
}

static int bench_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double bench_median(const double *values, unsigned count, double *best)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, bench_order);
    *best = sorted[0];
    return sorted[count / 2];
}

static const struct running *bench_find(const char *name)
{
    for (unsigned i = 0; name != NULL && i < bench.count; i++) {
        if (strcmp(bench.list[i].c->name, name) == 0) {
            return &bench.list[i];
        }
    }
    return NULL;
}

static void bench_tell(const struct running *r, bool last)
{
    const struct running *beside = bench_find(r->c->beside);
    double best, unused, ratio[ROUNDS_MAX] = {0}, median = bench_median(r->ns, bench.rounds, &best);
    for (unsigned i = 0; beside != NULL && i < bench.rounds; i++) {
        ratio[i] = r->ns[i] / beside->ns[i];
    }
    double times = beside != NULL ? bench_median(ratio, bench.rounds, &unused) : 0;
    if (bench.json) {
        printf("  {\"case\": \"%s\", \"unit\": \"%s\", \"param\": %lu, \"median_ns\": %.2f, \"best_ns\": %.2f, \"beside\": \"%s\", \"ratio\": %.3f}%s\n",
               r->c->name, r->c->unit, r->c->param, median, best, beside != NULL ? r->c->beside : "", times, last ? "" : ",");
        return;
    }
    printf("%-32s", r->c->name);
    if (beside != NULL) {
        printf(" %6.2f x %-28s", times, r->c->beside);
    } else {
        printf(" %37s", "");
    }
    printf(" %10.1f %10.1f ns a %s\n", median, best, r->c->unit);
}

static void bench_add(const struct bench_case *cases, const char *only)
{
    for (; cases->name != NULL; cases++) {
        if ((only == NULL || strstr(cases->name, only) != NULL) && bench.count < CASES_MAX) {
            bench.list[bench.count++].c = cases;
        }
    }
}

static void bench_add_all(const char *only)
{
    bench_add(bench_floors, only);
    bench_add(bench_world, only);
    bench_add(bench_super, only);
    bench_add(bench_wire, only);
    bench_add(bench_crowd, only);
    bench_add(bench_loopback, only);
    bench_add(bench_lwip, only);
}

/* One case, once, for callgrind with --toggle-collect=bench_measured. */
static int bench_count(const char *name)
{
    for (unsigned i = 0; i < bench.count; i++) {
        const struct bench_case *c = bench.list[i].c;
        if (strcmp(c->name, name) == 0) {
            printf("%.0f\n", (double)bench_measured(c, c->open(c->param), c->counted) * c->scale);
            return 0;
        }
    }
    fprintf(stderr, "weir-bench: no case '%s': see --list\n", name);
    return 2;
}

static void bench_run(void)
{
    for (unsigned i = 0; i < bench.count; i++) {
        bench.list[i].state = bench.list[i].c->open(bench.list[i].c->param);
    }
    for (unsigned round = 0; round < bench.rounds; round++) {
        for (unsigned i = 0; i < bench.count; i++) {
            bench.list[i].ns[round] = bench_once(&bench.list[i]);
        }
    }
    if (bench.json) {
        printf("[\n");
    } else {
        printf("%-32s %-37s %10s %10s\n", "case", "ratio, median of the turns", "median", "best");
    }
    for (unsigned i = 0; i < bench.count; i++) {
        bench_tell(&bench.list[i], i + 1 == bench.count);
    }
    printf("%s", bench.json ? "]\n" : "");
}

static const char usage[] =
    "weir-bench [options] - what weir costs, in memory, beside floors and other stacks\n\n"
    "  --only WORD     the cases with WORD in their names; may be given again\n"
    "  --rounds N      turns (9); the median and the best are told\n"
    "  --scale X       so much more work a turn (1)\n"
    "  --json          as JSON\n"
    "  --list          name the cases and end; --counted: those that CI watches\n"
    "  --memory        octets a connection takes instead of times\n"
    "  --count CASE    do the work of one case once and say how many units it was: for callgrind\n";

int main(int argc, char **argv)
{
    static const struct option options[] = {{"only", 1, NULL, 'o'}, {"rounds", 1, NULL, 'r'}, {"scale", 1, NULL, 's'},
        {"json", 0, NULL, 'j'}, {"list", 0, NULL, 'l'}, {"memory", 0, NULL, 'm'}, {"counted", 0, NULL, 'k'}, {"count", 1, NULL, 'c'},
        {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *count = NULL;
    bool chosen = false, memory = false;
    int list = 0, o;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (o) {
        case 'o': bench_add_all(optarg); chosen = true; break;
        case 'r': bench.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
        case 's': bench.scale = strtod(optarg, NULL); break;
        case 'j': bench.json = true; break;
        case 'm': memory = true; break;
        case 'l':
        case 'k': list = o; break;
        case 'c': count = optarg; break;
        case 'h': fputs(usage, stdout); return 0;
        default: fputs(usage, stderr); return 2;
        }
    }
    if (!chosen) {
        bench_add_all(NULL);
    }
    if (bench.rounds < 1 || bench.rounds > ROUNDS_MAX || bench.count == 0 || optind < argc) {
        fputs(usage, stderr);
        return 2;
    }
    if (memory) {
        bench_memory_tell(bench.json);
        return 0;
    }
    for (unsigned i = 0; list != 0 && i < bench.count; i++) {
        if (list == 'l' || bench.list[i].c->counted > 0) {
            puts(bench.list[i].c->name);
        }
    }
    if (list != 0) {
        return 0;
    }
    if (count != NULL) {
        return bench_count(count);
    }
    bench_run();
    return 0;
}
