#ifndef SUPERVISE_PRELOAD_OBSERVE_H
#define SUPERVISE_PRELOAD_OBSERVE_H

/* Observes the requests and responses on connections that were accepted from our listeners, and
 * writes them to the ledger. It never changes a result, errno or data of the program.
 *
 * The state of a connection is found by its descriptor's number. The number may refer to another
 * file without notice. Therefore a message that is not HTTP/1 ends the observation, and the master
 * compares a row's connection with the kernel's before it acts on it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { observed_limit = 65536, observed_bits = 64 };

extern uint64_t observed[observed_limit / observed_bits];

/* Returns whether this number is an observed connection. Costs a load and a test. */
static inline bool is_observed(int fd) {
    if ((unsigned)fd >= observed_limit)
        return false;
    uint64_t word = __atomic_load_n(&observed[fd / observed_bits], __ATOMIC_RELAXED);
    return __builtin_expect((word >> fd % observed_bits & 1) != 0, 0);
}

void set_observed(int fd, bool is);

/* Starts observing if the master requires it. */
void observe_begin(void);

/* Must be called after this descriptor was accepted, from one of our listeners or another one. */
void observe_accepted(int fd, bool is_ours);

/* Handles data that the program received or sent: `count` bytes, or the first `count` bytes of a
 * vector. */
void observe_received(int fd, const void *bytes, ssize_t count);
void observe_received_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count);
void observe_sent(int fd, const void *bytes, ssize_t count);
void observe_sent_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count);

/* Handles bytes that were not in the program's memory. */
void observe_discarded(int fd, ssize_t count);
void observe_sent_unread(int fd, ssize_t count);

/* Handles the end of the client's data. */
void observe_end_of_input(int fd);

/* Handles a reset of the connection. */
void observe_reset(int fd);

/* Must be called before the program closes the descriptor, or after it ends its data. */
void observe_closing(int fd);

/* Does the same for all numbers from the first to the last. */
void observe_closing_range(unsigned first, unsigned last);

/* Stops observing, because requests on this connection are no longer visible. */
void observe_lost(int fd);

#endif
