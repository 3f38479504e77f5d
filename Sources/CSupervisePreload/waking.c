#define _GNU_SOURCE
#include "waking.h"

#include "descriptors.h"
#include "digits.h"
#include "hiding.h"
#include "listeners.h"
#include "page.h"
#include "raw.h"
#include "shutting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>

/* glibc's signal for pthread_cancel(3), the only one that a program cannot block. If glibc's
 * handler is installed, it ignores a signal that was not sent by tgkill(2), as this one was not. */

/* The error of an accept(2) that was woken; accept(2) never returns it otherwise. */
enum { woken_code = ECANCELED };

enum {
    /* During the first rounds, a thread may still be entering accept(2). */
    rounds_limit = 20,
    rounds_without_waiting = 3,
    /* The limit on the entries of poll(2) that are read. */
    polled_limit = 256,
};

/* The structure of rt_sigaction(2). */
struct kernel_action {
    uintptr_t handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* The kernel is about to restart a call that this signal interrupted (SA_RESTART of sigaction(2)).
 * An accept() on a listener of a drained worker must not restart: it would take one more
 * connection, possibly just before the program ends. The same applies to a listener that another
 * process of the worker has shut down. Other calls are left unchanged. */
static void end_accept(int number, siginfo_t *info, void *data) {
    (void)number;
    (void)info;
    mcontext_t *state = &((ucontext_t *)data)->uc_mcontext;
    if ((page_flags() & supervise_page_drain) == 0 && !shutting_is_due())
        return;
#if defined(__x86_64__)
    long call = (long)state->gregs[REG_RAX];
    const uint8_t *next = (const uint8_t *)state->gregs[REG_RIP];
    if ((call != SYS_accept && call != SYS_accept4) || next[0] != 0x0f || next[1] != 0x05
        || listener_behind((int)state->gregs[REG_RDI]) < 0)
        return;
    state->gregs[REG_RAX] = -woken_code;
    state->gregs[REG_RIP] += 2;
#elif defined(__aarch64__)
    long call = (long)state->regs[8];
    const uint32_t *next = (const uint32_t *)state->pc;
    if ((call != SYS_accept && call != SYS_accept4) || *next != 0xd4000001
        || listener_behind((int)state->regs[0]) < 0)
        return;
    state->regs[0] = (unsigned long long)-woken_code;
    state->pc += 4;
#else
    (void)state;
#endif
}

#if defined(__x86_64__)
enum { restorer_flag = 0x04000000 };
void supervise_wake_restorer(void) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".hidden supervise_wake_restorer\n"
        ".globl supervise_wake_restorer\n"
        "supervise_wake_restorer:\n"
        "mov $15, %eax\n"
        "syscall\n");
#else
/* The kernel supplies the return from a handler. */
enum { restorer_flag = 0 };
static void (*const supervise_wake_restorer)(void) = NULL;
#endif

static bool prepare(void) {
    struct kernel_action action;
    if (raw_call(SYS_rt_sigaction, wake_signal, 0, (long)&action, sizeof action.mask, 0, 0) != 0)
        return false;
    if (action.handler != (uintptr_t)SIG_DFL && action.handler != (uintptr_t)SIG_IGN)
        return true;
    action = (struct kernel_action){
        .handler = (uintptr_t)end_accept,
        .flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | restorer_flag,
        .restorer = supervise_wake_restorer,
    };
    return raw_call(SYS_rt_sigaction, wake_signal, (long)&action, 0, sizeof action.mask, 0, 0) == 0;
}

void wake_prepare(void) {
    static atomic_bool is_prepared;
    if (!atomic_load_explicit(&is_prepared, memory_order_relaxed)) {
        atomic_store_explicit(&is_prepared, true, memory_order_relaxed);
        prepare();
    }
}

bool wake_has_ended_accept(int code) {
    return code == woken_code;
}

struct round {
    ino_t inode;
    int own_thread;
    int waiting;
};

static bool is_socket(int fd, ino_t inode) {
    struct stat status;
    return raw_fstat(fd, &status) && S_ISSOCK(status.st_mode) && status.st_ino == inode;
}

/* Reads memory of this process that another thread may unmap meanwhile. */
static bool read_memory(uint64_t address, void *buffer, size_t size) {
    struct iovec here = {buffer, size}, there = {(void *)address, size};
    long pid = raw_call3(SYS_getpid, 0, 0, 0);
    return raw_call(SYS_process_vm_readv, pid, (long)&here, 1, (long)&there, 1, 0) == (long)size;
}

