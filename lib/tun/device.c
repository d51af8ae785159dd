/* device.c - a descriptor that carries whole packets: a new TUN interface, or one that somebody else has opened.
 *
 * Knows /dev/net/tun (Linux Documentation/networking/tuntap.rst) and what its refusals mean; nothing of addresses or
 * packets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tun/room.h"

#define DEVICE_PATH "/dev/net/tun"

static bool device_open_fault(int error, weir_fault *fault)
{
    const char *mend = "see that it is a character device, major 10, minor 200";
    enum weir_fault_kind kind = WEIR_FAULT_CANNOT;

    if (error == ENOENT || error == ENODEV || error == ENXIO)
        mend = "load the driver (modprobe tun), or give the container the device (--device " DEVICE_PATH ")";
    else if (error == EACCES && geteuid() == 0 && !weiri_namespace_is_user())
        mend = "give the process CAP_DAC_OVERRIDE, or open it to all: chmod 0666 " DEVICE_PATH;
    else if (error == EACCES)
        mend = "run as root, or open it to all: chmod 0666 " DEVICE_PATH " (udev's default mode)";
    else if (error == EPERM)
        mend = "let the container have the device (--device " DEVICE_PATH "): its device rules forbid it";
    else if (error == EMFILE || error == ENFILE || error == ENOMEM) {
        mend = "free some descriptors or memory";
        kind = WEIR_FAULT_FAILED;
    }
    return weiri_fault(fault, kind, error, mend, "cannot open " DEVICE_PATH);
}

static bool device_attach_fault(int error, const char *name, weir_fault *fault)
{
    bool numbered = strchr(name, '%') != NULL;
    const char *shown = numbered ? "a new interface" : name, *mend = "see what the kernel says: dmesg";
    enum weir_fault_kind kind = WEIR_FAULT_FAILED;

    if (error == EPERM) {
        mend = "CAP_NET_ADMIN is needed: run as root, or with --unshare, or as the owner that ip tuntap add gave it";
        kind = WEIR_FAULT_CANNOT;
    } else if (error == EBUSY) {
        mend = "end the program that uses it, or take another name: --tun any";
    } else if (error == EINVAL) {
        mend = "an interface of that name exists and is no TUN of this kind (TAP, multi-queue): take another name: "
               "--tun any";
    }
    return weiri_fault(fault, kind, error, mend, "cannot make or use %s%s", numbered ? "" : "the interface ", shown);
}

static bool device_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len < IFNAMSIZ && strpbrk(name, "/:% \t\n") == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int weiri_device_open(weir_fault *fault)
{
    int fd = open(DEVICE_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        (void)device_open_fault(errno, fault);
    return fd;
}

/* Each packet has this header in front from now on, in the octet order of this machine. */
static bool device_set_header(int fd)
{
    int size = (int)WEIRI_VNET_HEADER;

    return ioctl(fd, TUNSETVNETHDRSZ, &size) == 0;
}

/* UDP is nothing to weir, and the kernel cuts what is marked for congestion by itself. */
bool weiri_device_offload(const struct weiri_device *device, bool on)
{
    unsigned long what = on ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;

    return device->vnet && ioctl(device->fd, TUNSETOFFLOAD, what) == 0;
}

bool weiri_device_create(struct weiri_device *device, const char *name, bool vnet, weir_fault *fault)
{
    struct ifreq request;
    unsigned features = 0;
    int fd;

    if (name == NULL || *name == '\0' || strcmp(name, "any") == 0)
        name = "weir%d";
    else if (!device_name_ok(name))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "at most 15 characters, none of / : % and blanks",
                           "'%.40s' is no name for an interface", name);
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    fd = weiri_device_open(fault);
    if (fd < 0)
        return false;
    vnet = vnet && ioctl(fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) != 0;
    request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0));
    if (ioctl(fd, TUNSETIFF, &request) != 0 || (vnet && !device_set_header(fd))) {
        (void)device_attach_fault(errno, name, fault);
        (void)close(fd);
        return false;
    }
    device->fd = fd;
    device->tun = true;
    device->vnet = vnet;
    memcpy(device->name, request.ifr_name, sizeof device->name);
    device->name[sizeof device->name - 1] = '\0';
    return true;
}

static bool device_adopt_socket(struct weiri_device *device, int fd, weir_fault *fault)
{
    int type = 0;
    socklen_t len = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type == SOCK_STREAM)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "give it a TUN device, or a datagram or seqpacket socket",
                           "descriptor %d does not keep the boundaries of packets", fd);
    device->tun = device->vnet = false;
    (void)snprintf(device->name, sizeof device->name, "fd %d", fd);
    return true;
}

bool weiri_device_adopt(struct weiri_device *device, int fd, weir_fault *fault)
{
    struct ifreq request;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return weiri_fault(fault, WEIR_FAULT_USAGE, errno, "open it first, and let it survive exec",
                           "cannot use descriptor %d", fd);
    memset(&request, 0, sizeof request);
    if (ioctl(fd, TUNGETIFF, &request) == 0) {
        bool vnet = (request.ifr_flags & IFF_VNET_HDR) != 0;
        if ((request.ifr_flags & (IFF_TUN | IFF_NO_PI)) != (IFF_TUN | IFF_NO_PI) || (vnet && !device_set_header(fd)))
            return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "open it with IFF_TUN and IFF_NO_PI, and IFF_VNET_HDR or not",
                               "descriptor %d is a TUN device of another kind", fd);
        device->tun = true;
        device->vnet = vnet;
        memcpy(device->name, request.ifr_name, sizeof device->name);
        device->name[sizeof device->name - 1] = '\0';
    } else if (!device_adopt_socket(device, fd, fault)) {
        return false;
    }
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot use descriptor %d", fd);
    device->fd = fd;
    return true;
}
