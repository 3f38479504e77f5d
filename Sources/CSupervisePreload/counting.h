#ifndef SUPERVISE_PRELOAD_COUNTING_H
#define SUPERVISE_PRELOAD_COUNTING_H

/* Counts for the master, and notifies it when a count reaches the limit on the page. */

#include <stdbool.h>
#include <stdint.h>

/* Begins to count. There must be a page. */
void counting_begin(void);

bool counting_is_on(void);

/* Counts a connection that was accepted from our listeners. */
void counting_connection(void);

/* The ledger has counted one more response; `total` includes it. */
void counting_response(uint64_t total);

#endif
