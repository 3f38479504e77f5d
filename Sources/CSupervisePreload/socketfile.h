#ifndef SUPERVISE_PRELOAD_SOCKETFILE_H
#define SUPERVISE_PRELOAD_SOCKETFILE_H

/* The files of our unix sockets. A server removes the file of its last run before it binds, and
 * often again when it stops; here the file is the master's, and all workers are reached by it. */

#include "listeners.h"

/* Whether bind() to this path is a bind() to the listener: the path is the same, or names the same
 * file by another way. */
bool socketfile_is_named(const struct listener *listener, const char *path);

/* The listener whose file this path, relative to `folder` (openat(2)), is itself: what unlink(2) would
 * remove and rename(2) replace. -1 if there is none. */
int socketfile_held(int folder, const char *path);

/* Whether this path leads to the file of a listener; `flags` as for fstatat(2). */
bool socketfile_is_reached(int folder, const char *path, int flags);

#endif
