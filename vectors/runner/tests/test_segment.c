/* test_segment.c - segment vectors: all of the tree pass on weir; a vector that says anything else about the same octets fails; a broken
 * file is refused with its place. */
#include "data_fixture.h"

#define FOLDER WEIR_VECTORS_DIR "/segment"

static int results[3]; /* valid, invalid, acceptable */

static void passed(const struct vector_file *file, int index, const struct report_case *c, const struct outcome *outcome)
{
    const struct vector_data *data = file->data;
    const char *result = json_string_value(json_object_get(data->items[index].body, "result"));
    if (outcome->strict != OUTCOME_PASS) {
        fail_msg("%s:%d: %s: %s", c->file, c->line, c->id, outcome->reason);
    }
    results[result[0] == 'v' ? 0 : result[0] == 'i' ? 1 : 2]++;
}

static void test_all_pass(void **state)
{
    (void)state;
    int count = data_run_folder(segment_read, FOLDER, passed);
    print_message("%d segment vectors: %d valid, %d invalid, %d acceptable\n", count, results[0], results[1], results[2]);
    assert_true(count > 1500 && results[0] > 1000 && results[1] > 300 && results[2] > 100);
}

/* The line of a vector is where its text stands. */
static void test_lines(void **state)
{
    (void)state;
    char error[300];
    struct report_case c = {0};
    const char *text = "{\"format\": \"segment-vectors-1\",\n\n \"vectors\": [\n{\"level\": \"MUST\", \"id\": \"segment/a/1\", "
                       "\"comment\": \"c\", \"section\": \"RFC 1 1\",\n"
                       "\"covers\": [\"MUST-1\"], \"ip\": 4, \"from\": \"1.2.3.4\", \"to\": \"5.6.7.8\", \"octets\": \"\", \"result\": "
                       "\"invalid\", \"reason\": \"truncated\"},\n"
                       "{\"id\": \"segment/a/2\", \"comment\": \"c\", \"level\": \"MAY\", \"section\": \"RFC 1 1\", \"family\": \"f\",\n"
                       "\"covers\": [], \"ip\": 4, \"from\": \"1.2.3.4\", \"to\": \"5.6.7.8\", \"octets\": \"\", \"result\": \"invalid\", "
                       "\"reason\": \"truncated\"}]}";
    struct vector_file *file = data_of_text(segment_read, text, strlen(text), error, sizeof error);
    assert_non_null(file);
    assert_int_equal(vector_count(file), 2);
    vector_describe(file, 0, &c);
    assert_int_equal(c.line, 4);
    assert_null(c.family);
    assert_string_equal(c.covers[0], "MUST-1");
    assert_null(c.covers[1]);
    vector_describe(file, 1, &c);
    assert_int_equal(c.line, 6);
    assert_string_equal(c.family, "f");
    assert_string_equal(c.level, "MAY");
    assert_null(c.covers[0]);
    vector_file_free(file);
}

/* ---- vectors that are wrong about weir ---- */

/* A member of a vector, given as JSON, and what the failure has to say. */
static const struct lie {
    const char *file, *id, *member, *json, *says;
} lies[] = {
    {"checksum.json", "segment/checksum/right-v4", "octets", "\"c000\"", "refused"},
    {"option-size.json", "segment/option-size/mss-2-03", "result", "\"valid\"", "refused, but is valid: tcp-option-size"},
    {"option-twice.json", "segment/option-twice/md5-and-ao", "result", "\"invalid\"", "taken, but is invalid: authentication"},
    {"checksum.json", "segment/checksum/right-v6", "from", "\"2001:db8::2\"", "refused"},
    {"checksum.json", "segment/checksum/plus-one-v4", "weir", "\"tcp-truncated\"", "weir's verdict"},
    {"header.json", "segment/header/ports-0-80", "weir", "\"ok\"", "weir's verdict"},
    {"header.json", "segment/header/plain-v4", "fields/seq", "1", "seq: expected 1, got 286331153"},
    {"header.json", "segment/header/plain-v4", "fields/ack", "1", "ack: expected 1"},
    {"header.json", "segment/header/plain-v4", "fields/window", "1", "window: expected 1"},
    {"header.json", "segment/header/plain-v4", "fields/source-port", "1", "source-port"},
    {"header.json", "segment/header/plain-v4", "fields/destination-port", "1", "destination-port"},
    {"header.json", "segment/header/plain-v4", "fields/header-length", "24", "header-length"},
    {"header.json", "segment/header/plain-v4", "fields/flags", "[\"ACK\", \"FIN\"]", "flags"},
    {"header.json", "segment/header/plain-v4", "fields/flags", "[]", "flags"},
    {"header.json", "segment/header/plain-v4", "fields/urgent", "5", "urgent"},
    {"header.json", "segment/header/plain-v4", "fields/payload", "\"00\"", "payload"},
    {"header.json", "segment/header/plain-v4", "fields/options", "[\"mss\"]", "options: expected [\"mss\"], got []"},
    {"header.json", "segment/header/plain-v4", "odd", "[\"reserved\"]", "odd: "},
    {"header.json", "segment/header/reserved-1-ack", "odd", NULL, "odd: "},
    {"header.json", "segment/header/ack-number-without-ack-syn", "fields/ack", "8", "ack: expected 8, got 7"},
    {"option-value.json", "segment/option-value/mss-536", "fields/mss", "537", "mss: expected 537, got 536"},
    {"option-value.json", "segment/option-value/window-scale-015", "fields/window-scale", "15", "window-scale: expected 15, got 14"},
    {"option-value.json", "segment/option-value/timestamps-usual-00000001-00000000", "fields/timestamps", "{\"value\": 1, \"echo\": 1}",
     "timestamps.echo"},
    {"option-value.json", "segment/option-value/sack-2-blocks", "fields/sack", "[[1, 2]]", "sack"},
    {"option-value.json", "segment/option-value/sack-forward", "fields/sack", "[[100, 201]]", "sack[0][1]: expected 201, got 200"},
    {"option-list.json", "segment/option-list/plain-nop-ts-nop", "flags", "[\"Layout\"]", "has other octets"},
    {"option-twice.json", "segment/option-twice/mss-2-same", "odd", "[\"padding\"]", "odd: "},
};

