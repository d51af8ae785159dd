/* run.c - one instance of weir-tun from opening the device to the last FIN: the loop, sessions, the end. */
#define _GNU_SOURCE
#include "tun/programs/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_WANT_FIRST (WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED | WEIR_EV_CONNECTED)
#define RUN_SECOND UINT64_C(1000000)
#define RUN_RETRY_US UINT64_C(100000)     /* between attempts to reach a command that is not listening yet ... */
#define RUN_RETRY_FOR_US (5 * RUN_SECOND) /* ... for so long */

/* ---- sessions ---- */

static struct session *run_session_new(struct instance *in, weir_handle conn)
{
    struct session *s = calloc(1, in->app->session_size);
    if (s == NULL)
        return NULL;
    s->conn = conn;
    s->opened_at = s->active_at = in->now;
    s->want = RUN_WANT_FIRST;
    s->next = in->sessions;
    if (s->next != NULL)
        s->next->previous = s;
    in->sessions = s;
    in->session_count++;
    (void)weir_stack_set_tag(in->stack, conn, (uint64_t)(uintptr_t)s);
    (void)weir_stack_want(in->stack, conn, s->want);
    return s;
}

static void run_account(struct instance *in, const struct session *s, weir_err err)
{
    const weir_conn *c = weir_stack_peek(in->stack, s->conn);
    struct totals *t = &in->totals;
    weir_info info;
    t->sessions++;
    t->failed += err != WEIR_ERR_NONE;
    if (c == NULL)
        return;
    weir_info_get(c, &info);
    t->octets_in += info.octets_received;
    t->octets_out += info.octets_acked + info.snd_queued; /* the stack sees to the rest */
    t->retransmitted += info.total_retrans;
    t->timeouts += info.timeouts;
    if (t->sessions == 1 || info.octets_received + info.octets_acked > t->largest_octets) {
        t->largest_octets = info.octets_received + info.octets_acked;
        t->largest = info;
        t->largest_tuple = *weir_sockets(c);
        t->largest_us = in->now - s->opened_at;
    }
}

/* The connection is given back to the stack, which sees it to its end. */
static void run_session_drop(struct instance *in, struct session *s)
{
    (void)weir_stack_release(in->stack, s->conn, s->aborted ? 0 : WEIR_FOREVER, in->now);
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        in->sessions = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
    in->session_count--;
    free(s);
}

static void run_session_end(struct instance *in, struct session *s, weir_err err)
{
    if (in->app->ended != NULL)
        in->app->ended(in, s, err);
    run_account(in, s, err); /* not before: an application that adds up counts it among the open ones */
    run_session_drop(in, s);
    if (in->options->one_off && in->quitting == 0)
        run_quit(in);
}

weir_conn *run_conn(struct instance *in, const struct session *s)
{
    return weir_stack_conn(in->stack, s->conn);
}

void run_close(struct instance *in, struct session *s)
{
    weir_conn *c = run_conn(in, s);
    if (c != NULL && !s->closing)
        (void)weir_close(c, in->now);
    s->closing = true;
}

void run_done(struct instance *in, struct session *s)
{
    run_close(in, s);
    s->done = true;
}

void run_abort(struct instance *in, struct session *s)
{
    (void)in;
    s->done = s->aborted = true;
}

void run_want(struct instance *in, struct session *s, unsigned events)
{
    events |= WEIR_EV_CLOSED;
    if (s->want != events) {
        (void)weir_stack_want(in->stack, s->conn, events);
        s->want = events;
    }
}

bool run_drain(struct instance *in, struct session *s, uint64_t *count)
{
    weir_conn *c = run_conn(in, s);
    size_t len;
    for (unsigned turn = 0; turn < 2; turn++) { /* a ring shows two runs at most */
        (void)weir_rx_peek(c, &len);
        if (len == 0)
            break;
        if (count != NULL)
            *count += len;
        (void)weir_rx_consume(c, len, in->now);
    }
    return (weir_events(c) & (WEIR_EV_PEER_FIN | WEIR_EV_READABLE)) == WEIR_EV_PEER_FIN;
}

/* At the end of an instance: our FIN is out, what still comes is dropped until the peer's FIN. */
static unsigned run_serve_closing(struct instance *in, struct session *s)
{
    if (run_drain(in, s, NULL))
        run_done(in, s);
    return WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
}

/* A command that shall listen may need a moment to begin with it. */
static bool run_retry(struct instance *in, struct session *s, weir_err err)
{
    if (err != WEIR_ERR_REFUSED || s->connected || !in->options->remote_given || in->options->exec == NULL ||
        in->quitting != 0 || in->now - in->started_at > RUN_RETRY_FOR_US)
        return false;
    run_session_drop(in, s);
    in->retry_at = in->now + RUN_RETRY_US;
    in->retries++;
    return true;
}

