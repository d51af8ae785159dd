/* namespace.c - a network namespace of one's own, and the user namespace that lets an ordinary user have one
 * (unshare(2), user_namespaces(7)).
 *
 * Knows why kernels and containers refuse, and what to tell people then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tun/room.h"

/* The first `cap` - 1 octets of a file; false if it cannot be read. */
static bool namespace_read(const char *path, char *text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, cap - 1);

    if (fd >= 0)
        (void)close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n >= 0;
}

static bool namespace_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = error;
    return done;
}

bool weiri_namespace_is_user(void)
{
    char text[256];
    unsigned long inside, outside, count;

    /* The first namespace maps all of 2^32 - 1 ids to themselves. */
    if (!namespace_read("/proc/self/uid_map", text, sizeof text))
        return false;
    return sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3 || inside != 0 || outside != 0 ||
           count != 4294967295ul;
}

/* Why a user namespace was refused, in the order in which systems refuse. */
static const char *namespace_mend(int error)
{
    char text[32];

    if (namespace_read("/proc/sys/user/max_user_namespaces", text, sizeof text) && atoi(text) == 0)
        return "user namespaces are switched off: sysctl -w user.max_user_namespaces=10000, or run as root";
    if (namespace_read("/proc/sys/kernel/unprivileged_userns_clone", text, sizeof text) && atoi(text) == 0)
        return "user namespaces are for root only: sysctl -w kernel.unprivileged_userns_clone=1, or run as root";
    if (namespace_read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", text, sizeof text) && atoi(text) != 0)
        return "AppArmor restricts user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or run "
               "as root";
    if (error == EPERM)
        return "a sandbox or container forbids it (seccomp): run as root with CAP_SYS_ADMIN, or outside";
    if (error == EINVAL)
        return "the kernel lacks CONFIG_USER_NS, or threads are running: call it before any thread starts";
    return "run as root";
}

bool weiri_namespace_net(weir_fault *fault)
{
    if (unshare(CLONE_NEWNET) != 0)
        return weiri_fault(fault, WEIR_FAULT_CANNOT, errno,
                           geteuid() != 0 ? "CAP_SYS_ADMIN is needed: run as root"
                                          : "give the container CAP_SYS_ADMIN, or let it make user namespaces",
                           "cannot make a network namespace");
    return weiri_loopback_up(fault);
}

bool weiri_namespace_user(weir_fault *fault)
{
    unsigned long uid = geteuid(), gid = getegid();
    char map[64];

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return weiri_fault(fault, WEIR_FAULT_CANNOT, errno, namespace_mend(errno),
                           "cannot make a user and network namespace");
    /* Needed before gid_map since Linux 3.19; older ones lack it. */
    (void)namespace_write("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof map, "0 %lu 1\n", uid);
    if (!namespace_write("/proc/self/uid_map", map))
        return weiri_fault(fault, WEIR_FAULT_CANNOT, errno, namespace_mend(errno),
                           "cannot map the user into the namespace");
    (void)snprintf(map, sizeof map, "0 %lu 1\n", gid);
    if (!namespace_write("/proc/self/gid_map", map))
        return weiri_fault(fault, WEIR_FAULT_CANNOT, errno, namespace_mend(errno),
                           "cannot map the group into the namespace");
    return weiri_loopback_up(fault);
}

bool weiri_namespace_enter(weir_fault *fault)
{
    weir_fault first;

    if (geteuid() != 0)
        return weiri_namespace_user(fault);
    if (weiri_namespace_net(&first))
        return true;
    /* Root in a container often lacks CAP_SYS_ADMIN, but may have a user namespace all the same. */
    if (first.error == EPERM && weiri_namespace_user(fault))
        return true;
    if (fault != NULL)
        *fault = first;
    return false;
}
