/* plugin.c - weir behind packetdrill's shared-object interface: any struct target in virtual time.
 *
 * The tool's own thread waits by usleep and gettimeofday, which move the target's clock, and by netdev_receive, which goes on to the
 * next packet that the stack sends. Calls that block run on a second thread of the tool; it sleeps on a condition until a packet or
 * the clock has moved something. One lock is over everything. A call that would block the tool's own thread moves the clock itself. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "interface.h"
#include "line.h"
#include "scenario.h"

#define FD_MAX 1024
#define EPOLL_MAX 64
#define CLOCK_START 1000000000000ll       /* of gettimeofday; not 0, which looks like no time at all */
#define PATIENCE (30ll * 86400 * 1000000) /* virtual: nothing that has not come by then will come */

struct plugin_packet {
    struct plugin_packet *next;
    int64_t when;
    size_t len;
    uint8_t octets[];
};

/* A socket or an epoll set, by its descriptor: a real one, for the tool closes what is left over by itself. */
struct plugin_fd {
    bool open, nonblocking, epoll;
    int socket;
    uint16_t bound_port, remote_port;
    struct plugin_watch { int fd; struct epoll_event event; } watches[EPOLL_MAX];
    int watch_count;
};

struct plugin {
    struct target *target;
    struct target_world world;
    pthread_mutex_t lock;
    pthread_cond_t moved, settled;
    int waiting, unsettled;       /* threads in calls that wait; of them, those that have not looked since it moved */
    pthread_t main;
    bool started;
    int64_t before;               /* what passed before the stack began, with the first socket */
    char flags[1000];
    uint16_t last_syn_port;       /* of the peer: whom accept tells */
    struct plugin_fd *fds[FD_MAX];
    struct plugin_packet *first, **last;
};

static struct plugin *the_plugin; /* for the hook, which has no userdata */

static int plugin_fail(int error)
{
    errno = error;
    return -1;
}

/* ---- the target: all with the lock held ---- */

static void plugin_give_up(const char *why)
{
    (void)fprintf(stderr, "weir for packetdrill: %s\n", why);
    _exit(1); /* nothing the tool could be told would end its waiting */
}

static void plugin_drain(struct plugin *p)
{
    uint8_t octets[TARGET_PACKET_MAX];
    int64_t when;
    answer len;

    while ((len = p->target->ops->packet_out(p->target, octets, sizeof octets, &when)) > 0) {
        struct plugin_packet *packet = malloc(sizeof *packet + (size_t)len);

        if (packet == NULL)
            plugin_give_up("out of memory");
        packet->next = NULL;
        packet->when = when;
        packet->len = (size_t)len;
        memcpy(packet->octets, octets, (size_t)len);
        *p->last = packet;
        p->last = &packet->next;
    }
    p->unsettled = p->waiting;
    (void)pthread_cond_broadcast(&p->moved);
}

/* Another thread waits for something to move, and looks again. */
static void plugin_wait_moved(struct plugin *p)
{
    p->waiting++;
    (void)pthread_cond_wait(&p->moved, &p->lock);
    p->waiting--;
    if (p->unsettled > 0 && --p->unsettled == 0)
        (void)pthread_cond_signal(&p->settled);
}

static int64_t plugin_now(struct plugin *p)
{
    return p->before + (p->started ? p->target->ops->now(p->target) : 0);
}

/* Towards `until`, at most to whatever happens next; but first all who wait have seen what happened now. */
static void plugin_advance(struct plugin *p, int64_t until)
{
    while (p->unsettled > 0)
        (void)pthread_cond_wait(&p->settled, &p->lock);
    if (p->target->ops->advance(p->target, until - p->before) < 0)
        plugin_give_up(p->target->ops->why(p->target));
    plugin_drain(p);
}

static void plugin_sleep(struct plugin *p, int64_t until)
{
    if (!p->started)
        p->before = until;
    while (plugin_now(p) < until)
        plugin_advance(p, until);
}

/* One step to whatever happens next; false if nothing ever will. */
static bool plugin_step(struct plugin *p)
{
    int64_t from = plugin_now(p);

    plugin_advance(p, from + PATIENCE);
    return plugin_now(p) < from + PATIENCE;
}

