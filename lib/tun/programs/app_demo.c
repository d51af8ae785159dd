/* app_demo.c - `weir-tun demo`: curl fetches and sends files through weir, over a clean link and over a bad one; the sums at
 * both ends are compared by sha256sum.
 *
 * Each part is an ordinary `weir-tun http --unshare` in a process of its own, with a function of this file where a command
 * after -- would be. What knows files and other programs is demo_tools.c. */
#define _GNU_SOURCE
#include "tun/programs/demo_tools.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEMO_MIB (UINT64_C(1) << 20)
/* One connection under 2% loss and 40 ms gets little more than 2 Mbit/s from NewReno: cwnd is about 1.2 / sqrt(p) segments
 * (RFC 5681 with Mathis' formula). So the bad link carries several at once. */
#define DEMO_LANES 32
#define DEMO_IMPAIRMENT "--loss=2%", "--reorder=2%", "--dup=1%", "--corrupt=0.5%", "--delay=20ms"

struct demo {
    struct demo_place place;
    unsigned shrink; /* sizes are divided by this */
};

/* ---- one transfer ---- */

struct demo_transfer {
    const char *how, *name;
    const char *addr_variable; /* WEIR_ADDR or WEIR_ADDR6 */
    uint64_t len;
    unsigned lanes;
    bool upload;
};

static void demo_url(char url[256], const struct demo_transfer *t, const char *name)
{
    const char *addr = getenv(t->addr_variable);
    bool v6 = addr != NULL && strchr(addr, ':') != NULL;
    (void)snprintf(url, 256, "http://%s%s%s/%s", v6 ? "[" : "", addr != NULL ? addr : "", v6 ? "]" : "", name);
}

/* Starts the curl of one lane. Downloads take a range of the one file; uploads are files of their own. */
static bool demo_lane(const struct demo *demo, const struct demo_transfer *t, unsigned lane, struct demo_jobs *jobs)
{
    char url[256], name[64], range[64], path[DEMO_PATH];
    uint64_t from = t->len / t->lanes * lane, to = lane + 1 == t->lanes ? t->len : t->len / t->lanes * (lane + 1);
    (void)snprintf(name, sizeof name, "%s.%02u", t->name, lane);
    (void)snprintf(range, sizeof range, "%llu-%llu", (unsigned long long)from, (unsigned long long)to - 1);
    demo_path(path, &demo->place, DEMO_MINE, name);
    demo_url(url, t, t->upload ? name : t->name);
    const char *const get[] = {"curl", "-sS", "--fail", "--noproxy", "*", "--max-time", "110",
                               "-r",   range, "-o",     path,        url, NULL};
    const char *const put[] = {"curl", "-sS", "--fail", "--noproxy", "*", "--max-time", "110", "-T", path, url, NULL};
    return demo_job_start(jobs, t->upload ? put : get);
}

/* Makes what is to be sent: for downloads one file at weir's end, for uploads one file a lane at ours. */
static bool demo_prepare(const struct demo *demo, const struct demo_transfer *t)
{
    char path[DEMO_PATH], name[64];
    bool fine = true;
    if (!t->upload) {
        demo_path(path, &demo->place, DEMO_SITE, t->name);
        return demo_make_file(path, t->name, 0, t->len);
    }
    for (unsigned lane = 0; lane < t->lanes && fine; lane++) {
        uint64_t from = t->len / t->lanes * lane, to = lane + 1 == t->lanes ? t->len : t->len / t->lanes * (lane + 1);
        (void)snprintf(name, sizeof name, "%s.%02u", t->name, lane);
        demo_path(path, &demo->place, DEMO_MINE, name);
        fine = demo_make_file(path, t->name, from, to - from);
    }
    return fine;
}

static bool demo_compare(const struct demo *demo, const struct demo_transfer *t, char sums[2][65])
{
    struct demo_sum sides[2] = {{.where = DEMO_SITE, .name = t->name, .pieces = t->upload ? t->lanes : 0},
                                {.where = DEMO_MINE, .name = t->name, .pieces = t->lanes}};
    return demo_sums(&demo->place, sides, sums) && strcmp(sums[0], sums[1]) == 0;
}

