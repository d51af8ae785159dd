/* app_link.c - an impaired wire between two network namespaces: what runs at its ends is any TCP's affair. */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link_run {
    const struct options *options;
    weir_wire *wire;
    struct guard command[WEIR_WIRE_ENDS];
    weir_prefix addr4[WEIR_WIRE_ENDS], addr6[WEIR_WIRE_ENDS];
    int status[WEIR_WIRE_ENDS]; /* of the commands; -1: not ended, or none */
    weir_us began_at, ends_at, tick_at;
    bool stopped;               /* by a signal */
};

/* What one command's process needs to know. */
struct link_task {
    const struct link_run *run;
    enum weir_wire_end end;
};

static const char *const link_names[WEIR_WIRE_ENDS] = {"left", "right"};

static const struct options_side *link_side(const struct options *o, enum weir_wire_end end)
{
    return end == WEIR_WIRE_LEFT ? &o->left : &o->right;
}

/* ---- setting up ---- */

static void link_addresses(struct link_run *run)
{
    const weir_tun_config *device = &run->options->device;
    const weir_prefix *own[2] = {&device->addr4, &device->addr6};
    const weir_addr *peer[2] = {&device->peer4, &device->peer6};
    for (unsigned v6 = 0; v6 < 2; v6++) {
        weir_prefix *to = v6 != 0 ? run->addr6 : run->addr4;
        if (own[v6]->len == 0)
            continue;
        to[WEIR_WIRE_LEFT] = to[WEIR_WIRE_RIGHT] = *own[v6];
        to[WEIR_WIRE_RIGHT].addr = weir_addr_is_unspecified(peer[v6]) ? weir_tun_default_peer(own[v6]) : *peer[v6];
    }
}

/* "a" is /run/netns/a, as ip netns has it. */
static const char *link_netns(const char *name, char path[256])
{
    if (name == NULL || strchr(name, '/') != NULL)
        return name;
    (void)snprintf(path, 256, "/run/netns/%s", name);
    return path;
}

static bool link_fault(const weir_fault *fault, int *status)
{
    complain("%s", fault->text);
    *status = (int)fault->kind;
    return false;
}

static bool link_open(struct link_run *run, int *status)
{
    const struct options *o = run->options;
    weir_wire_config config;
    weir_fault fault = {.kind = WEIR_FAULT_FAILED};
    char paths[WEIR_WIRE_ENDS][256];
    weir_wire_config_init(&config);
    config.name = o->device.name;
    config.mtu = o->device.mtu;
    config.seed = o->device.seed;
    config.application = "weir-tun " WEIR_VERSION;
    config.to[WEIR_WIRE_LEFT] = o->device.in;
    config.to[WEIR_WIRE_RIGHT] = o->device.out;
    link_addresses(run);
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++) {
        const struct options_side *side = link_side(o, end);
        config.side[end] = (weir_wire_side){.netns = link_netns(side->netns, paths[end]), .socket = side->socket,
                                            .addr4 = run->addr4[end], .addr6 = run->addr6[end], .pcapng = side->pcapng};
    }
    run->wire = weir_wire_open(&config, &fault);
    return run->wire != NULL || link_fault(&fault, status);
}

static void link_variable(const char *name, const weir_prefix *prefix)
{
    char text[WEIR_ADDR_TEXT];
    if (prefix->len != 0)
        (void)setenv(name, weir_format_addr(text, &prefix->addr), 1);
}

/* In the process of a command: its namespace, its socket, its environment. */
static int link_inside(void *argument)
{
    const struct link_task *task = argument;
    const struct link_run *run = task->run;
    char shell[] = "/bin/sh", option[] = "-c", number[16];
    char *words[] = {shell, option, NULL, NULL};
    weir_fault fault;
    int fd = weir_wire_socket(run->wire, task->end);
    if (!weir_wire_enter(run->wire, task->end, &fault)) {
        complain("%s", fault.text);
        return EXIT_FAILED;
    }
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, 0);
        (void)snprintf(number, sizeof number, "%d", fd);
        (void)setenv("WEIR_FD", number, 1);
    } else {
        (void)setenv("WEIR_TUN", weir_wire_name(run->wire, task->end), 1);
    }
    link_variable("WEIR_ADDR", &run->addr4[task->end]);
    link_variable("WEIR_PEER", &run->addr4[1 - task->end]);
    link_variable("WEIR_ADDR6", &run->addr6[task->end]);
    link_variable("WEIR_PEER6", &run->addr6[1 - task->end]);
    words[2] = strdup(link_side(run->options, task->end)->run);
    return words[2] == NULL ? EXIT_FAILED : guard_exec(words);
}

