/* target_kernel.c - the TCP of the Linux kernel this program runs on: real sockets, packets over a TUN device, real time.
 *
 * Each reset makes a network namespace of its own, so that no route metric, no TIME-WAIT and no sysctl of the scenario before is left.
 * What Linux does beyond the RFCs and can be told not to do (limits of answers, compressed SACKs, tail loss probes) is switched off
 * there: kernel_plain below. */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "target.h"

#ifndef WEIR_VECTORS_KERNEL

struct target *target_kernel_new(char *why, size_t cap)
{
    (void)snprintf(why, cap, "this weir-vectors was built without the TUN adapter (meson option tun)");
    return NULL;
}

#else
#include "tun/room.h"

#define KERNEL_SOCKETS_MAX 256

struct kernel_socket {
    int fd;                  /* -1: closed, or not given out */
    bool used, connecting;
    union kernel_address {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } local, remote;         /* known once connected: for the state of a connection that has no socket any more */
    bool named;
};

struct kernel_packet {
    struct kernel_packet *next;
    int64_t when;
    size_t len;
    uint8_t octets[];
};

struct kernel {
    struct target target;
    struct target_world world;
    struct weiri_device tun;
    int epoll;
    int64_t start;           /* CLOCK_MONOTONIC, microseconds */
    bool nodelay;
    struct kernel_socket sockets[KERNEL_SOCKETS_MAX];
    struct kernel_packet *first, **last;
    char why[600];
};

static struct kernel *kernel_of(struct target *t)
{
    return (struct kernel *)(void *)t;
}

static int64_t kernel_clock(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- sysctls ---- */

static bool kernel_sysctl(const char *name, const char *value)
{
    char path[128];
    bool done;
    int fd;

    (void)snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
    if (fd >= 0)
        (void)close(fd);
    return done;
}

/* A microsecond value ("5s", "200ms", "7") in units of `unit` microseconds; -1 if it is none or no whole number of them. */
static int64_t kernel_units(const char *value, int64_t unit)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || errno != 0 || number < 0 || number > 1000000000000ll)
        return -1;
    if (strcmp(end, "s") == 0)
        number *= 1000000;
    else if (strcmp(end, "ms") == 0)
        number *= 1000;
    else if (*end != '\0')
        return -1;
    return number % unit == 0 ? number / unit : -1;
}

/* Settings that are a sysctl: the number in its unit. */
static const struct kernel_setting {
    const char *name, *sysctl;
    int64_t unit; /* microseconds; 0: a plain number */
} kernel_settings[] = {
    {"timestamps", "tcp_timestamps", 0},          {"sack", "tcp_sack", 0},
    {"window-scale", "tcp_window_scaling", 0},    {"ecn", "tcp_ecn", 0},
    {"rto-min", "tcp_rto_min_us", 1},             {"rto-max", "tcp_rto_max_ms", 1000},
    {"r1", "tcp_retries1", 0},                    {"keepalive-idle", "tcp_keepalive_time", 1000000},
    {"keepalive-interval", "tcp_keepalive_intvl", 1000000}, {"keepalive-count", "tcp_keepalive_probes", 0},
    {"fin-wait", "tcp_fin_timeout", 1000000},     {"ttl", "ip_default_ttl", 0},
    {"time-wait", "tcp_max_tw_buckets", 0},       {"rfc1337", "tcp_rfc1337", 0},
    {NULL, NULL, 0},
};

/* Settings that Linux has compiled in. */
static const struct { const char *name, *value; } kernel_fixed[] = {
    {"rto-initial", "1s"}, {"require-timestamps", "0"}, {"msl", "30s"}, {"dscp", "0"}, {"quick-acks", "16"}, {"ack-every", "2"},
    {"prr", "1"},
};

static const struct { const char *name, *value; } kernel_plain[] = {
    {"tcp_congestion_control", "reno"}, {"tcp_ecn", "0"}, {"tcp_invalid_ratelimit", "0"}, {"tcp_early_retrans", "0"},
    {"tcp_comp_sack_nr", "0"}, {"tcp_autocorking", "0"}, {"tcp_syncookies", "0"}, {"tcp_challenge_ack_limit", "2147483647"},
};

/* ---- the namespace and the device ---- */

