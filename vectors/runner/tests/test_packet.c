/* test_packet.c - segments between script, octets and fields; known octets were made by another program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "packet_parts.h"
#include "weir/weir.h"

static const struct target_world world4 = {false, {192, 168, 0, 1}, {192, 0, 2, 1}, 8080, 50000};
static const struct target_world world6 = {true, {0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, [15] = 1},
                                           {0xfd, 0x3d, 0x0b, 0xdb, 0xf4, 0x80, [15] = 1}, 8080, 50000};
static const uint8_t syn4[] = {
    0x45, 0x00, 0x00, 0x3c, 0x00, 0x00, 0x40, 0x00, 0xff, 0x06, 0xf9, 0x10, 0xc0, 0x00, 0x02, 0x01, 0xc0, 0xa8, 0x00, 0x01,
    0xc3, 0x50, 0x1f, 0x90, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x02, 0xff, 0xff, 0xde, 0x28, 0x00, 0x00,
    0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x64, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07};
static const uint8_t data6[] = {
    0x60, 0x00, 0x00, 0x00, 0x00, 0x19, 0x06, 0xff, 0xfd, 0x3d, 0x0b, 0xdb, 0xf4, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x01, 0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xc3, 0x50,
    0x1f, 0x90, 0x00, 0x00, 0x03, 0xe9, 0x00, 0x00, 0x1b, 0x59, 0x50, 0x18, 0x01, 0x01, 0xe5, 0xd0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00};
static uint8_t octets[TARGET_PACKET_MAX];
static char why[1000];

static struct script_packet plain(uint16_t flags, uint32_t seq, uint32_t len, uint32_t ack)
{
    struct script_packet p = {.ecn = SCRIPT_ECN_UNSAID, .tos = -1, .ttl = -1, .flowlabel = -1, .flags = flags, .seq = seq,
                              .seq_end = seq + len, .len = len, .has_ack = (flags & PACKET_ACK) != 0, .ack = ack, .udp_source = -1,
                              .udp_destination = -1, .icmp_mtu = -1, .icmp_type = -1, .icmp_code = -1};
    return p;
}

static void add(struct script_packet *p, enum script_option_kind kind, uint32_t value)
{
    struct script_option *o = &p->options[p->option_count++];

    memset(o, 0, sizeof *o);
    o->kind = kind;
    o->value = value;
    p->has_options = true;
}

static struct script_packet syn(void)
{
    struct script_packet p = plain(PACKET_SYN, 0, 0, 0);

    p.has_win = true;
    p.win = 65535;
    add(&p, SCRIPT_OPT_MSS, 1460);
    add(&p, SCRIPT_OPT_SACK_OK, 0);
    add(&p, SCRIPT_OPT_TS, 100);
    add(&p, SCRIPT_OPT_NOP, 0);
    add(&p, SCRIPT_OPT_WSCALE, 7);
    return p;
}

/* Builds it as if the script's host sent it, and reads it back as if the stack had: the addresses change places. */
static struct packet seen_as(const struct script_packet *p, const struct packet_space *space, const struct target_world *world)
{
    struct target_world turned = *world;
    struct packet seen;
    size_t len = packet_build(p, space, world, octets, sizeof octets, why, sizeof why);

    memcpy(turned.local, world->remote, 16);
    memcpy(turned.remote, world->local, 16);
    if (len == 0 || !packet_read(&seen, octets, len, &turned, why, sizeof why))
        fail_msg("%s", why);
    assert_true(seen.outbound);
    return seen;
}

