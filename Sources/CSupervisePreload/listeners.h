#ifndef SUPERVISE_PRELOAD_LISTENERS_H
#define SUPERVISE_PRELOAD_LISTENERS_H

/* The master's listeners that this process inherited, as the environment names them, and how any
 * descriptor is known to be one of them.
 *
 * A listener is known by its socket's inode, asked of the kernel each time. Numbers are closed,
 * reused, duplicated, and passed to other processes, partly past libc, so what is remembered about a
 * number cannot be relied on. The one exception, for speed, is in known.h. */

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { listener_limit = 64 };

union socket_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage largest;
};

struct listener {
    /* Where it was found last; -1 when something else was there at the start. */
    int number;
    /* Its number in the worker, whatever this process has there. */
    int first_number;
    ino_t inode;
    /* Whether it does not listen before a worker does. */
    bool is_on_demand;
    /* Whether the address is known: it can be asked of a descriptor alone. */
    bool is_known;
    union socket_address address;
    socklen_t address_length;
    /* A `::` that takes no IPv4 connections (ipv6(7)). */
    bool is_v6_only;
    /* The file of a unix socket, when it could be found. */
    bool has_file;
    dev_t file_device;
    ino_t file_inode;
};

extern struct listener listeners[listener_limit];
extern int listener_count;
/* Whether any of them has a path in the file system. */
extern bool listeners_have_paths;

/* Reads SUPERVISE_WORKER_LISTENERS, `3:INODE,5:INODE+`; the sign is for one on demand. */
void listeners_open(void);

/* The listener is under this number from now on. */
void listener_found(int index, int number);

/* Which listener this descriptor is, or -1. Leaves errno alone. */
int listener_behind(int fd);

/* Whether this listener, of which `fd` is a descriptor, takes connections; one on demand begins as none. */
bool listener_listens(int index, int fd);

/* Whether the path of this listener's address is in the file system, not in the abstract
 * namespace. */
bool listener_has_path(const struct listener *listener);

#endif
