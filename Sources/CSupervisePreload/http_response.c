#include "http_response.h"

#include <string.h>

enum state {
    version,
    status_begins,
    status_digits,
    status_line,
    headers,
    body,
    failed,
};

static const char version_text[] = "HTTP/1.";

enum {
    least_status = 100,
    switching_protocols = 101,
    no_content = 204,
    not_modified = 304,
};

static void enter(struct http_responses *responses, enum state state) {
    responses->state = (uint8_t)state;
    responses->message.position = 0;
}

static unsigned fail(struct http_responses *responses) {
    enter(responses, failed);
    return http_response_fails;
}

static void begin(struct http_responses *responses) {
    enter(responses, version);
    responses->status = 0;
}

void responses_begin(struct http_responses *responses) {
    memset(responses, 0, sizeof *responses);
    begin(responses);
}

static bool is_interim(const struct http_responses *responses) {
    return responses->status < 200 && responses->status != switching_protocols;
}

static unsigned read_version(struct http_responses *responses, uint8_t byte) {
    struct http_message *message = &responses->message;
    uint8_t expected = (uint8_t)version_text[message->position];
    if (expected == '\0' && byte >= '0' && byte <= '9') {
        enter(responses, status_begins);
        return 0;
    }
    if (expected == '\0' || byte != expected)
        return fail(responses);
    message->position++;
    return 0;
}

static unsigned end_status(struct http_responses *responses) {
    if (responses->status < least_status)
        return fail(responses);
    enter(responses, status_line);
    return is_interim(responses) ? 0 : http_response_begins;
}

static unsigned read_status(struct http_responses *responses, uint8_t byte) {
    struct http_message *message = &responses->message;
    if (responses->state == status_begins) {
        if (byte != ' ')
            return fail(responses);
        enter(responses, status_digits);
        return 0;
    }
    if (byte < '0' || byte > '9')
        return fail(responses);
    responses->status = (uint16_t)(responses->status * 10 + (byte - '0'));
    return ++message->position == 3 ? end_status(responses) : 0;
}

static void skip_status_line(struct http_responses *responses, struct http_bytes *bytes) {
    const uint8_t *newline = memchr(bytes->next, '\n', (size_t)(bytes->end - bytes->next));
    if (newline == NULL) {
        bytes->next = bytes->end;
        return;
    }
    bytes->next = newline + 1;
    enter(responses, headers);
    message_begin_headers(&responses->message);
}

static unsigned end_response(struct http_responses *responses) {
    enter(responses, version);
    return http_response_ends;
}

/* RFC 9112, 6.3. */
static unsigned end_head(struct http_responses *responses, enum http_response_to to) {
    struct http_message *message = &responses->message;
    uint16_t status = responses->status;
    if (is_interim(responses)) {
        begin(responses);
        return 0;
    }
    if (status == switching_protocols
        || (to == http_to_connect && status >= 200 && status < 300))
        return end_response(responses) | http_response_upgrades;
    if (to == http_to_head || status == no_content || status == not_modified)
        return end_response(responses);
    responses->state = body;
    if ((message->framing & http_is_chunked) != 0)
        message_begin_chunks(message);
    else if ((message->framing & (http_has_coding | http_has_length)) != http_has_length)
        message_begin_rest(message);
    else if (message_begin_length(message) == http_complete)
        return end_response(responses);
    return 0;
}

static unsigned read_step(
    struct http_responses *responses, enum http_response_to to, struct http_bytes *bytes) {
    struct http_message *message = &responses->message;
    enum http_step step;
    switch (responses->state) {
    case version:
        if (message->position == 0)
            responses->status = 0;
        return read_version(responses, *bytes->next++);
    case status_begins:
    case status_digits:
        return read_status(responses, *bytes->next++);
    case status_line:
        skip_status_line(responses, bytes);
        return 0;
    case headers:
        step = message_read_headers(message, bytes);
        if (step == http_complete)
            return end_head(responses, to);
        break;
    case body:
        step = message_read_body(message, bytes);
        if (step == http_complete)
            return end_response(responses);
        break;
    default:
        return http_response_fails;
    }
    return step == http_invalid ? fail(responses) : 0;
}

unsigned responses_read(
    struct http_responses *responses, enum http_response_to to, struct http_bytes *bytes) {
    unsigned events = 0;
    while (bytes->next < bytes->end && events == 0)
        events = read_step(responses, to, bytes);
    return events;
}

unsigned responses_skip(struct http_responses *responses, uint64_t count) {
    enum http_step step = responses->state == body
        ? message_skip_body(&responses->message, count)
        : count == 0 ? http_needs_more : http_invalid;
    if (step == http_invalid)
        return fail(responses);
    return step == http_complete ? end_response(responses) : 0;
}

bool responses_are_within(const struct http_responses *responses) {
    return responses->state == body
        || ((responses->state == status_line || responses->state == headers)
            && !is_interim(responses));
}
