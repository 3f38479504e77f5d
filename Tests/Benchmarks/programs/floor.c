/* floor spawn|fork WORKERS COMMAND...: a minimal supervisor. Starts this many processes by
 * posix_spawn(3), or by fork and exec, and restarts each that ends, without limit. */
#define _GNU_SOURCE
#include <err.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int forks;

static void start(char **command) {
    pid_t pid;
    if (!forks) {
        if (posix_spawn(&pid, command[0], NULL, NULL, command, environ) != 0)
            errx(1, "cannot start %s", command[0]);
        return;
    }
    pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        execv(command[0], command);
        _exit(127);
    }
}

int main(int argc, char **argv) {
    if (argc < 4)
        errx(2, "floor spawn|fork WORKERS COMMAND...");
    forks = strcmp(argv[1], "fork") == 0;
    for (int i = 0; i < atoi(argv[2]); i++)
        start(argv + 3);
    for (;;) {
        if (wait(NULL) < 0)
            err(1, "wait");
        start(argv + 3);
    }
}
