/* test_ip.c - IPv4, IPv6, ICMP and addresses: tables of packets, each against a guard page, and sweeps of every length,
 * option and type against rules written out a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/wire.h"

#include "guard.h"
#include "naive.h"

enum { PACKET_MAX = 512 };

struct packet {
    uint8_t octets[PACKET_MAX];
    size_t len;
};

static uint8_t *edge; /* the guard page that every packet ends at */

static int make_edge(void **state)
{
    (void)state;
    edge = guard_room(PACKET_MAX) + PACKET_MAX;
    return 0;
}

static int drop_edge(void **state)
{
    (void)state;
    guard_free_all();
    return 0;
}

static uint8_t *at_edge(const void *octets, size_t len)
{
    if (len > 0)
        memcpy(edge - len, octets, len);
    return edge - len;
}

static void number16(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static const uint8_t us4[4] = {192, 0, 2, 1}, them4[4] = {198, 51, 100, 7};
static const uint8_t us6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t them6[16] = {0x20, 1, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};

static void put(struct packet *p, const void *octets, size_t len)
{
    assert_true(p->len + len <= PACKET_MAX);
    if (len > 0)
        memcpy(p->octets + p->len, octets, len);
    p->len += len;
}

static void fix_header_sum(struct packet *p)
{
    size_t header_len = (size_t)(p->octets[0] & 15) * 4;
    number16(p->octets + 10, 0);
    number16(p->octets + 10, 0xffff - naive_sum(0, p->octets, header_len < p->len ? header_len : p->len));
}

/* An IPv4 packet from them to us: options (a multiple of 4), payload; all fields right. */
static struct packet packet_v4(uint8_t protocol, const void *options, size_t options_len, const void *payload, size_t len)
{
    uint8_t header[20] = {0x45, 0x28, 0, 0, 0x12, 0x34, 0x40, 0, 63, 0, 0, 0};
    struct packet p;

    memset(&p, 0, sizeof p);
    header[0] = (uint8_t)(0x45 + options_len / 4);
    number16(header + 2, (uint32_t)(20 + options_len + len));
    header[9] = protocol;
    memcpy(header + 12, them4, 4);
    memcpy(header + 16, us4, 4);
    put(&p, header, 20);
    put(&p, options, options_len);
    put(&p, payload, len);
    fix_header_sum(&p);
    return p;
}

/* The same over IPv6: `next` names the first of `payload`. */
static struct packet packet_v6(uint8_t next, const void *payload, size_t len)
{
    uint8_t header[40] = {0x6a, 0xb0, 0x12, 0x34, 0, 0, 0, 62};
    struct packet p;

    memset(&p, 0, sizeof p);
    number16(header + 4, (uint32_t)len);
    header[6] = next;
    memcpy(header + 8, them6, 16);
    memcpy(header + 24, us6, 16);
    put(&p, header, 40);
    put(&p, payload, len);
    return p;
}

static struct weiri_ip ip_untouched(void)
{
    struct weiri_ip ip;
    memset(&ip, 0xa5, sizeof ip);
    return ip;
}

/* Views the packet at a guard page; *offset and *len of the payload on success. A refusal must leave the output alone. */
static enum weir_verdict view_guarded(const struct packet *p, struct weiri_ip *ip, size_t *offset)
{
    const uint8_t *octets = at_edge(p->octets, p->len);
    struct weiri_ip same = ip_untouched();
    enum weir_verdict verdict;

    *ip = same;
    verdict = weiri_ip_view(ip, octets, p->len);
    *offset = verdict == WEIR_OK ? (size_t)(ip->payload - octets) : 0;
    if (verdict != WEIR_OK)
        assert_memory_equal(ip, &same, sizeof same);
    return verdict;
}

static enum weir_verdict verdict_of(const struct packet *p)
{
    struct weiri_ip ip;
    size_t offset;
    return view_guarded(p, &ip, &offset);
}

/* ---- IPv4 ---- */

static void ipv4_fields(void **state)
{
    struct packet p = packet_v4(6, "\1\1\1\0", 4, "payload", 7);
    weir_addr them = weir_addr_v4(198, 51, 100, 7), us = weir_addr_v4(192, 0, 2, 1);
    struct weiri_ip ip;
    size_t offset;

    (void)state;
    assert_int_equal(view_guarded(&p, &ip, &offset), WEIR_OK);
    assert_true(weir_addr_equal(&ip.addrs.source, &them) && weir_addr_equal(&ip.addrs.destination, &us));
    assert_int_equal(offset, 24);
    assert_int_equal(ip.payload_len, 7);
    assert_int_equal(ip.protocol, 6);
    assert_int_equal(ip.ttl, 63);
    assert_int_equal(ip.traffic_class, 0x28);
    assert_int_equal(ip.version, 4);
    put(&p, "link padding", 12); /* a short frame is filled up: not ours */
    assert_int_equal(view_guarded(&p, &ip, &offset), WEIR_OK);
    assert_int_equal(ip.payload_len, 7);
}

/* Every length of packet, header length and total length that can matter. */
static void ipv4_every_geometry(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 64; len++)
        for (uint32_t words = 0; words < 16; words++)
            for (uint32_t total = 0; total <= 70; total++) {
                struct packet p = packet_v4(6, NULL, 0, NULL, 0);
                struct weiri_ip ip;
                enum weir_verdict right = WEIR_OK, verdict;

                memset(p.octets + 20, 1, 44);
                p.octets[0] = (uint8_t)(0x40 | words);
                number16(p.octets + 2, total);
                p.len = len;
                if (len >= 20)
                    fix_header_sum(&p);
                if (len < 20)
                    right = WEIR_IP_TRUNCATED;
                else if (words < 5 || words * 4 > len)
                    right = WEIR_IP_HEADER_LENGTH;
                else if (total < words * 4)
                    right = WEIR_IP_TOTAL_LENGTH;
                else if (total > len)
                    right = WEIR_IP_TRUNCATED;
                verdict = weiri_ip_view(&ip, at_edge(p.octets, len), len);
                if (verdict != right || (verdict == WEIR_OK && ip.payload_len != total - words * 4))
                    fail_msg("length %zu, header %u words, total %u: %s", len, (unsigned)words, (unsigned)total,
                             weir_verdict_name(verdict));
            }
}

