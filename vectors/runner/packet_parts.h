/* packet_parts.h - what the files packet_*.c share: octets, bounded text, one option as octets, the words of ICMP. */
#ifndef WEIR_VECTORS_PACKET_PARTS_H
#define WEIR_VECTORS_PACKET_PARTS_H

#include "packet.h"

/* The header's flags, told again here: the vectors do not lean on the code that they test. */
enum packet_flag {
    PACKET_FIN = 0x001,
    PACKET_SYN = 0x002,
    PACKET_RST = 0x004,
    PACKET_PSH = 0x008,
    PACKET_ACK = 0x010,
    PACKET_URG = 0x020,
    PACKET_ECE = 0x040,
    PACKET_CWR = 0x080,
    PACKET_AE = 0x100
};

enum { PACKET_TCP = 6, PACKET_ICMP4 = 1, PACKET_ICMP6 = 58 };
enum packet_option_number {
    PACKET_OPT_EOL = 0,
    PACKET_OPT_NOP = 1,
    PACKET_OPT_MSS = 2,
    PACKET_OPT_WSCALE = 3,
    PACKET_OPT_SACK_OK = 4,
    PACKET_OPT_SACK = 5,
    PACKET_OPT_TS = 8,
    PACKET_OPT_MD5 = 19,
    PACKET_OPT_FO = 34,
    PACKET_OPT_ACCECN0 = 172,
    PACKET_OPT_ACCECN1 = 174,
    PACKET_OPT_EXPERIMENT = 254
};

/* Text that is cut at its end, never past it. */
struct packet_text {
    char *at;
    size_t cap, len;
};
void packet_text_add(struct packet_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline uint16_t packet_get16(const uint8_t *o)
{
    return (uint16_t)(o[0] << 8 | o[1]);
}

static inline uint32_t packet_get32(const uint8_t *o)
{
    return (uint32_t)packet_get16(o) << 16 | packet_get16(o + 2);
}

static inline void packet_put16(uint8_t *o, uint32_t value)
{
    o[0] = (uint8_t)(value >> 8);
    o[1] = (uint8_t)value;
}

static inline void packet_put32(uint8_t *o, uint32_t value)
{
    packet_put16(o, value >> 16);
    packet_put16(o + 2, value);
}

/* RFC 1071's sum, not folded: start with 0 or another sum. Pieces but the last have an even length. */
uint64_t packet_sum(uint64_t sum, const uint8_t *octets, size_t len);
uint16_t packet_sum_fold(uint64_t sum); /* and complemented: the field's value; 0 if a sum over a good packet */
/* The pseudo-header of TCP and ICMPv6. */
uint64_t packet_sum_pseudo(bool v6, const uint8_t *source, const uint8_t *destination, uint8_t protocol, size_t len);

/* One option as octets, with its numbers as they stand in it; their count, 0 and a reason if it cannot be written. */
int packet_option_encode(const struct script_option *o, uint8_t octets[40], char *why, size_t why_cap);
/* An option of a script in live numbers. `seen`: of the packet that it is compared with; NULL: to be sent. */
struct script_option packet_option_live(const struct script_option *o, const struct script_packet *p, const struct packet_space *space,
                                        const struct packet *seen);
const struct script_option *packet_option_find(const struct script_option *options, int count, enum script_option_kind kind);
void packet_print_options(struct packet_text *t, const struct script_option *options, int count);
void packet_print_flags(struct packet_text *t, unsigned flags, bool ace);

/* Type and code of an ICMP packet in numbers; false with a reason for a word that this version of IP does not have. */
bool packet_icmp_numbers(const struct script_packet *p, bool v6, int *type, int *code, char *why, size_t why_cap);
/* The script's word, or NULL. */
const char *packet_icmp_type_word(bool v6, int type);
const char *packet_icmp_code_word(bool v6, int type, int code);

/* Why a packet of a script cannot be had at all; NULL if it can. */
const char *packet_refused(const struct script_packet *p, bool v6);

#endif