/* Before privileges are dropped: the guards need theirs to end what they run. */
static bool link_commands(struct link_run *run)
{
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++) {
        struct link_task task = {run, end}; /* the fork has a copy */
        if (link_side(run->options, end)->run == NULL)
            continue;
        if (!guard_start(&run->command[end], link_inside, &task))
            return false;
        if (!weir_wire_watch(run->wire, run->command[end].pidfd)) {
            complain("cannot wait for a command: %s", strerror(errno));
            return false;
        }
    }
    weir_wire_sockets_given(run->wire);
    return true;
}

static void link_realtime(const struct options *o)
{
    struct sched_param priority = {.sched_priority = 2}; /* what runs at its ends may have 1 */
    if (o->realtime && sched_setscheduler(0, SCHED_RR, &priority) != 0)
        complain("--realtime: %s; run as root outside of a container, or without it", strerror(errno));
}

static void link_ready(const struct link_run *run)
{
    const struct options *o = run->options;
    char text[WEIR_WIRE_ENDS][WEIR_ADDR_TEXT], line[256];
    bool v4 = o->device.addr4.len != 0;
    int len;
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++)
        (void)weir_format_addr(text[end], v4 ? &run->addr4[end].addr : &run->addr6[end].addr);
    len = snprintf(line, sizeof line, "ready left %s right %s seed %llu\n", text[WEIR_WIRE_LEFT], text[WEIR_WIRE_RIGHT],
                   (unsigned long long)weir_wire_seed(run->wire));
    if (o->quiet == 0)
        (void)fprintf(stderr, "%s", line);
    if (o->ready_fd < 0)
        return;
    if (write(o->ready_fd, line, (size_t)len) != len)
        complain("--ready-fd %d: %s; pass an open descriptor", o->ready_fd, strerror(errno));
    (void)close(o->ready_fd);
}

/* ---- saying what happened ---- */

static void link_print_way(FILE *to, enum weir_wire_end end, const weir_wire_end_stats *s)
{
    char amount[WEIR_AMOUNT_TEXT];
    (void)fprintf(to,
                  "to the %s: %llu packets (%s), %llu delivered; %llu lost, %llu by pattern, %llu queue full, %llu no memory, "
                  "%llu twice, %llu corrupted, %llu overtaken, %llu refused; late %llu us at most, %llu a millisecond or more\n",
                  link_names[end], (unsigned long long)s->link.pushed, weir_format_octets(amount, s->link.octets_pushed),
                  (unsigned long long)s->delivered, (unsigned long long)s->link.lost,
                  (unsigned long long)s->link.pattern_dropped, (unsigned long long)s->link.tail_dropped,
                  (unsigned long long)s->link.no_memory, (unsigned long long)s->link.duplicated,
                  (unsigned long long)s->link.corrupted, (unsigned long long)s->link.reordered, (unsigned long long)s->refused,
                  (unsigned long long)s->late_max_us, (unsigned long long)s->late_ms);
}

static void link_print_way_json(FILE *to, enum weir_wire_end end, const weir_wire_end_stats *s)
{
    (void)fprintf(to,
                  ",\"%s\":{\"pushed\":%llu,\"octets\":%llu,\"delivered\":%llu,\"octets_delivered\":%llu,\"lost\":%llu,"
                  "\"pattern_dropped\":%llu,\"pattern_at_us\":%llu,\"tail_dropped\":%llu,\"no_memory\":%llu,\"duplicated\":%llu,"
                  "\"corrupted\":%llu,\"reordered\":%llu,\"refused\":%llu,\"queued\":%u,\"queued_peak\":%u,\"late_sum_us\":%llu,"
                  "\"late_max_us\":%llu,\"late_ms\":%llu}",
                  link_names[end], (unsigned long long)s->link.pushed, (unsigned long long)s->link.octets_pushed,
                  (unsigned long long)s->delivered, (unsigned long long)s->link.octets_popped, (unsigned long long)s->link.lost,
                  (unsigned long long)s->link.pattern_dropped, (unsigned long long)s->link.pattern_at,
                  (unsigned long long)s->link.tail_dropped, (unsigned long long)s->link.no_memory,
                  (unsigned long long)s->link.duplicated, (unsigned long long)s->link.corrupted,
                  (unsigned long long)s->link.reordered, (unsigned long long)s->refused, s->link.queued, s->link.queued_peak,
                  (unsigned long long)s->late_sum_us, (unsigned long long)s->late_max_us, (unsigned long long)s->late_ms);
}

static void link_print(FILE *to, const struct link_run *run, const char *type)
{
    weir_wire_end_stats stats[WEIR_WIRE_ENDS];
    double seconds = (double)(weir_tun_now() - run->began_at) / 1e6;
    weir_wire_get_stats(run->wire, stats);
    if (run->options->json)
        (void)fprintf(to, "{\"type\":\"%s\",\"seconds\":%.3f,\"seed\":%llu,\"began_at_us\":%llu", type, seconds,
                      (unsigned long long)weir_wire_seed(run->wire), (unsigned long long)run->began_at);
    else
        (void)fprintf(to, "after %.1f s\n", seconds);
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++)
        (run->options->json ? link_print_way_json : link_print_way)(to, end, &stats[end]);
    if (run->options->json)
        (void)fputs("}\n", to);
    (void)fflush(to);
}

