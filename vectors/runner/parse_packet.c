/* parse_packet.c - a packet of a script: TCP with its options, ICMP, UDP. Checks what can be wrong in itself, not what it means. */
#include "parse.h"

#include <string.h>

#include "weir/weir.h"

#define PACKET_U32 UINT32_MAX

/* ---- IP -------------------------------------------------------------------------------------------------------------------------- */

static bool packet_ecn(struct lex *x, struct script_packet *p, struct lex_word w, const char *at)
{
    static const struct {
        const char *name;
        enum script_ecn ecn;
    } words[] = {{"noecn", SCRIPT_NOECN}, {"ect0", SCRIPT_ECT0}, {"ect1", SCRIPT_ECT1}, {"ce", SCRIPT_CE}, {"ect01", SCRIPT_ECT01}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (lex_same(w, words[i].name)) {
            p->ecn = words[i].ecn;
            if (p->ecn == SCRIPT_ECT01 && !p->outbound) {
                lex_fail(x, at, "ect01 means either: only what the stack sends can be either");
            }
            return true;
        }
    }
    return false;
}

static void packet_ip_field(struct lex *x, struct script_packet *p)
{
    lex_space(x);
    const char *at = x->at;
    struct lex_word w = lex_name(x);
    if (w.len == 0) {
        lex_fail(x, at, "a field of the IP header expected: noecn ect0 ect1 ce ect01 tos ttl flowlabel class hlim sum");
    } else if (lex_same(w, "tos") || lex_same(w, "class")) {
        p->tos = (int)lex_number(x, 255, "tos");
    } else if (lex_same(w, "ttl") || lex_same(w, "hlim")) {
        p->ttl = (int)lex_number(x, 255, "ttl");
    } else if (lex_same(w, "flowlabel")) {
        p->flowlabel = (int64_t)lex_number(x, 0xfffff, "flowlabel");
    } else if (lex_same(w, "bad") || lex_same(w, "sum")) {
        p->bad_checksum = true;
    } else if (!packet_ecn(x, p, w, at)) {
        lex_fail(x, at, "%.*s is no field of the IP header: noecn ect0 ect1 ce ect01 tos ttl flowlabel class hlim sum are",
                 (int)(w.len < 40 ? w.len : 40), w.text);
    }
}

static void packet_ip(struct lex *x, struct script_packet *p)
{
    const char *close = lex_is(x, "[") ? "]" : lex_is(x, "(") ? ")" : NULL;
    if (close == NULL) {
        return;
    }
    while (!x->failed && !lex_is(x, close)) {
        packet_ip_field(x, p);
        lex_is(x, ",");
    }
}

/* ---- options --------------------------------------------------------------------------------------------------------------------- */

static void option_mss(struct lex *x, struct script_option *o)
{
    o->value = (uint32_t)lex_number(x, 65535, "mss");
}

static void option_wscale(struct lex *x, struct script_option *o)
{
    o->value = (uint32_t)lex_number(x, 255, "wscale");
}

static void option_sack(struct lex *x, struct script_option *o)
{
    do {
        const char *at = x->at;
        uint32_t left = (uint32_t)lex_number(x, PACKET_U32, "sack: left edge");
        lex_need(x, ":", "between the edges of a SACK block");
        uint32_t right = (uint32_t)lex_number(x, PACKET_U32, "sack: right edge");
        if (o->sack_count == SCRIPT_SACK_MAX) {
            lex_fail(x, at, "more than %d SACK blocks: an option has no room for them", SCRIPT_SACK_MAX);
            return;
        }
        o->sack[o->sack_count][0] = left;
        o->sack[o->sack_count++][1] = right;
        lex_space(x);
    } while (*x->at >= '0' && *x->at <= '9');
}

static void option_word(struct lex *x, const char *word, const char *where)
{
    if (!lex_word_is(x, word)) {
        lex_fail(x, x->at, "%s expected %s", word, where);
    }
}

static void option_ts(struct lex *x, struct script_option *o)
{
    option_word(x, "val", "after TS");
    o->value = (uint32_t)lex_number(x, PACKET_U32, "TS val");
    option_word(x, "ecr", "after TS val");
    o->echo = (uint32_t)lex_number(x, PACKET_U32, "TS ecr");
}

static void option_md5(struct lex *x, struct script_option *o)
{
    if (lex_word_is(x, "valid")) {
        o->value = 1;
    } else if (!lex_word_is(x, "invalid")) {
        o->octet_count = lex_hex(x, o->octets, 16, "md5");
    }
}

