/* jobs.c - many pieces of work in processes of their own. A worker that dies or hangs takes only its piece with it: that piece is
 * told with how it ended, and another worker takes the place. Knows nothing of vectors. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

#define JOBS_CANNOT UINT32_MAX /* in place of an index: begin() failed, its reason follows */
#define JOBS_NONE UINT32_MAX

/* Shared by all: what comes next, and what each worker is at. */
struct jobs_shared {
    atomic_uint next;
    atomic_uint at[]; /* of each worker */
};
struct jobs_worker {
    pid_t pid;
    int pipe;
    uint32_t seen;          /* the piece it was last seen at, and since when */
    struct timespec since;
    struct jobs_bytes got;  /* what has come and is not a whole message yet */
    bool hung;
};
struct jobs_run {
    const struct jobs *jobs;
    struct jobs_shared *shared;
    struct jobs_worker *workers;
    bool *done;
    int alive;
    bool failed;
    char *why;
    size_t cap;
};

void jobs_put(struct jobs_bytes *b, const void *data, size_t len)
{
    if (b->cap - b->len < len) {
        size_t cap = (b->len + len) * 2;
        uint8_t *more = realloc(b->data, cap);
        if (more == NULL) {
            abort();
        }
        b->data = more;
        b->cap = cap;
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
}

static bool jobs_write(int fd, const void *data, size_t len)
{
    for (const uint8_t *at = data; len > 0;) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static bool jobs_send(int fd, uint32_t index, const void *data, size_t len)
{
    uint32_t head[2] = {index, (uint32_t)len};
    return jobs_write(fd, head, sizeof head) && jobs_write(fd, data, len);
}

/* The life of a worker. _exit: what the parent has open is the parent's. */
static void jobs_work(struct jobs_run *r, int number, int fd)
{
    const struct jobs *j = r->jobs;
    char why[1024] = "";
    if (j->begin != NULL && !j->begin(j->self, why, sizeof why)) {
        jobs_send(fd, JOBS_CANNOT, why, strlen(why));
        _exit(0);
    }
    struct jobs_bytes result = {0};
    for (;;) {
        unsigned index = atomic_fetch_add(&r->shared->next, 1);
        if (index >= (unsigned)j->count) {
            break;
        }
        atomic_store(&r->shared->at[number], index);
        result.len = 0;
        j->work(j->self, (int)index, &result);
        if (!jobs_send(fd, index, result.data, result.len)) {
            _exit(1); /* nobody listens any more */
        }
    }
    if (j->end != NULL) {
        j->end(j->self);
    }
    free(result.data);
    _exit(0);
}

static bool jobs_start(struct jobs_run *r, int number)
{
    struct jobs_worker *w = &r->workers[number];
    int ends[2];
    if (pipe(ends) != 0) {
        snprintf(r->why, r->cap, "pipe: %s", strerror(errno));
        return false;
    }
    atomic_store(&r->shared->at[number], JOBS_NONE);
    fflush(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        close(ends[0]);
        jobs_work(r, number, ends[1]);
    }
    close(ends[1]);
    if (w->pid < 0) {
        close(ends[0]);
        snprintf(r->why, r->cap, "fork: %s", strerror(errno));
        return false;
    }
    w->pipe = ends[0];
    w->seen = JOBS_NONE;
    w->hung = false;
    w->got.len = 0;
    clock_gettime(CLOCK_MONOTONIC, &w->since);
    r->alive++;
    return true;
}

/* Takes the whole messages out of what has come. */
static void jobs_messages(struct jobs_run *r, struct jobs_worker *w)
{
    size_t at = 0;
    uint32_t head[2];
    while (w->got.len - at >= sizeof head) {
        memcpy(head, w->got.data + at, sizeof head);
        if (w->got.len - at - sizeof head < head[1]) {
            break;
        }
        const uint8_t *data = w->got.data + at + sizeof head;
        if (head[0] == JOBS_CANNOT) {
            snprintf(r->why, r->cap, "%.*s", (int)head[1], (const char *)data);
            r->failed = true;
        } else if (head[0] < (uint32_t)r->jobs->count && !r->done[head[0]]) {
            r->done[head[0]] = true;
            r->jobs->collect(r->jobs->self, (int)head[0], data, head[1]);
        }
        at += sizeof head + head[1];
    }
    if (at > 0) {
        memmove(w->got.data, w->got.data + at, w->got.len - at);
        w->got.len -= at;
    }
}

/* The worker has gone. If it left a piece unfinished, that piece is dead and somebody else goes on. */
static void jobs_gone(struct jobs_run *r, int number)
{
    struct jobs_worker *w = &r->workers[number];
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    close(w->pipe);
    w->pid = 0;
    w->pipe = -1;
    r->alive--;
    uint32_t at = atomic_load(&r->shared->at[number]);
    if (at == JOBS_NONE || at >= (uint32_t)r->jobs->count || r->done[at]) {
        if (status != 0 && !r->failed) {
            snprintf(r->why, r->cap, "a worker ended between two vectors: wait status 0x%x", (unsigned)status);
            r->failed = true;
        }
        return;
    }
    char how[160];
    if (w->hung) {
        snprintf(how, sizeof how, "no end after %d s", r->jobs->limit_seconds);
    } else if (WIFSIGNALED(status)) {
        snprintf(how, sizeof how, "the process died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(how, sizeof how, "the process ended with %d", WEXITSTATUS(status));
    }
    r->done[at] = true;
    r->jobs->dead(r->jobs->self, (int)at, how);
    if (!r->failed && atomic_load(&r->shared->next) < (unsigned)r->jobs->count && !jobs_start(r, number)) {
        r->failed = true;
    }
}

static void jobs_read(struct jobs_run *r, int number)
{
    struct jobs_worker *w = &r->workers[number];
    uint8_t part[65536];
    ssize_t n = read(w->pipe, part, sizeof part);
    if (n > 0) {
        jobs_put(&w->got, part, (size_t)n);
        jobs_messages(r, w);
    } else if (n == 0 || errno != EINTR) {
        jobs_gone(r, number);
    }
}

static void jobs_kill_hung(struct jobs_run *r, struct jobs_worker *w, uint32_t at)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (at != w->seen) {
        w->seen = at;
        w->since = now;
    } else if (at != JOBS_NONE && !w->hung && now.tv_sec - w->since.tv_sec > r->jobs->limit_seconds) {
        w->hung = true;
        kill(w->pid, SIGKILL);
    }
}

static void jobs_loop(struct jobs_run *r)
{
    struct pollfd polled[256];
    while (r->alive > 0) {
        for (int i = 0; i < r->jobs->workers; i++) {
            polled[i] = (struct pollfd){.fd = r->workers[i].pipe, .events = POLLIN};
        }
        poll(polled, (nfds_t)r->jobs->workers, 250);
        for (int i = 0; i < r->jobs->workers; i++) {
            if (r->workers[i].pid == 0) {
                continue;
            }
            if (r->failed) {
                kill(r->workers[i].pid, SIGTERM);
            }
            jobs_kill_hung(r, &r->workers[i], atomic_load(&r->shared->at[i]));
            if (polled[i].revents != 0) {
                jobs_read(r, i);
            }
        }
        if (r->jobs->tick != NULL) {
            r->jobs->tick(r->jobs->self);
        }
    }
}

static bool jobs_here(const struct jobs *j, char *why, size_t cap)
{
    if (j->begin != NULL && !j->begin(j->self, why, cap)) {
        return false;
    }
    struct jobs_bytes result = {0};
    for (int i = 0; i < j->count; i++) {
        result.len = 0;
        j->work(j->self, i, &result);
        j->collect(j->self, i, result.data, result.len);
        if (j->tick != NULL) {
            j->tick(j->self);
        }
    }
    free(result.data);
    if (j->end != NULL) {
        j->end(j->self);
    }
    return true;
}

bool jobs_run(const struct jobs *j, char *why, size_t cap)
{
    if (j->workers == 0) {
        return jobs_here(j, why, cap);
    }
    size_t size = sizeof(struct jobs_shared) + (size_t)j->workers * sizeof(atomic_uint);
    struct jobs_run r = {.jobs = j, .why = why, .cap = cap};
    r.workers = calloc((size_t)j->workers, sizeof *r.workers);
    r.done = calloc((size_t)j->count + 1, sizeof *r.done);
    r.shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.workers == NULL || r.done == NULL || r.shared == MAP_FAILED) {
        snprintf(why, cap, "out of memory");
        r.failed = true;
    }
    for (int i = 0; !r.failed && i < j->workers; i++) {
        r.workers[i].pipe = -1;
    }
    for (int i = 0; !r.failed && i < j->workers && i < j->count; i++) {
        r.failed = !jobs_start(&r, i);
    }
    if (r.workers != NULL) {
        jobs_loop(&r);
        for (int i = 0; i < j->workers; i++) {
            free(r.workers[i].got.data);
        }
    }
    free(r.workers);
    free(r.done);
    if (r.shared != MAP_FAILED) {
        munmap(r.shared, size);
    }
    return !r.failed;
}
