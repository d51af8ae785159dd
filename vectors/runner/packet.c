/* packet.c - what the other packet_*.c share: sums, options as octets, the words of ICMP, what a match teaches. */
#include "packet_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void packet_text_add(struct packet_text *t, const char *format, ...)
{
    va_list args;
    int len;

    if (t->len + 1 >= t->cap)
        return;
    va_start(args, format);
    len = vsnprintf(t->at + t->len, t->cap - t->len, format, args);
    va_end(args);
    if (len > 0)
        t->len += (size_t)len < t->cap - t->len ? (size_t)len : t->cap - t->len - 1;
}

uint64_t packet_sum(uint64_t sum, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += packet_get16(octets + i);
    if (len % 2 != 0)
        sum += (uint64_t)octets[len - 1] << 8;
    return sum;
}

uint16_t packet_sum_fold(uint64_t sum)
{
    while (sum >> 16 != 0) /* ends: each turn makes it smaller */
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum ^ 0xffff);
}

uint64_t packet_sum_pseudo(bool v6, const uint8_t *source, const uint8_t *destination, uint8_t protocol, size_t len)
{
    size_t address = v6 ? 16 : 4;

    return packet_sum(packet_sum((uint64_t)protocol + len, source, address), destination, address);
}

/* Kind, length, and `len` octets; or a reason. */
static int option_plain(uint8_t *octets, unsigned kind, const uint8_t *data, int len, char *why, size_t why_cap)
{
    if (len < 0 || len > 38) {
        snprintf(why, why_cap, "an option with %d octets does not fit a TCP header", len);
        return 0;
    }
    octets[0] = (uint8_t)kind;
    octets[1] = (uint8_t)(len + 2);
    if (len > 0)
        memcpy(octets + 2, data, (size_t)len);
    return len + 2;
}

static int option_sack(const struct script_option *o, uint8_t *octets)
{
    octets[0] = PACKET_OPT_SACK;
    octets[1] = (uint8_t)(2 + 8 * o->sack_count);
    for (int i = 0; i < o->sack_count; i++) {
        packet_put32(octets + 2 + 8 * i, o->sack[i][0]);
        packet_put32(octets + 6 + 8 * i, o->sack[i][1]);
    }
    return octets[1];
}

static int option_experiment(const struct script_option *o, uint8_t *octets, char *why, size_t why_cap)
{
    uint8_t data[42] = {0xf9, 0x89};

    if (o->octet_count > 0)
        memcpy(data + 2, o->octets, (size_t)o->octet_count);
    return option_plain(octets, PACKET_OPT_EXPERIMENT, data, o->octet_count + 2, why, why_cap);
}

int packet_option_encode(const struct script_option *o, uint8_t octets[40], char *why, size_t why_cap)
{
    uint8_t number[8];

    switch (o->kind) {
    case SCRIPT_OPT_NOP:
    case SCRIPT_OPT_EOL:
        octets[0] = o->kind == SCRIPT_OPT_NOP ? PACKET_OPT_NOP : PACKET_OPT_EOL;
        return 1;
    case SCRIPT_OPT_MSS:
        packet_put16(number, o->value);
        return option_plain(octets, PACKET_OPT_MSS, number, 2, why, why_cap);
    case SCRIPT_OPT_WSCALE:
        number[0] = (uint8_t)o->value;
        return option_plain(octets, PACKET_OPT_WSCALE, number, 1, why, why_cap);
    case SCRIPT_OPT_SACK_OK:
        return option_plain(octets, PACKET_OPT_SACK_OK, NULL, 0, why, why_cap);
    case SCRIPT_OPT_SACK:
        return option_sack(o, octets);
    case SCRIPT_OPT_TS:
        packet_put32(number, o->value);
        packet_put32(number + 4, o->echo);
        return option_plain(octets, PACKET_OPT_TS, number, 8, why, why_cap);
    case SCRIPT_OPT_MD5:
        if (o->octet_count == 0) {
            snprintf(why, why_cap, "md5 digests are not supported: only md5 with its octets");
            return 0;
        }
        return option_plain(octets, PACKET_OPT_MD5, o->octets, o->octet_count, why, why_cap);
    case SCRIPT_OPT_FO:
        return option_plain(octets, PACKET_OPT_FO, o->octets, o->octet_count, why, why_cap);
    case SCRIPT_OPT_FOEXP:
        return option_experiment(o, octets, why, why_cap);
    case SCRIPT_OPT_ACCECN:
        return option_plain(octets, o->raw_kind != 0 ? o->raw_kind : PACKET_OPT_ACCECN0, o->octets, o->octet_count, why, why_cap);
    case SCRIPT_OPT_RAW:
        return option_plain(octets, o->raw_kind, o->octets, o->octet_count, why, why_cap);
    }
    snprintf(why, why_cap, "an option of no known kind");
    return 0;
}

