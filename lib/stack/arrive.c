/* arrive.c - a packet's way in: IP, addresses, then ICMP or TCP; then TIME-WAIT record, connection, listener, or nobody.
 *
 * Addresses are judged before anything else is looked at: RFC 1122 3.2.1.3, RFC 9293 3.9.2 (MUST-57, MUST-63); but not again where the
 * sockets have a connection. Every way ends in a verdict, which weir_stack_input counts. Constant work for each packet. RFC 9293 3.10.7. */
#include "stack/room.h"

/* Both sockets the same (RFC 9293 3.9.2.3: invalid source): such a packet would have a connection talk to itself. */
static bool arrive_is_land(const struct weiri_ip *ip)
{
    return ip->protocol == WEIRI_PROTO_TCP && ip->payload_len >= 4 && weir_addr_equal(&ip->addrs.source, &ip->addrs.destination) &&
           base_get16(ip->payload) == base_get16(ip->payload + 2);
}

static enum weir_verdict arrive_judge_addrs(const weir_stack *s, const struct weiri_ip *ip)
{
    const weir_addr *source = &ip->addrs.source, *destination = &ip->addrs.destination;
    if (!weiri_addr_is_peer(s, destination)) {
        return WEIR_IP_DESTINATION;
    }
    if (!s->cfg.any_destination && !weiri_addr_is_ours(s, destination)) {
        return WEIR_IP_DESTINATION;
    }
    if (!weiri_addr_is_peer(s, source)) {
        return WEIR_IP_SOURCE;
    }
    if (arrive_is_land(ip)) {
        return WEIR_LAND;
    }
    return !s->cfg.accept_martians && weiri_addr_is_ours(s, source) ? WEIR_IP_SOURCE : WEIR_OK;
}

/* Who was half-open in a small record is a connection; WEIRI_NONE: not now. */
static uint32_t arrive_whole(weir_stack *s, uint32_t i)
{
    return !WEIR_WITH_SYN_RECORDS || i < weiri_syn_number(s, 0) ? i : weiri_syn_wake(s, i - weiri_syn_number(s, 0));
}

/* ---- ICMP ---- */

/* An error that reached us must quote a packet that we sent: its source is where the error went. RFC 5927 4.1;
 * RFC 9293 3.9.2.2 (MUST-54). */
static enum weir_verdict arrive_icmp_error(weir_stack *s, const struct weiri_ip *ip, const struct weiri_icmp_view *icmp)
{
    if (!weir_addr_equal(&icmp->quoted.local, &ip->addrs.destination)) {
        return WEIR_ICMP_UNMATCHED;
    }
    const uint32_t found = weiri_demux_find(s, &icmp->quoted), half = weiri_syn_number(s, 0);
    const bool recorded = stack_has_syns(s) && found != WEIRI_NONE && found >= half && weiri_syn_sent(s, found - half, icmp->error.seq);
    if (found >= s->cfg.connections_max && !recorded) { /* nobody, or a TIME-WAIT record, which has nothing in flight */
        return WEIR_ICMP_UNMATCHED;
    }
    const uint32_t i = arrive_whole(s, found);
    weir_conn *c = i == WEIRI_NONE ? NULL : weiri_rest_wake(s, i);
    if (!c) {
        return WEIR_NO_ROOM;
    }
    stack_about(s, i);
    const bool taken = weir_input_icmp(c, &icmp->error, s->now);
    weiri_slot_settle(s, i);
    s->stats.icmp_taken += taken;
    return taken ? WEIR_OK : WEIR_ICMP_UNMATCHED;
}

static enum weir_verdict arrive_icmp(weir_stack *s, const struct weiri_ip *ip)
{
    struct weiri_icmp_view icmp;
    const enum weir_verdict verdict = weiri_icmp_view(&icmp, ip);
    if (verdict != WEIR_OK) {
        return verdict;
    }
    if (icmp.type == WEIRI_ICMP_ERROR) {
        return arrive_icmp_error(s, ip, &icmp);
    }
    if (!s->cfg.echo_reply || !weiri_addr_is_ours(s, &ip->addrs.destination)) {
        return WEIR_ICMP_UNKNOWN;
    }
    weiri_answer_echo(s, ip);
    return WEIR_OK;
}

