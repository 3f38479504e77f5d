#ifndef SUPERVISE_PRELOAD_NEXT_EARLY_H
#define SUPERVISE_PRELOAD_NEXT_EARLY_H

/* The functions for streams and for closing as plain system calls, only for next.c. */

#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Some libcs do not define it in their headers (close_range(2)). */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Reports a failure as libc does. */
static long with_errno(long result) {
    if (result >= 0 || result < -4095)
        return result;
    errno = (int)-result;
    return -1;
}

static ssize_t early_read(int fd, void *bytes, size_t size) {
    return with_errno(raw_call3(SYS_read, fd, (long)bytes, (long)size));
}

static ssize_t early_readv(int fd, const struct iovec *vector, int parts) {
    return with_errno(raw_call3(SYS_readv, fd, (long)vector, parts));
}

static ssize_t early_recvfrom(
    int fd, void *bytes, size_t size, int flags, struct sockaddr *address, socklen_t *length) {
    return with_errno(raw_call(
        SYS_recvfrom, fd, (long)bytes, (long)size, flags, (long)address, (long)length));
}

static ssize_t early_recv(int fd, void *bytes, size_t size, int flags) {
    return early_recvfrom(fd, bytes, size, flags, NULL, NULL);
}

static ssize_t early_recvmsg(int fd, struct msghdr *message, int flags) {
    return with_errno(raw_call3(SYS_recvmsg, fd, (long)message, flags));
}

static ssize_t early_write(int fd, const void *bytes, size_t size) {
    return with_errno(raw_call3(SYS_write, fd, (long)bytes, (long)size));
}

static ssize_t early_writev(int fd, const struct iovec *vector, int parts) {
    return with_errno(raw_call3(SYS_writev, fd, (long)vector, parts));
}

static ssize_t early_sendto(
    int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
    socklen_t length) {
    return with_errno(
        raw_call(SYS_sendto, fd, (long)bytes, (long)size, flags, (long)address, length));
}

static ssize_t early_send(int fd, const void *bytes, size_t size, int flags) {
    return early_sendto(fd, bytes, size, flags, NULL, 0);
}

static ssize_t early_sendmsg(int fd, const struct msghdr *message, int flags) {
    return with_errno(raw_call3(SYS_sendmsg, fd, (long)message, flags));
}

static ssize_t early_sendfile(int to, int from, off_t *offset, size_t count) {
    return with_errno(raw_call(SYS_sendfile, to, from, (long)offset, (long)count, 0, 0));
}

static ssize_t early_splice(
    int from, int64_t *read, int to, int64_t *written, size_t size, unsigned flags) {
    return with_errno(
        raw_call(SYS_splice, from, (long)read, to, (long)written, (long)size, (long)flags));
}

static int early_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    return (int)with_errno(raw_call(SYS_sendmmsg, fd, (long)messages, count, flags, 0, 0));
}

static int early_recvmmsg(
    int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout) {
    return (int)with_errno(
        raw_call(SYS_recvmmsg, fd, (long)messages, count, flags, (long)timeout, 0));
}

static int early_close(int fd) {
    return (int)with_errno(raw_call3(SYS_close, fd, 0, 0));
}

static int early_close_range(unsigned first, unsigned last, int flags) {
    return (int)with_errno(raw_call3(SYS_close_range, first, last, flags));
}

/* A program may call it because our library has it, even if libc and the kernel do not. */
static void early_closefrom(int first) {
    first = first < 0 ? 0 : first;
    struct rlimit limit = {0, 0};
    if (raw_call3(SYS_close_range, first, ~0U, 0) == 0
        || raw_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0) != 0)
        return;
    for (rlim_t fd = (rlim_t)first; fd < limit.rlim_cur && fd <= INT_MAX; fd++)
        raw_call3(SYS_close, (long)fd, 0, 0);
}

static int early_dup3(int fd, int number, int flags) {
    return (int)with_errno(raw_call3(SYS_dup3, fd, number, flags));
}

static int early_dup2(int fd, int number) {
    if (fd == number)
        return raw_call3(SYS_fcntl, fd, F_GETFD, 0) < 0 ? (int)with_errno(-EBADF) : fd;
    return early_dup3(fd, number, 0);
}

#endif
