/* room.h - what the files of the stack room offer each other: the records and who may touch them.
 *
 * Knows the wire and conn rooms below; nothing of devices. Everything lives in one piece of memory that the caller gave. Records
 * name each other by index (uint32_t, WEIRI_NONE for nobody), never by pointer. A connection is a slot; the index of a slot is
 * also that of its timer and of its place in the table of sockets, where TIME-WAIT records follow after the slots. */
#ifndef WEIRI_STACK_ROOM_H
#define WEIRI_STACK_ROOM_H

#include "conn/conn.h"
#include "weir/stack.h"
#include "wire/wire.h"

#define WEIRI_NONE UINT32_MAX

/* ---- pool.c: which of a fixed number of equal things are free --------------------------------------------------------------- */

/* What was used last is lent first, while it is warm. `next` needs no preparation: things never lent are beyond `fresh`. */
struct weiri_pool {
    uint32_t *next;
    uint32_t free, fresh, used, cap;
};
WEIR_PRIVATE void weiri_pool_init(struct weiri_pool *p, uint32_t *next, uint32_t cap);
/* WEIRI_NONE if all are lent. */
WEIR_PRIVATE uint32_t weiri_pool_take(struct weiri_pool *p);
WEIR_PRIVATE void weiri_pool_give(struct weiri_pool *p, uint32_t i);
/* The free list and the counts agree. */
WEIR_PRIVATE bool weiri_pool_check(const struct weiri_pool *p);

/* ---- store.c: memory lent in pieces of 2^order units -------------------------------------------------------------------------- */

#define WEIRI_STORE_ORDERS 25 /* from the smallest ring to the largest there are 22 doublings */
struct weiri_store {
    uint8_t *octets;
    uint32_t *next, *prev;     /* of free pieces of one order, each by its first unit */
    uint8_t *tag;              /* the order of the piece that begins here, and whether it is free */
    size_t unit;               /* octets */
    uint32_t units, fresh, used;
    uint32_t heads[WEIRI_STORE_ORDERS];
};
/* The places are set; nothing of them need be prepared. */
WEIR_PRIVATE void weiri_store_init(struct weiri_store *m);
/* The first unit of a piece; WEIRI_NONE if there is none. A piece of one unit there is while any is free. */
WEIR_PRIVATE uint32_t weiri_store_take(struct weiri_store *m, unsigned order);
WEIR_PRIVATE void weiri_store_give(struct weiri_store *m, uint32_t i);
/* The order of the smallest piece of so many octets; WEIRI_STORE_ORDERS if none is as large. */
WEIR_PRIVATE unsigned weiri_store_order(const struct weiri_store *m, uint64_t octets);
/* The lists, the tags and the counts agree. */
WEIR_PRIVATE bool weiri_store_check(const struct weiri_store *m);

/* ---- wheel.c: when each of many things wants to be woken --------------------------------------------------------------------- */

#define WEIRI_WHEEL_LEVELS 11 /* of 64 slots: 6 bits each, 64 bits of microseconds altogether */
#define WEIRI_WHEEL_SLOTS 64

struct weiri_wheel_node {
    weir_us at;
    uint32_t next, prev; /* a ring among those in the same slot; next WEIRI_NONE: not armed */
};
struct weiri_wheel {
    struct weiri_wheel_node *nodes;
    weir_us now;     /* everything before has been handed out */
    uint32_t armed;
    uint32_t levels; /* bit n: a slot of level n is in use */
    uint64_t slots[WEIRI_WHEEL_LEVELS];
    uint32_t heads[WEIRI_WHEEL_LEVELS][WEIRI_WHEEL_SLOTS];
};
WEIR_PRIVATE void weiri_wheel_init(struct weiri_wheel *w, struct weiri_wheel_node *nodes, uint32_t count, weir_us now);
/* Wakes node i at that time, or at the time it was armed for before if that is earlier: moving a timer into the future costs nothing
 * until it fires early and is armed again. A time that has passed is now; WEIR_FOREVER changes nothing. */
