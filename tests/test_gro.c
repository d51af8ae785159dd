/* test_gro.c - segments joined by the adapter: taken apart again they are what came; what must stay apart does; and the header in front of
 * packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/virtio_net.h>

#include "tun/room.h"

enum { GRO_TEXT = 1000 };

/* A segment by hand. */
struct made {
    bool v6;
    uint16_t port, flags, window;
    uint32_t seq, ack, stamp, len;
    uint8_t tos, ttl;
    bool stamped, bad_sum, bad_ip, fragment;
};

static struct weiri_gro gro;

static struct made made_plain(uint32_t seq, uint32_t len)
{
    struct made m = {.port = 5000, .flags = WEIR_ACK, .window = 500, .seq = seq, .ack = 77, .stamp = 9, .len = len, .ttl = 64, .stamped = true};
    return m;
}

static uint8_t made_octet(uint32_t n)
{
    return (uint8_t)(n * 7 + (n >> 8));
}

static uint16_t made_sum(const uint8_t *octets)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)octets[i] << 8 | octets[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

static uint32_t made_ip(uint8_t *ip, const struct made *m, uint32_t len, weir_pseudo *pseudo)
{
    pseudo->source = weir_addr_v4(10, 0, 0, 1);
    pseudo->destination = weir_addr_v4(10, 0, 0, 2);
    if (m->v6) {
        memset(ip, 0, 40);
        ip[0] = 0x60;
        ip[4] = (uint8_t)(len >> 8);
        ip[5] = (uint8_t)len;
        ip[6] = 6;
        ip[7] = m->ttl;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 1;
        ip[39] = 2;
        memcpy(pseudo->source.octets, ip + 8, 16);
        memcpy(pseudo->destination.octets, ip + 24, 16);
        return 40;
    }
    uint8_t head[20] = {0x45, m->tos, (uint8_t)((len + 20) >> 8), (uint8_t)(len + 20), 0, (uint8_t)m->seq, m->fragment ? 0x20 : 0x40, 0,
                        m->ttl, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    uint16_t sum = (uint16_t)(made_sum(head) ^ (m->bad_ip ? 1 : 0));
    head[10] = (uint8_t)(sum >> 8);
    head[11] = (uint8_t)sum;
    memcpy(ip, head, 20);
    return 20;
}

static size_t made_write(uint8_t *to, const struct made *m)
{
    uint8_t tcp[WEIR_TCP_HEADER_MAX + 4000];
    weir_fields f;
    weir_pseudo pseudo;
    memset(&f, 0, sizeof f);
    f.seq.v = m->seq;
    f.ack.v = m->ack;
    f.source_port = m->port;
    f.destination_port = 80;
    f.flags = m->flags;
    f.window = m->window;
    f.options = m->stamped ? (uint16_t)WEIR_OPT_TIMESTAMPS : 0;
    f.ts_value = m->stamp;
    uint32_t header = (uint32_t)weir_emit_header(tcp, &f);
    for (uint32_t i = 0; i < m->len; i++)
        tcp[header + i] = made_octet(m->seq + i);
    uint32_t ip = made_ip(to, m, header + m->len, &pseudo);
    weir_emit_checksum(tcp, header + m->len, &pseudo);
    tcp[17] ^= m->bad_sum ? 1 : 0;
    memcpy(to + ip, tcp, header + m->len);
    return ip + header + m->len;
}

static enum weiri_gro_fate put(const struct made *m)
{
    const weir_offload none = {false, 0};
    return weiri_gro_add(&gro, made_write(weiri_gro_room(&gro), m), &none);
}

/* ---- what may be joined, and what not ------------------------------------------------------------------------------ */

static void test_joined(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        weir_offload offload;
        weir_view v;
        struct made m = made_plain(UINT32_MAX - 1500, GRO_TEXT); /* over the end of the numbers */
        m.v6 = v6 == 1;
        for (unsigned i = 0; i < 5; i++, m.seq += GRO_TEXT)
            assert_int_equal(put(&m), WEIRI_GRO_TAKEN);
        m.len = 10;
        m.flags |= WEIR_PSH;
        assert_int_equal(put(&m), WEIRI_GRO_TAKEN);
        m.seq += 10;
        assert_int_equal(put(&m), WEIRI_GRO_NEXT); /* less than the others: nothing follows it */
        uint32_t ip = v6 == 1 ? 40 : 20;
        size_t len = weiri_gro_take(&gro, &offload);
        assert_int_equal(len, ip + 32 + 5 * GRO_TEXT + 10);
        assert_true(offload.checked);
        assert_int_equal(offload.gso_size, GRO_TEXT);
        assert_int_equal((gro.octets[v6 == 1 ? 4 : 2] << 8 | gro.octets[v6 == 1 ? 5 : 3]), len - (v6 == 1 ? 40 : 0));
        assert_int_equal(v6 == 1 ? 0 : made_sum(gro.octets), 0);
        assert_int_equal(weir_view_segment(&v, gro.octets + ip, len - ip, NULL), WEIR_OK);
        assert_int_equal(v.seq.v, UINT32_MAX - 1500);
        assert_int_equal(v.flags, WEIR_ACK | WEIR_PSH);
        for (uint32_t i = 0; i < v.payload_len; i++)
            assert_int_equal(v.payload[i], made_octet(v.seq.v + i));
        assert_int_equal(weiri_gro_take(&gro, &offload), 0);
    }
}

static void test_apart(void **state)
{
    static const struct {
        const char *what;
        struct made change; /* what is not 0 differs */
        enum weiri_gro_fate fate;
    } cases[] = {
        {"a gap", {.seq = 1}, WEIRI_GRO_NEXT},
        {"another port", {.port = 1}, WEIRI_GRO_NEXT},
        {"another acknowledgment", {.ack = 1}, WEIRI_GRO_NEXT},
        {"another window", {.window = 1}, WEIRI_GRO_NEXT},
        {"another timestamp", {.stamp = 1}, WEIRI_GRO_NEXT},
        {"more text", {.len = 1}, WEIRI_GRO_NEXT},
        {"a mark", {.tos = 3}, WEIRI_GRO_NEXT},
        {"another way", {.ttl = 1}, WEIRI_GRO_NEXT},
        {"another family", {.v6 = true}, WEIRI_GRO_NEXT},
        {"FIN", {.flags = WEIR_FIN}, WEIRI_GRO_APART},
        {"URG", {.flags = WEIR_URG}, WEIRI_GRO_APART},
        {"CWR", {.flags = WEIR_CWR}, WEIRI_GRO_APART},
        {"RST", {.flags = WEIR_RST}, WEIRI_GRO_APART},
        {"a wrong checksum", {.bad_sum = true}, WEIRI_GRO_APART},
        {"a wrong IP checksum", {.bad_ip = true}, WEIRI_GRO_APART},
        {"a fragment", {.fragment = true}, WEIRI_GRO_APART},
    };
    weir_offload offload;
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct made *d = &cases[i].change;
        struct made m = made_plain(1, GRO_TEXT);
        assert_int_equal(put(&m), WEIRI_GRO_TAKEN);
        m.seq += GRO_TEXT + d->seq;
        m.port = (uint16_t)(m.port + d->port);
        m.ack += d->ack;
        m.window = (uint16_t)(m.window + d->window);
        m.stamp += d->stamp;
        m.len += d->len;
        m.tos = d->tos;
        m.ttl = (uint8_t)(m.ttl - d->ttl);
        m.v6 = d->v6;
        m.flags |= d->flags;
        m.bad_sum = d->bad_sum;
        m.bad_ip = d->bad_ip;
        m.fragment = d->fragment;
        if (put(&m) != cases[i].fate)
            fail_msg("%s", cases[i].what);
        assert_int_equal(weiri_gro_take(&gro, &offload), 20 + 32 + GRO_TEXT);
        assert_int_equal(offload.gso_size, 0);
    }
}

