#define _GNU_SOURCE
#include "shutting.h"

#include "descriptors.h"
#include "epollsets.h"
#include "listeners.h"
#include "raw.h"
#include "waking.h"

#include <fcntl.h>
#include <stddef.h>
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
    exchange.kept = keep(fd);
    int count = epollsets_find(fd, registrations, registration_limit);
    for (int index = 0; index < count; index++)
        epollsets_remove(&registrations[index], fd);
    listeners[listener].number = exchange.kept;
    descriptors_visit(visit_descriptor, &exchange);
    for (int index = 0; index < count; index++)
        epollsets_add(&registrations[index]);
    struct stat status;
    if (threads_count() > 1 && raw_fstat(exchange.substitute, &status))
        wake_waiting(status.st_ino);
    raw_call3(SYS_close, exchange.substitute, 0, 0);
}
