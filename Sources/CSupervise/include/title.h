// The title of this process in ps(1).
#ifndef CSUPERVISE_TITLE_H
#define CSUPERVISE_TITLE_H

#include <stddef.h>

// Overwrites the arguments with up to `size` bytes; the environment after them is unchanged.
// Returns the number of bytes written. Pointers into argv are invalid after this.
size_t csupervise_set_title(const char *title, size_t size);

// The arguments that the process was started with, or NULL if the C library does not pass them to
// constructors; and its environment (environ(7)).
char **csupervise_arguments(int *count);
char **csupervise_environment(void);

#endif
