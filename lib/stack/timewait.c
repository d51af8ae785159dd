/* timewait.c - connections in TIME-WAIT whose user has gone, in small records. RFC 9293 3.6.1 (MUST-13), 3.10.7.4; RFC 6191.
 *
 * A record answers what the connection would have answered: a FIN that comes again is acknowledged and restarts 2MSL, a RST exactly at
 * RCV.NXT ends it (not with config.rfc1337), a SYN is judged by RFC 6191, anything else outside is acknowledged, a few times a second.
 * When all records are taken the oldest gives way. All wait equally long, so the queue of insertion is the queue of endings. */
#include "stack/room.h"

/* weiri_wait.state: when it ends, in ticks of 16 ms modulo 2^22; the number of our address; the second of the last acknowledgment; how
 * many in it; timestamps. */
#define WAIT_TICK_SHIFT 14u
#define WAIT_TICK_MASK 0x3fffffu
#define WAIT_LOCAL_SHIFT 22u
#define WAIT_LOCAL_MASK 7u
#define WAIT_SECOND_SHIFT 25u
#define WAIT_SECOND_MASK 7u
#define WAIT_ACKS_SHIFT 28u
#define WAIT_ACKS_MAX 3u /* acknowledgments a second: RFC 5961 7 asks for a bound, and two records must not talk for ever */
#define WAIT_STAMPED 0x80000000u

/* A TIME-WAIT record is no larger than this, or it does not compile. */
typedef char weiri_wait_fits[sizeof(struct weiri_wait) <= 44 && WEIR_STACK_ADDRS_MAX <= WAIT_LOCAL_MASK + 1 ? 1 : -1];

WEIR_PRIVATE weir_tuple weiri_wait_tuple(const weir_stack *s, uint32_t i)
{
    const struct weiri_wait *w = &s->waits[i];
    weir_tuple tuple;
    tuple.local = s->wait_locals ? s->wait_locals[i] : s->cfg.addrs[w->state >> WAIT_LOCAL_SHIFT & WAIT_LOCAL_MASK];
    tuple.remote = w->remote;
    tuple.local_port = w->local_port;
    tuple.remote_port = w->remote_port;
    return tuple;
}

/* The number of an address of ours. */
static uint32_t wait_local(const weir_stack *s, const weir_addr *local)
{
    uint32_t i = 0;
    while (i + 1u < s->cfg.addr_count && !weir_addr_equal(local, &s->cfg.addrs[i])) { /* WEIR_STACK_ADDRS_MAX */
        i++;
    }
    return i;
}

static void wait_set_tuple(weir_stack *s, uint32_t i, const weir_tuple *tuple)
{
    struct weiri_wait *w = &s->waits[i];
    w->remote = tuple->remote;
    w->local_port = tuple->local_port;
    w->remote_port = tuple->remote_port;
    if (s->wait_locals) {
        s->wait_locals[i] = tuple->local;
    } else {
        w->state |= wait_local(s, &tuple->local) << WAIT_LOCAL_SHIFT;
    }
}

/* Ends lie within 2MSL of each other, so the low bits and the last end of all give the whole. */
static weir_us wait_ends(const weir_stack *s, const struct weiri_wait *w)
{
    const uint64_t last = s->wait_last >> WAIT_TICK_SHIFT;
    return (last - ((last - w->state) & WAIT_TICK_MASK)) << WAIT_TICK_SHIFT;
}

/* At the end of the queue. One that would end before the last of it ends with it: the order stays, and nothing ends too early. */
static void wait_enqueue(weir_stack *s, uint32_t i, weir_us ends)
{
    const weir_us limit = (weir_us)(WAIT_TICK_MASK / 2) << WAIT_TICK_SHIFT, tick = (weir_us)1 << WAIT_TICK_SHIFT;
    ends = base_min_us(ends, base_after(s->now, limit));
    ends = base_min_us(ends, WEIR_FOREVER - 2 * tick) + (tick - 1);
    ends = ends >> WAIT_TICK_SHIFT << WAIT_TICK_SHIFT;
    if (s->wait_queue.count == 0 || ends > s->wait_last) {
        s->wait_last = ends;
    }
    struct weiri_wait *w = &s->waits[i];
    w->state = (w->state & ~WAIT_TICK_MASK) | ((uint32_t)(s->wait_last >> WAIT_TICK_SHIFT) & WAIT_TICK_MASK);
    w->next = WEIRI_NONE;
    w->prev = s->wait_queue.tail;
    if (w->prev == WEIRI_NONE) {
        s->wait_queue.head = i;
    } else {
        s->waits[w->prev].next = i;
    }
    s->wait_queue.tail = i;
    s->wait_queue.count++;
}

