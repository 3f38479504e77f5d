#define _GNU_SOURCE
#include "epollsets.h"

#include "descriptors.h"
#include "digits.h"
#include "raw.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>

struct search {
    ino_t inode;
    uint64_t device;
    /* An empty epoll set of the library. */
    int probe;
    struct registration *found;
    int count, limit;
    bool is_incomplete;
};

/* Skips `label` and any spaces, then reads the number that follows. */
static bool read_field(const char **text, const char *label, int base, uint64_t *value) {
    const char *next = strstr(*text, label);
    if (next == NULL)
        return false;
    for (next += strlen(label); *next == ' ';)
        next++;
    uint64_t sum = 0;
    const char *first = next;
    for (;; next++) {
        int digit = *next >= '0' && *next <= '9' ? *next - '0'
            : *next >= 'a' && *next <= 'f'       ? *next - 'a' + 10
                                                 : base;
        if (digit >= base)
            break;
        sum = sum * (uint64_t)base + (uint64_t)digit;
    }
    *text = next;
    *value = sum;
    return next != first;
}

/* In `tfd: 5 events: 19 data: 5  pos:0 ino:1f3a sdev:8` only the descriptor is decimal. */
static void read_line(struct search *search, int set, const char *line) {
    uint64_t number, events, data, inode, device;
    if (!read_field(&line, "tfd:", 10, &number) || !read_field(&line, "events:", 16, &events)
        || !read_field(&line, "data:", 16, &data) || !read_field(&line, "ino:", 16, &inode)
        || !read_field(&line, "sdev:", 16, &device))
        return;
    if (inode != search->inode || device != search->device || search->count == search->limit)
        return;
    search->found[search->count++] = (struct registration){
        .set = set, .number = (int)number, .events = (uint32_t)events, .data = data};
}

static bool read_set(struct search *search, int set) {
    char path[17 + digits_limit + 1];
    numbered_path(path, "/proc/self/fdinfo/", set, "");
    int file = (int)raw_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (file < 0)
        return false;
    char buffer[4096];
    size_t held = 0;
    long size;
    while ((size = raw_call3(
                SYS_read, file, (long)(buffer + held), (long)(sizeof buffer - 1 - held)))
           > 0) {
        held += (size_t)size;
        buffer[held] = '\0';
        char *line = buffer, *end;
        while ((end = strchr(line, '\n')) != NULL) {
            *end = '\0';
            read_line(search, set, line);
            line = end + 1;
        }
        held -= (size_t)(line - buffer);
        memmove(buffer, line, held);
    }
    raw_call3(SYS_close, file, 0, 0);
    return size == 0;
}

/* When asked to remove a file that it does not contain, an epoll set returns ENOENT; every other
 * descriptor returns EINVAL. This identifies the few sets among the many descriptors of a busy
 * server quickly. */
static enum visit visit_descriptor(int fd, void *context) {
    struct search *search = context;
    if (fd == search->probe
        || raw_call(SYS_epoll_ctl, fd, EPOLL_CTL_DEL, search->probe, 0, 0, 0) != -ENOENT)
        return visit_continue;
    if (!read_set(search, fd))
        search->is_incomplete = true;
    return search->count == search->limit ? visit_stop : visit_continue;
}

int epollsets_find(int fd, struct registration *found, int limit) {
    struct stat status;
    if (!raw_fstat(fd, &status))
        return -1;
    struct search search = {.inode = status.st_ino, .found = found, .limit = limit};
    /* The kernel's internal encoding of the device number. */
    search.device =
        (uint64_t)major(status.st_dev) << 20 | (uint64_t)minor(status.st_dev);
    search.probe = (int)raw_call3(SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0);
    if (search.probe < 0)
        return -1;
    bool is_complete = descriptors_visit(visit_descriptor, &search);
    raw_call3(SYS_close, search.probe, 0, 0);
    return is_complete && !search.is_incomplete ? search.count : -1;
}

static long remove_number(int set, int number) {
    return raw_call(SYS_epoll_ctl, set, EPOLL_CTL_DEL, number, 0, 0, 0);
}

bool epollsets_remove(const struct registration *registration, int fd) {
    struct stat here, file;
    long result = remove_number(registration->set, registration->number);
    if (result == 0)
        return true;
    /* Another thread removed it, or the set was closed. */
    if (!raw_fstat(fd, &file)
        || (raw_fstat(registration->number, &here) && here.st_ino == file.st_ino
            && here.st_dev == file.st_dev))
        return true;
    /* The program closed that descriptor and holds the file under another number. The number is
     * part of the registration's key, so it must temporarily refer to the file again. */
    int again =
        (int)raw_call3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, registration->number);
    if (again == registration->number)
        result = remove_number(registration->set, again);
    if (again >= 0)
        raw_call3(SYS_close, again, 0, 0);
    return result == 0;
}

void epollsets_add(const struct registration *registration) {
    struct epoll_event event = {
        .events = registration->events, .data.u64 = registration->data};
    raw_call(
        SYS_epoll_ctl, registration->set, EPOLL_CTL_ADD, registration->number, (long)&event, 0, 0);
}
