/* test_script.c - packetdrill scripts: what every construct becomes, and where and how each error is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "script.h"
#include "weir/weir.h"

/* The script, or the end of the test. */
static struct script *parsed(const char *text)
{
    struct script_error error;
    struct script *s = script_parse("t.pkt", text, strlen(text), NULL, 0, &error);
    if (s == NULL) {
        fail_msg("%s", error.text);
    }
    return s;
}

static const struct script_packet *packet_of(const struct script *s, int i)
{
    assert_true(i < s->event_count);
    assert_int_equal(s->events[i].kind, SCRIPT_PACKET);
    return s->events[i].packet;
}

static const struct script_call *call_of(const struct script *s, int i)
{
    assert_true(i < s->event_count);
    assert_int_equal(s->events[i].kind, SCRIPT_CALL);
    return s->events[i].call;
}

/* ---- what is read ---------------------------------------------------------------------------------------------------------------- */

static void test_frame(void **state)
{
    (void)state;
    struct script *s = parsed("// a comment\n--tolerance_usecs=5000 --strict_segments\n--local_ip=\"192.0.2.1\" /* one\nmore */\n"
                              "`first\ncommand`\n0 `second` 0.5 %{ assert a == 1\n}%\n`last`\n");
    assert_int_equal(s->setting_count, 3);
    assert_string_equal(s->settings[0].name, "tolerance_usecs");
    assert_string_equal(s->settings[0].value, "5000");
    assert_null(s->settings[1].value);
    assert_string_equal(s->settings[2].value, "192.0.2.1");
    assert_int_equal(s->settings[2].pos.line, 3);
    assert_int_equal(s->settings[1].pos.column, 24);
    assert_string_equal(s->init, "first\ncommand");
    assert_string_equal(s->cleanup, "last");
    assert_int_equal(s->event_count, 2);
    assert_int_equal(s->events[0].kind, SCRIPT_SHELL);
    assert_string_equal(s->events[0].text, "second");
    assert_int_equal(s->events[1].kind, SCRIPT_CODE);
    assert_string_equal(s->events[1].text, " assert a == 1\n");
    assert_int_equal(s->events[1].pos.line, 7);
    assert_int_equal(s->events[1].pos.column, 16);
    assert_false(s->head.present);
    assert_null(s->head.covers[0]);
    script_free(s);
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum script_when when;
        bool range;
        int64_t from, to;
    } rows[] = {
        {"0", SCRIPT_AT, false, 0, 0},
        {"1.5", SCRIPT_AT, false, 1500000, 1500000},
        {".000001", SCRIPT_AT, false, 1, 1},
        {"2.", SCRIPT_AT, false, 2000000, 2000000},
        {"0.1234567", SCRIPT_AT, false, 123456, 123456},
        {"+0", SCRIPT_AFTER, false, 0, 0},
        {"+ .2", SCRIPT_AFTER, false, 200000, 200000},
        {"*", SCRIPT_ANY, false, 0, 0},
        {"1~2.5", SCRIPT_AT, true, 1000000, 2500000},
        {"+.3~+.310", SCRIPT_AFTER, true, 300000, 310000},
        {"86400", SCRIPT_AT, false, 86400000000, 86400000000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[80];
        snprintf(text, sizeof text, "%s close(3) = 0", rows[i].text);
        struct script *s = parsed(text);
        struct script_time t = s->events[0].time;
        script_free(s);
        if (t.when != rows[i].when || t.range != rows[i].range || t.from != rows[i].from || t.to != rows[i].to) {
            fail_msg("%s: when %d range %d from %lld to %lld", rows[i].text, t.when, t.range, (long long)t.from, (long long)t.to);
        }
    }
}

