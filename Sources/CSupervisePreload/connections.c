#define _GNU_SOURCE
#include "connections.h"

#include "observe.h"
#include "raw.h"

#include <string.h>
#include <sys/mman.h>

/* Some libcs do not define it in their headers (madvise(2)). */
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct memory {
    struct connection connections[observed_limit];
    struct pending pending[pending_limit];
};

enum { word_bits = 64, spins = 200, yields = 20, wiped_size = 4096 };

static struct memory *memory;
static uint64_t taken[pending_limit / word_bits];

/* The process that this memory belongs to. The kernel clears it in a child of fork(2)
 * (MADV_WIPEONFORK of madvise(2)), but not in one of vfork(2). */
static int *owner;

static void *map(uint64_t size) {
    long address = raw_call(
        SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return address > 0 || address < -4095 ? (void *)address : NULL;
}

bool connections_begin(void) {
    owner = map(wiped_size);
    if (owner == NULL
        || raw_call3(SYS_madvise, (long)owner, wiped_size, MADV_WIPEONFORK) != 0)
        return false;
    memory = map(sizeof *memory);
    return memory != NULL;
}

int connections_pid(void) {
    int pid = __atomic_load_n(owner, __ATOMIC_RELAXED);
    if (pid == 0) {
        pid = (int)raw_call3(SYS_getpid, 0, 0, 0);
        __atomic_store_n(owner, pid, __ATOMIC_RELAXED);
    }
    return pid;
}

bool connections_are_own(void) {
    return connections_pid() == (int)raw_call3(SYS_getpid, 0, 0, 0);
}

struct connection *connection_at(int fd) {
    return &memory->connections[fd];
}

struct pending *pending_at(unsigned index) {
    return &memory->pending[index];
}

static bool exchange_lock(struct connection *connection, int *holder, int pid) {
    return __atomic_compare_exchange_n(
        &connection->lock, holder, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void connection_clear(struct connection *connection) {
    int lock = connection->lock;
    memset(connection, 0, sizeof *connection);
    connection->lock = lock;
    requests_begin(&connection->requests);
    responses_begin(&connection->responses);
    connection->first = connection->last = connection->receiving = no_pending;
    connection->row = no_row;
}

bool connection_lock(struct connection *connection, int pid) {
    for (int turn = 0; turn < spins + yields; turn++) {
        int holder = 0;
        if (exchange_lock(connection, &holder, pid))
            return true;
        if (holder != 0 && holder != pid && exchange_lock(connection, &holder, pid)) {
            connection_clear(connection);
            connection->is_lost = true;
            return true;
        }
        if (turn >= spins)
            raw_call3(SYS_sched_yield, 0, 0, 0);
    }
    return false;
}

void connection_unlock(struct connection *connection) {
    __atomic_store_n(&connection->lock, 0, __ATOMIC_RELEASE);
}

/* Takes low numbers first, so that little memory becomes resident. */
unsigned pending_take(void) {
    for (unsigned word = 0; word < pending_limit / word_bits; word++) {
        uint64_t value = __atomic_load_n(&taken[word], __ATOMIC_RELAXED);
        while (~value != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(~value);
            uint64_t after = value | (uint64_t)1 << bit;
            if (__atomic_compare_exchange_n(
                    &taken[word], &value, after, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                return word * word_bits + bit;
        }
    }
    return no_pending;
}

void pending_give(unsigned index) {
    uint64_t bit = (uint64_t)1 << index % word_bits;
    __atomic_fetch_and(&taken[index / word_bits], ~bit, __ATOMIC_RELEASE);
}
