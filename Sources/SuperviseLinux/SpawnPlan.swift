import CSupervise
import Glibc

/// A process that was started.
public struct SpawnedProcess: Sendable {
    /// Its number.
    public let pid: Int32
    /// Its pidfd.
    public let process: ProcessDescriptor
    /// Where a start with other credentials tells how it went (`SpawnPlan.readFailure`), to be
    /// watched for reading; nil when the program runs already.
    public let errorPipe: OwnedDescriptor?
    /// Where the filter on its bind(2) comes from once the program runs, if there is to be one.
    public let filterChannel: BindFilterChannel?
}

/// What an error pipe told.
public enum SpawnOutcome: Hashable, Sendable {
    /// The program runs (or the child was killed on the way to it, which waiting for it tells).
    case running
    /// The child gave up and exits; it is still to be reaped.
    case failed(SpawnFailure)
    /// Not known yet.
    case pending
}

/// How to start one program, again and again: made once, so that a start copies little.
///
/// The child gets a process group of its own, default signal dispositions, an empty signal mask,
/// stdin from /dev/null, this process's stdout and stderr, the given descriptors from 3 on, and
/// nothing else that is open here. See `child.c` for the order of the steps.
///
/// Where the credentials stay, the child shares our memory and we stand still until it has run exec
/// (CLONE_VM | CLONE_VFORK): five times faster than copying page tables, and its failure is ours to
/// throw. It takes the descriptors that it needs from ours (CLONE_FILES, close_range(2)), so that a
/// start costs the same however many are open. Where they change, it gets a copy, and its failure
/// comes over a pipe.
public final class SpawnPlan {
    private let arguments: [String]
    private let searchPath: String
    private let stack: ChildStack
    // What `template` points into.
    private let argumentVector: CStringVector
    private let candidates: CStringVector
    private let texts: CStringVector
    private let groups: CArray<UInt32>
    private let limits: CArray<csupervise_limit>
    private let template: csupervise_start
    private let interceptsBinds: Bool

    /// A plan to run `arguments`, whose first is the program: a path when it has a slash, else looked
    /// for in `searchPath` (a PATH, the started program's own; nil is `/bin:/usr/bin`). Signals that
    /// are ignored from now on are ignored by the program too. Fails when there is no memory for the
    /// child's stack.
    public init(
        arguments: [String], searchPath: String?, attributes: SpawnAttributes = SpawnAttributes()
    ) throws(SystemCallError) {
        precondition(!arguments.isEmpty, "a program needs a name")
        self.arguments = arguments
        self.searchPath = searchPath ?? "/bin:/usr/bin"
        stack = try ChildStack()
        argumentVector = CStringVector(arguments)
        candidates = CStringVector(Self.candidates(for: arguments[0], in: self.searchPath))
        let credentials = attributes.credentials.flatMap { $0.areOurs ? nil : $0 }
        groups = CArray(credentials?.supplementaryGroups ?? [])
        limits = CArray(
            attributes.limits.map {
                csupervise_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard)
            })
        texts = CStringVector([
            attributes.workingDirectory ?? "", attributes.oomScoreAdjust.map { "\($0)" } ?? "",
        ])

