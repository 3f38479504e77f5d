#ifndef SUPERVISE_PRELOAD_WAKING_H
#define SUPERVISE_PRELOAD_WAKING_H

/* Interrupts threads that wait in accept(2), poll(2) or select(2). The kernel restarts the call or
 * makes it fail with EINTR, and resolves its descriptors again. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Wakes the other threads of this process that wait on a number that now refers to this socket. */
void wake_waiting(ino_t inode);

/* Wakes the children of this process that wait in accept(2), if they use this library. A child that
 * waits in poll(2) is not woken. */
void wake_children(void);

/* The signal that ends accept(2) in a thread. The master sends it once the worker is drained.
 * wake_prepare() must be called before accept(2) may wait. */
enum { wake_signal = 32 };
void wake_prepare(void);

/* Returns whether accept(2) failed because of this signal. */
bool wake_has_ended_accept(int code);

/* Sends the signal to a thread. A process without a handler would be terminated. */
void wake_thread(int process, int thread);

/* Reads the system call that a thread is blocked in, and its first arguments, from its file
 * (proc_pid_syscall(5)), such as `43 0x3 0x7ffc… …`. Returns false if it is not blocked in one. */
bool wake_blocking_call(const char *path, long *call, uint64_t arguments[2]);

#endif