static void ipv4_every_bit_is_summed(void **state)
{
    struct packet right = packet_v4(6, "\1\1\1\0", 4, "x", 1);

    (void)state;
    for (size_t bit = 32; bit < 8 * 24; bit++) { /* the first word decides what the header is at all */
        struct packet p = right;
        p.octets[bit / 8] = (uint8_t)(p.octets[bit / 8] ^ 1u << bit % 8);
        assert_int_equal(verdict_of(&p), WEIR_IP_CHECKSUM);
    }
    right.octets[24] ^= 1; /* the payload is not */
    assert_int_equal(verdict_of(&right), WEIR_OK);
}

static void ipv4_every_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        struct packet p = packet_v4(6, NULL, 0, "abc", 3);
        p.octets[0] = (uint8_t)(version << 4 | 5);
        fix_header_sum(&p);
        if (version == 6) /* shorter than its header */
            assert_int_equal(verdict_of(&p), WEIR_IP_TRUNCATED);
        else
            assert_int_equal(verdict_of(&p), version == 4 ? WEIR_OK : WEIR_IP_VERSION);
    }
}

static void ipv4_every_fragment_word(void **state)
{
    struct packet p = packet_v4(6, NULL, 0, "abc", 3);

    (void)state;
    for (uint32_t word = 0; word < 65536; word++) {
        struct weiri_ip ip;
        number16(p.octets + 6, word);
        fix_header_sum(&p);
        /* the reserved bit and Don't Fragment are no reason */
        assert_int_equal(weiri_ip_view(&ip, p.octets, p.len), (word & 0x3fff) == 0 ? WEIR_OK : WEIR_IP_FRAGMENT);
    }
}

static void every_protocol(void **state)
{
    (void)state;
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        struct packet v4 = packet_v4((uint8_t)protocol, NULL, 0, "abcdefgh", 8), v6;
        assert_int_equal(verdict_of(&v4), protocol == 6 || protocol == 1 ? WEIR_OK : WEIR_IP_PROTOCOL);
        if (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60)
            continue; /* extension headers, below */
        v6 = packet_v6((uint8_t)protocol, "abcdefgh", 8);
        assert_int_equal(verdict_of(&v6), protocol == 6 || protocol == 58 ? WEIR_OK : WEIR_IP_PROTOCOL);
    }
}

/* Every kind with every length in every space. */
static void ipv4_every_option(void **state)
{
    (void)state;
    for (size_t space = 1; space <= 40; space += space < 5 ? 1 : 7)
        for (unsigned kind = 0; kind < 256; kind++)
            for (unsigned len = 0; len <= 64; len++) {
                size_t front = (4 - space % 4) % 4;
                bool single = kind <= 1, fits = space >= 2 && len >= 2 && len <= space;
                uint8_t options[44];
                struct packet p;
                enum weir_verdict right;

                memset(options, 1, sizeof options);
                options[front] = (uint8_t)kind;
                if (space > 1 && !single)
                    options[front + 1] = (uint8_t)len;
                right = single || (fits && kind != 131 && kind != 137) ? WEIR_OK : WEIR_IP_OPTION;
                p = packet_v4(6, options, front + space, NULL, 0);
                if (verdict_of(&p) != right)
                    fail_msg("kind %u, length %u, space %zu: %s", kind, len, space, weir_verdict_name(verdict_of(&p)));
            }
}

/* ---- IPv6 ---- */

