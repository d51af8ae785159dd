/* packet_build.c - a packet of a script as octets to be injected. Independent of weir's own writer: a bug must not hide in both. */
#include "packet_parts.h"

#include <stdio.h>
#include <string.h>

/* A packet on its way into a buffer that was checked to hold it. */
struct build {
    const struct script_packet *p;
    const struct packet_space *space;
    const struct target_world *world;
    uint8_t *octets;
    size_t ip_len;        /* of the IP header */
    uint8_t options[40];
    int option_len;
    char *why;
    size_t why_cap;
};

static size_t build_refuse(struct build *b, const char *reason)
{
    snprintf(b->why, b->why_cap, "%s", reason);
    return 0;
}

static const uint8_t *build_source(const struct build *b, bool outbound)
{
    return outbound ? b->world->local : b->world->remote;
}

static int build_tos(const struct script_packet *p)
{
    int tos = p->tos < 0 ? 0 : p->tos & 0xff;

    switch (p->ecn) {
    case SCRIPT_ECN_UNSAID: return tos;
    case SCRIPT_NOECN: return tos & 0xfc;
    case SCRIPT_ECT0:
    case SCRIPT_ECT01: return (tos & 0xfc) | 2;
    case SCRIPT_ECT1: return (tos & 0xfc) | 1;
    case SCRIPT_CE: return tos | 3;
    }
    return tos;
}

/* An IP header in front of `len` octets. `outbound` is false but for a packet that is quoted. */
static void build_ip(const struct build *b, uint8_t *o, bool outbound, uint8_t protocol, size_t len)
{
    int ttl = outbound || b->p->ttl < 0 ? 255 : b->p->ttl;
    uint32_t tos = outbound ? 0 : (uint32_t)build_tos(b->p);

    memset(o, 0, b->ip_len);
    if (b->world->v6) {
        packet_put32(o, 6u << 28 | tos << 20 | (b->p->flowlabel < 0 || outbound ? 0 : (uint32_t)b->p->flowlabel & 0xfffff));
        packet_put16(o + 4, (uint32_t)len);
        o[6] = protocol;
        o[7] = (uint8_t)ttl;
        memcpy(o + 8, build_source(b, outbound), 16);
        memcpy(o + 24, build_source(b, !outbound), 16);
        return;
    }
    o[0] = 0x45;
    o[1] = (uint8_t)tos;
    packet_put16(o + 2, (uint32_t)(len + 20));
    packet_put16(o + 6, 0x4000); /* DF */
    o[8] = (uint8_t)ttl;
    o[9] = protocol;
    memcpy(o + 12, build_source(b, outbound), 4);
    memcpy(o + 16, build_source(b, !outbound), 4);
    packet_put16(o + 10, packet_sum_fold(packet_sum(0, o, 20)));
}

static bool build_options(struct build *b)
{
    if (b->p->options_any) {
        build_refuse(b, "<...> is for packets that are expected, not for one that is sent");
        return false;
    }
    for (int i = 0; i < b->p->option_count; i++) {
        struct script_option live = packet_option_live(&b->p->options[i], b->p, b->space, NULL);
        uint8_t octets[40];
        int len = packet_option_encode(&live, octets, b->why, b->why_cap);
        if (len == 0)
            return false;
        if (b->option_len + len > 40) {
            build_refuse(b, "the options are more than 40 octets");
            return false;
        }
        memcpy(b->options + b->option_len, octets, (size_t)len);
        b->option_len += len;
    }
    if (b->option_len % 4 != 0) {
        snprintf(b->why, b->why_cap, "the options are %d octets, no multiple of 4: nop or eol is missing", b->option_len);
        return false;
    }
    return true;
}

