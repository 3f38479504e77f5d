extension Setting {
    static let workers = [
        Setting(
            "command", in: .workers, .pool(.words(\.command, .command)), reload: .newWorkers,
            summary: "The program to run, with its arguments",
            details: """
                The command is split into words as in a shell (quotes and backslashes work), but \
                nothing is expanded: for variables and pipes, write command = sh -c '...'. {fd} \
                is replaced by the descriptor of the first listener, {fd:1} by that of the \
                second, {slot} by the worker's slot and {pool} by the name of the pool. On the \
                command line, the command follows -- and needs no extra quoting. Example: \
                command = uvicorn shop:app --fd {fd}.
                """),
        Setting(
            "before-start", in: .workers, .pool(.words(\.beforeStart, .commandOrNone)),
            reload: .live,
            summary: "Run a command before the first worker of a generation",
            details: """
                For migrations and the like. The command runs once at the start of the master and once \
                per reload, on every host, before any worker of the new generation starts. It has the \
                user, directory, limits and variables of the workers, but no listeners. Its output \
                goes to stderr with a prefix. If it exits with a status other than 0, a start ends with \
                status 3, and a reload fails while the old workers keep serving; the last line of its \
                output is in the message. Commands of several pools run one after the other. A reload \
                that is requested meanwhile waits for the command, then reads the configuration again. \
                A stop sends TERM to the command. Example: before-start = python manage.py migrate.
                """),
        Setting(
            "before-start-timeout", in: .workers,
            .pool(
                .value(
                    \.beforeStartTimeout,
                    .durationOrOff(allowed: "off, or a duration such as 10m"))),
            reload: .live,
            summary: "Maximum time for before-start",
            details: """
                A command that takes longer is killed with all processes of its group, and has failed. \
                Example: before-start-timeout = 10m.
                """),
        Setting(
            "workers", in: .workers, .pool(.value(\.workers, .workers)), reload: .live, short: "w",
            summary: "Number of workers to keep running",
            details: """
                A number, or auto: the number of processors that the CPU affinity and the cgroup \
                limit of the master allow. Or a range such as 2..8: as the load requires (see \
                scale-up-after). 0..2 keeps none while idle, and the first connection starts one, \
                so probes of a load balancer keep one running. A range needs a bind and caps in \
                bytes. WEB_CONCURRENCY is the default of the only pool. Example: workers = 4.
                """),
        Setting(
            "boot-parallel", in: .workers,
            .pool(
                .value(
                    \.bootParallel,
                    Format<Int>.integer(1...100_000, allowed: "auto, or 1 to 100000")
                        .orNil(["auto"]))),
            reload: .live,
            summary: "Number of new slots that boot at the same time",
            details: """
                At a start, and when workers are added, the next worker boots when one of the \
                others is ready or has failed, so that many programs on few processors do not all \
                reach ready-timeout. auto: the number of processors, at least 2; without a limit \
                if workers become ready by time alone (ready = exec, a duration, or auto without \
                listeners). A worker that replaces another one does not wait. Example: \
                boot-parallel = 4.
                """),
        Setting(
            "env", in: .workers, .pool(.list(\.environment, .variable)), reload: .newWorkers,
            summary: "Set a variable of the workers",
            details: """
                KEY=VALUE, added to the environment that the workers inherit, or to an empty one \
                with clear-env. The value is taken literally. In double quotes it may contain \
                \\n, \\t, \\\\ and \\" and begin or end with a blank. It overrides env-file. \
                {slot} and {pool} are replaced as in command, also in values of env-file. \
                Example: env = DJANGO_SETTINGS_MODULE=shop.settings.
                """),
        Setting(
            "env-file", in: .workers,
            .pool(.list(\.environmentFiles, .text("FILE", allowed: "the path of a file"))),
            reload: .newWorkers,
            summary: "Read variables of the workers from this file",
            details: """
                The file contains KEY=VALUE lines as for env. Empty lines and lines that begin \
                with # or ; are skipped. A leading "export" is allowed. The file is read at the \
                start and at every reload. Example: env-file = /etc/shop/secrets.env.
                """),
        Setting(
            "clear-env", in: .workers, .pool(.value(\.clearEnvironment, .boolean)),
            reload: .newWorkers,
            summary: "Do not pass the master's environment to the workers",
            details: """
                With yes, the workers receive only env, env-file and the variables that \
                supervise itself sets. Even PATH is missing unless you set it. Example: \
                clear-env = yes.
                """),
        Setting(
            "chdir", in: .workers,
            .pool(.optional(\.workingDirectory, .text("DIR", allowed: "the path of a folder"))),
            reload: .newWorkers,
            summary: "Working directory of the workers",
            details: """
                The workers change to this directory before the command is looked up and run. \
                The master keeps its own working directory. Example: chdir = /srv/shop.
                """),
        Setting(
            "user", in: .workers,
            .pool(.optional(\.user, .text("USER", allowed: "the name or number of a user"))),
            reload: .newWorkers,
            summary: "User that the workers run as",
            details: """
                A name or a number. The workers also get the groups of this user. A number that \
                belongs to no user of this machine gets the group of the same number unless \
                group is set. Only root, or a master with the capabilities that supervise help \
                security lists, can change the user. Example: user = www-data.
                """),
        Setting(
            "group", in: .workers,
            .pool(.optional(\.group, .text("GROUP", allowed: "the name or number of a group"))),
            reload: .newWorkers, default: "the user's",
            summary: "Group that the workers run as",
            details: """
                A name or a number. The default is the primary group of the user. Example: group \
                = www-data.
                """),
        Setting(
            "umask", in: .workers, .pool(.optional(\.umask, .mode)), reload: .newWorkers,
            default: "the master's",
            summary: "File mode creation mask of the workers",
            details: """
                An octal mask, as for the umask command of the shell. Example: umask = 0027, \
                which keeps other users from reading files that the workers create.
                """),
        Setting(
            "limit-as", in: .workers, .pool(.optional(\.addressSpaceLimit, .sizeLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Limit of a worker's address space",
            details: """
                RLIMIT_AS: allocations beyond it fail in the worker. It limits mapped memory, \
                not used memory, so a program may need several times what it uses. max-rss is \
                usually the better choice. Example: limit-as = 4G.
                """),
        Setting(
            "limit-nofile", in: .workers, .pool(.optional(\.openFilesLimit, .countLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Limit of a worker's open files and sockets",
            details: """
                RLIMIT_NOFILE. A server needs one descriptor per connection. Example: \
                limit-nofile = 65536.
                """),
        Setting(
            "limit-core", in: .workers, .pool(.optional(\.coreSizeLimit, .sizeLimit)),
            reload: .newWorkers, default: "the master's",
            summary: "Maximum core file size of the workers",
            details: """
                RLIMIT_CORE. 0 writes no core file; unlimited is also allowed. Example: \
                limit-core = 0.
                """),
        Setting(
            "nice", in: .workers,
            .pool(.optional(\.nice, .integer(-20...19, allowed: "-20 (first) to 19 (last)"))),
            reload: .newWorkers, default: "the master's",
            summary: "CPU scheduling priority of the workers",
            details: """
                From -20 (highest priority, needs root) to 19 (lowest). Example: nice = 10, for \
                jobs that can wait.
                """),
        Setting(
            "oom-score-adjust", in: .workers,
            .pool(.optional(\.oomScoreAdjust, .integer(-1000...1000, allowed: "-1000 to 1000"))),
            reload: .newWorkers, default: "the master's",
            summary: "OOM score adjustment of the workers",
            details: """
                Added to the kernel's own score: with 1000 a worker is killed first, with -1000 \
                never. A value below the master's own needs root. Example: oom-score-adjust = \
                500.
                """),
        Setting(
            "adopt", in: .workers,
            .pool(.value(\.adopt, .word("a way of adoption", placeholder: "WAY"))),
            reload: .newWorkers,
            summary: "Pass the listener to workers that bind its address",
            details: """
                Most programs open their own socket, for example with listen(8000). If a worker \
                binds a stream socket to an address of the pool, that bind() would fail. With \
                adopt, the worker's socket is replaced by the listener. Other bind() calls are \
                not affected. preload does this with a library that dynamically linked glibc \
                programs load. seccomp also works for static programs: the kernel asks the \
                master about each bind(). If the master is gone, bind() fails with ENOSYS. A \
                master without CAP_SYS_ADMIN must set no_new_privs, which breaks sudo and other \
                setuid programs in the workers. auto inspects the command's program (following \
                #! lines) and selects preload if possible, otherwise seccomp. For a static \
                program started by a shell script, set seccomp yourself. off disables adoption. \
                Example: adopt = seccomp.
                """),
        Setting(
            "count", in: .workers,
            .pool(.value(\.count, .word("a way of counting", placeholder: "WAY"))),
            reload: .newWorkers,
            summary: "Source of the request counts",
            details: """
                report: the worker reports its count in the page of $SUPERVISE_WORKER_PAGE or \
                with X_REQUESTS messages. preload: the preload library counts the HTTP/1 \
                requests that the worker has responded to. If it cannot see any (see \
                request-info), it counts the connections that the worker accepts from the pool's \
                listeners; a connection may carry many requests. The library works in \
                dynamically linked programs. auto: the reported count or, if the worker reports \
                nothing, that of the library. off: nothing is counted. The status, the metrics \
                and the log name the unit. Example: count = report.
                """),
        Setting(
            "request-info", in: .workers,
            .pool(.value(\.requestInfo, .word("a source of requests", placeholder: "SOURCE"))),
            reload: .newWorkers,
            summary: "Source of the information about requests",
            details: """
                auto: in workers that load the preload library, the library observes the HTTP/1 \
                requests and responses on the pool's listeners. It keeps the method and the path \
                of each route, never a query, a header or a body, and replaces the parts of a \
                path that identify objects or people by *. It cannot see requests inside TLS, of \
                HTTP/2 or FastCGI, over io_uring or stdio, or of static programs. report: only \
                what the worker's program itself writes to the ledger behind the page \
                (supervise_page.h). off: none. Example: request-info = off.
                """),
        Setting(
            "mold", in: .workers, .pool(.value(\.mold, .mold)), reload: .newWorkers,
            summary: "Fork workers from a process that has loaded the program",
            details: """
                auto: a process (the mold) runs the interpreter of the command, loads the program \
                once, and forks each worker. Workers then start in milliseconds and share the \
                loaded memory. auto supports Python 3.8 and Ruby 2.7 and later: the command must be \
                the interpreter, or a script whose #! line names it. Any other value is a command \
                that implements the protocol in supervise help molds. off: each worker executes the command. The \
                code that workers run is what the mold loaded, so deploy into a new directory and \
                then reload; a reload starts a new mold. If the mold cannot be used, the workers \
                execute the command, and the log states the reason; during a reload, the reload \
                is aborted instead. Example: mold = auto.
                """),
        Setting(
            "mold-import", in: .workers,
            .pool(
                .list(
                    \.moldImports,
                    .word("MODULE", noun: "the name of a module", allowed: "a name without blanks"))
            ),
            reload: .newWorkers,
            summary: "Load this module in the mold",
            details: """
                The mold loads the modules in this order before the first worker. Name those that \
                the command loads by name, such as the application of an ASGI or WSGI server; for \
                Ruby, what require takes, such as bundler/setup and ./config/environment. What the \
                script of the command itself imports, and the usual modules of uvicorn, gunicorn, \
                hypercorn, waitress and puma, are loaded without it. Example: \
                mold-import = shop.asgi.
                """),
        Setting(
            "mold-shares", in: .workers,
            .pool(.value(\.moldShares, .word("a rule", placeholder: "RULE"))),
            reload: .newWorkers,
            summary: "Whether workers may share connections of the mold",
            details: """
                A connection that a module opens when it is loaded would be shared by all workers: \
                two workers on one database session mix up the rows of their users. The same \
                holds for epoll sets and io_uring. refuse: such a mold is not used, and the log \
                names the connections. allow: the mold is used; only for connections that no \
                worker uses. Example: mold-shares = allow.
                """),
    ]

    static let readiness = [
        Setting(
            "ready", in: .readiness, .pool(.value(\.policy.readiness, .readiness)),
            reload: .newWorkers,
            summary: "How a new worker becomes ready",
            details: """
                notify: when it sends READY=1 to the socket in $NOTIFY_SOCKET (sd_notify). exec: \
                as soon as its program runs. A duration such as 2s: when it has run for that \
                long. auto: when the kernel or the preload library shows that the worker, or a \
                process below it, waits on a listener. auto accepts READY=1 only once that is \
                so. Without listeners, a worker is ready on READY=1 or after one second. If \
                nothing can show whether a worker waits on a listener, it is assumed ready after \
                5 s. That is so for io_uring, and for workers of another user that do not load \
                the library and that the master may not inspect. The old worker serves until its \
                replacement is ready. Example: ready = notify.
                """),
        Setting(
            "ready-timeout", in: .readiness,
            .pool(
                .value(
                    \.policy.readyTimeout,
                    .duration(atLeast: .milliseconds(1), allowed: "a duration such as 60s or 5m"))),
            reload: .newWorkers,
            summary: "Maximum time for a new worker to become ready",
            details: """
                A worker that is not ready by then has failed to boot. The master stops it, \
                kills it two seconds later, and starts the slot again after a delay (see \
                backoff). Example: ready-timeout = 5m.
                """),
    ]
}
