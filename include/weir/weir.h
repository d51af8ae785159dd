/* weir.h - TCP for people who already have packets: one connection, sans IO.
 *
 * This header is the manual of one connection; weir/stack.h carries many connections over IP packets.
 * weir opens no socket, reads no clock, draws no random number, allocates nothing, has no global and
 * calls nobody back. Octets, time and user calls go in; segments, a deadline and facts come out:
 *
 *     weir_input(c, &view, now)   a segment has arrived          weir_expire(c, now)    time has passed
 *     weir_poll(c, &out, now)     the next segment to send, 0 = none
 *     weir_deadline(c)            when to call weir_expire       weir_events(c)         what is true now
 *
 * The one rule: after anything that changes a connection, call weir_poll until it returns 0.
 *
 * Time is microseconds on any monotonic clock, always the last argument; a time earlier than one already
 * seen is taken as the one already seen. Sequence arithmetic is modulo 2^32 (RFC 9293 3.4). Ports are in
 * host order, addresses in network order. A pointer that weir hands out is good until the next call that
 * takes the same object without const. Nothing here is thread-safe for one object; different objects
 * share nothing. RFC sections are cited as "RFC 9293 3.4"; without a number before it, "MUST-8" is 9293's.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/features.h"

#ifndef WEIR_API
#define WEIR_API extern
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. wire: octets <-> fields. Knows no connection, keeps no state. ------------------------- */

/* Monotonic time in microseconds, any origin. */
typedef uint64_t weir_us;
#define WEIR_FOREVER UINT64_MAX

/* A sequence number. A struct, so that `a < b` does not compile: use weir_seq_lt and its kin. */
typedef struct weir_seq {
    uint32_t v;
} weir_seq;

/* An IPv6 address, or an IPv4 address in its mapped form ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
typedef struct weir_addr {
    uint8_t octets[16];
} weir_addr;

WEIR_API weir_addr weir_addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
WEIR_API bool weir_addr_is_v4(const weir_addr *a);
WEIR_API bool weir_addr_is_unspecified(const weir_addr *a); /* 0.0.0.0 or :: */
WEIR_API bool weir_addr_equal(const weir_addr *a, const weir_addr *b);

/* The two sockets of a connection, seen from this end (RFC 9293 3.3.1). */
typedef struct weir_tuple {
    weir_addr local, remote;
    uint16_t local_port, remote_port;
} weir_tuple;

/* The addresses of one packet as they stand in it; the pseudo-header of RFC 9293 3.1. */
typedef struct weir_pseudo {
    weir_addr source, destination;
} weir_pseudo;

/* Control bits as they stand in the header (RFC 9293 3.1; AE: RFC 9768). */
enum weir_flag {
    WEIR_FIN = 0x001,
    WEIR_SYN = 0x002,
    WEIR_RST = 0x004,
    WEIR_PSH = 0x008,
    WEIR_ACK = 0x010,
    WEIR_URG = 0x020,
    WEIR_ECE = 0x040,
    WEIR_CWR = 0x080,
    WEIR_AE = 0x100
};

/* Why a packet or a segment was refused. One list for the whole library, and one counter each in
 * struct weir_stats. WEIR_OK is 0. weir_verdict_name() and weir_verdict_reason() put it in words. */
enum weir_verdict {
    WEIR_OK = 0,
    /* IP (lib/wire/ip.c) */
    WEIR_IP_TRUNCATED,      /* shorter than its fixed header, or than the length it states */
    WEIR_IP_VERSION,        /* neither 4 nor 6 */
    WEIR_IP_HEADER_LENGTH,  /* IPv4 IHL below 5 or past the packet (RFC 791 3.1) */
    WEIR_IP_TOTAL_LENGTH,   /* IPv4 total length shorter than the header */
    WEIR_IP_CHECKSUM,       /* IPv4 header checksum */
    WEIR_IP_FRAGMENT,       /* a fragment: weir does not reassemble IP */
    WEIR_IP_OPTION,         /* IPv4 option with an impossible length, or a source route (RFC 7126 4.3) */
    WEIR_IP_EXTENSION,      /* IPv6 extension chain malformed, too long, or of a type that must stop it (RFC 8200 4) */
    WEIR_IP_PROTOCOL,       /* neither TCP nor ICMP of this family */
    WEIR_IP_SOURCE,         /* source unspecified, broadcast, multicast, loopback or our own (MUST-63) */
    WEIR_IP_DESTINATION,    /* broadcast, multicast (MUST-57) or not an address of ours */
    /* ICMP */
    WEIR_ICMP_TRUNCATED,    /* shorter than its header or than the quotation it needs */
    WEIR_ICMP_CHECKSUM,
    WEIR_ICMP_UNKNOWN,      /* a type that asks nothing of TCP, Source Quench included (MUST-55) */
    WEIR_ICMP_UNMATCHED,    /* quotes no connection of ours, or a sequence number not in flight (RFC 5927 4.1) */
    /* TCP (lib/wire/view.c), in the order of the checks: checksum first */
    WEIR_TCP_TRUNCATED,     /* fewer than 20 octets */
    WEIR_TCP_CHECKSUM,      /* MUST-3 */
    WEIR_TCP_DATA_OFFSET,   /* below 5 or past the end (RFC 9293 3.1) */
    WEIR_TCP_OPTION_LENGTH, /* an option length of 0 or 1, or past the header (MUST-7) */
    WEIR_TCP_OPTION_SIZE,   /* a kind of fixed size with another size */
    WEIR_TCP_PORT,          /* a port of 0 */
    /* stack (lib/stack) */
    WEIR_NO_CONNECTION,     /* nobody has this 4-tuple or listens there; answered with RST where RFC 9293 says so */
    WEIR_LAND,              /* both sockets of the segment are the same */
    WEIR_BACKLOG_FULL,      /* the listener, or the stack, has as many half-open connections as it may */
    WEIR_NO_ROOM,           /* no connection record or buffer is free */
    WEIR_IN_TIME_WAIT,      /* met a connection in TIME-WAIT and was dealt with there (RFC 6191) */
    WEIR_VERDICT_COUNT
};
WEIR_API const char *weir_verdict_name(enum weir_verdict verdict);   /* "tcp-checksum" */
WEIR_API const char *weir_verdict_reason(enum weir_verdict verdict); /* a sentence with its source */

