/* fuzz_stack.c - a stack of a few connections and four listeners: raw packets, user calls and time in any order.
 *
 * Input: four octets of configuration, then events. Sockets come from a small pool, so that packets meet listeners, connections at work and
 * packed ones, records in TIME-WAIT and cookies; numbers are relative to whichever has these sockets; checksums are right unless the input
 * breaks them; what the stack sent can come back. After every step: every invariant (weir_stack_check); what it sends is a packet that it
 * would take itself, from an address of its own; polling and rounds end; handles that were given back name nothing; no deadline lies in the
 * past. At the end everything is released and nothing may be left in bounded time. */
#include "fuzz.h"

enum {
    STACK_MEMORY = 1 << 17,
    STACK_STEPS = 500,
    STACK_END_STEPS = 3000,
    STACK_HANDLES = 8,   /* remembered, of the living and the dead */
    STACK_SENT = 4,      /* packets remembered, to come back */
    STACK_PACKET = 2048,
    STACK_JOINED = 50,   /* octets of text in each segment of those that arrive joined */
    STACK_TURNS = 500,   /* of loops of the library, that a call may take */
    STACK_PACK = 1500    /* and to pack a connection, or to unpack it */
};

struct stack_world {
    weir_stack *s;
    weir_stack_config cfg;
    struct fuzz_bytes in;
    weir_us now;
    bool lazy, batch, copy;
    uint64_t missed;       /* times when all working records were busy, when time passed last */
    weir_handle conns[STACK_HANDLES], listeners[STACK_HANDLES];
    bool gone[STACK_HANDLES];        /* of conns: released, so that the handle must name nothing */
    unsigned conn_turn, listener_turn, sent_turn;
    struct {
        uint8_t octets[STACK_PACKET];
        size_t len;
    } sent[STACK_SENT];
    struct {
        weir_tuple tuple;
        weir_seq iss, ack;
        uint32_t ts_value;
    } offered;                       /* the last SYN,ACK that was sent: a cookie perhaps, which only its ACK can bring back */
};

/* ---- the pool ------------------------------------------------------------------------------------------------------------------------ */

static weir_addr stack_v6(uint8_t first, uint8_t last)
{
    weir_addr a;
    memset(&a, 0, sizeof a);
    a.octets[0] = first;
    a.octets[15] = last;
    return a;
}

/* Ours are 10.0.0.1 and fd00::1; the others are peers, neighbours and those that nobody may be. */
static weir_addr stack_addr(unsigned which, bool v6)
{
    switch (which & 7) {
    case 0: return v6 ? stack_v6(0xfd, 1) : weir_addr_v4(10, 0, 0, 1);
    case 1: return v6 ? stack_v6(0xfd, 2) : weir_addr_v4(10, 0, 0, 2);
    case 2: return v6 ? stack_v6(0xfd, 3) : weir_addr_v4(198, 51, 100, 3);
    case 3: return v6 ? stack_v6(0x20, 9) : weir_addr_v4(192, 0, 2, 9);
    case 4: return v6 ? stack_v6(0xff, 1) : weir_addr_v4(224, 0, 0, 1);
    case 5: return v6 ? stack_v6(0, 1) : weir_addr_v4(127, 0, 0, 1);
    case 6: return v6 ? stack_v6(0, 0) : weir_addr_v4(10, 0, 0, 255);
    default: return v6 ? stack_v6(0, 0) : weir_addr_v4(255, 255, 255, 255);
    }
}

static uint16_t stack_port(unsigned which)
{
    static const uint16_t ports[4] = {80, 443, 49152, 50000};
    return ports[which & 3];
}

/* One octet names both sockets: the destination is mostly ours. */
static weir_tuple stack_tuple(struct stack_world *w)
{
    unsigned a = fuzz_u8(&w->in), rare = (a & 0xc0) == 0xc0 ? fuzz_u8(&w->in) : 0;
    bool v6 = (a & 1) != 0;
    weir_tuple t;
    t.local = stack_addr(rare >> 4, v6);
    t.remote = stack_addr(rare & 15 ? rare & 15 : 1 + (a >> 1 & 1), v6);
    t.local_port = stack_port(a >> 2);
    t.remote_port = stack_port(a >> 4);
    return t;
}

static bool stack_same(const weir_tuple *a, const weir_tuple *b)
{
    return a->local_port == b->local_port && a->remote_port == b->remote_port && weir_addr_equal(&a->local, &b->local) &&
           weir_addr_equal(&a->remote, &b->remote);
}

/* The connection of these sockets, for its numbers. */
static const weir_conn *stack_find(const struct stack_world *w, const weir_tuple *t)
{
    for (weir_handle h = weir_stack_next(w->s, 0); h != 0; h = weir_stack_next(w->s, h)) {
        const weir_conn *c = weir_stack_peek(w->s, h);
        FUZZ_CHECK(c != NULL, "a handle of next names nothing");
        if (stack_same(weir_sockets(c), t)) {
            return c;
        }
    }
    return NULL;
}

