// System calls without a glibc wrapper on every supported glibc, or with a variadic wrapper, and
// structures that Swift cannot read because their members are macros.
#ifndef CSUPERVISE_KERNEL_H
#define CSUPERVISE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The unlocalised text of an errno, or NULL for an unknown number.
const char *csupervise_error_text(int code);

// pipe2(2), close-on-exec and non-blocking.
int csupervise_pipe(int ends[2]);

// dup3(2), close-on-exec: replaces the file behind the number.
int csupervise_duplicate_to(int descriptor, int number);

// Opens a descriptor that only refers to a file, including a socket or a link (O_PATH | O_NOFOLLOW
// of open(2)).
int csupervise_open_path(const char *path);
// The same, relative to an open directory.
int csupervise_open_path_at(int folder, const char *name);

// Opens a directory in an open one, on the same mount and without following links (openat2(2)).
int csupervise_open_folder_at(int folder, const char *name);

// openat(2), which is variadic.
int csupervise_open_at(int folder, const char *name, int flags, mode_t mode);

// The target of a link that was opened by csupervise_open_path (readlinkat(2)).
ssize_t csupervise_read_link(int link, char *text, size_t room);

// Whether a file belongs to proc(5).
bool csupervise_is_of_proc(int descriptor);

// O_PATH of open(2).
extern const int csupervise_path_only;

// Executes the program of an O_PATH descriptor (execveat(2)). Returns -1 with errno.
int csupervise_execute(int program, char *const *arguments, char *const *environment);

// Names the calling thread, which ps(1) shows as the command (PR_SET_NAME(2const)). Before Linux
// 6.14, a program executed from a descriptor is named after its number.
int csupervise_set_name(const char *name);

// Whether close_range(2) will always fail, if it failed with this errno for a child that shares
// descriptors.
bool csupervise_never_unshares(int code);

// malloc_trim(3) of all that is free.
void csupervise_trim_memory(void);

int csupervise_pidfd_open(pid_t pid);
int csupervise_pidfd_send_signal(int descriptor, int number);

// The signal that interrupts a thread in accept(2). The preload library and the C library handle
// it; in other programs it would terminate the process.
extern const int csupervise_wake_signal;
// tgkill(2). 0, or -1 with errno.
int csupervise_signal_thread(pid_t pid, pid_t thread, int number);

int csupervise_become_subreaper(void);

// The result of waitid(2); pid 0 if no child has exited.
struct csupervise_exit {
    int32_t pid;
    // The exit status, or else the signal.
    int32_t status;
    // CLD_EXITED, CLD_KILLED or CLD_DUMPED.
    int32_t code;
};

// waitid(2) for exited children, without blocking. `pid` 0 means any child; `keep` leaves it a
// zombie (WNOWAIT). Returns 0, or -1 with errno.
int csupervise_wait_exited(pid_t pid, int keep, struct csupervise_exit *result);

// Waits until that child has exited, and reaps it (waitid(2)). Returns 0, or -1 with errno.
int csupervise_wait_blocking(pid_t pid);

// The meaning of a system call's number (syscalls(2)) for a thread that is blocked in it.
enum csupervise_wait {
    CSUPERVISE_WAIT_OTHER = 0,
    // The first argument is the listener.
    CSUPERVISE_WAIT_ACCEPT,
    // The first argument is an array of pollfd, the second its length.
    CSUPERVISE_WAIT_POLL,
    // The first argument is the descriptor that it waits to read from.
    CSUPERVISE_WAIT_READ,
    // The first argument is one past the highest descriptor, the second the set to read from.
    CSUPERVISE_WAIT_SELECT,
};

enum csupervise_wait csupervise_classify_wait(long number);

// The number of processors that sched_setaffinity(2) allows this process; at least 1.
int csupervise_allowed_processors(void);

// write(2) that fails with EAGAIN instead of blocking, whatever the flags of the descriptor
// (RWF_NOWAIT of pwritev2(2)); EOPNOTSUPP if the kernel does not support it for this type of file.
ssize_t csupervise_write_nowait(int descriptor, const void *bytes, size_t size);

// getrandom(2) of at most 256 bytes, which is never short. Returns 0, or -1 with errno.
int csupervise_random_bytes(void *bytes, size_t size);

// major(3) and minor(3), which are macros.
unsigned csupervise_device_major(uint64_t device);
unsigned csupervise_device_minor(uint64_t device);

// process_vm_readv(2) of one range. Returns the number of bytes, or -1 with errno.
ssize_t csupervise_read_memory(pid_t pid, uint64_t address, void *bytes, size_t size);

// Restricts the lookups of users, groups and hosts in a static program to files and the DNS
// (nss(5)). The library of another name service would load a second C library and crash.
void csupervise_avoid_name_service_libraries(void);

// Whether a file has capabilities of its own (capabilities(7)).
bool csupervise_has_capabilities(const char *path);

// Writes this text to /proc/self/oom_score_adj (proc_pid_oom_score_adj(5)). For the child side of fork.
int csupervise_write_oom_score_adjust(const char *text);

// Clears the ambient set (PR_CAP_AMBIENT(2const)). It would survive a change from one user to
// another if neither is root. For the child side of fork.
int csupervise_drop_ambient_capabilities(void);

#endif
