/* wheel.c - a timer for each of many things: arm and cancel in constant time, the next deadline without a search.
 *
 * A hierarchical wheel over the digits of the time itself, six bits a level: a node lies on the level of the highest digit in which
 * its time differs from the wheel's, in the slot of its own digit there. So every time fits, to the microsecond: there is no
 * overflow list and nothing wraps; all nodes of a level come after those of the levels below; the bit sets give the earliest.
 * When the wheel reaches a slot above level 0 its nodes move down, each at most once a level. Knows nothing of connections. */
#include "stack/room.h"

#define WHEEL_BITS 6u
#define WHEEL_LOOK 8u /* so many nodes of a slot are looked at for an exact deadline */

static unsigned wheel_level(weir_us now, weir_us at)
{
    const uint64_t differ = (now ^ at) | (WEIRI_WHEEL_SLOTS - 1);
    return (63u - (unsigned)__builtin_clzll(differ)) / WHEEL_BITS;
}

static unsigned wheel_digit(weir_us at, unsigned level)
{
    return (unsigned)(at >> (level * WHEEL_BITS)) & (WEIRI_WHEEL_SLOTS - 1);
}

/* The first microsecond of a slot ahead. */
static weir_us wheel_start(weir_us now, unsigned level, unsigned slot)
{
    const unsigned above = (level + 1) * WHEEL_BITS;
    const uint64_t prefix = above < 64 ? now >> above << above : 0;
    return prefix | (uint64_t)slot << (level * WHEEL_BITS);
}

static bool wheel_is_armed(const struct weiri_wheel *w, uint32_t i)
{
    return w->nodes[i].next != WEIRI_NONE;
}

WEIR_PRIVATE void weiri_wheel_init(struct weiri_wheel *w, struct weiri_wheel_node *nodes, uint32_t count, weir_us now)
{
    memset(w, 0, sizeof *w);
    w->nodes = nodes;
    w->now = now;
    for (unsigned level = 0; level < WEIRI_WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < WEIRI_WHEEL_SLOTS; slot++) {
            w->heads[level][slot] = WEIRI_NONE;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        nodes[i].next = nodes[i].prev = WEIRI_NONE;
        nodes[i].at = WEIR_FOREVER;
    }
}

/* Puts a node at the end of the ring of its slot. */
static void wheel_put(struct weiri_wheel *w, uint32_t i)
{
    struct weiri_wheel_node *nodes = w->nodes;
    const unsigned level = wheel_level(w->now, nodes[i].at);
    const unsigned slot = wheel_digit(nodes[i].at, level);
    const uint32_t head = w->heads[level][slot];
    if (head == WEIRI_NONE) {
        nodes[i].next = nodes[i].prev = i;
        w->heads[level][slot] = i;
        w->slots[level] |= (uint64_t)1 << slot;
        w->levels |= 1u << level;
        return;
    }
    const uint32_t tail = nodes[head].prev;
    nodes[i].next = head;
    nodes[i].prev = tail;
    nodes[tail].next = i;
    nodes[head].prev = i;
}

static void wheel_empty_slot(struct weiri_wheel *w, unsigned level, unsigned slot)
{
    w->heads[level][slot] = WEIRI_NONE;
    w->slots[level] &= ~((uint64_t)1 << slot);
    if (w->slots[level] == 0) {
        w->levels &= ~(1u << level);
    }
}

/* Where a node lies follows from its time and the wheel's: that is the invariant, so it need not be stored. */
static void wheel_unput(struct weiri_wheel *w, uint32_t i)
{
    struct weiri_wheel_node *nodes = w->nodes;
    const unsigned level = wheel_level(w->now, nodes[i].at);
    const unsigned slot = wheel_digit(nodes[i].at, level);
    if (nodes[i].next == i) {
        wheel_empty_slot(w, level, slot);
    } else {
        nodes[nodes[i].prev].next = nodes[i].next;
        nodes[nodes[i].next].prev = nodes[i].prev;
        if (w->heads[level][slot] == i) {
            w->heads[level][slot] = nodes[i].next;
        }
    }
    nodes[i].next = nodes[i].prev = WEIRI_NONE;
}

