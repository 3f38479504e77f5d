#ifndef SUPERVISE_PRELOAD_SHUTTING_H
#define SUPERVISE_PRELOAD_SHUTTING_H

/* Shuts down a listener for this process only.
 *
 * The kernel's shutdown(2) would end the socket for all workers. The library instead replaces every
 * descriptor of the listener in this process by a socket that does not listen. So accept() fails
 * with EINVAL, and poll(2) and epoll(7) report a hang-up, as after a shutdown, also if the kernel
 * restarts a call that a signal interrupted. Waiting threads are woken. The listener itself is kept
 * under another number, because the program may bind its address again. */

/* Makes the listener behind `fd` stop accepting in this process. */
void shut_down(int listener, int fd);

#endif
