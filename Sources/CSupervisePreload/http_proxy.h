#ifndef SUPERVISE_PRELOAD_HTTP_PROXY_H
#define SUPERVISE_PRELOAD_HTTP_PROXY_H

/* The header of the PROXY protocol, version 1 or 2, that a proxy may send before the first request
 * of a connection (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). */

#include "http_message.h"

enum proxy_step {
    proxy_needs_more,
    /* The header is complete; a request may follow. */
    proxy_ends,
    /* There is no such header. The connection starts with a request; the first `position` bytes of
     * proxy_word were consumed and belong to it. */
    proxy_was_request,
    proxy_fails,
};

extern const char proxy_word[];

void proxy_begin(struct http_message *message);
enum proxy_step proxy_read(struct http_message *message, struct http_bytes *bytes);

#endif
