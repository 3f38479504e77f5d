// Messages with descriptors between our processes (SCM_RIGHTS, unix(7)): control messages are
// macros, which Swift cannot read.
#ifndef CSUPERVISE_MESSAGES_H
#define CSUPERVISE_MESSAGES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { csupervise_message_descriptors = 250 };

// Sends one message with at most csupervise_message_descriptors descriptors; never blocks if
// `is_waiting` is 0. Returns the number of bytes, or -1 with errno.
ssize_t csupervise_send_message(int socket, const void *bytes, size_t size,
                                const int32_t *descriptors, uint32_t count, int is_waiting);

// Receives one message; blocks unless `is_waiting` is 0. `descriptors` has room for
// csupervise_message_descriptors, which are close-on-exec. Returns the number of bytes, 0 at the
// end, or -1 with errno: EMSGSIZE if bytes or descriptors were lost.
ssize_t csupervise_receive_message(int socket, void *bytes, size_t room, int32_t *descriptors,
                                   uint32_t *count, int is_waiting);

// Receives one message without descriptors, and the pid of its sender as the kernel states it, or 0;
// never blocks. Descriptors in the message are closed. Returns the number of bytes, 0 at the end, or
// -1 with errno.
ssize_t csupervise_receive_from(int socket, void *bytes, size_t room, int32_t *pid);

#endif
