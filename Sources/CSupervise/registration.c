#define _GNU_SOURCE
#include "registration.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

struct exchange {
    const struct csupervise_registration *registration;
    int set, old, new;
    int code;
};

// The child's descriptors are a copy of ours, so each socket can have the number that the key of
// the registration requires.
static int run(void *argument) {
    struct exchange *exchange = argument;
    int number = exchange->registration->number;
    struct epoll_event event = {
        .events = exchange->registration->events,
        .data.u64 = exchange->registration->data,
    };
    int set = fcntl(exchange->set, F_DUPFD_CLOEXEC, number + 1);
    int old = fcntl(exchange->old, F_DUPFD_CLOEXEC, number + 1);
    int new = fcntl(exchange->new, F_DUPFD_CLOEXEC, number + 1);
    exchange->code = set < 0 || old < 0 || new < 0 ? errno : 0;
    // The old socket survives if the caller has another descriptor of it.
    if (exchange->code == 0 && dup3(old, number, O_CLOEXEC) == number)
        epoll_ctl(set, EPOLL_CTL_DEL, number, NULL);
    if (exchange->code == 0
        && (dup3(new, number, O_CLOEXEC) != number
            || epoll_ctl(set, EPOLL_CTL_ADD, number, &event) != 0))
        exchange->code = errno;
    return 0;
}

int csupervise_move_registration(const struct csupervise_registration *registration, int set,
                                 int old, int new) {
    _Alignas(16) char stack[16384];
    struct exchange exchange = {registration, set, old, new, 0};
    // Without an exit signal, no other wait of ours sees this child (clone(2)).
    int pid = clone(run, stack + sizeof stack, CLONE_VM | CLONE_VFORK, &exchange);
    if (pid < 0)
        return -1;
    while (waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
        continue;
    errno = exchange.code;
    return exchange.code == 0 ? 0 : -1;
}
