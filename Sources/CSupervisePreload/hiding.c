#define _GNU_SOURCE
#include "hiding.h"

#include "holding.h"
#include "listeners.h"
#include "page.h"

#include <stddef.h>

static bool hides(void) {
    return __builtin_expect((page_flags() & supervise_page_drain) != 0, 0) || holding_is_on();
}

/* Programs use negative numbers in their own entries, but none this low. */
enum { hidden_base = -(1 << 30), hidden_limit = 1 << 24 };

int hidden_number(int fd) {
    bool is_hidden = fd >= hidden_base && fd < hidden_base + hidden_limit;
    return is_hidden ? fd - hidden_base : fd;
}

int hide_listeners(struct pollfd *entries, nfds_t count) {
    int hidden = 0;
    if (!hides() || entries == NULL)
        return 0;
    for (nfds_t index = 0; index < count; index++) {
        int number = entries[index].fd;
        if (number < 0 || number >= hidden_limit || listener_behind(number) < 0)
            continue;
        entries[index].fd = hidden_base + number;
        hidden++;
    }
    return hidden;
}

void show_listeners(struct pollfd *entries, nfds_t count, int hidden) {
    for (nfds_t index = 0; index < count && hidden > 0; index++) {
        int number = hidden_number(entries[index].fd);
        hidden -= number != entries[index].fd;
        entries[index].fd = number;
    }
}

int hide_events(struct pollfd *entries, nfds_t count, int result) {
    int left = result;
    if (result <= 0 || !hides())
        return result;
    for (nfds_t index = 0; index < count; index++) {
        if (entries[index].fd < 0 || (entries[index].revents & POLLIN) == 0
            || listener_behind(entries[index].fd) < 0)
            continue;
        entries[index].revents = 0;
        left--;
    }
    return left;
}

static int clear_listeners(int limit, fd_set *set) {
    int cleared = 0;
    /* Sets may be longer than an fd_set (select(2)), which FD_ISSET may check. */
    long *words = (long *)set;
    int bits = 8 * (int)sizeof(long);
    for (int fd = 0; set != NULL && fd < limit; fd++) {
        unsigned long bit = 1UL << fd % bits;
        if (((unsigned long)words[fd / bits] & bit) == 0 || listener_behind(fd) < 0)
            continue;
        words[fd / bits] = (long)((unsigned long)words[fd / bits] & ~bit);
        cleared++;
    }
    return cleared;
}

void hide_members(int limit, fd_set *set) {
    if (hides())
        clear_listeners(limit, set);
}

int hide_result(int limit, fd_set *set, int result) {
    if (result <= 0 || !hides())
        return result;
    return result - clear_listeners(limit, set);
}
