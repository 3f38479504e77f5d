#define _GNU_SOURCE
#include "waking.h"

#include "descriptors.h"
#include "digits.h"
#include "raw.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

enum {
    /* During the first rounds, a child may still be entering accept(2). */
    rounds_limit = 20,
    rounds_without_waiting = 3,
    /* The caller may be a signal handler with a small stack. */
    text_limit = 1024,
    status_limit = 2048,
    path_limit = 16 + digits_limit + 8 + digits_limit + 16,
};

struct family {
    int process;
    bool has_children;
    bool is_waiting;
};

/* Reads a file from an offset. Returns the number of bytes; 0 if there are none. */
static long read_text(const char *path, long offset, char *text, long limit) {
    int file = (int)raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    long size = 0;
    if (file >= 0) {
        size = raw_call(SYS_pread64, file, (long)text, limit - 1, offset, 0, 0);
        raw_call3(SYS_close, file, 0, 0);
    }
    if (size < 0)
        size = 0;
    text[size] = '\0';
    return size;
}

/* Whether the process has a handler of the signal (SigCgt of proc_pid_status(5)). */
static bool catches_signal(int process) {
    static const char field[] = "SigCgt:\t";
    char path[path_limit], text[status_limit];
    numbered_path(path, "/proc/", process, "/status");
    const char *mask = read_text(path, 0, text, status_limit) > 0 ? strstr(text, field) : NULL;
    if (mask == NULL || strlen(mask) < sizeof field - 1 + 16)
        return false;
    /* 16 hexadecimal digits: signal 32 is the highest bit of the lower 8. */
    char digit = mask[sizeof field - 1 + 8];
    return digit >= '8';
}

static enum visit visit_thread(int thread, void *context) {
    struct family *family = context;
    char tasks[path_limit], path[path_limit];
    long call;
    uint64_t arguments[2];
    numbered_path(tasks, "/proc/", family->process, "/task/");
    numbered_path(path, tasks, thread, "/syscall");
    /* The kernel restarts an accept() on another socket. */
    if (!wake_blocking_call(path, &call, arguments) || (call != SYS_accept && call != SYS_accept4)
        || !catches_signal(family->process))
        return visit_continue;
    wake_thread(family->process, thread);
    family->is_waiting = true;
    return visit_continue;
}

/* Visits the threads of the children in this text. Returns the number of bytes before the last
 * number, which may be incomplete unless a space follows it. */
static long visit_listed(const char *text, struct family *family) {
    const char *next = text, *end = text;
    uint64_t process;
    char path[path_limit];
    while (digits_read(&next, &process) && *next == ' ') {
        end = ++next;
        family->has_children = true;
        family->process = (int)process;
        numbered_path(path, "/proc/", family->process, "/task");
        numbers_visit(path, visit_thread, family);
    }
    return end - text;
}

static enum visit visit_own_thread(int thread, void *context) {
    char path[path_limit], text[text_limit];
    long offset = 0, visited;
    numbered_path(path, "/proc/self/task/", thread, "/children");
    do {
        read_text(path, offset, text, text_limit);
        visited = visit_listed(text, context);
        offset += visited;
    } while (visited > 0);
    return visit_continue;
}

void wake_children(void) {
    int quiet = 0;
    for (int count = 0; count < rounds_limit && quiet < rounds_without_waiting; count++) {
        struct family family = {0};
        numbers_visit("/proc/self/task", visit_own_thread, &family);
        if (!family.has_children)
            return;
        quiet = family.is_waiting ? 0 : quiet + 1;
        struct timespec pause = {0, 1000000};
        raw_call3(SYS_nanosleep, (long)&pause, 0, 0);
    }
}
