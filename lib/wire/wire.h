/* wire.h - what the wire room offers to the rooms above it. Knows no connection. */
#ifndef WEIRI_WIRE_H
#define WEIRI_WIRE_H

#include "wire/seq.h"

/* ---- checksum.c: RFC 1071. A running sum is kept in 64 bits, in the machine's own octet order. ---- */

/* Adds `len` octets that start at an even offset of the data being summed. */
WEIR_PRIVATE uint64_t weiri_sum(const uint8_t *octets, size_t len, uint64_t sum);
/* The same while copying them. */
WEIR_PRIVATE uint64_t weiri_sum_copy(uint8_t *to, const uint8_t *from, size_t len, uint64_t sum);
/* Joins the sum of a later part that begins `offset` octets into the data (odd offsets swap, RFC 1071 2(B)). */
WEIR_PRIVATE uint64_t weiri_sum_join(uint64_t sum, uint64_t part, size_t offset);
/* The pseudo-header of the packet's family (RFC 9293 3.1, RFC 8200 8.1). */
WEIR_PRIVATE uint64_t weiri_sum_pseudo(const weir_pseudo *pseudo, uint32_t len, uint8_t protocol);
/* The same of two addresses in any order, for that changes no sum. */
WEIR_PRIVATE uint64_t weiri_sum_sockets(const weir_addr *one, const weir_addr *other, uint32_t len, uint8_t protocol);
/* A number of 32 bits as it stands in a header. */
WEIR_PRIVATE uint64_t weiri_sum_word(uint32_t number);
/* What a pseudo-header has besides the addresses. */
WEIR_PRIVATE uint64_t weiri_sum_tcp(uint32_t len);
/* The complement of the folded sum, as a number to be written with base_put16. */
WEIR_PRIVATE uint16_t weiri_sum_finish(uint64_t sum);
/* RFC 1624 eqn. 3: the checksum after one 16-bit field changed. */
WEIR_PRIVATE uint16_t weiri_checksum_update(uint16_t checksum, uint16_t before, uint16_t after);

/* The sum of a header, which is too short for wide loops; its length is a multiple of 4. */
static inline uint64_t wire_sum_header(const uint8_t *octets, uint32_t len)
{
    uint64_t sum = 0, two;
    uint32_t at = 0, word;
    for (; at + 8 <= len; at += 8) { /* 60 octets */
        memcpy(&two, octets + at, sizeof two);
        sum += (two & UINT32_MAX) + (two >> 32);
    }
    if (at < len) {
        memcpy(&word, octets + at, sizeof word);
        sum += word;
    }
    return sum;
}

/* The same of 20 octets: an IPv4 header, or a TCP header, without options. */
static inline uint64_t wire_sum_20(const uint8_t *octets)
{
    uint64_t two, more;
    uint32_t last;
    memcpy(&two, octets, sizeof two);
    memcpy(&more, octets + 8, sizeof more);
    memcpy(&last, octets + 16, sizeof last);
    return (two & UINT32_MAX) + (two >> 32) + (more & UINT32_MAX) + (more >> 32) + last;
}

/* ---- ip.c: IPv4 (RFC 791), IPv6 (RFC 8200), ICMP (RFC 792, RFC 4443): strict, one packet at a time ---- */

enum { WEIRI_PROTO_ICMP = 1, WEIRI_PROTO_TCP = 6, WEIRI_PROTO_ICMP6 = 58 };
#define WEIRI_IP4_HEADER 20
#define WEIRI_IP6_HEADER 40

struct weiri_ip {
    weir_pseudo addrs;
    const uint8_t *payload; /* borrows the packet */
    uint32_t payload_len;
    uint8_t protocol;       /* of enum above; anything else is refused */
    uint8_t ttl, traffic_class, version;
};
/* Geometry and checksum of the IP header; extension headers are walked within a bound. Addresses are not judged, but that
 * an IPv6 packet with an IPv4-mapped address is refused: it could not be told from an IPv4 packet. On refusal *ip is untouched. */
WEIR_PRIVATE enum weir_verdict weiri_ip_view(struct weiri_ip *ip, const uint8_t *packet, size_t len);

struct weiri_ip_fields {
    weir_pseudo addrs;
    uint32_t payload_len;
    uint8_t protocol, ttl, traffic_class;
    bool dont_fragment;
    uint16_t identification; /* IPv4 without dont_fragment: the caller keeps it unique (RFC 6864 4.3); else not read */
};
/* Writes an IPv4 or IPv6 header in front of `end`, so that it ends there; returns its length, 20 or 40. IPv4: DF as asked,
 * Identification 0 with DF (RFC 6864 4.1), header checksum complete. */
WEIR_PRIVATE size_t weiri_ip_emit(uint8_t *end, const struct weiri_ip_fields *fields);
/* Classes of address that cannot be a peer (RFC 1122 3.2.1.3, RFC 4291 2). */
enum weiri_addr_class {
    WEIRI_ADDR_UNICAST, WEIRI_ADDR_UNSPECIFIED, WEIRI_ADDR_LOOPBACK, WEIRI_ADDR_MULTICAST,
    WEIRI_ADDR_BROADCAST /* 255.255.255.255; subnet broadcasts are the stack's to know; 0.0.0.0/8 and 240.0.0.0/4 count as unspecified */
};
WEIR_PRIVATE enum weiri_addr_class weiri_addr_classify(const weir_addr *a);

enum weiri_icmp_type { WEIRI_ICMP_ECHO, WEIRI_ICMP_ERROR };
struct weiri_icmp_view {
    enum weiri_icmp_type type;
    weir_icmp error;       /* with WEIRI_ICMP_ERROR; error.seq is the quoted sequence number */
    weir_tuple quoted;     /* local = the quoted source (us), remote = the quoted destination */
};
/* One ICMP message (checksum first); only echo requests and errors about TCP segments are WEIR_OK. On refusal *view is untouched. */
WEIR_PRIVATE enum weir_verdict weiri_icmp_view(struct weiri_icmp_view *view, const struct weiri_ip *ip);
/* Turns an echo request into its reply, in place, checksum updated; `octets` is the ICMP message. */
WEIR_PRIVATE void weiri_icmp_echo_reply(uint8_t *octets, size_t len);

#define WEIRI_STAMPS 0x0101080au /* NOP, NOP, Timestamps: how they stand outside of SYN (RFC 7323 appendix A) */

/* ---- emit.c, in two halves so that a copy can be fused with the sum ---- */

/* Bytes of options that these fields would take, padding included; what weir_emit_header writes after 20. */
WEIR_PRIVATE uint32_t weiri_emit_options_len(const weir_fields *fields);

#endif /* WEIRI_WIRE_H */
