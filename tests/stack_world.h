/* stack_world.h - stacks for tests: one stack and a peer played by hand, or two stacks back to back, in virtual time.
 * Every packet is checked on its way, and weir_stack_check runs after whatever touched a stack. For tests only. */
#ifndef WEIR_TESTS_STACK_WORLD_H
#define WEIR_TESTS_STACK_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "stack/room.h"

#define WORLD_OK(call) assert_int_equal((call), WEIR_ERR_NONE)
#define WORLD_CHECK(s) world_check((s), __FILE__, __LINE__)

static void world_check(const weir_stack *s, const char *file, int line)
{
    const char *broken = weir_stack_check(s);
    if (broken) {
        fprintf(stderr, "%s:%d: %s\n", file, line, broken);
    }
    assert_null(broken);
}

static weir_addr world_v6(uint8_t last)
{
    weir_addr a;
    memset(&a, 0, sizeof a);
    a.octets[0] = 0xfd;
    a.octets[15] = last;
    return a;
}

/* Host n of the link, in either family. */
static weir_addr world_host(bool v6, uint8_t n)
{
    return v6 ? world_v6(n) : weir_addr_v4(10, 0, 0, n);
}

/* A small stack on 10.0.0.n/24 and fd00::n. */
__attribute__((unused)) static weir_stack_config world_config(uint8_t n)
{
    weir_stack_config c;
    weir_stack_config_init(&c);
    memset(c.tcp.secret, 0x50 + n, sizeof c.tcp.secret);
    c.addrs[0] = world_host(false, n);
    c.prefix_len[0] = 24;
    c.addrs[1] = world_host(true, n);
    c.addr_count = 2;
    c.connections_max = 64;
    c.half_open_max = 16;
    c.syn_records_max = 0; /* test_syn.c has them */
    c.time_wait_max = 16;
    c.rings.rx = c.rings.tx = 4096;
    return c;
}

/* In memory of exactly the size asked for, before a guard page. */
__attribute__((unused)) static weir_stack *world_stack(const weir_stack_config *c, weir_us now)
{
    const size_t len = weir_stack_size(c);
    weir_err err = WEIR_ERR_COUNT;
    assert_true(len > 0 && len % 64 == 0);
    weir_stack *s = weir_stack_init(guard_room(len), len, c, now, &err);
    assert_int_equal(err, WEIR_ERR_NONE);
    assert_non_null(s);
    return s;
}

/* ---- packets by hand ---- */

struct world_segment {
    weir_tuple tuple; /* as the stack sees it: local is the destination */
    uint32_t seq, ack;
    uint16_t flags;
    bool stamped;
    uint32_t ts_value, ts_echo;
    uint16_t options, mss; /* beside timestamps */
    uint8_t wscale;
    uint32_t len;         /* of the text */
    bool bad_checksum;
};

/* Its header's fields. */
static void world_fields(weir_fields *f, const struct world_segment *seg)
{
    memset(f, 0, sizeof *f);
    f->seq.v = seg->seq;
    f->ack.v = seg->ack;
    f->source_port = seg->tuple.remote_port;
    f->destination_port = seg->tuple.local_port;
    f->flags = seg->flags;
    f->window = 65535;
    f->options = (uint16_t)(seg->options | (seg->stamped ? WEIR_OPT_TIMESTAMPS : 0));
    f->mss = seg->mss;
    f->wscale = seg->wscale;
    f->ts_value = seg->ts_value;
    f->ts_echo = seg->ts_echo;
}

/* A packet of these fields, with its text; its length. */
static size_t world_emit(uint8_t *packet, const struct world_segment *seg, const weir_fields *f, unsigned traffic_class)
{
    struct weiri_ip_fields ip;
    uint8_t *tcp = packet + WEIR_IP_HEADER_MAX;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = seg->tuple.remote;
    ip.addrs.destination = seg->tuple.local;
    ip.protocol = WEIRI_PROTO_TCP;
    ip.ttl = 64;
    ip.dont_fragment = true;
    ip.traffic_class = (uint8_t)traffic_class;
    const size_t header = weir_emit_header(tcp, f);
    memset(tcp + header, 'x', seg->len);
    ip.payload_len = (uint32_t)header + seg->len;
    weir_emit_checksum(tcp, ip.payload_len, &ip.addrs);
    tcp[16] ^= seg->bad_checksum;
    const size_t ip_len = weiri_ip_emit(tcp, &ip);
    memmove(packet, tcp - ip_len, ip_len + ip.payload_len);
    return ip_len + ip.payload_len;
}

