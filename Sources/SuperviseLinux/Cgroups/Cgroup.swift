import CSupervise
import Glibc

/// The cgroups of this process (cgroups(7)), version 1 and 2.
public struct Cgroup: Hashable, Sendable {
    /// The directories of one controller, from the process's own up to the root of the mount, and
    /// the version of their files.
    struct Controller: Hashable, Sendable {
        let isUnified: Bool
        let folders: [String]
    }

    private let controllers: [String: Controller]
    /// The directory of this process's group in the unified hierarchy; nil if that is not mounted.
    let unifiedFolder: String?

    /// Finds the cgroups of this process. If none are mounted, there are no limits.
    public static func ofThisProcess() -> Cgroup {
        Cgroup(
            membership: Procfs.text("/proc/self/cgroup") ?? "",
            mounts: Procfs.text("/proc/self/mountinfo") ?? "")
    }

    init(membership: String, mounts: String) {
        var controllers: [String: Controller] = [:]
        var unifiedFolder: String?
        let mounted = mounts.split(separator: "\n").compactMap { CgroupMount(line: $0) }
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            if isUnified {
                unifiedFolder = mounted.first { $0.isUnified }?.folders(of: fields[2]).first
            }
            for name in isUnified ? ["cpu", "memory"] : fields[1].split(separator: ",") {
                // A controller of version 1 is not part of the unified hierarchy at the same time.
                if isUnified, controllers[String(name)] != nil { continue }
                let mount = mounted.first {
                    $0.isUnified == isUnified && (isUnified || $0.options.contains(name))
                }
                guard let mount else { continue }
                controllers[String(name)] = Controller(
                    isUnified: isUnified, folders: mount.folders(of: fields[2]))
            }
        }
        self.controllers = controllers
        self.unifiedFolder = unifiedFolder
    }

    /// The CPU limit of the group and its ancestors in processors; nil without a limit.
    public func processorLimit() -> Double? {
        guard let cpu = controllers["cpu"] else { return nil }
        return cpu.folders.compactMap { folder in
            if cpu.isUnified {
                return Procfs.text("\(folder)/cpu.max").flatMap { Self.processors(cpuMax: $0) }
            }
            guard let quota = Self.number("\(folder)/cpu.cfs_quota_us"),
                let period = Self.number("\(folder)/cpu.cfs_period_us"), period > 0
            else { return nil }
            return Double(quota) / Double(period)
        }.min()
    }

    /// The tightest memory limit of the group and its ancestors in bytes; nil without a limit.
    ///
    /// `memory.high` counts as a limit: above it the kernel throttles every process of the group
    /// (Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files").
    public func memoryLimitBytes() -> UInt64? {
        guard let memory = controllers["memory"] else { return nil }
        return memory.folders.compactMap { Self.memoryLimit(of: $0, memory) }.min()
    }

    private static func memoryLimit(of folder: String, _ memory: Controller) -> UInt64? {
        let names =
            memory.isUnified ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"]
        // Version 1 reports no limit as the largest number of pages.
        return names.compactMap { number("\(folder)/\($0)") }.filter { $0 < 1 << 62 }.min()
    }

    /// The limit and usage of the group or ancestor that has the least memory left. Nil without a
    /// limit.
    public func memoryRoom() -> MemoryFigures? {
        guard let memory = controllers["memory"] else { return nil }
        let names =
            memory.isUnified
            ? (usage: "memory.current", inactive: "inactive_file")
            : (usage: "memory.usage_in_bytes", inactive: "total_inactive_file")
        let figures = memory.folders.compactMap { folder -> MemoryFigures? in
            guard let limit = Self.memoryLimit(of: folder, memory),
                let usage = Self.number("\(folder)/\(names.usage)")
            else { return nil }
            let statistics = Procfs.bytes("\(folder)/memory.stat") ?? []
            let inactive = Self.counter(names.inactive, in: statistics) ?? 0
            return MemoryFigures(
                limitBytes: limit, workingSetBytes: usage > inactive ? usage - inactive : 0)
        }
        return figures.min { $0.freeBytes < $1.freeBytes }
    }

    /// The files that count the processes of this group that the kernel killed for memory, in order
    /// of preference, and the file that signals this in version 1.
    var memoryKillFiles: (paths: [String], eventControl: String?, isUnified: Bool)? {
        guard let memory = controllers["memory"], let folder = memory.folders.first else {
            return nil
        }
        guard memory.isUnified else {
            return (["\(folder)/memory.oom_control"], "\(folder)/cgroup.event_control", false)
        }
        // Excludes the groups below, since Linux 5.2.
        return (["\(folder)/memory.events.local", "\(folder)/memory.events"], nil, true)
    }

    // `50000 100000`, or `max 100000`.
    static func processors(cpuMax text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = UInt64(words[0]), let period = UInt64(words[1]),
            period > 0
        else { return nil }
        return Double(quota) / Double(period)
    }

    private static func number(_ path: String) -> UInt64? {
        Procfs.text(path)?.split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) }
    }

    /// A value in a file of name and number pairs.
    static func counter(_ name: String, in bytes: [UInt8]) -> UInt64? {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            if words.count == 2, words[0].elementsEqual(name.utf8) {
                return UInt64(String(decoding: words[1], as: UTF8.self))
            }
        }
        return nil
    }
}

