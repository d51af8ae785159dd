/* settings.c - what scripts say about their host, in weir's words: profiles, sysctls and other commands, socket options.
 *
 * Three answers to a command: it becomes settings; it changes nothing that a script could see, and is passed over; or it is refused
 * by name. Nothing is ever run. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- profiles -------------------------------------------------------------------------------------------------------------------- */

static const struct script_setting settings_rfc[] = { /* weir_config_rfc */
    {.name = "mtu", .value = "1500"},
    {.name = "timestamps", .value = "1"},
    {.name = "require-timestamps", .value = "1"},
    {.name = "sack", .value = "1"},
    {.name = "window-scale", .value = "1"},
    {.name = "nagle", .value = "1"},
    {.name = "initial-window", .value = "0"},
    {.name = "congestion", .value = "reno"},
    {.name = "rack", .value = "0"},
    {.name = "prr", .value = "0"},
    {.name = "undo", .value = "0"},
    {.name = "hystart", .value = "0"},
    {.name = "halve-cwnd", .value = "0"},
    {.name = "cwv", .value = "0"},
    {.name = "pacing", .value = "0"},
    {.name = "ecn", .value = "0"},
    {.name = "abe", .value = "0"},
    {.name = "abc", .value = "0"},
    {.name = "ack-delay", .value = "200ms"},
    {.name = "ack-every", .value = "2"},
    {.name = "quick-acks", .value = "0"},
    {.name = "rto-initial", .value = "1s"},
    {.name = "rto-min", .value = "1s"},
    {.name = "rto-max", .value = "60s"},
    {.name = "r1", .value = "3"},
    {.name = "r2", .value = "900s"},
    {.name = "r2-syn", .value = "180s"},
    {.name = "keepalive-interval", .value = "75s"},
    {.name = "keepalive-count", .value = "9"},
    {.name = "persist-max", .value = "60s"},
    {.name = "msl", .value = "120s"},
    {0}};

static const struct script_setting settings_linux[] = {
    {.name = "mtu", .value = "1500"},
    {.name = "timestamps", .value = "1"},
    {.name = "require-timestamps", .value = "0"},
    {.name = "sack", .value = "1"},
    {.name = "window-scale", .value = "1"},
    {.name = "nagle", .value = "1"},
    {.name = "receive-buffer", .value = "540000"},
    {.name = "receive-buffer-max", .value = "15728640"}, /* window scale 8 */
    {.name = "send-buffer", .value = "4194304"},
    {.name = "initial-window", .value = "10"},
    {.name = "congestion", .value = "cubic"},
    {.name = "rack", .value = "1"},
    {.name = "prr", .value = "1"},
    {.name = "undo", .value = "1"},
    {.name = "hystart", .value = "1"},
    {.name = "halve-cwnd", .value = "1"},
    {.name = "cwv", .value = "0"},
    {.name = "pacing", .value = "0"},
    {.name = "ecn", .value = "0"},
    {.name = "abe", .value = "0"},
    {.name = "ack-delay", .value = "40ms"},
    {.name = "ack-every", .value = "2"},
    {.name = "quick-acks", .value = "16"},
    {.name = "rto-initial", .value = "1s"},
    {.name = "rto-min", .value = "200ms"},
    {.name = "rto-max", .value = "120s"},
    {.name = "r1", .value = "3"},
    {.name = "r2", .value = "924600ms"}, /* tcp_retries2 15 */
    {.name = "r2-syn", .value = "63s"},  /* tcp_syn_retries 5 */
    {.name = "keepalive-interval", .value = "75s"},
    {.name = "keepalive-count", .value = "9"},
    {.name = "persist-max", .value = "120s"},
    {.name = "msl", .value = "30s"},
    {.name = "fin-wait", .value = "60s"},
    {0}};

