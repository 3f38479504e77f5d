#ifndef SUPERVISE_PRELOAD_SOCKETFILE_H
#define SUPERVISE_PRELOAD_SOCKETFILE_H

/* The files of our unix sockets. A server removes the file of its last run before it binds, and
 * often again when it stops; here the file is the master's, and all workers are reached by it. */

#include "listeners.h"

/* Whether bind() to this path is a bind() to the listener: the path is the same, or names the same
 * file by another way. */
bool socketfile_is_named(const struct listener *listener, const char *path);

/* Whether this path, relative to `folder` (openat(2)), is itself the file of a listener: what
 * unlink(2) would remove. */
bool socketfile_is_held(int folder, const char *path);

#endif
