/* packet_compare.c - what was seen against what the script says: the same, the same in meaning, or different, and in which fields. */
#include "packet_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct compare {
    const struct script_packet *p;
    const struct packet *seen;
    const struct packet_space *space;
    struct packet_text why;
    enum packet_match match;
};

/* One field that differs. `at_best`: what the packets can still be to each other. */
__attribute__((format(printf, 3, 4))) static void compare_differs(struct compare *c, enum packet_match at_best, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    packet_text_add(&c->why, "%s%s", c->why.len > 0 ? "; " : "", text);
    if (at_best < c->match)
        c->match = at_best;
}

static void compare_number(struct compare *c, enum packet_match at_best, const char *field, int64_t expected, int64_t seen)
{
    if (expected != seen)
        compare_differs(c, at_best, "%s: %lld expected, %lld seen", field, (long long)expected, (long long)seen);
}

static void compare_ip(struct compare *c)
{
    const struct script_packet *p = c->p;
    int ecn = c->seen->tos & 3;
    static const char *const words[] = {"noecn", "ect1", "ect0", "ce"};

    if (p->ecn != SCRIPT_ECN_UNSAID) {
        int wanted = p->ecn == SCRIPT_NOECN ? 0 : p->ecn == SCRIPT_ECT1 ? 1 : p->ecn == SCRIPT_CE ? 3 : 2;
        bool either = p->ecn == SCRIPT_ECT01 && (ecn == 1 || ecn == 2);
        if (ecn != wanted && !either)
            compare_differs(c, PACKET_DIFFERS, "ECN: %s expected, %s seen", p->ecn == SCRIPT_ECT01 ? "ect01" : words[wanted], words[ecn]);
    }
    if (p->tos >= 0 && p->ecn != SCRIPT_ECN_UNSAID)
        compare_number(c, PACKET_DIFFERS, "DSCP", (p->tos & 0xfc) >> 2, c->seen->tos >> 2);
    else if (p->tos >= 0)
        compare_number(c, PACKET_DIFFERS, "TOS", p->tos, c->seen->tos);
    if (p->ttl >= 0)
        compare_number(c, PACKET_DIFFERS, "TTL", p->ttl, c->seen->ttl);
    if (p->flowlabel >= 0)
        compare_number(c, PACKET_DIFFERS, "flow label", p->flowlabel, c->seen->flowlabel);
}

static void compare_flags(struct compare *c)
{
    unsigned expected = c->p->flags & 0x1ffu, seen = c->seen->flags;
    char texts[2][32];

    if (expected == seen)
        return;
    for (int i = 0; i < 2; i++) {
        struct packet_text t = {texts[i], sizeof texts[i], 0};
        packet_print_flags(&t, i == 0 ? expected : seen, c->p->ace);
    }
    compare_differs(c, (expected ^ seen) == PACKET_PSH ? PACKET_SAME_MEANING : PACKET_DIFFERS, "flags: %s expected, %s seen",
                    texts[0], texts[1]);
}

/* Numbers are told as the script has them. */
static void compare_sequence(struct compare *c)
{
    const struct script_packet *p = c->p;
    uint32_t out = p->seq_literal ? 0 : c->space->out_base, in = p->ack_literal ? 0 : c->space->in_base;

    if (c->space->out_known || (c->seen->flags & PACKET_SYN) == 0 || p->seq_literal)
        compare_number(c, PACKET_DIFFERS, "seq", p->seq, c->seen->seq - out);
    if (p->has_ack && (p->flags & c->seen->flags & PACKET_ACK) != 0)
        compare_number(c, PACKET_DIFFERS, "ack", p->ack, c->seen->ack - in);
    else if ((c->seen->flags & PACKET_ACK) == 0) /* the field means nothing without the flag, yet 0 is what belongs there */
        compare_number(c, PACKET_SAME_MEANING, "ack field without ACK", p->has_ack ? p->ack : 0, c->seen->ack);
    compare_number(c, PACKET_DIFFERS, "payload octets", p->len, c->seen->len);
    if (!c->seen->payload_zero)
        compare_differs(c, PACKET_DIFFERS, "payload: an octet is not 0");
    if (c->seen->reserved != 0)
        compare_differs(c, PACKET_DIFFERS, "reserved bits: 0 expected, %u seen", c->seen->reserved);
    if (p->has_win)
        compare_number(c, PACKET_DIFFERS, "win", p->win, c->seen->win);
    compare_number(c, ((p->flags | c->seen->flags) & PACKET_URG) != 0 ? PACKET_DIFFERS : PACKET_SAME_MEANING, "urg",
                   p->has_urg ? p->urg : 0, c->seen->urg);
}

/* ---- options ---- */

static bool compare_padding(const struct script_option *o)
{
    return o->kind == SCRIPT_OPT_NOP || o->kind == SCRIPT_OPT_EOL;
}

static bool compare_option(const struct script_option *a, const struct script_option *b)
{
    uint8_t octets[2][40];
    char why[80];
    int len[2] = {packet_option_encode(a, octets[0], why, sizeof why), packet_option_encode(b, octets[1], why, sizeof why)};

    if (a->kind == SCRIPT_OPT_WSCALE && b->kind == SCRIPT_OPT_WSCALE)
        return true;
    return len[0] > 0 && len[0] == len[1] && memcmp(octets[0], octets[1], (size_t)len[0]) == 0;
}

