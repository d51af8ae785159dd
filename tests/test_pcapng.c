/* test_pcapng.c - the capture file read back, block by block, and what happens when it cannot be written. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tun/fault.c"
#include "tun/pcapng.c"

static char path[64];
static uint8_t *file;
static size_t file_len;

static int path_made(void **state)
{
    int fd;

    (void)state;
    strcpy(path, "/tmp/test_pcapng.XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int path_gone(void **state)
{
    (void)state;
    free(file);
    file = NULL;
    return unlink(path);
}

static void file_read(void)
{
    FILE *f = fopen(path, "rb");

    assert_non_null(f);
    free(file);
    file = malloc(8u << 20);
    assert_non_null(file);
    file_len = fread(file, 1, 8u << 20, f);
    assert_true(file_len < 8u << 20);
    (void)fclose(f);
}

/* ---- a reader of its own ---- */

static uint32_t get(size_t at, unsigned len)
{
    uint32_t value = 0;

    assert_true(at + len <= file_len);
    for (unsigned i = 0; i < len; i++)
        value |= (uint32_t)file[at + i] << (8 * i);
    return value;
}

struct block {
    uint32_t type;
    size_t at, len; /* of the whole block */
};

static struct block block_at(size_t at)
{
    struct block block = {get(at, 4), at, get(at + 4, 4)};

    assert_int_equal(block.len % 4, 0);
    assert_true(block.len >= 12);
    assert_int_equal(get(at + block.len - 4, 4), block.len);
    return block;
}

/* Where the value of an option is and how long; 0 if the block has none. The options must end with one of kind and length 0. */
static size_t option_find(struct block block, size_t options, unsigned wanted, size_t *len)
{
    size_t at = block.at + options, found = 0;

    for (;;) {
        unsigned kind = get(at, 2), octets = get(at + 2, 2);
        if (kind == 0) {
            assert_int_equal(octets, 0);
            assert_int_equal(at + 4, block.at + block.len - 4);
            return found;
        }
        if (kind == wanted && found == 0) {
            found = at + 4;
            *len = octets;
        }
        at += 4 + (octets + 3) / 4 * 4;
        assert_true(at < block.at + block.len);
    }
}

static void option_is_text(struct block block, size_t options, unsigned wanted, const char *text)
{
    size_t len = 0, at = option_find(block, options, wanted, &len);

    assert_int_equal(at == 0, text == NULL);
    if (text == NULL)
        return;
    assert_int_equal(len, strlen(text));
    assert_memory_equal(file + at, text, len);
}

static uint64_t option_number(struct block block, size_t options, unsigned wanted, unsigned len_wanted)
{
    size_t len = 0, at = option_find(block, options, wanted, &len);

    assert_true(at != 0);
    assert_int_equal(len, len_wanted);
    return len == 8 ? get(at, 4) | (uint64_t)get(at + 4, 4) << 32 : get(at, (unsigned)len);
}

static uint64_t time_at(size_t at)
{
    return (uint64_t)get(at, 4) << 32 | get(at + 4, 4);
}

static weir_pcapng *opened(uint32_t snap_len)
{
    weir_pcapng_about about = {path, "weir0", "test 1", "seed 7", snap_len, 1700000000000000u};
    weir_pcapng *p = weir_pcapng_open(&about, NULL);

    assert_non_null(p);
    return p;
}

/* ---- tests ---- */

static void test_the_head_says_what_it_is(void **state)
{
    struct block section, interface, statistics;

    (void)state;
    assert_true(weir_pcapng_close(opened(0), NULL, 5, NULL));
    file_read();
    section = block_at(0);
    assert_int_equal(section.type, 0x0a0d0d0a);
    assert_int_equal(get(8, 4), 0x1a2b3c4d);
    assert_int_equal(get(12, 2), 1);
    assert_int_equal(get(14, 2), 0);
    assert_int_equal(get(16, 4), UINT32_MAX);
    assert_int_equal(get(20, 4), UINT32_MAX);
    option_is_text(section, 24, 1, "seed 7");
    option_is_text(section, 24, 4, "test 1");
    interface = block_at(section.len);
    assert_int_equal(interface.type, 1);
    assert_int_equal(get(interface.at + 8, 2), 101);
    option_is_text(interface, 16, 2, "weir0");
    assert_int_equal(option_number(interface, 16, 9, 1), 6);
    statistics = block_at(interface.at + interface.len);
    assert_int_equal(statistics.type, 5);
    assert_int_equal(statistics.at + statistics.len, file_len);
    assert_int_equal(option_number(statistics, 20, 4, 8), 0);
}

