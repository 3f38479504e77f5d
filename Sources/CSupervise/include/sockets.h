// Calls on sockets and memory files that Swift cannot make: control messages are macros, and some
// wrappers require _GNU_SOURCE.
#ifndef CSUPERVISE_SOCKETS_H
#define CSUPERVISE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The size of sun_path (unix(7)).
#define CSUPERVISE_NAME_BYTES 108

struct csupervise_datagram {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
    // The sender's name in the abstract namespace, including the leading NUL; empty if it has none.
    // A path is omitted: a lookup can block forever on a file system.
    uint8_t name[CSUPERVISE_NAME_BYTES];
    uint32_t name_length;
};

// recvmsg(2) without blocking, on a socket with SO_PASSCRED. Received descriptors are closed.
// Returns the number of bytes, or -1 with errno.
ssize_t csupervise_receive_datagram(int descriptor, void *bytes, size_t room,
                                    struct csupervise_datagram *datagram);

// Sends a message without blocking to an abstract name, which begins with a NUL, with a copy of a
// descriptor unless that is -1 (SCM_RIGHTS). Returns 0, or -1 with errno.
int csupervise_send_descriptor(int socket, const uint8_t *name, uint32_t name_length,
                               const void *bytes, size_t size, int descriptor);

int csupervise_pass_credentials(int descriptor);

// Creates a memfd of this size, close-on-exec; csupervise_seal_memory fixes the size and the seals.
int csupervise_memory_file(const char *name, size_t size);
int csupervise_seal_memory(int descriptor);

// The same, and prevents writes.
int csupervise_seal_content(int descriptor);

struct csupervise_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

// SO_PEERCRED of unix(7). 0, or -1 with errno.
int csupervise_peer_credentials(int descriptor, struct csupervise_peer *peer);

// accept4(2) that never blocks, whatever the listener's mode; the connection is close-on-exec and
// non-blocking. Returns the descriptor, or -1 with errno.
int csupervise_accept(int descriptor);

#endif
