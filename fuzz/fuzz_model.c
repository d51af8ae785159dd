/* fuzz_model.c - one connection beside a naive model of RFC 9293 (model.h) that sees the same segments and calls.
 *
 * Input: an octet of configuration, then events: segments of any flags with numbers beside those that matter, SEND, RECEIVE, CLOSE, ABORT,
 * OPEN, the end of 2MSL. No options, no other timer. After every event: the same state, RCV.NXT, SND.UNA and SND.NXT; what had to be
 * answered was, with the right numbers, and nothing else was. What the model leaves open is not sent: text beyond a FIN, more than a few
 * holes at once. */
#include "fuzz.h"

#include "model.h"

enum { MODEL_RING = 2048, MODEL_STEPS = 200, MODEL_RUNS = 3 };

struct model_world {
    weir_conn c;
    weir_config cfg;
    weir_tuple tuple;
    struct fuzz_bytes in;
    weir_us now;
    struct model m;
    bool acked, reset, syn, other; /* what went out in this step: an ACK of RCV.NXT, the RST, a SYN; a bare ACK */
};

static uint64_t model_memory[(2 * MODEL_RING + 4096) / 8];

/* ---- what goes out ------------------------------------------------------------------------------------------------------------------- */

static void model_check_reset(struct model_world *w, const weir_view *v)
{
    const struct model *m = &w->m;
    bool with_ack = (v->flags & WEIR_ACK) != 0 && m->answer == M_A_RST_WITH_ACK;
    FUZZ_CHECK(m->answer == M_A_RST || m->answer == M_A_RST_WITH_ACK, "a RST that the model does not send");
    FUZZ_CHECK(!w->reset, "two RSTs");
    FUZZ_CHECK(v->seq.v == m->answer_seq, "a RST with another sequence number");
    FUZZ_CHECK(!with_ack || v->ack.v == m->answer_ack, "a RST with another acknowledgment");
    w->reset = true;
}

static void model_sent(struct model_world *w, const weir_view *v)
{
    struct model *m = &w->m;
    uint32_t len = weir_view_len(v), last = v->seq.v + len;
    if (v->flags & WEIR_RST) {
        model_check_reset(w, v);
        return;
    }
    if (v->flags & WEIR_SYN) {
        if (!w->syn && (m->answer == M_A_SYN || m->answer == M_A_SYN_ACK) && m->iss == 0) {
            m->iss = m->una = v->seq.v;
            m->end += m->iss + 1;
            m->nxt = m->iss + 1;
        }
        FUZZ_CHECK(v->seq.v == m->iss, "another ISS");
        m->told = v->window;
        w->syn = true;
    }
    m->nxt = model_before(m->nxt, last) ? last : m->nxt;
    if (v->flags & WEIR_ACK) {
        FUZZ_CHECK(v->ack.v == m->rcv_nxt, "acknowledges something else than the model's RCV.NXT");
        uint32_t edge = v->ack.v + v->window;
        m->edge = model_before(m->edge, edge) ? edge : m->edge;
        w->acked = true;
        w->other = w->other || len == 0;
    }
}

static void model_drain(struct model_world *w)
{
    static uint8_t octets[2048];
    weir_out out;
    weir_view v;
    w->acked = w->reset = w->syn = w->other = false;
    weir_expire(&w->c, w->now); /* an ACK that is held for no time */
    for (unsigned i = 0; weir_poll(&w->c, &out, w->now) > 0; i++) {
        size_t len = weir_out_copy(&out, octets, sizeof octets);
        weir_pseudo pseudo = {w->tuple.local, w->tuple.remote};
        FUZZ_CHECK(i < 64 && len > 0, "polling does not end");
        fuzz_packet("out", w->now, &pseudo, octets, len);
        FUZZ_CHECK(weir_view_segment(&v, octets, len, &pseudo) == WEIR_OK, "sent a segment that is malformed");
        model_sent(w, &v);
    }
}

/* `quiet`: no bare ACK may go that the model does not send. A RECEIVE may open the window. */
static void model_compare(struct model_world *w, bool quiet)
{
    const struct model *m = &w->m;
    const weir_conn *c = &w->c;
    model_drain(w);
    FUZZ_HOLDS(weir_check(c));
    FUZZ_CHECK((unsigned)weir_state(c) == (unsigned)m->state, "another state");
    switch (m->answer) {
    case M_NOTHING: FUZZ_CHECK(!quiet || !w->other, "an ACK that nobody asked for"); break;
    case M_AN_ACK: FUZZ_CHECK(w->acked, "no ACK"); break;
    case M_A_SYN: FUZZ_CHECK(w->syn && !w->acked, "no SYN"); break;
    case M_A_SYN_ACK: FUZZ_CHECK(w->syn && w->acked, "no SYN,ACK"); break;
    default: FUZZ_CHECK(w->reset, "no RST"); break;
    }
    if (m->state >= M_SYN_RECEIVED) {
        FUZZ_CHECK(c->rcv.nxt.v == m->rcv_nxt, "another RCV.NXT");
        FUZZ_CHECK(c->snd.una.v == m->una, "another SND.UNA");
        FUZZ_CHECK(c->snd.nxt.v == m->nxt, "another SND.NXT");
    }
}

