/* lwip.c - lwIP 2.1 as a stack under test: its raw API behind the line protocol, in virtual time.
 *
 * lwIP keeps its state in globals, so each scenario has a process of its own (serve_forked). No thread of lwIP's runs: packets, timers
 * and calls all happen in this one, and sys_now is ours. Sockets are the thinnest layer over the raw API's callbacks that can answer
 * at once; what it does is what the raw API does. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "line.h"
#include "serve.h"

#define SOCKETS_MAX 256
#define BACKLOG_MAX 64

struct lwip_socket {
    bool used, listening, connecting, connected, fin, write_closed, closed;
    struct tcp_pcb *pcb;       /* may be freed under our feet: lwip_pcb() */
    struct pbuf *received;     /* not yet read */
    int error;                 /* errno */
    int pending[BACKLOG_MAX];  /* of a listener: accepted, not yet told */
    int pending_count;
    bool nodelay;
};

struct lwip_packet {
    struct lwip_packet *next;
    int64_t when;
    size_t len;
    uint8_t octets[];
};

/* One in a process, as lwIP itself. */
static struct lwip {
    struct target target;
    struct target_world world;
    ip_addr_t local, remote;
    struct netif netif;
    int64_t now;               /* microseconds */
    bool stirred, nodelay, keepalive;
    uint32_t keep_idle, keep_interval, keep_count; /* milliseconds; 0: lwIP's own */
    struct lwip_socket sockets[SOCKETS_MAX];
    struct lwip_packet *first, **last;
} lwip;

/* lwIP asks for the time here: the library's own function gives way to this one. */
u32_t sys_now(void)
{
    return (u32_t)(lwip.now / 1000);
}

/* ---- the wire ---- */

static err_t lwip_out(struct pbuf *p)
{
    struct lwip_packet *packet = malloc(sizeof *packet + p->tot_len);

    if (packet == NULL)
        return ERR_MEM;
    packet->next = NULL;
    packet->when = lwip.now;
    packet->len = pbuf_copy_partial(p, packet->octets, p->tot_len, 0);
    *lwip.last = packet;
    lwip.last = &packet->next;
    return ERR_OK;
}

static err_t lwip_out4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    (void)netif;
    (void)to;
    return lwip_out(p);
}

static err_t lwip_out6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to)
{
    (void)netif;
    (void)to;
    return lwip_out(p);
}

static err_t lwip_netif_init(struct netif *netif)
{
    netif->name[0] = 'w';
    netif->name[1] = 'v';
    netif->mtu = 1500;
    netif->mtu6 = 1500;
    netif->output = lwip_out4;
    netif->output_ip6 = lwip_out6;
    return ERR_OK;
}

static void lwip_address(ip_addr_t *a, bool v6, const uint8_t *octets)
{
    memset(a, 0, sizeof *a);
    if (v6) {
        memcpy(ip_2_ip6(a)->addr, octets, 16);
        IP_SET_TYPE(a, IPADDR_TYPE_V6);
    } else {
        memcpy(&ip_2_ip4(a)->addr, octets, 4);
        IP_SET_TYPE(a, IPADDR_TYPE_V4);
    }
}

static bool lwip_reset(struct target *t, const struct target_world *world)
{
    ip4_addr_t own = {0}, mask = {0}, gateway = {0};

    (void)t;
    lwip.world = *world;
    lwip.last = &lwip.first;
    lwip_address(&lwip.local, world->v6, world->local);
    lwip_address(&lwip.remote, world->v6, world->remote);
    lwip_init();
    if (!world->v6) {
        own = *ip_2_ip4(&lwip.local);
        gateway = *ip_2_ip4(&lwip.remote);
        IP4_ADDR(&mask, 255, 255, 255, 0);
    }
    if (netif_add(&lwip.netif, &own, &mask, &gateway, NULL, lwip_netif_init, ip_input) == NULL)
        return false;
    netif_set_default(&lwip.netif);
    netif_set_link_up(&lwip.netif);
    netif_set_up(&lwip.netif);
    lwip.netif.ip6_autoconfig_enabled = 0;
    lwip.netif.rs_count = 0; /* nobody to solicit */
    if (world->v6) {
        s8_t index = 0;

        if (netif_add_ip6_address(&lwip.netif, ip_2_ip6(&lwip.local), &index) != ERR_OK)
            return false;
        netif_ip6_addr_set_state(&lwip.netif, index, IP6_ADDR_PREFERRED);
    }
    while (lwip.first != NULL) { /* what it says of its own address */
        struct lwip_packet *p = lwip.first;

        lwip.first = p->next;
        free(p);
    }
    lwip.last = &lwip.first;
    return true;
}

