/* net_main.c - weir-sim: flows over one bottleneck in virtual time. */
#include <string.h>

#include "net.h"

static void main_finish(void)
{
    if (fflush(stdout) != 0) {
        fprintf(stderr, "weir-sim: standard output: the report is incomplete\n");
    }
}

int main(int argc, char **argv)
{
    static struct net_settings s;
    static struct net_result r;
    bool fine;

    net_settings_read(&s, argc, argv);
    if (s.scenario != NULL) {
        int status = net_table_run(&s);

        main_finish();
        return status;
    }
    net_flows_fill(&s);
    s.run.rounds = 1;
    fine = net_run(&s.plan, &s.run, &r);
    if (r.steps != 0) {
        net_report(&s, &r);
    }
    main_finish();
    if (!fine) {
        fprintf(stderr, "weir-sim: %s\n", r.why);
    }
    return fine ? 0 : 1;
}