static const struct script_setting settings_freebsd[] = {
    {.name = "mtu", .value = "1500"},
    {.name = "timestamps", .value = "1"},
    {.name = "require-timestamps", .value = "1"},
    {.name = "sack", .value = "1"},
    {.name = "window-scale", .value = "1"},
    {.name = "nagle", .value = "1"},
    {.name = "receive-buffer", .value = "65536"},
    {.name = "receive-buffer-max", .value = "2097152"}, /* window scale 6 */
    {.name = "send-buffer", .value = "2097152"}, /* it grows up to this */
    {.name = "initial-window", .value = "10"},
    {.name = "congestion", .value = "reno"},
    {.name = "rack", .value = "0"},
    {.name = "prr", .value = "1"},
    {.name = "undo", .value = "0"},
    {.name = "hystart", .value = "0"},
    {.name = "halve-cwnd", .value = "0"},
    {.name = "cwv", .value = "0"},
    {.name = "pacing", .value = "0"},
    {.name = "ecn", .value = "2"},
    {.name = "abe", .value = "0"},
    {.name = "abc", .value = "1"},
    {.name = "ack-delay", .value = "40ms"},
    {.name = "ack-every", .value = "2"},
    {.name = "quick-acks", .value = "0"},
    {.name = "rto-initial", .value = "1s"},
    {.name = "rto-min", .value = "230ms"}, /* 30 ms, and 200 ms of slop */
    {.name = "rto-max", .value = "64s"},
    {.name = "r1", .value = "3"},
    {.name = "r2", .value = "511s"},  /* 12 retransmissions */
    {.name = "r2-syn", .value = "75s"},
    {.name = "keepalive-interval", .value = "75s"},
    {.name = "keepalive-count", .value = "8"},
    {.name = "persist-max", .value = "60s"},
    {.name = "msl", .value = "30s"},
    {.name = "fin-wait", .value = "60s"},
    {0}};

const struct script_setting *settings_profile(const char *profile)
{
    return strcmp(profile, "rfc") == 0 ? settings_rfc
        : strcmp(profile, "linux") == 0 ? settings_linux
        : strcmp(profile, "freebsd") == 0 ? settings_freebsd : NULL;
}

/* ---- one command ----------------------------------------------------------------------------------------------------------------- */

#define SETTINGS_WORDS 64
struct settings_run {
    bool (*apply)(void *self, const char *name, const char *value);
    void *self;
    char *why;
    size_t cap;
    /* The command at hand. */
    const char *words[SETTINGS_WORDS];
    int count;
    const char *into; /* "> file"; NULL */
};

static bool settings_refuse(struct settings_run *r, const char *what, const char *value)
{
    snprintf(r->why, r->cap, "%s%s%s is not supported", what, value[0] != 0 ? "=" : "", value);
    return false;
}

static bool settings_apply(struct settings_run *r, const char *name, const char *value)
{
    return r->apply(r->self, name, value) || settings_refuse(r, name, value);
}

static bool settings_apply_number(struct settings_run *r, const char *name, long long n, const char *unit)
{
    char text[40];
    snprintf(text, sizeof text, "%lld%s", n, unit);
    return settings_apply(r, name, text);
}

/* ---- sysctls --------------------------------------------------------------------------------------------------------------------- */

/* What becomes of a value. With `setting`: it is that, in `unit`. Without: it is passed over, if it is one of `values`, NULL: any. */
struct settings_sysctl {
    const char *name; /* "*" at the end: anything */
    const char *setting, *unit;
    const char *values;
    bool (*special)(struct settings_run *r, const char *value);
};

/* A whole number and nothing else, decimal or 0x. */
static bool settings_number(const char *text, long long *n)
{
    char *end;
    *n = strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return end != text && *end == 0;
}

static bool settings_in(const char *list, const char *word)
{
    size_t len = strlen(word);
    while (*list != 0) {
        size_t n = strcspn(list, " ");
        if (n == len && strncmp(list, word, n) == 0) {
            return true;
        }
        list += n + (list[n] == ' ');
    }
    return false;
}

