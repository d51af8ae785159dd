/* test_format.c - what people read stays within its room: addresses, sizes, rates, times, and the words about a packet in a capture (V23). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "tun/trace.c"

/* A text that ends within its room; the room ends at a page that nobody may touch. */
static void format_ends(const char *text, size_t cap)
{
    assert_non_null(text);
    assert_non_null(memchr(text, 0, cap));
}

static void test_amounts(void **state)
{
    char *room = (char *)guard_room(WEIR_AMOUNT_TEXT);
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int beside = -1; beside <= 1; beside++) {
            const uint64_t value = ((uint64_t)1 << bit) + (uint64_t)(int64_t)beside;
            for (uint64_t tens = 1; tens <= 1000; tens *= 10) {
                format_ends(weir_format_octets(room, value * tens), WEIR_AMOUNT_TEXT);
                format_ends(weir_format_rate(room, value * tens), WEIR_AMOUNT_TEXT);
                format_ends(weir_format_duration(room, value * tens), WEIR_AMOUNT_TEXT);
            }
        }
    }
    format_ends(weir_format_octets(room, UINT64_MAX), WEIR_AMOUNT_TEXT);
    assert_string_equal(weir_format_octets(room, 1536), "1.50 KiB");
    assert_string_equal(weir_format_duration(room, WEIR_FOREVER), "never");
    guard_free_all();
}

/* Each octet of an address with each value, and such as need the most letters. */
static void test_addresses(void **state)
{
    char *room = (char *)guard_room(WEIR_ENDPOINT_TEXT), *bare = (char *)guard_room(WEIR_ADDR_TEXT);
    (void)state;
    for (unsigned fill = 0; fill < 256; fill += 51) {
        for (unsigned at = 0; at < 16; at++) {
            for (unsigned value = 0; value < 256; value++) {
                weir_addr a;
                memset(a.octets, (int)fill, sizeof a.octets);
                a.octets[at] = (uint8_t)value;
                format_ends(weir_format_addr(bare, &a), WEIR_ADDR_TEXT);
                format_ends(weir_format_endpoint(room, &a, 65535), WEIR_ENDPOINT_TEXT);
            }
        }
    }
    const weir_addr v4 = weir_addr_v4(255, 255, 255, 255);
    assert_string_equal(weir_format_endpoint(room, &v4, 65535), "255.255.255.255:65535");
    guard_free_all();
}

static void test_fates(void **state)
{
    char *room = (char *)guard_room(WEIR_AMOUNT_TEXT);
    (void)state;
    for (unsigned fate = 0; fate < 65536; fate++) {
        format_ends(weir_link_fate_text(fate, room), 4096);
    }
    guard_free_all();
}

/* The words about a packet: every row as often as a path has places, from every state to every other. */
static void test_words_of_a_path(void **state)
{
    weir_conn conn;
    struct trace_text *text = (struct trace_text *)(void *)guard_room(sizeof *text);
    (void)state;
    memset(&conn, 0, sizeof conn);
    for (unsigned row = 0; row < weir_row_count(); row++) {
        for (unsigned to = 0; to < WEIR_STATE_COUNT; to++) {
            memset(conn.path.row, (int)row, sizeof conn.path.row);
            conn.path.count = WEIR_PATH_MAX;
            conn.path.from = (uint8_t)((to + row) % WEIR_STATE_COUNT);
            conn.path.to = (uint8_t)to;
            text->len = 0;
            trace_path(text, &conn);
            assert_true(text->len < sizeof text->text && strlen(text->text) == text->len);
        }
    }
    guard_free_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_fates),
        cmocka_unit_test(test_words_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