static void kernel_forget(struct kernel *k)
{
    for (int i = 0; i < KERNEL_SOCKETS_MAX; i++) {
        if (k->sockets[i].used && k->sockets[i].fd >= 0)
            (void)close(k->sockets[i].fd);
        k->sockets[i] = (struct kernel_socket){.fd = -1};
    }
    while (k->first != NULL) {
        struct kernel_packet *p = k->first;

        k->first = p->next;
        free(p);
    }
    k->last = &k->first;
    if (k->epoll >= 0)
        (void)close(k->epoll);
    if (k->tun.fd >= 0)
        (void)close(k->tun.fd);
    k->epoll = k->tun.fd = -1;
}

static void kernel_addr(weir_addr *to, bool v6, const uint8_t *octets)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memcpy(to->octets, mapped, 12);
    memcpy(to->octets + (v6 ? 0 : 12), octets, v6 ? 16 : 4);
}

/* The kernel has `local`; "weir's own" is the script's `remote`. */
static bool kernel_interface(struct kernel *k, weir_fault *fault)
{
    struct weiri_address address;
    struct weiri_interface interface = {.name = k->tun.name, .mtu = 1500, .addresses = &address, .address_count = 1};

    memset(&address, 0, sizeof address);
    kernel_addr(&address.own.addr, k->world.v6, k->world.remote);
    kernel_addr(&address.peer, k->world.v6, k->world.local);
    address.own.len = k->world.v6 ? 128 : 32;
    return weiri_interface_up(&interface, fault);
}

/* The kernel makes the route to an IPv6 address of its own some time after the address. */
static bool kernel_is_routed(const uint8_t *octets)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    bool routed = false;

    memcpy(&name.sin6_addr, octets, 16);
    for (int tries = 0; !routed && tries < 2000; tries++) {
        const struct timespec nap = {0, 1000000};
        int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        routed = connect(fd, (const struct sockaddr *)&name, sizeof name) == 0;
        (void)close(fd);
        if (!routed)
            (void)nanosleep(&nap, NULL);
    }
    return routed;
}

static bool kernel_watch(struct kernel *k, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Times of packets are when they are read here: not to be scheduled away is worth milliseconds. But only in the scenario itself: while
 * interfaces are made the kernel has work of its own to do, for which this process would have to wait for ever. */
static void kernel_hurry(bool on)
{
    struct sched_param plain = {0}, first = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};

    (void)sched_setscheduler(0, on ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, on ? &first : &plain); /* if we may */
}

static bool kernel_reset(struct target *t, const struct target_world *world)
{
    struct kernel *k = kernel_of(t);
    weir_fault fault = {0};

    kernel_hurry(false);
    kernel_forget(k);
    k->world = *world;
    k->nodelay = false;
    if (!weiri_namespace_net(&fault) || !weiri_device_create(&k->tun, "any", false, &fault) || !kernel_interface(k, &fault)) {
        (void)snprintf(k->why, sizeof k->why, "%s", fault.text);
        return false;
    }
    for (size_t i = 0; i < sizeof kernel_plain / sizeof kernel_plain[0]; i++)
        (void)kernel_sysctl(kernel_plain[i].name, kernel_plain[i].value); /* an older kernel may lack one */
    if (world->v6 && (!kernel_is_routed(world->local) || !kernel_is_routed(world->remote))) {
        (void)snprintf(k->why, sizeof k->why, "no route to the IPv6 addresses of %s after 2 s", k->tun.name);
        return false;
    }
    k->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (k->epoll < 0 || !kernel_watch(k, k->tun.fd, EPOLLIN)) {
        (void)snprintf(k->why, sizeof k->why, "epoll: %s", strerror(errno));
        return false;
    }
    kernel_hurry(true);
    k->start = kernel_clock();
    return true;
}

/* ---- settings ---- */

static answer kernel_set_mtu(struct kernel *k, const char *value)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int64_t mtu = kernel_units(value, 1);
    struct ifreq request;
    bool done;

    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, k->tun.name, sizeof request.ifr_name - 1);
    request.ifr_mtu = (int)mtu;
    done = mtu >= 68 && mtu <= 65535 && ioctl(fd, SIOCSIFMTU, &request) == 0;
    (void)close(fd);
    return done ? 0 : ANSWER_ERRNO(EINVAL);
}

