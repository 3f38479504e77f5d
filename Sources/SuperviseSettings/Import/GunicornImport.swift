/// The settings of gunicorn. Workers keep running gunicorn, one worker each, with the options that
/// concern the worker; supervise takes over the sockets, the number of workers and their recycling.
enum GunicornImport {
    /// What becomes of a setting that is not at its default.
    private enum Rule {
        /// A setting with the same meaning.
        case setting(String)
        /// An option of gunicorn in the command.
        case option(String)
        /// An option of gunicorn that takes no value.
        case flag(String)
        /// Nothing: supervise does it in any case.
        case drop
        /// Advice.
        case note(String)
    }

    static func draft(_ lines: [String]) -> ImportDraft {
        var values: [(key: String, written: String)] = []
        var draft = ImportDraft()
        draft.addPool("web")
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            if let pair = keyAndValue(line) {
                values.append(pair)
            } else {
                draft.note(
                    "Line \(index + 1) is not \"key = value\": \(line.prefix(60)). Use the output "
                        + "of gunicorn --print-config; the Python file itself is not read.")
            }
        }
        let value = { (key: String) in
            values.last { $0.key == key }.map { PythonValue($0.written) } ?? .none
        }
        let workerClass = value("worker_class").text ?? "sync"
        let isUvicorn = workerClass.contains("uvicorn")
        var options: [String] = []
        for (key, written) in values {
            apply(key, written, isUvicorn: isUvicorn, &options, &draft)
        }
        if value("bind").items.isEmpty { draft.set("bind", "127.0.0.1:8000", from: "bind") }
        let app = value("wsgi_app").text ?? value("default_proc_name").text
        if app == nil || app == "gunicorn" {
            draft.note("The application is not in the output: replace APP in the command.")
        }
        let name = app == nil || app == "gunicorn" ? "APP" : app ?? "APP"
        draft.setCommand(
            isUvicorn
                ? ["uvicorn", "--fd", "{fd}"] + options + [name] : ["gunicorn"] + options + [name])
        return draft
    }

    private static func keyAndValue(_ line: String) -> (key: String, written: String)? {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let key = SettingsLines.trimmed(parts[0])
        let isName = key.utf8.allSatisfy {
            ($0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z"))
                || $0 == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        return key.isEmpty || !isName ? nil : (key, SettingsLines.trimmed(parts[1]))
    }

    private static func apply(
        _ key: String, _ written: String, isUvicorn: Bool, _ options: inout [String],
        _ draft: inout ImportDraft
    ) {
        let value = PythonValue(written)
        let source = "\(key) = \(written)"
        if written.hasPrefix("<"), written.hasSuffix("()>") {
            // A hook that is not set is the method of its own class.
            guard !written.hasSuffix(".\(key)()>") else { return }
            draft.note(
                "\(source): there are no hooks in Python. on-event runs a command when an event "
                    + "occurs, before-recycle one before a worker is replaced.")
            return
        }
        switch key {
        case "bind": value.items.forEach { draft.set("bind", address($0), from: source) }
        case "raw_env":
            for item in value.items {
                let parts = item.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                draft.setVariable(
                    String(parts[0]), parts.count == 2 ? String(parts[1]) : "", from: source)
            }
        case "user", "group", "umask":
            if !value.isOff { draft.set(key, octal(key, written), from: source) }
        case "chdir": if let path = value.text { draft.set("chdir", path, from: source) }
        default: applyRule(key, value, source, isUvicorn: isUvicorn, &options, &draft)
        }
    }

    private static func applyRule(
        _ key: String, _ value: PythonValue, _ source: String, isUvicorn: Bool,
        _ options: inout [String], _ draft: inout ImportDraft
    ) {
        guard let known = rules[key] else {
            // Its default is unknown, so a value that is off is taken for it.
            if !value.isOff, !unimportant.contains(key) {
                draft.note("\(source): unknown to this version; see gunicorn's documentation.")
            }
            return
        }
        guard !value.isOff, value != PythonValue(known.byDefault) else { return }
        switch known.rule {
        case .setting(let name):
            draft.set(name, value.text ?? "", from: source)
        case .option(let option):
            guard !isUvicorn else {
                draft.note("\(source): uvicorn has other options; see uvicorn --help.")
                return
            }
            for item in value.items { options += [option, item] }
        case .flag(let option):
            if isUvicorn {
                draft.note("\(source): uvicorn has other options; see uvicorn --help.")
            } else {
                options.append(option)
            }
        case .drop: return
        case .note(let advice): draft.note("\(source): \(advice)")
        }
    }

    /// gunicorn prints the umask in decimal.
    private static func octal(_ key: String, _ written: String) -> String {
        guard key == "umask", let number = UInt32(written) else { return written }
        return String(number, radix: 8)
    }

    private static func address(_ written: String) -> String {
        if let path = written.after(prefix: "unix://") { return "unix:" + path }
        guard !written.contains(":"), !written.isEmpty else { return written }
        return written + ":8000"
    }

    /// The default as printed by gunicorn, and what becomes of another value.
    private static let rules: [String: (byDefault: String, rule: Rule)] = [
        "workers": ("", .setting("workers")),
        "backlog": ("2048", .setting("backlog")),
        "max_requests": ("0", .setting("max-requests")),
        "max_requests_jitter": ("0", .setting("max-requests-jitter")),
        "graceful_timeout": ("30", .setting("graceful-timeout")),
        "proc_name": ("None", .setting("name")),
        "pidfile": ("None", .setting("pidfile")),
        "worker_class": ("sync", .option("--worker-class")),
        "threads": ("1", .option("--threads")),
        "worker_connections": ("1000", .option("--worker-connections")),
        "timeout": ("30", .option("--timeout")),
        "keepalive": ("2", .option("--keep-alive")),
        "limit_request_line": ("4094", .option("--limit-request-line")),
        "limit_request_fields": ("100", .option("--limit-request-fields")),
        "limit_request_field_size": ("8190", .option("--limit-request-field_size")),
        "pythonpath": ("None", .option("--pythonpath")),
        "paste": ("None", .option("--paste")),
        "accesslog": ("None", .option("--access-logfile")),
        "access_log_format": (
            #"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#,
            .option("--access-logformat")
        ),
        "errorlog": ("-", .option("--error-logfile")),
        "loglevel": ("info", .option("--log-level")),
        "logconfig": ("None", .option("--log-config")),
        "logconfig_json": ("None", .option("--log-config-json")),
        "logger_class": ("gunicorn.glogging.Logger", .option("--logger-class")),
        "capture_output": ("False", .flag("--capture-output")),
        "statsd_host": ("None", .option("--statsd-host")),
        "statsd_prefix": ("", .option("--statsd-prefix")),
        "dogstatsd_tags": ("", .option("--dogstatsd-tags")),
        "forwarded_allow_ips": (
            "['127.0.0.1', '::1']",
            .note("pass --forwarded-allow-ips to gunicorn in the command.")
        ),
        "certfile": ("None", .option("--certfile")),
        "keyfile": ("None", .option("--keyfile")),
        "ca_certs": ("None", .option("--ca-certs")),
        "ciphers": ("None", .option("--ciphers")),
        "worker_tmp_dir": ("None", .option("--worker-tmp-dir")),
        "tmp_upload_dir": ("None", .drop),
        "reload": (
            "False", .note("restarts on changes are for development; use supervise reload.")
        ),
        "preload_app": (
            "False", .note("each worker loads the application itself, so a reload loads new code.")
        ),
        "daemon": (
            "False", .note("supervise stays in the foreground; run it as a systemd service.")
        ),
        "reuse_port": ("False", .note("all workers share one socket, which loses no connections.")),
        "initgroups": ("False", .drop),
        "syslog": ("False", .flag("--log-syslog")),
    ]

    /// Settings whose default is not off and that concern gunicorn itself.
    private static let unimportant: Set<String> = [
        "config", "print_config", "default_proc_name", "wsgi_app", "control_socket",
        "control_socket_mode", "secure_scheme_headers", "forwarder_headers", "header_map",
        "proxy_allow_ips", "uwsgi_allow_ips", "protocol", "http_protocols", "http_parser",
        "http2_cleartext", "http2_initial_window_size", "http2_max_concurrent_streams",
        "http2_max_frame_size", "http2_max_header_list_size", "asgi_disconnect_grace_period",
        "asgi_lifespan", "asgi_loop", "dirty_graceful_timeout", "dirty_threads", "dirty_timeout",
        "proxy_protocol", "reload_engine", "ssl_version", "suppress_ragged_eofs", "syslog_addr",
        "syslog_facility", "websocket_max_message_size", "reload_extra_files",
    ]
}
