#ifndef SUPERVISE_PRELOAD_LISTENERS_H
#define SUPERVISE_PRELOAD_LISTENERS_H

/* The listeners that this process inherited from the master, as named in the environment, and the
 * identification of any descriptor as one of them.
 *
 * A listener is identified by its socket's inode, which is read from the kernel each time. Numbers
 * are closed, reused, duplicated and passed to other processes, partly without libc, so recorded
 * numbers are not reliable. known.h has the one exception, for speed. */

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

struct file_identity {
    dev_t device;
    ino_t inode;
};

struct listener {
    /* The number under which it was last found; -1 if another file had its number at the start. */
    int number;
    /* Its number in the worker, whatever file this process has there. */
    int first_number;
    ino_t inode;
    /* Whether it listens only once a worker calls listen(). */
    bool is_on_demand;
    /* Whether the address is known. It can be read only from a descriptor. */
    bool is_known;
    union socket_address address;
    socklen_t address_length;
    /* Whether a `::` accepts no IPv4 connections (ipv6(7)). */
    bool is_v6_only;
    /* The file of a unix socket, if it was found. */
    bool has_file;
    struct file_identity file;
    /* The file that replaces it at the same path, if it is named in the environment. */
    struct file_identity shown_file;
};

extern struct listener listeners[listener_limit];
extern int listener_count;
/* Whether any of them has a path in the file system. */
extern bool listeners_have_paths;

/* Reads SUPERVISE_WORKER_LISTENERS, `3:INODE,4:INODE@DEVICE/INODE,6:INODE+`. The second pair is the
 * file of a unix socket that is not at its path yet. `+` marks a listener on demand. */
void listeners_open(void);

/* Records that the listener now has this number. */
void listener_found(int index, int number);

/* Returns the listener that this descriptor refers to, or -1. Preserves errno. */
int listener_behind(int fd);

/* Returns whether this listener, with the descriptor `fd`, accepts connections. One on demand does
 * not at first. */
bool listener_listens(int index, int fd);

/* Returns whether this listener's path is in the file system and not in the abstract namespace. */
bool listener_has_path(const struct listener *listener);

#endif
