/* timewait.c - connections in TIME-WAIT whose user has gone, in small records. RFC 9293 3.6.1 (MUST-13), 3.10.7.4; RFC 6191.
 *
 * A record answers what the connection would have answered: a FIN that comes again is acknowledged and restarts 2MSL, a RST exactly at
 * RCV.NXT ends it (not with config.rfc1337), a SYN is judged by RFC 6191, anything else outside is acknowledged, a few times a second.
 * When all records are taken the oldest gives way. All wait equally long, so the queue of insertion is the queue of endings. */
#include "stack/room.h"

#define WAIT_TICK_SHIFT 16u    /* when a record ends is known in ticks of 66 ms .. */
#define WAIT_TICK_MASK 0xffffu /* .. modulo 2^16, more than twice what 2MSL may be */
#define WAIT_SECOND_MASK 7u
#define WAIT_LOCAL_MASK 7u
#define WAIT_ACKS_MAX 3u /* acknowledgments a second: RFC 5961 7 asks for a bound, and two records must not talk for ever */

/* A TIME-WAIT record is no larger than this, or it does not compile. */
typedef char weiri_wait_fits[sizeof(struct weiri_wait) == 44 && WEIR_STACK_ADDRS_MAX <= WAIT_LOCAL_MASK + 1 ? 1 : -1];

/* An index out of a record. */
static uint32_t wait_index(uint32_t link)
{
    return link == WEIRI_WAIT_LINK ? WEIRI_NONE : link;
}

WEIR_PRIVATE weir_tuple weiri_wait_tuple(const weir_stack *s, uint32_t i)
{
    const struct weiri_wait *w = &s->waits[i];
    weir_tuple tuple;
    tuple.local = s->wait_locals ? s->wait_locals[i] : s->cfg.addrs[w->local];
    tuple.remote = w->remote;
    tuple.local_port = w->local_port;
    tuple.remote_port = w->remote_port;
    return tuple;
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
        w->local = weiri_addr_number(s, &tuple->local) & WAIT_LOCAL_MASK;
    }
}

/* Ends lie within 2MSL of each other, so the low bits and the last end of all give the whole. */
static weir_us wait_ends(const weir_stack *s, const struct weiri_wait *w)
{
    const uint64_t last = s->wait_last >> WAIT_TICK_SHIFT;
    const uint32_t ends = (uint32_t)w->ends_high << 9 | w->ends_low;
    return (last - ((last - ends) & WAIT_TICK_MASK)) << WAIT_TICK_SHIFT;
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
    w->ends_low = (uint32_t)(s->wait_last >> WAIT_TICK_SHIFT) & 0x1ffu;
    w->ends_high = (uint32_t)(s->wait_last >> WAIT_TICK_SHIFT >> 9) & 0x7fu;
    w->next = WEIRI_WAIT_LINK;
    w->prev = s->wait_queue.tail & WEIRI_WAIT_LINK;
    if (s->wait_queue.tail == WEIRI_NONE) {
        s->wait_queue.head = i;
    } else {
        s->waits[s->wait_queue.tail].next = i & WEIRI_WAIT_LINK;
    }
    s->wait_queue.tail = i;
    s->wait_queue.count++;
}

static void wait_dequeue(weir_stack *s, uint32_t i)
{
    const uint32_t next = s->waits[i].next, prev = s->waits[i].prev;
    if (prev == WEIRI_WAIT_LINK) {
        s->wait_queue.head = wait_index(next);
    } else {
        s->waits[prev].next = next & WEIRI_WAIT_LINK;
    }
    if (next == WEIRI_WAIT_LINK) {
        s->wait_queue.tail = wait_index(prev);
    } else {
        s->waits[next].prev = prev & WEIRI_WAIT_LINK;
    }
    s->wait_queue.count--;
}

/* A free record, what was used last first; WEIRI_NONE: there is none. */
static uint32_t wait_take(weir_stack *s)
{
    const uint32_t i = s->wait_free;
    if (i != WEIRI_NONE) {
        s->wait_free = wait_index(s->waits[i].next);
        return i;
    }
    return s->wait_fresh < s->cfg.time_wait_max ? s->wait_fresh++ : WEIRI_NONE;
}

