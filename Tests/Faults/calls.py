"""Which system calls of the master fail, and with what. The kinds are those of inject.c.

Calls that cannot fail in a correct program are not in the table: those on memory of the allocator,
signal masks and identities; epoll_ctl(EPOLL_CTL_DEL), fcntl(F_SETFD) and the like on an open
descriptor. execve has failures of its own kind: the new program starts or the caller goes on.
"""

import errno

# The errors of the manual pages that an administrator or a busy machine can cause.
ERRORS = {
    "accept4": ["EAGAIN", "EMFILE", "ENFILE", "ECONNABORTED"],
    "access": ["EACCES", "EIO"],
    "bind": ["EADDRINUSE", "EACCES", "ENOMEM"],
    "chmod": ["EPERM", "EROFS"],
    "chown": ["EPERM", "EROFS"],
    "clone": ["EAGAIN", "ENOMEM"],
    "clone3": ["EAGAIN", "ENOMEM"],
    "connect": ["ECONNREFUSED", "EAGAIN"],
    "dup": ["EMFILE"],
    "epoll_create1": ["EMFILE", "ENOMEM"],
    "epoll_ctl:add": ["ENOMEM", "ENOSPC"],
    "epoll_wait": ["EINTR"],
    "execve": ["ENOMEM", "EIO"],
    "faccessat": ["EACCES", "EIO"],
    "fchmod": ["EPERM", "EIO"],
    "fchown": ["EPERM", "EIO"],
    "fchownat": ["EPERM", "EIO"],
    "fcntl:dup": ["EMFILE"],
    "fcntl:seal": ["EPERM"],
    "flock": ["EWOULDBLOCK", "ENOLCK", "EINTR"],
    "fstat": ["EIO"],
    "ftruncate": ["ENOSPC", "EIO", "EINTR"],
    "getdents64": ["EIO", "ENOMEM"],
    "getpeername": ["ENOTCONN", "ENOBUFS"],
    "getrandom": ["ENOSYS", "EAGAIN"],
    "getsockname": ["ENOBUFS"],
    "getsockopt": ["ENOPROTOOPT"],
    "ioctl": ["EIO", "ENOTTY"],
    "kill": ["EPERM", "ESRCH"],
    "listen": ["EADDRINUSE", "ENOBUFS"],
    "lseek": ["ESPIPE"],
    "memfd_create": ["EMFILE", "ENOSYS"],
    "mkdir": ["ENOSPC", "EACCES", "EROFS"],
    "mkdirat": ["ENOSPC", "EACCES", "EROFS"],
    "mmap": ["ENOMEM", "EAGAIN"],
    "newfstatat": ["EIO", "EACCES"],
    "open": ["EMFILE", "ENFILE", "EIO", "ENOMEM"],
    "openat": ["EMFILE", "ENFILE", "EIO", "ENOMEM"],
    "pidfd_getfd": ["EPERM", "ENOSYS", "EMFILE"],
    "pidfd_open": ["EMFILE", "ENOSYS"],
    "pidfd_send_signal": ["EPERM"],
    "pipe2": ["EMFILE", "ENFILE"],
    "poll": ["EINTR", "ENOMEM"],
    "ppoll": ["EINTR", "ENOMEM"],
    "prctl": ["EPERM", "EINVAL"],
    "pread64": ["EIO", "EINTR", "ESRCH", "short"],
    "prlimit64": ["EPERM"],
    "process_vm_readv": ["EPERM", "ENOSYS"],
    "pwrite64": ["ENOSPC", "EIO", "EINTR", "short"],
    "read": ["EINTR", "EIO", "ENOMEM", "short"],
    "read:event": ["EINTR", "EAGAIN"],
    "readlink": ["EACCES", "EIO", "ENOENT"],
    "readlinkat": ["EACCES", "EIO", "ENOENT"],
    "recvfrom": ["EAGAIN", "EINTR", "ENOMEM", "ECONNRESET", "short"],
    "recvmsg": ["EAGAIN", "EINTR", "ENOMEM"],
    "rename": ["ENOSPC", "EACCES", "EROFS"],
    "rmdir": ["EBUSY", "EROFS"],
    "sendmsg": ["EAGAIN", "ENOBUFS", "EPIPE"],
    "sendto": ["EAGAIN", "ENOBUFS", "EPIPE", "short"],
    "setpgid": ["EPERM"],
    "setpriority": ["EPERM"],
    "setsockopt": ["EPERM", "ENOMEM", "ENOPROTOOPT"],
    "shutdown": ["ENOTCONN"],
    "signalfd4": ["EMFILE", "ENOMEM"],
    "socket": ["EMFILE", "ENFILE", "ENOBUFS"],
    "socketpair": ["EMFILE", "ENFILE"],
    "statx": ["EIO", "EACCES"],
    "symlink": ["ENOSPC", "EACCES"],
    "timerfd_create": ["EMFILE", "ENOMEM"],
    "unlink": ["EROFS", "EACCES"],
    "unlinkat": ["EROFS", "EACCES"],
    "vfork": ["EAGAIN", "ENOMEM"],
    "wait4": ["EINTR"],
    "waitid": ["EINTR"],
    "write": ["ENOSPC", "EIO", "EAGAIN", "EINTR", "short"],
    "writev": ["ENOSPC", "EIO", "EAGAIN"],
}


def of_trace(path):
    """The calls of a trace: (kind, its number among the calls of that kind, object, result)."""
    counts = {}
    found = []
    for line in open(path, errors="replace"):
        kind, result, *what = line.rstrip("\n").split(" ", 2)
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "execve" and counts[kind] == 1:
            # The start of the master itself.
            continue
        found.append((kind, counts[kind], what[0] if what else "", int(result)))
    return found


def errors_of(kind, result):
    """What this call is made to fail with. One byte or less cannot be cut short."""
    return [e for e in ERRORS.get(kind, []) if e != "short" or result > 1]


def number_of(error):
    """The error as the injector takes it."""
    return error if error == "short" else str(getattr(errno, error))
