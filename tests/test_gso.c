/* test_gso.c - super-segments: cut, they are octet for octet what plain output sends; what goes into one and what does not; text that
 * arrives joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "patience.h"
#include "path_world.h"
#include "stack_world.h"

#define GSO_MOST 65535u

static struct path path;

/* ---- the same octets at the same times ---- */

struct gso_case {
    const char *name;
    uint32_t loss, mark, chunk, queue;
    uint8_t cc, pacing;
    bool no_sack, no_rack, no_timestamps, cwv;
};

static weir_config gso_config(const struct gso_case *k, uint16_t most)
{
    weir_config cfg;
    weir_config_internet(&cfg);
    memset(cfg.secret, 0x5a, sizeof cfg.secret);
    cfg.cc = k->cc;
    cfg.pacing = k->pacing;
    cfg.sack = !k->no_sack;
    cfg.rack = !k->no_rack;
    cfg.timestamps = !k->no_timestamps;
    cfg.cwv = k->cwv;
    cfg.ecn = k->mark > 0 ? WEIR_ECN_OFFER : WEIR_ECN_OFF;
    cfg.gso_max = most;
    return cfg;
}

/* What was sent, in how many segments out of packets of several, and what arrived. */
struct gso_told {
    uint64_t digest, cut, received;
    uint32_t segments, retransmitted, marked;
};

static struct gso_told gso_run(const struct gso_case *k, uint64_t seed, uint16_t most)
{
    weir_config cfg = gso_config(k, most);
    struct gso_told told;
    weir_info info;
    path_open(&path, 12500000, 10000, k->queue);
    path.random = seed;
    path.loss = k->loss;
    path.mark = k->mark;
    path.chunk = k->chunk;
    path_flow(&path, &cfg);
    path_run(&path, 2 * CONN_SECOND);
    assert_int_equal(weir_close(&path.flow[0].c[0], path.now), WEIR_ERR_NONE);
    path_run(&path, CONN_SECOND);
    weir_info_get(&path.flow[0].c[0], &info);
    told.digest = path.digest;
    told.cut = path.cut;
    told.received = path.flow[0].received;
    told.segments = info.segments_out;
    told.retransmitted = info.total_retrans;
    told.marked = info.delivered_ce;
    path_close(&path);
    return told;
}

static void test_equal(void **state)
{
    static const struct gso_case cases[] = {
        {.name = "clean", .cc = WEIR_CC_CUBIC, .queue = 250000},
        {.name = "little at a time", .cc = WEIR_CC_CUBIC, .queue = 250000, .chunk = 20000},
        {.name = "tiny pieces", .cc = WEIR_CC_CUBIC, .queue = 250000, .chunk = 3000},
        {.name = "loss", .cc = WEIR_CC_CUBIC, .queue = 250000, .loss = 5000},
        {.name = "much loss", .cc = WEIR_CC_CUBIC, .queue = 250000, .loss = 60000, .chunk = 100000},
        {.name = "a short queue", .cc = WEIR_CC_CUBIC, .queue = 20000},
        {.name = "marks", .cc = WEIR_CC_CUBIC, .queue = 250000, .mark = 30000},
        {.name = "marks and loss", .cc = WEIR_CC_NEWRENO, .queue = 250000, .mark = 15000, .loss = 300},
        {.name = "no timestamps", .cc = WEIR_CC_CUBIC, .queue = 60000, .loss = 5000, .no_timestamps = true},
        {.name = "no SACK", .cc = WEIR_CC_NEWRENO, .queue = 60000, .loss = 5000, .no_sack = true},
        {.name = "RFC 6675", .cc = WEIR_CC_NEWRENO, .queue = 60000, .loss = 5000, .no_rack = true},
        {.name = "window validation", .cc = WEIR_CC_CUBIC, .queue = 60000, .loss = 1000, .chunk = 30000, .cwv = true},
        {.name = "paced", .cc = WEIR_CC_CUBIC, .pacing = WEIR_PACING_HOLD, .queue = 60000, .loss = 2000},
        {.name = "stamped", .cc = WEIR_CC_CUBIC, .pacing = WEIR_PACING_STAMP, .queue = 60000, .loss = 2000},
        {.name = "BBR", .cc = WEIR_CC_BBR, .queue = 100000, .loss = 2000},
    };
    (void)state;
    const uint64_t seeds = patience(4, 1);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct gso_case *k = &cases[i];
        uint64_t cut = 0, again = 0, marked = 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            static const uint16_t most[] = {(uint16_t)GSO_MOST, 9000, 4500};
            struct gso_told plain = gso_run(k, seed, 0), super = gso_run(k, seed, most[seed % 3]);
            assert_int_equal(plain.cut, 0);
            cut += super.cut;
            if (plain.digest != super.digest || plain.received != super.received || plain.segments != super.segments) {
                fail_msg("%s, seed %u: %u segments and %u", k->name, (unsigned)seed, plain.segments, super.segments);
            }
            again += super.retransmitted;
            marked += super.marked;
        }
        assert_true(k->pacing == WEIR_PACING_STAMP ? cut == 0 : cut > 10 * seeds); /* it was not for want of super-segments */
        assert_true(k->loss == 0 || again > 0);
        assert_true(k->mark == 0 || marked > 0);
    }
}

