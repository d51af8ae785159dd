/* fuzz_print.c - everything that makes text of numbers, or a file of packets: names, addresses, amounts, times, pcapng; and what reads such text.
 *
 * Input: an octet that says what, then its arguments. Checks: a name is there for every number, known or not, and ends; text fits the room
 * that the header asks for; what was written of an address, an end or a count is read back as the same; a parser takes a text or says why not
 * and leaves the value alone; a capture is a sequence of whole blocks with each packet in it. */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include <arpa/inet.h>

#include "tun/fault.c"
#include "tun/format.c"
#include "tun/parse.c"
#include "tun/pcapng.c"

enum { PRINT_STEPS = 64, PRINT_FILE = 1 << 18 };

static void print_check_name(const char *name)
{
    FUZZ_CHECK(name != NULL && strnlen(name, 256) > 0 && strnlen(name, 256) < 256, "a name that is none");
}

static void print_names(struct fuzz_bytes *in)
{
    unsigned n = fuzz_u8(in);
    n = n < 250 ? n : fuzz_u32(in);
    print_check_name(weir_verdict_name((enum weir_verdict)n));
    print_check_name(weir_verdict_reason((enum weir_verdict)n));
    print_check_name(weir_err_name((weir_err)n));
    print_check_name(weir_state_name((enum weir_state)n));
    print_check_name(weir_cc_name((enum weir_cc_kind)n));
    print_check_name(weir_timer_name(n));
    print_check_name(weir_row_name(n));
    print_check_name(weir_row_section(n));
    FUZZ_CHECK((strcmp(weir_row_name(n), "?") == 0) == (n >= weir_row_count()), "a row without a name, or a name without a row");
}

static weir_addr print_addr(struct fuzz_bytes *in)
{
    weir_addr a = weir_addr_v4(fuzz_u8(in), fuzz_u8(in), fuzz_u8(in), fuzz_u8(in));
    if (fuzz_u8(in) & 1) {
        for (unsigned i = 0; i < 16; i++) {
            a.octets[i] = fuzz_u8(in);
        }
    }
    return a;
}

static void print_addresses(struct fuzz_bytes *in)
{
    char text[WEIR_ENDPOINT_TEXT];
    weir_addr a = print_addr(in), back;
    uint16_t port = fuzz_u16(in);
    weir_endpoint end;
    memset(text, 'x', sizeof text);
    FUZZ_CHECK(weir_format_addr(text, &a) == text && strnlen(text, WEIR_ADDR_TEXT) < WEIR_ADDR_TEXT, "an address that does not fit");
    FUZZ_CHECK(weir_parse_addr(text, &back) == NULL && weir_addr_equal(&a, &back), "an address is not read back");
    FUZZ_CHECK(weir_format_endpoint(text, &a, port) == text && strnlen(text, sizeof text) < sizeof text, "an end that does not fit");
    bool read = weir_parse_endpoint(text, &end) == NULL;
    FUZZ_CHECK(read == (port > 0), "an end is not read back");
    FUZZ_CHECK(!read || (end.port == port && (weir_addr_is_unspecified(&a) || weir_addr_equal(&end.addr, &a))), "another end is read back");
}

static void print_amounts(struct fuzz_bytes *in)
{
    char text[WEIR_AMOUNT_TEXT];
    uint64_t n = (uint64_t)fuzz_u32(in) << 32 | fuzz_u32(in), back;
    n >>= fuzz_u8(in) & 63;
    FUZZ_CHECK(strnlen(weir_format_octets(text, n), sizeof text) < sizeof text, "octets that do not fit");
    FUZZ_CHECK(strnlen(weir_format_rate(text, n), sizeof text) < sizeof text, "a rate that does not fit");
    FUZZ_CHECK(strnlen(weir_format_duration(text, n), sizeof text) < sizeof text, "a time that does not fit");
    (void)snprintf(text, sizeof text, fuzz_u8(in) & 1 ? "0x%llx" : "%llu", (unsigned long long)n);
    FUZZ_CHECK(weir_parse_count(text, UINT64_MAX, &back) == NULL && back == n, "a count is not read back");
    FUZZ_CHECK(n == UINT64_MAX || weir_parse_count(text, n == 0 ? 0 : n - 1, &back) != NULL || n == 0, "a count beyond its bound");
}

/* Any text to each parser. */
static void print_parse(struct fuzz_bytes *in)
{
    char text[80];
    size_t len = fuzz_u8(in) % sizeof text;
    uint64_t n = 77;
    uint32_t ppm = 77;
    uint16_t port = 77;
    weir_us us = 77;
    weir_addr a;
    weir_prefix prefix;
    weir_endpoint end;
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)fuzz_u8(in);
    }
    text[len] = 0;
    FUZZ_CHECK((weir_parse_percent(text, &ppm) == NULL) ? ppm <= 1000000 : ppm == 77, "a refused percentage was written, or one above all");
    FUZZ_CHECK(weir_parse_duration_us(text, &us) == NULL || us == 77, "a refused time was written");
    FUZZ_CHECK(weir_parse_rate_bps(text, &n) == NULL || n == 77, "a refused rate was written");
    n = 77;
    FUZZ_CHECK(weir_parse_size(text, &n) == NULL || n == 77, "a refused size was written");
    n = 77;
    FUZZ_CHECK(weir_parse_count(text, 1000, &n) == NULL ? n <= 1000 : n == 77, "a refused count was written, or one beyond its bound");
    FUZZ_CHECK(weir_parse_port(text, &port) == NULL ? port > 0 : port == 77, "a refused port was written, or port 0");
    (void)weir_parse_addr(text, &a);
    FUZZ_CHECK(weir_parse_prefix(text, &prefix) != NULL || prefix.len <= 128, "a prefix longer than an address");
    (void)weir_parse_endpoint(text, &end);
}

