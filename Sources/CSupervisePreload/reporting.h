#ifndef SUPERVISE_PRELOAD_REPORTING_H
#define SUPERVISE_PRELOAD_REPORTING_H

/* Reports to the master that the worker waits for connections: on the page, and by one datagram
 * `X_LISTENING=1`. The master then does not need to detect it from outside, which may be
 * impossible.
 *
 * The report is sent once for all processes of the worker, when one of them first calls accept() on
 * one of our listeners, adds it to an epoll set, or polls it. */

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>

/* Starts to report if there is a page, and sets on the page that the library is loaded. */
void reporting_begin(void);

/* Returns whether this process still has anything to report. */
bool reporting_is_due(void);

/* Must be called when the process waits, or is about to wait, for connections on this descriptor,
 * which may be one of our listeners. */
void reporting_waits_on(int fd);

/* Does the same for the entries of poll(2) and the sets of select(2). */
void reporting_polls(const struct pollfd *entries, nfds_t count);
void reporting_selects(int count, const fd_set *readable);

#endif
