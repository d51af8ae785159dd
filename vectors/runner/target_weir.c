/* target_weir.c - weir's stack in this process, in virtual time. Knows sockets over handles; no script. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "inside.h"
#include "stack/room.h"

#define SOCKETS_MAX 64
#define WAITING_MAX 16 /* connections that nobody has accepted: as many as the stack carries */

enum socket_kind { SOCKET_FRESH, SOCKET_LISTENER, SOCKET_CONN, SOCKET_GONE };
struct socket {
    enum socket_kind kind;
    weir_handle handle;  /* of a listener or a connection; kept when the user has gone, for STATUS */
    weir_tuple tuple;    /* of a connection: it may live on in a record of TIME-WAIT */
    uint16_t port;
    uint32_t backlog;
    bool hold;
    struct inside_user user;
};
struct waiting {
    weir_handle listener, conn;
};
struct target_weir {
    struct target target;
    struct target_world world;
    struct inside_config config;
    weir_stack *stack;   /* NULL: settings may still come */
    void *memory;
    size_t size;
    int64_t now;         /* since reset */
    weir_us base;        /* what the stack's clock says besides */
    bool iss_done;
    struct socket sockets[SOCKETS_MAX];
    int socket_count;
    struct waiting waiting[WAITING_MAX];
    int waiting_count;
    weir_handle current; /* the connection that something happened to last */
    weir_tuple current_tuple;
    bool listening;
    char why[200];
};

static struct target_weir *weir_of(struct target *t)
{
    return (struct target_weir *)(void *)t;
}

static weir_us weir_now(const struct target_weir *w)
{
    return w->base + (weir_us)w->now;
}

/* ---- life ---- */

static bool weir_reset(struct target *t, const struct target_world *world)
{
    struct target_weir *w = weir_of(t);
    w->world = *world;
    inside_config_init(&w->config, world);
    inside_rows_forget();
    w->stack = NULL;
    w->now = 0;
    w->base = INSIDE_EPOCH;
    w->iss_done = false;
    w->socket_count = w->waiting_count = 0;
    w->current = 0;
    w->listening = false;
    memset(&w->current_tuple, 0, sizeof w->current_tuple);
    return true;
}

static answer weir_set(struct target *t, const char *name, const char *value)
{
    struct target_weir *w = weir_of(t);
    return w->stack != NULL ? ANSWER_UNIMPLEMENTED : inside_config_set(&w->config, name, value);
}

/* The stack is built with the first call that needs one; its memory is kept for the next and never cleared. */
static bool weir_build(struct target_weir *w)
{
    weir_err err;
    if (w->stack != NULL) {
        return true;
    }
    const size_t size = weir_stack_size(&w->config.stack);
    if (size > w->size) {
        free(w->memory);
        w->memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
        w->size = w->memory == NULL ? 0 : size;
    }
    w->stack = w->memory == NULL || size == 0 ? NULL : weir_stack_init(w->memory, w->size, &w->config.stack, weir_now(w), &err);
    if (w->stack == NULL) {
        (void)snprintf(w->why, sizeof w->why, "no stack of %zu octets could be built", size);
    }
    return w->stack != NULL;
}

/* New connections wait to be accepted. Nothing else is wanted: sockets are looked at when they are asked for. */
static void weir_collect(struct target_weir *w)
{
    weir_ready r;
    while (weir_stack_ready(w->stack, &r)) { /* each once: nobody is shown again that is wanted for nothing */
        (void)weir_stack_want(w->stack, r.conn, 0);
        if (r.tag == 0 && r.listener != 0 && w->waiting_count < WAITING_MAX) {
            w->waiting[w->waiting_count].listener = r.listener;
            w->waiting[w->waiting_count++].conn = r.conn;
        }
        (void)weir_stack_set_tag(w->stack, r.conn, 1);
    }
}

static void weir_look_at(struct target_weir *w, weir_handle conn)
{
    const weir_conn *c = conn == 0 ? NULL : weir_stack_peek(w->stack, conn);
    if (c != NULL) {
        w->current = conn;
        w->current_tuple = *weir_sockets(c);
    }
}

