#define _GNU_SOURCE
#include "environment.h"

#include <string.h>
#include <unistd.h>

const char *environment_value(const char *name) {
    size_t length = strlen(name);
    if (environ == NULL)
        return NULL;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    }
    return NULL;
}

bool environment_is_on(const char *name) {
    const char *value = environment_value(name);
    return value != NULL && strcmp(value, "1") == 0;
}

bool read_number(const char **text, uint64_t *number) {
    const char *next = *text;
    uint64_t value = 0;
    while (*next >= '0' && *next <= '9') {
        if (__builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, (uint64_t)(*next - '0'), &value))
            return false;
        next++;
    }
    if (next == *text)
        return false;
    *text = next;
    *number = value;
    return true;
}
