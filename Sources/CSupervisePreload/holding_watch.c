#define _GNU_SOURCE
#include "holding.h"

#include "descriptors.h"
#include "raw.h"
#include "resolving.h"

#include <pthread.h>
#include <signal.h>

enum { check_milliseconds = 20 };

/* The process that has the thread. A child of fork(2) has none. */
static int watched;

/* Calls that are not intercepted close connections too, and time has to pass for a connection to be
 * idle. */
static void *watch(void *unused) {
    (void)unused;
    int pid = (int)raw_call3(SYS_getpid, 0, 0, 0);
    for (;;) {
        struct timespec pause = {0, check_milliseconds * 1000000L};
        raw_call3(SYS_nanosleep, (long)&pause, 0, 0);
        if (__atomic_load_n(&holder, __ATOMIC_ACQUIRE) == pid)
            holding_check(pid);
    }
    return NULL;
}

/* The thread handles no signal of the program. libc uses some signals itself, for all threads. */
void holding_watch(int pid) {
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
        (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))resolve_next(
            "pthread_create");
    if (watched == pid || create == NULL)
        return;
    watched = pid;
    __atomic_store_n(&own_threads, 0, __ATOMIC_RELAXED);
    uint64_t all = ~(uint64_t)(7ULL << 31), before = 0;
    raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof all, 0, 0);
    pthread_t thread;
    if (create(&thread, NULL, watch, NULL) == 0)
        __atomic_store_n(&own_threads, 1, __ATOMIC_RELAXED);
    raw_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof all, 0, 0);
}
