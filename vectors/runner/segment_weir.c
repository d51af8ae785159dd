/* segment_weir.c - what weir makes of the octets of a segment, in the words of the vectors; and whether it writes what it has read. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "vector_json.h"
#include "weir/weir.h"

struct segment_word {
    unsigned bit;
    const char *word;
};
/* In the order of the words. */
static const struct segment_word segment_options[] = {{WEIR_OPT_ACCECN, "accecn"},
                                                      {WEIR_OPT_AO, "ao"},
                                                      {WEIR_OPT_ENO, "eno"},
                                                      {WEIR_OPT_EXPERIMENT, "experiment"},
                                                      {WEIR_OPT_TFO, "fast-open"},
                                                      {WEIR_OPT_MD5, "md5"},
                                                      {WEIR_OPT_MPTCP, "mptcp"},
                                                      {WEIR_OPT_MSS, "mss"},
                                                      {WEIR_OPT_SACK, "sack"},
                                                      {WEIR_OPT_SACK_OK, "sack-permitted"},
                                                      {WEIR_OPT_TIMESTAMPS, "timestamps"},
                                                      {WEIR_OPT_UNKNOWN, "unknown"},
                                                      {WEIR_OPT_UTO, "user-timeout"},
                                                      {WEIR_OPT_WSCALE, "window-scale"},
                                                      {0, NULL}};
static const struct segment_word segment_odd[] = {{WEIR_ODD_ACK, "acknowledgment"},
                                                  {WEIR_ODD_FLAGS, "flags"},
                                                  {WEIR_ODD_OPTION_PLACE, "option-place"},
                                                  {WEIR_ODD_OPTION_TWICE, "option-twice"},
                                                  {WEIR_ODD_OPTION_VALUE, "option-value"},
                                                  {WEIR_ODD_PADDING, "padding"},
                                                  {WEIR_ODD_RESERVED, "reserved"},
                                                  {WEIR_ODD_SACK_BLOCK, "sack-block"},
                                                  {WEIR_ODD_URGENT, "urgent"},
                                                  {0, NULL}};
static const struct segment_word segment_flags[] = {{WEIR_FIN, "FIN"}, {WEIR_SYN, "SYN"}, {WEIR_RST, "RST"}, {WEIR_PSH, "PSH"},
                                                    {WEIR_ACK, "ACK"}, {WEIR_URG, "URG"}, {WEIR_ECE, "ECE"}, {WEIR_CWR, "CWR"},
                                                    {WEIR_AE, "AE"},   {0, NULL}};

static json_t *segment_words(const struct segment_word *words, unsigned bits)
{
    json_t *list = json_array();
    for (; words->word != NULL; words++) {
        if ((bits & words->bit) != 0) {
            json_array_append_new(list, json_string(words->word));
        }
    }
    return list;
}

static json_t *segment_sack(const weir_view *v)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < v->sack_count; i++) {
        json_array_append_new(list, json_pack("[II]", (json_int_t)v->sack[i].from.v, (json_int_t)v->sack[i].to.v));
    }
    return list;
}

/* weir does not hand out fields whose control bit is off: they read as 0, and the mark says so, if it says any. The vector has them as they
 * stand. */
