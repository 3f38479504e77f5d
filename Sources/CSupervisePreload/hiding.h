#ifndef SUPERVISE_PRELOAD_HIDING_H
#define SUPERVISE_PRELOAD_HIDING_H

/* Hides listeners from poll(2) and select(2) while a worker is drained.
 *
 * A program that polls would be woken for every connection that others take, and call accept() for
 * nothing. One whose listener blocks would wait there and serve nothing else, or miss what its
 * signal handler wrote to a pipe. Outside of a drain these do nothing. */

#include <poll.h>
#include <stdbool.h>
#include <sys/select.h>

/* What a thread polls under this number; the number itself unless it is a hidden listener. */
int hidden_number(int fd);

/* Replaces the listeners' numbers by negative ones, which poll(2) skips; returns how many. */
int hide_listeners(struct pollfd *entries, nfds_t count);

/* Puts the numbers back. */
void show_listeners(struct pollfd *entries, nfds_t count, int hidden);

/* Removes events of listeners from what poll(2) returned before the drain was noticed; returns how many
 * entries with events are left. */
int hide_events(struct pollfd *entries, nfds_t count, int result);

/* Removes the listeners from a set. */
void hide_members(int limit, fd_set *set);

/* Removes listeners from what select(2) returned before the drain was noticed; returns how many members
 * are left. */
int hide_result(int limit, fd_set *set, int result);

#endif
