/* tun.h - the Linux adapter: a weir stack on a TUN device, one loop, an impaired link, a capture file.
 *
 * The only header of weir that knows an operating system. On a TUN device weir is *the other host on the link*: the
 * kernel has the peer address, weir has its own, and whatever the kernel routes into the device arrives in the stack.
 *
 *     weir_tun_config config;                          weir_stack_config stack;
 *     weir_tun_config_init(&config);                   weir_fault fault;
 *     config.unshare = true;
 *     if ((t = weir_tun_open(&config, &fault)) == NULL)
 *         return complain(&fault);       // one line: what, why, how to mend it; fault.kind is the exit code
 *     weir_tun_stack_config(t, &stack);                // addresses, MTU, a random secret
 *     if (!weir_tun_start(t, &stack, &fault) || !weir_tun_drop_privileges(t, &fault))
 *         return complain(&fault);
 *     for (;;) {
 *         happened = weir_tun_step(t, NULL, 0, WEIR_FOREVER);          // waits; packets and time go in
 *         while (weir_stack_ready(weir_tun_stack(t), &ready))          // facts, no callbacks
 *             serve(&ready);
 *         weir_tun_flush(t);                                           // packets go out
 *         if (happened & (WEIR_TUN_QUIT | WEIR_TUN_GONE))
 *             break;
 *     }
 *     weir_tun_close(t);
 *
 * A function that can fail returns false or NULL and fills a weir_fault. A weir_tun is used by one thread; two of them
 * share nothing but the process: the network namespace, privileges and blocked signals belong to the whole process.
 */
#ifndef WEIR_TUN_H
#define WEIR_TUN_H

#include <poll.h>

#include "weir/stack.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what went wrong -------------------------------------------------------------------------------- */

/* The values are the exit codes of the programs. */
enum weir_fault_kind {
    WEIR_FAULT_NONE = 0,
    WEIR_FAULT_FAILED = 1,  /* an attempt failed that could have worked here */
    WEIR_FAULT_USAGE = 2,   /* the request makes no sense: the caller's mistake */
    WEIR_FAULT_CANNOT = 77  /* this environment does not allow it: no device, no privilege, no namespaces */
};

/* One line without a newline: what, why, and after a semicolon how to mend it. Untouched by a call that succeeds. */
typedef struct weir_fault {
    enum weir_fault_kind kind;
    int error;       /* errno, 0 if there was none */
    char text[320];
} weir_fault;

/* ---- reading and writing what people write --------------------------------------------------------------
 * Parsers take the whole text or nothing. They return NULL and set the value, or else a sentence that says what would
 * have been right, to be printed after the option and the text; then the value is untouched. No locale is looked at. */

WEIR_API const char *weir_parse_percent(const char *text, uint32_t *ppm);      /* "2%" "0.5%" "2" -> parts per million; 0..100% */
WEIR_API const char *weir_parse_duration_us(const char *text, weir_us *us);    /* "20ms" "1.5s" "300us" "2m" "1h" "3": seconds */
WEIR_API const char *weir_parse_rate_bps(const char *text, uint64_t *bps);     /* "10mbit" "1.5gbit" "64kbit" "9600": powers of 1000 */
WEIR_API const char *weir_parse_size(const char *text, uint64_t *octets);      /* "64M" "1G" "4096" "1.5k" "64MiB", powers of 1024 */
WEIR_API const char *weir_parse_count(const char *text, uint64_t max, uint64_t *count); /* decimal, or hexadecimal after 0x */
WEIR_API const char *weir_parse_port(const char *text, uint16_t *port);        /* 1..65535 */
WEIR_API const char *weir_parse_addr(const char *text, weir_addr *addr);       /* "10.0.0.1" "fd00::1" */

/* An address and how many of its bits name the network: of 32 for IPv4, of 128 for IPv6. */
typedef struct weir_prefix {
    weir_addr addr;
    uint8_t len;
} weir_prefix;
WEIR_API const char *weir_parse_prefix(const char *text, weir_prefix *prefix); /* "10.0.0.2/24"; without /: /32 or /128 */

/* One end of a connection: "10.0.0.1:80" "[fd00::1]:80" "*:80" ":80" "80"; an absent address is unspecified (::). */
typedef struct weir_endpoint {
    weir_addr addr;
    uint16_t port;
} weir_endpoint;
WEIR_API const char *weir_parse_endpoint(const char *text, weir_endpoint *endpoint);

