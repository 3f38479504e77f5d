// The accept queues of listeners, and how a listener stops accepting new connections.
#ifndef CSUPERVISE_LISTENING_H
#define CSUPERVISE_LISTENING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Makes a TCP listener drop requests for new connections, while those in its queue and handshakes
// in progress continue (SO_ATTACH_FILTER of socket(7), tcp(7)). It lasts as long as the socket, so
// never use it on a socket with another owner. Returns 0, or -1 with errno.
int csupervise_drop_new_connections(int listener);

// Reverts csupervise_drop_new_connections. Returns 0, or -1 with errno.
int csupervise_admit_new_connections(int listener);

// Gets the number of connections in a TCP listener's accept queue, and its limit (TCP_INFO of
// tcp(7)). Returns 0, or -1 with errno.
int csupervise_tcp_queue(int listener, uint32_t *waiting, uint32_t *limit);

// Returns a descriptor for sock_diag(7), or -1 with errno.
int csupervise_open_diagnosis(void);

// Sends a request for sockets with these flags of netlink(7). Returns 0, or -1 with errno.
int csupervise_ask_sockets(int diagnosis, const void *body, size_t size, uint16_t flags);

// Requests the TCP sockets of a local port in these states (a bit mask), with these extensions.
// Returns 0, or -1 with errno.
int csupervise_ask_tcp(int diagnosis, int family, uint16_t port, uint32_t states,
                       uint8_t extensions);

// Discards the rest of a dump, which would be taken for the next one. Returns -1 and keeps errno.
int csupervise_give_up(int diagnosis);

// Gets the number of connections in the accept queue of the unix listener with this inode, and its
// limit. Returns 0, or -1 with errno; ENOENT if there is none.
int csupervise_unix_queue(int diagnosis, uint32_t inode, uint32_t *waiting, uint32_t *limit);

// Gets the inode of the socket that the unix socket with this inode is connected to. Returns 0, or
// -1 with errno; ENODATA if it is not connected.
int csupervise_unix_peer(int diagnosis, uint32_t inode, uint32_t *peer);

#endif