/* ---- what comes in ------------------------------------------------------------------------------------------------------------------- */

/* Runs of text that wait behind a hole, and the end of the last. */
static unsigned model_runs(const struct model *m, uint32_t *last)
{
    unsigned runs = 0;
    *last = m->rcv_nxt;
    for (uint32_t i = 0; i < 2 * MODEL_RING; i++) {
        uint32_t s = m->rcv_nxt + i;
        if (m->have[s % M_TEXT]) {
            runs += !m->have[(s - 1) % M_TEXT];
            *last = s + 1;
        }
    }
    return runs;
}

/* What the model leaves open is made harmless. */
static void model_tame(const struct model *m, struct model_segment *s)
{
    uint32_t last, first = s->seq + (s->flags & M_SYN ? 1 : 0);
    unsigned runs = model_runs(m, &last);
    if (m->state <= M_SYN_RECEIVED && (s->flags & M_SYN)) {
        return;
    }
    if (runs >= MODEL_RUNS && first != m->rcv_nxt) {
        s->len = 0;
    }
    if (m->fin_known) {
        bool past = !model_before(first + s->len, m->fin + 1);
        s->len = past ? 0 : s->len;
        s->flags &= first + s->len == m->fin ? ~0u : ~(unsigned)M_FIN;
    } else if (model_before(first + s->len, last)) {
        s->flags &= ~(unsigned)M_FIN;
    }
}

static void model_segment(struct model_world *w)
{
    struct model *m = &w->m;
    unsigned flags = fuzz_u8(&w->in), where = fuzz_u8(&w->in), more = fuzz_u8(&w->in);
    const uint32_t seqs[8] = {m->rcv_nxt, m->edge, m->irs, m->fin, m->rcv_nxt - 1, m->edge - 1, m->rcv_nxt + 10, 5000};
    const uint32_t acks[8] = {m->nxt, m->una, m->end, m->end + 1, m->iss, m->nxt + 1, m->una - m->acked, m->una + 1};
    bool young = m->state <= M_SYN_SENT;
    struct model_segment s = {(flags & 0x17) ^ M_ACK, young ? 5000 : seqs[where & 7], acks[where >> 3 & 7], 0, 65535};
    s.seq += more & 1 ? fuzz_delta(&w->in) : 0;
    s.ack += more & 2 ? fuzz_delta(&w->in) : 0;
    s.ack += more & 16 ? fuzz_u32(&w->in) : 0;
    s.seq += more & 32 ? fuzz_u32(&w->in) : 0;
    s.len = more & 4 ? fuzz_u8(&w->in) * (more & 8 ? 8u : 1u) : 0;
    model_tame(m, &s);

    static uint8_t raw[WEIR_TCP_HEADER_MAX + 4096];
    weir_fields f;
    weir_view v;
    memset(&f, 0, sizeof f);
    f.source_port = w->tuple.remote_port;
    f.destination_port = w->tuple.local_port;
    f.flags = (uint16_t)s.flags;
    f.seq = seq_of(s.seq);
    f.ack = seq_of(s.ack);
    f.window = (uint16_t)s.window;
    size_t header = weir_emit_header(raw, &f);
    weir_pseudo pseudo = {w->tuple.remote, w->tuple.local};
    fuzz_packet("in", w->now, &pseudo, raw, header + s.len);
    FUZZ_CHECK(weir_view_segment(&v, raw, header + s.len, NULL) == WEIR_OK, "refused what was emitted");
    (void)weir_input(&w->c, &v, w->now);
    model_arrives(m, &s);
    model_compare(w, true);
}

/* ---- the user ------------------------------------------------------------------------------------------------------------------------ */

static void model_send(struct model_world *w)
{
    static const uint8_t text[64];
    weir_slice slice = {text, fuzz_u8(&w->in) & 63};
    size_t sent = 0;
    struct model *m = &w->m;
    bool may = (m->state == M_ESTABLISHED || m->state == M_CLOSE_WAIT || m->state == M_SYN_SENT || m->state == M_SYN_RECEIVED) && !m->closed;
    if (m->state == M_LISTEN || m->end - m->una > 512) {
        return; /* it would open; or congestion control would have a say */
    }
    m->answer = M_NOTHING;
    weir_err err = weir_send(&w->c, slice, WEIR_SEND_PUSH, &sent, w->now);
    FUZZ_CHECK((err == WEIR_ERR_NONE) == may, "SEND is answered otherwise");
    m->end += (uint32_t)sent;
    model_compare(w, false);
    FUZZ_CHECK(!may || m->state <= M_SYN_RECEIVED || m->nxt == m->end, "text was not sent at once");
}

static void model_receive(struct model_world *w)
{
    static uint8_t text[MODEL_RING];
    size_t got;
    w->m.answer = M_NOTHING;
    (void)weir_recv(&w->c, text, sizeof text, &got, w->now);
    model_compare(w, false);
}

