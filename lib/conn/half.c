/* half.c - a connection in SYN-RECEIVED, told in a few numbers and made of them again.
 *
 * Nearly all that such a connection is follows from the peer's SYN, the configuration and the time it came. What else may have happened to
 * it is asked here, and if anything has there is no telling it. RFC 9293 3.10.7.2; RFC 4987 3.4. Knows no records. */
#include "conn/conn.h"

static bool half_sent_ecn(const weir_conn *c)
{
    return c->cfg->ecn != WEIR_ECN_OFF;
}

/* What ecn.c has noted when one SYN has come, and our answers to it have gone. */
static unsigned half_ecn(const weir_conn *c, bool offered)
{
    const unsigned answered = offered && half_sent_ecn(c) ? (unsigned)WEIRI_ECN_ASKED : (unsigned)WEIRI_ECN_PLAIN;
    return WEIR_WITH_ECN ? (offered ? (unsigned)WEIRI_ECN_HEARD : (unsigned)WEIRI_ECN_REFUSED) | answered : 0;
}

/* As the configuration has it: the user has changed nothing. */
static bool half_is_plain(const weir_conn *c)
{
    const weir_config *cfg = c->cfg;
    return conn_has(c, WEIRI_NAGLE) == cfg->nagle && conn_has(c, WEIRI_KEEPALIVE) == (WEIR_WITH_KEEPALIVE && cfg->keepalive_idle_us > 0) &&
           c->dscp == cfg->dscp && c->r2_us == cfg->r2_us && c->pmtu == cfg->mtu;
}

/* Nothing was said or heard but the SYN, and our answer, as often as the timer fired. */
static bool half_is_bare(const weir_conn *c, weir_us now)
{
    const uint32_t told = WEIRI_PASSIVE | WEIRI_TS_OK | WEIRI_SACK_OK | WEIRI_WS_OK | WEIRI_NAGLE | WEIRI_KEEPALIVE | WEIRI_SYN_RESENT |
                          WEIRI_SYN_TWICE | WEIRI_SUSPECT | WEIRI_ISS_FLOOR;
    const bool challenged = c->challenges > 0 && now - c->challenge_at < c->cfg->challenge_interval_us;
    return c->state == WEIR_SYN_RECEIVED && conn_has(c, WEIRI_PASSIVE) && (c->flags & ~told) == 0 && !weir_has_output(c) && !challenged &&
           conn_flight(c) == 1 && seq_eq(c->snd.end, c->snd.nxt) && c->retries == c->backoff && c->retries <= WEIRI_HALF_RETRIES &&
           conn_has(c, WEIRI_SYN_RESENT) == (c->retries > 0);
}

WEIR_PRIVATE bool weiri_half_tell(const weir_conn *c, struct weiri_half *h, uint32_t rx_size, weir_us now)
{
    if (!half_is_bare(c, now) || !half_is_plain(c)) {
        return false;
    }
    h->irs = c->rcv.irs;
    h->iss = c->snd.iss;
    h->ts_value = c->ts.recent;
    h->mss = c->mss_peer;
    h->wscale = conn_has(c, WEIRI_WS_OK) ? c->shift_snd : WEIRI_HALF_UNSCALED;
    h->retries = c->retries;
    h->stamped = conn_has(c, WEIRI_TS_OK);
    h->sack = conn_has(c, WEIRI_SACK_OK);
    h->ecn = (c->ecn & WEIRI_ECN_HEARD) != 0;
    h->suspect = conn_has(c, WEIRI_SUSPECT);
    h->at = weir_deadline(c);
    /* The time of the SYN is in the ISS; what was promised in the answer, in the size of the ring. */
    return c->ecn == half_ecn(c, h->ecn) && seq_eq(weiri_iss(c->cfg, &c->tuple, c->progress_at), h->iss) &&
           conn_rcv_wnd(c) == base_min32(rx_size, 65535) && seq_eq(c->rcv.nxt, seq_add(h->irs, 1));
}

/* The SYN, once more, as far as it is needed. Its window is: none, until the acknowledgment tells it. */
static void half_syn(const weir_conn *c, const struct weiri_half *h, weir_view *syn)
{
    memset(syn, 0, sizeof *syn);
    syn->seq = h->irs;
    syn->source_port = c->tuple.remote_port;
    syn->destination_port = c->tuple.local_port;
    syn->flags = (uint16_t)(WEIR_SYN | (h->ecn ? (unsigned)WEIR_ECE | (unsigned)WEIR_CWR : 0));
    syn->options = (uint16_t)(WEIR_OPT_MSS | (h->stamped ? WEIR_OPT_TIMESTAMPS : 0) | (h->sack ? WEIR_OPT_SACK_OK : 0) |
                              (h->wscale != WEIRI_HALF_UNSCALED ? WEIR_OPT_WSCALE : 0));
    syn->mss = h->mss;
    syn->wscale = h->wscale;
    syn->ts_value = h->ts_value;
}

WEIR_PRIVATE void weiri_half_resume(weir_conn *c, const struct weiri_half *h, weir_us now)
{
    weir_view syn;
    half_syn(c, h, &syn);
    weiri_conn_recall(c, &syn, h->iss, now);
    const weir_us age = (weir_us)((uint32_t)(c->now >> 2) - (h->iss.v - weiri_iss(c->cfg, &c->tuple, 0).v)) << 2;
    c->progress_at = c->now - base_min_us(c->now, age); /* R2 goes on */
    c->retries = h->retries;
    c->backoff = h->retries;
    conn_set(c, WEIRI_SYN_RESENT, h->retries > 0);
    conn_set(c, WEIRI_SUSPECT, h->suspect);
    c->ecn = (uint8_t)half_ecn(c, h->ecn);
    c->rexmt_at = h->at;
}
