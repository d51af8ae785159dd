/* test_function.c - function vectors: all of the tree pass on weir or name what weir lacks; one with another number in its answer fails;
 * inputs that are none are the vector's fault and are named. */
#include "data_fixture.h"

#define FOLDER WEIR_VECTORS_DIR "/function"

static int passes, lacks, caught, missed;

/* What weir lacks, and nothing else. */
static bool lacking(const char *function)
{
    static const char *const names[] = {"siphash-2-4-128",
                                        "halfsiphash-2-4",
                                        "halfsiphash-2-4-64",
                                        "cubic-reduce-literal",
                                        "prr-trace-literal",
                                        "prr-step-literal",
                                        "rfc6675-trace",
                                        "rfc6937-trace",
                                        "sequence-extension",
                                        "md5",
                                        "sha1",
                                        "hmac-sha1",
                                        "aes-128",
                                        "aes-cmac-subkeys",
                                        "aes-cmac",
                                        "aes-cmac-prf-128",
                                        "tcp-ao-traffic-key",
                                        "tcp-ao-mac",
                                        "accecn-initial",
                                        "accecn-option",
                                        "accecn-negotiation",
                                        "accecn-handshake-ace",
                                        "accecn-server-ace"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], function) == 0) {
            return true;
        }
    }
    return false;
}

static const char *function_of(const struct vector_file *file, int index)
{
    const struct vector_data *data = file->data;
    return json_string_value(json_object_get(data->items[index].body, "function"));
}

static void passed(const struct vector_file *file, int index, const struct report_case *c, const struct outcome *outcome)
{
    const char *function = function_of(file, index);
    enum outcome_verdict want = lacking(function) ? OUTCOME_UNSUPPORTED : OUTCOME_PASS;
    if (outcome->strict != want) {
        fail_msg("%s:%d: %s: %s", c->file, c->line, c->id, outcome->reason);
    }
    if (want == OUTCOME_UNSUPPORTED) {
        assert_non_null(strstr(outcome->reason, function));
        lacks++;
    } else {
        passes++;
    }
}

static void test_all_pass(void **state)
{
    (void)state;
    int count = data_run_folder(function_read, FOLDER, passed);
    print_message("%d function vectors: %d pass, %d ask for what weir lacks\n", count, passes, lacks);
    assert_true(passes > 2400 && lacks > 300);
}

/* ---- answers with one thing changed ---- */

/* Changes the n-th value below `json`, in the order in which it is walked; false if there are fewer. */
static bool spoil(json_t *json, int *n, double by)
{
    if (json_is_array(json)) {
        size_t i;
        json_t *value;
        json_array_foreach(json, i, value)
        {
            if (spoil(value, n, by)) {
                return true;
            }
            if (*n == 0 && json_is_boolean(value)) {
                return json_array_set_new(json, i, json_boolean(!json_is_true(value))) == 0;
            }
        }
        return false;
    }
    if (json_is_object(json)) {
        const char *key;
        json_t *value;
        json_object_foreach(json, key, value)
        {
            if (spoil(value, n, by)) {
                return true;
            }
            if (*n == 0 && (json_is_boolean(value) || json_is_null(value))) {
                return json_object_set_new(json, key, json_boolean(!json_is_true(value))) == 0;
            }
        }
        return false;
    }
    if ((*n)-- > 0) {
        return false;
    }
    if (json_is_integer(json)) {
        return json_integer_set(json, json_integer_value(json) + (json_int_t)by) == 0;
    }
    if (json_is_real(json)) {
        return json_real_set(json, json_real_value(json) + by) == 0;
    }
    if (json_is_string(json)) {
        return json_string_set(json, "ff00ff") == 0;
    }
    *n = 0; /* true, false, null: whoever holds it exchanges it */
    return false;
}

