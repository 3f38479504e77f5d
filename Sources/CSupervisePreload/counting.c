#define _GNU_SOURCE
#include "counting.h"

#include "ledger.h"
#include "notify.h"
#include "page.h"

#include <stdatomic.h>

static bool is_counting;

/* Whether a total could not be sent because the master's socket was full. The next count sends
 * it. */
static atomic_bool is_connection_owed, is_response_owed;

void counting_begin(void) {
    is_counting = true;
}

bool counting_is_on(void) {
    return is_counting;
}

static void notify(bool is_due, atomic_bool *is_owed, const char *key, uint64_t total) {
    if (!is_due && atomic_load_explicit(is_owed, memory_order_relaxed))
        is_due = atomic_exchange_explicit(is_owed, false, memory_order_relaxed);
    if (is_due && !notify_send(key, total))
        atomic_store_explicit(is_owed, true, memory_order_relaxed);
}

static uint64_t responses(void) {
    return ledger != NULL ? __atomic_load_n(&ledger->requests, __ATOMIC_RELAXED) : 0;
}

void counting_connection(void) {
    bool is_due = page_count_connection() && responses() == 0;
    notify(is_due, &is_connection_owed, "X_CONNECTIONS=", page_connections());
}

void counting_response(uint64_t total) {
    /* Exactly one thread of all processes gets this total. */
    bool is_due = is_counting && total == page_limit() && page_requests() == 0;
    notify(is_due, &is_response_owed, "X_RESPONSES=", total);
}
