/* packet_print.c - packets in the script's own notation. */
#include "packet_parts.h"

#include <string.h>

void packet_print_flags(struct packet_text *t, unsigned flags, bool ace)
{
    static const struct { unsigned flag; char letter; } letters[] = {
        {PACKET_SYN, 'S'}, {PACKET_FIN, 'F'}, {PACKET_RST, 'R'}, {PACKET_PSH, 'P'}, {PACKET_URG, 'U'},
        {PACKET_CWR, 'W'}, {PACKET_ECE, 'E'}, {PACKET_AE, 'A'}};
    unsigned ecn = flags & (PACKET_AE | PACKET_CWR | PACKET_ECE);

    if (flags == 0)
        packet_text_add(t, "-");
    if (ace && (flags & PACKET_ACK) != 0)
        flags &= ~ecn;
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if ((flags & letters[i].flag) != 0)
            packet_text_add(t, "%c", letters[i].letter);
    if ((flags & PACKET_ACK) != 0)
        packet_text_add(t, ".");
    if (ace && (flags & PACKET_ACK) != 0)
        packet_text_add(t, "%u", ecn >> 6);
}

static void print_hex(struct packet_text *t, const uint8_t *octets, int count)
{
    for (int i = 0; i < count; i++)
        packet_text_add(t, "%02x", octets[i]);
}

