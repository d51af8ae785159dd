/* calls.c - the system calls of a script as operations of a target. Knows what each argument means; knows no packet. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "course.h"
#include "line.h"

#define CALL_UNSUPPORTED INT64_MIN       /* what ANSWER_UNIMPLEMENTED is: the target, or this file, does not know the call */
#define CALL_ENDED (INT64_MIN + 3)       /* the reason stands in the outcome already */
#define CALL_CHUNK ((size_t)1 << 20)

/* One call: its arguments, and how it is going. */
struct call {
    struct course *c;
    const struct script_event *event;
    const struct script_call *call;
    int64_t *done;                       /* octets moved by earlier tries */
};

/* Octets of a script are 0; what comes is counted and forgotten. */
static const uint8_t call_zeros[CALL_CHUNK];
static uint8_t call_sink[CALL_CHUNK];

/* ---- values ---- */

struct call_word {
    const char *name;
    int64_t value;
};
#define W(name) {#name, name}
static const struct call_word call_words[] = {
    W(AF_INET), W(AF_INET6), W(AF_UNSPEC), W(PF_INET), W(PF_INET6), W(SOCK_STREAM), W(SOCK_DGRAM), W(SOCK_NONBLOCK), W(SOCK_CLOEXEC),
    {"IPPROTO_TCP", 6}, {"IPPROTO_UDP", 17}, W(SHUT_RD), W(SHUT_WR), W(SHUT_RDWR), W(O_RDWR), W(O_RDONLY), W(O_WRONLY), W(O_NONBLOCK),
    W(F_GETFL), W(F_SETFL), W(F_GETFD), W(F_SETFD), W(FD_CLOEXEC), W(FIONREAD), {"SIOCINQ", FIONREAD}, W(SIOCOUTQ),
    W(POLLIN), W(POLLOUT), W(POLLPRI), W(POLLERR),
    W(POLLHUP), W(POLLNVAL), W(POLLRDHUP), W(POLLRDNORM), W(POLLWRNORM), {"EPOLLIN", EPOLLIN},
    {"EPOLLOUT", EPOLLOUT}, {"EPOLLERR", EPOLLERR},
    {"EPOLLHUP", EPOLLHUP}, {"EPOLLRDHUP", EPOLLRDHUP}, {"EPOLLPRI", EPOLLPRI}, {"EPOLLET", (int64_t)(uint32_t)EPOLLET},
    {"EPOLLONESHOT", EPOLLONESHOT}, W(EPOLL_CTL_ADD), W(EPOLL_CTL_MOD), W(EPOLL_CTL_DEL), W(MSG_OOB), W(MSG_PEEK), W(MSG_DONTWAIT),
    W(MSG_MORE), W(MSG_NOSIGNAL), W(MSG_EOR), W(MSG_WAITALL), W(MSG_TRUNC), W(MSG_ERRQUEUE), W(MSG_FASTOPEN), W(MSG_ZEROCOPY)};
#undef W

static bool call_word(const char *name, int64_t *value)
{
    for (size_t i = 0; i < sizeof call_words / sizeof call_words[0]; i++) {
        if (strcmp(call_words[i].name, name) == 0) {
            *value = call_words[i].value;
            return true;
        }
    }
    const int error = line_errno(name);
    *value = error;
    return error > 0;
}

/* A number behind names, "|", [ ] and htons(); false: it is none, or one that is not known here. */
static bool call_value(const struct script_value *v, int64_t *value)
{
    int64_t part;
    switch (v->kind) {
    case SCRIPT_INT: *value = v->number; return true;
    case SCRIPT_SYMBOL: return call_word(v->text, value);
    case SCRIPT_LIST: return v->item_count == 1 && v->items[0].kind != SCRIPT_LIST && call_value(&v->items[0], value);
    case SCRIPT_CALLED: return v->item_count == 1 && v->items[0].kind == SCRIPT_INT && call_value(&v->items[0], value);
    case SCRIPT_OR:
        *value = 0;
        for (int i = 0; i < v->item_count; i++) {
            if (v->items[i].kind == SCRIPT_OR || !call_value(&v->items[i], &part)) {
                return false;
            }
            *value |= part;
        }
        return true;
    default: return false;
    }
}

static const char *call_value_text(const struct script_value *v)
{
    return v->text != NULL ? v->text : v->kind == SCRIPT_ELLIPSIS ? "..." : v->kind == SCRIPT_STRUCT ? "{}" : "a value";
}

