/* Any calls of a program on a few connections, with any bytes, while another process writes anything to
 * the ledger. The observer writes nowhere but to its own memory and the ledger, and loses no request of
 * its pool. */

#include "connections.h"
#include "counting.h"
#include "exchanges.h"
#include "holding.h"
#include "hunt.h"
#include "ledger.h"
#include "ledger_routes.h"
#include "observe.h"
#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void counting_response(uint64_t total) {
    (void)total;
}

/* There is no such descriptor that it could shut down. */
uint32_t page_flags(void) {
    return supervise_page_drain;
}

/* The worker is not hunted, so none of these is called. */
struct supervise_hunt *hunt;

uint32_t hunt_begin(int pid, uint64_t now) {
    (void)pid;
    (void)now;
    abort();
}

void hunt_end(uint32_t row, unsigned status, const struct ledger_name *name) {
    (void)row;
    (void)status;
    (void)name;
    abort();
}

void hunt_leave(uint32_t row, int pid) {
    (void)row;
    (void)pid;
    abort();
}

void hunt_measure(uint32_t row) {
    (void)row;
    abort();
}

void holding_is_used(void) {
    abort();
}

enum { descriptors = 4, first_descriptor = 700 };

static void require(bool holds) {
    if (!holds)
        abort();
}

static void begin(void) {
    if (ledger != NULL) {
        memset(ledger, 0, sizeof *ledger);
        return;
    }
    ledger = calloc(1, sizeof *ledger);
    require(ledger != NULL);
    observe_begin();
    require(ledger != NULL);
}

static void require_bounds(void) {
    for (int index = 0; index < descriptors; index++) {
        const struct connection *connection = connection_at(first_descriptor + index);
        require(connection->lock == 0);
        if (!is_observed(first_descriptor + index))
            continue;
        require(connection->count <= pending_most);
        unsigned count = 0;
        for (unsigned at = connection->first; at != no_pending; at = pending_at(at)->next)
            count++;
        require(count == connection->count);
    }
}

/* All pending requests are free again. */
static void require_no_leak(void) {
    unsigned index = pending_take();
    require(index == 0);
    pending_give(index);
}

static void require_routes(void) {
    require(ledger_lock((int)getpid()));
    for (int index = 0; index <= supervise_ledger_routes; index++)
        require(ledger->routes[index].length <= supervise_route_length);
    ledger_unlock();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    begin();
    bool is_hostile = false;
    while (size >= 3) {
        int fd = first_descriptor + data[0] % descriptors;
        unsigned call = data[0] / descriptors % 12;
        size_t count = data[1];
        data += 2;
        size -= 2;
        size_t given = count < size ? count : size;
        /* In memory of its own, so that a read past the end is found. */
        uint8_t *bytes = malloc(given > 0 ? given : 1);
        require(bytes != NULL);
        memcpy(bytes, data, given);
        struct iovec vector[2] = {{bytes, given / 2}, {bytes + given / 2, given - given / 2}};
        switch (call) {
        case 0: observe_accepted(fd, true); break;
        case 1: observe_received(fd, bytes, (ssize_t)given); break;
        case 2: observe_sent(fd, bytes, (ssize_t)given); break;
        case 3: observe_received_vector(fd, vector, 2, (ssize_t)given); break;
        case 4: observe_sent_vector(fd, vector, 2, (ssize_t)given); break;
        case 5: observe_discarded(fd, (ssize_t)count * count); break;
        case 6: observe_sent_unread(fd, (ssize_t)count * count); break;
        case 7: observe_end_of_input(fd); break;
        case 8: observe_reset(fd); break;
        case 9: observe_closing(fd); break;
        case 10:
            /* As in the child of fork(2) if another thread held it. Its requests would be lost. */
            if (is_observed(fd) && connection_at(fd)->count == 0) {
                connection_at(fd)->lock = 1;
                observe_end_of_input(fd);
            }
            break;
        default:
            is_hostile = true;
            for (size_t at = 0; at + 2 < given; at += 3) {
                size_t place = (size_t)(bytes[at] | bytes[at + 1] << 8) % sizeof *ledger;
                ((uint8_t *)ledger)[place] = bytes[at + 2];
            }
            ledger->lock = 0;
        }
        if (call >= 1 && call <= 4) {
            data += given;
            size -= given;
        }
        free(bytes);
        require_bounds();
    }
    observe_closing_range(0, observed_limit - 1);
    require_no_leak();
    if (!is_hostile)
        require_routes();
    return 0;
}
