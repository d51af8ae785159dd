/* volume.c - an engine for numbers: mutates what is known and runs it, with no more bookkeeping than a flag for each edge.
 *
 *     volume-conn -max_total_time=3600 -max_len=48 -artifact_prefix=raw/ LEARNT fuzz/corpus/conn      or     volume-conn crash-1234
 *
 * libFuzzer clears, reads and compares a counter for each edge at every run, which takes longer than a short run of the library. Here an
 * edge sets its flag when it is first passed, for good, and an input that sets one is written to the first folder, where the engines with
 * counters and sanitizers find it; what they write there is read again every few seconds. Options, lines and names of files are those of
 * libFuzzer as far as fuzz/campaign needs them; others are ignored. Mutations are the target's own (mutate.h), or of octets if it has none. */
#define _GNU_SOURCE /* dladdr */
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                                       size_t max, unsigned seed);
void __sanitizer_cov_bool_flag_init(bool *begin, bool *end);

enum {
    VOLUME_INPUT = 1 << 20, /* octets, of the longest input */
    VOLUME_DEPTH = 5,       /* mutations one upon the other, each of them run */
    VOLUME_LOOK = 256,      /* executions between two looks at the clock */
    VOLUME_RELOAD = 5,      /* seconds between two looks at the folder */
    VOLUME_FRAMES = 64
};

struct volume_input {
    uint8_t *octets;
    size_t len;
    uint64_t took; /* nanoseconds */
};

static struct {
    uint64_t runs, limit;   /* executions, and how many are asked for */
    size_t longest;         /* octets of an input */
    long seconds, answer;   /* in all; of one input */
    uint64_t random;
    const char *prefix, *learnt;
    struct volume_input *inputs;
    size_t count, room;
    void *names;            /* of the files that were read: a tree of tsearch */
    time_t began;
} volume = {.limit = UINT64_MAX, .longest = 4096, .answer = 1200, .prefix = "./"};

static volatile sig_atomic_t volume_asked;

/* ---- edges ---------------------------------------------------------------------------------------------------------------------------- */

static bool *volume_flags, *volume_seen;
static size_t volume_edges, volume_passed;

void __sanitizer_cov_bool_flag_init(bool *begin, bool *end)
{
    volume_flags = begin;
    volume_edges = (size_t)(end - begin);
}

/* Did the last run pass an edge for the first time? */
static bool volume_new(void)
{
    if (memcmp(volume_flags, volume_seen, volume_edges) == 0) {
        return false;
    }
    memcpy(volume_seen, volume_flags, volume_edges);
    volume_passed = 0;
    for (size_t i = 0; i < volume_edges; i++) {
        volume_passed += volume_seen[i];
    }
    return true;
}

/* ---- findings: the input that runs, a signal, and the stack, as libFuzzer would say it ------------------------------------------------- */

static const uint8_t *volume_octets;
static size_t volume_len;
static volatile sig_atomic_t volume_for; /* seconds that it has run, nearly */

static uint64_t volume_key(const uint8_t *octets, size_t len)
{
    uint64_t key = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        key = (key ^ octets[i]) * 1099511628211u;
    }
    return key;
}

static bool volume_write(const char *path, const uint8_t *octets, size_t len)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(octets, 1, len, file) == len;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        fprintf(stderr, "volume: cannot write %s\n", path);
    }
    return good;
}

static void volume_set_aside(const char *kind)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s-%016llx", volume.prefix, kind, (unsigned long long)volume_key(volume_octets, volume_len));
    (void)volume_write(path, volume_octets, volume_len);
}

static void volume_stack(void)
{
    void *frames[VOLUME_FRAMES];
    int count = backtrace(frames, VOLUME_FRAMES);
    for (int i = 0; i < count; i++) {
        Dl_info about;
        if (dladdr(frames[i], &about) != 0 && about.dli_fname != NULL) {
            fprintf(stderr, "    #%d 0x%llx  (%s+0x%llx)\n", i, (unsigned long long)(uintptr_t)frames[i], about.dli_fname,
                    (unsigned long long)((uintptr_t)frames[i] - (uintptr_t)about.dli_fbase));
        }
    }
}

