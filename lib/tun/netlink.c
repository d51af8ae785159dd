/* netlink.c - addresses, routes, MTU and up, told to the kernel by rtnetlink (rtnetlink(7)). Knows nothing of packets
 * or TUN.
 *
 * The kernel's side of the link gets the peer address. Where weir's own address lies in the same network, the
 * network's route leads into the device; else the address is set point to point, with a route to weir's own alone.
 * IPv6 gets no link-local address and no duplicate address detection, so that the link carries what the user sends
 * and little else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tun/room.h"

/* One request under construction; the largest here takes less than 200 octets. */
struct netlink_request {
    _Alignas(struct nlmsghdr) unsigned char octets[512];
    size_t len;
};

static void netlink_append(struct netlink_request *request, const void *octets, size_t len)
{
    memcpy(request->octets + request->len, octets, len);
    request->len += NLMSG_ALIGN(len);
}

static void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *body, size_t len)
{
    struct nlmsghdr header;

    memset(request, 0, sizeof *request);
    memset(&header, 0, sizeof header);
    header.nlmsg_type = type;
    header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    netlink_append(request, &header, sizeof header);
    netlink_append(request, body, len);
}

/* Where the attribute begins, so that netlink_close can set the length of one that holds others. */
static size_t netlink_attribute(struct netlink_request *request, uint16_t type, const void *value, size_t len)
{
    struct rtattr attribute;
    size_t at = request->len;

    attribute.rta_type = type;
    attribute.rta_len = (uint16_t)(sizeof attribute + len);
    netlink_append(request, &attribute, sizeof attribute);
    if (len != 0)
        netlink_append(request, value, len);
    return at;
}

static void netlink_close(struct netlink_request *request, size_t at)
{
    uint16_t len = (uint16_t)(request->len - at);

    memcpy(request->octets + at, &len, sizeof len); /* rta_len stands first */
}

/* Sends and waits for the answer: 0 or an errno. */
static int netlink_ask(int fd, struct netlink_request *request)
{
    _Alignas(struct nlmsghdr) unsigned char answer[1024];
    struct nlmsghdr header;
    struct nlmsgerr verdict;
    uint32_t len = (uint32_t)request->len;
    ssize_t n;

    memcpy(request->octets, &len, sizeof len); /* nlmsg_len stands first */
    if (send(fd, request->octets, request->len, 0) < 0)
        return errno;
    do
        n = recv(fd, answer, sizeof answer, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    if ((size_t)n < sizeof header + sizeof verdict)
        return EPROTO;
    memcpy(&header, answer, sizeof header);
    memcpy(&verdict, answer + sizeof header, sizeof verdict);
    return header.nlmsg_type == NLMSG_ERROR ? -verdict.error : EPROTO;
}

/* ---- requests ---- */

static int netlink_link(int fd, unsigned index, uint32_t mtu, uint32_t queue, bool up)
{
    struct netlink_request request;
    struct ifinfomsg info;

    memset(&info, 0, sizeof info);
    info.ifi_family = AF_UNSPEC;
    info.ifi_index = (int)index;
    info.ifi_flags = info.ifi_change = up ? IFF_UP : 0;
    netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof info);
    if (mtu != 0)
        (void)netlink_attribute(&request, IFLA_MTU, &mtu, sizeof mtu);
    if (queue != 0)
        (void)netlink_attribute(&request, IFLA_TXQLEN, &queue, sizeof queue);
    return netlink_ask(fd, &request);
}

/* No link-local address: without one the kernel solicits no routers either. */
static int netlink_no_link_local(int fd, unsigned index)
{
    struct netlink_request request;
    struct ifinfomsg info;
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    size_t families, family;

    memset(&info, 0, sizeof info);
    info.ifi_family = AF_UNSPEC;
    info.ifi_index = (int)index;
    netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof info);
    families = netlink_attribute(&request, IFLA_AF_SPEC, NULL, 0);
    family = netlink_attribute(&request, AF_INET6, NULL, 0);
    (void)netlink_attribute(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    netlink_close(&request, family);
    netlink_close(&request, families);
    return netlink_ask(fd, &request);
}

static size_t netlink_addr_len(const weir_addr *addr)
{
    return weir_addr_is_v4(addr) ? 4 : 16;
}

static bool netlink_same_network(const struct weiri_address *address)
{
    size_t skip = weir_addr_is_v4(&address->own.addr) ? 12 : 0;

    for (unsigned bit = 0; bit < address->own.len; bit++) /* at most 128 */
        if (((address->own.addr.octets[skip + bit / 8] ^ address->peer.octets[skip + bit / 8]) >> (7 - bit % 8) & 1) !=
            0)
            return false;
    return true;
}

static int netlink_address(int fd, unsigned index, const struct weiri_address *address)
{
    struct netlink_request request;
    struct ifaddrmsg message;
    size_t len = netlink_addr_len(&address->peer);
    bool shared = netlink_same_network(address) && address->own.len < len * 8;
    const weir_addr *far = shared ? &address->peer : &address->own.addr;
    uint32_t flags = len == 16 ? IFA_F_NODAD : 0;

    memset(&message, 0, sizeof message);
    message.ifa_family = len == 4 ? AF_INET : AF_INET6;
    message.ifa_prefixlen = shared ? address->own.len : (uint8_t)(len * 8);
    message.ifa_index = index;
    message.ifa_flags = (uint8_t)flags;
    netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &message, sizeof message);
    (void)netlink_attribute(&request, IFA_LOCAL, address->peer.octets + 16 - len, len);
    (void)netlink_attribute(&request, IFA_ADDRESS, far->octets + 16 - len, len);
    (void)netlink_attribute(&request, IFA_FLAGS, &flags, sizeof flags);
    return netlink_ask(fd, &request);
}