/* What a call that moves so much text may cost: sums take eight octets at a turn, and text is summed and copied a few times on its way. */
static void stack_allow(size_t octets)
{
    fuzz_allow(STACK_TURNS + octets / 2);
}

/* What an event may cost besides: each connection may be packed or unpacked. */
static void stack_allow_event(const struct stack_world *w)
{
    fuzz_allow(STACK_TURNS + STACK_PACK * (uint64_t)w->cfg.connections_max);
}

/* ---- what must hold ------------------------------------------------------------------------------------------------------------------ */

static void stack_check(struct stack_world *w)
{
    FUZZ_HOLDS(weir_stack_check(w->s));
    for (unsigned i = 0; i < STACK_HANDLES; i++) {
        if (w->gone[i]) {
            FUZZ_CHECK(weir_stack_conn(w->s, w->conns[i]) == NULL, "a handle that was given back names a connection");
        }
    }
}

static void stack_check_packet(struct stack_world *w, const uint8_t *packet, size_t len)
{
    struct weiri_ip ip;
    weir_view v;
    FUZZ_CHECK(len <= w->cfg.tcp.mtu, "a packet larger than the MTU");
    FUZZ_CHECK(weiri_ip_view(&ip, packet, len) == WEIR_OK, "sent a packet that is refused as IP");
    FUZZ_CHECK(ip.payload_len == len - (ip.version == 4 ? 20u : 40u), "the lengths of the packet disagree");
    FUZZ_CHECK(weiri_addr_is_ours(w->s, &ip.addrs.source) || w->cfg.any_destination, "sent from an address that is not ours");
    FUZZ_CHECK(weiri_addr_is_peer(w->s, &ip.addrs.destination), "sent to somebody who cannot be a peer");
    if (ip.protocol == WEIRI_PROTO_TCP) {
        FUZZ_CHECK(weir_view_segment(&v, ip.payload, ip.payload_len, &ip.addrs) == WEIR_OK, "sent a segment that is refused");
        FUZZ_CHECK(v.odd == 0, "sent a segment that is odd");
        if ((v.flags & (WEIR_SYN | WEIR_ACK)) == (WEIR_SYN | WEIR_ACK)) {
            weir_tuple t = {ip.addrs.source, ip.addrs.destination, v.source_port, v.destination_port};
            w->offered.tuple = t;
            w->offered.iss = v.seq;
            w->offered.ack = v.ack;
            w->offered.ts_value = v.ts_value;
        }
    }
}

/* A packet went out: it is remembered, to come back. */
static void stack_note(struct stack_world *w, const uint8_t *octets, size_t len)
{
    unsigned at = w->sent_turn++ % STACK_SENT;
    memcpy(w->sent[at].octets, octets, len);
    w->sent[at].len = len;
    stack_allow(len);
    fuzz_packet("out", w->now, NULL, octets, len);
    stack_check_packet(w, octets, len);
}

/* Several at once, each in a place of its own. */
static bool stack_poll_places(struct stack_world *w)
{
    static uint8_t octets[3][STACK_PACKET];
    weir_place places[3];
    for (unsigned i = 0; i < 3; i++) {
        places[i].octets = octets[i];
        places[i].cap = STACK_PACKET;
        places[i].len = 0;
    }
    size_t count = weir_stack_poll_batch(w->s, places, 3, w->now);
    FUZZ_CHECK(count <= 3, "more packets than places");
    for (size_t i = 0; i < count; i++) {
        stack_note(w, octets[i], places[i].len);
    }
    return count > 0;
}

static bool stack_poll_one(struct stack_world *w)
{
    static uint8_t octets[STACK_PACKET], whole[WEIR_IP_HEADER_MAX + 65535];
    weir_out out;
    if (w->copy && w->batch) {
        return stack_poll_places(w);
    }
    size_t len = w->copy ? weir_stack_poll_copy(w->s, octets, STACK_PACKET, w->now) : weir_stack_poll(w->s, &out, w->now);
    if (len == 0) {
        return false;
    }
    if (w->copy) {
        stack_note(w, octets, len);
        return true;
    }
    FUZZ_CHECK(weir_out_copy(&out, whole, sizeof whole) == len, "the packet is not as long as was said");
    for (uint32_t i = 0; (len = weir_out_cut(&out, i, octets, STACK_PACKET)) > 0; i++) {
        stack_note(w, octets, len);
    }
    return true;
}

static void stack_drain(struct stack_world *w)
{
    unsigned count = 0;
    while (stack_poll_one(w)) {
        FUZZ_CHECK(count < 1000, "polling does not end");
        count++;
    }
    if (count > 0) { /* or it is as it was */
        stack_check(w);
    }
}

/* ---- packets ------------------------------------------------------------------------------------------------------------------------- */

