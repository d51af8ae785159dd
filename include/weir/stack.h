/* stack.h - many connections over raw IPv4 and IPv6 packets, in memory that the caller gave.
 *
 * A stack is one value in one piece of memory: any number may live in one process, one a thread, and they
 * share nothing. Packets go in whole, from the IP header on; packets come out whole.
 *
 *     for (;;) {
 *         wait_for_packets_until(weir_stack_deadline(s));
 *         while ((n = read(tun, packet, sizeof packet)) > 0)
 *             weir_stack_input(s, packet, n, now());
 *         weir_stack_expire(s, now());
 *         while (weir_stack_ready(s, &r))
 *             serve(weir_stack_conn(s, r.conn), r.events);
 *         while ((n = weir_stack_poll(s, &out, now())) > 0)
 *             write_packet(tun, &out);
 *     }
 */
#ifndef WEIR_STACK_H
#define WEIR_STACK_H

#include "weir/weir.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_stack weir_stack;

/* Names a connection or a listener; 0 names nothing. Never given out twice in the life of a stack short of
 * 2^32 uses of one record, so that a stale handle finds nothing instead of somebody else's connection. */
typedef uint64_t weir_handle;

#define WEIR_STACK_ADDRS_MAX 8

typedef struct weir_stack_config {
    weir_config tcp;              /* of every connection; its secret is the stack's secret too */
    weir_addr addrs[WEIR_STACK_ADDRS_MAX];  /* the stack's own addresses */
    uint8_t prefix_len[WEIR_STACK_ADDRS_MAX]; /* of an IPv4 address, to know its broadcast addresses; 0: none but 255.255.255.255 */
    uint8_t addr_count;
    bool any_destination;         /* take packets for any unicast destination (proxies); a listener must ask for it too */
    bool echo_reply;              /* answer ICMP echo requests; true */
    bool checksum_trusted;        /* received checksums were verified by hardware: do not verify TCP's again; false */
    bool accept_martians;         /* loopback sources and destinations are fine (simulators); false */
    uint32_t connections_max;     /* records; 1024; up to 2^24 */
    uint32_t busy_max;            /* of these so many at work at a time, the others idle and packed; 0: all. See "many connections" below */
    uint32_t listeners_max;       /* 64 */
    uint32_t time_wait_max;       /* records; the oldest gives way; 4096; below 2^23; 0: TIME-WAIT is spent in connection records */
    uint32_t half_open_max;       /* connections in SYN-RECEIVED in the whole stack; 256. From three quarters of it on (as of a listener's
                                     backlog) a SYN is refused by chance, so that nobody can count how many there are */
    uint32_t syn_records_max;     /* of these so many in small records, which need no connection: see "many connections" below; 256; below
                                     65535; 0: none */
    uint32_t syn_whole;           /* of a listener's so many are in none while nobody wants their place; 16 */
    bool syn_cookies;             /* beyond that answer a SYN without remembering it (RFC 4987 3.6), but for listeners that hold; true */
    uint32_t replies_per_second;  /* RST without a connection, ICMP echo replies: at most so many in all; 10000. Remote addresses
                                     (IPv6: /64) fall into 256 groups (fewer if there are fewer replies), drawn anew every second; each
                                     has an equal share: nobody can measure what others were sent. The rest is counted and dropped */
    uint16_t port_first, port_last; /* ephemeral ports; 49152..65535 (RFC 6335 6) */
    weir_sizes rings;             /* of each connection at first; 64 KiB each */
    uint64_t ring_memory;         /* octets for the rings of all; 0: as much as connections_max such rings take. See "rings" below */
} weir_stack_config;

WEIR_API void weir_stack_config_init(weir_stack_config *config); /* over weir_config_internet */

/* The octets a stack of this configuration needs; 0 if the configuration is refused (see weir_stack_init). */
WEIR_API size_t weir_stack_size(const weir_stack_config *config);
/* Builds a stack in `memory` (aligned to 64); NULL with *err set: WEIR_ERR_SECRET, WEIR_ERR_INVALID, or
 * WEIR_ERR_RESOURCES if len is below weir_stack_size. The configuration is copied. */
WEIR_API weir_stack *weir_stack_init(void *memory, size_t len, const weir_stack_config *config, weir_us now,
                                     weir_err *err);

/* ---- packets and time ---- */