static void volume_stopped(int which)
{
    fprintf(stderr, "ERROR: volume: deadly signal %d\n", which);
    volume_stack();
    volume_set_aside("crash");
    _exit(77);
}

static void volume_tick(int which)
{
    (void)which;
    if (volume_octets != NULL && ++volume_for > volume.answer) {
        fprintf(stderr, "ERROR: volume: timeout after %ld seconds\n", volume.answer);
        volume_stack();
        volume_set_aside("timeout");
        _exit(70);
    }
    alarm(1);
}

static void volume_ask(int which)
{
    (void)which;
    volume_asked = 1;
}

static void volume_run(const uint8_t *octets, size_t len)
{
    uint8_t *exact = (uint8_t *)malloc(len > 0 ? len : 1); /* so that tools that watch memory see the end of it */
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, octets, len);
    volume_len = len;
    volume_for = 0;
    volume_octets = exact;
    (void)LLVMFuzzerTestOneInput(exact, len);
    volume_octets = NULL;
    free(exact);
    volume.runs++;
}

/* ---- what is known -------------------------------------------------------------------------------------------------------------------- */

static int volume_order(const void *a, const void *b)
{
    return strcmp((const char *)a, (const char *)b);
}

static uint64_t volume_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* It is run once more, to see how long it takes. */
static void volume_keep(const uint8_t *octets, size_t len)
{
    uint64_t began = volume_clock();
    volume_run(octets, len);
    uint64_t took = volume_clock() - began;
    if (volume.count == volume.room) {
        volume.room = volume.room > 0 ? 2 * volume.room : 1024;
        volume.inputs = (struct volume_input *)realloc(volume.inputs, volume.room * sizeof *volume.inputs);
    }
    uint8_t *own = (uint8_t *)malloc(len > 0 ? len : 1);
    if (volume.inputs == NULL || own == NULL) {
        fputs("volume: no memory for the inputs\n", stderr);
        exit(1);
    }
    memcpy(own, octets, len);
    volume.inputs[volume.count++] = (struct volume_input){own, len, took};
}

/* A file's octets, as many as an input may have; false if it cannot be read. */
static bool volume_read(const char *path, uint8_t *octets, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *len = fread(octets, 1, volume.longest, file);
    bool good = ferror(file) == 0;
    fclose(file);
    return good;
}

static uint8_t volume_work[VOLUME_INPUT];

/* Reads and runs what is new in a folder; one that its writer took away meanwhile is of no interest. */
static bool volume_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        fprintf(stderr, "volume: no such folder: %s\n", folder);
        return false;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        size_t len = 0;
        int written = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || written < 0 || (size_t)written >= sizeof path || tfind(path, &volume.names, volume_order) != NULL) {
            continue;
        }
        char *name = strdup(path);
        if (name == NULL || tsearch(name, &volume.names, volume_order) == NULL) {
            abort();
        }
        if (volume_read(path, volume_work, &len)) {
            volume_run(volume_work, len);
            (void)volume_new();
            volume_keep(volume_work, len);
        }
    }
    closedir(dir);
    return true;
}

/* The input passed an edge that none before it did: it is kept, and others may read it. */
static void volume_learn(const uint8_t *octets, size_t len)
{
    volume_keep(octets, len);
    if (volume.learnt != NULL) {
        char path[4096], *name = NULL;
        snprintf(path, sizeof path, "%s/%016llx", volume.learnt, (unsigned long long)volume_key(octets, len));
        if (volume_write(path, octets, len) && (name = strdup(path)) != NULL) {
            (void)tsearch(name, &volume.names, volume_order);
        }
    }
}

/* ---- mutations ------------------------------------------------------------------------------------------------------------------------ */

