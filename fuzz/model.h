/* model.h - RFC 9293 once more, as slowly and plainly as its text goes: one connection, no options, no timers but 2MSL. Written from the
 * tables of requirements (vectors/requirements/rfc9293*.tsv, rfc5961.tsv, rfc6191.tsv); it includes nothing of the library and shares
 * nothing with it.
 *
 * It sees what a wire sees: what it is told of windows and of SND.NXT comes from segments that were sent. Where the RFC leaves a choice
 * it takes the one that the library documents, and the comment says so. */
#ifndef WEIR_FUZZ_MODEL_H
#define WEIR_FUZZ_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum model_state {
    M_CLOSED, M_LISTEN, M_SYN_SENT, M_SYN_RECEIVED, M_ESTABLISHED, M_FIN_WAIT_1, M_FIN_WAIT_2, M_CLOSE_WAIT, M_CLOSING, M_LAST_ACK,
    M_TIME_WAIT
};
enum model_flag { M_FIN = 1, M_SYN = 2, M_RST = 4, M_ACK = 16 };
/* What has to be answered. M_NOTHING forbids a bare ACK too. */
enum model_answer { M_NOTHING, M_AN_ACK, M_A_SYN, M_A_SYN_ACK, M_A_RST, M_A_RST_WITH_ACK };

enum { M_TEXT = 1 << 16 };

struct model {
    enum model_state state;
    bool passive, closed;           /* opened by LISTEN; the user has called CLOSE */
    uint32_t iss, una, nxt, end;    /* of SND; end: past the last octet that the user gave */
    uint32_t max_wnd, acked;        /* the largest window ever told us; octets acknowledged */
    uint32_t irs, rcv_nxt, edge;    /* edge: the rightmost window that was told the peer */
    uint32_t told;                  /* the window in the last SYN of ours */
    bool fin_known;
    uint32_t fin;                   /* the number of the peer's FIN */
    uint8_t have[M_TEXT];           /* octets that came, by number */
    enum model_answer answer;
    uint32_t answer_seq, answer_ack;
};

struct model_segment {
    unsigned flags;
    uint32_t seq, ack, len, window; /* len: of the text */
};

/* Numbers are compared by the sign of their difference (RFC 9293 3.4). */
static bool model_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool model_in(uint32_t from, uint32_t s, uint32_t to)
{
    return !model_before(s, from) && model_before(s, to);
}

static void model_answer(struct model *m, enum model_answer answer, uint32_t seq, uint32_t ack)
{
    m->answer = answer;
    m->answer_seq = seq;
    m->answer_ack = ack;
}

/* 3.10.7.1: where there is no connection. */
static void model_refuse(struct model *m, const struct model_segment *s)
{
    uint32_t len = s->len + (s->flags & M_SYN ? 1 : 0) + (s->flags & M_FIN ? 1 : 0);
    if (s->flags & M_RST) {
        return;
    }
    if (s->flags & M_ACK) {
        model_answer(m, M_A_RST, s->ack, 0);
    } else {
        model_answer(m, M_A_RST_WITH_ACK, 0, s->seq + len);
    }
}

static void model_reset(struct model *m, enum model_state state)
{
    struct model fresh = {0};
    fresh.state = state;
    fresh.passive = state == M_LISTEN;
    fresh.answer = m->answer;
    *m = fresh;
}

/* 3.10.7.2 */
static void model_listen(struct model *m, const struct model_segment *s)
{
    if (s->flags & M_RST) {
        return;
    }
    if (s->flags & M_ACK) {
        model_answer(m, M_A_RST, s->ack, 0);
    } else if (s->flags & M_SYN) { /* its text is left for the peer to repeat */
        m->irs = s->seq;
        m->rcv_nxt = s->seq + 1;
        m->edge = m->rcv_nxt;
        m->max_wnd = s->window;
        m->state = M_SYN_RECEIVED;
        model_answer(m, M_A_SYN_ACK, 0, m->rcv_nxt);
    }
}

