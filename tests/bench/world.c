/* world.c - two stacks, the packets between them in memory: bulk transfer in one direction, and connections that come and go.
 *
 * A turn is a round trip: one end says all that it may, each packet is taken as it comes, the other end's answers travel back. The window is
 * 256 KiB, so that packets and rings leave the nearest cache, as they do in use. */
#include <string.h>

#include "bench.h"
#include "weir/stack.h"

enum { WORLD_WINDOW = 1 << 18, WORLD_APP = 1 << 16, WORLD_SLOTS = 179, WORLD_TURN_US = 1000, WORLD_MANY = 64 };

/* Packets on their way. */
struct world_way {
    uint8_t *octets;
    unsigned count;
    weir_place places[WORLD_SLOTS];   /* where each is written .. */
    weir_slice packets[WORLD_SLOTS];  /* .. and what lies there */
};

struct world {
    weir_stack *end[2];
    weir_handle conn[2][WORLD_MANY];
    weir_us now;
    struct world_way there, back;
    uint8_t *app, *user;
    size_t slot, app_at, unread;
    unsigned long segments, opened;
    uint16_t clamp;    /* the link writes this into MSS options; 0: it leaves them alone */
    bool in_place;     /* the user works on the rings: no copies */
    unsigned batch;    /* packets given or taken at once */
    unsigned flows;    /* connections that carry text at the same time */
};

struct world_spec {
    uint16_t mtu, clamp;
    bool timestamps, in_place;
    uint32_t ring, connections, time_wait;
    unsigned batch;
    uint32_t idle;     /* each end has so many connections more, with hosts that are none of the two */
    unsigned flows;
};

static weir_addr world_addr(unsigned end)
{
    return weir_addr_v4(10, 0, 0, (uint8_t)(2 + end));
}

weir_stack *bench_stack(const weir_stack_config *cfg)
{
    weir_err err;
    size_t len = weir_stack_size(cfg);
    weir_stack *s = weir_stack_init(bench_memory(len), len, cfg, 0, &err);
    weir_listen_spec listener = {0};
    weir_handle ignored;
    listener.port = 80;
    if (s == NULL || weir_stack_listen(s, &listener, &ignored) != WEIR_ERR_NONE) {
        bench_fail("no stack");
    }
    return s;
}

static weir_stack *world_stack(unsigned end, const struct world_spec *spec)
{
    weir_stack_config cfg;
    weir_stack_config_init(&cfg);
    cfg.tcp.secret[0] = (uint8_t)(1 + end);
    cfg.tcp.mtu = spec->mtu;
    cfg.tcp.timestamps = spec->timestamps;
    cfg.tcp.rx_max = cfg.tcp.tx_max = 0;
    cfg.tcp.mss_min = 64;
    cfg.tcp.nagle = false;
    cfg.addrs[0] = world_addr(end);
    cfg.addrs[1] = world_addr(end + 2); /* for more connections than there are ports */
    cfg.addrs[2] = weir_addr_v4(10, 0, 0, 1); /* for those that are idle */
    cfg.addr_count = 3;
    cfg.connections_max = spec->connections + spec->idle;
    cfg.busy_max = spec->idle > 0 ? spec->connections : 0;
    cfg.half_open_max = spec->connections;
    cfg.time_wait_max = spec->time_wait;
    cfg.port_first = 1024;
    cfg.rings.rx = cfg.rings.tx = spec->ring;
    cfg.ring_memory = spec->idle > 0 ? (uint64_t)spec->connections * (weir_buffers_size(cfg.rings) + 64) : 0;
    weir_stack *s = bench_stack(&cfg);
    for (unsigned long i = 0; i < spec->idle; i++) {
        (void)bench_idle(s, i, i);
    }
    return s;
}

