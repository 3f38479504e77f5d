#ifndef SUPERVISE_PRELOAD_SETTINGS_H
#define SUPERVISE_PRELOAD_SETTINGS_H

#include <stdbool.h>

/* Whether binds get our listeners (SUPERVISE_WORKER_ADOPT). It is off in every program that is not
 * a worker, which then uses only libc's functions. */
extern bool is_adopting;

#endif
