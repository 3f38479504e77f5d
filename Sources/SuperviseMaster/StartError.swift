import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A start that came to nothing, as the core hears of it. The kernel names a call and an errno; who
/// has to mend it looks for a setting and its value.
struct StartError: Error {
    let failure: StartFailure

    /// The machine lacks something that may be there again later.
    init(resource error: SystemCallError) {
        failure = StartFailure(step: error.call, message: error.message, isTransient: true)
    }

    init(_ error: SpawnFailure, settings: PoolSettings) {
        failure = error.startFailure(of: settings)
    }
}

extension SpawnFailure {
    /// The failure as the core hears of it.
    func startFailure(of settings: PoolSettings) -> StartFailure {
        let keys = step.keys
        let values = keys.compactMap { key in
            settings.writtenValue(of: key).map { keys.count == 1 ? $0 : "\(key) \($0)" }
        }
        let subject = values.isEmpty ? "" : values.joined(separator: ", ") + ": "
        return StartFailure(
            step: step == .exec ? "exec \(settings.command[0])" : step.name,
            message: subject + message + (hint(settings).map { "; " + $0 } ?? ""),
            isTransient: isTransient)
    }

    private func hint(_ settings: PoolSettings) -> String? {
        guard SystemCallError(call: step.name, code: code).kind == .notPermitted else { return nil }
        let isRoot = ThisProcess.effectiveUID == 0
        switch step {
        case .groups, .group, .user: return isRoot ? nil : WorkerAccount.privilege
        case .nice, .oomScoreAdjust:
            return isRoot ? nil : "only root may go below the master's own"
        case .limits where !isRoot: return "only root may raise a limit above the master's own"
        case .limits where settings.openFilesLimit != nil:
            return "limit-nofile may be at most the sysctl fs.nr_open"
        case .chdir where settings.user != nil: return "the folder is entered as the worker's user"
        default: return nil
        }
    }
}

extension SpawnStep {
    /// The settings that the step carries out.
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

    /// The step as the log names it: by its setting where that is one.
    fileprivate var name: String {
        keys.count == 1 ? keys[0] : description
    }
}
