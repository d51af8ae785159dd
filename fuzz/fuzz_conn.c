/* fuzz_conn.c - one connection: segments, user calls, time and ICMP in any order.
 *
 * Input: seven octets of configuration, then events; or one octet, 3 in its low bits, which names a state that was prepared once by such an
 * input and is copied, for a connection is a value: what follows are events in that state at once. Numbers of segments are relative to the
 * live connection, so that a small change of the input stays near what matters. An octet of text is a function of its sequence number and of
 * the segment's variant; which variant arrived first is remembered beside the connection. After every call and step: every invariant
 * (weir_check); what can be read is what arrived first; what is sent is what was committed, inside the window and the MSS; the right edge and
 * the acknowledgment never go back; polling ends; no deadline lies in the past. At the end (fuzz_ends) the user walks away, the peer is silent,
 * and CLOSED must come in bounded time. */
#include "fuzz.h"

enum {
    CONN_MEMORY = 2 * 131072 + 16384,
    CONN_SHADOW = 1 << 18,    /* octets: more than two windows */
    CONN_STEPS = 600,
    CONN_END_STEPS = 5000,
    CONN_SPANS = 256,
    CONN_TEXT = 131072 + 16,  /* octets that a user sends or asks for at once, at most */
    CONN_TURNS = 150          /* of loops of the library, that a call may take */
};
#define CONN_DAY_US ((weir_us)86400 * 1000000)

struct conn_world {
    weir_conn c;
    weir_config cfg;
    struct fuzz_bytes in;
    weir_us now;
    weir_tuple tuple;
    weir_sizes sizes;
    unsigned slot;       /* which of the two memories its buffers stand in */
    uint32_t peer_iss;
    bool lazy;           /* poll only when the input says so */
    bool heard;          /* what it says is noted in `said` */
    uint64_t said;
    uint32_t read_count; /* octets the user has read of this incarnation */
    uint32_t joined;     /* octets of text in each segment of the next that arrives, if it was joined of several */
    struct {
        weir_seq iss, irs, ack, edge;
        bool known;
        uint8_t shift;   /* of the last SYN */
    } told;              /* what the connection last said of its receive window */
};

static uint64_t conn_memory[2][CONN_MEMORY / 8];
static uint8_t conn_shadow[CONN_SHADOW];

/* Text of the peer from this sequence number on, 64 KiB of it at least; what the octets are repeats after so many. */
static const uint8_t *conn_their_text(uint32_t seq, unsigned variant)
{
    static uint8_t text[4][2 << 16];
    if (text[1][0] == 0) {
        for (uint32_t i = 0; i < 4 * sizeof text[0]; i++) {
            text[i >> 17][i & 0x1ffff] = (uint8_t)(i * 31 + (i >> 8 & 0xff) * 7 + (i >> 17) * 101);
        }
    }
    return text[variant] + (seq & 0xffff);
}

/* Text of ours from this offset of the stream on, 128 KiB of it at least; it repeats after 64. */
static const uint8_t *conn_our_text(uint32_t offset)
{
    static uint8_t text[(1 << 16) + CONN_TEXT];
    if (text[0] == 0) {
        for (uint32_t i = 0; i < sizeof text; i++) {
            text[i] = (uint8_t)(i * 13 + (i >> 8) * 5 + 1);
        }
    }
    return text + (offset & 0xffff);
}

/* ---- what must hold ------------------------------------------------------------------------------------------------------------------ */

static bool conn_has_irs(const weir_conn *c)
{
    return c->state >= WEIR_SYN_RECEIVED;
}

/* What is true of it beside the invariants, which the library looks after in each call. */
static void conn_check(struct conn_world *w)
{
    const weir_conn *c = &w->c;
    if (c->state == WEIR_LISTEN || c->state == WEIR_SYN_SENT) {
        w->read_count = 0;
        w->told.known = false;
    } else if (conn_has_irs(c)) {
        FUZZ_CHECK(c->rcv.usr.v == c->rcv.irs.v + 1 + w->read_count, "the user's place in the stream is not what was read");
    }
    unsigned events = weir_events(c);
    size_t len;
    (void)weir_rx_peek(c, &len);
    FUZZ_CHECK(((events & WEIR_EV_READABLE) != 0) == (len > 0), "READABLE and peek disagree");
    FUZZ_CHECK(((events & WEIR_EV_CLOSED) != 0) == (weir_state(c) == WEIR_CLOSED), "CLOSED and the state disagree");
}

/* Is this octet in the receive ring? `until` is where the answer may change, brought down to that. */
static bool conn_holds(const weir_conn *c, weir_seq s, weir_seq *until)
{
    weir_seq from = c->rcv.usr, to = c->rcv.nxt;
    for (unsigned i = 0; !seq_lt(s, to) && i < c->span_count; i++) {
        from = c->spans[i].from;
        to = c->spans[i].to;
    }
    bool held = seq_leq(from, s) && seq_lt(s, to);
    weir_seq next = seq_lt(s, from) ? from : held ? to : *until;
    *until = seq_min(*until, next);
    return held;
}

struct conn_before {
    weir_conn c;
    struct weir_span spans[CONN_SPANS];
};

static void conn_remember(const struct conn_world *w, struct conn_before *before)
{
    before->c = w->c;
    FUZZ_CHECK(w->c.span_count <= CONN_SPANS, "more spans than rings of these sizes have");
    if (w->c.span_count > 0) { /* there may be no rings */
        memcpy(before->spans, w->c.spans, w->c.span_count * sizeof *before->spans);
    }
    before->c.spans = before->spans;
}

static void conn_keep(uint32_t seq, const uint8_t *octets, size_t len)
{
    for (size_t n; len > 0; seq += (uint32_t)n, octets += n, len -= n) {
        n = fuzz_piece(seq, len, CONN_SHADOW);
        memcpy(conn_shadow + (seq & (CONN_SHADOW - 1)), octets, n);
    }
}

/* Octets of the segment that are in the ring now and were not before came from it. */
static void conn_note_text(const struct conn_world *w, const struct conn_before *before, const weir_view *v)
{
    const weir_conn *c = &w->c, *old = &before->c;
    bool fresh = old->state == WEIR_LISTEN || old->state == WEIR_SYN_SENT;
    if (old->state == WEIR_CLOSED || c->state == WEIR_LISTEN || c->state == WEIR_SYN_SENT) {
        return;
    }
    weir_seq first = seq_add(v->seq, v->flags & WEIR_SYN ? 1 : 0), end = seq_min(seq_add(first, v->payload_len), c->rcv.adv), until;
    weir_seq from = fresh ? first : seq_max(first, old->rcv.nxt);
    for (weir_seq s = from; seq_lt(s, end); s = until) {
        until = end;
        bool old_news = !fresh && conn_holds(old, s, &until);
        if (conn_holds(c, s, &until) && !old_news) {
            conn_keep(s.v, v->payload + seq_diff(first, s), seq_diff(s, until));
        }
    }
}

