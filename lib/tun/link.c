/* link.c - an impaired link, one direction: loss, duplication, reordering, corruption, delay, jitter, a rate limit with
 * a bounded queue.
 *
 * Sans IO: packets and time in, packets out, memory given once. Knows nothing of IP, devices or clocks.
 * The packets that are not held back leave in the order in which they came, so the queue is a ring; a packet held back
 * stands aside until enough others have gone by, or its time is up. Packets are kept in chains of small cells, so that
 * acknowledgments and full-sized segments share the memory fairly.
 */
#include <string.h>

#include "tun/room.h"

#define LINK_CELL_OCTETS 508u
#define LINK_NO_CELL UINT32_MAX
#define LINK_HELD_MAX 16u
#define LINK_PPM 1000000u
#define LINK_DAY_US 86400000000u
#define LINK_RATE_MAX 1000000000000u /* keeps octets * 8 * 10^6 and what is left over within 64 bits */
#define LINK_BURST_MAX 1000u         /* keeps a chance times a 32-bit draw within 64 bits */

struct link_cell {
    uint32_t next;
    uint8_t octets[LINK_CELL_OCTETS];
};

struct link_packet {
    weir_us due;
    uint32_t cell, len;
};

struct link_aside {
    struct link_packet packet;
    uint64_t release; /* when so many packets have gone by */
};

struct weir_link {
    weir_link_config config;
    weir_link_stats stats;
    weir_us now;            /* the latest time seen */
    weir_us last_due;       /* nothing that came later leaves earlier */
    weir_us free_at;        /* the rate limit has sent all that it was given, ... */
    uint64_t free_fraction; /* ... plus so many parts of 1/rate_bps microseconds */
    uint64_t key, serial;   /* of the draws; packets pushed */
    uint64_t gone;          /* packets queued */
    struct link_packet *ring;
    struct link_cell *cells;
    uint32_t cell_count, cells_left; /* all; those that hold nothing: */
    uint32_t cell_free, cell_fresh;  /* a list of those given back, and the first that was never used */
    uint32_t head, count;   /* of the ring, which has a place for every cell */
    uint32_t aside_count;
    weir_us *leaves;        /* a ring of cell_count: when those that wait for the rate have left it */
    uint32_t leaves_head, leaves_count;
    weir_us first_at;       /* of the first packet */
    uint32_t drop_seen[WEIR_LINK_DROPS_MAX], drop_done[WEIR_LINK_DROPS_MAX];
    bool bad;               /* in a run of losses */
    struct link_aside aside[LINK_HELD_MAX];
};

/* One for each decision about a packet. */
enum link_salt {
    LINK_SALT_LOSS = 1,
    LINK_SALT_DUP,
    LINK_SALT_CORRUPT,
    LINK_SALT_PLACE,
    LINK_SALT_MASK,
    LINK_SALT_REORDER,
    LINK_SALT_GAP,
    LINK_SALT_JITTER
};

