/* syn.c - half-open connections in small records, so that a flood of SYNs fills little memory. RFC 4987 3.4; RFC 9293 3.10.7.2, 3.10.7.4.
 *
 * A SYN opens a whole connection, whose state machine answers it. Only when a listener has many of them, or a place is wanted, the one that
 * has waited longest becomes a record; a segment, an ICMP error or its timer makes it whole again, and then is its own affair. So a
 * record answers nothing itself. Which connections can be told in so little is lib/conn/half.c's affair; the others stay whole.
 *
 * The timer of a record: those whose SYN,ACK went equally often wait about equally long, so each such number has a queue. */
#include "stack/room.h"

#define SYN_TICK_SHIFT 12u /* when a record is due is known in ticks of 4 ms, modulo 2^16 */
#define SYN_TICK_MASK 0xffffu
#define SYN_LONGEST_US ((weir_us)(SYN_TICK_MASK / 2) << SYN_TICK_SHIFT) /* who is due later stays whole */

/* The bits of a record: shift, timestamps, SACK, ECN, suspect; which address of ours; how often its timer has fired. */
#define SYN_STAMPED 0x10u
#define SYN_SACK 0x20u
#define SYN_ECN 0x40u
#define SYN_SUSPECT 0x80u
#define SYN_LOCAL_SHIFT 8u
#define SYN_RETRIES_SHIFT 11u
#define SYN_NOBODY 0xffffu

/* A record is no larger than this, with its head 48, or it does not compile. */
typedef char weiri_syn_fits[sizeof(struct weiri_syn) == 46 && WEIR_STACK_ADDRS_MAX <= 8 ? 1 : -1];

static uint32_t syn_index(uint16_t link)
{
    return link == SYN_NOBODY ? WEIRI_NONE : link;
}

static unsigned syn_retries(const struct weiri_syn *y)
{
    return (unsigned)y->bits >> SYN_RETRIES_SHIFT & WEIRI_HALF_RETRIES;
}

static unsigned syn_queue_of(unsigned retries)
{
    return base_min32(retries, WEIRI_SYN_QUEUES - 1);
}

static struct weiri_syn_queue *syn_queue(weir_stack *s, const struct weiri_syn *y)
{
    return &s->syns.queues[syn_queue_of(syn_retries(y))];
}

static weir_tuple syn_tuple(const weir_stack *s, uint32_t r)
{
    const struct weiri_syn *y = &s->syns.records[r];
    weir_tuple tuple;
    tuple.local = s->syns.locals ? s->syns.locals[r] : s->cfg.addrs[(unsigned)y->bits >> SYN_LOCAL_SHIFT & 7u];
    tuple.remote = y->remote;
    tuple.local_port = y->local_port;
    tuple.remote_port = y->remote_port;
    return tuple;
}

/* ---- found by its sockets ------------------------------------------------------------------------------------------------------------ */

static uint16_t *syn_head(const weir_stack *s, uint32_t hash)
{
    return &s->syns.heads[(uint64_t)hash * s->syns.cap >> 32];
}

static bool syn_has(const weir_stack *s, uint32_t r, const weir_tuple *tuple)
{
    if (s->syns.records[r].remote_port != tuple->remote_port) { /* nearly always, where it is another */
        return false;
    }
    const weir_tuple own = syn_tuple(s, r);
    return own.local_port == tuple->local_port && weir_addr_equal(&own.remote, &tuple->remote) &&
           weir_addr_equal(&own.local, &tuple->local);
}

WEIR_PRIVATE uint32_t weiri_syn_find(const weir_stack *s, const weir_tuple *tuple, uint32_t hash)
{
    uint32_t r = syn_index(*syn_head(s, hash));
    while (r != WEIRI_NONE && !syn_has(s, r, tuple)) { /* a chain: one on average at most */
        r = syn_index(s->syns.records[r].chain);
    }
    return r;
}

static void syn_unchain(weir_stack *s, uint32_t r)
{
    const weir_tuple tuple = syn_tuple(s, r);
    uint16_t *at = syn_head(s, weiri_demux_hash(s, &tuple));
    while (*at != r) { /* the chain that r is in */
        if (WEIR_NEVER(*at == SYN_NOBODY)) {
            return;
        }
        at = &s->syns.records[*at].chain;
    }
    *at = s->syns.records[r].chain;
}

/* ---- in the order in which they are due ---------------------------------------------------------------------------------------------- */

/* Those in one queue are due within SYN_LONGEST_US of each other, so the low bits and the last due of them give the whole. */
static weir_us syn_due(const struct weiri_syn_queue *q, const struct weiri_syn *y)
{
    const uint64_t last = q->last >> SYN_TICK_SHIFT;
    return (last - ((last - y->due) & SYN_TICK_MASK)) << SYN_TICK_SHIFT;
}

