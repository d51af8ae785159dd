/* fuzz.h - what the fuzz targets share: an input read octet by octet, checks that stop with words, a room before a guard page.
 *
 * Each target is one file with LLVMFuzzerTestOneInput. libFuzzer links it with -DWEIR_FUZZ_UNIT, which takes the whole library in as one
 * unit; replay.c gives it a plain main and the build links the rooms. An input means the same on every machine: it is read as octets,
 * nothing else is consulted, and an input that has ended goes on as zeros. */
#ifndef WEIR_FUZZ_H
#define WEIR_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "weir/stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- checks --------------------------------------------------------------------------------------------------------------------------- */

static void fuzz_fail(const char *what, const char *file, int line)
{
#ifdef WEIR_FUZZ_AFL /* a mutator only asks where events begin; what is wrong is for the program under watch to tell */
    (void)what, (void)file, (void)line;
#else
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    fflush(stderr);
#endif
    abort();
}

#define FUZZ_CHECK(condition, what) ((condition) ? (void)0 : fuzz_fail((what), __FILE__, __LINE__))
__attribute__((unused)) static void fuzz_holds(const char *broken, const char *file, int line)
{
    if (broken != NULL) {
        fuzz_fail(broken, file, line);
    }
}

/* ---- the library, and what it does ---------------------------------------------------------------------------------------------------- */

/* The turns of the library's loops since the event began, and how many it may take. */
static struct {
    uint64_t turns, allowed;
} fuzz_work;

/* An invariant's words, NULL if it holds; to look costs no turns. */
#define FUZZ_HOLDS(words)                          \
    {                                              \
        uint64_t turns_were = fuzz_work.turns;     \
        fuzz_holds((words), __FILE__, __LINE__);   \
        fuzz_work.turns = turns_were;              \
    }

/* The same after a step whose calls have all looked by themselves, where the library does so. */
#if defined(WEIR_FUZZ_UNIT) && defined(WEIR_DEBUG)
#define FUZZ_HELD(words) ((void)0)
#else
#define FUZZ_HELD FUZZ_HOLDS
#endif

#ifdef WEIR_FUZZ_UNIT
#ifdef WEIR_DEBUG
#define WEIR_HOLDS FUZZ_HOLDS /* the library looks after each call, and the words are printed */
#endif
#ifdef WEIR_COVERAGE
#include "weir.c"
#else /* every loop counts its turns, whoever wrote it: the words for loops do */
#define for(...) for (__VA_ARGS__) if (fuzz_work.turns++, 0) {} else
#define while(...) while (fuzz_work.turns++, (__VA_ARGS__))
#include "weir.c"
#undef for
#undef while
#endif
#else
#include "stack/room.h"
#endif

/* ---- the input ------------------------------------------------------------------------------------------------------------------------ */

struct fuzz_bytes {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_bytes *b)
{
    if (b->left == 0) {
        return 0;
    }
    b->left--;
    return *b->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_bytes *b)
{
    uint16_t high = fuzz_u8(b);
    return (uint16_t)(high << 8 | fuzz_u8(b));
}

static inline uint32_t fuzz_u32(struct fuzz_bytes *b)
{
    uint32_t high = fuzz_u16(b);
    return high << 16 | fuzz_u16(b);
}

/* A small step either way. */
static inline uint32_t fuzz_delta(struct fuzz_bytes *b)
{
    return (uint32_t)(int32_t)(int8_t)fuzz_u8(b);
}

/* A number of octets: mostly small, sometimes as large as a field can say. */
static inline uint32_t fuzz_len(struct fuzz_bytes *b, uint32_t most)
{
    uint32_t n = fuzz_u8(b);
    n = n < 128 ? n : n < 224 ? (n - 127) * 64 : n < 240 ? fuzz_u16(b) : most - (255 - n);
    return n <= most ? n : most;
}

/* An event as a target knows it, for mutate.h; some octets of it are changed now and then. */
struct fuzz_phrase {
    const char *octets;
    size_t len;
};
#define FUZZ_PHRASE(text) {(text), sizeof(text) - 1}