/* Option kinds weir knows, as bits of weir_view.options and weir_fields.options. */
enum weir_option {
    WEIR_OPT_MSS = 0x0001,        /* kind 2   RFC 9293 3.2 */
    WEIR_OPT_WSCALE = 0x0002,     /* kind 3   RFC 7323 2.2 */
    WEIR_OPT_SACK_OK = 0x0004,    /* kind 4   RFC 2018 2 */
    WEIR_OPT_SACK = 0x0008,       /* kind 5   RFC 2018 3 */
    WEIR_OPT_TIMESTAMPS = 0x0010, /* kind 8   RFC 7323 3.2 */
    WEIR_OPT_MD5 = 0x0020,        /* kind 19  RFC 2385; recognised, not acted on, as all below */
    WEIR_OPT_UTO = 0x0040,        /* kind 28  RFC 5482 */
    WEIR_OPT_AO = 0x0080,         /* kind 29  RFC 5925 */
    WEIR_OPT_MPTCP = 0x0100,      /* kind 30  RFC 8684 */
    WEIR_OPT_TFO = 0x0200,        /* kind 34  RFC 7413 */
    WEIR_OPT_ENO = 0x0400,        /* kind 69  RFC 8547 */
    WEIR_OPT_ACCECN = 0x0800,     /* kinds 172, 174  RFC 9768 */
    WEIR_OPT_EXPERIMENT = 0x1000, /* kinds 253, 254  RFC 6994 */
    WEIR_OPT_UNKNOWN = 0x2000     /* any other kind: skipped (MUST-6) */
};

/* Legal but strange: accepted, and marked in weir_view.odd. Nothing in weir refuses a segment for these. */
enum weir_odd {
    WEIR_ODD_RESERVED = 0x0001,      /* a reserved header bit is set (RFC 9293 3.1) */
    WEIR_ODD_FLAGS = 0x0002,         /* SYN+FIN, SYN+RST, FIN without ACK, or no flag at all */
    WEIR_ODD_URGENT = 0x0004,        /* an urgent pointer without URG */
    WEIR_ODD_ACK = 0x0008,           /* an acknowledgment number without ACK */
    WEIR_ODD_OPTION_PLACE = 0x0010,  /* MSS, WSCALE, SACK-permitted or TFO without SYN, SACK with SYN, AccECN with SYN alone: ignored */
    WEIR_ODD_OPTION_TWICE = 0x0020,  /* a kind came twice that may not (MPTCP and experiments may): the first counts */
    WEIR_ODD_OPTION_VALUE = 0x0040,  /* shift above 14, MSS of 0, a size to be ignored (TFO, UTO, MPTCP, experiment) or padded (AccECN) */
    WEIR_ODD_PADDING = 0x0080,       /* an octet other than 0 after End of Option List (MUST-69) */
    WEIR_ODD_SACK_BLOCK = 0x0100     /* a block that is empty or runs backwards: left out */
};

/* A contiguous run of octets, [from, to). */
typedef struct weir_block {
    weir_seq from, to;
} weir_block;
#define WEIR_SACK_BLOCKS_MAX 4

/* A checked, decoded segment. Only weir_view_segment() makes one. `payload` borrows the octets given to it. */
typedef struct weir_view {
    weir_seq seq, ack;      /* ack is 0 without ACK */
    uint16_t source_port, destination_port;
    uint16_t flags;         /* enum weir_flag */
    uint16_t window;        /* as it stands in the header: not scaled (MUST-1) */
    uint16_t urgent;        /* 0 without URG */
    uint16_t options;       /* enum weir_option: what was present, valid and in its place */
    uint16_t odd;           /* enum weir_odd */
    uint16_t mss;           /* with WEIR_OPT_MSS */
    uint8_t wscale;         /* with WEIR_OPT_WSCALE: 0..14 (RFC 7323 2.3: more counts as 14) */
    uint8_t header_len;     /* octets, options included: 20..60 */
    uint8_t sack_count;     /* with WEIR_OPT_SACK: 0..4 */
    uint8_t ecn;            /* the two ECN bits of the IP header, 0 from weir_view_segment; filled by whoever has the packet */
    uint32_t ts_value, ts_echo; /* with WEIR_OPT_TIMESTAMPS */
    weir_block sack[WEIR_SACK_BLOCKS_MAX];
    const uint8_t *payload;
    uint32_t payload_len;
    uint16_t gso_size;      /* 0 from weir_view_segment: one segment. Else several that were joined on the way, each but the last with so
                               much text; filled by whoever knows. Text longer than an MSS may come without it */
} weir_view;

/* Reads one TCP segment (header and payload, no IP). `pseudo` gives the addresses for the checksum, which
 * is verified before anything else; NULL if hardware has verified it. On refusal *view is untouched. */
WEIR_API enum weir_verdict weir_view_segment(weir_view *view, const uint8_t *octets, size_t len,
                                             const weir_pseudo *pseudo);

/* SEG.LEN: the sequence numbers a segment occupies, SYN and FIN counted (RFC 9293 3.4). */
WEIR_API uint32_t weir_view_len(const weir_view *view);

/* What to write. Options go out in a fixed order that keeps 32-bit fields aligned; every subset fits: SACK
 * blocks give way first. MSS, window scale and SACK-permitted are written only with SYN (MUST-65). */
typedef struct weir_fields {
    weir_seq seq, ack;
    uint16_t source_port, destination_port;
    uint16_t flags, window, urgent;
    uint16_t options; /* of MSS WSCALE SACK_OK SACK TIMESTAMPS; others, and what was left out, are disregarded */
    uint16_t mss;
    uint8_t wscale, sack_count;
    uint32_t ts_value, ts_echo;
    weir_block sack[WEIR_SACK_BLOCKS_MAX];
} weir_fields;

#define WEIR_TCP_HEADER_MAX 60
/* Writes a header with a checksum field of 0; returns its length, 20..60, a multiple of 4. */
WEIR_API size_t weir_emit_header(uint8_t out[WEIR_TCP_HEADER_MAX], const weir_fields *fields);
/* Puts the checksum over pseudo-header, header and payload into a segment of `len` octets (MUST-2). */
WEIR_API void weir_emit_checksum(uint8_t *segment, size_t len, const weir_pseudo *pseudo);

WEIR_API bool weir_seq_lt(weir_seq a, weir_seq b);  /* a < b; RFC 9293 3.4 */
WEIR_API bool weir_seq_leq(weir_seq a, weir_seq b); /* a =< b */

/* SipHash-2-4 (Aumasson, Bernstein): the keyed function behind ISS, timestamp offsets and hash tables. */
WEIR_API uint64_t weir_siphash(const uint8_t key[16], const uint8_t *octets, size_t len);

/* ---- 2. life: configuration, open, close ------------------------------------------------------- */

