/* A preloaded library whose constructor calls what ours stands in front of; it ends the process when
 * anything is not as without us, and says that it has run. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void require(int condition, int number) {
    if (!condition)
        _exit(number);
}

__attribute__((constructor)) static void start(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    require(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, 101);
    require(listen(fd, 5) == 0, 102);
    int on = 1;
    require(ioctl(fd, FIONBIO, &on) == 0, 103);
    require((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0, 104);
    errno = 0;
    require(accept(fd, NULL, NULL) == -1 && errno == EAGAIN, 105);
    errno = 0;
    require(accept4(fd, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EAGAIN, 106);
    require(shutdown(fd, SHUT_RD) == 0, 107);
    require(close(fd) == 0, 108);
    require(syscall(SYS_getpid) == getpid(), 109);

    char path[] = "/tmp/supervise-preload-early-XXXXXX";
    char other[sizeof path + 1];
    require(close(mkstemp(path)) == 0, 110);
    snprintf(other, sizeof other, "%s2", path);
    require(rename(path, other) == 0, 111);
    require(renameat(AT_FDCWD, other, AT_FDCWD, path) == 0, 112);
    require(renameat2(AT_FDCWD, path, AT_FDCWD, other, 0) == 0, 113);
    require(remove(other) == 0, 114);
    errno = 0;
    require(unlink(path) == -1 && errno == ENOENT, 115);
    require(mkdtemp(path) == NULL, 116);
    snprintf(path, sizeof path, "/tmp/supervise-preload-early-XXXXXX");
    require(mkdtemp(path) != NULL && remove(path) == 0, 117);
    require(unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == -1 && errno == ENOENT, 118);
    setenv("EARLY", "yes", 1);
}