/* Every value of the answers of a file, changed in turn, fails. */
static void spoil_vector(const json_t *root, const json_t *vector)
{
    double tolerance = json_number_value(json_object_get(vector, "tolerance"));
    for (int n = 0; n < 40; n++) {
        char reason[1300];
        json_t *copy = json_copy((json_t *)(uintptr_t)root), *changed = json_deep_copy(vector);
        int left = n;
        bool any = spoil(json_object_get(changed, "output"), &left, tolerance > 0 ? 3 * tolerance + 1 : 1);
        if (any) {
            assert_int_equal(json_object_set_new(copy, "vectors", json_pack("[o]", changed)), 0);
            if (data_run(function_read, copy, reason, sizeof reason) == OUTCOME_FAIL) {
                caught++;
            } else {
                print_error("%s: value %d of the answer may be anything\n", json_string_value(json_object_get(vector, "id")), n);
                missed++;
            }
        } else {
            json_decref(changed);
        }
        json_decref(copy);
        if (!any) {
            break;
        }
    }
}

static void test_lies_fail(void **state)
{
    (void)state;
    DIR *dir = opendir(FOLDER);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[600];
        json_t *root, *vector;
        size_t i, len = strlen(entry->d_name), every;
        snprintf(path, sizeof path, FOLDER "/%s", entry->d_name);
        if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0 || strcmp(entry->d_name, "schema.json") == 0) {
            continue;
        }
        root = json_load_file(path, 0, NULL);
        assert_non_null(root);
        every = json_array_size(json_object_get(root, "vectors")) / 40 + 1;
        json_array_foreach(json_object_get(root, "vectors"), i, vector)
        {
            if (i % every == 0 && !lacking(json_string_value(json_object_get(vector, "function")))) {
                spoil_vector(root, vector);
            }
        }
        json_decref(root);
    }
    (void)closedir(dir);
    print_message("%d changed answers fail\n", caught);
    assert_int_equal(missed, 0);
    assert_true(caught > 500);
}

/* ---- inputs that are none ---- */

