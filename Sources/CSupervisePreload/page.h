#ifndef SUPERVISE_PRELOAD_PAGE_H
#define SUPERVISE_PRELOAD_PAGE_H

/* The page that a worker shares with its master, layout version 1:
 *
 *     offset   0   "SUPERVIS", version 1 (uint32_t), 0 (uint32_t), the nonce in 32 digits
 *     offset  64   uint64_t   requests, by the worker's own count
 *     offset 128   uint64_t   limit, written by the master; 0 is none
 *     offset 192   uint64_t   connections accepted on our listeners, by this library's count
 *     offset 256   uint32_t   flags, written by the master
 *     offset 320   uint32_t   reports, written by this library
 *
 * Counting is one atomic addition and no system call. The mapping is shared, so the children of
 * fork(2) count for their worker. */

#include <stdbool.h>
#include <stdint.h>

enum page_flag {
    /* The worker is to be emptied: accept() is to find nothing any more. */
    page_flag_drain = 1 << 0,
};

enum page_report {
    /* A process of the worker has loaded the library. */
    page_report_loaded = 1 << 0,
    /* One waits for connections on a listener of ours, or did. */
    page_report_waits = 1 << 1,
};

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
bool page_report(enum page_report report);

/* Whether a process of this worker has reported it; true without a page, since nobody would read it. */
bool page_has_reported(enum page_report report);

#endif
