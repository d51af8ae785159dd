/* demo_tools.c - files, other programs and progress for the demo. Knows no connection. */
#define _GNU_SOURCE
#include "tun/programs/demo_tools.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tun/programs/site.h"

#define TOOLS_TICK_NS 200000000L

/* ---- the place ---- */

static const char *tools_folder(enum demo_where where)
{
    return where == DEMO_SITE ? "site" : "mine";
}

void demo_path(char path[DEMO_PATH], const struct demo_place *place, enum demo_where where, const char *name)
{
    (void)snprintf(path, DEMO_PATH, "%s/%s/%s", place->root, tools_folder(where), name);
}

static bool tools_room(const char *folder, uint64_t room_len)
{
    struct statvfs status;
    return statvfs(folder, &status) == 0 && (uint64_t)status.f_bavail * status.f_frsize >= room_len &&
           access(folder, W_OK) == 0;
}

bool demo_place_make(struct demo_place *place, uint64_t room_len)
{
    const char *folders[] = {getenv("TMPDIR"), "/tmp", "/var/tmp"};
    char path[DEMO_PATH];
    place->terminal = isatty(STDOUT_FILENO) == 1;
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (folders[i] == NULL || strlen(folders[i]) > 200 || !tools_room(folders[i], room_len))
            continue;
        (void)snprintf(place->root, sizeof place->root, "%s/weir-demo-XXXXXX", folders[i]);
        if (mkdtemp(place->root) == NULL)
            continue;
        demo_path(path, place, DEMO_MINE, "");
        bool fine = mkdir(path, 0700) == 0;
        demo_path(path, place, DEMO_SITE, "");
        /* weir writes uploads here after it has become another user; strangers are kept out one folder above. */
        return fine && mkdir(path, 0700) == 0 && chmod(path, 0777) == 0;
    }
    complain("no folder for temporary files has %llu MiB free; set TMPDIR to one that has",
             (unsigned long long)(room_len >> 20));
    return false;
}

static int tools_remove(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    (void)remove(path);
    return 0;
}

void demo_place_remove(const struct demo_place *place)
{
    (void)nftw(place->root, tools_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static int tools_remove_file(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)walk;
    if (kind == FTW_F)
        (void)remove(path);
    return 0;
}

void demo_clear(const struct demo_place *place)
{
    (void)nftw(place->root, tools_remove_file, 8, FTW_PHYS);
}

bool demo_make_file(const char *path, const char *name, uint64_t from, uint64_t len)
{
    static uint8_t chunk[1 << 18];
    uint64_t seed = 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    for (const char *p = name; *p != '\0'; p++)
        seed = seed * 131 + (uint8_t)*p;
    for (uint64_t done = 0; fd >= 0 && done < len;) {
        size_t part = len - done < sizeof chunk ? (size_t)(len - done) : sizeof chunk;
        site_synthetic(seed, from + done, chunk, part);
        if (write(fd, chunk, part) != (ssize_t)part) {
            complain("%s: %s", path, strerror(errno));
            (void)close(fd);
            return false;
        }
        done += part;
    }
    return fd >= 0 && close(fd) == 0;
}

/* ---- other programs ---- */

bool demo_found(const char *program)
{
    char path[4096];
    const char *list = getenv("PATH");
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ":");
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)len, list, program);
        if (access(path, X_OK) == 0)
            return true;
        list += len + (list[len] == ':');
    }
    return false;
}

bool demo_tools_found(void)
{
    if (!demo_found("curl")) {
        complain("curl is not installed; apt-get install curl");
        return false;
    }
    if (!demo_found("sha256sum")) {
        complain("sha256sum is not installed; apt-get install coreutils");
        return false;
    }
    return true;
}

int demo_words(char *copy[DEMO_WORDS_MAX], const char *const *words)
{
    int count = 0;
    while (count < DEMO_WORDS_MAX - 1 && words[count] != NULL && (copy[count] = strdup(words[count])) != NULL)
        count++;
    copy[count] = NULL;
    return count;
}

bool demo_job_start(struct demo_jobs *jobs, const char *const *words)
{
    char *copy[DEMO_WORDS_MAX];
    if (jobs->count == DEMO_JOBS_MAX)
        return false;
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        if (demo_words(copy, words) > 0)
            (void)execvp(copy[0], copy);
        _exit(127);
    }
    jobs->pids[jobs->count++] = child;
    return true;
}

