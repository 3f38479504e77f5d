#define _GNU_SOURCE
#include "holding.h"

#include "connections.h"
#include "descriptors.h"
#include "epollsets.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "page.h"
#include "raw.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    /* More than one only if a thread was woken exclusively. */
    held_limit = 16,
    registration_limit = 64,
    least_wakeups = 4,
    idle_milliseconds = 10000,
    pause_milliseconds = 5,
    spins = 200,
    yields = 100,
};

int holder;

static struct {
    /* The process whose state this is: a child of fork(2) begins anew. */
    int pid;
    int count;
    struct {
        int fd;
        uint64_t cookie;
    } held[held_limit];
    int64_t used_at;
    /* The registrations that are restored later. */
    struct registration removed[registration_limit];
    int removed_count;
    /* Whether a registration could not be removed. */
    bool has_failed;
    /* Connections that threads may have been woken for exclusively. */
    int left_to_accept;
} state;

/* The process of the thread that uses the state, or 0. */
static int lock_owner;

static int own_pid(void) {
    return (int)raw_call3(SYS_getpid, 0, 0, 0);
}

static bool lock(int pid) {
    for (int turn = 0; turn < spins + yields; turn++) {
        int expected = 0;
        if (__atomic_compare_exchange_n(
                &lock_owner, &expected, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
            || (expected != pid
                && __atomic_compare_exchange_n(
                    &lock_owner, &expected, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
            return true;
        if (turn >= spins)
            raw_call3(SYS_sched_yield, 0, 0, 0);
    }
    return false;
}

static void unlock(void) {
    __atomic_store_n(&lock_owner, 0, __ATOMIC_RELEASE);
}

static int64_t now_milliseconds(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool holding_is_own(void) {
    return __atomic_load_n(&holder, __ATOMIC_RELAXED) == connections_pid();
}

void holding_is_used(void) {
    __atomic_store_n(&state.used_at, now_milliseconds(), __ATOMIC_RELAXED);
}

static bool is_readable(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    struct timespec none = {0, 0};
    return raw_call(SYS_ppoll, (long)&entry, 1, (long)&none, 0, 0, 0) > 0;
}

/* The listeners */

static void remove_listener(int fd) {
    int found = epollsets_find(
        fd, state.removed + state.removed_count, registration_limit - state.removed_count);
    if (found < 0) {
        state.has_failed = true;
        return;
    }
    for (int index = 0; index < found; index++) {
        const struct registration *registration = &state.removed[state.removed_count + index];
        if ((registration->events & EPOLLEXCLUSIVE) != 0) {
            int threads = threads_count();
            state.left_to_accept = threads > least_wakeups ? threads : least_wakeups;
        }
        if (!epollsets_remove(registration, fd))
            state.has_failed = true;
    }
    state.removed_count += found;
}

static void remove_listeners(int listener_fd) {
    state.removed_count = 0;
    state.has_failed = false;
    state.left_to_accept = 0;
    int own = listener_behind(listener_fd);
    for (int index = 0; index < listener_count; index++) {
        if (index == own)
            remove_listener(listener_fd);
        else if (listeners[index].number >= 0 && listener_behind(listeners[index].number) == index)
            remove_listener(listeners[index].number);
    }
}

static bool is_draining(void) {
    return (page_flags() & supervise_page_drain) != 0;
}

static void release(void) {
    state.count = 0;
    __atomic_store_n(&holder, 0, __ATOMIC_RELEASE);
    for (int index = 0; index < state.removed_count && !is_draining(); index++)
        epollsets_add(&state.removed[index]);
    state.removed_count = 0;
}

/* The connections */

static bool is_open(int index) {
    uint64_t cookie = 0;
    return raw_option(state.held[index].fd, SOL_SOCKET, SO_COOKIE, &cookie, sizeof cookie)
        && cookie == state.held[index].cookie;
}

static void forget(int index) {
    state.held[index] = state.held[--state.count];
}

void holding_check(int pid) {
    if (!lock(pid))
        return;
    if (state.pid == pid && state.count > 0) {
        for (int index = state.count - 1; index >= 0; index--) {
            if (!is_open(index))
                forget(index);
        }
        int64_t used_at = __atomic_load_n(&state.used_at, __ATOMIC_RELAXED);
        bool is_idle = !hunt_is_busy(pid) && now_milliseconds() - used_at >= idle_milliseconds;
        if (state.count == 0 || is_idle)
            release();
    }
    unlock();
}

void holding_accepted(int listener_fd, int fd) {
    int pid = connections_pid();
    int code = errno;
    uint64_t cookie = 0;
    if (!raw_option(fd, SOL_SOCKET, SO_COOKIE, &cookie, sizeof cookie) || !lock(pid))
        return;
    if (state.pid != pid) {
        state.pid = pid;
        state.count = state.removed_count = 0;
    }
    bool is_first = state.count == 0;
    if (state.count < held_limit) {
        state.held[state.count].fd = fd;
        state.held[state.count++].cookie = cookie;
    }
    holding_is_used();
    if (is_first) {
        hunt_reset(pid);
        __atomic_store_n(&holder, pid, __ATOMIC_RELEASE);
        remove_listeners(listener_fd);
        holding_watch(pid);
    }
    unlock();
    errno = code;
}

void holding_closed_range(unsigned first, unsigned last) {
    int code = errno, pid = own_pid();
    /* A child of vfork(2) closes descriptors while it uses its parent's memory. */
    if (__atomic_load_n(&holder, __ATOMIC_ACQUIRE) != pid || !lock(pid))
        return;
    bool is_held = false;
    for (int index = state.count - 1; index >= 0; index--) {
        unsigned fd = (unsigned)state.held[index].fd;
        if (fd < first || fd > last)
            continue;
        forget(index);
        is_held = true;
    }
    if (is_held && state.count == 0)
        release();
    unlock();
    errno = code;
}

static bool is_held(int fd) {
    for (int index = 0; index < state.count && index < held_limit; index++) {
        if (state.held[index].fd == fd)
            return true;
    }
    return false;
}

void holding_closed(int fd) {
    if (is_held(fd))
        holding_closed_range((unsigned)fd, (unsigned)fd);
}

/* accept() */

enum holding holding_admits(int fd) {
    if (listener_behind(fd) < 0)
        return holding_accepts;
    if (__atomic_load_n(&state.left_to_accept, __ATOMIC_RELAXED) > 0 && is_readable(fd)) {
        __atomic_fetch_sub(&state.left_to_accept, 1, __ATOMIC_RELAXED);
        return holding_accepts;
    }
    if (!mode_expects_to_wait(fd)) {
        if (state.has_failed)
            next.poll(NULL, 0, 1);
        errno = EAGAIN;
        return holding_fails;
    }
    /* With one thread, waiting here would prevent the program from serving the connection. */
    if (threads_count() < 2)
        return holding_accepts;
    return mode_pause(pause_milliseconds) ? holding_repeats : holding_fails;
}

/* epoll_ctl() */

static int find(int set, int fd) {
    for (int index = 0; index < state.removed_count; index++) {
        if (state.removed[index].set == set && state.removed[index].number == fd)
            return index;
    }
    return -1;
}

static bool add(int set, int fd, struct epoll_event *event, int *result) {
    if (state.removed_count == registration_limit)
        return false;
    *result = next.epoll_ctl(set, EPOLL_CTL_ADD, fd, event);
    if (*result != 0)
        return true;
    state.removed[state.removed_count] = (struct registration){
        .set = set, .number = fd, .events = event->events, .data = event->data.u64};
    if (epollsets_remove(&state.removed[state.removed_count], fd))
        state.removed_count++;
    return true;
}

bool holding_control(int set, int operation, int fd, struct epoll_event *event, int *result) {
    if (listener_behind(fd) < 0 || !lock(connections_pid()))
        return false;
    bool is_handled = false;
    int index = holding_is_on() ? find(set, fd) : -1;
    if (operation == EPOLL_CTL_ADD && index < 0 && holding_is_on()) {
        is_handled = add(set, fd, event, result);
    } else if (operation == EPOLL_CTL_ADD && index >= 0) {
        errno = EEXIST;
        *result = -1;
        is_handled = true;
    } else if (index >= 0) {
        if (operation == EPOLL_CTL_MOD) {
            state.removed[index].events = event->events;
            state.removed[index].data = event->data.u64;
        } else {
            state.removed[index] = state.removed[--state.removed_count];
        }
        *result = 0;
        is_handled = true;
    }
    unlock();
    return is_handled;
}
