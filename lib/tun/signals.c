/* signals.c - SIGINT, SIGTERM, SIGHUP and SIGUSR1 as a descriptor that a loop can wait for. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tun/room.h"

static void signals_ours(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGUSR1);
}

bool weiri_signals_take(int *fd, weir_fault *fault)
{
    sigset_t set;

    signals_ours(&set);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || (*fd = signalfd(*fd, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot take signals");
    (void)signal(SIGPIPE, SIG_IGN);
    return true;
}

unsigned weiri_signals_read(int fd)
{
    struct signalfd_siginfo info;
    unsigned happened = 0;

    for (unsigned i = 0; i < 16 && read(fd, &info, sizeof info) == (ssize_t)sizeof info; i++)
        happened |= info.ssi_signo == SIGUSR1 ? WEIR_TUN_DUMP : WEIR_TUN_QUIT;
    return happened;
}

bool weir_tun_signals(weir_tun *t, weir_fault *fault)
{
    return weiri_signals_take(&t->signals, fault);
}

void weir_tun_signals_restore(void)
{
    sigset_t set;

    signals_ours(&set);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
