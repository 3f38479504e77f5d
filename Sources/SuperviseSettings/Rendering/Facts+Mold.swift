/// Forked workers, and the protocol between the master and a mold.
extension Fact {
    /// What a mold is, and what follows from it, one string per paragraph.
    static let mold = [
        """
        With mold, a process (the mold) loads the program once, and the workers are forked from it. \
        A worker then starts in milliseconds and shares the loaded memory until it writes to it. \
        Set mold = auto and name the application with mold-import. The command keeps its meaning: \
        each worker runs it as if it had been executed.
        """,
        """
        The code that workers run is what the mold has loaded. Modules that a worker imports later \
        come from disk, so a deploy into the same directory mixes old and new code. Deploy into a \
        new directory and reload. A reload starts a new mold, forks the first new worker from it, \
        and aborts if either fails. The old mold ends when its last worker has ended.
        """,
        """
        A mold with connections, epoll sets or io_uring is not used, because all workers would share \
        them (see: supervise help mold-shares). Threads are reported: they do not exist in a worker, \
        and a lock that one of them holds stays locked there. In a worker, exit handlers and \
        finalizers that were registered in the mold do not run; in Ruby, neither do those of the \
        worker, except for temporary files. numpy.random is seeded again. \
        A module that reads NOTIFY_SOCKET or a variable of SUPERVISE_WORKER_ when it is loaded does \
        not find it: the mold has none. It may register a function that runs in each worker before \
        the program: sys.modules["supervise_mold"].at_start(function), in Ruby \
        SuperviseMold.at_start { ... }.
        """,
        """
        If the mold cannot be used at the first start, the workers execute the command, and the master \
        logs mold-given-up with the reason. A mold that ends later is started again; its workers are \
        not affected. If that fails, workers execute the command (exec-instead). After two workers \
        in a row that do not become ready, the next one executes the command (mold-doubted). If it \
        becomes ready and another forked one does not, the mold is not used until the next reload. \
        After a worker died by SIGSEGV, SIGBUS, SIGILL or SIGABRT, a new mold is started, at most once \
        per backoff-max, because all workers of a mold have the same address layout. The memory caps of a worker measure its private \
        memory (uss); max-pool-rss adds the resident memory of the mold.
        """,
        """
        A fork of a mold of 1 GB takes about 15 ms, and the worker is forked twice so that its \
        parent is the master.
        """,
        """
        mold = COMMAND runs a program of your own. It starts like a worker, with /dev/null on the \
        descriptors that a worker will have, and with a SOCK_SEQPACKET socket on descriptor \
        $SUPERVISE_MOLD. $SUPERVISE_MOLD_IMPORT lists the names of mold-import, separated by blanks. \
        The protocol:
        """,
    ]

    /// The steps of the protocol.
    static let moldProtocol = [
        Fact("1", "The mold sends READY=1 on its socket once it has loaded the program."),
        Fact(
            "2",
            "The master sends START with these descriptors: a file, a channel, and the descriptors of "
                + "the worker. With START OUTPUT, the third one is for its standard output and "
                + "error. The file contains texts that end with NUL: the version (1), the number of "
                + "the order, the pid of the master, a signal number, the number of arguments, the "
                + "arguments, and the environment."),
        Fact(
            "3",
            "The mold forks, the child forks and exits, and the grandchild is the worker. The mold "
                + "reaps the child and closes its copies of the descriptors."),
        Fact(
            "4",
            "The worker waits until its parent is the pid of the master, and exits if it becomes "
                + "another one. It makes a process group, sets PR_SET_PDEATHSIG to the signal, and "
                + "sends HERE on the channel. It exits unless it then receives GO."),
        Fact(
            "5",
            "The worker overwrites the 32 zeros of SUPERVISE_WORKER_ID= in the memory that "
                + "/proc/PID/environ shows, moves its descriptors to 3, 4 and so on, sets its "
                + "environment, and calls supervise_worker_begin() if dlsym finds it. An empty "
                + "LISTEN_PID or SUPERVISE_WORKER_PID becomes its own pid."),
        Fact(
            "6",
            "The worker closes the channel and runs the arguments. If it cannot, it sends "
                + "FAILED=STEP: TEXT on the channel instead and exits. An order without HERE is "
                + "cancelled after 5 s; after that, ready-timeout applies."
        ),
        Fact("7", "The mold ends when its socket is closed."),
    ]
}