/// A mounted cgroup hierarchy, from a line of proc_pid_mountinfo(5).
private struct CgroupMount {
    let isUnified: Bool
    let root: Substring
    let folder: Substring
    let options: [Substring]

    init?(line: Substring) {
        let fields = line.split(separator: " ")
        guard let dash = fields.firstIndex(of: "-"), dash > 4, fields.count > dash + 3,
            fields[dash + 1].hasPrefix("cgroup")
        else { return nil }
        isUnified = fields[dash + 1] == "cgroup2"
        root = fields[3]
        folder = fields[4]
        options = fields[dash + 3].split(separator: ",")
    }

    // In a container, the path can be outside of the mount. The root of the mount is then the
    // container's own group.
    func folders(of path: Substring) -> [String] {
        var rest = path
        if root != "/", rest.hasPrefix(root) {
            rest = rest.dropFirst(root.count)
        } else if root != "/" || rest.hasPrefix("/..") {
            rest = ""
        }
        var names = rest.split(separator: "/")
        var folders: [String] = []
        while !names.isEmpty {
            folders.append(([folder] + names).joined(separator: "/"))
            names.removeLast()
        }
        return folders + [String(folder)]
    }
}

/// The processors that this process can use.
public enum Processors {
    /// The number of processors allowed by the affinity (sched_getaffinity(2)) or by the CPU limit
    /// of the cgroup, rounded up, whichever is less. At least 1.
    public static func allowed(cgroup: Cgroup = .ofThisProcess()) -> Int {
        let affinity = Int(csupervise_allowed_processors())
        guard let limit = cgroup.processorLimit() else { return affinity }
        return max(1, min(affinity, Int(limit.rounded(.up))))
    }
}

/// A memory limit and its usage.
public struct MemoryFigures: Hashable, Sendable {
    /// The limit in bytes.
    public let limitBytes: UInt64
    /// The usage without the inactive file cache, which the kernel can drop, in bytes.
    public let workingSetBytes: UInt64

    /// The remaining memory, in bytes.
    public var freeBytes: UInt64 { limitBytes > workingSetBytes ? limitBytes - workingSetBytes : 0 }
}

/// The memory of the machine.
public enum MachineMemory {
    /// The total, in bytes.
    public static func totalBytes() -> UInt64 {
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * ProcessMemory.pageBytes
    }

    /// The total, and the part that is not available without swapping (MemAvailable of
    /// proc_meminfo(5)).
    public static func room() -> MemoryFigures? {
        var kilobytes: [Substring: UInt64] = [:]
        for line in (Procfs.text("/proc/meminfo") ?? "").split(separator: "\n").prefix(3) {
            let words = line.split(separator: " ")
            if words.count > 1 { kilobytes[words[0]] = UInt64(words[1]) }
        }
        guard let total = kilobytes["MemTotal:"], let available = kilobytes["MemAvailable:"] else {
            return nil
        }
        return MemoryFigures(
            limitBytes: total * 1024, workingSetBytes: (total - min(available, total)) * 1024)
    }
}
