#define _GNU_SOURCE
#include "connections.h"

#include "listening.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// The states of tcp(7) in which a socket can belong to a process. <netinet/tcp.h> names them, but
// its tcp_info is older than that of the kernel's header.
enum { state_syn_received = 3, state_time_wait = 6, answer_bytes = 8192, most_dumps = 8 };

static void read_times(const struct tcp_info *info, struct csupervise_connection *found) {
    found->since_sent = info->tcpi_last_data_sent;
    found->since_received = info->tcpi_last_data_recv;
    found->since_acknowledged = info->tcpi_last_ack_recv;
    found->segments_sent = info->tcpi_data_segs_out;
    found->segments_received = info->tcpi_data_segs_in;
}

static void read_connection(const struct nlmsghdr *header, struct csupervise_connection *found) {
    const struct inet_diag_msg *message = NLMSG_DATA(header);
    memset(found, 0, sizeof *found);
    found->inode = message->idiag_inode;
    found->state = message->idiag_state;
    found->unread = message->idiag_rqueue;
    found->unsent = message->idiag_wqueue;
    int rest = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
    for (const struct nlattr *field = (const struct nlattr *)(message + 1);
         rest >= (int)sizeof *field && field->nla_len >= sizeof *field && field->nla_len <= rest;
         rest -= (int)NLA_ALIGN(field->nla_len),
                             field = (const struct nlattr *)((const char *)field +
                                                             NLA_ALIGN(field->nla_len))) {
        if (field->nla_type != INET_DIAG_INFO)
            continue;
        // A newer kernel returns more than is known here, an older one less.
        struct tcp_info info;
        size_t size = field->nla_len - sizeof *field;
        memset(&info, 0, sizeof info);
        memcpy(&info, field + 1, size < sizeof info ? size : sizeof info);
        read_times(&info, found);
    }
}

// Counts the sockets in these states (a bit mask) and writes the first ones to `found`.
// `interrupted` is set if they changed meanwhile, so that some may be missing or counted twice.
static int dump_once(int diagnosis, int family, uint16_t port, uint32_t states,
                     struct csupervise_connection *found, int room, bool *interrupted) {
    *interrupted = false;
    uint8_t extensions = 1U << (INET_DIAG_INFO - 1);
    if (csupervise_ask_tcp(diagnosis, family, port, states, extensions) != 0)
        return -1;
    // The kernel answers a dump within the calls that request it, so nothing here blocks.
    int count = 0;
    for (;;) {
        _Alignas(struct nlmsghdr) char answer[answer_bytes];
        ssize_t size = recv(diagnosis, answer, sizeof answer, MSG_DONTWAIT);
        if (size < 0)
            return csupervise_give_up(diagnosis);
        uint32_t rest = (uint32_t)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)answer; NLMSG_OK(header, rest);
             header = NLMSG_NEXT(header, rest)) {
            if (header->nlmsg_flags & NLM_F_DUMP_INTR)
                *interrupted = true;
            if (header->nlmsg_type == NLMSG_DONE)
                return count;
            if (header->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *error = NLMSG_DATA(header);
                errno = -error->error;
                return csupervise_give_up(diagnosis);
            }
            const struct inet_diag_msg *message = NLMSG_DATA(header);
            // Older kernels do not filter by port.
            if (message->id.idiag_sport != htons(port))
                continue;
            if (count < room)
                read_connection(header, &found[count]);
            count++;
        }
    }
}

// A dump of changing sockets may be interrupted repeatedly; the last one is the most accurate.
static int dump(int diagnosis, int family, uint16_t port, uint32_t states,
                struct csupervise_connection *found, int room) {
    int count = 0;
    bool interrupted = true;
    for (int i = 0; i < most_dumps && interrupted && count >= 0; i++)
        count = dump_once(diagnosis, family, port, states, found, room, &interrupted);
    return count;
}

int csupervise_connections(int diagnosis, int family, uint16_t port,
                           struct csupervise_connection *found, int room) {
    uint32_t states = ~(1U << state_time_wait | 1U << state_syn_received);
    return dump(diagnosis, family, port, states, found, room);
}

int csupervise_ask_connection(int socket, struct csupervise_connection *found) {
    // Older kernels return less.
    struct tcp_info info;
    memset(&info, 0, sizeof info);
    socklen_t size = sizeof info;
    int unread = 0;
    int unsent = 0;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return -1;
    // Both fail for a listener.
    if (ioctl(socket, SIOCINQ, &unread) != 0 || ioctl(socket, SIOCOUTQ, &unsent) != 0)
        return -1;
    memset(found, 0, sizeof *found);
    found->state = info.tcpi_state;
    found->unread = (uint32_t)unread;
    found->unsent = (uint32_t)unsent;
    read_times(&info, found);
    return 0;
}

int csupervise_half_open(int diagnosis, int family, uint16_t port) {
    return dump(diagnosis, family, port, 1U << state_syn_received, NULL, 0);
}
