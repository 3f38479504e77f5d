import SuperviseCore
import SuperviseLinux
import SuperviseSettings

/// The program: runs the command in the arguments and returns the exit code.
public enum Program {
    /// Exit codes of the program itself; the core defines those of a service that ends.
    enum ExitCode {
        static let success: Int32 = 0
        static let masterFailed: Int32 = 1
        static let usage: Int32 = 2
        static let bootFailed: Int32 = 3
    }

    /// Runs the program with these arguments, of which the first is its name, and this environment
    /// (`KEY=VALUE`). `talk` runs a command for a running master.
    public static func main(
        _ words: [String], environment: [String],
        talk: (MasterCommand, [String: String]) -> Int32
    ) -> Int32 {
        let inherited = InheritedDescriptors.list()
        let arguments = Array(words.dropFirst())
        do throws(SystemCallError) {
            try StandardStreams.ensureOpen()
        } catch {
            return ExitCode.masterFailed
        }
        switch arguments.first {
        case ConfigurationLoader.verb:
            return loadForMaster(Array(arguments.dropFirst()), environment)
        case UpgradeProbe.verb: return probe(Array(arguments.dropFirst()), environment)
        case Observer.verb: return ObserverProgram.run()
        case Upgrader.resumeVerb, Upgrader.returnVerb:
            return resume(words, environment, open: inherited)
        default: break
        }
        do throws(SettingsError) {
            switch try Invocation.parse(arguments) {
            case .run(let overrides):
                var launch = launch(arguments, overrides, environment)
                launch.name = words.first ?? launch.name
                launch.programPath = ExecutableFile.path(
                    ofStart: launch.name, searchPath: launch.variable("PATH"))
                return run(launch, inherited: inherited)
            case .check(let overrides):
                return try check(launch(arguments, overrides, environment))
            case .command(let command):
                let words = Launch(
                    arguments: arguments, overrides: Overrides(), environment: environment)
                return talk(command, words.variables)
            case .help(let topic):
                return printText(topic.text)
            case .man(let page):
                return printText(ManualPage.roff(page, version: Version.current))
            case .importing(let source, let path):
                return importFile(source, path)
            case .completions(let shell):
                return printText(Completions.script(for: shell))
            case .demo: return demo(words, environment, inherited: inherited)
            case .version:
                return printText("supervise \(Version.current)\n")
            case .nothing:
                printError(HelpTopic.brief.text)
                return ExitCode.usage
            }
        } catch {
            printError(error)
            return ExitCode.usage
        }
    }

    static func launch(
        _ arguments: [String], _ overrides: Overrides, _ environment: [String]
    ) -> Launch {
        Launch(arguments: arguments, overrides: overrides, environment: environment)
    }

    /// Runs the master of the demo in this process.
    private static func demo(
        _ words: [String], _ environment: [String], inherited: Set<Int32>
    ) -> Int32 {
        let start = Launch(arguments: [], overrides: Overrides(), environment: environment)
        do {
            let demo = try Demo(
                program: words.first ?? "supervise", searchPath: start.variable("PATH"),
                temporaryFolder: start.variable("TMPDIR"),
                hasRuntimeFolder: start.variable("XDG_RUNTIME_DIR")?.isEmpty == false)
            defer { demo.remove() }
            return main(
                [words.first ?? "supervise", Verb.run.rawValue, "--config", demo.configPath],
                environment: environment, talk: { _, _ in ExitCode.usage })
        } catch {
            printError("supervise: demo: \(error)\n")
            return ExitCode.masterFailed
        }
    }

    private static func run(_ launch: Launch, inherited: Set<Int32>) -> Int32 {
        let passed = SystemdSockets.take()
        var resolved: ResolvedConfiguration
        do throws(SettingsError) {
            resolved = try ResolvedConfiguration.load(launch)
            resolved.use(passed)
        } catch {
            printError(error)
            return ExitCode.usage
        }
        do {
            return try serve(resolved, launch, passed, inherited)
        } catch {
            printError("supervise: \(error)\n")
            return ExitCode.masterFailed
        }
    }

    private static func serve(
        _ resolved: ResolvedConfiguration, _ launch: Launch, _ passed: [PassedDescriptor],
        _ inherited: Set<Int32>
    ) throws -> Int32 {
        let settings = resolved.configuration.master
        SpareDescriptors.keep()
        let log = try openLog(settings)
        // First, because the loop handles signals from here on and then removes the master's files.
        let signals = try SignalDescriptor(blockingAllAndServing: MasterSignal.served)
        let pidfile = try settings.pidfile.map { try writePidFile($0) }
        let listeners = Listeners(passed: passed, inherited: inherited)
        defer { cleanUp(listeners, pidfile, log) }
        let poll = try EventPoll()
        let control = try ControlOpening(
            settings: settings, names: resolved.names,
            runtimeFolder: launch.variable("XDG_RUNTIME_DIR"), log: log, poll: poll
        ).open()
        defer { report(control.removeFiles(), log) }
        let limit = try FileLimit.raise()
        try ChildProcesses.becomeSubreaper()
        let start = MasterState.Start(
            at: Instant(nanoseconds: MonotonicClock.nanoseconds()),
            atWall: WallClock.now().seconds, openFilesLimit: limit, pidFile: pidfile)
        let seed = try RandomBytes.number()
        let master = try Master(
            launch: launch, start: start, log: log, context: context(launch, limit),
            listeners: listeners, control: control, poll: poll, signals: signals,
            service: Service([], seed: seed))
        setTitle(settings)
        return try master.run(resolved, seed: seed)
    }

