/* options.c - one table of options: reading, checking and explaining are all made from it. */
#include "tun/programs/options.h"

#include <stdarg.h>
#include <string.h>

#define BIT(command) (1u << (command))

enum {
    FOR_HTTP = BIT(CMD_HTTP),
    FOR_NC = BIT(CMD_NC),
    FOR_PERF = BIT(CMD_PERF),
    FOR_DEMO = BIT(CMD_DEMO),
    FOR_SERVERS = BIT(CMD_HTTP) | BIT(CMD_ECHO) | BIT(CMD_DISCARD),
    FOR_PORT = FOR_SERVERS | BIT(CMD_PERF),
    FOR_DEVICE = FOR_PORT | BIT(CMD_NC),
    FOR_LINK = BIT(CMD_LINK),
    FOR_WIRE = FOR_DEVICE | FOR_LINK,
    FOR_JSON = FOR_WIRE | BIT(CMD_STATS) | BIT(CMD_DOCTOR),
    FOR_ALL = BIT(CMD_COUNT) - 1
};

enum option_kind {
    KIND_FLAG,    /* bool */
    KIND_COUNT,   /* uint64_t: how often it was given */
    KIND_TEXT,    /* const char * */
    KIND_NUMBER,  /* uint64_t */
    KIND_INT,     /* int */
    KIND_U32,     /* uint32_t */
    KIND_SIZE,    /* uint64_t octets */
    KIND_RING,    /* uint64_t octets, a power of two */
    KIND_TIME,    /* weir_us */
    KIND_LINK,    /* a knob of weir_link_parse, which knows the option by its name */
    KIND_PREFIX4, /* weir_prefix */
    KIND_PREFIX6,
    KIND_ADDR4,   /* weir_addr */
    KIND_ADDR6,
    KIND_CC,      /* uint8_t enum weir_cc_kind */
    KIND_ECN,     /* uint8_t enum weir_ecn_use */
    KIND_PACING,  /* uint8_t enum weir_pacing: off or hold */
    KIND_OFFLOAD  /* uint8_t enum weir_tun_offload */
};

struct option_row {
    const char *name;
    char letter;
    enum option_kind kind;
    unsigned commands;
    size_t at;         /* in struct options */
    size_t given_at;   /* a bool to set too; 0: none (no such field is at 0) */
    uint64_t low, high;
    const char *value; /* as help calls it */
    const char *example;
    const char *help;
};

#define AT(field) offsetof(struct options, field)
#define SECONDS UINT64_C(1000000)

