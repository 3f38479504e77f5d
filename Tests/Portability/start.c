// Starts /bin/sh with descriptors 3 and 4, and checks its environment.
#include "child.h"
#include "kernel.h"
#include "messages.h"
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno));   \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static char stack[1 << 16] __attribute__((aligned(16)));

static int start(char *script, int *status) {
    int ends[2], failure[2];
    CHECK(csupervise_pipe(ends) == 0 && csupervise_pipe(failure) == 0);
    char *candidates[] = {"/no/such/sh", "/bin/sh", NULL};
    char *arguments[] = {"sh", "-c", script, NULL};
    char entry[32] = "LISTEN_PID=0000000000";
    char *environment[] = {entry, NULL};
    int32_t descriptors[] = {ends[1], ends[1]}, moved[2];
    struct csupervise_start plan = {
        .candidates = candidates,
        .arguments = arguments,
        .environment = environment,
        .listen_pid = entry + strlen("LISTEN_PID="),
        .descriptors = descriptors,
        .moved = moved,
        .descriptor_count = 2,
        .filter_channel = -1,
        .ignored_signals = csupervise_ignored_signals(),
        // The child has its own memory, because an emulator does not share it.
        .error_descriptor = failure[1],
    };
    int32_t process = -1;
    int pid = csupervise_start_child(&plan, stack + sizeof stack, &process);
    if (pid == -EINVAL) {
        fprintf(stderr, "CLONE_PIDFD is not emulated: starting a process is not tested\n");
        *status = 0;
        return 0;
    }
    CHECK(pid > 0);
    close(ends[1]);
    CHECK(csupervise_wait_blocking(pid) == 0 || errno == ECHILD);
    char text[64] = {0}, expected[64];
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    snprintf(expected, sizeof expected, "%d\n", pid);
    *status = strcmp(text, expected);
    return 0;
}

static int pass_message(void) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    int32_t sent[] = {0, 1}, received[csupervise_message_descriptors];
    uint32_t count = 0;
    CHECK(csupervise_send_message(ends[0], "text", 4, sent, 2, 1) == 4);
    char text[8];
    CHECK(csupervise_receive_message(ends[1], text, sizeof text, received, &count, 1) == 4);
    CHECK(count == 2 && memcmp(text, "text", 4) == 0);
    return 0;
}

static int seal_memory(void) {
    int memory = csupervise_memory_file("page", 4096);
    CHECK(memory >= 0 && csupervise_seal_memory(memory) == 0);
    CHECK(ftruncate(memory, 8192) != 0 && errno == EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0) != MAP_FAILED);
    return 0;
}

int main(void) {
    int status = 1;
    signal(SIGHUP, SIG_IGN);
    CHECK(start("test -e /proc/self/fd/3 && echo \"$LISTEN_PID\" >&4", &status) == 0);
    CHECK(status == 0);
    CHECK(pass_message() == 0 && seal_memory() == 0);
    return 0;
}
