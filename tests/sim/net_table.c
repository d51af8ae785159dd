/* net_table.c - the named scenarios: tables of runs, each row the median of its repetitions.
 *
 * The figures of Linux that stand beside some were measured over a TUN link with the same impairments, in real time;
 * what they are depends on that machine a little, and they say what there is to reach. */
#include <stdlib.h>
#include <string.h>

#include "net.h"

#define TABLE_REPEATS_MAX 1000u

struct table_row {
    char name[64];
    double goodput[TABLE_REPEATS_MAX], needed, spurious, timeouts, recoveries, lost, extra[TABLE_REPEATS_MAX], queue, jain, filled,
        first_drops, undone;
};

struct table {
    const char *name, *about;
    void (*defaults)(struct net_settings *s);
    bool (*run)(struct net_settings *s);
};

/* ---- running ---- */

static int table_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double table_median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, table_compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static uint32_t table_round, table_rounds;
static uint64_t table_hash;
static bool table_first; /* nothing is in the JSON list yet */

static void table_begin(const struct net_settings *s, uint32_t rows, const char *head)
{
    table_round = 0;
    table_rounds = rows * s->repeats;
    table_hash = 0;
    table_first = true;
    if (s->json) {
        printf("{\"scenario\":\"%s\",\"runs\":[", s->scenario);
    } else {
        printf("%s\n", head);
    }
}

static bool table_end(const struct net_settings *s)
{
    if (s->json) {
        printf("],\"hash\":\"%016llx\"}\n", (unsigned long long)table_hash);
    } else {
        printf("trace hash %016llx\n", (unsigned long long)table_hash);
    }
    return true;
}

static bool table_one(const struct net_settings *row, const char *name, struct net_result *r)
{
    struct net_run_options o = row->run;

    o.round = table_round++;
    o.rounds = table_rounds;
    if (!net_run(&row->plan, &o, r)) {
        fprintf(stderr, "weir-sim: %s, seed %llu: %s\n", name, (unsigned long long)row->plan.seed, r->why);
        return false;
    }
    table_hash = sim_mix(table_hash ^ r->hash);
    if (row->json) {
        printf("%s{\"row\":\"%s\",\"run\":", table_first ? "" : ",", name);
        net_report_json(stdout, &row->plan, r);
        printf("}");
        table_first = false;
    }
    return true;
}

/* What is told of one run beside the common figures. */
typedef double (*table_extra)(const struct net_settings *s, const struct net_result *r);

static void table_add(struct table_row *t, uint32_t i, const struct net_settings *s, const struct net_result *r)
{
    double share = 1.0 / s->repeats;
    uint32_t f;

    t->goodput[i] = r->goodput_bps / 1e6;
    for (f = 0; f < s->plan.flow_count; f++) {
        const struct net_counts *c = &r->flow[f].counts;

        t->needed += (double)c->needed * share;
        t->spurious += (double)c->spurious * share;
        t->timeouts += (double)c->timeouts * share;
        t->recoveries += (double)c->recoveries * share;
        t->undone += (double)c->undone * share;
        t->lost += (double)(c->lost + c->queue_lost) * share;
    }
    t->queue += (double)net_span_mean(&r->queue) * share;
    t->jain += r->jain * share;
    t->filled += (r->filled_at == NET_NEVER ? -1e6 : (double)r->filled_at / 1e6) * share;
    t->first_drops += (double)r->first_drops * share;
}

/* Runs the row with seeds that follow each other; the counts are means, the rest is in order for the median. */
static bool table_runs(struct net_settings *row, struct table_row *t, const char *name, table_extra extra)
{
    static struct net_result r;
    uint64_t seed = row->plan.seed;
    uint32_t i;

    memset(t, 0, sizeof *t);
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    net_flows_fill(row);
    for (i = 0; i < row->repeats; i++) {
        row->plan.seed = seed + i;
        if (!table_one(row, name, &r)) {
            return false;
        }
        table_add(t, i, row, &r);
        t->extra[i] = extra == NULL ? 0 : extra(row, &r);
    }
    return true;
}

/* ---- bursts ---- */

static void burst_defaults(struct net_settings *s)
{
    s->plan.time_us = 6 * SIM_SECOND;
    s->plan.queue_octets = 1250000; /* 100 ms, as weir-tun's link has it: no other loss disturbs */
    s->window = 262144;
}

