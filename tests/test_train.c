/* test_train.c - a stream that comes to an end which only listens: what is taken as one does what its segments do one by one. Two stacks of
 * one configuration get the same packets, one each way, and must be the same in every field but their places in memory. Some packets are
 * out of order, damaged, longer than they say, of another connection, or have news besides their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack_world.h"

enum { COACHES = 40, SEEDS = 192, TURNS = 120 };

struct railway {
    weir_stack *s[2]; /* one by one, and in batches */
    weir_handle conn[2];
    uint64_t random;
    weir_us now;
    bool v6, stamped;
    struct world_segment like; /* what the next segment has, but for its number .. */
    uint16_t window;           /* .. and this */
    uint8_t packets[COACHES][2048];
    weir_slice slices[COACHES];
    unsigned smooth;  /* batches in which nothing was wrong */
    bool direct;      /* what comes together is told where it lies, as far as it may be */
    unsigned long told;
};

static uint32_t railway_draw(struct railway *r, uint32_t below)
{
    r->random ^= r->random >> 12;
    r->random ^= r->random << 25;
    r->random ^= r->random >> 27;
    return (uint32_t)(r->random * 2685821657736338717u >> 33) % below;
}

static const weir_conn *railway_conn(const struct railway *r, unsigned i)
{
    return weir_stack_peek(r->s[i], r->conn[i]);
}

static void railway_open(struct railway *r, unsigned seed, bool direct)
{
    static const uint32_t sizes[] = {4096, 16384, 65536};
    weir_stack_config cfg = world_config(1);
    struct world_seen seen;
    memset(r, 0, sizeof *r);
    r->random = 0x9e3779b97f4a7c15u + seed;
    r->stamped = seed & 1;
    r->v6 = seed % 16 == 2;
    cfg.rings.rx = sizes[seed % 3];
    cfg.tcp.rx_max = seed & 2 ? 1 << 18 : 0;
    cfg.ring_memory = seed & 2 ? 1 << 20 : 0;
    cfg.tcp.timestamps = r->stamped;
    cfg.tcp.keepalive_idle_us = seed & 4 ? 5000000 : 0;
    cfg.tcp.ack_every = (uint8_t)(1 + seed % 4);
    cfg.tcp.ecn = seed & 8 ? WEIR_ECN_OFFER : WEIR_ECN_OFF;
    cfg.checksum_trusted = seed % 8 == 7;
    r->like.tuple.local = world_host(r->v6, 1);
    r->like.tuple.remote = world_host(r->v6, 2);
    r->like.tuple.local_port = 80;
    r->like.tuple.remote_port = 4000;
    for (unsigned i = 0; i < 2; i++) {
        struct world_segment syn = r->like;
        weir_ready ready;
        r->s[i] = world_stack(&cfg, 0);
        (void)world_listen(r->s[i], 80);
        syn.flags = WEIR_SYN | (seed & 8 ? WEIR_ECE | WEIR_CWR : 0);
        syn.options = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK;
        syn.mss = 1460;
        syn.stamped = r->stamped;
        syn.seq = 0xfffff000u;
        assert_int_equal(world_inject(r->s[i], &syn, 0), WEIR_OK);
        assert_true(world_next(r->s[i], &seen, 0));
        r->like.ack = seen.view.seq.v + 1;
        r->like.ts_echo = seen.view.ts_value;
        r->like.flags = WEIR_ACK;
        r->like.stamped = r->stamped;
        r->like.seq = 0xfffff001u;
        assert_int_equal(world_inject(r->s[i], &r->like, 0), WEIR_OK);
        assert_true(weir_stack_ready(r->s[i], &ready));
        r->conn[i] = ready.conn;
        assert_int_equal(weir_stack_direct(r->s[i], r->conn[i], direct), WEIR_ERR_NONE);
    }
    r->direct = direct;
}

