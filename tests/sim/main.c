/* main.c - weir-sim-test: campaigns over many seeds in several processes, or one seed in full detail. Knows nothing of TCP.
 *
 * A worker process runs every n-th seed and reports through a pipe; a shared page says which seed it is at, so that a crash or a
 * hang costs one seed, names it, and the campaign goes on. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "seeds.h"
#include "sim.h"

#define MAIN_JOBS_MAX 64u
#define MAIN_REGRESSIONS (sizeof sim_seeds / sizeof sim_seeds[0])
#define MAIN_FAILURES_SHOWN 20u

struct main_settings {
    struct sim_options options;
    uint64_t first, count;
    uint32_t jobs, patience_s;
    bool one, hash, twice, must_fail, stats;
};

struct main_report { /* what a worker says about one seed; shorter than PIPE_BUF, so whole */
    struct sim_result result;
    enum sim_profile profile;
};

struct main_worker {
    pid_t pid;
    uint64_t next;             /* index of the seed to begin with */
    uint64_t seen;             /* the place last seen by the parent, and when */
    time_t seen_at;
};

struct main_campaign {
    const struct main_settings *settings;
    volatile uint64_t *places; /* shared: which index each worker is at */
    struct main_worker worker[MAIN_JOBS_MAX];
    int pipe[2];
    uint64_t passed, failed, packets, octets, hash;
    weir_us virtual_us, longest_us;
    struct sim_coverage coverage;
    time_t started, shown;
};

static const char *const plant_names[SIM_PLANT_COUNT] = {"none",   "corrupt-fixed", "stall", "reset", "leak",
                                                         "storm", "memory",        "deadline", "hash", "crash"};

const char *sim_plant_name(enum sim_plant plant)
{
    return (unsigned)plant < SIM_PLANT_COUNT ? plant_names[plant] : "?";
}

/* ---- one seed ---- */

static uint64_t main_total(const struct main_settings *s)
{
    return MAIN_REGRESSIONS + s->count;
}

static uint64_t main_seed(const struct main_settings *s, uint64_t index, enum sim_profile *profile)
{
    if (index < MAIN_REGRESSIONS) {
        *profile = sim_seeds[index].profile;
        return sim_seeds[index].seed;
    }
    *profile = s->options.profile;
    return s->first + (index - MAIN_REGRESSIONS);
}

static void main_run(const struct main_settings *s, uint64_t seed, enum sim_profile profile, struct sim_result *result)
{
    struct sim_options options = s->options;
    struct sim_result again;
    uint32_t i;

    options.profile = profile;
    options.repack = false;
    sim_run(&options, seed, result);
    if (s->twice || s->options.repack) {
        options.fill = 0x5a;
        options.repack = s->options.repack;
        options.verbose = false;
        sim_run(&options, seed, &again);
        for (i = 0; i < 3; i++) {
            result->coverage.repacked[i] = again.coverage.repacked[i];
        }
        if (again.hash != result->hash && result->why[0] == 0) {
            (void)snprintf(result->why, sizeof result->why, "two runs differ: %016llx and %016llx",
                           (unsigned long long)result->hash, (unsigned long long)again.hash);
        }
    }
}

static int main_one(const struct main_settings *s)
{
    struct sim_result result;

    main_run(s, s->first, s->options.profile, &result);
    printf("seed %llu: %llu packets, %llu octets, %llu steps, %llu.%06llu s, hash %016llx\n", (unsigned long long)result.seed,
           (unsigned long long)result.packets, (unsigned long long)result.octets, (unsigned long long)result.steps,
           (unsigned long long)(result.virtual_us / SIM_SECOND), (unsigned long long)(result.virtual_us % SIM_SECOND),
           (unsigned long long)result.hash);
    if (result.why[0] != 0) {
        printf("seed %llu: %s\n", (unsigned long long)result.seed, result.why);
    }
    printf("%d passed, %d failed\n", result.why[0] == 0, result.why[0] != 0);
    return result.why[0] != 0;
}

/* ---- workers ---- */

static void worker_loop(struct main_campaign *c, uint32_t job)
{
    struct main_report report;
    uint64_t index;

    memset(&report, 0, sizeof report); /* its padding goes through the pipe too */
    for (index = c->worker[job].next; index < main_total(c->settings); index += c->settings->jobs) {
        uint64_t seed = main_seed(c->settings, index, &report.profile);

        c->places[job] = index;
        main_run(c->settings, seed, report.profile, &report.result);
        if (write(c->pipe[1], &report, sizeof report) != (ssize_t)sizeof report) {
            _exit(1);
        }
    }
    c->places[job] = index;
    _exit(0);
}

