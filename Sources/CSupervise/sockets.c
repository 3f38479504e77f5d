#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
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
    // Room for the credentials alone: they come first, and descriptors that find no room are closed
    // by the kernel before they take a number here (unix(7)).
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {bytes, room};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t size = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0)
        return -1;
    memset(datagram, 0, sizeof *datagram);
    datagram->truncated = (message.msg_flags & MSG_TRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET)
            continue;
        if (header->cmsg_type == SCM_RIGHTS)
            close_received(header);
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            datagram->pid = sender.pid;
            datagram->uid = sender.uid;
            datagram->gid = sender.gid;
        }
    }
    return size;
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

int csupervise_accept(int descriptor) {
    int accepted;
    // A listener that was passed in may block: whoever connected may be gone again.
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

// The lengths of a unix listener's queue, by unix_diag. 0, or -1.
static int unix_accept_queue(uint32_t inode, uint32_t *waiting, uint32_t *limit) {
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = (uint32_t)-1,
                    .udiag_ino = inode,
                    .udiag_show = UDIAG_SHOW_RQLEN,
                    .udiag_cookie = {(uint32_t)-1, (uint32_t)-1}}};
    int diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (diag < 0)
        return -1;
    int result = -1;
    _Alignas(struct nlmsghdr) char answer[512];
    ssize_t size = -1;
    if (send(diag, &question, sizeof question, MSG_DONTWAIT) == (ssize_t)sizeof question)
        size = recv(diag, answer, sizeof answer, MSG_DONTWAIT);
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    if (size > 0 && NLMSG_OK(header, (size_t)size) && header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
        const struct unix_diag_msg *message = NLMSG_DATA(header);
        long length = header->nlmsg_len - NLMSG_LENGTH(sizeof *message);
        for (const struct rtattr *part = (const struct rtattr *)(message + 1);
             length >= (long)sizeof *part && RTA_OK(part, length); part = RTA_NEXT(part, length)) {
            if (part->rta_type == UNIX_DIAG_RQLEN &&
                RTA_PAYLOAD(part) >= sizeof(struct unix_diag_rqlen)) {
                struct unix_diag_rqlen queue;
                memcpy(&queue, RTA_DATA(part), sizeof queue);
                *waiting = queue.udiag_rqueue;
                *limit = queue.udiag_wqueue;
                result = 0;
            }
        }
    }
    close(diag);
    return result;
}

int csupervise_accept_queue(int descriptor, uint32_t inode, uint32_t *waiting, uint32_t *limit) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
        // Of a listener these two are the length of its queue and the limit (tcp_get_info in Linux).
        *waiting = info.tcpi_unacked;
        *limit = info.tcpi_sacked;
        return 0;
    }
    return unix_accept_queue(inode, waiting, limit);
}
