/* test_ladder.c - what a ladder shows of a record: the peer's states, what was lost, what is missing; as text and as a picture that any
 * reader of XML takes, the same octets every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ladder.h"
#include "markup.h"
#include "packet_parts.h"

static struct record_line lines[32];
static struct record record;
static struct ladder ladder;
static const uint8_t something[60] = {0x45};

static int fresh(void **state)
{
    (void)state;
    memset(lines, 0, sizeof lines);
    record = (struct record){.lines = lines, .cap = 32,
                             .space = {.in_known = true, .out_known = true, .in_base = 100, .out_base = 4294967290u}};
    return 0;
}

static int over(void **state)
{
    (void)state;
    ladder_free(&ladder);
    return 0;
}

/* A segment by the script's numbers: in, from the peer; out, from the stack. */
static struct record_line *segment(bool out, uint16_t flags, uint32_t seq, uint32_t len, uint32_t ack)
{
    struct record_line *line = &lines[record.count++];
    uint32_t own = out ? record.space.out_base : record.space.in_base, other = out ? record.space.in_base : record.space.out_base;

    line->kind = out ? RECORD_OUT : RECORD_IN;
    line->time = 100000 * record.count;
    line->octets = something;
    line->len = sizeof something;
    line->timer = -1;
    line->packet = (struct packet){.outbound = out, .flags = flags, .seq = seq + own, .ack = ack + other, .len = len, .win = 500};
    return line;
}

static struct record_line *said(enum record_kind kind, const char *text, const char *state)
{
    struct record_line *line = &lines[record.count++];

    line->kind = kind;
    line->time = 100000 * record.count;
    line->timer = -1;
    line->state = state;
    snprintf(line->text, sizeof line->text, "%s", text);
    return line;
}

static void peers(const char *const *expected)
{
    assert_true(ladder_make(&ladder, &record));
    assert_string_equal(ladder.peer, expected[0]);
    for (int i = 0; i < ladder.count; i++) {
        if (expected[i + 1] == NULL)
            assert_null(ladder.steps[i].peer);
        else if (ladder.steps[i].peer == NULL || strcmp(ladder.steps[i].peer, expected[i + 1]) != 0)
            fail_msg("step %d: %s expected, %s seen", i, expected[i + 1],
                     ladder.steps[i].peer == NULL ? "no change" : ladder.steps[i].peer);
    }
    ladder_free(&ladder);
}

enum { S = PACKET_SYN, A = PACKET_ACK, F = PACKET_FIN, R = PACKET_RST, IN = 0, OUT = 1 };

static void test_peer_calls_and_closes_last(void **state)
{
    static const char *const expected[] = {"CLOSED", "SYN-SENT", "ESTABLISHED", NULL, "CLOSE-WAIT", NULL, "LAST-ACK", "CLOSED"};

    (void)state;
    segment(IN, S, 0, 0, 0), segment(OUT, S | A, 0, 0, 1), segment(IN, A, 1, 0, 1);
    segment(OUT, F | A, 1, 0, 1), segment(IN, A, 1, 0, 2), segment(IN, F | A, 1, 0, 2), segment(OUT, A, 2, 0, 2);
    peers(expected);
}

static void test_peer_is_called_and_closes_first(void **state)
{
    static const char *const expected[] = {"LISTEN", "SYN-RECEIVED", NULL, "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", NULL,
                                           "CLOSED"};

    (void)state;
    segment(OUT, S, 0, 0, 0), segment(IN, S | A, 0, 0, 1), segment(OUT, A, 1, 0, 1);
    segment(IN, F | A, 1, 0, 1), segment(OUT, A, 1, 0, 2), segment(OUT, F | A, 1, 0, 2), segment(IN, A, 2, 0, 2);
    segment(IN, R, 2, 0, 0);
    peers(expected);
}