/* Columns: name, letter, kind, subcommands, field, field set too, least, most, value, example, help. */
static const struct option_row option_rows[] = {
    {"tun", 0, KIND_TEXT, FOR_WIRE, AT(device.name), 0, 0, 0, "NAME", "weir0",
     "the TUN device, made if it is not there; weir0"},
    {"fd", 0, KIND_INT, FOR_DEVICE, AT(device.fd), 0, 0, 1 << 20, "N", "3", "use the open TUN descriptor N instead"},
    {"unshare", 0, KIND_FLAG, FOR_DEVICE, AT(device.unshare), 0, 0, 0, NULL, NULL,
     "make a network namespace and the device in it"},
    {"addr", 0, KIND_PREFIX4, FOR_WIRE, AT(device.addr4), 0, 0, 0, "ADDR/LEN", "10.77.0.2/24",
     "weir's IPv4 address (link: the left end's), or off; 10.77.0.2/24"},
    {"peer", 0, KIND_ADDR4, FOR_WIRE, AT(device.peer4), 0, 0, 0, "ADDR", "10.77.0.1",
     "the kernel's IPv4 address (link: the right end's); the first of the network"},
    {"addr6", 0, KIND_PREFIX6, FOR_WIRE, AT(device.addr6), 0, 0, 0, "ADDR/LEN", "fd77::2/64",
     "weir's IPv6 address (link: the left end's), or off; fd77::2/64"},
    {"peer6", 0, KIND_ADDR6, FOR_WIRE, AT(device.peer6), 0, 0, 0, "ADDR", "fd77::1",
     "the kernel's IPv6 address (link: the right end's); the first of the network"},
    {"mtu", 0, KIND_U32, FOR_WIRE, AT(device.mtu), 0, 68, 65535, "OCTETS", "1500",
     "of the device; 1500; 1280 at least with IPv6"},
    {"offload", 0, KIND_OFFLOAD, FOR_DEVICE, AT(device.offload), 0, 0, 0, "HOW", "off",
     "super-segments of up to 64 KiB to and from the kernel: auto (default: unless the link is impaired) or off"},
    {"pcapng", 0, KIND_TEXT, FOR_DEVICE, AT(device.pcapng), 0, 0, 0, "FILE", "run.pcapng",
     "write every packet to FILE, state changes as packet comments"},
    {"loss", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "PERCENT", "2%",
     "drop packets; in:2% or out:2%: one way, seen from weir (link: left: right:, the end they go to)"},
    {"burst", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "PACKETS", "5", "let losses come in runs of so many on average"},
    {"drop", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "N/EVERY@TIME", "5/2@3s",
     "drop N packets, every so-manieth, after a time, or octets (+300K); again for more"},
    {"dup", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "PERCENT", "1%", "deliver packets twice"},
    {"reorder", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "PERCENT", "2%", "let packets be overtaken by later ones"},
    {"corrupt", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "PERCENT", "0.5%", "change an octet of packets"},
    {"delay", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "TIME", "20ms", "hold packets so long, each way"},
    {"jitter", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "TIME", "2ms", "add a random time up to this"},
    {"rate", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "RATE", "10mbit", "carry so many bits a second, each way"},
    {"queue", 0, KIND_LINK, FOR_WIRE, 0, 0, 0, 0, "SIZE", "64K", "octets that may wait for --rate, or packets (50p)"},
    {"seed", 0, KIND_NUMBER, FOR_WIRE, AT(device.seed), AT(seed_given), 1, UINT64_MAX, "N", "1",
     "repeat a run: accidents and weir's secret follow from N (tests only)"},
    {"cc", 0, KIND_CC, FOR_DEVICE, AT(cc), 0, 0, 0, "NAME", "newreno", "congestion control: cubic (default), newreno or bbr"},
    {"ecn", 0, KIND_ECN, FOR_DEVICE, AT(ecn), 0, 0, 0, "HOW", "offer",
     "congestion marks (RFC 3168): accept where the peer asks (default), offer, or off"},
    {"pacing", 0, KIND_PACING, FOR_DEVICE, AT(pacing), 0, 0, 0, "HOW", "on",
     "let a window leave over a round trip and not in bursts: on or off; bbr always does"},
    {"port", 'p', KIND_NUMBER, FOR_PORT, AT(port), 0, 1, 65535, "PORT", "8080",
     "to listen on; http 80, echo 7, discard 9, perf 5201"},
    {"rcvbuf", 0, KIND_RING, FOR_DEVICE, AT(rcvbuf), 0, 256, 1u << 30, "SIZE", "256K",
     "receive ring of a connection, a power of two; 256K"},
    {"sndbuf", 0, KIND_RING, FOR_DEVICE, AT(sndbuf), 0, 256, 1u << 30, "SIZE", "256K",
     "send ring of a connection, a power of two; 256K"},
    {"rcvbuf-max", 0, KIND_SIZE, FOR_DEVICE, AT(rcvbuf_max), 0, 0, 1u << 30, "SIZE", "16M",
     "what a receive ring may grow to when the path asks for it; 4M"},
    {"sndbuf-max", 0, KIND_SIZE, FOR_DEVICE, AT(sndbuf_max), 0, 0, 1u << 30, "SIZE", "16M",
     "the same of a send ring; 4M"},
    {"ring-memory", 0, KIND_SIZE, FOR_DEVICE, AT(ring_memory), 0, 0, UINT64_C(1) << 40, "SIZE", "64M",
     "for the rings of all connections; --connections times the first rings"},
    {"connections", 0, KIND_NUMBER, FOR_DEVICE, AT(connections), 0, 1, 1u << 20, "N", "1024", "at most so many at a time; 1024"},
    {"backlog", 0, KIND_NUMBER, FOR_PORT, AT(backlog), 0, 1, 1u << 20, "N", "1024", "half-open connections at most; 1024"},
    {"time-wait", 0, KIND_NUMBER, FOR_DEVICE, AT(time_wait), 0, 1, 1u << 20, "N", "4096",
     "connections remembered in TIME-WAIT at most; 4096"},
    {"msl", 0, KIND_TIME, FOR_DEVICE, AT(msl_us), 0, 1000, 600 * SECONDS, "TIME", "30s",
     "maximum segment lifetime, half of TIME-WAIT; 30s"},
    {"nodelay", 0, KIND_FLAG, FOR_DEVICE, AT(no_delay), 0, 0, 0, NULL, NULL, "switch Nagle's algorithm off"},
    {"idle", 0, KIND_TIME, FOR_SERVERS, AT(idle_us), AT(idle_given), 0, 86400 * SECONDS, "TIME", "60s",
     "give up a connection that is silent so long; 0: never; http 60s"},
    {"grace", 0, KIND_TIME, FOR_WIRE, AT(grace_us), 0, 0, 600 * SECONDS, "TIME", "3s",
     "how long the end waits for open connections; 3s"},
    {"duration", 't', KIND_TIME, FOR_WIRE, AT(duration_us), 0, 1000, 86400 * SECONDS, "TIME", "10s",
     "end after so long; perf 10s"},
    {"one-off", '1', KIND_FLAG, FOR_SERVERS, AT(one_off), 0, 0, 0, NULL, NULL, "end when the first connection has ended"},
    {"ready-fd", 0, KIND_INT, FOR_WIRE, AT(ready_fd), 0, 0, 1 << 20, "N", "3",
     "write a line with the addresses to descriptor N when ready"},
    {"control", 0, KIND_TEXT, FOR_DEVICE, AT(control), 0, 0, 0, "PATH", "weir.sock",
     "answer `weir-tun stats PATH` on a local socket of this name"},
    {"stats-interval", 'i', KIND_TIME, FOR_WIRE, AT(interval_us), 0, 10000, 86400 * SECONDS, "TIME", "1s",
     "print a line for each connection that often (perf: the rate)"},
    {"synthetic", 0, KIND_SIZE, FOR_HTTP, AT(synthetic_len), AT(synthetic_given), 0, UINT64_C(1) << 50, "SIZE", "1G",
     "no files: GET gives SIZE made-up octets, PUT hashes and discards"},
    {"listen", 'l', KIND_FLAG, FOR_NC, AT(listen), 0, 0, 0, NULL, NULL, "wait for one connection instead of making it"},
    {"send", 0, KIND_FLAG, FOR_PERF, AT(send), 0, 0, 0, NULL, NULL, "weir sends; without it weir receives"},
    {"kernel-peer", 'k', KIND_FLAG, FOR_PERF, AT(kernel_peer), 0, 0, 0, NULL, NULL,
     "run the other end too, over the kernel's sockets"},
    {"parallel", 'P', KIND_NUMBER, FOR_PERF, AT(parallel), 0, 1, 1024, "N", "4", "so many connections; 1"},
    {"quick", 0, KIND_FLAG, FOR_DEMO, AT(quick), 0, 0, 0, NULL, NULL, "a 32nd of the sizes"},
    {"left", 0, KIND_TEXT, FOR_LINK, AT(left.run), 0, 0, 0, "COMMAND", "./client",
     "run by sh at the left end; when it ends, the link does"},
    {"right", 0, KIND_TEXT, FOR_LINK, AT(right.run), 0, 0, 0, "COMMAND", "./server", "run by sh at the right end"},
    {"left-socket", 0, KIND_FLAG, FOR_LINK, AT(left.socket), 0, 0, 0, NULL, NULL,
     "no device: the command has a socket for packets, weir-tun ... --fd $WEIR_FD"},
    {"right-socket", 0, KIND_FLAG, FOR_LINK, AT(right.socket), 0, 0, 0, NULL, NULL, "likewise"},
    {"left-netns", 0, KIND_TEXT, FOR_LINK, AT(left.netns), 0, 0, 0, "NAME", "a",
     "a namespace that exists (ip netns add), or the path of one; a new one"},
    {"right-netns", 0, KIND_TEXT, FOR_LINK, AT(right.netns), 0, 0, 0, "NAME", "b", "likewise"},
    {"left-pcapng", 0, KIND_TEXT, FOR_LINK, AT(left.pcapng), 0, 0, 0, "FILE", "left.pcapng", "write what the left end sees to FILE"},
    {"right-pcapng", 0, KIND_TEXT, FOR_LINK, AT(right.pcapng), 0, 0, 0, "FILE", "right.pcapng", "likewise"},
    {"realtime", 0, KIND_FLAG, FOR_LINK, AT(realtime), 0, 0, 0, NULL, NULL, "run before other programs, for exact times (as root)"},
    {"json", 'j', KIND_FLAG, FOR_JSON, AT(json), 0, 0, 0, NULL, NULL, "print JSON, one object a line"},
    {"quiet", 'q', KIND_COUNT, FOR_ALL, AT(quiet), 0, 0, 0, NULL, NULL, "say nothing but errors"},
    {"verbose", 'v', KIND_COUNT, FOR_ALL, AT(verbose), 0, 0, 0, NULL, NULL, "say more: a line for each request, totals at the end"},
    {"help", 'h', KIND_FLAG, FOR_ALL, AT(help), 0, 0, 0, NULL, NULL, "this text"},
    {"version", 'V', KIND_FLAG, FOR_ALL, AT(version), 0, 0, 0, NULL, NULL, "the version"},
};
#define OPTION_COUNT (sizeof option_rows / sizeof *option_rows)
_Static_assert(OPTION_COUNT <= 64, "options_read keeps a bit for each row in 64");

