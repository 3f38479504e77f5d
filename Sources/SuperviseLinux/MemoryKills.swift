import Glibc

/// Tells who was killed by the kernel for want of memory.
///
/// The kernel counts such kills of the control group before it sends the signal (`oom_kill` in
/// memory.events or memory.oom_control; for the machine in /proc/vmstat), but says of whom only in its
/// log (/dev/kmsg, which not everybody may read, and which names other numbers than ours where we have
/// a namespace of our own, pid_namespaces(7)). So a death by SIGKILL is the kernel's when the log names
/// it, or when there is a kill that the log does not explain by another process.
public final class MemoryKills {
    /// The number of the first namespace, PROC_PID_INIT_INO.
    private static let firstNamespace = "pid:[4026531836]"

    private let count: () -> UInt64?
    private let log: KernelLog?
    /// The kills that are explained, and those seen at the last look.
    private var explained: UInt64
    private var seen: UInt64
    private var nextLookNanoseconds: Int64 = 0
    /// Processes that the log named and nobody asked about.
    private var named: [Int32] = []

    /// Counts from now on.
    public convenience init(_ cgroup: Cgroup) {
        var namespace: String?
        do throws(SystemCallError) {
            namespace = try Procfs.link("/proc/self/ns/pid")
        } catch {
            namespace = nil
        }
        let log = namespace == MemoryKills.firstNamespace ? KernelLog() : nil
        let ofGroup = cgroup.memoryKillsPath.map(KeptFile.init)
        let tells = ofGroup.flatMap { MemoryKills.count(in: $0) } != nil
        let file = tells ? ofGroup : KeptFile("/proc/vmstat")
        self.init(log: log) { file.flatMap { MemoryKills.count(in: $0) } }
    }

    init(log: KernelLog?, count: @escaping () -> UInt64?) {
        self.count = count
        self.log = log
        explained = count() ?? 0
        seen = explained
    }

    private static func count(in file: KeptFile) -> UInt64? {
        Cgroup.counter("oom_kill", in: file.bytes() ?? [])
    }

    /// Whether the kernel killed this process, which died by SIGKILL. Asked once for each.
    public func claim(_ pid: Int32) -> Bool {
        readLog()
        if let index = named.firstIndex(of: pid) {
            named.remove(at: index)
            explained += 1
            return true
        }
        return claimUnnamed()
    }

    /// Whether the kernel killed a process that this one, which is gone, waited for.
    public func claim(below parent: Int32) -> Bool {
        readLog()
        guard let index = named.indices.last else { return claimUnnamed() }
        named.remove(at: index)
        explained += 1
        return true
    }

    /// A kill that nobody was found for by the second look after it, a second or more later, was of
    /// somebody else: a process that is not waited for, or not ours.
    public func forgetOld(atNanoseconds now: Int64) {
        guard now >= nextLookNanoseconds else { return }
        nextLookNanoseconds = now + 1_000_000_000
        explained = max(explained, seen)
        seen = count() ?? seen
        readLog()
        named = []
    }

    private func claimUnnamed() -> Bool {
        let now = count() ?? explained
        guard now > explained + UInt64(named.count) else { return false }
        explained += 1
        return true
    }

    private func readLog() {
        guard let log else { return }
        named = (named + log.newKills()).suffix(64)
    }
}

/// The kernel's log from now on (/dev/kmsg).
final class KernelLog {
    private static let marker = "Killed process "
    private let file: FileDescriptor

    /// nil where it may not be read.
    init?() {
        let number = open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { return nil }
        file = FileDescriptor(owning: number)
        guard lseek(file.rawValue, 0, SEEK_END) >= 0 else { return nil }
    }

    /// The processes that were killed for memory since the last call.
    func newKills() -> [Int32] {
        var kills: [Int32] = []
        var record = [UInt8](repeating: 0, count: 8192)
        // A read gives one record; EPIPE means that some were lost, and the next one goes on.
        for _ in 0..<10_000 {
            let count = read(file.rawValue, &record, record.count)
            if count < 0, errno == EPIPE || errno == EINTR { continue }
            guard count > 0 else { break }
            let text = String(decoding: record[..<count], as: UTF8.self)
            if let pid = KernelLog.killed(in: text) { kills.append(pid) }
        }
        return kills
    }

    /// `Memory cgroup out of memory: Killed process 4242 (python3) total-vm:…`
    static func killed(in text: String) -> Int32? {
        var rest = text[...]
        while !rest.utf8.starts(with: marker.utf8) {
            guard rest.popFirst() != nil else { return nil }
        }
        return Int32(rest.dropFirst(marker.count).prefix { $0.isNumber })
    }
}
