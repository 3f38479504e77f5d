// What ps(1) shows of this process.
#ifndef CSUPERVISE_TITLE_H
#define CSUPERVISE_TITLE_H

#include <stddef.h>

// Writes `size` bytes over the arguments, as far as there is room; the variables behind them stay.
// How many found room. Pointers into argv are no arguments from then on.
size_t csupervise_set_title(const char *title, size_t size);

// The arguments that the process was started with, or NULL where the C library does not give them to
// constructors; and its environment (environ(7)).
char **csupervise_arguments(int *count);
char **csupervise_environment(void);

#endif
