extension Setting {
    static let stopping = [
        Setting(
            "stop-signal", in: .stopping, .pool(.value(\.stopSignal, .end)),
            reload: .newWorkers,
            summary: "Signal that asks a worker to stop",
            details: """
                Sent first whenever a worker is stopped, reloaded or recycled. KILL and STOP are \
                rejected because a program cannot catch them to finish its requests. Example: \
                stop-signal = QUIT, for php-fpm and nginx.
                """),
        Setting(
            "quick-signal", in: .stopping, .pool(.optional(\.quickSignal, .quick)),
            reload: .newWorkers, default: "stop-signal",
            summary: "Signal for a quick stop",
            details: """
                Sent when the master receives INT or QUIT, or a second TERM at least a second \
                after the first. Workers that still run two seconds later are killed. Example: \
                quick-signal = INT.
                """),
        Setting(
            "graceful-timeout", in: .stopping,
            .pool(
                .value(
                    \.policy.gracefulTimeout,
                    .duration(allowed: "a duration such as 30s, 5m or 0"))),
            reload: .live,
            summary: "Maximum time for a worker to stop",
            details: """
                Counts from the stop-signal. After that time the master kills the worker and its \
                descendants. Example: graceful-timeout = 2m, for long uploads.
                """),
        Setting(
            "drain", in: .stopping,
            .pool(.value(\.policy.drain, .word("a way to drain", placeholder: "WAY"))),
            reload: .live,
            summary: "How requests in flight are finished before a worker stops",
            details: """
                Many programs drop their requests when they receive the stop-signal. observe: \
                the worker accepts no new connections, and the master sends the stop-signal when \
                no request is in flight. If requests are visible (see request-info), the \
                preload library also ends each connection behind its response. If they are not, \
                no request is in flight if no connection is \
                open, or if threads wait for the next request of each client. An open connection \
                that has carried a response and that no thread reads may still be sending it. \
                The master waits for it until six seconds before the end of graceful-timeout. \
                Then it closes each connection as soon as no request is known on it. Two seconds \
                before the end it sends the signal in any case. If clients keep sending requests \
                and the program handles the signal, the program receives it after half of \
                graceful-timeout. Once one worker has finished its requests after the signal, \
                the other workers receive the signal as soon as a connection is used again. \
                signal: the master sends the stop-signal at once, for programs that finish their \
                requests. auto: signal for workers that report requests or send X_ messages, \
                otherwise observe. In pools with unix sockets whose requests are not visible, and \
                for programs that cannot load the preload library (static programs, Go), the \
                signal is always sent at once. Example: drain = signal.
                """),
        Setting(
            "drain-delay", in: .stopping,
            .pool(
                .value(
                    \.policy.drainDelay,
                    .duration(allowed: "a duration such as 15s, 1m or 0"))),
            reload: .live,
            summary: "Keep serving for this long after a graceful stop is requested",
            details: """
                For load balancers that need time to notice that an instance stops. During the \
                delay, /readyz reports not ready and the workers serve as before. Then the \
                listeners accept no new connections, the workers serve the accept queue, and the \
                master stops the workers. graceful-timeout starts after the delay. Example: \
                drain-delay = 15s, in Kubernetes.
                """),
        Setting(
            "reopen-signal", in: .stopping, .pool(.optional(\.reopenSignal, .request)),
            reload: .newWorkers,
            summary: "Signal that asks workers to reopen their logs",
            details: """
                When the master receives USR1, it reopens its own log file and sends this signal \
                to every worker. By default it sends none, because USR1 kills most programs. \
                Example: reopen-signal = USR1.
                """),
    ]

