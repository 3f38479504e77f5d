#ifndef SUPERVISE_PRELOAD_MODE_H
#define SUPERVISE_PRELOAD_MODE_H

/* The blocking mode that this program believes its listeners to have.
 *
 * O_NONBLOCK belongs to the open file description (fcntl(2)), which all workers share. One that
 * expects accept() to return at once is frozen by a description that blocks, so the flag is set where
 * any program wants it and is never cleared. A program that expects accept() to wait gets that by
 * poll(2), and fcntl() tells it what it expects to read.
 *
 * What is expected is kept for each listener, not for each descriptor: duplicates share it, as they
 * would share the flag, however they were made. The child of fork(2) takes its copy along; a program
 * that is executed begins with the mode that the descriptor has. */

#include <stdbool.h>
#include <time.h>

/* Takes the mode that the inherited listeners have. */
void mode_begin(void);

/* The program's socket of this mode becomes this listener, of which `fd` is a descriptor. */
void mode_adopt(int listener, int fd, bool is_nonblocking);

/* What fcntl(fd, F_GETFL) is to tell when the kernel says `flags`. */
int mode_flags(int fd, int flags);

/* The descriptor was made non-blocking. */
void mode_became_nonblocking(int fd);

/* Instead of making a listener blocking: true when `fd` is one, and nothing else is to be done. */
bool mode_keep_nonblocking(int fd);

/* Whether the program expects accept() on any listener to wait. */
bool mode_may_wait(void);

/* The end of a wait that is under way; all zero at first. */
struct patience {
    bool is_set;
    struct timespec end;
};

/* After accept() has failed with EAGAIN: waits when the program expects that. True: try again;
 * false: accept() is to fail with errno as it is then, EAGAIN or EINTR. */
bool mode_wait(int fd, struct patience *patience);

/* Whether the program expects accept() on this descriptor to wait for a connection. */
bool mode_expects_to_wait(int fd);

/* accept() on this listener is to find nothing, whatever is in its queue: it fails with errno as it
 * is then, after the time for which the program expects it to wait. True: the descriptor is something
 * else now, and accept() is to be tried. */
bool mode_find_nothing(int fd);

#endif
