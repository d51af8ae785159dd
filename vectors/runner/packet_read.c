/* packet_read.c - octets of an IP packet as fields. Refuses what is no good IP packet or has a wrong checksum, and says why. */
#include "packet_parts.h"

#include <stdio.h>
#include <string.h>

/* What lies behind the IP header. */
struct read {
    struct packet *p;
    const struct target_world *world;
    const uint8_t *source, *destination;
    const uint8_t *octets; /* of TCP or ICMP */
    size_t len;
    uint8_t protocol;
    char *why;
    size_t why_cap;
};

#define READ_REFUSE(r, ...) (snprintf((r)->why, (r)->why_cap, __VA_ARGS__), false)

static bool read_ip4(struct read *r, const uint8_t *o, size_t len)
{
    size_t header = (size_t)(o[0] & 15) * 4, total;

    if (len < 20 || header < 20 || header > len)
        return READ_REFUSE(r, "IPv4 header of %zu octets in a packet of %zu", header, len);
    total = packet_get16(o + 2);
    if (total != len)
        return READ_REFUSE(r, "IPv4 total length %zu in a packet of %zu octets", total, len);
    if (packet_sum_fold(packet_sum(0, o, header)) != 0)
        return READ_REFUSE(r, "wrong IPv4 header checksum %04x", packet_get16(o + 10));
    if ((packet_get16(o + 6) & 0x3fff) != 0)
        return READ_REFUSE(r, "an IPv4 fragment");
    r->p->tos = o[1];
    r->p->ttl = o[8];
    r->protocol = o[9];
    r->source = o + 12;
    r->destination = o + 16;
    r->octets = o + header;
    r->len = len - header;
    return true;
}

static bool read_ip6(struct read *r, const uint8_t *o, size_t len)
{
    if (len < 40)
        return READ_REFUSE(r, "an IPv6 packet of %zu octets", len);
    if ((size_t)packet_get16(o + 4) + 40 != len)
        return READ_REFUSE(r, "IPv6 payload length %u in a packet of %zu octets", packet_get16(o + 4), len);
    r->p->v6 = true;
    r->p->tos = (int)(packet_get16(o) >> 4 & 0xff);
    r->p->flowlabel = packet_get32(o) & 0xfffff;
    r->protocol = o[6];
    r->p->ttl = o[7];
    r->source = o + 8;
    r->destination = o + 24;
    r->octets = o + 40;
    r->len = len - 40;
    return true;
}

static bool read_ends(struct read *r)
{
    size_t len = r->world->v6 ? 16 : 4;

    if (r->p->v6 != r->world->v6)
        return READ_REFUSE(r, "IPv%d where IPv%d is spoken", r->p->v6 ? 6 : 4, r->world->v6 ? 6 : 4);
    r->p->outbound = memcmp(r->source, r->world->local, len) == 0;
    if (r->p->outbound ? memcmp(r->destination, r->world->remote, len) == 0
                       : memcmp(r->source, r->world->remote, len) == 0 && memcmp(r->destination, r->world->local, len) == 0)
        return true;
    return READ_REFUSE(r, "%s address is neither host's", r->p->outbound ? "the destination" : "the source or the destination");
}

/* The data of one option, `len` octets after kind and length, in the script's words. */
static void read_option(struct script_option *o, uint8_t kind, const uint8_t *data, int len)
{
    memset(o, 0, sizeof *o);
    o->raw_kind = kind;
    o->octet_count = len;
    if (len > 0)
        memcpy(o->octets, data, (size_t)len);
    o->kind = SCRIPT_OPT_RAW;
    if (kind == PACKET_OPT_MSS && len == 2) {
        o->kind = SCRIPT_OPT_MSS;
        o->value = packet_get16(data);
    } else if (kind == PACKET_OPT_WSCALE && len == 1) {
        o->kind = SCRIPT_OPT_WSCALE;
        o->value = data[0];
    } else if (kind == PACKET_OPT_SACK_OK && len == 0) {
        o->kind = SCRIPT_OPT_SACK_OK;
    } else if (kind == PACKET_OPT_SACK && len > 0 && len % 8 == 0 && len / 8 <= SCRIPT_SACK_MAX) {
        o->kind = SCRIPT_OPT_SACK;
        o->sack_count = len / 8;
        for (int i = 0; i < o->sack_count; i++) {
            o->sack[i][0] = packet_get32(data + 8 * i);
            o->sack[i][1] = packet_get32(data + 8 * i + 4);
        }
    } else if (kind == PACKET_OPT_TS && len == 8) {
        o->kind = SCRIPT_OPT_TS;
        o->value = packet_get32(data);
        o->echo = packet_get32(data + 4);
    } else if (kind == PACKET_OPT_MD5 && len == 16) {
        o->kind = SCRIPT_OPT_MD5;
    } else if (kind == PACKET_OPT_FO) {
        o->kind = SCRIPT_OPT_FO;
    } else if (kind == PACKET_OPT_ACCECN0 || kind == PACKET_OPT_ACCECN1) {
        o->kind = SCRIPT_OPT_ACCECN;
    } else if (kind == PACKET_OPT_EXPERIMENT && len >= 2 && packet_get16(data) == 0xf989) {
        o->kind = SCRIPT_OPT_FOEXP;
        o->octet_count = len - 2;
        memmove(o->octets, o->octets + 2, (size_t)o->octet_count);
    }
}

