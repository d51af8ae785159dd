/* net_ledger.c - which octets were really lost: tells retransmissions that were needed from those that were not.
 *
 * A retransmission is needed if of one of its octets no copy arrives: every earlier one was dropped. Losses are known at once, but
 * for CoDel's, which come when a packet leaves the queue: then an earlier verdict is turned round. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

/* The first piece that ends behind `offset`. */
static size_t ledger_find(const struct net_ledger *l, uint64_t offset)
{
    size_t low = l->head, high = l->head + l->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (l->piece[middle].to <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct net_piece *ledger_insert(struct net_ledger *l, size_t at)
{
    if (l->head + l->count == l->cap && l->head > l->cap / 2) {
        memmove(l->piece, l->piece + l->head, l->count * sizeof *l->piece);
        at -= l->head;
        l->head = 0;
    }
    l->piece = net_grow(l->piece, l->head + l->count, &l->cap, sizeof *l->piece);
    memmove(l->piece + at + 1, l->piece + at, (l->head + l->count - at) * sizeof *l->piece);
    l->count++;
    return &l->piece[at];
}

/* Makes `offset` a border between two pieces, if it is inside one. */
static void ledger_split(struct net_ledger *l, uint64_t offset)
{
    size_t at = ledger_find(l, offset);
    struct net_piece *p;

    if (at == l->head + l->count || l->piece[at].from >= offset) {
        return;
    }
    p = ledger_insert(l, at);
    p[0] = p[1];
    p[0].to = offset;
    p[1].from = offset;
}

/* Sent again: octets already delivered and trimmed were alive. */
static bool ledger_again(struct net_ledger *l, uint64_t from, uint64_t to)
{
    bool spurious = true;
    size_t i, end;

    ledger_split(l, from);
    ledger_split(l, to);
    end = l->head + l->count;
    for (i = ledger_find(l, from); i < end && l->piece[i].from < to; i++) {
        spurious = spurious && l->piece[i].alive != 0;
        l->piece[i].alive++;
    }
    for (i = ledger_find(l, from); spurious && i < end && l->piece[i].from < to; i++) {
        l->piece[i].spurious++;
    }
    return spurious;
}

void net_ledger_send(struct net_world *w, struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    struct net_ledger *l = &f->ledger;
    uint64_t from = p->offset, to = p->offset + p->text;
    enum net_mark mark = NET_MARK_SENT;
    struct net_piece *piece;

    f->counts.packets++;
    if (from < l->end) {
        p->spurious = ledger_again(l, from, to < l->end ? to : l->end);
        f->counts.retrans++;
        f->counts.spurious += p->spurious;
        if (p->spurious && from >= l->flight_end) { /* what went before the peer could tell of the first counts with it */
            f->counts.spurious_flights++;
            l->flight_end = l->end;
        }
        f->counts.needed += !p->spurious;
        mark = p->spurious ? NET_MARK_SPURIOUS : NET_MARK_NEEDED;
        from = l->end;
    }
    if (from < to) {
        piece = ledger_insert(l, l->head + l->count);
        memset(piece, 0, sizeof *piece);
        piece->from = from;
        piece->to = to;
        piece->alive = 1;
        l->end = to;
    }
    if (p->flow == 0) {
        net_mark(w, mark, p->offset);
    }
}

void net_ledger_drop(struct net_world *w, const struct net_packet *p)
{
    struct net_flow *f = &w->flow[p->flow];
    struct net_ledger *l = &f->ledger;
    uint64_t to = p->offset + p->text;
    bool turned = false;
    size_t i;

    ledger_split(l, p->offset);
    ledger_split(l, to);
    for (i = ledger_find(l, p->offset); i < l->head + l->count && l->piece[i].from < to; i++) {
        l->piece[i].alive--;
        if (!p->spurious && l->piece[i].spurious > 0) {
            l->piece[i].spurious--;
            turned = true;
        }
    }
    f->counts.spurious -= turned;
    f->counts.needed += turned;
    if (p->flow == 0) {
        net_mark(w, NET_MARK_LOST, p->offset);
    }
}

void net_ledger_trim(struct net_ledger *l, uint64_t delivered)
{
    while (l->count > 0 && l->piece[l->head].to <= delivered) {
        l->head++;
        l->count--;
    }
    if (l->count == 0) {
        l->head = 0;
    }
}
