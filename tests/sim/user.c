/* user.c - the two users of every connection: they open, write, read, close, leave, and know to the octet what must come.
 *
 * A user acts only when weir_stack_ready names its connection or when its own clock says so: a lost wake-up is a stall.
 * The oracle of the streams is here: every octet read is the octet written, no octet comes from nowhere, and the end of
 * a stream is where its writer closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define USER_CALLS_MAX 64u /* of one kind in a row */
#define USER_RETRY_US 500000u

struct user { /* one end of one connection, with all that belongs to it */
    struct sim_world *w;
    uint32_t plan, side, host;
    const struct sim_plan *p;
    const struct sim_end_plan *e;
    struct sim_connection *c;
    struct sim_end *end, *peer;
    weir_stack *stack;
};

static struct user user_of(struct sim_world *w, uint32_t plan, uint32_t side)
{
    struct user u;

    u.w = w;
    u.plan = plan;
    u.side = side;
    u.p = &w->scenario.plan[plan];
    u.host = u.p->host[side];
    u.e = &u.p->end[side];
    u.c = &w->conn[plan];
    u.end = &u.c->end[side];
    u.peer = &u.c->end[1 - side];
    u.stack = w->host[u.host].stack;
    return u;
}

static weir_us user_now(const struct user *u)
{
    return sim_host_now(u->w, u->host);
}

static weir_conn *user_conn(const struct user *u)
{
    return weir_stack_conn(u->stack, u->end->handle);
}

static void user_event(const struct user *u, const char *what, uint64_t value)
{
    sim_trace_event(u->w, u->host, (int)u->plan, what, value);
}

/* What happens to this connection from now on may be an error. */
static bool user_broken(const struct user *u)
{
    const struct sim_path *path = &u->w->scenario.path[u->p->host[0] != 0 ? u->p->host[0] : u->p->host[1]];

    return u->c->broken || (path->dead && u->w->now >= path->outage_at);
}

static bool user_awake(weir_us at)
{
    return at == WEIR_FOREVER;
}

static void user_sleep(weir_us *at, const struct user *u, uint32_t longest)
{
    *at = u->w->now + sim_range(&u->w->rng, 1, longest);
}

/* ---- leaving ---- */

static bool user_plan_done(const struct sim_world *w, uint32_t plan)
{
    return w->conn[plan].end[0].life == SIM_END_DONE && w->conn[plan].end[1].life == SIM_END_DONE;
}

static void user_done(const struct user *u)
{
    uint32_t i;

    u->end->life = SIM_END_DONE;
    u->end->read_at = u->end->write_at = u->end->act_at = WEIR_FOREVER;
    sim_progress(u->w, u->c);
    for (i = 0; i < u->w->scenario.plan_count && user_plan_done(u->w, u->plan); i++) {
        if (u->w->scenario.plan[i].after == u->plan + 1 && !u->w->conn[i].opened) {
            u->w->conn[i].end[0].act_at = u->w->now + u->w->scenario.plan[i].open_at;
        }
    }
}

static void user_release(const struct user *u, weir_us linger_us)
{
    weir_err err = WEIR_ERR_NONE;

    user_event(u, "release", linger_us);
    if (u->w->options->plant != SIM_PLANT_LEAK) {
        err = weir_stack_release(u->stack, u->end->handle, linger_us, user_now(u));
    }
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: release: %s", u->plan, u->side, weir_err_name(err));
    }
    user_done(u);
}

/* ---- reading ---- */

static void user_check_octets(const struct user *u, const uint8_t *octets, uint32_t len)
{
    uint32_t good = sim_content_matches(u->peer->key, u->end->read, octets, len);

    if (good != len) {
        sim_fail(u->w, "plan %u end %u: octet %u of the stream is wrong", u->plan, u->side, u->end->read + good);
    }
    if (u->end->read + len > u->peer->written) {
        sim_fail(u->w, "plan %u end %u: %u octets read, %u written", u->plan, u->side, u->end->read + len, u->peer->written);
    }
}

static uint32_t user_read_copy(const struct user *u, weir_conn *c, uint32_t most)
{
    static uint8_t buffer[65536];
    size_t got = 0;
    weir_err err = weir_recv(c, buffer, most < sizeof buffer ? most : sizeof buffer, &got, user_now(u));

    if (err != WEIR_ERR_NONE && got != 0) {
        sim_fail(u->w, "plan %u end %u: recv gave octets and %s", u->plan, u->side, weir_err_name(err));
    }
    user_check_octets(u, buffer, (uint32_t)got);
    return (uint32_t)got;
}

