/* main.c - weir-tun: which subcommand, and nothing else. */
#include "tun/programs/app.h"

static int main_run(const struct options *options)
{
    /* Of these two the output is for people; their exit status says it too. */
    if (options->quiet != 0 && (options->command == CMD_DEMO || options->command == CMD_DOCTOR) &&
        freopen("/dev/null", "w", stdout) == NULL)
        return EXIT_FAILED;
    switch (options->command) {
    case CMD_DEMO:
        return demo_main(options);
    case CMD_HTTP:
        return run_app(options, &app_http);
    case CMD_ECHO:
        return run_app(options, &app_echo);
    case CMD_DISCARD:
        return run_app(options, &app_discard);
    case CMD_NC:
        return run_app(options, &app_nc);
    case CMD_PERF:
        return perf_main(options);
    case CMD_STATS:
        return control_ask(options->args[0], options->json);
    case CMD_LINK:
        return link_main(options);
    case CMD_DOCTOR:
        return doctor_main(options);
    default:
        return EXIT_USAGE;
    }
}

int main(int argc, char **argv)
{
    struct options options;
    char why[512];
    if (!options_read(&options, argc, argv, why, sizeof why)) {
        complain("%s", why);
        return EXIT_USAGE;
    }
    if (options.help) {
        options_help(stdout, options.command);
        return EXIT_FINE;
    }
    if (options.version) {
        (void)puts("weir-tun " WEIR_VERSION);
        return EXIT_FINE;
    }
    return main_run(&options);
}
