/* wire.c - two ends, an impaired link each way between them, and the loop that moves packets: no stack of weir's.
 *
 * Knows namespaces, devices, epoll and timerfd. An end is a TUN device in a network namespace, where the kernel is the
 * host, or a socket for a program that brings its own TCP. Every turn is bounded by a batch in each direction.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tun/room.h"

#define WIRE_BATCH 64u
#define WIRE_DEVICE_QUEUE 10000u    /* the link shall drop packets, not the devices at its ends */
#define WIRE_SOCKET_OCTETS (4 << 20)
#define WIRE_CAPTURE_US 1000000u    /* how long a packet may wait in the buffer of a capture */

struct wire_end {
    struct weiri_device device;
    struct weiri_way way;           /* to this end */
    weir_pcapng *pcapng;
    int netns, program;             /* descriptors: its namespace; the program's end of the socket, -1: none */
    bool hung_up;                   /* a socket whose other end is closed: what comes for it is dropped */
    uint32_t held_len;              /* a packet that the end would not take yet */
    weir_wire_end_stats stats;
    uint8_t held[WEIRI_OCTETS_MAX];
};

struct weir_wire {
    struct wire_end end[WEIR_WIRE_ENDS];
    int epoll, timer, signals;
    weir_us armed, flush_at;
    uint64_t seed;
    bool entered, captures, gone;
    weir_fault trouble;             /* kind NONE: none to tell */
    uint8_t packet[WEIRI_OCTETS_MAX];
};

/* What epoll tells with an event. */
enum { WIRE_TIMER = WEIR_WIRE_ENDS, WIRE_SIGNAL, WIRE_WATCHED };

/* ---- setting up ---- */

void weir_wire_config_init(weir_wire_config *config)
{
    weir_tun_config device;

    memset(config, 0, sizeof *config);
    weir_tun_config_init(&device);
    config->mtu = device.mtu;
    config->link_memory = device.link_memory;
    config->side[WEIR_WIRE_LEFT].addr4 = device.addr4;
    config->side[WEIR_WIRE_LEFT].addr6 = device.addr6;
    config->side[WEIR_WIRE_RIGHT].addr4 = (weir_prefix){weir_addr_v4(10, 77, 0, 1), device.addr4.len};
    config->side[WEIR_WIRE_RIGHT].addr6 = device.addr6;
    config->side[WEIR_WIRE_RIGHT].addr6.addr.octets[15] = 1;
    weir_link_config_init(&config->to[WEIR_WIRE_LEFT]);
    weir_link_config_init(&config->to[WEIR_WIRE_RIGHT]);
}

static bool wire_enter_given(const char *netns, weir_fault *fault)
{
    int fd = open(netns, O_RDONLY | O_CLOEXEC), error;

    if (fd < 0)
        return weiri_fault(fault, WEIR_FAULT_USAGE, errno, "ip netns add makes one, and ip netns lists them",
                           "network namespace %.100s", netns);
    error = setns(fd, CLONE_NEWNET) == 0 ? 0 : errno;
    (void)close(fd);
    if (error == EPERM)
        return weiri_fault(fault, WEIR_FAULT_CANNOT, error, "run as root, or leave the namespace to weir-tun",
                           "cannot enter the network namespace %.100s", netns);
    return error == 0 || weiri_fault(fault, WEIR_FAULT_USAGE, error, "name a file like /run/netns/a or /proc/7/ns/net",
                                     "%.100s is no network namespace", netns);
}

/* This process goes into the namespace of one end; the first step may need a user namespace around both. */
static bool wire_namespace(weir_wire *w, const char *netns, int *fd, weir_fault *fault)
{
    bool inside = netns != NULL ? wire_enter_given(netns, fault)
                                : w->entered ? weiri_namespace_net(fault) : weiri_namespace_enter(fault);

    if (!inside)
        return false;
    w->entered = true;
    *fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return *fd >= 0 || weiri_fault(fault, WEIR_FAULT_CANNOT, errno, "mount /proc", "cannot keep the network namespace");
}

static bool wire_device(struct wire_end *end, const weir_wire_config *config, enum weir_wire_end which, weir_fault *fault)
{
    const weir_wire_side *side = &config->side[which], *far = &config->side[1 - which];
    struct weiri_address addresses[2];
    struct weiri_interface interface;

    if (!weiri_device_create(&end->device, config->name, false, fault))
        return false;
    memset(&interface, 0, sizeof interface);
    interface.name = end->device.name;
    interface.mtu = config->mtu;
    interface.queue = WIRE_DEVICE_QUEUE;
    interface.addresses = addresses;
    if (side->addr4.len != 0)
        addresses[interface.address_count++] = (struct weiri_address){far->addr4, side->addr4.addr};
    if (side->addr6.len != 0)
        addresses[interface.address_count++] = (struct weiri_address){far->addr6, side->addr6.addr};
    return weiri_interface_up(&interface, fault);
}

