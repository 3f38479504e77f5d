#ifndef SUPERVISE_PRELOAD_WAKING_H
#define SUPERVISE_PRELOAD_WAKING_H

/* Interrupts threads that wait in accept(2), poll(2) or select(2). The kernel restarts the call or
 * lets it fail with EINTR, and looks its descriptors up again. */

#include <sys/types.h>

/* Wakes the other threads of this process that wait on a number which is this socket now. */
void wake_waiting(ino_t inode);

#endif
