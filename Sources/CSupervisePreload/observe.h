#ifndef SUPERVISE_PRELOAD_OBSERVE_H
#define SUPERVISE_PRELOAD_OBSERVE_H

/* Observes the requests and responses on connections that were accepted from our listeners, and enters
 * them in the ledger. It never changes what the program sees: no result, no errno, no byte.
 *
 * The state of a connection is found by its descriptor's number. The number may come to mean another
 * file without notice. Therefore a message that is not HTTP/1 ends the observation, and the master
 * compares a row's connection with the kernel's before it acts on it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { observed_limit = 65536, observed_bits = 64 };

extern uint64_t observed[observed_limit / observed_bits];

/* Whether this number is a connection that is observed. Costs a load and a test. */
static inline bool is_observed(int fd) {
    if ((unsigned)fd >= observed_limit)
        return false;
    uint64_t word = __atomic_load_n(&observed[fd / observed_bits], __ATOMIC_RELAXED);
    return __builtin_expect((word >> fd % observed_bits & 1) != 0, 0);
}

void set_observed(int fd, bool is);

/* Begins to observe if the master wants it. */
void observe_begin(void);

/* This descriptor was accepted just now, from a listener of ours or from another. */
void observe_accepted(int fd, bool is_ours);

/* What the program received or sent: `count` bytes, or the first `count` bytes of a vector. */
void observe_received(int fd, const void *bytes, ssize_t count);
void observe_received_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count);
void observe_sent(int fd, const void *bytes, ssize_t count);
void observe_sent_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count);

/* The same for bytes that were not in the program's memory. */
void observe_discarded(int fd, ssize_t count);
void observe_sent_unread(int fd, ssize_t count);

/* The client has ended its side. */
void observe_end_of_input(int fd);

/* The connection was reset. */
void observe_reset(int fd);

/* The program closes the descriptor, or sends nothing more on it. */
void observe_closing(int fd);

/* The same for all numbers from the first to the last. */
void observe_closing_range(unsigned first, unsigned last);

/* Requests on this connection are no longer visible. */
void observe_lost(int fd);

#endif
