/* run.c - runs the chosen vectors, in processes of their own, and brings home what became of each. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

#define RUN_LIMIT_S 120             /* of one vector, then its process is killed */
#define RUN_REAL_TIME_US 30000000   /* a script that takes longer than this is not run in real time */
#define RUN_QUIET_S 2               /* a run that is shorter shows no progress */

struct run {
    const struct runner_options *options;
    const struct tree *tree;
    struct report *report;
    struct target *target, *connection; /* connection: for vectors that want a bare one, beside weir */
    int *chosen;                        /* index of each case in the tree */
    int finished, bad;
    struct timespec began, told;
};

/* What a worker sends for each vector; the record and the facts follow it. */
struct run_result {
    struct outcome outcome;
    double seconds;
    uint32_t facts_len, line_count;
    struct packet_space space;
    bool has_record, v6;
};

static double run_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec) + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

/* ---- in the worker ---- */

static struct target *run_target(const char *name, char *why, size_t cap)
{
    if (strcmp(name, "weir") == 0) {
        return target_weir_new(why, cap);
    }
    if (strcmp(name, "weir-conn") == 0) {
        return target_conn_new(why, cap);
    }
    return strcmp(name, "kernel") == 0 ? target_kernel_new(why, cap) : target_exec_new(name + strlen("exec:"), why, cap);
}

static bool run_begin(void *self, char *why, size_t cap)
{
    struct run *run = self;
    run->target = run_target(run->options->target, why, cap);
    return run->target != NULL;
}

static void run_end(void *self)
{
    struct run *run = self;
    if (run->target != NULL) {
        run->target->ops->free(run->target);
    }
    if (run->connection != NULL) {
        run->connection->ops->free(run->connection);
    }
    run->target = run->connection = NULL;
}

/* The target that a scenario wants: NULL with an outcome that says why not. */
static struct target *run_choose(struct run *run, const struct script_head *head, struct outcome *outcome)
{
    bool bare = head->api != NULL && strcmp(head->api, "connection") == 0;
    char why[400] = "";
    if (!bare) {
        return run->target;
    }
    if (strcmp(run->options->target, "weir") == 0) {
        if (run->connection == NULL) {
            run->connection = target_conn_new(why, sizeof why);
        }
        if (run->connection == NULL) {
            outcome->strict = outcome->semantic = OUTCOME_DEAD;
            snprintf(outcome->reason, sizeof outcome->reason, "%s", why);
        }
        return run->connection;
    }
    const struct target_ops *ops = run->target->ops;
    if (ops->has != NULL && ops->has(run->target, "connection")) {
        return run->target;
    }
    outcome->strict = outcome->semantic = OUTCOME_UNSUPPORTED;
    snprintf(outcome->reason, sizeof outcome->reason, "needs connection: user calls that sockets cannot make");
    return NULL;
}

static struct script *run_parse(struct run *run, const struct tree_vector *v, struct outcome *outcome)
{
    size_t len;
    struct script_error error = {0};
    char *text = tree_file_text(v->file, &len);
    if (text == NULL) {
        snprintf(error.text, sizeof error.text, "%s: %s", v->file, strerror(errno));
    }
    const struct runner_options *o = run->options;
    struct script *script = text == NULL ? NULL : script_parse(v->file, text, len, o->defines, o->define_count, &error);
    free(text);
    if (script == NULL) {
        outcome->strict = outcome->semantic = OUTCOME_BROKEN;
        outcome->line = error.pos.line;
        snprintf(outcome->reason, sizeof outcome->reason, "%s", error.text);
    }
    return script;
}

static void run_fact(FILE *out, const char *name, int64_t value)
{
    if (value != -1) {
        fprintf(out, " %s %lld", name, (long long)value);
    }
}

/* What the target still says about its connections, after a failure. */
static void run_facts(struct target *target, FILE *out)
{
    for (int socket = 0; socket < 8; socket++) {
        struct target_info i;
        memset(&i, 0xff, sizeof i);
        i.state = NULL;
        if (target->ops->info(target, socket, &i) != 0 || i.state == NULL) {
            continue;
        }
        fprintf(out, "socket %d: %s", socket, i.state);
        run_fact(out, "snd_mss", i.snd_mss);
        run_fact(out, "rcv_mss", i.rcv_mss);
        run_fact(out, "cwnd", i.snd_cwnd);
        run_fact(out, "ssthresh", i.snd_ssthresh);
        run_fact(out, "unacked", i.unacked);
        run_fact(out, "sacked", i.sacked);
        run_fact(out, "lost", i.lost);
        run_fact(out, "retrans", i.retrans);
        run_fact(out, "backoff", i.backoff);
        run_fact(out, "snd_wnd", i.snd_wnd);
        run_fact(out, "rcv_wnd", i.rcv_wnd);
        run_fact(out, "rto_us", i.rto);
        run_fact(out, "rtt_us", i.rtt);
        run_fact(out, "rttvar_us", i.rttvar);
        fputc('\n', out);
    }
}

