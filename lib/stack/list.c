/* list.c - slots in a row, doubly linked by index, so that any of them can leave at once. A slot is in one list of a kind at most. */
#include "stack/room.h"

static struct weiri_link *list_link(const weir_stack *s, enum weiri_list_kind kind, uint32_t i)
{
    return &s->slots[i].link[kind < WEIRI_LIST_LINKS ? kind : WEIRI_LIST_LINKS - 1];
}

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
    WEIR_ASSERT(kind < WEIRI_LIST_LINKS - 1 || !(slot->lists >> (WEIRI_LIST_LINKS - 1)));
    struct weiri_link *link = list_link(s, kind, i);
    slot->lists = (uint8_t)(slot->lists | 1u << kind);
    link->next = WEIRI_NONE;
    link->prev = l->tail;
    if (l->tail == WEIRI_NONE) {
        l->head = i;
    } else {
        list_link(s, kind, l->tail)->next = i;
    }
    l->tail = i;
    l->count++;
}

WEIR_PRIVATE void weiri_list_take_out(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i)
{
    struct weiri_slot *slot = &s->slots[i];
    const struct weiri_link link = *list_link(s, kind, i);
    slot->lists = (uint8_t)(slot->lists & ~(1u << kind));
    if (link.prev == WEIRI_NONE) {
        l->head = link.next;
    } else {
        list_link(s, kind, link.prev)->next = link.next;
    }
    if (link.next == WEIRI_NONE) {
        l->tail = link.prev;
    } else {
        list_link(s, kind, link.next)->prev = link.prev;
    }
    l->count--;
}

WEIR_PRIVATE bool weiri_list_check(const weir_stack *s, const struct weiri_list *l, enum weiri_list_kind kind)
{
    uint32_t seen = 0, prev = WEIRI_NONE;
    for (uint32_t i = l->head; i != WEIRI_NONE; i = list_link(s, kind, i)->next) {
        if (i >= s->slot_pool.fresh || !slot_in(&s->slots[i], kind) || list_link(s, kind, i)->prev != prev || ++seen > l->count) {
            return false;
        }
        prev = i;
    }
    return seen == l->count && prev == l->tail;
}