static void test_both_at_once(void **state)
{
    static const char *const expected[] = {"LISTEN", "SYN-RECEIVED", NULL, NULL, "ESTABLISHED", "FIN-WAIT-1", "CLOSING", "TIME-WAIT"};
    static const char *const called[] = {"CLOSED", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED"};

    (void)state;
    segment(OUT, S, 0, 0, 0), segment(IN, S, 0, 0, 0), segment(OUT, S | A, 0, 0, 1), segment(OUT, A, 1, 0, 1);
    segment(IN, F | A, 1, 0, 1), segment(OUT, F | A, 1, 0, 1), segment(OUT, A, 2, 0, 2);
    peers(expected);
    record.count = 0;
    segment(IN, S, 0, 0, 0), segment(OUT, S, 0, 0, 0), segment(OUT, A, 1, 0, 1);
    peers(called);
}

/* A new SYN begins a new connection only where there is none. */
static void test_a_challenged_syn_changes_nothing(void **state)
{
    static const char *const expected[] = {"CLOSED", "SYN-SENT", "ESTABLISHED", NULL, NULL, "CLOSED", "SYN-SENT"};

    (void)state;
    segment(IN, S, 0, 0, 0), segment(OUT, S | A, 0, 0, 1), segment(IN, A, 1, 0, 1), segment(IN, S, 900, 0, 0);
    segment(OUT, R, 1, 0, 0), segment(IN, S, 0, 0, 0);
    peers(expected);
}

static void course(int at, enum ladder_course expected)
{
    assert_true(ladder_make(&ladder, &record));
    assert_int_equal(ladder.steps[at].course, expected);
    ladder_free(&ladder);
}

static void test_what_was_lost(void **state)
{
    (void)state;
    segment(OUT, A, 1, 100, 1), segment(OUT, A, 101, 100, 1), segment(IN, A, 1, 0, 1), segment(OUT, A, 1, 100, 1);
    course(0, LADDER_LOST); /* the second arrived, it was asked for again */
    course(1, LADDER_ARRIVES);
    course(3, LADDER_ARRIVES);
    lines[2].packet.win = 0; /* a probe that was refused did arrive */
    course(0, LADDER_ARRIVES);
    lines[2].packet.win = 500, lines[2].packet.ack += 100;
    course(0, LADDER_ARRIVES);
    record.count = 0;
    segment(OUT, A, 0, 0, 1), segment(OUT, A, 0, 0, 1); /* nothing was sent twice here */
    course(0, LADDER_ARRIVES);
    snprintf(lines[1].remark, sizeof lines[1].remark, "lost: so says the script");
    course(1, LADDER_LOST);
    snprintf(lines[0].remark, sizeof lines[0].remark, "old duplicate");
    course(0, LADDER_STRAY);
    snprintf(lines[0].remark, sizeof lines[0].remark, "older");
    course(0, LADDER_ARRIVES);
}

/* A lost FIN changes no state at the peer, nor does a segment that the peer did not send. */
static void test_what_does_not_arrive_does_nothing(void **state)
{
    static const char *const expected[] = {"CLOSED", "SYN-SENT", "ESTABLISHED", NULL, NULL, "CLOSE-WAIT", NULL};

    (void)state;
    segment(IN, S, 0, 0, 0), segment(OUT, S | A, 0, 0, 1), segment(IN, A, 1, 0, 1);
    segment(OUT, F | A, 1, 0, 1), segment(OUT, F | A, 1, 0, 1);
    snprintf(segment(IN, R, 5, 0, 0)->remark, sizeof lines[0].remark, "forged");
    peers(&expected[0] + 0);
}

static char *drawn(bool svg, const char *title)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (svg)
        ladder_svg(&record, title, out);
    else
        ladder_text(&record, title, out, 100, false);
    (void)fclose(out);
    return text;
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in:\n%s", part, text);
}

static void handshake(void)
{
    said(RECORD_CALL, "listen(3, 1) = 0", "LISTEN");
    segment(IN, S, 0, 0, 0);
    said(RECORD_STATE, "", "SYN-RECEIVED")->time = lines[1].time;
    snprintf(lines[2].rows, sizeof lines[2].rows, "L1 L7");
    segment(OUT, S | A, 0, 0, 1);
    struct record_line *missing = said(RECORD_MISS, "> R 1:1(0) win 0", NULL);
    snprintf(missing->expected, sizeof missing->expected, "> . 1:1(0) ack 1 <nop,nop,TS val 5 ecr 6>");
    said(RECORD_TIMER, "timeout", NULL)->timer = 5000000;
}

