/* world.c - the loop over virtual time, the hosts' loops of weir/stack.h, and the oracles that are not about streams.
 *
 * A host does exactly what the head of weir/stack.h says, once each time it wakes: input, expire, ready, poll. It wakes when a
 * packet has come, at its deadline and when a user has acted, never for another reason: what weir forgets stays forgotten. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../repack.h"
#include "sim.h"

/* A whole cycle of backoff at 120 s and the longest sleep of a user fit in many times. */
#define WORLD_STALL_US (3600 * SIM_SECOND)
#define WORLD_QUIESCE_US (6 * 3600 * SIM_SECOND)
#define WORLD_WATCH_US (100 * SIM_SECOND)
#define WORLD_PACE_MAX 150u /* per cent of what world_stream_us allows */
#define WORLD_STEPS_MAX 4000000u
#define WORLD_INSTANT_MAX 4000u

void sim_fail(struct sim_world *w, const char *format, ...)
{
    va_list args;

    if (w->result->why[0] != 0) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(w->result->why, sizeof w->result->why, format, args);
    va_end(args);
    if (w->options->verbose) {
        printf("FAILED: %s\n", w->result->why);
    }
}

bool sim_failed(const struct sim_world *w)
{
    return w->result->why[0] != 0;
}

void sim_progress(struct sim_world *w, struct sim_connection *c)
{
    w->progress_at = w->now;
    c->progress_at = w->now;
}

/* ---- hosts ---- */

/* What the host's clock shows; some clocks step back a little now and then. */
weir_us sim_host_now(struct sim_world *w, uint32_t host)
{
    const struct sim_host_plan *plan = &w->scenario.host[host];
    weir_us now = plan->origin + w->now;

    if (plan->clock_steps_back && sim_percent(&w->rng, 5)) {
        uint32_t back = sim_below(&w->rng, 2000);

        return now > back ? now - back : 0;
    }
    return now;
}

void sim_host_wake(struct sim_world *w, uint32_t host, weir_us at)
{
    if (at < w->host[host].wake_at) {
        w->host[host].wake_at = at;
    }
}

static weir_us host_late(struct sim_world *w, uint32_t host)
{
    uint32_t late = w->scenario.host[host].late_us;

    return late == 0 ? 0 : sim_below(&w->rng, late + 1);
}

/* A listener for any port would answer where the scenario says that nobody does. */
static bool host_all_ports(const struct sim_scenario *s)
{
    uint32_t i;

    for (i = 0; i < s->plan_count; i++) {
        if (s->plan[i].open == SIM_OPEN_NOBODY) {
            return false;
        }
    }
    return true;
}

/* One that takes calls, one that holds them, and on host 0 one for any destination. */
static void host_listen(struct sim_world *w, uint32_t h)
{
    const uint16_t ports[] = {7000, 7001, host_all_ports(&w->scenario) ? 0 : 8000};
    weir_listen_spec spec;
    uint32_t i;
    weir_err err;

    for (i = 0; i < (h == 0 ? 3u : 2u); i++) {
        memset(&spec, 0, sizeof spec);
        spec.port = ports[i];
        spec.hold = i == 1;
        spec.any_destination = i == 2;
        spec.backlog = w->scenario.host[h].backlog;
        err = weir_stack_listen(w->host[h].stack, &spec, &w->host[h].listener[i]);
        if (err != WEIR_ERR_NONE) {
            sim_fail(w, "host %u: listen: %s", h, weir_err_name(err));
        }
    }
}