static double burst_deficit(const struct net_settings *s, const struct net_result *r)
{
    (void)s;
    return r->event_count != 0 && r->event[r->event_count - 1].measured ? r->event[r->event_count - 1].deficit_ms : -1;
}

static bool burst_run(struct net_settings *s)
{
    static const struct {
        const char *name, *pattern;
        int reno, cubic;
    } rows[] = {{"1 segment", "1@2s", 154, 736},         {"3 in a row", "3@2s", 76, 203},
                {"5, every 2nd of 10", "5/2@2s", 71, 113},   {"30, every 2nd of 60", "30/2@2s", 69, 133},
                {"10, every 10th of 100", "10/10@2s", 28, 105}, {"60 in a row", "60@2s", 68, 104}};
    static struct net_settings row;
    static struct table_row t;
    size_t i;

    table_begin(s, 6,
                "One burst; how many ms of the link's rate are missing in the time after. Linux: reno, cubic.\n"
                "burst                    deficit ms    needed  spurious  timeouts  recoveries   Linux reno   cubic  as good as the better");
    for (i = 0; i < 6; i++) {
        row = *s;
        if (net_parse_burst(&row.plan, rows[i].pattern) != NULL || !table_runs(&row, &t, rows[i].name, burst_deficit)) {
            return false;
        }
        if (!s->json) {
            int goal = rows[i].reno < rows[i].cubic ? rows[i].reno : rows[i].cubic;
            double deficit = table_median(t.extra, s->repeats);

            printf("%-22s %12.1f %9.1f %9.1f %9.1f %11.1f %12d %7d  %s\n", t.name, deficit, t.needed, t.spurious, t.timeouts, t.recoveries,
                   rows[i].reno, rows[i].cubic, deficit <= goal ? "yes" : "no");
        }
    }
    return table_end(s);
}

/* ---- random loss ---- */

static void loss_defaults(struct net_settings *s)
{
    s->plan.time_us = 20 * SIM_SECOND;
    s->repeats = 5;
}

static bool loss_run(struct net_settings *s)
{
    static const struct {
        const char *name;
        uint32_t ppm;
        const char *linux_figures;
    } rows[] = {{"0", 0, "95 / 95 / 89"}, {"0.01 %", 100, "-"}, {"0.1 %", 1000, "21.7 / 19.5 / 90"}, {"1 %", 10000, "6.3 / 5.7 / 46-89"},
                {"3 %", 30000, "3.5 / 2.9 / 39"}};
    static struct net_settings row;
    static struct table_row t;
    size_t i;

    table_begin(s, 5,
                "Random loss; goodput in Mbit/s, median of the seeds. Linux: reno / cubic / bbr.\n"
                "loss      median      min      max    needed  spurious  timeouts  recoveries   Linux");
    for (i = 0; i < 5; i++) {
        row = *s;
        row.plan.loss_ppm = rows[i].ppm;
        if (!table_runs(&row, &t, rows[i].name, NULL)) {
            return false;
        }
        if (!s->json) {
            double median = table_median(t.goodput, s->repeats);

            printf("%-7s %8.2f %8.2f %8.2f %9.1f %9.1f %9.1f %11.1f   %s\n", t.name, median, t.goodput[0], t.goodput[s->repeats - 1], t.needed,
                   t.spurious, t.timeouts, t.recoveries, rows[i].linux_figures);
        }
    }
    return table_end(s);
}

/* ---- fairness ---- */

static void fairness_defaults(struct net_settings *s)
{
    s->plan.time_us = 90 * SIM_SECOND;
    s->plan.warmup_us = 60 * SIM_SECOND;
    s->stagger = 100000;
}

static bool fairness_run(struct net_settings *s)
{
    static const uint32_t flows[] = {2, 4, 16};
    static struct net_settings row;
    static struct table_row t;
    char name[32];
    size_t i;

    table_begin(s, 3,
                "Flows over one bottleneck; measured after the warm-up. As it should be: 0.95 at least.\n"
                "flows   Jain's index   all Mbit/s   queue KiB   lost   spurious  timeouts");
    for (i = 0; i < 3; i++) {
        row = *s;
        row.flows = flows[i];
        (void)snprintf(name, sizeof name, "%u flows", flows[i]);
        if (!table_runs(&row, &t, name, NULL)) {
            return false;
        }
        if (!s->json) {
            printf("%5u %14.4f %12.2f %11.1f %6.0f %10.1f %9.1f  %s\n", flows[i], t.jain, table_median(t.goodput, s->repeats), t.queue / 1024,
                   t.lost, t.spurious, t.timeouts, t.jain >= 0.95 ? "yes" : "no");
        }
    }
    return table_end(s);
}

