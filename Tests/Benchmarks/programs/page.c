/* page: a worker of supervise that counts its own requests. Writes to $STAMP_FILE.counting the
 * nanoseconds of four operations: an addition on the page, a message to the master, the same
 * message to a process that only receives it, and to a socket without a reader. The difference
 * between the last two is the kernel's cost of waking a reader. */
#include <err.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

struct name {
    struct sockaddr_un address;
    socklen_t length;
};

static struct name name_of(const char *text) {
    size_t length = strlen(text);
    struct name name = {.address.sun_family = AF_UNIX,
                        .length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)};
    memcpy(name.address.sun_path, text, length);
    if (text[0] == '@')
        name.address.sun_path[0] = 0;
    return name;
}

/* Opens a socket with its own name, as a master has one per worker. */
static int open_reader(struct name *name) {
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), yes = 1;
    *name = (struct name){.address.sun_family = AF_UNIX, .length = sizeof(sa_family_t)};
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&name->address, name->length) < 0)
        err(1, "bind");
    name->length = sizeof name->address;
    if (getsockname(fd, (struct sockaddr *)&name->address, &name->length) < 0)
        err(1, "getsockname");
    return fd;
}

/* Starts a minimal reader: it waits with epoll, and receives the message with its sender. */
static struct name start_reader(void) {
    struct name name;
    int fd = open_reader(&name);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid > 0) {
        close(fd);
        return name;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
    for (;;) {
        char text[4096], control[256];
        struct iovec part = {text, sizeof text};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                                 .msg_controllen = sizeof control};
        if (epoll_wait(set, &event, 1, -1) < 0 || recvmsg(fd, &message, 0) < 0)
            _exit(1);
    }
}

/* `own` is the socket of that name if no other process reads it, or -1. */
static double nanoseconds_of_message(struct name name, int own) {
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    static double costs[messages];
    for (int i = 0; i < messages; i++) {
        static const char message[] = "X_REQUESTS=+1";
        /* The reader sleeps between messages, as it does between requests. */
        usleep(500);
        double begin = now();
        if (sendto(fd, message, sizeof message - 1, 0, (struct sockaddr *)&name.address,
                   name.length) < 0)
            err(1, "sendto");
        costs[i] = now() - begin;
        char taken[sizeof message];
        if (own >= 0 && recv(own, taken, sizeof taken, 0) < 0)
            err(1, "recv");
    }
    close(fd);
    qsort(costs, messages, sizeof *costs, compare);
    return costs[messages / 2];
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

    double message = nanoseconds_of_message(name_of(address), -1);
    double floor = nanoseconds_of_message(start_reader(), -1);
    struct name quiet;
    int own = open_reader(&quiet);
    double unheard = nanoseconds_of_message(quiet, own);
    char path[4096];
    snprintf(path, sizeof path, "%s.counting", getenv("STAMP_FILE"));
    FILE *file = fopen(path, "w");
    if (!file)
        err(1, "%s", path);
    fprintf(file, "%.2f %.0f %.0f %.0f %llu\n", addition, message, floor, unheard,
            (unsigned long long)reached);
    fclose(file);
    for (;;)
        pause();
}
