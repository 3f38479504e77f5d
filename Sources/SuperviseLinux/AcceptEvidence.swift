import CSupervise
import Glibc

/// Whether a program waits for connections, told from outside by what the kernel shows of it.
///
/// Looked for, in every process given, is an epoll item over a listener (/proc/PID/fdinfo,
/// proc_pid_fdinfo(5)), or a thread that is blocked in accept on it, or in poll or select over it
/// (/proc/PID/task/TID/syscall, proc_pid_syscall(5)). An event loop in use shows its epoll item all
/// the time, the others only while they are idle; of a busy one the connection that it has accepted
/// is as good.
public enum AcceptEvidence: Hashable, Sendable {
    /// A process waits on one of the listeners, or has accepted a connection from it.
    case waiting
    /// All could be read, and none waits.
    case notYet
    /// None was seen to wait, and one may well do so: its tables or its memory are not ours to look
    /// at (ptrace(2), "access mode checking"), or we lack descriptors or memory to do so, or it has an
    /// io_uring(7), which shows nothing.
    case unreadable

    /// Looks at these processes. A listener is known by its socket's inode, since its number differs
    /// from process to process (`ListenSocket.identity`).
    public static func observe(
        tree pids: [Int32], listeners: [FileIdentity]
    ) -> AcceptEvidence {
        var result = AcceptEvidence.notYet
        for pid in pids {
            do {
                var process = ObservedProcess(pid: pid, listeners: listeners)
                if try process.waits() { return .waiting }
                if process.hasRing { result = .unreadable }
            } catch {
                // Anything else means that the process is gone.
                if error.kind == .notPermitted || error.isWant { result = .unreadable }
            }
        }
        return result
    }
}

private struct ObservedProcess {
    // More would be another program's mistake, and slow to read.
    private static let pollLimit: UInt64 = 65536
    private let pid: Int32
    private let listeners: [FileIdentity]
    private var listening: Set<Int32> = []
    private(set) var hasRing = false

    init(pid: Int32, listeners: [FileIdentity]) {
        self.pid = pid
        self.listeners = listeners
    }

    mutating func waits() throws(SystemCallError) -> Bool {
        let links = listeners.map { "socket:[\($0.inode)]" }
        var polls: [String] = []
        var sockets: [Int32] = []
        for name in try Directory.names("/proc/\(pid)/fd") {
            // A descriptor may be closed since it was listed.
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
                    try Procfs.read("/proc/\(pid)/fdinfo/\(name)")
                })
            else { continue }
            if watchesListener(String(decoding: text, as: UTF8.self)) { return true }
        }
        guard !listening.isEmpty else { return false }
        for task in try Directory.names("/proc/\(pid)/task") {
            if try isBlocked(task) { return true }
        }
        return try AcceptedConnections.areHeld(sockets, by: pid, through: listening)
    }

    // `tfd: 5 events: 19 data: 5 pos:0 ino:1f3a sdev:8`, all but the descriptor hexadecimal. The
    // number alone could be another file by now: an item outlives its descriptor while the file is
    // open elsewhere.
    private func watchesListener(_ text: String) -> Bool {
        for line in text.split(separator: "\n") where line.hasPrefix("tfd:") {
            var fields: [Substring: UInt64] = [:]
            var label: Substring?
            for word in line.split(whereSeparator: { $0 == " " || $0 == ":" }) {
                if let name = label {
                    fields[name] = UInt64(word, radix: 16)
                    label = nil
                } else {
                    label = word
                }
            }
            guard let events = fields["events"], let inode = fields["ino"],
                let device = fields["sdev"], events & UInt64(EPOLLIN.rawValue) != 0
            else { continue }
            if listeners.contains(where: { $0.inode == inode && $0.kernelDevice == device }) {
                return true
            }
        }
        return false
    }

    // `232 0x4 0x7ffd… …`, or `running`.
    private func isBlocked(_ task: String) throws(SystemCallError) -> Bool {
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
            return try pollIncludesListener(at: first, count: second & 0xffff_ffff)
        case CSUPERVISE_WAIT_SELECT:
            return try setIncludesListener(at: second, count: first & 0xffff_ffff)
        default:
            return false
        }
    }

    private func pollIncludesListener(
        at address: UInt64, count: UInt64
    ) throws(SystemCallError) -> Bool {
        let count = min(count, Self.pollLimit)
        guard count > 0 else { return false }
        var entries = [pollfd](repeating: pollfd(), count: Int(count))
        let size = entries.count * MemoryLayout<pollfd>.stride
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

    // A refusal, or our own want, says something about what we can see; the rest says that something
    // has ended (or, of memory, that the thread has left the call and freed it).
    private func unlessGone<Value>(
        _ body: () throws(SystemCallError) -> Value
    ) throws(SystemCallError) -> Value? {
        do {
            return try body()
        } catch {
            if error.kind == .notPermitted || error.isWant { throw error }
            return nil
        }
    }

    private func hexadecimal(_ word: Substring) -> UInt64? {
        UInt64(word.dropFirst(word.hasPrefix("0x") ? 2 : 0), radix: 16)
    }
}

extension FileIdentity {
    /// The device as the kernel prints it: the major number above 20 bits of the minor one, unlike
    /// the `dev_t` of stat(2).
    fileprivate var kernelDevice: UInt64 {
        UInt64(csupervise_device_major(device)) << 20 | UInt64(csupervise_device_minor(device))
    }
}
