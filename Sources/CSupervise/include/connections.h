// The connections of a port, as reported by the kernel.
#ifndef CSUPERVISE_CONNECTIONS_H
#define CSUPERVISE_CONNECTIONS_H

#include <stdint.h>

// A TCP socket, as reported by sock_diag(7) or getsockopt(2).
struct csupervise_connection {
    // 0 if no process holds it any longer.
    uint32_t inode;
    // TCP_LISTEN, TCP_ESTABLISHED and so on.
    uint8_t state;
    // Bytes that wait to be read and to be acknowledged; for a listener, its queue.
    uint32_t unread;
    uint32_t unsent;
    // Milliseconds since data were last sent and received, and since the last acknowledgement.
    uint32_t since_sent;
    uint32_t since_received;
    uint32_t since_acknowledged;
    // The number of data segments so far.
    uint32_t segments_sent;
    uint32_t segments_received;
};

// Finds the sockets of one family with this local port, including listeners. Returns their number;
// the first `room` are written to `found`. Returns -1 with errno on failure.
int csupervise_connections(int diagnosis, int family, uint16_t port,
                           struct csupervise_connection *found, int room);

// Reads the state of a connection from its descriptor, except for its inode. Returns -1 with errno;
// EINVAL for a listener.
int csupervise_ask_connection(int socket, struct csupervise_connection *found);

// The number of unfinished handshakes of one family on this local port; -1 with errno.
int csupervise_half_open(int diagnosis, int family, uint16_t port);

#endif