static void run_serve(struct instance *in, const weir_ready *ready)
{
    struct session *s = (struct session *)(uintptr_t)ready->tag;
    if (s == NULL)
        s = run_session_new(in, ready->conn);
    if (s == NULL) {
        (void)weir_stack_release(in->stack, ready->conn, 0, in->now);
        return;
    }
    weir_err err = weir_error(weir_stack_peek(in->stack, s->conn));
    if ((ready->events & WEIR_EV_CLOSED) != 0 && (err != WEIR_ERR_NONE || (ready->events & WEIR_EV_READABLE) == 0)) {
        if (!run_retry(in, s, err))
            run_session_end(in, s, err);
        return;
    }
    if (!s->connected && (ready->events & WEIR_EV_CONNECTED) != 0) {
        s->connected = true;
        if (in->app->opened != NULL)
            in->app->opened(in, s);
    }
    if (!s->connected && (ready->events & WEIR_EV_CLOSED) == 0)
        return;
    unsigned want = in->quitting != 0 && s->closing ? run_serve_closing(in, s) : in->app->serve(in, s, ready->events);
    if (s->done)
        run_session_end(in, s, s->aborted ? WEIR_ERR_ABORTED : WEIR_ERR_NONE);
    else
        run_want(in, s, want);
}

bool run_listen(struct instance *in)
{
    weir_listen_spec spec;
    memset(&spec, 0, sizeof spec);
    spec.port = (uint16_t)(in->options->port != 0 ? in->options->port : in->app->port);
    weir_err err = weir_stack_listen(in->stack, &spec, &in->listener);
    if (err != WEIR_ERR_NONE)
        complain("cannot listen on port %u: %s", spec.port, weir_err_name(err));
    return err == WEIR_ERR_NONE;
}

struct session *run_connect(struct instance *in)
{
    weir_tuple tuple;
    weir_handle conn;
    char text[WEIR_ENDPOINT_TEXT];
    memset(&tuple, 0, sizeof tuple);
    tuple.remote = in->options->remote;
    tuple.remote_port = (uint16_t)in->options->port;
    weir_err err = weir_stack_connect(in->stack, &tuple, &conn, in->now);
    struct session *s = err == WEIR_ERR_NONE ? run_session_new(in, conn) : NULL;
    if (s == NULL)
        complain("cannot connect to %s: %s", weir_format_endpoint(text, &tuple.remote, tuple.remote_port),
                 weir_err_name(err != WEIR_ERR_NONE ? err : WEIR_ERR_RESOURCES));
    return s;
}

/* ---- the end ---- */

static void run_abort_all(struct instance *in)
{
    unsigned count = 0;
    const uint32_t most = weir_stack_get_config(in->stack)->connections_max;
    weir_handle next, conn = weir_stack_next(in->stack, 0);
    while (in->sessions != NULL) {
        in->sessions->aborted = true;
        run_session_end(in, in->sessions, WEIR_ERR_ABORTED);
        count++;
    }
    for (uint32_t i = 0; conn != 0 && i < most; i++, conn = next) {
        next = weir_stack_next(in->stack, conn);
        weir_conn *c = weir_stack_conn(in->stack, conn);
        if (c != NULL && weir_state(c) != WEIR_CLOSED)
            (void)weir_abort(c, in->now);
    }
    if (count != 0)
        say(in, "%u connection%s had not ended and %s reset", count, count == 1 ? "" : "s",
            count == 1 ? "was" : "were");
}

/* What was said last leaves: a slow or a late link (--rate, --delay) may still have it. */
static void run_last_words(struct instance *in)
{
    const weir_us until = weir_tun_now() + RUN_SECOND;
    weir_tun_stats stats;
    do {
        bool all = weir_tun_flush(in->tun);
        weir_tun_get_stats(in->tun, &stats);
        if (all && stats.out.queued == 0)
            return;
        (void)weir_tun_step(in->tun, NULL, 0, until);
    } while (weir_tun_now() < until && !in->device_gone);
}

void run_quit(struct instance *in)
{
    if (in->quitting != 0) {
        in->quitting = 2;
        return;
    }
    in->quitting = 1;
    in->grace_at = weir_tun_now() + in->options->grace_us;
    if (in->listener != 0)
        (void)weir_stack_unlisten(in->stack, in->listener, in->now);
    in->listener = 0;
    for (struct session *s = in->sessions; s != NULL; s = s->next) {
        if (s->closing || (in->app->lingers != NULL && in->app->lingers(s)))
            continue;
        run_close(in, s);
        run_want(in, s, WEIR_EV_READABLE | WEIR_EV_PEER_FIN);
    }
}