struct chain_case {
    const char *name;
    uint8_t next;
    const char *octets; /* hexadecimal, the whole payload */
    enum weir_verdict verdict;
    uint8_t protocol;
    size_t offset; /* of the payload found, from the end of the fixed header */
};

#define TCP4 "03e80050" /* the first octets of a segment */
static const struct chain_case chain_cases[] = {
    {"nothing between", 6, TCP4, WEIR_OK, 6, 0},
    {"ICMPv6", 58, "80000000", WEIR_OK, 58, 0},
    {"ICMP of the other family", 1, "08000000", WEIR_IP_PROTOCOL, 0, 0},
    {"hop-by-hop options, padding", 0, "06000104000000000" "3e80050", WEIR_OK, 6, 8},
    {"hop-by-hop, Router Alert", 0, "0600050200000100" TCP4, WEIR_OK, 6, 8},
    {"hop-by-hop, unknown, to be skipped", 0, "06003e0400000000" TCP4, WEIR_OK, 6, 8},
    {"hop-by-hop, unknown, to be dropped", 0, "06007e0400000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop, jumbo payload", 0, "0600c20400010000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop, option past its header", 0, "0600010500000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop, option without a length", 0, "0600010300000001" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop, Pad1 six times", 0, "0600000000000000" TCP4, WEIR_OK, 6, 8},
    {"Pad1 is one octet, and what follows it counts", 0, "0600007e03000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"second option past its header", 60, "060001001e040000" TCP4 TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"option without a length, and the packet ends", 60, "060001030000003e", WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop of 16 octets", 0, "060101040000000001060000000000" "00" TCP4, WEIR_OK, 6, 16},
    {"hop-by-hop not in the first place", 60, "00000104000000000600010400000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"hop-by-hop twice", 0, "00000104000000000600010400000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"destination options twice", 60, "3c000104000000000600010400000000" TCP4, WEIR_OK, 6, 16},
    {"destination option unknown, to be answered", 60, "0600890400000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"home address option", 60, "0600c90400000000" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"routing, none left", 43, "0600000000000000" TCP4, WEIR_OK, 6, 8},
    {"routing of type 0, one left", 43, "0602000100000000000000000000000000000000000000" "00" TCP4, WEIR_IP_EXTENSION, 0, 0},
    {"routing of an unknown type, none left", 43, "0600fd0000000000" TCP4, WEIR_OK, 6, 8},
    {"atomic fragment", 44, "0600000000001234" TCP4, WEIR_OK, 6, 8},
    {"atomic fragment, reserved bits", 44, "06ff000600001234" TCP4, WEIR_OK, 6, 8},
    {"first fragment", 44, "0600000100001234" TCP4, WEIR_IP_FRAGMENT, 0, 0},
    {"last fragment", 44, "0600000800001234" TCP4, WEIR_IP_FRAGMENT, 0, 0},
    {"options, routing, fragment, options", 0,
     "2b000104000000002c000000000000003c000000000012340600010400000000" TCP4, WEIR_OK, 6, 32},
    {"authentication header", 51, "0604000000000000" TCP4, WEIR_IP_PROTOCOL, 0, 0},
    {"encapsulating security payload", 50, "0000000000000000" TCP4, WEIR_IP_PROTOCOL, 0, 0},
    {"no next header", 59, "", WEIR_IP_PROTOCOL, 0, 0},
    {"no next header behind options", 60, "3b00010400000000", WEIR_IP_PROTOCOL, 0, 0},
    {"extension that is not there", 60, "", WEIR_IP_EXTENSION, 0, 0},
    {"extension of seven octets", 60, "06000103000000", WEIR_IP_EXTENSION, 0, 0},
    {"extension longer than the packet", 60, "06010104000000000000000000" "0000", WEIR_IP_EXTENSION, 0, 0},
    {"extension with nothing behind it", 60, "0600010400000000", WEIR_OK, 6, 8},
};

static void ipv6_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chain_cases / sizeof chain_cases[0]; i++) {
        const struct chain_case *c = &chain_cases[i];
        uint8_t octets[128];
        size_t len = naive_octets(c->octets, octets, sizeof octets), offset;
        struct packet p = packet_v6(c->next, octets, len);
        struct weiri_ip ip;
        enum weir_verdict verdict = view_guarded(&p, &ip, &offset);

        if (verdict != c->verdict)
            fail_msg("%s: %s", c->name, weir_verdict_name(verdict));
        if (verdict == WEIR_OK &&
            (ip.protocol != c->protocol || offset != 40 + c->offset || ip.payload_len != len - c->offset))
            fail_msg("%s: protocol %u at %zu", c->name, ip.protocol, offset);
    }
}

