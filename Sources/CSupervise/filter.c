#define _GNU_SOURCE
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define CSUPERVISE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CSUPERVISE_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#ifdef CSUPERVISE_ARCHITECTURE

static int load_filter(unsigned flags) {
    // Calls of another architecture have other numbers and pass. So do those of x32, which share
    // the architecture but have bit 30 set, and so never equal this number. The filter checks only
    // the number, so that the kernel knows that it allows all other calls and skips it for them.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CSUPERVISE_ARCHITECTURE, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

// This is not a sandbox: SPEC_ALLOW prevents kernels before 5.16 from slowing the worker down.
// WAIT_KILLABLE_RECV prevents signals, such as those by which Go preempts its threads, from
// interrupting a call that is being answered; kernels before 5.19 do not support it.
static int install(struct csupervise_filter_report *report) {
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_SPEC_ALLOW |
                     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    int filter = load_filter(flags);
    if (filter < 0 && errno == EINVAL) {
        flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        filter = load_filter(flags);
    }
    // EACCES: without CAP_SYS_ADMIN, a filter requires no_new_privs.
    if (filter < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) {
        report->sets_no_new_privileges = 1;
        filter = load_filter(flags);
    }
    return filter;
}

#else

static int install(struct csupervise_filter_report *report) {
    (void)report;
    errno = ENOSYS;
    return -1;
}

#endif

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int csupervise_install_filter(int channel) {
    struct csupervise_filter_report report = {0, 0};
    int filter = install(&report);
    if (filter < 0)
        report.code = errno;
    // A shortage may be temporary, so the start can be retried.
    if (report.code == EMFILE || report.code == ENFILE || report.code == ENOMEM)
        return -1;
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec part = {&report, sizeof report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (filter >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof filter);
        memcpy(CMSG_DATA(header), &filter, sizeof filter);
    }
    if (sendmsg(channel, &message, MSG_NOSIGNAL) != sizeof report)
        return -1;
    return filter < 0 ? 0 : close(filter);
}

int csupervise_receive_filter(int channel, struct csupervise_filter_report *report,
                              int32_t *descriptor) {
    union control control;
    struct iovec part = {report, sizeof *report};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    *descriptor = -1;
    ssize_t size = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size != sizeof *report)
        return 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    if (report->code == 0 && *descriptor < 0) {
        errno = EMFILE;
        return -1;
    }
    return 1;
}

int csupervise_next_bind(int filter, struct csupervise_bind *call) {
    // Receiving would block if there is nothing. What poll reported may be gone by then, but is
    // still counted, so that receiving fails with ENOENT instead.
    struct pollfd entry = {filter, POLLIN, 0};
    if (poll(&entry, 1, 0) != 1 || !(entry.revents & POLLIN))
        return 0;
    // A newer kernel may return more, and expects zeros.
    union {
        struct seccomp_notif notification;
        char bytes[512];
    } room;
    memset(&room, 0, sizeof room);
    if (ioctl(filter, SECCOMP_IOCTL_NOTIF_RECV, &room) != 0)
        return 0;
    call->id = room.notification.id;
    call->thread = (int32_t)room.notification.pid;
    call->descriptor = (int32_t)room.notification.data.args[0];
    call->address = room.notification.data.args[1];
    call->length = (uint32_t)room.notification.data.args[2];
    return 1;
}

bool csupervise_bind_waits(int filter, uint64_t id) {
    return ioctl(filter, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int csupervise_replace_descriptor(int filter, uint64_t id, int source, int target,
                                  bool close_on_exec) {
    struct seccomp_notif_addfd change = {.id = id,
                                         .flags = SECCOMP_ADDFD_FLAG_SETFD,
                                         .srcfd = (uint32_t)source,
                                         .newfd = (uint32_t)target,
                                         .newfd_flags = close_on_exec ? O_CLOEXEC : 0};
    return ioctl(filter, SECCOMP_IOCTL_NOTIF_ADDFD, &change) == target ? 0 : -1;
}

void csupervise_answer_bind(int filter, uint64_t id, bool proceed) {
    struct seccomp_notif_resp answer = {
        .id = id, .flags = proceed ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};
    (void)ioctl(filter, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

int csupervise_copy_descriptor(int process_descriptor, int descriptor) {
    return (int)syscall(SYS_pidfd_getfd, process_descriptor, descriptor, 0);
}
