import Glibc
import Testing

/// A memory cgroup below that of the tests, with a limit. It is removed with this object, once no
/// process runs in it. Only hierarchies of version 1 allow such children of a cgroup with
/// processes.
final class ControlGroup {
    private let folder: String

    /// The cgroup of the tests.
    private static let parent: String? = {
        for line in (readFile("/proc/self/cgroup") ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if fields.count == 3, fields[1] == "memory" {
                return "/sys/fs/cgroup/memory\(fields[2])"
            }
        }
        return nil
    }()

    /// Whether a cgroup can be created here.
    static let isAvailable: Bool = {
        guard let group = ControlGroup(limitBytes: 1 << 30) else { return false }
        return group.number("memory.limit_in_bytes") == 1 << 30
    }()

    init?(limitBytes: Int) {
        guard let parent = ControlGroup.parent else { return nil }
        folder = "\(parent)/supervise-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        guard mkdir(folder, 0o755) == 0 else { return nil }
        write("memory.limit_in_bytes", "\(limitBytes)")
    }

    deinit {
        // Processes that were just killed may still be exiting.
        for _ in 0..<200 where rmdir(folder) != 0 && errno == EBUSY { usleep(10_000) }
    }

    /// The wrapper that starts a program in this cgroup.
    var wrapper: [String] {
        ["sh", "-c", "echo $$ > \(folder)/cgroup.procs && exec \"$@\"", "sh"]
    }

    /// The current usage in bytes.
    var usage: Int { number("memory.usage_in_bytes") ?? 0 }

    /// The number of processes that the kernel has killed in it.
    var kills: Int? {
        let lines = (readFile("\(folder)/memory.oom_control") ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("oom_kill ") }.flatMap {
            Int($0.dropFirst("oom_kill ".count))
        }
    }

    private func number(_ file: String) -> Int? {
        readFile("\(folder)/\(file)").flatMap { Int($0.split(separator: "\n").first ?? "") }
    }

    private func write(_ file: String, _ text: String) {
        let descriptor = open("\(folder)/\(file)", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = Glibc.write(descriptor, text, text.utf8.count)
        close(descriptor)
    }
}

extension Trait where Self == ConditionTrait {
    /// The test creates a cgroup.
    static var needsControlGroup: Self {
        .enabled(if: ControlGroup.isAvailable, "no memory control group can be made here")
    }
}
