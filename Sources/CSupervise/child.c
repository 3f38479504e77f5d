#define _GNU_SOURCE
#include "child.h"
#include "filter.h"
#include "kernel.h"
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

enum { first_descriptor = 3, signal_count = 64, kernel_mask_bytes = 8 };

static _Noreturn void fail(struct csupervise_start *start, enum csupervise_step step) {
    int code = errno;
    if (start->error_descriptor >= 0) {
        int32_t record[2] = {step, code};
        // Smaller than PIPE_BUF and into an empty pipe, so it is written whole. If it fails, the
        // parent still gets the exit status.
        ssize_t ignored = write(start->error_descriptor, record, sizeof record);
        (void)ignored;
    } else {
        start->failed_step = step;
        start->failed_code = code;
    }
    _exit(127);
}

// The raw call also reaches signals 32 and 33, which glibc reserves. The kernel's sigaction begins
// with the handler on every architecture but MIPS, and a zeroed one is SIG_DFL without flags.
union kernel_action {
    void (*handler)(int);
    char bytes[64];
};

uint64_t csupervise_ignored_signals(void) {
    uint64_t ignored = 0;
    for (int number = 1; number <= signal_count; number++) {
        union kernel_action action = {0};
        syscall(SYS_rt_sigaction, number, NULL, &action, kernel_mask_bytes);
        ignored |= (uint64_t)(action.handler == SIG_IGN) << (number - 1);
    }
    return ignored;
}

// execve(2) resets handlers, but ignored signals stay ignored.
static int reset_dispositions(uint64_t ignored) {
    union kernel_action action = {0};
    for (int number = 1; ignored; number++, ignored >>= 1)
        if (ignored & 1 && syscall(SYS_rt_sigaction, number, &action, NULL, kernel_mask_bytes) != 0)
            return -1;
    return 0;
}

// Copies the descriptors up to the last one that the child needs, and no others: the kernel skips
// those that close_range(2) closes. Until then the child must not change any.
static int take_descriptors(const struct csupervise_start *start) {
    int output = start->output_descriptor;
    int last = output >= first_descriptor ? output : first_descriptor - 1;
    if (start->filter_channel > last)
        last = start->filter_channel;
    for (uint32_t i = 0; i < start->descriptor_count; i++)
        if (start->descriptors[i] > last)
            last = start->descriptors[i];
    return (int)syscall(SYS_close_range, last + 1, ~0U, CLOSE_RANGE_UNSHARE);
}

static int empty_standard_input(void) {
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return -1;
    if (null == STDIN_FILENO)
        return 0;
    if (dup2(null, STDIN_FILENO) < 0)
        return -1;
    return close(null);
}

// Kernels before 5.11 do not support CLOSE_RANGE_CLOEXEC.
static int close_on_exec_one_by_one(int first) {
    int folder = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    _Alignas(8) char buffer[2048];
    for (;;) {
        long size = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (size < 0)
            return -1;
        if (size == 0)
            return close(folder);
        for (long offset = 0; offset < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + offset);
            int number = 0;
            const char *digit = entry->d_name;
            for (; *digit >= '0' && *digit <= '9'; digit++)
                number = number * 10 + (*digit - '0');
            if (*digit == 0 && number >= first && fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
                return -1;
            offset += entry->d_reclen;
        }
    }
}

