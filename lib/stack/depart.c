/* depart.c - a packet's way out: answers that belong to nobody first, then the segments of the connections that have something to send, in
 * turns of a few: trains are cheap to make and to take. Puts the IP header in front of what is there. RFC 9293 3.9 (MUST-48, MUST-49,
 * SHLD-21), RFC 1191 3, RFC 8200. */
#include "stack/room.h"

#define DEPART_TURN 8u /* packets of one connection that go in a row while others wait */

/* DF always: the path MTU is found, not guessed, and the Identification need not be unique (RFC 6864 4.1). */
WEIR_PRIVATE size_t weiri_depart(weir_stack *s, weir_out *out, struct weiri_ip_fields *ip)
{
    out->ecn = ip->traffic_class & 3u;
    ip->payload_len = out->len;
    ip->ttl = s->cfg.tcp.ttl;
    ip->dont_fragment = true;
    const size_t header = weiri_ip_emit(out->room + out->header_at, ip);
    out->header_at = (uint16_t)(out->header_at - header);
    out->header_len = (uint16_t)(out->header_len + header);
    out->len += (uint32_t)header;
    s->stats.packets_out++;
    s->stats.octets_out += out->len;
    return out->len;
}

/* What a super-segment may have so that it is cut into so many packets at most. */
static uint32_t depart_most(const weir_conn *c, uint32_t packets)
{
    const uint32_t text = base_min32(packets, UINT16_MAX) * conn_full_text(c);
    return packets > 1 ? base_min32(conn_ip_header(c) + WEIR_TCP_HEADER_MAX + base_min32(text, UINT16_MAX), UINT16_MAX) : 0;
}

/* `copied`: so many packets at most, each with the TCP checksum left for whoever copies it; 0: as the connection gives them. */
static size_t depart_segment(weir_stack *s, uint32_t i, weir_out *out, uint32_t copied)
{
    weir_conn *c = slot_conn(s, i);
    const uint32_t before = WEIRI_COUNTED(c, retrans);
    s->going.left = 0;
    const size_t len = copied > 0 ? weiri_out_open(c, out, depart_most(c, copied), s->now) : weir_poll(c, out, s->now);
    if (len == 0) { /* it had something to send before */
        return 0;
    }
    stack_about(s, i);
    s->stats.retransmitted += WEIRI_COUNTED(c, retrans) - before;
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

/* Others wait, and it is still the turn of the one that sent last. */
static bool depart_has_turn(const weir_stack *s)
{
    return s->going.turn > 0 && s->touched != WEIRI_NONE && s->touched == s->going.whose;
}

/* Its packet has gone. What is known to have no other need not be asked. */
static void depart_touch(weir_stack *s, uint32_t i)
{
    weiri_slot_touch(s, i);
    if (s->touched == i) {
        s->hushed = weiri_out_hush(slot_conn(s, i));
    }
}

static size_t depart_train(weir_stack *s, weir_out *out, uint32_t copied)
{
    const uint32_t i = s->touched;
    const size_t len = s->hushed ? 0 : depart_segment(s, i, out, copied);
    if (len > 0) {
        depart_touch(s, i);
    } else {
        weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, i);
    }
    return len;
}

/* The first in the queue; whoever comes after it has the next turn. */
static size_t depart_next(weir_stack *s, weir_out *out, uint32_t copied)
{
    const uint32_t i = s->out.head;
    const bool others = s->out.count > 1;
    if (others) {
        weiri_list_remove(s, &s->out, WEIRI_LIST_OUT, i);
        weiri_list_push(s, &s->out, WEIRI_LIST_OUT, i);
    }
    const size_t len = depart_segment(s, i, out, others ? base_min32(copied, DEPART_TURN) : copied);
    if (len > 0) {
        s->going.whose = i;
        s->going.turn = others ? DEPART_TURN : 0;
        depart_touch(s, i); /* a block given back keeps its octets */
    } else {
        weiri_slot_settle_silent(s, i);
    }
    return len;
}

/* So many packets have gone. */
static void depart_count(weir_stack *s, size_t packets)
{
    s->going.turn -= base_min32((uint32_t)packets, s->going.turn);
}

/* The next segment of the connections that have one, in turn. */
static size_t depart_turn(weir_stack *s, weir_out *out, uint32_t copied)
{
    if (depart_is_alone(s)) {
        return depart_train(s, out, copied);
    }
    size_t len = depart_has_turn(s) ? depart_train(s, out, base_min32(copied, s->going.turn)) : 0;
    if (len == 0) {
        weiri_slot_untouch(s);
    }
    for (uint32_t turns = s->out.count; len == 0 && turns > 0; turns--) { /* one turn: not all have something */
        len = depart_next(s, out, copied);
    }
    return len;
}