/* Argument `i` as a number; otherwise ends the scenario. */
static bool call_arg(const struct call *k, int i, int64_t *value)
{
    if (i >= k->call->arg_count) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "%s: argument %d is missing", k->call->name, i + 1);
        return false;
    }
    if (call_value(&k->call->args[i], value)) {
        return true;
    }
    course_end(k->c, OUTCOME_UNSUPPORTED, k->event, "%s: %s as argument %d", k->call->name, call_value_text(&k->call->args[i]), i + 1);
    return false;
}

/* A member of a struct by its name, "msg_iov" also for "msg_iov(1)"; or by its place where nothing has names. */
static const struct script_value *call_member(const struct script_value *v, const char *name, int place)
{
    const size_t len = strlen(name);
    if (v->kind != SCRIPT_STRUCT) {
        return NULL;
    }
    for (int i = 0; i < v->item_count; i++) {
        const char *own = v->items[i].name;
        if (own != NULL && strncmp(own, name, len) == 0 && (own[len] == 0 || own[len] == '(')) {
            return &v->items[i];
        }
    }
    return place >= 0 && place < v->item_count && v->items[place].name == NULL ? &v->items[place] : NULL;
}

static bool call_member_value(const struct script_value *v, const char *name, int place, int64_t *value)
{
    const struct script_value *m = call_member(v, name, place);
    return m != NULL && call_value(m, value);
}

/* ---- sockets ---- */

struct course_fd *course_fd_find(struct course *c, int number)
{
    for (int i = c->fd_count - 1; i >= 0; i--) { /* the newest of that number */
        if (c->fds[i].number == number) {
            return &c->fds[i];
        }
    }
    return NULL;
}

/* The socket that argument `i` names. NULL: the scenario is over, or *a is the call's answer. */
static struct course_fd *call_fd(const struct call *k, int i, answer *a)
{
    int64_t number;
    if (!call_arg(k, i, &number)) {
        *a = CALL_ENDED;
        return NULL;
    }
    struct course_fd *fd = course_fd_find(k->c, (int)number);
    *a = ANSWER_ERRNO(EBADF);
    if (fd == NULL && (k->call->error == NULL || strcmp(k->call->error, "EBADF") != 0)) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "%s: no socket %lld was opened", k->call->name, (long long)number);
        *a = CALL_ENDED;
    }
    return fd == NULL || fd->closed ? NULL : fd;
}

static struct course_fd *call_tcp(const struct call *k, answer *a)
{
    struct course_fd *fd = call_fd(k, 0, a);
    if (fd != NULL && fd->kind != COURSE_TCP) {
        *a = ANSWER_ERRNO(EINVAL);
        return NULL;
    }
    return fd;
}

/* A new socket gets the number that the script expects. */
static answer call_fd_add(const struct call *k, enum course_fd_kind kind, answer socket)
{
    struct course *c = k->c;
    const int64_t number = k->call->result.kind == SCRIPT_INT ? k->call->result.number : -1;
    const struct course_fd *old = course_fd_find(c, (int)number);
    if (socket < 0 || number < 0) {
        return socket;
    }
    if ((old != NULL && !old->closed) || c->fd_count == COURSE_FDS_MAX) {
        course_end(c, OUTCOME_BROKEN, k->event, "%s: socket %lld is open already, or there are too many", k->call->name, (long long)number);
        return CALL_ENDED;
    }
    struct course_fd *fd = &c->fds[c->fd_count++];
    memset(fd, 0, sizeof *fd);
    fd->number = (int)number;
    fd->socket = (int)socket;
    fd->kind = kind;
    return number;
}