static void ipv6_fields(void **state)
{
    struct packet p = packet_v6(6, "payload", 7);
    struct weiri_ip ip;
    size_t offset;

    (void)state;
    assert_int_equal(view_guarded(&p, &ip, &offset), WEIR_OK);
    assert_memory_equal(ip.addrs.source.octets, them6, 16);
    assert_memory_equal(ip.addrs.destination.octets, us6, 16);
    assert_int_equal(offset, 40);
    assert_int_equal(ip.payload_len, 7);
    assert_int_equal(ip.ttl, 62);
    assert_int_equal(ip.traffic_class, 0xab);
    assert_int_equal(ip.version, 6);
    put(&p, "link padding", 12);
    assert_int_equal(view_guarded(&p, &ip, &offset), WEIR_OK);
    assert_int_equal(ip.payload_len, 7);
}

/* A packet cut anywhere is refused, never read past its end; so is one that claims more than there is. */
static void ipv6_cut_anywhere(void **state)
{
    uint8_t octets[64];
    size_t len = naive_octets("2b000104000000002c000000000000003c000000000012340600010400000000" TCP4, octets, sizeof octets);

    (void)state;
    for (size_t cut = 0; cut < 40 + len; cut++) {
        struct packet p = packet_v6(0, octets, len);
        p.len = cut;
        assert_int_equal(verdict_of(&p), WEIR_IP_TRUNCATED);
    }
    for (size_t claim = 0; claim <= len; claim++) { /* the same with a payload length that agrees with the cut */
        struct packet p = packet_v6(0, octets, claim);
        assert_int_equal(verdict_of(&p), claim < 32 ? WEIR_IP_EXTENSION : WEIR_OK);
    }
}

static void ipv6_chain_is_bounded(void **state)
{
    (void)state;
    for (unsigned count = 0; count <= 20; count++) {
        uint8_t octets[200];
        struct packet p;

        for (unsigned i = 0; i < count; i++)
            memcpy(octets + 8 * i, i + 1 == count ? "\x06\0\1\4\0\0\0\0" : "\x3c\0\1\4\0\0\0\0", 8);
        memset(octets + 8 * count, 1, 20);
        p = packet_v6(count == 0 ? 6 : 60, octets, 8 * count + 20);
        assert_int_equal(verdict_of(&p), count <= 8 ? WEIR_OK : WEIR_IP_EXTENSION);
    }
}

/* Every option type with every length in headers of 8 to 32 octets. */
static void ipv6_every_option(void **state)
{
    (void)state;
    for (size_t size = 8; size <= 32; size += 8)
        for (unsigned type = 0; type < 256; type++)
            for (unsigned len = 0; len < 256; len += len < 40 ? 1 : 27) {
                uint8_t octets[64] = {6, (uint8_t)(size / 8 - 1)};
                struct packet p;
                enum weir_verdict right;

                octets[2] = (uint8_t)type;
                if (type != 0) /* Pad1 has no length */
                    octets[3] = (uint8_t)len;
                octets[size] = 1;
                right = type == 0 || (type < 64 && len + 4 <= size) ? WEIR_OK : WEIR_IP_EXTENSION;
                p = packet_v6(len % 2 != 0 ? 0 : 60, octets, size + 20);
                if (verdict_of(&p) != right)
                    fail_msg("type %u, length %u, header %zu", type, len, size);
            }
}

static void ipv6_every_fragment_word(void **state)
{
    uint8_t octets[28] = {6, 0};
    struct packet p = packet_v6(44, octets, sizeof octets);

    (void)state;
    for (uint32_t word = 0; word < 65536; word++) {
        struct weiri_ip ip;
        number16(p.octets + 42, word);
        assert_int_equal(weiri_ip_view(&ip, p.octets, p.len), (word & 0xfff9) == 0 ? WEIR_OK : WEIR_IP_FRAGMENT);
    }
}