/* ---- TCP ---- */

/* A segment, the sockets it names, and what is known of an old connection between them. */
struct arrive_tcp {
    weir_tuple tuple;
    const weir_view *view;
    const weir_view *syn; /* told by a cookie that the segment brings back; NULL: by none */
    bool reopens;        /* it ends a TIME-WAIT of these sockets early .. */
    weir_seq old_nxt;    /* .. and this was the old connection's SND.NXT */
};

/* How many half-open connections there may be for this SYN: from three quarters of the bound on, by chance. Where a queue ends can be
 * watched from outside, and would tell how many others wait in it. */
static uint32_t arrive_bound(const weir_stack *s, uint32_t bound, const struct arrive_tcp *a)
{
    uint8_t text[24];
    memcpy(text, a->tuple.remote.octets, 16);
    base_put32(text + 16, a->view->seq.v);
    base_put32(text + 20, (uint32_t)s->stats.packets_in);
    const uint64_t drawn = weir_siphash(s->answers.key, text, sizeof text) & UINT32_MAX;
    return bound - (uint32_t)(drawn * (bound / 4) >> 32);
}

/* The number of half-open connections is up to this SYN's bound: the draw is made only where it can matter. */
static bool arrive_is_full(const weir_stack *s, uint32_t count, uint32_t bound, const struct arrive_tcp *a)
{
    return count >= bound - bound / 4 && count >= arrive_bound(s, bound, a);
}

/* May this SYN open a connection? Asked before anything is taken for it, or given up but the whole records of those who wait. */
static enum weir_verdict arrive_judge_syn(weir_stack *s, uint32_t listener, const struct arrive_tcp *a)
{
    const struct weiri_listener *l = &s->listeners[listener];
    if (arrive_is_full(s, s->stats.half_open, s->cfg.half_open_max, a) ||
        arrive_is_full(s, l->half.count + l->recorded, l->spec.backlog, a)) {
        return WEIR_BACKLOG_FULL;
    }
    weiri_syn_make_room(s, listener);
    return weiri_slot_possible(s) ? WEIR_OK : WEIR_NO_ROOM;
}

/* LISTEN (3.10.7.2): the connection is opened in a record of its own, with both sockets named. */
static enum weir_verdict arrive_open(weir_stack *s, uint32_t listener, const struct arrive_tcp *a)
{
    const uint32_t i = weiri_slot_open(s, false);
    if (i == WEIRI_NONE) { /* whoever was to give way could not be packed */
        return WEIR_NO_ROOM;
    }
    weir_conn *c = slot_conn(s, i);
    const weir_err err = weiri_conn_open(c, &a->tuple, WEIRI_STAGE_OPEN_PASSIVE, s->now);
    if (WEIR_NEVER(err != WEIR_ERR_NONE)) {
        weiri_slot_free(s, i);
        return WEIR_NO_ROOM;
    }
    if (s->listeners[listener].spec.hold) {
        weir_hold(c);
    }
    if (a->reopens) {
        weiri_conn_set_iss_floor(c, a->old_nxt);
    }
    if (a->syn) {
        const weir_seq cookie = seq_sub(a->view->ack, 1);
        weiri_cookie_spend(s, cookie);
        weiri_conn_recall(c, a->syn, cookie, s->now);
        weiri_slot_passive(s, i, listener);
    } else {
        weiri_slot_half_open(s, i, listener);
    }
    weiri_slot_link(s, i);
    stack_about(s, i);
    (void)weir_input(c, a->view, s->now);
    s->stats.passive_opens++;
    weiri_slot_touch(s, i);
    return WEIR_OK;
}

