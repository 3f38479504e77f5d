extension Verb {
    /// What the command does, one string per paragraph.
    var details: [String] {
        switch self {
        case .run:
            [
                """
                Starts a master in the foreground. The master binds the sockets, starts the workers \
                and runs until it is stopped. The word run is optional. Options come before --, the \
                command after it. With --config, the pools are read from a file. To list all \
                options: supervise --help.
                """
            ]
        case .check:
            [
                """
                Reads the settings as run does, with the same options, and prints the effective \
                settings. If there are errors, it exits with status 2. It also warns about problems \
                that a start would encounter, such as a missing program or directory.
                """
            ]
        case .status:
            [
                """
                Prints the pools with their listeners, one line per worker, and the last exits with \
                their causes. Columns that do not fit the terminal are omitted. CAP is max-rss. CAP \
                IN is the time until the worker reaches it at its current growth rate. LEFT is the \
                number of requests until max-requests. BOOT is the time until the worker was ready. \
                REQUESTS is the number of requests that the worker has served. CONNS replaces it \
                if requests are not visible and the preload library counts accepted connections, \
                each of which may carry many requests (see: supervise help count). NOW is the \
                oldest request that is in flight, its age, and the number of others. It reads \
                "requests: not visible" if the preload library cannot see them (see: supervise \
                help request-info). DURING is the same at the exit of a worker.
                """
            ]
        case .top:
            [
                """
                Shows the status on the whole terminal and refreshes it every second. The arrow keys, \
                j and k, the page keys and space scroll. g and G go to the start and the end. q \
                quits. When the master exits, top prints the reason. If the output is not a terminal, \
                the status is printed once.
                """
            ]
        case .events:
            [
                """
                Prints the last 100 events. An event is a log line, including lines below log-level. \
                supervise help schema describes the fields.
                """
            ]
        case .leaks: Fact.leaks
        case .reload:
            [
                """
                Reads the configuration again and replaces every worker, as HUP does. Each pool \
                first starts one new worker, the canary. If a canary fails, nothing changes.
                """
            ]
        case .recycle:
            [
                """
                Replaces the worker of one slot, or all workers, within max-surge and \
                max-unavailable. The replacement runs with the current settings.
                """
            ]
        case .scale:
            [
                """
                Sets the number of workers, or changes it by a number. In an elastic pool \
                (workers = A..B) a change moves both bounds, a number sets both of them, and a \
                range replaces them. A reload restores the configured number.
                """
            ]
        case .runNow:
            [
                """
                Starts a run of a pool with a schedule, which does not change the times of the \
                schedule. It is rejected while the last run has not ended, unless overlap = queue. \
                The command does not wait for the end of the run; supervise events --follow shows \
                it.
                """
            ]
        case .hunt: Fact.hunt
        case .stop:
            ["Stops the master and its workers gracefully, as TERM does."]
        case .reopen:
            ["Reopens log-file and memory-log, as USR1 does. Use it after rotating the logs."]
        case .upgrade: Fact.upgrade
        case .help:
            ["Explains a setting, a command or a topic. To list the topics: supervise help topics."]
        case .man:
            [
                """
                Prints the manual page supervise(1) or supervise.conf(5) in roff. To read it: \
                supervise man | man -l -
                """
            ]
        case .importing:
            [
                """
                Reads the configuration of another program and prints a config file. What has no \
                equivalent is listed in comments at its end, with what to do instead. FILE is the \
                output of gunicorn --print-config (the Python file itself is not read), an ini file \
                of uWSGI, or a Procfile; - is standard input. Check the result with supervise check \
                --config FILE.
                """
            ]
        case .completions:
            [
                """
                Prints a script that completes the commands, the options and their values in a shell. \
                For bash, add to ~/.bashrc: source <(supervise completions bash). For zsh, add to \
                ~/.zshrc after compinit: source <(supervise completions zsh). For fish: supervise \
                completions fish > ~/.config/fish/completions/supervise.fish. The Debian package \
                installs all three.
                """
            ]
        case .demo:
            [
                """
                Starts two workers of a small Python server that leaks memory with some requests, \
                sends 120 requests per second to them, and prints what happens: each worker is \
                replaced at 60 MB, and no request fails. It listens on free ports of 127.0.0.1, \
                shows its status page, and ends with Ctrl-C. It requires python3, and answers to \
                supervise status --name demo, supervise reload --name demo and so on.
                """
            ]
        case .version:
            ["Prints the name and the version of this program, as --version and -V do."]
        }
    }

    /// The command's own options, followed by those that all commands for a running master share.
    var options: [Fact] {
        let own: [Fact] =
            switch self {
            case .status:
                [
                    Fact("--json", "Print the whole status as one JSON object."),
                    Fact("--pool NAME", "Show only this pool."),
                ]
            case .top: [Fact("--pool NAME", "Show only this pool.")]
            case .events:
                [
                    Fact("--follow", "Print new events as well, until the master exits."),
                    Fact("--json", "Print one JSON object per line."),
                ]
            case .leaks:
                [
                    Fact("--pool NAME", "Show only this pool."),
                    Fact("--json", "Print one JSON object: see supervise help schema."),
                ]
            case .reload:
                [
                    Fact(
                        "--wait",
                        "Follow the reload until it ends. If it fails, exit with status 1."),
                    Fact("--timeout TIME", "Stop waiting after this time; the reload continues."),
                ]
            case .recycle:
                [
                    Fact("SLOT", "The slot, as shown by status, or all for every slot."),
                    Fact("--pool NAME", "The pool, if there are several."),
                ]
            case .scale:
                [
                    Fact(
                        "N, +N, -N, A..B",
                        "The number of workers, the change of it, or the bounds of an elastic pool."
                    ),
                    Fact("--pool NAME", "The pool, if there are several."),
                ]
            case .runNow: [Fact("POOL", "The pool.")]
            case .hunt: Fact.huntOptions
            case .stop:
                [
                    Fact("--quick", "Stop at once, as INT does. Requests in flight are lost."),
                    Fact("--wait", "Return when the master has exited."),
                ]
            case .run, .check, .reopen, .upgrade, .help, .man, .importing, .completions,
                .demo, .version:
                []
            }
        guard isForMaster else { return own }
        return own + [
            Fact("--name NAME", "The name of the master, if several run."),
            Fact("--control PATH", "The control socket of the master."),
        ]
    }
}
