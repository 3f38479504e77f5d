// Signals as a mask whose bit 0 is signal 1, as in the kernel. The functions of glibc omit signals
// 32 and 33, which it reserves, but which terminate a process that does not block them.
#ifndef CSUPERVISE_SIGNALS_H
#define CSUPERVISE_SIGNALS_H

#include <stdint.h>

// Adds signals to the mask of the calling thread (rt_sigprocmask(2)). Returns -1 with errno.
int csupervise_block_signals(uint64_t signals);

// signalfd(2), close-on-exec and non-blocking. Returns -1 with errno.
int csupervise_signal_descriptor(uint64_t signals);

// Stops the interval timers and the alarm(2) of this process, which survive execve(2).
void csupervise_disarm_timers(void);

#endif