struct command_row {
    const char *name;
    const char *synopsis;
    unsigned args_min, args_max;
    const char *help;
};

static const struct command_row command_rows[CMD_COUNT] = {
    [CMD_NONE] = {"", "", 0, 0, ""},
    [CMD_DEMO] = {"demo", "", 0, 0, "transfers with curl over a clean link and a bad one"},
    [CMD_HTTP] = {"http", "DIR | --synthetic SIZE", 0, 1, "serve files by HTTP/1.1: GET, HEAD, PUT"},
    [CMD_ECHO] = {"echo", "", 0, 0, "send back what comes"},
    [CMD_DISCARD] = {"discard", "", 0, 0, "take what comes"},
    [CMD_NC] = {"nc", "ADDR PORT | -l PORT", 1, 2, "standard input and output over one connection"},
    [CMD_PERF] = {"perf", "[ADDR PORT]", 0, 2, "measure the rate of sending or receiving"},
    [CMD_LINK] = {"link", "", 0, 0, "an impaired wire between two network namespaces, for any TCP at its ends"},
    [CMD_STATS] = {"stats", "PATH", 1, 1, "connections and counters of a running weir-tun (its --control PATH)"},
    [CMD_DOCTOR] = {"doctor", "", 0, 0, "check what this machine allows, with the remedy"},
};

