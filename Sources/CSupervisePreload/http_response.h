#ifndef SUPERVISE_PRELOAD_HTTP_RESPONSE_H
#define SUPERVISE_PRELOAD_HTTP_RESPONSE_H

/* Reads consecutive responses on a connection. It skips interim responses such as 100 and 103. */

#include "http_message.h"

struct http_responses {
    struct http_message message;
    uint8_t state;
    /* The status of the current response, once it has begun. */
    uint16_t status;
};

/* The property of the request that, besides the head of the response, decides whether the response
 * has a body. */
enum http_response_to { http_to_any, http_to_head, http_to_connect };

/* Bits. */
enum http_response_event {
    /* The status of a final response has been read. */
    http_response_begins = 1 << 0,
    http_response_ends = 1 << 1,
    /* The connection continues in another protocol. */
    http_response_upgrades = 1 << 2,
    http_response_fails = 1 << 3,
};

void responses_begin(struct http_responses *responses);

/* Consumes bytes until an event occurs, and returns the events, or 0 if all bytes are consumed. */
unsigned responses_read(
    struct http_responses *responses, enum http_response_to to, struct http_bytes *bytes);

/* Skips bytes of a body that cannot be read. */
unsigned responses_skip(struct http_responses *responses, uint64_t count);

/* Returns whether a response has begun and not ended. */
bool responses_are_within(const struct http_responses *responses);

#endif