/* After every operation: `result`, unless an invariant of the stack is broken. */
static answer weir_done(struct target_weir *w, answer result)
{
    if (w->stack == NULL) {
        return result;
    }
    weir_collect(w);
    const char *broken = weir_stack_check(w->stack);
    if (broken != NULL) {
        (void)snprintf(w->why, sizeof w->why, "an invariant of weir does not hold: %s", broken);
        return ANSWER_WRONG;
    }
    return result;
}

/* RFC 6528: the ISS comes from the clock. The clock of a stack without a connection may jump, so that the first one gets what was set. */
static void weir_choose_iss(struct target_weir *w, const weir_tuple *tuple)
{
    if (w->config.iss_set && !w->iss_done) {
        w->base += inside_iss_delay(&w->config, tuple, weir_now(w));
        w->iss_done = true;
    }
}

/* ---- sockets ---- */

static struct socket *weir_socket(struct target_weir *w, int socket)
{
    return socket >= 0 && socket < w->socket_count ? &w->sockets[socket] : NULL;
}

/* The connection of a socket, NULL if it has none that the user still holds. */
static weir_conn *weir_conn_of(struct target_weir *w, const struct socket *s)
{
    if (s == NULL || s->kind != SOCKET_CONN) {
        return NULL;
    }
    weir_look_at(w, s->handle);
    return weir_stack_conn(w->stack, s->handle);
}

static int weir_socket_add(struct target_weir *w, enum socket_kind kind)
{
    if (w->socket_count == SOCKETS_MAX) {
        return -1;
    }
    struct socket *s = &w->sockets[w->socket_count];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    inside_user_init(&s->user);
    return w->socket_count++;
}

static answer weir_socket_new(struct target *t)
{
    struct target_weir *w = weir_of(t);
    const int socket = weir_socket_add(w, SOCKET_FRESH);
    return socket < 0 ? ANSWER_ERRNO(EMFILE) : socket;
}

static answer weir_listen_at(struct target_weir *w, struct socket *s)
{
    weir_listen_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.port = s->port;
    spec.backlog = s->backlog;
    spec.hold = s->hold;
    const weir_err err = weir_stack_listen(w->stack, &spec, &s->handle);
    if (err == WEIR_ERR_EXISTS) {
        return ANSWER_ERRNO(EADDRINUSE);
    }
    if (err != WEIR_ERR_NONE) {
        return inside_errno(err);
    }
    s->kind = SOCKET_LISTENER;
    w->listening = true;
    return 0;
}

static answer weir_listen_call(struct target *t, int socket, uint16_t port, int backlog)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    if (!weir_build(w)) {
        return ANSWER_DEAD;
    }
    if (s == NULL) {
        return ANSWER_ERRNO(EBADF);
    }
    if (s->kind == SOCKET_LISTENER) { /* a second listen only changes the backlog, which weir cannot */
        return s->port == port ? 0 : ANSWER_ERRNO(EINVAL);
    }
    if (s->kind != SOCKET_FRESH) {
        return ANSWER_ERRNO(EISCONN);
    }
    s->port = port;
    s->backlog = w->config.backlog > 0 ? w->config.backlog : backlog > 0 ? (uint32_t)backlog : 1;
    return weir_done(w, weir_listen_at(w, s));
}

/* How a connect that was begun has gone. */
static answer weir_connect_again(struct target_weir *w, struct socket *s)
{
    const weir_conn *c = weir_conn_of(w, s);
    if (c == NULL) {
        return ANSWER_ERRNO(ENOTCONN);
    }
    const unsigned events = weir_events(c);
    if (events & WEIR_EV_CONNECTED) {
        const bool told = s->user.told_connected;
        s->user.told_connected = true;
        return told ? ANSWER_ERRNO(EISCONN) : 0;
    }
    if (events & WEIR_EV_CLOSED) {
        const answer error = inside_error(&s->user, c);
        return error > 0 ? -error : ANSWER_ERRNO(ENOTCONN);
    }
    return ANSWER_ERRNO(EALREADY);
}