static answer call_socket(struct call *k)
{
    int64_t type = SOCK_STREAM;
    if (k->call->arg_count > 1 && k->call->args[1].kind != SCRIPT_ELLIPSIS && !call_arg(k, 1, &type)) {
        return CALL_ENDED;
    }
    if ((type & ~(int64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM) {
        course_end(k->c, OUTCOME_UNSUPPORTED, k->event, "socket: a type other than SOCK_STREAM");
        return CALL_ENDED;
    }
    const answer a = call_fd_add(k, COURSE_TCP, k->c->target->ops->socket(k->c->target));
    if (a >= 0) {
        struct course_fd *fd = course_fd_find(k->c, (int)a);
        fd->nonblock = (type & SOCK_NONBLOCK) != 0;
        k->c->current = (int)(fd - k->c->fds);
    }
    return a;
}

/* Addresses and ports are the runner's. */
static answer call_bind(struct call *k)
{
    answer a;
    return call_tcp(k, &a) == NULL ? a : 0;
}

static answer call_listen(struct call *k)
{
    answer a;
    int64_t backlog;
    struct course *c = k->c;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL || !call_arg(k, 1, &backlog)) {
        return fd == NULL ? a : CALL_ENDED;
    }
    a = c->target->ops->listen(c->target, fd->socket, c->world.listen_port, (int)backlog);
    if (a == 0 && !c->space.out_known) {
        c->space = course_fresh_space(c);
        c->current = (int)(fd - c->fds);
    }
    return a;
}

/* The port that the script writes into an address; -1: it writes none. */
static int64_t call_port(const struct script_call *call)
{
    int64_t port = -1;
    if (call->arg_count > 1 && !call_member_value(&call->args[1], "sin_port", 1, &port)) {
        (void)call_member_value(&call->args[1], "sin6_port", 1, &port);
    }
    return port;
}

static answer call_connect(struct call *k)
{
    answer a;
    struct course *c = k->c;
    struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    const uint16_t port = call_port(k->call) == 0 ? 0 : c->connect_port;
    const struct packet_space before = c->space;
    const bool first = !fd->opened;
    if (first) {
        c->space = course_fresh_space(c);
        c->space.remote_port = port;
        c->space.local_port = 0; /* the stack's choice: its SYN tells it */
    }
    a = c->target->ops->connect(c->target, fd->socket, port);
    if (first && a < 0 && a != ANSWER_ERRNO(EINPROGRESS)) {
        c->space = before;
        return a;
    }
    fd->opened = true;
    c->current = (int)(fd - c->fds);
    return a;
}

static answer call_accept(struct call *k)
{
    answer a;
    struct course *c = k->c;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    a = call_fd_add(k, COURSE_TCP, c->target->ops->accept(c->target, fd->socket));
    if (a >= 0 && c->fds[c->fd_count - 1].number == a) {
        c->current = c->fd_count - 1;
    }
    return a;
}

static answer call_close(struct call *k)
{
    answer a;
    struct course_fd *fd = call_fd(k, 0, &a);
    if (fd == NULL) {
        return a;
    }
    a = fd->kind == COURSE_EPOLL ? 0 : k->c->target->ops->close(k->c->target, fd->socket);
    fd->closed = a == 0;
    return a;
}

static answer call_abort(struct call *k)
{
    answer a;
    const struct course_fd *fd = call_tcp(k, &a);
    return fd == NULL ? a : k->c->target->ops->abort(k->c->target, fd->socket);
}

static answer call_shutdown(struct call *k)
{
    answer a;
    int64_t how;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL || !call_arg(k, 1, &how)) {
        return fd == NULL ? a : CALL_ENDED;
    }
    return k->c->target->ops->shutdown(k->c->target, fd->socket, (int)how);
}

/* ---- text ---- */

/* Sends `len` octets from where an earlier try left off; what was taken in all. */
static answer call_send_octets(struct call *k, const struct course_fd *fd, const struct script_value *from, int64_t len, int flags)
{
    struct target *t = k->c->target;
    const bool text = from != NULL && from->kind == SCRIPT_STRING && from->octet_count >= len;
    for (;;) { /* ends when all is taken, or none of a chunk */
        const int64_t rest = len - *k->done;
        const size_t chunk = rest > (int64_t)CALL_CHUNK ? CALL_CHUNK : (size_t)rest;
        const uint8_t *octets = text ? (const uint8_t *)from->text + *k->done : call_zeros;
        const answer a = t->ops->send(t, fd->socket, octets, chunk, (size_t)rest > chunk ? flags | MSG_MORE : flags);
        if (a < 0) {
            return *k->done > 0 && a > ANSWER_ERRNO(4096) && !k->call->blocking ? *k->done : a;
        }
        *k->done += a;
        if (*k->done >= len) {
            return *k->done;
        }
        if ((size_t)a < chunk) {
            return k->call->blocking ? ANSWER_ERRNO(EAGAIN) : *k->done;
        }
    }
}

static answer call_recv_octets(struct call *k, const struct course_fd *fd, int64_t len, int flags)
{
    struct target *t = k->c->target;
    int64_t got = 0;
    for (;;) { /* ends when there is no more, or no room */
        const int64_t rest = len - got;
        const size_t chunk = rest > (int64_t)CALL_CHUNK ? CALL_CHUNK : (size_t)rest;
        const answer a = t->ops->recv(t, fd->socket, call_sink, chunk, flags);
        if (a < 0) {
            return got > 0 && a > ANSWER_ERRNO(4096) ? got : a;
        }
        got += a;
        if ((size_t)a < chunk || got >= len) {
            return got;
        }
    }
}

