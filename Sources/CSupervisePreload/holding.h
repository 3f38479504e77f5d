#ifndef SUPERVISE_PRELOAD_HOLDING_H
#define SUPERVISE_PRELOAD_HOLDING_H

/* accept() in a hunted worker: a process holds one connection at a time.
 *
 * After it has accepted one, the listeners are removed from its epoll sets, poll(2) and select(2) skip
 * them, and accept() waits or finds nothing. When the connection is closed, or has been idle for 10 s, they
 * are restored as they were. A thread that was woken exclusively (EPOLLEXCLUSIVE of epoll_ctl(2)) accepts
 * its connection first: no other waiter would be woken for it. */

#include "hunt.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>
#include <time.h>

struct epoll_event;

/* The process that holds a connection; 0: none. */
extern int holder;

bool holding_is_own(void);

/* Returns whether this process holds a connection now. */
static inline bool holding_is_on(void) {
    return __builtin_expect(hunt != NULL, 0) && __atomic_load_n(&holder, __ATOMIC_ACQUIRE) != 0
        && holding_is_own();
}

enum holding {
    /* accept() continues. */
    holding_accepts,
    /* accept() begins again. */
    holding_repeats,
    /* accept() fails with errno. */
    holding_fails,
};

/* Must be called before accept() while a connection is held. */
enum holding holding_admits(int listener_fd);

/* Must be called after a connection of ours was accepted in a hunted worker. */
void holding_accepted(int listener_fd, int fd);

/* Must be called after the descriptor was closed. */
void holding_closed(int fd);
void holding_closed_range(unsigned first, unsigned last);

/* Must be called when a request begins or ends. */
void holding_is_used(void);

/* Handles epoll_ctl(2) on a listener that was removed. Returns false if the kernel must handle it. */
bool holding_control(int set, int operation, int fd, struct epoll_event *event, int *result);

/* poll(2) and select(2) while a connection is held. `mask` may be NULL. */
int holding_poll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
int holding_select(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *timeout,
    const sigset_t *mask);

/* Checks whether the connections of this process are still open and in use. */
void holding_check(int pid);

/* Starts a thread in this process that does so, unless there is one. */
void holding_watch(int pid);

#endif
