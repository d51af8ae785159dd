/* answer.c - answers that belong to no connection: RST for segments nobody has asked for, acknowledgments from TIME-WAIT records,
 * echo replies. RFC 9293 3.10.7.1, 3.5.2; RFC 7323 5.2; RFC 1122 3.2.2.6; RFC 4443 4.2.
 *
 * They wait in two small rings until they are polled. RST and echo replies have a budget, apart from any connection's. It is cut into
 * equal shares for groups of remote addresses that are drawn anew each second: whoever uses up his own learns nothing of what
 * others were sent in his name or theirs (RFC 5961 7 asks for bounds; a shared one can be watched from outside). */
#include "stack/room.h"

#define ANSWER_RESETS_MAX (WEIRI_ANSWERS / 2) /* so that RST cannot crowd out acknowledgments */
#define ANSWER_SECOND_SHIFT 20u

WEIR_PRIVATE void weiri_answer_init(weir_stack *s, uint8_t *echo_octets, uint32_t echo_size)
{
    memset(&s->answers, 0, sizeof s->answers);
    s->answers.echo_octets = echo_octets;
    s->answers.echo_size = echo_size;
    weiri_key_derive(s->answers.key, s->cfg.tcp.secret, "weir replies");
}

/* As many groups as there are replies, within bounds: a power of two. */
static uint32_t answer_groups(const weir_stack *s)
{
    uint32_t groups = WEIRI_REPLY_GROUPS;
    while (groups > s->cfg.replies_per_second && groups > 1) { /* 8 */
        groups /= 2;
    }
    return groups;
}

/* Who can send from one address of an IPv6 network can send from all of its /64: they count as one. */
static uint32_t answer_group(const weir_stack *s, const weir_addr *remote, uint32_t groups)
{
    uint8_t text[20];
    memcpy(text, remote->octets, 16);
    if (!weir_addr_is_v4(remote)) {
        memset(text + 8, 0, 8);
    }
    base_put32(text + 16, (uint32_t)s->answers.second);
    return (uint32_t)weir_siphash(s->answers.key, text, sizeof text) & (groups - 1);
}

static bool answer_allowed(weir_stack *s, const weir_addr *remote)
{
    struct weiri_answers *r = &s->answers;
    const uint32_t groups = answer_groups(s), share = s->cfg.replies_per_second / groups;
    if (r->second != s->now >> ANSWER_SECOND_SHIFT) {
        r->second = s->now >> ANSWER_SECOND_SHIFT;
        memset(r->spent, 0, sizeof r->spent);
    }
    uint32_t *spent = &r->spent[answer_group(s, remote, groups)];
    if (*spent >= share) {
        s->stats.replies_dropped++;
        return false;
    }
    (*spent)++;
    return true;
}

static bool answer_push(weir_stack *s, const struct weiri_answer *answer, uint32_t room)
{
    struct weiri_answers *r = &s->answers;
    if (r->count >= room) {
        s->stats.replies_dropped++;
        return false;
    }
    r->ring[(r->head + r->count) % WEIRI_ANSWERS] = *answer;
    r->count++;
    return true;
}

WEIR_PRIVATE bool weiri_answer_ack(weir_stack *s, const struct weiri_answer *answer)
{
    return answer_push(s, answer, WEIRI_ANSWERS);
}

/* One for one SYN of about the same size: there is nothing to amplify, and no budget to exhaust but the ring. */
WEIR_PRIVATE bool weiri_answer_syn_ack(weir_stack *s, const struct weiri_answer *answer)
{
    return answer_push(s, answer, ANSWER_RESETS_MAX);
}

WEIR_PRIVATE void weiri_answer_reset(weir_stack *s, const weir_tuple *tuple, const weir_view *view)
{
    if ((view->flags & WEIR_RST) || !answer_allowed(s, &tuple->remote)) {
        return;
    }
    struct weiri_answer r;
    memset(&r, 0, sizeof r);
    r.tuple = *tuple;
    r.flags = WEIR_RST;
    if (view->flags & WEIR_ACK) {
        r.seq = view->ack;
    } else {
        r.ack = seq_add(view->seq, weir_view_len(view));
        r.flags = WEIR_RST | WEIR_ACK;
    }
    r.options = view->options & WEIR_OPT_TIMESTAMPS;
    r.ts_echo = view->ts_value; /* RFC 7323 5.2: and the value is 0 */
    (void)answer_push(s, &r, ANSWER_RESETS_MAX);
}