/* name(fd, buffer, length, flags): `out`, and with flags or without. */
static answer call_plain(struct call *k, bool out, bool with_flags)
{
    answer a;
    int64_t len, flags = 0;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    if (!call_arg(k, 2, &len) || (with_flags && !call_arg(k, 3, &flags))) {
        return CALL_ENDED;
    }
    if (len < 0) {
        return ANSWER_ERRNO(EINVAL);
    }
    return out ? call_send_octets(k, fd, &k->call->args[1], len, (int)flags) : call_recv_octets(k, fd, len, (int)flags);
}

static answer call_read(struct call *k)
{
    return call_plain(k, false, false);
}

static answer call_write(struct call *k)
{
    return call_plain(k, true, false);
}

static answer call_recv(struct call *k)
{
    return call_plain(k, false, true);
}

static answer call_send(struct call *k)
{
    return call_plain(k, true, true);
}

/* The octets of an iovec: [{..., 1000}, {..., 10}]; -1 ends the scenario. */
static int64_t call_iovec(const struct call *k, const struct script_value *list)
{
    int64_t sum = 0, len;
    for (int i = 0; list != NULL && list->kind == SCRIPT_LIST && i < list->item_count; i++) {
        if (!call_member_value(&list->items[i], "iov_len", 1, &len) || len < 0) {
            list = NULL;
            break;
        }
        sum += len;
    }
    if (list == NULL || list->kind != SCRIPT_LIST) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "%s: an iovec is [{..., length}, ...]", k->call->name);
        return -1;
    }
    return sum;
}

static answer call_vector(struct call *k, bool out)
{
    answer a;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    const int64_t len = call_iovec(k, k->call->arg_count > 1 ? &k->call->args[1] : NULL);
    return len < 0 ? CALL_ENDED : out ? call_send_octets(k, fd, NULL, len, 0) : call_recv_octets(k, fd, len, 0);
}

static answer call_readv(struct call *k)
{
    return call_vector(k, false);
}

static answer call_writev(struct call *k)
{
    return call_vector(k, true);
}

static answer call_message(struct call *k, bool out)
{
    answer a;
    int64_t flags = 0;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL || !call_arg(k, 2, &flags)) {
        return fd == NULL ? a : CALL_ENDED;
    }
    const struct script_value *control = call_member(&k->call->args[1], "msg_control", -1);
    if (control != NULL && control->kind != SCRIPT_ELLIPSIS && control->item_count > 0) {
        course_end(k->c, OUTCOME_UNSUPPORTED, k->event, "%s: msg_control", k->call->name);
        return CALL_ENDED;
    }
    const int64_t len = call_iovec(k, call_member(&k->call->args[1], "msg_iov", -1));
    return len < 0 ? CALL_ENDED
           : out ? call_send_octets(k, fd, NULL, len, (int)flags) : call_recv_octets(k, fd, len, (int)flags);
}

static answer call_sendmsg(struct call *k)
{
    return call_message(k, true);
}

static answer call_recvmsg(struct call *k)
{
    return call_message(k, false);
}

/* ---- control ---- */

static answer call_fcntl(struct call *k)
{
    answer a;
    int64_t command, flags = 0;
    struct course_fd *fd = call_fd(k, 0, &a);
    if (fd == NULL || !call_arg(k, 1, &command)) {
        return fd == NULL ? a : CALL_ENDED;
    }
    if (command == F_GETFL) {
        return O_RDWR | (fd->nonblock ? O_NONBLOCK : 0);
    }
    if (command != F_SETFL) {
        return command == F_SETFD || command == F_GETFD ? 0 : CALL_UNSUPPORTED;
    }
    if (!call_arg(k, 2, &flags)) {
        return CALL_ENDED;
    }
    fd->nonblock = (flags & O_NONBLOCK) != 0;
    return 0;
}

/* A value that a call has put into [ ]: as expected, or the scenario ends. */
static answer call_expect(struct call *k, int i, int64_t seen, const char *what)
{
    int64_t expected;
    if (i >= k->call->arg_count || k->call->args[i].kind == SCRIPT_ELLIPSIS) {
        return 0;
    }
    if (!call_arg(k, i, &expected)) {
        return CALL_ENDED;
    }
    if (expected != seen) {
        course_end(k->c, OUTCOME_FAIL, k->event, "%s: %s is %lld, expected %lld", k->call->name, what, (long long)seen,
                   (long long)expected);
        return CALL_ENDED;
    }
    return 0;
}

static answer call_ioctl(struct call *k)
{
    answer a;
    int64_t request;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL || !call_arg(k, 1, &request)) {
        return fd == NULL ? a : CALL_ENDED;
    }
    if (request != FIONREAD && request != SIOCOUTQ) {
        return CALL_UNSUPPORTED;
    }
    a = k->c->target->ops->queued(k->c->target, fd->socket, request == SIOCOUTQ);
    return a < 0 ? a : call_expect(k, 2, a, request == SIOCOUTQ ? "SIOCOUTQ" : "SIOCINQ");
}

