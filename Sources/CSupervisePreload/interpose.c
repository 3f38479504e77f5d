#define _GNU_SOURCE
#include "accepting.h"
#include "adopt.h"
#include "known.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "settings.h"
#include "socketfile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/* The functions that stand in front of libc's, under its names (ld.so(8), LD_PRELOAD). The names are
 * given to the assembler: libc's headers declare some of them in ways of their own.
 *
 * Each decides quickly whether the call concerns a listener of ours, and hands all others on with
 * errno as it is. close() is not among them: nothing is remembered that it could make wrong. */
#define IN_FRONT_OF(name) __asm__(name) __attribute__((visibility("default")))

int own_bind(int fd, const struct sockaddr *address, socklen_t length) IN_FRONT_OF("bind");
int own_listen(int fd, int backlog) IN_FRONT_OF("listen");
int own_accept(int fd, struct sockaddr *address, socklen_t *length) IN_FRONT_OF("accept");
int own_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
    IN_FRONT_OF("accept4");
int own_shutdown(int fd, int how) IN_FRONT_OF("shutdown");
int own_fcntl(int fd, int command, ...) IN_FRONT_OF("fcntl");
int own_fcntl64(int fd, int command, ...) IN_FRONT_OF("fcntl64");
int own_ioctl(int fd, unsigned long request, ...) IN_FRONT_OF("ioctl");
int own_unlink(const char *path) IN_FRONT_OF("unlink");
int own_unlinkat(int folder, const char *path, int flags) IN_FRONT_OF("unlinkat");
int own_remove(const char *path) IN_FRONT_OF("remove");
int own_rename(const char *old, const char *new) IN_FRONT_OF("rename");
int own_renameat(int from, const char *old, int to, const char *new) IN_FRONT_OF("renameat");
int own_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
    IN_FRONT_OF("renameat2");
long own_syscall(long number, ...) IN_FRONT_OF("syscall");

/* Sockets */

int own_bind(int fd, const struct sockaddr *address, socklen_t length) {
    int result;
    if (is_adopting && adopt(fd, address, length, &result))
        return result;
    return next.bind(fd, address, length);
}

static bool is_shared(int fd) {
    return is_adopting && listener_behind(fd) >= 0;
}

/* The master listens already. Once more with the program's backlog would shrink the queue of all. */
static bool listens_already(int fd) {
    bool is_ours = listener_behind(fd) >= 0;
    if (!is_ours)
        known_others_listen();
    return is_ours && is_adopting;
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

/* It would deafen every worker, not this one alone: the socket is shared, unlike a descriptor. */
int own_shutdown(int fd, int how) {
    return is_shared(fd) ? 0 : next.shutdown(fd, how);
}

/* The blocking mode */

static int control(int (*call)(int, int, ...), int fd, int command, void *argument) {
    if (!is_adopting || (command != F_GETFL && command != F_SETFL))
        return call(fd, command, argument);
    if (command == F_GETFL) {
        int flags = call(fd, command, argument);
        return flags < 0 ? flags : mode_flags(fd, flags);
    }
    int flags = (int)(long)argument;
    if ((flags & O_NONBLOCK) == 0 && mode_keep_nonblocking(fd)) {
        /* The one other flag that means anything to a socket; it can be set by itself. */
        int is_asynchronous = (flags & O_ASYNC) != 0;
        return next.ioctl(fd, FIOASYNC, &is_asynchronous);
    }
    int result = call(fd, command, argument);
    if (result == 0 && (flags & O_NONBLOCK) != 0)
        mode_became_nonblocking(fd);
    return result;
}

/* One argument at most follows, a number or a pointer, and each takes a whole register. */
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

/* Files of unix sockets */

static bool is_held(int folder, const char *path) {
    return is_adopting && socketfile_is_held(folder, path);
}

int own_unlink(const char *path) {
    return is_held(AT_FDCWD, path) ? 0 : next.unlink(path);
}

int own_unlinkat(int folder, const char *path, int flags) {
    return is_held(folder, path) ? 0 : next.unlinkat(folder, path, flags);
}

int own_remove(const char *path) {
    return is_held(AT_FDCWD, path) ? 0 : next.remove(path);
}

int own_rename(const char *old, const char *new) {
    return is_held(AT_FDCWD, old) ? 0 : next.rename(old, new);
}

int own_renameat(int from, const char *old, int to, const char *new) {
    return is_held(from, old) ? 0 : next.renameat(from, old, to, new);
}

int own_renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return is_held(from, old) ? 0 : next.renameat2(from, old, to, new, flags);
}

/* syscall(2) */

/* Programs and runtimes that call these by number; all else goes on as it came. */
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
        if (is_shared((int)a))
            return 0;
        break;
    default:
        break;
    }
    return next.syscall(number, a, b, c, d, e, f);
}
