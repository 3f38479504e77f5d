/// Whom the master trusts, and with what, in words.
extension Fact {
    /// What a worker may do and what not, paragraph by paragraph.
    static let security = [
        """
        The master trusts its operator: the command line, the configuration and what they name. It \
        trusts no worker, no client and no other user of the machine. What separates a worker from the \
        master is its user: give each pool a user of its own, by user, and start the master as root \
        or with the capabilities below. A worker that runs as the master's own user can signal, \
        trace and rewrite the master, as the kernel has it; so can workers of one user among \
        themselves.
        """,
        """
        A master that is not root needs these capabilities for workers of another user: CAP_SETUID and \
        CAP_SETGID to start them; CAP_KILL to signal them, without which they end only by themselves \
        and a stop does not end; CAP_SYS_PTRACE together with CAP_DAC_READ_SEARCH to inspect them, \
        without which a worker that sends no READY=1 counts as ready after a few seconds, drain has no \
        effect, memory-metric reads the resident set alone, and adopt = seccomp fails. The \
        master reports what it lacks when it starts, and so does supervise check. CAP_NET_BIND_SERVICE \
        is needed for ports below 1024. Under systemd, AmbientCapabilities= gives them; the workers do \
        not inherit the master's ambient capabilities.
        """,
        """
        A worker of another user cannot signal or trace the master, read its memory, environment or \
        descriptors, or talk to the control socket; the same goes for workers of other pools that have \
        yet another user. What a worker says, counts or writes into its page concerns itself alone: at \
        worst it is recycled, or not. Its words are bounded in the log and written in quotes. What a \
        sample of a worker may cost is bounded. Readiness samples that can wait for the worker, as for \
        memory on a file system that does not answer, are taken by a process of their own (shown as \
        __observe), which has 3 s.
        """,
        """
        What workers share they can spoil for each other: a listener can be shut down or emptied by \
        any worker that holds it, standard output and error can be written to, and a file behind \
        them cut short, so give the master a log-file of its own. Messages to a notify socket from \
        another worker's processes, or from users who are neither root, the master's nor the \
        worker's, are refused. The sockets are in folders with mode 0700 that belong to the workers' \
        user: below $XDG_RUNTIME_DIR or /run, in a RuntimeDirectory of the unit, or in $TMPDIR or \
        /tmp. If the master can make no such folder, they have abstract names: then every process of \
        the machine can fill their queues, and the master logs notify-unguarded. A worker can leave processes \
        behind that hide (a session, a group and an environment of their own); only a control group \
        ends those, as systemd and containers do.
        """,
        """
        The master makes the files below, with the least of the mode given and the umask, but for \
        sockets, whose mode is exact. log-file and memory-log are opened name by name, and a symbolic \
        link on the way is followed only if it belongs to root or to the master's user: a worker that \
        owns the folder cannot lead the log elsewhere. A pidfile is written under another name and \
        renamed, a unix socket is made by bind(2): neither follows a link in its own place, and what \
        is there and is no pid file or no dead socket is left alone. Links above them are followed, so \
        keep both in a folder that no worker may write to, such as /run/NAME.
        """,
        """
        Values of env, of env-file and of the environment are handed to workers (and the master's own \
        environment to the commands of on-event and before-recycle), and appear in no log, status, \
        metric or page; supervise check prints those of env, for the operator. Commands appear in the \
        log when they cannot be started, and all users see them in /proc/PID/cmdline: put no secret \
        there.
        """,
    ]

    /// What the master makes, and who may use it.
    static let securityFiles = [
        Fact("control socket", "control-mode (0600); its folder, if it had to be made, 0755."),
        Fact("status-bind = unix:...", "0666, and read-only."),
        Fact("bind = unix:...", "socket-mode (0660) and socket-owner."),
        Fact("pidfile", "0644."),
        Fact("log-file, memory-log", "0640."),
        Fact(
            "page, notify socket",
            "The page is a descriptor of its worker alone; the socket is in a folder of mode 0700."
        ),
    ]
}
