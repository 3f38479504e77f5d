#define _GNU_SOURCE
#include "accepting.h"

#include "counting.h"
#include "draining.h"
#include "holding.h"
#include "known.h"
#include "ledger.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "observe.h"
#include "page.h"
#include "pausing.h"
#include "reporting.h"
#include "shutting.h"
#include "waking.h"

#include <errno.h>
#include <sys/syscall.h>

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

static bool is_draining(void) {
    return __builtin_expect((page_flags() & supervise_page_drain) != 0, 0);
}

int accept_next(
    enum accept_call call, int fd, struct sockaddr *address, socklen_t *length, int flags) {
    struct patience patience = {0};
    if (reporting_is_due())
        reporting_waits_on(fd);
    for (;;) {
        shutting_follow(fd);
        int draining = is_draining() ? listener_behind(fd) : -1;
        if (draining >= 0 && !draining_accepts(draining, fd)) {
            if (mode_find_nothing(fd))
                continue;
            return -1;
        }
        if (draining < 0 && (pausing_is_on() || holding_is_on())) {
            enum holding holding = pausing_is_on() ? pausing_admits(fd) : holding_admits(fd);
            if (holding == holding_repeats)
                continue;
            if (holding == holding_fails)
                return -1;
        }
        if (mode_may_wait())
            wake_prepare();
        int connection = call_next(call, fd, address, length, flags);
        if (draining >= 0)
            draining_accepted(draining, fd, connection >= 0);
        if (connection >= 0) {
            /* Checked only after success, so that an accept() that finds nothing or waits costs
             * nothing extra. */
            bool is_ours =
                (counting_is_on() || ledger != NULL) && known_accepted_through(fd);
            observe_accepted(connection, is_ours);
            if (__builtin_expect(hunt != NULL, 0) && is_ours)
                holding_accepted(fd, connection);
            if (is_ours && counting_is_on())
                counting_connection();
            return connection;
        }
        if (wake_has_ended_accept(errno))
            continue;
        if (errno != EAGAIN || (draining < 0 && !mode_wait(fd, &patience)))
            return connection;
    }
}
