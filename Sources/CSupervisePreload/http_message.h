#ifndef SUPERVISE_PRELOAD_HTTP_MESSAGE_H
#define SUPERVISE_PRELOAD_HTTP_MESSAGE_H

/* The common parts of HTTP/1 requests and responses (RFC 9112): header lines, and a body that is
 * framed by its length, in chunks, or by the end of the connection.
 *
 * Bytes arrive in pieces of any size. Only a few numbers are kept. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_message {
    /* While the head is read, the length of the body; later, the remaining bytes of the body or of
     * a chunk. */
    uint64_t left;
    uint8_t state;
    /* The number of bytes of the expected text that have been read. */
    uint8_t position;
    /* Bits of enum http_framing. */
    uint8_t framing;
};

enum http_framing {
    http_has_length = 1 << 0,
    /* The message has a Transfer-Encoding. */
    http_has_coding = 1 << 1,
    /* The last of its codings is `chunked`. */
    http_is_chunked = 1 << 2,
};

enum http_step {
    /* All bytes are consumed, and the part continues. */
    http_needs_more,
    http_complete,
    http_invalid,
};

/* The bytes that are left to consume. */
struct http_bytes {
    const uint8_t *next;
    const uint8_t *end;
};

/* Starts to read the first header line. */
void message_begin_headers(struct http_message *message);

/* Consumes header lines and the empty line that ends them. */
enum http_step message_read_headers(struct http_message *message, struct http_bytes *bytes);

/* Starts to read a body of `left` bytes, one in chunks, or one that ends with the connection.
 * message_begin_length() returns http_complete if the body is empty. */
enum http_step message_begin_length(struct http_message *message);
void message_begin_chunks(struct http_message *message);
void message_begin_rest(struct http_message *message);

/* Consumes the body, including trailers. */
enum http_step message_read_body(struct http_message *message, struct http_bytes *bytes);

/* Skips `count` bytes of the body that cannot be read, for example those sent by sendfile(2).
 * Returns http_invalid if the next byte is not part of the body itself. */
enum http_step message_skip_body(struct http_message *message, uint64_t count);

#endif
