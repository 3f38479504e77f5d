// A server with nothing but system calls' wrappers; says which process answered: on the port in its
// argument.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count < 2)
        return 2;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)atoi(arguments[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("bind");
        return 1;
    }
    if (listen(listener, 5) != 0) {
        perror("listen");
        return 1;
    }
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        char request[4096];
        ssize_t size = read(client, request, sizeof request);
        if (size > 0) {
            char body[32], answer[160];
            int length = snprintf(body, sizeof body, "pid %d\n", (int)getpid());
            int total = snprintf(answer, sizeof answer,
                                 "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
                                 "%d\r\n\r\n%s",
                                 length, body);
            ssize_t sent = write(client, answer, (size_t)total);
            (void)sent;
        }
        close(client);
    }
}
