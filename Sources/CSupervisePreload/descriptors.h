#ifndef SUPERVISE_PRELOAD_DESCRIPTORS_H
#define SUPERVISE_PRELOAD_DESCRIPTORS_H

/* The numbered entries of a directory in /proc: the descriptors or threads of this process.
 *
 * They are read with system calls only: opendir(3) would allocate, and the callers may run in a
 * signal handler. */

#include <stdbool.h>

enum visit { visit_continue, visit_stop };

/* Calls `visit` for each number in the directory, until it returns visit_stop. Returns false if
 * the directory could not be read to its end. The descriptor that reads the directory is not
 * visited. */
bool numbers_visit(
    const char *folder, enum visit (*visit)(int number, void *context), void *context);

/* Calls `visit` for each descriptor of this process, as numbers_visit(). */
bool descriptors_visit(enum visit (*visit)(int fd, void *context), void *context);

/* Writes "PREFIX" NUMBER "SUFFIX" and a NUL to `path`, which must have room for both and
 * digits_limit. */
void numbered_path(char *path, const char *prefix, int number, const char *suffix);

/* The number of threads that the library itself has started. */
extern int own_threads;

/* Returns the number of threads of the program in this process; at least 1. */
int threads_count(void);

#endif