/* The link says what the largest segment is, as some do: RFC 1624 keeps the checksum right. */
static void world_clamp(const struct world *w, uint8_t *packet)
{
    uint8_t *tcp = packet + 20;
    if (w->clamp == 0 || !(tcp[13] & WEIR_SYN) || tcp[20] != 2) {
        return;
    }
    uint32_t sum = (uint16_t)~(tcp[16] << 8 | tcp[17]) + (uint32_t)(uint16_t)~(tcp[22] << 8 | tcp[23]) + w->clamp;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    tcp[16] = (uint8_t)(~sum >> 8);
    tcp[17] = (uint8_t)~sum;
    tcp[22] = (uint8_t)(w->clamp >> 8);
    tcp[23] = (uint8_t)w->clamp;
}

static void world_take(const struct world *w, unsigned end, uint8_t *packet, size_t len)
{
    world_clamp(w, packet);
    if (weir_stack_input(w->end[end], packet, len, w->now) != WEIR_OK) {
        bench_fail("a packet was refused");
    }
}

/* ---- bulk ---- */

static void world_poll_batches(const struct world *w, unsigned end, struct world_way *way)
{
    unsigned want = w->batch, got = want;
    while (way->count < WORLD_SLOTS && got == want) {
        const unsigned first = way->count, room = WORLD_SLOTS - first;
        want = want < room ? want : room;
        got = (unsigned)weir_stack_poll_batch(w->end[end], way->places + first, want, w->now);
        for (unsigned k = first; k < first + got; k++) {
            way->packets[k].len = way->places[k].len;
        }
        way->count += got;
    }
}

/* What an end has to say is on its way, behind what is. */
static void world_poll(const struct world *w, unsigned end, struct world_way *way)
{
    size_t len;
    if (w->batch > 1) {
        world_poll_batches(w, end, way);
        return;
    }
    while (way->count < WORLD_SLOTS && (len = weir_stack_poll_copy(w->end[end], way->places[way->count].octets, w->slot, w->now)) > 0) {
        way->packets[way->count++].len = len;
    }
}

static void world_give_batch(const struct world *w, unsigned end, const weir_slice *packets, unsigned count)
{
    weir_text texts[BENCH_BATCH];
    const uint64_t before = weir_stack_stats(w->end[end])->verdicts[WEIR_OK];
    if (w->in_place) {
        (void)weir_stack_input_texts(w->end[end], packets, count, NULL, texts, w->now);
    } else {
        weir_stack_input_batch(w->end[end], packets, count, NULL, w->now);
    }
    if (weir_stack_stats(w->end[end])->verdicts[WEIR_OK] - before != count) {
        bench_fail("a packet was refused");
    }
}

/* Those from `at` on, as many as are given at once; how many. */
static unsigned world_give(const struct world *w, unsigned end, const struct world_way *way, unsigned at)
{
    const unsigned take = way->count - at < w->batch ? way->count - at : w->batch;
    if (take > 1) {
        world_give_batch(w, end, way->packets + at, take);
    } else {
        world_take(w, end, way->places[at].octets, way->packets[at].len);
    }
    return take;
}

static void world_write(struct world *w, unsigned flow)
{
    weir_conn *c = weir_stack_conn(w->end[0], w->conn[0][flow]);
    size_t done, room;
    do {
        if (w->in_place) {
            weir_tx_reserve(c, &done);
            (void)weir_tx_commit(c, done, 0, w->now);
            room = done;
        } else {
            weir_slice s = {w->app + w->app_at, WORLD_APP - w->app_at};
            room = s.len;
            (void)weir_send(c, s, 0, &done, w->now);
            w->app_at = (w->app_at + done) % WORLD_APP;
        }
    } while (done > 0 && done == room);
}

static void world_read(const struct world *w, unsigned flow)
{
    weir_conn *c = weir_stack_conn(w->end[1], w->conn[1][flow]);
    size_t done;
    do {
        if (w->in_place) {
            (void)weir_rx_peek(c, &done);
            (void)weir_rx_consume(c, done, w->now);
        } else {
            (void)weir_recv(c, w->user, WORLD_APP, &done, w->now);
        }
    } while (done > 0);
}

