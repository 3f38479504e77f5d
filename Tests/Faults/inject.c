/* Traces one process, without its children, and lets one of its system calls fail.
 *
 *     inject count FILE COMMAND...                  writes each call: kind, result, arguments
 *     inject KIND ERROR N FILE COMMAND...           the N-th call of this kind fails with errno ERROR;
 *                                                   `short` transfers one byte instead
 *
 * A kind is the name of the call, with what distinguishes its errors: `epoll_ctl:add`, `read:event`.
 * The command runs in this process, so whoever starts it sees its pid and its end; the tracer is a
 * process of its own (ptrace(2), PTRACE_SEIZE). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <linux/ptrace.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of a system call are known for x86-64 only"
#endif

enum argument { none, descriptor, path, path_at };

struct call {
    long number;
    const char *name;
    enum argument argument;
};

#define CALL(name, argument) {SYS_##name, #name, argument}
static const struct call calls[] = {
    CALL(accept4, descriptor), CALL(access, path), CALL(bind, descriptor), CALL(chmod, path),
    CALL(chown, path), CALL(clone, none), CALL(clone3, none), CALL(close, descriptor),
    CALL(connect, descriptor), CALL(dup, descriptor), CALL(dup2, descriptor),
    CALL(dup3, descriptor), CALL(epoll_create1, none), CALL(epoll_ctl, descriptor),
    CALL(epoll_wait, descriptor), CALL(execve, path), CALL(faccessat, path_at),
    CALL(fchmod, descriptor), CALL(fchown, descriptor), CALL(fchownat, path_at),
    CALL(fcntl, descriptor), CALL(flock, descriptor), CALL(fstat, descriptor),
    CALL(ftruncate, descriptor), CALL(getdents64, descriptor), CALL(getpeername, descriptor),
    CALL(getrandom, none), CALL(getsockname, descriptor), CALL(getsockopt, descriptor),
    CALL(ioctl, descriptor), CALL(kill, none), CALL(listen, descriptor), CALL(lseek, descriptor),
    CALL(memfd_create, none), CALL(mkdir, path), CALL(mkdirat, path_at), CALL(mmap, none),
    CALL(newfstatat, path_at), CALL(open, path), CALL(openat, path_at), CALL(pidfd_getfd, none),
    CALL(pidfd_open, none), CALL(pidfd_send_signal, descriptor), CALL(pipe2, none),
    CALL(poll, none), CALL(ppoll, none), CALL(prctl, none), CALL(pread64, descriptor),
    CALL(prlimit64, none), CALL(process_vm_readv, none), CALL(pwrite64, descriptor),
    CALL(read, descriptor), CALL(readlink, path), CALL(readlinkat, path_at),
    CALL(recvfrom, descriptor), CALL(recvmsg, descriptor), CALL(rename, path), CALL(rmdir, path),
    CALL(sendmsg, descriptor), CALL(sendto, descriptor), CALL(setpgid, none),
    CALL(setpriority, none), CALL(setsockopt, descriptor), CALL(shutdown, descriptor),
    CALL(signalfd4, none), CALL(socket, none), CALL(socketpair, none), CALL(statx, path_at),
    CALL(symlink, path), CALL(timerfd_create, none), CALL(unlink, path), CALL(unlinkat, path_at),
    CALL(utimensat, path_at), CALL(vfork, none), CALL(wait4, none), CALL(waitid, none),
    CALL(write, descriptor), CALL(writev, descriptor),
};

static pid_t target;

static const struct call *call_of(uint64_t number) {
    for (size_t index = 0; index < sizeof calls / sizeof calls[0]; index++) {
        if ((uint64_t)calls[index].number == number)
            return &calls[index];
    }
    return NULL;
}

static void read_link(const char *format, uint64_t number, char *text, size_t size) {
    char name[64];
    snprintf(name, sizeof name, format, (int)target, (int)number);
    ssize_t length = readlink(name, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
}

static void read_string(uint64_t address, char *text, size_t size) {
    struct iovec here = {text, size - 1}, there = {(void *)address, size - 1};
    ssize_t length = process_vm_readv(target, &here, 1, &there, 1, 0);
    text[length > 0 ? length : 0] = '\0';
}

/* What distinguishes calls of one name; empty if nothing does. "never" cannot fail. */
static const char *variant(const struct call *call, const uint64_t *args, const char *object) {
    switch (call->number) {
    case SYS_epoll_ctl:
        return args[1] == EPOLL_CTL_ADD ? "add" : "never";
    case SYS_fcntl:
        if (args[1] == F_DUPFD || args[1] == F_DUPFD_CLOEXEC)
            return "dup";
        return args[1] == F_ADD_SEALS ? "seal" : "never";
    case SYS_getsockopt:
        return args[1] == SOL_SOCKET ? "never" : "";
    case SYS_setsockopt:
        return args[1] == SOL_SOCKET ? "socket" : "";
    case SYS_mmap:
        return args[3] & MAP_ANONYMOUS ? "never" : "";
    case SYS_wait4:
    case SYS_waitid:
        return "";
    case SYS_read:
        return strncmp(object, "anon_inode:[", 12) == 0 ? "event" : "";
    case SYS_readlink:
        /* The Swift runtime ends the program without it. */
        return strcmp(object, "/proc/self/exe") == 0 ? "never" : "";
    case SYS_prlimit64:
        return args[2] == 0 ? "never" : "";
    default:
        return "";
    }
}

