import SuperviseLinux
import SuperviseSettings
import SuperviseState

/// The program that continues a state: see `Upgrader`.
extension Program {
    /// Reads the whole state and the command line without side effects, and reports whether it can
    /// continue with them.
    static func probe(_ arguments: [String], _ environment: [String]) -> Int32 {
        var outcome = UpgradeProbe.Outcome.understood(version: Version.current)
        do {
            let bytes = try MemoryFile.bytes(of: UpgradeProbe.Descriptor.state)
            try MasterState.decode(bytes).check()
            // An older program passes none.
            if !arguments.isEmpty { _ = try resumedLaunch(arguments, environment) }
        } catch {
            outcome = .refused("\(error)")
        }
        return printText(UpgradeProbe.answer(outcome), to: UpgradeProbe.Descriptor.answer)
    }

    /// Continues as the master of this process. The arguments are those of the start, with two or
    /// three more after the name; `open` are the open descriptors.
    static func resume(_ words: [String], _ environment: [String], open: Set<Int32>) -> Int32 {
        ProcessTitle.setName("supervise")
        guard let handed = Handed(words) else {
            printError("supervise: \(words[1]) is for internal use\n")
            return ExitCode.usage
        }
        let fallback = handed.program.map { program in
            Fallback(
                program: program,
                arguments: [words[0], Upgrader.returnVerb, "\(handed.state)", ""]
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
            defer { report(master.control.removeFiles(), master.log) }
            let resumption =
                handed.reason.map(Upgrader.Resumption.returned) ?? .upgraded(from: version)
            return try master.resume(resumption)
        } catch {
            printError("supervise: the upgrade failed halfway: \(error)\n")
            return ExitCode.masterFailed
        }
    }

    /// The handover from the previous program.
    private struct Handed {
        let state: Int32
        /// The previous program, which is executed again if this one fails.
        var program: Int32?
        /// The reason for which the next program returned to this one.
        var reason: String?
        let arguments: [String]

        init?(_ words: [String]) {
            let isReturn = words[1] == Upgrader.returnVerb
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

    /// Returns the master and its previous version. The state, which is a second copy of
    /// everything, is released when this returns.
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

    /// Closes descriptors that belong neither to the start nor to the state, such as the state's
    /// own descriptor.
    private static func closeUnknown(_ open: Set<Int32>, _ state: MasterState) {
        let known = state.listeners.inherited.union(state.descriptors)
        for number in open.subtracting(known) { HandedDescriptors.close(number) }
    }
}