/* Text of an address ("10.0.0.1", "fd00::1") or an end ("10.0.0.1:80", "[fd00::1]:80"); they return `text`. */
#define WEIR_ADDR_TEXT 48
#define WEIR_ENDPOINT_TEXT 56
WEIR_API const char *weir_format_addr(char text[WEIR_ADDR_TEXT], const weir_addr *addr);
WEIR_API const char *weir_format_endpoint(char text[WEIR_ENDPOINT_TEXT], const weir_addr *addr, uint16_t port);
/* "64 KiB", "1.25 GiB"; "12.3 Mbit/s"; "850 us", "20.1 ms", "1.5 s". */
#define WEIR_AMOUNT_TEXT 32
WEIR_API const char *weir_format_octets(char text[WEIR_AMOUNT_TEXT], uint64_t octets);
WEIR_API const char *weir_format_rate(char text[WEIR_AMOUNT_TEXT], uint64_t bps);
WEIR_API const char *weir_format_duration(char text[WEIR_AMOUNT_TEXT], weir_us us);

/* ---- the impaired link: one direction, sans IO --------------------------------------------------------------
 * Packets and time go in, the packets that survive come out when they are due. What becomes of the n-th packet depends
 * only on the seed, n and the knobs, never on a clock or on what other knobs drew: switching corruption on does not
 * change which packets are lost. Memory is what the caller gave; a packet that finds none is dropped and counted. */

/* A pattern: from the first packet after the moment on, one packet is dropped, then every `every`-th, until `count` are.
 * The moment: `after_us` since the direction's first packet, and `after_octets` of it gone by. */
typedef struct weir_link_drop {
    uint32_t count, every; /* every: 0 or 1: in a row */
    weir_us after_us;
    uint64_t after_octets;
} weir_link_drop;
#define WEIR_LINK_DROPS_MAX 8

typedef struct weir_link_config {
    uint64_t seed;          /* any; links that shall differ need different seeds */
    uint32_t loss_ppm;      /* of all packets, parts per million (10000 = 1%) */
    uint32_t loss_burst;    /* mean length of a run of losses; 0 or 1: every loss by itself. The share stays loss_ppm */
    uint32_t dup_ppm;       /* sent twice, the copy right behind */
    uint32_t reorder_ppm;   /* held back until 1..reorder_gap later packets have gone, or reorder_us have passed */
    uint32_t reorder_gap;   /* 0: 8 */
    weir_us reorder_us;     /* 0: 20 ms */
    uint32_t corrupt_ppm;   /* one octet changed: one, because the Internet checksum finds every such change */
    weir_us delay_us;       /* one way */
    weir_us jitter_us;      /* up to so much more, evenly spread; it does not reorder: that is reorder's affair */
    uint64_t rate_bps;      /* bits a second of whole packets, 0: no limit */
    uint32_t queue_octets;  /* waiting for the rate at most, then tail drop; 0: 100 ms at the rate, 64 KiB at least */
    uint32_t queue_packets; /* likewise, not counting the one being sent; 0: octets alone count */
    weir_link_drop drops[WEIR_LINK_DROPS_MAX]; /* weir_link_change starts them anew */
    uint32_t drop_count;
} weir_link_config;
WEIR_API void weir_link_config_init(weir_link_config *config); /* a perfect link, seed 1 */
WEIR_API bool weir_link_config_idle(const weir_link_config *config); /* true: a perfect link, nothing to do */

/* Sets one knob by name in the two directions: knob "loss" "dup" "reorder" "corrupt" "delay" "jitter" "rate" "queue"
 * "burst" "drop" (which adds a pattern: "5/2@3s" drops 5, every 2nd, after 3 s; "5/2+300K" after 300 KiB);
 * text "2%" for both, "in:2%" or "out:2%" for one. Returns NULL or a sentence, as parsers do. */
WEIR_API const char *weir_link_parse(weir_link_config *in, weir_link_config *out, const char *knob, const char *text);

