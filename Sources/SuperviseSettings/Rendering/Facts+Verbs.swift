extension Verb {
    /// What it does, paragraph by paragraph.
    var details: [String] {
        switch self {
        case .run:
            [
                """
                Starts a master in the foreground: it binds the sockets, starts the workers and runs \
                until it is stopped. The word run may be left out. Options come before --, the command \
                after it; with --config the pools come from a file. All options: supervise --help.
                """
            ]
        case .check:
            [
                """
                Reads the settings exactly as run does, takes the same options, and prints what they \
                come to. Errors end it with status 2. It warns of what a start would stumble over, \
                such as a program or a folder that does not exist.
                """
            ]
        case .status:
            [
                """
                Prints the pools with their listeners, one line per worker, and the last exits with \
                their cause. Columns that do not fit the terminal are left out; those that need \
                explanation: CAP is max-rss, CAP IN the time until the worker reaches it at the rate \
                at which it grows, LEFT what remains to max-requests, BOOT the time until it was \
                ready. REQUESTS counts what the worker reports; CONNS instead means that the preload \
                library counts accepted connections, each of which may carry many requests (see: \
                supervise help count).
                """
            ]
        case .top:
            [
                """
                Shows the status on the whole terminal and refreshes it every second. The arrow keys, \
                j and k, the page keys and space scroll; g and G go to the ends; q quits. When the \
                master ends, the reason is printed. If the output is not a terminal, the status is \
                printed once.
                """
            ]
        case .events:
            [
                """
                Prints the last 100 events: what the log says, whatever log-level is. \
                The fields are described in supervise help schema.
                """
            ]
        case .reload:
            [
                """
                Reads the configuration again and replaces every worker, as HUP does. One new worker \
                per pool is tried first; if it fails, nothing changes.
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
                Sets the number of workers, or changes it by a number. A reload goes back to the \
                configured number.
                """
            ]
        case .stop:
            ["Stops the master and its workers, gracefully as TERM does."]
        case .reopen:
            ["Opens log-file and memory-log again, as USR1 does. For use after a log was rotated."]
        case .upgrade: Fact.upgrade
        case .help:
            ["Explains a setting, a command or a topic. The topics: supervise help topics."]
        case .man:
            ["Prints the manual page in roff. To read it: supervise man | man -l -"]
        case .version:
            ["Prints the name and the version of this program, as --version and -V do."]
        }
    }

    /// Its own options, and those that all commands for a running master have.
    var options: [Fact] {
        let own: [Fact] =
            switch self {
            case .status: [Fact("--json", "Print everything as one JSON object.")]
            case .events:
                [
                    Fact("--follow", "Go on with the events to come, until the master ends."),
                    Fact("--json", "Print one JSON object per line."),
                ]
            case .reload:
                [
                    Fact(
                        "--wait", "Follow the reload to its end, and report a failure by status 1."),
                    Fact("--timeout TIME", "Wait no longer than this; the reload goes on."),
                ]
            case .recycle:
                [
                    Fact("SLOT", "The slot, as status shows it; all for every slot."),
                    Fact("--pool NAME", "The pool, if there are several."),
                ]
            case .scale:
                [
                    Fact("N, +N, -N", "The number of workers, or how many more or fewer."),
                    Fact("--pool NAME", "The pool, if there are several."),
                ]
            case .stop:
                [
                    Fact("--quick", "Stop at once, as INT does: requests in flight are lost."),
                    Fact("--wait", "Return when the master has ended."),
                ]
            case .run, .check, .top, .reopen, .upgrade, .help, .man, .version: []
            }
        guard isForMaster else { return own }
        return own + [
            Fact("--name NAME", "The master of this name, if several run."),
            Fact("--control PATH", "The master with this control socket."),
        ]
    }
}