/* "min default max": the default. */
static bool settings_buffer(struct settings_run *r, const char *setting, const char *value)
{
    long long low, middle;
    if (sscanf(value, "%lld %lld", &low, &middle) != 2) {
        return settings_refuse(r, setting, value);
    }
    return settings_apply_number(r, setting, middle, "");
}

static bool settings_rmem(struct settings_run *r, const char *value)
{
    long long most;
    return settings_buffer(r, "receive-buffer", value) &&
        (sscanf(value, "%*d %*d %lld", &most) != 1 || settings_apply_number(r, "receive-buffer-max", most, ""));
}

static bool settings_wmem(struct settings_run *r, const char *value)
{
    return settings_buffer(r, "send-buffer", value);
}

/* `count` retransmissions, the first after `rto_ms`, doubled up to 120 s: when the connection is given up. */
static bool settings_retries(struct settings_run *r, const char *setting, const char *value, long long rto_ms)
{
    long long count, sum = 0;
    if (!settings_number(value, &count) || count < 0 || count > 255) {
        return settings_refuse(r, setting, value);
    }
    for (long long i = 0; i <= count; i++) {
        sum += rto_ms;
        rto_ms = rto_ms * 2 < 120000 ? rto_ms * 2 : 120000;
    }
    return settings_apply_number(r, setting, sum, "ms");
}

static bool settings_syn_retries(struct settings_run *r, const char *value)
{
    return settings_retries(r, "r2-syn", value, 1000);
}

static bool settings_retries2(struct settings_run *r, const char *value)
{
    return settings_retries(r, "r2", value, 200);
}

static bool settings_algorithm(struct settings_run *r, const char *value)
{
    return settings_apply(r, "congestion", strcmp(value, "newreno") == 0 ? "reno" : value);
}

static bool settings_challenge(struct settings_run *r, const char *value)
{
    long long n;
    if (!settings_number(value, &n) || n < 0) {
        return settings_refuse(r, "tcp_challenge_ack_limit", value);
    }
    return settings_apply_number(r, "challenge-count", n < 255 ? n : 255, "") && settings_apply(r, "challenge-interval", "1s");
}

/* FreeBSD: 1 both options of RFC 7323, 2 the window scale alone, 3 the timestamps alone. */
static bool settings_rfc1323(struct settings_run *r, const char *value)
{
    long long n;
    if (!settings_number(value, &n) || n < 0 || n > 3) {
        return settings_refuse(r, "net.inet.tcp.rfc1323", value);
    }
    return settings_apply(r, "window-scale", n == 1 || n == 2 ? "1" : "0") && settings_apply(r, "timestamps", n == 1 || n == 3 ? "1" : "0");
}

static bool settings_timestamps(struct settings_run *r, const char *value)
{
    return settings_in("0 1 2", value) ? settings_apply(r, "timestamps", value[0] == '0' ? "0" : "1")
        : settings_refuse(r, "net.ipv4.tcp_timestamps", value);
}

static bool settings_delayed_ack(struct settings_run *r, const char *value)
{
    return settings_in("0 1", value) ? settings_apply(r, "ack-every", value[0] == '0' ? "1" : "2")
        : settings_refuse(r, "net.inet.tcp.delayed_ack", value);
}

static bool settings_missing_ts(struct settings_run *r, const char *value)
{
    return settings_in("0 1", value) ? settings_apply(r, "require-timestamps", value[0] == '0' ? "1" : "0")
        : settings_refuse(r, "net.inet.tcp.tolerate_missing_ts", value);
}