/* One packet from the IP header on. The verdict says what became of it; it is counted in weir_stats. */
WEIR_API enum weir_verdict weir_stack_input(weir_stack *s, const uint8_t *packet, size_t len, weir_us now);
/* Packets that came together, one after the other, as by weir_stack_input; but while one is dealt with, what the next will need is fetched:
 * with very many connections that saves most of the waiting for memory. Verdict k goes to verdicts[k]; NULL: they are not wanted. */
WEIR_API void weir_stack_input_batch(weir_stack *s, const weir_slice *packets, size_t count, enum weir_verdict *verdicts, weir_us now);

/* Text where it lies: in the packet that brought it, for as long as the caller keeps that. */
typedef struct weir_text {
    weir_handle conn;
    const uint8_t *octets;
    size_t len;
} weir_text;
/* As weir_stack_input_batch; but text that comes in order to a connection for which weir_stack_direct was called, and that has nothing
 * unread and nothing urgent, need not be copied: it is told in `texts`, which has room for `count`, and counts as read. Returns how many
 * were told, in the order in which they came. Whatever is not told is read as ever, and comes after all of its connection that was told:
 * what is readable should be read before the next call, or nothing of that connection is told. */
WEIR_API size_t weir_stack_input_texts(weir_stack *s, const weir_slice *packets, size_t count, enum weir_verdict *verdicts,
                                       weir_text *texts, weir_us now);
/* What a device has done to one packet, or left to be done. All 0: nothing. */
typedef struct weir_offload {
    bool checked;      /* the TCP checksum was verified, or is not made yet because the packet never left this machine: not looked at */
    uint16_t gso_size; /* not 0: segments that were joined, with so much text each, the last perhaps less; the header is the first one's
                          but for its lengths, and FIN and PSH, which are the last one's */
} weir_offload;
/* weir_stack_input of such a packet, up to 65535 octets. Its checksum, where it is to be verified, is that of one packet. */
WEIR_API enum weir_verdict weir_stack_input_offload(weir_stack *s, const uint8_t *packet, size_t len, const weir_offload *offload,
                                                    weir_us now);
/* The next packet to send; its length, 0 = nothing now. With config.tcp.gso_max it may be a super-segment: weir_poll. Connections that have
 * something to send take turns, of 8 packets at most or one super-segment while others wait. */
WEIR_API size_t weir_stack_poll(weir_stack *s, weir_out *out, weir_us now);
/* The same into one piece of memory, copy and checksum in one pass; 0 = nothing now. cap must be the MTU at least. Never a
 * super-segment, and never partial. */
WEIR_API size_t weir_stack_poll_copy(weir_stack *s, uint8_t *packet, size_t cap, weir_us now);
/* Memory for a packet, and what came to lie there. */
typedef struct weir_place {
    uint8_t *octets;
    size_t cap;
    size_t len;        /* set by weir_stack_poll_batch */
} weir_place;
/* As many calls of weir_stack_poll_copy as there is anything to send and are places: the same packets in the same order, but segments that
 * follow each other on one connection are decided on, and their header is made, together. How many came; less than `count`: nothing more
 * now, or the next place is smaller than the MTU. */
WEIR_API size_t weir_stack_poll_batch(weir_stack *s, weir_place *places, size_t count, weir_us now);
WEIR_API void weir_stack_expire(weir_stack *s, weir_us now);
/* When to call weir_stack_expire at the latest. Never later than due. It may be early, since a timer that moved into the future is
 * only looked at when its old time comes: nothing happens then, and the next deadline lies beyond that call. */
WEIR_API weir_us weir_stack_deadline(weir_stack *s);

/* ---- opening ---- */

typedef struct weir_listen_spec {
    weir_addr local;       /* unspecified: any address of the stack (or any at all, with any_destination) */
    uint16_t port;         /* 0: any port */
    bool any_destination;  /* match destinations that are not the stack's (its config must allow it); local may be one of those */
    bool v4_only, v6_only;
    bool hold;             /* deferred accept: report WEIR_EV_HELD at the SYN and wait for weir_admit or weir_abort */
    uint32_t backlog;      /* half-open connections of this listener; 0: half_open_max */
} weir_listen_spec;

/* WEIR_ERR_EXISTS: another listener has just this; WEIR_ERR_ADDRESS: not an address of ours; WEIR_ERR_RESOURCES. */
WEIR_API weir_err weir_stack_listen(weir_stack *s, const weir_listen_spec *spec, weir_handle *listener);
/* No new connections; those that came through it live on, half-open ones are reset. WEIR_ERR_NOT_EXIST. */
WEIR_API weir_err weir_stack_unlisten(weir_stack *s, weir_handle listener, weir_us now);

