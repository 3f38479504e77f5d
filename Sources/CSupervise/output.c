#define _GNU_SOURCE
#include "output.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int csupervise_replace_output(int descriptor) {
    if (dup2(descriptor, STDOUT_FILENO) < 0)
        return -1;
    return dup2(descriptor, STDERR_FILENO) < 0 ? -1 : 0;
}

// A file that cannot be renamed keeps growing, which is better than a worker that does not start.
static void rotate_output(char *const *files) {
    int last = 0;
    while (files[last + 1])
        last++;
    if (last == 0)
        unlink(files[0]);
    for (; last > 0; last--)
        rename(files[last - 1], files[last]);
}

// As the worker's user. Descriptor 1 is closed first: a restored RLIMIT_NOFILE may leave no other
// number. Without O_NONBLOCK, a FIFO without a reader would block the child, and the parent that
// waits for it. A symbolic link could have been created by another user.
int csupervise_open_output(const struct csupervise_start *start) {
    char *const *files = start->output_files;
    struct stat status;
    if (lstat(files[0], &status) == 0 && S_ISREG(status.st_mode) &&
        (uint64_t)status.st_size >= start->output_file_bytes)
        rotate_output(files);
    close(STDOUT_FILENO);
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
    int file = open(files[0], flags, 0640);
    if (file < 0 || fcntl(file, F_SETFL, O_APPEND) != 0)
        return -1;
    return csupervise_replace_output(file);
}
