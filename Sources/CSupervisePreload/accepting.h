#ifndef SUPERVISE_PRELOAD_ACCEPTING_H
#define SUPERVISE_PRELOAD_ACCEPTING_H

/* accept(2) as the program expects it, with what comes in on our listeners counted. */

#include <sys/socket.h>

/* What the program called. */
enum accept_call { accept_plain, accept_with_flags, accept_by_number, accept4_by_number };

/* From here on connections are counted. */
void accept_count(void);

int accept_next(
    enum accept_call call, int fd, struct sockaddr *address, socklen_t *length, int flags);

#endif