WEIR_PRIVATE void weiri_wheel_arm(struct weiri_wheel *w, uint32_t i, weir_us at);
WEIR_PRIVATE void weiri_wheel_cancel(struct weiri_wheel *w, uint32_t i);
/* Takes out one node that is due, the earliest first, WEIRI_NONE if there is none. Call until then. */
WEIR_PRIVATE uint32_t weiri_wheel_due(struct weiri_wheel *w, weir_us now);
/* Never later than the earliest node; earlier where many lie together far ahead. WEIR_FOREVER: none is armed. */
WEIR_PRIVATE weir_us weiri_wheel_deadline(const struct weiri_wheel *w);
WEIR_PRIVATE const char *weiri_wheel_check(const struct weiri_wheel *w, uint32_t count);

/* ---- list.c: slots in a row --------------------------------------------------------------------------------------------------- */

enum weiri_list_kind {
    WEIRI_LIST_OUT,   /* has something to send */
    WEIRI_LIST_READY, /* an event that the user wants is true */
    WEIRI_LIST_DIRTY, /* the user may have changed it since it was looked at */
    WEIRI_LIST_HALF,  /* half-open connections of one listener */
    WEIRI_LIST_SPARE, /* has rings with nothing in them: who was quiet longest comes first */
    WEIRI_LIST_NEEDY, /* has no rings, or is packed, and there was no place when it needed some: never spare as well */
    WEIRI_LIST_KINDS,
    WEIRI_LIST_LINKS = WEIRI_LIST_NEEDY /* the last two share one */
};
struct weiri_link {
    uint32_t next, prev;
};
struct weiri_list {
    uint32_t head, tail, count;
};

/* ---- records ------------------------------------------------------------------------------------------------------------------ */

enum weiri_slot_flag {
    WEIRI_SLOT_LIVE = 0x01,
    WEIRI_SLOT_LINKED = 0x02,   /* found by its sockets */
    WEIRI_SLOT_PASSIVE = 0x04,  /* came through a listener */
    WEIRI_SLOT_HALF = 0x08,     /* counted as half-open; its listener exists */
    WEIRI_SLOT_OPENED = 0x10,   /* counted as established */
    WEIRI_SLOT_SHOWN = 0x20,    /* the user has been told of it, or made it */
    WEIRI_SLOT_RELEASED = 0x40, /* the user has walked away: the handle is dead */
    WEIRI_SLOT_DIRECT = 0x80    /* weir_stack_direct */
};

#define WEIRI_RETRY_US 10000u /* when there was no working record for a connection whose timer is due */

/* What a connection has as long as it lives. */
struct weiri_slot {
    struct weiri_link link[WEIRI_LIST_LINKS];
    uint64_t tag;
    weir_handle listener;
    uint32_t generation;
    uint32_t work;       /* its working record; WEIRI_NONE: it is packed */
    uint32_t round;      /* of weir_stack_ready in which it was shown last */
    uint16_t want;       /* enum weir_event */
    uint16_t events;     /* weir_events, when it was settled last */
    uint8_t flags;       /* enum weiri_slot_flag */
    uint8_t lists;       /* bit n: in a list of enum weiri_list_kind n */
};

/* What it has besides unless it is packed: everything that is at work. */
struct weiri_work {
    weir_conn conn;
    weir_us quiet_at;    /* since when its rings are spare */
    weir_sizes refused;  /* the last wish that was not granted in full */
    uint32_t block;      /* of the store, lent; WEIRI_NONE: no rings */
};

/* And what is left of that while it is packed: a cache line for what most segments for it look at, .. */
struct weiri_rest {
    weir_tuple tuple;
    struct weiri_gist gist; /* of one that is not packed: no bits */
};
/* .. and all else. */
#define WEIRI_COLD_OCTETS 200
struct weiri_cold {
    uint8_t octets[WEIRI_COLD_OCTETS];
};

struct weiri_listener {
    weir_listen_spec spec;
    struct weiri_list half;
    weir_us cookies_until; /* period from which on no cookie given for it is good */
    uint32_t generation, chain, hash;
    uint32_t recorded;   /* half-open connections of it that are in records */
    uint8_t reach;       /* enum listen_reach, in listen.c */
    bool live;
};

