/* shutter PORT: a server whose handlers, installed with SA_RESTART, shut its listener down. It ends when
 * accept() fails with EINVAL. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

static int listener;

static void on_signal(int number) {
    (void)number;
    shutdown(listener, SHUT_RDWR);
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(argv[1])),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0)
        err(1, "bind");
    if (listen(listener, 5) != 0)
        err(1, "listen");
    signal(SIGALRM, on_signal);
    struct itimerval soon = {.it_value.tv_usec = 200000};
    setitimer(ITIMER_REAL, &soon, NULL);
    int connection = accept(listener, NULL, NULL);
    return connection < 0 && errno == EINVAL ? 0 : 1;
}
