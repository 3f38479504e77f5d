#ifndef SUPERVISE_PRELOAD_DRAINING_H
#define SUPERVISE_PRELOAD_DRAINING_H

/* accept() in a worker that is being drained: it finds no more connections.
 *
 * With EPOLLEXCLUSIVE (epoll_ctl(2)) the kernel wakes one waiter for a connection. A waiter that is
 * woken and accepts nothing leaves that connection to nobody. So at the first accept() that sees the
 * flag, the listener is removed from this process's epoll sets, and then as many connections are
 * accepted as wake-ups may have been spent on this process. poll(2) and a registration without
 * EPOLLEXCLUSIVE take no wake-up from anybody else, and a thread inside accept(2) takes the
 * connection that it is woken for, so these accept nothing more. */

#include <stdbool.h>

struct epoll_event;

/* Whether accept() on this listener is still to accept a connection. */
bool draining_accepts(int listener, int fd);

/* After an accept() that draining_accepts() allowed. */
void draining_accepted(int listener, int fd, bool is_connection);

/* The program's epoll_ctl(2) while its worker is drained. A registration that was removed behind the
 * program's back can still be changed and removed by it, and it makes no new one. */
int draining_control(int set, int operation, int fd, struct epoll_event *event);

#endif