/* The headers are right again, as far as they can be. */
static void railway_mend(uint8_t *packet, size_t len)
{
    struct weiri_ip ip;
    if (packet[0] == 0x45) {
        memset(packet + 10, 0, 2);
        base_put16(packet + 10, weiri_sum_finish(wire_sum_header(packet, WEIRI_IP4_HEADER)));
    }
    if (weiri_ip_view(&ip, packet, len) == WEIR_OK && ip.payload_len >= 20) {
        weir_emit_checksum(packet + (ip.payload - packet), ip.payload_len, &ip.addrs);
    }
}

/* One more of the stream; where it goes on. */
static uint32_t railway_coach(struct railway *r, unsigned k, uint32_t seq, uint32_t text)
{
    struct world_segment seg = r->like;
    uint8_t *packet = r->packets[k];
    seg.seq = seq;
    seg.len = text;
    size_t len = world_packet(packet, &seg);
    for (uint32_t i = 0; i < text; i++) {
        packet[len - text + i] = (uint8_t)railway_draw(r, 256);
    }
    base_put16(packet + (r->v6 ? 54 : 34), r->window);
    packet[5] = (uint8_t)(r->v6 ? packet[5] : k); /* an Identification of its own */
    railway_mend(packet, len);
    r->slices[k].octets = packet;
    r->slices[k].len = len;
    return seq + text;
}

/* What is said besides changes: the window, time, PSH, what is acknowledged; FIN. */
static void railway_news(struct railway *r)
{
    uint32_t what = railway_draw(r, 40);
    r->window = (uint16_t)(what < 4 ? railway_draw(r, 65536) : r->window);
    r->like.flags = what == 0 ? WEIR_ACK | WEIR_FIN : what < 8 ? WEIR_ACK | WEIR_PSH : WEIR_ACK;
    r->like.ts_value += what > 30 ? railway_draw(r, 3) : 0;
    r->like.ts_echo += what == 30 ? 1 : 0;
    r->like.ack -= what == 29 ? 1 : 0;
}

/* Something befalls it on the way. */
static void railway_trouble(struct railway *r, unsigned k)
{
    uint8_t *packet = r->packets[k];
    uint32_t what = railway_draw(r, 8), len = (uint32_t)r->slices[k].len, at = railway_draw(r, railway_draw(r, 4) == 0 ? len : 60);
    bool mend = railway_draw(r, 4) > 0;
    if (what == 0) {
        r->slices[k].len = railway_draw(r, len + 1);
    } else if (what == 1) {
        r->slices[k].len = len + railway_draw(r, 40);
    } else if (what == 2 && packet[0] == 0x45) {
        packet[1] |= 3; /* CE */
    } else if (what == 3 && len >= 40) { /* of another connection, and the sums are the same */
        uint8_t *one = packet + (mend ? 15 : 21), *other = packet + (mend ? 19 : 23);
        *one = (uint8_t)(*one + 1);
        *other = (uint8_t)(*other - 1);
    } else {
        packet[at] ^= (uint8_t)(1u << railway_draw(r, 8));
        mend = mend && at < len;
    }
    if (mend) {
        railway_mend(packet, r->slices[k].len);
    }
}

/* A batch of segments that follow one another, or do not. */
static size_t railway_fill(struct railway *r)
{
    static const uint32_t lens[] = {1, 7, 100, 536, 1000, 1448};
    uint32_t count = railway_draw(r, COACHES + 1), len = lens[railway_draw(r, 6)], seq = railway_conn(r, 0)->rcv.nxt.v;
    bool smooth = railway_draw(r, 2) == 0;
    for (unsigned k = 0; k < count; k++) {
        uint32_t gap = smooth || railway_draw(r, 20) > 0 ? 0 : railway_draw(r, 3000) - 1500;
        uint32_t text = smooth && k + 1 < count ? len : railway_draw(r, 8) > 0 ? len : railway_draw(r, 1448);
        uint32_t left = conn_rcv_wnd(railway_conn(r, 0)) - (seq - railway_conn(r, 0)->rcv.nxt.v);
        uint32_t size = railway_conn(r, 0)->rx_size, beyond = size > 0 ? size - ((seq - 0xfffff001u) & (size - 1)) + 1 : 1448;
        text = left < 1448 && railway_draw(r, 4) > 0 ? left : text;        /* to the last octet of the window */
        text = beyond < 1448 && railway_draw(r, 4) == 0 ? beyond : text;   /* an octet too long for one piece of the ring */
        if (k == 0 || (!smooth && railway_draw(r, 8) == 0)) {
            railway_news(r);
        }
        seq = railway_coach(r, k, seq + gap, text);
        if (!smooth && railway_draw(r, 10) == 0) {
            railway_trouble(r, k);
        }
    }
    r->smooth += smooth && count > 4;
    return count;
}