static answer lwip_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    struct pbuf *p = len > 65535 ? NULL : pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_RAM);

    (void)t;
    if (p == NULL)
        return ANSWER_ERRNO(EINVAL);
    (void)pbuf_take(p, octets, (u16_t)len);
    if (lwip.netif.input(p, &lwip.netif) != ERR_OK)
        (void)pbuf_free(p);
    return 0;
}

static answer lwip_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    struct lwip_packet *p = lwip.first;
    size_t len;

    (void)t;
    if (p == NULL)
        return 0;
    len = p->len < cap ? p->len : cap;
    memcpy(octets, p->octets, len);
    *when = p->when;
    lwip.first = p->next;
    if (lwip.first == NULL)
        lwip.last = &lwip.first;
    free(p);
    return (answer)len;
}

static int64_t lwip_now(struct target *t)
{
    (void)t;
    return lwip.now;
}

static answer lwip_advance(struct target *t, int64_t until)
{
    (void)t;
    lwip.stirred = false;
    while (lwip.now < until && lwip.first == NULL && !lwip.stirred) {
        u32_t sleep = sys_timeouts_sleeptime();
        int64_t next = sleep == SYS_TIMEOUTS_SLEEPTIME_INFINITE ? until : (lwip.now / 1000 + sleep) * 1000;

        if (next <= lwip.now)
            next = lwip.now; /* due now */
        lwip.now = next < until ? next : until;
        sys_check_timeouts();
    }
    return 0;
}

/* ---- settings ---- */

/* What is compiled in: a vector that wants just this can be had. */
static const struct { const char *name, *value; } lwip_fixed[] = {
    {"timestamps", "0"}, {"sack", "0"}, {"require-timestamps", "0"}, {"window-scale", "1"}, {"ecn", "0"}, {"congestion", "reno"},
    {"receive-buffer", "65535"}, {"send-buffer", "65535"}, {"msl", "60s"}, {"ttl", "255"}, {"dscp", "0"},
};

static bool lwip_milliseconds(const char *value, uint32_t *ms)
{
    char *end;
    long long number = strtoll(value, &end, 10);

    if (end == value || number < 0 || number > 4000000000ll)
        return false;
    if (strcmp(end, "s") == 0)
        number *= 1000;
    else if (*end == '\0')
        number /= 1000;
    else if (strcmp(end, "ms") != 0)
        return false;
    *ms = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
    return true;
}

static answer lwip_set_mtu(const char *value)
{
    int64_t mtu;

    if (!line_number(value, &mtu) || mtu < 68 || mtu > 65535)
        return ANSWER_ERRNO(EINVAL);
    lwip.netif.mtu = lwip.netif.mtu6 = (u16_t)mtu;
    return 0;
}

static answer lwip_set(struct target *t, const char *name, const char *value)
{
    int64_t number;

    (void)t;
    if (strcmp(name, "mtu") == 0)
        return lwip_set_mtu(value);
    if (strcmp(name, "nagle") == 0) {
        lwip.nodelay = strcmp(value, "0") == 0;
        return 0;
    }
    if (strcmp(name, "keepalive-idle") == 0)
        return lwip_milliseconds(value, &lwip.keep_idle) ? 0 : ANSWER_ERRNO(EINVAL);
    if (strcmp(name, "keepalive-interval") == 0)
        return lwip_milliseconds(value, &lwip.keep_interval) ? 0 : ANSWER_ERRNO(EINVAL);
    if (strcmp(name, "keepalive-count") == 0) {
        if (!line_number(value, &number) || number < 1 || number > 255)
            return ANSWER_ERRNO(EINVAL);
        lwip.keep_count = (uint32_t)number;
        return 0;
    }
    for (size_t i = 0; i < sizeof lwip_fixed / sizeof lwip_fixed[0]; i++)
        if (strcmp(lwip_fixed[i].name, name) == 0 && strcmp(lwip_fixed[i].value, value) == 0)
            return 0;
    return ANSWER_UNIMPLEMENTED;
}

