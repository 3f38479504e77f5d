#ifndef SUPERVISE_PRELOAD_NEXT_H
#define SUPERVISE_PRELOAD_NEXT_H

/* The functions that ours interpose: libc's, or those of another preloaded library, which must be
 * called as well (dlsym(3), RTLD_NEXT).
 *
 * Until the constructor has run they are plain system calls, because constructors of other
 * libraries run before ours and may call any of these. They are written once, before the program
 * starts. */

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>

struct epoll_event;
struct iovec;
struct mmsghdr;

struct next_functions {
    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*listen)(int, int);
    int (*accept)(int, struct sockaddr *, socklen_t *);
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    int (*shutdown)(int, int);
    int (*getsockname)(int, struct sockaddr *, socklen_t *);
    int (*fcntl)(int, int, ...);
    int (*fcntl64)(int, int, ...);
    int (*ioctl)(int, unsigned long, ...);
    int (*unlink)(const char *);
    int (*unlinkat)(int, const char *, int);
    int (*remove)(const char *);
    int (*rename)(const char *, const char *);
    int (*renameat)(int, const char *, int, const char *);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    int (*chmod)(const char *, mode_t);
    int (*lchmod)(const char *, mode_t);
    int (*fchmod)(int, mode_t);
    int (*fchmodat)(int, const char *, mode_t, int);
    int (*chown)(const char *, uid_t, gid_t);
    int (*lchown)(const char *, uid_t, gid_t);
    int (*fchown)(int, uid_t, gid_t);
    int (*fchownat)(int, const char *, uid_t, gid_t, int);
    int (*connect)(int, const struct sockaddr *, socklen_t);
    int (*epoll_ctl)(int, int, int, struct epoll_event *);
    int (*poll)(struct pollfd *, nfds_t, int);
    int (*ppoll)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    int (*select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
    int (*pselect)(
        int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
    long (*syscall)(long, ...);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    ssize_t (*recv)(int, void *, size_t, int);
    ssize_t (*recvfrom)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
    ssize_t (*recvmsg)(int, struct msghdr *, int);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    ssize_t (*sendfile)(int, int, off_t *, size_t);
    ssize_t (*sendfile64)(int, int, int64_t *, size_t);
    ssize_t (*splice)(int, int64_t *, int, int64_t *, size_t, unsigned);
    int (*sendmmsg)(int, struct mmsghdr *, unsigned, int);
    int (*recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);
    int (*close)(int);
    int (*close_range)(unsigned, unsigned, int);
    void (*closefrom)(int);
    int (*dup2)(int, int);
    int (*dup3)(int, int, int);
    /* NULL if libc has none. */
    int (*checked_poll)(struct pollfd *, nfds_t, int, size_t);
    int (*checked_ppoll)(
        struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
    ssize_t (*checked_read)(int, void *, size_t, size_t);
    ssize_t (*checked_recv)(int, void *, size_t, size_t, int);
    ssize_t (*checked_recvfrom)(
        int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
    /* NULL until they are resolved, because the kernel's interface to these differs. */
    int (*sigaction)(int, const struct sigaction *, struct sigaction *);
    void (*(*signal)(int, void (*)(int)))(int);
    void (*(*sysv_signal)(int, void (*)(int)))(int);
    void (*(*sigset)(int, void (*)(int)))(int);
};

extern struct next_functions next;

void next_resolve(void);

#endif
