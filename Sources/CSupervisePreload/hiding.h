#ifndef SUPERVISE_PRELOAD_HIDING_H
#define SUPERVISE_PRELOAD_HIDING_H

/* Hides listeners from poll(2) and select(2) while a worker is drained, or is hunted and holds a
 * connection.
 *
 * Otherwise a program that polls would be woken for every connection that other workers take, and
 * would call accept() in vain. If its listener blocks, it would wait there: it would serve nothing
 * else and miss what its signal handler wrote to a pipe. These functions do nothing at
 * any other time. */

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>

/* Returns the number that a thread polls for this entry: the number itself unless it is a hidden
 * listener. */
int hidden_number(int fd);

/* Replaces the listeners' numbers by negative ones, which poll(2) skips. Returns how many it
 * replaced. */
int hide_listeners(struct pollfd *entries, nfds_t count);

/* Restores the numbers. */
void show_listeners(struct pollfd *entries, nfds_t count, int hidden);

/* Removes events of listeners that poll(2) returned before the drain was noticed. Returns how many
 * entries with events are left. */
int hide_events(struct pollfd *entries, nfds_t count, int result);

/* Removes the listeners from a set. */
void hide_members(int limit, fd_set *set);

/* Removes listeners that select(2) returned before the drain was noticed. Returns how many members
 * are left. */
int hide_result(int limit, fd_set *set, int result);

#endif