static void run_scenario(struct run *run, const struct tree_vector *v, struct outcome *outcome, struct record *record, FILE *facts)
{
    struct script *script = run_parse(run, v, outcome);
    struct target *target = script == NULL ? NULL : run_choose(run, &script->head, outcome);
    if (target != NULL) {
        bool real = target->ops->real_time;
        struct scenario_options options = {.profile = run->options->profile, .overrides = run->options->settings,
            .override_count = run->options->setting_count, .tolerance_us = -1, .v6 = run->options->v6, .real_time_limit = real,
            .limit_us = real ? RUN_REAL_TIME_US : 0, .quiet_end = script->head.present};
        bool keep = real || run->options->html != NULL;
        scenario_run(script, target, &options, outcome, keep ? record : NULL);
        bool bad = outcome->strict == OUTCOME_FAIL || outcome->semantic == OUTCOME_FAIL;
        if (bad && !keep) { /* virtual time: the same again, written down */
            struct outcome again = {0};
            scenario_run(script, target, &options, &again, record);
        }
        if (bad) {
            run_facts(target, facts);
        }
    }
    if (script != NULL) {
        script_free(script);
    }
}

static void run_data(struct run *run, const struct tree_vector *v, struct outcome *outcome)
{
    bool own = strncmp(run->options->target, "weir", 4) == 0;
    if (strcmp(run->options->target, "kernel") == 0) {
        outcome->strict = outcome->semantic = OUTCOME_UNSUPPORTED;
        snprintf(outcome->reason, sizeof outcome->reason, "needs functions: those of a kernel cannot be called");
        return;
    }
    vector_run(v->data, v->index, own ? NULL : run->target, outcome);
}

static void run_send(struct jobs_bytes *to, struct run_result *result, const struct record *record, const char *facts)
{
    result->has_record = record->count > 0;
    result->line_count = (uint32_t)record->count;
    result->space = record->space;
    result->v6 = record->v6;
    result->facts_len = (uint32_t)strlen(facts);
    jobs_put(to, result, sizeof *result);
    jobs_put(to, facts, result->facts_len);
    for (int i = 0; i < record->count; i++) {
        const struct record_line *line = &record->lines[i];
        char state[32] = "";
        snprintf(state, sizeof state, "%s", line->state != NULL ? line->state : "");
        jobs_put(to, line, sizeof *line);
        jobs_put(to, state, sizeof state);
        jobs_put(to, line->octets, line->octets != NULL ? line->len : 0);
    }
}

static void run_work(void *self, int index, struct jobs_bytes *to)
{
    struct run *run = self;
    const struct tree_vector *v = &run->tree->vectors[run->chosen[index]];
    struct run_result result = {0};
    struct record record = {0};
    char *text = NULL;
    size_t len = 0;
    FILE *facts = open_memstream(&text, &len);
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    int times = 0;
    do {
        result.outcome = (struct outcome){0};
        if (v->kind == VECTOR_SCENARIO) {
            run_scenario(run, v, &result.outcome, &record, facts);
        } else {
            run_data(run, v, &result.outcome);
        }
        times++;
    } while (times < run->options->repeat && result.outcome.strict == OUTCOME_PASS && record.count == 0);
    result.seconds = run_since(&began) / times;
    fclose(facts);
    run_send(to, &result, &record, text);
    record_free(&record);
    free(text);
}

/* ---- here ---- */

/* The name of a state that lives as long as the program: records point to it. */
static const char *run_state(const char *name)
{
    static char names[32][32];
    static int count;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return names[i];
        }
    }
    if (name[0] == '\0' || count == 32) {
        return NULL;
    }
    snprintf(names[count], sizeof names[count], "%s", name);
    return names[count++];
}

static void run_need(bool good)
{
    if (!good) {
        fputs("weir-vectors: out of memory\n", stderr);
        exit(2);
    }
}

