#ifndef SUPERVISE_PRELOAD_HTTP_RESPONSE_H
#define SUPERVISE_PRELOAD_HTTP_RESPONSE_H

/* The responses on a connection, one after the other. Interim ones, as 100 and 103, are skipped. */

#include "http_message.h"

struct http_responses {
    struct http_message message;
    uint8_t state;
    /* Of the current response, once it has begun. */
    uint16_t status;
};

/* What decides on a response's body besides its own head. */
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

/* Consumes bytes until something happens, and returns the events, or 0 when there are no more bytes. */
unsigned responses_read(
    struct http_responses *responses, enum http_response_to to, struct http_bytes *bytes);

/* Consumes bytes of a body that cannot be read. */
unsigned responses_skip(struct http_responses *responses, uint64_t count);

/* Whether a response has begun and not ended. */
bool responses_are_within(const struct http_responses *responses);

#endif
