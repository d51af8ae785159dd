/* view.c - octets to a checked segment: RFC 9293 3.1 and 3.2, options of RFC 7323, 2018, 2385, 5482, 5925, 8684, 7413,
 * 8547, 9768 and 6994, AE of RFC 9768. Knows one segment; knows no connection, so nothing here depends on what was
 * negotiated. Malformed segments are refused, odd ones are marked and taken, and a refusal leaves the output as it was. */
#include "wire/wire.h"

enum view_kind {
    VIEW_KIND_END = 0,
    VIEW_KIND_NOP = 1,
    VIEW_KIND_MSS = 2,
    VIEW_KIND_WSCALE = 3,
    VIEW_KIND_SACK_OK = 4,
    VIEW_KIND_SACK = 5,
    VIEW_KIND_TIMESTAMPS = 8,
    VIEW_KIND_MD5 = 19,
    VIEW_KIND_UTO = 28,
    VIEW_KIND_AO = 29,
    VIEW_KIND_MPTCP = 30,
    VIEW_KIND_TFO = 34,
    VIEW_KIND_ENO = 69,
    VIEW_KIND_ACCECN_0 = 172,
    VIEW_KIND_ACCECN_1 = 174,
    VIEW_KIND_EXPERIMENT_1 = 253,
    VIEW_KIND_EXPERIMENT_2 = 254
};

/* Where a kind belongs. */
enum view_place { VIEW_ANYWHERE, VIEW_WITH_SYN, VIEW_WITHOUT_SYN, VIEW_WITH_ACK };
/* What another size than those of its kind means: the segment is malformed, or the option is ignored, or read as far as
 * it makes sense. */
enum view_misfit { VIEW_REFUSED, VIEW_IGNORED, VIEW_READ };

/* What is known of one kind. Its sizes are smallest, smallest + step, ... largest; with `repeats` it may come twice. */
struct view_rule {
    uint8_t kind, smallest, largest, step;
    uint8_t misfit; /* enum view_misfit */
    uint8_t place;  /* enum view_place */
    bool repeats;
    uint16_t bit;   /* enum weir_option */
};

/* Those that weir acts on come first. */
#define VIEW_RULES (WEIR_WITH_ODD ? 15u : 5u)
static const struct view_rule view_rules[] = {
    {VIEW_KIND_TIMESTAMPS, 10, 10, 1, VIEW_REFUSED, VIEW_ANYWHERE, false, WEIR_OPT_TIMESTAMPS}, /* RFC 7323 3.2 */
    {VIEW_KIND_SACK, 10, 34, 8, VIEW_REFUSED, VIEW_WITHOUT_SYN, false, WEIR_OPT_SACK},   /* RFC 2018 3 */
    {VIEW_KIND_MSS, 4, 4, 1, VIEW_REFUSED, VIEW_WITH_SYN, false, WEIR_OPT_MSS},          /* RFC 9293 3.2 (MUST-65) */
    {VIEW_KIND_WSCALE, 3, 3, 1, VIEW_REFUSED, VIEW_WITH_SYN, false, WEIR_OPT_WSCALE},    /* RFC 7323 2.2 */
    {VIEW_KIND_SACK_OK, 2, 2, 1, VIEW_REFUSED, VIEW_WITH_SYN, false, WEIR_OPT_SACK_OK},  /* RFC 2018 2 */
#if WEIR_WITH_ODD
    {VIEW_KIND_MD5, 18, 18, 1, VIEW_REFUSED, VIEW_ANYWHERE, false, WEIR_OPT_MD5},        /* RFC 2385 3.0 */
    {VIEW_KIND_UTO, 4, 4, 1, VIEW_IGNORED, VIEW_ANYWHERE, false, WEIR_OPT_UTO},          /* RFC 5482 3.3 */
    {VIEW_KIND_AO, 4, 40, 1, VIEW_REFUSED, VIEW_ANYWHERE, false, WEIR_OPT_AO},           /* RFC 5925 2.2 */
    {VIEW_KIND_MPTCP, 3, 40, 1, VIEW_IGNORED, VIEW_ANYWHERE, true, WEIR_OPT_MPTCP},      /* RFC 8684 3 */
    {VIEW_KIND_TFO, 2, 18, 2, VIEW_IGNORED, VIEW_WITH_SYN, false, WEIR_OPT_TFO},         /* RFC 7413 4.1.1; see view_size_fits */
    {VIEW_KIND_ENO, 2, 40, 1, VIEW_IGNORED, VIEW_ANYWHERE, false, WEIR_OPT_ENO},         /* RFC 8547 4.1 */
    {VIEW_KIND_ACCECN_0, 2, 11, 3, VIEW_READ, VIEW_WITH_ACK, false, WEIR_OPT_ACCECN},    /* RFC 9768 3.2.3: other sizes are padded */
    {VIEW_KIND_ACCECN_1, 2, 11, 3, VIEW_READ, VIEW_WITH_ACK, false, WEIR_OPT_ACCECN},    /* RFC 9768 3.2.3 */
    {VIEW_KIND_EXPERIMENT_1, 4, 40, 1, VIEW_IGNORED, VIEW_ANYWHERE, true, WEIR_OPT_EXPERIMENT}, /* RFC 6994 3 */
    {VIEW_KIND_EXPERIMENT_2, 4, 40, 1, VIEW_IGNORED, VIEW_ANYWHERE, true, WEIR_OPT_EXPERIMENT} /* RFC 6994 3 */
#endif
};

