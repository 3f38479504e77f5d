#ifndef SUPERVISE_PRELOAD_CLAIM_H
#define SUPERVISE_PRELOAD_CLAIM_H

/* Which listener stands in the way of a bind(): whose address and port the kernel would refuse with
 * EADDRINUSE because it is taken (ip(7), ipv6(7), unix(7)). */

#include "listeners.h"

/* The listener whose address conflicts with this one, or -1. Of several the one with the exact
 * address is preferred, then one of the same family, then the first. `is_v6_only` is the option of
 * the socket that is to be bound. */
int claim_conflict(const union socket_address *address, socklen_t length, bool is_v6_only);

#endif