/* No text: an acknowledgment is not held back; what the device joined already goes as it is; nor is anything that is no packet. */
static void test_never_held(void **state)
{
    struct made m = made_plain(1, 0);
    const weir_offload super = {true, 500};
    const weir_offload none = {false, 0};
    (void)state;
    assert_int_equal(put(&m), WEIRI_GRO_APART);
    m.len = GRO_TEXT;
    assert_int_equal(weiri_gro_add(&gro, made_write(weiri_gro_room(&gro), &m), &super), WEIRI_GRO_APART);
    size_t len = made_write(weiri_gro_room(&gro), &m);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(weiri_gro_add(&gro, cut, &none), WEIRI_GRO_APART);
    memset(gro.octets, 0, 100);
    assert_int_equal(weiri_gro_add(&gro, 100, &none), WEIRI_GRO_APART);
}

/* Never more than an IP packet can be. */
static void test_most(void **state)
{
    struct made m = made_plain(1, 1448);
    weir_offload offload;
    unsigned count = 0;
    (void)state;
    for (; put(&m) == WEIRI_GRO_TAKEN; m.seq += 1448)
        count++;
    assert_int_equal(count, (65535 - 52) / 1448);
    assert_int_equal(weiri_gro_take(&gro, &offload), 52 + count * 1448);
}

