/* app_perf.c - measures the rate of sending or receiving over one or more connections, with the kernel at the other end. */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PERF_SECOND UINT64_C(1000000)
#define PERF_CHUNK (128 * 1024)

struct perf_run {
    weir_us begun_at, ends_at, tick_at, last_at;
    uint64_t last_octets, last_retransmitted;
    uint64_t octets; /* when the time was up */
    weir_us took_us;
    uint64_t retransmitted;
    bool over;
};

static weir_us perf_duration(const struct options *o)
{
    return o->duration_us != 0 ? o->duration_us : 10 * PERF_SECOND;
}

static weir_us perf_interval(const struct options *o)
{
    return o->interval_us != 0 ? o->interval_us : PERF_SECOND;
}

/* Octets that count so far: acknowledged, or received. */
static uint64_t perf_octets(const struct instance *in)
{
    bool send = in->options->send;
    uint64_t sum = send ? in->totals.octets_out : in->totals.octets_in;
    for (const struct session *s = in->sessions; s != NULL; s = s->next) {
        weir_info info;
        const weir_conn *c = weir_stack_peek(in->stack, s->conn);
        if (c == NULL)
            continue;
        weir_info_get(c, &info);
        sum += send ? info.octets_acked : info.octets_received;
    }
    return sum;
}

static uint64_t perf_bits(uint64_t octets, weir_us us)
{
    return us == 0 ? 0 : (uint64_t)((double)octets * 8e6 / (double)us);
}

static void perf_line(const struct instance *in, double seconds, uint64_t octets, weir_us us, uint64_t retransmitted)
{
    char rate[WEIR_AMOUNT_TEXT], amount[WEIR_AMOUNT_TEXT];
    (void)printf("%7.1f s  %14s  %12s  retransmitted %llu  connections %u\n", seconds,
                 weir_format_rate(rate, perf_bits(octets, us)), weir_format_octets(amount, octets),
                 (unsigned long long)retransmitted, in->session_count);
}

static void perf_tick(struct instance *in)
{
    struct perf_run *run = in->state.perf;
    uint64_t octets = perf_octets(in), retransmitted = weir_stack_stats(in->stack)->retransmitted;
    weir_us us = in->now - run->last_at;
    double seconds = (double)(in->now - run->begun_at) / 1e6;
    if (in->options->json)
        (void)printf(
            "{\"type\":\"interval\",\"seconds\":%.3f,\"octets\":%llu,\"bits_per_second\":%llu,\"retransmitted\":%llu,"
            "\"connections\":%u}\n",
            seconds, (unsigned long long)(octets - run->last_octets),
            (unsigned long long)perf_bits(octets - run->last_octets, us),
            (unsigned long long)(retransmitted - run->last_retransmitted), in->session_count);
    else if (in->options->quiet == 0)
        perf_line(in, seconds, octets - run->last_octets, us, retransmitted - run->last_retransmitted);
    (void)fflush(stdout);
    run->last_at = in->now;
    run->last_octets = octets;
    run->last_retransmitted = retransmitted;
    run->tick_at = in->now + perf_interval(in->options);
}

static void perf_stop_clock(struct instance *in)
{
    struct perf_run *run = in->state.perf;
    if (run->over || run->begun_at == 0)
        return;
    run->over = true;
    run->octets = perf_octets(in);
    run->took_us = in->now - run->begun_at;
    run->retransmitted = weir_stack_stats(in->stack)->retransmitted;
    run->tick_at = run->ends_at = WEIR_FOREVER;
}

static void perf_turn(struct instance *in, const struct pollfd *fds, size_t count)
{
    struct perf_run *run = in->state.perf;
    (void)fds;
    (void)count;
    if (run->begun_at == 0 || run->over)
        return;
    if (in->quitting != 0)
        perf_stop_clock(in);
    else if (in->now >= run->ends_at) {
        perf_stop_clock(in);
        /* A kernel peer that sends keeps time for itself, with a little grace for the last octets. */
        if (!in->options->kernel_peer)
            run_quit(in);
    } else if (in->now >= run->tick_at)
        perf_tick(in);
}

static weir_us perf_until(const struct instance *in)
{
    const struct perf_run *run = in->state.perf;
    if (run->begun_at == 0 || run->over)
        return WEIR_FOREVER;
    return run->tick_at < run->ends_at ? run->tick_at : run->ends_at;
}

static void perf_opened(struct instance *in, struct session *s)
{
    struct perf_run *run = in->state.perf;
    (void)s;
    if (run->begun_at != 0)
        return;
    run->begun_at = run->last_at = in->now;
    run->tick_at = in->now + perf_interval(in->options);
    run->ends_at = in->now + perf_duration(in->options);
}

static unsigned perf_serve_send(struct instance *in, struct session *s)
{
    weir_conn *c = run_conn(in, s);
    size_t room;
    if (in->state.perf->over)
        run_close(in, s);
    for (unsigned turn = 0; turn < 2 && !s->closing; turn++) { /* a ring shows two runs at most */
        uint8_t *to = weir_tx_reserve(c, &room);
        if (room == 0)
            break;
        memset(to, 'w', room);
        (void)weir_tx_commit(c, room, 0, in->now);
    }
    if (run_drain(in, s, NULL)) {
        run_done(in, s);
        return 0;
    }
    return WEIR_EV_READABLE | WEIR_EV_PEER_FIN | (s->closing ? 0 : WEIR_EV_WRITABLE);
}

static unsigned perf_serve(struct instance *in, struct session *s, unsigned events)
{
    (void)events;
    if (in->options->send)
        return perf_serve_send(in, s);
    if (run_drain(in, s, NULL))
        run_done(in, s);
    return WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
}

