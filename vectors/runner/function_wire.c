/* function_wire.c - functions that know no connection: sequence numbers, checksums, keyed hashes, initial sequence numbers. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "function.h"

json_t *function_sequence(struct function_input *in)
{
    weir_seq a = function_seq(in, "a"), b = function_seq(in, "b");
    if (weir_seq_lt(a, b) != seq_lt(a, b) || weir_seq_leq(a, b) != seq_leq(a, b)) {
        return json_pack("{ss}", "problem", "weir_seq_lt and seq_lt disagree");
    }
    return json_pack("{sb sb sI}", "less", weir_seq_lt(a, b), "less-or-equal", weir_seq_leq(a, b), "distance", (json_int_t)seq_diff(a, b));
}

json_t *function_sequence_in(struct function_input *in)
{
    return json_pack("{sb}", "inside", seq_in(function_seq(in, "number"), function_seq(in, "from"), function_u32(in, "length")));
}

/* The sum as a number, from weir's complement of it. */
static json_t *function_sums(uint64_t sum)
{
    uint16_t checksum = weiri_sum_finish(sum);
    return json_pack("{si si}", "sum", (int)(uint16_t)~checksum, "checksum", (int)checksum);
}

/* The same by all three ways that weir has: over the octets, while copying, and from any alignment. */
json_t *function_checksum(struct function_input *in)
{
    size_t len;
    uint8_t *octets = function_octets(in, json_object_get(in->object, "octets"), "octets", &len), *copy = malloc(len + 8);
    json_t *told = NULL;
    if (octets != NULL && copy != NULL) {
        uint64_t sum = weiri_sum(octets, len, 0);
        bool same = true;
        for (size_t shift = 0; shift < 8; shift++) {
            memset(copy, 0xa5, len + 8);
            uint64_t copied = weiri_sum_copy(copy + shift, octets, len, 0);
            same = same && weiri_sum_finish(copied) == weiri_sum_finish(sum) && memcmp(copy + shift, octets, len) == 0 &&
                   weiri_sum_finish(weiri_sum(copy + shift, len, 0)) == weiri_sum_finish(sum);
        }
        told = same ? function_sums(sum) : json_pack("{ss}", "problem", "weiri_sum_copy or another alignment sums otherwise");
    }
    free(octets);
    free(copy);
    return told;
}

json_t *function_checksum_parts(struct function_input *in)
{
    const json_t *parts = function_list(in, NULL, "parts");
    uint64_t sum = 0;
    size_t offset = 0;
    for (size_t i = 0; i < json_array_size(parts); i++) {
        size_t len;
        uint8_t *octets = function_octets(in, json_array_get(parts, i), "parts", &len);
        if (octets == NULL) {
            return NULL;
        }
        sum = weiri_sum_join(sum, weiri_sum(octets, len, 0), offset);
        offset += len;
        free(octets);
    }
    return function_sums(sum);
}

json_t *function_checksum_update(struct function_input *in)
{
    uint16_t checksum = (uint16_t)function_number(in, NULL, "checksum", UINT16_MAX),
             before = (uint16_t)function_number(in, NULL, "before", UINT16_MAX);
    return json_pack("{si}", "checksum",
                     (int)weiri_checksum_update(checksum, before, (uint16_t)function_number(in, NULL, "after", UINT16_MAX)));
}

json_t *function_siphash(struct function_input *in)
{
    size_t len, key_len;
    uint8_t *octets = function_octets(in, json_object_get(in->object, "octets"), "octets", &len);
    uint8_t *key = function_octets(in, json_object_get(in->object, "key"), "key", &key_len), hash[8];
    json_t *told = NULL;
    if (key_len != 16) {
        function_bad(in, "key", "has not 16 octets");
    } else if (octets != NULL) {
        uint64_t number = weir_siphash(key, octets, len);
        for (unsigned i = 0; i < 8; i++) {
            hash[i] = (uint8_t)(number >> (8 * i));
        }
        told = json_pack("{so}", "hash", vector_hex(hash, sizeof hash));
    }
    free(octets);
    free(key);
    return told;
}

/* ---- initial sequence numbers ---- */

static weir_addr function_address(struct function_input *in, const json_t *object, const char *name)
{
    weir_addr a = weir_addr_v4(0, 0, 0, 0);
    const char *text = function_text(in, object, name);
    if (inet_pton(AF_INET, text, a.octets + 12) != 1 && inet_pton(AF_INET6, text, a.octets) != 1) {
        function_bad(in, name, "is no address");
    }
    return a;
}

static weir_seq function_iss_of(struct function_input *in, const json_t *object, weir_us later)
{
    weir_config cfg;
    weir_tuple tuple;
    weir_config_rfc(&cfg);
    if (vector_octets(json_object_get(object, "secret"), cfg.secret, sizeof cfg.secret) != (long)sizeof cfg.secret) {
        function_bad(in, "secret", "is not 16 octets");
    }
    tuple.local = function_address(in, object, "local");
    tuple.remote = function_address(in, object, "remote");
    tuple.local_port = (uint16_t)function_number(in, object, "local-port", UINT16_MAX);
    tuple.remote_port = (uint16_t)function_number(in, object, "remote-port", UINT16_MAX);
    return weiri_iss(&cfg, &tuple, function_number(in, object, "time", INT64_MAX) + later);
}

json_t *function_iss(struct function_input *in)
{
    return json_pack("{sI}", "iss", (json_int_t)function_iss_of(in, in->object, 0).v);
}

json_t *function_iss_differs(struct function_input *in)
{
    weir_seq first = function_iss_of(in, json_object_get(in->object, "first"), 0);
    return json_pack("{sb}", "differs", !seq_eq(first, function_iss_of(in, json_object_get(in->object, "second"), 0)));
}

json_t *function_iss_advance(struct function_input *in)
{
    const json_t *first = json_object_get(in->object, "first");
    weir_seq later = function_iss_of(in, first, function_number(in, NULL, "later", INT64_MAX));
    return json_pack("{sI}", "advance", (json_int_t)seq_diff(function_iss_of(in, first, 0), later));
}
