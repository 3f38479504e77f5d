#ifndef SUPERVISE_PRELOAD_MODE_H
#define SUPERVISE_PRELOAD_MODE_H

/* The blocking mode that this program expects of its listeners.
 *
 * O_NONBLOCK belongs to the open file description (fcntl(2)), which all workers share. A program
 * that expects accept() to return immediately would hang on a blocking description, so the flag is
 * set if any program requests it and is never cleared. If a program expects accept() to wait, the
 * library waits with poll(2), and fcntl() reports the mode that the program set.
 *
 * The mode is kept per listener, not per descriptor: duplicates share it as they would share the
 * flag, however they were made. A child of fork(2) inherits it. An executed program starts with the
 * mode of the descriptor. */

#include <stdbool.h>
#include <time.h>

/* Reads the mode of the inherited listeners. */
void mode_begin(void);

/* Attaches a program's socket of this mode to this listener, which has the descriptor `fd`. */
void mode_attach(int listener, int fd, bool is_nonblocking);

/* Returns the result of fcntl(fd, F_GETFL) for the program if the kernel returned `flags`. */
int mode_flags(int fd, int flags);

/* Records that the program made the descriptor non-blocking. */
void mode_became_nonblocking(int fd);

/* Replaces making a listener blocking. Returns true if `fd` is a listener, and then no system call
 * is needed. */
bool mode_keep_nonblocking(int fd);

/* Returns whether the program expects accept() on any listener to wait. */
bool mode_may_wait(void);

/* The deadline of a wait; all zero at first. */
struct patience {
    bool is_set;
    struct timespec end;
};

/* Must be called after accept() has failed with EAGAIN. Waits if the program expects that. Returns
 * true if accept() must be retried. Returns false if it must fail with the current errno, EAGAIN or
 * EINTR. */
bool mode_wait(int fd, struct patience *patience);

/* Returns whether the program expects accept() on this descriptor to wait for a connection. */
bool mode_expects_to_wait(int fd);

/* Makes accept() on this listener find nothing, whatever its queue contains. accept() must fail
 * with the current errno, after the time that the program expects it to wait. Returns true if the
 * descriptor now refers to another file, and accept() must be retried. */
bool mode_find_nothing(int fd);

/* Waits this long in place of accept(2). Returns false with EINTR if accept(2) would be interrupted. */
bool mode_pause(int milliseconds);

#endif
