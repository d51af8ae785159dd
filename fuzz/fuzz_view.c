/* fuzz_view.c - the segment parser and the emitter: what is accepted is what stands there, and what is emitted is read again.
 *
 * Input: an octet of mode, then a segment; or, in mode EMIT, the fields of one. Checks: a refusal leaves the view alone; a checksum that is
 * right changes nothing; one flipped bit is refused; accepted fields agree with a plain reading of the header; emit, read, emit is the same. */
#include "fuzz.h"

enum { VIEW_MODE_EMIT = 1, VIEW_MODE_V6 = 2, VIEW_MODE_AS_IS = 4 };

static weir_pseudo view_pseudo(unsigned mode)
{
    weir_pseudo p;
    memset(&p, 0, sizeof p);
    p.source = weir_addr_v4(192, 0, 2, 1);
    p.destination = weir_addr_v4(198, 51, 100, 2);
    if (mode & VIEW_MODE_V6) {
        memset(&p, 0x20, sizeof p);
        p.source.octets[15] = 1;
    }
    return p;
}

/* The options by the plainest walk there is: what kinds stand before the end, each of a length that goes on. */
static bool view_walk(const uint8_t *at, size_t len, unsigned *seen)
{
    *seen = 0;
    for (size_t i = 0; i < len && at[i] != 0;) {
        if (at[i] == 1) {
            i++;
            continue;
        }
        if (i + 1 >= len || at[i + 1] < 2 || at[i + 1] > len - i) {
            return false;
        }
        *seen |= at[i] == 2 ? 1u : at[i] == 3 ? 2u : at[i] == 4 ? 4u : at[i] == 5 ? 8u : at[i] == 8 ? 16u : 0u;
        i += at[i + 1];
    }
    return true;
}

static void view_check_options(const weir_view *v, const uint8_t *octets)
{
    unsigned seen = 0;
    FUZZ_CHECK(view_walk(octets + 20, v->header_len - 20u, &seen), "accepted an option list that does not hold together");
    FUZZ_CHECK((v->options & 31u & ~seen) == 0, "an option that does not stand there");
    FUZZ_CHECK(!(v->options & WEIR_OPT_WSCALE) || v->wscale <= 14, "a shift above 14 (RFC 7323 2.3)");
    FUZZ_CHECK(!(v->options & WEIR_OPT_MSS) || v->mss != 0, "an MSS of 0");
    unsigned with_syn = WEIR_OPT_MSS | WEIR_OPT_WSCALE | WEIR_OPT_SACK_OK;
    FUZZ_CHECK((v->flags & WEIR_SYN) || !(v->options & with_syn), "an option of a SYN without one");
    FUZZ_CHECK(v->sack_count <= WEIR_SACK_BLOCKS_MAX, "more SACK blocks than fit");
    for (unsigned i = 0; (v->options & WEIR_OPT_SACK) && i < v->sack_count; i++) {
        FUZZ_CHECK(weir_seq_lt(v->sack[i].from, v->sack[i].to), "a SACK block that is empty or runs backwards");
    }
}

static void view_check(const weir_view *v, const uint8_t *octets, size_t len)
{
    FUZZ_CHECK(v->header_len == (octets[12] >> 4) * 4u && v->header_len >= 20, "header length");
    FUZZ_CHECK(v->payload == octets + v->header_len && v->payload_len == len - v->header_len, "the payload is not what follows the header");
    FUZZ_CHECK(v->source_port == (octets[0] << 8 | octets[1]) && v->source_port != 0, "source port");
    FUZZ_CHECK(v->destination_port == (octets[2] << 8 | octets[3]) && v->destination_port != 0, "destination port");
    FUZZ_CHECK(v->seq.v == base_get32(octets + 4), "sequence number");
    FUZZ_CHECK(v->ack.v == (v->flags & WEIR_ACK ? base_get32(octets + 8) : 0), "acknowledgment number");
    FUZZ_CHECK(v->flags == ((octets[12] << 8 | octets[13]) & 0x1ff), "control bits");
    FUZZ_CHECK(v->window == (octets[14] << 8 | octets[15]), "window");
    FUZZ_CHECK(v->urgent == (v->flags & WEIR_URG ? octets[18] << 8 | octets[19] : 0), "urgent pointer");
    uint32_t extra = (v->flags & WEIR_SYN ? 1u : 0u) + (v->flags & WEIR_FIN ? 1u : 0u);
    FUZZ_CHECK(weir_view_len(v) == v->payload_len + extra, "SEG.LEN");
    view_check_options(v, octets);
}