/* ---- what one looks like -------------------------------------------------------------------------------------------- */

/* Established, with a window of 65535 both ways and an MSS of 1460. */
static struct conn_fixture *gso_open(void)
{
    static uint64_t memory[1 << 15];
    struct conn_fixture *f = conn_in(WEIR_ESTABLISHED);
    weir_sizes sizes = {65536, 65536};
    weir_buffers b;
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    assert_true(weir_buffers_carve(&b, memory, sizeof memory, sizes));
    assert_int_equal(weir_set_buffers(&f->c, &b, f->now), WEIR_ERR_NONE);
    f->cfg.gso_max = (uint16_t)GSO_MOST;
    f->c.cc.cwnd = 1 << 20;
    g.window = 65535;
    conn_input(f, &g, 0);
    conn_drain(f);
    return f;
}

/* Segment i of a packet, through the strict parser. */
static bool gso_cut(const struct conn_fixture *f, const weir_out *out, uint32_t i, weir_view *v)
{
    static uint8_t octets[70000];
    const weir_tuple *t = weir_sockets(&f->c);
    weir_pseudo pseudo = {t->local, t->remote};
    size_t len = weir_out_cut(out, i, octets, sizeof octets);
    if (len == 0) {
        return false;
    }
    assert_int_equal(weir_view_segment(v, octets, len, &pseudo), WEIR_OK);
    assert_int_equal(weir_out_cut(out, i, octets, len - 1), 0);
    return true;
}

/* Ten full segments, and the last: FIN goes with it, even when that one is full too. */
static void gso_form(uint32_t tail)
{
    struct conn_fixture *f = gso_open();
    weir_seq first = f->c.snd.nxt;
    weir_out out;
    weir_view v;
    uint32_t i, total = 10 * 1460 + tail;
    assert_int_equal(conn_send(f, total, 0), WEIR_ERR_NONE);
    assert_int_equal(weir_close(&f->c, f->now), WEIR_ERR_NONE);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + total);
    assert_int_equal(out.gso_size, 1460);
    assert_true(out.partial);
    assert_int_equal(f->c.board.count, 11); /* the scoreboard knows each */
    for (i = 0; gso_cut(f, &out, i, &v); i++) {
        assert_int_equal(v.seq.v, first.v + i * 1460);
        assert_int_equal(v.payload_len, i < 10 ? 1460 : tail);
        assert_int_equal(v.flags, i < 10 ? WEIR_ACK : WEIR_ACK | WEIR_PSH | WEIR_FIN);
        for (uint32_t k = 0; k < v.payload_len; k++) {
            assert_int_equal(v.payload[k], conn_octet(v.seq.v + k));
        }
    }
    assert_int_equal(i, 11);
    assert_int_equal(weir_out_cut(&out, UINT32_MAX, (uint8_t[1600]){0}, 1600), 0);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 0);
    weir_info info;
    weir_info_get(&f->c, &info);
    assert_int_equal(info.data_segments_out, 11);
}