static const char *call_symbol(const struct call *k, int i)
{
    return i < k->call->arg_count && k->call->args[i].kind == SCRIPT_SYMBOL ? k->call->args[i].text : "?";
}

/* The value of an option: [n], or a struct linger: -1 when it is off, else the time. */
static bool call_option_value(const struct call *k, const char *name, int64_t scale, int64_t *value)
{
    int64_t on, time;
    if (strcmp(name, "linger") != 0) {
        if (!call_arg(k, 3, value)) {
            return false;
        }
        *value = scale < 0 ? *value / -scale : *value * scale;
        return true;
    }
    if (k->call->arg_count < 4 || !call_member_value(&k->call->args[3], "onoff", 0, &on) ||
        !call_member_value(&k->call->args[3], "linger", 1, &time)) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "%s: a linger is {onoff=1, linger=0}", k->call->name);
        return false;
    }
    *value = on ? time * 1000000 : -1; /* seconds */
    return true;
}

static void call_remember(struct course_fd *fd, const char *name, int64_t value)
{
    int i = 0;
    while (i < fd->option_count && strcmp(fd->options[i].name, name) != 0) {
        i++;
    }
    if (i < COURSE_OPTIONS_MAX) {
        fd->options[i].name = name;
        fd->options[i].value = value;
        fd->option_count += i == fd->option_count;
    }
}

static answer call_option_unsupported(struct call *k)
{
    course_end(k->c, OUTCOME_UNSUPPORTED, k->event, "%s %s %s", k->call->name, call_symbol(k, 1), call_symbol(k, 2));
    return CALL_ENDED;
}

static answer call_setsockopt(struct call *k)
{
    answer a;
    int64_t scale = 1, value;
    struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    const char *name = settings_socket_option(call_symbol(k, 1), call_symbol(k, 2), &scale);
    if (name == NULL) {
        return call_option_unsupported(k);
    }
    if (!call_option_value(k, name, scale, &value)) {
        return CALL_ENDED;
    }
    a = k->c->target->ops->option == NULL ? ANSWER_UNIMPLEMENTED
                                          : k->c->target->ops->option(k->c->target, fd->socket, name, value);
    if (a == ANSWER_UNIMPLEMENTED) {
        return call_option_unsupported(k);
    }
    if (a == 0) {
        call_remember(fd, name, scale < 0 ? value * -scale : value / scale); /* as the script wrote it */
    }
    return a;
}

/* SO_ERROR and the MSS are facts; other options are what was set. */
static answer call_getsockopt(struct call *k)
{
    answer a;
    int64_t scale = 1;
    struct target_info info;
    struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    const char *wanted = call_symbol(k, 2);
    if (strcmp(wanted, "SO_ERROR") == 0) {
        a = k->c->target->ops->error(k->c->target, fd->socket);
        return a < 0 ? a : call_expect(k, 3, a, wanted);
    }
    if (strcmp(wanted, "TCP_MAXSEG") == 0 && k->c->target->ops->info != NULL) {
        a = k->c->target->ops->info(k->c->target, fd->socket, &info);
        return a < 0 ? a : call_expect(k, 3, info.snd_mss, wanted);
    }
    const char *name = settings_socket_option(call_symbol(k, 1), wanted, &scale);
    for (int i = 0; name != NULL && i < fd->option_count; i++) {
        if (strcmp(fd->options[i].name, name) == 0) {
            return call_expect(k, 3, fd->options[i].value, wanted);
        }
    }
    return call_option_unsupported(k);
}

/* ---- waiting for many ---- */

/* What would be reported for a socket now, of what is asked for. */
static answer call_bits(struct call *k, int number, int64_t events)
{
    const struct course_fd *fd = course_fd_find(k->c, number);
    if (fd == NULL || fd->closed || fd->kind != COURSE_TCP) {
        return POLLNVAL;
    }
    const answer bits = k->c->target->ops->ready(k->c->target, fd->socket);
    const answer extra = (bits & POLLIN ? POLLRDNORM : 0) | (bits & POLLOUT ? POLLWRNORM : 0);
    return bits < 0 ? bits : (bits | extra) & (events | POLLERR | POLLHUP | POLLNVAL);
}

/* Has a call that waits `timeout` milliseconds, -1 for ever, waited enough? One that is not written as blocking does not wait. */
static bool call_waited(const struct call *k, int64_t timeout)
{
    k->c->blocked.wake = timeout < 0 ? -1 : k->c->blocked.began + timeout * 1000;
    return !k->call->blocking || (timeout >= 0 && course_now(k->c) >= k->c->blocked.wake);
}