/* ---- running ---- */

static void link_reap(struct link_run *run)
{
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++) {
        struct guard *command = &run->command[end];
        int status = -1;
        if (command->pid <= 0 || !guard_reap(command, &status))
            continue;
        run->status[end] = status;
        if (run->options->verbose != 0)
            (void)fprintf(stderr, "the command at the %s end ended with %d\n", link_names[end], status);
    }
}

/* Both commands have ended, or one has failed; or one has, and the other has had its time to end too. */
static bool link_over(struct link_run *run, weir_us now)
{
    bool left = run->options->left.run != NULL, right = run->options->right.run != NULL;
    bool left_ended = run->status[WEIR_WIRE_LEFT] >= 0, right_ended = run->status[WEIR_WIRE_RIGHT] >= 0;
    if (run->status[WEIR_WIRE_LEFT] > 0 || run->status[WEIR_WIRE_RIGHT] > 0)
        return true;
    if ((left || right) && left == left_ended && right == right_ended)
        return true;
    if (left_ended && now + run->options->grace_us < run->ends_at)
        run->ends_at = now + run->options->grace_us;
    return now >= run->ends_at;
}

static weir_us link_until(const struct link_run *run)
{
    return run->tick_at < run->ends_at ? run->tick_at : run->ends_at;
}

static void link_tick(struct link_run *run, weir_us now)
{
    if (now < run->tick_at)
        return;
    link_print(stdout, run, "interval");
    run->tick_at = now + run->options->interval_us;
}

/* Packets until the end; false: a device has gone. */
static bool link_loop(struct link_run *run)
{
    weir_fault fault;
    for (;;) {
        unsigned happened = weir_wire_step(run->wire, link_until(run));
        weir_us now = weir_tun_now();
        while (weir_wire_trouble(run->wire, &fault))
            complain("%s", fault.text);
        if ((happened & WEIR_TUN_GONE) != 0)
            return false;
        if ((happened & WEIR_TUN_DUMP) != 0)
            link_print(stderr, run, "link");
        if ((happened & WEIR_TUN_FDS) != 0)
            link_reap(run);
        link_tick(run, now);
        run->stopped = (happened & WEIR_TUN_QUIT) != 0;
        if (run->stopped || link_over(run, now))
            return true;
    }
}

/* The left command's status, else the right one's; one that had to be stopped from outside is no success. */
static int link_status(const struct link_run *run)
{
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++)
        if (run->status[end] > 0)
            return run->status[end];
    bool waited_for = run->options->left.run != NULL && run->status[WEIR_WIRE_LEFT] < 0;
    return run->stopped && waited_for ? EXIT_FAILED : EXIT_FINE;
}

static void link_stop_commands(struct link_run *run)
{
    int ignored;
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++)
        guard_stop(&run->command[end]);
    for (unsigned end = 0; end < WEIR_WIRE_ENDS; end++) {
        guard_wait(&run->command[end], 3 * GUARD_TERM_MS);
        (void)guard_reap(&run->command[end], &ignored);
    }
}

static int link_carry(struct link_run *run)
{
    weir_fault fault;
    int status = EXIT_FAILED;
    if (!link_commands(run))
        return EXIT_FAILED;
    link_realtime(run->options);
    if (!weir_tun_drop_privileges(NULL, &fault)) {
        (void)link_fault(&fault, &status);
        return status;
    }
    run->began_at = weir_tun_now();
    run->ends_at = run->options->duration_us != 0 ? run->began_at + run->options->duration_us : WEIR_FOREVER;
    run->tick_at = run->options->interval_us != 0 ? run->began_at + run->options->interval_us : WEIR_FOREVER;
    link_ready(run);
    for (unsigned end = WEIR_WIRE_ENDS; end-- > 0;) /* the right one is the likelier to listen */
        guard_release(&run->command[end]);
    status = link_loop(run) ? link_status(run) : EXIT_FAILED;
    if (run->options->quiet == 0 || run->options->json)
        link_print(stdout, run, "link");
    return status;
}

int link_main(const struct options *options)
{
    struct link_run run = {.options = options, .command = {GUARD_NONE, GUARD_NONE}, .status = {-1, -1}};
    weir_fault fault;
    int status = EXIT_FAILED;
    if (link_open(&run, &status))
        status = link_carry(&run);
    link_stop_commands(&run);
    if (!weir_wire_close(run.wire, &fault)) {
        complain("%s", fault.text);
        status = status == EXIT_FINE ? EXIT_FAILED : status;
    }
    return status;
}
