/* target_exec.c - a stack behind a program that speaks the line protocol of FORMAT.md: the asking end. The program may be wrong,
 * slow or gone at any moment; each of these is a verdict with a sentence, and the next reset starts it afresh. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "line.h"

#define EXEC_LIMIT_MS 10000      /* for one answer */
#define EXEC_LAST_WORDS 600      /* of what it wrote to stderr */
#define EXEC_PACKETS_MAX 100000  /* before one answer */
#define EXEC_ROWS_MAX 500

struct exec_packet {
    struct exec_packet *next;
    int64_t when;
    size_t len;
    uint8_t octets[];
};

struct exec {
    struct target target;
    char *command;
    int limit_ms;
    pid_t pid;                  /* 0: not running */
    int in, out, err;           /* as the program sees them: 0, 1 and 2 */
    struct line_text asked;     /* the last line that went to it */
    char *read;                 /* what came from it */
    size_t read_len, read_cap, read_used;
    char *rest;                 /* of the last answer, after "ok" */
    char said[128];             /* how its last line begins */
    char last_words[EXEC_LAST_WORDS + 1];
    size_t last_words_len;
    struct exec_packet *first, **last;
    int packets;
    char features[512];         /* ",a,b,c," */
    bool tells_trace;
    char rows[EXEC_ROWS_MAX][16]; /* names of rows that were told: each stands once, and stays */
    int row_count;
    int64_t now;
    char why[1600];
};

static struct exec *exec_of(struct target *t)
{
    return (struct exec *)(void *)t;
}

/* ---- the process ---- */

static void exec_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void exec_forget_packets(struct exec *e)
{
    while (e->first != NULL) {
        struct exec_packet *p = e->first;

        e->first = p->next;
        free(p);
    }
    e->last = &e->first;
    e->packets = 0;
}

static int64_t exec_clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What it says to stderr: the end of it is kept. False when there is no more to come. */
static bool exec_listen(struct exec *e)
{
    char text[512];
    ssize_t n = read(e->err, text, sizeof text);
    size_t len = n < 0 ? 0 : (size_t)n, over;

    if (n == 0)
        exec_close(&e->err);
    if (n <= 0)
        return false;
    over = e->last_words_len + len > EXEC_LAST_WORDS ? e->last_words_len + len - EXEC_LAST_WORDS : 0;
    memmove(e->last_words, e->last_words + over, e->last_words_len - over);
    e->last_words_len -= over;
    memcpy(e->last_words + e->last_words_len, text, len);
    e->last_words_len += len;
    e->last_words[e->last_words_len] = '\0';
    return true;
}

/* Waits for the end that it is making by itself, then ends it; the process group, for there is a shell between. */
static int exec_reap(struct exec *e, bool patient)
{
    int status = 0;
    int64_t until = exec_clock_ms() + (patient ? 1000 : 0);

    if (e->pid == 0)
        return 0;
    while (waitpid(e->pid, &status, WNOHANG) == 0) {
        struct timespec nap = {0, 2000000};

        if (exec_clock_ms() >= until)
            (void)kill(-e->pid, SIGKILL);
        (void)nanosleep(&nap, NULL);
    }
    (void)kill(-e->pid, SIGKILL); /* what it left behind */
    e->pid = 0;
    return status;
}

static int exec_stop(struct exec *e, bool patient)
{
    int status;

    exec_close(&e->in);
    exec_close(&e->out);
    status = exec_reap(e, patient);
    while (e->err >= 0 && exec_listen(e))
        continue;
    exec_close(&e->err);
    exec_forget_packets(e);
    e->read_len = e->read_used = 0;
    return status;
}

/* Control characters out, line ends as " | ": for one line of a message. */
static void exec_one_line(const char *text, char *line, size_t cap)
{
    size_t n = 0;

    for (; *text != '\0' && n + 4 < cap; text++) {
        if (*text == '\n' && text[1] != '\0') {
            memcpy(line + n, " | ", 3);
            n += 3;
        } else if (*text != '\n') {
            line[n++] = (unsigned char)*text < 32 || (unsigned char)*text > 126 ? '?' : *text;
        }
    }
    line[n] = '\0';
}