/* 3.10.7.4 seventh and eighth: text that is new and inside the window, then FIN if all before it is here. */
static void model_text(struct model *m, const struct model_segment *s, uint32_t first, bool with_fin)
{
    bool receiving = m->state == M_ESTABLISHED || m->state == M_FIN_WAIT_1 || m->state == M_FIN_WAIT_2;
    uint32_t fin = first + s->len, edge = model_before(m->rcv_nxt, m->edge) ? m->edge : m->rcv_nxt;
    if (!receiving) {
        return;
    }
    bool any = false;
    for (uint32_t i = 0; i < s->len; i++) {
        if (model_in(m->rcv_nxt, first + i, edge)) {
            m->have[(first + i) % M_TEXT] = 1;
            any = true;
        }
    }
    if (with_fin && model_in(m->rcv_nxt, fin, edge)) {
        m->fin_known = true;
        m->fin = fin;
        any = true;
    }
    while (m->have[m->rcv_nxt % M_TEXT]) {
        m->have[m->rcv_nxt++ % M_TEXT] = 0;
    }
    if (any) {
        model_answer(m, M_AN_ACK, 0, 0);
    }
    if (m->fin_known && m->fin == m->rcv_nxt) {
        m->rcv_nxt++;
        m->state = m->state == M_ESTABLISHED ? M_CLOSE_WAIT : m->state == M_FIN_WAIT_1 ? M_CLOSING : M_TIME_WAIT;
    }
}

/* 3.10.7.3 */
static void model_syn_sent(struct model *m, const struct model_segment *s)
{
    bool good = (s->flags & M_ACK) && model_in(m->iss + 1, s->ack, m->nxt + 1);
    if ((s->flags & M_ACK) && !good) {
        if (!(s->flags & M_RST)) {
            model_answer(m, M_A_RST, s->ack, 0);
        }
    } else if (s->flags & M_RST) {
        if (good) {
            model_reset(m, M_CLOSED);
        }
    } else if (s->flags & M_SYN) {
        m->irs = s->seq;
        m->rcv_nxt = s->seq + 1;
        m->edge = m->rcv_nxt + m->told;
        m->max_wnd = s->window;
        if (good) {
            m->una = s->ack;
            m->state = M_ESTABLISHED;
            model_answer(m, M_AN_ACK, 0, 0);
            model_text(m, s, s->seq + 1, false); /* documented: a FIN beside a SYN is left for the peer to repeat */
        } else {
            m->state = M_SYN_RECEIVED;
            model_answer(m, M_A_SYN_ACK, 0, m->rcv_nxt);
        }
    }
}

/* Table 6. A reset is judged by where it stands (3.5.3). Documented: a bare ACK may stand at the edge. */
static bool model_acceptable(const struct model *m, const struct model_segment *s)
{
    uint32_t len = s->flags & M_RST ? 0 : s->len + (s->flags & M_SYN ? 1 : 0) + (s->flags & M_FIN ? 1 : 0);
    bool open = model_before(m->rcv_nxt, m->edge);
    if (len == 0) {
        return model_in(m->rcv_nxt, s->seq, m->edge) || (s->seq == m->edge && (!open || (s->flags & (M_ACK | M_RST)) == M_ACK));
    }
    return open && (model_in(m->rcv_nxt, s->seq, m->edge) || model_in(m->rcv_nxt, s->seq + len - 1, m->edge));
}

/* Fourth of 3.10.7.4 and RFC 6191, before the sequence number is looked at: a SYN in TIME-WAIT. True: it is dealt with. */
static bool model_reopen(struct model *m, const struct model_segment *s)
{
    if (m->state != M_TIME_WAIT || (s->flags & (M_SYN | M_RST | M_ACK)) != M_SYN) {
        return false;
    }
    if (model_before(m->rcv_nxt - 1, s->seq)) { /* above the last number: the caller may begin anew */
        model_reset(m, M_CLOSED);
    }
    return true;
}