static size_t build_tcp(struct build *b, size_t cap)
{
    const struct script_packet *p = b->p;
    size_t len;
    uint8_t *o = b->octets + b->ip_len;

    if (!build_options(b))
        return 0;
    len = 20 + (size_t)b->option_len + p->len;
    if (len + (b->world->v6 ? 0 : 20) > 65535 || b->ip_len + len > cap)
        return build_refuse(b, "the packet is too long");
    memset(o, 0, len);
    packet_put16(o, b->space->remote_port != 0 ? b->space->remote_port : b->world->remote_port);
    packet_put16(o + 2, b->space->local_port != 0 ? b->space->local_port : b->world->listen_port);
    packet_put32(o + 4, p->seq + (p->seq_literal ? 0 : b->space->in_base));
    if (p->has_ack)
        packet_put32(o + 8, p->ack + (p->ack_literal ? 0 : b->space->out_base));
    packet_put16(o + 12, (uint32_t)(5 + b->option_len / 4) << 12 | (p->flags & 0x1ffu));
    packet_put16(o + 14, p->has_win ? p->win : 0);
    packet_put16(o + 18, p->has_urg ? p->urg : 0);
    if (b->option_len > 0)
        memcpy(o + 20, b->options, (size_t)b->option_len);
    uint64_t pseudo = packet_sum_pseudo(b->world->v6, b->world->remote, b->world->local, PACKET_TCP, len);
    packet_put16(o + 16, packet_sum_fold(packet_sum(pseudo, o, len)) ^ (p->bad_checksum ? 0x5555u : 0u));
    build_ip(b, b->octets, false, PACKET_TCP, len);
    return b->ip_len + len;
}

/* The packet that an ICMP message quotes: one that the stack under test would have sent, cut after the part that identifies it:
 * 8 octets with ICMP, as few as RFC 792 asks for; the fixed header with ICMPv6. */
static size_t build_quote(struct build *b, uint8_t *o)
{
    size_t kept = b->world->v6 ? 20 : 8;
    uint8_t *tcp = o + b->ip_len;

    memset(tcp, 0, kept);
    packet_put16(tcp, b->space->local_port != 0 ? b->space->local_port : b->world->listen_port);
    packet_put16(tcp + 2, b->space->remote_port != 0 ? b->space->remote_port : b->world->remote_port);
    packet_put32(tcp + 4, b->p->icmp_quotes ? b->p->quote_seq + b->space->out_base : b->space->out_base);
    if (b->world->v6)
        packet_put16(tcp + 12, 0x5010);
    build_ip(b, o, true, PACKET_TCP, 20 + (b->p->icmp_quotes ? (size_t)(b->p->quote_len & 0xffff) : 0));
    return b->ip_len + kept;
}

static size_t build_icmp(struct build *b, size_t cap)
{
    uint8_t *o = b->octets + b->ip_len;
    int type, code;
    size_t len;

    if (!packet_icmp_numbers(b->p, b->world->v6, &type, &code, b->why, b->why_cap))
        return 0;
    if (cap < 2 * b->ip_len + 8 + 20)
        return build_refuse(b, "the packet is too long");
    memset(o, 0, 8);
    o[0] = (uint8_t)type;
    o[1] = (uint8_t)code;
    if (b->p->icmp_mtu >= 0 && b->world->v6)
        packet_put32(o + 4, (uint32_t)b->p->icmp_mtu);
    else if (b->p->icmp_mtu >= 0)
        packet_put16(o + 6, (uint32_t)b->p->icmp_mtu);
    len = 8 + build_quote(b, o + 8);
    uint64_t pseudo = b->world->v6 ? packet_sum_pseudo(true, b->world->remote, b->world->local, PACKET_ICMP6, len) : 0;
    packet_put16(o + 2, packet_sum_fold(packet_sum(pseudo, o, len)) ^ (b->p->bad_checksum ? 0x5555u : 0u));
    build_ip(b, b->octets, false, b->world->v6 ? PACKET_ICMP6 : PACKET_ICMP4, len);
    return b->ip_len + len;
}

size_t packet_build(const struct script_packet *p, const struct packet_space *space, const struct target_world *world,
                    uint8_t *octets, size_t cap, char *why, size_t why_cap)
{
    struct build b = {.p = p, .space = space, .world = world, .octets = octets, .ip_len = world->v6 ? 40 : 20,
                      .why = why, .why_cap = why_cap};
    const char *refused = packet_refused(p, world->v6);

    if (refused != NULL)
        return build_refuse(&b, refused);
    return p->proto == SCRIPT_ICMP ? build_icmp(&b, cap) : build_tcp(&b, cap);
}
