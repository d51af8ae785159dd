/* options.c - the command line of weir-vectors. Knows no vector. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

static const char usage_text[] =
    "usage: weir-vectors [run] [OPTION]... [PATH|ID]...    run vectors: all, or those named; an ID also stands for all below it\n"
    "       weir-vectors explain ...                       draw a scenario as a ladder (see weir-vectors explain --help)\n"
    "       weir-vectors check [-D NAME[=VALUE]]... FILE... read files, run nothing\n"
    "       weir-vectors rows [OPTION]...                  rows of weir's state table: named by a vector, and fired by it\n"
    "\n"
    "  --target weir|weir-conn|kernel|exec:CMD   who is tested (weir)\n"
    "  --profile rfc|linux|freebsd   what scripts take for granted; else rfc for vectors with a head, linux for bare scripts\n"
    "  --run GLOB                    only ids that match (may be given again)\n"
    "  --kind segment|function|scenario   only this kind (may be given again)\n"
    "  --vectors DIR                 where all vectors are (else $WEIR_VECTORS, else those this program came with)\n"
    "  --set NAME=VALUE              a setting, over the vector's own\n"
    "  -D NAME[=VALUE]               define a symbol of the scripts\n"
    "  --ipv6                        scenarios over IPv6\n"
    "  --strict                      what is right in meaning only fails too\n"
    "  --known-failures FILE         ID and reason a line: a listed vector must fail, any other must not\n"
    "  --shard I/N                   the I-th of N parts\n"
    "  --jobs N                      processes at work (as many as CPUs); 0: in this process\n"
    "  --repeat N                    each N times, and how many a second\n"
    "  --list [--json]               name the vectors, run none\n"
    "  --tap                         TAP 13 instead of the table\n"
    "  --junit FILE  --json FILE     reports for machines\n"
    "  --html DIR                    a report to look at, with a page and a capture file for each scenario\n"
    "  --rows  --rows-gate           rows of the state table after the run; fail where one is not shown\n"
    "  --verbose                     every vector by name\n"
    "  --help  --version\n"
    "\n"
    "Exit: 0 all as it should be, 1 failures, 2 a broken vector, list or adapter, or a wrong command line.\n";

enum {
    OPT_TARGET = 256, OPT_PROFILE, OPT_RUN, OPT_KIND, OPT_VECTORS, OPT_SET, OPT_IPV6, OPT_STRICT, OPT_KNOWN, OPT_SHARD, OPT_JOBS,
    OPT_REPEAT, OPT_LIST, OPT_TAP, OPT_JUNIT, OPT_JSON, OPT_HTML, OPT_ROWS, OPT_ROWS_GATE, OPT_VERBOSE, OPT_VERSION
};

static bool options_bad(const char *what, const char *value)
{
    fprintf(stderr, "weir-vectors: %s '%s' (see weir-vectors --help)\n", what, value);
    return false;
}

static bool options_number(const char *name, const char *text, int min, int max, int *number)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < min || n > max) {
        fprintf(stderr, "weir-vectors: %s '%s': a number from %d to %d is wanted\n", name, text, min, max);
        return false;
    }
    *number = (int)n;
    return true;
}

/* "I/N" */
static bool options_shard(struct runner_options *o, const char *text)
{
    char first[12];
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - text);
    if (slash == NULL || len >= sizeof first) {
        return options_bad("--shard wants I/N, not", text);
    }
    memcpy(first, text, len);
    first[len] = '\0';
    return options_number("--shard: N of", slash + 1, 1, 100000, &o->shards) &&
           options_number("--shard: I of", first, 1, o->shards, &o->shard);
}

static bool options_kind(struct runner_options *o, const char *text)
{
    static const char *const names[] = {"segment", "function", "scenario"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            o->kinds[i] = true;
            return true;
        }
    }
    return options_bad("no such kind:", text);
}

/* "NAME=VALUE" or "NAME" -> the two texts; `text` is taken apart. */
static char *options_split(char *text)
{
    char *value = strchr(text, '=');
    if (value != NULL) {
        *value++ = '\0';
    }
    return value;
}

