extension Setting {
    static let stopping = [
        Setting(
            "stop-signal", in: .stopping, .pool(.value(\.stopSignal, .end)),
            reload: .newWorkers,
            summary: "The signal that asks a worker to finish and end",
            details: """
                Sent to the worker first, whenever it is to end: on a stop, a reload or a \
                recycling. KILL and STOP are refused: no program can catch them and finish its \
                requests. Example: stop-signal = QUIT, for programs such as php-fpm and nginx.
                """),
        Setting(
            "quick-signal", in: .stopping, .pool(.optional(\.quickSignal, .quick)),
            reload: .newWorkers, default: "stop-signal",
            summary: "The signal for a quick stop",
            details: """
                Sent when the master gets INT or QUIT, or a second TERM at least a second after the \
                first; what still runs two seconds later is killed. Example: quick-signal = INT.
                """),
        Setting(
            "graceful-timeout", in: .stopping,
            .pool(
                .value(
                    \.policy.gracefulTimeout,
                    .duration(allowed: "a duration such as 30s, 5m or 0"))),
            reload: .live,
            summary: "How long a worker may take to end",
            details: """
                Counted from the stop-signal. What is left of the worker then, its descendants \
                too, is killed. Example: graceful-timeout = 2m, for long uploads.
                """),
        Setting(
            "drain", in: .stopping,
            .pool(.value(\.policy.drain, .word("a way to drain", placeholder: "WAY"))),
            reload: .live,
            summary: "How a worker's open requests are finished before it ends",
            details: """
                Many programs drop their requests when they get the stop-signal. observe: the \
                worker accepts no new connections, and the master sends the stop-signal when no \
                connection can have a request in flight: none is open, or threads wait for each \
                client's next request. An open connection that has carried a response, and that \
                no thread reads, may wait for more of it, so it is waited for until six seconds \
                before the end of graceful-timeout. Then each connection is closed at its first \
                moment without a known request, and two seconds before the end the signal is \
                sent in any case. \
                If clients keep sending requests on their connections and the program handles \
                the signal, it gets half of graceful-timeout to finish them; once a worker was \
                seen to do so, the others get the signal as soon as a connection is used again. \
                signal: the stop-signal at once, for programs that finish their requests. auto: \
                signal for workers that report requests or send X_ messages, else observe. Pools \
                with unix sockets, and programs that cannot load the preload library (static \
                ones, Go), get the signal at once in any case. Example: drain = signal.
                """),
        Setting(
            "drain-delay", in: .stopping,
            .pool(
                .value(
                    \.policy.drainDelay,
                    .duration(allowed: "a duration such as 15s, 1m or 0"))),
            reload: .live,
            summary: "How long to serve on after a graceful stop was asked for",
            details: """
                For load balancers that take a while to notice that an instance is going: it is \
                no longer reported ready, but serves as before. Then its listeners take no new \
                connections, those that wait are served, and the workers are told to go. \
                graceful-timeout begins after the delay. Example: drain-delay = 15s, in Kubernetes.
                """),
        Setting(
            "reopen-signal", in: .stopping, .pool(.optional(\.reopenSignal, .request)),
            reload: .newWorkers,
            summary: "The signal that workers get on USR1, to reopen their logs",
            details: """
                When the master gets USR1 it opens its own log file again and sends this to every \
                worker. By default they get nothing, since USR1 would kill most programs. \
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
                Only for workers that announce themselves so (sd_notify); WATCHDOG_USEC tells \
                them the time. One that is late gets ABRT, and two seconds later KILL, and is \
                replaced. For a program that sends no WATCHDOG=1 this does nothing, unlike \
                gunicorn's option of the same name, and the log says so once: set stall-timeout, \
                which needs nothing from the program. Example: timeout = 30s.
                """),
        Setting(
            "stall-timeout", in: .failure,
            .pool(
                .value(
                    \.policy.stallTimeout,
                    .durationOrOff(allowed: "off, or a duration such as 2m"))),
            reload: .live,
            summary: "Abort a worker that does nothing while connections wait",
            details: """
                For workers that count requests and say no WATCHDOG=1: when connections have \
                waited in the accept queue all this time and a worker's count has not moved, it \
                gets ABRT, and two seconds later KILL. Longer than the slowest request. \
                Example: stall-timeout = 2m.
                """),
        Setting(
            "restart", in: .failure,
            .pool(.value(\.policy.restart, .word("a restart rule", placeholder: "RULE"))),
            reload: .live,
            summary: "Which workers are started again when they end",
            details: """
                always: all. on-failure: those that crashed, but not those that ended with status \
                0. never: none. When every slot of every pool is done, the master ends too, with \
                status 0 if all workers did, else 5. Example: restart = on-failure.
                """),
        Setting(
            "backoff", in: .failure,
            .pool(
                .value(
                    \.policy.backoff,
                    .duration(
                        atLeast: .milliseconds(1), allowed: "1ms or more, such as 100ms or 2s"))),
            reload: .live,
            summary: "The first delay between starts of a crashing worker",
            details: """
                The first crash is answered at once. From the second one on each start of that \
                slot waits, twice as long every time, up to backoff-max; the other workers are \
                not affected. Example: backoff = 1s.
                """),
        Setting(
            "backoff-max", in: .failure,
            .pool(
                .value(
                    \.policy.backoffMax,
                    .duration(
                        atLeast: .milliseconds(1), allowed: "1ms or more, such as 30s or 5m"))),
            reload: .live,
            summary: "The longest such delay",
            details: """
                Must not be less than backoff. Example: backoff-max = 5m.
                """),
        Setting(
            "stable-after", in: .failure,
            .pool(
                .value(
                    \.policy.stableAfter, .duration(allowed: "a duration such as 0 or 10s"))),
            reload: .live,
            summary: "Being ready this long makes earlier crashes forgotten",
            details: """
                After that the next crash is again answered at once. Example: stable-after = 1m.
                """),
        Setting(
            "boot-attempts", in: .failure,
            .pool(
                .value(
                    \.policy.bootAttempts, .integer(1...1_000_000, allowed: "1 to 1000000"))),
            reload: .live,
            summary: "Give up when no worker ever got ready in so many attempts",
            details: """
                When no worker of any pool has ever been ready and each slot has failed this \
                often in a row, the master ends with status 3. A service that once ran never \
                gives up. Example: boot-attempts = 3.
                """),
    ]

