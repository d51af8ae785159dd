/* serve.c - any struct target as an adapter: the answering end of the line protocol (FORMAT.md). */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "serve.h"

#define SERVE_RECV_MAX ((size_t)16 * 1024 * 1024)
#define SERVE_HELD_MAX 131072  /* lines that the next process answers */
#define SERVE_NEXT_PROCESS 77  /* exit status: fork again */

/* What was read and not answered. */
struct serve_held {
    size_t len;
    char text[SERVE_HELD_MAX];
};

struct server {
    struct target *t;
    int in, out;
    char *line;              /* what was read, and a line cut off in it */
    size_t len, cap, used;   /* octets in it; used: of the line that was answered last */
    struct line_text answer; /* the last line */
    struct line_text packets; /* the lines before it */
    uint8_t *octets;
    size_t octets_cap;
    struct serve_held *held; /* shared with the next process; NULL: one process answers all */
    bool fresh, done;        /* no reset yet; quit was said */
};

/* ---- in and out ---- */

static bool serve_more(struct server *s)
{
    ssize_t n;

    if (s->cap - s->len < 4096) {
        size_t cap = s->cap == 0 ? SERVE_HELD_MAX : s->cap * 2;
        char *line = cap > LINE_MAX_OCTETS * 2 ? NULL : realloc(s->line, cap);

        if (line == NULL)
            return false;
        s->line = line;
        s->cap = cap;
    }
    do
        n = read(s->in, s->line + s->len, s->cap - s->len);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    s->len += (size_t)n;
    return true;
}

/* The next line, without its end; NULL when there are no more. It lives until the next call. */
static char *serve_line(struct server *s)
{
    size_t from = 0;
    char *end;

    if (s->used > 0) {
        s->len -= s->used;
        memmove(s->line, s->line + s->used, s->len);
        s->used = 0;
    }
    while (s->len == from || (end = memchr(s->line + from, '\n', s->len - from)) == NULL) {
        from = s->len;
        if (!serve_more(s))
            return NULL;
    }
    s->used = (size_t)(end - s->line) + 1;
    *end = '\0';
    if (end > s->line && end[-1] == '\r')
        end[-1] = '\0';
    return s->line;
}

static bool serve_write(int fd, const struct line_text *t)
{
    size_t done = 0;

    if (t->failed)
        return false;
    while (done < t->len) {
        ssize_t n = write(fd, t->text + done, t->len - done);

        if (n < 0 && errno != EINTR)
            return false;
        done += n < 0 ? 0 : (size_t)n;
    }
    return true;
}

static bool serve_room(struct server *s, size_t cap)
{
    uint8_t *octets = cap <= s->octets_cap ? s->octets : realloc(s->octets, cap);

    if (octets == NULL)
        return false;
    s->octets = octets;
    s->octets_cap = cap > s->octets_cap ? cap : s->octets_cap;
    return true;
}

/* What the stack has sent goes before the answer. */
static void serve_packets(struct server *s)
{
    uint8_t packet[TARGET_PACKET_MAX];
    int64_t when = 0;
    answer len;

    while ((len = s->t->ops->packet_out(s->t, packet, sizeof packet, &when)) > 0) {
        line_printf(&s->packets, "out %lld ", (long long)when);
        line_hex(&s->packets, packet, (size_t)len);
        line_printf(&s->packets, "\n");
    }
}

/* ---- answers ---- */

static void serve_ok(struct server *s)
{
    line_printf(&s->answer, "ok");
}

/* What a call came to: "ok N", an error, or neither. */
static bool serve_answer(struct server *s, answer a, bool number)
{
    if (a >= 0 && number)
        line_printf(&s->answer, "ok %lld", (long long)a);
    else if (a >= 0)
        serve_ok(s);
    else if (a == ANSWER_UNIMPLEMENTED)
        line_printf(&s->answer, "unimplemented");
    else if (a == ANSWER_DEAD || a == ANSWER_WRONG) {
        (void)fprintf(stderr, "%s\n", s->t->ops->why == NULL ? "the stack is gone" : s->t->ops->why(s->t));
        return false;
    } else {
        const char *name = line_errno_name((int)-a);

        line_printf(&s->answer, "error %s", name == NULL ? "EIO" : name);
    }
    return true;
}

static bool serve_invalid(struct server *s)
{
    return serve_answer(s, ANSWER_ERRNO(EINVAL), false);
}

/* The socket, the first word of nearly every command. */
static bool serve_socket_word(char **at, int *fd)
{
    int64_t number;

    if (!line_number(line_word(at), &number) || number < 0 || number > 1000000)
        return false;
    *fd = (int)number;
    return true;
}