/* Ends it and writes the sentence: what happened, on which command, how it ended, its last words. */
static answer exec_die(struct exec *e, bool ended_itself, const char *format, ...) __attribute__((__format__(__printf__, 3, 4)));
static answer exec_die(struct exec *e, bool ended_itself, const char *format, ...)
{
    char what[400], asked[120], words[EXEC_LAST_WORDS + 200], how[80] = "";
    int status = exec_stop(e, ended_itself);
    va_list list;

    va_start(list, format);
    (void)vsnprintf(what, sizeof what, format, list);
    va_end(list);
    exec_one_line(e->asked.text == NULL ? "" : e->asked.text, asked, 100);
    exec_one_line(e->last_words, words, sizeof words);
    if (ended_itself && WIFSIGNALED(status))
        (void)snprintf(how, sizeof how, "; killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (ended_itself)
        (void)snprintf(how, sizeof how, "; exit status %d", WEXITSTATUS(status));
    (void)snprintf(e->why, sizeof e->why, "the adapter %s, asked '%s%s'%s%s%s", what, asked,
                   e->asked.len > strlen(asked) + 1 ? "..." : "", how, *words == '\0' ? "" : "; its last words: ", words);
    return ANSWER_DEAD;
}

static void exec_child(const char *command, int in, int out, int err)
{
    (void)setpgid(0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2)
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool exec_spawn(struct exec *e)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};

    if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0 && (e->pid = fork()) == 0)
        exec_child(e->command, in[0], out[1], err[1]);
    exec_close(&in[0]);
    exec_close(&out[1]);
    exec_close(&err[1]);
    e->in = in[1];
    e->out = out[0];
    e->err = err[0];
    e->last_words_len = 0;
    e->last_words[0] = '\0';
    if (e->pid <= 0) {
        (void)snprintf(e->why, sizeof e->why, "cannot start '%.200s': %s", e->command, strerror(errno));
        e->pid = 0;
        (void)exec_stop(e, false);
        return false;
    }
    (void)setpgid(e->pid, e->pid); /* both sides, whoever is first */
    (void)fcntl(e->in, F_SETFL, O_NONBLOCK);
    (void)fcntl(e->out, F_SETFL, O_NONBLOCK);
    (void)fcntl(e->err, F_SETFL, O_NONBLOCK);
    return true;
}

/* ---- lines ---- */

/* Waits until it can be read from (or written to, if `writing`); stderr is heard meanwhile. 0, or the verdict. */
static answer exec_wait(struct exec *e, bool writing, int64_t until)
{
    for (;;) {
        struct pollfd fds[3] = {{e->out, POLLIN, 0}, {writing ? e->in : -1, POLLOUT, 0}, {e->err, POLLIN, 0}};
        int64_t left = until - exec_clock_ms();

        if (left <= 0)
            return exec_die(e, false, "gave no answer within %d.%03d s", e->limit_ms / 1000, e->limit_ms % 1000);
        if (poll(fds, 3, (int)left) < 0 && errno != EINTR)
            return exec_die(e, false, "cannot be waited for (%s)", strerror(errno));
        if (fds[2].revents != 0)
            (void)exec_listen(e);
        if (fds[writing ? 1 : 0].revents != 0)
            return 0;
    }
}

static answer exec_write(struct exec *e, int64_t until)
{
    size_t done = 0;

    while (done < e->asked.len) {
        ssize_t n = write(e->in, e->asked.text + done, e->asked.len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n < 0 && errno == EAGAIN) {
            answer a = exec_wait(e, true, until);

            if (a < 0)
                return a;
        } else if (n < 0 && errno != EINTR)
            return exec_die(e, true, "died");
    }
    return 0;
}