static uint32_t user_read_peek(const struct user *u, weir_conn *c, uint32_t most)
{
    size_t len = 0;
    const uint8_t *octets = weir_rx_peek(c, &len);
    uint32_t take = len < most ? (uint32_t)len : most;
    weir_err err;

    if (take == 0) {
        return 0;
    }
    user_check_octets(u, octets, take);
    err = weir_rx_consume(c, take, user_now(u));
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: consume: %s", u->plan, u->side, weir_err_name(err));
    }
    return take;
}

static uint32_t user_read_some(const struct user *u, weir_conn *c, uint32_t most)
{
    uint32_t got = u->e->copying ? user_read_copy(u, c, most) : user_read_peek(u, c, most);

    if (got != 0) {
        u->end->read += got;
        u->w->user_calls++;
        user_event(u, "read", got);
        sim_progress(u->w, u->c);
    }
    return got;
}

/* The end of urgent data is never beyond what was sent as urgent, and never behind the reader. */
static void user_check_urgent(const struct user *u, const weir_conn *c)
{
    uint32_t ahead = weir_urgent(c);

    if (ahead != 0 && u->end->read + ahead > u->peer->urgent_end) {
        sim_fail(u->w, "plan %u end %u: urgent data said to end at %u, sent until %u", u->plan, u->side, u->end->read + ahead,
                 u->peer->urgent_end);
    }
    if ((ahead != 0) != ((weir_events(c) & WEIR_EV_URGENT) != 0)) {
        sim_fail(u->w, "plan %u end %u: weir_urgent and WEIR_EV_URGENT disagree", u->plan, u->side);
    }
}

static void user_look_for_end(const struct user *u, const weir_conn *c)
{
    size_t left = 0;

    (void)weir_rx_peek(c, &left);
    if (u->end->eof || left != 0 || (weir_events(c) & WEIR_EV_PEER_FIN) == 0) {
        return;
    }
    u->end->eof = true;
    u->c->whole_at = u->w->now;
    user_event(u, "end of stream", u->end->read);
    sim_progress(u->w, u->c);
    if (!u->peer->closed || u->end->read != u->peer->written) {
        sim_fail(u->w, "plan %u end %u: the stream ended after %u of %u octets%s", u->plan, u->side, u->end->read,
                 u->peer->written, u->peer->closed ? "" : " and was not closed");
    }
}

/* How much the next call asks for; 0: stops here for a while. */
static uint32_t user_read_next(const struct user *u)
{
    struct sim_end *end = u->end;
    uint32_t most = sim_range(&u->w->rng, 1, u->e->read_max);

    if (u->e->stop_us == 0 || end->stopped) {
        return most;
    }
    if (end->read >= u->e->stop_at) {
        end->stopped = true;
        user_sleep(&end->read_at, u, u->e->stop_us);
        return 0;
    }
    return most < u->e->stop_at - end->read ? most : u->e->stop_at - end->read;
}

static void user_read(const struct user *u, weir_conn *c)
{
    uint32_t calls, most;

    for (calls = 0; calls < USER_CALLS_MAX && user_awake(u->end->read_at); calls++) {
        most = user_read_next(u);
        if (most == 0) {
            return;
        }
        user_check_urgent(u, c);
        if (user_read_some(u, c, most) == 0) {
            user_look_for_end(u, c);
            return;
        }
        if (u->e->read_pause_us != 0) {
            user_sleep(&u->end->read_at, u, u->e->read_pause_us);
        }
    }
    if (user_awake(u->end->read_at)) {
        u->end->read_at = u->w->now + 1; /* more next time: others have their turn */
    }
}

/* The connection is CLOSED: what came before is read at once. */
static void user_read_rest(const struct user *u, weir_conn *c)
{
    uint32_t calls;

    for (calls = 0; calls < USER_CALLS_MAX && user_read_some(u, c, UINT32_MAX) != 0; calls++) {
        continue;
    }
    user_look_for_end(u, c);
}

/* ---- writing ---- */