static void volume_seed(uint64_t seed)
{
    volume.random = (seed + 1) * 0x9e3779b97f4a7c15u | 1; /* xorshift stays at nothing */
}

static uint32_t volume_random(size_t below)
{
    volume.random ^= volume.random << 13; /* xorshift; which input is changed hangs on time too (volume_pick) */
    volume.random ^= volume.random >> 7;
    volume.random ^= volume.random << 17;
    return below > 0 ? (uint32_t)((volume.random >> 16) % below) : 0;
}

/* Octets are changed, taken out, put in, or copied from elsewhere in the input. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    static const uint8_t telling[] = {0, 1, 2, 4, 8, 16, 32, 64, 127, 128, 255};
    size_t at = volume_random(size + 1), len = 1 + volume_random(8), from = volume_random(size);
    switch (size > 0 ? volume_random(6) : 1) {
    case 0: /* fewer */
        at = at < size ? at : size - 1;
        len = len < size - at ? len : size - at;
        memmove(data + at, data + at + len, size - at - len);
        return size - len;
    case 1: /* more */
        len = len < max - size ? len : max - size;
        memmove(data + at + len, data + at, size - at);
        for (size_t i = 0; i < len; i++) {
            data[at + i] = (uint8_t)volume_random(256);
        }
        return size + len;
    case 2: /* a copy */
        at = at < size ? at : size - 1;
        len = len < size - at ? len : size - at;
        len = len < size - from ? len : size - from;
        memmove(data + at, data + from, len);
        return size;
    case 3: data[from] ^= (uint8_t)(1u << volume_random(8)); return size;
    case 4: data[from] = (uint8_t)(data[from] - 4 + volume_random(9)); return size;
    default: data[from] = telling[volume_random(sizeof telling)]; return size;
    }
}

static size_t volume_mutate(uint8_t *data, size_t size)
{
    if (LLVMFuzzerCustomCrossOver != NULL && volume_random(8) == 0) {
        static uint8_t joined[VOLUME_INPUT];
        const struct volume_input *other = &volume.inputs[volume_random(volume.count)];
        size = LLVMFuzzerCustomCrossOver(data, size, other->octets, other->len, joined, volume.longest, volume_random(UINT32_MAX));
        memcpy(data, joined, size);
        return size;
    }
    return LLVMFuzzerCustomMutator != NULL ? LLVMFuzzerCustomMutator(data, size, volume.longest, volume_random(UINT32_MAX))
                                           : LLVMFuzzerMutate(data, size, volume.longest);
}

/* Of two that chance names the one that took less time: from there as much can be found, and more is tried. */
static const struct volume_input *volume_pick(void)
{
    const struct volume_input *a = &volume.inputs[volume_random(volume.count)], *b = &volume.inputs[volume_random(volume.count)];
    return a->took < b->took ? a : b;
}

/* One known input, changed a few times, each time run. */
static void volume_story(void)
{
    static uint8_t data[VOLUME_INPUT];
    const struct volume_input *from = volume_pick();
    size_t size = from->len;
    memcpy(data, from->octets, size);
    for (int i = 0; i < VOLUME_DEPTH && volume.runs < volume.limit; i++) {
        size = volume_mutate(data, size);
        volume_run(data, size);
        if (volume_new()) {
            volume_learn(data, size);
        }
    }
}

/* ---- the run -------------------------------------------------------------------------------------------------------------------------- */

static void volume_say(const char *what)
{
    time_t for_seconds = time(NULL) - volume.began;
    fprintf(stderr, "#%llu\t%s cov: %zu ft: %zu corp: %zu/0b exec/s: %llu\n", (unsigned long long)volume.runs, what, volume_passed,
            volume_passed, volume.count, (unsigned long long)(volume.runs / (uint64_t)(for_seconds > 0 ? for_seconds : 1)));
}