/* What is left of a connection in TIME-WAIT (RFC 9293 3.3.2). An index with all bits set is nobody's. */
struct weiri_wait {
    weir_addr remote;
    uint16_t local_port, remote_port;
    weir_seq snd_nxt, rcv_nxt;
    uint32_t ts_recent;
    unsigned next : 23;        /* in the order in which they end; of a free one: the next free one */
    unsigned acks : 2;         /* acknowledgments in .. */
    unsigned second : 3;       /* .. this second of 2^20 us, modulo 8 */
    unsigned local : 3;        /* which address of ours */
    unsigned stamped : 1;      /* timestamps were on */
    unsigned prev : 23;
    unsigned ends_low : 9;     /* when it ends: see timewait.c */
    unsigned chain : 25;       /* whoever comes after it in the table of sockets */
    unsigned ends_high : 7;
};
#define WEIRI_WAIT_LINK 0x7fffffu
#define WEIRI_WAIT_CHAIN 0x1ffffffu

/* What is left of a half-open connection. An index with all bits set is nobody's; numbers lie in octets, for a record has no room to be
 * aligned. */
struct weiri_syn {
    weir_addr remote;
    uint16_t local_port, remote_port;
    uint8_t irs[4], iss[4], ts_value[4];
    uint16_t mss;          /* the peer's */
    uint16_t bits;         /* see syn.c */
    uint16_t listener;
    uint16_t due;          /* see syn.c */
    uint16_t next, prev;   /* in the order in which they are due; of a free one: the next free one */
    uint16_t chain;        /* whoever comes after it in the table of sockets */
};
#define WEIRI_SYN_QUEUES 8
struct weiri_syn_queue {
    uint32_t head, tail;
    weir_us last;          /* when the last is due */
};
struct weiri_syns {
    struct weiri_syn *records;
    uint16_t *heads;       /* as many as there are records */
    weir_addr *locals;     /* with any_destination: the local address of each */
    uint32_t cap, free, fresh; /* how many; the free one used last; those beyond were never used */
    weir_us retry_at;      /* there was no room for one that was due: not before this again */
    struct weiri_syn_queue queues[WEIRI_SYN_QUEUES]; /* by how often the SYN,ACK timed out */
};

/* Answers that belong to no connection. */
#define WEIRI_ANSWERS 64
#define WEIRI_ECHOES 8
#define WEIRI_REPLY_GROUPS 256
struct weiri_answer {
    weir_tuple tuple;
    weir_seq seq, ack;
    uint32_t ts_value, ts_echo;
    uint16_t flags, options, window, mss; /* as in weir_fields */
    uint8_t wscale;
};
struct weiri_echo {
    weir_pseudo addrs;
    uint32_t len;
    uint8_t protocol, traffic_class;
};
struct weiri_answers {
    struct weiri_answer ring[WEIRI_ANSWERS];
    struct weiri_echo echoes[WEIRI_ECHOES];
    uint8_t *echo_octets;      /* WEIRI_ECHOES times echo_size */
    uint32_t echo_size;
    uint32_t head, count, echo_head, echo_count;
    uint8_t key[16];           /* which group a remote address is in */
    uint64_t second;           /* of 2^20 us, in which .. */
    uint32_t spent[WEIRI_REPLY_GROUPS]; /* .. so many replies went to each */
};

/* ---- demux.c: sockets -> index ----------------------------------------------------------------------------------------------- */

/* A connection's place in its chain; a TIME-WAIT record has its own in itself. */
struct weiri_demux_node {
    uint32_t next, hash;
};
struct weiri_demux {
    uint32_t *heads;
    struct weiri_demux_node *nodes;
    uint32_t size, count;      /* heads; records in chains */
    uint32_t last;             /* the slot inserted or asked for last, if it is linked still: packets come in trains */
    weir_tuple asked;          /* what weiri_demux_meet had to look for last, .. */
    uint32_t asked_hash;       /* .. and its hash: mostly it is inserted next */
    uint8_t key[16];
};

/* ---- the stack ------------------------------------------------------------------------------------------------------------------ */

/* The packet that went out last, of the connection that is touched, and how much text would follow it in packets like it. */
struct weiri_going {
    weir_us at;                /* the time of it .. */
    uint32_t left;             /* .. octets; 0: something else has happened since, or what follows has to be decided */
    uint32_t whose;            /* of this slot; while others wait .. */
    uint32_t turn;             /* .. so many packets more are its turn */
    weir_out out;
};

