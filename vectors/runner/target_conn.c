/* target_conn.c - a bare connection in this process, in virtual time: user calls and segments that a stack never lets through to one.
 *
 * Every socket is another name of the one connection. The target does what a demultiplexer does: it checks packets, strips and builds IP
 * headers, and tells a connection in LISTEN who its next segment is from. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "inside.h"

#define CONN_PORT 49152 /* of an active OPEN that no passive one came before */
#define CONN_EARLY_MAX 128

struct target_conn {
    struct target target;
    struct target_world world;
    struct inside_config config;
    weir_conn conn;
    weir_buffers buffers;
    void *memory;
    size_t size;
    int64_t now;       /* since reset */
    weir_us base;      /* what the connection's clock says besides */
    bool built, iss_done, passive, accepted, named, unnamed; /* named, unnamed: the calls "remote", "unnamed" */
    int sockets;
    struct inside_user user;
    uint8_t early[CONN_EARLY_MAX]; /* an answer out of LISTEN: whom it is for is forgotten afterwards */
    size_t early_len;
    char why[200];
};

static struct target_conn *conn_of(struct target *t)
{
    return (struct target_conn *)(void *)t;
}

static weir_us conn_now(const struct target_conn *w)
{
    return w->base + (weir_us)w->now;
}

/* ---- life ---- */

static bool conn_reset(struct target *t, const struct target_world *world)
{
    struct target_conn *w = conn_of(t);
    w->world = *world;
    inside_config_init(&w->config, world);
    inside_rows_forget();
    inside_user_init(&w->user);
    w->now = 0;
    w->base = INSIDE_EPOCH;
    w->built = w->iss_done = w->passive = w->accepted = w->named = w->unnamed = false;
    w->sockets = 0;
    w->early_len = 0;
    return true;
}

static answer conn_set_call(struct target *t, const char *name, const char *value)
{
    struct target_conn *w = conn_of(t);
    return w->built ? ANSWER_UNIMPLEMENTED : inside_config_set(&w->config, name, value);
}

static weir_tuple conn_tuple(const struct target_conn *w, uint16_t local_port, uint16_t remote_port)
{
    weir_tuple tuple;
    memset(&tuple, 0, sizeof tuple);
    tuple.local = w->config.stack.addrs[0];
    tuple.local_port = local_port;
    if (remote_port != 0) {
        tuple.remote = inside_addr(&w->world, w->world.remote);
        tuple.remote_port = remote_port;
    } else if (!w->world.v6) {
        tuple.remote = weir_addr_v4(0, 0, 0, 0);
    }
    return tuple;
}

/* CLOSED, but the sockets are known: RFC 9293 3.10.7.1 has an answer for each segment that comes. */
static bool conn_build(struct target_conn *w)
{
    if (w->built) {
        return true;
    }
    const size_t size = weir_buffers_size(w->config.stack.rings);
    if (size > w->size) {
        free(w->memory);
        w->memory = aligned_alloc(64, (size + 63) & ~(size_t)63);
        w->size = w->memory == NULL ? 0 : size;
    }
    w->built = w->memory != NULL && weir_buffers_carve(&w->buffers, w->memory, w->size, w->config.stack.rings) &&
               weir_init(&w->conn, &w->config.stack.tcp, &w->buffers, conn_now(w)) == WEIR_ERR_NONE;
    if (!w->built) {
        (void)snprintf(w->why, sizeof w->why, "no connection over %zu octets could be built", size);
        return false;
    }
    w->conn.tuple = conn_tuple(w, w->world.listen_port, w->world.remote_port);
    return true;
}

static answer conn_done(struct target_conn *w, answer result)
{
    const char *broken = weir_check(&w->conn);
    if (broken != NULL) {
        (void)snprintf(w->why, sizeof w->why, "an invariant of weir does not hold: %s", broken);
        return ANSWER_WRONG;
    }
    return result;
}

static answer conn_answer(struct target_conn *w, weir_err err)
{
    return conn_done(w, err == WEIR_ERR_NONE ? 0 : inside_errno(err));
}

static bool conn_is(const struct target_conn *w, int socket)
{
    return w->built && socket >= 0 && socket < w->sockets;
}

/* ---- user calls ---- */

static answer conn_socket(struct target *t)
{
    struct target_conn *w = conn_of(t);
    return conn_build(w) ? w->sockets++ : ANSWER_DEAD;
}

static answer conn_listen(struct target *t, int socket, uint16_t port, int backlog)
{
    struct target_conn *w = conn_of(t);
    (void)backlog;
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    const weir_tuple tuple = conn_tuple(w, port, 0);
    const weir_err err = weir_listen(&w->conn, &tuple, conn_now(w));
    if (err == WEIR_ERR_NONE) {
        w->passive = true;
        w->named = w->accepted = false;
        inside_apply(&w->user, &w->conn, conn_now(w));
    }
    return conn_answer(w, err);
}