/* Of several, those that have something to read say so. */
static void world_read_all(struct world *w)
{
    weir_ready ready;
    if (w->flows == 1) {
        world_read(w, 0);
    } else {
        while (weir_stack_ready(w->end[1], &ready)) {
            world_read(w, (unsigned)ready.tag);
        }
    }
    w->unread = 0;
}

static void world_turn(struct world *w)
{
    unsigned at, take;
    w->now += WORLD_TURN_US;
    for (unsigned flow = 0; flow < w->flows; flow++) {
        world_write(w, flow);
    }
    w->there.count = w->back.count = 0;
    world_poll(w, 0, &w->there);
    for (at = 0; at < w->there.count; at += take) {
        take = world_give(w, 1, &w->there, at);
        w->unread += take * w->there.packets[at].len;
        if (w->unread >= WORLD_APP) {
            world_read_all(w);
        }
        world_poll(w, 1, &w->back);
    }
    world_read_all(w);
    world_poll(w, 1, &w->back);
    for (at = 0; at < w->back.count; at += take) {
        take = world_give(w, 0, &w->back, at);
    }
    w->segments += w->there.count;
    weir_stack_expire(w->end[0], w->now);
    weir_stack_expire(w->end[1], w->now);
}

static unsigned long world_bulk(void *state, unsigned long count)
{
    struct world *w = state;
    unsigned long first = w->segments;
    while (w->segments - first < count) {
        world_turn(w);
    }
    return w->segments - first;
}

/* ---- connections that come and go ---- */

/* One octet each way: the client speaks first and closes last of the two, so that TIME-WAIT is at its end. */
static void world_serve(struct world *w, unsigned end, const weir_ready *r)
{
    weir_conn *c = weir_stack_conn(w->end[end], r->conn);
    uint8_t octet[1] = {1};
    size_t done;
    if (end == 0 && r->tag == 0 && (r->events & WEIR_EV_CONNECTED)) {
        weir_slice s = {octet, 1};
        (void)weir_send(c, s, 0, &done, w->now);
        (void)weir_stack_set_tag(w->end[0], r->conn, 1);
        (void)weir_stack_want(w->end[0], r->conn, WEIR_EV_READABLE | WEIR_EV_CLOSED);
    } else if (r->events & WEIR_EV_READABLE) {
        (void)weir_recv(c, octet, 1, &done, w->now);
        weir_slice s = {octet, 1};
        if (end == 1) {
            (void)weir_send(c, s, 0, &done, w->now);
            (void)weir_stack_want(w->end[1], r->conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED);
        } else {
            (void)weir_stack_release(w->end[0], r->conn, WEIR_FOREVER, w->now);
        }
    } else if (r->events & (WEIR_EV_PEER_FIN | WEIR_EV_CLOSED)) {
        (void)weir_stack_release(w->end[end], r->conn, WEIR_FOREVER, w->now);
        w->opened += end == 1;
    } else {
        (void)weir_stack_want(w->end[end], r->conn, WEIR_EV_READABLE | WEIR_EV_PEER_FIN | WEIR_EV_CLOSED);
    }
}

/* What an end has to say comes to the other, one by one or together; was there anything? */
static bool world_pass(struct world *w, unsigned from)
{
    bool any = false;
    size_t len;
    if (w->batch > 1) {
        w->there.count = 0;
        world_poll_batches(w, from, &w->there);
        for (unsigned at = 0; at < w->there.count;) {
            at += world_give(w, 1 - from, &w->there, at);
        }
        return w->there.count > 0;
    }
    while ((len = weir_stack_poll_copy(w->end[from], w->there.octets, w->slot, w->now)) > 0) {
        world_take(w, 1 - from, w->there.octets, len);
        any = true;
    }
    return any;
}

/* Then whoever has news there is served. */
static bool world_exchange(struct world *w, unsigned from)
{
    weir_ready ready;
    bool any = world_pass(w, from);
    while (weir_stack_ready(w->end[1 - from], &ready)) {
        world_serve(w, 1 - from, &ready);
        any = true;
    }
    return any;
}

