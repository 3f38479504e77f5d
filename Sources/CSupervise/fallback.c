#define _GNU_SOURCE
#include "fallback.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT};
enum { fault_count = sizeof faults / sizeof *faults };

static struct {
    int program;
    char **arguments;
    size_t reason_place;
    char *const *environment;
    const int *held;
    size_t held_count;
    // The kernel's timer_t, which is an int.
    int timer;
    bool has_timer;
    char reason[csupervise_reason_bytes];
} fallback = {.program = -1};

// Async-signal-safe, because it also runs in the handler of a fault.
void csupervise_fall_back(const char *reason) {
    if (fallback.program < 0)
        return;
    size_t length = 0;
    while (reason[length] != 0 && length < sizeof fallback.reason - 1) {
        fallback.reason[length] = reason[length];
        length++;
    }
    fallback.reason[length] = 0;
    fallback.arguments[fallback.reason_place] = fallback.reason;
    for (size_t place = 0; place < fallback.held_count; place++)
        fcntl(fallback.held[place], F_SETFD, 0);
    syscall(SYS_execveat, fallback.program, "", fallback.arguments, fallback.environment,
            AT_EMPTY_PATH);
}

static void fall_back_from(int fault, siginfo_t *information, void *context) {
    (void)fault;
    (void)context;
    csupervise_fall_back(information->si_code == SI_TIMER ? "it did not take over in time"
                                                          : "it crashed while it took over");
    _exit(1);
}

// SIGALRM is blocked by then. A timer of this kind does not survive execve(2), so it cannot reach
// the previous program.
static void start_timer(unsigned seconds) {
    struct sigevent event;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGABRT;
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &fallback.timer) != 0)
        return;
    fallback.has_timer = true;
    struct itimerspec span = {.it_value = {.tv_sec = seconds}};
    syscall(SYS_timer_settime, fallback.timer, 0, &span, NULL);
}

static void stop_timer(void) {
    if (fallback.has_timer)
        syscall(SYS_timer_delete, fallback.timer);
    fallback.has_timer = false;
}

void csupervise_arm_fallback(int program, char **arguments, size_t reason_place,
                             char *const *environment, unsigned seconds) {
    fallback.program = program;
    fallback.arguments = arguments;
    fallback.reason_place = reason_place;
    fallback.environment = environment;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = fall_back_from;
    // A signal blocked by its handler stays blocked in the executed program.
    action.sa_flags = SA_NODEFER | SA_SIGINFO;
    for (size_t place = 0; place < fault_count; place++)
        sigaction(faults[place], &action, NULL);
    start_timer(seconds);
}

void csupervise_hold_descriptors(const int *sorted, size_t count) {
    fallback.held = sorted;
    fallback.held_count = count;
}

bool csupervise_is_held(int descriptor) {
    size_t from = 0, to = fallback.held_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (fallback.held[middle] == descriptor)
            return true;
        if (fallback.held[middle] < descriptor)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

void csupervise_disarm_fallback(void) {
    // From here on, the timer must not end this process either.
    signal(SIGABRT, SIG_IGN);
    fallback.program = -1;
    stop_timer();
    fallback.held_count = 0;
    for (size_t place = 0; place < fault_count; place++)
        signal(faults[place], SIG_DFL);
}