/* The segment that was taken last, if it was IPv4 and plain, and its headers: packets come in trains whose headers differ in little. */
struct weiri_train {
    bool on;                   /* there is one, .. */
    bool heard;                /* its text was all that was new in it (arrive_hears) */
    uint32_t slot;             /* .. taken by this, which may be touched still */
    uint8_t headers[WEIRI_IP4_HEADER + 20];
    weir_view view;
};

struct weir_stack {
    weir_stack_config cfg;
    weir_stats stats;
    weir_us now;
    uint32_t last;             /* weir_stack_last: the slot, .. */
    weir_handle last_gone;     /* .. or, WEIRI_NONE, whoever had it; 0: nobody */
    struct weiri_train train;
    struct weiri_going going;
    uint32_t touched;          /* the slot that packets or the user are at, or WEIRI_NONE: settled when anything else happens */
    bool told;                 /* what it last told is true all the same; */
    bool hushed;               /* it was polled, and had nothing to send, nor will before something happens to it */
    weir_us rearm_from;        /* while timers are being handed out: not to be armed before this again */
    struct weiri_slot *slots;
    struct weiri_work *works;
    struct weiri_rest *rests;  /* one for each slot; NULL: none is ever packed */
    struct weiri_cold *cold;   /* the same */
    weir_conn *blank;          /* what packing counts from .. */
    weir_conn *scratch;        /* .. and a place for weir_stack_peek, both behind this struct */
    struct weiri_listener *listeners;
    struct weiri_wait *waits;
    weir_addr *wait_locals;    /* with any_destination: the local address of each */
    uint32_t *listener_heads;
    struct weiri_store store;
    uint32_t holders;          /* connections with rings */
    uint32_t listener_mask;
    uint32_t listener_reach[6]; /* how many listeners there are of each enum listen_reach */
    uint32_t round;
    struct weiri_pool slot_pool, work_pool, listener_pool;
    struct weiri_list out, ready, dirty, spare, needy;
    struct weiri_list wait_queue; /* TIME-WAIT records in use, the next to end first */
    uint32_t wait_free, wait_fresh; /* the free one used last; those beyond were never used */
    weir_us wait_last;            /* when the last of them ends */
    struct weiri_syns syns;
    struct weiri_demux demux;
    uint8_t port_key[16], cookie_key[16];
    uint32_t *cookies_spent;   /* by their low bits */
    uint32_t cookie_mask;
    uint16_t *port_next;       /* counters of RFC 6056 3.3.4, a power of two many */
    uint32_t port_mask;
    struct weiri_answers answers;
    struct weiri_wheel wheel;
};

/* Where the chain of a hash begins. */
static inline uint32_t *weiri_demux_head(const struct weiri_demux *d, uint32_t hash)
{
    return &d->heads[(uint64_t)hash * d->size >> 32];
}

/* Is any half-open connection in a record? */
static inline bool stack_has_syns(const weir_stack *s)
{
    return WEIR_WITH_SYN_RECORDS && s->stats.syn_records > 0;
}

/* What goes on is about the connection of slot i; or WEIRI_NONE. */
static inline void stack_about(weir_stack *s, uint32_t i)
{
    s->last = i;
    s->last_gone = 0;
}

/* Records of half-open connections are numbered after slots and TIME-WAIT records. */
static inline uint32_t weiri_syn_number(const weir_stack *s, uint32_t r)
{
    return s->cfg.connections_max + s->cfg.time_wait_max + r;
}

/* list.c, continued */
WEIR_PRIVATE void weiri_list_init(struct weiri_list *l);
/* Appends slot i, if it is not in a list of this kind already. */
WEIR_PRIVATE void weiri_list_push(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i);
/* Takes slot i out, which is in. */
WEIR_PRIVATE void weiri_list_take_out(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i);
WEIR_PRIVATE bool weiri_list_check(const weir_stack *s, const struct weiri_list *l, enum weiri_list_kind kind);

static inline bool slot_is(const struct weiri_slot *slot, unsigned flag)
{
    return (slot->flags & flag) != 0;
}