struct fault {
    const char *kind;
    bool is_short;
    int error;
    long number;
};

static void describe(
    const struct call *call, const uint64_t *args, char *kind, size_t kind_size, char *object,
    size_t object_size) {
    object[0] = '\0';
    if (call->argument == descriptor)
        read_link("/proc/%d/fd/%d", args[0], object, object_size);
    else if (call->argument != none)
        read_string(args[call->argument == path ? 0 : 1], object, object_size);
    for (char *next = object; *next; next++) {
        if (*next < ' ')
            *next = '?';
    }
    const char *detail = variant(call, args, object);
    snprintf(kind, kind_size, "%s%s%s", call->name, detail[0] ? ":" : "", detail);
}

static void change(int index, uint64_t value) {
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, target, 0, &registers);
    switch (index) {
    case -1: registers.orig_rax = value; break;
    case 0: registers.rax = value; break;
    case 3: registers.rdx = value; break;
    default: abort();
    }
    ptrace(PTRACE_SETREGS, target, 0, &registers);
}

static void trace(FILE *file, const struct fault *fault) {
    char kind[64] = "", object[128] = "";
    uint64_t args[6] = {0};
    const struct call *call = NULL;
    bool is_failing = false;
    long seen = 0;
    int status;
    while (waitpid(target, &status, __WALL) == target && WIFSTOPPED(status)) {
        int signal = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
            ptrace(PTRACE_LISTEN, target, 0, 0);
            continue;
        }
        if (event != 0 || signal != (SIGTRAP | 0x80)) {
            ptrace(PTRACE_SYSCALL, target, 0, (long)(event != 0 ? 0 : signal));
            continue;
        }
        struct __ptrace_syscall_info info;
        ptrace(PTRACE_GET_SYSCALL_INFO, target, sizeof info, &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && (call = call_of(info.entry.nr)) != NULL) {
            memcpy(args, info.entry.args, sizeof args);
            describe(call, args, kind, sizeof kind, object, sizeof object);
            if (fault != NULL && strcmp(kind, fault->kind) == 0 && ++seen == fault->number) {
                fprintf(file, "failing %s %s\n", kind, object);
                fflush(file);
                if (fault->is_short) {
                    change(3, 1);
                } else {
                    change(-1, (uint64_t)-1);
                    is_failing = true;
                }
            }
        } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && call != NULL) {
            if (is_failing)
                change(0, (uint64_t)-fault->error);
            is_failing = false;
            if (fault == NULL && strstr(kind, ":never") == NULL)
                fprintf(file, "%s %ld %s\n", kind, (long)info.exit.rval, object);
            call = NULL;
        }
        ptrace(PTRACE_SYSCALL, target, 0, 0);
    }
}

static void be_traced(FILE *file, const struct fault *fault) {
    int ends[2];
    char byte;
    target = getpid();
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    if (pipe2(ends, O_CLOEXEC) != 0)
        exit(99);
    pid_t child = fork();
    if (child == 0) {
        if (fork() != 0)
            _exit(0);
        setsid();
        long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
        if (ptrace(PTRACE_SEIZE, target, 0, options) != 0)
            _exit(1);
        ptrace(PTRACE_INTERRUPT, target, 0, 0);
        if (write(ends[1], "", 1) != 1)
            _exit(1);
        close(ends[0]);
        close(ends[1]);
        trace(file, fault);
        fclose(file);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) {
        fprintf(stderr, "inject: cannot trace\n");
        exit(99);
    }
    close(ends[0]);
}

int main(int count, char **arguments) {
    struct fault fault;
    bool counts = count > 3 && strcmp(arguments[1], "count") == 0;
    int first = counts ? 2 : 4;
    if (count < first + 2)
        return 99;
    if (!counts) {
        fault = (struct fault){
            .kind = arguments[1],
            .is_short = strcmp(arguments[2], "short") == 0,
            .error = atoi(arguments[2]),
            .number = atol(arguments[3]),
        };
    }
    FILE *file = fopen(arguments[first], "we");
    if (file == NULL)
        return 99;
    be_traced(file, counts ? NULL : &fault);
    execvp(arguments[first + 1], &arguments[first + 1]);
    return 99;
}
