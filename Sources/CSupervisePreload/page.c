#define _GNU_SOURCE
#include "page.h"

#include "digits.h"
#include "environment.h"
#include "hunt.h"
#include "ledger.h"
#include "raw.h"
#include "supervise_page.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

static struct supervise_page *page;

/* The number comes from the environment, which a grandchild also inherits, and it may then refer to
 * another file. So the head is read before anything is mapped. */
static bool is_page_of(int fd, const char *nonce) {
    struct stat status;
    struct supervise_page_head head;
    if (!raw_fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size < supervise_page_size)
        return false;
    long size = raw_call(SYS_pread64, fd, (long)&head, sizeof head, 0, 0, 0);
    return size == sizeof head && memcmp(head.magic, SUPERVISE_PAGE_MAGIC, sizeof head.magic) == 0
        && head.version == supervise_page_version && strlen(nonce) == supervise_page_nonce_length
        && memcmp(head.nonce, nonce, supervise_page_nonce_length) == 0;
}

/* A server that starts its processes by exec, with only the descriptors that they need, has closed
 * the page for them. The worker, whose pid is in sd_listen_fds(3)'s variable, still holds it:
 * /proc/PID/fd/N (proc_pid_fd(5)). Only a file of this kind is opened, because opening others may
 * have side effects. */
static int reopened(uint64_t number) {
    uint64_t pid;
    if (!environment_worker(&pid))
        return -1;
    char path[6 + digits_limit + 4 + digits_limit + 1] = "/proc/";
    char *end = path + 6;
    end += digits_write(end, pid);
    memcpy(end, "/fd/", 4);
    end += 4;
    end += digits_write(end, number);
    *end = '\0';
    struct stat status;
    if (!raw_fstatat(AT_FDCWD, path, &status, 0) || !S_ISREG(status.st_mode)
        || status.st_size < supervise_page_size)
        return -1;
    return (int)raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);
}

/* Returns whether the master has a ledger on this file. */
static bool has_ledger(int fd) {
    struct stat status;
    struct {
        uint32_t version;
        uint32_t flags;
    } start;
    return raw_fstat(fd, &status) && status.st_size >= supervise_page_file_size
        && raw_call(SYS_pread64, fd, (long)&start, sizeof start, supervise_ledger_at, 0, 0)
        == sizeof start
        && start.version == supervise_ledger_version
        && (start.flags & supervise_ledger_observe) != 0;
}

static void map(int fd) {
    bool is_observing = has_ledger(fd);
    long size = is_observing ? supervise_page_file_size : supervise_page_size;
    long address = raw_call(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address <= 0 && address >= -4095)
        return;
    page = (struct supervise_page *)address;
    if (is_observing)
        ledger = (struct supervise_ledger *)(address + supervise_ledger_at);
    if (ledger != NULL && (ledger->flags & supervise_ledger_hunt) != 0)
        hunt_open(fd);
}

void page_open(void) {
    const char *text = environment_value("SUPERVISE_WORKER_PAGE");
    const char *nonce = environment_value("SUPERVISE_WORKER_ID");
    uint64_t number;
    if (text == NULL || nonce == NULL || !digits_read(&text, &number) || *text != '\0'
        || number > INT_MAX)
        return;
    if (is_page_of((int)number, nonce)) {
        map((int)number);
        return;
    }
    int fd = reopened(number);
    if (fd < 0)
        return;
    if (is_page_of(fd, nonce))
        map(fd);
    raw_call3(SYS_close, fd, 0, 0);
}

bool page_is_open(void) {
    return page != NULL;
}

bool page_count_connection(void) {
    uint64_t before = __atomic_fetch_add(&page->connections, 1, __ATOMIC_RELAXED);
    /* Among all threads and processes, exactly one reaches the limit. The master may raise it
     * later, and then another one does and notifies it again. */
    if (before + 1 != __atomic_load_n(&page->limit, __ATOMIC_RELAXED))
        return false;
    return __atomic_load_n(&page->requests, __ATOMIC_RELAXED) == 0;
}

uint64_t page_requests(void) {
    return __atomic_load_n(&page->requests, __ATOMIC_RELAXED);
}

uint64_t page_limit(void) {
    return __atomic_load_n(&page->limit, __ATOMIC_RELAXED);
}

uint64_t page_connections(void) {
    return __atomic_load_n(&page->connections, __ATOMIC_RELAXED);
}

uint32_t page_flags(void) {
    return page != NULL ? __atomic_load_n(&page->flags, __ATOMIC_RELAXED) : 0;
}

uint64_t page_pause(void) {
    return page != NULL ? __atomic_load_n(&page->pause, __ATOMIC_RELAXED) : 0;
}

uint64_t page_shut_listeners(void) {
    return page != NULL ? __atomic_load_n(&page->shut_listeners, __ATOMIC_RELAXED) : 0;
}

void page_shut_listener(int listener) {
    if (page != NULL)
        __atomic_fetch_or(&page->shut_listeners, (uint64_t)1 << listener, __ATOMIC_RELAXED);
}

bool page_report(enum supervise_page_reports report) {
    return page != NULL
        && (__atomic_fetch_or(&page->reports, report, __ATOMIC_RELAXED) & report) == 0;
}

bool page_has_reported(enum supervise_page_reports report) {
    return page == NULL
        || (__atomic_load_n(&page->reports, __ATOMIC_RELAXED) & report) != 0;
}
