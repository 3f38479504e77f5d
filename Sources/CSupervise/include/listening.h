// What the kernel tells of listeners, and how a listener stops taking new connections.
#ifndef CSUPERVISE_LISTENING_H
#define CSUPERVISE_LISTENING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Makes a TCP listener deaf to new connections while those in its queue, and handshakes under way,
// go on (SO_ATTACH_FILTER of socket(7), tcp(7)). It lasts as long as the socket, so it must never be
// put on a socket that belongs to somebody else. 0, or -1 with errno.
int csupervise_drop_new_connections(int listener);

// Takes that back. 0, or -1 with errno.
int csupervise_admit_new_connections(int listener);

// How many connections wait in a TCP listener's accept queue, and how many may (TCP_INFO of tcp(7)).
// 0, or -1 with errno.
int csupervise_tcp_queue(int listener, uint32_t *waiting, uint32_t *limit);

// A descriptor to ask sock_diag(7) over, or -1 with errno.
int csupervise_open_diagnosis(void);

// Sends a request for sockets with these flags of netlink(7). 0, or -1 with errno.
int csupervise_ask_sockets(int diagnosis, const void *body, size_t size, uint16_t flags);

// How many connections wait in the queue of the unix listener with this inode, and how many may. 0,
// or -1 with errno, ENOENT where there is none.
int csupervise_unix_queue(int diagnosis, uint32_t inode, uint32_t *waiting, uint32_t *limit);

#endif
