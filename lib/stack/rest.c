/* rest.c - which connections are packed: at work in a record of a bounded pool, idle in a small one of their own.
 *
 * Whoever has no rings and nothing to do is packed at once, and unpacked when a segment, a timer or the user comes. When the pool is
 * all lent, whoever has been quiet longest gives up its rings and is packed. Nobody can see the difference: pack.c keeps every field.
 * Newcomers leave a quarter of the pool to the connections that exist. Knows no segments. */
#include "stack/room.h"

#define REST_TURNS 8u /* connections asked to give way for one record */

typedef char rest_slot_fits[sizeof(struct weiri_slot) <= 80 ? 1 : -1];
typedef char rest_line_fits[sizeof(struct weiri_rest) == 64 ? 1 : -1];
typedef char rest_cold_fits[sizeof(struct weiri_cold) <= 200 ? 1 : -1];

WEIR_PRIVATE bool weiri_rest_possible(const weir_stack *s)
{
    const uint32_t reserve = s->cold ? s->work_pool.cap / 4 : 0;
    return s->work_pool.cap - s->work_pool.used + (s->cold ? s->spare.count : 0) > reserve;
}

/* A record, if need be of whoever has been quiet longest and can be packed. */
static uint32_t rest_take(weir_stack *s)
{
    uint32_t w = weiri_pool_take(&s->work_pool);
    for (unsigned turn = 0; s->cold && w == WEIRI_NONE && turn < REST_TURNS && weiri_lend_reclaim(s); turn++) {
        w = weiri_pool_take(&s->work_pool);
    }
    s->stats.busy = s->work_pool.used;
    s->stats.busy_peak = base_max32(s->stats.busy_peak, s->stats.busy);
    s->stats.busy_missed += w == WEIRI_NONE;
    return w;
}

WEIR_PRIVATE uint32_t weiri_rest_take(weir_stack *s, bool newcomer)
{
    return !newcomer || weiri_rest_possible(s) ? rest_take(s) : WEIRI_NONE;
}

static void rest_unpack(const weir_stack *s, uint32_t i, weir_conn *c)
{
    const struct weiri_rest *rest = &s->rests[i];
    weiri_unpack(c, s->cold[i].octets, s->blank, &rest->gist);
    c->tuple = rest->tuple;
    weiri_gist_give(&rest->gist, c);
}

WEIR_PRIVATE weir_conn *weiri_rest_wake(weir_stack *s, uint32_t i)
{
    if (!slot_is_packed(s, i)) {
        return slot_conn(s, i);
    }
    const uint32_t w = rest_take(s);
    if (w == WEIRI_NONE) {
        return NULL;
    }
    struct weiri_work *work = &s->works[w];
    memset(work, 0, sizeof *work);
    work->block = WEIRI_NONE;
    rest_unpack(s, i, &work->conn);
    s->rests[i].gist.bits = 0;
    s->slots[i].work = w;
    s->stats.unpacked++;
    return &work->conn;
}

/* Its timer is set anew: one that was left to fire early would wake it for nothing. */
WEIR_PRIVATE void weiri_rest_settle(weir_stack *s, uint32_t i)
{
    const struct weiri_slot *slot = &s->slots[i];
    if (!s->cold) {
        return;
    }
    const weir_conn *c = slot_conn(s, i);
    const bool in_hand = slot_in(slot, WEIRI_LIST_DIRTY) || slot_in(slot, WEIRI_LIST_NEEDY) || slot_in(slot, WEIRI_LIST_OUT);
    if (in_hand || !weiri_packable(c) || weiri_pack(s->cold[i].octets, WEIRI_COLD_OCTETS, c, s->blank) == 0) {
        return;
    }
    s->rests[i].tuple = c->tuple;
    weiri_gist_take(&s->rests[i].gist, c);
    weiri_wheel_cancel(&s->wheel, i);
    weiri_wheel_arm(&s->wheel, i, weir_deadline(c) < s->rearm_from ? s->rearm_from : weir_deadline(c));
    weiri_pool_give(&s->work_pool, slot->work);
    s->slots[i].work = WEIRI_NONE;
    s->stats.busy = s->work_pool.used;
    s->stats.packed++;
}

WEIR_PRIVATE const weir_conn *weiri_rest_look(const weir_stack *s, uint32_t i)
{
    if (!slot_is_packed(s, i)) {
        return slot_conn(s, i);
    }
    rest_unpack(s, i, s->scratch);
    return s->scratch;
}

WEIR_PRIVATE const weir_tuple *weiri_rest_tuple(const weir_stack *s, uint32_t i)
{
    return slot_rests(s, i) || slot_is_packed(s, i) ? &s->rests[i].tuple : &slot_conn(s, i)->tuple;
}

#undef REST_TURNS
