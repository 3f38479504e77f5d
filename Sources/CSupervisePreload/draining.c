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
    /* A program has one registration of a listener, or one for each thread. */
    registration_limit = 64,
    /* Other processes may wait on an epoll set that they inherited, and are not counted. */
    least_owed = 4,
    milliseconds_between_searches = 50,
};

/* How far a listener's removal from the epoll sets has come. */
struct departure {
    bool has_searched;
    int64_t searched_at_milliseconds;
    /* A registration could not be removed, or the sets could not be read. */
    bool is_stuck;
    /* How many connections are still to be accepted. */
    int owed;
    /* The registrations that were removed, and whether they are back while connections are owed. */
    struct registration removed[registration_limit];
    int count;
    bool is_back;
};

static struct departure departures[listener_limit];

/* The process of the thread that uses the departures, or 0. The child of fork(2) has a copy of its
 * own, whatever another thread of its parent was doing. */
static _Atomic int holder;

static bool try_lock(void) {
    int expected = 0;
    int own = (int)raw_call3(SYS_getpid, 0, 0, 0);
    return atomic_compare_exchange_strong(&holder, &expected, own)
        || (expected != own && atomic_compare_exchange_strong(&holder, &expected, own));
}

static void unlock(void) {
    atomic_store(&holder, 0);
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

/* For a listening TCP socket, tcpi_unacked of TCP_INFO is the length of its queue. The length of a
 * unix socket's queue cannot be read so cheaply. */
static int queue_length(int fd) {
    struct {
        uint8_t before[offsetof(struct tcp_info, tcpi_unacked)];
        uint32_t unacked;
    } info;
    bool is_known = raw_option(fd, IPPROTO_TCP, TCP_INFO, &info, sizeof info);
    return is_known ? (int)info.unacked : INT_MAX;
}

/* Each thread that waited may have been woken once before the listener was removed. */
static int wakeups_spent(int fd) {
    int threads = threads_count();
    int most = threads > least_owed ? threads : least_owed;
    int waiting = queue_length(fd);
    return waiting < most ? waiting : most;
}

/* Removes the registrations that are known; true if one of them was exclusive. */
static bool remove_all(struct departure *departure, int fd) {
    bool is_exclusive = false;
    for (int index = 0; index < departure->count; index++) {
        struct registration *registration = &departure->removed[index];
        is_exclusive |= (registration->events & EPOLLEXCLUSIVE) != 0;
        departure->is_stuck |= !epollsets_remove(registration, fd);
    }
    return is_exclusive;
}

static void search_and_remove(struct departure *departure, int fd) {
    bool is_exclusive = false;
    departure->is_stuck = false;
    do {
        departure->count = epollsets_find(fd, departure->removed, registration_limit);
        if (departure->count < 0) {
            departure->count = 0;
            departure->is_stuck = true;
        }
        is_exclusive |= remove_all(departure, fd);
    } while (departure->count == registration_limit && !departure->is_stuck);
    if (is_exclusive)
        departure->owed = wakeups_spent(fd);
    if (departure->is_stuck && departure->owed == 0)
        departure->owed = 1;
}

/* A thread that saw a connection by poll(2) just before the flag was set calls accept() because it
 * does not have to wait. Nothing tells it from one that waits in accept(), where it would stay. */
static void search_first(struct departure *departure, int fd) {
    search_and_remove(departure, fd);
    if (departure->owed == 0 && departure->count == 0 && mode_expects_to_wait(fd)
        && threads_count() > 1)
        departure->owed = 1;
}

static void leave(struct departure *departure, int fd) {
    if (departure->is_back) {
        departure->is_back = false;
        remove_all(departure, fd);
        return;
    }
    /* A program that polls calls accept() for each connection, also for those that others take. */
    int64_t now = now_milliseconds();
    if (departure->has_searched && !departure->is_stuck
        && now - departure->searched_at_milliseconds < milliseconds_between_searches)
        return;
    departure->searched_at_milliseconds = now;
    if (departure->has_searched)
        search_and_remove(departure, fd);
    else
        search_first(departure, fd);
    departure->has_searched = true;
}

bool draining_accepts(int listener, int fd) {
    /* Another thread removes the listener just now. This one may have been woken before. */
    if (!try_lock())
        return is_readable(fd);
    struct departure *departure = &departures[listener];
    leave(departure, fd);
    if (departure->owed > 0 && !is_readable(fd))
        departure->owed = 0;
    bool accepts = departure->owed > 0;
    if (accepts)
        departure->owed--;
    unlock();
    return accepts;
}

/* A program that accepts one connection for each event gets another event while more are owed. What
 * is registered again is not exclusive, and so takes no wake-up from anybody else. */
static void come_back(struct departure *departure) {
    for (int index = 0; index < departure->count; index++) {
        struct registration registration = departure->removed[index];
        registration.events &= ~(uint32_t)EPOLLEXCLUSIVE;
        epollsets_add(&registration);
    }
    departure->is_back = departure->count > 0;
}

void draining_accepted(int listener, int fd, bool is_connection) {
    if (!try_lock())
        return;
    struct departure *departure = &departures[listener];
    if (!is_connection || (departure->owed > 0 && !is_readable(fd)))
        departure->owed = 0;
    if (departure->owed > 0 && !departure->is_back)
        come_back(departure);
    unlock();
}

int draining_control(int set, int operation, int fd, struct epoll_event *event) {
    int code = errno;
    if (listener_behind(fd) < 0)
        return next.epoll_ctl(set, operation, fd, event);
    if (operation == EPOLL_CTL_ADD) {
        /* Events of an older registration would carry data that the program has given up. */
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
