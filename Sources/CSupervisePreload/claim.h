#ifndef SUPERVISE_PRELOAD_CLAIM_H
#define SUPERVISE_PRELOAD_CLAIM_H

/* Finds the listener that conflicts with a bind(): the kernel would refuse the bind with EADDRINUSE
 * because of its address and port (ip(7), ipv6(7), unix(7)).
 *
 * Many servers open one socket per family, `0.0.0.0:8000` and `[::]:8000`, but the pool binds only
 * one of them. The first worker would get the other address alone, and every later worker would
 * find it taken. So a listener on the same port also conflicts with the other family. */

#include "listeners.h"

/* Selects one of the listeners of a name such as `localhost` when this process could get `index`.
 * One of them listens from the start, and every worker must serve it. The others start to listen
 * when they are used. So the first bind gets the former, whichever address of the name it requests,
 * and a later bind gets one on demand. */
int claim_in_turn(int index);

/* Returns the listener whose address conflicts with this one, or -1. If there are several, it
 * prefers the exact address, then the same family, then the first that the kernel would refuse.
 * `is_v6_only` is the option of the socket to bind. `*is_free` is set if the kernel would allow
 * this bind, because it has only the port in common with the listener and not the family. */
int claim_conflict(
    const union socket_address *address, socklen_t length, bool is_v6_only, bool *is_free);

#endif
