/* mutate.h - mutations that know what an input means, for libFuzzer (LLVMFuzzerCustomMutator, -CustomCrossOver) and for AFL++
 * (afl_custom_fuzz), from one source.
 *
 * An input is a head and then events of different lengths. The target marks where each begins (fuzz_mark), so that events can be taken
 * out, moved, doubled, exchanged and joined whole, and the rest still means what it meant. New events come from the target's own phrases:
 * numbers in them are relative to the live connection, lists of options are of the grammar. A target whose input is one packet mends
 * lengths with FUZZ_MUTATE_OWN; one that has states to begin in names one by FUZZ_MUTATE_HEAD. Included at the end of a target, behind
 * `fuzz_phrases`. */
#ifndef WEIR_FUZZ_MUTATE_H
#define WEIR_FUZZ_MUTATE_H

#ifdef WEIR_FUZZ_AFL
#include <setjmp.h>
#include <signal.h>
#endif

enum {
    MUTATE_EVENTS = 256,   /* that are told apart in one input */
    MUTATE_CACHE = 8192,   /* inputs whose events are known without running them */
    MUTATE_PIECE = 512     /* octets, of what is put in at once */
};

struct mutate_marks {
    uint64_t key;
    size_t count;
    uint16_t at[MUTATE_EVENTS]; /* where events begin */
};

static uint32_t mutate_state;

/* xorshift; the seed is the engine's, so that a run can be repeated. */
static uint32_t mutate_random(uint32_t below)
{
    mutate_state ^= mutate_state << 13;
    mutate_state ^= mutate_state >> 17;
    mutate_state ^= mutate_state << 5;
    return below > 0 ? mutate_state % below : 0;
}

#ifdef WEIR_FUZZ_AFL
/* This runs in afl-fuzz itself, not in the program under its watch: an input that stops the target must not stop the engine. */
static sigjmp_buf mutate_back;

static void mutate_stopped(int why)
{
    siglongjmp(mutate_back, why);
}

