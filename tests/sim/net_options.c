/* net_options.c - the command line of weir-sim: a table of options, each with its kind and its line of help. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

enum options_kind {
    OPTION_FLAG, OPTION_TEXT, OPTION_RATE, OPTION_TIME, OPTION_PPM, OPTION_SIZE, OPTION_COUNT, OPTION_U64, OPTION_SET, OPTION_FLOW,
    OPTION_BURST, OPTION_CHANGE, OPTION_QUEUE, OPTION_MARK, OPTION_AQM, OPTION_GILBERT, OPTION_REORDER, OPTION_WINDOW, OPTION_HELP
};

struct option {
    const char *name;
    enum options_kind kind;
    size_t at;
    uint64_t min, max;
    const char *argument, *help;
};

#define AT(field) offsetof(struct net_settings, field)
static const struct option options[] = {
    {"--scenario", OPTION_TEXT, AT(scenario), 0, 0, "NAME", "a named table; list: shows their names; other options change it"},
    {"--rate", OPTION_RATE, AT(plan.rate_bps), 8000, 400000000000, "100M", "of the bottleneck, bits a second of whole packets"},
    {"--rtt", OPTION_TIME, AT(plan.rtt_us), 0, 60000000, "20ms", "both ways, without queues"},
    {"--queue", OPTION_QUEUE, 0, 0, 0, "250k | 100p", "octets or packets that may wait; rate x rtt, 64K at least"},
    {"--aqm", OPTION_AQM, 0, 0, 0, "tail | codel", "tail drop, or CoDel (RFC 8289)"},
    {"--mark", OPTION_MARK, 0, 0, 0, "20p | 30k", "where so much waits ECT packets are marked; CoDel marks them instead of dropping"},
    {"--codel-target", OPTION_TIME, AT(plan.codel_target_us), 1, 10000000, "5ms", ""},
    {"--codel-interval", OPTION_TIME, AT(plan.codel_interval_us), 1, 100000000, "100ms", ""},
    {"--access", OPTION_RATE, AT(plan.access_bps), 8000, 400000000000, "RATE", "of each sender's own link; no limit"},
    {"--back-rate", OPTION_RATE, AT(plan.back_bps), 8000, 400000000000, "RATE", "of the way back; no limit"},
    {"--loss", OPTION_PPM, AT(plan.loss_ppm), 0, 0, "1%", "of all packets, each by itself"},
    {"--gilbert", OPTION_GILBERT, 0, 0, 0, "P/R[/B[/G]]", "Gilbert-Elliott: good to bad, bad to good, lost in bad (100%), in good (0)"},
    {"--burst", OPTION_BURST, 0, 0, 0, "N[/S]@T", "N data packets, every S-th, from time T on (1s) or from octet T of flow 1 (5Moctets)"},
    {"--ack-loss", OPTION_PPM, AT(plan.ack_loss_ppm), 0, 0, "10%", "of acknowledgments"},
    {"--ack-thin", OPTION_COUNT, AT(plan.ack_thin), 1, 1000, "N", "one of N plain acknowledgments goes on, for all"},
    {"--ack-thin-time", OPTION_TIME, AT(plan.ack_thin_us), 1, 1000000, "1ms", "and none waits longer"},
    {"--reorder", OPTION_REORDER, 0, 0, 0, "P[:T]", "held back for T (a quarter of the rtt), so that others pass"},
    {"--jitter", OPTION_TIME, AT(plan.jitter_us), 0, 10000000, "T", "up to so much later, in order"},
    {"--at", OPTION_CHANGE, 0, 0, 0, "T:WHAT=V", "from T on; WHAT is rate, rtt, loss or queue"},
    {"--flows", OPTION_COUNT, AT(flows), 1, NET_FLOWS_MAX, "N", "how many; 1"},
    {"--flow", OPTION_FLOW, 0, 0, 0, "K=V,...", "the next flow: start, amount, rtt (on top), window, window-max, read, or a field as with --set"},
    {"--stagger", OPTION_TIME, AT(stagger), 0, 600000000, "T", "flows start so long one after the other; 0"},
    {"--amount", OPTION_SIZE, AT(amount), 1, UINT64_C(1) << 40, "SIZE", "each flow sends; without end"},
    {"--window", OPTION_SIZE, AT(window), 256, 1u << 30, "SIZE", "of the rings of a flow; never what limits"},
    {"--window-max", OPTION_SIZE, AT(window_max), 256, 1u << 30, "SIZE", "they begin with --window (64K) and grow up to this when asked"},
    {"--read", OPTION_RATE, AT(read_bps), 8000, 400000000000, "RATE", "the users of receivers read no faster; all at once"},
    {"--cc", OPTION_TEXT, AT(cc), 0, 0, "NAME[,NAME]", "congestion control, of the flows in turn"},
    {"--profile", OPTION_TEXT, AT(profile), 0, 0, "NAME", "internet, rfc or tiny"},
    {"--set", OPTION_SET, 0, 0, 0, "FIELD=VALUE", "a field of weir_config, of all flows"},
    {"--time", OPTION_TIME, AT(plan.time_us), 1000, NET_TIME_MAX_US, "10s", "of the run; it ends earlier when all amounts are delivered"},
    {"--warmup", OPTION_TIME, AT(plan.warmup_us), 0, NET_TIME_MAX_US, "T", "not counted; 0"},
    {"--deficit", OPTION_TIME, AT(plan.deficit_us), 1000, 600000000, "3s", "after a burst or a change, against the second before"},
    {"--seed", OPTION_U64, AT(plan.seed), 0, 0, "N", "of all chance; 1"},
    {"--repeats", OPTION_COUNT, AT(repeats), 1, 1000, "N", "seeds of each row of a table; the median is told"},
    {"--json", OPTION_FLAG, AT(json), 0, 0, NULL, "for machines"},
    {"--plot", OPTION_TEXT, AT(run.plot), 0, 0, "DIR", "time-sequence.svg and cwnd-queue.svg there, by gnuplot"},
    {"--plot-window", OPTION_WINDOW, 0, 0, 0, "FROM-TO", "times shown; a second around the first event, else all"},
    {"--pcapng", OPTION_TEXT, AT(run.capture), 0, 0, "FILE", "all packets as the senders see them; - is standard output"},
    {"--quiet", OPTION_FLAG, AT(run.quiet), 0, 0, NULL, "no progress on standard error"},
    {"--help", OPTION_HELP, 0, 0, 0, NULL, "this"},
};
#undef AT
#define OPTIONS_COUNT (sizeof options / sizeof options[0])

void net_usage(const char *option, const char *text, const char *why)
{
    fprintf(stderr, "weir-sim: %s%s%s: %s\n", option, text != NULL && *text != 0 ? " " : "", text != NULL ? text : "", why);
    exit(2);
}

static void options_help(void)
{
    size_t i;
    char left[48];

    printf("usage: weir-sim [OPTION]...\n\nSenders and receivers, each a stack of weir, meet at one bottleneck in virtual time.\n\n");
    for (i = 0; i < OPTIONS_COUNT; i++) {
        (void)snprintf(left, sizeof left, "%s %s", options[i].name, options[i].argument != NULL ? options[i].argument : "");
        printf("  %-28s %s\n", left, options[i].help);
    }
    printf("\nRates: 100M, 1.5G, 64k (powers of 1000). Sizes: 64K, 1M (powers of 1024). Times: 300us, 20ms, 1.5s, 2m.\n"
           "Fields of weir_config:\n");
    net_flows_print_fields();
    printf("\nEnds with 0 if all went well, 1 if a run broke a rule or a file could not be written, 2 if an option is wrong.\n");
}

/* ---- values that are not one number ---- */