static bool demo_transfer(const struct demo *demo, const struct demo_transfer *t)
{
    struct demo_jobs jobs = {.count = 0};
    char sums[2][65] = {"", ""}, rate[WEIR_AMOUNT_TEXT], took[WEIR_AMOUNT_TEXT], amount[WEIR_AMOUNT_TEXT], title[96];
    struct demo_progress progress = {
        .title = title, .len = t->len, .where = t->upload ? DEMO_SITE : DEMO_MINE, .name = t->name};
    (void)snprintf(title, sizeof title, "%s %s over %s", t->upload ? "PUT" : "GET", weir_format_octets(amount, t->len),
                   t->how);
    demo_progress_show(&demo->place, &progress, "preparing");
    bool fine = demo_prepare(demo, t);
    progress.begun_at = weir_tun_now();
    for (unsigned lane = 0; lane < t->lanes && fine; lane++)
        fine = demo_lane(demo, t, lane, &jobs);
    fine = demo_jobs_wait(&demo->place, &jobs, &progress) && fine;
    weir_us us = weir_tun_now() - progress.begun_at;
    demo_progress_show(&demo->place, &progress, "comparing");
    bool equal = fine && demo_compare(demo, t, sums);
    demo_progress_clear(&demo->place);
    (void)printf("  %-34s %8s  %14s  sha256 %.12s %s %.12s\n", title, weir_format_duration(took, us),
                 weir_format_rate(rate, us == 0 ? 0 : (uint64_t)((double)t->len * 8e6 / (double)us)), sums[1],
                 equal ? "=" : "DIFFERS FROM", sums[0]);
    (void)fflush(stdout);
    demo_clear(&demo->place);
    return equal;
}

/* ---- the parts, run inside the namespace ---- */

static int demo_transfers(const struct demo *demo, const struct demo_transfer *rows, size_t count)
{
    uint64_t retransmitted = 0;
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++) {
        struct demo_transfer t = rows[i];
        t.len /= demo->shrink;
        fine = demo_transfer(demo, &t);
    }
    if (demo_kernel_retransmitted(&retransmitted))
        (void)printf("  the kernel retransmitted %llu segments", (unsigned long long)retransmitted);
    (void)fflush(stdout);
    return fine ? EXIT_FINE : EXIT_FAILED;
}

static int demo_clean(void *argument)
{
    static const struct demo_transfer rows[] = {
        {"IPv4", "one", "WEIR_ADDR", 1024 * DEMO_MIB, 1, false},
        {"IPv6", "two", "WEIR_ADDR6", 256 * DEMO_MIB, 1, false},
        {"IPv4", "three", "WEIR_ADDR", 256 * DEMO_MIB, 1, true},
    };
    return demo_transfers(argument, rows, sizeof rows / sizeof *rows);
}

static int demo_bad(void *argument)
{
    static const struct demo_transfer rows[] = {
        {"32 connections", "four", "WEIR_ADDR", 64 * DEMO_MIB, DEMO_LANES, false},
        {"32 connections", "five", "WEIR_ADDR", 64 * DEMO_MIB, DEMO_LANES, true},
    };
    return demo_transfers(argument, rows, sizeof rows / sizeof *rows);
}

static void demo_link_line(const char *way, const weir_link_stats *link)
{
    if (link->pushed != 0)
        (void)printf("  %s: %llu packets; %llu lost, %llu overtaken, %llu twice, %llu corrupted\n", way,
                     (unsigned long long)link->pushed, (unsigned long long)link->lost,
                     (unsigned long long)link->reordered, (unsigned long long)link->duplicated,
                     (unsigned long long)link->corrupted);
}