/* The segment that would come after this one in a train, with as much text; 0: this one has none, or is no plain segment. */
static size_t stack_follower(uint8_t *to, const uint8_t *from, size_t len)
{
    struct weiri_ip ip;
    if (len < WEIRI_IP4_HEADER + 20 || weiri_ip_view(&ip, from, len) != WEIR_OK || from[0] != 0x45 || ip.protocol != WEIRI_PROTO_TCP) {
        return 0;
    }
    uint32_t header = ip.payload_len >= 20 ? (ip.payload[12] >> 4) * 4u : ip.payload_len;
    if (header < 20 || header >= ip.payload_len) {
        return 0;
    }
    memcpy(to, from, len);
    base_put16(to + 4, (uint16_t)(base_get16(to + 4) + 1));
    base_put16(to + 10, 0);
    base_put16(to + 10, weiri_sum_finish(wire_sum_header(to, WEIRI_IP4_HEADER)));
    base_put32(to + WEIRI_IP4_HEADER + 4, base_get32(to + WEIRI_IP4_HEADER + 4) + ip.payload_len - header);
    weir_emit_checksum(to + WEIRI_IP4_HEADER, ip.payload_len, &ip.addrs);
    return len;
}

static bool stack_is_within(const weir_text *text, const weir_slice *packet)
{
    uintptr_t begin = (uintptr_t)packet->octets, at = (uintptr_t)text->octets;
    return at > begin && at + text->len <= begin + packet->len;
}

/* It, one or two that follow it, and half of it. What is told is in the packets, in their order. */
static void stack_put_batch(struct stack_world *w, const uint8_t *at, size_t len, enum weir_verdict verdicts[4])
{
    static uint8_t followers[2][WEIR_IP_HEADER_MAX + STACK_PACKET];
    weir_slice packets[4] = {{at, len}};
    weir_text texts[4];
    size_t count = 1, k = 0;
    for (unsigned i = 0; i < (len & 1) + 1 && stack_follower(followers[i], packets[count - 1].octets, len) > 0; i++) {
        fuzz_packet("in", w->now, NULL, followers[i], len);
        packets[count].octets = followers[i];
        packets[count++].len = len;
    }
    if (len & 2) {
        packets[count].octets = at;
        packets[count++].len = len / 2;
    }
    stack_allow(count * len);
    size_t told = weir_stack_input_texts(w->s, packets, count, verdicts, texts, w->now);
    for (size_t i = 0; i < told; i++, k++) {
        while (k < count && !stack_is_within(&texts[i], &packets[k])) {
            k++;
        }
        FUZZ_CHECK(k < count && texts[i].len > 0, "text that is in no packet");
        FUZZ_CHECK(weir_stack_peek(w->s, texts[i].conn) != NULL, "text for nobody");
    }
}

static void stack_put(struct stack_world *w, uint8_t *packet, size_t len)
{
    const uint8_t *at = fuzz_put(packet, len);
    stack_allow(len);
    fuzz_packet("in", w->now, NULL, at, len);
    const weir_offload offload = {w->cfg.checksum_trusted, w->cfg.tcp.gso_max > 0 ? STACK_JOINED : 0};
    enum weir_verdict verdicts[4] = {WEIR_OK, WEIR_OK, WEIR_OK, WEIR_OK};
    if (w->batch) {
        stack_put_batch(w, at, len, verdicts);
    } else {
        verdicts[0] = weir_stack_input_offload(w->s, at, len, &offload, w->now);
    }
    for (unsigned k = 0; k < 4; k++) {
        FUZZ_CHECK((unsigned)verdicts[k] < WEIR_VERDICT_COUNT, "no such verdict");
    }
}

/* An IP header before a payload that stands at packet + 40; the packet goes in, with one octet changed if the input asks for it. */
static void stack_put_payload(struct stack_world *w, uint8_t *packet, const weir_tuple *t, uint8_t protocol, uint32_t len, bool broken)
{
    struct weiri_ip_fields ip;
    memset(&ip, 0, sizeof ip);
    ip.addrs.source = t->remote;
    ip.addrs.destination = t->local;
    ip.payload_len = len;
    ip.protocol = protocol;
    ip.ttl = 64;
    ip.dont_fragment = true;
    size_t header = weiri_ip_emit(packet + WEIR_IP_HEADER_MAX, &ip), whole = header + len;
    uint8_t *first = packet + WEIR_IP_HEADER_MAX - header;
    if (broken) {
        uint8_t where = fuzz_u8(&w->in);
        first[where % whole] ^= fuzz_u8(&w->in);
        whole -= where & 128 ? where & 15 : 0;
    }
    stack_put(w, first, whole);
}