/* More of what it says, once there is something. */
static answer exec_read(struct exec *e, int64_t until)
{
    ssize_t n;

    if (e->read_cap - e->read_len < 4096) {
        size_t cap = e->read_cap == 0 ? 65536 : e->read_cap * 2;
        char *read_new = cap > 2 * LINE_MAX_OCTETS ? NULL : realloc(e->read, cap);

        if (read_new == NULL)
            return exec_die(e, false, "wrote a line without an end");
        e->read = read_new;
        e->read_cap = cap;
    }
    n = read(e->out, e->read + e->read_len, e->read_cap - e->read_len);
    if (n == 0)
        return exec_die(e, true, "died");
    if (n < 0 && errno == EAGAIN)
        return exec_wait(e, false, until);
    if (n < 0 && errno != EINTR)
        return exec_die(e, true, "cannot be read from (%s)", strerror(errno));
    e->read_len += n < 0 ? 0 : (size_t)n;
    return 0;
}

/* The next line into *line, which lives until the next call. */
static answer exec_line(struct exec *e, char **line, int64_t until)
{
    size_t from = 0;
    char *end;

    if (e->read_used > 0) {
        e->read_len -= e->read_used;
        memmove(e->read, e->read + e->read_used, e->read_len);
        e->read_used = 0;
    }
    while (e->read_len == from || (end = memchr(e->read + from, '\n', e->read_len - from)) == NULL) {
        answer a;

        from = e->read_len;
        a = exec_read(e, until);
        if (a < 0)
            return a;
    }
    e->read_used = (size_t)(end - e->read) + 1;
    *end = '\0';
    if (end > e->read && end[-1] == '\r')
        end[-1] = '\0';
    *line = e->read;
    return 0;
}

static answer exec_violation(struct exec *e, const char *expected)
{
    return exec_die(e, false, "broke the protocol: it answered '%s', expected %s", e->said, expected);
}

/* "T HEX" after "out": a packet into the queue. */
static answer exec_take_packet(struct exec *e, char *at)
{
    char *when_word = line_word(&at), *hex = line_word(&at);
    size_t len = hex == NULL ? 0 : strlen(hex) / 2;
    struct exec_packet *p;
    int64_t when;

    if (len == 0 || len > TARGET_PACKET_MAX || !line_number(when_word, &when) || when < 0)
        return exec_violation(e, "'out MICROSECONDS HEX' with one whole IP packet");
    if (e->packets >= EXEC_PACKETS_MAX)
        return exec_violation(e, "an answer: it sent more than 100000 packets instead");
    p = malloc(sizeof *p + len);
    if (p == NULL)
        return exec_die(e, false, "sent more than memory holds");
    p->next = NULL;
    p->when = when;
    p->len = len;
    if (line_octets(hex, p->octets, len) != (int64_t)len) {
        free(p);
        return exec_violation(e, "pairs of hexadecimal digits after 'out MICROSECONDS'");
    }
    *e->last = p;
    e->last = &p->next;
    e->packets++;
    return 0;
}

/* Reads lines up to the answer. "ok": 0, with e->rest on what follows. */
static answer exec_answer(struct exec *e, int64_t until)
{
    for (;;) {
        char *line, *at, *word;
        answer a = exec_line(e, &line, until);

        if (a < 0)
            return a;
        at = line;
        e->rest = NULL;
        exec_one_line(line, e->said, sizeof e->said);
        if (strncmp(line, "out ", 4) == 0) {
            a = exec_take_packet(e, line + 4);
            if (a < 0)
                return a;
            continue;
        }
        if (strcmp(line, "ok") == 0 || strncmp(line, "ok ", 3) == 0) {
            e->rest = line + (line[2] == '\0' ? 2 : 3);
            return 0;
        }
        if (strcmp(line, "unimplemented") == 0)
            return ANSWER_UNIMPLEMENTED;
        if (strncmp(line, "error ", 6) == 0) {
            at += 6;
            word = line_word(&at);
            if (line_errno(word) == 0 || line_word(&at) != NULL)
                return exec_violation(e, "'error' and the name of one errno, such as ECONNRESET");
            return ANSWER_ERRNO(line_errno(word));
        }
        return exec_violation(e, "'ok ...', 'error NAME' or 'unimplemented', and 'out TIME HEX' before it");
    }
}