static void test_form(void **state)
{
    (void)state;
    gso_form(100);
    gso_form(1460);
    gso_form(1);
}

/* A single one is no super-segment, and its checksum is whose the configuration says. */
static void test_single(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_out out;
    weir_view v;
    (void)state;
    for (unsigned partial = 0; partial < 2; partial++) {
        uint8_t octets[1600];
        f->cfg.partial_checksum = partial == 1;
        assert_int_equal(conn_send(f, 1000 + partial, WEIR_SEND_PUSH), WEIR_ERR_NONE);
        weir_set_nagle(&f->c, false);
        size_t len = weir_poll(&f->c, &out, f->now);
        assert_int_equal(len, 1020 + partial);
        assert_int_equal(out.gso_size, 0);
        assert_int_equal(out.partial, partial == 1);
        assert_true(gso_cut(f, &out, 0, &v)); /* complete either way */
        assert_int_equal(v.payload_len, 1000 + partial);
        assert_false(gso_cut(f, &out, 1, &v));
        weir_pseudo pseudo = {f->c.tuple.local, f->c.tuple.remote};
        assert_int_equal(weir_out_copy(&out, octets, sizeof octets), len);
        assert_int_equal(weir_view_segment(&v, octets, len, &pseudo), partial == 1 ? WEIR_TCP_CHECKSUM : WEIR_OK);
    }
}

/* As much as config.gso_max, an IP header and the longest TCP header included, in whole segments. */
static void test_most(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_out out;
    (void)state;
    f->cfg.gso_max = 80 + 3 * 1460;
    assert_int_equal(conn_send(f, 7 * 1460, 0), WEIR_ERR_NONE);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 3 * 1460);
    f->cfg.gso_max--;
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 2 * 1460);
    f->cfg.gso_max = 1500;
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 1460);
    assert_int_equal(out.gso_size, 0);
}

/* The windows count octets as ever. */
static void test_windows(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_out out;
    (void)state;
    assert_int_equal(conn_send(f, 60000, 0), WEIR_ERR_NONE);
    f->c.cc.cwnd = 5 * 1460 + 1;
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 5 * 1460);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 0);
    f->c.cc.cwnd = 1 << 20;
    f->c.snd.wnd = 8 * 1460;
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 3 * 1460);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 0);
}

/* What goes in recovery counts there (RFC 9937 6.2). */
static void test_recovery(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_out out;
    (void)state;
    conn_set(&f->c, WEIRI_RECOVERY, true);
    assert_int_equal(conn_send(f, 7 * 1460 + 1, 0), WEIR_ERR_NONE);
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 7 * 1460);
    assert_int_equal(f->c.prr.out, 7 * 1460);
}

/* What differs from segment to segment goes by itself; so does what goes again. */
static void test_apart(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_out out;
    (void)state;
    assert_int_equal(conn_send(f, 3 * 1460, WEIR_SEND_URGENT), WEIR_ERR_NONE);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 1460);
        assert_int_equal(out.gso_size, 0);
    }
    conn_later(f, 10 * CONN_SECOND); /* the timeout: one segment, then as acknowledgments come */
    assert_int_equal(weir_poll(&f->c, &out, f->now), 20 + 1460);
    assert_int_equal(out.gso_size, 0);
}

/* ---- through stacks, IPv4 and IPv6 ---------------------------------------------------------------------------------------- */

struct gso_pair {
    weir_stack *a, *b;
    weir_us now;
    unsigned supers, segments;
    bool whole; /* what is not cut goes to the other one as it is */
};

static enum weir_verdict gso_put(weir_stack *s, const uint8_t *packet, size_t len, const weir_offload *offload, weir_us now)
{
    enum weir_verdict verdict = weir_stack_input_offload(s, guard_put(packet, len), len, offload, now);
    guard_rooms()->count--;
    WORLD_CHECK(s);
    return verdict;
}

