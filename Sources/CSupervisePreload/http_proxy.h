#ifndef SUPERVISE_PRELOAD_HTTP_PROXY_H
#define SUPERVISE_PRELOAD_HTTP_PROXY_H

/* The header of the PROXY protocol, version 1 or 2, that a proxy may put in front of a connection's
 * first request (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). */

#include "http_message.h"

enum proxy_step {
    proxy_needs_more,
    /* A request may follow. */
    proxy_ends,
    /* There is no such header, but a request that begins with the first `position` bytes of proxy_word,
     * all consumed. */
    proxy_was_request,
    proxy_fails,
};

extern const char proxy_word[];

void proxy_begin(struct http_message *message);
enum proxy_step proxy_read(struct http_message *message, struct http_bytes *bytes);

#endif
