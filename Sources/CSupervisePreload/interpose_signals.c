#define _GNU_SOURCE
#include "interpose.h"
#include "next.h"
#include "quieting.h"

#include <signal.h>
#include <stddef.h>

/* Signal dispositions. A program that saves the handler that it finds, to call or restore it later,
 * must not get ours. */

typedef void (*signal_handler)(int);

int own_sigaction(int number, const struct sigaction *action, struct sigaction *old)
    IN_FRONT_OF("sigaction");
signal_handler own_signal(int number, signal_handler handler) IN_FRONT_OF("signal");
signal_handler own_bsd_signal(int number, signal_handler handler) IN_FRONT_OF("bsd_signal");
signal_handler own_ssignal(int number, signal_handler handler) IN_FRONT_OF("ssignal");
signal_handler own_sysv_signal(int number, signal_handler handler) IN_FRONT_OF("sysv_signal");
signal_handler own_xopen_signal(int number, signal_handler handler) IN_FRONT_OF("__sysv_signal");
signal_handler own_sigset(int number, signal_handler handler) IN_FRONT_OF("sigset");

int own_sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    /* Constructors of other libraries run before ours. */
    if (next.sigaction == NULL)
        next_resolve();
    return quiet_sigaction(number, action, old);
}

/* Reads `next.CALL` only after it was resolved. */
#define SET_HANDLER(call)                                                                          \
    do {                                                                                           \
        if (next.call == NULL)                                                                     \
            next_resolve();                                                                        \
        if (quiet_keeps(number, handler))                                                          \
            return SIG_DFL;                                                                        \
        return quiet_handler(next.call(number, handler));                                          \
    } while (0)

signal_handler own_signal(int number, signal_handler handler) {
    SET_HANDLER(signal);
}

signal_handler own_bsd_signal(int number, signal_handler handler) {
    SET_HANDLER(signal);
}

signal_handler own_ssignal(int number, signal_handler handler) {
    SET_HANDLER(signal);
}

signal_handler own_sysv_signal(int number, signal_handler handler) {
    SET_HANDLER(sysv_signal);
}

signal_handler own_xopen_signal(int number, signal_handler handler) {
    SET_HANDLER(sysv_signal);
}

/* sigset() also changes the mask, whatever the handler. */
signal_handler own_sigset(int number, signal_handler handler) {
    if (next.sigset == NULL)
        next_resolve();
    return quiet_handler(next.sigset(number, handler));
}
