/* net_host.c - the stacks at the two ends of each flow, and their users: one sends all it may, the other reads all that comes. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define HOST_PORT 5001u
#define HOST_PERIOD 65521u /* a prime: streams that are out of step by any usual size differ */

/* What streams consist of: a table that repeats, so that writing and comparing cost next to nothing. */
static const uint8_t *host_content(void)
{
    static uint8_t table[2 * HOST_PERIOD];
    static bool filled;
    struct sim_rng r = sim_rng_for(1, 1);
    uint32_t i;

    for (i = 0; !filled && i < HOST_PERIOD; i++) {
        table[i] = table[i + HOST_PERIOD] = (uint8_t)sim_next(&r);
    }
    filled = true;
    return table;
}

static weir_addr host_addr(uint32_t flow, uint32_t end)
{
    return weir_addr_v4(10, (uint8_t)end, (uint8_t)flow, 1);
}

/* Memory for the largest ring while the one before it is still there, and as much that is kept back: it is never memory that limits. */
static void host_let_grow(const struct net_flow_plan *plan, uint32_t end, weir_stack_config *config)
{
    weir_sizes largest = config->rings;

    if (end == 0) {
        largest.tx = config->tcp.tx_max = plan->window_max;
    } else {
        largest.rx = config->tcp.rx_max = plan->window_max;
    }
    config->ring_memory = 6 * (uint64_t)weir_buffers_size(largest);
}

static void host_config(const struct net_world *w, uint32_t flow, uint32_t end, weir_stack_config *config)
{
    const struct net_flow_plan *plan = &w->plan.flow[flow];
    struct sim_rng r = sim_rng_for(w->plan.seed, 100 + 2 * flow + end);
    uint32_t i;

    weir_stack_config_init(config);
    config->tcp = plan->config;
    for (i = 0; i < sizeof config->tcp.secret; i++) {
        config->tcp.secret[i] = (uint8_t)(sim_next(&r) | 1u);
    }
    config->addrs[0] = host_addr(flow, end);
    config->addr_count = 1;
    config->checksum_trusted = true; /* nothing is damaged here */
    config->connections_max = 2;
    config->listeners_max = 1;
    config->half_open_max = 2;
    config->time_wait_max = 2;
    config->rings.rx = end == 0 ? 4096 : plan->window; /* nothing is sent to the sender */
    config->rings.tx = end == 0 ? plan->window : 4096;
    if (plan->window_max > plan->window) {
        host_let_grow(plan, end, config);
    }
}

bool net_host_build(struct net_world *w, uint32_t flow, uint32_t end)
{
    struct net_host *host = &w->flow[flow].end[end];
    weir_stack_config config;
    weir_listen_spec spec;
    weir_handle listener;
    weir_err err = WEIR_ERR_NONE;
    size_t len;

    host_config(w, flow, end, &config);
    len = weir_stack_size(&config);
    host->memory = len == 0 ? NULL : aligned_alloc(64, (len + 63) / 64 * 64);
    if (host->memory == NULL) {
        net_fail(w, "flow %u: no memory for a stack of %zu octets", flow + 1, len);
        return false;
    }
    host->wake_at = NET_NEVER;
    host->stack = weir_stack_init(host->memory, len, &config, net_clock(w), &err);
    if (host->stack != NULL && end == 1) {
        memset(&spec, 0, sizeof spec);
        spec.port = HOST_PORT;
        err = weir_stack_listen(host->stack, &spec, &listener);
    }
    if (err != WEIR_ERR_NONE) {
        net_fail(w, "flow %u: %s", flow + 1, weir_err_name(err));
    }
    return err == WEIR_ERR_NONE;
}

bool net_flow_done(const struct net_world *w, uint32_t flow)
{
    uint64_t amount = w->plan.flow[flow].amount;

    return amount != 0 && w->flow[flow].counts.delivered >= amount;
}

/* ---- users ---- */

