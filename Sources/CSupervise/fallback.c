#define _GNU_SOURCE
#include "fallback.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
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

static void fall_back_from(int fault) {
    (void)fault;
    csupervise_fall_back("it crashed while it took over");
    _exit(1);
}

void csupervise_arm_fallback(int program, char **arguments, size_t reason_place,
                             char *const *environment) {
    fallback.program = program;
    fallback.arguments = arguments;
    fallback.reason_place = reason_place;
    fallback.environment = environment;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = fall_back_from;
    // A signal blocked by its handler stays blocked in the executed program.
    action.sa_flags = SA_NODEFER;
    for (size_t place = 0; place < fault_count; place++)
        sigaction(faults[place], &action, NULL);
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
    fallback.program = -1;
    fallback.held_count = 0;
    for (size_t place = 0; place < fault_count; place++)
        signal(faults[place], SIG_DFL);
}