/* On the wire a mapped address could pass for IPv4. */
static void ipv6_mapped_addresses(void **state)
{
    struct packet p = packet_v6(6, "abcd", 4);

    (void)state;
    memcpy(p.octets + 8, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x07", 16);
    assert_int_equal(verdict_of(&p), WEIR_IP_SOURCE);
    memcpy(p.octets + 8, them6, 16);
    memcpy(p.octets + 24, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
    assert_int_equal(verdict_of(&p), WEIR_IP_DESTINATION);
    p.octets[24 + 10] = 0xfe; /* nearly */
    assert_int_equal(verdict_of(&p), WEIR_OK);
}

/* ---- writing ---- */

static weir_addr addr_v6(const uint8_t *octets)
{
    weir_addr a;
    memcpy(a.octets, octets, 16);
    return a;
}

static void written_headers_are_read_again(void **state)
{
    static const uint32_t lens[] = {0, 1, 20, 1460, 2000};
    static uint8_t room[2100];

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        bool v6 = round % 2 != 0, dont_fragment = round % 4 < 2;
        struct weiri_ip_fields f;
        struct weiri_ip ip;
        size_t header_len, right_len = v6 ? 40 : 20;
        uint8_t *end = room + 60;

        memset(&f, 0xff, sizeof f);
        memset(room, 0x5c, sizeof room);
        f.addrs.source = v6 ? addr_v6(us6) : weir_addr_v4(192, 0, 2, 1);
        f.addrs.destination = v6 ? addr_v6(them6) : weir_addr_v4(198, 51, 100, 7);
        f.payload_len = lens[round % 5];
        f.protocol = v6 && round % 3 == 0 ? WEIRI_PROTO_ICMP6 : WEIRI_PROTO_TCP;
        f.ttl = (uint8_t)round;
        f.traffic_class = (uint8_t)(round * 5);
        f.dont_fragment = dont_fragment;
        f.identification = 0xbeef;
        header_len = weiri_ip_emit(end, &f);
        assert_int_equal(header_len, right_len);
        assert_int_equal(end[-(int)right_len - 1], 0x5c);
        assert_int_equal(*end, 0x5c);
        assert_int_equal(weiri_ip_view(&ip, end - header_len, header_len + f.payload_len), WEIR_OK);
        assert_true(weir_addr_equal(&ip.addrs.source, &f.addrs.source));
        assert_true(weir_addr_equal(&ip.addrs.destination, &f.addrs.destination));
        assert_true(ip.payload == end && ip.payload_len == f.payload_len && ip.protocol == f.protocol);
        assert_true(ip.ttl == f.ttl && ip.traffic_class == f.traffic_class);
        if (v6) /* no flow label is claimed */
            assert_int_equal(base_get32(end - 40) & 0xfffff, 0);
        else
            assert_int_equal(base_get32(end - 16), dont_fragment ? 0x00004000 : 0xbeef0000u);
    }
}

static void the_longest_ipv4_packet(void **state)
{
    static uint8_t room[65536];
    struct weiri_ip_fields f;
    struct weiri_ip ip;

    (void)state;
    memset(&f, 0, sizeof f);
    f.addrs.source = weir_addr_v4(192, 0, 2, 1);
    f.addrs.destination = weir_addr_v4(198, 51, 100, 7);
    f.payload_len = 65515;
    f.protocol = WEIRI_PROTO_TCP;
    assert_int_equal(weiri_ip_emit(room + 20, &f), 20);
    assert_int_equal(weiri_ip_view(&ip, room, 65535), WEIR_OK);
    assert_int_equal(ip.payload_len, 65515);
}

/* ---- addresses ---- */

static void classes_of_ipv4(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        weir_addr a = weir_addr_v4((uint8_t)first, 1, 2, 3);
        enum weiri_addr_class right = WEIRI_ADDR_UNICAST;

        if (first == 0 || first >= 240)
            right = WEIRI_ADDR_UNSPECIFIED;
        else if (first == 127)
            right = WEIRI_ADDR_LOOPBACK;
        else if (first >= 224)
            right = WEIRI_ADDR_MULTICAST;
        assert_int_equal(weiri_addr_classify(&a), right);
    }
}

