/* scenario.c - draws from a seed what will happen in a run. Knows no packet and no state; every number is an integer.
 *
 * Sizes, times and rates are drawn so that small ones are as likely as large ones: most runs are short, a few are long. */
#include <string.h>

#include "sim.h"

/* One stream of random numbers for each question. Append: a new question must not move the answers to the others. */
enum scenario_question { Q_SHAPE, Q_HOST, Q_PATH, Q_PLAN, Q_END, Q_TROUBLE, Q_ATTACK, Q_EDGE, Q_HABIT, Q_PACE, Q_SUPER, Q_SYNS };

#define PART(base, index) ((uint32_t)(base) * 256u + (uint32_t)(index))

static const char *const profile_names[SIM_PROFILE_COUNT] = {"any", "clean", "lossy", "hostile", "tiny", "slow-reader"};

const char *sim_profile_name(enum sim_profile profile)
{
    return (unsigned)profile < SIM_PROFILE_COUNT ? profile_names[profile] : "?";
}

uint32_t sim_log(struct sim_rng *r, uint32_t from, uint32_t to)
{
    uint32_t low = 0, high = 0, bits, value;

    while (low < 31 && (from >> (low + 1)) != 0) {
        low++;
    }
    while (high < 31 && (to >> (high + 1)) != 0) {
        high++;
    }
    bits = sim_range(r, low, high);
    value = (1u << bits) + sim_below(r, 1u << bits);
    if (value < from) {
        return from;
    }
    return value > to ? to : value;
}

weir_addr sim_host_addr(uint32_t host, bool v6)
{
    weir_addr a;

    if (!v6) {
        return weir_addr_v4(10, 0, (uint8_t)host, 1);
    }
    memset(&a, 0, sizeof a);
    a.octets[0] = 0x20;
    a.octets[1] = 0x01;
    a.octets[2] = 0x0d;
    a.octets[3] = 0xb8;
    a.octets[7] = (uint8_t)host;
    a.octets[15] = 1;
    return a;
}

bool sim_plan_fatal(const struct sim_scenario *s, const struct sim_plan *p)
{
    uint32_t client = p->host[0] != 0 ? p->host[0] : p->host[1];

    return p->abrupt != SIM_GRACEFUL || s->path[client].dead || s->host[0].reboot_at != WEIR_FOREVER ||
           s->host[client].reboot_at != WEIR_FOREVER;
}

/* ---- hosts ---- */

/* Clocks that start where 32 bits, 32 bits of milliseconds or 63 bits end show what was cut too short. */
static weir_us scenario_origin(struct sim_rng *r)
{
    static const uint64_t edges[] = {0, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 63,
                                     (UINT64_C(1) << 31) * 1000, (UINT64_C(1) << 32) * 1000};
    uint32_t edge = sim_below(r, 8);
    uint64_t before = sim_log(r, 1, 60000000);

    if (edge >= sizeof edges / sizeof edges[0]) {
        return sim_next(r) >> 16;
    }
    return edges[edge] > before ? edges[edge] - before : edges[edge];
}

static void scenario_secret(struct sim_rng *r, uint8_t secret[16])
{
    uint32_t i;

    for (i = 0; i < 16; i++) {
        secret[i] = (uint8_t)(sim_next(r) >> 32);
    }
    secret[0] |= 1;
}

static void scenario_tcp_profile(struct sim_rng *r, enum sim_profile profile, weir_config *tcp)
{
    uint32_t which = sim_below(r, 10);

    if (profile == SIM_TINY || which >= 8) {
        weir_config_tiny(tcp);
    } else if (which >= 6) {
        weir_config_rfc(tcp);
    } else {
        weir_config_internet(tcp);
    }
}

/* What is on and off, each by itself. */
static void scenario_tcp_switches(struct sim_rng *r, weir_config *tcp)
{
    if (sim_percent(r, 60)) {
        return;
    }
    tcp->timestamps = sim_percent(r, 60);
    tcp->sack = sim_percent(r, 60);
    tcp->cc = (uint8_t)sim_below(r, WEIR_CC_COUNT);
    tcp->hystart = sim_percent(r, 60);
    tcp->rack = sim_percent(r, 60);
    tcp->prr = sim_percent(r, 60);
    tcp->undo = sim_percent(r, 60);
    tcp->window_scale = sim_percent(r, 60);
    tcp->nagle = sim_percent(r, 60);
    tcp->iw10 = sim_percent(r, 60);
    tcp->ack_check = sim_percent(r, 60);
    tcp->ack_every = (uint8_t)sim_range(r, 1, 4);
    tcp->quick_acks = (uint8_t)(sim_percent(r, 50) ? 0 : sim_range(r, 1, 20));
    if (sim_percent(r, 50)) {
        tcp->ack_delay_us = sim_log(r, 1000, 400000);
    }
    if (sim_percent(r, 30)) {
        tcp->sws_override_us = sim_range(r, 100000, 1000000);
    }
}

