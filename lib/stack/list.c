/* list.c - slots in a row, doubly linked by index, so that any of them can leave at once. A slot is in one list of a kind at most. */
#include "stack/room.h"

WEIR_PRIVATE void weiri_list_init(struct weiri_list *l)
{
    l->head = l->tail = WEIRI_NONE;
    l->count = 0;
}

WEIR_PRIVATE void weiri_list_push(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    if (slot_in(slot, kind)) {
        return;
    }
    slot->lists = (uint8_t)(slot->lists | 1u << kind);
    slot->link[kind].next = WEIRI_NONE;
    slot->link[kind].prev = l->tail;
    if (l->tail == WEIRI_NONE) {
        l->head = i;
    } else {
        s->slots[l->tail].link[kind].next = i;
    }
    l->tail = i;
    l->count++;
}

static void list_take_out(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    const struct weiri_link link = slot->link[kind];
    slot->lists = (uint8_t)(slot->lists & ~(1u << kind));
    if (link.prev == WEIRI_NONE) {
        l->head = link.next;
    } else {
        s->slots[link.prev].link[kind].next = link.next;
    }
    if (link.next == WEIRI_NONE) {
        l->tail = link.prev;
    } else {
        s->slots[link.next].link[kind].prev = link.prev;
    }
    l->count--;
}

WEIR_PRIVATE void weiri_list_remove(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i)
{
    if (slot_in(&s->slots[i], kind)) {
        list_take_out(s, l, kind, i);
    }
}

WEIR_PRIVATE bool weiri_list_check(const weir_stack *s, const struct weiri_list *l, enum weiri_list_kind kind)
{
    uint32_t seen = 0, prev = WEIRI_NONE;
    for (uint32_t i = l->head; i != WEIRI_NONE; i = s->slots[i].link[kind].next) {
        if (i >= s->slot_pool.fresh || !slot_in(&s->slots[i], kind) || s->slots[i].link[kind].prev != prev || ++seen > l->count) {
            return false;
        }
        prev = i;
    }
    return seen == l->count && prev == l->tail;
}