static void host_build(struct sim_world *w, uint32_t h)
{
    weir_stack_config *config = &w->scenario.host[h].config;
    size_t len;
    weir_err err = WEIR_ERR_NONE;
    const char *field = "";

    config->busy_max = w->options->rest ? config->connections_max - 1 : 0; /* enough, and fewer than all */
    len = weir_stack_size(config);
    if (len == 0) {
        (void)weir_config_check(&config->tcp, &field);
        sim_fail(w, "host %u: the configuration is refused: %s", h, field);
        return;
    }
    w->host[h].memory = aligned_alloc(64, (len + 63) / 64 * 64);
    if (w->host[h].memory == NULL) {
        abort();
    }
    memset(w->host[h].memory, w->options->fill, len);
    w->host[h].stack = weir_stack_init(w->host[h].memory, len, config, sim_host_now(w, h), &err);
    if (w->host[h].stack == NULL) {
        sim_fail(w, "host %u: init: %s", h, weir_err_name(err));
        return;
    }
    host_listen(w, h);
    w->host[h].wake_at = w->now;
}

static void host_reboot(struct sim_world *w, uint32_t h)
{
    struct sim_host *host = &w->host[h];
    uint32_t i;

    sim_trace_event(w, h, -1, "reboot", 0);
    for (i = 0; i < host->inbox_count; i++) {
        sim_packet_free(host->inbox[i]);
    }
    host->inbox_count = 0;
    sim_user_rebooted(w, h);
    free(host->memory);
    host->memory = NULL;
    if (w->scenario.host[h].new_secret) {
        w->scenario.host[h].config.tcp.secret[7] ^= 0x55;
    }
    host_build(w, h);
}

/* Sets the host's clock so that the number of scenario_edge is where it shall be when the plan opens. */
static void host_edge(struct sim_scenario *s, uint32_t h)
{
    struct sim_host_plan *host = &s->host[h];
    uint32_t plan = host->edge_plan - 1u, side = s->plan[plan].host[0] == h ? 0 : 1;
    weir_tuple t = sim_user_tuple(s, plan, side);
    weir_us now = host->origin + s->plan[plan].open_at;
    uint64_t memory[(256 + 256 + 4096) / 8];
    weir_sizes sizes = {256, 256};
    weir_buffers buffers;
    weir_conn c;

    if (s->plan[plan].host[side] != h || s->plan[plan].port[0] == 0 || s->plan[plan].port[1] == 0 ||
        !weir_buffers_carve(&buffers, memory, sizeof memory, sizes) ||
        weir_init(&c, &host->config.tcp, &buffers, now) != WEIR_ERR_NONE || weir_connect(&c, &t, now) != WEIR_ERR_NONE) {
        return;
    }
    if (host->edge_is_stamp) {
        host->origin += (weir_us)(uint32_t)(host->edge - c.ts.offset - (uint32_t)(now / 1000)) * 1000;
    } else {
        host->origin += (weir_us)(uint32_t)(host->edge - c.snd.iss.v) * 4;
    }
}

/* ---- one turn of a host's loop ---- */

static void host_check(struct sim_world *w, uint32_t h)
{
    const char *broken;

    if (w->options->repack) {
        repack_all(w->host[h].stack, w->result->coverage.repacked);
    }
    while (w->options->rest && weiri_lend_reclaim(w->host[h].stack)) {
        continue;
    }
    if (w->options->check_every == 0 || w->result->steps % w->options->check_every != 0) {
        return;
    }
    broken = weir_stack_check(w->host[h].stack);
    if (broken != NULL) {
        sim_fail(w, "host %u: invariant: %s", h, broken);
    }
}

static void host_trace_last(struct sim_world *w, uint32_t h)
{
    if (w->options->verbose) {
        sim_trace_path(w, h, weir_stack_peek(w->host[h].stack, weir_stack_last(w->host[h].stack)));
    }
}

static void host_cover_rows(struct sim_world *w, uint32_t h)
{
    const weir_stack *stack = w->host[h].stack;
    weir_handle handle;
    weir_path path;
    uint32_t i;

    for (handle = weir_stack_next(stack, 0); handle != 0; handle = weir_stack_next(stack, handle)) {
        path = weir_last_path(weir_stack_peek(stack, handle));
        for (i = 0; i < path.count && i < WEIR_PATH_MAX; i++) {
            w->result->coverage.rows[path.row[i] / 64u] |= UINT64_C(1) << path.row[i] % 64;
        }
    }
}

