#ifndef SUPERVISE_PRELOAD_DRAINING_H
#define SUPERVISE_PRELOAD_DRAINING_H

/* accept() in a worker that is drained: it finds no more connections.
 *
 * With EPOLLEXCLUSIVE (epoll_ctl(2)) the kernel wakes one waiter per connection. If that waiter
 * accepts nothing, no other worker is woken for the connection. So the first accept() that reads
 * the flag removes the listener from the epoll sets of this process. The process then accepts as
 * many connections as the kernel may have woken it for. poll(2) and a registration without
 * EPOLLEXCLUSIVE take no wake-up from another worker. A thread inside accept(2) takes the
 * connection that it is woken for. So neither accepts anything more. */

#include <stdbool.h>

struct epoll_event;

/* Returns whether accept() on this listener must still accept a connection. */
bool draining_accepts(int listener, int fd);

/* Must be called after an accept() that draining_accepts() allowed. */
void draining_accepted(int listener, int fd, bool is_connection);

/* Handles epoll_ctl(2) of the program while its worker is drained. The program can still change and
 * remove a registration that the library has already removed. It cannot add one. */
int draining_control(int set, int operation, int fd, struct epoll_event *event);

#endif
