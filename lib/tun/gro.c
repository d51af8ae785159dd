/* gro.c - segments that follow each other become one packet before the stack sees them, where the device gives them one by one.
 *
 * Joined is only what plain TCP could have sent as one segment: the same sockets, acknowledgment, window and options, no flag but ACK and a
 * PSH at the end, text that follows, full segments but the last. So nothing is lost by it, and what it came as is told with it
 * (weir_offload.gso_size). The checksum of each is verified before it is joined.
 *
 * A packet is read behind the one that is being collected; joining moves its text to where its header was.
 */
#include <string.h>

#include "tun/room.h"

static uint32_t gro_get16(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 8 | octets[1];
}

static void gro_put16(uint8_t *octets, uint32_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

/* The sum of an IPv4 header, folded: 0xffff if its checksum is right. */
static uint32_t gro_sum4(const uint8_t *ip)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += gro_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* An IPv4 packet without options, whole, with TCP in it. */
static bool gro_view4(const uint8_t *ip, size_t len, weir_pseudo *pseudo)
{
    if (len < 40 || ip[0] != 0x45 || gro_get16(ip + 2) != len || (ip[6] & 0xbf) != 0 || ip[7] != 0 || ip[9] != 6)
        return false;
    pseudo->source = weir_addr_v4(ip[12], ip[13], ip[14], ip[15]);
    pseudo->destination = weir_addr_v4(ip[16], ip[17], ip[18], ip[19]);
    return gro_sum4(ip) == 0xffff;
}

/* An IPv6 packet without extension headers. */
static bool gro_view6(const uint8_t *ip, size_t len, weir_pseudo *pseudo)
{
    if (len < 60 || ip[0] >> 4 != 6 || gro_get16(ip + 4) != len - 40 || ip[6] != 6)
        return false;
    memcpy(pseudo->source.octets, ip + 8, 16);
    memcpy(pseudo->destination.octets, ip + 24, 16);
    return true;
}

/* The packet at the place to read to, if it is one that others may be joined to. */
static bool gro_view(const struct weiri_gro *g, size_t len, bool checked, struct weiri_gro_packet *p)
{
    const uint8_t *ip = g->octets + g->len;
    weir_pseudo pseudo;

    p->ip_len = len > 0 && ip[0] >> 4 == 4 ? 20 : 40;
    if (!(p->ip_len == 20 ? gro_view4(ip, len, &pseudo) : gro_view6(ip, len, &pseudo)))
        return false;
    if (weir_view_segment(&p->view, ip + p->ip_len, len - p->ip_len, checked ? NULL : &pseudo) != WEIR_OK)
        return false;
    p->header_len = (uint32_t)p->ip_len + p->view.header_len;
    return (p->view.flags & ~(unsigned)WEIR_PSH) == WEIR_ACK && p->view.payload_len > 0 && (p->view.odd & WEIR_ODD_RESERVED) == 0;
}

/* Type of service, time to live, addresses; ports, acknowledgment, window and options. Lengths, sums and numbers are not compared. */
static bool gro_same_header(const uint8_t *a, const uint8_t *b, uint32_t ip_len, uint32_t header_len)
{
    const uint8_t *tcp_a = a + ip_len, *tcp_b = b + ip_len;
    bool same = ip_len == 20 ? memcmp(a, b, 2) == 0 && memcmp(a + 6, b + 6, 4) == 0 && memcmp(a + 12, b + 12, 8) == 0
                             : memcmp(a, b, 4) == 0 && memcmp(a + 6, b + 6, 34) == 0;

    return same && memcmp(tcp_a, tcp_b, 4) == 0 && memcmp(tcp_a + 8, tcp_b + 8, 5) == 0 && memcmp(tcp_a + 14, tcp_b + 14, 2) == 0 &&
           memcmp(tcp_a + 18, tcp_b + 18, header_len - ip_len - 18) == 0;
}

static bool gro_follows(const struct weiri_gro *g, const struct weiri_gro_packet *p)
{
    const uint8_t *packet = g->octets + g->len;

    return g->open && p->ip_len == g->ip_len && p->header_len == g->header_len && p->view.seq.v == g->next.v &&
           p->view.payload_len <= g->size && g->len + p->view.payload_len <= WEIRI_GRO_MAX &&
           gro_same_header(g->octets, packet, p->ip_len, p->header_len);
}

/* The lengths in the header of what was joined. */
static void gro_set_lengths(struct weiri_gro *g)
{
    if (g->ip_len == 20) {
        gro_put16(g->octets + 2, g->len);
        gro_put16(g->octets + 10, 0);
        gro_put16(g->octets + 10, ~gro_sum4(g->octets));
    } else {
        gro_put16(g->octets + 4, g->len - 40);
    }
}

static void gro_join(struct weiri_gro *g, const struct weiri_gro_packet *p)
{
    uint8_t *end = g->octets + g->len;

    memmove(end, end + p->header_len, p->view.payload_len);
    g->len += p->view.payload_len;
    g->next.v += p->view.payload_len;
    g->octets[g->ip_len + 13] |= (uint8_t)p->view.flags;
    g->open = p->view.payload_len == g->size && (p->view.flags & WEIR_PSH) == 0;
    g->count++;
}

static void gro_begin(struct weiri_gro *g, size_t len, const struct weiri_gro_packet *p)
{
    g->len = (uint32_t)len;
    g->ip_len = p->ip_len;
    g->header_len = p->header_len;
    g->size = p->view.payload_len;
    g->next.v = p->view.seq.v + p->view.payload_len;
    g->open = (p->view.flags & WEIR_PSH) == 0;
    g->count = 1;
}

uint8_t *weiri_gro_room(struct weiri_gro *g)
{
    return g->octets + g->len;
}

enum weiri_gro_fate weiri_gro_add(struct weiri_gro *g, size_t len, const weir_offload *offload)
{
    struct weiri_gro_packet p;

    if (len == 0 || len > WEIRI_GRO_MAX || offload->gso_size != 0 || !gro_view(g, len, offload->checked, &p))
        return WEIRI_GRO_APART;
    if (g->len == 0) {
        gro_begin(g, len, &p);
        return WEIRI_GRO_TAKEN;
    }
    if (!gro_follows(g, &p))
        return WEIRI_GRO_NEXT;
    gro_join(g, &p);
    return WEIRI_GRO_TAKEN;
}

size_t weiri_gro_take(struct weiri_gro *g, weir_offload *offload)
{
    size_t len = g->len;

    memset(offload, 0, sizeof *offload);
    offload->checked = len != 0;
    if (g->count > 1) {
        gro_set_lengths(g);
        offload->gso_size = (uint16_t)g->size;
    }
    g->len = 0;
    g->count = 0;
    return len;
}
