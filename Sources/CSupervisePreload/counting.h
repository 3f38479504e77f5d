#ifndef SUPERVISE_PRELOAD_COUNTING_H
#define SUPERVISE_PRELOAD_COUNTING_H

/* Counts connections and responses, and notifies the master when a count reaches the limit on the
 * page. */

#include <stdbool.h>
#include <stdint.h>

/* Starts counting. There must be a page. */
void counting_begin(void);

bool counting_is_on(void);

/* Counts a connection that was accepted from our listeners. */
void counting_connection(void);

/* Must be called after the ledger has counted one more response; `total` includes it. */
void counting_response(uint64_t total);

#endif
