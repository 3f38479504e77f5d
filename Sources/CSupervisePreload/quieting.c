#define _GNU_SOURCE
#include "quieting.h"

#include "descriptors.h"
#include "digits.h"
#include "environment.h"
#include "next.h"
#include "raw.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

static const int quiet_signals[] = {SIGUSR1, SIGUSR2, SIGHUP};
enum { quiet_count = sizeof quiet_signals / sizeof quiet_signals[0] };

static bool is_begun;
static long master;

static long parent_of(int pid) {
    char path[6 + digits_limit + 5 + 1], text[512];
    numbered_path(path, "/proc/", pid, "/stat");
    int file = (int)raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (file < 0)
        return -1;
    long size = raw_call3(SYS_read, file, (long)text, sizeof text - 1);
    raw_call3(SYS_close, file, 0, 0);
    text[size > 0 ? size : 0] = '\0';
    /* `PID (NAME) STATE PARENT`. The name may contain parentheses (proc_pid_stat(5)). */
    const char *name_end = strrchr(text, ')');
    uint64_t parent;
    if (name_end == NULL || strlen(name_end) < 4)
        return -1;
    name_end += 4;
    return digits_read(&name_end, &parent) ? (long)parent : -1;
}

/* LISTEN_PID is the pid of the worker (sd_listen_fds(3)), and the worker's parent is the master. */
static long find_master(void) {
    const char *text = environment_value("LISTEN_PID");
    uint64_t worker;
    if (text == NULL || !digits_read(&text, &worker) || worker > INT_MAX
        || (long)worker == raw_call3(SYS_getpid, 0, 0, 0))
        return raw_call3(SYS_getppid, 0, 0, 0);
    return parent_of((int)worker);
}

static bool is_meant(const siginfo_t *info) {
    if (info->si_code != SI_USER && info->si_code != SI_TKILL && info->si_code != SI_QUEUE)
        return true;
    long sender = info->si_pid;
    /* The sender is in another pid namespace. */
    if (sender == 0)
        return false;
    return sender == master || sender == raw_call3(SYS_getpid, 0, 0, 0)
        || sender == raw_call3(SYS_getppid, 0, 0, 0)
        || raw_call3(SYS_getpgid, sender, 0, 0) == raw_call3(SYS_getpgid, 0, 0, 0);
}

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)context;
    if (!is_meant(info))
        return;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    next.sigaction(number, &action, NULL);
    /* The handler blocks the signal, so it is delivered when the handler returns. */
    long pid = raw_call3(SYS_getpid, 0, 0, 0);
    raw_call3(SYS_tgkill, pid, raw_call3(SYS_gettid, 0, 0, 0), number);
}

static bool is_quiet(int number) {
    for (int index = 0; is_begun && index < quiet_count; index++) {
        if (quiet_signals[index] == number)
            return true;
    }
    return false;
}

static bool is_own(const struct sigaction *action) {
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == on_signal;
}

void quiet_begin(void) {
    master = find_master();
    for (int index = 0; index < quiet_count; index++) {
        struct sigaction action;
        if (next.sigaction(quiet_signals[index], NULL, &action) != 0
            || (action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL)
            continue;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        next.sigaction(quiet_signals[index], &action, NULL);
    }
    is_begun = true;
}

static bool has_own_handler(int number) {
    struct sigaction action;
    return next.sigaction(number, NULL, &action) == 0 && is_own(&action);
}

bool quiet_keeps(int number, void (*handler)(int)) {
    return handler == SIG_DFL && is_quiet(number) && has_own_handler(number);
}

void (*quiet_handler(void (*handler)(int)))(int) {
    return handler == (void (*)(int))(void *)on_signal ? SIG_DFL : handler;
}

int quiet_sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    if (!is_quiet(number))
        return next.sigaction(number, action, old);
    bool changes = action != NULL
        && ((action->sa_flags & SA_SIGINFO) != 0 || !quiet_keeps(number, action->sa_handler));
    int result = next.sigaction(number, changes ? action : NULL, old);
    if (result == 0 && old != NULL && is_own(old))
        memset(old, 0, sizeof *old);
    return result;
}
