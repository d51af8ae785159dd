/* user.c - the user's calls: OPEN, SEND, RECEIVE, CLOSE, ABORT, and switches of one connection.
 *
 * Each call is an event of the table; here stand only its arguments. RFC 9293 3.9.1 and 3.10.1-3.10.6. */
#include "conn/conn.h"

static struct weiri_step user_step(weir_conn *c)
{
    struct weiri_step s;
    memset(&s, 0, sizeof s);
    s.c = c;
    s.facts = weiri_facts_call(c);
    return s;
}

static weir_err user_call(weir_conn *c, struct weiri_step *s, enum weiri_stage event)
{
    weiri_fsm_call(s, event);
    weiri_conn_finish(c);
    return s->result;
}

/* ---- OPEN -------------------------------------------------------------------------------------------------------- */

/* Who can be no peer: broadcast and multicast addresses (MUST-46), and one of another family. */
static bool user_remote_ok(const weir_tuple *t)
{
    enum weiri_addr_class class_of = weiri_addr_classify(&t->remote);
    bool peer = class_of == WEIRI_ADDR_UNICAST || class_of == WEIRI_ADDR_LOOPBACK || class_of == WEIRI_ADDR_UNSPECIFIED;
    bool family = weir_addr_is_unspecified(&t->remote) || weir_addr_is_v4(&t->local) == weir_addr_is_v4(&t->remote);
    return peer && family;
}

static weir_err user_check_tuple(const weir_tuple *t)
{
    if (t->local_port == 0) {
        return WEIR_ERR_INVALID;
    }
    enum weiri_addr_class own = weiri_addr_classify(&t->local);
    if (own == WEIRI_ADDR_MULTICAST || own == WEIRI_ADDR_BROADCAST || own == WEIRI_ADDR_UNSPECIFIED) {
        return WEIR_ERR_ADDRESS;
    }
    return user_remote_ok(t) ? WEIR_ERR_NONE : WEIR_ERR_ADDRESS;
}

static weir_err user_open(weir_conn *c, const weir_tuple *tuple, enum weiri_stage event, bool fresh)
{
    weir_err err = user_check_tuple(tuple);
    if (err != WEIR_ERR_NONE) {
        weiri_conn_finish(c); /* time has passed all the same */
        return err;
    }
    struct weiri_step s = user_step(c);
    bool remote = tuple->remote_port != 0 && !weir_addr_is_unspecified(&tuple->remote);
    s.tuple = tuple;
    s.fresh = fresh;
    s.facts = (s.facts & ~(uint32_t)WEIRI_F_REMOTE) | (remote ? (uint32_t)WEIRI_F_REMOTE : 0);
    return user_call(c, &s, event);
}

WEIR_API weir_err weir_listen(weir_conn *c, const weir_tuple *tuple, weir_us now)
{
    weiri_conn_begin(c, now);
    return user_open(c, tuple, WEIRI_STAGE_OPEN_PASSIVE, false);
}

WEIR_API weir_err weir_connect(weir_conn *c, const weir_tuple *tuple, weir_us now)
{
    weiri_conn_begin(c, now);
    return user_open(c, tuple, WEIRI_STAGE_OPEN_ACTIVE, false);
}

WEIR_PRIVATE weir_err weiri_conn_open(weir_conn *c, const weir_tuple *tuple, enum weiri_stage event, weir_us now)
{
    weiri_conn_begin(c, now);
    return user_open(c, tuple, event, true);
}

WEIR_API weir_err weir_set_remote(weir_conn *c, const weir_addr *remote, uint16_t remote_port)
{
    weir_tuple t = c->tuple;
    if (c->state != WEIR_LISTEN) {
        return WEIR_ERR_EXISTS;
    }
    t.remote = *remote;
    t.remote_port = remote_port;
    if (remote_port == 0 || weir_addr_is_unspecified(remote) || !user_remote_ok(&t)) {
        return WEIR_ERR_ADDRESS;
    }
    c->tuple = t;
    return WEIR_ERR_NONE;
}

