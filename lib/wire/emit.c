/* emit.c - fields to octets: the header of RFC 9293 3.1 with options of RFC 9293 3.2, 7323 and 2018. Knows one segment and
 * writes what it is told; reserved bits, and fields whose control bit is off, go out as 0. Option layouts are those
 * that paths have seen most: on SYN MSS, SACK-permitted, Timestamps, NOP, window scale; elsewhere NOP, NOP, Timestamps
 * (RFC 7323 appendix A) and NOP, NOP, SACK. Each group is a multiple of 4, so no padding is needed. */
#include "wire/wire.h"

#define EMIT_OPTIONS_MAX 40
#define EMIT_FLAGS 0x1ffu
#define EMIT_LEFT_OUT                                                                                                    \
    ((WEIR_WITH_TIMESTAMPS ? 0u : (unsigned)WEIR_OPT_TIMESTAMPS) | (WEIR_WITH_WINDOW_SCALE ? 0u : (unsigned)WEIR_OPT_WSCALE))

static bool emit_has(const weir_fields *f, unsigned option)
{
    return (f->options & option & ~EMIT_LEFT_OUT) != 0;
}

static bool emit_syn(const weir_fields *f)
{
    return (f->flags & WEIR_SYN) != 0;
}

/* Blocks that go out: none with SYN (RFC 2018 3), and no more than fit after what `used` octets of options there are. */
static uint32_t emit_sack_count(const weir_fields *f, uint32_t used)
{
    uint32_t count = base_min32(f->sack_count, WEIR_SACK_BLOCKS_MAX);

    if (emit_syn(f) || !emit_has(f, WEIR_OPT_SACK))
        return 0;
    return base_min32(count, (EMIT_OPTIONS_MAX - used - 4) / 8);
}

WEIR_PRIVATE uint32_t weiri_emit_options_len(const weir_fields *fields)
{
    bool timestamps = emit_has(fields, WEIR_OPT_TIMESTAMPS), syn = emit_syn(fields);
    uint32_t len = timestamps ? 12 : 0, blocks;

    if (syn && emit_has(fields, WEIR_OPT_MSS))
        len += 4;
    if (syn && emit_has(fields, WEIR_OPT_SACK_OK) && !timestamps) /* else it takes the place of two NOPs */
        len += 4;
    if (syn && emit_has(fields, WEIR_OPT_WSCALE))
        len += 4;
    blocks = emit_sack_count(fields, len);
    return blocks > 0 ? len + 4 + 8 * blocks : len;
}

static uint8_t *emit_timestamps(uint8_t *at, const weir_fields *f, bool sack_ok)
{
    base_put32(at, sack_ok ? 0x0402080au : WEIRI_STAMPS);
    base_put32(at + 4, f->ts_value);
    base_put32(at + 8, f->ts_echo);
    return at + 12;
}

static uint8_t *emit_options_syn(uint8_t *at, const weir_fields *f)
{
    bool sack_ok = emit_has(f, WEIR_OPT_SACK_OK);

    if (emit_has(f, WEIR_OPT_MSS)) {
        base_put32(at, 0x02040000u | f->mss);
        at += 4;
    }
    if (emit_has(f, WEIR_OPT_TIMESTAMPS)) {
        at = emit_timestamps(at, f, sack_ok);
    } else if (sack_ok) {
        base_put32(at, 0x01010402u);
        at += 4;
    }
    if (emit_has(f, WEIR_OPT_WSCALE)) {
        base_put32(at, 0x01030300u | base_min32(f->wscale, 14)); /* RFC 7323 2.3 */
        at += 4;
    }
    return at;
}

static uint8_t *emit_options_plain(uint8_t *at, const weir_fields *f)
{
    uint32_t blocks = emit_sack_count(f, emit_has(f, WEIR_OPT_TIMESTAMPS) ? 12 : 0);

    if (emit_has(f, WEIR_OPT_TIMESTAMPS))
        at = emit_timestamps(at, f, false);
    if (blocks == 0)
        return at;
    base_put32(at, 0x01010500u | (2 + 8 * blocks));
    at += 4;
    for (uint32_t i = 0; i < blocks; i++, at += 8) {
        base_put32(at, f->sack[i].from.v);
        base_put32(at + 4, f->sack[i].to.v);
    }
    return at;
}

WEIR_API size_t weir_emit_header(uint8_t out[WEIR_TCP_HEADER_MAX], const weir_fields *fields)
{
    uint8_t *end = emit_syn(fields) ? emit_options_syn(out + 20, fields) : emit_options_plain(out + 20, fields);
    uint32_t len = (uint32_t)(end - out), flags = fields->flags & EMIT_FLAGS;

    WEIR_ASSERT(len == 20 + weiri_emit_options_len(fields) && len <= WEIR_TCP_HEADER_MAX && len % 4 == 0);
    base_put16(out, fields->source_port);
    base_put16(out + 2, fields->destination_port);
    base_put32(out + 4, fields->seq.v);
    base_put32(out + 8, (flags & WEIR_ACK) != 0 ? fields->ack.v : 0);
    base_put16(out + 12, len << 10 | flags); /* offset in words, three reserved bits of 0, nine control bits */
    base_put16(out + 14, fields->window);
    base_put16(out + 16, 0);
    base_put16(out + 18, (flags & WEIR_URG) != 0 ? fields->urgent : 0);
    return len;
}

WEIR_API void weir_emit_checksum(uint8_t *segment, size_t len, const weir_pseudo *pseudo)
{
    WEIR_ASSERT(len >= 20 && (uint64_t)len >> 32 == 0);
    base_put16(segment + 16, 0);
    base_put16(segment + 16, weiri_sum_finish(weiri_sum(segment, len, weiri_sum_pseudo(pseudo, (uint32_t)len, WEIRI_PROTO_TCP))));
}

#undef EMIT_OPTIONS_MAX
#undef EMIT_FLAGS
#undef EMIT_LEFT_OUT
