/* queues.c - one stack a core behind a TUN device of several queues (IFF_MULTI_QUEUE), with the kernel's TCP at the other end.
 *
 *     weir-queues DEVICE QUEUES OPENED ADDRESS PEER PORT
 *
 * Each thread has a queue and a stack, and shares nothing. All stacks have the address and listen at port 80; they say back what they hear.
 * Each opens OPENED connections to the peer at PORT, from ephemeral ports of its own, says eight octets and awaits them. The kernel gives
 * a new flow to any queue, and the flow of a SYN that was just written is still new to it when the answer comes: a packet to one of
 * those ports is posted to the thread that has them. Ends when its standard input ends: one line for each queue, and 1 if a packet of a
 * connection came to a stack that does not have it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "weir/stack.h"

enum { QUEUES_MAX = 16, CONNECTIONS = 2000, PACKET = 65536, PORTS = 1024, PORT_FIRST = 49152, WAIT_MS = 10 };

struct queues_shard {
    weir_stack *stack;
    pthread_t thread;
    int fd, post[2]; /* its queue; packets that others found in theirs: to read, to write */
    uint64_t posted;
    _Atomic uint32_t answered;
};

static struct queues_shard shard[QUEUES_MAX];
static unsigned queues_count;
static _Atomic bool queues_over;

static void queues_fail(const char *what)
{
    fprintf(stderr, "weir-queues: %s\n", what);
    exit(2);
}

static weir_us queues_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (weir_us)t.tv_sec * 1000000 + (weir_us)t.tv_nsec / 1000;
}

static int queues_attach(const char *device)
{
    struct ifreq request;
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, device, IFNAMSIZ - 1);
    request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0) {
        queues_fail("the device has no such queue");
    }
    return fd;
}

static weir_stack *queues_stack(weir_addr addr, unsigned which)
{
    weir_stack_config c;
    weir_listen_spec spec;
    weir_handle listener;
    weir_err err;
    weir_stack_config_init(&c);
    memset(c.tcp.secret, (int)(which + 1), sizeof c.tcp.secret);
    c.addrs[0] = addr;
    c.addr_count = 1;
    c.connections_max = CONNECTIONS;
    c.half_open_max = CONNECTIONS;
    c.port_first = (uint16_t)(PORT_FIRST + which * PORTS);
    c.port_last = (uint16_t)(c.port_first + PORTS - 1);
    c.rings.rx = c.rings.tx = 16384;
    const size_t len = (weir_stack_size(&c) + 63) / 64 * 64;
    weir_stack *s = weir_stack_init(aligned_alloc(64, len), len, &c, queues_now(), &err);
    memset(&spec, 0, sizeof spec);
    spec.port = 80;
    if (s == NULL || weir_stack_listen(s, &spec, &listener) != WEIR_ERR_NONE) {
        queues_fail("no stack");
    }
    return s;
}

static void queues_open(weir_stack *s, weir_addr peer, uint16_t port, uint32_t count)
{
    const weir_slice text = {(const uint8_t *)"question", 8};
    weir_tuple t;
    weir_handle conn;
    size_t len;
    memset(&t, 0, sizeof t);
    t.remote = peer;
    t.remote_port = port;
    for (uint32_t i = 0; i < count; i++) {
        if (weir_stack_connect(s, &t, &conn, queues_now()) != WEIR_ERR_NONE || weir_stack_set_tag(s, conn, 1) != WEIR_ERR_NONE ||
            weir_send(weir_stack_conn(s, conn), text, 0, &len, queues_now()) != WEIR_ERR_NONE || len != 8) {
            queues_fail("a connection was refused");
        }
    }
}

/* What was heard goes back; of a connection that it opened, it is the answer. Both end when there is no more to hear. */
static void queues_serve(struct queues_shard *self)
{
    uint8_t text[4096];
    size_t len;
    weir_ready r;
    while (weir_stack_ready(self->stack, &r)) {
        weir_conn *c = weir_stack_conn(self->stack, r.conn);
        bool answered = false;
        (void)weir_stack_want(self->stack, r.conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED);
        while (weir_recv(c, text, sizeof text, &len, queues_now()) == WEIR_ERR_NONE && len > 0) {
            const weir_slice answer = {text, len};
            answered = answered || (r.tag == 1 && len == 8);
            if (r.tag != 1 && (weir_send(c, answer, 0, &len, queues_now()) != WEIR_ERR_NONE || len != answer.len)) {
                queues_fail("no answer could be sent");
            }
        }
        self->answered += answered;
        if (answered || (r.events & (WEIR_EV_PEER_FIN | WEIR_EV_CLOSED)) != 0) {
            (void)weir_stack_release(self->stack, r.conn, 60000000, queues_now());
        }
    }
}

