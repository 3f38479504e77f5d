import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// An upgrade in progress. The program is held open, so that the program that was probed is the one
/// that is executed.
final class Upgrade {
    /// The path of the program.
    let path: String
    let program: ExecutableFile
    /// The probe that checks whether the program understands the state; nil once it has.
    var probe: UpgradeProbe?
    /// The kind of the state that was probed.
    var kind: Set<String>

    init(path: String, _ program: ExecutableFile, _ probe: UpgradeProbe, kind: Set<String>) {
        self.path = path
        self.program = program
        self.probe = probe
        self.kind = kind
    }
}

/// USR2: this process continues as another program, which is searched for as at the start. Its
/// workers, their listeners and all waiting clients are unaffected (execve(2)). If anything fails
/// before that, the current program continues.
extension Master {
    /// The argument with which a program continues a state, followed by the state's descriptor.
    /// Internal.
    static let resumeVerb = "__resume"
    /// The argument with which a program continues its own state again, followed by the state's
    /// descriptor and the reason of the next program's failure. Internal.
    static let returnVerb = "__return"
    private static let stateName = "supervise-state"

    /// Probes the installed program.
    func beginUpgrade() {
        guard service.haste == nil else { return upgradeFailed("the master is stopping") }
        guard upgrade == nil else { return }
        do throws(UpgradeFailure) {
            let upgrade = try tryProgram()
            self.upgrade = upgrade
            log.write(
                LogLine(.info, "upgrade-started").with("program", upgrade.path)
                    .with("version", Version.current))
            tellUpgrade(.trial)
        } catch {
            upgradeFailed(error.description)
        }
    }

    private func tryProgram() throws(UpgradeFailure) -> Upgrade {
        guard let path = launch.programPath else {
            throw UpgradeFailure("the path of the running program is unknown")
        }
        performPending()
        do {
            let program = try ExecutableFile(path: path)
            let state = handOver()
            return Upgrade(
                path: path, program, try probe(program, state), kind: state.kind)
        } catch let error as SystemCallError {
            throw UpgradeFailure("\(path): \(error.message)")
        } catch {
            throw UpgradeFailure("\(path): \(error)")
        }
    }

    private func probe(
        _ program: ExecutableFile, _ state: MasterState
    ) throws -> UpgradeProbe {
        let file = try MemoryFile(name: Master.stateName, state.encode())
        let probe = try UpgradeProbe(
            program, state: file, arguments: launch.arguments,
            environment: launch.environment, at: now)
        try poll.add(probe.descriptor, .readable, token: Token.probe)
        return probe
    }

    func readProbe() {
        guard let upgrade, let probe = upgrade.probe, let outcome = probe.read() else { return }
        poll.unwatch(probe.descriptor)
        switch outcome {
        case .understood(let version):
            upgrade.probe = nil
            log.write(LogLine(.debug, "upgrade-trial-passed").with("version", version))
        case .refused(let reason):
            self.upgrade = nil
            upgradeFailed("\(upgrade.path): \(reason)")
        }
    }

    /// Ends the upgrade because the probe takes too long, or the service stops.
    func abandonUpgrade(because reason: String) {
        guard let upgrade else { return }
        self.upgrade = nil
        if let probe = upgrade.probe {
            poll.unwatch(probe.descriptor)
            probe.kill()
        }
        upgradeFailed(reason)
    }

    /// Executes the probed program, between two turns. Returns only if this fails.
    func performUpgrade() {
        // A configuration that is being read would be lost.
        guard let upgrade, upgrade.probe == nil, loader == nil, preparation == nil else { return }
        // A response that a worker waits for would be lost as well. Samples of connections are
        // taken again.
        guard !observer.owesAnswer else { return }
        do {
            let state = handOver()
            if state.kind != upgrade.kind {
                // A reload occurred in between.
                upgrade.probe = try probe(upgrade.program, state)
                upgrade.kind = state.kind
                return
            }
            self.upgrade = nil
            try execute(upgrade)
        } catch {
            self.upgrade = nil
            upgradeFailed("\(upgrade.path): \(error)")
        }
    }

    private func execute(_ upgrade: Upgrade) throws {
        observer.endWithMaster()
        let state = handOver()
        let file = try MemoryFile(name: Master.stateName, state.encode())
        let own = ownProgram()
        // A script's interpreter opens it by the descriptor (execveat(2)).
        let kept =
            state.descriptors + [file.rawValue, upgrade.program.rawValue]
            + [own?.rawValue].compactMap { $0 }
        HandedDescriptors.keep(kept, open: true)
        let handed = own.map { "\(file.rawValue):\($0.rawValue)" } ?? "\(file.rawValue)"
        let error = upgrade.program.execute(
            arguments: [launch.name, Master.resumeVerb, handed] + launch.arguments,
            environment: launch.environment)
        HandedDescriptors.keep(kept, open: false)
        throw UpgradeFailure("cannot be executed: \(error.message)")
    }

    /// Returns the fallback of the next program, even if its file was removed.
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

    /// The reason for which this program continues a state.
    enum Resumption {
        /// It is the upgraded program, after this version.
        case upgraded(from: String)
        /// It is the previous program again, because the next one could not continue.
        case returned(reason: String)
    }

    func tell(_ resumption: Resumption) {
        switch resumption {
        case .upgraded(let version): tellUpgraded(from: version)
        case .returned(let reason): upgradeFailed("the new program could not take over: \(reason)")
        }
    }

    private func upgradeFailed(_ reason: String) {
        // The state was created in vain.
        ThisProcess.returnFreeMemory()
        upgrades.failed += 1
        log.write(
            LogLine(.error, "upgrade-failed").with("error", reason)
                .with("message", "the running program continues"))
        tellUpgrade(.failed(reason: reason))
    }

    /// Logs the completed upgrade.
    private func tellUpgraded(from version: String) {
        upgrades.complete += 1
        log.write(
            LogLine(.info, "upgraded").with("version", Version.current).with("from", version)
                .with("pid", ThisProcess.pid).with("workers", workers.bySerial.count))
        tellUpgrade(.complete(version: Version.current, from: version))
    }

    private func tellUpgrade(_ step: UpgradeStep) {
        control.publish(.upgrade, step.line, last: step.isVerdict, at: now)
    }
}
