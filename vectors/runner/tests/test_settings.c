/* test_settings.c - what scripts say about their host: what becomes a setting, what is passed over, what is refused and by which name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario.h"

struct applied {
    char text[2000];
    const char *refuses; /* a name that is not taken */
};

static bool apply(void *self, const char *name, const char *value)
{
    struct applied *a = self;
    size_t used = strlen(a->text);
    snprintf(a->text + used, sizeof a->text - used, "%s%s=%s", used > 0 ? " " : "", name, value);
    return a->refuses == NULL || strcmp(a->refuses, name) != 0;
}

static const struct {
    const char *command;
    const char *applied; /* in order */
    const char *why;     /* NULL: supported */
} rows[] = {
    {"", "", NULL},
    {"sysctl -q net.ipv4.tcp_timestamps=0", "timestamps=0", NULL},
    {"sysctl -w net.ipv4.tcp_timestamps=2 net.ipv4.tcp_sack=0", "timestamps=1 sack=0", NULL},
    {"sysctl -e -q net/ipv4/tcp_window_scaling=1; sysctl -q net.ipv4.tcp_ecn=1 && sysctl net.ipv4.tcp_fin_timeout=20\ntrue",
     "window-scale=1 ecn=1 fin-wait=20s", NULL},
    {"sysctl -q net.ipv4.tcp_keepalive_time=5 \\\n  net.ipv4.tcp_keepalive_intvl=0x10 net.ipv4.tcp_keepalive_probes=3",
     "keepalive-idle=5s keepalive-interval=16s keepalive-count=3", NULL},
    {"sysctl -q net.ipv4.tcp_rmem=\"4096 540000 $((15*1024*1024))\"", "receive-buffer=540000", NULL},
    {"sysctl -q net.ipv4.tcp_wmem='4096 262144\t4194304'", "send-buffer=262144", NULL},
    {"sysctl -q net.ipv4.tcp_syn_retries=5", "r2-syn=63000ms", NULL},
    {"sysctl -q net.ipv4.tcp_synack_retries=0", "r2-syn=1000ms", NULL},
    {"sysctl -q net.ipv4.tcp_retries2=15", "r2=924600ms", NULL},
    {"sysctl -q net.ipv4.tcp_retries1=2 net.ipv4.tcp_congestion_control=reno", "r1=2 congestion=reno", NULL},
    {"sysctl -q net.ipv4.tcp_challenge_ack_limit=1000", "challenge-count=255 challenge-interval=1s", NULL},
    {"../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0 \\\n   /proc/sys/net/ipv4/tcp_min_tso_segs=10", "sack=0", NULL},
    {"echo 0 > /proc/sys/net/ipv4/tcp_sack", "sack=0", NULL},
    {"echo 4096 1000 9999 >/proc/sys/net/ipv4/tcp_rmem 2>/dev/null", "receive-buffer=1000 receive-buffer-max=9999", NULL},
    {"echo 1 2>/dev/null >/proc/sys/net/ipv4/tcp_sack", "sack=1", NULL},
    {"echo 1 2 3 # > /proc/sys/net/ipv4/tcp_sack", "", NULL},
    {"echo hello > /tmp/x; echo world 2>&1", "", NULL},
    {"/tmp/sysctl_restore_${PPID}.sh", "", NULL},
    {"sleep 0; tc qdisc add dev tun0 root pfifo; ip link set dev tun0 up; ethtool -K tun0 tso off; nstat > /dev/null", "", NULL},
    {"ip link set dev tun0 mtu 1280; ifconfig tun0 mtu 900", "mtu=1280 mtu=900", NULL},
    {"ip -6 route change default via ::1 initcwnd 20 rto_min 5ms", "initial-window=20 rto-min=5ms", NULL},
    {"./defaults.sh", "", NULL},
    {"../../common/defaults.sh\nsysctl -q net.ipv4.tcp_sack=0", "sack=0", NULL},
    {"ip tcp_metrics flush all >/dev/null 2>&1", "", NULL},
    {"sysctl -q net.ipv4.tcp_tso_win_divisor=100 net.core.default_qdisc=pfifo net.ipv4.tcp_fack=0 net.ipv4.tcp_recovery=0", "", NULL},
    {"kldload -n tcp_rack; sysctl net.inet.tcp.functions_default=freebsd", "", NULL},
    {"sysctl net.inet.tcp.rfc1323=1; sysctl net.inet.tcp.rfc1323=0", "window-scale=1 timestamps=1 window-scale=0 timestamps=0", NULL},
    {"sysctl net.inet.tcp.rfc1323=3; sysctl net.inet.tcp.rfc1323=2", "window-scale=0 timestamps=1 window-scale=1 timestamps=0", NULL},
    {"sysctl -i net.inet.tcp.msl=100 net.inet.tcp.sack.enable=0 net.inet.tcp.hostcache.purgenow=1", "msl=100ms sack=0", NULL},
    {"sysctl net.inet.tcp.delayed_ack=0 net.inet.tcp.tolerate_missing_ts=1 net.inet.tcp.cc.algorithm=newreno",
     "ack-every=1 require-timestamps=0 congestion=reno", NULL},
    {"sysctl net.ipv4.tcp_sack", "", NULL},

    {"sysctl -q net.ipv4.tcp_sack=1 net.ipv4.tcp_frto=2", "sack=1", "net.ipv4.tcp_frto=2 is not supported"},
    {"sysctl -q net.ipv4.tcp_no_such=1", "", "net.ipv4.tcp_no_such=1 is not supported"},
    {"sysctl -q net.ipv4.tcp_timestamps=3", "", "net.ipv4.tcp_timestamps=3 is not supported"},
    {"sysctl -q net.ipv4.tcp_sack=yes", "", "net.ipv4.tcp_sack=yes is not supported"},
    {"sysctl -q net.ipv4.tcp_sack=", "", "net.ipv4.tcp_sack is not supported"},
    {"sysctl -q net.ipv4.tcp_rmem=5", "", "receive-buffer=5 is not supported"},
    {"sysctl -q net.ipv4.tcp_retries2=999", "", "r2=999 is not supported"},
    {"sysctl -q net.ipv4.tcp_slow_start_after_idle=0", "", "net.ipv4.tcp_slow_start_after_idle=0 is not supported"},
    {"sysctl net.inet.tcp.rfc1323=4", "", "net.inet.tcp.rfc1323=4 is not supported"},
    {"sysctl net.inet.tcp.functions_default=rack", "", "net.inet.tcp.functions_default=rack is not supported"},
    {"echo 7 > /proc/sys/net/ipv4/tcp_mtu_probing", "", "net.ipv4.tcp_mtu_probing=7 is not supported"},
    {"tc qdisc add dev tun0 root netem delay 5ms", "", "tc=netem is not supported"},
    {"tc qdisc replace dev tun0 root fq", "", "tc=fq is not supported"},
    {"ip route add 10.0.0.0/8 dev tun0 mtu lock 900", "", "ip route ...=mtu is not supported"},
    {"ip route add 10.0.0.0/8 initcwnd", "", "ip route ...=initcwnd is not supported"},
    {"nstat | grep TcpRetrans", "", "the command grep is not supported"},
    {"/usr/bin/iptables -A INPUT", "", "the command iptables is not supported"},
    {"tcpdrop -a", "", "the command tcpdrop is not supported"},
    {"\"\" x", "", "the command  is not supported"},
};