/* ---- callbacks ---- */

static err_t lwip_on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct lwip_socket *s = arg;

    (void)pcb;
    (void)err;
    lwip.stirred = true;
    if (p == NULL)
        s->fin = true;
    else if (s->received == NULL)
        s->received = p;
    else
        pbuf_cat(s->received, p);
    return ERR_OK;
}

static err_t lwip_on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    (void)arg;
    (void)pcb;
    (void)len;
    lwip.stirred = true;
    return ERR_OK;
}

static err_t lwip_on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct lwip_socket *s = arg;

    (void)pcb;
    (void)err;
    lwip.stirred = true;
    s->connecting = false;
    s->connected = true;
    return ERR_OK;
}

/* The connection is gone; lwIP says ERR_ABRT where it gave up by itself. */
static void lwip_on_error(void *arg, err_t err)
{
    struct lwip_socket *s = arg;

    lwip.stirred = true;
    s->pcb = NULL;
    if (err == ERR_RST)
        s->error = s->connecting ? ECONNREFUSED : ECONNRESET;
    else if (err != ERR_CLSD)
        s->error = ETIMEDOUT;
    s->connecting = false;
}

static int lwip_socket_new(struct tcp_pcb *pcb)
{
    for (int i = 0; i < SOCKETS_MAX; i++) {
        struct lwip_socket *s = &lwip.sockets[i];

        if (s->used)
            continue;
        memset(s, 0, sizeof *s);
        s->used = true;
        s->pcb = pcb;
        tcp_arg(pcb, s);
        tcp_recv(pcb, lwip_on_recv);
        tcp_sent(pcb, lwip_on_sent);
        tcp_err(pcb, lwip_on_error);
        if (lwip.nodelay)
            tcp_nagle_disable(pcb);
        if (lwip.keep_idle != 0)
            pcb->keep_idle = lwip.keep_idle;
        if (lwip.keep_interval != 0)
            pcb->keep_intvl = lwip.keep_interval;
        if (lwip.keep_count != 0)
            pcb->keep_cnt = lwip.keep_count;
        return i;
    }
    return -1;
}

static err_t lwip_on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct lwip_socket *listener = arg;
    int i;

    if (err != ERR_OK || pcb == NULL || listener->pending_count == BACKLOG_MAX || (i = lwip_socket_new(pcb)) < 0)
        return ERR_MEM;
    lwip.stirred = true;
    lwip.sockets[i].connected = true;
    if (listener->nodelay)
        tcp_nagle_disable(pcb);
    listener->pending[listener->pending_count++] = i;
    return ERR_OK;
}

/* ---- calls ---- */

static struct lwip_socket *lwip_socket_of(int number)
{
    if (number < 0 || number >= SOCKETS_MAX || !lwip.sockets[number].used)
        return NULL;
    return &lwip.sockets[number];
}

/* Whether lwIP still has it: a connection that leaves TIME-WAIT is freed without a word. */
static struct tcp_pcb *lwip_pcb(struct lwip_socket *s)
{
    struct tcp_pcb *const lists[] = {tcp_active_pcbs, tcp_tw_pcbs, tcp_bound_pcbs, tcp_listen_pcbs.pcbs};

    if (s->pcb != NULL && !s->connected && !s->connecting && !s->listening)
        return s->pcb; /* on no list yet */
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (struct tcp_pcb *p = lists[i]; p != NULL; p = p->next)
            if (p == s->pcb && p->callback_arg == s)
                return p;
    s->pcb = NULL;
    return NULL;
}

static answer lwip_error_of(err_t err)
{
    return ANSWER_ERRNO(err_to_errno(err));
}

