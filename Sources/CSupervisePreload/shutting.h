#ifndef SUPERVISE_PRELOAD_SHUTTING_H
#define SUPERVISE_PRELOAD_SHUTTING_H

/* shutdown(2) of a listener, for this process alone.
 *
 * The kernel's would end the socket for all workers. Here every descriptor that this process has of
 * the listener becomes a socket that does not listen, so that accept() fails with EINVAL and poll(2)
 * and epoll(7) report a hang-up, as they do after a shutdown, also where the kernel restarts a call
 * that a signal interrupted. Threads that wait are woken. The listener itself is kept under another
 * number: the program may bind its address again. */

/* The listener behind `fd` stops accepting in this process. */
void shut_down(int listener, int fd);

#endif
