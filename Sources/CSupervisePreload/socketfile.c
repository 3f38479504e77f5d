#define _GNU_SOURCE
#include "socketfile.h"

#include "raw.h"

#include <fcntl.h>
#include <string.h>

static bool is_file(const struct file_identity *file, const struct stat *status) {
    return file->device == status->st_dev && file->inode == status->st_ino;
}

static bool is_file_of(const struct listener *listener, const struct stat *status) {
    return listener->has_file && S_ISSOCK(status->st_mode)
        && (is_file(&listener->file, status) || is_file(&listener->shown_file, status));
}

/* Both are NUL-terminated or of the full length, because they were copied into zeroed addresses. */
static bool is_same_path(const struct listener *listener, const char *path) {
    return strncmp(listener->address.un.sun_path, path, sizeof listener->address.un.sun_path) == 0;
}

bool socketfile_is_named(const struct listener *listener, const char *path) {
    struct stat status;
    if (!listener_has_path(listener))
        return false;
    /* A relative path of the master is relative to the master's working directory. */
    if (path[0] == '/' && is_same_path(listener, path))
        return true;
    return raw_fstatat(AT_FDCWD, path, &status, 0) && is_file_of(listener, &status);
}

static const char *last_component(const char *path, size_t length) {
    const char *last = path;
    for (const char *next = path; next < path + length && *next != '\0'; next++) {
        if (*next == '/')
            last = next + 1;
    }
    return last;
}

int socketfile_held(int folder, const char *path) {
    if (!listeners_have_paths || path == NULL)
        return -1;
    const char *name = last_component(path, strlen(path));
    for (int index = 0; index < listener_count; index++) {
        const struct listener *listener = &listeners[index];
        if (!listener->has_file)
            continue;
        /* Programs remove many files. The last component is the same in every spelling of the path,
         * so the kernel is asked only if it matches. */
        const char *own = listener->address.un.sun_path;
        const char *own_name = last_component(own, sizeof listener->address.un.sun_path);
        size_t room = sizeof listener->address.un.sun_path - (size_t)(own_name - own);
        struct stat status;
        if (strncmp(name, own_name, room) == 0 && strlen(name) <= room
            && raw_fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW)
            && is_file_of(listener, &status))
            return index;
    }
    return -1;
}

bool socketfile_is_reached(int folder, const char *path, int flags) {
    struct stat status;
    if (!listeners_have_paths || path == NULL
        || !raw_fstatat(folder, path, &status, flags & (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return false;
    for (int index = 0; index < listener_count; index++) {
        if (is_file_of(&listeners[index], &status))
            return true;
    }
    return false;
}