static void test_tcp(void **state)
{
    (void)state;
    struct script *s = parsed("0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>\n"
                              "+0 > S. 0:0(0) ack 1 <...>\n"
                              "+0 < [ect0] PU. 1:1001(1000) ack 1 win 257 urg 3 <>\n"
                              "+0 > (tos 0x10, ttl 64 flowlabel 0x2) - 5:5(0)\n"
                              "+0 < (class 0xfe hlim 1) FR.6 4294967295:9(10) ack 0\n"
                              "+0 > [ect01] SEWA 7!:7!(0) ack 9!\n");
    const struct script_packet *p = packet_of(s, 0);
    assert_false(p->outbound || p->has_ack || p->has_urg || p->options_any || p->seq_literal || p->ace || p->bad_checksum);
    assert_true(p->has_win && p->has_options);
    assert_int_equal(p->flags, WEIR_SYN);
    assert_int_equal(p->win, 32792);
    assert_int_equal(p->option_count, 6);
    assert_int_equal(p->options[0].kind, SCRIPT_OPT_MSS);
    assert_int_equal(p->options[0].value, 1000);
    assert_int_equal(p->options[5].value, 7);
    assert_int_equal(p->options[5].pos.column, 53);
    assert_true(p->tos == -1 && p->ttl == -1 && p->flowlabel == -1 && p->ecn == SCRIPT_ECN_UNSAID && p->udp_source == -1);
    p = packet_of(s, 1);
    assert_true(p->outbound && p->has_ack && p->options_any && !p->has_win && p->ack == 1);
    assert_int_equal(p->flags, WEIR_SYN | WEIR_ACK);
    p = packet_of(s, 2);
    assert_true(p->ecn == SCRIPT_ECT0 && p->seq == 1 && p->seq_end == 1001 && p->len == 1000 && p->has_urg && p->urg == 3);
    assert_true(p->has_options && p->option_count == 0);
    assert_int_equal(p->flags, WEIR_PSH | WEIR_ACK | WEIR_URG);
    p = packet_of(s, 3);
    assert_true(p->tos == 0x10 && p->ttl == 64 && p->flowlabel == 2 && p->flags == 0 && !p->has_options);
    p = packet_of(s, 4);
    assert_true(p->tos == 0xfe && p->ttl == 1 && p->ace && p->seq == UINT32_MAX && p->seq_end == 9);
    assert_int_equal(p->flags, WEIR_FIN | WEIR_RST | WEIR_ACK | WEIR_AE | WEIR_CWR);
    p = packet_of(s, 5);
    assert_true(p->ecn == SCRIPT_ECT01 && p->seq_literal && p->ack_literal && !p->ace);
    assert_int_equal(p->flags, WEIR_SYN | WEIR_ECE | WEIR_CWR | WEIR_AE);
    script_free(s);
}

static void test_options(void **state)
{
    (void)state;
    struct script *s = parsed("0 < . 1:1(0) ack 1 <nop,nop,sack 1:2 0x10:32 5:6>\n"
                              "0 < . 1:1(0) ack 1 <nop,nop,TS val 4294967295 ecr 7>\n"
                              "0 < . 1:1(0) ack 1 <md5 000102030405060708090a0b0c0d0e0f,eol,eol>\n"
                              "0 < . 1:1(0) ack 1 <md5 valid,eol,eol> 0 < . 1:1(0) <md5 invalid,nop,nop>\n"
                              "0 < S 0:0(0) <FO,eol,eol> 0 < S 0:0(0) <FO 0aFF> 0 < S 0:0(0) <FOEXP TFO_COOKIE>\n"
                              "0 < . 1:1(0) <ECN e1b 1 ceb 0x10203 e0b 2,nop> 0 < . 1:1(0) <ECN e0b 1,nop,nop,nop> 0 < . 1:1(0) <ECN,nop,nop>\n"
                              "0 < . 1:1(0) <kind 253 f989,kind 9,nop,nop>\n");
    const struct script_option *o = packet_of(s, 0)->options;
    assert_true(o[2].kind == SCRIPT_OPT_SACK && o[2].sack_count == 3 && o[2].sack[1][0] == 16 && o[2].sack[2][1] == 6);
    o = packet_of(s, 1)->options;
    assert_true(o[2].kind == SCRIPT_OPT_TS && o[2].value == UINT32_MAX && o[2].echo == 7);
    o = packet_of(s, 2)->options;
    assert_true(o[0].kind == SCRIPT_OPT_MD5 && o[0].octet_count == 16 && o[0].octets[15] == 15);
    assert_true(packet_of(s, 3)->options[0].octet_count == 0 && packet_of(s, 3)->options[0].value == 1);
    assert_true(packet_of(s, 4)->options[0].octet_count == 0 && packet_of(s, 4)->options[0].value == 0);
    assert_true(packet_of(s, 5)->options[0].kind == SCRIPT_OPT_FO && packet_of(s, 5)->options[0].octet_count == 0);
    assert_true(packet_of(s, 6)->options[0].octet_count == 2 && packet_of(s, 6)->options[0].octets[1] == 0xff);
    assert_true(packet_of(s, 7)->options[0].kind == SCRIPT_OPT_FOEXP && packet_of(s, 7)->options[0].octet_count == 8);
    o = packet_of(s, 8)->options;
    static const uint8_t counters[] = {0, 0, 1, 1, 2, 3, 0, 0, 2};
    assert_true(o[0].kind == SCRIPT_OPT_ACCECN && o[0].raw_kind == 174 && o[0].octet_count == 9);
    assert_memory_equal(o[0].octets, counters, 9);
    assert_true(packet_of(s, 9)->options[0].raw_kind == 172 && packet_of(s, 9)->options[0].octet_count == 3);
    assert_true(packet_of(s, 10)->options[0].raw_kind == 172 && packet_of(s, 10)->options[0].octet_count == 0);
    o = packet_of(s, 11)->options;
    assert_true(o[0].kind == SCRIPT_OPT_RAW && o[0].raw_kind == 253 && o[0].octet_count == 2 && o[0].octets[0] == 0xf9);
    assert_true(o[1].raw_kind == 9 && o[1].octet_count == 0);
    script_free(s);
}

