#ifndef SUPERVISE_PRELOAD_LEDGER_H
#define SUPERVISE_PRELOAD_LEDGER_H

/* The ledger behind the page, as supervise_page.h defines it: the requests in flight, and totals.
 *
 * Several processes and threads write to it. A row is written by the process that claimed it, under
 * the lock of its connection. The set of routes is changed under a lock that waits only briefly: a
 * request whose route cannot be entered then counts with all others. */

#include "http_route.h"

#include <stdbool.h>
#include <stdint.h>

#include "supervise_page.h"

/* NULL unless the master observes requests. */
extern struct supervise_ledger *ledger;

/* The contents of a request's row. */
struct ledger_request {
    uint64_t connection;
    uint64_t begun;
    uint64_t received;
    uint64_t responded;
    /* NULL before the head is complete. */
    const struct http_route *route;
};

/* Claims a free row for this process. Returns -1 if there is none. */
int ledger_claim(int pid);
void ledger_write(int row, const struct ledger_request *request);
void ledger_release(int row);

/* Releases the rows of this process, which executes another program or reuses the pid of a dead
 * process. */
void ledger_forget(int pid);

/* Records that a response has begun. Times are those of the request's last byte, 0 if there was none, and
 * of the response's first byte. */
void ledger_begin_response(unsigned status, uint64_t received, uint64_t responded);

/* The text of a route as it is counted; empty for all routes that have no row. */
struct ledger_name {
    uint8_t length;
    char text[supervise_route_length];
};

/* Counts a completed response. Returns the new total. `route` is NULL if the request's head was
 * incomplete. `name` is NULL unless the route's text is needed. */
uint64_t ledger_count(
    int pid, unsigned status, const struct http_route *route, uint64_t nanoseconds,
    struct ledger_name *name);

static inline void ledger_add(uint64_t *number, uint64_t count) {
    __atomic_fetch_add(number, count, __ATOMIC_RELAXED);
}

#endif
