extension Setting {
    static let workers = [
        Setting(
            "command", in: .workers, .pool(.words(\.command, .command)), reload: .newWorkers,
            summary: "The program to run, with its arguments",
            details: """
                Split into words as a shell does it (quotes and backslashes count), but nothing is \
                expanded: write command = sh -c '...' for variables and pipes. {fd} becomes the \
                descriptor of the first listener, {fd:1} that of the second one, {slot} the \
                worker's slot and {pool} the pool's name. On the command line put the command \
                after --, where no quoting is needed. \
                Example: command = uvicorn shop:app --fd {fd}.
                """),
        Setting(
            "workers", in: .workers, .pool(.value(\.workers, .workers)), reload: .live, short: "w",
            summary: "How many workers to keep running",
            details: """
                A number, or auto: as many as there are processors that the master may use by its \
                CPU affinity and its cgroup's limit. The variable WEB_CONCURRENCY is the default \
                of the single pool "default". Example: workers = 4.
                """),
        Setting(
            "env", in: .workers, .pool(.list(\.environment, .variable)), reload: .newWorkers,
            summary: "Set a variable for the workers",
            details: """
                KEY=VALUE, added to the environment that the workers inherit, or to an empty one \
                with clear-env. The value is taken as it stands; in double quotes it may hold \\n, \
                \\t, \\\\ and \\" as well as blanks at its ends. It wins over env-file. \
                Example: env = DJANGO_SETTINGS_MODULE=shop.settings.
                """),
        Setting(
            "env-file", in: .workers,
            .pool(.list(\.environmentFiles, .text("FILE", allowed: "the path of a file"))),
            reload: .newWorkers,
            summary: "Read variables for the workers from a file",
            details: """
                A file of KEY=VALUE lines, as env takes them; empty lines and lines that begin \
                with # or ; are skipped, and a leading "export" is allowed. It is read at the \
                start and at every reload. Example: env-file = /etc/shop/secrets.env.
                """),
        Setting(
            "clear-env", in: .workers, .pool(.value(\.clearEnvironment, .boolean)),
            reload: .newWorkers,
            summary: "Start the workers without the master's environment",
            details: """
                With yes the workers get only env, env-file and what supervise itself tells them, \
                so not even PATH unless you set it. Example: clear-env = yes.
                """),
        Setting(
            "chdir", in: .workers,
            .pool(.optional(\.workingDirectory, .text("DIR", allowed: "the path of a folder"))),
            reload: .newWorkers,
            summary: "The folder that workers start in",
            details: """
                The workers change to this folder before the command is looked up and run; the \
                master stays where it was started. Example: chdir = /srv/shop.
                """),
        Setting(
            "user", in: .workers,
            .pool(.optional(\.user, .text("USER", allowed: "the name or number of a user"))),
            reload: .newWorkers,
            summary: "The user that workers run as",
            details: """
                A name or a number. The workers also get this user's groups; a number that is no user \
                of this machine gets the group of the same number, unless group is set. Only root, \
                or a master with the capabilities that supervise help security lists, can change \
                the user. Example: user = www-data.
                """),
        Setting(
            "group", in: .workers,
            .pool(.optional(\.group, .text("GROUP", allowed: "the name or number of a group"))),
            reload: .newWorkers, default: "the user's",
            summary: "The group that workers run as",
            details: """
                A name or a number; without it the user's own group. Example: group = www-data.
                """),
        Setting(
            "umask", in: .workers, .pool(.optional(\.umask, .mode)), reload: .newWorkers,
            default: "the master's",
            summary: "Permissions that files made by workers do not get",
            details: """
                An octal mask, as the shell's umask takes it. \
                Example: umask = 0027, which keeps other users from reading the workers' files.
                """),
        Setting(
            "limit-as", in: .workers, .pool(.optional(\.addressSpaceLimit, .sizeLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Limit of a worker's address space",
            details: """
                RLIMIT_AS: allocations beyond it fail in the worker. It counts what is mapped, not \
                what is used, so a program may need several times its memory; max-rss is usually \
                what you want. Example: limit-as = 4G.
                """),
        Setting(
            "limit-nofile", in: .workers, .pool(.optional(\.openFilesLimit, .countLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Limit of a worker's open files and sockets",
            details: """
                RLIMIT_NOFILE. A server needs one for each connection. \
                Example: limit-nofile = 65536.
                """),
        Setting(
            "limit-core", in: .workers, .pool(.optional(\.coreSizeLimit, .sizeLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Largest core file of a worker that crashes",
            details: """
                RLIMIT_CORE. Example: limit-core = 0, which writes none, or unlimited.
                """),
        Setting(
            "nice", in: .workers,
            .pool(.optional(\.nice, .integer(-20...19, allowed: "-20 (first) to 19 (last)"))),
            reload: .newWorkers, default: "the master's",
            summary: "Priority of the workers on the processor",
            details: """
                From -20, which is served first and needs root, to 19, which is served last. \
                Example: nice = 10, for jobs that may wait.
                """),
        Setting(
            "oom-score-adjust", in: .workers,
            .pool(.optional(\.oomScoreAdjust, .integer(-1000...1000, allowed: "-1000 to 1000"))),
            reload: .newWorkers, default: "the master's",
            summary: "How readily the kernel kills workers for memory",
            details: """
                Added to the kernel's own score: 1000 means first, -1000 never. Less than the \
                master's own needs root. Example: oom-score-adjust = 500.
                """),
        Setting(
            "adopt", in: .workers,
            .pool(.value(\.adopt, .word("a way of adoption", placeholder: "WAY"))),
            reload: .newWorkers,
            summary: "Give our listener to workers that bind its address",
            details: """
                Programs that take no descriptor open a socket of their own, as with listen(8000). \
                When a worker binds a stream socket to an address of the pool, which could only \
                have failed, it gets the listener in the socket's place; every other bind is left \
                alone. preload does this by a library that dynamic glibc programs load. seccomp \
                does it from outside, for static ones too: the kernel asks the master about each \
                bind, so once the master is gone a bind fails with ENOSYS; a master without \
                CAP_SYS_ADMIN sets no_new_privs for it, which breaks sudo and other setuid \
                programs in the workers. auto looks at the command's program (through #! lines) \
                and takes preload where it can, else seccomp; for a static program behind a shell \
                script say seccomp yourself. Example: adopt = seccomp.
                """),
        Setting(
            "count", in: .workers,
            .pool(.value(\.count, .word("a way of counting", placeholder: "WAY"))),
            reload: .newWorkers,
            summary: "Where the request counts of workers come from",
            details: """
                report: what the worker itself says, by the page in $SUPERVISE_WORKER_PAGE or \
                X_REQUESTS messages. preload: the connections that it accepts from the pool's \
                listeners, counted by a library that dynamic glibc programs load; a connection \
                may carry many requests. auto: what the worker reports, or its connections as \
                long as it reports nothing. off: nothing is counted. status, metrics and log name the \
                unit. Example: count = report.
                """),
    ]

    static let readiness = [
        Setting(
            "ready", in: .readiness, .pool(.value(\.policy.readiness, .readiness)),
            reload: .newWorkers,
            summary: "How a new worker shows that it can serve",
            details: """
                notify: it sends READY=1 to the socket in $NOTIFY_SOCKET (sd_notify). exec: as \
                soon as its program runs. A duration such as 2s: when it has run that long. auto: \
                when the kernel or the preload library shows that it, or a process below it, waits \
                on a listener, which has to confirm READY=1 as well; without listeners, by READY=1 \
                or after a second. If nothing can ever show it (io_uring, or another user's worker \
                without the library that the master may not inspect), it counts as ready after \
                5 s. \
                The old worker serves until its replacement is ready. \
                Example: ready = notify.
                """),
        Setting(
            "ready-timeout", in: .readiness,
            .pool(
                .value(
                    \.policy.readyTimeout,
                    .duration(atLeast: .milliseconds(1), allowed: "a duration such as 60s or 5m"))),
            reload: .newWorkers,
            summary: "How long a new worker may take to get ready",
            details: """
                A worker that is not ready by then has failed to boot: it is stopped, and killed \
                two seconds later, and its slot tries again after a delay (see backoff). \
                Example: ready-timeout = 5m.
                """),
    ]
}