const char *options_command_name(enum command command)
{
    return command_rows[command].name;
}

const char *options_name(unsigned idx)
{
    return idx < OPTION_COUNT ? option_rows[idx].name : NULL;
}

/* ---- reading ---- */

struct options_reader {
    struct options *options;
    char *why;
    size_t why_len;
    uint64_t used; /* a bit for each row of the table */
    int argc, next;
    char **argv;
    const char *by_end, *by_way; /* values of knobs: "left:2%" (of link alone) and "in:2%" (of all others); NULL: none */
};

__attribute__((format(printf, 2, 3))) static bool options_refuse(const struct options_reader *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(r->why, r->why_len, format, list);
    va_end(list);
    return false;
}

static void options_defaults(struct options *o)
{
    memset(o, 0, sizeof *o);
    weir_tun_config_init(&o->device);
    o->device.name = "weir0";
    o->cc = (uint8_t)WEIR_CC_CUBIC;
    o->ecn = (uint8_t)WEIR_ECN_ACCEPT;
    o->pacing = (uint8_t)WEIR_PACING_COUNT;
    o->rcvbuf = o->sndbuf = 256 * 1024;
    o->rcvbuf_max = o->sndbuf_max = 4 * 1024 * 1024;
    o->connections = o->backlog = 1024;
    o->time_wait = 4096;
    o->msl_us = 30 * SECONDS;
    o->grace_us = 3 * SECONDS;
    o->parallel = 1;
    o->ready_fd = -1;
}

static const struct option_row *options_find(const char *name, size_t len)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strlen(option_rows[i].name) == len && memcmp(option_rows[i].name, name, len) == 0)
            return &option_rows[i];
    }
    return NULL;
}

static const struct option_row *options_find_letter(char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (option_rows[i].letter == letter)
            return &option_rows[i];
    }
    return NULL;
}

/* How many edits make one word of the other: to guess what was meant. */
static unsigned options_distance(const char *a, size_t a_len, const char *b)
{
    unsigned row[32];
    size_t b_len = strlen(b);
    if (b_len >= sizeof row / sizeof *row || a_len > 31)
        return 99;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b_len];
}