/* ---- commands: false ends the program ---- */

static bool serve_hello(struct server *s, char *at)
{
    static const char *const needs[] = {
        "timestamps", "sack", "dsack", "window-scale", "paws", "rfc5961", "limited-transmit", "last-resort", "unused-window", "keepalive",
        "user-timeout", "urgent", "icmp", "pmtud", "rfc5927", "time-wait", "half-close", "iss", "msl", "hold", "virtual-time", "ipv6",
        "ecn", "rfc6675", "rack", "tlp", "prr", "cubic", "f-rto", "cwv", "pacing", "delivery-rate", "bbr", "fast-open", "md5", "ao",
        "accecn", "connection",
    };
    const struct target_ops *ops = s->t->ops;
    const char *between = "";
    int64_t version;

    if (!line_number(line_word(&at), &version) || version < LINE_VERSION)
        return serve_invalid(s);
    line_printf(&s->answer, "ok %d name=%s clock=%s%s features=", LINE_VERSION, ops->name, ops->real_time ? "real" : "virtual",
                ops->trace == NULL ? "" : " trace=1");
    for (size_t i = 0; ops->has != NULL && i < sizeof needs / sizeof needs[0]; i++)
        if (ops->has(s->t, needs[i])) {
            line_printf(&s->answer, "%s%s", between, needs[i]);
            between = ",";
        }
    return true;
}

static bool serve_reset(struct server *s, char *at)
{
    struct target_world world = {0};
    int64_t listen_port, remote_port;
    char *local = line_word(&at), *remote = line_word(&at);

    world.v6 = local != NULL && strchr(local, ':') != NULL;
    if (!line_address(local, world.v6, world.local) || !line_address(remote, world.v6, world.remote) ||
        !line_number(line_word(&at), &listen_port) || !line_number(line_word(&at), &remote_port) || listen_port < 1 ||
        listen_port > 65535 || remote_port < 1 || remote_port > 65535)
        return serve_invalid(s);
    world.listen_port = (uint16_t)listen_port;
    world.remote_port = (uint16_t)remote_port;
    s->fresh = false;
    if (!s->t->ops->reset(s->t, &world))
        return serve_answer(s, ANSWER_DEAD, false);
    serve_ok(s);
    return true;
}

static bool serve_set(struct server *s, char *at)
{
    char *name = line_word(&at), *value = line_word(&at);

    if (name == NULL || value == NULL)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->set(s->t, name, value), false);
}

static bool serve_socket(struct server *s, char *at)
{
    (void)at;
    return serve_answer(s, s->t->ops->socket(s->t), true);
}

static bool serve_listen(struct server *s, char *at)
{
    int64_t port, backlog;
    int fd;

    if (!serve_socket_word(&at, &fd) || !line_number(line_word(&at), &port) || port < 0 || port > 65535 ||
        !line_number(line_word(&at), &backlog) || backlog < -1000000 || backlog > 1000000)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->listen(s->t, fd, (uint16_t)port, (int)backlog), false);
}

static bool serve_connect(struct server *s, char *at)
{
    int64_t port;
    int fd;

    if (!serve_socket_word(&at, &fd) || !line_number(line_word(&at), &port) || port < 0 || port > 65535)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->connect(s->t, fd, (uint16_t)port), false);
}

static bool serve_accept(struct server *s, char *at)
{
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->accept(s->t, fd), true);
}

static bool serve_send(struct server *s, char *at)
{
    int fd, flags;
    char *hex;
    int64_t len;

    if (!serve_socket_word(&at, &fd) || !line_bits_read(line_word(&at), line_flags, &flags) || (hex = line_word(&at)) == NULL)
        return serve_invalid(s);
    if (!serve_room(s, strlen(hex) / 2 + 1))
        return serve_answer(s, ANSWER_ERRNO(ENOMEM), false);
    len = line_octets(hex, s->octets, s->octets_cap);
    if (len < 0)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->send(s->t, fd, s->octets, (size_t)len, flags), true);
}

static bool serve_recv(struct server *s, char *at)
{
    int fd, flags;
    int64_t cap;
    answer a;

    if (!serve_socket_word(&at, &fd) || !line_bits_read(line_word(&at), line_flags, &flags) ||
        !line_number(line_word(&at), &cap) || cap < 0)
        return serve_invalid(s);
    if ((uint64_t)cap > SERVE_RECV_MAX)
        cap = SERVE_RECV_MAX;
    if (!serve_room(s, (size_t)cap + 1))
        return serve_answer(s, ANSWER_ERRNO(ENOMEM), false);
    a = s->t->ops->recv(s->t, fd, s->octets, (size_t)cap, flags);
    if (a < 0)
        return serve_answer(s, a, false);
    line_printf(&s->answer, "ok ");
    line_hex(&s->answer, s->octets, (size_t)a);
    return true;
}

