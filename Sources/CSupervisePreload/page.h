#ifndef SUPERVISE_PRELOAD_PAGE_H
#define SUPERVISE_PRELOAD_PAGE_H

/* The page that a worker shares with its master, as supervise_page.h defines it.
 *
 * Counting is one atomic addition and no system call. The mapping is shared, so the children of
 * fork(2) count for their worker. */

#include <stdbool.h>
#include <stdint.h>

#include "supervise_page.h"

/* Maps the page that the environment names; without a page that is truly this worker's, nothing is
 * counted. */
void page_open(void);

/* Whether there is a page to count on. */
bool page_is_open(void);

/* Counts one connection; true when this very one reached the master's limit and the program does
 * not count its requests itself. */
bool page_count_connection(void);

/* The connections so far, by all processes of this worker. */
uint64_t page_connections(void);

/* The flags that the master has set; 0 without a page. */
uint32_t page_flags(void);

/* Reports on the page; true where no process of this worker had before. */
bool page_report(enum supervise_page_reports report);

/* Whether a process of this worker has reported it; true without a page, since nobody would read it. */
bool page_has_reported(enum supervise_page_reports report);

#endif
