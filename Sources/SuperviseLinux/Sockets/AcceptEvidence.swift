import CSupervise
import Glibc

/// Evidence from outside that a program waits for connections.
///
/// The sample searches every process of a tree for an epoll item on a listener
/// (/proc/PID/fdinfo, proc_pid_fdinfo(5)), or for a thread that is blocked on it in accept, poll or
/// select (/proc/PID/task/TID/syscall, proc_pid_syscall(5)). An event loop always shows its epoll
/// item; the other calls are visible only while the program is idle. An accepted connection of a
/// busy program is equally good evidence.
///
/// Some of these reads can block for as long as the sampled process likes. Its memory may be
/// mapped from a file that never responds (a file system of its own, fuse(4)). It may hold the lock
/// of an epoll set or of a socket while the kernel waits for such a page. pidfd_getfd(2) waits for
/// its exec. Samples of a process of another user must therefore run in a separate process, and so
/// must all samples of memory and sockets: see `Depth`.
public enum AcceptEvidence: String, Hashable, Sendable, Codable {
    /// A process waits on one of the listeners, or has accepted a connection from it.
    case waiting
    /// Everything was readable, and no process waits.
    case notYet
    /// No waiting process was found, but one may exist: its tables or its memory may not be read
    /// (ptrace(2), "access mode checking"), this process lacks descriptors or memory, or the
    /// process has an io_uring(7), which shows nothing.
    case unreadable
    /// No waiting process was found; only a sample of `thorough` depth can find more.
    case needsMore
    /// The processes have more descriptors, threads or epoll items than the budget allows to inspect.
    case tooLarge

    /// The depth of a sample.
    public enum Depth: Sendable {
        /// No reads that can block on a process of this process's own user, and only the user ID of
        /// other processes.
        case cautious
        /// All evidence. Reads can block on the sampled process.
        case thorough
    }

    /// Samples the processes below this root, which must be alive or not yet reaped. A listener is
    /// identified by the inode of its socket, because its number differs between processes
    /// (`ListenSocket.identity`).
    public static func observe(
        from root: Int32, listeners: [FileIdentity], depth: Depth, within budget: SampleBudget
    ) -> AcceptEvidence {
        do throws(SystemCallError) {
            return observe(
                tree: try ProcessTree.members(of: root, within: budget), listeners: listeners,
                depth: depth, within: budget)
        } catch {
            return SampleBudget.isExceeded(error) ? .tooLarge : .unreadable
        }
    }

    private static func observe(
        tree pids: [Int32], listeners: [FileIdentity], depth: Depth, within budget: SampleBudget
    ) -> AcceptEvidence {
        var result = AcceptEvidence.notYet
        for pid in pids {
            do throws(SystemCallError) {
                if depth == .cautious, try !ProcessUsers.isOurs(pid) {
                    result = .needsMore
                    continue
                }
                var process = ObservedProcess(
                    pid: pid, listeners: listeners, depth: depth, budget: budget)
                if try process.waits() { return .waiting }
                if process.needsMore, result == .notYet { result = .needsMore }
                if process.hasRing { result = .unreadable }
            } catch {
                if SampleBudget.isExceeded(error) { return .tooLarge }
                // Other errors mean that the process has exited. The root cannot have exited, so it
                // is hidden (hidepid of proc(5)), or /proc is not mounted.
                if error.kind == .notPermitted || error.isShortage || pid == pids[0] {
                    result = .unreadable
                }
            }
        }
        return result
    }
}

private struct ObservedProcess {
    // A larger array is a mistake of the program, and slow to read.
    private static let pollLimit: UInt64 = 65536
    private let pid: Int32
    private let listeners: [FileIdentity]
    private let depth: AcceptEvidence.Depth
    private let budget: SampleBudget
    private var listening: Set<Int32> = []
    private(set) var hasRing = false
    private(set) var needsMore = false

    init(
        pid: Int32, listeners: [FileIdentity], depth: AcceptEvidence.Depth, budget: SampleBudget
    ) {
        self.pid = pid
        self.listeners = listeners
        self.depth = depth
        self.budget = budget
    }

