#ifndef SUPERVISE_PRELOAD_CLAIM_H
#define SUPERVISE_PRELOAD_CLAIM_H

/* Which listener stands in the way of a bind(): whose address and port the kernel would refuse with
 * EADDRINUSE because it is taken (ip(7), ipv6(7), unix(7)).
 *
 * Many servers open a socket for each family, `0.0.0.0:8000` and `[::]:8000`, and the pool has a bind
 * for one of them alone. The other would be the first worker's for itself, and taken for all others.
 * So a listener of the same port stands in the way of the other family too. */

#include "listeners.h"

/* Which of the listeners of one name, `localhost`, this process gets where it could have `index`. One of
 * them listens from the beginning, and has to be served by every worker; the others listen from when
 * they are taken. So the first bind gets that one, whatever address of the name it is to, and another
 * one on demand. */
int claim_in_turn(int index);

/* The listener whose address conflicts with this one, or -1. Of several the one with the exact
 * address is preferred, then one of the same family, then the first that the kernel would refuse.
 * `is_v6_only` is the option of the socket that is to be bound. `*is_free` tells whether the kernel
 * would allow this one, which has the port in common with the listener, and no family. */
int claim_conflict(
    const union socket_address *address, socklen_t length, bool is_v6_only, bool *is_free);

#endif
