#ifndef SUPERVISE_PRELOAD_EPOLLSETS_H
#define SUPERVISE_PRELOAD_EPOLLSETS_H

/* The registrations of a file in this process's epoll sets (proc_pid_fdinfo(5)).
 *
 * They are read from the kernel when they are needed, which is seldom. Nothing has to be remembered
 * at each epoll_ctl(2), and registrations made before a fork(2), through another descriptor or by a
 * system call of the program's own are found too. */

#include <stdbool.h>
#include <stdint.h>

struct registration {
    /* The descriptor of the epoll set. */
    int set;
    /* The descriptor that was registered: with the file, it is the key of the registration. */
    int number;
    uint32_t events;
    uint64_t data;
};

/* Finds the registrations of the file behind `fd`, `limit` at most. Returns how many, or -1 if they
 * cannot be read. */
int epollsets_find(int fd, struct registration *found, int limit);

/* Removes a registration of the file behind `fd`. Returns false if it is still there. */
bool epollsets_remove(const struct registration *registration, int fd);

/* Registers the file behind `registration->number` with the same events and data. */
void epollsets_add(const struct registration *registration);

#endif
