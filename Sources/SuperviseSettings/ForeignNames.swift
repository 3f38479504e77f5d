/// Names that users of other supervisors and servers bring along, and what does their work here.
enum ForeignName {
    /// What to use in the place of an option or key that is no setting, as the end of a message; nil for
    /// a name that nobody is known to bring along.
    static func hint(onSetting name: String, prefix: String = "") -> String? {
        let name = name.lowercased().substituting(["_": "-"])
        if let key = settings.first(where: { $0.names.contains(name) })?.key {
            return "; the setting for this is \(prefix)\(key)"
        }
        return advice.first { $0.names.contains(name) }.map { "; \($0.text)" }
    }

    /// What to do in the place of a command that there is not, as a sentence; nil as above.
    static func hint(onCommand word: String) -> String? {
        commands.first { $0.names.contains(word.lowercased()) }?.text
    }

    /// Other names of settings: of gunicorn, uvicorn, hypercorn, uwsgi and pm2.
    private static let settings: [(names: [String], key: String)] = [
        (["host", "port", "uds", "socket", "http", "http-socket", "listen", "fd"], "bind"),
        (["processes", "instances", "numprocs", "worker-count"], "workers"),
        (["limit-max-requests"], "max-requests"),
        (["limit-max-requests-jitter", "max-requests-delta"], "max-requests-jitter"),
        (["max-memory-restart", "reload-on-rss", "limit-memory"], "max-rss"),
        (["evil-reload-on-rss"], "kill-rss"),
        (["max-worker-lifetime"], "max-lifetime"),
        (["timeout-graceful-shutdown", "stop-timeout", "kill-timeout"], "graceful-timeout"),
        (["harakiri"], "stall-timeout"),
        (["uid"], "user"), (["gid"], "group"),
        (["cwd", "directory", "app-dir"], "chdir"),
        (["pid"], "pidfile"), (["proc-name"], "name"),
        (["error-logfile", "errorlog", "log"], "log-file"),
        (["statsd-host", "metrics", "stats"], "status-bind"),
        (["limit-as-bytes"], "limit-as"),
    ]

    /// What is no setting here.
    private static let advice: [(names: [String], text: String)] = [
        (
            ["worker-class", "threads", "worker-connections", "keep-alive", "keepalive"],
            "how a worker serves is up to its program: give the option to the command, after --"
        ),
        (
            ["access-logfile", "access-logformat", "access-log", "accesslog"],
            "the program writes its own access log: give the option to the command, after --. "
                + "The master's log is log-file"
        ),
        (
            ["certfile", "keyfile", "ssl-certfile", "ssl-keyfile", "ca-certs", "ciphers"],
            "TLS is up to the program: give the option to the command, after --"
        ),
        (
            ["preload", "preload-app"],
            "every worker runs the command itself, so that a reload always loads new code; nothing "
                + "is loaded before them"
        ),
        (
            ["daemon", "daemonize", "background"],
            "supervise stays in the foreground, where a service manager wants it (supervise help "
                + "systemd); from a shell: nohup supervise ... &"
        ),
        (
            ["reload", "reload-engine", "reload-extra-file", "watch"],
            "files are not watched; new code is rolled out by supervise reload, or HUP"
        ),
    ]

    private static let commands: [(names: [String], text: String)] = [
        (
            ["restart"],
            "to replace the workers without losing a request: supervise reload; to replace the "
                + "master's program too: supervise upgrade"
        ),
        (
            ["logs", "log", "tail"],
            "to see what happens: supervise events --follow; the log itself is in log-file, by "
                + "default standard error (under systemd: journalctl -u UNIT)"
        ),
        (
            ["start"],
            "to start a master: supervise -- COMMAND, or supervise --config FILE"
        ),
        (["ps", "list", "ls", "info"], "to see the workers: supervise status, or supervise top"),
        (["quit", "shutdown", "kill"], "to end the master: supervise stop"),
        (
            ["test", "configtest", "validate", "config"],
            "to validate the settings: supervise check --config FILE"
        ),
    ]

    /// Settings whose names mean something to many programs. After the command they are the program's
    /// business, so nothing is said of them.
    static let sharedKeys: Set<String> = [
        "bind", "backlog", "env", "env-file", "chdir", "user", "group", "umask", "nice", "timeout",
        "name", "pidfile", "log-level", "log-format", "log-file", "restart", "ready", "control",
        "drain", "count", "command", "graceful-timeout", "backoff", "nonblocking",
    ]

    /// The settings that words after the command look like, and that few programs but this one have.
    static func settings(amongWords words: some Collection<String>) -> [String] {
        words.compactMap { word in
            guard let option = word.after(prefix: "--") else { return nil }
            let key = String(option.prefix { $0 != "=" })
            return Setting.named(key) == nil || sharedKeys.contains(key) ? nil : key
        }
    }
}