static size_t world_packet(uint8_t *packet, const struct world_segment *seg)
{
    weir_fields f;
    world_fields(&f, seg);
    return world_emit(packet, seg, &f, 0);
}

/* The end of a room before a guard page, for packets: one for all, so that guard_free_all does not concern it. */
static uint8_t *world_room_end(void)
{
    static uint8_t *end;
    if (!end) {
        struct guard_rooms *rooms = guard_rooms();
        end = guard_room(4096) + 4096;
        rooms->count--;
    }
    return end;
}

/* The packet goes in from a room that ends at a guard page. */
__attribute__((unused)) static enum weir_verdict world_put(weir_stack *s, const uint8_t *packet, size_t len, weir_us now)
{
    uint8_t *room = world_room_end() - len;
    memmove(room, packet, len);
    const enum weir_verdict verdict = weir_stack_input(s, room, len, now);
    WORLD_CHECK(s);
    return verdict;
}

__attribute__((unused)) static enum weir_verdict world_inject(weir_stack *s, const struct world_segment *seg, weir_us now)
{
    uint8_t packet[2048];
    return world_put(s, packet, world_packet(packet, seg), now);
}

/* ---- packets that come out ---- */

struct world_seen {
    weir_tuple tuple; /* local is the stack that sent it */
    weir_view view;   /* its payload is not kept */
    struct weiri_ip ip;
};

/* The next packet of the stack into `packet`; 0: none. It must be one that we ourselves would take. */
__attribute__((unused)) static size_t world_poll(weir_stack *s, uint8_t packet[2048], weir_us now)
{
    weir_out out;
    struct weiri_ip ip;
    const size_t len = weir_stack_poll(s, &out, now);
    if (len != 0) {
        assert_int_equal(len, out.len);
        assert_int_equal(weir_out_copy(&out, packet, 2048), len);
        assert_true(len <= weir_stack_get_config(s)->tcp.mtu);
        assert_int_equal(weiri_ip_view(&ip, packet, len), WEIR_OK);
    }
    WORLD_CHECK(s);
    return len;
}

/* The next packet, which must be TCP; false: none. */
__attribute__((unused)) static bool world_next(weir_stack *s, struct world_seen *seen, weir_us now)
{
    uint8_t packet[2048];
    const size_t len = world_poll(s, packet, now);
    if (len == 0) {
        return false;
    }
    assert_int_equal(weiri_ip_view(&seen->ip, packet, len), WEIR_OK);
    assert_int_equal(seen->ip.protocol, WEIRI_PROTO_TCP);
    assert_int_equal(weir_view_segment(&seen->view, seen->ip.payload, seen->ip.payload_len, &seen->ip.addrs), WEIR_OK);
    seen->tuple.local = seen->ip.addrs.source;
    seen->tuple.remote = seen->ip.addrs.destination;
    seen->tuple.local_port = seen->view.source_port;
    seen->tuple.remote_port = seen->view.destination_port;
    return true;
}

__attribute__((unused)) static unsigned world_drop_all(weir_stack *s, weir_us now)
{
    uint8_t packet[2048];
    unsigned count = 0;
    while (world_poll(s, packet, now) != 0) {
        count++;
        assert_true(count < 10000);
    }
    return count;
}

/* ---- two stacks ---- */

struct world {
    weir_stack *a, *b;
    weir_us now;
    bool quick; /* do not run the checker at every packet */
};

__attribute__((unused)) static unsigned world_carry(struct world *w, weir_stack *from, weir_stack *to)
{
    uint8_t packet[2048];
    unsigned count = 0;
    size_t len;
    while ((len = w->quick ? weir_stack_poll_copy(from, packet, sizeof packet, w->now) : world_poll(from, packet, w->now)) != 0) {
        (void)(w->quick ? weir_stack_input(to, packet, len, w->now) : world_put(to, packet, len, w->now));
        count++;
        assert_true(count < 1000000);
    }
    return count;
}

/* Packets go to and fro until both are silent. */
__attribute__((unused)) static void world_run(struct world *w)
{
    for (unsigned turn = 0; world_carry(w, w->a, w->b) + world_carry(w, w->b, w->a) != 0; turn++) {
        assert_true(turn < 10000);
    }
}