/* What became of a packet: bits, 0 = it simply passes. */
enum weir_link_fate {
    WEIR_LINK_LOST = 0x01,
    WEIR_LINK_TAIL = 0x02,      /* dropped: the rate limit's queue is full */
    WEIR_LINK_NO_MEMORY = 0x04, /* dropped: the memory given is full, or the packet is longer than 65535 or empty */
    WEIR_LINK_TWICE = 0x08,
    WEIR_LINK_CORRUPT = 0x10,
    WEIR_LINK_HELD = 0x20,
    WEIR_LINK_PATTERN = 0x40    /* dropped: a pattern says so */
};

typedef struct weir_link_stats {
    uint64_t pushed, popped, octets_pushed, octets_popped;
    uint64_t lost, tail_dropped, no_memory, duplicated, corrupted, reordered, pattern_dropped;
    weir_us pattern_at;           /* when a pattern dropped its first packet; 0: not yet */
    uint32_t queued, queued_peak; /* packets */
} weir_link_stats;

typedef struct weir_link weir_link;
#define WEIR_LINK_PACKET_MAX 65535
#define WEIR_LINK_MEMORY_MIN 262144 /* octets: the least weir_link_init takes */
/* Builds a link in `memory` (aligned to 8), which holds the packets under way too; NULL if len is below
 * WEIR_LINK_MEMORY_MIN or a knob is out of range (more than 1000000 ppm; a rate above 1 Tbit/s; a time above a day). */
WEIR_API weir_link *weir_link_init(void *memory, size_t len, const weir_link_config *config);
/* Changes the knobs of a running link; packets under way keep their time. False, and nothing changed, as above. */
WEIR_API bool weir_link_change(weir_link *link, const weir_link_config *config);
/* One packet enters; it is copied. The fate is for printing. */
WEIR_API unsigned weir_link_push(weir_link *link, const uint8_t *packet, size_t len, weir_us now);
/* The next packet that is due; its length, 0 = none now. cap should be WEIR_LINK_PACKET_MAX: a packet that does not
 * fit is dropped and counted in no_memory. */
WEIR_API size_t weir_link_pop(weir_link *link, uint8_t *packet, size_t cap, weir_us now);
WEIR_API weir_us weir_link_deadline(const weir_link *link); /* when the next packet is due; WEIR_FOREVER: none is under way */
WEIR_API const weir_link_stats *weir_link_get_stats(const weir_link *link);
/* "lost", "held twice", "" for 0. */
WEIR_API const char *weir_link_fate_text(unsigned fate, char text[WEIR_AMOUNT_TEXT]);

/* ---- the capture file: pcapng (draft-ietf-opsawg-pcapng), LINKTYPE_RAW, microseconds ------------------------- */

typedef struct weir_pcapng weir_pcapng;

typedef struct weir_pcapng_about {
    const char *path;         /* "-": standard output */
    const char *interface;    /* name of the interface; may be NULL */
    const char *application;  /* "weir-tun 0.1.0"; may be NULL */
    const char *comment;      /* of the section; may be NULL */
    uint32_t snap_len;        /* octets of each packet kept; 0: all */
    weir_us epoch_us;         /* added to every time: the wall-clock time (Unix, microseconds) of time 0 */
} weir_pcapng_about;

typedef struct weir_pcapng_packet {
    weir_us when;
    bool inbound;             /* into weir */
    const char *comment;      /* may be NULL; shown by Wireshark and tshark (frame.comment) */
} weir_pcapng_packet;

WEIR_API weir_pcapng *weir_pcapng_open(const weir_pcapng_about *about, weir_fault *fault);
/* One packet in up to `count` slices, in order. After a failed write (disk full) packets are only counted: traffic
 * goes on. */
WEIR_API void weir_pcapng_write(weir_pcapng *p, const weir_pcapng_packet *packet, const weir_slice *slices, size_t count);
WEIR_API void weir_pcapng_flush(weir_pcapng *p); /* what is buffered goes to the file */
/* True once, with the fault, after a write has failed. */
WEIR_API bool weir_pcapng_failed(weir_pcapng *p, weir_fault *fault);
/* Packets received by the interface and dropped before the capture, for the statistics block that close writes. */
typedef struct weir_pcapng_totals {
    uint64_t received, dropped;
} weir_pcapng_totals;
/* Writes the statistics, flushes and frees. False if the file is incomplete and weir_pcapng_failed has not said so
 * yet. NULL is fine. `totals` may be NULL: then the packets written and missed. */
WEIR_API bool weir_pcapng_close(weir_pcapng *p, const weir_pcapng_totals *totals, weir_us now, weir_fault *fault);

