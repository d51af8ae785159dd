/* privilege.c - giving up what is not needed once the device is open: identity, capabilities, and the ways to get
 * them back. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tun/room.h"

#define PRIVILEGE_NOBODY 65534u
#define PRIVILEGE_CAPABILITIES 64ul

static uint32_t privilege_id(const char *variable)
{
    const char *text = getenv(variable);
    uint64_t id;

    if (text == NULL || weir_parse_count(text, UINT32_MAX - 1, &id) != NULL || id == 0)
        return PRIVILEGE_NOBODY;
    return (uint32_t)id;
}

/* From root to the user who called sudo, or to nobody. */
static bool privilege_identity(weir_fault *fault)
{
    uint32_t uid = privilege_id("SUDO_UID"),
             gid = uid == PRIVILEGE_NOBODY ? PRIVILEGE_NOBODY : privilege_id("SUDO_GID");

    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno,
                           "CAP_SETUID and CAP_SETGID are needed, or do not drop privileges",
                           "cannot become user %u, group %u", uid, gid);
    if (setuid(0) == 0 || geteuid() == 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, 0, "do not run this here as root", "dropped privileges came back");
    return true;
}

/* The bounding set before the others: it needs CAP_SETPCAP. Kernels with fewer capabilities refuse the rest of the
 * numbers. */
static void privilege_bound(void)
{
    for (unsigned long capability = 0; capability < PRIVILEGE_CAPABILITIES; capability++)
        (void)prctl(PR_CAPBSET_DROP, capability, 0ul, 0ul, 0ul);
    (void)prctl(PR_CAP_AMBIENT, (unsigned long)PR_CAP_AMBIENT_CLEAR_ALL, 0ul, 0ul, 0ul);
}

bool weiri_privilege_drop(weir_fault *fault)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

    privilege_bound();
    if (geteuid() == 0 && !weiri_namespace_is_user() && !privilege_identity(fault))
        return false;
    memset(&header, 0, sizeof header);
    memset(none, 0, sizeof none);
    header.version = _LINUX_CAPABILITY_VERSION_3;
    if (syscall(SYS_capset, &header, none) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot give up capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, "Linux 3.5 or later is needed", "cannot set no_new_privs");
    return true;
}