/* Sends e->asked and waits for the answer. */
static answer exec_exchange(struct exec *e)
{
    int64_t until = exec_clock_ms() + e->limit_ms;
    answer a;

    if (e->pid == 0)
        return ANSWER_DEAD;
    if (e->asked.failed)
        return exec_die(e, false, "was to be sent more than memory holds");
    a = exec_write(e, until);
    if (a < 0)
        return a;
    return exec_answer(e, until);
}

static answer exec_ask(struct exec *e, const char *format, ...) __attribute__((__format__(__printf__, 2, 3)));
static answer exec_ask(struct exec *e, const char *format, ...)
{
    char text[256];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    line_clear(&e->asked);
    line_printf(&e->asked, "%s\n", text);
    return exec_exchange(e);
}

/* The answer must be a number from 0. */
static answer exec_number(struct exec *e, answer a)
{
    int64_t number;

    if (a < 0)
        return a;
    if (!line_number(line_word(&e->rest), &number) || number < 0)
        return exec_violation(e, "'ok' and a number");
    return number;
}

/* ---- hello ---- */

static const struct target_ops exec_ops, exec_ops_real;

static bool exec_hello_word(struct exec *e, const char *word)
{
    if (strcmp(word, "clock=real") == 0)
        e->target.ops = &exec_ops_real;
    else if (strcmp(word, "clock=virtual") == 0)
        e->target.ops = &exec_ops;
    else if (strcmp(word, "trace=1") == 0)
        e->tells_trace = true;
    else if (strncmp(word, "features=", 9) == 0 && strlen(word) < sizeof e->features - 12)
        (void)snprintf(e->features, sizeof e->features, ",%s,", word + 9);
    else if (strchr(word, '=') == NULL) /* names to come are passed over */
        return false;
    return true;
}

static bool exec_hello(struct exec *e)
{
    answer a = exec_ask(e, "hello %d", LINE_VERSION);
    char *word;

    e->features[0] = '\0';
    e->tells_trace = false;
    a = exec_number(e, a);
    if (a == ANSWER_DEAD)
        return false;
    if (a != LINE_VERSION) {
        (void)exec_violation(e, "'ok 1 name=... clock=virtual features=a,b,c'");
        return false;
    }
    while ((word = line_word(&e->rest)) != NULL)
        if (!exec_hello_word(e, word)) {
            (void)exec_violation(e, "words 'name=...', 'clock=...', 'features=a,b,c' in the answer");
            return false;
        }
    return true;
}

static bool exec_start(struct exec *e)
{
    return e->pid != 0 || (exec_spawn(e) && exec_hello(e));
}

/* ---- the functions of a target ---- */

static bool exec_reset(struct target *t, const struct target_world *world)
{
    struct exec *e = exec_of(t);
    answer a;

    if (!exec_start(e))
        return false;
    exec_forget_packets(e);
    e->now = 0;
    line_clear(&e->asked);
    line_printf(&e->asked, "reset ");
    line_address_print(&e->asked, world->v6, world->local);
    line_printf(&e->asked, " ");
    line_address_print(&e->asked, world->v6, world->remote);
    line_printf(&e->asked, " %u %u\n", world->listen_port, world->remote_port);
    a = exec_exchange(e);
    if (a < 0 && a != ANSWER_DEAD)
        (void)exec_violation(e, "'ok': a reset must work");
    return a == 0;
}

/* Scripts may write anything; a word of the protocol has no blanks and no line end. */
static bool exec_is_word(const char *text)
{
    return *text != '\0' && strlen(text) < 100 && strpbrk(text, " \t\r\n") == NULL;
}