const char *net_parse_ppm(const char *text, uint32_t *ppm)
{
    return weir_parse_percent(text, ppm);
}

const char *net_parse_rate(const char *text, uint64_t *bps)
{
    const char *why = weir_parse_rate_bps(text, bps);

    return why != NULL ? why : *bps < 8000 || *bps > 400000000000 ? "a rate is 8k to 400G bits a second" : NULL;
}

/* The part before the first of `ends`; what is behind it, or NULL. */
static const char *options_part(const char *text, char end, char *part, size_t cap)
{
    const char *at = strchr(text, end);
    size_t len = at != NULL ? (size_t)(at - text) : strlen(text);

    (void)snprintf(part, cap, "%.*s", (int)(len < cap ? len : cap - 1), text);
    return at != NULL ? at + 1 : NULL;
}

static const char *burst_start(struct net_burst *b, const char *text)
{
    size_t len = strlen(text);
    char size[32];
    const char *why;

    if (len > 6 && len < sizeof size && strcmp(text + len - 6, "octets") == 0) {
        (void)snprintf(size, sizeof size, "%.*s", (int)(len - 6), text);
        b->by_octet = true;
        return weir_parse_size(size, &b->octet);
    }
    why = weir_parse_duration_us(text, &b->at);
    return why != NULL ? "after @ comes a time like 1s, or an octet like 5Moctets" : b->at > NET_TIME_MAX_US ? "a run lasts an hour at most" : NULL;
}