static void perf_ended(struct instance *in, struct session *s, weir_err err)
{
    (void)s;
    if (err != WEIR_ERR_NONE && in->quitting == 0) {
        complain("%s", weir_err_name(err));
        in->status = EXIT_FAILED;
    }
    /* The session still counts: it is taken off the list after this. */
    if (in->session_count == 1 && in->quitting == 0) {
        perf_stop_clock(in);
        if (!in->options->kernel_peer)
            run_quit(in);
    }
}

static void perf_report(struct instance *in)
{
    struct perf_run *run = in->state.perf;
    const char *direction = in->options->send ? "sent" : "received";
    char rate[WEIR_AMOUNT_TEXT], amount[WEIR_AMOUNT_TEXT], took[WEIR_AMOUNT_TEXT];
    perf_stop_clock(in);
    if (run->begun_at == 0) {
        complain("no connection was made");
        in->status = in->status == EXIT_FINE ? EXIT_FAILED : in->status;
        return;
    }
    if (in->options->json)
        (void)printf(
            "{\"type\":\"perf\",\"direction\":\"%s\",\"seconds\":%.6f,\"octets\":%llu,\"bits_per_second\":%llu,"
            "\"retransmitted\":%llu,\"connections\":%llu}\n",
            direction, (double)run->took_us / 1e6, (unsigned long long)run->octets,
            (unsigned long long)perf_bits(run->octets, run->took_us), (unsigned long long)run->retransmitted,
            (unsigned long long)in->totals.sessions);
    else {
        (void)printf("%s %s in %s over %llu connection%s: %s, %llu segments retransmitted\n", direction,
                     weir_format_octets(amount, run->octets), weir_format_duration(took, run->took_us),
                     (unsigned long long)in->totals.sessions, in->totals.sessions == 1 ? "" : "s",
                     weir_format_rate(rate, perf_bits(run->octets, run->took_us)),
                     (unsigned long long)run->retransmitted);
        if (in->options->quiet == 0 && in->totals.sessions != 0)
            print_info(stdout, &in->totals.largest);
    }
    (void)fflush(stdout);
}

static bool perf_start(struct instance *in)
{
    in->state.perf = calloc(1, sizeof *in->state.perf);
    return in->state.perf != NULL;
}

static bool perf_begin(struct instance *in)
{
    if (!in->options->remote_given)
        return run_listen(in);
    for (uint64_t i = 0; i < in->options->parallel; i++) {
        if (run_connect(in) == NULL)
            return false;
    }
    return true;
}

static void perf_stop(struct instance *in)
{
    free(in->state.perf);
}

const struct app app_perf = {
    .session_size = sizeof(struct session),
    .port = 5201,
    .start = perf_start,
    .begin = perf_begin,
    .opened = perf_opened,
    .serve = perf_serve,
    .ended = perf_ended,
    .turn = perf_turn,
    .until = perf_until,
    .report = perf_report,
    .stop = perf_stop,
};

/* ---- the other end, over the kernel's sockets: runs in a process of its own, inside the namespace ---- */

static int perf_peer_socket(void)
{
    const char *addr4 = getenv("WEIR_ADDR"), *addr6 = getenv("WEIR_ADDR6"), *port_text = getenv("WEIR_PORT");
    uint16_t port = 0;
    if (port_text == NULL || weir_parse_port(port_text, &port) != NULL)
        return -1;
    int fd = socket(addr4 != NULL ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* BBR, where it is the system's choice, paces itself with a timer for each burst: it would be what is measured. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", sizeof "reno" - 1);
    struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (addr4 != NULL && inet_pton(AF_INET, addr4, &to4.sin_addr) == 1 &&
        connect(fd, (const struct sockaddr *)&to4, sizeof to4) == 0)
        return fd;
    if (addr4 == NULL && addr6 != NULL && inet_pton(AF_INET6, addr6, &to6.sin6_addr) == 1 &&
        connect(fd, (const struct sockaddr *)&to6, sizeof to6) == 0)
        return fd;
    complain("the other end cannot connect: %s", strerror(errno));
    return -1;
}

static int perf_peer_one(const struct options *o)
{
    static char octets[PERF_CHUNK];
    weir_us ends_at = weir_tun_now() + perf_duration(o);
    int fd = perf_peer_socket();
    ssize_t count = 1;
    if (fd < 0)
        return EXIT_FAILED;
    if (o->send) {
        while (count > 0)
            count = read(fd, octets, sizeof octets);
    } else {
        memset(octets, 'k', sizeof octets);
        while (count > 0 && weir_tun_now() < ends_at)
            count = write(fd, octets, sizeof octets);
        (void)shutdown(fd, SHUT_WR);
        while (count > 0 && read(fd, octets, sizeof octets) > 0)
            ;
    }
    return count < 0 ? EXIT_FAILED : EXIT_FINE;
}

static int perf_peer(void *argument)
{
    const struct options *o = argument;
    int worst = EXIT_FINE, status;
    uint64_t started = 0;
    for (; started < o->parallel; started++) {
        pid_t child = fork();
        if (child == 0)
            _exit(perf_peer_one(o));
        if (child < 0)
            break;
    }
    worst = started == o->parallel ? EXIT_FINE : EXIT_FAILED;
    for (; started > 0 && wait(&status) > 0; started--) {
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            worst = EXIT_FAILED;
    }
    return worst;
}

int perf_main(const struct options *options)
{
    struct options copy = *options;
    return options->kernel_peer ? run_app_with(options, &app_perf, perf_peer, &copy) : run_app(options, &app_perf);
}
