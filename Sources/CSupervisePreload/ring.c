#define _GNU_SOURCE
#include "ring.h"

#include "digits.h"
#include "environment.h"
#include "raw.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address;
static socklen_t address_length;

void ring_prepare(void) {
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
}

bool ring(uint64_t connections) {
    if (address_length == 0)
        return true;
    static const char key[] = "X_CONNECTIONS=";
    char message[sizeof key - 1 + digits_limit];
    memcpy(message, key, sizeof key - 1);
    size_t length = sizeof key - 1 + digits_write(message + sizeof key - 1, connections);
    /* A socket of this moment only: one kept open could be closed behind our back by a program that
     * closes all it does not know, and its number would be somebody else's. */
    long fd = raw_call3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    long sent;
    do {
        sent = raw_call(
            SYS_sendto, fd, (long)message, (long)length, MSG_DONTWAIT | MSG_NOSIGNAL,
            (long)&address, address_length);
    } while (sent == -EINTR);
    raw_call3(SYS_close, fd, 0, 0);
    return sent == (long)length;
}