WEIR_PRIVATE void weiri_wait_remove(weir_stack *s, uint32_t w)
{
    wait_dequeue(s, w);
    weiri_demux_remove(s, s->cfg.connections_max + w);
    s->waits[w].next = s->wait_free & WEIRI_WAIT_LINK;
    s->wait_free = w;
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
    if (s->cfg.time_wait_max == 0) {
        return false;
    }
    weiri_wait_expire(s);
    uint32_t i = wait_take(s);
    if (i == WEIRI_NONE) {
        weiri_wait_remove(s, s->wait_queue.head);
        s->stats.time_wait_evicted++;
        i = wait_take(s);
    }
    struct weiri_wait *w = &s->waits[i];
    memset(w, 0, sizeof *w);
    w->snd_nxt = c->snd.nxt;
    w->rcv_nxt = c->rcv.nxt;
    w->ts_recent = c->ts.recent;
    w->stamped = conn_has(c, WEIRI_TS_OK);
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
    if (w->second != second) {
        w->second = second & WAIT_SECOND_MASK;
        w->acks = 0;
    }
    if (w->acks == WAIT_ACKS_MAX) {
        return false;
    }
    w->acks++;
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
    r.options = w->stamped ? (uint16_t)WEIR_OPT_TIMESTAMPS : 0;
    r.ts_value = (uint32_t)(s->now / 1000) + weiri_ts_offset(&s->cfg.tcp, &r.tuple); /* as weiri_ts_now */
    r.ts_echo = w->ts_recent;
    (void)weiri_answer_ack(s, &r);
}

/* How much newer than the last of the old connection the segment's timestamp is; 0 where timestamps are not in use. */
static int32_t wait_newer(const struct weiri_wait *w, const weir_view *view)
{
    if (!w->stamped || !(view->options & WEIR_OPT_TIMESTAMPS)) {
        return 0;
    }
    return (int32_t)(view->ts_value - w->ts_recent);
}

WEIR_PRIVATE bool weiri_wait_reusable(const weir_stack *s, uint32_t i, const weir_view *view)
{
    const struct weiri_wait *w = &s->waits[i];
    struct weiri_reuse r;
    r.old_ts = w->stamped;
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
        weiri_wait_expire(s); /* ends in the queue lie near each other */
        wait_enqueue(s, i, base_after(s->now, 2 * s->cfg.tcp.msl_us));
        return;
    }
    const bool beyond = (view->flags & WEIR_ACK) && seq_lt(w->snd_nxt, view->ack);
    if (newer < 0 || len != 0 || !seq_eq(view->seq, w->rcv_nxt) || beyond) {
        wait_ack(s, i);
    }
}

/* Those in use and those that are free are all that ever were in use. */
static bool wait_check_free(const weir_stack *s)
{
    uint32_t free = 0;
    for (uint32_t i = s->wait_free; i != WEIRI_NONE; i = wait_index(s->waits[i].next)) { /* ends: `free` grows with each */
        if (i >= s->wait_fresh || ++free > s->wait_fresh) {
            return false;
        }
    }
    return s->wait_fresh <= s->cfg.time_wait_max && free + s->wait_queue.count == s->wait_fresh;
}

WEIR_PRIVATE const char *weiri_wait_check(const weir_stack *s)
{
    uint32_t seen = 0, prev = WEIRI_NONE;
    weir_us before = 0;
    for (uint32_t i = s->wait_queue.head; i != WEIRI_NONE; i = wait_index(s->waits[i].next)) { /* ends: nobody has two before it */
        if (i >= s->wait_fresh || wait_index(s->waits[i].prev) != prev) {
            return "timewait: the queue is broken";
        }
        seen++;
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
    if (seen != s->wait_queue.count || prev != s->wait_queue.tail || seen != s->stats.time_wait) {
        return "timewait: a count is wrong";
    }
    return wait_check_free(s) ? NULL : "timewait: the free records are not in order";
}

#undef WAIT_TICK_SHIFT
#undef WAIT_TICK_MASK
#undef WAIT_LOCAL_MASK
#undef WAIT_SECOND_MASK
#undef WAIT_ACKS_MAX