static const struct packet_row {
    size_t parts[3];
    weir_us when;
    bool inbound;
    const char *comment;
} packet_rows[] = {
    {{20, 0, 0}, 0, true, "LISTEN -> SYN-RECEIVED: L3"},
    {{40, 1, 0}, 1, false, NULL},
    {{40, 2, 1}, 999999, true, ""},
    {{52, 1000, 448}, 4294967296000000u, false, "a"},
    {{1, 0, 0}, 77, true, "ab"},
    {{104, 32767, 32664}, 78, false, "abc"},
    {{0, 3, 0}, 79, false, "h\xc3\xbcl\xc3\xa9"},
};

static void packet_check(struct block block, const struct packet_row *row, const uint8_t *octets)
{
    size_t len = row->parts[0] + row->parts[1] + row->parts[2], options = 28 + (len + 3) / 4 * 4;

    assert_int_equal(block.type, 6);
    assert_int_equal(get(block.at + 8, 4), 0);
    assert_true(time_at(block.at + 12) == row->when + 1700000000000000u);
    assert_int_equal(get(block.at + 20, 4), len);
    assert_int_equal(get(block.at + 24, 4), len);
    assert_memory_equal(file + block.at + 28, octets, len);
    assert_int_equal(option_number(block, options, 2, 4), row->inbound ? 1 : 2);
    option_is_text(block, options, 1, row->comment == NULL || *row->comment == '\0' ? NULL : row->comment);
}

static void test_packets_come_back(void **state)
{
    static uint8_t octets[65536];
    weir_pcapng *p = opened(0);
    weir_pcapng_totals totals = {123456789012u, 5};
    size_t count = sizeof packet_rows / sizeof packet_rows[0], at;
    struct block block;

    (void)state;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 13 + i / 256);
    for (size_t round = 0; round < 40; round++) { /* 2.7 MB: many buffers */
        for (size_t i = 0; i < count; i++) {
            const struct packet_row *row = &packet_rows[i];
            weir_pcapng_packet packet = {row->when, row->inbound, row->comment};
            weir_slice slices[3] = {{octets, row->parts[0]},
                                    {octets + row->parts[0], row->parts[1]},
                                    {octets + row->parts[0] + row->parts[1], row->parts[2]}};
            weir_pcapng_write(p, &packet, slices, 3);
        }
    }
    assert_true(weir_pcapng_close(p, &totals, 1000000, NULL));
    file_read();
    at = block_at(0).len;
    at += block_at(at).len;
    for (size_t i = 0; i < 40 * count; i++, at += block.len) {
        block = block_at(at);
        packet_check(block, &packet_rows[i % count], octets);
    }
    block = block_at(at);
    assert_int_equal(block.type, 5);
    assert_int_equal(at + block.len, file_len);
    assert_true(time_at(at + 12) == 1700000001000000u);
    assert_true(option_number(block, 20, 4, 8) == totals.received);
    assert_int_equal(option_number(block, 20, 5, 8), 5);
}

static void test_snap_len_cuts_but_says_so(void **state)
{
    static const uint8_t octets[100] = {9, 8, 7};
    weir_pcapng *p = opened(10);
    weir_pcapng_packet packet = {1, true, NULL};
    weir_slice slices[2] = {{octets, 3}, {octets, 97}};
    struct block block;

    (void)state;
    weir_pcapng_write(p, &packet, slices, 2);
    assert_true(weir_pcapng_close(p, NULL, 2, NULL));
    file_read();
    block = block_at(block_at(0).len);
    assert_int_equal(get(block.at + 12, 4), 10);
    block = block_at(block.at + block.len);
    assert_int_equal(get(block.at + 20, 4), 10);
    assert_int_equal(get(block.at + 24, 4), 100);
    assert_memory_equal(file + block.at + 31, octets, 7);
    assert_int_equal(option_number(block, 28 + 12, 2, 4), 1);
}

