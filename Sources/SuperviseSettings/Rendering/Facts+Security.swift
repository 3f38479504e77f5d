/// The security model: what the master trusts, and with which permissions it creates files.
extension Fact {
    /// What a worker can and cannot do, one string per paragraph.
    static let security = [
        """
        The master trusts its operator: the command line, the configuration and the files that they \
        name. It trusts no worker, no client and no other user of the machine. A worker is separated \
        from the master by its user. Give each pool its own user and start the master as root or with \
        the capabilities below. A worker that runs as the master's own user can signal, trace and \
        modify the master. Workers that share a user can do the same to each other.
        """,
        """
        A master that does not run as root needs these capabilities for workers of another user. \
        CAP_SETUID and CAP_SETGID start the workers. CAP_KILL signals them; without it they end only \
        by themselves and a stop does not complete. CAP_SYS_PTRACE together with CAP_DAC_READ_SEARCH \
        inspects them. Without these two, a worker that sends no READY=1 counts as ready after a few \
        seconds, drain has no effect, memory-metric reads only the resident set, and adopt = seccomp \
        fails. CAP_NET_BIND_SERVICE is needed for ports below 1024. The master and supervise check \
        report missing capabilities. Under systemd, set them with AmbientCapabilities=; the workers \
        do not inherit the ambient capabilities of the master.
        """,
        """
        A worker of another user cannot signal or trace the master, read its memory, environment or \
        descriptors, or use the control socket. The same applies to workers of other pools that have \
        a different user. What a worker reports or writes into its page affects only that worker: at \
        worst it is recycled, or not recycled. The master limits the length of reported text in the \
        log and quotes it. It also limits the cost of a sample of a worker. Readiness samples that \
        can block, for example because the worker's memory is mapped from a file system that does \
        not respond, run in a separate process (shown as __observe) for at most 3 s.
        """,
        """
        Workers can interfere with resources that they share. Any worker that holds a listener can \
        shut it down or accept all of its connections. Any worker can write to standard output and \
        error and truncate a file behind them, so give the master a log-file of its own. The master \
        rejects messages to a notify socket from processes of another worker, and from users other \
        than root, the master's user and the worker's user.
        """,
        """
        Notify sockets are in directories with mode 0700 that belong to the workers' user: below \
        $XDG_RUNTIME_DIR or /run, in a RuntimeDirectory of the unit, or in $TMPDIR or /tmp. If the \
        master cannot create such a directory, the sockets have abstract names. Then every process \
        on the machine can fill their queues, and the master logs notify-socket-unprotected. A \
        worker can hide processes from the master by giving them their own session, process group \
        and environment. Only a cgroup, as used by systemd and containers, contains those.
        """,
        """
        The master creates the files below with the listed mode, restricted by the umask. The mode \
        of a socket is exact. When the master opens log-file and memory-log, it follows a symbolic \
        link in the path only if the link belongs to root or to the master's user. A worker that \
        owns the directory therefore cannot redirect the log. A pidfile is written under a temporary \
        name and renamed, and a unix socket is created by bind(2). Neither follows a link at its own \
        path, and neither replaces a file that is not a pid file or an unused socket. Links in the \
        parent directories are followed, so keep both in a directory that no worker can write to, \
        such as /run/NAME.
        """,
        """
        Values from env, env-file and the environment are passed to workers. The master's own \
        environment is also passed to the commands of on-event and before-recycle. These values \
        appear in no log, status, metric or page; supervise check prints those of env. A command \
        appears in the log if it cannot be started, and all users can read it in \
        /proc/PID/cmdline. Do not put secrets there.
        """,
    ]

    /// The files that the master creates, and their permissions.
    static let securityFiles = [
        Fact(
            "control socket",
            "control-mode (0600). If the master creates the directory, its mode is 0755."),
        Fact("status-bind = unix:...", "0666, read-only."),
        Fact("bind = unix:...", "socket-mode (0660) and socket-owner."),
        Fact("pidfile", "0644."),
        Fact("log-file, memory-log", "0640."),
        Fact(
            "page, notify socket",
            "The page is a descriptor that only its worker holds. The socket is in a directory with "
                + "mode 0700."
        ),
    ]
}
