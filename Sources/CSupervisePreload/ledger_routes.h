#ifndef SUPERVISE_PRELOAD_LEDGER_ROUTES_H
#define SUPERVISE_PRELOAD_LEDGER_ROUTES_H

/* The set of routes in the ledger. A node of the tree of paths that gets too many children has one for all
 * of them, `*`; when the table is full, the route with the fewest requests is merged into the rest. */

#include "ledger.h"

/* Takes the lock unless it stays held; false then. A dead process does not hold it. */
bool ledger_lock(int pid);
void ledger_unlock(void);

/* The row to count a route in. The lock must be held. */
struct supervise_ledger_route *ledger_route(const struct http_route *route);

#endif
