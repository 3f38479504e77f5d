import Glibc
import Synchronization

/// The request to stop, as recorded by the signal handler.
///
/// A handler may only use the functions in signal-safety(7), so it sets a flag and writes one byte to a
/// pipe. The pipe wakes a loop that sleeps in poll(2) or epoll_wait(2). Both are per process, like the
/// handler.
enum StopSignal {
    private static let requestedBy = Atomic<pid_t>(0)
    private static let owner = Atomic<pid_t>(0)
    private static let readEnd = Atomic<Int32>(-1)
    private static let writeEnd = Atomic<Int32>(-1)
    private static let installation = Mutex(())

    /// Whether this process was asked to stop. A child of fork(2) starts without the request.
    static var isRequested: Bool {
        let process = requestedBy.load(ordering: .acquiring)
        return process != 0 && process == getpid()
    }

    /// A descriptor that becomes and remains readable when this process is asked to stop; -1 before
    /// `catchSignal`.
    static var descriptor: Int32 {
        owner.load(ordering: .acquiring) == getpid() ? readEnd.load(ordering: .acquiring) : -1
    }

    /// Handles `signal` as the request to stop. After fork(2), a child must call it again, because the
    /// pipe of its parent wakes the parent.
    static func catchSignal(_ signal: Int32) {
        installation.withLock { _ in
            if owner.load(ordering: .acquiring) != getpid() { openPipe() }
            // Initialize the globals of the handler before it runs: initialization takes a lock.
            _ = isRequested
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in StopSignal.request() }
            action.sa_flags = SA_RESTART
            sigemptyset(&action.sa_mask)
            sigaction(signal, &action, nil)
        }
    }

    /// Records the request and wakes the loop; async-signal-safe.
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
        // If no descriptor is available, the flag still works.
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