/* To say that more follows, and then to wait, costs 200 ms each time: where time is judged, nobody does that. */
static unsigned user_send_flags(const struct user *u, bool waits)
{
    unsigned flags = 0;

    flags |= sim_happens(&u->w->rng, u->e->push) ? (unsigned)WEIR_SEND_PUSH : 0;
    flags |= sim_happens(&u->w->rng, u->e->more) && !(waits && u->w->scenario.perfect) ? (unsigned)WEIR_SEND_MORE : 0;
    flags |= sim_happens(&u->w->rng, u->e->urgent) ? (unsigned)WEIR_SEND_URGENT : 0;
    return flags;
}

static weir_err user_write_copy(const struct user *u, weir_conn *c, uint32_t *len, unsigned flags)
{
    static uint8_t buffer[65536];
    weir_slice slice;
    size_t sent = 0;
    weir_err err;

    slice.octets = buffer;
    slice.len = *len < sizeof buffer ? *len : sizeof buffer;
    sim_content(u->end->key, u->end->written, buffer, (uint32_t)slice.len);
    err = weir_send(c, slice, flags, &sent, user_now(u));
    *len = (uint32_t)sent;
    return err;
}

static weir_err user_write_reserve(const struct user *u, weir_conn *c, uint32_t *len, unsigned flags)
{
    size_t room = 0;
    uint8_t *to = weir_tx_reserve(c, &room);

    *len = room < *len ? (uint32_t)room : *len;
    if (*len == 0) {
        return WEIR_ERR_NONE;
    }
    sim_content(u->end->key, u->end->written, to, *len);
    return weir_tx_commit(c, *len, flags, user_now(u));
}

/* How much may be written by now: all, or what is our turn. */
static uint32_t user_write_limit(const struct user *u)
{
    uint64_t turns;

    if (u->p->turn == 0 || u->end->read == u->p->end[1 - u->side].send_len) {
        return u->e->send_len;
    }
    turns = (uint64_t)(u->end->read / u->p->turn) + (u->side == 0 ? 1 : 0);
    return turns * u->p->turn < u->e->send_len ? (uint32_t)(turns * u->p->turn) : u->e->send_len;
}

static uint32_t user_write_some(const struct user *u, weir_conn *c)
{
    uint32_t left = user_write_limit(u) - u->end->written, len = sim_range(&u->w->rng, 1, u->e->write_max);
    unsigned flags;
    weir_err err;

    len = len < left ? len : left;
    flags = user_send_flags(u, len == left || u->e->write_pause_us != 0);
    err = u->e->copying ? user_write_copy(u, c, &len, flags) : user_write_reserve(u, c, &len, flags);
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: send: %s", u->plan, u->side, weir_err_name(err));
        return 0;
    }
    if (len != 0) {
        u->end->written += len;
        u->w->user_calls++;
        user_event(u, "write", (uint64_t)flags << 32 | len);
        if (flags & WEIR_SEND_URGENT) {
            u->end->urgent_end = u->end->written;
        }
    }
    return len;
}

static void user_write(const struct user *u, weir_conn *c)
{
    uint32_t calls;

    for (calls = 0; calls < USER_CALLS_MAX && user_awake(u->end->write_at); calls++) {
        if (u->end->written >= user_write_limit(u) || user_write_some(u, c) == 0) {
            return;
        }
        if (u->e->write_pause_us != 0) {
            user_sleep(&u->end->write_at, u, u->e->write_pause_us);
        }
    }
    if (user_awake(u->end->write_at)) {
        u->end->write_at = u->w->now + 1;
    }
}

static void user_close(const struct user *u, weir_conn *c)
{
    weir_err err;

    if (u->end->closed || u->end->written != u->e->send_len || (u->e->close == SIM_CLOSE_AFTER_EOF && !u->end->eof)) {
        return;
    }
    u->end->closed = true;
    user_event(u, "close", u->end->written);
    err = weir_close(c, user_now(u));
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: close: %s", u->plan, u->side, weir_err_name(err));
    }
}

/* ---- switches thrown on the way ---- */

static void user_grow(const struct user *u, weir_conn *c)
{
    weir_sizes sizes = u->w->scenario.host[u->host].config.rings;
    weir_buffers buffers;
    const weir_sizes wanted = weir_wanted(c); /* the stack may have lent larger ones by itself */
    size_t len;
    weir_err err;

    sizes.rx = sizes.rx << 1 > wanted.rx ? sizes.rx << 1 : wanted.rx;
    sizes.tx = sizes.tx << 2 > wanted.tx ? sizes.tx << 2 : wanted.tx;
    len = weir_buffers_size(sizes);
    u->end->rings = malloc(len);
    if (u->end->rings == NULL || !weir_buffers_carve(&buffers, u->end->rings, len, sizes)) {
        abort();
    }
    memset(u->end->rings, u->w->options->fill, len);
    err = weir_set_buffers(c, &buffers, user_now(u));
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: larger rings: %s", u->plan, u->side, weir_err_name(err));
    }
}

