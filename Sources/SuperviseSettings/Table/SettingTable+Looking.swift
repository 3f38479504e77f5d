extension Setting {
    /// How to look at a running master and steer it.
    static let looking = [
        Setting(
            "control", in: .master, .master(.value(\.control, .control)), reload: .restart,
            summary: "The unix socket for supervise status, reload, …",
            details: """
                The socket speaks HTTP, so curl --unix-socket works as well; see supervise help \
                protocol. auto is NAME.sock in $XDG_RUNTIME_DIR/supervise, else in /run/supervise: \
                where that cannot be made there is a warning and no socket; where another master \
                has it, NAME-PID.sock. A path is made or the start fails. none makes no socket. \
                Example: control = /run/shop/control.sock.
                """),
        Setting(
            "control-mode", in: .master, .master(.value(\.controlMode, .mode)), reload: .restart,
            summary: "Permissions of the control socket",
            details: """
                With 0600 only root, the master's user and the owner get an answer. Whoever may \
                write to the socket may stop the service. Example: control-mode = 0660.
                """),
        Setting(
            "control-owner", in: .master, .master(.optional(\.controlOwner, .owner)),
            reload: .restart,
            summary: "Owner of the control socket",
            details: """
                USER, USER:GROUP or :GROUP, by name or number, for those who may steer the master. \
                Example: control-owner = :ops, together with control-mode 0660.
                """),
        Setting(
            "status-bind", in: .master, .master(.optional(\.statusBind, .statusBind)),
            reload: .restart,
            summary: "Serve health checks and metrics on this address",
            details: """
                Read-only HTTP for load balancers, Prometheus and people: /healthz (the master \
                lives), /readyz (every pool has the workers it promises; else status 503), \
                /metrics, /status, /events, and for browsers a live page at /. Anyone who \
                reaches the address may look. \
                Example: status-bind = 127.0.0.1:9090.
                """),
        Setting(
            "on-event", in: .master, .master(.list(\.hooks, .hook)), reload: .live,
            summary: "Run a command when something happens",
            details: """
                A list of events with commas between them, then a command. The events are \
                those of the log: started, ready, due, retiring, exited, killed, backoff, \
                done, memory-alarm, memory-warning, leak-alarm, memory-shortage, resized, \
                reload, reload-complete, reload-aborted, reload-failed, stopping, giving-up; \
                recycle (retiring for a planned replacement), crash (exited unplanned) and \
                all stand for several. The facts are in the environment: SUPERVISE_EVENT is \
                the name, SUPERVISE_EVENT_POOL, _SLOT, _PID, _CAUSE and so on are its \
                fields, SUPERVISE_EVENT_JSON is all of it. Nobody waits for the command; it \
                is killed after 10 s, and at most 8 run at once. Example: on-event = \
                crash,memory-alarm /usr/bin/notify ops.
                """),
    ]
}
