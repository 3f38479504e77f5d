#ifndef SUPERVISE_PRELOAD_QUIETING_H
#define SUPERVISE_PRELOAD_QUIETING_H

/* Keeps a program alive that is sent USR1, USR2 or HUP while it handles none of them.
 *
 * These control the master, and `systemctl kill` sends them to every process of a service. Their
 * default action ends a program. It is replaced by a handler, not by SIG_IGN: exec(2) resets a
 * handler, so programs that a worker executes find what they would have found; and the kernel keeps
 * such a signal for sigwaitinfo(2) and signalfd(2), where it would drop an ignored one.
 *
 * The handler takes the default action if the signal comes from the kernel, from the master (which
 * sends these signals only where the configuration says so) or from the worker's own processes. What
 * it prevents is that a signal from anywhere else ends the program. A signal that was ignored or
 * handled at the start is left alone, and the program sees SIG_DFL where the handler is. */

#include <signal.h>
#include <stdbool.h>

void quiet_begin(void);

/* sigaction(2) and signal(2) as the program sees them. */
int quiet_sigaction(int number, const struct sigaction *action, struct sigaction *old);

/* Whether setting this handler would change nothing from the program's point of view. */
bool quiet_keeps(int number, void (*handler)(int));

/* The handler that the program is told of. */
void (*quiet_handler(void (*handler)(int)))(int);

#endif