#define BECOMES(NAME, SETTING, UNIT) {NAME, SETTING, UNIT, NULL, NULL}
#define PASSES(NAME, VALUES) {NAME, NULL, NULL, VALUES, NULL}
#define SPECIAL(NAME, FUNCTION) {NAME, NULL, NULL, NULL, FUNCTION}
static const struct settings_sysctl settings_sysctls[] = {
    SPECIAL("net.ipv4.tcp_timestamps", settings_timestamps),
    BECOMES("net.ipv4.tcp_sack", "sack", ""),
    BECOMES("net.ipv4.tcp_window_scaling", "window-scale", ""),
    BECOMES("net.ipv4.tcp_ecn", "ecn", ""),
    BECOMES("net.ipv4.tcp_fin_timeout", "fin-wait", "s"),
    BECOMES("net.ipv4.tcp_keepalive_time", "keepalive-idle", "s"),
    BECOMES("net.ipv4.tcp_keepalive_intvl", "keepalive-interval", "s"),
    BECOMES("net.ipv4.tcp_keepalive_probes", "keepalive-count", ""),
    BECOMES("net.ipv4.tcp_retries1", "r1", ""),
    BECOMES("net.ipv4.tcp_rto_min_us", "rto-min", ""),
    BECOMES("net.ipv4.tcp_rto_max_ms", "rto-max", "ms"),
    BECOMES("net.ipv4.tcp_max_syn_backlog", "half-open-max", ""),
    BECOMES("net.ipv4.tcp_max_tw_buckets", "time-wait", ""),
    BECOMES("net.ipv4.ip_default_ttl", "ttl", ""),
    SPECIAL("net.ipv4.tcp_retries2", settings_retries2),
    SPECIAL("net.ipv4.tcp_syn_retries", settings_syn_retries),
    SPECIAL("net.ipv4.tcp_synack_retries", settings_syn_retries),
    SPECIAL("net.ipv4.tcp_rmem", settings_rmem),
    SPECIAL("net.ipv4.tcp_wmem", settings_wmem),
    SPECIAL("net.ipv4.tcp_congestion_control", settings_algorithm),
    SPECIAL("net.ipv4.tcp_challenge_ack_limit", settings_challenge),
    /* What is as weir is, or changes only what a script does not see: bursts, memory, caches. */
    PASSES("net.ipv4.tcp_dsack", "1"),
    PASSES("net.ipv4.tcp_frto", "0"),
    PASSES("net.ipv4.tcp_fack", "0"),
    PASSES("net.ipv4.tcp_reordering", "3"),
    PASSES("net.ipv4.tcp_recovery", "0"),
    PASSES("net.ipv4.tcp_early_retrans", "0"),
    PASSES("net.ipv4.tcp_slow_start_after_idle", "1"),
    PASSES("net.ipv4.tcp_fastopen", "0 1"),
    PASSES("net.ipv4.tcp_fastopen_key", NULL),
    PASSES("net.ipv4.tcp_syncookies", "0 1"),
    PASSES("net.ipv4.tcp_tso_win_divisor", NULL),
    PASSES("net.ipv4.tcp_min_tso_segs", NULL),
    PASSES("net.ipv4.tcp_tso_rtt_log", NULL),
    PASSES("net.ipv4.tcp_pacing_*", NULL),
    PASSES("net.ipv4.tcp_limit_output_bytes", NULL),
    PASSES("net.ipv4.tcp_autocorking", "0"),
    PASSES("net.ipv4.tcp_moderate_rcvbuf", NULL),
    PASSES("net.ipv4.tcp_adv_win_scale", NULL),
    PASSES("net.ipv4.tcp_app_win", NULL),
    PASSES("net.ipv4.tcp_low_latency", NULL),
    PASSES("net.ipv4.tcp_no_metrics_save", NULL),
    PASSES("net.ipv4.tcp_no_ssthresh_metrics_save", NULL),
    PASSES("net.ipv4.tcp_notsent_lowat", "-1 4294967295"),
    PASSES("net.ipv4.tcp_mtu_probing", "0"),
    PASSES("net.ipv4.tcp_tw_reuse", "0 2"),
    PASSES("net.ipv4.tcp_stdurg", "0"),
    PASSES("net.ipv4.tcp_rfc1337", "0"),
    PASSES("net.ipv4.tcp_abort_on_overflow", "0"),
    PASSES("net.ipv4.tcp_invalid_ratelimit", "0"),
    PASSES("net.ipv4.tcp_comp_sack_*", "0"),
    PASSES("net.ipv4.tcp_backlog_ack_defer", NULL),
    PASSES("net.ipv4.tcp_shrink_window", "0"),
    PASSES("net.ipv4.tcp_syn_linear_timeouts", "0"),
    PASSES("net.ipv4.tcp_thin_linear_timeouts", "0"),
    PASSES("net.ipv4.tcp_mem", NULL),
    PASSES("net.ipv4.tcp_available_congestion_control", NULL),
    PASSES("net.ipv4.tcp_allowed_congestion_control", NULL),
    PASSES("net.ipv4.ip_local_port_range", NULL),
    PASSES("net.ipv4.ip_no_pmtu_disc", "0"),
    PASSES("net.ipv4.icmp_ratelimit", NULL),
    PASSES("net.ipv4.conf.*", NULL),
    PASSES("net.ipv4.route.*", NULL),
    PASSES("net.ipv6.conf.*", NULL),
    PASSES("net.core.*", NULL),
    SPECIAL("net.inet.tcp.rfc1323", settings_rfc1323),
    SPECIAL("net.inet.tcp.delayed_ack", settings_delayed_ack),
    SPECIAL("net.inet.tcp.tolerate_missing_ts", settings_missing_ts),
    SPECIAL("net.inet.tcp.cc.algorithm", settings_algorithm),
    BECOMES("net.inet.tcp.sack.enable", "sack", ""),
    BECOMES("net.inet.tcp.ecn.enable", "ecn", ""),
    BECOMES("net.inet.tcp.delacktime", "ack-delay", "ms"),
    BECOMES("net.inet.tcp.initcwnd_segments", "initial-window", ""),
    BECOMES("net.inet.tcp.recvspace", "receive-buffer", ""),
    BECOMES("net.inet.tcp.sendspace", "send-buffer", ""),
    BECOMES("net.inet.tcp.keepidle", "keepalive-idle", "ms"),
    BECOMES("net.inet.tcp.keepintvl", "keepalive-interval", "ms"),
    BECOMES("net.inet.tcp.keepcnt", "keepalive-count", ""),
    BECOMES("net.inet.tcp.keepinit", "r2-syn", "ms"),
    BECOMES("net.inet.tcp.msl", "msl", "ms"),
    BECOMES("net.inet.tcp.finwait2_timeout", "fin-wait", "ms"),
    BECOMES("net.inet.tcp.rexmit_min", "rto-min", "ms"),
    BECOMES("net.inet.tcp.rexmit_initial", "rto-initial", "ms"),
    BECOMES("net.inet.tcp.persmax", "persist-max", "ms"),
    BECOMES("net.inet.ip.ttl", "ttl", ""),
    PASSES("net.inet.tcp.hostcache.*", NULL),
    PASSES("net.inet.tcp.syncache.*", NULL),
    PASSES("net.inet.tcp.syncookies", "0 1"),
    PASSES("net.inet.tcp.syncookies_only", "0"),
    PASSES("net.inet.tcp.recvbuf_*", NULL),
    PASSES("net.inet.tcp.sendbuf_*", NULL),
    PASSES("net.inet.tcp.tso", NULL),
    PASSES("net.inet.tcp.functions_default", "freebsd"),
    PASSES("net.inet.tcp.rfc3042", "1"),
    PASSES("net.inet.tcp.rfc3390", "1"),
    PASSES("net.inet.tcp.rfc6675_pipe", "1"),
    PASSES("net.inet.tcp.always_keepalive", "0"),
    PASSES("net.inet.tcp.blackhole", "0"),
    PASSES("net.inet.tcp.drop_synfin", "0"),
    PASSES("net.inet.tcp.fast_finwait2_recycle", "0"),
    PASSES("net.inet.tcp.rexmit_drop_options", "0"),
    PASSES("net.inet.tcp.insecure_*", "0"),
    PASSES("net.inet.tcp.icmp_may_rst", "1"),
    PASSES("net.inet.tcp.path_mtu_discovery", "1"),
    PASSES("net.inet.tcp.pmtud_blackhole_detection", "0"),
    PASSES("net.inet.tcp.ts_offset_per_conn", NULL),
    PASSES("net.inet.tcp.udp_tunneling_port", "0"),
    PASSES("net.inet.tcp.fastopen.*", "0"),
    PASSES("net.inet.tcp.log_*", NULL),
    PASSES("net.inet.tcp.bb.*", NULL),
    PASSES("net.inet.tcp.per_cpu_timers", NULL),
    PASSES("net.inet.ip.portrange.*", NULL),
    PASSES("net.inet.icmp.*", NULL),
    PASSES("kern.*", NULL),
};