static void test_other_packets(void **state)
{
    (void)state;
    struct script *s = parsed("0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]\n"
                              "0 < icmp time_exceeded\n0 < icmp 3 [5:6(1)]\n0 > udp (1000)\n"
                              "0 < S/udp(9899 > 1234) 0:0(0)\n0 > S. 0:0(0) ack 1 <mss 1460>/udp(1 > 2)\n0 < /udp(1 > 2) S 0:0(0)\n"
                              "0 < (bad sum) . 1:1(0) ack 1\n");
    const struct script_packet *p = packet_of(s, 0);
    assert_int_equal(p->proto, SCRIPT_ICMP);
    assert_string_equal(p->icmp_type_name, "unreachable");
    assert_string_equal(p->icmp_code_name, "frag_needed");
    assert_true(p->icmp_mtu == 1200 && p->icmp_quotes && p->quote_seq == 1 && p->quote_seq_end == 1461 && p->quote_len == 1460);
    p = packet_of(s, 1);
    assert_true(p->icmp_code_name == NULL && p->icmp_mtu == -1 && !p->icmp_quotes);
    p = packet_of(s, 2);
    assert_true(p->icmp_type_name == NULL && p->icmp_type == 3 && p->icmp_quotes && p->quote_len == 1);
    p = packet_of(s, 3);
    assert_true(p->proto == SCRIPT_UDP && p->len == 1000 && p->outbound);
    assert_true(packet_of(s, 4)->udp_source == 9899 && packet_of(s, 4)->udp_destination == 1234);
    assert_true(packet_of(s, 5)->udp_source == 1 && packet_of(s, 5)->option_count == 1);
    assert_true(packet_of(s, 6)->udp_destination == 2 && packet_of(s, 6)->flags == WEIR_SYN);
    assert_true(packet_of(s, 7)->bad_checksum);
    script_free(s);
}