static void read_options(struct packet *p)
{
    int at = 0;

    while (at < p->option_len && p->option_count < SCRIPT_OPTIONS_MAX) { /* ends: each option has an octet at least */
        struct script_option *o = &p->options[p->option_count];
        uint8_t kind = p->option_octets[at];
        if (kind == PACKET_OPT_EOL || kind == PACKET_OPT_NOP) {
            memset(o, 0, sizeof *o);
            o->kind = kind == PACKET_OPT_EOL ? SCRIPT_OPT_EOL : SCRIPT_OPT_NOP;
            at++;
        } else {
            int len = at + 1 < p->option_len ? p->option_octets[at + 1] : 0;
            if (len < 2 || at + len > p->option_len) {
                p->options_bad = true;
                return;
            }
            read_option(o, kind, p->option_octets + at + 2, len - 2);
            at += len;
        }
        p->option_count++;
    }
    p->options_bad = at < p->option_len;
}

static bool read_tcp(struct read *r)
{
    struct packet *p = r->p;
    const uint8_t *o = r->octets;
    size_t header;

    if (r->len < 20)
        return READ_REFUSE(r, "a TCP segment of %zu octets", r->len);
    header = (size_t)(o[12] >> 4) * 4;
    if (header < 20 || header > r->len)
        return READ_REFUSE(r, "TCP header of %zu octets in a segment of %zu", header, r->len);
    if (packet_sum_fold(packet_sum(packet_sum_pseudo(p->v6, r->source, r->destination, PACKET_TCP, r->len), o, r->len)) != 0)
        return READ_REFUSE(r, "wrong TCP checksum %04x", packet_get16(o + 16));
    p->source_port = packet_get16(o);
    p->destination_port = packet_get16(o + 2);
    p->seq = packet_get32(o + 4);
    p->ack = packet_get32(o + 8);
    p->reserved = o[12] >> 1 & 7;
    p->flags = packet_get16(o + 12) & 0x1ff;
    p->win = packet_get16(o + 14);
    p->urg = packet_get16(o + 18);
    p->option_len = (int)header - 20;
    memcpy(p->option_octets, o + 20, (size_t)p->option_len);
    read_options(p);
    p->len = (uint32_t)(r->len - header);
    p->payload_zero = true;
    for (size_t i = header; i < r->len && p->payload_zero; i++)
        p->payload_zero = o[i] == 0;
    return true;
}

/* Ports and sequence number of the packet that an ICMP message quotes. */
static bool read_quote(struct read *r)
{
    const uint8_t *o = r->octets + 8;
    size_t len = r->len - 8, header = r->p->v6 ? 40 : 20;

    if (len > 0 && !r->p->v6)
        header = (size_t)(o[0] & 15) * 4;
    if (header < 20 || len < header + 8)
        return READ_REFUSE(r, "%s that quotes %zu octets", r->p->v6 ? "ICMPv6" : "ICMP", len);
    r->p->quote_source_port = packet_get16(o + header);
    r->p->quote_destination_port = packet_get16(o + header + 2);
    r->p->quote_seq = packet_get32(o + header + 4);
    return true;
}

/* Errors quote the packet they are about; questions and answers do not. */
static bool read_icmp_quotes(const struct packet *p)
{
    if (p->v6)
        return p->icmp_type < 128;
    return p->icmp_type == 3 || p->icmp_type == 4 || p->icmp_type == 5 || p->icmp_type == 11 || p->icmp_type == 12;
}

static bool read_icmp(struct read *r)
{
    uint64_t pseudo = 0;

    if (r->len < 8)
        return READ_REFUSE(r, "an ICMP message of %zu octets", r->len);
    if (r->p->v6)
        pseudo = packet_sum_pseudo(true, r->source, r->destination, PACKET_ICMP6, r->len);
    if (packet_sum_fold(packet_sum(pseudo, r->octets, r->len)) != 0)
        return READ_REFUSE(r, "wrong ICMP checksum %04x", packet_get16(r->octets + 2));
    r->p->icmp_type = r->octets[0];
    r->p->icmp_code = r->octets[1];
    r->p->icmp_mtu = r->p->v6 ? packet_get32(r->octets + 4) : packet_get16(r->octets + 6);
    return !read_icmp_quotes(r->p) || read_quote(r);
}

bool packet_read(struct packet *p, const uint8_t *octets, size_t len, const struct target_world *world, char *why, size_t why_cap)
{
    struct read r = {.p = p, .world = world, .why = why, .why_cap = why_cap};

    memset(p, 0, sizeof *p);
    if (len == 0)
        return READ_REFUSE(&r, "no octets");
    if (octets[0] >> 4 != 4 && octets[0] >> 4 != 6)
        return READ_REFUSE(&r, "IP version %u", (unsigned)(octets[0] >> 4));
    if (!(octets[0] >> 4 == 6 ? read_ip6(&r, octets, len) : read_ip4(&r, octets, len)) || !read_ends(&r))
        return false;
    if (r.protocol == PACKET_TCP) {
        p->proto = SCRIPT_TCP;
        return read_tcp(&r);
    }
    if (r.protocol == (p->v6 ? PACKET_ICMP6 : PACKET_ICMP4)) {
        p->proto = SCRIPT_ICMP;
        return read_icmp(&r);
    }
    return READ_REFUSE(&r, "IP protocol %u", r.protocol);
}
