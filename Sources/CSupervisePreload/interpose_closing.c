#define _GNU_SOURCE
#include "holding.h"
#include "interpose.h"
#include "next.h"
#include "observe.h"

#include <limits.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Calls that end a connection, or hide its data. The observation ends before the descriptor is
 * closed, because another thread may get its number immediately. */

int own_close(int fd) IN_FRONT_OF("close");
int own_close_range(unsigned first, unsigned last, int flags) IN_FRONT_OF("close_range");
void own_closefrom(int first) IN_FRONT_OF("closefrom");
int own_dup2(int fd, int number) IN_FRONT_OF("dup2");
int own_dup3(int fd, int number, int flags) IN_FRONT_OF("dup3");
ssize_t own_splice(int from, int64_t *read, int to, int64_t *written, size_t size, unsigned flags)
    IN_FRONT_OF("splice");
int own_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
    IN_FRONT_OF("sendmmsg");
int own_recvmmsg(
    int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
    IN_FRONT_OF("recvmmsg");

int own_close(int fd) {
    if (is_observed(fd))
        observe_closing(fd);
    int result = next.close(fd);
    if (holding_is_on())
        holding_closed(fd);
    return result;
}

int own_close_range(unsigned first, unsigned last, int flags) {
    /* With flags, they are closed later by execve(2), or in a separate table. */
    if (flags == 0)
        observe_closing_range(first, last);
    int result = next.close_range(first, last, flags);
    if (flags == 0 && result == 0 && holding_is_on())
        holding_closed_range(first, last);
    return result;
}

void own_closefrom(int first) {
    observe_closing_range(first < 0 ? 0 : (unsigned)first, UINT_MAX);
    next.closefrom(first);
    if (holding_is_on())
        holding_closed_range(first < 0 ? 0 : (unsigned)first, UINT_MAX);
}

int own_dup2(int fd, int number) {
    int result = next.dup2(fd, number);
    if (is_observed(number) && result >= 0 && fd != number)
        observe_closing(number);
    if (result >= 0 && fd != number && holding_is_on())
        holding_closed(number);
    return result;
}

int own_dup3(int fd, int number, int flags) {
    int result = next.dup3(fd, number, flags);
    if (is_observed(number) && result >= 0)
        observe_closing(number);
    if (result >= 0 && fd != number && holding_is_on())
        holding_closed(number);
    return result;
}

ssize_t own_splice(int from, int64_t *read, int to, int64_t *written, size_t size, unsigned flags) {
    ssize_t result = next.splice(from, read, to, written, size, flags);
    if (is_observed(from))
        observe_discarded(from, result);
    if (is_observed(to))
        observe_sent_unread(to, result);
    return result;
}

int own_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    if (is_observed(fd))
        observe_lost(fd);
    return next.sendmmsg(fd, messages, count, flags);
}

int own_recvmmsg(
    int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    if (is_observed(fd))
        observe_lost(fd);
    return next.recvmmsg(fd, messages, count, flags, timeout);
}
