#ifndef SUPERVISE_PRELOAD_RECOVER_H
#define SUPERVISE_PRELOAD_RECOVER_H

/* Getting a listener that this process does not hold.
 *
 * Launchers close the descriptors that their child did not ask for: Node and so npm, Python's
 * subprocess, a shell that redirects. Some servers close all that they do not know when they start.
 * The environment still names the worker's listeners, so the master is asked for them, over the
 * socket of $NOTIFY_SOCKET:
 *
 *     X_LISTENER=INODE     the datagram; its sender has an abstract address (unix(7)), to which the
 *                          master sends the descriptor (SCM_RIGHTS), or a message without one
 *     X_NOT_ADOPTED=INODE  neither way has worked
 *
 * Without an answer the descriptor is copied from the worker itself, which the environment names too
 * (pidfd_getfd(2)). That comes second: a seccomp filter may kill who calls it. */

#include <stdbool.h>

/* Makes this process hold the listener, under a number above those that programs choose, and learns
 * its address if that is unknown. False when it cannot be had, and then it is not tried again. Waits
 * 20 seconds at most. Leaves errno alone. */
bool recover_listener(int index);

/* Tries this for all listeners of which not even the address is known. */
void recover_unknown(void);

#endif