/* Every function that can fail returns one of these; weir_error(c) keeps the first that ended a connection. */
typedef enum weir_err {
    WEIR_ERR_NONE = 0,
    WEIR_ERR_NOT_EXIST,    /* "connection does not exist": the call needs an open one */
    WEIR_ERR_EXISTS,       /* "connection already exists": OPEN on one that is open */
    WEIR_ERR_UNSPECIFIED,  /* "remote socket unspecified": active OPEN or SEND in LISTEN needs one */
    WEIR_ERR_CLOSING,      /* "connection closing": no more can be sent, or all that came was read */
    WEIR_ERR_RESOURCES,    /* "insufficient resources": nothing free of what the call needs */
    WEIR_ERR_RESET,        /* "connection reset" by the peer */
    WEIR_ERR_REFUSED,      /* "connection refused": the answer to our SYN was RST */
    WEIR_ERR_TIMEOUT,      /* "connection aborted due to user timeout", R2 or keepalive (RFC 9293 3.8.3, 3.8.4) */
    WEIR_ERR_UNREACHABLE,  /* a hard ICMP error while opening (RFC 9293 3.9.2.2) */
    WEIR_ERR_ABORTED,      /* ended by this side: ABORT, or octets arrived that nobody will read (SHLD-3) */
    WEIR_ERR_INVALID,      /* an argument is out of its documented range: the caller's mistake */
    WEIR_ERR_ADDRESS,      /* an address that cannot be a peer or is not ours (MUST-46) */
    WEIR_ERR_SECRET,       /* the secret is all zero: draw 16 random octets */
    WEIR_ERR_LEFT_OUT,     /* the configuration asks for a feature that this build is without (weir/features.h) */
    WEIR_ERR_COUNT
} weir_err;
WEIR_API const char *weir_err_name(weir_err err); /* the RFC's words where it has some */

/* The states of RFC 9293 3.3.2. */
enum weir_state {
    WEIR_CLOSED,
    WEIR_LISTEN,
    WEIR_SYN_SENT,
    WEIR_SYN_RECEIVED,
    WEIR_ESTABLISHED,
    WEIR_FIN_WAIT_1,
    WEIR_FIN_WAIT_2,
    WEIR_CLOSE_WAIT,
    WEIR_CLOSING,
    WEIR_LAST_ACK,
    WEIR_TIME_WAIT,
    WEIR_STATE_COUNT
};
WEIR_API const char *weir_state_name(enum weir_state state); /* "SYN-RECEIVED" */

/* Explicit congestion notification (RFC 3168); the numbers of Linux's tcp_ecn. */
enum weir_ecn_use {
    WEIR_ECN_OFF,
    WEIR_ECN_OFFER,  /* ask for it in each SYN, and accept it */
    WEIR_ECN_ACCEPT, /* answer a peer that asks */
    WEIR_ECN_COUNT
};

/* Congestion control algorithms. */
enum weir_cc_kind { WEIR_CC_NEWRENO, WEIR_CC_CUBIC, WEIR_CC_BBR, WEIR_CC_COUNT };
WEIR_API const char *weir_cc_name(enum weir_cc_kind kind);

/* Pacing: text leaves evenly over a round trip instead of in bursts. BBR paces at the bandwidth it found, the others at twice cwnd a
 * round trip in slow start and at 1.2 times cwnd after it. Acknowledgments, SYN, RST and a FIN by itself are never paced. */
enum weir_pacing {
    WEIR_PACING_OFF,   /* not; but BBR, which is nothing without it, holds */
    WEIR_PACING_HOLD,  /* weir_poll gives nothing before its time, weir_deadline says when; up to 0.5 ms of text goes at once */
    WEIR_PACING_STAMP, /* weir_poll gives what goes in the next 4 ms, each with weir_out.depart_at; for callers with a timed queue.
                          Round-trip times then include the wait there */
    WEIR_PACING_START, /* holds until the first slow start is over, and then not: so HyStart++ sees the round-trip time rise while it does,
                          and not in the second half of each burst (RFC 9406 4.2); after that acknowledgments clock what goes */
    WEIR_PACING_COUNT
};

/* Configuration: filled by a profile, changed field by field, then left alone. Connections keep a pointer to
 * it: it must outlive them and not change under them. Each default is that of weir_config_internet. */
typedef struct weir_config {
    uint8_t secret[16];         /* random, at least 128 bits, one a host or an instance; no default, zero is refused (RFC 6528) */
    uint32_t rx_max;            /* the largest receive ring that will ever be lent, octets: sets the window shift, whose unit is
                                   at most a quarter of the ring lent at open; 0: that ring */
    uint32_t tx_max;            /* the largest send ring that will be asked for, octets; 0: none beyond what is lent: weir_wanted */
    uint16_t mtu;               /* of the interface, IP header included; MSS derives from it (RFC 6691); 1500 */
    uint16_t gso_max;           /* super-segments: so many octets may a packet of weir_poll have, headers included, that the caller's device
                                   will cut (weir_out.gso_size); the MTU at least, 65535 at most; 0: none */
    bool partial_checksum;      /* the caller's device completes the checksums of all that weir_poll gives (weir_out.partial); false */
    uint16_t mss_min;           /* a smaller MSS option counts as this: bounds the segments a peer can ask for; 88 */
    uint8_t cc;                 /* enum weir_cc_kind; CUBIC */
    uint8_t pacing;             /* enum weir_pacing; start */
    bool iw10;                  /* initial window of RFC 6928; false: RFC 5681 3.1 */
    bool abc;                   /* in the first slow start an acknowledgment adds what it covers, two segments at most (RFC 3465 2.2, 2.3)
                                   or eight with hystart, all with pacing too (RFC 9406 4.3); false: one (RFC 5681 3.1) */
    bool hystart;               /* leave slow start before it overshoots (RFC 9406); with CUBIC and NewReno */
    bool halve_cwnd;            /* NewReno as Linux has it: congestion halves cwnd, counted up to twice what is in flight, as RFC 9438 4.6
                                   allows CUBIC: less is lost where the peer's window is the limit; and the window grows by a segment for
                                   as much as its whole segments, the acknowledgment that ends a recovery included. False: half of
                                   FlightSize, and all of cwnd: RFC 5681 3.1's letter */
    bool rack;                  /* with SACK: find losses by time, probe for a lost tail (RFC 8985); false: RFC 6675 */
    bool prr;                   /* proportional rate reduction in recovery (RFC 9937) */
    bool undo;                  /* take back what a spurious retransmission cost (RFC 3522, RFC 5682, RFC 2883; RFC 4015) */
    bool cwv;                   /* a window that was not used is kept for five minutes, and falls further when it was too large (RFC 7661):
                                   best with pacing; false: after an RTO of silence the initial window (RFC 5681 4.1) */
    uint8_t ecn;                /* enum weir_ecn_use; ACCEPT */
    bool abe;                   /* a mark costs a fifth of the window, CUBIC's 15 % (RFC 8511); false: what a loss costs */
    bool timestamps;            /* offer and accept RFC 7323 timestamps, PAWS */
    bool require_timestamps;    /* drop segments that lack them once negotiated (RFC 7323 3.2 SHOULD); false: accept, paths strip options */
    bool window_scale;          /* offer and accept RFC 7323 window scaling */
    bool sack;                  /* offer and accept RFC 2018, report duplicates by RFC 2883 */
    bool nagle;                 /* RFC 9293 3.7.4; a connection can change its own: weir_set_nagle */
    bool ack_check;             /* RFC 5961 5.2: acknowledgments older than the largest window ever seen are refused */
    bool rfc1337;               /* no RST ends TIME-WAIT early (RFC 1337 3 (F1)); false: one at RCV.NXT does (RFC 9293 3.10.7.4) */
    uint8_t ack_every;          /* an ACK at least for every so many full-sized segments; 2 (SHLD-19) */
    uint8_t quick_acks;         /* so many data segments are acknowledged at once after the open; 16 */
    uint8_t ttl;                /* TTL or hop limit of what is sent; 64 (MUST-49) */
    uint8_t dscp;               /* Diffserv code point of what is sent; 0; weir_set_dscp (MUST-48) */
    uint8_t retries_r1;         /* R1: retransmissions after which the path is called suspect; 3 (SHLD-10) */
    uint8_t challenge_count;    /* at most so many challenge ACKs ... ; 10 (RFC 5961 7) */
    uint8_t keepalive_count;    /* unanswered probes before the connection is given up; 9 (MUST-29) */
    weir_us challenge_interval_us;  /* ... in so long, for each connection by itself; 5 s */
    weir_us rto_initial_us;     /* 1 s (RFC 6298 2.1) */
    weir_us rto_min_us;         /* 200 ms (RFC 6298 2.4 says 1 s: weir_config_rfc) */
    weir_us rto_max_us;         /* 60 s at least (RFC 6298 2.5); 120 s */
    weir_us ack_delay_us;       /* delayed ACK; 40 ms; below 500 ms (MUST-40) */
    weir_us r2_us;              /* R2: give up after so long without progress; 15 min; >= 100 s; WEIR_FOREVER: never (MUST-20, MUST-21) */
    weir_us r2_syn_us;          /* the same while opening; 3 min (MUST-23) */
    weir_us keepalive_idle_us;  /* idle time before the first probe; 0: no keepalive (MUST-25); 2 h when asked for (MUST-28) */
    weir_us keepalive_interval_us;  /* between probes; 75 s (MUST-27) */
    weir_us persist_max_us;     /* longest gap between zero-window probes; 60 s */
    weir_us sws_override_us;    /* sender's silly-window override; 0.2 s (RFC 9293 3.8.6.2.1: 0.1..1 s) */
    weir_us msl_us;             /* maximum segment lifetime; TIME-WAIT lasts twice that; 30 s (RFC 9293 3.4.2: 2 min) */
    weir_us fin_wait_us;        /* a released connection stays so long in FIN-WAIT-2; 60 s */
    weir_us orphan_us;          /* a released connection that gets not even a full segment through in so long is given up; 100 s */
} weir_config;

