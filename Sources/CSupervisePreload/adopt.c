#define _GNU_SOURCE
#include "adopt.h"

#include "claim.h"
#include "digits.h"
#include "listeners.h"
#include "mode.h"
#include "notify.h"
#include "raw.h"
#include "recover.h"

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

/* Whether the socket is a stream over TCP, or over a local address, of this family. A port of SCTP
 * has nothing to do with one of TCP. */
static bool is_stream(int fd, sa_family_t family) {
    int type, domain, protocol;
    if (!raw_option(fd, SOL_SOCKET, SO_TYPE, &type, sizeof type) || type != SOCK_STREAM
        || !raw_option(fd, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain) || domain != family
        || !raw_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, sizeof protocol))
        return false;
    return family == AF_UNIX || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

/* Whether this is an address that could be held: with a port, or with a name of its own choice
 * (bind(2) with the family alone asks for any abstract name). */
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

/* A bound socket, ours included, cannot be bound again, and that is the kernel's to say. */
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

static int replace(int fd, int index) {
    int listener = listeners[index].number;
    long descriptor_flags = raw_call3(SYS_fcntl, fd, F_GETFD, 0);
    long status_flags = raw_call3(SYS_fcntl, fd, F_GETFL, 0);
    keep_timeout(fd, listener);
    mode_adopt(index, listener, (status_flags & O_NONBLOCK) != 0);
    int flags = (descriptor_flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0;
    long result = raw_call3(SYS_dup3, listener, fd, flags);
    if (result >= 0)
        return 0;
    errno = (int)-result;
    return -1;
}

/* Once is enough for a process: the operator hears of it, and nothing else comes of it. */
static void tell_other_family(const union socket_address *address) {
    static atomic_flag is_told = ATOMIC_FLAG_INIT;
    bool is_v6 = address->any.sa_family == AF_INET6;
    const void *host =
        is_v6 ? (const void *)&address->in6.sin6_addr : (const void *)&address->in.sin_addr;
    in_port_t port = is_v6 ? address->in6.sin6_port : address->in.sin_port;
    char text[2 + INET6_ADDRSTRLEN + 1 + digits_limit + 1] = "[";
    char *start = text + (is_v6 ? 1 : 0);
    if (atomic_flag_test_and_set(&is_told)
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
    /* The number may have been closed since, and taken by something else. */
    if (index < 0 || !recover_listener(index))
        return false;
    *result = replace(fd, index);
    if (is_free && *result == 0)
        tell_other_family(&wanted);
    return true;
}