static const char *options_nearest(const char *name, size_t len)
{
    const char *nearest = NULL;
    unsigned least = 6; /* of two equally near, the one with the same first letter */
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        unsigned distance = 2 * options_distance(name, len, option_rows[i].name) + (*name != *option_rows[i].name);
        if (distance < least) {
            least = distance;
            nearest = option_rows[i].name;
        }
    }
    return nearest;
}

/* Where the value of a row goes. The table holds the place as an offset: the casts are here and nowhere else. */
static void *options_at(struct options *options, size_t at)
{
    return (unsigned char *)options + at;
}

static const char *options_cc(const char *text, uint8_t *out)
{
    for (unsigned kind = 0; kind < WEIR_CC_COUNT; kind++) {
        if (strcmp(text, weir_cc_name((enum weir_cc_kind)kind)) == 0) {
            *out = (uint8_t)kind;
            return NULL;
        }
    }
    return "not a congestion control that is built in";
}

static const char *options_addr(const char *text, bool v4, weir_addr *out)
{
    weir_addr addr;
    const char *wrong = weir_parse_addr(text, &addr);
    if (wrong == NULL && weir_addr_is_v4(&addr) != v4)
        wrong = v4 ? "not an IPv4 address" : "not an IPv6 address";
    if (wrong == NULL)
        *out = addr;
    return wrong;
}

static const char *options_prefix(const char *text, bool v4, weir_prefix *out)
{
    weir_prefix prefix;
    if (strcmp(text, "off") == 0) {
        memset(out, 0, sizeof *out);
        return NULL;
    }
    const char *wrong = weir_parse_prefix(text, &prefix);
    if (wrong == NULL && weir_addr_is_v4(&prefix.addr) != v4)
        wrong = v4 ? "not an IPv4 address with its prefix length" : "not an IPv6 address with its prefix length";
    if (wrong == NULL && (prefix.len == 0 || (strchr(text, '/') == NULL)))
        wrong = "the length of the network's prefix is missing";
    if (wrong == NULL)
        *out = prefix;
    return wrong;
}

/* The kinds that end in a number within limits. */
static const char *options_number(const struct option_row *row, const char *text, uint64_t *number)
{
    switch (row->kind) {
    case KIND_SIZE:
        return weir_parse_size(text, number);
    case KIND_RING: {
        const char *wrong = weir_parse_size(text, number);
        return wrong == NULL && (*number & (*number - 1)) != 0 ? "not a power of two" : wrong;
    }
    case KIND_TIME:
        return weir_parse_duration_us(text, number);
    default:
        return weir_parse_count(text, UINT64_MAX, number);
    }
}

static void options_limit(const struct option_row *row, uint64_t limit, char text[WEIR_AMOUNT_TEXT])
{
    if (row->kind == KIND_TIME)
        (void)weir_format_duration(text, limit);
    else if (row->kind == KIND_SIZE || row->kind == KIND_RING)
        (void)weir_format_octets(text, limit);
    else
        (void)snprintf(text, WEIR_AMOUNT_TEXT, "%llu", (unsigned long long)limit);
}

static bool options_store_number(const struct options_reader *r, const struct option_row *row, const char *text)
{
    void *at = options_at(r->options, row->at);
    char low[WEIR_AMOUNT_TEXT], high[WEIR_AMOUNT_TEXT];
    uint64_t number = 0;
    const char *wrong = options_number(row, text, &number);
    if (wrong != NULL)
        return options_refuse(r, "--%s %s: %s; for instance --%s %s", row->name, text, wrong, row->name, row->example);
    if (number < row->low || number > row->high) {
        options_limit(row, row->low, low);
        options_limit(row, row->high, high);
        return options_refuse(r, "--%s %s: not within %s and %s; for instance --%s %s", row->name, text, low, high, row->name,
                              row->example);
    }
    if (row->kind == KIND_INT)
        *(int *)at = (int)number;
    else if (row->kind == KIND_U32)
        *(uint32_t *)at = (uint32_t)number;
    else
        *(uint64_t *)at = number;
    return true;
}

