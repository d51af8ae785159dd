/* net_plot.c - two pictures of a run: the time-sequence diagram of flow 1, and the windows over the queue. Drawn by gnuplot. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"

#define PLOT_POINTS 8000u /* of a series; more is not seen and makes large pictures */

static const char *const plot_marks[NET_MARK_COUNT] = {"sent", "needed", "spurious", "lost", "acked"};

static FILE *plot_file(const char *folder, const char *name)
{
    char path[512];
    FILE *f;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path) {
        fprintf(stderr, "weir-sim: --plot: the name of the folder is too long\n");
        return NULL;
    }
    f = fopen(path, "w");
    if (f == NULL) {
        fprintf(stderr, "weir-sim: %s: %s\n", path, strerror(errno));
    }
    return f;
}

static bool plot_close(FILE *f)
{
    bool fine = ferror(f) == 0;

    fine = fclose(f) == 0 && fine;
    if (!fine) {
        fprintf(stderr, "weir-sim: --plot: %s\n", strerror(errno));
    }
    return fine;
}

/* What is rare is shown whole, so that no loss is left out. */
static bool plot_series(const char *folder, const char *name, const struct net_series *s, double scale, bool rare)
{
    size_t step = rare || s->count <= PLOT_POINTS ? 1 : s->count / PLOT_POINTS + 1, i;
    FILE *f = plot_file(folder, name);

    if (f == NULL) {
        return false;
    }
    for (i = 0; i < s->count; i += step) {
        fprintf(f, "%.6f %.3f\n", (double)s->point[i].at / 1e9, (double)s->point[i].value / scale);
    }
    return plot_close(f);
}

static bool plot_data(const struct net_world *w, const char *folder)
{
    char name[32];
    bool fine = plot_series(folder, "queue.dat", &w->queued, 1024, false);
    uint32_t i;

    for (i = 0; i < NET_MARK_COUNT && fine; i++) {
        (void)snprintf(name, sizeof name, "%s.dat", plot_marks[i]);
        fine = plot_series(folder, name, &w->mark[i], 1e6, i == NET_MARK_LOST || i == NET_MARK_NEEDED || i == NET_MARK_SPURIOUS);
    }
    for (i = 0; i < w->plan.flow_count && fine; i++) {
        (void)snprintf(name, sizeof name, "cwnd-%u.dat", i + 1);
        fine = plot_series(folder, name, &w->cwnd[i], 1024, false);
    }
    return fine;
}

static bool plot_script(const struct net_world *w, const char *folder)
{
    static const char *const styles[NET_MARK_COUNT] = {
        "points pt 7 ps 0.2 lc rgb '#4477aa' title 'sent'", "points pt 7 ps 0.4 lc rgb '#ee6677' title 'sent again, needed'",
        "points pt 6 ps 0.6 lc rgb '#aa3377' title 'sent again, spurious'", "points pt 2 ps 0.5 lc rgb '#222222' title 'lost'",
        "steps lc rgb '#228833' title 'acknowledged'"};
    FILE *f = plot_file(folder, "plot.gp");
    const char *comma = "";
    uint32_t i;

    if (f == NULL) {
        return false;
    }
    fprintf(f, "set terminal svg size 1100,600 background '#ffffff'\nset xlabel 'seconds'\nset grid\nset key outside top horizontal\n"
               "set xrange [%.6f:%.6f]\n"
               "set output 'time-sequence.svg'\nset title 'flow 1: octets of the stream over time'\nset ylabel 'octets, millions'\nplot ",
            (double)w->plan.plot_from / 1e6, (double)(w->plan.plot_to < w->plan.time_us ? w->plan.plot_to : w->plan.time_us) / 1e6);
    for (i = 0; i < NET_MARK_COUNT; i++) {
        if (w->mark[i].count != 0) {
            fprintf(f, "%s'%s.dat' with %s", comma, plot_marks[i], styles[i]);
            comma = ", \\\n  ";
        }
    }
    fprintf(f, "\nset output 'cwnd-queue.svg'\nset title 'congestion windows, and the queue at the bottleneck'\n"
               "set ylabel 'KiB'\nplot 'queue.dat' with filledcurves x1 fs transparent solid 0.25 lc rgb '#bbbbbb' title 'queue'");
    for (i = 0; i < w->plan.flow_count; i++) {
        if (w->cwnd[i].count != 0) {
            fprintf(f, ", \\\n  'cwnd-%u.dat' with lines title 'cwnd %u'", i + 1, i + 1);
        }
    }
    fprintf(f, "\n");
    return plot_close(f);
}

static bool plot_draw(const char *folder)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (chdir(folder) == 0) {
            (void)execlp("gnuplot", "gnuplot", "plot.gp", (char *)NULL);
        }
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "weir-sim: --plot: %s\n", strerror(errno));
        return false;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        fprintf(stderr, "weir-sim: --plot: gnuplot is missing, so there are no pictures. The data are in %s: install gnuplot (Debian: "
                        "gnuplot-nox), then: cd %s && gnuplot plot.gp\n",
                folder, folder);
        return false;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "weir-sim: --plot: gnuplot failed on %s/plot.gp\n", folder);
        return false;
    }
    return true;
}

bool net_plot(const struct net_world *w, const char *folder)
{
    if (w->mark[NET_MARK_SENT].count == 0) {
        fprintf(stderr, "weir-sim: --plot: flow 1 sends nothing in that window: --plot-window\n");
        return false;
    }
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "weir-sim: --plot %s: %s\n", folder, strerror(errno));
        return false;
    }
    return plot_data(w, folder) && plot_script(w, folder) && plot_draw(folder);
}
