/* guard.c - runs a command beside the program, and ends it with the program. Knows no connection and no device. */
#define _GNU_SOURCE
#include "tun/programs/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tun/programs/app.h"

#define GUARD_SWEEPS 100 /* rounds of 10 ms in which what a command left behind may end */

static int guard_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int guard_exec(char *const *words)
{
    (void)execvp(words[0], words);
    complain("cannot run %s: %s", words[0], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

__attribute__((noreturn)) static void guard_run(int (*inside)(void *), void *argument)
{
    weir_tun_signals_restore();
    int status = inside(argument);
    (void)fflush(NULL);
    _exit(status);
}

/* TERM, and KILL if that does not help in time; its status. */
static int guard_kill(pid_t command, int pidfd)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int status;
    for (unsigned i = 0; i < 2; i++) {
        struct pollfd gone = {.fd = pidfd, .events = POLLIN};
        (void)kill(command, signals[i]);
        if (poll(&gone, 1, GUARD_TERM_MS) == 1)
            break;
    }
    return waitpid(command, &status, 0) == command ? guard_code(status) : EXIT_FAILED;
}

/* A signal to every child of this process: what the command started and did not wait for has become one. */
static void guard_signal_children(int number)
{
    char path[64];
    int pid;
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fscanf(file, "%d", &pid) == 1)
        (void)kill(pid, number);
    (void)fclose(file);
}

static void guard_sweep(void)
{
    for (unsigned round = 0; round < GUARD_SWEEPS; round++) {
        pid_t gone;
        while ((gone = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (gone < 0)
            return;
        guard_signal_children(round < GUARD_SWEEPS / 2 ? SIGTERM : SIGKILL);
        (void)poll(NULL, 0, 10);
    }
}

/* The process between: it keeps the privileges that weir gives up, because without them weir could not end the command. It waits
 * for the gate, runs the command, and ends it when the gate speaks again or closes, which it does even if weir is killed. Signals
 * stay blocked. */
__attribute__((noreturn)) static void guard_stand(int gate, int (*inside)(void *), void *argument)
{
    char go;
    int status;
    if (read(gate, &go, 1) != 1 || go != 'g')
        _exit(EXIT_FAILED);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1ul, 0ul, 0ul, 0ul);
    pid_t command = fork();
    if (command == 0)
        guard_run(inside, argument);
    int pidfd = command > 0 ? (int)syscall(SYS_pidfd_open, command, 0) : -1;
    if (pidfd < 0) {
        complain("cannot start and watch a command: %s", strerror(errno));
        _exit(EXIT_FAILED);
    }
    struct pollfd fds[2] = {{.fd = gate, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) /* ends with the gate or the command */
        ;
    int code = EXIT_FAILED;
    if (fds[1].revents == 0)
        code = guard_kill(command, pidfd);
    else if (waitpid(command, &status, 0) == command)
        code = guard_code(status);
    guard_sweep();
    _exit(code);
}

bool guard_start(struct guard *guard, int (*inside)(void *), void *argument)
{
    int gate[2];
    (void)fflush(NULL);
    if (pipe2(gate, O_CLOEXEC) != 0) {
        complain("cannot make a pipe: %s", strerror(errno));
        return false;
    }
    guard->pid = fork();
    if (guard->pid == 0) {
        (void)close(gate[1]);
        guard_stand(gate[0], inside, argument);
    }
    (void)close(gate[0]);
    guard->gate = gate[1];
    guard->pidfd = guard->pid > 0 ? (int)syscall(SYS_pidfd_open, guard->pid, 0) : -1;
    if (guard->pidfd < 0) {
        complain("cannot start and watch a command: %s", strerror(errno));
        return false;
    }
    return true;
}

void guard_release(struct guard *guard)
{
    if (guard->gate >= 0 && write(guard->gate, "g", 1) != 1)
        complain("the command ended before it began");
}

bool guard_reap(struct guard *guard, int *status)
{
    int raw;
    if (guard->pid <= 0)
        return true;
    if (waitpid(guard->pid, &raw, WNOHANG) != guard->pid)
        return false;
    guard->pid = 0;
    if (guard->pidfd >= 0)
        (void)close(guard->pidfd);
    guard->pidfd = -1;
    *status = guard_code(raw);
    return true;
}

void guard_wait(const struct guard *guard, int ms)
{
    struct pollfd gone = {.fd = guard->pidfd, .events = POLLIN};
    if (guard->pid > 0)
        (void)poll(&gone, 1, ms);
}

/* A byte, not the close alone: another guard may hold a copy of the gate. */
void guard_stop(struct guard *guard)
{
    if (guard->gate < 0)
        return;
    if (guard->pid > 0)
        (void)!write(guard->gate, "e", 1);
    (void)close(guard->gate);
    guard->gate = -1;
}
