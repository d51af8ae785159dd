/* child.c - runs a command beside an instance, and ends it with the instance. Knows no connection. */
#define _GNU_SOURCE
#include "tun/programs/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_TERM_MS 2000 /* for SIGTERM to do its work */

static void child_environment(const struct instance *in)
{
    char text[WEIR_ADDR_TEXT];
    const weir_tun_config *device = &in->options->device;
    weir_addr peer4 = weir_tun_peer4(in->tun), peer6 = weir_tun_peer6(in->tun);
    unsigned port = (unsigned)(in->options->port != 0 ? in->options->port : in->app->port);
    if (device->addr4.len != 0) {
        (void)setenv("WEIR_ADDR", weir_format_addr(text, &device->addr4.addr), 1);
        (void)setenv("WEIR_PEER", weir_format_addr(text, &peer4), 1);
    }
    if (device->addr6.len != 0) {
        (void)setenv("WEIR_ADDR6", weir_format_addr(text, &device->addr6.addr), 1);
        (void)setenv("WEIR_PEER6", weir_format_addr(text, &peer6), 1);
    }
    (void)snprintf(text, sizeof text, "%u", port);
    (void)setenv("WEIR_PORT", text, 1);
    (void)setenv("WEIR_TUN", weir_tun_name(in->tun), 1);
}

static int child_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

__attribute__((noreturn)) static void child_run(const struct instance *in, int (*inside)(void *), void *argument)
{
    weir_tun_signals_restore();
    child_environment(in);
    if (inside != NULL) {
        int status = inside(argument);
        (void)fflush(NULL);
        _exit(status);
    }
    (void)execvp(in->options->exec[0], in->options->exec);
    complain("cannot run %s: %s", in->options->exec[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

/* TERM, and KILL if that does not help in time; its status. */
static int child_kill(pid_t command, int pidfd)
{
    static const int signals[] = {SIGTERM, SIGKILL};
    int status;
    for (unsigned i = 0; i < 2; i++) {
        struct pollfd gone = {.fd = pidfd, .events = POLLIN};
        (void)kill(command, signals[i]);
        if (poll(&gone, 1, CHILD_TERM_MS) == 1)
            break;
    }
    return waitpid(command, &status, 0) == command ? child_code(status) : EXIT_FAILED;
}

/* The process between: it keeps the privileges that weir gives up, because without them weir could not end the command. It waits
 * for the gate, runs the command, and ends it when the gate closes, which it does even if weir is killed. Signals stay blocked. */
__attribute__((noreturn)) static void child_guard(const struct instance *in, int gate, int (*inside)(void *),
                                                  void *argument)
{
    char go;
    int status;
    if (read(gate, &go, 1) != 1)
        _exit(EXIT_FAILED);
    pid_t command = fork();
    if (command == 0)
        child_run(in, inside, argument);
    int pidfd = command > 0 ? (int)syscall(SYS_pidfd_open, command, 0) : -1;
    if (pidfd < 0) {
        complain("cannot start and watch a command: %s", strerror(errno));
        _exit(EXIT_FAILED);
    }
    struct pollfd fds[2] = {{.fd = gate, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) /* ends with the gate or the command */
        ;
    if (fds[1].revents == 0)
        _exit(child_kill(command, pidfd));
    _exit(waitpid(command, &status, 0) == command ? child_code(status) : EXIT_FAILED);
}

bool child_start(struct instance *in, int (*inside)(void *), void *argument)
{
    int gate[2];
    if (inside == NULL && in->options->exec == NULL)
        return true;
    (void)fflush(NULL);
    if (pipe2(gate, O_CLOEXEC) != 0) {
        complain("cannot make a pipe: %s", strerror(errno));
        return false;
    }
    in->child = fork();
    if (in->child == 0) {
        (void)close(gate[1]);
        child_guard(in, gate[0], inside, argument);
    }
    (void)close(gate[0]);
    in->child_gate = gate[1];
    in->child_pidfd = in->child > 0 ? (int)syscall(SYS_pidfd_open, in->child, 0) : -1;
    if (in->child_pidfd < 0) {
        complain("cannot start and watch a command: %s", strerror(errno));
        return false;
    }
    return true;
}

void child_release(struct instance *in)
{
    if (in->child_gate >= 0 && write(in->child_gate, "g", 1) != 1)
        complain("the command ended before it began");
}

size_t child_fds(const struct instance *in, struct pollfd fds[1])
{
    if (in->child_pidfd < 0)
        return 0;
    fds[0] = (struct pollfd){.fd = in->child_pidfd, .events = POLLIN};
    return 1;
}

static void child_reap(struct instance *in)
{
    int status;
    if (in->child <= 0 || waitpid(in->child, &status, WNOHANG) != in->child)
        return;
    in->child = 0;
    (void)close(in->child_pidfd);
    in->child_pidfd = -1;
    if (in->status == EXIT_FINE)
        in->status = child_code(status);
}

void child_turn(struct instance *in, const struct pollfd *fds, size_t count)
{
    if (count == 0 || fds[0].revents == 0)
        return;
    child_reap(in);
    if (in->child == 0 && in->quitting == 0)
        run_quit(in);
}

void child_end(struct instance *in)
{
    struct pollfd gone = {.fd = in->child_pidfd, .events = POLLIN};
    /* Where the connections ended first and nobody said stop, the command has a moment to end by itself. */
    if (in->child > 0 && in->status == EXIT_FINE && !in->stopped) {
        (void)poll(&gone, 1, (int)(in->options->grace_us / 1000));
        child_reap(in);
    }
    if (in->child_gate >= 0)
        (void)close(in->child_gate);
    in->child_gate = -1;
    if (in->child <= 0)
        return;
    if (in->status == EXIT_FINE)
        in->status = 128 + SIGTERM; /* it did not come to its end */
    (void)poll(&gone, 1, 3 * CHILD_TERM_MS);
    child_reap(in);
}
