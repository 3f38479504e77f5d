// What the kernel tells of the connections of a port.
#ifndef CSUPERVISE_CONNECTIONS_H
#define CSUPERVISE_CONNECTIONS_H

#include <stdint.h>

// A TCP socket as sock_diag(7) or getsockopt(2) tells of it.
struct csupervise_connection {
    // 0 when no process has it any more.
    uint32_t inode;
    // TCP_LISTEN, TCP_ESTABLISHED and so on.
    uint8_t state;
    // Bytes that wait to be read, and to be acknowledged; of a listener, its queue.
    uint32_t unread;
    uint32_t unsent;
    // Milliseconds since data were last sent and received, and since anything was acknowledged.
    uint32_t since_sent;
    uint32_t since_received;
    uint32_t since_acknowledged;
    // Segments with data so far.
    uint32_t segments_sent;
    uint32_t segments_received;
};

// All sockets with this local port, listeners too, of one family: how many there are, of which the
// first `room` are written to `found`. -1 with errno.
int csupervise_connections(int diagnosis, int family, uint16_t port,
                           struct csupervise_connection *found, int room);

// What a connection that we have a descriptor of says of itself, but for its inode; -1 with errno,
// EINVAL for a listener.
int csupervise_ask_connection(int socket, struct csupervise_connection *found);

// How many handshakes with this local port are not finished, of one family; -1 with errno.
int csupervise_half_open(int diagnosis, int family, uint16_t port);

#endif
