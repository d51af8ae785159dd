/* guard.h - a command in a process of its own, with a process between that ends it, and all it started, with the program. */
#ifndef WEIR_TUN_GUARD_H
#define WEIR_TUN_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

struct guard {
    pid_t pid;       /* 0: nothing runs */
    int pidfd, gate; /* -1: none; pidfd is readable when it has ended */
};
#define GUARD_NONE {0, -1, -1}

#define GUARD_TERM_MS 2000 /* for SIGTERM to do its work */

/* Forks it; what runs is `inside`, whose result is the exit status, and it waits for guard_release. False: it has complained. */
bool guard_start(struct guard *guard, int (*inside)(void *), void *argument);
void guard_release(struct guard *guard);
/* True: it has ended, or nothing runs. *status is set if it ended now: 128 and the signal's number if a signal ended it. */
bool guard_reap(struct guard *guard, int *status);
/* Waits so long for it to end by itself. */
void guard_wait(const struct guard *guard, int ms);
/* Tells it to end: SIGTERM, after a while SIGKILL. guard_wait and guard_reap see it out. */
void guard_stop(struct guard *guard);
/* Runs a program found in PATH in place of this process; returns what the shell would say of one that cannot run. */
int guard_exec(char *const *words);

#endif
