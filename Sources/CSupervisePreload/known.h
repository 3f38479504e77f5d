#ifndef SUPERVISE_PRELOAD_KNOWN_H
#define SUPERVISE_PRELOAD_KNOWN_H

/* Determines, without a system call per connection, whether a connection arrived through one of our
 * listeners.
 *
 * accept() succeeds only on listening sockets. As long as ours are the only ones in this process, a
 * number that was once ours is either still ours or cannot accept, so it need not be checked again.
 * The process can get other listening sockets in two ways. It calls listen(), which the library
 * intercepts, or it inherits one, which is checked before a number is trusted. From then on the
 * kernel is asked each time. One case is missed: the process receives a listening socket from
 * another process (SCM_RIGHTS, unix(7)), it gets the number of a closed listener of ours, and the
 * program never calls listen(). */

#include <stdbool.h>

/* Returns whether this descriptor, on which accept() has just succeeded, is one of our
 * listeners. */
bool known_accepted_through(int fd);

/* Must be called when the process listens on its own socket. */
void known_others_listen(void);

#endif
