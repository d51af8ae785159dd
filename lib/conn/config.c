/* config.c - profiles, and what a configuration may not be. Knows ranges and their reasons; knows no connection. */
#include "conn/conn.h"

#define CONFIG_MS ((weir_us)1000)
#define CONFIG_S ((weir_us)1000000)

WEIR_API void weir_config_internet(weir_config *config)
{
    memset(config, 0, sizeof *config);
    config->mtu = 1500;
    config->mss_min = 88;
    config->cc = WEIR_WITH_CUBIC ? WEIR_CC_CUBIC : WEIR_CC_NEWRENO;
    config->pacing = WEIR_WITH_PACING ? WEIR_PACING_START : WEIR_PACING_OFF;
    config->iw10 = true;
    config->abc = true;
    config->hystart = WEIR_WITH_HYSTART;
    config->halve_cwnd = true;
    config->rack = WEIR_WITH_RACK;
    config->prr = WEIR_WITH_PRR;
    config->undo = WEIR_WITH_UNDO;
    config->ecn = WEIR_WITH_ECN ? WEIR_ECN_ACCEPT : WEIR_ECN_OFF;
    config->abe = WEIR_WITH_ECN;
    config->timestamps = WEIR_WITH_TIMESTAMPS;
    config->window_scale = WEIR_WITH_WINDOW_SCALE;
    config->sack = true;
    config->nagle = true;
    config->ack_check = true;
    config->ack_every = 2;
    config->quick_acks = 16;
    config->ttl = 64;
    config->retries_r1 = 3;
    config->challenge_count = 10;
    config->challenge_interval_us = 5 * CONFIG_S;
    config->keepalive_count = 9;
    config->keepalive_interval_us = 75 * CONFIG_S;
    config->rto_initial_us = CONFIG_S;
    config->rto_min_us = 200 * CONFIG_MS;
    config->rto_max_us = 120 * CONFIG_S;
    config->ack_delay_us = 40 * CONFIG_MS;
    config->r2_us = 15 * 60 * CONFIG_S;
    config->r2_syn_us = 3 * 60 * CONFIG_S;
    config->persist_max_us = 60 * CONFIG_S;
    config->sws_override_us = 200 * CONFIG_MS;
    config->msl_us = 30 * CONFIG_S;
    config->fin_wait_us = 60 * CONFIG_S;
    config->orphan_us = 100 * CONFIG_S;
}

WEIR_API void weir_config_init(weir_config *config)
{
    weir_config_internet(config);
}

WEIR_API void weir_config_rfc(weir_config *config)
{
    weir_config_internet(config);
    config->cc = WEIR_CC_NEWRENO;
    config->iw10 = false;
    config->abc = false;
    config->pacing = WEIR_PACING_OFF;
    config->hystart = false;
    config->halve_cwnd = false;
    config->rack = false;
    config->prr = false;
    config->undo = false;
    config->ecn = WEIR_ECN_OFF; /* no MUST asks for it */
    config->abe = false;
    config->require_timestamps = WEIR_WITH_TIMESTAMPS;
    config->quick_acks = 0;
    config->ack_delay_us = 200 * CONFIG_MS;
    config->rto_min_us = CONFIG_S;
    config->rto_max_us = 60 * CONFIG_S;
    config->msl_us = 120 * CONFIG_S;
}

WEIR_API void weir_config_tiny(weir_config *config)
{
    weir_config_internet(config);
    config->mtu = 576;
    config->cc = WEIR_CC_NEWRENO;
    config->pacing = WEIR_PACING_OFF;
    config->iw10 = false;
    config->hystart = false;
    config->rack = false;
    config->undo = false;
    config->ecn = WEIR_ECN_OFF;
    config->timestamps = false;
    config->window_scale = false;
    config->quick_acks = 0;
}

/* A field, whether it is in range, and its name for people. */
struct config_rule {
    bool holds;
    const char *field;
};

static const char *config_first(const struct config_rule *rules, unsigned count)
{
    const char *bad = NULL;
    for (unsigned i = 0; i < count && bad == NULL; i++) { /* the table */
        bad = rules[i].holds ? NULL : rules[i].field;
    }
    return bad;
}