static inline bool slot_in(const struct weiri_slot *slot, enum weiri_list_kind kind)
{
    return (slot->lists >> kind & 1u) != 0;
}

/* Takes slot i out, if it is in: mostly it is not. */
static inline void weiri_list_remove(weir_stack *s, struct weiri_list *l, enum weiri_list_kind kind, uint32_t i)
{
    if (slot_in(&s->slots[i], kind)) {
        weiri_list_take_out(s, l, kind, i);
    }
}

static inline bool slot_is_packed(const weir_stack *s, uint32_t i)
{
    return s->slots[i].work == WEIRI_NONE;
}

/* Of a connection that is not packed. */
static inline struct weiri_work *slot_work(const weir_stack *s, uint32_t i)
{
    WEIR_ASSERT(!slot_is_packed(s, i));
    return &s->works[s->slots[i].work];
}

static inline weir_conn *slot_conn(const weir_stack *s, uint32_t i)
{
    return &slot_work(s, i)->conn;
}

/* Of one that was opened ever: is it packed, and may take segments so? Nothing of its slot is looked at. */
static inline bool slot_rests(const weir_stack *s, uint32_t i)
{
    return s->rests && (s->rests[i].gist.bits & WEIRI_GIST_OPEN) != 0;
}

/* What will be looked at of slot i is on its way from memory: its entries in tables, and then its record. Inlined in any case: a function
 * that only fetches seems to do nothing, and compilers leave out what calls it. */
#define SLOT_FETCH static inline __attribute__((always_inline, unused))

SLOT_FETCH void slot_fetch_lines(const void *at, size_t len)
{
    for (size_t line = 0; line < len; line += 64) {
        __builtin_prefetch((const uint8_t *)at + line);
    }
}

/* Where it is in the table of sockets, and whether it rests. */
SLOT_FETCH void slot_fetch_sockets(const weir_stack *s, uint32_t i)
{
    slot_fetch_lines(&s->demux.nodes[i], sizeof s->demux.nodes[i]);
    if (s->rests) {
        slot_fetch_lines(&s->rests[i], sizeof s->rests[i]);
    }
}

SLOT_FETCH void slot_fetch(const weir_stack *s, uint32_t i)
{
    slot_fetch_lines(&s->wheel.nodes[i], sizeof s->wheel.nodes[i]);
    slot_fetch_lines(&s->slots[i], sizeof s->slots[i]);
}

SLOT_FETCH void slot_fetch_record(const weir_stack *s, uint32_t i)
{
    if (slot_is_packed(s, i)) {
        slot_fetch_lines(&s->cold[i], sizeof s->cold[i]);
        return;
    }
    const struct weiri_work *work = slot_work(s, i);
    slot_fetch_lines(work, offsetof(weir_conn, octets_acked)); /* an idle one needs no more of it */
    slot_fetch_lines(&work->block, 1);
}

#undef SLOT_FETCH

/* rest.c: which connections are packed. A working record for a new connection: could one be had; one, for a newcomer or not;
 * WEIRI_NONE: all are busy. */
WEIR_PRIVATE bool weiri_rest_possible(const weir_stack *s);
WEIR_PRIVATE uint32_t weiri_rest_take(weir_stack *s, bool newcomer);
/* Slot i has, or gets, a working record; NULL: all are busy. */
WEIR_PRIVATE weir_conn *weiri_rest_wake(weir_stack *s, uint32_t i);
/* Packs slot i if nothing speaks against it; it is settled. */
WEIR_PRIVATE void weiri_rest_settle(weir_stack *s, uint32_t i);
/* As it is, good until the next call of this; packed or not. */
WEIR_PRIVATE const weir_conn *weiri_rest_look(const weir_stack *s, uint32_t i);
WEIR_PRIVATE const weir_tuple *weiri_rest_tuple(const weir_stack *s, uint32_t i);