    mutating func waits() throws(SystemCallError) -> Bool {
        let links = listeners.map { "socket:[\($0.inode)]" }
        var polls: [String] = []
        var sockets: [Int32] = []
        for name in try Directory.names("/proc/\(pid)/fd", within: budget) {
            try budget.spend(entries: 1)
            // The descriptor may have been closed since it was listed.
            guard
                let link = try unlessGone({ () throws(SystemCallError) in
                    try Procfs.link("/proc/\(pid)/fd/\(name)")
                })
            else { continue }
            if links.contains(link) {
                if let number = Int32(name) { listening.insert(number) }
            } else if link.hasPrefix("socket:["), let number = Int32(name) {
                sockets.append(number)
            }
            if link == "anon_inode:[eventpoll]" { polls.append(name) }
            if link == "anon_inode:[io_uring]" { hasRing = true }
        }
        for name in polls {
            guard
                let text = try unlessGone({ () throws(SystemCallError) in
                    try Procfs.read("/proc/\(pid)/fdinfo/\(name)", within: budget)
                })
            else { continue }
            if EpollItems.include(listeners, in: text) { return true }
        }
        guard !listening.isEmpty else { return false }
        for task in try Directory.names("/proc/\(pid)/task", within: budget) {
            if try isBlocked(task) { return true }
        }
        guard !sockets.isEmpty else { return false }
        guard depth == .thorough else {
            needsMore = true
            return false
        }
        return try AcceptedConnections.areHeld(sockets, by: pid, through: listening)
    }

    // `232 0x4 0x7ffd… …`, or `running`.
    private mutating func isBlocked(_ task: String) throws(SystemCallError) -> Bool {
        try budget.spend(entries: 1)
        guard
            let bytes = try unlessGone({ () throws(SystemCallError) in
                try Procfs.read("/proc/\(pid)/task/\(task)/syscall")
            })
        else { return false }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count > 2, let number = Int(words[0]), let first = hexadecimal(words[1]),
            let second = hexadecimal(words[2])
        else { return false }
        switch csupervise_classify_wait(number) {
        case CSUPERVISE_WAIT_ACCEPT:
            return listening.contains(Int32(truncatingIfNeeded: first))
        case CSUPERVISE_WAIT_POLL:
            guard mayReadMemory() else { return false }
            return try pollIncludesListener(at: first, count: second & 0xffff_ffff)
        case CSUPERVISE_WAIT_SELECT:
            guard mayReadMemory() else { return false }
            return try setIncludesListener(at: second, count: first & 0xffff_ffff)
        default:
            return false
        }
    }

    private mutating func mayReadMemory() -> Bool {
        if depth != .thorough { needsMore = true }
        return depth == .thorough
    }

    private func pollIncludesListener(
        at address: UInt64, count: UInt64
    ) throws(SystemCallError) -> Bool {
        let count = min(count, Self.pollLimit)
        guard count > 0 else { return false }
        var entries = [pollfd](repeating: pollfd(), count: Int(count))
        let size = entries.count * MemoryLayout<pollfd>.stride
        try budget.spend(bytes: size)
        let read = try unlessGone { () throws(SystemCallError) in
            try systemCall("process_vm_readv") {
                csupervise_read_memory(pid, address, &entries, size)
            }
        }
        return read != nil
            && entries.contains {
                listening.contains($0.fd) && $0.events & Int16(POLLIN) != 0
            }
    }

    private func setIncludesListener(
        at address: UInt64, count: UInt64
    ) throws(SystemCallError) -> Bool {
        guard address != 0, count > 0 else { return false }
        // The kernel reads the set in words of 64 bits.
        let words = (min(count, Self.pollLimit) + 63) / 64
        var set = [UInt64](repeating: 0, count: Int(words))
        let size = set.count * 8
        try budget.spend(bytes: size)
        let read = try unlessGone { () throws(SystemCallError) in
            try systemCall("process_vm_readv") {
                csupervise_read_memory(pid, address, &set, size)
            }
        }
        return read != nil
            && listening.contains {
                $0 < Int32(count) && set[Int($0) / 64] & (1 << (UInt64($0) % 64)) != 0
            }
    }

    // A permission error, a shortage of our own or an exceeded budget limits what the sample can
    // show. Other errors mean that something has ended (or, for memory, that the thread has left
    // the call and freed it).
    private func unlessGone<Value>(
        _ body: () throws(SystemCallError) -> Value
    ) throws(SystemCallError) -> Value? {
        do {
            return try body()
        } catch {
            if error.kind == .notPermitted || error.isShortage || SampleBudget.isExceeded(error) {
                throw error
            }
            return nil
        }
    }

    private func hexadecimal(_ word: Substring) -> UInt64? {
        UInt64(word.dropFirst(word.hasPrefix("0x") ? 2 : 0), radix: 16)
    }
}