static bool call_poll_entry(struct call *k, const struct script_value *entry, int64_t *fd, int64_t *events, int64_t *revents)
{
    *revents = -1;
    if (!call_member_value(entry, "fd", 0, fd) || !call_member_value(entry, "events", 1, events)) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "poll: an entry is {fd=4, events=POLLIN, revents=POLLIN}");
        return false;
    }
    const struct script_value *r = call_member(entry, "revents", 2);
    return r == NULL || r->kind == SCRIPT_ELLIPSIS || call_value(r, revents);
}

static answer call_poll(struct call *k)
{
    int64_t timeout, fd, events, revents, ready = 0;
    if (!call_arg(k, 2, &timeout)) {
        return CALL_ENDED;
    }
    const struct script_value *list = &k->call->args[0];
    for (int pass = 0; pass < 2; pass++) { /* counted first: while it waits nothing is compared */
        for (int i = 0; i < list->item_count; i++) {
            if (!call_poll_entry(k, &list->items[i], &fd, &events, &revents)) {
                return CALL_ENDED;
            }
            const answer bits = call_bits(k, (int)fd, events);
            if (bits < 0) {
                return bits;
            }
            ready += pass == 0 && bits != 0;
            if (pass == 1 && revents >= 0 && bits != revents) {
                course_end(k->c, OUTCOME_FAIL, k->event, "poll: revents of %lld are 0x%llx, expected 0x%llx", (long long)fd,
                           (unsigned long long)bits, (unsigned long long)revents);
                return CALL_ENDED;
            }
        }
        if (ready == 0 && !call_waited(k, timeout)) {
            return ANSWER_ERRNO(EAGAIN);
        }
    }
    return ready;
}

static answer call_epoll_create(struct call *k)
{
    return call_fd_add(k, COURSE_EPOLL, 0);
}

static struct course_fd *call_epoll(struct call *k, answer *a)
{
    struct course_fd *fd = call_fd(k, 0, a);
    if (fd != NULL && fd->kind != COURSE_EPOLL) {
        *a = ANSWER_ERRNO(EINVAL);
        return NULL;
    }
    return fd;
}

static answer call_epoll_change(struct call *k, struct course_fd *fd, int64_t command, int64_t number)
{
    int64_t events = 0, data = number;
    int i = 0;
    while (i < fd->watch_count && fd->watches[i].fd != number) {
        i++;
    }
    const bool there = i < fd->watch_count;
    if (there == (command == EPOLL_CTL_ADD)) {
        return ANSWER_ERRNO(there ? EEXIST : ENOENT);
    }
    if (command == EPOLL_CTL_DEL) {
        fd->watches[i] = fd->watches[--fd->watch_count];
        return 0;
    }
    const struct script_value *event = k->call->arg_count > 3 ? &k->call->args[3] : NULL;
    if (event == NULL || !call_member_value(event, "events", 0, &events) || i == COURSE_WATCHES_MAX) {
        course_end(k->c, OUTCOME_BROKEN, k->event, "epoll_ctl: an event is {events=EPOLLIN, fd=4}");
        return CALL_ENDED;
    }
    if (events & (int64_t)((uint32_t)EPOLLET | (uint32_t)EPOLLONESHOT)) {
        course_end(k->c, OUTCOME_UNSUPPORTED, k->event, "epoll_ctl: EPOLLET, EPOLLONESHOT");
        return CALL_ENDED;
    }
    (void)(call_member_value(event, "fd", 1, &data) || call_member_value(event, "u64", 1, &data) ||
           call_member_value(event, "u32", 1, &data) || call_member_value(event, "ptr", 1, &data));
    fd->watches[i].fd = (int)number;
    fd->watches[i].events = events;
    fd->watches[i].data = data;
    fd->watch_count += !there;
    return 0;
}

static answer call_epoll_ctl(struct call *k)
{
    answer a;
    int64_t command, number;
    struct course_fd *fd = call_epoll(k, &a);
    if (fd == NULL) {
        return a;
    }
    return call_arg(k, 1, &command) && call_arg(k, 2, &number) ? call_epoll_change(k, fd, command, number) : CALL_ENDED;
}