/* Active OPEN. Of `tuple`, local may be unspecified (the first address of the family; MUST-43, MUST-44) and local_port 0
 * (an ephemeral port by RFC 6056 algorithm 4, double-hash, in random steps). Errors: WEIR_ERR_ADDRESS (MUST-46), WEIR_ERR_UNSPECIFIED,
 * WEIR_ERR_EXISTS (4-tuple in use), WEIR_ERR_RESOURCES. */
WEIR_API weir_err weir_stack_connect(weir_stack *s, const weir_tuple *tuple, weir_handle *conn, weir_us now);

/* ---- using ---- */

typedef struct weir_ready {
    weir_handle conn, listener; /* listener: through which it came, 0 for active opens */
    uint64_t tag;               /* what weir_stack_set_tag gave; 0 on a connection never seen before */
    unsigned events;            /* weir_events(): all that is true, asked for or not */
} weir_ready;

/* Connections of which an event that is wanted is true, each once a round; false ends the round, the next call
 * begins another. Wanted by default: READABLE PEER_FIN CLOSED HELD CONNECTED; weir_stack_want narrows it: an event
 * stays true until the state changes, so one that was dealt with (CONNECTED, PEER_FIN) should be no longer wanted. */
WEIR_API bool weir_stack_ready(weir_stack *s, weir_ready *ready);
WEIR_API weir_err weir_stack_want(weir_stack *s, weir_handle conn, unsigned events);
WEIR_API weir_err weir_stack_set_tag(weir_stack *s, weir_handle conn, uint64_t tag);
/* Whether weir_stack_input_texts tells text of this connection where it lies; it does not at first. */
WEIR_API weir_err weir_stack_direct(weir_stack *s, weir_handle conn, bool direct);

/* The connection of a handle, NULL if there is none any more, or it is packed and all working records are busy (weir_stack_peek tells
 * which); good until the next call that takes the stack, this one included.
 * Use it with every function of weir.h but weir_init, weir_listen, weir_connect, weir_input and weir_poll: the stack
 * looks at what you did to it before its next poll, deadline or ready. */
WEIR_API weir_conn *weir_stack_conn(weir_stack *s, weir_handle conn);
/* A look without that: for printing. Of a connection that is packed it is a copy, good until the next look at another. */
WEIR_API const weir_conn *weir_stack_peek(const weir_stack *s, weir_handle conn);
/* weir_release, and the handle is gone; the record is freed when the connection is CLOSED, or goes to a small
 * record when it is in TIME-WAIT. A connection that is CLOSED keeps its record until it is released. WEIR_ERR_NOT_EXIST;
 * WEIR_ERR_RESOURCES: it is packed and all working records are busy: again later. */
WEIR_API weir_err weir_stack_release(weir_stack *s, weir_handle conn, weir_us linger_us, weir_us now);

/* ---- rings ----
 *
 * All rings are lent from ring_memory: what is configured is all that will ever be used. A connection gets `rings` when it is opened,
 * and larger ones when its path asks for them (weir_wanted; tcp.rx_max and tcp.tx_max say how large), while the memory lasts:
 *
 * - Half of it, or as much as the connections without rings could need if that is less, is kept for first rings. So none is ever
 *   refused where ring_memory is at least twice connections_max times `rings`.
 * - No connection is lent more than half of what is free; it gets as much of what it wants as there is.
 * - When it is all lent, rings with nothing in them are taken back from connections that are idle, or wait for the end of a handshake
 *   whose SYN,ACK has gone: for another's first rings from whoever was idle longest, for larger ones only from those idle for a second.
 *   They come back by themselves, with the next text that arrives, or with weir_stack_conn when there may be something to write. So
 *   ring_memory may be much less than all connections could use. While there is none to be had, text that arrives is as if lost,
 *   weir_tx_reserve has no room, and WEIR_EV_WRITABLE comes when there is. A SYN is not answered then (WEIR_NO_ROOM).
 *
 * Rings that the user gives a connection by weir_set_buffers are the user's affair from then on. */