static void user_change(const struct user *u, weir_conn *c)
{
    if (u->end->changed || u->e->habits == 0 || u->end->read + u->end->written < u->e->habit_at) {
        return;
    }
    u->end->changed = true;
    user_event(u, "change", u->e->habits);
    if (u->e->habits & SIM_GROW) {
        user_grow(u, c);
    }
    if (u->e->habits & (SIM_NAGLE_OFF | SIM_NAGLE_ON)) {
        weir_set_nagle(c, (u->e->habits & SIM_NAGLE_ON) != 0);
    }
    if (u->e->habits & SIM_KEEPALIVE) {
        weir_set_keepalive(c, true, user_now(u));
    }
}

/* ---- the ends of a connection ---- */

/* The user loses patience, if the plan says so. True: it has left, or its connection is CLOSED. */
static bool user_abrupt(const struct user *u, weir_conn *c)
{
    if (u->p->abrupt == SIM_GRACEFUL || u->p->abrupt_end != u->side) {
        return false;
    }
    if (u->end->connected ? u->end->read + u->end->written < u->p->abrupt_at : !u->p->abrupt_early) {
        return false;
    }
    u->c->broken = true;
    if (u->p->abrupt == SIM_ABORT) {
        user_event(u, "abort", 0);
        (void)weir_abort(c, user_now(u));
        sim_host_wake(u->w, u->host, u->w->now + 1);
    } else if (u->p->abrupt == SIM_RELEASE_NOW) {
        user_release(u, 0);
    } else {
        u->end->closed = true;
        user_release(u, u->p->abrupt == SIM_RELEASE ? WEIR_FOREVER : u->p->linger_us);
    }
    return true;
}

static void user_judge_refusal(const struct user *u)
{
    if (u->side == 0 && u->end->err != WEIR_ERR_REFUSED && !user_broken(u)) {
        sim_fail(u->w, "plan %u: nobody takes the call, but it ended with: %s", u->plan, weir_err_name(u->end->err));
    }
}

/* The connection is CLOSED. Graceful plans must have come to their end by then; after that an error may still come: the peer may be
 * gone from TIME-WAIT when our FIN is sent again. Whether our own stream has arrived is judged where it is read. */
/* Keepalive gives up after its probes, all of them; where a third and more is lost in bad periods, bad luck does that once in a hundred
 * thousand runs. */
static bool user_unlucky(const struct user *u)
{
    const struct sim_path *path = &u->w->scenario.path[u->p->host[0] != 0 ? u->p->host[0] : u->p->host[1]];
    const weir_config *tcp = &u->w->scenario.host[u->host].config.tcp;
    const weir_conn *c = weir_stack_peek(u->w->host[u->host].stack, u->end->handle);
    weir_info info;

    if (c == NULL || tcp->keepalive_idle_us == 0) {
        return false;
    }
    weir_info_get(c, &info);
    return info.probes >= tcp->keepalive_count && (path->link[0].burst_loss > 20000 || path->link[1].burst_loss > 20000);
}

/* A host that has a dead path gives up within minutes (R2), on its other paths too: there bad luck or an old TIME-WAIT can last as long. */
static bool user_impatient(const struct user *u)
{
    bool short_r2 = u->w->scenario.host[u->host].config.tcp.r2_us < 300 * SIM_SECOND;

    return u->end->err == WEIR_ERR_TIMEOUT && (short_r2 || user_unlucky(u));
}

static void user_judge(const struct user *u)
{
    u->c->broken = u->c->broken || user_impatient(u);
    if (u->p->open >= SIM_OPEN_REFUSED) {
        user_judge_refusal(u);
        return;
    }
    if (user_broken(u) || (u->end->eof && u->end->closed)) {
        return;
    }
    sim_fail(u->w, "plan %u end %u: closed (%s) with %u of %u octets read, %u of %u written, %s end of stream", u->plan,
             u->side, weir_err_name(u->end->err), u->end->read, u->p->end[1 - u->side].send_len, u->end->written, u->e->send_len,
             u->end->eof ? "at the" : "before the");
}

