#ifndef SUPERVISE_PRELOAD_SHUTTING_H
#define SUPERVISE_PRELOAD_SHUTTING_H

/* Shuts down a listener for this process only.
 *
 * The kernel's shutdown(2) would end the socket for all workers. The library instead replaces every
 * descriptor of the listener in this process by a socket that does not listen. So accept() fails
 * with EINVAL, and poll(2) and epoll(7) report a hang-up, as after a shutdown, also if the kernel
 * restarts a call that a signal interrupted. Waiting threads are woken. The listener itself is kept
 * under another number, because the program may bind its address again. */

#include <stdbool.h>
#include <sys/socket.h>

/* Makes the listener behind `fd` stop accepting in this process, and in the worker's processes that
 * hold it already. They follow when they accept next; children that wait in accept() are woken.
 * Others, and those that wait in poll(2), follow when the next connection arrives, which they do not
 * accept if the listener is non-blocking. */
void shut_down(int listener, int fd);

/* Ignores what other processes have shut down before: this process starts, or binds the address of
 * this listener. */
void shutting_begin(void);
void shutting_reopened(int listener);

/* Shuts down the listener behind `fd` if another process of the worker has. Costs nothing as long as
 * none has. */
void shutting_follow(int fd);

/* Returns whether another process of the worker has shut down a listener and this one has not
 * followed. */
bool shutting_is_due(void);

/* Returns the address of a listener that was shut down, which the kernel keeps as well
 * (getsockname(2)), and true, or false for all other descriptors. */
bool shutting_name(int fd, struct sockaddr *address, socklen_t *length);

#endif