    static func context(_ launch: Launch, _ limit: SuperviseLinux.ResourceLimit?) -> ProcessContext
    {
        ProcessContext(
            environment: launch.environment, openFilesLimit: limit,
            library: PreloadLibrary.find())
    }

    static func setTitle(_ settings: MasterSettings) {
        ProcessTitle.set("supervise: master" + (settings.name.map { " [\($0)]" } ?? ""))
    }

    private static func openLog(_ settings: MasterSettings) throws(StartObstacle) -> Log {
        do throws(SystemCallError) {
            return try Log(settings)
        } catch {
            let file = if case .file(let path) = settings.logFile { path } else { "stderr" }
            let reason = error.kind == .link ? error.descriptionOfWritten : error.message
            throw StartObstacle(key: "log-file", reason: "\(file): \(reason)")
        }
    }

    private static func writePidFile(_ path: String) throws(StartObstacle) -> PidFile {
        do throws(PidFileFailure) {
            return try PidFile(creating: path)
        } catch {
            throw StartObstacle(key: "pidfile", reason: error.description)
        }
    }

    /// Removes the files that the master created, also after a failed start.
    static func cleanUp(_ listeners: Listeners, _ pidfile: PidFile?, _ log: Log) {
        var failures = listeners.keep([])
        do throws(SystemCallError) {
            try pidfile?.removeIfStillOurs()
        } catch {
            failures.append(error)
        }
        report(failures, log)
    }

    static func report(_ failures: [SystemCallError], _ log: Log) {
        for failure in failures {
            log.write(LogLine(.warning, "unlink-failed").with("error", failure.description))
        }
    }

    private static func check(_ launch: Launch) throws(SettingsError) -> Int32 {
        var resolved = try ResolvedConfiguration.load(launch)
        resolved.use(SystemdSockets.take())
        let found = Preflight.warnings(resolved.configuration, environment: launch.environment)
        for warning in resolved.warnings + found {
            printError("supervise: warning: \(warning)\n")
        }
        return printText(
            resolved.configuration.effectiveText(configPath: launch.overrides.configPath)
                + MemoryLimit.ofThisProcess().explain(resolved.configuration))
    }

    private static func importFile(_ source: ServiceImport.Source, _ path: String) -> Int32 {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try TextInput.whole(path, limitBytes: 1 << 20)
        } catch {
            printError("supervise: import: \(path): \(error.message)\n")
            return ExitCode.masterFailed
        }
        let result = ServiceImport.convert(source, bytes, path: path)
        if result.notes > 0 {
            printError(
                "supervise: import: see the \(result.notes) notes at the end of the result\n")
        }
        return printText(result.text)
    }

    /// Runs the loader: see `ConfigurationLoader`.
    private static func loadForMaster(_ arguments: [String], _ environment: [String]) -> Int32 {
        let report: String
        do throws(SettingsError) {
            guard case .run(let overrides) = try Invocation.parse(arguments) else {
                return ExitCode.usage
            }
            let launch = launch(arguments, overrides, environment)
            report = LoaderReport.encode(try ResolvedConfiguration.load(launch))
        } catch {
            report = LoaderReport.encode(error)
        }
        return printText(report, to: ConfigurationLoader.outputDescriptor)
    }

    /// Prints text. A reader that has closed its end is not an error message, but not a success
    /// either.
    static func printText(_ text: String, to descriptor: Int32 = 1) -> Int32 {
        do throws(SystemCallError) {
            try TextOutput.write(text, to: descriptor)
            return ExitCode.success
        } catch {
            // The loader's reader is the master, which reports this itself.
            if descriptor == 1 { printError("supervise: standard output: \(error.message)\n") }
            return ExitCode.masterFailed
        }
    }

    static func printError(_ text: String) {
        // The journal needs the priority, as for the lines of the log.
        let priority = JournalStream.isStandardError ? "<\(LogLevel.error.priority)>" : ""
        do throws(SystemCallError) {
            try TextOutput.write(priority + text, to: 2)
        } catch {
            // Standard error has no reader, so only the exit code can report it.
            return
        }
    }

    private static func printError(_ error: SettingsError) {
        for problem in error.problems { printError("supervise: \(problem)\n") }
    }
}

/// A setting of the master that cannot be applied on this machine.
private struct StartObstacle: Error, CustomStringConvertible {
    let key: String
    let reason: String

    var description: String { "\(key): \(reason)" }
}