/* ---- memory --------------------------------------------------------------------------------------------------------------------------- */

#define FUZZ_ROOM (1u << 17)

/* A copy that ends where a page begins that cannot be touched; good until the next call. */
__attribute__((unused)) static uint8_t *fuzz_put(const uint8_t *octets, size_t len)
{
    static uint8_t *end;
    if (end == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        uint8_t *room = (uint8_t *)mmap(NULL, FUZZ_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        FUZZ_CHECK(room != (uint8_t *)MAP_FAILED, "no memory for the guarded room");
        end = room + FUZZ_ROOM;
        FUZZ_CHECK(mprotect(end, page, PROT_NONE) == 0, "the guard page cannot be set up");
    }
    FUZZ_CHECK(len <= FUZZ_ROOM, "a packet larger than any");
    if (len > 0) {
        memcpy(end - len, octets, len);
    }
    return end - len;
}

/* For a connection beside another TCP, which knows no more than RFC 9293: no option, no delay, each challenge answered. */
static inline void fuzz_config_plain(weir_config *g)
{
    weir_config_rfc(g);
    memset(g->secret, 0x77, sizeof g->secret);
    g->timestamps = g->window_scale = g->sack = g->nagle = false;
    g->iw10 = true;
    g->ecn = WEIR_ECN_OFF;
    g->ack_delay_us = 0;
    g->ack_every = 1;
    g->ack_check = true;
    g->challenge_count = 255;
    g->challenge_interval_us = 1;
}

/* A ring of text as a target remembers it, `size` octets, a power of 2: the piece that begins at number `at` and does not wrap. */
__attribute__((unused)) static size_t fuzz_piece(uint32_t at, size_t len, size_t size)
{
    size_t whole = size - (at & (size - 1));
    return len < whole ? len : whole;
}

/* ---- the diary ------------------------------------------------------------------------------------------------------------------------ */

/* WEIR_FUZZ_DIARY names a file that is told, in lines, where the events of an input begin and which packets pass. NULL: nobody asks. */
__attribute__((unused)) static FILE *fuzz_diary(void)
{
    static FILE *file;
    static int asked;
    const char *path = asked ? NULL : getenv("WEIR_FUZZ_DIARY");
    asked = 1;
    if (path != NULL && (file = fopen(path, "w")) != NULL) {
        (void)setvbuf(file, NULL, _IOLBF, BUFSIZ); /* a finding ends the program */
    }
    return file;
}

#ifdef WEIR_ROW_HOOK /* programs that count coverage: WEIR_FUZZ_ROWS names a file that is told each row that fired, once */
void weir_row_hook(unsigned row, unsigned state);
void weir_row_hook(unsigned row, unsigned state)
{
    static uint8_t seen[256];
    const char *path = seen[row & 255] ? NULL : getenv("WEIR_FUZZ_ROWS");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    (void)state;
    seen[row & 255] = 1;
    if (file != NULL) {
        fprintf(file, "%s\n", weir_row_name(row));
        fclose(file);
    }
}
#endif

/* What mutate.h asks of the last run: of which input it was, and how much of it was left when each event began. */
static struct {
    uint64_t key;
    size_t count, left[256];
} fuzz_marks;

/* FNV-1a */
static uint64_t fuzz_key(const uint8_t *data, size_t size)
{
    uint64_t key = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) {
        key = (key ^ data[i]) * 1099511628211u;
    }
    return key;
}

/* What the program has done; WEIR_FUZZ_TOTAL names a file that is told at its end (fuzz/speed). */
static struct {
    uint64_t inputs, events, turns;
    uint64_t most, most_allowed; /* the event that used most of what it was allowed */
} fuzz_total;

