// Asking the master about each bind(2) that a worker makes: seccomp user notification
// (seccomp_unotify(2)).
#ifndef CSUPERVISE_FILTER_H
#define CSUPERVISE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

// What became of the filter, as the child tells it.
struct csupervise_filter_report {
    // 0, or the errno of seccomp(2): then the child goes on without.
    int32_t code;
    // Whether the child had to set no_new_privs (PR_SET_NO_NEW_PRIVS(2const)) for it.
    int32_t sets_no_new_privileges;
};

// A call that waits for its answer.
struct csupervise_bind {
    uint64_t id;
    // The thread, 0 when it lives in a pid namespace that we don't see.
    int32_t thread;
    int32_t descriptor;
    uint64_t address;
    uint32_t length;
};

// In a child between clone and exec, async-signal-safe: installs the filter and sends the report,
// with the filter's descriptor, over this socket. 0, or -1 with errno when it could not be sent.
int csupervise_install_filter(int channel);

// Takes the child's report without waiting. `descriptor` is the filter's, or -1. 1; 0 when there is
// none; -1 with errno when the descriptor that came with it found no room.
int csupervise_receive_filter(int channel, struct csupervise_filter_report *report,
                              int32_t *descriptor);

// The next call, without waiting. 1, or 0 when there is none.
int csupervise_next_bind(int filter, struct csupervise_bind *call);

// Whether the call still waits: only then is what was read of the thread its own.
bool csupervise_bind_waits(int filter, uint64_t id);

// Makes `target` in the caller a duplicate of our `source`. 0, or -1 with errno.
int csupervise_replace_descriptor(int filter, uint64_t id, int source, int target,
                                  bool close_on_exec);

// Lets the call return 0, or with `proceed` lets the kernel do it as if nobody had asked. A caller
// that is gone needs no answer.
void csupervise_answer_bind(int filter, uint64_t id, bool proceed);

// A duplicate of another process's descriptor (pidfd_getfd(2)), or -1 with errno.
int csupervise_copy_descriptor(int process_descriptor, int descriptor);

#endif
