#ifndef SUPERVISE_PRELOAD_RESOLVING_H
#define SUPERVISE_PRELOAD_RESOLVING_H

/* The function of this name in the first library that was loaded after this one; NULL if there is
 * none (dlsym(3), RTLD_NEXT). */
void *resolve_next(const char *name);

/* The same without the dynamic loader's help. */
void *resolve_next_by_walking(const char *name);

#endif