static void test_shell(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct applied a = {0};
        char why[200] = "";
        bool fine = settings_shell(rows[i].command, apply, &a, why, sizeof why);
        if (fine != (rows[i].why == NULL) || strcmp(why, fine ? "" : rows[i].why) != 0 || strcmp(a.text, rows[i].applied) != 0) {
            fail_msg("%s\ngave \"%s\" and \"%s\"", rows[i].command, a.text, why);
        }
    }
}

static void test_refused_setting(void **state)
{
    (void)state;
    struct applied a = {.refuses = "ecn"};
    char why[200];
    assert_false(settings_shell("sysctl net.ipv4.tcp_sack=1 net.ipv4.tcp_ecn=1 net.ipv4.tcp_sack=0", apply, &a, why, sizeof why));
    assert_string_equal(why, "ecn=1 is not supported");
    assert_string_equal(a.text, "sack=1 ecn=1");
}

static const char *profile_value(const char *profile, const char *name)
{
    for (const struct script_setting *s = settings_profile(profile); s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0) {
            return s->value;
        }
    }
    return "";
}

static void test_profiles(void **state)
{
    (void)state;
    assert_null(settings_profile("solaris"));
    assert_string_equal(profile_value("rfc", "rto-min"), "1s");
    assert_string_equal(profile_value("rfc", "initial-window"), "0");
    assert_string_equal(profile_value("rfc", "quick-acks"), "0");
    assert_string_equal(profile_value("rfc", "msl"), "120s");
    assert_string_equal(profile_value("linux", "rto-min"), "200ms");
    assert_string_equal(profile_value("linux", "quick-acks"), "16");
    assert_string_equal(profile_value("linux", "initial-window"), "10");
    assert_string_equal(profile_value("linux", "receive-buffer-max"), "15728640");
    assert_string_equal(profile_value("freebsd", "quick-acks"), "0");
    assert_string_equal(profile_value("freebsd", "receive-buffer"), "65536");
}

static void test_socket_options(void **state)
{
    (void)state;
    int64_t scale = 0;
    assert_string_equal(settings_socket_option("SOL_TCP", "TCP_USER_TIMEOUT", &scale), "user-timeout");
    assert_int_equal(scale, 1000);
    assert_string_equal(settings_socket_option("IPPROTO_TCP", "TCP_KEEPIDLE", &scale), "keepalive-idle");
    assert_int_equal(scale, 1000000);
    assert_string_equal(settings_socket_option("IPPROTO_TCP", "TCP_NODELAY", &scale), "nodelay");
    assert_int_equal(scale, 1);
    assert_string_equal(settings_socket_option("SOL_IP", "IP_TOS", &scale), "dscp");
    assert_int_equal(scale, -4);
    assert_null(settings_socket_option("SOL_TCP", "SO_KEEPALIVE", &scale));
    assert_null(settings_socket_option("SOL", "SO_KEEPALIVE", &scale));
    assert_null(settings_socket_option("SOL_SOCKET", "SO_ZEROCOPY", &scale));
}

/* Any text is answered, and no octet outside it is touched. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const units[] = {"\"", "'", "\\", ">", "<", "|", ";", "a ", "a=b ", "sysctl ", "=", "/", "2>", "1 >", "echo x > ", "#", "\\\n", "$(("};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        for (size_t most = 1; most <= 3000; most = most * 3 + 1) {
            char *text = malloc(most + 1), why[30];
            assert_non_null(text);
            for (size_t n = 0; n < most; n++) {
                text[n] = units[i][n % strlen(units[i])];
            }
            text[most] = 0;
            struct applied a = {0};
            settings_shell(text, apply, &a, why, sizeof why);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shell),    cmocka_unit_test(test_refused_setting),
        cmocka_unit_test(test_profiles), cmocka_unit_test(test_socket_options),  cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
