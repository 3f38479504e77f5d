#ifndef SUPERVISE_PRELOAD_DIGITS_H
#define SUPERVISE_PRELOAD_DIGITS_H

/* Decimal numbers. libc's functions for them may allocate, and are not async-signal-safe. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { digits_limit = 20 };

/* Reads digits from *text on and moves it behind them; false when there are none, or too many. */
bool digits_read(const char **text, uint64_t *number);

/* Writes the digits, digits_limit at most and without a NUL; tells how many. */
size_t digits_write(char *text, uint64_t number);

#endif