#ifndef WEIR_FUZZ_AFL
__attribute__((destructor)) static void fuzz_tell(void)
{
    const char *path = getenv("WEIR_FUZZ_TOTAL");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file != NULL) {
        fprintf(file, "inputs %llu events %llu turns %llu most %llu allowed %llu\n", (unsigned long long)fuzz_total.inputs,
                (unsigned long long)fuzz_total.events, (unsigned long long)fuzz_total.turns, (unsigned long long)fuzz_total.most,
                (unsigned long long)fuzz_total.most_allowed);
        fclose(file);
    }
}
#endif

/* More work may be done: turns of loops for what the target does next. The library's work for one event must have a bound that the target
 * knows from what goes in and out; a bound that a peer could raise is what this is to find. */
__attribute__((unused)) static void fuzz_allow(uint64_t turns)
{
    fuzz_work.allowed += turns;
}

/* No more work was done than was allowed. */
__attribute__((unused)) static void fuzz_worked(void)
{
    fuzz_total.turns += fuzz_work.turns;
    if (fuzz_work.turns * fuzz_total.most_allowed >= fuzz_total.most * fuzz_work.allowed) {
        fuzz_total.most = fuzz_work.turns;
        fuzz_total.most_allowed = fuzz_work.allowed;
    }
    if (fuzz_work.turns > fuzz_work.allowed) {
        fprintf(stderr, "%llu turns of loops, and %llu are allowed\n", (unsigned long long)fuzz_work.turns, (unsigned long long)fuzz_work.allowed);
        fuzz_fail("more work than this event may cost", __FILE__, __LINE__);
    }
    fuzz_work.turns = 0;
    fuzz_work.allowed = 0;
}

__attribute__((unused)) static struct fuzz_bytes fuzz_begin(const uint8_t *data, size_t size)
{
    struct fuzz_bytes b = {data, size};
    fuzz_marks.key = fuzz_key(data, size);
    fuzz_marks.count = 0;
    fuzz_total.inputs++;
    fuzz_work.turns = 0;
    fuzz_work.allowed = 0;
    return b;
}

/* Does this input go on to the end of the connection? Each does; a program that is built with WEIR_FUZZ_ENDS = n does so with one in n, chosen by
 * what the input is, for the end costs as much as many events and is mostly the same; again with each if WEIR_FUZZ_ENDS is in the environment. */
__attribute__((unused)) static bool fuzz_ends(void)
{
#ifdef WEIR_FUZZ_ENDS
    static int each = -1;
    each = each < 0 ? getenv("WEIR_FUZZ_ENDS") != NULL : each;
    return each || fuzz_marks.key % WEIR_FUZZ_ENDS == 0;
#else
    return true;
#endif
}

/* An event begins, with this much of the input left. */
__attribute__((unused)) static void fuzz_event(const struct fuzz_bytes *b)
{
    if (fuzz_marks.count < sizeof fuzz_marks.left / sizeof fuzz_marks.left[0]) {
        fuzz_marks.left[fuzz_marks.count++] = b->left;
    }
    fuzz_total.events++;
    FILE *file = fuzz_diary();
    if (file != NULL) {
        fprintf(file, "event %zu\n", b->left);
    }
}

static void fuzz_hex(FILE *file, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        fprintf(file, "%02x", octets[i]);
    }
}

/* A packet passes, "in" or "out" of what is under test: a TCP segment between these addresses, or with NULL a whole IP packet. */
__attribute__((unused)) static void fuzz_packet(const char *way, weir_us now, const weir_pseudo *pseudo, const uint8_t *octets, size_t len)
{
    FILE *file = fuzz_diary();
    if (file == NULL) {
        return;
    }
    fprintf(file, "%s %llu ", way, (unsigned long long)now);
    if (pseudo != NULL) {
        fuzz_hex(file, pseudo->source.octets, 16);
        fputc(' ', file);
        fuzz_hex(file, pseudo->destination.octets, 16);
    } else {
        fputs("- -", file);
    }
    fputc(' ', file);
    fuzz_hex(file, octets, len);
    fputc('\n', file);
}

#endif /* WEIR_FUZZ_H */