static struct record *run_record(const struct run_result *result, const uint8_t *data)
{
    struct record *record = calloc(1, sizeof *record);
    run_need(record != NULL);
    record->lines = calloc(result->line_count, sizeof *record->lines);
    run_need(record->lines != NULL);
    record->count = record->cap = (int)result->line_count;
    record->space = result->space;
    record->v6 = result->v6;
    for (int i = 0; i < record->count; i++) {
        struct record_line *line = &record->lines[i];
        char state[32];
        memcpy(line, data, sizeof *line);
        memcpy(state, data + sizeof *line, sizeof state);
        data += sizeof *line + sizeof state;
        line->state = run_state(state);
        if (line->octets != NULL) {
            uint8_t *octets = malloc(line->len + 1u);
            run_need(octets != NULL);
            memcpy(octets, data, line->len);
            line->octets = octets;
            data += line->len;
        }
    }
    return record;
}

static void run_collect(void *self, int index, const uint8_t *data, size_t len)
{
    struct run *run = self;
    struct report_case *c = &run->report->cases[index];
    struct run_result result;
    if (len < sizeof result) {
        return;
    }
    memcpy(&result, data, sizeof result);
    data += sizeof result;
    c->outcome = result.outcome;
    c->seconds = result.seconds;
    if (result.facts_len > 0) {
        char *facts = strndup((const char *)data, result.facts_len);
        run_need(facts != NULL);
        c->facts = facts;
    }
    if (result.has_record) {
        c->record = run_record(&result, data + result.facts_len);
    }
    run->finished++;
    enum report_verdict v = report_verdict(c);
    run->bad += v == REPORT_FAIL || v == REPORT_BROKEN || v == REPORT_DEAD || v == REPORT_UNEXPECTED;
}

static void run_dead(void *self, int index, const char *how)
{
    struct run *run = self;
    struct outcome *outcome = &run->report->cases[index].outcome;
    *outcome = (struct outcome){.strict = OUTCOME_DEAD, .semantic = OUTCOME_DEAD};
    snprintf(outcome->reason, sizeof outcome->reason, "%s", how);
    run->finished++;
    run->bad++;
}

/* On a terminal, a run that takes its time says how far it is. */
static void run_tick(void *self)
{
    struct run *run = self;
    if (!isatty(STDERR_FILENO) || run_since(&run->began) < RUN_QUIET_S || run_since(&run->told) < 0.2) {
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &run->told);
    bool last = run->finished == run->report->count;
    fprintf(stderr, "\r%d of %d vectors, %d bad%s", run->finished, run->report->count, run->bad, last ? "\r\033[K" : "");
    fflush(stderr);
}

static void run_cases(struct run *run, const struct known *known)
{
    for (int i = 0; i < run->tree->count; i++) {
        if (!run->tree->vectors[i].chosen) {
            continue;
        }
        struct report_case *c = report_add(run->report);
        tree_describe(run->tree, i, c);
        c->strict = run->options->strict;
        const struct known_entry *entry = known_find(known, c->id);
        c->known = entry != NULL;
        c->known_reason = entry != NULL ? entry->reason : NULL;
        run->chosen[run->report->count - 1] = i;
    }
}

/* Is there such a target at all? What a worker would be told is told here, once. */
static bool run_try(struct run *run, char *why, size_t cap)
{
    if (!run_begin(run, why, cap)) {
        return false;
    }
    run->report->target_detail = run->target->ops->name;
    run_end(run);
    return true;
}

bool run_vectors(const struct runner_options *o, const struct tree *t, const struct known *known, struct report *report,
                 char *why, size_t cap)
{
    struct run run = {.options = o, .tree = t, .report = report};
    run.chosen = calloc((size_t)t->count + 1, sizeof *run.chosen);
    run_need(run.chosen != NULL);
    run_cases(&run, known);
    clock_gettime(CLOCK_MONOTONIC, &run.began);
    run.told = run.began;
    struct jobs jobs = {.count = report->count, .workers = o->jobs, .limit_seconds = RUN_LIMIT_S, .self = &run, .begin = run_begin,
        .work = run_work, .end = run_end, .collect = run_collect, .dead = run_dead, .tick = run_tick};
    bool good = run_try(&run, why, cap) && jobs_run(&jobs, why, cap);
    report->seconds = run_since(&run.began);
    free(run.chosen);
    return good;
}