static void test_text(void **state)
{
    char *text;

    (void)state;
    handshake();
    text = drawn(false, "A title");
    has(text, "A title\n");
    has(text, "            LISTEN       |");
    has(text, "  0.100000               | * listen(3, 1) = 0");
    has(text, "  0.200000  SYN-RECEIVED |<");
    has(text, "- SYN  seq 0  win 500 -");
    has(text, "-| SYN-SENT\n");
    has(text, "rows L1 L7");
    has(text, "- SYN,ACK  seq 0  ack 1  win 500 -");
    has(text, ">| ESTABLISHED\n");
    has(text, ". expected, and did not come .");
    has(text, "> . 1:1(0) ack 1 <nop,nop,TS val 5 ecr 6>");
    has(text, "> R 1:1(0) win 0");
    has(text, "timeout (next in 4.4 s)");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 100);
    free(text);
}

/* Every element that is opened is closed, in order; no bare & or <. */
static void well_formed(const char *text)
{
    char open[16][32];
    int depth = 0;

    for (const char *at = text; *at != 0; at++) {
        if (*at == '&')
            assert_true(strncmp(at, "&amp;", 5) == 0 || strncmp(at, "&lt;", 4) == 0 || strncmp(at, "&gt;", 4) == 0 ||
                        strncmp(at, "&quot;", 6) == 0);
        assert_true((unsigned char)*at >= 0x20 || *at == '\n');
        if (*at != '<')
            continue;
        const char *end = strchr(at, '>');
        assert_non_null(end);
        size_t name = strcspn(at + 1, " />\n");
        if (at[1] == '/') {
            assert_true(depth > 0);
            depth--;
            assert_true(strncmp(open[depth], at + 2, strlen(open[depth])) == 0 && at[2 + strlen(open[depth])] == '>');
        } else if (end[-1] != '/') {
            assert_true(depth < 16 && name < 32);
            snprintf(open[depth++], 32, "%.*s", (int)name, at + 1);
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void test_svg(void **state)
{
    char *first, *second;

    (void)state;
    handshake();
    snprintf(lines[1].remark, sizeof lines[1].remark, "a <b> & \"c\" \xff\x01 \xed\xa0\x80 \xe2\x82\xac");
    first = drawn(true, "An <odd> & \"title\"");
    second = drawn(true, "An <odd> & \"title\"");
    assert_string_equal(first, second);
    well_formed(first);
    has(first, ">An &lt;odd&gt; &amp; &quot;title&quot;</text>");
    has(first, "a &lt;b&gt; &amp; &quot;c&quot; \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xe2\x82\xac</text>");
    has(first, ">SYN,ACK  seq 0  ack 1  win 500</text>");
    has(first, ">SYN-RECEIVED</text>");
    has(first, "class=\"bad missing\"");
    has(first, "prefers-color-scheme:dark");
    assert_null(strstr(first, "href"));
    assert_null(strstr(first, "url("));
    assert_null(strstr(first, "<script"));
    free(first);
    free(second);
}

static void test_nothing_and_much(void **state)
{
    char *text;

    (void)state;
    text = drawn(false, NULL);
    has(text, "(nothing happened)");
    free(text);
    text = drawn(true, NULL);
    has(text, ">nothing happened</text>");
    well_formed(text);
    free(text);
    for (int i = 0; i < 30; i++) {
        struct record_line *line = said(i % 2 == 0 ? RECORD_NOTE : RECORD_MISS, "", "ESTABLISHED");
        memset(line->text, i % 3 == 0 ? 0xe2 : 'x', sizeof line->text - 1); /* no place to break */
        memset(line->remark, 0x82, sizeof line->remark - 1);
        memset(line->rows, 'R', sizeof line->rows - 1);
        memset(line->expected, '<', sizeof line->expected - 1);
        line->time = INT64_MAX / 40 * i;
        line->timer = INT64_MAX;
    }
    text = drawn(false, "long");
    assert_true(strlen(text) > 1000);
    free(text);
    text = drawn(true, "long");
    well_formed(text);
    free(text);
}

static void test_remarks(void **state)
{
    static const char script[] = "// id: x\n0 `a // no` \"b // no\" 1 // lost here \r\n+0 < S // first // second\n// whole";

    (void)state;
    for (int i = 0; i < 4; i++)
        said(RECORD_NOTE, "", NULL)->script_line = i + 1;
    said(RECORD_NOTE, "", NULL)->script_line = 99;
    ladder_remarks(&record, script, sizeof script - 1);
    assert_string_equal(lines[0].remark, "id: x");
    assert_string_equal(lines[1].remark, "lost here");
    assert_string_equal(lines[2].remark, "first // second");
    assert_string_equal(lines[3].remark, "whole");
    assert_string_equal(lines[4].remark, "");
    ladder_remarks(&record, "", 0);
}

static void test_times(void **state)
{
    static const struct { int64_t us; const char *text; } cases[] = {
        {0, "0 us"}, {999, "999 us"}, {1000, "1 ms"}, {1500, "1.5 ms"}, {40000, "40 ms"}, {1000000, "1 s"}, {1250001, "1.250001 s"},
        {90015000000, "90015 s"}, {-5, "0 us"}};
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ladder_time(cases[i].us, text), cases[i].text);
}

static void test_header(void **state)
{
    static const uint8_t octets[] = {
        0x45, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x40, 0x00, 0xff, 0x06, 0xf9, 0x10, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0xa8, 0x00, 0x01,
        0xc3, 0x50, 0x1f, 0x90, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xff, 0xff, 0xde, 0x28, 0x00, 0x00,
        0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x64, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07};
    static const struct target_world world = {false, {192, 168, 0, 1}, {192, 0, 2, 1}, 8080, 50000};
    struct packet p;
    char why[100], *text = NULL;
    size_t len = 0;

    (void)state;
    assert_true(packet_read(&p, octets, sizeof octets, &world, why, sizeof why));
    FILE *out = open_memstream(&text, &len);
    assert_true(header_svg(&p, octets, sizeof octets, "A <SYN>", out));
    assert_true(header_text(&p, octets, sizeof octets, out));
    assert_false(header_text(&p, octets, 30, out)); /* cut */
    p.proto = SCRIPT_ICMP;
    assert_false(header_svg(&p, octets, sizeof octets, "", out));
    (void)fclose(out);
    has(text, ">destination port</text>");
    has(text, ">1f 90 </text>");
    has(text, ">mss 1460</text>");
    has(text, "    2    16  destination port        8080\n");
    has(text, "   13     1  SYN                     1\n");
    has(text, "   20     8  kind                    2: MSS\n");
    has(text, "   28    32  TSval                   100\n");
    *strstr(text, "</svg>\n") = 0; /* the text behind it is no XML */
    strcat(text, "</svg>");
    well_formed(text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_peer_calls_and_closes_last, fresh, over),
        cmocka_unit_test_setup_teardown(test_peer_is_called_and_closes_first, fresh, over),
        cmocka_unit_test_setup_teardown(test_both_at_once, fresh, over),
        cmocka_unit_test_setup_teardown(test_a_challenged_syn_changes_nothing, fresh, over),
        cmocka_unit_test_setup_teardown(test_what_was_lost, fresh, over),
        cmocka_unit_test_setup_teardown(test_what_does_not_arrive_does_nothing, fresh, over),
        cmocka_unit_test_setup_teardown(test_text, fresh, over),
        cmocka_unit_test_setup_teardown(test_svg, fresh, over),
        cmocka_unit_test_setup_teardown(test_nothing_and_much, fresh, over),
        cmocka_unit_test_setup_teardown(test_remarks, fresh, over),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
