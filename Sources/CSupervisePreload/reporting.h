#ifndef SUPERVISE_PRELOAD_REPORTING_H
#define SUPERVISE_PRELOAD_REPORTING_H

/* Reports to the master that the worker waits for connections: on the page, and by one datagram
 * `X_LISTENING=1`. The master then need not find it out from outside, where it may not be able to.
 *
 * It is reported once for all processes of the worker, when one of them first calls accept() on a
 * listener of ours, or adds it to an epoll set, or polls it. */

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>

/* Begins to report, with a page; says on it that the library is loaded. */
void reporting_begin(void);

/* Whether there is still anything to report, in this process. */
bool reporting_is_due(void);

/* The process waits, or is about to, for connections on this descriptor, if it is a listener of ours. */
void reporting_waits_on(int fd);

/* The same for poll(2) and select(2). */
void reporting_polls(const struct pollfd *entries, nfds_t count);
void reporting_selects(int count, const fd_set *readable);

#endif
