// Starting a process: the preparation in the parent, and the steps of the child before exec.
//
// The child may share the parent's memory, so it allocates nothing, takes no lock and makes only
// async-signal-safe system calls (signal-safety(7)).
#ifndef CSUPERVISE_CHILD_H
#define CSUPERVISE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

// The steps of a start, in execution order. The numbers are sent over the error pipe.
enum csupervise_step {
    CSUPERVISE_STEP_NONE = 0,
    CSUPERVISE_STEP_FORK,
    CSUPERVISE_STEP_PROCESS_GROUP,
    CSUPERVISE_STEP_SIGNALS,
    CSUPERVISE_STEP_STANDARD_INPUT,
    CSUPERVISE_STEP_OUTPUT,
    CSUPERVISE_STEP_FILTER,
    CSUPERVISE_STEP_DESCRIPTORS,
    CSUPERVISE_STEP_LIMITS,
    CSUPERVISE_STEP_NICE,
    CSUPERVISE_STEP_OOM_SCORE_ADJUST,
    CSUPERVISE_STEP_GROUPS,
    CSUPERVISE_STEP_GROUP,
    CSUPERVISE_STEP_USER,
    CSUPERVISE_STEP_CAPABILITIES,
    CSUPERVISE_STEP_CHDIR,
    CSUPERVISE_STEP_DEATH_SIGNAL,
    CSUPERVISE_STEP_SIGNAL_MASK,
    CSUPERVISE_STEP_EXEC,
};

struct csupervise_limit {
    int32_t resource;
    uint64_t soft;
    uint64_t hard;
};

struct csupervise_start {
    // Paths to try in order, as execvp; NULL-terminated.
    char *const *candidates;
    char *const *arguments;
    char *const *environment;
    // Room for the child's pid in decimal and a NUL, inside an environment entry, or NULL.
    char *listen_pid;

    // The descriptors that become 3, 4, 5…; `moved` is scratch space of the same length.
    const int32_t *descriptors;
    int32_t *moved;
    uint32_t descriptor_count;

    // The descriptor that becomes 1 and 2, or -1.
    int32_t output_descriptor;
    // The file that 1 and 2 append to, then the names of its predecessors, the newest first;
    // NULL-terminated. NULL for none.
    char *const *output_files;
    // The size in bytes at which the child renames the file and begins a new one.
    uint64_t output_file_bytes;

    // The socket for the filter on the child's bind(2) (filter.h), or -1 for none.
    int32_t filter_channel;

    // The result of `csupervise_ignored_signals`, which the program does not inherit.
    uint64_t ignored_signals;

    const struct csupervise_limit *limits;
    uint32_t limit_count;

    bool changes_credentials;
    uint32_t uid;
    uint32_t gid;
    const uint32_t *groups;
    uint32_t group_count;

    bool changes_umask;
    uint32_t umask;
    bool changes_nice;
    int32_t nice;
    // Text for /proc/self/oom_score_adj, or NULL.
    const char *oom_score_adjust;
    // NULL keeps the directory of the parent.
    const char *directory;
    // 0 sets none.
    int32_t death_signal;
    bool drops_ambient_capabilities;

    // The pipe for a failure of a child with its own memory (step and errno, two int32_t), or -1:
    // then the child shares memory and the failure is in the two fields below.
    int32_t error_descriptor;
    // Whether the child starts with the parent's descriptors instead of a copy of them all.
    bool shares_descriptors;
    int32_t parent;
    volatile int32_t failed_step;
    volatile int32_t failed_code;
};

// The signals that this process ignores; bit 0 is signal 1.
uint64_t csupervise_ignored_signals(void);

// Starts the child. Returns its pid, or -errno of clone(2). `stack_end` is the high end of a stack
// that no other call uses meanwhile. A child that shares memory has called exec or failed when this
// returns.
int csupervise_start_child(struct csupervise_start *start, void *stack_end,
                           int32_t *process_descriptor);

#endif