        var start = csupervise_start()
        start.candidates = candidates.pointers
        start.arguments = argumentVector.pointers
        start.limits = UnsafePointer(limits.pointer)
        start.limit_count = UInt32(limits.count)
        if let credentials {
            start.changes_credentials = true
            start.uid = credentials.uid
            start.gid = credentials.gid
            start.groups = UnsafePointer(groups.pointer)
            start.group_count = UInt32(groups.count)
        }
        start.changes_umask = attributes.umask != nil
        start.umask = attributes.umask ?? 0
        start.changes_nice = attributes.nice != nil
        start.nice = attributes.nice ?? 0
        if attributes.workingDirectory != nil { start.directory = UnsafePointer(texts.pointers[0]) }
        if attributes.oomScoreAdjust != nil {
            start.oom_score_adjust = UnsafePointer(texts.pointers[1])
        }
        start.death_signal = attributes.deathSignal ?? 0
        start.drops_ambient_capabilities = attributes.dropsAmbientCapabilities
        start.filter_channel = -1
        start.ignored_signals = csupervise_ignored_signals()
        template = start
        interceptsBinds = attributes.interceptsBinds
    }

    /// Whether a start tells its outcome later, over `SpawnedProcess.errorPipe`.
    public var changesCredentials: Bool { template.changes_credentials }

    /// Starts the program. `environment` is all of its environment, as `KEY=VALUE`; the first
    /// entry that is exactly `LISTEN_PID=` or `SUPERVISE_WORKER_PID=` gets the child's number. `arguments` replaces those of the plan, for
    /// placeholders that differ from start to start. `descriptors` become 3, 4, 5… in this order.
    ///
    /// `filtersToo`: binds are intercepted whether the attributes say so or not.
    ///
    /// When it throws, no process and no descriptor is left.
    public func spawn(
        environment: [String], arguments override: [String]? = nil, descriptors: [Int32] = [],
        filtersToo: Bool = false
    ) throws(SpawnFailure) -> SpawnedProcess {
        try SpareDescriptors.withLowNumbers(descriptors) { low throws(SpawnFailure) in
            try spawn(environment, override, low, filters: interceptsBinds || filtersToo)
        }
    }

    private func spawn(
        _ environment: [String], _ override: [String]?, _ descriptors: [Int32], filters: Bool
    ) throws(SpawnFailure) -> SpawnedProcess {
        let variables = CStringVector(environment, roomAfter: Self.ownNumberEntries)
        let own = override.flatMap { $0 == arguments ? nil : CStringVector($0) }
        let programs = override.flatMap {
            $0[0] == arguments[0]
                ? nil : CStringVector(Self.candidates(for: $0[0], in: searchPath))
        }
        let sources = CArray(descriptors)
        let scratch = CArray(descriptors)
        defer { withExtendedLifetime((variables, own, programs, sources, scratch)) {} }

        var start = template
        start.environment = variables.pointers
        start.listen_pid = variables.room
        if let own { start.arguments = own.pointers }
        if let programs { start.candidates = programs.pointers }
        start.descriptors = UnsafePointer(sources.pointer)
        start.moved = scratch.pointer
        start.descriptor_count = UInt32(sources.count)
        let channel = filters ? try BindFilterChannel.make() : nil
        // The child's end closes here when this returns.
        defer { withExtendedLifetime(channel) {} }
        start.filter_channel = channel?.sending.rawValue ?? -1
        return changesCredentials
            ? try copyAndRun(&start, channel?.receiving)
            : try shareAndRun(&start, channel?.receiving)
    }

    /// Reads an error pipe that became readable. After any answer but `.pending` it has no more to
    /// say.
    public static func readFailure(from errorPipe: OwnedDescriptor) -> SpawnOutcome {
        var record: (step: Int32, code: Int32) = (0, 0)
        do {
            let size = MemoryLayout.size(ofValue: record)
            let count = try systemCall("read") { read(errorPipe.rawValue, &record, size) }
            guard count == size, let step = SpawnStep(rawValue: record.step) else {
                return .running
            }
            return .failed(SpawnFailure(step: step, code: record.code))
        } catch {
            precondition(error.code == EAGAIN, "a pipe of our own is readable: \(error)")
            return .pending
        }
    }

    private func shareAndRun(
        _ start: inout csupervise_start, _ channel: BindFilterChannel?
    ) throws(SpawnFailure) -> SpawnedProcess {
        start.error_descriptor = -1
        makeRoomForProcessDescriptor()
        let child = try clone(&start)
        guard let step = SpawnStep(rawValue: start.failed_step) else {
            return SpawnedProcess(
                pid: child.pid, process: child.process, errorPipe: nil, filterChannel: channel)
        }
        reapFailed(child.pid)
        throw SpawnFailure(step: step, code: start.failed_code)
    }

    /// Lets the table of descriptors grow now where the next one needs that. While a child shares it,
    /// as when the kernel makes the descriptor of the child, to grow is to wait for all processors
    /// (expand_fdtable() in the kernel's fs/file.c), some 10 ms.
    private func makeRoomForProcessDescriptor() {
        let copy = fcntl(0, F_DUPFD_CLOEXEC, 0)
        // Without one the start fails, and tells why.
        if copy >= 0 { close(copy) }
    }

    private func copyAndRun(
        _ start: inout csupervise_start, _ channel: BindFilterChannel?
    ) throws(SpawnFailure) -> SpawnedProcess {
        var ends: (read: Int32, write: Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { csupervise_pipe($0) }
        }
        guard result == 0 else { throw SpawnFailure(step: .fork, code: errno) }
        let errorPipe = OwnedDescriptor(FileDescriptor(owning: ends.read))
        // Ours closes when this returns, so that the child's exec is the end of the file.
        let writing = FileDescriptor(owning: ends.write)
        start.error_descriptor = writing.rawValue
        let child = try clone(&start)
        return SpawnedProcess(
            pid: child.pid, process: child.process, errorPipe: errorPipe, filterChannel: channel)
    }

    private func clone(
        _ start: inout csupervise_start
    ) throws(SpawnFailure) -> (pid: Int32, process: ProcessDescriptor) {
        var descriptor: Int32 = -1
        let pid = csupervise_start_child(&start, stack.end, &descriptor)
        guard pid > 0 else { throw SpawnFailure(step: .fork, code: -pid) }
        return (pid, ProcessDescriptor(FileDescriptor(owning: descriptor)))
    }

    // It shared our memory until it called exit, so the wait is for the kernel's last few lines.
    private func reapFailed(_ pid: Int32) {
        do {
            try systemCall("waitid") { csupervise_wait_blocking(pid) }
        } catch {
            precondition(error.code == ECHILD, "a child can be waited for: \(error)")
        }
    }

    private static let ownNumberEntries: Set<String> = ["LISTEN_PID=", "SUPERVISE_WORKER_PID="]

    /// What execvp(3) would try: an empty part of the path is the current folder.
    static func candidates(for name: String, in searchPath: String) -> [String] {
        if name.isEmpty || name.utf8.contains(UInt8(ascii: "/")) { return [name] }
        return searchPath.split(separator: ":", omittingEmptySubsequences: false).map {
            $0.isEmpty ? name : "\($0)/\(name)"
        }
    }
}
