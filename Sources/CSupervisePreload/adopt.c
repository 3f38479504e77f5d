#define _GNU_SOURCE
#include "adopt.h"

#include "claim.h"
#include "descriptors.h"
#include "digits.h"
#include "epollsets.h"
#include "listeners.h"
#include "mode.h"
#include "next.h"
#include "notify.h"
#include "raw.h"
#include "recover.h"
#include "shutting.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

/* Returns whether the socket is a stream over TCP or a local address, of this family. An SCTP port
 * does not conflict with the same TCP port. */
static bool is_stream(int fd, sa_family_t family) {
    int type, domain, protocol;
    if (!raw_option(fd, SOL_SOCKET, SO_TYPE, &type, sizeof type) || type != SOCK_STREAM
        || !raw_option(fd, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain) || domain != family
        || !raw_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, sizeof protocol))
        return false;
    return family == AF_UNIX || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

/* Returns whether a listener can hold this address: it has a port or an explicit name. bind(2) with
 * the family alone requests an arbitrary abstract name. */
static bool is_definite(const union socket_address *address, socklen_t length) {
    switch (address->any.sa_family) {
    case AF_INET:
        return length >= sizeof address->in && address->in.sin_port != 0;
    case AF_INET6:
        return length >= sizeof address->in6 && address->in6.sin6_port != 0;
    case AF_UNIX:
        return length > offsetof(struct sockaddr_un, sun_path) && length <= sizeof address->un;
    default:
        return false;
    }
}

/* A socket that is already bound, including one of ours, cannot be bound again. The kernel reports
 * this error. */
static bool is_bound(int fd) {
    union socket_address address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (raw_call3(SYS_getsockname, fd, (long)&address, (long)&length) != 0)
        return true;
    return length <= sizeof address && is_definite(&address, length);
}

static void keep_timeout(int fd, int listener) {
    struct timeval timeout;
    if (raw_option(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout)
        && (timeout.tv_sec != 0 || timeout.tv_usec != 0))
        raw_call(
            SYS_setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, (long)&timeout, sizeof timeout, 0);
}

enum { registration_limit = 16 };

/* The kernel drops the epoll registrations of a file together with the file, and some programs
 * register a socket before they bind it. */
static int replace(int fd, int index) {
    int listener = listeners[index].number;
    struct registration registrations[registration_limit];
    int count = epollsets_find(fd, registrations, registration_limit);
    for (int each = 0; each < count; each++)
        epollsets_remove(&registrations[each], fd);
    long descriptor_flags = raw_call3(SYS_fcntl, fd, F_GETFD, 0);
    long status_flags = raw_call3(SYS_fcntl, fd, F_GETFL, 0);
    keep_timeout(fd, listener);
    mode_attach(index, listener, (status_flags & O_NONBLOCK) != 0);
    int flags = (descriptor_flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0;
    long result = raw_call3(SYS_dup3, listener, fd, flags);
    for (int each = 0; each < count; each++)
        epollsets_add(&registrations[each]);
    if (result >= 0)
        return 0;
    errno = (int)-result;
    return -1;
}

/* Reports the address once per process: the report only informs the operator. */
static void report_other_family(const union socket_address *address) {
    static atomic_flag is_reported = ATOMIC_FLAG_INIT;
    bool is_v6 = address->any.sa_family == AF_INET6;
    const void *host =
        is_v6 ? (const void *)&address->in6.sin6_addr : (const void *)&address->in.sin_addr;
    in_port_t port = is_v6 ? address->in6.sin6_port : address->in.sin_port;
    char text[2 + INET6_ADDRSTRLEN + 1 + digits_limit + 1] = "[";
    char *start = text + (is_v6 ? 1 : 0);
    if (atomic_flag_test_and_set(&is_reported)
        || inet_ntop(address->any.sa_family, host, start, INET6_ADDRSTRLEN) == NULL)
        return;
    char *end = text + strlen(text);
    if (is_v6)
        *end++ = ']';
    *end++ = ':';
    end[digits_write(end, ntohs(port))] = '\0';
    notify_send_text("X_ALSO_BINDS=", text);
}

bool adopt(int fd, const struct sockaddr *address, socklen_t length, int *result) {
    union socket_address wanted;
    if (listener_count == 0 || address == NULL || length < sizeof(sa_family_t)
        || length > sizeof wanted)
        return false;
    memset(&wanted, 0, sizeof wanted);
    memcpy(&wanted, address, length);
    if (!is_definite(&wanted, length) || !is_stream(fd, wanted.any.sa_family) || is_bound(fd))
        return false;

    int is_v6_only = 0;
    if (wanted.any.sa_family == AF_INET6)
        raw_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_v6_only, sizeof is_v6_only);
    recover_unknown();
    bool is_free;
    int index = claim_conflict(&wanted, length, is_v6_only != 0, &is_free);
    /* The program may have closed the number since, and another file may have it now. */
    if (index < 0)
        return false;
    index = claim_in_turn(index);
    if (!recover_listener(index))
        return false;
    shutting_reopened(index);
    *result = replace(fd, index);
    if (is_free && *result == 0)
        report_other_family(&wanted);
    return true;
}

/* Some servers replace their socket file without a gap: they bind a temporary path, then rename
 * that file over the old one. */
struct renamed {
    dev_t device;
    ino_t inode;
    int listener;
    bool is_adopted;
};

static enum visit visit_descriptor(int fd, void *context) {
    struct renamed *renamed = context;
    union socket_address address;
    socklen_t length = sizeof address;
    struct stat status;
    char path[sizeof address.un.sun_path + 1] = {0};
    memset(&address, 0, sizeof address);
    if (!is_stream(fd, AF_UNIX) || listener_behind(fd) >= 0
        || raw_call3(SYS_getsockname, fd, (long)&address, (long)&length) != 0)
        return visit_continue;
    memcpy(path, address.un.sun_path, sizeof address.un.sun_path);
    if (!raw_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW)
        || status.st_dev != renamed->device || status.st_ino != renamed->inode)
        return visit_continue;
    renamed->is_adopted |= replace(fd, renamed->listener) == 0;
    return visit_continue;
}

void adopt_file(int listener, int folder, const char *path) {
    struct stat status;
    if (!raw_fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) || !S_ISSOCK(status.st_mode)
        || !recover_listener(listener))
        return;
    struct renamed renamed = {
        .device = status.st_dev, .inode = status.st_ino, .listener = listener};
    int code = errno;
    descriptors_visit(visit_descriptor, &renamed);
    if (renamed.is_adopted)
        next.unlinkat(folder, path, 0);
    errno = code;
}
