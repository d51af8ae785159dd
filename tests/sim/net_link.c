/* net_link.c - the bottleneck and what the path does to packets: losses, the queue (tail drop or CoDel), delay, overtaking, and
 * acknowledgments that are lost or thinned.
 *
 * Random and planted losses strike a packet before the queue, so that their pattern does not depend on it. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define LINK_HASHED 96u /* octets of a packet that go into the hash: all headers */

struct net_packet *net_packet_new(struct net_world *w)
{
    struct net_packet *p = w->free_packets;

    if (p == NULL) {
        p = malloc(sizeof *p + w->packet_size);
        if (p == NULL) {
            abort();
        }
    } else {
        w->free_packets = p->next;
    }
    memset(p, 0, sizeof *p);
    return p;
}

void net_packet_free(struct net_world *w, struct net_packet *p)
{
    p->next = w->free_packets;
    w->free_packets = p;
}

static void link_hash(uint64_t *hash, uint64_t word)
{
    *hash = (*hash ^ word) * UINT64_C(0x100000001b3);
    *hash ^= *hash >> 29;
}

static void link_capture(struct net_world *w, const struct net_packet *p, enum net_fate fate)
{
    static const char *const words[] = {NULL, "lost", "lost: the queue is full", "lost: CoDel", "thinned out"};
    weir_pcapng_packet about;
    weir_slice slice;

    memset(&about, 0, sizeof about);
    about.when = w->now / 1000;
    about.inbound = p->back;
    about.comment = words[fate];
    slice.octets = p->octets;
    slice.len = p->len;
    weir_pcapng_write(w->capture, &about, &slice, 1);
}

/* A packet has met its fate: the hash and the capture file are told. */
void net_trace(struct net_world *w, const struct net_packet *p, enum net_fate fate)
{
    uint64_t word = 0;
    uint32_t i;

    link_hash(&w->result->hash, w->now);
    link_hash(&w->result->hash, (uint64_t)p->flow << 16 | (uint64_t)p->back << 8 | fate);
    for (i = 0; i < p->len && i < LINK_HASHED; i++) {
        word |= (uint64_t)p->octets[i] << (8 * (i & 7));
        if ((i & 7) == 7) {
            link_hash(&w->result->hash, word);
            word = 0;
        }
    }
    link_hash(&w->result->hash, word);
    link_hash(&w->result->hash, p->len);
    if (w->capture != NULL) {
        link_capture(w, p, fate);
    }
}

static void link_lose(struct net_world *w, struct net_packet *p, enum net_fate fate)
{
    struct net_counts *c = &w->flow[p->flow].counts;

    net_trace(w, p, fate);
    w->dropped++;
    if (p->text > 0) {
        c->lost += fate == NET_LOST;
        c->queue_lost += fate != NET_LOST;
        net_ledger_drop(w, p);
    } else if (p->back) {
        c->acks_lost++;
    }
    net_packet_free(w, p);
}

static net_ns link_time(uint32_t len, uint64_t bps)
{
    return bps == 0 ? 0 : (net_ns)len * 8u * UINT64_C(1000000000) / bps;
}

static bool link_ppm(struct sim_rng *r, uint32_t ppm)
{
    return ppm != 0 && sim_below(r, 1000000) < ppm;
}

/* ---- losses on purpose and by chance ---- */

static bool link_burst(struct net_world *w, const struct net_packet *p)
{
    bool lost = false;
    uint32_t i;

    for (i = 0; i < w->plan.burst_count; i++) {
        const struct net_burst *b = &w->plan.burst[i];
        struct net_burst_state *s = &w->burst[i];

        if (!s->begun) {
            s->begun = b->by_octet ? p->flow == 0 && p->offset <= b->octet && b->octet < p->offset + p->text
                                   : w->now >= NET_NS(b->at);
            if (s->begun) {
                net_event(w, i);
            }
        }
        if (s->begun && !s->done) {
            lost = lost || s->seen % b->step == 0;
            s->seen++;
            s->done = s->seen > (b->count - 1) * b->step;
        }
    }
    return lost;
}

static bool link_gilbert(struct net_world *w)
{
    const struct net_gilbert *g = &w->plan.gilbert;

    if (g->to_bad == 0) {
        return false;
    }
    if (link_ppm(&w->gilbert, w->gilbert_bad ? g->to_good : g->to_bad)) {
        w->gilbert_bad = !w->gilbert_bad;
    }
    return link_ppm(&w->gilbert, w->gilbert_bad ? g->loss_bad : g->loss_good);
}

/* Every source of loss is asked each time: none changes what another one draws. */
static bool link_lost(struct net_world *w, const struct net_packet *p)
{
    bool burst = p->text > 0 && link_burst(w, p), chance = link_ppm(&w->loss, w->plan.loss_ppm);

    return link_gilbert(w) || burst || chance;
}

/* ---- the queue ---- */

void net_queue_watch(struct net_world *w)
{
    net_ns from = w->queue_seen > NET_NS(w->plan.warmup_us) ? w->queue_seen : NET_NS(w->plan.warmup_us);

    if (w->now > from) {
        net_span_add(&w->queue_span, w->queue.octets, w->now - from);
    }
    w->queue_seen = w->now;
}