static void conn_check_read(struct conn_world *w, const uint8_t *octets, size_t len)
{
    for (size_t n; len > 0; octets += n, len -= n, w->read_count += (uint32_t)n) {
        uint32_t s = w->c.rcv.irs.v + 1 + w->read_count;
        n = fuzz_piece(s, len, CONN_SHADOW);
        FUZZ_CHECK(memcmp(octets, conn_shadow + (s & (CONN_SHADOW - 1)), n) == 0, "an octet that can be read is not the one that arrived first");
    }
}

/* What a call that moves so much text may cost. Sums take eight octets at a turn, and text is summed and copied a few times on its way. A
 * timeout asks each record what is known of it, an ACK may take all away; how many holes the peer has made is nobody's excuse. */
static void conn_allow(const struct conn_world *w, size_t octets)
{
    fuzz_allow(CONN_TURNS + octets / 2 + 8u * w->c.board.count);
}

/* ---- what comes out ------------------------------------------------------------------------------------------------------------------ */

/* `adv` is what the edge was before: the ring may have been taken away since. */
static void conn_check_window(struct conn_world *w, const weir_view *v, weir_seq adv)
{
    const weir_conn *c = &w->c;
    uint32_t shift = v->flags & WEIR_SYN ? 0u : c->shift_rcv;
    weir_seq edge = seq_add(v->ack, (uint32_t)v->window << shift);
    if (!w->told.known || !seq_eq(w->told.iss, c->snd.iss) || !seq_eq(w->told.irs, c->rcv.irs)) {
        w->told.iss = c->snd.iss;
        w->told.irs = c->rcv.irs;
        w->told.ack = v->ack;
        w->told.edge = v->ack;
        w->told.known = true;
    }
    FUZZ_CHECK(seq_eq(v->ack, c->rcv.nxt), "acknowledges something else than RCV.NXT");
    FUZZ_CHECK(seq_leq(w->told.ack, v->ack), "the acknowledgment went back");
    bool cannot_say = (v->flags & WEIR_SYN) && v->window == 65535; /* a SYN's window is not scaled */
    FUZZ_CHECK(cannot_say || seq_lt(w->told.edge, seq_add(edge, 1u << shift)), "the right edge went back by a unit or more (SHLD-14)");
    bool promised = seq_leq(edge, w->told.edge) || seq_leq(edge, adv);
    FUZZ_CHECK(promised || seq_diff(c->rcv.usr, edge) <= c->rx_size + 1, "a window past the ring");
    w->told.ack = v->ack;
    w->told.edge = seq_max(w->told.edge, edge);
}

static void conn_check_sack(const struct conn_world *w, const weir_view *v)
{
    const weir_conn *c = &w->c;
    for (unsigned i = 0; (v->options & WEIR_OPT_SACK) && i < v->sack_count; i++) {
        weir_block b = v->sack[i];
        bool known = i == 0 && seq_leq(b.to, v->ack); /* a duplicate below */
        for (unsigned k = 0; k < c->span_count && !known; k++) {
            const struct weir_span *s = &c->spans[k];
            bool fin = conn_has(c, WEIRI_FIN_KNOWN) && seq_eq(s->to, c->rcv.fin); /* which is reported with the text before it */
            bool whole = seq_eq(s->from, b.from) && seq_eq(seq_add(s->to, fin ? 1 : 0), b.to);
            known = whole || (i == 0 && seq_leq(s->from, b.from) && seq_leq(b.to, s->to));
        }
        FUZZ_CHECK(known, "a SACK block of text that is not here");
    }
}

/* `sent` is what SND.NXT was before: text sent again may pass the edge by what rounding to whole units hides (RFC 7323 2.4). */
static void conn_check_text(const struct conn_world *w, const weir_view *v, weir_seq sent)
{
    const weir_conn *c = &w->c;
    uint32_t len = weir_view_len(v), offset = v->seq.v - c->snd.iss.v - 1;
    weir_seq end = seq_add(v->seq, v->payload_len), edge = seq_add(c->snd.una, c->snd.wnd);
    if (len == 0) {
        return;
    }
    FUZZ_CHECK(v->payload_len <= CONN_TEXT && (v->payload_len == 0 || memcmp(v->payload, conn_our_text(offset), v->payload_len) == 0),
               "an octet was sent that was not committed there");
    FUZZ_CHECK(seq_leq(c->snd.una, v->seq) && seq_leq(end, c->snd.end), "text outside of what is outstanding or committed");
    FUZZ_CHECK(!(v->flags & WEIR_FIN) || (seq_eq(end, c->snd.end) && conn_has(c, WEIRI_FIN_QUEUED)), "a FIN with no place");
    bool probe = c->snd.wnd == 0 && len == 1, again = seq_leq(seq_add(v->seq, len), sent);
    edge = again ? seq_add(edge, (1u << c->shift_snd) - 1) : edge;
    FUZZ_CHECK(probe || seq_leq(seq_add(v->seq, len), edge), "text beyond the peer's window");
    FUZZ_CHECK(v->payload_len == 0 || v->header_len - 20u + v->payload_len <= c->mss_snd, "more than the effective send MSS (MUST-16)");
}

/* One segment as the wire sees it; `sent` and `adv` are SND.NXT and the edge before. */
static void conn_check_segment(struct conn_world *w, const weir_view *v, weir_seq sent, weir_seq adv)
{
    if (v->flags & WEIR_RST) {
        FUZZ_CHECK(v->payload_len == 0, "a RST with text");
        return;
    }
    FUZZ_CHECK(w->c.state != WEIR_CLOSED && w->c.state != WEIR_LISTEN, "a segment where there is no connection");
    FUZZ_CHECK(!(v->flags & WEIR_SYN) || (seq_eq(v->seq, w->c.snd.iss) && v->payload_len == 0), "a SYN that is not our own");
    if (v->flags & WEIR_SYN) {
        w->told.shift = v->options & WEIR_OPT_WSCALE ? v->wscale : 0;
    }
    FUZZ_CHECK(!conn_has(&w->c, WEIRI_WS_OK) || w->c.shift_rcv == w->told.shift, "windows are shifted otherwise than the SYN said");
    if (v->flags & WEIR_ACK) {
        conn_check_window(w, v, adv);
    } else {
        FUZZ_CHECK(v->flags & WEIR_SYN, "no ACK in a segment that has one to give");
    }
    if (!(v->flags & WEIR_SYN)) {
        conn_check_text(w, v, sent);
        conn_check_sack(w, v);
    }
}

