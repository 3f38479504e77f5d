#define _GNU_SOURCE
#include "accepting.h"

#include "draining.h"
#include "known.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "notify.h"
#include "page.h"
#include "reporting.h"
#include "waking.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static bool is_counting;

/* The total could not be sent because the master's socket was full; the next one to accept has to. */
static atomic_bool is_ring_owed;

static void count_connection(void) {
    bool is_due = page_count_connection();
    if (!is_due && atomic_load_explicit(&is_ring_owed, memory_order_relaxed))
        is_due = atomic_exchange_explicit(&is_ring_owed, false, memory_order_relaxed);
    if (is_due && !notify_send("X_CONNECTIONS=", page_connections()))
        atomic_store_explicit(&is_ring_owed, true, memory_order_relaxed);
}

static int call_next(
    enum accept_call call, int fd, struct sockaddr *address, socklen_t *length, int flags) {
    switch (call) {
    case accept_plain:
        return next.accept(fd, address, length);
    case accept_with_flags:
        return next.accept4(fd, address, length, flags);
    case accept_by_number:
        return (int)next.syscall(SYS_accept, fd, address, length);
    case accept4_by_number:
        return (int)next.syscall(SYS_accept4, fd, address, length, flags);
    }
    __builtin_unreachable();
}

void accept_count(void) {
    is_counting = true;
}

static bool is_draining(void) {
    return __builtin_expect((page_flags() & supervise_page_drain) != 0, 0);
}

int accept_next(
    enum accept_call call, int fd, struct sockaddr *address, socklen_t *length, int flags) {
    struct patience patience = {0};
    if (reporting_is_due())
        reporting_waits_on(fd);
    for (;;) {
        int draining = is_draining() ? listener_behind(fd) : -1;
        if (draining >= 0 && !draining_accepts(draining, fd)) {
            if (mode_find_nothing(fd))
                continue;
            return -1;
        }
        if (mode_may_wait())
            wake_prepare();
        int connection = call_next(call, fd, address, length, flags);
        if (draining >= 0)
            draining_accepted(draining, fd, connection >= 0);
        if (connection >= 0) {
            /* Which descriptor it came through is asked only now: an accept() that finds nothing or
             * waits costs nothing more. */
            if (is_counting && known_accepted_through(fd))
                count_connection();
            return connection;
        }
        if (wake_has_ended_accept(errno))
            continue;
        if (errno != EAGAIN || (draining < 0 && !mode_wait(fd, &patience)))
            return connection;
    }
}