/* This end waits for another connection, and begins its stream anew: what it wrote into one that was never established is gone with it. */
static void user_again(struct sim_end *end)
{
    end->life = SIM_END_IDLE;
    end->written = 0;
    end->urgent_end = 0;
    end->closed = false;
}

static void user_closed(const struct user *u, weir_conn *c)
{
    u->end->err = weir_error(c);
    user_event(u, "closed", u->end->err);
    user_read_rest(u, c);
    if (u->side == 1 && !u->end->connected && u->p->open <= SIM_OPEN_HELD && !user_broken(u)) {
        user_release(u, 0); /* an old duplicate SYN made this one; the right one is still to come */
        user_again(u->end);
        return;
    }
    user_judge(u);
    user_release(u, 0);
}

static bool user_leave(const struct user *u, const weir_conn *c)
{
    if (!u->end->eof || !u->end->closed || u->e->leave == SIM_LEAVE_CLOSED) {
        return false;
    }
    if (u->e->leave == SIM_LEAVE_SENT && (weir_events(c) & WEIR_EV_SENT) == 0) {
        return false;
    }
    user_release(u, WEIR_FOREVER);
    return true;
}

/* ---- what a user waits for ---- */

static unsigned user_wants(const struct user *u)
{
    unsigned events = WEIR_EV_CLOSED;

    if (u->e->wants_all) {
        return 0x1ff;
    }
    if (!u->end->connected) {
        events |= (u->end->act_at == WEIR_FOREVER ? (unsigned)WEIR_EV_HELD : 0) | WEIR_EV_CONNECTED;
    } else if (!u->end->eof && user_awake(u->end->read_at)) {
        events |= WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
    }
    if ((u->end->connected || u->e->eager) && u->end->written < user_write_limit(u) && user_awake(u->end->write_at)) {
        events |= WEIR_EV_WRITABLE;
    }
    if (u->end->eof && u->end->closed && u->e->leave == SIM_LEAVE_SENT) {
        events |= WEIR_EV_SENT;
    }
    return events;
}

static void user_want(const struct user *u)
{
    if (u->end->life == SIM_END_OPENING || u->end->life == SIM_END_OPEN) {
        if (weir_stack_want(u->stack, u->end->handle, user_wants(u)) != WEIR_ERR_NONE) {
            sim_fail(u->w, "plan %u end %u: want: no such connection", u->plan, u->side);
        }
    }
}

static void user_connected(const struct user *u)
{
    u->end->connected = true;
    u->end->life = SIM_END_OPEN;
    u->end->act_at = WEIR_FOREVER;
    user_event(u, "connected", 0);
    sim_progress(u->w, u->c);
    if (u->e->read_late_us != 0) {
        user_sleep(&u->end->read_at, u, u->e->read_late_us);
    }
    if (u->p->open >= SIM_OPEN_REFUSED && !user_broken(u)) {
        sim_fail(u->w, "plan %u end %u: connected to one who refuses", u->plan, u->side);
    }
}

/* A deferred accept: the answer comes now or later. */
static void user_answer(const struct user *u, weir_conn *c)
{
    bool refuse = u->p->open == SIM_OPEN_REFUSED;
    weir_err err;

    u->end->act_at = WEIR_FOREVER;
    user_event(u, refuse ? "refuse" : "admit", 0);
    sim_progress(u->w, u->c);
    err = refuse ? weir_abort(c, user_now(u)) : weir_admit(c, user_now(u));
    if (err != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u: answer to a held call: %s", u->plan, weir_err_name(err));
    }
    sim_host_wake(u->w, u->host, u->w->now + 1);
}

static void user_held(const struct user *u, weir_conn *c)
{
    if (u->p->admit_us == 0) {
        user_answer(u, c);
    } else if (u->end->act_at == WEIR_FOREVER) {
        user_sleep(&u->end->act_at, u, u->p->admit_us);
    } else if (u->end->act_at <= u->w->now) {
        user_answer(u, c);
    }
}

static void user_serve_open(const struct user *u, weir_conn *c)
{
    if ((weir_events(c) & WEIR_EV_CONNECTED) && !u->end->connected) {
        user_connected(u);
    }
    if (user_abrupt(u, c)) {
        return;
    }
    if (u->end->connected) {
        user_change(u, c);
        user_read(u, c);
    }
    if (u->end->connected || u->e->eager) {
        user_write(u, c);
    }
    if (u->end->connected) {
        user_close(u, c);
        (void)user_leave(u, c);
    }
}