static void option_fo(struct lex *x, struct script_option *o)
{
    o->octet_count = lex_hex(x, o->octets, o->kind == SCRIPT_OPT_FO ? 38 : 36, "cookie");
}

static void option_accecn(struct lex *x, struct script_option *o)
{
    static const char *const names[] = {"e0b", "ceb", "e1b"};
    unsigned seen = 0;
    for (bool more = true; more && !x->failed;) {
        more = false;
        for (unsigned i = 0; i < 3 && !more; i++) {
            const char *at = x->at;
            if ((more = lex_word_is(x, names[i])) && (seen & 1u << i)) {
                lex_fail(x, at, "%s stands twice", names[i]);
            } else if (more) {
                uint32_t n = (uint32_t)lex_number(x, 0xffffff, names[i]);
                o->raw_kind = seen == 0 && i == 2 ? 174 : seen == 0 ? 172 : o->raw_kind;
                seen |= 1u << i;
                o->octets[o->octet_count++] = (uint8_t)(n >> 16);
                o->octets[o->octet_count++] = (uint8_t)(n >> 8);
                o->octets[o->octet_count++] = (uint8_t)n;
            }
        }
    }
    o->raw_kind = seen == 0 ? 172 : o->raw_kind;
}

static void option_raw(struct lex *x, struct script_option *o)
{
    lex_space(x);
    const char *at = x->at;
    o->raw_kind = (uint8_t)lex_number(x, 255, "kind");
    if (o->raw_kind < 2) {
        lex_fail(x, at, "kind %d has no length octet: it is %s", o->raw_kind, o->raw_kind == 0 ? "eol" : "nop");
    }
    o->octet_count = lex_hex(x, o->octets, 38, "kind");
}

static const struct packet_option_rule {
    const char *name;
    enum script_option_kind kind;
    int len; /* octets besides blocks and octets */
    void (*read)(struct lex *x, struct script_option *o);
} packet_options_known[] = {
    {"nop", SCRIPT_OPT_NOP, 1, NULL},
    {"eol", SCRIPT_OPT_EOL, 1, NULL},
    {"mss", SCRIPT_OPT_MSS, 4, option_mss},
    {"wscale", SCRIPT_OPT_WSCALE, 3, option_wscale},
    {"sackOK", SCRIPT_OPT_SACK_OK, 2, NULL},
    {"sack", SCRIPT_OPT_SACK, 2, option_sack},
    {"TS", SCRIPT_OPT_TS, 10, option_ts},
    {"md5", SCRIPT_OPT_MD5, 2, option_md5},
    {"FO", SCRIPT_OPT_FO, 2, option_fo},
    {"FOEXP", SCRIPT_OPT_FOEXP, 4, option_fo},
    {"ECN", SCRIPT_OPT_ACCECN, 2, option_accecn},
    {"kind", SCRIPT_OPT_RAW, 2, option_raw},
};

/* One option into the next place; how many octets it will have. */
static int packet_option(struct lex *x, struct script_option *o)
{
    lex_space(x);
    o->pos = lex_pos(x);
    const char *at = x->at;
    struct lex_word w = lex_name(x);
    for (size_t i = 0; w.len > 0 && i < sizeof packet_options_known / sizeof packet_options_known[0]; i++) {
        const struct packet_option_rule *rule = &packet_options_known[i];
        if (lex_same(w, rule->name)) {
            o->kind = rule->kind;
            if (rule->read != NULL) {
                rule->read(x, o);
            }
            bool digest = o->kind == SCRIPT_OPT_MD5 && o->octet_count == 0;
            return rule->len + 8 * o->sack_count + (digest ? 16 : o->octet_count);
        }
    }
    if (w.len == 0) {
        lex_fail(x, at, "an option expected");
    } else {
        lex_fail(x, at, "%.*s is no TCP option: nop eol mss wscale sackOK sack TS md5 FO FOEXP ECN kind are",
                 (int)(w.len < 40 ? w.len : 40), w.text);
    }
    return 0;
}