static void view_mark(weir_view *v, unsigned odd)
{
    v->odd = (uint16_t)(v->odd | (WEIR_WITH_ODD ? odd : 0u));
}

static void view_take(weir_view *v, unsigned option)
{
    v->options = (uint16_t)(v->options | option);
}

static inline void view_timestamps(weir_view *v, const uint8_t *option)
{
    view_take(v, WEIR_OPT_TIMESTAMPS);
    v->ts_value = base_get32(option + 2);
    v->ts_echo = base_get32(option + 6);
}

/* Blocks that are empty or run backwards are left out. So is one of 2^31 octets, whose two ends are each before the other
 * in the arithmetic of RFC 9293 3.4: no window can hold it, and comparing it later would go wrong both ways. */
static void view_sack(weir_view *v, const uint8_t *option, uint32_t size)
{
    view_take(v, WEIR_OPT_SACK);
    for (uint32_t at = 2; at + 8 <= size && v->sack_count < WEIR_SACK_BLOCKS_MAX; at += 8) {
        weir_seq from = seq_of(base_get32(option + at)), to = seq_of(base_get32(option + at + 4));

        if (seq_diff(from, to) - 1 >= 0x7fffffffu) {
            view_mark(v, WEIR_ODD_SACK_BLOCK);
            continue;
        }
        v->sack[v->sack_count].from = from;
        v->sack[v->sack_count].to = to;
        v->sack_count++;
    }
}

/* A segment can carry nothing in an MSS of 0: it is taken as if it had not been said (RFC 9293 3.7.1, MUST-15). */
static void view_mss(weir_view *v, const uint8_t *option)
{
    v->mss = base_get16(option + 2);
    if (v->mss == 0)
        view_mark(v, WEIR_ODD_OPTION_VALUE);
    else
        view_take(v, WEIR_OPT_MSS);
}

/* RFC 7323 2.3: a larger shift MUST be used as 14. */
static void view_wscale(weir_view *v, const uint8_t *option)
{
    v->wscale = option[2];
    if (v->wscale > 14) {
        v->wscale = 14;
        view_mark(v, WEIR_ODD_OPTION_VALUE);
    }
    view_take(v, WEIR_OPT_WSCALE);
}