/* ---- a long fat network ---- */

static void lfn_defaults(struct net_settings *s)
{
    s->plan.rate_bps = 1000000000;
    s->plan.rtt_us = 100000;
    s->plan.time_us = 30 * SIM_SECOND;
}

static bool lfn_run(struct net_settings *s)
{
    static const struct {
        const char *name;
        uint32_t share; /* of rate x rtt, per cent */
    } rows[] = {{"queue of rate x rtt", 100}, {"half of it", 50}, {"a tenth of it", 10}};
    static struct net_settings row;
    static struct table_row t;
    size_t i;

    table_begin(s, 3,
                "A long fat network: when 90 % of the rate is reached first (over 100 ms), and what slow start throws away.\n"
                "queue                  goodput Mbit/s   90 % after s   first drops KiB   lost   needed  spurious  timeouts");
    for (i = 0; i < 3; i++) {
        row = *s;
        if (!net_given(s, "--queue")) {
            row.plan.queue_octets = (uint32_t)(s->plan.rate_bps / 8 * s->plan.rtt_us / SIM_SECOND * rows[i].share / 100);
        }
        if (!table_runs(&row, &t, rows[i].name, NULL)) {
            return false;
        }
        if (!s->json) {
            char filled[32];

            (void)snprintf(filled, sizeof filled, "%.2f", t.filled / 1000);
            printf("%-22s %14.2f %14s %17.0f %6.0f %8.0f %9.1f %9.1f\n", t.name, table_median(t.goodput, s->repeats),
                   t.filled < 0 ? "never" : filled,
                   t.first_drops / 1024, t.lost, t.needed, t.spurious, t.timeouts);
        }
    }
    return table_end(s);
}

/* ---- the end of slow start ---- */

#define OVERSHOOT_ROWS 8u /* round-trip times over an octave: where in a doubling the queue overflows is chance */

static void overshoot_defaults(struct net_settings *s)
{
    s->plan.time_us = 2 * SIM_SECOND;
}

static double overshoot_dropped(const struct net_settings *s, const struct net_result *r)
{
    (void)s;
    return (double)r->first_drops / 1024;
}

/* What slow start throws away, with HyStart++ or without; -1: the run is broken. */
static double overshoot_one(const struct net_settings *s, weir_us rtt_us, bool hystart)
{
    static struct net_settings row;
    static struct table_row t;
    char name[48], rtt[WEIR_AMOUNT_TEXT];

    row = *s;
    row.plan.rtt_us = rtt_us;
    if (!net_given(s, "--queue")) {
        row.plan.queue_octets = (uint32_t)(s->plan.rate_bps / 8 * rtt_us / SIM_SECOND);
    }
    if (row.set_count == NET_TEXTS_MAX) {
        net_usage("--set", "", "given 64 times already");
    }
    row.set[row.set_count++] = hystart ? "hystart=on" : "hystart=off";
    (void)snprintf(name, sizeof name, "rtt %s, %s", weir_format_duration(rtt, rtt_us), hystart ? "on" : "off");
    return table_runs(&row, &t, name, overshoot_dropped) ? table_median(t.extra, s->repeats) : -1;
}

static bool overshoot_run(struct net_settings *s)
{
    static const uint32_t share[OVERSHOOT_ROWS] = {1000, 1091, 1189, 1297, 1414, 1542, 1682, 1834}; /* 2^(i/8), of 1000 */
    double with, without, sum_with = 0, sum_without = 0;
    char rtt[WEIR_AMOUNT_TEXT];
    uint32_t i;

    table_begin(s, 2 * OVERSHOOT_ROWS,
                "What is dropped before the sender notices a loss, KiB, with HyStart++ and without. As it should be: 0.5 at most, of the sums.\n"
                "rtt              with    without   ratio");
    for (i = 0; i < OVERSHOOT_ROWS; i++) {
        weir_us rtt_us = s->plan.rtt_us * share[i] / 1000;

        with = overshoot_one(s, rtt_us, true);
        without = with < 0 ? -1 : overshoot_one(s, rtt_us, false);
        if (without < 0) {
            return false;
        }
        sum_with += with;
        sum_without += without;
        if (!s->json) {
            printf("%-10s %10.0f %10.0f %7.2f\n", weir_format_duration(rtt, rtt_us), with, without, without > 0 ? with / without : 0);
        }
    }
    if (!s->json) {
        printf("%-10s %10.0f %10.0f %7.2f  %s\n", "all", sum_with, sum_without, sum_without > 0 ? sum_with / sum_without : 0,
               sum_with * 2 <= sum_without ? "yes" : "no");
    }
    return table_end(s);
}

