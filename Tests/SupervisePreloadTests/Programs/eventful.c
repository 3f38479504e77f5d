/* eventful PORT KIND FILE: a server that waits in epoll sets, in one of the ways that programs do. It
 * accepts one connection for each event, as nginx does, and makes FILE when it is ready. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t expected_data = 0x1122334455667788;
static int listener, set;
static const char *kind;
static uint32_t events = EPOLLIN | EPOLLEXCLUSIVE;

static int is(const char *name) {
    return strcmp(kind, name) == 0;
}

static void answer(int connection) {
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello\n";
    char request[4096];
    if (read(connection, request, sizeof request) > 0
        && write(connection, text, sizeof text - 1) < 0)
        warn("write");
    close(connection);
}

static void control(int operation, int number) {
    struct epoll_event event = {.events = events, .data.u64 = expected_data};
    if (epoll_ctl(set, operation, number, &event) != 0)
        err(1, "epoll_ctl");
}

static void serve(void) {
    for (;;) {
        struct epoll_event event = {0};
        if (epoll_wait(set, &event, 1, -1) != 1)
            err(1, "epoll_wait");
        if (event.data.u64 != expected_data)
            errx(1, "data %#llx", (unsigned long long)event.data.u64);
        int connection;
        do {
            connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (connection >= 0)
                answer(connection);
            else if (errno != EAGAIN)
                err(1, "accept4");
        } while (connection >= 0 && (events & EPOLLET) != 0);
        if (is("oneshot"))
            control(EPOLL_CTL_MOD, listener);
    }
}

static void *run(void *unused) {
    (void)unused;
    serve();
    return NULL;
}

static void *run_with_own_set(void *unused) {
    (void)unused;
    static __thread int own;
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    own = epoll_create1(EPOLL_CLOEXEC);
    pthread_mutex_lock(&mutex);
    set = own;
    control(EPOLL_CTL_ADD, listener);
    pthread_mutex_unlock(&mutex);
    for (;;) {
        struct epoll_event event = {0};
        if (epoll_wait(own, &event, 1, -1) != 1 || event.data.u64 != expected_data)
            err(1, "epoll_wait");
        int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection >= 0)
            answer(connection);
        else if (errno != EAGAIN)
            err(1, "accept4");
    }
}

int main(int argc, char **argv) {
    (void)argc;
    kind = argv[2];
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(argv[1])),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    set = epoll_create1(EPOLL_CLOEXEC);
    if (is("edge"))
        events |= EPOLLET;
    if (is("oneshot"))
        events = EPOLLIN | EPOLLONESHOT;
    if (is("early")) {
        events = EPOLLIN | EPOLLET;
        control(EPOLL_CTL_ADD, listener);
    }
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        err(1, "bind");
    if (listen(listener, 5) != 0)
        err(1, "listen");

    pthread_t thread;
    if (is("dup")) {
        int number = dup(listener);
        control(EPOLL_CTL_ADD, number);
        close(number);
    } else if (!is("early") && !is("sets")) {
        control(EPOLL_CTL_ADD, listener);
    }
    for (int i = 0; i < 3 && is("fork"); i++) {
        if (fork() == 0)
            serve();
    }
    for (int i = 0; i < 3; i++) {
        if (is("shared"))
            pthread_create(&thread, NULL, run, NULL);
        if (is("sets"))
            pthread_create(&thread, NULL, run_with_own_set, NULL);
    }
    close(open(argv[3], O_CREAT | O_WRONLY, 0600));
    if (is("fork"))
        while (wait(NULL) > 0)
            continue;
    if (is("sets"))
        pthread_join(thread, NULL);
    serve();
}