// Sources may be among the targets, in any order and repeatedly, so they are first moved past all
// of them.
static int place_descriptors(struct csupervise_start *start) {
    int past = first_descriptor + (int)start->descriptor_count;
    if (start->error_descriptor >= 0 && start->error_descriptor < past) {
        start->error_descriptor = fcntl(start->error_descriptor, F_DUPFD_CLOEXEC, past);
        if (start->error_descriptor < 0)
            return -1;
    }
    for (uint32_t i = 0; i < start->descriptor_count; i++) {
        int source = start->descriptors[i];
        if (source < past)
            source = fcntl(source, F_DUPFD_CLOEXEC, past);
        if (source < 0)
            return -1;
        start->moved[i] = source;
    }
    for (uint32_t i = 0; i < start->descriptor_count; i++)
        if (dup2(start->moved[i], first_descriptor + (int)i) < 0)
            return -1;
    if (syscall(SYS_close_range, past, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    return close_on_exec_one_by_one(past);
}

static int set_limits(const struct csupervise_start *start) {
    for (uint32_t i = 0; i < start->limit_count; i++) {
        struct rlimit64 limit = {start->limits[i].soft, start->limits[i].hard};
        if (syscall(SYS_prlimit64, 0, start->limits[i].resource, &limit, NULL) != 0)
            return -1;
    }
    return 0;
}

static void write_decimal(char *text, unsigned value) {
    char digits[12];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0)
        *text++ = digits[--count];
    *text = 0;
}

// As execvp, but without its shell on ENOEXEC: a file without `#!` is a mistake to report.
static void execute(const struct csupervise_start *start) {
    bool denied = false;
    errno = ENOENT;
    for (char *const *candidate = start->candidates; *candidate; candidate++) {
        execve(*candidate, start->arguments, start->environment);
        switch (errno) {
        case EACCES:
            denied = true;
            continue;
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ENODEV:
        case ETIMEDOUT:
            continue;
        default:
            return;
        }
    }
    if (denied)
        errno = EACCES;
}

// setuid and related functions of glibc signal every thread of the process. In a child that shares
// memory, these are the parent's threads. The raw calls change only this process.
static void take_credentials(struct csupervise_start *start) {
    if (syscall(SYS_setgroups, (size_t)start->group_count, start->groups) != 0)
        fail(start, CSUPERVISE_STEP_GROUPS);
    if (syscall(SYS_setresgid, start->gid, start->gid, start->gid) != 0)
        fail(start, CSUPERVISE_STEP_GROUP);
    if (syscall(SYS_setresuid, start->uid, start->uid, start->uid) != 0)
        fail(start, CSUPERVISE_STEP_USER);
}

static int child(void *argument) {
    struct csupervise_start *start = argument;
    if (start->shares_descriptors && take_descriptors(start) != 0)
        fail(start, CSUPERVISE_STEP_FORK);
    if (setpgid(0, 0) != 0)
        fail(start, CSUPERVISE_STEP_PROCESS_GROUP);
    if (reset_dispositions(start->ignored_signals) != 0)
        fail(start, CSUPERVISE_STEP_SIGNALS);
    if (empty_standard_input() != 0)
        fail(start, CSUPERVISE_STEP_STANDARD_INPUT);
    // Before the descriptors are moved, which may overwrite its number.
    if (start->output_descriptor >= 0 && csupervise_replace_output(start->output_descriptor) != 0)
        fail(start, CSUPERVISE_STEP_OUTPUT);
    // Before privileges are dropped, and before the descriptors are moved: it temporarily needs a
    // number that may be one of these.
    if (start->filter_channel >= 0 && csupervise_install_filter(start->filter_channel) != 0)
        fail(start, CSUPERVISE_STEP_FILTER);
    // Before the limits: a restored RLIMIT_NOFILE may leave no number for moving descriptors.
    if (place_descriptors(start) != 0)
        fail(start, CSUPERVISE_STEP_DESCRIPTORS);
    // It opens a file, for which a low limit may leave no number either.
    if (start->oom_score_adjust && csupervise_write_oom_score_adjust(start->oom_score_adjust) != 0)
        fail(start, CSUPERVISE_STEP_OOM_SCORE_ADJUST);
    if (set_limits(start) != 0)
        fail(start, CSUPERVISE_STEP_LIMITS);
    if (start->changes_nice && syscall(SYS_setpriority, PRIO_PROCESS, 0, start->nice) != 0)
        fail(start, CSUPERVISE_STEP_NICE);
    if (start->changes_umask)
        umask(start->umask);
    if (start->changes_credentials)
        take_credentials(start);
    if (start->output_files && csupervise_open_output(start) != 0)
        fail(start, CSUPERVISE_STEP_OUTPUT);
    if (start->drops_ambient_capabilities && csupervise_drop_ambient_capabilities() != 0)
        fail(start, CSUPERVISE_STEP_CAPABILITIES);
    // As the worker's user, so that a directory that only root can enter is reported now.
    if (start->directory && chdir(start->directory) != 0)
        fail(start, CSUPERVISE_STEP_CHDIR);
    // After the change of user, which clears it (PR_SET_PDEATHSIG(2const)).
    if (start->death_signal != 0 && prctl(PR_SET_PDEATHSIG, start->death_signal, 0, 0, 0) != 0)
        fail(start, CSUPERVISE_STEP_DEATH_SIGNAL);
    // If the parent died before the line above, it sent no signal and does not wait for this child.
    if (syscall(SYS_getppid) != start->parent)
        _exit(127);
    if (start->listen_pid)
        write_decimal(start->listen_pid, (unsigned)syscall(SYS_getpid));
    uint64_t none = 0;
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, kernel_mask_bytes) != 0)
        fail(start, CSUPERVISE_STEP_SIGNAL_MASK);
    execute(start);
    fail(start, CSUPERVISE_STEP_EXEC);
}

// Returns the pid, or -errno. Normally a child gets a copy of all descriptors and closes them at
// exec, which is a third of a start with a thousand workers. A child that initially shares the
// parent's descriptors copies only a few.
static int clone_child(struct csupervise_start *start, void *stack_end,
                       int32_t *process_descriptor) {
    int flags = CLONE_PIDFD | SIGCHLD;
    // Sharing memory is much cheaper than copying the page tables, but not possible with a change
    // of user: a process of that user could stop the child and thereby the waiting parent, and the
    // shared memory would become non-dumpable. Descriptors are shared only while the parent is
    // suspended.
    if (start->error_descriptor < 0)
        flags |= CLONE_VM | CLONE_VFORK;
    if (start->shares_descriptors)
        flags |= CLONE_FILES;
    start->parent = (int32_t)getpid();
    start->failed_step = CSUPERVISE_STEP_NONE;
    start->failed_code = 0;
    int descriptor = -1;
    int pid = clone(child, stack_end, flags, start, &descriptor);
    if (pid < 0)
        return -errno;
    *process_descriptor = descriptor;
    return pid;
}

int csupervise_start_child(struct csupervise_start *start, void *stack_end,
                           int32_t *process_descriptor) {
    static atomic_bool cannot_unshare;
    start->shares_descriptors = start->error_descriptor < 0 && !cannot_unshare;
    int pid = clone_child(start, stack_end, process_descriptor);
    if (pid < 0 || start->failed_step != CSUPERVISE_STEP_FORK)
        return pid;
    csupervise_wait_blocking(pid);
    close(*process_descriptor);
    if (start->failed_code == ENOMEM)
        return -ENOMEM;
    // Other failures may be temporary; copying all descriptors works for this start.
    cannot_unshare = csupervise_never_unshares(start->failed_code);
    start->shares_descriptors = false;
    return clone_child(start, stack_end, process_descriptor);
}