/* One that would be due before the last of its queue is due with it: nothing fires too early. */
static void syn_enqueue(weir_stack *s, uint32_t r, weir_us due)
{
    struct weiri_syn *y = &s->syns.records[r];
    struct weiri_syn_queue *q = syn_queue(s, y);
    const weir_us tick = ((weir_us)1 << SYN_TICK_SHIFT) - 1;
    due = (base_min_us(due, WEIR_FOREVER - 2 * tick) + tick) >> SYN_TICK_SHIFT << SYN_TICK_SHIFT;
    if (q->head == WEIRI_NONE || due > q->last) {
        q->last = due;
    }
    y->due = (uint16_t)(q->last >> SYN_TICK_SHIFT);
    y->next = SYN_NOBODY;
    y->prev = (uint16_t)q->tail;
    if (q->head == WEIRI_NONE) {
        q->head = r;
    } else {
        s->syns.records[q->tail].next = (uint16_t)r;
    }
    q->tail = r;
}

static void syn_dequeue(weir_stack *s, uint32_t r)
{
    const struct weiri_syn *y = &s->syns.records[r];
    struct weiri_syn_queue *q = syn_queue(s, y);
    if (y->prev == SYN_NOBODY) {
        q->head = syn_index(y->next);
    } else {
        s->syns.records[y->prev].next = y->next;
    }
    if (y->next == SYN_NOBODY) {
        q->tail = syn_index(y->prev);
    } else {
        s->syns.records[y->next].prev = y->prev;
    }
}

/* ---- made and taken away ------------------------------------------------------------------------------------------------------------- */

/* There is one. */
static uint32_t syn_take(weir_stack *s)
{
    const uint32_t r = s->syns.free;
    if (r != WEIRI_NONE) {
        s->syns.free = syn_index(s->syns.records[r].next);
        return r;
    }
    WEIR_ASSERT(s->syns.fresh < s->syns.cap);
    return s->syns.fresh++;
}

static void syn_remove(weir_stack *s, uint32_t r)
{
    struct weiri_syn *y = &s->syns.records[r];
    syn_dequeue(s, r);
    syn_unchain(s, r);
    s->listeners[y->listener].recorded--;
    y->next = (uint16_t)(s->syns.free & SYN_NOBODY);
    s->syns.free = r;
    s->stats.syn_records--;
    s->stats.half_open--;
}

static void syn_fill(weir_stack *s, struct weiri_syn *y, const weir_tuple *tuple, const struct weiri_half *h)
{
    memset(y, 0, sizeof *y);
    y->remote = tuple->remote;
    y->local_port = tuple->local_port;
    y->remote_port = tuple->remote_port;
    y->mss = h->mss;
    base_put32(y->irs, h->irs.v);
    base_put32(y->iss, h->iss.v);
    base_put32(y->ts_value, h->ts_value);
    y->bits = (uint16_t)(h->wscale | (h->stamped ? SYN_STAMPED : 0) | (h->sack ? SYN_SACK : 0) | (h->ecn ? SYN_ECN : 0) |
                         (h->suspect ? SYN_SUSPECT : 0) | (unsigned)h->retries << SYN_RETRIES_SHIFT |
                         (s->syns.locals ? 0 : weiri_addr_number(s, &tuple->local)) << SYN_LOCAL_SHIFT);
}

/* It is not due yet, and lies as near to the others of its queue as they must. */
static bool syn_fits(const weir_stack *s, const struct weiri_half *h)
{
    const struct weiri_syn_queue *q = &s->syns.queues[syn_queue_of(h->retries)];
    const weir_us first = q->head == WEIRI_NONE ? s->now : base_min_us(s->now, syn_due(q, &s->syns.records[q->head]));
    return h->at > s->now && h->at - first <= SYN_LONGEST_US;
}

/* Slot i becomes a record, if it can. */
static bool syn_record(weir_stack *s, uint32_t listener, uint32_t i)
{
    struct weiri_half h;
    const weir_conn *c = weiri_rest_look(s, i);
    if (!weiri_slot_is_unknown(s, i) || !weiri_half_tell(c, &h, s->cfg.rings.rx, s->now) || !syn_fits(s, &h)) {
        return false;
    }
    const uint32_t r = syn_take(s);
    const weir_tuple tuple = c->tuple;
    const uint32_t hash = weiri_demux_hash(s, &tuple);
    struct weiri_syn *y = &s->syns.records[r];
    weiri_slot_free(s, i);
    syn_fill(s, y, &tuple, &h);
    if (s->syns.locals) {
        s->syns.locals[r] = tuple.local;
    }
    y->listener = (uint16_t)listener;
    y->chain = *syn_head(s, hash);
    *syn_head(s, hash) = (uint16_t)r;
    syn_enqueue(s, r, h.at);
    s->listeners[listener].recorded++;
    s->stats.syn_recorded++;
    s->stats.syn_records++;
    s->stats.half_open++;
    return true;
}

