#ifndef CSUPERVISE_OUTPUT_H
#define CSUPERVISE_OUTPUT_H

#include "child.h"

// The stdout and stderr of a child, between fork and exec. Both return 0, or -1 with errno.

// Makes the descriptor 1 and 2.
int csupervise_replace_output(int descriptor);

// Opens the output file of the start as 1 and 2.
int csupervise_open_output(const struct csupervise_start *start);

#endif