static bool run_ended(struct instance *in)
{
    if (in->quitting == 0)
        return false;
    if (in->session_count == 0 && weir_stack_stats(in->stack)->connections == 0)
        return true;
    if (in->quitting < 2 && in->now < in->grace_at)
        return false;
    run_abort_all(in);
    return true;
}

/* ---- time ---- */

static weir_us run_sooner(weir_us a, weir_us b)
{
    return a < b ? a : b;
}

static weir_us run_until(const struct instance *in)
{
    weir_us until = run_sooner(run_sooner(in->ends_at, in->retry_at), run_sooner(in->interval_at, in->sweep_at));
    if (in->quitting != 0)
        until = run_sooner(until, in->grace_at);
    if (in->app->until != NULL)
        until = run_sooner(until, in->app->until(in));
    return until;
}

static void run_interval(struct instance *in)
{
    if (in->app->interval != NULL)
        in->app->interval(in);
    else {
        for (const struct session *s = in->sessions; s != NULL; s = s->next) {
            const weir_conn *c = weir_stack_peek(in->stack, s->conn);
            if (c != NULL && in->options->json)
                print_connection_json(stdout, c, (double)(in->now - in->started_at) / 1e6);
            else if (c != NULL)
                print_connection(stdout, c);
        }
    }
    (void)fflush(stdout);
    in->interval_at = in->now + in->options->interval_us;
}

/* Connections over which nothing has gone for too long are reset. */
static void run_sweep(struct instance *in)
{
    weir_us idle_us = in->options->idle_given ? in->options->idle_us : in->app->idle_us;
    struct session *next;
    in->sweep_at = idle_us == 0 ? WEIR_FOREVER : in->now + RUN_SECOND;
    for (struct session *s = in->sessions; s != NULL && idle_us != 0; s = next) {
        weir_info info;
        const weir_conn *c = weir_stack_peek(in->stack, s->conn);
        next = s->next;
        if (c == NULL)
            continue;
        weir_info_get(c, &info);
        if (info.octets_acked + info.octets_received != s->seen) {
            s->seen = info.octets_acked + info.octets_received;
            s->active_at = in->now;
        } else if (in->now - s->active_at >= idle_us) {
            s->aborted = true;
            run_session_end(in, s, WEIR_ERR_TIMEOUT);
        }
    }
}

static void run_connect_again(struct instance *in)
{
    in->retry_at = WEIR_FOREVER;
    for (; in->retries > 0; in->retries--)
        (void)run_connect(in);
}

static void run_time(struct instance *in)
{
    if (in->now >= in->retry_at)
        run_connect_again(in);
    if (in->now >= in->ends_at) {
        in->ends_at = WEIR_FOREVER;
        in->stopped = true;
        run_quit(in);
    }
    if (in->now >= in->interval_at)
        run_interval(in);
    if (in->now >= in->sweep_at)
        run_sweep(in);
}

/* ---- the loop ---- */

static void run_trouble(struct instance *in, unsigned happened)
{
    weir_fault fault;
    while (weir_tun_trouble(in->tun, &fault))
        complain("%s", fault.text);
    if ((happened & WEIR_TUN_GONE) != 0) {
        in->device_gone = true;
        in->status = EXIT_FAILED;
    }
    if ((happened & WEIR_TUN_QUIT) != 0) {
        say(in, in->quitting == 0 ? "closing; once more to abort" : "aborting");
        in->stopped = true;
        run_quit(in);
    }
    if ((happened & WEIR_TUN_DUMP) != 0)
        print_stack(stderr, in, in->options->json);
}

static void run_turn(struct instance *in)
{
    struct pollfd fds[APP_FDS_MAX + 3];
    weir_ready ready;
    size_t app_count = in->app->fds != NULL ? in->app->fds(in, fds) : 0;
    size_t control_at = app_count, control_count = control_fds(in->control, fds + control_at);
    size_t child_at = control_at + control_count, count = child_at + child_fds(in, fds + child_at);
    unsigned happened = weir_tun_step(in->tun, fds, count, run_until(in));
    in->now = weir_tun_now();
    run_trouble(in, happened);
    if (in->app->turn != NULL)
        in->app->turn(in, fds, app_count);
    control_turn(in->control, fds + control_at, control_count, in);
    child_turn(in, fds + child_at, count - child_at);
    while (weir_stack_ready(in->stack, &ready))
        run_serve(in, &ready);
    run_time(in);
    (void)weir_tun_flush(in->tun);
}

/* ---- setting up ---- */

