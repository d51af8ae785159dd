/* explain.c - "weir-vectors explain": runs one scenario on weir in this process and draws what happened. */
#include "explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ladder.h"
#include "runner.h"

static const char explain_usage[] =
    "usage: weir-vectors explain [OPTION]... ID|FILE       run a scenario on weir and draw it as a ladder\n"
    "\n"
    "  --svg            a picture instead of text\n"
    "  --header         a segment's header field by field instead of the ladder\n"
    "  --packet N       which segment for --header: the N-th that the stack sends (1)\n"
    "  -o FILE          into a file (else standard output)\n"
    "  --vectors DIR    where all vectors are (else $WEIR_VECTORS, else those this program came with)\n"
    "  --profile rfc|linux|freebsd\n"
    "  --ipv6           over IPv6\n"
    "  --help\n"
    "\n"
    "Exit: 0 drawn, 1 drawn and the scenario did not pass, 2 a wrong command line or scenario.\n";

enum { EXPLAIN_FINE, EXPLAIN_FAILED, EXPLAIN_BAD };
enum { EXPLAIN_SVG = 256, EXPLAIN_HEADER, EXPLAIN_PACKET, EXPLAIN_VECTORS, EXPLAIN_PROFILE, EXPLAIN_IPV6, EXPLAIN_HELP };

struct explain {
    const char *wanted, *vectors, *profile, *output;
    bool svg, header, v6;
    int packet;
    char *path, *text;
    size_t len;
    struct script *script;
    struct record record;
    struct outcome outcome;
};

static int explain_say(const char *what, const char *name)
{
    fprintf(stderr, "weir-vectors explain: %s '%s' (see weir-vectors explain --help)\n", what, name);
    return EXPLAIN_BAD;
}

static int explain_option(struct explain *e, int option, const char *arg, const char *word)
{
    char *end;

    switch (option) {
    case EXPLAIN_SVG: e->svg = true; break;
    case EXPLAIN_HEADER: e->header = true; break;
    case EXPLAIN_IPV6: e->v6 = true; break;
    case EXPLAIN_VECTORS: e->vectors = arg; break;
    case EXPLAIN_PROFILE:
        if (settings_profile(arg) == NULL)
            return explain_say("no profile", arg);
        e->profile = arg;
        break;
    case 'o': e->output = arg; break;
    case EXPLAIN_PACKET:
        errno = 0;
        long packet = strtol(arg, &end, 10);
        if (end == arg || *end != 0 || errno != 0 || packet < 1 || packet > 1000000)
            return explain_say("--packet wants a number from 1, not", arg);
        e->packet = (int)packet;
        break;
    default: return explain_say("wrong option", word);
    }
    return EXPLAIN_FINE;
}

static int explain_options(struct explain *e, int argc, char **argv, bool *help)
{
    static const struct option options[] = {
        {"svg", no_argument, NULL, EXPLAIN_SVG}, {"header", no_argument, NULL, EXPLAIN_HEADER},
        {"packet", required_argument, NULL, EXPLAIN_PACKET}, {"vectors", required_argument, NULL, EXPLAIN_VECTORS},
        {"profile", required_argument, NULL, EXPLAIN_PROFILE}, {"ipv6", no_argument, NULL, EXPLAIN_IPV6},
        {"help", no_argument, NULL, EXPLAIN_HELP}, {NULL, 0, NULL, 0}};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        *help = option == EXPLAIN_HELP || option == 'h';
        if (*help)
            return EXPLAIN_FINE;
        if (explain_option(e, option, optarg, argv[optind - 1]) != EXPLAIN_FINE)
            return EXPLAIN_BAD;
    }
    if (argc - optind != 1)
        return explain_say("one scenario is wanted, an id or a file;", argc > optind ? argv[optind + 1] : "there is none");
    e->wanted = argv[optind];
    return EXPLAIN_FINE;
}

/* A file as it is named, or the path that an id stands for. */
static int explain_find(struct explain *e)
{
    const char *named = getenv("WEIR_VECTORS");

    if (e->vectors == NULL)
        e->vectors = named != NULL && named[0] != 0 ? named : access(WEIR_VECTORS_DIR, R_OK) == 0 ? WEIR_VECTORS_DIR
                                                                                                 : WEIR_VECTORS_INSTALLED;
    int made = access(e->wanted, F_OK) == 0 ? asprintf(&e->path, "%s", e->wanted)
                                            : asprintf(&e->path, "%s/scenario/%s.pkt", e->vectors, e->wanted);
    if (made < 0) {
        e->path = NULL;
        return explain_say("no memory for", e->wanted);
    }
    e->text = tree_file_text(e->path, &e->len);
    if (e->text == NULL) {
        fprintf(stderr, "weir-vectors explain: %s: %s\n", e->path, strerror(errno));
        return EXPLAIN_BAD;
    }
    return EXPLAIN_FINE;
}

