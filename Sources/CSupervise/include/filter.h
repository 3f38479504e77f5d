// Intercepts each bind(2) of a worker: seccomp user notification (seccomp_unotify(2)).
#ifndef CSUPERVISE_FILTER_H
#define CSUPERVISE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

// The result of installing the filter, reported by the child.
struct csupervise_filter_report {
    // 0, or the errno of seccomp(2): then the child continues without the filter.
    int32_t code;
    // Whether the child had to set no_new_privs (PR_SET_NO_NEW_PRIVS(2const)) for it.
    int32_t sets_no_new_privileges;
};

// A call that waits for its response.
struct csupervise_bind {
    uint64_t id;
    // The thread; 0 if it is in a pid namespace that we do not see.
    int32_t thread;
    int32_t descriptor;
    uint64_t address;
    uint32_t length;
};

// In a child between clone and exec, async-signal-safe: installs the filter and sends the report,
// with the descriptor of the filter, over this socket. Returns 0, or -1 with errno if it could not
// be sent.
int csupervise_install_filter(int channel);

// Receives the child's report without blocking. `descriptor` is that of the filter, or -1. Returns
// 1; 0 if there is no report; -1 with errno if there was no room for the descriptor.
int csupervise_receive_filter(int channel, struct csupervise_filter_report *report,
                              int32_t *descriptor);

// Receives the next call without blocking. Returns 1, or 0 if there is none.
int csupervise_next_bind(int filter, struct csupervise_bind *call);

// Whether the call still waits: only then did the data read belong to its thread.
bool csupervise_bind_waits(int filter, uint64_t id);

// Makes `target` in the caller a duplicate of our `source`. Returns 0, or -1 with errno.
int csupervise_replace_descriptor(int filter, uint64_t id, int source, int target,
                                  bool close_on_exec);

// Makes the call return 0 or, with `proceed`, lets the kernel execute it as if there were no
// filter. A caller that has exited needs no response.
void csupervise_answer_bind(int filter, uint64_t id, bool proceed);

// Duplicates a descriptor of another process (pidfd_getfd(2)). Returns it, or -1 with errno.
int csupervise_copy_descriptor(int process_descriptor, int descriptor);

#endif