static bool conn_poll_one(struct conn_world *w)
{
    static uint8_t octets[65600];
    weir_out out;
    weir_view v;
    weir_seq sent = w->c.snd.nxt, adv = w->c.rcv.adv;
    bool promised = weir_has_output(&w->c), later = w->now > w->c.now; /* the time for held text may come with the call */
    size_t len = weir_poll(&w->c, &out, w->now), text = 0;
    conn_allow(w, len);
    FUZZ_CHECK(promised == (len > 0) || (later && len > 0), "weir_has_output said otherwise");
    conn_check(w);
    if (len == 0) {
        return false;
    }
    const weir_tuple *t = weir_sockets(&w->c);
    weir_pseudo pseudo = {t->local, t->remote};
    FUZZ_CHECK(len == out.len && weir_out_copy(&out, octets, sizeof octets) == len, "the packet is not as long as was said");
    FUZZ_CHECK(out.gso_size == 0 || (out.partial && len <= w->cfg.gso_max), "a super-segment larger than any");
    for (uint32_t i = 0; (len = weir_out_cut(&out, i, octets, sizeof octets)) > 0; i++) {
        fuzz_packet("out", w->now, &pseudo, octets, len);
        w->said = w->heard ? w->said * 31 + fuzz_key(octets, len) + w->now : 0;
        FUZZ_CHECK(weir_view_segment(&v, octets, len, &pseudo) == WEIR_OK && v.odd == 0, "sent a segment that is malformed or odd");
        conn_check_segment(w, &v, sent, adv);
        text += v.payload_len;
    }
    FUZZ_CHECK(text == out.len - out.header_len, "text that is in no segment");
    return true;
}

static void conn_drain(struct conn_world *w)
{
    uint32_t most = 64 + w->c.tx_size / 8;
    for (uint32_t i = 0; conn_poll_one(w); i++) {
        FUZZ_CHECK(i < most, "polling does not end");
    }
}

/* ---- segments ------------------------------------------------------------------------------------------------------------------------ */

static weir_seq conn_seq_base(struct conn_world *w, unsigned which)
{
    const weir_conn *c = &w->c;
    const struct weir_span *s = c->spans;
    if (!conn_has_irs(c)) {
        return seq_add(seq_of(w->peer_iss), which == 12 ? fuzz_u32(&w->in) : which);
    }
    unsigned last = c->span_count > 0 ? c->span_count - 1u : 0;
    switch (which) {
    case 1: return c->rcv.adv;
    case 2: return seq_sub(c->rcv.adv, 1);
    case 3: return c->rcv.usr;
    case 4: return c->rcv.irs;
    case 5: return c->rcv.fin;
    case 6: return c->span_count > 0 ? s[0].from : seq_add(c->rcv.nxt, 1);
    case 7: return c->span_count > 0 ? s[0].to : seq_add(c->rcv.nxt, 2);
    case 8: return c->span_count > 0 ? s[last].from : seq_add(c->rcv.nxt, 3);
    case 9: return c->span_count > 0 ? s[last].to : seq_add(c->rcv.nxt, 100);
    case 10: return seq_add(c->rcv.nxt, 0x80000000u);
    case 11: return c->rcv.acked;
    case 12: return seq_add(c->rcv.irs, fuzz_u32(&w->in));
    case 13: return seq_add(c->rcv.nxt, conn_rcv_wnd(c) / 2);
    case 14: return seq_sub(c->rcv.nxt, 1);
    case 15: return seq_sub(c->rcv.usr, 1);
    default: return c->rcv.nxt;
    }
}

static weir_seq conn_ack_base(struct conn_world *w, unsigned which)
{
    const weir_conn *c = &w->c;
    const struct weir_sent *first = c->board.count > 0 ? weiri_board_record(&c->board, 0) : NULL;
    switch (which) {
    case 1: return c->snd.una;
    case 2: return c->snd.end;
    case 3: return seq_add(c->snd.end, 1);
    case 4: return c->snd.iss;
    case 5: return seq_add(c->snd.iss, 1);
    case 6: return seq_add(c->snd.una, c->mss_snd);
    case 7: return first != NULL ? first->to : c->snd.una;
    case 8: return seq_add(c->snd.una, 1);
    case 9: return c->recover;
    case 10: return seq_sub(c->snd.una, c->snd.max_wnd);
    case 11: return seq_sub(c->snd.una, (uint32_t)c->octets_acked);
    case 12: return seq_add(c->snd.iss, fuzz_u32(&w->in));
    case 13: return seq_add(c->snd.una, 0x80000000u);
    case 14: return seq_add(c->snd.una, conn_flight(c) / 2);
    case 15: return seq_add(c->snd.nxt, 1);
    default: return c->snd.nxt;
    }
}

static uint16_t conn_window(struct conn_world *w)
{
    uint8_t n = fuzz_u8(&w->in);
    return n < 16 ? n : n < 200 ? (uint16_t)(n * 64) : n < 250 ? (uint16_t)((n - 199) * 1300) : n < 253 ? 0 : fuzz_u16(&w->in);
}

static void conn_options(struct conn_world *w, weir_fields *f)
{
    unsigned bits = fuzz_u8(&w->in);
    f->options = (uint16_t)((bits & 1 ? WEIR_OPT_MSS : 0) | (bits & 2 ? WEIR_OPT_WSCALE : 0) | (bits & 4 ? WEIR_OPT_SACK_OK : 0) |
                            (bits & 8 ? WEIR_OPT_SACK : 0) | (bits & 16 ? WEIR_OPT_TIMESTAMPS : 0));
    f->mss = bits & 1 ? (uint16_t)fuzz_len(&w->in, 65535) : 0;
    f->wscale = bits & 2 ? fuzz_u8(&w->in) & 15 : 0;
    if (bits & 8) {
        f->sack_count = (uint8_t)(1 + (bits >> 5 & 3));
        for (unsigned i = 0; i < f->sack_count; i++) {
            unsigned ends = fuzz_u8(&w->in);
            f->sack[i].from = seq_add(conn_ack_base(w, ends & 15), ends & 0x80 ? fuzz_delta(&w->in) : 0);
            f->sack[i].to = seq_add(f->sack[i].from, fuzz_len(&w->in, 65535));
        }
    }
    if (bits & 16) {
        bool odd = (bits & 0xe0) == 0xe0;
        f->ts_value = w->c.ts.recent + (odd ? fuzz_u32(&w->in) : fuzz_delta(&w->in));
        f->ts_echo = weiri_ts_now(&w->c) - (odd ? fuzz_u32(&w->in) : fuzz_u8(&w->in));
    }
}