static answer weir_connect_first(struct target_weir *w, struct socket *s, uint16_t port)
{
    weir_tuple tuple;
    memset(&tuple, 0, sizeof tuple);
    tuple.remote = inside_addr(&w->world, w->world.remote);
    tuple.remote_port = port;
    if (w->config.iss_set && !w->iss_done) { /* the ISS depends on the port too */
        tuple.local = w->config.stack.addrs[0];
        tuple.local_port = w->config.stack.port_first;
        weir_choose_iss(w, &tuple);
    }
    const weir_err err = weir_stack_connect(w->stack, &tuple, &s->handle, weir_now(w));
    if (err != WEIR_ERR_NONE) {
        return inside_errno(err);
    }
    s->kind = SOCKET_CONN;
    weir_conn *c = weir_conn_of(w, s);
    s->tuple = *weir_sockets(c);
    inside_apply(&s->user, c, weir_now(w));
    return ANSWER_ERRNO(EINPROGRESS);
}

static answer weir_connect_call(struct target *t, int socket, uint16_t port)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    if (!weir_build(w)) {
        return ANSWER_DEAD;
    }
    if (s == NULL) {
        return ANSWER_ERRNO(EBADF);
    }
    if (s->kind == SOCKET_CONN) {
        return weir_done(w, weir_connect_again(w, s));
    }
    return weir_done(w, s->kind == SOCKET_FRESH ? weir_connect_first(w, s, port) : ANSWER_ERRNO(EISCONN));
}

static answer weir_accept(struct target *t, int socket)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    if (s == NULL || s->kind != SOCKET_LISTENER) {
        return ANSWER_ERRNO(s == NULL ? EBADF : EINVAL);
    }
    for (int i = 0; i < w->waiting_count; i++) {
        if (w->waiting[i].listener != s->handle) {
            continue;
        }
        const int new_one = weir_socket_add(w, SOCKET_CONN);
        if (new_one < 0) {
            return ANSWER_ERRNO(EMFILE);
        }
        struct socket *n = &w->sockets[new_one];
        n->handle = w->waiting[i].conn;
        n->user = s->user; /* options of the listener are its connections' too */
        n->user.told_connected = true;
        memmove(&w->waiting[i], &w->waiting[i + 1], (size_t)(--w->waiting_count - i) * sizeof w->waiting[0]);
        weir_conn *c = weir_conn_of(w, n);
        if (c != NULL) {
            n->tuple = *weir_sockets(c);
            inside_apply(&n->user, c, weir_now(w));
        }
        return weir_done(w, new_one);
    }
    return ANSWER_ERRNO(EAGAIN);
}

static answer weir_send_call(struct target *t, int socket, const uint8_t *octets, size_t len, int flags)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    weir_conn *c = weir_conn_of(w, s);
    const weir_slice slice = {octets, len};
    return c == NULL ? ANSWER_ERRNO(s == NULL ? EBADF : ENOTCONN) : weir_done(w, inside_send(&s->user, c, weir_now(w), slice, flags));
}

static answer weir_recv_call(struct target *t, int socket, uint8_t *octets, size_t cap, int flags)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    weir_conn *c = weir_conn_of(w, s);
    const weir_slice room = {octets, cap};
    return c == NULL ? ANSWER_ERRNO(s == NULL ? EBADF : ENOTCONN) : weir_done(w, inside_recv(&s->user, c, weir_now(w), room, flags));
}

static answer weir_shutdown(struct target *t, int socket, int how)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    weir_conn *c = weir_conn_of(w, s);
    return c == NULL ? ANSWER_ERRNO(s == NULL ? EBADF : ENOTCONN) : weir_done(w, inside_shutdown(&s->user, c, weir_now(w), how));
}

/* Connections that nobody accepted go with their listener. */
static void weir_unlisten(struct target_weir *w, weir_handle listener)
{
    int kept = 0;
    (void)weir_stack_unlisten(w->stack, listener, weir_now(w));
    for (int i = 0; i < w->waiting_count; i++) {
        if (w->waiting[i].listener == listener) {
            (void)weir_stack_release(w->stack, w->waiting[i].conn, 0, weir_now(w));
        } else {
            w->waiting[kept++] = w->waiting[i];
        }
    }
    w->waiting_count = kept;
}