/* ---- a stream of anything, taken apart again ------------------------------------------------------------------------- */

static uint32_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % below;
}

enum { STREAM = 64 };

struct stream {
    struct made made[STREAM];
    unsigned made_count, seen, joined;
};

/* What came out, cut as was told, against what went in. */
static void stream_see(struct stream *s, const uint8_t *packet, size_t len, const weir_offload *offload)
{
    uint32_t ip = packet[0] >> 4 == 4 ? 20 : 40, at = 0;
    weir_view v;
    assert_int_equal(weir_view_segment(&v, packet + ip, len - ip, NULL), WEIR_OK);
    do {
        const struct made *m = &s->made[s->seen++];
        uint32_t size = offload->gso_size != 0 && v.payload_len - at > offload->gso_size ? offload->gso_size : v.payload_len - at;
        bool last = at + size == v.payload_len;
        assert_true(s->seen <= s->made_count);
        assert_int_equal(m->len, size);
        assert_int_equal(m->seq, v.seq.v + at);
        assert_int_equal(m->flags, last ? v.flags : v.flags & ~(unsigned)WEIR_PSH);
        assert_true(m->ack == v.ack.v && m->port == v.source_port && m->window == v.window && m->v6 == (ip == 40));
        assert_true(m->stamped == ((v.options & WEIR_OPT_TIMESTAMPS) != 0) && (!m->stamped || m->stamp == v.ts_value));
        assert_true(!m->bad_sum || (offload->gso_size == 0 && !offload->checked));
        for (uint32_t i = 0; i < size; i++)
            assert_int_equal(v.payload[at + i], made_octet(m->seq + i));
        at += size;
        s->joined += !last;
    } while (at < v.payload_len);
}

static void stream_flush(struct stream *s)
{
    weir_offload offload;
    size_t len = weiri_gro_take(&gro, &offload);
    if (len != 0)
        stream_see(s, gro.octets, len, &offload);
}

/* As loop.c does it. */
static void stream_put(struct stream *s, struct made *m)
{
    const weir_offload none = {false, 0};
    uint8_t *packet = weiri_gro_room(&gro);
    size_t len = made_write(packet, m);
    s->made[s->made_count++] = *m;
    enum weiri_gro_fate fate = weiri_gro_add(&gro, len, &none);
    if (fate == WEIRI_GRO_TAKEN)
        return;
    stream_flush(s);
    if (fate == WEIRI_GRO_NEXT) {
        memmove(gro.octets, packet, len);
        assert_int_equal(weiri_gro_add(&gro, len, &none), WEIRI_GRO_TAKEN);
    } else {
        stream_see(s, packet, len, &none);
    }
}

