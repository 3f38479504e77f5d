extension Setting {
    /// Monitoring and control of a running master.
    static let control = [
        Setting(
            "control", in: .master, .master(.value(\.control, .control)), reload: .restart,
            summary: "Unix socket for supervise status, reload, …",
            details: """
                The socket speaks HTTP, so curl --unix-socket can use it; see supervise help \
                protocol. auto is NAME.sock in $XDG_RUNTIME_DIR/supervise or, if it cannot be \
                created there, in /run/supervise. If neither is possible, the master logs a \
                warning and opens no socket. If another master uses the socket, the name is \
                NAME-PID.sock. If a path is set and cannot be bound, the master does not start. \
                none disables the socket. Example: control = /run/shop/control.sock.
                """),
        Setting(
            "control-mode", in: .master, .master(.value(\.controlMode, .mode)), reload: .restart,
            summary: "Permissions of the control socket",
            details: """
                With 0600, only root, the master's user and the owner of the socket can use it. \
                Anyone who can write to the socket can stop the service. Example: control-mode = \
                0660.
                """),
        Setting(
            "control-owner", in: .master, .master(.optional(\.controlOwner, .owner)),
            reload: .restart,
            summary: "Owner of the control socket",
            details: """
                USER, USER:GROUP or :GROUP, by name or number. Use it to let other users control \
                the master. Example: control-owner = :ops, together with control-mode = 0660.
                """),
        Setting(
            "status-bind", in: .master, .master(.optional(\.statusBind, .statusBind)),
            reload: .restart,
            summary: "Serve health checks and metrics on this address",
            details: """
                Read-only HTTP for load balancers, Prometheus and browsers: /healthz (200 while \
                the master runs), /readyz (503 unless every pool has its minimum number of ready \
                workers), /metrics, /status, /events, and a live page at /. Anyone who can \
                connect to the address can read it. It names routes of requests only with \
                status-routes. Example: status-bind = 127.0.0.1:9090.
                """),
        Setting(
            "status-routes", in: .master, .master(.value(\.statusRoutes, .boolean)), reload: .live,
            summary: "Name routes of requests on status-bind",
            details: """
                A route is a method and a path without a query, such as GET /orders/*. Paths may \
                be confidential, so only the control socket names them by default: in /status, \
                /events and /leaks. yes: status-bind names them too, and the page shows the \
                routes that seem to retain memory. Example: status-routes = yes.
                """),
        Setting(
            "on-event", in: .master, .master(.list(\.hooks, .hook)), reload: .live,
            summary: "Run a command when an event occurs",
            details: """
                A comma-separated list of events, followed by a command. Log events: started, \
                ready, recycle-scheduled, retiring, exited, killed, backoff, slot-finished, \
                memory-alarm, memory-warning, leak-alarm, memory-shortage, request-stuck, \
                requests-hang, resized, reload, reload-complete, reload-aborted, \
                reload-failed, stopping, startup-failed, job-finished, job-failed, job-skipped, \
                scaled-up, scaled-down, scale-blocked. \
                Groups: recycle (retiring for a planned replacement), crash (an unplanned exit) \
                and all. The environment of the command describes the event: SUPERVISE_EVENT is \
                its name, SUPERVISE_EVENT_POOL, _SLOT, _PID, _CAUSE and so on are its fields, \
                and SUPERVISE_EVENT_JSON is the whole event. The master does not wait for the \
                command. It kills the command after 10 s and runs at most 8 at once. Example: \
                on-event = crash,memory-alarm /usr/bin/notify ops.
                """),
    ]
}