/* The user of the first stack reads what the other's was told; it must be the same. */
static void railway_read_told(struct railway *r, const weir_text *texts, size_t told)
{
    static uint8_t octets[COACHES * 2048];
    size_t sum = 0, first;
    for (size_t k = 0; k < told; k++) {
        assert_true(texts[k].conn == r->conn[1] && texts[k].len > 0);
        memcpy(octets + sum, texts[k].octets, texts[k].len);
        sum += texts[k].len;
    }
    if (sum > 0) {
        weir_conn *c = weir_stack_conn(r->s[0], r->conn[0]);
        assert_true(c != NULL && weiri_ring_readable(c) >= sum);
        const uint8_t *text = weir_rx_peek(c, &first);
        first = first < sum ? first : sum;
        assert_memory_equal(text, octets, first);
        assert_memory_equal(c->rx_ring, octets + first, sum - first);
        weiri_user_read(c, (uint32_t)sum, r->now);
    }
    r->told += told;
}

/* Packets that name the sockets of the first of them: what is told of these counts as read behind the last. */
static size_t railway_same(const struct railway *r, size_t from, size_t count)
{
    size_t k = from + 1;
    while (r->direct && k < count && r->slices[k].len >= 40 && r->slices[k - 1].len >= 40 && r->packets[k][0] == 0x45 &&
           r->packets[k - 1][0] == 0x45 && memcmp(r->packets[k] + 12, r->packets[k - 1] + 12, 12) == 0) {
        k++;
    }
    return r->direct ? k : count;
}

static void railway_give(struct railway *r, size_t count)
{
    enum weir_verdict verdicts[COACHES];
    weir_text texts[COACHES];
    const bool wanted = railway_draw(r, 4) > 0;
    size_t told = 0, read = 0;
    if (r->direct || railway_draw(r, 2) == 0) {
        told = weir_stack_input_texts(r->s[1], r->slices, count, wanted ? verdicts : NULL, texts, r->now);
        assert_true(r->direct || told == 0);
    } else {
        weir_stack_input_batch(r->s[1], r->slices, count, wanted ? verdicts : NULL, r->now);
    }
    WORLD_CHECK(r->s[1]);
    for (size_t k = 0, end = 0; k < count; k++) {
        end = k == end ? railway_same(r, k, count) : end;
        r->s[0]->train.on = false; /* each is read by itself */
        enum weir_verdict verdict = world_put(r->s[0], r->slices[k].octets, r->slices[k].len, r->now);
        assert_true(!wanted || verdict == verdicts[k]);
        if (k + 1 == end) {
            size_t from = read;
            while (read < told && texts[read].octets <= r->packets[k] + sizeof r->packets[k]) { /* the packets lie in order */
                read++;
            }
            railway_read_told(r, texts + from, read - from);
        }
    }
    assert_int_equal(read, told);
}