/* Fifth: ACK. True: go on with the text. */
static bool model_ack(struct model *m, const struct model_segment *s)
{
    if (m->state == M_SYN_RECEIVED) {
        if (!model_in(m->una + 1, s->ack, m->nxt + 1)) {
            model_answer(m, M_A_RST, s->ack, 0);
            return false;
        }
        m->state = m->closed ? M_FIN_WAIT_1 : M_ESTABLISHED;
    }
    if (model_before(m->nxt, s->ack)) {
        model_answer(m, M_AN_ACK, 0, 0);
        return false;
    }
    uint32_t oldest = m->acked < m->max_wnd ? m->acked : m->max_wnd; /* RFC 5961 5.2, and nothing before the first octet */
    if (m->una - s->ack <= 0x7fffffffu && m->una - s->ack > oldest) {
        model_answer(m, M_AN_ACK, 0, 0);
        return false;
    }
    if (model_before(m->una, s->ack)) {
        m->acked += s->ack - (m->una == m->iss ? m->iss + 1 : m->una);
        m->una = s->ack;
    }
    m->max_wnd = m->max_wnd > s->window ? m->max_wnd : s->window;
    if (m->closed && m->una == m->end + 1) {
        switch (m->state) {
        case M_FIN_WAIT_1: m->state = M_FIN_WAIT_2; break;
        case M_CLOSING: m->state = M_TIME_WAIT; break;
        case M_LAST_ACK: model_reset(m, M_CLOSED); break;
        default: break;
        }
    }
    return true;
}

/* 3.10.7.4 */
static void model_other(struct model *m, const struct model_segment *s)
{
    bool again = m->state == M_SYN_RECEIVED && (s->flags & (M_SYN | M_RST | M_ACK)) == M_SYN && s->seq == m->irs;
    bool probe = false;
    if (model_reopen(m, s)) {
        return;
    }
    if (again) { /* documented: the SYN,ACK is sent again, for it was lost */
        model_answer(m, M_A_SYN_ACK, 0, m->rcv_nxt);
        return;
    }
    if (!model_acceptable(m, s)) {
        probe = s->seq == m->rcv_nxt && !model_before(m->rcv_nxt, m->edge); /* MUST-66 */
        if (s->flags & M_RST) {
            return;
        }
        model_answer(m, M_AN_ACK, 0, 0);
        if (!probe) {
            return;
        }
    }
    if (s->flags & M_RST) {
        if (s->seq != m->rcv_nxt) {
            model_answer(m, M_AN_ACK, 0, 0);
        } else {
            model_reset(m, m->state == M_SYN_RECEIVED && m->passive && !m->closed ? M_LISTEN : M_CLOSED);
        }
    } else if (s->flags & M_SYN) {
        if (m->state == M_SYN_RECEIVED && m->passive && !m->closed) {
            model_reset(m, M_LISTEN);
            m->answer = M_NOTHING;
        } else {
            model_answer(m, M_AN_ACK, 0, 0);
        }
    } else if ((s->flags & M_ACK) && model_ack(m, s) && !probe) {
        model_text(m, s, s->seq, (s->flags & M_FIN) != 0);
    }
}

static void model_arrives(struct model *m, const struct model_segment *s)
{
    m->answer = M_NOTHING;
    switch (m->state) {
    case M_CLOSED: model_refuse(m, s); break;
    case M_LISTEN: model_listen(m, s); break;
    case M_SYN_SENT: model_syn_sent(m, s); break;
    default: model_other(m, s); break;
    }
}

/* 3.10.4 */
static void model_close(struct model *m)
{
    bool queued = model_before(m->nxt, m->end);
    bool may = m->state == M_ESTABLISHED || m->state == M_CLOSE_WAIT || m->state == M_SYN_RECEIVED;
    m->answer = M_NOTHING;
    if (m->state == M_LISTEN || m->state == M_SYN_SENT) {
        model_reset(m, M_CLOSED);
    } else if (may && !m->closed) {
        m->closed = true;
        if (m->state == M_CLOSE_WAIT) {
            m->state = M_LAST_ACK;
        } else if (m->state == M_ESTABLISHED || !queued) {
            m->state = M_FIN_WAIT_1;
        }
    }
}

/* 3.10.5 */
static void model_abort(struct model *m)
{
    bool tell = m->state >= M_SYN_RECEIVED && m->state <= M_CLOSE_WAIT;
    m->answer = M_NOTHING;
    if (tell) {
        model_answer(m, M_A_RST, m->nxt, 0);
    }
    uint32_t seq = m->nxt;
    model_reset(m, M_CLOSED);
    m->answer_seq = seq;
}

#endif /* WEIR_FUZZ_MODEL_H */