static bool world_connect(struct world *w, weir_handle *conn)
{
    weir_tuple tuple = {0};
    tuple.remote = world_addr(w->opened % 2 ? 3 : 1);
    tuple.remote_port = 80;
    return weir_stack_connect(w->end[0], &tuple, conn, w->now) == WEIR_ERR_NONE;
}

/* As many at once as packets are given. */
static unsigned long world_come_and_go(void *state, unsigned long count)
{
    struct world *w = state;
    unsigned long first = w->opened;
    weir_handle ignored;
    while (w->opened - first < count) {
        w->now += 10;
        for (unsigned k = 0; k < w->batch; k++) {
            if (!world_connect(w, &ignored)) {
                bench_fail("no connection can be opened");
            }
        }
        for (bool any = true; any;) {
            bool there = world_exchange(w, 0), back = world_exchange(w, 1);
            any = there || back;
        }
        weir_stack_expire(w->end[0], w->now);
        weir_stack_expire(w->end[1], w->now);
    }
    return w->opened - first;
}

/* ---- opening ---- */

static void world_clear(struct world_way *way, size_t slot)
{
    way->octets = bench_memory(slot * WORLD_SLOTS);
    for (unsigned k = 0; k < WORLD_SLOTS; k++) {
        way->packets[k].octets = way->places[k].octets = way->octets + k * slot;
        way->places[k].cap = slot;
    }
}

static struct world *world_new(const struct world_spec *spec)
{
    struct world *w = bench_memory(sizeof *w);
    w->slot = (size_t)(spec->mtu + 127) & ~(size_t)63;
    world_clear(&w->there, w->slot);
    world_clear(&w->back, w->slot);
    w->app = bench_memory(WORLD_APP);
    w->user = bench_memory(WORLD_APP);
    memset(w->app, 3, WORLD_APP);
    w->clamp = spec->clamp;
    w->in_place = spec->in_place;
    w->batch = spec->batch;
    w->now = spec->idle;
    w->end[0] = world_stack(0, spec);
    w->end[1] = world_stack(1, spec);
    return w;
}

static void world_open_flow(struct world *w, unsigned flow)
{
    weir_ready ready;
    if (!world_connect(w, &w->conn[0][flow])) {
        bench_fail("no connection can be opened");
    }
    for (unsigned i = 0; i < 3; i++) {
        size_t len;
        while ((len = weir_stack_poll_copy(w->end[i & 1], w->there.octets, w->slot, w->now)) > 0) {
            world_take(w, 1 - (i & 1), w->there.octets, len);
        }
    }
    if (!weir_stack_ready(w->end[1], &ready)) {
        bench_fail("no handshake");
    }
    w->conn[1][flow] = ready.conn;
    (void)weir_stack_direct(w->end[1], w->conn[1][flow], w->in_place);
    (void)weir_stack_want(w->end[0], w->conn[0][flow], 0);
    (void)weir_stack_set_tag(w->end[1], w->conn[1][flow], flow);
    (void)weir_stack_want(w->end[1], w->conn[1][flow], w->flows > 1 ? WEIR_EV_READABLE : 0);
}

static void *world_open_bulk(const struct world_spec *spec)
{
    struct world *w = world_new(spec);
    w->flows = spec->flows > 0 ? spec->flows : 1;
    for (unsigned flow = 0; flow < w->flows; flow++) {
        world_open_flow(w, flow);
    }
    (void)world_bulk(w, 5000 * w->flows); /* slow start is over */
    return w;
}