static answer weir_close_call(struct target *t, int socket)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    if (s == NULL || s->kind == SOCKET_GONE) {
        return ANSWER_ERRNO(EBADF);
    }
    if (s->kind == SOCKET_LISTENER) {
        weir_unlisten(w, s->handle);
        s->handle = 0;
        w->listening = false;
    } else if (s->kind == SOCKET_CONN) {
        weir_look_at(w, s->handle);
        (void)weir_stack_release(w->stack, s->handle, s->user.linger < 0 ? WEIR_FOREVER : (weir_us)s->user.linger, weir_now(w));
    }
    s->kind = SOCKET_GONE;
    return weir_done(w, 0);
}

static answer weir_abort_call(struct target *t, int socket)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    weir_conn *c = weir_conn_of(w, s);
    if (c == NULL) {
        return s == NULL ? ANSWER_ERRNO(EBADF) : s->kind == SOCKET_LISTENER ? weir_close_call(t, socket) : ANSWER_ERRNO(ENOTCONN);
    }
    const weir_err err = weir_abort(c, weir_now(w));
    s->user.told_error = s->user.told_error || err == WEIR_ERR_NONE; /* who aborted knows it */
    return weir_done(w, err == WEIR_ERR_NONE ? 0 : inside_errno(err));
}

/* Options that weir has for a whole stack: before it is built, or, of keepalive, while it is off. */
static answer weir_option_of_all(struct target_weir *w, const char *name, int64_t value)
{
    char text[24];
    const bool mss = strcmp(name, "mss") == 0;
    const bool keepalive = strncmp(name, "keepalive-", 10) == 0;
    if (value < 0) {
        return ANSWER_ERRNO(EINVAL);
    }
    if (!mss && !keepalive && strcmp(name, "receive-buffer") != 0 && strcmp(name, "send-buffer") != 0) {
        return ANSWER_UNIMPLEMENTED;
    }
    if (w->stack != NULL && !keepalive) { /* a send ring has its size: less is asked for than there is */
        return strcmp(name, "send-buffer") == 0 && value <= w->config.stack.rings.tx ? 0 : ANSWER_UNIMPLEMENTED;
    }
    (void)snprintf(text, sizeof text, "%lld", (long long)(mss ? value + (w->world.v6 ? 60 : 40) : value));
    const answer a = inside_config_set(&w->config, mss ? "mtu" : name, text);
    if (a == 0 && w->stack != NULL) {
        w->stack->cfg.tcp = w->config.stack.tcp;
    }
    return a == 0 || keepalive ? a : ANSWER_UNIMPLEMENTED; /* an MSS below what an MTU may be */
}

static answer weir_option(struct target *t, int socket, const char *name, int64_t value)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    if (s == NULL) {
        return ANSWER_ERRNO(EBADF);
    }
    weir_conn *c = w->stack == NULL ? NULL : weir_conn_of(w, s);
    const answer a = inside_option(&s->user, c, weir_now(w), name, value);
    return weir_done(w, a == ANSWER_UNIMPLEMENTED ? weir_option_of_all(w, name, value) : a);
}

static answer weir_ready_call(struct target *t, int socket)
{
    struct target_weir *w = weir_of(t);
    const struct socket *s = weir_socket(w, socket);
    if (s == NULL || s->kind == SOCKET_GONE) {
        return POLLNVAL;
    }
    if (s->kind == SOCKET_FRESH) {
        return POLLOUT | POLLHUP;
    }
    for (int i = 0; i < w->waiting_count; i++) {
        if (s->kind == SOCKET_LISTENER && w->waiting[i].listener == s->handle) {
            return POLLIN;
        }
    }
    const weir_conn *c = s->kind == SOCKET_CONN ? weir_stack_peek(w->stack, s->handle) : NULL;
    return c == NULL ? 0 : inside_ready(&s->user, c);
}