static void conn_input(struct conn_world *w, const weir_fields *fields, uint32_t len, unsigned variant)
{
    static struct conn_before before;
    static uint8_t raw[WEIR_TCP_HEADER_MAX + 65536];
    weir_fields f = *fields;
    weir_view v;
    f.source_port = w->tuple.remote_port;
    f.destination_port = w->tuple.local_port;
    size_t header = weir_emit_header(raw, &f);
    uint32_t first = f.seq.v + (f.flags & WEIR_SYN ? 1 : 0);
    memcpy(raw + header, conn_their_text(first, variant), len);
    FUZZ_CHECK(weir_view_segment(&v, fuzz_put(raw, header + len), header + len, NULL) == WEIR_OK, "refused what was emitted");
    v.ecn = variant == 3 ? 3 : 0; /* the fourth variant of text comes marked */
    v.gso_size = (uint16_t)w->joined;
    w->joined = 0;
    weir_pseudo pseudo = {w->tuple.remote, w->tuple.local};
    fuzz_packet("in", w->now, &pseudo, raw, header + len);
    conn_remember(w, &before);
    conn_allow(w, len);
    (void)weir_input(&w->c, &v, w->now);
    if (w->c.state == WEIR_SYN_RECEIVED && before.c.state == WEIR_LISTEN) {
        w->read_count = 0;
    }
    conn_note_text(w, &before, &v);
}

/* Any segment at all. A zero octet each is an ACK of everything. */
static void conn_segment(struct conn_world *w)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    unsigned flags = fuzz_u8(&w->in), bases = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    f.flags = (uint16_t)((flags & 0xff) ^ WEIR_ACK);
    f.seq = conn_seq_base(w, bases & 15);
    f.ack = conn_ack_base(w, bases >> 4);
    f.seq = more & 1 ? seq_add(f.seq, fuzz_delta(&w->in)) : f.seq;
    f.ack = more & 2 ? seq_add(f.ack, fuzz_delta(&w->in)) : f.ack;
    uint32_t len = more & 4 ? fuzz_len(&w->in, 65535) : 0;
    f.window = more & 8 ? conn_window(w) : 8192;
    f.urgent = f.flags & WEIR_URG ? fuzz_u16(&w->in) : 0;
    if (more & 16) {
        conn_options(w, &f);
    } else if (conn_has(&w->c, WEIRI_TS_OK)) {
        f.options = WEIR_OPT_TIMESTAMPS;
        f.ts_value = w->c.ts.recent;
        f.ts_echo = weiri_ts_now(&w->c);
    }
    w->joined = more & 128 && len > 64 ? 64 : 0;
    conn_input(w, &f, len, more >> 5 & 3);
}

/* What an honest peer would say next: it completes the handshake, or sends text in order and acknowledges all. */
static void conn_honest(struct conn_world *w)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    unsigned how = fuzz_u8(&w->in);
    f.window = how & 0x80 ? conn_window(w) : 65535;
    bool syn = w->c.state == WEIR_LISTEN || w->c.state == WEIR_SYN_SENT;
    f.seq = syn ? seq_of(w->peer_iss) : w->c.rcv.nxt;
    f.ack = w->c.snd.nxt;
    f.flags = (uint16_t)(w->c.state == WEIR_LISTEN ? WEIR_SYN : syn ? WEIR_SYN | WEIR_ACK : WEIR_ACK);
    f.options = (uint16_t)(syn ? (how & 1 ? 0 : WEIR_OPT_SACK_OK) | (how & 2 ? 0 : WEIR_OPT_TIMESTAMPS) | (how & 4 ? 0 : WEIR_OPT_WSCALE) |
                                     (how & 8 ? 0 : WEIR_OPT_MSS)
                               : conn_has(&w->c, WEIRI_TS_OK) ? WEIR_OPT_TIMESTAMPS : 0);
    f.mss = how & 16 ? 536 : 1460;
    f.wscale = how & 32 ? 14 : 2;
    f.ts_value = w->c.ts.recent + 1;
    f.ts_echo = weiri_ts_now(&w->c);
    conn_input(w, &f, syn ? 0 : (how & 0x7f) * 8, 0);
}

/* ---- the user ------------------------------------------------------------------------------------------------------------------------ */

static void conn_commit(struct conn_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    uint32_t want = fuzz_len(&w->in, 131072), offset = w->c.snd.end.v - w->c.snd.iss.v - 1;
    if (how & 8) {
        want = want < w->c.tx_size ? want : w->c.tx_size + 16;
        weir_slice slice = {conn_our_text(offset), want};
        size_t sent = 0;
        (void)weir_send(&w->c, slice, how & 7, &sent, w->now);
        FUZZ_CHECK(sent <= want, "sent more than was given");
        return;
    }
    size_t room;
    uint8_t *to = weir_tx_reserve(&w->c, &room);
    want = want < room ? want : (uint32_t)room;
    if (want > 0) {
        memcpy(to, conn_our_text(offset), want);
    }
    (void)weir_tx_commit(&w->c, how & 16 ? room + 1 : want, how & 7, w->now);
}

static void conn_read(struct conn_world *w)
{
    static uint8_t text[CONN_TEXT];
    unsigned how = fuzz_u8(&w->in);
    uint32_t want = how & 1 ? fuzz_len(&w->in, 131072) : 131072;
    size_t len = 0;
    if (how & 2) {
        const uint8_t *at = weir_rx_peek(&w->c, &len);
        size_t take = want < len ? want : len;
        conn_check_read(w, at, take);
        FUZZ_CHECK(weir_rx_consume(&w->c, take, w->now) == WEIR_ERR_NONE, "cannot consume what peek shows");
        return;
    }
    weir_err err = weir_recv(&w->c, text, want, &len, w->now);
    FUZZ_CHECK(len <= want && (err == WEIR_ERR_NONE || len == 0), "an error and text at once");
    conn_check_read(w, text, len);
}

static void conn_open(struct conn_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_tuple t = w->tuple;
    if (how & 2) {
        memset(&t.remote, 0, sizeof t.remote);
        t.remote_port = 0;
    }
    bool closed = w->c.state == WEIR_CLOSED;
    weir_err err = how & 4   ? weir_set_remote(&w->c, &w->tuple.remote, w->tuple.remote_port)
                   : how & 1 ? weir_listen(&w->c, &t, w->now)
                             : weir_connect(&w->c, &t, w->now);
    if (closed && err == WEIR_ERR_NONE) {
        w->read_count = 0;
        w->told.known = false;
    }
}

static weir_us conn_span(struct conn_world *w)
{
    unsigned n = fuzz_u8(&w->in);
    return n < 32 ? n : n < 128 ? (weir_us)(n - 31) * 10000 : n < 250 ? (weir_us)(n - 127) * 1000000 : n == 250 ? WEIR_FOREVER : 0;
}

