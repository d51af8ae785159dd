/* app_http.c - HTTP/1.1 (RFC 9110, 9112) as one user of TCP: GET, HEAD, PUT, ranges, keep-alive, 100-continue.
 *
 * A session is a small machine: HEAD -> (SENDING | RECEIVING) -> HEAD ... -> ENDING. Each step moves what the rings
 * allow; a step that can do nothing says what it waits for. Reading of the head is http.c's, files are site.c's. */
#define _GNU_SOURCE
#include "tun/programs/app.h"
#include "tun/programs/http.h"
#include "tun/programs/sha256.h"
#include "tun/programs/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HTTP_STEPS_MAX 16 /* in one turn: other connections wait */

enum http_state { HTTP_STATE_HEAD, HTTP_STATE_SENDING, HTTP_STATE_RECEIVING, HTTP_STATE_ENDING };

struct http_session {
    struct session base;
    enum http_state state;
    bool last;         /* the connection ends after this response */
    int file;          /* being sent; -1: none, or synthetic */
    uint64_t at, left; /* of the body */
    weir_us begun_at;
    struct site_part part;
    struct sha256 sum; /* of a synthetic upload */
    size_t reply_len, reply_sent;
    char reply[768]; /* heads and short bodies */
    struct http_request request;
    struct http_parser parser;
};

enum http_step { HTTP_GO, HTTP_WAIT_READ, HTTP_WAIT_WRITE, HTTP_STOP };

static struct http_session *http_of(struct session *s)
{
    return (struct http_session *)s;
}

/* ---- replies ---- */