static void view_to_fields(weir_fields *f, const weir_view *v)
{
    memset(f, 0, sizeof *f);
    f->seq = v->seq;
    f->ack = v->ack;
    f->source_port = v->source_port;
    f->destination_port = v->destination_port;
    f->flags = v->flags;
    f->window = v->window;
    f->urgent = v->urgent;
    f->options = v->options;
    f->mss = v->mss;
    f->wscale = v->wscale;
    f->sack_count = v->sack_count;
    f->ts_value = v->ts_value;
    f->ts_echo = v->ts_echo;
    memcpy(f->sack, v->sack, sizeof f->sack);
}

/* Whatever the fields, a header comes out that is accepted, and read and written again it is the same octets. */
static void view_round_trip(const weir_fields *f, const weir_pseudo *pseudo)
{
    uint8_t first[WEIR_TCP_HEADER_MAX], again[WEIR_TCP_HEADER_MAX];
    weir_view v;
    weir_fields g;
    size_t len = weir_emit_header(first, f);
    FUZZ_CHECK(len >= 20 && len <= 60 && len % 4 == 0, "an emitted length that no header has");
    FUZZ_CHECK(len == 20 + weiri_emit_options_len(f), "the options are not as long as was said");
    weir_emit_checksum(first, len, pseudo);
    enum weir_verdict verdict = weir_view_segment(&v, fuzz_put(first, len), len, pseudo);
    if (f->source_port == 0 || f->destination_port == 0) {
        FUZZ_CHECK(verdict == WEIR_TCP_PORT, "a port of 0");
        return;
    }
    FUZZ_CHECK(verdict == WEIR_OK, "refused what was emitted");
    FUZZ_CHECK(v.seq.v == f->seq.v && v.window == f->window && v.flags == (f->flags & 0x1ff), "emitted fields are read as others");
    FUZZ_CHECK(!(v.options & WEIR_OPT_TIMESTAMPS) || (v.ts_value == f->ts_value && v.ts_echo == f->ts_echo), "timestamps");
    if (v.odd & (WEIR_ODD_SACK_BLOCK | WEIR_ODD_OPTION_VALUE)) {
        return; /* what was given is not kept: a block that runs backwards, an MSS of 0 */
    }
    view_to_fields(&g, &v);
    size_t len_again = weir_emit_header(again, &g);
    weir_emit_checksum(again, len_again, pseudo);
    FUZZ_CHECK(len_again == len && memcmp(first, again, len) == 0, "emitted, read and emitted again is not the same");
}

static void view_emit(struct fuzz_bytes *in, const weir_pseudo *pseudo)
{
    weir_fields f;
    memset(&f, 0, sizeof f);
    f.flags = fuzz_u16(in);
    f.options = fuzz_u16(in);
    f.seq.v = fuzz_u32(in);
    f.ack.v = fuzz_u32(in);
    f.source_port = fuzz_u16(in);
    f.destination_port = fuzz_u16(in);
    f.window = fuzz_u16(in);
    f.urgent = fuzz_u16(in);
    f.mss = fuzz_u16(in);
    f.wscale = fuzz_u8(in);
    f.sack_count = fuzz_u8(in) % (WEIR_SACK_BLOCKS_MAX + 1);
    f.ts_value = fuzz_u32(in);
    f.ts_echo = fuzz_u32(in);
    for (unsigned i = 0; i < f.sack_count; i++) {
        f.sack[i].from.v = fuzz_u32(in);
        f.sack[i].to.v = fuzz_u32(in);
    }
    view_round_trip(&f, pseudo);
}

/* Reads it with this checksum rule; an untouched view on refusal. */
static enum weir_verdict view_read(weir_view *v, const uint8_t *octets, size_t len, const weir_pseudo *pseudo)
{
    weir_view before;
    memset(&before, 0xa5, sizeof before);
    memset(v, 0xa5, sizeof *v);
    enum weir_verdict verdict = weir_view_segment(v, octets, len, pseudo);
    FUZZ_CHECK((unsigned)verdict < WEIR_VERDICT_COUNT, "no such verdict");
    FUZZ_CHECK(verdict == WEIR_OK || memcmp(v, &before, sizeof before) == 0, "refused, and the view was written to");
    return verdict;
}

