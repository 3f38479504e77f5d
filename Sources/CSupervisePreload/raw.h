#ifndef SUPERVISE_PRELOAD_RAW_H
#define SUPERVISE_PRELOAD_RAW_H

/* System calls that bypass libc (syscall(2)).
 *
 * The library's own system calls must not be cancellation points (pthreads(7)), must preserve errno
 * and must not call our own syscall(). They also replace libc's functions until those are resolved.
 * Each returns the result, or -errno. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

static inline long raw_call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error "the preload library makes system calls itself, which it can on x86-64 and AArch64"
#endif

static inline long raw_call3(long number, long a, long b, long c) {
    return raw_call(number, a, b, c, 0, 0, 0);
}

/* fstat(2); some versions of libc take a slower path. */
static inline bool raw_fstat(int fd, struct stat *status) {
    return raw_call3(SYS_fstat, fd, (long)status, 0) == 0;
}

static inline bool raw_fstatat(int folder, const char *path, struct stat *status, int flags) {
    return raw_call(SYS_newfstatat, folder, (long)path, (long)status, flags, 0, 0) == 0;
}

/* getsockopt(2) of a plain value. Returns false if the option has another size. */
static inline bool raw_option(int fd, int level, int name, void *value, uint32_t size) {
    uint32_t found = size;
    long result =
        raw_call(SYS_getsockopt, fd, level, name, (long)value, (long)&found, 0);
    return result == 0 && found == size;
}

#endif