static void change(json_t *vector, const char *member, const char *json)
{
    const char *slash = strchr(member, '/');
    json_t *object = vector;
    if (slash != NULL) {
        char outer[40];
        snprintf(outer, sizeof outer, "%.*s", (int)(slash - member), member);
        object = json_object_get(vector, outer);
        member = slash + 1;
    }
    if (json == NULL) {
        assert_int_equal(json_object_del(object, member), 0);
    } else {
        json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
        assert_non_null(value);
        assert_int_equal(json_object_set_new(object, member, value), 0);
    }
}

static void test_lies_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        char path[300], reason[1300];
        snprintf(path, sizeof path, FOLDER "/%s", lies[i].file);
        json_t *root = data_alone(path, lies[i].id);
        if (strcmp(lies[i].member, "flags") != 0) { /* the untouched vector passes */
            assert_int_equal(data_run(segment_read, root, reason, sizeof reason), OUTCOME_PASS);
        }
        change(data_vector(root), lies[i].member, lies[i].json);
        if (data_run(segment_read, root, reason, sizeof reason) != OUTCOME_FAIL || strstr(reason, lies[i].says) == NULL) {
            fail_msg("%s with another %s: expected a failure with `%s`, got `%s`", lies[i].id, lies[i].member, lies[i].says, reason);
        }
        json_decref(root);
    }
}

/* What is open is not compared, and nothing else is let through by it. */
static void test_open(void **state)
{
    (void)state;
    char reason[1300];
    json_t *root = data_alone(FOLDER "/option-twice.json", "segment/option-twice/mss-2-other"), *v = data_vector(root);
    change(v, "fields/mss", "77");
    change(v, "fields/options", "[]");
    assert_int_equal(data_run(segment_read, root, reason, sizeof reason), OUTCOME_PASS);
    change(v, "fields/options", "[\"sack\"]");
    assert_int_equal(data_run(segment_read, root, reason, sizeof reason), OUTCOME_FAIL);
    change(v, "fields/options", "[]");
    change(v, "open", NULL);
    assert_int_equal(data_run(segment_read, root, reason, sizeof reason), OUTCOME_FAIL);
    json_decref(root);
}

static void test_bad_address(void **state)
{
    (void)state;
    char reason[1300];
    json_t *root = data_alone(FOLDER "/header.json", "segment/header/plain-v4");
    change(data_vector(root), "from", "\"2001:db8::1\"");
    assert_int_equal(data_run(segment_read, root, reason, sizeof reason), OUTCOME_BROKEN);
    assert_non_null(strstr(reason, "no address of the family"));
    json_decref(root);
}

/* ---- files that are none ---- */

#define GOOD "\"id\": \"segment/a/b\", \"comment\": \"c\", \"level\": \"MUST\", \"section\": \"RFC 1 1\", \"covers\": []"
#define REST "\"ip\": 4, \"from\": \"1.2.3.4\", \"to\": \"1.2.3.5\", \"octets\": \"00\""
#define FILE_OF(v) "{\"format\": \"segment-vectors-1\", \"vectors\": [\n" v "\n]}"