static void view_segment(unsigned mode, struct fuzz_bytes *in, const weir_pseudo *pseudo)
{
    weir_view plain, summed;
    size_t len = in->left;
    uint8_t *octets = fuzz_put(in->at, len);
    fuzz_packet("in", 0, pseudo, octets, len);
    enum weir_verdict verdict = view_read(&plain, octets, len, NULL);
    if (mode & VIEW_MODE_AS_IS) {
        enum weir_verdict other = view_read(&summed, octets, len, pseudo);
        FUZZ_CHECK(other == verdict || other == WEIR_TCP_CHECKSUM, "the checksum changed the verdict on something else");
    }
    if (verdict == WEIR_OK) {
        view_check(&plain, octets, len);
    }
    if (len < 20) {
        FUZZ_CHECK(verdict == WEIR_TCP_TRUNCATED, "fewer than 20 octets");
        return;
    }
    weir_emit_checksum(octets, len, pseudo);
    FUZZ_CHECK(view_read(&summed, octets, len, pseudo) == verdict, "with its checksum right it is judged otherwise");
    if (verdict == WEIR_OK) {
        weir_fields f;
        view_to_fields(&f, &summed);
        octets[seq_diff(summed.seq, summed.ack) % len] ^= (uint8_t)(1u << (len & 7));
        FUZZ_CHECK(view_read(&plain, octets, len, pseudo) == WEIR_TCP_CHECKSUM, "one flipped bit went unseen");
        view_round_trip(&f, pseudo);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes in = {data, size};
    unsigned mode = fuzz_u8(&in);
    weir_pseudo pseudo = view_pseudo(mode);
    if (size > FUZZ_ROOM) {
        return 0;
    }
    if (mode & VIEW_MODE_EMIT) {
        view_emit(&in, &pseudo);
    } else {
        view_segment(mode, &in, &pseudo);
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
/* Whole options. */
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x01"), FUZZ_PHRASE("\x00"), FUZZ_PHRASE("\x02\x04\x05\xb4"), FUZZ_PHRASE("\x02\x04\x00\x00"), FUZZ_PHRASE("\x03\x03\x07"),
    FUZZ_PHRASE("\x03\x03\x0f"), FUZZ_PHRASE("\x04\x02"), FUZZ_PHRASE("\x05\x0a\x00\x00\x00\x01\x00\x00\x00\x09"),
    FUZZ_PHRASE("\x05\x12\x00\x00\x00\x01\x00\x00\x00\x09\x00\x00\x01\x00\x00\x00\x01\x01"), FUZZ_PHRASE("\x05\x0a\x00\x00\x00\x09\x00\x00\x00\x09"),
    FUZZ_PHRASE("\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02"), FUZZ_PHRASE("\x1c\x04\x80\x01"), FUZZ_PHRASE("\x1d\x04\x00\x00"),
    FUZZ_PHRASE("\x1e\x04\x00\x00"), FUZZ_PHRASE("\x22\x02"), FUZZ_PHRASE("\x22\x0a\x01\x02\x03\x04\x05\x06\x07\x08"), FUZZ_PHRASE("\x45\x03\x00"),
    FUZZ_PHRASE("\xac\x0b\x01\x02\x03\x04\x05\x06\x07\x08\x09"), FUZZ_PHRASE("\xae\x05\x01\x02\x03"), FUZZ_PHRASE("\xfd\x04\x00\x01"),
    FUZZ_PHRASE("\x13\x12\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), FUZZ_PHRASE("\x40\x02"),
};
#define FUZZ_MUTATE_OWN view_mutate
static size_t view_mutate(uint8_t *data, size_t size, size_t max);
#include "mutate.h"

/* A list of options after mode and fixed header, padded, and a data offset that agrees; or an octet of what is there. */
static size_t view_mutate(uint8_t *data, size_t size, size_t max)
{
    enum { VIEW_FIXED = 21 };
    uint8_t list[WEIR_TCP_HEADER_MAX], piece[MUTATE_PIECE];
    if (size < VIEW_FIXED || mutate_random(3) == 0) {
        return size > 0 ? mutate_octet(data, 0, size), size : mutate_splice(data, size, max, size, 0, list, 0);
    }
    size_t old = 4u * (data[13] >> 4), len = 0;
    old = old >= 20 && old <= size - 1 ? old - 20 : 0;
    if (mutate_random(2) == 0) { /* to what is there */
        len = old;
        memcpy(list, data + VIEW_FIXED, old);
    }
    for (size_t n = 1 + mutate_random(3); n > 0; n--) {
        size_t more = mutate_phrase(piece), at = mutate_random(2) ? len : 0;
        if (len + more <= 40) {
            len = mutate_splice(list, len, sizeof list, at, 0, piece, more);
        }
    }
    for (; len % 4 != 0; len++) {
        list[len] = mutate_random(4) == 0 ? 1 : 0;
    }
    if (size - old + len > max) {
        return size;
    }
    data[13] = (uint8_t)((5 + len / 4) << 4 | (data[13] & 15));
    return mutate_splice(data, size, max, VIEW_FIXED, old, list, len);
}
#endif
