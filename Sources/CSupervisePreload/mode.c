#define _GNU_SOURCE
#include "mode.h"

#include "descriptors.h"
#include "listeners.h"
#include "next.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>

/* One bit for each listener that the program expects to block. If none is set, as in every event
 * loop, no descriptor needs to be checked. */
static _Atomic uint64_t expected_to_block;

_Static_assert(listener_limit <= 64, "a bit for each listener");

static uint64_t bit(int listener) {
    return (uint64_t)1 << listener;
}

static bool any_is_expected_to_block(void) {
    return atomic_load_explicit(&expected_to_block, memory_order_relaxed) != 0;
}

static bool is_expected_to_block(int listener) {
    return atomic_load_explicit(&expected_to_block, memory_order_relaxed) & bit(listener);
}

static void expect(int listener, bool blocking) {
    if (blocking)
        atomic_fetch_or_explicit(&expected_to_block, bit(listener), memory_order_relaxed);
    else
        atomic_fetch_and_explicit(&expected_to_block, ~bit(listener), memory_order_relaxed);
}

bool mode_may_wait(void) {
    return any_is_expected_to_block();
}

void mode_begin(void) {
    for (int index = 0; index < listener_count; index++) {
        if (listeners[index].number < 0)
            continue;
        long flags = raw_call3(SYS_fcntl, listeners[index].number, F_GETFL, 0);
        expect(index, flags >= 0 && (flags & O_NONBLOCK) == 0);
    }
}

void mode_attach(int listener, int fd, bool is_nonblocking) {
    if (is_nonblocking) {
        /* Unlike F_SETFL, this changes only one flag, so it cannot undo a simultaneous change by a
         * sibling. */
        int on = 1;
        raw_call3(SYS_ioctl, fd, FIONBIO, (long)&on);
    }
    expect(listener, !is_nonblocking);
}

int mode_flags(int fd, int flags) {
    if ((flags & O_NONBLOCK) == 0 || !any_is_expected_to_block())
        return flags;
    int listener = listener_behind(fd);
    return listener >= 0 && is_expected_to_block(listener) ? flags & ~O_NONBLOCK : flags;
}

void mode_became_nonblocking(int fd) {
    if (!any_is_expected_to_block())
        return;
    int listener = listener_behind(fd);
    if (listener >= 0)
        expect(listener, false);
}

bool mode_keep_nonblocking(int fd) {
    int listener = listener_behind(fd);
    if (listener < 0)
        return false;
    expect(listener, true);
    return true;
}

/* After a signal handler, poll(2) is never restarted, and accept(2) is restarted if the handler
 * was installed with SA_RESTART (signal(7)). It is unknown which handler ran, but if all of them
 * restart, this one did too. Preserves errno: libc refuses to describe its own signals and sets
 * it. */
static bool all_handlers_restart(void) {
    int code = errno;
    bool result = true;
    for (int number = 1; number <= SIGRTMAX && result; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0)
            continue;
        bool is_caught = (action.sa_flags & SA_SIGINFO) != 0
            || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
        result = !is_caught || (action.sa_flags & SA_RESTART) != 0;
    }
    errno = code;
    return result;
}

static void begin_patience(struct patience *patience, const struct timeval *timeout) {
    if (patience->is_set)
        return;
    patience->is_set = true;
    clock_gettime(CLOCK_MONOTONIC, &patience->end);
    patience->end.tv_sec += timeout->tv_sec;
    patience->end.tv_nsec += timeout->tv_usec * 1000L;
    if (patience->end.tv_nsec >= 1000000000L) {
        patience->end.tv_nsec -= 1000000000L;
        patience->end.tv_sec++;
    }
}

/* Returns the remaining milliseconds, rounded up. */
static int remaining(const struct patience *patience) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = (int64_t)(patience->end.tv_sec - now.tv_sec) * 1000000000
        + (patience->end.tv_nsec - now.tv_nsec);
    if (left <= 0)
        return 0;
    left = (left + 999999) / 1000000;
    return left < INT_MAX ? (int)left : INT_MAX;
}