static answer lwip_socket(struct target *t)
{
    struct tcp_pcb *pcb = tcp_new_ip_type(lwip.world.v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    int i = pcb == NULL ? -1 : lwip_socket_new(pcb);

    (void)t;
    return i < 0 ? ANSWER_ERRNO(ENOMEM) : i;
}

static answer lwip_listen(struct target *t, int socket, uint16_t port, int backlog)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;
    err_t err;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if (s->listening)
        return 0;
    pcb = lwip_pcb(s);
    if (pcb == NULL || s->connecting || s->connected)
        return ANSWER_ERRNO(EISCONN);
    err = tcp_bind(pcb, lwip.world.v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY, port);
    if (err != ERR_OK)
        return lwip_error_of(err);
    pcb = tcp_listen_with_backlog_and_err(pcb, (u8_t)(backlog < 1 ? 1 : backlog > 255 ? 255 : backlog), &err);
    if (pcb == NULL)
        return lwip_error_of(err);
    s->pcb = pcb;
    s->listening = true;
    tcp_arg(pcb, s);
    tcp_accept(pcb, lwip_on_accept);
    return 0;
}

static answer lwip_connect(struct target *t, int socket, uint16_t port)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;
    err_t err;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if (s->error != 0) {
        int error = s->error;

        s->error = 0;
        return ANSWER_ERRNO(error);
    }
    if (s->connected)
        return 0;
    if (s->connecting)
        return ANSWER_ERRNO(EALREADY);
    pcb = lwip_pcb(s);
    if (pcb == NULL || s->listening)
        return ANSWER_ERRNO(EINVAL);
    err = tcp_connect(pcb, &lwip.remote, port, lwip_on_connected);
    if (err != ERR_OK)
        return lwip_error_of(err);
    s->connecting = true;
    return ANSWER_ERRNO(EINPROGRESS);
}

static answer lwip_accept(struct target *t, int socket)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    int first;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if (!s->listening)
        return ANSWER_ERRNO(EINVAL);
    if (s->pending_count == 0)
        return ANSWER_ERRNO(EAGAIN);
    first = s->pending[0];
    s->pending_count--;
    memmove(s->pending, s->pending + 1, (size_t)s->pending_count * sizeof s->pending[0]);
    return first;
}

/* What stands in the way of a SEND; 0: nothing. */
static answer lwip_send_refused(struct lwip_socket *s)
{
    if (s->error != 0) {
        int error = s->error;

        s->error = 0;
        return ANSWER_ERRNO(error);
    }
    if (s->connecting)
        return ANSWER_ERRNO(EAGAIN);
    if (s->write_closed)
        return ANSWER_ERRNO(EPIPE);
    if (!s->connected)
        return ANSWER_ERRNO(ENOTCONN);
    return lwip_pcb(s) == NULL ? ANSWER_ERRNO(EPIPE) : 0;
}

static answer lwip_send(struct target *t, int socket, const uint8_t *octets, size_t len, int flags)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    bool more = (flags & MSG_MORE) != 0;
    size_t done = 0;
    answer a;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if ((flags & MSG_OOB) != 0)
        return ANSWER_UNIMPLEMENTED;
    a = lwip_send_refused(s);
    if (a != 0 || len == 0)
        return a;
    while (done < len) {
        size_t room = tcp_sndbuf(s->pcb), part = len - done < room ? len - done : room;
        err_t err;

        part = part > 32768 ? 32768 : part;
        err = part == 0 ? ERR_MEM : tcp_write(s->pcb, octets + done, (u16_t)part,
                                              (u8_t)(TCP_WRITE_FLAG_COPY | (more || done + part < len ? TCP_WRITE_FLAG_MORE : 0)));
        if (err != ERR_OK && err != ERR_MEM)
            return lwip_error_of(err);
        if (err == ERR_MEM)
            break;
        done += part;
    }
    if (!more)
        (void)tcp_output(s->pcb);
    return done == 0 ? ANSWER_ERRNO(EAGAIN) : (answer)done;
}

