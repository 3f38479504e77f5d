/* counter FD: measures the library's work for one accepted connection, without the connection: it
 * identifies FD as one of our listeners and adds one. Writes the nanoseconds of that, and of asking
 * the kernel in a program that also listens on other sockets. */
#include "known.h"
#include "listeners.h"
#include "page.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { rounds = 5, additions = 20000000, questions = 1000000 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
    int fd = atoi(argc > 1 ? argv[1] : "");
    double addition = 1e9, question = 1e9;
    int rings = 0;
    listeners_open();
    page_open();
    if (!page_is_open() || listener_behind(fd) != 0)
        return 1;
    for (int round = 0; round < rounds; round++) {
        double begin = now();
        for (int i = 0; i < additions; i++)
            rings += known_accepted_through(fd) && page_count_connection();
        double middle = now();
        for (int i = 0; i < questions; i++)
            rings += listener_behind(fd);
        double end = now();
        if ((middle - begin) / additions < addition)
            addition = (middle - begin) / additions;
        if ((end - middle) / questions < question)
            question = (end - middle) / questions;
    }
    printf("%.1f %.1f\n", addition, question);
    return rings != 0;
}