static void wait_dequeue(weir_stack *s, uint32_t i)
{
    const struct weiri_wait *w = &s->waits[i];
    if (w->prev == WEIRI_NONE) {
        s->wait_queue.head = w->next;
    } else {
        s->waits[w->prev].next = w->next;
    }
    if (w->next == WEIRI_NONE) {
        s->wait_queue.tail = w->prev;
    } else {
        s->waits[w->next].prev = w->prev;
    }
    s->wait_queue.count--;
}

WEIR_PRIVATE void weiri_wait_remove(weir_stack *s, uint32_t w)
{
    wait_dequeue(s, w);
    weiri_demux_remove(s, s->cfg.connections_max + w);
    weiri_pool_give(&s->wait_pool, w);
    s->stats.time_wait--;
}

WEIR_PRIVATE void weiri_wait_expire(weir_stack *s)
{
    while (s->wait_queue.count != 0 && wait_ends(s, &s->waits[s->wait_queue.head]) <= s->now) { /* those that are due */
        weiri_wait_remove(s, s->wait_queue.head);
    }
}

WEIR_PRIVATE weir_us weiri_wait_deadline(const weir_stack *s)
{
    return s->wait_queue.count ? wait_ends(s, &s->waits[s->wait_queue.head]) : WEIR_FOREVER;
}

WEIR_PRIVATE bool weiri_wait_add(weir_stack *s, const weir_conn *c)
{
    if (s->wait_pool.cap == 0) {
        return false;
    }
    weiri_wait_expire(s);
    uint32_t i = weiri_pool_take(&s->wait_pool);
    if (i == WEIRI_NONE) {
        weiri_wait_remove(s, s->wait_queue.head);
        s->stats.time_wait_evicted++;
        i = weiri_pool_take(&s->wait_pool);
    }
    struct weiri_wait *w = &s->waits[i];
    memset(w, 0, sizeof *w);
    w->snd_nxt = c->snd.nxt;
    w->rcv_nxt = c->rcv.nxt;
    w->ts_recent = c->ts.recent;
    w->state = conn_has(c, WEIRI_TS_OK) ? WAIT_STAMPED : 0;
    wait_set_tuple(s, i, &c->tuple);
    wait_enqueue(s, i, base_min_us(c->life_at, base_after(s->now, 2 * c->cfg->msl_us)));
    weiri_demux_insert(s, s->cfg.connections_max + i);
    s->stats.time_wait++;
    s->stats.time_wait_peak = base_max32(s->stats.time_wait_peak, s->stats.time_wait);
    return true;
}

