/* http.c - the head of an HTTP/1.1 request (RFC 9112 2, 3, 5, 6; RFC 9110 9, 10, 14). Knows no connection and no file. */
#include "tun/programs/http.h"

#include <string.h>
#include <strings.h>

/* A run of characters inside the collected head. */
struct http_text {
    const char *at;
    size_t len;
};

static bool http_is(struct http_text text, const char *word)
{
    return strlen(word) == text.len && strncasecmp(text.at, word, text.len) == 0;
}

static bool http_is_token(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static struct http_text http_trim(struct http_text text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Digits only, at least one, no overflow. */
static bool http_number(struct http_text text, uint64_t *number)
{
    uint64_t value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)((uint8_t)text.at[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

/* ---- the path ---- */

static int http_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A segment may neither be empty nor begin with a dot: that refuses "..", ".", "//" and hidden names in one rule. */
static int http_path_check(const char *path)
{
    bool at_start = true;
    for (const char *p = path; *p != '\0'; p++) {
        if (at_start && (*p == '.' || *p == '/'))
            return 403;
        at_start = *p == '/';
    }
    return at_start && *path != '\0' ? 403 : 200;
}

int http_path(char path[HTTP_PATH_MAX], const char *target, size_t len)
{
    size_t count = 0;
    if (len == 0 || target[0] != '/')
        return 400;
    for (size_t i = 1; i < len && target[i] != '?'; i++) {
        int c = (uint8_t)target[i];
        if (c == '%') {
            int high = i + 1 < len ? http_hex(target[i + 1]) : -1, low = i + 2 < len ? http_hex(target[i + 2]) : -1;
            if (high < 0 || low < 0)
                return 400;
            c = high * 16 + low;
            i += 2;
            if (c == '/')
                return 403;
        } else if (c == '#')
            return 400;
        if (c < ' ' || c == 0x7f || c == '\\')
            return 400;
        if (count + 1 >= HTTP_PATH_MAX)
            return 414;
        path[count++] = (char)c;
    }
    path[count] = '\0';
    return http_path_check(path);
}

/* ---- ranges ---- */

bool http_range(struct http_request *request, const char *value, size_t len)
{
    static const char unit[] = "bytes=";
    const size_t unit_len = sizeof unit - 1;
    uint64_t from = 0, to = UINT64_MAX;
    if (len < unit_len || strncasecmp(value, unit, unit_len) != 0)
        return false;
    struct http_text first = {value + unit_len, len - unit_len};
    const char *dash = memchr(first.at, '-', first.len);
    if (dash == NULL)
        return false;
    struct http_text last = {dash + 1, (size_t)(value + len - dash - 1)};
    first.len = (size_t)(dash - first.at);
    if (first.len == 0) {
        if (!http_number(last, &to))
            return false;
    } else if (!http_number(first, &from) || (last.len > 0 && !http_number(last, &to)) || to < from)
        return false;
    request->has_range = true;
    request->range_suffix = first.len == 0;
    request->range_from = from;
    request->range_to = to;
    return true;
}

bool http_range_of(const struct http_request *request, uint64_t total_len, uint64_t *from, uint64_t *count)
{
    *from = 0;
    *count = total_len;
    if (!request->has_range)
        return true;
    if (request->range_suffix) {
        uint64_t wanted = request->range_to < total_len ? request->range_to : total_len;
        *from = total_len - wanted;
        *count = wanted;
        return wanted > 0;
    }
    if (request->range_from >= total_len)
        return false;
    uint64_t last = request->range_to < total_len - 1 ? request->range_to : total_len - 1;
    *from = request->range_from;
    *count = last - *from + 1;
    return true;
}

/* ---- the fields ---- */

/* What has been seen while the fields of one head go by. */
struct http_fields {
    struct http_request *request;
    bool transfer_encoding, content_range, close, keep_alive;
};

static void http_connection(struct http_fields *fields, struct http_text value)
{
    while (value.len > 0) {
        const char *comma = memchr(value.at, ',', value.len);
        size_t len = comma != NULL ? (size_t)(comma - value.at) : value.len;
        struct http_text one = http_trim((struct http_text){value.at, len});
        fields->close = fields->close || http_is(one, "close");
        fields->keep_alive = fields->keep_alive || http_is(one, "keep-alive");
        if (comma == NULL)
            return;
        value.at += len + 1;
        value.len -= len + 1;
    }
}

static int http_field(struct http_fields *fields, struct http_text name, struct http_text value)
{
    struct http_request *request = fields->request;
    if (http_is(name, "host")) {
        if (request->has_host)
            return 400;
        request->has_host = true;
    } else if (http_is(name, "content-length")) {
        if (request->has_length || !http_number(value, &request->content_len))
            return 400;
        request->has_length = true;
    } else if (http_is(name, "transfer-encoding"))
        fields->transfer_encoding = true;
    else if (http_is(name, "content-range"))
        fields->content_range = true;
    else if (http_is(name, "connection"))
        http_connection(fields, value);
    else if (http_is(name, "expect"))
        request->expect_continue = http_is(value, "100-continue");
    else if (http_is(name, "range"))
        (void)http_range(request, value.at, value.len);
    return 200;
}

static int http_field_line(struct http_fields *fields, struct http_text line)
{
    size_t name_len = 0;
    while (name_len < line.len && http_is_token((uint8_t)line.at[name_len]))
        name_len++;
    if (name_len == 0 || name_len == line.len || line.at[name_len] != ':')
        return 400;
    struct http_text name = {line.at, name_len}, value = {line.at + name_len + 1, line.len - name_len - 1};
    return http_field(fields, name, http_trim(value));
}

/* ---- the request line ---- */

static int http_method_read(struct http_text word, enum http_method *method)
{
    static const char *const ours[] = {"GET", "HEAD", "PUT"};
    static const char *const others[] = {"POST", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"};
    for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (word.len == strlen(ours[i]) && memcmp(word.at, ours[i], word.len) == 0) {
            *method = (enum http_method)i;
            return 200;
        }
    }
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        if (word.len == strlen(others[i]) && memcmp(word.at, others[i], word.len) == 0)
            return 405;
    }
    return 501;
}

static int http_version_read(struct http_text word, uint8_t *minor)
{
    if (word.len != 8 || memcmp(word.at, "HTTP/", 5) != 0 || word.at[6] != '.' || word.at[5] < '0' ||
        word.at[5] > '9' || word.at[7] < '0' || word.at[7] > '9')
        return 400;
    if (word.at[5] != '1')
        return 505;
    *minor = word.at[7] == '0' ? 0 : 1;
    return 200;
}

/* The absolute form must be taken too (RFC 9112 3.2.2): what stands before its path is not looked at. */
static struct http_text http_origin_form(struct http_text target)
{
    static const char scheme[] = "http://";
    if (target.len > sizeof scheme - 1 && strncasecmp(target.at, scheme, sizeof scheme - 1) == 0) {
        size_t skip = sizeof scheme - 1;
        while (skip < target.len && target.at[skip] != '/' && target.at[skip] != '?')
            skip++;
        if (skip == target.len || target.at[skip] == '?')
            return (struct http_text){"/", 1};
        target.at += skip;
        target.len -= skip;
    }
    return target;
}

static int http_request_line(struct http_request *request, struct http_text line)
{
    const char *first = memchr(line.at, ' ', line.len);
    if (first == NULL)
        return 400;
    struct http_text method = {line.at, (size_t)(first - line.at)};
    struct http_text rest = {first + 1, line.len - method.len - 1};
    const char *second = memchr(rest.at, ' ', rest.len);
    if (method.len == 0 || second == NULL)
        return 400;
    struct http_text target = {rest.at, (size_t)(second - rest.at)};
    struct http_text version = {second + 1, rest.len - target.len - 1};
    int status = http_version_read(version, &request->minor);
    if (status == 200)
        status = http_method_read(method, &request->method);
    if (status != 200)
        return status;
    target = http_origin_form(target);
    return http_path(request->path, target.at, target.len);
}

/* ---- the head as a whole ---- */

/* What the fields mean together. */
static int http_judge(const struct http_fields *fields)
{
    struct http_request *request = fields->request;
    request->keep_alive = !fields->close && (request->minor == 1 || fields->keep_alive);
    if (request->minor == 1 && !request->has_host)
        return 400; /* RFC 9112 3.2 */
    if (fields->transfer_encoding)
        return request->has_length || request->minor == 0 ? 400 : 501; /* RFC 9112 6.1 */
    if (request->method == HTTP_PUT)
        return !request->has_length ? 411 : fields->content_range ? 400 : 200; /* RFC 9110 14.5 */
    return request->content_len > 0 ? 400 : 200;
}

static int http_head_read(const struct http_parser *parser, struct http_request *request)
{
    struct http_fields fields = {.request = request};
    const char *head = (const char *)parser->head;
    size_t at = 0;
    memset(request, 0, sizeof *request);
    for (bool first = true; at < parser->len; first = false) {
        const char *end = memchr(head + at, '\r', parser->len - at);
        if (end == NULL)
            return 400;
        struct http_text line = {head + at, (size_t)(end - head) - at};
        if (line.len == 0)
            return http_judge(&fields);
        int status = first ? http_request_line(request, line) : http_field_line(&fields, line);
        if (status != 200)
            return status;
        at += line.len + 2;
    }
    return 400;
}

/* CR and LF only as a pair, no other control but a tab: then a search for CR finds every line. */
static bool http_octet_fits(const struct http_parser *parser, uint8_t c)
{
    uint8_t before = parser->len > 0 ? parser->head[parser->len - 1] : 0;
    if ((before == '\r') != (c == '\n'))
        return false;
    return c >= ' ' ? c != 0x7f : c == '\r' || c == '\n' || c == '\t';
}

static bool http_head_ended(const struct http_parser *parser)
{
    return parser->len >= 4 && memcmp(parser->head + parser->len - 4, "\r\n\r\n", 4) == 0;
}

size_t http_parser_take(struct http_parser *parser, const uint8_t *octets, size_t len, struct http_request *request)
{
    size_t i = 0;
    while (i < len && parser->status == 0) {
        uint8_t c = octets[i++];
        if (!http_octet_fits(parser, c)) {
            parser->status = 400;
            break;
        }
        if (parser->len == HTTP_HEAD_MAX) {
            parser->status = 431;
            break;
        }
        parser->head[parser->len++] = c;
        if (parser->len == 2 && c == '\n') { /* one empty line before a request is put up with (RFC 9112 2.2) */
            parser->status = parser->skipped ? 400 : 0;
            parser->skipped = true;
            parser->len = 0;
        } else if (http_head_ended(parser))
            parser->status = http_head_read(parser, request);
    }
    return i;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } rows[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {204, "No Content"},
        {206, "Partial Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {411, "Length Required"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].status == status)
            return rows[i].reason;
    }
    return "Error";
}
