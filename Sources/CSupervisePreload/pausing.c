#define _GNU_SOURCE
#include "pausing.h"

#include "epollsets.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"

#include <errno.h>
#include <sys/epoll.h>

enum { registration_limit = 16, wait_milliseconds = 20, pause_milliseconds = 2 };

static bool is_over(uint64_t until) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec >= until;
}

/* Returns whether this process is woken exclusively. Determined once per pause. */
static bool is_exclusive(int fd, uint64_t until) {
    static uint64_t known_until;
    static bool is_known_exclusive;
    if (__atomic_load_n(&known_until, __ATOMIC_ACQUIRE) == until)
        return is_known_exclusive;
    struct registration found[registration_limit];
    int count = epollsets_find(fd, found, registration_limit);
    bool is = count < 0;
    for (int index = 0; index < count; index++)
        is |= (found[index].events & EPOLLEXCLUSIVE) != 0;
    is_known_exclusive = is;
    __atomic_store_n(&known_until, until, __ATOMIC_RELEASE);
    return is;
}

enum holding pausing_admits(int fd) {
    uint64_t until = page_pause();
    if (is_over(until) || listener_behind(fd) < 0 || is_exclusive(fd, until))
        return holding_accepts;
    if (mode_expects_to_wait(fd))
        return mode_pause(wait_milliseconds) ? holding_repeats : holding_fails;
    /* The program is woken again at once as long as the queue holds connections. */
    next.poll(NULL, 0, pause_milliseconds);
    errno = EAGAIN;
    return holding_fails;
}
