#define _GNU_SOURCE
#include "notify.h"

#include "digits.h"
#include "environment.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

static struct sockaddr_un address;
static socklen_t address_length;

/* A connected socket, for a program that changes to a user without access to the path. Programs
 * that close unknown descriptors close it as well, and another file may get its number. So it is
 * identified by inode. */
enum { lowest_number = 64 };
static int kept = -1;
static struct stat kept_status;

static bool is_kept(void) {
    struct stat status;
    return kept >= 0 && raw_fstat(kept, &status) && status.st_ino == kept_status.st_ino
        && status.st_dev == kept_status.st_dev;
}

static void keep_connected(void) {
    long fd = raw_call3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (raw_call3(SYS_connect, fd, (long)&address, address_length) == 0) {
        kept = (int)raw_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, lowest_number);
        if (kept >= 0 && !raw_fstat(kept, &kept_status))
            kept = -1;
    }
    raw_call3(SYS_close, fd, 0, 0);
}

void notify_prepare(bool keeps_socket) {
    const char *name = environment_value("NOTIFY_SOCKET");
    if (name == NULL || (name[0] != '/' && name[0] != '@'))
        return;
    size_t length = strlen(name);
    if (length >= sizeof address.sun_path)
        return;
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name, length);
    /* A name in the abstract namespace starts with a NUL and ends with its last byte (unix(7)). */
    bool is_abstract = name[0] == '@';
    if (is_abstract)
        address.sun_path[0] = '\0';
    address_length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
    if (keeps_socket && !is_abstract)
        keep_connected();
}

const struct sockaddr *notify_address(socklen_t *length) {
    *length = address_length;
    return address_length == 0 ? NULL : (const struct sockaddr *)&address;
}

size_t notify_write(char *message, const char *key, uint64_t number) {
    size_t length = strlen(key);
    memcpy(message, key, length);
    return length + digits_write(message + length, number);
}

static bool send_through(
    long fd, const char *message, size_t length, const struct sockaddr *to, socklen_t to_length) {
    long sent;
    do {
        sent = raw_call(
            SYS_sendto, fd, (long)message, (long)length, MSG_DONTWAIT | MSG_NOSIGNAL, (long)to,
            to_length);
    } while (sent == -EINTR);
    return sent == (long)length;
}

static bool send_line(const char *message, size_t length) {
    if (address_length == 0)
        return true;
    if (is_kept() && send_through(kept, message, length, NULL, 0))
        return true;
    long fd = raw_call3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_sent =
        send_through(fd, message, length, (const struct sockaddr *)&address, address_length);
    raw_call3(SYS_close, fd, 0, 0);
    return is_sent;
}

bool notify_send(const char *key, uint64_t number) {
    char message[notify_key_limit + digits_limit];
    return send_line(message, notify_write(message, key, number));
}

bool notify_send_text(const char *key, const char *text) {
    char message[notify_key_limit + notify_text_limit];
    size_t key_length = strlen(key);
    size_t length = strnlen(text, notify_text_limit);
    memcpy(message, key, key_length);
    memcpy(message + key_length, text, length);
    return send_line(message, key_length + length);
}