static bool serve_shutdown(struct server *s, char *at)
{
    static const struct line_bit hows[] = {{"rd", SHUT_RD}, {"wr", SHUT_WR}, {"rdwr", SHUT_RDWR}, {NULL, 0}};
    const struct line_bit *how = hows;
    char *word;
    int fd;

    if (!serve_socket_word(&at, &fd) || (word = line_word(&at)) == NULL)
        return serve_invalid(s);
    while (how->name != NULL && strcmp(how->name, word) != 0)
        how++;
    if (how->name == NULL)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->shutdown(s->t, fd, how->bit), false);
}

static bool serve_close(struct server *s, char *at)
{
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->close(s->t, fd), false);
}

static bool serve_abort(struct server *s, char *at)
{
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->abort(s->t, fd), false);
}

static bool serve_option(struct server *s, char *at)
{
    int64_t value;
    char *name;
    int fd;

    if (!serve_socket_word(&at, &fd) || (name = line_word(&at)) == NULL || !line_number(line_word(&at), &value))
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->option(s->t, fd, name, value), false);
}

static bool serve_ready(struct server *s, char *at)
{
    answer a;
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    a = s->t->ops->ready(s->t, fd);
    if (a < 0)
        return serve_answer(s, a, false);
    line_printf(&s->answer, "ok ");
    line_bits(&s->answer, line_ready, (int)a);
    return true;
}

static bool serve_error(struct server *s, char *at)
{
    answer a;
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    a = s->t->ops->error(s->t, fd);
    if (a < 0)
        return serve_answer(s, a, false);
    line_printf(&s->answer, "ok %s", a == 0 ? "-" : line_errno_name((int)a) == NULL ? "EIO" : line_errno_name((int)a));
    return true;
}

static bool serve_queued(struct server *s, char *at)
{
    char *which;
    int fd;

    if (!serve_socket_word(&at, &fd) || (which = line_word(&at)) == NULL ||
        (strcmp(which, "sent") != 0 && strcmp(which, "received") != 0))
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->queued(s->t, fd, strcmp(which, "sent") == 0), true);
}

static bool serve_info(struct server *s, char *at)
{
    struct target_info info;
    answer a;
    int fd;

    if (!serve_socket_word(&at, &fd))
        return serve_invalid(s);
    line_info_clear(&info);
    a = s->t->ops->info(s->t, fd, &info);
    if (a < 0)
        return serve_answer(s, a, false);
    line_printf(&s->answer, "ok %s", info.state == NULL ? "-" : info.state);
    for (const struct line_field *f = line_fields; f->name != NULL; f++)
        if (*line_info_number(&info, f) != -1)
            line_printf(&s->answer, " %s=%lld", f->name, (long long)*line_info_number(&info, f));
    return true;
}

static bool serve_call(struct server *s, char *at)
{
    char *name;
    int fd;

    if (!serve_socket_word(&at, &fd) || (name = line_word(&at)) == NULL)
        return serve_invalid(s);
    if (s->t->ops->call == NULL)
        return serve_answer(s, ANSWER_UNIMPLEMENTED, false);
    return serve_answer(s, s->t->ops->call(s->t, fd, name, line_word(&at)), true);
}

static bool serve_packet(struct server *s, char *at)
{
    uint8_t packet[TARGET_PACKET_MAX];
    int64_t len = line_octets(line_word(&at), packet, sizeof packet);

    if (len < 0)
        return serve_invalid(s);
    return serve_answer(s, s->t->ops->packet_in(s->t, packet, (size_t)len), false);
}

static bool serve_now(struct server *s, char *at)
{
    (void)at;
    line_printf(&s->answer, "ok %lld", (long long)s->t->ops->now(s->t));
    return true;
}

static bool serve_advance(struct server *s, char *at)
{
    int64_t until;
    answer a;

    if (!line_number(line_word(&at), &until))
        return serve_invalid(s);
    a = s->t->ops->advance(s->t, until);
    if (a < 0)
        return serve_answer(s, a, false);
    return serve_now(s, at);
}

static bool serve_trace(struct server *s, char *at)
{
    struct target_trace trace = {.state = NULL};

    (void)at;
    if (s->t->ops->trace == NULL)
        return serve_answer(s, ANSWER_UNIMPLEMENTED, false);
    s->t->ops->trace(s->t, &trace);
    line_printf(&s->answer, "ok %s", trace.state == NULL ? "-" : trace.state);
    for (int i = 0; i < trace.count; i++)
        line_printf(&s->answer, " %s@%s", trace.fired[i].row, trace.fired[i].state == NULL ? "-" : trace.fired[i].state);
    return true;
}