/* lend.c: the rings of connections. Could first rings be had now? */
WEIR_PRIVATE bool weiri_lend_possible(const weir_stack *s);
/* The first rings of a connection about to be opened; false if there are none. */
WEIR_PRIVATE bool weiri_lend_first(weir_stack *s, uint32_t i, weir_buffers *b);
/* First rings for one whose rings were taken back, or it waits among the needy. */
WEIR_PRIVATE void weiri_lend_ensure(weir_stack *s, uint32_t i);
/* It has rings of the store, as they were lent. */
WEIR_PRIVATE bool weiri_lend_holds(const weir_stack *s, uint32_t i);
/* The user takes the connection in hand. */
WEIR_PRIVATE void weiri_lend_in_hand(weir_stack *s, uint32_t i);
/* Larger rings if they are wanted. Not while packets go out: what was handed out lies in the old ones. */
WEIR_PRIVATE void weiri_lend_grow(weir_stack *s, uint32_t i);
/* Are its rings spare, or does it need some? */
WEIR_PRIVATE void weiri_lend_settle(weir_stack *s, uint32_t i);
WEIR_PRIVATE void weiri_lend_return(weir_stack *s, uint32_t i);
/* Takes the rings of whoever has been quiet longest, who may be packed then; false: nobody is. */
WEIR_PRIVATE bool weiri_lend_reclaim(weir_stack *s);

/* demux.c, continued. A key for one purpose, from the secret: label is 15 octets at most. */
WEIR_PRIVATE void weiri_key_derive(uint8_t key[16], const uint8_t secret[16], const char *label);
WEIR_PRIVATE void weiri_demux_init(weir_stack *s, uint32_t *heads, uint32_t size, struct weiri_demux_node *nodes);
/* Where a connection between these sockets is looked for. */
WEIR_PRIVATE uint32_t weiri_demux_hash(const weir_stack *s, const weir_tuple *tuple);
/* The index of the slot or, from connections_max on, of the TIME-WAIT record with exactly these sockets, or after those
 * (weiri_syn_number) of the half-open record, or WEIRI_NONE. */
WEIR_PRIVATE uint32_t weiri_demux_find(const weir_stack *s, const weir_tuple *tuple);
/* The same, and remembers it, and what it was asked for. */
WEIR_PRIVATE uint32_t weiri_demux_meet(weir_stack *s, const weir_tuple *tuple);
WEIR_PRIVATE void weiri_demux_insert(weir_stack *s, uint32_t index);
WEIR_PRIVATE void weiri_demux_remove(weir_stack *s, uint32_t index);
WEIR_PRIVATE const char *weiri_demux_check(const weir_stack *s);
/* Words that are odd for every address of a peer: see weir_stack_config. */
WEIR_PRIVATE bool weiri_addr_is_ours(const weir_stack *s, const weir_addr *a);
/* Its number among them: 0 .. WEIR_STACK_ADDRS_MAX - 1. */
WEIR_PRIVATE uint32_t weiri_addr_number(const weir_stack *s, const weir_addr *a);
/* May this address be at the other end of a connection? Multicast, broadcast, unspecified and loopback may not. */
WEIR_PRIVATE bool weiri_addr_is_peer(const weir_stack *s, const weir_addr *a);

/* listen.c, continued. The listener of a destination, the most specific first, or WEIRI_NONE. */
WEIR_PRIVATE uint32_t weiri_listen_find(const weir_stack *s, const weir_addr *local, uint16_t port);
WEIR_PRIVATE weir_handle weiri_listener_handle(const weir_stack *s, uint32_t listener);
WEIR_PRIVATE const char *weiri_listen_check(const weir_stack *s);

/* timewait.c. The sockets of record w. */
WEIR_PRIVATE weir_tuple weiri_wait_tuple(const weir_stack *s, uint32_t w);
/* The slot's connection becomes a record; the slot may then be freed. False: there are no records at all. */
WEIR_PRIVATE bool weiri_wait_add(weir_stack *s, const weir_conn *c);
WEIR_PRIVATE void weiri_wait_remove(weir_stack *s, uint32_t w);
/* Records whose time has come are forgotten. */
WEIR_PRIVATE void weiri_wait_expire(weir_stack *s);
WEIR_PRIVATE weir_us weiri_wait_deadline(const weir_stack *s);
/* A segment other than a SYN for record w. */
WEIR_PRIVATE void weiri_wait_input(weir_stack *s, uint32_t w, const weir_view *view);
/* RFC 6191 2: may this SYN open a new incarnation? */
WEIR_PRIVATE bool weiri_wait_reusable(const weir_stack *s, uint32_t w, const weir_view *view);
WEIR_PRIVATE const char *weiri_wait_check(const weir_stack *s);

