#ifndef SUPERVISE_PRELOAD_SETTINGS_H
#define SUPERVISE_PRELOAD_SETTINGS_H

#include <stdbool.h>

/* Whether binds are answered with our listeners (SUPERVISE_WORKER_ADOPT). Off in every program that
 * is no worker, which then has libc's functions and nothing else. */
extern bool is_adopting;

#endif