static const struct {
    const char *file, *id, *member, *json, *says;
} inputs[] = {
    {"sequence.json", "function/sequence/compare-00000000-0", "a", "\"x\"", "$.input: a is missing, no whole number"},
    {"sequence.json", "function/sequence/compare-00000000-0", "a", "-1", "a is missing, no whole number, or out of range"},
    {"sequence.json", "function/sequence/compare-00000000-0", "b", "4294967296", "b is missing, no whole number, or out of range"},
    {"sequence.json", "function/sequence/compare-00000000-0", "b", "1.5", "b is missing, no whole number"},
    {"checksum.json", "function/checksum/rfc1071-example", "octets", "\"0\"", "octets is missing, or not pairs"},
    {"checksum.json", "function/checksum/rfc1071-example", "octets", "7", "octets is missing, or not pairs"},
    {"checksum.json", "function/checksum/rfc1071-split", "parts", "7", "parts is missing, or no list"},
    {"checksum.json", "function/checksum/rfc1071-split", "parts", "[7]", "parts is missing, or not pairs"},
    {"siphash.json", "function/siphash/siphash-2-4-03", "key", "\"00\"", "key has not 16 octets"},
    {"iss.json", "function/iss/keyed-plain", "local", "\"here\"", "local is no address"},
    {"iss.json", "function/iss/keyed-plain", "secret", "\"00\"", "secret is not 16 octets"},
    {"iss.json", "function/iss/keyed-plain", "local-port", "65536", "local-port is missing"},
    {"rto.json", "function/rto/spike", "events", "[{}]", "sample is missing"},
    {"rto.json", "function/rto/spike", "events", "7", "events is missing, or no list"},
    {"rto.json", "function/rto/karn-plain", "events", "[{\"at\": 1, \"send\": [1]}]", "send is not the two edges"},
    {"rto.json", "function/rto/karn-plain", "events", "[{\"at\": 1, \"send\": [5, 5]}]", "send is not the two edges"},
    {"rto.json", "function/rto/karn-plain", "events", "[{\"at\": 1, \"send\": [0, 5]}, {\"at\": 1, \"send\": [6, 7]}]",
     "send does not begin where"},
    {"newreno.json", "function/newreno/loss", "events", "[{}]", "events has one that is none of"},
    {"cubic.json", "function/cubic/window-k0-t1", "c", "0.5", "c is not the one that RFC 9438 recommends"},
    {"cubic.json", "function/cubic/window-k0-t1", "w-max", "-1", "w-max is missing, no number, or out of range"},
    {"cubic.json", "function/cubic/window-k0-t1", "t", "\"x\"", "t is missing, no number, or out of range"},
    {"cubic.json", "function/cubic/reduce-100-100-100", "fast-convergence", "false", "fast-convergence is false"},
    {"cubic.json", "function/cubic/reduce-100-100-100", "beta", "0.5", "beta is not the one"},
    {"cubic.json", "function/cubic/reno-friendly-7-10", "acked", "[7, -1]", "acked has what is no number"},
    {"cubic.json", "function/cubic/reno-friendly-7-10", "acked", "7", "acked is missing, or no list"},
    {"delivery_rate.json", "function/delivery_rate/silence-1", "events", "[{\"at\": 1, \"send\": [5, 5]}]", "events has what is no run"},
    {"delivery_rate.json", "function/delivery_rate/silence-1", "events",
     "[{\"at\": 1, \"send\": [0, 5]}, {\"at\": 1, \"send\": [6, 7]}]", "send does not begin where"},
    {"delivery_rate.json", "function/delivery_rate/silence-1", "events", "[{\"at\": 1, \"resend\": [0, 5]}]", "resend is not the first"},
    {"delivery_rate.json", "function/delivery_rate/silence-1", "events", "[{\"at\": 1, \"ack\": 5, \"sack\": []}]", "ack is of what was never"},
    {"bbr.json", "function/bbr/startup-full", "events", "[\"tel\"]", "events has a word that is none"},
    {"bbr.json", "function/bbr/startup-full", "events", "[[1, 2, 3]]", "events has what is no acknowledgment"},
    {"bbr.json", "function/bbr/startup-full", "events", "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1]]", "events has what is no acknowledgment"},
    {"prr.json", "function/prr/rfc9937-figure2-prr", "lost", "[20]", "lost has what is no segment of the flight"},
    {"prr.json", "function/prr/rfc9937-figure2-prr", "lost", "[-1, 1.5, {}]", "lost has what is no segment of the flight"},
    {"prr.json", "function/prr/rfc9937-figure2-prr", "flight", "129", "flight is missing, no whole number, or out of range"},
    {"prr.json", "function/prr/rfc9937-figure2-prr", "acks", "-1", "acks is missing, no whole number, or out of range"},
    {"prr.json", "function/prr/step-19000-0-0-1000-plain", "safe", "0", "safe is neither true nor false"},
    {"initial_window.json", "function/initial_window/rfc5681-536", "rule", "\"RFC 1\"", "rule is neither"},
    {"reset.json", "function/reset/rst-000003e8-0", "flags", "\"FIN\"", "flags is neither RST nor SYN"},
    {"timestamps.json", "function/timestamps/paws-00000000-0", "rst", "1", "rst is neither true nor false"},
    {"timestamps.json", "function/timestamps/echo-out", "segments", "[{\"segment\": 101, \"tsval\": 1}]", "segment is missing"},
    {"exchange.json", "function/exchange/figure-06", "steps", "[{\"from\": \"C\"}]", "from is neither A nor B"},
    {"exchange.json", "function/exchange/figure-06", "steps", "[{\"to\": \"A\", \"seq\": 1, \"flags\": [\"ACK\"]}]",
     "steps deliver what nobody said"},
    {"exchange.json", "function/exchange/figure-12", "numbers", "{}", "rcv-nxt is missing"},
};

static void test_bad_inputs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        char path[300], reason[1300];
        snprintf(path, sizeof path, FOLDER "/%s", inputs[i].file);
        json_t *root = data_alone(path, inputs[i].id), *value = json_loads(inputs[i].json, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        assert_int_equal(json_object_set_new(json_object_get(data_vector(root), "input"), inputs[i].member, value), 0);
        if (data_run(function_read, root, reason, sizeof reason) != OUTCOME_BROKEN || strstr(reason, inputs[i].says) == NULL) {
            fail_msg("%s with %s %s: expected `%s`, got `%s`", inputs[i].id, inputs[i].member, inputs[i].json, inputs[i].says, reason);
        }
        json_decref(root);
    }
}