static void test_known_octets(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 1000, .out_known = true, .out_base = 7000};
    struct script_packet p = syn();
    struct packet seen;

    (void)state;
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), sizeof syn4);
    assert_memory_equal(octets, syn4, sizeof syn4);
    p = plain(PACKET_PSH | PACKET_ACK, 1, 5, 1);
    p.has_win = true;
    p.win = 257;
    assert_int_equal(packet_build(&p, &space, &world6, octets, sizeof octets, why, sizeof why), sizeof data6);
    assert_memory_equal(octets, data6, sizeof data6);
    assert_true(packet_read(&seen, data6, sizeof data6, &world6, why, sizeof why));
    assert_false(seen.outbound);
    assert_true(seen.v6 && seen.payload_zero);
    assert_int_equal(seen.source_port, 50000);
    assert_int_equal(seen.destination_port, 8080);
    assert_int_equal(seen.flags, PACKET_PSH | PACKET_ACK);
    assert_int_equal(seen.seq, 1001);
    assert_int_equal(seen.ack, 7001);
    assert_int_equal(seen.win, 257);
    assert_int_equal(seen.len, 5);
    assert_int_equal(seen.ttl, 255);
}

/* weir's own reader agrees about what was built, with every option. */
static void test_weir_agrees(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 4294967290u, .out_known = true, .out_base = 77};
    struct script_packet p = plain(PACKET_ACK, 1, 1001, 3);
    weir_pseudo pseudo;
    weir_view view;
    size_t len;

    (void)state;
    add(&p, SCRIPT_OPT_NOP, 0);
    add(&p, SCRIPT_OPT_NOP, 0);
    add(&p, SCRIPT_OPT_TS, 9);
    p.options[2].echo = 8;
    add(&p, SCRIPT_OPT_NOP, 0);
    add(&p, SCRIPT_OPT_NOP, 0);
    add(&p, SCRIPT_OPT_SACK, 0);
    p.options[5].sack_count = 1;
    p.options[5].sack[0][0] = 5;
    p.options[5].sack[0][1] = 9;
    len = packet_build(&p, &space, &world6, octets, sizeof octets, why, sizeof why);
    assert_int_equal(len, 40 + 20 + 24 + 1001);
    memcpy(&pseudo.source, world6.remote, 16);
    memcpy(&pseudo.destination, world6.local, 16);
    assert_int_equal(weir_view_segment(&view, octets + 40, len - 40, &pseudo), WEIR_OK);
    assert_int_equal(view.seq.v, 4294967291u);
    assert_int_equal(view.ack.v, 80);
    assert_int_equal(view.ts_value, 9);
    assert_int_equal(view.ts_echo, 8);
    assert_int_equal(view.sack_count, 1);
    assert_int_equal(view.sack[0].from.v, 82);
    assert_int_equal(view.sack[0].to.v, 86);
    assert_int_equal(view.payload_len, 1001);
}

/* A segment that is cut anywhere, or has any one bit turned that a checksum covers, is refused with a reason. */
static void test_damage(void **state)
{
    struct packet seen;
    uint8_t copy[sizeof data6 + sizeof syn4];

    (void)state;
    for (size_t len = 0; len < sizeof syn4; len++) {
        uint8_t *cut = malloc(len + 1); /* so that a sanitizer sees a reading too far */
        memcpy(cut, syn4, len);
        why[0] = 0;
        assert_false(packet_read(&seen, cut, len, &world4, why, sizeof why));
        assert_true(strlen(why) > 0);
        free(cut);
    }
    for (size_t len = 0; len < sizeof data6; len++)
        assert_false(packet_read(&seen, data6, len, &world6, why, sizeof why));
    for (size_t bit = 0; bit < 8 * sizeof syn4; bit++) {
        memcpy(copy, syn4, sizeof syn4);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(packet_read(&seen, copy, sizeof syn4, &world4, why, sizeof why));
    }
    for (size_t bit = 8 * 40; bit < 8 * sizeof data6; bit++) {
        memcpy(copy, data6, sizeof data6);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(packet_read(&seen, copy, sizeof data6, &world6, why, sizeof why));
    }
}

