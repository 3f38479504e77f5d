#define _GNU_SOURCE
#include "accepting.h"
#include "adopt.h"
#include "draining.h"
#include "holding.h"
#include "interpose.h"
#include "known.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "observe.h"
#include "page.h"
#include "reporting.h"
#include "settings.h"
#include "shutting.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int own_bind(int fd, const struct sockaddr *address, socklen_t length) IN_FRONT_OF("bind");
int own_listen(int fd, int backlog) IN_FRONT_OF("listen");
int own_accept(int fd, struct sockaddr *address, socklen_t *length) IN_FRONT_OF("accept");
int own_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
    IN_FRONT_OF("accept4");
int own_shutdown(int fd, int how) IN_FRONT_OF("shutdown");
int own_getsockname(int fd, struct sockaddr *address, socklen_t *length)
    IN_FRONT_OF("getsockname");
int own_fcntl(int fd, int command, ...) IN_FRONT_OF("fcntl");
int own_fcntl64(int fd, int command, ...) IN_FRONT_OF("fcntl64");
int own_ioctl(int fd, unsigned long request, ...) IN_FRONT_OF("ioctl");
int own_connect(int fd, const struct sockaddr *address, socklen_t length) IN_FRONT_OF("connect");
int own_epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
    IN_FRONT_OF("epoll_ctl");
long own_syscall(long number, ...) IN_FRONT_OF("syscall");

/* Sockets. */

int own_bind(int fd, const struct sockaddr *address, socklen_t length) {
    int result;
    if (is_adopting && adopt(fd, address, length, &result))
        return result;
    return next.bind(fd, address, length);
}

/* The master already listens, except on those on demand. A repeated listen() with the program's
 * backlog would shrink the queue of all workers. */
static bool listens_already(int fd) {
    int listener = listener_behind(fd);
    if (listener < 0)
        known_others_listen();
    return listener >= 0 && is_adopting && listener_listens(listener, fd);
}

int own_listen(int fd, int backlog) {
    return listens_already(fd) ? 0 : next.listen(fd, backlog);
}

int own_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept_next(accept_plain, fd, address, length, 0);
}

int own_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return accept_next(accept_with_flags, fd, address, length, flags);
}

/* The kernel's shutdown(2) would end the socket for every worker. Shutting down a listener for
 * writing has no effect in the kernel either. */
static bool is_shut_down(int fd, int how) {
    int listener = is_adopting ? listener_behind(fd) : -1;
    if (listener >= 0 && (how == SHUT_RD || how == SHUT_RDWR))
        shut_down(listener, fd);
    return listener >= 0;
}

int own_shutdown(int fd, int how) {
    if (is_observed(fd) && how != SHUT_RD)
        observe_closing(fd);
    return is_shut_down(fd, how) ? 0 : next.shutdown(fd, how);
}

int own_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return shutting_name(fd, address, length) ? 0 : next.getsockname(fd, address, length);
}

/* A listener that is connected to no address (AF_UNSPEC) stops listening (connect(2)). */
static bool is_disconnected(int fd, const struct sockaddr *address, socklen_t length) {
    return length >= sizeof address->sa_family && address != NULL
        && address->sa_family == AF_UNSPEC && is_shut_down(fd, SHUT_RDWR);
}

int own_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return is_disconnected(fd, address, length) ? 0 : next.connect(fd, address, length);
}

int own_epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
    if (__builtin_expect((page_flags() & supervise_page_drain) != 0, 0))
        return draining_control(set, operation, fd, event);
    int result;
    if (holding_is_on() && holding_control(set, operation, fd, event, &result))
        return result;
    result = next.epoll_ctl(set, operation, fd, event);
    if (reporting_is_due() && result == 0 && operation != EPOLL_CTL_DEL
        && (event->events & EPOLLIN) != 0)
        reporting_waits_on(fd);
    return result;
}

/* The blocking mode. */

static int control(int (*call)(int, int, ...), int fd, int command, void *argument) {
    if (!is_adopting || (command != F_GETFL && command != F_SETFL))
        return call(fd, command, argument);
    if (command == F_GETFL) {
        int flags = call(fd, command, argument);
        return flags < 0 ? flags : mode_flags(fd, flags);
    }
    int flags = (int)(long)argument;
    if ((flags & O_NONBLOCK) == 0 && mode_keep_nonblocking(fd)) {
        /* The only other flag that has an effect on a socket; it can be set separately. */
        int is_asynchronous = (flags & O_ASYNC) != 0;
        return next.ioctl(fd, FIOASYNC, &is_asynchronous);
    }
    int result = call(fd, command, argument);
    if (result == 0 && (flags & O_NONBLOCK) != 0)
        mode_became_nonblocking(fd);
    return result;
}

/* At most one argument follows, a number or a pointer, and each takes a whole register. */
int own_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return control(next.fcntl, fd, command, argument);
}

int own_fcntl64(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    return control(next.fcntl64, fd, command, argument);
}

int own_ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (!is_adopting || request != FIONBIO || argument == NULL)
        return next.ioctl(fd, request, argument);
    bool is_nonblocking = *(int *)argument != 0;
    if (!is_nonblocking && mode_keep_nonblocking(fd))
        return 0;
    int result = next.ioctl(fd, request, argument);
    if (result == 0 && is_nonblocking)
        mode_became_nonblocking(fd);
    return result;
}

/* syscall(2). */

/* Handles programs and runtimes that make these calls by number; all others are passed on
 * unchanged. */
long own_syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    switch (number) {
    case SYS_bind: {
        int result;
        if (is_adopting && adopt((int)a, (const struct sockaddr *)b, (socklen_t)c, &result))
            return result;
        break;
    }
    case SYS_accept:
        return accept_next(
            accept_by_number, (int)a, (struct sockaddr *)b, (socklen_t *)c, 0);
    case SYS_accept4:
        return accept_next(
            accept4_by_number, (int)a, (struct sockaddr *)b, (socklen_t *)c, (int)d);
    case SYS_listen:
        if (listens_already((int)a))
            return 0;
        break;
    case SYS_shutdown:
        if (is_observed((int)a) && (int)b != SHUT_RD)
            observe_closing((int)a);
        if (is_shut_down((int)a, (int)b))
            return 0;
        break;
    case SYS_connect:
        if (is_disconnected((int)a, (const struct sockaddr *)b, (socklen_t)c))
            return 0;
        break;
    case SYS_epoll_ctl:
        return own_epoll_ctl((int)a, (int)b, (int)c, (struct epoll_event *)d);
    case SYS_close:
        if (is_observed((int)a))
            observe_closing((int)a);
        if (holding_is_on()) {
            long result = next.syscall(number, a);
            holding_closed((int)a);
            return result;
        }
        break;
#ifdef SYS_close_range
    case SYS_close_range:
        if ((unsigned)c == 0)
            observe_closing_range((unsigned)a, (unsigned)b);
        break;
#endif
    default:
        break;
    }
    return next.syscall(number, a, b, c, d, e, f);
}