/* Decodes an option that is the first of its kind, has a size of its kind, and stands in its place. */
static void view_decode(weir_view *v, const uint8_t *option, uint32_t size, unsigned bit)
{
    switch (option[0]) {
    case VIEW_KIND_MSS:
        view_mss(v, option);
        return;
    case VIEW_KIND_WSCALE:
        view_wscale(v, option);
        return;
    case VIEW_KIND_SACK:
        view_sack(v, option, size);
        return;
    case VIEW_KIND_TIMESTAMPS:
        view_timestamps(v, option);
        return;
    default:
        view_take(v, bit);
    }
}

static bool view_size_fits(const struct view_rule *rule, uint32_t size)
{
    if (size < rule->smallest || size > rule->largest || (size - rule->smallest) % rule->step != 0)
        return false;
    return !(WEIR_WITH_ODD && rule->kind == VIEW_KIND_TFO && size == 4); /* a cookie has 4 octets at least (RFC 7413 4.1.1, erratum 4238) */
}

/* The rule of a kind, by its place in the table; VIEW_RULES for a kind that weir does not know. */
static uint32_t view_rule_find(uint8_t kind)
{
    uint32_t idx = 0;
    while (idx < VIEW_RULES && view_rules[idx].kind != kind)
        idx++;
    return idx;
}

static bool view_in_place(const struct view_rule *rule, unsigned flags)
{
    bool syn = (flags & WEIR_SYN) != 0;

    switch (rule->place) {
    case VIEW_WITH_SYN:
        return syn;
    case VIEW_WITHOUT_SYN:
        return !syn;
    case VIEW_WITH_ACK:
        return !WEIR_WITH_ODD || !syn || (flags & WEIR_ACK) != 0;
    default:
        return true;
    }
}

/* One option of known extent. `seen` has a bit for each rule that has been met: only the first option of a kind is looked
 * at, whatever becomes of it. */
static enum weir_verdict view_option(weir_view *v, const uint8_t *option, uint32_t size, uint32_t *seen)
{
    uint32_t idx = view_rule_find(option[0]);
    const struct view_rule *rule = &view_rules[idx % VIEW_RULES];
    bool fits = view_size_fits(rule, size), twice = (*seen >> idx & 1) != 0;

    if (idx == VIEW_RULES) {
        view_take(v, WEIR_WITH_ODD ? (unsigned)WEIR_OPT_UNKNOWN : 0u); /* MUST-6 */
        return WEIR_OK;
    }
    if (!fits && (!WEIR_WITH_ODD || rule->misfit == VIEW_REFUSED))
        return WEIR_TCP_OPTION_SIZE;
    if (twice && (!WEIR_WITH_ODD || !rule->repeats)) {
        view_mark(v, WEIR_ODD_OPTION_TWICE);
        return WEIR_OK;
    }
    *seen |= (uint32_t)1 << idx;
    if (!fits)
        view_mark(v, WEIR_ODD_OPTION_VALUE);
    if (!view_in_place(rule, v->flags))
        view_mark(v, WEIR_ODD_OPTION_PLACE);
    else if (!WEIR_WITH_ODD || fits || rule->misfit == VIEW_READ)
        view_decode(v, option, size, rule->bit);
    return WEIR_OK;
}

/* RFC 9293 3.2: what follows End of Option List is padding of zeros (MUST-69 binds the sender). */
static void view_padding(weir_view *v, const uint8_t *octets, uint32_t len)
{
    unsigned any = 0;
    for (uint32_t at = 0; at < len; at++)
        any |= octets[at];
    if (any != 0)
        view_mark(v, WEIR_ODD_PADDING);
}

/* The option list of any segment, len =< 40, at any alignment (MUST-4, MUST-5, MUST-64); all but End and NOP have a length (MUST-68). */
static enum weir_verdict view_options(weir_view *v, const uint8_t *list, uint32_t len)
{
    uint32_t at = 0, size, seen = 0;
    enum weir_verdict verdict;