static void worker_start(struct main_campaign *c, uint32_t job)
{
    struct main_worker *worker = &c->worker[job];

    c->places[job] = worker->next;
    worker->seen = worker->next;
    worker->seen_at = time(NULL);
    (void)fflush(NULL);
    worker->pid = fork();
    if (worker->pid == 0) {
        (void)close(c->pipe[0]);
        worker_loop(c, job);
    }
    if (worker->pid < 0) {
        fprintf(stderr, "weir-sim-test: cannot start a process: %s\n", strerror(errno));
        exit(1);
    }
}

/* ---- reports ---- */

static void campaign_failure(struct main_campaign *c, uint64_t seed, enum sim_profile profile, const char *why)
{
    const struct sim_options *o = &c->settings->options;

    c->failed++;
    if (c->failed > MAIN_FAILURES_SHOWN) {
        return;
    }
    printf("seed %llu: %s\n    weir-sim-test --seed %llu", (unsigned long long)seed, why, (unsigned long long)seed);
    if (profile != SIM_ANY) {
        printf(" --profile %s", sim_profile_name(profile));
    }
    if (o->plant != SIM_PLANT_NONE) {
        printf(" --plant %s", sim_plant_name(o->plant));
    }
    printf("%s -v\n", c->settings->twice ? " --twice" : "");
    (void)fflush(stdout);
}

static void coverage_add(struct sim_coverage *to, const struct sim_coverage *c)
{
    uint32_t i;

    for (i = 0; i < 4; i++) {
        to->rows[i] |= c->rows[i];
    }
    for (i = 0; i < WEIR_VERDICT_COUNT; i++) {
        to->verdicts[i] += c->verdicts[i];
    }
    to->retransmitted += c->retransmitted;
    to->time_wait_reused += c->time_wait_reused;
    to->attacks += c->attacks;
    to->unpacked += c->unpacked;
    for (i = 0; i < 3; i++) {
        to->repacked[i] += c->repacked[i];
    }
    to->cut += c->cut;
    to->perfect += c->perfect;
    to->pace = c->pace > to->pace ? c->pace : to->pace;
}

static void coverage_print(const struct sim_coverage *c)
{
    uint32_t i;

    for (i = 0; i < WEIR_VERDICT_COUNT; i++) {
        printf("  %-22s %llu\n", weir_verdict_name((enum weir_verdict)i), (unsigned long long)c->verdicts[i]);
    }
    printf("  unpacked %llu, packed in place %llu, too long for it %llu, busy %llu; super-segments %llu\n", (unsigned long long)c->unpacked,
           (unsigned long long)c->repacked[1], (unsigned long long)c->repacked[2], (unsigned long long)c->repacked[0],
           (unsigned long long)c->cut);
    printf("  retransmitted %llu, TIME-WAIT reused %llu, attacks %llu, perfect runs %llu (pace %u%%)\n  rows that never fired:",
           (unsigned long long)c->retransmitted, (unsigned long long)c->time_wait_reused, (unsigned long long)c->attacks,
           (unsigned long long)c->perfect, c->pace);
    for (i = 0; i < weir_row_count(); i++) {
        if ((c->rows[i / 64] >> i % 64 & 1) == 0) {
            printf(" %s", weir_row_name(i));
        }
    }
    printf("\n");
}

static void campaign_report(struct main_campaign *c, const struct main_report *report)
{
    const struct sim_result *r = &report->result;

    if (r->why[0] != 0) {
        campaign_failure(c, r->seed, report->profile, r->why);
    } else {
        c->passed++;
    }
    coverage_add(&c->coverage, &r->coverage);
    c->packets += r->packets;
    c->octets += r->octets;
    c->virtual_us += r->virtual_us;
    c->longest_us = r->virtual_us > c->longest_us ? r->virtual_us : c->longest_us;
    c->hash += sim_mix(r->hash ^ sim_mix(r->seed * SIM_PROFILE_COUNT + report->profile)); /* workers finish in any order */
}

