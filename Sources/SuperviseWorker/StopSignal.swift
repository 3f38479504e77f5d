import Glibc
import Synchronization

/// The request to stop, as the signal handler leaves it behind.
///
/// A handler may only use what signal-safety(7) lists, so it sets a flag and writes one byte into a
/// pipe; the flag answers a question, the pipe wakes a loop that sleeps in poll(2) or epoll_wait(2).
/// Both are per process, like the handler.
enum StopSignal {
    private static let requestedBy = Atomic<pid_t>(0)
    private static let owner = Atomic<pid_t>(0)
    private static let readEnd = Atomic<Int32>(-1)
    private static let writeEnd = Atomic<Int32>(-1)
    private static let installation = Mutex(())

    /// Whether this process was asked to stop. A child made by fork(2) starts without the request.
    static var isRequested: Bool {
        let process = requestedBy.load(ordering: .acquiring)
        return process != 0 && process == getpid()
    }

    /// Becomes readable when this process is asked to stop, and stays so; -1 before `catchSignal`.
    static var descriptor: Int32 {
        owner.load(ordering: .acquiring) == getpid() ? readEnd.load(ordering: .acquiring) : -1
    }

    /// Takes `signal` as the request to stop. After fork(2) a child calls it again: the pipe of its
    /// parent would wake the wrong process.
    static func catchSignal(_ signal: Int32) {
        installation.withLock { _ in
            if owner.load(ordering: .acquiring) != getpid() { openPipe() }
            // The handler's globals must be made before it runs: making them takes a lock.
            _ = isRequested
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in StopSignal.request() }
            action.sa_flags = SA_RESTART
            sigemptyset(&action.sa_mask)
            sigaction(signal, &action, nil)
        }
    }

    /// Notes the request and wakes the loop; async-signal-safe.
    static func request() {
        let savedError = errno
        let process = getpid()
        requestedBy.store(process, ordering: .releasing)
        if owner.load(ordering: .acquiring) == process {
            var byte: UInt8 = 0
            _ = write(writeEnd.load(ordering: .acquiring), &byte, 1)
        }
        errno = savedError
    }

    private static func openPipe() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors left there is still the flag.
        guard pipe(&ends) == 0 else { return }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        readEnd.store(ends[0], ordering: .releasing)
        writeEnd.store(ends[1], ordering: .releasing)
        owner.store(getpid(), ordering: .releasing)
    }
}
