// How the kernel chooses among listeners that share an address (SO_REUSEPORT of socket(7)).
#ifndef CSUPERVISE_STEERING_H
#define CSUPERVISE_STEERING_H

#include <stdint.h>

// Lets a TCP socket that is not bound yet found a group later on, with a program already in force: as
// soon as SO_REUSEPORT is set on the listener, another one can join, and it gets no connection before
// csupervise_steer says so. 0, or -1 with errno.
int csupervise_prepare_steering(int socket);

// Sends every new connection to the group's listener of this index, in the order in which they joined.
// Every other segment goes to the first: it may end a handshake that the first began with a SYN cookie.
// 0, or -1 with errno; EINVAL if the socket is in no group.
int csupervise_steer(int member, uint32_t index);

// Sends all segments of one client to that listener, whose port is this and whose address ends with these
// four bytes, both in network byte order; those of all others go to the first.
int csupervise_steer_client(int member, uint32_t index, uint16_t port, uint32_t address);

#endif
