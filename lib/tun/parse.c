/* parse.c - numbers with units, addresses and link knobs as people write them on a command line.
 *
 * Whole text or nothing; no locale, no floating point; a refusal is a sentence that says what would have been right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "tun/room.h"

struct parse_unit {
    const char *name;
    uint64_t scale;
};

#define PARSE_DECIMALS 6u

/* Digits up to the first other octet; false if there are none or the value passes `max`. */
static bool parse_digits(const char **text, uint64_t max, uint64_t *value)
{
    const char *at = *text;
    uint64_t sum = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (sum > (max - digit) / 10 || digit > max)
            return false;
        sum = sum * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *value = sum;
    return true;
}

/* Millionths after a point: ".5" is 500000. No point is 0; false for a point without digits or with more than six. */
static bool parse_fraction(const char **text, uint64_t *millionths)
{
    const char *start = *text;
    uint64_t scale = 1000000;

    *millionths = 0;
    if (*start != '.')
        return true;
    start = ++*text;
    if (!parse_digits(text, 999999, millionths) || (size_t)(*text - start) > PARSE_DECIMALS)
        return false;
    for (size_t i = 0; i < (size_t)(*text - start); i++)
        scale /= 10;
    *millionths *= scale;
    return true;
}

/* "1.5" and a unit of the table, whose first entry is that of a bare number. */
static bool parse_amount(const char *text, const struct parse_unit *units, size_t count, uint64_t max, uint64_t *value)
{
    uint64_t whole, millionths;

    if (!parse_digits(&text, max, &whole) || !parse_fraction(&text, &millionths))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t scale = units[i].scale;
        if (strcasecmp(text, units[i].name) != 0 && !(i == 0 && *text == '\0'))
            continue;
        if (whole > max / scale || whole * scale + millionths * scale / 1000000 > max)
            return false;
        *value = whole * scale + millionths * scale / 1000000;
        return true;
    }
    return false;
}

const char *weir_parse_percent(const char *text, uint32_t *ppm)
{
    static const struct parse_unit units[] = {{"%", 10000}, {"ppm", 1}};
    uint64_t value;

    if (!parse_amount(text, units, 2, 1000000, &value))
        return "a share from 0% to 100% is needed, like 2% or 0.5%";
    *ppm = (uint32_t)value;
    return NULL;
}

const char *weir_parse_duration_us(const char *text, weir_us *us)
{
    static const struct parse_unit units[] = {{"s", 1000000}, {"ms", 1000}, {"us", 1},
                                              {"m", 60000000}, {"min", 60000000}, {"h", 3600000000u}};

    if (!parse_amount(text, units, sizeof units / sizeof units[0], 1000000ull * 86400 * 365, us))
        return "a time is needed, like 20ms, 1.5s, 300us, 2m or 1h, up to a year";
    return NULL;
}

const char *weir_parse_rate_bps(const char *text, uint64_t *bps)
{
    static const struct parse_unit units[] = {{"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000},
                                              {"bps", 1}, {"kbps", 1000}, {"mbps", 1000000}, {"gbps", 1000000000},
                                              {"k", 1000}, {"m", 1000000}, {"g", 1000000000}};

    if (!parse_amount(text, units, sizeof units / sizeof units[0], 1000000000000u, bps))
        return "a rate in bits a second is needed, like 10mbit, 1.5gbit or 64kbit, up to 1000gbit";
    return NULL;
}

const char *weir_parse_size(const char *text, uint64_t *octets)
{
    static const struct parse_unit units[] = {{"b", 1},          {"k", 1u << 10},   {"m", 1u << 20},
                                              {"g", 1u << 30},   {"t", 1ull << 40}, {"kib", 1u << 10},
                                              {"mib", 1u << 20}, {"gib", 1u << 30}, {"tib", 1ull << 40}};

    if (!parse_amount(text, units, sizeof units / sizeof units[0], 1ull << 60, octets))
        return "a size is needed, like 4096, 64K, 1.5M or 1GiB (powers of 1024)";
    return NULL;
}

static bool parse_hexadecimal(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    const char *at = text;

    for (; *at != '\0'; at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = strchr(digits, *at);
        if (digit == NULL || sum > max >> 4)
            return false;
        sum = sum << 4 | (uint64_t)(digit - digits - (digit - digits > 15 ? 6 : 0));
    }
    *value = sum;
    return at != text && sum <= max;
}

const char *weir_parse_count(const char *text, uint64_t max, uint64_t *count)
{
    uint64_t value;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        if (!parse_hexadecimal(text + 2, max, &value))
            return "a hexadecimal number in range is needed after 0x";
    } else if (!parse_digits(&text, max, &value) || *text != '\0') {
        return "a whole number in range is needed";
    }
    *count = value;
    return NULL;
}