static void host_write(struct net_world *w, uint32_t flow, weir_conn *c)
{
    const struct net_flow_plan *plan = &w->plan.flow[flow];
    struct net_flow *f = &w->flow[flow];
    uint8_t *room;
    size_t len = 1;

    while (len > 0) { /* ends: the ring fills up */
        uint64_t left = plan->amount == 0 ? UINT64_MAX : plan->amount - f->written;

        room = weir_tx_reserve(c, &len);
        if (len > HOST_PERIOD) {
            len = HOST_PERIOD;
        }
        if (len > left) {
            len = (size_t)left;
        }
        if (len > 0) {
            memcpy(room, host_content() + f->written % HOST_PERIOD, len);
            if (weir_tx_commit(c, len, 0, net_clock(w)) != WEIR_ERR_NONE) {
                net_fail(w, "flow %u: a commit of what reserve gave is refused", flow + 1);
                return;
            }
            f->written += len;
        }
    }
    if (plan->amount != 0 && f->written == plan->amount && !f->closed && (weir_events(c) & WEIR_EV_CONNECTED) != 0) {
        f->closed = true; /* CLOSE before the handshake is done would end the connection (RFC 9293 3.10.4) */
        (void)weir_close(c, net_clock(w));
    }
}

#define HOST_READ_SPAN (10 * NET_MS)

/* Octets that the receiver's user may read now: it is slow, so it never makes up for more than a little time. */
static uint64_t host_may_read(struct net_world *w, uint32_t flow)
{
    struct net_flow *f = &w->flow[flow];
    uint64_t rate = w->plan.flow[flow].read_bps;

    if (rate == 0) {
        return UINT64_MAX;
    }
    if (w->now > f->read_at + HOST_READ_SPAN) {
        f->read_at = w->now - HOST_READ_SPAN;
    }
    return (w->now - f->read_at) / 1000 * (rate / 1000) / 8000;
}

static void host_has_read(struct net_world *w, uint32_t flow, size_t len)
{
    if (w->plan.flow[flow].read_bps != 0) {
        w->flow[flow].read_at += (uint64_t)len * 8000000000 / w->plan.flow[flow].read_bps;
    }
}

static void host_read(struct net_world *w, uint32_t flow, weir_conn *c)
{
    struct net_flow *f = &w->flow[flow];
    uint64_t may = host_may_read(w, flow);
    const uint8_t *octets;
    size_t len;

    for (octets = weir_rx_peek(c, &len); len > 0 && may > 0; octets = weir_rx_peek(c, &len)) {
        len = len > HOST_PERIOD ? HOST_PERIOD : len;
        len = len > may ? (size_t)may : len;
        may -= len;
        host_has_read(w, flow, len);
        if (memcmp(octets, host_content() + f->counts.delivered % HOST_PERIOD, len) != 0) {
            net_fail(w, "flow %u: the stream differs behind octet %llu", flow + 1, (unsigned long long)f->counts.delivered);
        }
        f->counts.delivered += len;
        (void)weir_rx_consume(c, len, net_clock(w));
    }
    net_ledger_trim(&f->ledger, f->counts.delivered);
    if (net_flow_done(w, flow) && f->done_at == 0) {
        f->done_at = w->now;
    }
    if ((weir_events(c) & WEIR_EV_PEER_FIN) != 0 && weir_state(c) == WEIR_CLOSE_WAIT) {
        (void)weir_close(c, net_clock(w));
    }
}

static void host_serve(struct net_world *w, uint32_t flow, uint32_t end)
{
    struct net_host *host = &w->flow[flow].end[end];
    weir_ready ready;
    weir_conn *c;

    if (host->handle == 0 && weir_stack_ready(host->stack, &ready)) {
        host->handle = ready.conn;
    }
    c = host->handle == 0 ? NULL : weir_stack_conn(host->stack, host->handle);
    if (c == NULL) {
        return;
    }
    if (end == 0) {
        host_write(w, flow, c);
    } else {
        host_read(w, flow, c);
    }
}

/* ---- packets ---- */