static void volume_go(void)
{
    time_t said = time(NULL), reloaded = said;
    while (volume_asked == 0 && volume.runs < volume.limit) {
        for (int i = 0; i < VOLUME_LOOK / VOLUME_DEPTH; i++) {
            volume_story();
        }
        time_t now = time(NULL);
        if (volume.seconds > 0 && now - volume.began >= volume.seconds) {
            break;
        }
        if (now != said) {
            volume_say("PULSE");
            said = now;
        }
        if (volume.learnt != NULL && now - reloaded >= VOLUME_RELOAD) {
            (void)volume_folder(volume.learnt);
            reloaded = now;
        }
    }
}

/* The number after `-name=`; false if the argument is another. */
static bool volume_option(const char *argument, const char *name, uint64_t *value)
{
    size_t len = strlen(name);
    if (argument[0] != '-' || strncmp(argument + 1, name, len) != 0 || argument[len + 1] != '=') {
        return false;
    }
    *value = strtoull(argument + len + 2, NULL, 10);
    return true;
}

static void volume_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        uint64_t value = 0;
        if (volume_option(argv[i], "runs", &value)) {
            volume.limit = value;
        } else if (volume_option(argv[i], "max_total_time", &value)) {
            volume.seconds = (long)value;
        } else if (volume_option(argv[i], "max_len", &value) && value > 0) {
            volume.longest = value < VOLUME_INPUT ? (size_t)value : VOLUME_INPUT;
        } else if (volume_option(argv[i], "timeout", &value) && value > 0) {
            volume.answer = (long)value;
        } else if (volume_option(argv[i], "seed", &value)) {
            volume_seed(value);
        } else if (strncmp(argv[i], "-artifact_prefix=", 17) == 0) {
            volume.prefix = argv[i] + 17;
        }
    }
}

static void volume_signals(void)
{
    static const int stops[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    void *load[1];
    (void)backtrace(load, 1); /* it loads a library at the first call, which a handler must not */
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_handler = volume_stopped;
    act.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++) {
        sigaction(stops[i], &act, NULL);
    }
    act.sa_flags = SA_RESTART;
    act.sa_handler = volume_tick;
    sigaction(SIGALRM, &act, NULL);
    act.sa_handler = volume_ask;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    alarm(1);
}

/* Files are run, folders are read: how many of either, in `files` and `folders`; false if one is not there. */
static bool volume_begin(int argc, char **argv, int *files, int *folders)
{
    for (int i = 1; i < argc; i++) {
        struct stat about;
        if (argv[i][0] == '-') {
            continue;
        }
        if (stat(argv[i], &about) != 0) {
            fprintf(stderr, "volume: no such file or folder: %s\n", argv[i]);
            return false;
        }
        if (S_ISDIR(about.st_mode)) {
            volume.learnt = (*folders)++ == 0 ? argv[i] : volume.learnt;
            if (!volume_folder(argv[i])) {
                return false;
            }
        } else {
            size_t len = 0;
            volume.longest = VOLUME_INPUT;
            if (!volume_read(argv[i], volume_work, &len)) {
                fprintf(stderr, "volume: cannot read %s\n", argv[i]);
                return false;
            }
            (*files)++;
            volume_run(volume_work, len);
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    int files = 0, folders = 0;
    volume.began = time(NULL);
    volume_seed((uint64_t)volume.began << 20 ^ (uint64_t)getpid());
    volume_options(argc, argv);
    volume_signals();
    volume_seen = (bool *)calloc(volume_edges > 0 ? volume_edges : 1, 1);
    if (volume_seen == NULL || volume_edges == 0) {
        fputs("volume: build it with -fsanitize-coverage=inline-bool-flag\n", stderr);
        return 1;
    }
    if (!volume_begin(argc, argv, &files, &folders)) {
        return 1;
    }
    if (files > 0) {
        return 0;
    }
    if (volume.count == 0) {
        volume_keep((const uint8_t *)"", 0);
    }
    volume_say("INITED");
    volume_go();
    volume_say("DONE");
    fprintf(stderr, "stat::number_of_executed_units: %llu\n", (unsigned long long)volume.runs);
    return 0;
}