/* Any octets where options belong: read, printed and compared without a slip; malformed ones are never the same. */
static void test_any_options(void **state)
{
    struct packet_space space = {0};
    struct script_packet p = plain(PACKET_ACK, 0, 0, 0);
    uint32_t draw = 12345;
    int bad = 0;

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        struct packet seen;
        char text[300];
        int len = packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why) == 40 ? 40 : 0;
        assert_int_equal(len, 40);
        len = turn == 0 ? 40 : 4 * (int)(draw >> 24) % 44;
        for (int i = 0; i < len; i++) {
            draw = draw * 1664525 + 1013904223;
            octets[40 + i] = (uint8_t)((draw >> 28) < 12 ? draw >> 20 & 15 : draw >> 20);
            octets[40 + i] = turn == 0 ? PACKET_OPT_NOP : octets[40 + i]; /* more options than a packet has places for */
        }
        draw = draw * 1664525 + 1013904223;
        octets[32] = (uint8_t)((5 + len / 4) << 4);
        packet_put16(octets + 2, (uint32_t)(40 + len));
        packet_put16(octets + 10, 0);
        packet_put16(octets + 10, packet_sum_fold(packet_sum(0, octets, 20)));
        packet_put16(octets + 36, 0);
        uint64_t pseudo = packet_sum_pseudo(false, octets + 12, octets + 16, PACKET_TCP, (size_t)(20 + len));
        packet_put16(octets + 36, packet_sum_fold(packet_sum(pseudo, octets + 20, (size_t)(20 + len))));
        assert_true(packet_read(&seen, octets, (size_t)(40 + len), &world4, why, sizeof why));
        packet_print(&seen, &space, text, sizeof text);
        bad += seen.options_bad;
        assert_true(turn > 0 || seen.options_bad);
        if (seen.options_bad)
            assert_int_equal(packet_compare(&p, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    }
    assert_in_range(bad, 1000, 19000);
}

static void check(const struct script_packet *expected, const struct packet *seen, const struct packet_space *space,
                  enum packet_match match, const char *reason)
{
    enum packet_match got = packet_compare(expected, seen, space, why, sizeof why);

    if (got != match || strcmp(why, reason) != 0)
        fail_msg("%d expected, %d seen: \"%s\"", match, got, why);
}

static void test_each_field_counts(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 1000, .out_known = true, .out_base = 7000};
    struct packet_space turned = {.in_known = true, .in_base = 7000, .out_known = true, .out_base = 1000};
    struct script_packet p = plain(PACKET_PSH | PACKET_ACK, 1, 100, 1), expected = p;
    struct packet seen = seen_as(&p, &turned, &world4), other;

    (void)state;
    expected.outbound = true;
    check(&expected, &seen, &space, PACKET_SAME, "");
    for (unsigned flag = 1; flag <= PACKET_AE; flag <<= 1) {
        other = seen;
        other.flags ^= (uint16_t)flag;
        assert_int_equal(packet_compare(&expected, &other, &space, why, sizeof why),
                         flag == PACKET_PSH ? PACKET_SAME_MEANING : PACKET_DIFFERS);
    }
    other = seen, other.flags ^= PACKET_PSH;
    check(&expected, &other, &space, PACKET_SAME_MEANING, "flags: P. expected, . seen");
    other = seen, other.seq += 4;
    check(&expected, &other, &space, PACKET_DIFFERS, "seq: 1 expected, 5 seen");
    other = seen, other.ack -= 1;
    check(&expected, &other, &space, PACKET_DIFFERS, "ack: 1 expected, 0 seen");
    other = seen, other.len = 99;
    check(&expected, &other, &space, PACKET_DIFFERS, "payload octets: 100 expected, 99 seen");
    other = seen, other.payload_zero = false;
    check(&expected, &other, &space, PACKET_DIFFERS, "payload: an octet is not 0");
    other = seen, other.reserved = 4;
    check(&expected, &other, &space, PACKET_DIFFERS, "reserved bits: 0 expected, 4 seen");
    other = seen, other.urg = 7;
    check(&expected, &other, &space, PACKET_SAME_MEANING, "urg: 0 expected, 7 seen");
    other = seen, other.win = 99;
    check(&expected, &other, &space, PACKET_SAME, "");
    expected.has_win = true, expected.win = 100;
    check(&expected, &other, &space, PACKET_DIFFERS, "win: 100 expected, 99 seen");
}