WEIR_PRIVATE void weiri_answer_echo(weir_stack *s, const struct weiri_ip *ip)
{
    struct weiri_answers *r = &s->answers;
    if (!answer_allowed(s, &ip->addrs.source)) {
        return;
    }
    const uint32_t header = ip->version == 4 ? WEIRI_IP4_HEADER : WEIRI_IP6_HEADER;
    if (r->echo_count == WEIRI_ECHOES || ip->payload_len > r->echo_size - header) { /* the reply must fit the MTU, which is echo_size */
        s->stats.replies_dropped++;
        return;
    }
    const uint32_t at = (r->echo_head + r->echo_count) % WEIRI_ECHOES;
    struct weiri_echo *e = &r->echoes[at];
    uint8_t *octets = r->echo_octets + (size_t)at * r->echo_size;
    e->addrs.source = ip->addrs.destination;
    e->addrs.destination = ip->addrs.source;
    e->len = ip->payload_len;
    e->protocol = ip->protocol;
    e->traffic_class = (uint8_t)(ip->traffic_class & ~3u); /* RFC 1122 3.2.4.2: as the request; ECN is not for echoes */
    memcpy(octets, ip->payload, ip->payload_len);
    weiri_icmp_echo_reply(octets, ip->payload_len);
    r->echo_count++;
}

static size_t answer_emit_tcp(weir_stack *s, weir_out *out, const struct weiri_answer *r)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    f.seq = r->seq;
    f.ack = r->ack;
    f.source_port = r->tuple.local_port;
    f.destination_port = r->tuple.remote_port;
    f.flags = r->flags;
    f.options = r->options;
    f.window = r->window;
    f.mss = r->mss;
    f.wscale = r->wscale;
    f.ts_value = r->ts_value;
    f.ts_echo = r->ts_echo;
    out->depart_at = 0;
    out->header_at = WEIR_IP_HEADER_MAX;
    out->header_len = (uint16_t)weir_emit_header(out->room + WEIR_IP_HEADER_MAX, &f);
    out->len = out->header_len;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = r->tuple.local;
    ip.addrs.destination = r->tuple.remote;
    ip.protocol = WEIRI_PROTO_TCP;
    ip.traffic_class = (uint8_t)(s->cfg.tcp.dscp << 2);
    weir_emit_checksum(out->room + WEIR_IP_HEADER_MAX, out->len, &ip.addrs);
    s->stats.resets_out += (r->flags & WEIR_RST) != 0;
    return weiri_depart(s, out, &ip);
}

static size_t answer_emit_echo(weir_stack *s, weir_out *out, uint32_t at)
{
    const struct weiri_echo *e = &s->answers.echoes[at];
    out->depart_at = 0;
    out->header_at = WEIR_IP_HEADER_MAX;
    out->header_len = 0;
    out->len = e->len;
    out->body[0].octets = s->answers.echo_octets + (size_t)at * s->answers.echo_size;
    out->body[0].len = e->len;
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs = e->addrs;
    ip.protocol = e->protocol;
    ip.traffic_class = e->traffic_class;
    s->stats.echo_replies++;
    return weiri_depart(s, out, &ip);
}

WEIR_PRIVATE size_t weiri_answer_poll(weir_stack *s, weir_out *out)
{
    struct weiri_answers *r = &s->answers;
    WEIR_ASSERT(r->count != 0 || r->echo_count != 0);
    memset(out->body, 0, sizeof out->body);
    out->gso_size = 0;
    out->partial = false;
    if (r->count != 0) {
        const uint32_t at = r->head;
        r->head = (at + 1) % WEIRI_ANSWERS;
        r->count--;
        return answer_emit_tcp(s, out, &r->ring[at]);
    }
    const uint32_t at = r->echo_head;
    r->echo_head = (at + 1) % WEIRI_ECHOES;
    r->echo_count--;
    return answer_emit_echo(s, out, at);
}

#undef ANSWER_RESETS_MAX
#undef ANSWER_SECOND_SHIFT