static bool polls(uint64_t address, uint64_t count, ino_t inode) {
    for (uint64_t index = 0; index < count && index < polled_limit; index++) {
        struct pollfd entry;
        if (!read_memory(address + index * sizeof entry, &entry, sizeof entry))
            return false;
        if (is_socket(hidden_number(entry.fd), inode))
            return true;
    }
    return false;
}

static bool selects(uint64_t limit, uint64_t address, ino_t inode) {
    fd_set set;
    size_t bits = 8 * sizeof(long);
    if (limit > FD_SETSIZE)
        limit = FD_SETSIZE;
    FD_ZERO(&set);
    if (address == 0 || !read_memory(address, &set, (limit + bits - 1) / bits * sizeof(long)))
        return false;
    for (int fd = 0; fd < (int)limit; fd++) {
        if (FD_ISSET(fd, &set) && is_socket(fd, inode))
            return true;
    }
    return false;
}

static bool is_waiting(long call, const uint64_t *arguments, ino_t inode) {
    switch (call) {
    case SYS_accept:
    case SYS_accept4:
        return is_socket((int)arguments[0], inode);
    case SYS_ppoll:
#ifdef SYS_poll
    case SYS_poll:
#endif
        return polls(arguments[0], arguments[1], inode);
    case SYS_pselect6:
#ifdef SYS_select
    case SYS_select:
#endif
        return selects(arguments[0], arguments[1], inode);
    default:
        return false;
    }
}

static uint64_t read_hexadecimal(const char **text) {
    uint64_t value = 0;
    const char *next = *text;
    if (next[0] == ' ' && next[1] == '0' && next[2] == 'x')
        next += 3;
    for (;; next++) {
        if (*next >= '0' && *next <= '9')
            value = value << 4 | (uint64_t)(*next - '0');
        else if (*next >= 'a' && *next <= 'f')
            value = value << 4 | (uint64_t)(*next - 'a' + 10);
        else
            break;
    }
    *text = next;
    return value;
}

bool wake_blocking_call(const char *path, long *call, uint64_t arguments[2]) {
    char text[256];
    int file = (int)raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (file < 0)
        return false;
    long size = raw_call3(SYS_read, file, (long)text, sizeof text - 1);
    raw_call3(SYS_close, file, 0, 0);
    if (size <= 0)
        return false;
    text[size] = '\0';
    const char *next = text;
    uint64_t number;
    if (!digits_read(&next, &number))
        return false;
    *call = (long)number;
    arguments[0] = read_hexadecimal(&next);
    arguments[1] = read_hexadecimal(&next);
    return true;
}

static bool thread_is_waiting(int thread, ino_t inode) {
    char path[16 + digits_limit + 8 + 1];
    numbered_path(path, "/proc/self/task/", thread, "/syscall");
    long call;
    uint64_t arguments[2];
    return wake_blocking_call(path, &call, arguments) && is_waiting(call, arguments, inode);
}

void wake_thread(int process, int thread) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = wake_signal;
    info.si_code = SI_QUEUE;
    info.si_pid = (int)raw_call3(SYS_getpid, 0, 0, 0);
    info.si_uid = (uid_t)raw_call3(SYS_getuid, 0, 0, 0);
    raw_call(SYS_rt_tgsigqueueinfo, process, thread, wake_signal, (long)&info, 0, 0);
}

static enum visit visit_thread(int thread, void *context) {
    struct round *round = context;
    if (thread == round->own_thread || !thread_is_waiting(thread, round->inode))
        return visit_continue;
    wake_thread((int)raw_call3(SYS_getpid, 0, 0, 0), thread);
    round->waiting++;
    return visit_continue;
}

void wake_waiting(ino_t inode) {
    if (!prepare())
        return;
    int quiet = 0;
    for (int count = 0; count < rounds_limit && quiet < rounds_without_waiting; count++) {
        struct round round = {.inode = inode};
        round.own_thread = (int)raw_call3(SYS_gettid, 0, 0, 0);
        numbers_visit("/proc/self/task", visit_thread, &round);
        quiet = round.waiting == 0 ? quiet + 1 : 0;
        struct timespec pause = {0, 1000000};
        raw_call3(SYS_nanosleep, (long)&pause, 0, 0);
    }
}
