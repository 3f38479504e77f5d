#ifndef SUPERVISE_PRELOAD_LEDGER_ROUTES_H
#define SUPERVISE_PRELOAD_LEDGER_ROUTES_H

/* The set of routes in the ledger. The children of a node in the tree of paths are replaced by one,
 * `*`, if there are too many. If the table is full, the route with the fewest requests is merged
 * into the rest. */

#include "ledger.h"

/* Takes the lock. Returns false if it stays held. A dead process does not hold it. */
bool ledger_lock(int pid);
void ledger_unlock(void);

/* Returns the row in which a route is counted. The lock must be held. */
struct supervise_ledger_route *ledger_route(const struct http_route *route);

#endif