/* ---- reordering ---- */

static void reorder_defaults(struct net_settings *s)
{
    s->plan.time_us = 30 * SIM_SECOND;
    s->plan.warmup_us = 10 * SIM_SECOND;
    s->plan.queue_octets = 1250000;
    s->window = 524288; /* more than the path takes, less than the queue: nothing is dropped, what is sent again is spurious */
}

static double reorder_total(const struct net_settings *s, const struct net_result *r)
{
    (void)s;
    return (double)r->flow[0].all.spurious;
}

static bool reorder_run(struct net_settings *s)
{
    static const struct {
        const char *name;
        uint32_t ppm, part; /* held back for rtt / part */
    } rows[] = {{"1 %, 1/16 rtt", 10000, 16}, {"1 %, 1/8 rtt", 10000, 8}, {"1 %, 1/4 rtt", 10000, 4},
                {"10 %, 1/16 rtt", 100000, 16}, {"10 %, 1/8 rtt", 100000, 8}, {"10 %, 1/4 rtt", 100000, 4}};
    static struct net_settings row;
    static struct table_row t;
    size_t i;

    table_begin(s, 6,
                "Reordering without loss; the first column of spurious retransmissions is after the warm-up, and should be 0,\n"
                "and each recovery, for none is needed, is undone.\n"
                "held back       goodput Mbit/s   spurious after   in all  timeouts  recoveries  undone");
    for (i = 0; i < 6; i++) {
        row = *s;
        row.plan.reorder_ppm = rows[i].ppm;
        row.plan.reorder_us = s->plan.rtt_us / rows[i].part;
        if (!table_runs(&row, &t, rows[i].name, reorder_total)) {
            return false;
        }
        if (!s->json) {
            printf("%-15s %14.2f %16.1f %8.1f %9.1f %11.1f %7.1f\n", t.name, table_median(t.goodput, s->repeats), t.spurious,
                   table_median(t.extra, s->repeats), t.timeouts, t.recoveries, t.undone);
        }
    }
    return table_end(s);
}

/* ---- lost tails ---- */

static void tail_defaults(struct net_settings *s)
{
    s->amount = 99912; /* 69 segments: the last is full */
    s->plan.time_us = 60 * SIM_SECOND;
}

static double tail_done(const struct net_settings *s, const struct net_result *r)
{
    (void)s;
    return r->flow[0].done_at == 0 ? -1 : (double)(r->flow[0].done_at - r->flow[0].start) / 1000;
}

static bool tail_run(struct net_settings *s)
{
    static const uint32_t lost[] = {0, 1, 2, 3, 5, 10};
    static struct net_settings row;
    static struct table_row t;
    double clean = 0, rtt = (double)s->plan.rtt_us / 1000;
    char name[48], pattern[64];
    size_t i;

    table_begin(s, 6,
                "The last segments of a transfer are lost; what that costs. As it should be: a probe, about 2 round trips, and no timeout.\n"
                "lost                   done after ms   costs ms   in rtt   needed  spurious  timeouts");
    for (i = 0; i < 6; i++) {
        uint64_t octets = (uint64_t)lost[i] * 1448;

        row = *s;
        (void)snprintf(pattern, sizeof pattern, "%u@%lluoctets", lost[i], (unsigned long long)(octets < s->amount ? s->amount - octets : 0));
        (void)snprintf(name, sizeof name, lost[i] == 0 ? "none" : "the last %u", lost[i]);
        if ((lost[i] != 0 && net_parse_burst(&row.plan, pattern) != NULL) || !table_runs(&row, &t, name, tail_done)) {
            return false;
        }
        clean = i == 0 ? table_median(t.extra, s->repeats) : clean;
        if (!s->json) {
            double done = table_median(t.extra, s->repeats);

            printf("%-22s %13.2f %10.2f %8.2f %8.1f %9.1f %9.1f\n", t.name, done, done - clean, rtt > 0 ? (done - clean) / rtt : 0, t.needed,
                   t.spurious, t.timeouts);
        }
    }
    return table_end(s);
}

