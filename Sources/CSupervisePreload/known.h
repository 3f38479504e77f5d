#ifndef SUPERVISE_PRELOAD_KNOWN_H
#define SUPERVISE_PRELOAD_KNOWN_H

/* Knowing, without a system call for each connection, that it came in through a listener of ours.
 *
 * accept() succeeds on listening sockets alone. While this process has none but ours, a number that
 * once was one of ours either still is, or is something that cannot accept; so it need not be asked
 * about again. A process has other listening sockets when it calls listen() on one, which passes
 * through our hands, or when it was given one, which is looked for before a number is trusted. From
 * then on the kernel is asked each time. What escapes is a socket that listens already, comes from
 * another process (SCM_RIGHTS, unix(7)), and gets the very number that a closed listener of ours
 * had, in a program that never calls listen() itself. */

#include <stdbool.h>

/* Whether this descriptor, through which accept() has just succeeded, is a listener of ours. */
bool known_accepted_through(int fd);

/* The process listens on a socket of its own. */
void known_others_listen(void);

#endif