/* A worker that ended without having done all it had to: its seed has failed, the next worker goes on behind it. */
static void campaign_reap(struct main_campaign *c, uint32_t job)
{
    struct main_worker *worker = &c->worker[job];
    enum sim_profile profile;
    uint64_t seed;
    char why[80];
    int status = 0;

    if (worker->pid == 0 || waitpid(worker->pid, &status, WNOHANG) != worker->pid) {
        return;
    }
    worker->pid = 0;
    if (c->places[job] >= main_total(c->settings)) {
        return;
    }
    seed = main_seed(c->settings, c->places[job], &profile);
    (void)snprintf(why, sizeof why, "the process ended with %s %d", WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    campaign_failure(c, seed, profile, why);
    worker->next = c->places[job] + c->settings->jobs;
    worker_start(c, job);
}

static void campaign_watch(struct main_campaign *c, uint32_t job)
{
    struct main_worker *worker = &c->worker[job];
    time_t now = time(NULL);

    if (c->places[job] != worker->seen) {
        worker->seen = c->places[job];
        worker->seen_at = now;
    } else if (worker->pid != 0 && now - worker->seen_at > (time_t)c->settings->patience_s) {
        (void)kill(worker->pid, SIGKILL);
        worker->seen_at = now;
    }
}

static void campaign_progress(struct main_campaign *c, bool last)
{
    time_t now = time(NULL);

    if (!isatty(STDERR_FILENO) || now - c->started < 2 || (now == c->shown && !last)) {
        return;
    }
    c->shown = now;
    fprintf(stderr, "\r%llu of %llu seeds, %llu failed%s", (unsigned long long)(c->passed + c->failed),
            (unsigned long long)main_total(c->settings), (unsigned long long)c->failed, last ? "\n" : " ");
}

/* Reads what is in the pipe; waits up to a second if it is empty. */
static bool campaign_read(struct main_campaign *c, int wait_ms)
{
    struct pollfd fd;
    struct main_report report;

    fd.fd = c->pipe[0];
    fd.events = POLLIN;
    if (poll(&fd, 1, wait_ms) <= 0 || read(c->pipe[0], &report, sizeof report) != (ssize_t)sizeof report) {
        return false;
    }
    campaign_report(c, &report);
    return true;
}

static void campaign_collect(struct main_campaign *c)
{
    uint32_t job, alive = 1;

    while (alive != 0) {
        (void)campaign_read(c, 200);
        for (job = 0, alive = 0; job < c->settings->jobs; job++) {
            campaign_watch(c, job);
            campaign_reap(c, job);
            alive += c->worker[job].pid != 0;
        }
        campaign_progress(c, false);
    }
    while (campaign_read(c, 0)) {
        continue;
    }
}

static int campaign(const struct main_settings *s)
{
    static struct main_campaign c;
    uint32_t job;

    c.settings = s;
    c.started = time(NULL);
    c.places = (volatile uint64_t *)mmap(NULL, MAIN_JOBS_MAX * sizeof *c.places, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c.places == MAP_FAILED || pipe(c.pipe) != 0) {
        fprintf(stderr, "weir-sim-test: cannot set up the campaign: %s\n", strerror(errno));
        return 1;
    }
    for (job = 0; job < s->jobs; job++) {
        c.worker[job].next = job;
        worker_start(&c, job);
    }
    campaign_collect(&c);
    campaign_progress(&c, true);
    printf("%llu packets, %llu octets on the wire, %llu s of virtual time, the longest run %llu s\n", (unsigned long long)c.packets,
           (unsigned long long)c.octets, (unsigned long long)(c.virtual_us / SIM_SECOND),
           (unsigned long long)(c.longest_us / SIM_SECOND));
    if (s->stats) {
        coverage_print(&c.coverage);
    }
    if (s->hash) {
        printf("hash %016llx\n", (unsigned long long)c.hash);
    }
    printf("%llu passed, %llu failed\n", (unsigned long long)c.passed, (unsigned long long)c.failed);
    if (s->must_fail) {
        printf("%s\n", c.failed != 0 ? "the oracles saw the planted fault" : "NO oracle saw the planted fault");
        return c.failed == 0;
    }
    return c.failed != 0 || c.passed + c.failed != main_total(s);
}

/* ---- command line ---- */

static void main_names(const char *what, const char *(*name)(uint32_t), uint32_t count)
{
    uint32_t i;

    printf("%s", what);
    for (i = 0; i < count; i++) {
        printf("%s %s", i == 0 ? "" : ",", name(i));
    }
    printf("\n");
}

static const char *main_profile(uint32_t i)
{
    return sim_profile_name((enum sim_profile)i);
}

static const char *main_plant(uint32_t i)
{
    return sim_plant_name((enum sim_plant)i);
}

static void main_help(void)
{
    printf("usage: weir-sim-test [--seeds N] [--first S] [--jobs J] [--hash] [--twice] [options]\n"
           "       weir-sim-test --seed S [-v] [options]\n"
           "\n"
           "Stacks talk over a seeded network in virtual time; every octet that is read is compared with what was written.\n"
           "\n"
           "  --seeds N        how many seeds; 1000\n"
           "  --first S        the first of them; 1\n"
           "  --jobs J         processes; 1\n"
           "  --hash           print the hash of all runs: the same on every machine\n"
           "  --stats          print what became of packets, and the rows of the state table that never fired\n"
           "  --twice          run each seed twice, the memory filled differently at first, and compare\n"
           "  --seed S         one seed, in this process\n"
           "  -v               print every packet, what users do, and the rows each segment went through\n"
           "  --profile NAME   force a condition\n"
           "  --check-every K  run the invariant checkers every K steps; 1; 0: never\n"
           "  --rest           at every step idle connections lose their rings and are packed until they are needed\n"
           "  --repack         run each seed twice, pack and unpack every idle connection at every step then, and compare\n"
           "  --patience S     seconds after which a seed counts as a hang; 120\n"
           "  --plant NAME     a fault on purpose, which the oracles must find\n"
           "  --must-fail      end with 0 if a seed failed, with 1 if none did: for planted faults\n");
    main_names("profiles:", main_profile, SIM_PROFILE_COUNT);
    main_names("plants:", main_plant, SIM_PLANT_COUNT);
}

static int main_usage(const char *what, const char *argument)
{
    fprintf(stderr, "weir-sim-test: %s: %s; --help shows what there is\n", argument, what);
    exit(2);
}

static uint64_t main_number(const char *option, const char *text)
{
    char *end = NULL;
    uint64_t value;

    if (text == NULL || text[0] < '0' || text[0] > '9') {
        (void)main_usage("needs a number", option);
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != 0 || errno != 0) {
        (void)main_usage("needs a number", option);
    }
    return value;
}

static uint32_t main_bounded(const char *option, const char *text, uint32_t from, uint32_t to)
{
    uint64_t value = main_number(option, text);

    if (value < from || value > to) {
        (void)main_usage("the number is out of range", option);
    }
    return (uint32_t)value;
}

static uint32_t main_choice(const char *option, const char *text, const char *(*name)(uint32_t), uint32_t count)
{
    uint32_t i;

    for (i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, name(i)) == 0) {
            return i;
        }
    }
    (void)main_usage("needs one of the names", option);
    return 0;
}