static void test_refused(void **state)
{
    (void)state;
    char error[300];
    assert_null(segment_read("/nowhere/at/all.json", error, sizeof error));
    assert_non_null(strstr(error, "/nowhere/at/all.json: No such file"));
    assert_null(segment_read("/tmp", error, sizeof error));
    data_refused(segment_read, "", ":1:0: ");
    data_refused(segment_read, "{\"format\": \"segment-vectors-1\",\n \"vectors\": [}", ":2:14: ");
    data_refused(segment_read, "{\"a\": 1,\n\"a\": 2}", "duplicate object key");
    data_refused(segment_read, "[]", ": $.format: is missing");
    data_refused(segment_read, "{\"format\": \"function-vectors-1\", \"vectors\": []}",
                 "$.format: is function-vectors-1, not segment-vectors-1");
    data_refused(segment_read, "{\"format\": \"segment-vectors-1\", \"vectors\": []}", "$.vectors: is not a list, or an empty one");
    data_refused(segment_read, "{\"format\": \"segment-vectors-1\", \"vectors\": {}}", "$.vectors: is not a list, or an empty one");
    data_refused(segment_read, FILE_OF("7"), "$.vectors[0]: is not an object");
    data_refused(segment_read, FILE_OF("{}"), "$.vectors[0].id: is missing");
    data_refused(segment_read, FILE_OF("{\"id\": 7}"), "$.vectors[0].id: is missing, empty, or no text");
    data_refused(segment_read, FILE_OF("{\"id\": \"x\", \"comment\": \"\"}"), ":2: $.vectors[0].comment: is missing");
    data_refused(segment_read, FILE_OF("{\"id\": \"x\", \"comment\": \"c\", \"level\": \"must\", \"section\": \"s\"}"),
                 ".level: is none of");
    data_refused(segment_read, FILE_OF("{\"id\": \"x\", \"comment\": \"c\", \"level\": \"MUST\", \"section\": \"s\", \"covers\": 1}"),
                 ".covers: is not a list");
    data_refused(segment_read, FILE_OF("{\"id\": \"x\", \"comment\": \"c\", \"level\": \"MUST\", \"section\": \"s\", \"covers\": [1]}"),
                 ".covers: has something");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"family\": 1}"), ".family: is empty");
    data_refused(segment_read, FILE_OF("{" GOOD "}"), ".result: is none of");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"result\": \"valid\", \"ip\": 5}"), ".ip: is neither 4 nor 6");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"result\": \"valid\", \"ip\": 4}"), ".from: is no address");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"result\": \"valid\", \"ip\": 4, \"from\": \"\"}"), ".to: is no address");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"result\": \"valid\", \"ip\": 4, \"from\": \"\", \"to\": \"\", \"octets\": \"0\"}"),
                 ".octets: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", \"result\": \"valid\", \"ip\": 4, \"from\": \"\", \"to\": \"\", \"octets\": \"0G\"}"),
                 ".octets: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"invalid\"}"), ".reason: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"invalid\", \"reason\": \"bad\"}"), ".reason: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"valid\"}"), ".fields: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"valid\", \"fields\": {}, \"odd\": 1}"), ".odd: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"valid\", \"fields\": {}, \"open\": 1}"), ".open: ");
    data_refused(segment_read, FILE_OF("{" GOOD ", " REST ", \"result\": \"invalid\", \"reason\": \"port\"},\n{\"id\": \"second\"}"),
                 ":3: $.vectors[1].comment");
}

static void test_broken_files(void **state)
{
    (void)state;
    data_broken(segment_read, FOLDER "/option-value.json");
    data_broken(segment_read, FOLDER "/header.json");
}

/* ---- adapters ---- */

static void ask(const char *words, enum outcome_verdict verdict, const char *says)
{
    data_ask(segment_read, "segment", words, data_alone(FOLDER "/option-value.json", "segment/option-value/mss-536"), verdict, says);
}

static void test_adapters(void **state)
{
    (void)state;
    ask("echo 'ok {\"result\": \"valid\", \"fields\": {\"mss\": 536, \"seq\": 286331153}}'", OUTCOME_PASS, "");
    ask("echo 'ok {\"result\": \"valid\", \"fields\": {\"mss\": 535}}'", OUTCOME_FAIL, "mss: expected 536, got 535");
    ask("echo 'ok {\"result\": \"valid\"}'", OUTCOME_FAIL, "answer: expected");
    ask("echo 'ok {\"result\": \"valid\", \"fields\": {}, \"odd\": [\"padding\"]}'", OUTCOME_FAIL, "odd: ");
    ask("echo 'ok {\"result\": \"invalid\"}'", OUTCOME_FAIL, "refused, but is valid");
    ask("echo 'ok {\"result\": 1}'", OUTCOME_FAIL, "neither valid nor invalid");
    ask("echo 'ok [1'", OUTCOME_FAIL, "no JSON object");
    ask("echo 'ok'", OUTCOME_FAIL, "no JSON object");
    ask("echo unimplemented", OUTCOME_UNSUPPORTED, "does not know `segment`");
    ask("echo 'error EINVAL'", OUTCOME_FAIL, "answered error");
    ask("exit 3", OUTCOME_DEAD, "3");
    /* What it is asked: the three members, on one line. */
    ask("case $r in '{\"from\":\"192.0.2.1\",\"to\":\"198.51.100.2\",\"octets\":\"c000'*) echo 'ok {\"result\": \"valid\", \"fields\": "
        "{}}';; esac",
        OUTCOME_PASS, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pass),     cmocka_unit_test(test_lines),       cmocka_unit_test(test_lies_fail),
        cmocka_unit_test(test_open),         cmocka_unit_test(test_bad_address), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_broken_files), cmocka_unit_test(test_adapters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