static void print_accecn(struct packet_text *t, const struct script_option *o)
{
    static const char *const names[2][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
    const char *const *order = names[o->raw_kind == PACKET_OPT_ACCECN1];

    packet_text_add(t, "ECN");
    for (int i = 0; i + 2 < o->octet_count && i < 9; i += 3)
        packet_text_add(t, " %s %u", order[i / 3], (unsigned)o->octets[i] << 16 | packet_get16(o->octets + i + 1));
}

static void print_option(struct packet_text *t, const struct script_option *o)
{
    switch (o->kind) {
    case SCRIPT_OPT_NOP: packet_text_add(t, "nop"); break;
    case SCRIPT_OPT_EOL: packet_text_add(t, "eol"); break;
    case SCRIPT_OPT_MSS: packet_text_add(t, "mss %u", o->value); break;
    case SCRIPT_OPT_WSCALE: packet_text_add(t, "wscale %u", o->value); break;
    case SCRIPT_OPT_SACK_OK: packet_text_add(t, "sackOK"); break;
    case SCRIPT_OPT_SACK:
        packet_text_add(t, "sack");
        for (int i = 0; i < o->sack_count; i++)
            packet_text_add(t, " %u:%u", o->sack[i][0], o->sack[i][1]);
        break;
    case SCRIPT_OPT_TS: packet_text_add(t, "TS val %u ecr %u", o->value, o->echo); break;
    case SCRIPT_OPT_MD5:
        packet_text_add(t, "md5 ");
        print_hex(t, o->octets, o->octet_count);
        break;
    case SCRIPT_OPT_FO:
    case SCRIPT_OPT_FOEXP:
        packet_text_add(t, o->kind == SCRIPT_OPT_FO ? "FO%s" : "FOEXP%s", o->octet_count > 0 ? " " : "");
        print_hex(t, o->octets, o->octet_count);
        break;
    case SCRIPT_OPT_ACCECN: print_accecn(t, o); break;
    case SCRIPT_OPT_RAW:
        packet_text_add(t, "kind %u%s", o->raw_kind, o->octet_count > 0 ? " " : "");
        print_hex(t, o->octets, o->octet_count);
        break;
    }
}

void packet_print_options(struct packet_text *t, const struct script_option *options, int count)
{
    for (int i = 0; i < count; i++) {
        packet_text_add(t, "%s", i > 0 ? "," : "");
        print_option(t, &options[i]);
    }
}

static void print_ip(struct packet_text *t, int ecn, int tos, int ttl, int64_t flowlabel, bool v6)
{
    static const char *const words[] = {"", "noecn", "ect0", "ect1", "ce", "ect01"};
    const char *between = "";

    if (ecn <= 0 && tos < 0 && ttl < 0 && flowlabel < 0)
        return;
    packet_text_add(t, "[");
    if (ecn > 0) {
        packet_text_add(t, "%s", words[ecn]);
        between = ",";
    }
    if (tos >= 0) {
        packet_text_add(t, "%s%s 0x%02x", between, v6 ? "class" : "tos", (unsigned)tos);
        between = ",";
    }
    if (ttl >= 0) {
        packet_text_add(t, "%s%s %d", between, v6 ? "hlim" : "ttl", ttl);
        between = ",";
    }
    if (flowlabel >= 0)
        packet_text_add(t, "%sflowlabel 0x%05x", between, (unsigned)flowlabel);
    packet_text_add(t, "] ");
}

/* Sequence numbers as the script has them: its own space where that is known. */
static void print_tcp(struct packet_text *t, const struct packet *p, const struct packet_space *space)
{
    uint32_t own = p->outbound ? (space->out_known ? space->out_base : 0) : (space->in_known ? space->in_base : 0);
    uint32_t other = p->outbound ? (space->in_known ? space->in_base : 0) : (space->out_known ? space->out_base : 0);
    struct script_option shown[SCRIPT_OPTIONS_MAX];

    packet_print_flags(t, p->flags, false);
    packet_text_add(t, " %u:%u(%u)", p->seq - own, p->seq - own + p->len, p->len);
    if ((p->flags & PACKET_ACK) != 0)
        packet_text_add(t, " ack %u", p->ack - other);
    packet_text_add(t, " win %u", p->win);
    if ((p->flags & PACKET_URG) != 0)
        packet_text_add(t, " urg %u", p->urg);
    if (p->option_len == 0)
        return;
    for (int i = 0; i < p->option_count; i++) {
        shown[i] = p->options[i];
        for (int k = 0; k < shown[i].sack_count; k++) {
            shown[i].sack[k][0] -= other;
            shown[i].sack[k][1] -= other;
        }
        if (shown[i].kind == SCRIPT_OPT_TS && space->ts_known && p->outbound)
            shown[i].value -= space->ts_base;
        else if (shown[i].kind == SCRIPT_OPT_TS && space->ts_known && shown[i].echo != 0)
            shown[i].echo -= space->ts_base;
    }
    packet_text_add(t, " <");
    packet_print_options(t, shown, p->option_count);
    packet_text_add(t, "%s>", p->options_bad ? " and no option" : "");
}

static void print_icmp(struct packet_text *t, const char *type, int type_number, const char *code, int code_number)
{
    packet_text_add(t, "icmp ");
    if (type != NULL)
        packet_text_add(t, "%s", type);
    else
        packet_text_add(t, "%d", type_number);
    if (code != NULL)
        packet_text_add(t, " %s", code);
    else if (code_number > 0)
        packet_text_add(t, " %d", code_number);
}

void packet_print(const struct packet *p, const struct packet_space *space, char *text, size_t cap)
{
    struct packet_text t = {text, cap, 0};
    static const enum script_ecn words[] = {SCRIPT_ECN_UNSAID, SCRIPT_ECT1, SCRIPT_ECT0, SCRIPT_CE};

    if (cap > 0)
        text[0] = 0;
    packet_text_add(&t, "%s ", p->outbound ? ">" : "<");
    print_ip(&t, (int)words[p->tos & 3], p->tos > 3 ? p->tos : -1, -1, -1, p->v6);
    if (p->proto == SCRIPT_TCP) {
        print_tcp(&t, p, space);
        return;
    }
    print_icmp(&t, packet_icmp_type_word(p->v6, p->icmp_type), p->icmp_type,
               packet_icmp_code_word(p->v6, p->icmp_type, p->icmp_code), p->icmp_code);
    if (p->icmp_mtu != 0)
        packet_text_add(&t, " mtu %u", p->icmp_mtu);
    uint32_t base = p->outbound ? (space->in_known ? space->in_base : 0) : (space->out_known ? space->out_base : 0);
    packet_text_add(&t, " [%u]", p->quote_seq - base);
}

void packet_print_script(const struct script_packet *p, char *text, size_t cap)
{
    struct packet_text t = {text, cap, 0};

    if (cap > 0)
        text[0] = 0;
    packet_text_add(&t, "%s ", p->outbound ? ">" : "<");
    print_ip(&t, (int)p->ecn, p->tos, p->ttl, p->flowlabel, false);
    if (p->proto == SCRIPT_ICMP) {
        print_icmp(&t, p->icmp_type_name, p->icmp_type, p->icmp_code_name, p->icmp_code);
        if (p->icmp_mtu >= 0)
            packet_text_add(&t, " mtu %lld", (long long)p->icmp_mtu);
        if (p->icmp_quotes)
            packet_text_add(&t, " [%u:%u(%u)]", p->quote_seq, p->quote_seq_end, p->quote_len);
        return;
    }
    packet_print_flags(&t, p->flags, p->ace);
    packet_text_add(&t, " %u%s:%u%s(%u)", p->seq, p->seq_literal ? "!" : "", p->seq_end, p->seq_literal ? "!" : "", p->len);
    if (p->has_ack)
        packet_text_add(&t, " ack %u%s", p->ack, p->ack_literal ? "!" : "");
    if (p->has_win)
        packet_text_add(&t, " win %u", p->win);
    if (p->has_urg)
        packet_text_add(&t, " urg %u", p->urg);
    if (p->options_any)
        packet_text_add(&t, " <...>");
    else if (p->option_count > 0) {
        packet_text_add(&t, " <");
        packet_print_options(&t, p->options, p->option_count);
        packet_text_add(&t, ">");
    }
    if (p->udp_source >= 0)
        packet_text_add(&t, " /udp(%d > %d)", p->udp_source, p->udp_destination);
}