/* One of many, or in somebody's place: the one that has waited longest becomes a record, if there are no more than `most` then. If it
 * cannot, it is another's turn next. */
static void syn_make_room(weir_stack *s, uint32_t listener, uint32_t most)
{
    struct weiri_listener *l = &s->listeners[listener];
    const uint32_t i = l->half.head;
    if (i == WEIRI_NONE || s->stats.syn_records >= most || (l->half.count < s->cfg.syn_whole && weiri_slot_possible(s))) {
        return;
    }
    if (!syn_record(s, listener, i)) {
        weiri_list_remove(s, &l->half, WEIRI_LIST_HALF, i);
        weiri_list_push(s, &l->half, WEIRI_LIST_HALF, i);
    }
}

WEIR_PRIVATE void weiri_syn_make_room(weir_stack *s, uint32_t listener)
{
    if (WEIR_WITH_SYN_RECORDS) {
        syn_make_room(s, listener, s->cfg.syn_records_max);
    }
}

/* ---- whole again --------------------------------------------------------------------------------------------------------------------- */

static void syn_tell(const weir_stack *s, uint32_t r, struct weiri_half *h)
{
    const struct weiri_syn *y = &s->syns.records[r];
    const unsigned retries = syn_retries(y);
    h->irs = seq_of(base_get32(y->irs));
    h->iss = seq_of(base_get32(y->iss));
    h->ts_value = base_get32(y->ts_value);
    h->mss = y->mss;
    h->wscale = y->bits & WEIRI_HALF_UNSCALED;
    h->retries = (uint8_t)retries;
    h->stamped = (y->bits & SYN_STAMPED) != 0;
    h->sack = (y->bits & SYN_SACK) != 0;
    h->ecn = (y->bits & SYN_ECN) != 0;
    h->suspect = (y->bits & SYN_SUSPECT) != 0;
    h->at = syn_due(&s->syns.queues[syn_queue_of(retries)], y);
}

WEIR_PRIVATE uint32_t weiri_syn_wake(weir_stack *s, uint32_t r)
{
    struct weiri_half h;
    const uint32_t listener = s->syns.records[r].listener;
    syn_make_room(s, listener, s->syns.cap); /* the two change places: for that there is one record more */
    const uint32_t i = weiri_slot_open(s, true);
    if (i == WEIRI_NONE) {
        s->stats.syn_missed++;
        return WEIRI_NONE;
    }
    const weir_tuple tuple = syn_tuple(s, r);
    syn_tell(s, r, &h);
    syn_remove(s, r);
    weir_conn *c = slot_conn(s, i);
    const weir_err err = weiri_conn_open(c, &tuple, WEIRI_STAGE_OPEN_PASSIVE, s->now);
    WEIR_ASSERT(err == WEIR_ERR_NONE); /* it has been open */
    (void)err;
    weiri_half_resume(c, &h, s->now);
    weiri_slot_half_open(s, i, listener);
    weiri_slot_link(s, i);
    return i;
}

WEIR_PRIVATE bool weiri_syn_sent(const weir_stack *s, uint32_t r, weir_seq seq)
{
    return base_get32(s->syns.records[r].iss) == seq.v;
}

/* ---- time ---------------------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE weir_us weiri_syn_deadline(const weir_stack *s)
{
    weir_us at = WEIR_FOREVER;
    for (unsigned n = 0; stack_has_syns(s) && n < WEIRI_SYN_QUEUES; n++) {
        const struct weiri_syn_queue *q = &s->syns.queues[n];
        at = q->head == WEIRI_NONE ? at : base_min_us(at, syn_due(q, &s->syns.records[q->head]));
    }
    return at < s->syns.retry_at ? s->syns.retry_at : at;
}

/* Record r is due: its connection does what is to be done; false: there is no room for it now. */
static bool syn_fire(weir_stack *s, uint32_t r)
{
    const uint32_t i = weiri_syn_wake(s, r);
    if (i != WEIRI_NONE) {
        weir_expire(slot_conn(s, i), s->now);
        weiri_slot_settle(s, i);
    }
    return i != WEIRI_NONE;
}