    for (; at < len; at += size) {
        if (list[at] == VIEW_KIND_END) {
            view_padding(v, list + at + 1, len - at - 1);
            return WEIR_OK;
        }
        size = 1;
        if (list[at] == VIEW_KIND_NOP)
            continue;
        if (len - at < 2)
            return WEIR_TCP_OPTION_LENGTH;
        size = list[at + 1];
        if (size < 2 || size > len - at) /* MUST-7 */
            return WEIR_TCP_OPTION_LENGTH;
        verdict = view_option(v, list + at, size, &seen);
        if (verdict != WEIR_OK)
            return verdict;
    }
    return WEIR_OK;
}

static void view_flags(weir_view *v, unsigned flags)
{
    v->flags = (uint16_t)flags;
    if (flags == 0 || (flags & (WEIR_SYN | WEIR_FIN)) == (WEIR_SYN | WEIR_FIN) ||
        (flags & (WEIR_SYN | WEIR_RST)) == (WEIR_SYN | WEIR_RST) || (flags & (WEIR_FIN | WEIR_ACK)) == WEIR_FIN)
        view_mark(v, WEIR_ODD_FLAGS);
}

static inline void view_numbers(weir_view *v, const uint8_t *octets)
{
    v->source_port = base_get16(octets);
    v->destination_port = base_get16(octets + 2);
    v->seq = seq_of(base_get32(octets + 4));
    v->ack = seq_of(base_get32(octets + 8));
    v->window = base_get16(octets + 14);
}

/* The fixed part. Fields whose control bit is off read as 0, so that nobody can use them by mistake. */
static void view_fixed(weir_view *v, const uint8_t *octets)
{
    view_numbers(v, octets);
    v->urgent = base_get16(octets + 18);
    view_flags(v, ((unsigned)octets[12] & 1) << 8 | octets[13]);
    if ((octets[12] & 0x0e) != 0)
        view_mark(v, WEIR_ODD_RESERVED);
    if ((v->flags & WEIR_URG) == 0 && v->urgent != 0) {
        view_mark(v, WEIR_ODD_URGENT);
        v->urgent = 0;
    }
    if ((v->flags & WEIR_ACK) == 0 && v->ack.v != 0) {
        view_mark(v, WEIR_ODD_ACK);
        v->ack = seq_of(0);
    }
}

/* Length, checksum, data offset: the checks that come before any field is believed. A segment of 2^32 octets or more is
 * longer than any packet can be, and no better than one that is too short. */
static enum weir_verdict view_geometry(const uint8_t *octets, size_t len, const weir_pseudo *pseudo)
{
    uint32_t header_len;

    if (len < 20 || (uint64_t)len >> 32 != 0)
        return WEIR_TCP_TRUNCATED;
    if (pseudo != NULL &&
        weiri_sum_finish(weiri_sum(octets, len, weiri_sum_pseudo(pseudo, (uint32_t)len, WEIRI_PROTO_TCP))) != 0)
        return WEIR_TCP_CHECKSUM;
    header_len = (uint32_t)(octets[12] >> 4) * 4;
    return header_len < 20 || header_len > len ? WEIR_TCP_DATA_OFFSET : WEIR_OK;
}

/* Everything but the options. */
static void view_begin(weir_view *v, const uint8_t *octets, size_t len)
{
    memset(v, 0, sizeof *v);
    view_fixed(v, octets);
    v->header_len = (uint8_t)(octets[12] >> 4 << 2);
    v->payload = octets + v->header_len;
    v->payload_len = (uint32_t)len - v->header_len;
}

/* The control bits of nearly every segment: ACK, with PSH or without; nothing reserved, nothing urgent. And its layouts: no options; NOP,
 * NOP, Timestamps (RFC 7323 appendix A); the same with NOP, NOP, SACK behind it. They hold nothing that could be refused, or is odd. */