bool options_setting(const char *name, size_t len)
{
    static const char *const names[] = {
        "mtu", "timestamps", "sack", "window-scale", "require-timestamps", "receive-buffer", "receive-buffer-max", "send-buffer",
        "initial-window", "congestion", "nagle", "ack-delay", "ack-every", "quick-acks", "rto-min", "rto-initial", "rto-max",
        "r1", "r2", "r2-syn", "keepalive-idle", "keepalive-interval", "keepalive-count", "persist-max", "sws-override", "msl",
        "fin-wait", "orphan", "challenge-count", "challenge-interval", "ecn", "iss", "ttl", "dscp", "backlog", "half-open-max",
        "time-wait", "rack", "prr", "undo", "hystart", "abc", "abe", "cwv", "send-buffer-max", "pacing", "halve-cwnd",
        "rfc1337",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool options_set(struct runner_options *o, char *text)
{
    char *value = options_split(text);
    if (value == NULL || text[0] == '\0') {
        return options_bad("--set wants NAME=VALUE, not", text);
    }
    if (!options_setting(text, strlen(text))) {
        return options_bad("no such setting:", text);
    }
    struct script_setting *list = realloc(o->settings, ((size_t)o->setting_count + 1) * sizeof *list);
    if (list == NULL) {
        return options_bad("out of memory at", text);
    }
    o->settings = list;
    list[o->setting_count++] = (struct script_setting){text, value, {0, 0}};
    return true;
}

static bool options_define(struct runner_options *o, char *text)
{
    char *value = options_split(text);
    if (text[0] == '\0') {
        return options_bad("-D wants NAME or NAME=VALUE, not", "");
    }
    struct script_define *list = realloc(o->defines, ((size_t)o->define_count + 1) * sizeof *list);
    if (list == NULL) {
        return options_bad("out of memory at", text);
    }
    o->defines = list;
    list[o->define_count++] = (struct script_define){text, value};
    return true;
}

static bool options_glob(struct runner_options *o, const char *glob)
{
    const char **list = realloc(o->globs, ((size_t)o->glob_count + 1) * sizeof *list);
    if (list == NULL) {
        return options_bad("out of memory at", glob);
    }
    o->globs = list;
    list[o->glob_count++] = glob;
    return true;
}

static bool options_target(struct runner_options *o, const char *text)
{
    static const char *const names[] = {"weir", "weir-conn", "kernel"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) == 0) {
            o->target = text;
            return true;
        }
    }
    if (strncmp(text, "exec:", 5) == 0 && text[5] != '\0') {
        o->target = text;
        return true;
    }
    return options_bad("a target is weir, weir-conn, kernel or exec:COMMAND, not", text);
}

static bool options_profile(struct runner_options *o, const char *text)
{
    if (settings_profile(text) == NULL) {
        return options_bad("a profile is rfc, linux or freebsd, not", text);
    }
    o->profile = text;
    return true;
}

static bool options_take(struct runner_options *o, int option, char *arg)
{
    switch (option) {
    case OPT_TARGET: return options_target(o, arg);
    case OPT_PROFILE: return options_profile(o, arg);
    case OPT_RUN: return options_glob(o, arg);
    case OPT_KIND: return options_kind(o, arg);
    case OPT_SET: return options_set(o, arg);
    case 'D': return options_define(o, arg);
    case OPT_SHARD: return options_shard(o, arg);
    case OPT_JOBS: return options_number("--jobs", arg, 0, 256, &o->jobs);
    case OPT_REPEAT: return options_number("--repeat", arg, 1, INT_MAX, &o->repeat);
    case OPT_VECTORS: o->vectors = arg; return true;
    case OPT_KNOWN: o->known = arg; return true;
    case OPT_JUNIT: o->junit = arg; return true;
    case OPT_JSON: o->json = arg; o->list_json = o->list_json || arg == NULL; return true;
    case OPT_HTML: o->html = arg; return true;
    case OPT_IPV6: o->v6 = true; return true;
    case OPT_STRICT: o->strict = true; return true;
    case OPT_LIST: o->list = true; return true;
    case OPT_TAP: o->tap = true; return true;
    case OPT_ROWS: o->rows = true; return true;
    case OPT_ROWS_GATE: o->rows_gate = true; return true;
    case OPT_VERBOSE: case 'v': o->verbose = true; return true;
    default: return false; /* getopt has said what is wrong */
    }
}

/* --list --json names no file: what stands behind it may be an id. */
static bool options_lists(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            return true;
        }
    }
    return false;
}

