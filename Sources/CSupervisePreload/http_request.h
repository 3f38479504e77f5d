#ifndef SUPERVISE_PRELOAD_HTTP_REQUEST_H
#define SUPERVISE_PRELOAD_HTTP_REQUEST_H

/* Reads consecutive requests on a connection. It skips a header of the PROXY protocol, version 1 or
 * 2, before the first one. */

#include "http_message.h"
#include "http_route.h"

struct http_requests {
    struct http_message message;
    uint8_t state;
};

/* The data kept for each request. */
struct http_request {
    struct http_route route;
    bool is_head;
    bool is_connect;
    /* Whether the head, and therefore the route, is complete. */
    bool has_head;
};

/* Bits. */
enum http_request_event {
    http_request_begins = 1 << 0,
    http_request_head_ends = 1 << 1,
    http_request_ends = 1 << 2,
    /* The bytes are not HTTP/1. Nothing more can be read from this connection. */
    http_request_fails = 1 << 3,
};

/* Must be called before the first byte of a connection. */
void requests_begin(struct http_requests *requests);

/* Consumes bytes until an event occurs, and returns the events, or 0 if all bytes are consumed.
 * http_request_begins is returned alone, before anything is written to `request`. From the next
 * call until the end of the request, `request` must point to the same object. It may be NULL while
 * the body is read. */
unsigned requests_read(
    struct http_requests *requests, struct http_request *request, struct http_bytes *bytes);

/* Returns whether no byte of a request has arrived since the last one ended. */
bool requests_are_between(const struct http_requests *requests);

/* Skips bytes of a body that cannot be read. */
unsigned requests_skip(struct http_requests *requests, uint64_t count);

#endif