static void test_literal_numbers(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 1000, .out_known = true, .out_base = 7000};
    struct script_packet p = plain(PACKET_ACK, 5, 0, 6), expected;
    struct packet seen;

    (void)state;
    p.seq_literal = p.ack_literal = true;
    seen = seen_as(&p, &space, &world4);
    assert_int_equal(seen.seq, 5);
    assert_int_equal(seen.ack, 6);
    expected = p;
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.seq_literal = expected.ack_literal = false;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
}

static void test_ip_fields_where_written(void **state)
{
    struct packet_space space = {0};
    struct script_packet p = plain(PACKET_ACK, 0, 0, 0), expected = p;
    struct packet seen;

    (void)state;
    p.ecn = SCRIPT_ECT0, p.ttl = 64;
    seen = seen_as(&p, &space, &world4);
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.ecn = SCRIPT_ECT01, expected.ttl = 64;
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.ecn = SCRIPT_NOECN, expected.ttl = 63;
    check(&expected, &seen, &space, PACKET_DIFFERS, "ECN: noecn expected, ect0 seen; TTL: 63 expected, 64 seen");
    expected = plain(PACKET_ACK, 0, 0, 0), expected.tos = 0x10;
    check(&expected, &seen, &space, PACKET_DIFFERS, "TOS: 16 expected, 2 seen");
    p.flowlabel = 0xabcde, p.tos = 0xb8, p.ecn = SCRIPT_CE;
    seen = seen_as(&p, &space, &world6);
    assert_int_equal(seen.tos, 0xbb);
    expected = p;
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.flowlabel = 1;
    check(&expected, &seen, &space, PACKET_DIFFERS, "flow label: 1 expected, 703710 seen");
}

static void test_options_literal_and_as_a_set(void **state)
{
    struct packet_space space = {0};
    struct script_packet p = syn(), expected = p;
    struct packet seen = seen_as(&p, &space, &world4);
    struct script_option swap;

    (void)state;
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.options[4].value = 9; /* another scale is a matter of taste */
    check(&expected, &seen, &space, PACKET_SAME_MEANING,
          "options: <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 9> expected, <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7> seen");
    expected = p, swap = expected.options[0], expected.options[0] = expected.options[4], expected.options[4] = swap;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_SAME_MEANING);
    expected = p, expected.options[3].kind = SCRIPT_OPT_EOL;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_SAME_MEANING);
    expected = p, expected.option_count = 3;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    expected = p, expected.options[0].value = 1400;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    expected = p, expected.options[1] = expected.options[0];
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    expected = p, add(&expected, SCRIPT_OPT_MSS, 1460); /* one twice is not the same set */
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    expected = p, expected.option_count = 0, expected.options_any = true;
    check(&expected, &seen, &space, PACKET_SAME, "");
    expected.options_any = false;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
}

/* The first TS val says where the stack's clock stands; a scripted echo comes back as the live value. */
static void test_timestamps(void **state)
{
    struct packet_space space = {0}, none = {0};
    struct script_packet expected = syn(), sent = syn(), in = plain(PACKET_ACK, 1, 0, 1);
    struct packet seen;

    (void)state;
    sent.options[2].value = 5000; /* live */
    seen = seen_as(&sent, &none, &world4);
    seen.seq = 70000;
    check(&expected, &seen, &space, PACKET_SAME, ""); /* neither the ISN nor the clock is known yet */
    packet_learn(&space, &expected, &seen);
    assert_true(space.out_known && space.ts_known);
    assert_int_equal(space.out_base, 70000);
    assert_int_equal(space.ts_base, 4900);
    seen.options[2].value = 5777, packet_put32(seen.option_octets + 8, 5777);
    check(&expected, &seen, &space, PACKET_SAME, ""); /* packetdrill looks at no later value */
    space.ts_tick_us = 1000, space.ts_tolerance_us = 4000;
    check(&expected, &seen, &space, PACKET_DIFFERS,
          "options: <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7> expected, <mss 1460,sackOK,TS val 877 ecr 0,nop,wscale 7> seen");
    expected.options[2].value = 880;
    check(&expected, &seen, &space, PACKET_SAME, "");
    packet_learn(&space, &expected, &seen);
    seen.options[2].echo = 3, packet_put32(seen.option_octets + 12, 3);
    check(&expected, &seen, &space, PACKET_SAME, "");
    space.exact_echo = true;
    assert_int_equal(packet_compare(&expected, &seen, &space, why, sizeof why), PACKET_DIFFERS);
    add(&in, SCRIPT_OPT_NOP, 0), add(&in, SCRIPT_OPT_NOP, 0), add(&in, SCRIPT_OPT_TS, 200);
    static const uint32_t echoes[][2] = {{0, 0}, {100, 5000}, {880, 5777}, {881, 5781}};
    for (size_t i = 0; i < 4; i++) {
        in.options[2].echo = echoes[i][0];
        seen = seen_as(&in, &space, &world4);
        assert_int_equal(seen.options[2].value, 200);
        assert_int_equal(seen.options[2].echo, echoes[i][1]);
    }
}

