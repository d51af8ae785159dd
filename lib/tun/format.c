/* format.c - addresses, sizes, rates and times as people read them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>

#include "tun/room.h"

const char *weir_format_addr(char text[WEIR_ADDR_TEXT], const weir_addr *addr)
{
    bool v4 = weir_addr_is_v4(addr);

    if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr->octets + 12 : addr->octets, text, WEIR_ADDR_TEXT) == NULL)
        text[0] = '\0';
    return text;
}

const char *weir_format_endpoint(char text[WEIR_ENDPOINT_TEXT], const weir_addr *addr, uint16_t port)
{
    char part[WEIR_ADDR_TEXT];

    weir_format_addr(part, addr);
    if (weir_addr_is_unspecified(addr))
        (void)snprintf(text, WEIR_ENDPOINT_TEXT, "*:%u", (unsigned)port);
    else if (weir_addr_is_v4(addr))
        (void)snprintf(text, WEIR_ENDPOINT_TEXT, "%s:%u", part, (unsigned)port);
    else
        (void)snprintf(text, WEIR_ENDPOINT_TEXT, "[%s]:%u", part, (unsigned)port);
    return text;
}

/* value / unit with two decimals below 10, one below 100, none above; whole numbers plain. */
static const char *format_amount(char text[WEIR_AMOUNT_TEXT], uint64_t value, uint64_t unit, const char *name)
{
    unsigned shift = unit > UINT64_MAX / 100 ? 10 : 0; /* so that 100 times the rest is a number */
    uint64_t whole = value / unit, hundredths = ((value % unit) >> shift) * 100 / (unit >> shift);

    if (value % unit == 0 || whole >= 100)
        (void)snprintf(text, WEIR_AMOUNT_TEXT, "%llu %s", (unsigned long long)whole, name);
    else if (whole >= 10)
        (void)snprintf(text, WEIR_AMOUNT_TEXT, "%llu.%u %s", (unsigned long long)whole, (unsigned)(hundredths / 10),
                       name);
    else
        (void)snprintf(text, WEIR_AMOUNT_TEXT, "%llu.%02u %s", (unsigned long long)whole, (unsigned)hundredths, name);
    return text;
}

const char *weir_format_octets(char text[WEIR_AMOUNT_TEXT], uint64_t octets)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned power = 0;

    while (power < 6 && octets >> (10 * (power + 1)) != 0)
        power++;
    return format_amount(text, octets, 1ull << (10 * power), names[power]);
}

const char *weir_format_rate(char text[WEIR_AMOUNT_TEXT], uint64_t bps)
{
    static const char *const names[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
    uint64_t unit = 1;
    unsigned power = 0;

    for (; power < 4 && bps / unit >= 1000; power++)
        unit *= 1000;
    return format_amount(text, bps, unit, names[power]);
}

const char *weir_format_duration(char text[WEIR_AMOUNT_TEXT], weir_us us)
{
    if (us == WEIR_FOREVER)
        (void)snprintf(text, WEIR_AMOUNT_TEXT, "never");
    else if (us < 1000)
        return format_amount(text, us, 1, "us");
    else if (us < 1000000)
        return format_amount(text, us, 1000, "ms");
    else
        return format_amount(text, us, 1000000, "s");
    return text;
}