static void packet_options(struct lex *x, struct script_packet *p)
{
    const char *from = x->at;
    if (!lex_is(x, "<")) {
        return;
    }
    p->has_options = true;
    if (lex_is(x, "...")) {
        p->options_any = true;
        if (!p->outbound) {
            lex_fail(x, from, "<...> means any options: a packet that is sent to the stack must say which");
        }
        lex_need(x, ">", "after <...");
        return;
    }
    int octets = 0;
    bool more = !lex_is(x, ">");
    while (more && !x->failed) {
        if (p->option_count == SCRIPT_OPTIONS_MAX) {
            lex_fail(x, x->at, "more than %d options", SCRIPT_OPTIONS_MAX);
            return;
        }
        octets += packet_option(x, &p->options[p->option_count++]);
        more = lex_is(x, ",");
        if (!more) {
            lex_need(x, ">", "after the options");
        }
    }
    if (octets > 40) {
        lex_fail(x, from, "the options take %d octets: a TCP header has room for 40", octets);
    } else if (octets % 4 != 0) {
        lex_fail(x, from, "the options take %d octets, no multiple of 4: nop or eol is missing", octets);
    }
}

/* ---- TCP ------------------------------------------------------------------------------------------------------------------------- */

static uint16_t packet_flag(char c)
{
    static const char letters[] = "FSRPUEWA";
    static const uint16_t flags[] = {WEIR_FIN, WEIR_SYN, WEIR_RST, WEIR_PSH, WEIR_URG, WEIR_ECE, WEIR_CWR, WEIR_AE};
    const char *place = c != 0 ? strchr(letters, c) : NULL;
    return place != NULL ? flags[place - letters] : 0;
}

/* The digit of ".N": AE CWR ECE as a number. */
static void packet_ace(struct lex *x, struct script_packet *p)
{
    static const uint16_t bits[] = {WEIR_ECE, WEIR_CWR, WEIR_AE};
    char c = *x->at;
    if (c < '0' || c > '9') {
        return;
    }
    if (c > '7') {
        lex_fail(x, x->at, "an ACE counter of 0 to 7 expected after the point");
    } else if (p->flags & (WEIR_ECE | WEIR_CWR | WEIR_AE)) {
        lex_fail(x, x->at, "E, W and A are the bits of the ACE counter: say one or the other");
    }
    x->at += !x->failed;
    p->ace = true;
    for (unsigned i = 0; i < 3; i++) {
        p->flags |= (unsigned)(c - '0') & 1u << i ? bits[i] : 0;
    }
}

static void packet_flags(struct lex *x, struct script_packet *p)
{
    if (lex_is(x, "-")) {
        return;
    }
    const char *from = x->at;
    for (uint16_t flag; (flag = packet_flag(*x->at)) != 0; x->at++) {
        if (p->flags & flag) {
            lex_fail(x, x->at, "the flag %c stands twice", *x->at);
            return;
        }
        p->flags |= flag;
    }
    if (lex_here(x, ".")) {
        p->flags |= WEIR_ACK;
        packet_ace(x, p);
    }
    if (x->at == from && !x->failed) {
        lex_fail(x, from, "TCP flags expected: - or letters of S F R P U E W A, then . for ACK; or icmp, or udp");
    } else if ((*x->at >= '!' && *x->at != '/') || *x->at < 0) {
        lex_fail(x, x->at, "no TCP flag: S F R P U E W A, then . for ACK, are");
    }
}

static bool packet_literal(struct lex *x)
{
    return lex_is(x, "!");
}

/* seq:seq(len), checked against each other. */
static bool packet_range(struct lex *x, uint32_t *from, uint32_t *to, uint32_t *len)
{
    bool literal = packet_literal(x);
    *from = (uint32_t)lex_number(x, PACKET_U32, "sequence number");
    literal |= packet_literal(x);
    lex_need(x, ":", "between the sequence numbers");
    lex_space(x);
    const char *at = x->at;
    literal |= packet_literal(x);
    *to = (uint32_t)lex_number(x, PACKET_U32, "end of the sequence numbers");
    literal |= packet_literal(x);
    lex_need(x, "(", "before the length of the payload");
    *len = (uint32_t)lex_number(x, PACKET_U32, "length of the payload");
    lex_need(x, ")", "after the length of the payload");
    if (*to - *from != *len) {
        lex_fail(x, at, "the numbers contradict each other: %u + %u octets is %u", *from, *len, *from + *len);
    }
    return literal;
}

