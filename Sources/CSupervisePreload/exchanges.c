#define _GNU_SOURCE
#include "exchanges.h"

#include "counting.h"
#include "holding.h"
#include "ledger.h"
#include "observe.h"
#include "page.h"
#include "raw.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static uint64_t now(struct observation *observation) {
    if (observation->now == 0) {
        struct timespec time = {0, 0};
        clock_gettime(CLOCK_MONOTONIC, &time);
        observation->now = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
    }
    return observation->now;
}

/* The ledger's rows */

static void release_row(struct observation *observation) {
    struct connection *connection = observation->connection;
    if (connection->row != no_row && connection->row_pid == observation->pid)
        ledger_release(connection->row);
    connection->row = no_row;
    if (connection->is_unlisted && connection->row_pid == observation->pid)
        ledger_add(&ledger->unlisted, (uint64_t)-1);
    connection->is_unlisted = false;
}

static void claim_row(struct observation *observation) {
    struct connection *connection = observation->connection;
    bool was_unlisted = connection->is_unlisted && connection->row_pid == observation->pid;
    int row = ledger_claim(observation->pid);
    connection->is_unlisted = row < 0;
    connection->row = row < 0 ? no_row : (uint8_t)row;
    connection->row_pid = observation->pid;
    if (was_unlisted != connection->is_unlisted)
        ledger_add(&ledger->unlisted, was_unlisted ? (uint64_t)-1 : 1);
}

/* Whether the client waits for a response. A request that can no longer be completed gets none. */
static bool is_awaited(const struct connection *connection) {
    return connection->first != no_pending && !connection->is_reset
        && (!connection->has_ended || pending_at(connection->first)->received != 0);
}

void exchange_write(struct observation *observation) {
    struct connection *connection = observation->connection;
    if (!observation->is_changed || !is_observed(observation->fd))
        return;
    if (!is_awaited(connection)) {
        release_row(observation);
        return;
    }
    if (connection->row == no_row || connection->row_pid != observation->pid)
        claim_row(observation);
    if (connection->row == no_row)
        return;
    const struct pending *pending = pending_at(connection->first);
    struct ledger_request request = {
        .connection = connection->cookie,
        .begun = pending->begun,
        .received = pending->received,
        .responded = pending->responded,
        .route = pending->request.has_head ? &pending->request.route : NULL,
    };
    ledger_write(connection->row, &request);
}

/* Requests in flight */

static void begin_hunted(struct observation *observation, struct pending *pending) {
    holding_is_used();
    pending->hunt_row = hunt_begin(observation->pid, pending->begun);
    observation->is_hunted = pending->hunt_row != no_hunt_row;
    observation->hunt_row = pending->hunt_row;
}

static bool append(struct observation *observation) {
    struct connection *connection = observation->connection;
    unsigned index = connection->count < pending_most ? pending_take() : no_pending;
    if (index == no_pending)
        return false;
    struct pending *pending = pending_at(index);
    pending->begun = now(observation);
    pending->received = pending->responded = 0;
    pending->next = no_pending;
    pending->request.has_head = false;
    pending->hunt_row = no_hunt_row;
    if (__builtin_expect(hunt != NULL, 0))
        begin_hunted(observation, pending);
    if (connection->first == no_pending)
        connection->first = (uint16_t)index;
    else
        pending_at(connection->last)->next = (uint16_t)index;
    connection->last = connection->receiving = (uint16_t)index;
    connection->count++;
    return true;
}

static void remove_first(struct connection *connection) {
    unsigned index = connection->first;
    connection->first = pending_at(index)->next;
    connection->count--;
    if (connection->receiving == index)
        connection->receiving = no_pending;
    if (__builtin_expect(hunt != NULL, 0)) {
        hunt_leave(pending_at(index)->hunt_row, connections_pid());
        holding_is_used();
    }
    pending_give(index);
}

static void drop(struct observation *observation) {
    struct connection *connection = observation->connection;
    set_observed(observation->fd, false);
    while (connection->first != no_pending)
        remove_first(connection);
    release_row(observation);
}

void exchange_lose(struct observation *observation) {
    if (!observation->connection->has_responded)
        ledger_add(&ledger->opaque, 1);
    drop(observation);
}

/* Counts the response to the oldest request. */
static void finish(struct observation *observation) {
    struct connection *connection = observation->connection;
    const struct pending *pending = pending_at(connection->first);
    const struct http_route *route = pending->request.has_head ? &pending->request.route : NULL;
    struct ledger_name name = {0};
    uint64_t total = ledger_count(
        observation->pid, connection->responses.status, route,
        now(observation) - pending->begun, hunt != NULL ? &name : NULL);
    if (__builtin_expect(hunt != NULL, 0))
        hunt_end(pending->hunt_row, connection->responses.status, &name);
    counting_response(total);
    connection->has_responded = true;
    remove_first(connection);
    observation->is_changed = true;
}