/* One more acknowledgment in this second? */
static bool wait_may_ack(const weir_stack *s, struct weiri_wait *w)
{
    const uint32_t second = (uint32_t)(s->now >> 20) & WAIT_SECOND_MASK;
    uint32_t acks = w->state >> WAIT_ACKS_SHIFT & 3u;
    if ((w->state >> WAIT_SECOND_SHIFT & WAIT_SECOND_MASK) != second) {
        acks = 0;
    }
    if (acks == WAIT_ACKS_MAX) {
        return false;
    }
    w->state &= WAIT_STAMPED | WAIT_TICK_MASK | WAIT_LOCAL_MASK << WAIT_LOCAL_SHIFT;
    w->state |= second << WAIT_SECOND_SHIFT | (acks + 1) << WAIT_ACKS_SHIFT;
    return true;
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>; nothing will be taken any more: the window is 0. */
static void wait_ack(weir_stack *s, uint32_t i)
{
    struct weiri_wait *w = &s->waits[i];
    if (!wait_may_ack(s, w)) {
        return;
    }
    struct weiri_answer r;
    memset(&r, 0, sizeof r);
    r.tuple = weiri_wait_tuple(s, i);
    r.seq = w->snd_nxt;
    r.ack = w->rcv_nxt;
    r.flags = WEIR_ACK;
    r.options = w->state & WAIT_STAMPED ? (uint16_t)WEIR_OPT_TIMESTAMPS : 0;
    r.ts_value = (uint32_t)(s->now / 1000) + weiri_ts_offset(&s->cfg.tcp, &r.tuple); /* as weiri_ts_now */
    r.ts_echo = w->ts_recent;
    (void)weiri_answer_ack(s, &r);
}

/* How much newer than the last of the old connection the segment's timestamp is; 0 where timestamps are not in use. */
static int32_t wait_newer(const struct weiri_wait *w, const weir_view *view)
{
    if (!(w->state & WAIT_STAMPED) || !(view->options & WEIR_OPT_TIMESTAMPS)) {
        return 0;
    }
    return (int32_t)(view->ts_value - w->ts_recent);
}

WEIR_PRIVATE bool weiri_wait_reusable(const weir_stack *s, uint32_t i, const weir_view *view)
{
    const struct weiri_wait *w = &s->waits[i];
    struct weiri_reuse r;
    r.old_ts = (w->state & WAIT_STAMPED) != 0;
    r.new_ts = s->cfg.tcp.timestamps && (view->options & WEIR_OPT_TIMESTAMPS) != 0;
    r.recent = w->ts_recent;
    r.ts_value = view->ts_value;
    r.last = seq_sub(w->rcv_nxt, 1);
    r.isn = view->seq;
    return weiri_reuse_allowed(&r);
}

WEIR_PRIVATE void weiri_wait_input(weir_stack *s, uint32_t i, const weir_view *view)
{
    struct weiri_wait *w = &s->waits[i];
    const uint32_t len = weir_view_len(view);
    if (view->flags & WEIR_RST) { /* 3.10.7.4 second; never judged by its timestamp (RFC 7323 5.2) */
        if (seq_eq(view->seq, w->rcv_nxt) && !s->cfg.tcp.rfc1337) {
            weiri_wait_remove(s, i);
            s->stats.resets_in++;
        }
        return;
    }
    const int32_t newer = wait_newer(w, view);
    if (newer >= 0 && (view->flags & WEIR_FIN) && seq_eq(seq_add(view->seq, len), w->rcv_nxt)) { /* fifth: the FIN again */
        w->ts_recent += (uint32_t)newer;
        wait_ack(s, i);
        wait_dequeue(s, i);
        wait_enqueue(s, i, base_after(s->now, 2 * s->cfg.tcp.msl_us));
        return;
    }
    const bool beyond = (view->flags & WEIR_ACK) && seq_lt(w->snd_nxt, view->ack);
    if (newer < 0 || len != 0 || !seq_eq(view->seq, w->rcv_nxt) || beyond) {
        wait_ack(s, i);
    }
}

WEIR_PRIVATE const char *weiri_wait_check(const weir_stack *s)
{
    uint32_t seen = 0, prev = WEIRI_NONE;
    weir_us before = 0;
    for (uint32_t i = s->wait_queue.head; i != WEIRI_NONE; i = s->waits[i].next) {
        if (i >= s->wait_pool.fresh || s->waits[i].prev != prev || ++seen > s->wait_queue.count) {
            return "timewait: the queue is broken";
        }
        const weir_us ends = wait_ends(s, &s->waits[i]);
        if (ends < before || ends > s->wait_last) {
            return "timewait: the queue is out of order";
        }
        const weir_tuple tuple = weiri_wait_tuple(s, i);
        if (weiri_demux_find(s, &tuple) != s->cfg.connections_max + i) {
            return "timewait: a record cannot be found by its sockets";
        }
        before = ends;
        prev = i;
    }
    if (seen != s->wait_queue.count || prev != s->wait_queue.tail || seen != s->stats.time_wait || seen != s->wait_pool.used) {
        return "timewait: a count is wrong";
    }
    return weiri_pool_check(&s->wait_pool) ? NULL : "timewait: the pool is not in order";
}

#undef WAIT_TICK_SHIFT
#undef WAIT_TICK_MASK
#undef WAIT_LOCAL_SHIFT
#undef WAIT_LOCAL_MASK
#undef WAIT_SECOND_SHIFT
#undef WAIT_SECOND_MASK
#undef WAIT_ACKS_SHIFT
#undef WAIT_ACKS_MAX
#undef WAIT_STAMPED
