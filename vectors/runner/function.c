/* function.c - function vectors: which functions there are, what they are given, and whether weir's answer is the vector's. */
#include "function.h"

#include <stdlib.h>
#include <string.h>

/* All functions of FORMAT.md. NULL: weir has none. */
/* Of what is kept by itself in a build with features left out nothing is asked. */
#if WEIR_WITH_EVERYTHING
#define FUNCTION_WITH_ALL(function) function
#else
#define FUNCTION_WITH_ALL(function) NULL
#endif

static const struct function_entry {
    const char *name;
    function_body *body;
} functions[] = {
    {"sequence", function_sequence},
    {"sequence-in", function_sequence_in},
    {"checksum", function_checksum},
    {"checksum-parts", function_checksum_parts},
    {"checksum-update", function_checksum_update},
    {"siphash-2-4", function_siphash},
    {"siphash-2-4-128", NULL},
    {"halfsiphash-2-4", NULL},
    {"halfsiphash-2-4-64", NULL},
    {"iss", function_iss},
    {"iss-differs", function_iss_differs},
    {"iss-advance", function_iss_advance},
    {"rto", function_rto},
    {"karn", function_karn},
    {"scoreboard", function_scoreboard},
    {"initial-window", function_initial_window},
    {"newreno", function_newreno},
    {"cubic-window", FUNCTION_WITH_ALL(function_cubic_window)},
    {"cubic-reduce", FUNCTION_WITH_ALL(function_cubic_reduce)},
    {"cubic-reduce-literal", NULL},
    {"cubic-estimate", FUNCTION_WITH_ALL(function_cubic_estimate)},
    {"cubic-step", FUNCTION_WITH_ALL(function_cubic_step)},
    {"cubic-growth", FUNCTION_WITH_ALL(function_cubic_growth)},
    {"delivery-rate", FUNCTION_WITH_ALL(function_delivery_rate)},
    {"bbr", FUNCTION_WITH_ALL(function_bbr)},
    {"prr-trace", FUNCTION_WITH_ALL(function_prr_trace)},
    {"prr-trace-literal", NULL},
    {"prr-step", FUNCTION_WITH_ALL(function_prr_step)},
    {"prr-step-literal", NULL},
    {"rfc6675-trace", NULL},
    {"rfc6937-trace", NULL},
    {"acceptable", function_acceptable},
    {"acknowledgment", function_acknowledgment},
    {"reset", function_reset},
    {"time-wait-syn", function_time_wait_syn},
    {"paws", FUNCTION_WITH_ALL(function_paws)},
    {"sack-receiver", WEIR_WITH_DSACK ? function_sack_receiver : NULL}, /* most are of duplicates */
    {"timestamp-echo", FUNCTION_WITH_ALL(function_timestamp_echo)},
    {"timestamp-echo-sent", FUNCTION_WITH_ALL(function_timestamp_echo_sent)},
    {"window", FUNCTION_WITH_ALL(function_window)},
    {"exchange", function_exchange},
    {"sequence-extension", NULL},
    {"md5", NULL},
    {"sha1", NULL},
    {"hmac-sha1", NULL},
    {"aes-128", NULL},
    {"aes-cmac-subkeys", NULL},
    {"aes-cmac", NULL},
    {"aes-cmac-prf-128", NULL},
    {"tcp-ao-traffic-key", NULL},
    {"tcp-ao-mac", NULL},
    {"accecn-initial", NULL},
    {"accecn-option", NULL},
    {"accecn-negotiation", NULL},
    {"accecn-handshake-ace", NULL},
    {"accecn-server-ace", NULL},
};

static const struct function_entry *function_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

/* ---- reading ---- */

static bool function_shape(const json_t *v, const struct vector_place *place)
{
    const json_t *tolerance = json_object_get(v, "tolerance");
    if (function_find(json_string_value(json_object_get(v, "function"))) == NULL) {
        return vector_bad(place, "function", "is none of FORMAT.md's functions");
    }
    if (!json_is_object(json_object_get(v, "input"))) {
        return vector_bad(place, "input", "is not an object");
    }
    if (json_object_size(json_object_get(v, "output")) == 0) {
        return vector_bad(place, "output", "is not an object, or an empty one");
    }
    if (tolerance != NULL && (!json_is_number(tolerance) || json_number_value(tolerance) < 0)) {
        return vector_bad(place, "tolerance", "is not a number of 0 or more");
    }
    return true;
}

