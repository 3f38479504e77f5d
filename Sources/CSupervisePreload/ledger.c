#define _GNU_SOURCE
#include "ledger.h"

#include "ledger_routes.h"
#include "raw.h"

#include <errno.h>
#include <string.h>

struct supervise_ledger *ledger;

enum { not_found = 404, method_not_allowed = 405 };

/* Checks one row, another one each time, and claims it if its process has died. */
static int reclaim(int pid) {
    static unsigned next;
    unsigned index = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % supervise_ledger_rows;
    struct supervise_ledger_row *row = &ledger->rows[index];
    int32_t holder = __atomic_load_n(&row->pid, __ATOMIC_RELAXED);
    if (holder <= 0 || holder == pid || raw_call3(SYS_kill, holder, 0, 0) != -ESRCH)
        return -1;
    bool is_ours = __atomic_compare_exchange_n(
        &row->pid, &holder, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    return is_ours ? (int)index : -1;
}

int ledger_claim(int pid) {
    int row = reclaim(pid);
    if (row >= 0)
        return row;
    for (int index = 0; index < supervise_ledger_rows; index++) {
        int32_t free = 0;
        int32_t *holder = &ledger->rows[index].pid;
        if (__atomic_load_n(holder, __ATOMIC_RELAXED) == 0
            && __atomic_compare_exchange_n(
                holder, &free, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return index;
    }
    return -1;
}

/* The sequence is odd from here to the next call, whatever a dead process left in it. */
static void begin_change(uint32_t *sequence) {
    uint32_t value = __atomic_load_n(sequence, __ATOMIC_RELAXED) | 1;
    __atomic_store_n(sequence, value, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_change(uint32_t *sequence) {
    uint32_t value = __atomic_load_n(sequence, __ATOMIC_RELAXED);
    __atomic_store_n(sequence, (value | 1) + 1, __ATOMIC_RELEASE);
}

void ledger_write(int index, const struct ledger_request *request) {
    struct supervise_ledger_row *row = &ledger->rows[index];
    begin_change(&row->sequence);
    row->connection = request->connection;
    row->begun = request->begun;
    row->received = request->received;
    row->responded = request->responded;
    row->length = 0;
    if (request->route != NULL && request->route->length <= supervise_route_length) {
        row->length = request->route->length;
        memcpy(row->route, request->route->text, row->length);
    }
    end_change(&row->sequence);
}

void ledger_release(int index) {
    struct supervise_ledger_row *row = &ledger->rows[index];
    static const struct ledger_request none;
    ledger_write(index, &none);
    __atomic_store_n(&row->pid, 0, __ATOMIC_RELEASE);
}

void ledger_forget(int pid) {
    for (int index = 0; index < supervise_ledger_rows; index++) {
        if (__atomic_load_n(&ledger->rows[index].pid, __ATOMIC_RELAXED) == pid)
            ledger_release(index);
    }
}

void ledger_begin_response(unsigned status, uint64_t received, uint64_t responded) {
    uint64_t slow_after = __atomic_load_n(&ledger->slow_after, __ATOMIC_RELAXED);
    /* A dependency that hangs causes late errors as well. */
    if (slow_after != 0 && received != 0 && responded - received >= slow_after && status < 500)
        __atomic_store_n(&ledger->slow_response, responded, __ATOMIC_RELAXED);
}

static void add_to(
    struct supervise_ledger_route *row, unsigned status, uint64_t nanoseconds) {
    ledger_add(&row->requests, 1);
    ledger_add(&row->errors, status >= 500 && status < 600);
    ledger_add(&row->nanoseconds, nanoseconds);
}

static void copy_name(struct ledger_name *name, const struct supervise_ledger_route *row) {
    name->length = row->length <= supervise_route_length ? row->length : 0;
    memcpy(name->text, row->text, name->length);
}

static void count_route(
    int pid, unsigned status, const struct http_route *route, uint64_t nanoseconds,
    struct ledger_name *name) {
    /* Scanners request paths that do not exist: these must not fill the table. */
    if (route == NULL || status == not_found || status == method_not_allowed)
        return;
    if (!ledger_lock(pid)) {
        add_to(&ledger->routes[supervise_ledger_routes], status, nanoseconds);
        return;
    }
    struct supervise_ledger_route *row = ledger_route(route);
    add_to(row, status, nanoseconds);
    if (name != NULL)
        copy_name(name, row);
    ledger_unlock();
}

uint64_t ledger_count(
    int pid, unsigned status, const struct http_route *route, uint64_t nanoseconds,
    struct ledger_name *name) {
    unsigned class = status / 100 < supervise_status_classes ? status / 100 : 0;
    ledger_add(&ledger->responses[class], 1);
    ledger_add(&ledger->nanoseconds, nanoseconds);
    count_route(pid, status, route, nanoseconds, name);
    return __atomic_add_fetch(&ledger->requests, 1, __ATOMIC_RELAXED);
}