/* Profiles fill every field but the secret, with no feature that was left out. init is internet under another name. */
WEIR_API void weir_config_init(weir_config *config);
WEIR_API void weir_config_internet(weir_config *config); /* today's practice */
/* the letter of the RFCs: RTO at least 1 s, MSL 2 min, IW of RFC 5681, NewReno, RFC 6675 with SACK, delayed ACK 200 ms */
WEIR_API void weir_config_rfc(weir_config *config);
WEIR_API void weir_config_tiny(weir_config *config);     /* a device with kilobytes: no scaling, no timestamps, small segments */
/* WEIR_ERR_NONE, WEIR_ERR_SECRET, WEIR_ERR_LEFT_OUT, or WEIR_ERR_INVALID; *field names the first field that is to blame (field may be
 * NULL). */
WEIR_API weir_err weir_config_check(const weir_config *config, const char **field);

/* Working storage of one connection, carved from one piece of memory that the caller owns and keeps for the
 * life of the connection: two rings and the records that go with them. */
struct weir_span; /* a run received out of order */
struct weir_sent; /* a run sent and not yet acknowledged */
typedef struct weir_buffers {
    uint8_t *rx, *tx;          /* rings; sizes are powers of two */
    struct weir_span *spans;
    struct weir_sent *sent;
    uint32_t rx_size, tx_size;
    uint16_t span_cap, sent_cap;
} weir_buffers;

/* Ring sizes: a power of two, 256 octets to 1 GiB (2^30: the largest window, RFC 7323 2.3). */
typedef struct weir_sizes {
    uint32_t rx, tx;
} weir_sizes;
/* The octets weir_buffers_carve needs for these rings; 0 if a size is out of range. */
WEIR_API size_t weir_buffers_size(weir_sizes sizes);
/* Lays the rings out in `memory` (aligned to 8); false if it is too short or a size is out of range. */
WEIR_API bool weir_buffers_carve(weir_buffers *b, void *memory, size_t len, weir_sizes sizes);

typedef struct weir_conn weir_conn; /* complete at the end of this header: the caller places it */

/* Puts a connection into CLOSED over its buffers. Never fails on valid arguments: see weir_config_check.
 * Nothing needs to be undone: forgetting a connection is freeing it. */
WEIR_API weir_err weir_init(weir_conn *c, const weir_config *config, const weir_buffers *buffers, weir_us now);

/* Passive OPEN: CLOSED -> LISTEN. With an unspecified remote socket anyone may connect, but a view does not carry
 * addresses: weir_set_remote before a SYN is given to weir_input. Whoever demultiplexes simply names both sockets. */
WEIR_API weir_err weir_listen(weir_conn *c, const weir_tuple *tuple, weir_us now);
/* Who the next segment in LISTEN is from; WEIR_ERR_EXISTS in any other state. */
WEIR_API weir_err weir_set_remote(weir_conn *c, const weir_addr *remote, uint16_t remote_port);
/* Active OPEN: CLOSED or LISTEN -> SYN-SENT (RFC 9293 3.10.1). */
WEIR_API weir_err weir_connect(weir_conn *c, const weir_tuple *tuple, weir_us now);
/* While held, a connection that a SYN has opened says nothing: the SYN,ACK waits for weir_admit, or weir_abort
 * answers RST. Call before the SYN is given to weir_input. */
WEIR_API void weir_hold(weir_conn *c);
WEIR_API weir_err weir_admit(weir_conn *c, weir_us now);

/* CLOSE: no more will be sent; FIN follows what is queued; receiving goes on (RFC 9293 3.10.4: half-close). */
WEIR_API weir_err weir_close(weir_conn *c, weir_us now);
/* ABORT: RST where there is a peer to tell, then CLOSED (RFC 9293 3.10.5). */
WEIR_API weir_err weir_abort(weir_conn *c, weir_us now);
/* The user walks away: CLOSE both ways (MAY-1). Unread or later octets are answered with RST (SHLD-3), and every
 * state ends in bounded time. linger 0 aborts at once; else what is queued has so long to be acknowledged;
 * WEIR_FOREVER leaves that to config.orphan_us. */
WEIR_API weir_err weir_release(weir_conn *c, weir_us linger_us, weir_us now);

/* ---- 3. in: segments, time, ICMP ----------------------------------------------------------------- */

enum weir_input {
    WEIR_TAKEN,  /* dealt with; drain weir_poll */
    WEIR_REUSE   /* a SYN that may reopen a connection in TIME-WAIT (RFC 6191): this one is CLOSED now, give the view to a listener */
};
/* SEGMENT ARRIVES (RFC 9293 3.10.7). Keeps no pointer into the view. */
WEIR_API enum weir_input weir_input(weir_conn *c, const weir_view *view, weir_us now);
/* TIMEOUTS (RFC 9293 3.10.8). Early, late or repeated calls are harmless. */
WEIR_API void weir_expire(weir_conn *c, weir_us now);

