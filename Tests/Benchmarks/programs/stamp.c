/* stamp [FILE]: the trivial worker. Adds a record to FILE (default $STAMP_FILE) when it runs, and
 * sleeps until a signal ends it. A record is three numbers of 64 bits: the process, the nanoseconds
 * of the monotonic clock, and the kind (0: runs). */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const char *path = argc > 1 ? argv[1] : getenv("STAMP_FILE");
    uint64_t nanoseconds = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    uint64_t record[3] = {(uint64_t)getpid(), nanoseconds, 0};
    int file = open(path ? path : "", O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || write(file, record, sizeof record) != sizeof record)
        err(1, "%s", path ? path : "STAMP_FILE");
    close(file);
    for (;;)
        pause();
}
