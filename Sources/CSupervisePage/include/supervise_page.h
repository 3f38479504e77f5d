#ifndef SUPERVISE_PAGE_H
#define SUPERVISE_PAGE_H

/* The page that a worker shares with its master, and the ledger behind it; layout version 1 of both.
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
    uint8_t reserved_after_reports[60];
    /* One bit per listener that a process of the worker has shut down, set by the preload library, by
     * the position in $SUPERVISE_WORKER_LISTENERS. */
    uint64_t shut_listeners;
    uint8_t reserved_after_shut_listeners[56];
    /* Written by the master: the time until which accept() finds no connections (CLOCK_MONOTONIC, in
     * nanoseconds), while another worker is hunted. */
    uint64_t pause;
    uint8_t reserved[supervise_page_size - 456];
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
    supervise_page_pause_at = offsetof(struct supervise_page, pause),
};

/* The ledger: the requests in flight in the worker's processes, and those that they have served. It
 * follows the page in the same file. Before it maps the ledger, a worker checks that the file is large
 * enough and that the ledger's version is not 0. A program that uses only the page need not map it. */

enum {
    supervise_ledger_version = 1,
    supervise_ledger_at = supervise_page_size,
    supervise_ledger_rows = 32,
    supervise_ledger_routes = 128,
    supervise_route_length = 80,
    /* By the first digit of the status; [0] counts those of 600 and above. */
    supervise_status_classes = 6,
};

/* A connection with a request in flight: its oldest. Times are CLOCK_MONOTONIC, in nanoseconds; 0: not
 * yet. */
struct supervise_ledger_row {
    /* Odd while the row is being written. A reader discards a row that is, or that has changed between two
     * reads. */
    uint32_t sequence;
    /* The process that read the request's head; 0: the row is free. */
    int32_t pid;
    /* SO_COOKIE of socket(7). */
    uint64_t connection;
    /* The first byte of the head, the last byte of the body, the first byte of the response. */
    uint64_t begun;
    uint64_t received;
    uint64_t responded;
    uint8_t length;
    uint8_t reserved[7];
    /* `length` bytes; none before the head is complete. */
    char route[supervise_route_length];
};

struct supervise_ledger_route {
    uint32_t sequence;
    /* Of the text; 0: the row is free. The row for all other routes has none. */
    uint8_t length;
    uint8_t reserved[3];
    /* The path segments that became `*` because their node had too many children, a bit each. */
    uint64_t collapsed;
    /* Responses, those of class 5xx, and the time from the heads to the ends of the responses. */
    uint64_t requests;
    uint64_t errors;
    uint64_t nanoseconds;
    uint64_t unused;
    char text[supervise_route_length];
};

struct supervise_ledger {
    /* Written by the master: the version, and bits of supervise_ledger_flags. */
    uint32_t version;
    uint32_t flags;
    /* Written by the master: the time in nanoseconds from the last byte of a request from which a response
     * is slow; 0: none is. */
    uint64_t slow_after;
    uint8_t reserved_after_slow[48];
    /* Responses that have ended, by status class and in total. Interim responses are not counted. The
     * process whose addition makes the total reach the page's limit sends `X_RESPONSES=<total>` to
     * $NOTIFY_SOCKET, if the page's `requests` is still 0. */
    uint64_t responses[supervise_status_classes];
    uint64_t requests;
    /* Connections that were accepted from the master's listeners. */
    uint64_t connections;
    /* Those of them on which a call to receive or send was seen. */
    uint64_t used;
    /* Those of them on which requests could not be read. */
    uint64_t opaque;
    /* Connections with a request in flight that found no free row. */
    uint64_t unlisted;
    /* The time of the first byte of the last slow response whose status is below 500; 0: none. */
    uint64_t slow_response;
    uint8_t reserved_after_slow_response[32];
    /* The process that changes the set of routes; 0: none. */
    int32_t lock;
    uint8_t reserved_after_lock[4];
    /* The time from the heads to the ends of all responses that are counted. */
    uint64_t nanoseconds;
    uint8_t reserved_after_nanoseconds[48];
    /* A hash of each route's text; 0: the row is free. */
    uint32_t hashes[supervise_ledger_routes];
    struct supervise_ledger_row rows[supervise_ledger_rows];
    /* The last one is for all other routes. */
    struct supervise_ledger_route routes[supervise_ledger_routes + 1];
};

enum supervise_ledger_flags {
    /* The preload library observes requests. */
    supervise_ledger_observe = 1 << 0,
    /* The worker is hunted: a record of its requests follows the ledger. */
    supervise_ledger_hunt = 1 << 1,
};

