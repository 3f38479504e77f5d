#ifndef SUPERVISE_PRELOAD_HTTP_MESSAGE_H
#define SUPERVISE_PRELOAD_HTTP_MESSAGE_H

/* What requests and responses of HTTP/1 have in common (RFC 9112): header lines, and a body that is
 * framed by its length, in chunks, or by the end of the connection.
 *
 * Bytes come in pieces of any size. Nothing is kept of them but a few numbers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_message {
    /* The body's length while the head is read; later the bytes to come, of the body or of a chunk. */
    uint64_t left;
    uint8_t state;
    /* How much of the expected text has been read. */
    uint8_t position;
    /* Bits of enum http_framing. */
    uint8_t framing;
};

enum http_framing {
    http_has_length = 1 << 0,
    /* There is a Transfer-Encoding. */
    http_has_coding = 1 << 1,
    /* The last of its codings is `chunked`. */
    http_is_chunked = 1 << 2,
};

enum http_step {
    /* All bytes are consumed. */
    http_needs_more,
    http_complete,
    http_invalid,
};

/* Bytes that are still to be consumed. */
struct http_bytes {
    const uint8_t *next;
    const uint8_t *end;
};

/* Begins with the first header line. */
void message_begin_headers(struct http_message *message);

/* Consumes header lines, and the empty line that completes them. */
enum http_step message_read_headers(struct http_message *message, struct http_bytes *bytes);

/* Begins a body of `left` bytes, or in chunks, or until the end of the connection. Complete at once if
 * it is empty. */
enum http_step message_begin_length(struct http_message *message);
void message_begin_chunks(struct http_message *message);
void message_begin_rest(struct http_message *message);

/* Consumes the body, trailers included. */
enum http_step message_read_body(struct http_message *message, struct http_bytes *bytes);

/* Consumes `count` bytes of the body that cannot be read, as those that sendfile(2) sent. Invalid where
 * anything else than the body's own bytes is due. */
enum http_step message_skip_body(struct http_message *message, uint64_t count);

#endif
