/* depart.c - a packet's way out: answers that belong to nobody first, then one segment of each connection that has something to
 * send, in turn. Puts the IP header in front of what is there. RFC 9293 3.9 (MUST-48, MUST-49, SHLD-21), RFC 1191 3, RFC 8200. */
#include "stack/room.h"

/* DF always: the path MTU is found, not guessed, and the Identification need not be unique (RFC 6864 4.1). */
WEIR_PRIVATE size_t weiri_depart(weir_stack *s, weir_out *out, const struct weiri_ip_fields *fields)
{
    struct weiri_ip_fields ip = *fields;
    out->ecn = ip.traffic_class & 3u;
    ip.payload_len = out->len;
    ip.ttl = s->cfg.tcp.ttl;
    ip.dont_fragment = true;
    const size_t header = weiri_ip_emit(out->room + out->header_at, &ip);
    out->header_at = (uint16_t)(out->header_at - header);
    out->header_len = (uint16_t)(out->header_len + header);
    out->len += (uint32_t)header;
    s->stats.packets_out++;
    s->stats.octets_out += out->len;
    return out->len;
}

/* `open`: the TCP checksum is left for whoever copies the packet. */
static size_t depart_segment(weir_stack *s, uint32_t i, weir_out *out, bool open)
{
    weir_conn *c = slot_conn(s, i);
    const uint32_t before = c->count.retrans;
    const size_t len = open ? weiri_out_open(c, out, 0, s->now) : weir_poll(c, out, s->now);
    if (len == 0) { /* it had something to send before */
        return 0;
    }
    s->last = weiri_slot_handle(s, i);
    s->stats.retransmitted += c->count.retrans - before;
    s->stats.resets_out += (out->room[out->header_at + 13] & WEIR_RST) != 0;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = c->tuple.local;
    ip.addrs.destination = c->tuple.remote;
    ip.protocol = WEIRI_PROTO_TCP;
    ip.traffic_class = (uint8_t)(c->dscp << 2 | out->ecn);
    return weiri_depart(s, out, &ip);
}

static size_t depart_answer(weir_stack *s, weir_out *out)
{
    return s->answers.count > 0 || s->answers.echo_count > 0 ? weiri_answer_poll(s, out) : 0;
}

/* The connection that a train of packets belongs to, if no other has anything to send. */
static bool depart_is_alone(const weir_stack *s)
{
    return s->touched != WEIRI_NONE && (s->out.count == 0 || (s->out.count == 1 && s->out.head == s->touched));
}

static size_t depart_train(weir_stack *s, weir_out *out, bool open)
{
    const uint32_t i = s->touched;
    const size_t len = depart_segment(s, i, out, open);
    if (len > 0) {
        weiri_slot_touch(s, i);
    } else {
        weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, i);
    }
    return len;
}

/* The next segment of the connections that have one, in turn. */
static size_t depart_turn(weir_stack *s, weir_out *out, bool open)
{
    size_t len = 0;
    if (depart_is_alone(s)) {
        return depart_train(s, out, open);
    }
    weiri_slot_untouch(s);
    for (uint32_t turns = s->out.count; len == 0 && turns > 0; turns--) { /* one turn: not all have something */
        const uint32_t i = s->out.head;
        if (s->out.count > 1) { /* whoever comes after it has the next turn */
            weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, i);
            weiri_list_push(s, &s->out, WEIRI_LIST_OUT, i);
        }
        len = depart_segment(s, i, out, open);
        if (len > 0) {
            weiri_slot_touch(s, i); /* a block given back keeps its octets */
        } else {
            weiri_slot_settle_silent(s, i);
        }
    }
    return len;
}

WEIR_API size_t weir_stack_poll(weir_stack *s, weir_out *out, weir_us now)
{
    weiri_stack_begin_packet(s, now);
    s->last = 0;
    const size_t len = depart_answer(s, out);
    return len > 0 ? len : depart_turn(s, out, false);
}

WEIR_API size_t weir_stack_poll_copy(weir_stack *s, uint8_t *packet, size_t cap, weir_us now)
{
    weir_out out;
    if (cap < s->cfg.tcp.mtu) {
        return 0;
    }
    weiri_stack_begin_packet(s, now);
    s->last = 0;
    if (depart_answer(s, &out) > 0) {
        return weir_out_copy(&out, packet, cap);
    }
    return depart_turn(s, &out, true) > 0 ? weiri_out_copy_closed(&out, packet) : 0;
}