static bool serve_quit(struct server *s, char *at)
{
    (void)at;
    s->done = true;
    serve_ok(s);
    return true;
}

static const struct serve_command {
    const char *name;
    bool early; /* does not need a reset before it */
    bool (*run)(struct server *s, char *at);
} commands[] = {
    {"hello", true, serve_hello},      {"reset", true, serve_reset},       {"set", false, serve_set},
    {"socket", false, serve_socket},   {"listen", false, serve_listen},    {"connect", false, serve_connect},
    {"accept", false, serve_accept},   {"send", false, serve_send},        {"recv", false, serve_recv},
    {"shutdown", false, serve_shutdown}, {"close", false, serve_close},    {"abort", false, serve_abort},
    {"option", false, serve_option},   {"ready", false, serve_ready},      {"error", false, serve_error},
    {"queued", false, serve_queued},   {"info", false, serve_info},        {"call", false, serve_call},
    {"packet", false, serve_packet},   {"now", false, serve_now},          {"advance", false, serve_advance},
    {"trace", false, serve_trace},     {"quit", true, serve_quit},
};

static bool serve_command(struct server *s, char *line)
{
    char *at = line, *name = line_word(&at);

    line_clear(&s->answer);
    line_clear(&s->packets);
    for (size_t i = 0; name != NULL && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, name) == 0) {
            if (s->fresh && !commands[i].early)
                return serve_invalid(s);
            return commands[i].run(s, at);
        }
    return serve_answer(s, ANSWER_UNIMPLEMENTED, false);
}

/* Whether the line is for the next process, which then finds it and all behind it. */
static bool serve_hand_over(struct server *s, const char *line)
{
    if (s->held == NULL || s->fresh || strncmp(line, "reset ", 6) != 0)
        return false;
    if (s->len > SERVE_HELD_MAX)
        return false;
    s->line[s->used - 1] = '\n'; /* whole again */
    memcpy(s->held->text, s->line, s->len);
    s->held->len = s->len;
    return true;
}

static bool serve_take_over(struct server *s)
{
    s->line = malloc(SERVE_HELD_MAX);
    if (s->line == NULL)
        return false;
    s->cap = SERVE_HELD_MAX;
    s->len = s->held->len;
    memcpy(s->line, s->held->text, s->len);
    s->held->len = 0;
    return true;
}

static int serve_loop(struct server *s)
{
    char *line;
    int status = 0;

    if (s->held != NULL && !serve_take_over(s))
        return 1;
    while (status == 0 && !s->done && (line = serve_line(s)) != NULL) {
        if (serve_hand_over(s, line))
            status = SERVE_NEXT_PROCESS;
        else if (!serve_command(s, line))
            status = 1;
        else {
            if (!s->fresh)
                serve_packets(s);
            line_printf(&s->packets, "%s\n", s->answer.text == NULL ? "error ENOMEM" : s->answer.text);
            status = serve_write(s->out, &s->packets) ? 0 : 1;
        }
    }
    free(s->line);
    free(s->octets);
    line_free(&s->answer);
    line_free(&s->packets);
    return status;
}

int serve(struct target *t, int in, int out)
{
    struct server s = {.t = t, .in = in, .out = out, .fresh = true};

    return serve_loop(&s);
}

static int serve_child(struct target *(*make)(char *why, size_t cap), int in, int out, struct serve_held *held)
{
    struct server s = {.in = in, .out = out, .fresh = true, .held = held};
    char why[512] = "";
    int status;

    s.t = make(why, sizeof why);
    if (s.t == NULL) {
        (void)fprintf(stderr, "%s\n", why);
        return 2;
    }
    status = serve_loop(&s);
    s.t->ops->free(s.t);
    return status;
}

int serve_forked(struct target *(*make)(char *why, size_t cap), int in, int out)
{
    struct serve_held *held = mmap(NULL, sizeof *held, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;

    if (held == MAP_FAILED)
        return 1;
    do {
        pid_t child = fork();

        if (child == 0)
            _exit(serve_child(make, in, out, held));
        if (child < 0 || waitpid(child, &status, 0) < 0) {
            perror("a new process for the stack");
            return 1;
        }
    } while (WIFEXITED(status) && WEXITSTATUS(status) == SERVE_NEXT_PROCESS);
    (void)munmap(held, sizeof *held);
    if (WIFSIGNALED(status)) { /* whoever asks sees the same end */
        (void)signal(WTERMSIG(status), SIG_DFL);
        (void)raise(WTERMSIG(status));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