const char *weir_parse_port(const char *text, uint16_t *port)
{
    uint64_t value;

    if (!parse_digits(&text, 65535, &value) || *text != '\0' || value == 0)
        return "a port from 1 to 65535 is needed";
    *port = (uint16_t)value;
    return NULL;
}

/* ---- addresses ---- */

const char *weir_parse_addr(const char *text, weir_addr *addr)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        uint8_t octets[4];
        memcpy(octets, &v4, 4);
        *addr = weir_addr_v4(octets[0], octets[1], octets[2], octets[3]);
        return NULL;
    }
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        memcpy(addr->octets, &v6, 16);
        return NULL;
    }
    return "an address is needed, like 10.77.0.2 or fd77::2";
}

/* Copies [text, end) as a string; false if it is too long to be an address. */
static bool parse_part(char part[WEIR_ADDR_TEXT], const char *text, const char *end)
{
    size_t len = (size_t)(end - text);

    if (len >= WEIR_ADDR_TEXT)
        return false;
    memcpy(part, text, len);
    part[len] = '\0';
    return true;
}

const char *weir_parse_prefix(const char *text, weir_prefix *prefix)
{
    const char *slash = strchr(text, '/'), *end = slash != NULL ? slash : text + strlen(text), *at = end + 1;
    char part[WEIR_ADDR_TEXT];
    weir_addr addr;
    uint64_t bits, len;

    if (!parse_part(part, text, end) || weir_parse_addr(part, &addr) != NULL)
        return "an address and its network are needed, like 10.77.0.2/24 or fd77::2/64";
    bits = weir_addr_is_v4(&addr) ? 32 : 128;
    len = bits;
    if (slash != NULL && (!parse_digits(&at, bits, &len) || *at != '\0'))
        return "after the slash comes how many bits name the network: up to 32 for IPv4, up to 128 for IPv6";
    prefix->addr = addr;
    prefix->len = (uint8_t)len;
    return NULL;
}

const char *weir_parse_endpoint(const char *text, weir_endpoint *endpoint)
{
    static const char needed[] =
        "an address and a port are needed, like 10.77.0.1:80, [fd77::1]:80, or :80 for any address";
    const char *end = strrchr(text, ':'), *port = end == NULL ? text : end + 1;
    char part[WEIR_ADDR_TEXT];
    weir_endpoint made;

    memset(&made, 0, sizeof made);
    if (weir_parse_port(port, &made.port) != NULL)
        return needed;
    if (end != NULL && *text == '[') {
        if (end[-1] != ']')
            return needed;
        text++;
        end--;
        if (!parse_part(part, text, end) || weir_parse_addr(part, &made.addr) != NULL || strchr(part, ':') == NULL)
            return needed;
    } else if (end != NULL && end != text && !(end == text + 1 && *text == '*')) {
        if (!parse_part(part, text, end) || weir_parse_addr(part, &made.addr) != NULL || strchr(part, ':') != NULL)
            return needed;
    }
    *endpoint = made;
    return NULL;
}

/* ---- the knobs of a link ---- */

static const char *parse_share(uint32_t *to, const char *text)
{
    return weir_parse_percent(text, to);
}

static const char *parse_time(weir_us *to, const char *text)
{
    weir_us us;
    const char *why = weir_parse_duration_us(text, &us);

    if (why == NULL && us > 86400000000u)
        why = "at most a day";
    if (why == NULL)
        *to = us;
    return why;
}

