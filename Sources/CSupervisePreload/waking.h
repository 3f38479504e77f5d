#ifndef SUPERVISE_PRELOAD_WAKING_H
#define SUPERVISE_PRELOAD_WAKING_H

/* Interrupts threads that wait in accept(2), poll(2) or select(2). The kernel restarts the call or
 * makes it fail with EINTR, and resolves its descriptors again. */

#include <stdbool.h>
#include <sys/types.h>

/* Wakes the other threads of this process that wait on a number that now refers to this socket. */
void wake_waiting(ino_t inode);

/* The signal that ends accept(2) in a thread. The master sends it once the worker is drained.
 * wake_prepare() must be called before accept(2) may wait. */
enum { wake_signal = 32 };
void wake_prepare(void);

/* Returns whether accept(2) failed because of this signal. */
bool wake_has_ended_accept(int code);

#endif