/* "name=value,name=value" of --so_flags, over the profile. */
static void plugin_configure(struct plugin *p)
{
    char flags[sizeof p->flags], *at = flags, *word;
    const char *profile = "linux", *equals = strstr(p->flags, "profile=");

    if (equals != NULL && strncmp(equals + 8, "rfc", 3) == 0)
        profile = "rfc";
    else if (equals != NULL && strncmp(equals + 8, "freebsd", 7) == 0)
        profile = "freebsd";
    for (const struct script_setting *s = settings_profile(profile); s->name != NULL; s++)
        (void)p->target->ops->set(p->target, s->name, s->value);
    memcpy(flags, p->flags, sizeof flags);
    while ((word = strsep(&at, ",")) != NULL) {
        char *value = strchr(word, '=');

        if (value == NULL || strncmp(word, "profile=", 8) == 0)
            continue;
        *value++ = '\0';
        if (p->target->ops->set(p->target, word, value) != 0) {
            (void)fprintf(stderr, "weir for packetdrill: --so_flags: %s=%s is no setting\n", word, value);
            _exit(2);
        }
    }
}

/* The first socket says which family the script speaks. Addresses are packetdrill's defaults. */
static void plugin_start(struct plugin *p, bool v6)
{
    p->world = (struct target_world){.v6 = v6, .listen_port = 8080, .remote_port = 8080};
    (void)line_address(v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1", v6, p->world.local);
    (void)line_address(v6 ? "fd3d:0bdb:f480::1" : "192.0.2.1", v6, p->world.remote);
    if (!p->target->ops->reset(p->target, &p->world))
        plugin_give_up(p->target->ops->why(p->target));
    plugin_configure(p);
    p->started = true;
}

/* ---- descriptors ---- */

static struct plugin_fd *plugin_fd_of(struct plugin *p, int fd)
{
    return fd >= 0 && fd < FD_MAX && p->fds[fd] != NULL && p->fds[fd]->open ? p->fds[fd] : NULL;
}

static int plugin_fd_new(struct plugin *p, int socket)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd >= FD_MAX || (fd >= 0 && p->fds[fd] == NULL && (p->fds[fd] = calloc(1, sizeof *p->fds[fd])) == NULL)) {
        (void)close(fd);
        return plugin_fail(EMFILE);
    }
    if (fd >= 0)
        *p->fds[fd] = (struct plugin_fd){.open = true, .socket = socket};
    return fd;
}

/* ---- calls that may wait ---- */

enum plugin_call { CALL_ACCEPT, CALL_CONNECT, CALL_SEND, CALL_RECV };
struct plugin_request {
    enum plugin_call call;
    int fd, flags;
    uint16_t port;
    uint8_t *octets;
    const uint8_t *to_send;
    size_t len, done;
};

static answer plugin_try(struct plugin *p, const struct plugin_fd *f, struct plugin_request *r)
{
    const struct target_ops *ops = p->target->ops;
    answer a = 0;

    switch (r->call) {
    case CALL_ACCEPT: return ops->accept(p->target, f->socket);
    case CALL_CONNECT: return ops->connect(p->target, f->socket, r->port);
    case CALL_RECV: return ops->recv(p->target, f->socket, r->octets, r->len, r->flags & ~MSG_DONTWAIT);
    case CALL_SEND:
        a = ops->send(p->target, f->socket, r->to_send + r->done, r->len - r->done, r->flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL));
        if (a >= 0 && (r->done += (size_t)a) < r->len)
            return ANSWER_ERRNO(EAGAIN); /* a blocking SEND takes all */
        return a < 0 ? a : (answer)r->done;
    }
    return a;
}

static bool plugin_unfinished(answer a)
{
    return a == ANSWER_ERRNO(EAGAIN) || a == ANSWER_ERRNO(EINPROGRESS) || a == ANSWER_ERRNO(EALREADY);
}

static ssize_t plugin_result(answer a)
{
    if (a == ANSWER_UNIMPLEMENTED)
        return plugin_fail(EOPNOTSUPP);
    return a < 0 ? plugin_fail((int)-a) : (ssize_t)a;
}

