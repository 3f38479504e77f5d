/* launch FILE COMMAND...: adds a record with kind 2 to FILE (see stamp.c), then executes the
 * command. The measured start then excludes the time that a Python program needs to start a
 * process. */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3)
        errx(2, "launch FILE COMMAND...");
    int file = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t nanoseconds = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    uint64_t record[3] = {(uint64_t)getpid(), nanoseconds, 2};
    if (file < 0 || write(file, record, sizeof record) != sizeof record)
        err(1, "%s", argv[1]);
    execvp(argv[2], argv + 2);
    err(1, "%s", argv[2]);
}