/* True if the option took an argument. */
static bool main_option(struct main_settings *s, const char *o, const char *value)
{
    if (strcmp(o, "--seeds") == 0) {
        s->count = main_number(o, value);
    } else if (strcmp(o, "--first") == 0) {
        s->first = main_number(o, value);
    } else if (strcmp(o, "--seed") == 0) {
        s->first = main_number(o, value);
        s->one = true;
    } else if (strcmp(o, "--jobs") == 0) {
        s->jobs = main_bounded(o, value, 1, MAIN_JOBS_MAX);
    } else if (strcmp(o, "--check-every") == 0) {
        s->options.check_every = main_bounded(o, value, 0, UINT32_MAX);
    } else if (strcmp(o, "--patience") == 0) {
        s->patience_s = main_bounded(o, value, 1, 86400);
    } else if (strcmp(o, "--profile") == 0) {
        s->options.profile = (enum sim_profile)main_choice(o, value, main_profile, SIM_PROFILE_COUNT);
    } else if (strcmp(o, "--plant") == 0) {
        s->options.plant = (enum sim_plant)main_choice(o, value, main_plant, SIM_PLANT_COUNT);
    } else {
        return false;
    }
    return true;
}

static void main_switch(struct main_settings *s, const char *o)
{
    if (strcmp(o, "--help") == 0 || strcmp(o, "-h") == 0) {
        main_help();
        exit(0);
    } else if (strcmp(o, "-v") == 0) {
        s->options.verbose = true;
    } else if (strcmp(o, "--repack") == 0) {
        s->options.repack = true;
    } else if (strcmp(o, "--rest") == 0) {
        s->options.rest = true;
    } else if (strcmp(o, "--hash") == 0) {
        s->hash = true;
    } else if (strcmp(o, "--stats") == 0) {
        s->stats = true;
    } else if (strcmp(o, "--must-fail") == 0) {
        s->must_fail = true;
    } else if (strcmp(o, "--twice") == 0) {
        s->twice = true;
    } else {
        (void)main_usage("no such option", o);
    }
}

int main(int argc, char **argv)
{
    struct main_settings s;
    int i;

    memset(&s, 0, sizeof s);
    s.first = 1;
    s.count = 1000;
    s.jobs = 1;
    s.patience_s = 120;
    s.options.check_every = 1;
    s.options.fill = 0xa5;
    for (i = 1; i < argc; i++) {
        if (main_option(&s, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            i++;
        } else {
            main_switch(&s, argv[i]);
        }
    }
    if (s.options.plant == SIM_PLANT_HASH) {
        s.twice = true;
    }
    if (s.options.verbose && !s.one) {
        (void)main_usage("goes with --seed", "-v");
    }
    return s.one ? main_one(&s) : campaign(&s);
}
