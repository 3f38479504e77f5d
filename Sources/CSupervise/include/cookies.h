// Open sockets by their cookies (SO_COOKIE of socket(7)), as reported by the kernel.
#ifndef CSUPERVISE_COOKIES_H
#define CSUPERVISE_COOKIES_H

#include <stdint.h>

// A socket to find. `found` and the address of its other end are written.
struct csupervise_cookie {
    uint64_t cookie;
    uint8_t found;
    // AF_INET, AF_INET6, or 0 without an address.
    uint8_t family;
    // In the machine's byte order.
    uint16_t port;
    // In network byte order; the first 4 bytes for AF_INET.
    uint8_t address[16];
};

// Finds these sockets among the TCP sockets of one family with this local port. Returns 0, or -1 with
// errno.
int csupervise_find_tcp(int diagnosis, int family, uint16_t port, struct csupervise_cookie *wanted,
                        int count);

// Finds these sockets among the unix sockets. Returns 0, or -1 with errno.
int csupervise_find_unix(int diagnosis, struct csupervise_cookie *wanted, int count);

#endif