/* Both are the same, but for where they are. */
static void railway_compare(const struct railway *r)
{
    static weir_conn one, other;
    size_t len;
    assert_memory_equal(weir_stack_stats(r->s[0]), weir_stack_stats(r->s[1]), sizeof(weir_stats));
    assert_int_equal(weir_stack_last(r->s[0]), weir_stack_last(r->s[1]));
    if (railway_conn(r, 0) == NULL) {
        assert_null(railway_conn(r, 1));
        return;
    }
    one = *railway_conn(r, 0);
    other = *railway_conn(r, 1);
    const uint8_t *text = weir_rx_peek(&one, &len);
    assert_memory_equal(weir_rx_peek(&other, &len), text, len); /* what is rubbish to both may differ */
    assert_memory_equal(one.spans, other.spans, one.span_count * sizeof *one.spans);
    other.cfg = one.cfg;
    other.rx_ring = one.rx_ring;
    other.tx_ring = one.tx_ring;
    other.spans = one.spans;
    other.board.sent = one.board.sent;
    assert_memory_equal(&one, &other, sizeof one);
}

/* What the users do, and what is said to the peer. */
static void railway_use(struct railway *r)
{
    static uint8_t octets[2][1 << 18];
    uint8_t packet[2][2048];
    size_t done[2] = {0, 0}, len;
    uint32_t read = railway_draw(r, 3) == 0 ? 0 : railway_draw(r, 8000), how = railway_draw(r, 30);
    if (r->direct && railway_draw(r, 4) > 0) {
        read = sizeof octets[0]; /* or nothing would be told */
    }
    for (unsigned i = 0; i < 2; i++) {
        weir_conn *c = weir_stack_conn(r->s[i], r->conn[i]);
        if (c != NULL) {
            (void)weir_recv(c, octets[i], read, &done[i], r->now);
        }
        if (c != NULL && how == 0) {
            weir_slice s = {(const uint8_t *)"abc", 3};
            size_t sent;
            (void)weir_send(c, s, 0, &sent, r->now);
        }
    }
    assert_int_equal(done[0], done[1]);
    assert_memory_equal(octets[0], octets[1], done[0]);
    do {
        len = how % 3 > 0 ? world_poll(r->s[0], packet[0], r->now) : 0;
        assert_int_equal(how % 3 > 0 ? world_poll(r->s[1], packet[1], r->now) : 0, len);
        assert_memory_equal(packet[0], packet[1], len);
        r->like.ack = railway_conn(r, 0) ? railway_conn(r, 0)->snd.nxt.v : 0;
    } while (len > 0);
}

static void railway_run(bool direct)
{
    static struct railway r;
    unsigned smooth = 0, turns = 0;
    unsigned long told = 0;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        railway_open(&r, seed, direct);
        for (unsigned turn = 0; turn < TURNS && railway_conn(&r, 0) != NULL && railway_conn(&r, 0)->state == WEIR_ESTABLISHED; turn++) {
            size_t count = railway_fill(&r);
            r.now += railway_draw(&r, 30) == 0 ? 2000000 : railway_draw(&r, 3000);
            railway_give(&r, count);
            railway_compare(&r);
            railway_use(&r);
            weir_stack_expire(r.s[0], r.now);
            weir_stack_expire(r.s[1], r.now);
            railway_compare(&r);
            turns++;
        }
        smooth += r.smooth;
        told += r.told;
        guard_free_all();
    }
    assert_true(smooth > 2000 && turns > 6000 && (told > 10000) == direct);
}

static void what_comes_together_is_taken_one_by_one(void **state)
{
    (void)state;
    railway_run(false);
}

/* What is told in place of being copied is what would have been read, and nothing else is different. */
static void what_is_told_is_what_would_be_read(void **state)
{
    (void)state;
    railway_run(true);
}

