/// A term and its meaning, as listed in the help and in the manual page.
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
        supervise binds the listening sockets, starts several copies of a command on them and keeps \
        them healthy. It recycles each worker after a number of requests, at an age or at a memory \
        cap, restarts workers that crash and rolls out new code, without losing a request and \
        without letting the pool fall below full strength.
        """

    /// The signals to the master. Add a row for each new signal.
    static let signals = [
        Fact(
            "TERM",
            "Stop gracefully: each worker receives its stop-signal and has graceful-timeout to "
                + "finish. A second TERM at least a second after the first, or INT, stops quickly."),
        Fact(
            "INT, QUIT",
            "Stop quickly: each worker receives its quick-signal and has two seconds. A second INT "
                + "or QUIT kills the remaining workers at once."),
        Fact(
            "HUP",
            "Reload: read the configuration again and replace every worker, one after the other. If "
                + "the configuration has errors, or before-start or the first new workers fail, nothing "
                + "changes."),
        Fact("USR1", "Reopen the log file and send each worker its reopen-signal."),
        Fact(
            "USR2",
            "Replace the running master with the installed version, with the same pid and the same "
                + "workers (supervise help upgrade)."),
        Fact(
            "WINCH",
            "Retire all workers but keep the master and its sockets. HUP or TTIN starts the workers "
                + "again. WINCH is ignored on a terminal, where resizing a window sends it."),
        Fact(
            "TTIN, TTOU",
            "Add or remove one worker in the first pool, down to 1. A reload restores the configured "
                + "number."),
    ]

    /// How to keep signals from the workers under systemd.
    static let signalsUnderSystemd = [
        """
        Under systemd, send signals only to the master: systemctl kill --kill-whom=main -s USR2 NAME. \
        Without --kill-whom=main, the workers receive them too, and HUP, USR1 and USR2 terminate most \
        programs.
        """
    ]

    /// The exit codes of the master and of `check`.
    static let exitCodes = [
        Fact("0", "The master was stopped on request, or every worker finished with status 0."),
        Fact("1", "The master failed, for example because an address is in use."),
        Fact("2", "The command line or the configuration is invalid."),
        Fact("13", "The workers could not boot: none ever became ready (see boot-attempts)."),
        Fact("14", "The command was not found or may not be executed."),
        Fact("15", "Every worker finished, and at least one with a status other than 0."),
    ]

    /// The variables that the master reads.
    static let environment = [
        Fact(
            "SUPERVISE_KEY",
            "Sets the setting KEY, in capitals and with underscores: SUPERVISE_MAX_REQUESTS=1000. An "
                + "empty value counts as unset, or clears a list. The environment overrides the "
                + "config file, and the command line overrides the environment. Pool settings can be "
                + "set this way only if there is a single pool."),
        Fact(
            "NOTIFY_SOCKET, WATCHDOG_USEC",
            "The socket and the watchdog interval of the service manager (supervise help systemd). "
                + "Workers receive their own values."),
        Fact("WEB_CONCURRENCY", "The default of workers, for the single pool \"default\"."),
        Fact(
            "PORT",
            "PORT=8000 makes 0.0.0.0:8000 the default of bind, for the single pool \"default\"."),
    ]

    /// Example command lines.
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
            "Validate the file and print the effective settings."),
    ]

    /// The syntax of the config file, one string per paragraph.
    static let configFile = [
        """
        A config file consists of "key = value" lines. The keys are the option names without the \
        dashes. Lines that begin with # or ; are comments. A backslash at the end of a line continues \
        it on the next line.
        """,
        """
        Keys before the first section are the master's settings and the defaults of every pool. Each \
        [pool NAME] section defines one pool. A file without sections defines one pool, named \
        "default".
        """,
        """
        No quotes are needed: a value is the text between the equals sign and the end of the line. \
        Single or double quotes around a whole value are removed; around a whole command they would \
        make it one word. Use double quotes for a value that begins or ends with a blank, ends with a \
        backslash or contains a line break; \\n, \\t, \\\\, \\" and \\xHH work inside them. For env, \
        the quotes go around the part after KEY=. A command is split into words as in a shell.
        """,
        """
        "include = PATTERN" reads more files, relative to the directory of the including file. An \
        included file starts in the section that includes it.
        """,
        """
        A key may be given once per section, unless it is repeatable (such as bind, env, env-file). A \
        repeatable key in a section replaces the value that all pools share. An empty value clears \
        it. Other paths are relative to the directory in which supervise was started.
        """,
    ]
}
