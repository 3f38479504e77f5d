#ifndef SUPERVISE_PRELOAD_DESCRIPTORS_H
#define SUPERVISE_PRELOAD_DESCRIPTORS_H

/* The numbered entries of a folder in /proc: this process's descriptors or threads.
 *
 * Read with system calls alone: opendir(3) would allocate, and the callers may run in a signal
 * handler. */

#include <stdbool.h>

enum visit { visit_continue, visit_stop };

/* Calls `visit` for each number in the folder, until it returns visit_stop. Returns false if the
 * folder could not be read to its end. The descriptor that reads the folder is not visited. */
bool numbers_visit(const char *folder, enum visit (*visit)(int number, void *context), void *context);

/* The same for the descriptors of this process. */
bool descriptors_visit(enum visit (*visit)(int fd, void *context), void *context);

/* Writes "PREFIX" NUMBER "SUFFIX" and a NUL to `path`, which has room for both and digits_limit. */
void numbered_path(char *path, const char *prefix, int number, const char *suffix);

/* The number of threads in this process; at least 1. */
int threads_count(void);

#endif