static void conn_choose_iss(struct target_conn *w, const weir_tuple *tuple)
{
    if (w->config.iss_set && !w->iss_done) {
        w->base += inside_iss_delay(&w->config, tuple, conn_now(w));
        w->iss_done = true;
    }
}

static answer conn_connect(struct target *t, int socket, uint16_t port)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    const bool listening = weir_state(&w->conn) == WEIR_LISTEN;
    const weir_tuple tuple = conn_tuple(w, listening ? w->conn.tuple.local_port : CONN_PORT, port);
    if (port != 0 && (listening || weir_state(&w->conn) == WEIR_CLOSED)) {
        conn_choose_iss(w, &tuple);
    }
    const weir_err err = weir_connect(&w->conn, &tuple, conn_now(w));
    if (err == WEIR_ERR_NONE) {
        inside_apply(&w->user, &w->conn, conn_now(w));
        w->user.told_error = w->passive = false;
        return conn_done(w, ANSWER_ERRNO(EINPROGRESS));
    }
    return conn_answer(w, err);
}

static answer conn_accept(struct target *t, int socket)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    if (!w->passive) {
        return ANSWER_ERRNO(EINVAL);
    }
    if (w->accepted || !(weir_events(&w->conn) & ((unsigned)WEIR_EV_CONNECTED | (unsigned)WEIR_EV_HELD))) {
        return ANSWER_ERRNO(EAGAIN);
    }
    w->accepted = true;
    return w->sockets++;
}

static answer conn_send(struct target *t, int socket, const uint8_t *octets, size_t len, int flags)
{
    struct target_conn *w = conn_of(t);
    const weir_slice slice = {octets, len};
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    if (weir_state(&w->conn) == WEIR_LISTEN && w->conn.tuple.remote_port != 0) {
        conn_choose_iss(w, &w->conn.tuple); /* SEND opens actively (RFC 9293 3.10.2) */
    }
    return conn_done(w, inside_send(&w->user, &w->conn, conn_now(w), slice, flags));
}

static answer conn_recv(struct target *t, int socket, uint8_t *octets, size_t cap, int flags)
{
    struct target_conn *w = conn_of(t);
    const weir_slice room = {octets, cap};
    return !conn_is(w, socket) ? ANSWER_ERRNO(EBADF)
                               : conn_done(w, inside_recv(&w->user, &w->conn, conn_now(w), room, flags));
}

static answer conn_shutdown(struct target *t, int socket, int how)
{
    struct target_conn *w = conn_of(t);
    return !conn_is(w, socket) ? ANSWER_ERRNO(EBADF) : conn_done(w, inside_shutdown(&w->user, &w->conn, conn_now(w), how));
}

static answer conn_close(struct target *t, int socket)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    return conn_answer(w, weir_release(&w->conn, w->user.linger < 0 ? WEIR_FOREVER : (weir_us)w->user.linger, conn_now(w)));
}

static answer conn_abort(struct target *t, int socket)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    const weir_err err = weir_abort(&w->conn, conn_now(w));
    w->user.told_error = w->user.told_error || err == WEIR_ERR_NONE; /* who aborted knows it */
    return conn_answer(w, err);
}

static answer conn_option(struct target *t, int socket, const char *name, int64_t value)
{
    struct target_conn *w = conn_of(t);
    return !conn_is(w, socket) ? ANSWER_ERRNO(EBADF) : conn_done(w, inside_option(&w->user, &w->conn, conn_now(w), name, value));
}

static answer conn_ready(struct target *t, int socket)
{
    struct target_conn *w = conn_of(t);
    return conn_is(w, socket) ? inside_ready(&w->user, &w->conn) : POLLNVAL;
}

static answer conn_error(struct target *t, int socket)
{
    struct target_conn *w = conn_of(t);
    return conn_is(w, socket) ? inside_error(&w->user, &w->conn) : ANSWER_ERRNO(EBADF);
}

static answer conn_queued(struct target *t, int socket, bool sent)
{
    struct target_conn *w = conn_of(t);
    return conn_is(w, socket) ? inside_queued(&w->conn, sent) : ANSWER_ERRNO(EBADF);
}

static answer conn_info(struct target *t, int socket, struct target_info *info)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    inside_info(&w->conn, info);
    return 0;
}

