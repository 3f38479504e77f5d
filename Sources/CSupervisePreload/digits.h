#ifndef SUPERVISE_PRELOAD_DIGITS_H
#define SUPERVISE_PRELOAD_DIGITS_H

/* Decimal numbers. The libc functions for them may allocate and are not async-signal-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { digits_limit = 20 };

/* Reads digits at *text and advances it past them. Returns false if there are none or too many. */
bool digits_read(const char **text, uint64_t *number);

/* Writes the digits, at most digits_limit and without a NUL. Returns their number. */
size_t digits_write(char *text, uint64_t number);

#endif