bool demo_jobs_wait(const struct demo_place *place, struct demo_jobs *jobs, const struct demo_progress *progress)
{
    const struct timespec tick = {0, TOOLS_TICK_NS / 20};
    unsigned left = jobs->count, turn = 0;
    bool fine = true;
    while (left > 0) { /* ends with the jobs, which curl's --max-time bounds */
        int status;
        pid_t child = waitpid(-1, &status, WNOHANG);
        if (child == 0) {
            if (turn++ % 20 == 0)
                demo_progress_show(place, progress, NULL);
            (void)nanosleep(&tick, NULL);
            continue;
        }
        if (child < 0)
            return false;
        left--;
        fine = fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    jobs->count = 0;
    return fine;
}

/* A child that runs sha256sum over a pipe's other end; returns where its answer can be read. */
static FILE *tools_sum_start(const struct demo_place *place, const struct demo_sum *side)
{
    char command[1024], path[DEMO_PATH];
    demo_path(path, place, side->where, side->name);
    if (side->pieces == 0)
        (void)snprintf(command, sizeof command, "exec sha256sum < '%s'", path);
    else
        (void)snprintf(command, sizeof command, "cat '%s'.[0-9][0-9] | sha256sum", path);
    return strchr(path, '\'') == NULL ? popen(command, "re") : NULL;
}

bool demo_sums(const struct demo_place *place, const struct demo_sum sides[2], char sums[2][65])
{
    FILE *answers[2] = {tools_sum_start(place, &sides[0]), tools_sum_start(place, &sides[1])};
    bool fine = answers[0] != NULL && answers[1] != NULL;
    for (unsigned i = 0; i < 2; i++) {
        if (answers[i] == NULL)
            continue;
        fine = fread(sums[i], 1, 64, answers[i]) == 64 && fine;
        sums[i][64] = '\0';
        fine = pclose(answers[i]) == 0 && fine;
    }
    return fine;
}

/* ---- progress ---- */

/* Octets in the files of a transfer: pieces by its name, or uploads that weir has not named yet. */
static uint64_t tools_arrived(const struct demo_place *place, const struct demo_progress *progress)
{
    char path[DEMO_PATH];
    uint64_t sum = 0;
    struct dirent *entry;
    demo_path(path, place, progress->where, "");
    DIR *folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        struct stat status;
        bool ours = strncmp(entry->d_name, progress->name, strlen(progress->name)) == 0 ||
                    strncmp(entry->d_name, ".weir-", 6) == 0;
        if (ours && fstatat(dirfd(folder), entry->d_name, &status, 0) == 0)
            sum += (uint64_t)status.st_size;
    }
    if (folder != NULL)
        (void)closedir(folder);
    return sum;
}

void demo_progress_show(const struct demo_place *place, const struct demo_progress *progress, const char *what)
{
    char rate[WEIR_AMOUNT_TEXT];
    if (!place->terminal)
        return;
    weir_us us = weir_tun_now() - progress->begun_at;
    if (what != NULL)
        (void)printf("\r\033[K  %-34s %s", progress->title, what);
    else {
        uint64_t arrived = tools_arrived(place, progress);
        (void)printf("\r\033[K  %-34s %3u%%  %s", progress->title, (unsigned)(arrived * 100 / (progress->len + 1)),
                     weir_format_rate(rate, us == 0 ? 0 : (uint64_t)((double)arrived * 8e6 / (double)us)));
    }
    (void)fflush(stdout);
}

void demo_progress_clear(const struct demo_place *place)
{
    if (place->terminal)
        (void)fputs("\r\033[K", stdout);
}

/* ---- the kernel's counters ---- */

bool demo_kernel_retransmitted(uint64_t *count)
{
    char line[1024], *rest = NULL;
    unsigned place = 0;
    bool found = false;
    FILE *file = fopen("/proc/self/net/snmp", "re");
    /* Two lines begin with "Tcp:": the names, then the values in the same order. */
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "Tcp:", 4) != 0)
            continue;
        unsigned at = 0;
        for (char *word = strtok_r(line, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest), at++) {
            if (place == 0 && strcmp(word, "RetransSegs") == 0) {
                place = at;
                break;
            }
            if (place != 0 && at == place && weir_parse_count(word, UINT64_MAX, count) == NULL)
                found = true;
        }
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

/* ---- signals ---- */

static void tools_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGCHLD);
}

void demo_signals_block(void)
{
    sigset_t set;
    tools_signals(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void demo_signals_default(void)
{
    sigset_t set;
    tools_signals(&set);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int demo_wait(pid_t child)
{
    sigset_t set;
    int stopped = 0;
    tools_signals(&set);
    for (;;) { /* ends with the child */
        int status, number = sigwaitinfo(&set, NULL);
        if (number > 0 && number != SIGCHLD)
            stopped = number;
        if (number == SIGTERM || number == SIGHUP)
            (void)kill(child, SIGTERM); /* SIGINT reaches the child from the terminal by itself */
        if (waitpid(child, &status, WNOHANG) == child)
            return stopped != 0 ? 128 + stopped : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}
