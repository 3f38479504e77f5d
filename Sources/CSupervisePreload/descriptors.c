#define _GNU_SOURCE
#include "descriptors.h"

#include "digits.h"
#include "raw.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

bool numbers_visit(
    const char *folder, enum visit (*visit)(int number, void *context), void *context) {
    int reader = (int)raw_call(
        SYS_openat, AT_FDCWD, (long)folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
    if (reader < 0)
        return false;
    _Alignas(8) char buffer[1024];
    enum visit next = visit_continue;
    long size = 0;
    while (next == visit_continue
           && (size = raw_call3(SYS_getdents64, reader, (long)buffer, sizeof buffer)) > 0) {
        for (long offset = 0; offset < size && next == visit_continue;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + offset);
            const char *name = entry->d_name;
            uint64_t number;
            if (digits_read(&name, &number) && (int)number != reader)
                next = visit((int)number, context);
            offset += entry->d_reclen;
        }
    }
    raw_call3(SYS_close, reader, 0, 0);
    return next == visit_stop || size == 0;
}

bool descriptors_visit(enum visit (*visit)(int fd, void *context), void *context) {
    return numbers_visit("/proc/self/fd", visit, context);
}

void numbered_path(char *path, const char *prefix, int number, const char *suffix) {
    size_t length = strlen(prefix);
    memcpy(path, prefix, length);
    length += digits_write(path + length, (uint64_t)number);
    memcpy(path + length, suffix, strlen(suffix) + 1);
}

int own_threads;

int threads_count(void) {
    /* A directory has one link for its name, one for ".", and one for each subdirectory. */
    struct stat status;
    int own = __atomic_load_n(&own_threads, __ATOMIC_RELAXED);
    if (!raw_fstatat(AT_FDCWD, "/proc/self/task", &status, 0)
        || (int)status.st_nlink <= 3 + own)
        return 1;
    return (int)status.st_nlink - 2 - own;
}
