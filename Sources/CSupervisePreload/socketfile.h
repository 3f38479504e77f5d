#ifndef SUPERVISE_PRELOAD_SOCKETFILE_H
#define SUPERVISE_PRELOAD_SOCKETFILE_H

/* The files of our unix sockets. A server removes the file of its previous run before it binds,
 * and often again when it stops. Here the master owns the file, and all workers are reached
 * through it. */

#include "listeners.h"

/* Returns whether bind() to this path is a bind() to the listener: the path is the same, or refers
 * to the same file. */
bool socketfile_is_named(const struct listener *listener, const char *path);

/* Returns the listener whose file is this path itself, relative to `folder` (openat(2)): the file
 * that unlink(2) would remove and rename(2) would replace. Returns -1 if there is none. */
int socketfile_held(int folder, const char *path);

/* Returns whether this path resolves to the file of a listener. `flags` are those of fstatat(2). */
bool socketfile_is_reached(int folder, const char *path, int flags);

#endif
