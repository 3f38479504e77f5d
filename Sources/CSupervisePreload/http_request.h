#ifndef SUPERVISE_PRELOAD_HTTP_REQUEST_H
#define SUPERVISE_PRELOAD_HTTP_REQUEST_H

/* The requests on a connection, one after the other. A header of the PROXY protocol, version 1 or 2, in
 * front of the first one is skipped. */

#include "http_message.h"
#include "http_route.h"

struct http_requests {
    struct http_message message;
    uint8_t state;
};

/* What has to be known of a request. */
struct http_request {
    struct http_route route;
    bool is_head;
    bool is_connect;
    /* Whether the head is complete, and the route with it. */
    bool has_head;
};

/* Bits. */
enum http_request_event {
    http_request_begins = 1 << 0,
    http_request_head_ends = 1 << 1,
    http_request_ends = 1 << 2,
    /* This is not HTTP/1. Nothing more can be read from this connection. */
    http_request_fails = 1 << 3,
};

/* Before the first byte of a connection. */
void requests_begin(struct http_requests *requests);

/* Consumes bytes until something happens, and returns the events, or 0 when there are no more bytes.
 * http_request_begins comes alone, and before anything is written to `request`: whatever that points to
 * from the next call on, until the request's end, has to be the same. It may be NULL while the body is
 * read. */
unsigned requests_read(
    struct http_requests *requests, struct http_request *request, struct http_bytes *bytes);

/* Consumes bytes of a body that cannot be read. */
unsigned requests_skip(struct http_requests *requests, uint64_t count);

#endif
