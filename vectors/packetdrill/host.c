/* host.c - a small stand-in for packetdrill: loads the plug-in as the tool does and drives connections through it in virtual time.
 * argv: the plug-in. With the preload in place it asks the C library for TCP_INFO, as the tool does for its code blocks. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "interface.h"
#include "packet.h"
#include "weir/weir.h"

static struct packetdrill_interface ifc;
static struct packet_space space;
static const struct target_world world = {.local = {192, 168, 0, 1}, .remote = {192, 0, 2, 1}, .listen_port = 8080,
                                          .remote_port = 50000};
static const char *plugin_path;

#define CHECK(condition)                                                                        \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            (void)fprintf(stderr, "host.c:%d: %s (errno %d)\n", __LINE__, #condition, errno);   \
            exit(1);                                                                            \
        }                                                                                       \
    } while (0)

static void load(void)
{
    void (*init)(const char *, struct packetdrill_interface *);
    void *so = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE | RTLD_DEEPBIND);

    if (so == NULL)
        (void)fprintf(stderr, "%s\n", dlerror());
    CHECK(so != NULL);
    *(void **)(&init) = dlsym(so, "packetdrill_interface_init");
    CHECK(init != NULL);
    CHECK(dlsym(so, "target_weir_new") == NULL); /* the stack's own names stay inside */
    init("timestamps=0,initial-window=10,send-buffer=20000", &ifc);
    memset(&space, 0, sizeof space);
}

static long long clock_us(void)
{
    struct timeval tv;

    CHECK(ifc.gettimeofday(ifc.userdata, &tv, NULL) == 0);
    return tv.tv_sec * 1000000ll + tv.tv_usec;
}

/* A segment from the peer, sequence numbers absolute: the peer's ISN is 0 and ours is known after the SYN,ACK. */
static void send_in(uint16_t flags, uint32_t seq, uint32_t len, uint32_t ack)
{
    struct script_packet p = {.proto = SCRIPT_TCP, .flags = flags, .seq = seq, .seq_end = seq + len, .len = len,
                              .has_ack = flags & WEIR_ACK, .ack = ack,
                              .has_win = true, .win = 65535, .tos = -1, .ttl = -1, .flowlabel = -1, .icmp_mtu = -1,
                              .udp_source = -1, .udp_destination = -1};
    uint8_t octets[TARGET_PACKET_MAX];
    char why[200];
    size_t n = packet_build(&p, &space, &world, octets, sizeof octets, why, sizeof why);

    if (n == 0)
        (void)fprintf(stderr, "%s\n", why);
    CHECK(n > 0);
    CHECK(ifc.netdev_send(ifc.userdata, octets, n) == 0);
}

/* The next segment of the stack; the time at which it was sent. */
static long long receive_out(struct packet *p)
{
    uint8_t octets[TARGET_PACKET_MAX];
    size_t n = sizeof octets;
    long long when = -1;
    char why[200];

    CHECK(ifc.netdev_receive(ifc.userdata, octets, &n, &when) == 0);
    CHECK(packet_read(p, octets, n, &world, why, sizeof why));
    return when;
}

static int open_listener(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(8080)};
    int fd = ifc.socket(ifc.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP), on = 1;

    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) >= 0); /* a descriptor that the C library knows */
    CHECK(ifc.setsockopt(ifc.userdata, fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
    CHECK(ifc.bind(ifc.userdata, fd, (const struct sockaddr *)&name, sizeof name) == 0);
    CHECK(ifc.listen(ifc.userdata, fd, 1) == 0);
    return fd;
}

/* SYN, SYN,ACK, ACK; the accepted socket. */
static int handshake(int listener)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    struct packet p;
    int fd;

    space.in_known = true;
    space.local_port = 8080;
    space.remote_port = 50000;
    send_in(WEIR_SYN, 0, 0, 0);
    (void)receive_out(&p);
    CHECK(p.flags == (WEIR_SYN | WEIR_ACK) && p.ack == 1);
    space.out_known = true;
    space.out_base = p.seq;
    send_in(WEIR_ACK, 1, 0, 1);
    fd = ifc.accept(ifc.userdata, listener, (struct sockaddr *)&peer, &len);
    CHECK(fd >= 0 && fd != listener && len == sizeof peer && ntohs(peer.sin_port) == 50000);
    return fd;
}

