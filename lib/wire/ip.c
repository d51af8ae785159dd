/* ip.c - IPv4 (RFC 791, RFC 1122 3.2), IPv6 (RFC 8200), ICMP (RFC 792, RFC 4443), and addresses. Knows one packet at a
 * time: what is in it and whether it holds together. Does not know which addresses are ours, and reassembles nothing.
 *
 * Addresses of both families are kept as 16 octets, IPv4 in its mapped form. An IPv6 packet that itself carries a mapped
 * address could not be told from an IPv4 packet any more, so it is refused (RFC 4942 2.2). */
#include "wire/wire.h"

#define IP_CHAIN_MAX 8 /* headers after the fixed IPv6 header */

enum ip_next {
    IP_NEXT_HOP_OPTIONS = 0,
    IP_NEXT_ROUTING = 43,
    IP_NEXT_FRAGMENT = 44,
    IP_NEXT_DESTINATION_OPTIONS = 60
};

static const uint8_t ip_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ---- addresses ---- */

static weir_addr ip_addr_v4(const uint8_t *octets)
{
    weir_addr a;
    memcpy(a.octets, ip_mapped, sizeof ip_mapped);
    memcpy(a.octets + sizeof ip_mapped, octets, 4);
    return a;
}

WEIR_API weir_addr weir_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    uint8_t octets[4];
    octets[0] = a;
    octets[1] = b;
    octets[2] = c;
    octets[3] = d;
    return ip_addr_v4(octets);
}

WEIR_API bool weir_addr_is_v4(const weir_addr *a)
{
    return memcmp(a->octets, ip_mapped, sizeof ip_mapped) == 0;
}

WEIR_API bool weir_addr_is_unspecified(const weir_addr *a)
{
    static const uint8_t zeros[16] = {0};
    if (weir_addr_is_v4(a))
        return memcmp(a->octets + 12, zeros, 4) == 0;
    return memcmp(a->octets, zeros, 16) == 0;
}