/* The connection ends, or is replaced by another, in the batch whose text was told; what was told is told, and read. */
static void what_ends_with_its_text_told(void **state)
{
    static struct railway r;
    (void)state;
    for (unsigned seed = 0; seed < 16; seed++) {
        static const uint16_t last[] = {WEIR_RST, WEIR_ACK | WEIR_FIN, WEIR_ACK | WEIR_URG, WEIR_SYN};
        uint32_t seq;
        railway_open(&r, seed, true);
        r.v6 = false;
        seq = r.like.seq;
        for (unsigned k = 0; k < 4; k++) {
            seq = railway_coach(&r, k, seq, 100);
        }
        r.like.flags = last[seed / 4];
        (void)railway_coach(&r, 4, seq, r.like.flags == WEIR_RST ? 0 : 50);
        r.packets[4][38 + 1] = 10; /* an urgent pointer, where there is the bit */
        railway_mend(r.packets[4], r.slices[4].len);
        railway_give(&r, 5);
        if (seed != 2) { /* IPv6 there */
            assert_int_equal(r.told, r.like.flags & WEIR_FIN ? 5 : 4);
        }
        railway_compare(&r);
        guard_free_all();
    }
}

/* A packet is told for itself: not for the one before it, whose text waits in the ring, and which may be nowhere any more. */
static void what_lay_elsewhere_is_not_told(void **state)
{
    static struct railway r;
    weir_text text[1];
    (void)state;
    railway_open(&r, 0, true);
    (void)railway_coach(&r, 0, r.like.seq, 100);
    assert_int_equal(world_put(r.s[1], r.packets[0], r.slices[0].len, 0), WEIR_OK);
    (void)railway_coach(&r, 1, r.like.seq + 100, 100);
    r.packets[1][9] = 17;
    railway_mend(r.packets[1], r.slices[1].len);
    assert_int_equal(weir_stack_input_texts(r.s[1], &r.slices[1], 1, NULL, text, 0), 0);
    assert_int_equal(weiri_ring_readable(railway_conn(&r, 1)), 100);
    guard_free_all();
}

/* Behind a FIN there is no text, whatever stands in the ring where the FIN is. */
static void what_comes_behind_a_fin_is_not_told(void **state)
{
    static struct railway r;
    weir_text text[1];
    (void)state;
    railway_open(&r, 0, true);
    r.like.flags = WEIR_ACK | WEIR_FIN;
    (void)railway_coach(&r, 0, r.like.seq, 1);
    assert_int_equal(world_put(r.s[1], r.packets[0], r.slices[0].len, 0), WEIR_OK);
    assert_int_equal(weiri_ring_readable(railway_conn(&r, 1)), 1);
    (void)railway_coach(&r, 1, r.like.seq + 1, 1);
    railway_conn(&r, 1)->rx_ring[1] = r.packets[1][r.slices[1].len - 1];
    assert_int_equal(weir_stack_input_texts(r.s[1], &r.slices[1], 1, NULL, text, 0), 0);
    guard_free_all();
}

/* No more than was promised, no more than there is a place for, and not so much that the round-trip time would be measured. */
static void no_more_than_goes_in(void **state)
{
    static weir_conn c;
    (void)state;
    memset(&c, 0, sizeof c);
    c.rcv.nxt = c.rcv.usr = seq_of(1000);
    c.rcv.adv = seq_of(6000);
    c.tune.edge = seq_of(9000);
    c.rx_size = 8192;
    assert_int_equal(weiri_predict_more(&c), 0);
    conn_set(&c, WEIRI_ACK_NOW, true);
    assert_int_equal(weiri_predict_more(&c), 5000);
    c.rx_size = 4096;
    assert_int_equal(weiri_predict_more(&c), 4096);
    c.tune.edge = seq_of(2000);
    assert_int_equal(weiri_predict_more(&c), 999);
    c.tune.edge = seq_of(1000);
    assert_int_equal(weiri_predict_more(&c), 0);
    conn_set(&c, WEIRI_TS_OK, true);
    assert_int_equal(weiri_predict_more(&c), 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_together_is_taken_one_by_one),
        cmocka_unit_test(what_is_told_is_what_would_be_read),
        cmocka_unit_test(what_ends_with_its_text_told),
        cmocka_unit_test(what_lay_elsewhere_is_not_told),
        cmocka_unit_test(what_comes_behind_a_fin_is_not_told),
        cmocka_unit_test(no_more_than_goes_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
