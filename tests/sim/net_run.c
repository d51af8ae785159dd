/* net_run.c - the loop over virtual time, samples each millisecond, and the figures at the end. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define RUN_INSTANT_MAX 10000000u /* steps at one time: more is a loop that does not end */

void net_fail(struct net_world *w, const char *format, ...)
{
    va_list args;

    if (w->result->why[0] == 0) {
        va_start(args, format);
        (void)vsnprintf(w->result->why, sizeof w->result->why, format, args);
        va_end(args);
    }
}

weir_us net_clock(const struct net_world *w)
{
    return w->now / 1000 + SIM_SECOND;
}

/* Room for one more. */
void *net_grow(void *memory, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return memory;
    }
    *cap = *cap < 64 ? 64 : *cap * 2;
    memory = realloc(memory, *cap * size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void net_span_add(struct net_span *s, uint64_t value, uint64_t weight)
{
    if (s->weight == 0 || value < s->min) {
        s->min = value;
    }
    s->max = value > s->max ? value : s->max;
    s->sum += value * weight;
    s->weight += weight;
}

uint64_t net_span_mean(const struct net_span *s)
{
    return s->weight == 0 ? 0 : s->sum / s->weight;
}

/* ---- what is due ---- */

static bool due_before(const struct net_due *a, const struct net_due *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void net_schedule(struct net_world *w, const struct net_due *due)
{
    struct net_due one = *due;
    size_t i = w->due_count;

    w->due = net_grow(w->due, w->due_count, &w->due_cap, sizeof *w->due);
    w->due_count++;
    one.order = w->order++;
    for (; i > 0 && due_before(&one, &w->due[(i - 1) / 2]); i = (i - 1) / 2) {
        w->due[i] = w->due[(i - 1) / 2];
    }
    w->due[i] = one;
}

static struct net_due due_take(struct net_world *w)
{
    struct net_due first = w->due[0], last = w->due[--w->due_count];
    size_t i = 0, child;

    for (child = 1; child < w->due_count; child = 2 * i + 1) {
        if (child + 1 < w->due_count && due_before(&w->due[child + 1], &w->due[child])) {
            child++;
        }
        if (!due_before(&w->due[child], &last)) {
            break;
        }
        w->due[i] = w->due[child];
        i = child;
    }
    w->due[i] = last;
    return first;
}

static void run_plan(struct net_world *w, enum net_what what, uint32_t who, net_ns at)
{
    struct net_due due;

    memset(&due, 0, sizeof due);
    due.at = at;
    due.what = what;
    due.who = who;
    net_schedule(w, &due);
}

/* ---- points of plots ---- */

void net_point(struct net_world *w, struct net_series *s, uint64_t value)
{
    if (w->plotting && w->now >= NET_NS(w->plan.plot_from) && w->now <= NET_NS(w->plan.plot_to)) {
        s->point = net_grow(s->point, s->count, &s->cap, sizeof *s->point);
        s->point[s->count].at = w->now;
        s->point[s->count++].value = value;
    }
}

void net_mark(struct net_world *w, enum net_mark mark, uint64_t value)
{
    net_point(w, &w->mark[mark], value);
}

/* ---- each millisecond ---- */

static void run_sample_receiver(struct net_flow *f)
{
    const weir_conn *c = f->end[1].handle == 0 ? NULL : weir_stack_peek(f->end[1].stack, f->end[1].handle);
    weir_info info;

    if (c != NULL) {
        weir_info_get(c, &info);
        f->ring[1] = info.rcv_ring > f->ring[1] ? info.rcv_ring : f->ring[1];
    }
}

static void run_sample(struct net_world *w, uint32_t flow)
{
    struct net_flow *f = &w->flow[flow];
    const weir_conn *c = f->end[0].handle == 0 ? NULL : weir_stack_peek(f->end[0].stack, f->end[0].handle);

    if (c == NULL || weir_state(c) == WEIR_CLOSED) {
        return;
    }
    weir_info_get(c, &f->info);
    f->ring[0] = f->info.snd_ring > f->ring[0] ? f->info.snd_ring : f->ring[0];
    run_sample_receiver(f);
    if (w->now >= NET_NS(w->plan.warmup_us) && !net_flow_done(w, flow)) {
        net_span_add(&f->cwnd, f->info.snd_cwnd, 1);
    }
    net_point(w, &w->cwnd[flow], f->info.snd_cwnd);
    if (flow == 0) {
        net_mark(w, NET_MARK_ACK, f->info.octets_acked);
    }
}

static void run_counts(struct net_flow *f, struct net_counts *counts)
{
    *counts = f->counts;
    counts->timeouts = f->info.timeouts;
    counts->recoveries = f->info.fast_recoveries;
    counts->probes = f->info.tail_probes;
    counts->undone = f->info.undone;
    counts->told_retrans = f->info.total_retrans;
}

/* 90 % of the rate over 100 ms. */
static void run_filled(struct net_world *w)
{
    size_t now = w->total_count - 1;
    uint64_t octets = now < 100 ? 0 : w->total[now] - w->total[now - 100];

    if (w->result->filled_at == NET_NEVER && w->plan.rate_bps != 0 && octets * 80 >= w->plan.rate_bps * 9 / 10) {
        w->result->filled_at = w->now;
    }
}

static void run_tick(struct net_world *w)
{
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < w->plan.flow_count; i++) {
        run_sample(w, i);
        sum += w->flow[i].counts.delivered;
        if (w->now == NET_NS(w->plan.warmup_us)) {
            run_counts(&w->flow[i], &w->flow[i].before);
        }
    }
    w->total = net_grow(w->total, w->total_count, &w->total_cap, sizeof *w->total);
    w->total[w->total_count++] = sum;
    run_filled(w);
    net_point(w, &w->queued, w->queue.octets);
    run_plan(w, NET_TICK, 0, w->now + NET_MS);
}

/* ---- the schedule, and what the deficit is measured from ---- */

const char *net_knob_name(enum net_knob knob)
{
    static const char *const names[] = {"rate", "rtt", "loss", "queue"};

    return knob < NET_KNOB_COUNT ? names[knob] : "?";
}

void net_event(struct net_world *w, uint32_t index)
{
    w->result->event[index].at = w->now;
}

static void run_change(struct net_world *w, uint32_t index)
{
    const struct net_change *c = &w->plan.change[index];

    switch (c->knob) {
    case NET_KNOB_RATE:
        w->plan.rate_bps = c->value;
        break;
    case NET_KNOB_RTT:
        w->plan.rtt_us = c->value;
        break;
    case NET_KNOB_LOSS:
        w->plan.loss_ppm = (uint32_t)c->value;
        break;
    default:
        w->plan.queue_octets = (uint32_t)c->value;
    }
    net_event(w, w->plan.burst_count + index);
}

static void run_name_events(struct net_world *w)
{
    struct net_result *r = w->result;
    uint32_t i;

    for (i = 0; i < w->plan.burst_count; i++) {
        const struct net_burst *b = &w->plan.burst[i];

        (void)snprintf(r->event[i].name, sizeof r->event[i].name, "burst %u/%u", b->count, b->step);
    }
    for (i = 0; i < w->plan.change_count; i++) {
        const struct net_change *c = &w->plan.change[i];

        (void)snprintf(r->event[w->plan.burst_count + i].name, sizeof r->event[0].name, "%s=%llu", net_knob_name(c->knob),
                       (unsigned long long)c->value);
    }
    r->event_count = w->plan.burst_count + w->plan.change_count;
    for (i = 0; i < r->event_count; i++) {
        r->event[i].at = NET_NEVER;
    }
}

/* Octets that did not come in the time after, against the second before; in milliseconds of the link's rate. */
static void run_deficit(struct net_world *w, struct net_event_result *e)
{
    uint64_t at = e->at / NET_MS, before = at < 1000 ? at / 2 : 1000, after = w->plan.deficit_us / 1000, rate = w->plan.rate_bps;
    double steady, missing;

    if (e->at == NET_NEVER || before == 0 || at + after >= w->total_count || rate == 0) {
        return;
    }
    steady = (double)(w->total[at] - w->total[at - before]) / (double)before;
    missing = steady * (double)after - (double)(w->total[at + after] - w->total[at]);
    e->steady_bps = steady * 8000;
    e->deficit_ms = missing * 8000 / (double)rate;
    e->measured = true;
}

/* ---- one step ---- */

static void run_do(struct net_world *w, const struct net_due *due)
{
    switch (due->what) {
    case NET_ENTER:
        net_enter(w, due->packet);
        break;
    case NET_LINK_FREE:
        net_link_free(w);
        break;
    case NET_ARRIVE:
        net_host_arrive(w, due->packet);
        break;
    case NET_WAKE:
        net_host_wake(w, due->who / 2, due->who % 2);
        break;
    case NET_START:
        net_host_start(w, due->who);
        break;
    case NET_CHANGE:
        run_change(w, due->who);
        break;
    case NET_TICK:
        run_tick(w);
        break;
    default:
        net_thin_due(w, due->who, due->packet);
    }
}

static bool run_all_done(const struct net_world *w)
{
    uint32_t i;

    for (i = 0; i < w->plan.flow_count && net_flow_done(w, i); i++) {
        continue;
    }
    return i == w->plan.flow_count;
}

/* On a terminal a line that changes, elsewhere a line now and then. */
static void run_progress(const struct net_world *w, const struct net_run_options *o, net_ns end)
{
    static time_t started, shown;
    time_t now = time(NULL);
    bool terminal = isatty(STDERR_FILENO) != 0;

    if (w->result->steps == 0) {
        started = o->round == 0 ? now : started;
        shown = o->round == 0 ? now : shown;
    }
    if (o->quiet || now - started < 2 || now - shown < (terminal ? 1 : 10)) {
        return;
    }
    shown = now;
    fprintf(stderr, "%sweir-sim: ", terminal ? "\r" : "");
    if (o->rounds > 1) {
        fprintf(stderr, "run %u of %u, ", o->round + 1, o->rounds);
    }
    fprintf(stderr, "%llu of %llu s of virtual time, %llu packets%s", (unsigned long long)(w->now / NET_NS(SIM_SECOND)),
            (unsigned long long)(end / NET_NS(SIM_SECOND)), (unsigned long long)w->made, terminal ? "   \r" : "\n");
}

static void run_loop(struct net_world *w, const struct net_run_options *o)
{
    net_ns end = NET_NS(w->plan.time_us), instant = NET_NEVER;
    uint64_t steps_then = 0;
    struct net_due due;

    run_progress(w, o, end);
    while (w->due_count > 0 && w->due[0].at <= end && w->result->why[0] == 0 && !run_all_done(w)) {
        due = due_take(w);
        w->now = due.at > w->now ? due.at : w->now;
        if (w->now != instant) {
            instant = w->now;
            steps_then = w->result->steps;
        } else if (w->result->steps - steps_then > RUN_INSTANT_MAX) {
            net_fail(w, "time stands still at %llu ns", (unsigned long long)w->now);
        }
        if ((++w->result->steps & 0xffff) == 0) {
            run_progress(w, o, end);
        }
        run_do(w, &due);
    }
    if (!run_all_done(w) && w->result->why[0] == 0) {
        w->now = end;
    }
}

/* ---- the end ---- */

static void run_add(struct net_counts *to, const struct net_counts *before)
{
    to->delivered -= before->delivered;
    to->packets -= before->packets;
    to->retrans -= before->retrans;
    to->needed = to->needed > before->needed ? to->needed - before->needed : 0; /* a verdict may be turned round */
    to->spurious = to->spurious > before->spurious ? to->spurious - before->spurious : 0;
    to->spurious_flights -= before->spurious_flights;
    to->lost -= before->lost;
    to->queue_lost -= before->queue_lost;
    to->acks -= before->acks;
    to->acks_lost -= before->acks_lost;
    to->timeouts -= before->timeouts;
    to->recoveries -= before->recoveries;
    to->probes -= before->probes;
    to->undone -= before->undone;
    to->told_retrans -= before->told_retrans;
}

static void run_flow_result(struct net_world *w, uint32_t flow)
{
    struct net_flow_result *r = &w->result->flow[flow];
    const struct net_flow_plan *plan = &w->plan.flow[flow];
    struct net_flow *f = &w->flow[flow];
    net_ns from = NET_NS(plan->start > w->plan.warmup_us ? plan->start : w->plan.warmup_us);
    net_ns to = f->done_at != 0 ? f->done_at : w->now;
    const weir_conn *c = f->end[0].handle == 0 ? NULL : weir_stack_peek(f->end[0].stack, f->end[0].handle);

    run_sample(w, flow);
    run_counts(f, &r->all);
    r->counts = r->all;
    run_add(&r->counts, &f->before);
    r->goodput_bps = to > from ? (double)r->counts.delivered * 8e9 / (double)(to - from) : 0;
    r->start = plan->start;
    r->done_at = f->done_at / 1000;
    r->rtt = f->rtt;
    r->cwnd = f->cwnd;
    r->srtt = f->info.rtt;
    r->delivery_rate = f->info.delivery_rate;
    r->pacing_rate = f->info.pacing_rate;
    r->rto = f->info.rto;
    r->ssthresh = f->info.snd_ssthresh;
    for (uint32_t end = 0; end < 2; end++) {
        r->ring[end] = f->ring[end];
        r->ring_memory[end] = weir_stack_stats(f->end[end].stack)->ring_octets_peak;
    }
    r->connected = f->seen_syn && r->all.delivered > 0;
    r->err = c == NULL ? WEIR_ERR_NONE : weir_error(c);
}

static void run_totals(struct net_world *w)
{
    struct net_result *r = w->result;
    net_ns span = w->now > NET_NS(w->plan.warmup_us) ? w->now - NET_NS(w->plan.warmup_us) : 0;
    double sum = 0, squares = 0, octets = 0;
    uint32_t i;

    for (i = 0; i < w->plan.flow_count; i++) {
        double x = r->flow[i].goodput_bps;

        sum += x;
        squares += x * x;
        octets += (double)r->flow[i].counts.delivered;
    }
    r->jain = squares > 0 ? sum * sum / ((double)w->plan.flow_count * squares) : 0;
    r->goodput_bps = span > 0 ? octets * 8e9 / (double)span : 0;
    r->utilisation = w->plan.rate_bps != 0 ? r->goodput_bps / (double)w->plan.rate_bps : 0;
    r->packets = w->made;
    r->end = w->now;
    net_queue_watch(w);
    r->queue = w->queue_span;
    for (i = 0; i < r->event_count; i++) {
        run_deficit(w, &r->event[i]);
    }
}

/* No packet is forgotten, and no connection is out of order. */
static void run_check(struct net_world *w)
{
    uint64_t flying = w->queue.packets + (w->queue.on_wire != NULL);
    const char *broken;
    uint32_t i, end;
    size_t d;

    for (d = 0; d < w->due_count; d++) {
        flying += w->due[d].what == NET_ENTER || w->due[d].what == NET_ARRIVE;
    }
    for (i = 0; i < w->plan.flow_count; i++) {
        flying += w->flow[i].held != NULL;
        for (end = 0; end < 2; end++) {
            broken = weir_stack_check(w->flow[i].end[end].stack);
            if (broken != NULL) {
                net_fail(w, "flow %u: invariant: %s", i + 1, broken);
            }
        }
    }
    if (w->made != w->arrived + w->dropped + flying) {
        net_fail(w, "%llu packets were sent, %llu arrived, %llu were dropped and %llu are on their way", (unsigned long long)w->made,
                 (unsigned long long)w->arrived, (unsigned long long)w->dropped, (unsigned long long)flying);
    }
}

static void run_free_list(struct net_packet *p)
{
    struct net_packet *next;

    for (; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
}

static void run_free(struct net_world *w)
{
    uint32_t i;
    size_t d;

    for (d = 0; d < w->due_count; d++) {
        if (w->due[d].what == NET_ENTER || w->due[d].what == NET_ARRIVE) {
            free(w->due[d].packet);
        }
    }
    free(w->queue.on_wire);
    run_free_list(w->queue.first);
    run_free_list(w->free_packets);
    for (i = 0; i < NET_FLOWS_MAX; i++) {
        free(w->flow[i].held);
        free(w->flow[i].ledger.piece);
        free(w->flow[i].end[0].memory);
        free(w->flow[i].end[1].memory);
        free(w->cwnd[i].point);
    }
    for (i = 0; i < NET_MARK_COUNT; i++) {
        free(w->mark[i].point);
    }
    free(w->queued.point);
    free(w->total);
    free(w->due);
    free(w);
}

/* ---- the beginning ---- */

static bool run_capture(struct net_world *w, const char *path)
{
    weir_pcapng_about about;
    weir_fault fault;

    memset(&about, 0, sizeof about);
    memset(&fault, 0, sizeof fault);
    about.path = path;
    about.interface = "sender";
    about.application = "weir-sim";
    w->capture = weir_pcapng_open(&about, &fault);
    if (w->capture == NULL) {
        net_fail(w, "%s", fault.text);
    }
    return w->capture != NULL;
}

static void run_capture_end(struct net_world *w)
{
    weir_fault fault;

    memset(&fault, 0, sizeof fault);
    if (w->capture != NULL && !weir_pcapng_close(w->capture, NULL, w->now / 1000, &fault)) {
        net_fail(w, "%s", fault.text);
    }
}

/* The second around the first thing that happens, unless it was said. */
static void run_plot_window(struct net_plan *p)
{
    weir_us at = p->burst_count > 0 && !p->burst[0].by_octet ? p->burst[0].at : p->change_count > 0 ? p->change[0].at : 0;

    if (p->plot_to == 0) {
        p->plot_from = at > 100000 ? at - 100000 : 0;
        p->plot_to = at != 0 ? p->plot_from + SIM_SECOND : p->time_us;
    }
}

static void run_begin(struct net_world *w)
{
    const struct net_plan *p = &w->plan;
    uint32_t i;

    w->loss = sim_rng_for(p->seed, 1);
    w->ack_loss = sim_rng_for(p->seed, 2);
    w->reorder = sim_rng_for(p->seed, 3);
    w->jitter = sim_rng_for(p->seed, 4);
    w->gilbert = sim_rng_for(p->seed, 5);
    w->packet_size = 0;
    for (i = 0; i < p->flow_count; i++) {
        w->packet_size = p->flow[i].config.mtu > w->packet_size ? p->flow[i].config.mtu : w->packet_size;
    }
    for (i = 0; i < p->change_count; i++) {
        run_plan(w, NET_CHANGE, i, NET_NS(p->change[i].at));
    }
    for (i = 0; i < p->flow_count && w->result->why[0] == 0; i++) {
        if (net_host_build(w, i, 0) && net_host_build(w, i, 1)) {
            run_plan(w, NET_START, i, NET_NS(p->flow[i].start));
        }
    }
    run_plan(w, NET_TICK, 0, 0);
    run_name_events(w);
    w->result->filled_at = NET_NEVER;
}

/* True if nothing is broken; else result->why says what. */
bool net_run(const struct net_plan *plan, const struct net_run_options *options, struct net_result *result)
{
    struct net_world *w = calloc(1, sizeof *w);
    uint32_t i;

    if (w == NULL) {
        abort();
    }
    memset(result, 0, sizeof *result);
    w->plan = *plan;
    w->result = result;
    w->plotting = options->plot != NULL;
    run_plot_window(&w->plan);
    run_begin(w);
    if (result->why[0] == 0 && (options->capture == NULL || run_capture(w, options->capture))) {
        run_loop(w, options);
        for (i = 0; i < plan->flow_count; i++) {
            run_flow_result(w, i);
        }
        run_totals(w);
        run_check(w);
        run_capture_end(w);
        if (options->plot != NULL && !net_plot(w, options->plot)) {
            net_fail(w, "the plots were not drawn");
        }
    }
    run_free(w);
    return result->why[0] == 0;
}
