#define _GNU_SOURCE
#include "next.h"

#include "next_early.h"
#include "raw.h"
#include "resolving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>

static int early_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return (int)with_errno(raw_call3(SYS_bind, fd, (long)address, length));
}

static int early_listen(int fd, int backlog) {
    return (int)with_errno(raw_call3(SYS_listen, fd, backlog, 0));
}

static int early_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return (int)with_errno(raw_call(SYS_accept4, fd, (long)address, (long)length, flags, 0, 0));
}

static int early_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return early_accept4(fd, address, length, 0);
}

static int early_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return (int)with_errno(raw_call3(SYS_getsockname, fd, (long)address, (long)length));
}

static int early_shutdown(int fd, int how) {
    return (int)with_errno(raw_call3(SYS_shutdown, fd, how, 0));
}

static int early_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    return (int)with_errno(raw_call3(SYS_fcntl, fd, command, argument));
}

static int early_ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    long argument = va_arg(rest, long);
    va_end(rest);
    return (int)with_errno(raw_call3(SYS_ioctl, fd, (long)request, argument));
}

static int early_unlinkat(int folder, const char *path, int flags) {
    return (int)with_errno(raw_call3(SYS_unlinkat, folder, (long)path, flags));
}

static int early_unlink(const char *path) {
    return early_unlinkat(AT_FDCWD, path, 0);
}

static int early_remove(const char *path) {
    long result = raw_call3(SYS_unlinkat, AT_FDCWD, (long)path, 0);
    if (result == -EISDIR)
        result = raw_call3(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR);
    return (int)with_errno(result);
}

static int early_renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return (int)with_errno(raw_call(SYS_renameat2, from, (long)old, to, (long)new, flags, 0));
}

static int early_renameat(int from, const char *old, int to, const char *new) {
    return early_renameat2(from, old, to, new, 0);
}

static int early_rename(const char *old, const char *new) {
    return early_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

static int early_fchmodat(int folder, const char *path, mode_t mode, int flags) {
    if (flags != 0)
        return (int)with_errno(-ENOTSUP);
    return (int)with_errno(raw_call3(SYS_fchmodat, folder, (long)path, mode));
}

static int early_chmod(const char *path, mode_t mode) {
    return early_fchmodat(AT_FDCWD, path, mode, 0);
}

static int early_lchmod(const char *path, mode_t mode) {
    return early_fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}

static int early_fchmod(int fd, mode_t mode) {
    return (int)with_errno(raw_call3(SYS_fchmod, fd, mode, 0));
}

static int early_fchownat(int folder, const char *path, uid_t user, gid_t group, int flags) {
    return (int)with_errno(raw_call(SYS_fchownat, folder, (long)path, user, group, flags, 0));
}

static int early_chown(const char *path, uid_t user, gid_t group) {
    return early_fchownat(AT_FDCWD, path, user, group, 0);
}

static int early_lchown(const char *path, uid_t user, gid_t group) {
    return early_fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

static int early_fchown(int fd, uid_t user, gid_t group) {
    return (int)with_errno(raw_call3(SYS_fchown, fd, user, group));
}

static int early_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return (int)with_errno(raw_call3(SYS_connect, fd, (long)address, length));
}

static int early_epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
    return (int)with_errno(raw_call(SYS_epoll_ctl, set, operation, fd, (long)event, 0, 0));
}

enum { mask_bytes = 8 };

static int early_ppoll(
    struct pollfd *entries, nfds_t count, const struct timespec *timeout, const sigset_t *mask) {
    /* The kernel updates the remaining time, but libc does not. */
    struct timespec left = timeout != NULL ? *timeout : (struct timespec){0, 0};
    return (int)with_errno(raw_call(
        SYS_ppoll, (long)entries, (long)count, timeout != NULL ? (long)&left : 0, (long)mask,
        mask_bytes, 0));
}

static int early_poll(struct pollfd *entries, nfds_t count, int timeout) {
    struct timespec left = {timeout / 1000, timeout % 1000 * 1000000L};
    return early_ppoll(entries, count, timeout < 0 ? NULL : &left, NULL);
}

static int early_pselect(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, const struct timespec *timeout,
    const sigset_t *mask) {
    struct timespec left = timeout != NULL ? *timeout : (struct timespec){0, 0};
    struct {
        const sigset_t *mask;
        size_t size;
    } blocked = {mask, mask_bytes};
    return (int)with_errno(raw_call(
        SYS_pselect6, limit, (long)reads, (long)writes, (long)errors,
        timeout != NULL ? (long)&left : 0, (long)&blocked));
}

