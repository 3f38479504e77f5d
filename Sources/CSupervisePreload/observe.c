#define _GNU_SOURCE
#include "observe.h"

#include "connections.h"
#include "exchanges.h"
#include "hunt.h"
#include "ledger.h"
#include "raw.h"

#include <sys/socket.h>

uint64_t observed[observed_limit / observed_bits];

void set_observed(int fd, bool is) {
    uint64_t bit = (uint64_t)1 << fd % observed_bits;
    if (is)
        __atomic_fetch_or(&observed[fd / observed_bits], bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&observed[fd / observed_bits], ~bit, __ATOMIC_RELAXED);
}

static bool enter(struct observation *observation, int fd) {
    if (!is_observed(fd))
        return false;
    *observation = (struct observation){.connection = connection_at(fd), .fd = fd};
    observation->pid = connections_pid();
    if (!connection_lock(observation->connection, observation->pid)) {
        __atomic_store_n(&observation->connection->is_lost, true, __ATOMIC_RELAXED);
        return false;
    }
    /* Another thread has closed it meanwhile. */
    if (!is_observed(fd)) {
        connection_unlock(observation->connection);
        return false;
    }
    if (__atomic_load_n(&observation->connection->is_lost, __ATOMIC_RELAXED)) {
        exchange_lose(observation);
        connection_unlock(observation->connection);
        return false;
    }
    return true;
}

/* The program has received or sent something, or has found out that it cannot. */
static void use(struct observation *observation) {
    observation->connection->user_pid = observation->pid;
    if (!observation->connection->is_used)
        ledger_add(&ledger->used, 1);
    observation->connection->is_used = true;
}

static void leave(struct observation *observation) {
    exchange_write(observation);
    connection_unlock(observation->connection);
    if (__builtin_expect(observation->is_hunted, 0))
        hunt_measure(observation->hunt_row);
}

static void observe_vector(
    int fd, const struct iovec *vector, size_t parts, ssize_t count,
    bool (*take)(struct observation *, const void *, size_t)) {
    struct observation observation;
    if (count <= 0 || !enter(&observation, fd))
        return;
    use(&observation);
    size_t left = (size_t)count;
    for (size_t index = 0; index < parts && left > 0; index++) {
        size_t size = vector[index].iov_len < left ? vector[index].iov_len : left;
        if (!take(&observation, vector[index].iov_base, size))
            break;
        left -= size;
    }
    leave(&observation);
}

void observe_received_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count) {
    observe_vector(fd, vector, parts, count, exchange_received);
}

void observe_sent_vector(int fd, const struct iovec *vector, size_t parts, ssize_t count) {
    observe_vector(fd, vector, parts, count, exchange_sent);
}

void observe_received(int fd, const void *bytes, ssize_t count) {
    struct iovec whole = {(void *)(uintptr_t)bytes, (size_t)count};
    observe_vector(fd, &whole, 1, count, exchange_received);
}

void observe_sent(int fd, const void *bytes, ssize_t count) {
    struct iovec whole = {(void *)(uintptr_t)bytes, (size_t)count};
    observe_vector(fd, &whole, 1, count, exchange_sent);
}

void observe_discarded(int fd, ssize_t count) {
    struct observation observation;
    if (count <= 0 || !enter(&observation, fd))
        return;
    use(&observation);
    exchange_discarded(&observation, (size_t)count);
    leave(&observation);
}

void observe_sent_unread(int fd, ssize_t count) {
    struct observation observation;
    if (count <= 0 || !enter(&observation, fd))
        return;
    use(&observation);
    exchange_sent_unread(&observation, (size_t)count);
    leave(&observation);
}

static void observe_event(int fd, void (*handle)(struct observation *)) {
    struct observation observation;
    if (!is_observed(fd) || !connections_are_own() || !enter(&observation, fd))
        return;
    handle(&observation);
    leave(&observation);
}

static void end_input(struct observation *observation) {
    use(observation);
    exchange_end_of_input(observation);
}

void observe_end_of_input(int fd) {
    observe_event(fd, end_input);
}

static void reset(struct observation *observation) {
    use(observation);
    exchange_reset(observation);
}

void observe_reset(int fd) {
    observe_event(fd, reset);
}

void observe_closing(int fd) {
    observe_event(fd, exchange_end);
}

static void observe_exit(int fd) {
    observe_event(fd, exchange_exit);
}

void observe_lost(int fd) {
    observe_event(fd, exchange_lose);
}

static void for_observed(unsigned first, unsigned last, void (*handle)(int)) {
    for (unsigned word = first / observed_bits; word < observed_limit / observed_bits; word++) {
        if (__atomic_load_n(&observed[word], __ATOMIC_RELAXED) == 0)
            continue;
        for (unsigned bit = 0; bit < observed_bits; bit++) {
            unsigned number = word * observed_bits + bit;
            if (number >= first && number <= last)
                handle((int)number);
        }
        if (word >= last / observed_bits)
            return;
    }
}

void observe_closing_range(unsigned first, unsigned last) {
    if (ledger != NULL)
        for_observed(first, last, observe_closing);
}

/* False if the connection cannot be observed: its number is too high, or another thread still handles
 * the last connection of that number. */
static bool begin(int fd) {
    if ((unsigned)fd >= observed_limit)
        return false;
    struct connection *connection = connection_at(fd);
    if (!connection_lock(connection, connections_pid())) {
        set_observed(fd, false);
        return false;
    }
    connection_clear(connection);
    raw_option(fd, SOL_SOCKET, SO_COOKIE, &connection->cookie, sizeof connection->cookie);
    set_observed(fd, true);
    connection_unlock(connection);
    return true;
}

void observe_accepted(int fd, bool is_ours) {
    if (ledger == NULL)
        return;
    /* The number's last file may have been closed by a call that is not intercepted. */
    observe_closing(fd);
    if (!is_ours)
        return;
    ledger_add(&ledger->connections, 1);
    if (!begin(fd))
        ledger_add(&ledger->opaque, 1);
}

/* The program leaves its connections to the kernel to close. Rows of requests in flight stay: the master
 * reads them when the worker has ended. */
__attribute__((destructor)) static void finish_all(void) {
    if (ledger != NULL)
        for_observed(0, observed_limit - 1, observe_exit);
}

void observe_begin(void) {
    if (ledger == NULL)
        return;
    if (connections_begin())
        ledger_forget(connections_pid());
    else
        ledger = NULL;
}
