#ifndef SUPERVISE_PRELOAD_ADOPT_H
#define SUPERVISE_PRELOAD_ADOPT_H

/* Handles bind() of a stream socket to an address that we hold, by duplicating the inherited
 * listener onto the socket.
 *
 * The kernel would have refused the bind because the address is taken. If only the family differs,
 * it would have refused it for the next worker. So nothing that works without the library changes.
 * Settings that the program made on its own socket before are lost, except FD_CLOEXEC, the blocking
 * mode and the timeout of accept(). */

#include <stdbool.h>
#include <sys/socket.h>

/* Returns true if the library handled the bind(), with *result, or -1 and errno. Returns false if
 * the kernel must handle it. */
bool adopt(int fd, const struct sockaddr *address, socklen_t length, int *result);

/* Handles a rename that would replace the listener's socket file by the file at this path, relative
 * to `folder`. The socket of this process that owns the file becomes the listener, and the file is
 * removed. */
void adopt_file(int listener, int folder, const char *path);

#endif