static json_t *segment_fields_of(const weir_view *v, const uint8_t *octets)
{
    bool no_ack = WEIR_WITH_ODD ? (v->odd & WEIR_ODD_ACK) != 0 : (v->flags & WEIR_ACK) == 0;
    bool no_urg = WEIR_WITH_ODD ? (v->odd & WEIR_ODD_URGENT) != 0 : (v->flags & WEIR_URG) == 0;
    json_int_t ack = no_ack ? (json_int_t)octets[8] << 24 | octets[9] << 16 | octets[10] << 8 | octets[11] : v->ack.v;
    json_int_t urgent = no_urg ? octets[18] << 8 | octets[19] : v->urgent;
    json_t *fields =
        json_pack("{sI sI sI sI sI so sI sI so so}", "source-port", (json_int_t)v->source_port, "destination-port",
                  (json_int_t)v->destination_port, "seq", (json_int_t)v->seq.v, "ack", ack, "header-length", (json_int_t)v->header_len,
                  "flags", segment_words(segment_flags, v->flags), "window", (json_int_t)v->window, "urgent", urgent, "payload",
                  vector_hex(v->payload, v->payload_len), "options", segment_words(segment_options, v->options));
    if ((v->options & WEIR_OPT_MSS) != 0) {
        json_object_set_new(fields, "mss", json_integer(v->mss));
    }
    if ((v->options & WEIR_OPT_WSCALE) != 0) {
        json_object_set_new(fields, "window-scale", json_integer(v->wscale));
    }
    if ((v->options & WEIR_OPT_SACK) != 0) {
        json_object_set_new(fields, "sack", segment_sack(v));
    }
    if ((v->options & WEIR_OPT_TIMESTAMPS) != 0) {
        json_object_set_new(fields, "timestamps", json_pack("{sI sI}", "value", (json_int_t)v->ts_value, "echo", (json_int_t)v->ts_echo));
    }
    return fields;
}

/* ---- writing what was read ---- */

#define SEGMENT_WRITTEN                                                                                                  \
    (WEIR_OPT_MSS | WEIR_OPT_SACK_OK | WEIR_OPT_SACK | (WEIR_WITH_WINDOW_SCALE ? WEIR_OPT_WSCALE : 0) |                  \
     (WEIR_WITH_TIMESTAMPS ? WEIR_OPT_TIMESTAMPS : 0))

static weir_fields segment_to_write(const weir_view *v)
{
    weir_fields f = {.seq = v->seq,
                     .ack = v->ack,
                     .source_port = v->source_port,
                     .destination_port = v->destination_port,
                     .flags = v->flags,
                     .window = v->window,
                     .urgent = v->urgent,
                     .options = v->options,
                     .mss = v->mss,
                     .wscale = v->wscale,
                     .sack_count = v->sack_count,
                     .ts_value = v->ts_value,
                     .ts_echo = v->ts_echo};
    memcpy(f.sack, v->sack, sizeof f.sack);
    return f;
}

/* All fields of a segment but where its octets lie, and how long a header they took. */
static bool segment_alike(const weir_view *a, const weir_view *b)
{
    bool fixed = a->seq.v == b->seq.v && a->ack.v == b->ack.v && a->source_port == b->source_port &&
                 a->destination_port == b->destination_port && a->flags == b->flags && a->window == b->window && a->urgent == b->urgent &&
                 a->options == b->options;
    bool options = a->mss == b->mss && a->wscale == b->wscale && a->sack_count == b->sack_count && a->ts_value == b->ts_value &&
                   a->ts_echo == b->ts_echo && memcmp(a->sack, b->sack, a->sack_count * sizeof a->sack[0]) == 0;
    return fixed && options && a->payload_len == b->payload_len && memcmp(a->payload, b->payload, a->payload_len) == 0;
}

/* NULL, or what went wrong when the fields of a plain segment were written and read again. `exact`: the octets must be the same. */
static const char *segment_again(const weir_view *v, const uint8_t *octets, size_t len, const weir_pseudo *pseudo, bool exact)
{
    weir_fields fields = segment_to_write(v);
    weir_view again;
    uint8_t *out = malloc(WEIR_TCP_HEADER_MAX + v->payload_len);
    if (out == NULL) {
        return "no memory";
    }
    size_t header = weir_emit_header(out, &fields), whole = header + v->payload_len;
    memcpy(out + header, v->payload, v->payload_len);
    weir_emit_checksum(out, whole, pseudo);
    const char *problem = NULL;
    if (weir_view_segment(&again, out, whole, pseudo) != WEIR_OK) {
        problem = "weir refuses what it wrote from these fields";
    } else if (!segment_alike(v, &again)) {
        problem = "what weir wrote from these fields reads otherwise";
    } else if (exact && (whole != len || memcmp(out, octets, len) != 0)) {
        problem = "what weir wrote from these fields has other octets";
    }
    free(out);
    return problem;
}