/* ---- threads ---- */

static int queues_wait(weir_stack *s)
{
    const weir_us now = queues_now(), deadline = weir_stack_deadline(s);
    return deadline <= now ? 0 : deadline - now < WAIT_MS * 1000 ? (int)((deadline - now) / 1000) + 1 : WAIT_MS;
}

static struct queues_shard *queues_owner(struct queues_shard *self, const uint8_t *packet, size_t len)
{
    const size_t tcp = (size_t)(packet[0] & 15) * 4;
    if (packet[0] >> 4 != 4 || len < tcp + 4) {
        return self;
    }
    const unsigned port = (unsigned)packet[tcp + 2] << 8 | packet[tcp + 3], which = (port - PORT_FIRST) / PORTS;
    return port >= PORT_FIRST && which < queues_count ? &shard[which] : self;
}

static void queues_take(struct queues_shard *self, int fd, uint8_t *packet)
{
    for (ssize_t n; (n = read(fd, packet, PACKET)) > 0;) {
        struct queues_shard *owner = queues_owner(self, packet, (size_t)n);
        if (owner == self) {
            (void)weir_stack_input(self->stack, packet, (size_t)n, queues_now());
        } else {
            self->posted += write(owner->post[1], packet, (size_t)n) == n;
        }
    }
}

/* The loop of stack.h. */
static void *queues_run(void *which)
{
    struct queues_shard *self = which;
    uint8_t *packet = malloc(PACKET);
    struct pollfd wait[2] = {{self->fd, POLLIN, 0}, {self->post[0], POLLIN, 0}};
    while (packet != NULL && !atomic_load(&queues_over)) {
        (void)poll(wait, 2, queues_wait(self->stack));
        queues_take(self, self->fd, packet);
        queues_take(self, self->post[0], packet);
        weir_stack_expire(self->stack, queues_now());
        queues_serve(self);
        for (size_t n; (n = weir_stack_poll_copy(self->stack, packet, PACKET, queues_now())) > 0;) {
            if (write(self->fd, packet, n) < 0) {
                break; /* lost, as on a wire */
            }
        }
    }
    free(packet);
    return NULL;
}

/* A line a queue; how many met a packet without a connection. */
static unsigned queues_report(void)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < queues_count; i++) {
        const weir_stats *s = weir_stack_stats(shard[i].stack);
        const unsigned long long strange = (unsigned long long)s->verdicts[WEIR_NO_CONNECTION];
        printf("queue %u: %llu connections came, %u of its own answered, %llu packets in, %llu posted, %llu strange\n", i,
               (unsigned long long)s->passive_opens, (unsigned)shard[i].answered, (unsigned long long)s->packets_in,
               (unsigned long long)shard[i].posted, strange);
        wrong += strange != 0;
    }
    return wrong;
}

int main(int argc, char **argv)
{
    weir_addr at, peer;
    unsigned char octets[2][4];
    if (argc != 7 || sscanf(argv[4], "%hhu.%hhu.%hhu.%hhu", &octets[0][0], &octets[0][1], &octets[0][2], &octets[0][3]) != 4 ||
        sscanf(argv[5], "%hhu.%hhu.%hhu.%hhu", &octets[1][0], &octets[1][1], &octets[1][2], &octets[1][3]) != 4) {
        queues_fail("DEVICE QUEUES OPENED ADDRESS PEER PORT");
    }
    queues_count = (unsigned)atoi(argv[2]);
    at = weir_addr_v4(octets[0][0], octets[0][1], octets[0][2], octets[0][3]);
    peer = weir_addr_v4(octets[1][0], octets[1][1], octets[1][2], octets[1][3]);
    if (queues_count < 1 || queues_count > QUEUES_MAX) {
        queues_fail("from 1 to 16 queues");
    }
    for (unsigned i = 0; i < queues_count; i++) {
        shard[i].fd = queues_attach(argv[1]);
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, shard[i].post) != 0) {
            queues_fail("no sockets");
        }
        shard[i].stack = queues_stack(at, i);
        queues_open(shard[i].stack, peer, (uint16_t)atoi(argv[6]), (uint32_t)atoi(argv[3]));
    }
    for (unsigned i = 0; i < queues_count; i++) {
        if (pthread_create(&shard[i].thread, NULL, queues_run, &shard[i]) != 0) {
            queues_fail("no thread");
        }
    }
    while (getchar() != EOF) {
    }
    atomic_store(&queues_over, true);
    for (unsigned i = 0; i < queues_count; i++) {
        (void)pthread_join(shard[i].thread, NULL);
    }
    return queues_report() != 0;
}
