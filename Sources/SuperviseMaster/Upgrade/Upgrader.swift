import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The number of upgrades by their result.
struct UpgradeCounts: Codable {
    var complete: UInt64 = 0
    var failed: UInt64 = 0
}

/// USR2: this process continues as another program, which is found where this one was when it was
/// started. Its workers, their listeners and everything that clients wait for stay as they are
/// (execve(2)). Whatever fails before that, this program continues.
final class Upgrader: Expiring, ChildOwner {
    /// The word that makes the program continue with a state, followed by the state's descriptor.
    /// For internal use.
    static let resumeVerb = "__resume"
    /// The word that makes a program continue with its own state again, followed by the state's
    /// descriptor and the reason why the next program could not. For internal use.
    static let returnVerb = "__return"
    private static let stateName = "supervise-state"

    /// An upgrade. The program is held open, so that the one that is executed is the one that was
    /// tried.
    private struct Attempt {
        /// The path of the program.
        let path: String
        let program: ExecutableFile
        /// The probe that checks whether the program understands the state; nil once it has.
        var probe: HelperChild?
        /// The kind of the state that was probed.
        var kind: Set<String>
    }

    /// How this program comes to continue with a state.
    enum Resumption {
        /// It is the upgraded program, after this version.
        case upgraded(from: String)
        /// As the one that it was, because the next one could not continue.
        case returned(reason: String)
    }

    private let launch: Launch
    private let core: Core
    private let poll: EventPoll
    private let log: Log
    private let control: ControlServer
    private var attempt: Attempt?
    private(set) var counts = UpgradeCounts()
    /// Performs everything that is pending.
    var settle: () -> Void = {}
    /// The master as a value, once everything that was pending is performed.
    var handOver: () -> MasterState = { preconditionFailure("there is a master to hand over") }
    /// Whether something is in progress that the next program could not continue.
    var mustWait: () -> Bool = { false }
    /// Ends what must not continue while the next program is tried.
    var willBegin: () -> Void = {}
    /// Ends what the next program does not continue with.
    var willExecute: () -> Void = {}

    init(launch: Launch, core: Core, poll: EventPoll, log: Log, control: ControlServer) {
        self.launch = launch
        self.core = core
        self.poll = poll
        self.log = log
        self.control = control
    }

    /// Whether an upgrade is in progress.
    var isUpgrading: Bool { attempt != nil }

    func resume(_ counts: UpgradeCounts) { self.counts = counts }

    /// Tries the program that is installed now.
    func begin() {
        guard core.service.haste == nil else { return fail("the master is stopping") }
        guard attempt == nil else { return }
        do throws(UpgradeFailure) {
            let attempt = try tryProgram()
            self.attempt = attempt
            log.write(
                LogLine(.info, "upgrade-started").with("program", attempt.path)
                    .with("version", Version.current))
            publish(.trial)
        } catch {
            fail(error.description)
        }
    }

    private func tryProgram() throws(UpgradeFailure) -> Attempt {
        guard let path = launch.programPath else {
            throw UpgradeFailure("the path of the running program is unknown")
        }
        willBegin()
        settle()
        do {
            let program = try ExecutableFile(path: path)
            let state = handOver()
            return Attempt(
                path: path, program: program, probe: try probe(program, state), kind: state.kind)
        } catch let error as SystemCallError {
            throw UpgradeFailure("\(path): \(error.message)")
        } catch {
            throw UpgradeFailure("\(path): \(error)")
        }
    }

    private func probe(_ program: ExecutableFile, _ state: MasterState) throws -> HelperChild {
        let file = try MemoryFile(name: Upgrader.stateName, state.encode())
        return try UpgradeProbe.start(program, state: file, launch, in: poll, at: .now)
    }

    /// Reads what the probe wrote.
    func read() {
        guard let attempt, let answer = attempt.probe?.read() else { return }
        switch UpgradeProbe.outcome(of: answer) {
        case .understood(let version):
            self.attempt?.probe = nil
            log.write(LogLine(.debug, "upgrade-trial-passed").with("version", version))
        case .refused(let reason):
            self.attempt = nil
            fail("\(attempt.path): \(reason)")
        }
    }

    var deadline: Instant? { attempt?.probe?.deadline }

    /// Gives up a probe that takes too long.
    func expire(at now: Instant) {
        abandon(because: "the new program did not respond within 30 s")
    }

    /// Gives up the upgrade, if one is in progress.
    func abandon(because reason: String) {
        guard let attempt else { return }
        self.attempt = nil
        attempt.probe?.end()
        fail(reason)
    }

    /// Executes a program that has passed its trial. Called between two turns. Returns only if that
    /// is not possible.
    func perform() {
        guard let attempt, attempt.probe == nil, !mustWait() else { return }
        do {
            let state = handOver()
            if state.kind != attempt.kind {
                // A reload occurred in between.
                self.attempt?.probe = try probe(attempt.program, state)
                self.attempt?.kind = state.kind
                return
            }
            self.attempt = nil
            try execute(attempt.program)
        } catch {
            self.attempt = nil
            fail("\(attempt.path): \(error)")
        }
    }

    private func execute(_ program: ExecutableFile) throws {
        willExecute()
        let state = handOver()
        let file = try MemoryFile(name: Upgrader.stateName, state.encode())
        let own = ownProgram()
        // A script's interpreter opens it by the descriptor (execveat(2)).
        let kept =
            state.descriptors + [file.rawValue, program.rawValue]
            + [own?.rawValue].compactMap { $0 }
        HandedDescriptors.keep(kept, open: true)
        let handed = own.map { "\(file.rawValue):\($0.rawValue)" } ?? "\(file.rawValue)"
        let error = program.execute(
            arguments: [launch.name, Upgrader.resumeVerb, handed] + launch.arguments,
            environment: launch.environment)
        HandedDescriptors.keep(kept, open: false)
        throw UpgradeFailure("cannot be executed: \(error.message)")
    }

    /// The program that the next one returns to if it fails, even if its file is gone by then.
    private func ownProgram() -> ExecutableFile? {
        do throws(SystemCallError) {
            return try ExecutableFile(path: "/proc/self/exe")
        } catch {
            log.write(
                LogLine(.warning, "upgrade-rollback-unavailable").with("error", error.description)
                    .with("message", "an upgrade that fails halfway cannot be rolled back"))
            return nil
        }
    }

    /// Reports how this program comes to continue with a state of this many workers.
    func report(_ resumption: Resumption, workers: Int) {
        switch resumption {
        case .upgraded(let version): complete(from: version, workers: workers)
        case .returned(let reason): fail("the new program could not take over: \(reason)")
        }
    }

    private func fail(_ reason: String) {
        // The encoded state is no longer needed.
        ThisProcess.returnFreeMemory()
        counts.failed += 1
        log.write(
            LogLine(.error, "upgrade-failed").with("error", reason)
                .with("message", "the running program continues"))
        publish(.failed(reason: reason))
    }

    private func complete(from version: String, workers: Int) {
        counts.complete += 1
        log.write(
            LogLine(.info, "upgraded").with("version", Version.current).with("from", version)
                .with("pid", ThisProcess.pid).with("workers", workers))
        publish(.complete(version: Version.current, from: version))
    }

    private func publish(_ step: UpgradeStep) {
        control.publish(.upgrade, step.line, last: step.isVerdict, at: .now)
    }

    func owns(_ pid: Int32) -> Bool { attempt?.probe?.pid == pid }
}