/* In the process of weir, when a part is over: it finishes the line that the other process began. */
static void demo_report(struct instance *in)
{
    const struct totals *t = &in->totals;
    char text[2][WEIR_ENDPOINT_TEXT], took[WEIR_AMOUNT_TEXT];
    weir_tun_stats device;
    weir_tun_get_stats(in->tun, &device);
    (void)printf(", weir %llu; %llu timeouts\n", (unsigned long long)weir_stack_stats(in->stack)->retransmitted,
                 (unsigned long long)t->timeouts);
    demo_link_line("into weir  ", &device.in);
    demo_link_line("out of weir", &device.out);
    (void)printf("  the busiest of %llu connections: %s - %s, %s\n    ", (unsigned long long)t->sessions,
                 weir_format_endpoint(text[0], &t->largest_tuple.local, t->largest_tuple.local_port),
                 weir_format_endpoint(text[1], &t->largest_tuple.remote, t->largest_tuple.remote_port),
                 weir_format_duration(took, t->largest_us));
    print_info(stdout, &t->largest);
    (void)fflush(stdout);
}

/* Runs one part in a process of its own, since a process can go into a namespace and give up privileges once. */
static int demo_part(struct demo *demo, const char *const *words, int (*inside)(void *))
{
    char *copy[DEMO_WORDS_MAX];
    struct options options;
    struct app app = app_http;
    char why[512];
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        demo_signals_default();
        app.report = demo_report;
        if (!options_read(&options, demo_words(copy, words), copy, why, sizeof why)) {
            complain("%s", why);
            _exit(EXIT_FAILED);
        }
        int status = run_app_with(&options, &app, inside, demo);
        (void)fflush(NULL);
        _exit(status);
    }
    return child < 0 ? EXIT_FAILED : demo_wait(child);
}

static int demo_parts(struct demo *demo)
{
    char site[DEMO_PATH];
    demo_path(site, &demo->place, DEMO_SITE, "");
    const char *const clean[] = {"weir-tun",    "http",          "--unshare",        "-q", "--seed=1",
                                 "--sndbuf=1M", "--rcvbuf=512K", "--connections=64", site, NULL};
    const char *const bad[] = {"weir-tun",          "http",          "--unshare", "-q", "--seed=1",
                               "--connections=256", DEMO_IMPAIRMENT, site,        NULL};
    (void)printf("A clean link, curl over the kernel's TCP on the other side:\n");
    int status = demo_part(demo, clean, demo_clean);
    if (status != EXIT_FINE)
        return status;
    (void)printf("A bad link, each way --loss 2%% --reorder 2%% --dup 1%% --corrupt 0.5%% --delay 20ms:\n"
                 "  (one connection would get some 2 Mbit/s of it, by the rules of congestion control (RFC 5681): %u "
                 "share the work)\n",
                 DEMO_LANES);
    return demo_part(demo, bad, demo_bad);
}

int demo_main(const struct options *options)
{
    struct demo demo = {.shrink = options->quick ? 32 : 1};
    weir_us begun_at = weir_tun_now();
    weir_fault fault;
    char took[WEIR_AMOUNT_TEXT];
    if (!weir_tun_check(WEIR_CHECK_UNSHARE, &fault)) {
        complain("%s", fault.text);
        return (int)fault.kind;
    }
    if (!demo_tools_found())
        return EXIT_CANNOT;
    demo_signals_block();
    if (!demo_place_make(&demo.place, 2300 * DEMO_MIB / demo.shrink))
        return EXIT_CANNOT;
    (void)printf("weir-tun " WEIR_VERSION " in a network namespace and a TUN device of its own%s\n",
                 options->quick ? "; --quick: a 32nd of the sizes" : "");
    int status = demo_parts(&demo);
    demo_place_remove(&demo.place);
    (void)printf("%s %s.\n",
                 status == EXIT_FINE ? "All equal, in"
                 : status > 128      ? "Stopped after"
                                     : "Failed after",
                 weir_format_duration(took, weir_tun_now() - begun_at));
    return status;
}