static void test_streams(void **state)
{
    unsigned joined = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 3000; seed++) {
        struct stream s = {.made_count = 0};
        struct made flow[2] = {made_plain(seed * 977, 0), made_plain(seed, 0)};
        random_state = seed;
        flow[1].port = 6000;
        flow[1].v6 = random_below(2) == 0;
        for (unsigned i = 0; i < STREAM; i++) {
            struct made *m = &flow[random_below(8) == 0];
            m->flags = (uint16_t)(WEIR_ACK | (random_below(10) == 0 ? WEIR_PSH : 0) | (random_below(30) == 0 ? WEIR_ECE : 0));
            m->len = random_below(6) == 0 ? random_below(GRO_TEXT) : GRO_TEXT;
            m->ack += random_below(20) == 0;
            m->window = (uint16_t)(m->window + (random_below(20) == 0));
            m->stamp += random_below(20) == 0;
            m->stamped = random_below(40) != 0;
            m->bad_sum = random_below(30) == 0;
            stream_put(&s, m);
            m->seq += random_below(20) == 0 ? random_below(3000) : m->len;
        }
        stream_flush(&s);
        assert_int_equal(s.seen, STREAM);
        joined += s.joined;
    }
    assert_true(joined > 3000 * STREAM / 8);
}

/* ---- the header in front -------------------------------------------------------------------------------------------- */

static void test_header(void **state)
{
    struct virtio_net_hdr header;
    uint8_t octets[WEIRI_VNET_HEADER];
    weir_offload offload;
    (void)state;
    memset(&header, 0, sizeof header);
    memcpy(octets, &header, sizeof octets);
    offload = weiri_offload_read(octets);
    assert_true(!offload.checked && offload.gso_size == 0);
    header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header.gso_type = VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN;
    header.gso_size = 1448;
    memcpy(octets, &header, sizeof octets);
    offload = weiri_offload_read(octets);
    assert_true(offload.checked && offload.gso_size == 1448);
    header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    header.gso_type = VIRTIO_NET_HDR_GSO_UDP;
    memcpy(octets, &header, sizeof octets);
    offload = weiri_offload_read(octets);
    assert_true(offload.checked && offload.gso_size == 0);
}

/* A partial checksum, completed, is the one that a plain segment has; of any length. */
static void test_complete(void **state)
{
    (void)state;
    for (uint32_t len = 0; len < 300; len++) {
        struct made m = made_plain(len, len);
        uint8_t whole[2000], partial[2000];
        size_t all = made_write(whole, &m);
        uint32_t sum = 10 * 256 + 0 + 1 + 10 * 256 + 2 + 6 + (uint32_t)(all - 20); /* of the pseudo-header */
        struct virtio_net_hdr header;
        uint8_t octets[WEIRI_VNET_HEADER];
        memset(&header, 0, sizeof header);
        memcpy(partial, whole, all);
        partial[36] = (uint8_t)(sum >> 8);
        partial[37] = (uint8_t)sum;
        memcpy(octets, &header, sizeof octets);
        weiri_offload_complete_read(octets, partial, all);
        assert_int_equal(partial[37], (uint8_t)sum); /* nobody asked for it */
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.csum_start = 20;
        header.csum_offset = 16;
        memcpy(octets, &header, sizeof octets);
        weiri_offload_complete_read(octets, partial, all);
        assert_memory_equal(partial, whole, all);
        weiri_offload_complete(partial, 37, 20, 16); /* where there is no field nothing is written */
        assert_memory_equal(partial, whole, all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joined),  cmocka_unit_test(test_apart),   cmocka_unit_test(test_never_held), cmocka_unit_test(test_most),
        cmocka_unit_test(test_streams), cmocka_unit_test(test_header), cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