const char *net_parse_burst(struct net_plan *plan, const char *text)
{
    struct net_burst b;
    char pattern[32], count[32];
    const char *start = options_part(text, '@', pattern, sizeof pattern), *step = options_part(pattern, '/', count, sizeof count);
    uint64_t number = 0, every = 1;

    memset(&b, 0, sizeof b);
    if (plan->burst_count == NET_BURSTS_MAX) {
        return "there are 16 bursts already";
    }
    if (start == NULL || weir_parse_count(count, 100000, &number) != NULL || number == 0 ||
        (step != NULL && (weir_parse_count(step, 10000, &every) != NULL || every == 0))) {
        return "a pattern is needed, like 3@1s (3 in a row) or 30/2@1s (30, every 2nd)";
    }
    b.count = (uint32_t)number;
    b.step = (uint32_t)every;
    start = burst_start(&b, start);
    if (start == NULL) {
        plan->burst[plan->burst_count++] = b;
    }
    return start;
}

static const char *change_value(struct net_change *c, const char *text)
{
    const char *why;
    uint32_t ppm = 0;

    switch (c->knob) {
    case NET_KNOB_RATE:
        return net_parse_rate(text, &c->value);
    case NET_KNOB_RTT:
        why = weir_parse_duration_us(text, &c->value);
        return why != NULL ? why : c->value > 60 * SIM_SECOND ? "a round trip takes 60 s at most" : NULL;
    case NET_KNOB_LOSS:
        why = net_parse_ppm(text, &ppm);
        c->value = ppm;
        return why;
    default:
        why = weir_parse_size(text, &c->value);
        return why != NULL ? why : c->value > UINT32_MAX ? "a queue is 4G at most" : NULL;
    }
}

const char *net_parse_change(struct net_plan *plan, const char *text)
{
    struct net_change c;
    char when[32], knob[32];
    const char *what = options_part(text, ':', when, sizeof when);
    const char *value = what != NULL ? options_part(what, '=', knob, sizeof knob) : NULL;

    memset(&c, 0, sizeof c);
    if (plan->change_count == NET_CHANGES_MAX) {
        return "there are 32 changes already";
    }
    if (value == NULL || weir_parse_duration_us(when, &c.at) != NULL || c.at > NET_TIME_MAX_US) {
        return "a time and a change are needed, like 5s:rate=10M";
    }
    while (c.knob < NET_KNOB_COUNT && strcmp(net_knob_name(c.knob), knob) != 0) {
        c.knob++;
    }
    if (c.knob == NET_KNOB_COUNT) {
        return "what changes is rate, rtt, loss or queue";
    }
    value = change_value(&c, value);
    if (value == NULL) {
        plan->change[plan->change_count++] = c;
    }
    return value;
}

static const char *options_queue(uint32_t *octets, uint32_t *packets, const char *text)
{
    size_t len = strlen(text);
    uint64_t value = 0;
    char number[32];
    const char *why;

    if (len > 1 && len < sizeof number && text[len - 1] == 'p') {
        (void)snprintf(number, sizeof number, "%.*s", (int)(len - 1), text);
        if (weir_parse_count(number, 1000000, &value) == NULL && value > 0) {
            *packets = (uint32_t)value;
            *octets = UINT32_MAX;
            return NULL;
        }
        return "1p to 1000000p, or a size like 250k";
    }
    why = weir_parse_size(text, &value);
    if (why == NULL && (value == 0 || value > UINT32_MAX)) {
        why = "a queue is 1 octet to 4G, or packets like 100p";
    }
    *octets = (uint32_t)value;
    *packets = 0;
    return why;
}