/* Nobody gives up here: a connection that dies of patience lost is told from one that is lost by a fault. */
static void scenario_tcp_patience(weir_config *tcp)
{
    const weir_us day = 86400 * SIM_SECOND;

    tcp->r2_us = day;
    tcp->r2_syn_us = day;
    tcp->orphan_us = 3600 * SIM_SECOND;
    tcp->fin_wait_us = 3600 * SIM_SECOND;
    tcp->keepalive_count = 100;
}

static uint16_t scenario_mtu(struct sim_rng *r)
{
    static const uint16_t common[] = {576, 1280, 1492, 1500, 1500, 1500, 1500, 1500, 9000};
    uint32_t which = sim_below(r, 12);

    if (which < sizeof common / sizeof common[0]) {
        return common[which];
    }
    return (uint16_t)sim_log(r, 576, 9000);
}

static void scenario_host_limits(weir_stack_config *config)
{
    config->connections_max = 2 * SIM_PLANS_MAX + 8;
    config->listeners_max = 8;
    config->time_wait_max = 64;
    config->half_open_max = 32;
}

/* Drawn by itself, so that what seeds meant before stays: when text leaves, how the window follows, and rings that grow, out of memory for
 * two to four times as many first rings as there may be connections. */
static void scenario_host_pace(const struct sim_scenario *s, uint32_t h, weir_stack_config *config)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_PACE, h));
    weir_config *tcp = &config->tcp;

    if (sim_percent(&r, 50)) {
        tcp->pacing = (uint8_t)sim_below(&r, WEIR_PACING_COUNT);
        tcp->halve_cwnd = sim_percent(&r, 50);
        tcp->cwv = sim_percent(&r, 40);
    }
    tcp->tx_max = sim_percent(&r, 60) ? 0 : config->rings.tx << sim_below(&r, 5);
    if (sim_percent(&r, 40)) {
        config->ring_memory = sim_range(&r, 2, 4) * (uint64_t)config->connections_max * weir_buffers_size(config->rings);
    }
}

/* Some hosts have a device that cuts super-segments. Drawn by itself too. */
static void scenario_host_device(const struct sim_scenario *s, uint32_t h, weir_config *tcp)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_SUPER, h));

    tcp->gso_max = sim_percent(&r, 75) ? 0 : (uint16_t)sim_range(&r, tcp->mtu, 65535);
}

/* On half of the hosts whoever is half-open becomes a small record when the next SYN comes. */
static void scenario_host_syns(const struct sim_scenario *s, uint32_t h, weir_stack_config *config)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_SYNS, h));

    config->syn_whole = 0;
    config->syn_records_max = !WEIR_WITH_SYN_RECORDS || sim_percent(&r, 50) ? 0 : 1u << sim_below(&r, 6);
}

/* What this build is without is not asked for (weir/features.h): the rest of a scenario stays what its seed says. */
static void scenario_left_out(weir_config *tcp)
{
    tcp->cc = (WEIR_WITH_CUBIC || tcp->cc != WEIR_CC_CUBIC) && (WEIR_WITH_BBR || tcp->cc != WEIR_CC_BBR) ? tcp->cc : (uint8_t)WEIR_CC_NEWRENO;
    tcp->pacing = WEIR_WITH_PACING ? tcp->pacing : (uint8_t)WEIR_PACING_OFF;
    tcp->hystart = WEIR_WITH_HYSTART && tcp->hystart;
    tcp->halve_cwnd = WEIR_WITH_HALVE_CWND && tcp->halve_cwnd;
    tcp->cwv = WEIR_WITH_CWV && tcp->cwv;
    tcp->rack = WEIR_WITH_RACK && tcp->rack;
    tcp->prr = WEIR_WITH_PRR && tcp->prr;
    tcp->undo = WEIR_WITH_UNDO && tcp->undo;
    tcp->ecn = WEIR_WITH_ECN ? tcp->ecn : (uint8_t)WEIR_ECN_OFF;
    tcp->abe = WEIR_WITH_ECN && tcp->abe;
    tcp->timestamps = WEIR_WITH_TIMESTAMPS && tcp->timestamps;
    tcp->require_timestamps = WEIR_WITH_TIMESTAMPS && tcp->require_timestamps;
    tcp->window_scale = WEIR_WITH_WINDOW_SCALE && tcp->window_scale;
    tcp->keepalive_idle_us = WEIR_WITH_KEEPALIVE ? tcp->keepalive_idle_us : 0;
    tcp->rx_max = WEIR_WITH_GROWTH ? tcp->rx_max : 0;
    tcp->tx_max = WEIR_WITH_GROWTH ? tcp->tx_max : 0;
    tcp->gso_max = WEIR_WITH_GSO ? tcp->gso_max : 0;
}

