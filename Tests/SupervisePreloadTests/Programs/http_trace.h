/* What the parser makes of bytes, as a line of text: for the tests and for the fuzzer. */

#include "http_request.h"
#include "http_response.h"

#include <stdio.h>
#include <string.h>

enum { trace_limit = 4096 };

struct trace {
    char text[trace_limit];
    size_t length;
};

static void trace_add(struct trace *trace, const char *text, size_t length) {
    if (length > trace_limit - 1 - trace->length)
        length = trace_limit - 1 - trace->length;
    memcpy(trace->text + trace->length, text, length);
    trace->length += length;
    trace->text[trace->length] = '\0';
}

static void trace_word(struct trace *trace, const char *word) {
    trace_add(trace, word, strlen(word));
}

struct traced_requests {
    struct http_requests requests;
    struct http_request request;
    struct trace trace;
};

/* `<` begins a request, its route follows its head, `>` ends it, `!` is a failure. */
static void trace_requests(struct traced_requests *traced, const uint8_t *data, size_t size) {
    struct http_bytes bytes = {data, data + size};
    unsigned events;
    while ((events = requests_read(&traced->requests, &traced->request, &bytes)) != 0) {
        struct http_route *route = &traced->request.route;
        if ((events & http_request_begins) != 0)
            trace_word(&traced->trace, "<");
        if ((events & http_request_head_ends) != 0)
            trace_add(&traced->trace, route->text, route->length);
        if ((events & http_request_ends) != 0)
            trace_word(&traced->trace, ">");
        if ((events & http_request_fails) != 0) {
            if (traced->trace.length == 0
                || traced->trace.text[traced->trace.length - 1] != '!')
                trace_word(&traced->trace, "!");
            return;
        }
    }
}

struct traced_responses {
    struct http_responses responses;
    enum http_response_to to;
    struct trace trace;
};

/* The status of a response, then `>` at its end, `^` for an upgrade, `!` for a failure. */
static void trace_responses(struct traced_responses *traced, const uint8_t *data, size_t size) {
    struct http_bytes bytes = {data, data + size};
    unsigned events;
    while ((events = responses_read(&traced->responses, traced->to, &bytes)) != 0) {
        if ((events & http_response_begins) != 0) {
            char text[8];
            int length = snprintf(text, sizeof text, "%u", traced->responses.status);
            trace_add(&traced->trace, text, (size_t)length);
        }
        if ((events & http_response_ends) != 0)
            trace_word(&traced->trace, ">");
        if ((events & http_response_upgrades) != 0) {
            trace_word(&traced->trace, "^");
            return;
        }
        if ((events & http_response_fails) != 0) {
            if (traced->trace.length == 0
                || traced->trace.text[traced->trace.length - 1] != '!')
                trace_word(&traced->trace, "!");
            return;
        }
    }
}
