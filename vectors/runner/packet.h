/* packet.h - segments between three forms: the script's, octets, and fields. Knows no script's course and no target. */
#ifndef WEIR_VECTORS_PACKET_H
#define WEIR_VECTORS_PACKET_H

#include "script.h"
#include "target.h"

/* A packet in fields, sequence numbers absolute. For TCP the options are as octets and as the script's words. */
struct packet {
    bool v6, outbound;       /* outbound: from the stack under test */
    enum script_proto proto;
    int tos, ttl;
    uint32_t flowlabel;
    uint16_t source_port, destination_port;
    uint16_t flags;          /* enum weir_flag */
    uint8_t reserved;        /* the three reserved bits */
    uint32_t seq, ack, len;  /* len: payload octets */
    uint16_t win, urg;
    struct script_option options[SCRIPT_OPTIONS_MAX];
    int option_count;
    uint8_t option_octets[40];
    int option_len;
    bool options_bad;        /* the options end in the middle of one: `options` holds those before it */
    bool payload_zero;       /* every payload octet is 0 */
    int icmp_type, icmp_code;
    uint32_t icmp_mtu;
    uint32_t quote_seq;
    uint16_t quote_source_port, quote_destination_port;
};

/* How the script's numbers lie on the live ones. An ISN is known once `known`; live = script + base. */
struct packet_space {
    bool in_known, out_known;    /* the peer's (script's) and the stack's sequence numbers */
    uint32_t in_base, out_base;
    bool ts_known;               /* first outbound TS val fixes the mapping: live = script + ts_base */
    uint32_t ts_base;
    struct { uint32_t script, live; } ts_seen[64]; /* the last live value of each scripted one; a ring */
    unsigned ts_seen_count;
    int64_t ts_tick_us, ts_tolerance_us; /* later TS vals are compared too, with this clock; tick 0: they are not (packetdrill's default) */
    bool exact_echo;             /* an outbound ecr is compared (vectors with a head); packetdrill never does */
    uint16_t local_port, remote_port;
};

/* Script packet -> octets of an IP packet to inject; length, or 0 with a reason. Payload octets are 0 as packetdrill's are.
 * A scripted ecr becomes the live value last seen for it. An inbound packet without `win` has window 0. */
size_t packet_build(const struct script_packet *p, const struct packet_space *space, const struct target_world *world,
                    uint8_t *octets, size_t cap, char *why, size_t why_cap);
/* Octets -> fields; false with a reason if it is not a good IP packet with a good checksum. */
bool packet_read(struct packet *p, const uint8_t *octets, size_t len, const struct target_world *world, char *why, size_t why_cap);

/* The same thing to the letter, in meaning only, or not. */
enum packet_match { PACKET_DIFFERS, PACKET_SAME_MEANING, PACKET_SAME };
/* Compares what was seen with what the script says; the reason names each field that differs, expected and seen.
 * Literally: everything PACKETDRILL's comparison looks at. In meaning: options as a set, any window scale, PSH left out,
 * the window only where written, NOP and EOL left out. A wrong checksum, length or payload is never the same. */
enum packet_match packet_compare(const struct script_packet *expected, const struct packet *seen,
                                 const struct packet_space *space, char *why, size_t cap);

/* What an outbound packet that was matched teaches: the stack's ISN from a SYN, the live timestamp behind a scripted one. */
void packet_learn(struct packet_space *space, const struct script_packet *expected, const struct packet *seen);

/* In the script's own notation, relative numbers where a base is known: "> S. 0:0(0) ack 1 win 65535 <mss 1460,nop,wscale 8>". */
void packet_print(const struct packet *p, const struct packet_space *space, char *text, size_t cap);
void packet_print_script(const struct script_packet *p, char *text, size_t cap);

#endif
