#define _GNU_SOURCE
#include "known.h"

#include "digits.h"
#include "listeners.h"
#include "raw.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { number_limit = 1024, numbers_in_word = 64 };

static atomic_bool others_may_listen;
/* A bit for each number that has been a listener of ours. Higher ones are asked about each time. */
static _Atomic uint64_t known[number_limit / numbers_in_word];

void known_others_listen(void) {
    atomic_store_explicit(&others_may_listen, true, memory_order_relaxed);
}

static bool listens_for_others(int fd) {
    int listens = 0;
    return raw_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, sizeof listens) && listens != 0
        && listener_behind(fd) < 0;
}

/* Whether the process holds a listening socket that is not ours, or may; opendir(3) would allocate. */
static bool has_others(void) {
    int folder = (int)raw_call(
        SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);
    if (folder < 0)
        return true;
    _Alignas(8) char buffer[1024];
    bool found = false;
    long size;
    while (!found && (size = raw_call3(SYS_getdents64, folder, (long)buffer, sizeof buffer)) > 0) {
        for (long offset = 0; offset < size;) {
            struct dirent64 *entry = (struct dirent64 *)(buffer + offset);
            const char *name = entry->d_name;
            uint64_t number;
            found = found || (digits_read(&name, &number) && listens_for_others((int)number));
            offset += entry->d_reclen;
        }
    }
    raw_call3(SYS_close, folder, 0, 0);
    return found || size < 0;
}

bool known_accepted_through(int fd) {
    _Atomic uint64_t *word = &known[fd < number_limit ? fd / numbers_in_word : 0];
    uint64_t bit = fd < number_limit ? (uint64_t)1 << fd % numbers_in_word : 0;
    if (!atomic_load_explicit(&others_may_listen, memory_order_relaxed)
        && (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0)
        return true;
    if (listener_behind(fd) < 0)
        return false;
    if (bit != 0 && !atomic_load_explicit(&others_may_listen, memory_order_relaxed)) {
        if (has_others())
            known_others_listen();
        else
            atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    }
    return true;
}
