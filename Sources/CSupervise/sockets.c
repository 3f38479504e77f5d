#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void close_received(const struct cmsghdr *header) {
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int received;
        memcpy(&received, CMSG_DATA(header) + i * sizeof received, sizeof received);
        close(received);
    }
}

ssize_t csupervise_receive_datagram(int descriptor, void *bytes, size_t room,
                                    struct csupervise_datagram *datagram) {
    // There is room only for the credentials: they come first, and the kernel closes descriptors
    // that do not fit before they get a number here (unix(7)).
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {bytes, room};
    struct sockaddr_un sender;
    struct msghdr message = {.msg_name = &sender,
                             .msg_namelen = sizeof sender,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t size = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return -1;
    memset(datagram, 0, sizeof *datagram);
    size_t path = offsetof(struct sockaddr_un, sun_path);
    if (message.msg_namelen > path && message.msg_namelen <= sizeof sender
        && sender.sun_path[0] == '\0') {
        datagram->name_length = message.msg_namelen - (uint32_t)path;
        memcpy(datagram->name, sender.sun_path, datagram->name_length);
    }
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET)
            continue;
        if (header->cmsg_type == SCM_RIGHTS)
            close_received(header);
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
            datagram->pid = credentials.pid;
            datagram->uid = credentials.uid;
            datagram->gid = credentials.gid;
        }
    }
    return size;
}

int csupervise_send_descriptor(int socket, const uint8_t *name, uint32_t name_length,
                               const void *bytes, size_t size, int descriptor) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (name_length == 0 || name_length > sizeof address.sun_path || name[0] != 0) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, name, name_length);
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_length),
        .msg_iov = &part,
        .msg_iovlen = 1};
    memset(&control, 0, sizeof control);
    if (descriptor >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int csupervise_pass_credentials(int descriptor) {
    int on = 1;
    return setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

int csupervise_memory_file(const char *name, size_t size) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor >= 0 && ftruncate(descriptor, (off_t)size) != 0) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int csupervise_seal_memory(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int csupervise_seal_content(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS,
                 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

int csupervise_accept(int descriptor) {
    int accepted;
    // A passed listener may be blocking, and the connection may already be gone.
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};
    if (poll(&entry, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
    }
    do {
        accepted = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (accepted < 0 && errno == EINTR);
    return accepted;
}

int csupervise_peer_credentials(int descriptor, struct csupervise_peer *peer) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return -1;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}
