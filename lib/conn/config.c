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
    config->halve_cwnd = WEIR_WITH_HALVE_CWND;
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

/* What a field is called, for people. */
#if WEIR_WITH_NAMES
#define CONFIG_NAME(field) (field)
#else
#define CONFIG_NAME(field) "configuration"
#endif

#if WEIR_WITH_RANGES
/* The range of one field; of times in microseconds, where UINT32_MAX is any. */
struct config_range {
    uint8_t at, size;
    uint32_t least, most;
#if WEIR_WITH_NAMES
    const char *name;
#endif
};
#if WEIR_WITH_NAMES
#define CONFIG_RANGE(field, least, most) {offsetof(weir_config, field), sizeof(((weir_config *)0)->field), least, most, #field}
#else
#define CONFIG_RANGE(field, least, most) {offsetof(weir_config, field), sizeof(((weir_config *)0)->field), least, most}
#endif
static const struct config_range config_ranges[] = {
    CONFIG_RANGE(mtu, 576 - 148, UINT16_MAX), /* room for 60 octets of IP, 60 of TCP and some text; RFC 791 asks 68 of every link */
    CONFIG_RANGE(mss_min, 64, 536),           /* options take 40 of it; 536 is what everyone may assume */
    CONFIG_RANGE(cc, 0, WEIR_CC_COUNT - 1),
    CONFIG_RANGE(pacing, 0, WEIR_PACING_COUNT - 1),
    CONFIG_RANGE(ecn, 0, WEIR_ECN_COUNT - 1),
    CONFIG_RANGE(rx_max, 0, UINT32_C(1) << 30),
    CONFIG_RANGE(tx_max, 0, UINT32_C(1) << 30),
    CONFIG_RANGE(ack_every, 1, UINT8_MAX),
    CONFIG_RANGE(ttl, 1, UINT8_MAX),
    CONFIG_RANGE(dscp, 0, 63),
    CONFIG_RANGE(keepalive_count, 1, UINT8_MAX), /* MUST-29 */
    CONFIG_RANGE(rto_initial_us, 1000, UINT32_MAX),
    CONFIG_RANGE(rto_min_us, 1000, UINT32_MAX),
    CONFIG_RANGE(rto_max_us, 0, UINT32_C(3600) * 1000000),
    CONFIG_RANGE(ack_delay_us, 0, 500000 - 1), /* MUST-40 */
    CONFIG_RANGE(r2_us, 1000, UINT32_MAX),
    CONFIG_RANGE(r2_syn_us, 1000, UINT32_MAX),
    CONFIG_RANGE(keepalive_interval_us, 1000, UINT32_MAX),
    CONFIG_RANGE(persist_max_us, 1000, UINT32_MAX),
    CONFIG_RANGE(sws_override_us, 1000, 1000000), /* RFC 9293 3.8.6.2.1 */
    CONFIG_RANGE(msl_us, 0, UINT32_C(600) * 1000000),
};

static uint64_t config_value(const weir_config *config, const struct config_range *r)
{
    const uint8_t *at = (const uint8_t *)config + r->at;
    uint64_t value = *at;
    uint32_t word;
    uint16_t half;
    switch (r->size) {
    case sizeof half: memcpy(&half, at, sizeof half); return half;
    case sizeof word: memcpy(&word, at, sizeof word); return word;
    case sizeof value: memcpy(&value, at, sizeof value); return value;
    default: return value;
    }
}

static const char *config_out_of_range(const weir_config *config)
{
    for (unsigned i = 0; i < sizeof config_ranges / sizeof config_ranges[0]; i++) { /* the table */
        const struct config_range *r = &config_ranges[i];
        uint64_t value = config_value(config, r);
        if (value < r->least || (value > r->most && r->most != UINT32_MAX)) {
#if WEIR_WITH_NAMES
            return r->name;
#else
            return CONFIG_NAME(NULL);
#endif
        }
    }
    return config->gso_max > 0 && config->gso_max < config->mtu    ? CONFIG_NAME("gso_max")
           : config->rto_max_us < config->rto_min_us               ? CONFIG_NAME("rto_max_us")
           : config->fin_wait_us == WEIR_FOREVER                   ? CONFIG_NAME("fin_wait_us")
           : config->orphan_us == WEIR_FOREVER                     ? CONFIG_NAME("orphan_us")
                                                                   : NULL;
}
#else
static const char *config_out_of_range(const weir_config *config)
{
    (void)config;
    return NULL;
}
#endif

/* The first feature that is asked for and was left out. */
static const char *config_left_out(const weir_config *config)
{
    bool cubic = config->cc == WEIR_CC_CUBIC, bbr = config->cc >= WEIR_CC_BBR; /* what no range has refused counts as the last */
    return (!WEIR_WITH_CUBIC && cubic) || (!WEIR_WITH_BBR && bbr)                                       ? CONFIG_NAME("cc")
           : !WEIR_WITH_HYSTART && config->hystart                                                      ? CONFIG_NAME("hystart")
           : !WEIR_WITH_HALVE_CWND && config->halve_cwnd                                                ? CONFIG_NAME("halve_cwnd")
           : !WEIR_WITH_CWV && config->cwv                                                              ? CONFIG_NAME("cwv")
           : !WEIR_WITH_PACING && config->pacing != WEIR_PACING_OFF                                     ? CONFIG_NAME("pacing")
           : !WEIR_WITH_RACK && config->rack                                                            ? CONFIG_NAME("rack")
           : !WEIR_WITH_PRR && config->prr                                                              ? CONFIG_NAME("prr")
           : !WEIR_WITH_UNDO && config->undo                                                            ? CONFIG_NAME("undo")
           : !WEIR_WITH_ECN && config->ecn != WEIR_ECN_OFF                                              ? CONFIG_NAME("ecn")
           : !WEIR_WITH_ECN && config->abe                                                              ? CONFIG_NAME("abe")
           : !WEIR_WITH_TIMESTAMPS && config->timestamps                                                ? CONFIG_NAME("timestamps")
           : !WEIR_WITH_TIMESTAMPS && config->require_timestamps                                        ? CONFIG_NAME("require_timestamps")
           : !WEIR_WITH_WINDOW_SCALE && config->window_scale                                            ? CONFIG_NAME("window_scale")
           : !WEIR_WITH_KEEPALIVE && config->keepalive_idle_us > 0                                      ? CONFIG_NAME("keepalive_idle_us")
           : !WEIR_WITH_GROWTH && config->rx_max > 0                                                    ? CONFIG_NAME("rx_max")
           : !WEIR_WITH_GROWTH && config->tx_max > 0                                                    ? CONFIG_NAME("tx_max")
           : !WEIR_WITH_GSO && config->gso_max > 0                                                      ? CONFIG_NAME("gso_max")
           : !WEIR_WITH_GSO && config->partial_checksum                                                 ? CONFIG_NAME("partial_checksum")
                                                                                                        : NULL;
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
    const char *bad = config_has_secret(config) ? NULL : CONFIG_NAME("secret");
    weir_err err = bad != NULL ? WEIR_ERR_SECRET : WEIR_ERR_NONE;
    if (bad == NULL && (bad = config_out_of_range(config)) != NULL) {
        err = WEIR_ERR_INVALID;
    }
    if (bad == NULL) {
        bad = config_left_out(config);
        err = bad != NULL ? WEIR_ERR_LEFT_OUT : WEIR_ERR_NONE;
    }
    if (field != NULL) {
        *field = bad;
    }
    return err;
}

#undef CONFIG_MS
#undef CONFIG_S
#undef CONFIG_NAME
#undef CONFIG_RANGE
