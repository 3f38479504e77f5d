#ifndef SUPERVISE_PRELOAD_NEXT_H
#define SUPERVISE_PRELOAD_NEXT_H

/* The functions that ours stand in front of: libc's, or those of another preloaded library, which
 * must have its turn too (dlsym(3), RTLD_NEXT).
 *
 * Until the constructor has run they are plain system calls, since constructors of other libraries
 * run before ours and may call any of these. Written once, before the program starts. */

#include <sys/socket.h>

struct next_functions {
    int (*bind)(int, const struct sockaddr *, socklen_t);
    int (*listen)(int, int);
    int (*accept)(int, struct sockaddr *, socklen_t *);
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    int (*shutdown)(int, int);
    int (*fcntl)(int, int, ...);
    int (*fcntl64)(int, int, ...);
    int (*ioctl)(int, unsigned long, ...);
    int (*unlink)(const char *);
    int (*unlinkat)(int, const char *, int);
    int (*remove)(const char *);
    int (*rename)(const char *, const char *);
    int (*renameat)(int, const char *, int, const char *);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    long (*syscall)(long, ...);
};

extern struct next_functions next;

void next_resolve(void);

#endif