/* R2 is a time in RFC 9293 and a number of retransmissions here: the least number that lasts so long, with a first timeout of 1 s. */
static answer kernel_set_retries(const char *sysctl, const char *value)
{
    int64_t wanted = kernel_units(value, 1), total = 0, rto = 1000000;
    char text[24];
    int count = 0;

    if (wanted < 0)
        return ANSWER_ERRNO(EINVAL);
    while (total < wanted && count < 127) {
        total += rto;
        rto = rto * 2 < 120000000 ? rto * 2 : 120000000;
        count++;
    }
    (void)snprintf(text, sizeof text, "%d", count < 2 ? 1 : count - 1);
    return kernel_sysctl(sysctl, text) ? 0 : ANSWER_UNIMPLEMENTED;
}

/* The initial window is the route's. */
static answer kernel_set_window(struct kernel *k, const char *value)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        uint8_t attributes[128];
    } m = {0};
    int64_t segments = kernel_units(value, 1);
    uint32_t window = segments == 0 ? 3 : (uint32_t)segments, index = if_nametoindex(k->tun.name); /* RFC 5681 3.1, at 1460 octets */
    uint32_t priority = k->world.v6 ? 256 : 0; /* as the route that came with the address has it */
    size_t address_len = k->world.v6 ? 16 : 4, len = 0;
    const struct { uint16_t len, type; uint32_t value; } metric = {8, RTAX_INITCWND, window};
    const struct { uint16_t len, type; const void *value; } parts[] = {
        {(uint16_t)address_len, RTA_DST, k->world.remote}, {4, RTA_OIF, &index}, {4, RTA_PRIORITY, &priority}, {8, RTA_METRICS, &metric},
    };
    struct { struct nlmsghdr header; struct nlmsgerr verdict; uint8_t more[512]; } reply;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool done;

    if (segments < 0 || segments > 1000) {
        (void)close(fd);
        return ANSWER_ERRNO(EINVAL);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct rtattr a = {(uint16_t)(sizeof a + parts[i].len), parts[i].type};

        memcpy(m.attributes + len, &a, sizeof a);
        memcpy(m.attributes + len + sizeof a, parts[i].value, parts[i].len);
        len += RTA_ALIGN(a.rta_len);
    }
    m.header = (struct nlmsghdr){.nlmsg_len = (uint32_t)(offsetof(__typeof__(m), attributes) + len), .nlmsg_type = RTM_NEWROUTE,
                                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE};
    m.route = (struct rtmsg){.rtm_family = k->world.v6 ? AF_INET6 : AF_INET, .rtm_dst_len = (uint8_t)(8 * address_len),
                             .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_scope = RT_SCOPE_LINK,
                             .rtm_type = RTN_UNICAST};
    done = fd >= 0 && send(fd, &m, m.header.nlmsg_len, 0) == (ssize_t)m.header.nlmsg_len &&
           recv(fd, &reply, sizeof reply, 0) >= (ssize_t)(sizeof reply.header + sizeof reply.verdict.error) &&
           reply.header.nlmsg_type == NLMSG_ERROR && reply.verdict.error == 0;
    (void)close(fd);
    return done ? 0 : ANSWER_UNIMPLEMENTED;
}

static answer kernel_set_sysctl(const struct kernel_setting *s, const char *value)
{
    int64_t number = kernel_units(value, s->unit == 0 ? 1 : s->unit);
    char text[24];

    if (number < 0)
        return kernel_units(value, 1) < 0 ? ANSWER_ERRNO(EINVAL) : ANSWER_UNIMPLEMENTED;
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    return kernel_sysctl(s->sysctl, text) ? 0 : ANSWER_UNIMPLEMENTED;
}

/* The probe for a lost tail can be turned off. RACK cannot: Linux 6.18 has nothing else, whatever tcp_recovery says. */
static answer kernel_set_rack(const char *value)
{
    bool on = strcmp(value, "0") != 0;

    return kernel_sysctl("tcp_early_retrans", on ? "3" : "0") && on ? 0 : ANSWER_UNIMPLEMENTED;
}

