#define _GNU_SOURCE
#include "cookies.h"

#include "listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

enum { answer_bytes = 8192 };

static struct csupervise_cookie *find(const uint32_t halves[2], struct csupervise_cookie *wanted,
                                      int count) {
    uint64_t cookie = (uint64_t)halves[1] << 32 | halves[0];
    for (int i = 0; i < count; i++) {
        if (wanted[i].cookie == cookie)
            return &wanted[i];
    }
    return NULL;
}

static void read_tcp(const struct nlmsghdr *header, struct csupervise_cookie *wanted, int count) {
    const struct inet_diag_msg *message = NLMSG_DATA(header);
    struct csupervise_cookie *one = find(message->id.idiag_cookie, wanted, count);
    if (one == NULL)
        return;
    one->found = 1;
    one->family = message->idiag_family;
    one->port = ntohs(message->id.idiag_dport);
    memcpy(one->address, message->id.idiag_dst, sizeof one->address);
}

static void read_unix(const struct nlmsghdr *header, struct csupervise_cookie *wanted, int count) {
    const struct unix_diag_msg *message = NLMSG_DATA(header);
    struct csupervise_cookie *one = find(message->udiag_cookie, wanted, count);
    if (one != NULL)
        one->found = 1;
}

// The kernel answers a dump within the calls that request it, so nothing here blocks.
static int read_all(int diagnosis,
                    void (*read_one)(const struct nlmsghdr *, struct csupervise_cookie *, int),
                    struct csupervise_cookie *wanted, int count) {
    for (;;) {
        _Alignas(struct nlmsghdr) char answer[answer_bytes];
        ssize_t size = recv(diagnosis, answer, sizeof answer, MSG_DONTWAIT);
        if (size < 0)
            return csupervise_give_up(diagnosis);
        uint32_t rest = (uint32_t)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)answer; NLMSG_OK(header, rest);
             header = NLMSG_NEXT(header, rest)) {
            if (header->nlmsg_type == NLMSG_DONE)
                return 0;
            if (header->nlmsg_type == NLMSG_ERROR) {
                errno = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
                return csupervise_give_up(diagnosis);
            }
            read_one(header, wanted, count);
        }
    }
}

int csupervise_find_tcp(int diagnosis, int family, uint16_t port, struct csupervise_cookie *wanted,
                        int count) {
    if (csupervise_ask_tcp(diagnosis, family, port, UINT32_MAX, 0) != 0)
        return -1;
    return read_all(diagnosis, read_tcp, wanted, count);
}

int csupervise_find_unix(int diagnosis, struct csupervise_cookie *wanted, int count) {
    struct unix_diag_req request;
    memset(&request, 0, sizeof request);
    request.sdiag_family = AF_UNIX;
    request.udiag_states = UINT32_MAX;
    if (csupervise_ask_sockets(diagnosis, &request, sizeof request, NLM_F_DUMP) != 0)
        return -1;
    return read_all(diagnosis, read_unix, wanted, count);
}
