/* reads LISTENER: prints the nanoseconds of a read(2) of one byte from /dev/zero, and from a connection that
 * was accepted from this listener, on which the body of a request arrives. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { rounds = 40, reads = 20000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fill(int fd) {
    static char bytes[reads];
    size_t left = sizeof bytes;
    while (left > 0) {
        ssize_t count = write(fd, bytes, left);
        if (count < 0)
            err(1, "write");
        left -= (size_t)count;
    }
}

/* The least of all rounds: the machine has other things to do. */
static double nanoseconds(int fd, int peer) {
    double least = 1e18;
    for (int round = 0; round < rounds; round++) {
        if (peer >= 0)
            fill(peer);
        char byte;
        double begin = now();
        for (int index = 0; index < reads; index++)
            if (read(fd, &byte, 1) != 1)
                err(1, "read");
        double took = (now() - begin) / reads;
        least = took < least ? took : least;
    }
    return least;
}

int main(int count, char **arguments) {
    if (count != 2)
        errx(2, "usage: reads LISTENER");
    int listener = atoi(arguments[1]);
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        err(1, "getsockname");
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, length) < 0)
        err(1, "connect");
    int connection = accept(listener, NULL, NULL);
    if (connection < 0)
        err(1, "accept");
    static const char head[] = "POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n";
    char bytes[sizeof head];
    if (write(client, head, sizeof head - 1) < 0 || read(connection, bytes, sizeof head - 1) < 0)
        err(1, "head");
    int zero = open("/dev/zero", O_RDONLY);
    double other = nanoseconds(zero, -1);
    printf("%.1f %.1f\n", other, nanoseconds(connection, client));
}
