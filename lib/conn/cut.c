/* cut.c - a super-segment into the segments that it stands for: what a device with segmentation offload does, for whoever has none.
 *
 * Knows headers and octets, no connection. The sum of the pseudo-header stands in the checksum field of what is partial; only its length
 * changes from segment to segment. RFC 9293 3.1. */
#include "conn/conn.h"

/* Where the text of segment i begins, and how long it is. */
struct cut_place {
    uint32_t at, len;
    bool last;
};

static bool cut_find(const weir_out *out, uint32_t i, struct cut_place *place)
{
    uint32_t text = out->len - out->header_len, size = out->gso_size > 0 ? out->gso_size : base_max32(text, 1);
    if (i > 0 && (i >= text || (uint64_t)i * size >= text)) {
        return false;
    }
    place->at = i * size;
    place->len = base_min32(text - place->at, size);
    place->last = place->at + place->len == text;
    return true;
}

/* Copies the text and sums it. */
static uint64_t cut_copy(const weir_out *out, const struct cut_place *place, uint8_t *to)
{
    uint32_t have = (uint32_t)out->body[0].len, first = place->at < have ? base_min32(have - place->at, place->len) : 0;
    uint64_t sum = 0;
    if (first > 0) { /* an empty slice may point nowhere */
        sum = weiri_sum_copy(to, out->body[0].octets + place->at, first, 0);
    }
    if (first < place->len) {
        uint64_t rest = weiri_sum_copy(to + first, out->body[1].octets + (place->at + first - have), place->len - first, 0);
        sum = weiri_sum_join(sum, rest, first);
    }
    return sum;
}

static void cut_ip(uint8_t *ip, uint32_t ip_len, uint32_t len)
{
    if (ip_len == WEIRI_IP4_HEADER) {
        uint16_t before = base_get16(ip + 2);
        base_put16(ip + 2, (uint16_t)len);
        base_put16(ip + 10, weiri_checksum_update(base_get16(ip + 10), before, (uint16_t)len));
    } else if (ip_len == WEIRI_IP6_HEADER) {
        base_put16(ip + 4, (uint16_t)(len - WEIRI_IP6_HEADER));
    }
}

/* The TCP header of a segment whose text has this sum. `whole`: the length, header included, that the sum of the pseudo-header is of. */
static void cut_tcp(uint8_t *tcp, uint32_t header_len, uint32_t whole, const struct cut_place *place, uint64_t sum)
{
    uint32_t len = header_len + place->len;
    base_put32(tcp + 4, base_get32(tcp + 4) + place->at);
    if (!place->last) {
        tcp[13] &= (uint8_t)~(WEIR_FIN | WEIR_PSH);
    }
    uint16_t pseudo = (uint16_t)~base_get16(tcp + 16);
    base_put16(tcp + 16, (uint16_t)~weiri_checksum_update(pseudo, (uint16_t)whole, (uint16_t)len));
    base_put16(tcp + 16, weiri_sum_finish(weiri_sum_join(sum, wire_sum_header(tcp, header_len), 0)));
}

WEIR_API size_t weir_out_cut(const weir_out *out, uint32_t i, uint8_t *octets, size_t cap)
{
    struct cut_place place;
    if (!cut_find(out, i, &place) || cap < out->header_len + place.len) {
        return 0;
    }
    uint32_t ip_len = WEIR_IP_HEADER_MAX - out->header_at, len = out->header_len + place.len;
    memcpy(octets, out->room + out->header_at, out->header_len);
    uint64_t sum = cut_copy(out, &place, octets + out->header_len);
    if (out->partial) {
        cut_ip(octets, ip_len, len);
        cut_tcp(octets + ip_len, out->header_len - ip_len, out->len - ip_len, &place, sum);
    }
    return len;
}

/* ---- all of one, in a row ------------------------------------------------------------------------------------------------------------ */

WEIR_PRIVATE void weiri_cut_begin(struct weiri_cut *k, const weir_out *out, const uint8_t *first)
{
    uint8_t tcp[WEIR_TCP_HEADER_MAX];
    k->ip_len = WEIR_IP_HEADER_MAX - out->header_at;
    uint32_t len = out->header_len - k->ip_len;
    uint16_t pseudo = (uint16_t)~base_get16(out->room + WEIR_IP_HEADER_MAX + 16);
    WEIR_ASSERT(out->header_len >= WEIRI_IP4_HEADER + 20);
    k->out = out;
    k->first = first;
    k->at = out->gso_size;
    k->seq = base_get32(first + k->ip_len + 4);
    memcpy(tcp, first + k->ip_len, len);
    base_put32(tcp + 4, 0);
    base_put16(tcp + 16, (uint16_t)~weiri_checksum_update(pseudo, (uint16_t)(out->len - k->ip_len), (uint16_t)(len + out->gso_size)));
    k->same = wire_sum_header(tcp, len);
}

/* Copies the text of the next and adds its sum. Mostly it lies in one piece. */
static uint64_t cut_copy_next(const struct weiri_cut *k, uint8_t *to, uint64_t sum)
{
    const weir_out *out = k->out;
    const struct cut_place place = {k->at, out->gso_size, false};
    uint32_t have = (uint32_t)out->body[0].len;
    if (place.at + place.len <= have) {
        return weiri_sum_copy(to, out->body[0].octets + place.at, place.len, sum);
    }
    return weiri_sum_join(cut_copy(out, &place, to), sum, 0);
}

WEIR_PRIVATE size_t weiri_cut_next(struct weiri_cut *k, uint8_t *octets)
{
    const weir_out *out = k->out;
    const uint32_t headers = out->header_len, least = WEIRI_IP4_HEADER + 20;
    const uint32_t seq = k->seq + k->at;
    uint8_t *tcp = octets + k->ip_len;
    if (headers + k->at + out->gso_size >= out->len) {
        return 0;
    }
    memcpy(octets, k->first, least);
    if (headers > least) {
        memcpy(octets + least, k->first + least, headers - least);
    }
    base_put32(tcp + 4, seq);
    base_put16(tcp + 16, weiri_sum_finish(cut_copy_next(k, octets + headers, k->same + weiri_sum_word(seq))));
    k->at += out->gso_size;
    return headers + out->gso_size;
}
