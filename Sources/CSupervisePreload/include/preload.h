#ifndef SUPERVISE_PRELOAD_H
#define SUPERVISE_PRELOAD_H

#include <stddef.h>
#include <stdint.h>

/* libsupervise-preload.so makes an unmodified program a worker (ld.so(8), LD_PRELOAD). It exports
 * one function for molds and two for hunted workers; its interface is the environment:
 *
 *     SUPERVISE_WORKER_LISTENERS=3:INODE,4:INODE
 *         the inherited listeners, at most 64, each with its socket's inode (fstat(2)), so that
 *         another file with the same number in a grandchild is not mistaken for it. `5:INODE+`
 *         is bound, and listens once a process calls listen() on it
 *     SUPERVISE_WORKER_ADOPT=1
 *         bind() of a stream socket to an address that a listener holds duplicates that listener
 *         onto the socket, including its epoll registrations. listen() on it succeeds and does
 *         nothing, and so do removing its socket file and changing that file's mode or owner.
 *         shutdown() ends it for this process only. The blocking mode is the one that the program
 *         set, regardless of the other workers. If this process lacks the listener, the library
 *         requests it: `X_LISTENER=INODE` to $NOTIFY_SOCKET. A listener that differs from the
 *         address only in its family is duplicated as well, and `X_ALSO_BINDS=ADDRESS` reports it
 *     SUPERVISE_WORKER_COUNT=1
 *         accept() and accept4() on a listener are counted on the page. The call that reaches the
 *         limit sends `X_CONNECTIONS=<total>` to $NOTIFY_SOCKET
 *     SUPERVISE_WORKER_PAGE=N, SUPERVISE_WORKER_ID=NONCE
 *         the page's descriptor, and the nonce that the page must contain
 *
 * If neither SUPERVISE_WORKER_ADOPT nor SUPERVISE_WORKER_COUNT is set, the library does nothing. If
 * either is set, a USR1, USR2 or HUP from outside the service does not terminate a program without
 * a handler for it. The library cannot intercept system calls that bypass libc (static programs,
 * Go, io_uring(7)). A program that binds `::` for both families gets one listener. If there are two
 * on that port, it gets the IPv6 one. */

/* Makes the calling process a worker by its present environment, as at the start of a program. A mold
 * calls it in a forked worker, which starts no program, once descriptors and environment are in place;
 * it is found by dlsym(3). In a process that is a worker already it does nothing. */
__attribute__((visibility("default"))) void supervise_worker_begin(void);

/* Returns the bytes of live objects after a collection that malloc(3) does not count, or -1 if nothing was
 * measured. It is called at the head of each request with the number of requests before it. */
typedef int64_t supervise_hunt_measure_function(uint32_t requests);

/* Registers the function of a runtime in a hunted worker; NULL ends that. Returns the record of the hunt, or
 * NULL if this worker is not hunted. */
__attribute__((visibility("default"))) struct supervise_hunt *supervise_hunt_begin(
    supervise_hunt_measure_function *function);

/* Stores a text of supervise_page.h's `traces`. */
__attribute__((visibility("default"))) void supervise_hunt_trace(
    int number, uint32_t requests, const char *text, size_t size);

#endif
