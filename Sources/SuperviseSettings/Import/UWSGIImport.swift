/// An ini file of uWSGI. Workers run gunicorn, because uWSGI's own counting and its master would
/// compete with those of supervise; another server can replace it in the command.
enum UWSGIImport {
    /// What becomes of an option.
    private enum Rule {
        /// A setting with the same meaning.
        case setting(String)
        /// A size in megabytes.
        case megabytes(String)
        /// An option of gunicorn in the command.
        case option(String)
        /// Nothing: supervise does it in any case, or it concerns uWSGI itself.
        case drop
        /// Advice.
        case note(String)
    }

    static func draft(_ lines: [String]) -> ImportDraft {
        var draft = ImportDraft()
        draft.addPool("web")
        var reading = Reading()
        var isOurs = true
        for (index, line) in lines.enumerated() {
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                isOurs = line == "[uwsgi]"
                if !isOurs { draft.note("The section \(line) is not read; only [uwsgi] is.") }
                continue
            }
            guard isOurs else { continue }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = SettingsLines.trimmed(parts[0]).substituting(["_": "-"])
            guard parts.count == 2, !key.isEmpty, !key.contains(" "), !key.hasPrefix("<") else {
                draft.note(
                    "Line \(index + 1) is not \"key = value\": \(line.prefix(60)). Only ini files "
                        + "are read.")
                continue
            }
            let value = SettingsLines.trimmed(parts[1])
            if value.contains("$(") || value.contains("%") || value.contains("@(") {
                draft.note("\(key) = \(value): placeholders are not expanded; write the value.")
            }
            apply(key, value, &reading, &draft)
        }
        finish(reading, &draft)
        return draft
    }

    /// What is known once all lines have been read.
    private struct Reading {
        var module: String?
        var callable: String?
        var file: String?
        var environment: String?
        var options: [String] = []
        var daemons: [String] = []
        var threads: String?
    }

    private static func apply(
        _ key: String, _ value: String, _ reading: inout Reading, _ draft: inout ImportDraft
    ) {
        let source = "\(key) = \(value)"
        switch key {
        case "module", "wsgi", "w": reading.module = value
        case "callable": reading.callable = value
        case "wsgi-file", "file": reading.file = value
        case "home", "virtualenv", "venv", "pyhome", "H": reading.environment = value
        case "threads": reading.threads = value
        case "attach-daemon", "smart-attach-daemon", "attach-daemon2":
            reading.daemons.append(value)
        case "http", "http-socket", "socket", "s", "uwsgi-socket":
            draft.set("bind", address(value), from: source)
            if key != "http", key != "http-socket" {
                draft.note(
                    "\(source): the workers speak HTTP, not the protocol of uWSGI. In nginx, replace "
                        + "uwsgi_pass by proxy_pass.")
            }
        case "stats", "stats-server":
            draft.set("status-bind", address(value), from: source)
        case "env":
            let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            draft.setVariable(
                String(parts[0]), parts.count == 2 ? String(parts[1]) : "", from: source)
        case "pythonpath", "python-path", "pp": reading.options += ["--pythonpath", value]
        default: applyRule(key, value, source, &reading, &draft)
        }
    }

    private static func applyRule(
        _ key: String, _ value: String, _ source: String, _ reading: inout Reading,
        _ draft: inout ImportDraft
    ) {
        switch rules[key] {
        case .setting(let name): draft.set(name, value, from: source)
        case .megabytes(let name): draft.set(name, value + "M", from: source)
        case .option(let option): reading.options += [option, value]
        case .drop: return
        case .note(let advice): draft.note("\(source): \(advice)")
        case nil:
            guard Format<Bool>.meaning(ofWord: value) != false else { return }
            draft.note("\(source): no equivalent is known.")
        }
    }

    private static func finish(_ reading: Reading, _ draft: inout ImportDraft) {
        let folder = reading.environment.map { "\($0)/bin/" } ?? ""
        let threads = reading.threads.map { ["--threads", $0] } ?? []
        let words = ["\(folder)gunicorn"] + threads + reading.options
        draft.setCommand(words + [application(reading, &draft)])
        draft.note(
            "The command runs gunicorn instead of uWSGI: install it with \(folder)pip install "
                + "gunicorn. Any other server can take its place.")
        for (index, daemon) in reading.daemons.enumerated() {
            draft.addPool("daemon-\(index + 1)", comment: "attach-daemon = \(daemon)")
            draft.set("command", daemon, from: "attach-daemon = \(daemon)")
        }
    }

    private static func application(_ reading: Reading, _ draft: inout ImportDraft) -> String {
        if let module = reading.module {
            guard let callable = reading.callable, !module.contains(":") else { return module }
            return "\(module):\(callable)"
        }
        guard let file = reading.file else {
            draft.note("There is no module or wsgi-file: replace APP in the command.")
            return "APP"
        }
        let parts = file.split(separator: "/", omittingEmptySubsequences: false)
        let name = String(parts.last ?? "")
        let module = name.hasSuffix(".py") ? String(name.dropLast(3)) : name
        if parts.count > 1 {
            draft.note(
                "wsgi-file = \(file): the module \(module) must be found from chdir; set chdir or "
                    + "pass --pythonpath.")
        }
        return "\(module.isEmpty ? "APP" : module):\(reading.callable ?? "application")"
    }

    /// uWSGI writes unix sockets as paths, and separates several options with commas.
    private static func address(_ written: String) -> String {
        let first = String(written.prefix { $0 != "," })
        if let path = first.after(prefix: "unix://") { return "unix:" + path }
        if first.hasPrefix("@") || first.hasPrefix("/") { return "unix:" + first }
        return first.contains(":") ? first : "unix:" + first
    }

    private static let oneBudget =
        "max-surge and max-unavailable limit how many workers are replaced at a time."

    private static let rules: [String: Rule] = [
        "processes": .setting("workers"), "workers": .setting("workers"),
        "p": .setting("workers"), "listen": .setting("backlog"), "l": .setting("backlog"),
        "max-requests": .setting("max-requests"), "R": .setting("max-requests"),
        "max-requests-delta": .setting("max-requests-jitter"),
        "max-worker-lifetime": .setting("max-lifetime"),
        "max-worker-lifetime-delta": .setting("max-lifetime-jitter"),
        "reload-on-rss": .megabytes("max-rss"), "evil-reload-on-rss": .megabytes("kill-rss"),
        "limit-as": .megabytes("limit-as"), "worker-reload-mercy": .setting("graceful-timeout"),
        "reload-mercy": .setting("graceful-timeout"), "chdir": .setting("chdir"),
        "chdir2": .setting("chdir"), "uid": .setting("user"), "gid": .setting("group"),
        "umask": .setting("umask"), "chmod-socket": .setting("socket-mode"),
        "chown-socket": .setting("socket-owner"), "pidfile": .setting("pidfile"),
        "pidfile2": .setting("pidfile"), "safe-pidfile": .setting("pidfile"),
        "procname-prefix": .setting("name"), "procname": .setting("name"),
        "nice": .setting("nice"), "max-fd": .setting("limit-nofile"),
        "logto": .setting("log-file"),
        "daemonize": .note(
            "supervise stays in the foreground; run it as a systemd service."),
        "buffer-size": .note("gunicorn limits request lines with --limit-request-line."),
        "harakiri": .note(
            "for gunicorn, pass --timeout in the command. stall-timeout aborts a worker that makes "
                + "no progress while connections wait."),
        "cheaper": .note(
            "write a range: workers = CHEAPER..WORKERS keeps as many workers as the load needs."),
        "cheaper-initial": .drop, "cheaper-step": .drop, "cheaper-algo": .drop,
        "touch-reload": .note("run supervise reload --wait instead; it reports the result."),
        "touch-chain-reload": .note("run supervise reload --wait instead; it reports the result."),
        "py-autoreload": .note("restarts on changes are for development; use supervise reload."),
        "static-map": .note("let nginx serve static files."),
        "check-static": .note("let nginx serve static files."),
        "route": .note("routes belong into nginx or into the application."),
        "cron": .note("use a systemd timer or cron."),
        "cron2": .note("use a systemd timer or cron."),
        "mule": .note("run it as a pool of its own without bind."),
        "mules": .note("run them as a pool of its own without bind."),
        "farm": .note("run it as a pool of its own without bind."),
        "spooler": .note("use a queue, with its consumers as a pool without bind."),
        "gevent": .note("pass --worker-class gevent to gunicorn in the command."),
        "asyncio": .note("run an ASGI server such as uvicorn --fd {fd} as the command."),
        "emperor": .note("run one supervise service per application, each as a systemd unit."),
        "vassals": .note("run one supervise service per application, each as a systemd unit."),
        "plugins": .note("plugins of uWSGI have no equivalent; run the program itself."),
        "plugin": .note("plugins of uWSGI have no equivalent; run the program itself."),
        "reload-on-as": .note("use max-rss, which measures resident memory."),
        "log-format": .note("the access log is that of the server in the command."),
        "max-worker-lifetime-step": .note(oneBudget), "wait-for-fs": .drop,
        "master": .drop, "M": .drop, "enable-threads": .drop, "T": .drop, "vacuum": .drop,
        "die-on-term": .drop, "single-interpreter": .drop, "need-app": .drop, "strict": .drop,
        "lazy-apps": .drop, "lazy": .drop, "thunder-lock": .drop, "auto-procname": .drop,
        "memory-report": .drop, "no-orphans": .drop, "disable-logging": .drop,
        "log-4xx": .drop, "log-5xx": .drop, "log-slow": .drop, "log-date": .drop,
        "post-buffering": .drop, "no-site": .drop, "protocol": .drop, "offload-threads": .drop,
        "hook-master-start": .note("on-event runs a command when an event occurs."),
        "exec-asap": .note("run it before supervise, for example by ExecStartPre= of systemd."),
        "exec-pre-app": .note("run it before supervise, for example by ExecStartPre= of systemd."),
    ]
}