static void test_long_comments_are_cut(void **state)
{
    static char comment[100000];
    static const uint8_t octets[4] = {1, 2, 3, 4};
    weir_pcapng *p = opened(0);
    weir_pcapng_packet packet = {1, true, comment};
    weir_slice slice = {octets, 4};
    struct block block;
    size_t len = 0;

    (void)state;
    memset(comment, 'x', sizeof comment - 1);
    weir_pcapng_write(p, &packet, &slice, 1);
    assert_true(weir_pcapng_close(p, NULL, 2, NULL));
    file_read();
    block = block_at(block_at(0).len);
    block = block_at(block.at + block.len);
    assert_true(option_find(block, 32, 1, &len) != 0);
    assert_int_equal(len, 1000);
}

static void test_flush_shows_what_there_is(void **state)
{
    static const uint8_t octets[4] = {1, 2, 3, 4};
    weir_pcapng *p = opened(0);
    weir_pcapng_packet packet = {1, true, "x"};
    weir_slice slice = {octets, 4};
    size_t before;

    (void)state;
    file_read();
    before = file_len;
    assert_true(before > 0); /* the head is there at once */
    weir_pcapng_write(p, &packet, &slice, 1);
    file_read();
    assert_int_equal(file_len, before); /* collected */
    weir_pcapng_flush(p);
    file_read();
    assert_int_equal(file_len, before + 28 + 4 + 8 + 8 + 4 + 4); /* head, octets, flags, comment, end of options, length */
    assert_true(weir_pcapng_close(p, NULL, 2, NULL));
}

static void test_a_full_disk_is_told_once(void **state)
{
    static uint8_t octets[60000];
    weir_pcapng_about about = {"/dev/full", NULL, NULL, NULL, 0, 0};
    weir_pcapng_packet packet = {1, true, NULL};
    weir_slice slice = {octets, sizeof octets};
    weir_fault fault;
    weir_pcapng *p;

    (void)state;
    if (access("/dev/full", W_OK) != 0)
        return; /* nothing else is full on demand */
    memset(&fault, 0, sizeof fault);
    p = weir_pcapng_open(&about, &fault);
    assert_non_null(p); /* not fatal: traffic matters more */
    for (unsigned i = 0; i < 100; i++)
        weir_pcapng_write(p, &packet, &slice, 1);
    assert_true(weir_pcapng_failed(p, &fault));
    assert_int_equal(fault.error, ENOSPC);
    assert_non_null(strstr(fault.text, "/dev/full"));
    assert_false(weir_pcapng_failed(p, &fault));
    assert_int_equal(p->missed + p->written, 100);
    assert_true(weir_pcapng_close(p, NULL, 2, &fault)); /* told already */
    p = weir_pcapng_open(&about, &fault);
    assert_non_null(p);
    fault.kind = WEIR_FAULT_NONE;
    assert_false(weir_pcapng_close(p, NULL, 2, &fault)); /* nobody asked before: told here */
    assert_int_equal(fault.kind, WEIR_FAULT_FAILED);
}

static void test_a_bad_path_is_refused(void **state)
{
    weir_pcapng_about about = {"/nonexistent/x.pcapng", NULL, NULL, NULL, 0, 0};
    weir_fault fault;

    (void)state;
    memset(&fault, 0, sizeof fault);
    assert_null(weir_pcapng_open(&about, &fault));
    assert_int_equal(fault.kind, WEIR_FAULT_FAILED);
    assert_int_equal(fault.error, ENOENT);
    assert_non_null(strstr(fault.text, "/nonexistent/x.pcapng: No such file or directory; "));
    assert_true(weir_pcapng_close(NULL, NULL, 0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_head_says_what_it_is, path_made, path_gone),
        cmocka_unit_test_setup_teardown(test_packets_come_back, path_made, path_gone),
        cmocka_unit_test_setup_teardown(test_snap_len_cuts_but_says_so, path_made, path_gone),
        cmocka_unit_test_setup_teardown(test_long_comments_are_cut, path_made, path_gone),
        cmocka_unit_test_setup_teardown(test_flush_shows_what_there_is, path_made, path_gone),
        cmocka_unit_test(test_a_full_disk_is_told_once),
        cmocka_unit_test(test_a_bad_path_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