/* The record of a half-open connection may go without a word; any other stays until it is released. */
static void user_lost(const struct user *u)
{
    if (u->end->connected || u->side == 0 || u->p->open == SIM_OPEN_BOTH) {
        sim_fail(u->w, "plan %u end %u: the handle finds nothing", u->plan, u->side);
    }
    user_event(u, "half-open gone", 0);
    user_again(u->end);
    u->end->act_at = WEIR_FOREVER;
}

static void user_serve(const struct user *u)
{
    weir_conn *c = user_conn(u);
    unsigned events;

    if (c == NULL) {
        user_lost(u);
        return;
    }
    events = weir_events(c);
    if (events & WEIR_EV_CLOSED) {
        user_closed(u, c);
    } else if ((events & WEIR_EV_HELD) && !user_abrupt(u, c)) {
        user_held(u, c);
    } else if ((events & WEIR_EV_HELD) == 0) {
        user_serve_open(u, c);
    }
    user_want(u);
}

/* ---- opening ---- */

static weir_addr user_elsewhere(bool v6)
{
    weir_addr a = sim_host_addr(0, true);

    a.octets[4] = 0xee;
    return v6 ? a : weir_addr_v4(198, 51, 100, 7);
}

weir_tuple sim_user_tuple(const struct sim_scenario *s, uint32_t plan, uint32_t side)
{
    const struct sim_plan *p = &s->plan[plan];
    weir_tuple t;

    memset(&t, 0, sizeof t);
    t.local = p->elsewhere && side == 1 ? user_elsewhere(p->v6) : sim_host_addr(p->host[side], p->v6);
    t.remote = p->elsewhere && side == 0 ? user_elsewhere(p->v6) : sim_host_addr(p->host[1 - side], p->v6);
    t.local_port = p->port[side];
    t.remote_port = p->port[1 - side];
    return t;
}

/* What is given to connect: sometimes weir has to find the address. */
static weir_tuple user_tuple(const struct user *u)
{
    weir_tuple t = sim_user_tuple(&u->w->scenario, u->plan, u->side);

    if (u->p->open != SIM_OPEN_BOTH && sim_percent(&u->w->rng, 50)) {
        memset(&t.local, 0, sizeof t.local);
        t.local = u->p->v6 ? t.local : weir_addr_v4(0, 0, 0, 0);
    }
    return t;
}

static void user_tag(const struct user *u)
{
    if (weir_stack_set_tag(u->stack, u->end->handle, 2 * u->plan + u->side + 1) != WEIR_ERR_NONE) {
        sim_fail(u->w, "plan %u end %u: tag: no such connection", u->plan, u->side);
    }
}

static bool user_connect(const struct user *u)
{
    weir_tuple t = user_tuple(u);
    weir_err err = weir_stack_connect(u->stack, &t, &u->end->handle, user_now(u));
    weir_conn *c;

    user_event(u, "connect", err);
    u->end->act_at = WEIR_FOREVER;
    if (err == WEIR_ERR_EXISTS || err == WEIR_ERR_RESOURCES) { /* TIME-WAIT has it still, or old calls have all the room */
        u->end->act_at = u->w->now + USER_RETRY_US;
        return false;
    }
    c = err == WEIR_ERR_NONE ? user_conn(u) : NULL;
    if (c == NULL) {
        sim_fail(u->w, "plan %u end %u: connect: %s", u->plan, u->side, weir_err_name(err));
        return false;
    }
    if (u->side == 0) {
        u->c->tuple = *weir_sockets(c);
    }
    u->end->life = SIM_END_OPENING;
    user_tag(u);
    user_serve(u);
    sim_progress(u->w, u->c);
    sim_host_wake(u->w, u->host, u->w->now);
    return true;
}

static void user_open(const struct user *u)
{
    struct user other = user_of(u->w, u->plan, 1);

    if (!user_connect(u)) {
        return;
    }
    u->c->opened = true;
    u->c->opened_at = u->w->now;
    if (u->p->open == SIM_OPEN_BOTH) {
        (void)user_connect(&other);
    } else if (u->p->open == SIM_OPEN_NOBODY) {
        user_done(&other);
    }
}