WEIR_API bool weir_addr_equal(const weir_addr *a, const weir_addr *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static enum weiri_addr_class ip_classify_v4(const uint8_t *octets)
{
    if (base_get32(octets) == 0xffffffffu)
        return WEIRI_ADDR_BROADCAST;
    if (octets[0] == 0 || octets[0] >= 240)
        return WEIRI_ADDR_UNSPECIFIED;
    if (octets[0] == 127)
        return WEIRI_ADDR_LOOPBACK;
    return octets[0] >= 224 ? WEIRI_ADDR_MULTICAST : WEIRI_ADDR_UNICAST;
}

WEIR_PRIVATE enum weiri_addr_class weiri_addr_classify(const weir_addr *a)
{
    static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    if (weir_addr_is_v4(a))
        return ip_classify_v4(a->octets + 12);
    if (weir_addr_is_unspecified(a))
        return WEIRI_ADDR_UNSPECIFIED;
    if (memcmp(a->octets, loopback, 16) == 0)
        return WEIRI_ADDR_LOOPBACK;
    return a->octets[0] == 0xff ? WEIRI_ADDR_MULTICAST : WEIRI_ADDR_UNICAST;
}

/* ---- IPv4 ---- */

/* Options are walked so that none has an impossible length; all but source routes are disregarded (MUST-50). Those are
 * refused, finished or not: RFC 7126 4.3 and 4.4. */
static enum weir_verdict ip_v4_options(const uint8_t *list, uint32_t len)
{
    uint32_t at = 0, size;

    for (; at < len && list[at] != 0; at += size) {
        size = 1;
        if (list[at] == 1)
            continue;
        if (len - at < 2)
            return WEIR_IP_OPTION;
        size = list[at + 1];
        if (size < 2 || size > len - at || list[at] == 131 || list[at] == 137) /* loose, strict source route */
            return WEIR_IP_OPTION;
    }
    return WEIR_OK;
}

/* The lengths of an IPv4 packet; *header_len and *total_len on success. */
static enum weir_verdict ip_v4_geometry(const uint8_t *packet, size_t len, uint32_t *header_len, uint32_t *total_len)
{
    if (len < WEIRI_IP4_HEADER)
        return WEIR_IP_TRUNCATED;
    *header_len = (packet[0] & 0x0fu) * 4;
    *total_len = base_get16(packet + 2);
    if (*header_len < WEIRI_IP4_HEADER || *header_len > len)
        return WEIR_IP_HEADER_LENGTH;
    if (*total_len < *header_len)
        return WEIR_IP_TOTAL_LENGTH;
    return *total_len > len ? WEIR_IP_TRUNCATED : WEIR_OK;
}

/* What is longer than the total length is padding of the link, and left out. */
static enum weir_verdict ip_v4(struct weiri_ip *ip, const uint8_t *packet, size_t len)
{
    uint32_t header_len = 0, total_len = 0;
    enum weir_verdict verdict = ip_v4_geometry(packet, len, &header_len, &total_len);

    if (verdict != WEIR_OK)
        return verdict;
    if (weiri_sum_finish(wire_sum_header(packet, header_len)) != 0)
        return WEIR_IP_CHECKSUM;
    if ((base_get16(packet + 6) & 0x3fff) != 0) /* More Fragments, or an offset */
        return WEIR_IP_FRAGMENT;
    verdict = ip_v4_options(packet + WEIRI_IP4_HEADER, header_len - WEIRI_IP4_HEADER);
    if (verdict != WEIR_OK)
        return verdict;
    if (packet[9] != WEIRI_PROTO_TCP && packet[9] != WEIRI_PROTO_ICMP)
        return WEIR_IP_PROTOCOL;
    ip->addrs.source = ip_addr_v4(packet + 12);
    ip->addrs.destination = ip_addr_v4(packet + 16);
    ip->payload = packet + header_len;
    ip->payload_len = total_len - header_len;
    ip->protocol = packet[9];
    ip->ttl = packet[8];
    ip->traffic_class = packet[1];
    ip->version = 4;
    return WEIR_OK;
}

/* ---- IPv6 ---- */

/* Where a walk along the extension headers stands. */
struct ip_chain {
    const uint8_t *at;
    uint32_t len;
    uint8_t next;
};

/* The options of a hop-by-hop or destination options header (RFC 8200 4.2). weir knows none but the padding; an unknown
 * one is skipped if its two top bits are 0, and stops the packet otherwise. Jumbo payloads (RFC 2675) are among those. */
static bool ip_v6_options(const uint8_t *list, uint32_t len)
{
    uint32_t at = 0, size;

    for (; at < len; at += size) {
        size = 1;
        if (list[at] == 0) /* Pad1 */
            continue;
        if (len - at < 2)
            return false;
        size = 2u + list[at + 1];
        if (size > len - at || list[at] >> 6 != 0)
            return false;
    }
    return true;
}

/* One extension header, whose length is `size`: may the walk go on past it? */
static enum weir_verdict ip_v6_extension(const struct ip_chain *chain, uint32_t size)
{
    switch (chain->next) {
    case IP_NEXT_FRAGMENT: /* alone in its datagram it is atomic (RFC 6946 4, RFC 8200 4.5): as if it were not there */
        return (base_get16(chain->at + 2) & 0xfff9) != 0 ? WEIR_IP_FRAGMENT : WEIR_OK;
    case IP_NEXT_ROUTING: /* RFC 8200 4.4: with no segments left, whatever its type, it is passed over */
        return chain->at[3] != 0 ? WEIR_IP_EXTENSION : WEIR_OK;
    default:
        return ip_v6_options(chain->at + 2, size - 2) ? WEIR_OK : WEIR_IP_EXTENSION;
    }
}

static bool ip_v6_is_extension(uint8_t next)
{
    return next == IP_NEXT_HOP_OPTIONS || next == IP_NEXT_ROUTING || next == IP_NEXT_FRAGMENT ||
           next == IP_NEXT_DESTINATION_OPTIONS;
}

/* Walks to the first header that is not an extension. Any order, any number up to the bound, but hop-by-hop options only
 * in the first place (RFC 8200 4.1). */
static enum weir_verdict ip_v6_chain(struct ip_chain *chain)
{
    enum weir_verdict verdict = WEIR_OK;
    uint32_t size;

    for (int count = 0; ip_v6_is_extension(chain->next); count++) {
        if (count == IP_CHAIN_MAX || chain->len < 8 || (chain->next == IP_NEXT_HOP_OPTIONS && count != 0))
            return WEIR_IP_EXTENSION;
        size = chain->next == IP_NEXT_FRAGMENT ? 8 : 8 * (1u + chain->at[1]);
        if (size > chain->len)
            return WEIR_IP_EXTENSION;
        verdict = ip_v6_extension(chain, size);
        if (verdict != WEIR_OK)
            return verdict;
        chain->next = chain->at[0];
        chain->at += size;
        chain->len -= size;
    }
    return WEIR_OK;
}

static weir_addr ip_addr_v6(const uint8_t *octets)
{
    weir_addr a;
    memcpy(a.octets, octets, sizeof a.octets);
    return a;
}

static enum weir_verdict ip_v6_addrs(weir_pseudo *addrs, const uint8_t *packet)
{
    addrs->source = ip_addr_v6(packet + 8);
    addrs->destination = ip_addr_v6(packet + 24);
    if (weir_addr_is_v4(&addrs->source))
        return WEIR_IP_SOURCE;
    return weir_addr_is_v4(&addrs->destination) ? WEIR_IP_DESTINATION : WEIR_OK;
}

static enum weir_verdict ip_v6(struct weiri_ip *ip, const uint8_t *packet, size_t len)
{
    struct ip_chain chain;
    enum weir_verdict verdict;
    weir_pseudo addrs;

    if (len < WEIRI_IP6_HEADER || base_get16(packet + 4) > len - WEIRI_IP6_HEADER)
        return WEIR_IP_TRUNCATED;
    verdict = ip_v6_addrs(&addrs, packet);
    if (verdict != WEIR_OK)
        return verdict;
    chain.at = packet + WEIRI_IP6_HEADER;
    chain.len = base_get16(packet + 4);
    chain.next = packet[6];
    verdict = ip_v6_chain(&chain);
    if (verdict != WEIR_OK)
        return verdict;
    if (chain.next != WEIRI_PROTO_TCP && chain.next != WEIRI_PROTO_ICMP6)
        return WEIR_IP_PROTOCOL;
    ip->addrs = addrs;
    ip->payload = chain.at;
    ip->payload_len = chain.len;
    ip->protocol = chain.next;
    ip->ttl = packet[7];
    ip->traffic_class = (uint8_t)(base_get16(packet) >> 4);
    ip->version = 6;
    return WEIR_OK;
}

WEIR_PRIVATE enum weir_verdict weiri_ip_view(struct weiri_ip *ip, const uint8_t *packet, size_t len)
{
    if (len == 0)
        return WEIR_IP_TRUNCATED;
    if (packet[0] >> 4 == 4)
        return ip_v4(ip, packet, len);
    return packet[0] >> 4 == 6 ? ip_v6(ip, packet, len) : WEIR_IP_VERSION;
}

/* ---- writing ---- */

static size_t ip_emit_v4(uint8_t *end, const struct weiri_ip_fields *fields)
{
    uint8_t *at = end - WEIRI_IP4_HEADER;

    WEIR_ASSERT(fields->payload_len <= 0xffff - WEIRI_IP4_HEADER);
    at[0] = 0x45;
    at[1] = fields->traffic_class;
    base_put16(at + 2, WEIRI_IP4_HEADER + fields->payload_len);
    base_put16(at + 4, fields->dont_fragment ? 0 : fields->identification); /* RFC 6864 4.1 */
    base_put16(at + 6, fields->dont_fragment ? 0x4000 : 0);
    at[8] = fields->ttl;
    at[9] = fields->protocol;
    base_put16(at + 10, 0);
    memcpy(at + 12, fields->addrs.source.octets + 12, 4);
    memcpy(at + 16, fields->addrs.destination.octets + 12, 4);
    base_put16(at + 10, weiri_sum_finish(wire_sum_20(at)));
    return WEIRI_IP4_HEADER;
}

static size_t ip_emit_v6(uint8_t *end, const struct weiri_ip_fields *fields)
{
    uint8_t *at = end - WEIRI_IP6_HEADER;

    WEIR_ASSERT(fields->payload_len <= 0xffff);
    base_put32(at, 0x60000000u | (uint32_t)fields->traffic_class << 20);
    base_put16(at + 4, fields->payload_len);
    at[6] = fields->protocol;
    at[7] = fields->ttl;
    memcpy(at + 8, fields->addrs.source.octets, 16);
    memcpy(at + 24, fields->addrs.destination.octets, 16);
    return WEIRI_IP6_HEADER;
}

WEIR_PRIVATE size_t weiri_ip_emit(uint8_t *end, const struct weiri_ip_fields *fields)
{
    WEIR_ASSERT(weir_addr_is_v4(&fields->addrs.source) == weir_addr_is_v4(&fields->addrs.destination));
    return weir_addr_is_v4(&fields->addrs.source) ? ip_emit_v4(end, fields) : ip_emit_v6(end, fields);
}

/* ---- ICMP ---- */

/* Which message this is: its meaning for TCP (RFC 9293 3.9.2.2), or that it has none. Unreachable codes that no RFC calls
 * hard are soft: the connection lives. */
static enum weir_verdict ip_icmp4_kind(weir_icmp *error, const uint8_t *message)
{
    uint8_t type = message[0], code = message[1];

    error->kind = WEIR_ICMP_SOFT;
    error->mtu = 0;
    if (type == 11 || type == 12) /* Time Exceeded, Parameter Problem */
        return WEIR_OK;
    if (type != 3) /* Source Quench, Redirect, queries and the rest */
        return WEIR_ICMP_UNKNOWN;
    if (code == 2 || code == 3) {
        error->kind = WEIR_ICMP_HARD;
    } else if (code == 4) { /* RFC 1191 4: routers older than it leave the MTU 0 */
        error->kind = WEIR_ICMP_TOO_BIG;
        error->mtu = base_get16(message + 6);
    }
    return WEIR_OK;
}

/* Destination Unreachable 1 (prohibited, with its finer codes 5 and 6) and 4 (port) are hard (RFC 5461 2.1); Parameter Problem
 * is soft whatever its code (MUST-56). */
static enum weir_verdict ip_icmp6_kind(weir_icmp *error, const uint8_t *message)
{
    uint8_t type = message[0], code = message[1];

    error->kind = WEIR_ICMP_SOFT;
    error->mtu = 0;
    if (type == 1 && (code == 1 || code == 4 || code == 5 || code == 6)) {
        error->kind = WEIR_ICMP_HARD;
    } else if (type == 2) {
        error->kind = WEIR_ICMP_TOO_BIG;
        error->mtu = base_get32(message + 4);
    }
    return type >= 1 && type <= 4 ? WEIR_OK : WEIR_ICMP_UNKNOWN;
}

/* The quoted packet as far as the ports and the sequence number of its TCP header. It is our own packet as the network saw it:
 * its TTL and checksum may have changed, its end is usually missing, so lengths are held against the quotation only. */
static enum weir_verdict ip_quoted_v4(struct weiri_icmp_view *view, const uint8_t *packet, uint32_t len, const uint8_t **tcp)
{
    uint32_t header_len;

    if (len < WEIRI_IP4_HEADER)
        return WEIR_ICMP_TRUNCATED;
    header_len = (packet[0] & 0x0fu) * 4;
    if (packet[0] >> 4 != 4 || header_len < WEIRI_IP4_HEADER || packet[9] != WEIRI_PROTO_TCP ||
        (base_get16(packet + 6) & 0x1fff) != 0)
        return WEIR_ICMP_UNMATCHED;
    if (len < header_len + 8)
        return WEIR_ICMP_TRUNCATED;
    view->quoted.local = ip_addr_v4(packet + 12);
    view->quoted.remote = ip_addr_v4(packet + 16);
    *tcp = packet + header_len;
    return WEIR_OK;
}

static enum weir_verdict ip_quoted_v6(struct weiri_icmp_view *view, const uint8_t *packet, uint32_t len, const uint8_t **tcp)
{
    struct ip_chain chain;
    weir_pseudo addrs;

    if (len < WEIRI_IP6_HEADER)
        return WEIR_ICMP_TRUNCATED;
    chain.at = packet + WEIRI_IP6_HEADER;
    chain.len = len - WEIRI_IP6_HEADER;
    chain.next = packet[6];
    if (packet[0] >> 4 != 6 || ip_v6_addrs(&addrs, packet) != WEIR_OK || ip_v6_chain(&chain) != WEIR_OK ||
        chain.next != WEIRI_PROTO_TCP)
        return WEIR_ICMP_UNMATCHED;
    if (chain.len < 8)
        return WEIR_ICMP_TRUNCATED;
    view->quoted.local = addrs.source;
    view->quoted.remote = addrs.destination;
    *tcp = chain.at;
    return WEIR_OK;
}

static bool ip_icmp_sum_right(const struct weiri_ip *ip)
{
    uint64_t sum = ip->version == 6 ? weiri_sum_pseudo(&ip->addrs, ip->payload_len, WEIRI_PROTO_ICMP6) : 0;
    return weiri_sum_finish(weiri_sum(ip->payload, ip->payload_len, sum)) == 0;
}

static bool ip_icmp_is_echo(const struct weiri_ip *ip)
{
    return ip->payload[0] == (ip->version == 6 ? 128 : 8) && ip->payload[1] == 0;
}

WEIR_PRIVATE enum weir_verdict weiri_icmp_view(struct weiri_icmp_view *view, const struct weiri_ip *ip)
{
    struct weiri_icmp_view v;
    const uint8_t *message = ip->payload, *tcp = NULL;
    enum weir_verdict verdict;

    if (ip->payload_len < 8)
        return WEIR_ICMP_TRUNCATED;
    if (!ip_icmp_sum_right(ip))
        return WEIR_ICMP_CHECKSUM;
    memset(&v, 0, sizeof v);
    v.type = WEIRI_ICMP_ECHO;
    if (ip_icmp_is_echo(ip)) {
        *view = v;
        return WEIR_OK;
    }
    v.type = WEIRI_ICMP_ERROR;
    verdict = ip->version == 6 ? ip_icmp6_kind(&v.error, message) : ip_icmp4_kind(&v.error, message);
    if (verdict != WEIR_OK)
        return verdict;
    verdict = ip->version == 6 ? ip_quoted_v6(&v, message + 8, ip->payload_len - 8, &tcp)
                               : ip_quoted_v4(&v, message + 8, ip->payload_len - 8, &tcp);
    if (verdict != WEIR_OK)
        return verdict;
    v.quoted.local_port = base_get16(tcp);
    v.quoted.remote_port = base_get16(tcp + 2);
    v.error.seq = seq_of(base_get32(tcp + 4));
    *view = v;
    return WEIR_OK;
}

/* Echo Request 8 becomes Echo Reply 0 (RFC 792), which may leave nothing but zeros: the one sum that RFC 1624 eqn. 3 gets wrong,
 * so it is taken anew. For ICMPv6 128 becomes 129 (RFC 4443 4.2), and its pseudo-header, whose addresses change places, keeps
 * its sum. */
WEIR_PRIVATE void weiri_icmp_echo_reply(uint8_t *octets, size_t len)
{
    uint16_t before;

    WEIR_ASSERT(len >= 8 && (octets[0] == 8 || octets[0] == 128));
    before = base_get16(octets);
    if (octets[0] == 8) {
        octets[0] = 0;
        base_put16(octets + 2, 0);
        base_put16(octets + 2, weiri_sum_finish(weiri_sum(octets, len, 0)));
    } else {
        octets[0] = 129;
        base_put16(octets + 2, weiri_checksum_update(base_get16(octets + 2), before, base_get16(octets)));
    }
}

#undef IP_CHAIN_MAX
