/* Compares what the library finds without dlsym() with what dlsym() finds, for each name given. */
#include "../../../Sources/CSupervisePreload/resolving.c"

#include <stdio.h>

int main(int count, char **names) {
    for (int index = 1; index < count; index++) {
        void *expected = dlsym(RTLD_NEXT, names[index]);
        void *found = resolve_next_by_walking(names[index]);
        if (found != expected) {
            fprintf(stderr, "%s: %p, not %p\n", names[index], found, expected);
            return 1;
        }
    }
    return 0;
}
