#ifndef SUPERVISE_PRELOAD_RECOVER_H
#define SUPERVISE_PRELOAD_RECOVER_H

/* Recovers a listener that this process does not hold.
 *
 * Launchers close the descriptors that their child did not request: Node and therefore npm,
 * Python's subprocess, a shell that redirects. Some servers close all unknown descriptors when they
 * start. The environment still names the worker's listeners, so the library requests them from the
 * master over the socket of $NOTIFY_SOCKET:
 *
 *     X_LISTENER=INODE     the request; its sender has an abstract address (unix(7)), to which the
 *                          master sends the descriptor (SCM_RIGHTS), or a message without one
 *     X_NOT_ADOPTED=INODE  reports that neither way worked
 *
 * If there is no response, the descriptor is copied from the worker, which the environment also
 * names (pidfd_getfd(2)). This comes second, because a seccomp filter may kill the caller. */

#include <stdbool.h>

/* Makes this process hold the listener, under a number above those that programs choose, and reads
 * its address if it is unknown. Returns false if this fails, and then it is not retried. Waits at
 * most 20 seconds. Preserves errno. */
bool recover_listener(int index);

/* Recovers all listeners whose address is unknown. */
void recover_unknown(void);

#endif
