/// A term and its meaning, as both the help and the manual page list them.
struct Fact: Sendable {
    let term: String
    let meaning: String

    init(_ term: String, _ meaning: String) {
        self.term = term
        self.meaning = meaning
    }

    /// What the program is, in a few words.
    static let purpose = "pre-fork worker supervisor"

    /// What the program is, in a few sentences.
    static let description = """
        supervise binds the listening sockets, starts several copies of a command over them and \
        keeps them healthy: it recycles each worker after a number of requests, an age or a memory \
        cap, restarts what crashes and rolls out new code, without losing a request and without \
        the pool falling below strength.
        """

    /// The signals to the master. Add a row when one is implemented.
    static let signals = [
        Fact(
            "TERM",
            "Stop gracefully: each worker gets its stop-signal and graceful-timeout to finish. A "
                + "second TERM at least a second after the first, or INT, stops quickly."),
        Fact(
            "INT, QUIT",
            "Stop quickly: each worker gets its quick-signal and two seconds. Once more: kill "
                + "what is left now."),
        Fact(
            "HUP",
            "Reload: read the configuration again and replace every worker, one after the other. "
                + "When the configuration is wrong or the first new workers fail, everything "
                + "stays as it was."),
        Fact("USR1", "Open the log file again, and send each worker its reopen-signal."),
        Fact(
            "USR2",
            "Go on as the program that is installed now, with the same pid and the same workers "
                + "(supervise help upgrade)."),
        Fact(
            "WINCH",
            "Retire all workers but keep the master and its sockets; HUP or TTIN brings them back. "
                + "Ignored on a terminal, where resizing a window sends it."),
        Fact(
            "TTIN, TTOU",
            "One worker more, one fewer (not below 1) in the first pool. A reload goes back to "
                + "the configured number."),
    ]

    /// How not to send them to the workers.
    static let signalsUnderSystemd = [
        """
        Under systemd, send them to the master alone: systemctl kill --kill-whom=main -s USR2 NAME. \
        Without --kill-whom=main, the workers get them too, and most programs end of HUP, USR1 and USR2.
        """
    ]

    /// The exit codes of the master and of `check`.
    static let exitCodes = [
        Fact("0", "Stopped as asked, or every worker finished with status 0."),
        Fact("1", "The master failed; for instance, an address is taken."),
        Fact("2", "The command line or the configuration is wrong."),
        Fact("3", "The workers could not boot: none ever got ready (see boot-attempts)."),
        Fact("4", "The command was not found or may not be run."),
        Fact("5", "Every worker finished, some of them not with status 0."),
    ]

    /// The variables that the master reads.
    static let environment = [
        Fact(
            "SUPERVISE_KEY",
            "Sets the setting KEY, in capitals and with underscores: SUPERVISE_MAX_REQUESTS=1000. "
                + "An empty one counts as none, or clears a list. Above the config file, below the command line. Pool settings this way only "
                + "where there is a single pool."),
        Fact(
            "NOTIFY_SOCKET, WATCHDOG_USEC",
            "Where a service manager wants to hear of the service (supervise help systemd). Workers "
                + "get others."),
        Fact("WEB_CONCURRENCY", "The default of workers, for the single pool \"default\"."),
        Fact(
            "PORT",
            "PORT=8000 makes 0.0.0.0:8000 the default of bind, for the single pool \"default\"."),
    ]

    /// Command lines to start from.
    static let examples = [
        Fact(
            "supervise -b 127.0.0.1:8000 -w 2 --max-requests 1000 -- ./server --fd 3",
            "Two workers that share a listener and are recycled after 1000 requests each."),
        Fact(
            "supervise -w 4 --max-lifetime 1h --max-rss 512M -- python worker.py",
            "Four workers without a listener, such as queue consumers."),
        Fact(
            "supervise --config supervise.conf --pool web.workers=8",
            "The pools of a file, one of them with more workers."),
        Fact(
            "supervise check --config supervise.conf",
            "Look for mistakes and print the effective settings."),
    ]

    /// How a config file is written, paragraph by paragraph.
    static let configFile = [
        """
        A config file has "key = value" lines. The keys are the options without the dashes. Lines \
        that begin with # or ; are comments. A backslash at the end of a line continues it on the \
        next one.
        """,
        """
        Keys before the first section are the master's settings and the defaults of every pool. \
        Each [pool NAME] section makes one pool. A file without sections makes one pool, named \
        "default".
        """,
        """
        No quotes are needed: a value is what stands between the equals sign and the end of the \
        line. Single or double quotes around a whole value are taken off; around a whole command they \
        would make it one word. A value that must begin or end with a blank, end with a backslash or hold a line \
        break is written in double quotes, with \\n, \\t, \\\\, \\" and \\xHH inside. For env the \
        quotes go around what follows KEY=. A command is split as a shell splits words.
        """,
        """
        "include = PATTERN" reads more files, sought from the folder of the including file. An \
        included file begins in the section that includes it.
        """,
        """
        A key may stand once in a section, unless it is repeatable (bind, env, env-file). A \
        repeatable key of a section replaces what all pools share; an empty value clears it. \
        Other paths are sought from the folder in which supervise was started.
        """,
    ]
}
