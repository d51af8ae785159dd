/* net_flows.c - what each flow is told: profile, congestion control, and any field of weir_config by its name. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

/* ---- fields of the configuration, as weir.h has them ---- */

struct flows_field {
    char name[40];
    size_t at, size;
    bool is_switch;
};

#define NET_FIELD(field)                                                                                                  \
    {#field, offsetof(weir_config, field), sizeof(((weir_config *)0)->field),                                             \
     _Generic(((weir_config *)0)->field, bool: true, default: false)},
static const struct flows_field flows_fields[] = {
#include "net_fields.inc"
};
#undef NET_FIELD

static const struct flows_field *flows_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof flows_fields / sizeof flows_fields[0]; i++) {
        if (strcmp(flows_fields[i].name, name) == 0) {
            return &flows_fields[i];
        }
    }
    return NULL;
}

static const char *flows_switch(const char *text, uint64_t *value)
{
    static const char *const words[] = {"off", "on", "no", "yes", "false", "true", "0", "1"};
    unsigned i;

    for (i = 0; i < 8; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i & 1u;
            return NULL;
        }
    }
    return "a switch is on or off";
}

static const char *flows_cc(const char *text, uint64_t *value)
{
    static char names[160] = "a congestion control is needed:";
    unsigned i;

    for (i = 0; i < WEIR_CC_COUNT; i++) {
        if (strcmp(text, weir_cc_name((enum weir_cc_kind)i)) == 0) {
            *value = i;
            return NULL;
        }
    }
    names[strlen("a congestion control is needed:")] = 0;
    for (i = 0; i < WEIR_CC_COUNT; i++) {
        (void)strncat(names, " ", sizeof names - strlen(names) - 1);
        (void)strncat(names, weir_cc_name((enum weir_cc_kind)i), sizeof names - strlen(names) - 1);
    }
    return names;
}

static bool flows_is_time(const char *name)
{
    size_t len = strlen(name);

    return len > 3 && strcmp(name + len - 3, "_us") == 0;
}

static void flows_store(weir_config *config, const struct flows_field *f, uint64_t value)
{
    uint8_t *at = (uint8_t *)config + f->at;
    uint8_t byte = (uint8_t)value;
    uint16_t half = (uint16_t)value;
    uint32_t word = (uint32_t)value;

    if (f->is_switch) {
        bool on = value != 0;

        memcpy(at, &on, sizeof on);
    } else if (f->size == 1) {
        memcpy(at, &byte, 1);
    } else if (f->size == 2) {
        memcpy(at, &half, 2);
    } else if (f->size == 4) {
        memcpy(at, &word, 4);
    } else {
        memcpy(at, &value, 8);
    }
}

static const char *flows_set(weir_config *config, const char *name, const char *text)
{
    const struct flows_field *f = flows_find(name);
    uint64_t value = 0, max;
    const char *why;

    if (f == NULL) {
        return "no such field in weir_config: --help lists them";
    }
    max = f->size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * f->size)) - 1;
    if (f->is_switch) {
        why = flows_switch(text, &value);
    } else if (strcmp(name, "cc") == 0) {
        why = flows_cc(text, &value);
    } else if (flows_is_time(name)) {
        why = weir_parse_duration_us(text, &value);
    } else {
        why = weir_parse_count(text, max, &value);
    }
    if (why == NULL) {
        flows_store(config, f, value);
    }
    return why;
}

static void flows_check(const char *option, const char *text, const weir_config *config)
{
    static char why[80];
    weir_config c = *config;
    const char *field = NULL;

    memset(c.secret, 1, sizeof c.secret);
    if (weir_config_check(&c, &field) != WEIR_ERR_NONE) {
        (void)snprintf(why, sizeof why, "weir refuses the field %s: it is out of range", field);
        net_usage(option, text, why);
    }
    if (c.mtu > NET_PACKET_MAX) {
        net_usage(option, text, "the simulator carries packets of up to 9216 octets");
    }
}

/* ---- the flows ---- */

static const char *flows_window(uint64_t octets, uint32_t *window)
{
    *window = 256;
    if (octets < 256 || octets > 1u << 30) {
        return "a window is 256 octets to 1G";
    }
    while (*window < octets) {
        *window *= 2;
    }
    return NULL;
}

static const char *flows_word(struct net_flow_plan *f, const char *name, const char *value)
{
    uint64_t octets;
    const char *why;

    if (strcmp(name, "start") == 0) {
        why = weir_parse_duration_us(value, &f->start);
        return why != NULL ? why : f->start > NET_TIME_MAX_US ? "a run lasts an hour at most" : NULL;
    }
    if (strcmp(name, "rtt") == 0) {
        why = weir_parse_duration_us(value, &f->extra_rtt);
        return why != NULL ? why : f->extra_rtt > 60 * SIM_SECOND ? "at most 60 s" : NULL;
    }
    if (strcmp(name, "amount") == 0) {
        return weir_parse_size(value, &f->amount);
    }
    if (strcmp(name, "window") == 0) {
        why = weir_parse_size(value, &octets);
        return why != NULL ? why : flows_window(octets, &f->window);
    }
    if (strcmp(name, "window-max") == 0) {
        why = weir_parse_size(value, &octets);
        return why != NULL ? why : flows_window(octets, &f->window_max);
    }
    if (strcmp(name, "read") == 0) {
        return net_parse_rate(value, &f->read_bps);
    }
    return flows_set(&f->config, name, value);
}