/* ---- rings that grow ---- */

static void autotune_defaults(struct net_settings *s)
{
    s->plan.time_us = 12 * SIM_SECOND;
    s->plan.warmup_us = 4 * SIM_SECOND;
}

static double autotune_receive_ring(const struct net_settings *s, const struct net_result *r)
{
    (void)s;
    return (double)r->flow[0].ring[1] / 1024;
}

static bool autotune_run(struct net_settings *s)
{
    static const struct {
        const char *name;
        uint64_t rate;
        weir_us rtt;
        uint64_t window, most, read;
    } rows[] = {{"1 Gbit/s, 100 ms, 64 KiB", 1000000000, 100000, 65536, 0, 0},
                {"  up to 64 MiB", 1000000000, 100000, 65536, 1u << 26, 0},
                {"  64 MiB at once", 1000000000, 100000, 1u << 26, 0, 0},
                {"  up to 64 MiB, 20 Mbit/s read", 1000000000, 100000, 65536, 1u << 26, 20000000},
                {"  up to 64 MiB, 1 Mbit/s read", 1000000000, 100000, 65536, 1u << 26, 1000000},
                {"100 Mbit/s, 20 ms, up to 64 MiB", 100000000, 20000, 65536, 1u << 26, 0},
                {"10 Mbit/s, 5 ms, up to 64 MiB", 10000000, 5000, 65536, 1u << 26, 0}};
    static struct net_settings row;
    static struct table_row t;
    size_t i;

    table_begin(s, sizeof rows / sizeof rows[0],
                "Rings that grow: goodput after the warm-up, when 90 % of the rate is reached first, and how large the receive ring became.\n"
                "rings                              goodput Mbit/s   of the rate   90 % after s   receive ring KiB");
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        row = *s;
        row.plan.rate_bps = rows[i].rate;
        row.plan.rtt_us = rows[i].rtt;
        row.window = rows[i].window;
        row.window_max = rows[i].most;
        row.read_bps = rows[i].read;
        if (!table_runs(&row, &t, rows[i].name, autotune_receive_ring)) {
            return false;
        }
        if (!s->json) {
            double goodput = table_median(t.goodput, s->repeats);
            char filled[32];

            (void)snprintf(filled, sizeof filled, "%.2f", t.filled / 1000);
            printf("%-34s %14.2f %11.1f %% %14s %18.0f\n", t.name, goodput, goodput * 1e8 / (double)rows[i].rate,
                   t.filled < 0 ? "never" : filled, table_median(t.extra, s->repeats));
        }
    }
    return table_end(s);
}

/* ---- the list ---- */

static const struct table tables[] = {
    {"burst-table", "one burst of losses inside a window of 256 KiB, 100 Mbit/s, 20 ms", burst_defaults, burst_run},
    {"loss-table", "random loss of 0 to 3 %, 100 Mbit/s, 20 ms", loss_defaults, loss_run},
    {"fairness", "2, 4 and 16 flows, the last 30 of 90 seconds", fairness_defaults, fairness_run},
    {"lfn", "1 Gbit/s, 100 ms", lfn_defaults, lfn_run},
    {"overshoot", "the end of slow start, with HyStart++ and without", overshoot_defaults, overshoot_run},
    {"reorder", "reordering of up to a quarter of the round trip, no loss", reorder_defaults, reorder_run},
    {"autotune", "rings of 64 KiB that may grow to 64 MiB, on three paths, with fast and slow readers", autotune_defaults, autotune_run},
    {"tail-loss", "the last segments of a transfer are lost", tail_defaults, tail_run},
};

static const struct table *table_find(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (strcmp(tables[i].name, name) == 0) {
            return &tables[i];
        }
    }
    return NULL;
}

bool net_table_defaults(struct net_settings *s)
{
    const struct table *t = table_find(s->scenario);

    if (t != NULL) {
        t->defaults(s);
    }
    return t != NULL || strcmp(s->scenario, "list") == 0;
}

int net_table_run(struct net_settings *s)
{
    const struct table *t = table_find(s->scenario);
    size_t i;

    if (t != NULL) {
        return t->run(s) ? 0 : 1;
    }
    for (i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        printf("%-12s %s\n", tables[i].name, tables[i].about);
    }
    return 0;
}
