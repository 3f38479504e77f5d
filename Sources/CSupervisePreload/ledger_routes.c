#define _GNU_SOURCE
#include "ledger_routes.h"

#include "raw.h"

#include <errno.h>
#include <string.h>

enum {
    most_children = 16,
    /* Bits of supervise_ledger_route.collapsed. */
    most_segments = 64,
    spins = 200,
    yields = 20,
};

/* A route while its place is looked for. */
struct place {
    char text[supervise_route_length];
    unsigned length;
    uint64_t collapsed;
};

static bool try_lock(int pid) {
    int32_t free = 0;
    return __atomic_compare_exchange_n(
        &ledger->lock, &free, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool take_from_dead(int pid) {
    int32_t holder = __atomic_load_n(&ledger->lock, __ATOMIC_RELAXED);
    return (holder < 0 || (holder > 0 && raw_call3(SYS_kill, holder, 0, 0) == -ESRCH))
        && __atomic_compare_exchange_n(
               &ledger->lock, &holder, pid, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool ledger_lock(int pid) {
    for (int turn = 0; turn < spins + yields; turn++) {
        if (try_lock(pid))
            return true;
        if (turn >= spins)
            raw_call3(SYS_sched_yield, 0, 0, 0);
    }
    return take_from_dead(pid);
}

void ledger_unlock(void) {
    __atomic_store_n(&ledger->lock, 0, __ATOMIC_RELEASE);
}

/* FNV-1a; 0 is for free rows. */
static uint32_t hash(const char *text, unsigned length) {
    uint32_t value = 2166136261;
    for (unsigned index = 0; index < length; index++)
        value = (value ^ (uint8_t)text[index]) * 16777619;
    return value != 0 ? value : 1;
}

/* Another process may have written anything. */
static unsigned length_of(const struct supervise_ledger_route *row) {
    unsigned length = __atomic_load_n(&row->length, __ATOMIC_RELAXED);
    return length <= supervise_route_length ? length : 0;
}

static int find(const char *text, unsigned length) {
    uint32_t wanted = hash(text, length);
    for (int index = 0; index < supervise_ledger_routes; index++) {
        const struct supervise_ledger_route *row = &ledger->routes[index];
        if (ledger->hashes[index] == wanted && length_of(row) == length
            && memcmp(row->text, text, length) == 0)
            return index;
    }
    return -1;
}

static void begin_change(struct supervise_ledger_route *row) {
    __atomic_store_n(&row->sequence, row->sequence | 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_change(struct supervise_ledger_route *row) {
    __atomic_store_n(&row->sequence, (row->sequence | 1) + 1, __ATOMIC_RELEASE);
}

static void name(int index, const struct place *place) {
    struct supervise_ledger_route *row = &ledger->routes[index];
    begin_change(row);
    row->length = (uint8_t)place->length;
    row->collapsed = place->collapsed;
    memcpy(row->text, place->text, place->length);
    end_change(row);
    ledger->hashes[index] = hash(place->text, place->length);
}

static void move(int index, int target) {
    struct supervise_ledger_route *from = &ledger->routes[index], *to = &ledger->routes[target];
    ledger_add(&to->requests, from->requests);
    ledger_add(&to->errors, from->errors);
    ledger_add(&to->nanoseconds, from->nanoseconds);
    ledger->hashes[index] = 0;
    begin_change(from);
    from->length = 0;
    from->collapsed = from->requests = from->errors = from->nanoseconds = 0;
    end_change(from);
}

/* The end of the segment that begins at `start`. */
static unsigned segment_end(const char *text, unsigned length, unsigned start) {
    const char *slash = memchr(text + start, '/', length - start);
    return slash != NULL ? (unsigned)(slash - text) : length;
}

/* Puts `*` in place of the segment; false if there is no room for it. */
static bool replace(struct place *place, unsigned start, unsigned depth) {
    unsigned end = segment_end(place->text, place->length, start);
    unsigned length = place->length - (end - start) + 1;
    if (length > supervise_route_length)
        return false;
    memmove(place->text + start + 1, place->text + end, place->length - end);
    place->text[start] = '*';
    place->length = length;
    place->collapsed |= (uint64_t)1 << depth;
    return true;
}

/* The length of a route that has this prefix, or 0. */
static unsigned length_below(int index, const char *prefix, unsigned length) {
    const struct supervise_ledger_route *row = &ledger->routes[index];
    unsigned found = ledger->hashes[index] != 0 ? length_of(row) : 0;
    return found >= length && memcmp(row->text, prefix, length) == 0 ? found : 0;
}

struct children {
    const char *text[most_children];
    unsigned length[most_children];
    unsigned count;
    /* The node has `*` as its one child. */
    bool are_collapsed;
};

static bool contains(const struct children *children, const char *text, unsigned length) {
    for (unsigned index = 0; index < children->count; index++) {
        if (children->length[index] == length
            && memcmp(children->text[index], text, length) == 0)
            return true;
    }
    return false;
}

static void find_children(
    struct children *children, const char *prefix, unsigned length, unsigned depth) {
    children->count = 0;
    children->are_collapsed = false;
    for (int index = 0; index < supervise_ledger_routes; index++) {
        const struct supervise_ledger_route *row = &ledger->routes[index];
        unsigned whole = length_below(index, prefix, length);
        if (whole == 0)
            continue;
        children->are_collapsed |= (row->collapsed >> depth & 1) != 0;
        unsigned size = segment_end(row->text, whole, length) - length;
        if (children->count == most_children || contains(children, row->text + length, size))
            continue;
        children->text[children->count] = row->text + length;
        children->length[children->count++] = size;
    }
}

static void collapse(const char *prefix, unsigned length, unsigned depth) {
    for (int index = 0; index < supervise_ledger_routes; index++) {
        const struct supervise_ledger_route *row = &ledger->routes[index];
        unsigned whole = length_below(index, prefix, length);
        if (whole == 0)
            continue;
        struct place place = {.length = whole, .collapsed = row->collapsed};
        memcpy(place.text, row->text, place.length);
        if (!replace(&place, length, depth))
            continue;
        int other = find(place.text, place.length);
        if (other < 0 || other == index)
            name(index, &place);
        else
            move(index, other);
    }
}

/* Walks down the tree of paths. */
static void settle(struct place *place) {
    const char *space = memchr(place->text, ' ', place->length);
    if (space == NULL || space + 1 == place->text + place->length || space[1] != '/')
        return;
    unsigned start = (unsigned)(space - place->text) + 2;
    for (unsigned depth = 0; depth < most_segments; depth++) {
        struct children children;
        find_children(&children, place->text, start, depth);
        unsigned size = segment_end(place->text, place->length, start) - start;
        bool is_new = !contains(&children, place->text + start, size);
        if (children.are_collapsed) {
            replace(place, start, depth);
        } else if (is_new && children.count == most_children) {
            collapse(place->text, start, depth);
            replace(place, start, depth);
        }
        start = segment_end(place->text, place->length, start) + 1;
        if (start > place->length)
            return;
    }
}

static int free_row(void) {
    int smallest = 0;
    for (int index = 0; index < supervise_ledger_routes; index++) {
        if (ledger->hashes[index] == 0)
            return index;
        if (ledger->routes[index].requests < ledger->routes[smallest].requests)
            smallest = index;
    }
    move(smallest, supervise_ledger_routes);
    return smallest;
}

struct supervise_ledger_route *ledger_route(const struct http_route *route) {
    int index = find(route->text, route->length);
    if (index < 0) {
        struct place place = {.length = route->length};
        memcpy(place.text, route->text, place.length);
        settle(&place);
        index = find(place.text, place.length);
        if (index < 0) {
            index = free_row();
            name(index, &place);
        }
    }
    return &ledger->routes[index];
}
