#ifndef SUPERVISE_PRELOAD_HUNT_H
#define SUPERVISE_PRELOAD_HUNT_H

/* The record of a hunted worker, as supervise_page.h defines it: the memory in use at the head of each
 * request, before the program sees it.
 *
 * The runtime supplies what it alone knows: Python registers a function that collects garbage, and Node
 * writes to the record itself. All others are measured by their resident memory. */

#include "ledger.h"

#include <stdbool.h>
#include <stdint.h>

enum { no_hunt_row = UINT32_MAX };

/* NULL unless the worker is hunted. */
extern struct supervise_hunt *hunt;

/* Maps the record in the file of the page. */
void hunt_open(int fd);

/* Begins the row of a request. Returns no_hunt_row if there is none left. */
uint32_t hunt_begin(int pid, uint64_t now);

/* Records the response. */
void hunt_end(uint32_t row, unsigned status, const struct ledger_name *name);

/* Must be called when the request is no longer in flight, with or without a response. */
void hunt_leave(uint32_t row, int pid);

/* Measures the memory. The caller must hold no lock, because the program's objects may be destroyed. */
void hunt_measure(uint32_t row);

/* Returns whether a request of this process is in flight. Forgets all of them with `is_reset`. */
bool hunt_is_busy(int pid);
void hunt_reset(int pid);

#endif
