#define _GNU_SOURCE
#include "hiding.h"
#include "holding.h"
#include "interpose.h"
#include "next.h"
#include "reporting.h"

#include <poll.h>
#include <stddef.h>
#include <sys/select.h>
#include <time.h>

/* poll(2) and select(2), which report no connections to a drained worker. Programs compiled with
 * _FORTIFY_SOURCE call the second names. */

int own_poll(struct pollfd *entries, nfds_t count, int timeout) IN_FRONT_OF("poll");
int own_checked_poll(struct pollfd *entries, nfds_t count, int timeout, size_t size)
    IN_FRONT_OF("__poll_chk");
int own_ppoll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
    IN_FRONT_OF("ppoll");
int own_checked_ppoll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
    size_t size) IN_FRONT_OF("__ppoll_chk");
int own_select(int limit, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout)
    IN_FRONT_OF("select");
int own_pselect(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *timeout,
    const sigset_t *mask) IN_FRONT_OF("pselect");

static void report_polled(const struct pollfd *entries, nfds_t count) {
    if (reporting_is_due())
        reporting_polls(entries, count);
}

static void report_selected(int limit, const fd_set *reads) {
    if (reporting_is_due())
        reporting_selects(limit, reads);
}

/* A call that began before the drain and is woken only for a listener returns 0, as after a
 * timeout. It does not wait again: a signal handler may have run meanwhile, and the program must
 * notice that its call ended. */
#define POLL(call)                                                                                 \
    do {                                                                                           \
        int hidden = hide_listeners(entries, count);                                               \
        int result = call;                                                                         \
        show_listeners(entries, count, hidden);                                                    \
        return hide_events(entries, count, result);                                                \
    } while (0)

int own_poll(struct pollfd *entries, nfds_t count, int timeout) {
    report_polled(entries, count);
    if (holding_is_on()) {
        struct timespec span = {timeout / 1000, timeout % 1000 * 1000000L};
        return holding_poll(entries, count, timeout < 0 ? NULL : &span, NULL);
    }
    POLL(next.poll(entries, count, timeout));
}

int own_ppoll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    report_polled(entries, count);
    if (holding_is_on())
        return holding_poll(entries, count, timeout, mask);
    POLL(next.ppoll(entries, count, timeout, mask));
}

/* The compiler checked the size if it knows it at all; libc would only abort. */
int own_checked_poll(struct pollfd *entries, nfds_t count, int timeout, size_t size) {
    if (next.checked_poll == NULL || size / sizeof *entries >= count)
        return own_poll(entries, count, timeout);
    return next.checked_poll(entries, count, timeout, size);
}

int own_checked_ppoll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
    size_t size) {
    if (next.checked_ppoll == NULL || size / sizeof *entries >= count)
        return own_ppoll(entries, count, timeout, mask);
    return next.checked_ppoll(entries, count, timeout, mask, size);
}

/* Does the same for select(2). */
#define SELECT(call)                                                                               \
    do {                                                                                           \
        hide_members(limit, reads);                                                                \
        return hide_result(limit, reads, call);                                                    \
    } while (0)

int own_select(int limit, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout) {
    report_selected(limit, reads);
    if (holding_is_on() && (timeout == NULL || timeout->tv_sec >= 0)) {
        struct timespec span = {0, 0};
        if (timeout != NULL)
            span = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000L};
        return holding_select(limit, reads, writes, errors, timeout ? &span : NULL, NULL);
    }
    SELECT(next.select(limit, reads, writes, errors, timeout));
}

int own_pselect(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *timeout,
    const sigset_t *mask) {
    report_selected(limit, reads);
    if (holding_is_on())
        return holding_select(limit, reads, writes, errors, timeout, mask);
    SELECT(next.pselect(limit, reads, writes, errors, timeout, mask));
}