/* A number may be off by the tolerance, and by no more. */
static void test_tolerance(void **state)
{
    (void)state;
    char reason[1300];
    json_t *root = data_alone(FOLDER "/rto.json", "function/rto/floor"), *v = data_vector(root);
    json_t *first = json_array_get(json_object_get(json_object_get(v, "output"), "states"), 0);
    assert_int_equal(json_object_set_new(first, "srtt", json_real(10005.9)), 0);
    assert_int_equal(data_run(function_read, root, reason, sizeof reason), OUTCOME_PASS);
    assert_int_equal(json_object_set_new(first, "srtt", json_real(10006.1)), 0);
    assert_int_equal(data_run(function_read, root, reason, sizeof reason), OUTCOME_FAIL);
    assert_non_null(strstr(reason, "states[0].srtt: expected 10006.1"));
    json_decref(root);
}

#define GOOD "\"id\": \"function/a/b\", \"comment\": \"c\", \"level\": \"MUST\", \"section\": \"RFC 1 1\", \"covers\": []"
#define FILE_OF(v) "{\"format\": \"function-vectors-1\", \"vectors\": [\n" v "\n]}"

static void test_refused(void **state)
{
    (void)state;
    data_refused(function_read, FILE_OF("{" GOOD "}"), ":2: $.vectors[0].function: is none of FORMAT.md's functions");
    data_refused(function_read, FILE_OF("{" GOOD ", \"function\": \"sequnce\"}"), ".function: is none of FORMAT.md's functions");
    data_refused(function_read, FILE_OF("{" GOOD ", \"function\": \"md5\"}"), ".input: is not an object");
    data_refused(function_read, FILE_OF("{" GOOD ", \"function\": \"md5\", \"input\": {}}"), ".output: is not an object, or an empty one");
    data_refused(function_read, FILE_OF("{" GOOD ", \"function\": \"md5\", \"input\": {}, \"output\": {}}"),
                 ".output: is not an object, or an empty one");
    data_refused(function_read, FILE_OF("{" GOOD ", \"function\": \"md5\", \"input\": {}, \"output\": {\"a\": 1}, \"tolerance\": -1}"),
                 ".tolerance: ");
}

static void test_broken_files(void **state)
{
    (void)state;
    data_broken(function_read, FOLDER "/sack_receiver.json");
    data_broken(function_read, FOLDER "/exchange.json");
    data_broken(function_read, FOLDER "/rto.json");
    data_broken(function_read, FOLDER "/newreno.json");
    data_broken(function_read, FOLDER "/scoreboard.json");
    data_broken(function_read, FOLDER "/cubic.json");
    data_broken(function_read, FOLDER "/prr.json");
}

/* ---- adapters ---- */

static void ask(const char *words, enum outcome_verdict verdict, const char *says)
{
    data_ask(function_read, "function", words, data_alone(FOLDER "/initial_window.json", "function/initial_window/rfc5681-536"), verdict, says);
}

static void test_adapters(void **state)
{
    (void)state;
    ask("echo 'ok {\"window\": 2144}'", OUTCOME_PASS, "");
    ask("test \"$r\" = 'initial-window {\"mss\":536,\"rule\":\"RFC 5681\"}' && echo 'ok {\"window\": 2144}'", OUTCOME_PASS, "");
    ask("echo 'ok {\"window\": 2145}'", OUTCOME_FAIL, "window: expected 2144, got 2145");
    ask("echo 'ok {}'", OUTCOME_FAIL, "window: expected 2144, got nothing");
    ask("echo unimplemented", OUTCOME_UNSUPPORTED, "does not know `function initial-window`");
    ask("exit 1", OUTCOME_DEAD, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pass),  cmocka_unit_test(test_lies_fail), cmocka_unit_test(test_bad_inputs),
        cmocka_unit_test(test_tolerance), cmocka_unit_test(test_refused),   cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_adapters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