/* Timeouts that no timer makes: the table answers them all the same, and nothing changes. */
static void conn_idle_timeout(struct conn_world *w, unsigned which)
{
    static const enum weiri_stage events[3] = {WEIRI_STAGE_TIMEOUT_USER, WEIRI_STAGE_TIMEOUT_RESEND, WEIRI_STAGE_TIMEOUT_LIFE};
    struct weiri_step s;
    memset(&s, 0, sizeof s);
    s.c = &w->c;
    s.facts = weiri_facts_call(&w->c);
    unsigned was = w->c.state;
    if (was == WEIR_CLOSED || was == WEIR_LISTEN) {
        weiri_conn_begin(&w->c, w->now);
        weiri_fsm_call(&s, events[which % 3]);
        FUZZ_CHECK(w->c.state == was, "a timeout of nothing changed the state");
    }
}

static void conn_call(struct conn_world *w)
{
    unsigned which = fuzz_u8(&w->in);
    weir_conn *c = &w->c;
    weir_info info;
    switch (which & 15) {
    case 0: case 1: (void)weir_close(c, w->now); break;
    case 2: (void)weir_abort(c, w->now); break;
    case 3: (void)weir_release(c, conn_span(w), w->now); break;
    case 4: (void)weir_admit(c, w->now); break;
    case 5: weir_hold(c); break;
    case 6: weir_set_nagle(c, (which & 16) != 0); break;
    case 7: weir_set_keepalive(c, (which & 16) != 0, w->now); break;
    case 8: (void)weir_set_dscp(c, (uint8_t)(which >> 1)); break;
    case 9: weir_set_user_timeout(c, conn_span(w)); break;
    case 10: weir_info_get(c, &info); break;
    case 11: (void)weir_urgent(c); conn_idle_timeout(w, which >> 4); break;
    default: conn_open(w); break;
    }
}

/* Does what is in the rings go into these? Counted from the connection's numbers, apart from ring.c. */
static bool conn_fits(const struct conn_world *w, const weir_buffers *b)
{
    const weir_conn *c = &w->c;
    weir_seq fin = {c->rcv.nxt.v - (conn_has(c, WEIRI_FIN_TAKEN) ? 1 : 0)};
    weir_seq last = c->span_count > 0 ? c->spans[c->span_count - 1].to : fin;
    weir_seq first = {seq_eq(c->snd.una, c->snd.iss) && c->octets_acked == 0 ? c->snd.iss.v + 1 : c->snd.una.v};
    uint32_t unacked = seq_lt(first, c->snd.end) ? seq_diff(first, c->snd.end) : 0;
    bool rx = seq_diff(c->rcv.usr, last) <= b->rx_size && c->span_count <= b->span_cap;
    return rx && unacked <= b->tx_size && c->board.count <= b->sent_cap;
}

/* The sizes that the connection wants, some others, or no rings at all. */
static weir_sizes conn_other_sizes(const struct conn_world *w, unsigned how)
{
    weir_sizes sizes = w->sizes;
    if (how & 8) {
        sizes = weir_wanted(&w->c);
        FUZZ_CHECK(sizes.rx >= w->c.rx_size && sizes.tx >= w->c.tx_size, "wants a smaller ring");
        bool more = sizes.rx > w->c.rx_size || sizes.tx > w->c.tx_size;
        FUZZ_CHECK(more == ((weir_events(&w->c) & WEIR_EV_GROW) != 0), "GROW does not say what is wanted");
        sizes.rx = sizes.rx < 131072 ? sizes.rx : 131072;
        sizes.tx = sizes.tx < 131072 ? sizes.tx : 131072;
        return sizes;
    }
    sizes.rx = (sizes.rx > 0 ? sizes.rx : 256) << (how & 1);
    sizes.tx = (sizes.tx > 0 ? sizes.tx : 256) << (how >> 1 & 1);
    sizes.rx >>= how & 4 ? 1 : 0;
    sizes.tx >>= how & 32 ? 1 : 0;
    return sizes;
}

static void conn_grow(struct conn_world *w)
{
    weir_buffers b;
    unsigned how = fuzz_u8(&w->in), other = w->slot ^ 1u;
    weir_sizes sizes = conn_other_sizes(w, how);
    memset(&b, 0, sizeof b);
    if ((how & 0x90) == 0x90) {
        memset(&sizes, 0, sizeof sizes);
    } else if (sizes.rx > 131072 || sizes.tx > 131072 ||
               !weir_buffers_carve(&b, conn_memory[other], sizeof conn_memory[other], sizes)) {
        return;
    }
    bool fits = conn_fits(w, &b);
    weir_err err = weir_set_buffers(&w->c, &b, w->now);
    FUZZ_CHECK((err == WEIR_ERR_NONE) == fits, "rings of another size taken or refused");
    if (err == WEIR_ERR_NONE) {
        memset(conn_memory[w->slot], 0xee, weir_buffers_size(w->sizes));
        w->slot = other;
        w->sizes = sizes;
    }
}

/* ---- time, ICMP ---------------------------------------------------------------------------------------------------------------------- */

static void conn_expire(struct conn_world *w)
{
    conn_allow(w, 0);
    weir_expire(&w->c, w->now);
    conn_check(w);
    conn_drain(w);
    FUZZ_CHECK(weir_deadline(&w->c) > w->c.now, "a deadline in the past after expire and poll");
}

static void conn_time(struct conn_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_us due = weir_deadline(&w->c);
    switch (how & 7) {
    case 0: case 1: w->now = due != WEIR_FOREVER && due > w->now ? due : w->now; break;
    case 2: w->now = due != WEIR_FOREVER && due > w->now + 1 ? due - 1 : w->now; break;
    case 3: w->now += (how >> 3) * (weir_us)20000; break;
    case 4: w->now += how >> 3 < 31 ? how >> 3 : (weir_us)fuzz_u16(&w->in) * 100; break;
    case 5: w->now += (weir_us)(how >> 3) * CONN_DAY_US; break;
    case 6: w->now -= base_min_us(w->now, (weir_us)fuzz_u16(&w->in) * 1000); break; /* a clock that goes back */
    default: w->now += (weir_us)1 << (how >> 3); break;
    }
    if (!w->lazy || (how & 8) == 0) {
        conn_expire(w);
    }
}