const struct script_option *packet_option_find(const struct script_option *options, int count, enum script_option_kind kind)
{
    for (int i = 0; i < count; i++)
        if (options[i].kind == kind)
            return &options[i];
    return NULL;
}

/* The live value that was sent last as the scripted `value`. */
static uint32_t packet_ts_live(const struct packet_space *space, uint32_t value)
{
    unsigned cap = sizeof space->ts_seen / sizeof *space->ts_seen;
    unsigned count = space->ts_seen_count < cap ? space->ts_seen_count : cap;

    for (unsigned i = 1; i <= count; i++) {
        unsigned at = (space->ts_seen_count - i) % cap;
        if (space->ts_seen[at].script == value)
            return space->ts_seen[at].live;
    }
    return space->ts_known && value != 0 ? value + space->ts_base : value;
}

/* A scripted timestamp of an outbound packet, as it should be seen. */
static void packet_ts_expected(struct script_option *o, const struct packet_space *space, const struct packet *seen)
{
    const struct script_option *ts = packet_option_find(seen->options, seen->option_count, SCRIPT_OPT_TS);

    if (ts == NULL)
        return;
    if (!space->exact_echo)
        o->echo = ts->echo;
    if (space->ts_tick_us == 0 || !space->ts_known) {
        o->value = ts->value;
    } else {
        int64_t off = (int32_t)(ts->value - (o->value + space->ts_base));
        if (llabs(off) * space->ts_tick_us <= space->ts_tolerance_us)
            o->value = ts->value;
        else
            o->value += space->ts_base;
    }
}

struct script_option packet_option_live(const struct script_option *o, const struct script_packet *p, const struct packet_space *space,
                                        const struct packet *seen)
{
    struct script_option live = *o;
    uint32_t base = p->outbound ? space->in_base : space->out_base; /* blocks speak of what the other end sent */

    if (live.kind == SCRIPT_OPT_SACK && !p->ack_literal) {
        for (int i = 0; i < live.sack_count; i++) {
            live.sack[i][0] += base;
            live.sack[i][1] += base;
        }
    }
    if (live.kind == SCRIPT_OPT_TS && seen != NULL)
        packet_ts_expected(&live, space, seen);
    else if (live.kind == SCRIPT_OPT_TS)
        live.echo = packet_ts_live(space, live.echo);
    return live;
}

void packet_learn(struct packet_space *space, const struct script_packet *expected, const struct packet *seen)
{
    const struct script_option *scripted = packet_option_find(expected->options, expected->option_count, SCRIPT_OPT_TS);
    const struct script_option *live = packet_option_find(seen->options, seen->option_count, SCRIPT_OPT_TS);

    if ((seen->flags & PACKET_SYN) != 0 && !space->out_known) {
        space->out_base = seen->seq - (expected->seq_literal ? seen->seq : expected->seq);
        space->out_known = true;
    }
    if (scripted == NULL || live == NULL)
        return;
    if (!space->ts_known) {
        space->ts_base = live->value - scripted->value;
        space->ts_known = true;
    }
    unsigned at = space->ts_seen_count++ % (sizeof space->ts_seen / sizeof *space->ts_seen);
    space->ts_seen[at].script = scripted->value;
    space->ts_seen[at].live = live->value;
}

/* ---- ICMP's words: packetdrill's ---- */

