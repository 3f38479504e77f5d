#define _GNU_SOURCE
#include "claim.h"

#include "digits.h"
#include "raw.h"
#include "socketfile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

/* The IPv4 and IPv6 addresses that a socket address covers. An IPv6 socket can cover IPv4 as well:
 * with `::`, unless IPV6_V6ONLY is set, and with a mapped address, `::ffff:127.0.0.1`. */
struct reach {
    in_port_t port;
    bool has_v4;
    struct in_addr v4;
    bool has_v6;
    struct in6_addr v6;
    /* The interface of a link-local address; 0 is none. */
    uint32_t scope;
};

enum rank { rank_none, rank_other_family, rank_conflict, rank_same_family, rank_exact };

static struct reach reach_of(const union socket_address *address, bool is_v6_only) {
    struct reach reach = {0};
    if (address->any.sa_family == AF_INET) {
        reach.port = address->in.sin_port;
        reach.has_v4 = true;
        reach.v4 = address->in.sin_addr;
        return reach;
    }
    const struct in6_addr *v6 = &address->in6.sin6_addr;
    reach.port = address->in6.sin6_port;
    reach.scope = address->in6.sin6_scope_id;
    if (IN6_IS_ADDR_V4MAPPED(v6)) {
        reach.has_v4 = true;
        memcpy(&reach.v4, &v6->s6_addr[12], sizeof reach.v4);
        return reach;
    }
    reach.has_v6 = true;
    reach.v6 = *v6;
    /* The IPv4 address beside `::` is the wildcard, 0.0.0.0. */
    reach.has_v4 = IN6_IS_ADDR_UNSPECIFIED(v6) && !is_v6_only;
    return reach;
}

static bool is_wildcard(const struct in_addr *address) {
    return address->s_addr == htonl(INADDR_ANY);
}

static bool overlaps_v4(const struct reach *a, const struct reach *b) {
    return a->has_v4 && b->has_v4
        && (a->v4.s_addr == b->v4.s_addr || is_wildcard(&a->v4) || is_wildcard(&b->v4));
}

static bool overlaps_v6(const struct reach *a, const struct reach *b) {
    if (!a->has_v6 || !b->has_v6)
        return false;
    if (IN6_IS_ADDR_UNSPECIFIED(&a->v6) || IN6_IS_ADDR_UNSPECIFIED(&b->v6))
        return true;
    bool is_other_link = a->scope != 0 && b->scope != 0 && a->scope != b->scope;
    return IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6) && !is_other_link;
}

static bool is_same_address(const union socket_address *a, const union socket_address *b) {
    return a->any.sa_family == AF_INET
        ? a->in.sin_addr.s_addr == b->in.sin_addr.s_addr
        : IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

static enum rank internet_rank(
    const struct listener *listener, const union socket_address *address, bool is_v6_only) {
    sa_family_t family = listener->address.any.sa_family;
    if (family != AF_INET && family != AF_INET6)
        return rank_none;
    struct reach ours = reach_of(&listener->address, listener->is_v6_only);
    struct reach theirs = reach_of(address, is_v6_only);
    if (ours.port != theirs.port)
        return rank_none;
    if (!overlaps_v4(&ours, &theirs) && !overlaps_v6(&ours, &theirs)) {
        bool share_family =
            (ours.has_v4 && theirs.has_v4) || (ours.has_v6 && theirs.has_v6);
        return share_family ? rank_none : rank_other_family;
    }
    if (family != address->any.sa_family)
        return rank_conflict;
    return is_same_address(&listener->address, address) ? rank_exact : rank_same_family;
}

static enum rank unix_rank(
    const struct listener *listener, const union socket_address *address, socklen_t length) {
    if (listener->address.any.sa_family != AF_UNIX)
        return rank_none;
    if (address->un.sun_path[0] != '\0')
        return socketfile_is_named(listener, address->un.sun_path) ? rank_exact : rank_none;
    /* An abstract name consists of all its bytes, including NULs. */
    bool is_same = length == listener->address_length
        && memcmp(address, &listener->address, length) == 0;
    return is_same ? rank_exact : rank_none;
}

int claim_conflict(
    const union socket_address *address, socklen_t length, bool is_v6_only, bool *is_free) {
    int found = -1;
    enum rank best = rank_none;
    for (int index = 0; index < listener_count; index++) {
        const struct listener *listener = &listeners[index];
        enum rank rank = address->any.sa_family == AF_UNIX
            ? unix_rank(listener, address, length)
            : internet_rank(listener, address, is_v6_only);
        if (rank > best) {
            best = rank;
            found = index;
        }
    }
    *is_free = best == rank_other_family;
    return found;
}

/* Returns whether this process holds the listener under a number other than the inherited one. */
static bool is_taken(int index) {
    int folder = (int)raw_call(
        SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
    if (folder < 0)
        return false;
    _Alignas(8) char buffer[1024];
    bool found = false;
    long size;
    while (!found && (size = raw_call3(SYS_getdents64, folder, (long)buffer, sizeof buffer)) > 0) {
        for (long offset = 0; offset < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + offset);
            const char *name = entry->d_name;
            uint64_t number;
            found = found
                || (digits_read(&name, &number) && (int)number != listeners[index].number
                    && listener_behind((int)number) == index);
            offset += entry->d_reclen;
        }
    }
    raw_call3(SYS_close, folder, 0, 0);
    return found;
}

static in_port_t port_of(const struct listener *listener) {
    switch (listener->address.any.sa_family) {
    case AF_INET:
        return listener->address.in.sin_port;
    case AF_INET6:
        return listener->address.in6.sin6_port;
    default:
        return 0;
    }
}

int claim_in_turn(int index) {
    in_port_t port = port_of(&listeners[index]);
    int first = -1;
    bool has_others = false;
    for (int other = 0; other < listener_count && port != 0; other++) {
        if (port_of(&listeners[other]) != port)
            continue;
        has_others = has_others || listeners[other].is_on_demand;
        if (first < 0 && !listeners[other].is_on_demand)
            first = other;
    }
    if (!has_others || first < 0 || (index != first && !listeners[index].is_on_demand))
        return index;
    if (!is_taken(first))
        return first;
    for (int other = 0; other < listener_count; other++) {
        if (listeners[other].is_on_demand && port_of(&listeners[other]) == port
            && !is_taken(other))
            return other;
    }
    return index;
}