static void conn_icmp(struct conn_world *w)
{
    weir_icmp icmp;
    unsigned how = fuzz_u8(&w->in);
    icmp.kind = (enum weir_icmp_kind)((how & 3) % 3);
    icmp.seq = conn_ack_base(w, how >> 4);
    icmp.mtu = how & 4 ? fuzz_u32(&w->in) : how & 8 ? (uint32_t)fuzz_u8(&w->in) * 8 : 0;
    (void)weir_input_icmp(&w->c, &icmp, w->now);
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

static void conn_configure(struct conn_world *w)
{
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in), d = fuzz_u8(&w->in), e = fuzz_u8(&w->in);
    weir_config *g = &w->cfg;
    switch (a & 3) {
    case 1: weir_config_rfc(g); break;
    case 2: weir_config_tiny(g); break;
    default: weir_config_internet(g); break;
    }
    memset(g->secret, 0x5a, sizeof g->secret);
    g->timestamps = g->timestamps != ((a & 4) != 0);
    g->window_scale = g->window_scale != ((a & 8) != 0);
    g->sack = g->sack != ((a & 16) != 0);
    g->nagle = (a & 32) == 0;
    g->require_timestamps = (a & 64) != 0;
    w->lazy = (a & 128) != 0;
    g->quick_acks = b & 1 ? 0 : g->quick_acks;
    g->ack_delay_us = b & 2 ? 0 : g->ack_delay_us;
    g->keepalive_idle_us = b & 4 ? 1000000 : 0;
    g->ack_every = b & 8 ? 1 : 2;
    g->challenge_count = b & 16 ? 0 : 10;
    g->mtu = b & 32 ? (uint16_t)(428 + 16 * e) : g->mtu;
    if (!(b & 32)) { /* the octet of the MTU says how it recovers */
        static const enum weir_cc_kind kinds[4] = {WEIR_CC_CUBIC, WEIR_CC_NEWRENO, WEIR_CC_BBR, WEIR_CC_CUBIC};
        g->cc = (uint8_t)kinds[e & 3];
        g->pacing = (uint8_t)((e >> 2 & 3) % WEIR_PACING_COUNT);
        g->ecn = (uint8_t)(e & 16 ? WEIR_ECN_OFFER : g->ecn);
        g->cwv = g->cwv != ((e & 32) != 0);
        g->rack = g->rack != ((e & 64) != 0);
        g->prr = g->prr != ((e & 128) != 0);
        g->hystart = g->hystart != ((e & 128) != 0);
    }
    g->rx_max = b & 64 ? 1u << 30 : 0;
    g->tx_max = b & 64 ? 1u << 30 : 0;
    g->ack_check = (b & 128) == 0;
    static const uint32_t sizes[8] = {256, 512, 1024, 2048, 4096, 2048, 1024, 131072};
    w->sizes.rx = sizes[d & 7];
    w->sizes.tx = d == 255 ? 65536 : sizes[(d >> 3 & 7) % 7]; /* a large one costs time to fill and shows little more */
}

/* Ways to send and to recover, beside what the profile and the octet of the MTU said. */
static void conn_configure_more(struct conn_world *w)
{
    unsigned a = fuzz_u8(&w->in), b = fuzz_u8(&w->in);
    weir_config *g = &w->cfg;
    g->gso_max = a & 1 ? 65535 : 0;
    g->partial_checksum = (a & 2) != 0;
    g->rfc1337 = (a & 4) != 0;
    g->undo = g->undo != ((a & 8) != 0);
    g->abe = g->abe != ((a & 16) != 0);
    g->halve_cwnd = g->halve_cwnd != ((a & 32) != 0);
    g->iw10 = g->iw10 != ((a & 64) != 0);
    g->abc = g->abc != ((a & 128) != 0);
    g->cc = b & 3 ? (uint8_t)((b & 3) - 1) : g->cc;
    g->pacing = b & 12 ? (uint8_t)(b >> 2 & 3) : g->pacing;
    g->ecn = b & 16 ? WEIR_ECN_OFFER : g->ecn;
    g->cwv = g->cwv != ((b & 32) != 0);
    g->mss_min = b & 64 ? 536 : g->mss_min;
    g->r2_us = b & 128 ? 3000000 : g->r2_us;
}

static void conn_start(struct conn_world *w)
{
    weir_buffers b;
    conn_allow(w, 0);
    conn_configure(w);
    unsigned f = fuzz_u8(&w->in);
    conn_configure_more(w);
    bool v6 = (f & 1) != 0;
    static const uint32_t iss[4] = {70000, 0xfffffff0u, 0x7ffffff0u, 0};
    static const weir_us epoch[4] = {1000000, 0, 0xfffff000u, (weir_us)1 << 61};
    w->peer_iss = iss[f >> 1 & 3];
    w->now = epoch[f >> 3 & 3];
    w->tuple.local_port = 80;
    w->tuple.remote_port = 40000;
    w->tuple.local = weir_addr_v4(192, 0, 2, 1);
    w->tuple.remote = weir_addr_v4(198, 51, 100, 2);
    if (v6) {
        memset(&w->tuple.local, 0x20, sizeof w->tuple.local);
        memset(&w->tuple.remote, 0x21, sizeof w->tuple.remote);
    }
    FUZZ_CHECK(weir_buffers_carve(&b, conn_memory[0], sizeof conn_memory[0], w->sizes), "rings of these sizes are refused");
    FUZZ_CHECK(weir_init(&w->c, &w->cfg, &b, w->now) == WEIR_ERR_NONE, "this configuration is refused");
    weir_err err = f & 32 ? weir_listen(&w->c, &w->tuple, w->now) : weir_connect(&w->c, &w->tuple, w->now);
    FUZZ_CHECK(err == WEIR_ERR_NONE, "cannot open");
    if (f & 64) {
        conn_drain(w);
        conn_honest(w);
        conn_drain(w);
        conn_honest(w);
    }
    fuzz_worked();
}

static void conn_step(struct conn_world *w)
{
    fuzz_event(&w->in);
    conn_allow(w, 0);
    unsigned op = fuzz_u8(&w->in);
    switch (op & 15) {
    case 0: case 1: case 2: case 3: case 4: conn_segment(w); break;
    case 5: case 6: conn_honest(w); break;
    case 7: case 8: conn_commit(w); break;
    case 9: conn_read(w); break;
    case 10: case 11: conn_time(w); break;
    case 12: conn_call(w); break;
    case 13: conn_grow(w); break;
    case 14: conn_icmp(w); break;
    default: (void)conn_poll_one(w); break;
    }
    FUZZ_HELD(weir_check(&w->c));
    conn_check(w);
    if (!w->lazy || (op & 16) != 0) {
        conn_drain(w);
    }
    fuzz_worked();
}