/* ---- the device ------------------------------------------------------------------------------------------------ */

typedef struct weir_tun weir_tun;

#define WEIR_TUN_ROUTES_MAX 16

/* Super-segments of up to 64 KiB and partial checksums, both ways (Linux: IFF_VNET_HDR, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6). */
enum weir_tun_offload {
    WEIR_OFFLOAD_AUTO, /* where the device has them and no link is impaired */
    WEIR_OFFLOAD_OFF
};

typedef struct weir_tun_config {
    const char *name;         /* of the interface; NULL, "" or "any": the kernel numbers one (weir0, weir1, ...). One that
                               * exists (`ip tuntap add`) is used; if it is up and may not be configured, as it is */
    int fd;                   /* not -1: take over this descriptor instead: a TUN (IFF_NO_PI, perhaps IFF_VNET_HDR) or a socket
                               * that keeps packet boundaries (datagram, seqpacket). Nothing is configured. Closed by
                               * weir_tun_close; it stays the caller's if weir_tun_open fails */
    bool unshare;             /* first go into a network namespace of one's own, and into a user namespace too when not
                               * root; lo comes up */
    uint32_t mtu;             /* 1500; 68..65535, 1280 at least with IPv6 (RFC 8200 5) */
    weir_prefix addr4, addr6; /* weir's own addresses; len 0: not this family. 10.77.0.2/24 and fd77::2/64 */
    weir_addr peer4, peer6;   /* the kernel's; unspecified: the first of the prefix that is not weir's (.1, ::1) */
    weir_prefix routes[WEIR_TUN_ROUTES_MAX]; /* also routed into the device (proxies): needs any_destination in the stack */
    size_t route_count;
    weir_link_config in, out; /* impairment of what goes into weir, and of what comes out; their seeds come from `seed` */
    size_t link_memory;       /* for packets under way, each direction that is impaired; 32 MiB */
    uint8_t offload;          /* enum weir_tun_offload; AUTO */
    uint64_t seed;            /* of the impairments: 0: random (see weir_tun_seed) */
    const char *pcapng;       /* capture file, "-": standard output; NULL: none */
    const char *application;  /* for the capture file */
    unsigned batch;           /* packets moved in, or out, in a turn of the loop at most; 64; in: none after 192 KiB */
} weir_tun_config;
WEIR_API void weir_tun_config_init(weir_tun_config *config);

/* Opens, configures and brings up the device, and opens the capture file. Uses ioctl and rtnetlink itself; needs no
 * other program. WEIR_FAULT_CANNOT: no device, no privilege, no namespaces; the text says what would help. */
WEIR_API weir_tun *weir_tun_open(const weir_tun_config *config, weir_fault *fault);
/* Ends the capture, closes the device, frees the stack and everything else. NULL is fine. False: the capture is
 * incomplete. */
WEIR_API bool weir_tun_close(weir_tun *t, weir_fault *fault);

/* Fills a stack configuration for this device: weir_stack_config_init, then addresses, prefixes, MTU, offloads, any_destination
 * if there are routes, and a secret from the system's random numbers (derived from the seed if config.seed was given:
 * for reproduction, not for the Internet). Change it as you like before weir_tun_start. */
WEIR_API void weir_tun_stack_config(weir_tun *t, weir_stack_config *config);
/* Maps memory for a stack and builds it. WEIR_FAULT_USAGE: the configuration was refused; WEIR_FAULT_FAILED: no
 * memory. */
WEIR_API bool weir_tun_start(weir_tun *t, const weir_stack_config *config, weir_fault *fault);
WEIR_API weir_stack *weir_tun_stack(weir_tun *t); /* NULL before weir_tun_start */

/* Gives up what is not needed once the device is open: as root (and not in a user namespace) becomes SUDO_UID, or
 * nobody without sudo; empties all capability sets; sets no_new_privs. Fork what needs privileges (or a child in the
 * namespace) before this. `t` may be NULL: it is the process that gives up. */
WEIR_API bool weir_tun_drop_privileges(weir_tun *t, weir_fault *fault);