/* Numbers where there is no connection: of a record in TIME-WAIT, of the SYN,ACK that went there last, or any. */
static void stack_numbers_without(const struct stack_world *w, const weir_tuple *t, weir_fields *f, unsigned which)
{
    uint32_t found = weiri_demux_find(w->s, t);
    f->seq = seq_of(1000u + which);
    f->ack = seq_of(5000);
    if (found != WEIRI_NONE && found >= w->cfg.connections_max) {
        const struct weiri_wait *wait = &w->s->waits[found - w->cfg.connections_max];
        f->seq = which & 1 ? seq_sub(wait->rcv_nxt, 1) : wait->rcv_nxt; /* the FIN again */
        f->ack = wait->snd_nxt;
        f->ts_value = wait->ts_recent;
    } else if (!(f->flags & WEIR_SYN) && stack_same(t, &w->offered.tuple)) {
        f->seq = w->offered.ack;
        f->ack = seq_add(w->offered.iss, 1);
        f->ts_echo = w->offered.ts_value;
    }
}

static void stack_numbers(struct stack_world *w, const weir_conn *c, const weir_tuple *t, weir_fields *f, unsigned which)
{
    if (c != NULL) {
        weir_seq seqs[4] = {c->rcv.nxt, c->rcv.adv, c->rcv.irs, c->rcv.usr};
        weir_seq acks[4] = {c->snd.nxt, c->snd.una, c->snd.end, c->snd.iss};
        f->seq = c->state == WEIR_SYN_SENT ? seq_of(1000) : seqs[which & 3];
        f->ack = acks[which >> 2 & 3];
        f->ts_value = c->ts.recent;
        f->ts_echo = weiri_ts_now(c);
    } else {
        stack_numbers_without(w, t, f, which);
    }
    if (which & 16) {
        f->seq = seq_add(f->seq, fuzz_delta(&w->in));
    }
    if (which & 32) {
        f->ack = seq_add(f->ack, fuzz_delta(&w->in));
    }
}

static void stack_segment(struct stack_world *w)
{
    static uint8_t packet[WEIR_IP_HEADER_MAX + STACK_PACKET];
    weir_fields f;
    weir_tuple t = stack_tuple(w);
    weir_pseudo pseudo = {t.remote, t.local};
    const weir_conn *c = stack_find(w, &t);
    unsigned flags = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    memset(&f, 0, sizeof f);
    f.flags = (uint16_t)((flags & 0x3f) ^ WEIR_ACK);
    f.source_port = t.remote_port;
    f.destination_port = t.local_port;
    f.window = flags & 0x40 ? fuzz_u16(&w->in) : 4096;
    stack_numbers(w, c, &t, &f, flags & 0x80 ? fuzz_u8(&w->in) : 0);
    uint32_t len = more & 1 ? fuzz_u8(&w->in) * (more & 2 ? 5u : 1u) : 0;
    f.options = (uint16_t)((more & 4 ? WEIR_OPT_MSS | WEIR_OPT_WSCALE : 0) | (more & 8 ? WEIR_OPT_SACK_OK : 0) |
                           (more & 16 ? WEIR_OPT_TIMESTAMPS : 0));
    f.mss = more & 128 ? 64 : 1460;
    f.wscale = 3;
    f.ts_value += more & 64 ? fuzz_delta(&w->in) : 1;
    uint8_t *segment = packet + WEIR_IP_HEADER_MAX;
    size_t header = weir_emit_header(segment, &f);
    memset(segment + header, 'x', len);
    weir_emit_checksum(segment, header + len, &pseudo);
    stack_put_payload(w, packet, &t, WEIRI_PROTO_TCP, (uint32_t)header + len, (more & 32) != 0);
}

/* An echo request, or an error that quotes what the stack sent last or what it might have sent. */
static void stack_icmp(struct stack_world *w)
{
    static uint8_t packet[WEIR_IP_HEADER_MAX + STACK_PACKET];
    weir_tuple t = stack_tuple(w);
    bool v4 = weir_addr_is_v4(&t.local);
    uint8_t *message = packet + WEIR_IP_HEADER_MAX;
    unsigned how = fuzz_u8(&w->in);
    uint32_t len = 8;
    memset(message, 0, 8);
    message[0] = v4 ? 8 : 128;
    if (how & 1) {
        static const uint8_t types4[4] = {3, 3, 11, 12}, types6[4] = {1, 2, 3, 4};
        const uint8_t *quoted = w->sent[how >> 6].octets;
        size_t most = w->sent[how >> 6].len;
        message[0] = (v4 ? types4 : types6)[how >> 1 & 3];
        message[1] = how >> 3 & 7;
        base_put32(message + 4, fuzz_u16(&w->in));
        memcpy(message + 8, quoted, most < 80 ? most : 80);
        len += (uint32_t)(most < 80 ? most : 80);
    } else {
        uint32_t text = fuzz_u8(&w->in) * (how & 2 ? 7u : 1u);
        memset(message + 8, 'e', text);
        len += text;
    }
    weir_pseudo pseudo = {t.remote, t.local};
    uint64_t sum = v4 ? 0 : weiri_sum_pseudo(&pseudo, len, WEIRI_PROTO_ICMP6);
    base_put16(message + 2, weiri_sum_finish(weiri_sum(message, len, sum)));
    stack_put_payload(w, packet, &t, v4 ? WEIRI_PROTO_ICMP : WEIRI_PROTO_ICMP6, len, (how & 4) != 0 && !(how & 1));
}