static void scenario_host(struct sim_scenario *s, uint32_t h)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_HOST, h));
    struct sim_host_plan *host = &s->host[h];
    weir_config *tcp = &host->config.tcp;

    weir_stack_config_init(&host->config);
    scenario_tcp_profile(&r, s->profile, tcp);
    scenario_tcp_switches(&r, tcp);
    scenario_tcp_patience(tcp);
    scenario_secret(&r, tcp->secret);
    tcp->mtu = scenario_mtu(&r);
    if (sim_percent(&r, 20)) {
        tcp->keepalive_idle_us = sim_range(&r, 1, 30) * SIM_SECOND;
        tcp->keepalive_interval_us = sim_range(&r, 2, 30) * SIM_SECOND;
    }
    scenario_host_limits(&host->config);
    host->config.rings.rx = 1u << sim_range(&r, 8, s->profile == SIM_TINY ? 11 : 16);
    host->config.rings.tx = 1u << sim_range(&r, 8, s->profile == SIM_TINY ? 11 : 16);
    tcp->rx_max = sim_percent(&r, 80) ? 0 : host->config.rings.rx << sim_below(&r, 5);
    scenario_host_pace(s, h, &host->config);
    scenario_host_device(s, h, tcp);
    scenario_host_syns(s, h, &host->config);
    scenario_left_out(tcp);
    host->config.addrs[0] = sim_host_addr(h, false);
    host->config.prefix_len[0] = 24;
    host->config.addrs[1] = sim_host_addr(h, true);
    host->config.addr_count = 2;
    host->config.any_destination = h == 0;
    host->origin = scenario_origin(&r);
    host->late_us = s->profile == SIM_CLEAN || sim_percent(&r, 70) ? 0 : sim_log(&r, 1, 20000);
    host->poll_copy = sim_percent(&r, 50);
    host->clock_steps_back = s->profile != SIM_CLEAN && sim_percent(&r, 10);
    if (s->profile == SIM_CLEAN) {
        tcp->keepalive_idle_us = 0;
        tcp->ack_delay_us = tcp->ack_delay_us < 100000 ? tcp->ack_delay_us : 100000;
    }
    host->backlog = s->profile == SIM_CLEAN || sim_percent(&r, 90) ? 0 : sim_range(&r, 1, 3);
    host->reboot_at = WEIR_FOREVER;
}

/* ---- paths ---- */

static void scenario_link_mild(struct sim_rng *r, struct sim_link *l)
{
    l->loss = (uint16_t)(sim_percent(r, 70) ? sim_log(r, 30, 2000) : 0);
    l->dup = (uint16_t)(sim_percent(r, 30) ? sim_log(r, 30, 1500) : 0);
    l->reorder = (uint16_t)(sim_percent(r, 40) ? sim_log(r, 30, 3000) : 0);
    l->corrupt = (uint16_t)(sim_percent(r, 30) ? sim_log(r, 30, 1000) : 0);
}

static void scenario_link_hostile(struct sim_rng *r, struct sim_link *l)
{
    l->loss = (uint16_t)sim_log(r, 300, 8000);
    l->dup = (uint16_t)sim_log(r, 100, 6000);
    l->reorder = (uint16_t)sim_log(r, 300, 20000);
    l->corrupt = (uint16_t)sim_log(r, 100, 2500);
    l->pad = (uint16_t)(sim_percent(r, 50) ? sim_log(r, 100, 10000) : 0);
    l->late_dup = (uint16_t)(sim_percent(r, 40) ? sim_log(r, 100, 5000) : 0);
    l->jitter_us = sim_percent(r, 50) ? sim_log(r, 1, 100000) : 0;
    l->jitter_reorders = sim_percent(r, 30);
}