WEIR_API const char *weir_tun_name(const weir_tun *t); /* of the interface; "fd 5" for a socket */
WEIR_API int weir_tun_fd(const weir_tun *t);
WEIR_API uint32_t weir_tun_mtu(const weir_tun *t);
WEIR_API bool weir_tun_offloads(const weir_tun *t); /* packets are larger than the MTU now */
WEIR_API uint64_t weir_tun_seed(const weir_tun *t); /* the one in use: print it, so that a run can be repeated */
/* The address that the other end of a link has if none is named: the first of the prefix that is not one's own. */
WEIR_API weir_addr weir_tun_default_peer(const weir_prefix *own);
/* The kernel's address on the link (a program's "connect to me here" needs weir's own: weir_stack_get_config). */
WEIR_API weir_addr weir_tun_peer4(const weir_tun *t);
WEIR_API weir_addr weir_tun_peer6(const weir_tun *t);

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

WEIR_API weir_us weir_tun_now(void);  /* CLOCK_MONOTONIC, microseconds: the clock of everything here */

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGUSR1 and hands them to weir_tun_step instead; ignores SIGPIPE. Children
 * inherit the mask: call weir_tun_signals_restore in a child before exec. */
WEIR_API bool weir_tun_signals(weir_tun *t, weir_fault *fault);
WEIR_API void weir_tun_signals_restore(void);

/* What a step saw: bits. */
enum weir_tun_happened {
    WEIR_TUN_PACKETS = 0x01, /* packets went into the stack */
    WEIR_TUN_FDS = 0x02,     /* one of the caller's descriptors is ready: see its revents */
    WEIR_TUN_QUIT = 0x04,    /* SIGINT, SIGTERM or SIGHUP came: close gracefully */
    WEIR_TUN_DUMP = 0x08,    /* SIGUSR1 came */
    WEIR_TUN_GONE = 0x10,    /* the device is gone for good: weir_tun_trouble says why */
    WEIR_TUN_UNTIL = 0x20    /* the caller's time was reached */
};

/* Waits until the device has packets, the stack's deadline or the links' is reached, one of `fds` is ready, a signal
 * comes, or `until` (WEIR_FOREVER: no limit; 0: do not wait); then moves a batch of packets into the stack and lets
 * its time pass. Does not wait while the last weir_tun_flush left something that could be sent. revents of fds is set
 * every time. Needs weir_tun_start. */
WEIR_API unsigned weir_tun_step(weir_tun *t, struct pollfd *fds, size_t count, weir_us until);
/* Moves a batch of packets out of the stack: to be called after everything that touched a connection, at least once a
 * turn. A device that takes no more keeps its packet for the next turn. True: nothing is left; false: the next step
 * will not wait, or waits for the device. */
WEIR_API bool weir_tun_flush(weir_tun *t);

/* Something to tell people that did not stop traffic (capture file full) or did (device gone): true once for each. */
WEIR_API bool weir_tun_trouble(weir_tun *t, weir_fault *fault);

typedef struct weir_tun_stats {
    uint64_t packets_in, octets_in;   /* read from the device */
    uint64_t packets_out, octets_out; /* written to it */
    uint64_t supers_in, supers_out;   /* of them, those of several segments */
    uint64_t joined;                  /* single packets that went into the stack with the one before them */
    uint64_t reads, writes, polls;    /* system calls */
    uint64_t write_again;             /* the device took no more: the packet was kept */
    uint64_t write_dropped;           /* the device refused a packet (interface down, no buffers) */
    uint64_t captured;                /* packets in the capture file */
    weir_link_stats in, out;          /* all 0 where nothing is impaired */
} weir_tun_stats;
WEIR_API void weir_tun_get_stats(const weir_tun *t, weir_tun_stats *stats);
/* Changes the impairment of a running device; the seeds stay. WEIR_FAULT_USAGE: out of range. */
WEIR_API bool weir_tun_impair(weir_tun *t, const weir_link_config *in, const weir_link_config *out, weir_fault *fault);

/* ---- a wire: two ends with an impaired link each way between them, and no stack of weir's ------------------
 * An end is a TUN device in a network namespace, so that the kernel is the host there, or a socket for a program that
 * brings its own TCP (weir_tun_config.fd). Whatever speaks at the two ends meets the same impairment. */

enum weir_wire_end { WEIR_WIRE_LEFT, WEIR_WIRE_RIGHT, WEIR_WIRE_ENDS };

