/* window.c - the window we announce: how far the right edge may move, and how it looks in 16 bits.
 *
 * The promise rcv.adv never moves left (SHLD-14) and never passes the ring. Knows nothing of what is sent. RFC 9293 3.8.6.2.2,
 * RFC 7323 2.3 and 2.4. */
#include "conn/conn.h"

WEIR_PRIVATE uint8_t weiri_window_shift(const weir_config *cfg, uint32_t rx_size)
{
    uint32_t largest = base_max32(rx_size, cfg->rx_max);
    uint8_t shift = 0;
    /* The unit must stay a small part of the ring there is: a ring of less than one unit could never be announced at all. */
    while (shift < 14 && largest >> shift > 65535 && rx_size >> shift >= 8) { /* 14 */
        shift++;
    }
    return shift;
}

/* The largest window that the header has words for. */
static uint32_t window_largest(const weir_conn *c)
{
    return 65535u << conn_shift_rcv(c);
}

/* The window of an empty ring: what the peer can be offered at most. */
static uint32_t window_whole(const weir_conn *c)
{
    return base_min32(c->rx_size, window_largest(c));
}

/* How far the right edge could go beyond what is promised: the ring's end is rx_size octets after the first unread one. */
static uint32_t window_growth(const weir_conn *c)
{
    weir_seq end = seq_min(seq_add(c->rcv.usr, c->rx_size), seq_add(c->rcv.nxt, window_largest(c)));
    return seq_lt(c->rcv.adv, end) ? seq_diff(c->rcv.adv, end) : 0;
}

/* The receiver's silly-window avoidance (MUST-39): small steps of the right edge are kept back, without limit (MAY-8). */
static weir_seq window_edge(const weir_conn *c)
{
    uint32_t growth = window_growth(c);
    return growth >= base_min32(window_whole(c) / 2, c->mss_adv) ? seq_add(c->rcv.adv, growth) : c->rcv.adv;
}

WEIR_PRIVATE bool weiri_window_update_due(const weir_conn *c)
{
    uint32_t step = base_max32(base_min32(window_whole(c) / 2, 2u * c->mss_adv), 1u << conn_shift_rcv(c)); /* less could not be announced */
    bool more_comes = c->state == WEIR_ESTABLISHED || c->state == WEIR_FIN_WAIT_1 || c->state == WEIR_FIN_WAIT_2;
    return more_comes && conn_rcv_wnd(c) < window_whole(c) / 2 && window_growth(c) >= step;
}

WEIR_PRIVATE uint16_t weiri_window_announce(weir_conn *c)
{
    uint32_t unit = 1u << conn_shift_rcv(c);
    uint32_t wnd = base_min32(seq_diff(c->rcv.nxt, window_edge(c)), window_largest(c));
    uint32_t field = wnd >> conn_shift_rcv(c);
    /* Cutting to whole units would take back a part of the promise; rounding up is right wherever the ring has the room. */
    weir_seq end = seq_add(c->rcv.usr, c->rx_size); /* without a ring, behind a FIN */
    uint32_t ring = seq_lt(c->rcv.nxt, end) ? seq_diff(c->rcv.nxt, end) : 0;
    WEIR_ASSERT(conn_rcv_wnd(c) <= window_largest(c));
    if (WEIR_WITH_WINDOW_SCALE && field * unit < conn_rcv_wnd(c) && (field + 1) * unit <= ring) {
        field++;
    }
    weir_seq edge = seq_add(c->rcv.nxt, field * unit);
    WEIR_ASSERT(seq_leq(edge, c->rcv.adv) || seq_leq(edge, seq_add(c->rcv.usr, c->rx_size))); /* no promise without a place */
    c->rcv.adv = seq_max(c->rcv.adv, edge);
    return (uint16_t)field;
}
