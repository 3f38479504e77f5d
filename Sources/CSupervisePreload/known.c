#define _GNU_SOURCE
#include "known.h"

#include "descriptors.h"
#include "listeners.h"
#include "raw.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { number_limit = 1024, numbers_in_word = 64 };

static atomic_bool others_may_listen;
/* One bit for each number that has been one of our listeners. For higher numbers, the kernel is
 * asked each time. */
static _Atomic uint64_t known[number_limit / numbers_in_word];

void known_others_listen(void) {
    atomic_store_explicit(&others_may_listen, true, memory_order_relaxed);
}

static bool listens_for_others(int fd) {
    int listens = 0;
    return raw_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, sizeof listens) && listens != 0
        && listener_behind(fd) < 0;
}

static enum visit visit_descriptor(int fd, void *found) {
    *(bool *)found = listens_for_others(fd);
    return *(bool *)found ? visit_stop : visit_continue;
}

/* Returns whether the process holds, or may hold, a listening socket that is not ours. */
static bool has_others(void) {
    bool found = false;
    return !descriptors_visit(visit_descriptor, &found) || found;
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
