#ifndef SUPERVISE_PRELOAD_H
#define SUPERVISE_PRELOAD_H

/* libsupervise-preload.so makes a worker of a program that knows nothing of us (ld.so(8),
 * LD_PRELOAD). Nothing is called in it; its interface is the environment:
 *
 *     SUPERVISE_WORKER_LISTENERS=3:INODE,4:INODE
 *         the inherited listeners, 64 at most, each with its socket's inode (fstat(2)), so that
 *         another file under the same number in a grandchild is not taken for it. `5:INODE+` is bound
 *         and listens from when a process calls listen() on it
 *     SUPERVISE_WORKER_ADOPT=1
 *         bind() of a stream socket to an address that a listener holds is answered with that
 *         listener, in the epoll sets of the program too; listen() on it succeeds and does nothing,
 *         and so do the removal of its socket file and changes to that file's mode and owner;
 *         shutdown() ends it for this process alone; the blocking mode is what the program set,
 *         whatever the other workers want. A listener that this process lacks is asked for:
 *         `X_LISTENER=INODE` to $NOTIFY_SOCKET. So is one that differs from the address in its
 *         family alone; `X_ALSO_BINDS=ADDRESS` tells of that
 *     SUPERVISE_WORKER_COUNT=1
 *         accept() and accept4() on a listener count on the page, and the one that reaches the
 *         limit sends `X_CONNECTIONS=<total>` to $NOTIFY_SOCKET
 *     SUPERVISE_WORKER_PAGE=N, SUPERVISE_WORKER_ID=NONCE
 *         the page's descriptor, and the nonce that must stand on it
 *
 * With neither of the two switched on nothing is done at all. With either, a USR1, USR2 or HUP that
 * comes from outside the service does not end a program that handles none of them. What the library
 * cannot see: system calls made past libc (static programs, Go, io_uring(7)). A program that binds
 * `::` for both families gets one listener; with two on the same port, the one for IPv6. */

#endif
