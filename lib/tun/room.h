/* room.h - what the files of the adapter share. Not installed.
 *
 * tun.c        the object: open, close, statistics          loop.c      waiting, packets in, packets out
 * device.c     /dev/net/tun and adopted descriptors         netlink.c   addresses, routes, up: rtnetlink
 * namespace.c  user and network namespaces                  privilege.c giving up what is not needed
 * doctor.c     what this machine allows                     trace.c     packets and state changes into the capture
 * offload.c    the header in front of packets        gro.c       joining segments
 * wire.c       two devices and a link between them          signals.c   signals as a descriptor
 * link.c       the impaired link, sans IO                   pcapng.c    the capture file
 * parse.c, format.c  text of people                         fault.c     one line that says what, why and how to mend it
 */
#ifndef WEIRI_ROOM_H
#define WEIRI_ROOM_H

#include "weir/tun.h"

#define WEIRI_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

/* Fills a fault with "what: why; how to mend it" and returns false, so that a caller can return it. `error` is an
 * errno, 0 if there is none; `mend` may be NULL; the format says what. */
bool weiri_fault(weir_fault *fault, enum weir_fault_kind kind, int error, const char *mend, const char *format, ...)
    WEIRI_PRINTF(5, 6);

/* A keyed 64-bit mix (splitmix64's finalizer over both): seeds from seeds. */
uint64_t weiri_mix(uint64_t seed, uint64_t salt);

/* ---- device.c: a descriptor that carries packets ---- */
struct weiri_device {
    int fd;
    bool tun;         /* else a socket */
    bool vnet;        /* each packet has a header of offload.c in front */
    char name[16];    /* IFNAMSIZ */
};
int weiri_device_open(weir_fault *fault); /* /dev/net/tun; -1: see the fault */
/* `vnet`: with that header, if the kernel has it. */
bool weiri_device_create(struct weiri_device *device, const char *name, bool vnet, weir_fault *fault);
bool weiri_device_adopt(struct weiri_device *device, int fd, weir_fault *fault);
/* From now on the kernel may give super-segments and partial checksums, or not any more. False: it has neither. */
bool weiri_device_offload(const struct weiri_device *device, bool on);

/* ---- offload.c ---- */
#define WEIRI_VNET_HEADER 10u
#define WEIRI_TCP_CHECKSUM_AT 16u
weir_offload weiri_offload_read(const uint8_t octets[WEIRI_VNET_HEADER]);
void weiri_offload_write(uint8_t octets[WEIRI_VNET_HEADER], const weir_out *out);
/* Completes a partial checksum of what begins at `start`; the field is `offset` further. The other one: if the header says so. */
void weiri_offload_complete(uint8_t *packet, size_t len, size_t start, size_t offset);
void weiri_offload_complete_read(const uint8_t octets[WEIRI_VNET_HEADER], uint8_t *packet, size_t len);

/* ---- gro.c ---- */
#define WEIRI_GRO_MAX 65535u
struct weiri_gro {
    uint32_t len;              /* of the packet that is being collected, at the beginning of `octets`; 0: none */
    uint32_t ip_len, header_len, size, count; /* of its headers, of the text of each segment; so many of them */
    weir_seq next;             /* the number of what would follow */
    bool open;                 /* something may follow */
    uint8_t octets[2 * (WEIRI_GRO_MAX + 1)];
};
struct weiri_gro_packet {
    weir_view view;
    uint32_t ip_len, header_len;
};
uint8_t *weiri_gro_room(struct weiri_gro *g); /* the next packet is read to here: 65536 octets */
/* What became of it. TAKEN: it is collected. The others first ask for weiri_gro_take, which leaves it where it is; then NEXT may
 * be moved to weiri_gro_room and added again, and APART is nothing that can be joined. */
enum weiri_gro_fate { WEIRI_GRO_TAKEN, WEIRI_GRO_NEXT, WEIRI_GRO_APART };
enum weiri_gro_fate weiri_gro_add(struct weiri_gro *g, size_t len, const weir_offload *offload);
/* What was collected, from g->octets on: its length, 0: nothing. It is good until the next packet is moved or read there. */
size_t weiri_gro_take(struct weiri_gro *g, weir_offload *offload);