static void test_calls(void **state)
{
    (void)state;
    struct script *s = parsed("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                              "+.1...0.2 connect(3, {sa_family=AF_INET, sin_port=htons(8080), .sin_addr=inet_addr(\"1.2.3.4\")}, 16)"
                              " = -1 EINPROGRESS (Operation now in progress)\n"
                              "0 read(3, \"a\\n\\x41\\0\\\"\", 0x10) = ...\n0 fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)\n"
                              "0 poll([{fd=3, events=POLLIN|POLLOUT,revents=0}], 1, -1) = O_RDWR|O_NONBLOCK\n0 f() = -1 EAGAIN\n"
                              "0 recvmsg(3, {msg_name(16)=..., msg_iov(1)=[{...,1000}], msg_flags=MSG_OOB, msg_control=[{cmsg_level=CMSG_LEVEL_IP,"
                              " cmsg_data={ee_errno=0}}]}, 0) = 1\n0 g(0xffffffffffffffff) = 0\n");
    const struct script_call *c = call_of(s, 0);
    assert_string_equal(c->name, "socket");
    assert_true(c->arg_count == 3 && c->args[0].kind == SCRIPT_ELLIPSIS && c->args[1].kind == SCRIPT_SYMBOL && !c->blocking);
    assert_true(c->args[1].pos.line == 1 && c->args[1].pos.column == 15 && c->result.number == 3);
    c = call_of(s, 1);
    assert_true(c->blocking && c->end.when == SCRIPT_AFTER && c->end.from == 200000 && c->result.number == -1);
    assert_string_equal(c->error, "EINPROGRESS");
    assert_string_equal(c->note, "Operation now in progress");
    const struct script_value *v = &c->args[1];
    assert_true(v->kind == SCRIPT_STRUCT && v->item_count == 3 && v->items[1].kind == SCRIPT_CALLED && v->items[1].items[0].number == 8080);
    assert_string_equal(v->items[1].name, "sin_port");
    assert_string_equal(v->items[1].text, "htons");
    assert_string_equal(v->items[2].name, "sin_addr");
    assert_string_equal(v->items[2].items[0].text, "1.2.3.4");
    c = call_of(s, 2);
    assert_true(c->args[1].kind == SCRIPT_STRING && c->args[1].octet_count == 5 && c->result.kind == SCRIPT_ELLIPSIS);
    assert_memory_equal(c->args[1].text, "a\nA\0\"", 6);
    assert_int_equal(c->args[2].number, 16);
    assert_true(call_of(s, 3)->result.number == 2 && call_of(s, 3)->error == NULL);
    assert_string_equal(call_of(s, 3)->note, "flags O_RDWR");
    c = call_of(s, 4);
    assert_true(c->args[0].kind == SCRIPT_LIST && c->args[0].items[0].items[1].kind == SCRIPT_OR && c->args[2].number == -1);
    assert_string_equal(c->args[0].items[0].items[1].items[1].text, "POLLOUT");
    assert_true(c->result.kind == SCRIPT_OR && c->result.item_count == 2);
    assert_true(call_of(s, 5)->arg_count == 0 && call_of(s, 5)->note == NULL);
    v = call_of(s, 6)->args[1].items;
    assert_true(v[0].kind == SCRIPT_ELLIPSIS && v[1].kind == SCRIPT_LIST && v[1].items[0].items[1].number == 1000);
    assert_string_equal(v[0].name, "msg_name");
    assert_string_equal(v[3].items[0].items[0].text, "SOL_IP");
    assert_true(v[3].items[0].items[1].kind == SCRIPT_STRUCT);
    assert_int_equal(call_of(s, 7)->args[0].number, -1);
    script_free(s);
}

static void test_defines(void **state)
{
    (void)state;
    static const char text[] = "#ifdef A\n0 a() = 0\n#endif\n#ifdef B /* no */\n0 b() = \"\n # ignored? no\n#endif\n  # ifdef TFO_COOKIE\n"
                               "0 never() = 0\n#endif\n0 c(N, S, X) = N\n0 < S 0:0(0) win N <FO TFO_COOKIE,nop,nop>\n";
    static const struct script_define defines[] = {{"A", NULL}, {"N", "0x11"}, {"S", "SOL_IP"}, {"TFO_COOKIES", "00"}, {"TFO_COOKIE2", "00"}};
    struct script_error error;
    assert_null(script_parse("t.pkt", text, strlen(text), defines, 5, &error));
    assert_non_null(strstr(error.text, "t.pkt:6:2: error: #ignored is not known"));
    char fine[400];
    snprintf(fine, sizeof fine, "%s", text);
    memcpy(strstr(fine, "# ignored"), "  ignored", 9);
    struct script *s = script_parse("t.pkt", fine, strlen(fine), defines, 5, &error);
    assert_non_null(s);
    assert_int_equal(s->event_count, 3);
    assert_string_equal(call_of(s, 0)->name, "a");
    const struct script_call *c = call_of(s, 1);
    assert_true(c->args[0].kind == SCRIPT_INT && c->args[0].number == 17 && c->result.number == 17);
    assert_string_equal(c->args[1].text, "SOL_IP");
    assert_string_equal(c->args[2].text, "X");
    assert_int_equal(packet_of(s, 2)->win, 17);
    assert_int_equal(packet_of(s, 2)->options[0].octet_count, 8);
    script_free(s);
}

#define HEAD "// id: a/b\n// title: What it shows\n// level: MUST\n"

static void test_head(void **state)
{
    (void)state;
    static const char text[] = "// SPDX-License-Identifier: CC0-1.0\n//\n" HEAD "// section: RFC 9293 3.10\n// covers: MUST-1  X\n// covers: Y\n"
                               "// rows: A6 A7@ESTABLISHED\n// needs: sack pmtud\n// settings: msl=1s iss=5\n// family: f\n"
                               "// api: connection\n// note: one: two\n// note: three\r\n\n// anything: goes\n0 close(3) = 0\n";
    for (int whole = 0; whole < 2; whole++) {
        struct script_error error;
        struct script *s = whole ? parsed(text) : script_parse_head("t.pkt", text, strlen(text), &error);
        assert_non_null(s);
        const struct script_head *h = &s->head;
        assert_true(h->present);
        assert_string_equal(h->id, "a/b");
        assert_string_equal(h->title, "What it shows");
        assert_string_equal(h->level, "MUST");
        assert_string_equal(h->section, "RFC 9293 3.10");
        assert_string_equal(h->family, "f");
        assert_string_equal(h->api, "connection");
        assert_string_equal(h->covers[1], "X");
        assert_string_equal(h->covers[2], "Y");
        assert_null(h->covers[3]);
        assert_string_equal(h->rows[1], "A7@ESTABLISHED");
        assert_string_equal(h->needs[1], "pmtud");
        assert_string_equal(h->settings[0], "msl=1s");
        assert_string_equal(h->why[0], "one: two");
        assert_string_equal(h->why[1], "three");
        assert_null(h->why[2]);
        assert_int_equal(s->event_count, whole);
        script_free(s);
    }
}

/* ---- errors ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int line, column;
    const char *what;
} errors[] = {
    {"0", 1, 2, "an action expected"},
    {"x", 1, 1, "a time in seconds expected"},
    {"0 close(3) = 0\n\n  -1 close(3) = 0", 3, 3, "a time in seconds expected"},
    {"0s close(3) = 0", 1, 2, "a time that goes on as a word"},
    {"1000000001 close(3) = 0", 1, 1, "a time of more than 1000000000 seconds"},
    {"+1~2 close(3) = 0", 1, 4, "must both have a +"},
    {"1~+2 close(3) = 0", 1, 3, "must both have a +"},
    {"2~1 close(3) = 0", 1, 3, "ends before it begins"},
    {"0 /* open", 1, 3, "*/ is missing"},
    {"#else", 1, 1, "#else is not known"},
    {"#endif", 1, 1, "#endif without #ifdef"},
    {"#ifdef\nA", 1, 7, "#ifdef without a name"},
    {"\n #ifdef A\n", 2, 2, "without its #endif"},
    {"#ifdef TCP\n0 x() = 0\n#ifdef B\n#endif\n#endif", 3, 1, "do not nest"},
    {"--", 1, 3, "name of an option"},
    {"--a=\n", 1, 5, "value of an option"},
    {"--a=\"b\n", 1, 5, "a quote is missing"},
    {"`open\n", 1, 2, "a command that does not end"},
    {"0 `open\n\n", 1, 4, "a command that does not end"},
    {"0 %{ open }", 1, 5, "}% is missing"},
    {"`a`\n`b`\n0 close(3) = 0", 3, 1, "nothing may follow"},
    {"0 close 3", 1, 9, "( expected"},
    {"0 close(3 4)", 1, 11, ") expected"},
    {"0 close(3)\n+0 x() = 0", 2, 1, "= expected"},
    {"0 close(,)", 1, 9, "a value expected"},
    {"0 close(3,) = 0", 1, 11, "a value expected"},
    {"0 close(3) = ", 1, 14, "a value expected"},
    {"0 close([3) = 0", 1, 11, "] expected"},
    {"0 close({a=3) = 0", 1, 13, "} expected"},
    {"0 f(BAD\n) = 0", 1, 5, "BAD is defined as 5x, which is no number"},
    {"0 f(GOOD #x\n) = 0", 1, 10, "#x is not known"}, /* nothing may move the cursor back from the end */
    {"0 f(GOOD\n, GOOD\n, 3 4) = 0", 3, 5, ") expected"},
    {"0 close(3|) = 0", 1, 11, "a value expected"},
    {"0 close(12abc) = 0", 1, 11, "goes on as a word"},
    {"0 close(0x) = 0", 1, 9, "not a number of 0 to"},
    {"0 close(18446744073709551616) = 0", 1, 9, "not a number of 0 to 18446744073709551615"},
    {"0 close(-9223372036854775808) = 0", 1, 10, "not a number of 0 to 9223372036854775807"},
    {"0 close(-x) = 0", 1, 10, "a number expected"},
    {"0 w(\"open) = 0\n\"", 1, 5, "a quote is missing"},
    {"0 w(\"a\\q\") = 0", 1, 7, "an escape that is not known"},
    {"0 w(\"\\x4\") = 0", 1, 6, "an escape that is not known"},
    {"0 close(3) = -1 EBADF (no end", 1, 24, "a note that does not end"},
    {"*...1 read(3) = 0", 1, 5, "one time at which it begins"},
    {"1...0.5 read(3) = 0", 1, 5, "returns before it is made"},
    {"0... read(3) = 0", 1, 6, "a time in seconds expected"},
    {"0 < X 0:0(0)", 1, 5, "TCP flags expected"},
    {"0 < SX 0:0(0)", 1, 6, "no TCP flag"},
    {"0 < SS 0:0(0)", 1, 6, "S stands twice"},
    {"0 < .8 0:0(0)", 1, 6, "0 to 7"},
    {"0 < E.1 0:0(0)", 1, 7, "one or the other"},
    {"0 < .1x 0:0(0)", 1, 7, "no TCP flag"},
    {"0 < S 0(0)", 1, 8, ": expected"},
    {"0 < S 0:0", 1, 10, "( expected"},
    {"0 < S 0:0(0", 1, 12, ") expected"},
    {"0 < S 0:2(1)", 1, 9, "0 + 1 octets is 1"},
    {"0 < S 4294967296:0(0)", 1, 7, "not a number of 0 to 4294967295"},
    {"0 < S :0(0)", 1, 7, "sequence number: a number expected"},
    {"0 < S 0:0(0) ack win 5", 1, 18, "ack: a number expected"},
    {"0 < S 0:0(0) win 65536", 1, 18, "win: not a number of 0 to 65535"},
    {"0 < S 0:0(0) urg -1", 1, 18, "urg: a number expected"},
    {"0 < S 0:0(0) <mss>", 1, 18, "mss: a number expected"},
    {"0 < S 0:0(0) <mss 65536>", 1, 19, "mss: not a number of 0 to 65535"},
    {"0 < S 0:0(0) <wscale 256>", 1, 22, "wscale: not a number"},
    {"0 < S 0:0(0) <mss 1 nop>", 1, 21, "> expected"},
    {"0 < S 0:0(0) <,>", 1, 15, "an option expected"},
    {"0 < S 0:0(0) <sackok>", 1, 15, "sackok is no TCP option"},
    {"0 < S 0:0(0) <...>", 1, 14, "any options"},
    {"0 > S 0:0(0) <... x", 1, 19, "> expected"},
    {"0 < S 0:0(0) <sackOK>", 1, 14, "no multiple of 4"},
    {"0 < . 0:0(0) <sack 1:2 3:4 5:6 7:8 9:9>", 1, 36, "more than 4 SACK blocks"},
    {"0 < . 0:0(0) <sack 1>", 1, 21, ": expected"},
    {"0 < . 0:0(0) <sack 1:2 3:4 5:6 7:8,TS val 1 ecr 1,eol,eol>", 1, 14, "take 46 octets"},
    {"0 < . 0:0(0) <TS 1>", 1, 18, "val expected"},
    {"0 < . 0:0(0) <TS val 1 ecn 1>", 1, 24, "ecr expected"},
    {"0 < . 0:0(0) <md5 0g>", 1, 19, "md5: pairs"},
    {"0 < . 0:0(0) <FO 012>", 1, 18, "cookie: pairs"},
    {"0 < . 0:0(0) <md5 0102030405060708090a0b0c0d0e0f1011>", 1, 19, "more than 16 octets"},
    {"0 < . 0:0(0) <ECN e0b 1 e0b 1>", 1, 24, "e0b stands twice"},
    {"0 < . 0:0(0) <ECN e0b 16777216>", 1, 23, "e0b: not a number"},
    {"0 < . 0:0(0) <kind 1>", 1, 20, "kind 1 has no length octet"},
    {"0 < . 0:0(0) <kind 256>", 1, 20, "kind: not a number"},
    {"0 < . 0:0(0) <nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop,nop>", 1, 95, "more than 20 options"},
    {"0 < [] icmp", 1, 12, "a type of ICMP expected"},
    {"0 < icmp unreachable mtu x", 1, 26, "mtu: a number expected"},
    {"0 < icmp unreachable [1:2(3)]", 1, 25, "contradict"},
    {"0 < icmp unreachable [1:2(1)", 1, 29, "] expected"},
    {"0 < icmp 256", 1, 10, "ICMP type: not a number"},
    {"0 < udp 5", 1, 9, "( expected"},
    {"0 < gre: x", 1, 5, "a packet of gre"},
    {"0 < ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0)", 1, 5, "a packet of ipv4"},
    {"0 < S/tcp 0:0(0)", 1, 7, "udp expected"},
    {"0 < S/udp(1) 0:0(0)", 1, 12, "> expected"},
    {"0 < [ecn0] S 0:0(0)", 1, 6, "ecn0 is no field"},
    {"0 < [ect01] S 0:0(0)", 1, 6, "ect01 means either"},
    {"0 < [tos 256] S 0:0(0)", 1, 10, "tos: not a number"},
    {"0 < (ttl 1] S 0:0(0)", 1, 11, "a field of the IP header expected"},
    {"0 < [flowlabel 0x100000] S 0:0(0)", 1, 16, "flowlabel: not a number"},
    {HEAD "// covers:\n", 4, 4, "covers without a value"},
    {HEAD "// cover: x\n", 4, 4, "cover is no key"},
    {HEAD "// prose\n", 4, 1, "a line without a key"},
    {HEAD "// id: c\n", 4, 8, "id stands twice"},
    {HEAD "// needs: sack sacks\n", 4, 16, "sacks is no feature"},
    {HEAD "// settings: msl\n", 4, 14, "a setting is name=value"},
    {HEAD "// api: raw\n", 4, 9, "an api is sockets or connection"},
    {"// id: a b\n", 1, 8, "an id is one word"},
    {"// id: a\n// level: must\n", 2, 11, "a level is MUST"},
    {"// id: a\n// level: MAY\n", 1, 1, "a vector needs a title"},
    {"// id: a\n// title: x\n", 1, 1, "a vector needs a level"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct script_error error;
        static const struct script_define defines[] = {{"TCP", NULL}, {"BAD", "5x"}, {"GOOD", "5"}};
        struct script *s = script_parse("t.pkt", errors[i].text, strlen(errors[i].text), defines, 3, &error);
        char place[60];
        snprintf(place, sizeof place, "t.pkt:%d:%d: error: ", errors[i].line, errors[i].column);
        if (s != NULL || error.pos.line != errors[i].line || error.pos.column != errors[i].column ||
            strncmp(error.text, place, strlen(place)) != 0 || strstr(error.text, errors[i].what) == NULL) {
            script_free(s);
            fail_msg("%s\ngave %s\nwanted %s%s", errors[i].text, s != NULL ? "a script" : error.text, place, errors[i].what);
        }
    }
}

/* The line itself, a caret under the place: tabs stay, what cannot be printed does not. */
static void test_caret(void **state)
{
    (void)state;
    struct script_error error;
    static const char text[] = "0 close(3) = 0\n\t+0\tx\x01(3 4) = 0\n0 close(3) = 0\n";
    assert_null(script_parse("dir/t.pkt", text, strlen(text), NULL, 0, &error));
    assert_string_equal(error.text, "dir/t.pkt:2:6: error: ( expected after the name of a system call\n\t+0\tx?(3 4) = 0\n\t  \t ^");
    char wide[2000];
    memset(wide, ' ', sizeof wide);
    wide[1000] = '!';
    assert_null(script_parse("t.pkt", wide, sizeof wide, NULL, 0, &error));
    assert_int_equal(error.pos.column, 1001);
    const char *line = strchr(error.text, '\n') + 1, *caret = strchr(line, '\n') + 1;
    assert_int_equal(line[strlen(caret) - 1], '!');
}

/* ---- hostile text ---------------------------------------------------------------------------------------------------------------- */

static void test_deep(void **state)
{
    (void)state;
    static const char *const units[] = {"[", "{", "{a=", "f(", "{a(", "1|", "\"\"|[", "-", "/*", "<", "(", "[tos 1 ", "#ifdef A\n", "`", "%{", "\\"};
    size_t most = 100000;
    char *text = malloc(most + 16);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        static const char *const starts[] = {"", "0 f(", "0 < ", "0 < S 0:0(0) <"};
        for (size_t k = 0; k < 4; k++) {
            size_t n = (size_t)sprintf(text, "%s", starts[k]);
            for (size_t unit = strlen(units[i]); n + unit <= most; n += unit) {
                memcpy(text + n, units[i], unit);
            }
            struct script_error error;
            struct script *s = script_parse("t.pkt", text, n, NULL, 0, &error);
            assert_null(s);
            assert_non_null(strstr(error.text, ": error: "));
        }
    }
    struct script_error error;
    size_t n = (size_t)sprintf(text, "0 f(");
    memset(text + n, '[', 10000);
    assert_null(script_parse("t.pkt", text, n + 10000, NULL, 0, &error));
    assert_int_equal(error.pos.column, 4 + 64); /* the call itself is the first */
    assert_non_null(strstr(error.text, "more than 64 lists inside each other"));
    free(text);
}

static void test_large(void **state)
{
    (void)state;
    struct script_error error;
    size_t huge = 100u << 20;
    char *text = malloc(huge);
    assert_non_null(text);
    memset(text, '9', huge);
    assert_null(script_parse("t.pkt", text, huge, NULL, 0, &error));
    assert_non_null(strstr(error.text, "t.pkt:1:1: error: the file has 104857600 octets"));
    assert_null(script_parse("t.pkt", text, 4u << 20, NULL, 0, &error));
    assert_non_null(strstr(error.text, "t.pkt:1:1: error: a time of more than"));
    memcpy(text, "0 f(0x", 6);
    assert_null(script_parse("t.pkt", text, 4u << 20, NULL, 0, &error));
    assert_non_null(strstr(error.text, "t.pkt:1:5: error: number: not a number"));
    size_t n = 0;
    while (n < 51000 * 10) {
        memcpy(text + n, "0 f() = 0\n", 10);
        n += 10;
    }
    assert_null(script_parse("t.pkt", text, n, NULL, 0, &error));
    assert_non_null(strstr(error.text, "t.pkt:50001:1: error: more than 50000 events"));
    free(text);
}

static void test_zero(void **state)
{
    (void)state;
    struct script_error error;
    assert_null(script_parse("t.pkt", "0 f() = 0\n0 \0x", 14, NULL, 0, &error));
    assert_string_equal(error.text, "t.pkt:2:3: error: an octet of 0: this is no text\n0 \n  ^");
    struct script *s = script_parse("t.pkt", "", 0, NULL, 0, &error);
    assert_non_null(s);
    assert_int_equal(s->event_count, 0);
    script_free(s);
    script_free(NULL);
}

/* Every beginning of a script that has everything: an answer, and never an octet past its end. */
static void test_cut(void **state)
{
    (void)state;
    static const char text[] = HEAD "// needs: sack\n--a=b `init`\n#ifdef A\nx\n#endif\n0...1 f({a=[1|B,\"\\x41\"]}, g(...)) = -1 EPIPE (note)\n"
                               "+0~+1 > [ect0, tos 1] S.7 1!:1!(0) ack 1 win 2 urg 3 <mss 1,TS val 1 ecr 2,sackOK> /udp(1 > 2)\n"
                               "* < icmp unreachable net_unreachable mtu 5 [1:2(1)]\n0 %{ a = 1 }%\n/* */ `end`";
    for (size_t n = 0; n < sizeof text; n++) {
        char *exact = malloc(n > 0 ? n : 1);
        assert_non_null(exact);
        memcpy(exact, text, n);
        struct script_error error;
        struct script *s = script_parse("t.pkt", exact, n, NULL, 0, &error);
        assert_true(s != NULL || strstr(error.text, ": error: ") != NULL);
        script_free(s);
        s = script_parse_head("t.pkt", exact, n, &error);
        script_free(s);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),   cmocka_unit_test(test_times),         cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_options), cmocka_unit_test(test_other_packets), cmocka_unit_test(test_calls),  cmocka_unit_test(test_defines),
        cmocka_unit_test(test_head),    cmocka_unit_test(test_errors),        cmocka_unit_test(test_caret),  cmocka_unit_test(test_deep),
        cmocka_unit_test(test_large),   cmocka_unit_test(test_zero),          cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