static double wall(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* 500 octets; the first is lost and comes again after the timeout; then a day passes. */
static void retransmission(int fd)
{
    static const char text[500];
    long long first, second, before;
    double from = wall();
    struct packet p;

    CHECK(ifc.write(ifc.userdata, fd, text, sizeof text) == 500);
    first = receive_out(&p);
    CHECK(p.len == 500 && p.seq == space.out_base + 1);
    second = receive_out(&p);
    CHECK(p.len == 500 && p.seq == space.out_base + 1);
    CHECK(second - first >= 200000 && second - first < 2000000);
    CHECK(clock_us() >= second);
    send_in(WEIR_ACK, 1, 0, 501);
    before = clock_us();
    CHECK(ifc.usleep(ifc.userdata, 4000000000u) == 0);
    CHECK(clock_us() - before >= 4000000000ll && clock_us() - before < 4000001000ll);
    CHECK(wall() - from < 5);
    before = clock_us();
    CHECK(clock_us() > before); /* it moves by being looked at */
}

/* ---- a second thread that blocks ---- */

struct blocked {
    int fd, tid;
    bool writes;
    ssize_t result;
    pthread_t thread;
};

static void *blocked_main(void *arg)
{
    static char text[200000];
    struct blocked *b = arg;

    __atomic_store_n(&b->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    b->result = b->writes ? ifc.write(ifc.userdata, b->fd, text, sizeof text) : ifc.read(ifc.userdata, b->fd, text, sizeof text);
    return NULL;
}

/* As the tool does: starts the call and looks into /proc until that thread sleeps. */
static void block(struct blocked *b)
{
    char path[64], text[256], state = '?';

    CHECK(pthread_create(&b->thread, NULL, blocked_main, b) == 0);
    while (state != 'S') {
        int tid = __atomic_load_n(&b->tid, __ATOMIC_SEQ_CST);
        FILE *stat;

        (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
        stat = tid == 0 ? NULL : fopen(path, "r");
        if (stat != NULL && fgets(text, sizeof text, stat) != NULL && strrchr(text, ')') != NULL)
            state = strrchr(text, ')')[2];
        if (stat != NULL)
            (void)fclose(stat);
    }
}

static void blocking(int fd)
{
    struct blocked reader = {.fd = fd}, writer = {.fd = fd, .writes = true};
    uint32_t acked = 501;
    struct packet p;

    block(&reader);
    CHECK(ifc.usleep(ifc.userdata, 50000) == 0);
    send_in(WEIR_ACK | WEIR_PSH, 1, 100, 501);
    CHECK(pthread_join(reader.thread, NULL) == 0);
    CHECK(reader.result == 100);
    block(&writer); /* more than the window: goes on as the peer acknowledges */
    while (acked < 200501) {
        (void)receive_out(&p);
        if (p.len == 0)
            continue;
        acked = p.seq - space.out_base + p.len;
        send_in(WEIR_ACK, 101, 0, acked);
    }
    CHECK(pthread_join(writer.thread, NULL) == 0);
    CHECK(writer.result == 200000);
}

/* TCP_INFO from the table, and from the C library if the preload is there. */
static void info(int fd, bool preloaded)
{
    struct tcp_info i;
    socklen_t len = sizeof i;

    memset(&i, 0, sizeof i);
    CHECK(ifc.getsockopt(ifc.userdata, fd, IPPROTO_TCP, TCP_INFO, &i, &len) == 0);
    CHECK(i.tcpi_state == TCP_ESTABLISHED && i.tcpi_snd_mss == 536 && i.tcpi_snd_cwnd == 10);
    memset(&i, 0, sizeof i);
    len = sizeof i;
    if (preloaded) {
        CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) == 0);
        CHECK(i.tcpi_snd_cwnd == 10);
        CHECK(getsockopt(0, IPPROTO_TCP, TCP_INFO, &i, &len) != 0); /* others' descriptors are the C library's */
    } else {
        CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len) != 0 && errno == ENOTSOCK);
    }
}

static void waiting(int fd, int listener)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN | POLLOUT}, {.fd = listener, .events = POLLIN}};
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 77}, got;
    int epfd = ifc.epoll_create(ifc.userdata, 1);
    long long before;

    CHECK(ifc.poll(ifc.userdata, fds, 2, 0) == 1 && fds[0].revents == POLLOUT && fds[1].revents == 0);
    before = clock_us();
    CHECK(ifc.poll(ifc.userdata, fds + 1, 1, 500) == 0);
    CHECK(clock_us() - before >= 500000 && clock_us() - before < 501000);
    CHECK(epfd >= 0 && ifc.epoll_ctl(ifc.userdata, epfd, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(ifc.epoll_wait(ifc.userdata, epfd, &got, 1, 0) == 1 && got.data.u64 == 77 && got.events == EPOLLOUT);
    CHECK(ifc.epoll_ctl(ifc.userdata, epfd, EPOLL_CTL_DEL, fd, NULL) == 0);
    CHECK(ifc.epoll_wait(ifc.userdata, epfd, &got, 1, 0) == 0);
    CHECK(ifc.close(ifc.userdata, epfd) == 0);
    CHECK(ifc.fcntl(ifc.userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    CHECK(ifc.fcntl(ifc.userdata, fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    CHECK(ifc.read(ifc.userdata, fd, &got, 1) == -1 && errno == EAGAIN);
    CHECK(ifc.splice(ifc.userdata, fd, NULL, fd, NULL, 1, 0) == -1 && errno == ENOSYS);
}

static void closing(int fd, int listener)
{
    struct packet p;

    CHECK(ifc.close(ifc.userdata, fd) == 0);
    CHECK(fcntl(fd, F_GETFD) == -1); /* gone for the C library too */
    CHECK(ifc.read(ifc.userdata, fd, &p, 1) == -1 && errno == EBADF);
    do
        (void)receive_out(&p);
    while ((p.flags & WEIR_FIN) == 0);
    send_in(WEIR_ACK | WEIR_FIN, 101, 0, 200502);
    (void)receive_out(&p);
    CHECK(p.flags == WEIR_ACK && p.ack == 102);
    CHECK(ifc.close(ifc.userdata, listener) == 0);
}

/* What can never happen ends the program instead of hanging it; said in a process of its own. */
static void never(void)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        uint8_t octets[2000];
        size_t n = sizeof octets;
        long long when;

        (void)ifc.netdev_receive(ifc.userdata, octets, &n, &when);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(int argc, char **argv)
{
    bool preloaded = argc > 2 && strcmp(argv[2], "preloaded") == 0;
    int listener, fd;

    if (argc < 2)
        return 2;
    plugin_path = argv[1];
    load();
    CHECK(clock_us() < clock_us()); /* before any socket too */
    listener = open_listener();
    fd = handshake(listener);
    info(fd, preloaded);
    retransmission(fd);
    blocking(fd);
    waiting(fd, listener);
    closing(fd, listener);
    CHECK(ifc.usleep(ifc.userdata, 600000000) == 0);
    never();
    ifc.free(ifc.userdata);
    return 0;
}