WEIR_PRIVATE void weiri_wheel_arm(struct weiri_wheel *w, uint32_t i, weir_us at)
{
    if (at == WEIR_FOREVER) {
        return;
    }
    at = at < w->now ? w->now : at;
    if (wheel_is_armed(w, i)) {
        if (at >= w->nodes[i].at) {
            return;
        }
        wheel_unput(w, i);
        w->armed--;
    }
    w->nodes[i].at = at;
    wheel_put(w, i);
    w->armed++;
}

WEIR_PRIVATE void weiri_wheel_cancel(struct weiri_wheel *w, uint32_t i)
{
    if (wheel_is_armed(w, i)) {
        wheel_unput(w, i);
        w->armed--;
    }
}

/* The wheel has come to the beginning of a slot above level 0: each node differs from it only in lower digits now. */
static void wheel_cascade(struct weiri_wheel *w, unsigned level, unsigned slot)
{
    const uint32_t head = w->heads[level][slot];
    uint32_t i = head;
    wheel_empty_slot(w, level, slot);
    do {
        const uint32_t next = w->nodes[i].next;
        wheel_put(w, i);
        i = next;
    } while (i != head);
}

WEIR_PRIVATE uint32_t weiri_wheel_due(struct weiri_wheel *w, weir_us now)
{
    now = now < w->now ? w->now : base_min_us(now, WEIR_FOREVER - 1); /* which no timer can be armed for */
    while (w->levels != 0) { /* every turn but the last takes a node out, or takes a slot of nodes down a level */
        const unsigned level = (unsigned)__builtin_ctz(w->levels);
        const unsigned slot = (unsigned)__builtin_ctzll(w->slots[level]);
        const weir_us start = wheel_start(w->now, level, slot);
        if (start > now) {
            break;
        }
        w->now = start;
        if (level == 0) {
            const uint32_t i = w->heads[0][slot];
            wheel_unput(w, i);
            w->armed--;
            return i;
        }
        wheel_cascade(w, level, slot);
    }
    w->now = now;
    return WEIRI_NONE;
}

WEIR_PRIVATE weir_us weiri_wheel_deadline(const struct weiri_wheel *w)
{
    if (w->levels == 0) {
        return WEIR_FOREVER;
    }
    const unsigned level = (unsigned)__builtin_ctz(w->levels);
    const unsigned slot = (unsigned)__builtin_ctzll(w->slots[level]);
    const uint32_t head = w->heads[level][slot];
    weir_us earliest = w->nodes[head].at;
    uint32_t i = w->nodes[head].next;
    for (unsigned looked = 1; i != head; looked++, i = w->nodes[i].next) {
        if (looked == WHEEL_LOOK) {
            return wheel_start(w->now, level, slot);
        }
        earliest = base_min_us(earliest, w->nodes[i].at);
    }
    return earliest;
}

static const char *wheel_check_slot(const struct weiri_wheel *w, unsigned level, unsigned slot, uint32_t count, uint32_t *seen)
{
    const uint32_t head = w->heads[level][slot];
    if ((head != WEIRI_NONE) != ((w->slots[level] >> slot & 1u) != 0)) {
        return "wheel: a slot and its bit disagree";
    }
    uint32_t i = head;
    while (i != WEIRI_NONE) { /* ends: nobody has two before it */
        if (i >= count) {
            return "wheel: a ring leaves the nodes";
        }
        ++*seen;
        if (w->nodes[i].at < w->now || wheel_level(w->now, w->nodes[i].at) != level || wheel_digit(w->nodes[i].at, level) != slot) {
            return "wheel: a node is in the wrong slot";
        }
        if (w->nodes[w->nodes[i].next].prev != i) {
            return "wheel: a ring is broken";
        }
        i = w->nodes[i].next == head ? WEIRI_NONE : w->nodes[i].next;
    }
    return NULL;
}

WEIR_PRIVATE const char *weiri_wheel_check(const struct weiri_wheel *w, uint32_t count)
{
    uint32_t seen = 0;
    for (unsigned level = 0; level < WEIRI_WHEEL_LEVELS; level++) {
        if ((w->slots[level] != 0) != ((w->levels >> level & 1u) != 0)) {
            return "wheel: a level and its bit disagree";
        }
        for (unsigned slot = 0; slot < WEIRI_WHEEL_SLOTS; slot++) {
            const char *broken = wheel_check_slot(w, level, slot, count, &seen);
            if (broken) {
                return broken;
            }
        }
    }
    return seen == w->armed ? NULL : "wheel: the count of armed timers is wrong";
}

#undef WHEEL_BITS
#undef WHEEL_LOOK
