/* gist.c - what stays in the open of an idle connection that is packed: enough to take an acknowledgment that brings nothing new.
 *
 * The acknowledgment of what was acknowledged, with the window that is known, where nothing is outstanding: it changes some books, and the
 * last of such segments says all that those before it said. So it is kept as a few numbers, and the connection takes it when it is
 * unpacked: tests/test_gist.c sends the same segments both ways and compares. Keepalive probes' answers are such; RFC 9293 3.10.7.4. */
#include "conn/conn.h"

/* The segment that was taken last, or would be. */
static void gist_view(const struct weiri_gist *g, weir_view *v)
{
    memset(v, 0, sizeof *v);
    v->flags = WEIR_ACK;
    v->seq = g->nxt;
    v->ack = g->una;
    v->window = g->window;
    if (g->bits & WEIRI_GIST_STAMPED) {
        v->options = WEIR_OPT_TIMESTAMPS;
        v->ts_value = g->ts_recent;
    }
}

WEIR_PRIVATE void weiri_gist_take(struct weiri_gist *g, const weir_conn *c)
{
    weir_view v;
    const bool stamped = conn_has(c, WEIRI_TS_OK);
    memset(g, 0, sizeof *g);
    g->una = c->snd.una;
    g->nxt = c->rcv.nxt;
    g->ts_recent = c->ts.recent;
    g->in = WEIRI_COUNTED(c, in);
    g->window = (uint16_t)(c->snd.wnd >> conn_shift_snd(c));
    g->bits = stamped ? WEIRI_GIST_STAMPED : 0;
    gist_view(g, &v);
    const bool window = (uint32_t)g->window << conn_shift_snd(c) == c->snd.wnd;
    const bool stamp = !stamped || seq_leq(c->rcv.nxt, c->rcv.acked); /* else TS.Recent stays (RFC 7323 4.3) */
    /* its timer will only be put off, unless a probe was sent */
    if (window && stamp && c->keep_probes == 0 && weiri_predict_listening(c, &v)) {
        g->bits |= WEIRI_GIST_OPEN;
    }
}

static bool gist_fits(const struct weiri_gist *g, const weir_view *v)
{
    const bool ack = (v->flags & ~(unsigned)WEIR_PSH) == WEIR_ACK && v->payload_len == 0 && !(v->options & WEIR_OPT_SACK);
    const bool stamped = (v->options & WEIR_OPT_TIMESTAMPS) && (int32_t)(v->ts_value - g->ts_recent) >= 0;
    const bool known = seq_eq(v->seq, g->nxt) && seq_eq(v->ack, g->una) && v->window == g->window;
    return ack && known && (stamped || !(g->bits & WEIRI_GIST_STAMPED));
}

WEIR_PRIVATE bool weiri_gist_hears(struct weiri_gist *g, const weir_view *v, weir_us now)
{
    if (!(g->bits & WEIRI_GIST_OPEN) || !gist_fits(g, v)) {
        return false;
    }
    g->bits |= WEIRI_GIST_HEARD;
    g->at[0] = (uint32_t)(now >> 32);
    g->at[1] = (uint32_t)now;
    g->in += WEIR_WITH_COUNTERS;
    g->ts_recent = g->bits & WEIRI_GIST_STAMPED ? v->ts_value : g->ts_recent;
    return true;
}

WEIR_PRIVATE void weiri_gist_give(const struct weiri_gist *g, weir_conn *c)
{
    weir_view v;
    if (g->bits & WEIRI_GIST_HEARD) {
        gist_view(g, &v);
        weiri_predict_heard(c, &v, (weir_us)g->at[0] << 32 | g->at[1]);
#if WEIR_WITH_COUNTERS
        c->count.in = g->in;
#endif
    }
}