static bool wire_socket(struct wire_end *end, weir_fault *fault)
{
    int pair[2], octets = WIRE_SOCKET_OCTETS;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot make a pair of sockets");
    for (unsigned i = 0; i < 2; i++) /* beyond the system's limit as root only */
        if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof octets) != 0)
            (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
    end->program = pair[1];
    return weiri_device_adopt(&end->device, pair[0], fault);
}

static bool wire_capture(weir_wire *w, const weir_wire_config *config, enum weir_wire_end which, weir_fault *fault)
{
    struct wire_end *end = &w->end[which];
    weir_pcapng_about about;
    struct timespec wall;
    char comment[96];

    if (config->side[which].pcapng == NULL)
        return true;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)snprintf(comment, sizeof comment, "as the %s end sees it; seed %llu", which == WEIR_WIRE_LEFT ? "left" : "right",
                   (unsigned long long)w->seed);
    memset(&about, 0, sizeof about);
    about.path = config->side[which].pcapng;
    about.interface = end->device.name;
    about.application = config->application;
    about.comment = comment;
    about.epoch_us = (weir_us)wall.tv_sec * 1000000 + (weir_us)wall.tv_nsec / 1000 - weir_tun_now();
    end->pcapng = weir_pcapng_open(&about, fault);
    w->captures = true;
    return end->pcapng != NULL;
}

static bool wire_end_open(weir_wire *w, const weir_wire_config *config, enum weir_wire_end which, weir_fault *fault)
{
    struct wire_end *end = &w->end[which];

    return wire_namespace(w, config->side[which].netns, &end->netns, fault) &&
           (config->side[which].socket ? wire_socket(end, fault) : wire_device(end, config, which, fault)) &&
           weiri_way_open(&end->way, &config->to[which], weiri_mix(w->seed, 1 + which), config->link_memory, fault) &&
           wire_capture(w, config, which, fault);
}

static bool wire_add(const weir_wire *w, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool wire_wait_for_all(weir_wire *w, weir_fault *fault)
{
    if (!weiri_signals_take(&w->signals, fault))
        return false;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->epoll >= 0 && w->timer >= 0 && wire_add(w, w->end[WEIR_WIRE_LEFT].device.fd, WEIR_WIRE_LEFT) &&
        wire_add(w, w->end[WEIR_WIRE_RIGHT].device.fd, WEIR_WIRE_RIGHT) && wire_add(w, w->timer, WIRE_TIMER) &&
        wire_add(w, w->signals, WIRE_SIGNAL))
        return true;
    return weiri_fault(fault, WEIR_FAULT_FAILED, errno, "the kernel needs epoll and timerfd", "cannot wait for the ends");
}

static bool wire_check(const weir_wire_config *config, weir_fault *fault)
{
    const weir_wire_side *left = &config->side[WEIR_WIRE_LEFT], *right = &config->side[WEIR_WIRE_RIGHT];

    if ((left->addr4.len == 0) != (right->addr4.len == 0) || (left->addr6.len == 0) != (right->addr6.len == 0))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "give both ends an address of the family, or neither",
                           "the ends of the wire have addresses of different families");
    if ((left->addr4.len != 0 && weir_addr_equal(&left->addr4.addr, &right->addr4.addr)) ||
        (left->addr6.len != 0 && weir_addr_equal(&left->addr6.addr, &right->addr6.addr)))
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "they are two hosts", "both ends of the wire have the same address");
    if (config->mtu < (left->addr6.len != 0 ? 1280u : 68u) || config->mtu > WEIR_LINK_PACKET_MAX)
        return weiri_fault(fault, WEIR_FAULT_USAGE, 0, "68 to 65535, with IPv6 at least 1280 (RFC 8200 5)", "MTU %u",
                           config->mtu);
    return true;
}

weir_wire *weir_wire_open(const weir_wire_config *config, weir_fault *fault)
{
    weir_wire *w = calloc(1, sizeof *w);

    if (w == NULL) {
        (void)weiri_fault(fault, WEIR_FAULT_FAILED, ENOMEM, NULL, "cannot make a wire");
        return NULL;
    }
    w->epoll = w->timer = w->signals = -1;
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++)
        w->end[i].device.fd = w->end[i].netns = w->end[i].program = -1;
    w->seed = config->seed;
    w->armed = WEIR_FOREVER;
    if (!wire_check(config, fault) || !weiri_seed(&w->seed, fault) || !wire_end_open(w, config, WEIR_WIRE_LEFT, fault) ||
        !wire_end_open(w, config, WEIR_WIRE_RIGHT, fault) || !wire_wait_for_all(w, fault)) {
        (void)weir_wire_close(w, NULL);
        return NULL;
    }
    return w;
}