bool mode_wait(int fd, struct patience *patience) {
    if (!any_is_expected_to_block())
        return false;
    int listener = listener_behind(fd);
    if (listener < 0 || !is_expected_to_block(listener))
        return false;

    struct timeval timeout = {0, 0};
    raw_option(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    bool is_limited = timeout.tv_sec != 0 || timeout.tv_usec != 0;
    if (is_limited) {
        /* A blocking description has already waited that long (socket(7)). */
        long flags = raw_call3(SYS_fcntl, fd, F_GETFL, 0);
        if (flags >= 0 && (flags & O_NONBLOCK) == 0)
            return false;
        begin_patience(patience, &timeout);
    }
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        /* libc's function, because a thread that waits in accept() may be cancelled. */
        int ready = next.poll(&entry, 1, is_limited ? remaining(patience) : -1);
        if (ready > 0)
            return true;
        if (ready == 0) {
            errno = EAGAIN;
            return false;
        }
        if (listener_behind(fd) < 0)
            return true;
        /* accept(2) is not restarted if there is a timeout. */
        if (errno != EINTR || is_limited || !all_handlers_restart())
            return false;
    }
}

/* Checks whether this is a connection that arrived through the listener. Both have the same
 * address. */
static enum visit visit_descriptor(int fd, void *context) {
    struct stat status;
    union socket_address listener, here, peer;
    socklen_t listener_length = sizeof listener, length = sizeof here, peer_length = sizeof peer;
    int *listener_fd = context;
    if (!raw_fstat(fd, &status) || !S_ISSOCK(status.st_mode)
        || raw_call3(SYS_getpeername, fd, (long)&peer, (long)&peer_length) != 0
        || raw_call3(SYS_getsockname, fd, (long)&here, (long)&length) != 0
        || raw_call3(SYS_getsockname, *listener_fd, (long)&listener, (long)&listener_length) != 0
        || here.any.sa_family != listener.any.sa_family)
        return visit_continue;
    bool is_of_listener = here.any.sa_family == AF_UNIX
        ? length == listener_length && memcmp(&here, &listener, length) == 0
        : here.in.sin_port == listener.in.sin_port;
    if (!is_of_listener)
        return visit_continue;
    *listener_fd = -1;
    return visit_stop;
}

static bool holds_connections(int fd) {
    return !descriptors_visit(visit_descriptor, &fd) || fd < 0;
}

bool mode_expects_to_wait(int fd) {
    long flags = raw_call3(SYS_fcntl, fd, F_GETFL, 0);
    int listener = listener_behind(fd);
    return (flags >= 0 && (flags & O_NONBLOCK) == 0)
        || (listener >= 0 && is_expected_to_block(listener));
}

/* Waits, indefinitely or for this long, without taking a wake-up from another waiter. Returns true
 * if the listener was shut down meanwhile, or false with errno. */
static bool wait_for_nothing(int fd, struct patience *patience) {
    for (;;) {
        struct pollfd entry = {.fd = fd, .events = 0};
        int ready = next.poll(&entry, 1, patience->is_set ? remaining(patience) : -1);
        if (listener_behind(fd) < 0)
            return true;
        if (ready >= 0) {
            errno = ready > 0 ? EINVAL : EAGAIN;
            return false;
        }
        if (errno != EINTR || patience->is_set || !all_handlers_restart())
            return false;
    }
}

bool mode_pause(int milliseconds) {
    return next.poll(NULL, 0, milliseconds) >= 0 || errno != EINTR || all_handlers_restart();
}

/* A thread that only accepts expects to wait for any length of time while others do the work, and
 * so does an idle program with one thread. Many of them do not handle any result except a
 * connection. A program that polls must continue: with one thread, it may be serving a request. It
 * retries immediately as long as the queue holds connections for other workers, so a short wait
 * prevents a busy loop. */
bool mode_find_nothing(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    bool is_readable = next.poll(&entry, 1, 0) > 0;
    if (mode_expects_to_wait(fd)) {
        struct timeval timeout = {0, 0};
        struct patience patience = {0};
        raw_option(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        bool is_limited = timeout.tv_sec != 0 || timeout.tv_usec != 0;
        if (is_limited)
            begin_patience(&patience, &timeout);
        if (threads_count() > 1 || (!is_readable && (is_limited || !holds_connections(fd))))
            return wait_for_nothing(fd, &patience);
    }
    if (is_readable)
        next.poll(NULL, 0, 1);
    errno = EAGAIN;
    return false;
}