/* A packet of the stack comes back as it went, or with its addresses and ports turned, so that both are ours. */
static void stack_echo_back(struct stack_world *w)
{
    static uint8_t packet[STACK_PACKET];
    unsigned how = fuzz_u8(&w->in);
    size_t len = w->sent[how & 3].len;
    memcpy(packet, w->sent[how & 3].octets, len);
    if ((how & 4) && len >= 40) {
        size_t at = packet[0] >> 4 == 4 ? 12 : 8, size = packet[0] >> 4 == 4 ? 4 : 16, ports = packet[0] >> 4 == 4 ? 20 : 40;
        uint8_t keep[16];
        memcpy(keep, packet + at, size);
        memmove(packet + at, packet + at + size, size);
        memcpy(packet + at + size, keep, size);
        if (len >= ports + 4) {
            memcpy(keep, packet + ports, 2);
            memmove(packet + ports, packet + ports + 2, 2);
            memcpy(packet + ports + 2, keep, 2);
        }
    }
    stack_put(w, packet, len);
}

static void stack_raw(struct stack_world *w)
{
    static uint8_t packet[256];
    size_t len = fuzz_u8(&w->in);
    for (size_t i = 0; i < len; i++) {
        packet[i] = fuzz_u8(&w->in);
    }
    stack_put(w, packet, len);
}

/* ---- the user ------------------------------------------------------------------------------------------------------------------------ */

static void stack_keep(struct stack_world *w, weir_handle h)
{
    for (unsigned i = 0; i < STACK_HANDLES; i++) {
        if (w->conns[i] == h) {
            FUZZ_CHECK(!w->gone[i], "a handle was given out twice");
            return;
        }
    }
    unsigned at = w->conn_turn++ % STACK_HANDLES;
    w->conns[at] = h;
    w->gone[at] = false;
}

static void stack_listen(struct stack_world *w)
{
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in);
    weir_listen_spec spec;
    weir_handle h = 0;
    memset(&spec, 0, sizeof spec);
    if (a & 1) {
        spec.local = stack_addr(b >> 4, (a & 2) != 0);
    }
    spec.port = a & 4 ? 0 : stack_port(b);
    spec.any_destination = (a & 8) != 0;
    spec.v4_only = (a & 16) != 0;
    spec.v6_only = (a & 32) != 0;
    spec.hold = (a & 64) != 0;
    spec.backlog = a & 128 ? 1 : 0;
    if (weir_stack_listen(w->s, &spec, &h) == WEIR_ERR_NONE) {
        FUZZ_CHECK(h != 0, "a listener without a name");
        w->listeners[w->listener_turn++ % STACK_HANDLES] = h;
    }
}

static void stack_connect(struct stack_world *w)
{
    weir_tuple t = stack_tuple(w);
    weir_handle h = 0;
    unsigned how = fuzz_u8(&w->in);
    if (how & 1) {
        memset(&t.local, 0, sizeof t.local);
    }
    t.local_port = how & 2 ? 0 : t.local_port;
    weir_err err = weir_stack_connect(w->s, &t, &h, w->now);
    if (err == WEIR_ERR_NONE) {
        FUZZ_CHECK(h != 0 && weir_stack_conn(w->s, h) != NULL, "a connection without a name");
        stack_keep(w, h);
    }
}

static void stack_round(struct stack_world *w)
{
    weir_ready r;
    for (unsigned i = 0; weir_stack_ready(w->s, &r); i++) {
        FUZZ_CHECK(i < w->cfg.connections_max, "a round does not end");
        const weir_conn *c = weir_stack_peek(w->s, r.conn);
        FUZZ_CHECK(c != NULL && weir_events(c) == r.events, "ready tells of events that are not");
        stack_keep(w, r.conn);
    }
}

static void stack_serve(struct stack_world *w, weir_conn *c, unsigned how)
{
    static uint8_t text[512];
    weir_slice slice = {text, sizeof text};
    size_t done;
    switch (how & 7) {
    case 0: case 1: (void)weir_send(c, slice, how >> 3 & 7, &done, w->now); break;
    case 2: case 3: (void)weir_recv(c, text, sizeof text, &done, w->now); memset(text, 0, sizeof text); break;
    case 4: (void)weir_close(c, w->now); break;
    case 5: (void)weir_admit(c, w->now); break;
    case 6: (void)weir_abort(c, w->now); break;
    default: weir_set_keepalive(c, (how & 8) != 0, w->now); break;
    }
}