    static let master = [
        Setting(
            "name", in: .master, .master(.optional(\.name, .name)), reload: .restart,
            default: "config file's stem or command",
            summary: "What logs call this service",
            details: """
                By default the config file's name without its extension, else the command's \
                name. Example: name = shop.
                """),
        Setting(
            "pidfile", in: .master,
            .master(.optional(\.pidfile, .text("FILE", allowed: "the path of a file"))),
            reload: .restart,
            summary: "Write the master's process id to this file",
            details: """
                A file that names a running master refuses the start. Any other is replaced, also if \
                its number belongs to another program by now. It is removed when the master ends. Example: pidfile = /run/shop.pid.
                """),
        Setting(
            "log-level", in: .master,
            .master(.value(\.logLevel, .word("a level", placeholder: "LEVEL"))),
            reload: .live,
            summary: "The least important lines to log",
            details: """
                info tells of every start, recycling and exit; warning only of what is not as it \
                should be; error of what fails; debug of each step. Example: log-level = warning.
                """),
        Setting(
            "log-format", in: .master,
            .master(.value(\.logFormat, .word("a format", placeholder: "FORMAT"))),
            reload: .live,
            summary: "How log lines are written",
            details: """
                text is for people, logfmt is key=value pairs, json is one object a line. auto is \
                text on a terminal and logfmt elsewhere. Example: log-format = json.
                """),
        Setting(
            "log-file", in: .master, .master(.value(\.logFile, .logDestination)), reload: .live,
            summary: "Where the master's log goes",
            details: """
                stderr, or a file, which is appended to, and opened again when the master gets \
                USR1 (for logrotate). A symbolic link of another user than root and the master's \
                own is not followed. What the workers print is not collected: it goes where the \
                master's own output goes. Example: log-file = /var/log/shop.log.
                """),
    ]
}