static struct net_packet *queue_take(struct net_world *w)
{
    struct net_queue *q = &w->queue;
    struct net_packet *p = q->first;

    if (p != NULL) {
        net_queue_watch(w);
        q->first = p->next;
        q->octets -= p->len;
        q->packets--;
    }
    return p;
}

static uint64_t link_root(uint64_t v)
{
    uint64_t root = 0, bit;

    for (bit = UINT64_C(1) << 31; bit != 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= v) {
            root += bit;
        }
    }
    return root;
}

/* The gap between drops shrinks with the root of their number (RFC 8289 5.5), here without a fraction. */
static net_ns codel_next(const struct net_world *w, net_ns from)
{
    uint64_t interval = w->plan.codel_interval_us;

    return from + 1000 * link_root(interval * interval / w->queue.codel.count);
}

/* True if packets have stayed too long for an interval (RFC 8289 5.6). */
static bool codel_may_drop(struct net_world *w, const struct net_packet *p)
{
    struct net_codel *c = &w->queue.codel;

    if (p == NULL || w->now - p->queued < NET_NS(w->plan.codel_target_us) || w->queue.octets <= 1500) {
        c->above_at = 0;
        return false;
    }
    if (c->above_at == 0) {
        c->above_at = w->now + NET_NS(w->plan.codel_interval_us);
        return false;
    }
    return w->now >= c->above_at;
}

/* Where both ends have agreed to it a packet is marked instead (RFC 3168 5). Bits 6 and 7 of the second octet are in the header's sum. */
static bool link_mark(struct net_world *w, struct net_packet *p)
{
    uint32_t ecn = p->octets[1] & 3u, sum;

    if (ecn == 0) {
        return false;
    }
    sum = (uint32_t)(p->octets[10] << 8 | p->octets[11]) + 0xffffu - (3u - ecn); /* RFC 1624 */
    sum = (sum & 0xffffu) + (sum >> 16);
    p->octets[10] = (uint8_t)(sum >> 8);
    p->octets[11] = (uint8_t)sum;
    p->octets[1] |= 3u;
    w->result->marks++;
    return true;
}

static struct net_packet *codel_drop(struct net_world *w, struct net_packet *p)
{
    if (link_mark(w, p)) {
        return p;
    }
    w->result->queue_drops++;
    link_lose(w, p, NET_CODEL);
    return queue_take(w);
}

/* The next packet to send (RFC 8289 5.5). */
static struct net_packet *codel_take(struct net_world *w)
{
    struct net_codel *c = &w->queue.codel;
    struct net_packet *p = queue_take(w);
    bool drop = codel_may_drop(w, p);
    uint32_t fresh;

    if (!c->dropping) {
        if (drop) {
            p = codel_drop(w, p);
            (void)codel_may_drop(w, p);
            fresh = c->count - c->last_count;
            c->dropping = true;
            c->count = fresh > 1 && w->now - c->next_at < 16 * NET_NS(w->plan.codel_interval_us) ? fresh : 1;
            c->next_at = codel_next(w, w->now);
            c->last_count = c->count;
        }
        return p;
    }
    c->dropping = drop;
    while (c->dropping && w->now >= c->next_at) { /* ends: each turn takes a packet */
        c->count++;
        struct net_packet *marked = p;

        p = codel_drop(w, p);
        c->dropping = codel_may_drop(w, p);
        if (c->dropping) {
            c->next_at = codel_next(w, c->next_at);
        }
        if (p == marked) {
            break; /* one mark is enough for a packet */
        }
    }
    return p;
}

static void link_transmit(struct net_world *w)
{
    struct net_packet *p = w->plan.codel ? codel_take(w) : queue_take(w);
    struct net_due due;

    w->queue.on_wire = p;
    if (p == NULL) {
        w->queue.last = NULL;
        return;
    }
    memset(&due, 0, sizeof due);
    due.at = w->now + link_time(p->len, w->plan.rate_bps);
    due.what = NET_LINK_FREE;
    net_schedule(w, &due);
}

static bool queue_full(const struct net_world *w, const struct net_packet *p)
{
    return w->queue.on_wire != NULL && (w->queue.octets + p->len > w->plan.queue_octets ||
           (w->plan.queue_packets != 0 && w->queue.packets >= w->plan.queue_packets));
}

/* Has its sender noticed a loss yet? What is dropped before is what slow start sent too much. */
static bool queue_drop_is_first(const struct net_world *w, const struct net_packet *p)
{
    const struct net_host *host = &w->flow[p->flow].end[0];
    const weir_conn *c = weir_stack_peek(host->stack, host->handle);
    weir_info info;

    if (p->back || c == NULL) {
        return false;
    }
    weir_info_get(c, &info);
    return info.fast_recoveries == 0 && info.timeouts == 0;
}

static void queue_drop(struct net_world *w, struct net_packet *p)
{
    w->result->queue_drops++;
    if (queue_drop_is_first(w, p)) {
        w->result->first_drops += p->len;
    }
    link_lose(w, p, NET_QUEUE_FULL);
}

