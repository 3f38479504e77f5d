#ifndef SUPERVISE_PRELOAD_EPOLLSETS_H
#define SUPERVISE_PRELOAD_EPOLLSETS_H

/* The registrations of a file in the epoll sets of this process (proc_pid_fdinfo(5)).
 *
 * They are read from the kernel when they are needed, which is rare. So no epoll_ctl(2) call has to
 * be recorded, and registrations made before a fork(2), through another descriptor or by a direct
 * system call are found as well. */

#include <stdbool.h>
#include <stdint.h>

struct registration {
    /* The descriptor of the epoll set. */
    int set;
    /* The descriptor that was registered. The registration's key is this number and the file. */
    int number;
    uint32_t events;
    uint64_t data;
};

/* Finds the registrations of the file behind `fd`, at most `limit`. Returns their number, or -1 if
 * they cannot be read. */
int epollsets_find(int fd, struct registration *found, int limit);

/* Removes a registration of the file behind `fd`. Returns false if the removal failed. */
bool epollsets_remove(const struct registration *registration, int fd);

/* Registers the file behind `registration->number` with the same events and data. */
void epollsets_add(const struct registration *registration);

#endif
