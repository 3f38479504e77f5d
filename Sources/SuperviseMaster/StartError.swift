import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A failed start, in the core's terms: it names the setting and its value instead of a call and an
/// errno.
struct StartError: Error {
    let failure: StartFailure

    init(_ failure: StartFailure) {
        self.failure = failure
    }

    /// A resource is temporarily unavailable.
    init(resource error: SystemCallError) {
        failure = StartFailure(
            step: error.call, message: error.message.and(Shortage.advice(on: error.code)),
            isTransient: true)
    }

    /// The preload library is missing; without it, bind(2) would fail in the workers.
    init(missingLibrary path: String) {
        failure = StartFailure(
            step: "adopt",
            message:
                "\(path) is missing or unreadable; without it, bind() fails in this program because "
                + "the address is in use. Restore it, or set adopt = seccomp or off",
            isTransient: true)
    }

    init(_ error: SpawnFailure, of blueprint: Blueprint) {
        failure = error.startFailure(of: blueprint)
    }
}

extension SpawnFailure {
    /// The failure in the core's terms.
    func startFailure(of blueprint: Blueprint) -> StartFailure {
        let settings = blueprint.settings
        if step == .exec, let failure = execFailure(of: blueprint) { return failure }
        let keys = step.keys
        let values =
            step == .chdir
            ? [ThisProcess.absolutePath(settings.workingDirectory ?? "")]
            : keys.compactMap { key in
                settings.writtenValue(of: key).map { keys.count == 1 ? $0 : "\(key) \($0)" }
            }
        let subject = values.isEmpty ? "" : values.joined(separator: ", ") + ": "
        return StartFailure(
            step: step == .exec ? "exec \(settings.command[0])" : step.name,
            message: subject + message.and(hint(settings)),
            isTransient: isTransient)
    }

    /// The failure of execve(2), explained by the state of the program's file if possible.
    private func execFailure(of blueprint: Blueprint) -> StartFailure? {
        let settings = blueprint.settings
        let program = Blueprint.program(of: settings)
        let kind = SystemCallError(call: "", code: code).kind
        guard kind == .notFound || kind == .notPermitted,
            let obstacle = ProgramObstacle.find(
                program, searchPath: blueprint.searchPath, folder: settings.workingDirectory)
        else { return nil }
        return StartFailure(
            step: "exec \(settings.command[0])",
            message: obstacle.description.and(settings.quotingHint), isTransient: false)
    }

    private func hint(_ settings: PoolSettings) -> String? {
        if step == .exec, SystemCallError(call: "", code: code).kind == .notAProgram {
            return "the file lacks a #! line or is built for another architecture"
        }
        guard SystemCallError(call: step.name, code: code).kind == .notPermitted else {
            return isTransient ? Shortage.advice(on: code) : nil
        }
        let isRoot = ThisProcess.effectiveUID == 0
        switch step {
        case .groups, .group, .user: return isRoot ? nil : WorkerAccount.privilege
        case .nice, .oomScoreAdjust:
            return isRoot ? nil : "only root may set a value below the master's own"
        case .limits where !isRoot: return "only root may raise a limit above the master's own"
        case .limits where settings.openFilesLimit != nil:
            return "limit-nofile must not exceed the sysctl fs.nr_open"
        case .chdir where settings.user != nil:
            return "the worker's user has no permission to enter it"
        default: return nil
        }
    }
}

extension PoolSettings {
    /// The hint for a missing program whose name contains blanks.
    var quotingHint: String? {
        guard command.count == 1, command[0].contains(" ") else { return nil }
        return "the quotes around the whole command make it one word; remove them"
    }
}

/// Resources that a start can lack, and how to provide more of them.
private enum Shortage {
    static func advice(on code: Int32) -> String? {
        switch SystemCallError(call: "", code: code).shortage {
        case .processes:
            "the process limit is reached: raise the user's limit (ulimit -u), pids.max of the cgroup "
                + "(TasksMax= of systemd) or the sysctl kernel.pid_max"
        case .descriptors:
            "the master's open file limit is reached: raise it (ulimit -Hn, LimitNOFILE= of systemd)"
        case .files: "the system-wide open file limit is reached: raise the sysctl fs.file-max"
        case .memory:
            "the machine or the cgroup has no memory left: configure fewer workers or a lower max-rss"
        case nil: nil
        }
    }
}

extension String {
    /// The text with a further clause, if there is one.
    fileprivate func and(_ more: String?) -> String { more.map { "\(self); \($0)" } ?? self }
}

extension SpawnStep {
    /// The settings that the step applies.
    fileprivate var keys: [String] {
        switch self {
        case .limits: ["limit-as", "limit-nofile", "limit-core"]
        case .nice: ["nice"]
        case .oomScoreAdjust: ["oom-score-adjust"]
        case .groups, .group, .user: ["user", "group"]
        case .chdir: ["chdir"]
        default: []
        }
    }

    /// The name of the step in the log: the setting, if there is exactly one.
    fileprivate var name: String {
        keys.count == 1 ? keys[0] : description
    }
}