static ssize_t plugin_call(struct plugin *p, struct plugin_request *r)
{
    struct plugin_fd *f;
    answer a;

    (void)pthread_mutex_lock(&p->lock);
    f = plugin_fd_of(p, r->fd);
    a = f == NULL || f->epoll ? ANSWER_ERRNO(f == NULL ? EBADF : ENOTSOCK) : plugin_try(p, f, r);
    plugin_drain(p);
    while (plugin_unfinished(a) && f != NULL && !f->nonblocking && (r->flags & MSG_DONTWAIT) == 0) {
        if (!pthread_equal(pthread_self(), p->main))
            plugin_wait_moved(p);
        else if (!plugin_step(p))
            plugin_give_up("a call waits for what will never happen");
        a = f->open ? plugin_try(p, f, r) : ANSWER_ERRNO(EBADF);
        if (!plugin_unfinished(a))
            plugin_drain(p);
    }
    if (a == ANSWER_ERRNO(EAGAIN) && r->done > 0)
        a = (answer)r->done;
    (void)pthread_mutex_unlock(&p->lock);
    return plugin_result(a);
}

/* ---- the table: sockets ---- */

static int plugin_socket(void *u, int domain, int type, int protocol)
{
    struct plugin *p = u;
    answer a;
    int fd = -1;

    if ((domain != AF_INET && domain != AF_INET6) || (type & 15) != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP))
        return plugin_fail(EPROTONOSUPPORT);
    (void)pthread_mutex_lock(&p->lock);
    if (!p->started)
        plugin_start(p, domain == AF_INET6);
    a = p->target->ops->socket(p->target);
    if (a >= 0 && (fd = plugin_fd_new(p, (int)a)) >= 0)
        p->fds[fd]->nonblocking = (type & SOCK_NONBLOCK) != 0;
    (void)pthread_mutex_unlock(&p->lock);
    return a < 0 ? (int)plugin_result(a) : fd;
}

static uint16_t plugin_port(const struct sockaddr *addr)
{
    struct sockaddr_in v4; /* the port stands in the same place for IPv6 */

    memcpy(&v4, addr, sizeof v4);
    return ntohs(v4.sin_port);
}

static int plugin_bind(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);

    if (f == NULL)
        return plugin_fail(EBADF);
    if (len < sizeof(struct sockaddr_in))
        return plugin_fail(EINVAL);
    f->bound_port = plugin_port(addr);
    return 0;
}

static int plugin_listen(void *u, int fd, int backlog)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    answer a;

    if (f == NULL)
        return plugin_fail(EBADF);
    (void)pthread_mutex_lock(&p->lock);
    a = p->target->ops->listen(p->target, f->socket, f->bound_port, backlog);
    (void)pthread_mutex_unlock(&p->lock);
    return (int)plugin_result(a);
}

static void plugin_tell_peer(const struct plugin *p, uint16_t port, struct sockaddr *addr, socklen_t *len)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in name4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = p->world.v6 ? sizeof name : sizeof name4;

    if (addr == NULL || len == NULL)
        return;
    memcpy(&name.sin6_addr, p->world.remote, 16);
    memcpy(&name4.sin_addr, p->world.remote, 4);
    memcpy(addr, p->world.v6 ? (const void *)&name : (const void *)&name4, *len < size ? *len : size);
    *len = size;
}

static int plugin_accept(void *u, int fd, struct sockaddr *addr, socklen_t *len)
{
    struct plugin *p = u;
    struct plugin_request r = {.call = CALL_ACCEPT, .fd = fd};
    ssize_t socket = plugin_call(p, &r);
    int new_fd;

    if (socket < 0)
        return -1;
    (void)pthread_mutex_lock(&p->lock);
    new_fd = plugin_fd_new(p, (int)socket);
    if (new_fd >= 0)
        p->fds[new_fd]->remote_port = p->last_syn_port;
    plugin_tell_peer(p, p->last_syn_port, addr, len);
    (void)pthread_mutex_unlock(&p->lock);
    return new_fd;
}

static int plugin_connect(void *u, int fd, const struct sockaddr *addr, socklen_t len)
{
    struct plugin_request r = {.call = CALL_CONNECT, .fd = fd};

    if (len < sizeof(struct sockaddr_in))
        return plugin_fail(EINVAL);
    r.port = plugin_port(addr);
    return (int)plugin_call(u, &r);
}

static ssize_t plugin_recv(void *u, int fd, void *buf, size_t len, int flags)
{
    struct plugin_request r = {.call = CALL_RECV, .fd = fd, .flags = flags, .octets = buf, .len = len};

    return plugin_call(u, &r);
}

static ssize_t plugin_send(void *u, int fd, const void *buf, size_t len, int flags)
{
    struct plugin_request r = {.call = CALL_SEND, .fd = fd, .flags = flags, .to_send = buf, .len = len};

    return plugin_call(u, &r);
}