/* syn.c: half-open connections in small records. */
WEIR_PRIVATE uint32_t weiri_syn_cap(const weir_stack_config *c); /* how many records there are */
WEIR_PRIVATE void weiri_syn_init(weir_stack *s, struct weiri_syn *records, uint16_t *heads, weir_addr *locals);
/* The record with these sockets, or WEIRI_NONE. */
WEIR_PRIVATE uint32_t weiri_syn_find(const weir_stack *s, const weir_tuple *tuple, uint32_t hash);
/* Before one more half-open connection of this listener is opened: another may become a record. */
WEIR_PRIVATE void weiri_syn_make_room(weir_stack *s, uint32_t listener);
/* Record r is a connection again, not settled: its slot; WEIRI_NONE: there is no room, and it stays what it is. */
WEIR_PRIVATE uint32_t weiri_syn_wake(weir_stack *s, uint32_t r);
/* Is this the sequence number of its SYN,ACK? */
WEIR_PRIVATE bool weiri_syn_sent(const weir_stack *s, uint32_t r, weir_seq seq);
WEIR_PRIVATE weir_us weiri_syn_deadline(const weir_stack *s);
WEIR_PRIVATE void weiri_syn_expire(weir_stack *s);
/* The listener goes, and its half-open connections with it. */
WEIR_PRIVATE void weiri_syn_end(weir_stack *s, uint32_t listener);
WEIR_PRIVATE const char *weiri_syn_check(const weir_stack *s);

/* cookie.c: RFC 4987 3.6 */
#define WEIRI_COOKIE_MSS_MIN 88 /* whoever can take no more gets none */
struct weiri_cookie {
    const weir_tuple *tuple;
    weir_seq irs;
    uint16_t mss;   /* make: what the SYN said; read: that, rounded down to one of eight */
};
WEIR_PRIVATE weir_seq weiri_cookie_make(const weir_stack *s, const struct weiri_cookie *k);
/* Did this stack make it, for these sockets and this peer's ISN, in this period or the one before? */
WEIR_PRIVATE bool weiri_cookie_read(const weir_stack *s, weir_seq cookie, struct weiri_cookie *k);
/* Answers a SYN for which there is no room; false: not even so. */
WEIR_PRIVATE bool weiri_cookie_offer(weir_stack *s, struct weiri_listener *l, const weir_tuple *tuple, const weir_view *syn);
/* This acknowledgment brings one back that was not spent: the SYN as far as it can be told. */
WEIR_PRIVATE bool weiri_cookie_redeem(const weir_stack *s, const weir_tuple *tuple, const weir_view *ack, weir_view *syn);
/* Has this listener given one that could still be good? */
WEIR_PRIVATE bool weiri_cookie_expected(const weir_stack *s, const struct weiri_listener *l);
/* It has opened a connection. */
WEIR_PRIVATE void weiri_cookie_spend(weir_stack *s, weir_seq cookie);

/* answer.c */
WEIR_PRIVATE void weiri_answer_init(weir_stack *s, uint8_t *echo_octets, uint32_t echo_size);
/* The answer of RFC 9293 3.10.7.1 to a segment for nobody, if the bound allows it. */
WEIR_PRIVATE void weiri_answer_reset(weir_stack *s, const weir_tuple *tuple, const weir_view *view);
/* An acknowledgment that the caller has bounded; false if there was no room. */
WEIR_PRIVATE bool weiri_answer_ack(weir_stack *s, const struct weiri_answer *answer);
/* A SYN,ACK; false if there was no room. */
WEIR_PRIVATE bool weiri_answer_syn_ack(weir_stack *s, const struct weiri_answer *answer);
WEIR_PRIVATE void weiri_answer_echo(weir_stack *s, const struct weiri_ip *ip);
/* The next answer as a whole packet; 0 if none waits. */
WEIR_PRIVATE size_t weiri_answer_poll(weir_stack *s, weir_out *out);

