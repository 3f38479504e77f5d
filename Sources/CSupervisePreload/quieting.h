#ifndef SUPERVISE_PRELOAD_QUIETING_H
#define SUPERVISE_PRELOAD_QUIETING_H

/* Keeps a program running that receives USR1, USR2 or HUP without a handler for it.
 *
 * These signals control the master, and `systemctl kill` sends them to every process of a service.
 * Their default action terminates a program. The library installs a handler and not SIG_IGN, for
 * two reasons. exec(2) resets a handler, so programs that a worker executes get the default. And
 * the kernel keeps such a signal for sigwaitinfo(2) and signalfd(2), but would drop an ignored one.
 *
 * The handler takes the default action if the signal comes from the kernel, from the master
 * (which sends these signals only if the configuration requires it) or from the worker's own
 * processes. So only a signal from another process no longer terminates the program. A signal
 * that was ignored or handled at the start is left unchanged. To the program, the library's
 * handler appears as SIG_DFL. */

#include <signal.h>
#include <stdbool.h>

void quiet_begin(void);

/* Replaces sigaction(2) and signal(2) for the program. */
int quiet_sigaction(int number, const struct sigaction *action, struct sigaction *old);

/* Returns whether setting this handler would change nothing from the program's point of view. */
bool quiet_keeps(int number, void (*handler)(int));

/* Returns the handler that the program gets as the previous one. */
void (*quiet_handler(void (*handler)(int)))(int);

#endif
