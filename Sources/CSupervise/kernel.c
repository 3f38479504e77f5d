#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <nss.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

const char *csupervise_error_text(int code) {
    return strerrordesc_np(code);
}

int csupervise_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

int csupervise_duplicate_to(int descriptor, int number) {
    return dup3(descriptor, number, O_CLOEXEC);
}

int csupervise_open_path(const char *path) {
    return open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

const int csupervise_path_only = O_PATH;

int csupervise_execute(int program, char *const *arguments, char *const *environment) {
    return (int)syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
}

bool csupervise_never_unshares(int code) {
    // Not supported by the kernel (before Linux 5.9), or forbidden, for example by a container.
    return code == ENOSYS || code == EINVAL || code == EPERM || code == EACCES;
}

int csupervise_set_name(const char *name) {
    return prctl(PR_SET_NAME, name, 0, 0, 0);
}

void csupervise_trim_memory(void) {
    malloc_trim(0);
}

int csupervise_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int csupervise_pidfd_send_signal(int descriptor, int number) {
    return (int)syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0);
}

// As in the preload library's waking.h.
const int csupervise_wake_signal = 32;

int csupervise_signal_thread(pid_t pid, pid_t thread, int number) {
    return (int)syscall(SYS_tgkill, pid, thread, number);
}

int csupervise_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int csupervise_wait_exited(pid_t pid, int keep, struct csupervise_exit *result) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int options = WEXITED | WNOHANG | (keep ? WNOWAIT : 0);
    if (waitid(pid == 0 ? P_ALL : P_PID, (id_t)pid, &info, options) != 0)
        return -1;
    result->pid = info.si_pid;
    result->status = info.si_status;
    result->code = info.si_code;
    return 0;
}

int csupervise_wait_blocking(pid_t pid) {
    siginfo_t info;
    return waitid(P_PID, (id_t)pid, &info, WEXITED);
}

enum csupervise_wait csupervise_classify_wait(long number) {
    switch (number) {
    case SYS_accept:
    case SYS_accept4:
        return CSUPERVISE_WAIT_ACCEPT;
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_ppoll:
        return CSUPERVISE_WAIT_POLL;
#ifdef SYS_select
    case SYS_select:
#endif
    case SYS_pselect6:
        return CSUPERVISE_WAIT_SELECT;
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
        return CSUPERVISE_WAIT_READ;
    default:
        return CSUPERVISE_WAIT_OTHER;
    }
}

int csupervise_allowed_processors(void) {
    // 65536 processors: the cpu_set_t of glibc ends at 1024, and then the call fails.
    uint64_t set[1024];
    long size = syscall(SYS_sched_getaffinity, 0, sizeof set, set);
    int count = 0;
    for (long i = 0; i < size / 8; i++)
        count += __builtin_popcountll(set[i]);
    return count > 0 ? count : 1;
}

ssize_t csupervise_write_nowait(int descriptor, const void *bytes, size_t size) {
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    return pwritev2(descriptor, &part, 1, -1, RWF_NOWAIT);
}

int csupervise_random_bytes(void *bytes, size_t size) {
    return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -1;
}

unsigned csupervise_device_major(uint64_t device) {
    return major(device);
}

unsigned csupervise_device_minor(uint64_t device) {
    return minor(device);
}

ssize_t csupervise_read_memory(pid_t pid, uint64_t address, void *bytes, size_t size) {
    struct iovec here = {bytes, size};
    struct iovec there = {(void *)(uintptr_t)address, size};
    return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

bool csupervise_has_capabilities(const char *path) {
    return getxattr(path, "security.capability", NULL, 0) > 0;
}

int csupervise_open_at(int folder, const char *name, int flags, mode_t mode) {
    return openat(folder, name, flags, mode);
}

int csupervise_open_path_at(int folder, const char *name) {
    return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int csupervise_open_folder_at(int folder, const char *name) {
    struct open_how how = {0};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
    return (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
}

ssize_t csupervise_read_link(int link, char *text, size_t room) {
    return readlinkat(link, "", text, room);
}

bool csupervise_is_of_proc(int descriptor) {
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

// Only a dynamically linked program has one (<link.h>).
#pragma weak _DYNAMIC

void csupervise_avoid_name_service_libraries(void) {
    if (_DYNAMIC)
        return;
    __nss_configure_lookup("passwd", "files");
    __nss_configure_lookup("group", "files");
    __nss_configure_lookup("initgroups", "files");
    __nss_configure_lookup("hosts", "files dns");
}

int csupervise_write_oom_score_adjust(const char *text) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    if (write(file, text, strlen(text)) < 0)
        return -1;
    return close(file);
}

int csupervise_drop_ambient_capabilities(void) {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0)
        return 0;
    // Before Linux 4.3 there are none.
    return errno == EINVAL ? 0 : -1;
}