static void host_about(struct net_world *w, struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    weir_view v;

    if (p->len < 40 || weir_view_segment(&v, p->octets + 20, p->len - 20, NULL) != WEIR_OK) {
        net_fail(w, "flow %u: a stack sent what cannot be read", p->flow + 1u);
        return;
    }
    if (p->back) {
        p->thins = v.flags == WEIR_ACK && v.payload_len == 0 && (v.options & WEIR_OPT_SACK) == 0;
        return;
    }
    if (v.flags & WEIR_SYN) {
        f->iss = v.seq.v + 1;
        f->seen_syn = true;
    }
    p->text = v.payload_len;
    /* The offset nearest to the end of what was sent that has these 32 bits. */
    p->offset = f->ledger.end + (uint64_t)(int64_t)(int32_t)(v.seq.v - f->iss - (uint32_t)f->ledger.end);
}

static void host_poll(struct net_world *w, uint32_t flow, uint32_t end)
{
    struct net_host *host = &w->flow[flow].end[end];
    struct net_packet *p = net_packet_new(w);
    size_t len;

    while ((len = weir_stack_poll_copy(host->stack, p->octets, w->packet_size, net_clock(w))) > 0) {
        p->len = (uint32_t)len;
        p->flow = (uint8_t)flow;
        p->back = end == 1;
        host_about(w, p);
        net_send(w, p);
        p = net_packet_new(w);
    }
    net_packet_free(w, p);
}

/* One turn of the loop at the head of weir/stack.h. */
static void host_turn(struct net_world *w, uint32_t flow, uint32_t end)
{
    struct net_host *host = &w->flow[flow].end[end];
    struct net_due due;
    weir_us deadline;

    host_serve(w, flow, end);
    host_poll(w, flow, end);
    deadline = weir_stack_deadline(host->stack);
    if (end == 1 && w->plan.flow[flow].read_bps != 0 && !net_flow_done(w, flow) && deadline > net_clock(w) + 1000) {
        deadline = net_clock(w) + 1000; /* a user that reads slowly looks each millisecond */
    }
    if (deadline == WEIR_FOREVER) {
        return;
    }
    memset(&due, 0, sizeof due);
    due.at = NET_NS(deadline - SIM_SECOND); /* what the host's clock shows at the start */
    due.at = due.at > w->now ? due.at : w->now;
    if (due.at < host->wake_at) {
        host->wake_at = due.at;
        due.what = NET_WAKE;
        due.who = 2 * flow + end;
        net_schedule(w, &due);
    }
}

void net_host_wake(struct net_world *w, uint32_t flow, uint32_t end)
{
    struct net_host *host = &w->flow[flow].end[end];

    if (host->wake_at != w->now) {
        return; /* it was woken earlier instead */
    }
    host->wake_at = NET_NEVER;
    weir_stack_expire(host->stack, net_clock(w));
    host_turn(w, flow, end);
}

void net_host_start(struct net_world *w, uint32_t flow)
{
    weir_tuple t;
    weir_err err;

    memset(&t, 0, sizeof t);
    t.local = host_addr(flow, 0);
    t.remote = host_addr(flow, 1);
    t.remote_port = HOST_PORT;
    err = weir_stack_connect(w->flow[flow].end[0].stack, &t, &w->flow[flow].end[0].handle, net_clock(w));
    if (err != WEIR_ERR_NONE) {
        net_fail(w, "flow %u: open: %s", flow + 1, weir_err_name(err));
        return;
    }
    host_turn(w, flow, 0);
}

/* The path's own round-trip time: the way here, and the way back without a wait. */
static void host_rtt(struct net_world *w, const struct net_packet *p)
{
    net_ns rtt = NET_NS(w->plan.rtt_us + w->plan.flow[p->flow].extra_rtt);

    if (p->text > 0 && w->now >= NET_NS(w->plan.warmup_us)) {
        net_span_add(&w->flow[p->flow].rtt, (w->now - p->sent + (rtt - rtt / 2)) / 1000, 1);
    }
}

void net_host_arrive(struct net_world *w, struct net_packet *p)
{
    uint32_t flow = p->flow, end = p->back ? 0 : 1;

    w->arrived++;
    if (p->back) {
        net_trace(w, p, NET_PASSES);
    } else {
        host_rtt(w, p);
    }
    (void)weir_stack_input(w->flow[flow].end[end].stack, p->octets, p->len, net_clock(w));
    net_packet_free(w, p);
    host_turn(w, flow, end);
}
