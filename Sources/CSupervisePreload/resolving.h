#ifndef SUPERVISE_PRELOAD_RESOLVING_H
#define SUPERVISE_PRELOAD_RESOLVING_H

/* Returns the function of this name in the first library that was loaded after this one, or NULL if
 * there is none (dlsym(3), RTLD_NEXT). */
void *resolve_next(const char *name);

/* Does the same without the dynamic loader. */
void *resolve_next_by_walking(const char *name);

#endif
