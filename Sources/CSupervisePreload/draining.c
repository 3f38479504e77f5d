#define _GNU_SOURCE
#include "draining.h"

#include "descriptors.h"
#include "epollsets.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "raw.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

enum {
    /* A program registers a listener once, or once per thread. */
    registration_limit = 64,
    /* Other processes may wait on an epoll set that they inherited. They are not counted. */
    least_wakeups = 4,
    milliseconds_between_searches = 50,
};

/* The progress of removing a listener from the epoll sets. */
struct removal {
    bool has_searched;
    int64_t searched_at_milliseconds;
    /* Set if a registration could not be removed, or the sets could not be read. */
    bool has_failed;
    /* The number of connections that this process must still accept. */
    int left_to_accept;
    /* The removed registrations, and whether they are restored while connections are left to
     * accept. */
    struct registration removed[registration_limit];
    int count;
    bool is_registered_again;
};

static struct removal removals[listener_limit];

/* The process of the thread that uses the removals, or 0. After fork(2) the child has its own copy,
 * whatever state another thread of its parent left it in. */
static _Atomic int lock_owner;

static bool try_lock(void) {
    int expected = 0;
    int own = (int)raw_call3(SYS_getpid, 0, 0, 0);
    return atomic_compare_exchange_strong(&lock_owner, &expected, own)
        || (expected != own && atomic_compare_exchange_strong(&lock_owner, &expected, own));
}

static void unlock(void) {
    atomic_store(&lock_owner, 0);
}

static int64_t now_milliseconds(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_readable(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    struct timespec none = {0, 0};
    return raw_call(SYS_ppoll, (long)&entry, 1, (long)&none, 0, 0, 0) > 0;
}

/* Returns the length of the accept queue. For a listening TCP socket this is tcpi_unacked of
 * TCP_INFO. For a unix socket, the kernel offers no way that is as cheap. */
static int queue_length(int fd) {
    struct {
        uint8_t before[offsetof(struct tcp_info, tcpi_unacked)];
        uint32_t unacked;
    } info;
    bool is_known = raw_option(fd, IPPROTO_TCP, TCP_INFO, &info, sizeof info);
    return is_known ? (int)info.unacked : INT_MAX;
}

/* Before the listener was removed, the kernel may have woken each waiting thread once. */
static int wakeups_spent(int fd) {
    int threads = threads_count();
    int most = threads > least_wakeups ? threads : least_wakeups;
    int waiting = queue_length(fd);
    return waiting < most ? waiting : most;
}

/* Removes the known registrations. Returns true if one of them was exclusive. */
static bool remove_all(struct removal *removal, int fd) {
    bool is_exclusive = false;
    for (int index = 0; index < removal->count; index++) {
        struct registration *registration = &removal->removed[index];
        is_exclusive |= (registration->events & EPOLLEXCLUSIVE) != 0;
        removal->has_failed |= !epollsets_remove(registration, fd);
    }
    return is_exclusive;
}

static void search_and_remove(struct removal *removal, int fd) {
    bool is_exclusive = false;
    removal->has_failed = false;
    do {
        removal->count = epollsets_find(fd, removal->removed, registration_limit);
        if (removal->count < 0) {
            removal->count = 0;
            removal->has_failed = true;
        }
        is_exclusive |= remove_all(removal, fd);
    } while (removal->count == registration_limit && !removal->has_failed);
    if (is_exclusive)
        removal->left_to_accept = wakeups_spent(fd);
    if (removal->has_failed && removal->left_to_accept == 0)
        removal->left_to_accept = 1;
}

/* A thread that got a connection from poll(2) just before the flag was set calls accept() because
 * it does not have to wait. It cannot be distinguished from a thread that waits in accept(), which
 * would block. */
static void search_first(struct removal *removal, int fd) {
    search_and_remove(removal, fd);
    if (removal->left_to_accept == 0 && removal->count == 0 && mode_expects_to_wait(fd)
        && threads_count() > 1)
        removal->left_to_accept = 1;
}

static void unregister(struct removal *removal, int fd) {
    if (removal->is_registered_again) {
        removal->is_registered_again = false;
        remove_all(removal, fd);
        return;
    }
    /* A program that polls calls accept() for each connection, including those that other workers
     * take. */
    int64_t now = now_milliseconds();
    if (removal->has_searched && !removal->has_failed
        && now - removal->searched_at_milliseconds < milliseconds_between_searches)
        return;
    removal->searched_at_milliseconds = now;
    if (removal->has_searched)
        search_and_remove(removal, fd);
    else
        search_first(removal, fd);
    removal->has_searched = true;
}

bool draining_accepts(int listener, int fd) {
    /* Another thread is removing the listener. This thread may have been woken before that. */
    if (!try_lock())
        return is_readable(fd);
    struct removal *removal = &removals[listener];
    unregister(removal, fd);
    if (removal->left_to_accept > 0 && !is_readable(fd))
        removal->left_to_accept = 0;
    bool accepts = removal->left_to_accept > 0;
    if (accepts)
        removal->left_to_accept--;
    unlock();
    return accepts;
}

/* Registers the listener again. A program that accepts one connection per event then gets another
 * event while connections are left to accept. The new registration is not exclusive, so it takes no
 * wake-up from another worker. */
static void register_again(struct removal *removal) {
    for (int index = 0; index < removal->count; index++) {
        struct registration registration = removal->removed[index];
        registration.events &= ~(uint32_t)EPOLLEXCLUSIVE;
        epollsets_add(&registration);
    }
    removal->is_registered_again = removal->count > 0;
}

void draining_accepted(int listener, int fd, bool is_connection) {
    if (!try_lock())
        return;
    struct removal *removal = &removals[listener];
    if (!is_connection || (removal->left_to_accept > 0 && !is_readable(fd)))
        removal->left_to_accept = 0;
    if (removal->left_to_accept > 0 && !removal->is_registered_again)
        register_again(removal);
    unlock();
}

int draining_control(int set, int operation, int fd, struct epoll_event *event) {
    int code = errno;
    if (listener_behind(fd) < 0)
        return next.epoll_ctl(set, operation, fd, event);
    if (operation == EPOLL_CTL_ADD) {
        /* Events of an older registration would carry data that the program has already
         * released. */
        raw_call(SYS_epoll_ctl, set, EPOLL_CTL_DEL, fd, 0, 0, 0);
        return 0;
    }
    int result = next.epoll_ctl(set, operation, fd, event);
    if (result != 0 && errno == ENOENT) {
        errno = code;
        return 0;
    }
    return result;
}
