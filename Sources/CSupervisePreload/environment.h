#ifndef SUPERVISE_PRELOAD_ENVIRONMENT_H
#define SUPERVISE_PRELOAD_ENVIRONMENT_H

/* The variables of the worker contract, read where they lie: nothing is copied, and a pointer is
 * good only until the program changes its environment (environ(7)). */

#include <stdbool.h>
#include <stdint.h>

/* The value of a variable, or NULL. */
const char *environment_value(const char *name);

/* Whether the variable is exactly `1`. */
bool environment_is_on(const char *name);

/* The number of the worker that this process is or was started by; false where it is not told. */
bool environment_worker(uint64_t *pid);

#endif
