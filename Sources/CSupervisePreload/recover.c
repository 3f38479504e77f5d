#define _GNU_SOURCE
#include "recover.h"

#include "digits.h"
#include "environment.h"
#include "listeners.h"
#include "notify.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { lowest_number = 64, response_timeout_seconds = 20, kernel_mask_bytes = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool has_failed[listener_limit];
/* Set if the master did not respond once; later requests do not wait for it. */
static bool has_master_timed_out;

static void close_number(long fd) {
    raw_call3(SYS_close, fd, 0, 0);
}

/* Waits until the descriptor is ready or no time is left. A signal runs its handler and does not
 * end the wait. */
static bool becomes_ready(long fd, short events, struct timespec *left) {
    struct pollfd entry = {.fd = (int)fd, .events = events};
    long result;
    do {
        /* The kernel updates the remaining time (poll(2)). */
        result = raw_call(SYS_ppoll, (long)&entry, 1, (long)left, 0, kernel_mask_bytes, 0);
    } while (result == -EINTR);
    return result > 0;
}

/* Returns a socket that sends to the master and receives only from it: a connected socket receives
 * only from its peer, and the kernel chooses its own address (unix(7), "Autobind feature"). */
static long connected_socket(void) {
    socklen_t length;
    const struct sockaddr *master = notify_address(&length);
    if (master == NULL)
        return -1;
    long fd = raw_call3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    struct sockaddr any = {.sa_family = AF_UNIX};
    if (raw_call3(SYS_bind, fd, (long)&any, sizeof any.sa_family) == 0
        && raw_call3(SYS_connect, fd, (long)master, length) == 0)
        return fd;
    close_number(fd);
    return -1;
}

static bool request_listener(long fd, ino_t inode, struct timespec *left) {
    char message[notify_key_limit + digits_limit];
    size_t length = notify_write(message, "X_LISTENER=", inode);
    long sent;
    do {
        sent = raw_call(SYS_sendto, fd, (long)message, (long)length, MSG_NOSIGNAL, 0, 0);
        /* The master's queue is full. */
    } while (sent == -EAGAIN && becomes_ready(fd, POLLOUT, left));
    return sent == (long)length;
}

/* Returns the descriptor in a response, or -1. */
static int received(long fd) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char text[64];
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    memset(&control, 0, sizeof control);
    if (raw_call3(SYS_recvmsg, fd, (long)&message, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS
        || header->cmsg_len != CMSG_LEN(sizeof(int)))
        return -1;
    int number;
    memcpy(&number, CMSG_DATA(header), sizeof number);
    return number;
}

static int request_from_master(ino_t inode) {
    struct timespec left = {.tv_sec = response_timeout_seconds};
    long fd = has_master_timed_out ? -1 : connected_socket();
    if (fd < 0)
        return -1;
    int found = -1;
    if (request_listener(fd, inode, &left) && becomes_ready(fd, POLLIN, &left))
        found = received(fd);
    else
        has_master_timed_out = true;
    close_number(fd);
    return found;
}

static int copy_from_worker(int number) {
    uint64_t pid;
    if (!environment_worker(&pid))
        return -1;
    long process = raw_call3(SYS_pidfd_open, (long)pid, 0, 0);
    if (process < 0)
        return -1;
    long found = raw_call3(SYS_pidfd_getfd, process, number, 0);
    close_number(process);
    return found < 0 ? -1 : (int)found;
}

/* Programs expect low numbers to be free, and some choose them (dup2(2)). */
static int raised(int fd) {
    long higher = raw_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest_number);
    if (higher < 0)
        return fd;
    close_number(fd);
    return (int)higher;
}

static bool take(int index, int fd) {
    if (fd < 0)
        return false;
    if (listener_behind(fd) != index) {
        close_number(fd);
        return false;
    }
    listener_found(index, raised(fd));
    return true;
}

bool recover_listener(int index) {
    pthread_mutex_lock(&lock);
    const struct listener *listener = &listeners[index];
    bool is_held = listener_behind(listener->number) == index;
    if (!is_held && !has_failed[index]) {
        is_held = take(index, request_from_master(listener->inode))
            || take(index, copy_from_worker(listener->first_number));
        has_failed[index] = !is_held;
        if (!is_held)
            notify_send("X_NOT_ADOPTED=", listener->inode);
    }
    pthread_mutex_unlock(&lock);
    return is_held;
}

void recover_unknown(void) {
    for (int index = 0; index < listener_count; index++) {
        if (!listeners[index].is_known)
            recover_listener(index);
    }
}