static void run_stack_config(struct instance *in, weir_stack_config *config)
{
    const struct options *o = in->options;
    weir_tun_stack_config(in->tun, config);
    config->tcp.cc = o->cc;
    config->tcp.ecn = o->ecn;
    config->tcp.pacing = o->pacing < WEIR_PACING_COUNT ? o->pacing : config->tcp.pacing;
    config->tcp.nagle = !o->no_delay;
    config->tcp.msl_us = o->msl_us;
    config->connections_max = (uint32_t)o->connections;
    config->half_open_max = (uint32_t)o->backlog;
    config->time_wait_max = (uint32_t)o->time_wait;
    config->rings.rx = (uint32_t)o->rcvbuf;
    config->rings.tx = (uint32_t)o->sndbuf;
    config->tcp.rx_max = (uint32_t)o->rcvbuf_max;
    config->tcp.tx_max = (uint32_t)o->sndbuf_max;
    config->ring_memory = o->ring_memory;
    if (o->seed_given)
        say(in, "the secret follows from --seed: sequence numbers can be predicted; for tests only");
}

static bool run_fault(struct instance *in, const weir_fault *fault)
{
    complain("%s", fault->text);
    in->status = (int)fault->kind;
    return false;
}

static bool run_open(struct instance *in)
{
    weir_tun_config device = in->options->device;
    weir_stack_config config;
    weir_fault fault = {.kind = WEIR_FAULT_FAILED};
    device.application = "weir-tun " WEIR_VERSION;
    in->tun = weir_tun_open(&device, &fault);
    if (in->tun == NULL)
        return run_fault(in, &fault);
    run_stack_config(in, &config);
    if (!weir_tun_start(in->tun, &config, &fault) || !weir_tun_signals(in->tun, &fault))
        return run_fault(in, &fault);
    in->stack = weir_tun_stack(in->tun);
    return true;
}

static void run_ready_line(const struct instance *in)
{
    char addr4[WEIR_ADDR_TEXT], addr6[WEIR_ADDR_TEXT], line[256];
    const weir_tun_config *device = &in->options->device;
    unsigned port = (unsigned)(in->options->port != 0 ? in->options->port : in->app->port);
    int len = snprintf(line, sizeof line, "ready %s addr %s addr6 %s port %u seed %llu\n", weir_tun_name(in->tun),
                       device->addr4.len != 0 ? weir_format_addr(addr4, &device->addr4.addr) : "off",
                       device->addr6.len != 0 ? weir_format_addr(addr6, &device->addr6.addr) : "off", port,
                       (unsigned long long)weir_tun_seed(in->tun));
    say(in, "%.*s", len - 1, line);
    if (in->options->ready_fd >= 0) {
        if (write(in->options->ready_fd, line, (size_t)len) != len)
            complain("--ready-fd %d: %s; pass an open descriptor", in->options->ready_fd, strerror(errno));
        (void)close(in->options->ready_fd);
    }
}

static bool run_begin(struct instance *in, int (*inside)(void *), void *argument)
{
    weir_fault fault;
    const struct options *o = in->options;
    if (o->control != NULL && (in->control = control_open(o->control)) == NULL)
        return false;
    if (in->app->start != NULL && !in->app->start(in))
        return false;
    if (!child_start(in, inside, argument))
        return false;
    if (!weir_tun_drop_privileges(in->tun, &fault))
        return run_fault(in, &fault);
    in->now = in->started_at = weir_tun_now();
    in->retry_at = WEIR_FOREVER;
    if (!(in->app->begin != NULL ? in->app->begin(in) : run_listen(in)))
        return false;
    bool own_end = in->app == &app_perf; /* perf counts its time from the first connection */
    in->ends_at = o->duration_us != 0 && !own_end ? in->now + o->duration_us : WEIR_FOREVER;
    in->interval_at = o->interval_us != 0 ? in->now + o->interval_us : WEIR_FOREVER;
    in->sweep_at = in->now;
    (void)weir_tun_flush(in->tun);
    run_ready_line(in);
    child_release(in);
    return true;
}

int run_app_with(const struct options *options, const struct app *app, int (*inside)(void *), void *argument)
{
    struct instance in = {.options = options, .app = app, .status = EXIT_FAILED, .child = GUARD_NONE};
    weir_fault fault;
    if (run_open(&in) && run_begin(&in, inside, argument)) {
        in.status = EXIT_FINE;
        while (!in.device_gone && !run_ended(&in))
            run_turn(&in);
        run_last_words(&in);
        if (app->report != NULL)
            app->report(&in);
        print_totals(&in);
    }
    child_end(&in);
    control_close(in.control);
    if (app->stop != NULL)
        app->stop(&in);
    if (!weir_tun_close(in.tun, &fault)) {
        complain("%s", fault.text);
        in.status = in.status == EXIT_FINE ? EXIT_FAILED : in.status;
    }
    return in.status;
}

int run_app(const struct options *options, const struct app *app)
{
    return run_app_with(options, app, NULL, NULL);
}