static void finish_rest(struct observation *observation) {
    struct connection *connection = observation->connection;
    bool is_user = connection->user_pid == observation->pid;
    if (is_user && connection->first != no_pending
        && responses_are_within(&connection->responses))
        finish(observation);
}

void exchange_end(struct observation *observation) {
    finish_rest(observation);
    drop(observation);
}

void exchange_exit(struct observation *observation) {
    finish_rest(observation);
}

/* While the worker is drained, ends a connection behind a response, so that its client does not send
 * another request: both sides receive an end of file, as after a keep-alive timeout. A request that has
 * arrived meanwhile is served. */
static void end_if_draining(struct observation *observation) {
    const struct connection *connection = observation->connection;
    if (__builtin_expect((page_flags() & supervise_page_drain) == 0, 1)
        || connection->first != no_pending || !requests_are_between(&connection->requests))
        return;
    int unread = 0;
    if (raw_call3(SYS_ioctl, observation->fd, FIONREAD, (long)&unread) == 0 && unread == 0)
        raw_call3(SYS_shutdown, observation->fd, SHUT_RDWR, 0);
}

/* Bytes */

static bool handle_request(struct observation *observation, unsigned events) {
    struct connection *connection = observation->connection;
    observation->is_changed |= events != 0;
    if ((events & http_request_fails) != 0
        || ((events & http_request_begins) != 0 && !append(observation))) {
        exchange_lose(observation);
        return false;
    }
    if ((events & http_request_ends) != 0 && connection->receiving != no_pending) {
        pending_at(connection->receiving)->received = now(observation);
        connection->receiving = no_pending;
    }
    return true;
}

bool exchange_received(struct observation *observation, const void *data, size_t size) {
    struct connection *connection = observation->connection;
    struct http_bytes bytes = {data, (const uint8_t *)data + size};
    for (;;) {
        unsigned index = connection->receiving;
        struct http_request *request =
            index != no_pending ? &pending_at(index)->request : NULL;
        unsigned events = requests_read(&connection->requests, request, &bytes);
        if (events == 0)
            return true;
        if (!handle_request(observation, events))
            return false;
    }
}

static bool handle_response(struct observation *observation, unsigned events) {
    struct connection *connection = observation->connection;
    if ((events & http_response_fails) != 0) {
        exchange_lose(observation);
        return false;
    }
    if ((events & http_response_begins) != 0) {
        struct pending *pending = pending_at(connection->first);
        pending->responded = now(observation);
        ledger_begin_response(
            connection->responses.status, pending->received, pending->responded);
        observation->is_changed = true;
    }
    if ((events & http_response_ends) == 0)
        return true;
    /* A request whose head is incomplete has no place to be completed in. */
    bool is_last = (events & http_response_upgrades) != 0
        || !pending_at(connection->first)->request.has_head;
    finish(observation);
    if ((events & http_response_upgrades) != 0)
        ledger_add(&ledger->opaque, 1);
    if (is_last)
        drop(observation);
    else
        end_if_draining(observation);
    return !is_last;
}

bool exchange_sent(struct observation *observation, const void *data, size_t size) {
    struct connection *connection = observation->connection;
    struct http_bytes bytes = {data, (const uint8_t *)data + size};
    while (bytes.next < bytes.end) {
        if (connection->first == no_pending) {
            exchange_lose(observation);
            return false;
        }
        const struct http_request *request = &pending_at(connection->first)->request;
        enum http_response_to to = !request->has_head ? http_to_any
            : request->is_head                        ? http_to_head
            : request->is_connect                     ? http_to_connect
                                                      : http_to_any;
        unsigned events = responses_read(&connection->responses, to, &bytes);
        if (events != 0 && !handle_response(observation, events))
            return false;
    }
    return true;
}

void exchange_discarded(struct observation *observation, size_t size) {
    handle_request(observation, requests_skip(&observation->connection->requests, size));
}

void exchange_sent_unread(struct observation *observation, size_t size) {
    struct connection *connection = observation->connection;
    if (connection->first == no_pending)
        exchange_lose(observation);
    else
        handle_response(observation, responses_skip(&connection->responses, size));
}

void exchange_end_of_input(struct observation *observation) {
    observation->connection->has_ended = true;
    observation->is_changed = true;
}

void exchange_reset(struct observation *observation) {
    observation->connection->is_reset = true;
    observation->is_changed = true;
}