static bool user_is_peer(const struct sim_connection *c, const weir_tuple *t)
{
    return t->local_port == c->tuple.remote_port && t->remote_port == c->tuple.local_port &&
           weir_addr_equal(&t->local, &c->tuple.remote) && weir_addr_equal(&t->remote, &c->tuple.local);
}

/* A later call from the same sockets (a host that has lost its memory may choose a port again), or one whose caller still waits. */
static bool user_is_later(const struct sim_connection *c, const struct sim_connection *than)
{
    if (c->opened_at != than->opened_at) {
        return c->opened_at > than->opened_at;
    }
    return than->end[0].life == SIM_END_DONE;
}

/* Which plan a call that has come in belongs to: the latest of these sockets whose passive end is still to come. */
static int user_find(const struct sim_world *w, uint32_t host, const weir_tuple *t)
{
    int i, found = -1;

    for (i = 0; i < (int)w->scenario.plan_count; i++) {
        const struct sim_connection *c = &w->conn[i];

        if (w->scenario.plan[i].host[1] == host && c->opened && c->end[1].life == SIM_END_IDLE && user_is_peer(c, t) &&
            (found < 0 || user_is_later(c, &w->conn[found]))) {
            found = i;
        }
    }
    return found;
}

/* Of a simultaneous open one side may be gone before the other's SYN comes: to a listener for any port that is an ordinary call. */
static bool user_half_of_both(const struct sim_world *w, uint32_t host, const weir_tuple *t)
{
    weir_tuple swapped = *t;
    uint32_t i;

    swapped.local = t->remote;
    swapped.remote = t->local;
    swapped.local_port = t->remote_port;
    swapped.remote_port = t->local_port;
    for (i = 0; i < w->scenario.plan_count; i++) {
        const struct sim_plan *p = &w->scenario.plan[i];

        if (p->open == SIM_OPEN_BOTH && w->conn[i].broken && user_is_peer(&w->conn[i], p->host[1] == host ? t : &swapped)) {
            return true;
        }
    }
    return false;
}

/* A connection that no plan asks for: an old duplicate SYN can make a half-open one, but never get it through the handshake. */
static void user_stranger(struct sim_world *w, uint32_t host, const weir_ready *ready)
{
    weir_conn *c = weir_stack_conn(w->host[host].stack, ready->conn);

    sim_trace_event(w, host, -1, "stranger", ready->events);
    if (weir_state(c) >= WEIR_ESTABLISHED && !user_half_of_both(w, host, weir_sockets(c))) {
        sim_fail(w, "host %u: a connection that nobody opened is %s", host, weir_state_name(weir_state(c)));
    }
    (void)weir_stack_release(w->host[host].stack, ready->conn, 0, sim_host_now(w, host));
}

static void user_accept(struct sim_world *w, uint32_t host, const weir_ready *ready)
{
    const weir_conn *c = weir_stack_peek(w->host[host].stack, ready->conn);
    int plan = c != NULL ? user_find(w, host, weir_sockets(c)) : -1;
    struct user u;

    if (c == NULL) {
        sim_fail(w, "host %u: ready names a handle that finds nothing", host);
    } else if (plan < 0) {
        user_stranger(w, host, ready);
    } else {
        u = user_of(w, (uint32_t)plan, 1);
        u.end->handle = ready->conn;
        u.end->life = SIM_END_OPENING;
        user_event(&u, "accept", ready->events);
        sim_progress(w, u.c);
        user_tag(&u);
        user_serve(&u);
    }
}

void sim_user_serve(struct sim_world *w, uint32_t host, const weir_ready *ready)
{
    struct user u;
    uint32_t index = (uint32_t)ready->tag - 1;

    if (ready->tag == 0) {
        user_accept(w, host, ready);
        return;
    }
    if (index >= 2u * w->scenario.plan_count) {
        sim_fail(w, "host %u: ready gives a tag that nobody set", host);
        return;
    }
    u = user_of(w, index / 2, index % 2);
    if (u.host != host || u.end->handle != ready->conn || u.end->life == SIM_END_DONE) {
        sim_fail(w, "host %u: ready names a connection that was released", host);
        return;
    }
    user_serve(&u);
}

/* ---- the users' own clocks ---- */

static weir_us user_end_next(const struct sim_end *end)
{
    weir_us at = end->act_at;

    at = end->read_at < at ? end->read_at : at;
    return end->write_at < at ? end->write_at : at;
}