/* Whole blocks, with their length at both ends; how many hold packets. */
static unsigned print_check_capture(const uint8_t *octets, size_t len)
{
    unsigned packets = 0;
    while (len > 0) {
        uint32_t kind, size, again;
        FUZZ_CHECK(len >= 12, "a capture that ends within a block");
        memcpy(&kind, octets, 4); /* written with the least octet first, and read on such machines only */
        memcpy(&size, octets + 4, 4);
        FUZZ_CHECK(size >= 12 && size % 4 == 0 && size <= len, "a block of an impossible length");
        memcpy(&again, octets + size - 4, 4);
        FUZZ_CHECK(size == again, "the two lengths of a block disagree");
        packets += kind == 6;
        octets += size;
        len -= size;
    }
    return packets;
}

static void print_capture(struct fuzz_bytes *in)
{
    static uint8_t file[PRINT_FILE];
    char path[40], comment[200];
    uint8_t octets[600];
    weir_fault fault;
    weir_pcapng_totals totals = {1, 2};
    memset(&fault, 0, sizeof fault);
    memset(octets, 'p', sizeof octets);
    int fd = memfd_create("capture", 0);
    FUZZ_CHECK(fd >= 0, "no file in memory");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    unsigned how = fuzz_u8(in), count = fuzz_u8(in) & 31;
    memset(comment, 'c', sizeof comment);
    comment[fuzz_u8(in) % sizeof comment] = 0;
    comment[sizeof comment - 1] = 0;
    weir_pcapng_about about = {path, how & 1 ? comment : NULL, how & 2 ? "weir" : NULL, how & 4 ? comment : NULL, how & 8 ? 64 : 0, 1u << 20};
    weir_pcapng *p = weir_pcapng_open(&about, &fault);
    FUZZ_CHECK(p != NULL, "no capture in a file in memory");
    for (unsigned i = 0; i < count; i++) {
        unsigned more = fuzz_u8(in);
        weir_pcapng_packet packet = {(weir_us)fuzz_u16(in) << (more & 31), (more & 64) != 0, more & 128 ? comment : NULL};
        const weir_slice slices[3] = {{octets, fuzz_u8(in)}, {octets, more & 32 ? fuzz_u8(in) : 0}, {NULL, 0}};
        weir_pcapng_write(p, &packet, slices, more & 32 ? 3 : 1);
    }
    FUZZ_CHECK(!weir_pcapng_failed(p, &fault), "a write to memory failed");
    FUZZ_CHECK(weir_pcapng_close(p, how & 16 ? &totals : NULL, fuzz_u32(in), &fault), "a capture in memory is incomplete");
    ssize_t len = pread(fd, file, sizeof file, 0);
    FUZZ_CHECK(len > 0 && (size_t)len < sizeof file, "nothing in the file, or more than was written");
    if (htons(1) != 1) {
        FUZZ_CHECK(print_check_capture(file, (size_t)len) == count, "a packet is missing in the capture");
    }
    (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_bytes in = fuzz_begin(data, size);
    for (unsigned i = 0; i < PRINT_STEPS && in.left > 0; i++) {
        fuzz_event(&in);
        switch (fuzz_u8(&in) % 5) {
        case 0: print_names(&in); break;
        case 1: print_addresses(&in); break;
        case 2: print_amounts(&in); break;
        case 3: print_parse(&in); break;
        default: print_capture(&in); break;
        }
    }
    return 0;
}

#if defined(WEIR_FUZZ_UNIT) && !defined(WEIR_FUZZ_PLAIN)
static const struct fuzz_phrase fuzz_phrases[] = {
    FUZZ_PHRASE("\x00\x05"), FUZZ_PHRASE("\x00\xff\xff\xff\xff\xff"), FUZZ_PHRASE("\x01\x0a\x00\x00\x01\x00\x00\x50"),
    FUZZ_PHRASE("\x01\x00\x00\x00\x00\x01\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\xbb"),
    FUZZ_PHRASE("\x02\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01"), FUZZ_PHRASE("\x02\x00\x00\x00\x00\x00\x0f\x42\x40\x00\x00"),
    FUZZ_PHRASE("\x03\x03" "20%"), FUZZ_PHRASE("\x03\x05" "1.5ms"), FUZZ_PHRASE("\x03\x06" "10mbit"), FUZZ_PHRASE("\x03\x03" "64M"),
    FUZZ_PHRASE("\x03\x0b" "10.0.0.2/24"), FUZZ_PHRASE("\x03\x0c" "[fd00::1]:80"), FUZZ_PHRASE("\x03\x04" "*:80"), FUZZ_PHRASE("\x03\x04" "0x1f"),
    FUZZ_PHRASE("\x04\x1f\x03\x10\x80\x00\x10\x40\xe0\x00\x20\xff\x10\x00\x00\x00\x00"),
};
#include "mutate.h"
#endif