static void stack_use(struct stack_world *w)
{
    unsigned which = fuzz_u8(&w->in), i = which & 7, how = which >> 4;
    weir_handle h = w->conns[i];
    bool live = weir_stack_peek(w->s, h) != NULL && !w->gone[i]; /* a packed one is alive too */
    if (how < 12) {
        weir_conn *c = weir_stack_conn(w->s, h);
        if (c != NULL) {
            stack_serve(w, c, how < 8 ? how : fuzz_u8(&w->in));
        }
        return;
    }
    weir_err err;
    switch (how) {
    case 12: err = weir_stack_want(w->s, h, fuzz_u8(&w->in)); break;
    case 13: err = weir_stack_set_tag(w->s, h, h * 3); (void)weir_stack_direct(w->s, h, h & 1); break;
    default:
        err = weir_stack_release(w->s, h, how == 14 ? WEIR_FOREVER : (weir_us)fuzz_u8(&w->in) * 1000, w->now);
        if (err == WEIR_ERR_RESOURCES) {
            FUZZ_CHECK(w->cfg.busy_max > 0, "no record is free and all connections have one");
            return;
        }
        w->gone[i] = w->gone[i] || h != 0;
        break;
    }
    FUZZ_CHECK((err == WEIR_ERR_NONE) == live, "a call judges a handle otherwise than weir_stack_conn");
}

static void stack_unlisten(struct stack_world *w)
{
    (void)weir_stack_unlisten(w->s, w->listeners[fuzz_u8(&w->in) % STACK_HANDLES], w->now);
}

/* ---- time ---------------------------------------------------------------------------------------------------------------------------- */

static void stack_expire(struct stack_world *w)
{
    /* Twice, where somebody packed found no working record when its time came: it may have had one since, with its time long past. */
    const weir_stats *stats = weir_stack_stats(w->s);
    for (unsigned turn = 0; turn == 0 || (turn < 2 && stats->busy_missed != w->missed && weir_stack_deadline(w->s) <= w->s->now); turn++) {
        stack_allow(0);
        weir_stack_expire(w->s, w->now);
        stack_check(w);
        stack_drain(w);
    }
    w->missed = stats->busy_missed;
    FUZZ_CHECK(weir_stack_deadline(w->s) > w->s->now, "a deadline in the past after expire and poll");
}

static void stack_time(struct stack_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_us due = weir_stack_deadline(w->s);
    switch (how & 3) {
    case 0: w->now = due != WEIR_FOREVER && due > w->now ? due : w->now; break;
    case 1: w->now += (weir_us)(how >> 2) * 5000; break;
    case 2: w->now += (weir_us)(how >> 2) * 2000000; break;
    default: w->now += how < 16 ? (weir_us)1 << (8 + how) : how > 250 ? (weir_us)1 << 42 : how; break;
    }
    stack_expire(w);
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

/* Rings that may grow, from memory for sixteen; or memory for one or two connections, which take the rings from each other. */
static void stack_rings(weir_stack_config *g, unsigned how)
{
    size_t unit = (weir_buffers_size(g->rings) + 63) & ~(size_t)63;
    static const unsigned units[4] = {0, 16, 2, 1};
    g->ring_memory = units[how & 3] * unit;
    g->tcp.rx_max = g->tcp.tx_max = (how & 3) == 1 ? 1u << 14 : 0;
}

/* Who is packed, what is answered without a record, how connections send and recover. */
static void stack_configure_more(struct stack_world *w)
{
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in);
    weir_stack_config *g = &w->cfg;
    g->connections_max += a & 4 ? 4 : 0;
    g->busy_max = (a & 3) < g->connections_max ? a & 3 : 0;
    g->syn_cookies = (a & 8) == 0;
    g->half_open_max += a & 16 ? 4 : 0;
    g->syn_records_max = WEIR_WITH_SYN_RECORDS && (a & 16) ? 4 : 0;
    g->syn_whole = a >> 2 & 1;
    w->batch = (a & 32) != 0;
    w->copy = (a & 64) != 0;
    g->tcp.rfc1337 = (a & 128) != 0;
    g->tcp.cc = b & 3 ? (uint8_t)((b & 3) - 1) : g->tcp.cc;
    g->tcp.pacing = b & 12 ? (uint8_t)(b >> 2 & 3) : g->tcp.pacing;
    g->tcp.ecn = b & 16 ? WEIR_ECN_OFFER : g->tcp.ecn;
    g->tcp.partial_checksum = (b & 32) != 0;
    g->tcp.keepalive_idle_us = b & 64 ? 1000000 : 0;
    g->tcp.cwv = (b & 128) != 0;
}