static void scenario_link_bursts(struct sim_rng *r, struct sim_link *l)
{
    l->burst_loss = (uint16_t)sim_range(r, 20000, 65535);
    l->bad_us = sim_log(r, 500, 300000);
    l->good_us = sim_log(r, 2 * l->bad_us, 5000000); /* or there would be no progress for an hour at 120 s of backoff */
}

static void scenario_link_narrow(struct sim_rng *r, struct sim_link *l)
{
    l->rate = sim_log(r, 8000, 50000000);
    l->queue = sim_log(r, 20000, 300000);
    if (l->queue > 20000 && l->queue / 5 > l->rate) { /* a segment may not live for ever */
        l->queue = l->rate * 5 > 20000 ? l->rate * 5 : 20000;
    }
}

static void scenario_link_middleboxes(struct sim_rng *r, struct sim_link *l)
{
    l->strip = (uint16_t)(sim_percent(r, 50) ? sim_log(r, 100, 20000) : 0);
    l->squeeze = (uint16_t)(sim_percent(r, 50) ? sim_log(r, 100, 10000) : 0);
    l->split = (uint16_t)(sim_percent(r, 50) ? sim_log(r, 100, 30000) : 0);
    l->clamp = (uint16_t)(sim_percent(r, 30) ? sim_range(r, 200, 1400) : 0);
}

static void scenario_link(struct sim_rng *r, enum sim_profile profile, struct sim_link *l)
{
    uint32_t climate = sim_below(r, 100);

    memset(l, 0, sizeof *l);
    l->delay_us = sim_log(r, 1, profile == SIM_CLEAN ? 45000 : 300000);
    if (profile == SIM_CLEAN) {
        return;
    }
    if (profile == SIM_HOSTILE || (profile == SIM_ANY && climate < 20)) {
        scenario_link_hostile(r, l);
    } else if (profile == SIM_LOSSY || climate < 65) {
        scenario_link_mild(r, l);
    }
    if (sim_percent(r, 15)) {
        scenario_link_bursts(r, l);
    }
    if (sim_percent(r, 15)) {
        scenario_link_middleboxes(r, l);
    }
    if (sim_percent(r, 25)) {
        scenario_link_narrow(r, l);
    }
    if (sim_percent(r, 20)) {
        l->jitter_us = sim_log(r, 1, 50000);
        l->jitter_reorders = sim_percent(r, 30);
    }
    l->reorder_us = sim_log(r, 1, 2 * l->delay_us + 20000);
}

static void scenario_path(struct sim_scenario *s, uint32_t h)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_PATH, h));
    struct sim_path *path = &s->path[h];

    scenario_link(&r, s->profile, &path->link[0]);
    scenario_link(&r, s->profile, &path->link[1]);
    if (sim_percent(&r, 50)) { /* most paths are as long in one direction as in the other */
        path->link[1].delay_us = path->link[0].delay_us;
    }
    path->mtu = 9000;
    path->mtu_at = path->outage_at = WEIR_FOREVER;
    if (s->profile == SIM_CLEAN) {
        return;
    }
    if (sim_percent(&r, 15)) {
        path->mtu = (uint16_t)sim_range(&r, 1280, 1500);
    }
    if (sim_percent(&r, 15)) {
        path->mtu_at = sim_log(&r, 1, 5000000);
        path->mtu_later = (uint16_t)sim_range(&r, 1280, 1500);
    }
    if (sim_percent(&r, 8)) {
        path->outage_at = sim_log(&r, 1, 20000000);
        path->outage_us = sim_log(&r, 10000, 60000000);
    }
}

/* ---- connections ---- */

static uint32_t scenario_pause(struct sim_rng *r, uint32_t percent, uint32_t longest)
{
    return sim_percent(r, percent) ? sim_log(r, 1, longest) : 0;
}

/* Pauses and tiny chunks would make a long stream of many steps: chunks are as large as keeps them to some hundreds. */
static uint32_t scenario_chunk(struct sim_rng *r, uint32_t len, uint32_t pause_us)
{
    uint32_t least = len / (pause_us != 0 ? 100 : 400) + 1;
    uint32_t most = least < 65536 ? 65536 : least;

    return sim_log(r, least, most);
}