struct vector_file *function_read(const char *path, char *error, size_t cap)
{
    return vector_json_read(path, VECTOR_FUNCTION, "function-vectors-1", function_shape, error, cap);
}

/* ---- inputs ---- */

void function_bad(struct function_input *in, const char *name, const char *what)
{
    if (in->bad[0] == '\0') {
        snprintf(in->bad, sizeof in->bad, "$.input: %.60s %s", name, what);
    }
}

static const json_t *function_member(const struct function_input *in, const json_t *object, const char *name)
{
    return json_object_get(object != NULL ? object : in->object, name);
}

uint64_t function_number(struct function_input *in, const json_t *object, const char *name, uint64_t max)
{
    const json_t *value = function_member(in, object, name);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number > max) {
        function_bad(in, name, "is missing, no whole number, or out of range");
        return 0;
    }
    return (uint64_t)number;
}

uint32_t function_u32(struct function_input *in, const char *name)
{
    return (uint32_t)function_number(in, NULL, name, UINT32_MAX);
}

weir_seq function_seq(struct function_input *in, const char *name)
{
    return seq_of(function_u32(in, name));
}

bool function_bool(struct function_input *in, const json_t *object, const char *name)
{
    const json_t *value = function_member(in, object, name);
    if (!json_is_boolean(value)) {
        function_bad(in, name, "is neither true nor false");
    }
    return json_is_true(value);
}

const char *function_text(struct function_input *in, const json_t *object, const char *name)
{
    const char *text = json_string_value(function_member(in, object, name));
    if (text == NULL) {
        function_bad(in, name, "is missing, or no text");
    }
    return text != NULL ? text : "";
}

const json_t *function_list(struct function_input *in, const json_t *object, const char *name)
{
    const json_t *list = function_member(in, object, name);
    if (!json_is_array(list)) {
        function_bad(in, name, "is missing, or no list");
    }
    return list;
}

uint8_t *function_octets(struct function_input *in, const json_t *hex, const char *name, size_t *len)
{
    size_t cap = json_string_length(hex) / 2;
    uint8_t *octets = malloc(cap > 0 ? cap : 1);
    long got = octets != NULL ? vector_octets(hex, octets, cap) : -1;
    if (got < 0) {
        function_bad(in, name, "is missing, or not pairs of small hexadecimal digits");
    }
    *len = got < 0 ? 0 : (size_t)got;
    return octets;
}

/* ---- running ---- */

static void function_judge(const json_t *v, const json_t *told, struct outcome *outcome)
{
    struct vector_leeway leeway = {.tolerance = json_number_value(json_object_get(v, "tolerance"))};
    const char *problem = json_string_value(json_object_get(told, "problem"));
    char why[1000];
    if (problem != NULL) {
        vector_outcome(outcome, OUTCOME_FAIL, problem);
    } else if (!vector_same(json_object_get(v, "output"), told, &leeway, why, sizeof why)) {
        vector_outcome(outcome, OUTCOME_FAIL, why);
    }
}

static void function_own(const json_t *v, const struct function_entry *entry, struct outcome *outcome)
{
    char why[300];
    struct function_input in = {json_object_get(v, "input"), ""};
    if (entry->body == NULL) {
        snprintf(why, sizeof why, "weir has no function %s", entry->name);
        vector_outcome(outcome, OUTCOME_UNSUPPORTED, why);
        return;
    }
    json_t *told = entry->body(&in);
    if (in.bad[0] != '\0' || told == NULL) {
        vector_outcome(outcome, OUTCOME_BROKEN, in.bad[0] != '\0' ? in.bad : "no memory");
    } else {
        function_judge(v, told, outcome);
    }
    json_decref(told);
}

void function_run(const struct vector_file *file, const struct vector_item *item, struct target *target, struct outcome *outcome)
{
    const struct function_entry *entry = function_find(json_string_value(json_object_get(item->body, "function")));
    char command[100];
    (void)file;
    if (target == NULL) {
        function_own(item->body, entry, outcome);
        return;
    }
    snprintf(command, sizeof command, "function %s", entry->name);
    json_t *told = vector_ask(target, command, json_object_get(item->body, "input"), outcome);
    if (told != NULL) {
        function_judge(item->body, told, outcome);
    }
    json_decref(told);
}