enum {
    supervise_ledger_flags_at = supervise_ledger_at + offsetof(struct supervise_ledger, flags),
    supervise_ledger_responses_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, responses),
    supervise_ledger_requests_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, requests),
    supervise_ledger_connections_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, connections),
    supervise_ledger_used_at = supervise_ledger_at + offsetof(struct supervise_ledger, used),
    supervise_ledger_opaque_at = supervise_ledger_at + offsetof(struct supervise_ledger, opaque),
    supervise_ledger_unlisted_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, unlisted),
    supervise_ledger_slow_after_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, slow_after),
    supervise_ledger_slow_response_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, slow_response),
    supervise_ledger_nanoseconds_at =
        supervise_ledger_at + offsetof(struct supervise_ledger, nanoseconds),
    supervise_ledger_rows_at = supervise_ledger_at + offsetof(struct supervise_ledger, rows),
    supervise_ledger_routes_at = supervise_ledger_at + offsetof(struct supervise_ledger, routes),
    supervise_ledger_row_size = sizeof(struct supervise_ledger_row),
    supervise_ledger_route_size = sizeof(struct supervise_ledger_route),
    /* Within a row. */
    supervise_row_pid_at = offsetof(struct supervise_ledger_row, pid),
    supervise_row_connection_at = offsetof(struct supervise_ledger_row, connection),
    supervise_row_begun_at = offsetof(struct supervise_ledger_row, begun),
    supervise_row_received_at = offsetof(struct supervise_ledger_row, received),
    supervise_row_responded_at = offsetof(struct supervise_ledger_row, responded),
    supervise_row_length_at = offsetof(struct supervise_ledger_row, length),
    supervise_row_route_at = offsetof(struct supervise_ledger_row, route),
    supervise_route_length_at = offsetof(struct supervise_ledger_route, length),
    supervise_route_requests_at = offsetof(struct supervise_ledger_route, requests),
    supervise_route_errors_at = offsetof(struct supervise_ledger_route, errors),
    supervise_route_nanoseconds_at = offsetof(struct supervise_ledger_route, nanoseconds),
    supervise_route_text_at = offsetof(struct supervise_ledger_route, text),
    /* The size of the file. */
    supervise_page_file_size = supervise_ledger_at + 6 * supervise_page_size,
};

/* The record of a hunt follows the ledger of the hunted worker: one row per request, with the memory in
 * use at its head, before the program sees it. What a request retained is the difference to the next row
 * of the same process. */

enum {
    supervise_hunt_version = 1,
    supervise_hunt_at = supervise_page_file_size,
    supervise_hunt_most_rows = 32768,
    /* The texts of --trace: after a fifth of the requests, and the last one. */
    supervise_hunt_traces = 2,
    supervise_hunt_trace_size = 64 * supervise_page_size,
};

enum supervise_hunt_row_flags {
    /* The response has ended; the status and the route are valid. */
    supervise_hunt_ended = 1 << 0,
    /* Another request of the process was in flight at the same time. */
    supervise_hunt_overlaps = 1 << 1,
    /* `bytes` is valid. */
    supervise_hunt_measured = 1 << 2,
};

struct supervise_hunt_row {
    /* Bits of supervise_hunt_row_flags; 0 until the row is in use. */
    uint32_t flags;
    int32_t pid;
    /* CLOCK_MONOTONIC, in nanoseconds, of the head. */
    uint64_t begun;
    /* The bytes of live objects after a collection. */
    uint64_t bytes;
    /* The anonymous resident memory of the process in bytes. */
    uint64_t resident;
    uint16_t status;
    uint8_t length;
    uint8_t reserved[5];
    /* `length` bytes. None for a status of 404 or 405, whose routes are not kept. */
    char route[supervise_route_length];
};

enum supervise_hunt_runtimes {
    supervise_hunt_python = 1 << 0,
    supervise_hunt_node = 1 << 1,
    supervise_hunt_traced = 1 << 2,
};

struct supervise_hunt {
    /* Written by the master: the version, the number of rows, the requests and the nanoseconds after which
     * the hunt ends, and when it began (CLOCK_MONOTONIC). */
    uint32_t version;
    uint32_t capacity;
    uint64_t requests;
    uint64_t nanoseconds;
    uint64_t begun;
    uint8_t reserved_after_begun[32];
    /* Rows in use. More requests than rows are not recorded. */
    uint32_t count;
    /* Bits of supervise_hunt_runtimes, set by those that measure. */
    uint32_t runtimes;
    /* The lengths of the texts, and the requests before each. */
    uint32_t trace_lengths[supervise_hunt_traces];
    uint32_t trace_counts[supervise_hunt_traces];
    uint8_t reserved_after_traces[40];
    /* Lines of `BYTES FILE:LINE`, largest first. */
    char traces[supervise_hunt_traces][supervise_hunt_trace_size];
    struct supervise_hunt_row rows[];
};

enum {
    supervise_hunt_count_at = supervise_hunt_at + offsetof(struct supervise_hunt, count),
    supervise_hunt_runtimes_at = supervise_hunt_at + offsetof(struct supervise_hunt, runtimes),
    supervise_hunt_trace_lengths_at =
        supervise_hunt_at + offsetof(struct supervise_hunt, trace_lengths),
    supervise_hunt_trace_counts_at =
        supervise_hunt_at + offsetof(struct supervise_hunt, trace_counts),
    supervise_hunt_traces_at = supervise_hunt_at + offsetof(struct supervise_hunt, traces),
    supervise_hunt_rows_at = supervise_hunt_at + offsetof(struct supervise_hunt, rows),
    supervise_hunt_row_size = sizeof(struct supervise_hunt_row),
    /* Within a row. */
    supervise_hunt_row_pid_at = offsetof(struct supervise_hunt_row, pid),
    supervise_hunt_row_bytes_at = offsetof(struct supervise_hunt_row, bytes),
    supervise_hunt_row_resident_at = offsetof(struct supervise_hunt_row, resident),
    supervise_hunt_row_status_at = offsetof(struct supervise_hunt_row, status),
    supervise_hunt_row_length_at = offsetof(struct supervise_hunt_row, length),
    supervise_hunt_row_route_at = offsetof(struct supervise_hunt_row, route),
};

#endif
