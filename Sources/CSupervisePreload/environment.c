#define _GNU_SOURCE
#include "environment.h"

#include "digits.h"

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

bool environment_worker(uint64_t *pid) {
    const char *text = environment_value("LISTEN_PID");
    /* Without announced listeners, the master sets SUPERVISE_WORKER_PID and not LISTEN_PID. */
    if (text == NULL)
        text = environment_value("SUPERVISE_WORKER_PID");
    return text != NULL && digits_read(&text, pid) && *text == '\0';
}
