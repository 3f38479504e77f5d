import CSupervise
import Glibc

/// Who was killed by the kernel for want of memory.
///
/// The kernel names the process in its log (/dev/kmsg, which not everybody may read, and which names
/// other numbers than ours where we have a namespace of our own, pid_namespaces(7)), and counts it in
/// its control group before it sends the signal (`oom_kill` in memory.events or memory.oom_control).
/// So a death by SIGKILL is the kernel's when the log names it. Where the log cannot be read, it is the
/// kernel's when our own group had such a kill within the last second that nothing else explains: the
/// group tells when, and a count by itself would tell nothing.
public final class MemoryKills {
    /// The number of the first namespace, PROC_PID_INIT_INO.
    private static let firstNamespace = "pid:[4026531836]"
    /// A death that is claimed later than this after the kernel's word has another cause.
    private static let validNanoseconds: Int64 = 1_000_000_000

    private let log: KernelLog?
    private let group: MemoryKillCount?
    private let now: () -> Int64
    /// The kills of the group that are explained, or too old to explain anything.
    private var accounted: UInt64
    private var countAtEvent: UInt64
    private var lastEventNanoseconds: Int64?
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
        self.init(
            log: namespace == MemoryKills.firstNamespace ? KernelLog() : nil,
            group: CgroupKillCount(cgroup), now: MonotonicClock.nanoseconds)
    }

    init(log: KernelLog?, group: MemoryKillCount?, now: @escaping () -> Int64) {
        self.log = log
        self.group = group
        self.now = now
        accounted = group?.count() ?? 0
        countAtEvent = accounted
    }

    /// What to watch, and for what: `acknowledge` is to be called when it is ready. Nil where there is
    /// nothing to watch.
    public var watch: (descriptor: Int32, interest: Interest)? { group?.watch }

    /// Takes note that the group ran out of memory just now.
    public func acknowledge() {
        guard let group, group.takeEvent() else { return }
        let now = now()
        let count = group.count() ?? countAtEvent
        if !isValid(at: now) {
            accounted = max(accounted, group.tellsBeforeItCounts ? count : countAtEvent)
        }
        countAtEvent = count
        lastEventNanoseconds = now
    }

    /// Forgets whom the log named so far: a process that starts from here on may get the same number.
    public func forget() {
        readLog()
        named = []
    }

    /// Whether the kernel killed this process, which died by SIGKILL just now. Asked once for each.
    public func claim(_ pid: Int32) -> Bool {
        acknowledge()
        readLog()
        if let index = named.firstIndex(of: pid) {
            named.remove(at: index)
            accounted += 1
            return true
        }
        // A log that lost nothing names everybody.
        if let log, !log.hasLost { return false }
        return claimCounted()
    }

    /// Whether the kernel killed a process that this one, which ended just now, waited for.
    public func claim(below parent: Int32) -> Bool {
        acknowledge()
        readLog()
        if let log, !log.hasLost, named.isEmpty { return false }
        guard claimCounted() else { return false }
        _ = named.popLast()
        return true
    }

    private func claimCounted() -> Bool {
        guard let group, let count = group.count() else { return false }
        guard isValid(at: now()) else {
            accounted = count
            return false
        }
        guard count > accounted else { return false }
        accounted += 1
        return true
    }

    private func isValid(at now: Int64) -> Bool {
        lastEventNanoseconds.map { now - $0 <= MemoryKills.validNanoseconds } ?? false
    }

    private func readLog() {
        guard let log else { return }
        named = (named + log.newKills()).suffix(64)
    }
}

/// How many processes of a control group the kernel has killed for memory, and when there are more.
protocol MemoryKillCount {
    /// How many so far; nil where that cannot be read.
    func count() -> UInt64?
    /// What tells that there is an event.
    var watch: (descriptor: Int32, interest: Interest)? { get }
    /// Whether there was an event since the last call.
    func takeEvent() -> Bool
    /// Whether an event comes before its kill is counted, as in version 1.
    var tellsBeforeItCounts: Bool { get }
}

/// The kills of this process's own group.
final class CgroupKillCount: MemoryKillCount {
    private static let priority = Interest(rawValue: EPOLLPRI.rawValue)
    private let file: KeptFile
    /// What memory.oom_control signals in version 1: eventfd(2) by way of cgroup.event_control.
    private let event: OwnedDescriptor?
    let tellsBeforeItCounts: Bool

    /// Nil where there is no such count, or nothing tells when it changes.
    init?(_ cgroup: Cgroup) {
        guard let files = cgroup.memoryKillFiles else { return nil }
        tellsBeforeItCounts = !files.isUnified
        var found: KeptFile?
        for path in files.paths {
            let file = KeptFile(path)
            guard file.rawValue != nil, Self.count(in: file) != nil else { continue }
            found = file
            break
        }
        guard let found, let number = found.rawValue else { return nil }
        file = found
        guard !files.isUnified else {
            event = nil
            return
        }
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        event = OwnedDescriptor(FileDescriptor(owning: descriptor))
        guard let control = files.eventControl,
            Self.write("\(descriptor) \(number)", to: control)
        else { return nil }
    }

    private static func write(_ text: String, to path: String) -> Bool {
        let number = open(path, O_WRONLY | O_CLOEXEC)
        guard number >= 0 else { return false }
        let file = FileDescriptor(owning: number)
        return Glibc.write(file.rawValue, text, text.utf8.count) == text.utf8.count
    }

    func count() -> UInt64? { Self.count(in: file) }

    var watch: (descriptor: Int32, interest: Interest)? {
        if let event { return (event.rawValue, .readable) }
        return file.rawValue.map { ($0, Self.priority) }
    }

    func takeEvent() -> Bool {
        guard let watch else { return false }
        var entry = pollfd(
            fd: watch.descriptor, events: Int16(event != nil ? POLLIN : POLLPRI), revents: 0)
        guard poll(&entry, 1, 0) == 1, entry.revents & entry.events != 0 else { return false }
        guard let event else {
            // Reading the file arms it again (kernfs, poll(2)).
            return file.bytes() != nil
        }
        var signalled: UInt64 = 0
        return read(event.rawValue, &signalled, 8) == 8
    }

    private static func count(in file: KeptFile) -> UInt64? {
        Cgroup.counter("oom_kill", in: file.bytes() ?? [])
    }
}

/// The kernel's log from now on (/dev/kmsg).
final class KernelLog {
    private static let marker = "Killed process "
    private let file: FileDescriptor
    /// Whether the kernel ever wrote over records that were not read.
    private(set) var hasLost = false

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
            if count < 0, errno == EPIPE { hasLost = true }
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