/* An ICMP error that quotes a segment of this connection, already matched by its 4-tuple. */
enum weir_icmp_kind {
    WEIR_ICMP_SOFT,    /* unreachable 0, 1, 5; time exceeded; parameter problem; ICMPv6 equivalents (MUST-56) */
    WEIR_ICMP_HARD,    /* unreachable 2, 3; ICMPv6 1/1, 1/4 to 1/6 (SHLD-26, RFC 5461 2.1) */
    WEIR_ICMP_TOO_BIG  /* fragmentation needed, packet too big: with the MTU of the next hop */
};
typedef struct weir_icmp {
    enum weir_icmp_kind kind;
    weir_seq seq;   /* of the quoted segment */
    uint32_t mtu;   /* with WEIR_ICMP_TOO_BIG; 0: a router that does not say */
} weir_icmp;
/* False if the quotation is not of octets in flight (RFC 5927 4.1): disregarded. A synchronized connection
 * takes hard errors as soft ones (RFC 5927 5.2). */
WEIR_API bool weir_input_icmp(weir_conn *c, const weir_icmp *icmp, weir_us now);

/* ---- 4. out: segments, the deadline ----------------------------------------------------------------- */

typedef struct weir_slice {
    const uint8_t *octets;
    size_t len;
} weir_slice;

#define WEIR_IP_HEADER_MAX 40
#define WEIR_HEADER_MAX 104 /* IPv6 and the longest TCP header, rounded up */
/* One packet to send: a header inside `room`, and at most two slices of the send ring, which stay good until the
 * connection is touched again. Send them at once, in this order, as one packet. */
typedef struct weir_out {
    uint8_t room[WEIR_HEADER_MAX];
    uint16_t header_at;   /* the header is room[header_at] .. */
    uint16_t header_len;  /* .. of so many octets: TCP from weir_poll, IP and TCP from weir_stack_poll */
    uint8_t ecn;          /* for the two ECN bits of the IP header; weir_stack_poll has written them */
    bool partial;         /* the checksum field holds the sum of the pseudo-header alone (not inverted), for the length that this packet
                             has: the device completes it. With config.partial_checksum, and always with gso_size */
    uint16_t gso_size;    /* 0: one segment. Else many, to be cut: so many octets of text each, the last may have fewer */
    uint32_t len;         /* of the whole packet */
    weir_us depart_at;    /* not to leave earlier; 0: at once. Only with WEIR_PACING_STAMP */
    weir_slice body[2];   /* len 0: none */
} weir_out;

/* The next segment to send; its length in octets, 0 = nothing now. The checksum is complete.
 * With config.gso_max new text comes as super-segments: what this call would have given one by one, at this time, as one packet. Cut as
 * weir_out_cut does it the octets are the same. Not made of what is sent again, is urgent, reports SACK blocks or carries CWR, and not
 * with WEIR_PACING_STAMP. */
WEIR_API size_t weir_poll(weir_conn *c, weir_out *out, weir_us now);
/* Puts a packet into one piece of memory, as it is; 0 if cap is too small, else out->len. */
WEIR_API size_t weir_out_copy(const weir_out *out, uint8_t *octets, size_t cap);
/* Segment i, from 0, of a packet into one piece of memory, as the wire will see it: its own length, number and flags, and a complete
 * checksum. Its length; 0 if there is no such segment, or cap is too small. A packet that is one segment has segment 0. */
WEIR_API size_t weir_out_cut(const weir_out *out, uint32_t i, uint8_t *octets, size_t cap);
/* When to call weir_expire at the latest; WEIR_FOREVER if nothing is waited for. Every call that takes the
 * connection without const can change it. */
WEIR_API weir_us weir_deadline(const weir_conn *c);

/* ---- 5. stream: look, then say how much ------------------------------------------------------------- */

/* The next octets to read, in order; *len is 0 if there are none now. Urgent octets are in line (RFC 6093). */
WEIR_API const uint8_t *weir_rx_peek(const weir_conn *c, size_t *len);
/* The first `count` octets of what peek shows are done with; more than that is WEIR_ERR_INVALID. */
WEIR_API weir_err weir_rx_consume(weir_conn *c, size_t count, weir_us now);
/* Free room at the end of the send ring; *len is 0 if it is full or nothing more may be sent. */
WEIR_API uint8_t *weir_tx_reserve(const weir_conn *c, size_t *len);

/* How SEND is meant (RFC 9293 3.10.2). */
enum weir_send_flag {
    WEIR_SEND_PUSH = 1,   /* do not collect: what stands before this point goes as soon as it may (MAY-15) */
    WEIR_SEND_URGENT = 2, /* the last octet of this call is the last urgent one (MUST-62) */
    WEIR_SEND_MORE = 4    /* more follows at once: hold a segment that is not full until then, or 200 ms (MAY-16) */
};
/* SEND: the first `count` octets of what reserve gave are written; flags of enum weir_send_flag. */
WEIR_API weir_err weir_tx_commit(weir_conn *c, size_t count, unsigned flags, weir_us now);

/* Copying conveniences. *sent may be less than len: the ring is full; the rest after WEIR_EV_WRITABLE. */
WEIR_API weir_err weir_send(weir_conn *c, weir_slice octets, unsigned flags, size_t *sent, weir_us now);
/* RECEIVE. WEIR_ERR_NONE with *got 0: nothing now. WEIR_ERR_CLOSING: the peer's FIN was reached, no more comes. */
WEIR_API weir_err weir_recv(weir_conn *c, uint8_t *octets, size_t cap, size_t *got, weir_us now);
/* How many octets stand before the end of urgent data, 0 if none is ahead (MUST-33). */
WEIR_API uint32_t weir_urgent(const weir_conn *c);

/* ---- 6. state: what is true now ---------------------------------------------------------------------- */

/* Level bits, computed from the state: no queue to overflow or to drain. */
enum weir_event {
    WEIR_EV_READABLE = 0x01,  /* weir_rx_peek has octets */
    WEIR_EV_WRITABLE = 0x02,  /* weir_tx_reserve has room */
    WEIR_EV_CONNECTED = 0x04, /* the handshake is done (and the connection not yet CLOSED) */
    WEIR_EV_PEER_FIN = 0x08,  /* the peer closed: what peek shows is the rest (MUST-12) */
    WEIR_EV_CLOSED = 0x10,    /* CLOSED: see weir_error; octets that came before can still be read */
    WEIR_EV_URGENT = 0x20,    /* urgent data is ahead (MUST-32) */
    WEIR_EV_HELD = 0x40,      /* a SYN has come and waits for weir_admit or weir_abort */
    WEIR_EV_SUSPECT = 0x80,   /* R1 passed without an answer, or a soft ICMP error (SHLD-9, MUST-47, SHLD-25) */
    WEIR_EV_SENT = 0x100,     /* all that was committed, and our FIN if closed, is acknowledged */
    WEIR_EV_GROW = 0x200      /* larger rings would help: weir_wanted */
};
WEIR_API unsigned weir_events(const weir_conn *c);
WEIR_API weir_err weir_error(const weir_conn *c); /* the first error wins and stays */
WEIR_API enum weir_state weir_state(const weir_conn *c); /* STATUS (RFC 9293 3.10.6) */
WEIR_API const weir_tuple *weir_sockets(const weir_conn *c);
/* True when weir_poll would return a segment, at the latest time that the connection has seen. */
WEIR_API bool weir_has_output(const weir_conn *c);

