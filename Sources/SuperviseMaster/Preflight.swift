import SuperviseControl
import SuperviseLinux
import SuperviseSettings

/// The checks of `check` that need no start: missing programs and directories. They apply to its
/// own user and to the current moment.
enum Preflight {
    static func warnings(_ configuration: Configuration, environment: [String]) -> [String] {
        let master = configuration.master
        var problems: [SettingsProblem] = []
        func check(_ source: SettingSource, _ key: String, _ obstacle: String?) {
            guard let obstacle else { return }
            problems.append(SettingsProblem(source: source, key: key, message: obstacle))
        }
        if case .file(let path) = master.logFile {
            check(.invocation, "log-file", obstacle(toFolderOf: path))
        }
        check(.invocation, "pidfile", master.pidfile.flatMap(obstacle(toFolderOf:)))
        if case .path(let path) = master.control {
            check(.invocation, "control", obstacle(toFolderOf: path))
        }
        for hook in master.hooks {
            check(.invocation, "on-event", obstacle(toRun: hook.command, path(environment), nil))
        }
        for pool in configuration.pools {
            let source = SettingSource.pool(pool.name)
            check(source, "chdir", pool.workingDirectory.flatMap(obstacle(toFolder:)))
            check(source, "command", obstacle(toRun: pool, environment))
            check(source, "before-start", obstacle(toRunBeforeStart: pool, environment))
            check(source, "mold", obstacle(toMold: pool, environment))
            check(
                source, "before-recycle",
                obstacle(toRun: pool.beforeRecycle, path(environment), nil))
            if case .file(let path) = pool.output {
                check(source, "output", obstacle(toFolderOf: path))
            }
            check(source, "memory-log", pool.memoryLog.flatMap(obstacle(toFolderOf:)))
            for case .unix(let path) in pool.binds {
                check(source, "bind", obstacle(toFolderOf: path))
            }
        }
        return problems.map(\.description)
    }

    private static func obstacle(toRun pool: PoolSettings, _ environment: [String]) -> String? {
        // A relative path cannot be resolved without the directory, which is already reported.
        let folder = pool.workingDirectory
        if let folder, obstacle(toFolder: folder) != nil { return nil }
        let variables = WorkerEnvironment.base(
            pool, listeners: [], account: nil, inherited: environment)
        let program = [Blueprint.program(of: pool)]
        guard let text = obstacle(toRun: program, path(variables), folder) else { return nil }
        return pool.quotingHint.map { "\(text); \($0)" } ?? text
    }

    private static func obstacle(toMold pool: PoolSettings, _ environment: [String]) -> String? {
        guard pool.mold != .off, obstacle(toRun: pool, environment) == nil else { return nil }
        let variables = WorkerEnvironment.base(
            pool, listeners: [], account: nil, inherited: environment)
        do throws(MoldCommand.Obstacle) {
            let command = try MoldCommand(pool, searchPath: path(variables), adapter: 3)
            guard case .command = pool.mold else { return nil }
            return obstacle(toRun: command.arguments, path(variables), pool.workingDirectory)
        } catch {
            return error.text
        }
    }

    private static func obstacle(
        toRunBeforeStart pool: PoolSettings, _ environment: [String]
    ) -> String? {
        let folder = pool.workingDirectory
        if let folder, obstacle(toFolder: folder) != nil { return nil }
        let variables = WorkerEnvironment.base(
            pool, listeners: [], account: nil, inherited: environment)
        return obstacle(toRun: pool.beforeStart, path(variables), folder)
    }

    private static func obstacle(
        toRun command: [String], _ searchPath: String?, _ folder: String?
    ) -> String? {
        guard let program = command.first,
            let obstacle = ProgramObstacle.find(program, searchPath: searchPath, folder: folder)
        else { return nil }
        if case .notInPath = obstacle { return "\(program): \(obstacle)" }
        return obstacle.description
    }

    private static func path(_ environment: [String]) -> String? {
        WorkerEnvironment.path(in: environment)
    }

    private static func obstacle(toFolderOf file: String) -> String? {
        let path = ThisProcess.absolutePath(file)
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
        return obstacle(toFolder: String(path[..<slash]))
    }

    private static func obstacle(toFolder folder: String) -> String? {
        let path = ThisProcess.absolutePath(folder)
        switch Folder.isThere(path) {
        case true?: return nil
        case false?: return "\(path) is not a directory"
        case nil: return "the directory \(path) does not exist"
        }
    }
}
