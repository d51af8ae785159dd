/* doctor.c - what this machine allows: each thing that the adapter needs, tried in a child process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tun/room.h"

static const struct {
    const char *name, *says;
} doctor_checks[WEIR_CHECK_COUNT] = {
    {"tun-device", "/dev/net/tun can be opened"},
    {"tun-create", "an interface can be made in this namespace"},
    {"net-namespace", "a network namespace can be made without a user namespace"},
    {"user-namespace", "a user namespace with a network namespace can be made"},
    {"unshare", "an interface with addresses can be made in a namespace of one's own (--unshare)"},
};

const char *weir_tun_check_name(enum weir_tun_check check)
{
    return check < WEIR_CHECK_COUNT ? doctor_checks[check].name : "none";
}

const char *weir_tun_check_says(enum weir_tun_check check)
{
    return check < WEIR_CHECK_COUNT ? doctor_checks[check].says : "none";
}

static bool doctor_unshare(weir_fault *fault)
{
    weir_tun_config config;
    weir_tun *t;

    weir_tun_config_init(&config);
    config.unshare = true;
    t = weir_tun_open(&config, fault);
    return t != NULL && weir_tun_close(t, fault);
}

static bool doctor_try(enum weir_tun_check check, weir_fault *fault)
{
    struct weiri_device device;

    switch (check) {
    case WEIR_CHECK_DEVICE:
        return weiri_device_open(fault) >= 0;
    case WEIR_CHECK_CREATE:
        return weiri_device_create(&device, "any", false, fault);
    case WEIR_CHECK_NETNS:
        return weiri_namespace_net(fault);
    case WEIR_CHECK_USERNS:
        return weiri_namespace_user(fault);
    case WEIR_CHECK_UNSHARE:
        return doctor_unshare(fault);
    case WEIR_CHECK_COUNT:
        break;
    }
    return weiri_fault(fault, WEIR_FAULT_USAGE, 0, NULL, "no such check");
}

bool weir_tun_check(enum weir_tun_check check, weir_fault *fault)
{
    weir_fault answer;
    int ends[2];
    pid_t child;
    ssize_t n;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot try");
    child = fork();
    if (child == 0) {
        memset(&answer, 0, sizeof answer);
        (void)doctor_try(check, &answer);
        n = write(ends[1], &answer, sizeof answer);
        _exit(n == (ssize_t)sizeof answer ? 0 : 1); /* the kernel takes back what was made */
    }
    (void)close(ends[1]);
    do
        n = child < 0 ? 0 : read(ends[0], &answer, sizeof answer);
    while (n < 0 && errno == EINTR);
    (void)close(ends[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (n != (ssize_t)sizeof answer)
        return weiri_fault(fault, WEIR_FAULT_FAILED, child < 0 ? EAGAIN : 0, NULL,
                           "the attempt ended without an answer");
    if (answer.kind != WEIR_FAULT_NONE && fault != NULL)
        *fault = answer;
    return answer.kind == WEIR_FAULT_NONE;
}