/* A SYN for a listener: a connection, or a cookie where there is no room for half of one. */
static enum weir_verdict arrive_syn(weir_stack *s, uint32_t listener, const struct arrive_tcp *a)
{
    const enum weir_verdict verdict = arrive_judge_syn(s, listener, a);
    if (verdict == WEIR_BACKLOG_FULL) {
        (void)weiri_cookie_offer(s, &s->listeners[listener], &a->tuple, a->view);
    }
    return verdict == WEIR_OK ? arrive_open(s, listener, a) : verdict;
}

/* LISTEN second: RST; unless it is the third step of a handshake whose first two nobody remembers. While there are such, what proves
 * nothing gets no answer: its like may have been overtaken by the segment after it. Without a free record the peer will try again. */
static enum weir_verdict arrive_ack(weir_stack *s, uint32_t listener, const struct arrive_tcp *a)
{
    weir_view syn;
    struct arrive_tcp whole = *a;
    if (!weiri_cookie_expected(s, &s->listeners[listener])) {
        weiri_answer_reset(s, &a->tuple, a->view);
        return WEIR_NO_CONNECTION;
    }
    if (!weiri_cookie_redeem(s, &a->tuple, a->view, &syn)) {
        s->stats.cookies_refused++;
        return WEIR_NO_CONNECTION;
    }
    whole.syn = &syn;
    weiri_syn_make_room(s, listener);
    return weiri_slot_possible(s) ? arrive_open(s, listener, &whole) : WEIR_NO_ROOM;
}

/* A segment that belongs to no connection. */
static enum weir_verdict arrive_no_connection(weir_stack *s, const struct arrive_tcp *a)
{
    const uint32_t listener = weiri_listen_find(s, &a->tuple.local, a->tuple.local_port);
    const unsigned control = a->view->flags & ((unsigned)WEIR_SYN | (unsigned)WEIR_ACK | (unsigned)WEIR_RST);
    if (listener != WEIRI_NONE && control == WEIR_SYN) {
        return arrive_syn(s, listener, a);
    }
    if (listener != WEIRI_NONE && control == WEIR_ACK) {
        return arrive_ack(s, listener, a);
    }
    if (listener == WEIRI_NONE || (control & WEIR_ACK)) { /* CLOSED, or LISTEN second; LISTEN fourth: dropped */
        weiri_answer_reset(s, &a->tuple, a->view);
    }
    return WEIR_NO_CONNECTION;
}

/* TIME-WAIT in a record. It is given up only for a SYN that can really open a connection: else it stands (MAY-2 (2)). */
static enum weir_verdict arrive_wait(weir_stack *s, uint32_t w, struct arrive_tcp *a)
{
    const weir_view *view = a->view;
    if ((view->flags & ((unsigned)WEIR_SYN | (unsigned)WEIR_ACK | (unsigned)WEIR_RST)) != WEIR_SYN) {
        weiri_wait_input(s, w, view);
        return WEIR_IN_TIME_WAIT;
    }
    if (!weiri_wait_reusable(s, w, view)) {
        return WEIR_IN_TIME_WAIT; /* RFC 6191 2: silently */
    }
    const uint32_t listener = weiri_listen_find(s, &a->tuple.local, a->tuple.local_port);
    if (listener == WEIRI_NONE) {
        return arrive_no_connection(s, a);
    }
    const enum weir_verdict verdict = arrive_judge_syn(s, listener, a);
    if (verdict != WEIR_OK) {
        return verdict;
    }
    a->reopens = true;
    a->old_nxt = s->waits[w].snd_nxt;
    weiri_wait_remove(s, w);
    s->stats.time_wait_reused++;
    return arrive_open(s, listener, a);
}

/* The peer's SYN came twice: once there was no room and it got a cookie, once there was. Its acknowledgment says which of the two answers
 * it has taken; that of a half-open connection, whose ISS is another, then is void, and so is what was agreed on in it. */
