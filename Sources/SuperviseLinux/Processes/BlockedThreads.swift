import CSupervise
import Glibc

/// Threads blocked in a system call on a socket (/proc/PID/task/TID/syscall, proc_pid_syscall(5)).
public struct BlockedThreads: Sendable {
    /// A thread blocked in accept(2).
    public struct Acceptor: Hashable, Sendable, Codable {
        /// The process ID.
        public let process: Int32
        /// The thread ID.
        public let thread: Int32

        /// Whether the call can be interrupted: in a process without a handler (of the preload library)
        /// the signal would terminate it.
        public var isInterruptible: Bool {
            ProcessSignals.catches(csupervise_wake_signal, process)
        }

        /// Interrupts the call. Returns false if that is not possible; no signal is sent then.
        public func interrupt() -> Bool {
            isInterruptible
                && csupervise_signal_thread(process, thread, csupervise_wake_signal) == 0
        }
    }

    /// The sockets that blocked threads read from: nothing else happens on them.
    public private(set) var read: Set<UInt64> = []
    /// The threads blocked in accept on one of the listeners.
    public private(set) var acceptors: [Acceptor] = []
    /// Whether a thread of a process with one of the listeners runs, or waits for a processor: it
    /// may be about to accept.
    public private(set) var hasRunning = false

    /// A limit on the inspected threads, so that a process cannot keep the caller busy.
    private static let maxThreads = 4096

    /// Inspects these processes. Processes that have exited or may not be read (ptrace(2), "access
    /// mode checking") are skipped.
    public init(of processes: [Int32], listeners: Set<UInt64>) {
        var left = Self.maxThreads
        for pid in processes {
            guard left > 0, let sockets = Self.sockets(of: pid) else { continue }
            let tasks = Directory.entries("/proc/\(pid)/task").prefix(left)
            left -= tasks.count
            let isAcceptor = !listeners.isDisjoint(with: sockets.values)
            for task in tasks {
                guard let state = Self.state(of: task, of: pid) else { continue }
                guard case .blocked(let kind, let descriptor) = state else {
                    if isAcceptor { hasRunning = true }
                    continue
                }
                guard let socket = sockets[descriptor] else { continue }
                if kind == CSUPERVISE_WAIT_READ { read.insert(socket) }
                if kind == CSUPERVISE_WAIT_ACCEPT, listeners.contains(socket),
                    let thread = Int32(task)
                {
                    acceptors.append(Acceptor(process: pid, thread: thread))
                }
            }
        }
    }

    private enum State {
        case running
        case blocked(csupervise_wait, descriptor: Int32)
    }

    private static func sockets(of pid: Int32) -> [Int32: UInt64]? {
        do throws(SystemCallError) {
            return try ProcessSockets.descriptors(of: pid, within: .ofConnections())
        } catch {
            return nil
        }
    }

    // `0 0x4 0x7ffd… …`, or `running`.
    private static func state(of task: String, of pid: Int32) -> State? {
        guard let text = Procfs.text("/proc/\(pid)/task/\(task)/syscall") else { return nil }
        if text.hasPrefix("running") { return .running }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count > 1, let number = Int(words[0]), words[1].hasPrefix("0x"),
            let first = UInt64(words[1].dropFirst(2), radix: 16)
        else { return nil }
        return .blocked(
            csupervise_classify_wait(number), descriptor: Int32(truncatingIfNeeded: first))
    }
}

/// The signal dispositions of processes (/proc/PID/status, proc_pid_status(5)).
public enum ProcessSignals {
    /// Whether the process survives this signal: it has a handler, ignores the signal, or blocks it
    /// to read it with sigwait(3) or signalfd(2). False if the process has exited.
    public static func handles(_ number: Int32, _ pid: Int32) -> Bool {
        includes(number, pid, ["SigBlk:", "SigIgn:", "SigCgt:"])
    }

    /// Whether the process has a handler for this signal. False if it has exited.
    static func catches(_ number: Int32, _ pid: Int32) -> Bool {
        includes(number, pid, ["SigCgt:"])
    }

    /// Signals a stopped child that was not reaped, so that its main thread takes the signal once
    /// the child continues: a stopped group has no preferred thread, and a main thread that waits
    /// in pause(2) would not be woken. Returns false if the child is not stopped, or blocks the
    /// signal there.
    public static func signalStopped(_ number: Int32, _ pid: Int32) -> Bool {
        guard ProcessStatus.read(pid)?.state == "T", !includes(number, pid, ["SigBlk:"]) else {
            return false
        }
        return csupervise_signal_thread(pid, pid, number) == 0
    }

    private static func includes(_ number: Int32, _ pid: Int32, _ masks: [Substring]) -> Bool {
        guard (1...64).contains(number), let text = Procfs.text("/proc/\(pid)/status") else {
            return false
        }
        return text.split(separator: "\n").contains { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 2, masks.contains(words[0]),
                let mask = UInt64(words[1], radix: 16)
            else { return false }
            return mask >> UInt64(number - 1) & 1 == 1
        }
    }
}