static void wire_shut(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

bool weir_wire_close(weir_wire *w, weir_fault *fault)
{
    bool complete = true;

    if (w == NULL)
        return true;
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++) {
        struct wire_end *end = &w->end[i];
        complete = weir_pcapng_close(end->pcapng, NULL, weir_tun_now(), fault) && complete;
        wire_shut(end->device.fd);
        wire_shut(end->netns);
        wire_shut(end->program);
        weiri_way_close(&end->way);
    }
    wire_shut(w->epoll);
    wire_shut(w->timer);
    wire_shut(w->signals);
    free(w);
    return complete;
}

bool weir_wire_enter(const weir_wire *w, enum weir_wire_end which, weir_fault *fault)
{
    return setns(w->end[which].netns, CLONE_NEWNET) == 0 ||
           weiri_fault(fault, WEIR_FAULT_FAILED, errno, NULL, "cannot enter the namespace of an end");
}

int weir_wire_socket(const weir_wire *w, enum weir_wire_end which)
{
    return w->end[which].program;
}

void weir_wire_sockets_given(weir_wire *w)
{
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++) {
        wire_shut(w->end[i].program);
        w->end[i].program = -1;
    }
}

bool weir_wire_watch(weir_wire *w, int fd)
{
    /* Once: a child may hold a copy of a descriptor that is closed here, and it would be ready for ever. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = WIRE_WATCHED};

    return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* ---- packets ---- */

static void wire_gone(weir_wire *w, const struct wire_end *end, int error)
{
    w->gone = true;
    (void)weiri_fault(&w->trouble, WEIR_FAULT_FAILED, error, "was it deleted? start again", "%s is gone", end->device.name);
}

static void wire_trace(struct wire_end *end, const uint8_t *packet, size_t len, const weir_pcapng_packet *about)
{
    weir_slice slice = {packet, len};

    if (end->pcapng != NULL)
        weir_pcapng_write(end->pcapng, about, &slice, 1);
}

static void wire_hang_up(weir_wire *w, struct wire_end *end)
{
    end->hung_up = true;
    end->held_len = 0;
    (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, end->device.fd, NULL);
}

/* One packet of an end into w->packet; its length, 0 = none now. */
static size_t wire_read(weir_wire *w, struct wire_end *end)
{
    ssize_t n;

    do
        n = read(end->device.fd, w->packet, sizeof w->packet);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return (size_t)n;
    if (!end->device.tun && (n == 0 || errno == ECONNRESET))
        wire_hang_up(w, end);
    else if (n < 0 && errno != EAGAIN)
        wire_gone(w, end, errno);
    return 0;
}

static bool wire_receive(weir_wire *w, enum weir_wire_end from, weir_us now)
{
    struct wire_end *end = &w->end[from], *to = &w->end[1 - from];
    char text[WEIR_AMOUNT_TEXT], comment[WEIR_AMOUNT_TEXT + 8];
    unsigned count = 0;
    size_t len;

    for (; count < WIRE_BATCH && !w->gone && !end->hung_up && (len = wire_read(w, end)) != 0; count++) {
        unsigned fate = weir_link_push(to->way.link, w->packet, len, now);
        weir_pcapng_packet about = {now, false, fate != 0 ? comment : NULL};
        if (fate != 0)
            (void)snprintf(comment, sizeof comment, "link: %s", weir_link_fate_text(fate, text));
        wire_trace(end, w->packet, len, &about);
    }
    return count != 0;
}

/* False: the end takes no more now; then epoll says when. */
static bool wire_write(weir_wire *w, enum weir_wire_end which, const uint8_t *packet, size_t len)
{
    struct wire_end *end = &w->end[which];
    ssize_t n;

    do
        n = write(end->device.fd, packet, len);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0) {
        end->stats.refused++;
        if (!end->device.tun)
            wire_hang_up(w, end);
        else if (errno == EBADFD)
            wire_gone(w, end, errno);
    } else {
        end->stats.delivered++;
    }
    return true;
}

static void wire_want_room(const weir_wire *w, enum weir_wire_end which, bool wanted)
{
    struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.u32 = which};

    (void)epoll_ctl(w->epoll, EPOLL_CTL_MOD, w->end[which].device.fd, &event);
}

static void wire_late(struct wire_end *end, weir_us late)
{
    end->stats.late_sum_us += late;
    if (late > end->stats.late_max_us)
        end->stats.late_max_us = late;
    end->stats.late_ms += late >= 1000;
}