static bool settings_matches(const char *pattern, const char *name)
{
    size_t n = strcspn(pattern, "*");
    return pattern[n] == '*' ? strncmp(pattern, name, n) == 0 : strcmp(pattern, name) == 0;
}

static bool settings_sysctl(struct settings_run *r, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof settings_sysctls / sizeof settings_sysctls[0]; i++) {
        const struct settings_sysctl *s = &settings_sysctls[i];
        long long n;
        if (!settings_matches(s->name, name)) {
            continue;
        }
        if (s->special != NULL) {
            return s->special(r, value);
        }
        if (s->setting != NULL && settings_number(value, &n)) {
            return settings_apply_number(r, s->setting, n, s->unit);
        }
        return (s->setting == NULL && (s->values == NULL || settings_in(s->values, value))) || settings_refuse(r, name, value);
    }
    return settings_refuse(r, name, value);
}

/* /proc/sys/net/ipv4/x or net/ipv4/x or net.ipv4.x, and its value. */
static bool settings_path(struct settings_run *r, const char *path, size_t len, const char *value)
{
    char name[120];
    static const char proc[] = "/proc/sys/";
    if (strncmp(path, proc, sizeof proc - 1) == 0) {
        path += sizeof proc - 1;
        len -= len < sizeof proc - 1 ? len : sizeof proc - 1;
    }
    if (len >= sizeof name) {
        return settings_refuse(r, "a sysctl of that length", "");
    }
    for (size_t i = 0; i < len; i++) {
        name[i] = path[i] == '/' ? '.' : path[i];
    }
    name[len] = 0;
    return settings_sysctl(r, name, value);
}