/* "name=value", as --set has it; the flow's own words only with --flow. */
static void flows_apply(struct net_flow_plan *f, const char *option, const char *text, const char *item)
{
    char copy[128];
    const char *why = "name=value is needed";
    char *equals;

    if (strlen(item) < sizeof copy) {
        memcpy(copy, item, strlen(item) + 1);
        equals = strchr(copy, '=');
        if (equals != NULL) {
            *equals = 0;
            why = option[2] == 's' ? flows_set(&f->config, copy, equals + 1) : flows_word(f, copy, equals + 1);
        }
    }
    if (why != NULL) {
        net_usage(option, text, why);
    }
}

/* The items of a list with commas, one after the other; false at the end. */
static bool flows_item(const char **list, char *item, size_t cap)
{
    size_t len = strcspn(*list, ",");

    if (**list == 0) {
        return false;
    }
    (void)snprintf(item, cap, "%.*s", (int)(len < cap ? len : cap - 1), *list);
    *list += len + ((*list)[len] == ',');
    return true;
}

/* Flow number i takes the i-th name, and the list begins anew behind its end. */
static void flows_take_cc(struct net_settings *s, weir_config *config, uint32_t index)
{
    const char *list = s->cc, *why;
    char item[64];
    uint32_t i = 0;

    if (list == NULL) {
        return;
    }
    if (*list == 0) {
        list = ",";
    }
    while (i <= index) {
        const char *at = list;

        while (i <= index && flows_item(&at, item, sizeof item)) {
            i++;
        }
    }
    why = flows_set(config, "cc", item);
    if (why != NULL) {
        net_usage("--cc", s->cc, why);
    }
}

static void flows_profile(struct net_settings *s, weir_config *config)
{
    if (s->profile == NULL || strcmp(s->profile, "internet") == 0) {
        weir_config_internet(config);
    } else if (strcmp(s->profile, "rfc") == 0) {
        weir_config_rfc(config);
    } else if (strcmp(s->profile, "tiny") == 0) {
        weir_config_tiny(config);
    } else {
        net_usage("--profile", s->profile, "a profile is internet, rfc or tiny");
    }
}

static uint64_t flows_pipe(const struct net_plan *p)
{
    return p->rate_bps / 8 * p->rtt_us / SIM_SECOND;
}

/* What was not said: a queue of one bandwidth-delay product, windows that are never what limits a flow. */
static void flows_defaults(struct net_settings *s)
{
    uint64_t pipe = flows_pipe(&s->plan);

    if (s->plan.queue_octets == 0) {
        s->plan.queue_octets = s->plan.queue_packets != 0 || s->plan.rate_bps == 0 ? UINT32_MAX
                               : pipe < 65536                                      ? 65536
                               : pipe > UINT32_MAX                                 ? UINT32_MAX
                                                                                   : (uint32_t)pipe;
    }
    if (s->window == 0 && s->window_max != 0) {
        s->window = 65536;
    }
    if (s->window == 0) {
        uint64_t queue = s->plan.queue_octets == UINT32_MAX ? (uint64_t)s->plan.queue_packets * 1500 : s->plan.queue_octets;

        s->window = 2 * (pipe + queue);
        s->window = s->window < 65536 ? 65536 : s->window > 1u << 26 ? 1u << 26 : s->window;
    }
}

static void flows_one(struct net_settings *s, uint32_t index)
{
    struct net_flow_plan *f = &s->plan.flow[index];
    const char *why, *list;
    char item[128];
    uint32_t i;

    memset(f, 0, sizeof *f);
    f->start = s->stagger * index;
    f->amount = s->amount;
    why = flows_window(s->window, &f->window);
    if (why != NULL) {
        net_usage("--window", "", why);
    }
    f->read_bps = s->read_bps;
    if (s->window_max != 0 && flows_window(s->window_max, &f->window_max) != NULL) {
        net_usage("--window-max", "", "a window is 256 octets to 1G");
    }
    flows_profile(s, &f->config);
    flows_take_cc(s, &f->config, index);
    for (i = 0; i < s->set_count; i++) {
        flows_apply(f, "--set", s->set[i], s->set[i]);
        flows_check("--set", s->set[i], &f->config);
    }
    if (index < s->flow_texts) {
        for (list = s->flow[index]; flows_item(&list, item, sizeof item);) {
            flows_apply(f, "--flow", s->flow[index], item);
        }
        flows_check("--flow", s->flow[index], &f->config);
    }
}

void net_flows_fill(struct net_settings *s)
{
    uint32_t i;

    flows_defaults(s);
    s->plan.flow_count = s->flow_texts > s->flows ? s->flow_texts : s->flows;
    for (i = 0; i < s->plan.flow_count; i++) {
        flows_one(s, i);
        if (s->plan.flow[i].start >= s->plan.time_us) {
            net_usage("--time", "", "a flow starts only when the run is over");
        }
    }
}

void net_flows_print_fields(void)
{
    size_t i, column = 2;

    printf(" ");
    for (i = 0; i < sizeof flows_fields / sizeof flows_fields[0]; i++) {
        if (column + strlen(flows_fields[i].name) + 1 > 110) {
            printf("\n ");
            column = 2;
        }
        printf(" %s", flows_fields[i].name);
        column += strlen(flows_fields[i].name) + 1;
    }
    printf("\nCongestion controls:");
    for (i = 0; i < WEIR_CC_COUNT; i++) {
        printf(" %s", weir_cc_name((enum weir_cc_kind)i));
    }
    printf("\n");
}