typedef struct weir_wire_side {
    const char *netns;         /* a namespace's file ("/run/netns/a", "/proc/7/ns/net"); NULL: a new one */
    bool socket;               /* no device: see weir_wire_socket */
    weir_prefix addr4, addr6;  /* the host's; len 0 on both sides: not this family */
    const char *pcapng;        /* capture file, as this end sees it; NULL: none */
} weir_wire_side;

typedef struct weir_wire_config {
    weir_wire_side side[WEIR_WIRE_ENDS]; /* left 10.77.0.2/24 and fd77::2/64, right 10.77.0.1 and fd77::1 */
    weir_link_config to[WEIR_WIRE_ENDS]; /* what happens on the way to that end; seeds come from `seed` */
    const char *name;          /* of the devices, as weir_tun_config.name */
    uint32_t mtu;              /* 1500 */
    size_t link_memory;        /* for packets under way, each direction; 32 MiB */
    uint64_t seed;             /* 0: random */
    const char *application;   /* for capture files */
} weir_wire_config;
WEIR_API void weir_wire_config_init(weir_wire_config *config);

typedef struct weir_wire weir_wire;
/* Makes and enters the namespaces (this process stays in the right one), makes the devices and brings them up, takes
 * the signals that weir_tun_signals takes. Faults as weir_tun_open has them. */
WEIR_API weir_wire *weir_wire_open(const weir_wire_config *config, weir_fault *fault);
/* Ends the captures and takes everything down. NULL is fine. False: a capture is incomplete. */
WEIR_API bool weir_wire_close(weir_wire *w, weir_fault *fault);
/* The calling process, in general a child, goes into the namespace of an end. */
WEIR_API bool weir_wire_enter(const weir_wire *w, enum weir_wire_end which, weir_fault *fault);
/* The program's end of a side that is a socket; -1: it is a device. For a child: closed by exec unless told otherwise. */
WEIR_API int weir_wire_socket(const weir_wire *w, enum weir_wire_end which);
/* The children have them: closes them here, so that the wire sees it when a program ends. */
WEIR_API void weir_wire_sockets_given(weir_wire *w);
/* A descriptor that shall end the wait, once, when it is readable (WEIR_TUN_FDS): a pidfd. */
WEIR_API bool weir_wire_watch(weir_wire *w, int fd);
/* Waits, and moves packets; the bits of enum weir_tun_happened. */
WEIR_API unsigned weir_wire_step(weir_wire *w, weir_us until);
/* As weir_tun_trouble. */
WEIR_API bool weir_wire_trouble(weir_wire *w, weir_fault *fault);

/* The way to one end. Lateness is what the machine adds: packets that left the link later than they were due. */
typedef struct weir_wire_end_stats {
    weir_link_stats link;
    uint64_t delivered, refused;        /* packets that the end took, and refused (interface down, program ended) */
    uint64_t late_sum_us, late_ms;      /* of all packets; packets that were a millisecond late or more */
    weir_us late_max_us;
} weir_wire_end_stats;
WEIR_API void weir_wire_get_stats(const weir_wire *w, weir_wire_end_stats stats[WEIR_WIRE_ENDS]);
WEIR_API uint64_t weir_wire_seed(const weir_wire *w);
WEIR_API const char *weir_wire_name(const weir_wire *w, enum weir_wire_end which); /* of the interface */

/* ---- what this machine allows (doctor) ---------------------------------------------------------------- */

enum weir_tun_check {
    WEIR_CHECK_DEVICE,      /* /dev/net/tun can be opened */
    WEIR_CHECK_CREATE,      /* an interface can be made in the present namespace */
    WEIR_CHECK_NETNS,       /* a network namespace can be made without a user namespace */
    WEIR_CHECK_USERNS,      /* a user namespace with a network namespace can be made */
    WEIR_CHECK_UNSHARE,     /* an interface can be made and brought up, with addresses of both families, by config.unshare */
    WEIR_CHECK_COUNT
};
WEIR_API const char *weir_tun_check_name(enum weir_tun_check check); /* "tun-device" */
WEIR_API const char *weir_tun_check_says(enum weir_tun_check check); /* what it means, in words */
/* Tries it in a child process, so that the caller stays where it is. False: *fault says why not and what would help. */
WEIR_API bool weir_tun_check(enum weir_tun_check check, weir_fault *fault);

#ifdef __cplusplus
}
#endif
#endif /* WEIR_TUN_H */