static void test_sack_lies_in_the_other_space(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 1000, .out_known = true, .out_base = 7000};
    struct packet_space turned = {.in_known = true, .in_base = 7000, .out_known = true, .out_base = 1000};
    struct script_packet p = plain(PACKET_ACK, 1, 0, 1);
    struct packet seen;
    char text[200];

    (void)state;
    add(&p, SCRIPT_OPT_NOP, 0), add(&p, SCRIPT_OPT_NOP, 0), add(&p, SCRIPT_OPT_SACK, 0);
    p.options[2].sack_count = 2;
    p.options[2].sack[0][0] = 11, p.options[2].sack[0][1] = 21, p.options[2].sack[1][0] = 31, p.options[2].sack[1][1] = 41;
    seen = seen_as(&p, &space, &world4);
    assert_int_equal(seen.options[2].sack[1][1], 7041); /* the script speaks of what the stack sent */
    seen = seen_as(&p, &turned, &world4);
    assert_int_equal(seen.options[2].sack[0][0], 1011);
    p.outbound = true;
    check(&p, &seen, &space, PACKET_SAME, "");
    p.options[2].sack[0][0] = 12;
    check(&p, &seen, &space, PACKET_DIFFERS, "options: <nop,nop,sack 12:21 31:41> expected, <nop,nop,sack 11:21 31:41> seen");
    packet_print(&seen, &space, text, sizeof text);
    assert_string_equal(text, "> . 1:1(0) ack 1 win 0 <nop,nop,sack 11:21 31:41>");
}