/* A knob of the link. To weir is to the left: weir's own addresses are those of the left end. */
static const char *options_link(struct options_reader *r, const char *knob, const char *text)
{
    weir_link_config *in = &r->options->device.in, *out = &r->options->device.out;
    if (strncmp(text, "left:", 5) == 0 || strncmp(text, "right:", 6) == 0) {
        weir_link_config *to = *text == 'l' ? in : out, nowhere = *to;
        r->by_end = text;
        return weir_link_parse(to, &nowhere, knob, strchr(text, ':') + 1);
    }
    if (strncmp(text, "in:", 3) == 0 || strncmp(text, "out:", 4) == 0)
        r->by_way = text;
    return weir_link_parse(in, out, knob, text);
}

static const char *options_ecn(const char *text, uint8_t *use)
{
    static const char *const names[WEIR_ECN_COUNT] = {"off", "offer", "accept"};
    for (unsigned i = 0; i < WEIR_ECN_COUNT; i++) {
        if (strcmp(text, names[i]) == 0) {
            *use = (uint8_t)i;
            return NULL;
        }
    }
    return "off, accept or offer";
}

/* Stamps are for those that have a timed queue; a TUN device has none. */
static const char *options_pacing(const char *text, uint8_t *pacing)
{
    *pacing = strcmp(text, "off") == 0 ? (uint8_t)WEIR_PACING_OFF : (uint8_t)WEIR_PACING_HOLD;
    return *pacing == WEIR_PACING_OFF || strcmp(text, "on") == 0 ? NULL : "on or off";
}

static const char *options_offload(const char *text, uint8_t *offload)
{
    *offload = strcmp(text, "off") == 0 ? (uint8_t)WEIR_OFFLOAD_OFF : (uint8_t)WEIR_OFFLOAD_AUTO;
    return *offload == WEIR_OFFLOAD_OFF || strcmp(text, "auto") == 0 ? NULL : "auto or off";
}

static bool options_store(struct options_reader *r, const struct option_row *row, const char *text)
{
    struct options *o = r->options;
    void *at = options_at(o, row->at);
    const char *wrong = NULL;
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)at = true;
        break;
    case KIND_COUNT:
        ++*(uint64_t *)at;
        break;
    case KIND_TEXT:
        *(const char **)at = text;
        wrong = *text == '\0' ? "an empty text" : NULL;
        break;
    case KIND_LINK:
        wrong = options_link(r, row->name, text);
        break;
    case KIND_PREFIX4:
    case KIND_PREFIX6:
        wrong = options_prefix(text, row->kind == KIND_PREFIX4, (weir_prefix *)at);
        break;
    case KIND_ADDR4:
    case KIND_ADDR6:
        wrong = options_addr(text, row->kind == KIND_ADDR4, (weir_addr *)at);
        break;
    case KIND_CC:
        wrong = options_cc(text, (uint8_t *)at);
        break;
    case KIND_ECN:
        wrong = options_ecn(text, (uint8_t *)at);
        break;
    case KIND_PACING:
        wrong = options_pacing(text, (uint8_t *)at);
        break;
    case KIND_OFFLOAD:
        wrong = options_offload(text, (uint8_t *)at);
        break;
    default:
        return options_store_number(r, row, text);
    }
    return wrong == NULL ||
           options_refuse(r, "--%s %s: %s; for instance --%s %s", row->name, text, wrong, row->name, row->example);
}

static bool options_set(struct options_reader *r, const struct option_row *row, const char *text)
{
    r->used |= UINT64_C(1) << (row - option_rows);
    if (!options_store(r, row, text))
        return false;
    if (row->given_at != 0)
        *(bool *)options_at(r->options, row->given_at) = true;
    return true;
}

static bool options_takes_value(const struct option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_COUNT;
}

static bool options_set_next(struct options_reader *r, const struct option_row *row)
{
    if (r->next >= r->argc)
        return options_refuse(r, "--%s needs a value; for instance --%s %s", row->name, row->name, row->example);
    return options_set(r, row, r->argv[r->next++]);
}

/* "--name", "--name value", "--name=value". */
static bool options_long(struct options_reader *r, const char *name)
{
    const char *equals = strchr(name, '=');
    size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = options_find(name, len);
    if (row == NULL) {
        const char *nearest = options_nearest(name, len);
        return nearest != NULL ? options_refuse(r, "--%.*s: no such option; perhaps --%s", (int)len, name, nearest)
                               : options_refuse(r, "--%.*s: no such option; weir-tun --help lists them", (int)len, name);
    }
    if (!options_takes_value(row))
        return equals == NULL ? options_set(r, row, "")
                              : options_refuse(r, "--%s takes no value; leave out \"%s\"", row->name, equals);
    return equals != NULL ? options_set(r, row, equals + 1) : options_set_next(r, row);
}

