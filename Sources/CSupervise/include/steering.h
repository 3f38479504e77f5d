// How the kernel selects among listeners that share an address (SO_REUSEPORT of socket(7)).
#ifndef CSUPERVISE_STEERING_H
#define CSUPERVISE_STEERING_H

#include <stdint.h>

// Prepares an unbound TCP socket to found a group later, with a program already in force: as soon
// as SO_REUSEPORT is set on the listener, another one can join, and gets no connection before
// csupervise_steer directs some to it. Returns 0, or -1 with errno.
int csupervise_prepare_steering(int socket);

// Directs every new connection to the group's listener with this index, in the order in which they
// joined. All other segments go to the first, because they may complete a handshake that it began
// with a SYN cookie. Returns 0, or -1 with errno; EINVAL if the socket is in no group.
int csupervise_steer(int member, uint32_t index);

// Directs all segments of one client to that listener, and those of all others to the first. The
// client has this port, and its address ends with these four bytes, both in network byte order.
int csupervise_steer_client(int member, uint32_t index, uint16_t port, uint32_t address);

#endif