static answer kernel_set(struct target *t, const char *name, const char *value)
{
    struct kernel *k = kernel_of(t);

    if (strcmp(name, "mtu") == 0)
        return kernel_set_mtu(k, value);
    if (strcmp(name, "congestion") == 0)
        return kernel_sysctl("tcp_congestion_control", value) ? 0 : ANSWER_UNIMPLEMENTED;
    if (strcmp(name, "rack") == 0)
        return kernel_set_rack(value);
    if (strcmp(name, "nagle") == 0) {
        k->nodelay = strcmp(value, "0") == 0;
        return 0;
    }
    if (strcmp(name, "initial-window") == 0)
        return kernel_set_window(k, value);
    if (strcmp(name, "r2") == 0)
        return kernel_set_retries("tcp_retries2", value);
    if (strcmp(name, "r2-syn") == 0)
        return kernel_set_retries("tcp_syn_retries", value);
    for (const struct kernel_setting *s = kernel_settings; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            return kernel_set_sysctl(s, value);
    for (size_t i = 0; i < sizeof kernel_fixed / sizeof kernel_fixed[0]; i++)
        if (strcmp(kernel_fixed[i].name, name) == 0 && strcmp(kernel_fixed[i].value, value) == 0)
            return 0;
    return ANSWER_UNIMPLEMENTED;
}

/* ---- packets and time ---- */

static int64_t kernel_now(struct target *t)
{
    return kernel_clock() - kernel_of(t)->start;
}

/* TCP between the two hosts; a kernel says more on a link (router solicitations, group reports). */
static bool kernel_is_ours(const struct kernel *k, const uint8_t *p, size_t len)
{
    if (k->world.v6)
        return len >= 60 && p[0] >> 4 == 6 && p[6] == IPPROTO_TCP && memcmp(p + 8, k->world.local, 16) == 0 &&
               memcmp(p + 24, k->world.remote, 16) == 0;
    return len >= 40 && p[0] >> 4 == 4 && p[9] == IPPROTO_TCP && memcmp(p + 12, k->world.local, 4) == 0 &&
           memcmp(p + 16, k->world.remote, 4) == 0;
}

/* All that is in the device, into the queue. */
static answer kernel_drain(struct kernel *k)
{
    uint8_t octets[TARGET_PACKET_MAX];
    ssize_t n;

    while ((n = read(k->tun.fd, octets, sizeof octets)) > 0) {
        struct kernel_packet *p;

        if (!kernel_is_ours(k, octets, (size_t)n))
            continue;
        p = malloc(sizeof *p + (size_t)n);
        if (p == NULL) {
            (void)snprintf(k->why, sizeof k->why, "out of memory");
            return ANSWER_DEAD;
        }
        p->next = NULL;
        p->when = kernel_now(&k->target);
        p->len = (size_t)n;
        memcpy(p->octets, octets, (size_t)n);
        *k->last = p;
        k->last = &p->next;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        (void)snprintf(k->why, sizeof k->why, "reading from %s: %s", k->tun.name, strerror(errno));
        return ANSWER_DEAD;
    }
    return 0;
}

static answer kernel_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    struct kernel *k = kernel_of(t);

    if (write(k->tun.fd, octets, len) < 0 && errno != EINVAL) { /* EINVAL: no IP packet at all; dropped */
        (void)snprintf(k->why, sizeof k->why, "writing to %s: %s", k->tun.name, strerror(errno));
        return ANSWER_DEAD;
    }
    return kernel_drain(k);
}

static answer kernel_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    struct kernel *k = kernel_of(t);
    struct kernel_packet *p;
    size_t len;

    if (k->first == NULL && kernel_drain(k) != 0)
        return ANSWER_DEAD;
    p = k->first;
    if (p == NULL)
        return 0;
    len = p->len < cap ? p->len : cap;
    memcpy(octets, p->octets, len);
    *when = p->when;
    k->first = p->next;
    if (k->first == NULL)
        k->last = &k->first;
    free(p);
    return (answer)len;
}

static answer kernel_advance(struct target *t, int64_t until)
{
    struct kernel *k = kernel_of(t);

    for (;;) {
        struct epoll_event events[16];
        struct pollfd ready = {k->epoll, POLLIN, 0};
        int64_t left = until - kernel_now(t);
        struct timespec wait = {left / 1000000, left % 1000000 * 1000};
        bool stirred = false;
        int n;

        if (kernel_drain(k) != 0)
            return ANSWER_DEAD;
        if (left <= 0 || k->first != NULL)
            return 0;
        if (ppoll(&ready, 1, &wait, NULL) <= 0)
            continue;
        n = epoll_wait(k->epoll, events, 16, 0);
        for (int i = 0; i < n; i++)
            stirred = stirred || events[i].data.fd != k->tun.fd;
        if (kernel_drain(k) != 0)
            return ANSWER_DEAD;
        if (stirred)
            return 0;
    }
}

