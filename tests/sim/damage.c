/* damage.c - what a path does to the octets of a packet: noise, middleboxes, routers with a smaller MTU.
 *
 * Knows IP and TCP headers by itself and never asks weir, so that a fault in weir's parsers cannot excuse itself. Noise is always
 * of a kind that the Internet checksum must see (one bit, one octet, octets cut off); what middleboxes do is legal, and they
 * make the checksum good again. Either way every octet that a user reads wrong is weir's fault. */
#include <string.h>

#include "sim.h"

#define DAMAGE_SYN 2u
#define DAMAGE_RST 4u
#define DAMAGE_URG 32u

/* ---- checksums, independent of weir's ---- */

static uint32_t damage_sum(const uint8_t *octets, uint32_t len, uint32_t sum)
{
    uint32_t i;

    for (i = 0; i < len; i++) {
        sum += (i & 1) != 0 ? octets[i] : (uint32_t)octets[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static void damage_put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static uint32_t damage_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

/* Where TCP begins in a packet that weir has sent (it sends no options and no extension headers), 0 if it is not TCP. */
static uint32_t damage_tcp_at(const struct sim_packet *p)
{
    if (p->len >= 40 && p->octets[0] == 0x45 && p->octets[9] == 6) {
        return 20;
    }
    return p->len >= 60 && p->octets[0] >> 4 == 6 && p->octets[6] == 6 ? 40 : 0;
}

/* Changes one octet of a TCP segment, `at` from its start, and says so to the checksum (RFC 1624 eqn. 3). */
static void damage_change(uint8_t *tcp, uint32_t at, uint8_t to)
{
    uint32_t shift = (at & 1) != 0 ? 0 : 8;
    uint32_t sum = (~damage_get16(tcp + 16) & 0xffff) + (~((uint32_t)tcp[at] << shift) & 0xffff) + ((uint32_t)to << shift);

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    tcp[at] = to;
    damage_put16(tcp + 16, ~sum);
}

static void damage_change16(uint8_t *tcp, uint32_t at, uint32_t to)
{
    damage_change(tcp, at, (uint8_t)(to >> 8));
    damage_change(tcp, at + 1, (uint8_t)to);
}

void sim_packet_seal(struct sim_packet *p)
{
    uint32_t v4 = p->octets[0] >> 4 == 4, at = v4 ? 20 : 40, addresses = v4 ? 8 : 32, protocol = v4 ? p->octets[9] : p->octets[6];
    uint32_t field = at + (protocol == 6 ? 16 : 2), pseudo = protocol == 1 ? 0 : addresses;

    if (v4) {
        damage_put16(p->octets + 2, p->len);
        damage_put16(p->octets + 10, 0);
        damage_put16(p->octets + 10, ~damage_sum(p->octets, 20, 0));
    } else {
        damage_put16(p->octets + 4, p->len - 40);
    }
    damage_put16(p->octets + field, 0);
    damage_put16(p->octets + field, ~damage_sum(p->octets + at - pseudo, p->len - at + pseudo, pseudo != 0 ? p->len - at + protocol : 0));
}

/* ---- noise ---- */

/* IPv6 has no header checksum and the length is the one field there that decides what TCP's checksum covers: one shortened packet
 * in 65536 would pass with its end cut off. Our own sum says whether this is that one. */
static bool damage_passes(const struct sim_packet *p)
{
    uint32_t len = damage_get16(p->octets + 4);

    if (p->octets[0] >> 4 != 6 || p->octets[6] != 6 || len < 20 || len + 40 > p->len) {
        return false;
    }
    return damage_sum(p->octets + 8, 32 + len, len + 6) == 0xffff;
}

static void damage_noise(struct sim_rng *r, struct sim_packet *p)
{
    uint32_t at = sim_below(r, sim_percent(r, 30) && p->len > 60 ? 60 : p->len);
    uint32_t how = sim_below(r, 10);

    if (how == 0) {
        p->len -= sim_range(r, 1, p->len < 40 ? p->len - 1 : 40 - 1);
    } else if (how < 4) {
        p->octets[at] = (uint8_t)(p->octets[at] + sim_range(r, 1, 255));
    } else {
        p->octets[at] = (uint8_t)(p->octets[at] ^ (1u << sim_below(r, 8)));
    }
}

/* The octets of IPv6 that no checksum covers (traffic class, flow label, hop limit) may change without harm. */
bool sim_damage(struct sim_rng *r, struct sim_packet *p)
{
    uint32_t before = damage_get16(p->octets + 4), len = p->len;

    damage_noise(r, p);
    if (p->octets[0] >> 4 == 6 && p->len >= 40 && (before != damage_get16(p->octets + 4) || len != p->len)) {
        return !damage_passes(p);
    }
    return true;
}

/* ---- middleboxes ---- */

/* Where an option of this kind and length stands in a TCP header, 0 if it does not. */
static uint32_t damage_option(const uint8_t *tcp, uint8_t kind, uint8_t len)
{
    uint32_t end = (tcp[12] >> 4) * 4u, i;

    for (i = 20; i + len <= end && tcp[i] != 0; i += tcp[i] == 1 || tcp[i + 1] < 2 ? 1 : tcp[i + 1]) {
        if (tcp[i] == kind && tcp[i + 1] == len) {
            return i;
        }
    }
    return 0;
}

/* The timestamps of some segments are blotted out. */
static void damage_strip(uint8_t *tcp)
{
    uint32_t at = damage_option(tcp, 8, 10), i;

    for (i = at; at != 0 && i < at + 10; i++) {
        damage_change(tcp, i, 1);
    }
}

static void damage_clamp(uint8_t *tcp, uint32_t mss)
{
    uint32_t at = damage_option(tcp, 2, 4);

    if (at != 0 && damage_get16(tcp + at + 2) > mss) {
        damage_change16(tcp, at + 2, mss);
    }
}

void sim_middlebox(struct sim_rng *r, const struct sim_link *l, struct sim_packet *p)
{
    uint32_t at = damage_tcp_at(p);
    uint8_t *tcp = p->octets + at;

    if (at == 0) {
        return;
    }
    if (tcp[13] & DAMAGE_SYN) {
        if (l->clamp != 0) {
            damage_clamp(tcp, l->clamp);
        }
        return;
    }
    if (sim_happens(r, l->strip)) {
        damage_strip(tcp);
    }
    if (sim_happens(r, l->squeeze) && (tcp[13] & DAMAGE_RST) == 0) { /* a window that shrinks, down to nothing */
        damage_change16(tcp, 14, damage_get16(tcp + 14) * sim_below(r, 16) / 16);
    }
}

/* Cuts text off the end of a segment, to be sent as a segment of its own; 0: there is nothing to cut. */
uint32_t sim_split(struct sim_rng *r, struct sim_packet *p, struct sim_packet *second)
{
    uint32_t at = damage_tcp_at(p), header = at != 0 ? at + (p->octets[at + 12] >> 4) * 4u : 0, first, i, carry;
    uint8_t *tcp = p->octets + at;

    if (at == 0 || p->len < header + 2 || (tcp[13] & (DAMAGE_SYN | DAMAGE_RST | DAMAGE_URG)) != 0) {
        return 0;
    }
    first = sim_range(r, 1, p->len - header - 1);
    memcpy(second->octets, p->octets, header);
    memcpy(second->octets + header, p->octets + header + first, p->len - header - first);
    second->len = p->len - first;
    for (i = 4, carry = first; i > 0; i--) {
        carry += second->octets[at + 3 + i];
        second->octets[at + 3 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    p->len = header + first;
    tcp[13] &= 0x16; /* FIN and PSH go with the last octet */
    sim_packet_seal(p);
    sim_packet_seal(second);
    return second->len;
}

/* ---- planted faults ---- */

void sim_damage_plant(enum sim_plant plant, struct sim_packet *p)
{
    uint32_t at = damage_tcp_at(p), header = at != 0 ? (p->octets[at + 12] >> 4) * 4u : 0;

    if (at == 0 || p->len <= at + header) {
        return;
    }
    if (plant == SIM_PLANT_CORRUPT_FIXED) {
        damage_change(p->octets + at, header, (uint8_t)~p->octets[at + header]);
    } else if (plant == SIM_PLANT_RESET) {
        damage_change(p->octets + at, 13, DAMAGE_RST);
    }
}

/* ---- messages of routers ---- */

void sim_icmp(struct sim_packet *message, const struct sim_packet *quoted, const struct sim_icmp_spec *spec)
{
    bool v4 = quoted->octets[0] >> 4 == 4;
    uint32_t at = v4 ? 20 : 40, address = v4 ? 4 : 16, len = quoted->len < spec->quote ? quoted->len : spec->quote;
    weir_addr router = sim_host_addr(255, !v4);
    uint8_t *o = message->octets;

    memset(o, 0, at + 8);
    o[0] = v4 ? 0x45 : 0x60;
    o[v4 ? 8 : 7] = 60;
    o[v4 ? 9 : 6] = v4 ? 1 : 58;
    memcpy(o + at - 2 * address, router.octets + 16 - address, address);
    memcpy(o + at - address, quoted->octets + at - 2 * address, address); /* to the quoted source */
    o[at] = spec->type;
    o[at + 1] = spec->code;
    damage_put16(o + at + 6, spec->mtu); /* the low half of it in ICMPv6 */
    memcpy(o + at + 8, quoted->octets, len);
    message->len = at + 8 + len;
    sim_packet_seal(message);
}

bool sim_is_icmp(const struct sim_packet *p)
{
    return p->octets[0] >> 4 == 4 ? p->octets[9] == 1 : p->octets[6] == 58;
}
