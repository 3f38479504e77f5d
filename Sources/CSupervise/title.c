#define _GNU_SOURCE
#include "title.h"

#include <string.h>
#include <unistd.h>

// The kernel shows the memory in which execve(2) stored the arguments (proc_pid_cmdline(5)).
// Showing other memory (PR_SET_MM of prctl(2)) needs a capability or a kernel option that many
// containers lack, so the arguments are overwritten.
static char *area;
static size_t room;
static char **arguments;
static int argument_count;

// glibc passes the arguments of main to constructors. The arguments are contiguous, followed by the
// environment.
__attribute__((constructor)) static void remember(int argc, char **argv) {
    if (argc < 1 || !argv || !argv[0])
        return;
    arguments = argv;
    argument_count = argc;
    char *end = argv[0];
    for (int i = 0; i < argc && argv[i] == end; i++)
        end += strlen(end) + 1;
    area = argv[0];
    room = (size_t)(end - area);
}

char **csupervise_arguments(int *count) {
    *count = argument_count;
    return arguments;
}

char **csupervise_environment(void) {
    return environ;
}

size_t csupervise_set_title(const char *title, size_t size) {
    if (room == 0)
        return 0;
    // The last byte stays 0; otherwise the kernel would treat the environment as the end of the
    // title.
    if (size > room - 1)
        size = room - 1;
    memcpy(area, title, size);
    memset(area + size, 0, room - size);
    return size;
}