WEIR_API void weir_hold(weir_conn *c)
{
    conn_set(c, WEIRI_HELD, c->state == WEIR_LISTEN);
}

WEIR_API weir_err weir_admit(weir_conn *c, weir_us now)
{
    if (!conn_has(c, WEIRI_HELD) || c->state != WEIR_SYN_RECEIVED) {
        return WEIR_ERR_NOT_EXIST;
    }
    weiri_conn_begin(c, now);
    conn_set(c, WEIRI_HELD, false);
    c->progress_at = c->now;
    weiri_conn_finish(c);
    return WEIR_ERR_NONE;
}

/* ---- SEND -------------------------------------------------------------------------------------------------------- */

/* SEND of text and nothing else, where there was room for it and so the table says QUEUE_TEXT: in a straight line. */
static bool user_queues(weir_conn *c, uint32_t count, unsigned flags)
{
    static const uint8_t row[] = {WEIRI_ROW_SE4};
    if (!WEIR_WITH_PREDICTION || c->state == WEIR_LISTEN || count == 0 || flags != 0) {
        return false;
    }
    c->snd.end = seq_add(c->snd.end, count);
    conn_set(c, WEIRI_MORE, false);
    weiri_fsm_went(c, row, sizeof row);
    weiri_conn_finish(c);
    return true;
}

/* The octets stand in the ring; there was room for them. */
static weir_err user_queue(weir_conn *c, uint32_t count, unsigned flags, weir_us now)
{
    weiri_conn_begin(c, now);
    if (user_queues(c, count, flags)) {
        return WEIR_ERR_NONE;
    }
    struct weiri_step s = user_step(c);
    s.count = count;
    s.send_flags = flags;
    return user_call(c, &s, WEIRI_STAGE_SEND);
}

WEIR_API weir_err weir_tx_commit(weir_conn *c, size_t count, unsigned flags, weir_us now)
{
    size_t room;
    weir_tx_reserve(c, &room);
    weir_err err = user_queue(c, count <= room ? (uint32_t)count : 0, flags, now);
    return err == WEIR_ERR_NONE && count > room ? WEIR_ERR_INVALID : err;
}

WEIR_API weir_err weir_send(weir_conn *c, weir_slice octets, unsigned flags, size_t *sent, weir_us now)
{
    size_t first;
    uint8_t *to = weir_tx_reserve(c, &first);
    const size_t room = weiri_ring_to_write(c), take = octets.len < room ? octets.len : room;
    first = first < take ? first : take;
    if (first > 0) {
        memcpy(to, octets.octets, first);
    }
    if (take > first) { /* a ring's free room is in two pieces at most */
        memcpy(c->tx_ring, octets.octets + first, take - first);
    }
    unsigned how = take < octets.len ? (flags & ~(unsigned)WEIR_SEND_URGENT) : flags;
    weir_err err = user_queue(c, (uint32_t)take, how, now);
    *sent = err == WEIR_ERR_NONE ? take : 0;
    return err;
}

/* ---- RECEIVE ----------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE void weiri_user_read(weir_conn *c, uint32_t count, weir_us now)
{
    weiri_conn_begin(c, now);
    weiri_tune_read(c); /* of what was read before: one reading in parts is not cut in two */
    c->rcv.usr = seq_add(c->rcv.usr, count);
    if (conn_has(c, WEIRI_URG_RCV) && seq_leq(c->rcv.up, c->rcv.usr)) {
        conn_set(c, WEIRI_URG_RCV, false);
    }
    if (weiri_window_update_due(c)) {
        conn_set(c, WEIRI_ACK_NOW, true);
    }
    weiri_conn_finish(c);
}

WEIR_API weir_err weir_rx_consume(weir_conn *c, size_t count, weir_us now)
{
    size_t first;
    weir_rx_peek(c, &first);
    if (count > first) {
        return WEIR_ERR_INVALID;
    }
    weiri_user_read(c, (uint32_t)count, now);
    return WEIR_ERR_NONE;
}

