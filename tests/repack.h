/* repack.h - packs and unpacks every connection of a stack that could be packed, where it is: nobody may see a difference. For tests only. */
#ifndef WEIR_TESTS_REPACK_H
#define WEIR_TESTS_REPACK_H

#include "stack/room.h"

/* Without its rings; what is put aside comes back. */
static void repack_without_rings(weir_conn *c)
{
    c->rx_ring = c->tx_ring = NULL;
    c->spans = NULL;
    c->board.sent = NULL;
    c->rx_size = c->tx_size = 0;
    c->span_cap = c->span_head = 0;
    c->board.cap = 0;
#if WEIR_WITH_LARGE_BOARD
    c->board.head = 0;
#endif
}

__attribute__((unused)) static void repack_give_rings(weir_conn *c, const weir_conn *old)
{
    c->rx_ring = old->rx_ring;
    c->tx_ring = old->tx_ring;
    c->spans = old->spans;
    c->board.sent = old->board.sent;
    c->rx_size = old->rx_size;
    c->tx_size = old->tx_size;
    c->span_cap = old->span_cap;
    c->span_head = old->span_head;
    c->board.cap = old->board.cap;
#if WEIR_WITH_LARGE_BOARD
    c->board.head = old->board.head;
#endif
    c->tuple = old->tuple;
}

enum repack { REPACK_BUSY, REPACK_FITS, REPACK_LONG }; /* long: it would not fit into a record, and stay at work */

__attribute__((unused)) static enum repack repack_one(const weir_stack *s, weir_conn *c)
{
    uint8_t octets[2048];
    const weir_conn old = *c;
    weir_conn bare = old;
    repack_without_rings(&bare);
    if (!weiri_tune_idle(&old) || weir_has_output(&old) || !weiri_packable(&bare)) {
        return REPACK_BUSY;
    }
    struct weiri_gist gist;
    const size_t len = weiri_pack(octets, sizeof octets, &bare, s->blank);
    weiri_gist_take(&gist, &bare);
    memset(c, 0x5a, sizeof *c);
    weiri_unpack(c, octets, s->blank, &gist);
    repack_give_rings(c, &old);
    return len > WEIRI_COLD_OCTETS ? REPACK_LONG : REPACK_FITS;
}

/* How many of each. */
__attribute__((unused)) static void repack_all(const weir_stack *s, uint64_t counts[3])
{
    for (uint32_t i = 0; i < s->slot_pool.fresh; i++) {
        if (slot_is(&s->slots[i], WEIRI_SLOT_LIVE) && !slot_is_packed(s, i)) {
            counts[repack_one(s, slot_conn(s, i))]++;
        }
    }
}

#endif /* WEIR_TESTS_REPACK_H */
