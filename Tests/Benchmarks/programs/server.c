/* server PORT accept: accepts and closes connections as fast as it can. server PORT answer: also
 * reads a request and answers it. At SIGTERM it writes the processor time since the first
 * connection, in nanoseconds. */
#define _GNU_SOURCE
#include <err.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long start;

static long long used(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000000000LL + used.tv_nsec;
}

static void finish(int number) {
    (void)number;
    dprintf(1, "%lld\n", used() - start);
    _exit(0);
}

static void answer(int connection) {
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello\n";
    char request[4096];
    if (read(connection, request, sizeof request) <= 0
        || write(connection, text, sizeof text - 1) < 0)
        warn("connection");
}

int main(int argc, char **argv) {
    if (argc != 3)
        errx(2, "server PORT accept|answer");
    int answers = strcmp(argv[2], "answer") == 0;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(argv[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        err(1, "bind");
    if (listen(listener, 1024) != 0)
        err(1, "listen");
    signal(SIGTERM, finish);
    for (;;) {
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            err(1, "accept4");
        if (answers)
            answer(connection);
        close(connection);
        if (start == 0)
            start = used();
    }
}