static int explain_run(struct explain *e)
{
    struct script_error error = {0};
    char why[400] = "";
    struct scenario_options options = {.profile = e->profile, .tolerance_us = -1, .v6 = e->v6};

    e->script = script_parse(e->path, e->text, e->len, NULL, 0, &error);
    if (e->script == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return EXPLAIN_BAD;
    }
    bool bare = e->script->head.api != NULL && strcmp(e->script->head.api, "connection") == 0;
    struct target *target = bare ? target_conn_new(why, sizeof why) : target_weir_new(why, sizeof why);
    if (target == NULL) {
        fprintf(stderr, "weir-vectors explain: %s\n", why);
        return EXPLAIN_BAD;
    }
    options.quiet_end = e->script->head.present;
    scenario_run(e->script, target, &options, &e->outcome, &e->record);
    target->ops->free(target);
    ladder_remarks(&e->record, e->text, e->len);
    if (e->outcome.strict == OUTCOME_BROKEN) {
        fprintf(stderr, "%s\n", e->outcome.reason);
        return EXPLAIN_BAD;
    }
    return EXPLAIN_FINE;
}

static const struct record_line *explain_packet(const struct explain *e)
{
    int left = e->packet;

    for (int i = 0; i < e->record.count; i++) {
        const struct record_line *line = &e->record.lines[i];
        if (line->kind == RECORD_OUT && line->octets != NULL && line->packet.proto == SCRIPT_TCP && --left == 0)
            return line;
    }
    return NULL;
}

static int explain_header(const struct explain *e, FILE *out)
{
    const struct record_line *line = explain_packet(e);

    if (line == NULL) {
        fprintf(stderr, "weir-vectors explain: the stack sent fewer than %d segments in %s\n", e->packet, e->path);
        return EXPLAIN_BAD;
    }
    if (e->svg)
        header_svg(&line->packet, line->octets, line->len, "The header of a segment, field by field", out);
    else
        header_text(&line->packet, line->octets, line->len, out);
    return EXPLAIN_FINE;
}

static int explain_draw(const struct explain *e, FILE *out)
{
    const char *title = e->script->head.title != NULL ? e->script->head.title : e->wanted;
    struct winsize size = {0};

    if (e->header)
        return explain_header(e, out);
    if (e->svg) {
        ladder_svg(&e->record, title, out);
        return EXPLAIN_FINE;
    }
    bool terminal = isatty(fileno(out));
    if (!terminal || ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        size.ws_col = 110;
    ladder_text(&e->record, title, out, size.ws_col, terminal && getenv("NO_COLOR") == NULL);
    return EXPLAIN_FINE;
}

static int explain_write(const struct explain *e)
{
    FILE *out = e->output == NULL ? stdout : fopen(e->output, "w");

    if (out == NULL) {
        fprintf(stderr, "weir-vectors explain: %s: %s\n", e->output, strerror(errno));
        return EXPLAIN_BAD;
    }
    int code = explain_draw(e, out);
    bool good = fflush(out) == 0 && ferror(out) == 0;
    if (out != stdout)
        good = fclose(out) == 0 && good;
    if (!good)
        fprintf(stderr, "weir-vectors explain: %s: %s\n", e->output == NULL ? "standard output" : e->output, strerror(errno));
    return good ? code : EXPLAIN_BAD;
}

static int explain_tell(const struct explain *e)
{
    if (e->outcome.semantic == OUTCOME_PASS && e->outcome.strict == OUTCOME_PASS)
        return EXPLAIN_FINE;
    fprintf(stderr, "%s%s\n", e->outcome.semantic == OUTCOME_PASS ? "(in meaning it passes) " : "", e->outcome.reason);
    return EXPLAIN_FAILED;
}

int explain_main(int argc, char **argv)
{
    struct explain e = {.packet = 1};
    bool help = false;
    int code = explain_options(&e, argc, argv, &help);

    if (help)
        return fputs(explain_usage, stdout) == EOF ? EXPLAIN_BAD : EXPLAIN_FINE;
    if (code == EXPLAIN_FINE)
        code = explain_find(&e);
    if (code == EXPLAIN_FINE)
        code = explain_run(&e);
    if (code == EXPLAIN_FINE)
        code = explain_write(&e);
    if (code == EXPLAIN_FINE)
        code = explain_tell(&e);
    record_free(&e.record);
    if (e.script != NULL)
        script_free(e.script);
    free(e.text);
    free(e.path);
    return code;
}