/* Takes the packet over; true if it was taken in. */
static bool host_input_one(struct sim_world *w, uint32_t h, struct sim_packet *p, const char *word)
{
    enum weir_verdict verdict = weir_stack_input(w->host[h].stack, p->octets, p->len, sim_host_now(w, h));

    sim_trace_packet(w, p, verdict == WEIR_OK ? word : weir_verdict_name(verdict));
    sim_trace_number(w, (uint64_t)verdict);
    host_trace_last(w, h);
    host_cover_rows(w, h);
    sim_packet_free(p);
    host_check(w, h);
    return verdict == WEIR_OK;
}

static void host_attack(struct sim_world *w, uint32_t h)
{
    bool must_be_refused = false;
    struct sim_packet *p = sim_attack(w, h, &must_be_refused);

    if (p == NULL) {
        return;
    }
    w->result->coverage.attacks++;
    if (host_input_one(w, h, p, "attack") && must_be_refused) {
        sim_fail(w, "host %u: took in a packet that it must refuse", h);
    }
}

static uint32_t host_input(struct sim_world *w, uint32_t h)
{
    struct sim_host *host = &w->host[h];
    uint32_t i, count = host->inbox_count;

    host->inbox_count = 0;
    for (i = 0; i < count; i++) {
        (void)host_input_one(w, h, host->inbox[i], "taken");
        if (sim_happens(&w->rng, w->scenario.attack)) {
            host_attack(w, h);
        }
    }
    return count;
}

static uint32_t host_ready(struct sim_world *w, uint32_t h)
{
    uint32_t most = w->scenario.host[h].config.connections_max, count;
    weir_ready ready;

    for (count = 0; !sim_failed(w) && weir_stack_ready(w->host[h].stack, &ready); count++) {
        if (count == most) {
            sim_fail(w, "host %u: a round of weir_stack_ready does not end", h);
            break;
        }
        sim_user_serve(w, h, &ready);
        host_cover_rows(w, h);
        host_check(w, h);
    }
    return count;
}

/* The next segment of a super-segment; 0: there is none. */
static uint32_t host_cut(struct sim_host *host, uint8_t octets[SIM_PACKET_MAX])
{
    uint32_t len = (uint32_t)weir_out_cut(&host->out, host->cut, octets, SIM_PACKET_MAX);

    host->cut = len > 0 ? host->cut + 1 : 0;
    return len;
}

static uint32_t host_poll_one(struct sim_world *w, uint32_t h, uint8_t octets[SIM_PACKET_MAX])
{
    struct sim_host *host = &w->host[h];
    uint32_t len = host->cut > 0 ? host_cut(host, octets) : 0;

    if (len > 0) {
        return len;
    }
    if (w->scenario.host[h].poll_copy) {
        return (uint32_t)weir_stack_poll_copy(host->stack, octets, SIM_PACKET_MAX, sim_host_now(w, h));
    }
    len = (uint32_t)weir_stack_poll(host->stack, &host->out, sim_host_now(w, h));
    if (len > 0 && host->out.gso_size > 0) {
        w->result->coverage.cut++;
        return host_cut(host, octets);
    }
    if (len > 0 && weir_out_copy(&host->out, octets, SIM_PACKET_MAX) != len) {
        sim_fail(w, "host %u: weir_out_copy and weir_stack_poll disagree", h);
    }
    return len;
}

