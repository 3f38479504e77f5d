#ifndef SUPERVISE_PAGE_H
#define SUPERVISE_PAGE_H

/* The page that a worker shares with its master, layout version 1.
 *
 * It is a memfd_create(2) file, sealed against shrinking, growing and further seals. A worker finds its
 * descriptor in $SUPERVISE_WORKER_PAGE. Before it maps the page, a worker checks the magic, the
 * version and the nonce (equal to $SUPERVISE_WORKER_ID): a process started by a worker may hold an
 * unrelated file under the same number.
 *
 * All numbers are in the machine's byte order and aligned. Each field that is written while the worker
 * runs has a cache line of its own. Reserved bytes are zero. A later version keeps the meaning of
 * these fields.
 *
 * The worker's processes map the page and access its numbers with atomic operations. The master only
 * reads and writes the file, so nothing that a worker does to the page can raise SIGBUS in the master,
 * and it validates every value that it reads. */

#include <stddef.h>
#include <stdint.h>

#define SUPERVISE_PAGE_MAGIC "SUPERVIS"

enum {
    supervise_page_version = 1,
    supervise_page_size = 4096,
    supervise_page_magic_length = 8,
    /* Lower-case hexadecimal digits. */
    supervise_page_nonce_length = 32,
};

struct supervise_page_head {
    char magic[supervise_page_magic_length];
    uint32_t version;
    uint32_t zero;
    char nonce[supervise_page_nonce_length];
};

struct supervise_page {
    struct supervise_page_head head;
    uint8_t reserved_after_head[16];
    /* Requests served so far. The worker adds to it. */
    uint64_t requests;
    uint8_t reserved_after_requests[56];
    /* Written by the master; 0: no limit. The process whose addition makes a count reach it sends
     * `X_REQUESTS=<total>` to $NOTIFY_SOCKET, once. */
    uint64_t limit;
    uint8_t reserved_after_limit[56];
    /* Connections accepted on the master's listeners. The preload library adds to it, and sends
     * `X_CONNECTIONS=<total>` at the limit if `requests` is still 0. */
    uint64_t connections;
    uint8_t reserved_after_connections[56];
    /* Bits of supervise_page_flags, written by the master. */
    uint32_t flags;
    uint8_t reserved_after_flags[60];
    /* Bits of supervise_page_reports, set by the preload library. */
    uint32_t reports;
    uint8_t reserved[supervise_page_size - 324];
};

enum supervise_page_flags {
    /* The worker is drained: its accept() finds no more connections. */
    supervise_page_drain = 1 << 0,
};

enum supervise_page_reports {
    /* A process of the worker has loaded the preload library. */
    supervise_page_loaded = 1 << 0,
    /* A process of the worker waits for connections on a listener of the master's, or did. */
    supervise_page_waits = 1 << 1,
};

/* Offsets in bytes, for programs that do not map the page. */
enum {
    supervise_page_version_at = offsetof(struct supervise_page, head.version),
    supervise_page_nonce_at = offsetof(struct supervise_page, head.nonce),
    supervise_page_requests_at = offsetof(struct supervise_page, requests),
    supervise_page_limit_at = offsetof(struct supervise_page, limit),
    supervise_page_connections_at = offsetof(struct supervise_page, connections),
    supervise_page_flags_at = offsetof(struct supervise_page, flags),
    supervise_page_reports_at = offsetof(struct supervise_page, reports),
};

#endif