static bool arrive_prefers_cookie(weir_stack *s, uint32_t i, const struct arrive_tcp *a)
{
    const struct weiri_slot *slot = &s->slots[i];
    const unsigned control = a->view->flags & ((unsigned)WEIR_SYN | (unsigned)WEIR_ACK | (unsigned)WEIR_RST);
    weir_view syn;
    if (!slot_is(slot, WEIRI_SLOT_HALF) || control != WEIR_ACK || seq_eq(a->view->ack, weiri_rest_look(s, i)->snd.nxt)) {
        return false;
    }
    const uint32_t listener = weiri_listen_find(s, &a->tuple.local, a->tuple.local_port);
    if (WEIR_NEVER(listener == WEIRI_NONE)) { /* half-open connections go before their listener does */
        return false;
    }
    return weiri_cookie_expected(s, &s->listeners[listener]) && weiri_cookie_redeem(s, &a->tuple, a->view, &syn);
}

/* The connection takes it; true: it has ended, and its sockets are free for another, which this SYN opens. */
static bool arrive_take(weir_stack *s, uint32_t i, const weir_view *view)
{
    s->going.left = 0;
    const struct weiri_work *work = slot_work(s, i);
    if (work->block == WEIRI_NONE && weir_view_len(view) > 0) { /* of a FIN too, which may wait for a window */
        weiri_lend_ensure(s, i);
    }
    const bool reuse = weir_input(slot_conn(s, i), view, s->now) == WEIR_REUSE;
    if (work->block != WEIRI_NONE && weiri_tune_growing(&work->conn)) {
        weiri_lend_grow(s, i);
    }
    weiri_slot_touch(s, i);
    s->stats.resets_in += (view->flags & WEIR_RST) != 0;
    return reuse;
}

/* Does it change nothing but the books of a connection that is packed, and need not wake? */
static bool arrive_rests(weir_stack *s, uint32_t i, const weir_view *view)
{
    if (!s->rests || i >= s->cfg.connections_max || !weiri_gist_hears(&s->rests[i].gist, view, s->now)) {
        return false;
    }
    s->going.left = 0;
    stack_about(s, i);
    return true;
}

static enum weir_verdict arrive_segment(weir_stack *s, uint32_t found, struct arrive_tcp *a)
{
    if (found == WEIRI_NONE) {
        return arrive_no_connection(s, a);
    }
    const uint32_t i = arrive_whole(s, found);
    if (i == WEIRI_NONE) {
        return WEIR_NO_ROOM; /* as if it was lost on the way */
    }
    if (i >= s->cfg.connections_max) {
        return arrive_wait(s, i - s->cfg.connections_max, a);
    }
    if (arrive_prefers_cookie(s, i, a)) {
        weiri_slot_untouch(s);
        weiri_slot_free(s, i);
        return arrive_no_connection(s, a);
    }
    stack_about(s, i);
    const weir_conn *c = weiri_rest_wake(s, i);
    if (!c) {
        return WEIR_NO_ROOM; /* as if it was lost on the way */
    }
    a->old_nxt = c->snd.nxt;
    a->reopens = arrive_take(s, i, a->view);
    if (a->reopens) {
        s->stats.time_wait_reused++;
        return arrive_no_connection(s, a);
    }
    return WEIR_OK;
}

/* The sockets that a packet names; false: it is not TCP, or too short to say. */
static bool arrive_tuple(const struct weiri_ip *ip, weir_tuple *tuple)
{
    if (ip->protocol != WEIRI_PROTO_TCP || ip->payload_len < 4) {
        return false;
    }
    tuple->local = ip->addrs.destination;
    tuple->remote = ip->addrs.source;
    tuple->local_port = base_get16(ip->payload + 2);
    tuple->remote_port = base_get16(ip->payload);
    return true;
}

static bool arrive_is_trusted(const weir_stack *s, const struct weiri_arrival *p)
{
    return s->cfg.checksum_trusted || p->offload->checked;
}

static enum weir_verdict arrive_tcp(weir_stack *s, const struct weiri_arrival *p, uint32_t i, struct arrive_tcp *a)
{
    const struct weiri_ip *ip = &p->ip;
    weir_view *view = &s->train.view;
    const enum weir_verdict verdict = weir_view_segment(view, ip->payload, ip->payload_len, arrive_is_trusted(s, p) ? NULL : &ip->addrs);
    if (verdict != WEIR_OK) {
        return verdict;
    }
    view->ecn = ip->traffic_class & 3u;
    view->gso_size = p->offload->gso_size;
    s->stats.odd_segments += view->odd != 0;
    if (arrive_rests(s, i, view)) {
        return WEIR_OK;
    }
    a->view = view;
    a->syn = NULL;
    a->reopens = false;
    a->old_nxt = seq_of(0);
    return arrive_segment(s, i, a);
}