/* As sets: every option of the one stands in the other as often, padding aside. */
static bool compare_option_sets(const struct script_option *expected, int count, const struct packet *seen)
{
    bool used[SCRIPT_OPTIONS_MAX] = {false};
    int left = 0;

    for (int i = 0; i < seen->option_count; i++)
        left += !compare_padding(&seen->options[i]);
    for (int i = 0; i < count; i++) {
        int at = 0;
        if (compare_padding(&expected[i]))
            continue;
        while (at < seen->option_count && (used[at] || !compare_option(&expected[i], &seen->options[at])))
            at++;
        if (at == seen->option_count)
            return false;
        used[at] = true;
        left--;
    }
    return left == 0 && !seen->options_bad;
}

/* The same octets in the same order. False with a reason in `why` if the script's cannot be written. */
static bool compare_option_octets(const struct script_option *expected, int count, const struct packet *seen, char *why, size_t cap)
{
    uint8_t all[SCRIPT_OPTIONS_MAX * 40];
    int len = 0;

    for (int i = 0; i < count; i++) {
        int more = packet_option_encode(&expected[i], all + len, why, cap);
        if (more == 0)
            return false;
        len += more;
    }
    return len == seen->option_len && memcmp(all, seen->option_octets, (size_t)len) == 0;
}

/* For people: the script's numbers, those of what was seen mapped back. */
static void compare_option_text(struct compare *c, struct packet_text *t, const struct script_option *options, int count)
{
    struct script_option shown[SCRIPT_OPTIONS_MAX];

    for (int i = 0; i < count; i++) {
        shown[i] = options[i];
        for (int k = 0; k < shown[i].sack_count && !c->p->ack_literal; k++) {
            shown[i].sack[k][0] -= c->space->in_base;
            shown[i].sack[k][1] -= c->space->in_base;
        }
        if (shown[i].kind == SCRIPT_OPT_TS && c->space->ts_known)
            shown[i].value -= c->space->ts_base;
    }
    packet_text_add(t, "<");
    packet_print_options(t, shown, count);
    packet_text_add(t, ">");
}

static void compare_options(struct compare *c)
{
    struct script_option live[SCRIPT_OPTIONS_MAX];
    char texts[2][200], reason[100] = "";
    struct packet_text expected = {texts[0], sizeof texts[0], 0}, seen = {texts[1], sizeof texts[1], 0};
    int count = c->p->option_count;

    if (c->p->options_any)
        return;
    for (int i = 0; i < count; i++)
        live[i] = packet_option_live(&c->p->options[i], c->p, c->space, c->seen);
    if (compare_option_octets(live, count, c->seen, reason, sizeof reason))
        return;
    compare_option_text(c, &expected, live, count);
    compare_option_text(c, &seen, c->seen->options, c->seen->option_count);
    if (c->seen->options_bad)
        packet_text_add(&seen, " and %d octets that are no options", c->seen->option_len);
    compare_differs(c, reason[0] == 0 && compare_option_sets(live, count, c->seen) ? PACKET_SAME_MEANING : PACKET_DIFFERS,
                    "options: %s expected, %s seen%s%s", texts[0], texts[1], reason[0] != 0 ? "; " : "", reason);
}

static void compare_icmp(struct compare *c)
{
    int type, code;
    char reason[100];

    if (!packet_icmp_numbers(c->p, c->seen->v6, &type, &code, reason, sizeof reason)) {
        compare_differs(c, PACKET_DIFFERS, "%s", reason);
        return;
    }
    compare_number(c, PACKET_DIFFERS, "ICMP type", type, c->seen->icmp_type);
    compare_number(c, PACKET_DIFFERS, "ICMP code", code, c->seen->icmp_code);
    if (c->p->icmp_mtu >= 0)
        compare_number(c, PACKET_DIFFERS, "ICMP MTU", c->p->icmp_mtu, c->seen->icmp_mtu);
    if (c->p->icmp_quotes)
        compare_number(c, PACKET_DIFFERS, "quoted seq", c->p->quote_seq, c->seen->quote_seq - c->space->in_base);
}

enum packet_match packet_compare(const struct script_packet *expected, const struct packet *seen, const struct packet_space *space,
                                 char *why, size_t cap)
{
    struct compare c = {expected, seen, space, {why, cap, 0}, PACKET_SAME};
    const char *refused = packet_refused(expected, seen->v6);
    static const char *const protocols[] = {"TCP", "ICMP", "UDP"};

    if (cap > 0)
        why[0] = 0;
    if (refused != NULL) {
        compare_differs(&c, PACKET_DIFFERS, "%s", refused);
        return c.match;
    }
    compare_ip(&c);
    if (expected->proto != seen->proto) {
        compare_differs(&c, PACKET_DIFFERS, "protocol: %s expected, %s seen", protocols[expected->proto], protocols[seen->proto]);
    } else if (expected->proto == SCRIPT_ICMP) {
        compare_icmp(&c);
    } else {
        compare_flags(&c);
        compare_sequence(&c);
        compare_options(&c);
    }
    return c.match;
}