static ssize_t plugin_read(void *u, int fd, void *buf, size_t count)
{
    return plugin_recv(u, fd, buf, count, 0);
}

static ssize_t plugin_write(void *u, int fd, const void *buf, size_t count)
{
    return plugin_send(u, fd, buf, count, 0);
}

/* Many pieces as one; -1 if they are more than fit. */
static uint8_t *plugin_gather(const struct iovec *iov, size_t count, size_t *len)
{
    uint8_t *octets;

    *len = 0;
    for (size_t i = 0; i < count; i++)
        *len += iov[i].iov_len;
    octets = malloc(*len + 1);
    return octets;
}

static ssize_t plugin_receive_pieces(void *u, int fd, const struct iovec *iov, size_t count, int flags)
{
    size_t len, at = 0;
    uint8_t *octets = plugin_gather(iov, count, &len);
    ssize_t n = octets == NULL ? plugin_fail(ENOMEM) : plugin_recv(u, fd, octets, len, flags);

    for (size_t i = 0; n > 0 && i < count && at < (size_t)n; i++) {
        size_t part = (size_t)n - at < iov[i].iov_len ? (size_t)n - at : iov[i].iov_len;

        memcpy(iov[i].iov_base, octets + at, part);
        at += part;
    }
    free(octets);
    return n;
}

static ssize_t plugin_send_pieces(void *u, int fd, const struct iovec *iov, size_t count, int flags)
{
    size_t len, at = 0;
    uint8_t *octets = plugin_gather(iov, count, &len);
    ssize_t n;

    for (size_t i = 0; octets != NULL && i < count; at += iov[i].iov_len, i++)
        if (iov[i].iov_len > 0)
            memcpy(octets + at, iov[i].iov_base, iov[i].iov_len);
    n = octets == NULL ? plugin_fail(ENOMEM) : plugin_send(u, fd, octets, len, flags);
    free(octets);
    return n;
}

static ssize_t plugin_readv(void *u, int fd, const struct iovec *iov, int count)
{
    return count < 0 ? plugin_fail(EINVAL) : plugin_receive_pieces(u, fd, iov, (size_t)count, 0);
}

static ssize_t plugin_writev(void *u, int fd, const struct iovec *iov, int count)
{
    return count < 0 ? plugin_fail(EINVAL) : plugin_send_pieces(u, fd, iov, (size_t)count, 0);
}

static ssize_t plugin_recvfrom(void *u, int fd, void *buf, size_t len, int flags, struct sockaddr *addr, socklen_t *addr_len)
{
    (void)addr; /* a stream has no other sender */
    if (addr_len != NULL)
        *addr_len = 0;
    return plugin_recv(u, fd, buf, len, flags);
}

static ssize_t plugin_recvmsg(void *u, int fd, struct msghdr *msg, int flags)
{
    msg->msg_controllen = 0;
    msg->msg_flags = 0;
    return plugin_receive_pieces(u, fd, msg->msg_iov, msg->msg_iovlen, flags);
}

static ssize_t plugin_sendto(void *u, int fd, const void *buf, size_t len, int flags, const struct sockaddr *addr, socklen_t addr_len)
{
    (void)addr_len;
    return addr != NULL ? plugin_fail(EOPNOTSUPP) : plugin_send(u, fd, buf, len, flags);
}

static ssize_t plugin_sendmsg(void *u, int fd, const struct msghdr *msg, int flags)
{
    return plugin_send_pieces(u, fd, msg->msg_iov, msg->msg_iovlen, flags);
}

static int plugin_fcntl(void *u, int fd, int command, ...)
{
    struct plugin_fd *f = plugin_fd_of(u, fd);
    va_list list;
    int flags;

    va_start(list, command);
    flags = command == F_SETFL ? va_arg(list, int) : 0;
    va_end(list);
    if (f == NULL)
        return plugin_fail(EBADF);
    if (command == F_GETFL)
        return O_RDWR | (f->nonblocking ? O_NONBLOCK : 0);
    if (command != F_SETFL)
        return plugin_fail(EINVAL);
    f->nonblocking = (flags & O_NONBLOCK) != 0;
    return 0;
}