static const char *parse_queue_octets(weir_link_config *to, const char *text)
{
    uint64_t octets;
    const char *why = weir_parse_size(text, &octets);

    if (why != NULL)
        return "a size (64K) or a count of packets (50p) is needed";
    if (octets > UINT32_MAX)
        return "at most 4 GiB";
    to->queue_octets = (uint32_t)octets;
    to->queue_packets = 0;
    return NULL;
}

/* "64K" octets, or "50p" packets: one limit, the other goes. */
static const char *parse_queue(weir_link_config *to, const char *text)
{
    uint64_t packets;
    const char *at = text;

    if (!parse_digits(&at, 1000000, &packets) || strcmp(at, "p") != 0)
        return parse_queue_octets(to, text);
    if (packets == 0)
        return "at least 1p, a packet";
    to->queue_packets = (uint32_t)packets;
    to->queue_octets = UINT32_MAX;
    return NULL;
}

/* "5/2@3s": five packets, every second one, after 3 s; "5/2+300K": after 300 KiB. */
static const char *parse_drop(weir_link_config *to, const char *text)
{
    weir_link_drop drop = {0, 1, 0, 0};
    uint64_t count, every = 1;

    if (!parse_digits(&text, 1000000, &count) || count == 0)
        return "how many packets comes first, like 5/2@3s: five, every second one, after 3 s";
    if (*text == '/' && (text++, !parse_digits(&text, 1000000, &every) || every == 0))
        return "after the slash comes every how many packets, like 5/2@3s: five, every second one, after 3 s";
    if (*text != '@' && *text != '+')
        return "after how long (@3s) or how many octets (+300K) comes last, like 5/2@3s or 5/2+300K";
    const char *why = *text == '@' ? parse_time(&drop.after_us, text + 1) : weir_parse_size(text + 1, &drop.after_octets);
    if (why != NULL)
        return why;
    if (to->drop_count == WEIR_LINK_DROPS_MAX)
        return "that is one pattern too many: 8 at most in a direction";
    drop.count = (uint32_t)count;
    drop.every = (uint32_t)every;
    to->drops[to->drop_count++] = drop;
    return NULL;
}

static const char *parse_burst(uint32_t *to, const char *text)
{
    uint64_t count;
    const char *why = weir_parse_count(text, 1000, &count);

    if (why != NULL)
        return "a mean run of losses is needed, 1 to 1000 packets";
    *to = (uint32_t)count;
    return NULL;
}

static const char *parse_knob(weir_link_config *config, const char *knob, const char *text)
{
    if (strcmp(knob, "loss") == 0)
        return parse_share(&config->loss_ppm, text);
    if (strcmp(knob, "dup") == 0)
        return parse_share(&config->dup_ppm, text);
    if (strcmp(knob, "reorder") == 0)
        return parse_share(&config->reorder_ppm, text);
    if (strcmp(knob, "corrupt") == 0)
        return parse_share(&config->corrupt_ppm, text);
    if (strcmp(knob, "delay") == 0)
        return parse_time(&config->delay_us, text);
    if (strcmp(knob, "jitter") == 0)
        return parse_time(&config->jitter_us, text);
    if (strcmp(knob, "rate") == 0)
        return weir_parse_rate_bps(text, &config->rate_bps);
    if (strcmp(knob, "queue") == 0)
        return parse_queue(config, text);
    if (strcmp(knob, "burst") == 0)
        return parse_burst(&config->loss_burst, text);
    if (strcmp(knob, "drop") == 0)
        return parse_drop(config, text);
    return "a link has the knobs loss, burst, drop, dup, reorder, corrupt, delay, jitter, rate and queue";
}

const char *weir_link_parse(weir_link_config *in, weir_link_config *out, const char *knob, const char *text)
{
    bool only_in = strncmp(text, "in:", 3) == 0, only_out = strncmp(text, "out:", 4) == 0;
    const char *why, *value = only_in ? text + 3 : only_out ? text + 4 : text;
    weir_link_config tried_in = *in, tried_out = *out;

    why = only_out ? NULL : parse_knob(&tried_in, knob, value);
    if (why == NULL && !only_in)
        why = parse_knob(&tried_out, knob, value);
    if (why != NULL)
        return why;
    *in = tried_in;
    *out = tried_out;
    return NULL;
}