/* name=value in words `from` and later; words without "=" only ask. */
static bool settings_pairs(struct settings_run *r, int from)
{
    for (int i = from; i < r->count; i++) {
        const char *equals = strchr(r->words[i], '=');
        if (equals != NULL && !settings_path(r, r->words[i], (size_t)(equals - r->words[i]), equals + 1)) {
            return false;
        }
    }
    return true;
}

static bool settings_command_sysctl(struct settings_run *r)
{
    return settings_pairs(r, 1);
}

/* ---- other commands -------------------------------------------------------------------------------------------------------------- */

static bool settings_command_echo(struct settings_run *r)
{
    static const char proc[] = "/proc/sys/";
    if (r->into == NULL || strncmp(r->into, proc, sizeof proc - 1) != 0) {
        return true;
    }
    char value[80] = "";
    for (int i = 1; i < r->count; i++) {
        size_t used = strlen(value);
        snprintf(value + used, sizeof value - used, "%s%s", used > 0 ? " " : "", r->words[i]);
    }
    return settings_path(r, r->into, strlen(r->into), value);
}

/* Of `ip route ...`: what a route says about TCP. Words that come with a value and change nothing are passed over with it. */
static bool settings_route(struct settings_run *r)
{
    for (int i = 2; i < r->count; i++) {
        const char *word = r->words[i];
        if (settings_in("mtu advmss features congctl quickack cwnd ssthresh window rtt hoplimit initrwnd reordering", word)) {
            return settings_refuse(r, "ip route ...", word);
        }
        const char *setting = strcmp(word, "initcwnd") == 0 ? "initial-window" : strcmp(word, "rto_min") == 0 ? "rto-min" : NULL;
        if (setting != NULL && (i + 1 == r->count || !settings_apply(r, setting, r->words[i + 1]))) {
            return i + 1 < r->count ? false : settings_refuse(r, "ip route ...", word);
        }
    }
    return true;
}