/* ---- calls ---- */

static struct kernel_socket *kernel_socket_of(struct target *t, int number)
{
    struct kernel *k = kernel_of(t);

    if (number < 0 || number >= KERNEL_SOCKETS_MAX || !k->sockets[number].used)
        return NULL;
    return &k->sockets[number];
}

static int kernel_fd(struct target *t, int number)
{
    struct kernel_socket *s = kernel_socket_of(t, number);

    return s == NULL ? -1 : s->fd;
}

static answer kernel_result(int64_t result)
{
    return result < 0 ? ANSWER_ERRNO(errno) : result;
}

static answer kernel_adopt(struct kernel *k, int fd)
{
    int on = 1;

    for (int i = 0; fd >= 0 && i < KERNEL_SOCKETS_MAX; i++) {
        struct kernel_socket *s = &k->sockets[i];

        if (s->used)
            continue;
        *s = (struct kernel_socket){.fd = fd, .used = true};
        if (k->nodelay)
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        (void)kernel_watch(k, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET);
        return i;
    }
    if (fd < 0)
        return ANSWER_ERRNO(errno);
    (void)close(fd);
    return ANSWER_ERRNO(EMFILE);
}

static socklen_t kernel_name(const struct kernel *k, union kernel_address *a, const uint8_t *octets, uint16_t port)
{
    memset(a, 0, sizeof *a);
    if (k->world.v6) {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons(port);
        memcpy(&a->v6.sin6_addr, octets, 16);
        return sizeof a->v6;
    }
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = htons(port);
    memcpy(&a->v4.sin_addr, octets, 4);
    return sizeof a->v4;
}

/* Remembers the ports while the socket still tells them. */
static void kernel_learn(struct kernel_socket *s)
{
    socklen_t local = sizeof s->local, remote = sizeof s->remote;

    if (!s->named && s->fd >= 0)
        s->named = getpeername(s->fd, &s->remote.any, &remote) == 0 && getsockname(s->fd, &s->local.any, &local) == 0;
}