/* An event that was found, against the next one that the script lists. */
static bool call_epoll_listed(struct call *k, const struct course_watch *watch, answer bits, int64_t place)
{
    int64_t events = -1, data = -1;
    const struct script_value *v = k->call->arg_count > 1 ? &k->call->args[1] : NULL;
    if (v != NULL && v->kind == SCRIPT_LIST) {
        v = place < v->item_count ? &v->items[place] : NULL;
    } else if (place > 0) {
        v = NULL;
    }
    if (v == NULL || v->kind != SCRIPT_STRUCT) {
        return true;
    }
    (void)call_member_value(v, "events", 0, &events);
    (void)(call_member_value(v, "fd", 1, &data) || call_member_value(v, "u64", 1, &data) || call_member_value(v, "u32", 1, &data) ||
           call_member_value(v, "ptr", 1, &data));
    if ((events >= 0 && events != bits) || (data >= 0 && data != watch->data)) {
        course_end(k->c, OUTCOME_FAIL, k->event, "epoll_wait: events 0x%llx of %lld, expected 0x%llx of %lld", (unsigned long long)bits,
                   (long long)watch->data, (unsigned long long)events, (long long)data);
        return false;
    }
    return true;
}

static answer call_epoll_wait(struct call *k)
{
    answer a;
    int64_t most, timeout, ready = 0;
    const struct course_fd *fd = call_epoll(k, &a);
    if (fd == NULL) {
        return a;
    }
    if (!call_arg(k, 2, &most) || !call_arg(k, 3, &timeout)) {
        return CALL_ENDED;
    }
    for (int i = 0; i < fd->watch_count && ready < most; i++) {
        const answer bits = call_bits(k, fd->watches[i].fd, fd->watches[i].events);
        if (bits < 0) {
            return bits;
        }
        if (bits != 0 && !call_epoll_listed(k, &fd->watches[i], bits, ready)) {
            return CALL_ENDED;
        }
        ready += bits != 0;
    }
    return ready == 0 && !call_waited(k, timeout) ? ANSWER_ERRNO(EAGAIN) : ready;
}

/* ---- calls beyond sockets ---- */

/* STATUS, also of a socket that was closed: what is left of its connection. */
static answer call_status(struct call *k)
{
    answer a;
    struct target_info info;
    const struct script_value *result = &k->call->result;
    struct course_fd *fd = call_fd(k, 0, &a);
    int64_t number = 0;
    if (a == CALL_ENDED || (fd == NULL && !call_arg(k, 0, &number))) {
        return CALL_ENDED;
    }
    fd = fd == NULL ? course_fd_find(k->c, (int)number) : fd;
    if (fd == NULL || k->c->target->ops->info == NULL) {
        return fd == NULL ? a : CALL_UNSUPPORTED;
    }
    a = k->c->target->ops->info(k->c->target, fd->socket, &info);
    if (a < 0 || result->kind != SCRIPT_STRING) {
        return a;
    }
    if (info.state == NULL) {
        return CALL_UNSUPPORTED;
    }
    if (strcmp(info.state, result->text) != 0) {
        course_end(k->c, OUTCOME_FAIL, k->event, "status is %s, expected %s", info.state, result->text);
        return CALL_ENDED;
    }
    return 0;
}

static answer call_unread(struct call *k)
{
    answer a;
    const struct course_fd *fd = call_tcp(k, &a);
    return fd == NULL ? a : k->c->target->ops->queued(k->c->target, fd->socket, false);
}

static answer call_unacked(struct call *k)
{
    answer a;
    const struct course_fd *fd = call_tcp(k, &a);
    return fd == NULL ? a : k->c->target->ops->queued(k->c->target, fd->socket, true);
}

/* Those that only a target knows, by name. */
static answer call_other(struct call *k)
{
    answer a;
    const struct course_fd *fd = call_tcp(k, &a);
    if (fd == NULL) {
        return a;
    }
    const char *word = k->call->arg_count > 1 && k->call->args[1].kind == SCRIPT_STRING ? k->call->args[1].text : NULL;
    const struct target_ops *ops = k->c->target->ops;
    return ops->call == NULL ? ANSWER_UNIMPLEMENTED : ops->call(k->c->target, fd->socket, k->call->name, word);
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    answer (*make)(struct call *k);
} call_table[] = {
    {"socket", call_socket}, {"bind", call_bind}, {"listen", call_listen}, {"connect", call_connect}, {"accept", call_accept},
    {"read", call_read}, {"write", call_write}, {"readv", call_readv}, {"writev", call_writev}, {"recv", call_recv}, {"send", call_send},
    {"recvfrom", call_recv}, {"sendto", call_send}, {"recvmsg", call_recvmsg}, {"sendmsg", call_sendmsg}, {"close", call_close},
    {"shutdown", call_shutdown}, {"fcntl", call_fcntl}, {"ioctl", call_ioctl}, {"getsockopt", call_getsockopt},
    {"setsockopt", call_setsockopt}, {"poll", call_poll}, {"epoll_create", call_epoll_create}, {"epoll_ctl", call_epoll_ctl},
    {"epoll_wait", call_epoll_wait}, {"abort", call_abort}, {"status", call_status}, {"unread", call_unread}, {"unacked", call_unacked},
    {"urgent", call_other}, {"hold", call_other}, {"admit", call_other}, {"remote", call_other}, {"unnamed", call_other},
    {"timeout", call_other}};