/* ip route, ip link set dev tun0 mtu N, ifconfig tun0 mtu N. */
static bool settings_command_ip(struct settings_run *r)
{
    int object = 1;
    while (object < r->count && r->words[object][0] == '-') {
        object++;
    }
    if (object < r->count && settings_in("ro route r", r->words[object])) {
        return settings_route(r);
    }
    for (int i = 1; i + 1 < r->count; i++) {
        if (strcmp(r->words[i], "mtu") == 0) {
            return settings_apply(r, "mtu", r->words[i + 1]);
        }
    }
    return true;
}

/* Queueing on the test interface is passed over; loss, delay and pacing are not. */
static bool settings_command_tc(struct settings_run *r)
{
    for (int i = 1; i < r->count; i++) {
        if (settings_in("netem tbf filter fq", r->words[i])) {
            return settings_refuse(r, "tc", r->words[i]);
        }
    }
    return true;
}

static bool settings_command_nothing(struct settings_run *r)
{
    (void)r;
    return true;
}

static const struct settings_command {
    const char *names;
    bool (*run)(struct settings_run *r);
} settings_commands[] = {
    {"sysctl", settings_command_sysctl},
    {"set_sysctls.py", settings_command_sysctl},
    {"defaults.sh", settings_command_nothing}, /* what it says is the profile of Linux, on which scripts without a head stand */
    {"echo", settings_command_echo},
    {"ip ifconfig", settings_command_ip},
    {"tc", settings_command_tc},
    {"true : set sleep usleep sync ethtool modprobe kldload kldunload sockstat nstat rm mkdir touch date uname exit",
     settings_command_nothing},
};

static bool settings_command(struct settings_run *r)
{
    if (r->count == 0) {
        return true;
    }
    const char *slash = strrchr(r->words[0], '/');
    const char *name = slash != NULL ? slash + 1 : r->words[0];
    if (strncmp(name, "sysctl_restore_", 15) == 0) { /* what set_sysctls.py leaves behind, for the end of a script */
        return true;
    }
    for (size_t i = 0; i < sizeof settings_commands / sizeof settings_commands[0]; i++) {
        if (settings_in(settings_commands[i].names, name)) {
            return settings_commands[i].run(r);
        }
    }
    char what[120];
    snprintf(what, sizeof what, "the command %.100s", name);
    return settings_refuse(r, what, "");
}

/* ---- a line of the shell --------------------------------------------------------------------------------------------------------- */

/* The next word of *at, copied to *room without its quotes; NULL at an operator or the end. */
static const char *settings_word(const char **at, char **room)
{
    const char *in = *at, *word = *room;
    char *out = *room, quote = 0;
    while (*in != 0 && (quote != 0 || strchr(" \t\r\n;&|<>", *in) == NULL)) {
        if (quote == 0 && (*in == '"' || *in == '\'')) {
            quote = *in++;
        } else if (*in == quote) {
            quote = 0;
            in++;
        } else if (*in == '\\' && in[1] != 0) {
            *out = in[1];
            out += in[1] != '\n';
            in += 2;
        } else {
            *out++ = *in++;
        }
    }
    bool none = in == *at;
    *at = in;
    *out++ = 0;
    *room = out;
    return none ? NULL : word;
}