static void packet_udp_around(struct lex *x, struct script_packet *p)
{
    if (!lex_is(x, "/")) {
        return;
    }
    option_word(x, "udp", "after /");
    lex_need(x, "(", "after /udp");
    p->udp_source = (int)lex_number(x, 65535, "UDP source port");
    lex_need(x, ">", "between the UDP ports");
    p->udp_destination = (int)lex_number(x, 65535, "UDP destination port");
    lex_need(x, ")", "after the UDP ports");
}

static void packet_tcp(struct lex *x, struct script_packet *p)
{
    packet_udp_around(x, p);
    packet_flags(x, p);
    packet_udp_around(x, p);
    p->seq_literal = packet_range(x, &p->seq, &p->seq_end, &p->len);
    if ((p->has_ack = lex_word_is(x, "ack"))) {
        p->ack_literal = packet_literal(x);
        p->ack = (uint32_t)lex_number(x, PACKET_U32, "ack");
        p->ack_literal |= packet_literal(x);
    }
    if ((p->has_win = lex_word_is(x, "win"))) {
        p->win = (uint32_t)lex_number(x, 65535, "win");
    }
    if ((p->has_urg = lex_word_is(x, "urg"))) {
        p->urg = (uint32_t)lex_number(x, 65535, "urg");
    }
    packet_options(x, p);
    packet_udp_around(x, p);
}

/* ---- ICMP and UDP ---------------------------------------------------------------------------------------------------------------- */

/* A word, a number, or a symbol that -D makes one of them. */
static const char *packet_icmp_word(struct lex *x, int *number, const char *what)
{
    lex_space(x);
    if (*x->at >= '0' && *x->at <= '9') {
        *number = (int)lex_number(x, 255, what);
        return NULL;
    }
    struct lex_word w = lex_name(x);
    const char *value = lex_defined(x, w);
    return value != NULL ? lex_copy(x, (struct lex_word){value, strlen(value)}) : lex_copy(x, w);
}

/* "mtu" and the start of the next event are no code. */
static bool packet_icmp_has_code(struct lex *x)
{
    lex_space(x);
    const char *from = x->at;
    bool mtu = lex_word_is(x, "mtu");
    x->at = from;
    bool letter = (*from >= 'a' && *from <= 'z') || (*from >= 'A' && *from <= 'Z');
    return letter && !mtu;
}

static void packet_icmp(struct lex *x, struct script_packet *p)
{
    p->proto = SCRIPT_ICMP;
    lex_space(x);
    const char *at = x->at;
    p->icmp_type_name = packet_icmp_word(x, &p->icmp_type, "ICMP type");
    if (p->icmp_type_name != NULL && p->icmp_type_name[0] == 0) {
        lex_fail(x, at, "a type of ICMP expected: unreachable, time_exceeded, packet_too_big and so on");
    }
    if (packet_icmp_has_code(x)) {
        p->icmp_code_name = packet_icmp_word(x, &p->icmp_code, "ICMP code");
    }
    if (lex_word_is(x, "mtu")) {
        p->icmp_mtu = (int64_t)lex_number(x, PACKET_U32, "mtu");
    }
    if ((p->icmp_quotes = lex_is(x, "["))) {
        packet_range(x, &p->quote_seq, &p->quote_seq_end, &p->quote_len);
        lex_need(x, "]", "after the quoted sequence numbers");
    }
}

static void packet_udp(struct lex *x, struct script_packet *p)
{
    p->proto = SCRIPT_UDP;
    lex_need(x, "(", "after udp");
    p->len = (uint32_t)lex_number(x, 65535, "length of the payload");
    lex_need(x, ")", "after the length of the payload");
}

static void packet_protocol(struct lex *x, struct script_packet *p)
{
    static const char *const others[] = {"ipv4", "ipv6", "gre", "mpls", "sctp", "udplite", "icmpv6"};
    if (lex_word_is(x, "icmp")) {
        packet_icmp(x, p);
        return;
    }
    if (lex_word_is(x, "udp")) {
        packet_udp(x, p);
        return;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const char *at = x->at;
        if (lex_word_is(x, others[i])) {
            lex_fail(x, at, "a packet of %s: only TCP, icmp and udp are read", others[i]);
        }
    }
    packet_tcp(x, p);
}

struct script_packet *parse_packet(struct lex *x)
{
    struct script_packet *p = lex_take(x, sizeof *p);
    p->tos = p->ttl = p->udp_source = p->udp_destination = -1;
    p->flowlabel = p->icmp_mtu = -1;
    p->outbound = *x->at++ == '>';
    packet_ip(x, p);
    packet_protocol(x, p);
    return p;
}
