/* app_nc.c - standard input and output over one connection: the end of input sends FIN and receiving goes on; the program
 * ends when both directions have.
 *
 * The descriptors stay blocking, because their modes are shared with whoever else has them: poll says when one read, or
 * one write of up to PIPE_BUF octets, does not block. */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NC_TURNS_MAX 64 /* of reading and of writing in one turn of the loop */

struct nc_pipe {
    struct session *session; /* NULL: none yet, or ended */
    bool input_done, over;
};

static bool nc_ready(int fd, short events)
{
    struct pollfd one = {.fd = fd, .events = events};
    return poll(&one, 1, 0) == 1;
}

static void nc_input_end(struct instance *in)
{
    in->state.nc->input_done = true;
    run_close(in, in->state.nc->session);
}

/* Standard input into the send ring. */
static void nc_input(struct instance *in)
{
    struct nc_pipe *nc = in->state.nc;
    weir_conn *c = run_conn(in, nc->session);
    for (unsigned turn = 0; turn < NC_TURNS_MAX && !nc->input_done && nc_ready(STDIN_FILENO, POLLIN); turn++) {
        size_t room;
        uint8_t *to = weir_tx_reserve(c, &room);
        if (room == 0)
            return;
        ssize_t got = read(STDIN_FILENO, to, room);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            nc_input_end(in);
        else
            (void)weir_tx_commit(c, (size_t)got, WEIR_SEND_PUSH, in->now);
    }
}

/* The receive ring to standard output. False: nobody reads it any more. */
static bool nc_output(struct instance *in)
{
    weir_conn *c = run_conn(in, in->state.nc->session);
    for (unsigned turn = 0; turn < NC_TURNS_MAX; turn++) {
        size_t len;
        const uint8_t *octets = weir_rx_peek(c, &len);
        if (len == 0 || !nc_ready(STDOUT_FILENO, POLLOUT))
            return true;
        ssize_t written = write(STDOUT_FILENO, octets, len < PIPE_BUF ? len : PIPE_BUF);
        if (written < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (written < 0)
            return false;
        (void)weir_rx_consume(c, (size_t)written, in->now);
    }
    return true;
}

static unsigned nc_serve(struct instance *in, struct session *s, unsigned events)
{
    struct nc_pipe *nc = in->state.nc;
    (void)events;
    if (nc->session != s) { /* a second one: nc talks to one */
        run_abort(in, s);
        return 0;
    }
    nc_input(in);
    if (!nc_output(in)) {
        complain("standard output: %s", strerror(errno));
        in->status = EXIT_FAILED;
        run_abort(in, s);
        return 0;
    }
    unsigned now = weir_events(run_conn(in, s));
    if (nc->input_done && (now & (WEIR_EV_PEER_FIN | WEIR_EV_READABLE)) == WEIR_EV_PEER_FIN) {
        run_done(in, s);
        return 0;
    }
    /* What waits for a descriptor is not waited for here: nc_fds does. */
    unsigned want = (now & WEIR_EV_READABLE) != 0 ? 0 : WEIR_EV_READABLE;
    want |= (now & WEIR_EV_PEER_FIN) != 0 ? 0 : WEIR_EV_PEER_FIN;
    return want | (!nc->input_done && (now & WEIR_EV_WRITABLE) == 0 ? WEIR_EV_WRITABLE : 0);
}

static size_t nc_fds(struct instance *in, struct pollfd fds[APP_FDS_MAX])
{
    struct nc_pipe *nc = in->state.nc;
    size_t count = 0;
    if (nc->session == NULL || in->quitting != 0)
        return 0;
    unsigned now = weir_events(weir_stack_peek(in->stack, nc->session->conn));
    if (!nc->input_done && (now & WEIR_EV_WRITABLE) != 0)
        fds[count++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    if ((now & WEIR_EV_READABLE) != 0)
        fds[count++] = (struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT};
    return count;
}

/* A descriptor has become ready: the connection itself may have nothing new to report. */
static void nc_turn(struct instance *in, const struct pollfd *fds, size_t count)
{
    struct session *s = in->state.nc->session;
    bool ready = false;
    for (size_t i = 0; i < count; i++)
        ready = ready || fds[i].revents != 0;
    if (ready && s != NULL)
        run_want(in, s, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_WRITABLE | WEIR_EV_CONNECTED);
}

static void nc_opened(struct instance *in, struct session *s)
{
    char text[WEIR_ENDPOINT_TEXT];
    const weir_tuple *tuple = weir_sockets(weir_stack_peek(in->stack, s->conn));
    if (in->state.nc->session != NULL || in->state.nc->over)
        return;
    in->state.nc->session = s;
    tell(in, "connected to %s", weir_format_endpoint(text, &tuple->remote, tuple->remote_port));
    if (in->listener != 0) {
        (void)weir_stack_unlisten(in->stack, in->listener, in->now);
        in->listener = 0;
    }
}

static void nc_ended(struct instance *in, struct session *s, weir_err err)
{
    struct nc_pipe *nc = in->state.nc;
    if (nc->session != s && nc->session != NULL)
        return;
    nc->session = NULL;
    nc->over = true;
    if (err != WEIR_ERR_NONE && in->quitting == 0) {
        complain("%s", weir_err_name(err));
        in->status = EXIT_FAILED;
    }
    if (in->quitting == 0)
        run_quit(in);
}

static bool nc_start(struct instance *in)
{
    in->state.nc = calloc(1, sizeof *in->state.nc);
    return in->state.nc != NULL;
}

static bool nc_begin(struct instance *in)
{
    if (in->options->listen)
        return run_listen(in);
    return run_connect(in) != NULL;
}

static void nc_stop(struct instance *in)
{
    free(in->state.nc);
}

const struct app app_nc = {
    .session_size = sizeof(struct session),
    .start = nc_start,
    .begin = nc_begin,
    .opened = nc_opened,
    .serve = nc_serve,
    .ended = nc_ended,
    .fds = nc_fds,
    .turn = nc_turn,
    .stop = nc_stop,
};