/* Changes of one connection while it runs. */
WEIR_API void weir_set_nagle(weir_conn *c, bool on);          /* MUST-17 */
WEIR_API void weir_set_keepalive(weir_conn *c, bool on, weir_us now);      /* MUST-24; interval from config, 2 h if that is 0 */
WEIR_API weir_err weir_set_dscp(weir_conn *c, uint8_t dscp);      /* 0..63 (SHLD-21) */
WEIR_API void weir_set_user_timeout(weir_conn *c, weir_us r2_us); /* R2 of this connection (MUST-21); 0: config.r2_us */

/* Rings that grow. A connection measures what the path asks for and allocates nothing; the caller grants, or does not:
 *
 *     if (weir_events(c) & WEIR_EV_GROW) {
 *         weir_sizes sizes = weir_wanted(c);
 *         if (weir_buffers_carve(&b, memory, len, sizes)) weir_set_buffers(c, &b, now);    (then free the old memory)
 *     }
 *
 * To refuse is harmless: the transfer goes as fast as the rings allow. The receive ring is to hold twice what the user reads in a
 * round-trip time, more in slow start, up to config.rx_max; what is sent and not read asks for nothing. The send ring is to hold
 * twice the congestion window while the user keeps it filled, up to config.tx_max. With both 0 nothing is ever asked for.
 * (A stack grants from its own memory: weir_stack_config.ring_memory.) */
WEIR_API weir_sizes weir_wanted(const weir_conn *c); /* powers of two; no ring smaller than it is */
/* Rings of other sizes while running: contents move, `b` takes the place of the old buffers, which the caller may then reuse; the two
 * must not overlap. WEIR_ERR_INVALID if what is in the rings does not fit. Smaller ones are allowed, and none at all (*b all zero) while
 * nothing is in them: the window that was promised stays promised (RFC 9293 3.8.6.2.2), and text for which there is no place is
 * as if it had been lost on the way. Nothing can be sent without a send ring, not even FIN. */
WEIR_API weir_err weir_set_buffers(weir_conn *c, const weir_buffers *b, weir_us now);

/* A snapshot for people and tests; names as in tcp_info. Times in microseconds, sizes in octets. */
typedef struct weir_info {
    uint8_t state, options, wscale_snd, wscale_rcv, backoff, probes, retransmits, in_recovery;
    uint32_t rto, rtt, rttvar, min_rtt, ato;
    uint32_t snd_mss, rcv_mss, adv_mss, pmtu;
    uint32_t snd_cwnd, snd_ssthresh;      /* octets */
    uint32_t unacked, sacked, lost, retrans; /* octets in flight by what is known of them */
    uint32_t snd_wnd, rcv_wnd;            /* octets, scaled */
    uint32_t snd_queued, snd_unsent, rcv_queued, rcv_spans; /* rings: committed, not yet sent, to be read; runs out of order */
    uint32_t snd_ring, rcv_ring;          /* sizes lent */
    uint64_t octets_acked, octets_received;
    uint32_t segments_in, segments_out, data_segments_in, data_segments_out;
    uint32_t total_retrans, timeouts, fast_recoveries, dup_in, out_of_order_in, challenge_acks, dsack_in, paws_dropped;
    uint32_t tail_probes, undone;         /* RFC 8985 7; reductions of the window that were taken back */
    uint32_t reo_wnd;                     /* microseconds that a segment may be late before it is lost (RFC 8985) */
    uint8_t reordering;                   /* reordering was seen */
    uint8_t timer;                        /* what the send side waits for: weir_timer_name */
    uint8_t app_limited;                  /* the last sample of delivery_rate was of a time in which there was not enough to send */
    uint8_t ecn;                          /* both ends have agreed to it (RFC 3168) */
    uint32_t received_ce, delivered_ce;   /* segments that came with a mark; delivered ones whose acknowledgment echoed one */
    uint64_t delivered;                   /* octets of ours that the peer has, in order or not */
    uint64_t pacing_rate;                 /* octets a second that text leaves at, or would with pacing; UINT32_MAX: no limit known */
    uint64_t busy_time;                   /* microseconds in which something was queued or outstanding; of these .. */
    uint64_t rwnd_limited, sndbuf_limited; /* .. the peer's window held more back, or the send ring was full */
    uint64_t bbr_bw;                      /* BBR: the bandwidth of its model, octets a second */
    uint32_t bbr_min_rtt;                 /* its least round-trip time */
    uint64_t delivery_rate;               /* octets a second, the last sample; 0: none yet; saturates at 2^32 - 1 */
} weir_info;
WEIR_API void weir_info_get(const weir_conn *c, weir_info *info);
WEIR_API const char *weir_timer_name(unsigned timer); /* "none" "resend" "persist" "sws" "reorder" "probe" */

/* The rows of the state table (lib/conn/rows.h) that the last event of this connection went through, in order.
 * For tracers and tests. Row numbers are not stable between versions; names are. */
#define WEIR_PATH_MAX 8
typedef struct weir_path {
    uint8_t row[WEIR_PATH_MAX];
    uint8_t count, from, to; /* states before and after */
} weir_path;
WEIR_API weir_path weir_last_path(const weir_conn *c);
WEIR_API unsigned weir_row_count(void);
WEIR_API const char *weir_row_name(unsigned row);    /* "A3" */
WEIR_API const char *weir_row_section(unsigned row); /* "RFC 9293 3.10.7.4 fifth" */

/* Every invariant of a connection: NULL if all hold, else the first broken one in words. */
WEIR_API const char *weir_check(const weir_conn *c);

/* ---- the connection itself: place it, do not touch it ------------------------------------------------- */

/* Round-trip time (lib/recovery/rtt.c; RFC 6298). Both smoothed values 0: no sample yet. */
struct weir_rtt {
    uint32_t srtt8, rttvar4; /* microseconds times 8, times 4 */
    uint32_t rto, min;       /* microseconds */
};

/* CUBIC (lib/recovery/cc_cubic.c; RFC 9438): windows in octets. */
struct weir_cubic {
    weir_us epoch_at;        /* when this stage of congestion avoidance began; 0: not begun */
    weir_us seen_at;         /* the last acknowledgment */
    uint32_t w_max, w_est, cwnd_prior;
    uint32_t k;              /* from the epoch to the plateau, 1/1024 s */
    uint32_t origin;         /* the window at the plateau of this epoch */
    uint32_t acked;          /* octets acknowledged since w_est last grew */
};