/* The user walks away and the peer is silent: every state ends. */
static void conn_end(struct conn_world *w, unsigned how)
{
    const weir_config *g = &w->cfg;
    weir_us began, most = 2 * g->msl_us + g->fin_wait_us + g->orphan_us + g->r2_syn_us + 2 * g->rto_max_us;
    w->now = w->c.now > w->now ? w->c.now : w->now;
    began = w->now;
    conn_allow(w, 0);
    (void)weir_release(&w->c, how & 1 ? 1000 : WEIR_FOREVER, w->now);
    conn_check(w);
    conn_drain(w);
    for (unsigned i = 0; i < CONN_END_STEPS; i++) {
        if (weir_state(&w->c) == WEIR_CLOSED) {
            FUZZ_CHECK(weir_deadline(&w->c) == WEIR_FOREVER, "CLOSED waits for something");
            FUZZ_CHECK(w->now - began <= most, "a released connection lived too long");
            return;
        }
        FUZZ_CHECK(weir_deadline(&w->c) != WEIR_FOREVER, "a released connection waits for nothing and is not CLOSED");
        weir_us due = weir_deadline(&w->c);
        w->now = due > w->now ? due : w->now; /* it may be long due: a lazy user did not look */
        conn_expire(w);
        fuzz_worked();
    }
    fuzz_fail("a released connection does not end", __FILE__, __LINE__);
}

#ifndef FUZZ_CONN_WITHIN /* fuzz_image.c has all but this */
/* Configurations that are prepared, .. */
static const struct fuzz_phrase conn_heads[] = {
    FUZZ_PHRASE("\x00\x00\x1b\x00\x00\x00\x00"),
    FUZZ_PHRASE("\x01\x00\x1b\x00\x02\x00\x00"),     /* RFC 9293's defaults; numbers wrap */
    FUZZ_PHRASE("\x00\x01\x1b\x1a\x05\x01\x04"),     /* BBR, paced, ECN, super-segments, IPv6; 2^31 */
    FUZZ_PHRASE("\x92\x02\x12\xc1\x08\x02\x00"),     /* tiny, lazy, without SACK, NewReno; small rings */
};
/* .. and what happens then. The first octet goes to the flags of the configuration: 32 listens, 64 shakes hands. */
static const struct fuzz_phrase conn_stories[] = {
    FUZZ_PHRASE("\x00\x0c\x0a"),                                              /* SYN-SENT */
    FUZZ_PHRASE("\x20"),                                                      /* LISTEN */
    FUZZ_PHRASE("\x20\x05\x00"),                                              /* SYN-RECEIVED */
    FUZZ_PHRASE("\x40"),                                                      /* ESTABLISHED */
    FUZZ_PHRASE("\x40\x07\x00\xc0"),                                          /* .., text in flight */
    FUZZ_PHRASE("\x40\x00\x00\x00\x05\x40\x40\x00\x00\x09\x45\x20\x20"),         /* .., two holes in what arrived */
    FUZZ_PHRASE("\x40\x05\x7f\x05\x20"),                                     /* .., unread text */
    FUZZ_PHRASE("\x40\x05\x00\x07\x00\xc0\x00\x00\x10\x10\x08\x07\x40"),         /* .., SACK for a part of it */
    FUZZ_PHRASE("\x40\x07\x00\xc0\x0a\x00"),                                 /* .., a timeout, recovering */
    FUZZ_PHRASE("\x40\x05\x80\xfb\x07\x00\x40"),                             /* .., a closed window */
    FUZZ_PHRASE("\x40\x07\x00\x40\x0c\x00"),                                 /* FIN-WAIT-1 */
    FUZZ_PHRASE("\x40\x0c\x00\x05\x00"),                                     /* FIN-WAIT-2 */
    FUZZ_PHRASE("\x40\x00\x01\x00\x00"),                                     /* CLOSE-WAIT */
    FUZZ_PHRASE("\x40\x00\x01\x00\x00\x0c\x00"),                             /* LAST-ACK */
    FUZZ_PHRASE("\x40\x0c\x00\x00\x01\x10\x00"),                             /* CLOSING */
    FUZZ_PHRASE("\x40\x0c\x00\x05\x00\x00\x01\x00\x00"),                     /* TIME-WAIT */
};
enum {
    CONN_STORIES = sizeof conn_stories / sizeof conn_stories[0],
    CONN_PREPARED = 64,          /* all heads with all stories */
    CONN_PREPARED_FLAGS = 4,     /* the octet of a head that has them */
    CONN_PREPARED_MEMORY = 16384
};

struct conn_prepared {
    bool ready;
    struct conn_world w;
    uint8_t memory[CONN_PREPARED_MEMORY], text[4096];
};

static void conn_run(struct conn_world *w)
{
    for (unsigned i = 0; i < CONN_STEPS && w->in.left > 0; i++) {
        conn_step(w);
    }
}

/* The input that makes this state; its length. */
static size_t conn_prefix(uint8_t *octets, unsigned which)
{
    const struct fuzz_phrase *head = &conn_heads[which / CONN_STORIES], *story = &conn_stories[which % CONN_STORIES];
    memcpy(octets, head->octets, head->len);
    memcpy(octets + head->len, story->octets + 1, story->len - 1);
    octets[CONN_PREPARED_FLAGS] |= (uint8_t)story->octets[0];
    return head->len + story->len - 1;
}

/* What the ring may hold of text that has arrived, as it is remembered. */
static void conn_copy_text(const struct conn_world *w, uint8_t *text, bool back)
{
    uint32_t at = w->c.rcv.usr.v, len = w->c.rx_size;
    for (size_t n; len > 0; at += (uint32_t)n, text += n, len -= (uint32_t)n) {
        uint8_t *place = conn_shadow + (at & (CONN_SHADOW - 1));
        n = fuzz_piece(at, len, CONN_SHADOW);
        memcpy(back ? place : text, back ? text : place, n);
    }
}

/* To that state from nothing, with no mark of it left. */
static void conn_tell(struct conn_world *w, unsigned which)
{
    uint8_t octets[64];
    struct fuzz_bytes in = {octets, conn_prefix(octets, which)};
    size_t marks = fuzz_marks.count;
    memset(w, 0, sizeof *w);
    w->in = in;
    conn_start(w);
    conn_run(w);
    fuzz_marks.count = marks;
}

static void conn_prepare(struct conn_prepared *p, struct conn_world *w, unsigned which)
{
    conn_tell(w, which);
    FUZZ_CHECK(w->slot == 0 && weir_buffers_size(w->sizes) <= sizeof p->memory && w->c.rx_size <= sizeof p->text, "a prepared state is too large");
    memcpy(p->memory, conn_memory[0], weir_buffers_size(w->sizes));
    conn_copy_text(w, p->text, false);
    p->w = *w;
    p->ready = true;
    memset(conn_memory[0], 0xee, sizeof p->memory); /* what is not copied back is missed at once */
    memset(conn_shadow, 0xee, sizeof conn_shadow);
}

