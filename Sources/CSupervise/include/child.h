// Starting a process: what the parent prepares, and what the child does with it before exec.
//
// The child may share the parent's memory, so it allocates nothing, takes no lock and makes only
// system calls that are async-signal-safe (signal-safety(7)).
#ifndef CSUPERVISE_CHILD_H
#define CSUPERVISE_CHILD_H

#include <stdbool.h>
#include <stdint.h>

// The steps of a start, in the order in which they are made. The numbers travel over the error
// pipe.
enum csupervise_step {
    CSUPERVISE_STEP_NONE = 0,
    CSUPERVISE_STEP_FORK,
    CSUPERVISE_STEP_PROCESS_GROUP,
    CSUPERVISE_STEP_SIGNALS,
    CSUPERVISE_STEP_STANDARD_INPUT,
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
    // Paths to try in turn, as execvp would; NULL ends them.
    char *const *candidates;
    char *const *arguments;
    char *const *environment;
    // Room for the child's pid in decimal and a NUL, inside an environment entry, or NULL.
    char *listen_pid;

    // What becomes 3, 4, 5…; `moved` is scratch of the same length.
    const int32_t *descriptors;
    int32_t *moved;
    uint32_t descriptor_count;

    // Where the child sends the filter on its bind(2) (filter.h), or -1 for none.
    int32_t filter_channel;

    // What `csupervise_ignored_signals` tells, which the program is not to inherit.
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
    // NULL stays where the parent is.
    const char *directory;
    // 0 sets none.
    int32_t death_signal;
    bool drops_ambient_capabilities;

    // Where a failure of a child with memory of its own is written (step and errno, two int32_t),
    // or -1: then the child shares memory and the failure is in the two fields below.
    int32_t error_descriptor;
    // Whether the child begins with the parent's own descriptors instead of a copy of them all.
    bool shares_descriptors;
    int32_t parent;
    volatile int32_t failed_step;
    volatile int32_t failed_code;
};

// The signals that this process ignores; bit 0 is signal 1.
uint64_t csupervise_ignored_signals(void);

// Starts the child; its pid, or -errno of clone(2). `stack_end` is the high end of a stack that no
// other call uses meanwhile. A child that shares memory has exec'd or failed when this returns.
int csupervise_start_child(struct csupervise_start *start, void *stack_end,
                           int32_t *process_descriptor);

#endif
