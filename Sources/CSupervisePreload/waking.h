#ifndef SUPERVISE_PRELOAD_WAKING_H
#define SUPERVISE_PRELOAD_WAKING_H

/* Interrupts threads that wait in accept(2), poll(2) or select(2). The kernel restarts the call or
 * lets it fail with EINTR, and looks its descriptors up again. */

#include <stdbool.h>
#include <sys/types.h>

/* Wakes the other threads of this process that wait on a number which is this socket now. */
void wake_waiting(ino_t inode);

/* Before accept(2) may wait: the master can wake that call once the worker is drained, by this signal
 * to the thread. The call fails then. */
enum { wake_signal = 32 };
void wake_prepare(void);

/* Whether accept(2) failed for that reason. */
bool wake_has_ended_accept(int code);

#endif