static int plugin_ioctl(void *u, int fd, unsigned long request, ...)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    va_list list;
    int *value;
    answer a;

    va_start(list, request);
    value = va_arg(list, int *);
    va_end(list);
    if (f == NULL)
        return plugin_fail(EBADF);
    if (request != SIOCINQ && request != SIOCOUTQ)
        return plugin_fail(EINVAL);
    (void)pthread_mutex_lock(&p->lock);
    a = p->target->ops->queued(p->target, f->socket, request == SIOCOUTQ);
    (void)pthread_mutex_unlock(&p->lock);
    if (a >= 0)
        *value = (int)a;
    return a < 0 ? (int)plugin_result(a) : 0;
}

static int plugin_close(void *u, int fd)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    answer a = 0;

    if (f == NULL)
        return plugin_fail(EBADF);
    (void)pthread_mutex_lock(&p->lock);
    f->open = false;
    if (!f->epoll)
        a = p->target->ops->close(p->target, f->socket);
    plugin_drain(p);
    (void)pthread_mutex_unlock(&p->lock);
    (void)close(fd);
    return (int)plugin_result(a);
}

static int plugin_shutdown(void *u, int fd, int how)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    answer a;

    if (f == NULL)
        return plugin_fail(EBADF);
    (void)pthread_mutex_lock(&p->lock);
    a = p->target->ops->shutdown(p->target, f->socket, how);
    plugin_drain(p);
    (void)pthread_mutex_unlock(&p->lock);
    return (int)plugin_result(a);
}

/* ---- socket options ---- */

static uint8_t plugin_tcp_state(const char *state)
{
    static const char *const states[] = {"", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
                                         "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING"};

    for (uint8_t i = 1; state != NULL && i < sizeof states / sizeof states[0]; i++)
        if (strcmp(states[i], state) == 0)
            return i;
    return 0;
}

/* What the target does not tell is 0 to the tool. */
#define TOLD(field) (uint32_t)(info.field < 0 ? 0 : info.field)

static int plugin_tcp_info(struct plugin *p, const struct plugin_fd *f, void *value, socklen_t *len)
{
    struct target_info info;
    struct tcp_info i;
    answer a;

    line_info_clear(&info);
    a = p->target->ops->info(p->target, f->socket, &info);
    if (a < 0)
        return (int)plugin_result(a);
    memset(&i, 0, sizeof i);
    i.tcpi_state = plugin_tcp_state(info.state);
    i.tcpi_ca_state = (uint8_t)TOLD(ca_state);
    i.tcpi_retransmits = (uint8_t)TOLD(retransmits);
    i.tcpi_probes = (uint8_t)TOLD(probes);
    i.tcpi_backoff = (uint8_t)TOLD(backoff);
    i.tcpi_options = (uint8_t)TOLD(options);
    i.tcpi_snd_wscale = TOLD(snd_wscale) & 15;
    i.tcpi_rcv_wscale = TOLD(rcv_wscale) & 15;
    i.tcpi_rto = TOLD(rto);
    i.tcpi_snd_mss = TOLD(snd_mss);
    i.tcpi_rcv_mss = TOLD(rcv_mss);
    i.tcpi_unacked = TOLD(unacked);
    i.tcpi_sacked = TOLD(sacked);
    i.tcpi_lost = TOLD(lost);
    i.tcpi_retrans = TOLD(retrans);
    i.tcpi_pmtu = TOLD(pmtu);
    i.tcpi_rtt = TOLD(rtt);
    i.tcpi_rttvar = TOLD(rttvar);
    i.tcpi_snd_ssthresh = TOLD(snd_ssthresh);
    i.tcpi_snd_cwnd = TOLD(snd_cwnd);
    i.tcpi_advmss = TOLD(advmss);
    i.tcpi_reordering = TOLD(reordering);
    i.tcpi_total_retrans = TOLD(total_retrans);
    *len = *len < sizeof i ? *len : sizeof i;
    memcpy(value, &i, *len);
    return 0;
}

static int plugin_getsockopt_locked(struct plugin *p, const struct plugin_fd *f, int level, int name, void *value, socklen_t *len)
{
    int number;

    if (level == IPPROTO_TCP && name == TCP_INFO)
        return plugin_tcp_info(p, f, value, len);
    if (level != SOL_SOCKET || name != SO_ERROR)
        return plugin_fail(ENOPROTOOPT);
    number = (int)p->target->ops->error(p->target, f->socket);
    *len = *len < sizeof number ? *len : sizeof number;
    memcpy(value, &number, *len);
    return 0;
}

