/* ecn.c - explicit congestion notification: whether both ends have agreed to it, what goes into headers, what a mark does at the
 * receiver. RFC 3168 6.1, which RFC 8311 leaves as it is where no experiment is made: ECT(0), on new text alone.
 *
 * What an echo does to the window is repair.c's affair. */
#include "conn/conn.h"

#if WEIR_WITH_ECN

#define ECN_ECT0 2u /* of the IP header (RFC 3168 5) */
#define ECN_CE 3u

/* ---- the handshake (6.1.1) ----------------------------------------------------------------------------------------------- */

/* A SYN with both bits, a SYN,ACK with ECE alone: one with both is a reflection. AE is not looked at: who offers more gets this. */
static bool ecn_is_setup(const weir_view *v)
{
    unsigned bits = v->flags & ((unsigned)WEIR_ECE | (unsigned)WEIR_CWR);
    return bits == (v->flags & WEIR_ACK ? (unsigned)WEIR_ECE : (unsigned)WEIR_ECE | (unsigned)WEIR_CWR);
}

WEIR_PRIVATE void weiri_ecn_take_syn(weir_conn *c, const weir_view *v)
{
    c->ecn |= ecn_is_setup(v) ? (uint8_t)WEIRI_ECN_HEARD : (uint8_t)WEIRI_ECN_REFUSED;
}

/* A SYN that has to go again goes without: some middleboxes drop the first for its bits (6.1.1.1). A SYN,ACK keeps them, for the SYN has
 * come through with its own. */
WEIR_PRIVATE unsigned weiri_ecn_syn_flags(weir_conn *c)
{
    bool answer = c->state != WEIR_SYN_SENT;
    unsigned past = c->ecn & (unsigned)(WEIRI_ECN_HEARD | WEIRI_ECN_REFUSED | WEIRI_ECN_PLAIN);
    bool offer = c->cfg->ecn == WEIR_ECN_OFFER && !conn_has(c, WEIRI_SYN_RESENT);
    bool wanted = answer ? c->cfg->ecn != WEIR_ECN_OFF && past == WEIRI_ECN_HEARD : offer;
    c->ecn |= wanted ? (uint8_t)WEIRI_ECN_ASKED : (uint8_t)WEIRI_ECN_PLAIN;
    if (!wanted) {
        return 0;
    }
    return answer ? (unsigned)WEIR_ECE : (unsigned)WEIR_ECE | (unsigned)WEIR_CWR;
}

WEIR_PRIVATE bool weiri_ecn_ok(const weir_conn *c)
{
    unsigned syns = (unsigned)(WEIRI_ECN_ASKED | WEIRI_ECN_PLAIN | WEIRI_ECN_HEARD | WEIRI_ECN_REFUSED);
    return (c->ecn & syns) == (unsigned)(WEIRI_ECN_ASKED | WEIRI_ECN_HEARD);
}

/* ---- the receiver (6.1.3) ------------------------------------------------------------------------------------------------ */

/* CWR is looked at first: the same segment may be marked again (erratum 3639). Either is acknowledged at once, for the window of who sent
 * it may be one segment. A peer whose offer was answered may mark although its own answer to a plain SYN of ours made this end careful. */
WEIR_PRIVATE void weiri_ecn_take_text(weir_conn *c, const weir_view *v)
{
    bool hears = (c->ecn & (WEIRI_ECN_ASKED | WEIRI_ECN_REFUSED)) == WEIRI_ECN_ASKED;
    unsigned before = c->ecn;
    if (!hears || (v->flags & WEIR_SYN)) {
        return;
    }
    if (v->flags & WEIR_CWR) {
        c->ecn &= (uint8_t)~(unsigned)WEIRI_ECN_ECHO;
    }
    if (v->ecn == ECN_CE) {
        c->ecn |= (uint8_t)WEIRI_ECN_ECHO;
        WEIRI_COUNT(c, received_ce, conn_segments(v));
    }
    if (c->ecn != before) {
        conn_set(c, WEIRI_ACK_NOW, true);
    }
}

/* ---- the sender (6.1.2) -------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE bool weiri_ecn_is_echo(const weir_conn *c, const weir_view *v)
{
    return weiri_ecn_ok(c) && (v->flags & ((unsigned)WEIR_SYN | (unsigned)WEIR_ECE)) == WEIR_ECE;
}

WEIR_PRIVATE void weiri_ecn_reduced(weir_conn *c)
{
    if (weiri_ecn_ok(c)) {
        c->ecn |= (uint8_t)(WEIRI_ECN_CWR | WEIRI_ECN_REDUCED);
        c->ecn_end = c->snd.nxt;
    }
}

WEIR_PRIVATE void weiri_ecn_restored(weir_conn *c)
{
    c->ecn &= (uint8_t)~(unsigned)(WEIRI_ECN_CWR | WEIRI_ECN_REDUCED);
}

WEIR_PRIVATE void weiri_ecn_advanced(weir_conn *c)
{
    if (seq_lt(c->ecn_end, c->snd.una)) {
        c->ecn &= (uint8_t)~(unsigned)WEIRI_ECN_REDUCED;
    }
}

WEIR_PRIVATE bool weiri_ecn_answered(const weir_conn *c)
{
    return (c->ecn & WEIRI_ECN_REDUCED) && seq_lt(c->snd.una, c->ecn_end);
}

/* ---- headers ------------------------------------------------------------------------------------------------------------- */

WEIR_PRIVATE uint8_t weiri_ecn_codepoint(const weir_conn *c, bool fresh)
{
    return fresh && weiri_ecn_ok(c) ? (uint8_t)ECN_ECT0 : 0;
}

WEIR_PRIVATE unsigned weiri_ecn_flags(weir_conn *c, bool fresh)
{
    unsigned flags = c->ecn & WEIRI_ECN_ECHO ? (unsigned)WEIR_ECE : 0;
    if (fresh && (c->ecn & WEIRI_ECN_CWR)) {
        c->ecn &= (uint8_t)~(unsigned)WEIRI_ECN_CWR;
        flags |= (unsigned)WEIR_CWR;
    }
    return flags;
}

#undef ECN_ECT0
#undef ECN_CE

#endif /* WEIR_WITH_ECN */
