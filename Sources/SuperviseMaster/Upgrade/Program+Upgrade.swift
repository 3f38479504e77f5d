import SuperviseLinux
import SuperviseSettings
import SuperviseState

/// The program as the one that follows: see `Master+Upgrade`.
extension Program {
    /// Reads a state, all of it, and the command line, without touching anything, and says whether it can
    /// go on with them.
    static func probe(_ arguments: [String], _ environment: [String]) -> Int32 {
        var outcome = UpgradeProbe.Outcome.understood(version: Version.current)
        do {
            let bytes = try MemoryFile.bytes(of: UpgradeProbe.Descriptor.state)
            try MasterState.decode(bytes).check()
            // A program that is older passes none.
            if !arguments.isEmpty { _ = try resumedLaunch(arguments, environment) }
        } catch {
            outcome = .refused("\(error)")
        }
        return say(UpgradeProbe.answer(outcome), to: UpgradeProbe.Descriptor.answer)
    }

    /// Goes on as the master that this process was. The words are those of the start, with two or three
    /// more behind the name; `open` are the descriptors that are open.
    static func resume(_ words: [String], _ environment: [String], open: Set<Int32>) -> Int32 {
        ProcessTitle.setName("supervise")
        guard let handed = Handed(words) else {
            complain("supervise: \(words[1]) is for internal use\n")
            return ExitCode.usage
        }
        let fallback = handed.program.map { program in
            Fallback(
                program: program,
                arguments: [words[0], Master.returnVerb, "\(handed.state)", ""]
                    + handed.arguments, environment: environment)
        }
        do {
            let (master, version): (Master, String)
            do {
                var arguments = handed.arguments
                if handed.reason != nil {
                    let bytes = try MemoryFile.bytes(of: handed.state)
                    arguments = try MasterState.decode(bytes).arguments
                }
                var launch = try resumedLaunch(arguments, environment)
                launch.name = words[0]
                (master, version) = try takeOver(
                    fromStateIn: handed.state, launch, open: open, fallback)
            } catch {
                guard let fallback else { throw error }
                throw UpgradeFailure("\(error); \(fallback.use(because: "\(error)"))")
            }
            ThisProcess.returnFreeMemory()
            defer { cleanUp(master.listeners, master.start.pidFile, master.log) }
            defer { tell(master.control.removeFiles(), master.log) }
            let resumption =
                handed.reason.map(Master.Resumption.returned) ?? .upgraded(from: version)
            return try master.resume(resumption)
        } catch {
            complain("supervise: the upgrade failed halfway: \(error)\n")
            return ExitCode.masterFailed
        }
    }

    /// What the program before this one left.
    private struct Handed {
        let state: Int32
        /// That program, which is gone back to if this one fails.
        var program: Int32?
        /// Why the next program went back to this one.
        var reason: String?
        let arguments: [String]

        init?(_ words: [String]) {
            let isReturn = words[1] == Master.returnVerb
            guard words.count > (isReturn ? 3 : 2) else { return nil }
            let numbers = words[2].split(separator: ":").map { Int32($0) }
            guard let first = numbers.first, let state = first, numbers.count <= 2 else {
                return nil
            }
            self.state = state
            if numbers.count == 2 {
                guard let program = numbers[1] else { return nil }
                self.program = program
            }
            reason = isReturn ? words[3] : nil
            arguments = Array(words.dropFirst(isReturn ? 4 : 3))
        }
    }

    private static func resumedLaunch(
        _ arguments: [String], _ environment: [String]
    ) throws -> Launch {
        do throws(SettingsError) {
            if case .run(let overrides) = try Invocation.parse(arguments) {
                return launch(arguments, overrides, environment)
            }
        } catch {
            let problems = error.problems.map(\.description).joined(separator: "; ")
            throw UpgradeFailure(
                "supervise \(Version.current) rejects the command line: \(problems)")
        }
        throw UpgradeFailure(
            "supervise \(Version.current) would not start a master with this command line")
    }

    /// The master, and the version that it was before. The state, which holds all of it once more, is
    /// gone when this returns.
    private static func takeOver(
        fromStateIn number: Int32, _ start: Launch, open: Set<Int32>, _ fallback: Fallback?
    ) throws -> (Master, version: String) {
        SpareDescriptors.keep()
        let state = try MasterState.decode(try MemoryFile.bytes(of: number))
        fallback?.hold(state.descriptors)
        try state.check()
        var launch = start
        launch.programPath = state.programPath
        let signals = try SignalDescriptor(blockingAllAndServing: MasterSignal.served)
        guard let text = state.configurations[state.service.generation] else {
            throw UpgradeFailure("the current generation has no configuration")
        }
        let settings = try MasterState.configuration(text).configuration.master
        let log = try Log(resuming: state.log, settings)
        let master = try Master(
            resuming: state, launch: launch, log: log,
            context: context(launch, state.start.openFilesLimit), signals: signals)
        fallback?.end()
        closeUnknown(open, state)
        setTitle(settings)
        return (master, state.head.version)
    }

    /// What neither the start nor the state knows, such as the state's own descriptor, is nobody's.
    private static func closeUnknown(_ open: Set<Int32>, _ state: MasterState) {
        let known = state.listeners.inherited.union(state.descriptors)
        for number in open.subtracting(known) { HandedDescriptors.close(number) }
    }
}
