import SuperviseControl
import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// An upgrade that is under way. The program is held open, so that what proved itself is what is run.
final class Upgrade {
    /// Where it was found.
    let path: String
    let program: ExecutableFile
    /// The program has still to prove that it understands the state; nil once it has.
    var probe: UpgradeProbe?

    init(path: String, _ program: ExecutableFile, _ probe: UpgradeProbe) {
        self.path = path
        self.program = program
        self.probe = probe
    }
}

/// USR2: this process goes on as another program, which is found where this one was when it was started.
/// Its workers, their listeners and all that anybody waits for stay as they are (execve(2)). Whatever
/// goes wrong before that, this program goes on.
extension Master {
    /// The word that makes the program go on with a state, followed by the state's descriptor. Not for
    /// people.
    static let resumeVerb = "__resume"
    private static let stateName = "supervise-state"

    /// Tries the program that is there now.
    func beginUpgrade() {
        guard service.haste == nil else { return upgradeFailed("the master is stopping") }
        guard upgrade == nil else { return }
        do throws(UpgradeFailure) {
            let upgrade = try tryProgram()
            self.upgrade = upgrade
            log.write(
                LogLine(.info, "upgrade-begun").with("program", upgrade.path)
                    .with("version", Version.current))
            tellUpgrade(.trial)
        } catch {
            upgradeFailed(error.description)
        }
    }

    private func tryProgram() throws(UpgradeFailure) -> Upgrade {
        guard let path = launch.programPath else {
            throw UpgradeFailure("it is not known where this program was found")
        }
        performPending()
        do {
            let program = try ExecutableFile(path: path)
            let state = try MemoryFile(name: Master.stateName, handOver().encode())
            let probe = try UpgradeProbe(
                program, state: state, environment: launch.environment, at: now)
            try poll.add(probe.descriptor, .readable, token: Token.probe)
            return Upgrade(path: path, program, probe)
        } catch let error as SystemCallError {
            throw UpgradeFailure("\(path): \(error.message)")
        } catch {
            throw UpgradeFailure("\(path): \(error)")
        }
    }

    func readProbe() {
        guard let upgrade, let probe = upgrade.probe, let outcome = probe.read() else { return }
        unwatch(probe.descriptor)
        switch outcome {
        case .understood(let version):
            upgrade.probe = nil
            log.write(LogLine(.debug, "upgrade-tried").with("version", version))
        case .refused(let reason):
            self.upgrade = nil
            upgradeFailed("\(upgrade.path): \(reason)")
        }
    }

    /// The probe takes too long, or the service stops.
    func abandonUpgrade(because reason: String) {
        guard let upgrade else { return }
        self.upgrade = nil
        if let probe = upgrade.probe {
            unwatch(probe.descriptor)
            probe.kill()
        }
        upgradeFailed(reason)
    }

    /// Between two turns: runs the program that has proved itself. Comes back only where that fails.
    func performUpgrade() {
        // A configuration that is being read would be lost.
        guard let upgrade, upgrade.probe == nil, loader == nil else { return }
        // So would an answer that a worker waits for.
        guard observer.isIdle else { return }
        self.upgrade = nil
        do {
            try execute(upgrade)
        } catch {
            upgradeFailed("\(upgrade.path): \(error)")
        }
    }

    private func execute(_ upgrade: Upgrade) throws {
        observer.endWithMaster()
        goOnAfterDrainLooks()
        let state = handOver()
        let file = try MemoryFile(name: Master.stateName, state.encode())
        let kept = state.descriptors + [file.rawValue]
        HandedDescriptors.keep(kept, open: true)
        let error = upgrade.program.execute(
            arguments: [launch.name, Master.resumeVerb, "\(file.rawValue)"] + launch.arguments,
            environment: launch.environment)
        HandedDescriptors.keep(kept, open: false)
        throw UpgradeFailure("it cannot be run: \(error.message)")
    }

    private func upgradeFailed(_ reason: String) {
        // The state was put together for nothing.
        ThisProcess.returnFreeMemory()
        upgrades.failed += 1
        log.write(
            LogLine(.error, "upgrade-failed").with("error", reason)
                .with("message", "this program goes on as before"))
        tellUpgrade(.failed(reason: reason))
    }

    /// This is the program that was upgraded to.
    func tellUpgraded(from version: String) {
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