static const char *http_date(char text[40])
{
    struct tm parts;
    time_t seconds = time(NULL);
    if (gmtime_r(&seconds, &parts) == NULL || strftime(text, 40, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        text[0] = '\0';
    return text;
}

static void http_reply_head(struct http_session *h, int status, uint64_t body_len, const char *more)
{
    char date[40];
    int len = snprintf(h->reply, sizeof h->reply,
                       "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: weir-tun/" WEIR_VERSION "\r\n%sContent-Length: %llu\r\n"
                       "Connection: %s\r\n\r\n",
                       status, http_reason(status), http_date(date), more, (unsigned long long)body_len,
                       h->last ? "close" : "keep-alive");
    h->reply_len = len > 0 && (size_t)len < sizeof h->reply ? (size_t)len : 0;
    h->reply_sent = 0;
}

/* A reply that is nothing but a line of text. */
static void http_reply_text(struct http_session *h, int status, const char *text, const char *more)
{
    size_t text_len = strlen(text);
    http_reply_head(h, status, text_len, more);
    if (h->request.method != HTTP_HEAD && h->reply_len + text_len <= sizeof h->reply) {
        memcpy(h->reply + h->reply_len, text, text_len);
        h->reply_len += text_len;
    }
}

static void http_log(const struct instance *in, const struct http_session *h, int status, uint64_t octets)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT"};
    char took[WEIR_AMOUNT_TEXT];
    tell(in, "%s /%s %d, %llu octets, %s", methods[h->request.method], h->request.path, status,
         (unsigned long long)octets, weir_format_duration(took, in->now - h->begun_at));
}

/* The connection may not go on after this: what follows cannot be told from a body that nobody wanted. */
static void http_refuse(struct instance *in, struct http_session *h, int status)
{
    char text[96];
    h->last = true;
    (void)snprintf(text, sizeof text, "%d %s\n", status, http_reason(status));
    http_reply_text(h, status, text, status == 405 ? "Allow: GET, HEAD, PUT\r\n" : "");
    h->state = HTTP_STATE_ENDING;
    http_log(in, h, status, 0);
}

/* After a whole response. */
static void http_again(struct instance *in, struct http_session *h)
{
    if (h->file >= 0)
        (void)close(h->file);
    h->file = -1;
    h->last = h->last || in->quitting != 0;
    h->state = h->last ? HTTP_STATE_ENDING : HTTP_STATE_HEAD;
    h->parser.status = 0;
    h->parser.len = 0;
    h->parser.skipped = false;
}

/* ---- GET and HEAD ---- */

static void http_get_range(struct instance *in, struct http_session *h, uint64_t total_len)
{
    char more[128] = "Content-Type: application/octet-stream\r\nAccept-Ranges: bytes\r\n";
    if (!http_range_of(&h->request, total_len, &h->at, &h->left)) {
        (void)snprintf(more, sizeof more, "Content-Range: bytes */%llu\r\n", (unsigned long long)total_len);
        http_reply_text(h, 416, "416 Range Not Satisfiable\n", more);
        http_log(in, h, 416, 0);
        http_again(in, h);
        return;
    }
    if (h->request.has_range)
        (void)snprintf(
            more, sizeof more, "Content-Type: application/octet-stream\r\nContent-Range: bytes %llu-%llu/%llu\r\n",
            (unsigned long long)h->at, (unsigned long long)(h->at + h->left - 1), (unsigned long long)total_len);
    http_reply_head(h, h->request.has_range ? 206 : 200, h->left, more);
    http_log(in, h, h->request.has_range ? 206 : 200, h->left);
    if (h->request.method == HTTP_HEAD)
        h->left = 0;
    h->state = HTTP_STATE_SENDING;
}

static void http_get(struct instance *in, struct http_session *h)
{
    uint64_t total_len = in->state.http->synthetic_len;
    if (in->state.http->folder >= 0) {
        int file = site_open(in->state.http, h->request.path, &total_len);
        if (file < 0) {
            char text[64];
            (void)snprintf(text, sizeof text, "%d %s\n", -file, http_reason(-file));
            http_reply_text(h, -file, text, "");
            http_log(in, h, -file, 0);
            http_again(in, h);
            return;
        }
        h->file = file;
    }
    http_get_range(in, h, total_len);
}

/* Straight from the file into the send ring. False: the file has become shorter than was promised. */
static bool http_fill(struct instance *in, struct http_session *h, uint8_t *room, size_t *len)
{
    if (h->file < 0) {
        site_synthetic(in->state.http->seed, h->at, room, *len);
        return true;
    }
    ssize_t got = pread(h->file, room, *len, (off_t)h->at);
    *len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static enum http_step http_send_body(struct instance *in, struct http_session *h)
{
    weir_conn *c = run_conn(in, &h->base);
    size_t len;
    uint8_t *room = weir_tx_reserve(c, &len);
    if (h->left == 0) {
        http_again(in, h);
        return HTTP_GO;
    }
    if (len == 0)
        return HTTP_WAIT_WRITE;
    if (len > h->left)
        len = (size_t)h->left;
    if (!http_fill(in, h, room, &len)) {
        complain("/%s: cannot be read to its end; connection reset", h->request.path);
        run_abort(in, &h->base);
        return HTTP_STOP;
    }
    h->at += len;
    h->left -= len;
    (void)weir_tx_commit(c, len, h->left == 0 ? WEIR_SEND_PUSH : WEIR_SEND_MORE, in->now);
    return HTTP_GO;
}

/* ---- PUT ---- */

static void http_put(struct instance *in, struct http_session *h)
{
    if (in->state.http->folder >= 0) {
        int status = site_part_begin(in->state.http, h->request.path, &h->part);
        if (status != 200) {
            http_refuse(in, h, status);
            return;
        }
    } else
        sha256_begin(&h->sum);
    h->left = h->request.content_len;
    h->state = HTTP_STATE_RECEIVING;
    if (h->request.expect_continue && h->request.minor == 1 && h->left > 0) {
        static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
        memcpy(h->reply, line, sizeof line - 1);
        h->reply_len = sizeof line - 1;
        h->reply_sent = 0;
    }
}

static void http_put_finish(struct instance *in, struct http_session *h)
{
    h->last = h->last || in->quitting != 0;
    if (in->state.http->folder >= 0) {
        int status = site_part_finish(&h->part);
        if (status >= 300) {
            http_refuse(in, h, status);
            return;
        }
        http_reply_text(h, status == 204 ? 200 : 201, "", "");
    } else {
        char text[SHA256_TEXT + 1];
        sha256_text(&h->sum, text);
        memcpy(text + SHA256_TEXT - 1, "\n", 2);
        http_reply_text(h, 200, text, "Content-Type: text/plain\r\n");
    }
    http_log(in, h, 201, h->request.content_len);
    http_again(in, h);
}

static enum http_step http_receive_body(struct instance *in, struct http_session *h)
{
    weir_conn *c = run_conn(in, &h->base);
    size_t len;
    int status = 200;
    const uint8_t *octets = weir_rx_peek(c, &len);
    if (h->left == 0) {
        http_put_finish(in, h);
        return HTTP_GO;
    }
    if (len == 0) {
        if ((weir_events(c) & WEIR_EV_PEER_FIN) == 0)
            return HTTP_WAIT_READ;
        tell(in, "PUT /%s: the peer closed with %llu octets to come", h->request.path, (unsigned long long)h->left);
        run_done(in, &h->base);
        return HTTP_STOP;
    }
    if (len > h->left)
        len = (size_t)h->left;
    if (in->state.http->folder >= 0)
        status = site_part_write(&h->part, octets, len);
    else
        sha256_add(&h->sum, octets, len);
    (void)weir_rx_consume(c, len, in->now);
    h->left -= len;
    if (status != 200) {
        site_part_drop(&h->part);
        http_refuse(in, h, status);
    }
    return HTTP_GO;
}

/* ---- the session ---- */

static enum http_step http_read_head(struct instance *in, struct http_session *h)
{
    weir_conn *c = run_conn(in, &h->base);
    size_t len;
    const uint8_t *octets = weir_rx_peek(c, &len);
    if (len == 0) {
        if ((weir_events(c) & WEIR_EV_PEER_FIN) == 0)
            return HTTP_WAIT_READ;
        run_done(in, &h->base);
        return HTTP_STOP;
    }
    len = http_parser_take(&h->parser, octets, len, &h->request);
    (void)weir_rx_consume(c, len, in->now);
    if (h->parser.status == 0)
        return HTTP_GO;
    h->begun_at = in->now;
    if (h->parser.status != 200) {
        http_refuse(in, h, h->parser.status);
        return HTTP_GO;
    }
    h->last = !h->request.keep_alive || in->quitting != 0;
    if (h->request.method == HTTP_PUT)
        http_put(in, h);
    else
        http_get(in, h);
    return HTTP_GO;
}

/* True: the reply is in the send ring. */
static bool http_send_reply(struct instance *in, struct http_session *h)
{
    size_t sent = 0;
    if (h->reply_sent == h->reply_len)
        return true;
    weir_slice rest = {(const uint8_t *)h->reply + h->reply_sent, h->reply_len - h->reply_sent};
    unsigned flags = h->state == HTTP_STATE_SENDING && h->left > 0 ? WEIR_SEND_MORE : WEIR_SEND_PUSH;
    (void)weir_send(run_conn(in, &h->base), rest, flags, &sent, in->now);
    h->reply_sent += sent;
    return h->reply_sent == h->reply_len;
}

/* Our FIN behind the reply; what still comes is dropped, so that no RST can overtake the reply (RFC 9112 9.6). */
static enum http_step http_end(struct instance *in, struct http_session *h)
{
    run_close(in, &h->base);
    if (!run_drain(in, &h->base, NULL))
        return HTTP_WAIT_READ;
    run_done(in, &h->base);
    return HTTP_STOP;
}

static enum http_step http_step(struct instance *in, struct http_session *h)
{
    if (!http_send_reply(in, h))
        return HTTP_WAIT_WRITE;
    switch (h->state) {
    case HTTP_STATE_HEAD:
        return http_read_head(in, h);
    case HTTP_STATE_SENDING:
        return http_send_body(in, h);
    case HTTP_STATE_RECEIVING:
        return http_receive_body(in, h);
    default:
        return http_end(in, h);
    }
}

static unsigned http_serve(struct instance *in, struct session *s, unsigned events)
{
    struct http_session *h = http_of(s);
    enum http_step step = HTTP_GO;
    (void)events;
    for (unsigned i = 0; i < HTTP_STEPS_MAX && step == HTTP_GO; i++)
        step = http_step(in, h);
    if (step == HTTP_STOP)
        return 0;
    if (step == HTTP_WAIT_READ)
        return WEIR_EV_READABLE | WEIR_EV_PEER_FIN;
    return WEIR_EV_WRITABLE | (step == HTTP_GO ? WEIR_EV_READABLE : 0);
}

static void http_opened(struct instance *in, struct session *s)
{
    struct http_session *h = http_of(s);
    (void)in;
    h->file = h->part.file = h->part.folder = -1;
}

static void http_ended(struct instance *in, struct session *s, weir_err err)
{
    struct http_session *h = http_of(s);
    if (!s->connected)
        return;
    if (err != WEIR_ERR_NONE && h->state != HTTP_STATE_HEAD)
        tell(in, "/%s: connection ended early: %s", h->request.path, weir_err_name(err));
    if (h->file >= 0)
        (void)close(h->file);
    site_part_drop(&h->part);
}

/* A response, or a request that has begun, is seen to its end when the program is told to close. */
static bool http_lingers(const struct session *s)
{
    const struct http_session *h = (const struct http_session *)s;
    return h->state != HTTP_STATE_HEAD || h->parser.len > 0 || h->reply_sent < h->reply_len;
}

static bool http_start(struct instance *in)
{
    const struct options *o = in->options;
    struct http_site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        complain("out of memory");
        return false;
    }
    in->state.http = site;
    site->folder = -1;
    site->synthetic_len = o->synthetic_len;
    site->seed = o->device.seed;
    if (o->synthetic_given)
        return true;
    site->folder = open(o->args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->folder < 0)
        complain("%s: %s; name a folder to serve", o->args[0], strerror(errno));
    return site->folder >= 0;
}

static void http_stop(struct instance *in)
{
    struct http_site *site = in->state.http;
    if (site != NULL && site->folder >= 0)
        (void)close(site->folder);
    free(site);
}

const struct app app_http = {
    .session_size = sizeof(struct http_session),
    .port = 80,
    .idle_us = 60 * UINT64_C(1000000),
    .start = http_start,
    .opened = http_opened,
    .serve = http_serve,
    .lingers = http_lingers,
    .ended = http_ended,
    .stop = http_stop,
};
