#define _GNU_SOURCE
#include "shutting.h"

#include "descriptors.h"
#include "epollsets.h"
#include "listeners.h"
#include "page.h"
#include "raw.h"
#include "waking.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

enum {
    registration_limit = 64,
    /* Numbers above those that programs expect to be the next free ones. */
    least_kept_number = 256,
};

struct exchange {
    ino_t inode;
    /* The descriptor that keeps the listener open. */
    int kept;
    int substitute;
};

/* The listeners of which this process has heard that they were shut down. */
static _Atomic uint64_t followed;
/* The sockets in their place; 0 if there is none. */
static _Atomic ino_t substitutes[listener_limit];
static atomic_bool has_substitutes;

static enum visit visit_descriptor(int fd, void *context) {
    const struct exchange *exchange = context;
    struct stat status;
    if (fd == exchange->kept || !raw_fstat(fd, &status) || !S_ISSOCK(status.st_mode)
        || status.st_ino != exchange->inode)
        return visit_continue;
    long flags = raw_call3(SYS_fcntl, fd, F_GETFD, 0);
    raw_call3(
        SYS_dup3, exchange->substitute, fd, flags >= 0 && (flags & FD_CLOEXEC) ? O_CLOEXEC : 0);
    return visit_continue;
}

static int keep(int fd) {
    long number = raw_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, least_kept_number);
    /* The descriptor limit may be low. */
    if (number < 0)
        number = raw_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);
    return (int)number;
}

void shut_down(int listener, int fd) {
    struct registration registrations[registration_limit];
    int domain;
    if (!raw_option(fd, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain))
        return;
    struct exchange exchange = {.inode = listeners[listener].inode};
    exchange.substitute = (int)raw_call3(SYS_socket, domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (exchange.substitute < 0)
        return;
    struct stat status;
    if (raw_fstat(exchange.substitute, &status)) {
        atomic_store(&substitutes[listener], status.st_ino);
        atomic_store(&has_substitutes, true);
    }
    page_shut_listener(listener);
    atomic_fetch_or(&followed, (uint64_t)1 << listener);
    exchange.kept = keep(fd);
    int count = epollsets_find(fd, registrations, registration_limit);
    for (int index = 0; index < count; index++)
        epollsets_remove(&registrations[index], fd);
    listeners[listener].number = exchange.kept;
    descriptors_visit(visit_descriptor, &exchange);
    for (int index = 0; index < count; index++)
        epollsets_add(&registrations[index]);
    if (threads_count() > 1 && substitutes[listener] != 0)
        wake_waiting(substitutes[listener]);
    wake_children();
    raw_call3(SYS_close, exchange.substitute, 0, 0);
}

void shutting_begin(void) {
    atomic_store(&followed, page_shut_listeners());
}

void shutting_reopened(int listener) {
    atomic_fetch_or(&followed, page_shut_listeners() & (uint64_t)1 << listener);
}

static uint64_t due(void) {
    return page_shut_listeners() & ~atomic_load_explicit(&followed, memory_order_relaxed);
}

bool shutting_is_due(void) {
    return due() != 0;
}

void shutting_follow(int fd) {
    if (__builtin_expect(due() == 0, 1))
        return;
    int listener = listener_behind(fd);
    if (listener >= 0 && (due() & (uint64_t)1 << listener) != 0)
        shut_down(listener, fd);
}

bool shutting_name(int fd, struct sockaddr *address, socklen_t *length) {
    struct stat status;
    if (!atomic_load_explicit(&has_substitutes, memory_order_relaxed) || address == NULL
        || length == NULL || !raw_fstat(fd, &status) || !S_ISSOCK(status.st_mode))
        return false;
    for (int index = 0; index < listener_count; index++) {
        if (substitutes[index] != status.st_ino || !listeners[index].is_known)
            continue;
        socklen_t whole = listeners[index].address_length;
        memcpy(address, &listeners[index].address, *length < whole ? *length : whole);
        *length = whole;
        return true;
    }
    return false;
}