static void stack_start(struct stack_world *w)
{
    static uint64_t memory[STACK_MEMORY / 8 + 8];
    uint8_t *place = (uint8_t *)memory + (64 - ((uintptr_t)memory & 63));
    weir_err err = WEIR_ERR_NONE;
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in);
    weir_stack_config *g = &w->cfg;
    weir_stack_config_init(g);
    memset(g->tcp.secret, 0x44, sizeof g->tcp.secret);
    g->addrs[0] = stack_addr(0, false);
    g->prefix_len[0] = 24;
    g->addrs[1] = stack_addr(0, true);
    g->addr_count = 2;
    g->any_destination = (a & 1) != 0;
    g->checksum_trusted = (a & 2) != 0;
    g->accept_martians = (a & 4) != 0;
    g->echo_reply = (a & 8) == 0;
    g->tcp.timestamps = (a & 16) == 0;
    g->tcp.gso_max = (a & 18) == 18 ? 65535 : 0; /* with checksum_trusted */
    w->lazy = (a & 32) != 0;
    g->tcp.ack_delay_us = a & 64 ? 0 : g->tcp.ack_delay_us;
    g->tcp.msl_us = a & 128 ? 0 : g->tcp.msl_us;
    g->connections_max = 1 + (b & 3);
    g->listeners_max = 4;
    g->time_wait_max = b >> 2 & 3;
    g->half_open_max = 1 + (b >> 4 & 1);
    g->replies_per_second = b & 32 ? 0 : 10;
    g->port_first = 49152;
    g->port_last = b & 64 ? 49153 : 65535;
    g->tcp.mtu = b & 128 ? 576 : 1280;
    g->rings.rx = 256;
    g->rings.tx = 512;
    stack_configure_more(w);
    stack_rings(g, (a >> 2) + b);
    size_t need = weir_stack_size(g);
    FUZZ_CHECK(need > 0 && need <= STACK_MEMORY - 64, "the configuration is refused, or needs more than it should");
    memset(place, 0xa5, need);
    w->now = 1000000;
    w->s = weir_stack_init(place, need, g, w->now, &err);
    FUZZ_CHECK(w->s != NULL && err == WEIR_ERR_NONE, "this configuration is refused");
    stack_allow(need);
    fuzz_worked();
}

static void stack_step(struct stack_world *w)
{
    fuzz_event(&w->in);
    stack_allow_event(w);
    unsigned op = fuzz_u8(&w->in);
    switch (op & 15) {
    case 0: case 1: case 2: case 3: case 4: case 5: stack_segment(w); break;
    case 6: stack_icmp(w); break;
    case 7: stack_echo_back(w); break;
    case 8: stack_raw(w); break;
    case 9: stack_listen(w); break;
    case 10: stack_connect(w); break;
    case 11: stack_round(w); break;
    case 12: case 13: stack_use(w); break;
    case 14: stack_time(w); break;
    default: if (op & 16) { stack_unlisten(w); } else { (void)stack_poll_one(w); } break;
    }
    stack_check(w);
    if (!w->lazy || (op & 32)) {
        stack_drain(w);
    }
    fuzz_worked();
}

/* Those that are packed while all working records are busy stay for the next turn. */
static void stack_release_all(struct stack_world *w)
{
    for (weir_handle h = weir_stack_next(w->s, 0); h != 0; h = weir_stack_next(w->s, h)) {
        (void)weir_stack_release(w->s, h, WEIR_FOREVER, w->now);
    }
}

