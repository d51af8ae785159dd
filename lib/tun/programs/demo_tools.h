/* demo_tools.h - what the demo needs of the system: a place for files, other programs, progress on a terminal. */
#ifndef WEIR_TUN_DEMO_TOOLS_H
#define WEIR_TUN_DEMO_TOOLS_H

#include <sys/types.h>

#include "tun/programs/app.h"

#define DEMO_PATH 320
#define DEMO_JOBS_MAX 64

/* A folder for the time of the run: `site` is what weir serves, `mine` is curl's. */
enum demo_where { DEMO_SITE, DEMO_MINE };
struct demo_place {
    char root[256];
    bool terminal;
};

bool demo_place_make(struct demo_place *place, uint64_t room_len);
void demo_place_remove(const struct demo_place *place);
void demo_clear(const struct demo_place *place); /* the files, not the folders */
void demo_path(char path[DEMO_PATH], const struct demo_place *place, enum demo_where where, const char *name);

/* True if the program can be run: it is in PATH. */
bool demo_found(const char *program);
/* True if curl and sha256sum can be run; else it has said what to install. */
bool demo_tools_found(void);
/* A file with octets [from, from + len) of an endless stream that depends on the name alone. */
bool demo_make_file(const char *path, const char *name, uint64_t from, uint64_t len);

struct demo_progress {
    const char *title, *name;
    uint64_t len;
    enum demo_where where;
    weir_us begun_at;
};
void demo_progress_show(const struct demo_place *place, const struct demo_progress *progress, const char *what);
void demo_progress_clear(const struct demo_place *place);

struct demo_jobs {
    pid_t pids[DEMO_JOBS_MAX];
    unsigned count;
};
/* A copy of a list of words that ends with NULL, as exec and options_read want it; returns how many. */
#define DEMO_WORDS_MAX 24
int demo_words(char *copy[DEMO_WORDS_MAX], const char *const *words);
bool demo_job_start(struct demo_jobs *jobs, const char *const *words);
/* Until all have ended; false if one failed. */
bool demo_jobs_wait(const struct demo_place *place, struct demo_jobs *jobs, const struct demo_progress *progress);

/* sha256sum of a file, or of its pieces NAME.00 ... one after another, in hexadecimal; two at a time. */
struct demo_sum {
    enum demo_where where;
    const char *name;
    unsigned pieces; /* 0: one file of that very name */
};
bool demo_sums(const struct demo_place *place, const struct demo_sum sides[2], char sums[2][65]);

/* Of the namespace one is in. */
bool demo_kernel_retransmitted(uint64_t *count);

/* The demo itself stays to clean up: it takes signals while it waits, and hands them on. */
void demo_signals_block(void);
void demo_signals_default(void);
int demo_wait(pid_t child);

#endif
