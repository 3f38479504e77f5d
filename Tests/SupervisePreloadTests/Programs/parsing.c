/* Checks the observer's parser: each case whole, in two pieces at every place, and byte by byte. */

#include "http_trace.h"

#include <stdlib.h>

struct test {
    const char *bytes;
    size_t size;
    const char *expected;
};

#define TEST(bytes, expected) {bytes, sizeof bytes - 1, expected}
#define GET(path, route) TEST("GET " path " HTTP/1.1\r\n\r\n", "<GET " route ">")

static const char *const names[] = {"whole", "in two pieces", "byte by byte"};

static const struct test requests[] = {
    TEST("GET / HTTP/1.1\r\nHost: a\r\nCookie: b\r\nTE: trailers\r\n\r\n", "<GET />"),
    TEST("GET / HTTP/1.0\n\n", "<GET />"),
    TEST("\r\n\nGET /a HTTP/1.1\r\n\r\n\r\nHEAD /b HTTP/1.1\r\n\r\n", "<GET /a><HEAD /b>"),
    TEST("POST /p HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\nhelloGET /q HTTP/1.1\r\n\r\n",
         "<POST /p><GET /q>"),
    TEST("POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", "<POST /p"),
    TEST("PUT /p HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "<PUT /p>"),
    TEST("POST /p HTTP/1.1\r\nContent-Length: five\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nContent-Length: 5 6\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nContent-Length:\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nContent-Lengths: 5\r\nContent-Lengt: 5\r\n\r\n", "<POST /p>"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nGET /q HTTP/1.1\r\n\r\n",
         "<POST /p><GET /q>"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 9\r\n\r\n"
         "1\r\nx\r\n000\r\nTrailer: a\r\nOther: b\r\n\r\nGET /q HTTP/1.1\r\n\r\n",
         "<POST /p><GET /q>"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunkedy\r\n\r\n", "<!"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "<POST /p!"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "<POST /p!"),
    TEST("POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
         "11111111111111111\r\n", "<POST /p!"),
    TEST("POST /p HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
         "<POST /p>"),
    TEST("PROXY TCP4 1.2.3.4 5.6.7.8 9 80\r\nGET / HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("PROXY UNKNOWN\r\n", ""),
    TEST("PROPFIND /d HTTP/1.1\r\n\r\n", "<PROPFIND /d>"),
    TEST("PUT /d HTTP/1.1\r\n\r\nPROXY TCP4\r\n", "<PUT /d><!"),
    TEST("P /d HTTP/1.1\r\n\r\n", "<P /d>"),
    TEST("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" "abcdefghijklGET / HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET / HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("\r\n\r\n\0\r\nQUIX", "!"),
    TEST("\r\n\r\nGET / HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("\rGET / HTTP/1.1\r\n\r\n", "!"),
    TEST("\x16\x03\x01\x02\0", "!"),
    TEST("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<!"),
    TEST("GET /\r\n", "<!"),
    TEST("GET / HTTP/1.1 \r\n\r\n", "<!"),
    TEST("GET  / HTTP/1.1\r\n\r\n", "<!"),
    TEST(" / HTTP/1.1\r\n\r\n", "!"),
    TEST("ABCDEFGHIJKLMNOPQRSTU / HTTP/1.1\r\n\r\n", "<!"),
    TEST("OPTIONS * HTTP/1.1\r\n\r\n", "<OPTIONS *>"),
    TEST("CONNECT a.b:443 HTTP/1.1\r\n\r\n", "<CONNECT *>"),
    TEST("GET http://a.b:80/c?d HTTP/1.1\r\n\r\n", "<GET /c>"),
    TEST("GET http://a.b HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("GET http://a.b?c HTTP/1.1\r\n\r\n", "<GET />"),
    TEST("GET http:a HTTP/1.1\r\n\r\n", "<GET *>"),
    TEST("GET a HTTP/1.1\r\n\r\n", "<GET *>"),
    TEST("GET /a HTTP/1.1\r\nX: y\r\n z: Content-Length: 5\r\n\r\n", "<GET /a>"),
    GET("/a?b=/c/d", "/a"),
    GET("/a#b", "/a"),
    GET("/a/b/", "/a/b/"),
    GET("//a", "//a"),
    GET("/users/17", "/users/*"),
    GET("/users/-17/+1.5/1.2.3", "/users/*/*/1.2.3"),
    GET("/v1/v9/v10/v99/v100/v0/v", "/v1/v9/v10/v99/*/*/v"),
    GET("/deadbee/deadbeef/DEADBEEF", "/deadbee/*/*"),
    GET("/01234567-89ab-cdef-0123-456789abcdef", "/*"),
    GET("/a@b/c@", "/*/*"),
    GET("/a1/1a/a-1/b_2", "/*/*/a-1/b_2"),
    GET("/abcdefghijklmnopqrstuvwx/abcdefghijklmnopqrstuvwxy", "/abcdefghijklmnopqrstuvwx/*"),
    GET("/caf\xc3\xa9/b", "/*/b"),
    GET("/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abc/d",
        "/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abc/*"),
    GET("/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abcdef/d/e",
        "/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/abcdefghijklmnopqrstuv/*"),
};

static const struct test responses[] = {
    TEST("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
         "200>404>"),
    TEST("HTTP/1.0 200 OK\r\n\r\nabHTTP/1.1 404\r\n\r\n", "200"),
    TEST("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nT: x\r\n\r\n", "200>"),
    TEST("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\n"
         "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na", "201>"),
    TEST("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\nHTTP", "101>^"),
    TEST("HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\nHTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n",
         "204>304>"),
    TEST("HTTP/2 200\r\n\r\n", "!"),
    TEST("hello", "!"),
    TEST("HTTP/1.1 20x\r\n\r\n", "!"),
    TEST("HTTP/1.1 099\r\n\r\n", "!"),
    TEST("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "200>!"),
};

static const struct test responses_to_head[] = {
    TEST("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 404\r\n"
         "Transfer-Encoding: chunked\r\n\r\n", "200>404>"),
};

static const struct test responses_to_connect[] = {
    TEST("HTTP/1.1 200 OK\r\n\r\nanything", "200>^"),
    TEST("HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\na", "403>"),
};

static int failures;

static void check(const struct test *test, const struct trace *trace, int way, size_t place) {
    if (strcmp(trace->text, test->expected) == 0)
        return;
    failures++;
    fprintf(stderr, "%s\n  %s (%zu): %s\n  expected: %s\n", test->bytes, names[way], place,
            trace->text, test->expected);
}

/* Each piece is in memory of its own, so that a reader past its end is found. */
static void give(void (*read)(void *, const uint8_t *, size_t), void *reader, const char *bytes,
                 size_t size) {
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    read(reader, copy, size);
    free(copy);
}

static void give_requests(void *traced, const uint8_t *bytes, size_t size) {
    trace_requests(traced, bytes, size);
}

static void give_responses(void *traced, const uint8_t *bytes, size_t size) {
    struct traced_responses *responses = traced;
    if (strchr(responses->trace.text, '^') == NULL)
        trace_responses(responses, bytes, size);
}

static void check_requests(const struct test *test, int way, size_t place) {
    struct traced_requests traced;
    memset(&traced, 0, sizeof traced);
    requests_begin(&traced.requests);
    for (size_t at = 0; at < test->size;) {
        size_t size = way == 2 ? 1 : way == 1 && at == 0 && place > 0 ? place : test->size - at;
        give(give_requests, &traced, test->bytes + at, size);
        at += size;
    }
    check(test, &traced.trace, way, place);
}

static void check_responses(
    const struct test *test, enum http_response_to to, int way, size_t place) {
    struct traced_responses traced;
    memset(&traced, 0, sizeof traced);
    responses_begin(&traced.responses);
    traced.to = to;
    for (size_t at = 0; at < test->size;) {
        size_t size = way == 2 ? 1 : way == 1 && at == 0 && place > 0 ? place : test->size - at;
        give(give_responses, &traced, test->bytes + at, size);
        at += size;
    }
    check(test, &traced.trace, way, place);
}

#define FOR_EACH(test, list) \
    for (const struct test *test = list; test < list + sizeof list / sizeof *list; test++)

static void check_all_responses(const struct test *test, enum http_response_to to) {
    check_responses(test, to, 0, 0);
    check_responses(test, to, 2, 0);
    for (size_t place = 1; place < test->size; place++)
        check_responses(test, to, 1, place);
}

/* Bodies that the program sends or discards without our reading them. */
static void check_skipping(void) {
    struct traced_responses traced;
    memset(&traced, 0, sizeof traced);
    responses_begin(&traced.responses);
    const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    give_responses(&traced, (const uint8_t *)head, sizeof head - 1);
    unsigned first = responses_skip(&traced.responses, 400);
    unsigned last = responses_skip(&traced.responses, 600);
    unsigned more = responses_skip(&traced.responses, 1);
    if (first != 0 || last != http_response_ends || more != http_response_fails) {
        fprintf(stderr, "skipping: %u %u %u\n", first, last, more);
        failures++;
    }
}

int main(void) {
    FOR_EACH(test, requests) {
        check_requests(test, 0, 0);
        check_requests(test, 2, 0);
        for (size_t place = 1; place < test->size; place++)
            check_requests(test, 1, place);
    }
    FOR_EACH(test, responses)
        check_all_responses(test, http_to_any);
    FOR_EACH(test, responses_to_head)
        check_all_responses(test, http_to_head);
    FOR_EACH(test, responses_to_connect)
        check_all_responses(test, http_to_connect);
    check_skipping();
    return failures > 0;
}