static int early_select(
    int limit, fd_set *reads, fd_set *writes, fd_set *errors, struct timeval *timeout) {
    struct timespec left = {0, 0};
    if (timeout != NULL)
        left = (struct timespec){timeout->tv_sec, timeout->tv_usec * 1000};
    return early_pselect(
        limit, reads, writes, errors, timeout != NULL ? &left : NULL, NULL);
}

static long early_syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
    long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
    va_end(rest);
    return with_errno(raw_call(number, a, b, c, d, e, f));
}

struct next_functions next = {
    .bind = early_bind,
    .listen = early_listen,
    .accept = early_accept,
    .accept4 = early_accept4,
    .shutdown = early_shutdown,
    .getsockname = early_getsockname,
    .fcntl = early_fcntl,
    .fcntl64 = early_fcntl,
    .ioctl = early_ioctl,
    .unlink = early_unlink,
    .unlinkat = early_unlinkat,
    .remove = early_remove,
    .rename = early_rename,
    .renameat = early_renameat,
    .renameat2 = early_renameat2,
    .chmod = early_chmod,
    .lchmod = early_lchmod,
    .fchmod = early_fchmod,
    .fchmodat = early_fchmodat,
    .chown = early_chown,
    .lchown = early_lchown,
    .fchown = early_fchown,
    .fchownat = early_fchownat,
    .connect = early_connect,
    .epoll_ctl = early_epoll_ctl,
    .poll = early_poll,
    .ppoll = early_ppoll,
    .select = early_select,
    .pselect = early_pselect,
    .syscall = early_syscall,
    .read = early_read,
    .readv = early_readv,
    .recv = early_recv,
    .recvfrom = early_recvfrom,
    .recvmsg = early_recvmsg,
    .write = early_write,
    .writev = early_writev,
    .send = early_send,
    .sendto = early_sendto,
    .sendmsg = early_sendmsg,
    .sendfile = early_sendfile,
    .sendfile64 = early_sendfile,
    .splice = early_splice,
    .sendmmsg = early_sendmmsg,
    .recvmmsg = early_recvmmsg,
    .close = early_close,
    .close_range = early_close_range,
    .closefrom = early_closefrom,
    .dup2 = early_dup2,
    .dup3 = early_dup3,
};

/* Functions that this libc lacks stay plain system calls. */
#define RESOLVE_AS(member, name)                                                                   \
    do {                                                                                           \
        void *found = resolve_next(name);                                                          \
        if (found != NULL)                                                                         \
            next.member = (__typeof__(next.member))found;                                          \
    } while (0)
#define RESOLVE(name) RESOLVE_AS(name, #name)

static void resolve_streams(void) {
    RESOLVE(read);
    RESOLVE(readv);
    RESOLVE(recv);
    RESOLVE(recvfrom);
    RESOLVE(recvmsg);
    RESOLVE(write);
    RESOLVE(writev);
    RESOLVE(send);
    RESOLVE(sendto);
    RESOLVE(sendmsg);
    RESOLVE(sendfile);
    RESOLVE(sendfile64);
    RESOLVE(splice);
    RESOLVE(sendmmsg);
    RESOLVE(recvmmsg);
    RESOLVE(close);
    RESOLVE(close_range);
    RESOLVE(closefrom);
    RESOLVE(dup2);
    RESOLVE(dup3);
    RESOLVE_AS(checked_read, "__read_chk");
    RESOLVE_AS(checked_recv, "__recv_chk");
    RESOLVE_AS(checked_recvfrom, "__recvfrom_chk");
}

void next_resolve(void) {
    RESOLVE(bind);
    RESOLVE(listen);
    RESOLVE(accept);
    RESOLVE(accept4);
    RESOLVE(shutdown);
    RESOLVE(getsockname);
    RESOLVE(fcntl);
    RESOLVE(fcntl64);
    RESOLVE(ioctl);
    RESOLVE(unlink);
    RESOLVE(unlinkat);
    RESOLVE(remove);
    RESOLVE(rename);
    RESOLVE(renameat);
    RESOLVE(renameat2);
    RESOLVE(chmod);
    RESOLVE(lchmod);
    RESOLVE(fchmod);
    RESOLVE(fchmodat);
    RESOLVE(chown);
    RESOLVE(lchown);
    RESOLVE(fchown);
    RESOLVE(fchownat);
    RESOLVE(connect);
    RESOLVE(epoll_ctl);
    RESOLVE(poll);
    RESOLVE(ppoll);
    RESOLVE(select);
    RESOLVE(pselect);
    RESOLVE_AS(checked_poll, "__poll_chk");
    RESOLVE_AS(checked_ppoll, "__ppoll_chk");
    RESOLVE(syscall);
    resolve_streams();
    RESOLVE(sigaction);
    RESOLVE(signal);
    RESOLVE(sysv_signal);
    RESOLVE(sigset);
}
