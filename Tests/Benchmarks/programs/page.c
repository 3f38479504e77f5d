/* page: a worker of supervise that counts requests, as a program does that was written for it. Writes to
 * $STAMP_FILE.counting the nanoseconds of an addition on the page, and of a message to the master. */
#include <err.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { additions = 20000000, messages = 2000, limit_offset = 128, counter_offset = 64 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(void) {
    const char *page = getenv("SUPERVISE_WORKER_PAGE"), *address = getenv("NOTIFY_SOCKET");
    if (!page || !address)
        errx(1, "no page or no socket");
    char *bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(page), 0);
    if (bytes == MAP_FAILED)
        err(1, "mmap");
    _Atomic uint64_t *counter = (_Atomic uint64_t *)(bytes + counter_offset);
    _Atomic uint64_t *limit = (_Atomic uint64_t *)(bytes + limit_offset);
    uint64_t reached = 0;
    double begin = now();
    for (int i = 0; i < additions; i++) {
        uint64_t most = atomic_load(limit), before = atomic_fetch_add(counter, 1);
        reached += before < most && before + 1 >= most;
    }
    double addition = (now() - begin) / additions;

    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    memcpy(name.sun_path, address, length);
    if (address[0] == '@')
        name.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    static double costs[messages];
    for (int i = 0; i < messages; i++) {
        static const char message[] = "X_REQUESTS=+1";
        /* As requests come: the master sleeps in between. */
        usleep(500);
        begin = now();
        if (sendto(fd, message, sizeof message - 1, 0, (struct sockaddr *)&name,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
            err(1, "sendto");
        costs[i] = now() - begin;
    }
    qsort(costs, messages, sizeof *costs, compare);
    char path[4096];
    snprintf(path, sizeof path, "%s.counting", getenv("STAMP_FILE"));
    FILE *file = fopen(path, "w");
    if (!file)
        err(1, "%s", path);
    fprintf(file, "%.2f %.0f %llu\n", addition, costs[messages / 2], (unsigned long long)reached);
    fclose(file);
    for (;;)
        pause();
}
