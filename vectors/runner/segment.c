/* segment.c - segment vectors: their shape, and what became of one. */
#include <stdlib.h>
#include <string.h>

#include "vector_json.h"
#include "weir/features.h"

/* What a refusal may be for: FORMAT.md has the list. */
static bool segment_reason(const char *reason)
{
    static const char *const reasons[] = {"truncated", "checksum", "data-offset", "option-length", "option-size", "port", "authentication"};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reason != NULL && strcmp(reason, reasons[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool segment_hex(const json_t *octets)
{
    const char *text = json_string_value(octets);
    return text != NULL && strlen(text) % 2 == 0 && strspn(text, "0123456789abcdef") == strlen(text) && strlen(text) <= 2 * 65535;
}

static bool segment_shape(const json_t *v, const struct vector_place *place)
{
    const char *result = json_string_value(json_object_get(v, "result"));
    bool valid = result != NULL && strcmp(result, "valid") == 0, invalid = result != NULL && strcmp(result, "invalid") == 0;
    bool either = result != NULL && strcmp(result, "acceptable") == 0;
    const json_t *ip = json_object_get(v, "ip"), *odd = json_object_get(v, "odd"), *open = json_object_get(v, "open");
    if (!valid && !invalid && !either) {
        return vector_bad(place, "result", "is none of valid, invalid, acceptable");
    }
    if (!json_is_integer(ip) || (json_integer_value(ip) != 4 && json_integer_value(ip) != 6)) {
        return vector_bad(place, "ip", "is neither 4 nor 6");
    }
    if (!json_is_string(json_object_get(v, "from"))) {
        return vector_bad(place, "from", "is no address");
    }
    if (!json_is_string(json_object_get(v, "to"))) {
        return vector_bad(place, "to", "is no address");
    }
    if (!segment_hex(json_object_get(v, "octets"))) {
        return vector_bad(place, "octets", "is not pairs of small hexadecimal digits, at most 65535");
    }
    if (!valid && !segment_reason(json_string_value(json_object_get(v, "reason")))) {
        return vector_bad(place, "reason", "is none of FORMAT.md's reasons");
    }
    if (!invalid && !json_is_object(json_object_get(v, "fields"))) {
        return vector_bad(place, "fields", "is not an object");
    }
    if ((odd != NULL && !json_is_array(odd)) || (open != NULL && !json_is_array(open))) {
        return vector_bad(place, odd != NULL && !json_is_array(odd) ? "odd" : "open", "is not a list");
    }
    return true;
}

struct vector_file *segment_read(const char *path, char *error, size_t cap)
{
    return vector_json_read(path, VECTOR_SEGMENT, "segment-vectors-1", segment_shape, error, cap);
}

/* What is wanted of the answer: the fields, and the marks, where the segment is to be taken. */
static bool segment_fields(const json_t *v, const json_t *told, const struct vector_leeway *leeway, char *why, size_t cap)
{
    if (!vector_same(json_object_get(v, "fields"), json_object_get(told, "fields"), leeway, why, cap)) {
        return false;
    }
    if (leeway->any_silent && json_object_get(told, "odd") == NULL) {
        return true;
    }
    json_t *none = json_array();
    const json_t *odd = json_object_get(v, "odd");
    struct vector_leeway exact = {0};
    char marks[400] = "";
    bool same = none != NULL && vector_same(odd != NULL ? odd : none, json_object_get(told, "odd"), &exact, marks, sizeof marks);
    if (!same) {
        snprintf(why, cap, "odd: %s", marks);
    }
    json_decref(none);
    return same;
}

/* What may be in the answer or not: what the vector says, and options that this build knows nothing of. */
static json_t *segment_open(const json_t *v, bool here)
{
    static const char *const untold[] = {"md5", "user-timeout", "ao", "mptcp", "fast-open", "eno", "accecn", "experiment", "unknown"};
    json_t *open = json_array(), *said = json_object_get(v, "open");
    if (json_is_array(said)) {
        json_array_extend(open, said);
    }
    for (size_t i = 0; here && !WEIR_WITH_ODD && i < sizeof untold / sizeof untold[0]; i++) {
        json_array_append_new(open, json_string(untold[i]));
    }
    return open;
}

/* `here`: weir itself, of which every word counts. A build that tells less (weir/features.h) is judged as another stack is. */
static void segment_judge(const json_t *v, const json_t *told, bool here, struct outcome *outcome)
{
    bool own = here && WEIR_WITH_ODD;
    json_t *open = segment_open(v, here);
    static const char *const weir_silent[] = {"reserved", "user-timeout", "md5", "ao", "fast-open", "accecn", NULL};
    struct vector_leeway leeway = {.open = open, .silent = weir_silent, .any_silent = !own};
    const char *want = json_string_value(json_object_get(v, "result")), *got = json_string_value(json_object_get(told, "result"));
    char why[1000];
    bool taken = got != NULL && strcmp(got, "valid") == 0;
    if (got == NULL || (!taken && strcmp(got, "invalid") != 0)) {
        vector_outcome(outcome, OUTCOME_FAIL, "the answer's `result` is neither valid nor invalid");
    } else if (strcmp(want, taken ? "invalid" : "valid") == 0) {
        const char *reason = json_string_value(json_object_get(taken ? v : told, "reason"));
        snprintf(why, sizeof why, "%s, but is %s%s%.80s", taken ? "taken" : "refused", want, reason != NULL ? ": " : "",
                 reason != NULL ? reason : "");
        vector_outcome(outcome, OUTCOME_FAIL, why);
    } else if (own && json_object_get(v, "weir") != NULL && !json_equal(json_object_get(v, "weir"), json_object_get(told, "verdict"))) {
        snprintf(why, sizeof why, "weir's verdict: expected %.60s, got %.60s", json_string_value(json_object_get(v, "weir")),
                 json_string_value(json_object_get(told, "verdict")));
        vector_outcome(outcome, OUTCOME_FAIL, why);
    } else if (taken && !segment_fields(v, told, &leeway, why, sizeof why)) {
        vector_outcome(outcome, OUTCOME_FAIL, why);
    } else if (own && json_object_get(told, "problem") != NULL) {
        vector_outcome(outcome, OUTCOME_FAIL, json_string_value(json_object_get(told, "problem")));
    }
    json_decref(open);
}

void segment_run(const struct vector_file *file, const struct vector_item *item, struct target *target, struct outcome *outcome)
{
    const char *problem = NULL;
    json_t *told;
    (void)file;
    if (target == NULL) {
        told = segment_weir(item->body, &problem);
    } else {
        json_t *asked = json_pack("{sO sO sO}", "from", json_object_get(item->body, "from"), "to", json_object_get(item->body, "to"),
                                  "octets", json_object_get(item->body, "octets"));
        told = vector_ask(target, "segment", asked, outcome);
        json_decref(asked);
    }
    if (told != NULL) {
        segment_judge(item->body, told, target == NULL, outcome);
    } else if (target == NULL) {
        vector_outcome(outcome, OUTCOME_BROKEN, problem);
    }
    json_decref(told);
}
