#ifndef SUPERVISE_PRELOAD_ADOPT_H
#define SUPERVISE_PRELOAD_ADOPT_H

/* Answering bind() of a stream socket to an address that we hold with the inherited listener.
 *
 * The kernel would have refused it, since the address is taken, to this worker or, where only the
 * family is another, to the next one; so nothing that works without us changes. What the program set on its own socket before is lost with it, but for FD_CLOEXEC, the
 * blocking mode and the time that accept() is to wait at most. */

#include <stdbool.h>
#include <sys/socket.h>

/* True when the bind() is answered, with *result, or -1 and errno; false when it is the kernel's. */
bool adopt(int fd, const struct sockaddr *address, socklen_t length, int *result);

/* The file at this path, relative to `folder`, was to replace the listener's: whatever socket of this
 * process it belongs to becomes the listener, and the file is removed. */
void adopt_file(int listener, int folder, const char *path);

#endif