static void test_icmp(void **state)
{
    struct packet_space space = {.out_known = true, .out_base = 7000, .local_port = 1234, .remote_port = 80};
    struct script_packet p = plain(0, 0, 0, 0);
    struct packet seen;
    char text[200];

    (void)state;
    p.proto = SCRIPT_ICMP, p.icmp_type_name = "unreachable", p.icmp_code_name = "frag_needed", p.icmp_mtu = 1200;
    p.icmp_quotes = true, p.quote_seq = 1, p.quote_seq_end = 1461, p.quote_len = 1460;
    seen = seen_as(&p, &space, &world4);
    assert_int_equal(seen.icmp_type, 3);
    assert_int_equal(seen.icmp_code, 4);
    assert_int_equal(seen.icmp_mtu, 1200);
    assert_int_equal(seen.quote_seq, 7001);
    assert_int_equal(seen.quote_source_port, 1234);
    assert_int_equal(seen.quote_destination_port, 80);
    assert_int_equal(packet_get16(octets + 28 + 2), 1500); /* the quoted packet's own length */
    assert_memory_equal(octets + 28 + 12, world4.local, 4);
    seen.outbound = false;
    packet_print(&seen, &space, text, sizeof text);
    assert_string_equal(text, "< icmp unreachable frag_needed mtu 1200 [1]");
    assert_int_equal(packet_build(&p, &space, &world6, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "ICMPv6 has no code \"frag_needed\" of type 1");
    p.icmp_type_name = "packet_too_big", p.icmp_code_name = NULL, p.icmp_mtu = 70000;
    seen = seen_as(&p, &space, &world6);
    assert_int_equal(seen.icmp_type, 2);
    assert_int_equal(seen.icmp_mtu, 70000);
    assert_int_equal(seen.quote_seq, 7001);
    space.in_base = 7000;
    check(&p, &seen, &space, PACKET_SAME, "");
    p.quote_seq = 2, p.icmp_mtu = 1;
    check(&p, &seen, &space, PACKET_DIFFERS, "ICMP MTU: 1 expected, 70000 seen; quoted seq: 2 expected, 1 seen");
    p = plain(PACKET_RST, 0, 0, 0);
    check(&p, &seen, &space, PACKET_DIFFERS, "protocol: TCP expected, ICMP seen");
}

static void test_what_cannot_be_built(void **state)
{
    struct packet_space space = {0};
    struct script_packet p = plain(PACKET_ACK, 0, 0, 0);

    (void)state;
    p.udp_source = 1, p.udp_destination = 2;
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "encapsulation in UDP is not supported");
    p = plain(PACKET_ACK, 0, 0, 0), add(&p, SCRIPT_OPT_NOP, 0);
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "the options are 1 octets, no multiple of 4: nop or eol is missing");
    p = plain(PACKET_ACK, 0, 0, 0);
    for (int i = 0; i < 5; i++)
        add(&p, SCRIPT_OPT_TS, 0);
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "the options are more than 40 octets");
    p = plain(PACKET_ACK, 0, 0, 0), add(&p, SCRIPT_OPT_MD5, 0);
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "md5 digests are not supported: only md5 with its octets");
    p = plain(PACKET_ACK, 0, 65500, 0);
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_int_equal(packet_build(&p, &space, &world6, octets, 1000, why, sizeof why), 0);
    p = plain(PACKET_ACK, 0, 0, 0), p.flowlabel = 3;
    assert_int_equal(packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why), 0);
    assert_string_equal(why, "IPv4 has no flow label");
    p = plain(PACKET_ACK, 0, 0, 0), p.bad_checksum = true;
    struct packet seen;
    size_t len = packet_build(&p, &space, &world4, octets, sizeof octets, why, sizeof why);
    assert_int_equal(len, 40);
    assert_false(packet_read(&seen, octets, len, &world4, why, sizeof why));
    assert_memory_equal(why, "wrong TCP checksum", 18);
}

static void test_print(void **state)
{
    struct packet_space space = {.in_known = true, .in_base = 1000, .out_known = true, .out_base = 7000, .ts_known = true, .ts_base = 90};
    struct script_packet p = syn();
    struct packet seen;
    char text[300];

    (void)state;
    assert_true(packet_read(&seen, syn4, sizeof syn4, &world4, why, sizeof why));
    packet_print(&seen, &space, text, sizeof text);
    assert_string_equal(text, "< S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>");
    packet_print(&seen, &space, text, 10);
    assert_string_equal(text, "< S 0:0(0");
    packet_print_script(&p, text, sizeof text);
    assert_string_equal(text, "< S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>");
    p = plain(PACKET_ACK | PACKET_CWR | PACKET_AE, 3, 1, 4);
    p.ace = p.seq_literal = p.outbound = true, p.ecn = SCRIPT_ECT01, p.ttl = 3;
    add(&p, SCRIPT_OPT_RAW, 0), p.options[0].raw_kind = 253, p.options[0].octet_count = 2, p.options[0].octets[0] = 0xab;
    packet_print_script(&p, text, sizeof text);
    assert_string_equal(text, "> [ect01,ttl 3] .6 3!:4!(1) ack 4 <kind 253 ab00>");
}

/* ---- whatever a packet holds, its text stays within its room (V23) ---------------------------------------------------------- */

