/* Four threads accept connections, and the main thread waits for the end as signal(7) shows it. */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;
static int listener;

static void finish(int number) {
    (void)number;
    is_over = 1;
}

static void *serve(void *unused) {
    (void)unused;
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
            continue;
        char request[4096], response[256], body[32];
        if (read(connection, request, sizeof request) > 0) {
            int size = snprintf(body, sizeof body, "pid %d\n", getpid());
            size = snprintf(response, sizeof response,
                            "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
                            size, body);
            if (write(connection, response, (size_t)size) < 0)
                perror("write");
        }
        close(connection);
    }
    return NULL;
}

int main(int count, char **arguments) {
    struct sigaction action = {.sa_handler = finish};
    sigaction(SIGTERM, &action, NULL);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(count > 1 ? atoi(arguments[1]) : 0),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0
        || listen(listener, 128) != 0) {
        perror("bind");
        return 1;
    }
    for (int index = 0; index < 4; index++) {
        pthread_t thread;
        pthread_create(&thread, NULL, serve, NULL);
    }
    while (!is_over)
        pause();
    return 0;
}