/* Time passes, deadline by deadline. */
__attribute__((unused)) static void world_pass(struct world *w, weir_us span)
{
    const weir_us until = w->now + span;
    for (unsigned turn = 0; turn < 1000000; turn++) {
        world_run(w);
        const weir_us due = base_min_us(weir_stack_deadline(w->a), weir_stack_deadline(w->b));
        if (due > until) {
            break;
        }
        w->now = due > w->now ? due : w->now;
        weir_stack_expire(w->a, w->now);
        weir_stack_expire(w->b, w->now);
    }
    w->now = until;
    weir_stack_expire(w->a, w->now);
    weir_stack_expire(w->b, w->now);
    world_run(w);
    WORLD_CHECK(w->a);
    WORLD_CHECK(w->b);
}

__attribute__((unused)) static weir_handle world_listen(weir_stack *s, uint16_t port)
{
    weir_listen_spec spec;
    weir_handle listener = 0;
    memset(&spec, 0, sizeof spec);
    spec.port = port;
    WORLD_OK(weir_stack_listen(s, &spec, &listener));
    assert_true(listener != 0);
    return listener;
}

__attribute__((unused)) static weir_handle world_connect(struct world *w, const weir_addr *remote, uint16_t port)
{
    weir_tuple tuple;
    weir_handle conn = 0;
    memset(&tuple, 0, sizeof tuple);
    tuple.remote = *remote;
    tuple.remote_port = port;
    WORLD_OK(weir_stack_connect(w->a, &tuple, &conn, w->now));
    assert_true(conn != 0);
    return conn;
}

/* The next connection with news, which must have all these events. */
__attribute__((unused)) static weir_handle world_ready(weir_stack *s, unsigned events)
{
    weir_ready r;
    memset(&r, 0, sizeof r);
    assert_true(weir_stack_ready(s, &r));
    assert_int_equal(r.events & events, events);
    return r.conn;
}

__attribute__((unused)) static void world_end_round(weir_stack *s)
{
    weir_ready r;
    for (unsigned count = 0; weir_stack_ready(s, &r); count++) {
        assert_true(count < 100000);
    }
}

/* Everything has gone back to where it came from. */
__attribute__((unused)) static void world_expect_empty(const weir_stack *s)
{
    WORLD_CHECK(s);
    assert_int_equal(weir_stack_stats(s)->connections, 0);
    assert_int_equal(weir_stack_stats(s)->half_open, 0);
    assert_int_equal(weir_stack_stats(s)->time_wait, 0);
    assert_int_equal(s->slot_pool.used, 0);
    assert_int_equal(s->store.used, 0);
    assert_int_equal(s->wait_queue.count, 0);
    assert_int_equal(s->demux.count, 0);
    assert_int_equal(s->wheel.armed, 0);
    assert_int_equal(s->out.count + s->ready.count + s->dirty.count + s->spare.count + s->needy.count, 0);
    assert_true(weir_stack_next(s, 0) == 0);
}

/* Destination unreachable of this code, quoting a segment of the connection between these IPv4 sockets; the next hop of code 4 takes 1000 octets. */
__attribute__((unused)) static size_t world_icmp(uint8_t *packet, const weir_tuple *t, uint8_t code, uint32_t seq)
{
    static const uint8_t quoted[20] = {0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, WEIRI_PROTO_TCP};
    struct weiri_ip_fields ip;
    uint8_t *message = packet + WEIR_IP_HEADER_MAX;
    memset(message, 0, 36);
    message[0] = 3;
    message[1] = code;
    base_put16(message + 6, code == 4 ? 1000 : 0);
    memcpy(message + 8, quoted, sizeof quoted);
    memcpy(message + 20, t->local.octets + 12, 4);
    memcpy(message + 24, t->remote.octets + 12, 4);
    base_put16(message + 28, t->local_port);
    base_put16(message + 30, t->remote_port);
    base_put32(message + 32, seq);
    base_put16(message + 2, weiri_sum_finish(weiri_sum(message, 36, 0)));
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = t->remote;
    ip.addrs.destination = t->local;
    ip.protocol = WEIRI_PROTO_ICMP;
    ip.ttl = 64;
    ip.payload_len = 36;
    const size_t header = weiri_ip_emit(message, &ip);
    memmove(packet, message - header, header + 36);
    return header + 36;
}

/* The checker finds the damage; and when it is undone, nothing. */
#define WORLD_DAMAGE(what, value, says)                                \
    do {                                                               \
        const __typeof__(what) was = what;                             \
        what = value;                                                  \
        const char *broken = weir_stack_check(s);                      \
        assert_string_equal(broken ? broken : "nothing", says);        \
        what = was;                                                    \
        WORLD_CHECK(s);                                                \
    } while (0)

#endif /* WEIR_TESTS_STACK_WORLD_H */
