import CSupervise
import Glibc

/// Threads that wait in a system call for a socket (/proc/PID/task/TID/syscall, proc_pid_syscall(5)).
public struct BlockedThreads: Sendable {
    /// A thread that waits in accept(2).
    public struct Acceptor: Hashable, Sendable, Codable {
        /// Its process.
        public let process: Int32
        /// Its number.
        public let thread: Int32

        /// Whether it can leave the call: another process would end by the signal for that.
        public var isInterruptible: Bool {
            ProcessSignals.catches(csupervise_wake_signal, process)
        }

        /// Has it leave the call, where the process can do that (the preload library). False where
        /// it cannot: another process would end by this signal, so none is sent.
        public func interrupt() -> Bool {
            isInterruptible
                && csupervise_signal_thread(process, thread, csupervise_wake_signal) == 0
        }
    }

    /// The sockets from which a thread waits to read: nothing else is going on there.
    public private(set) var read: Set<UInt64> = []
    /// The threads that wait to accept from one of the listeners.
    public private(set) var acceptors: [Acceptor] = []

    /// More threads are not inspected, so that a process cannot keep the caller busy.
    private static let mostThreads = 4096

    /// Inspects these processes. What may not be read (ptrace(2), "access mode checking") is left out,
    /// and so is a process that is gone.
    public init(of processes: [Int32], listeners: Set<UInt64>) {
        var left = Self.mostThreads
        for pid in processes {
            guard left > 0, let sockets = Self.sockets(of: pid) else { continue }
            let tasks = Directory.entries("/proc/\(pid)/task").prefix(left)
            left -= tasks.count
            for task in tasks {
                guard let wait = Self.wait(of: task, of: pid), let socket = sockets[wait.descriptor]
                else { continue }
                if wait.kind == CSUPERVISE_WAIT_READ { read.insert(socket) }
                if wait.kind == CSUPERVISE_WAIT_ACCEPT, listeners.contains(socket),
                    let thread = Int32(task)
                {
                    acceptors.append(Acceptor(process: pid, thread: thread))
                }
            }
        }
    }

    private static func sockets(of pid: Int32) -> [Int32: UInt64]? {
        do throws(SystemCallError) {
            return try ProcessSockets.descriptors(of: pid, within: .ofConnections())
        } catch {
            return nil
        }
    }

    // `0 0x4 0x7ffd… …`, or `running`.
    private static func wait(
        of task: String, of pid: Int32
    ) -> (kind: csupervise_wait, descriptor: Int32)? {
        guard let text = Procfs.text("/proc/\(pid)/task/\(task)/syscall") else { return nil }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count > 1, let number = Int(words[0]), words[1].hasPrefix("0x"),
            let first = UInt64(words[1].dropFirst(2), radix: 16)
        else { return nil }
        return (csupervise_classify_wait(number), Int32(truncatingIfNeeded: first))
    }
}

/// What processes do with signals (/proc/PID/status, proc_pid_status(5)).
public enum ProcessSignals {
    /// Whether this signal does not simply end the process: it has a handler for it, ignores it, or
    /// blocks it to read it otherwise (sigwait(3), signalfd(2)). False of a process that is gone.
    public static func handles(_ number: Int32, _ pid: Int32) -> Bool {
        includes(number, pid, ["SigBlk:", "SigIgn:", "SigCgt:"])
    }

    /// Whether it has a handler for this signal. False of a process that is gone.
    static func catches(_ number: Int32, _ pid: Int32) -> Bool {
        includes(number, pid, ["SigCgt:"])
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
