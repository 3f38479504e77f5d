#ifndef SUPERVISE_PRELOAD_INTERPOSE_H
#define SUPERVISE_PRELOAD_INTERPOSE_H

/* The functions that interpose libc's, under its names (ld.so(8), LD_PRELOAD). The assembler gets
 * the names, because libc's headers declare some of them differently.
 *
 * Each decides quickly whether the call concerns a listener or a connection of ours, and passes all
 * others on with errno unchanged. */
#define IN_FRONT_OF(name) __asm__(name) __attribute__((visibility("default")))

#endif
