/* clients PORT COUNT THREADS accept|answer: makes this many connections, each until the server has
 * closed it, with a request if the server answers. Writes the total in nanoseconds. */
#define _GNU_SOURCE
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in address;
static int each, asks;

static void *connect_again_and_again(void *unused) {
    (void)unused;
    /* Closing by a reset avoids thousands of connections in TIME-WAIT. */
    struct linger reset = {1, 0};
    for (int i = 0; i < each; i++) {
        static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
        char answer[4096];
        ssize_t size;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
            err(1, "connect");
        if (asks && write(fd, request, sizeof request - 1) < 0)
            err(1, "write");
        do {
            size = read(fd, answer, sizeof answer);
        } while (size > 0);
        if (size < 0)
            err(1, "read");
        close(fd);
    }
    return NULL;
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 5)
        errx(2, "clients PORT COUNT THREADS accept|answer");
    asks = strcmp(argv[4], "answer") == 0;
    int threads = atoi(argv[3]);
    pthread_t crowd[threads];
    each = atoi(argv[2]) / threads;
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    long long begin = now();
    for (int i = 0; i < threads; i++)
        pthread_create(&crowd[i], NULL, connect_again_and_again, NULL);
    for (int i = 0; i < threads; i++)
        pthread_join(crowd[i], NULL);
    printf("%lld\n", now() - begin);
}
