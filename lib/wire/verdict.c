/* verdict.c - the names of enum weir_verdict and the sentences that go with them. Knows no packet. One list, and switches
 * made of it rather than tables of pointers: those would need relocation, and so writable data, in a shared object. */
#include "wire/wire.h"

#define VERDICT_LIST(X)                                                                                               \
    X(WEIR_OK, "ok", "Accepted.")                                                                                      \
    X(WEIR_IP_TRUNCATED, "ip-truncated",                                                                               \
      "The packet is shorter than its IP header, or than the length the header states (RFC 791 3.1, RFC 8200 3).")     \
    X(WEIR_IP_VERSION, "ip-version", "The IP version is neither 4 nor 6 (RFC 1122 3.2.1.1, RFC 8200 3).")               \
    X(WEIR_IP_HEADER_LENGTH, "ip-header-length", "The IPv4 header length is below 5 words or past the packet (RFC 791 3.1).") \
    X(WEIR_IP_TOTAL_LENGTH, "ip-total-length", "The IPv4 total length is shorter than the header (RFC 791 3.1).")      \
    X(WEIR_IP_CHECKSUM, "ip-checksum", "The IPv4 header checksum is wrong (RFC 1122 3.2.1.2).")                         \
    X(WEIR_IP_FRAGMENT, "ip-fragment", "A fragment; weir does not reassemble IP packets (RFC 791 3.2, RFC 8200 4.5).") \
    X(WEIR_IP_OPTION, "ip-option", "An IPv4 option has an impossible length, or is a source route (RFC 7126 4.3, 4.4).") \
    X(WEIR_IP_EXTENSION, "ip-extension",                                                                               \
      "The chain of IPv6 extension headers is malformed, too long, or holds what stops the packet (RFC 8200 4).")      \
    X(WEIR_IP_PROTOCOL, "ip-protocol", "The payload is neither TCP nor the ICMP of this family.")                      \
    X(WEIR_IP_SOURCE, "ip-source", "The source address cannot be a peer (RFC 9293 3.9.2.3, MUST-63).")                 \
    X(WEIR_IP_DESTINATION, "ip-destination",                                                                           \
      "The destination is a broadcast or multicast address (MUST-57), or none of ours.")                               \
    X(WEIR_ICMP_TRUNCATED, "icmp-truncated",                                                                           \
      "The ICMP message is shorter than its header or the quotation it needs (RFC 792, RFC 4443 2.1).")                \
    X(WEIR_ICMP_CHECKSUM, "icmp-checksum", "The ICMP checksum is wrong (RFC 792, RFC 4443 2.3).")                      \
    X(WEIR_ICMP_UNKNOWN, "icmp-unknown", "An ICMP type that asks nothing of TCP (RFC 9293 3.9.2.2, MUST-55).")         \
    X(WEIR_ICMP_UNMATCHED, "icmp-unmatched",                                                                           \
      "The ICMP error quotes no connection of ours, or a sequence number not in flight (RFC 5927 4.1).")               \
    X(WEIR_TCP_TRUNCATED, "tcp-truncated", "The segment is shorter than the fixed TCP header (RFC 9293 3.1).")         \
    X(WEIR_TCP_CHECKSUM, "tcp-checksum", "The TCP checksum is wrong (RFC 9293 3.1, MUST-3).")                          \
    X(WEIR_TCP_DATA_OFFSET, "tcp-data-offset", "The data offset is below 5 words or past the segment (RFC 9293 3.1).") \
    X(WEIR_TCP_OPTION_LENGTH, "tcp-option-length",                                                                     \
      "A TCP option has a length of 0 or 1, or goes past the header (RFC 9293 3.2, MUST-7).")                          \
    X(WEIR_TCP_OPTION_SIZE, "tcp-option-size", "A TCP option of a fixed size has another size (RFC 9293 3.2).")        \
    X(WEIR_TCP_PORT, "tcp-port", "A port is 0, which is reserved (RFC 6335 6).")                                       \
    X(WEIR_NO_CONNECTION, "no-connection", "Nobody has these sockets or listens there (RFC 9293 3.10.7.1).")           \
    X(WEIR_LAND, "land", "Source and destination are the same socket (RFC 9293 3.9.2.3).")                             \
    X(WEIR_BACKLOG_FULL, "backlog-full", "There are as many half-open connections as allowed (RFC 4987 3.2).")         \
    X(WEIR_NO_ROOM, "no-room", "No connection record or buffer is free.")                                              \
    X(WEIR_IN_TIME_WAIT, "in-time-wait", "Dealt with by a connection in TIME-WAIT (RFC 9293 3.10.7.4, RFC 6191).")

#define VERDICT_NAME(verdict, name, reason)                                                                            \
    case verdict:                                                                                                      \
        return name;
#define VERDICT_REASON(verdict, name, reason)                                                                          \
    case verdict:                                                                                                      \
        return reason;

WEIR_API const char *weir_verdict_name(enum weir_verdict verdict)
{
    switch (verdict) {
        VERDICT_LIST(VERDICT_NAME)
    case WEIR_VERDICT_COUNT:
    default:
        return "unknown";
    }
}

WEIR_API const char *weir_verdict_reason(enum weir_verdict verdict)
{
    switch (verdict) {
        VERDICT_LIST(VERDICT_REASON)
    case WEIR_VERDICT_COUNT:
    default:
        return "No verdict has this number.";
    }
}

#undef VERDICT_LIST
#undef VERDICT_NAME
#undef VERDICT_REASON
