// Registrations in the epoll sets of other processes (epoll(7)).
#ifndef CSUPERVISE_REGISTRATION_H
#define CSUPERVISE_REGISTRATION_H

#include <stdint.h>

struct csupervise_registration {
    // The descriptor under which the process registered the socket, which is part of the key.
    int32_t number;
    uint32_t events;
    uint64_t data;
};

// Replaces the registration of `old` by the same one for `new` in this epoll set. All are
// descriptors of this process. Returns 0, or -1 with errno.
int csupervise_move_registration(const struct csupervise_registration *registration, int set,
                                 int old, int new);

#endif
