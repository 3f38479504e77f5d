#define _GNU_SOURCE
#include "hunt.h"

#include "digits.h"
#include "preload.h"
#include "raw.h"
#include "resolving.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

struct supervise_hunt *hunt;

/* The requests in flight of one process. A child of fork(2) begins with none. */
static struct {
    int pid;
    int count;
    uint32_t last;
} in_flight;

/* The layout of glibc's struct mallinfo2 (mallinfo(3)). */
struct allocated {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

static struct allocated (*allocated)(void);
static supervise_hunt_measure_function *measure;

void hunt_open(int fd) {
    struct stat status;
    uint32_t start[2];
    if (!raw_fstat(fd, &status)
        || raw_call(SYS_pread64, fd, (long)start, sizeof start, supervise_hunt_at, 0, 0)
            != sizeof start
        || start[0] != supervise_hunt_version || start[1] > supervise_hunt_most_rows
        || (uint64_t)status.st_size
            < supervise_hunt_rows_at + (uint64_t)start[1] * supervise_hunt_row_size)
        return;
    long address = raw_call(
        SYS_mmap, 0, status.st_size - supervise_hunt_at, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
        supervise_hunt_at);
    if (address > 0 || address < -4095)
        hunt = (struct supervise_hunt *)address;
}

static void add_flags(uint32_t row, uint32_t flags) {
    __atomic_fetch_or(&hunt->rows[row].flags, flags, __ATOMIC_RELEASE);
}

void hunt_reset(int pid) {
    in_flight.pid = pid;
    __atomic_store_n(&in_flight.count, 0, __ATOMIC_RELAXED);
}

bool hunt_is_busy(int pid) {
    return in_flight.pid == pid && __atomic_load_n(&in_flight.count, __ATOMIC_RELAXED) > 0;
}

uint32_t hunt_begin(int pid, uint64_t now) {
    uint32_t row = __atomic_fetch_add(&hunt->count, 1, __ATOMIC_RELAXED);
    if (row >= hunt->capacity) {
        __atomic_store_n(&hunt->count, hunt->capacity, __ATOMIC_RELAXED);
        return no_hunt_row;
    }
    if (in_flight.pid != pid)
        hunt_reset(pid);
    hunt->rows[row].begun = now;
    __atomic_store_n(&hunt->rows[row].pid, pid, __ATOMIC_RELEASE);
    if (__atomic_fetch_add(&in_flight.count, 1, __ATOMIC_RELAXED) > 0) {
        add_flags(row, supervise_hunt_overlaps);
        add_flags(in_flight.last, supervise_hunt_overlaps);
    }
    in_flight.last = row;
    return row;
}

void hunt_end(uint32_t index, unsigned status, const struct ledger_name *name) {
    if (index == no_hunt_row)
        return;
    struct supervise_hunt_row *row = &hunt->rows[index];
    row->status = (uint16_t)status;
    row->length = name->length;
    memcpy(row->route, name->text, name->length);
    add_flags(index, supervise_hunt_ended);
}

void hunt_leave(uint32_t row, int pid) {
    if (row != no_hunt_row && hunt_is_busy(pid))
        __atomic_fetch_sub(&in_flight.count, 1, __ATOMIC_RELAXED);
}

/* Returns the resident memory without files and shared memory (proc_pid_statm(5)). */
static uint64_t resident_bytes(void) {
    char text[128];
    int file = (int)raw_call(
        SYS_openat, AT_FDCWD, (long)"/proc/self/statm", O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (file < 0)
        return 0;
    long size = raw_call3(SYS_read, file, (long)text, sizeof text - 1);
    raw_call3(SYS_close, file, 0, 0);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    const char *next = text;
    uint64_t all, resident, shared;
    if (!digits_read(&next, &all) || *next++ != ' ' || !digits_read(&next, &resident)
        || *next++ != ' ' || !digits_read(&next, &shared) || shared > resident)
        return 0;
    return (resident - shared) * supervise_page_size;
}

void hunt_measure(uint32_t index) {
    struct supervise_hunt_row *row = &hunt->rows[index];
    supervise_hunt_measure_function *function = __atomic_load_n(&measure, __ATOMIC_ACQUIRE);
    int64_t blocks = function != NULL ? function(index) : -1;
    row->resident = resident_bytes();
    if (blocks < 0 || allocated == NULL)
        return;
    struct allocated now = allocated();
    row->bytes = (uint64_t)blocks + now.uordblks + now.hblkhd;
    add_flags(index, supervise_hunt_measured);
}

struct supervise_hunt *supervise_hunt_begin(supervise_hunt_measure_function *function) {
    if (hunt == NULL)
        return NULL;
    if (function != NULL) {
        allocated = (struct allocated (*)(void))resolve_next("mallinfo2");
        __atomic_fetch_or(&hunt->runtimes, supervise_hunt_python, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&measure, function, __ATOMIC_RELEASE);
    return hunt;
}

void supervise_hunt_trace(int number, uint32_t requests, const char *text, size_t size) {
    if (hunt == NULL || number < 0 || number >= supervise_hunt_traces)
        return;
    if (size > supervise_hunt_trace_size)
        size = supervise_hunt_trace_size;
    __atomic_store_n(&hunt->trace_lengths[number], 0, __ATOMIC_RELEASE);
    memcpy(hunt->traces[number], text, size);
    hunt->trace_counts[number] = requests;
    __atomic_store_n(&hunt->trace_lengths[number], (uint32_t)size, __ATOMIC_RELEASE);
    __atomic_fetch_or(&hunt->runtimes, supervise_hunt_traced, __ATOMIC_RELAXED);
}