/* splitmix64's finalizer: every bit of the argument reaches every bit of the result. */
static uint64_t link_finalize(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t weiri_mix(uint64_t seed, uint64_t salt)
{
    return link_finalize(link_finalize(seed + 0x9e3779b97f4a7c15u) + salt * 0xd1342543de82ef95u);
}

/* A function of seed, packet and decision alone: knobs do not disturb each other. */
static uint64_t link_draw(const weir_link *link, enum link_salt salt)
{
    return weiri_mix(weiri_mix(link->key, link->serial), (uint64_t)salt);
}

/* True with a chance of num in den, den up to 2^31. */
static bool link_chance(const weir_link *link, enum link_salt salt, uint64_t num, uint64_t den)
{
    return (link_draw(link, salt) >> 32) * den < num << 32;
}

/* ---- configuration ---- */

void weir_link_config_init(weir_link_config *config)
{
    memset(config, 0, sizeof *config);
    config->seed = 1;
}

bool weir_link_config_idle(const weir_link_config *config)
{
    return config->loss_ppm == 0 && config->dup_ppm == 0 && config->reorder_ppm == 0 && config->corrupt_ppm == 0 &&
           config->delay_us == 0 && config->jitter_us == 0 && config->rate_bps == 0 &&
           config->drop_count == 0;
}

static bool link_config_ok(const weir_link_config *config)
{
    return config->loss_ppm <= LINK_PPM && config->dup_ppm <= LINK_PPM && config->reorder_ppm <= LINK_PPM &&
           config->corrupt_ppm <= LINK_PPM && config->loss_burst <= LINK_BURST_MAX &&
           config->reorder_us <= LINK_DAY_US && config->delay_us <= LINK_DAY_US && config->jitter_us <= LINK_DAY_US &&
           config->rate_bps <= LINK_RATE_MAX && config->drop_count <= WEIR_LINK_DROPS_MAX;
}

static void link_configure(weir_link *link, const weir_link_config *config)
{
    link->config = *config;
    link->key = weiri_mix(config->seed, 0);
    memset(link->drop_seen, 0, sizeof link->drop_seen);
    memset(link->drop_done, 0, sizeof link->drop_done);
    if (config->reorder_gap == 0)
        link->config.reorder_gap = 8;
    if (config->reorder_us == 0)
        link->config.reorder_us = 20000;
    if (config->queue_octets == 0) {
        uint64_t octets = config->rate_bps / 80;
        link->config.queue_octets = octets < 65536 ? 65536 : octets > UINT32_MAX ? UINT32_MAX : (uint32_t)octets;
    }
}

weir_link *weir_link_init(void *memory, size_t len, const weir_link_config *config)
{
    uint8_t *place = (uint8_t *)memory;
    weir_link *link = (weir_link *)memory;
    size_t count;

    if (len < WEIR_LINK_MEMORY_MIN || !link_config_ok(config))
        return NULL;
    memset(link, 0, sizeof *link);
    count = (len - sizeof *link) / (sizeof(struct link_packet) + sizeof(weir_us) + sizeof(struct link_cell));
    if (count >= LINK_NO_CELL)
        count = LINK_NO_CELL - 1;
    link->ring = (struct link_packet *)(void *)(place + sizeof *link);
    link->leaves = (weir_us *)(void *)(link->ring + count);
    link->cells = (struct link_cell *)(void *)(link->leaves + count);
    link->cell_count = link->cells_left = (uint32_t)count; /* memory is touched only when it is needed */
    link->cell_free = LINK_NO_CELL;
    link_configure(link, config);
    return link;
}

/* Octets still waiting for the rate limit. At most queue_octets and a packet, so that the product fits. */
static uint64_t link_backlog(const weir_link *link)
{
    if (link->config.rate_bps == 0 || link->free_at <= link->now)
        return 0;
    return (link->free_at - link->now) * link->config.rate_bps / 8000000u;
}

bool weir_link_change(weir_link *link, const weir_link_config *config)
{
    uint64_t backlog = link_backlog(link);

    if (!link_config_ok(config))
        return false;
    if (config->rate_bps != link->config.rate_bps) { /* what waits goes on at the new rate */
        link->free_at = link->now + (config->rate_bps == 0 ? 0 : backlog * 8000000u / config->rate_bps);
        link->free_fraction = 0;
    }
    link_configure(link, config);
    return true;
}

/* ---- memory ---- */

static uint32_t link_cells_for(size_t len)
{
    return (uint32_t)((len + LINK_CELL_OCTETS - 1) / LINK_CELL_OCTETS);
}

static uint32_t link_cell_take(weir_link *link)
{
    uint32_t cell = link->cell_free;

    link->cells_left--;
    if (cell == LINK_NO_CELL)
        return link->cell_fresh++;
    link->cell_free = link->cells[cell].next;
    return cell;
}

/* Copies a packet into cells; the caller knows that there are enough. At most 130 turns: 65535 octets. */
static uint32_t link_store(weir_link *link, const uint8_t *octets, size_t len)
{
    uint32_t first = LINK_NO_CELL, last = LINK_NO_CELL;

    for (size_t at = 0; at < len; at += LINK_CELL_OCTETS) {
        size_t part = len - at < LINK_CELL_OCTETS ? len - at : LINK_CELL_OCTETS;
        uint32_t cell = link_cell_take(link);
        memcpy(link->cells[cell].octets, octets + at, part);
        link->cells[cell].next = LINK_NO_CELL;
        if (first == LINK_NO_CELL)
            first = cell;
        else
            link->cells[last].next = cell;
        last = cell;
    }
    return first;
}

/* Copies a packet out unless octets is NULL, and gives its cells back. */
static void link_fetch(weir_link *link, const struct link_packet *packet, uint8_t *octets)
{
    uint32_t cell = packet->cell;

    for (size_t at = 0; at < packet->len; at += LINK_CELL_OCTETS) {
        size_t part = packet->len - at < LINK_CELL_OCTETS ? packet->len - at : LINK_CELL_OCTETS;
        uint32_t next = link->cells[cell].next;
        if (octets != NULL)
            memcpy(octets + at, link->cells[cell].octets, part);
        link->cells[cell].next = link->cell_free;
        link->cell_free = cell;
        link->cells_left++;
        cell = next;
    }
}

/* ---- in ---- */

/* A chain of two states, so that losses come in runs of loss_burst on average while their overall share stays
 * loss_ppm: a run ends with a chance of 1 in burst and starts with loss / ((1 - loss) * burst). */
static bool link_lost(weir_link *link)
{
    const weir_link_config *config = &link->config;

    if (config->loss_ppm == 0 || config->loss_ppm == LINK_PPM)
        return config->loss_ppm != 0;
    if (config->loss_burst <= 1)
        return link_chance(link, LINK_SALT_LOSS, config->loss_ppm, LINK_PPM);
    if (link->bad)
        link->bad = !link_chance(link, LINK_SALT_LOSS, 1, config->loss_burst);
    else
        link->bad = link_chance(link, LINK_SALT_LOSS, config->loss_ppm,
                                (uint64_t)(LINK_PPM - config->loss_ppm) * config->loss_burst);
    return link->bad;
}

/* Does a pattern strike this packet? At most WEIR_LINK_DROPS_MAX turns; every pattern counts every packet. */
static bool link_struck(weir_link *link)
{
    bool struck = false;

    for (uint32_t i = 0; i < link->config.drop_count; i++) {
        const weir_link_drop *drop = &link->config.drops[i];
        if (link->now - link->first_at < drop->after_us || link->stats.octets_pushed < drop->after_octets)
            continue;
        if (link->drop_done[i] == drop->count || (drop->every > 1 && link->drop_seen[i]++ % drop->every != 0))
            continue;
        link->drop_done[i]++;
        struck = true;
    }
    return struck;
}

/* Packets that have been given to the rate limit and have not left it. */
static uint32_t link_waiting(weir_link *link)
{
    while (link->leaves_count != 0 && link->leaves[link->leaves_head] <= link->now) { /* a packet less a turn */
        link->leaves_head = link->leaves_head + 1 == link->cell_count ? 0 : link->leaves_head + 1;
        link->leaves_count--;
    }
    return link->leaves_count;
}

/* Remembers when a packet leaves; only a limit in packets asks for it. Each has a cell at least, so that they fit. */
static void link_leaves(weir_link *link, weir_us when)
{
    if (link->config.queue_packets == 0 || link_waiting(link) == link->cell_count)
        return;
    link->leaves[((uint64_t)link->leaves_head + link->leaves_count) % link->cell_count] = when;
    link->leaves_count++;
}

/* When a packet of this length has left the rate limit; to the fraction of a microsecond, so that rates hold in the
 * long run. */
static weir_us link_serialize(weir_link *link, size_t len)
{
    uint64_t rate = link->config.rate_bps, parts;

    if (rate == 0)
        return link->now;
    if (link->free_at < link->now) {
        link->free_at = link->now;
        link->free_fraction = 0;
    }
    parts = (uint64_t)len * 8000000u + link->free_fraction;
    link->free_at += parts / rate;
    link->free_fraction = parts % rate;
    return link->free_at + (link->free_fraction != 0);
}

static void link_append(weir_link *link, const struct link_packet *packet)
{
    uint64_t at = (uint64_t)link->head + link->count;

    link->ring[at % link->cell_count] = *packet;
    link->count++;
    link->gone++;
}

/* Packets held back that enough others have passed leave right behind the last of them. At most LINK_HELD_MAX turns. */
static void link_release(weir_link *link)
{
    uint64_t gone = link->gone;

    for (uint32_t i = 0; i < link->aside_count;) {
        struct link_aside *aside = &link->aside[i];
        if (aside->release > gone) {
            i++;
            continue;
        }
        aside->packet.due = link->last_due;
        link_append(link, &aside->packet);
        link->aside_count--;
        memmove(aside, aside + 1, (link->aside_count - i) * sizeof *aside);
    }
}

/* Is there room for a packet of this length? 0, or the fate of one that finds none. */
static unsigned link_refuse(weir_link *link, size_t len)
{
    uint64_t backlog = link_backlog(link);

    if ((backlog != 0 && backlog + len > link->config.queue_octets) ||
        (link->config.queue_packets != 0 && link_waiting(link) > link->config.queue_packets)) {
        link->stats.tail_dropped++;
        return WEIR_LINK_TAIL;
    }
    if (link_cells_for(len) > link->cells_left) {
        link->stats.no_memory++;
        return WEIR_LINK_NO_MEMORY;
    }
    return 0;
}

/* Keeps a packet until it is due. */
static struct link_packet link_schedule(weir_link *link, const uint8_t *octets, size_t len)
{
    struct link_packet packet;
    weir_us due;

    due = link_serialize(link, len);
    link_leaves(link, due);
    due += link->config.delay_us;
    if (link->config.jitter_us != 0)
        due += link_draw(link, LINK_SALT_JITTER) % (link->config.jitter_us + 1);
    link->last_due = due > link->last_due ? due : link->last_due;
    packet.due = link->last_due;
    packet.len = (uint32_t)len;
    packet.cell = link_store(link, octets, len);
    if (++link->stats.queued > link->stats.queued_peak)
        link->stats.queued_peak = link->stats.queued;
    return packet;
}

/* Puts a packet aside if it is its fate to be overtaken; more than LINK_HELD_MAX at a time are not. */
static bool link_hold(weir_link *link, const struct link_packet *packet)
{
    struct link_aside *aside;

    if (link->aside_count == LINK_HELD_MAX || !link_chance(link, LINK_SALT_REORDER, link->config.reorder_ppm, LINK_PPM))
        return false;
    aside = &link->aside[link->aside_count++];
    aside->packet = *packet;
    aside->packet.due += link->config.reorder_us;
    aside->release = link->gone + 1 + link_draw(link, LINK_SALT_GAP) % link->config.reorder_gap;
    link->stats.reordered++;
    return true;
}

/* Changes one octet. */
static void link_corrupt(weir_link *link, const struct link_packet *packet)
{
    size_t place = (size_t)(link_draw(link, LINK_SALT_PLACE) % packet->len);
    uint32_t cell = packet->cell;

    for (; place >= LINK_CELL_OCTETS; place -= LINK_CELL_OCTETS)
        cell = link->cells[cell].next;
    link->cells[cell].octets[place] ^= (uint8_t)(1 + link_draw(link, LINK_SALT_MASK) % 255);
    link->stats.corrupted++;
}

/* A packet that was not lost: one copy of it, or two. */
static unsigned link_admit(weir_link *link, const uint8_t *octets, size_t len)
{
    unsigned fate = link_refuse(link, len);
    struct link_packet packet;

    if (fate != 0)
        return fate;
    packet = link_schedule(link, octets, len);
    if (link_chance(link, LINK_SALT_CORRUPT, link->config.corrupt_ppm, LINK_PPM)) {
        link_corrupt(link, &packet);
        fate |= WEIR_LINK_CORRUPT;
    }
    if (link_hold(link, &packet))
        fate |= WEIR_LINK_HELD;
    else
        link_append(link, &packet);
    if (link_chance(link, LINK_SALT_DUP, link->config.dup_ppm, LINK_PPM) && link_refuse(link, len) == 0) {
        packet = link_schedule(link, octets, len);
        link_append(link, &packet);
        link->stats.duplicated++;
        fate |= WEIR_LINK_TWICE;
    }
    link_release(link);
    return fate;
}

unsigned weir_link_push(weir_link *link, const uint8_t *packet, size_t len, weir_us now)
{
    link->now = now > link->now ? now : link->now;
    if (link->serial++ == 0)
        link->first_at = link->now;
    bool struck = link_struck(link);
    link->stats.pushed++;
    link->stats.octets_pushed += len;
    if (struck) {
        link->stats.pattern_at = link->stats.pattern_dropped++ == 0 ? link->now : link->stats.pattern_at;
        return WEIR_LINK_PATTERN;
    }
    if (link_lost(link)) {
        link->stats.lost++;
        return WEIR_LINK_LOST;
    }
    if (len == 0 || len > WEIR_LINK_PACKET_MAX) {
        link->stats.no_memory++;
        return WEIR_LINK_NO_MEMORY;
    }
    return link_admit(link, packet, len);
}

/* ---- out ---- */

/* The packet held back whose time is up first: its place, or aside_count. */
static uint32_t link_first_aside(const weir_link *link)
{
    uint32_t first = 0;

    for (uint32_t i = 1; i < link->aside_count; i++)
        if (link->aside[i].packet.due < link->aside[first].packet.due)
            first = i;
    return first;
}

weir_us weir_link_deadline(const weir_link *link)
{
    weir_us due = link->count != 0 ? link->ring[link->head].due : WEIR_FOREVER;

    if (link->aside_count != 0) {
        weir_us held = link->aside[link_first_aside(link)].packet.due;
        due = held < due ? held : due;
    }
    return due;
}

static struct link_packet link_take(weir_link *link, weir_us due)
{
    struct link_packet packet;
    uint32_t i;

    if (link->count != 0 && link->ring[link->head].due == due) {
        packet = link->ring[link->head];
        link->head = link->head + 1 == link->cell_count ? 0 : link->head + 1;
        link->count--;
        return packet;
    }
    i = link_first_aside(link);
    packet = link->aside[i].packet;
    link->aside_count--;
    memmove(&link->aside[i], &link->aside[i + 1], (link->aside_count - i) * sizeof link->aside[0]);
    return packet;
}

size_t weir_link_pop(weir_link *link, uint8_t *packet, size_t cap, weir_us now)
{
    link->now = now > link->now ? now : link->now;
    for (weir_us due; (due = weir_link_deadline(link)) <= link->now && due != WEIR_FOREVER;) { /* a packet less a turn */
        struct link_packet taken = link_take(link, due);
        bool fits = taken.len <= cap;
        link_fetch(link, &taken, fits ? packet : NULL);
        link->stats.queued--;
        if (!fits) {
            link->stats.no_memory++;
            continue;
        }
        link->stats.popped++;
        link->stats.octets_popped += taken.len;
        return taken.len;
    }
    return 0;
}

const weir_link_stats *weir_link_get_stats(const weir_link *link)
{
    return &link->stats;
}

const char *weir_link_fate_text(unsigned fate, char text[WEIR_AMOUNT_TEXT])
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{WEIR_LINK_LOST, "lost"}, {WEIR_LINK_TAIL, "queue-full"}, {WEIR_LINK_NO_MEMORY, "no-memory"},
                 {WEIR_LINK_TWICE, "twice"}, {WEIR_LINK_CORRUPT, "corrupt"}, {WEIR_LINK_HELD, "held"},
                 {WEIR_LINK_PATTERN, "pattern"}};
    size_t at = 0;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i].word);
        if ((fate & words[i].bit) == 0 || at + len + 2 > WEIR_AMOUNT_TEXT)
            continue;
        if (at != 0)
            text[at++] = ' ';
        memcpy(text + at, words[i].word, len);
        at += len;
    }
    text[at] = '\0';
    return text;
}