/* RECEIVE where the table says that what is there is served: what reading changes, weiri_user_read does. */
static weir_err user_serve(weir_conn *c, weir_us now)
{
    static const uint8_t row[] = {WEIRI_ROW_RE1};
    weiri_conn_begin(c, now);
    if (WEIR_WITH_PREDICTION && weiri_ring_readable(c) > 0) {
        weiri_fsm_went(c, row, sizeof row);
        return WEIR_ERR_NONE;
    }
    struct weiri_step s = user_step(c);
    return user_call(c, &s, WEIRI_STAGE_RECEIVE);
}

WEIR_API weir_err weir_recv(weir_conn *c, uint8_t *octets, size_t cap, size_t *got, weir_us now)
{
    *got = 0;
    weir_err err = user_serve(c, now);
    for (unsigned part = 0; part < 2 && err == WEIR_ERR_NONE && *got < cap; part++) { /* a ring's text is in two pieces at most */
        size_t len;
        const uint8_t *from = weir_rx_peek(c, &len);
        size_t take = len < cap - *got ? len : cap - *got;
        if (take > 0) {
            memcpy(octets + *got, from, take);
            weiri_user_read(c, (uint32_t)take, now);
            *got += take;
        }
    }
    return err;
}

WEIR_API uint32_t weir_urgent(const weir_conn *c)
{
    return conn_has(c, WEIRI_URG_RCV) ? seq_diff(c->rcv.usr, c->rcv.up) : 0;
}

/* ---- CLOSE, ABORT ------------------------------------------------------------------------------------------------ */

WEIR_API weir_err weir_close(weir_conn *c, weir_us now)
{
    weiri_conn_begin(c, now);
    struct weiri_step s = user_step(c);
    return user_call(c, &s, WEIRI_STAGE_CLOSE);
}

WEIR_API weir_err weir_abort(weir_conn *c, weir_us now)
{
    weiri_conn_begin(c, now);
    struct weiri_step s = user_step(c);
    return user_call(c, &s, WEIRI_STAGE_ABORT);
}

WEIR_API weir_err weir_release(weir_conn *c, weir_us linger_us, weir_us now)
{
    if (c->state == WEIR_CLOSED) {
        return WEIR_ERR_NONE;
    }
    weiri_conn_begin(c, now);
    conn_set(c, WEIRI_RELEASED, true);
    bool unread = weiri_ring_readable(c) > 0 && c->state != WEIR_TIME_WAIT;
    if (linger_us == 0 || unread || conn_has(c, WEIRI_HELD)) {
        return weir_abort(c, now); /* SHLD-3: the peer shall know that octets were lost, or that nobody admits it */
    }
    c->progress_at = c->now;
    c->linger_at = base_after(c->now, linger_us);
    if (c->state == WEIR_FIN_WAIT_2) {
        c->life_at = base_after(c->now, c->cfg->fin_wait_us);
    }
    weir_err err = weir_close(c, now);
    return err == WEIR_ERR_CLOSING ? WEIR_ERR_NONE : err; /* closed before: nothing more to do */
}

/* ---- switches ---------------------------------------------------------------------------------------------------- */

WEIR_API void weir_set_nagle(weir_conn *c, bool on)
{
    conn_set(c, WEIRI_NAGLE, on);
}

WEIR_API void weir_set_keepalive(weir_conn *c, bool on, weir_us now)
{
    weiri_conn_begin(c, now);
    conn_set(c, WEIRI_KEEPALIVE, WEIR_WITH_KEEPALIVE && on);
    if (c->state != WEIR_CLOSED && c->state != WEIR_LISTEN && c->state != WEIR_TIME_WAIT) {
        weiri_timer_heard(c);
    }
    weiri_conn_finish(c);
}

WEIR_API weir_err weir_set_dscp(weir_conn *c, uint8_t dscp)
{
    if (dscp > 63) {
        return WEIR_ERR_INVALID;
    }
    c->dscp = dscp;
    return WEIR_ERR_NONE;
}

WEIR_API void weir_set_user_timeout(weir_conn *c, weir_us r2_us)
{
    c->r2_us = r2_us > 0 ? r2_us : c->cfg->r2_us;
}