static const char *options_gilbert(struct net_gilbert *g, const char *text)
{
    uint32_t *values[] = {&g->to_bad, &g->to_good, &g->loss_bad, &g->loss_good};
    const char *at = text, *why = NULL;
    char part[32];
    unsigned i;

    g->loss_bad = 1000000;
    g->loss_good = 0;
    for (i = 0; i < 4 && at != NULL && why == NULL; i++) {
        at = options_part(at, '/', part, sizeof part);
        why = net_parse_ppm(part, values[i]);
    }
    if (i < 2 || at != NULL) {
        return "two to four shares are needed, like 0.1%/30%";
    }
    return why != NULL ? why : g->to_bad == 0 || g->to_good == 0 ? "the first two shares may not be 0" : NULL;
}

static const char *options_reorder(struct net_plan *plan, const char *text)
{
    char share[32];
    const char *time = options_part(text, ':', share, sizeof share), *why = net_parse_ppm(share, &plan->reorder_ppm);

    if (why == NULL && time != NULL) {
        why = weir_parse_duration_us(time, &plan->reorder_us);
    }
    return why != NULL ? why : plan->reorder_us > 60 * SIM_SECOND ? "at most 60 s" : NULL;
}

static const char *options_window(struct net_plan *plan, const char *text)
{
    char from[32];
    const char *to = options_part(text, '-', from, sizeof from);

    if (to == NULL || weir_parse_duration_us(from, &plan->plot_from) != NULL || weir_parse_duration_us(to, &plan->plot_to) != NULL ||
        plan->plot_to <= plan->plot_from) {
        return "two times are needed, like 900ms-1.5s";
    }
    return NULL;
}

static const char *options_keep(const char **list, uint32_t *count, const char *text)
{
    if (*count == NET_TEXTS_MAX) {
        return "given 64 times already";
    }
    list[(*count)++] = text;
    return NULL;
}

static const char *options_aqm(struct net_plan *plan, const char *text)
{
    plan->codel = strcmp(text, "codel") == 0;
    return plan->codel || strcmp(text, "tail") == 0 ? NULL : "tail or codel";
}

static const char *options_number(struct net_settings *s, const struct option *o, const char *text)
{
    static char range[96];
    uint8_t *place = (uint8_t *)s + o->at;
    uint64_t value = 0;
    uint32_t small;
    const char *why;

    switch (o->kind) {
    case OPTION_RATE:
        why = weir_parse_rate_bps(text, &value);
        break;
    case OPTION_TIME:
        why = weir_parse_duration_us(text, &value);
        break;
    case OPTION_SIZE:
        why = weir_parse_size(text, &value);
        break;
    default:
        why = weir_parse_count(text, UINT64_MAX, &value);
    }
    if (why != NULL) {
        return why;
    }
    if (o->max != 0 && (value < o->min || value > o->max)) {
        (void)snprintf(range, sizeof range, "out of range: %llu to %llu%s", (unsigned long long)o->min, (unsigned long long)o->max,
                       o->kind == OPTION_TIME ? " us" : "");
        return range;
    }
    small = (uint32_t)value;
    if (o->kind == OPTION_COUNT) {
        memcpy(place, &small, sizeof small);
    } else {
        memcpy(place, &value, sizeof value);
    }
    return NULL;
}

