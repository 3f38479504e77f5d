// A server that knows nothing of its supervisor and opens its own socket.
//
//     static_server       answers with its pid, and has a datagram socket on the same port
//     static_server FILE  ends on no TERM; binds once FILE.go exists, writes the errno to FILE, ends
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_socket(int type, int port) {
    int number = socket(AF_INET, type, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    // Its siblings want it too.
    if (type == SOCK_DGRAM)
        setsockopt(number, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(number, (struct sockaddr *)&address, sizeof address) == 0)
        return number;
    int code = errno;
    fprintf(stderr, "static_server: bind: %s\n", strerror(code));
    errno = code;
    return -1;
}

static int bind_late(int port, const char *file) {
    char go[4096];
    snprintf(go, sizeof go, "%s.go", file);
    signal(SIGTERM, SIG_IGN);
    while (access(go, F_OK) != 0)
        usleep(5000);
    int code = open_socket(SOCK_STREAM, port) < 0 ? errno : 0;
    FILE *result = fopen(file, "w");
    fprintf(result, "%d\n", code);
    return fclose(result);
}

static void end(int unused) {
    (void)unused;
    _exit(0);
}

int main(int count, char **words) {
    // By the variable for Server::Starter, of which it takes nothing else: HOST:PORT=DESCRIPTOR.
    int port = 0;
    const char *place = getenv("SERVER_STARTER_PORT");
    if (!place || sscanf(place, "%*[^:]:%d", &port) != 1)
        return 3;
    if (count > 1)
        return bind_late(port, words[1]);
    int own = open_socket(SOCK_DGRAM, port);
    int listener = open_socket(SOCK_STREAM | SOCK_NONBLOCK, port);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (own < 0 || listener < 0 || listen(listener, 5) != 0)
        return 1;
    // Its own, on every host, and no listener of anybody's.
    if (getsockname(own, (struct sockaddr *)&address, &size) != 0 || address.sin_addr.s_addr != 0)
        return 2;
    // It ends on TERM, but never with a connection in its hands.
    sigset_t term, none;
    sigemptyset(&none);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    signal(SIGTERM, end);
    for (;;) {
        struct pollfd entry = {listener, POLLIN, 0};
        ppoll(&entry, 1, NULL, &none);
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        char text[4096];
        if (read(connection, text, sizeof text) > 0) {
            // Of a listener it is the limit of the accept queue.
            struct tcp_info info;
            socklen_t room = sizeof info;
            getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &room);
            char body[60];
            int length = snprintf(body, sizeof body, "pid %d, backlog %u\n", getpid(),
                                  info.tcpi_sacked);
            dprintf(connection,
                    "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Worker-Pid: %d\r\n"
                    "Connection: close\r\n\r\n%s",
                    length, getpid(), body);
        }
        close(connection);
    }
}
