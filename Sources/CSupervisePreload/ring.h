#ifndef SUPERVISE_PRELOAD_RING_H
#define SUPERVISE_PRELOAD_RING_H

/* Telling the master that the limit is reached: one datagram `X_CONNECTIONS=<total>` to
 * $NOTIFY_SOCKET (sd_notify(3)). */

#include <stdbool.h>
#include <stdint.h>

/* Remembers the address, since programs remove the variable from their environment. */
void ring_prepare(void);

/* Sends the total; false when the master cannot take it now. Never blocks, leaves errno alone. */
bool ring(uint64_t connections);

#endif
