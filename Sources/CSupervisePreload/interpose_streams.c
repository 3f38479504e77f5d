#define _GNU_SOURCE
#include "interpose.h"
#include "next.h"
#include "observe.h"

#include <errno.h>
#include <stddef.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The calls with which a program receives and sends on its connections. Programs compiled with
 * _FORTIFY_SOURCE call some of these by second names. The result and errno are always those of the
 * call. */

ssize_t own_read(int fd, void *bytes, size_t size) IN_FRONT_OF("read");
ssize_t own_checked_read(int fd, void *bytes, size_t size, size_t room) IN_FRONT_OF("__read_chk");
ssize_t own_readv(int fd, const struct iovec *vector, int parts) IN_FRONT_OF("readv");
ssize_t own_recv(int fd, void *bytes, size_t size, int flags) IN_FRONT_OF("recv");
ssize_t own_checked_recv(int fd, void *bytes, size_t size, size_t room, int flags)
    IN_FRONT_OF("__recv_chk");
ssize_t own_recvfrom(
    int fd, void *bytes, size_t size, int flags, struct sockaddr *address, socklen_t *length)
    IN_FRONT_OF("recvfrom");
ssize_t own_checked_recvfrom(
    int fd, void *bytes, size_t size, size_t room, int flags, struct sockaddr *address,
    socklen_t *length) IN_FRONT_OF("__recvfrom_chk");
ssize_t own_recvmsg(int fd, struct msghdr *message, int flags) IN_FRONT_OF("recvmsg");
ssize_t own_write(int fd, const void *bytes, size_t size) IN_FRONT_OF("write");
ssize_t own_writev(int fd, const struct iovec *vector, int parts) IN_FRONT_OF("writev");
ssize_t own_send(int fd, const void *bytes, size_t size, int flags) IN_FRONT_OF("send");
ssize_t own_sendto(
    int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
    socklen_t length) IN_FRONT_OF("sendto");
ssize_t own_sendmsg(int fd, const struct msghdr *message, int flags) IN_FRONT_OF("sendmsg");
ssize_t own_sendfile(int to, int from, off_t *offset, size_t count) IN_FRONT_OF("sendfile");
ssize_t own_sendfile64(int to, int from, int64_t *offset, size_t count) IN_FRONT_OF("sendfile64");

static bool was_reset(ssize_t count) {
    return count < 0 && (errno == ECONNRESET || errno == EPIPE || errno == ETIMEDOUT);
}

static ssize_t received(int fd, const void *bytes, size_t size, ssize_t count, int flags) {
    if ((flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) != 0)
        return count;
    if (was_reset(count))
        observe_reset(fd);
    else if (count == 0 && size > 0)
        observe_end_of_input(fd);
    else if ((flags & MSG_TRUNC) != 0)
        /* TCP discards them (tcp(7)). */
        observe_discarded(fd, count);
    else
        observe_received(fd, bytes, count);
    return count;
}

static ssize_t received_vector(
    int fd, const struct iovec *vector, size_t parts, ssize_t count, int flags) {
    if (count > 0 && (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC)) == 0)
        observe_received_vector(fd, vector, parts, count);
    else
        /* The end of the input, or a call without room. */
        received(fd, NULL, parts > 0 ? vector[0].iov_len : 0, count, flags);
    return count;
}

static ssize_t sent(int fd, const void *bytes, ssize_t count, int flags) {
    if (was_reset(count))
        observe_reset(fd);
    else if ((flags & MSG_OOB) == 0)
        observe_sent(fd, bytes, count);
    return count;
}

static ssize_t sent_vector(
    int fd, const struct iovec *vector, size_t parts, ssize_t count, int flags) {
    if (count > 0 && (flags & MSG_OOB) == 0)
        observe_sent_vector(fd, vector, parts, count);
    else
        sent(fd, NULL, count, flags);
    return count;
}

ssize_t own_read(int fd, void *bytes, size_t size) {
    if (!is_observed(fd))
        return next.read(fd, bytes, size);
    return received(fd, bytes, size, next.read(fd, bytes, size), 0);
}