static answer lwip_recv(struct target *t, int socket, uint8_t *octets, size_t cap, int flags)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    u16_t len;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if ((flags & MSG_OOB) != 0)
        return ANSWER_UNIMPLEMENTED;
    if (s->received != NULL && cap > 0) {
        len = pbuf_copy_partial(s->received, octets, (u16_t)(cap > 65535 ? 65535 : cap), 0);
        if ((flags & MSG_PEEK) == 0) {
            s->received = pbuf_free_header(s->received, len);
            if (lwip_pcb(s) != NULL)
                tcp_recved(s->pcb, len);
        }
        return len;
    }
    if (s->error != 0) {
        int error = s->error;

        s->error = 0;
        return ANSWER_ERRNO(error);
    }
    if (s->fin || (s->connected && lwip_pcb(s) == NULL))
        return 0;
    return ANSWER_ERRNO(s->connected || s->connecting ? EAGAIN : ENOTCONN);
}

static answer lwip_shutdown(struct target *t, int socket, int how)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;
    err_t err;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    pcb = lwip_pcb(s);
    if (pcb == NULL || (!s->connected && !s->connecting))
        return ANSWER_ERRNO(ENOTCONN);
    if (how != SHUT_RD && s->write_closed)
        return 0;
    err = tcp_shutdown(pcb, how != SHUT_WR, how != SHUT_RD);
    if (err != ERR_OK)
        return lwip_error_of(err);
    s->write_closed = s->write_closed || how != SHUT_RD;
    return 0;
}

/* Names stay: a connection that was closed can still be asked for its state. */
static answer lwip_close(struct target *t, int socket)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;

    (void)t;
    if (s == NULL || s->closed)
        return ANSWER_ERRNO(EBADF);
    pcb = lwip_pcb(s);
    s->closed = true;
    if (pcb == NULL)
        return 0;
    if (s->listening) {
        for (int i = 0; i < s->pending_count; i++)
            if (lwip_pcb(&lwip.sockets[s->pending[i]]) != NULL)
                tcp_abort(lwip.sockets[s->pending[i]].pcb);
        s->pcb = NULL;
    } else {
        tcp_recv(pcb, NULL); /* lwIP drops, or resets, what nobody reads */
    }
    s->write_closed = true;
    return tcp_close(pcb) == ERR_OK ? 0 : ANSWER_ERRNO(ENOMEM);
}

static answer lwip_abort(struct target *t, int socket)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if (s->listening)
        return lwip_close(t, socket);
    pcb = lwip_pcb(s);
    if (pcb == NULL)
        return ANSWER_ERRNO(ENOTCONN);
    tcp_err(pcb, NULL);
    tcp_abort(pcb);
    s->pcb = NULL;
    s->closed = s->write_closed = true;
    return 0;
}

static answer lwip_option(struct target *t, int socket, const char *name, int64_t value)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb = s == NULL ? NULL : lwip_pcb(s);

    (void)t;
    if (pcb == NULL)
        return ANSWER_ERRNO(s == NULL ? EBADF : EINVAL);
    if (strcmp(name, "reuse-address") == 0) {
        ip_set_option(pcb, SOF_REUSEADDR);
    } else if (strcmp(name, "keepalive") == 0) {
        if (value != 0)
            ip_set_option(pcb, SOF_KEEPALIVE);
        else
            ip_reset_option(pcb, SOF_KEEPALIVE);
    } else if (strcmp(name, "nodelay") == 0) {
        s->nodelay = value != 0;
        if (!s->listening && value != 0)
            tcp_nagle_disable(pcb);
        else if (!s->listening)
            tcp_nagle_enable(pcb);
    } else if (s->listening) {
        return ANSWER_UNIMPLEMENTED;
    } else if (strcmp(name, "keepalive-idle") == 0) {
        pcb->keep_idle = (u32_t)(value / 1000);
    } else if (strcmp(name, "keepalive-interval") == 0) {
        pcb->keep_intvl = (u32_t)(value / 1000);
    } else if (strcmp(name, "keepalive-count") == 0) {
        pcb->keep_cnt = (u32_t)value;
    } else {
        return ANSWER_UNIMPLEMENTED;
    }
    return 0;
}