static int netlink_route(int fd, unsigned index, const weir_prefix *route)
{
    struct netlink_request request;
    struct rtmsg message;
    size_t len = netlink_addr_len(&route->addr);
    uint32_t out = index;

    memset(&message, 0, sizeof message);
    message.rtm_family = len == 4 ? AF_INET : AF_INET6;
    message.rtm_dst_len = route->len;
    message.rtm_table = RT_TABLE_MAIN;
    message.rtm_protocol = RTPROT_STATIC;
    message.rtm_scope = len == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    message.rtm_type = RTN_UNICAST;
    netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &message, sizeof message);
    (void)netlink_attribute(&request, RTA_DST, route->addr.octets + 16 - len, len);
    (void)netlink_attribute(&request, RTA_OIF, &out, sizeof out);
    return netlink_ask(fd, &request);
}

/* ---- an interface ---- */

/* ioctl works on any socket of the namespace. */
static bool netlink_is_up(const char *name)
{
    struct ifreq request;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up;

    if (fd < 0)
        return false;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
    (void)close(fd);
    return up;
}

/* Asked for in /proc, where rtnetlink has no request for it. An old or locked kernel may refuse: then there is some
 * noise on the link. */
static void netlink_sysctl(const char *name, const char *key, const char *value)
{
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", name, key);
    file = fopen(path, "we");
    if (file == NULL)
        return;
    (void)fputs(value, file);
    (void)fclose(file);
}

static bool netlink_fault(weir_fault *fault, int error, const char *what, const char *name)
{
    if (error == EPERM)
        return weiri_fault(fault, WEIR_FAULT_CANNOT, error, "CAP_NET_ADMIN is needed: run as root, or with --unshare",
                           "%s of %s", what, name);
    return weiri_fault(fault, WEIR_FAULT_FAILED, error,
                       "see that no other interface or route is in the way: ip address; ip route", "%s of %s", what,
                       name);
}

static bool netlink_addresses(int fd, unsigned index, const struct weiri_interface *interface, weir_fault *fault)
{
    char text[WEIR_ADDR_TEXT];

    for (size_t i = 0; i < interface->address_count; i++) {
        const struct weiri_address *address = &interface->addresses[i];
        bool v6 = !weir_addr_is_v4(&address->own.addr);
        int error = netlink_address(fd, index, address);
        weir_format_addr(text, &address->peer);
        if (v6 && (error == EACCES || error == EOPNOTSUPP || error == EAFNOSUPPORT))
            return weiri_fault(
                fault, WEIR_FAULT_CANNOT, error,
                "IPv6 is switched off here: sysctl -w net.ipv6.conf.all.disable_ipv6=0, or do without it",
                "address %s of %s", text, interface->name);
        if (error != 0)
            return netlink_fault(fault, error, text, interface->name);
    }
    return true;
}

static bool netlink_routes(int fd, unsigned index, const struct weiri_interface *interface, weir_fault *fault)
{
    char text[WEIR_ADDR_TEXT], what[WEIR_ADDR_TEXT + 16];

    for (size_t i = 0; i < interface->route_count; i++) {
        int error = netlink_route(fd, index, &interface->routes[i]);
        (void)snprintf(what, sizeof what, "route %s/%u", weir_format_addr(text, &interface->routes[i].addr),
                       interface->routes[i].len);
        if (error != 0)
            return netlink_fault(fault, error, what, interface->name);
    }
    return true;
}

static bool netlink_has_v6(const struct weiri_interface *interface)
{
    for (size_t i = 0; i < interface->address_count; i++)
        if (!weir_addr_is_v4(&interface->addresses[i].own.addr))
            return true;
    return false;
}

static bool netlink_configure(int fd, const struct weiri_interface *interface, weir_fault *fault)
{
    unsigned index = if_nametoindex(interface->name);
    int error = netlink_link(fd, index, interface->mtu, interface->queue, false);

    if (error == EPERM && netlink_is_up(interface->name))
        return true; /* made, configured and brought up by somebody else for us to use */
    if (error != 0)
        return netlink_fault(fault, error, "MTU", interface->name);
    (void)netlink_no_link_local(fd, index); /* there is no IPv6, or noise that does no harm */
    netlink_sysctl(interface->name, "disable_ipv6", netlink_has_v6(interface) ? "0" : "1");
    netlink_sysctl(interface->name, "accept_ra", "0");
    netlink_sysctl(interface->name, "router_solicitations", "0");
    error = netlink_link(fd, index, 0, 0, true);
    if (error != 0)
        return netlink_fault(fault, error, "bringing up", interface->name);
    return netlink_addresses(fd, index, interface, fault) && netlink_routes(fd, index, interface, fault);
}

static int netlink_open(weir_fault *fault)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        (void)weiri_fault(fault, WEIR_FAULT_CANNOT, errno, "the kernel needs rtnetlink, and a sandbox must allow it",
                          "netlink socket");
    return fd;
}

bool weiri_interface_up(const struct weiri_interface *interface, weir_fault *fault)
{
    int fd = netlink_open(fault);
    bool done = fd >= 0 && netlink_configure(fd, interface, fault);

    if (fd >= 0)
        (void)close(fd);
    return done;
}

bool weiri_loopback_up(weir_fault *fault)
{
    int fd = netlink_open(fault), error;

    if (fd < 0)
        return false;
    error = netlink_link(fd, if_nametoindex("lo"), 0, 0, true);
    (void)close(fd);
    return error == 0 || netlink_fault(fault, error, "bringing up", "lo");
}