/* Can weir write it: no option that it only reads, no strangeness, and no more SACK blocks than fit. */
static bool segment_writable(const weir_view *v)
{
    bool room = (v->options & WEIR_OPT_TIMESTAMPS) == 0 || v->sack_count < 4;
    return (v->options & ~(unsigned)SEGMENT_WRITTEN) == 0 && (v->odd & ~(unsigned)(WEIR_ODD_FLAGS | WEIR_ODD_PADDING)) == 0 && room &&
           ((v->options & WEIR_OPT_SACK) == 0 || v->sack_count > 0);
}

static bool segment_has_flag(const json_t *vector, const char *name)
{
    const json_t *flags = json_object_get(vector, "flags");
    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *flag = json_string_value(json_array_get(flags, i));
        if (flag != NULL && strcmp(flag, name) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the answer ---- */

static bool segment_address(const json_t *text, bool v6, weir_addr *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    memcpy(address->octets, mapped, sizeof mapped);
    return inet_pton(v6 ? AF_INET6 : AF_INET, json_string_value(text), address->octets + (v6 ? 0 : 12)) == 1;
}

static json_t *segment_answer(const json_t *vector, const uint8_t *octets, size_t len, const weir_pseudo *pseudo)
{
    weir_view v, before;
    memset(&v, 0xa5, sizeof v);
    memcpy(&before, &v, sizeof v);
    enum weir_verdict verdict = weir_view_segment(&v, octets, len, pseudo);
    json_t *told = json_pack("{ss ss}", "result", verdict == WEIR_OK ? "valid" : "invalid", "verdict", weir_verdict_name(verdict));
    if (verdict != WEIR_OK) {
        json_object_set_new(told, "reason", json_string(weir_verdict_name(verdict)));
        if (memcmp(&v, &before, sizeof v) != 0) {
            json_object_set_new(told, "problem", json_string("weir refused the segment and wrote to the view all the same"));
        }
        return told;
    }
    json_object_set_new(told, "fields", segment_fields_of(&v, octets));
    if (!WEIR_WITH_ODD) { /* what may be written again is not known without it */
        return told;
    }
    json_object_set_new(told, "odd", segment_words(segment_odd, v.odd));
    bool exact = segment_has_flag(vector, "Layout");
    bool hidden = ((v.odd & WEIR_ODD_ACK) == 0 || v.ack.v == 0) && ((v.odd & WEIR_ODD_URGENT) == 0 || v.urgent == 0);
    const char *problem = !hidden                         ? "weir hands out a field whose control bit is off"
                          : segment_writable(&v) || exact ? segment_again(&v, octets, len, pseudo, exact)
                                                          : NULL;
    if (problem != NULL) {
        json_object_set_new(told, "problem", json_string(problem));
    }
    return told;
}

json_t *segment_weir(const json_t *vector, const char **problem)
{
    weir_pseudo pseudo;
    bool v6 = json_integer_value(json_object_get(vector, "ip")) == 6;
    const json_t *hex = json_object_get(vector, "octets");
    if (!segment_address(json_object_get(vector, "from"), v6, &pseudo.source) ||
        !segment_address(json_object_get(vector, "to"), v6, &pseudo.destination)) {
        *problem = "`from` or `to` is no address of the family that `ip` says";
        return NULL;
    }
    /* Exactly as long as the segment: a sanitizer sees whoever reads past it. */
    size_t len = json_string_length(hex) / 2;
    uint8_t *octets = malloc(len > 0 ? len : 1);
    json_t *told = NULL;
    if (octets != NULL && vector_octets(hex, octets, len) == (long)len) {
        told = segment_answer(vector, octets, len, &pseudo);
    } else {
        *problem = "no memory";
    }
    free(octets);
    return told;
}