/* Into the state that the first octet names. Pointers hold: what they point to stands where it stood. */
static void conn_resume(struct conn_world *w, unsigned which)
{
    static struct conn_prepared prepared[CONN_PREPARED];
    struct conn_prepared *p = &prepared[which];
    struct fuzz_bytes in = w->in;
    if (!p->ready) {
        conn_prepare(p, w, which);
    }
    *w = p->w;
    w->in = in;
    memcpy(conn_memory[0], p->memory, weir_buffers_size(w->sizes));
    conn_copy_text(w, p->text, true);
}

/* A state that was copied goes on as one that was made: that is seen where there is time for the end, too. */
static void conn_resumed(struct conn_world *w, unsigned which)
{
    struct fuzz_bytes in = w->in;
    conn_resume(w, which);
    w->heard = fuzz_ends();
    conn_run(w);
    if (w->heard) {
        uint64_t said = w->said;
        unsigned state = w->c.state;
        size_t marks = fuzz_marks.count;
        conn_tell(w, which);
        w->heard = true;
        w->in = in;
        conn_run(w);
        fuzz_marks.count = marks;
        FUZZ_CHECK(w->said == said && w->c.state == state, "a prepared state is not the one that its story makes");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conn_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    if (size > 0 && (data[0] & 3) == 3) {
        conn_resumed(&w, fuzz_u8(&w.in) >> 2);
    } else {
        conn_start(&w);
        conn_run(&w);
    }
    if (fuzz_ends()) {
        conn_end(&w, size > 4 ? data[4] >> 7 : 0);
    }
    return 0;
}
#endif

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
/* What peers and users do, in the words of this target: numbers are offsets from those of the live connection. */
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x05\x00"),                     /* the honest peer: the next step of the handshake, or an ACK of all */
    FUZZ_PHRASE("\x05\x08"), FUZZ_PHRASE("\x05\x7f"),
    FUZZ_PHRASE("\x00\x00\x00\x04\x40"),         /* text at RCV.NXT, .. */
    FUZZ_PHRASE("\x00\x00\x00\x05\x40\x40"),     /* .. behind a hole, .. */
    FUZZ_PHRASE("\x00\x00\x00\x05\x20\x10"),
    FUZZ_PHRASE("\x00\x00\x06\x24\x30"),         /* .. over the first span, .. */
    FUZZ_PHRASE("\x00\x00\x09\x45\x01\x20"),     /* .. after the last, other octets, .. */
    FUZZ_PHRASE("\x00\x00\x02\x04\x02"),         /* .. at the last octet of the window, .. */
    FUZZ_PHRASE("\x00\x00\x0e\x04\x05"),         /* .. once more, .. */
    FUZZ_PHRASE("\x00\x00\x00\x05\xf0\x80"),     /* .. begun earlier */
    FUZZ_PHRASE("\x00\x01\x00\x00"), FUZZ_PHRASE("\x00\x01\x00\x04\x10"), FUZZ_PHRASE("\x00\x01\x00\x05\x10\x08"), /* FIN */
    FUZZ_PHRASE("\x00\x14\x00\x00"), FUZZ_PHRASE("\x00\x14\x00\x01\x01"), FUZZ_PHRASE("\x00\x14\x02\x00"), /* RST */
    FUZZ_PHRASE("\x00\x12\x00\x00"), FUZZ_PHRASE("\x00\x12\x04\x00"), FUZZ_PHRASE("\x00\x02\x00\x00"),     /* SYN */
    FUZZ_PHRASE("\x00\x00\x10\x00"), FUZZ_PHRASE("\x00\x00\x10\x00\x00\x00\x10\x00\x00\x00\x10\x00"),     /* duplicate ACKs */
    FUZZ_PHRASE("\x00\x00\x70\x00"), FUZZ_PHRASE("\x00\x00\x60\x00"), FUZZ_PHRASE("\x00\x00\x82\x02\x10"), /* partial ones */
    FUZZ_PHRASE("\x00\x00\xf0\x00"), FUZZ_PHRASE("\x00\x00\xa0\x00"), FUZZ_PHRASE("\x00\x00\xa0\x02\xff"), /* ahead, too old */
    FUZZ_PHRASE("\x00\x00\x10\x08\x00"), FUZZ_PHRASE("\x00\x00\x10\x08\xc0"),                             /* windows */
    FUZZ_PHRASE("\x00\x00\x10\x10\x08\x07\x40"), FUZZ_PHRASE("\x00\x00\x10\x10\x08\x06\x80"),             /* SACK */
    FUZZ_PHRASE("\x00\x00\x10\x10\x28\x07\x40\x0e\x40"), FUZZ_PHRASE("\x00\x00\x00\x10\x08\x8b\xf0\x10"), /* two; a duplicate */
    FUZZ_PHRASE("\x00\x00\x10\x10\x10\x01\x01"), FUZZ_PHRASE("\x00\x00\x00\x10\x10\xff\x00"),             /* timestamps */
    FUZZ_PHRASE("\x00\x20\x00\x04\x10\x00\x08"),                                                       /* URG */
    FUZZ_PHRASE("\x07\x00\x40"), FUZZ_PHRASE("\x07\x08\xc0"), FUZZ_PHRASE("\x07\x01\x20"), FUZZ_PHRASE("\x07\x04\x7f"), /* SEND */
    FUZZ_PHRASE("\x09\x00"), FUZZ_PHRASE("\x09\x01\x10"), FUZZ_PHRASE("\x09\x03\x01"),                    /* RECEIVE */
    FUZZ_PHRASE("\x0a\x00"), FUZZ_PHRASE("\x0a\x02"), FUZZ_PHRASE("\x0a\x0b"), FUZZ_PHRASE("\x0a\x1b"), FUZZ_PHRASE("\x0a\x9f"), /* time */
    FUZZ_PHRASE("\x0c\x00"), FUZZ_PHRASE("\x0c\x02"), FUZZ_PHRASE("\x0c\x03\xfa"), FUZZ_PHRASE("\x0c\x0c\x01"), FUZZ_PHRASE("\x0c\x0c\x00"),
    FUZZ_PHRASE("\x0d\x08"), FUZZ_PHRASE("\x0d\x03"), FUZZ_PHRASE("\x0d\x90"),                            /* rings */
    FUZZ_PHRASE("\x0e\x16\x00\x00\x02\x80"), FUZZ_PHRASE("\x0e\x11"), FUZZ_PHRASE("\x0f"),                /* ICMP; one segment out */
};
#ifndef FUZZ_CONN_WITHIN
#define FUZZ_MUTATE_HEAD(random) ((uint8_t)((random) << 2 | 3)) /* a prepared state */
#endif
#include "mutate.h"
#endif