static bool view_is_usual(const uint8_t *octets, uint32_t options)
{
    if ((base_get16(octets + 12) & 0x0ff7) != WEIR_ACK || base_get16(octets + 18) != 0)
        return false;
    if (options == 0)
        return true;
    if (options < 12 || base_get32(octets + 20) != WEIRI_STAMPS)
        return false;
    return options == 12 || (options >= 24 && options % 8 == 0 && base_get32(octets + 32) == (0x01010500u | (options - 14)));
}

/* Not memset, which compilers make `rep stos` of: that takes half as long as all else. */
static const weir_view view_none = {{0}, {0}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                    {{{0}, {0}}, {{0}, {0}}, {{0}, {0}}, {{0}, {0}}}, NULL, 0, 0};

static bool view_usual(weir_view *v, const uint8_t *octets, size_t len)
{
    const uint32_t options = (uint32_t)(octets[12] >> 4) * 4 - 20;
    if (!view_is_usual(octets, options))
        return false;
    *v = view_none;
    view_numbers(v, octets);
    v->flags = octets[13];
    v->header_len = (uint8_t)(options + 20);
    v->payload = octets + v->header_len;
    v->payload_len = (uint32_t)len - v->header_len;
    if (options >= 12)
        view_timestamps(v, octets + 22);
    if (options >= 24)
        view_sack(v, octets + 34, options - 14);
    return true;
}

/* And of nearly every SYN: MSS, SACK-permitted, Timestamps, NOP, Window Scale. */
static bool view_usual_syn(weir_view *view, const uint8_t *octets, size_t len)
{
    const uint8_t *list = octets + 20;
    bool syn = octets[12] >> 4 == 10 && (octets[13] & WEIR_SYN) != 0;
    if (!syn || base_get16(list) != 0x0204 || base_get32(list + 4) != 0x0402080au || base_get32(list + 16) >> 8 != 0x010303u)
        return false;
    view_begin(view, octets, len);
    view_take(view, WEIR_OPT_SACK_OK);
    view_mss(view, list);
    view_timestamps(view, list + 6);
    view_wscale(view, list + 17);
    return true;
}

/* Any segment whose header has its length; into a view of its own, for a refusal leaves the output as it was. Apart, so that what is usual
 * need not save what only this uses. */
__attribute__((noinline)) static enum weir_verdict view_any(weir_view *view, const uint8_t *octets, size_t len, bool ports)
{
    weir_view v;
    if (WEIR_WITH_PREDICTION && ports && view_usual_syn(view, octets, len))
        return WEIR_OK;
    view_begin(&v, octets, len);
    enum weir_verdict verdict = view_options(&v, octets + 20, v.header_len - 20u);
    if (verdict == WEIR_OK && !ports)
        verdict = WEIR_TCP_PORT;
    if (verdict == WEIR_OK)
        *view = v;
    return verdict;
}

WEIR_API enum weir_verdict weir_view_segment(weir_view *view, const uint8_t *octets, size_t len, const weir_pseudo *pseudo)
{
    const enum weir_verdict verdict = view_geometry(octets, len, pseudo);
    if (verdict != WEIR_OK)
        return verdict;
    const bool ports = base_get16(octets) != 0 && base_get16(octets + 2) != 0;
    return WEIR_WITH_PREDICTION && ports && view_usual(view, octets, len) ? WEIR_OK : view_any(view, octets, len, ports);
}

WEIR_API uint32_t weir_view_len(const weir_view *view)
{
    return view->payload_len + ((view->flags & WEIR_SYN) != 0 ? 1u : 0u) + ((view->flags & WEIR_FIN) != 0 ? 1u : 0u);
}

WEIR_API bool weir_seq_lt(weir_seq a, weir_seq b)
{
    return seq_lt(a, b);
}

WEIR_API bool weir_seq_leq(weir_seq a, weir_seq b)
{
    return seq_leq(a, b);
}

#undef VIEW_RULES
