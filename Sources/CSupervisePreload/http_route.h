#ifndef SUPERVISE_PRELOAD_HTTP_ROUTE_H
#define SUPERVISE_PRELOAD_HTTP_ROUTE_H

/* The route of a request: its method and its path without the query. `*` replaces parts that
 * identify single objects or people. Full paths are never kept, because they may contain personal
 * data and their number is unlimited.
 *
 * A route is built byte by byte in constant memory. It is visible ASCII, with one space after the
 * method. */

#include <stdbool.h>
#include <stdint.h>

enum {
    route_limit = 80,
    /* Longer segments are replaced. */
    route_segment_limit = 24,
    route_method_limit = 20,
};

struct http_route {
    char text[route_limit];
    uint8_t length;
    /* The segment being read and its length, which is the limit plus one if the segment is
     * longer. */
    uint8_t segment_length;
    char segment[route_segment_limit];
    /* Whether the segment contains a byte that is not visible ASCII. */
    bool is_foreign;
    /* Whether there was no room for a segment. The route then ends with `*`. */
    bool is_full;
};

void route_begin(struct http_route *route);

/* Adds a byte of the method. */
void route_add_method(struct http_route *route, uint8_t byte);

/* Ends the method and begins a path. */
void route_begin_path(struct http_route *route);

/* Adds a byte of the path after its first slash. */
void route_add(struct http_route *route, uint8_t byte);

/* Ends the path. */
void route_end(struct http_route *route);

/* Ends the route of a method whose target is not a path. */
void route_end_without_path(struct http_route *route);

#endif
