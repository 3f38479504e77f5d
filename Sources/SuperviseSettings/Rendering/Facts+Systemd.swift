/// systemd integration and notifications.
extension Fact {
    /// The integration, one string per paragraph.
    static let systemd = [
        """
        conf/deploy has the units supervise@.service and supervise@.socket, whose comments explain each \
        line. supervise@NAME runs /etc/supervise/NAME.conf. systemctl start returns when the pools are ready. systemctl reload runs supervise \
        reload --wait; if the new code fails, it fails and the old workers keep serving. A pool uses \
        the sockets that systemd passes if it has no bind, or by bind = systemd:NAME.
        """,
        """
        systemctl kill sends its signal to every process of the unit. To signal only the master, \
        select the main process: systemctl kill --kill-whom=main -s USR2 NAME. Otherwise HUP, USR1 \
        and USR2 also reach the workers and terminate most programs. (Before systemd 252, the option \
        is --kill-who.)
        """,
        """
        SystemCallFilter=@system-service lacks two system calls. The master uses pidfd_getfd to copy \
        sockets of workers when it inspects connections and answers a bind(). It uses seccomp to \
        install the filter of adopt = seccomp, which adopt = auto selects for static programs. Add \
        both (SystemCallFilter=pidfd_getfd seccomp), or set SystemCallErrorNumber=EPERM, or set adopt \
        to preload or off.
        """,
        """
        Processes of a worker that fork and exit all the time are moved into a cgroup and killed \
        together. The master can create a cgroup as root, or with Delegate=yes, and only if \
        ProtectControlGroups=yes is not set. Otherwise it kills them one by one and logs \
        kill-group-unavailable once.
        """,
        """
        If standard error is connected to the journal (JOURNAL_STREAM), log lines begin with their \
        priority, such as <3> for errors, and have no time of their own. journalctl -p err then shows \
        only errors. The exit codes (see: supervise help exit-codes) avoid the numbers 3 to 7, to \
        which systemd gives names of other programs.
        """,
        """
        If NOTIFY_SOCKET is set, the master sends the messages below as described in sd_notify(3). It \
        never waits for the receiver. If the receiver is gone, it logs this once.
        """,
    ]

    /// The messages.
    static let systemdMessages = [
        Fact("READY=1", "Every pool has its minimum number of ready workers, as for /readyz."),
        Fact(
            "RELOADING=1",
            "A reload begins. MONOTONIC_USEC is included. READY=1 follows when the reload ends, "
                + "whatever its result. STATUS reports a failure."),
        Fact("STOPPING=1", "The stop begins."),
        Fact(
            "STATUS=...",
            "A line for systemctl status, sent when it changes, at most once per second."),
        Fact(
            "WATCHDOG=1",
            "Sent twice per WATCHDOG_USEC, unless WATCHDOG_PID is another process."),
        Fact(
            "EXTEND_TIMEOUT_USEC=...",
            "Sent every 10 s during the first boot of the workers, during a reload, and during a stop "
                + "until drain-delay and graceful-timeout are over."),
    ]
}