static void model_open(struct model_world *w, bool active)
{
    struct model *m = &w->m;
    if (m->state != M_CLOSED) {
        return;
    }
    model_reset(m, active ? M_SYN_SENT : M_LISTEN);
    model_answer(m, active ? M_A_SYN : M_NOTHING, 0, 0);
    weir_err err = active ? weir_connect(&w->c, &w->tuple, w->now) : weir_listen(&w->c, &w->tuple, w->now);
    FUZZ_CHECK(err == WEIR_ERR_NONE, "cannot open");
    model_compare(w, true);
}

static void model_step(struct model_world *w)
{
    unsigned op = fuzz_u8(&w->in);
    struct model *m = &w->m;
    w->now += 2;
    switch (op & 15) {
    case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: model_segment(w); break;
    case 8: case 9: model_send(w); break;
    case 10: model_receive(w); break;
    case 11: (void)weir_close(&w->c, w->now); model_close(m); model_compare(w, true); break;
    case 12: (void)weir_abort(&w->c, w->now); model_abort(m); model_compare(w, true); break;
    case 13: model_open(w, (op & 16) != 0); break;
    default:
        if (m->state == M_TIME_WAIT) {
            w->now += 2 * w->cfg.msl_us;
            weir_expire(&w->c, w->now);
            model_reset(m, M_CLOSED);
            m->answer = M_NOTHING;
            model_compare(w, true);
        }
        break;
    }
}

static void model_start(struct model_world *w)
{
    unsigned how = fuzz_u8(&w->in);
    weir_config *g = &w->cfg;
    weir_buffers b;
    weir_sizes sizes = {MODEL_RING, MODEL_RING};
    fuzz_config_plain(g);
    w->now = 1000000;
    w->tuple.local_port = 80;
    w->tuple.remote_port = 40000;
    w->tuple.local = weir_addr_v4(192, 0, 2, 1);
    w->tuple.remote = weir_addr_v4(198, 51, 100, 2);
    FUZZ_CHECK(weir_buffers_carve(&b, model_memory, sizeof model_memory, sizes), "rings of these sizes are refused");
    FUZZ_CHECK(weir_init(&w->c, g, &b, w->now) == WEIR_ERR_NONE, "this configuration is refused");
    model_open(w, (how & 1) != 0); /* before, it has no sockets and nobody to answer */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model_world w;
    memset(&w, 0, sizeof w);
    w.in = fuzz_begin(data, size);
    model_start(&w);
    for (unsigned i = 0; i < MODEL_STEPS && w.in.left > 0; i++) {
        fuzz_event(&w.in);
        model_step(&w);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x12\x00\x00"), FUZZ_PHRASE("\x00\x02\x00\x00"), FUZZ_PHRASE("\x00\x00\x00\x00"),          /* SYN; SYN,ACK; ACK */
    FUZZ_PHRASE("\x00\x12\x00\x00\x00\x00\x00\x00"),                                                            /* a passive open */
    FUZZ_PHRASE("\x00\x00\x00\x04\x20"), FUZZ_PHRASE("\x00\x00\x06\x04\x10"), FUZZ_PHRASE("\x00\x00\x05\x04\x02"), /* text */
    FUZZ_PHRASE("\x00\x00\x00\x0c\xf0"), FUZZ_PHRASE("\x00\x00\x04\x04\x10"),
    FUZZ_PHRASE("\x00\x01\x00\x00"), FUZZ_PHRASE("\x00\x01\x00\x04\x05"), FUZZ_PHRASE("\x00\x01\x06\x04\x02"), FUZZ_PHRASE("\x00\x01\x04\x00"),
    FUZZ_PHRASE("\x00\x14\x00\x00"), FUZZ_PHRASE("\x00\x14\x05\x00"), FUZZ_PHRASE("\x00\x14\x01\x00"), FUZZ_PHRASE("\x00\x04\x00\x00"),
    FUZZ_PHRASE("\x00\x12\x02\x00"), FUZZ_PHRASE("\x00\x12\x01\x00"), FUZZ_PHRASE("\x00\x12\x00\x01\x40"),
    FUZZ_PHRASE("\x00\x00\x08\x00"), FUZZ_PHRASE("\x00\x00\x18\x00"), FUZZ_PHRASE("\x00\x00\x20\x00"), FUZZ_PHRASE("\x00\x00\x28\x00"),
    FUZZ_PHRASE("\x00\x00\x30\x02\xff"), FUZZ_PHRASE("\x00\x00\x00\x10\x80\x00\x00\x00"),
    FUZZ_PHRASE("\x08\x20"), FUZZ_PHRASE("\x0a"), FUZZ_PHRASE("\x0b"), FUZZ_PHRASE("\x0c"), FUZZ_PHRASE("\x0d"), FUZZ_PHRASE("\x1d"),
    FUZZ_PHRASE("\x0e"), FUZZ_PHRASE("\x1d\x00\x02\x00\x00"),
};
#include "mutate.h"
#endif
