#define _GNU_SOURCE
#include "hiding.h"
#include "holding.h"
#include "next.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A poll that skips the listeners ends when the connection is closed, and then includes them. The calls
 * wait for short times instead of for an event of their own, which the program's set has no room for. */

enum { slice_nanoseconds = 10000000, set_limit = 4096 };

struct wait {
    bool is_limited;
    struct timespec end;
};

static struct wait begin(const struct timespec *timeout) {
    struct wait wait = {.is_limited = timeout != NULL};
    clock_gettime(CLOCK_MONOTONIC, &wait.end);
    if (timeout == NULL)
        return wait;
    wait.end.tv_sec += timeout->tv_sec;
    wait.end.tv_nsec += timeout->tv_nsec;
    if (wait.end.tv_nsec >= 1000000000) {
        wait.end.tv_nsec -= 1000000000;
        wait.end.tv_sec++;
    }
    return wait;
}

/* Returns the time of the next call, or NULL for no limit. Sets `is_last` if nothing remains after it. */
static struct timespec *next_slice(
    const struct wait *wait, struct timespec *slice, bool *is_last) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = INT64_MAX;
    if (wait->is_limited) {
        left = (int64_t)(wait->end.tv_sec - now.tv_sec) * 1000000000
            + (wait->end.tv_nsec - now.tv_nsec);
        left = left < 0 ? 0 : left;
    }
    bool is_sliced = holding_is_on() && left > slice_nanoseconds;
    *is_last = !is_sliced;
    if (!is_sliced && !wait->is_limited)
        return NULL;
    left = is_sliced ? slice_nanoseconds : left;
    *slice = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    return slice;
}

int holding_poll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    struct wait wait = begin(timeout);
    for (;;) {
        struct timespec slice;
        bool is_last;
        struct timespec *limit = next_slice(&wait, &slice, &is_last);
        int hidden = hide_listeners(entries, count);
        int result = next.ppoll(entries, count, limit, mask);
        show_listeners(entries, count, hidden);
        result = hide_events(entries, count, result);
        if (result != 0 || (is_last && limit != NULL))
            return result;
    }
}

static void copy(fd_set *to, const fd_set *from, size_t size) {
    if (from != NULL)
        memcpy(to, from, size);
}

int holding_select(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *timeout,
    const sigset_t *mask) {
    struct wait wait = begin(timeout);
    size_t size = ((size_t)(limit < 0 ? 0 : limit) + 63) / 64 * 8;
    union {
        long words[set_limit / 64];
        fd_set set;
    } sets[3];
    bool is_large = size > sizeof sets[0].words;
    if (!is_large) {
        copy(&sets[0].set, reads, size);
        copy(&sets[1].set, writes, size);
        copy(&sets[2].set, errors, size);
    }
    for (;;) {
        struct timespec slice;
        bool is_last;
        struct timespec *time = next_slice(&wait, &slice, &is_last);
        hide_members(limit, reads);
        int result = hide_result(
            limit, reads, next.pselect(limit, reads, writes, errors, time, mask));
        if (result != 0 || is_large || (is_last && time != NULL))
            return result;
        if (reads != NULL)
            memcpy(reads, &sets[0].set, size);
        if (writes != NULL)
            memcpy(writes, &sets[1].set, size);
        if (errors != NULL)
            memcpy(errors, &sets[2].set, size);
    }
}