/* Everything is given back: nothing may be left. */
static void stack_end(struct stack_world *w)
{
    for (unsigned i = 0; i < STACK_HANDLES; i++) {
        (void)weir_stack_unlisten(w->s, w->listeners[i], w->now);
    }
    stack_release_all(w);
    stack_check(w);
    const weir_stats *stats = weir_stack_stats(w->s);
    for (unsigned i = 0; i < STACK_END_STEPS; i++) {
        stack_allow_event(w);
        stack_drain(w);
        stack_release_all(w);
        stack_drain(w);
        weir_us due = weir_stack_deadline(w->s);
        if (due == WEIR_FOREVER) {
            FUZZ_CHECK(stats->connections == 0 && stats->half_open == 0 && stats->time_wait == 0, "something is left and waits for nothing");
            FUZZ_CHECK(w->s->slot_pool.used == 0 && w->s->store.used == 0 && w->s->wait_queue.count == 0, "a record or a buffer leaked");
            FUZZ_CHECK(w->s->demux.count == 0 && w->s->out.count + w->s->ready.count + w->s->dirty.count == 0, "a list is not empty");
            return;
        }
        w->now = due > w->now ? due : w->now;
        w->now += w->cfg.busy_max > 0 ? 1000000 : 0; /* who is packed and finds no record free tries again each 10 ms */
        stack_expire(w);
        fuzz_worked();
    }
    fuzz_fail("a stack of which everything was released does not become empty", __FILE__, __LINE__);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stack_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    stack_start(&w);
    for (unsigned i = 0; i < STACK_STEPS && w.in.left > 0; i++) {
        stack_step(&w);
    }
    stack_end(&w);
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
/* Segments name their sockets by an octet; numbers are those of the connection that has them. */
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x00\x12\x00"), FUZZ_PHRASE("\x00\x10\x12\x0c"), FUZZ_PHRASE("\x00\x20\x12\x1c"), FUZZ_PHRASE("\x00\x01\x12\x00"), /* SYN */
    FUZZ_PHRASE("\x00\x00\x12\x00\x00\x00\x00\x00"),                                              /* and the ACK that follows */
    FUZZ_PHRASE("\x00\x00\x02\x00"), FUZZ_PHRASE("\x00\x00\x00\x00"), FUZZ_PHRASE("\x00\x00\x00\x01\x20"),                  /* SYN,ACK, ACK, text */
    FUZZ_PHRASE("\x00\x00\x01\x00"), FUZZ_PHRASE("\x00\x00\x14\x00"), FUZZ_PHRASE("\x00\x00\x94\x10\x01\x00"),              /* FIN, RST */
    FUZZ_PHRASE("\x00\x00\x80\x01\x10\x08\x08"), FUZZ_PHRASE("\x00\x00\x80\x00\x24\x01"),                                    /* beside the numbers */
    FUZZ_PHRASE("\x09\x04\x00"), FUZZ_PHRASE("\x09\x00\x00"), FUZZ_PHRASE("\x09\x44\x00"), FUZZ_PHRASE("\x09\x01\x10"),        /* listen */
    FUZZ_PHRASE("\x0a\x00\x00"), FUZZ_PHRASE("\x0a\x00\x02"), FUZZ_PHRASE("\x0a\x01\x03"), FUZZ_PHRASE("\x0b"),              /* connect, a round */
    FUZZ_PHRASE("\x0c\x00"), FUZZ_PHRASE("\x0c\x20"), FUZZ_PHRASE("\x0c\x40"), FUZZ_PHRASE("\x0c\x50"), FUZZ_PHRASE("\x0c\x60"), /* use */
    FUZZ_PHRASE("\x0c\xc0\xff"), FUZZ_PHRASE("\x0c\xe0"), FUZZ_PHRASE("\x0c\xf0\x10"), FUZZ_PHRASE("\x1f\x00"),              /* release */
    FUZZ_PHRASE("\x0e\x00"), FUZZ_PHRASE("\x0e\x41"), FUZZ_PHRASE("\x0e\x86"),                                              /* time */
    FUZZ_PHRASE("\x06\x00\x01\x00\x00"), FUZZ_PHRASE("\x06\x00\x21\x05\x00"), FUZZ_PHRASE("\x06\x00\x00\x10"),              /* ICMP */
    /* a whole life, to TIME-WAIT, with and without timestamps; then a FIN again, a SYN, a RST for its record */
    FUZZ_PHRASE("\x09\x04\x00\x00\x00\x12\x1c\x00\x00\x00\x10\x0b\x0c\xe0\x00\x00\x00\x10\x00\x00\x01\x10"),
    FUZZ_PHRASE("\x09\x04\x00\x00\x00\x12\x04\x00\x00\x00\x00\x0b\x0c\xe0\x00\x00\x00\x00\x00\x00\x01\x00"),
    FUZZ_PHRASE("\x00\x00\x81\x10\x01"), FUZZ_PHRASE("\x00\x00\x81\x00\x01"), FUZZ_PHRASE("\x00\x00\x12\x1c"),
    FUZZ_PHRASE("\x00\x00\x94\x00\x00"), FUZZ_PHRASE("\x00\x00\x80\x50\x10\x80\x80"),
    /* SYNs until a cookie goes out, and its ACK */
    FUZZ_PHRASE("\x00\x00\x12\x1c\x00\x10\x12\x1c\x00\x20\x12\x1c\x00\x20\x00\x10"),
    FUZZ_PHRASE("\x00\x00\x12\x04\x00\x10\x12\x00\x00\x30\x12\x04\x00\x30\x00\x00"), FUZZ_PHRASE("\x00\x30\x00\x01\x20"),
    /* three are established and idle for seconds: rings are taken back, some are packed; then each is wanted again */
    FUZZ_PHRASE("\x00\x00\x12\x1c\x00\x00\x00\x10\x00\x10\x12\x1c\x00\x10\x00\x10\x00\x20\x12\x1c\x00\x20\x00\x10\x0b\x0e\x06"),
    FUZZ_PHRASE("\x00\x00\x00\x11\x20\x00\x10\x00\x11\x20\x00\x20\x00\x11\x20"), FUZZ_PHRASE("\x0c\x01\x0c\x02\x0c\x20\x0c\x21"),
    FUZZ_PHRASE("\x07\x00"), FUZZ_PHRASE("\x07\x04"),                                                                      /* what we sent */
};
#include "mutate.h"
#endif