static bool queue_marks(const struct net_world *w)
{
    const struct net_plan *plan = &w->plan;

    return (plan->mark_packets > 0 && w->queue.packets >= plan->mark_packets) ||
           (plan->mark_octets > 0 && w->queue.octets >= plan->mark_octets);
}

void net_enter(struct net_world *w, struct net_packet *p)
{
    struct net_queue *q = &w->queue;

    if (link_lost(w, p)) {
        link_lose(w, p, NET_LOST);
    } else if (queue_full(w, p)) {
        queue_drop(w, p);
    } else {
        if (queue_marks(w)) {
            (void)link_mark(w, p);
        }
        net_trace(w, p, NET_PASSES);
        net_queue_watch(w);
        p->queued = w->now;
        p->next = NULL;
        if (q->first == NULL) {
            q->first = p;
        } else {
            q->last->next = p;
        }
        q->last = p;
        q->octets += p->len;
        q->packets++;
        if (q->on_wire == NULL) {
            link_transmit(w);
        }
    }
}

/* ---- the way after the bottleneck, and the way back ---- */

static void link_arrive(struct net_world *w, struct net_packet *p, net_ns at)
{
    struct net_due due;

    memset(&due, 0, sizeof due);
    due.at = at;
    due.what = NET_ARRIVE;
    due.packet = p;
    net_schedule(w, &due);
}

static net_ns link_delay(const struct net_world *w, const struct net_packet *p)
{
    net_ns rtt = NET_NS(w->plan.rtt_us + w->plan.flow[p->flow].extra_rtt);

    return p->back ? rtt - rtt / 2 : rtt / 2;
}

/* Jitter does not reorder; reordering holds a packet back while others pass. */
void net_link_free(struct net_world *w)
{
    struct net_packet *p = w->queue.on_wire;
    struct net_flow *f = &w->flow[p->flow];
    net_ns at = w->now + link_delay(w, p);

    if (w->plan.jitter_us != 0) {
        at += 1000 * (net_ns)sim_below(&w->jitter, (uint32_t)w->plan.jitter_us + 1);
    }
    if (link_ppm(&w->reorder, w->plan.reorder_ppm)) {
        at += NET_NS(w->plan.reorder_us);
    } else {
        at = at < f->last_arrival[0] ? f->last_arrival[0] : at;
        f->last_arrival[0] = at;
    }
    link_arrive(w, p, at);
    link_transmit(w);
}

static void link_back(struct net_world *w, struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    net_ns at;

    f->counts.acks++;
    if (link_ppm(&w->ack_loss, w->plan.ack_loss_ppm)) {
        link_lose(w, p, NET_LOST);
        return;
    }
    w->back_free = (w->back_free > w->now ? w->back_free : w->now) + link_time(p->len, w->plan.back_bps);
    at = w->back_free + link_delay(w, p);
    at = at < f->last_arrival[1] ? f->last_arrival[1] : at;
    f->last_arrival[1] = at;
    link_arrive(w, p, at);
}

static void thin_release(struct net_world *w, struct net_flow *f)
{
    struct net_packet *p = f->held;

    f->held = NULL;
    f->held_count = 0;
    if (p != NULL) {
        link_back(w, p);
    }
}

void net_thin_due(struct net_world *w, uint32_t flow, struct net_packet *p)
{
    struct net_flow *f = &w->flow[flow];

    if (f->held == p && p != NULL && w->now >= p->queued + NET_NS(w->plan.ack_thin_us)) {
        thin_release(w, f);
    }
}

/* A plain acknowledgment waits for the next ones, of which one goes on for all; it never waits long. */
static void link_thin(struct net_world *w, struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    struct net_due due;

    p->queued = w->now;
    if (f->held != NULL) {
        p->queued = f->held->queued;
        f->counts.acks++;
        link_lose(w, f->held, NET_THINNED);
    }
    f->held = p;
    if (++f->held_count >= w->plan.ack_thin) {
        thin_release(w, f);
        return;
    }
    memset(&due, 0, sizeof due);
    due.at = p->queued + NET_NS(w->plan.ack_thin_us);
    due.what = NET_THIN;
    due.who = p->flow;
    due.packet = p;
    net_schedule(w, &due);
}

void net_send(struct net_world *w, struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    struct net_due due;

    w->made++;
    p->sent = w->now;
    if (p->back) {
        if (w->plan.ack_thin > 1 && p->thins) {
            link_thin(w, p);
        } else {
            thin_release(w, f);
            link_back(w, p);
        }
        return;
    }
    if (p->text > 0) {
        net_ledger_send(w, p);
    }
    if (w->plan.access_bps == 0) {
        net_enter(w, p);
        return;
    }
    f->access_free = (f->access_free > w->now ? f->access_free : w->now) + link_time(p->len, w->plan.access_bps);
    memset(&due, 0, sizeof due);
    due.at = f->access_free;
    due.what = NET_ENTER;
    due.packet = p;
    net_schedule(w, &due);
}
