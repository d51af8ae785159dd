/* test_parse.c - numbers with units, addresses and knobs as people write them, and the refusals. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/tun.h"

#define REFUSED UINT64_MAX

struct row {
    const char *text;
    uint64_t value;
};

static const struct row percents[] = {
    {"0", 0}, {"0%", 0}, {"2%", 20000}, {"2", 20000}, {"0.5%", 5000}, {"0.0001%", 1}, {"100%", 1000000}, {"99.9999%", 999999},
    {"1500ppm", 1500}, {"100.1%", REFUSED}, {"101%", REFUSED}, {"", REFUSED}, {"%", REFUSED}, {"-1%", REFUSED}, {"+1%", REFUSED},
    {"1 %", REFUSED}, {" 1%", REFUSED}, {"1%%", REFUSED}, {"1.%", REFUSED}, {".5%", REFUSED}, {"1.1234567%", REFUSED}, {"0.0000001%", REFUSED},
    {"1,5%", REFUSED}, {"nan", REFUSED}, {"0x2%", REFUSED}, {"18446744073709551616%", REFUSED}, {"1e1%", REFUSED},
};

static const struct row durations[] = {
    {"20ms", 20000}, {"1.5s", 1500000}, {"300us", 300}, {"2m", 120000000}, {"1h", 3600000000u}, {"3", 3000000}, {"0", 0},
    {"0.000001", 1}, {"0.5us", 0}, {"1MIN", 60000000}, {"20MS", 20000}, {"8760h", 31536000000000u}, {"8761h", REFUSED},
    {"20 ms", REFUSED}, {"20msx", REFUSED}, {"ms", REFUSED}, {"-1s", REFUSED}, {"", REFUSED}, {"5d", REFUSED},
    {"99999999999999999999", REFUSED}, {"18446744073709551615h", REFUSED},
};

static const struct row rates[] = {
    {"10mbit", 10000000}, {"1.5gbit", 1500000000}, {"64kbit", 64000}, {"9600bit", 9600}, {"9600", 9600}, {"10M", 10000000},
    {"2.5Mbps", 2500000}, {"1000gbit", 1000000000000u}, {"1001gbit", REFUSED}, {"10mb", REFUSED}, {"mbit", REFUSED}, {"", REFUSED},
    {"1..5mbit", REFUSED},
};

static const struct row sizes[] = {
    {"4096", 4096}, {"64K", 65536}, {"64k", 65536}, {"1.5M", 1572864}, {"64MiB", 67108864}, {"1G", 1073741824}, {"2gib", 2147483648u},
    {"1T", 1099511627776u}, {"0", 0}, {"12b", 12}, {"64KB", REFUSED}, {"1048577T", REFUSED},
    {"16777216T", REFUSED}, {"G", REFUSED}, {"-1", REFUSED}, {"", REFUSED},
};

static const struct row counts[] = {
    {"0", 0}, {"42", 42}, {"1000", 1000}, {"0x3e8", 1000}, {"0X3E8", 1000}, {"007", 7}, {"1001", REFUSED}, {"0x3e9", REFUSED},
    {"", REFUSED}, {"0x", REFUSED}, {"1.5", REFUSED}, {"1k", REFUSED}, {"0xg", REFUSED}, {"99999999999999999999999", REFUSED},
    {"0x10000000000000000", REFUSED},
};

static const struct row ports[] = {
    {"1", 1}, {"80", 80}, {"65535", 65535}, {"0", REFUSED}, {"65536", REFUSED}, {"http", REFUSED}, {"", REFUSED}, {"8o", REFUSED},
    {"-1", REFUSED},
};

static uint64_t read_percent(const char *text, const char **why)
{
    uint32_t ppm = 7777777;
    *why = weir_parse_percent(text, &ppm);
    return *why == NULL ? ppm : ppm == 7777777 ? REFUSED : 0;
}

static uint64_t read_duration(const char *text, const char **why)
{
    weir_us us = 7777777;
    *why = weir_parse_duration_us(text, &us);
    return *why == NULL ? us : us == 7777777 ? REFUSED : 0;
}

static uint64_t read_rate(const char *text, const char **why)
{
    uint64_t bps = 7777777;
    *why = weir_parse_rate_bps(text, &bps);
    return *why == NULL ? bps : bps == 7777777 ? REFUSED : 0;
}

static uint64_t read_size(const char *text, const char **why)
{
    uint64_t octets = 7777777;
    *why = weir_parse_size(text, &octets);
    return *why == NULL ? octets : octets == 7777777 ? REFUSED : 0;
}

static uint64_t read_count(const char *text, const char **why)
{
    uint64_t count = 7777777;
    *why = weir_parse_count(text, 1000, &count);
    return *why == NULL ? count : count == 7777777 ? REFUSED : 0;
}

static uint64_t read_port(const char *text, const char **why)
{
    uint16_t port = 7777;
    *why = weir_parse_port(text, &port);
    return *why == NULL ? port : port == 7777 ? REFUSED : 0;
}

static void rows_hold(const struct row *rows, size_t count, uint64_t (*read)(const char *, const char **))
{
    for (size_t i = 0; i < count; i++) {
        const char *why;
        uint64_t value = read(rows[i].text, &why);
        if (value != rows[i].value)
            fail_msg("'%s' is %llu", rows[i].text, (unsigned long long)value);
        if (rows[i].value == REFUSED)
            assert_true(why != NULL && strlen(why) > 10);
    }
}

static void test_numbers(void **state)
{
    (void)state;
    rows_hold(percents, sizeof percents / sizeof percents[0], read_percent);
    rows_hold(durations, sizeof durations / sizeof durations[0], read_duration);
    rows_hold(rates, sizeof rates / sizeof rates[0], read_rate);
    rows_hold(sizes, sizeof sizes / sizeof sizes[0], read_size);
    rows_hold(counts, sizeof counts / sizeof counts[0], read_count);
    rows_hold(ports, sizeof ports / sizeof ports[0], read_port);
}

static void test_a_count_may_use_all_64_bits(void **state)
{
    uint64_t count;

    (void)state;
    assert_null(weir_parse_count("18446744073709551615", UINT64_MAX, &count));
    assert_true(count == UINT64_MAX);
    assert_null(weir_parse_count("0xffffffffffffffff", UINT64_MAX, &count));
    assert_true(count == UINT64_MAX);
    assert_non_null(weir_parse_count("18446744073709551616", UINT64_MAX, &count));
    assert_null(weir_parse_count("3", 3, &count));
    assert_non_null(weir_parse_count("4", 3, &count));
}

/* What comes out is printed again: the text that is expected, NULL for a refusal. */
struct text_row {
    const char *text, *again;
};