/* ---- netlink.c ---- */
struct weiri_address {
    weir_prefix own;  /* weir's, with the length of the network */
    weir_addr peer;   /* the kernel's */
};
struct weiri_interface {
    const char *name;
    uint32_t mtu;
    const struct weiri_address *addresses;
    size_t address_count;
    const weir_prefix *routes;
    size_t route_count;
    uint32_t queue;   /* packets that may wait in the device; 0: as many as the kernel likes (500) */
};
bool weiri_interface_up(const struct weiri_interface *interface, weir_fault *fault);
bool weiri_loopback_up(weir_fault *fault);

/* ---- namespace.c ---- */
bool weiri_namespace_enter(weir_fault *fault);   /* as config.unshare says */
bool weiri_namespace_net(weir_fault *fault);     /* CLONE_NEWNET alone */
bool weiri_namespace_user(weir_fault *fault);    /* CLONE_NEWUSER and CLONE_NEWNET, uid and gid mapped to 0 */
bool weiri_namespace_is_user(void);              /* true where uid 0 is not the machine's */

/* ---- signals.c ---- */
bool weiri_signals_take(int *fd, weir_fault *fault); /* blocks them; *fd (-1, or one to change) says when one came */
unsigned weiri_signals_read(int fd);                 /* WEIR_TUN_QUIT, WEIR_TUN_DUMP */

/* ---- privilege.c ---- */
bool weiri_privilege_drop(weir_fault *fault);

/* ---- tun.c, loop.c, trace.c ---- */
#define WEIRI_OCTETS_MAX 65536 /* any IP packet, and one more: longer ones show */

struct weiri_way {             /* one direction */
    weir_link *link;           /* NULL: a perfect link */
    void *memory;
    size_t memory_len;
    weir_link_config config;   /* its seed is the one in use */
};

bool weiri_way_open(struct weiri_way *way, const weir_link_config *config, uint64_t seed, size_t memory, weir_fault *fault);
void weiri_way_close(struct weiri_way *way);
bool weiri_seed(uint64_t *seed, weir_fault *fault); /* 0 becomes a random one */

struct weir_tun {
    struct weiri_device device;
    weir_stack *stack;
    void *stack_memory;
    size_t stack_len;
    struct weiri_way in, out;
    weir_pcapng *pcapng;
    int signals;               /* signalfd, -1: none */
    uint32_t mtu;
    unsigned batch;
    uint64_t seed;
    bool seed_given, any_destination, gone, more;
    bool offload;              /* super-segments and partial checksums, both ways */
    struct weiri_address addresses[2];
    size_t address_count;
    weir_addr peer4, peer6;
    weir_tun_stats stats;
    weir_fault trouble;        /* kind NONE: none to tell */
    weir_us flushed_at;        /* the last flush of the capture file, and what was in it then */
    uint64_t flushed_count;
    uint32_t held_len;         /* a packet that the device would not take yet, in `held` */
    uint8_t held_header[WEIRI_VNET_HEADER];
    struct pollfd *polls;      /* room for the caller's descriptors and ours */
    size_t poll_cap;
    uint8_t packet[WEIRI_OCTETS_MAX];
    uint8_t held[WEIRI_OCTETS_MAX];
    struct weiri_gro gro;
};

/* Into the capture: a packet that the stack was given, and its verdict; a packet that it sent, and what the link did
 * to it. */
void weiri_trace_in(weir_tun *t, const weir_slice *packet, uint16_t gso_size, enum weir_verdict verdict, weir_us now);
struct weiri_sent {
    uint16_t gso_size;
    bool again;
    unsigned fate; /* of the link */
};
void weiri_trace_out(weir_tun *t, const weir_slice *packet, const struct weiri_sent *sent, weir_us now);

#endif /* WEIRI_ROOM_H */
