/* room.h - what the files of the adapter share. Not installed.
 *
 * tun.c        the object: open, close, statistics          loop.c      waiting, packets in, packets out
 * device.c     /dev/net/tun and adopted descriptors         netlink.c   addresses, routes, up: rtnetlink
 * namespace.c  user and network namespaces                  privilege.c giving up what is not needed
 * doctor.c     what this machine allows                     trace.c     packets and state changes into the capture
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
    char name[16];    /* IFNAMSIZ */
};
int weiri_device_open(weir_fault *fault); /* /dev/net/tun; -1: see the fault */
bool weiri_device_create(struct weiri_device *device, const char *name, weir_fault *fault);
bool weiri_device_adopt(struct weiri_device *device, int fd, weir_fault *fault);

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
    struct weiri_address addresses[2];
    size_t address_count;
    weir_addr peer4, peer6;
    weir_tun_stats stats;
    weir_fault trouble;        /* kind NONE: none to tell */
    weir_us flushed_at;        /* the last flush of the capture file, and what was in it then */
    uint64_t flushed_count;
    uint32_t held_len;         /* a packet that the device would not take yet, in `held` */
    struct pollfd *polls;      /* room for the caller's descriptors and ours */
    size_t poll_cap;
    uint8_t packet[WEIRI_OCTETS_MAX];
    uint8_t held[WEIRI_OCTETS_MAX];
};

/* Into the capture: a packet that the stack was given, and its verdict; a packet that it sent, and what the link did
 * to it. */
void weiri_trace_in(weir_tun *t, const uint8_t *packet, size_t len, enum weir_verdict verdict, weir_us now);
void weiri_trace_out(weir_tun *t, const weir_out *out, bool again, unsigned fate, weir_us now);

#endif /* WEIRI_ROOM_H */