static void options_default(struct runner_options *o)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    *o = (struct runner_options){.target = "weir", .repeat = 1, .jobs = cpus < 1 ? 1 : cpus > 64 ? 64 : (int)cpus};
    const char *named = getenv("WEIR_VECTORS");
    o->vectors = access(WEIR_VECTORS_DIR, R_OK) == 0 ? WEIR_VECTORS_DIR : WEIR_VECTORS_INSTALLED;
    if (named != NULL && named[0] != '\0') {
        o->vectors = named;
    }
}

static bool options_finish(struct runner_options *o)
{
    if (!o->kinds[0] && !o->kinds[1] && !o->kinds[2]) {
        o->kinds[0] = o->kinds[1] = o->kinds[2] = true;
    }
    if ((o->rows || o->rows_gate) && strncmp(o->target, "weir", 4) != 0) {
        return options_bad("rows are weir's: --rows and --rows-gate go with --target weir, not", o->target);
    }
    return true;
}

enum options_result options_parse(struct runner_options *o, int argc, char **argv)
{
    const struct option names[] = {
        {"target", required_argument, NULL, OPT_TARGET}, {"profile", required_argument, NULL, OPT_PROFILE},
        {"run", required_argument, NULL, OPT_RUN}, {"kind", required_argument, NULL, OPT_KIND},
        {"vectors", required_argument, NULL, OPT_VECTORS}, {"set", required_argument, NULL, OPT_SET},
        {"ipv6", no_argument, NULL, OPT_IPV6}, {"strict", no_argument, NULL, OPT_STRICT},
        {"known-failures", required_argument, NULL, OPT_KNOWN}, {"shard", required_argument, NULL, OPT_SHARD},
        {"jobs", required_argument, NULL, OPT_JOBS}, {"repeat", required_argument, NULL, OPT_REPEAT},
        {"list", no_argument, NULL, OPT_LIST}, {"tap", no_argument, NULL, OPT_TAP}, {"junit", required_argument, NULL, OPT_JUNIT},
        {"json", options_lists(argc, argv) ? no_argument : required_argument, NULL, OPT_JSON},
        {"html", required_argument, NULL, OPT_HTML}, {"rows", no_argument, NULL, OPT_ROWS},
        {"rows-gate", no_argument, NULL, OPT_ROWS_GATE}, {"verbose", no_argument, NULL, OPT_VERBOSE},
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, OPT_VERSION}, {NULL, 0, NULL, 0},
    };
    options_default(o);
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, "hvD:", names, NULL)) != -1) {
        if (option == 'h' || option == OPT_VERSION) {
            fputs(option == 'h' ? usage_text : "weir-vectors " WEIR_VERSION "\n", stdout);
            return OPTIONS_DONE;
        }
        if (!options_take(o, option, optarg)) {
            return OPTIONS_BAD;
        }
    }
    o->wanted = argv + optind;
    o->wanted_count = argc - optind;
    return options_finish(o) ? OPTIONS_RUN : OPTIONS_BAD;
}

void options_free(struct runner_options *o)
{
    free(o->globs);
    free(o->settings);
    free(o->defines);
}

/* A word for a POSIX shell. */
static void options_quote(FILE *out, const char *word)
{
    if (word[0] != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@+%")] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*word, out);
        }
    }
    fputc('\'', out);
}

static void options_say(FILE *out, const char *name, const char *value, const char *more)
{
    fprintf(out, " %s ", name);
    char word[1024];
    snprintf(word, sizeof word, "%s%s%s", value, more != NULL ? "=" : "", more != NULL ? more : "");
    options_quote(out, word);
}

char *options_command(const struct runner_options *o)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return NULL;
    }
    fputs("weir-vectors", out);
    if (strcmp(o->target, "weir") != 0) {
        options_say(out, "--target", o->target, NULL);
    }
    if (o->profile != NULL) {
        options_say(out, "--profile", o->profile, NULL);
    }
    if (getenv("WEIR_VECTORS") == NULL && strcmp(o->vectors, WEIR_VECTORS_DIR) != 0 && strcmp(o->vectors, WEIR_VECTORS_INSTALLED) != 0) {
        options_say(out, "--vectors", o->vectors, NULL);
    }
    for (int i = 0; i < o->setting_count; i++) {
        options_say(out, "--set", o->settings[i].name, o->settings[i].value);
    }
    for (int i = 0; i < o->define_count; i++) {
        options_say(out, "-D", o->defines[i].name, o->defines[i].value);
    }
    fprintf(out, "%s%s", o->v6 ? " --ipv6" : "", o->strict ? " --strict" : "");
    fclose(out);
    return text;
}
