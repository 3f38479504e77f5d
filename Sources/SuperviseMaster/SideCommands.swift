import SuperviseCore
import SuperviseLinux

/// A command that the master runs beside its workers.
struct SideCommand: Codable {
    /// The purpose of a command.
    enum Purpose: Codable, Equatable {
        /// `on-event`.
        case event
        /// `before-recycle`, for this worker.
        case evidence(WorkerID)
        /// `before-start`.
        case beforeStart
    }

    let purpose: Purpose
    let startedAt: Instant
    /// The time at which it is killed, repeatedly while it remains in the kernel; nil is never.
    fileprivate(set) var killAt: Instant?
    /// Whether it took too long.
    fileprivate(set) var isOverdue = false
}

/// The commands that run beside the workers. Nothing waits for them. Processes that a command left
/// in its process group end with it, and all are killed at its time limit.
final class SideCommands: Expiring, ChildOwner {
    private static let killAgainAfter = TimeSpan.seconds(1)

    private let openFilesLimit: ResourceLimit?
    /// The master's environment without its private variables.
    private let environment: [String]
    /// The running commands by process, which another program of this process continues.
    var running: [Int32: SideCommand] = [:]
    /// Handles the end of a command.
    var commandEnded: (SideCommand, ChildStatus) -> Void = { _, _ in }

    /// Starts without commands. They get `openFilesLimit` as their limit, like workers. From
    /// `environment`, the master's, they get no variable for its service manager.
    init(openFilesLimit: ResourceLimit?, environment: [String]) {
        self.openFilesLimit = openFilesLimit
        self.environment = WorkerEnvironment.withoutContract(environment)
    }

    /// Prepares a command. With `endsWithMaster` it is killed when the master ends.
    func plan(
        _ arguments: [String], endsWithMaster: Bool
    ) throws(SystemCallError) -> SpawnPlan {
        var attributes = SpawnAttributes()
        if endsWithMaster { attributes.deathSignal = Signal.kill.number }
        if let openFilesLimit { attributes.limits.append(openFilesLimit) }
        return try SpawnPlan(
            arguments: arguments, searchPath: WorkerEnvironment.path(in: environment),
            attributes: attributes)
    }

    /// Starts a command with this time limit, and with these variables added to its environment.
    func run(
        _ plan: SpawnPlan, variables: [String], for purpose: SideCommand.Purpose,
        within time: TimeSpan, at now: Instant
    ) throws(SpawnFailure) {
        _ = try run(
            plan, environment: environment + variables, output: .inherited, for: purpose,
            within: time, at: now)
    }

    /// Starts a command with this environment, and ends it after this time; nil is never.
    func run(
        _ plan: SpawnPlan, environment: [String], output: SpawnOutput,
        for purpose: SideCommand.Purpose, within time: TimeSpan?, at now: Instant
    ) throws(SpawnFailure) -> SpawnedProcess {
        let spawned = try plan.spawn(environment: environment, output: output)
        running[spawned.pid] = SideCommand(
            purpose: purpose, startedAt: now, killAt: time.map { now + $0 })
        return spawned
    }

    /// Sends SIGTERM to the process groups of these commands, and SIGKILL after this time.
    func end(_ purpose: SideCommand.Purpose, within time: TimeSpan, at now: Instant) {
        for (pid, command) in running where command.purpose == purpose {
            running[pid]?.killAt = min(command.killAt ?? now + time, now + time)
            signalGroup(pid, Signal.terminate.number)
        }
    }

    /// Returns the number of running commands for this purpose.
    func count(for purpose: SideCommand.Purpose) -> Int {
        running.values.count { $0.purpose == purpose }
    }

    /// Returns whether this process is one of them.
    func owns(_ pid: Int32) -> Bool { running[pid] != nil }

    /// Handles the end of a command. Its process is not reaped yet, so its group keeps its number.
    func ended(_ pid: Int32, _ status: ChildStatus) {
        guard let command = running.removeValue(forKey: pid) else { return }
        killGroup(pid)
        commandEnded(command, status)
    }

    var deadline: Instant? { running.values.compactMap(\.killAt).min() }

    /// Kills commands that exceed their time limit.
    func expire(at now: Instant) {
        for (pid, command) in running {
            guard let killAt = command.killAt, killAt <= now else { continue }
            running[pid]?.isOverdue = true
            running[pid]?.killAt = now + SideCommands.killAgainAfter
            killGroup(pid)
        }
    }

    private func killGroup(_ pid: Int32) { signalGroup(pid, Signal.kill.number) }

    private func signalGroup(_ pid: Int32, _ number: Int32) {
        do throws(SystemCallError) {
            try ProcessGroup.signal(pid, number)
        } catch {
            // It left its group.
            return
        }
    }
}

extension LogLine {
    /// Adds how a process ended.
    func with(_ status: ChildStatus) -> LogLine {
        switch status {
        case .exited(let code): with("status", code)
        case .signaled(let number, coreDumped: _):
            with("signal", Signal(number: number).description)
        }
    }
}
