// Calls on sockets and memory files that Swift can't make: control messages are macros, and some
// wrappers are behind _GNU_SOURCE.
#ifndef CSUPERVISE_SOCKETS_H
#define CSUPERVISE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The room of sun_path (unix(7)).
#define CSUPERVISE_NAME_BYTES 108

struct csupervise_datagram {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
    // Whether bytes were lost because the room was too small.
    int32_t truncated;
    // The sender's name in the abstract namespace, with the NUL that it begins with; empty when it
    // has none. A path is left out: to look one up may wait for a file system for ever.
    uint8_t name[CSUPERVISE_NAME_BYTES];
    uint32_t name_length;
};

// recvmsg(2) without waiting, on a socket with SO_PASSCRED. Descriptors that come along are closed.
// The number of bytes, or -1 with errno.
ssize_t csupervise_receive_datagram(int descriptor, void *bytes, size_t room,
                                    struct csupervise_datagram *datagram);

// Sends a message without waiting to a name in the abstract namespace, which begins with a NUL, and a
// copy of a descriptor along with it, unless that is -1 (SCM_RIGHTS). 0, or -1 with errno.
int csupervise_send_descriptor(int socket, const uint8_t *name, uint32_t name_length,
                               const void *bytes, size_t size, int descriptor);

int csupervise_pass_credentials(int descriptor);

// A memfd of this size, close-on-exec; csupervise_seal_memory fixes the size and the seals.
int csupervise_memory_file(const char *name, size_t size);
int csupervise_seal_memory(int descriptor);

// The same, and against being written.
int csupervise_seal_content(int descriptor);

struct csupervise_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

// SO_PEERCRED of unix(7). 0, or -1 with errno.
int csupervise_peer_credentials(int descriptor, struct csupervise_peer *peer);

// accept4(2) that never waits, whatever the listener's mode; the connection is close-on-exec and
// non-blocking. The descriptor, or -1 with errno.
int csupervise_accept(int descriptor);

#endif