static unsigned gso_carry(struct gso_pair *w, weir_stack *from, weir_stack *to)
{
    static uint8_t packet[70000];
    weir_out out;
    unsigned count = 0;
    for (; weir_stack_poll(from, &out, w->now) > 0; count++) {
        weir_offload offload = {out.partial, out.gso_size};
        const weir_offload none = {false, 0};
        size_t len;
        w->supers += out.gso_size > 0;
        if (w->whole) {
            len = weir_out_copy(&out, packet, sizeof packet);
            assert_int_equal(gso_put(to, packet, len, &none, w->now), out.partial ? WEIR_TCP_CHECKSUM : WEIR_OK);
            assert_int_equal(out.partial ? gso_put(to, packet, len, &offload, w->now) : WEIR_OK, WEIR_OK);
        } else {
            for (uint32_t i = 0; (len = weir_out_cut(&out, i, packet, sizeof packet)) > 0; i++) {
                assert_true(len <= 1500);
                assert_int_equal(gso_put(to, packet, len, &none, w->now), WEIR_OK);
                w->segments++;
            }
        }
    }
    return count;
}

static void gso_transfer(struct gso_pair *w, bool v6, uint32_t total)
{
    static uint8_t text[4096];
    struct world open;
    weir_addr to = world_host(v6, 2);
    open.a = w->a;
    open.b = w->b;
    open.now = w->now;
    uint32_t sent = 0, got = 0;
    weir_handle mine = world_connect(&open, &to, 7), theirs = 0;
    for (unsigned turn = 0; got < total && turn < 1000; turn++) {
        while (gso_carry(w, w->a, w->b) + gso_carry(w, w->b, w->a) > 0) {
        }
        weir_conn *c = weir_stack_conn(w->a, mine), *d;
        for (size_t some = 1; sent < total && some > 0; sent += (uint32_t)some) {
            for (uint32_t i = 0; i < sizeof text; i++) {
                text[i] = conn_octet(sent + i);
            }
            weir_slice s = {text, total - sent < sizeof text ? total - sent : sizeof text};
            assert_int_equal(weir_send(c, s, 0, &some, w->now), WEIR_ERR_NONE);
        }
        theirs = theirs != 0 ? theirs : weir_stack_next(w->b, 0);
        d = weir_stack_conn(w->b, theirs);
        for (size_t some = 1; some > 0; got += (uint32_t)some) {
            assert_int_equal(weir_recv(d, text, sizeof text, &some, w->now), WEIR_ERR_NONE);
            for (uint32_t i = 0; i < some; i++) {
                assert_int_equal(text[i], conn_octet(got + i));
            }
        }
        w->now += 1000;
        weir_stack_expire(w->a, w->now);
        weir_stack_expire(w->b, w->now);
    }
    assert_int_equal(got, total);
}

static void test_stacks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct gso_pair w = {.now = CONN_SECOND, .whole = (i & 2) != 0};
        weir_stack_config a = world_config(1), b = world_config(2);
        a.rings.tx = b.rings.rx = 65536;
        a.tcp.gso_max = b.tcp.gso_max = (uint16_t)GSO_MOST;
        a.tcp.partial_checksum = (i & 4) != 0;
        w.a = world_stack(&a, w.now);
        w.b = world_stack(&b, w.now);
        (void)world_listen(w.b, 7);
        gso_transfer(&w, (i & 1) != 0, 600000);
        assert_true(w.supers >= 10); /* 600000 octets in packets of at most 65535, and slow start */
        assert_true(w.whole || w.segments >= 600000 / 1460);
        guard_free_all();
    }
}

