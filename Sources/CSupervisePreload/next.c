#define _GNU_SOURCE
#include "next.h"

#include "raw.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>

/* As libc tells a failure. */
static long told(long result) {
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

static int early_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return (int)told(raw_call3(SYS_bind, fd, (long)address, length));
}

static int early_listen(int fd, int backlog) {
    return (int)told(raw_call3(SYS_listen, fd, backlog, 0));
}

static int early_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return (int)told(raw_call(SYS_accept4, fd, (long)address, (long)length, flags, 0, 0));
}

static int early_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return early_accept4(fd, address, length, 0);
}

static int early_shutdown(int fd, int how) {
    return (int)told(raw_call3(SYS_shutdown, fd, how, 0));
}

static int early_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    return (int)told(raw_call3(SYS_fcntl, fd, command, argument));
}

static int early_ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    long argument = va_arg(rest, long);
    va_end(rest);
    return (int)told(raw_call3(SYS_ioctl, fd, (long)request, argument));
}

static int early_unlinkat(int folder, const char *path, int flags) {
    return (int)told(raw_call3(SYS_unlinkat, folder, (long)path, flags));
}

static int early_unlink(const char *path) {
    return early_unlinkat(AT_FDCWD, path, 0);
}

static int early_remove(const char *path) {
    long result = raw_call3(SYS_unlinkat, AT_FDCWD, (long)path, 0);
    if (result == -EISDIR)
        result = raw_call3(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR);
    return (int)told(result);
}

static int early_renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return (int)told(raw_call(SYS_renameat2, from, (long)old, to, (long)new, flags, 0));
}

static int early_renameat(int from, const char *old, int to, const char *new) {
    return early_renameat2(from, old, to, new, 0);
}

static int early_rename(const char *old, const char *new) {
    return early_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

static long early_syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    return told(raw_call(number, a, b, c, d, e, f));
}

struct next_functions next = {
    .bind = early_bind,
    .listen = early_listen,
    .accept = early_accept,
    .accept4 = early_accept4,
    .shutdown = early_shutdown,
    .fcntl = early_fcntl,
    .fcntl64 = early_fcntl,
    .ioctl = early_ioctl,
    .unlink = early_unlink,
    .unlinkat = early_unlinkat,
    .remove = early_remove,
    .rename = early_rename,
    .renameat = early_renameat,
    .renameat2 = early_renameat2,
    .syscall = early_syscall,
};

/* What this libc does not have stays a plain system call. */
#define RESOLVE(name)                                                                              \
    do {                                                                                           \
        void *found = dlsym(RTLD_NEXT, #name);                                                     \
        if (found != NULL)                                                                         \
            next.name = (__typeof__(next.name))found;                                              \
    } while (0)

void next_resolve(void) {
    RESOLVE(bind);
    RESOLVE(listen);
    RESOLVE(accept);
    RESOLVE(accept4);
    RESOLVE(shutdown);
    RESOLVE(fcntl);
    RESOLVE(fcntl64);
    RESOLVE(ioctl);
    RESOLVE(unlink);
    RESOLVE(unlinkat);
    RESOLVE(remove);
    RESOLVE(rename);
    RESOLVE(renameat);
    RESOLVE(renameat2);
    RESOLVE(syscall);
}