static void classes_by_name(void **state)
{
    static const struct {
        const char *octets;
        enum weiri_addr_class right;
    } cases[] = {
        {"00000000000000000000ffffffffffff", WEIRI_ADDR_BROADCAST},
        {"00000000000000000000fffffffffffe", WEIRI_ADDR_UNSPECIFIED},
        {"00000000000000000000ffff00000000", WEIRI_ADDR_UNSPECIFIED},
        {"00000000000000000000ffff7f000001", WEIRI_ADDR_LOOPBACK},
        {"00000000000000000000ffffc0000201", WEIRI_ADDR_UNICAST},
        {"00000000000000000000000000000000", WEIRI_ADDR_UNSPECIFIED},
        {"00000000000000000000000000000001", WEIRI_ADDR_LOOPBACK},
        {"00000000000000000000000000000002", WEIRI_ADDR_UNICAST},
        {"10000000000000000000000000000001", WEIRI_ADDR_UNICAST},
        {"ff020000000000000000000000000001", WEIRI_ADDR_MULTICAST},
        {"ff000000000000000000000000000000", WEIRI_ADDR_MULTICAST},
        {"fe800000000000000000000000000001", WEIRI_ADDR_UNICAST},
        {"20010db8000000000000000000000001", WEIRI_ADDR_UNICAST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_addr a;
        assert_int_equal(naive_octets(cases[i].octets, a.octets, 16), 16);
        if (weiri_addr_classify(&a) != cases[i].right)
            fail_msg("%s is of class %d", cases[i].octets, (int)weiri_addr_classify(&a));
    }
}

static void addresses_in_mapped_form(void **state)
{
    static const uint8_t nothing[16] = {0};
    weir_addr a = weir_addr_v4(1, 2, 3, 4), zero = weir_addr_v4(0, 0, 0, 0), none = addr_v6(nothing);

    (void)state;
    assert_memory_equal(a.octets, "\0\0\0\0\0\0\0\0\0\0\xff\xff\1\2\3\4", 16);
    assert_true(weir_addr_is_v4(&a) && weir_addr_is_v4(&zero) && !weir_addr_is_v4(&none));
    assert_true(!weir_addr_is_unspecified(&a) && weir_addr_is_unspecified(&zero) && weir_addr_is_unspecified(&none));
    for (unsigned bit = 0; bit < 128; bit++) {
        weir_addr b = a, c = none, d = zero;
        b.octets[bit / 8] = (uint8_t)(b.octets[bit / 8] ^ 1u << bit % 8);
        c.octets[bit / 8] = (uint8_t)(c.octets[bit / 8] ^ 1u << bit % 8);
        d.octets[bit / 8] = (uint8_t)(d.octets[bit / 8] ^ 1u << bit % 8);
        assert_true(weir_addr_equal(&a, &a) && !weir_addr_equal(&a, &b));
        assert_int_equal(weir_addr_is_v4(&b), bit >= 96);
        assert_false(weir_addr_is_unspecified(&c) || weir_addr_is_unspecified(&d));
    }
}

/* ---- ICMP ---- */

/* Ports 1000 and 80, seq 0xcafef00d. */
static const uint8_t quoted_tcp[8] = {0x03, 0xe8, 0, 80, 0xca, 0xfe, 0xf0, 0x0d};

/* A packet of ours as a router would quote it: its first `len` octets. */
static size_t quotation(uint8_t *octets, bool v6, size_t len)
{
    struct packet p = v6 ? packet_v6(6, quoted_tcp, 8) : packet_v4(6, NULL, 0, quoted_tcp, 8);

    if (v6) {
        memcpy(p.octets + 8, us6, 16);
        memcpy(p.octets + 24, them6, 16);
        number16(p.octets + 4, 1480); /* it was longer than what came back */
    } else {
        memcpy(p.octets + 12, us4, 4);
        memcpy(p.octets + 16, them4, 4);
        number16(p.octets + 2, 1500);
    }
    memcpy(octets, p.octets, p.len < len ? p.len : len);
    return p.len < len ? p.len : len;
}

static struct weiri_ip icmp_ip(const uint8_t *message, size_t len, bool v6)
{
    struct weiri_ip ip;

    memset(&ip, 0, sizeof ip);
    ip.addrs.source = v6 ? addr_v6(them6) : weir_addr_v4(198, 51, 100, 7);
    ip.addrs.destination = v6 ? addr_v6(us6) : weir_addr_v4(192, 0, 2, 1);
    ip.payload = message;
    ip.payload_len = (uint32_t)len;
    ip.version = v6 ? 6 : 4;
    ip.protocol = v6 ? 58 : 1;
    return ip;
}

static void fix_icmp_sum(uint8_t *message, size_t len, bool v6)
{
    uint32_t sum = v6 ? naive_pseudo(them6, us6, 16, (uint32_t)len, 58) : 0;
    number16(message + 2, 0);
    number16(message + 2, 0xffff - naive_sum(sum, message, len));
}

/* Sums, guards and views; a refusal must leave the output alone. */
static enum weir_verdict icmp_view(struct weiri_icmp_view *view, uint8_t *message, size_t len, bool v6)
{
    struct weiri_icmp_view same;
    struct weiri_ip ip;
    enum weir_verdict verdict;

    memset(&same, 0xa5, sizeof same);
    *view = same;
    if (len >= 4)
        fix_icmp_sum(message, len, v6);
    ip = icmp_ip(at_edge(message, len), len, v6);
    verdict = weiri_icmp_view(view, &ip);
    if (verdict != WEIR_OK)
        assert_memory_equal(view, &same, sizeof same);
    return verdict;
}

/* The meaning of every type and code for TCP: RFC 9293 3.9.2.2, RFC 1191 4, RFC 4443 3.1, RFC 5461 2.1. */
static enum weir_verdict icmp_meaning(unsigned type, unsigned code, bool v6, enum weir_icmp_kind *kind)
{
    *kind = WEIR_ICMP_SOFT;
    if (v6 ? type < 1 || type > 4 : type != 3 && type != 11 && type != 12)
        return WEIR_ICMP_UNKNOWN;
    if (v6 ? type == 2 : type == 3 && code == 4)
        *kind = WEIR_ICMP_TOO_BIG;
    if (v6 ? type == 1 && (code == 1 || code == 4 || code == 5 || code == 6) : type == 3 && (code == 2 || code == 3))
        *kind = WEIR_ICMP_HARD;
    return WEIR_OK;
}

static void every_icmp_type_and_code(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (unsigned type = 0; type < 256; type++)
            for (unsigned code = 0; code < 256; code++) {
                uint8_t message[64] = {(uint8_t)type, (uint8_t)code, 0, 0, 0, 0, 0x05, 0x14};
                size_t len = 8 + quotation(message + 8, v6 != 0, 48);
                bool echo = type == (v6 ? 128 : 8) && code == 0;
                struct weiri_icmp_view view;
                enum weir_icmp_kind kind;
                enum weir_verdict right = icmp_meaning(type, code, v6 != 0, &kind);
                enum weir_verdict verdict = icmp_view(&view, message, len, v6 != 0);

                if (verdict != (echo ? WEIR_OK : right))
                    fail_msg("IPv%u type %u code %u: %s", v6 ? 6 : 4, type, code, weir_verdict_name(verdict));
                if (echo)
                    assert_true(view.type == WEIRI_ICMP_ECHO && view.error.mtu == 0 && view.quoted.local_port == 0);
                if (verdict != WEIR_OK || echo)
                    continue;
                assert_int_equal(view.type, WEIRI_ICMP_ERROR);
                assert_int_equal(view.error.kind, kind);
                assert_int_equal(view.error.mtu, kind == WEIR_ICMP_TOO_BIG ? 1300 : 0);
                assert_int_equal(view.error.seq.v, 0xcafef00du);
            }
}

static void what_is_quoted(void **state)
{
    weir_addr us = weir_addr_v4(192, 0, 2, 1), them = weir_addr_v4(198, 51, 100, 7);
    uint8_t message[64] = {3, 4};
    struct weiri_icmp_view view;

    (void)state;
    assert_int_equal(icmp_view(&view, message, 8 + quotation(message + 8, false, 48), false), WEIR_OK);
    assert_true(weir_addr_equal(&view.quoted.local, &us) && weir_addr_equal(&view.quoted.remote, &them));
    assert_true(view.quoted.local_port == 1000 && view.quoted.remote_port == 80);
    assert_int_equal(view.error.kind, WEIR_ICMP_TOO_BIG);
    assert_int_equal(view.error.mtu, 0); /* an old router does not say */
    memset(message, 0, 8);
    message[0] = 2;
    message[4] = 0x12; /* the MTU of ICMPv6 has 32 bits */
    assert_int_equal(icmp_view(&view, message, 8 + quotation(message + 8, true, 48), true), WEIR_OK);
    assert_memory_equal(view.quoted.local.octets, us6, 16);
    assert_memory_equal(view.quoted.remote.octets, them6, 16);
    assert_true(view.quoted.local_port == 1000 && view.quoted.remote_port == 80);
    assert_int_equal(view.error.mtu, 0x12000000);
}

/* Cut anywhere: what is needed is the IP header and eight octets of TCP. */
static void quotations_cut_anywhere(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (size_t cut = 0; cut <= 48; cut++) {
            uint8_t message[64] = {(uint8_t)(v6 ? 1 : 3), 0};
            size_t len = 8 + quotation(message + 8, v6 != 0, cut);
            struct weiri_icmp_view view;

            assert_int_equal(icmp_view(&view, message, len, v6 != 0), cut >= (v6 ? 48 : 28) ? WEIR_OK : WEIR_ICMP_TRUNCATED);
        }
    for (size_t len = 0; len < 8; len++) {
        uint8_t message[8] = {8, 0};
        struct weiri_icmp_view view;
        assert_int_equal(icmp_view(&view, message, len, false), WEIR_ICMP_TRUNCATED);
    }
}

struct quote_case {
    const char *name;
    size_t at; /* of the quotation */
    uint8_t octet;
    enum weir_verdict verdict;
};

static void quotations_of_something_else(void **state)
{
    static const struct quote_case v4[] = {
        {"UDP", 9, 17, WEIR_ICMP_UNMATCHED},      {"IPv6", 0, 0x65, WEIR_ICMP_UNMATCHED},
        {"header of 16", 0, 0x44, WEIR_ICMP_UNMATCHED}, {"header of 24 does not fit", 0, 0x46, WEIR_ICMP_TRUNCATED},
        {"later fragment", 7, 1, WEIR_ICMP_UNMATCHED},  {"first fragment", 6, 0x20, WEIR_OK},
        {"another TTL", 8, 1, WEIR_OK},           {"another checksum", 10, 0x77, WEIR_OK},
    };
    static const struct quote_case v6[] = {
        {"UDP", 6, 17, WEIR_ICMP_UNMATCHED},
        {"IPv4", 0, 0x45, WEIR_ICMP_UNMATCHED},
        {"options that are not", 6, 60, WEIR_ICMP_UNMATCHED},
        {"another hop limit", 7, 1, WEIR_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof v4 / sizeof v4[0] + sizeof v6 / sizeof v6[0]; i++) {
        bool six = i >= sizeof v4 / sizeof v4[0];
        const struct quote_case *c = six ? &v6[i - sizeof v4 / sizeof v4[0]] : &v4[i];
        uint8_t message[64] = {(uint8_t)(six ? 1 : 3), 0};
        size_t len = 8 + quotation(message + 8, six, 48);
        struct weiri_icmp_view view;
        enum weir_verdict verdict;

        message[8 + c->at] = c->octet;
        verdict = icmp_view(&view, message, len, six);
        if (verdict != c->verdict)
            fail_msg("%s in IPv%d: %s", c->name, six ? 6 : 4, weir_verdict_name(verdict));
    }
}

/* Options of IPv4 and extension headers of IPv6 in the quotation are passed over; mapped addresses are nobody's. */
static void quotations_with_more_in_front(void **state)
{
    uint8_t message[160] = {3, 0};
    struct packet p = packet_v4(6, "\1\1\1\1\1\1\1\1", 8, quoted_tcp, 8);
    struct weiri_icmp_view view;

    (void)state;
    memcpy(message + 8, p.octets, p.len);
    assert_int_equal(icmp_view(&view, message, 8 + p.len, false), WEIR_OK);
    assert_int_equal(view.error.seq.v, 0xcafef00du);

    p = packet_v6(60, "\x06\0\1\4\0\0\0\0", 8);
    put(&p, quoted_tcp, 8);
    message[0] = 1;
    memcpy(message + 8, p.octets, p.len);
    assert_int_equal(icmp_view(&view, message, 8 + p.len, true), WEIR_OK);
    assert_int_equal(view.error.seq.v, 0xcafef00du);
    assert_int_equal(icmp_view(&view, message, 8 + p.len - 1, true), WEIR_ICMP_TRUNCATED);

    memcpy(message + 16, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16);
    assert_int_equal(icmp_view(&view, message, 8 + p.len, true), WEIR_ICMP_UNMATCHED);
}

static void icmp_checksums(void **state)
{
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint8_t message[64] = {(uint8_t)(v6 ? 1 : 3), 0};
        size_t len = 8 + quotation(message + 8, v6 != 0, 48);
        struct weiri_icmp_view view;
        struct weiri_ip ip = icmp_ip(message, len, v6 != 0);

        fix_icmp_sum(message, len, v6 != 0);
        assert_int_equal(weiri_icmp_view(&view, &ip), WEIR_OK);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            message[bit / 8] = (uint8_t)(message[bit / 8] ^ 1u << bit % 8);
            assert_int_equal(weiri_icmp_view(&view, &ip), WEIR_ICMP_CHECKSUM);
            message[bit / 8] = (uint8_t)(message[bit / 8] ^ 1u << bit % 8);
        }
        ip.addrs.source.octets[15] ^= 1; /* only ICMPv6 has a pseudo-header */
        assert_int_equal(weiri_icmp_view(&view, &ip), v6 ? WEIR_ICMP_CHECKSUM : WEIR_OK);
    }
}