static enum weir_verdict arrive_packet(weir_stack *s, struct weiri_arrival *p)
{
    struct arrive_tcp a;
    enum weir_verdict verdict = weiri_ip_view(&p->ip, p->packet, p->len);
    if (verdict != WEIR_OK) {
        return verdict;
    }
    /* Sockets that have a connection were judged when it was opened. */
    const uint32_t i = arrive_tuple(&p->ip, &a.tuple) ? weiri_demux_meet(s, &a.tuple) : WEIRI_NONE;
    if (i != s->touched) {
        weiri_slot_untouch(s);
    }
    verdict = i == WEIRI_NONE ? arrive_judge_addrs(s, &p->ip) : WEIR_OK;
    if (verdict != WEIR_OK) {
        return verdict;
    }
    return p->ip.protocol == WEIRI_PROTO_TCP ? arrive_tcp(s, p, i, &a) : arrive_icmp(s, &p->ip);
}

/* ---- trains ---- */

/* May what follows be like it? The connection that has taken it has more to come; nothing in it was out of the ordinary. */
static void arrive_note_train(weir_stack *s, const struct weiri_arrival *p)
{
    const weir_view *v = &s->train.view;
    const bool stamps = v->header_len == 32 && base_get32(p->ip.payload + 20) == WEIRI_STAMPS;
    const bool plain = p->packet[0] == 0x45 && (v->flags & ~(unsigned)WEIR_PSH) == WEIR_ACK && v->odd == 0;
    if (WEIR_WITH_PREDICTION && s->touched != WEIRI_NONE && plain && (v->header_len == 20 || stamps)) {
        s->train.on = true;
        s->train.slot = s->touched;
        memcpy(s->train.headers, p->packet, WEIRI_IP4_HEADER + 20);
    }
}

static uint32_t arrive_differ(const uint8_t *a, const uint8_t *b)
{
    uint32_t one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return one ^ other;
}

/* Each has its own lengths, Identification, numbers, window, timestamps, checksums; all else is the same. */
static bool arrive_is_like(const struct weiri_train *t, const uint8_t *packet)
{
    const uint8_t *a = t->headers, *b = packet;
    const uint32_t sockets = arrive_differ(a + 12, b + 12) | arrive_differ(a + 16, b + 16) | arrive_differ(a + 20, b + 20);
    const unsigned ip = (unsigned)((a[0] ^ b[0]) | (a[1] ^ b[1])), tcp = (unsigned)((a[32] ^ b[32]) | (a[33] ^ b[33]));
    const uint32_t rest = arrive_differ(a + 6, b + 6) | (uint32_t)(base_get16(a + 38) ^ base_get16(b + 38));
    return (sockets | ip | tcp | rest) == 0 && (t->view.header_len == 20 || base_get32(b + 40) == WEIRI_STAMPS);
}

/* The view of the one before it becomes its own. */
static void arrive_view_next(weir_view *v, const uint8_t *tcp, uint32_t payload_len)
{
    v->seq = seq_of(base_get32(tcp + 4));
    v->ack = seq_of(base_get32(tcp + 8));
    v->window = base_get16(tcp + 14);
    if (v->header_len > 20) {
        v->ts_value = base_get32(tcp + 24);
        v->ts_echo = base_get32(tcp + 28);
    }
    v->payload = tcp + v->header_len;
    v->payload_len = payload_len;
}