static answer exec_set(struct target *t, const char *name, const char *value)
{
    if (!exec_is_word(name) || !exec_is_word(value))
        return ANSWER_ERRNO(EINVAL);
    return exec_ask(exec_of(t), "set %s %s", name, value);
}

static answer exec_socket(struct target *t)
{
    return exec_number(exec_of(t), exec_ask(exec_of(t), "socket"));
}

static answer exec_listen_call(struct target *t, int socket, uint16_t port, int backlog)
{
    return exec_ask(exec_of(t), "listen %d %u %d", socket, port, backlog);
}

static answer exec_connect(struct target *t, int socket, uint16_t port)
{
    return exec_ask(exec_of(t), "connect %d %u", socket, port);
}

static answer exec_accept(struct target *t, int socket)
{
    return exec_number(exec_of(t), exec_ask(exec_of(t), "accept %d", socket));
}

static answer exec_send(struct target *t, int socket, const uint8_t *octets, size_t len, int flags)
{
    struct exec *e = exec_of(t);

    if (line_bits_unknown(line_flags, flags) != 0)
        return ANSWER_UNIMPLEMENTED;
    line_clear(&e->asked);
    line_printf(&e->asked, "send %d ", socket);
    line_bits(&e->asked, line_flags, flags);
    line_printf(&e->asked, " ");
    line_hex(&e->asked, octets, len);
    line_printf(&e->asked, "\n");
    return exec_number(e, exec_exchange(e));
}

static answer exec_recv(struct target *t, int socket, uint8_t *octets, size_t cap, int flags)
{
    struct exec *e = exec_of(t);
    answer a;

    if (line_bits_unknown(line_flags, flags) != 0)
        return ANSWER_UNIMPLEMENTED;
    line_clear(&e->asked);
    line_printf(&e->asked, "recv %d ", socket);
    line_bits(&e->asked, line_flags, flags);
    line_printf(&e->asked, " %zu\n", cap);
    a = exec_exchange(e);
    if (a < 0)
        return a;
    a = line_octets(line_word(&e->rest), octets, cap);
    return a < 0 ? exec_violation(e, "'ok HEX', at most as many octets as asked for; 'ok -' at the end of the stream") : a;
}

static answer exec_shutdown(struct target *t, int socket, int how)
{
    return exec_ask(exec_of(t), "shutdown %d %s", socket, how == SHUT_RD ? "rd" : how == SHUT_WR ? "wr" : "rdwr");
}

static answer exec_close_call(struct target *t, int socket)
{
    return exec_ask(exec_of(t), "close %d", socket);
}

static answer exec_abort(struct target *t, int socket)
{
    return exec_ask(exec_of(t), "abort %d", socket);
}

static answer exec_option(struct target *t, int socket, const char *name, int64_t value)
{
    if (!exec_is_word(name))
        return ANSWER_UNIMPLEMENTED;
    return exec_ask(exec_of(t), "option %d %s %lld", socket, name, (long long)value);
}

static answer exec_ready(struct target *t, int socket)
{
    struct exec *e = exec_of(t);
    answer a = exec_ask(e, "ready %d", socket);
    int bits;

    if (a < 0)
        return a;
    if (!line_bits_read(line_word(&e->rest), line_ready, &bits))
        return exec_violation(e, "'ok' and some of in,out,pri,err,hup,rdhup, or 'ok -'");
    return bits;
}

static answer exec_error(struct target *t, int socket)
{
    struct exec *e = exec_of(t);
    answer a = exec_ask(e, "error %d", socket);
    char *word;

    if (a < 0)
        return a;
    word = line_word(&e->rest);
    if (word != NULL && strcmp(word, "-") == 0)
        return 0;
    return line_errno(word) == 0 ? exec_violation(e, "'ok' and the name of an errno, or 'ok -'") : line_errno(word);
}

static answer exec_queued(struct target *t, int socket, bool sent)
{
    return exec_number(exec_of(t), exec_ask(exec_of(t), "queued %d %s", socket, sent ? "sent" : "received"));
}