/* slot.c */
/* A record and buffers, the connection in CLOSED; WEIRI_NONE if there are none. `exists`: it did before, in a small record. */
WEIR_PRIVATE uint32_t weiri_slot_open(weir_stack *s, bool exists);
/* Could a newcomer have one? */
WEIR_PRIVATE bool weiri_slot_possible(const weir_stack *s);
/* Half-open, in nobody's hand: the user has never heard of it, and nobody is at work on it. */
WEIR_PRIVATE bool weiri_slot_is_unknown(const weir_stack *s, uint32_t i);
WEIR_PRIVATE void weiri_slot_link(weir_stack *s, uint32_t i);
/* It came through this listener; the second: and is half-open. */
WEIR_PRIVATE void weiri_slot_passive(weir_stack *s, uint32_t i, uint32_t listener);
WEIR_PRIVATE void weiri_slot_half_open(weir_stack *s, uint32_t i, uint32_t listener);
WEIR_PRIVATE void weiri_slot_free(weir_stack *s, uint32_t i);
/* Brings everything the stack keeps about a slot in line with its connection; may free it. */
WEIR_PRIVATE void weiri_slot_settle(weir_stack *s, uint32_t i);
/* A packet has come or gone, or the user has done something, and more of the same may follow: settled now, or before anything else
 * happens. No other is left. */
WEIR_PRIVATE void weiri_slot_touch(weir_stack *s, uint32_t i);
/* The user has done something to it, whatever: the same where it has the rings that were lent to it, and else settled. */
WEIR_PRIVATE void weiri_slot_used(weir_stack *s, uint32_t i);
/* Settles the one that was left. */
WEIR_PRIVATE void weiri_slot_untouch(weir_stack *s);
/* Settles it after a poll that found it had nothing to send. */
WEIR_PRIVATE void weiri_slot_settle_silent(weir_stack *s, uint32_t i);
WEIR_PRIVATE weir_handle weiri_slot_handle(const weir_stack *s, uint32_t i);
/* Has this slot something to tell the user? */
WEIR_PRIVATE bool weiri_slot_is_ready(const struct weiri_slot *slot);
/* What is true of it is this now. */
WEIR_PRIVATE void weiri_slot_tell(weir_stack *s, uint32_t i, unsigned events);

/* arrive.c: one packet. */
struct weiri_arrival {
    const uint8_t *packet;
    size_t len;
    const weir_offload *offload;
    struct weiri_ip ip;
};
WEIR_PRIVATE enum weir_verdict weiri_arrive(weir_stack *s, struct weiri_arrival *p, weir_us now);

/* train.c: how many of `packets` were taken as one, of those that follow the one that has just been taken; that stands before them. Their
 * texts go into the ring, unless they are `told`. */
#if WEIR_WITH_PREDICTION
WEIR_PRIVATE size_t weiri_train_run(weir_stack *s, const weir_slice *packets, size_t count, bool told);
#else
static inline size_t weiri_train_run(weir_stack *s, const weir_slice *packets, size_t count, bool told)
{
    (void)told;
    (void)s;
    (void)packets;
    (void)count;
    return 0;
}
#endif

/* stack.c: begins every public call: time, and what the user did to connections meanwhile. */
WEIR_PRIVATE void weiri_stack_begin(weir_stack *s, weir_us now);
WEIR_PRIVATE void weiri_stack_settle(weir_stack *s);
/* What the user would be told is so; the rest may be left. */
WEIR_PRIVATE void weiri_stack_tell(weir_stack *s);
/* Of what the user has taken in hand, and of what lacks memory. */
WEIR_PRIVATE void weiri_stack_settle_listed(weir_stack *s);
/* The same for packets, which may go on with the slot that was left unsettled. */
static inline void stack_begin_packet(weir_stack *s, weir_us now)
{
    s->now = now > s->now ? now : s->now;
    if ((s->dirty.count | s->needy.count) != 0) {
        weiri_stack_settle_listed(s);
    }
}

/* depart.c: an IP header in front of what stands in `out`, filled in as far as all packets share it; the whole length. */
WEIR_PRIVATE size_t weiri_depart(weir_stack *s, weir_out *out, struct weiri_ip_fields *ip);

#endif /* WEIRI_STACK_ROOM_H */