/* The first feature that is asked for and was left out. Not `||`: what is constant decides nothing at run time. */
static const char *config_left_out(const weir_config *config)
{
    const struct config_rule rules[] = {
        {WEIR_WITH_CUBIC | (config->cc != WEIR_CC_CUBIC), "cc"},
        {WEIR_WITH_BBR | (config->cc != WEIR_CC_BBR), "cc"},
        {WEIR_WITH_HYSTART | !config->hystart, "hystart"},
        {WEIR_WITH_CWV | !config->cwv, "cwv"},
        {WEIR_WITH_PACING | (config->pacing == WEIR_PACING_OFF), "pacing"},
        {WEIR_WITH_RACK | !config->rack, "rack"},
        {WEIR_WITH_PRR | !config->prr, "prr"},
        {WEIR_WITH_UNDO | !config->undo, "undo"},
        {WEIR_WITH_ECN | (config->ecn == WEIR_ECN_OFF && !config->abe), "ecn"},
        {WEIR_WITH_TIMESTAMPS | (!config->timestamps && !config->require_timestamps), "timestamps"},
        {WEIR_WITH_WINDOW_SCALE | !config->window_scale, "window_scale"},
        {WEIR_WITH_GROWTH | (config->rx_max == 0 && config->tx_max == 0), "rx_max"},
        {WEIR_WITH_GSO | (config->gso_max == 0 && !config->partial_checksum), "gso_max"},
    };
    return WEIR_WITH_EVERYTHING ? NULL : config_first(rules, sizeof rules / sizeof rules[0]);
}

static const char *config_out_of_range(const weir_config *config)
{
    const struct config_rule rules[] = {
        {config->mtu >= 576 - 148, "mtu"}, /* room for 60 octets of IP, 60 of TCP and some text; RFC 791 asks 68 of every link */
        {config->gso_max == 0 || config->gso_max >= config->mtu, "gso_max"},
        {config->mss_min >= 64 && config->mss_min <= 536, "mss_min"}, /* options take 40 of it; 536 is what everyone may assume */
        {config->cc < WEIR_CC_COUNT, "cc"},
        {config->pacing < WEIR_PACING_COUNT, "pacing"},
        {config->ecn < WEIR_ECN_COUNT, "ecn"},
        {config->rx_max <= 1u << 30, "rx_max"},
        {config->tx_max <= 1u << 30, "tx_max"},
        {config->ack_every >= 1, "ack_every"},
        {config->ttl >= 1, "ttl"},
        {config->dscp <= 63, "dscp"},
        {config->keepalive_count >= 1, "keepalive_count"}, /* MUST-29 */
        {config->rto_initial_us >= 1000, "rto_initial_us"},
        {config->rto_min_us >= 1000, "rto_min_us"},
        {config->rto_max_us >= config->rto_min_us && config->rto_max_us <= 3600 * CONFIG_S, "rto_max_us"},
        {config->ack_delay_us < 500 * CONFIG_MS, "ack_delay_us"}, /* MUST-40 */
        {config->r2_us >= 1000, "r2_us"},
        {config->r2_syn_us >= 1000, "r2_syn_us"},
        {config->keepalive_interval_us >= 1000, "keepalive_interval_us"},
        {config->persist_max_us >= 1000, "persist_max_us"},
        {config->sws_override_us >= 1000 && config->sws_override_us <= CONFIG_S, "sws_override_us"}, /* RFC 9293 3.8.6.2.1 */
        {config->msl_us <= 600 * CONFIG_S, "msl_us"},
        {config->fin_wait_us < WEIR_FOREVER, "fin_wait_us"},
        {config->orphan_us < WEIR_FOREVER, "orphan_us"},
    };
    return config_first(rules, sizeof rules / sizeof rules[0]);
}

static bool config_has_secret(const weir_config *config)
{
    uint8_t any = 0;
    for (unsigned i = 0; i < sizeof config->secret; i++) { /* 16 */
        any |= config->secret[i];
    }
    return any != 0;
}

WEIR_API weir_err weir_config_check(const weir_config *config, const char **field)
{
    const char *bad = config_has_secret(config) ? NULL : "secret";
    weir_err err = bad != NULL ? WEIR_ERR_SECRET : WEIR_ERR_NONE;
    if (bad == NULL && (bad = config_out_of_range(config)) != NULL) {
        err = WEIR_ERR_INVALID;
    }
    if (bad == NULL && (bad = config_left_out(config)) != NULL) {
        err = WEIR_ERR_LEFT_OUT;
    }
    if (field != NULL) {
        *field = bad;
    }
    return err;
}

#undef CONFIG_MS
#undef CONFIG_S
