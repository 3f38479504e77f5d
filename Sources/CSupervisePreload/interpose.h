#ifndef SUPERVISE_PRELOAD_INTERPOSE_H
#define SUPERVISE_PRELOAD_INTERPOSE_H

/* The functions that stand in front of libc's, under its names (ld.so(8), LD_PRELOAD). The names are
 * given to the assembler: libc's headers declare some of them in ways of their own.
 *
 * Each decides quickly whether the call concerns a listener or a connection of ours, and hands all others
 * on with errno as it is. */
#define IN_FRONT_OF(name) __asm__(name) __attribute__((visibility("default")))

#endif
