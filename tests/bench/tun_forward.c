/* tun_forward.c - a forwarder that does nothing: the kernel's TCP sends to the kernel's TCP in another namespace, and every packet passes
 * through this program from one TUN device to the other, super-segments and partial checksums as they are. What it carries is what the
 * device allows; what a stack at the device carries is measured against it (tests/bench/tun-rate).
 *
 *     tun_forward SECONDS       prints the bits a second that the receiver got; 77: no devices can be made here
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tun/room.h"

enum { FORWARD_BATCH = 64, FORWARD_PORT = 5201, FORWARD_CHUNK = 128 * 1024 };

static struct weiri_device forward_end[2];
static int forward_space[2]; /* network namespaces */
static char forward_octets[FORWARD_CHUNK];

static void forward_die(const weir_fault *fault)
{
    fprintf(stderr, "tun_forward: %s\n", fault->text);
    exit(77);
}

/* A device in a namespace of its own, with one address of the network behind it. */
static void forward_open(unsigned end)
{
    struct weiri_address address;
    struct weiri_interface interface;
    weir_fault fault;
    bool inside = end == 0 ? weiri_namespace_enter(&fault) : weiri_namespace_net(&fault);
    if (!inside || !weiri_device_create(&forward_end[end], "any", true, &fault)) {
        forward_die(&fault);
    }
    memset(&interface, 0, sizeof interface);
    address.own.addr = weir_addr_v4(10, 77, 0, (uint8_t)(2 - end));
    address.own.len = 24;
    address.peer = weir_addr_v4(10, 77, 0, (uint8_t)(1 + end));
    interface.name = forward_end[end].name;
    interface.mtu = 1500;
    interface.addresses = &address;
    interface.address_count = 1;
    if (!weiri_interface_up(&interface, &fault)) {
        forward_die(&fault);
    }
    forward_space[end] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (!weiri_device_offload(&forward_end[end], true)) {
        fprintf(stderr, "tun_forward: this kernel has no super-segments\n");
        exit(77);
    }
}

/* ---- the two hosts ---- */

static struct sockaddr_in forward_addr(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(FORWARD_PORT)};
    a.sin_addr.s_addr = htonl(0x0a4d0002);
    return a;
}

static void forward_sender(int ready)
{
    struct sockaddr_in to = forward_addr();
    char go;
    int fd;
    if (setns(forward_space[0], CLONE_NEWNET) != 0 || read(ready, &go, 1) != 1) {
        _exit(1);
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", sizeof "reno" - 1); /* as perf's other end: no timers of BBR's pacing */
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        _exit(1);
    }
    while (write(fd, forward_octets, sizeof forward_octets) > 0) {
    }
    _exit(0);
}

/* Counts for so long, from the first octet, and prints. */
static void forward_receiver(int ready, weir_us span)
{
    struct sockaddr_in at = forward_addr();
    weir_us begun, now;
    uint64_t octets = 0;
    ssize_t count = 1;
    int one = 1, fd, conn;
    if (setns(forward_space[1], CLONE_NEWNET) != 0) {
        _exit(1);
    }
    fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    at.sin_addr.s_addr = htonl(INADDR_ANY);
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0 || write(ready, "g", 1) != 1) {
        _exit(1);
    }
    conn = accept(fd, NULL, NULL);
    begun = now = weir_tun_now();
    while (count > 0 && now - begun < span) {
        count = read(conn, forward_octets, sizeof forward_octets);
        octets += count > 0 ? (uint64_t)count : 0;
        now = weir_tun_now();
    }
    printf("%llu\n", (unsigned long long)(octets * 8 * 1000000 / (now - begun)));
    fflush(stdout);
    _exit(count > 0 ? 0 : 1);
}

/* ---- between them ---- */

static void forward_batch(unsigned end)
{
    static uint8_t packet[WEIRI_VNET_HEADER + WEIRI_OCTETS_MAX];
    for (unsigned i = 0; i < FORWARD_BATCH; i++) {
        ssize_t len = read(forward_end[end].fd, packet, sizeof packet);
        if (len <= 0 || write(forward_end[1 - end].fd, packet, (size_t)len) < 0) {
            return;
        }
    }
}

static int forward_run(pid_t receiver)
{
    struct pollfd fds[2] = {{forward_end[0].fd, POLLIN, 0}, {forward_end[1].fd, POLLIN, 0}};
    int status = 1;
    while (waitpid(receiver, &status, WNOHANG) == 0) {
        (void)poll(fds, 2, 100);
        for (unsigned end = 0; end < 2; end++) {
            if (fds[end].revents != 0) {
                forward_batch(end);
            }
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    double seconds = argc == 2 ? atof(argv[1]) : 0;
    int ready[2], status;
    pid_t sender, receiver;
    if (seconds <= 0 || pipe(ready) != 0) {
        fprintf(stderr, "usage: tun_forward SECONDS\n");
        return 2;
    }
    forward_open(0);
    forward_open(1);
    receiver = fork();
    if (receiver == 0) {
        forward_receiver(ready[1], (weir_us)(seconds * 1e6));
    }
    sender = fork();
    if (sender == 0) {
        forward_sender(ready[0]);
    }
    status = forward_run(receiver);
    (void)kill(sender, SIGKILL);
    (void)waitpid(sender, NULL, 0);
    return status;
}