static int plugin_getsockopt(void *u, int fd, int level, int name, void *value, socklen_t *len)
{
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    int result;

    if (f == NULL || f->epoll)
        return plugin_fail(f == NULL ? EBADF : ENOTSOCK);
    (void)pthread_mutex_lock(&p->lock);
    result = plugin_getsockopt_locked(p, f, level, name, value, len);
    (void)pthread_mutex_unlock(&p->lock);
    return result;
}

static bool plugin_hook(int fd, int level, int name, void *value, socklen_t *len, int *result)
{
    if (the_plugin == NULL || plugin_fd_of(the_plugin, fd) == NULL)
        return false;
    *result = plugin_getsockopt(the_plugin, fd, level, name, value, len);
    return true;
}

static int plugin_setsockopt(void *u, int fd, int level, int name, const void *value, socklen_t len)
{
    static const struct { int level, option; const char *name; int64_t multiply, divide; } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, "nodelay", 1, 1}, {IPPROTO_TCP, TCP_CORK, "cork", 1, 1},
        {IPPROTO_TCP, TCP_QUICKACK, "quickack", 1, 1}, {IPPROTO_TCP, TCP_MAXSEG, "mss", 1, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, "keepalive-idle", 1000000, 1}, {IPPROTO_TCP, TCP_KEEPINTVL, "keepalive-interval", 1000000, 1},
        {IPPROTO_TCP, TCP_KEEPCNT, "keepalive-count", 1, 1}, {IPPROTO_TCP, TCP_USER_TIMEOUT, "user-timeout", 1000, 1},
        {SOL_SOCKET, SO_KEEPALIVE, "keepalive", 1, 1}, {SOL_SOCKET, SO_REUSEADDR, "reuse-address", 1, 1},
        {SOL_SOCKET, SO_RCVBUF, "receive-buffer", 1, 1}, {SOL_SOCKET, SO_SNDBUF, "send-buffer", 1, 1},
        {IPPROTO_IP, IP_TOS, "dscp", 1, 4}, {IPPROTO_IPV6, IPV6_TCLASS, "dscp", 1, 4},
    };
    struct plugin *p = u;
    struct plugin_fd *f = plugin_fd_of(p, fd);
    struct linger linger;
    const char *word = NULL;
    int64_t number = 0;
    int first;
    answer a;

    if (f == NULL || f->epoll || len < sizeof first)
        return plugin_fail(f == NULL ? EBADF : EINVAL);
    memcpy(&first, value, sizeof first);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].level == level && options[i].option == name) {
            word = options[i].name;
            number = first * options[i].multiply / options[i].divide;
        }
    if (level == SOL_SOCKET && name == SO_LINGER && len >= sizeof linger) {
        memcpy(&linger, value, sizeof linger);
        word = "linger";
        number = linger.l_onoff == 0 ? -1 : linger.l_linger * 1000000ll;
    }
    if (word == NULL)
        return plugin_fail(ENOPROTOOPT);
    (void)pthread_mutex_lock(&p->lock);
    a = p->target->ops->option(p->target, f->socket, word, number);
    plugin_drain(p);
    (void)pthread_mutex_unlock(&p->lock);
    return a == ANSWER_UNIMPLEMENTED ? plugin_fail(ENOPROTOOPT) : (int)plugin_result(a);
}

/* ---- waiting for many ---- */

static short plugin_ready(struct plugin *p, int fd, short wanted)
{
    struct plugin_fd *f = plugin_fd_of(p, fd);
    answer a;

    if (f == NULL || f->epoll)
        return POLLNVAL;
    a = p->target->ops->ready(p->target, f->socket);
    return a < 0 ? POLLNVAL : (short)(a & (wanted | POLLERR | POLLHUP));
}