static answer exec_info_word(struct exec *e, char *word, struct target_info *info)
{
    char *value = strchr(word, '=');
    int64_t number;

    if (value == NULL || !line_number(value + 1, &number))
        return exec_violation(e, "'name=number'");
    *value = '\0';
    for (const struct line_field *f = line_fields; f->name != NULL; f++)
        if (strcmp(f->name, word) == 0)
            *line_info_number(info, f) = number;
    return 0;
}

static answer exec_info(struct target *t, int socket, struct target_info *info)
{
    struct exec *e = exec_of(t);
    answer a = exec_ask(e, "info %d", socket);
    char *word;

    line_info_clear(info);
    if (a < 0)
        return a;
    word = line_word(&e->rest);
    info->state = line_state(word);
    if (info->state == NULL && (word == NULL || strcmp(word, "-") != 0))
        return exec_violation(e, "a state of RFC 9293 3.3.2 after 'ok', or '-'");
    while (a == 0 && (word = line_word(&e->rest)) != NULL)
        a = exec_info_word(e, word, info);
    return a;
}

static answer exec_call(struct target *t, int socket, const char *name, const char *word)
{
    struct exec *e = exec_of(t);

    if (!exec_is_word(name) || (word != NULL && !exec_is_word(word)))
        return ANSWER_UNIMPLEMENTED;
    return exec_number(e, exec_ask(e, "call %d %s%s%s", socket, name, word == NULL ? "" : " ", word == NULL ? "" : word));
}

static answer exec_packet_in(struct target *t, const uint8_t *octets, size_t len)
{
    struct exec *e = exec_of(t);

    line_clear(&e->asked);
    line_printf(&e->asked, "packet ");
    line_hex(&e->asked, octets, len);
    line_printf(&e->asked, "\n");
    return exec_exchange(e);
}

static answer exec_packet_out(struct target *t, uint8_t *octets, size_t cap, int64_t *when)
{
    struct exec *e = exec_of(t);
    struct exec_packet *p;
    size_t len;

    if (e->first == NULL && e->pid != 0 && t->ops->real_time) { /* what came since: any answer brings it */
        answer a = exec_number(e, exec_ask(e, "now"));

        if (a < 0)
            return a;
    }
    p = e->first;
    if (p == NULL)
        return e->pid == 0 ? ANSWER_DEAD : 0;
    len = p->len < cap ? p->len : cap;
    memcpy(octets, p->octets, len);
    *when = p->when;
    e->first = p->next;
    if (e->first == NULL)
        e->last = &e->first;
    e->packets--;
    free(p);
    return (answer)len;
}

static int64_t exec_now(struct target *t)
{
    struct exec *e = exec_of(t);

    if (t->ops->real_time) {
        answer a = exec_number(e, exec_ask(e, "now"));

        if (a >= 0)
            e->now = a;
    }
    return e->now;
}

static answer exec_advance(struct target *t, int64_t until)
{
    struct exec *e = exec_of(t);
    answer a = exec_number(e, exec_ask(e, "advance %lld", (long long)until));

    if (a < 0)
        return a;
    if (a < e->now || (!t->ops->real_time && a > until && until >= e->now))
        return exec_violation(e, "'ok TIME', not before the time it was and not after the time asked for");
    e->now = a;
    return 0;
}

static const char *exec_row(struct exec *e, const char *word)
{
    for (int i = 0; i < e->row_count; i++)
        if (strncmp(e->rows[i], word, sizeof e->rows[0] - 1) == 0)
            return e->rows[i];
    if (e->row_count == EXEC_ROWS_MAX)
        return "?";
    (void)snprintf(e->rows[e->row_count], sizeof e->rows[0], "%s", word);
    return e->rows[e->row_count++];
}