static uint32_t host_poll(struct sim_world *w, uint32_t h)
{
    static uint8_t octets[SIM_PACKET_MAX];
    struct sim_host *host = &w->host[h];
    uint32_t len, copies, count = 0;

    if (host->instant != w->now) {
        host->instant = w->now;
        host->instant_packets = 0;
    }
    while (!sim_failed(w) && (len = host_poll_one(w, h, octets)) != 0) {
        count++;
        if (len > w->scenario.host[h].config.tcp.mtu) {
            sim_fail(w, "host %u: a packet of %u octets, the MTU is %u", h, len, w->scenario.host[h].config.tcp.mtu);
        } else if (++host->instant_packets > WORLD_INSTANT_MAX) {
            sim_fail(w, "host %u: more than %u packets at one instant", h, WORLD_INSTANT_MAX);
        } else {
            host_trace_last(w, h);
            for (copies = w->options->plant == SIM_PLANT_STORM ? 200 : 1; copies > 0; copies--) {
                sim_network_send(w, h, octets, len);
            }
        }
    }
    return count;
}

static void host_deadline(struct sim_world *w, uint32_t h)
{
    weir_us now = w->scenario.host[h].origin + w->now, due = weir_stack_deadline(w->host[h].stack);

    if (w->options->plant == SIM_PLANT_DEADLINE && w->result->steps > 20) {
        due = now;
    }
    if (due <= now) {
        sim_fail(w, "host %u: the deadline is not in the future after expire and poll (%llu us late): a busy loop", h,
                 (unsigned long long)(now - due));
    } else if (due != WEIR_FOREVER) {
        sim_host_wake(w, h, w->now + (due - now) + host_late(w, h));
    }
}

static void host_turn(struct sim_world *w, uint32_t h)
{
    struct sim_host *host = &w->host[h];
    uint32_t done;

    host->wake_at = WEIR_FOREVER;
    done = host_input(w, h);
    weir_stack_expire(host->stack, w->scenario.host[h].origin + w->now);
    host_cover_rows(w, h);
    done += host_ready(w, h);
    done += host_poll(w, h);
    if (sim_failed(w)) {
        return;
    }
    host_check(w, h);
    host_deadline(w, h);
    if (done == 0) {
        host->idle_wakes++;
    }
}

/* ---- oracles of the whole ---- */

/* How many packets the streams need if all goes badly, small rings and small segments counted in. */
static uint64_t world_needed(const struct sim_scenario *s)
{
    uint64_t needed = 0;
    uint32_t i;

    for (i = 0; i < 2u * s->plan_count; i++) {
        const struct sim_plan *p = &s->plan[i / 2];
        const weir_stack_config *from = &s->host[p->host[i % 2]].config, *to = &s->host[p->host[1 - i % 2]].config;
        uint32_t unit = 400;

        unit = from->rings.tx / 4 < unit ? from->rings.tx / 4 : unit;
        unit = to->rings.rx / 4 < unit ? to->rings.rx / 4 : unit;
        needed += p->end[i % 2].send_len / unit + 50;
    }
    return needed;
}

static void world_check_bounds(struct sim_world *w)
{
    uint64_t seconds = w->now / SIM_SECOND, plans = w->scenario.plan_count, packets = w->result->packets;
    uint32_t i;

    if (packets > 1000 + 20 * w->needed_packets + 8 * w->user_calls + 4 * plans * seconds) {
        sim_fail(w, "too many packets: %llu where %llu would do", (unsigned long long)packets,
                 (unsigned long long)w->needed_packets);
    }
    for (i = 0; i < w->scenario.host_count; i++) {
        if (w->host[i].idle_wakes > 1000 + 8 * (packets + w->user_calls) + 4 * plans * seconds) {
            sim_fail(w, "host %u: woken %u times for nothing", i, w->host[i].idle_wakes);
        }
    }
    if (w->result->steps > WORLD_STEPS_MAX) {
        sim_fail(w, "more than %u steps", WORLD_STEPS_MAX);
    }
}

static void world_check_stall(struct sim_world *w)
{
    char text[160];
    weir_us limit = w->closing ? WORLD_QUIESCE_US : WORLD_STALL_US;

    if (w->now - w->progress_at > limit) {
        sim_user_describe(w, text, sizeof text);
        sim_fail(w, "%s for %llu s:%s", w->closing ? "records are left" : "stalled",
                 (unsigned long long)((w->now - w->progress_at) / SIM_SECOND), text);
    }
}

