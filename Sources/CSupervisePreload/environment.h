#ifndef SUPERVISE_PRELOAD_ENVIRONMENT_H
#define SUPERVISE_PRELOAD_ENVIRONMENT_H

/* The variables of the worker contract. They are read in place and not copied, so a pointer is
 * valid only until the program changes its environment (environ(7)). */

#include <stdbool.h>
#include <stdint.h>

/* Returns the value of a variable, or NULL. */
const char *environment_value(const char *name);

/* Returns whether the variable is exactly `1`. */
bool environment_is_on(const char *name);

/* Reads the pid of the worker: this process or the ancestor that is the worker. Returns false if
 * the environment does not contain it. */
bool environment_worker(uint64_t *pid);

#endif