weir_us sim_user_next(const struct sim_world *w)
{
    weir_us next = WEIR_FOREVER, at;
    uint32_t i;

    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        at = user_end_next(&w->conn[i / 2].end[i % 2]);
        next = at < next ? at : next;
    }
    return next;
}

static void user_act(const struct user *u)
{
    if (u->end->life == SIM_END_IDLE) {
        if (u->side == 0) {
            user_open(u);
        } else {
            u->end->act_at = WEIR_FOREVER;
        }
        return;
    }
    if (u->end->read_at <= u->w->now) {
        u->end->read_at = WEIR_FOREVER;
    }
    if (u->end->write_at <= u->w->now) {
        u->end->write_at = WEIR_FOREVER;
    }
    user_serve(u);
    if (u->end->act_at <= u->w->now) { /* the call is held no more */
        u->end->act_at = WEIR_FOREVER;
    }
    sim_host_wake(u->w, u->host, u->w->now);
}

void sim_user_act(struct sim_world *w)
{
    struct user u;
    uint32_t i;

    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        u = user_of(w, i / 2, i % 2);
        if (user_end_next(u.end) <= w->now) {
            user_act(&u);
        }
    }
}

/* ---- trouble ---- */

bool sim_user_all_done(const struct sim_world *w)
{
    uint32_t i;

    for (i = 0; i < w->scenario.plan_count; i++) {
        if (!user_plan_done(w, i)) {
            return false;
        }
    }
    return true;
}

void sim_user_rebooted(struct sim_world *w, uint32_t host)
{
    struct user u;
    uint32_t i;

    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        u = user_of(w, i / 2, i % 2);
        if (!u.c->opened || u.host != host) {
            continue;
        }
        u.c->broken = true;
        if (u.end->life != SIM_END_IDLE) {
            user_done(&u);
        }
        if (u.side == 1 && u.p->open <= SIM_OPEN_REFUSED && u.p->open != SIM_OPEN_BOTH && u.peer->life == SIM_END_OPENING) {
            user_again(u.end); /* the caller is still trying and may get through */
        }
    }
}

/* R2 must have ended what is in flight on a dead path; the quiet end of a broken connection can wait for ever. */
static void user_watch(const struct user *u)
{
    weir_info info;
    weir_conn *c;

    if (u->end->life == SIM_END_IDLE || u->end->life == SIM_END_DONE) {
        if (u->end->life == SIM_END_IDLE && u->peer->life == SIM_END_DONE) {
            user_done(u);
        }
        return;
    }
    c = user_conn(u);
    if (c != NULL) {
        weir_info_get(c, &info);
        if (info.unacked != 0 && info.snd_wnd != 0 && u->w->scenario.host[u->host].config.tcp.r2_us < 300 * SIM_SECOND) {
            sim_fail(u->w, "plan %u end %u: still in flight long after R2", u->plan, u->side);
        }
        user_release(u, 0);
    } else {
        user_done(u);
    }
    sim_host_wake(u->w, u->host, u->w->now);
}

void sim_user_watch(struct sim_world *w)
{
    struct user u;
    uint32_t i;

    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        u = user_of(w, i / 2, i % 2);
        if (u.c->opened && user_broken(&u) && w->now - u.c->progress_at > 1000 * SIM_SECOND) {
            user_watch(&u);
        }
    }
}

void sim_user_describe(const struct sim_world *w, char *text, uint32_t cap)
{
    static const char *const lives[] = {"idle", "opening", "open", "done"};
    uint32_t i;
    int used = 0;

    text[0] = 0;
    for (i = 0; i < 2u * w->scenario.plan_count; i++) {
        const struct sim_end *end = &w->conn[i / 2].end[i % 2];
        const weir_conn *c;

        if (end->life == SIM_END_DONE || (uint32_t)used + 1 >= cap) {
            continue;
        }
        c = end->life == SIM_END_IDLE ? NULL : weir_stack_peek(w->host[w->scenario.plan[i / 2].host[i % 2]].stack, end->handle);
        used += snprintf(text + used, cap - (uint32_t)used, " plan %u end %u %s %s written %u/%u read %u%s;", i / 2, i % 2,
                         lives[end->life], c != NULL ? weir_state_name(weir_state(c)) : "-", end->written,
                         w->scenario.plan[i / 2].end[i % 2].send_len, end->read, end->eof ? " eof" : "");
    }
}
