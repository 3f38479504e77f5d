/* server PORT KIND [N]: a server as one writes it, which knows nothing of a supervisor. It answers
 * each connection and closes it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener;

static void answer(int connection) {
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello\n";
    char request[4096];
    if (read(connection, request, sizeof request) > 0
        && write(connection, text, sizeof text - 1) < 0)
        warn("write");
    close(connection);
}

static void *serve(void *unused) {
    (void)unused;
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            err(1, "accept");
        answer(connection);
    }
}

static void serve_by_number(void) {
    for (int turn = 0;; turn++) {
        int connection = turn % 2 == 0
            ? (int)syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC)
            : (int)syscall(SYS_accept, listener, NULL, NULL);
        if (connection < 0)
            err(1, "syscall");
        answer(connection);
    }
}

static void serve_by_epoll(void) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        err(1, "epoll");
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) != 1)
            err(1, "epoll_wait");
        int connection;
        /* Until there is none: frozen here for ever if the listener blocks. */
        while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
            answer(connection);
        if (errno != EAGAIN)
            err(1, "accept4");
    }
}

int main(int argc, char **argv) {
    const char *kind = argv[2];
    int count = argc > 3 ? atoi(argv[3]) : 0;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(argv[1])),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    long result = strcmp(kind, "number") == 0
        ? syscall(SYS_bind, listener, &address, sizeof address)
        : bind(listener, (struct sockaddr *)&address, sizeof address);
    if (result != 0)
        err(1, "bind");
    if (listen(listener, 5) != 0)
        err(1, "listen");

    if (strcmp(kind, "number") == 0)
        serve_by_number();
    if (strcmp(kind, "epoll") == 0) {
        fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
        serve_by_epoll();
    }
    for (int i = 0; i < count && strcmp(kind, "fork") == 0; i++) {
        if (fork() == 0)
            serve(NULL);
    }
    pthread_t thread;
    for (int i = 0; i < count && strcmp(kind, "threads") == 0; i++)
        pthread_create(&thread, NULL, serve, NULL);
    if (strcmp(kind, "fork") == 0)
        while (wait(NULL) > 0)
            continue;
    serve(NULL);
}
