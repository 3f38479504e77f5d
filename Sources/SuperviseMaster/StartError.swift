import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// A start that came to nothing, as the core hears of it. The kernel names a call and an errno; who
/// has to mend it looks for a setting and its value.
struct StartError: Error {
    let failure: StartFailure

    /// The machine lacks something that may be there again later.
    init(resource error: SystemCallError) {
        failure = StartFailure(
            step: error.call, message: error.message.and(Want.advice(on: error.code)),
            isTransient: true)
    }

    /// Workers would find their address taken, as nothing would answer their bind(2).
    init(missingLibrary path: String) {
        failure = StartFailure(
            step: "adopt",
            message: "\(path) is not there any more, or can't be read, and without it this program "
                + "would find its address taken; put it back, or set adopt = seccomp or off",
            isTransient: true)
    }

    init(_ error: SpawnFailure, of blueprint: Blueprint) {
        failure = error.startFailure(of: blueprint)
    }
}

extension SpawnFailure {
    /// The failure as the core hears of it.
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

    /// The failure of execve(2) by what is seen to be wrong with the program's file, if anything is.
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
            return "the file has no #! line, or was built for another machine"
        }
        guard SystemCallError(call: step.name, code: code).kind == .notPermitted else {
            return isTransient ? Want.advice(on: code) : nil
        }
        let isRoot = ThisProcess.effectiveUID == 0
        switch step {
        case .groups, .group, .user: return isRoot ? nil : WorkerAccount.privilege
        case .nice, .oomScoreAdjust:
            return isRoot ? nil : "only root may go below the master's own"
        case .limits where !isRoot: return "only root may raise a limit above the master's own"
        case .limits where settings.openFilesLimit != nil:
            return "limit-nofile may be at most the sysctl fs.nr_open"
        case .chdir where settings.user != nil: return "the worker's user may not enter it"
        default: return nil
        }
    }
}

extension PoolSettings {
    /// What to say of a command that is a single word with blanks in it, where there is no such program.
    var quotingHint: String? {
        guard command.count == 1, command[0].contains(" ") else { return nil }
        return "the whole command is in quotes, which make it one word: leave them out"
    }
}

/// What the machine may lack for a start, and where more of it is to be had.
private enum Want {
    static func advice(on code: Int32) -> String? {
        switch SystemCallError(call: "", code: code).want {
        case .processes:
            "as many processes run as may: see the user's limit (ulimit -u), pids.max of the control "
                + "group (TasksMax= of systemd) and the sysctl kernel.pid_max"
        case .descriptors:
            "the master has as many files open as it may: raise its limit (ulimit -Hn, LimitNOFILE= "
                + "of systemd)"
        case .files: "the machine has as many files open as it may: see the sysctl fs.file-max"
        case .memory:
            "the machine or the control group has no memory left for it: fewer workers, or a lower "
                + "max-rss"
        case nil: nil
        }
    }
}

extension String {
    /// The text with one more thing to say, if there is one.
    fileprivate func and(_ more: String?) -> String { more.map { "\(self); \($0)" } ?? self }
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
