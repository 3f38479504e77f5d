// What a program does that cannot go on with the state of the one before it: this process runs that one
// again, which finds everything as it was.
#ifndef CSUPERVISE_FALLBACK_H
#define CSUPERVISE_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>

enum { csupervise_reason_bytes = 1024 };

// From here on csupervise_fall_back() works, and a fault of this program (SIGSEGV, SIGBUS, SIGILL, SIGTRAP,
// SIGABRT) does the same. `program` is a descriptor of the earlier program; of the arguments the one at
// `reason_place` is replaced by the reason. Both vectors have to stay where they are.
void csupervise_arm_fallback(int program, char **arguments, size_t reason_place,
                             char *const *environment);

// Descriptors that belong to the state, sorted. Until csupervise_disarm_fallback() they are held: nobody
// may close them, and they stay open when this process falls back.
void csupervise_hold_descriptors(const int *sorted, size_t count);

// Whether this descriptor is held.
bool csupervise_is_held(int descriptor);

// The state is taken over.
void csupervise_disarm_fallback(void);

// Runs the earlier program; returns only if that fails or is not armed.
void csupervise_fall_back(const char *reason);

#endif