static answer call_make(struct call *k)
{
    for (size_t i = 0; i < sizeof call_table / sizeof call_table[0]; i++) {
        if (strcmp(call_table[i].name, k->call->name) == 0) {
            return call_table[i].make(k);
        }
    }
    return CALL_UNSUPPORTED;
}

static void call_print(answer a, char *text, size_t cap)
{
    const char *name = a < 0 ? line_errno_name((int)-a) : NULL;
    if (a >= 0) {
        (void)snprintf(text, cap, "%lld", (long long)a);
    } else {
        (void)snprintf(text, cap, "-1 %s", name == NULL ? "with an error that has no name" : name);
    }
}

/* The answer against what the script says behind "=". */
static void call_judge(struct course *c, const struct script_event *event, answer a)
{
    const struct script_call *call = event->call;
    const struct script_value *result = &call->result;
    char text[64];
    int64_t expected;
    if (result->kind == SCRIPT_ELLIPSIS || (result->kind == SCRIPT_STRING && a >= 0)) {
        return;
    }
    call_print(a, text, sizeof text);
    if (call->error != NULL) {
        const int error = line_errno(call->error);
        if (error <= 0) {
            course_end(c, OUTCOME_BROKEN, event, "%s: there is no error %s", call->name, call->error);
        } else if (a != ANSWER_ERRNO(error)) {
            course_end(c, OUTCOME_FAIL, event, "%s gave %s, expected -1 %s", call->name, text, call->error);
        }
        return;
    }
    if (result->kind == SCRIPT_STRING || !call_value(result, &expected)) {
        course_end(c, result->kind == SCRIPT_STRING ? OUTCOME_FAIL : OUTCOME_BROKEN, event, "%s gave %s, expected %s", call->name, text,
                   call_value_text(result));
    } else if (expected < 0 ? a >= 0 : a != expected) {
        course_end(c, OUTCOME_FAIL, event, "%s gave %s, expected %lld", call->name, text, (long long)expected);
    }
}

static bool call_would_block(answer a)
{
    return a == ANSWER_ERRNO(EAGAIN) || a == ANSWER_ERRNO(EINPROGRESS) || a == ANSWER_ERRNO(EALREADY);
}

/* It has an answer: judged, recorded, and what it made the stack do is taken. */
static void call_over(struct course *c, const struct script_event *event, answer a)
{
    if (c->ended || course_fatal(c, event, a)) {
        return;
    }
    if (a == CALL_UNSUPPORTED) {
        course_end(c, OUTCOME_UNSUPPORTED, event, "call %s", event->call->name);
        return;
    }
    course_settle(c, event);
    record_call(c, event, a, false);
    call_judge(c, event, a);
}

static answer call_try(struct course *c, const struct script_event *event, int64_t *done)
{
    struct call k = {c, event, event->call, done};
    const answer a = call_make(&k);
    return c->ended ? CALL_ENDED : a;
}

static void call_check_end(struct course *c, const struct script_event *event)
{
    const int64_t last = c->last;
    if (event->call->blocking && !c->ended) {
        c->last = c->blocked.base;
        (void)course_on_time(c, event, &event->call->end, course_now(c), "the end of this call");
        c->last = last;
    }
}

void course_call(struct course *c, const struct script_event *event, int64_t base)
{
    int64_t done = 0;
    c->out->calls++;
    c->blocked.base = base;
    c->blocked.began = course_now(c);
    c->blocked.wake = -1;
    const answer a = call_try(c, event, &done);
    if (a == CALL_ENDED) {
        record_call(c, event, 0, true);
        return;
    }
    if (event->call->blocking && call_would_block(a)) {
        c->blocked.event = event;
        c->blocked.done = done;
        course_settle(c, event);
        record_call(c, event, a, true);
        return;
    }
    call_over(c, event, a);
    call_check_end(c, event);
}

void course_retry(struct course *c)
{
    const struct script_event *event = c->blocked.event;
    if (event == NULL || c->ended) {
        return;
    }
    const answer a = call_try(c, event, &c->blocked.done);
    if (call_would_block(a) || a == CALL_ENDED) {
        course_settle(c, event);
        return;
    }
    c->blocked.event = NULL;
    call_over(c, event, a);
    call_check_end(c, event);
}
