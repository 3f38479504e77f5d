// What ps(1) shows of this process.
#ifndef CSUPERVISE_TITLE_H
#define CSUPERVISE_TITLE_H

#include <stddef.h>

// Writes `size` bytes over the arguments, as far as there is room; the variables behind them stay.
// How many found room. Pointers into argv are no arguments from then on.
size_t csupervise_set_title(const char *title, size_t size);

#endif