static const char *options_take(struct net_settings *s, const struct option *o, const char *text)
{
    switch (o->kind) {
    case OPTION_TEXT:
        memcpy((uint8_t *)s + o->at, &text, sizeof text);
        return NULL;
    case OPTION_PPM:
        return net_parse_ppm(text, (uint32_t *)(void *)((uint8_t *)s + o->at));
    case OPTION_SET:
        return options_keep(s->set, &s->set_count, text);
    case OPTION_FLOW:
        return options_keep(s->flow, &s->flow_texts, text);
    case OPTION_BURST:
        return net_parse_burst(&s->plan, text);
    case OPTION_CHANGE:
        return net_parse_change(&s->plan, text);
    case OPTION_QUEUE:
        return options_queue(&s->plan.queue_octets, &s->plan.queue_packets, text);
    case OPTION_MARK:
        return options_queue(&s->plan.mark_octets, &s->plan.mark_packets, text);
    case OPTION_AQM:
        return options_aqm(&s->plan, text);
    case OPTION_GILBERT:
        return options_gilbert(&s->plan.gilbert, text);
    case OPTION_REORDER:
        return options_reorder(&s->plan, text);
    case OPTION_WINDOW:
        return options_window(&s->plan, text);
    default:
        return options_number(s, o, text);
    }
}

/* ---- the whole line ---- */

static const struct option *options_find(const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < OPTIONS_COUNT; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

void net_settings_init(struct net_settings *s)
{
    memset(s, 0, sizeof *s);
    s->plan.seed = 1;
    s->plan.rate_bps = 100000000;
    s->plan.rtt_us = 20000;
    s->plan.codel_target_us = 5000;
    s->plan.codel_interval_us = 100000;
    s->plan.ack_thin_us = 1000;
    s->plan.time_us = 10 * SIM_SECOND;
    s->plan.deficit_us = 3 * SIM_SECOND;
    s->flows = 1;
    s->repeats = 1;
}

bool net_given(const struct net_settings *s, const char *option)
{
    const struct option *o = options_find(option, strlen(option));

    return o != NULL && (s->given >> (o - options) & 1) != 0;
}

static void options_together(const struct net_settings *s)
{
    if (s->plan.warmup_us >= s->plan.time_us) {
        net_usage("--warmup", "", "the run is over before");
    }
    if (s->run.plot != NULL && s->scenario != NULL) {
        net_usage("--plot", s->run.plot, "goes with one run, not with a table");
    }
    if (s->run.capture != NULL && s->scenario != NULL) {
        net_usage("--pcapng", s->run.capture, "goes with one run, not with a table");
    }
    if (s->run.capture != NULL && strcmp(s->run.capture, "-") == 0 && s->json) {
        net_usage("--pcapng", "-", "standard output cannot take JSON too");
    }
    if (s->repeats > 1 && s->scenario == NULL) {
        net_usage("--repeats", "", "goes with a table: --scenario");
    }
}

/* The options in their order; with `only`, that one alone is looked at, since it changes what the others begin with. */
static void options_walk(struct net_settings *s, int argc, char **argv, const char *only)
{
    const char *why, *text;
    int i;

    for (i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct option *o = strcmp(argv[i], "-h") == 0 ? options_find("--help", 6) : options_find(argv[i], len);

        if (o == NULL) {
            net_usage(argv[i], "", argv[i][0] == '-' ? "no such option; --help shows what there is" : "every argument is an option; --help");
        }
        if (o->kind == OPTION_HELP) {
            options_help();
            exit(0);
        }
        if (o->kind == OPTION_FLAG) {
            if (equals != NULL) {
                net_usage(argv[i], "", "takes no value");
            }
            *((bool *)(void *)((uint8_t *)s + o->at)) = true;
            continue;
        }
        if (equals == NULL && i + 1 == argc) {
            net_usage(o->name, "", "needs a value");
        }
        text = equals != NULL ? equals + 1 : argv[++i];
        if (only != NULL && strcmp(o->name, only) != 0) {
            continue;
        }
        s->given |= UINT64_C(1) << (o - options);
        why = options_take(s, o, text);
        if (why != NULL) {
            net_usage(o->name, text, why);
        }
    }
}

void net_settings_read(struct net_settings *s, int argc, char **argv)
{
    net_settings_init(s);
    options_walk(s, argc, argv, "--scenario");
    if (s->scenario != NULL && !net_table_defaults(s)) {
        net_usage("--scenario", s->scenario, "no such table; --scenario list shows them");
    }
    options_walk(s, argc, argv, NULL);
    options_together(s);
    s->plan.warmup_us -= s->plan.warmup_us % 1000;
    if (s->plan.reorder_us == 0) {
        s->plan.reorder_us = s->plan.rtt_us / 4;
    }
}