static void test_addresses(void **state)
{
    static const struct text_row rows[] = {
        {"10.0.0.1", "10.0.0.1"}, {"255.255.255.255", "255.255.255.255"}, {"fd00::1", "fd00::1"}, {"FD00:0:0::1", "fd00::1"},
        {"::", "::"}, {"::ffff:1.2.3.4", "1.2.3.4"}, {"10.0.0", NULL}, {"10.0.0.256", NULL}, {"10.0.0.1 ", NULL}, {"fd00:::1", NULL},
        {"localhost", NULL}, {"", NULL}, {"010.0.0.1", NULL}, {"[fd00::1]", NULL}, {"fe80::1%eth0", NULL},
    };
    char text[WEIR_ADDR_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_addr addr;
        const char *why = weir_parse_addr(rows[i].text, &addr);
        if ((why != NULL) != (rows[i].again == NULL))
            fail_msg("'%s': %s", rows[i].text, why == NULL ? "taken" : why);
        if (why == NULL)
            assert_string_equal(weir_format_addr(text, &addr), rows[i].again);
    }
}

static void test_prefixes(void **state)
{
    static const struct {
        const char *text, *addr;
        unsigned len;
    } rows[] = {
        {"10.77.0.2/24", "10.77.0.2", 24}, {"10.77.0.2", "10.77.0.2", 32}, {"0.0.0.0/0", "0.0.0.0", 0}, {"fd77::2/64", "fd77::2", 64},
        {"fd77::2", "fd77::2", 128}, {"10.0.0.1/32", "10.0.0.1", 32}, {"10.0.0.1/33", NULL, 0}, {"fd77::2/129", NULL, 0},
        {"10.0.0.1/", NULL, 0}, {"/24", NULL, 0}, {"10.0.0.1/24/24", NULL, 0}, {"10.0.0.1/-1", NULL, 0}, {"", NULL, 0},
        {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/4", NULL, 0},
    };
    char text[WEIR_ADDR_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_prefix prefix;
        const char *why = weir_parse_prefix(rows[i].text, &prefix);
        if ((why != NULL) != (rows[i].addr == NULL))
            fail_msg("'%s': %s", rows[i].text, why == NULL ? "taken" : why);
        if (why != NULL)
            continue;
        assert_string_equal(weir_format_addr(text, &prefix.addr), rows[i].addr);
        assert_int_equal(prefix.len, rows[i].len);
    }
}

static void test_endpoints(void **state)
{
    static const struct text_row rows[] = {
        {"10.0.0.1:80", "10.0.0.1:80"}, {"[fd00::1]:443", "[fd00::1]:443"}, {":80", "*:80"}, {"*:80", "*:80"}, {"80", "*:80"},
        {"[::]:80", "*:80"}, {"fd00::1:80", NULL}, {"[fd00::1]80", NULL}, {"[10.0.0.1]:80", NULL}, {"10.0.0.1", NULL}, {"10.0.0.1:", NULL},
        {"10.0.0.1:0", NULL}, {"10.0.0.1:65536", NULL}, {"", NULL}, {":", NULL}, {"[]:80", NULL}, {"[:80", NULL}, {"[fd00::1x:80", NULL}, {"]:80", NULL},
        {"**:80", NULL}, {"host:80", NULL},
    };
    char text[WEIR_ENDPOINT_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        weir_endpoint endpoint;
        const char *why = weir_parse_endpoint(rows[i].text, &endpoint);
        if ((why != NULL) != (rows[i].again == NULL))
            fail_msg("'%s': %s", rows[i].text, why == NULL ? "taken" : why);
        if (why == NULL)
            assert_string_equal(weir_format_endpoint(text, &endpoint.addr, endpoint.port), rows[i].again);
    }
}

static void test_amounts_are_readable(void **state)
{
    char text[WEIR_AMOUNT_TEXT];

    (void)state;
    assert_string_equal(weir_format_octets(text, 0), "0 B");
    assert_string_equal(weir_format_octets(text, 1023), "1023 B");
    assert_string_equal(weir_format_octets(text, 65536), "64 KiB");
    assert_string_equal(weir_format_octets(text, 1342177280), "1.25 GiB");
    assert_string_equal(weir_format_octets(text, 12897485), "12.3 MiB");
    assert_string_equal(weir_format_octets(text, UINT64_MAX), "15.9 EiB");
    assert_string_equal(weir_format_rate(text, 999), "999 bit/s");
    assert_string_equal(weir_format_rate(text, 12345678), "12.3 Mbit/s");
    assert_string_equal(weir_format_rate(text, 1000000000), "1 Gbit/s");
    assert_string_equal(weir_format_duration(text, 850), "850 us");
    assert_string_equal(weir_format_duration(text, 20100), "20.1 ms");
    assert_string_equal(weir_format_duration(text, 1500000), "1.50 s");
    assert_string_equal(weir_format_duration(text, WEIR_FOREVER), "never");
}

static void test_knobs_of_a_link(void **state)
{
    weir_link_config in, out;

    (void)state;
    weir_link_config_init(&in);
    weir_link_config_init(&out);
    assert_null(weir_link_parse(&in, &out, "loss", "2%"));
    assert_true(in.loss_ppm == 20000 && out.loss_ppm == 20000);
    assert_null(weir_link_parse(&in, &out, "loss", "in:1%"));
    assert_true(in.loss_ppm == 10000 && out.loss_ppm == 20000);
    assert_null(weir_link_parse(&in, &out, "loss", "out:0"));
    assert_true(in.loss_ppm == 10000 && out.loss_ppm == 0);
    assert_null(weir_link_parse(&in, &out, "dup", "1%"));
    assert_null(weir_link_parse(&in, &out, "reorder", "2%"));
    assert_null(weir_link_parse(&in, &out, "corrupt", "0.5%"));
    assert_null(weir_link_parse(&in, &out, "delay", "20ms"));
    assert_null(weir_link_parse(&in, &out, "jitter", "out:3ms"));
    assert_null(weir_link_parse(&in, &out, "rate", "10mbit"));
    assert_null(weir_link_parse(&in, &out, "queue", "64K"));
    assert_null(weir_link_parse(&in, &out, "burst", "5"));
    assert_true(out.dup_ppm == 10000 && in.reorder_ppm == 20000 && in.corrupt_ppm == 5000 && in.delay_us == 20000 && in.jitter_us == 0);
    assert_true(out.jitter_us == 3000 && in.rate_bps == 10000000 && in.queue_octets == 65536 && out.loss_burst == 5);
    assert_null(weir_link_parse(&in, &out, "queue", "out:50p"));
    assert_true(in.queue_packets == 0 && out.queue_packets == 50 && out.queue_octets == UINT32_MAX);
    assert_null(weir_link_parse(&in, &out, "queue", "out:1M"));
    assert_true(out.queue_packets == 0 && out.queue_octets == 1048576);
    assert_null(weir_link_parse(&in, &out, "drop", "in:5/2@3s"));
    assert_null(weir_link_parse(&in, &out, "drop", "1+300K"));
    assert_true(in.drop_count == 2 && out.drop_count == 1 && in.drops[0].count == 5 && in.drops[0].every == 2);
    assert_true(in.drops[0].after_us == 3000000 && in.drops[0].after_octets == 0);
    assert_true(out.drops[0].count == 1 && out.drops[0].every == 1 && out.drops[0].after_octets == 307200 && out.drops[0].after_us == 0);
    static const char *const no_pattern[] = {"", "5", "0@3s", "5/@3s", "5/0@3s", "5/2@", "5/2@25h", "5/2+", "5/2*3", "x@1s", "5@1s "};
    for (size_t i = 0; i < sizeof no_pattern / sizeof *no_pattern; i++)
        assert_non_null(weir_link_parse(&in, &out, "drop", no_pattern[i]));
    for (unsigned i = 2; i < WEIR_LINK_DROPS_MAX; i++)
        assert_null(weir_link_parse(&in, &out, "drop", "in:1@0"));
    assert_non_null(strstr(weir_link_parse(&in, &out, "drop", "1@0"), "too many"));
    assert_true(in.drop_count == WEIR_LINK_DROPS_MAX && out.drop_count == 1);
    assert_non_null(weir_link_parse(&in, &out, "queue", "0p"));
    assert_non_null(weir_link_parse(&in, &out, "loss", "up:1%"));
    assert_non_null(weir_link_parse(&in, &out, "loss", "200%"));
    assert_non_null(weir_link_parse(&in, &out, "delay", "25h"));
    assert_non_null(weir_link_parse(&in, &out, "queue", "5G"));
    assert_non_null(weir_link_parse(&in, &out, "burst", "1001"));
    assert_non_null(strstr(weir_link_parse(&in, &out, "gravity", "1"), "knobs"));
    assert_true(in.loss_ppm == 10000 && in.delay_us == 20000 && in.queue_octets == 65536 && in.loss_burst == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_a_count_may_use_all_64_bits),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_endpoints), cmocka_unit_test(test_amounts_are_readable),
        cmocka_unit_test(test_knobs_of_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