/* A timeout that no timer of weir starts in every state: RFC 9293 3.10.8 says what each of them would do there. */
static answer conn_timeout(struct target_conn *w, const char *which)
{
    static const struct { const char *name; enum weiri_stage stage; } timeouts[] = {
        {"user", WEIRI_STAGE_TIMEOUT_USER}, {"resend", WEIRI_STAGE_TIMEOUT_RESEND}, {"life", WEIRI_STAGE_TIMEOUT_LIFE}};
    for (size_t i = 0; which != NULL && i < sizeof timeouts / sizeof timeouts[0]; i++) {
        if (strcmp(timeouts[i].name, which) == 0) {
            struct weiri_step s;
            weiri_conn_begin(&w->conn, conn_now(w));
            memset(&s, 0, sizeof s);
            s.c = &w->conn;
            s.facts = weiri_facts_call(&w->conn);
            weiri_fsm_call(&s, timeouts[i].stage);
            weiri_conn_finish(&w->conn);
            return conn_done(w, 0);
        }
    }
    return ANSWER_ERRNO(EINVAL);
}

static answer conn_remote(struct target_conn *w)
{
    const weir_addr remote = inside_addr(&w->world, w->world.remote);
    const weir_err err = weir_set_remote(&w->conn, &remote, w->world.remote_port);
    w->named = w->named || err == WEIR_ERR_NONE;
    return conn_answer(w, err);
}

static answer conn_call(struct target *t, int socket, const char *name, const char *word)
{
    struct target_conn *w = conn_of(t);
    if (!conn_is(w, socket)) {
        return ANSWER_ERRNO(EBADF);
    }
    if (strcmp(name, "urgent") == 0) {
        return (answer)weir_urgent(&w->conn);
    }
    if (strcmp(name, "hold") == 0) {
        weir_hold(&w->conn);
        return 0;
    }
    if (strcmp(name, "admit") == 0) {
        return conn_answer(w, weir_admit(&w->conn, conn_now(w)));
    }
    if (strcmp(name, "remote") == 0) {
        return conn_remote(w);
    }
    if (strcmp(name, "unnamed") == 0) {
        w->unnamed = true;
        return 0;
    }
    return strcmp(name, "timeout") == 0 ? conn_timeout(w, word) : ANSWER_UNIMPLEMENTED;
}

/* ---- packets ---- */

/* The next segment with an IP header in front. */
static size_t conn_emit(struct target_conn *w, uint8_t *octets, size_t cap)
{
    weir_out out;
    struct weiri_ip_fields ip;
    if (weir_poll(&w->conn, &out, conn_now(w)) == 0) {
        return 0;
    }
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = w->conn.tuple.local;
    ip.addrs.destination = w->conn.tuple.remote;
    ip.payload_len = out.len;
    ip.protocol = WEIRI_PROTO_TCP;
    ip.ttl = w->config.stack.tcp.ttl;
    ip.traffic_class = (uint8_t)(w->conn.dscp << 2 | out.ecn);
    ip.dont_fragment = true;
    const size_t header = weiri_ip_emit(out.room + out.header_at, &ip);
    out.header_at = (uint16_t)(out.header_at - header);
    out.header_len = (uint16_t)(out.header_len + header);
    out.len += (uint32_t)header;
    return weir_out_copy(&out, octets, cap);
}

/* A segment for a connection in LISTEN: who it is from is told before, and forgotten if it opened nothing. */
static void conn_input_listen(struct target_conn *w, const weir_view *view, const struct weiri_ip *ip)
{
    if (!w->named && !w->unnamed) {
        (void)weir_set_remote(&w->conn, &ip->addrs.source, view->source_port);
    }
    if ((view->flags & (WEIR_SYN | WEIR_ACK | WEIR_RST)) == WEIR_SYN && !w->unnamed) {
        conn_choose_iss(w, &w->conn.tuple);
    }
    (void)weir_input(&w->conn, view, conn_now(w));
    if (weir_state(&w->conn) == WEIR_LISTEN && !w->named) {
        const weir_tuple any = conn_tuple(w, w->conn.tuple.local_port, 0);
        w->early_len = conn_emit(w, w->early, sizeof w->early);
        w->conn.tuple = any;
    }
}

static void conn_input(struct target_conn *w, const weir_view *view, const struct weiri_ip *ip)
{
    if (weir_state(&w->conn) == WEIR_LISTEN) {
        conn_input_listen(w, view, ip);
        return;
    }
    if (weir_input(&w->conn, view, conn_now(w)) != WEIR_REUSE) {
        return;
    }
    if (w->passive) { /* the SYN is for whoever listens */
        const weir_tuple tuple = conn_tuple(w, w->conn.tuple.local_port, 0);
        const weir_seq floor = w->conn.snd.nxt;
        (void)weir_listen(&w->conn, &tuple, conn_now(w));
        weiri_conn_set_iss_floor(&w->conn, floor);
        w->accepted = false;
        conn_input_listen(w, view, ip);
    } else {
        (void)weir_input(&w->conn, view, conn_now(w));
    }
}