WEIR_PRIVATE void weiri_syn_expire(weir_stack *s)
{
    for (unsigned n = 0; stack_has_syns(s) && s->syns.retry_at <= s->now && n < WEIRI_SYN_QUEUES; n++) {
        const struct weiri_syn_queue *q = &s->syns.queues[n];
        while (q->head != WEIRI_NONE && syn_due(q, &s->syns.records[q->head]) <= s->now) { /* those due; none is made that is due */
            if (!syn_fire(s, q->head)) {
                s->syns.retry_at = base_after(s->now, WEIRI_RETRY_US);
                return;
            }
        }
    }
}

WEIR_PRIVATE void weiri_syn_end(weir_stack *s, uint32_t listener)
{
    for (unsigned n = 0; stack_has_syns(s) && s->listeners[listener].recorded > 0 && n < WEIRI_SYN_QUEUES; n++) {
        uint32_t next = WEIRI_NONE;
        for (uint32_t r = s->syns.queues[n].head; r != WEIRI_NONE; r = next) { /* syn_records_max */
            next = syn_index(s->syns.records[r].next);
            if (s->syns.records[r].listener != listener) {
                continue;
            }
            const uint32_t i = weiri_syn_wake(s, r);
            if (i == WEIRI_NONE) { /* its peer will hear of it when it speaks */
                syn_remove(s, r);
                continue;
            }
            (void)weir_abort(slot_conn(s, i), s->now);
            weiri_slot_settle(s, i);
        }
    }
}

/* ---- beginning and checking ---------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE uint32_t weiri_syn_cap(const weir_stack_config *c)
{
    return WEIR_WITH_SYN_RECORDS && c->syn_records_max > 0 ? c->syn_records_max + 1 : 0;
}

WEIR_PRIVATE void weiri_syn_init(weir_stack *s, struct weiri_syn *records, uint16_t *heads, weir_addr *locals)
{
    s->syns.cap = weiri_syn_cap(&s->cfg);
    s->syns.records = records;
    s->syns.heads = heads;
    s->syns.locals = locals;
    s->syns.free = WEIRI_NONE;
    for (unsigned n = 0; n < WEIRI_SYN_QUEUES; n++) {
        s->syns.queues[n].head = s->syns.queues[n].tail = WEIRI_NONE;
    }
    memset(heads, 0xff, s->syns.cap * sizeof *heads); /* SYN_NOBODY */
}

static const char *syn_check_queue(const weir_stack *s, unsigned n, uint32_t *seen)
{
    const struct weiri_syn_queue *q = &s->syns.queues[n];
    uint32_t prev = WEIRI_NONE;
    weir_us before = 0;
    for (uint32_t r = q->head; r != WEIRI_NONE; r = syn_index(s->syns.records[r].next)) { /* ends: nobody has two before it */
        const struct weiri_syn *y = &s->syns.records[r];
        if (r >= s->syns.fresh || syn_index(y->prev) != prev) {
            return "syn: a queue is broken";
        }
        ++*seen;
        const weir_us due = syn_due(q, y);
        if (due < before || due > q->last || syn_queue_of(syn_retries(y)) != n) {
            return "syn: a queue is out of order";
        }
        const weir_tuple tuple = syn_tuple(s, r);
        if (weiri_demux_find(s, &tuple) != weiri_syn_number(s, r)) {
            return "syn: a record cannot be found by its sockets";
        }
        if (y->listener >= s->listener_pool.fresh || !s->listeners[y->listener].live || s->listeners[y->listener].spec.hold) {
            return "syn: a record of no listener, or of one that holds";
        }
        before = due;
        prev = r;
    }
    return prev == q->tail ? NULL : "syn: a queue is broken";
}

WEIR_PRIVATE const char *weiri_syn_check(const weir_stack *s)
{
    const char *broken = NULL;
    uint32_t seen = 0, free = 0;
    for (unsigned n = 0; !broken && n < WEIRI_SYN_QUEUES; n++) {
        broken = syn_check_queue(s, n, &seen);
    }
    for (uint32_t r = s->syns.free; !broken && r != WEIRI_NONE; r = syn_index(s->syns.records[r].next)) { /* ends: `free` grows with each */
        broken = r >= s->syns.fresh || ++free > s->syns.fresh ? "syn: the free records are not in order" : NULL;
    }
    if (broken) {
        return broken;
    }
    return seen == s->stats.syn_records && seen + free == s->syns.fresh ? NULL : "syn: a count is wrong";
}

#undef SYN_TICK_SHIFT
#undef SYN_TICK_MASK
#undef SYN_LONGEST_US
#undef SYN_STAMPED
#undef SYN_SACK
#undef SYN_ECN
#undef SYN_SUSPECT
#undef SYN_LOCAL_SHIFT
#undef SYN_RETRIES_SHIFT
#undef SYN_NOBODY