static answer weir_error_call(struct target *t, int socket)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    const weir_conn *c = weir_conn_of(w, s);
    return s == NULL ? ANSWER_ERRNO(EBADF) : c == NULL ? 0 : inside_error(&s->user, c);
}

static answer weir_queued(struct target *t, int socket, bool sent)
{
    struct target_weir *w = weir_of(t);
    const struct socket *s = weir_socket(w, socket);
    const weir_conn *c = weir_conn_of(w, s);
    return c == NULL ? ANSWER_ERRNO(s == NULL ? EBADF : EINVAL) : inside_queued(c, sent);
}

/* What became of a connection that has no record of its own any more. */
static const char *weir_gone_state(const struct target_weir *w, const weir_tuple *tuple)
{
    const uint32_t i = weiri_demux_find(w->stack, tuple);
    return i != WEIRI_NONE && i >= w->stack->cfg.connections_max ? "TIME-WAIT" : "CLOSED";
}

static answer weir_info_call(struct target *t, int socket, struct target_info *info)
{
    struct target_weir *w = weir_of(t);
    const struct socket *s = weir_socket(w, socket);
    if (s == NULL) {
        return ANSWER_ERRNO(EBADF);
    }
    const weir_conn *c = s->handle == 0 || s->kind == SOCKET_LISTENER ? NULL : weir_stack_peek(w->stack, s->handle);
    if (c != NULL) {
        inside_info(c, info);
        return 0;
    }
    memset(info, -1, sizeof *info);
    info->state = s->kind == SOCKET_LISTENER ? "LISTEN" : s->handle == 0 ? "CLOSED" : weir_gone_state(w, &s->tuple);
    return 0;
}

static answer weir_hold_call(struct target_weir *w, struct socket *s)
{
    s->hold = true;
    if (s->kind == SOCKET_LISTENER) {
        weir_unlisten(w, s->handle);
        return weir_listen_at(w, s);
    }
    return s->kind == SOCKET_FRESH ? 0 : ANSWER_ERRNO(EISCONN);
}

static answer weir_call(struct target *t, int socket, const char *name, const char *word)
{
    struct target_weir *w = weir_of(t);
    struct socket *s = weir_socket(w, socket);
    (void)word;
    if (s == NULL) {
        return ANSWER_ERRNO(EBADF);
    }
    if (strcmp(name, "hold") == 0) {
        return weir_done(w, weir_hold_call(w, s));
    }
    weir_conn *c = weir_conn_of(w, s);
    if (strcmp(name, "admit") == 0) {
        const weir_err err = c == NULL ? WEIR_ERR_NOT_EXIST : weir_admit(c, weir_now(w));
        return weir_done(w, err == WEIR_ERR_NONE ? 0 : inside_errno(err));
    }
    if (strcmp(name, "urgent") == 0) {
        return c == NULL ? ANSWER_ERRNO(ENOTCONN) : (answer)weir_urgent(c);
    }
    return ANSWER_UNIMPLEMENTED;
}

/* ---- packets and time ---- */

/* A SYN for a listener chooses the ISS of the stack's first connection. */
static void weir_iss_of_syn(struct target_weir *w, const uint8_t *octets, size_t len)
{
    struct weiri_ip ip;
    weir_tuple tuple;
    if (!w->config.iss_set || w->iss_done || !w->listening || weiri_ip_view(&ip, octets, len) != WEIR_OK ||
        ip.protocol != WEIRI_PROTO_TCP || ip.payload_len < 20 || (ip.payload[13] & 0x16) != WEIR_SYN) {
        return;
    }
    tuple.local = ip.addrs.destination;
    tuple.remote = ip.addrs.source;
    tuple.local_port = base_get16(ip.payload + 2);
    tuple.remote_port = base_get16(ip.payload);
    weir_choose_iss(w, &tuple);
}