static void world_check_empty(struct sim_world *w, uint32_t h)
{
    const weir_stats *s = weir_stack_stats(w->host[h].stack);
    weir_ready ready;

    if (s->connections != 0 || s->half_open != 0 || s->time_wait != 0 || s->listeners != 0) {
        sim_fail(w, "host %u: at the end %u connections, %u half-open, %u in TIME-WAIT, %u listeners", h, s->connections,
                 s->half_open, s->time_wait, s->listeners);
    } else if (weir_stack_next(w->host[h].stack, 0) != 0 || weir_stack_ready(w->host[h].stack, &ready)) {
        sim_fail(w, "host %u: a handle is left at the end", h);
    } else if (weir_stack_deadline(w->host[h].stack) != WEIR_FOREVER) {
        sim_fail(w, "host %u: a deadline is left at the end", h);
    }
}

/* How long one stream may take where nothing is lost: for each half window, or each write, a round trip and a delayed ACK. */
static weir_us world_stream_us(const struct sim_scenario *s, const struct sim_plan *p, uint32_t side)
{
    const weir_stack_config *from = &s->host[p->host[side]].config, *to = &s->host[p->host[1 - side]].config;
    const struct sim_path *path = &s->path[p->host[0] != 0 ? p->host[0] : p->host[1]];
    uint32_t window = from->rings.tx < to->rings.rx ? from->rings.tx : to->rings.rx;
    uint64_t rounds = 12 + 2 * (uint64_t)p->end[side].send_len / window;
    uint32_t chunk = p->end[side].write_max < from->rings.tx ? p->end[side].write_max : from->rings.tx;
    uint64_t writes = p->end[side].write_pause_us != 0 ? 2 * (uint64_t)p->end[side].send_len / chunk + 4 : 0;

    if (p->turn != 0) {
        rounds += 2 * (uint64_t)p->end[side].send_len / p->turn;
        writes += p->end[side].write_pause_us != 0 ? 2 * (uint64_t)p->end[side].send_len / p->turn : 0;
    }
    return (rounds + writes) * (path->link[0].delay_us + path->link[1].delay_us + to->tcp.ack_delay_us) +
           writes * p->end[side].write_pause_us;
}

static void world_check_pace(struct sim_world *w)
{
    uint32_t i;

    for (i = 0; i < w->scenario.plan_count; i++) {
        weir_us allowed = world_stream_us(&w->scenario, &w->scenario.plan[i], 0) + world_stream_us(&w->scenario, &w->scenario.plan[i], 1);
        uint64_t pace = (w->conn[i].whole_at - w->conn[i].opened_at) * 100 / allowed;

        if (pace > w->result->coverage.pace) {
            w->result->coverage.pace = (uint32_t)pace;
        }
        if (pace > WORLD_PACE_MAX) {
            sim_fail(w, "plan %u: took %llu us over a perfect network, %llu would be slow", i,
                     (unsigned long long)(w->conn[i].whole_at - w->conn[i].opened_at), (unsigned long long)allowed);
        }
    }
}

/* May this host take an ACK that another holds back for a lost one, and probe (RFC 8985 7.2)? It believes others to be as it is itself. */
static bool world_may_probe(const struct sim_scenario *s, uint32_t host)
{
    const weir_config *own = &s->host[host].config.tcp;
    uint32_t i;

    for (i = 0; i < s->host_count; i++) {
        const weir_config *other = &s->host[i].config.tcp;

        if (own->rack && i != host && (other->ack_delay_us > own->ack_delay_us || other->ack_every > 2)) {
            return true;
        }
    }
    return false;
}