/* ---- many connections ----
 *
 * A connection at work takes a good thousand octets, rings not counted; one that is idle needs few of them. With busy_max below
 * connections_max there are so many working records, and connections with nothing in flight, held or to be sent are packed: everything
 * included, hash table and timer too, each of connections_max costs at most 384 octets of weir_stack_size, whatever happens. Nobody can
 * tell from outside: a packed connection is unpacked, field by field as it was, by the next segment, timer or call that needs it.
 *
 * - It is packed when it is idle and its rings have been taken back, which happens to whoever has been quiet longest when a working
 *   record, or rings, are wanted; one that the user waits to write to (WEIR_EV_WRITABLE wanted) stays at work.
 * - When all working records are busy: a segment for a packed connection is dropped as if lost (WEIR_NO_ROOM), its timers are tried
 *   again 10 ms later, weir_stack_conn gives NULL; each time counts as busy_missed. Nothing is given up for another.
 * - A quarter of the working records is kept for connections that exist: a SYN is not answered then (WEIR_NO_ROOM), and
 *   weir_stack_connect returns WEIR_ERR_RESOURCES. A half-open connection gives way like an idle one, when its SYN,ACK has gone: so
 *   half_open_max may be larger than busy_max, and a flood of SYNs holds neither working records nor rings.
 * - A half-open connection needs no connection record at all: of a listener that has many (syn_whole), and where a place is wanted, the one
 *   that has waited longest goes to a record of 46 octets, 48 with its part of the table of sockets (16 more with any_destination). Its
 *   timer, an ICMP error or the next segment makes it whole again, and then takes what any connection takes; if that is not to be had the
 *   segment is dropped (WEIR_NO_ROOM), and its timer is tried again 10 ms later; each time counts as syn_missed. Its handle is gone
 *   meanwhile, and it gives no round-trip time; one that the user has changed, tagged or holds stays whole.
 * - What is told of a connection now and then does not fit into a packed record, after long losses mostly: it stays at work.
 *
 * Sharding: stacks share nothing, so one for each core needs no locks. See ARCHITECTURE.md, "Many connections, many cores". */

/* ---- looking ---- */

/* The handle after `conn` in no particular order, 0 at the end; 0 starts. Released connections are shown too. */
WEIR_API weir_handle weir_stack_next(const weir_stack *s, weir_handle conn);

/* The connection that the last weir_stack_input, weir_stack_poll or weir_stack_poll_copy was about, 0 if it was about none: for
 * tracers, which ask weir_last_path what changed. It may be gone already: weir_stack_peek says so. */
WEIR_API weir_handle weir_stack_last(const weir_stack *s);

typedef struct weir_stats {
    uint64_t verdicts[WEIR_VERDICT_COUNT]; /* packets by verdict; [WEIR_OK] were taken */
    uint64_t packets_in, octets_in, packets_out, octets_out;
    uint64_t active_opens, passive_opens, established, resets_in, resets_out, retransmitted;
    uint64_t echo_replies, replies_dropped, icmp_taken, time_wait_reused, time_wait_evicted;
    uint64_t cookies_out, cookies_in, cookies_refused; /* SYN cookies: given, brought back, acknowledgments that only looked like it */
    uint64_t odd_segments;   /* segments with any mark of enum weir_odd */
    uint64_t rings_grown, rings_refused;      /* larger rings lent; wishes that were not granted in full */
    uint64_t rings_reclaimed, rings_missing;  /* taken back from the idle; first rings that were not to be had */
    uint64_t ring_octets, ring_octets_peak;   /* of ring_memory: lent now, and at most */
    uint64_t packed, unpacked, busy_missed;   /* connections packed, unpacked; times when all working records were busy */
    uint64_t syn_recorded, syn_missed;        /* half-open connections put into small records; times when one of them found no room */
    uint32_t busy, busy_peak;                 /* connections with a working record: now, and at most */
    uint32_t connections, half_open, listeners, time_wait;      /* now */
    uint32_t syn_records;                     /* of the half-open, in small records; they are not among `connections` */
    uint32_t connections_peak, half_open_peak, time_wait_peak;
} weir_stats;
WEIR_API const weir_stats *weir_stack_stats(const weir_stack *s);
WEIR_API const weir_stack_config *weir_stack_get_config(const weir_stack *s);

/* Every invariant of the stack and of all its connections: NULL if all hold, else the first broken one in words.
 * Linear in everything: for tests. */
WEIR_API const char *weir_stack_check(const weir_stack *s);

#ifdef __cplusplus
}
#endif
#endif /* WEIR_STACK_H */
