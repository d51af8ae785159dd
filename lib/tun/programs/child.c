/* child.c - the command beside an instance: its environment, and what its end means. Knows no connection. */
#define _GNU_SOURCE
#include "tun/programs/child.h"

#include <signal.h>
#include <stdlib.h>

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

/* What the guard runs: the words of the command, or a function of this program. */
struct child_task {
    const struct instance *in;
    int (*inside)(void *);
    void *argument;
};

static int child_run(void *argument)
{
    const struct child_task *task = argument;
    child_environment(task->in);
    return task->inside != NULL ? task->inside(task->argument) : guard_exec(task->in->options->exec);
}

bool child_start(struct instance *in, int (*inside)(void *), void *argument)
{
    struct child_task task = {in, inside, argument}; /* the fork has a copy */
    if (inside == NULL && in->options->exec == NULL)
        return true;
    return guard_start(&in->child, child_run, &task);
}

void child_release(struct instance *in)
{
    guard_release(&in->child);
}

size_t child_fds(const struct instance *in, struct pollfd fds[1])
{
    if (in->child.pidfd < 0)
        return 0;
    fds[0] = (struct pollfd){.fd = in->child.pidfd, .events = POLLIN};
    return 1;
}

static void child_reap(struct instance *in)
{
    int status = EXIT_FINE;
    if (guard_reap(&in->child, &status) && in->status == EXIT_FINE)
        in->status = status;
}

void child_turn(struct instance *in, const struct pollfd *fds, size_t count)
{
    if (count == 0 || fds[0].revents == 0)
        return;
    child_reap(in);
    if (in->child.pid == 0 && in->quitting == 0)
        run_quit(in);
}

void child_end(struct instance *in)
{
    /* Where the connections ended first and nobody said stop, the command has a moment to end by itself. */
    if (in->child.pid > 0 && in->status == EXIT_FINE && !in->stopped) {
        guard_wait(&in->child, (int)(in->options->grace_us / 1000));
        child_reap(in);
    }
    guard_stop(&in->child);
    if (in->child.pid <= 0)
        return;
    if (in->status == EXIT_FINE)
        in->status = 128 + SIGTERM; /* it did not come to its end */
    guard_wait(&in->child, 3 * GUARD_TERM_MS);
    child_reap(in);
}
