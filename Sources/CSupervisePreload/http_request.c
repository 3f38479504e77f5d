#include "http_request.h"

#include "http_proxy.h"

#include <string.h>

enum state {
    connection_begins,
    request_begins,
    method_begins,
    method,
    target_begins,
    scheme,
    authority_slash,
    authority,
    path,
    query,
    other_target,
    version,
    version_ends,
    line_ends,
    headers,
    body,
    failed,
};

static const char version_text[] = "HTTP/1.";

/* Whether the byte was consumed, or belongs to the state just entered. */
enum use { is_used, is_for_next };

static void enter(struct http_requests *requests, enum state state) {
    requests->state = (uint8_t)state;
    requests->message.position = 0;
}

void requests_begin(struct http_requests *requests) {
    memset(requests, 0, sizeof *requests);
    proxy_begin(&requests->message);
}

static unsigned fail(struct http_requests *requests) {
    enter(requests, failed);
    return http_request_fails;
}

static bool is_letter(uint8_t byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static bool is_method(uint8_t byte) {
    return is_letter(byte) || byte == '-' || byte == '_';
}

/* Starts a request whose method begins with the first `count` bytes of proxy_word. */
static unsigned begin_request(struct http_requests *requests, uint8_t count) {
    enter(requests, method_begins);
    requests->message.position = count;
    return http_request_begins;
}

static unsigned begin_connection(struct http_requests *requests, struct http_bytes *bytes) {
    switch (proxy_read(&requests->message, bytes)) {
    case proxy_needs_more:
        return 0;
    case proxy_ends:
        enter(requests, request_begins);
        return 0;
    case proxy_was_request:
        return begin_request(requests, requests->message.position);
    case proxy_fails:
        return fail(requests);
    }
    __builtin_unreachable();
}

static void begin_method(struct http_requests *requests, struct http_request *request) {
    route_begin(&request->route);
    for (uint8_t index = 0; index < requests->message.position; index++)
        route_add_method(&request->route, (uint8_t)proxy_word[index]);
    request->is_head = request->is_connect = request->has_head = false;
    enter(requests, method);
}

static unsigned read_method(
    struct http_requests *requests, struct http_request *request, uint8_t byte) {
    struct http_route *route = &request->route;
    if (is_method(byte) && route->length < route_method_limit) {
        route_add_method(route, byte);
        return 0;
    }
    if (byte != ' ' || route->length == 0)
        return fail(requests);
    request->is_head = route->length == 4 && memcmp(route->text, "HEAD", 4) == 0;
    request->is_connect = route->length == 7 && memcmp(route->text, "CONNECT", 7) == 0;
    enter(requests, request->is_connect ? other_target : target_begins);
    return 0;
}

/* Reads the start of a path, or of a URL that contains one (RFC 9112, 3.2). */
static void read_target_start(
    struct http_requests *requests, struct http_route *route, uint8_t byte) {
    switch (requests->state) {
    case target_begins:
        if (byte == '/')
            route_begin_path(route);
        enter(requests, byte == '/' ? path : is_letter(byte) ? scheme : other_target);
        return;
    case scheme:
        if (byte == ':')
            enter(requests, authority_slash);
        else if (byte <= ' ' || byte == '/')
            enter(requests, other_target);
        return;
    case authority_slash:
        if (byte != '/')
            enter(requests, other_target);
        else if (++requests->message.position == 2)
            enter(requests, authority);
        return;
    default:
        if (byte == '/' || byte == '?') {
            route_begin_path(route);
            if (byte == '?')
                route_end(route);
            enter(requests, byte == '/' ? path : query);
        }
    }
}

static void end_target(struct http_requests *requests, struct http_route *route) {
    if (requests->state == path) {
        route_end(route);
    } else if (requests->state == authority) {
        route_begin_path(route);
        route_end(route);
    } else if (requests->state != query) {
        route_end_without_path(route);
    }
    enter(requests, version);
}

static unsigned read_target(
    struct http_requests *requests, struct http_route *route, uint8_t byte) {
    /* A request line without a version is HTTP/0.9. */
    if (byte == '\n')
        return fail(requests);
    if (byte == ' ') {
        end_target(requests, route);
    } else if (requests->state == path) {
        if (byte == '?' || byte == '#') {
            route_end(route);
            enter(requests, query);
        } else {
            route_add(route, byte);
        }
    } else if (requests->state < path) {
        read_target_start(requests, route, byte);
    }
    return 0;
}

static unsigned read_version(struct http_requests *requests, uint8_t byte) {
    struct http_message *message = &requests->message;
    if (requests->state == version) {
        uint8_t expected = (uint8_t)version_text[message->position];
        if (expected == '\0' && byte >= '0' && byte <= '9')
            enter(requests, version_ends);
        else if (expected == '\0' || byte != expected)
            return fail(requests);
        else
            message->position++;
    } else if (byte == '\n') {
        enter(requests, headers);
        message_begin_headers(message);
    } else if (byte == '\r' && requests->state == version_ends) {
        enter(requests, line_ends);
    } else {
        return fail(requests);
    }
    return 0;
}

static unsigned end_request(struct http_requests *requests) {
    enter(requests, request_begins);
    return http_request_ends;
}

static unsigned end_head(struct http_requests *requests, struct http_request *request) {
    struct http_message *message = &requests->message;
    request->has_head = true;
    requests->state = body;
    if ((message->framing & http_is_chunked) != 0)
        message_begin_chunks(message);
    else if ((message->framing & http_has_coding) != 0)
        return fail(requests);
    else if (message_begin_length(message) == http_complete)
        return http_request_head_ends | end_request(requests);
    return http_request_head_ends;
}

static unsigned read_byte(
    struct http_requests *requests, struct http_request *request, uint8_t byte, enum use *use) {
    if (requests->state == request_begins) {
        if (byte == '\r' || byte == '\n')
            return 0;
        *use = is_for_next;
        return is_method(byte) ? begin_request(requests, 0) : fail(requests);
    }
    if (requests->state == method_begins)
        begin_method(requests, request);
    if (requests->state == method)
        return read_method(requests, request, byte);
    if (requests->state < version)
        return read_target(requests, &request->route, byte);
    return read_version(requests, byte);
}

unsigned requests_read(
    struct http_requests *requests, struct http_request *request, struct http_bytes *bytes) {
    struct http_message *message = &requests->message;
    unsigned events = 0;
    while (bytes->next < bytes->end && events == 0) {
        enum http_step step = http_needs_more;
        if (requests->state == failed)
            return http_request_fails;
        if (requests->state == connection_begins) {
            events = begin_connection(requests, bytes);
        } else if (requests->state < headers) {
            enum use use = is_used;
            events = read_byte(requests, request, *bytes->next, &use);
            bytes->next += use == is_used;
        } else if (requests->state == headers) {
            step = message_read_headers(message, bytes);
            if (step == http_complete)
                events = end_head(requests, request);
        } else {
            step = message_read_body(message, bytes);
            if (step == http_complete)
                events = end_request(requests);
        }
        if (step == http_invalid)
            events = fail(requests);
    }
    return events;
}

unsigned requests_skip(struct http_requests *requests, uint64_t count) {
    enum http_step step = requests->state == body
        ? message_skip_body(&requests->message, count)
        : count == 0 ? http_needs_more : http_invalid;
    if (step == http_invalid)
        return fail(requests);
    return step == http_complete ? end_request(requests) : 0;
}

bool requests_are_between(const struct http_requests *requests) {
    return requests->state == request_begins;
}
