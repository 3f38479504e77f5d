import CSupervise
import Glibc

/// A signal that was pending for this process.
public struct ReceivedSignal: Hashable, Sendable {
    /// The signal's number (signal(7)).
    public let number: Int32
    /// The sending process; 0 for the kernel and for senders of another pid namespace.
    public let senderPID: Int32
    /// The sender's real user.
    public let senderUID: UInt32
}

/// A signalfd(2): signals are blocked and read like data, so no handler runs.
///
/// The mask belongs to the calling thread and is inherited by threads that it starts later, so the
/// signals must be blocked before there is a second thread. Pending signals of the same number
/// merge: SIGCHLD means at least one exited child.
public struct SignalDescriptor: ~Copyable {
    /// More than are usually pending at once.
    private static let batch = 8
    /// Real-time signals queue, so a fast sender must not block the loop.
    private static let batchesPerRead = 16
    /// Signals of the program's own faults, which kill the process even if they are blocked, and
    /// ABRT, which requests a core dump.
    private static let faults = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS]
    private static let last: Int32 = 64
    private let descriptor: FileDescriptor

    /// Blocks these signals on the calling thread, resets ignored ones, and creates a descriptor
    /// that receives them. An ignored signal never becomes pending. If SIGCHLD is ignored, as a
    /// parent may leave it, the kernel reaps our children itself (waitpid(2)). Fails as
    /// signalfd(2).
    public init(blocking numbers: [Int32]) throws(SystemCallError) {
        descriptor = try Self.block(numbers)
        Self.endIgnoring(numbers)
    }

    /// Blocks every signal except those of the program's own faults (SIGKILL and SIGSTOP cannot be
    /// blocked), stops inherited timers (setitimer(2)), resets ignored signals in `served`, and
    /// creates a descriptor that receives all others. Fails as signalfd(2).
    public init(blockingAllAndServing served: [Int32]) throws(SystemCallError) {
        descriptor = try Self.block((1...Self.last).filter { !Self.faults.contains($0) })
        csupervise_disarm_timers()
        Self.endIgnoring(served)
    }

    private static func block(_ numbers: [Int32]) throws(SystemCallError) -> FileDescriptor {
        let mask = numbers.reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
        try systemCall("rt_sigprocmask") { csupervise_block_signals(mask) }
        return FileDescriptor(
            owning: try systemCall("signalfd") { csupervise_signal_descriptor(mask) })
    }

    private static func endIgnoring(_ numbers: [Int32]) {
        for number in numbers {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = SIG_DFL
            let result = sigaction(number, &action, nil)
            precondition(result == 0, "signals that can be blocked have a disposition")
        }
    }

    /// The descriptor, readable while a signal is pending.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Reads pending signals, up to a limit.
    public func read() -> [ReceivedSignal] {
        var received: [ReceivedSignal] = []
        var records = [signalfd_siginfo](repeating: signalfd_siginfo(), count: Self.batch)
        let size = MemoryLayout<signalfd_siginfo>.stride
        for _ in 0..<Self.batchesPerRead {
            let bytes = Glibc.read(descriptor.rawValue, &records, records.count * size)
            if bytes == -1, errno == EINTR { continue }
            precondition(
                bytes >= 0 ? bytes % size == 0 : errno == EAGAIN,
                "signalfd(2) delivers whole records")
            let count = max(0, bytes / size)
            received += records.prefix(count).map {
                ReceivedSignal(
                    number: Int32($0.ssi_signo), senderPID: Int32(bitPattern: $0.ssi_pid),
                    senderUID: $0.ssi_uid)
            }
            // Further signals make the descriptor readable again.
            if count < records.count { break }
        }
        return received
    }
}

/// A set of signals (sigsetops(3)).
public struct SignalMask {
    var set = sigset_t()

    /// Creates a set of exactly these signals.
    public init(_ numbers: [Int32]) {
        sigemptyset(&set)
        for number in numbers { sigaddset(&set, number) }
    }

    /// Sets the mask of the calling thread.
    public func apply() {
        var copy = set
        pthread_sigmask(SIG_SETMASK, &copy, nil)
    }

    /// Whether the signal is in the set.
    public func contains(_ number: Int32) -> Bool {
        var copy = set
        return sigismember(&copy, number) == 1
    }
}