static uint32_t scenario_len(struct sim_rng *r, uint32_t most)
{
    if (sim_percent(r, 10)) {
        return 0;
    }
    return sim_log(r, sim_percent(r, 30) ? most / 16 : 1, most);
}

static void scenario_end_reader(struct sim_rng *r, const struct sim_scenario *s, struct sim_end_plan *e, uint32_t incoming)
{
    bool slow = s->profile == SIM_SLOW_READER;

    e->read_pause_us = scenario_pause(r, slow ? 60 : 15, 500000);
    e->read_max = scenario_chunk(r, incoming, e->read_pause_us);
    e->read_late_us = scenario_pause(r, slow ? 50 : 10, 30000000);
    if (sim_percent(r, slow ? 50 : 10)) {
        e->stop_at = sim_below(r, incoming + 1);
        e->stop_us = sim_log(r, 1000, 90000000);
    }
}

static void scenario_end_writer(struct sim_rng *r, struct sim_end_plan *e)
{
    e->write_pause_us = scenario_pause(r, 20, 2000000);
    e->write_max = scenario_chunk(r, e->send_len, e->write_pause_us);
    e->push = (uint16_t)(sim_percent(r, 30) ? sim_below(r, 65536) : 0);
    e->more = (uint16_t)(sim_percent(r, 20) ? sim_below(r, 65536) : 0);
    e->urgent = (uint16_t)(sim_percent(r, 15) ? sim_log(r, 100, 30000) : 0);
    e->eager = sim_percent(r, 20);
}

/* Small rings make many packets of a long stream. */
static uint32_t scenario_most(const struct sim_scenario *s, const struct sim_plan *p)
{
    uint32_t i, smallest = 65536;

    for (i = 0; i < 2; i++) {
        const weir_sizes *rings = &s->host[p->host[i]].config.rings;

        smallest = rings->rx < smallest ? rings->rx : smallest;
        smallest = rings->tx < smallest ? rings->tx : smallest;
    }
    if (smallest <= 512) {
        return 15000;
    }
    return smallest <= 2048 ? 50000 : 300000;
}

/* Where a path dies, stacks give up what has been released and makes no progress: then nobody leaves before all is acknowledged. */
static bool scenario_impatient(const struct sim_scenario *s)
{
    uint32_t h;

    for (h = 1; h < s->host_count; h++) {
        if (s->path[h].dead) {
            return true;
        }
    }
    return false;
}

static void scenario_ends(struct sim_scenario *s, uint32_t index)
{
    struct sim_plan *p = &s->plan[index];
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_END, index));
    uint32_t most = scenario_most(s, p), i;

    p->end[0].send_len = scenario_len(&r, most);
    p->end[1].send_len = scenario_len(&r, most);
    for (i = 0; i < 2; i++) {
        struct sim_end_plan *e = &p->end[i];

        scenario_end_writer(&r, e);
        if (s->profile != SIM_CLEAN) {
            scenario_end_reader(&r, s, e, p->end[1 - i].send_len);
        } else {
            e->read_max = 65536;
        }
        e->leave = (uint8_t)sim_below(&r, scenario_impatient(s) ? 2 : 3);
        e->copying = sim_percent(&r, 50);
        e->wants_all = sim_percent(&r, 30);
    }
    i = sim_below(&r, 3); /* 2: both close when they have written */
    if (i < 2) {
        p->end[i].close = SIM_CLOSE_AFTER_EOF;
    }
}

/* The same two sockets once more, as soon as the connection before is done: 2MSL and RFC 6191 are in the way. */
static void scenario_plan_again(struct sim_scenario *s, struct sim_rng *r, uint32_t index)
{
    struct sim_plan *p = &s->plan[index];
    const struct sim_plan *before = &s->plan[index - 1];

    if (before->open > SIM_OPEN_HELD || before->elsewhere || sim_plan_fatal(s, before)) {
        return;
    }
    p->host[0] = before->host[0];
    p->host[1] = before->host[1];
    p->v6 = before->v6;
    p->open = before->open;
    p->after = (uint8_t)index;
    p->elsewhere = false;
    p->port[0] = before->port[0];
    p->port[1] = before->port[1];
    p->open_at = sim_percent(r, 50) ? 0 : sim_log(r, 1, 100000000);
}

