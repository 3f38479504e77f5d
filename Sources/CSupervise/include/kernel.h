// System calls that have no glibc wrapper on every supported glibc, or whose wrapper is variadic,
// and structures that Swift can't read because their members are macros.
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

// dup3(2), close-on-exec: the number stands for the descriptor's file from then on.
int csupervise_duplicate_to(int descriptor, int number);

// A descriptor that only names a file, also a socket or a link (O_PATH | O_NOFOLLOW of open(2)).
int csupervise_open_path(const char *path);
// The same in an open folder.
int csupervise_open_path_at(int folder, const char *name);

// A folder in an open one, on the same mount and not by a link (openat2(2)).
int csupervise_open_folder_at(int folder, const char *name);

// openat(2), which is variadic.
int csupervise_open_at(int folder, const char *name, int flags, mode_t mode);

// Where a link leads that is open by csupervise_open_path (readlinkat(2)).
ssize_t csupervise_read_link(int link, char *text, size_t room);

// Whether a file belongs to proc(5).
bool csupervise_is_of_proc(int descriptor);

// O_PATH of open(2).
extern const int csupervise_path_only;

// Makes this process run the program of an O_PATH descriptor (execveat(2)). -1 with errno.
int csupervise_execute(int program, char *const *arguments, char *const *environment);

// Names the calling thread, which ps(1) shows as the command (PR_SET_NAME(2const)): a program that was
// run from a descriptor is called by its number before Linux 6.14.
int csupervise_set_name(const char *name);

// Whether close_range(2), having failed with this errno for a child that shares descriptors, will always
// fail.
bool csupervise_never_unshares(int code);

// malloc_trim(3) of all that is free.
void csupervise_trim_memory(void);

int csupervise_pidfd_open(pid_t pid);
int csupervise_pidfd_send_signal(int descriptor, int number);

// The signal by which a thread in accept(2) is told to leave it. The preload library and the C library
// handle it; elsewhere it would end the process.
extern const int csupervise_wake_signal;
// tgkill(2). 0, or -1 with errno.
int csupervise_signal_thread(pid_t pid, pid_t thread, int number);

int csupervise_become_subreaper(void);
int csupervise_set_death_signal(int number);

// What waitid(2) told; pid 0 when no child has exited.
struct csupervise_exit {
    int32_t pid;
    // Of an exit the status, else the signal.
    int32_t status;
    // CLD_EXITED, CLD_KILLED or CLD_DUMPED.
    int32_t code;
};

// waitid(2) for exited children, never blocking. `pid` 0 asks for any child; `keep` leaves it a
// zombie (WNOWAIT). 0, or -1 with errno.
int csupervise_wait_exited(pid_t pid, int keep, struct csupervise_exit *result);

// waitid(2) for that child until it has exited, which reaps it. 0, or -1 with errno.
int csupervise_wait_blocking(pid_t pid);

// What a system call's number (syscalls(2)) means for a thread that is blocked in it.
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

// How many processors sched_setaffinity(2) leaves this process; at least 1.
int csupervise_allowed_processors(void);

// write(2) that fails with EAGAIN where it would wait, whatever the descriptor's flags are
// (RWF_NOWAIT of pwritev2(2)); EOPNOTSUPP where the kernel has no such thing for this kind of file.
ssize_t csupervise_write_nowait(int descriptor, const void *bytes, size_t size);

// getrandom(2) of at most 256 bytes, which then is never short. 0, or -1 with errno.
int csupervise_random_bytes(void *bytes, size_t size);

// major(3) and minor(3), which are macros.
unsigned csupervise_device_major(uint64_t device);
unsigned csupervise_device_minor(uint64_t device);

// process_vm_readv(2) of one range; the number of bytes, or -1 with errno.
ssize_t csupervise_read_memory(pid_t pid, uint64_t address, void *bytes, size_t size);

// Has a static program look up users, groups and hosts in files and the DNS alone (nss(5)). The
// library of another name service would bring a second C library along, and crash.
void csupervise_avoid_name_service_libraries(void);

// Whether a file has capabilities of its own (capabilities(7)).
bool csupervise_has_capabilities(const char *path);

// Writes this text to /proc/self/oom_score_adj (proc_pid_oom_score_adj(5)). For the child side of fork.
int csupervise_write_oom_score_adjust(const char *text);

// Empties the ambient set (PR_CAP_AMBIENT(2const)). It would outlive a change from one user to
// another, neither of them root. For the child side of fork.
int csupervise_drop_ambient_capabilities(void);

#endif