/* Printed into rooms of every size up to what it needs, each followed by octets that nobody may touch. */
static void print_within(const struct packet *p)
{
    struct packet_space space = {.in_known = true, .out_known = true};
    char whole[4096], room[4096 + 16];

    packet_print(p, &space, whole, sizeof whole);
    assert_true(strlen(whole) + 1 < sizeof whole);
    for (size_t cap = 1; cap <= strlen(whole) + 1; cap += 1 + cap / 8) {
        memset(room, 0x5a, sizeof room);
        packet_print(p, &space, room, cap);
        if (memchr(room, 0, cap) == NULL || strncmp(room, whole, strlen(room)) != 0)
            fail_msg("\"%s\" in a room of %zu: not its beginning", whole, cap);
        for (size_t i = cap; i < cap + 16; i++)
            if (room[i] != 0x5a)
                fail_msg("\"%s\" in a room of %zu: written behind it", whole, cap);
    }
}

/* CVE-2022-1841: a printer of control bits did not know two of them. Each of the 512 mixes, each letter once, and back again. */
static void test_print_every_mix_of_control_bits(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 512; flags++) {
        static const struct { unsigned flag; char letter; } letters[] = {
            {PACKET_SYN, 'S'}, {PACKET_FIN, 'F'}, {PACKET_RST, 'R'}, {PACKET_PSH, 'P'}, {PACKET_URG, 'U'},
            {PACKET_CWR, 'W'}, {PACKET_ECE, 'E'}, {PACKET_AE, 'A'}, {PACKET_ACK, '.'}};
        struct packet p = {.outbound = flags % 2 == 0, .proto = SCRIPT_TCP, .flags = (uint16_t)flags, .reserved = flags & 7};
        char text[4096], word[32];
        struct packet_space space = {.in_known = true};

        print_within(&p);
        packet_print(&p, &space, text, sizeof text);
        assert_int_equal(sscanf(text, "%*1[<>] %31s", word), 1);
        unsigned found = 0;
        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
            if ((strchr(word, letters[i].letter) != NULL) != ((flags & letters[i].flag) != 0))
                fail_msg("%03x is printed as %s", flags, word);
            else
                found += strchr(word, letters[i].letter) != NULL;
        assert_int_equal(strlen(word), flags == 0 ? 1 : found);
    }
}

/* Every kind with every length in every space, read from octets as they come: the decoder and the printer together. */
static void test_print_every_option(void **state)
{
    uint8_t packet[20 + 60] = {0x45, [8] = 64, [9] = 6, [12] = 192, 168, 0, 1, 192, 0, 2, 1};
    unsigned printed = 0;

    (void)state;
    for (unsigned space = 4; space <= 40; space += 4)
        for (unsigned kind = 0; kind < 256; kind++)
            for (unsigned len = 0; len < 64; len += len < 44 ? 1 : 19) {
                struct packet p;
                weir_pseudo pseudo = {weir_addr_v4(192, 168, 0, 1), weir_addr_v4(192, 0, 2, 1)};
                uint8_t *tcp = packet + 20;
                uint32_t sum = 0;

                memset(tcp, 0xff, 60);
                tcp[12] = (uint8_t)((20 + space) / 4 << 4);
                tcp[20] = (uint8_t)kind;
                tcp[21] = (uint8_t)len;
                packet[3] = (uint8_t)(40 + space);
                packet[10] = packet[11] = 0;
                for (unsigned i = 0; i < 20; i += 2)
                    sum += (uint32_t)packet[i] << 8 | packet[i + 1];
                sum = ~((sum & 0xffff) + (sum >> 16));
                packet[10] = (uint8_t)(sum >> 8);
                packet[11] = (uint8_t)sum;
                weir_emit_checksum(tcp, 20 + space, &pseudo);
                if (packet_read(&p, packet, 40 + space, &world4, why, sizeof why)) {
                    print_within(&p);
                    printed++;
                }
            }
    assert_true(printed > 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_octets),
        cmocka_unit_test(test_weir_agrees),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_any_options),
        cmocka_unit_test(test_each_field_counts),
        cmocka_unit_test(test_literal_numbers),
        cmocka_unit_test(test_ip_fields_where_written),
        cmocka_unit_test(test_options_literal_and_as_a_set),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_sack_lies_in_the_other_space),
        cmocka_unit_test(test_icmp),
        cmocka_unit_test(test_what_cannot_be_built),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_every_mix_of_control_bits),
        cmocka_unit_test(test_print_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