struct icmp_word {
    int type; /* of a code: the type it belongs to; of a type: -1 */
    int number;
    const char *word;
};
static const struct icmp_word icmp4_words[] = {
    {-1, 0, "echo_reply"}, {-1, 3, "unreachable"}, {-1, 4, "source_quench"}, {-1, 5, "redirect"}, {-1, 8, "echo_request"},
    {-1, 11, "time_exceeded"}, {-1, 12, "parameter_problem"}, {-1, 13, "timestamp_request"}, {-1, 14, "timestamp_reply"},
    {3, 0, "net_unreachable"}, {3, 1, "host_unreachable"}, {3, 2, "protocol_unreachable"}, {3, 3, "port_unreachable"},
    {3, 4, "frag_needed"}, {3, 5, "source_route_failed"}, {3, 6, "net_unknown"}, {3, 7, "host_unknown"},
    {3, 8, "source_host_isolated"}, {3, 9, "net_prohibited"}, {3, 10, "host_prohibited"}, {3, 11, "net_unreachable_for_tos"},
    {3, 12, "host_unreachable_for_tos"}, {3, 13, "packet_filtered"}, {3, 14, "precedence_violation"}, {3, 15, "precedence_cutoff"},
    {11, 0, "ttl_exceeded"}, {11, 1, "reassembly_exceeded"}, {0, 0, NULL}};
static const struct icmp_word icmp6_words[] = {
    {-1, 1, "unreachable"}, {-1, 2, "packet_too_big"}, {-1, 3, "time_exceeded"}, {-1, 4, "parameter_problem"}, {-1, 4, "param_problem"},
    {-1, 128, "echo_request"}, {-1, 129, "echo_reply"},
    {1, 0, "no_route"}, {1, 0, "net_unreachable"}, {1, 1, "prohibited"}, {1, 1, "admin_prohibited"}, {1, 2, "not_neighbor"},
    {1, 2, "beyond_scope"}, {1, 3, "address_unreachable"}, {1, 3, "host_unreachable"}, {1, 4, "port_unreachable"},
    {3, 0, "hop_limit_exceeded"}, {3, 1, "reassembly_exceeded"}, {4, 0, "erroneous_header"}, {4, 1, "unknown_next_header"},
    {4, 2, "unknown_option"}, {0, 0, NULL}};

static bool icmp_number(bool v6, int type, const char *word, int *number)
{
    char *end;
    long value = strtol(word, &end, 0);

    if (*word != 0 && *end == 0 && value >= 0 && value <= 255) {
        *number = (int)value;
        return true;
    }
    for (const struct icmp_word *w = v6 ? icmp6_words : icmp4_words; w->word != NULL; w++) {
        if (w->type == type && strcmp(w->word, word) == 0) {
            *number = w->number;
            return true;
        }
    }
    return false;
}

bool packet_icmp_numbers(const struct script_packet *p, bool v6, int *type, int *code, char *why, size_t why_cap)
{
    *type = p->icmp_type < 0 ? 0 : p->icmp_type;
    *code = p->icmp_code < 0 ? 0 : p->icmp_code;
    if (p->icmp_type_name != NULL && !icmp_number(v6, -1, p->icmp_type_name, type)) {
        snprintf(why, why_cap, "%s has no type \"%s\"", v6 ? "ICMPv6" : "ICMP", p->icmp_type_name);
        return false;
    }
    if (p->icmp_code_name != NULL && !icmp_number(v6, *type, p->icmp_code_name, code)) {
        snprintf(why, why_cap, "%s has no code \"%s\" of type %d", v6 ? "ICMPv6" : "ICMP", p->icmp_code_name, *type);
        return false;
    }
    if (*type > 255 || *code > 255) {
        snprintf(why, why_cap, "type %d, code %d: more than 255", *type, *code);
        return false;
    }
    return true;
}

const char *packet_icmp_code_word(bool v6, int type, int code)
{
    for (const struct icmp_word *w = v6 ? icmp6_words : icmp4_words; w->word != NULL; w++)
        if (w->type == type && w->number == code)
            return w->word;
    return NULL;
}

const char *packet_icmp_type_word(bool v6, int type)
{
    return packet_icmp_code_word(v6, -1, type);
}

const char *packet_refused(const struct script_packet *p, bool v6)
{
    if (p->proto == SCRIPT_UDP)
        return "UDP packets are not supported";
    if (p->udp_source >= 0 || p->udp_destination >= 0)
        return "encapsulation in UDP is not supported";
    if (!v6 && p->flowlabel >= 0)
        return "IPv4 has no flow label";
    return NULL;
}