static void scenario_plan_open(struct sim_scenario *s, struct sim_rng *r, struct sim_plan *p, uint32_t index)
{
    uint32_t how = sim_below(r, 100);

    p->open = SIM_OPEN_LISTENER;
    p->port[1] = 7000;
    p->port[0] = sim_percent(r, 50) ? 0 : (uint16_t)(5000 + index);
    if (how < 10) {
        p->open = SIM_OPEN_BOTH;
        p->port[0] = (uint16_t)(5000 + index);
        p->port[1] = (uint16_t)(6000 + index);
    } else if (how < 25 && s->profile != SIM_CLEAN) {
        p->open = how < 22 ? SIM_OPEN_HELD : SIM_OPEN_REFUSED;
        p->port[1] = 7001;
        p->admit_us = sim_percent(r, 40) ? 0 : sim_log(r, 1, 5000000);
    } else if (how < 28 && s->profile != SIM_CLEAN) {
        p->open = SIM_OPEN_NOBODY;
        p->port[1] = 7999;
    } else if (how < 36 && p->host[1] == 0) {
        p->elsewhere = true;
        p->port[1] = 8000;
    }
}

static void scenario_plan(struct sim_scenario *s, uint32_t index)
{
    struct sim_plan *p = &s->plan[index];
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_PLAN, index));
    uint32_t client = sim_range(&r, 1, s->host_count - 1u);
    bool from_client = sim_percent(&r, 75);

    p->host[0] = (uint8_t)(from_client ? client : 0);
    p->host[1] = (uint8_t)(from_client ? 0 : client);
    p->v6 = sim_percent(&r, 40);
    p->open_at = sim_percent(&r, 30) ? 0 : sim_log(&r, 1, 3000000);
    scenario_plan_open(s, &r, p, index);
    if (p->port[0] == 0 && s->host[p->host[0]].reboot_at != WEIR_FOREVER) {
        p->port[0] = (uint16_t)(5000 + index); /* with its memory it would lose which ephemeral ports it has used */
    }
    if (s->profile != SIM_CLEAN && sim_percent(&r, 12)) {
        p->abrupt = (uint8_t)sim_range(&r, SIM_ABORT, SIM_RELEASE);
        p->abrupt_end = (uint8_t)sim_below(&r, 2);
        p->abrupt_at = sim_log(&r, 1, 100000) - 1;
        p->abrupt_early = sim_percent(&r, 20) && p->open != SIM_OPEN_BOTH;
        p->linger_us = sim_log(&r, 1, 10000000);
    }
    if (index > 0 && sim_percent(&r, 15) && s->profile != SIM_CLEAN) {
        scenario_plan_again(s, &r, index);
    }
    scenario_ends(s, index);
}

/* ---- the whole ---- */

/* A path that dies for ever, or a host that loses its memory: rare, and then much may end in an error. */
static void scenario_trouble(struct sim_scenario *s)
{
    struct sim_rng r = sim_rng_for(s->seed, Q_TROUBLE);
    uint32_t which = sim_below(&r, 100), h = sim_range(&r, 1, s->host_count - 1u), i;

    if (s->profile == SIM_CLEAN) {
        return;
    }
    if (which < 2) {
        s->path[h].dead = true;
        s->path[h].outage_at = sim_log(&r, 1, 5000000);
        s->path[h].outage_us = 0;
        for (i = 0; i < s->host_count; i++) {
            s->host[i].config.tcp.r2_us = sim_range(&r, 100, 200) * SIM_SECOND;
            s->host[i].config.tcp.r2_syn_us = 200 * SIM_SECOND;
            s->host[i].config.tcp.fin_wait_us = 60 * SIM_SECOND;
            s->host[i].config.tcp.orphan_us = 100 * SIM_SECOND;
            s->host[i].backlog = 0; /* the half-open calls of the dead would keep the living out */
        }
    } else if (which < 5) {
        h = sim_below(&r, s->host_count);
        s->host[h].reboot_at = sim_log(&r, 1, 20000000);
        s->host[h].new_secret = sim_percent(&r, 50);
    }
}

/* A path that blots out timestamps cannot serve one who insists on them. */
static void scenario_indulgence(struct sim_scenario *s)
{
    uint32_t h;

    for (h = 1; h < s->host_count; h++) {
        if (s->path[h].link[0].strip != 0 || s->path[h].link[1].strip != 0) {
            s->host[0].config.tcp.require_timestamps = false;
            s->host[h].config.tcp.require_timestamps = false;
        }
    }
}