static answer kernel_socket(struct target *t)
{
    struct kernel *k = kernel_of(t);

    return kernel_adopt(k, socket(k->world.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static answer kernel_listen(struct target *t, int socket, uint16_t port, int backlog)
{
    struct kernel *k = kernel_of(t);
    union kernel_address name;
    socklen_t len = kernel_name(k, &name, k->world.local, port);
    int fd = kernel_fd(t, socket), on = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &name.any, len) != 0 && errno != EINVAL) /* EINVAL: it is bound, it listens already or was connected */
        return ANSWER_ERRNO(errno);
    return kernel_result(listen(fd, backlog));
}

static answer kernel_connect(struct target *t, int socket, uint16_t port)
{
    struct kernel *k = kernel_of(t);
    struct kernel_socket *s = kernel_socket_of(t, socket);
    union kernel_address name;
    socklen_t len = kernel_name(k, &name, k->world.remote, port), local = sizeof name;
    answer a;

    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    a = kernel_result(connect(s->fd, &name.any, len));
    if (!s->named && getsockname(s->fd, &s->local.any, &local) == 0) {
        s->remote = name;
        s->named = true;
    }
    return a;
}

static answer kernel_accept(struct target *t, int socket)
{
    struct kernel *k = kernel_of(t);
    answer a = kernel_adopt(k, accept4(kernel_fd(t, socket), NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));

    if (a >= 0)
        kernel_learn(&k->sockets[a]);
    return a;
}

static answer kernel_send(struct target *t, int socket, const uint8_t *octets, size_t len, int flags)
{
    return kernel_result(send(kernel_fd(t, socket), octets, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

static answer kernel_recv(struct target *t, int socket, uint8_t *octets, size_t cap, int flags)
{
    return kernel_result(recv(kernel_fd(t, socket), octets, cap, (flags & ~MSG_WAITALL) | MSG_DONTWAIT));
}

static answer kernel_shutdown(struct target *t, int socket, int how)
{
    return kernel_result(shutdown(kernel_fd(t, socket), how));
}

static answer kernel_close(struct target *t, int socket)
{
    struct kernel_socket *s = kernel_socket_of(t, socket);
    int fd = kernel_fd(t, socket);

    if (s != NULL) {
        kernel_learn(s);
        s->fd = -1;
    }
    return kernel_result(close(fd));
}

static answer kernel_abort(struct target *t, int socket)
{
    struct linger linger = {1, 0};

    (void)setsockopt(kernel_fd(t, socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    return kernel_close(t, socket);
}

static answer kernel_linger(int fd, int64_t value)
{
    struct linger linger = {value >= 0, value < 0 ? 0 : (int)(value / 1000000)};

    return kernel_result(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

static answer kernel_option(struct target *t, int socket, const char *name, int64_t value)
{
    bool v6 = kernel_of(t)->world.v6;
    const struct { const char *name; int level, option; int64_t divide, multiply; } options[] = {
        {"nodelay", IPPROTO_TCP, TCP_NODELAY, 1, 1}, {"cork", IPPROTO_TCP, TCP_CORK, 1, 1},
        {"quickack", IPPROTO_TCP, TCP_QUICKACK, 1, 1}, {"mss", IPPROTO_TCP, TCP_MAXSEG, 1, 1},
        {"keepalive", SOL_SOCKET, SO_KEEPALIVE, 1, 1}, {"keepalive-idle", IPPROTO_TCP, TCP_KEEPIDLE, 1000000, 1},
        {"keepalive-interval", IPPROTO_TCP, TCP_KEEPINTVL, 1000000, 1}, {"keepalive-count", IPPROTO_TCP, TCP_KEEPCNT, 1, 1},
        {"user-timeout", IPPROTO_TCP, TCP_USER_TIMEOUT, 1000, 1}, {"reuse-address", SOL_SOCKET, SO_REUSEADDR, 1, 1},
        {"oob-inline", SOL_SOCKET, SO_OOBINLINE, 1, 1},
        {"receive-buffer", SOL_SOCKET, SO_RCVBUF, 1, 1}, {"send-buffer", SOL_SOCKET, SO_SNDBUF, 1, 1},
        {"dscp", v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, 1, 4},
    };

    if (strcmp(name, "linger") == 0)
        return kernel_linger(kernel_fd(t, socket), value);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0) {
            int number = (int)(value / options[i].divide * options[i].multiply);

            if (value % options[i].divide != 0)
                return ANSWER_UNIMPLEMENTED;
            return kernel_result(setsockopt(kernel_fd(t, socket), options[i].level, options[i].option, &number, sizeof number));
        }
    return ANSWER_UNIMPLEMENTED;
}

static answer kernel_ready(struct target *t, int socket)
{
    struct pollfd fd = {kernel_fd(t, socket), POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};

    if (fd.fd < 0)
        return ANSWER_ERRNO(EBADF);
    return poll(&fd, 1, 0) < 0 ? ANSWER_ERRNO(errno) : fd.revents;
}

static answer kernel_error(struct target *t, int socket)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(kernel_fd(t, socket), SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? ANSWER_ERRNO(errno) : error;
}

static answer kernel_queued(struct target *t, int socket, bool sent)
{
    int count = 0;

    return ioctl(kernel_fd(t, socket), sent ? (unsigned long)SIOCOUTQ : (unsigned long)SIOCINQ, &count) != 0 ? ANSWER_ERRNO(errno) : count;
}

/* ---- STATUS ---- */

static const char *kernel_state(unsigned state)
{
    static const char *const states[] = {NULL, "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
                                         "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "SYN-RECEIVED"};

    return state < sizeof states / sizeof states[0] ? states[state] : NULL;
}

/* The state of a connection that has left its socket, from the kernel's table. */
static const char *kernel_state_of_ports(bool v6, uint16_t local, uint16_t remote)
{
    FILE *table = fopen(v6 ? "/proc/thread-self/net/tcp6" : "/proc/thread-self/net/tcp", "re");
    const char *state = "CLOSED";
    char line[512];

    while (table != NULL && fgets(line, sizeof line, table) != NULL) {
        unsigned here, there, number;

        if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &here, &there, &number) == 3 && here == local && there == remote)
            state = kernel_state(number);
    }
    if (table != NULL)
        (void)fclose(table);
    return state;
}

static uint16_t kernel_port(const union kernel_address *a)
{
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

static void kernel_info_numbers(const struct tcp_info *i, struct target_info *info)
{
    info->rto = i->tcpi_rto;
    info->rtt = i->tcpi_rtt;
    info->rttvar = i->tcpi_rttvar;
    info->snd_mss = i->tcpi_snd_mss;
    info->rcv_mss = i->tcpi_rcv_mss;
    info->advmss = i->tcpi_advmss;
    info->pmtu = i->tcpi_pmtu;
    info->snd_cwnd = i->tcpi_snd_cwnd;
    info->snd_ssthresh = i->tcpi_snd_ssthresh;
    info->unacked = i->tcpi_unacked;
    info->sacked = i->tcpi_sacked;
    info->lost = i->tcpi_lost;
    info->retrans = i->tcpi_retrans;
    info->total_retrans = i->tcpi_total_retrans;
    info->backoff = i->tcpi_backoff;
    info->probes = i->tcpi_probes;
    info->retransmits = i->tcpi_retransmits;
    info->options = i->tcpi_options;
    info->snd_wscale = i->tcpi_snd_wscale;
    info->rcv_wscale = i->tcpi_rcv_wscale;
    info->ca_state = i->tcpi_ca_state;
    info->reordering = i->tcpi_reordering;
}

static answer kernel_info(struct target *t, int socket, struct target_info *info)
{
    struct kernel_socket *s = kernel_socket_of(t, socket);
    struct tcp_info i;
    socklen_t len = sizeof i;

    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    line_info_clear(info);
    kernel_learn(s);
    memset(&i, 0, sizeof i);
    if (s->fd >= 0 && getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &i, &len) == 0) {
        kernel_info_numbers(&i, info);
        info->state = kernel_state(i.tcpi_state);
    }
    if (s->fd < 0 || i.tcpi_state == TCP_CLOSE)
        info->state = s->named ? kernel_state_of_ports(kernel_of(t)->world.v6, kernel_port(&s->local), kernel_port(&s->remote)) : "CLOSED";
    return 0;
}

/* ---- the rest ---- */

static const char *kernel_why(struct target *t)
{
    return kernel_of(t)->why;
}

static bool kernel_has(struct target *t, const char *need)
{
    static const char *const features[] = {
        "timestamps", "sack", "dsack", "window-scale", "paws", "rfc5961", "limited-transmit", "last-resort", "unused-window", "keepalive",
        "user-timeout", "urgent", "icmp", "pmtud", "rfc5927", "time-wait", "half-close", "ipv6", "ecn", "rack", "tlp", "prr", "cubic",
        "f-rto",
    };

    (void)t;
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        if (strcmp(features[i], need) == 0)
            return true;
    return false;
}

static void kernel_free(struct target *t)
{
    kernel_hurry(false);
    kernel_forget(kernel_of(t));
    free(t);
}

static const struct target_ops kernel_ops = {
    .name = "kernel", .real_time = true, .reset = kernel_reset, .set = kernel_set, .socket = kernel_socket, .listen = kernel_listen,
    .connect = kernel_connect, .accept = kernel_accept, .send = kernel_send, .recv = kernel_recv, .shutdown = kernel_shutdown,
    .close = kernel_close, .abort = kernel_abort, .option = kernel_option, .ready = kernel_ready, .error = kernel_error,
    .queued = kernel_queued, .info = kernel_info, .packet_in = kernel_packet_in, .packet_out = kernel_packet_out, .now = kernel_now,
    .advance = kernel_advance, .why = kernel_why, .has = kernel_has, .free = kernel_free,
};

struct target *target_kernel_new(char *why, size_t cap)
{
    static const struct target_world probe = {.local = {192, 168, 0, 1}, .remote = {192, 0, 2, 1}};
    struct kernel *k = calloc(1, sizeof *k);
    weir_fault fault = {0};

    if (k == NULL) {
        (void)snprintf(why, cap, "out of memory");
        return NULL;
    }
    k->target.ops = &kernel_ops;
    k->epoll = k->tun.fd = -1;
    for (int i = 0; i < KERNEL_SOCKETS_MAX; i++)
        k->sockets[i].fd = -1;
    (void)prctl(PR_SET_TIMERSLACK, 1);
    if (!weiri_namespace_enter(&fault)) {
        (void)snprintf(why, cap, "%s", fault.text);
        kernel_free(&k->target);
        return NULL;
    }
    if (!kernel_reset(&k->target, &probe)) { /* now, so that a machine that cannot says so at once */
        (void)snprintf(why, cap, "%s", k->why);
        kernel_free(&k->target);
        return NULL;
    }
    kernel_hurry(false);
    return &k->target;
}
#endif