static void echo_is_answered(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (size_t len = 8; len <= 200; len++)
        for (unsigned v6 = 0; v6 < 2; v6++) {
            uint8_t message[200], before[200];
            struct weiri_icmp_view view;

            for (size_t i = 0; i < len; i++)
                message[i] = (uint8_t)naive_random(&seed);
            message[0] = v6 ? 128 : 8;
            message[1] = 0;
            assert_int_equal(icmp_view(&view, message, len, v6 != 0), WEIR_OK);
            assert_int_equal(view.type, WEIRI_ICMP_ECHO);
            memcpy(before, message, len);
            weiri_icmp_echo_reply(message, len);
            assert_int_equal(message[0], v6 ? 129 : 0);
            assert_memory_equal(message + 4, before + 4, len - 4);
            /* the reply goes the other way; the sum of both addresses stays */
            assert_int_equal(naive_sum(v6 ? naive_pseudo(us6, them6, 16, (uint32_t)len, 58) : 0, message, len), 0xffff);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_fields),
        cmocka_unit_test(ipv4_every_geometry),
        cmocka_unit_test(ipv4_every_bit_is_summed),
        cmocka_unit_test(ipv4_every_version),
        cmocka_unit_test(ipv4_every_fragment_word),
        cmocka_unit_test(every_protocol),
        cmocka_unit_test(ipv4_every_option),
        cmocka_unit_test(ipv6_chains),
        cmocka_unit_test(ipv6_fields),
        cmocka_unit_test(ipv6_cut_anywhere),
        cmocka_unit_test(ipv6_chain_is_bounded),
        cmocka_unit_test(ipv6_every_option),
        cmocka_unit_test(ipv6_every_fragment_word),
        cmocka_unit_test(ipv6_mapped_addresses),
        cmocka_unit_test(written_headers_are_read_again),
        cmocka_unit_test(the_longest_ipv4_packet),
        cmocka_unit_test(classes_of_ipv4),
        cmocka_unit_test(classes_by_name),
        cmocka_unit_test(addresses_in_mapped_form),
        cmocka_unit_test(every_icmp_type_and_code),
        cmocka_unit_test(what_is_quoted),
        cmocka_unit_test(quotations_cut_anywhere),
        cmocka_unit_test(quotations_of_something_else),
        cmocka_unit_test(quotations_with_more_in_front),
        cmocka_unit_test(icmp_checksums),
        cmocka_unit_test(echo_is_answered),
    };
    return cmocka_run_group_tests(tests, make_edge, drop_edge);
}
