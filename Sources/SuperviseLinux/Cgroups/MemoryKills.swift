import CSupervise
import Glibc

/// Detects processes that the kernel killed because it was out of memory.
///
/// The kernel logs the process (/dev/kmsg, which may be unreadable, and which contains other
/// process IDs than ours in a pid namespace, pid_namespaces(7)). It also counts the kill in the
/// cgroup before it sends the signal (`oom_kill` in memory.events or memory.oom_control). If the
/// log is readable, a death by SIGKILL is attributed to the kernel if the log contains it.
/// Otherwise it is attributed to the kernel if our own cgroup had an unexplained kill within the
/// last second: the count alone has no time.
public final class MemoryKills {
    /// The inode of the initial namespace, PROC_PID_INIT_INO.
    private static let firstNamespace = "pid:[4026531836]"
    /// A death reported later than this after the kernel's event has another cause.
    private static let validNanoseconds: Int64 = 1_000_000_000

    private let log: KernelLog?
    private let group: MemoryKillCount?
    private let now: () -> Int64
    /// The kills in the group that are explained, or too old to explain a death.
    private var accounted: UInt64
    private var countAtEvent: UInt64
    private var lastEventNanoseconds: Int64?
    /// Processes in the log that were not claimed yet.
    private var named: [Int32] = []

    /// Starts counting.
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

    /// The descriptor to watch and its events; call `acknowledge` when it is ready. Nil if there is
    /// nothing to watch.
    public var watch: (descriptor: Int32, interest: Interest)? { group?.watch }

    /// Records that the group just ran out of memory.
    public func acknowledge() {
        guard let group, group.takeEvent() else { return }
        let now = now()
        let count = group.count() ?? countAtEvent
        if !isValid(at: now) {
            accounted = max(accounted, group.signalsBeforeCounting ? count : countAtEvent)
        }
        countAtEvent = count
        lastEventNanoseconds = now
    }

    /// Forgets the processes in the log so far: a process that starts from now on may reuse an ID.
    public func forget() {
        readLog()
        named = []
    }

    /// Whether the kernel killed this process, which just died by SIGKILL. Call it once per
    /// process.
    public func claim(_ pid: Int32) -> Bool {
        acknowledge()
        readLog()
        if let index = named.firstIndex(of: pid) {
            named.remove(at: index)
            accounted += 1
            return true
        }
        // A log without gaps contains every kill.
        if let log, !log.hasLost { return false }
        return claimCounted()
    }

    /// Whether the kernel killed a process that this one, which just exited, waited for.
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

/// The number of processes of a cgroup that the kernel killed for memory, with notifications.
protocol MemoryKillCount {
    /// The count so far; nil if it cannot be read.
    func count() -> UInt64?
    /// The descriptor that reports an event.
    var watch: (descriptor: Int32, interest: Interest)? { get }
    /// Whether there was an event since the last call.
    func takeEvent() -> Bool
    /// Whether an event precedes the update of the count, as in version 1.
    var signalsBeforeCounting: Bool { get }
}

/// The kills of this process's own cgroup.
final class CgroupKillCount: MemoryKillCount {
    private static let priority = Interest(rawValue: EPOLLPRI.rawValue)
    private let file: KeptFile
    /// The notification of memory.oom_control in version 1: an eventfd(2) registered in
    /// cgroup.event_control.
    private let event: OwnedDescriptor?
    let signalsBeforeCounting: Bool

    /// Nil if there is no such count, or no notification of its changes.
    init?(_ cgroup: Cgroup) {
        guard let files = cgroup.memoryKillFiles else { return nil }
        signalsBeforeCounting = !files.isUnified
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
            // Reading the file rearms the notification (kernfs, poll(2)).
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
    /// Whether the kernel has overwritten records that were not read.
    private(set) var hasLost = false

    /// Nil if it may not be read.
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
        // Each read returns one record. EPIPE means that records were lost; the next read
        // continues.
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
