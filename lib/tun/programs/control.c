/* control.c - `weir-tun stats`: a local stream socket on which a running instance says how it is, once, to each who connects.
 *
 * The client sends one octet, 't' for text or 'j' for JSON, and reads to the end. One client at a time; others wait. */
#define _GNU_SOURCE
#include "tun/programs/app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct control {
    int listener, client; /* -1: none */
    char *answer;         /* from open_memstream; NULL: the question has not come yet */
    size_t len, sent;
    const char *path;
};

static bool control_address(const char *path, struct sockaddr_un *address)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        complain("--control %s: longer than %zu octets, which the system allows; use a shorter path", path,
                 sizeof address->sun_path - 1);
        return false;
    }
    memcpy(address->sun_path, path, strlen(path));
    return true;
}

/* A socket file that nobody listens on any more is left over from an instance that was killed. */
static void control_clear(const char *path, const struct sockaddr_un *address)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
        (void)unlink(path);
    if (fd >= 0)
        (void)close(fd);
}

struct control *control_open(const char *path)
{
    struct sockaddr_un address;
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL || !control_address(path, &address)) {
        free(control);
        return NULL;
    }
    control_clear(path, &address);
    control->client = -1;
    control->path = path;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(077);
    bool bound = control->listener >= 0 &&
                 bind(control->listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
                 listen(control->listener, 8) == 0;
    int error = errno;
    (void)umask(mask);
    if (!bound) {
        complain("--control %s: %s; choose another path", path, strerror(error));
        control->path = NULL;
        control_close(control);
        return NULL;
    }
    return control;
}

static void control_hang_up(struct control *control)
{
    if (control->client >= 0)
        (void)close(control->client);
    free(control->answer);
    control->answer = NULL;
    control->client = -1;
}

void control_close(struct control *control)
{
    if (control == NULL)
        return;
    control_hang_up(control);
    if (control->listener >= 0)
        (void)close(control->listener);
    if (control->path != NULL)
        (void)unlink(control->path);
    free(control);
}

size_t control_fds(const struct control *control, struct pollfd fds[2])
{
    if (control == NULL)
        return 0;
    if (control->client < 0)
        fds[0] = (struct pollfd){.fd = control->listener, .events = POLLIN};
    else
        fds[0] = (struct pollfd){.fd = control->client, .events = control->answer != NULL ? POLLOUT : POLLIN};
    return 1;
}

static void control_question(struct control *control, const struct instance *in)
{
    char kind;
    if (read(control->client, &kind, 1) != 1) {
        control_hang_up(control);
        return;
    }
    FILE *to = open_memstream(&control->answer, &control->len);
    if (to == NULL) {
        control_hang_up(control);
        return;
    }
    print_stack(to, in, kind == 'j');
    (void)fclose(to);
    control->sent = 0;
}

static void control_send(struct control *control)
{
    ssize_t sent = send(control->client, control->answer + control->sent, control->len - control->sent,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        control->sent += (size_t)sent;
    if ((sent < 0 && errno != EAGAIN) || control->sent == control->len)
        control_hang_up(control);
}

void control_turn(struct control *control, const struct pollfd *fds, size_t count, const struct instance *in)
{
    if (control == NULL || count == 0 || fds[0].revents == 0)
        return;
    if (control->client < 0)
        control->client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    else if (control->answer == NULL)
        control_question(control, in);
    else
        control_send(control);
}

int control_ask(const char *path, bool json)
{
    struct sockaddr_un address;
    char octets[4096];
    ssize_t got;
    if (!control_address(path, &address))
        return EXIT_USAGE;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        complain("%s: %s; is a weir-tun running with --control %s?", path, strerror(errno), path);
        return EXIT_FAILED;
    }
    bool fine = write(fd, json ? "j" : "t", 1) == 1;
    while (fine && (got = read(fd, octets, sizeof octets)) > 0)
        fine = fwrite(octets, 1, (size_t)got, stdout) == (size_t)got;
    (void)close(fd);
    return fine && fflush(stdout) == 0 ? EXIT_FINE : EXIT_FAILED;
}