    static let failure = [
        Setting(
            "timeout", in: .failure,
            .pool(
                .value(
                    \.policy.watchdogTimeout,
                    .durationOrOff(allowed: "off, or a duration such as 30s"))),
            reload: .newWorkers,
            summary: "Abort a worker whose next WATCHDOG=1 is late",
            details: """
                Applies to workers that send WATCHDOG=1 (sd_notify); WATCHDOG_USEC contains the \
                time. A worker that is late receives ABRT and, two seconds later, KILL, and is \
                replaced. Unlike the option of the same name in gunicorn, this has no effect on \
                a program that never sends WATCHDOG=1; the master logs this once. request-timeout \
                works with any program whose requests are visible. Example: timeout = 30s.
                """),
        Setting(
            "stall-timeout", in: .failure,
            .pool(
                .value(
                    \.policy.stallTimeout,
                    .durationOrOff(allowed: "off, or a duration such as 2m"))),
            reload: .live,
            summary: "Abort a worker that makes no progress while connections wait",
            details: """
                For workers that count requests and do not send WATCHDOG=1. If connections have \
                waited in the accept queue for this long and the worker's count has not changed, \
                the worker receives ABRT and, two seconds later, KILL. Set it above the duration \
                of the slowest request. Example: stall-timeout = 2m.
                """),
        Setting(
            "request-timeout", in: .failure,
            .pool(
                .value(
                    \.policy.requestTimeout,
                    .durationOrOff(allowed: "off, or a duration such as 30s"))),
            reload: .live,
            summary: "Replace a worker with a request that gets no response",
            details: """
                Counts from the last byte of a request to the first byte of its response, so slow \
                clients, long responses and WebSockets are not affected. The master logs the method \
                and the path, and starts a replacement. Then the worker accepts no new connections, \
                its other requests finish within graceful-timeout, and it receives ABRT and, two \
                seconds later, KILL. If more than half of the workers have such a request at the \
                same time, a dependency hangs: the master logs that once and replaces no worker. \
                While more than half of them have a request that has waited for a quarter of this \
                time, the master waits until such requests get their responses, or do not. The same \
                applies to a single worker if most of several requests wait, or if its predecessor \
                was stuck too. The requests must be visible (see request-info). before-recycle runs for such a worker too. Example: request-timeout \
                = 30s.
                """),
        Setting(
            "restart", in: .failure,
            .pool(.value(\.policy.restart, .word("a restart rule", placeholder: "RULE"))),
            reload: .live,
            summary: "Which workers are restarted when they exit",
            details: """
                always: all workers. on-failure: workers that crashed, but not those that exited \
                with status 0. never: no worker. When every slot of every pool is finished, the \
                master exits: with status 0 if every worker did, otherwise with 5. Example: \
                restart = on-failure.
                """),
        Setting(
            "backoff", in: .failure,
            .pool(
                .value(
                    \.policy.backoff,
                    .duration(
                        atLeast: .milliseconds(1), allowed: "1ms or more, such as 100ms or 2s"))),
            reload: .live,
            summary: "Initial delay before restarting a crashing worker",
            details: """
                The first crash is replaced immediately. From the second crash on, each start of \
                the same slot is delayed, and the delay doubles each time up to backoff-max. \
                Other slots are not affected. Example: backoff = 1s.
                """),
        Setting(
            "backoff-max", in: .failure,
            .pool(
                .value(
                    \.policy.backoffMax,
                    .duration(
                        atLeast: .milliseconds(1), allowed: "1ms or more, such as 30s or 5m"))),
            reload: .live,
            summary: "Maximum delay before restarting a crashing worker",
            details: """
                Must not be less than backoff. Example: backoff-max = 5m.
                """),
        Setting(
            "stable-after", in: .failure,
            .pool(
                .value(
                    \.policy.stableAfter, .duration(allowed: "a duration such as 0 or 10s"))),
            reload: .live,
            summary: "Reset the crash backoff after this time of readiness",
            details: """
                After that, the next crash is replaced immediately again. Example: stable-after \
                = 1m.
                """),
        Setting(
            "canary-check", in: .failure,
            .pool(.value(\.canaryCheck, .word("a canary check", placeholder: "auto|off"))),
            reload: .live,
            summary: "Abort a reload whose first new worker responds with errors",
            details: """
                The first new worker of a reload serves requests for up to two seconds before any \
                old worker is replaced. auto: if at least half of its responses, and at least 5 of \
                10, have a status of 500 or above, and fewer than a tenth of the old workers' do, \
                the reload is aborted, and the old workers keep serving. The log, the status and \
                reload --wait report both figures. If it seems bad but has sent fewer than 10 \
                responses, it stays up to ten seconds longer. Without requests it passes. The old \
                workers' responses of the same time count, or all their responses if there are fewer \
                than 10. Statuses below 500 are not errors. The requests must be visible (see \
                request-info). off: responses do not matter. Example: canary-check = off.
                """),
        Setting(
            "boot-attempts", in: .failure,
            .pool(
                .value(
                    \.policy.bootAttempts, .integer(1...1_000_000, allowed: "1 to 1000000"))),
            reload: .live,
            summary: "Exit if no worker has become ready after this many attempts",
            details: """
                If no worker of any pool has ever been ready and each slot has failed this many \
                times in a row, the master exits with status 3. A service that has run once \
                never exits for this reason. Example: boot-attempts = 3.
                """),
    ]

    static let master = [
        Setting(
            "name", in: .master, .master(.optional(\.name, .name)), reload: .restart,
            default: "config file or command",
            summary: "Service name used in logs and metrics",
            details: """
                The default is the name of the config file without its extension, or else the \
                name of the command. Example: name = shop.
                """),
        Setting(
            "pidfile", in: .master,
            .master(.optional(\.pidfile, .text("FILE", allowed: "the path of a file"))),
            reload: .restart,
            summary: "Write the master's process ID to this file",
            details: """
                If the file names a running master, the start fails. Any other content is \
                replaced, even if another program now has that process ID. The master removes \
                the file when it exits. Example: pidfile = /run/shop.pid.
                """),
        Setting(
            "log-level", in: .master,
            .master(.value(\.logLevel, .word("a level", placeholder: "LEVEL"))),
            reload: .live,
            summary: "Minimum level of the log lines",
            details: """
                debug logs each step. info logs every start, recycling and exit. warning logs \
                only unexpected conditions. error logs only failures. Example: log-level = \
                warning.
                """),
        Setting(
            "log-format", in: .master,
            .master(.value(\.logFormat, .word("a format", placeholder: "FORMAT"))),
            reload: .live,
            summary: "Format of the log lines",
            details: """
                text is for people. logfmt is key=value pairs. json is one object per line. auto \
                is text on a terminal and logfmt elsewhere. Example: log-format = json.
                """),
        Setting(
            "log-file", in: .master, .master(.value(\.logFile, .logDestination)), reload: .live,
            summary: "Destination of the master's log",
            details: """
                stderr, or a file. The master appends to the file and reopens it on USR1 (for \
                logrotate). A symbolic link is followed only if it belongs to root or to the \
                master's user. The output of the workers does not go to this file: see output. \
                Example: log-file = /var/log/shop.log.
                """),
    ]
}