/* BBR (lib/recovery/cc_bbr.c): rates in octets a second, sizes in octets, times the low 32 bits of microseconds. */
struct weir_bbr {
    uint32_t rate;           /* of pacing; 0: none yet */
    uint32_t max_bw[2];      /* the greatest delivery rate of this cycle of probing, of the one before */
    uint32_t bw_lo, inflight_lo, inflight_hi; /* bounds that loss has set; UINT32_MAX: none */
    uint32_t bw_latest, inflight_latest, round_lost, round_rtt; /* of this round */
    uint32_t round_end;      /* it ends with what was sent after so much had been delivered */
    uint32_t full_bw;        /* the delivery rate that has to be surpassed by a quarter */
    uint32_t min_rtt, min_rtt_at;
    uint32_t phase_at, probe_at; /* when this phase began; when the next probe, or the end of ProbeRTT, is due */
    uint32_t up_acked;       /* octets acknowledged since inflight_hi last rose */
    uint32_t extra_at, extra_octets, extra[2]; /* how far acknowledgments run ahead of the bandwidth */
    uint8_t phase, feedback; /* enum weiri_bbr_phase, enum weiri_bbr_feedback */
    uint8_t full_count, full; /* rounds without growth; the bandwidth was found */
    uint8_t rounds, up_rounds, extra_rounds, losses;
};

/* HyStart++ (lib/recovery/hystart.c; RFC 9406). */
struct weir_hystart {
    weir_seq window_end;     /* SND.NXT when the round began */
    uint32_t last_min, round_min, baseline; /* microseconds; UINT32_MAX: none */
    uint8_t samples, css_rounds, phase;     /* phase: slow start, conservative slow start, done */
};

/* Congestion control (lib/recovery/cc.c; RFC 5681). */
struct weir_cc {
    uint32_t cwnd, ssthresh; /* octets */
    uint32_t acked;          /* octets acknowledged since cwnd last grew in congestion avoidance */
#if WEIR_WITH_CUBIC || WEIR_WITH_BBR
    union {                  /* by the configuration's algorithm */
#if WEIR_WITH_CUBIC
        struct weir_cubic cubic;
#endif
#if WEIR_WITH_BBR
        struct weir_bbr bbr;
#endif
    };
#endif
#if WEIR_WITH_HYSTART
    struct weir_hystart hystart;
#endif
};

/* Congestion window validation (lib/recovery/cwv.c; RFC 7661), octets. Not in weir_cc: what was measured is not taken back. */
struct weir_cwv {
#if WEIR_WITH_CWV
    weir_seq from;           /* SND.UNA when the sample that is being taken began; in recovery: as far as was sent again */
    uint32_t from_at;        /* and when: the low 32 bits of microseconds */
    uint32_t half_at;        /* when the newer half of the sampling period began */
    uint32_t pipe[2];        /* the largest sample of the newer half, and of the older */
    uint32_t since;          /* when the non-validated phase began, 2^20 us, plus 1; 0: validated */
    uint32_t loss;           /* max(pipeACK, LossFlightSize) of a recovery that began in that phase, else 0 */
    uint32_t resent;         /* R: what was sent again in it */
#else
    uint8_t left_out;
#endif
};

/* RACK and TLP (lib/recovery/rack.c; RFC 8985). */
struct weir_rack {
    weir_us at;              /* when `timer` ends; WEIR_FOREVER: it does not run */
    weir_us xmit_at;         /* when the segment sent last of those delivered was sent */
    uint32_t rtt;            /* of that segment; 0: none yet */
    weir_seq end, fack;      /* its end; the highest octet delivered */
    uint32_t reo_wnd;        /* the reordering window */
    uint32_t min_rtt;        /* of the last minutes; 0: none */
    uint32_t min_rtt_at;     /* the low 32 bits of microseconds */
    weir_seq round;          /* with dsack_round: SND.NXT when a D-SACK last widened the window */
    weir_seq tlp_end;        /* SND.NXT when the probe that is out went */
    uint8_t mult, persist;   /* of min_rtt / 4; recoveries until it is 1 again */
    uint8_t reordered, dsack_round;
    uint8_t timer;           /* enum weiri_rack_timer */
    uint8_t tlp;             /* enum weiri_tlp: the probe that is out */
    uint8_t sampled;         /* an RTT sample came since the last probe */
    uint8_t restart, due;    /* the probe timer is to be started anew; a probe is to go */
    uint8_t tries;           /* in this recovery: how often something had been sent that was lost at last; 0: nothing was lost yet */
};

/* Proportional rate reduction (lib/recovery/prr.c; RFC 9937), octets. */
struct weir_prr {
    uint32_t delivered, out, recover_fs;
};

/* What to go back to if recovery was not needed (lib/conn/undo.c; RFC 5682, RFC 3522, RFC 4015). */
struct weir_undo {
    struct weir_cc cc;       /* before the window was reduced */
    struct weir_rtt rtt;
    weir_seq from, until;    /* SND.UNA when it began, or with adapt what was never sent before; past `until` nothing is taken back */
    uint32_t flight;         /* FlightSize when it began */
    uint32_t resent;         /* octets sent again and not yet told to be duplicates */
    uint32_t stamp;          /* our timestamp clock when the first retransmission went */
    uint8_t kind;            /* enum weiri_undo: what began */
    uint8_t step;            /* F-RTO: enum weiri_frto */
    uint8_t sent, answered;  /* something was sent again; SND.UNA has moved since, or what went again before is on its way */
    uint8_t adapt;           /* a timeout was spurious: the next sample past `from` sets the RTO anew */
};

/* What each transmission remembers of the moment it went, so that its acknowledgment tells a delivery rate (lib/recovery/rate.c).
 * Modulo 2^32: octets, microseconds. */
struct weir_mark {
    uint32_t delivered;      /* octets delivered until then */
    uint32_t delivered_at;   /* when the last of them were */
    uint32_t first_at;       /* when the first transmission went of the flight it belongs to */
};

/* What was sent and is not yet acknowledged (lib/recovery/sack.c; RFC 6675, RFC 8985): records in `sent`, which the caller lent. Records
 * are named by their places in memory, 0 .. cap - 1; 65535: none. */
struct weir_board {
    struct weir_sent *sent;
    uint16_t count, cap;
#if WEIR_WITH_LARGE_BOARD
    uint16_t head;                  /* place of the first, in order of sequence */
    uint16_t first, last;           /* in order of transmission */
    uint16_t late, ahead;           /* in that order: before `late` all are LOST; `ahead` is RACK's mark */
    uint16_t edge;                  /* in order of sequence: below it nothing is FLYING */
    uint32_t above_runs;
    uint32_t credit;                /* records that may yet be moved for a peer's blocks */
#endif
    uint32_t octets;                /* from the first record to the last */
    uint32_t sacked, lost, resent;  /* of them */
    uint32_t above;                 /* from `edge` on: octets SACKED, in `above_runs` runs */
#if WEIR_WITH_LARGE_BOARD
    uint8_t mixed;                  /* what flies may have been sent in another order than that of sequence */
#endif
#if WEIR_WITH_RATE
    uint8_t limited;                /* enum weiri_limited: what holds the sender back; with `mark`, what is sent now takes it along */
    struct weir_mark mark;
#endif
};