static void conn_input_tcp(struct target_conn *w, const struct weiri_ip *ip)
{
    weir_view view;
    if (weir_view_segment(&view, ip->payload, ip->payload_len, &ip->addrs) != WEIR_OK ||
        view.destination_port != w->conn.tuple.local_port ||
        (weir_state(&w->conn) != WEIR_LISTEN && view.source_port != w->conn.tuple.remote_port)) {
        return;
    }
    view.ecn = ip->traffic_class & 3u;
    conn_input(w, &view, ip);
}

static void conn_input_icmp(struct target_conn *w, const struct weiri_ip *ip)
{
    struct weiri_icmp_view icmp;
    const weir_tuple *tuple = &w->conn.tuple;
    if (weiri_icmp_view(&icmp, ip) == WEIR_OK && icmp.type == WEIRI_ICMP_ERROR && icmp.quoted.local_port == tuple->local_port &&
        icmp.quoted.remote_port == tuple->remote_port && weir_addr_equal(&icmp.quoted.local, &tuple->local) &&
        weir_addr_equal(&icmp.quoted.remote, &tuple->remote)) {
        (void)weir_input_icmp(&w->conn, &icmp.error, conn_now(w));
    }
}

static answer conn_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    struct target_conn *w = conn_of(t);
    struct weiri_ip ip;
    if (!conn_build(w)) {
        return ANSWER_DEAD;
    }
    if (weiri_ip_view(&ip, octets, len) != WEIR_OK || !weir_addr_equal(&ip.addrs.destination, &w->config.stack.addrs[0])) {
        return 0;
    }
    if (ip.protocol == WEIRI_PROTO_TCP) {
        conn_input_tcp(w, &ip);
    } else {
        conn_input_icmp(w, &ip);
    }
    return conn_done(w, 0);
}

static answer conn_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    struct target_conn *w = conn_of(t);
    size_t len = w->early_len;
    *when = w->now;
    if (!w->built) {
        return 0;
    }
    if (len > 0 && len <= cap) {
        memcpy(octets, w->early, len);
        w->early_len = 0;
        return (answer)len;
    }
    len = conn_emit(w, octets, cap);
    return conn_done(w, (answer)len);
}

/* ---- time ---- */

static int64_t conn_now_call(struct target *t)
{
    return conn_of(t)->now;
}

static answer conn_advance(struct target *t, int64_t until)
{
    struct target_conn *w = conn_of(t);
    const int64_t end = until > w->now ? until : w->now;
    if (!w->built) {
        w->now = end;
        return 0;
    }
    if (w->early_len > 0 || weir_has_output(&w->conn)) {
        return 0;
    }
    const weir_us at = weir_deadline(&w->conn);
    if (at > w->base + (weir_us)end) {
        w->now = end;
        return 0;
    }
    w->now = at > conn_now(w) ? (int64_t)(at - w->base) : w->now;
    weir_expire(&w->conn, conn_now(w));
    return conn_done(w, 0);
}

static void conn_trace(struct target *t, struct target_trace *trace)
{
    const struct target_conn *w = conn_of(t);
    inside_trace(trace, w->built ? weir_state_name(weir_state(&w->conn)) : "CLOSED");
}

static const char *conn_why(struct target *t)
{
    return conn_of(t)->why;
}

static bool conn_has_need(struct target *t, const char *need)
{
    (void)t;
    return strcmp(need, "connection") == 0 || inside_has(need);
}

static void conn_free(struct target *t)
{
    free(conn_of(t)->memory);
    free(t);
}

static const struct target_ops conn_ops = {
    .name = "weir-conn", .reset = conn_reset, .set = conn_set_call, .socket = conn_socket, .listen = conn_listen,
    .connect = conn_connect, .accept = conn_accept, .send = conn_send, .recv = conn_recv, .shutdown = conn_shutdown,
    .close = conn_close, .abort = conn_abort, .option = conn_option, .ready = conn_ready, .error = conn_error, .queued = conn_queued,
    .info = conn_info, .call = conn_call, .packet_in = conn_packet_in, .packet_out = conn_packet_out, .now = conn_now_call,
    .advance = conn_advance, .trace = conn_trace, .why = conn_why, .has = conn_has_need, .free = conn_free};

struct target *target_conn_new(char *why, size_t cap)
{
    struct target_conn *w = calloc(1, sizeof *w);
    if (w == NULL) {
        (void)snprintf(why, cap, "no memory");
        return NULL;
    }
    w->target.ops = &conn_ops;
    return &w->target;
}
