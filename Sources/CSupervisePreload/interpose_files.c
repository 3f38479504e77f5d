#define _GNU_SOURCE
#include "adopt.h"
#include "interpose.h"
#include "listeners.h"
#include "next.h"
#include "settings.h"
#include "socketfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some libcs do not define it in their headers (rename(2)). */
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

/* The master controls the path, mode and owner of the unix socket files. */

int own_unlink(const char *path) IN_FRONT_OF("unlink");
int own_unlinkat(int folder, const char *path, int flags) IN_FRONT_OF("unlinkat");
int own_remove(const char *path) IN_FRONT_OF("remove");
int own_rename(const char *old, const char *new) IN_FRONT_OF("rename");
int own_renameat(int from, const char *old, int to, const char *new) IN_FRONT_OF("renameat");
int own_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
    IN_FRONT_OF("renameat2");
int own_chmod(const char *path, mode_t mode) IN_FRONT_OF("chmod");
int own_lchmod(const char *path, mode_t mode) IN_FRONT_OF("lchmod");
int own_fchmod(int fd, mode_t mode) IN_FRONT_OF("fchmod");
int own_fchmodat(int folder, const char *path, mode_t mode, int flags) IN_FRONT_OF("fchmodat");
int own_chown(const char *path, uid_t user, gid_t group) IN_FRONT_OF("chown");
int own_lchown(const char *path, uid_t user, gid_t group) IN_FRONT_OF("lchown");
int own_fchown(int fd, uid_t user, gid_t group) IN_FRONT_OF("fchown");
int own_fchownat(int folder, const char *path, uid_t user, gid_t group, int flags)
    IN_FRONT_OF("fchownat");

static bool is_held(int folder, const char *path) {
    return is_adopting && socketfile_held(folder, path) >= 0;
}

int own_unlink(const char *path) {
    return is_held(AT_FDCWD, path) ? 0 : next.unlink(path);
}

int own_unlinkat(int folder, const char *path, int flags) {
    return is_held(folder, path) ? 0 : next.unlinkat(folder, path, flags);
}

int own_remove(const char *path) {
    return is_held(AT_FDCWD, path) ? 0 : next.remove(path);
}

/* Handles a rename that would move the listener's file or replace it. */
static bool is_answered(int from, const char *old, int to, const char *new, unsigned flags) {
    if (!is_adopting)
        return false;
    if (socketfile_held(from, old) >= 0)
        return true;
    int listener = socketfile_held(to, new);
    /* With this flag the kernel refuses to replace a file. */
    if (listener < 0 || (flags & RENAME_NOREPLACE) != 0)
        return false;
    if ((flags & RENAME_EXCHANGE) == 0)
        adopt_file(listener, from, old);
    return true;
}

int own_rename(const char *old, const char *new) {
    return is_answered(AT_FDCWD, old, AT_FDCWD, new, 0) ? 0 : next.rename(old, new);
}

int own_renameat(int from, const char *old, int to, const char *new) {
    return is_answered(from, old, to, new, 0) ? 0 : next.renameat(from, old, to, new);
}

int own_renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    return is_answered(from, old, to, new, flags) ? 0
                                                  : next.renameat2(from, old, to, new, flags);
}

static bool is_reached(int folder, const char *path, int flags) {
    return is_adopting && socketfile_is_reached(folder, path, flags);
}

static bool is_listener(int fd) {
    return is_adopting && listener_behind(fd) >= 0;
}

int own_chmod(const char *path, mode_t mode) {
    return is_reached(AT_FDCWD, path, 0) ? 0 : next.chmod(path, mode);
}

int own_lchmod(const char *path, mode_t mode) {
    return is_reached(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) ? 0 : next.lchmod(path, mode);
}

int own_fchmod(int fd, mode_t mode) {
    return is_listener(fd) ? 0 : next.fchmod(fd, mode);
}

int own_fchmodat(int folder, const char *path, mode_t mode, int flags) {
    return is_reached(folder, path, flags) ? 0 : next.fchmodat(folder, path, mode, flags);
}

int own_chown(const char *path, uid_t user, gid_t group) {
    return is_reached(AT_FDCWD, path, 0) ? 0 : next.chown(path, user, group);
}

int own_lchown(const char *path, uid_t user, gid_t group) {
    return is_reached(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW) ? 0 : next.lchown(path, user, group);
}

int own_fchown(int fd, uid_t user, gid_t group) {
    return is_listener(fd) ? 0 : next.fchown(fd, user, group);
}

int own_fchownat(int folder, const char *path, uid_t user, gid_t group, int flags) {
    return is_reached(folder, path, flags) ? 0
                                           : next.fchownat(folder, path, user, group, flags);
}