/* The delivery rate (lib/recovery/rate.c): the last sample. */
struct weir_rate {
#if WEIR_WITH_RATE
    uint32_t delivered;      /* octets .. */
    uint32_t interval;       /* .. in so many microseconds; 0: no sample yet */
    uint32_t until;          /* with board.limited: the count of octets delivered when that is over */
    uint8_t limited;         /* enum weiri_limited of the sample */
#else
    uint8_t left_out;
#endif
};

/* What the rings should be (lib/conn/tune.c). */
struct weir_tune {
    weir_us read_at, edge_at; /* when this round of reading began; when `edge` was promised */
    weir_seq read_from, edge; /* what the user had read then; without timestamps: a right edge whose use shows the round trip */
    uint32_t read_last;       /* octets read in the round before */
    uint32_t rtt, rtt_round;  /* the receiver's round-trip time: of the round before, of this one; microseconds, 0: none */
    uint32_t echo;            /* the last timestamp that gave a sample */
    uint32_t rx_want, tx_want; /* octets */
};

#define WEIR_RECENT_SPANS 6 /* more than an ACK reports: some may be gone by then */
/* One value, no pointer to itself: it can be copied with its buffers, compared, kept. All fields are private. */
struct weir_conn {
    /* hot: read or written for every segment; small fields first, where short instructions reach them */
    const weir_config *cfg;
    uint8_t *rx_ring, *tx_ring;
    struct weir_span *spans;
    uint8_t state, dscp; /* from `err` on all begins anew with each OPEN (weiri_conn_clear) */
    uint8_t err, timer, dupacks, backoff, retries, probes, shift_snd, shift_rcv;
    uint8_t quick_acks, challenges, keep_probes;
    uint8_t ecn;                 /* enum weiri_ecn */
    uint16_t mss_snd, mss_adv, mss_peer; /* what we may send; what we announced; what the peer announced */
    uint16_t pmtu;               /* path MTU as far as known */
    uint16_t rcv_mss;            /* the largest payload seen */
    uint16_t span_count, span_cap;
    uint16_t span_head;          /* so many places before `spans` are free */
#if WEIR_WITH_PMTU_CHECK
    uint16_t mtu_pending, size_acked; /* RFC 5927 7.2 */
#endif
    uint32_t flags;              /* enum weiri_flag */
    uint32_t rx_size, tx_size;   /* powers of two */
    struct {
        weir_seq una, nxt, wl1, wl2, up, iss; /* RFC 9293 3.3.1 */
        weir_seq end;            /* one past the last octet committed; our FIN takes this number */
        uint32_t wnd, max_wnd;   /* SND.WND scaled, the largest ever: MAX.SND.WND (REC-1) */
    } snd;
    struct {
        weir_seq nxt, up, irs;   /* RFC 9293 3.3.1 */
        weir_seq usr;            /* the next octet the user reads */
        weir_seq adv;            /* the highest right edge ever announced: never moves left (SHLD-14) */
        weir_seq acked;          /* Last.ACK.sent (RFC 7323 4.3) */
        weir_seq fin;            /* number of the peer's FIN, once known */
    } rcv;
    weir_us now;                 /* the latest time seen */
    weir_us rexmt_at;            /* retransmission, persist or SWS override timer: which, says `timer` */
    weir_us ack_at;              /* delayed ACK */
    struct {
        uint32_t recent;         /* TS.Recent (RFC 7323 4.3) */
        uint32_t offset;         /* keyed, added to our clock (RFC 7323 7.1) */
        weir_us recent_at;       /* when TS.Recent was set: it ages (RFC 7323 5.5) */
    } ts;
#if WEIR_WITH_PACING
    struct {
        weir_us next;            /* when the next segment of text would leave at an even pace */
        uint8_t held, waits;     /* it is so far ahead that text is held until then; there is text */
        uint8_t owed;            /* text waited, and for longer than that */
    } pace;
#endif
    weir_us life_at;             /* 2MSL, FIN-WAIT-2 or linger: the end of this state */
#if WEIR_WITH_KEEPALIVE
    weir_us keep_at;             /* the next keepalive probe */
#endif
    weir_us linger_at;           /* a released connection not finished by then is aborted */
    struct weir_board board;
    struct weir_rack rack;
#if WEIR_WITH_GROWTH
    struct weir_tune tune;
#endif
    weir_tuple tuple;
    struct {                     /* one answer that is not about the stream: RST */
        weir_seq seq, ack;
        uint32_t ts_echo;
        uint16_t flags;          /* 0: none */
        uint16_t with_ts;
    } reply;
#if WEIR_WITH_DSACK
    weir_block dsack;            /* duplicate to report; from == to: none */
#endif
    struct weir_rate rate;
#if WEIR_WITH_COUNTERS
    weir_path path;
    struct {
        uint32_t in, out, data_in, data_out, retrans, timeouts, recoveries, dup_in, ooo_in, challenge, dsack_in, paws;
        uint32_t tail_probes, undone, received_ce, delivered_ce;
    } count;
#endif
    /* warm: for text and its acknowledgments; an idle end looks at nothing from here on */
    uint64_t octets_acked, octets_received;
    weir_us progress_at;         /* R2 counts from here */
    weir_us r2_us;
    weir_us spoke_at;            /* the last segment with text sent; the SYN's time while opening */
    weir_us challenge_at;        /* start of the interval in which challenges are counted */
    struct weir_rtt rtt;
    struct weir_cc cc;
    struct weir_cwv cwv;
#if WEIR_WITH_RATE
    struct {
        uint32_t since, ticks[3]; /* the low 32 bits of microseconds; 1/1024 s of each enum weiri_hold but the first */
        uint8_t why;             /* enum weiri_hold since then */
    } hold;
#endif
    uint32_t stamp;              /* age of the newest span */
#if WEIR_WITH_LARGE_BOARD
    weir_seq recent[WEIR_RECENT_SPANS]; /* octets of the spans that grew last, the newest first */
    uint8_t recent_count;
#endif
    /* cold: for losses, and what comes once */
    weir_seq recover;            /* RFC 6582 3.2 */
    weir_seq rescue;             /* RFC 6675 4, RescueRxt */
    uint32_t dup_flight;         /* FlightSize at the first duplicate ACK: what limited transmit adds does not count (RFC 5681 3.2) */
    struct weir_prr prr;
    weir_seq ecn_end;            /* SND.NXT when the window was last reduced (RFC 3168 6.1.2) */
    weir_seq iss_floor;          /* SND.NXT of an earlier connection between these sockets */
#if WEIR_WITH_UNDO
    struct weir_undo undo;
#endif
};

#ifdef __cplusplus
}
#endif
#endif /* WEIR_H */