WEIR_API size_t weir_stack_poll(weir_stack *s, weir_out *out, weir_us now)
{
    stack_begin_packet(s, now);
    stack_about(s, WEIRI_NONE);
    size_t len = depart_answer(s, out);
    if (len == 0 && (len = depart_turn(s, out, 0)) > 0) {
        depart_count(s, out->gso_size > 0 ? DEPART_TURN : 1);
    }
    return len;
}

/* The next packet like the one before it; 0: what comes has to be decided. */
static size_t depart_again(weir_stack *s)
{
    struct weiri_going *g = &s->going;
    if (!WEIR_WITH_PREDICTION || g->left == 0 || g->at != s->now || !(depart_is_alone(s) || depart_has_turn(s))) {
        return 0;
    }
    const uint32_t text = weiri_out_repeat(slot_conn(s, s->touched), &g->out);
    if (text == 0) {
        return 0;
    }
    g->left -= text;
    stack_about(s, s->touched);
    s->stats.packets_out++;
    s->stats.octets_out += g->out.len;
    return g->out.len;
}

static size_t depart_one(weir_stack *s)
{
    struct weiri_going *g = &s->going;
    const size_t len = depart_turn(s, &g->out, 1);
    if (WEIR_WITH_PREDICTION && len > 0 && (depart_is_alone(s) || depart_has_turn(s))) {
        g->at = s->now;
        g->left = weiri_out_ahead(slot_conn(s, s->touched), &g->out);
    }
    return len;
}

WEIR_API size_t weir_stack_poll_copy(weir_stack *s, uint8_t *packet, size_t cap, weir_us now)
{
    weir_out *out = &s->going.out;
    if (cap < s->cfg.tcp.mtu) {
        return 0;
    }
    stack_begin_packet(s, now);
    stack_about(s, WEIRI_NONE);
    if (depart_answer(s, out) > 0) {
        s->going.left = 0;
        return weir_out_copy(out, packet, cap);
    }
    if (depart_again(s) == 0 && depart_one(s) == 0) {
        return 0;
    }
    depart_count(s, 1);
    return weiri_out_copy_closed(out, packet);
}

/* Cuts a super-segment over the places that it was made for, or copies the one packet that it is; how many. */
static size_t depart_spread(weir_stack *s, const weir_out *out, weir_place *places)
{
    struct weiri_cut cut;
    size_t count = 1;
    if (out->gso_size == 0) {
        places[0].len = weiri_out_copy_closed(out, places[0].octets);
        return count;
    }
    places[0].len = weir_out_cut(out, 0, places[0].octets, places[0].cap);
    weiri_cut_begin(&cut, out, places[0].octets);
    while ((places[count].len = weiri_cut_next(&cut, places[count].octets)) > 0) { /* the places */
        count++;
    }
    places[count].len = weir_out_cut(out, (uint32_t)count, places[count].octets, places[count].cap);
    count++;
    s->stats.packets_out += count - 1; /* it was counted as one */
    s->stats.octets_out += (count - 1) * out->header_len;
    return count;
}

/* Could there be more than one packet of one connection now? */
static bool depart_wants(const weir_stack *s)
{
    return depart_is_alone(s) ? conn_unsent(slot_conn(s, s->touched)) > 0 : s->out.count > 0;
}

/* How many places follow that hold a packet. */
static size_t depart_places(const weir_stack *s, const weir_place *places, size_t count)
{
    size_t good = 0;
    while (good < count && places[good].cap >= s->cfg.tcp.mtu) { /* the places */
        good++;
    }
    return good;
}

WEIR_API size_t weir_stack_poll_batch(weir_stack *s, weir_place *places, size_t count, weir_us now)
{
    weir_out out;
    size_t done = 0, good = 0;
    while (done < count && places[done].cap >= s->cfg.tcp.mtu) { /* each turn fills a place at least, or ends it */
        stack_begin_packet(s, now);
        stack_about(s, WEIRI_NONE);
        good = good == 0 && depart_wants(s) ? depart_places(s, places, count) : good;
        const size_t left = good > done ? good - done : 1;
        if (depart_answer(s, &out) > 0) {
            places[done].len = weir_out_copy(&out, places[done].octets, places[done].cap);
            done++;
        } else if (depart_turn(s, &out, left < UINT16_MAX ? (uint32_t)left : UINT16_MAX) > 0) {
            const size_t gone = depart_spread(s, &out, places + done);
            depart_count(s, gone);
            done += gone;
        } else {
            break;
        }
    }
    return done;
}

#undef DEPART_TURN
