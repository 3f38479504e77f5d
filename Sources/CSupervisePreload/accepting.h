#ifndef SUPERVISE_PRELOAD_ACCEPTING_H
#define SUPERVISE_PRELOAD_ACCEPTING_H

/* Replaces accept(2). Counts and observes the connections that arrive on our listeners. */

#include <sys/socket.h>

/* The function that the program called. */
enum accept_call { accept_plain, accept_with_flags, accept_by_number, accept4_by_number };

int accept_next(
    enum accept_call call, int fd, struct sockaddr *address, socklen_t *length, int flags);

#endif
