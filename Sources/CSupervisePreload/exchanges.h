#ifndef SUPERVISE_PRELOAD_EXCHANGES_H
#define SUPERVISE_PRELOAD_EXCHANGES_H

/* The requests and responses on one connection, from what the program receives and sends to what the
 * ledger says of them. */

#include "connections.h"

#include <stddef.h>

/* One call of the program, on one connection whose lock is held. */
struct observation {
    struct connection *connection;
    int fd;
    int pid;
    /* Read at most once. */
    uint64_t now;
    /* Whether the row has to be written. */
    bool is_changed;
    /* Whether a request has begun whose memory must be measured, and its row. */
    bool is_hunted;
    uint32_t hunt_row;
};

/* What the program received or sent; false once the connection is no longer observed. */
bool exchange_received(struct observation *observation, const void *data, size_t size);
bool exchange_sent(struct observation *observation, const void *data, size_t size);

/* The same for bytes that cannot be read. */
void exchange_discarded(struct observation *observation, size_t size);
void exchange_sent_unread(struct observation *observation, size_t size);

/* The client sends nothing more. It may still wait for the responses to complete requests. */
void exchange_end_of_input(struct observation *observation);

/* The connection was reset. */
void exchange_reset(struct observation *observation);

/* The program sends nothing more: a response that has begun has ended. */
void exchange_end(struct observation *observation);

/* The process exits: a response that has begun has ended, and the row of any other request stays. */
void exchange_exit(struct observation *observation);

/* This is not HTTP/1, or is no longer visible. */
void exchange_lose(struct observation *observation);

/* Writes what has changed to the ledger. */
void exchange_write(struct observation *observation);

#endif