/* Is it like the packet before it, which its connection has taken? Nothing is said of its TCP checksum. */
static bool arrive_follows(weir_stack *s, const struct weiri_arrival *p)
{
    weir_view *v = &s->train.view;
    const uint32_t headers = WEIRI_IP4_HEADER + v->header_len;
    if (!WEIR_WITH_PREDICTION || !s->train.on || s->train.slot != s->touched || p->len < headers || !arrive_is_like(&s->train, p->packet)) {
        return false;
    }
    const uint32_t len = base_get16(p->packet + 2);
    if (len < headers || len > p->len || weiri_sum_finish(wire_sum_20(p->packet)) != 0) {
        return false;
    }
    arrive_view_next(v, p->packet + WEIRI_IP4_HEADER, len - headers);
    v->gso_size = p->offload->gso_size;
    return true;
}

/* The addresses stand before the TCP header, and are summed with it; `text` is the sum of the text. */
static bool arrive_sum_fits(const weir_view *v, uint64_t text)
{
    const uint8_t *tcp = v->payload - v->header_len;
    const uint64_t options = wire_sum_header(tcp + 20, v->header_len - 20u), addrs = wire_sum_header(tcp - 8, 8);
    const uint64_t sum = weiri_sum_tcp(v->header_len + v->payload_len) + addrs + wire_sum_20(tcp) + options;
    return weiri_sum_finish(weiri_sum_join(text, sum, 0)) == 0;
}

/* The text is copied to where it belongs while it is summed: if the sum is wrong, nobody will have seen it. */
static bool arrive_hears(weir_stack *s, const struct weiri_arrival *p, weir_conn *c)
{
    const weir_view *v = &s->train.view;
    if (arrive_is_trusted(s, p)) {
        weiri_ring_put(c, v->payload, v->payload_len);
    } else if (!arrive_sum_fits(v, weiri_ring_put_sum(c, v->payload, v->payload_len))) {
        return false;
    }
    s->train.heard = v->payload_len > 0;
    weiri_predict_heard(c, v, s->now);
    return true;
}

/* Established, and no SYN: it stays where it is. Nothing that settling looks at changes for an end that only listens. False: it is not as
 * it was sent. */
static bool arrive_follower(weir_stack *s, const struct weiri_arrival *p)
{
    const weir_view *v = &s->train.view;
    weir_conn *c = slot_conn(s, s->touched);
    s->going.left = 0;
    s->told = s->hushed = false;
    stack_about(s, s->touched);
    if (conn_content(c) && weiri_predict_listening(c, v)) {
        return arrive_hears(s, p, c);
    }
    if (!arrive_is_trusted(s, p) && !arrive_sum_fits(v, weiri_sum(v->payload, v->payload_len, 0))) {
        return false;
    }
    (void)arrive_take(s, s->touched, v);
    return true;
}

static enum weir_verdict arrive_first(weir_stack *s, struct weiri_arrival *p)
{
    s->train.on = false;
    stack_about(s, WEIRI_NONE);
    const enum weir_verdict verdict = arrive_packet(s, p);
    if (verdict == WEIR_OK && p->ip.protocol == WEIRI_PROTO_TCP) {
        arrive_note_train(s, p);
    }
    return verdict;
}

WEIR_PRIVATE enum weir_verdict weiri_arrive(weir_stack *s, struct weiri_arrival *p, weir_us now)
{
    stack_begin_packet(s, now);
    s->train.heard = false;
    const bool taken = arrive_follows(s, p) && arrive_follower(s, p);
    const enum weir_verdict verdict = taken ? WEIR_OK : arrive_first(s, p);
    s->stats.packets_in++;
    s->stats.octets_in += p->len;
    s->stats.verdicts[verdict]++;
    return verdict;
}

WEIR_API enum weir_verdict weir_stack_input(weir_stack *s, const uint8_t *packet, size_t len, weir_us now)
{
    const weir_offload none = {false, 0};
    return weir_stack_input_offload(s, packet, len, &none, now);
}

WEIR_API enum weir_verdict weir_stack_input_offload(weir_stack *s, const uint8_t *packet, size_t len, const weir_offload *offload,
                                                    weir_us now)
{
    struct weiri_arrival p;
    p.packet = packet;
    p.len = len;
    p.offload = offload;
    return weiri_arrive(s, &p, now);
}