/* Where nothing was lost or late, nothing was sent twice. A simultaneous open sends its SYN twice by design. */
static void world_check_perfect(struct sim_world *w)
{
    uint32_t i;

    for (i = 0; i < w->scenario.plan_count; i++) {
        if (w->scenario.plan[i].open == SIM_OPEN_BOTH) {
            return;
        }
    }
    for (i = 0; i < w->scenario.host_count; i++) {
        const weir_stats *s = weir_stack_stats(w->host[i].stack);

        if (s->retransmitted != 0 && !world_may_probe(&w->scenario, i)) {
            sim_fail(w, "host %u: %llu retransmissions over a perfect network", i, (unsigned long long)s->retransmitted);
        }
    }
}

/* ---- the loop ---- */

static weir_us world_reboot_next(const struct sim_world *w)
{
    weir_us next = WEIR_FOREVER;
    uint32_t h;

    for (h = 0; h < w->scenario.host_count; h++) {
        next = w->scenario.host[h].reboot_at < next ? w->scenario.host[h].reboot_at : next;
    }
    return next;
}

/* Users are done: nobody listens any more, and all records must go. */
static void world_close(struct sim_world *w)
{
    uint32_t h, i;

    w->closing = true;
    w->progress_at = w->now;
    for (h = 0; h < w->scenario.host_count; h++) {
        w->scenario.host[h].reboot_at = WEIR_FOREVER;
        for (i = 0; i < 3; i++) {
            if (w->host[h].listener[i] != 0 &&
                weir_stack_unlisten(w->host[h].stack, w->host[h].listener[i], sim_host_now(w, h)) != WEIR_ERR_NONE) {
                sim_fail(w, "host %u: unlisten", h);
            }
        }
        sim_host_wake(w, h, w->now);
    }
}

static void world_arrive(struct sim_world *w)
{
    while (sim_network_next(&w->network) <= w->now) {
        struct sim_packet *p = sim_network_take(&w->network);
        struct sim_host *host = &w->host[p->to];

        if (host->inbox_count == SIM_INBOX_MAX) {
            sim_packet_free(p);
            continue;
        }
        host->inbox[host->inbox_count++] = p;
        sim_host_wake(w, p->to, w->now + host_late(w, p->to));
    }
}

static weir_us world_next(const struct sim_world *w, weir_us watch_at)
{
    weir_us next = sim_network_next(&w->network), at;
    uint32_t h;

    at = sim_user_next(w);
    next = at < next ? at : next;
    at = world_reboot_next(w);
    next = at < next ? at : next;
    for (h = 0; h < w->scenario.host_count; h++) {
        next = w->host[h].wake_at < next ? w->host[h].wake_at : next;
    }
    if (!w->closing) {
        next = watch_at < next ? watch_at : next;
    }
    return next;
}

static void world_plant(struct sim_world *w)
{
    weir_handle handle = w->options->plant == SIM_PLANT_MEMORY && w->result->steps > 30 ? weir_stack_next(w->host[0].stack, 0) : 0;
    weir_conn *c = handle != 0 ? weir_stack_conn(w->host[0].stack, handle) : NULL;

    if (c != NULL) {
        c->snd.una.v += UINT32_C(0x40000000);
    }
    if (w->options->plant == SIM_PLANT_CRASH && w->result->steps == 20 && w->scenario.seed % 16 == 3) {
        __builtin_trap();
    }
}

static void world_step(struct sim_world *w)
{
    uint32_t h;

    w->result->steps++;
    world_plant(w);
    for (h = 0; h < w->scenario.host_count; h++) {
        if (w->scenario.host[h].reboot_at <= w->now) {
            w->scenario.host[h].reboot_at = WEIR_FOREVER;
            host_reboot(w, h);
        }
    }
    sim_user_act(w);
    world_arrive(w);
    for (h = 0; h < w->scenario.host_count && !sim_failed(w); h++) {
        if (w->host[h].wake_at <= w->now) {
            host_turn(w, h);
        }
    }
}