/* What the link lets through to an end now. */
static bool wire_deliver(weir_wire *w, enum weir_wire_end which, weir_us now)
{
    struct wire_end *end = &w->end[which];
    unsigned count = 0;

    if (end->held_len != 0) {
        if (!wire_write(w, which, end->held, end->held_len))
            return false;
        end->held_len = 0;
        wire_want_room(w, which, false);
    }
    for (; count < 4 * WIRE_BATCH; count++) {
        weir_us due = weir_link_deadline(end->way.link);
        size_t len = weir_link_pop(end->way.link, w->packet, sizeof w->packet, now);
        weir_pcapng_packet about = {now, true, NULL};
        if (len == 0)
            break;
        wire_late(end, now - due);
        wire_trace(end, w->packet, len, &about);
        if (end->hung_up)
            end->stats.refused++;
        if (end->hung_up || wire_write(w, which, w->packet, len))
            continue;
        memcpy(end->held, w->packet, len);
        end->held_len = (uint32_t)len;
        wire_want_room(w, which, true);
        break;
    }
    return count != 0;
}

/* ---- a turn ---- */

static void wire_arm(weir_wire *w, weir_us until)
{
    struct itimerspec when;
    weir_us due = until;

    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++) {
        weir_us next = w->end[i].held_len != 0 ? WEIR_FOREVER : weir_link_deadline(w->end[i].way.link);
        due = next < due ? next : due;
    }
    if (w->captures && w->flush_at < due)
        due = w->flush_at;
    if (due == w->armed)
        return;
    memset(&when, 0, sizeof when);
    if (due != WEIR_FOREVER) {
        when.it_value.tv_sec = (time_t)(due / 1000000);
        when.it_value.tv_nsec = (long)(due % 1000000) * 1000 + 1; /* all zero would disarm */
    }
    if (timerfd_settime(w->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        w->armed = due;
}

static void wire_flush(weir_wire *w, weir_us now)
{
    if (!w->captures || now < w->flush_at)
        return;
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++)
        if (w->end[i].pcapng != NULL)
            weir_pcapng_flush(w->end[i].pcapng);
    w->flush_at = now + WIRE_CAPTURE_US;
}

/* Descriptors that are ready; the ends are read for as long as they have something, in any case. */
static unsigned wire_events(weir_wire *w, const struct epoll_event *events, int count)
{
    unsigned happened = 0;
    uint64_t expired;

    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == WIRE_SIGNAL)
            happened |= weiri_signals_read(w->signals);
        else if (events[i].data.u32 == WIRE_WATCHED)
            happened |= WEIR_TUN_FDS;
        else if (events[i].data.u32 == WIRE_TIMER && read(w->timer, &expired, sizeof expired) > 0)
            w->armed = 0; /* no longer */
        else if (events[i].data.u32 < WEIR_WIRE_ENDS && wire_receive(w, events[i].data.u32, weir_tun_now()))
            happened |= WEIR_TUN_PACKETS;
    }
    return happened;
}

unsigned weir_wire_step(weir_wire *w, weir_us until)
{
    struct epoll_event events[8];
    unsigned happened;
    weir_us now;

    wire_arm(w, until);
    happened = wire_events(w, events, epoll_wait(w->epoll, events, 8, -1));
    now = weir_tun_now();
    for (unsigned i = 0; i < WEIR_WIRE_ENDS && !w->gone; i++)
        if (wire_deliver(w, i, now))
            happened |= WEIR_TUN_PACKETS;
    wire_flush(w, now);
    if (until != WEIR_FOREVER && now >= until)
        happened |= WEIR_TUN_UNTIL;
    return happened | (w->gone ? WEIR_TUN_GONE : 0);
}

bool weir_wire_trouble(weir_wire *w, weir_fault *fault)
{
    if (w->trouble.kind != WEIR_FAULT_NONE) {
        *fault = w->trouble;
        w->trouble.kind = WEIR_FAULT_NONE;
        return true;
    }
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++)
        if (w->end[i].pcapng != NULL && weir_pcapng_failed(w->end[i].pcapng, fault))
            return true;
    return false;
}

void weir_wire_get_stats(const weir_wire *w, weir_wire_end_stats stats[WEIR_WIRE_ENDS])
{
    for (unsigned i = 0; i < WEIR_WIRE_ENDS; i++) {
        stats[i] = w->end[i].stats;
        stats[i].link = *weir_link_get_stats(w->end[i].way.link);
    }
}

uint64_t weir_wire_seed(const weir_wire *w)
{
    return w->seed;
}

const char *weir_wire_name(const weir_wire *w, enum weir_wire_end which)
{
    return w->end[which].device.name;
}