/* "-q", "-qv", "-p80", "-p 80". */
static bool options_short(struct options_reader *r, const char *letters)
{
    for (const char *p = letters; *p != '\0'; p++) {
        const struct option_row *row = options_find_letter(*p);
        if (row == NULL)
            return options_refuse(r, "-%c: no such option; weir-tun --help lists them", *p);
        if (options_takes_value(row))
            return p[1] != '\0' ? options_set(r, row, p + 1) : options_set_next(r, row);
        if (!options_set(r, row, ""))
            return false;
    }
    return true;
}

static bool options_word(const struct options_reader *r, const char *word)
{
    struct options *o = r->options;
    if (o->command == CMD_NONE) {
        for (unsigned c = CMD_NONE + 1; c < CMD_COUNT; c++) {
            if (strcmp(word, command_rows[c].name) == 0) {
                o->command = (enum command)c;
                return true;
            }
        }
        return options_refuse(r, "%s: no such subcommand; there are demo, http, echo, discard, nc, perf, link, stats and doctor", word);
    }
    if (o->arg_count >= command_rows[o->command].args_max)
        return options_refuse(r, "%s: one word too many; the form is: weir-tun %s %s", word, command_rows[o->command].name,
                              command_rows[o->command].synopsis);
    o->args[o->arg_count++] = word;
    return true;
}

/* ---- checking what belongs together ---- */

static bool options_check_use(const struct options_reader *r)
{
    const char *command = command_rows[r->options->command].name;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((r->used >> i & 1) != 0 && (option_rows[i].commands & BIT(r->options->command)) == 0)
            return options_refuse(r, "--%s does not go with %s; weir-tun %s --help lists what does", option_rows[i].name,
                                  command, command);
    }
    return true;
}

static bool options_check_port(const struct options_reader *r, const char *text)
{
    uint16_t port;
    const char *wrong = weir_parse_port(text, &port);
    if (wrong != NULL)
        return options_refuse(r, "port %s: %s", text, wrong);
    r->options->port = port;
    return true;
}

static bool options_check_remote(const struct options_reader *r)
{
    struct options *o = r->options;
    const char *wrong = weir_parse_addr(o->args[0], &o->remote);
    if (wrong != NULL)
        return options_refuse(r, "%s: %s; names are not looked up", o->args[0], wrong);
    o->remote_given = true;
    return options_check_port(r, o->args[1]);
}

static bool options_check_args(const struct options_reader *r)
{
    struct options *o = r->options;
    const struct command_row *row = &command_rows[o->command];
    if (o->arg_count < row->args_min)
        return options_refuse(r, "too few words; the form is: weir-tun %s %s", row->name, row->synopsis);
    switch (o->command) {
    case CMD_HTTP:
        if ((o->arg_count == 1) == o->synthetic_given)
            return options_refuse(r, "http serves a folder or --synthetic SIZE; name one of the two");
        return true;
    case CMD_NC:
        if (o->listen)
            return o->arg_count == 1 ? options_check_port(r, o->args[0])
                                     : options_refuse(r, "nc -l takes a port alone; for instance weir-tun nc -l 7000");
        return o->arg_count == 2 ? options_check_remote(r)
                                 : options_refuse(r, "nc needs an address and a port; for instance weir-tun nc 10.77.0.1 7000");
    case CMD_PERF:
        if (o->arg_count == 1)
            return options_refuse(r, "perf needs a port with the address; for instance weir-tun perf 10.77.0.1 5201");
        return o->arg_count == 0 || options_check_remote(r);
    default:
        return true;
    }
}

