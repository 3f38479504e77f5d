import CSupervise
import Glibc

/// A started process.
public struct SpawnedProcess: Sendable {
    /// The process ID.
    public let pid: Int32
    /// The pidfd.
    public let process: ProcessDescriptor
    /// The pipe that reports the result of a start with other credentials
    /// (`SpawnPlan.readFailure`), to be watched for reading; nil if the program already runs.
    public let errorPipe: OwnedDescriptor?
    /// The channel for the filter on its bind(2), if any, once the program runs.
    public let filterChannel: BindFilterChannel?
}

/// The result from an error pipe.
public enum SpawnOutcome: Hashable, Sendable {
    /// The program runs (or the child was killed before exec, which is found when it is reaped).
    case running
    /// The child failed and exits; it must still be reaped.
    case failed(SpawnFailure)
    /// Not known yet.
    case pending
}

/// A plan to start one program repeatedly: created once, so that a start copies little.
///
/// The child gets its own process group, default signal dispositions, an empty signal mask,
/// stdin from /dev/null, the given output or this process's stdout and stderr, the given descriptors from 3 on, and no
/// other descriptors. See `child.c` for the order of the steps.
///
/// If the credentials do not change, the child shares our memory, and this process is suspended
/// until the child has called exec (CLONE_VM | CLONE_VFORK). This is five times faster than copying
/// page tables, and a failure is thrown directly. The child takes the descriptors that it needs
/// from ours (CLONE_FILES, close_range(2)), so the cost does not depend on the number of open
/// descriptors. If the credentials change, the child gets a copy of the memory and reports a
/// failure over a pipe.
public final class SpawnPlan {
    private let arguments: [String]
    private let searchPath: String
    private let stack: ChildStack
    // The storage that `template` points to.
    private let argumentVector: CStringVector
    private let candidates: CStringVector
    private let texts: CStringVector
    private let groups: CArray<UInt32>
    private let limits: CArray<csupervise_limit>
    private let template: csupervise_start
    private let interceptsBinds: Bool

    /// Creates a plan to run `arguments`, whose first element is the program: a path if it contains
    /// a slash, otherwise searched in `searchPath` (a PATH, the new program's own; nil is
    /// `/bin:/usr/bin`). Signals that become ignored after this stay ignored in the program. Fails
    /// if there is no memory for the stack of the child.
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
        start.output_descriptor = -1
        start.ignored_signals = csupervise_ignored_signals()
        template = start
        interceptsBinds = attributes.interceptsBinds
    }

    /// Whether a start reports its result later, over `SpawnedProcess.errorPipe`.
    public var changesCredentials: Bool { template.changes_credentials }

    /// Starts the program. `environment` is its whole environment, as `KEY=VALUE`; the first entry
    /// that is exactly `LISTEN_PID=` or `SUPERVISE_WORKER_PID=` gets the process ID of the child.
    /// `arguments` replaces those of the plan, for placeholders that differ between starts.
    /// `descriptors` become 3, 4, 5… in this order. `output` is where its stdout and stderr go.
    ///
    /// `filtersToo`: intercepts binds even if the attributes do not.
    ///
    /// If it throws, no process and no descriptor is left.
    public func spawn(
        environment: [String], arguments override: [String]? = nil, descriptors: [Int32] = [],
        output: SpawnOutput = .inherited, filtersToo: Bool = false
    ) throws(SpawnFailure) -> SpawnedProcess {
        let all = descriptors + [output.descriptor].compactMap { $0 }
        return try SpareDescriptors.withLowNumbers(all) { low throws(SpawnFailure) in
            try spawn(
                environment, override, Array(low.prefix(descriptors.count)),
                output.descriptor == nil ? output : .descriptor(low[descriptors.count]),
                filters: interceptsBinds || filtersToo)
        }
    }

    private func spawn(
        _ environment: [String], _ override: [String]?, _ descriptors: [Int32],
        _ output: SpawnOutput, filters: Bool
    ) throws(SpawnFailure) -> SpawnedProcess {
        let variables = CStringVector(environment, roomAfter: Self.ownNumberEntries)
        let own = override.flatMap { $0 == arguments ? nil : CStringVector($0) }
        let programs = override.flatMap {
            $0[0] == arguments[0]
                ? nil : CStringVector(Self.candidates(for: $0[0], in: searchPath))
        }
        let sources = CArray(descriptors)
        let scratch = CArray(descriptors)
        let files = output.file.map { CStringVector($0.names) }
        defer { withExtendedLifetime((variables, own, programs, sources, scratch, files)) {} }

        var start = template
        start.environment = variables.pointers
        start.listen_pid = variables.room
        if let own { start.arguments = own.pointers }
        if let programs { start.candidates = programs.pointers }
        start.descriptors = UnsafePointer(sources.pointer)
        start.moved = scratch.pointer
        start.descriptor_count = UInt32(sources.count)
        // Descriptor 0 is /dev/null by then.
        start.output_descriptor = output == .null ? 0 : output.descriptor ?? -1
        if let files { start.output_files = files.pointers }
        start.output_file_bytes = output.file?.maximumBytes ?? 0
        let channel = filters ? try BindFilterChannel.make() : nil
        // The child's end closes when this returns.
        defer { withExtendedLifetime(channel) {} }
        start.filter_channel = channel?.sending.rawValue ?? -1
        return changesCredentials
            ? try copyAndRun(&start, channel?.receiving)
            : try shareAndRun(&start, channel?.receiving)
    }

    /// Reads an error pipe that became readable. After any result but `.pending`, do not call it
    /// again.
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

    /// Grows the descriptor table now if the next descriptor requires it. While a child shares the
    /// table, growing it (for example when the kernel creates the pidfd of the child) waits for all
    /// processors (expand_fdtable() in the kernel's fs/file.c), about 10 ms.
    private func makeRoomForProcessDescriptor() {
        let copy = fcntl(0, F_DUPFD_CLOEXEC, 0)
        // Without one, the start fails and reports the reason.
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
        // Our end closes when this returns, so that the child's exec is the end of the file.
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

    // The child shared our memory until it called exit, so this wait is very short.
    private func reapFailed(_ pid: Int32) {
        do {
            try systemCall("waitid") { csupervise_wait_blocking(pid) }
        } catch {
            precondition(error.code == ECHILD, "a child can be waited for: \(error)")
        }
    }

    private static let ownNumberEntries: Set<String> = ["LISTEN_PID=", "SUPERVISE_WORKER_PID="]

    /// As execvp(3): an empty component of the path is the current directory.
    static func candidates(for name: String, in searchPath: String) -> [String] {
        if name.isEmpty || name.utf8.contains(UInt8(ascii: "/")) { return [name] }
        return searchPath.split(separator: ":", omittingEmptySubsequences: false).map {
            $0.isEmpty ? name : "\($0)/\(name)"
        }
    }
}
