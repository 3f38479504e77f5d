#ifndef SUPERVISE_PRELOAD_PAGE_H
#define SUPERVISE_PRELOAD_PAGE_H

/* The page that a worker shares with its master, as supervise_page.h defines it.
 *
 * Counting is one atomic addition and no system call. The mapping is shared, so the children of
 * fork(2) count for their worker. */

#include <stdbool.h>
#include <stdint.h>

#include "supervise_page.h"

/* Maps the page that the environment names. Without a page that belongs to this worker, nothing is
 * counted. */
void page_open(void);

/* Returns whether a page is mapped. */
bool page_is_open(void);

/* Counts one connection. Returns true if this connection reached the master's limit and the program
 * does not count its own requests. */
bool page_count_connection(void);

/* Returns the requests that the worker's processes have reported. page_limit() returns the master's
 * limit; 0: none. There must be a page. */
uint64_t page_requests(void);
uint64_t page_limit(void);

/* Returns the number of connections so far, in all processes of this worker. */
uint64_t page_connections(void);

/* Returns the flags that the master has set; 0 without a page. */
uint32_t page_flags(void);

/* Returns the time until which accept() finds no connections; 0 if it does. */
uint64_t page_pause(void);

/* Returns the listeners that processes of this worker have shut down, as bits. */
uint64_t page_shut_listeners(void);

/* Adds this listener to them. */
void page_shut_listener(int listener);

/* Sets a report on the page. Returns true if no process of this worker had set it before. */
bool page_report(enum supervise_page_reports report);

/* Returns whether a process of this worker has set the report. Returns true without a page, because
 * nothing would read it. */
bool page_has_reported(enum supervise_page_reports report);

#endif