/* Somebody who sees no packet but guesses well: see attack.c. */
static void scenario_attack(struct sim_scenario *s)
{
    struct sim_rng r = sim_rng_for(s->seed, Q_ATTACK);
    uint32_t i;

    if (s->profile == SIM_CLEAN || !sim_percent(&r, s->profile == SIM_HOSTILE ? 40 : 12)) {
        return;
    }
    s->attack = (uint16_t)sim_log(&r, 300, 20000);
    for (i = 0; i < s->host_count; i++) {
        s->host[i].config.tcp.require_timestamps = false;
    }
}

/* A clock that lets a number of one connection pass 2^31 or 2^32 while it runs: every fourth microsecond is one more of an initial
 * sequence number (RFC 6528), every millisecond one more of a timestamp. */
static void scenario_edge(struct sim_scenario *s, uint32_t host)
{
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_EDGE, host));
    uint32_t edge = sim_percent(&r, 60) ? 0 : UINT32_C(0x80000000);

    if (!sim_percent(&r, 20)) {
        return;
    }
    s->host[host].edge_plan = (uint8_t)(1 + sim_below(&r, s->plan_count));
    s->host[host].edge_is_stamp = sim_percent(&r, 30);
    s->host[host].edge = edge - sim_log(&r, 1, s->host[host].edge_is_stamp ? 2000 : 60000);
    s->host[host].origin = (weir_us)sim_below(&r, 1000) << 34;
}

/* Request and answer, rings that grow, switches thrown on the way. */
static void scenario_habits(struct sim_scenario *s, uint32_t index)
{
    struct sim_plan *p = &s->plan[index];
    struct sim_rng r = sim_rng_for(s->seed, PART(Q_HABIT, index));
    uint32_t longer = p->end[0].send_len > p->end[1].send_len ? p->end[0].send_len : p->end[1].send_len, i;

    if (sim_percent(&r, 20)) {
        p->turn = sim_log(&r, longer / 50 + 1, longer / 2 + 2);
    }
    for (i = 0; i < 2; i++) {
        p->end[i].habits = sim_percent(&r, 20) ? (uint8_t)sim_range(&r, 1, 15) : 0;
        p->end[i].habit_at = sim_below(&r, p->end[0].send_len + p->end[1].send_len + 1);
    }
}

/* Over such a path, between such users, nothing may ever be sent twice. An ACK must come back before the smallest RTO even when the
 * peer delays it: on longer paths a steady round-trip time takes the RTO so close to it that a delayed ACK is too late (RFC 6298
 * knows no allowance for it). */
static bool scenario_is_perfect(const struct sim_scenario *s)
{
    uint32_t i;

    for (i = 1; i < s->host_count; i++) {
        if (s->path[i].link[0].delay_us + s->path[i].link[1].delay_us > 90000) {
            return false;
        }
    }
    return s->profile == SIM_CLEAN;
}

void sim_scenario_draw(struct sim_scenario *s, uint64_t seed, enum sim_profile profile)
{
    struct sim_rng r = sim_rng_for(seed, Q_SHAPE);
    uint32_t i;

    memset(s, 0, sizeof *s);
    s->seed = seed;
    s->profile = profile;
    if (profile == SIM_ANY && sim_percent(&r, 25)) { /* also without being asked for */
        s->profile = (enum sim_profile)sim_range(&r, SIM_CLEAN, SIM_PROFILE_COUNT - 1);
    }
    s->host_count = (uint8_t)sim_range(&r, 2, SIM_HOSTS_MAX);
    s->plan_count = (uint8_t)sim_log(&r, 1, SIM_PLANS_MAX);
    for (i = 0; i < s->host_count; i++) {
        scenario_host(s, i);
    }
    for (i = 1; i < s->host_count; i++) {
        scenario_path(s, i);
    }
    scenario_trouble(s);
    for (i = 0; i < s->plan_count; i++) {
        scenario_plan(s, i);
    }
    for (i = 0; i < s->plan_count; i++) {
        scenario_habits(s, i);
    }
    for (i = 0; i < s->host_count; i++) {
        scenario_edge(s, i);
    }
    scenario_indulgence(s);
    scenario_attack(s);
    s->perfect = scenario_is_perfect(s);
}
