#define _GNU_SOURCE
#include "hiding.h"

#include "listeners.h"
#include "page.h"

#include <stddef.h>
#include <string.h>

static bool is_draining(void) {
    return __builtin_expect((page_flags() & page_flag_drain) != 0, 0);
}

/* Programs have negative numbers of their own in their entries, but none like these. */
enum { hidden_base = -(1 << 30), hidden_limit = 1 << 24 };

int hidden_number(int fd) {
    bool is_hidden = fd >= hidden_base && fd < hidden_base + hidden_limit;
    return is_hidden ? fd - hidden_base : fd;
}

int hide_listeners(struct pollfd *entries, nfds_t count) {
    int hidden = 0;
    if (!is_draining() || entries == NULL)
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
    if (result <= 0 || !is_draining())
        return result;
    for (nfds_t index = 0; index < count; index++) {
        if (entries[index].fd < 0 || (entries[index].revents & POLLIN) == 0
            || listener_behind(entries[index].fd) < 0)
            continue;
        entries[index].revents = 0;
        left--;
    }
    return left > 0 ? left : events_hidden;
}

static int clear_listeners(int limit, fd_set *set) {
    int cleared = 0;
    /* Sets may be longer than fd_set (select(2)), and FD_ISSET may check that. */
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
    if (is_draining())
        clear_listeners(limit, set);
}

int hide_result(int limit, fd_set *set, int result) {
    if (result <= 0 || !is_draining())
        return result;
    result -= clear_listeners(limit, set);
    return result > 0 ? result : events_hidden;
}

static size_t set_size(int limit) {
    size_t bits = 8 * sizeof(long);
    return ((size_t)limit + bits - 1) / bits * sizeof(long);
}

static bool is_kept(int limit) {
    return page_is_open() && limit > 0 && limit <= FD_SETSIZE;
}

static void copy_set(fd_set *to, const fd_set *from, int limit) {
    if (to != NULL && from != NULL)
        memcpy(to, from, set_size(limit));
}

void keep_sets(
    struct asked_sets *asked, int limit, const fd_set *reads, const fd_set *writes,
    const fd_set *errors) {
    if (!is_kept(limit))
        return;
    copy_set(&asked->reads, reads, limit);
    copy_set(&asked->writes, writes, limit);
    copy_set(&asked->errors, errors, limit);
}

bool restore_sets(
    const struct asked_sets *asked, int limit, fd_set *reads, fd_set *writes, fd_set *errors) {
    if (!is_kept(limit))
        return false;
    copy_set(reads, &asked->reads, limit);
    copy_set(writes, &asked->writes, limit);
    copy_set(errors, &asked->errors, limit);
    return true;
}