ssize_t own_readv(int fd, const struct iovec *vector, int parts) {
    if (!is_observed(fd))
        return next.readv(fd, vector, parts);
    return received_vector(fd, vector, (size_t)parts, next.readv(fd, vector, parts), 0);
}

ssize_t own_recv(int fd, void *bytes, size_t size, int flags) {
    if (!is_observed(fd))
        return next.recv(fd, bytes, size, flags);
    return received(fd, bytes, size, next.recv(fd, bytes, size, flags), flags);
}

ssize_t own_recvfrom(
    int fd, void *bytes, size_t size, int flags, struct sockaddr *address, socklen_t *length) {
    if (!is_observed(fd))
        return next.recvfrom(fd, bytes, size, flags, address, length);
    ssize_t count = next.recvfrom(fd, bytes, size, flags, address, length);
    return received(fd, bytes, size, count, flags);
}

/* The compiler checked the size if it knows it at all; libc would only abort. */
ssize_t own_checked_read(int fd, void *bytes, size_t size, size_t room) {
    if (next.checked_read == NULL || room >= size)
        return own_read(fd, bytes, size);
    return next.checked_read(fd, bytes, size, room);
}

ssize_t own_checked_recv(int fd, void *bytes, size_t size, size_t room, int flags) {
    if (next.checked_recv == NULL || room >= size)
        return own_recv(fd, bytes, size, flags);
    return next.checked_recv(fd, bytes, size, room, flags);
}

ssize_t own_checked_recvfrom(
    int fd, void *bytes, size_t size, size_t room, int flags, struct sockaddr *address,
    socklen_t *length) {
    if (next.checked_recvfrom == NULL || room >= size)
        return own_recvfrom(fd, bytes, size, flags, address, length);
    return next.checked_recvfrom(fd, bytes, size, room, flags, address, length);
}

ssize_t own_recvmsg(int fd, struct msghdr *message, int flags) {
    if (!is_observed(fd))
        return next.recvmsg(fd, message, flags);
    ssize_t count = next.recvmsg(fd, message, flags);
    if (count < 0)
        return received(fd, NULL, 0, count, flags);
    return received_vector(fd, message->msg_iov, message->msg_iovlen, count, flags);
}

ssize_t own_write(int fd, const void *bytes, size_t size) {
    if (!is_observed(fd))
        return next.write(fd, bytes, size);
    return sent(fd, bytes, next.write(fd, bytes, size), 0);
}

ssize_t own_writev(int fd, const struct iovec *vector, int parts) {
    if (!is_observed(fd))
        return next.writev(fd, vector, parts);
    return sent_vector(fd, vector, (size_t)parts, next.writev(fd, vector, parts), 0);
}

ssize_t own_send(int fd, const void *bytes, size_t size, int flags) {
    if (!is_observed(fd))
        return next.send(fd, bytes, size, flags);
    return sent(fd, bytes, next.send(fd, bytes, size, flags), flags);
}

ssize_t own_sendto(
    int fd, const void *bytes, size_t size, int flags, const struct sockaddr *address,
    socklen_t length) {
    if (!is_observed(fd))
        return next.sendto(fd, bytes, size, flags, address, length);
    return sent(fd, bytes, next.sendto(fd, bytes, size, flags, address, length), flags);
}

ssize_t own_sendmsg(int fd, const struct msghdr *message, int flags) {
    if (!is_observed(fd))
        return next.sendmsg(fd, message, flags);
    ssize_t count = next.sendmsg(fd, message, flags);
    if (count < 0)
        return sent(fd, NULL, count, flags);
    return sent_vector(fd, message->msg_iov, message->msg_iovlen, count, flags);
}

ssize_t own_sendfile(int to, int from, off_t *offset, size_t count) {
    ssize_t result = next.sendfile(to, from, offset, count);
    if (is_observed(to))
        observe_sent_unread(to, result);
    return result;
}

ssize_t own_sendfile64(int to, int from, int64_t *offset, size_t count) {
    ssize_t result = next.sendfile64(to, from, offset, count);
    if (is_observed(to))
        observe_sent_unread(to, result);
    return result;
}
