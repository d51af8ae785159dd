/* icmp.c - ICMP errors about this connection's own segments: hard, soft, and too big.
 *
 * Knows what a quotation proves; not how ICMP looks (lib/wire/ip.c). RFC 9293 3.9.2.2, RFC 5927, RFC 1191, RFC 8201. */
#include "conn/conn.h"

/* No path MTU falls below these: who needs less must fragment (RFC 791), or the link is not IPv6 (RFC 8201 4). */
#define ICMP_MTU_MIN_V4 552u
#define ICMP_MTU_MIN_V6 1280u

WEIR_PRIVATE void weiri_icmp_set_pmtu(weir_conn *c, uint32_t mtu)
{
    uint32_t floor = weir_addr_is_v4(&c->tuple.local) ? ICMP_MTU_MIN_V4 : ICMP_MTU_MIN_V6;
    mtu = base_max32(mtu, floor);
    if (mtu >= c->pmtu) {
        return;
    }
    uint16_t before = c->mss_snd;
    c->pmtu = (uint16_t)mtu;
    weiri_conn_set_mss(c);
    weiri_cc_new_mss(&c->cc, before, c->mss_snd);
    if (c->board.count > 0) { /* what was too big did not arrive, and that was no congestion (RFC 8201 4) */
        weiri_board_lose_all(&c->board);
        conn_set(c, WEIRI_RESEND_NOW, true);
    }
}

#if WEIR_WITH_PMTU_CHECK
/* RFC 5927 7.2: what claims less than packets that did arrive waits until the segment times out; progress shows that packets of this size
 * arrive. */
static bool icmp_waits(weir_conn *c, uint32_t mtu)
{
    uint32_t arrived = c->size_acked > 0 ? c->size_acked + conn_ip_header(c) + 20 : 0;
    if (mtu >= arrived) {
        return false;
    }
    c->mtu_pending = (uint16_t)base_max32(mtu, 1);
    return true;
}

WEIR_PRIVATE void weiri_icmp_acked(weir_conn *c, uint32_t octets)
{
    c->size_acked = (uint16_t)base_max32(c->size_acked, base_min32(octets, c->mss_snd));
    c->mtu_pending = 0;
}

WEIR_PRIVATE void weiri_icmp_timeout(weir_conn *c)
{
    if (c->mtu_pending > 0) {
        uint16_t mtu = c->mtu_pending;
        c->mtu_pending = 0;
        weiri_icmp_set_pmtu(c, mtu);
    }
}
#else
static bool icmp_waits(weir_conn *c, uint32_t mtu)
{
    (void)c;
    (void)mtu;
    return false;
}
#endif

/* Routers of old say nothing (mtu 0): then the floor is tried. */
static void icmp_too_big(weir_conn *c, uint32_t mtu)
{
    bool v6 = !weir_addr_is_v4(&c->tuple.local);
    if (mtu >= c->pmtu || (v6 && mtu < ICMP_MTU_MIN_V6)) {
        return; /* it cannot be about a packet of ours; it is no link of IPv6 (RFC 8201 4: discard) */
    }
    if (!icmp_waits(c, mtu)) {
        weiri_icmp_set_pmtu(c, mtu);
    }
}

WEIR_API bool weir_input_icmp(weir_conn *c, const weir_icmp *icmp, weir_us now)
{
    if (c->state == WEIR_CLOSED || c->state == WEIR_LISTEN || !seq_in(icmp->seq, c->snd.una, conn_flight(c))) {
        return false;
    }
    weiri_conn_begin(c, now);
    if (icmp->kind == WEIR_ICMP_TOO_BIG) {
        icmp_too_big(c, icmp->mtu);
    } else if (icmp->kind == WEIR_ICMP_SOFT) {
        conn_set(c, WEIRI_SUSPECT, true);
    } else {
        struct weiri_step s;
        memset(&s, 0, sizeof s);
        s.c = c;
        s.facts = weiri_facts_call(c);
        weiri_fsm_call(&s, WEIRI_STAGE_ICMP_HARD);
    }
    weiri_conn_finish(c);
    return true;
}

#undef ICMP_MTU_MIN_V4
#undef ICMP_MTU_MIN_V6