static void *world_open_copy(unsigned long mss)
{
    struct world_spec spec = {(uint16_t)(mss + 40), 0, false, false, WORLD_WINDOW, 4, 4, 1, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_in_place(unsigned long mss)
{
    struct world_spec spec = {(uint16_t)(mss + 40), 0, false, true, WORLD_WINDOW, 4, 4, 1, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_copy_batches(unsigned long mss)
{
    struct world_spec spec = {(uint16_t)(mss + 40), 0, false, false, WORLD_WINDOW, 4, 4, BENCH_BATCH, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_in_place_batches(unsigned long mss)
{
    struct world_spec spec = {(uint16_t)(mss + 40), 0, false, true, WORLD_WINDOW, 4, 4, BENCH_BATCH, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_tiny_batches(unsigned long mss)
{
    struct world_spec spec = {1500, (uint16_t)mss, false, false, WORLD_WINDOW, 4, 4, BENCH_BATCH, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_flows(unsigned long mss)
{
    struct world_spec spec = {(uint16_t)(mss + 40), 0, false, false, WORLD_WINDOW / WORLD_MANY * 4, WORLD_MANY, 4, BENCH_BATCH, 0, WORLD_MANY};
    return world_open_bulk(&spec);
}

static void *world_open_stamped(unsigned long mtu)
{
    struct world_spec spec = {(uint16_t)mtu, 0, true, false, WORLD_WINDOW, 4, 4, 1, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_tiny(unsigned long mss)
{
    struct world_spec spec = {1500, (uint16_t)mss, false, false, WORLD_WINDOW, 4, 4, 1, 0, 1};
    return world_open_bulk(&spec);
}

static void *world_open_among(unsigned long time_wait, uint32_t idle, unsigned batch)
{
    struct world_spec spec = {1500, 0, true, false, 4096, 1024, (uint32_t)time_wait, batch, idle, 0};
    struct world *w = world_new(&spec);
    (void)world_come_and_go(w, time_wait + 100);
    return w;
}

static void *world_open_many(unsigned long time_wait)
{
    return world_open_among(time_wait, 0, 1);
}

static void *world_open_together(unsigned long time_wait)
{
    return world_open_among(time_wait, 0, BENCH_BATCH);
}

static void *world_open_crowded(unsigned long time_wait)
{
    return world_open_among(time_wait, 1000000, 1);
}

const struct bench_case bench_world[] = {
    {"copy 1460", "segment", "floor B 1460", world_open_copy, world_bulk, 1460, 20000, 5000, 1},
    {"in place 1460", "segment", "floor D 1460", world_open_in_place, world_bulk, 1460, 20000, 5000, 1},
    {"copy 1460, batches of 64", "segment", "floor B 1460", world_open_copy_batches, world_bulk, 1460, 20000, 5000, 1},
    {"in place 1460, batches of 64", "segment", "floor D 1460", world_open_in_place_batches, world_bulk, 1460, 20000, 5000, 1},
    {"copy 1460, batches of 64, 64 connections", "segment", "floor B 1460", world_open_flows, world_bulk, 1460, 20000, 5000, 1},
    {"copy 64, batches of 64", "segment", "floor F", world_open_tiny_batches, world_bulk, 64, 50000, 5000, 1},
    {"copy 1460, timestamps", "1460 octets", "floor B 1460", world_open_stamped, world_bulk, 1500, 20000, 5000, 1448.0 / 1460},
    {"copy 8960", "segment", "floor B 8960", world_open_copy, world_bulk, 8960, 4000, 0, 1},
    {"in place 8960", "segment", "floor D 8960", world_open_in_place, world_bulk, 8960, 4000, 0, 1},
    {"copy 64", "segment", "floor F", world_open_tiny, world_bulk, 64, 50000, 5000, 1},
    {"connection", "connection", NULL, world_open_many, world_come_and_go, 4096, 5000, 1000, 1},
    {"connection, 64 at once", "connection", "connection", world_open_together, world_come_and_go, 4096, 5000, 1000, 1},
    {"connection, 100000 in TIME-WAIT", "connection", "connection", world_open_many, world_come_and_go, 100000, 5000, 0, 1},
    {"connection, 1000000 idle, 100000 in TIME-WAIT", "connection", "connection", world_open_crowded, world_come_and_go, 100000, 5000, 0, 1},
    {0}};
