#ifndef SUPERVISE_PRELOAD_CONNECTIONS_H
#define SUPERVISE_PRELOAD_CONNECTIONS_H

/* The state of the observed connections. Its memory is mapped once; only the part in use becomes
 * resident.
 *
 * A connection is used under its lock. The wait for the lock is short, because the thread that
 * holds it may be the one that a signal handler has interrupted. */

#include "http_request.h"
#include "http_response.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    pending_limit = 4096,
    /* The limit per connection. */
    pending_most = 256,
    no_pending = 0xffff,
    no_row = 0xff,
};

/* A request from its first byte to the end of its response. */
struct pending {
    struct http_request request;
    uint64_t begun;
    uint64_t received;
    uint64_t responded;
    /* Its row in the record of a hunt. */
    uint32_t hunt_row;
    uint16_t next;
};

struct connection {
    /* The process that holds the lock; 0: none. */
    int lock;
    /* The process that claimed the row, and the one that last received or sent data. */
    int row_pid;
    int user_pid;
    uint64_t cookie;
    struct http_requests requests;
    struct http_responses responses;
    /* The requests in flight, oldest first, and the one being received. */
    uint16_t first, last, receiving;
    uint16_t count;
    uint8_t row;
    bool is_unlisted;
    /* The client sends no more data. */
    bool has_ended;
    /* Neither side can receive more data. */
    bool is_reset;
    bool is_used;
    bool has_responded;
    /* Set without the lock. */
    bool is_lost;
};

/* Maps the memory; false if that fails. */
bool connections_begin(void);

/* Returns the pid of this process. */
int connections_pid(void);

/* Returns whether its memory is its own. A child of vfork(2) closes descriptors while it uses its
 * parent's memory. */
bool connections_are_own(void);

struct connection *connection_at(int fd);
struct pending *pending_at(unsigned index);

/* Takes the lock for this process. Returns false if it stays held. If another thread held the lock
 * during fork(2), no thread holds it in the child: the child takes it and stops observing the
 * connection. */
bool connection_lock(struct connection *connection, int pid);
void connection_unlock(struct connection *connection);

/* Resets the state. The lock must be held. */
void connection_clear(struct connection *connection);

/* Returns an unused request, or no_pending if there is none. */
unsigned pending_take(void);
void pending_give(unsigned index);

#endif
