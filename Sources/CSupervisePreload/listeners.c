#define _GNU_SOURCE
#include "listeners.h"

#include "digits.h"
#include "environment.h"
#include "raw.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

struct listener listeners[listener_limit];
int listener_count;
bool listeners_have_paths;

static bool is_socket(int fd, ino_t *inode) {
    struct stat status;
    if (!raw_fstat(fd, &status) || !S_ISSOCK(status.st_mode))
        return false;
    *inode = status.st_ino;
    return true;
}

int listener_behind(int fd) {
    ino_t inode;
    if (listener_count == 0 || !is_socket(fd, &inode))
        return -1;
    for (int index = 0; index < listener_count; index++) {
        if (listeners[index].inode == inode)
            return index;
    }
    return -1;
}

bool listener_listens(int index, int fd) {
    int listens = 0;
    return !listeners[index].is_on_demand
        || (raw_option(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, sizeof listens) && listens != 0);
}

bool listener_has_path(const struct listener *listener) {
    return listener->address.any.sa_family == AF_UNIX
        && listener->address_length > offsetof(struct sockaddr_un, sun_path)
        && listener->address.un.sun_path[0] != '\0';
}

/* Reads the bound address. If it cannot be read or is not a stream socket, the address stays empty,
 * and then no bind() matches it. */
static void read_address(struct listener *listener) {
    int type;
    socklen_t length = sizeof listener->address;
    int number = listener->number;
    listener->is_known = true;
    if (!raw_option(number, SOL_SOCKET, SO_TYPE, &type, sizeof type) || type != SOCK_STREAM
        || raw_call3(SYS_getsockname, number, (long)&listener->address, (long)&length) != 0
        || length > sizeof listener->address) {
        memset(&listener->address, 0, sizeof listener->address);
        return;
    }
    listener->address_length = length;
    int v6_only = 0;
    if (listener->address.any.sa_family == AF_INET6)
        raw_option(number, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    listener->is_v6_only = v6_only != 0;
}

/* A path of the full length has no NUL. The address ends where getsockname(2) reported, and the
 * rest is zero. */
static void read_file(struct listener *listener) {
    struct stat status;
    char path[sizeof listener->address.un.sun_path + 1] = {0};
    if (!listener_has_path(listener))
        return;
    listeners_have_paths = true;
    memcpy(path, listener->address.un.sun_path, sizeof path - 1);
    if (!raw_fstatat(AT_FDCWD, path, &status, 0) || !S_ISSOCK(status.st_mode))
        return;
    listener->has_file = true;
    listener->file.device = status.st_dev;
    listener->file.inode = status.st_ino;
}

void listener_found(int index, int number) {
    struct listener *listener = &listeners[index];
    listener->number = number;
    if (listener->is_known)
        return;
    read_address(listener);
    read_file(listener);
}

void listeners_open(void) {
    const char *text = environment_value("SUPERVISE_WORKER_LISTENERS");
    if (text == NULL)
        return;
    while (listener_count < listener_limit) {
        uint64_t number, inode;
        ino_t found;
        if (!digits_read(&text, &number) || number > INT_MAX || *text++ != ':'
            || !digits_read(&text, &inode))
            return;
        struct listener *listener = &listeners[listener_count];
        listener->inode = inode;
        listener->first_number = (int)number;
        if (*text == '@') {
            uint64_t device, file;
            text++;
            if (!digits_read(&text, &device) || *text++ != '/' || !digits_read(&text, &file))
                return;
            listener->shown_file.device = device;
            listener->shown_file.inode = file;
        }
        listener->is_on_demand = *text == '+';
        if (listener->is_on_demand)
            text++;
        /* This process may still receive the listener under another number. */
        listener->number = -1;
        if (is_socket((int)number, &found) && found == inode)
            listener_found(listener_count, (int)number);
        listener_count++;
        if (*text++ != ',')
            return;
    }
}