/* After < or >: the file. ">&1" and the number before ">" are no words of the command. */
static void settings_redirection(struct settings_run *r, const char **at, char **room)
{
    bool out = **at == '>';
    bool number = r->count > 0 && (*at)[-1] >= '0' && (*at)[-1] <= '9' && r->words[r->count - 1][1] == 0;
    r->count -= out && number;
    while (**at != 0 && strchr("<>& \t", **at) != NULL) {
        ++*at;
    }
    const char *file = settings_word(at, room);
    if (out && !number) {
        r->into = file;
    }
}

/* One command: its words, up to an operator. */
static bool settings_split(struct settings_run *r, const char **at, char **room)
{
    r->count = 0;
    r->into = NULL;
    for (;;) {
        while (**at == ' ' || **at == '\t' || **at == '\r' || (**at == '\\' && (*at)[1] == '\n')) {
            *at += **at == '\\' ? 2 : 1;
        }
        if (**at == '#') {
            *at += strcspn(*at, "\n");
        }
        if (**at == '<' || **at == '>') {
            settings_redirection(r, at, room);
            continue;
        }
        const char *word = settings_word(at, room);
        if (word == NULL) {
            *at += strspn(*at, "\n;&|");
            return true;
        }
        if (r->count == SETTINGS_WORDS) {
            return settings_refuse(r, "a command of so many words", "");
        }
        r->words[r->count++] = word;
    }
}

bool settings_shell(const char *command, bool (*apply)(void *self, const char *name, const char *value), void *self,
                    char *why, size_t cap)
{
    struct settings_run r = {.apply = apply, .self = self, .why = why, .cap = cap};
    char *room = malloc(2 * strlen(command) + 2); /* every word with its 0: at most an octet each, and one */
    if (room == NULL) {
        return settings_refuse(&r, "a command of that length", "");
    }
    char *out = room;
    bool fine = true;
    while (fine && *command != 0) {
        fine = settings_split(&r, &command, &out) && settings_command(&r);
        out = room;
    }
    free(room);
    return fine;
}

/* ---- socket options -------------------------------------------------------------------------------------------------------------- */

const char *settings_socket_option(const char *level, const char *name, int64_t *scale)
{
    static const struct {
        const char *levels, *option, *setting;
        int64_t scale;
    } options[] = {
        {"SOL_SOCKET", "SO_KEEPALIVE", "keepalive", 1},
        {"SOL_SOCKET", "SO_LINGER", "linger", 1},
        {"SOL_SOCKET", "SO_OOBINLINE", "oob-inline", 1},
        {"SOL_SOCKET", "SO_RCVBUF", "receive-buffer", 1},
        {"SOL_SOCKET", "SO_RCVBUFFORCE", "receive-buffer", 1},
        {"SOL_SOCKET", "SO_SNDBUF", "send-buffer", 1},
        {"SOL_SOCKET", "SO_SNDBUFFORCE", "send-buffer", 1},
        {"SOL_SOCKET", "SO_REUSEADDR", "reuse-address", 1},
        {"SOL_SOCKET", "SO_REUSEPORT", "reuse-address", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_NODELAY", "nodelay", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_CORK", "cork", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_NOPUSH", "cork", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_MAXSEG", "mss", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_QUICKACK", "quickack", 1},
        {"SOL_TCP IPPROTO_TCP", "TCP_USER_TIMEOUT", "user-timeout", 1000},
        {"SOL_TCP IPPROTO_TCP", "TCP_KEEPIDLE", "keepalive-idle", 1000000},
        {"SOL_TCP IPPROTO_TCP", "TCP_KEEPINTVL", "keepalive-interval", 1000000},
        {"SOL_TCP IPPROTO_TCP", "TCP_KEEPCNT", "keepalive-count", 1},
        {"SOL_IP IPPROTO_IP", "IP_TOS", "dscp", -4},
        {"SOL_IPV6 IPPROTO_IPV6", "IPV6_TCLASS", "dscp", -4},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].option, name) == 0 && settings_in(options[i].levels, level)) {
            *scale = options[i].scale;
            return options[i].setting;
        }
    }
    return NULL;
}
