/* http.h - the head of an HTTP/1.1 request: octets in, a request or the status of its refusal out.
 *
 * As much of RFC 9112 and RFC 9110 as one user of a TCP needs. Knows no connection and no file. Strict where leniency
 * has let requests be smuggled: bare CR or LF, folded lines, blanks before a colon, a second Content-Length, and
 * Content-Length beside Transfer-Encoding are refused. */
#ifndef WEIR_TUN_HTTP_H
#define WEIR_TUN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_PATH_MAX 256

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT };

struct http_request {
    enum http_method method;
    uint8_t minor; /* HTTP/1.minor: 0 or 1 */
    bool keep_alive, expect_continue, has_host, has_length, has_range;
    bool range_suffix; /* the last range_to octets */
    uint64_t content_len;
    uint64_t range_from, range_to; /* both ends included; range_to UINT64_MAX: to the end */
    char path
        [HTTP_PATH_MAX]; /* decoded, without the leading '/', free of "..", of names that begin with '.', and of controls */
};

/* Collects a head. All zero is the beginning; len and status are for the caller to see. */
struct http_parser {
    int status; /* 0: more is needed; 200: a request is there; else what to answer: 400 403 405 411 431 501 505 */
    bool skipped;
    uint32_t len;
    uint8_t head[HTTP_HEAD_MAX];
};

/* Takes octets up to the end of the head and no further; returns how many. When the status turns 200, *request is set. */
size_t http_parser_take(struct http_parser *parser, const uint8_t *octets, size_t len, struct http_request *request);

/* "/a%20b?q" -> "a b"; 200, or 400 (not a path), 403 (leads out of the folder or to a hidden name), 414 (too long). */
int http_path(char path[HTTP_PATH_MAX], const char *target, size_t len);
/* "bytes=0-499" "bytes=500-" "bytes=-500"; false if it is anything else: then the whole is served (RFC 9110 14.2). */
bool http_range(struct http_request *request, const char *value, size_t len);
/* The part of a thing of total_len octets that a request asks for; false: there is none of it (416). */
bool http_range_of(const struct http_request *request, uint64_t total_len, uint64_t *from, uint64_t *count);
const char *http_reason(int status);

#endif