/* poll_copy gives what any device takes. */
static void test_copies(void **state)
{
    struct world w = {.now = CONN_SECOND, .quick = true};
    weir_stack_config a = world_config(1), b = world_config(2);
    weir_addr to = world_host(false, 2);
    uint8_t packet[1500], text[4096];
    weir_slice s = {text, sizeof text};
    size_t len, sent;
    (void)state;
    a.tcp.gso_max = (uint16_t)GSO_MOST;
    a.tcp.partial_checksum = true;
    memset(text, 7, sizeof text);
    w.a = world_stack(&a, w.now);
    w.b = world_stack(&b, w.now);
    (void)world_listen(w.b, 7);
    weir_handle mine = world_connect(&w, &to, 7);
    world_run(&w);
    assert_int_equal(weir_send(weir_stack_conn(w.a, mine), s, 0, &sent, w.now), WEIR_ERR_NONE);
    assert_int_equal(sent, sizeof text);
    for (unsigned count = 0; (len = weir_stack_poll_copy(w.a, packet, sizeof packet, w.now)) > 0; count++) {
        assert_int_equal(weir_stack_input(w.b, packet, len, w.now), WEIR_OK);
        assert_true(count < 3);
    }
    guard_free_all();
}

/* ---- text that arrives joined --------------------------------------------------------------------------------------------- */

static void test_joined(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_info info;
    (void)state;
    f->cfg.quick_acks = f->c.quick_acks = 0;
    f->joined = 1000;
    conn_seg(f, WEIR_ACK, 0, 0, 900);
    conn_expect(f, "", WEIR_ESTABLISHED); /* less than a segment may wait */
    assert_int_equal(f->c.rcv_mss, 900);
    conn_seg(f, WEIR_ACK, 0, 0, 4500);
    conn_expect(f, "ACK +0 +4500", WEIR_ESTABLISHED); /* more than two may not (SHLD-19) */
    assert_int_equal(f->c.rcv_mss, 1000);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.data_segments_in, 6);
    f->joined = 0; /* who does not say: as much as fits */
    conn_seg(f, WEIR_ACK, 0, 0, 20000);
    conn_expect(f, "ACK +0 +20000", WEIR_ESTABLISHED);
    assert_int_equal(f->c.rcv_mss, 1460);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.data_segments_in, 7);
    assert_int_equal(info.octets_received, 25400);
}

/* Two segments joined, with options: the ACK is due though they are shorter than the MSS. */
static void test_joined_size(void **state)
{
    struct conn_fixture *f = gso_open();
    (void)state;
    f->cfg.quick_acks = f->c.quick_acks = 0;
    weir_fields g = conn_fields(f, WEIR_ACK, 0, 0);
    g.options = WEIR_OPT_TIMESTAMPS;
    conn_input(f, &g, 2 * 1448);
    conn_expect(f, "ACK +0 +2896", WEIR_ESTABLISHED);
    assert_int_equal(f->c.rcv_mss, 1448);
}

/* Text out of order, joined: one block; and a mark on it was on each. */
static void test_joined_out_of_order(void **state)
{
    struct conn_fixture *f = gso_open();
    weir_info info;
    (void)state;
    f->joined = 1460;
    conn_seg(f, WEIR_ACK, 1460, 0, 10 * 1460);
    conn_expect(f, "ACK +0 +0", WEIR_ESTABLISHED);
    assert_int_equal(f->c.span_count, 1);
    conn_seg(f, WEIR_ACK, 0, 0, 3 * 1460); /* a part of it twice */
    conn_expect(f, "ACK +0 +16060", WEIR_ESTABLISHED);
    f->c.ecn = WEIRI_ECN_ASKED | WEIRI_ECN_HEARD;
    f->mark = 3;
    conn_seg(f, WEIR_ACK, 0, 0, 5 * 1460);
    weir_info_get(&f->c, &info);
    assert_int_equal(info.received_ce, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),          cmocka_unit_test(test_form),
        cmocka_unit_test(test_single),         cmocka_unit_test(test_most),
        cmocka_unit_test(test_windows),        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_stacks),         cmocka_unit_test(test_copies),
        cmocka_unit_test(test_joined),         cmocka_unit_test(test_joined_size),
        cmocka_unit_test(test_joined_out_of_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
