/* test_http.c - request heads: what is taken, what is refused and with what answer, in pieces of every size, at a guard page;
 * paths, ranges, SHA-256. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "tun/programs/http.c"
#include "tun/programs/sha256.c"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* A head given in pieces of `piece` octets, each at a guard page; the status. *used: octets taken. */
static int take(struct http_request *request, const char *text, size_t len, size_t piece, size_t *used)
{
    struct http_parser *parser = calloc(1, sizeof *parser);
    int status;

    assert_non_null(parser);
    *used = 0;
    while (*used < len && parser->status == 0) {
        size_t part = len - *used < piece ? len - *used : piece;
        uint8_t *octets = guard_put(text + *used, part);
        size_t taken = http_parser_take(parser, octets, part, request);
        assert_true(taken <= part && (taken == part || parser->status != 0));
        *used += taken;
    }
    status = parser->status;
    free(parser);
    guard_free_all();
    return status;
}

struct head_row {
    int status;
    const char *text;
};

static const struct head_row head_rows[] = {
    {200, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "GET /a HTTP/1.0\r\n\r\n"},
    {200, "GET /a HTTP/1.9\r\nHost: x\r\n\r\n"},
    {200, "HEAD /a HTTP/1.1\r\nhOsT:x\r\n\r\n"},
    {200, "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "GET http://host:80/a/b?q=1 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {200, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
    {200, "GET / HTTP/1.1\r\nHost: x\r\nX: \t\x80\xff \t\r\nContent-Length: 0\r\n\r\n"},
    {200, "GET / HTTP/1.1\r\nHost: x\r\nEmpty:\r\n\r\n"},
    {400, "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
    {400, "GET / HTTP/1.1\nHost: x\n\n"},
    {400, "GET / HTTP/1.1\rHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n: x\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: \x01\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: \x7f\r\n\r\n"},
    {400, "GET  / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1 \r\nHost: x\r\n\r\n"},
    {400, " GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET /\r\nHost: x\r\n\r\n"},
    {400, "GET\r\n\r\n"},
    {400, "GET / HTTP/11\r\nHost: x\r\n\r\n"},
    {400, "GET / http/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET a HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET * HTTP/1.1\r\nHost: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {400, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Range: bytes 0-2/9\r\n\r\n"},
    {400, "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {403, "GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"},
    {405, "POST / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {411, "PUT / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {501, "get / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {501, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n"},
    {501, "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {505, "GET / HTTP/2.0\r\nHost: x\r\n\r\n"},
    {0, "GET / HTTP/1.1\r\nHost: x\r\n"},
    {0, "GET / HTTP/1.1\r\nHost: x\r\n\r"},
    {0, ""},
};

static void heads_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(head_rows); i++) {
        const struct head_row *row = &head_rows[i];
        for (size_t piece = 1; piece <= strlen(row->text) + 1; piece += piece < 4 ? 1 : 7) {
            struct http_request request;
            size_t used;
            int status = take(&request, row->text, strlen(row->text), piece, &used);
            if (status != row->status)
                fail_msg("pieces of %zu of \"%s\": %d, not %d", piece, row->text, status, row->status);
            if (status == 200)
                assert_int_equal(used, strlen(row->text));
        }
    }
}

static void nothing_past_the_end_is_taken(void **state)
{
    static const char two[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_request request;
    size_t used;
    (void)state;
    assert_int_equal(take(&request, two, sizeof two - 1, 1000, &used), 200);
    assert_int_equal(used, (sizeof two - 1) / 2);
    assert_string_equal(request.path, "1");
}

static void a_nul_is_refused(void **state)
{
    static const char text[] = "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http_request request;
    size_t used;
    (void)state;
    assert_int_equal(take(&request, text, sizeof text - 1, 1000, &used), 400);
    assert_int_equal(used, 7);
}

static void what_a_head_says(void **state)
{
    static const char text[] = "PUT /a%20b/c HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n"
                               "Connection: foo, Close\r\nExpect: 100-Continue\r\nRange: bytes=5-\r\n\r\n";
    struct http_request request;
    size_t used;
    (void)state;
    assert_int_equal(take(&request, text, sizeof text - 1, 3, &used), 200);
    assert_int_equal(request.method, HTTP_PUT);
    assert_string_equal(request.path, "a b/c");
    assert_true(request.content_len == UINT64_MAX && request.has_length && request.has_host);
    assert_true(request.expect_continue && !request.keep_alive && request.has_range);
    assert_int_equal(request.range_from, 5);
}

static void keep_alive(void **state)
{
    static const struct {
        bool keeps;
        const char *text;
    } rows[] = {
        {true, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
        {false, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"},
        {false, "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"},
        {false, "GET / HTTP/1.0\r\n\r\n"},
        {true, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"},
        {false, "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"},
        {true, "GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request;
        size_t used;
        assert_int_equal(take(&request, rows[i].text, strlen(rows[i].text), 1000, &used), 200);
        if (request.keep_alive != rows[i].keeps)
            fail_msg("\"%s\": keep-alive is %d", rows[i].text, request.keep_alive);
    }
}

/* A head may be HTTP_HEAD_MAX octets long and not one more. */
static void the_longest_head(void **state)
{
    static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
    char *text = malloc(HTTP_HEAD_MAX + 2);
    (void)state;
    assert_non_null(text);
    for (size_t over = 0; over <= 1; over++) {
        struct http_request request;
        size_t len = HTTP_HEAD_MAX + over, used;
        memset(text, 'x', len);
        memcpy(text, start, sizeof start - 1);
        memcpy(text + len - 4, "\r\n\r\n", 4);
        assert_int_equal(take(&request, text, len, 4096, &used), over == 0 ? 200 : 431);
    }
    free(text);
}

static void paths(void **state)
{
    static const struct {
        int status;
        const char *target, *path;
    } rows[] = {
        {200, "/", ""}, {200, "/a", "a"}, {200, "/a/b.c", "a/b.c"}, {200, "/a?../b", "a"}, {200, "/%41%7e", "A~"},
        {200, "/a..b", "a..b"}, {200, "/a.", "a."}, {200, "/%C3%A9", "\xc3\xa9"},
        {403, "/..", NULL}, {403, "/a/../b", NULL}, {403, "/%2e%2e/b", NULL}, {403, "/.hidden", NULL}, {403, "//a", NULL},
        {403, "/a//b", NULL}, {403, "/a/", NULL}, {403, "/.", NULL}, {403, "/a%2fb", NULL}, {403, "/a/%2E", NULL},
        {400, "", NULL}, {400, "a", NULL}, {400, "/%", NULL}, {400, "/%4", NULL}, {400, "/%4g", NULL}, {400, "/%00", NULL},
        {400, "/a%0d%0ab", NULL}, {400, "/a\\b", NULL}, {400, "/a#b", NULL}, {400, "/%7f", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[HTTP_PATH_MAX];
        size_t len = strlen(rows[i].target);
        const uint8_t *target = guard_put(rows[i].target, len);
        int status = http_path(path, (const char *)target, len);
        if (status != rows[i].status)
            fail_msg("%s: %d, not %d", rows[i].target, status, rows[i].status);
        if (status == 200)
            assert_string_equal(path, rows[i].path);
    }
    guard_free_all();
}

static void the_longest_path(void **state)
{
    char target[HTTP_PATH_MAX + 2], path[HTTP_PATH_MAX];
    (void)state;
    memset(target, 'a', sizeof target);
    target[0] = '/';
    assert_int_equal(http_path(path, target, HTTP_PATH_MAX), 200);
    assert_int_equal(strlen(path), HTTP_PATH_MAX - 1);
    assert_int_equal(http_path(path, target, HTTP_PATH_MAX + 1), 414);
}

static void ranges(void **state)
{
    static const struct {
        const char *value;
        uint64_t total_len;
        bool taken, there;
        uint64_t from, count;
    } rows[] = {
        {"bytes=0-499", 1000, true, true, 0, 500}, {"bytes=500-", 1000, true, true, 500, 500},
        {"bytes=-500", 1000, true, true, 500, 500}, {"bytes=-5000", 1000, true, true, 0, 1000},
        {"bytes=0-0", 1, true, true, 0, 1}, {"bytes=999-2000", 1000, true, true, 999, 1}, {"Bytes=1-2", 9, true, true, 1, 2},
        {"bytes=1000-", 1000, true, false, 0, 0}, {"bytes=0-", 0, true, false, 0, 0}, {"bytes=-0", 1000, true, false, 0, 0},
        {"bytes=-1", 0, true, false, 0, 0},
        {"bytes=18446744073709551615-", 1000, true, false, 0, 0},
        {"bytes=0-18446744073709551615", 1000, true, true, 0, 1000},
        {"bytes=2-1", 9, false, true, 0, 9}, {"bytes=", 9, false, true, 0, 9}, {"bytes=-", 9, false, true, 0, 9},
        {"bytes=1", 9, false, true, 0, 9}, {"bytes=0-1,3-4", 9, false, true, 0, 9}, {"lines=0-1", 9, false, true, 0, 9},
        {"bytes=a-", 9, false, true, 0, 9}, {"bytes=0-18446744073709551616", 9, false, true, 0, 9}, {"", 9, false, true, 0, 9},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_request request;
        uint64_t from, count;
        size_t len = strlen(rows[i].value);
        memset(&request, 0, sizeof request);
        if (http_range(&request, (const char *)guard_put(rows[i].value, len), len) != rows[i].taken)
            fail_msg("%s: not as wanted", rows[i].value);
        if (http_range_of(&request, rows[i].total_len, &from, &count) != rows[i].there)
            fail_msg("%s of %llu: not as wanted", rows[i].value, (unsigned long long)rows[i].total_len);
        if (rows[i].there && (from != rows[i].from || count != rows[i].count))
            fail_msg("%s: %llu, %llu", rows[i].value, (unsigned long long)from, (unsigned long long)count);
    }
    guard_free_all();
}

static void reasons(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(head_rows); i++) {
        if (head_rows[i].status != 0)
            assert_string_not_equal(http_reason(head_rows[i].status), "Error");
    }
    assert_string_equal(http_reason(299), "Error");
}

/* FIPS 180-4's examples and the lengths around a block. */
static void sums(void **state)
{
    static const struct {
        const char *unit;
        unsigned times;
        const char *sum;
    } rows[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        {"a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {"a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {"a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sha256 sum;
        char text[SHA256_TEXT];
        sha256_begin(&sum);
        for (unsigned n = 0; n < rows[i].times; n++)
            sha256_add(&sum, (const uint8_t *)rows[i].unit, strlen(rows[i].unit));
        sha256_text(&sum, text);
        assert_string_equal(text, rows[i].sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_in_pieces), cmocka_unit_test(nothing_past_the_end_is_taken),
        cmocka_unit_test(a_nul_is_refused), cmocka_unit_test(what_a_head_says), cmocka_unit_test(keep_alive),
        cmocka_unit_test(the_longest_head), cmocka_unit_test(paths), cmocka_unit_test(the_longest_path),
        cmocka_unit_test(ranges), cmocka_unit_test(reasons), cmocka_unit_test(sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
