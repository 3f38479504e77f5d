/// How the master gets on with a service manager, in words.
extension Fact {
    /// What there is for systemd, paragraph by paragraph.
    static let systemd = [
        """
        conf/supervise.service and conf/supervise.socket are units to copy; their comments say why \
        each line is there. systemctl start returns when the pools are ready. systemctl reload runs \
        supervise reload --wait and fails where the new code does, while the old serves on. Sockets \
        that systemd holds are used where no bind is set, or by bind = systemd:NAME.
        """,
        """
        systemctl kill sends its signal to every process of the unit. To send one to the master alone, \
        name the main process: systemctl kill --kill-whom=main -s USR2 NAME. Without that, HUP, USR1 and \
        USR2 reach the workers as well and end most programs. (Before systemd 252 the option is \
        --kill-who.)
        """,
        """
        SystemCallFilter=@system-service lacks two system calls. pidfd_getfd copies sockets of workers, \
        to inspect connections and to answer a bind(); seccomp installs the filter of adopt = seccomp, \
        which adopt = auto chooses for static programs. Add both (SystemCallFilter=pidfd_getfd \
        seccomp), or set SystemCallErrorNumber=EPERM, or set adopt to preload or off.
        """,
        """
        Where NOTIFY_SOCKET is set, the master tells it, as sd_notify(3) describes, what follows. It \
        never waits for the receiver; one that is gone is told once in the log.
        """,
    ]

    /// The messages.
    static let systemdMessages = [
        Fact("READY=1", "Every pool has the workers that it promises, as at /readyz."),
        Fact(
            "RELOADING=1",
            "A reload begins, with MONOTONIC_USEC. READY=1 follows at its end, whatever came of it; "
                + "STATUS says so where it failed."),
        Fact("STOPPING=1", "The stop begins."),
        Fact("STATUS=...", "A line for systemctl status, when it changes, at most once a second."),
        Fact("WATCHDOG=1", "Twice within WATCHDOG_USEC, unless WATCHDOG_PID is another's."),
        Fact(
            "EXTEND_TIMEOUT_USEC=...",
            "Every 10 s while workers boot for the first time, a reload is under way, or a stop has "
                + "not used up drain-delay and graceful-timeout."),
    ]
}