static bool options_check(const struct options_reader *r)
{
    const struct options *o = r->options;
    if (o->command == CMD_LINK && r->by_way != NULL)
        return options_refuse(r, "%s: a link has no in: and out:; use left: or right:, the end the packets go to", r->by_way);
    if (o->command != CMD_LINK && r->by_end != NULL)
        return options_refuse(r, "%s: only weir-tun link has left: and right:; use in: or out:, seen from weir", r->by_end);
    if ((o->left.socket && o->left.run == NULL) || (o->right.socket && o->right.run == NULL))
        return options_refuse(r, "--%s-socket without --%s: a command has to take the socket; name one",
                              o->left.socket && o->left.run == NULL ? "left" : "right",
                              o->left.socket && o->left.run == NULL ? "left" : "right");
    if (o->device.fd >= 0 && o->device.unshare)
        return options_refuse(r, "--fd with --unshare: an open device stays in its own namespace; use one of the two");
    if (o->exec != NULL && (BIT(o->command) & FOR_DEVICE) == 0)
        return options_refuse(r, "a command after -- does not go with %s; leave it out", command_rows[o->command].name);
    if (o->quiet != 0 && o->verbose != 0)
        return options_refuse(r, "--quiet with --verbose; use one of the two");
    if (o->device.addr4.len == 0 && o->device.addr6.len == 0)
        return options_refuse(r, "--addr off with --addr6 off: weir needs an address; leave one of the two out");
    if (o->kernel_peer && o->arg_count != 0)
        return options_refuse(r, "--kernel-peer connects to weir: leave out the address and the port");
    if (o->kernel_peer && o->exec != NULL)
        return options_refuse(r, "--kernel-peer with a command after --: both would be the other end; use one of the two");
    return options_check_args(r);
}

static bool options_read_words(struct options_reader *r)
{
    while (r->next < r->argc) {
        const char *word = r->argv[r->next++];
        bool fine;
        if (strcmp(word, "--") == 0) {
            if (r->next >= r->argc)
                return options_refuse(r, "nothing follows --; name the command to run");
            r->options->exec = r->argv + r->next;
            return true;
        }
        if (word[0] == '-' && word[1] == '-')
            fine = options_long(r, word + 2);
        else if (word[0] == '-' && word[1] != '\0')
            fine = options_short(r, word + 1);
        else
            fine = options_word(r, word);
        if (!fine)
            return false;
    }
    return true;
}

bool options_read(struct options *options, int argc, char **argv, char *why, size_t why_len)
{
    struct options_reader reader = {options, why, why_len, 0, argc, 1, argv, NULL, NULL};
    options_defaults(options);
    if (!options_read_words(&reader))
        return false;
    if (options->help || options->version)
        return true;
    if (options->command == CMD_NONE)
        return options_refuse(&reader, "no subcommand; weir-tun --help lists them, weir-tun demo shows what weir does");
    return options_check_use(&reader) && options_check(&reader);
}

/* ---- explaining ---- */

static void options_help_rows(FILE *to, unsigned commands)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        char letter[4] = "   ", left[48];
        if ((row->commands & commands) == 0)
            continue;
        if (row->letter != 0)
            (void)snprintf(letter, sizeof letter, "-%c ", row->letter);
        (void)snprintf(left, sizeof left, "%s--%s %s", letter, row->name, row->value != NULL ? row->value : "");
        (void)fprintf(to, "  %-26s %s\n", left, row->help);
    }
}

void options_help(FILE *to, enum command command)
{
    if (command == CMD_NONE) {
        (void)fputs("weir-tun - the weir TCP over a Linux TUN device\n\n"
                    "usage: weir-tun SUBCOMMAND [OPTION...] [-- COMMAND [ARG...]]\n\n", to);
        for (unsigned c = CMD_NONE + 1; c < CMD_COUNT; c++) {
            char left[48];
            (void)snprintf(left, sizeof left, "%s %s", command_rows[c].name, command_rows[c].synopsis);
            (void)fprintf(to, "  %-28s %s\n", left, command_rows[c].help);
        }
        (void)fputs("\nweir-tun SUBCOMMAND --help explains one of them; weir-tun(1) all.\n"
                    "Exit: 0 fine, 1 failure, 2 usage, 77 this environment cannot; with a COMMAND, what it ended with.\n", to);
        return;
    }
    const struct command_row *row = &command_rows[command];
    bool device = (BIT(command) & FOR_DEVICE) != 0;
    (void)fprintf(to, "weir-tun %s - %s\n\nusage: weir-tun %s %s%s[OPTION...]%s\n\n", row->name, row->help, row->name,
                  row->synopsis, *row->synopsis != '\0' ? " " : "", device ? " [-- COMMAND [ARG...]]" : "");
    options_help_rows(to, BIT(command));
    if (device)
        (void)fputs("\nCOMMAND is run when weir is ready, in the namespace of --unshare, with WEIR_ADDR, WEIR_ADDR6, WEIR_PEER,\n"
                    "WEIR_PEER6 and WEIR_PORT set; when it ends, weir-tun does.\n", to);
}
