#ifndef SUPERVISE_PRELOAD_PAUSING_H
#define SUPERVISE_PRELOAD_PAUSING_H

/* accept() in a worker that pauses while another one is hunted: it waits or finds nothing until the time on
 * the page. With EPOLLEXCLUSIVE (epoll_ctl(2)) no other worker is woken for a connection that this one was
 * woken for, so it then accepts as usual. */

#include "holding.h"
#include "page.h"

static inline bool pausing_is_on(void) {
    return __builtin_expect(page_pause() != 0, 0);
}

/* Must be called before accept() during a pause. */
enum holding pausing_admits(int listener_fd);

#endif
