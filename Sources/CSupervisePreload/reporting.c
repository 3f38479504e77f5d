#define _GNU_SOURCE
#include "reporting.h"

#include "listeners.h"
#include "notify.h"
#include "page.h"

#include <stdatomic.h>
#include <stdint.h>

/* A server has fewer listeners of its own, and each entry costs a system call until there is a
 * report. */
enum { most_entries = 1024 };

static atomic_bool is_due;

void reporting_begin(void) {
    page_report(supervise_page_loaded);
    atomic_store_explicit(&is_due, !page_has_reported(supervise_page_waits), memory_order_relaxed);
}

bool reporting_is_due(void) {
    return __builtin_expect(atomic_load_explicit(&is_due, memory_order_relaxed), 0);
}

void reporting_waits_on(int fd) {
    if (!reporting_is_due() || listener_behind(fd) < 0)
        return;
    atomic_store_explicit(&is_due, false, memory_order_relaxed);
    /* A datagram that fails because the socket is full is not repeated: the master also reads the
     * page. */
    if (page_report(supervise_page_waits))
        notify_send("X_LISTENING=", 1);
}

void reporting_polls(const struct pollfd *entries, nfds_t count) {
    for (nfds_t index = 0; index < count && index < most_entries && reporting_is_due(); index++) {
        if ((entries[index].events & POLLIN) != 0 && entries[index].fd >= 0)
            reporting_waits_on(entries[index].fd);
    }
}

void reporting_selects(int count, const fd_set *readable) {
    if (readable == NULL)
        return;
    for (int fd = 0; fd < count && fd < most_entries && reporting_is_due(); fd++) {
        /* The set may be larger than an fd_set (select(2)). */
        const unsigned long *words = (const unsigned long *)(const void *)readable;
        int bits = 8 * (int)sizeof *words;
        if ((words[fd / bits] >> (fd % bits) & 1) != 0)
            reporting_waits_on(fd);
    }
}
