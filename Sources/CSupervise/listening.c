#define _GNU_SOURCE
#include "listening.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { flags_offset = 13, flag_syn = 0x02, flag_ack = 0x10, answer_bytes = 8192 };

// The filter of a listener sees the segment from the TCP header on. A bare SYN requests a
// connection. The ACK that completes a handshake must pass; otherwise a client that considers
// itself connected would be lost.
int csupervise_drop_new_connections(int listener) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_offset),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, flag_syn | flag_ack),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, flag_syn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int csupervise_admit_new_connections(int listener) {
    // The kernel requires a value but ignores it.
    int ignored = 0;
    return setsockopt(listener, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

// For a listener, these two fields contain the length of the queue and its limit (tcp_get_info in
// net/ipv4/tcp.c).
int csupervise_tcp_queue(int listener, uint32_t *waiting, uint32_t *limit) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return -1;
    *waiting = info.tcpi_unacked;
    *limit = info.tcpi_sacked;
    return 0;
}

int csupervise_open_diagnosis(void) {
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
}

int csupervise_ask_sockets(int diagnosis, const void *body, size_t size, uint16_t flags) {
    struct {
        struct nlmsghdr header;
        char body[128];
    } request;
    memset(&request, 0, sizeof request);
    if (size > sizeof request.body) {
        errno = EMSGSIZE;
        return -1;
    }
    request.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
    request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    memcpy(request.body, body, size);
    return send(diagnosis, &request, request.header.nlmsg_len, MSG_DONTWAIT) < 0 ? -1 : 0;
}

int csupervise_ask_tcp(int diagnosis, int family, uint16_t port, uint32_t states,
                       uint8_t extensions) {
    struct inet_diag_req_v2 request;
    memset(&request, 0, sizeof request);
    request.sdiag_family = (uint8_t)family;
    request.sdiag_protocol = IPPROTO_TCP;
    request.idiag_ext = extensions;
    request.idiag_states = states;
    request.id.idiag_sport = htons(port);
    return csupervise_ask_sockets(diagnosis, &request, sizeof request, NLM_F_DUMP);
}

int csupervise_give_up(int diagnosis) {
    int code = errno;
    char ignored[answer_bytes];
    while (recv(diagnosis, ignored, sizeof ignored, MSG_DONTWAIT) >= 0) {
    }
    errno = code;
    return -1;
}

// Copies an attribute of the unix socket with this inode. Returns 0, or -1 with errno.
static int ask_unix(int diagnosis, uint32_t inode, uint32_t shown, uint16_t type, void *value,
                    size_t value_size) {
    struct unix_diag_req request;
    memset(&request, 0, sizeof request);
    request.sdiag_family = AF_UNIX;
    request.udiag_ino = inode;
    request.udiag_cookie[0] = request.udiag_cookie[1] = (uint32_t)INET_DIAG_NOCOOKIE;
    request.udiag_states = ~0U;
    request.udiag_show = shown;
    if (csupervise_ask_sockets(diagnosis, &request, sizeof request, 0) != 0)
        return -1;
    _Alignas(struct nlmsghdr) char answer[answer_bytes];
    ssize_t size = recv(diagnosis, answer, sizeof answer, MSG_DONTWAIT);
    if (size < 0)
        return -1;
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    if (!NLMSG_OK(header, (uint32_t)size)) {
        errno = EBADMSG;
        return -1;
    }
    if (header->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(header);
        errno = -error->error;
        return -1;
    }
    struct unix_diag_msg *found = NLMSG_DATA(header);
    int rest = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *found));
    for (struct nlattr *field = (struct nlattr *)(found + 1);
         rest >= (int)sizeof *field && field->nla_len >= sizeof *field && field->nla_len <= rest;
         rest -= (int)NLA_ALIGN(field->nla_len),
                       field = (struct nlattr *)((char *)field + NLA_ALIGN(field->nla_len))) {
        if (field->nla_type != type || field->nla_len < sizeof *field + value_size)
            continue;
        memcpy(value, field + 1, value_size);
        return 0;
    }
    errno = ENODATA;
    return -1;
}

int csupervise_unix_queue(int diagnosis, uint32_t inode, uint32_t *waiting, uint32_t *limit) {
    struct unix_diag_rqlen queue;
    if (ask_unix(diagnosis, inode, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN, &queue, sizeof queue) != 0)
        return -1;
    *waiting = queue.udiag_rqueue;
    *limit = queue.udiag_wqueue;
    return 0;
}

int csupervise_unix_peer(int diagnosis, uint32_t inode, uint32_t *peer) {
    return ask_unix(diagnosis, inode, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, peer, sizeof *peer);
}