static answer weir_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    struct target_weir *w = weir_of(t);
    if (!weir_build(w)) {
        return ANSWER_DEAD;
    }
    weir_iss_of_syn(w, octets, len);
    (void)weir_stack_input(w->stack, octets, len, weir_now(w));
    weir_look_at(w, weir_stack_last(w->stack));
    return weir_done(w, 0);
}

/* The next packet, and when it leaves: with stamped pacing a timed queue stands below the stack. */
static size_t weir_next_packet(struct target_weir *w, uint8_t *octets, size_t cap, int64_t *when)
{
    weir_out out;
    *when = w->now;
    if (w->config.stack.tcp.pacing != WEIR_PACING_STAMP) {
        return weir_stack_poll_copy(w->stack, octets, cap, weir_now(w));
    }
    if (weir_stack_poll(w->stack, &out, weir_now(w)) == 0) {
        return 0;
    }
    *when = out.depart_at > weir_now(w) ? (int64_t)(out.depart_at - w->base) : w->now;
    return weir_out_copy(&out, octets, cap);
}

static answer weir_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    struct target_weir *w = weir_of(t);
    if (w->stack == NULL) {
        return 0;
    }
    const size_t len = weir_next_packet(w, octets, cap, when);
    if (len == 0) {
        return 0;
    }
    weir_look_at(w, weir_stack_last(w->stack));
    return weir_done(w, (answer)len);
}

static int64_t weir_now_call(struct target *t)
{
    return weir_of(t)->now;
}

static bool weir_has_packet(const weir_stack *s)
{
    return s->out.count > 0 || s->answers.count > 0 || s->answers.echo_count > 0;
}

/* Stops wherever a timer fired: something may have become ready. */
static answer weir_advance(struct target *t, int64_t until)
{
    struct target_weir *w = weir_of(t);
    if (w->stack == NULL) {
        w->now = until > w->now ? until : w->now;
        return 0;
    }
    const weir_us at = weir_stack_deadline(w->stack);
    if (weir_has_packet(w->stack)) {
        return 0;
    }
    if (at > w->base + (weir_us)until) {
        w->now = until > w->now ? until : w->now;
        return 0;
    }
    w->now = at > weir_now(w) ? (int64_t)(at - w->base) : w->now;
    weir_stack_expire(w->stack, weir_now(w));
    return weir_done(w, 0);
}

static void weir_trace(struct target *t, struct target_trace *trace)
{
    const struct target_weir *w = weir_of(t);
    const weir_conn *c = w->current == 0 ? NULL : weir_stack_peek(w->stack, w->current);
    const char *state = "CLOSED";
    if (c != NULL) {
        state = weir_state_name(weir_state(c));
    } else if (w->current != 0) {
        state = weir_gone_state(w, &w->current_tuple);
    } else if (w->listening) {
        state = "LISTEN";
    }
    inside_trace(trace, state);
}

static const char *weir_why(struct target *t)
{
    return weir_of(t)->why;
}

static bool weir_has(struct target *t, const char *need)
{
    (void)t;
    return inside_has(need);
}

static void weir_free(struct target *t)
{
    free(weir_of(t)->memory);
    free(t);
}

static const struct target_ops weir_ops = {
    .name = "weir", .reset = weir_reset, .set = weir_set, .socket = weir_socket_new, .listen = weir_listen_call,
    .connect = weir_connect_call, .accept = weir_accept, .send = weir_send_call, .recv = weir_recv_call, .shutdown = weir_shutdown,
    .close = weir_close_call, .abort = weir_abort_call, .option = weir_option, .ready = weir_ready_call, .error = weir_error_call,
    .queued = weir_queued, .info = weir_info_call, .call = weir_call, .packet_in = weir_packet_in, .packet_out = weir_packet_out,
    .now = weir_now_call, .advance = weir_advance, .trace = weir_trace, .why = weir_why, .has = weir_has, .free = weir_free};

struct target *target_weir_new(char *why, size_t cap)
{
    struct target_weir *w = calloc(1, sizeof *w);
    if (w == NULL) {
        (void)snprintf(why, cap, "no memory");
        return NULL;
    }
    w->target.ops = &weir_ops;
    return &w->target;
}