/* Runs `look` until it finds something or `timeout` milliseconds have passed (-1: no limit). */
static int plugin_wait(struct plugin *p, int timeout, int (*look)(struct plugin *p, void *what), void *what)
{
    int64_t until;
    int found;

    (void)pthread_mutex_lock(&p->lock);
    until = plugin_now(p) + (timeout < 0 ? PATIENCE : timeout * 1000ll);
    while ((found = look(p, what)) == 0 && timeout != 0 && plugin_now(p) < until) {
        if (!pthread_equal(pthread_self(), p->main))
            plugin_wait_moved(p);
        else
            plugin_advance(p, until);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

struct plugin_polled {
    struct pollfd *fds;
    nfds_t count;
};

static int plugin_poll_look(struct plugin *p, void *what)
{
    const struct plugin_polled *polled = what;
    int found = 0;

    for (nfds_t i = 0; i < polled->count; i++) {
        polled->fds[i].revents = polled->fds[i].fd < 0 ? 0 : plugin_ready(p, polled->fds[i].fd, polled->fds[i].events);
        found += polled->fds[i].revents != 0;
    }
    return found;
}

static int plugin_poll(void *u, struct pollfd *fds, nfds_t count, int timeout)
{
    struct plugin_polled polled = {fds, count};

    return plugin_wait(u, timeout, plugin_poll_look, &polled);
}

static int plugin_epoll_create(void *u, int size)
{
    struct plugin *p = u;
    int fd;

    if (size <= 0)
        return plugin_fail(EINVAL);
    (void)pthread_mutex_lock(&p->lock);
    fd = plugin_fd_new(p, -1);
    if (fd >= 0)
        p->fds[fd]->epoll = true;
    (void)pthread_mutex_unlock(&p->lock);
    return fd;
}

static int plugin_epoll_ctl(void *u, int epfd, int op, int fd, struct epoll_event *event)
{
    struct plugin *p = u;
    struct plugin_fd *e = plugin_fd_of(p, epfd);
    int at = 0;

    if (e == NULL || plugin_fd_of(p, fd) == NULL)
        return plugin_fail(EBADF);
    if (!e->epoll || epfd == fd)
        return plugin_fail(EINVAL);
    while (at < e->watch_count && e->watches[at].fd != fd)
        at++;
    if (op == EPOLL_CTL_ADD && at < e->watch_count)
        return plugin_fail(EEXIST);
    if (op != EPOLL_CTL_ADD && at == e->watch_count)
        return plugin_fail(ENOENT);
    if (op == EPOLL_CTL_DEL) {
        e->watches[at] = e->watches[--e->watch_count];
        return 0;
    }
    if (at == EPOLL_MAX)
        return plugin_fail(ENOSPC);
    if (event->events & (EPOLLET | EPOLLONESHOT))
        return plugin_fail(EOPNOTSUPP); /* by level only */
    e->watches[at].fd = fd;
    e->watches[at].event = *event;
    e->watch_count += op == EPOLL_CTL_ADD;
    return 0;
}

struct plugin_epolled {
    struct plugin_fd *set;
    struct epoll_event *events;
    int max;
};

static int plugin_epoll_look(struct plugin *p, void *what)
{
    const struct plugin_epolled *polled = what;
    int found = 0;

    for (int i = 0; i < polled->set->watch_count && found < polled->max; i++) {
        const struct plugin_watch *w = &polled->set->watches[i];
        short bits = plugin_ready(p, w->fd, (short)(w->event.events & 0x7fff));

        if (bits == 0 || bits == POLLNVAL)
            continue;
        polled->events[found] = w->event;
        polled->events[found++].events = (uint32_t)bits;
    }
    return found;
}

static int plugin_epoll_wait(void *u, int epfd, struct epoll_event *events, int max, int timeout)
{
    struct plugin_epolled polled = {plugin_fd_of(u, epfd), events, max};

    if (polled.set == NULL || !polled.set->epoll || max <= 0)
        return plugin_fail(polled.set == NULL ? EBADF : EINVAL);
    return plugin_wait(u, timeout, plugin_epoll_look, &polled);
}

static int plugin_pipe(void *u, int fds[2])
{
    (void)u;
    (void)fds;
    return plugin_fail(ENOSYS);
}

static ssize_t plugin_splice(void *u, int in, loff_t *off_in, int out, loff_t *off_out, size_t len, unsigned flags)
{
    (void)u;
    (void)in;
    (void)off_in;
    (void)out;
    (void)off_out;
    (void)len;
    (void)flags;
    return plugin_fail(ENOSYS);
}

/* ---- the wire and the clock ---- */

/* The peer's port, from a SYN: offsets of IPv4 without options and of IPv6. */
static void plugin_notice(struct plugin *p, const uint8_t *octets, size_t len)
{
    size_t head = p->world.v6 ? 40 : (size_t)(octets[0] & 15) * 4;

    if (len >= head + 20 && (octets[head + 13] & 0x12) == 0x02)
        p->last_syn_port = (uint16_t)(octets[head] << 8 | octets[head + 1]);
}

static int plugin_netdev_send(void *u, const void *buf, size_t count)
{
    struct plugin *p = u;

    (void)pthread_mutex_lock(&p->lock);
    if (!p->started)
        plugin_start(p, count > 0 && *(const uint8_t *)buf >> 4 == 6);
    if (count > 0)
        plugin_notice(p, buf, count);
    if (p->target->ops->packet_in(p->target, buf, count) < 0)
        plugin_give_up(p->target->ops->why(p->target));
    plugin_drain(p);
    (void)pthread_mutex_unlock(&p->lock);
    return 0;
}

static int plugin_netdev_receive(void *u, void *buf, size_t *count, long long *time_usecs)
{
    struct plugin *p = u;
    struct plugin_packet *packet;

    (void)pthread_mutex_lock(&p->lock);
    while (p->first == NULL)
        if (!p->started || (!plugin_step(p) && p->first == NULL))
            plugin_give_up("the script expects a packet, and nothing will ever be sent");
    packet = p->first;
    p->first = packet->next;
    if (p->first == NULL)
        p->last = &p->first;
    *count = packet->len < *count ? packet->len : *count;
    memcpy(buf, packet->octets, *count);
    *time_usecs = CLOCK_START + p->before + packet->when;
    free(packet);
    (void)pthread_mutex_unlock(&p->lock);
    return 0;
}

static int plugin_usleep(void *u, useconds_t usec)
{
    struct plugin *p = u;

    (void)pthread_mutex_lock(&p->lock);
    plugin_sleep(p, plugin_now(p) + usec);
    (void)pthread_mutex_unlock(&p->lock);
    return 0;
}

/* Moves on by a microsecond each time: the tool turns in a circle over it for the last of each wait. */
static int plugin_gettimeofday(void *u, struct timeval *tv, struct timezone *tz)
{
    struct plugin *p = u;
    int64_t now;

    (void)tz;
    (void)pthread_mutex_lock(&p->lock);
    plugin_sleep(p, plugin_now(p) + 1);
    now = CLOCK_START + plugin_now(p);
    (void)pthread_mutex_unlock(&p->lock);
    tv->tv_sec = now / 1000000;
    tv->tv_usec = now % 1000000;
    return 0;
}

/* ---- life ---- */

static void plugin_free(void *u)
{
    struct plugin *p = u;

    the_plugin = NULL;
    while (p->first != NULL) {
        struct plugin_packet *packet = p->first;

        p->first = packet->next;
        free(packet);
    }
    for (int fd = 0; fd < FD_MAX; fd++)
        free(p->fds[fd]);
    p->target->ops->free(p->target);
    (void)pthread_cond_destroy(&p->moved);
    (void)pthread_cond_destroy(&p->settled);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

__attribute__((__visibility__("default"))) void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
    struct plugin *p = calloc(1, sizeof *p);
    char why[400] = "out of memory";
    packetdrill_getsockopt_hook *hook = dlsym(RTLD_DEFAULT, "weir_packetdrill_getsockopt");

    if (p == NULL || (p->target = target_weir_new(why, sizeof why)) == NULL)
        plugin_give_up(why);
    (void)snprintf(p->flags, sizeof p->flags, "%s", flags == NULL ? "" : flags);
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->moved, NULL);
    (void)pthread_cond_init(&p->settled, NULL);
    p->main = pthread_self();
    p->last = &p->first;
    the_plugin = p;
    if (hook != NULL)
        *hook = plugin_hook;
    *interface = (struct packetdrill_interface){
        .userdata = p, .free = plugin_free, .socket = plugin_socket, .bind = plugin_bind, .listen = plugin_listen,
        .accept = plugin_accept, .connect = plugin_connect, .read = plugin_read, .readv = plugin_readv, .recv = plugin_recv,
        .recvfrom = plugin_recvfrom, .recvmsg = plugin_recvmsg, .write = plugin_write, .writev = plugin_writev, .send = plugin_send,
        .sendto = plugin_sendto, .sendmsg = plugin_sendmsg, .fcntl = plugin_fcntl, .ioctl = plugin_ioctl, .close = plugin_close,
        .shutdown = plugin_shutdown, .getsockopt = plugin_getsockopt, .setsockopt = plugin_setsockopt, .poll = plugin_poll,
        .epoll_create = plugin_epoll_create, .epoll_ctl = plugin_epoll_ctl, .epoll_wait = plugin_epoll_wait, .pipe = plugin_pipe,
        .splice = plugin_splice, .netdev_send = plugin_netdev_send, .netdev_receive = plugin_netdev_receive, .usleep = plugin_usleep,
        .gettimeofday = plugin_gettimeofday,
    };
}