/* "A6@FIN-WAIT-1": a row, and the state it fired in. */
static void exec_trace_row(struct exec *e, char *word, struct target_trace *trace)
{
    char *state = strchr(word, '@');
    size_t len = strlen(trace->text);
    const char *row;

    if (state != NULL)
        *state++ = '\0';
    row = exec_row(e, word);
    trace->fired[trace->count].row = row;
    trace->fired[trace->count++].state = line_state(state);
    (void)snprintf(trace->text + len, sizeof trace->text - len, "%s%s", len == 0 ? "" : " ", row);
}

static void exec_trace(struct target *t, struct target_trace *trace)
{
    struct exec *e = exec_of(t);
    char *word;

    trace->text[0] = '\0';
    trace->state = NULL;
    trace->count = 0;
    if (!e->tells_trace || exec_ask(e, "trace") != 0)
        return;
    trace->state = line_state(line_word(&e->rest));
    while (trace->count < TARGET_ROWS_MAX && (word = line_word(&e->rest)) != NULL)
        exec_trace_row(e, word, trace);
}

static const char *exec_why(struct target *t)
{
    return exec_of(t)->why;
}

static bool exec_has(struct target *t, const char *need)
{
    char word[64];
    int len = snprintf(word, sizeof word, ",%s,", need);

    return len > 0 && (size_t)len < sizeof word && strstr(exec_of(t)->features, word) != NULL;
}

static void exec_free(struct target *t)
{
    struct exec *e = exec_of(t);

    if (e->pid != 0)
        (void)exec_ask(e, "quit");
    (void)exec_stop(e, true);
    line_free(&e->asked);
    free(e->read);
    free(e->command);
    free(e);
}

#define EXEC_OPS(real) \
    { \
        .name = "exec", .real_time = (real), .reset = exec_reset, .set = exec_set, .socket = exec_socket, \
        .listen = exec_listen_call, .connect = exec_connect, .accept = exec_accept, .send = exec_send, .recv = exec_recv, \
        .shutdown = exec_shutdown, .close = exec_close_call, .abort = exec_abort, .option = exec_option, .ready = exec_ready, \
        .error = exec_error, .queued = exec_queued, .info = exec_info, .call = exec_call, .packet_in = exec_packet_in, \
        .packet_out = exec_packet_out, .now = exec_now, .advance = exec_advance, .trace = exec_trace, .why = exec_why, \
        .has = exec_has, .free = exec_free \
    }
static const struct target_ops exec_ops = EXEC_OPS(false);
static const struct target_ops exec_ops_real = EXEC_OPS(true);

answer target_exec_ask(struct target *t, const char *command, char *reply, size_t cap)
{
    struct exec *e = exec_of(t);
    answer a;

    if (t->ops != &exec_ops && t->ops != &exec_ops_real)
        return ANSWER_UNIMPLEMENTED;
    if (!exec_start(e))
        return ANSWER_DEAD;
    line_clear(&e->asked);
    line_printf(&e->asked, "%s\n", command);
    a = exec_exchange(e);
    if (a == 0 && strlen(e->rest) >= cap)
        return exec_violation(e, "a shorter answer");
    (void)snprintf(reply, cap, "%s", a == 0 ? e->rest : "");
    return a;
}

void target_exec_limit(struct target *t, int milliseconds)
{
    exec_of(t)->limit_ms = milliseconds;
}

struct target *target_exec_new(const char *command, char *why, size_t cap)
{
    struct exec *e = calloc(1, sizeof *e);

    if (e == NULL || (e->command = strdup(command)) == NULL) {
        free(e);
        (void)snprintf(why, cap, "out of memory");
        return NULL;
    }
    e->target.ops = &exec_ops;
    e->limit_ms = EXEC_LIMIT_MS;
    e->in = e->out = e->err = -1;
    e->last = &e->first;
    (void)signal(SIGPIPE, SIG_IGN); /* a program that is gone is told by the write */
    if (!exec_start(e)) {
        (void)snprintf(why, cap, "%s", e->why);
        exec_free(&e->target);
        return NULL;
    }
    return &e->target;
}
