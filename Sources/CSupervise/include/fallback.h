// If a program cannot continue with the state of the previous one, this process executes the
// previous program again, which finds everything unchanged.
#ifndef CSUPERVISE_FALLBACK_H
#define CSUPERVISE_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>

enum { csupervise_reason_bytes = 1024 };

// Arms csupervise_fall_back(), which then also runs on a fault of this program (SIGSEGV, SIGBUS,
// SIGILL, SIGTRAP, SIGABRT), and after this many seconds. `program` is a descriptor of the previous
// program; the argument at `reason_place` is replaced by the reason. Both vectors must keep their
// addresses.
void csupervise_arm_fallback(int program, char **arguments, size_t reason_place,
                             char *const *environment, unsigned seconds);

// Descriptors that belong to the state, sorted. They cannot be closed until
// csupervise_disarm_fallback(), and stay open when this process falls back.
void csupervise_hold_descriptors(const int *sorted, size_t count);

// Whether this descriptor is held.
bool csupervise_is_held(int descriptor);

// Disarms the fallback: the state is taken over.
void csupervise_disarm_fallback(void);

// Executes the previous program; returns only if this fails or the fallback is not armed.
void csupervise_fall_back(const char *reason);

#endif