static void mutate_run(const uint8_t *data, size_t size)
{
    static const int stops[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    enum { STOPS = sizeof stops / sizeof stops[0] };
    struct sigaction ours, theirs[STOPS];
    memset(&ours, 0, sizeof ours);
    ours.sa_handler = mutate_stopped;
    for (int i = 0; i < STOPS; i++) {
        sigaction(stops[i], &ours, &theirs[i]);
    }
    if (sigsetjmp(mutate_back, 1) == 0) {
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    for (int i = 0; i < STOPS; i++) {
        sigaction(stops[i], &theirs[i], NULL);
    }
}
#else
static void mutate_run(const uint8_t *data, size_t size)
{
    (void)LLVMFuzzerTestOneInput(data, size);
}
#endif

#ifdef FUZZ_MUTATE_OWN
static const struct mutate_marks *mutate_find(const uint8_t *data, size_t size)
{
    static const struct mutate_marks none;
    (void)data, (void)size, (void)mutate_run;
    return &none;
}
#else
/* The events of an input: known from the last run, from an earlier one, or found by a run. */
static const struct mutate_marks *mutate_find(const uint8_t *data, size_t size)
{
    static struct mutate_marks cache[MUTATE_CACHE];
    uint64_t key = fuzz_key(data, size);
    struct mutate_marks *m = &cache[key % MUTATE_CACHE];
    if (m->key == key) {
        return m;
    }
    if (fuzz_marks.key != key) {
        mutate_run(data, size);
    }
    m->key = key;
    m->count = 0;
    for (size_t i = 0; i < fuzz_marks.count && i < MUTATE_EVENTS; i++) {
        if (i > 0 && fuzz_marks.left[i] >= fuzz_marks.left[i - 1]) {
            break; /* a target that reads its input twice */
        }
        m->at[m->count++] = (uint16_t)(size - fuzz_marks.left[i]);
    }
    return m;
}
#endif

static size_t mutate_end(const struct mutate_marks *m, size_t i, size_t size)
{
    return i + 1 < m->count ? m->at[i + 1] : size;
}

/* `len` octets take the place of `cut` at `at`; as many as there is room for. The new size. */
static size_t mutate_splice(uint8_t *data, size_t size, size_t max, size_t at, size_t cut, const uint8_t *octets, size_t len)
{
    len = len <= max - (size - cut) ? len : max - (size - cut);
    memmove(data + at + len, data + at + cut, size - at - cut);
    memcpy(data + at, octets, len);
    return size - cut + len;
}

static size_t mutate_octet(uint8_t *data, size_t at, size_t len)
{
    static const uint8_t telling[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 129, 223, 224, 240, 250, 253, 254, 255};
    if (len > 0) {
        uint8_t *p = data + at + mutate_random((uint32_t)len);
        switch (mutate_random(4)) {
        case 0: *p ^= (uint8_t)(1u << mutate_random(8)); break;
        case 1: *p = (uint8_t)(*p + 1 + mutate_random(4)); break;
        case 2: *p = (uint8_t)(*p - 1 - mutate_random(4)); break;
        default: *p = telling[mutate_random(sizeof telling)]; break;
        }
    }
    return len;
}

/* A phrase of the target, sometimes with an octet changed. */
static size_t mutate_phrase(uint8_t *piece)
{
    const struct fuzz_phrase *phrase = &fuzz_phrases[mutate_random(sizeof fuzz_phrases / sizeof fuzz_phrases[0])];
    memcpy(piece, phrase->octets, phrase->len);
    if (mutate_random(3) == 0) {
        (void)mutate_octet(piece, 0, phrase->len);
    }
    return phrase->len;
}

/* One change that leaves all events but those concerned as they are. */
static size_t mutate_events(uint8_t *data, size_t size, size_t max, const struct mutate_marks *m)
{
    uint8_t piece[MUTATE_PIECE];
    size_t i = mutate_random((uint32_t)m->count), j = mutate_random((uint32_t)m->count);
    size_t from = m->at[i], len = mutate_end(m, i, size) - from, to = m->at[j];
    size_t kept = len < sizeof piece ? len : sizeof piece;
    memcpy(piece, data + from, kept);
    switch (mutate_random(8)) {
    case 0: { /* some events fewer */
        size_t last = i + mutate_random(4);
        last = last < m->count ? last : m->count - 1;
        return mutate_splice(data, size, max, from, mutate_end(m, last, size) - from, piece, 0);
    }
    case 1: return mutate_splice(data, size, max, to, 0, piece, kept);                             /* doubled, there */
    case 2: return mutate_splice(data, size, max, from, 0, piece, kept);                           /* doubled, here */
    case 3: return mutate_splice(data, size, max, to, mutate_end(m, j, size) - to, piece, kept);   /* in the other's place */
    case 4: case 5: return mutate_splice(data, size, max, to, 0, piece, mutate_phrase(piece));     /* a new one */
    case 6: return mutate_splice(data, size, max, from, len, piece, mutate_phrase(piece));         /* another one instead */
    default: (void)mutate_octet(data, from, len); return size;                                     /* changed inside */
    }
}

/* An input with no events yet, or a change of the head. */
static size_t mutate_head(uint8_t *data, size_t size, size_t max, const struct mutate_marks *m)
{
    uint8_t piece[MUTATE_PIECE];
    if (m->count == 0 || mutate_random(2) == 0) {
        return mutate_splice(data, size, max, size, 0, piece, mutate_phrase(piece));
    }
#ifdef FUZZ_MUTATE_HEAD
    if (mutate_random(2) == 0) { /* the same events in another state */
        piece[0] = FUZZ_MUTATE_HEAD(mutate_random(64));
        return mutate_splice(data, size, max, 0, m->at[0], piece, 1);
    }
#endif
    (void)mutate_octet(data, 0, m->at[0]);
    return size;
}

static size_t mutate_once(uint8_t *data, size_t size, size_t max)
{
#ifdef FUZZ_MUTATE_OWN
    return FUZZ_MUTATE_OWN(data, size, max);
#else
    const struct mutate_marks *m = mutate_find(data, size);
    return m->count > 0 && mutate_random(8) > 0 ? mutate_events(data, size, max, m) : mutate_head(data, size, max, m);
#endif
}

/* The first events of one, then the last ones of the other. */
static size_t mutate_join(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max)
{
    const struct mutate_marks *m = mutate_find(a, a_size);
    size_t head = m->count > 0 ? m->at[mutate_random((uint32_t)m->count)] : a_size;
    m = mutate_find(b, b_size);
    size_t tail = m->count > 0 ? m->at[mutate_random((uint32_t)m->count)] : 0;
    head = head < max ? head : max;
    memcpy(out, a, head);
    return mutate_splice(out, head, max, head, 0, b + tail, b_size - tail);
}

#ifdef WEIR_FUZZ_AFL
/* AFL++ loads this as a library beside the instrumented program. */
static uint8_t mutate_out[1 << 20];

void *afl_custom_init(void *afl, unsigned seed);
void afl_custom_deinit(void *self);
size_t afl_custom_fuzz(void *self, uint8_t *data, size_t size, uint8_t **out, uint8_t *more, size_t more_size, size_t max);

void *afl_custom_init(void *afl, unsigned seed)
{
    (void)afl;
    mutate_state = seed | 1;
    return mutate_out;
}

void afl_custom_deinit(void *self)
{
    (void)self;
}

size_t afl_custom_fuzz(void *self, uint8_t *data, size_t size, uint8_t **out, uint8_t *more, size_t more_size, size_t max)
{
    (void)self;
    *out = mutate_out;
    max = max < sizeof mutate_out ? max : sizeof mutate_out;
    if (more_size > 0 && mutate_random(4) == 0) {
        return mutate_join(data, size, more, more_size, mutate_out, max);
    }
    size = size < max ? size : max;
    memcpy(mutate_out, data, size);
    for (unsigned n = 1 + mutate_random(4); n > 0; n--) {
        size = mutate_once(mutate_out, size, max);
    }
    return size > 0 ? size : 1;
}
#else
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max); /* other engines, and replay, have none */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned seed);

/* One in four is the engine's own, which knows what was compared with what, and the dictionary. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    mutate_state = seed | 1;
    if (LLVMFuzzerMutate != NULL && mutate_random(4) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }
    return mutate_once(data, size, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max, unsigned seed)
{
    mutate_state = seed | 1;
    return mutate_join(a, a_size, b, b_size, out, max);
}
#endif

#endif /* WEIR_FUZZ_MUTATE_H */
