/// Names of settings and commands of other supervisors and servers, with their equivalents.
enum ForeignName {
    /// The end of a message about an unknown option or key that names the equivalent; nil if there is
    /// none.
    static func hint(onSetting name: String, prefix: String = "") -> String? {
        let name = name.lowercased().substituting(["_": "-"])
        if let key = settings.first(where: { $0.names.contains(name) })?.key {
            return "; the equivalent setting is \(prefix)\(key)"
        }
        return advice.first { $0.names.contains(name) }.map { "; \($0.text)" }
    }

    /// The advice on an unknown command; nil if there is none.
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

    /// Names without an equivalent setting.
    private static let advice: [(names: [String], text: String)] = [
        (
            ["worker-class", "threads", "worker-connections", "keep-alive", "keepalive"],
            "the program decides how a worker serves: pass the option to the command, after --"
        ),
        (
            ["access-logfile", "access-logformat", "access-log", "accesslog"],
            "the program writes its own access log: pass the option to the command, after --. "
                + "For the log of the master, use log-file"
        ),
        (
            ["certfile", "keyfile", "ssl-certfile", "ssl-keyfile", "ca-certs", "ciphers"],
            "the program handles TLS: pass the option to the command, after --"
        ),
        (
            ["preload", "preload-app"],
            "every worker executes the command, so a reload always loads new code; nothing is "
                + "preloaded"
        ),
        (
            ["daemon", "daemonize", "background"],
            "supervise runs in the foreground, as service managers require (supervise help "
                + "systemd); from a shell: nohup supervise ... &"
        ),
        (
            ["reload", "reload-engine", "reload-extra-file", "watch"],
            "files are not watched; to roll out new code, run supervise reload or send HUP"
        ),
    ]

    private static let commands: [(names: [String], text: String)] = [
        (
            ["restart"],
            "to replace the workers without losing a request: supervise reload; to replace the "
                + "program of the master: supervise upgrade"
        ),
        (
            ["logs", "log", "tail"],
            "to follow the events: supervise events --follow; the log is written to log-file, by "
                + "default standard error (under systemd: journalctl -u UNIT)"
        ),
        (
            ["start"],
            "to start a master: supervise -- COMMAND, or supervise --config FILE"
        ),
        (["ps", "list", "ls", "info"], "to show the workers: supervise status or supervise top"),
        (["quit", "shutdown", "kill"], "to stop the master: supervise stop"),
        (
            ["test", "configtest", "validate", "config"],
            "to validate the settings: supervise check --config FILE"
        ),
    ]

    /// Settings whose names many programs use as options. After the command they are taken for options
    /// of the program, without a warning.
    static let sharedKeys: Set<String> = [
        "bind", "backlog", "env", "env-file", "chdir", "user", "group", "umask", "nice", "timeout",
        "name", "pidfile", "log-level", "log-format", "log-file", "restart", "ready", "control",
        "drain", "count", "command", "graceful-timeout", "backoff", "nonblocking",
    ]

    /// The settings among the words after the command, except those that many programs share.
    static func settings(amongWords words: some Collection<String>) -> [String] {
        words.compactMap { word in
            guard let option = word.after(prefix: "--") else { return nil }
            let key = String(option.prefix { $0 != "=" })
            return Setting.named(key) == nil || sharedKeys.contains(key) ? nil : key
        }
    }
}