static answer lwip_ready(struct target *t, int socket)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;
    int bits = 0;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    pcb = lwip_pcb(s);
    if (s->listening)
        return s->pending_count > 0 ? POLLIN : 0;
    if (s->received != NULL || s->fin || s->error != 0)
        bits |= POLLIN;
    if (s->error != 0)
        bits |= POLLERR;
    if (s->fin)
        bits |= POLLRDHUP;
    if (!s->connecting && pcb == NULL)
        bits |= POLLHUP | POLLIN;
    if (s->connected && !s->write_closed && pcb != NULL && tcp_sndbuf(pcb) > 0)
        bits |= POLLOUT;
    return bits;
}

static answer lwip_error(struct target *t, int socket)
{
    struct lwip_socket *s = lwip_socket_of(socket);
    int error;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    error = s->error;
    s->error = 0;
    return error;
}

static answer lwip_queued(struct target *t, int socket, bool sent)
{
    struct lwip_socket *s = lwip_socket_of(socket);

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    if (!sent)
        return s->received == NULL ? 0 : s->received->tot_len;
    return lwip_pcb(s) == NULL || s->listening ? 0 : TCP_SND_BUF - (answer)s->pcb->snd_buf;
}

static int64_t lwip_segments(const struct tcp_seg *list)
{
    int64_t count = 0;

    for (; list != NULL; list = list->next)
        count++;
    return count;
}

static answer lwip_info(struct target *t, int socket, struct target_info *info)
{
    static const char *const states[] = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                         "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"};
    struct lwip_socket *s = lwip_socket_of(socket);
    struct tcp_pcb *pcb;

    (void)t;
    if (s == NULL)
        return ANSWER_ERRNO(EBADF);
    pcb = lwip_pcb(s);
    info->state = states[pcb == NULL ? 0 : pcb->state];
    if (pcb == NULL || s->listening)
        return 0;
    info->rto = (int64_t)pcb->rto * TCP_SLOW_INTERVAL * 1000;
    info->snd_mss = pcb->mss;
    info->snd_cwnd = pcb->mss == 0 ? 0 : pcb->cwnd / pcb->mss;
    info->snd_ssthresh = pcb->mss == 0 ? 0 : pcb->ssthresh / pcb->mss;
    info->unacked = lwip_segments(pcb->unacked);
    info->retransmits = pcb->nrtx;
    info->probes = pcb->persist_probe;
    info->snd_wscale = pcb->snd_scale;
    info->rcv_wscale = pcb->rcv_scale;
    info->snd_wnd = pcb->snd_wnd;
    info->rcv_wnd = pcb->rcv_wnd;
    return 0;
}

static bool lwip_has(struct target *t, const char *need)
{
    static const char *const features[] = {"window-scale", "rfc5961", "keepalive", "time-wait", "half-close", "virtual-time", "ipv6"};

    (void)t;
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        if (strcmp(features[i], need) == 0)
            return true;
    return false;
}

static void lwip_free(struct target *t)
{
    (void)t; /* the process ends */
}

static const struct target_ops lwip_ops = {
    .name = "lwip-" LWIP_VERSION_STRING, .reset = lwip_reset, .set = lwip_set, .socket = lwip_socket, .listen = lwip_listen,
    .connect = lwip_connect, .accept = lwip_accept, .send = lwip_send, .recv = lwip_recv, .shutdown = lwip_shutdown,
    .close = lwip_close, .abort = lwip_abort, .option = lwip_option, .ready = lwip_ready, .error = lwip_error,
    .queued = lwip_queued, .info = lwip_info, .packet_in = lwip_packet_in, .packet_out = lwip_packet_out, .now = lwip_now,
    .advance = lwip_advance, .has = lwip_has, .free = lwip_free,
};

static struct target *lwip_new(char *why, size_t cap)
{
    (void)why;
    (void)cap;
    lwip.target.ops = &lwip_ops;
    return &lwip.target;
}

int main(void)
{
    return serve_forked(lwip_new, 0, 1);
}