static void world_loop(struct sim_world *w)
{
    weir_us watch_at = WORLD_WATCH_US, next;

    while (!sim_failed(w)) {
        if (!w->closing && sim_user_all_done(w)) {
            world_close(w);
        }
        next = world_next(w, watch_at);
        if (next == WEIR_FOREVER) {
            break;
        }
        w->now = next > w->now ? next : w->now;
        if (watch_at <= w->now) {
            watch_at = w->now + WORLD_WATCH_US;
            sim_user_watch(w);
        }
        world_step(w);
        world_check_bounds(w);
        world_check_stall(w);
    }
}

/* ---- a run ---- */

static void world_init(struct sim_world *w, const struct sim_options *options, uint64_t seed, struct sim_result *result)
{
    uint32_t i;

    memset(w, 0, sizeof *w);
    memset(result, 0, sizeof *result);
    w->options = options;
    w->result = result;
    result->seed = seed;
    result->hash = UINT64_C(0xcbf29ce484222325);
    sim_scenario_draw(&w->scenario, seed, options->profile);
    for (i = 0; i < w->scenario.host_count; i++) {
        if (w->scenario.host[i].edge_plan != 0) {
            host_edge(&w->scenario, i);
        }
    }
    w->rng = sim_rng_for(seed, 0x55534552);
    w->needed_packets = world_needed(&w->scenario);
    for (i = 0; i < 2u * SIM_PLANS_MAX; i++) {
        struct sim_end *end = &w->conn[i / 2].end[i % 2];
        const struct sim_plan *p = &w->scenario.plan[i / 2];

        end->key = sim_mix(seed * 64 + i + 1);
        end->read_at = end->write_at = end->act_at = WEIR_FOREVER;
        if (i % 2 == 0 && i / 2 < w->scenario.plan_count && p->after == 0) {
            end->act_at = p->open_at;
        }
    }
    sim_network_init(w);
}

static void world_free(struct sim_world *w)
{
    uint32_t h, i;

    sim_network_clear(w);
    for (i = 0; i < 2u * SIM_PLANS_MAX; i++) {
        free(w->conn[i / 2].end[i % 2].rings);
    }
    for (h = 0; h < w->scenario.host_count; h++) {
        for (i = 0; i < w->host[h].inbox_count; i++) {
            sim_packet_free(w->host[h].inbox[i]);
        }
        free(w->host[h].memory);
    }
}

static void world_cover(struct sim_world *w)
{
    struct sim_coverage *c = &w->result->coverage;
    uint32_t h, i;

    for (h = 0; h < w->scenario.host_count && w->host[h].stack != NULL; h++) {
        const weir_stats *s = weir_stack_stats(w->host[h].stack);

        for (i = 0; i < WEIR_VERDICT_COUNT; i++) {
            c->verdicts[i] += s->verdicts[i];
        }
        c->retransmitted += s->retransmitted;
        c->unpacked += s->unpacked;
        c->time_wait_reused += s->time_wait_reused;
    }
    c->perfect = w->scenario.perfect;
}

void sim_run(const struct sim_options *options, uint64_t seed, struct sim_result *result)
{
    static struct sim_world world;
    struct sim_world *w = &world;
    uint32_t h;

    world_init(w, options, seed, result);
    if (options->verbose) {
        sim_scenario_print(&w->scenario);
    }
    for (h = 0; h < w->scenario.host_count; h++) {
        host_build(w, h);
    }
    world_loop(w);
    world_cover(w);
    for (h = 0; h < w->scenario.host_count && !sim_failed(w); h++) {
        world_check_empty(w, h);
    }
    if (w->scenario.perfect && !sim_failed(w)) {
        world_check_perfect(w);
        world_check_pace(w);
    }
    if (options->plant == SIM_PLANT_HASH) {
        sim_trace_number(w, options->fill);
    }
    result->virtual_us = w->now;
    world_free(w);
}
